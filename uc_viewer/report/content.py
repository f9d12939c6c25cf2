"""What a report says: every text, number and picture of the page, and nothing of its layout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from uc_viewer.case import FrameKey, Reading, Run, Unreadable
from uc_viewer.report import origin
from uc_viewer.report.findings import GradeCount, counts, findings, headline
from uc_viewer.report.frame_rows import LEGEND, Row, listed_frames, row, unlisted_note
from uc_viewer.report.inputs import Inputs, damaged, incomplete, inputs, stills
from uc_viewer.report.key_pictures import KeyPicture, key_pictures, pictures_note
from uc_viewer.report.origin import Fact
from uc_viewer.report.reader_part import (
    MARK,
    Remark,
    SegmentRow,
    printed_frames,
    read_part,
    without_rejected,
)
from uc_viewer.report.recordings import RecordingsPart, each, recordings_part
from uc_viewer.report.selection import key_frames
from uc_viewer.report.wording import clock, moment, plural, printable

__all__ = [
    "Fact",
    "GradeCount",
    "KeyPicture",
    "ReportContent",
    "Row",
    "build",
    "key_frames",
    "printed_frames",
]

MAX_ROWS = 2000
"""Rows printed per table; what is beyond stays in frames.csv, and the report says so."""

DRAFT = "DRAFT"
"""Shown behind the text of every page until a reader has signed."""

STATEMENT = "An unsigned AI grade is never the conclusion; the reader's signed score is the result."

SIGNATURE = ("Reader MES (worst segment)", "MES definition used", "Reader", "Date", "Signature")
"""Blank lines of the signature block."""


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything the pages show, top to bottom. All texts are single printable lines.

    ``inputs`` says whether these are stills, recordings, or both. ``headline`` is the reader's once a frame
    was read; then ``mark`` says that it is a draft, and ``ai_line`` and ``ai_grade`` hold the model's, which
    else is the headline itself. ``details`` and ``indication`` are what was given of patient and examination.
    ``counts``, ``not_scored`` and ``rejected`` are those of stills; ``recordings`` holds its own.
    """

    title: str
    inputs: Inputs
    report_id: str
    app: str
    created: str
    """ISO-8601 time of the end of the run, for the document's metadata."""
    status: str
    notices: tuple[str, ...]
    """What every page must say besides the banner: synthetic, incomplete."""
    incomplete: str
    """``"INCOMPLETE 42 %"``, or empty for a complete run."""
    incomplete_detail: str
    identity: tuple[Fact, ...]
    details: tuple[Fact, ...]
    indication: tuple[Fact, ...]
    headline: str
    headline_grade: int | None
    mark: str
    ai_line: str
    ai_grade: int | None
    findings: tuple[Fact, ...]
    statement: str
    counts: tuple[GradeCount, ...]
    not_scored: int
    rejected: int
    """Stills the reader rejected; they are in none of the counts."""
    recordings: RecordingsPart
    segments: tuple[SegmentRow, ...]
    segments_note: str
    pictures: tuple[KeyPicture, ...]
    pictures_note: str
    comment: tuple[str, ...]
    remarks: tuple[Remark, ...]
    remarks_note: str
    rows: tuple[Row, ...]
    rows_note: str
    unreadable: tuple[Fact, ...]
    unreadable_note: str
    signature: tuple[str, ...]
    provenance: tuple[Fact, ...]
    limits: tuple[str, ...]


_NOTHING = Reading()


