"""What a report says: every text, number and picture of the page, and nothing of its layout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtl_core.scores import CLOSE_CALL
from uc_viewer.case import FrameKey, FrameReading, FrameResult, Reading, Run
from uc_viewer.report import origin
from uc_viewer.report.findings import (
    GradeCount,
    close_call,
    counts,
    findings,
    frame_name,
    headline,
    worst_frame,
)
from uc_viewer.report.origin import Fact
from uc_viewer.report.reader_part import (
    MARK,
    Remark,
    SegmentRow,
    printed_frames,
    read_part,
    segment_name,
    without_rejected,
)
from uc_viewer.report.selection import key_frames
from uc_viewer.report.wording import moment, number, plural, printable

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

TITLE = "Ulcerative colitis, endoscopic score of stills"

DRAFT = "DRAFT"
"""Shown behind the text of every page until a reader has signed."""

STATEMENT = "An unsigned AI grade is never the conclusion; the reader's signed score is the result."

LEGEND = (
    "p0 to p3: probabilities of MES 0 to 3. P(active): that of MES 2 or 3. Active?: P(active) held against "
    "the conservative threshold. Continuous: expected grade, 0 to 3. Two grades beside a badge: close call, "
    f"their probabilities differ by less than {CLOSE_CALL}. Grades are calibrated out of fold on MES 1 to 3, "
    "every grade weighing the same; MES 0 is a surrogate: its probability is not calibrated on patients with "
    "ulcerative colitis."
)
"""Under the table of frames."""

SIGNATURE = ("Reader MES (worst segment)", "MES definition used", "Reader", "Date", "Signature")
"""Blank lines of the signature block."""


@dataclass(frozen=True, eq=False)
class KeyPicture:
    """One printed still. ``picture`` and ``heatmap`` (an overlay, or None) are RGB uint8 H x W x 3.

    ``grade`` is the one its badge shows: the reader's where there is one, else the model's; None where there
    is neither and where the reader rejected the frame. ``segment`` is the reader's, maybe empty.
    """

    name: str
    verdict: str
    grade: int | None
    picture: np.ndarray
    heatmap: np.ndarray | None = None
    segment: str = ""

    @property
    def caption(self) -> str:
        """For example ``"c/01.jpg, AI 2 (0.71), active 0.93"``."""
        return ", ".join(filter(None, (self.segment, self.name, self.verdict)))


@dataclass(frozen=True)
class Row:
    """One line of the table of frames, as printed.

    ``close_call`` is ``"1–2"`` where the two best grades lie close together, else empty. A frame that was not
    scored has ``grade`` None, empty number texts and a ``reason``; one the reader rejected has no
    numbers and no ``reason`` but says so in ``rejected``. ``reader`` and ``segment`` are the reader's.
    """

    name: str
    grade: int | None = None
    close_call: str = ""
    probabilities: tuple[str, ...] = ()
    p_active: str = ""
    active: str = ""
    continuous: str = ""
    reason: str = ""
    rejected: str = ""
    reader: int | None = None
    segment: str = ""


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything the pages show, top to bottom. All texts are single printable lines.

    ``headline`` is the reader's once a frame was read; then ``mark`` says that it is a draft, and ``ai_line``
    and ``ai_grade`` hold the model's, which else is the headline itself. ``details`` and ``indication`` are
    what was given of patient and examination.
    """

    title: str
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
    """Frames the reader rejected; they are in none of the counts."""
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

    ``pictures`` holds the stills to print, RGB uint8 H x W x 3, by ``(source_file, index)``, usually those of
    `printed_frames`; a frame without a picture is not printed large. ``heatmaps`` holds overlays of the same
    form for a small twin.

    Raises ValueError for a picture of another type or shape, naming it.
    """
    incomplete, detail = _incomplete(run)
    counted, reader = without_rejected(run, reading), read_part(run, reading)
    ai_line, ai_grade = _ai_headline(run, counted)
    notices = ((_SYNTHETIC,) if run.case.synthetic else ()) + ((incomplete,) if incomplete else ())
    shown = _with_pictures(run, counted, pictures, reading)
    printed = tuple(_key_picture(r, pictures, heatmaps or {}, reading.of(r.key)) for r in shown)
    read = reader.grade is not None
    return ReportContent(
        title=TITLE,
        report_id=_report_id(run, reading),
        app=origin.application(run.provenance),
        created=run.finished,
        status=f"{DRAFT}, not signed",
        notices=notices,
        incomplete=incomplete,
        incomplete_detail=detail,
        identity=_identity(run, counted),
        details=_details(run),
        indication=_given(("Indication", run.case.indication)),
        headline=reader.headline if read else ai_line,
        headline_grade=reader.grade if read else ai_grade,
        mark=MARK if read else "",
        ai_line=ai_line if read else "",
        ai_grade=ai_grade if read else None,
        findings=(*reader.findings, *findings(counted)),
        statement=STATEMENT,
        counts=counts(counted),
        not_scored=sum(not r.scores.scored for r in counted.results),
        rejected=len(run.results) - len(counted.results),
        segments=reader.segments,
        segments_note=reader.segments_note,
        pictures=printed,
        pictures_note=_pictures_note(run, printed, any(reading.of(r.key).grade is not None for r in shown)),
        comment=reader.comment,
        remarks=reader.remarks[:MAX_ROWS],
        remarks_note=_beyond(len(reader.remarks), "overrides and remarks", "the viewer"),
        rows=tuple(_row(result, reading.of(result.key)) for result in run.results[:MAX_ROWS]),
        rows_note=" ".join(filter(None, (LEGEND, _beyond(len(run.results), "frames", "frames.csv")))),
        unreadable=tuple(
            Fact(printable(u.source_file), printable(u.reason)) for u in run.unreadable[:MAX_ROWS]
        ),
        unreadable_note=_beyond(len(run.unreadable), "files", "summary.json"),
        signature=SIGNATURE,
        provenance=(*origin.facts(run), *reader.definition),
        limits=origin.limits(run.provenance),
    )


_SYNTHETIC = "SYNTHETIC SAMPLE, not a patient"


def _incomplete(run: Run) -> tuple[str, str]:
    """The mark of a partial run and its explanation; two empty texts for a complete one."""
    if run.complete:
        return "", ""
    read = len({r.source_file for r in run.results} | {u.source_file for u in run.unreadable})
    if run.expected <= 0:
        return "INCOMPLETE", "The run was stopped before all files were listed."
    if read >= run.expected:
        return "INCOMPLETE", "Every file was looked at; the run ended before all heatmaps were drawn."
    return (
        f"INCOMPLETE {100 * read // run.expected} %",
        f"The run was stopped after {read} of {plural(run.expected, 'file')}; the others were not looked at.",
    )


def _ai_headline(run: Run, counted: Run) -> tuple[str, int | None]:
    """The model's result line over the frames that count, and the grade it names."""
    if any(r.scores.scored for r in run.results) and not any(r.scores.scored for r in counted.results):
        return "AI: the reader rejected every scored still", None
    return headline(counted)


