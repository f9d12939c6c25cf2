"""What the timeline of a recording shows, as plain data: columns of grades, segments, gaps, what lasts."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uc_viewer.case import FrameResult, Reading, RecordingFacts, Unreadable
from uc_viewer.indices import Part
from uc_viewer.report.inputs import LEAST
from uc_viewer.report.wording import printable

MOST_COLUMNS = 600
"""Columns of a timeline at most: more than a printed line can show."""

UNKNOWN = 6 / 7
"""Share of the axis that a recording takes which breaks off nobody knows how early."""

PAUSE = 3.0
"""A frame stands for the time until the next one, but for no more than this many usual distances."""


@dataclass(frozen=True)
class Column:
    """Some neighbouring frames as one column. Times are seconds of the recording.

    ``ai`` and ``reader`` are the worst grades among them, None where there is none; frames the reader
    rejected have neither. ``scored`` is the share of its frames that count, 0..1; ``damaged`` says that one
    could not be decoded.
    """

    since: float
    until: float
    ai: int | None
    reader: int | None
    scored: float
    damaged: bool


@dataclass(frozen=True)
class Span:
    """A stretch of time and what it is."""

    since: float
    until: float
    name: str


@dataclass(frozen=True)
class Lasting:
    """The stretch in which the worst grade of a recording lasts.

    Its last frame is at ``until``, and stands for the time to ``end``.
    """

    since: float
    until: float
    end: float
    grade: int


@dataclass(frozen=True)
class Timeline:
    """One recording over time, from ``since`` to ``until``, the end it should have.

    ``gaps`` are stretches without frames: not looked at, or not in the file. ``frames_per_column`` is the
    most frames that one column stands for.
    """

    name: str
    since: float
    until: float
    columns: tuple[Column, ...]
    segments: tuple[Span, ...]
    gaps: tuple[Span, ...]
    lasting: Lasting | None
    frames_per_column: int


def build(
    name: str,
    frames: Sequence[FrameResult],
    lost: Sequence[Unreadable],
    facts: RecordingFacts | None,
    reading: Reading,
    whole: Part | None,
    *,
    complete: bool,
) -> Timeline | None:
    """The timeline of one recording; None where no frame has a time.

    ``frames`` and ``lost`` are its frames, scored and damaged; ``whole`` is what the rule says of it.
    ``complete`` is False for a run that was stopped, which may not have looked at all of it.
    """
    every: list[FrameResult | Unreadable] = [*frames, *lost]
    items = [item for item in every if item.pts_seconds is not None]
    if not items:
        return None
    items.sort(key=lambda item: (item.pts_seconds or 0.0, item.index))
    times = [item.pts_seconds or 0.0 for item in items]
    ends = _ends(times)
    per_column = math.ceil(len(items) / MOST_COLUMNS)
    firsts = range(0, len(items), per_column)
    chunks = [(items[k : k + per_column], times[k], ends[min(k + per_column, len(ends)) - 1]) for k in firsts]
    gaps, until = _gaps(times[0], ends[-1], facts, complete)
    lasting = None
    if whole and whole.since is not None and whole.until is not None and whole.sustained.grade is not None:
        end = ends[max(0, bisect_right(times, whole.until) - 1)]
        lasting = Lasting(whole.since, whole.until, end, whole.sustained.grade)
    return Timeline(
        name=printable(name),
        since=times[0],
        until=until,
        columns=tuple(_column(*chunk, reading) for chunk in chunks),
        segments=_segments(items, times, ends, reading),
        gaps=gaps,
        lasting=lasting,
        frames_per_column=per_column,
    )


def _ends(times: Sequence[float]) -> list[float]:
    """Until when each frame stands: the next one, or sooner where that is a pause away."""
    if len(times) < 2:
        return [times[0] + 1.0]
    steps = np.diff(times)
    usual = float(np.median(steps)) or 1.0
    return [t + min(float(step), PAUSE * usual) for t, step in zip(times, [*steps, usual], strict=True)]


def _gaps(
    since: float, seen: float, facts: RecordingFacts | None, complete: bool
) -> tuple[tuple[Span, ...], float]:
    """Stretches after the last frame, and the end of the whole."""
    if facts is None:
        return (), seen
    there = max(since + facts.seconds, seen)
    # Where the file states no duration, some room says that it breaks off.
    share = UNKNOWN if facts.share is None else max(facts.share, LEAST)
    stated = max(since + facts.seconds / share, there)
    gaps = []
    if not complete and there - seen > 0.01 * (there - since):
        gaps.append(Span(seen, there, "not looked at"))
    if share < 1:
        gaps.append(Span(there, stated, "not in the file"))
    return tuple(gaps), stated


def _column(
    items: Sequence[FrameResult | Unreadable], since: float, until: float, reading: Reading
) -> Column:
    found = [item for item in items if isinstance(item, FrameResult)]
    counted = [(item, said) for item in found if not (said := reading.of(item.key)).rejected]
    scored = [item.scores.grade for item, _ in counted if item.scores.grade is not None]
    read = [said.grade for _, said in counted if said.grade is not None]
    return Column(
        since=since,
        until=until,
        ai=max(scored, default=None),
        reader=max(read, default=None),
        scored=len(scored) / len(items),
        damaged=len(found) < len(items),
    )


def _segments(
    items: Sequence[FrameResult | Unreadable],
    times: Sequence[float],
    ends: Sequence[float],
    reading: Reading,
) -> tuple[Span, ...]:
    """Frames in a row with one tag are one stretch; damaged ones between them do not break it."""
    spans: list[Span] = []
    open_name = ""
    for item, since, until in zip(items, times, ends, strict=True):
        if not isinstance(item, FrameResult):
            continue
        segment = reading.of(item.key).segment
        name = segment.value if segment else ""
        if name and name == open_name:
            spans[-1] = Span(spans[-1].since, until, name)
        elif name:
            spans.append(Span(since, until, name))
        open_name = name
    return tuple(spans)
