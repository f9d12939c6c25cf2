"""Pixels that lie in a DICOM file in fragments: where these are, and a video in them as one stream."""

from __future__ import annotations

import io
import os
import weakref
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from uc_viewer.sources.base import SourceError
from uc_viewer.sources.dicom_header import Header
from uc_viewer.sources.patients import Identity

OpenFile = Callable[[], BinaryIO]
"""Opens a file anew, to be read and sought in. Raises OSError, or SourceError for an entry of an archive."""

MAX_FRAGMENTS = 5_000_000
"""Most fragments of one file: one or a few for each frame."""

UNDIVIDED = "its pixels are not stored the way its header says (no fragments): export it again"
NOTHING = "its pixel data is empty: copy or export it again"

_ITEM = b"\xfe\xff\x00\xe0"
_DELIMITER = b"\xfe\xff\xdd\xe0"
_HEAD = 8
"""Bytes of an item's tag and length."""

_CODECS = {"MPEG2": "MPEG-2", "MPEG-4": "H.264", "HEVC": "HEVC"}


@dataclass(frozen=True, eq=False)
class Fragments:
    """Where the encapsulated bytes lie: int64 N places in the file and lengths, as far as they are there.

    ``whole`` is False where the last one is cut off; ``share`` is the part of the bytes that is there, so far
    as their lengths are known. ``notes``: what breaks the standard and was put up with.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    whole: bool
    share: float
    notes: tuple[str, ...]


def find_fragments(file: BinaryIO, start: int, length: int | None) -> Fragments:
    """Walk over the items of encapsulated pixel data (PS3.5, A.4), reading only their heads.

    The first item, a table of offsets, is left out. Pixel data of defined length without any item is taken as
    one fragment. Raises SourceError where there is nothing, and OSError.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(start)
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        raise SourceError(NOTHING)
    if head[:4] != _ITEM:
        if length is None:
            raise SourceError(UNDIVIDED)
        there = min(length, size - start)
        if there <= 0:
            raise SourceError(NOTHING)
        note = "its pixel data is not divided into items, against the standard"
        return Fragments(*_arrays([start], [there]), there == length, there / length, (note,))
    return _Walk(file, size).over(start, head)


class _Walk:
    """One pass over the items."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._starts, self._lengths = array("q"), array("q")
        self._stated = 0
        self._odd = 0
        self._notes: list[str] = []

    def over(self, at: int, head: bytes) -> Fragments:
        """All fragments from the item at a place on."""
        while head[:4] == _ITEM and len(head) == _HEAD:
            length = int.from_bytes(head[4:], "little")
            self._add(at + _HEAD, length)
            at += _HEAD + length
            head = self._head(at)
            if length % 2 and head[:4] not in (_ITEM, _DELIMITER):
                # Of odd length, yet followed by the byte that would have made it even.
                padded = self._head(at + 1)
                if padded[:4] in (_ITEM, _DELIMITER):
                    at, head = at + 1, padded
        if head[:4] != _DELIMITER:
            self._notes.append("its pixel data has no end mark")
        return self._found()

    def _add(self, start: int, length: int) -> None:
        there = max(0, min(length, self._size - start))
        self._starts.append(start)
        self._lengths.append(there)
        self._stated += length
        self._odd += length % 2
        if len(self._starts) > MAX_FRAGMENTS:
            raise SourceError("its pixel data has too many parts: export it again")

    def _head(self, at: int) -> bytes:
        if at >= self._size:
            return b""
        self._file.seek(at)
        return self._file.read(_HEAD)

    def _found(self) -> Fragments:
        starts, lengths = _arrays(self._starts, self._lengths)
        table = int(lengths[0])
        if len(starts) > 1 or table == 0:
            starts, lengths = starts[1:], lengths[1:]
        else:
            table = 0
            self._notes.append("its pixel data has no table of offsets")
        if self._odd:
            self._notes.append(f"{self._odd} of its fragments have an odd length")
        starts, lengths = starts[lengths > 0], lengths[lengths > 0]
        if not len(starts):
            raise SourceError(NOTHING)
        there = int(lengths.sum())
        stated = self._stated - table
        return Fragments(starts, lengths, there == stated, there / stated, tuple(self._notes))


class FragmentStream(io.RawIOBase):
    """The fragments of an open file, one after the other, as one file to be read and sought in.

    Closing it closes the file.
    """

    def __init__(self, file: BinaryIO, fragments: Fragments) -> None:
        self._file = file
        # PyAV does not close what it reads from, and keeps it in cycles: close the file when they are freed.
        self._close_file = weakref.finalize(self, file.close)
        self._starts = fragments.starts
        self._ends = np.cumsum(fragments.lengths)
        self._at = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; beyond the end there is nothing to read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: int(self._ends[-1])}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot go to {base + offset}, before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the fragment at hand; gives how many bytes, 0 at the end."""
        part = int(np.searchsorted(self._ends, self._at, "right"))
        if part == len(self._ends):
            return 0
        left = int(self._ends[part]) - self._at
        begin = int(self._ends[part - 1]) if part else 0
        self._file.seek(int(self._starts[part]) + self._at - begin)
        data = self._file.read(min(len(buffer), left))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._close_file()
        super().close()


@dataclass(frozen=True, eq=False)
class DicomVideo:
    """A DICOM object whose pixels are a video: MPEG-2, H.264 or HEVC, in whatever container.

    ``frame_seconds`` is what the header states, for streams without times of their own; None if it states
    nothing. ``frames`` is the number stated, which need not be true. ``share``, ``notes``: see `Fragments`.
    """

    identity: Identity
    source_file: str
    codec: str
    frames: int
    frame_seconds: float | None
    share: float
    notes: tuple[str, ...]
    digest: Callable[[], str]
    _open_file: OpenFile
    _fragments: Fragments

    @classmethod
    def of(
        cls, file: BinaryIO, header: Header, open_file: OpenFile, source_file: str, digest: Callable[[], str]
    ) -> DicomVideo:
        """Find the video in an open file. Raises SourceError and OSError."""
        fragments = find_fragments(file, header.start, header.length)
        return cls(
            identity=header.identity,
            source_file=source_file,
            codec=next(name for word, name in _CODECS.items() if word in header.syntax.name),
            frames=header.frames,
            frame_seconds=header.frame_seconds,
            share=fragments.share,
            notes=fragments.notes,
            digest=digest,
            _open_file=open_file,
            _fragments=fragments,
        )

    def open_stream(self) -> BinaryIO:
        """The bytes of the video, read from the file as they are asked for. Raises as `OpenFile` does."""
        return io.BufferedReader(FragmentStream(self._open_file(), self._fragments), 2**16)


def _arrays(starts: Any, lengths: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.array(starts, np.int64), np.array(lengths, np.int64)
