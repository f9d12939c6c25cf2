"""From frames to segments to the patient: counts, worst grades, agreement. Pure, cheap to keep current."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mtl_core.aggregate import STANDARD, Rule, Sustained, sustained
from mtl_core.spec import GRADES
from uc_viewer.case import FrameReading, FrameResult, Reading, Segment, Unreadable

NOTHING_READ = Reading()
"""What a reader says who has said nothing."""


@dataclass(frozen=True)
class SegmentSummary:
    """One segment (None: frames without a tag).

    ``frames`` are all its pictures; ``scored`` those with an answer of the model that the reader did not
    reject; ``rejected`` those without one, by quality gate or reader; ``read`` those with a reader grade.
    ``ai_worst`` and ``reader_worst`` are the highest MES among frames that count, None where there is none;
    of recordings the model's worst is what lasts, see `with_judgement`.
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
    judgement: Judgement | None = None
    """What lasts in the recordings, where there are any and it was worked out."""


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
                # Of a recording the worst single frame is mostly error: see `judge` for what lasts in it.
                counts.ai[grade] += by * (item.pts_seconds is None)
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


@dataclass(frozen=True)
class Part:
    """What lasts in the recordings of one segment (None: untagged frames, or the whole case).

    ``sustained`` sums up the recordings: the worst grade of those that are gradable, all frames counted
    together. ``source_file`` holds the row that decided, which lasts from ``since`` to ``until`` in seconds
    of that file; ``highest_file`` and ``highest_at_seconds`` tell where the highest single frame is. The
    positions in ``sustained`` are those among the frames of the same file and segment, in time. Empty and
    None where there is no such row or frame.
    """

    segment: Segment | None
    source_file: str
    sustained: Sustained
    since: float | None = None
    until: float | None = None
    highest_file: str = ""
    highest_at_seconds: float | None = None


@dataclass(frozen=True)
class Judgement:
    """The recordings of a case by ``rule``: the worst over all parts, and the parts.

    ``parts`` holds those with frames, from caecum to rectum, untagged ones last. The whole is not gradable
    only where no part is.
    """

    whole: Part
    parts: tuple[Part, ...]
    rule: Rule


@dataclass(frozen=True)
class _Stretch:
    """The frames of one recording that carry one tag, in time, and what lasts among them."""

    source_file: str
    times: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    sustained: Sustained

    def at(self, position: int | None) -> float | None:
        return None if position is None else float(self.times[position])

    @property
    def lasts(self) -> float:
        since, until = self.at(self.sustained.first), self.at(self.sustained.last)
        return 0.0 if since is None or until is None else until - since


def judge(
    results: Iterable[FrameResult], reading: Reading = NOTHING_READ, rule: Rule = STANDARD
) -> Judgement | None:
    """What the recordings of a case show for long enough; None without a frame that has a time.

    A row never leaves its recording or the reader's segment. Frames the reader rejected count as not
    scored. Stills are left out: nothing lasts in them. Two hours at two frames per second cost about 0.1 s.
    """
    frames: dict[tuple[Segment | None, str], list[FrameResult]] = {}
    for result in results:
        if result.pts_seconds is not None:
            key = reading.of(result.key).segment, result.source_file
            frames.setdefault(key, []).append(result)
    if not frames:
        return None
    stretches: dict[Segment | None, list[_Stretch]] = {}
    for (segment, source_file), members in frames.items():
        stretches.setdefault(segment, []).append(_stretch(source_file, members, reading, rule))
    parts = tuple(_part(segment, stretches[segment]) for segment in (*Segment, None) if segment in stretches)
    return Judgement(_part(None, [stretch for some in stretches.values() for stretch in some]), parts, rule)


def with_judgement(summary: Summary, judgement: Judgement | None) -> Summary:
    """The summary with what lasts in the recordings taken into the model's worst grades."""
    if judgement is None:
        return summary
    lasting = {part.segment: part.sustained.grade for part in judgement.parts}
    segments = tuple(
        replace(part, ai_worst=_worse(part.ai_worst, lasting.get(part.segment))) for part in summary.segments
    )
    whole = replace(summary.whole, ai_worst=_worse(summary.whole.ai_worst, judgement.whole.sustained.grade))
    return replace(summary, whole=whole, segments=segments, judgement=judgement)


def _worse(one: int | None, other: int | None) -> int | None:
    return max((grade for grade in (one, other) if grade is not None), default=None)


def _stretch(source_file: str, frames: list[FrameResult], reading: Reading, rule: Rule) -> _Stretch:
    frames = sorted(frames, key=lambda frame: (frame.pts_seconds, frame.index))
    times = np.array([frame.pts_seconds for frame in frames], np.float64)
    nothing = (np.nan,) * GRADES
    probabilities = np.array(
        [nothing if reading.of(f.key).rejected else f.scores.probabilities or nothing for f in frames],
        np.float64,
    )
    return _Stretch(source_file, times, probabilities, sustained(times, probabilities, rule))


def _part(segment: Segment | None, stretches: list[_Stretch]) -> Part:
    """Sum up recordings; of equal ones the first counts."""
    found = [stretch.sustained for stretch in stretches]
    # Where none is gradable, the recording with most scored frames says why not.
    deciding = max(stretches, key=lambda s: (_or_less(s.sustained.grade), s.lasts, s.sustained.scored))
    top = max(stretches, key=lambda s: _or_less(s.sustained.highest))
    answers = np.concatenate([stretch.probabilities for stretch in stretches])
    expected = (answers @ np.arange(GRADES))[~np.isnan(answers[:, 0])]
    zero, one, two, three = (sum(column) for column in zip(*(f.counts for f in found), strict=True))
    total = replace(
        deciding.sustained,
        highest=top.sustained.highest,
        highest_at=top.sustained.highest_at,
        frames=sum(f.frames for f in found),
        scored=sum(f.scored for f in found),
        counts=(zero, one, two, three),
        p90=float(np.percentile(expected, 90)) if len(expected) else None,
    )
    return Part(
        segment,
        deciding.source_file if total.grade is not None else "",
        total,
        deciding.at(total.first),
        deciding.at(total.last),
        top.source_file if total.highest is not None else "",
        top.at(total.highest_at),
    )


def _or_less(grade: int | None) -> int:
    return -1 if grade is None else grade
