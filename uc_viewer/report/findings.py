"""What the model says of the stills of a run: the result line, what supports it, what to look at again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mtl_core.scores import CLOSE_CALL, FrameScores
from mtl_core.spec import ACTIVE as COARSE
from uc_viewer import grades
from uc_viewer.case import FrameResult, Run
from uc_viewer.report import origin
from uc_viewer.report.origin import Fact
from uc_viewer.report.selection import severity
from uc_viewer.report.wording import clock, number, plural, printable


@dataclass(frozen=True)
class GradeCount:
    """How many scored frames got a grade; an absolute number, never a share."""

    grade: int
    count: int


def worst_frame(run: Run) -> FrameResult | None:
    """The scored frame behind the result line: highest grade, and of those the surest."""
    scored = [r for r in run.results if r.scores.scored]
    return max(scored, key=severity, default=None)


def headline(run: Run) -> tuple[str, int | None]:
    """The result line and the grade it names."""
    worst = worst_frame(run)
    if worst is None or worst.scores.grade is None or worst.scores.probabilities is None:
        return "AI: no still could be scored", None
    grade = worst.scores.grade
    if close := close_call(worst.scores):
        return f"AI: highest MES among the scored stills: {close}, close call", grade
    name, probability = grades.MES[grade].name, worst.scores.probabilities[grade]
    return (
        f"AI: highest MES among the scored stills: {grade} ({name}), probability {number(probability)}",
        grade,
    )


def close_call(scores: FrameScores) -> str:
    """``"1–2"`` (or ``"0 or 2"`` for grades apart) when the two best grades are close; else empty."""
    if scores.close_call is None:
        return ""
    low, high = scores.close_call
    return f"{low}–{high}" if high - low == 1 else f"{low} or {high}"


def findings(run: Run) -> tuple[Fact, ...]:
    """The model's lines under the result line; none where nothing was scored."""
    worst = worst_frame(run)
    if worst is None:
        return ()
    lines = []
    if (best := worst.scores.probabilities) is not None and close_call(worst.scores):
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
            f"{frame_name(peak)}: P(active) {number(peak.scores.p_active)} passes the conservative "
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
    return f"{frame_name(result)} comes close to MES {grade} ({number(probability)})."


def counts(run: Run) -> tuple[GradeCount, ...]:
    """How many frames got each grade, in order."""
    seen = Counter(r.scores.grade for r in run.results)
    return tuple(GradeCount(grade.value, seen[grade.value]) for grade in grades.MES)


def frame_name(result: FrameResult, *, alone: bool = False) -> str:
    """The file, and the frame within it where the file has more than one.

    ``alone``: the run holds this recording only, so the time says it all.
    """
    name = printable(result.source_file)
    if time := frame_time(result):
        return time if alone else f"{name}, {time}"
    return f"{name}, frame {result.index}" if result.index > 0 else name


def frame_time(result: FrameResult) -> str:
    """The time of a frame within its recording; empty for a still."""
    return "" if result.pts_seconds is None else clock(result.pts_seconds)
