"""What the reader says: every change is kept with one entry, and any row of changes gives what it should."""

from __future__ import annotations

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_runs import withdrawal

from uc_viewer.case import UNREAD, Case, FrameKey, FrameReading, Reading, Segment
from uc_viewer.entered import Bbps, Uceis
from uc_viewer.store import cases, plain, readings, review, signing
from uc_viewer.store.database import Store
from uc_viewer.store.faults import NoSuchCase
from uc_viewer.store.nouns import Assessment, Step

A, B = ("a.jpg", 0), ("v.mp4", 17)


def last(store: Store) -> review.Deed:
    return review.deeds(store)[-1]


class TestFrames:
    def test_a_whole_reading_comes_back(self, store: Store, case: int) -> None:
        _, reading = withdrawal()
        readings.read_frames(store, case, reading.frames, "reader")
        assert readings.load(store, case) == reading

    def test_every_field_of_a_reading_is_kept(self, store: Store, case: int) -> None:
        """A new field of `FrameReading` needs a column, by a migration, and a check in `plain`."""
        said = FrameReading(3, "other", Segment.SIGMOID, True, True, "ulcer\n한국어")
        assert all(getattr(said, part.name) != part.default for part in fields(FrameReading))
        readings.read_frames(store, case, {A: said}, "reader")
        assert readings.load(store, case).frames == {A: said}

    def test_one_entry_with_before_and_after(self, store: Store, case: int) -> None:
        readings.read_frames(store, case, {A: FrameReading(grade=1)}, "anna")
        seq = readings.read_frames(
            store,
            case,
            {A: FrameReading(grade=2, segment=Segment.RECTUM), B: FrameReading(key_image=True)},
            "bob",
        )
        deed = last(store)
        assert (deed.seq, deed.actor, deed.action) == (seq, "bob", "read frames")
        assert deed.object == f"case {cases.line(store, case).uid}"
        assert deed.before == {"frames": [["a.jpg", 0, {"grade": 1}], ["v.mp4", 17, None]]}
        assert deed.after == {
            "frames": [["a.jpg", 0, {"grade": 2, "segment": "RECTUM"}], ["v.mp4", 17, {"key_image": True}]]
        }

    def test_only_what_is_new_is_noted(self, store: Store, case: int) -> None:
        readings.read_frames(store, case, {A: FrameReading(grade=1)}, "reader")
        count = len(review.deeds(store))
        assert readings.read_frames(store, case, {A: FrameReading(grade=1), B: UNREAD}, "reader") is None
        assert readings.read_frames(store, case, {}, "reader") is None
        assert len(review.deeds(store)) == count
        readings.read_frames(store, case, {A: FrameReading(grade=1), B: FrameReading(grade=0)}, "reader")
        assert last(store).after == {"frames": [["v.mp4", 17, {"grade": 0}]]}

    def test_unread_clears(self, store: Store, case: int) -> None:
        readings.read_frames(store, case, {A: FrameReading(grade=1), B: FrameReading(grade=2)}, "reader")
        readings.read_frames(store, case, {A: UNREAD}, "reader", Step.UNDO)
        assert readings.load(store, case).frames == {B: FrameReading(grade=2)}
        assert last(store).action == "undo read frames"

    def test_many_at_once(self, store: Store, case: int) -> None:
        frames = {("v.mp4", k): FrameReading(segment=Segment.RECTUM) for k in range(500)}
        readings.read_frames(store, case, frames, "reader")
        changed = {**frames, ("v.mp4", 3): FrameReading(grade=3), ("v.mp4", 4): UNREAD}
        readings.read_frames(store, case, changed, "reader")
        del changed["v.mp4", 4]
        assert readings.load(store, case).frames == changed
        assert len(last(store).after["frames"]) == 2

    @pytest.mark.parametrize("grade", [-1, 4, 1.5, "2"])
    def test_no_grade(self, store: Store, case: int, grade: Any) -> None:
        with pytest.raises(ValueError, match="is no grade"):
            readings.read_frames(store, case, {A: FrameReading(grade=grade)}, "reader")
        assert readings.load(store, case).frames == {}

    def test_two_cases_do_not_touch_each_other(self, store: Store, case: int) -> None:
        other = cases.create(store, Case(), "reader")
        readings.read_frames(store, case, {A: FrameReading(grade=1)}, "reader")
        readings.read_frames(store, other, {A: FrameReading(grade=2)}, "reader")
        assert readings.load(store, case).of(A).grade == 1
        assert readings.load(store, other).of(A).grade == 2


