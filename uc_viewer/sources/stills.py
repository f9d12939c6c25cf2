"""One still picture of a file, as a frame."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from uc_viewer.sources.archive import MAX_ENTRY_BYTES
from uc_viewer.sources.base import Frame, SourceError, Unreadable
from uc_viewer.sources.pictures import PictureError, decode

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
"""Files with these endings are pictures to score; any format of `pictures.FORMATS` may be inside."""

REFUSED = frozenset({".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl"})
"""Picture files that are not accepted: each gets a line instead of being passed over."""


def open_still(source_file: str, data: bytes) -> Frame | Unreadable:
    """The picture in the bytes of a file, or why there is none."""
    digest = hashlib.sha256(data).hexdigest()
    try:
        return Frame(decode(data), source_file, digest)
    except PictureError as error:
        return Unreadable(source_file, str(error), digest)


def read_file(path: Path) -> bytes:
    """All bytes of a plain file of bounded size. Raises SourceError with a reason for the reader."""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise SourceError("not a plain file: leave it out")
        if state.st_size > MAX_ENTRY_BYTES:
            raise SourceError(
                f"larger than {MAX_ENTRY_BYTES // 2**20} MB: export it at the endoscope's own resolution"
            )
        with path.open("rb") as file:
            return file.read(state.st_size + 1)
    except OSError as error:
        raise SourceError(describe(error)) from error


def describe(error: OSError) -> str:
    """Why a file or folder cannot be read, and what to do."""
    if isinstance(error, PermissionError):
        return "no permission to read it: change its permissions or copy it to a folder of yours"
    if isinstance(error, FileNotFoundError):
        return "not there (any more), or a link to nothing: check the folder and run again"
    return f"cannot be read ({error.strerror or error}): check the drive or the connection and run again"
