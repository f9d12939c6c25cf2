"""Which frames a video holds, by one pass over its packets, before any is decoded."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from uc_viewer.sources.base import SourceError
from uc_viewer.sources.video_file import Opener as Opener
from uc_viewer.sources.video_file import decode_packet as decode_packet
from uc_viewer.sources.video_file import is_picture, opened, packets_of
from uc_viewer.sources.video_file import open_video as open_video
from uc_viewer.sources.video_structure import goes_to_its_end

MAX_FRAMES = 5_000_000
"""Most frames of one recording (55 hours at 25 a second)."""

HEAD = 48
"""Packets decoded to see that frames come out as the packets promise."""

PAUSE = 500
"""Packets between two pauses of the pass."""

WHOLE = 0.98
"""A file that holds at least this part of its stated length is whole: headers round."""

REORDERED = 16
"""Most frames by which a stamp may stand before an earlier one; further back, the clock began anew."""


@dataclass(frozen=True, eq=False)
class Index:
    """The frames of a video in order of presentation; N frames, G groups that begin with a key frame.

    ``stamps``: int64 N, what a frame is recognised by, each once: the container's own time stamp. Where
    these do not tell frames apart (some have none, or the clock begins anew) the index is ``linear``: then
    it is the number of the frame's packet in the file. Where to begin is then told by ``entries``: the number
    of a key frame's packet by the packet's place and size in bytes.
    ``times``: float64 N, seconds, never decreasing. ``groups``: int32 N, in which group (in decoding order)
    the frame's packet lies. ``keys``: int64 G, index of the key frame of each group. ``rotation``: degrees
    counter-clockwise that bring a frame upright. ``share``: part of the stated length that is there, None
    where it breaks off and no length is stated. ``strict``: most frames at the beginning decode without a
    complaint, so that a complaint means damage.
    """

    stamps: NDArray[np.int64]
    times: NDArray[np.float64]
    groups: NDArray[np.int32]
    keys: NDArray[np.int64]
    last_seconds: float
    strict: bool
    width: int
    height: int
    rotation: int
    codec: str
    container: str
    interlaced: bool
    share: float | None
    linear: bool
    entries: Mapping[tuple[int, int], int]

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last."""
        return float(self.times[-1] - self.times[0]) + self.last_seconds


@dataclass
class _Packets:
    """What the pass found, in the order of the file."""

    stamps: list[int | None]
    keys: list[bool]
    end: float = 0.0
    """The latest end of a packet of any track, in seconds."""


@dataclass(frozen=True)
class _Shown:
    """What is kept of a frame of the head; 48 whole ones of a large video would take a gigabyte."""

    stamp: int | None
    width: int
    height: int
    rotation: int
    interlaced: bool


@dataclass(frozen=True)
class _Order:
    """The frames as they are shown: the stamp each is recognised by, and what the container says of when."""

    stamps: Sequence[int]
    said: Sequence[int | None]
    linear: bool
    entries: Mapping[tuple[int, int], int] = field(default_factory=dict)


def indexing(opener: Opener, step: float | None = None) -> Generator[None, None, Index]:
    """Read all packets once, with pauses; returns the index. Raises SourceError and OSError.

    ``step``: seconds from frame to frame where frames have no stamps, by default as the stream states.
    """
    with opened(opener) as (container, stream):
        packets = yield from _pass(container, stream)
        facts = _Facts.of(container, stream, packets, step, opener)
    if not packets.stamps:
        raise SourceError("holds no frame: the recording was stopped at once or cut off: export it again")
    head, ended = _head(opener, strict=False)
    # Some recorders write what a strict decoder refuses throughout; damage is rarer than that.
    strict = 2 * len(_head(opener, strict=True)[0]) >= len(head)
    order = _promised(packets, facts, head, ended)
    if order is None:
        order = yield from _decoded(opener, head)
    return _assemble(packets, order, facts, head, strict)


