"""Which frames a video holds, by one pass over its packets, before any is decoded."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import av
import av.packet
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from uc_viewer.sources.base import SourceError
from uc_viewer.sources.pictures import MAX_PIXELS, MIN_SIDE

if TYPE_CHECKING:
    Packet = av.packet.Packet[Any]
else:
    Packet = av.packet.Packet

Opener = Callable[[], str | BinaryIO]
"""Gives what FFmpeg is to read: a path, or a stream that can be sought."""

MAX_FRAMES = 5_000_000
"""Most frames of one recording (55 hours at 25 a second)."""

THREADS = 4
"""Most packets decoded at once; more would make every seek wait for as many frames that nobody asked for."""

HEAD = 48
"""Packets decoded to see that frames come out as the packets promise."""

PAUSE = 500
"""Packets between two pauses of the pass."""

WHOLE = 0.98
"""A file that holds at least this part of its stated length is whole: headers round."""


@dataclass(frozen=True, eq=False)
class Index:
    """The frames of a video in order of presentation; N frames, G groups that begin with a key frame.

    ``stamps``: int64 N, the container's own time stamps, each once. ``times``: float64 N, seconds,
    increasing. ``groups``: int32 N, in which group (in decoding order) the frame's packet lies. ``keys``:
    int64 G, index of the key frame of each group. ``rotation``: degrees counter-clockwise that bring a frame
    upright. ``share``: part of the stated length that is there, None where it breaks off and no length is
    stated. ``strict``: most frames at the beginning decode without a complaint, so that a complaint means
    damage. ``linear``: frames without stamps are among them: only decoding from the start finds a frame.
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


def open_video(opener: Opener, *, strict: bool = False) -> tuple[InputContainer, VideoStream]:
    """The container and its picture track. Raises SourceError with what is wrong and what to do.

    ``strict``: the decoder refuses damaged packets; else it makes up what is missing where it can.
    """
    try:
        container = av.open(opener(), "r", metadata_errors="replace")
    except OSError:
        raise
    except (av.FFmpegError, ValueError) as error:
        raise SourceError(_describe_unopened(opener, error)) from error
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    try:
        if not streams:
            sound = ": it is sound only" if container.streams.audio else ""
            raise SourceError(f"holds no picture track{sound}; leave it out")
        stream = streams[0]
        context = stream.codec_context
        if context is None:
            raise SourceError("its pictures are coded in a way this program does not read: convert it to mp4")
        if not 0 < context.width * context.height <= MAX_PIXELS:
            raise SourceError(
                f"states a size of {context.width} x {context.height} pixels, which cannot be right or is "
                f"above the limit of {MAX_PIXELS // 1_000_000} megapixels: export it again"
            )
        if min(context.width, context.height) < MIN_SIDE:
            raise SourceError(
                f"too small ({context.width} x {context.height} pixels): export it at its own size"
            )
    except SourceError:
        container.close()
        raise
    context.options = {"max_pixels": str(MAX_PIXELS)} | ({"err_detect": "explode"} if strict else {})
    stream.thread_type = "AUTO"
    context.thread_count = min(THREADS, os.cpu_count() or 1)
    return container, stream


def indexing(opener: Opener, step: float | None = None) -> Generator[None, None, Index]:
    """Read all packets once, with pauses; returns the index. Raises SourceError and OSError.

    ``step``: seconds from frame to frame where frames have no stamps, by default as the stream states.
    """
    container, stream = open_video(opener)
    try:
        packets = yield from _pass(container, stream)
        facts = _Facts.of(container, stream, packets, step)
    finally:
        container.close()
    if not packets.stamps:
        raise SourceError("holds no frame: the recording was stopped at once or cut off: export it again")
    head, ended = _head(opener, strict=False)
    # Some recorders write what a strict decoder refuses throughout; damage is rarer than that.
    strict = 2 * len(_head(opener, strict=True)[0]) >= len(head)
    expected = sorted(stamp for stamp in packets.stamps if stamp is not None)
    seen = [frame.pts for frame in head]
    sound = len(expected) == len(packets.stamps) == len(set(expected))
    # Frames come out late, and the last of a cut head may be missing; what is there must be in step.
    if not (sound and seen and seen == expected[: len(seen)] and (not ended or len(seen) == len(expected))):
        return _assemble(packets, (yield from _decoded_stamps(opener)), facts, head, strict)
    return _assemble(packets, expected, facts, head, strict)


