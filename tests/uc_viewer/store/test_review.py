"""The trail of a real library looked through: what another program changed is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from uc_viewer.case import Case, FrameReading, Segment
from uc_viewer.entered import Uceis
from uc_viewer.store import audit, cases, readings, review, signing
from uc_viewer.store.connection import NAME
from uc_viewer.store.database import Store
from uc_viewer.store.faults import Damaged, StoreError
from uc_viewer.store.nouns import Assessment


@contextmanager
def vandal(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program at the file, which takes the triggers away first."""
    with closing(sqlite3.connect(path)) as sql:
        for (name,) in sql.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            sql.execute(f"DROP TRIGGER {name}")
        yield sql
        sql.commit()


@pytest.fixture
def read(store: Store, case: int) -> int:
    """A case with eight entries in a trail of nine."""
    for grade in range(4):
        readings.read_frames(store, case, {("a.jpg", 0): FrameReading(grade=grade)}, "reader")
    readings.read_frames(store, case, {("b.jpg", 0): FrameReading(segment=Segment.RECTUM)}, "reader")
    readings.assess(store, case, Assessment(Uceis(vascular=2)), "reader")
    signing.sign(store, case, None, "Dr A")
    return case


def test_a_whole_trail(store: Store, read: int) -> None:
    verdict = review.verify(store.path)
    assert verdict.ok
    assert verdict.entries == 9
    assert verdict == review.verify(store.path.parent)
    assert verdict.head == review.deeds(store)[-1].hash


def test_the_deeds_of_one_case(store: Store, read: int) -> None:
    other = cases.create(store, Case(), "reader")
    uid = cases.line(store, other).uid
    assert [deed.action for deed in review.deeds(store, uid)] == ["create case"]
    assert len(review.deeds(store)) == 10


def test_no_name_of_a_patient_is_in_what_cannot_be_erased(store: Store, read: int) -> None:
    with store.reading() as sql:
        rows = sql.execute("SELECT * FROM audit").fetchall()
    assert "Işık" not in str(rows)
    assert "UC-007" not in str(rows)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE audit SET actor = 'x' WHERE seq = 2", "audit trail can only be added to"),
        ("DELETE FROM audit WHERE seq = 9", "audit trail can only be added to"),
        ("INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2", "can only be added to"),
        ("UPDATE audit_values SET after = '1'", "audit trail can only be added to"),
        ("DELETE FROM audit_values", "audit trail can only be added to"),
        ("INSERT OR REPLACE INTO audit_values VALUES (2, '', '', '')", "can only be added to"),
    ],
)
def test_the_trail_cannot_be_changed_by_any_program(store: Store, read: int, sql: str, message: str) -> None:
    with closing(sqlite3.connect(store.path)) as other, pytest.raises(sqlite3.IntegrityError, match=message):
        other.execute(sql)
    assert review.verify(store.path).ok


