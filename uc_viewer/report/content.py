"""What a report says: every text, number and picture of the page, and nothing of its layout."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mtl_core.scores import FrameScores
from mtl_core.spec import ACTIVE as COARSE
from uc_viewer import grades
from uc_viewer.case import FrameResult, Run
from uc_viewer.report import origin
from uc_viewer.report.origin import Fact
from uc_viewer.report.selection import key_frames, severity
from uc_viewer.report.wording import clock, moment, number, plural, printable

__all__ = ["Fact", "GradeCount", "KeyPicture", "ReportContent", "Row", "build", "key_frames"]

CLOSE_CALL = 0.15
"""Two best grades whose probabilities differ by less than this are printed together, as "1–2"."""

MAX_ROWS = 2000
"""Rows printed per table; what is beyond stays in frames.csv, and the report says so."""

TITLE = "Ulcerative colitis, endoscopic score of stills"

DRAFT = "DRAFT"
"""Shown behind the text of every page until a reader has signed."""

STATEMENT = "An unsigned AI grade is never the conclusion; the reader's signed score is the result."

UNREAD = "not yet read"

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


@dataclass(frozen=True)
class GradeCount:
    """How many scored frames got a grade; an absolute number, never a share."""

    grade: int
    count: int


@dataclass(frozen=True, eq=False)
class KeyPicture:
    """One printed still. ``picture`` and ``heatmap`` (an overlay, or None) are RGB uint8 H x W x 3."""

    name: str
    verdict: str
    grade: int
    picture: np.ndarray
    heatmap: np.ndarray | None = None

    @property
    def caption(self) -> str:
        """For example ``"c/01.jpg, AI 2 (0.71), active 0.93"``."""
        return f"{self.name}, {self.verdict}"


@dataclass(frozen=True)
class Row:
    """One line of the table of frames, as printed.

    ``close_call`` is ``"1–2"`` where the two best grades lie close together, else empty. A frame that was not
    scored has ``grade`` None, empty number texts and a ``reason``.
    """

    name: str
    grade: int | None = None
    close_call: str = ""
    probabilities: tuple[str, ...] = ()
    p_active: str = ""
    active: str = ""
    continuous: str = ""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything the pages show, top to bottom. All texts are single printable lines."""

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
    headline: str
    headline_grade: int | None
    findings: tuple[Fact, ...]
    statement: str
    counts: tuple[GradeCount, ...]
    not_scored: int
    pictures: tuple[KeyPicture, ...]
    pictures_note: str
    rows: tuple[Row, ...]
    rows_note: str
    unreadable: tuple[Fact, ...]
    unreadable_note: str
    signature: tuple[str, ...]
    provenance: tuple[Fact, ...]
    limits: tuple[str, ...]


def build(
    run: Run,
    pictures: Mapping[tuple[str, int], np.ndarray],
    heatmaps: Mapping[tuple[str, int], np.ndarray] | None = None,
) -> ReportContent:
    """The content of the report of ``run``.

    ``pictures`` holds the stills to print, RGB uint8 H x W x 3, by ``(source_file, index)``, usually those of
    `key_frames`; a frame without a picture is not printed large. ``heatmaps`` holds overlays of the same
    form for a small twin.

    Raises ValueError for a picture of another type or shape, naming it.
    """
    incomplete, detail = _incomplete(run)
    headline, grade = _headline(run)
    notices = ((_SYNTHETIC,) if run.case.synthetic else ()) + ((incomplete,) if incomplete else ())
    printed = tuple(_key_picture(r, pictures, heatmaps or {}) for r in _with_pictures(run, pictures))
    return ReportContent(
        title=TITLE,
        report_id=_report_id(run),
        app=origin.application(run.provenance),
        created=run.finished,
        status=f"{DRAFT}, not signed",
        notices=notices,
        incomplete=incomplete,
        incomplete_detail=detail,
        identity=_identity(run),
        headline=headline,
        headline_grade=grade,
        findings=_findings(run),
        statement=STATEMENT,
        counts=_counts(run),
        not_scored=sum(not r.scores.scored for r in run.results),
        pictures=printed,
        pictures_note=_pictures_note(run, printed),
        rows=tuple(_row(result) for result in run.results[:MAX_ROWS]),
        rows_note=" ".join(filter(None, (LEGEND, _beyond(len(run.results), "frames", "frames.csv")))),
        unreadable=tuple(
            Fact(printable(u.source_file), printable(u.reason)) for u in run.unreadable[:MAX_ROWS]
        ),
        unreadable_note=_beyond(len(run.unreadable), "files", "summary.json"),
        signature=SIGNATURE,
        provenance=origin.facts(run),
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


def _identity(run: Run) -> tuple[Fact, ...]:
    patient = printable(run.case.patient_id, 80) or "not given"
    if run.case.synthetic:
        patient = _SYNTHETIC + (f" ({patient})" if run.case.patient_id else "")
    scored = sum(r.scores.scored for r in run.results)
    found = [f"{plural(scored, 'still')} scored"]
    if rejected := len(run.results) - scored:
        found.append(f"{rejected} not scored")
    if run.unreadable:
        found.append(f"{plural(len(run.unreadable), 'file')} unreadable")
    return (
        Fact("Patient", patient),
        # A count stays with its noun where the line breaks.
        Fact("Pictures", ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in found)),
        Fact("Analysed", moment(run.finished)),
        Fact("Status", f"{DRAFT}, not signed"),
    )