def _promised(packets: _Packets, facts: _Facts, head: Sequence[_Shown], ended: bool) -> _Order | None:
    """The order in which the packets say that frames are shown; None if the head shows that they do not."""
    expected = sorted(stamp for stamp in packets.stamps if stamp is not None)
    seen = [frame.stamp for frame in head]
    if not len(expected) == len(packets.stamps) == len(set(expected)):
        return None
    in_file = np.array(packets.stamps, np.float64)
    if float((np.maximum.accumulate(in_file) - in_file).max()) * facts.base > facts.restart:
        return None
    # Frames come out late, and the last of a cut head may be missing; what is there must be in step.
    if seen and seen == expected[: len(seen)] and (not ended or len(seen) == len(expected)):
        return _Order(expected, expected, linear=False)
    return None


def _pass(container: InputContainer, stream: VideoStream) -> Generator[None, None, _Packets]:
    """All packets of all tracks: those of sound show how long the file really goes on."""
    found = _Packets([], [])
    for number, packet in enumerate(packets_of(container)):
        if number % PAUSE == 0:
            yield
        if packet.size and packet.pts is not None and packet.time_base is not None:
            found.end = max(found.end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index != stream.index or not is_picture(packet):
            continue
        found.stamps.append(packet.pts)
        found.keys.append(packet.is_keyframe)
        if len(found.stamps) > MAX_FRAMES:
            raise SourceError(f"holds more than {MAX_FRAMES:,} frames: cut it into parts")
    return found


@dataclass(frozen=True)
class _Facts:
    base: float
    rate: float
    codec: str
    container: str
    share: float | None

    @property
    def restart(self) -> float:
        """Seconds: a stamp so far before an earlier one is of a clock that began anew."""
        return max(1.0, REORDERED / self.rate)

    @classmethod
    def of(
        cls,
        container: InputContainer,
        stream: VideoStream,
        packets: _Packets,
        step: float | None,
        opener: Opener,
    ) -> _Facts:
        rate = 1 / step if step else float(stream.average_rate or stream.guessed_rate or 25)
        return cls(
            base=float(stream.time_base or 0.001),
            rate=rate if 0 < rate < 1000 else 25.0,
            codec=stream.codec_context.name,
            container=container.format.name.split(",")[0],
            share=_share(container, stream, packets, opener),
        )


def _share(container: InputContainer, stream: VideoStream, packets: _Packets, opener: Opener) -> float | None:
    """How much of what the file promises is there; 1 where it promises nothing that is missing."""
    format_name = container.format.name
    share = None
    if stream.frames:  # mp4 and avi count their frames
        share = len(packets.stamps) / stream.frames
    elif "matroska" in format_name and container.duration:
        share = packets.end / (container.duration / av.time_base)
    if share is not None and share >= WHOLE:
        return 1.0
    what = opener()
    with Path(what).open("rb") if isinstance(what, str) else what as file:
        whole = goes_to_its_end(file, format_name)
    # Of a whole file fewer frames may be seen than it counts: those cut away by an edit list, or left out.
    return 1.0 if whole or (whole is None and share is None) else share


def _head(opener: Opener, *, strict: bool) -> tuple[list[_Shown], bool]:
    """The frames of the first packets, as far as they decode, and whether the file ended with them."""
    frames: list[_Shown] = []
    with opened(opener, strict=strict) as (container, stream):
        for number, packet in enumerate(packets_of(container, stream)):
            if number >= HEAD:
                return frames, False
            for frame in decode_packet(packet) or []:
                turned = round(frame.rotation) % 360
                shown = _Shown(frame.pts, frame.width, frame.height, turned, frame.interlaced_frame)
                frames.append(shown)
    return frames, True


def _decoded(opener: Opener, head: Sequence[_Shown]) -> Generator[None, None, _Order]:
    """The order in which all frames come out: for files whose packets do not tell it. Raises SourceError.

    H.264 in avi numbers its packets in decoding order; old program streams leave stamps out; a transport
    stream cut from a longer one begins with packets nothing can be made of; the clock of a video disc
    begins anew within a file, and the same stamps come again. So the packets are numbered here.
    """
    said: list[int | None] = []
    order: dict[int, None] = {}
    entries: dict[tuple[int, int], int] = {}
    with opened(opener) as (container, stream):
        for packet in packets_of(container, stream):
            yield
            if is_picture(packet):
                said.append(packet.pts)
                packet.pts = len(said) - 1
                if packet.is_keyframe and packet.pos is not None:
                    entries[packet.pos, packet.size] = packet.pts
            order.update((frame.pts, None) for frame in decode_packet(packet) or [] if frame.pts is not None)
    if not order:
        raise SourceError(
            "no frame of it can be decoded: it is damaged or coded in an unknown way: export it as mp4"
        )
    shown = [said[place] for place in order]
    stamps = [stamp for stamp in shown if stamp is not None]
    apart = len(set(stamps)) == len(shown) and {frame.stamp for frame in head} <= set(stamps)
    return _Order(stamps, shown, False) if apart else _Order(list(order), shown, True, entries)


def _assemble(packets: _Packets, order: _Order, facts: _Facts, head: Sequence[_Shown], strict: bool) -> Index:
    """Put the frames in order of presentation."""
    step = 1 / facts.rate
    times = _times(order.said, facts.base, step, facts.restart)
    place = {stamp: index for index, stamp in enumerate(order.stamps)}
    group_of = np.zeros(len(place), np.int32)
    keys: list[int] = []
    for number, (stamp, is_key) in enumerate(zip(packets.stamps, packets.keys, strict=True)):
        index = place.get(number) if order.linear else None if stamp is None else place.get(stamp)
        if index is None:
            continue
        if is_key or not keys:
            keys.append(index)
        group_of[index] = len(keys) - 1
    first = head[0] if head else _Shown(None, 0, 0, 0, False)
    turned = first.rotation in (90, 270)
    return Index(
        stamps=np.array(order.stamps, np.int64),
        times=times,
        groups=group_of,
        keys=np.array(keys or [0], np.int64),
        last_seconds=float(np.median(np.diff(times))) if len(times) > 1 else step,
        strict=strict,
        width=first.height if turned else first.width,
        height=first.width if turned else first.height,
        rotation=first.rotation,
        codec=facts.codec,
        container=facts.container,
        interlaced=any(frame.interlaced for frame in head),
        share=facts.share,
        linear=order.linear,
        entries=order.entries,
    )


def _times(said: Sequence[int | None], base: float, step: float, restart: float) -> NDArray[np.float64]:
    """Seconds of frames in order, float64, never decreasing.

    A clock that begins anew goes on from the last frame. A stamp that comes again says nothing.
    """
    times = np.full(len(said), np.nan)
    late, latest, known = 0.0, -np.inf, set[float]()
    for index, stamp in enumerate(said):
        if stamp is None:
            continue
        time = stamp * base + late
        if time < latest - restart:
            late += latest + step - time
            time = latest + step
        if time not in known:
            known.add(time)
            times[index] = time
            latest = max(latest, time)
    # Stamps in decoding order say when, though not of which frame: the moments belong to the frames in order.
    stated = ~np.isnan(times)
    times[stated] = np.sort(times[stated])
    return _fill(times, step)


def _fill(times: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Times for frames that have none: one step after the frame before, the first ones before the next."""
    known = np.flatnonzero(~np.isnan(times))
    if known.size == 0:
        return np.asarray(np.arange(len(times)) * step, np.float64)
    for index in range(int(known[0]) - 1, -1, -1):
        times[index] = times[index + 1] - step
    for index in range(int(known[0]) + 1, len(times)):
        if np.isnan(times[index]):
            times[index] = times[index - 1] + step
    return np.asarray(np.maximum.accumulate(times), np.float64)
