"""The first screen: what to do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from uc_viewer.gui import theme
from uc_viewer.gui.widgets.section import faint, font_of

_CENTRE = Qt.AlignmentFlag.AlignCenter


class DropTarget(QFrame):
    """A surface with a dashed edge, as if to lay something on it."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self.palette().placeholderText().color(), 1.5)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.setBrush(self.palette().base())
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 12, 12)


class Welcome(QWidget):
    """Says how to begin, and offers the three ways that are no drop."""

    files_wanted = Signal()
    folder_wanted = Signal()
    sample_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        headline = QLabel(self.tr("Mayo endoscopic scores, picture by picture"))
        headline.setFont(font_of(self, 2.2, QFont.Weight.DemiBold))
        headline.setAlignment(_CENTRE)
        headline.setWordWrap(True)
        promise = faint(self.tr("Each picture gets a score from 0 to 3, or the reason why not. You decide."))
        promise.setFont(font_of(self, 1.15))
        promise.setAlignment(_CENTRE)
        promise.setWordWrap(True)
        self._icons: dict[QLabel, tuple[str, int]] = {}
        column = QWidget()
        column.setMaximumWidth(self.fontMetrics().averageCharWidth() * 110)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        rows = QVBoxLayout(column)
        rows.setSpacing(0)
        for part, space in ((headline, 8), (promise, 28), (self._target(), 28)):
            rows.addWidget(part)
            rows.addSpacing(space)
        rows.addLayout(self._steps())
        rows.addSpacing(28)
        rows.addLayout(self._privacy())
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(column, 8)
        across.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 24, 24, 24)
        whole.addStretch(2)
        whole.addLayout(across)
        whole.addStretch(3)
        self._draw_icons()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icons"):
            self._draw_icons()

    # Parts

    def _target(self) -> QWidget:
        text, kinds = QLabel(self.tr("Drop endoscopy pictures or recordings here")), faint("")
        text.setFont(font_of(self, 1.4, QFont.Weight.DemiBold))
        kinds.setText(self.tr("Pictures, videos, DICOM files, folders or zip archives"))
        target = DropTarget()
        rows = QVBoxLayout(target)
        rows.setContentsMargins(24, 28, 24, 28)
        rows.setSpacing(6)
        for part in (self._icon("tray-arrow-down", 44), text, kinds):
            rows.addWidget(part, alignment=_CENTRE)
        rows.addSpacing(16)
        rows.addLayout(self._buttons())
        return target

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch()
        for text, signal in (
            (self.tr("Open files…"), self.files_wanted),
            (self.tr("Open a folder…"), self.folder_wanted),
            (self.tr("Sample case"), self.sample_wanted),
        ):
            button = QPushButton(text)
            button.setMinimumSize(QSize(140, 34))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setDefault(signal is self.files_wanted)
            button.clicked.connect(signal)
            row.addWidget(button)
        row.addStretch()
        return row

    def _steps(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch()
        steps = (self.tr("Drop files"), self.tr("Correct with keys 0–3"), self.tr("Print the report"))
        for number, step in enumerate(steps, 1):
            if number > 1:
                row.addWidget(self._icon("arrow-right", 16))
            row.addWidget(QLabel(f"{number}  {step}"))
        row.addStretch()
        return row

    def _privacy(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addStretch()
        row.addWidget(self._icon("lock-outline", 16))
        row.addWidget(faint(self.tr("Nothing leaves this computer; no patient name is needed")))
        row.addStretch()
        return row

    def _icon(self, name: str, size: int) -> QLabel:
        label = QLabel()
        label.setFixedSize(size, size)
        self._icons[label] = (name, size)
        return label

    def _draw_icons(self) -> None:
        for label, (name, size) in self._icons.items():
            label.setPixmap(theme.icon(name).pixmap(QSize(size, size), self.devicePixelRatioF()))
