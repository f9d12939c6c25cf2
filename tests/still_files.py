"""Files for tests of the still sources: drawn, encoded, packed, and what becomes of them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from uc_viewer.sources.base import Frame, FrameSource, Unreadable
from uc_viewer.sources.listing import Files


def scene(width: int = 64, height: int = 48) -> np.ndarray:
    """A picture with a different colour in each corner, uint8 H x W x 3."""
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([255 * x // (width - 1), 255 * y // (height - 1), 90 + 0 * x]).astype(np.uint8)


def encode(image: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def put(path: Path, data: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(scene()) if data is None else data)
    return path


def names(source: FrameSource) -> list[str]:
    return [item.source_file for item in source]


def only(path: Path) -> Frame | Unreadable:
    (item,) = Files([path])
    return item


def reason(path: Path) -> str:
    item = only(path)
    assert isinstance(item, Unreadable)
    assert item.reason
    assert "\n" not in item.reason
    return item.reason


def png(width: int, height: int, bits: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    ends = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + ends


def pack(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path
