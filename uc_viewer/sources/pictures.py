"""Bytes of a still picture in, upright 8-bit RGB out, or one line that says why not."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
"""The only decoders a file's bytes may reach, whatever the file is called."""

MAX_PIXELS = 40_000_000
"""Largest picture decoded, in pixels (an 8K video frame has 33 million); more would cost over 1.5 GB."""

MIN_SIDE = 32
"""Shortest side, in pixels, of a picture that can show anything."""

ACCEPTED = "JPEG, PNG, BMP, TIFF or WebP"

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each value of the EXIF orientation tag (EXIF 2.32, tag 0x0112; 1 is upright)."""

_CUT_SHORT = "cut short, a part of the picture is missing: copy or export it again"

_BEGINNINGS = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"BM", "BMP"),
    (b"RIFF", "WebP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)

_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 258


class PictureError(Exception):
    """These bytes are no acceptable still picture; the message says why and what to do."""


def decode(data: bytes) -> np.ndarray:
    """Decode one still picture to uint8 H x W x 3 RGB, upright, H and W at least `MIN_SIDE`.

    EXIF orientation is applied; 16-bit grey is scaled by its full range; transparency is laid over
    black; palette, grey and CMYK become RGB. The size is checked from the header before any pixel is
    decoded. Raises PictureError for anything else, never a warning.
    """
    return _decode(data, None)


def decode_small(data: bytes, side: int) -> np.ndarray:
    """Decode a picture as `decode` does, then shrink it until no side is longer than ``side``.

    A JPEG is decoded at the fraction of its size that is needed, which is several times as fast. Raises
    PictureError, though damage that such a fraction does not meet may go unseen.
    """
    return _decode(data, side)


def _decode(data: bytes, side: int | None) -> np.ndarray:
    if not data:
        raise PictureError("the file is empty (0 bytes): copy or export it again")
    with warnings.catch_warnings():
        # Pillow warns of large sizes and odd metadata; both are judged here, once.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check_header(picture, data)
                if side is not None:
                    picture.draft("RGB", (side, side))
                picture.load()
                rgb = _to_rgb(picture)
                _check_whole(picture, rgb)
                if side is not None:
                    rgb.thumbnail((side, side), reducing_gap=2.0)
                rgb = _upright(rgb, picture)
        except PictureError:
            raise
        except UnidentifiedImageError:
            raise PictureError(_describe_foreign(data)) from None
        except Image.DecompressionBombError:
            raise PictureError(_too_large()) from None
        # Foreign bytes: the decoders raise OSError, SyntaxError, struct.error, KeyError and more on
        # damage. Whatever it was, this one file is refused with a reason and the run goes on.
        except Exception as error:
            raise PictureError(_describe_damage(error)) from error
    return np.array(rgb, dtype=np.uint8)


def _check_header(picture: Image.Image, data: bytes) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"{width} x {height} pixels: {_too_large()}")
    if min(width, height) < MIN_SIDE:
        raise PictureError(
            f"too small ({width} x {height} pixels, at least {MIN_SIDE} on each side needed): "
            "export the picture at its original size"
        )
    whole = {"JPEG": _jpeg_ends, "MPO": _jpeg_ends, "PNG": _png_ends}.get(picture.format or "")
    if whole and not whole(data):
        raise PictureError(_CUT_SHORT)
    frames = getattr(picture, "n_frames", 1)
    # In a multi-picture JPEG ("MPO") the first is the photograph and the rest are previews of it.
    if frames > 1 and picture.format != "MPO":
        kind = "pages" if picture.format == "TIFF" else "frames (animated)"
        raise PictureError(f"holds {frames} {kind}, not one still: export each as a separate PNG or JPEG")


def _jpeg_ends(data: bytes) -> bool:
    """True if the end-of-image marker follows the first scan.

    A download padded with zeros decodes to a half-grey picture without any error, so the marker is
    looked for. It must come after the scan begins: an embedded preview brings its own.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return True  # not a plain marker sequence: leave the judgement to the decoder
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0xDA:  # start of scan
            return data.find(b"\xff\xd9", at) >= 0
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _png_ends(data: bytes) -> bool:
    """True if the chunks follow each other up to the last one; a padded download ends in no chunk at all."""
    at = 8
    while at + 8 <= len(data):
        kind = data[at + 4 : at + 8]
        if kind == b"IEND":
            return True
        if not kind.isalpha():
            return False
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False


