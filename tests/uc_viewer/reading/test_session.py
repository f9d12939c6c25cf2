"""A blinded session: what a reader may do when, and that nothing else can come about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from uc_viewer.reading.files import from_json, intact, locked_table, to_json
from uc_viewer.reading.plan import plan
from uc_viewer.reading.session import (
    AI,
    STANDARD,
    Answer,
    Changes,
    Entry,
    Protocol,
    ReadingError,
    Session,
    Shown,
)

NOON = "2025-06-01T12:00:00+02:00"
ASSISTED = Protocol(ai=AI.AFTER_GRADE, changes=Changes.ANY, change_after_ai=True)


def session(protocol: Protocol = STANDARD, items: int = 3) -> Session:
    return plan([f"case {number}" for number in range(items)], "R1", 11, protocol)


def read(start: Session, *grades: int | None) -> Session:
    for grade in grades:
        assert start.next_unread is not None
        start = start.give(start.next_unread, grade, NOON, 4.5, "R1")
    return start


def test_a_session_is_read_in_order_to_its_end() -> None:
    fresh = session()
    assert (fresh.done, fresh.next_unread, fresh.locked) == (0, 0, False)
    whole = read(fresh, 2, None, 0)
    assert (whole.done, whole.next_unread) == (3, None)
    assert [entry.grade for entry in whole.entries] == [2, None, 0]
    assert [entry.read for entry in whole.entries] == [True] * 3
    assert whole.entries[0].answers == (Answer(2, NOON, 4.5),)
    assert fresh.done == 0, "a step changes no session, it gives a new one"


def test_none_is_passed_over() -> None:
    with pytest.raises(ReadingError, match="number 3 is not next: read number 2 first"):
        read(session(), 1).give(2, 1, NOON, 1.0, "R1")
    with pytest.raises(ReadingError, match="3 positions, and none at 3"):
        session().give(3, 1, NOON, 1.0, "R1")
    with pytest.raises(ReadingError, match="none at -1"):
        session().give(-1, 1, NOON, 1.0, "R1")


def test_another_reader_is_turned_away() -> None:
    with pytest.raises(ReadingError, match="is read by R1; R2 needs a session of their own"):
        session().give(0, 1, NOON, 1.0, "R2")


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [(Changes.NONE, set()), (Changes.LAST, {1}), (Changes.ANY, {0, 1})],
)
def test_grades_are_changed_only_as_the_protocol_says(changes: Changes, allowed: set[int]) -> None:
    half = read(session(Protocol(changes=changes)), 1, 2)
    assert {position for position in range(3) if half.may_change(position)} == allowed
    assert {position for position in range(3) if half.may_grade(position)} == allowed | {2}
    for position in range(2):
        if position in allowed:
            again = half.give(position, 3, NOON, 2.0, "R1")
            assert again.entries[position].grade == 3
            assert again.entries[position].answers[0] == half.entries[position].answers[0]
            assert again.next_unread == half.next_unread
        else:
            with pytest.raises(ReadingError, match="the grade stands; changes allowed by the protocol"):
                half.give(position, 3, NOON, 2.0, "R1")


def test_the_last_grade_of_all_can_be_corrected_before_locking() -> None:
    assert read(session(), 0, 0, 0).give(2, 1, NOON, 1.0, "R1").entries[2].grade == 1


# The model's grade


def test_a_hidden_ai_is_never_shown() -> None:
    done = read(session(), 1, 1, 1)
    assert not any(done.may_show_ai(position) for position in range(3))
    with pytest.raises(ReadingError, match="number 1: the AI's grade is not shown: the protocol hides it"):
        done.show_ai(0, 2, NOON)


def test_the_ai_is_shown_after_the_own_grade_alone() -> None:
    half = read(session(Protocol(ai=AI.AFTER_GRADE)), 1)
    assert [half.may_show_ai(position) for position in range(3)] == [True, False, False]
    with pytest.raises(ReadingError, match=r"number 2: .*: give your own grade first"):
        half.show_ai(1, 2, NOON)
    seen = half.show_ai(0, 2, NOON)
    assert seen.entries[0].shown == Shown(2, NOON, 1)
    assert seen.show_ai(0, 3, NOON) == seen, "what was seen first stays"
    assert half.show_ai(0, None, NOON).entries[0].shown == Shown(None, NOON, 1)


def test_a_grade_stands_once_the_ai_was_shown() -> None:
    seen = read(session(Protocol(ai=AI.AFTER_GRADE, changes=Changes.ANY)), 1).show_ai(0, 3, NOON)
    assert not seen.may_change(0)
    with pytest.raises(ReadingError, match="the grade stands, since the AI's was shown"):
        seen.give(0, 3, NOON, 1.0, "R1")


def test_the_unaided_grade_is_kept_where_it_may_change_after_the_ai() -> None:
    start = read(session(ASSISTED), 0)
    slip = start.give(0, 1, NOON, 1.0, "R1")
    after = slip.show_ai(0, 3, NOON).give(0, 2, NOON, 9.0, "R1")
    assert (after.entries[0].unaided, after.entries[0].grade) == (1, 2)
    assert (slip.entries[0].unaided, slip.entries[0].grade) == (1, 1)
    assert (after.entries[1].unaided, after.entries[1].grade) == (None, None)


# What the reader sees


def test_names_are_hidden_and_shown_as_the_protocol_says() -> None:
    assert session().label(1) == "2 of 3"
    shown = plan(["case A", ("b.mp4", 7)], "R1", 11, Protocol(names_hidden=False))
    assert {shown.label(position)[8:] for position in range(2)} == {"case A", "b.mp4, frame 7"}


# Locking


def test_nothing_moves_once_locked() -> None:
    done = read(session(ASSISTED), 1, 2, 3).show_ai(0, 2, NOON)
    locked = done.lock(NOON)
    assert locked.locked
    assert locked.next_unread is None
    assert not any(locked.may_grade(position) for position in range(3))
    assert [locked.may_show_ai(position) for position in range(3)] == [True, False, False]
    with pytest.raises(ReadingError, match="no grade is given or changed any more"):
        locked.give(0, 1, NOON, 1.0, "R1")
    with pytest.raises(ReadingError, match="not shown: the session was locked on 2025"):
        locked.show_ai(1, 1, NOON)
    assert locked.show_ai(0, 1, NOON) == locked
    with pytest.raises(ReadingError, match="already locked"):
        locked.lock(NOON)


def test_an_unfinished_session_is_locked_only_on_purpose() -> None:
    half = read(session(), 1)
    with pytest.raises(ReadingError, match="2 of 3 are not read yet"):
        half.lock(NOON)
    ended = half.lock(NOON, unread_too=True)
    assert (ended.locked, ended.done, ended.next_unread) == (True, 1, None)
    with pytest.raises(ReadingError, match="locked"):
        ended.give(1, 1, NOON, 1.0, "R1")


# What cannot be


@pytest.mark.parametrize("grade", [-1, 4, 1.0, True])
def test_a_grade_out_of_range_is_refused(grade: int) -> None:
    with pytest.raises(ReadingError, match="number 1: a grade is 0, 1, 2 or 3"):
        session().give(0, grade, NOON, 1.0, "R1")
    with pytest.raises(ReadingError, match="number 1, AI: a grade is"):
        read(session(Protocol(ai=AI.AFTER_GRADE)), 1).show_ai(0, grade, NOON)


@pytest.mark.parametrize("at", ["", "noon", "2025-06-01", "2025-06-01T12:00:00"])
def test_a_time_without_offset_is_refused(at: str) -> None:
    with pytest.raises(ReadingError, match="write ISO-8601 with an offset"):
        session().give(0, 1, at, 1.0, "R1")
    with pytest.raises(ReadingError, match=r"locked: .* is no time"):
        read(session(), 1, 1, 1).lock(at)


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf"), True])
def test_an_impossible_duration_is_refused(seconds: float) -> None:
    with pytest.raises(ReadingError, match="is no time in seconds"):
        session().give(0, 1, NOON, seconds, "R1")


@pytest.mark.parametrize("reader", ["", "  ", "R\n1", "R\ud8001"])
def test_a_session_needs_a_reader(reader: str) -> None:
    with pytest.raises(ReadingError, match="needs a reader"):
        replace(session(), reader=reader)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"duplicates": -1}, "duplicates are a number"),
        ({"duplicates": 1.5}, "duplicates are a number"),
        ({"duplicates": float("nan")}, "duplicates are a number"),
        ({"duplicates": True}, "duplicates are a number"),
        ({"distance": 0}, "the distance"),
        ({"distance": 2.0}, "the distance"),
        ({"duplicates": 1, "names_hidden": False}, "recognised by their names"),
        ({"change_after_ai": True}, "needs an AI that is shown"),
        (
            {"change_after_ai": True, "ai": AI.AFTER_GRADE, "changes": Changes.NONE},
            "needs an AI that is shown",
        ),
    ],
)
def test_rules_that_contradict_each_other_are_refused(rules: dict[str, object], told: str) -> None:
    with pytest.raises(ReadingError, match=told):
        Protocol(**rules)  # type: ignore[arg-type]


A = Entry("a", "item 1")
B = Entry("b", "item 2")
AGAIN = Entry("a", "item 1", again=0)
ONE = Answer(1, NOON, 1.0)
TWICE = Protocol(duplicates=1)
SEEN = Protocol(ai=AI.AFTER_GRADE)


@pytest.mark.parametrize(
    ("protocol", "entries", "told"),
    [
        (STANDARD, (), "at least one item"),
        (STANDARD, (A, replace(B, answers=(ONE,))), "number 1 was passed over"),
        (STANDARD, (A, A), "number 2 is not the duplicate it should be"),
        (TWICE, (A, B), "not as many duplicates"),
        (STANDARD, (A, B, AGAIN), "not as many duplicates"),
        (TWICE, (A, B, replace(AGAIN, again=1)), "number 3 is not the duplicate"),
        (TWICE, (AGAIN, B, A), "number 1 is not the duplicate"),
        (Protocol(duplicates=2), (A, B, AGAIN, AGAIN), "number 4 is not .* or one too many"),
        (Protocol(duplicates=1, distance=3), (A, B, AGAIN), "too near"),
        (TWICE, (A, B, replace(AGAIN, pseudonym="item 3")), "named otherwise"),
        (STANDARD, (A, replace(B, pseudonym="item 1")), "no two the same"),
        (STANDARD, (replace(A, answers=(ONE,), shown=Shown(1, NOON, 1)),), "shown against the protocol"),
        (ASSISTED, (replace(A, shown=Shown(1, NOON, 0)),), "shown against the protocol"),
        (ASSISTED, (replace(A, answers=(ONE,), shown=Shown(1, NOON, 2)),), "shown against the protocol"),
        (SEEN, (replace(A, answers=(ONE, ONE), shown=Shown(1, NOON, 1)),), "changed after"),
        (Protocol(changes=Changes.NONE), (replace(A, answers=(ONE, ONE)),), "changed, against the protocol"),
    ],
)  # fmt: skip
def test_a_session_that_cannot_have_come_about_is_refused(
    protocol: Protocol, entries: tuple[Entry, ...], told: str
) -> None:
    with pytest.raises(ReadingError, match=told):
        Session("R1", 1, protocol, entries)


def test_a_seed_is_a_whole_number() -> None:
    with pytest.raises(ReadingError, match="the seed"):
        replace(session(), seed=True)


class Desk(RuleBasedStateMachine):
    """Somebody tries everything in any order; whatever is allowed keeps the promises of the protocol."""

    @initialize(
        changes=st.sampled_from(Changes), ai=st.sampled_from(AI), after=st.booleans(), seed=st.integers()
    )
    def sit_down(self, changes: Changes, ai: AI, after: bool, seed: int) -> None:
        after = after and ai is AI.AFTER_GRADE and changes is not Changes.NONE
        rules = Protocol(ai, True, changes, after, duplicates=2, distance=2)
        self.session = plan(list("abcd"), "R1", seed, rules)

    def move(self, allowed: bool, after: Session | None) -> None:
        assert (after is not None) == allowed
        if after is not None:
            kept = [entry.answers for entry in self.session.entries]
            for entry, before in zip(after.entries, kept, strict=True):
                assert entry.answers[: len(before)] == before, "no answer is ever lost"
            self.session = after

    @rule(position=st.integers(0, 5), grade=st.none() | st.integers(0, 3))
    def give(self, position: int, grade: int | None) -> None:
        allowed = self.session.may_grade(position)
        try:
            self.move(allowed, self.session.give(position, grade, NOON, 1.0, "R1"))
        except ReadingError:
            self.move(allowed, None)

    @rule(position=st.integers(0, 5), grade=st.none() | st.integers(0, 3))
    def look_at_the_ai(self, position: int, grade: int | None) -> None:
        allowed = self.session.may_show_ai(position)
        try:
            self.move(allowed, self.session.show_ai(position, grade, NOON))
        except ReadingError:
            self.move(allowed, None)

    @rule(unread_too=st.booleans())
    def lock(self, unread_too: bool) -> None:
        allowed = not self.session.locked and (unread_too or self.session.next_unread is None)
        try:
            self.move(allowed, self.session.lock(NOON, unread_too))
        except ReadingError:
            self.move(allowed, None)

    @rule()
    def stop_and_go_on(self) -> None:
        assert from_json(to_json(self.session)) == self.session

    @invariant()
    def keeps_its_promises(self) -> None:
        for entry in self.session.entries:
            assert entry.shown is None or (entry.read and self.session.protocol.ai is AI.AFTER_GRADE)
            if not self.session.protocol.change_after_ai:
                assert entry.unaided == entry.grade
            if self.session.protocol.changes is Changes.NONE:
                assert len(entry.answers) <= 1
        if self.session.locked:
            assert intact(locked_table(self.session))


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
