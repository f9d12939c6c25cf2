"""Agreement: numbers by hand and against scikit-learn, what is left out, and what is adjudicated first."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score

from uc_viewer.reading.agreement import (
    MODEL,
    Agreement,
    Discordant,
    between_readers,
    compare,
    discordant,
    first_readings,
    linear_kappa,
    second_readings,
    with_model,
    within_reader,
)
from uc_viewer.reading.plan import plan
from uc_viewer.reading.session import AI, Item, Protocol, ReadingError, Session

NOON = "2025-06-01T12:00:00+02:00"

# Ten frames by two readers.
FIRST = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3)
SECOND = (0, 1, 1, 1, 2, 2, 2, 3, 3, 1)


def series(*grades: int | None) -> dict[Item, int | None]:
    return {(f"{number}.png", 0): grade for number, grade in enumerate(grades)}


def compared(**more: object) -> Agreement:
    return compare(series(*FIRST), series(*SECOND), ("A", "B"), **more)  # type: ignore[arg-type]


def test_two_readers_by_hand() -> None:
    """They differ three times by one grade, once by two: 5 steps, 7 squared.

    Totals 2 3 3 2 and 1 4 3 2. By chance, row total x column total x steps / 10:
    (8 + 12 + 12 + 3 + 9 + 12 + 6 + 12 + 6 + 6 + 16 + 6) / 10 = 10.8, with squared steps
    (8 + 24 + 36 + 3 + 9 + 24 + 12 + 12 + 6 + 18 + 32 + 6) / 10 = 19.
    """
    found = compared()
    assert found.confusion == ((1, 1, 0, 0), (0, 2, 1, 0), (0, 0, 2, 1), (0, 1, 0, 1))
    assert (found.names, found.compared, found.left_out, found.notes) == (("A", "B"), 10, 0, ())
    assert found.linear.value == pytest.approx(1 - 5 / 10.8)
    assert found.quadratic.value == pytest.approx(1 - 7 / 19)
    assert found.exact.value == pytest.approx(0.6)
    # Across the cut both call 5 active; they agree on 4 active and 4 inactive ones.
    assert found.active.value == pytest.approx((0.8 - 0.5) / 0.5)
    mild = found.grades[1]
    assert (mild.grade, mild.both, mild.first_only, mild.second_only) == (1, 2, 1, 2)
    assert mild.specific.value == pytest.approx(2 * 2 / (3 + 4))
    # MES 1 against the rest: 2 + 5 of 10 agreed on, by chance .3 x .4 + .7 x .6.
    assert mild.kappa.value == pytest.approx((0.7 - 0.54) / (1 - 0.54))


SERIES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30)


@settings(max_examples=40, deadline=None)
@given(SERIES)
def test_the_figures_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    ones, twos = [list(column) for column in zip(*pairs, strict=True)]
    found = compare(series(*ones), series(*twos), ("A", "B"), replicates=0)
    if len({*ones, *twos}) > 1:
        for weights in ("quadratic", "linear"):
            expected = cohen_kappa_score(ones, twos, weights=weights, labels=range(4))
            assert getattr(found, weights).value == pytest.approx(expected, abs=1e-12)
    for k, grade in enumerate(found.grades):
        sides = [[value == k for value in column] for column in (ones, twos)]
        if len({*sides[0], *sides[1]}) > 1:
            assert grade.kappa.value == pytest.approx(cohen_kappa_score(*sides), abs=1e-12)
        if any(sides[0] + sides[1]):
            # F1 treats both alike: it is the share agreed on among all times the grade was given.
            assert grade.specific.value == pytest.approx(f1_score(*sides, zero_division=np.nan), abs=1e-12)
    swapped = compare(series(*twos), series(*ones), ("B", "A"), replicates=0)
    assert np.array_equal(np.array(found.confusion), np.array(swapped.confusion).T)
    assert swapped.linear.value == pytest.approx(found.linear.value, abs=1e-12, nan_ok=True)
    assert sum(map(sum, found.confusion)) == found.compared == len(pairs)


def test_linear_kappa_of_two_classes_is_plain_kappa() -> None:
    """Of two classes it is plain kappa: 35 of 50 agreed on, 25 expected."""
    assert linear_kappa(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4)


def test_what_only_one_graded_is_left_out_and_counted() -> None:
    first = {**series(0, 1, None, 3), "a case": 2}
    second = {**series(0, 1, 2, None), "another": 2, "third": None}
    found = compare(first, second, ("A", "B"))
    assert (found.compared, found.left_out) == (2, 5)


def test_figures_that_are_undefined_are_nan_and_never_0() -> None:
    none = compare({}, {}, ("A", "B"))
    assert none.compared == 0
    for figure in (none.quadratic, none.linear, none.exact, none.active):
        assert isnan(figure.value)
        assert isnan(figure.low)
    same = compare(series(1, 1, 1), series(1, 1, 1), ("A", "B"))
    assert isnan(same.quadratic.value)
    assert same.exact.value == 1.0
    assert same.grades[1].specific.value == 1.0
    assert isnan(same.grades[2].specific.value)


def test_intervals_hold_the_figure_and_shrink_with_more_items() -> None:
    few = compared()
    many = compare(series(*FIRST * 20), series(*SECOND * 20), ("A", "B"))
    for found in (few, many):
        assert found.quadratic.low < found.quadratic.value < found.quadratic.high
        assert found.quadratic.replicates == 1000
    width = [found.quadratic.high - found.quadratic.low for found in (few, many)]
    # Twenty times the items: about the 4.5th part.
    assert 3 < width[0] / width[1] < 7
    assert compared() == few
    assert compared(seed=1).quadratic != few.quadratic


def test_frames_of_one_patient_are_drawn_together() -> None:
    """Twenty copies of ten frames are not two hundred frames: with groups the interval stays that of ten."""
    ones, twos = series(*FIRST * 20), series(*SECOND * 20)
    patients = {item: str(number % 10) for number, item in enumerate(ones)}
    grouped = compare(ones, twos, ("A", "B"), patients).quadratic
    alone = compare(series(*FIRST), series(*SECOND), ("A", "B")).quadratic
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high))
    assert grouped.high - grouped.low > 3 * (
        compare(ones, twos, ("A", "B")).quadratic.high - compare(ones, twos, ("A", "B")).quadratic.low
    )


def test_an_item_without_a_group_stands_alone() -> None:
    """Its number is no group's name: groups called 0..8 leave item 9 by itself."""
    ones, twos = series(*FIRST), series(*SECOND)
    nine = {item: str(number) for number, item in enumerate(ones) if number < 9}
    assert compare(ones, twos, ("A", "B"), nine) == compared()
    shared = {item: "9" for number, item in enumerate(ones) if number < 9}
    apart = compare(ones, twos, ("A", "B"), shared).quadratic
    assert apart.low < apart.high, "all ten in one group would leave nothing to draw"


