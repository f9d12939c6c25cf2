"""All sources of one case under one roof: every frame is found by its name, whichever drop it came with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from uc_viewer.sources.base import Frame
from uc_viewer.sources.stills import Stills


class Gathered:
    """Sources whose names differ (see ``beside`` of `Stills`), added one after the other.

    Adding happens on one thread; frames may be opened on others meanwhile.
    """

    def __init__(self) -> None:
        self._sources: list[Stills] = []
        self._of: dict[str, Stills] = {}

    def add(self, source: Stills) -> None:
        """Take a source in. Raises ValueError if one of its names is here already."""
        names = {name: source for name, _ in source.keys}
        if clash := next((name for name in names if name in self._of), None):
            raise ValueError(f"{clash}: two sources of a case give this name")
        self._sources.append(source)
        self._of.update(names)

    @property
    def sources(self) -> tuple[Stills, ...]:
        """The sources in the order they were added."""
        return tuple(self._sources)

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were passed over because they are no pictures, by kind, over all sources."""
        total: Counter[str] = Counter()
        for source in self._sources:
            total.update(source.skipped)
        return dict(sorted(total.items()))

    def reopen(self, source_file: str, index: int) -> Frame:
        """Decode one frame again. Raises KeyError if unknown, SourceError if it cannot be opened."""
        return self._of[source_file].reopen(source_file, index)

    def thumbnail(self, source_file: str, index: int, side: int) -> np.ndarray:
        """A small copy of a frame, uint8 H x W x 3 RGB, no side longer than ``side``. Raises as `reopen`."""
        return self._of[source_file].thumbnail(source_file, index, side)
