"""Signatures: a draft becomes final, and a snapshot of all that was signed is frozen.

    draft -- sign --> final (1) -- amend, for a reason --> amending -- sign --> amended (2) -- amend ...

While a case is final or amended nothing the reader says can be changed. A run may still be added to it; the
snapshots hold the run that was signed, and no later one ever changes them. Triggers in the library keep
them, and the digest of each stands in the audit trail.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import asdict
from typing import Any

from uc_viewer.store import audit, plain, readings, runs
from uc_viewer.store.connection import Sql
from uc_viewer.store.database import Store, uid_of
from uc_viewer.store.faults import Malformed, NoSuchCase, StoreError
from uc_viewer.store.nouns import Signature, Snapshot, Status
from uc_viewer.store.trail import object_of

_COLUMNS = "version, name, role, signed, reason, snapshot_sha256, report_sha256"


class WrongStatus(StoreError):
    """The case is signed already, or not signed yet."""


def sign(
    store: Store,
    case_number: int,
    run_number: int | None,
    name: str,
    role: str = "",
    report: bytes = b"",
) -> Signature:
    """Sign a case as it stands: with a run of it, or without any.

    ``name`` and ``role`` of who signs, who is also the actor in the trail; ``report``: the bytes of the
    report that was made of it, of which the digest is kept. Raises WrongStatus where it is signed already,
    NoSuchCase, ValueError without a name or for a run of another case.
    """
    if not name.strip():
        raise ValueError("a signature needs a name")
    with store.writing() as sql:
        uid, status = uid_of(sql, case_number), _status(sql, case_number)
        if status.signed:
            raise WrongStatus("this case is signed already: say why it must be changed before signing again")
        packed = audit.canonical(
            plain.snapshot_data(_snapshot(store, sql, case_number, run_number, report))
        ).encode("ascii")
        version = 1 if status is Status.DRAFT else int(_one(sql, "version", case_number))
        signature = Signature(
            version,
            name,
            role,
            store.clock().astimezone().isoformat(timespec="seconds"),
            str(_one(sql, "reason", case_number)),
            hashlib.sha256(packed).hexdigest(),
            _report_digest(report),
        )
        put_signature(sql, case_number, signature, packed)
        _set(sql, case_number, signature.status, version, "", store.now())
        after = {"status": signature.status.value, "version": version, "signatures": [asdict(signature)]}
        store.record(sql, name, "sign", object_of(uid), {"status": status.value}, after)
        return signature


def amend(store: Store, case_number: int, reason: str, by: str) -> None:
    """Take a signed case up again, to be changed and signed as its next version.

    Raises WrongStatus where it is not signed, ValueError without a reason, NoSuchCase.
    """
    if not reason.strip():
        raise ValueError("a signed case can be changed only for a reason")
    with store.writing() as sql:
        uid, status = uid_of(sql, case_number), _status(sql, case_number)
        if not status.signed:
            raise WrongStatus("this case is not signed, so it can be changed as it is")
        version = int(_one(sql, "version", case_number)) + 1
        _set(sql, case_number, Status.AMENDING, version, reason, store.now())
        before = {"status": status.value, "version": version - 1}
        after = {"status": Status.AMENDING.value, "version": version, "reason": reason}
        store.record(sql, by, "amend", object_of(uid), before, after)


def signatures(store: Store, case_number: int) -> list[Signature]:
    """All signatures under a case, the first version first. Raises NoSuchCase."""
    with store.reading() as sql:
        uid_of(sql, case_number)
        return [signature for signature, _ in signed(sql, case_number)]


def snapshot(store: Store, case_number: int, version: int) -> Snapshot:
    """A case as it was signed. Raises NoSuchCase where that version was not, Damaged where it was changed."""
    with store.reading() as sql:
        uid_of(sql, case_number)
        for signature, packed in signed(sql, case_number):
            if signature.version == version:
                return plain.snapshot_from(plain.parse(opened(packed, signature)))
    raise NoSuchCase(f"version {version} of this case was not signed")


# Rows, for the rooms that export, import and check whole cases


def signed(sql: Sql, case_number: int) -> list[tuple[Signature, bytes]]:
    """The signatures of a case with their packed snapshots."""
    rows = sql.execute(
        f"SELECT {_COLUMNS}, snapshot FROM signatures WHERE case_number = ? ORDER BY version", (case_number,)
    )
    return [(Signature(*row[:-1]), row[-1]) for row in rows]


def opened(packed: bytes, signature: Signature) -> str:
    """The text of a snapshot. Raises Malformed where it is not what was signed."""
    try:
        text = zlib.decompress(packed)
    except zlib.error as error:
        raise Malformed(f"the snapshot of version {signature.version}: {error}") from error
    if hashlib.sha256(text).hexdigest() != signature.snapshot_sha256:
        raise Malformed(f"the snapshot of version {signature.version} is not what was signed")
    return text.decode("ascii")


def put_signature(sql: Sql, case_number: int, signature: Signature, text: bytes) -> None:
    """Write a signature and the text of its snapshot."""
    sql.execute(
        f"INSERT INTO signatures (case_number, {_COLUMNS}, snapshot) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (case_number, *vars(signature).values(), zlib.compress(text)),
    )


def _snapshot(store: Store, sql: Sql, case_number: int, run_number: int | None, report: bytes) -> Snapshot:
    run = None
    if run_number is not None:
        if run_number not in [line.number for line in runs.of_case(store, case_number)]:
            raise ValueError(f"run {run_number} is no run of case {case_number}")
        run = runs.load(store, run_number)
    return Snapshot(
        readings.details(sql, case_number),
        run,
        readings.reading(sql, case_number),
        readings.assessment(sql, case_number),
        _report_digest(report),
    )


def _report_digest(report: bytes) -> str:
    return hashlib.sha256(report).hexdigest() if report else ""


def _status(sql: Sql, case_number: int) -> Status:
    return Status(_one(sql, "status", case_number))


def _one(sql: Sql, column: str, case_number: int) -> Any:
    return sql.one(f"SELECT {column} FROM cases WHERE number = ?", case_number)


def _set(sql: Sql, case_number: int, status: Status, version: int, reason: str, now: str) -> None:
    sql.execute(
        "UPDATE cases SET status = ?, version = ?, reason = ?, changed = ? WHERE number = ?",
        (status.value, version, reason, now, case_number),
    )
