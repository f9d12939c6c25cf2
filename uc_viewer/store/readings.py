"""What the reader says: every change is one transaction that writes the value and one entry of the trail.

Undo and redo are changes like any other: the caller passes the values to put, and which of the two it is.
A signed case cannot be changed, see `uc_viewer.store.signing.amend`. All of it is on the disk before a
function returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from uc_viewer.case import UNREAD, Case, FrameKey, FrameReading, Reading, Segment
from uc_viewer.entered import Bbps, Uceis
from uc_viewer.store import plain
from uc_viewer.store.connection import Sql
from uc_viewer.store.database import Store, uid_of
from uc_viewer.store.faults import StoreError
from uc_viewer.store.listed import day_of, searched
from uc_viewer.store.nouns import Assessment, Status, Step
from uc_viewer.store.trail import object_of

_ASKED_ONE_BY_ONE = 100
"""Up to so many readings are looked up one by one; for more, all of the case are read at once."""

_FRAME = "source_file, frame, grade, reason, segment, rejected, key_image, comment"


class Signed(StoreError):
    """The case is signed; what the reader says can be changed only after a reason for that was given."""


def read_frames(
    store: Store,
    case_number: int,
    after: Mapping[FrameKey, FrameReading],
    by: str,
    step: Step = Step.DO,
) -> int | None:
    """Give some frames new readings; `UNREAD` clears one.

    The number of the entry in the trail, None where nothing is new. Raises Signed, NoSuchCase, StoreError;
    ValueError for a grade that is none.
    """
    if wrong := [reading for reading in after.values() if reading.grade not in (None, 0, 1, 2, 3)]:
        raise ValueError(f"{wrong[0].grade!r} is no grade: 0 to 3, or None")
    with store.writing() as sql:
        uid = _changeable(sql, case_number)
        before = _before(sql, case_number, after)
        new = {key: reading for key, reading in after.items() if reading != before.get(key, UNREAD)}
        if not new:
            return None
        put_frames(sql, case_number, new)
        old = {key: before.get(key, UNREAD) for key in new}
        return _note(
            store, sql, uid, by, f"{step.value}read frames", "frames", *map(plain.frames_data, (old, new))
        )


def comment(store: Store, case_number: int, text: str, by: str, step: Step = Step.DO) -> int | None:
    """Change the overall comment. Returns and raises as `read_frames`."""
    with store.writing() as sql:
        uid = _changeable(sql, case_number)
        before = sql.one("SELECT comment FROM cases WHERE number = ?", case_number)
        sql.execute("UPDATE cases SET comment = ? WHERE number = ?", (text, case_number))
        return _note(store, sql, uid, by, f"{step.value}comment", "comment", before, text)


def choose_definition(store: Store, case_number: int, name: str, by: str, step: Step = Step.DO) -> int | None:
    """Change the definition of the grades the reader goes by. Returns and raises as `read_frames`."""
    with store.writing() as sql:
        uid = _changeable(sql, case_number)
        before = sql.one("SELECT definition FROM cases WHERE number = ?", case_number)
        sql.execute("UPDATE cases SET definition = ? WHERE number = ?", (name, case_number))
        return _note(store, sql, uid, by, f"{step.value}choose definition", "definition", before, name)


def describe(store: Store, case_number: int, case: Case, by: str, step: Step = Step.DO) -> int | None:
    """Change who and what was examined. Returns and raises as `read_frames`."""
    with store.writing() as sql:
        uid = _changeable(sql, case_number)
        before, after = plain.case_data(details(sql, case_number)), plain.case_data(case)
        put_details(sql, case_number, case)
        return _note(store, sql, uid, by, f"{step.value}describe case", "case", before, after)


def assess(store: Store, case_number: int, entered: Assessment, by: str, step: Step = Step.DO) -> int | None:
    """Enter UCEIS, BBPS, furthest point and extent. Returns and raises as `read_frames`."""
    with store.writing() as sql:
        uid = _changeable(sql, case_number)
        before = plain.assessment_data(assessment(sql, case_number))
        put_assessment(sql, case_number, entered)
        after = plain.assessment_data(entered)
        return _note(store, sql, uid, by, f"{step.value}assess", "assessment", before, after)


def load(store: Store, case_number: int) -> Reading:
    """All the reader says of a case. Raises NoSuchCase."""
    with store.reading() as sql:
        return reading(sql, case_number)


def load_case(store: Store, case_number: int) -> Case:
    """Who and what was examined. Raises NoSuchCase."""
    with store.reading() as sql:
        return details(sql, case_number)


def load_assessment(store: Store, case_number: int) -> Assessment:
    """What was entered for the whole examination. Raises NoSuchCase."""
    with store.reading() as sql:
        uid_of(sql, case_number)
        return assessment(sql, case_number)


# Rows, for the rooms that copy, import and check whole cases


def reading(sql: Sql, case_number: int) -> Reading:
    """All the reader says of a case. Raises NoSuchCase."""
    uid_of(sql, case_number)
    row = sql.execute("SELECT comment, definition FROM cases WHERE number = ?", (case_number,)).fetchone()
    return Reading(_frames(sql, case_number), *row)


def details(sql: Sql, case_number: int) -> Case:
    """Who and what was examined. Raises NoSuchCase."""
    uid_of(sql, case_number)
    return plain.case_from(plain.parse(sql.one("SELECT details FROM cases WHERE number = ?", case_number)))


def assessment(sql: Sql, case_number: int) -> Assessment:
    """What was entered for the whole examination."""
    row = sql.execute(
        'SELECT vascular, bleeding, erosions, "right", transverse, "left", furthest, extent_dm '
        "FROM assessments WHERE case_number = ?",
        (case_number,),
    ).fetchone()
    if row is None:
        return Assessment()
    *scores, furthest, extent_dm = row
    place: Segment | None = None if furthest is None else plain.segment(furthest)
    return Assessment(Uceis(*scores[:3]), Bbps(*scores[3:]), place, extent_dm)


def said(sql: Sql, case_number: int) -> dict[str, Any]:
    """All of a case that entries of the trail put there, signatures aside."""
    status, version = sql.execute(
        "SELECT status, version FROM cases WHERE number = ?", (case_number,)
    ).fetchone()
    return {
        "status": status,
        "version": version,
        "case": plain.case_data(details(sql, case_number)),
        "assessment": plain.assessment_data(assessment(sql, case_number)),
        **plain.reading_data(reading(sql, case_number)),
    }


def put_frames(sql: Sql, case_number: int, readings: Mapping[FrameKey, FrameReading]) -> None:
    """Write readings in their rows, and take out those of which nothing is said."""
    sql.executemany(
        "DELETE FROM frame_readings WHERE case_number = ? AND source_file = ? AND frame = ?",
        ((case_number, *key) for key, reading in readings.items() if reading == UNREAD),
    )
    sql.executemany(
        f"INSERT INTO frame_readings (case_number, {_FRAME}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET grade = excluded.grade, reason = excluded.reason, "
        "segment = excluded.segment, rejected = excluded.rejected, key_image = excluded.key_image, "
        "comment = excluded.comment",
        ((case_number, *key, *_row(reading)) for key, reading in readings.items() if reading != UNREAD),
    )


def put_details(sql: Sql, case_number: int, case: Case) -> None:
    """Write the details of a case, and what it is found by."""
    created = sql.one("SELECT created FROM cases WHERE number = ?", case_number) or ""
    sql.execute(
        "UPDATE cases SET details = ?, search = ?, day = ? WHERE number = ?",
        (plain.written(plain.case_data(case)), searched(case), day_of(case, created), case_number),
    )


def put_assessment(sql: Sql, case_number: int, entered: Assessment) -> None:
    """Write what was entered for the whole examination."""
    sql.execute("DELETE FROM assessments WHERE case_number = ?", (case_number,))
    if entered != Assessment():
        scores = (*vars(entered.uceis).values(), *vars(entered.bbps).values())
        furthest = None if entered.furthest is None else entered.furthest.name
        sql.execute(
            'INSERT INTO assessments (case_number, vascular, bleeding, erosions, "right", transverse, '
            '"left", furthest, extent_dm) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
            (case_number, *scores, furthest, entered.extent_dm),
        )


def _frames(sql: Sql, case_number: int) -> dict[FrameKey, FrameReading]:
    rows = sql.execute(
        f"SELECT {_FRAME} FROM frame_readings WHERE case_number = ? ORDER BY source_file, frame",
        (case_number,),
    )
    return {(row[0], row[1]): _reading(row) for row in rows}


def _before(sql: Sql, case_number: int, keys: Iterable[FrameKey]) -> dict[FrameKey, FrameReading]:
    """The readings of some frames, as far as there are any; of more than those where it is quicker."""
    keys = list(keys)
    if len(keys) > _ASKED_ONE_BY_ONE:
        return _frames(sql, case_number)
    found = {}
    for key in keys:
        row = sql.execute(
            f"SELECT {_FRAME} FROM frame_readings WHERE case_number = ? AND source_file = ? AND frame = ?",
            (case_number, *key),
        ).fetchone()
        if row:
            found[key] = _reading(row)
    return found


def _row(reading: FrameReading) -> tuple[Any, ...]:
    return (
        reading.grade,
        reading.reason,
        reading.segment.name if reading.segment else None,
        int(reading.rejected),
        int(reading.key_image),
        reading.comment,
    )


def _reading(row: tuple[Any, ...]) -> FrameReading:
    _, _, grade, reason, segment, rejected, key_image, said = row
    place = None if segment is None else plain.segment(segment)
    return FrameReading(grade, reason, place, bool(rejected), bool(key_image), said)


def _changeable(sql: Sql, case_number: int) -> str:
    """The uid of a case whose readings may be changed. Raises Signed, NoSuchCase."""
    uid = uid_of(sql, case_number)
    if Status(sql.one("SELECT status FROM cases WHERE number = ?", case_number)).signed:
        raise Signed("this case is signed: say why it must be changed, then change and sign it again")
    return uid


def _note(
    store: Store, sql: Sql, uid: str, by: str, action: str, part: str, before: Any, after: Any
) -> int | None:
    """Note the change of one part of a case; None where it is none."""
    if before == after:
        return None
    sql.execute("UPDATE cases SET changed = ? WHERE uid = ?", (store.now(), uid))
    return store.record(sql, by, action, object_of(uid), {part: before}, {part: after})
