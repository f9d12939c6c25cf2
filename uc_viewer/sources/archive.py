"""Zip archives as sources of bytes: listed and read in memory, never unpacked to disk."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from uc_viewer.sources.base import SourceError

MAX_ENTRY_BYTES = 256 * 2**20
"""Most bytes one entry may expand to (also the most read of a plain file)."""

MAX_RATIO = 200
"""Most bytes out per byte in, for entries and for the archive as a whole."""

SMALL_BYTES = 32 * 2**20
"""An entry up to this size is let through whatever its ratio: a blank bitmap squeezes very well."""

SMALL_TOTAL_BYTES = 2**30
"""Total expansion allowed to any archive; a larger one may expand to `MAX_RATIO` times its size."""

OUTSIDE = "its name points outside the archive, so it was not read: make the archive again"

_CHUNK = 2**20
_ENCRYPTED = 0x1
_UTF8 = 0x800


@dataclass(frozen=True)
class Member:
    """One entry of an archive: position, name with ``/``, and why it may not be read (or empty).

    ``outside`` is True for a name that points outside the archive; whatever it is, it is no accident.
    """

    position: int
    name: str
    refusal: str = ""
    outside: bool = False


class Archive:
    """An open zip file whose entries can be read one by one within fixed bounds.

    Use as a context manager. Raises SourceError, with a reason for the reader, if the file cannot be
    opened as a zip archive or an entry cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._expanded = 0
        try:
            self._size = path.stat().st_size
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            reason = f"cannot be opened ({error.strerror or error}): check its permissions"
            raise SourceError(reason) from error
        # Foreign bytes: zipfile raises BadZipFile, ValueError, struct.error, NotImplementedError.
        except Exception as error:
            raise SourceError("not a zip archive, or damaged: make the archive again") from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def members(self) -> Iterator[Member]:
        """List the files in the archive, in its own order, without reading them; no folders."""
        for position, info in enumerate(self._zip.infolist()):
            name = _decode_name(info).replace("\\", "/")  # some Windows programs write "\\"
            if not name.endswith("/"):
                outside = _is_outside(name)
                yield Member(position, name, OUTSIDE if outside else _refusal(info, name), outside)

    def read(self, position: int) -> bytes:
        """Give the bytes of one entry.

        The bounds count the bytes that really come out; the sizes stated in the archive are not trusted.
        Raises SourceError if they are exceeded or the entry is damaged.
        """
        allowed = max(SMALL_TOTAL_BYTES, MAX_RATIO * self._size)
        if self._expanded >= allowed:
            raise SourceError(
                "not read: the archive expands beyond all proportion (a zip bomb?): "
                "unpack it yourself if you trust it"
            )
        try:
            info = self._zip.infolist()[position]
            entry_limit = min(MAX_ENTRY_BYTES, max(SMALL_BYTES, MAX_RATIO * info.compress_size))
            parts: list[bytes] = []
            size = 0
            with self._zip.open(info) as entry:
                while chunk := entry.read(_CHUNK):
                    size += len(chunk)
                    self._expanded += len(chunk)
                    if size > entry_limit or self._expanded > allowed:
                        raise SourceError(
                            "expands beyond all proportion (a zip bomb?): "
                            "leave it out, or unpack it yourself if you trust it"
                        )
                    parts.append(chunk)
        except (zipfile.BadZipFile, zlib.error, EOFError, IndexError) as error:
            raise SourceError("damaged inside the archive: make the archive again") from error
        except (NotImplementedError, RuntimeError) as error:
            raise SourceError("packed in a way that cannot be read: make an ordinary zip") from error
        except OSError as error:
            reason = f"cannot be read ({error.strerror or error}): copy the archive again"
            raise SourceError(reason) from error
        return b"".join(parts)


def _is_outside(name: str) -> bool:
    parts = name.split("/")
    return ".." in parts or not parts[0] or parts[0].endswith(":")


def _refusal(info: zipfile.ZipInfo, name: str) -> str:
    if name.lower().endswith(".zip"):
        return "a zip inside a zip is not opened: unpack it and give it by itself"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted with a password: unpack the archive and give the folder"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "packed with an unusual method: make the archive again as an ordinary zip (deflate)"
    return ""


def _decode_name(info: zipfile.ZipInfo) -> str:
    """Entry name as text; UTF-8 without its flag is what macOS writes, so that is tried first."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename
