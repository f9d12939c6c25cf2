"""DICOM files as sources: stills, objects of several frames, videos, and the table of contents of a disc."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import DeflatedExplicitVRLittleEndian

from uc_viewer.sources.base import Frame, RecordingFacts, SourceError, SourceGone, Unreadable
from uc_viewer.sources.dicom_header import (
    inflated,
    read_directory,
    read_header,
)
from uc_viewer.sources.dicom_pixels import Pixels
from uc_viewer.sources.dicom_video import DicomVideo as DicomVideo
from uc_viewer.sources.dicom_video import OpenFile as OpenFile
from uc_viewer.sources.patients import Identity
from uc_viewer.sources.sampling import Sampling

HASHED_AT_ONCE = 2**20
"""Bytes of a file hashed at once."""

Decoded = TypeVar("Decoded")


def read(
    open_file: OpenFile, source_file: str, sampling: Sampling, digest: Callable[[], str] | None = None
) -> DicomStill | DicomFrames | DicomVideo:
    """Look a DICOM file through without decoding anything or keeping it open.

    ``open_file`` opens it anew each time. ``digest`` gives the SHA-256 of its bytes, asked for at most once,
    when the first frame is decoded; unless given, the file is read for it then. Raises SourceError with a
    reason for the user: what is wrong, and what to do.
    """
    digest = _once(digest or (lambda: _hash(open_file)))
    try:
        with open_file() as file:
            header, plain = read_header(file)
            if header.layout is None:
                return DicomVideo.of(plain, header, open_file, source_file, digest)
            pixels = Pixels.of(plain, header)
    except OSError as error:
        raise SourceError(_describe(error)) from error
    if pixels.frames == header.frames == 1:
        return DicomStill(pixels, open_file, source_file, digest)
    return DicomFrames(pixels, open_file, source_file, sampling, digest)


class DicomStill:
    """A DICOM object of one picture. ``identity`` says whose; ``notes`` what breaks the standard in it."""

    def __init__(
        self, pixels: Pixels, open_file: OpenFile, source_file: str, digest: Callable[[], str]
    ) -> None:
        self._pixels, self._open_file = pixels, open_file
        self.source_file, self.digest = source_file, digest
        self.identity: Identity = pixels.header.identity
        self.notes = pixels.notes

    def decode(self) -> NDArray[np.uint8]:
        """The picture, uint8 H x W x 3 RGB. Raises SourceError with a reason for the user."""
        try:
            with _opened(self._open_file, self._pixels) as file:
                return self._pixels.picture(file, 0)
        except OSError as error:
            raise SourceError(_describe(error)) from error

    def thumbnail(self, side: int) -> NDArray[np.uint8]:
        """A small copy, uint8 H x W x 3 RGB, no side longer than ``side``. Raises as `decode`."""
        try:
            with _opened(self._open_file, self._pixels) as file:
                return self._pixels.small(file, 0, side)
        except OSError as error:
            raise SourceError(_describe(error)) from error


class DicomFrames:
    """A DICOM object of several frames, as a `Recording`. ``identity`` and ``notes`` as in `DicomStill`."""

    def __init__(
        self,
        pixels: Pixels,
        open_file: OpenFile,
        source_file: str,
        sampling: Sampling,
        digest: Callable[[], str],
    ) -> None:
        self._pixels, self._open_file, self._name = pixels, open_file, source_file
        self.digest = digest
        self.identity: Identity = pixels.header.identity
        self.notes = pixels.notes
        self.times: NDArray[np.float64] | None = pixels.header.times(pixels.frames)
        self.sampled: Sequence[int] = sampling.choose(pixels.frames, self.times)

    @property
    def facts(self) -> RecordingFacts:
        """What the object holds; 0 seconds where its frames have no times."""
        header, layout = self._pixels.header, self._pixels.layout
        seconds = 0.0
        if self.times is not None:
            steps = np.diff(self.times)
            seconds = float(self.times[-1] + (header.frame_seconds or (steps[-1] if len(steps) else 0)))
        return RecordingFacts(
            source_file=self._name,
            frames=self._pixels.frames,
            sampled=len(self.sampled),
            seconds=seconds,
            width=layout.columns,
            height=layout.rows,
            codec=header.codec,
            container="DICOM",
            share=self._pixels.share,
        )

    def decode(self, indices: Sequence[int]) -> Iterator[Frame | Unreadable]:
        """Decode some frames in order; see `Recording.decode`."""
        try:
            digest = self.digest()
            file = _opened(self._open_file, self._pixels)
        except SourceError as error:
            raise SourceGone(f"{self._name}: {error}") from error
        except OSError as error:
            raise SourceGone(f"{self._name}: {_describe(error)}") from error
        try:
            with file:
                for index in indices:
                    try:
                        image = self._pixels.picture(file, index)
                    except SourceError as error:
                        yield Unreadable(self._name, str(error), digest, index, self._time(index))
                    else:
                        yield Frame(image, self._name, digest, index, self._time(index))
        except OSError as error:
            raise SourceGone(f"{self._name}: {_describe(error)}") from error

    def reopen(self, index: int) -> Frame:
        """Decode any one frame; see `Recording.reopen`."""
        image, digest = self._one(index, lambda file: (self._pixels.picture(file, index), self.digest()))
        return Frame(image, self._name, digest, index, self._time(index))

    def thumbnail(self, index: int, side: int) -> NDArray[np.uint8]:
        """A small copy of a frame; see `Recording.thumbnail`."""
        return self._one(index, lambda file: self._pixels.small(file, index, side))

    def close(self) -> None:
        """Nothing is kept open; see `Recording.close`."""

    def _one(self, index: int, decode: Callable[[BinaryIO], Decoded]) -> Decoded:
        if not 0 <= index < self._pixels.frames:
            raise KeyError(f"{self._name}: there is no frame {index}")
        try:
            with _opened(self._open_file, self._pixels) as file:
                return decode(file)
        except SourceError as error:
            raise SourceError(f"{self._name}: {error}") from error
        except OSError as error:
            raise SourceError(f"{self._name}: {_describe(error)}") from error

    def _time(self, index: int) -> float | None:
        return None if self.times is None else float(self.times[index])


def files_of(dicomdir: Path) -> list[Path]:
    """The picture files a DICOMDIR lists, in its order, each once, all of them below its folder.

    One that is not there is given too, for the user to be told. Names are found whatever their case, since
    discs are often copied in small letters. Raises SourceError if it is none, or names a file elsewhere.
    """
    try:
        with dicomdir.open("rb") as file:
            listed = read_directory(file)
    except OSError as error:
        raise SourceError(_describe(error)) from error
    folders: dict[Path, dict[str, str]] = {}
    found: dict[Path, None] = {}
    for name in listed:
        parts = [part for piece in name for part in piece.replace("\\", "/").split("/")]
        if any(part in ("", ".", "..") or ":" in part for part in parts):
            raise SourceError("names a file outside its folder, which is not opened: give its folder instead")
        place = dicomdir.parent
        for part in parts:
            place = place / _actual(place, part, folders)
        found[place] = None
    return list(found)


def _actual(folder: Path, name: str, known: dict[Path, dict[str, str]]) -> str:
    """The name in a folder that is this one but for its case, or the name itself."""
    if folder not in known:
        try:
            known[folder] = {child.name.casefold(): child.name for child in folder.iterdir()}
        except OSError:
            known[folder] = {}  # not there: whoever opens the file will say so
    return known[folder].get(name.casefold(), name)


def _opened(open_file: OpenFile, pixels: Pixels) -> BinaryIO:
    """The file in which the positions of a header hold."""
    file = open_file()
    if pixels.header.syntax != DeflatedExplicitVRLittleEndian:
        return file
    with file:
        return inflated(file, pixels.header.body)


def _once(digest: Callable[[], str]) -> Callable[[], str]:
    """The same digest, worked out when it is first asked for, by whichever thread."""
    lock, known = threading.Lock(), list[str]()

    def ask() -> str:
        with lock:
            if not known:
                known.append(digest())
            return known[0]

    return ask


def _hash(open_file: OpenFile) -> str:
    digest = hashlib.sha256()
    with open_file() as file:
        while block := file.read(HASHED_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _describe(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it: change its permissions or copy it to a folder of yours"
    if isinstance(error, FileNotFoundError):
        return "not there (any more): plug its drive in again, or put it back, and try again"
    return f"cannot be read ({error.strerror or error}): check the drive or the connection and try again"
