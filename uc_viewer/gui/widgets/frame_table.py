"""The table of pictures and their scores; it grows while the run goes on."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from uc_viewer.case import FrameResult, Unreadable
from uc_viewer.grades import MES
from uc_viewer.gui.widgets.grade_fill import chip

Item = FrameResult | Unreadable
Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
_FILE, _GRADE, _P0, _ACTIVE, _NOTE = 0, 1, 2, 6, 7


class FrameTableModel(QAbstractTableModel):
    """Items in the order they were found; a row keeps its number."""

    def __init__(self) -> None:
        super().__init__()
        self._items: list[Item] = []
        self._titles = [
            self.tr("Picture"),
            self.tr("MES"),
            *(f"P({grade.value})" for grade in MES),
            self.tr("P(active)"),
            self.tr("Note"),
        ]

    def append(self, item: Item) -> None:
        """Add a row at the end."""
        row = len(self._items)
        self.beginInsertRows(QModelIndex(), row, row)
        self._items.append(item)
        self.endInsertRows()

    def clear(self) -> None:
        """Remove all rows."""
        self.beginResetModel()
        self._items.clear()
        self.endResetModel()

    def item(self, row: int) -> Item:
        """The item of a row. Raises IndexError."""
        return self._items[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return self._titles[section]
        if orientation == Qt.Orientation.Horizontal and role == _Role.TextAlignmentRole:
            return _align(section)
        return None

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        item, column = self._items[index.row()], index.column()
        if role == _Role.DisplayRole:
            return _text(item, column)
        if role == _Role.TextAlignmentRole:
            return _align(column)
        if role == _Role.ToolTipRole and column in (_FILE, _NOTE):
            return _text(item, column)
        if role == _Role.FontRole and _P0 <= column <= _ACTIVE:
            return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        if role == _Role.ForegroundRole and _grade(item) is None:
            return QGuiApplication.palette().placeholderText()
        if role == _Role.AccessibleTextRole and column == _GRADE:
            grade = _grade(item)
            return self.tr("not scored") if grade is None else MES[grade].accessible_name
        return None


class NameCell(QStyledItemDelegate):
    """Shortens a name in its middle: the number that tells two pictures apart is mostly at its end."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class GradeCell(QStyledItemDelegate):
    """Paints the grade as a chip: digit, colour, pattern."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        bare = QStyleOptionViewItem(option)
        grade = index.data()
        if not grade:
            super().paint(painter, bare, index)
            return
        bare.widget.style().drawPrimitive(
            bare.widget.style().PrimitiveElement.PE_PanelItemViewItem,
            bare,
            painter,
            bare.widget,
        )
        area = QRectF(0, 0, 34, 18)
        area.moveCenter(QRectF(bare.rect).center())
        chip(painter, area, MES[int(grade)])


class FrameTable(QTableView):
    """The table; says which item is chosen."""

    chosen = Signal(object)
    """The `FrameResult` or `Unreadable` of the current row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = FrameTableModel()
        self.setModel(self._rows)
        self.setItemDelegateForColumn(_FILE, NameCell(self))
        self.setItemDelegateForColumn(_GRADE, GradeCell(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(26)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setMinimumHeight(28)
        self.horizontalHeader().setStretchLastSection(True)
        for column, width in enumerate((210, 54, 50, 50, 50, 50, 72, 120)):
            self.setColumnWidth(column, width)
        self.selectionModel().currentRowChanged.connect(self._choose)

    def append(self, item: Item) -> None:
        """Add an item; the first one becomes the chosen one."""
        self._rows.append(item)
        if self._rows.rowCount() == 1:
            self.selectRow(0)

    def clear(self) -> None:
        """Remove all items."""
        self._rows.clear()

    def sizeHint(self) -> QSize:
        return QSize(720, 480)

    def _choose(self, current: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(self._rows.item(current.row()))


def _grade(item: Item) -> int | None:
    return item.scores.grade if isinstance(item, FrameResult) else None


def _text(item: Item, column: int) -> str:
    if column == _FILE:
        return item.source_file
    if isinstance(item, Unreadable):
        return item.reason if column == _NOTE else ""
    scores = item.scores
    if column == _NOTE:
        return scores.reject_reason
    if scores.probabilities is None:
        return ""
    if column == _GRADE:
        return str(scores.grade)
    value = scores.p_active if column == _ACTIVE else scores.probabilities[column - _P0]
    return f"{value:.2f}"


def _align(column: int) -> Qt.AlignmentFlag:
    # Probabilities all have the same width, so that their points stand in line when centred as well.
    across = Qt.AlignmentFlag.AlignHCenter if _GRADE <= column <= _ACTIVE else Qt.AlignmentFlag.AlignLeft
    return across | Qt.AlignmentFlag.AlignVCenter
