"""Runs: what is put in comes out, a batch is there once, and an interrupted run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_runs import PROVENANCE, facts, recorded, run_of, scores, still, withdrawal

from mtl_core.scores import FrameScores
from uc_viewer.case import Case, Duplicate, FrameResult, Unreadable
from uc_viewer.store import cases, readings, review, runs, signing
from uc_viewer.store.database import Store
from uc_viewer.store.faults import NoSuchCase
from uc_viewer.store.plain import Item

MODEL = {"name": "some-model", "weights_sha256": "ab" * 32, "limits": ["first"], "spec": {"size": 224}}


def begin(store: Store, case: int, expected: int = 10) -> int:
    return runs.begin(
        store, case, started="2025-06-01T10:00:00+02:00", expected=expected, model=MODEL, provenance={}
    )


def stills(count: int, since: int = 0) -> list[Item]:
    return [still(f"{k:03}.jpg", k % 4) for k in range(since, since + count)]


class TestRoundTrip:
    def test_a_whole_run(self, store: Store, case: int) -> None:
        run, _ = withdrawal()
        run = replace(
            run,
            unreadable=(
                Unreadable("bad.jpg", "damaged", "", 0, None),
                Unreadable("w.mp4", "lost", "cd", 7, 3.5),
            ),
            recordings=(
                facts("w.mp4", 7, share=None, interlaced=True),
                facts("v.mp4", 3, share=0.1 + 0.2),
            ),
            complete=False,
            interrupted="the drive was unplugged",
            case=readings.load_case(store, case),
        )
        number = runs.keep(store, case, run)
        assert runs.load(store, number) == run

    def test_a_run_of_nothing(self, store: Store, case: int) -> None:
        run = run_of([], case=readings.load_case(store, case), provenance={}, complete=False)
        assert runs.load(store, runs.keep(store, case, run)) == run

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_any_items_in_any_batches(self, store: Store, case: int, data: st.DataObject) -> None:
        names = st.sampled_from(["a.jpg", "b.mp4", "ünï/c.png", "\udcff"])
        digests = st.sampled_from(["", "ab" * 32, "cd" * 32])
        times = st.none() | st.floats(allow_nan=False)
        index = st.integers(0, 2**40)
        chances = st.floats(0, 1)
        answers = st.builds(
            FrameScores, st.tuples(chances, chances, chances, chances), chances, st.booleans()
        ) | st.builds(FrameScores.rejected, st.text(min_size=1))
        item = (
            st.builds(FrameResult, names, digests, index, times, answers)
            | st.builds(Unreadable, names, st.text(), digests, index, times)
            | st.builds(Duplicate, names, names, digests, index)
        )
        items = data.draw(st.lists(item, max_size=12, unique_by=lambda one: one.key))
        number = begin(store, case)
        while items_left := items[len(runs.items(store, number)) :]:
            runs.add(store, number, items_left[: data.draw(st.integers(1, 5))])
        assert runs.items(store, number) == items

    def test_numbers_of_numpy(self, store: Store, case: int) -> None:
        answer = FrameScores(tuple(np.array([0.1, 0.2, 0.3, 0.4])), np.float32(0.5), np.bool_(True))  # type: ignore[arg-type]
        item = FrameResult("a.jpg", "ab", np.int64(3), np.float32(0.25), answer)  # type: ignore[arg-type]
        number = begin(store, case)
        runs.add(store, number, [item])
        assert runs.items(store, number) == [item]

    def test_the_case_of_a_run_is_the_case_as_it_is_now(self, store: Store, case: int) -> None:
        number = runs.keep(store, case, run_of([]))
        readings.describe(store, case, Case(patient_id="new"), "reader")
        assert runs.load(store, number).case == Case(patient_id="new")

    def test_provenance_is_json(self, store: Store, case: int) -> None:
        number = runs.keep(store, case, run_of([], provenance=PROVENANCE))
        assert list(runs.load(store, number).provenance) == list(PROVENANCE), "in its order"
        with pytest.raises(ValueError, match="JSON"):
            runs.keep(store, case, run_of([], provenance={"x": float("nan")}))
        assert len(runs.of_case(store, case)) == 1


class TestTwice:
    def test_the_same_batch(self, store: Store, case: int) -> None:
        number = begin(store, case)
        for _ in range(3):
            runs.add(store, number, stills(5))
        assert runs.items(store, number) == stills(5)
        assert runs.of_case(store, case)[0].done == 5

    def test_an_overlapping_batch(self, store: Store, case: int) -> None:
        number = begin(store, case)
        runs.add(store, number, stills(5))
        runs.add(store, number, stills(5, since=3))
        runs.add(store, number, stills(2, since=8))
        assert runs.items(store, number) == stills(10)
        assert runs.of_case(store, case)[0].done == 10

    def test_a_later_answer_counts_in_its_old_place(self, store: Store, case: int) -> None:
        number = begin(store, case)
        lost: list[Item] = [Unreadable("001.jpg", "the drive was unplugged")]
        runs.add(store, number, [*stills(1), *lost, *stills(1, since=2)])
        runs.add(store, number, stills(1, since=1))
        assert runs.items(store, number) == stills(3)
        assert runs.of_case(store, case)[0].done == 3

    def test_twice_in_one_batch(self, store: Store, case: int) -> None:
        number = begin(store, case)
        runs.add(store, number, [still("a.jpg", 1), still("a.jpg", 2), still("b.jpg", 3)])
        assert runs.items(store, number) == [still("a.jpg", 2), still("b.jpg", 3)]
        assert runs.of_case(store, case)[0].done == 2

    def test_the_same_pictures_in_another_run(self, store: Store, case: int) -> None:
        first, second = begin(store, case), begin(store, case)
        runs.add(store, first, stills(3))
        runs.add(store, second, stills(2))
        assert (runs.items(store, first), runs.items(store, second)) == (stills(3), stills(2))


class TestGoingOn:
    def test_what_is_missing(self, store: Store, case: int) -> None:
        items: Sequence[Item] = [*stills(3), *recorded("v.mp4", [(4, 1)])]
        keys = [item.key for item in items]
        number = begin(store, case)
        assert runs.missing(store, number, keys) == keys
        runs.add(store, number, [items[0], items[4], Unreadable("001.jpg", "damaged")])
        assert runs.missing(store, number, keys) == [keys[2], keys[3], keys[5], keys[6]]
        runs.add(store, number, items)
        assert runs.missing(store, number, keys) == []

    def test_what_has_changed_since_is_missing(self, store: Store, case: int) -> None:
        items = [*stills(2), *recorded("v.mp4", [(2, 1)])]
        keys = [item.key for item in items]
        number = begin(store, case)
        runs.add(store, number, items)
        same = {item.source_file: item.source_sha256 for item in items}
        assert runs.missing(store, number, keys, same) == []
        assert runs.missing(store, number, keys, {**same, "v.mp4": "other"}) == keys[2:]
        assert runs.missing(store, number, keys, {"000.jpg": "other"}) == keys[:1]

    def test_a_killed_run(self, store: Store, case: int) -> None:
        number = begin(store, case, expected=5)
        runs.add(store, number, stills(2))
        (line,) = runs.unfinished(store)
        assert (line.number, line.case_number, line.done, line.expected) == (number, case, 2, 5)
        assert (line.finished, line.complete) == ("", False)
        assert (line.model_name, line.weights_sha256) == ("some-model", "ab" * 32)
        assert runs.model_facts(store, number) == MODEL
        runs.add(store, number, stills(3, since=2))
        runs.finish(
            store, number, finished="now", complete=True, provenance={"a": 1}, recordings=[facts("v", 1)]
        )
        assert runs.unfinished(store) == []
        run = runs.load(store, number)
        assert (run.finished, run.complete, run.expected, run.provenance) == ("now", True, 5, {"a": 1})
        assert run.recordings == (facts("v", 1),)

    def test_one_that_was_stopped_can_be_taken_up(self, store: Store, case: int) -> None:
        number = begin(store, case)
        runs.add(store, number, stills(2))
        runs.finish(store, number, finished="one", complete=False, interrupted="stopped")
        assert [line.interrupted for line in runs.unfinished(store)] == ["stopped"]
        runs.add(store, number, stills(8, since=2))
        runs.finish(store, number, finished="two", complete=True)
        assert runs.load(store, number).interrupted == ""

    def test_a_complete_one_cannot(self, store: Store, case: int) -> None:
        number = runs.keep(store, case, run_of([still("a.jpg", 1)]))
        for does in (
            lambda: runs.add(store, number, [still("a.jpg", 2)]),
            lambda: runs.update(store, number, expected=3),
            lambda: runs.finish(store, number, finished="x", complete=False),
        ):
            with pytest.raises(runs.Closed, match="begin a new one"):
                does()
        assert runs.items(store, number) == [still("a.jpg", 1)]

    def test_more_is_expected_while_it_goes_on(self, store: Store, case: int) -> None:
        number = begin(store, case, expected=1)
        runs.update(store, number, expected=7)
        runs.update(store, number, recordings=[facts("v.mp4", 3)])
        run = runs.load(store, number)
        assert (run.expected, run.recordings) == (7, (facts("v.mp4", 3),))

    def test_of_cases_in_the_bin_none_is_offered(self, store: Store, case: int) -> None:
        begin(store, case)
        cases.throw_away(store, case, "reader")
        assert runs.unfinished(store) == []

    def test_runs_and_cases_that_are_not_there(self, store: Store) -> None:
        for does in (
            lambda: begin(store, 9),
            lambda: runs.add(store, 9, []),
            lambda: runs.finish(store, 9, finished="", complete=True),
            lambda: runs.load(store, 9),
            lambda: runs.items(store, 9),
            lambda: runs.missing(store, 9, []),
            lambda: runs.of_case(store, 9),
            lambda: runs.model_facts(store, 9),
        ):
            with pytest.raises(NoSuchCase):
                does()
        assert len(review.deeds(store)) == 1

    def test_a_signed_case_takes_new_runs(self, store: Store, case: int) -> None:
        first = runs.keep(store, case, run_of([still("a.jpg", 1)]))
        signing.sign(store, case, first, "Dr A")
        before = signing.snapshot(store, case, 1)
        runs.keep(store, case, run_of([still("a.jpg", 3)]))
        assert signing.snapshot(store, case, 1) == before
        assert before.run is not None
        assert before.run.results == (still("a.jpg", 1),)


def test_the_trail_tells_of_runs_and_not_of_batches(store: Store, case: int) -> None:
    number = begin(store, case, expected=2)
    runs.add(store, number, stills(1))
    runs.add(store, number, stills(1, since=1))
    runs.finish(store, number, finished="x", complete=True)
    _, begun, ended = review.deeds(store, cases.line(store, case).uid)
    assert (begun.actor, begun.action, begun.after["model"]) == ("UC Viewer", "begin run", "some-model")
    assert ended.after["done"] == 2


def test_scores_are_exact(store: Store, case: int) -> None:
    answer = scores(2, sure=1 / 3)
    number = begin(store, case)
    runs.add(store, number, [FrameResult("a", "b", 0, 0.1 + 0.2, answer)])
    (item,) = runs.items(store, number)
    assert isinstance(item, FrameResult)
    assert item.scores == answer
    assert item.pts_seconds == 0.1 + 0.2