class TestOthers:
    def test_each_part_with_its_entry(self, store: Store, case: int) -> None:
        new = Case(patient_id="new", synthetic=True, exam_date="2025-05-05")
        entered = Assessment(
            Uceis(vascular=2, bleeding=0), Bbps(left=3), furthest=Segment.CAECUM, extent_dm=2.5
        )
        readings.comment(store, case, "mild", "reader")
        assert (last(store).before, last(store).after) == ({"comment": ""}, {"comment": "mild"})
        readings.choose_definition(store, case, "trial", "reader")
        assert (last(store).before, last(store).after) == (
            {"definition": "standard"},
            {"definition": "trial"},
        )
        readings.describe(store, case, new, "reader")
        assert last(store).before["case"]["patient_name"] == "Ada Işık"
        assert last(store).after == {"case": plain.case_data(new)}
        readings.assess(store, case, entered, "reader")
        assert last(store).after == {
            "assessment": {
                "uceis": {"vascular": 2, "bleeding": 0},
                "bbps": {"left": 3},
                "furthest": "CAECUM",
                "extent_dm": 2.5,
            }
        }
        assert readings.load(store, case) == Reading({}, "mild", "trial")
        assert readings.load_case(store, case) == new
        assert readings.load_assessment(store, case) == entered
        assert [deed.action for deed in review.deeds(store)][2:] == [
            "comment", "choose definition", "describe case", "assess",
        ]  # fmt: skip

    def test_the_same_again_is_no_change(self, store: Store, case: int) -> None:
        readings.comment(store, case, "mild", "reader")
        count = len(review.deeds(store))
        assert readings.comment(store, case, "mild", "reader") is None
        assert readings.choose_definition(store, case, "standard", "reader") is None
        assert readings.describe(store, case, readings.load_case(store, case), "reader") is None
        assert readings.assess(store, case, Assessment(), "reader") is None
        assert len(review.deeds(store)) == count

    def test_redo_is_told(self, store: Store, case: int) -> None:
        readings.comment(store, case, "mild", "reader", Step.REDO)
        assert last(store).action == "redo comment"

    def test_of_a_case_that_is_not_there(self, store: Store) -> None:
        for does in (
            lambda: readings.read_frames(store, 9, {A: FrameReading(grade=1)}, "reader"),
            lambda: readings.comment(store, 9, "x", "reader"),
            lambda: readings.choose_definition(store, 9, "x", "reader"),
            lambda: readings.describe(store, 9, Case(patient_id="x"), "reader"),
            lambda: readings.assess(store, 9, Assessment(Uceis(vascular=1)), "reader"),
            lambda: readings.assess(store, 9, Assessment(), "reader"),
            lambda: readings.load_case(store, 9),
            lambda: readings.load_assessment(store, 9),
        ):
            with pytest.raises(NoSuchCase):
                does()
        assert len(review.deeds(store)) == 1


class TestSigned:
    def test_nothing_can_be_changed(self, store: Store, case: int) -> None:
        readings.comment(store, case, "mild", "reader")
        signing.sign(store, case, None, "Dr A")
        count = len(review.deeds(store))
        for does in (
            lambda: readings.read_frames(store, case, {A: FrameReading(grade=1)}, "reader"),
            lambda: readings.comment(store, case, "", "reader", Step.UNDO),
            lambda: readings.choose_definition(store, case, "trial", "reader"),
            lambda: readings.describe(store, case, Case(), "reader"),
            lambda: readings.assess(store, case, Assessment(Uceis(vascular=1)), "reader"),
        ):
            with pytest.raises(readings.Signed, match="say why"):
                does()
        assert readings.load(store, case) == Reading({}, "mild")
        assert readings.load_case(store, case) != Case()
        assert readings.load_assessment(store, case) == Assessment()
        assert len(review.deeds(store)) == count


