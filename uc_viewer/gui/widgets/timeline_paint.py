"""How the timeline is drawn: ruler, grades, segments, quality, and over them range and cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from uc_viewer.grades import MES, ink_on
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.film_cell import segment_name
from uc_viewer.gui.widgets.timeline_pixels import bars, blocks, quality, runs, widened
from uc_viewer.gui.widgets.timeline_rows import KEY_IMAGE, SEGMENTS, Columns
from uc_viewer.gui.widgets.timeline_scale import Scale, clock
from uc_viewer.gui.widgets.timeline_words import row_names, segment_words

LEAST_ROOM = 3
"""Pixels that a single graded, tagged or flagged frame takes where there is room for it."""

_LINE = QColor("#38383d")
"""Between rows, and the small ticks of the ruler."""

_TALL = QColor("#545459")
"""Ticks with labels."""

_WORDS = QColor("#f2f2f4")
_KEY = QColor("#ffd257")
_RANGE = QColor("#78a9ff")
_THUMB = QColor("#8a8a92")
_BLOCKS = ("#3c4150", "#4d5468")
"""Fills of segments, in turn: neither takes anything from the colours of the grades."""

KEY_REACH = 4
"""Pixels to either side of its frame that the mark of a key image takes."""

_STAIR = 5
"""Width of one of the four bars beside the first row's name."""

AROUND = 16
"""Around the names, at the left and at the right together."""

LEAST_NAMES = 64
"""Width of the names at least, so that the four bars fit."""


@dataclass(frozen=True)
class Lanes:
    """Where everything stands, in Qt's own units: names at the left, beside them one row below the other."""

    names: QRectF
    track: QRectF
    ruler: QRectF
    rows: QRectF
    brackets: QRectF
    ai: QRectF
    reader: QRectF
    segment: QRectF
    quality: QRectF
    bar: QRectF

    @classmethod
    def of(cls, width: float, names: float, right: float, font: QFont) -> Lanes:
        """Lanes in a widget that is so wide, of which the names take the left and buttons the right."""
        line = round(QFontMetricsF(font).height())
        heights = {
            "ruler": line + 3,
            "brackets": 6,
            "ai": round(1.8 * line),
            "reader": line,
            "segment": line + 1,
        }
        heights |= {"quality": 9, "bar": 7}
        top, made = 0.0, {}
        for name, height in heights.items():
            made[name] = QRectF(names, top, max(1.0, width - names - right), height)
            # Brackets stand right on the grades they hold together.
            top += height + (0 if name in ("ruler", "brackets") else 1)
        track = made["ruler"].united(made["bar"])
        rows = made["brackets"].united(made["quality"])
        return cls(QRectF(0, 0, names, track.height()), track, rows=rows, **made)


def _base(row: QRectF, metrics: QFontMetricsF) -> float:
    """The base line of text in the middle of a row.

    Text is not put into a box: letters of a fallback font, Korean for instance, are taller than a line of the
    font itself, and a box would push them down and cut them off.
    """
    return row.center().y() + (metrics.ascent() - metrics.descent()) / 2


# Names


def draw_names(painter: QPainter, lanes: Lanes, ink: QColor) -> None:
    """The names of the rows, and beside the first what the heights of its bars mean."""
    metrics = QFontMetricsF(painter.font())
    rows = (lanes.ai, lanes.reader, lanes.segment, lanes.quality)
    for text, row in zip(row_names(), rows, strict=True):
        room = lanes.names.width() - AROUND + 1
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        base = _base(row, metrics)
        painter.setPen(ink)
        painter.drawText(QPointF(8, base), shown)
    stairs = QRectF(0, lanes.ai.top(), 4 * _STAIR, lanes.ai.height())
    stairs.moveRight(lanes.names.right() - 8)
    plate = stairs.adjusted(-2, -2, 2, 0)
    painter.fillRect(plate, theme.CANVAS)
    ratio = painter.device().devicePixelRatio()
    grades = np.repeat(np.arange(4, dtype=np.int8), round(_STAIR * ratio))
    image = bars(grades, np.zeros(len(grades), np.bool_), round(stairs.height() * ratio), round(ratio) or 1)
    painter.drawImage(stairs, image)


# Rows


