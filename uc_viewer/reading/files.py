"""A reading session as text: JSON to stop and go on, and the CSV of a locked one."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from uc_viewer.reading.session import AI, Answer, Changes, Entry, Item, Protocol, ReadingError, Session, Shown
from uc_viewer.spreadsheet import ENCODING, csv_text, guard

FORMAT = "uc_viewer blinded reading"
"""What a session's JSON says it is."""

VERSION = 1
"""Version of both layouts; raised when a reader of them would have to change."""

COLUMNS = (
    "order",
    "item",
    "duplicate_of",
    "status",
    "grade",
    "unaided_grade",
    "answers",
    "seconds",
    "graded_at",
    "ai_shown",
    "ai_grade",
    "reader",
    "seed",
    "protocol",
    "locked_at",
    "schema_version",
    "rows_sha256",
)
"""Columns of the table, in order. ``order`` starts at 1; the last one is the digest of all the others."""

T = TypeVar("T")


def to_json(session: Session) -> str:
    """The whole session as JSON, to go on from later. It holds the items' real names: keep it to yourself."""
    rules = session.protocol
    data = {
        "format": FORMAT,
        "version": VERSION,
        "reader": session.reader,
        "seed": session.seed,
        "protocol": {
            "ai": rules.ai.name,
            "names_hidden": rules.names_hidden,
            "changes": rules.changes.name,
            "change_after_ai": rules.change_after_ai,
            "duplicates": rules.duplicates,
            "distance": rules.distance,
        },
        "locked_at": session.locked_at,
        "entries": [_plain(entry) for entry in session.entries],
    }
    return json.dumps(data, allow_nan=False)


def _plain(entry: Entry) -> dict[str, Any]:
    shown = entry.shown
    return {
        "item": entry.item if isinstance(entry.item, str) else list(entry.item),
        "pseudonym": entry.pseudonym,
        "again": entry.again,
        "answers": [{"grade": a.grade, "at": a.at, "seconds": a.seconds} for a in entry.answers],
        "shown": shown and {"grade": shown.grade, "at": shown.at, "answers": shown.answers},
    }


def from_json(text: str) -> Session:
    """The session that `to_json` wrote. Raises ReadingError, naming the fault, for anything else."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadingError(f"not a reading session: {error}; open the file as it was saved") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ReadingError("not a reading session: open a file that this program saved as one")
    version = _field(data, "version", int)
    if version != VERSION:
        raise ReadingError(
            f"this reading session has version {version}, and this program reads {VERSION}: "
            "open it with the program that wrote it, or a newer one"
        )
    names = {"format", "version", "reader", "seed", "protocol", "locked_at", "entries"}
    _only(data, names, "the session")
    return Session(
        reader=_field(data, "reader", str),
        seed=_field(data, "seed", int),
        protocol=_protocol(_field(data, "protocol", dict)),
        entries=tuple(_entry(entry) for entry in _field(data, "entries", list)),
        locked_at=_field(data, "locked_at", str),
    )


def _protocol(data: dict[str, Any]) -> Protocol:
    names = {"ai", "names_hidden", "changes", "change_after_ai", "duplicates", "distance"}
    _only(data, names, "the protocol")
    try:
        ai, changes = AI[_field(data, "ai", str)], Changes[_field(data, "changes", str)]
    except KeyError as error:
        raise ReadingError(f"the session's protocol has an unknown rule: {error}") from error
    return Protocol(
        ai=ai,
        names_hidden=_field(data, "names_hidden", bool),
        changes=changes,
        change_after_ai=_field(data, "change_after_ai", bool),
        duplicates=_field(data, "duplicates", int, float),
        distance=_field(data, "distance", int),
    )


def _entry(data: Any) -> Entry:
    _only(data, {"item", "pseudonym", "again", "answers", "shown"}, "an entry")
    shown = _field(data, "shown", dict, type(None))
    if shown is not None:
        _only(shown, {"grade", "at", "answers"}, "an AI's grade")
        shown = Shown(
            _field(shown, "grade", int, type(None)), _field(shown, "at", str), _field(shown, "answers", int)
        )
    return Entry(
        item=_item(_field(data, "item", str, list)),
        pseudonym=_field(data, "pseudonym", str),
        again=_field(data, "again", int, type(None)),
        answers=tuple(_answer(answer) for answer in _field(data, "answers", list)),
        shown=shown,
    )


def _answer(data: Any) -> Answer:
    _only(data, {"grade", "at", "seconds"}, "an answer")
    grade = _field(data, "grade", int, type(None))
    return Answer(grade, _field(data, "at", str), _field(data, "seconds", int, float))


def _item(data: str | list[Any]) -> Item:
    if isinstance(data, str):
        return data
    if len(data) == 2 and type(data[0]) is str and type(data[1]) is int:
        return data[0], data[1]
    raise ReadingError(f"the session has an item that is neither a case nor a frame: {data!r}")


def _only(data: Any, names: set[str], what: str) -> None:
    """Raises ReadingError unless ``data`` is an object with exactly these fields."""
    if not isinstance(data, dict) or set(data) != names:
        raise ReadingError(f"the file of the session is damaged: {what} must have {', '.join(sorted(names))}")


def _field(data: dict[str, Any], name: str, *kinds: type[Any]) -> Any:
    # type() and not isinstance(): True would pass for 1.
    value = data.get(name)
    if type(value) not in kinds:
        raise ReadingError(f"the file of the session is damaged: {name} cannot be {value!r:.80}")
    return value


def locked_table(session: Session) -> bytes:
    """The CSV of a locked session, RFC 4180 in UTF-8 with a byte order mark: one row per position.

    The grade of the model is there only where the reader saw it. ``rows_sha256`` is the same in every row
    and shows slips, see `intact`; whoever wants to deceive can compute it anew, so keep it elsewhere too.
    Raises ReadingError for a session that is not locked.
    """
    if not session.locked:
        raise ReadingError("the session is not locked: lock it first, then write its table")
    rows = [COLUMNS[:-1], *(_row(session, position) for position in range(len(session.entries)))]
    digest = _digest(rows)
    whole = [(*row, digest if number else COLUMNS[-1]) for number, row in enumerate(rows)]
    return csv_text(whole).encode(ENCODING)


def intact(table: bytes) -> bool:
    """Whether a table is as `locked_table` wrote it: no row added, lost, moved or changed."""
    try:
        rows = list(csv.reader(io.StringIO(table.decode(ENCODING), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return False
    if len(rows) < 2 or tuple(rows[0]) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        return False
    return {row[-1] for row in rows[1:]} == {_digest([row[:-1] for row in rows])}


def _digest(rows: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256(csv_text(rows).encode("utf-8")).hexdigest()


def _row(session: Session, position: int) -> tuple[str, ...]:
    entry = session.entries[position]
    status = "unread" if not entry.read else "not gradable" if entry.grade is None else "read"
    return (
        str(position + 1),
        guard(entry.pseudonym),
        "" if entry.again is None else str(entry.again + 1),
        status,
        _digit(entry.grade),
        _digit(entry.unaided),
        str(len(entry.answers)),
        f"{sum(answer.seconds for answer in entry.answers):.3f}" if entry.read else "",
        entry.answers[-1].at if entry.read else "",
        str(int(entry.shown is not None)),
        _digit(entry.shown.grade) if entry.shown else "",
        guard(session.reader),
        str(session.seed),
        guard(session.protocol.describe()),
        session.locked_at,
        str(VERSION),
    )


def _digit(grade: int | None) -> str:
    return "" if grade is None else str(grade)
