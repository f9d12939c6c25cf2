"""A video as a source: every frame by its place and its own time, in order or at random, exactly."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from uc_viewer.sources import video_pixels
from uc_viewer.sources.base import Frame, RecordingFacts, SourceError, SourceGone, Unreadable
from uc_viewer.sources.sampling import Sampling
from uc_viewer.sources.video_decoding import forward, named, places
from uc_viewer.sources.video_index import Index, Opener, indexing, open_video

BACK_OFF = (0, 1, 2, 4, 8, 16, 32)
"""Seconds before a frame from which decoding begins, until one is early enough; then the very start."""

KEPT_BYTES = 128 * 2**20
"""Decoded frames kept, so that going back frame by frame does not decode a group over and over."""

HASHED_AT_ONCE = 8 * 2**20
"""Bytes of a file hashed between two pauses."""

DAMAGED = "this frame is damaged and cannot be decoded"


class Video:
    """One video file. Make one with `opening`.

    ``opener`` gives what FFmpeg reads, by default the file itself: a video within another file needs its own.
    """

    def __init__(
        self, path: Path, source_file: str, sampling: Sampling, index: Index, digest: str, opener: Opener
    ) -> None:
        self._path, self._name, self._index, self._digest = path, source_file, index, digest
        self._opener = opener
        self._state = _state(path)
        self.sampled: Sequence[int] = sampling.choose(len(index.stamps), index.times)
        self._looking, self._leafing = _Reader(opener, index), _Reader(opener, index)
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
        opener = opener or (lambda: str(path))
        try:
            index = yield from indexing(opener, step)
            if index.share is not None:
                index = replace(index, share=None if share is None else min(share, index.share))
            digest = yield from _hash(path)
        except OSError as error:
            raise SourceError(_describe(error)) from error
        return cls(path, source_file, sampling, index, digest, opener)

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
            for index, frame in frames:
                while at < len(waiting) and waiting[at] < index:
                    yield self._lost(waiting[at])
                    at += 1
                if at < len(waiting) and waiting[at] == index:
                    self._check_there()
                    yield self._frame(index, frame)
                    at += 1
                if at == len(waiting):
                    return
            self._check_there()
            yield from (self._lost(index) for index in waiting[at:])
        except OSError as error:
            raise SourceGone(f"{self._name}: {_describe(error)}") from error
        finally:
            frames.close()

    def reopen(self, index: int) -> Frame:
        """Decode any one frame; see `Recording.reopen`."""
        with self._lock:
            return self._frame(index, self._read(self._looking, index))

    def thumbnail(self, index: int, side: int) -> NDArray[np.uint8]:
        """A small copy of a frame; see `Recording.thumbnail`."""
        with self._lock:
            return video_pixels.small(self._read(self._leafing, index), self._index.rotation, side)

    def close(self) -> None:
        """Close what is open; see `Recording.close`."""
        with self._lock:
            self._looking.close()
            self._leafing.close()

    def _read(self, reader: _Reader, index: int) -> VideoFrame:
        if not 0 <= index < len(self._index.stamps):
            raise KeyError(f"{self._name}: there is no frame {index}")
        try:
            self._check_there()
            frame = reader.frame(index)
        except OSError as error:
            reader.close()
            raise SourceError(f"{self._name}: {_describe(error)}") from error
        if frame is None:
            raise SourceError(f"{self._name}: {DAMAGED}")
        return frame

    def _frame(self, index: int, frame: VideoFrame) -> Frame:
        image = video_pixels.picture(frame, self._index.rotation)
        return Frame(image, self._name, self._digest, index, float(self._index.times[index]))

    def _lost(self, index: int) -> Unreadable:
        return Unreadable(self._name, DAMAGED, self._digest, index, float(self._index.times[index]))

    def _check_there(self) -> None:
        """Raise SourceGone if the file is no longer the one that was looked through."""
        try:
            state = _state(self._path)
        except OSError as error:
            raise SourceGone(f"{self._name}: {_describe(error)}") from error
        if state != self._state:
            raise SourceGone(f"{self._name}: changed since it was opened: open it again")


class _Reader:
    """One open file for frames at random: goes on where it stands if that is near, else seeks."""

    def __init__(self, opener: Opener, index: Index) -> None:
        self._opener, self._index = opener, index
        self._place = places(index)
        self._container: InputContainer | None = None
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()
        self._frames: Iterator[tuple[int, VideoFrame]] = iter(())
        self._at = -1

    def close(self) -> None:
        """Close the file and forget what was decoded."""
        if self._container is not None:
            self._container.close()
        self._container, self._at, self._frames = None, -1, iter(())
        self._kept.clear()

    def frame(self, index: int) -> VideoFrame | None:
        """The frame, or None if it cannot be decoded. Raises OSError and SourceError."""
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        groups = self._index.groups
        if 0 <= self._at < index and groups[index] - groups[self._at] <= 1:
            found, _ = self._go_on_to(index)
            if found is not None:
                return found
        return self._seek(index)

    def _seek(self, index: int) -> VideoFrame | None:
        """Begin at the key frame before, then earlier and earlier, until a frame comes out in time."""
        key = self._index.keys[min(int(self._index.groups[index]), len(self._index.keys) - 1)]
        if key > index:  # a frame shown before the key frame it is stored after
            key = self._index.keys[max(0, int(self._index.groups[index]) - 1)]
        for seconds in () if self._index.linear else BACK_OFF:
            self._begin(int(min(key, index)), seconds)
            found, early = self._go_on_to(index)
            if found is not None:
                return found
            if early and seconds >= 2:
                return None  # begun well before it, and still not there: it is damaged
        self._begin(None, 0)
        return self._go_on_to(index)[0]

    def _begin(self, key: int | None, seconds: int) -> None:
        """Decode from ``seconds`` before a key frame on, or from the start of the file."""
        if self._container is None or key is None:
            self.close()
            self._container, self._stream = open_video(self._opener, strict=self._index.strict)
        if key is not None:
            base = self._stream.time_base or 1
            stamp = int(self._index.stamps[key]) - int(seconds / base)
            try:
                self._container.seek(stamp, stream=self._stream, backward=True)
            except av.FFmpegError:
                # Before the first stamp, or a container that cannot seek: the caller tries from the start.
                self._frames = iter(())
                return
        # From the start, frames without a stamp can be counted.
        before = -1 if key is None else None
        self._frames = named(self._container, self._stream, self._place, before)

    def _go_on_to(self, index: int) -> tuple[VideoFrame | None, bool]:
        """Decode on to a frame; also tells whether decoding began at or before it."""
        early = False
        for at, frame in self._frames:
            self._at = at
            self._keep(at, frame)
            early = early or at <= index
            if at >= index:
                return (frame, True) if at == index else (None, early)
        self._at = -1
        return None, early

    def _keep(self, index: int, frame: VideoFrame) -> None:
        self._kept[index] = frame
        self._kept.move_to_end(index)
        each = max(1, frame.width * frame.height * 3 // 2)
        while len(self._kept) > max(2, KEPT_BYTES // each):
            self._kept.popitem(last=False)


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
