"""The audit trail read by a person, and looked through: is it whole, and do the cases hold what it says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from uc_viewer.store import audit, backup, plain, readings, signing
from uc_viewer.store.audit import Link, Verdict
from uc_viewer.store.connection import NAME, Sql, connect_to_read, spoken
from uc_viewer.store.database import Store
from uc_viewer.store.faults import Damaged, Malformed, StoreError
from uc_viewer.store.nouns import Assessment
from uc_viewer.store.trail import LIBRARY, links, object_of

_NOTHING_SAID: dict[str, Any] = {
    "case": None,
    "comment": "",
    "definition": "standard",
    "assessment": plain.assessment_data(Assessment()),
    "status": "draft",
    "version": 0,
}
"""What a new case holds, by the names the trail has for it; readings of frames and signatures beside."""


@dataclass(frozen=True)
class Deed:
    """One thing done. ``before`` and ``after`` are plain JSON data, None also where a purge erased them."""

    seq: int
    at: str
    actor: str
    action: str
    object: str
    before: Any
    after: Any
    hash: str


def deeds(store: Store, uid: str = "") -> list[Deed]:
    """All that was done, the oldest first; with a ``uid``, to that case."""
    with store.reading() as sql:
        return [_deed(link) for link in links(sql, object_of(uid) if uid else "")]


def verify(path: Path, anchor: str = "") -> Verdict:
    """Look through the trail of the library at ``path`` (its folder or file), also of a copy.

    Beside the chain it is checked that the cases hold what the trail says was put there, and the snapshots
    what was signed. ``anchor``: the hash of an entry noted earlier elsewhere (`Verdict.head`); without one
    nobody can tell a trail that was written anew from its beginning. Writes nothing. Raises StoreError.
    """
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise StoreError(f"{path}: there is no library of cases")
    with spoken(path):
        sql = connect_to_read(path)
        try:
            sql.execute("BEGIN")
            return verdict(sql, anchor)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # no such table
                raise Damaged(f"{path} is no library of cases", *backup.copies(path)[-1:]) from error
            raise
        finally:
            sql.close()


def verdict(sql: Sql, anchor: str = "") -> Verdict:
    """As `verify`, of an open library."""
    told: dict[str, dict[str, Any]] = {}

    def listened() -> Iterator[Link]:
        for link in links(sql):
            yield link
            _fold(told, link)  # only once it was found good

    head = sql.execute("SELECT seq, hash FROM head").fetchone() or (0, audit.START)
    found = audit.check(listened(), head, anchor)
    if found.broken is not None:
        return found
    held = {object_of(uid): number for number, uid in sql.execute("SELECT number, uid FROM cases")}
    wrong = held.keys() ^ told.keys()
    wrong |= {name for name in held.keys() & told.keys() if _differs(sql, held[name], told[name])}
    return replace(found, differing=tuple(sorted(wrong)))


def _deed(link: Link) -> Deed:
    entry, values = link.entry, link.values
    before, after = (plain.parse(values.before), plain.parse(values.after)) if values else (None, None)
    return Deed(entry.seq, entry.at, entry.actor, entry.action, entry.object, before, after, link.hash)


def _fold(told: dict[str, dict[str, Any]], link: Link) -> None:
    """Take what an entry says into what the cases must hold after it."""
    name = link.entry.object
    if link.entry.action == audit.PURGE:
        told.pop(name, None)
    elif link.values is not None and name != LIBRARY:
        state = told.setdefault(name, {**_NOTHING_SAID, "frames": {}, "signatures": []})
        after = plain.parse(link.values.after)
        for source_file, frame, said in after.get("frames", ()):
            state["frames"][source_file, frame] = said
        state["signatures"] += after.get("signatures", ())
        state.update({part: after[part] for part in _NOTHING_SAID if part in after})
        if "case" in after:  # an older program knew fewer details
            state["case"] = plain.case_data(plain.case_from(after["case"]))


def _differs(sql: Sql, case_number: int, state: dict[str, Any]) -> bool:
    """True where a case holds something else than it should, or what cannot be read."""
    try:
        held = readings.said(sql, case_number)
        signed = signing.signed(sql, case_number)
        for signature, packed in signed:
            signing.opened(packed, signature)
    except (Malformed, ValueError):
        return True
    frames = {(source_file, frame): said for source_file, frame, said in held["frames"]}
    return (
        any(held[part] != state[part] for part in _NOTHING_SAID)
        or frames != {key: said for key, said in state["frames"].items() if said is not None}
        or [asdict(signature) for signature, _ in signed] != state["signatures"]
    )
