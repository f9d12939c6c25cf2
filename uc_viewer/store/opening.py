"""What is looked at before a library is used: where it lies, who writes, whose it is, whether it is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from uc_viewer.store import backup, places, schema, trail
from uc_viewer.store.connection import NAME, Sql, connect, connect_to_read, transaction
from uc_viewer.store.faults import Damaged, InUse, Newer, StoreError, Unwritable

LOCK = "cases.lock"
"""Locked, by SQLite's own means, for as long as a program may write; the system frees it when that dies."""

_OLDEST_SQLITE = (3, 37)  # STRICT tables

Clock = Callable[[], datetime]
"""Gives the time, with its zone."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    """A time in UTC, ISO 8601 with microseconds."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def open_to_write(path: Path, wait: float, clock: Clock) -> tuple[Sql, Sql, sqlite3.Connection]:
    """Connections to write and to read, and the lock that goes with them; see `Store.open`."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise Unwritable(f"{path.parent} cannot be made ({reason}): choose another folder") from error
    if kind := places.network_type(path.parent):
        raise StoreError(
            f"{path.parent} lies on a network ({kind}), where cases are not safe: "
            "choose a folder on a disk of this computer"
        )
    lock = take_lock(path.parent)
    opened: list[sqlite3.Connection] = [lock]
    try:
        version = _version(path, wait)
        write = connect(path, "rwc", wait)
        opened.append(write)
        if write.one("PRAGMA journal_mode = WAL") != "wal":
            raise StoreError(f"{path}: this disk cannot hold the library: choose a folder on another disk")
        _prepare(write, path, version, clock)
        read = connect(path, "ro", wait)
    except BaseException:
        for one in reversed(opened):
            one.close()
        raise
    return write, read, lock


def open_to_read(path: Path, wait: float) -> Sql:
    """A connection to read; see `Store.open`."""
    if (version := _version(path, wait)) == 0:
        raise StoreError(f"{path}: there is no library of cases")
    if version < len(schema.MIGRATIONS):
        raise StoreError(f"{path} is of an older version ({version}): open it for writing once")
    read = connect_to_read(path, wait)
    try:
        _check(read, path)
    except BaseException:
        read.close()
        raise
    return read


def take_lock(folder: Path) -> sqlite3.Connection:
    """The right to write in a folder, until the connection is closed or the program dies. Raises InUse."""
    try:
        lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise Unwritable(
            f"{folder}: nothing can be written there: change its permissions or choose another folder"
        ) from error
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")  # no file beside it
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise InUse(
                f"{folder / NAME} is in use by another window or program that may write: "
                "go on there, or close it and try again"
            ) from error
        raise
    return lock


def _version(path: Path, wait: float) -> int:
    """The version of the library at a path, 0 for none yet. Writes nothing. Raises Newer and Damaged."""
    if not path.exists() or path.stat().st_size == 0:
        if copies := backup.copies(path):
            raise Damaged(f"{path} is missing or empty, and there are copies of it", copies[-1])
        return 0
    sql = connect_to_read(path, wait)
    try:
        version, mark = int(sql.one("PRAGMA user_version")), sql.one("PRAGMA application_id")
        if version == 0 and sql.one("SELECT count(*) FROM sqlite_schema") == 0:
            return 0  # killed right after it was made
    finally:
        sql.close()
    if mark != schema.APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program: move it away, or choose another folder")
    if version > len(schema.MIGRATIONS):
        raise Newer(
            f"{path} was written by a newer version of this program (schema {version}; this one knows "
            f"{len(schema.MIGRATIONS)}). Nothing was changed: install the newer version to open it"
        )
    return version


def _check(sql: Sql, path: Path) -> None:
    found = str(sql.one("PRAGMA quick_check(1)"))
    if found != "ok":
        raise Damaged(f"{path} is damaged ({found.splitlines()[-1]})", *backup.copies(path)[-1:])


def _prepare(sql: Sql, path: Path, version: int, clock: Clock) -> None:
    """Check a library and bring it to this program's schema, with a checked copy before every step."""
    if version:
        _check(sql, path)
    for number, step in enumerate(schema.MIGRATIONS[version:], version + 1):
        if number > 1:
            backup.before_migration(path, clock(), number)
        with transaction(sql, "BEGIN IMMEDIATE"):
            for statement in step.statements:
                sql.execute(statement)
            sql.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            sql.execute(f"PRAGMA user_version = {number}")
            before, after = {"schema": number - 1}, {"schema": number, "what": step.what}
            trail.append(sql, stamp(clock()), trail.PROGRAM, "bring up to date", trail.LIBRARY, before, after)
