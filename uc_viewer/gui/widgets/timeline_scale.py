"""Which stretch of a recording the timeline shows, and where a moment lies on it. Plain numbers, no Qt."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST = 2.0
"""Seconds that are shown at the largest zoom."""

_INSTANT = 0.001
"""Seconds that a recording lasts at least: a single frame has no duration, and the scale needs one."""

_STEPS = (
    *((0.1, 0.02), (0.2, 0.05), (0.5, 0.1), (1.0, 0.2), (2.0, 0.5), (5.0, 1.0), (10.0, 2.0), (20.0, 5.0)),
    *((30.0, 5.0), (60.0, 10.0), (120.0, 30.0), (300.0, 60.0), (600.0, 120.0), (1800.0, 300.0)),
    (3600.0, 600.0),
)
"""Seconds between two labels of the ruler, and between two of its ticks."""


class Tick(NamedTuple):
    """One tick of the ruler; ``label`` is empty for a small one."""

    seconds: float
    label: str


class Scale:
    """A stretch of a recording laid on so many pixels.

    ``begin``, ``end``: the whole recording, seconds by the container's clock. ``first``, ``span``: what is
    shown of it, in seconds. ``left``, ``width``: where, in Qt's own units.
    """

    def __init__(self) -> None:
        self.begin, self.end = 0.0, _INSTANT
        self.first, self.span = 0.0, _INSTANT
        self.left, self.width = 0.0, 1.0

    @property
    def last(self) -> float:
        """Where the stretch that is shown ends, in seconds."""
        return self.first + self.span

    @property
    def middle(self) -> float:
        """The middle of the room."""
        return self.left + self.width / 2

    @property
    def whole(self) -> bool:
        """True while the whole recording is shown."""
        return self.span >= self.end - self.begin

    @property
    def per_second(self) -> float:
        """Pixels to a second."""
        return self.width / self.span

    def set_whole(self, begin: float, end: float) -> None:
        """Take a recording that begins and ends there, and show all of it."""
        self.begin, self.end = begin, max(end, begin + _INSTANT)
        self.show_whole()

    def extend(self, begin: float, end: float) -> None:
        """Let the recording reach at least from here to there; a zoomed view stays as it is."""
        was_whole = self.whole
        self.begin, self.end = min(self.begin, begin), max(self.end, end)
        if was_whole:
            self.show_whole()

    def set_room(self, left: float, width: float) -> None:
        """The pixels there are; at least one."""
        self.left, self.width = left, max(1.0, width)

    def show_whole(self) -> None:
        """Show the recording from its beginning to its end."""
        self.first, self.span = self.begin, self.end - self.begin

    def to_x(self, seconds: float) -> float:
        """Where a moment lies, perhaps outside of the room."""
        return self.left + (seconds - self.first) * self.per_second

    def to_seconds(self, x: float) -> float:
        """Which moment lies there, never one outside of the recording."""
        return min(max(self.first + (x - self.left) / self.per_second, self.begin), self.end)

    def shows(self, seconds: float) -> bool:
        """True for a moment that lies in the room."""
        return self.first <= seconds <= self.last

    def zoom_by(self, factor: float, x: float) -> None:
        """Come closer by a factor (below 1: step back), while the moment at ``x`` stays where it is."""
        at = self.to_seconds(x)
        share = (at - self.first) / self.span
        total = self.end - self.begin
        self.span = min(max(self.span / factor, min(LEAST, total)), total)
        self._place(at - share * self.span)

    def pan_by(self, pixels: float) -> None:
        """Show what lies so many pixels further on."""
        self._place(self.first + pixels / self.per_second)

    def pan_to(self, share: float) -> None:
        """Show the beginning of the recording for 0, its end for 1."""
        self._place(self.begin + share * (self.end - self.begin - self.span))

    def reveal(self, seconds: float, lead: float = 0.0) -> None:
        """Move as far as a moment needs to be seen; ``lead``: how far in from the edge, as share of the room.

        In from the edge the moment comes from, so that there is room ahead.
        """
        if seconds < self.first:
            self._place(seconds - (1 - lead if lead else 0) * self.span)
        elif seconds > self.last:
            self._place(seconds - (lead or 1) * self.span)

    def place_of(self, seconds: float) -> float:
        """Where in the recording a moment lies, 0..1."""
        return min(max((seconds - self.begin) / (self.end - self.begin), 0.0), 1.0)

    def edges(self, columns: int, width: float) -> NDArray[np.float64]:
        """Times between columns of so many pixels each, the first of which begins at the left."""
        return np.linspace(self.first, self.first + columns * width / self.per_second, columns + 1)

    def ticks(self, room: float) -> list[Tick]:
        """Ticks of the ruler, far enough apart for labels as wide as ``room`` pixels."""
        step, small = self._steps(room)
        made = []
        for count in range(math.ceil(self.first / small - 1e-9), math.floor(self.last / small + 1e-9) + 1):
            seconds = count * small
            labelled = abs(seconds / step - round(seconds / step)) < 1e-6
            made.append(Tick(seconds, self._label(seconds, step) if labelled else ""))
        return made

    def _steps(self, room: float) -> tuple[float, float]:
        for step, small in _STEPS:
            if step * self.per_second >= room:
                return step, small
        step = _STEPS[-1][0]
        while step * self.per_second < room:
            step *= 2
        return step, step / 2

    def _label(self, seconds: float, step: float) -> str:
        tenths = round(seconds * 10)
        minutes, rest = divmod(tenths // 10, 60)
        part = f".{tenths % 10}" if step < 1 else ""
        if self.end < 3600:
            return f"{minutes:02d}:{rest:02d}{part}"
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}{part}"

    def _place(self, first: float) -> None:
        self.first = min(max(first, self.begin), self.end - self.span)


def clock(seconds: float, exact: bool = True) -> str:
    """A moment as ``0:06:57.280``, without ``exact`` as ``0:06:57``; rounded to the last digit shown."""
    thousandths = round(abs(seconds) * 1000) if exact else round(abs(seconds)) * 1000
    sign = "-" if seconds < 0 and thousandths else ""
    minutes, rest = divmod(thousandths, 60_000)
    part = f".{rest % 1000:03d}" if exact else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{rest // 1000:02d}{part}"
