"""The frames of a DICOM object: where each lies, and from its bytes to upright 8-bit RGB."""

from __future__ import annotations

import io
import os
import re
import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import decode as decode_jpeg_2000
from PIL import Image, JpegImagePlugin, UnidentifiedImageError
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space

from uc_viewer.sources.archive import MAX_ENTRY_BYTES
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.dicom_header import Header, Layout
from uc_viewer.sources.dicom_video import Fragments, find_fragments
from uc_viewer.sources.pictures import MAX_PIXELS, MIN_SIDE, PictureError, decode, decode_small

MAX_FRAMES = 1_000_000
"""Most frames of one object (9 hours at 30 a second)."""

CUT_SHORT = "cut short, a part of its pixels is missing: copy or export it again"

_JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit)
_JPEG_2000 = (uid.JPEG2000Lossless, uid.JPEG2000)
_PLUGINS = {uid.RLELossless: "pydicom"} | dict.fromkeys(_JPEG, "pillow")
"""The one decoder pydicom is to use for each syntax: every installation sees the same pixels."""

_BEGINNINGS = (
    dict.fromkeys(_JPEG, (b"\xff\xd8\xff",))
    | dict.fromkeys(_JPEG_2000, (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "))
    | {uid.RLELossless: tuple(bytes([segments, 0, 0, 0]) for segments in range(1, 16))}
)
"""How the bytes of a frame begin."""

_END = b"\xff\xd9"
"""How the bytes of a frame end, in JPEG and in JPEG 2000."""

_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")

_MCT_AT = 8
"""Place of the flag "colours are transformed" behind the COD marker of JPEG 2000 (ISO/IEC 15444-1, A.6.1)."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Where the frames of an object lie, and how to decode them. Holds none.

    ``frames`` are all that are wholly there, ``share`` the part of those stated. ``coded`` is None for pixels
    that are not encapsulated, else their fragments, with int64 N + 1: which one each of N frames begins with,
    and where the last ends.
    """

    header: Header
    layout: Layout
    frames: int
    share: float
    notes: tuple[str, ...]
    coded: tuple[Fragments, NDArray[np.int64]] | None

    @classmethod
    def of(cls, file: BinaryIO, header: Header) -> Pixels:
        """Find the frames of an open file, decoding none. Raises SourceError and OSError."""
        layout = header.layout
        if layout is None:
            raise SourceError("a video and not pictures: open it as a video")
        _check(header, layout)
        if not header.syntax.is_compressed:
            frames = _native_frames(file, header, layout)
            return cls(header, layout, frames, frames / header.frames, (), None)
        fragments = find_fragments(file, header.start, header.length)
        firsts = _first_fragments(file, header, fragments)
        # The last frame is lost where its bytes break off.
        frames = len(firsts) - 1 - (not fragments.whole)
        if frames < 1:
            raise SourceError(CUT_SHORT)
        share = min(1.0, frames / header.frames)
        return cls(header, layout, frames, share, fragments.notes, (fragments, firsts))

    def picture(self, file: BinaryIO, index: int) -> NDArray[np.uint8]:
        """Decode one frame, uint8 H x W x 3 RGB. Raises SourceError, with a reason to show, and OSError."""
        return self._decode(file, index, None)

    def small(self, file: BinaryIO, index: int, side: int) -> NDArray[np.uint8]:
        """As `picture`, shrunk until no side is longer than ``side``."""
        return self._decode(file, index, side)

    def _decode(self, file: BinaryIO, index: int, side: int | None) -> NDArray[np.uint8]:
        coded = None if self.coded is None else _coded_bytes(file, *self.coded, index)
        with warnings.catch_warnings():
            # pydicom warns of headers at odds with the pixels; what matters is judged here.
            warnings.simplefilter("ignore")
            try:
                return self._rgb(file, index, side) if coded is None else self._coded_rgb(coded, side)
            except SourceError:
                raise
            except PictureError as error:
                raise SourceError(str(error)) from error
            # Foreign bytes: the decoders raise RuntimeError, ValueError, struct.error, even OSError.
            except Exception as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise  # the system's
                raise SourceError(_describe_damage(error)) from error

    def _rgb(self, file: BinaryIO, index: int, side: int | None) -> NDArray[np.uint8]:
        header, layout = self.header, self.layout
        file.seek(header.start)
        rgb = to_rgb(_samples(file, index, header, layout, header.frames), layout)
        return rgb if side is None else _shrunk(rgb, side)

    def _coded_rgb(self, data: bytes, side: int | None) -> NDArray[np.uint8]:
        layout, syntax = self.layout, self.header.syntax
        _check_coded(data, syntax, layout)
        if syntax in _JPEG and layout.samples == 3 and not _stored_as_rgb(data, layout):
            return decode(data) if side is None else decode_small(data, side)
        if syntax in _JPEG_2000:
            samples = _jpeg_2000(data, layout)
        else:
            samples = _samples(encapsulate([data], has_bot=False), 0, self.header, layout, 1)
        rgb = to_rgb(samples, layout)
        return rgb if side is None else _shrunk(rgb, side)


def _check(header: Header, layout: Layout) -> None:
    """Refuse from the header what cannot or must not be decoded."""
    syntax = header.syntax
    if syntax.is_compressed and syntax not in _BEGINNINGS:
        raise SourceError(
            f"its pixels are coded as {syntax.name}, which this program does not read: "
            "export it uncompressed, as JPEG baseline or as JPEG 2000"
        )
    if not 1 <= header.frames <= MAX_FRAMES:
        raise SourceError(f"its header states {header.frames} frames, which cannot be right: export it again")
    if layout.rows * layout.columns > MAX_PIXELS:
        raise SourceError(
            f"{layout.columns} x {layout.rows} pixels: larger than the limit of {MAX_PIXELS // 1_000_000} "
            "megapixels: export it at the endoscope's own resolution"
        )
    if min(layout.rows, layout.columns) < MIN_SIDE:
        raise SourceError(
            f"too small ({layout.columns} x {layout.rows} pixels, at least {MIN_SIDE} on each side needed): "
            "export the picture at its original size"
        )
    kinds = {1: _GREY, 3: _COLOUR}.get(layout.samples, ())
    if layout.photometric not in kinds:
        raise SourceError(
            f"its colours are stored as {layout.photometric or 'nothing stated'} in {layout.samples} "
            "samples, which this program does not read: export it in RGB"
        )
    if layout.allocated not in (8, 16) or not 1 <= layout.stored <= layout.allocated:
        raise SourceError(
            f"its pixels have {layout.stored} of {layout.allocated} bits, which this program does not read: "
            "export it with 8 bits"
        )


def _native_frames(file: BinaryIO, header: Header, layout: Layout) -> int:
    """How many uncompressed frames are wholly there."""
    if header.length is None:
        raise SourceError("its pixels are coded, though its header says they are not: export it again")
    each = layout.rows * layout.columns * layout.samples * layout.allocated // 8
    if layout.photometric == "YBR_FULL_422":
        each = each * 2 // 3
    wanted = each * header.frames
    # Some pad their pixels by more than one byte; more than that is another layout than the one stated.
    if header.length - wanted >= max(each // 8, 2):
        raise SourceError("holds more pixels than its header states: export it again")
    size = file.seek(0, os.SEEK_END)
    frames = min(min(header.length, size - header.start) // each, header.frames)
    if frames < 1:
        raise SourceError(CUT_SHORT)
    return frames


def _first_fragments(file: BinaryIO, header: Header, fragments: Fragments) -> NDArray[np.int64]:
    """The first fragment of every frame, and at the end how many there are.

    The table of offsets is not asked: it is often empty or wrong, and coded frames tell where they begin.
    """
    count = len(fragments.starts)
    begins = _BEGINNINGS[header.syntax]
    if not _begins(file, fragments, 0, begins):
        raise SourceError(f"its pixels are not {header.codec}, as its header says: export it again")
    firsts = list(range(count))
    if header.syntax != uid.RLELossless:  # which has one fragment for each frame
        found = [part for part in firsts if _begins(file, fragments, part, begins)]
        # Where the numbers agree, a few that do not begin like a frame are damaged frames.
        if count != header.frames or len(found) < 0.75 * count:
            firsts = found
    if len(firsts) > MAX_FRAMES:
        raise SourceError(f"holds more than {MAX_FRAMES:,} frames: export it in parts")
    return np.array([*firsts, count], np.int64)


def _coded_bytes(file: BinaryIO, fragments: Fragments, firsts: NDArray[np.int64], index: int) -> bytes:
    """The coded bytes of one frame."""
    parts = slice(int(firsts[index]), int(firsts[index + 1]))
    starts, lengths = fragments.starts[parts].tolist(), fragments.lengths[parts].tolist()
    if sum(lengths) > MAX_ENTRY_BYTES:
        raise SourceError(f"a frame of more than {MAX_ENTRY_BYTES // 2**20} MB: export it again")
    data = bytearray()
    for start, length in zip(starts, lengths, strict=True):
        file.seek(start)
        data += file.read(length)
    if len(data) < sum(lengths):
        raise SourceError(CUT_SHORT)
    return bytes(data)


def _begins(file: BinaryIO, fragments: Fragments, part: int, begins: tuple[bytes, ...]) -> bool:
    file.seek(int(fragments.starts[part]))
    return file.read(min(12, int(fragments.lengths[part]))).startswith(begins)


def _check_coded(data: bytes, syntax: uid.UID, layout: Layout) -> None:
    """Refuse coded bytes whose own size is not the header's, before a decoder makes room for them."""
    if not data.startswith(_BEGINNINGS[syntax]):
        raise SourceError(f"this frame is not {syntax.name}, as its header says: export it again")
    if syntax in _JPEG:
        with _jpeg(data) as picture:
            size = picture.size
    elif syntax in _JPEG_2000:
        at = data.index(b"\xff\x4f\xff\x51")
        right, bottom, left, top = (int.from_bytes(data[at + n : at + n + 4], "big") for n in (8, 12, 16, 20))
        size = (right - left, bottom - top)
        if int.from_bytes(data[at + 40 : at + 42], "big") != layout.samples:
            raise SourceError("its header and the picture in it differ in their colours: export it again")
    else:
        return
    # A decoder of JPEG 2000 makes up what is missing, so the end is looked for. Padding may follow it; within
    # the data of a picture these bytes do not occur.
    if _END not in data.rstrip(b"\x00")[-32:]:
        raise SourceError(CUT_SHORT)
    if size != (layout.columns, layout.rows):
        raise SourceError(
            f"its header says {layout.columns} x {layout.rows} pixels, the picture in it has "
            f"{size[0]} x {size[1]}: export it again"
        )


def _stored_as_rgb(data: bytes, layout: Layout) -> bool:
    """True if a JPEG stores red, green and blue though a decoder left to itself would take them for YCbCr.

    The header says so, and nothing in the JPEG says otherwise: no mark of JFIF, which is always YCbCr, or of
    Adobe, which says what it is; no colour at half the resolution, which makes no sense for RGB.
    """
    if layout.photometric != "RGB":
        return False
    with _jpeg(data) as picture:
        marked = "jfif" in picture.info or "adobe" in picture.info
        return not marked and JpegImagePlugin.get_sampling(picture) == 0


def _jpeg(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=("JPEG",))
    except UnidentifiedImageError:
        raise SourceError("damaged and cannot be decoded: copy or export it again") from None
    except Image.DecompressionBombError:
        raise SourceError("its picture is far larger than its header says: export it again") from None


def _jpeg_2000(data: bytes, layout: Layout) -> NDArray[Any]:
    """The samples of a JPEG 2000, H x W or H x W x 3, YCbCr turned into RGB.

    Decoded here and not by pydicom, which looks for decoders among the packages installed.
    """
    samples = decode_jpeg_2000(data)
    at = data.find(b"\xff\x52")
    # The decoder undoes a transformation of colours of its own; what comes out may be YCbCr without one.
    if layout.samples == 3 and data[at + _MCT_AT] == 0 and layout.photometric != "RGB":
        return convert_color_space(samples, "YBR_FULL", "RGB")
    return samples


def _samples(
    source: bytes | BinaryIO, index: int, header: Header, layout: Layout, frames: int
) -> NDArray[Any]:
    """The samples of one frame, H x W or H x W x 3, YCbCr turned into RGB."""
    options: dict[str, Any] = {
        "rows": layout.rows,
        "columns": layout.columns,
        "number_of_frames": frames,
        "samples_per_pixel": layout.samples,
        "photometric_interpretation": layout.photometric,
        "planar_configuration": layout.planar,
        "bits_allocated": layout.allocated,
        "bits_stored": layout.stored,
        "pixel_representation": int(layout.signed),
        "pixel_keyword": "PixelData",
        "pixel_vr": header.pixel_vr,
    }
    plugin = _PLUGINS.get(header.syntax, "")
    return get_decoder(header.syntax).as_array(source, index=index, decoding_plugin=plugin, **options)[0]


def to_rgb(samples: NDArray[Any], layout: Layout) -> NDArray[np.uint8]:
    """uint8 H x W x 3 RGB of the samples of a frame, H x W (grey or palette) or H x W x 3 (RGB)."""
    if layout.palette is not None:
        first, colours = layout.palette
        return colours[np.clip(samples.astype(np.int32) - first, 0, len(colours) - 1)]
    if layout.samples == 3:
        full = (1 << layout.stored) - 1
        if full == 255:
            return np.ascontiguousarray(samples, np.uint8)
        return ((samples.astype(np.uint32) * 255 + full // 2) // full).astype(np.uint8)
    grey = np.round(_windowed(samples, layout) * 255).astype(np.uint8)
    if layout.photometric == "MONOCHROME1":
        grey = 255 - grey
    return np.repeat(grey[:, :, None], 3, axis=2)


def _windowed(samples: NDArray[Any], layout: Layout) -> NDArray[np.floating]:
    """Grey from 0 to 1 through the window the header gives, else over all values that can be stored.

    H x W; formulas of PS3.3, C.11.2.1.
    """
    values: NDArray[np.floating] = samples.astype(np.float32) * layout.slope + layout.intercept
    if layout.window is None:
        lowest = -(1 << layout.stored - 1) if layout.signed else 0
        ends = (lowest, lowest + (1 << layout.stored) - 1)
        low, high = sorted(end * layout.slope + layout.intercept for end in ends)
        return np.asarray(np.clip((values - low) / (high - low), 0, 1))
    centre, width = layout.window
    if layout.curve == "SIGMOID":
        steep = np.clip(-4 * (values - centre) / width, -50, 50)
        return np.asarray(1 / (1 + np.exp(steep)))
    if layout.curve != "LINEAR_EXACT":
        centre, width = centre - 0.5, width - 1
    if width <= 0:
        return (values > centre).astype(np.float32)
    return np.asarray(np.clip((values - centre) / width + 0.5, 0, 1))


def _describe_damage(error: Exception) -> str:
    last = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip().rstrip(".")
    if "truncated" in last.casefold():
        return CUT_SHORT
    detail = re.sub(r"^(pillow|pydicom|pylibjpeg): ", "", last)
    return f"damaged and cannot be decoded ({detail}): copy or export it again"


def _shrunk(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    picture = Image.fromarray(rgb)
    picture.thumbnail((side, side), reducing_gap=2.0)
    return np.array(picture, np.uint8)
