"""What the outermost structure of a video file tells: whether it goes on to its end, why it will not open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_PARTS = 1_000_000
"""Outermost parts looked at; a file made of more is taken as it is."""

_ASF_HEAD = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"

_TS_SYNC = 0x47
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))
"""Lengths of the packets of a transport stream, and where in them the byte 0x47 stands: plain, with the time
of arrival before it (m2ts), with a check sum behind it."""


def goes_to_its_end(file: BinaryIO, container: str) -> bool | None:
    """False where a file is shorter than its own structure says, None where that says nothing.

    ``container``: FFmpeg's name of the format. Reads a few bytes for each outermost part. Raises OSError.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    for name, look in (
        ("mov", _boxes_end),
        ("avi", _riff_ends),
        ("matroska", _segment_ends),
        ("asf", _asf_ends),
        ("mpegts", _transport_ends),
    ):
        if name in container.split(","):
            return look(file, size)
    return None


def why_unopened(what: str | BinaryIO, error: Exception) -> str:
    """Why FFmpeg could not open a path or stream as a video, and what to do."""
    try:
        with Path(what).open("rb") if isinstance(what, str) else what as file:
            file.seek(0)
            head = file.read(512)
            if not head:
                return "the file is empty (0 bytes): copy or export it again"
            if is_text(head):
                return "not a recording but text: leave it out"
            if not _has_index(file):
                return (
                    "the recording was not finalised: its table of contents (moov) is missing, as after a "
                    "power cut. Finalise it on the recorder, or repair it with the recorder's own tool"
                )
    except OSError:
        pass  # the line below says what FFmpeg found
    reason = str(getattr(error, "strerror", "") or error).rstrip(".")
    return f"cannot be opened as a video ({reason}): copy or export it again"


def is_text(head: bytes) -> bool:
    """True if the first bytes of a file are text: a script that is called .ts, and no transport stream."""
    if not head or any(byte < 32 and byte not in b"\t\n\f\r" for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3  # a letter cut in two by the end of what was read
    return True


def _has_index(file: BinaryIO) -> bool:
    """False for an mp4 or mov (ISO 14496-12: boxes of size and type) without its "moov"."""
    file.seek(0)
    head = file.read(8)
    if len(head) < 8 or head[4:8] not in (b"ftyp", b"mdat", b"wide", b"free"):
        return True
    for kind, _, length in _boxes(file):
        if kind == b"moov":
            return True
        if length is None:
            return False  # it goes on to the end of the file
    return False


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int | None]]:
    """Type, place and length of the outermost boxes; no length for one that goes on to the end."""
    at = 0
    for _ in range(MOST_PARTS):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            return
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1 and len(header) == 16:
            size = int.from_bytes(header[8:16], "big")
        yield kind, at, size if size >= 8 else None
        if size < 8:
            return
        at += size


def _boxes_end(file: BinaryIO, size: int) -> bool:
    return all(length is None or at + length <= size for _, at, length in _boxes(file))


def _riff_ends(file: BinaryIO, size: int) -> bool:
    at = 0
    for _ in range(MOST_PARTS):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8 or header[:4] != b"RIFF":
            break
        length = int.from_bytes(header[4:], "little")
        if not length:
            return False  # written when the recording ends
        at += 8 + length
    return at <= size


def _segment_ends(file: BinaryIO, size: int) -> bool | None:
    head = file.read(256)
    if head[:4] != _EBML or (first := _vint(head, 4)) is None:
        return None
    at = first[1] + first[0]
    if head[at : at + 4] != _SEGMENT or (found := _vint(head, at + 4)) is None:
        return None
    length, start = found
    return start + length <= size


def _vint(data: bytes, at: int) -> tuple[int, int] | None:
    """A number of Matroska (RFC 8794, section 4) and where it ends; None for an unknown length."""
    if at >= len(data) or not data[at]:
        return None
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return None if value == (1 << 7 * width) - 1 else (value, at + width)


def _asf_ends(file: BinaryIO, size: int) -> bool | None:
    head = file.read(4096)
    at = head.find(_ASF_PROPERTIES)
    if head[:16] != _ASF_HEAD or at < 0 or len(head) < at + 92:
        return None
    stated = int.from_bytes(head[at + 40 : at + 48], "little")
    live = int.from_bytes(head[at + 88 : at + 92], "little") & 1
    return None if live or not stated else stated <= size


def _transport_ends(file: BinaryIO, size: int) -> bool | None:
    head = file.read(4 * 204 + 1)
    for length, sync in _TS_PACKETS:
        if all(place < len(head) and head[place] == _TS_SYNC for place in range(sync, 4 * length, length)):
            return size % length == 0
    return None
