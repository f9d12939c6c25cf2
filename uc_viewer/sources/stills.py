"""Still pictures as a source: image files, folders (recursive) and zip archives."""

from __future__ import annotations

import hashlib
import heapq
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from copy import copy
from itertools import count
from pathlib import Path, PurePosixPath

import numpy as np

from uc_viewer.paths import HEATMAP_TABLE
from uc_viewer.sources.archive import MAX_ENTRY_BYTES, Archive
from uc_viewer.sources.base import Frame, SourceError, SourceRef, Unreadable
from uc_viewer.sources.pictures import ACCEPTED, PictureError, decode, decode_small

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
"""Files with these endings are pictures to score; any format of `pictures.FORMATS` may be inside."""

REFUSED = frozenset({".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl"})
"""Picture files that are not accepted: each gets a line instead of being passed over."""

_ZIP = ".zip"
_LISTED_AT_ONCE = 500
"""Files looked at between two pauses of a listing."""

_SORTED_AT_ONCE = 2000
"""Names sorted between two pauses."""

_HIDDEN_FOLDERS = frozenset({"__MACOSX"})


class Stills:
    """All still pictures under some paths, listed at once and decoded one at a time.

    Files in folders and archives are taken in natural order ("2" before "10"), hidden ones and heatmaps
    drawn by a run are left out, links are followed but no folder is entered twice, and whatever does not
    end like a picture is counted in `skipped`. A path given directly is always taken. Animated and
    multi-page pictures and GIF files are `Unreadable`: they are not stills.

    ``source_file`` is relative to the path given: ``sub/a.jpg`` in a folder, ``a.zip/sub/a.jpg`` in an
    archive, ``a.jpg`` for a file. With more than one path, a folder's own name comes first
    (``folder/sub/a.jpg``). A name already taken gets a number: ``a (2).jpg``.

    ``exclude``: folders never entered (such as the one the results go to). ``beside``: other
    sources of the same case; their names are not given again and their files not listed again. Raises
    FileNotFoundError naming a path that does not exist.
    """

    def __init__(
        self, paths: Sequence[Path], exclude: Collection[Path] = (), beside: Sequence[Stills] = ()
    ) -> None:
        for _ in self._list(paths, exclude, beside):
            pass

    @classmethod
    def listing(cls, paths: Sequence[Path], beside: Sequence[Stills] = ()) -> Generator[int, None, Stills]:
        """List paths bit by bit: gives how many pictures were found so far, returns the source.

        For a window, which must not wait for a hundred thousand files in one go.
        """
        source = cls.__new__(cls)
        for looked_at, _ in enumerate(source._list(paths, (), beside)):
            if looked_at % _LISTED_AT_ONCE == 0:
                yield source.expected
        return source

    def _list(
        self, paths: Sequence[Path], exclude: Collection[Path], beside: Sequence[Stills]
    ) -> Iterator[None]:
        """List everything, with a pause after every file."""
        self._beside = tuple(beside)
        self.known = 0
        """How many files were not listed because a source beside has them."""
        self._names_beside = tuple(source._items for source in beside)
        self._skipped: Counter[str] = Counter()
        self._items: dict[str, SourceRef | Unreadable] = {}
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
                prefix = _free(name, prefixes) + "/" if len(roots) > 1 and name else ""
                prefixes.add(prefix.rstrip("/"))
                yield from self._add_folder(path, prefix)
            else:
                self._add_file(path, name, given=True)
                yield

    @property
    def expected(self) -> int:
        """How many items iterating gives: one per picture file, readable or not."""
        return len(self._items)

    @property
    def keys(self) -> tuple[tuple[str, int], ...]:
        """What iterating gives, in order, as ``(source_file, index)``."""
        return tuple((name, 0) for name in self._items)

    def without(self, names: Collection[str]) -> Stills:
        """The same source less the pictures of these names."""
        rest = copy(self)
        rest._items = {name: item for name, item in self._items.items() if name not in names}
        return rest

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many files were passed over because they do not end like a picture, by ending."""
        return dict(sorted(self._skipped.items()))

    def __iter__(self) -> Iterator[Frame | Unreadable]:
        """Decode the pictures one by one; what cannot be opened comes as `Unreadable` in its place."""
        archive: Archive | None = None
        try:
            for item in self._items.values():
                if isinstance(item, Unreadable):
                    yield item
                    continue
                if archive is not None and (item.member is None or archive.path != item.path):
                    archive.close()
                    archive = None
                try:
                    if item.member is None:
                        data = _read_file(item.path)
                    else:
                        archive = archive or Archive(item.path)
                        data = archive.read(item.member)
                except SourceError as error:
                    yield Unreadable(item.source_file, str(error))
                    continue
                yield _open(item.source_file, data)
        finally:
            if archive is not None:
                archive.close()

    def reopen(self, source_file: str, index: int = 0) -> Frame:
        """Decode one picture again. Raises KeyError if unknown, SourceError if it cannot be opened."""
        frame = _open(source_file, self._read(source_file, index))
        if isinstance(frame, Unreadable):
            raise SourceError(f"{source_file}: {frame.reason}")
        return frame

    def thumbnail(self, source_file: str, index: int, side: int) -> np.ndarray:
        """A small copy of one picture, uint8 H x W x 3 RGB, no side longer than ``side``.

        Much quicker than `reopen` where the format can be decoded at a fraction of its size. Raises as
        `reopen` does.
        """
        try:
            return decode_small(self._read(source_file, index), side)
        except PictureError as error:
            raise SourceError(f"{source_file}: {error}") from error

    def _read(self, source_file: str, index: int) -> bytes:
        item = self._items[source_file]
        if index != 0:
            raise KeyError(f"{source_file}: a still has only frame 0, not {index}")
        if isinstance(item, Unreadable):
            raise SourceError(f"{source_file}: {item.reason}")
        try:
            if item.member is None:
                return _read_file(item.path)
            with Archive(item.path) as archive:
                return archive.read(item.member)
        except SourceError as error:
            raise SourceError(f"{source_file}: {error}") from error

    def _add_folder(self, top: Path, prefix: str) -> Iterator[None]:
        """List a folder depth first without recursion, so that no nesting is too deep."""
        pending: list[tuple[Path, str, bool]] = [(top, prefix, True)]
        while pending:
            path, name, is_folder = pending.pop()
            if not is_folder:
                self._add_file(path, name)
                yield
                continue
            real = os.path.realpath(path)
            if real in self._seen_folders:
                continue
            self._seen_folders.add(real)
            try:
                with os.scandir(path) as entries:
                    children = {entry.name: entry.is_dir() for entry in entries}
            except OSError as error:
                self._refuse(name.rstrip("/") or top.name, _describe(error))
                continue
            if HEATMAP_TABLE in children:
                continue  # overlays drawn by an earlier run
            pending.extend(
                (path / child, f"{name}{child}/" if children[child] else f"{name}{child}", children[child])
                for child in reversed(_in_order(children))
                if not child.startswith(".") and child not in _HIDDEN_FOLDERS
            )

    def _real_folder(self, folder: Path) -> str:
        """Where a folder really lies; asked of the system once for all the files in it."""
        if self._last_folder[0] != folder:
            self._last_folder = (folder, os.path.realpath(folder))
        return self._last_folder[1]

    def _add_file(self, path: Path, name: str, *, given: bool = False) -> None:
        # The same file reached twice (a folder and a file within it, both given) is taken once.
        place = os.path.join(self._real_folder(path.parent), path.name)
        if place in self._seen_files:
            return
        if any(place in source._seen_files for source in self._beside):
            self.known += 1
            return
        ending = path.suffix.lower()
        if ending == _ZIP:
            self._add_archive(path, name)
        elif given or ending in EXTENSIONS:
            self._put(SourceRef(self._name(name), path))
        elif ending in REFUSED:
            self._refuse(name, f"{ending[1:].upper()} files are not accepted: export it as {ACCEPTED}")
        else:
            self._skipped[ending or "no ending"] += 1
        self._seen_files.add(place)

    def _add_archive(self, path: Path, name: str) -> None:
        try:
            with Archive(path) as archive:
                members = sorted(archive.members(), key=lambda member: _natural(member.name))
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
        return _free(
            name.encode("utf-8", "backslashreplace").decode("utf-8"), self._items, *self._names_beside
        )


def _open(source_file: str, data: bytes) -> Frame | Unreadable:
    digest = hashlib.sha256(data).hexdigest()
    try:
        return Frame(decode(data), source_file, digest)
    except PictureError as error:
        return Unreadable(source_file, str(error), digest)


def _read_file(path: Path) -> bytes:
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
        raise SourceError(_describe(error)) from error


def _describe(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it: change its permissions or copy it to a folder of yours"
    if isinstance(error, FileNotFoundError):
        return "not there (any more), or a link to nothing: check the folder and run again"
    return f"cannot be read ({error.strerror or error}): check the drive or the connection and run again"


def _in_order(names: Collection[str]) -> list[str]:
    """Names in natural order, sorted run by run: one sort of them all would hold other threads up."""
    keyed = [_natural(name) for name in names]
    runs = [sorted(keyed[start : start + _SORTED_AT_ONCE]) for start in range(0, len(keyed), _SORTED_AT_ONCE)]
    return [name for _, name in heapq.merge(*runs)]


def _natural(name: str) -> tuple[list[tuple[str, int, str]], str]:
    """Sort key under which "frame2" comes before "frame10", with the name itself to break ties."""
    parts = re.split(r"([0-9]+)", name.casefold())
    digits = [number.lstrip("0") for number in parts[1::2]] + [""]
    return [(text, len(n), n) for text, n in zip(parts[::2], digits, strict=True)], name


def _free(name: str, *taken: Collection[str]) -> str:
    """The name itself, or with the first number that makes it new: ``a.jpg``, ``a (2).jpg``."""
    if not any(name in names for names in taken):
        return name
    path = PurePosixPath(name)
    numbered = (str(path.with_name(f"{path.stem} ({number}){path.suffix}")) for number in count(2))
    return next(new for new in numbered if not any(new in names for names in taken))
