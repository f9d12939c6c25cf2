"""The contract of every source of pictures, on one page.

A source is made from paths, cheaply: it lists what it will give without decoding anything. Iterating
it decodes one picture at a time, in a fixed order, and gives for every listed thing either a `Frame`
or an `Unreadable`; bad input never raises out of the iteration and never goes missing. Any one frame
can be opened again by its name and index. A source holds where things lie, never their pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np


class SourceError(Exception):
    """A picture that was there can no longer be opened; the message names it and says why."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded picture.

    ``image``: uint8 H x W x 3, RGB, upright. ``source_file``: its name relative to the path the user
    gave, with ``/``. ``source_sha256``: hex digest of the file's bytes (of the entry's bytes within an
    archive). ``index``: 0-based within the file. ``pts_seconds``: the container's time, None for stills.
    """

    image: np.ndarray
    source_file: str
    source_sha256: str
    index: int = 0
    pts_seconds: float | None = None


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be opened as a picture: which, why, and what to do about it.

    ``source_sha256`` is empty when even the bytes could not be read.
    """

    source_file: str
    reason: str
    source_sha256: str = ""


@dataclass(frozen=True)
class SourceRef:
    """How to open one file again: its name in the results, its path, its position inside an archive."""

    source_file: str
    path: Path
    member: int | None = None


class FrameSource(Protocol):
    """What the analysis needs of a source."""

    @property
    def expected(self) -> int:
        """How many items iterating gives, known without decoding."""

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were passed over because they are no pictures, by kind (``".txt": 2``)."""

    def __iter__(self) -> Iterator[Frame | Unreadable]:
        """Give every item once, in order, decoding lazily; closing the iterator frees open files."""

    def reopen(self, source_file: str, index: int) -> Frame:
        """Decode one frame again.

        Raises KeyError if the source never listed it and SourceError if it cannot be opened any more.
        """
