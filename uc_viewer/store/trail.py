"""The audit trail in the library: one more entry, and all there are."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from uc_viewer.store import audit
from uc_viewer.store.audit import Entry, Link, Values
from uc_viewer.store.connection import Sql

PROGRAM = "UC Viewer"
"""Who does what no person asked for."""

LIBRARY = "library"
"""The object of what is done to the library as a whole."""


def object_of(uid: str) -> str:
    """How the trail names a case: never by what a person is called."""
    return f"case {uid}"


def append(sql: Sql, at: str, actor: str, action: str, object: str, before: Any, after: Any) -> int:
    """Add an entry, within the transaction that does what it tells; its number.

    ``before`` and ``after`` are plain JSON data. Raises ValueError for NaN.
    """
    head = sql.execute("SELECT seq, hash FROM head").fetchone() or (0, audit.START)
    values = Values(secrets.token_hex(16), audit.canonical(before), audit.canonical(after))
    entry = audit.entry_after(head, at, actor, action, object, values)
    sql.execute(
        "INSERT INTO audit (seq, at, actor, action, object, before, after, previous, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*vars(entry).values(), entry.hash),
    )
    sql.execute(
        "INSERT INTO audit_values (seq, salt, before, after) VALUES (?, ?, ?, ?)",
        (entry.seq, *vars(values).values()),
    )
    sql.execute(
        "INSERT INTO head (one, seq, hash) VALUES (1, ?, ?) "
        "ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
        (entry.seq, entry.hash),
    )
    return entry.seq


def links(sql: Sql, object: str = "") -> Iterator[Link]:
    """The trail as it was kept, in order; with an ``object``, the entries about that."""
    rows = sql.execute(
        "SELECT seq, at, actor, action, object, a.before, a.after, previous, hash, "
        "salt, v.before, v.after FROM audit AS a LEFT JOIN audit_values AS v USING (seq) "
        "WHERE ?1 = '' OR object = ?1 ORDER BY seq",
        (object,),
    )
    for row in rows:
        yield Link(Entry(*row[:8]), row[8], None if row[9] is None else Values(*row[9:]))