@pytest.mark.parametrize("extent", [-0.1, 20.5, float("nan")])
def test_an_extent_out_of_range(extent: float) -> None:
    with pytest.raises(ValueError, match="is not within 0 to 20"):
        Assessment(extent_dm=extent)


KEYS = st.tuples(st.sampled_from(["a.jpg", "sub/b.jpg", "v.mp4"]), st.integers(0, 3))
FRAME_READINGS = st.builds(
    FrameReading,
    st.none() | st.integers(0, 3),
    st.text(max_size=5),
    st.none() | st.sampled_from(Segment),
    st.booleans(),
    st.booleans(),
    st.text(max_size=5),
)
SCORES = st.none() | st.integers(0, 2)
ACTIONS = st.one_of(
    st.tuples(st.just("frames"), st.dictionaries(KEYS, st.just(UNREAD) | FRAME_READINGS, max_size=4)),
    st.tuples(st.just("comment"), st.text(max_size=8)),
    st.tuples(st.just("definition"), st.sampled_from(["standard", "trial"])),
    st.tuples(st.just("case"), st.builds(Case, st.text(max_size=5), st.booleans(), st.text(max_size=5))),
    st.tuples(
        st.just("assessment"),
        st.builds(
            Assessment,
            st.builds(Uceis, SCORES, SCORES, SCORES),
            st.builds(Bbps, SCORES, SCORES, SCORES),
            st.none() | st.sampled_from(Segment),
            st.none() | st.floats(0, 20),
        ),
    ),
    st.just(("undo", None)),
    st.just(("redo", None)),
)  # fmt: skip


class Model:
    """The reader in memory: values by what they are of, and a row of steps that can be taken back."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {
            "comment": "", "definition": "standard", "case": Case(), "assessment": Assessment(),
        }  # fmt: skip
        self.frames: dict[FrameKey, FrameReading] = {}
        self.steps: list[tuple[str, Any, Any]] = []
        self.done = 0
        self.changes = 0

    def before(self, what: str, after: Any) -> Any:
        if what == "frames":
            return {key: self.frames.get(key, UNREAD) for key in after}
        return self.parts[what]

    def put(self, what: str, value: Any) -> None:
        self.changes += self.before(what, value) != value
        if what == "frames":
            self.frames.update(value)
            self.frames = {key: said for key, said in self.frames.items() if said != UNREAD}
        else:
            self.parts[what] = value


WRITERS = {
    "frames": readings.read_frames,
    "comment": readings.comment,
    "definition": readings.choose_definition,
    "case": readings.describe,
    "assessment": readings.assess,
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTIONS, max_size=15))
def test_any_row_of_actions_and_undos_gives_what_the_reader_sees(actions: list[tuple[str, Any]]) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store.open(folder) as store:
            case = cases.create(store, Case(), "reader")
            for what, value in actions:
                step = Step.DO
                if what == "undo":
                    if not model.done:
                        continue
                    model.done -= 1
                    (what, value, _), step = model.steps[model.done], Step.UNDO
                elif what == "redo":
                    if model.done == len(model.steps):
                        continue
                    (what, _, value), step = model.steps[model.done], Step.REDO
                    model.done += 1
                else:
                    model.steps[model.done :] = [(what, model.before(what, value), value)]
                    model.done += 1
                model.put(what, value)
                WRITERS[what](store, case, value, "reader", step)
        with Store.open(folder, readonly=True) as store:
            assert readings.load(store, case) == Reading(
                model.frames, model.parts["comment"], model.parts["definition"]
            )
            assert readings.load_case(store, case) == model.parts["case"]
            assert readings.load_assessment(store, case) == model.parts["assessment"]
            assert len(review.deeds(store)) == 2 + model.changes
        assert review.verify(folder).ok
