"""What the reader says of a run, as the texts of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from uc_viewer import grades
from uc_viewer.case import FrameReading, FrameResult, Reading, Run, Segment
from uc_viewer.indices import SegmentSummary, Summary, summarise
from uc_viewer.report.findings import close_call, frame_name, is_recording
from uc_viewer.report.origin import Fact
from uc_viewer.report.selection import key_frames
from uc_viewer.report.wording import paragraphs, plural, printable

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

NO_SUSTAINED = "No AI grade per segment: recordings are judged by sustained grades only."


@dataclass(frozen=True)
class SegmentRow:
    """One line of the table of segments; a grade is None where no frame has one."""

    name: str
    frames: int
    scored: int
    rejected: int
    read: int
    ai: int | None
    reader: int | None


@dataclass(frozen=True)
class Remark:
    """What the reader says of one frame beyond a grade. ``comment`` holds printable lines, maybe none."""

    name: str
    ai: str
    reader: str
    reason: str
    comment: tuple[str, ...]


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
    recording = is_recording(run)
    tagged = any(segment.segment for segment in summary.segments)
    listed = summary.segments if tagged or grade is not None else ()
    note = " ".join([NOT_LISTED, *([NO_SUSTAINED] if recording else [])])
    return ReaderPart(
        headline="" if grade is None else f"Reader: highest MES {_named(grade)}, {_where(summary, NAMED)}",
        grade=grade,
        findings=_findings(summary),
        segments=tuple(_segment_row(segment, recording) for segment in listed),
        segments_note=note if listed else "",
        remarks=tuple(
            _remark(result, said)
            for result in run.results
            if _has_remark(result, said := reading.of(result.key))
        ),
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
    return chosen or key_frames(without_rejected(run, reading))


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


def _findings(summary: Summary) -> tuple[Fact, ...]:
    label, whole = "Reader MES (worst segment)", summary.whole
    if whole.reader_worst is None:
        return (Fact(label, UNREAD),)
    read = f"{whole.read} of {plural(whole.frames, 'picture')} read"
    lines = [Fact(label, f"{_named(whole.reader_worst)}, {_where(summary)}; {read}")]
    if both := summary.agreed + summary.differing:
        graded = f"{plural(both, 'picture')} graded by AI and reader"
        lines.append(Fact("Agreement", f"{graded}: {summary.agreed} agree, {summary.differing} differ"))
    return tuple(lines)


def _segment_row(part: SegmentSummary, recording: bool) -> SegmentRow:
    return SegmentRow(
        name=part.segment.value if part.segment else UNTAGGED,
        frames=part.frames,
        scored=part.scored,
        rejected=part.rejected,
        read=part.read,
        ai=None if recording else part.ai_worst,
        reader=part.reader_worst,
    )


def _overridden(result: FrameResult, said: FrameReading) -> bool:
    return None not in (said.grade, result.scores.grade) and said.grade != result.scores.grade


def _has_remark(result: FrameResult, said: FrameReading) -> bool:
    return _overridden(result, said) or bool(said.reason or said.comment.strip())


def _remark(result: FrameResult, said: FrameReading) -> Remark:
    grade = result.scores.grade
    missing = "no reason given" if _overridden(result, said) else ""
    return Remark(
        name=frame_name(result),
        ai=close_call(result.scores) or ("not scored" if grade is None else str(grade)),
        reader="rejected" if said.rejected else "" if said.grade is None else str(said.grade),
        reason=printable(said.reason) or missing,
        comment=paragraphs(said.comment),
    )


def _definition(reading: Reading) -> str:
    return grades.DEFINITIONS.get(reading.definition) or printable(reading.definition)
