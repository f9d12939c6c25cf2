"""The contract of every source of pictures, on one page.

A source is made from paths, cheaply: it lists what it will give without decoding anything. Iterating
it decodes one picture at a time, in a fixed order, and gives for every listed thing either a `Frame`
or an `Unreadable`; bad input never raises out of the iteration and never goes missing. Any one frame
can be opened again by its name and index. A source holds where things lie, never their pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class SourceError(Exception):
    """A picture that was there can no longer be opened; the message names it and says why."""


class SourceGone(SourceError):
    """A file went away while it was being read: its drive was unplugged, or it was moved. Try again later."""


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

    @property
    def key(self) -> tuple[str, int]:
        """Which frame this is."""
        return self.source_file, self.index


@dataclass(frozen=True)
class Unreadable:
    """A file, or one frame of a recording, that could not be opened: which, why, and what to do about it.

    ``source_sha256`` is empty when even the bytes could not be read. ``index`` and ``pts_seconds`` are those
    of the frame, 0 and None for a whole file.
    """

    source_file: str
    reason: str
    source_sha256: str = ""
    index: int = 0
    pts_seconds: float | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Which frame this is."""
        return self.source_file, self.index


@dataclass(frozen=True)
class SourceRef:
    """How to open one file again: its name in the results, its path, its position inside an archive."""

    source_file: str
    path: Path
    member: int | None = None


@dataclass(frozen=True)
class RecordingFacts:
    """What a recording holds, known from its packets alone.

    ``frames`` are all that are there, ``sampled`` those to be scored; ``seconds`` run from the first frame to
    the end of the last. ``share`` is below 1 where the file breaks off: the part of its stated duration that
    is there, None where it breaks off and states none. ``width`` and ``height`` are in pixels, upright.
    """

    source_file: str
    frames: int
    sampled: int
    seconds: float
    width: int
    height: int
    codec: str
    container: str
    share: float | None = 1.0
    interlaced: bool = False


class Recording(Protocol):
    """A file of many frames: a video, or a DICOM object of several frames.

    A frame's index is its place in the order of presentation, its time the container's own; both come from
    one pass over the packets, before anything is decoded.
    """

    @property
    def facts(self) -> RecordingFacts:
        """What the file holds."""

    @property
    def times(self) -> NDArray[np.float64] | None:
        """Time of every frame in seconds, increasing; None where the frames have no times, as stills."""

    @property
    def sampled(self) -> Sequence[int]:
        """Indices of the frames to score, increasing."""

    def decode(self, indices: Sequence[int]) -> Iterator[Frame | Unreadable]:
        """Decode some frames, one item for each, in order; ``indices`` must be increasing.

        Closing the iterator closes the file. Raises SourceGone where the file went away meanwhile.
        """

    def reopen(self, index: int) -> Frame:
        """Decode any one frame, exactly. Raises KeyError if there is none, SourceError if it cannot be had.

        May be asked from several threads.
        """

    def thumbnail(self, index: int, side: int) -> NDArray[np.uint8]:
        """A small copy of a frame, uint8 H x W x 3 RGB, no side longer than ``side``. Raises as `reopen`."""

    def close(self) -> None:
        """Let go of open files; the next request opens them again."""


class FrameSource(Protocol):
    """What the analysis needs of a source."""

    @property
    def expected(self) -> int:
        """How many items iterating gives, known without decoding."""

    @property
    def recordings(self) -> Sequence[RecordingFacts]:
        """What the recordings among the files hold."""

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were passed over because they are no pictures, by kind (``".txt": 2``)."""

    def __iter__(self) -> Iterator[Frame | Unreadable]:
        """Give every item once, in order, decoding lazily; closing the iterator frees open files.

        Raises SourceGone where a recording goes away while it is read; what was given before stands.
        """

    def reopen(self, source_file: str, index: int) -> Frame:
        """Decode one frame again.

        Raises KeyError if the source never listed it and SourceError if it cannot be opened any more.
        """