def _worst(run: Run) -> FrameResult | None:
    """The scored frame behind the result line: highest grade, and of those the surest."""
    scored = [r for r in run.results if r.scores.scored]
    return max(scored, key=severity, default=None)


def _is_recording(run: Run) -> bool:
    return any(r.pts_seconds is not None for r in run.results)


def _headline(run: Run) -> tuple[str, int | None]:
    """The result line and the grade it names."""
    worst = _worst(run)
    if worst is None or worst.scores.grade is None or worst.scores.probabilities is None:
        return "AI: no still could be scored", None
    if _is_recording(run):
        # A raw maximum over the frames of a recording is mostly error: with a thousand frames a false
        # MES 3 is as likely as not. A sustained grade needs a rule that this report does not have.
        return "AI: no overall grade, since recordings are judged by sustained grades only", None
    grade = worst.scores.grade
    if close := _close_call(worst.scores):
        return f"AI: highest MES among the scored stills: {close}, close call", grade
    name, probability = grades.MES[grade].name, worst.scores.probabilities[grade]
    return (
        f"AI: highest MES among the scored stills: {grade} ({name}), probability {number(probability)}",
        grade,
    )


def _close_call(scores: FrameScores) -> str:
    """``"1–2"`` (or ``"0 or 2"`` for grades apart) when the two best grades are close; else empty."""
    if scores.probabilities is None:
        return ""
    p = scores.probabilities
    best, second = sorted(range(len(p)), key=lambda k: (-p[k], -k))[:2]
    if p[best] - p[second] >= CLOSE_CALL:
        return ""
    low, high = sorted((best, second))
    return f"{low}–{high}" if high - low == 1 else f"{low} or {high}"


def _findings(run: Run) -> tuple[Fact, ...]:
    """The lines under the result line."""
    reader = Fact("Reader MES (worst segment)", UNREAD)
    worst = _worst(run)
    if worst is None:
        return (reader,)
    lines = [reader]
    if (
        (best := worst.scores.probabilities) is not None
        and _close_call(worst.scores)
        and not _is_recording(run)
    ):
        pair = sorted(sorted(range(len(best)), key=lambda k: (-best[k], -k))[:2], reverse=True)
        each = ", ".join(f"MES {k} ({grades.MES[k].name}) {number(best[k])}" for k in pair)
        lines.append(Fact("Probabilities", each))
    lines += [Fact("Coarse answer", _coarse(run)), Fact("Continuous score", _continuous_range(run))]
    if remark := _disagreement(run, worst):
        lines.append(Fact("Look again", remark))
    return tuple(lines)


def _coarse(run: Run) -> str:
    scored = [r for r in run.results if r.scores.p_active is not None]
    peak = max(scored, key=lambda r: r.scores.p_active or 0.0)
    answer = grades.ACTIVE if any(r.scores.active for r in scored) else grades.NOT_ACTIVE
    threshold = origin.active_threshold(run.provenance)
    return f"{answer}; highest P(active) {number(peak.scores.p_active)}" + (
        f", conservative threshold {threshold}" if threshold else ", by the conservative threshold"
    )


def _continuous_range(run: Run) -> str:
    values = [r.scores.continuous for r in run.results if r.scores.continuous is not None]
    if len(values) == 1:
        return f"{number(values[0])} of 3"
    return f"{number(min(values))} to {number(max(values))} of 3, over {plural(len(values), 'scored still')}"


