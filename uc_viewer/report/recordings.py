"""What the model says of the recordings of a run: what lasts by the rule, never the worst single frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mtl_core.aggregate import STANDARD, Rule
from mtl_core.spec import ACTIVE as COARSE
from uc_viewer import grades
from uc_viewer.case import FrameResult, Reading, RecordingFacts, Run, Segment, Unreadable
from uc_viewer.indices import Judgement, Part, judge
from uc_viewer.report import origin, timeline
from uc_viewer.report.inputs import LEAST, Inputs, damaged, facts_by_file, frames_by_file, inputs
from uc_viewer.report.origin import Fact
from uc_viewer.report.timeline import Timeline
from uc_viewer.report.wording import (
    clock,
    clock_short,
    number,
    plural,
    printable,
    shorten,
    some_percent,
    stretch,
)

MOST_TIMELINES = 6
"""Timelines printed; the tables hold all recordings."""

NAME = 28
"""Most characters of a file name in the result line."""


@dataclass(frozen=True)
class GradeShare:
    """How many scored frames of the recordings got a grade by themselves, and what share of them that is."""

    grade: int
    count: int
    share: str


@dataclass(frozen=True)
class RecordingRow:
    """One line of the table of recordings, as printed; a text is empty where the run does not say.

    ``grade`` is the worst grade that lasts, None where the recording is not gradable.
    """

    name: str
    duration: str
    frames: str
    sampled: int
    scored: str
    damaged: int
    size: str
    codec: str
    grade: int | None


@dataclass(frozen=True)
class RecordingsPart:
    """All a report says of the recordings; for a run without any everything is empty.

    ``headline`` is the result line and ``grade`` the grade it names, None where nothing is gradable.
    ``sampled`` frames are those the run looked at, scored or not; ``rejected`` those the reader took out.
    """

    headline: str = ""
    grade: int | None = None
    findings: tuple[Fact, ...] = ()
    shares: tuple[GradeShare, ...] = ()
    not_scored: int = 0
    rejected: int = 0
    rows: tuple[RecordingRow, ...] = ()
    rows_note: str = ""
    timelines: tuple[Timeline, ...] = ()
    timelines_note: str = ""


@dataclass(frozen=True)
class Recording:
    """One recording of a run with what the rule says of it by itself."""

    name: str
    frames: Sequence[FrameResult]
    lost: Sequence[Unreadable]
    facts: RecordingFacts | None
    judgement: Judgement | None

    @property
    def sampled(self) -> int:
        """How many frames the run looked at."""
        return len(self.frames) + len(self.lost)

    @property
    def grade(self) -> int | None:
        """The worst grade that lasts; None where the recording is not gradable."""
        return self.judgement.whole.sustained.grade if self.judgement else None


def rule_of(run: Run) -> Rule:
    """The rule in force; the standard one where the run does not say."""
    said = origin.find(run.provenance, "sustained_rule")
    return STANDARD if said is None else Rule(**said)


def each(run: Run, reading: Reading) -> tuple[Recording, ...]:
    """The recordings of a run, in order."""
    lost, facts, rule = damaged(run), facts_by_file(run), rule_of(run)
    return tuple(
        Recording(name, frames, lost.get(name, ()), facts.get(name), judge(frames, reading, rule))
        for name, frames in frames_by_file(run).items()
    )


def recordings_part(run: Run, reading: Reading, found: Sequence[Recording]) -> RecordingsPart:
    """What a report says of the recordings of a run, which are ``found`` by `each`."""
    kinds = inputs(run)
    if not found:
        return RecordingsPart()
    judgement = judge(run.results, reading, rule_of(run))
    counts = judgement.whole.sustained.counts if judgement else (0, 0, 0, 0)
    rejected = sum(reading.of(frame.key).rejected for one in found for frame in one.frames)
    strips = _timelines(found, reading, complete=run.complete)
    headline, grade = _headline(judgement, kinds)
    return RecordingsPart(
        headline=headline,
        grade=grade,
        findings=_findings(run, found, judgement, reading),
        shares=tuple(GradeShare(g, n, some_percent(n / max(1, sum(counts)))) for g, n in enumerate(counts)),
        not_scored=sum(map(len, frames_by_file(run).values())) - sum(counts) - rejected,
        rejected=rejected,
        rows=tuple(_row(one) for one in found),
        rows_note=_rows_note(found),
        timelines=strips,
        timelines_note=_timelines_note(len(found) - len(strips), strips),
    )


def segment_of(judgement: Judgement) -> Segment | None:
    """The segment of the stretch that decided over the whole."""
    whole = judgement.whole
    for part in judgement.parts:
        if (part.source_file, part.since, part.until) == (whole.source_file, whole.since, whole.until):
            return part.segment
    return None


def named(grade: int) -> str:
    """``"2 (moderate)"``."""
    return f"{grade} ({grades.MES[grade].name})"


def _headline(judgement: Judgement | None, kinds: Inputs) -> tuple[str, int | None]:
    if judgement is None or (grade := judgement.whole.sustained.grade) is None:
        what = "recording" if len(kinds.recordings) == 1 else "recordings"
        return f"AI: {what} not gradable", None
    whole, segment = judgement.whole, segment_of(judgement)
    where = [segment.value if segment else "", _file(whole.source_file, kinds), _when(whole)]
    return f"AI: worst sustained MES {named(grade)}, " + ", ".join(filter(None, where)), grade


def _file(name: str, kinds: Inputs) -> str:
    return "" if kinds.alone else shorten(printable(name), NAME)


def _when(part: Part) -> str:
    return "" if part.since is None or part.until is None else stretch(part.since, part.until)


def _findings(
    run: Run, found: Sequence[Recording], judgement: Judgement | None, reading: Reading
) -> tuple[Fact, ...]:
    lines = []
    if judgement is None:
        lines.append(Fact("Not gradable", "no frame could be decoded"))
    elif judgement.whole.sustained.grade is None:
        lines.append(Fact("Not gradable", judgement.whole.sustained.reason))
    lines.append(Fact("Sustained", rule_of(run).describe()))
    if judgement is not None:
        if (top := judgement.whole.sustained.highest) is not None:
            lines.append(Fact("Highest single frame", _highest(judgement.whole, top, inputs(run))))
            lines.append(Fact("Coarse answer", _coarse(run, judgement.whole, reading)))
        if (p90 := judgement.whole.sustained.p90) is not None:
            lines.append(Fact("Continuous score", f"90th percentile of single frames {number(p90)} of 3"))
    lines.append(Fact("Informative", _informative(found, reading)))
    return tuple(lines)


def _highest(whole: Part, grade: int, kinds: Inputs) -> str:
    at = "" if whole.highest_at_seconds is None else clock(whole.highest_at_seconds)
    where = ", ".join(filter(None, (_file(whole.highest_file, kinds), at)))
    return f"MES {grade} at {where}; a single frame is mostly error and no result"


def _coarse(run: Run, whole: Part, reading: Reading) -> str:
    counted = [
        r
        for r in run.results
        if r.pts_seconds is not None and r.scores.scored and not reading.of(r.key).rejected
    ]
    active = sum(bool(r.scores.active) for r in counted)
    threshold = origin.active_threshold(run.provenance)
    passing = (
        f"P(active) passes the conservative threshold{f' {threshold}' if threshold else ''} in {active} of "
        f"{plural(len(counted), 'scored frame')} ({some_percent(active / max(1, len(counted)))})"
    )
    if whole.sustained.grade is None:
        return f"none; {passing}"
    answer = grades.ACTIVE if whole.sustained.grade >= COARSE.cut else grades.NOT_ACTIVE
    return f"{answer}, by the sustained grade; {passing}"


def _informative(found: Sequence[Recording], reading: Reading) -> str:
    """How many of the sampled frames have an answer, and why the others have none."""
    frames = [frame for one in found for frame in one.frames]
    rejected = sum(reading.of(frame.key).rejected for frame in frames)
    counted = [frame for frame in frames if not reading.of(frame.key).rejected]
    scored, sampled = sum(f.scores.scored for f in counted), sum(one.sampled for one in found)
    lost = sum(len(one.lost) for one in found)
    reasons = Counter(f.scores.reject_reason for f in counted if not f.scores.scored)
    others = [f"{printable(reason, 60)} {count}" for reason, count in reasons.most_common(5)]
    others += [f"rejected by reader {rejected}"] * bool(rejected)
    others += [f"damaged {lost}"] * bool(lost)
    share = some_percent(scored / max(1, sampled))
    told = f"{scored} of {plural(sampled, 'sampled frame')} ({share})"
    return told + (f"; {', '.join(others)}" if others else "")


def _row(one: Recording) -> RecordingRow:
    facts, whole = one.facts, one.judgement.whole if one.judgement else None
    scored = whole.sustained.scored if whole else 0
    kind = [facts.codec, "interlaced" if facts.interlaced else ""] if facts else []
    return RecordingRow(
        name=printable(one.name),
        duration=clock_short(facts.seconds) if facts else "",
        frames=str(facts.frames) if facts else "",
        sampled=one.sampled,
        scored=f"{scored} ({some_percent(scored / max(1, one.sampled))})",
        damaged=len(one.lost),
        size=f"{facts.width} × {facts.height}" if facts else "",
        codec=printable(", ".join(filter(None, kind)), 40),
        grade=one.grade,
    )


def _rows_note(found: Sequence[Recording]) -> str:
    notes = []
    for one in found:
        if one.judgement and (reason := one.judgement.whole.sustained.reason) and len(found) > 1:
            notes.append(f"Not gradable: {printable(one.name, 60)} ({reason}).")
        if one.facts and one.facts.share is None:
            notes.append(f"{printable(one.name, 60)} breaks off and states no duration.")
        elif one.facts and one.facts.share is not None and one.facts.share < 1:
            stated = clock_short(one.facts.seconds / max(one.facts.share, LEAST))
            notes.append(f"{printable(one.name, 60)} breaks off: {stated} is its stated duration.")
    return " ".join(notes[:MOST_TIMELINES])


def _timelines(found: Sequence[Recording], reading: Reading, *, complete: bool) -> tuple[Timeline, ...]:
    """The timelines of the worst recordings, in their order."""
    worst = sorted(range(len(found)), key=lambda k: -_or_less(found[k].grade))[:MOST_TIMELINES]
    strips = []
    for one in (found[k] for k in sorted(worst)):
        whole = one.judgement.whole if one.judgement else None
        strips.append(
            timeline.build(one.name, one.frames, one.lost, one.facts, reading, whole, complete=complete)
        )
    return tuple(strip for strip in strips if strip is not None)


def _or_less(grade: int | None) -> int:
    return -1 if grade is None else grade


def _timelines_note(further: int, strips: Sequence[Timeline]) -> str:
    most = max((strip.frames_per_column for strip in strips), default=1)
    each_one = f"up to {most} neighbouring frames" if most > 1 else "one frame"
    notes = [
        f"Every column is {each_one}; colour and height show the worst grade among them, from MES 0 (low) to "
        "MES 3 (full height), and nothing where there is none. Single columns are mostly error: what counts "
        "is the stretch under the bracket."
    ]
    if further > 0:
        notes.append(f"Shown are the {len(strips)} worst; {plural(further, 'further recording')} not.")
    return " ".join(notes)