def _check_whole(picture: Image.Image, rgb: Image.Image) -> None:
    """Refuse a JPEG whose lowest rows were never there.

    Where the data of a JPEG breaks off early but ends in due form, the decoder fills up with exact
    middle grey and says nothing. No camera writes rows of it. (A picture of nothing else is whole, if blank.)
    """
    if picture.format not in ("JPEG", "MPO"):
        return
    width, height = rgb.size
    lowest = rgb.crop((0, height - 8, width, height))
    grey = ((128, 128),) * 3
    if lowest.getextrema() == grey != rgb.getextrema():
        raise PictureError(_CUT_SHORT)


def _to_rgb(picture: Image.Image) -> Image.Image:
    mode = picture.mode
    if mode == "RGB":
        return picture
    if mode.startswith("I"):
        return Image.fromarray(_scale_to_8_bit(picture)).convert("RGB")
    if mode == "F":
        raise PictureError("its pixels are floating-point numbers: export it as an 8-bit picture")
    if ("a" in mode.lower() and mode != "LAB") or "transparency" in picture.info:
        rgba = picture if mode == "RGBA" else picture.convert("RGBA")
        black = Image.new("RGB", rgba.size)
        black.paste(rgba, mask=rgba.getchannel("A"))
        return black
    return picture.convert("RGB")


def _scale_to_8_bit(picture: Image.Image) -> np.ndarray:
    """Scale grey of more than 8 bits to uint8 H x W by the full range its header states."""
    values = np.array(picture)
    bits = 16
    if picture.format == "TIFF":
        bits = int(picture.tag_v2.get(_BITS_PER_SAMPLE, (16,))[0])  # type: ignore[attr-defined]
    if bits > 16 or values.min() < 0 or values.max() > 65535:
        raise PictureError("its pixels go beyond 16 bits: export it as an 8-bit picture")
    full = (1 << bits) - 1
    return ((values.astype(np.uint32) * 255 + full // 2) // full).astype(np.uint8)


def _upright(rgb: Image.Image, picture: Image.Image) -> Image.Image:
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:
        # Damaged metadata around sound pixels: no orientation is stated, so none is applied.
        orientation = 1
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return rgb if turn is None else rgb.transpose(turn)


def _too_large() -> str:
    limit = MAX_PIXELS // 1_000_000
    return f"larger than the limit of {limit} megapixels: export it at the endoscope's own resolution"


def _describe_damage(error: Exception) -> str:
    text = str(error).strip().splitlines()
    detail = text[0].rstrip(".") if text else type(error).__name__
    if "truncated" in detail:
        return _CUT_SHORT
    return f"damaged and cannot be decoded ({detail}): copy or export it again"


def _describe_foreign(data: bytes) -> str:
    """Say what the bytes are, as far as their first bytes tell."""
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return f"a GIF, which is not accepted (256 colours, often animated): export it as {ACCEPTED}"
    known = (
        (0, b"%PDF", "a PDF"),
        (0, b"PK\x03\x04", "a zip archive or an office document"),
        (128, b"DICM", "a DICOM file"),
        (4, b"ftyp", "a video, HEIC or AVIF file"),
        (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 file"),
    )
    for offset, magic, name in known:
        if data[offset : offset + len(magic)] == magic:
            return f"{name} and not a still picture: export it as {ACCEPTED}"
    for magic, name in _BEGINNINGS:
        if data.startswith(magic):
            return f"starts like a {name} but is cut short or damaged: copy or export it again"
    head = data[:512]
    if all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        return f"not a picture but text: leave it out, or export the picture as {ACCEPTED}"
    return f"not a picture this program reads: export it as {ACCEPTED}"
