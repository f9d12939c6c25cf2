"""What the reader says: every change one step, undone and done again, and the summary that follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtGui import QUndoStack

from mtl_core.scores import FrameScores
from uc_viewer.case import UNREAD, Case, FrameKey, FrameReading, FrameResult, Reading, Segment, Unreadable
from uc_viewer.gui.edits import Edit
from uc_viewer.gui.reader import Reader
from uc_viewer.indices import Summary, summarise

A, B, C = ("a.png", 0), ("b.png", 0), ("c.png", 0)
PATIENT = Case(patient_id="P1", patient_name="김서연", exam_date="2025-06-01")


def result(key: FrameKey, grade: int | None) -> FrameResult:
    scores = FrameScores.rejected("too dark")
    if grade is not None:
        p = [0.1, 0.1, 0.1, 0.1]
        p[grade] = 0.7
        scores = FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], p[2] + p[3] >= 0.5)
    return FrameResult(key[0], "0" * 64, key[1], None, scores)


class Heard:
    """What a reader told, in order."""

    def __init__(self, reader: Reader) -> None:
        self.all: list[Any] = []
        for signal in (reader.case_changed, reader.readings_changed, reader.comment_changed):
            signal.connect(self.all.append)


@pytest.fixture
def reader(qapp: object) -> Iterator[Reader]:
    """Three frames the model gave MES 0, MES 2 and no score; nothing is said of them yet."""
    reader = Reader()
    for key, grade in ((A, 0), (B, 2), (C, None)):
        reader.count(key, result(key, grade))
    yield reader
    reader.edits.clear()


def state(reader: Reader) -> tuple[Case, Reading, Summary]:
    return reader.case, reader.reading, reader.summary()


ACTIONS: dict[str, Callable[[Reader], None]] = {
    "grade": lambda reader: reader.read([A], "grade", grade=3),
    "clear": lambda reader: reader.read([B], "clear", grade=None, reason=""),
    "reason": lambda reader: reader.read([B], "reason", reason="poor view"),
    "segment of many": lambda reader: reader.read([A, B, C], "segment", segment=Segment.RECTUM),
    "reject": lambda reader: reader.read([A], "reject", rejected=True),
    "key image": lambda reader: reader.read([A, C], "key image", key_image=True),
    "comment on a frame": lambda reader: reader.read([C], "comment", comment="Şişlik 없음"),
    "each its own": lambda reader: reader.read_each(
        {A: FrameReading(grade=1), B: UNREAD, C: FrameReading(rejected=True)}, "reset"
    ),
    "overall comment": lambda reader: reader.comment_on_all("Mild.", "comment"),
    "case": lambda reader: reader.describe(PATIENT, "patient"),
    "definition": lambda reader: reader.choose_definition("trial"),
}
"""Everything a reader can do, by name."""


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_is_one_step_that_can_be_undone_and_done_again(reader: Reader, name: str) -> None:
    reader.read([B], "before", grade=2, segment=Segment.SIGMOID)
    steps, before = reader.edits.count(), state(reader)
    heard = Heard(reader)
    ACTIONS[name](reader)
    after = state(reader)
    assert reader.edits.count() == steps + 1
    assert after != before
    reader.edits.undo()
    assert state(reader) == before
    reader.edits.redo()
    assert state(reader) == after
    assert len(heard.all) == 3
    assert heard.all[0] == heard.all[2]


@pytest.mark.parametrize("name", ACTIONS)
def test_the_same_again_is_no_step(reader: Reader, name: str) -> None:
    ACTIONS[name](reader)
    steps = reader.edits.count()
    heard = Heard(reader)
    ACTIONS[name](reader)
    assert reader.edits.count() == steps
    assert not heard.all


def test_a_long_way_back_and_forth(reader: Reader) -> None:
    states = [state(reader)]
    for action in ACTIONS.values():
        steps = reader.edits.count()
        action(reader)
        if reader.edits.count() > steps:
            states.append(state(reader))
    assert len(states) > 9
    for earlier in reversed(states[:-1]):
        reader.edits.undo()
        assert state(reader) == earlier
    assert not reader.edits.canUndo()
    for later in states[1:]:
        reader.edits.redo()
        assert state(reader) == later


def test_a_step_tells_only_the_frames_it_changes(reader: Reader) -> None:
    reader.read([A], "grade", grade=3)
    heard = Heard(reader)
    reader.read([A, B], "grade", grade=3)
    reader.edits.undo()
    assert heard.all == [{B: FrameReading(grade=3)}, {B: UNREAD}]
    assert reader.reading.frames == {A: FrameReading(grade=3)}


def test_a_change_of_one_field_keeps_the_others(reader: Reader) -> None:
    reader.read([A], "grade", grade=3, reason="severity underestimated", comment="ulcer")
    reader.read([A], "segment", segment=Segment.RECTUM)
    expected = FrameReading(3, "severity underestimated", Segment.RECTUM, comment="ulcer")
    assert reader.of(A) == expected
    assert reader.of(("absent.png", 0)) == UNREAD


def test_a_frame_of_which_nothing_is_said_any_more_is_forgotten(reader: Reader) -> None:
    reader.read([A], "grade", grade=3)
    reader.read([A], "clear", grade=None)
    assert reader.reading.frames == {}
    assert reader.edits.count() == 2


def test_the_names_of_steps_are_those_given(reader: Reader) -> None:
    reader.read([A], "reject frame", rejected=True)
    assert reader.edits.undoText() == "reject frame"
    reader.edits.undo()
    assert reader.edits.redoText() == "reject frame"


def test_what_was_given_out_does_not_change_later(reader: Reader) -> None:
    reader.read([A], "grade", grade=1)
    given = reader.reading
    reader.read([A, B], "grade", grade=3)
    assert given.frames == {A: FrameReading(grade=1)}


def test_the_summary_is_that_of_all_frames_whatever_came_first(reader: Reader) -> None:
    items: list[FrameResult | Unreadable] = [result(A, 0), result(B, 2), result(C, None)]
    for name, action in ACTIONS.items():
        action(reader)
        assert reader.summary() == summarise(items, reader.reading), name
    late, broken = ("late.png", 0), ("broken.png", 0)
    reader.read([late, broken], "grade", grade=1)  # said before the model answers
    assert reader.summary() == summarise(items, reader.reading)
    items += [result(late, 3), Unreadable("broken.png", "damaged")]
    reader.count(late, items[-2])
    reader.count(broken, items[-1])
    assert reader.summary() == summarise(items, reader.reading)
    reader.read([broken], "grade", grade=2)
    assert reader.summary() == summarise(items, reader.reading)


def test_counts_follow_undo(reader: Reader) -> None:
    reader.read([A, B, C], "grade", grade=2)
    whole = reader.summary()
    assert (whole.whole.read, whole.agreed, whole.differing, whole.whole.reader_worst) == (3, 1, 1, 2)
    reader.edits.undo()
    whole = reader.summary()
    assert (whole.whole.read, whole.agreed, whole.differing, whole.whole.reader_worst) == (0, 0, 0, None)


def test_another_model_starts_the_counts_anew_and_keeps_what_was_said(reader: Reader) -> None:
    reader.read([A], "grade", grade=3)
    reader.uncount()
    assert reader.summary() == Summary()
    reader.edits.undo()
    reader.edits.redo()
    assert reader.summary() == Summary()
    reader.count(A, result(A, 3))
    assert (reader.summary().agreed, reader.of(A).grade) == (1, 3)


def test_another_case_forgets_everything(reader: Reader) -> None:
    for action in ACTIONS.values():
        action(reader)
    reader.begin(PATIENT)
    assert state(reader) == (PATIENT, Reading(), Summary())
    assert (reader.edits.count(), reader.unsaved) == (0, False)


def test_unsaved_follows_undo(reader: Reader) -> None:
    assert not reader.unsaved
    reader.read([A], "grade", grade=1)
    assert reader.unsaved
    reader.edits.setClean()
    reader.describe(replace(PATIENT, endoscopist="Çağrı Şükrüoğlu"), "case")
    assert reader.unsaved
    reader.edits.undo()
    assert not reader.unsaved
    reader.edits.undo()
    assert reader.unsaved


def test_an_edit_puts_its_values_when_pushed_undone_and_redone(qapp: object) -> None:
    put: list[str] = []
    stack = QUndoStack()
    stack.push(Edit("word", put.append, "before", "after"))
    stack.undo()
    stack.redo()
    assert put == ["after", "before", "after"]
    assert stack.undoText() == "word"
    stack.clear()
