"""What all panels share: headings over content, quiet words, fields that give their text once finished."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent, QPainter, QPaintEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

EDGE = 12
"""Between a panel's edge and what stands in it."""

GAP = 6
"""Between two things in a panel."""

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_COMMANDS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)


def font_of(widget: QWidget, size: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The font of a widget, so many times as large, of that weight."""
    font = QFont(widget.font())
    if font.pointSizeF() > 0:
        font.setPointSizeF(font.pointSizeF() * size)
    else:
        font.setPixelSize(round(font.pixelSize() * size))
    font.setWeight(weight)
    return font


def faint(text: str) -> QLabel:
    """A label that stays in the background."""
    label = QLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def wrapped(label: QLabel) -> QLabel:
    """The label, breaking its text into lines and never asking for more width than there is."""
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def divider() -> QWidget:
    """A hairline."""
    line = QWidget()
    line.setFixedHeight(1)
    line.setAutoFillBackground(True)
    line.setBackgroundRole(QPalette.ColorRole.Mid)
    return line


def scrolled(content: QWidget) -> QScrollArea:
    """The content in an area that scrolls up and down where it is too tall."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


class Elided(QLabel):
    """A line cut in its middle where there is little room, whole as a tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show a text."""
        self.setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, shown)


class Section(QWidget):
    """A heading with a quiet note at its right; what is added to ``rows`` stands below it."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        heading, self._note = QLabel(title), faint("")
        heading.setFont(font_of(self, weight=QFont.Weight.DemiBold))
        top = QHBoxLayout()
        top.setSpacing(GAP)
        top.setContentsMargins(0, 0, 0, 4)
        top.addWidget(heading)
        top.addStretch()
        top.addWidget(self._note)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(EDGE, 8, EDGE, EDGE)
        self.rows.setSpacing(GAP)
        self.rows.addLayout(top)

    @property
    def note(self) -> str:
        """What is said at the right of the heading."""
        return self._note.text()

    def set_note(self, text: str) -> None:
        """Say this at the right of the heading."""
        self._note.setText(text)


class Choice(QComboBox):
    """A combo box that a turn of the wheel scrolls past, and that a click does not give the keys to."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class Field(QLineEdit):
    """A line of text. Enter or leaving the field gives it, Esc takes back what was typed."""

    committed = Signal(str)
    """The finished text, only where it is another than the shown one."""

    def __init__(self, name: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)

    def show_text(self, text: str) -> None:
        """Show a text in place of the present one."""
        self._shown = text
        if self.text() != text:
            self.setText(text)
            self.setCursorPosition(0)
        self.setModified(False)

    def commit(self) -> None:
        """Give what was typed, if anything."""
        if self.isModified():
            self.setModified(False)
            if (text := self.text().strip()) != self._shown:
                self._shown = text
                self.committed.emit(text)

    def event(self, event: QEvent) -> bool:
        if _is_typed(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.show_text(self._shown)
        elif event.key() not in _ENTER:
            super().keyPressEvent(event)
            return
        # The keys go back to the window; that gives the text as well.
        self.clearFocus()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.commit()


class Page(QPlainTextEdit):
    """Some lines of text. Ctrl+Enter or leaving the field gives them, Esc takes back what was typed."""

    committed = Signal(str)
    """The finished text, only where it is another than the shown one."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * 4 + 12)

    def show_text(self, text: str) -> None:
        """Show a text in place of the present one."""
        self._shown = text
        if self.toPlainText() != text:
            self.setPlainText(text)
        self.document().setModified(False)

    def commit(self) -> None:
        """Give what was typed, if anything."""
        if self.document().isModified():
            self.document().setModified(False)
            if (text := self.toPlainText().strip()) != self._shown:
                self._shown = text
                self.committed.emit(text)

    def event(self, event: QEvent) -> bool:
        if _is_typed(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        finished = event.key() in _ENTER and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Escape:
            self.show_text(self._shown)
        elif not finished:
            super().keyPressEvent(event)
            return
        self.clearFocus()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.commit()


def _is_typed(event: QEvent) -> bool:
    """True for a key that must not reach the window's shortcuts while somebody types."""
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    return not event.modifiers() & _COMMANDS and not Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
