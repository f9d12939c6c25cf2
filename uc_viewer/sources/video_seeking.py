"""Frames of a video at random: an open file, what was decoded of it last, and how many files stay open."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from uc_viewer.sources.video_decoding import named, places
from uc_viewer.sources.video_file import Opener, opened
from uc_viewer.sources.video_index import Index

BACK_OFF = (0, 1, 2, 4, 8, 16, 32)
"""Seconds before a frame from which decoding begins, until one is early enough; then the very start."""

MOST_OPEN = 3
"""Videos whose frames are kept at a time: a folder may hold hundreds, and each keeps up to 160 MB."""


class Reader:
    """One open file for frames at random: goes on where it stands if that is near, else seeks.

    ``kept_bytes``: decoded frames kept, so that going back frame by frame does not decode a group over and
    over.
    """

    def __init__(self, opener: Opener, index: Index, kept_bytes: int) -> None:
        self._opener, self._index, self._kept_bytes = opener, index, kept_bytes
        self._place = places(index)
        self._file = ExitStack()
        self._open: tuple[InputContainer, VideoStream] | None = None
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()
        self._frames: Iterator[tuple[int, VideoFrame]] = iter(())
        self._at = -1

    def close(self) -> None:
        """Close the file and forget what was decoded."""
        self._open, self._at, self._frames = None, -1, iter(())
        self._kept.clear()
        self._file.close()

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
        if self._open is None or key is None:
            self.close()
            self._open = self._file.enter_context(opened(self._opener, strict=self._index.strict))
        container, stream = self._open
        if key is not None:
            stamp = int(self._index.stamps[key]) - int(seconds / (stream.time_base or 1))
            try:
                container.seek(stamp, stream=stream, backward=True)
            except av.FFmpegError:
                # Before the first stamp, or a container that cannot seek: the caller tries from the start.
                self._frames = iter(())
                return
        self._frames = named(container, stream, self._index, self._place)

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
        while len(self._kept) > max(2, self._kept_bytes // each):
            self._kept.popitem(last=False)


class Closable(Protocol):
    """What lets go of its files unless it is at work."""

    def close_unless_busy(self) -> bool:
        """Close; gives False where another thread is at work with it."""


class Shelf:
    """Those used last stay open, the others are closed. Nothing is kept alive by it."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[int, weakref.ref[Closable]] = OrderedDict()

    def use(self, one: Closable) -> None:
        """One is used now: it may stay open, and one of the others may have to go."""
        with self._lock:
            self._open[id(one)] = weakref.ref(one)
            self._open.move_to_end(id(one))
            idle = [self._open.popitem(last=False) for _ in range(len(self._open) - self._most)]
        for key, other in idle:
            closable = other()
            if closable is not None and not closable.close_unless_busy():
                with self._lock:  # its turn comes later
                    self._open.setdefault(key, other)
