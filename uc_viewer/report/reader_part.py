"""What the reader says of a run, as the texts of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from uc_viewer import grades
from uc_viewer.case import FrameReading, FrameResult, Reading, Run, Segment
from uc_viewer.indices import Part, SegmentSummary, Summary, judge, summarise
from uc_viewer.report.derived_part import DerivedPart, derived_part
from uc_viewer.report.findings import close_call, frame_name, frame_time
from uc_viewer.report.inputs import inputs, stills
from uc_viewer.report.origin import Fact
from uc_viewer.report.recordings import rule_of
from uc_viewer.report.selection import key_frames
from uc_viewer.report.wording import number, paragraphs, plural, printable, stretch

UNREAD = "not yet read"

MARK = "Draft, not signed"
"""Stands under the reader's result line."""

NAMED = 3
"""Most segments named in the result line."""

UNTAGGED = "no segment given"

NOT_LISTED = (
    "A segment without pictures is not listed, and – means that no frame was graded there: not examined is "
    "not MES 0. Rejected: by the quality gate or by the reader; such frames count nowhere."
)
"""Under the table of segments."""

SUSTAINED = (
    "AI sustained: worst grade that lasts in the recordings of the segment, by the rule above. AI p90: 90th "
    "percentile of the expected grades (0 to 3) of its single frames."
)
"""Under the table of segments where there are recordings."""


@dataclass(frozen=True)
class SegmentRow:
    """One line of the table of segments; a grade is None where no frame has one.

    ``ai`` is the model's worst grade among the stills; ``sustained`` the worst that lasts in the recordings,
    and ``p90`` the 90th percentile of their expected grades, empty where there is none.
    """

    name: str
    frames: int
    scored: int
    rejected: int
    read: int
    ai: int | None
    reader: int | None
    sustained: int | None = None
    p90: str = ""


@dataclass(frozen=True)
class Remark:
    """What the reader says of one frame, or of neighbours in a recording, beyond a grade.

    ``comment`` holds printable lines, maybe none. ``at`` is the time at the end of ``name``, which stays
    whole where the name is cut; empty for stills.
    """

    name: str
    ai: str
    reader: str
    reason: str
    comment: tuple[str, ...]
    at: str = ""


@dataclass(frozen=True)
class ReaderPart:
    """The reader's texts and numbers; all empty, but for the line that says so, where nothing was read.

    ``headline`` is the reader's result line and ``grade`` the grade it names.
    """

    headline: str
    grade: int | None
    findings: tuple[Fact, ...]
    segments: tuple[SegmentRow, ...]
    segments_note: str
    remarks: tuple[Remark, ...]
    comment: tuple[str, ...]
    definition: tuple[Fact, ...]


def read_part(run: Run, reading: Reading) -> ReaderPart:
    """The reader's part of the report of a run."""
    summary = summarise(run.results, reading)
    grade = summary.whole.reader_worst
    tagged = any(segment.segment for segment in summary.segments)
    listed = summary.segments if tagged or grade is not None else ()
    judgement = judge(run.results, reading, rule_of(run))
    parts = {part.segment: part for part in judgement.parts} if judgement else {}
    graded = {part.segment: part.ai_worst for part in summarise(stills(run).results, reading).segments}
    noun = inputs(run).noun if parts else "picture"
    derived = derived_part(summary, noun)
    return ReaderPart(
        headline="" if grade is None else f"Reader: highest MES {_named(grade)}, {_where(summary, NAMED)}",
        grade=grade,
        findings=_findings(summary, noun, derived),
        segments=tuple(_segment_row(one, graded.get(one.segment), parts.get(one.segment)) for one in listed),
        segments_note=_segments_note(parts, derived) if listed else "",
        remarks=_remarks(run, reading),
        comment=paragraphs(reading.comment),
        definition=() if reading == Reading() else (Fact("MES definition", _definition(reading)),),
    )


def without_rejected(run: Run, reading: Reading) -> Run:
    """The run as it counts: without the frames the reader rejected."""
    kept = tuple(result for result in run.results if not reading.of(result.key).rejected)
    return run if len(kept) == len(run.results) else replace(run, results=kept)


def printed_frames(run: Run, reading: Reading) -> Sequence[FrameResult]:
    """The frames to print large: the reader's key images in the order of the run, scored or not.

    Where the reader chose none, those that `key_frames` chooses among the frames the reader did not reject.
    """
    chosen = tuple(result for result in run.results if reading.of(result.key).key_image)
    return chosen or key_frames(without_rejected(run, reading), reading=reading)