def test_agreement_in_words() -> None:
    found = compared()
    low, high = found.quadratic.low, found.quadratic.high
    assert found.describe() == (
        f"A and B: quadratic kappa 0.63 (95 % interval {low:.2f} to {high:.2f}), 10 compared"
    )
    assert compare(series(1), series(None), ("A", "B")).describe() == (
        "A and B: quadratic kappa not defined, 0 compared, 1 left out"
    )
    assert compare(series(0, 3), series(0, 3), ("A", "B"), replicates=0).describe() == (
        "A and B: quadratic kappa 1.00, 2 compared"
    )


@pytest.mark.parametrize("grade", [-1, 4])
def test_a_grade_out_of_range_is_refused(grade: int) -> None:
    with pytest.raises(ValueError, match=r"0\.png.* grades are 0, 1, 2, 3 or None"):
        compare(series(grade), series(1), ("A", "B"))


# Sessions

CASES: list[Item] = [f"case {number}" for number in range(6)]


def read(
    reader: str, seed: int, grades: dict[Item, int | None], protocol: Protocol, show: bool = False
) -> Session:
    """A locked session; read again, an item gets one grade more, and a first grade of None stays."""
    session = plan(CASES, reader, seed, protocol)
    for position, entry in enumerate(session.entries):
        grade = grades[entry.item]
        if grade is not None and entry.again is not None:
            grade = min(grade + 1, 3)
        session = session.give(position, grade, NOON, 1.0, reader)
        if show:
            session = session.show_ai(position, 3, NOON)
    return session.lock(NOON)


GRADES_A: dict[Item, int | None] = dict(zip(CASES, [0, 1, 2, 3, None, 2], strict=True))
GRADES_B: dict[Item, int | None] = dict(zip(CASES, [0, 1, 1, 3, 1, 0], strict=True))
RULES = Protocol(duplicates=4, distance=2)