def _identity(run: Run, counted: Run) -> tuple[Fact, ...]:
    patient = printable(run.case.patient_name or run.case.patient_id, 80) or "not given"
    if run.case.synthetic:
        patient = _SYNTHETIC + (f" ({patient})" if run.case.patient_name or run.case.patient_id else "")
    scored = sum(r.scores.scored for r in counted.results)
    found = [f"{plural(scored, 'still')} scored"]
    if unscored := len(counted.results) - scored:
        found.append(f"{unscored} not scored")
    if rejected := len(run.results) - len(counted.results):
        found.append(f"{rejected} rejected by reader")
    if run.unreadable:
        found.append(f"{plural(len(run.unreadable), 'file')} unreadable")
    return (
        Fact("Patient", patient),
        # A count stays with its noun where the line breaks.
        Fact("Pictures", ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in found)),
        Fact("Analysed", moment(run.finished)),
        Fact("Status", f"{DRAFT}, not signed"),
    )


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


def _with_pictures(
    run: Run, counted: Run, pictures: Mapping[FrameKey, np.ndarray], reading: Reading
) -> tuple[FrameResult, ...]:
    """The frames that have a picture: the reader's choice as chosen, else scored ones, most severe first."""
    if any(reading.of(result.key).key_image for result in run.results):
        return tuple(result for result in printed_frames(run, reading) if result.key in pictures)
    shown = [r for r in counted.results if r.scores.scored and r.key in pictures]
    worst = worst_frame(counted)
    # The frame of the result line leads.
    return tuple(sorted(shown, key=lambda r: (r is not worst, -(r.scores.continuous or 0.0))))


