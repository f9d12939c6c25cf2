"""The outline over the window while something is dragged over it, with what a drop will do."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

_FLAGS = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)


class DropOutline(QWidget):
    """Covers its parent, lets every event through, shows a large line and a small one below it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._under = parent
        self._text, self._hint = "", ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_text(self, text: str, hint: str = "") -> None:
        """Appear over the whole parent: ``text`` says what a drop will do, ``hint`` more about it."""
        self._text, self._hint = text, hint
        self.setAccessibleName(text)
        self.setAccessibleDescription(hint)
        self.setGeometry(self._under.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(self.palette().window().color())
        ground.setAlpha(236)
        painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(self.palette().highlight().color(), 3, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(12, 12, -12, -12), 10, 10)
        large = QFont(self.font())
        large.setPointSizeF(large.pointSizeF() * 1.6)
        # No longer lines than are pleasant to read.
        longest = self.fontMetrics().averageCharWidth() * 64
        room = QRect(0, 0, min(longest, self.width() - 64), self.height() - 48)
        room.moveCenter(self.rect().center())
        upper = QFontMetrics(large).boundingRect(room, _FLAGS, self._text)
        lower = QFontMetrics(self.font()).boundingRect(room, _FLAGS, self._hint) if self._hint else QRect()
        gap = self.fontMetrics().height() // 2 if self._hint else 0
        top = room.center().y() - (upper.height() + gap + lower.height()) // 2
        painter.setFont(large)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(QRect(room.left(), top, room.width(), upper.height()), _FLAGS, self._text)
        painter.setFont(self.font())
        painter.setPen(self.palette().placeholderText().color())
        below = QRect(room.left(), top + upper.height() + gap, room.width(), lower.height())
        painter.drawText(below, _FLAGS, self._hint)
