"""Calm messages at the foot of the window, instead of boxes that stop the work."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QEnterEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QTextEdit, QToolButton, QVBoxLayout, QWidget

from uc_viewer.gui import theme

MOST = 3
"""Messages shown at a time; the oldest makes room."""

SECONDS = 6
"""How long a message stays; a warning stays until it is dismissed."""

_EDGE = 16
_COMES_OR_GOES = (QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
_LINE = 64
"""Characters of a line at most."""


class _Words(QTextEdit):
    """Plain text that can be selected; as large as it needs to be, broken anywhere if a word is too long."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.setPlainText(text)

    def fit(self, width: int) -> None:
        """Take as much room as the text needs, at most this width."""
        self.document().setTextWidth(-1)
        natural = int(self.document().idealWidth()) + 2
        self.document().setTextWidth(min(natural, width))
        self.setFixedSize(min(natural, width), int(self.document().size().height()) + 1)


class _Toast(QFrame):
    """One message, perhaps with something to do about it."""

    closed = Signal()

    def __init__(
        self, text: str, warning: bool, action_text: str, action: Callable[[], object] | None
    ) -> None:
        super().__init__()
        self.text, self.warning = text, warning
        self._words = _Words(text)
        self._timer = QTimer(self, singleShot=True, interval=SECONDS * 1000)
        self._timer.timeout.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8 if warning else 14, 8)
        row.setSpacing(12)
        row.addWidget(self._words, 0, Qt.AlignmentFlag.AlignVCenter)
        self._around = 30
        if action is not None:
            self._around += self._add(self._action_button(action_text, action))
        if warning:
            self._around += self._add(self._close_button())
        self.setAccessibleName(self.tr("Warning: {0}").format(text) if warning else text)
        self.start()

    def fit(self, width: int) -> None:
        """Take as much room as the message needs, at most this width."""
        longest = self.fontMetrics().averageCharWidth() * _LINE
        self._words.fit(max(80, min(width - self._around, longest)))
        self.setFixedSize(self.sizeHint())

    def start(self) -> None:
        """Stay from now on as long as a new message does."""
        if not self.warning:
            self._timer.start()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()  # whoever reads or selects is not to be hurried

    def leaveEvent(self, event: QEvent) -> None:
        self.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.setBrush(self.palette().toolTipBase())
        painter.drawRoundedRect(area, 6, 6)
        if self.warning:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.BANNER[0]))
            painter.drawRoundedRect(QRectF(5, 7, 4, self.height() - 14), 2, 2)

    def _add(self, button: QWidget) -> int:
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = self.layout()
        assert layout is not None
        layout.addWidget(button)
        return button.sizeHint().width() + layout.spacing()

    def _action_button(self, text: str, action: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(self.closed)
        button.clicked.connect(lambda: action())
        return button

    def _close_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("×")
        button.setAutoRaise(True)
        button.setAccessibleName(self.tr("Dismiss"))
        button.setToolTip(self.tr("Dismiss"))
        button.clicked.connect(self.closed)
        return button


class Toasts(QWidget):
    """The messages over a widget, newest at the foot; beside them the mouse reaches what lies below.

    While ``floor``, a part of that widget, is to be seen they stand above it, no wider than it is.
    """

    def __init__(self, over: QWidget, floor: QWidget | None = None) -> None:
        super().__init__(over)
        self._over, self._floor = over, floor
        self._toasts: list[_Toast] = []
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        for watched in (over, floor):
            if watched is not None:
                watched.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> list[str]:
        """The messages that are shown, oldest first."""
        return [toast.text for toast in self._toasts]

    def tell(self, text: str) -> None:
        """Show a message for some seconds."""
        self._show(_Toast(text, False, "", None))

    def warn(self, text: str, action_text: str = "", action: Callable[[], object] | None = None) -> None:
        """Show a warning until it is dismissed, perhaps with a button that does something about it."""
        self._show(_Toast(text, True, action_text, action))

    def clear(self) -> None:
        """Take all messages away."""
        for toast in list(self._toasts):
            self._close(toast)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize or (watched is self._floor and event.type() in _COMES_OR_GOES):
            self._place()
        elif watched is self._over and event.type() == QEvent.Type.LayoutRequest:
            self.raise_()  # a stack puts the page it turns to above everything else
        return False

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._place()

    def _show(self, toast: _Toast) -> None:
        for other in list(self._toasts):
            if other.text == toast.text:
                self._close(other)
        while len(self._toasts) >= MOST:
            # A warning waits for its reader; passing news makes room first.
            self._close(next((other for other in self._toasts if not other.warning), self._toasts[0]))
        toast.closed.connect(lambda: self._close(toast))
        self._toasts.append(toast)
        self._rows.addWidget(toast, 0, Qt.AlignmentFlag.AlignHCenter)
        toast.show()
        self._place()
        QAccessible.updateAccessibility(QAccessibleEvent(toast, QAccessible.Event.Alert))

    def _close(self, toast: _Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            self._rows.removeWidget(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def _room(self) -> QRect:
        """Where messages may be, in the widget below."""
        room = self._over.rect()
        if self._floor is not None and self._floor.isVisible():
            corner = self._floor.mapTo(self._over, QPoint())
            room = QRect(corner.x(), 0, self._floor.width(), corner.y())
        return room

    def _place(self) -> None:
        """Stand at the foot of the widget below, as small as may be."""
        if not self._toasts:
            self.hide()
            return
        room = self._room()
        for toast in self._toasts:
            toast.fit(room.width() - 2 * _EDGE)
        self._rows.activate()
        self.resize(self._rows.sizeHint())
        self._rows.activate()
        left, top = room.left() + (room.width() - self.width()) // 2, room.height() - self.height() - _EDGE
        self.move(max(0, left), max(0, top))
        taken = QRegion()
        for toast in self._toasts:
            taken = taken.united(toast.geometry())
        self.setMask(taken)
        self.raise_()
        self.show()
