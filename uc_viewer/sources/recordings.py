"""Files of many frames and DICOM files: which they are, and how each is opened."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from uc_viewer.sources.base import Recording, SourceError
from uc_viewer.sources.patients import Identity
from uc_viewer.sources.sampling import Sampling
from uc_viewer.sources.video_structure import is_text

if TYPE_CHECKING:
    from uc_viewer.sources.dicom import DicomStill

VIDEO = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".vob", ".ts", ".m2ts", ".mts", ".wmv"}
)
"""Files with these endings are recordings."""

DICOM = frozenset({".dcm", ".dicom", ".dic"})
"""Files with these endings are DICOM files; many have none."""

RECORDINGS = VIDEO | DICOM

SCRIPTS = frozenset({".ts", ".mts"})
"""Endings that programs in TypeScript have as well."""

DIRECTORY = "DICOMDIR"
"""The table of contents of a DICOM disc: the files it names are found beside it."""


def is_dicom(path: Path, ending: str) -> bool:
    """True if a file is a DICOM file. Only those are looked into whose ending does not say what they are."""
    if ending in DICOM:
        return True
    if ending and not ending[1:].isdigit():
        return False
    try:
        if not path.is_file():
            return False  # opening a pipe would wait for whoever writes into it
        with path.open("rb") as file:
            file.seek(128)
            return file.read(4) == b"DICM"
    except OSError:
        return False


def is_script(path: Path, ending: str) -> bool:
    """True if a file is text, though its ending is that of a recording."""
    try:
        if ending not in SCRIPTS or not path.is_file():
            return False
        with path.open("rb") as file:
            return is_text(file.read(512))
    except OSError:
        return False


def opening(
    path: Path, source_file: str, sampling: Sampling, *, dicom: bool
) -> Generator[None, None, tuple[Recording | DicomStill, Identity | None]]:
    """Look a file through, bit by bit; returns what it is and whom it names. Raises SourceError.

    PyAV and pydicom are loaded with the first file that needs them.
    """
    if not dicom:
        from uc_viewer.sources.video import Video

        return (yield from Video.opening(path, source_file, sampling)), None
    from uc_viewer.sources.dicom import DicomVideo, read

    if path.exists() and not path.is_file():
        raise SourceError("not a plain file: leave it out")
    found = read(lambda: path.open("rb"), source_file, sampling)
    if isinstance(found, DicomVideo):
        from uc_viewer.sources.video import Video

        video = yield from Video.opening(
            path, source_file, sampling, found.open_stream, step=found.frame_seconds, share=found.share
        )
        return video, found.identity
    return found, found.identity