@pytest.mark.parametrize(
    ("sql", "broken", "why"),
    [
        ("UPDATE audit SET actor = 'x' WHERE seq = 4", 4, "it was changed"),
        ("UPDATE audit SET at = '2020' WHERE seq = 1", 1, "it was changed"),
        ("DELETE FROM audit WHERE seq = 5", 5, "some are missing"),
        ("DELETE FROM audit WHERE seq = 9", 9, "cut off"),
        ("DELETE FROM audit WHERE seq > 3", 4, "cut off"),
        ("DELETE FROM head", 10, "cut off"),
        ("UPDATE audit_values SET after = '{}' WHERE seq = 6", 6, "values kept with it were changed"),
        ("DELETE FROM audit_values WHERE seq = 6", 6, "no purge"),
        ("UPDATE audit SET hash = 'x' WHERE seq = 7", 7, "it was changed"),
        ("UPDATE audit SET previous = 'x' WHERE seq = 7", 7, "does not follow"),
    ],
)
def test_the_first_broken_link_is_named(store: Store, read: int, sql: str, broken: int, why: str) -> None:
    with vandal(store.path) as other:
        other.execute("PRAGMA foreign_keys = OFF")
        other.execute(sql)
    verdict = review.verify(store.path)
    assert verdict.broken == broken
    assert why in verdict.why
    assert not verdict.ok


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE frame_readings SET grade = 0 WHERE source_file = 'a.jpg'",
        "DELETE FROM frame_readings WHERE source_file = 'b.jpg'",
        "INSERT INTO frame_readings VALUES (1, 'c.jpg', 0, 1, '', NULL, 0, 0, '')",
        "UPDATE frame_readings SET segment = 'nowhere'",
        "UPDATE cases SET comment = 'x'",
        "UPDATE cases SET definition = 'trial'",
        "UPDATE cases SET details = '{}'",
        "UPDATE cases SET details = 'no json'",
        "UPDATE cases SET status = 'draft', version = 0",
        "UPDATE assessments SET vascular = 1",
        "DELETE FROM assessments",
        "UPDATE signatures SET name = 'Dr X'",
        "DELETE FROM signatures",
        "UPDATE signatures SET snapshot = zeroblob(9)",
        "DELETE FROM cases",
    ],
)
def test_a_case_changed_behind_the_trail_is_named(store: Store, read: int, sql: str) -> None:
    other = cases.create(store, Case(patient_id="other"), "reader")
    uid = cases.line(store, read).uid
    readings.comment(store, other, "x", "reader")
    readings.choose_definition(store, other, "trial", "reader")
    with vandal(store.path) as connection:
        connection.execute(sql if "WHERE" in sql or "cases" not in sql else f"{sql} WHERE number = {read}")
    verdict = review.verify(store.path)
    assert verdict.broken is None
    assert verdict.differing == (f"case {uid}",)
    assert not verdict.ok
    assert uid in verdict.sentence


def test_a_case_slipped_in_is_named(store: Store, read: int) -> None:
    with vandal(store.path) as other:
        other.execute(
            "INSERT INTO cases (uid, details, search, day, created, changed, opened) "
            "VALUES ('new', '{}', '', '', '', '', '')"
        )
    assert review.verify(store.path).differing == ("case new",)


def test_a_trail_written_anew_is_found_by_what_was_noted(store: Store, read: int, tmp_path: Path) -> None:
    noted = review.deeds(store)[4].hash
    assert review.verify(store.path, noted).ok
    with Store.open(tmp_path / "other") as other:
        cases.create(other, Case(), "reader")
    assert review.verify(tmp_path / "other").ok
    assert not review.verify(tmp_path / "other", noted).ok


def test_a_clock_that_goes_back(store: Store, case: int) -> None:
    now = datetime(2025, 6, 1, 12, tzinfo=UTC)
    for hours in (0, 1, -24, -23, -48):
        store.clock = lambda hours=hours: now + timedelta(hours=hours)  # type: ignore[misc]
        readings.comment(store, case, f"at {hours}", "reader")
    verdict = review.verify(store.path)
    assert verdict.ok
    assert verdict.backwards == (5, 7)
    assert [deed.at[:13] for deed in review.deeds(store)][-3:] == [
        "2025-05-31T12",
        "2025-05-31T13",
        "2025-05-30T12",
    ]
    assert readings.load(store, case).comment == "at -48"


def test_what_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no library"):
        review.verify(tmp_path)
    (tmp_path / NAME).write_bytes(b"no database" * 999)
    with pytest.raises(Damaged):
        review.verify(tmp_path)
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE x (y)")
    with pytest.raises(Damaged, match="is no library"):
        review.verify(tmp_path / "other.sqlite")


def test_the_trail_starts_from_nothing(store: Store) -> None:
    (made,) = review.deeds(store)
    assert (made.seq, made.actor, made.object) == (1, "UC Viewer", "library")
    with store.reading() as sql:
        assert sql.one("SELECT previous FROM audit") == audit.START
