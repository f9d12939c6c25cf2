"""Which frames of a recording are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PER_SECOND = 2.0
"""Frames scored per second of a recording unless told otherwise."""


@dataclass(frozen=True)
class Sampling:
    """``per_second`` frames of every second, or every ``every``-th frame where ``per_second`` is None.

    A frame is always scored under its own time: of each tick of the clock the first frame at or after it is
    taken, none is made up and none taken twice. Frames without times are not chosen by the clock: all are
    scored then. Raises ValueError for a rate that is not positive.
    """

    per_second: float | None = PER_SECOND
    every: int = 1

    def __post_init__(self) -> None:
        if self.per_second is not None and not 0 < self.per_second < float("inf"):
            raise ValueError(f"a rate of {self.per_second} frames per second is not possible")
        if self.every < 1:
            raise ValueError(f"every {_ordinal(self.every)} frame is not possible")

    def choose(self, frames: int, times: NDArray[np.float64] | None) -> Sequence[int]:
        """Indices of the frames to score, increasing.

        ``times``: float64, seconds, one per frame, increasing; or None.
        """
        if self.per_second is None:
            return range(0, frames, self.every)
        if times is None or frames == 0:
            return range(frames)
        # The tick a frame falls on or after; a little slack, since 0.5 s may be stored as 0.4999.
        ticks = np.floor((times - times[0]) * self.per_second + 1e-6)
        chosen = np.flatnonzero(np.diff(ticks, prepend=-1.0) > 0)
        return [int(index) for index in chosen]

    def describe(self) -> str:
        """In words, for the report."""
        if self.per_second is not None:
            return f"{self.per_second:g} frames per second, each under its own time"
        return "every frame" if self.every == 1 else f"every {_ordinal(self.every)} frame"


def _ordinal(number: int) -> str:
    """``"2nd"``, ``"3rd"``, ``"11th"``."""
    teens = 10 <= number % 100 < 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


STANDARD = Sampling()
"""The sampling in force unless another is asked for."""
