"""Counts, worst grades and agreement: worked cases, and what holds for any frames in any order."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_core.scores import FrameScores
from uc_viewer.case import UNREAD, FrameReading, FrameResult, Reading, Segment, Unreadable
from uc_viewer.indices import SegmentSummary, Summary, Tally, summarise

Item = FrameResult | Unreadable


def result(number: int, grade: int | None) -> FrameResult:
    scores = FrameScores.rejected("too dark")
    if grade is not None:
        p = [0.1, 0.1, 0.1, 0.1]
        p[grade] = 0.7
        scores = FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], p[2] + p[3] >= 0.5)
    return FrameResult(f"{number}.png", "0" * 64, 0, None, scores)


GRADES = st.none() | st.integers(0, 3)
READINGS = st.builds(
    FrameReading,
    grade=GRADES,
    segment=st.none() | st.sampled_from(Segment),
    rejected=st.booleans(),
    key_image=st.booleans(),
)
# "broken" stands for a file that cannot be opened.
FRAMES = st.lists(st.tuples(GRADES | st.just("broken"), READINGS), max_size=12)


def items_of(frames: list[tuple[int | str | None, FrameReading]]) -> list[tuple[Item, FrameReading]]:
    return [
        (Unreadable(f"{number}.png", "damaged"), reading)
        if isinstance(answer, str)
        else (result(number, answer), reading)
        for number, (answer, reading) in enumerate(frames)
    ]


def summary_of(counted: list[tuple[Item, FrameReading]]) -> Summary:
    said = {(item.source_file, 0): reading for item, reading in counted}
    return summarise([item for item, _ in counted], Reading(said))


@pytest.mark.parametrize(
    ("answer", "reading", "expected"),
    [
        (2, UNREAD, SegmentSummary(None, 1, scored=1, ai_worst=2)),
        (None, UNREAD, SegmentSummary(None, 1, rejected=1)),
        (0, FrameReading(grade=3), SegmentSummary(None, 1, scored=1, read=1, ai_worst=0, reader_worst=3)),
        (None, FrameReading(grade=1), SegmentSummary(None, 1, read=1, reader_worst=1)),
        (3, FrameReading(grade=3, rejected=True), SegmentSummary(None, 1, rejected=1)),
        (None, FrameReading(rejected=True), SegmentSummary(None, 1, rejected=1)),
    ],
)
def test_one_frame_counts_as_what_is_said_of_it(
    answer: int | None, reading: FrameReading, expected: SegmentSummary
) -> None:
    summary = summary_of([(result(0, answer), reading)])
    assert summary.whole == expected
    assert summary.segments == (expected,)


def test_a_whole_visit() -> None:
    visit: list[tuple[Item, FrameReading]] = [
        (result(0, 1), FrameReading(segment=Segment.RECTUM, grade=1, key_image=True)),
        (result(1, 3), FrameReading(segment=Segment.RECTUM, grade=2)),
        (result(2, 3), FrameReading(segment=Segment.RECTUM, rejected=True, key_image=True)),
        (result(3, 0), FrameReading(segment=Segment.CAECUM)),
        (result(4, None), UNREAD),
        (Unreadable("5.png", "damaged"), UNREAD),
    ]
    assert summary_of(visit) == Summary(
        whole=SegmentSummary(None, 5, scored=3, rejected=2, read=2, ai_worst=3, reader_worst=2),
        segments=(
            SegmentSummary(Segment.CAECUM, 1, scored=1, ai_worst=0),
            SegmentSummary(Segment.RECTUM, 3, scored=2, rejected=1, read=2, ai_worst=3, reader_worst=2),
            SegmentSummary(None, 1, rejected=1),
        ),
        agreed=1,
        differing=1,
        key_images=2,
        unreadable=1,
    )


def test_segments_come_from_the_beginning_of_the_bowel_untagged_last() -> None:
    tags = [None, *reversed(Segment)]
    visit: list[tuple[Item, FrameReading]] = [
        (result(number, 1), FrameReading(segment=tag)) for number, tag in enumerate(tags)
    ]
    assert [part.segment for part in summary_of(visit).segments] == [*Segment, None]


def test_nothing_counted_is_an_empty_summary() -> None:
    assert Tally().summary() == summarise([], Reading()) == Summary()


@given(FRAMES, FRAMES, st.randoms(use_true_random=False))
def test_what_was_taken_away_again_leaves_no_trace(
    kept: list[tuple[int | str | None, FrameReading]],
    gone: list[tuple[int | str | None, FrameReading]],
    random: Random,
) -> None:
    stay, go = items_of(kept), items_of(gone)
    tally = Tally()
    everything = [*stay, *go]
    random.shuffle(everything)
    for item, reading in everything:
        tally.add(item, reading)
    random.shuffle(go)
    for item, reading in go:
        tally.remove(item, reading)
    assert tally.summary() == summary_of(stay)


@given(FRAMES, st.lists(READINGS, min_size=12, max_size=12))
def test_a_changed_reading_is_as_if_it_had_always_been(
    frames: list[tuple[int | str | None, FrameReading]], later: list[FrameReading]
) -> None:
    before = items_of(frames)
    after = [(item, reading) for (item, _), reading in zip(before, later, strict=False)]
    tally = Tally()
    for item, reading in before:
        tally.add(item, reading)
    for (item, old), (_, new) in zip(before, after, strict=True):
        tally.remove(item, old)
        tally.add(item, new)
    assert tally.summary() == summary_of(after)


@given(FRAMES)
def test_the_parts_make_the_whole(frames: list[tuple[int | str | None, FrameReading]]) -> None:
    counted = items_of(frames)
    summary = summary_of(counted)
    whole, parts = summary.whole, summary.segments
    for name in ("frames", "scored", "rejected", "read"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
    assert whole.frames + summary.unreadable == len(counted)
    assert all(part.frames > 0 for part in parts)
    for name in ("ai_worst", "reader_worst"):
        grades = [worst for part in parts if (worst := getattr(part, name)) is not None]
        assert getattr(whole, name) == max(grades, default=None)
    assert summary.agreed + summary.differing <= min(whole.scored, whole.read)
