"""The order of a blinded reading: what every order keeps, and that it is as random as it should be."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uc_viewer.reading.plan import plan
from uc_viewer.reading.session import Item, Protocol, ReadingError, Session

FRAMES: list[Item] = [(f"visit/{number:02}.png", 0) for number in range(40)]


def order(session: Session) -> list[Item]:
    return [entry.item for entry in session.entries]


@st.composite
def plans(draw: st.DrawFn) -> tuple[int, Protocol, int]:
    items = draw(st.integers(1, 25))
    duplicates = draw(st.integers(0, items))
    return items, Protocol(duplicates=duplicates, distance=draw(st.integers(1, items))), draw(st.integers())


@given(plans())
def test_every_item_is_read_and_duplicates_keep_their_distance(made: tuple[int, Protocol, int]) -> None:
    count, protocol, seed = made
    items: list[Item] = [f"case {number}" for number in range(count)]
    session = plan(items, "R1", seed, protocol)
    read = Counter(order(session))
    assert set(read) == set(items)
    assert sorted(read.values()) == [1] * (count - protocol.twice(count)) + [2] * protocol.twice(count)
    for position, entry in enumerate(session.entries):
        assert entry.again == (
            order(session).index(entry.item) if entry.item in order(session)[:position] else None
        )
        assert entry.again is None or position - entry.again >= protocol.distance
        assert session.label(position) == f"{position + 1} of {len(session.entries)}"
    assert plan(items, "R1", seed, protocol) == session


def test_the_seed_alone_makes_the_order() -> None:
    rules = Protocol(duplicates=8, distance=10)
    one, other = plan(FRAMES, "R1", 1, rules), plan(FRAMES, "R1", 2, rules)
    assert order(one) != order(other)
    assert order(plan(FRAMES, "R2", 1, rules)) == order(one)
    assert sorted(order(one)[:20]) != order(one)[:20]


def test_an_order_stays_the_same_over_releases() -> None:
    """A kept seed is worth something only while it still gives the order it gave."""
    told = plan(list("abcdef"), "R1", 2024, Protocol(duplicates=2, distance=3))
    assert "".join(str(item) for item in order(told)) == "efdabcea"


@pytest.mark.parametrize(
    ("duplicates", "twice"), [(0, 0), (4, 4), (0.0, 0), (0.1, 4), (0.11, 4), (0.12, 5), (1.0, 40)]
)
def test_duplicates_are_a_number_or_a_share(duplicates: float, twice: int) -> None:
    session = plan(FRAMES, "R1", 5, Protocol(duplicates=duplicates))
    assert sum(entry.again is not None for entry in session.entries) == twice


def test_every_item_is_as_likely_anywhere() -> None:
    """Chi-square over 4 items and 4 positions, 2 000 seeds; its 99.9 % point for 9 degrees is 27.9."""
    seen = Counter(
        (place, item)
        for seed in range(2000)
        for place, item in enumerate(order(plan(list("abcd"), "R", seed)))
    )
    assert len(seen) == 16
    assert sum((count - 500) ** 2 / 500 for count in seen.values()) < 27.9


def test_every_order_that_keeps_the_distance_is_as_likely() -> None:
    """Three items, one of them twice with at least one other between: 3 x 3 places x 2! orders."""
    rules = Protocol(duplicates=1, distance=2)
    seen = Counter("".join(map(str, order(plan(list("abc"), "R", seed, rules)))) for seed in range(3600))
    assert len(seen) == 18
    # The 99.9 % point for 17 degrees of freedom.
    assert sum((count - 200) ** 2 / 200 for count in seen.values()) < 40.8


def test_duplicates_lie_all_over_the_session() -> None:
    """No rule of thumb tells them apart: firsts and duplicates reach the front, the middle and the end."""
    rules = Protocol(duplicates=10, distance=10)
    seen = [
        (entry.again, position)
        for seed in range(60)
        for position, entry in enumerate(plan(FRAMES, "R", seed, rules).entries)
        if entry.again is not None
    ]
    assert {first // 10 for first, _ in seen} == {0, 1, 2, 3}
    assert {second // 10 for _, second in seen} == {1, 2, 3, 4}
    assert len({second - first for first, second in seen}) > 30


def test_a_distance_at_the_limit_is_kept() -> None:
    session = plan(FRAMES, "R1", 3, Protocol(duplicates=40, distance=40))
    assert [entry.again for entry in session.entries[40:]] == list(range(40))


def test_items_are_numbered_as_they_come_unless_they_have_pseudonyms() -> None:
    session = plan(FRAMES, "R1", 7, Protocol(duplicates=2, distance=5))
    assert {entry.pseudonym for entry in session.entries if entry.item == FRAMES[8]} == {"item 09"}
    named = plan(["x", "y"], "R1", 7, pseudonyms={"x": "P-17", "y": "P-4", "z": "P-5"})
    assert {entry.item: entry.pseudonym for entry in named.entries} == {"x": "P-17", "y": "P-4"}


@pytest.mark.parametrize(
    ("items", "protocol", "pseudonyms", "told"),
    [
        ([], Protocol(), None, "at least one item"),
        (["a", "b", "a"], Protocol(), None, "occurs twice"),
        (["a", "b"], Protocol(duplicates=3), None, "3 duplicates at a distance of 1 cannot be made"),
        (["a", "b"], Protocol(duplicates=1, distance=3), None, "at a distance of 3 cannot be made of 2"),
        (["a", "b"], Protocol(), {"a": "one"}, "1 of 2 items have no pseudonym"),
        (["a", "b"], Protocol(), {}, "2 of 2 items have no pseudonym"),
        (["a", "b"], Protocol(), {"a": "one", "b": "one"}, "no two the same"),
        (["a", "b"], Protocol(), {"a": "one", "b": " "}, "in printable characters"),
        (["a", "b"], Protocol(), {"a": "one", "b": "t\nwo"}, "in printable characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused(
    items: list[Item], protocol: Protocol, pseudonyms: dict[Item, str] | None, told: str
) -> None:
    with pytest.raises(ReadingError, match=told):
        plan(items, "R1", 1, protocol, pseudonyms)


def test_a_distance_does_not_matter_without_duplicates() -> None:
    assert len(plan(["a"], "R1", 1, Protocol(distance=50)).entries) == 1


def test_a_thousand_items_are_planned_at_once() -> None:
    start = time.perf_counter()
    plan([f"case {number}" for number in range(1000)], "R1", 1, Protocol(duplicates=0.2, distance=100))
    assert time.perf_counter() - start < 5