def _pass(container: InputContainer, stream: VideoStream) -> Generator[None, None, _Packets]:
    """All packets of all tracks: those of sound show how long the file really goes on."""
    found = _Packets([], [])
    for number, packet in enumerate(_packets(container)):
        if number % PAUSE == 0:
            yield
        if packet.size == 0:
            continue
        if packet.pts is not None and packet.time_base is not None:
            found.end = max(found.end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index != stream.index or packet.is_discard:
            continue
        found.stamps.append(packet.pts)
        found.keys.append(packet.is_keyframe)
        if len(found.stamps) > MAX_FRAMES:
            raise SourceError(f"holds more than {MAX_FRAMES:,} frames: cut it into parts")
    return found


def _packets(container: InputContainer) -> Iterator[Packet]:
    """The packets of a file as far as it can be read."""
    try:
        yield from container.demux()
    except (av.InvalidDataError, av.EOFError):
        return  # cut off here: what came before counts


@dataclass(frozen=True)
class _Facts:
    base: Fraction
    rate: float
    codec: str
    container: str
    share: float | None

    @classmethod
    def of(
        cls, container: InputContainer, stream: VideoStream, packets: _Packets, step: float | None
    ) -> _Facts:
        rate = 1 / step if step else float(stream.average_rate or stream.guessed_rate or 25)
        return cls(
            base=Fraction(stream.time_base or Fraction(1, 1000)),
            rate=rate if 0 < rate < 1000 else 25.0,
            codec=stream.codec_context.name,
            container=container.format.name.split(",")[0],
            share=_share(container, stream, packets),
        )


def _share(container: InputContainer, stream: VideoStream, packets: _Packets) -> float | None:
    """How much of what the header promises is there; 1 where it promises nothing that is missing."""
    format_name = container.format.name
    if stream.frames and packets.stamps:  # mp4 and avi count their frames
        share = len(packets.stamps) / stream.frames
    elif "matroska" in format_name and container.duration:
        share = packets.end / (container.duration / av.time_base)
    else:
        # Program and transport streams state no length; the latter are made of packets of 188 bytes.
        return None if format_name == "mpegts" and container.size > 0 and container.size % 188 else 1.0
    return 1.0 if share >= WHOLE else max(0.0, share)


def _head(opener: Opener, *, strict: bool) -> tuple[list[VideoFrame], bool]:
    """The frames of the first packets, as far as they decode, and whether the file ended with them."""
    container, stream = open_video(opener, strict=strict)
    frames: list[VideoFrame] = []
    try:
        for number, packet in enumerate(container.demux(stream)):
            if number >= HEAD:
                return frames, False
            frames += decode_packet(packet) or []
    except (av.InvalidDataError, av.EOFError):
        return frames, False
    finally:
        container.close()
    return frames, True


def _decoded_stamps(opener: Opener) -> Generator[None, None, list[int | None]]:
    """The stamps of all frames in the order they come out: for files whose packets do not tell it.

    H.264 in avi numbers its packets in decoding order; old program streams leave stamps out; a transport
    stream cut from a longer one begins with packets nothing can be made of.
    """
    container, stream = open_video(opener)
    stamps: list[int | None] = []
    known: set[int] = set()
    try:
        for packet in container.demux(stream):
            yield
            for frame in decode_packet(packet) or []:
                stamp = frame.pts if frame.pts not in known else None
                stamps.append(stamp)
                if stamp is not None:
                    known.add(stamp)
    except (av.InvalidDataError, av.EOFError):
        pass  # cut off here: what came before counts
    finally:
        container.close()
    if not stamps:
        raise SourceError(
            "no frame of it can be decoded: it is damaged or coded in an unknown way: export it as mp4"
        )
    return stamps


def decode_packet(packet: Packet) -> list[VideoFrame] | None:
    """The frames a packet brings out; None where it is damaged."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
    except (av.FFmpegError, ValueError):
        return None


def _assemble(
    packets: _Packets,
    order: list[int | None] | list[int],
    facts: _Facts,
    head: list[VideoFrame],
    strict: bool,
) -> Index:
    """Put the frames in order of presentation. ``order``: their stamps as they are shown."""
    ticks = np.array([np.iinfo(np.int64).min if stamp is None else stamp for stamp in order], np.int64)
    stated = ticks != np.iinfo(np.int64).min
    step = 1 / facts.rate
    times = np.where(stated, ticks * float(facts.base), np.nan)
    # Stamps in decoding order say when, though not of which frame: the moments belong to the frames in order.
    times[stated] = np.sort(times[stated])
    times = _fill(times, step)
    place = {int(stamp): index for index, stamp in enumerate(ticks) if stated[index]}
    group_of = np.zeros(len(ticks), np.int32)
    keys: list[int] = []
    for stamp, is_key in zip(packets.stamps, packets.keys, strict=True):
        index = place.get(stamp) if stamp is not None else None
        if index is None:
            continue
        if is_key or not keys:
            keys.append(index)
        group_of[index] = len(keys) - 1
    first = head[0] if head else None
    width, height = (first.width, first.height) if first else (0, 0)
    rotation = round(first.rotation) % 360 if first else 0
    if rotation in (90, 270):
        width, height = height, width
    return Index(
        stamps=ticks,
        times=times,
        groups=group_of,
        keys=np.array(keys or [0], np.int64),
        last_seconds=float(np.median(np.diff(times))) if len(times) > 1 else step,
        strict=strict,
        width=width,
        height=height,
        rotation=rotation,
        codec=facts.codec,
        container=facts.container,
        interlaced=any(frame.interlaced_frame for frame in head),
        share=facts.share,
        linear=not stated.all(),
    )


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


def _describe_unopened(opener: Opener, error: Exception) -> str:
    """Why a file could not be opened as a video, and what to do."""
    what = opener()
    try:
        with Path(what).open("rb") if isinstance(what, str) else what as file:
            if not _read_boxes(file):
                return (
                    "the recording was not finalised: its table of contents (moov) is missing, as after a "
                    "power cut. Finalise it on the recorder, or repair it with the recorder's own tool"
                )
            file.seek(0)
            if not file.read(1):
                return "the file is empty (0 bytes): copy or export it again"
    except OSError:
        pass  # the line below says what FFmpeg found
    reason = str(getattr(error, "strerror", "") or error).rstrip(".")
    return f"cannot be opened as a video ({reason}): copy or export it again"


def _read_boxes(file: BinaryIO) -> bool:
    """False for an mp4 or mov (ISO 14496-12: boxes of size and type) without its "moov"."""
    head = file.read(12)
    if len(head) < 12 or head[4:8] not in (b"ftyp", b"mdat", b"wide", b"free"):
        return True
    file.seek(0)
    while len(header := file.read(16)) >= 8:
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if kind == b"moov":
            return True
        if size == 1 and len(header) == 16:
            size = int.from_bytes(header[8:16], "big")
        if size < 8:
            return False  # to the end of the file
        file.seek(size - len(header), 1)
    return False
