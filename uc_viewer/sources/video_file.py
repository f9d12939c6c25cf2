"""A video file as FFmpeg gives it: its picture track, its packets as far as it can be read, their frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import av
import av.packet
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from uc_viewer.sources.base import SourceError
from uc_viewer.sources.pictures import MAX_PIXELS, MIN_SIDE
from uc_viewer.sources.video_structure import why_unopened

if TYPE_CHECKING:
    Packet = av.packet.Packet[Any]
else:
    Packet = av.packet.Packet

Opener = Callable[[], str | BinaryIO]
"""Gives what FFmpeg is to read: an absolute path, or a stream that can be sought."""

THREADS = 4
"""Most packets decoded at once; more would make every seek wait for as many frames that nobody asked for."""

OPTIONS = {
    "format_whitelist": "mov,matroska,avi,mpeg,mpegts,asf,h264,hevc,mpegvideo,m4v",
    "protocol_whitelist": "file",
}
"""The only containers a file may be, whatever it is called: play lists and scripts, which FFmpeg also knows,
would have it open other files. Raw streams are those of DICOM objects."""


def open_video(opener: Opener, *, strict: bool = False) -> tuple[InputContainer, VideoStream]:
    """The container and its picture track. Raises OSError; SourceError with what is wrong and what to do.

    ``strict``: the decoder refuses damaged packets; else it makes up what is missing where it can. Who
    closes the container also closes the stream it reads from, if it is one: see `opened`.
    """
    what = opener()
    try:
        container = av.open(what, "r", metadata_errors="replace", options=OPTIONS)
    except OSError:
        raise
    except (av.FFmpegError, ValueError) as error:
        raise SourceError(why_unopened(what, error)) from error
    try:
        stream = _picture_track(container)
    except SourceError:
        container.close()
        raise
    context = stream.codec_context
    context.options = {"max_pixels": str(MAX_PIXELS)} | (
        {"err_detect": _checks(context.name)} if strict else {}
    )
    stream.thread_type = "AUTO"
    # Under damage, MPEG-4's B frames race with the frame they refer to, and now and then no complaint comes.
    context.thread_count = 1 if context.name == "mpeg4" else min(THREADS, os.cpu_count() or 1)
    return container, stream


@contextmanager
def opened(opener: Opener, *, strict: bool = False) -> Iterator[tuple[InputContainer, VideoStream]]:
    """As `open_video`; at the end of the block the container is closed, and with it what it reads from."""
    what = opener()
    try:
        container, stream = open_video(lambda: what, strict=strict)
        with container:
            yield container, stream
    finally:
        if not isinstance(what, str):
            what.close()  # PyAV leaves that to others


def _picture_track(container: InputContainer) -> VideoStream:
    """The first track that is no cover picture. Raises SourceError."""
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        sound = ": it is sound only" if container.streams.audio else ""
        raise SourceError(f"holds no picture track{sound}; leave it out")
    context = streams[0].codec_context
    if context is None:
        raise SourceError("its pictures are coded in a way this program does not read: convert it to mp4")
    if not 0 < context.width * context.height <= MAX_PIXELS:
        raise SourceError(
            f"states a size of {context.width} x {context.height} pixels, which cannot be right or is "
            f"above the limit of {MAX_PIXELS // 1_000_000} megapixels: export it again"
        )
    if min(context.width, context.height) < MIN_SIDE:
        raise SourceError(f"too small ({context.width} x {context.height} pixels): export it at its own size")
    return streams[0]


def _checks(codec: str) -> str:
    """What a strict decoder looks for. Without more than the usual, WMV shows nearly all damage as pictures.

    Other decoders would take the stuffing for damage with which recorders fill up their packets.
    """
    return "crccheck+bitstream+buffer+explode" if codec.startswith(("wmv", "msmpeg4")) else "explode"


def packets_of(container: InputContainer, *streams: VideoStream) -> Iterator[Packet]:
    """The packets of some tracks, by default of all, as far as the file can be read. Raises OSError."""
    packets = container.demux(*streams)
    # FFmpeg looks for the next packet of a transport stream through 64 KB, then wants to be asked again.
    tries = most = max(0, container.size) // 2**15 + 100
    while True:
        try:
            packet = next(packets, None)
        except av.BlockingIOError:
            tries -= 1
            if not tries:
                return
            packets = container.demux(*streams)
            continue
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            return  # cut off here: what came before counts
        if packet is None:
            return
        tries = most
        yield packet


def is_picture(packet: Packet) -> bool:
    """False for an empty packet, as at the end, and for one whose frame the file itself leaves out."""
    return packet.size > 0 and not packet.is_discard


def decode_packet(packet: Packet) -> list[VideoFrame] | None:
    """The frames a packet brings out; None where it is damaged."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
    except (av.FFmpegError, ValueError):
        return None
