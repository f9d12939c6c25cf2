"""What follows from the reader's grades of tagged segments, as texts of a report: extent, target, panMayo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from uc_viewer.case import Segment
from uc_viewer.derived import (
    ACTIVE,
    FIVE,
    INFLAMED,
    Extent,
    Montreal,
    SegmentGrades,
    Worst,
    montreal,
    pan_mayo,
    stride_target,
    worst_segment,
)
from uc_viewer.indices import SegmentSummary, Summary
from uc_viewer.report.origin import Fact
from uc_viewer.report.wording import plural

EXTENT = "Extent, this examination"
PAN_MAYO = "panMayo"
SEGMENTS = "Segments graded"


@dataclass(frozen=True)
class DerivedPart:
    """``findings`` are the lines under the agreement, ``notes`` sentences for below the table of segments."""

    findings: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()


def derived_part(summary: Summary, noun: str) -> DerivedPart:
    """Four short lines at most, and what goes with them; nothing unless a frame with a segment was graded.

    Only the reader's grades enter, of each segment the worst; ``noun`` is what a frame is called. Frames
    without a segment count for the target, and else are told. The MMES needs an extent in decimetres, which
    cannot be given yet, and is left out.
    """
    # A tag without a grade, or no tag: either way the formulas know nothing of the segment.
    graded = {part.segment: part.reader_worst for part in summary.segments if part.segment is not None}
    loose = next((part for part in summary.segments if part.segment is None), SegmentSummary(None))
    worst, extent = worst_segment(graded), montreal(graded)
    if worst.value is None:
        return DerivedPart()
    lines = (_extent(extent, loose), _target(summary, worst), _pan_mayo(graded, worst.value, loose))
    # The notes of panMayo are on the caecum, and are among those of the extent.
    return DerivedPart((*lines, *_segments(graded, loose, noun)), extent.notes)


def _extent(found: Montreal, loose: SegmentSummary) -> Fact:
    if found.value is None:
        return Fact(EXTENT, "none suggested: no inflamed segment among those graded")
    # Inflammation that nobody placed may lie farther up; beyond E3 there is nothing.
    astray = (loose.reader_worst or 0) >= INFLAMED and found.value is not Extent.E3
    least = "at least " if found.at_least or astray else ""
    see = "; see Segments" if found.notes else ""
    return Fact(EXTENT, f"Montreal {least}{found.value.value} (suggestion, for the reader to accept{see})")


def _target(summary: Summary, worst: Worst) -> Fact:
    """By the highest grade of all, as in the result line, with a segment or without."""
    grade = summary.whole.reader_worst
    name, _, told = stride_target(replace(worst, value=grade, not_examined=())).words.partition(": ")
    # A segment may be examined and not graded yet, so what is reached is not "in the segments examined".
    limited = worst.not_examined and grade is not None and grade < ACTIVE
    return Fact(name, f"{told}, in what was graded" if limited else told)


def _pan_mayo(graded: SegmentGrades, worst: int, loose: SegmentSummary) -> Fact:
    score = pan_mayo(graded)
    if score.missing:
        return Fact(PAN_MAYO, f"not computed: no grade in {len(score.missing)} of its {len(FIVE)} segments")
    if loose.reader_worst is not None and loose.reader_worst > worst:
        return Fact(PAN_MAYO, f"not computed: the highest grade, MES {loose.reader_worst}, has no segment")
    return Fact(PAN_MAYO, score.words.removeprefix(f"{PAN_MAYO} "))


def _segments(graded: SegmentGrades, loose: SegmentSummary, noun: str) -> tuple[Fact, ...]:
    """Which segments the lines above know nothing of; no line where they know all."""
    unseen = [segment for segment in Segment if segment not in graded]
    waiting = [segment for segment, grade in graded.items() if grade is None]
    told = []
    if unseen:
        untagged = " or not tagged" if loose.frames else ""
        told.append(f"not examined{untagged}, which is not MES 0: {_named(unseen)}")
    if waiting:
        told.append(f"tagged, but not graded: {_named(waiting)}")
    if loose.reader_worst is not None:
        read = f"{plural(loose.read, noun)} graded without a segment"
        told.append(f"{read} (highest MES {loose.reader_worst}), for the target only")
    known = len(Segment) - len(unseen) - len(waiting)
    return (Fact(SEGMENTS, "; ".join([f"{known} of {len(Segment)}", *told])),) if told else ()


def _named(segments: Iterable[Segment]) -> str:
    return ", ".join(segment.value.removesuffix(" colon") for segment in segments)
