"""What a run was given, stills or recordings, and what of it was not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from uc_viewer.case import FrameResult, RecordingFacts, Run, Unreadable
from uc_viewer.report.wording import plural, printable

NAMED = 3
"""Most recordings whose gaps are told one by one on the first page."""


LEAST = 1e-3
"""A share of a recording below this is taken for this, so that no length gets out of hand."""


@dataclass(frozen=True)
class Inputs:
    """What kinds of pictures a run holds.

    ``recordings`` names the files whose frames have times, in order: an unchosen many, to which the rule of
    `mtl_core.aggregate` applies. ``stills`` is True where there is anything else, and for an empty run.
    """

    stills: bool
    recordings: tuple[str, ...]

    @property
    def noun(self) -> str:
        """What one picture is called."""
        if not self.recordings:
            return "still"
        return "picture" if self.stills else "frame"

    @property
    def alone(self) -> bool:
        """True for one recording and nothing else: then its name need not stand beside every time."""
        return len(self.recordings) == 1 and not self.stills


def inputs(run: Run) -> Inputs:
    """What kinds of pictures a run holds."""
    timeless = {r.source_file for r in run.results if r.pts_seconds is None}
    names = [facts.source_file for facts in run.recordings if facts.source_file not in timeless]
    names += [r.source_file for r in run.results if r.pts_seconds is not None]
    return Inputs(bool(timeless) or not names, tuple(dict.fromkeys(names)))


def stills(run: Run) -> Run:
    """The run without its recordings; the very same where there are none."""
    lost = damaged(run)
    if not any(r.pts_seconds is not None for r in run.results) and not lost:
        return run
    return replace(
        run,
        results=tuple(r for r in run.results if r.pts_seconds is None),
        unreadable=tuple(u for u in run.unreadable if u.source_file not in lost),
        recordings=(),
    )


def frames_by_file(run: Run) -> dict[str, list[FrameResult]]:
    """The frames of every recording of the run, in their order."""
    frames: dict[str, list[FrameResult]] = {name: [] for name in inputs(run).recordings}
    for result in run.results:
        if result.pts_seconds is not None:
            frames[result.source_file].append(result)
    return frames


def facts_by_file(run: Run) -> dict[str, RecordingFacts]:
    """What the recordings hold, by their names."""
    return {facts.source_file: facts for facts in run.recordings}


def damaged(run: Run) -> Mapping[str, list[Unreadable]]:
    """Frames that could not be decoded, by recording; a file that could not be opened at all is none."""
    known = {facts.source_file for facts in run.recordings}
    lost: dict[str, list[Unreadable]] = {}
    for item in run.unreadable:
        if item.pts_seconds is not None or item.source_file in known:
            lost.setdefault(item.source_file, []).append(item)
    return lost


def shortfalls(run: Run) -> tuple[str, ...]:
    """What is missing of each recording that is not whole, a sentence for each gap; empty where all are."""
    lost, told = damaged(run), []
    for facts in run.recordings:
        name = printable(facts.source_file, 80)
        if facts.share is None:
            told.append(f"{name} breaks off; how much is missing is not known, since it states no duration.")
        elif facts.share < 1:
            there = _whole_percent(facts.share)
            told.append(f"{name} breaks off: {there} of its stated duration is there, the rest was not seen.")
        if missing := len(lost.get(facts.source_file, ())):
            told.append(
                f"{name}: {missing} of {plural(facts.sampled, 'sampled frame')} could not be decoded."
            )
    unknown = [name for name in lost if name not in facts_by_file(run)]
    told += [f"{printable(n, 80)}: {plural(len(lost[n]), 'frame')} could not be decoded." for n in unknown]
    return tuple(told)


def incomplete(run: Run) -> tuple[str, str]:
    """The mark of a run that did not see all, and its explanation; two empty texts for one that did.

    The mark gives the share of pictures that were seen: of a recording that breaks off, those of the part
    that is gone count as well, as many as its stated duration would have given. No share is given where it
    states none.
    """
    gaps = shortfalls(run)
    if run.complete and not gaps:
        return "", ""
    told = [] if run.complete else [_stopped(run)]
    told += gaps[:NAMED]
    if len(gaps) > NAMED:
        told.append(f"{plural(len(gaps) - NAMED, 'further gap')}: see the table of recordings.")
    if gaps:
        told.append(
            "What was not seen may be worse. Copy the file again from the recorder if it is whole there."
        )
    seen = len(run.results) + len(run.unreadable) - sum(map(len, damaged(run).values()))
    shares = [(facts.sampled, facts.share) for facts in run.recordings]
    whole = run.expected + sum(n * (1 / max(share, LEAST) - 1) for n, share in shares if share is not None)
    known = all(share is not None for _, share in shares)
    share = f" {_whole_percent(seen / whole)}" if known and seen < whole else ""
    return f"INCOMPLETE{share}", " ".join(told)


def _whole_percent(share: float) -> str:
    """Rounded down, so that what is not whole is never called so."""
    return f"{int(100 * share + 1e-6)} %"  # the slack: arithmetic may put 31 % at 30.9999


def _stopped(run: Run) -> str:
    why = f" Why: {printable(run.interrupted)}" if run.interrupted else ""
    return _how_far(run) + why


def _how_far(run: Run) -> str:
    looked_at = len(run.results) + len(run.unreadable)
    kinds = inputs(run)
    noun = kinds.noun if kinds.recordings else "file"
    if run.expected <= 0:
        return "The run was stopped before all files were listed."
    if looked_at >= run.expected:
        return f"Every {noun} was looked at; the run ended before all heatmaps were drawn."
    return (
        f"The run was stopped after {looked_at} of {plural(run.expected, noun)}; "
        "the others were not looked at."
    )
