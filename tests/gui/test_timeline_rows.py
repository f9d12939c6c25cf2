"""The frames of a recording as arrays, what columns stand for, and where moments lie."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uc_viewer.case import Segment
from uc_viewer.gui.widgets.timeline_rows import (
    FLAGGED,
    KEY_IMAGE,
    NOT_SCORED,
    REJECTED,
    SEGMENTS,
    Columns,
    Mark,
    Rows,
)
from uc_viewer.gui.widgets.timeline_scale import LEAST, Scale, clock


def rows_of(marks: Sequence[Mark]) -> Rows:
    made = Rows()
    made.put(marks)
    return made


def one_column(*marks: Mark) -> Columns:
    """All marks in one column."""
    return rows_of(marks).columns(np.array([0.0, 100.0]))


def graded(*grades: int | None) -> list[Mark]:
    """One frame every half second."""
    return [Mark(10 * place, place / 2, grade) for place, grade in enumerate(grades)]


# Taking marks in

FULL = Mark(7, 3.5, 2, 1.84, 1, Segment.SIGMOID, True, True, "", True)


@pytest.mark.parametrize(
    "mark", [FULL, Mark(7, 3.5), Mark(7, 3.5, reason="too dark"), replace(FULL, reader=0, ai=0)]
)
def test_a_mark_comes_out_as_it_went_in(mark: Mark) -> None:
    rows = rows_of([mark])
    assert rows.find(7) == 0
    assert rows.mark(0) == mark


def test_there_is_no_frame_beyond_the_last() -> None:
    rows = rows_of(graded(1, 2))
    assert rows.find(5) is None
    for place in (-1, 2):
        with pytest.raises(IndexError, match="among 2"):
            rows.mark(place)


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(0, 1000))
def test_however_marks_come_in_the_last_of_each_index_counts(indices: list[int], seed: int) -> None:
    shuffled = random.Random(seed)
    marks = [Mark(index, index / 2, shuffled.randrange(4)) for index in indices]
    rows, rest = Rows(), list(marks)
    while rest:
        some = shuffled.randint(1, len(rest))
        rows.put(rest[:some])
        rest = rest[some:]
    expected = {mark.index: mark for mark in marks}
    assert [rows.mark(place) for place in range(len(rows))] == [expected[i] for i in sorted(expected)]


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([Mark(50, 25.0, 4)], "no MES"),
        ([Mark(50, 25.0, reader=-1)], "no MES"),
        ([Mark(50, float("nan"))], "needs a time"),
        ([Mark(50, 0.1)], "comes after"),
        ([Mark(50, 25.0), Mark(51, 24.0)], "comes after"),
        ([Mark(10, 9.0)], "comes after"),
        ([Mark(5, 0.25), Mark(20, 0.1)], "comes after"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(marks: list[Mark], words: str) -> None:
    rows = rows_of(graded(0, 1, 2))
    with pytest.raises(ValueError, match=words):
        rows.put(marks)
    assert [rows.mark(place) for place in range(len(rows))] == graded(0, 1, 2)


def test_a_frame_may_get_another_time() -> None:
    rows = rows_of(graded(0, 1, 2))
    rows.put([Mark(10, 0.75, 3)])
    assert rows.seconds.tolist() == [0.0, 0.75, 1.0]
    assert rows.mark(1).ai == 3


# Columns


@pytest.mark.parametrize(
    ("grades", "worst"),
    [((0, 3, 0), 3), ((0, 0), 0), ((None, 1), 1), ((None, None), -1), ((1, 2, None, 0), 2)],
)
def test_a_column_shows_the_worst_grade(grades: tuple[int | None, ...], worst: int) -> None:
    assert one_column(*graded(*grades)).ai.tolist() == [worst]
    read = [replace(mark, ai=None, reader=mark.ai) for mark in graded(*grades)]
    assert one_column(*read).reader.tolist() == [worst]


@pytest.mark.parametrize(
    ("marks", "ai", "struck"),
    [
        ([Mark(0, 0.0, 3, rejected=True), Mark(1, 0.5, 1)], 1, False),
        ([Mark(0, 0.0, 3, rejected=True), Mark(1, 0.5)], 3, True),
        ([Mark(0, 0.0, 0, rejected=True), Mark(1, 0.5, 2, rejected=True)], 2, True),
        ([Mark(0, 0.0, rejected=True)], -1, False),
    ],
)
def test_a_rejected_frame_hides_no_other(marks: list[Mark], ai: int, struck: bool) -> None:
    columns = one_column(*marks)
    assert (columns.ai.tolist(), columns.ai_struck.tolist()) == ([ai], [struck])


@given(
    st.lists(st.sampled_from([None, 0, 1, 2, 3]), min_size=1, max_size=60),
    st.integers(1, 80),
)
def test_no_grade_goes_missing_at_any_width(grades: list[int | None], count: int) -> None:
    columns = rows_of(graded(*grades)).columns(np.linspace(0, len(grades) / 2, count + 1))
    shown = {int(grade) for grade in columns.ai if grade >= 0}
    known = {grade for grade in grades if grade is not None}
    assert shown <= known
    assert max(shown, default=-1) == max(known, default=-1)
    if count >= len(grades):
        assert shown == known


def test_a_column_in_which_no_frame_begins_shows_the_one_before() -> None:
    # Half a second apart but for a pause of three seconds: no frame stands for the whole of it.
    marks = [Mark(0, 0.0, 1), Mark(1, 0.5, 2), Mark(2, 1.0, 0), Mark(8, 4.0, 3)]
    columns = rows_of(marks).columns(np.arange(0, 5.25, 0.25))
    assert columns.ai.tolist() == [1, 1, 2, 2, 0, 0, 0, *[-1] * 9, 3, 3, 3, -1]


@pytest.mark.parametrize("count", [1, 7])
def test_nothing_in_nothing_out(count: int) -> None:
    columns = Rows().columns(np.linspace(0, 10, count + 1))
    assert len(columns) == count
    assert columns.ai.tolist() == columns.segment.tolist() == [-1] * count
    assert columns.share(FLAGGED).tolist() == [0.0] * count


def test_what_holds_of_a_column_is_counted() -> None:
    columns = one_column(
        Mark(0, 0.0, 1, flagged=True, segment=Segment.CAECUM),
        Mark(1, 0.5, reason="too dark", flagged=True),
        Mark(2, 1.0, 1, rejected=True, segment=Segment.SIGMOID),
        Mark(3, 1.5, 2, key_image=True),
    )
    counts = {bit: int(columns.counts[bit][0]) for bit in (FLAGGED, REJECTED, KEY_IMAGE, NOT_SCORED)}
    assert counts == {FLAGGED: 2, REJECTED: 1, KEY_IMAGE: 1, NOT_SCORED: 1}
    assert columns.share(FLAGGED).tolist() == [0.5]
    assert SEGMENTS[columns.segment[0]] is Segment.SIGMOID


@pytest.mark.parametrize(
    ("marks", "worst"),
    [
        ([Mark(0, 0.0, 1), Mark(1, 0.5, 3), Mark(2, 1.0, 2)], 1),
        ([Mark(0, 0.0, 2, 1.7), Mark(1, 0.5, 2, 2.3), Mark(2, 1.0, 2, 2.0)], 1),
        ([Mark(0, 0.0, 2, 2.0), Mark(1, 0.5, 2, 2.0)], 0),
        ([Mark(0, 0.0, 3, 3.0, rejected=True), Mark(1, 0.5, 0, 0.1)], 1),
        ([Mark(0, 0.0), Mark(1, 0.5)], 0),
    ],
)
def test_which_frame_a_column_speaks_of(marks: list[Mark], worst: int) -> None:
    assert rows_of(marks).worst(0, len(marks)) == worst


# The scale


def scale(begin: float = 0.0, end: float = 720.0) -> Scale:
    made = Scale()
    made.set_room(60, 1200)
    made.set_whole(begin, end)
    return made


@pytest.mark.parametrize("begin", [0.0, -1.5, 36_000.0])
@pytest.mark.parametrize("zooms", [(), (4.0,), (4.0, 10.0, 0.5), (1e6,), (1e-6,)])
@pytest.mark.parametrize("x", [60.0, 61.5, 700.0, 1260.0])
def test_seconds_and_pixels_and_back(begin: float, zooms: tuple[float, ...], x: float) -> None:
    made = scale(begin, begin + 720)
    for factor in zooms:
        before = made.to_seconds(x)
        made.zoom_by(factor, x)
        assert begin <= made.first < made.last <= begin + 720 + 1e-6
        if not made.whole and made.first > begin and made.last < made.end:
            assert made.to_seconds(x) == pytest.approx(before)
    assert made.to_x(made.to_seconds(x)) == pytest.approx(x, abs=1e-6)
    assert made.span >= LEAST


def test_zoom_ends_at_two_seconds_and_at_the_whole() -> None:
    made = scale()
    made.zoom_by(1e9, 500)
    assert made.span == LEAST
    made.zoom_by(1e-9, 500)
    assert made.whole
    assert (made.first, made.last) == (0.0, 720.0)
    short = scale(0, 0.5)
    short.zoom_by(10, 500)
    assert short.whole


@pytest.mark.parametrize(
    ("act", "first"),
    [
        (lambda made: made.pan_by(100), 310.0),
        (lambda made: made.pan_by(-1e9), 0.0),
        (lambda made: made.pan_by(1e9), 600.0),
        (lambda made: made.pan_to(0), 0.0),
        (lambda made: made.pan_to(0.5), 300.0),
        (lambda made: made.pan_to(7), 600.0),
        (lambda made: made.reveal(350), 300.0),
        (lambda made: made.reveal(430), 310.0),
        (lambda made: made.reveal(290), 290.0),
        (lambda made: made.reveal(430, 0.1), 418.0),
        (lambda made: made.reveal(290, 0.1), 182.0),
    ],
)
def test_moving_along(act: object, first: float) -> None:
    made = scale()
    made.zoom_by(6, 660)
    assert (made.first, made.span) == pytest.approx((300, 120))
    act(made)  # type: ignore[operator]
    assert made.first == pytest.approx(first)
    assert made.span == pytest.approx(120)


def test_a_recording_that_grows_stays_in_view_as_it_was() -> None:
    made = scale()
    made.extend(-1, 800)
    assert (made.first, made.last) == (-1, 800)
    made.zoom_by(8, 660)
    before = made.first, made.span
    made.extend(0, 900)
    assert (made.first, made.span) == before
    assert (made.begin, made.end) == (-1, 900)


@pytest.mark.parametrize(
    ("end", "zoom", "labels"),
    [
        (10, 1, ["00:00", "00:01", "00:02"]),
        (10, 4, ["00:00.0", "00:00.2", "00:00.4"]),
        (180, 1, ["00:00", "00:10", "00:20"]),
        (720, 1, ["00:00", "01:00", "02:00"]),
        (7200, 1, ["0:00:00", "0:10:00", "0:20:00"]),
        (7200, 100, ["0:00:00", "0:00:05", "0:00:10"]),
        (400_000, 1, ["0:00:00", "8:00:00", "16:00:00"]),
    ],
)
def test_labels_of_the_ruler(end: float, zoom: float, labels: list[str]) -> None:
    made = scale(0, end)
    made.zoom_by(zoom, 60)
    ticks = made.ticks(64)
    assert [tick.label for tick in ticks if tick.label][:3] == labels
    tall = [tick.seconds for tick in ticks if tick.label]
    assert np.diff(tall).min() * made.per_second >= 64
    assert made.first <= ticks[0].seconds
    assert ticks[-1].seconds <= made.last + 1e-6


@pytest.mark.parametrize(
    ("seconds", "exact", "text"),
    [
        (417.28, True, "0:06:57.280"),
        (417.28, False, "0:06:57"),
        (59.9996, True, "0:01:00.000"),
        (3599.7, False, "1:00:00"),
        (0.0, True, "0:00:00.000"),
        (-1.5, True, "-0:00:01.500"),
        (-0.0001, True, "0:00:00.000"),
        (36_000.04, True, "10:00:00.040"),
    ],
)
def test_the_clock(seconds: float, exact: bool, text: str) -> None:
    assert clock(seconds, exact) == text