def build(
    run: Run,
    pictures: Mapping[FrameKey, np.ndarray],
    heatmaps: Mapping[FrameKey, np.ndarray] | None = None,
    *,
    reading: Reading = _NOTHING,
) -> ReportContent:
    """The content of the report of ``run`` with what the reader says of it.

    ``pictures`` holds what is printed large, RGB uint8 H x W x 3, by ``(source_file, index)``, usually the
    frames of `printed_frames`; a frame without a picture is not printed large. ``heatmaps`` holds overlays of
    the same form for a small twin.

    Raises ValueError for a picture of another type or shape, naming it.
    """
    kinds, chosen, found = inputs(run), stills(run), each(run, reading)
    mark, detail = incomplete(run)
    counted, reader = without_rejected(chosen, reading), read_part(run, reading)
    recorded = recordings_part(run, reading, found)
    ai_line, ai_grade, ai_findings = _ai_part(chosen, counted, kinds, recorded)
    large = printed_frames(run, reading)
    printed = key_pictures(run, reading, large, pictures, heatmaps or {})
    listed = listed_frames(run, reading, large, found)
    lost = _unreadable(run)
    read = reader.grade is not None
    return ReportContent(
        title=_title(kinds),
        inputs=kinds,
        report_id=_report_id(run, reading),
        app=origin.application(run.provenance),
        created=run.finished,
        status=f"{DRAFT}, not signed",
        notices=((_SYNTHETIC,) if run.case.synthetic else ()) + ((mark,) if mark else ()),
        incomplete=mark,
        incomplete_detail=detail,
        identity=_identity(run, counted, recorded),
        details=_details(run),
        indication=_given(("Indication", run.case.indication)),
        headline=reader.headline if read else ai_line,
        headline_grade=reader.grade if read else ai_grade,
        mark=MARK if read else "",
        ai_line=ai_line if read else "",
        ai_grade=ai_grade if read else None,
        findings=(*reader.findings, *ai_findings),
        statement=STATEMENT,
        counts=counts(counted),
        not_scored=sum(not r.scores.scored for r in counted.results),
        rejected=len(chosen.results) - len(counted.results),
        recordings=recorded,
        segments=reader.segments,
        segments_note=reader.segments_note,
        pictures=printed,
        pictures_note=pictures_note(run, printed),
        comment=reader.comment,
        remarks=reader.remarks[:MAX_ROWS],
        remarks_note=_beyond(len(reader.remarks), "overrides and remarks", "the viewer"),
        rows=tuple(row(r, reading.of(r.key)) for r in listed[:MAX_ROWS]),
        rows_note=_joined(unlisted_note(run, listed), LEGEND, _beyond(len(listed), "frames", "frames.csv")),
        unreadable=lost[:MAX_ROWS],
        unreadable_note=_beyond(len(lost), "files", "summary.json"),
        signature=SIGNATURE,
        provenance=(*origin.facts(run), *reader.definition),
        limits=origin.limits(run.provenance),
    )


_SYNTHETIC = "SYNTHETIC SAMPLE, not a patient"


def _title(kinds: Inputs) -> str:
    recordings = "a recording" if len(kinds.recordings) == 1 else "recordings" if kinds.recordings else ""
    what = " and ".join(filter(None, ("stills" if kinds.stills else "", recordings)))
    return f"Ulcerative colitis, endoscopic score of {what}"


def _ai_part(
    chosen: Run, counted: Run, kinds: Inputs, recorded: RecordingsPart
) -> tuple[str, int | None, tuple[Fact, ...]]:
    """The model's result line, the grade it names, and the lines under it; ``chosen`` are the stills."""
    line, grade = headline(counted)
    if any(r.scores.scored for r in chosen.results) and not any(r.scores.scored for r in counted.results):
        line, grade = "AI: the reader rejected every scored still", None
    if not kinds.recordings:
        return line, grade, findings(counted)
    if not kinds.stills:
        return recorded.headline, recorded.grade, recorded.findings
    # The worse one leads; of equals the one that lasts. Both are told below.
    told = (
        Fact("Recordings", recorded.headline.removeprefix("AI: ")),
        *recorded.findings,
        Fact("Stills", line.removeprefix("AI: ")),
        *(Fact(f"{fact.label}, stills", fact.value) for fact in findings(counted)),
    )
    if grade is not None and (recorded.grade is None or grade > recorded.grade):
        return line, grade, told
    return recorded.headline, recorded.grade, told


def _identity(run: Run, counted: Run, recorded: RecordingsPart) -> tuple[Fact, ...]:
    """Who, how many pictures, when; ``counted`` are the stills that count."""
    patient = printable(run.case.patient_name or run.case.patient_id, 80) or "not given"
    if run.case.synthetic:
        patient = _SYNTHETIC + (f" ({patient})" if run.case.patient_name or run.case.patient_id else "")
    return (
        Fact("Patient", patient),
        # A count stays with its noun where the line breaks.
        Fact(
            "Pictures",
            ", ".join(p.replace(" ", "\N{NO-BREAK SPACE}") for p in _found(run, counted, recorded)),
        ),
        Fact("Analysed", moment(run.finished)),
        Fact("Status", f"{DRAFT}, not signed"),
    )


def _found(run: Run, counted: Run, recorded: RecordingsPart) -> list[str]:
    kinds, broken = inputs(run), sum(map(len, damaged(run).values()))
    found = []
    if kinds.stills:
        scored = sum(r.scores.scored for r in counted.results)
        found.append(f"{plural(scored, 'still')} scored")
        if unscored := len(counted.results) - scored:
            found.append(f"{unscored} not scored")
        if rejected := sum(r.pts_seconds is None for r in run.results) - len(counted.results):
            found.append(f"{rejected} rejected by reader")
    if kinds.recordings:
        scored = sum(share.count for share in recorded.shares)
        sampled = scored + recorded.not_scored + recorded.rejected + broken
        found.append(f"{scored} of {plural(sampled, 'frame')} scored")
    if files := len(run.unreadable) - broken:
        found.append(f"{plural(files, 'file')} unreadable")
    return found


def _unreadable(run: Run) -> tuple[Fact, ...]:
    """What could not be opened: a line for each file, and one for all damaged frames of a recording."""
    lost = damaged(run)
    whole = [
        Fact(printable(u.source_file), printable(u.reason))
        for u in run.unreadable
        if u.source_file not in lost
    ]
    return (*whole, *(_damaged(name, frames) for name, frames in lost.items()))


def _damaged(name: str, frames: list[Unreadable]) -> Fact:
    times = [frame.pts_seconds for frame in frames if frame.pts_seconds is not None]
    when = ""
    if times:
        when = (
            f" at {clock(min(times))}" if len(times) == 1 else f", {clock(min(times))} to {clock(max(times))}"
        )
    first = printable(frames[0].reason)
    return Fact(printable(name), f"{plural(len(frames), 'frame')}{when}: {first}")


def _details(run: Run) -> tuple[Fact, ...]:
    case = run.case
    return _given(
        ("Patient ID", case.patient_id if case.patient_name else ""),
        ("Birth date", case.birth_date),
        ("Examined", case.exam_date),
        ("Endoscopist", case.endoscopist),
    )


def _given(*fields: tuple[str, str]) -> tuple[Fact, ...]:
    """What was given of these fields, fit to print."""
    return tuple(Fact(label, text) for label, value in fields if (text := printable(value)))


def _joined(*notes: str) -> str:
    return " ".join(filter(None, notes))


def _beyond(count: int, what: str, where: str) -> str:
    extra = count - MAX_ROWS
    return f"{extra} further {what} are listed in {where}." if extra > 0 else ""


def _report_id(run: Run, reading: Reading) -> str:
    """Name of this report, from its inputs, model, time and the reader; shows nothing of the patient."""
    answers = [f"{r.source_sha256} {r.source_file} {r.index} {r.scores.probabilities}" for r in run.results]
    parts = [run.started, run.finished, origin.weights_sha256(run.provenance), *answers]
    if rule := origin.find(run.provenance, "sustained_rule"):
        parts.append(repr(rule))
    if reading != Reading():
        parts += [repr(reading.of(r.key)) for r in run.results] + [reading.comment, reading.definition]
    return "UCV-" + hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:10].upper()
