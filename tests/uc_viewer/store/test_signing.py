"""Signatures: who may change what when, and what was signed stays as it was."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from recorded_runs import run_of, still, withdrawal

from uc_viewer.case import Case, FrameReading, Reading, Segment
from uc_viewer.entered import Uceis
from uc_viewer.store import cases, readings, review, runs, signing
from uc_viewer.store.database import Store
from uc_viewer.store.faults import Damaged, NoSuchCase
from uc_viewer.store.nouns import Assessment, Snapshot, Status
from uc_viewer.store.signing import WrongStatus


def status(store: Store, case: int) -> tuple[Status, int]:
    line = cases.line(store, case)
    return line.status, line.version


def test_from_draft_to_amended_and_on(store: Store, case: int) -> None:
    assert status(store, case) == (Status.DRAFT, 0)
    first = signing.sign(store, case, None, "Dr A", "endoscopist")
    assert status(store, case) == (Status.FINAL, 1)
    signing.amend(store, case, "wrong segment", "Dr B")
    assert status(store, case) == (Status.AMENDING, 2)
    readings.comment(store, case, "corrected", "Dr B")
    second = signing.sign(store, case, None, "Dr B")
    assert status(store, case) == (Status.AMENDED, 2)
    signing.amend(store, case, "again", "Dr B")
    third = signing.sign(store, case, None, "Dr B")
    assert signing.signatures(store, case) == [first, second, third]
    assert [(one.version, one.reason, one.status) for one in (first, second, third)] == [
        (1, "", Status.FINAL), (2, "wrong segment", Status.AMENDED), (3, "again", Status.AMENDED),
    ]  # fmt: skip
    deeds = [(deed.actor, deed.action) for deed in review.deeds(store)][2:]
    assert deeds == [
        ("Dr A", "sign"), ("Dr B", "amend"), ("Dr B", "comment"),
        ("Dr B", "sign"), ("Dr B", "amend"), ("Dr B", "sign"),
    ]  # fmt: skip
    assert review.verify(store.path).ok


def test_all_that_was_signed_is_frozen(store: Store, case: int) -> None:
    run, reading = withdrawal()
    number = runs.keep(store, case, run)
    readings.read_frames(store, case, reading.frames, "reader")
    readings.comment(store, case, "mild", "reader")
    entered = Assessment(Uceis(vascular=1), extent_dm=3.0, furthest=Segment.CAECUM)
    readings.assess(store, case, entered, "reader")
    report = b"%PDF the report"
    signature = signing.sign(store, case, number, "Dr A", report=report)
    details = readings.load_case(store, case)
    frozen = Snapshot(
        details,
        runs.load(store, number),
        Reading(reading.frames, "mild"),
        entered,
        hashlib.sha256(report).hexdigest(),
    )
    assert signing.snapshot(store, case, 1) == frozen
    assert signature.report_sha256 == frozen.report_sha256

    signing.amend(store, case, "second look", "Dr A")
    readings.read_frames(store, case, {("withdrawal.mp4", 0): FrameReading(grade=3)}, "Dr A")
    readings.describe(store, case, Case(patient_id="other"), "Dr A")
    later = runs.keep(store, case, run_of([still("a.jpg", 3)]))
    signing.sign(store, case, later, "Dr A")
    assert signing.snapshot(store, case, 1) == frozen
    second = signing.snapshot(store, case, 2)
    assert second.case == Case(patient_id="other")
    assert second.run is not None
    assert second.run.results == (still("a.jpg", 3),)


def test_the_time_has_the_offset_of_the_place(
    store: Store, case: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process cannot be set here")
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "XXX-09:00")
            time.tzset()
            signature = signing.sign(store, case, None, "Dr A")
    finally:
        time.tzset()
    signed = datetime.fromisoformat(signature.signed)
    assert signature.signed.endswith("+09:00")
    assert signed.astimezone(UTC) - datetime(2025, 6, 1, 8, tzinfo=UTC) < timedelta(minutes=1)


class TestRefusals:
    def test_what_was_refused_leaves_no_trace_in_a_larger_step(self, store: Store, case: int) -> None:
        signing.sign(store, case, None, "Dr A")
        with store.writing():
            with pytest.raises(readings.Signed):
                readings.comment(store, case, "late", "Dr A")
            cases.create(store, Case(), "reader")
        assert readings.load(store, case).comment == ""
        assert review.verify(store.path).ok

    def test_twice(self, store: Store, case: int) -> None:
        signing.sign(store, case, None, "Dr A")
        with pytest.raises(WrongStatus, match="signed already"):
            signing.sign(store, case, None, "Dr A")
        assert len(signing.signatures(store, case)) == 1

    def test_amending_a_draft(self, store: Store, case: int) -> None:
        with pytest.raises(WrongStatus, match="not signed"):
            signing.amend(store, case, "reason", "Dr A")

    @pytest.mark.parametrize("reason", ["", "  \n"])
    def test_without_a_reason(self, store: Store, case: int, reason: str) -> None:
        signing.sign(store, case, None, "Dr A")
        with pytest.raises(ValueError, match="reason"):
            signing.amend(store, case, reason, "Dr A")
        assert status(store, case) == (Status.FINAL, 1)

    def test_without_a_name(self, store: Store, case: int) -> None:
        with pytest.raises(ValueError, match="name"):
            signing.sign(store, case, None, " ")
        assert status(store, case) == (Status.DRAFT, 0)

    def test_with_the_run_of_another_case(self, store: Store, case: int) -> None:
        other = cases.create(store, Case(), "reader")
        number = runs.keep(store, other, run_of([]))
        with pytest.raises(ValueError, match="no run of case"):
            signing.sign(store, case, number, "Dr A")
        assert status(store, case) == (Status.DRAFT, 0)

    def test_what_is_not_there(self, store: Store, case: int) -> None:
        with pytest.raises(NoSuchCase, match="version 1"):
            signing.snapshot(store, case, 1)
        with pytest.raises(NoSuchCase):
            signing.sign(store, 9, None, "Dr A")
        with pytest.raises(NoSuchCase):
            signing.amend(store, 9, "reason", "Dr A")


class TestTampering:
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE signatures SET name = 'Dr X'",
            "DELETE FROM signatures",
            "INSERT OR REPLACE INTO signatures SELECT case_number, version, 'Dr X', role, signed, reason, "
            "snapshot_sha256, report_sha256, snapshot FROM signatures",
            "DELETE FROM cases",
        ],
    )
    def test_signatures_cannot_be_changed_by_any_program(self, store: Store, case: int, sql: str) -> None:
        before = [signing.sign(store, case, None, "Dr A")]
        with closing(sqlite3.connect(store.path)) as other:
            other.execute("PRAGMA foreign_keys = ON")
            with pytest.raises(sqlite3.IntegrityError, match="signatures can only be added to"):
                other.execute(sql)
        assert signing.signatures(store, case) == before

    @pytest.mark.parametrize("snapshot", [b"", b"x", zlib.compress(b"{}")])
    def test_a_snapshot_that_was_changed_nevertheless_is_told(
        self, store: Store, case: int, snapshot: bytes
    ) -> None:
        signing.sign(store, case, None, "Dr A")
        with closing(sqlite3.connect(store.path)) as other:
            other.execute("DROP TRIGGER signatures_no_update")
            other.execute("UPDATE signatures SET snapshot = ?", (snapshot,))
            other.commit()
        with pytest.raises(Damaged, match="the snapshot of version 1"):
            signing.snapshot(store, case, 1)
        assert review.verify(store.path).differing == (f"case {cases.line(store, case).uid}",)
