"""Everything to score under some paths: image files, recordings, DICOM, folders (recursive), zip archives."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from uc_viewer.paths import HEATMAP_TABLE
from uc_viewer.sources.archive import Archive
from uc_viewer.sources.base import Frame, Recording, RecordingFacts, SourceError, SourceRef, Unreadable
from uc_viewer.sources.order import free, in_order, natural
from uc_viewer.sources.patients import Identity
from uc_viewer.sources.pictures import ACCEPTED, PictureError, decode_small
from uc_viewer.sources.recordings import DIRECTORY, RECORDINGS, VIDEO, is_dicom, is_script, opening
from uc_viewer.sources.sampling import STANDARD, Sampling
from uc_viewer.sources.stills import EXTENSIONS, REFUSED, describe, open_still, read_file

if TYPE_CHECKING:
    from uc_viewer.sources.dicom import DicomStill

    _Item = SourceRef | Unreadable | Recording | DicomStill

_ZIP = ".zip"
_LISTED_AT_ONCE = 500
"""Files looked at between two pauses of a listing."""

_PAUSE = 0.1
"""Seconds after which a listing pauses, however few files it has looked at."""

_HIDDEN_FOLDERS = frozenset({"__MACOSX"})


class Files:
    """All pictures and recordings under some paths, listed at once and decoded one at a time.

    Files in folders and archives are taken in natural order ("2" before "10"), hidden ones and heatmaps
    drawn by a run are left out, links are followed but no folder is entered twice, and whatever does not
    end like a picture or recording is counted in `skipped`. A path given directly is always taken. Animated
    and multi-page pictures and GIF files are `Unreadable`: they are not stills. Of a recording those frames
    are given that ``sampling`` chooses.

    ``source_file`` is relative to the path given: ``sub/a.jpg`` in a folder, ``a.zip/sub/a.jpg`` in an
    archive, ``a.jpg`` for a file. With more than one path, a folder's own name comes first
    (``folder/sub/a.jpg``). A name already taken gets a number: ``a (2).jpg``.

    ``exclude``: folders never entered (such as the one the results go to). ``beside``: other
    sources of the same case; their names are not given again and their files not listed again. Raises
    FileNotFoundError naming a path that does not exist.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        exclude: Collection[Path] = (),
        beside: Sequence[Files] = (),
        sampling: Sampling = STANDARD,
    ) -> None:
        for _ in self._list(paths, exclude, beside, sampling):
            pass

    @classmethod
    def listing(
        cls,
        paths: Sequence[Path],
        beside: Sequence[Files] = (),
        sampling: Sampling = STANDARD,
        exclude: Collection[Path] = (),
    ) -> Generator[int, None, Files]:
        """List paths bit by bit: gives how many pictures were found so far, returns the source.

        For a window, which must not wait for a hundred thousand files in one go.
        """
        source, told = cls.__new__(cls), time.monotonic()
        for looked_at, _ in enumerate(source._list(paths, exclude, beside, sampling)):
            # A single recording of some gigabytes takes as long as many stills.
            if looked_at % _LISTED_AT_ONCE == 0 or time.monotonic() - told > _PAUSE:
                yield source.expected
                told = time.monotonic()
        return source

    def _list(
        self, paths: Sequence[Path], exclude: Collection[Path], beside: Sequence[Files], sampling: Sampling
    ) -> Iterator[None]:
        """List everything, with a pause after every file and within long ones."""
        self._beside, self._sampling = tuple(beside), sampling
        self.known = 0
        """How many files were not listed because a source beside has them."""
        self._names_beside = tuple(source._items for source in beside)
        self._skipped: Counter[str] = Counter()
        self._items: dict[str, _Item] = {}
        self._chosen: dict[str, Sequence[int]] = {}
        self._identities: dict[str, Identity] = {}
        self._frames = 0
        self._seen_files: set[str] = set()
        self._last_folder: tuple[Path | None, str] = (None, "")
        self._seen_folders: set[str] = {os.path.realpath(folder) for folder in exclude}
        roots = {os.path.realpath(path): path for path in paths}
        prefixes: set[str] = set()
        for real, path in roots.items():
            if not os.path.lexists(path):
                raise FileNotFoundError(f"{path}: no such file or folder")
            name = Path(real).name if path.is_dir() or not path.name else path.name
            if path.is_dir():
                self._seen_folders.discard(real)
                prefix = free(name, prefixes) + "/" if len(roots) > 1 and name else ""
                prefixes.add(prefix.rstrip("/"))
                yield from self._add_folder(path, prefix)
            else:
                yield from self._add_file(path, name, given=True)

    @property
    def expected(self) -> int:
        """How many items iterating gives: one per picture file, readable or not, and per chosen frame."""
        return len(self._items) - len(self._chosen) + self._frames

    @property
    def keys(self) -> tuple[tuple[str, int], ...]:
        """What iterating gives, in order, as ``(source_file, index)``."""
        return tuple((name, index) for name in self._items for index in self._chosen.get(name, (0,)))

    @property
    def names(self) -> Collection[str]:
        """The names of all files, also of a recording none of whose frames is left."""
        return self._items.keys()

    @property
    def recordings(self) -> tuple[RecordingFacts, ...]:
        """What the recordings hold, in order."""
        return tuple(self._recording(name).facts for name in self._chosen)

    @property
    def identities(self) -> Mapping[str, Identity]:
        """Whom and what the DICOM files name, by file."""
        return {name: who for name, who in self._identities.items() if name in self._items}

    def recording(self, source_file: str) -> Recording | None:
        """The recording of that name; None where it is a still or unreadable. Raises KeyError if unknown."""
        return (
            self._recording(source_file) if self._items[source_file] and source_file in self._chosen else None
        )

    def without(self, keys: Collection[tuple[str, int]]) -> Files:
        """The same source less these pictures."""
        rest = copy(self)
        rest._chosen = {
            name: [index for index in chosen if (name, index) not in keys]
            for name, chosen in self._chosen.items()
        }
        rest._items = {
            name: item for name, item in self._items.items() if rest._chosen.get(name, (name, 0) not in keys)
        }
        rest._chosen = {name: chosen for name, chosen in rest._chosen.items() if chosen}
        rest._frames = sum(map(len, rest._chosen.values()))
        return rest

    def holds(self, path: Path) -> bool:
        """True if this very file was listed, by whatever name."""
        return os.path.realpath(path) in {os.path.realpath(file) for file in self._seen_files}

    def close(self) -> None:
        """Let go of the files of recordings."""
        for name in self._chosen:
            self._recording(name).close()

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were passed over because they do not end like a picture, by ending."""
        return dict(sorted(self._skipped.items()))

    def __iter__(self) -> Iterator[Frame | Unreadable]:
        """Decode the pictures one by one; what cannot be opened comes as `Unreadable` in its place.

        Raises SourceGone where a recording goes away while it is read.
        """
        archive: Archive | None = None
        try:
            for name, item in self._items.items():
                if isinstance(item, Unreadable):
                    yield item
                elif name in self._chosen:
                    yield from self._recording(name).decode(self._chosen[name])
                elif not isinstance(item, SourceRef):
                    yield _decoded(name, cast("DicomStill", item))
                else:
                    if archive is not None and (item.member is None or archive.path != item.path):
                        archive.close()
                        archive = None
                    if item.member is not None and archive is None:
                        try:
                            archive = Archive(item.path)
                        except SourceError as error:
                            yield Unreadable(name, str(error))
                            continue
                    yield _open(item, archive)
        finally:
            if archive is not None:
                archive.close()

    def reopen(self, source_file: str, index: int = 0) -> Frame:
        """Decode one picture again. Raises KeyError if unknown, SourceError if it cannot be opened."""
        if source_file in self._chosen:
            return self._recording(source_file).reopen(index)
        item = self._still(source_file, index)
        if isinstance(item, SourceRef):
            frame = open_still(source_file, self._read(item))
        else:
            frame = _decoded(source_file, item)
        if isinstance(frame, Unreadable):
            raise SourceError(f"{source_file}: {frame.reason}")
        return frame

    def thumbnail(self, source_file: str, index: int, side: int) -> NDArray[np.uint8]:
        """A small copy of one picture, uint8 H x W x 3 RGB, no side longer than ``side``.

        Much quicker than `reopen` where the format can be decoded at a fraction of its size. Raises as
        `reopen` does.
        """
        if source_file in self._chosen:
            return self._recording(source_file).thumbnail(index, side)
        item = self._still(source_file, index)
        try:
            return (
                decode_small(self._read(item), side) if isinstance(item, SourceRef) else item.thumbnail(side)
            )
        except (PictureError, SourceError) as error:
            raise SourceError(f"{source_file}: {error}") from error

    def _still(self, source_file: str, index: int) -> SourceRef | DicomStill:
        item = self._items[source_file]
        if index != 0:
            raise KeyError(f"{source_file}: a still has only frame 0, not {index}")
        if isinstance(item, Unreadable):
            raise SourceError(f"{source_file}: {item.reason}")
        return cast("DicomStill | SourceRef", item)  # recordings are asked before

    def _recording(self, name: str) -> Recording:
        return cast(Recording, self._items[name])  # what is in _chosen is one

    def _read(self, item: SourceRef) -> bytes:
        try:
            if item.member is None:
                return read_file(item.path)
            with Archive(item.path) as archive:
                return archive.read(item.member)
        except SourceError as error:
            raise SourceError(f"{item.source_file}: {error}") from error

    def _add_folder(self, top: Path, prefix: str) -> Iterator[None]:
        """List a folder depth first without recursion, so that no nesting is too deep."""
        pending: list[tuple[Path, str, bool]] = [(top, prefix, True)]
        while pending:
            path, name, is_folder = pending.pop()
            if not is_folder:
                yield from self._add_file(path, name)
                continue
            real = os.path.realpath(path)
            if real in self._seen_folders:
                continue
            self._seen_folders.add(real)
            try:
                with os.scandir(path) as entries:
                    children = {entry.name: entry.is_dir() for entry in entries}
            except OSError as error:
                self._refuse(name.rstrip("/") or top.name, describe(error))
                continue
            if HEATMAP_TABLE in children:
                continue  # overlays drawn by an earlier run
            pending.extend(
                (path / child, f"{name}{child}/" if children[child] else f"{name}{child}", children[child])
                for child in reversed(in_order(children))
                if not child.startswith(".") and child not in _HIDDEN_FOLDERS
            )

    def _real_folder(self, folder: Path) -> str:
        """Where a folder really lies; asked of the system once for all the files in it."""
        if self._last_folder[0] != folder:
            self._last_folder = (folder, os.path.realpath(folder))
        return self._last_folder[1]

    def _add_file(self, path: Path, name: str, *, given: bool = False) -> Iterator[None]:
        # The same file reached twice (a folder and a file within it, both given) is taken once.
        yield
        place = os.path.join(self._real_folder(path.parent), path.name)
        if place in self._seen_files:
            return
        if any(place in source._seen_files for source in self._beside):
            self.known += 1
            return
        ending = path.suffix.lower()
        self._seen_files.add(place)
        if ending == _ZIP:
            self._add_archive(path, name)
        elif given and path.name.upper() == DIRECTORY:
            yield from self._add_directory(path)
        elif ending in EXTENSIONS:
            self._put(SourceRef(self._name(name), path))
        elif ending in VIDEO and not given and is_script(path, ending):
            self._skipped[ending] += 1
        elif ending in VIDEO:
            yield from self._open(path, name, dicom=False)
        elif path.name.upper() != DIRECTORY and is_dicom(path, "" if given else ending):
            yield from self._open(path, name, dicom=True)
        elif given:
            self._put(SourceRef(self._name(name), path))
        elif ending in REFUSED:
            self._refuse(name, f"{ending[1:].upper()} files are not accepted: export it as {ACCEPTED}")
        else:
            self._skipped[ending or "no ending"] += 1

    def _open(self, path: Path, name: str, *, dicom: bool) -> Iterator[None]:
        """Look a recording or a DICOM file through."""
        name = self._name(name)
        try:
            found, identity = yield from opening(path, name, self._sampling, dicom=dicom)
        except SourceError as error:
            self._put(Unreadable(name, str(error)))
            return
        self._items[name] = found
        if identity is not None:
            self._identities[name] = identity
        if (sampled := getattr(found, "sampled", None)) is not None:
            self._chosen[name] = sampled
            self._frames += len(sampled)

    def _add_directory(self, directory: Path) -> Iterator[None]:
        """The files a DICOMDIR names."""
        from uc_viewer.sources.dicom import files_of

        try:
            files = files_of(directory)
        except SourceError as error:
            self._refuse(directory.name, str(error))
            return
        for path in files:
            yield from self._add_file(path, path.relative_to(directory.parent).as_posix(), given=True)

    def _add_archive(self, path: Path, name: str) -> None:
        try:
            with Archive(path) as archive:
                members = sorted(archive.members(), key=lambda member: natural(member.name))
        except SourceError as error:
            self._refuse(name, str(error))
            return
        for member in members:
            inner = PurePosixPath(member.name)
            ending = inner.suffix.lower()
            hidden = any(p.startswith(".") or p in _HIDDEN_FOLDERS for p in inner.parts)
            full = f"{name}/{member.name.lstrip('/')}"
            if member.outside:
                self._refuse(full, member.refusal)
            elif hidden:
                continue
            elif ending in RECORDINGS:
                self._refuse(full, "a recording or DICOM file within a zip archive: unpack the archive first")
            elif member.refusal and (ending in EXTENSIONS or ending == _ZIP):
                self._refuse(full, member.refusal)
            elif ending in EXTENSIONS:
                self._put(SourceRef(self._name(full), path, member.position))
            elif ending in REFUSED:
                self._refuse(full, f"{ending[1:].upper()} files are not accepted: export it as {ACCEPTED}")
            else:
                self._skipped[ending or "no ending"] += 1

    def _refuse(self, name: str, reason: str) -> None:
        self._put(Unreadable(self._name(name), reason))

    def _put(self, item: SourceRef | Unreadable) -> None:
        self._items[item.source_file] = item

    def _name(self, name: str) -> str:
        """A name no other item has, writable as UTF-8 (Linux file names may be any bytes)."""
        return free(
            name.encode("utf-8", "backslashreplace").decode("utf-8"), self._items, *self._names_beside
        )


def _open(item: SourceRef, archive: Archive | None) -> Frame | Unreadable:
    """The picture of a file, or of an entry of an open archive."""
    try:
        if item.member is None or archive is None:
            return open_still(item.source_file, read_file(item.path))
        return open_still(item.source_file, archive.read(item.member))
    except SourceError as error:
        return Unreadable(item.source_file, str(error))


def _decoded(source_file: str, item: DicomStill) -> Frame | Unreadable:
    """The picture of a DICOM object that has one."""
    try:
        return Frame(item.decode(), source_file, item.digest())
    except (SourceError, OSError) as error:
        return Unreadable(source_file, describe(error) if isinstance(error, OSError) else str(error))