def _key_picture(
    result: FrameResult,
    pictures: Mapping[FrameKey, np.ndarray],
    heatmaps: Mapping[FrameKey, np.ndarray],
    said: FrameReading,
) -> KeyPicture:
    key = result.key
    grade = result.scores.grade if said.grade is None else said.grade
    return KeyPicture(
        name=frame_name(result),
        verdict=_verdict(result, said),
        grade=None if said.rejected else grade,
        picture=_checked(pictures[key], f"picture of {result.source_file}"),
        heatmap=_checked(heatmaps[key], f"heatmap of {result.source_file}") if key in heatmaps else None,
        segment=segment_name(said),
    )


def _verdict(result: FrameResult, said: FrameReading) -> str:
    """``"AI 2 (0.71), reader 2"``; without a word of the reader ``"AI 2 (0.71), active 0.93"``."""
    scores = _ai_verdict(result)
    if said.rejected:
        return f"{scores}, rejected by reader"
    if said.grade is not None:
        return f"{scores}, reader {said.grade}"
    return f"{scores}, active {number(result.scores.p_active)}" if result.scores.scored else scores


def _ai_verdict(result: FrameResult) -> str:
    scores = result.scores
    if scores.grade is None or scores.probabilities is None:
        return "not scored"
    if close := close_call(scores):
        return f"AI {close}, close call"
    return f"AI {scores.grade} ({number(scores.probabilities[scores.grade])})"


def _checked(picture: np.ndarray, name: str) -> np.ndarray:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ValueError(f"{name}: RGB uint8 H x W x 3 expected, not {picture.dtype} {picture.shape}")
    return picture


def _pictures_note(run: Run, printed: tuple[KeyPicture, ...], read: bool) -> str:
    """What must be said under the pictures."""
    notes = []
    if run.case.synthetic:
        notes.append("These pictures were drawn by a program; they show no patient.")
    if read:
        notes.append("Badge: the reader's grade where there is one, else that of the AI.")
    if any(p.heatmap is not None for p in printed):
        notes.append(
            "Small twin: heatmap of where the model found evidence for its answer; no outline of disease."
        )
    return " ".join(notes)


def _row(result: FrameResult, said: FrameReading) -> Row:
    scores, name, segment = result.scores, frame_name(result), segment_name(said, short=True)
    if said.rejected:
        return Row(name=name, rejected=f"rejected by reader; {_ai_verdict(result)}", segment=segment)
    if scores.probabilities is None:
        return Row(name=name, reason=printable(scores.reject_reason), reader=said.grade, segment=segment)
    return Row(
        name=name,
        grade=scores.grade,
        close_call=close_call(scores),
        probabilities=tuple(number(p) for p in scores.probabilities),
        p_active=number(scores.p_active),
        active="yes" if scores.active else "no",
        continuous=number(scores.continuous),
        reader=said.grade,
        segment=segment,
    )


def _beyond(count: int, what: str, where: str) -> str:
    extra = count - MAX_ROWS
    return f"{extra} further {what} are listed in {where}." if extra > 0 else ""


def _report_id(run: Run, reading: Reading) -> str:
    """Name of this report, from its inputs, model, time and the reader; shows nothing of the patient."""
    inputs = [f"{r.source_sha256} {r.source_file} {r.index} {r.scores.probabilities}" for r in run.results]
    parts = [run.started, run.finished, origin.weights_sha256(run.provenance), *inputs]
    if reading != Reading():
        parts += [repr(reading.of(r.key)) for r in run.results] + [reading.comment, reading.definition]
    return "UCV-" + hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:10].upper()
