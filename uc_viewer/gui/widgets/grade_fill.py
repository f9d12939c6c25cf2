"""How a grade is filled: its colour, its pattern, its digit, never one of them alone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from uc_viewer.grades import MES, Grade, Pattern

_BRUSHES = {
    Pattern.PLAIN: Qt.BrushStyle.NoBrush,
    Pattern.DOTS: Qt.BrushStyle.Dense6Pattern,
    Pattern.HATCH: Qt.BrushStyle.BDiagPattern,
    Pattern.CROSS_HATCH: Qt.BrushStyle.DiagCrossPattern,
}


def fill(painter: QPainter, area: QRectF, grade: Grade, radius: float = 2.0) -> None:
    """Fill an area with a grade's screen colour and, over it, its pattern."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(grade.screen))
    painter.drawRoundedRect(area, radius, radius)
    ink = QColor(grade.screen_ink)
    ink.setAlpha(110)
    painter.setBrush(QBrush(ink, _BRUSHES[grade.pattern]))
    painter.drawRoundedRect(area, radius, radius)
    painter.restore()


def chip(painter: QPainter, area: QRectF, grade: Grade) -> None:
    """Draw a grade's digit on plain colour, followed by a strip of its pattern."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    fill(painter, area, grade, 3.0)
    digit = QRectF(area.left(), area.top(), area.width() * 0.6, area.height())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(grade.screen))
    painter.drawRoundedRect(digit, 3.0, 3.0)
    font = painter.font()
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor(grade.screen_ink))
    painter.drawText(digit, Qt.AlignmentFlag.AlignCenter, str(grade.value))
    painter.restore()


class GradeChip(QWidget):
    """A grade as a chip, or a dash where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grade: Grade | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_grade(self, value: int | None) -> None:
        """Show a MES grade, 0 to 3."""
        self._grade = None if value is None else MES[value]
        self.setAccessibleName(self._grade.accessible_name if self._grade else "")
        self.update()

    def sizeHint(self) -> QSize:
        return chip_size(self.fontMetrics())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._grade is not None:
            chip(painter, QRectF(self.rect()), self._grade)
        else:
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "–")


def chip_size(metrics: QFontMetrics) -> QSize:
    """How large a chip stands beside text of a font."""
    height = metrics.height() + 2
    return QSize(round(height * 1.6), height)
