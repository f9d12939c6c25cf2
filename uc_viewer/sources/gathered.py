"""All sources of one case under one roof: every frame is found by its name, whichever drop it came with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uc_viewer.sources.base import Frame, Recording, RecordingFacts
from uc_viewer.sources.listing import Files


class Gathered:
    """Sources whose names differ (see ``beside`` of `Files`), added one after the other.

    Adding happens on one thread; frames may be opened on others meanwhile.
    """

    def __init__(self) -> None:
        self._sources: list[Files] = []
        self._of: dict[str, Files] = {}

    def add(self, source: Files) -> None:
        """Take a source in. Raises ValueError if one of its names is here already."""
        names = dict.fromkeys(source.names, source)
        if clash := next((name for name in names if name in self._of), None):
            raise ValueError(f"{clash}: two sources of a case give this name")
        self._sources.append(source)
        self._of.update(names)

    @property
    def sources(self) -> tuple[Files, ...]:
        """The sources in the order they were added."""
        return tuple(self._sources)

    @property
    def names(self) -> Collection[str]:
        """The names of all files."""
        return self._of.keys()

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were passed over because they are no pictures, by kind, over all sources."""
        total: Counter[str] = Counter()
        for source in self._sources:
            total.update(source.skipped)
        return dict(sorted(total.items()))

    @property
    def recordings(self) -> tuple[RecordingFacts, ...]:
        """What the recordings of all sources hold."""
        return tuple(facts for source in self._sources for facts in source.recordings)

    def recording(self, source_file: str) -> Recording | None:
        """The recording of that name; None where it is a still. Raises KeyError if unknown."""
        return self._of[source_file].recording(source_file)

    def holds(self, path: Path) -> bool:
        """True if this very file is one of the case."""
        return any(source.holds(path) for source in self._sources)

    def close(self) -> None:
        """Let go of the files of all recordings."""
        for source in self._sources:
            source.close()

    def reopen(self, source_file: str, index: int) -> Frame:
        """Decode one frame again. Raises KeyError if unknown, SourceError if it cannot be opened."""
        return self._of[source_file].reopen(source_file, index)

    def thumbnail(self, source_file: str, index: int, side: int) -> NDArray[np.uint8]:
        """A small copy of a frame, uint8 H x W x 3 RGB, no side longer than ``side``. Raises as `reopen`."""
        return self._of[source_file].thumbnail(source_file, index, side)
