"""The list of cases: made, found, doubled, thrown away, erased."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from recorded_runs import still, withdrawal

from uc_viewer.case import Case, FrameReading, Segment
from uc_viewer.entered import Uceis
from uc_viewer.store import audit, cases, listed, readings, review, runs, signing, sources
from uc_viewer.store.database import Store
from uc_viewer.store.faults import NoSuchCase, StoreError
from uc_viewer.store.nouns import Assessment, SourceRecord, Status

PEOPLE = [
    Case(patient_id="UC-001", patient_name="Ada Işık", exam_date="2025-01-15", endoscopist="Dr Müller"),
    Case(patient_id="UC-002", patient_name="김민준", exam_date="2025-02-20T09:30"),
    Case(patient_id="ŞAHİN-3", indication="flare, 50 %_x"),
    Case(),
]


@pytest.fixture
def people(store: Store) -> list[int]:
    return [cases.create(store, case, "reader") for case in PEOPLE]


def found(store: Store, *arguments: object, **options: object) -> list[int]:
    return sorted(line.number for line in cases.find(store, *arguments, **options))  # type: ignore[arg-type]


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "which"),
        [
            ("", [1, 2, 3, 4]),
            ("uc-", [1, 2]),
            ("UC-002", [2]),
            ("isik", [1]),
            ("IŞIK", [1]),
            ("ışık ADA", [1]),
            ("ada nobody", []),
            ("muller", [1]),
            ("김민", [2]),
            ("sahin", [3]),
            ("şahin", [3]),
            ("flare", [3]),
            ("%", [3]),
            ("_x", [3]),
            ("c_0", []),
            ("'", []),
        ],
    )
    def test_text(self, store: Store, people: list[int], text: str, which: list[int]) -> None:
        assert found(store, text) == which

    def test_days(self, store: Store, people: list[int]) -> None:
        assert found(store, since="2025-01-15", until="2025-02-20") == [1, 2]
        assert found(store, since="2025-01-16") == [2, 3, 4]
        assert found(store, until="2025-01-14") == []
        entered = datetime.fromisoformat(cases.line(store, 3).created).astimezone().date().isoformat()
        assert found(store, since=entered, until=entered) == [3, 4]

    def test_grades(self, store: Store, people: list[int]) -> None:
        a, b = still("a.jpg", 1).key, still("b.jpg", 1).key
        readings.read_frames(store, 1, {a: FrameReading(grade=0), b: FrameReading(grade=2)}, "reader")
        readings.read_frames(store, 2, {a: FrameReading(grade=0)}, "reader")
        rejected = FrameReading(grade=3, rejected=True)
        readings.read_frames(store, 3, {a: rejected, b: FrameReading(segment=Segment.RECTUM)}, "reader")
        assert [cases.line(store, number).reader_grade for number in people] == [2, 0, None, None]
        assert found(store, grades=[2, 3]) == [1]
        assert found(store, grades=[0]) == [2]
        assert found(store, grades=[None]) == [3, 4]
        assert found(store, grades=[None, 0]) == [2, 3, 4]

    def test_status(self, store: Store, people: list[int]) -> None:
        for number in (1, 2, 3):
            signing.sign(store, number, None, "Dr A")
        for number in (2, 3):
            signing.amend(store, number, "typing error", "Dr A")
        signing.sign(store, 3, None, "Dr A")
        assert found(store, statuses=[Status.DRAFT]) == [4]
        assert found(store, statuses=[Status.FINAL]) == [1]
        assert found(store, statuses=[Status.AMENDING]) == [2]
        assert found(store, statuses=[Status.FINAL, Status.AMENDED]) == [1, 3]

    def test_all_together(self, store: Store, people: list[int]) -> None:
        options = {"since": "2025-01-01", "until": "2025-12-31", "grades": [None], "statuses": [Status.DRAFT]}
        assert found(store, "uc", **options) == [1, 2]

    def test_the_last_changed_comes_first_page_by_page(self, store: Store, people: list[int]) -> None:
        readings.comment(store, 2, "new", "reader")
        assert [line.number for line in cases.find(store)] == [2, 4, 3, 1]
        assert [line.number for line in cases.find(store, limit=2)] == [2, 4]
        assert [line.number for line in cases.find(store, limit=2, skip=2)] == [3, 1]

    def test_what_describes_a_case_is_found_after_it_changed(self, store: Store, people: list[int]) -> None:
        readings.describe(store, 1, Case(patient_id="other", exam_date="2024-12-31"), "reader")
        assert found(store, "isik") == []
        assert found(store, "other", until="2024-12-31") == [1]


def test_a_line(store: Store, people: list[int]) -> None:
    run, _ = withdrawal()
    runs.keep(store, 1, run)
    line = cases.line(store, 1)
    assert line.case == PEOPLE[0]
    assert (line.status, line.version, line.reader_grade) == (Status.DRAFT, 0, None)
    assert (line.done, line.expected, line.complete) == (run.expected, run.expected, True)
    assert line.created == "2025-06-01T08:00:02.000000+00:00"
    assert line.binned == ""
    assert cases.line(store, 2).complete is None
    with pytest.raises(NoSuchCase):
        cases.line(store, 99)


def test_the_newest_run_counts(store: Store, people: list[int]) -> None:
    runs.begin(store, 1, started="", expected=7, model={}, provenance={})
    number = runs.begin(store, 1, started="", expected=9, model={}, provenance={})
    runs.add(store, number, [still("a.jpg", 1)])
    line = cases.line(store, 1)
    assert (line.done, line.expected, line.complete) == (1, 9, False)


def test_recent(store: Store, people: list[int]) -> None:
    cases.opened(store, 2)
    cases.opened(store, 1)
    cases.throw_away(store, 4, "reader")
    assert [line.number for line in cases.recent(store, 3)] == [1, 2, 3]
    with pytest.raises(NoSuchCase):
        cases.opened(store, 99)


class TestDuplicate:
    @pytest.fixture
    def full(self, store: Store, people: list[int]) -> int:
        run, reading = withdrawal()
        runs.keep(store, 1, run)
        readings.read_frames(store, 1, reading.frames, "reader")
        readings.comment(store, 1, "mild", "reader")
        readings.assess(store, 1, Assessment(Uceis(vascular=1), furthest=Segment.CAECUM), "reader")
        sources.give(store, 1, [Path("a.mp4")])
        sources.remember(store, 1, [SourceRecord("a.mp4", Path("/x/a.mp4"), 1, 2, "ab")])
        signing.sign(store, 1, 1, "Dr A")
        return 1

    def test_all_of_it_but_the_signature(self, store: Store, full: int) -> None:
        number = cases.duplicate(store, full, "reader")
        assert readings.load(store, number) == readings.load(store, full)
        assert readings.load_assessment(store, number) == readings.load_assessment(store, full)
        assert sources.of_case(store, number) == sources.of_case(store, full)
        assert sources.given(store, number) == [[Path("a.mp4")]]
        (run,) = runs.of_case(store, number)
        assert run.uid != runs.of_case(store, full)[0].uid
        assert runs.load(store, run.number) == runs.load(store, 1)
        line = cases.line(store, number)
        assert (line.status, line.version, line.case) == (Status.DRAFT, 0, PEOPLE[0])
        assert line.done == line.expected
        assert signing.signatures(store, number) == []
        assert review.verify(store.path).ok

    def test_to_be_read_anew(self, store: Store, full: int) -> None:
        number = cases.duplicate(store, full, "reader", reading=False)
        assert readings.load(store, number).frames == {}
        assert readings.load(store, number).comment == ""
        assert readings.load_assessment(store, number) == Assessment()
        assert review.verify(store.path).ok

    def test_the_two_go_different_ways(self, store: Store, full: int) -> None:
        number = cases.duplicate(store, full, "reader")
        readings.comment(store, number, "severe", "reader")
        assert readings.load(store, full).comment == "mild"


class TestBin:
    def test_there_and_back(self, store: Store, people: list[int]) -> None:
        before = cases.line(store, 1)
        cases.throw_away(store, 1, "reader")
        cases.throw_away(store, 1, "reader")
        assert found(store) == [2, 3, 4]
        assert found(store, binned=True) == [1]
        assert cases.line(store, 1).binned != ""
        cases.bring_back(store, 1, "reader")
        cases.bring_back(store, 1, "reader")
        assert cases.line(store, 1) == before
        actions = [deed.action for deed in review.deeds(store, before.uid)]
        assert actions == ["create case", "put case into bin", "take case out of bin"]

    def test_only_what_is_in_the_bin_can_be_erased(self, store: Store, people: list[int]) -> None:
        with pytest.raises(StoreError, match="put it there first"):
            cases.purge(store, 1, "reader")
        with pytest.raises(NoSuchCase):
            cases.purge(store, 99, "reader")


SECRET = "Zwetschgenröster"


class TestPurge:
    @pytest.fixture
    def secret(self, store: Store, people: list[int]) -> int:
        number = cases.create(store, Case(patient_name=f"{SECRET} name"), "reader")
        run, reading = withdrawal(f"{SECRET}.mp4")
        runs.keep(store, number, run)
        readings.read_frames(store, number, reading.frames, "reader")
        readings.comment(store, number, f"{SECRET} comment", "reader")
        sources.give(store, number, [Path(f"/{SECRET}/a.mp4")])
        sources.remember(store, number, [SourceRecord("a", Path(f"/{SECRET}/a.mp4"), 1, 2, "")])
        signing.sign(store, number, 1, "Dr A")
        return number

    def test_nothing_of_it_is_left_in_the_files(self, store: Store, secret: int) -> None:
        traces = [
            SECRET.encode("utf-8"),
            audit.canonical(SECRET).strip('"').encode(),
            listed.folded(SECRET).encode(),
        ]

        def left() -> bool:
            data = b"".join(path.read_bytes() for path in store.path.parent.iterdir() if path.is_file())
            return any(trace in data for trace in traces)

        assert left()
        cases.throw_away(store, secret, "reader")
        assert left()
        uid = cases.line(store, secret).uid
        cases.purge(store, secret, "reader")
        assert not left()
        deeds = review.deeds(store, uid)
        assert deeds[-1].action == audit.PURGE
        assert deeds[-2].action == "put case into bin"
        assert all(deed.after is None for deed in deeds)
        verdict = review.verify(store.path)
        assert verdict.ok
        assert verdict.erased == len(deeds) - 1

    def test_its_number_is_not_given_again(self, store: Store, secret: int) -> None:
        cases.throw_away(store, secret, "reader")
        cases.purge(store, secret, "reader")
        assert cases.create(store, Case(), "reader") == secret + 1
        with pytest.raises(NoSuchCase):
            readings.load(store, secret)

    def test_the_others_stay(self, store: Store, secret: int) -> None:
        double = cases.duplicate(store, secret, "reader")
        cases.throw_away(store, secret, "reader")
        cases.purge(store, secret, "reader")
        assert found(store) == [1, 2, 3, 4, double]
        assert readings.load(store, double).comment == f"{SECRET} comment"
        assert len(runs.of_case(store, double)) == 1
        with store.reading() as sql:
            assert sql.execute("PRAGMA foreign_key_check").fetchall() == []
            assert sql.one("SELECT count(*) FROM purging") == 0
