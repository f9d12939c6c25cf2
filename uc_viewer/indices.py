"""From frames to segments to the patient: counts, worst grades, agreement. Pure, cheap to keep current."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from uc_viewer.case import FrameReading, FrameResult, Reading, Segment, Unreadable


@dataclass(frozen=True)
class SegmentSummary:
    """One segment (None: frames without a tag).

    ``frames`` are all its pictures; ``scored`` those with an answer of the model that the reader did not
    reject; ``rejected`` those without one, by quality gate or reader; ``read`` those with a reader grade.
    ``ai_worst`` and ``reader_worst`` are the highest MES among frames that count, None where there is none.
    """

    segment: Segment | None
    frames: int = 0
    scored: int = 0
    rejected: int = 0
    read: int = 0
    ai_worst: int | None = None
    reader_worst: int | None = None


@dataclass(frozen=True)
class Summary:
    """The whole case.

    ``segments`` holds those with frames, from caecum to rectum, untagged ones last. ``agreed`` counts frames
    that have both grades and the same, ``differing`` those where they differ; ``key_images`` those chosen.
    """

    whole: SegmentSummary = SegmentSummary(None)
    segments: tuple[SegmentSummary, ...] = ()
    agreed: int = 0
    differing: int = 0
    key_images: int = 0
    unreadable: int = 0


@dataclass
class _Counts:
    frames: int = 0
    scored: int = 0
    rejected: int = 0
    ai: Counter[int] = field(default_factory=Counter)
    reader: Counter[int] = field(default_factory=Counter)

    def summary(self, segment: Segment | None) -> SegmentSummary:
        return SegmentSummary(
            segment,
            self.frames,
            self.scored,
            self.rejected,
            self.reader.total(),
            _worst(self.ai),
            _worst(self.reader),
        )


class Tally:
    """A summary that is kept up to date frame by frame: what was added can be taken away again."""

    def __init__(self) -> None:
        self._whole = _Counts()
        self._by_segment: dict[Segment | None, _Counts] = {}
        self._agreed = self._differing = self._key_images = self._unreadable = 0

    def add(self, item: FrameResult | Unreadable, reading: FrameReading) -> None:
        """Count one item with its reading."""
        self._count(item, reading, 1)

    def remove(self, item: FrameResult | Unreadable, reading: FrameReading) -> None:
        """Take away what `add` counted for the same item and reading."""
        self._count(item, reading, -1)

    def summary(self) -> Summary:
        """The summary of what is counted now; costs the same however many frames there are."""
        order = [*Segment, None]
        return Summary(
            self._whole.summary(None),
            tuple(
                counts.summary(segment)
                for segment in order
                if (counts := self._by_segment.get(segment)) is not None and counts.frames
            ),
            self._agreed,
            self._differing,
            self._key_images,
            self._unreadable,
        )

    def _count(self, item: FrameResult | Unreadable, reading: FrameReading, by: int) -> None:
        if not isinstance(item, FrameResult):
            self._unreadable += by
            return
        grade = item.scores.grade
        for counts in (self._whole, self._by_segment.setdefault(reading.segment, _Counts())):
            counts.frames += by
            if reading.rejected or (grade is None and reading.grade is None):
                counts.rejected += by
                continue
            if grade is not None:
                counts.scored += by
                counts.ai[grade] += by
            if reading.grade is not None:
                counts.reader[reading.grade] += by
        self._key_images += by * reading.key_image
        if not reading.rejected and grade is not None and reading.grade is not None:
            if grade == reading.grade:
                self._agreed += by
            else:
                self._differing += by


def summarise(items: Iterable[FrameResult | Unreadable], reading: Reading) -> Summary:
    """The summary of all items of a case."""
    tally = Tally()
    for item in items:
        tally.add(item, reading.of(item.key) if isinstance(item, FrameResult) else FrameReading())
    return tally.summary()


def _worst(grades: Counter[int]) -> int | None:
    return max((grade for grade, count in grades.items() if count > 0), default=None)
