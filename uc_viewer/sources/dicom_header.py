"""The header of a DICOM file: what kind of object it is, how its pixels are stored, where they begin."""

from __future__ import annotations

import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import config, uid
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from uc_viewer.sources.archive import MAX_ENTRY_BYTES
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.dicom_identity import (
    NAMED,
    identity_of,
    numbers,
    several,
    strings,
    text,
    value,
)
from uc_viewer.sources.patients import Identity

# pydicom quotes values it finds odd, and these can be names. None may reach a log or a terminal, not even
# while another thread lets warnings out: so values are not looked at for oddities, and nothing is logged.
config.settings.reading_validation_mode = config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

HEAD_BYTES = 132
"""Bytes at the start of a file that tell whether it is a DICOM file (PS3.10, 7.1)."""

MAX_VALUE_BYTES = 2**20
"""A longer value of the header is not read; each colour of the largest palette has 131 072 bytes."""

MAX_ELEMENTS = 100_000
"""Most elements looked at before the pixel data; real headers have some hundred."""

DAMAGED = "its DICOM header is damaged: copy or export it again"

_PIXEL_DATA = 0x7FE00010
_FLOAT_PIXEL_DATA = (0x7FE00008, 0x7FE00009)
_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065
_UNDEFINED = 0xFFFFFFFF

_LONG = frozenset({b"OB", b"OW", b"OD", b"OF", b"OL", b"OV", b"UN"})
"""What pixel data may be in explicit VR; two reserved bytes and a length of four follow (PS3.5, 7.1.2)."""

_COLOURS = ("Red", "Green", "Blue")

_WANTED = (
    *NAMED,
    "SpecificCharacterSet",
    "SOPClassUID",
    "NumberOfFrames",
    "FrameIncrementPointer",
    "FrameTime",
    "FrameTimeVector",
    "CineRate",
    "RecommendedDisplayFrameRate",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "RescaleSlope",
    "RescaleIntercept",
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in _COLOURS),
    *(f"{colour}PaletteColorLookupTableData" for colour in _COLOURS),
)


