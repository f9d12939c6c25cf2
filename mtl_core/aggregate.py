"""From the frames of a recording to one grade: the worst that lasts, never the worst single frame.

Why not the maximum. A recording has thousands of frames, and the maximum of thousands of answers belongs to
the errors. By published error rates of single pictures, 1000 frames of a bowel without any inflammation
(MES 0) hold at least one false MES 3 with a probability of about 0.48, and 1000 frames of a MES 1 with one
of about 0.996. An error that is one frame's own is gone in the next; a finding stays in view. So a grade
counts where it lasts.

Why frames and seconds both. Frames alone: four neighbours of a recording scored frame by frame at 25 per
second last 0.12 s and show one and the same picture, which is one piece of evidence, not four. Seconds
alone: of a recording scored once in two seconds a single pair lasts long enough, and two wrong answers in a
row are no rarity. Either one would do for "or"; only both hold whatever the sampling.

What the rule cannot mend. Of 1000 frames at two per second, each wrong by itself and sure of it, the
standard rule is misled in 0 of 300 tries with 2 % wrong, in 6 % of them with 5 % wrong, in 43 % with 10 %
wrong (the maximum: in all); by a model that is less sure of every frame (0.7, and 0.1 for each other grade),
in 6 %, 58 % and 99 %, though never up to the false MES 3 itself. An error that lasts as a finding does
(stool, a wall at close range) it takes for one. And of findings of which nine in ten frames are recognised
it misses 39 % of those four frames long, none of those of ten.

Frames without an answer (too dark, frozen, rejected by the reader) say nothing: they neither count nor break
a row. Yet what was seen before a long pause need not be what is seen after it, so a pause beyond
``Rule.gap`` between answers ends a row, and nothing is smoothed across it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtl_core.spec import GRADES

REACH = 3.0
"""The Gaussian is cut off at so many standard deviations: what lies beyond has 0.3 % of its weight."""

SLACK = 0.05
"""Seconds by which a row may fall short. Scored frames lie on the frames of the recording, not on the clock:
of a recording of 25 frames per second, four in a row at two per second last 1.48 s or 1.52 s."""

_ROUNDING = 1e-6
"""Seconds, and shares of a probability, that are put down to arithmetic."""


@dataclass(frozen=True)
class Rule:
    """When a grade counts as seen.

    ``frames``: at least so many scored frames in a row, that last at least ``seconds`` from the first to the
    last (give or take `SLACK`). ``smoothing``: standard deviation in seconds of the Gaussian with which the
    probabilities are averaged over scored frames before that, 0 for none. ``gap``: a longer pause between
    scored frames, in seconds, ends a row and is never smoothed over. ``informative``: with fewer scored
    frames a recording is not gradable. Raises ValueError for what makes no sense.
    """

    frames: int = 4
    seconds: float = 1.5
    smoothing: float = 0.75
    gap: float = 3.0
    informative: int = 8

    def __post_init__(self) -> None:
        for name in ("frames", "informative"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("seconds", "smoothing"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if not 0 < self.gap < math.inf:
            raise ValueError(f"gap must be more than 0, not {self.gap}")

    def describe(self) -> str:
        """In one sentence, for the report."""
        smoothed = f"averaged over neighbours (Gaussian, {self.smoothing:g} s)" if self.smoothing else "as is"
        return (
            f"The highest grade that at least {self.frames} scored frames in a row, lasting at least "
            f"{self.seconds:g} s, reach or exceed with a probability of 0.5 or more, {smoothed}; frames "
            f"that were not scored are passed over, a pause of more than {self.gap:g} s ends a row, and with "
            f"fewer than {self.informative} scored frames nothing is gradable."
        )


STANDARD = Rule()
"""The rule in force unless another is asked for."""


@dataclass(frozen=True)
class Sustained:
    """What lasts in one recording, and beside it what single frames say. Positions are those of the arrays.

    ``grade``: the highest g for which a row of scored frames with smoothed P(MES >= g) >= 0.5 meets the
    rule, 0 where nothing higher lasts, None where the recording is not gradable; ``reason`` says why not.
    ``first`` and ``last``: ends of the row that decided: of those that meet the rule the one with most
    scored frames, of equals the one with the higher mean P(MES >= g); None where not gradable.
    ``highest``: the highest grade of any single frame, not smoothed, at ``highest_at`` (of equals the surest
    frame); never the result; None without a scored frame.
    ``frames``, ``scored``: how many there are and how many have an answer; ``counts``: of these, how many
    have grade 0, 1, 2, 3 by themselves, as `mtl_core.scores.FrameScores.grade`.
    ``p90``: 90th percentile of the expected grades of single frames, 0..3; None without a scored frame.
    """

    grade: int | None
    first: int | None
    last: int | None
    highest: int | None
    highest_at: int | None
    frames: int
    scored: int
    counts: tuple[int, int, int, int]
    p90: float | None
    reason: str = ""


def smooth(
    times: NDArray[np.float64], probabilities: NDArray[np.float64], rule: Rule = STANDARD
) -> NDArray[np.float64]:
    """Probabilities averaged over the scored frames around each, by a Gaussian in time.

    ``times``: float64 N, seconds, increasing. ``probabilities``: float64 N x 4, each row sums to 1, or is
    NaN where a frame was not scored. Gives float64 N x 4 of the same kind: rows of NaN stay so. Frames more
    than ``rule.gap`` apart never touch each other. Raises ValueError for arrays of another kind.

    Cost: N times the number of scored frames within `REACH` standard deviations, all of it vectorised over
    N: 5 at two frames per second, 56 at 25.
    """
    times, probabilities, scored = _checked(times, probabilities)
    smoothed = probabilities.copy()
    if rule.smoothing > 0:
        smoothed[scored] = _averaged(times[scored], probabilities[scored], rule)
    return smoothed


def sustained(
    times: NDArray[np.float64], probabilities: NDArray[np.float64], rule: Rule = STANDARD
) -> Sustained:
    """The worst grade that lasts; see `Sustained`.

    ``times`` and ``probabilities`` as in `smooth`, of one recording: rows never cross recordings. Raises
    ValueError for arrays of another kind.
    """
    times, probabilities, scored = _checked(times, probabilities)
    at, answers = times[scored], probabilities[scored]
    grade, first, last, reason = _decide(at, smooth(at, answers, rule), rule)
    if not len(at):
        return Sustained(None, None, None, None, None, len(times), 0, (0, 0, 0, 0), None, reason)

    grades = GRADES - 1 - np.argmax(answers[:, ::-1], axis=1)  # ties go to the more severe grade
    highest = int(grades.max())
    surest = int(np.argmax(np.where(grades == highest, answers[:, highest], -1.0)))
    counts = np.bincount(grades, minlength=GRADES).tolist()
    return Sustained(
        grade,
        None if first is None else int(scored[first]),
        None if last is None else int(scored[last]),
        highest,
        int(scored[surest]),
        frames=len(times),
        scored=len(at),
        counts=(counts[0], counts[1], counts[2], counts[3]),
        p90=float(np.percentile(answers @ np.arange(GRADES), 90)),
        reason=reason,
    )


def _checked(
    times: NDArray[np.float64], probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Both arrays as float64, and the positions of the scored frames."""
    times = np.asarray(times, np.float64)
    probabilities = np.asarray(probabilities, np.float64)
    if times.ndim != 1 or probabilities.shape != (len(times), GRADES):
        raise ValueError(f"{times.shape} times do not fit probabilities of shape {probabilities.shape}")
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise ValueError("times must be finite and must not decrease")
    absent = np.isnan(probabilities)
    unscored = absent.all(axis=1)
    answers = probabilities[~unscored]
    if not (np.abs(answers.sum(axis=1) - 1) < 1e-3).all() or not (answers >= 0).all():
        raise ValueError("the probabilities of a scored frame must not be negative and must sum to 1")
    return times, probabilities, np.flatnonzero(~unscored)


