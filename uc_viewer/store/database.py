"""The open library: who may read and write when, one transaction at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from uc_viewer.store import backup, trail
from uc_viewer.store.connection import NAME, WAIT, Sql, spoken, transaction
from uc_viewer.store.faults import NoSuchCase, Unwritable
from uc_viewer.store.opening import Clock, open_to_read, open_to_write, stamp, take_lock, utc_now


class Store:
    """An open library of cases. The rooms beside this one are functions that take it first.

    One program may write; others may open it with ``readonly``. May be asked from several threads: writers
    wait for each other, readers only for readers.
    """

    def __init__(
        self, path: Path, clock: Clock, write: Sql | None, read: Sql, lock: sqlite3.Connection | None
    ) -> None:
        """Use `Store.open`."""
        self.path, self.clock = path, clock
        self._write, self._read, self._lock = write, read, lock
        self._writing, self._reading = threading.RLock(), threading.RLock()
        self._writer: int | None = None
        self._durable: bool | None = None

    @classmethod
    def open(
        cls, folder: Path, *, readonly: bool = False, clock: Clock = utc_now, wait: float = WAIT
    ) -> Self:
        """Open the library of a folder; make it if there is none, bring an older one up to date.

        The whole file is checked. An older library is copied first, and the copy checked. ``wait``: seconds
        to wait for other programs. Raises InUse where another program may write already, Newer for a library
        of a newer program, Damaged with the name of the last good copy, Unwritable, and StoreError for a
        folder on a network.
        """
        path = folder / NAME
        with spoken(path):
            if readonly:
                return cls(path, clock, None, open_to_read(path, wait), None)
            return cls(path, clock, *open_to_write(path, wait, clock))

    @property
    def readonly(self) -> bool:
        """True where nothing can be written."""
        return self._write is None

    def now(self) -> str:
        """The time as the library writes it."""
        return stamp(self.clock())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Bring everything into the one file and let go of it. A second time does nothing."""
        with self._writing, self._reading:
            self._read.close()
            if self._write is not None:
                with suppress(sqlite3.Error):  # whatever is left in the WAL is read at the next opening
                    self._write.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._write.close()
            if self._lock is not None:
                self._lock.close()

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Sql]:
        """One transaction: all of the block, or nothing of it where the block raises.

        A block within a block is part of the outer one. With ``durable`` the block ends when the disk has
        everything; without, a power cut may take the last blocks, whole ones; a killed program loses
        nothing either way. Raises Unwritable, or what `spoken` says.
        """
        if self._write is None:
            raise Unwritable(f"{self.path} is open for reading only: open it for writing")
        with self._writing, spoken(self.path):
            if self._writer is not None:
                yield self._write
                return
            if durable != self._durable:
                self._write.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            with transaction(self._write, "BEGIN IMMEDIATE"):
                self._writer = threading.get_ident()
                try:
                    yield self._write
                finally:
                    self._writer = None

    @contextmanager
    def reading(self) -> Iterator[Sql]:
        """A view of the library that stays the same for the block; within `writing`, the one written to."""
        if self._write is not None and self._writer == threading.get_ident():
            yield self._write
            return
        with self._reading, spoken(self.path):
            if self._read.in_transaction:
                yield self._read
                return
            with transaction(self._read, "BEGIN"):
                yield self._read

    def record(self, sql: Sql, by: str, action: str, object: str, before: Any, after: Any) -> int:
        """Add to the audit trail, within `writing`; the number of the entry."""
        return trail.append(sql, self.now(), by, action, object, before, after)

    def empty_wal(self) -> None:
        """Write the log into the library and cut it to nothing, as far as readers let it."""
        if self._write is not None:
            with self._writing, spoken(self.path):
                self._write.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def back_up(self, keep: int = backup.KEEP) -> Path:
        """A checked copy of the library in the folder ``backups``; older ones go until ``keep`` are left.

        Others may write meanwhile. A case that was purged is still in older copies and goes with them.
        """
        with spoken(self.path):
            return backup.rotate(self.path, self.clock(), keep)


def uid_of(sql: Sql, case_number: int) -> str:
    """The uid of a case. Raises NoSuchCase."""
    if (uid := sql.one("SELECT uid FROM cases WHERE number = ?", case_number)) is None:
        raise NoSuchCase(f"case {case_number} is not in the library (any more): look at the list again")
    return str(uid)


def restore(folder: Path, copy: Path, clock: Clock = utc_now) -> Path:
    """Put a copy in the place of the library of a folder. What lay there is kept in the folder returned.

    Raises InUse while it is open, Damaged where the copy itself is bad, StoreError.
    """
    path = folder / NAME
    with spoken(path):
        lock = take_lock(folder)
        try:
            return backup.restore(path, copy, clock())
        finally:
            lock.close()
