"""Cases in the library: made, found, doubled, thrown away and brought back, erased."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import uuid4

from uc_viewer.case import Case, Reading
from uc_viewer.store import audit, listed, plain, readings
from uc_viewer.store.connection import Sql
from uc_viewer.store.database import Store, uid_of
from uc_viewer.store.faults import StoreError
from uc_viewer.store.nouns import CaseLine, Status
from uc_viewer.store.trail import object_of

_LINES = """
    SELECT c.number, c.uid, c.details, c.status, c.version,
        (SELECT max(grade) FROM frame_readings AS f
            WHERE f.case_number = c.number AND f.grade IS NOT NULL AND f.rejected = 0) AS reader_grade,
        coalesce(r.done, 0), r.expected, r.complete, c.created, c.changed, c.opened, c.binned
    FROM cases AS c
    LEFT JOIN runs AS r ON r.number = (SELECT max(number) FROM runs WHERE case_number = c.number)
"""


def create(store: Store, case: Case, by: str) -> int:
    """Put a case into the library; its number."""
    with store.writing() as sql:
        number, uid = insert(store, sql, case)
        store.record(sql, by, "create case", object_of(uid), None, {"case": plain.case_data(case)})
        return number


def find(
    store: Store,
    text: str = "",
    since: str = "",
    until: str = "",
    grades: Collection[int | None] = (),
    statuses: Collection[Status] = (),
    *,
    binned: bool = False,
    limit: int = -1,
    skip: int = 0,
) -> list[CaseLine]:
    """The cases for which all of this holds, those changed last first.

    Every word of ``text`` is part of id or pseudonym, name, endoscopist or indication, whatever its capitals
    and accents. ``since`` and ``until``: days, ISO 8601, both included, of the examination, or of the entry
    where the case names no such day. ``grades``: the highest MES of the reader is one of these, None for
    not read. ``statuses``: it is one of these. ``binned``: those in the bin instead.
    """
    where = ["c.binned <> ''" if binned else "c.binned = ''"]
    values: list[Any] = []
    for condition, wanted in (
        ("instr(c.search, ?) > 0", listed.words(text)),
        ("c.day >= ?", [since] if since else []),
        ("c.day <= ?", [until] if until else []),
    ):
        where += [condition] * len(wanted)
        values += wanted
    for column, chosen in (
        ("c.status", [status.value for status in statuses]),
        ("coalesce(reader_grade, -1)", [-1 if grade is None else grade for grade in grades]),
    ):
        where += [f"{column} IN ({', '.join('?' * len(chosen))})"] if chosen else []
        values += chosen
    order = "ORDER BY c.changed DESC, c.number DESC LIMIT ? OFFSET ?"
    with store.reading() as sql:
        return _lines(sql, f"WHERE {' AND '.join(where)} {order}", *values, limit, skip)


def recent(store: Store, count: int = 10) -> list[CaseLine]:
    """The cases opened last, the last first; none from the bin."""
    with store.reading() as sql:
        return _lines(sql, "WHERE c.binned = '' ORDER BY c.opened DESC, c.number DESC LIMIT ?", count)


def line(store: Store, case_number: int) -> CaseLine:
    """One case, as in the list. Raises NoSuchCase."""
    with store.reading() as sql:
        uid_of(sql, case_number)
        return _lines(sql, "WHERE c.number = ?", case_number)[0]


def opened(store: Store, case_number: int) -> None:
    """Note that a case was opened now, for `recent`. No entry in the trail: nothing was changed."""
    with store.writing(durable=False) as sql:
        uid_of(sql, case_number)
        sql.execute("UPDATE cases SET opened = ? WHERE number = ?", (store.now(), case_number))


def duplicate(store: Store, case_number: int, by: str, *, reading: bool = True) -> int:
    """A second case with the same details, sources and runs, as a draft; its number.

    ``reading``: with what the reader said, else to be read anew. Signatures stay with the first. Raises
    NoSuchCase.
    """
    with store.writing() as sql:
        of = uid_of(sql, case_number)
        number, uid = insert(store, sql, readings.details(sql, case_number))
        for table, columns in _COPIED.items():
            sql.execute(
                f"INSERT INTO {table} (case_number, {columns}) "
                f"SELECT ?, {columns} FROM {table} WHERE case_number = ?",
                (number, case_number),
            )
        _copy_runs(sql, case_number, number)
        if reading:
            put_reading(sql, number, readings.reading(sql, case_number))
            readings.put_assessment(sql, number, readings.assessment(sql, case_number))
        after = {"duplicate_of": of, **readings.said(sql, number)}
        store.record(sql, by, "duplicate case", object_of(uid), None, after)
        return number


def throw_away(store: Store, case_number: int, by: str) -> None:
    """Put a case into the bin. Nothing is lost. Raises NoSuchCase."""
    _bin(store, case_number, by, "put case into bin", into=True)


def bring_back(store: Store, case_number: int, by: str) -> None:
    """Take a case out of the bin. Raises NoSuchCase."""
    _bin(store, case_number, by, "take case out of bin", into=False)


def purge(store: Store, case_number: int, by: str) -> None:
    """Erase a case from the bin for ever: details, readings, runs, sources, signatures, and what the trail
    says of their values. That it was there and was erased, when and by whom stays in the trail.

    Copies made by `Store.back_up` still hold it until they are replaced. Raises NoSuchCase; StoreError where
    it is not in the bin.
    """
    with store.writing() as sql:
        object = object_of(uid_of(sql, case_number))
        if not sql.one("SELECT binned FROM cases WHERE number = ?", case_number):
            raise StoreError("only a case in the bin can be erased: put it there first")
        sql.execute("INSERT INTO purging (case_number, object) VALUES (?, ?)", (case_number, object))
        sql.execute(
            "DELETE FROM audit_values WHERE seq IN (SELECT seq FROM audit WHERE object = ?)", (object,)
        )
        sql.execute("DELETE FROM cases WHERE number = ?", (case_number,))
        sql.execute("DELETE FROM purging")
        store.record(sql, by, audit.PURGE, object, None, None)
    store.empty_wal()  # so that it is not there either


# Rows, for the rooms that make whole cases


def insert(store: Store, sql: Sql, case: Case) -> tuple[int, str]:
    """A new row, without an entry in the trail; its number and uid."""
    uid, now = uuid4().hex, store.now()
    cursor = sql.execute(
        "INSERT INTO cases (uid, details, search, day, created, changed, opened) "
        "VALUES (?, '', '', '', ?, ?, ?)",
        (uid, now, now, now),
    )
    number = int(cursor.lastrowid or 0)
    readings.put_details(sql, number, case)
    return number, uid


def put_reading(sql: Sql, case_number: int, reading: Reading) -> None:
    """Write a whole reading into a new case."""
    readings.put_frames(sql, case_number, reading.frames)
    sql.execute(
        "UPDATE cases SET comment = ?, definition = ? WHERE number = ?",
        (reading.comment, reading.definition, case_number),
    )


_COPIED = {
    "drops": "number, place, path",
    "sources": "source_file, place, path, size, mtime_ns, sha256, kind, member",
}
"""Tables of a case and their columns that go with it when it is doubled."""

_RUN = (
    "model_name, weights_sha256, model, provenance, recordings, started, finished, complete, expected, "
    "interrupted, done, next_place"
)
_ITEM = "frame, place, kind, pts_seconds, p0, p1, p2, p3, p_active, active, said, other_sha256"


def _copy_runs(sql: Sql, of: int, to: int) -> None:
    for (run,) in sql.execute(
        "SELECT number FROM runs WHERE case_number = ? ORDER BY number", (of,)
    ).fetchall():
        copied = sql.execute(
            f"INSERT INTO runs (uid, case_number, {_RUN}) SELECT ?, ?, {_RUN} FROM runs WHERE number = ?",
            (uuid4().hex, to, run),
        ).lastrowid
        sql.execute(
            "INSERT INTO files (run_number, source_file, sha256) "
            "SELECT ?, source_file, sha256 FROM files WHERE run_number = ? ORDER BY number",
            (copied, run),
        )
        sql.execute(
            f"INSERT INTO items (file_number, {_ITEM}) SELECT new.number, {_ITEM} FROM items "
            "JOIN files AS old ON old.number = items.file_number "
            "JOIN files AS new ON new.run_number = ? AND new.source_file = old.source_file "
            "WHERE old.run_number = ?",
            (copied, run),
        )


def _bin(store: Store, case_number: int, by: str, action: str, *, into: bool) -> None:
    with store.writing() as sql:
        object = object_of(uid_of(sql, case_number))
        since = sql.one("SELECT binned FROM cases WHERE number = ?", case_number)
        if bool(since) == into:
            return
        now = store.now() if into else ""
        sql.execute("UPDATE cases SET binned = ? WHERE number = ?", (now, case_number))
        store.record(sql, by, action, object, {"binned": since}, {"binned": now})


def _lines(sql: Sql, clause: str, *values: Any) -> list[CaseLine]:
    return [
        CaseLine(
            number,
            uid,
            plain.case_from(plain.parse(details)),
            Status(status),
            version,
            grade,
            done,
            expected or 0,
            None if complete is None else bool(complete),
            *times,
        )
        for number, uid, details, status, version, grade, done, expected, complete, *times in sql.execute(
            _LINES + clause, values
        )
    ]
