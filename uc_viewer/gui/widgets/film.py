"""The frames of a case as small pictures: a strip of one column, or a grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from uc_viewer.case import FrameKey
from uc_viewer.gui.widgets.film_cell import CellPainter, CellState, cell_height
from uc_viewer.gui.widgets.film_model import FilmModel

Index = QModelIndex | QPersistentModelIndex
_Key = Qt.Key
_Move = QAbstractItemView.CursorAction
_Hint = QAbstractItemView.ScrollHint

_OWN_KEYS = {_Key.Key_Up, _Key.Key_Down, _Key.Key_Left, _Key.Key_Right}
_OWN_KEYS |= {_Key.Key_Home, _Key.Key_End, _Key.Key_PageUp, _Key.Key_PageDown}
_BESIDES_KEYS = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
_CELL_LINES = 9.5
"""Least width of a cell in the grid, in heights of a line."""


class Film(QListView):
    """Frames of a `FilmModel`; all films of a model share its current frame and its selection.

    All cells are of one size, so that their places are reckoned, not kept: 100 000 frames are laid out in
    no time. Keys other than those that move about go on to the window.
    """

    current_changed = Signal(object)
    """Another frame is looked at: its `FrameKey`, or None."""
    selection_changed = Signal(object)
    """Other frames are selected: the list of their keys, in the order shown."""
    opened = Signal(object)
    """A frame was double-clicked, or Enter pressed on it: its key."""

    def __init__(self, model: FilmModel, grid: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames, self._grid = model, grid
        self._cells = CellPainter()
        self._told_current: FrameKey | None = None
        self._told_selection: list[FrameKey] = []
        self._offset_of_current: int | None = None
        self._follows = False
        self._laid_out = (1, 1)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        # Always there: a bar that comes and goes changes the width, and with it the number of columns.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(False)
        self.setModel(model)
        made = self.selectionModel()
        self.setSelectionModel(model.selection)
        if made is not model.selection:
            made.deleteLater()
        # Otherwise an input method, of Korean for instance, takes the letters that are keys of the window.
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setAccessibleName(self.tr("Grid of frames") if grid else self.tr("Film strip"))
        model.about_to_arrange.connect(self._remember_offset)
        model.arranged.connect(self._keep_offset)
        model.selection.currentChanged.connect(self._tell_current)
        model.selection.selectionChanged.connect(self._tell_selection)
        self.doubleClicked.connect(self._open)

    @property
    def columns(self) -> int:
        """How many cells stand side by side."""
        return self._columns()

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(line * 40 if self._grid else line * 10, line * 30)

    # Where the cells are

    def _columns(self) -> int:
        least = self.fontMetrics().height() * _CELL_LINES
        return max(1, int(self.viewport().width() / least)) if self._grid else 1

    def _cell_height(self) -> int:
        return cell_height(self.font(), self.viewport().width() / self._columns())

    def _cell(self, row: int) -> QRect:
        """The place of a row in the viewport."""
        columns, height = self._columns(), self._cell_height()
        line, column = divmod(row, columns)
        wide = self.viewport().width()
        # Reckoned from both ends, so that the cells fill the width to the last pixel.
        left, right = wide * column // columns, wide * (column + 1) // columns
        return QRect(left, line * height - self.verticalOffset(), right - left, height)

    def _nearest(self, point: QPoint) -> int:
        """The row at a point of the viewport, or the one nearest to it."""
        columns = self._columns()
        line = (point.y() + self.verticalOffset()) // self._cell_height()
        column = point.x() * columns // max(1, self.viewport().width())
        row = max(0, line) * columns + max(0, min(column, columns - 1))
        return min(row, self._frames.rowCount() - 1)

    def _rows_in(self, area: QRect) -> range:
        """The rows of which something may be in an area of the viewport."""
        columns, height, top = self._columns(), self._cell_height(), self.verticalOffset()
        first = max(0, (area.top() + top) // height) * columns
        end = ((area.bottom() + top) // height + 1) * columns
        return range(first, min(end, self._frames.rowCount()))

    def visualRect(self, index: Index) -> QRect:
        return self._cell(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self._nearest(point)
        found = row >= 0 and self._cell(row).contains(point)
        return self._frames.index(row, 0) if found else QModelIndex()

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def horizontalOffset(self) -> int:
        return 0

    def scrollTo(self, index: Index, hint: _Hint = _Hint.EnsureVisible) -> None:
        if not index.isValid():
            return
        cell, bar, high = self.visualRect(index), self.verticalScrollBar(), self.viewport().height()
        if hint == _Hint.PositionAtTop or (hint == _Hint.EnsureVisible and cell.top() < 0):
            bar.setValue(bar.value() + cell.top())
        elif hint == _Hint.PositionAtBottom or (hint == _Hint.EnsureVisible and cell.bottom() >= high):
            bar.setValue(bar.value() + cell.bottom() + 1 - high)
        elif hint == _Hint.PositionAtCenter:
            bar.setValue(bar.value() + cell.center().y() - high // 2)

    def doItemsLayout(self) -> None:
        # QListView's own layout visits every row; here they only say how long the scroll bar is.
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:
        height, high = self._cell_height(), self.viewport().height()
        self._laid_out = columns, _ = self._columns(), height
        lines = -(-self._frames.rowCount() // columns)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, lines * height - high))
        bar.setPageStep(max(height, high // height * height))
        bar.setSingleStep(max(1, height // 3))

    def resizeEvent(self, event: QResizeEvent) -> None:
        columns, height = before = self._laid_out
        top = self.verticalOffset()
        row = self.currentIndex().row()
        seen = row >= 0 and -height < row // columns * height - top < event.oldSize().height()
        super().resizeEvent(event)
        self.updateGeometries()
        if seen:
            self.scrollTo(self.currentIndex())
        elif self._laid_out != before:
            # Where cells move to other lines, what was mostly to be seen at the top stands there again.
            first = self._frames.index((top + height // 2) // height * columns, 0)
            self.scrollTo(first, _Hint.PositionAtTop)

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        # QListView would lay out and draw all of them; a frame that changes keeps its place.
        QAbstractItemView.dataChanged(self, first, last, roles)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.LanguageChange):
            self._cells.clear()
            self.updateGeometries()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().scroll(dx, dy)

    # How they are chosen

    def moveCursor(self, action: _Move, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        last, row, columns = self._frames.rowCount() - 1, self.currentIndex().row(), self._columns()
        if last < 0:
            return QModelIndex()
        page = max(1, self.viewport().height() // self._cell_height()) * columns
        steps = {
            _Move.MoveUp: -columns,
            _Move.MoveDown: columns,
            _Move.MoveLeft: -1,
            _Move.MovePrevious: -1,
            _Move.MoveRight: 1,
            _Move.MoveNext: 1,
        }
        wanted = row + steps.get(action, 0)
        if row < 0 or action == _Move.MoveHome:
            wanted = 0
        elif action == _Move.MoveEnd:
            wanted = last
        elif action in (_Move.MovePageUp, _Move.MovePageDown):
            wanted = max(0, min(row + (page if action == _Move.MovePageDown else -page), last))
        return self._frames.index(wanted if 0 <= wanted <= last else row, 0)

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """Select all frames from one end of a stroke to the other: a stretch of the film, not a rectangle."""
        if self._frames.rowCount():
            first, last = sorted((self._nearest(rect.topLeft()), self._nearest(rect.bottomRight())))
            chosen = QItemSelection(self._frames.index(first, 0), self._frames.index(last, 0))
            self._frames.selection.select(chosen, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        region, seen = QRegion(), self._rows_in(self.viewport().rect())
        for part in selection.toList():
            for row in range(max(part.top(), seen.start), min(part.bottom() + 1, seen.stop)):
                region = region.united(self._cell(row))
        return region

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # A click beside the frames would unselect all of them.
        if self.indexAt(event.position().toPoint()).isValid():
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() & ~_BESIDES_KEYS:
            # Ctrl and an arrow would look at one frame while another one is selected and graded.
            event.ignore()
        elif event.key() in _OWN_KEYS:
            super().keyPressEvent(event)
        elif event.key() in (_Key.Key_Return, _Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
        else:
            event.ignore()

    def keyboardSearch(self, search: str) -> None:
        """Nothing: letters are keys of the window."""

    # How they are drawn

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        palette, current = self.palette(), self.currentIndex().row()
        if not self._frames.rowCount() and self._frames.of_all:
            painter.setPen(palette.placeholderText().color())
            area = self.viewport().rect().adjusted(12, 12, -12, -12)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, flags, self.tr("No frame to show with this filter"))
        for row in self._touched(event.region()):
            selected = self._frames.selection.isRowSelected(row, QModelIndex())
            state = CellState(palette, selected, row == current)
            image = self._frames.thumbnail(row)
            self._cells.draw(painter, QRectF(self._cell(row)), self._frames.frame(row), image, state)

    def _touched(self, region: QRegion) -> Iterator[int]:
        """Rows in a region, the last first: thumbnails are made in the reverse order of being asked for."""
        for row in reversed(self._rows_in(region.boundingRect())):
            if region.intersects(self._cell(row)):
                yield row

    # What is told

    def _tell_current(self) -> None:
        if (key := self._frames.current_key) != self._told_current:
            self._told_current = key
            self.current_changed.emit(key)

    def _tell_selection(self) -> None:
        if (keys := self._frames.selected_keys()) != self._told_selection:
            self._told_selection = keys
            self.selection_changed.emit(list(keys))

    def _open(self, index: Index) -> None:
        self.opened.emit(self._frames.frame(index.row()).key)

    def _remember_offset(self, by_wish: bool) -> None:
        # Otherwise the film would jump back to the current frame whenever answers come in.
        self.setAutoScroll(False)
        self._follows = by_wish
        index = self.currentIndex()
        cell = self.visualRect(index)
        seen = index.isValid() and cell.intersects(self.viewport().rect())
        self._offset_of_current = cell.top() if seen else None

    def _keep_offset(self) -> None:
        """Let the frame that is looked at stay where it was on the screen, if it was there."""
        self.updateGeometries()
        if self._offset_of_current is not None and self.currentIndex().isValid():
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.visualRect(self.currentIndex()).top() - self._offset_of_current)
            self.scrollTo(self.currentIndex())
        elif self._follows:
            self.scrollTo(self.currentIndex())
        self.setAutoScroll(True)
        self.viewport().update()
        self._tell_current()
        self._tell_selection()
