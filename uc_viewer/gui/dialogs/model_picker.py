"""Which model scores, and where it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from uc_viewer.settings import DEVICES

_MODEL, _LINE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex
_EDGE = 8
"""Around the two lines of a row."""


@dataclass(frozen=True)
class Choice:
    """A model to choose: the name or folder that opens it, its title, one line that tells it from others."""

    model: str
    title: str
    line: str


class _Rows(QStyledItemDelegate):
    """A model in two lines, title over the quieter line, each cut where there is little room."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(0, 2 * option.fontMetrics.lineSpacing() + 2 * _EDGE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawControl(
            QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget
        )
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        room = option.rect.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        roles = QPalette.ColorRole
        upper, lower = roles.Text, roles.PlaceholderText
        if chosen:
            upper = lower = roles.HighlightedText
        half = room.height() // 2
        _line(painter, room.adjusted(0, 0, 0, -half), bold, str(index.data()), option.palette.color(upper))
        _line(
            painter,
            room.adjusted(0, half, 0, 0),
            option.font,
            str(index.data(_LINE)),
            option.palette.color(lower),
        )


def _line(painter: QPainter, room: QRect, font: QFont, text: str, ink: QColor) -> None:
    """A text in one line, cut in its middle where it is too long."""
    painter.save()
    painter.setFont(font)
    painter.setPen(ink)
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room.width())
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
    painter.restore()


class ModelPicker(QDialog):
    """The models there are; a folder elsewhere can be given as well."""

    card_wanted = Signal(str)
    """Show the card of this model."""
    folder_wanted = Signal()
    """Ask for a model folder."""
    chosen = Signal(str, str)
    """A model and a device to work with from now on."""

    def __init__(
        self,
        choices: Sequence[Choice],
        model: str,
        device: str,
        rescores: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Model and device"))
        self.resize(560, 380)
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Models"))
        self._list.setItemDelegate(_Rows(self._list))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.itemDoubleClicked.connect(lambda _: self._take())
        self._device = QComboBox()
        names = {
            "auto": self.tr("Automatic: GPU if there is one"),
            "cpu": "CPU",
            "cuda": "NVIDIA GPU",
            "mps": "Apple GPU",
        }
        for key in DEVICES:
            self._device.addItem(names[key], key)
        self._device.setCurrentIndex(self._device.findData(device))
        self._note = QLabel(
            self.tr("All pictures of this case will be scored anew. What you have read stays.")
            if rescores
            else ""
        )
        self._note.setVisible(rescores)
        self._note.setWordWrap(True)
        self._card, self._use = QPushButton(self.tr("Model card…")), QPushButton(self.tr("Use"))
        self._lay_out()
        self._list.currentItemChanged.connect(lambda *_: self._enable())
        for choice in choices:
            self.add(choice, choice.model == model)
        self._enable()

    def add(self, choice: Choice, current: bool = True) -> None:
        """Offer one more model."""
        item = QListWidgetItem(choice.title, self._list)
        item.setData(_MODEL, choice.model)
        item.setData(_LINE, choice.line)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{choice.title}, {choice.line}")
        item.setToolTip(f"{choice.title}\n{choice.line}")
        if current or self._list.count() == 1:
            self._list.setCurrentItem(item)

    def _lay_out(self) -> None:
        folder, close = QPushButton(self.tr("Model folder…")), QPushButton(self.tr("Cancel"))
        self._card.clicked.connect(lambda: self.card_wanted.emit(self._model()))
        folder.clicked.connect(self.folder_wanted)
        self._use.clicked.connect(self._take)
        close.clicked.connect(self.reject)
        self._use.setDefault(True)
        device = QHBoxLayout()
        device.addWidget(QLabel(self.tr("Runs on")))
        device.addWidget(self._device, 1)
        buttons = QHBoxLayout()
        for button in (self._card, folder):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch()
        for button in (self._use, close):
            button.setMinimumWidth(90)
            buttons.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(18, 18, 18, 14)
        rows.setSpacing(12)
        rows.addWidget(self._list, 1)
        rows.addLayout(device)
        rows.addWidget(self._note)
        rows.addLayout(buttons)

    def _model(self) -> str:
        item = self._list.currentItem()
        return str(item.data(_MODEL)) if item else ""

    def _enable(self) -> None:
        self._card.setEnabled(bool(self._model()))
        self._use.setEnabled(bool(self._model()))

    def _take(self) -> None:
        self.chosen.emit(self._model(), self._device.currentData())
        self.accept()
