"""One connection to a library: any text, one transaction at a time, and what goes wrong as sentences."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from uc_viewer.store import backup
from uc_viewer.store.faults import Damaged, InUse, Malformed, StoreError, Unwritable

NAME = "cases.sqlite"
"""The library within its folder."""

WAIT = 5.0
"""Seconds to wait for another program that holds the library before it is called busy."""

_PRAGMAS = (
    "foreign_keys = ON",
    "secure_delete = ON",  # what is erased is overwritten
    "temp_store = MEMORY",  # nothing of a case in temporary files
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "recursive_triggers = ON",
    "fullfsync = ON",  # macOS: without it a disk may say too early that it has written
    "checkpoint_fullfsync = ON",
)

_ESCAPE = "\x1b"


class Sql(sqlite3.Connection):
    """A connection that takes any text Python can hold.

    SQLite takes UTF-8 only, but a path on Linux may hold any bytes. What is no UTF-8 is written as a JSON
    string behind an escape character, and read back as it was.
    """

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        """Carry out one statement."""
        return super().execute(sql, [_packed(value) for value in values])

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> sqlite3.Cursor:  # type: ignore[override]
        """Carry out one statement for each row of values."""
        return super().executemany(sql, ([_packed(value) for value in row] for row in rows))

    def one(self, sql: str, *values: Any) -> Any:
        """The first value of the first row; None where there is no row."""
        row = self.execute(sql, values).fetchone()
        return None if row is None else row[0]


def _packed(value: Any) -> Any:
    if type(value) is not str or (value.isascii() and not value.startswith(_ESCAPE)):
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return _ESCAPE + json.dumps(value)
    return _ESCAPE + json.dumps(value) if value.startswith(_ESCAPE) else value


def _unpacked(data: bytes) -> str:
    return str(json.loads(data[1:])) if data[:1] == b"\x1b" else data.decode("utf-8")


def connect(path: Path, mode: str, wait: float = WAIT) -> Sql:
    """A connection to a library.

    ``mode``: ``rwc`` to write, and to make it where there is none, ``ro`` to read, ``immutable`` to read
    what nobody writes to.
    """
    query = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    sql = sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}",
        uri=True,
        timeout=wait,
        isolation_level=None,
        check_same_thread=False,  # `Store` lets one thread at a time in
        factory=Sql,
    )
    try:
        sql.text_factory = _unpacked
        for pragma in _PRAGMAS:
            sql.execute(f"PRAGMA {pragma}")
        if mode != "rwc":
            sql.execute("PRAGMA query_only = ON")
    except BaseException:
        sql.close()
        raise
    return sql


def connect_to_read(path: Path, wait: float = WAIT) -> Sql:
    """A reading connection, also in a folder that may only be read, where WAL has no place for its index."""
    sql = connect(path, "ro", wait)
    try:
        sql.one("SELECT count(*) FROM sqlite_schema")
    except BaseException as error:
        sql.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        wal = path.with_name(path.name + "-wal")
        if code not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise
        if wal.exists() and wal.stat().st_size:  # somebody writes, or was killed: what is in it counts
            raise
        return connect(path, "immutable", wait)
    return sql


@contextmanager
def transaction(sql: Sql, begin: str) -> Iterator[None]:
    """All of the block, or nothing of it where the block raises."""
    sql.execute(begin)
    try:
        yield
        sql.execute("COMMIT")
    except BaseException:
        if sql.in_transaction:  # a full disk has ended it already
            sql.execute("ROLLBACK")
        raise


@contextmanager
def spoken(path: Path) -> Iterator[None]:
    """A block in which faults of the library at ``path`` become sentences; what is no fault of it passes."""
    try:
        yield
    except sqlite3.Error as error:
        if told := _sentence(error, path):
            raise told from error
        raise
    except (Malformed, UnicodeDecodeError) as error:
        raise Damaged(f"{path} holds what cannot be read ({error})", *backup.copies(path)[-1:]) from error


def _sentence(error: sqlite3.Error, path: Path) -> StoreError | None:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the rest of the code says more of the same
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return InUse(f"{path} is busy, another program holds it: close that program and try again")
        case sqlite3.SQLITE_FULL:
            return Unwritable(
                f"{path}: the disk is full, nothing of this was saved: free space and try again"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return Unwritable(f"{path} cannot be opened or written: check the permissions of its folder")
        case sqlite3.SQLITE_IOERR:
            return Unwritable(
                f"{path}: the disk did not take or give it ({error}), nothing of this was saved: "
                "check its space and its connection and try again"
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Damaged(f"{path} is damaged ({error})", *backup.copies(path)[-1:])
    return None
