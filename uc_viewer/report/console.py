"""What a run says on a terminal when it has ended: its result in a few lines, and what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from mtl_core.spec import GRADES
from uc_viewer import grades
from uc_viewer.case import FrameResult, Run
from uc_viewer.indices import NOTHING_READ, Judgement, judge
from uc_viewer.report.inputs import damaged
from uc_viewer.report.recordings import each, named, rule_of
from uc_viewer.report.wording import plural, printable, some_percent, stretch

SHOWN = 100
"""Most lines about single files; frames.csv has them all."""

NAMED = 20
"""Most recordings whose grade is told one by one."""


def summary(run: Run) -> list[str]:
    """The result, a line for each of its parts. Of recordings what lasts, and no single frame's grade."""
    model, device = run.provenance["model"], run.provenance["device"]
    scored = [result for result in run.results if result.scores.scored]
    lines = ["SYNTHETIC SAMPLE, not a patient: these pictures were drawn by a program"] * run.case.synthetic
    lines += [
        f"{_inputs(run)}: {len(scored)} scored, {len(run.results) - len(scored)} not scored, "
        f"{len(run.unreadable)} unreadable",
        f"Model {model['name']} ({model['backbone']}) on {device['name']}: {device['reason']}",
        *_lasting(run),
    ]
    if stills := [result for result in scored if result.pts_seconds is None]:
        lines.append(f"AI grades, evidence and not a reading: {_grades(stills)}")
        top = max(stills, key=lambda result: result.scores.p_active or 0.0)
        lines.append(
            f"{_threshold(stills)}; "
            f"highest P(active) {top.scores.p_active or 0.0:.2f} ({printable(top.source_file)})"
        )
    if frames := [result for result in scored if result.pts_seconds is not None]:
        lines.append(f"AI grades of single frames, no result by themselves: {_grades(frames)}")
        lines.append(_threshold(frames))
    reasons = Counter(r.scores.reject_reason for r in run.results if not r.scores.scored)
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return lines + [f"Not scored: {count} x {printable(reason)}" for reason, count in ordered]


def complaints(run: Run) -> list[str]:
    """What could not be read or ended early, a line for each file, and one for many frames of a file."""
    lost = damaged(run)
    single = [item for item in run.unreadable if item.source_file not in lost]
    lines = [f"{item.source_file}: {item.reason}" for item in single]
    for name, items in lost.items():
        first, last = items[0], items[-1]
        where = f"at {_at(first.pts_seconds, first.index)}"
        if len(items) > 1:
            where = f"from {_at(first.pts_seconds, first.index)} to {_at(last.pts_seconds, last.index)}"
        reasons = Counter(item.reason for item in items)
        told = f"{plural(len(items), 'frame')} {where}"
        lines.append(f"{name}: {told}: {reasons.most_common(1)[0][0]}")
    for facts in run.recordings:
        if facts.share != 1:
            stated = "" if facts.share is None else some_percent(facts.share)
            part = f", {stated} of its stated length is there" if stated else ""
            lines.append(f"{facts.source_file}: the recording breaks off{part}; what is there was sampled")
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"... and {len(lines) - SHOWN} more that could not be read: see frames.csv"]
    return lines + [run.interrupted] * bool(run.interrupted)


def _at(seconds: float | None, index: int) -> str:
    return f"frame {index}" if seconds is None else f"{seconds:.3f} s (frame {index})"


def _inputs(run: Run) -> str:
    sampled = sum(facts.sampled for facts in run.recordings)
    if run.recordings and sampled == run.expected:
        return f"{plural(sampled, 'sampled frame')} of {plural(len(run.recordings), 'recording')}"
    return plural(run.expected, "picture")


def _lasting(run: Run) -> Iterator[str]:
    """What lasts in the recordings, by the rule in force: over all of them, then in each."""
    found = each(run, NOTHING_READ)
    if not found:
        return
    yield f"AI worst sustained: {_grade(judge(run.results, NOTHING_READ, rule_of(run)), named_file=True)}"
    if len(found) > 1:
        yield from (f"  {printable(one.name)}: {_grade(one.judgement)}" for one in found[:NAMED])
    if len(found) > NAMED:
        yield f"  ... and {len(found) - NAMED} more: see summary.json"


def _grade(judgement: Judgement | None, *, named_file: bool = False) -> str:
    if judgement is None:
        return "not gradable: no frame could be decoded"
    whole = judgement.whole
    if whole.sustained.grade is None:
        return f"not gradable: {whole.sustained.reason}"
    when = "" if whole.since is None or whole.until is None else f", {stretch(whole.since, whole.until)}"
    where = f" of {printable(whole.source_file)}" if named_file else ""
    return f"MES {named(whole.sustained.grade)}{when}{where}"


def _grades(results: Iterable[FrameResult]) -> str:
    counts = Counter(result.scores.grade for result in results)
    return ", ".join(f"MES {grade}: {counts[grade]}" for grade in range(GRADES))


def _threshold(results: list[FrameResult]) -> str:
    active = sum(bool(result.scores.active) for result in results)
    yes, no = (words.replace("–", "-") for words in (grades.ACTIVE, grades.NOT_ACTIVE))
    return f"By the conservative threshold {yes}: {active}, {no}: {len(results) - active}"