def draw_rows(painter: QPainter, lanes: Lanes, columns: Columns, step: int, ratio: float) -> None:
    """All that only changes with the frames and the stretch that is shown.

    ``step``: pixels of the screen to a column, of which ``ratio`` make one of Qt's own.
    """
    painter.fillRect(lanes.track, theme.CANVAS)
    for row in (lanes.ruler.adjusted(0, 0, 0, -1), lanes.ai, lanes.reader, lanes.segment, lanes.quality):
        painter.fillRect(QRectF(row.left(), row.bottom(), row.width(), 1), _LINE)
    least = max(1, round(LEAST_ROOM * ratio / step))
    reader = widened(columns.reader, least)
    struck = widened(np.where(columns.reader_struck, 1, -1).astype(np.int8), least) > 0
    thick = max(1, round(ratio))
    for row, grades, dim in (
        (lanes.ai, columns.ai, columns.ai_struck),
        (lanes.reader, reader, struck & (reader >= 0)),
    ):
        height = round(row.height() * ratio)
        image = bars(np.repeat(grades, step), np.repeat(dim, step), height, thick)
        _put(painter, row, image, ratio)
        _draw_digits(painter, row, np.where(dim, np.int8(-1), grades), step / ratio)
    image = quality(columns, least, step, round(lanes.quality.height() * ratio), thick)
    _put(painter, lanes.quality, image, ratio)
    _draw_segments(painter, lanes.segment, widened(columns.segment, least), step / ratio)


def _put(painter: QPainter, row: QRectF, image: QImage, ratio: float) -> None:
    image.setDevicePixelRatio(ratio)
    painter.drawImage(row.topLeft(), image)


def _draw_digits(painter: QPainter, row: QRectF, grades: NDArray[np.int8], pixels: float) -> None:
    """The digit of a grade wherever its stretch is wide enough: on the bar, or before one that is too low."""
    metrics = QFontMetricsF(painter.font())
    wide, high = metrics.horizontalAdvance("0") + 4, metrics.capHeight() + 2
    for grade, first, last in runs(grades, math.ceil(1.5 * wide / pixels)):
        low = row.height() * (grade + 1) / len(MES) < high
        if low and (last - first) * pixels < 2.5 * wide:
            continue
        fill, ink = QColor(MES[grade].screen), QColor(MES[grade].screen_ink)
        plate = QRectF(row.left() + first * pixels + (0 if low else 1), row.bottom() - high, wide, high)
        if low:
            fill, ink = theme.CANVAS, fill
        painter.fillRect(plate, fill)
        painter.setPen(ink)
        painter.drawText(QPointF(plate.left() + 2, plate.bottom() - 1), str(grade))


def _draw_segments(painter: QPainter, row: QRectF, segments: NDArray[np.int8], pixels: float) -> None:
    """Blocks with names: in full, else in short, else shortened."""
    metrics = QFontMetricsF(painter.font())
    base = _base(row, metrics)
    area = QRectF(row.left(), row.top() + 1, len(segments) * pixels, row.height() - 2)
    painter.drawImage(area, blocks(segments, _BLOCKS))
    painter.setPen(_WORDS)
    least = metrics.averageCharWidth() * 2 + 8
    for place, first, last in runs(segments, math.ceil(least / pixels)):
        room = (last - first) * pixels - 8
        segment = SEGMENTS[place]
        texts = (segment_words(segment), segment_name(segment))
        fitting = [text for text in texts if metrics.horizontalAdvance(text) <= room]
        shown = fitting[0] if fitting else metrics.elidedText(texts[1], Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(row.left() + first * pixels + 3, base), shown)


def draw_keys(painter: QPainter, lanes: Lanes, columns: Columns, pixels: float) -> None:
    """Key images as marks that hang from the ruler, over the brackets; ``pixels``: width of a column."""
    lane, there = lanes.brackets, columns.counts[KEY_IMAGE] > 0
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.CANVAS, 1))
    painter.setBrush(_KEY)
    for _, first, _last in runs(np.where(there, 0, -1).astype(np.int8)):
        at = QPointF(lane.left() + (first + 0.5) * pixels, lane.bottom())
        painter.drawPolygon(QPolygonF([at + QPointF(-KEY_REACH, -6), at + QPointF(KEY_REACH, -6), at]))
    painter.restore()


def draw_brackets(
    painter: QPainter, lanes: Lanes, sustained: Sequence[tuple[float, float, int]], scale: Scale
) -> None:
    """What decided the grade: a bracket over the frames that hold together."""
    lane = lanes.brackets
    for first, last, _ in sustained:
        left, right = scale.to_x(first), scale.to_x(last)
        if right < lane.left() or left > lane.right():
            continue
        left, right = round(left), round(max(right, left + LEAST_ROOM))
        for x, y, wide, high in (
            (left, lane.top() + 2, right - left, 2.0),
            (left, lane.top() + 2, 2.0, 5.0),
            (right - 2, lane.top() + 2, 2.0, 5.0),
        ):
            painter.fillRect(QRectF(x, y, wide, high), _WORDS)


# Over the rows


