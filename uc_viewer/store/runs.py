"""Runs of a model in the library: begun, filled batch by batch, finished, taken up again, rebuilt.

What a run has given is there after each `add`, whatever happens to the program; a power cut may take the
last batches. A batch that is added twice is there once. Reading back gives what was put in, in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from uc_viewer.case import Duplicate, FrameKey, FrameResult, RecordingFacts, Run, Unreadable
from uc_viewer.store import plain, readings
from uc_viewer.store.connection import Sql
from uc_viewer.store.database import Store, uid_of
from uc_viewer.store.faults import NoSuchCase, StoreError
from uc_viewer.store.nouns import RunLine
from uc_viewer.store.plain import Item
from uc_viewer.store.trail import PROGRAM, object_of

_RESULT, _UNREADABLE, _DUPLICATE = range(3)

_PUT_ITEM = """
    INSERT INTO items (file_number, frame, place, kind, pts_seconds, p0, p1, p2, p3, p_active, active, said,
        other_sha256)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO
"""
_LEAVE = "NOTHING"
_REPLACE = """
    UPDATE SET kind = excluded.kind, pts_seconds = excluded.pts_seconds,
        p0 = excluded.p0, p1 = excluded.p1, p2 = excluded.p2, p3 = excluded.p3,
        p_active = excluded.p_active, active = excluded.active, said = excluded.said,
        other_sha256 = excluded.other_sha256
"""

_LINES = """
    SELECT number, uid, case_number, model_name, weights_sha256, started, finished, complete, expected, done,
        interrupted
    FROM runs
