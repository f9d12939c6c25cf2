"""The timelines of the printed report, drawn as vectors: readable in black and white as well as in colour."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, KeepTogether, Spacer

from uc_viewer.grades import MES
from uc_viewer.report.content import ReportContent
from uc_viewer.report.pdf_drawing import (
    ALERT,
    INK,
    MUTED,
    PAPER_TINT,
    RULE,
    badge,
    badge_width,
    text,
    texture,
)
from uc_viewer.report.pdf_fonts import BOLD, SANS, fit, width
from uc_viewer.report.pdf_tables import NOTE, SECTION, paragraph
from uc_viewer.report.timeline import Column, Span, Timeline
from uc_viewer.report.wording import clock_short, stretch

LABELS = 50.0
"""Room for the names of the rows, left of the plot, in points."""

NARROWEST = 2.6
"""Points a single reader's grade or damaged frame is drawn wide at least: it must not vanish in an hour."""

OUTLINED = 2.4
"""Points from which a bar is outlined whole."""

TEXTURED = 8.0
"""Points from which a bar carries the pattern of its grade."""

BRACKET = 4.0
"""Points the bracket is drawn wide at least."""

LIT = HexColor("#DCE6EA")
SCORED = HexColor("#6B747C")
SEGMENTS = (HexColor("#E4E9EC"), HexColor("#F6F8F9"))

TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Steps of the time axis, in seconds."""


def timelines(content: ReportContent) -> list[Flowable]:
    """The section with a timeline for each recording, its legend and its note."""
    strips: list[Flowable] = []
    for strip in content.recordings.timelines:
        strips += [TimelineStrip(strip), Spacer(0, 8)]
    if not strips:
        return []
    title = "Timeline" if len(content.recordings.timelines) == 1 else "Timelines"
    note = paragraph(content.recordings.timelines_note, NOTE)
    first = [paragraph(title, SECTION), *strips[:2]]
    last = [*strips[-2:], Legend(), Spacer(0, 3), note]
    if len(content.recordings.timelines) == 1:
        return [KeepTogether([*first, *last[2:]])]
    return [KeepTogether(first), *strips[2:-2], KeepTogether(last)]


@dataclass(frozen=True)
class _Row:
    """Where a row of the plot lies, from its lower edge ``y``, and how high it is."""

    name: str
    y: float
    height: float


_AXIS = 12.0
_QUALITY = _Row("Scored", _AXIS + 2, 9)
_SEGMENT = _Row("Segment", _QUALITY.y + _QUALITY.height + 4, 11)
_READER = _Row("Reader MES", _SEGMENT.y + _SEGMENT.height + 4, 20)
_AI = _Row("AI MES", _READER.y + _READER.height + 5, 30)
_TOP = _AI.y + _AI.height
_BRACKET = 15.0
_NAME = 11.0


class TimelineStrip(Flowable):  # type: ignore[misc]
    """One recording over time: what lasts, the model's grades, the reader's, segments, what was scored."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self.timeline = timeline

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Asked by reportlab: the size in points."""
        self.width, self.height = available_width, _TOP + _BRACKET + _NAME
        return self.width, self.height

    def draw(self) -> None:
        """Asked by reportlab: draw with the lower left corner at the origin."""
        canvas, strip = self.canv, self.timeline
        text(canvas, 0, self.height - 8, fit(strip.name, self.width, 7.5, BOLD), 7.5, BOLD)
        canvas.saveState()
        self._draw_lit(canvas)
        for row in (_AI, _READER, _SEGMENT, _QUALITY):
            text(canvas, 0, row.y + row.height / 2 - 2.3, row.name, 6.5, SANS, MUTED)
        self._draw_grades(canvas, _AI, lambda column: column.ai)
        self._draw_grades(canvas, _READER, lambda column: column.reader, NARROWEST)
        self._draw_segments(canvas)
        self._draw_quality(canvas)
        for gap in strip.gaps:
            self._draw_gap(canvas, gap)
        self._draw_axis(canvas)
        self._draw_bracket(canvas)
        canvas.restoreState()

    def _x(self, seconds: float) -> float:
        strip = self.timeline
        return LABELS + (self.width - LABELS) * (seconds - strip.since) / max(1e-3, strip.until - strip.since)

    def _draw_lit(self, canvas: Any) -> None:
        """A light band through all rows where the grade lasts."""
        if (lasting := self.timeline.lasting) is not None:
            left, right = self._wide(lasting.since, lasting.end, BRACKET)
            canvas.setFillColor(LIT)
            canvas.rect(left, _AXIS, right - left, _TOP - _AXIS, stroke=0, fill=1)

    def _wide(self, since: float, until: float, least: float) -> tuple[float, float]:
        """Left and right end of a stretch, at least so wide, within the plot."""
        left, right = self._x(since), self._x(until)
        missing = max(0.0, least - (right - left)) / 2
        left, right = left - missing, right + missing
        shift = max(0.0, LABELS - left) - max(0.0, right - self.width)
        return left + shift, right + shift

    def _draw_grades(
        self, canvas: Any, row: _Row, grade_of: Callable[[Column], int | None], least: float = 0.0
    ) -> None:
        """Bars: height and colour say the grade, an outline keeps pale ones visible."""
        runs = list(_runs(self.timeline.columns, grade_of))
        if not runs:
            self._draw_frame(canvas, row)
            words = "not read" if row is _READER else "nothing scored"
            text(canvas, LABELS + 4, row.y + row.height / 2 - 2.3, words, 6.5, SANS, MUTED)
            return
        self._draw_levels(canvas, row)
        canvas.setStrokeColor(INK)
        # High bars last: where bars are widened the worse one stays in sight.
        for since, until, grade in sorted(runs, key=lambda run: run[2]) if least else runs:
            left, right = self._wide(since, until, least)
            high = row.height * (grade + 1) / len(MES)
            canvas.setFillColor(HexColor(MES[grade].paper))
            outlined = right - left >= OUTLINED  # outlines of narrower ones would be all there is to see
            canvas.setLineWidth(0.25)
            canvas.rect(left, row.y, right - left, high, stroke=int(outlined), fill=1)
            if right - left >= TEXTURED:
                texture(canvas, grade, left, row.y, right - left, high, 4.5)
            if not outlined:
                canvas.line(left, row.y + high, right, row.y + high)

    def _draw_levels(self, canvas: Any, row: _Row) -> None:
        """Base line and the height of every grade."""
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.3)
        for level in range(len(MES) + 1):
            y = row.y + row.height * level / len(MES)
            canvas.line(LABELS, y, self.width, y)
        if row is _AI:
            for grade in MES:
                y = row.y + row.height * (grade.value + 0.5) / len(MES) - 1.8
                text(canvas, LABELS - 6, y, str(grade.value), 5, SANS, MUTED)

    def _draw_segments(self, canvas: Any) -> None:
        row, spans = _SEGMENT, self.timeline.segments
        self._draw_frame(canvas, row)
        if not spans:
            text(canvas, LABELS + 4, row.y + 3.2, "none given", 6.5, SANS, MUTED)
        for place, span in enumerate(spans):
            left, right = self._x(span.since), self._x(span.until)
            canvas.setFillColor(SEGMENTS[place % 2])
            canvas.setStrokeColor(SCORED)
            canvas.setLineWidth(0.4)
            canvas.rect(left, row.y, right - left, row.height, stroke=1, fill=1)
            name = _fitting(span.name, right - left - 3)
            text(canvas, (left + right - width(name, 6.5)) / 2, row.y + 3.2, name, 6.5)

    def _draw_frame(self, canvas: Any, row: _Row) -> None:
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.4)
        canvas.rect(LABELS, row.y, self.width - LABELS, row.height, stroke=1, fill=0)

    def _draw_quality(self, canvas: Any) -> None:
        row = _QUALITY
        self._draw_frame(canvas, row)
        canvas.setFillColor(SCORED)
        for since, until, share in _runs(self.timeline.columns, lambda column: column.scored or None):
            left, right = self._x(since), self._x(until)
            canvas.rect(left, row.y, right - left, row.height * share, stroke=0, fill=1)
        canvas.setStrokeColor(ALERT)
        canvas.setLineWidth(0.8)
        for since, until, _ in _runs(self.timeline.columns, lambda column: column.damaged or None):
            left, right = self._wide(since, until, NARROWEST)
            draw_cross(canvas, (left + right) / 2, row.y + row.height / 2)
            canvas.line(left, row.y, right, row.y)

    def _draw_gap(self, canvas: Any, gap: Span) -> None:
        """Where there are no frames: hatched, with words."""
        left, right = self._x(gap.since), self._x(gap.until)
        canvas.saveState()
        outline = canvas.beginPath()
        outline.rect(left, _AXIS, right - left + 0.3, _TOP - _AXIS + 0.3)  # over the ends of the rows' frames
        canvas.setFillColor(PAPER_TINT)
        canvas.drawPath(outline, stroke=0, fill=1)
        canvas.clipPath(outline, stroke=0, fill=0)
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.4)
        high = _TOP - _AXIS
        for k in range(int((right - left + high) / 6) + 1):
            canvas.line(left + 6 * k - high, _AXIS, left + 6 * k, _TOP)
        canvas.restoreState()
        long = width(gap.name, 7, BOLD)
        if long + 8 < right - left:
            middle, y = (left + right - long) / 2, _AXIS + high / 2 - 2.5
            canvas.setFillColor(PAPER_TINT)
            canvas.rect(middle - 3, y - 3, long + 6, 11, stroke=0, fill=1)
            text(canvas, middle, y, gap.name, 7, BOLD, ALERT)

    def _draw_axis(self, canvas: Any) -> None:
        canvas.setStrokeColor(MUTED)
        canvas.setLineWidth(0.5)
        canvas.line(LABELS, _AXIS, self.width, _AXIS)
        for seconds in _ticks(self.timeline.since, self.timeline.until, (self.width - LABELS) / 52):
            x, words = self._x(seconds), clock_short(seconds)
            canvas.line(x, _AXIS, x, _AXIS - 2.5)
            start = min(max(x - width(words, 6) / 2, LABELS - 14), self.width - width(words, 6))
            text(canvas, start, _AXIS - 9, words, 6, SANS, MUTED)

    def _draw_bracket(self, canvas: Any) -> None:
        if (lasting := self.timeline.lasting) is None:
            text(canvas, LABELS, _TOP + 5, "not gradable by the rule", 6.5, BOLD, MUTED)
            return
        left, right = self._wide(lasting.since, lasting.end, BRACKET)
        y = _TOP + 3
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.9)
        canvas.lines([(left, y, right, y), (left, y, left, y - 3), (right, y, right, y - 3)])
        words = f"MES {lasting.grade} sustained, {stretch(lasting.since, lasting.until)}"
        long = width(words, 6.5, BOLD)
        start = min(max((left + right - long) / 2, LABELS), self.width - long)
        text(canvas, start, y + 3, words, 6.5, BOLD)


class Legend(Flowable):  # type: ignore[misc]
    """What the marks of a timeline mean."""

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Asked by reportlab: the size in points."""
        self.width, self.height = available_width, 12.0
        return self.width, self.height

    def draw(self) -> None:
        """Asked by reportlab: draw with the lower left corner at the origin."""
        canvas, x = self.canv, 0.0
        for grade in MES:
            badge(canvas, x, 1, 8, grade.value)
            x = self._words(x + badge_width(8) + 3, grade.name)
        canvas.setFillColor(LIT)
        canvas.rect(x, 0, 14, 9, stroke=0, fill=1)
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.9)
        canvas.lines([(x, 9, x + 14, 9), (x, 9, x, 6), (x + 14, 9, x + 14, 6)])
        x = self._words(x + 17, "sustained")
        canvas.setFillColor(SCORED)
        canvas.rect(x, 1, 10, 7, stroke=0, fill=1)
        x = self._words(x + 13, "share of frames scored")
        canvas.setStrokeColor(ALERT)
        canvas.setLineWidth(0.8)
        draw_cross(canvas, x + 3, 4.5)
        self._words(x + 9, "damaged")

    def _words(self, x: float, words: str) -> float:
        text(self.canv, x, 2.2, words, 6.5, SANS, MUTED)
        return x + width(words, 6.5) + 11


