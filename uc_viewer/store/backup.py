"""Copies of the library that were checked, in the folder ``backups`` beside it."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from uc_viewer.store.faults import Damaged, StoreError

FOLDER = "backups"

KEEP = 7
"""Copies of each kind that are kept unless told otherwise."""

_COPY = re.compile(r"(cases|before-v\d+)-(\d{8}T\d{12}Z)(-\d+)?\.sqlite")


def copies(path: Path) -> list[Path]:
    """All copies of the library at ``path``, the oldest first; by the time in their names."""
    try:
        found = [(match, file) for file in (path.parent / FOLDER).iterdir() if (match := _match(file))]
    except OSError:
        return []
    return [file for _, file in sorted(found, key=lambda pair: (pair[0][2], int((pair[0][3] or "-0")[1:])))]


def latest(path: Path) -> datetime | None:
    """When the newest copy of the library at ``path`` was made; None without one."""
    made = [_match(file) for file in copies(path)[-1:]]
    stamps = [found[2] for found in made if found]
    return datetime.strptime(f"{stamps[0]}+0000", "%Y%m%dT%H%M%S%fZ%z") if stamps else None


def rotate(path: Path, now: datetime, keep: int = KEEP) -> Path:
    """Make a copy, check it, and let go of the oldest until ``keep`` are left.

    A case that was purged is still in the copies made before; it goes with them.
    """
    if keep < 1:
        raise ValueError(f"{keep} copies cannot be kept: at least 1")
    made = _make(path, "cases", now)
    _thin(path, "cases", keep, made)
    return made


def before_migration(path: Path, now: datetime, version: int) -> Path:
    """Make and check a copy before the library is changed to schema ``version``. These are kept apart."""
    made = _make(path, f"before-v{version}", now)
    _thin(path, "before-v", KEEP, made)
    return made


def restore(path: Path, copy: Path, now: datetime) -> Path:
    """Put a copy in the place of the library at ``path``, which nobody may have open.

    What lay there is kept: returns the folder it was moved to. Raises Damaged if the copy itself is bad.
    """
    if why := _fault(copy):
        raise Damaged(f"{copy} is damaged ({why}): choose an older copy")
    aside = path.parent / f"replaced-{_stamp(now)}"
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    moved: list[str] = []
    try:
        _copy(copy, draft)
        aside.mkdir()
        try:
            for part in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    os.replace(f"{path}{part}", aside / f"{path.name}{part}")
                    moved.append(part)
            os.replace(draft, path)
        except OSError:
            for part in moved:
                os.replace(aside / f"{path.name}{part}", f"{path}{part}")
            aside.rmdir()
            raise
    except OSError as error:
        raise StoreError(f"{path}: could not be restored ({error.strerror or error}): free space") from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return aside


def _match(file: Path) -> re.Match[str] | None:
    return _COPY.fullmatch(file.name)


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}Z"


def _make(path: Path, kind: str, now: datetime) -> Path:
    folder = path.parent / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        base, number = f"{kind}-{_stamp(now)}", 0
        while (target := folder / f"{base}{f'-{number}' if number else ''}.sqlite").exists():
            number += 1
        draft = folder / f".{target.name}.part"
        try:
            _copy(path, draft)
            if why := _fault(draft):
                raise Damaged(f"the copy of {path} is not good ({why}): check the disk")
            os.replace(draft, target)
        finally:
            with suppress(OSError):
                draft.unlink()
    except OSError as error:
        raise StoreError(
            f"{folder}: no copy could be made ({error.strerror or error}): free space"
        ) from error
    return target


def _copy(source: Path, target: Path) -> None:
    """Copy a library, also while it is written to, into one file that lies on the disk whole."""
    with suppress(FileNotFoundError):
        target.unlink()
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target, isolation_level=None)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")  # no files beside it
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _fault(copy: Path) -> str:
    """What is wrong with a copy, empty if nothing is."""
    try:
        uri = f"{copy.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as sql:
            found = str(sql.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if found == "ok" else found


def _thin(path: Path, kind: str, keep: int, made: Path) -> None:
    """Remove the oldest copies of a kind; never the one just made, whatever the clock says."""
    old = [file for file in copies(path) if file.name.startswith(kind) and file != made]
    for file in old[: max(0, len(old) - (keep - 1))]:
        with suppress(OSError):  # a copy too many does no harm
            file.unlink()