def _disagreement(run: Run, worst: FrameResult) -> str:
    """What a reader should look at again: answers that contradict each other, close calls upwards."""
    top = worst.scores.grade or 0
    active = [r for r in run.results if r.scores.active]
    if active and top < COARSE.cut:
        peak = max(active, key=lambda r: r.scores.p_active or 0.0)
        return (
            f"{_frame_name(peak)}: P(active) {number(peak.scores.p_active)} passes the conservative "
            f"threshold although the most probable grade is below {COARSE.cut}."
        )
    if top >= COARSE.cut and not active:
        return f"the most probable grade is {top}, yet P(active) stays below the conservative threshold."
    close = [
        (p[grade], grade, result)
        for result in run.results
        if result is not worst and (p := result.scores.probabilities)
        for grade in range(top + 1, len(p))
        if max(p) - p[grade] < CLOSE_CALL
    ]
    if not close:
        return ""
    probability, grade, result = max(close, key=lambda found: found[:2])
    return f"{_frame_name(result)} comes close to MES {grade} ({number(probability)})."


def _counts(run: Run) -> tuple[GradeCount, ...]:
    seen = Counter(r.scores.grade for r in run.results)
    return tuple(GradeCount(grade.value, seen[grade.value]) for grade in grades.MES)


def _with_pictures(run: Run, pictures: Mapping[tuple[str, int], np.ndarray]) -> Sequence[FrameResult]:
    """The scored frames that have a picture, most severe first; the frame of the result line leads."""
    shown = [r for r in run.results if r.scores.scored and (r.source_file, r.index) in pictures]
    worst = _worst(run)
    return sorted(shown, key=lambda r: (r is not worst, -(r.scores.continuous or 0.0)))


def _key_picture(
    result: FrameResult,
    pictures: Mapping[tuple[str, int], np.ndarray],
    heatmaps: Mapping[tuple[str, int], np.ndarray],
) -> KeyPicture:
    key = (result.source_file, result.index)
    scores = result.scores
    if scores.grade is None or scores.probabilities is None:
        raise ValueError(f"{result.source_file}: not scored, so it is no key picture")
    close = _close_call(scores)
    probability = number(scores.probabilities[scores.grade])
    verdict = f"AI {close}, close call" if close else f"AI {scores.grade} ({probability})"
    return KeyPicture(
        name=_frame_name(result),
        verdict=f"{verdict}, active {number(scores.p_active)}",
        grade=scores.grade,
        picture=_checked(pictures[key], f"picture of {result.source_file}"),
        heatmap=_checked(heatmaps[key], f"heatmap of {result.source_file}") if key in heatmaps else None,
    )


def _checked(picture: np.ndarray, name: str) -> np.ndarray:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ValueError(f"{name}: RGB uint8 H x W x 3 expected, not {picture.dtype} {picture.shape}")
    return picture


def _pictures_note(run: Run, printed: Sequence[KeyPicture]) -> str:
    """What must be said under the pictures."""
    notes = []
    if run.case.synthetic:
        notes.append("These pictures were drawn by a program; they show no patient.")
    if any(p.heatmap is not None for p in printed):
        notes.append(
            "Small twin: heatmap of where the model found evidence for its answer; no outline of disease."
        )
    return " ".join(notes)


def _row(result: FrameResult) -> Row:
    scores, name = result.scores, _frame_name(result)
    if scores.probabilities is None:
        return Row(name=name, reason=printable(scores.reject_reason))
    return Row(
        name=name,
        grade=scores.grade,
        close_call=_close_call(scores),
        probabilities=tuple(number(p) for p in scores.probabilities),
        p_active=number(scores.p_active),
        active="yes" if scores.active else "no",
        continuous=number(scores.continuous),
    )


def _frame_name(result: FrameResult) -> str:
    """The file, and the frame within it where the file has more than one."""
    name = printable(result.source_file)
    if result.pts_seconds is not None:
        return f"{name}, {clock(result.pts_seconds)}"
    return f"{name}, frame {result.index}" if result.index > 0 else name


def _beyond(count: int, what: str, where: str) -> str:
    extra = count - MAX_ROWS
    return f"{extra} further {what} are listed in {where}." if extra > 0 else ""


def _report_id(run: Run) -> str:
    """Name of this report, from its inputs, model and time; holds nothing of the patient."""
    inputs = [f"{r.source_sha256} {r.source_file} {r.index} {r.scores.probabilities}" for r in run.results]
    parts = [run.started, run.finished, origin.weights_sha256(run.provenance), *inputs]
    return "UCV-" + hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:10].upper()