def draw_cross(canvas: Any, x: float, y: float) -> None:
    """Mark of a damaged frame."""
    canvas.lines([(x - 2, y - 2, x + 2, y + 2), (x - 2, y + 2, x + 2, y - 2)])


def _runs(columns: Iterable[Column], value_of: Callable[[Column], Any]) -> Iterator[tuple[float, float, Any]]:
    """Neighbouring columns of one value as one: since, until, value. Without those that have none."""
    since = until = 0.0
    value: Any = None
    for column in columns:
        here = value_of(column)
        if value is not None and here == value and abs(column.since - until) < 1e-6:
            until = column.until
            continue
        if value is not None:
            yield since, until, value
        since, until, value = column.since, column.until, here
    if value is not None:
        yield since, until, value


def _ticks(since: float, until: float, most: float) -> list[float]:
    """Round times between two, at most so many."""
    span = until - since
    step = next((step for step in TICKS if span / step <= most), math.ceil(span / most))
    first = -(-since // step) * step
    return [first + step * k for k in range(math.floor((until - first) / step + 1e-6) + 1)]


def _fitting(name: str, room: float) -> str:
    """The name of a segment, a shorter one, its initial, or nothing, as there is room."""
    shorter = name.removesuffix(" colon")
    return next((n for n in (name, shorter, shorter[:1].upper()) if width(n, 6.5) <= room), "")