def _averaged(times: NDArray[np.float64], answers: NDArray[np.float64], rule: Rule) -> NDArray[np.float64]:
    # Frames beyond the longest pause are out of reach, so no average ever crosses a pause.
    reach = min(REACH * rule.smoothing, rule.gap) + _ROUNDING
    own = np.ascontiguousarray(answers.T)
    total = own.copy()
    for lag in range(1, len(times)):
        apart = times[lag:] - times[:-lag]
        weight = np.exp(-0.5 * np.square(apart / rule.smoothing))
        weight[apart > reach] = 0.0
        if not weight.any():
            break  # pairs further apart in the array are further apart in time
        total[:, :-lag] += weight * own[:, lag:]
        total[:, lag:] += weight * own[:, :-lag]
    return np.asarray((total / total.sum(axis=0)).T)


def _decide(
    times: NDArray[np.float64], smoothed: NDArray[np.float64], rule: Rule
) -> tuple[int | None, int | None, int | None, str]:
    """Grade, first and last of the row that decided, and why there is no grade; scored frames only."""
    if len(times) < rule.informative:
        frames = "1 scored frame" if len(times) == 1 else f"{len(times)} scored frames"
        return None, None, None, f"{frames}, {rule.informative} are needed"
    at_least = np.cumsum(smoothed[:, ::-1], axis=1)[:, ::-1]  # column g: P(MES >= g)
    at_least[:, 0] = 1.0  # whatever the rounding
    for grade in reversed(range(GRADES)):
        row = _best_row(times, at_least[:, grade], rule)
        if row is not None:
            return grade, *row, ""
    # Not even "MES 0 or more" lasts: frames so scattered could not have shown anything that lasts.
    lasting = f"no {rule.frames} scored frames in a row that last {rule.seconds:g} s"
    return None, None, None, f"{lasting} without a pause of more than {rule.gap:g} s"


def _best_row(times: NDArray[np.float64], likely: NDArray[np.float64], rule: Rule) -> tuple[int, int] | None:
    """First and last frame of the row that speaks most for a grade; None if none meets the rule."""
    yes = likely >= 0.5 - _ROUNDING
    joined = yes[1:] & yes[:-1] & (np.diff(times) <= rule.gap + _ROUNDING)
    first = np.flatnonzero(yes & ~np.concatenate(([False], joined)))
    last = np.flatnonzero(yes & ~np.concatenate((joined, [False])))
    length = last - first + 1
    lasting = times[last] - times[first] >= rule.seconds - SLACK
    (good,) = np.nonzero((length >= rule.frames) & lasting)
    if not len(good):
        return None
    sums = np.concatenate(([0.0], np.cumsum(likely)))
    mean = (sums[last + 1] - sums[first]) / length
    best = max(good.tolist(), key=lambda row: (length[row], mean[row], -row))
    return int(first[best]), int(last[best])