"""


class Closed(StoreError):
    """The run came to its end; nothing can be added to it."""


def begin(
    store: Store,
    case_number: int,
    *,
    started: str,
    expected: int,
    model: Mapping[str, Any],
    provenance: Mapping[str, Any],
    recordings: Sequence[RecordingFacts] = (),
) -> int:
    """Begin a run; its number. ``model``: facts of its card, JSON-ready, with "name" and "weights_sha256".

    ``started``: ISO 8601 with offset. ``expected`` and the rest may be put right by `update` and `finish`.
    Raises NoSuchCase, ValueError for NaN.
    """
    with store.writing() as sql:
        case_uid = uid_of(sql, case_number)
        number, uid = insert(
            sql, case_number, started, expected, model=model, provenance=provenance, recordings=recordings
        )
        one = _line(sql, number)
        after = {
            "run": uid,
            "model": one.model_name,
            "weights_sha256": one.weights_sha256,
            "started": started,
        }
        store.record(sql, PROGRAM, "begin run", object_of(case_uid), None, after)
        return number


def add(store: Store, run_number: int, items: Iterable[Item]) -> None:
    """Add a batch, in one transaction. For a picture that is there already the new answer counts.

    Raises NoSuchCase for a run that is not there, Closed for one that is complete.
    """
    with store.writing(durable=False) as sql:
        place = _next_place(sql, run_number)
        files: dict[str, tuple[int, str]] = {}
        rows: list[tuple[Any, ...]] = []
        for item in items:
            if item.source_file not in files:
                files[item.source_file] = _file(sql, run_number, item)
            rows.append(_row(item, place + len(rows), *files[item.source_file]))
        new = sql.executemany(_PUT_ITEM + _LEAVE, rows).rowcount
        if new < len(rows):
            sql.executemany(_PUT_ITEM + _REPLACE, rows)
        sql.execute(
            "UPDATE runs SET done = done + ?, next_place = next_place + ? WHERE number = ?",
            (max(0, new), len(rows), run_number),
        )


def update(
    store: Store,
    run_number: int,
    *,
    expected: int | None = None,
    provenance: Mapping[str, Any] | None = None,
    recordings: Sequence[RecordingFacts] | None = None,
) -> None:
    """Put right what is known of a run that goes on. Raises as `add`."""
    with store.writing(durable=False) as sql:
        _next_place(sql, run_number)
        _update(sql, run_number, expected, provenance, recordings)


def finish(
    store: Store,
    run_number: int,
    *,
    finished: str,
    complete: bool,
    expected: int | None = None,
    provenance: Mapping[str, Any] | None = None,
    recordings: Sequence[RecordingFacts] | None = None,
    interrupted: str = "",
) -> None:
    """End a run for now. One that is not complete can be taken up again: `missing`, `add`, `finish`.

    Raises as `add`.
    """
    with store.writing() as sql:
        _next_place(sql, run_number)
        _update(sql, run_number, expected, provenance, recordings)
        end(sql, run_number, finished, interrupted, complete=complete)
        one = _line(sql, run_number)
        after = {"run": one.uid, "complete": complete, "done": one.done, "expected": one.expected}
        store.record(sql, PROGRAM, "finish run", object_of(uid_of(sql, one.case_number)), None, after)


def keep(store: Store, case_number: int, run: Run) -> int:
    """Put a run that is over into the library as it is, in one transaction; its number."""
    model = run.provenance.get("model")
    with store.writing():
        number = begin(
            store,
            case_number,
            started=run.started,
            expected=run.expected,
            model=model if isinstance(model, Mapping) else {},
            provenance=run.provenance,
            recordings=run.recordings,
        )
        add(store, number, (*run.results, *run.unreadable))
        finish(
            store,
            number,
            finished=run.finished,
            complete=run.complete,
            interrupted=run.interrupted,
        )
        return number


def missing(
    store: Store,
    run_number: int,
    keys: Iterable[FrameKey],
    digests: Mapping[str, str] | None = None,
) -> list[FrameKey]:
    """Of these pictures those the run has not looked at, in their order.

    ``digests``: SHA-256 of files as they are now, by name; what was scored of a file that has changed since
    counts as missing. Raises NoSuchCase.
    """
    now = digests or {}
    with store.reading() as sql:
        _line(sql, run_number)
        rows = sql.execute(
            "SELECT source_file, frame, coalesce(other_sha256, sha256) FROM files "
            "JOIN items ON file_number = number WHERE run_number = ?",
            (run_number,),
        )
        done = {(name, frame) for name, frame, sha256 in rows if now.get(name, sha256) == sha256}
    return [key for key in keys if key not in done]


def of_case(store: Store, case_number: int) -> list[RunLine]:
    """The runs of a case, the first begun first. Raises NoSuchCase."""
    with store.reading() as sql:
        uid_of(sql, case_number)
        return _lines(sql, "WHERE case_number = ? ORDER BY number", case_number)


def unfinished(store: Store) -> list[RunLine]:
    """Runs that did not come to their end, of cases that are not in the bin; the last begun first."""
    with store.reading() as sql:
        return _lines(
            sql,
            "WHERE complete = 0 AND case_number IN (SELECT number FROM cases WHERE binned = '') "
            "ORDER BY number DESC",
        )


def items(store: Store, run_number: int) -> list[Item]:
    """All a run says of pictures, twins as well, in the order they were added. Raises NoSuchCase."""
    with store.reading() as sql:
        _line(sql, run_number)
        rows = sql.execute(
            "SELECT source_file, coalesce(other_sha256, sha256), frame, kind, pts_seconds, p0, p1, p2, p3, "
            "p_active, active, said FROM files JOIN items ON file_number = number WHERE run_number = ? "
            "ORDER BY place",
            (run_number,),
        )
        return [_item(*row) for row in rows]


def load(store: Store, run_number: int) -> Run:
    """The run as it stands, with the case as it is now. Raises NoSuchCase."""
    with store.reading() as sql:
        found = items(store, run_number)
        return replace(
            head(sql, run_number),
            results=tuple(item for item in found if isinstance(item, FrameResult)),
            unreadable=tuple(item for item in found if isinstance(item, Unreadable)),
        )


def head(sql: Sql, run_number: int) -> Run:
    """The run without what it says of pictures. Raises NoSuchCase."""
    one = _line(sql, run_number)
    provenance, recordings = sql.execute(
        "SELECT provenance, recordings FROM runs WHERE number = ?", (run_number,)
    ).fetchone()
    return Run(
        case=readings.details(sql, one.case_number),
        results=(),
        unreadable=(),
        started=one.started,
        finished=one.finished,
        complete=one.complete,
        expected=one.expected,
        provenance=plain.mapping(plain.parse(provenance)),
        recordings=plain.recordings_from(plain.parse(recordings)),
        interrupted=one.interrupted,
    )


def model_facts(store: Store, run_number: int) -> dict[str, Any]:
    """What was said of the model when the run began. Raises NoSuchCase."""
    with store.reading() as sql:
        _line(sql, run_number)
        return plain.mapping(plain.parse(sql.one("SELECT model FROM runs WHERE number = ?", run_number)))


# Rows, for the rooms that make whole cases


def insert(
    sql: Sql,
    case_number: int,
    started: str,
    expected: int,
    *,
    model: Mapping[str, Any],
    provenance: Mapping[str, Any],
    recordings: Sequence[RecordingFacts],
) -> tuple[int, str]:
    """A new row, without an entry in the trail; its number and uid."""
    uid = uuid4().hex
    cursor = sql.execute(
        "INSERT INTO runs (uid, case_number, model_name, weights_sha256, model, provenance, recordings, "
        "started, expected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            uid,
            case_number,
            str(model.get("name", "")),
            str(model.get("weights_sha256", "")),
            plain.written(dict(model)),
            plain.written(dict(provenance)),
            plain.written(plain.recordings_data(tuple(recordings))),
            started,
            expected,
        ),
    )
    return int(cursor.lastrowid or 0), uid


def end(sql: Sql, run_number: int, finished: str, interrupted: str, *, complete: bool) -> None:
    """Note the end of a run, without an entry in the trail."""
    sql.execute(
        "UPDATE runs SET finished = ?, complete = ?, interrupted = ? WHERE number = ?",
        (finished, int(complete), interrupted, run_number),
    )


def _next_place(sql: Sql, run_number: int) -> int:
    """Where the next picture goes. Raises NoSuchCase, and Closed where there is none any more."""
    row = sql.execute("SELECT complete, next_place FROM runs WHERE number = ?", (run_number,)).fetchone()
    if row is None:
        raise _gone(run_number)
    if row[0]:
        raise Closed("this run is complete, nothing can be added to it: begin a new one")
    return int(row[1])


def _update(
    sql: Sql,
    run_number: int,
    expected: int | None,
    provenance: Mapping[str, Any] | None,
    recordings: Sequence[RecordingFacts] | None,
) -> None:
    sql.execute(
        "UPDATE runs SET expected = coalesce(?, expected), provenance = coalesce(?, provenance), "
        "recordings = coalesce(?, recordings) WHERE number = ?",
        (
            expected,
            None if provenance is None else plain.written(dict(provenance)),
            None if recordings is None else plain.written(plain.recordings_data(tuple(recordings))),
            run_number,
        ),
    )


def _file(sql: Sql, run_number: int, item: Item) -> tuple[int, str]:
    """Number and digest of a file of the run."""
    sql.execute(
        "INSERT INTO files (run_number, source_file, sha256) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (run_number, item.source_file, item.source_sha256),
    )
    number, sha256 = sql.execute(
        "SELECT number, sha256 FROM files WHERE run_number = ? AND source_file = ?",
        (run_number, item.source_file),
    ).fetchone()
    return number, sha256


def _row(item: Item, place: int, file_number: int, sha256: str) -> tuple[Any, ...]:
    other = None if item.source_sha256 == sha256 else item.source_sha256
    start = file_number, int(item.index), place
    nothing = (None,) * 6
    if isinstance(item, Duplicate):
        return (*start, _DUPLICATE, None, *nothing, item.of, other)
    pts = None if item.pts_seconds is None else float(item.pts_seconds)
    if isinstance(item, Unreadable):
        return (*start, _UNREADABLE, pts, *nothing, item.reason, other)
    scores = item.scores
    if scores.probabilities is None:
        return (*start, _RESULT, pts, *nothing, scores.reject_reason, other)
    p = [float(each) for each in scores.probabilities]
    return (*start, _RESULT, pts, *p, float(scores.p_active or 0.0), int(bool(scores.active)), "", other)


def _item(name: str, sha256: str, frame: int, kind: int, pts: float | None, *answer: Any) -> Item:
    *p, p_active, active, said = answer
    if kind == _DUPLICATE:
        return Duplicate(name, said, sha256, frame)
    if kind == _UNREADABLE:
        return Unreadable(name, said, sha256, frame, pts)
    if said:
        return FrameResult(name, sha256, frame, pts, plain.scores_from(None, None, None, said))
    return FrameResult(name, sha256, frame, pts, plain.scores_from(p, p_active, bool(active), ""))


def _lines(sql: Sql, clause: str, *values: Any) -> list[RunLine]:
    return [
        RunLine(number, uid, case, model, weights, started, finished, bool(complete), *rest)
        for number, uid, case, model, weights, started, finished, complete, *rest in sql.execute(
            _LINES + clause, values
        )
    ]


def _line(sql: Sql, run_number: int) -> RunLine:
    if not (found := _lines(sql, "WHERE number = ?", run_number)):
        raise _gone(run_number)
    return found[0]


def _gone(run_number: int) -> NoSuchCase:
    return NoSuchCase(f"run {run_number} is not in the library (any more): look at the case again")
