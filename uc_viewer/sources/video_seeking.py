"""Frames of a video at random: an open file, what was decoded of it last, and how many files stay open."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
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

LEADING = 8
"""Most packets of frames that are stored after a key frame and shown before it."""

MOST_OPEN = 3
"""Videos whose frames are kept at a time: a folder may hold hundreds, and each keeps up to 160 MB."""


class Reader:
    """One open file for frames at random: goes on where it stands if that is near, else seeks.

    ``kept_bytes``: decoded frames kept, so that going back frame by frame does not decode a group over and
    over.
    """

    def __init__(self, opener: Opener, index: Index, kept_bytes: int) -> None:
        self._opener, self._index, self._kept_bytes = opener, index, kept_bytes
        self._place: dict[int, int] = {}
        self._strict = index.strict
        self._file = ExitStack()
        self._open: tuple[InputContainer, VideoStream] | None = None
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()
        self._frames: Iterator[tuple[int, VideoFrame]] = iter(())
        self._at = self._wanted = -1
        self._begun = False

    def close(self) -> None:
        """Close the file and forget what was decoded."""
        self._open, self._at, self._frames = None, -1, iter(())
        self._kept.clear()
        self._place = {}
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
        group = min(int(self._index.groups[index]), len(self._index.keys) - 1)
        if self._index.keys[group] > index:  # a frame shown before the key frame it is stored after
            group = max(0, group - 1)
        for begin, far in self._beginnings(index, group):
            begin()
            found, early = self._go_on_to(index)
            if found is not None:
                return found
            if early and far:
                return None  # begun well before it, and still not there: it is damaged
            if self._strict and self._index.codec == "h264" and self._begun and self._at < 0:
                # Begun in the middle, this decoder may complain of every packet to come. It also says of each
                # frame whether it was made up, so that it need not refuse any.
                self.close()
                self._strict = False
                return self._seek(index)
        self.close()
        self._strict = self._index.strict
        self._frames = self._named()
        return self._go_on_to(index)[0]

    def _beginnings(self, index: int, group: int) -> Iterator[tuple[Callable[[], None], bool]]:
        """Ways to begin before a frame, and whether each is so far before that all of it should come."""
        if not self._index.linear:
            stamp = int(self._index.stamps[min(int(self._index.keys[group]), index)])
            yield from ((partial(self._begin_at, stamp, seconds), seconds >= 2) for seconds in BACK_OFF)
            return
        # A decoder that begins at a key frame may miss what the frames shown before it refer to, and complain
        # ever after; one that begins behind those waits for the next key frame.
        for earlier, later in ((group, 0), (group - 1, LEADING), (group - 2, LEADING)):
            if earlier > 0:
                yield partial(self._begin_in, earlier, later), later > 0

    def _begin_at(self, stamp: int, seconds: int) -> None:
        """Decode from ``seconds`` before a stamp on."""
        container, stream = self._opened()
        try:
            container.seek(stamp - int(seconds / (stream.time_base or 1)), stream=stream, backward=True)
        except av.FFmpegError:
            # Before the first stamp, or a container that cannot seek: the caller tries from the start.
            self._begun, self._frames = False, iter(())
        else:
            self._begun, self._frames = True, self._named(sought=True)

    def _begin_in(self, group: int, later: int) -> None:
        """Decode from ``later`` packets after a group's key frame on, where stamps do not tell of places."""
        number = int(self._index.stamps[self._index.keys[group]])
        place = next((place for (place, _), at in self._index.entries.items() if at == number), None)
        container, _ = self._opened()
        try:
            if place is not None:
                container.seek(place, unsupported_byte_offset=True)
        except av.FFmpegError:
            place = None
        self._begun = place is not None
        self._frames = self._named(sought=True, leaving_out=later) if self._begun else iter(())

    def _opened(self) -> tuple[InputContainer, VideoStream]:
        if self._open is None:
            self._open = self._file.enter_context(opened(self._opener, strict=self._strict))
            self._place = places(self._index)
        return self._open

    def _named(self, *, sought: bool = False, leaving_out: int = 0) -> Iterator[tuple[int, VideoFrame]]:
        return named(
            *self._opened(),
            self._index,
            self._place,
            sought=sought,
            leaving_out=leaving_out,
            until=lambda: self._wanted,
        )

    def _go_on_to(self, index: int) -> tuple[VideoFrame | None, bool]:
        """Decode on to a frame; also tells whether decoding began at or before it."""
        early, self._wanted = False, index
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
