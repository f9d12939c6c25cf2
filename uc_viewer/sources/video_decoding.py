"""Decoding a video forward: which packets are needed, which frame comes out, and how far damage spreads."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from math import inf

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from uc_viewer.sources.video_file import Opener, Packet, decode_packet, is_picture, opened, packets_of
from uc_viewer.sources.video_index import Index

BEYOND = 48
"""Frames behind the one that is looked for at which decoding ends: more never wait for their turn."""

LOST_AFTER = 1000
"""Packets after which a place in a file is given up if none of them is known."""


def forward(
    opener: Opener, index: Index, wanted: Sequence[int]
) -> Generator[tuple[int, VideoFrame], None, None]:
    """Some frames in order, less those that are damaged; groups of packets nobody wants are left out.

    ``wanted`` must be increasing. Raises OSError where the file cannot be read any more.
    """
    at, count = 0, len(index.keys)
    for groups in (_groups_of(index, wanted), frozenset(range(count))) if len(wanted) else ():
        gaps = len(groups) < count
        with opened(opener, strict=index.strict) as (container, stream):
            for place, frame in named(container, stream, index, places(index), groups):
                if gaps and place > wanted[at]:
                    break  # some decoders complain after a gap: see what comes without any
                while at < len(wanted) and wanted[at] < place:
                    at += 1
                if at < len(wanted) and wanted[at] == place:
                    at += 1
                    yield place, frame
                if at == len(wanted):
                    return
        if not gaps:
            return


def _groups_of(index: Index, wanted: Sequence[int]) -> frozenset[int]:
    """The groups of packets that must be decoded for some frames.

    A frame shown before the key frame of its group refers to the group before as well.
    """
    at = np.asarray(wanted, np.int64)
    own = index.groups[at]
    leading = at < index.keys[own]
    return frozenset(own.tolist()) | frozenset((own[leading] - 1).tolist())


def places(index: Index) -> dict[int, int]:
    """The index of every frame by its stamp."""
    return {stamp: at for at, stamp in enumerate(index.stamps.tolist())}


def named(
    container: InputContainer,
    stream: VideoStream,
    index: Index,
    place: dict[int, int],
    groups: frozenset[int] | None = None,
    *,
    sought: bool = False,
    leaving_out: int = 0,
    until: Callable[[], float] = lambda: inf,
) -> Iterator[tuple[int, VideoFrame]]:
    """Decode on, giving every sound frame its index by its stamp.

    ``place``: that of `places`. ``groups``: only packets of these groups reach the decoder. ``sought``: the
    file stands somewhere within; the first packets may be the rest of others, or carry the stamps of others,
    so that nothing is given before a key frame of the index. ``leaving_out``: of a linear index, so many
    packets after the first one that is known are left out. ``until``: index of the frame that is looked for;
    some way behind it decoding ends, whether it has come or not.
    """
    last, damage = -1, _Damage()
    # Decoders that work on several packets at once complain of one only some packets later.
    late = stream.codec_context.thread_count
    waiting: deque[tuple[int, int, VideoFrame | None]] = deque()
    packets = packets_of(container, stream)
    if index.linear:
        packets = _numbered(packets, index, leaving_out, sought=sought)
    for packet in _fed(_needed(packets, place, until), index, place, groups):
        frames = _flushed(stream) if packet is None else decode_packet(packet)
        damage.note(packet, frames)
        for frame in frames or []:
            sound = damage.spares(frame)
            at = place.get(frame.pts) if frame.pts is not None else None
            if sought and at is not None and not (frame.key_frame and index.keys[index.groups[at]] == at):
                continue
            # One that goes back in time came out in a wrong order, or under a stamp that was there before.
            if at is not None and at > last:
                last, sought = at, False
                waiting.append((damage.fed, at, frame if sound else None))
        if not damage.free:
            waiting = deque((fed, at, None) for fed, at, _ in waiting)
        while waiting and damage.fed - waiting[0][0] >= late:
            _, at, kept = waiting.popleft()
            if kept is not None:
                yield at, kept
    yield from ((at, kept) for _, at, kept in waiting if kept is not None)


class _Damage:
    """Which frames damage spreads to: all that come out after it, up to a key frame that went in after it.

    The order of going in counts: a key frame that is still waiting to be shown when damage is met was sound,
    yet what is shown after it may refer to the damage.
    """

    def __init__(self) -> None:
        self.fed, self._met = 0, -1
        self._keys: OrderedDict[int, int] = OrderedDict()

    def note(self, packet: Packet | None, frames: list[VideoFrame] | None) -> None:
        """A packet went in, and these frames came out; None where the decoder complained."""
        self.fed += 1
        if packet is not None and packet.is_keyframe and packet.pts is not None:
            self._keys[packet.pts] = self.fed
            while len(self._keys) > 64:
                self._keys.popitem(last=False)
        if frames is None or any(frame.is_corrupt for frame in frames):
            self._met = self.fed

    def spares(self, frame: VideoFrame) -> bool:
        """True for a frame that damage cannot have reached."""
        if self._met >= 0 and frame.key_frame and self._keys.get(frame.pts or 0, -1) > self._met:
            self._met = -1
        return self.free and not frame.is_corrupt

    @property
    def free(self) -> bool:
        """True while there is no damage that could spread."""
        return self._met < 0


def _numbered(packets: Iterator[Packet], index: Index, leaving_out: int, *, sought: bool) -> Iterator[Packet]:
    """Packets stamped with their number in the file; nothing where none of many is known."""
    number, unknown = None if sought else 0, 0
    for packet in packets:
        if is_picture(packet):
            if number is None and packet.pos is not None:
                number = index.entries.get((packet.pos, packet.size))
            if number is None:
                unknown += 1
                if unknown > LOST_AFTER:
                    return
                continue
            packet.pts = number
            number += 1
            if leaving_out:
                leaving_out -= 1
                continue
        yield packet


def _needed(packets: Iterator[Packet], place: dict[int, int], until: Callable[[], float]) -> Iterator[Packet]:
    """Packets up to some way behind a frame: a decoder that has lost its thread may complain to the end."""
    for packet in packets:
        at = place.get(packet.pts) if packet.pts is not None else None
        if at is not None and at > until() + BEYOND:
            return
        yield packet


def _fed(
    packets: Iterator[Packet], index: Index, place: dict[int, int], groups: frozenset[int] | None
) -> Iterator[Packet | None]:
    """The packets the decoder needs; None where a gap begins and what it still holds must come out."""
    skipping = False
    group = 0
    for packet in packets:
        if groups is not None and packet.size:
            at = place.get(packet.pts) if packet.pts is not None else None
            group = group if at is None else int(index.groups[at])
            if group not in groups:
                if not skipping:
                    yield None
                skipping = True
                continue
            skipping = False
        yield packet


def _flushed(stream: VideoStream) -> list[VideoFrame]:
    """What the decoder still holds; it is ready for other packets afterwards."""
    context = stream.codec_context
    try:
        frames = [frame for frame in context.decode(None) if isinstance(frame, VideoFrame)]
    except (av.FFmpegError, ValueError):
        frames = []
    context.flush_buffers()
    return frames
