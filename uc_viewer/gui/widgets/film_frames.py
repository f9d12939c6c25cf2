"""What the film knows of one frame, which frames it shows and in what order. Plain data, no Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from uc_viewer.case import UNREAD, Duplicate, FrameKey, FrameReading, FrameResult, Segment, Unreadable
from uc_viewer.gui.widgets.timeline_scale import clock

Item = FrameResult | Unreadable | Duplicate
"""What became of a frame."""


class FilmFrame(NamedTuple):
    """One frame. A tuple, since there may be 100 000.

    ``number`` counts from 0 in the order of listing. ``item`` is None while nothing is known of it (or
    nothing may be told). ``ai`` and ``margin`` are the model's grade and the lead of its probability, kept
    here because sorting asks for them so often. ``seconds`` is its time in a recording, once it is known.
    """

    number: int
    key: FrameKey
    item: Item | None = None
    reading: FrameReading = UNREAD
    ai: int | None = None
    margin: float | None = None
    seconds: float | None = None

    def with_item(self, item: Item | None) -> FilmFrame:
        """The same frame with another answer, or none."""
        scores = item.scores if isinstance(item, FrameResult) else None
        seconds = item.pts_seconds if isinstance(item, FrameResult | Unreadable) else self.seconds
        if scores is None:
            return FilmFrame(self.number, self.key, item, self.reading, seconds=seconds)
        return FilmFrame(self.number, self.key, item, self.reading, scores.grade, scores.margin, seconds)

    def with_reading(self, reading: FrameReading) -> FilmFrame:
        """The same frame, of which the reader says something else."""
        return self._replace(reading=reading)

    def blinded(self) -> FilmFrame:
        """The same frame without what the model says of it."""
        return self.with_item(None) if isinstance(self.item, FrameResult) else self

    @property
    def name(self) -> str:
        """Its file, and which moment or picture of the file where there are several."""
        if self.seconds is not None:
            return f"{self.key[0]}, {clock(self.seconds)}"
        return f"{self.key[0]} {self.moment}".rstrip()

    @property
    def file_name(self) -> str:
        """Its file without folders."""
        return self.key[0].rsplit("/", 1)[-1]

    @property
    def moment(self) -> str:
        """Which moment or picture of its file it is, in short; empty for the first or only picture."""
        if self.seconds is None:
            return f"#{self.key[1]}" if self.key[1] else ""
        time = clock(self.seconds)
        hours, minutes, rest = time.split(":")
        return f"{int(minutes)}:{rest}" if hours == "0" else time

    @property
    def to_be_read(self) -> bool:
        """True for a frame the reader has something to say of: opened, no duplicate, not rejected."""
        return not self.reading.rejected and not isinstance(self.item, Unreadable | Duplicate)

    @property
    def grade(self) -> int | None:
        """The reader's grade if there is one, else the model's; None for a frame the reader rejected."""
        if self.reading.rejected:
            return None
        return self.ai if self.reading.grade is None else self.reading.grade

    @property
    def reject_reason(self) -> str:
        """Why the model gave no grade to a picture it looked at, or an empty text."""
        return self.item.scores.reject_reason if isinstance(self.item, FrameResult) else ""

    @property
    def not_scored(self) -> bool:
        """True when the picture was looked at, or could not be, and has no grade of the model."""
        return isinstance(self.item, Unreadable) or bool(self.reject_reason)

    @property
    def close_call(self) -> tuple[int, int] | None:
        """The two best grades, the lower first, where they lie close together."""
        return self.item.scores.close_call if isinstance(self.item, FrameResult) else None

    @property
    def overridden(self) -> bool:
        """True when the reader gave another grade than the model."""
        return None not in (self.ai, self.reading.grade) and self.ai != self.reading.grade


Wanted = Callable[[FilmFrame], bool]
"""Says whether a frame is one that is looked for."""


def at_least(grade: int) -> Wanted:
    """Looks for frames of a grade or a higher one, by the reader or else the model."""
    return lambda frame: (known := frame.grade) is not None and known >= grade


def is_flagged(frame: FilmFrame) -> bool:
    """True for frames worth a second look: close call, not scored, unreadable, reader and model differ.

    A frame that the reader rejected is settled.
    """
    if frame.reading.rejected:
        return False
    return frame.not_scored or frame.overridden or frame.close_call is not None


def severity(frame: FilmFrame) -> tuple[int, float]:
    """How bad the model finds a frame, then how sure it is; negative where it says nothing or must not."""
    if frame.ai is None or frame.margin is None or frame.reading.rejected:
        return -1, 0.0
    return frame.ai, frame.margin


class Order(Enum):
    """In which order frames are shown; those of equal rank as they were listed."""

    LISTED = auto()
    HIGHEST_FIRST = auto()
    LEAST_CERTAIN_FIRST = auto()

    def rank(self, frame: FilmFrame) -> float:
        """Frames of lower rank come first; those without a grade last."""
        if self is Order.LISTED:
            return 0.0
        if self is Order.HIGHEST_FIRST:
            return 9.0 if (grade := frame.grade) is None else -float(grade)
        return 9.0 if frame.margin is None else frame.margin


class Show(Enum):
    """Which kind of frames a `Filter` lets through."""

    EVERYTHING = auto()
    GRADE = auto()
    NOT_SCORED = auto()
    REJECTED = auto()
    OVERRIDDEN = auto()
    UNREAD = auto()
    KEY_IMAGES = auto()
    SEGMENT = auto()
    UNTAGGED = auto()


_WANTED: dict[Show, Wanted] = {
    Show.EVERYTHING: lambda frame: True,
    Show.NOT_SCORED: lambda frame: frame.not_scored,
    Show.REJECTED: lambda frame: frame.reading.rejected,
    Show.OVERRIDDEN: lambda frame: frame.overridden,
    Show.UNREAD: lambda frame: frame.reading.grade is None and frame.to_be_read,
    Show.KEY_IMAGES: lambda frame: frame.reading.key_image,
    Show.UNTAGGED: lambda frame: frame.reading.segment is None and frame.to_be_read,
}


@dataclass(frozen=True)
class Filter:
    """Which frames are shown; those unread or untagged are a worklist, only of frames `to_be_read`.

    ``grade`` belongs to `Show.GRADE` (the reader's if given, else the model's), ``segment`` to
    `Show.SEGMENT`.
    """

    show: Show = Show.EVERYTHING
    grade: int | None = None
    segment: Segment | None = None

    @property
    def wanted(self) -> Wanted:
        """Says whether a frame is shown."""
        if self.show is Show.GRADE:
            grade = self.grade
            return lambda frame: frame.grade is not None and frame.grade == grade
        if self.show is Show.SEGMENT:
            segment = self.segment
            return lambda frame: frame.reading.segment is segment
        return _WANTED[self.show]
