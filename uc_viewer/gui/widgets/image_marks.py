"""What is drawn around a picture: grades and marks in a strip above it, corners of the field of view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from uc_viewer.grades import Grade
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.grade_fill import chip

_WORDS = QColor("#f2f2f4")
_ARM, _OFF = 14.0, 4.0
"""Length of a corner mark, and how far it stays outside of the field of view."""


@dataclass(frozen=True)
class Mark:
    """One thing in the strip: who says it, the grade, more words; ``short`` where there is little room."""

    who: str
    grade: Grade | None
    words: str
    short: str = ""


def draw_marks(painter: QPainter, area: QRectF, marks: Sequence[Mark]) -> None:
    """Draw marks from the left of an area: in full, else in short, else as much as there is room for."""
    metrics = QFontMetricsF(painter.font())
    gap = metrics.averageCharWidth() * 2.5
    if sum(_width(metrics, mark) + gap for mark in marks) - gap > area.width():
        marks = [replace(mark, words=mark.short) for mark in marks]
    left = area.left()
    for mark in marks:
        if left >= area.right():
            break
        room = QRectF(left, area.top(), area.right() - left, area.height())
        left += _draw_mark(painter, room, mark, metrics) + gap


def _space(metrics: QFontMetricsF) -> float:
    return metrics.averageCharWidth() * 0.8


def _chip_size(metrics: QFontMetricsF) -> tuple[float, float]:
    return round(metrics.height() * 1.9), round(metrics.height() * 1.15)


def _width(metrics: QFontMetricsF, mark: Mark) -> float:
    parts = [metrics.horizontalAdvance(text) for text in (mark.who, mark.words) if text]
    if mark.grade:
        parts.append(_chip_size(metrics)[0])
    return sum(parts) + _space(metrics) * (len(parts) - 1)


def _draw_mark(painter: QPainter, room: QRectF, mark: Mark, metrics: QFontMetricsF) -> float:
    """Draw one mark at the left of a room; gives its width."""
    left = room.left()
    if mark.who:
        left += _draw_words(painter, room, mark.who, theme.CANVAS_TEXT, metrics)
    if mark.grade:
        width, height = _chip_size(metrics)
        area = QRectF(round(left), round(room.center().y() - height / 2), width, height)
        if area.right() > room.right():
            return room.width()
        chip(painter, area, mark.grade)
        left = area.right() + _space(metrics)
    if mark.words:
        rest = QRectF(left, room.top(), room.right() - left, room.height())
        left += _draw_words(painter, rest, mark.words, _WORDS, metrics)
    return left - _space(metrics) - room.left()


def _draw_words(painter: QPainter, room: QRectF, words: str, colour: QColor, metrics: QFontMetricsF) -> float:
    """Draw words at the left of a room, shortened where they do not fit; gives their width and a space."""
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(0.0, room.width()))
    painter.setPen(colour)
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
    return metrics.horizontalAdvance(shown) + _space(metrics)


def draw_corners(painter: QPainter, field: QRectF) -> None:
    """Draw thin angles just outside the four corners of the field of view: white, with a dark outline."""
    frame = field.adjusted(-_OFF, -_OFF, _OFF, _OFF)
    arm = min(_ARM, frame.width() / 4, frame.height() / 4)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for pen in (QPen(QColor(0, 0, 0, 190), 3.5), QPen(QColor(255, 255, 255, 220), 1.25)):
        pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        for corner, across, down in (
            (frame.topLeft(), arm, arm),
            (frame.topRight(), -arm, arm),
            (frame.bottomLeft(), arm, -arm),
            (frame.bottomRight(), -arm, -arm),
        ):
            ends = (corner + QPointF(across, 0), corner, corner + QPointF(0, down))
            painter.drawPolyline(QPolygonF(ends))
    painter.restore()
