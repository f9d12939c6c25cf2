"""A video as a source: every frame by its place and its own time, in order or at random, exactly."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from uc_viewer.sources import video_pixels
from uc_viewer.sources.base import Frame, RecordingFacts, SourceError, SourceGone, Unreadable
from uc_viewer.sources.sampling import Sampling
from uc_viewer.sources.stills import describe
from uc_viewer.sources.video_decoding import forward
from uc_viewer.sources.video_file import Opener
from uc_viewer.sources.video_index import Index, indexing
from uc_viewer.sources.video_seeking import Reader, Shelf

KEPT_BYTES = 128 * 2**20
"""Decoded frames kept of the video that is looked at; a quarter of it for its small pictures."""

HASHED_AT_ONCE = 8 * 2**20
"""Bytes of a file hashed between two pauses."""

DAMAGED = "this frame is damaged and cannot be decoded"
ODD_PIXELS = "the colours of this frame are stored in a way this program does not read: convert it to mp4"

Converted = TypeVar("Converted")

_SHELF = Shelf()


class Video:
    """One video file. Make one with `opening`.

    ``opener`` gives what FFmpeg reads, by default the file itself: a video within another file needs its own.
    """

    def __init__(
        self,
        path: Path,
        state: tuple[int, int],
        source_file: str,
        sampling: Sampling,
        index: Index,
        digest: str,
        opener: Opener,
    ) -> None:
        self._path, self._state, self._name, self._index = path, state, source_file, index
        self._digest, self._opener = digest, opener
        self.sampled: Sequence[int] = sampling.choose(len(index.stamps), index.times)
        self._looking = Reader(opener, index, KEPT_BYTES)
        self._leafing = Reader(opener, index, KEPT_BYTES // 4)
        self._lock = threading.Lock()

    @classmethod
    def opening(
        cls,
        path: Path,
        source_file: str,
        sampling: Sampling,
        opener: Opener | None = None,
        step: float | None = None,
        share: float | None = 1.0,
    ) -> Generator[None, None, Video]:
        """Look a file through bit by bit; returns the video. Raises SourceError with a reason for the user.

        ``step``: seconds from frame to frame where the stream states no times. ``share``: how much of the
        stream is there, as far as the file around it knows.
        """
        opener = opener or _opener(path)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise SourceError("not a plain file: leave it out")
            state = _state(path)
            index = yield from indexing(opener, step)
            if index.share is not None:
                index = replace(index, share=None if share is None else min(share, index.share))
            digest = yield from _hash(path)
        except OSError as error:
            raise SourceError(describe(error)) from error
        return cls(path, state, source_file, sampling, index, digest, opener)

    @property
    def facts(self) -> RecordingFacts:
        """What the file holds."""
        index = self._index
        return RecordingFacts(
            source_file=self._name,
            frames=len(index.stamps),
            sampled=len(self.sampled),
            seconds=index.seconds,
            width=index.width,
            height=index.height,
            codec=index.codec,
            container=index.container,
            share=index.share,
            interlaced=index.interlaced,
        )

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of every frame in seconds, as the container states it."""
        return self._index.times

    def decode(self, indices: Sequence[int]) -> Iterator[Frame | Unreadable]:
        """Decode some frames in order; see `Recording.decode`."""
        waiting = list(indices)
        at = 0
        frames = forward(self._opener, self._index, waiting)
        try:
            self._check_there()
            for index, frame in frames:
                while at < len(waiting) and waiting[at] < index:
                    yield self._lost(waiting[at])
                    at += 1
                if at < len(waiting) and waiting[at] == index:
                    self._check_there()
                    yield self._shown(index, frame)
                    at += 1
                if at == len(waiting):
                    return
            self._check_there()
            yield from (self._lost(index) for index in waiting[at:])
        except SourceGone:
            raise
        except OSError as error:
            raise SourceGone(f"{self._name}: {_describe(error)}") from error
        except SourceError as error:  # it was opened before
            raise SourceGone(f"{self._name}: {error}") from error
        finally:
            frames.close()

    def reopen(self, index: int) -> Frame:
        """Decode any one frame; see `Recording.reopen`."""
        return self._one(self._looking, index, lambda frame: self._frame(index, frame))

    def thumbnail(self, index: int, side: int) -> NDArray[np.uint8]:
        """A small copy of a frame; see `Recording.thumbnail`."""
        return self._one(
            self._leafing, index, lambda frame: video_pixels.small(frame, self._index.rotation, side)
        )

    def close(self) -> None:
        """Close what is open; see `Recording.close`."""
        with self._lock:
            self._shut()

    def close_unless_busy(self) -> bool:
        """Close what is open; gives False where another thread is reading."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._shut()
        finally:
            self._lock.release()
        return True

    def _shut(self) -> None:
        self._looking.close()
        self._leafing.close()

    def _one(self, reader: Reader, index: int, look: Callable[[VideoFrame], Converted]) -> Converted:
        """What one frame gives. Raises KeyError and SourceError."""
        if not 0 <= index < len(self._index.stamps):
            raise KeyError(f"{self._name}: there is no frame {index}")
        with self._lock:
            _SHELF.use(self)
            self._check_there()
            try:
                frame = reader.frame(index)
                if frame is None:
                    raise SourceError(DAMAGED)
                return look(frame)
            except SourceError as error:
                raise SourceError(f"{self._name}: {error}") from error
            except OSError as error:
                reader.close()
                raise SourceError(f"{self._name}: {_describe(error)}") from error
            except (av.FFmpegError, ValueError) as error:
                raise SourceError(f"{self._name}: {ODD_PIXELS}") from error

    def _frame(self, index: int, frame: VideoFrame) -> Frame:
        image = video_pixels.picture(frame, self._index.rotation)
        return Frame(image, self._name, self._digest, index, float(self._index.times[index]))

    def _shown(self, index: int, frame: VideoFrame) -> Frame | Unreadable:
        try:
            return self._frame(index, frame)
        except (av.FFmpegError, ValueError):
            return self._lost(index, ODD_PIXELS)

    def _lost(self, index: int, reason: str = DAMAGED) -> Unreadable:
        return Unreadable(self._name, reason, self._digest, index, float(self._index.times[index]))

    def _check_there(self) -> None:
        """Raise SourceGone if the file is no longer the one that was looked through."""
        try:
            state = _state(self._path)
        except OSError as error:
            raise SourceGone(f"{self._name}: {_describe(error)}") from error
        if state != self._state:
            raise SourceGone(f"{self._name}: changed since it was opened: open it again")


def _opener(path: Path) -> Opener:
    """What FFmpeg opens a file by. In the name of one in the current folder a colon would be a protocol's."""
    name = os.path.abspath(path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:  # Linux names may be any bytes; FFmpeg's are UTF-8
        return lambda: path.open("rb")
    return lambda: name


def _state(path: Path) -> tuple[int, int]:
    state = os.stat(path)
    return state.st_size, state.st_mtime_ns


def _hash(path: Path) -> Generator[None, None, str]:
    """SHA-256 of a file, with pauses. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASHED_AT_ONCE):
            digest.update(block)
            yield
    return digest.hexdigest()


def _describe(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it: change its permissions or copy it to a folder of yours"
    if isinstance(error, FileNotFoundError):
        return "not there any more: plug its drive in again, or put it back, and try again"
    return f"cannot be read ({error.strerror or error}): check the drive or the connection and try again"