def test_readers_are_compared_item_by_item_whatever_their_order() -> None:
    one, other = read("A", 1, GRADES_A, RULES), read("B", 2, GRADES_B, Protocol())
    assert [entry.item for entry in one.entries] != [entry.item for entry in other.entries]
    assert first_readings(one) == GRADES_A
    found = between_readers(one, other)
    assert found.names == ("A", "B")
    assert (found.compared, found.left_out) == (5, 1)
    assert found.confusion == ((1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0), (0, 0, 0, 1))


def test_a_reader_is_compared_with_the_model() -> None:
    found = with_model(read("A", 1, GRADES_A, RULES), {**GRADES_B, "a case that was not read": 3})
    assert found.names == ("A", MODEL)
    assert (found.compared, found.left_out) == (5, 1)


def test_a_reader_is_compared_with_themselves_over_the_duplicates() -> None:
    session = read("A", 3, GRADES_A, RULES)
    again = second_readings(session)
    assert len(again) == 4
    found = within_reader(session)
    assert found.names == ("A, first reading", "second reading")
    assert found.compared + found.left_out == 4
    assert found.notes == ()
    for item, grade in again.items():
        first = GRADES_A[item]
        assert grade == (None if first is None else min(first + 1, 3))


def test_the_unaided_grade_counts_and_seen_answers_are_told() -> None:
    protocol = Protocol(AI.AFTER_GRADE, change_after_ai=True, duplicates=4, distance=2)
    session = read("A", 3, GRADES_A, protocol, show=True)
    assert first_readings(session) == GRADES_A
    assert within_reader(session).notes == (
        "The AI's grade of 4 of 4 items was seen before they were read again.",
    )
    last = plan(CASES, "A", 1, protocol)
    last = last.give(0, 0, NOON, 1.0, "A").show_ai(0, 3, NOON).give(0, 3, NOON, 1.0, "A")
    locked = last.lock(NOON, unread_too=True)
    assert first_readings(locked)[locked.entries[0].item] == 0


def test_an_open_session_is_not_compared() -> None:
    open_one, locked = plan(CASES, "A", 1, RULES), read("B", 2, GRADES_B, RULES)
    for ask in (
        lambda: between_readers(open_one, locked),
        lambda: between_readers(locked, open_one),
        lambda: with_model(open_one, {}),
        lambda: within_reader(open_one),
        lambda: second_readings(open_one),
    ):
        with pytest.raises(ReadingError, match="the session of A is not locked"):
            ask()


# Adjudication


def test_the_worst_come_first_and_equal_ones_in_the_order_of_the_items() -> None:
    readings = {
        "A": series(0, 1, 2, 0, 3, 1, 2, 0),
        "B": series(0, 2, 2, 3, 1, 0, 0, 2),
        MODEL: series(0, 1, 3),
    }
    queue = discordant(readings)
    assert [one.item[0] for one in queue] == ["3.png", "4.png", "6.png", "7.png", "1.png"]
    assert [(one.apart, one.across) for one in queue] == [
        (3, True),
        (2, True),
        (2, True),
        (2, True),
        (1, True),
    ]
    assert queue[0].grades == (("A", 0), ("B", 3), (MODEL, None))
    assert queue[-1] == Discordant(("1.png", 0), (("A", 1), ("B", 2), (MODEL, 1)), 1, True)


@pytest.mark.parametrize(
    ("apart", "across", "names"),
    [
        (1, True, ["03", "02", "13", "12", "01", "23"]),
        (2, True, ["03", "02", "13", "12"]),
        (3, True, ["03", "02", "13", "12"]),
        (1, False, ["03", "02", "13", "12", "01", "23"]),
        (2, False, ["03", "02", "13"]),
        (3, False, ["03"]),
    ],
)
def test_what_is_discordant(apart: int, across: bool, names: list[str]) -> None:
    pairs = ["00", "01", "02", "03", "11", "12", "13", "22", "23", "33"]
    readings = {who: {pair: int(pair[place]) for pair in pairs} for place, who in enumerate("AB")}
    assert [one.item for one in discordant(readings, apart, across)] == names


def test_what_fewer_than_two_graded_is_no_discordance() -> None:
    assert discordant({"A": series(0, None, 3), "B": series(None, 3)}) == []
    assert discordant({"A": series(0, 3)}) == []
    assert discordant({}) == []


@pytest.mark.parametrize("apart", [0, 4, -1])
def test_an_impossible_difference_is_refused(apart: int) -> None:
    with pytest.raises(ValueError, match="1, 2 or 3 apart"):
        discordant({}, apart)