@dataclass(frozen=True, eq=False)
class Layout:
    """How the pixels of a frame are stored.

    ``allocated`` and ``stored`` are bits per sample. ``window``: centre and width, in values after rescaling.
    ``palette``: the stored value of its first entry, and uint8 N x 3 RGB.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int
    allocated: int
    stored: int
    signed: bool
    slope: float = 1.0
    intercept: float = 0.0
    window: tuple[float, float] | None = None
    curve: str = "LINEAR"
    palette: tuple[int, NDArray[np.uint8]] | None = None


@dataclass(frozen=True, eq=False)
class Header:
    """What the header says, and where the value of the pixel data lies in the file (once inflated).

    ``body``: where the data set begins. ``start``: where the value of the pixel data does; its ``length`` is
    None where undefined, as it must be for encapsulated pixels. ``frames`` is the number stated. ``steps``:
    float64, seconds from each frame to the next, one less than frames. ``layout`` is None for a video.
    """

    identity: Identity
    syntax: uid.UID
    body: int
    start: int
    length: int | None
    pixel_vr: str
    frames: int
    frame_seconds: float | None
    steps: NDArray[np.float64] | None
    layout: Layout | None

    @property
    def codec(self) -> str:
        """How the pixels are coded, in words."""
        return str(self.syntax.name) if self.syntax.is_compressed else "uncompressed"

    def times(self, frames: int) -> NDArray[np.float64] | None:
        """Time of each of the first ``frames`` in seconds, from 0; None if the header states none."""
        if self.steps is not None:
            whole = np.concatenate([[0.0], np.cumsum(self.steps)])
            return whole[:frames] if frames <= len(whole) else None
        return (
            None if self.frame_seconds is None else np.arange(frames, dtype=np.float64) * self.frame_seconds
        )


def starts_like_dicom(head: bytes) -> bool:
    """True if the first `HEAD_BYTES` of a file say that it is a DICOM file."""
    return head[128:HEAD_BYTES] == b"DICM"


def read_header(file: BinaryIO) -> tuple[Header, BinaryIO]:
    """Read everything up to the pixel data, of which nothing is read.

    Also gives the file in which the header's positions hold: the same, or the inflated one. Raises
    SourceError with what is wrong and what to do, and OSError.
    """
    with _reading(DAMAGED):
        meta, body = _read_meta(file)
        if text(meta, "MediaStorageSOPClassUID") == uid.MediaStorageDirectoryStorage:
            raise SourceError("a DICOMDIR, the table of contents of a disc, not a picture: give its folder")
        syntax = uid.UID(text(meta, "TransferSyntaxUID"))
        if not syntax:
            raise SourceError("does not say how its pixels are stored (no transfer syntax): export it again")
        if not syntax.is_valid:
            raise SourceError(DAMAGED)
        if syntax.is_private or not syntax.is_transfer_syntax:
            raise SourceError(f"stored in a maker's own way (transfer syntax {syntax}): export it as JPEG")
        plain = inflated(file, body) if syntax == uid.DeflatedExplicitVRLittleEndian else file
        return _read_body(plain, syntax, body), plain


def read_directory(file: BinaryIO) -> list[tuple[str, ...]]:
    """The file IDs of all pictures a DICOMDIR lists, as parts of relative paths. Raises as `read_header`."""
    with _reading("a damaged DICOMDIR: give the folder with the pictures instead"):
        _, body = _read_meta(file)
        file.seek(body)
        keyword = "DirectoryRecordSequence"
        # Always explicit VR little endian (PS3.10, 8.6).
        found = read_dataset(
            file, False, True, stop_when=_stop_at(_is_pixels), specific_tags=_tags([keyword])
        )
        if keyword not in found:
            raise SourceError("lists no files, so it is no DICOMDIR: give the folder with the pictures")
        pictures = (item for item in found[keyword].value if item.get("DirectoryRecordType") == "IMAGE")
        parts = (strings(item.get("ReferencedFileID")) for item in pictures)
        return [name for name in parts if name]


def inflated(file: BinaryIO, body: int) -> BinaryIO:
    """A deflated file as it was before, in memory, its data set at the same place. Raises SourceError."""
    file.seek(0)
    head = file.read(body)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        rest = inflate.decompress(file.read(MAX_ENTRY_BYTES), MAX_ENTRY_BYTES)
    except zlib.error:
        raise SourceError("its deflated part is damaged: copy or export it again") from None
    if inflate.unconsumed_tail:
        raise SourceError("expands beyond all proportion: export it without the deflated transfer syntax")
    return io.BytesIO(head + rest)


@contextmanager
def _reading(damaged: str) -> Iterator[None]:
    """Let neither warnings nor errors of pydicom out: the latter become SourceError(damaged)."""
    with warnings.catch_warnings():
        # pydicom warns of what breaks the standard; what matters of it is judged here.
        warnings.simplefilter("ignore")
        try:
            yield
        except SourceError:
            raise
        # Foreign bytes: pydicom raises ValueError, KeyError, struct.error, NotImplementedError and more.
        # Their texts may quote the header, so they are not passed on.
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the system's, not pydicom's
            raise SourceError(damaged) from None


def _read_meta(file: BinaryIO) -> tuple[Dataset, int]:
    """The file meta information, and where the data set begins."""
    file.seek(0)
    if not starts_like_dicom(file.read(HEAD_BYTES)):
        raise SourceError(
            "not a DICOM file, or one saved without its first part: export it again as a DICOM file (Part 10)"
        )
    stop = _stop_at(lambda tag: tag >> 16 != 2)
    return read_dataset(file, False, True, stop_when=stop, defer_size=MAX_VALUE_BYTES), file.tell()


def _stop_at(last: Callable[[int], bool]) -> Callable[[BaseTag, str | None, int], bool]:
    """Tells pydicom to stop before an element; a header without end is damaged."""
    looked_at = 0

    def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
        nonlocal looked_at
        looked_at += 1
        if looked_at > MAX_ELEMENTS:
            raise SourceError(DAMAGED)
        return last(tag)

    return stop


def _is_pixels(tag: int) -> bool:
    return tag == _PIXEL_DATA or tag in _FLOAT_PIXEL_DATA


def _tags(keywords: tuple[str, ...] | list[str]) -> list[BaseTag | int]:
    return [tag for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None]


def _read_body(file: BinaryIO, syntax: uid.UID, body: int) -> Header:
    file.seek(body)
    ds = read_dataset(
        file,
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        stop_when=_stop_at(_is_pixels),
        defer_size=MAX_VALUE_BYTES,
        specific_tags=_tags(_WANTED),
    )
    vr, length = _pixel_element(file, ds, bool(syntax.is_little_endian))
    frames = int((numbers(ds, "NumberOfFrames") or [1])[0])
    frame_seconds, steps = _cadence(ds, frames)
    video = syntax in uid.MPEGTransferSyntaxes
    return Header(
        identity=identity_of(ds),
        syntax=syntax,
        body=body,
        start=file.tell(),
        length=None if length == _UNDEFINED else length,
        pixel_vr=vr,
        frames=frames,
        frame_seconds=frame_seconds,
        steps=steps,
        layout=None if video else _layout(ds, not syntax.is_little_endian),
    )


def _pixel_element(file: BinaryIO, ds: Dataset, little: bool) -> tuple[str, int]:
    """Read tag and length of the pixel data, so that the file stands at its value. Gives VR and length."""
    order = "<" if little else ">"
    head = file.read(8)
    if len(head) < 8:
        raise SourceError(_describe_no_pixels(ds))
    group, element = struct.unpack(f"{order}HH", head[:4])
    if (group << 16 | element) in _FLOAT_PIXEL_DATA:
        raise SourceError("its pixels are floating-point numbers: export it as an 8-bit picture")
    if ds.original_encoding[0]:
        return "OW", int(struct.unpack(f"{order}L", head[4:])[0])
    if head[4:6] not in _LONG:
        raise SourceError(DAMAGED)
    return head[4:6].decode("ascii"), int(struct.unpack(f"{order}L", file.read(4))[0])


def _describe_no_pixels(ds: Dataset) -> str:
    if value(ds, "Rows") is not None:
        return "its pixel data is missing: the file is cut short; copy or export it again"
    kind = uid.UID(text(ds, "SOPClassUID"))
    name = "" if kind.is_private or kind.name == kind else f" ({kind.name.removesuffix(' Storage')})"
    return f"a DICOM object without a picture{name}: leave it out"


def _cadence(ds: Dataset, frames: int) -> tuple[float | None, NDArray[np.float64] | None]:
    """Seconds per frame, or the seconds from each frame to the next, as stated (PS3.3, C.7.6.5).

    Neither where the frames follow each other by something other than time, or the times make no sense.
    """
    pointers = [int(tag) for tag in several(value(ds, "FrameIncrementPointer")) if isinstance(tag, int)]
    by_vector, by_time = _FRAME_TIME_VECTOR in pointers, _FRAME_TIME in pointers
    if any(pointers) and not by_vector and not by_time:
        return None, None
    steps = np.array(numbers(ds, "FrameTimeVector")) / 1000
    if by_vector or (len(steps) and not by_time):
        # The first number is the step to the first frame, 0; some leave it out.
        steps = steps[1:] if len(steps) == frames else steps
        sound = len(steps) == frames - 1 and bool(np.isfinite(steps).all() and (steps > 0).all())
        return None, steps if sound else None
    for keyword, per_second in (("FrameTime", 0), ("CineRate", 1), ("RecommendedDisplayFrameRate", 1)):
        stated = numbers(ds, keyword)
        if len(stated) == 1 and 0 < stated[0] < 1e7:
            return (1 / stated[0] if per_second else stated[0] / 1000), None
    return None, None


def _layout(ds: Dataset, big_endian: bool) -> Layout:
    def number(keyword: str, unless: float | None = None) -> float:
        stated = numbers(ds, keyword)
        if not stated and unless is None:
            raise SourceError(f"its header does not state {keyword}: export it again")
        return stated[0] if stated else unless or 0.0

    photometric = text(ds, "PhotometricInterpretation").upper()
    if not re.fullmatch("[A-Z0-9_ ]{0,16}", photometric):
        raise SourceError(DAMAGED)
    allocated = int(number("BitsAllocated"))
    width = number("WindowWidth", 0)
    return Layout(
        rows=int(number("Rows")),
        columns=int(number("Columns")),
        samples=int(number("SamplesPerPixel")),
        photometric=photometric,
        planar=int(number("PlanarConfiguration", 0)),
        allocated=allocated,
        stored=int(number("BitsStored", allocated)),
        signed=number("PixelRepresentation", 0) == 1,
        slope=number("RescaleSlope", 1) or 1.0,
        intercept=number("RescaleIntercept", 0),
        window=(number("WindowCenter", 0), width) if width > 0 else None,
        curve=text(ds, "VOILUTFunction").upper() or "LINEAR",
        palette=_palette(ds, big_endian) if photometric == "PALETTE COLOR" else None,
    )


def _palette(ds: Dataset, big_endian: bool) -> tuple[int, NDArray[np.uint8]]:
    """The stored value of a palette's first colour, and all of them, uint8 N x 3 (PS3.3, C.7.6.3.1.5)."""
    descriptor = numbers(ds, "RedPaletteColorLookupTableDescriptor")
    tables = [value(ds, f"{colour}PaletteColorLookupTableData") for colour in _COLOURS]
    if len(descriptor) != 3 or not all(isinstance(table, bytes) for table in tables):
        raise SourceError("its palette is missing or stored in segments: export it in true colour")
    entries = int(descriptor[0]) or 2**16
    columns = [_palette_column(table, entries, big_endian) for table in tables if isinstance(table, bytes)]
    return int(descriptor[1]), np.stack(columns, axis=1)


def _palette_column(table: bytes, entries: int, big_endian: bool) -> NDArray[np.uint8]:
    words = np.frombuffer(table, ">u2" if big_endian else "<u2")
    if len(words) >= entries:
        # Sixteen bits are often stated where the colours use only eight of them.
        return (words >> 8 if words.max() > 255 else words)[:entries].astype(np.uint8)
    narrow = np.frombuffer(words.astype("<u2").tobytes(), np.uint8)
    if len(narrow) < entries:
        raise SourceError("its palette is too short: export it in true colour")
    return narrow[:entries]