def segment_name(said: FrameReading, short: bool = False) -> str:
    """The segment of a frame, empty where none was given; ``short`` leaves out the word "colon"."""
    name = said.segment.value if said.segment else ""
    return name.removesuffix(" colon") if short else name


def _named(grade: int) -> str:
    return f"{grade} ({grades.MES[grade].name})"


def _where(summary: Summary, limit: int = len(Segment)) -> str:
    """The segments in which the highest grade was read; their number where they are more than ``limit``."""
    worst = summary.whole.reader_worst
    names = [part.segment.value for part in summary.segments if part.segment and part.reader_worst == worst]
    return f"{len(names)} segments" if len(names) > limit else ", ".join(names) or UNTAGGED


def _findings(summary: Summary, noun: str, derived: DerivedPart) -> tuple[Fact, ...]:
    label, whole = "Reader MES (worst segment)", summary.whole
    if whole.reader_worst is None:
        return (Fact(label, UNREAD),)
    read = f"{whole.read} of {plural(whole.frames, noun)} read"
    lines = [Fact(label, f"{_named(whole.reader_worst)}, {_where(summary)}; {read}")]
    if both := summary.agreed + summary.differing:
        graded = f"{plural(both, noun)} graded by AI and reader"
        lines.append(Fact("Agreement", f"{graded}: {summary.agreed} agree, {summary.differing} differ"))
    return (*lines, *derived.findings)


def _segment_row(summed: SegmentSummary, graded: int | None, part: Part | None) -> SegmentRow:
    return SegmentRow(
        name=summed.segment.value if summed.segment else UNTAGGED,
        frames=summed.frames,
        scored=summed.scored,
        rejected=summed.rejected,
        read=summed.read,
        ai=graded,
        reader=summed.reader_worst,
        sustained=part.sustained.grade if part else None,
        p90=number(part.sustained.p90) if part else "",
    )


def _segments_note(parts: Mapping[Segment | None, Part], derived: DerivedPart) -> str:
    missing = [
        f"{segment.value if segment else UNTAGGED} ({part.sustained.reason})"
        for segment, part in parts.items()
        if part.sustained.grade is None
    ]
    sustained = [SUSTAINED, f"Not gradable: {'; '.join(missing)}." if missing else ""] if parts else []
    return " ".join(filter(None, [*derived.notes, *sustained, NOT_LISTED]))


def _overridden(result: FrameResult, said: FrameReading) -> bool:
    return None not in (said.grade, result.scores.grade) and said.grade != result.scores.grade


def _has_remark(result: FrameResult, said: FrameReading) -> bool:
    return _overridden(result, said) or bool(said.reason or said.comment.strip())


def _remarks(run: Run, reading: Reading) -> tuple[Remark, ...]:
    """One line for each frame; neighbours in a recording of which the reader says the same share one."""
    alone = inputs(run).alone
    groups: list[list[FrameResult]] = []
    before: tuple[object, ...] | None = None
    for result in run.results:
        said = reading.of(result.key)
        timed = result.pts_seconds is not None and not said.comment.strip()
        same = (result.source_file, said.grade, said.reason, said.rejected) if timed else None
        if not _has_remark(result, said):
            same = None
        elif same is not None and same == before:
            groups[-1].append(result)
        else:
            groups.append([result])
        before = same
    return tuple(_remark(group, reading.of(group[0].key), alone=alone) for group in groups)


def _remark(group: Sequence[FrameResult], said: FrameReading, *, alone: bool) -> Remark:
    first, last = group[0], group[-1]
    overridden = any(_overridden(result, said) for result in group)
    at, name = frame_time(first), frame_name(first, alone=alone)
    if len(group) > 1 and first.pts_seconds is not None and last.pts_seconds is not None:
        at = f"{stretch(first.pts_seconds, last.pts_seconds)}, {len(group)} frames"
        name = at if alone else f"{printable(first.source_file)}, {at}"
    return Remark(
        name=name,
        ai=_ai_grades(group),
        reader="rejected" if said.rejected else "" if said.grade is None else str(said.grade),
        reason=printable(said.reason) or ("no reason given" if overridden else ""),
        comment=paragraphs(said.comment),
        at=at,
    )


def _ai_grades(group: Sequence[FrameResult]) -> str:
    if len(group) == 1 and (close := close_call(group[0].scores)):
        return close
    found = sorted({result.scores.grade for result in group if result.scores.grade is not None})
    if not found:
        return "not scored"
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _definition(reading: Reading) -> str:
    return grades.DEFINITIONS.get(reading.definition) or printable(reading.definition)
