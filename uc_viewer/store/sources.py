"""How the files of a case are opened again, and how moved ones are found. Pixels are never kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path

from uc_viewer.store.database import Store, uid_of
from uc_viewer.store.faults import NoSuchCase
from uc_viewer.store.nouns import SourceRecord

_CHUNK = 2**20


class State(Enum):
    """What became of a file."""

    SAME = "as it was"
    CHANGED = "changed since it was scored"
    GONE = "not there any more"


def describe(
    source_file: str, path: Path, *, sha256: str = "", kind: str = "", member: int | None = None
) -> SourceRecord:
    """The record of a file as it lies there. Raises OSError where it cannot be looked at."""
    state = path.stat()
    return SourceRecord(source_file, path, state.st_size, state.st_mtime_ns, sha256, kind, member)


def give(store: Store, case_number: int, paths: Sequence[Path]) -> None:
    """Note one more drop: the paths the user gave together. Raises NoSuchCase."""
    with store.writing() as sql:
        uid_of(sql, case_number)
        number = 1 + int(
            sql.one("SELECT coalesce(max(number), 0) FROM drops WHERE case_number = ?", case_number)
        )
        sql.executemany(
            "INSERT INTO drops (case_number, number, place, path) VALUES (?, ?, ?, ?)",
            ((case_number, number, place, str(path)) for place, path in enumerate(paths)),
        )


def given(store: Store, case_number: int) -> list[list[Path]]:
    """The paths of each drop, in order. Opened again in that order they give the same names."""
    drops: dict[int, list[Path]] = {}
    with store.reading() as sql:
        uid_of(sql, case_number)
        for number, path in sql.execute(
            "SELECT number, path FROM drops WHERE case_number = ? ORDER BY number, place", (case_number,)
        ):
            drops.setdefault(number, []).append(Path(path))
    return list(drops.values())


def remember(store: Store, case_number: int, records: Iterable[SourceRecord]) -> None:
    """Note files, in one transaction; one whose name is known takes the place of the old. Raises NoSuchCase.

    Results are valid without it, so it need not be on the disk before this returns.
    """
    with store.writing(durable=False) as sql:
        uid_of(sql, case_number)
        place = int(
            sql.one("SELECT coalesce(max(place), -1) FROM sources WHERE case_number = ?", case_number)
        )
        sql.executemany(
            "INSERT INTO sources "
            "(case_number, source_file, place, path, size, mtime_ns, sha256, kind, member) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET path = excluded.path, "
            "size = excluded.size, mtime_ns = excluded.mtime_ns, sha256 = excluded.sha256, "
            "kind = excluded.kind, member = excluded.member",
            (
                (
                    case_number, one.source_file, place + after, str(one.path), one.size, one.mtime_ns,
                    one.sha256, one.kind, one.member,
                )
                for after, one in enumerate(records, 1)
            ),
        )  # fmt: skip


def of_case(store: Store, case_number: int) -> list[SourceRecord]:
    """The files of a case, in the order they were noted. Raises NoSuchCase."""
    with store.reading() as sql:
        uid_of(sql, case_number)
        rows = sql.execute(
            "SELECT source_file, path, size, mtime_ns, sha256, kind, member FROM sources "
            "WHERE case_number = ? ORDER BY place",
            (case_number,),
        )
        return [SourceRecord(name, Path(path), *rest) for name, path, *rest in rows]


def moved(store: Store, case_number: int, source_file: str, path: Path) -> None:
    """Note where a file lies now, once it was found again. Raises NoSuchCase where it is not of the case."""
    with store.writing() as sql:
        found = sql.execute(
            "UPDATE sources SET path = ? WHERE case_number = ? AND source_file = ?",
            (str(path), case_number, source_file),
        )
        if found.rowcount == 0:
            raise NoSuchCase(f"{source_file} is no file of case {case_number}: look at the case again")


def state(record: SourceRecord, *, thorough: bool = False) -> State:
    """What became of a file where it lay.

    A file with size and time as noted counts as the same; ``thorough``: its bytes are hashed as well. One
    with another time is hashed in any case: a copy is no change. Raises OSError where it cannot be read.
    """
    try:
        now = record.path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return State.GONE
    if now.st_size != record.size:
        return State.CHANGED
    if now.st_mtime_ns == record.mtime_ns and not (thorough and record.sha256):
        return State.SAME
    return State.SAME if record.sha256 and digest(record.path) == record.sha256 else State.CHANGED


def search(
    records: Sequence[SourceRecord], folders: Iterable[Path]
) -> Iterator[tuple[Path, list[SourceRecord]]]:
    """Look for files in some folders and all below; gives each one found, with the records it serves.

    Known by size, then by digest, whatever they are called now: only files of the right size are read. Lazy:
    stop asking, and nothing more is read; it stops by itself once all are found. What cannot be read is
    passed over, since it may be anything. Records without a digest cannot be found.
    """
    wanted: dict[int, dict[str, list[SourceRecord]]] = {}
    for record in records:
        if record.sha256:
            wanted.setdefault(record.size, {}).setdefault(record.sha256, []).append(record)
    for path in _files(folders):
        if not wanted:
            return
        try:
            size = path.stat().st_size
            digests = wanted.get(size)
            sha256 = digest(path) if digests else ""
        except OSError:
            continue
        if digests and (found := digests.pop(sha256, None)):
            if not digests:
                del wanted[size]
            yield path, found


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Raises OSError."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    """Plain files below some folders; no folder is entered twice, links to files are followed."""
    entered: set[str] = set()
    pending = [Path(folder) for folder in folders][::-1]
    while pending:
        folder = pending.pop()
        if (real := os.path.realpath(folder)) in entered:
            continue
        entered.add(real)
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in found:
            if entry.is_file():
                yield Path(entry.path)
        pending.extend(Path(entry.path) for entry in reversed(found) if entry.is_dir())
