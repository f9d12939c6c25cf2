"""How a grade is filled: its colour, its pattern, its digit, never one of them alone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter

from uc_viewer.grades import Grade, Pattern

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