def draw_range(
    painter: QPainter, lanes: Lanes, first: float | None, last: float | None, scale: Scale
) -> None:
    """The range between two moments, or the one of its ends that there is."""
    top, bottom = lanes.ruler.top(), lanes.quality.bottom()
    if first is not None and last is not None:
        area = QRectF(scale.to_x(first), top, scale.to_x(last) - scale.to_x(first), bottom - top)
        tint = QColor(_RANGE)
        tint.setAlpha(64)
        painter.fillRect(area.intersected(lanes.track), tint)
    for seconds, way in ((first, 1), (last, -1)):
        if seconds is None or not scale.shows(seconds):
            continue
        x = round(scale.to_x(seconds))
        painter.fillRect(QRectF(x if way > 0 else x - 2, top, 2, bottom - top), _RANGE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_RANGE)
        painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x + way * 8, top), QPointF(x, top + 8)]))


def draw_ruler(painter: QPainter, lanes: Lanes, scale: Scale, plate: QRectF) -> None:
    """Ticks with times, but for the labels that a plate would cover half."""
    ruler, metrics = lanes.ruler, QFontMetricsF(painter.font())
    room = metrics.horizontalAdvance("0:00:00") + 18
    base = _base(ruler, metrics)
    painter.setPen(theme.CANVAS_TEXT)
    for tick in scale.ticks(room):
        x = round(scale.to_x(tick.seconds))
        high = ruler.height() if tick.label else 4
        painter.fillRect(QRectF(x, ruler.bottom() - high, 1, high), _TALL if tick.label else _LINE)
        label = QRectF(x + 4, ruler.top(), metrics.horizontalAdvance(tick.label), ruler.height())
        if tick.label and label.right() <= ruler.right() and not label.intersects(plate):
            painter.drawText(QPointF(label.left(), base), tick.label)


def cursor_plate(font: QFont, lanes: Lanes, seconds: float, scale: Scale) -> tuple[QRectF, str]:
    """Where the exact time of the cursor stands on the ruler, and the text; out of view, at that side."""
    before = "◂ " if seconds < scale.first else ""
    text = before + clock(seconds).zfill(12) + (" ▸" if seconds > scale.last else "")
    plate = QRectF(0, 1, round(QFontMetricsF(font).horizontalAdvance(text)) + 8, lanes.ruler.height() - 2)
    # Never at the very edge: there it would run into the ground around, which may be as light.
    least = lanes.track.left() + 1
    most = max(least, lanes.track.right() - 1 - plate.width())
    plate.moveLeft(round(min(max(scale.to_x(seconds) - plate.width() / 2, least), most)))
    return plate, text


def draw_cursor(painter: QPainter, lanes: Lanes, seconds: float, scale: Scale) -> None:
    """A line through all rows, and its exact time on the ruler."""
    if scale.shows(seconds):
        x = min(round(scale.to_x(seconds)), lanes.track.right() - 1)
        # The dark sides let the line be seen on any colour.
        painter.fillRect(QRectF(x - 1, lanes.ruler.bottom(), 3, lanes.rows.height()), QColor(0, 0, 0, 190))
        painter.fillRect(QRectF(x, lanes.ruler.bottom() - 2, 1, lanes.rows.height() + 2), _WORDS)
    plate, text = cursor_plate(painter.font(), lanes, seconds, scale)
    painter.fillRect(plate, _WORDS)
    painter.setPen(QColor(ink_on(_WORDS.name())))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def draw_bar(painter: QPainter, lanes: Lanes, scale: Scale, cursor: float | None) -> None:
    """Which part of the recording is shown, and where in it the cursor is."""
    bar = lanes.bar.adjusted(0, 1, 0, 0)
    painter.fillRect(bar, _LINE)
    if not scale.whole:
        painter.fillRect(thumb_of(lanes, scale).adjusted(0, 1, 0, 0), _THUMB)
    if cursor is not None:
        x = round(bar.left() + scale.place_of(cursor) * (bar.width() - 2))
        painter.fillRect(QRectF(x, bar.top(), 2, bar.height()), _WORDS)


def thumb_of(lanes: Lanes, scale: Scale) -> QRectF:
    """Where the thumb of the bar lies: wide enough to be taken hold of."""
    bar, free = lanes.bar, scale.end - scale.begin - scale.span
    wide = min(bar.width(), max(24.0, scale.span / (scale.end - scale.begin) * bar.width()))
    gone = (scale.first - scale.begin) / free if free > 0 else 0.0
    return QRectF(bar.left() + (bar.width() - wide) * gone, bar.top(), wide, bar.height())


def draw_words(painter: QPainter, lanes: Lanes, text: str) -> None:
    """A line in place of a recording."""
    painter.fillRect(lanes.track, theme.CANVAS)
    painter.setPen(theme.CANVAS_TEXT)
    painter.drawText(lanes.track, Qt.AlignmentFlag.AlignCenter, text)
