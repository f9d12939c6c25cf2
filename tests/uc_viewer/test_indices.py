"""Counts, worst grades and agreement: worked cases, and what holds for any frames in any order."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_core.aggregate import Rule
from mtl_core.scores import FrameScores
from uc_viewer.case import UNREAD, FrameReading, FrameResult, Reading, Segment, Unreadable
from uc_viewer.indices import Judgement, SegmentSummary, Summary, Tally, judge, summarise

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


def shot(index: int, grade: int | None, source_file: str = "a.mp4", begin: float = 0.0) -> FrameResult:
    """A frame of a recording sampled twice a second."""
    return FrameResult(source_file, "0" * 64, index, begin + index / 2, result(0, grade).scores)


def film(grades: list[int | None], source_file: str = "a.mp4", begin: float = 0.0) -> list[FrameResult]:
    return [shot(index, grade, source_file, begin) for index, grade in enumerate(grades)]


def judged(results: list[FrameResult], said: dict[tuple[str, int], FrameReading] | None = None) -> Judgement:
    found = judge(results, Reading(said or {}))
    assert found is not None
    return found


def test_stills_are_no_recording() -> None:
    assert judge([]) is None
    assert judge([result(number, 3) for number in range(50)]) is None
    mixed = judged([*film([0] * 10), *(result(number, 3) for number in range(50))])
    assert (mixed.whole.sustained.frames, mixed.whole.sustained.highest) == (10, 0)


def test_a_recording_without_tags_is_one_part() -> None:
    found = judged(film([0] * 10 + [2] * 6 + [0] * 10, begin=100.0))
    assert found.parts == (found.whole,)
    assert found.rule == Rule()
    part = found.whole
    assert part.segment is None
    assert (part.source_file, part.since, part.until) == ("a.mp4", 105.0, 107.5)
    assert (part.highest_file, part.highest_at_seconds) == ("a.mp4", 105.0)
    assert (part.sustained.grade, part.sustained.counts) == (2, (20, 0, 6, 0))


def test_the_worst_part_is_the_whole() -> None:
    results = [*film([0] * 20 + [2] * 8), *film([1] * 12 + [3] + [1] * 3, "b.mp4")]
    said = {("a.mp4", index): FrameReading(segment=Segment.RECTUM) for index in range(20, 28)}
    said |= {("b.mp4", index): FrameReading(segment=Segment.CAECUM) for index in range(16)}
    found = judged(results, said)
    assert [(part.segment, part.sustained.grade) for part in found.parts] == [
        (Segment.CAECUM, 1),
        (Segment.RECTUM, 2),
        (None, 0),
    ]
    whole = found.whole
    assert (whole.segment, whole.sustained.grade) == (None, 2)
    assert (whole.source_file, whole.since, whole.until) == ("a.mp4", 10.0, 13.5)
    assert (whole.highest_file, whole.highest_at_seconds) == ("b.mp4", 6.0)
    assert (whole.sustained.frames, whole.sustained.counts) == (44, (20, 15, 8, 1))


def test_a_row_crosses_neither_recordings_nor_segments() -> None:
    one = film([0] * 10 + [2] * 4 + [0] * 10)
    assert judged(one).whole.sustained.grade == 2
    tags = {("a.mp4", index): FrameReading(segment=Segment.SIGMOID) for index in range(12)}
    assert judged(one, tags).whole.sustained.grade == 0
    two = [*film([0] * 10 + [2] * 2), *film([2] * 2 + [0] * 10, "b.mp4", begin=6.0)]
    assert judged(two).whole.sustained.grade == 0


def test_what_the_reader_rejected_is_not_scored() -> None:
    results = film([0] * 10 + [2] * 6 + [0] * 10)
    said = {("a.mp4", index): FrameReading(rejected=True) for index in range(10, 14)}
    found = judged(results, said).whole.sustained
    assert (found.grade, found.frames, found.scored) == (0, 26, 22)
    assert found.counts == (20, 0, 2, 0)
    everything = {result.key: FrameReading(rejected=True) for result in results}
    nothing = judged(results, everything).whole
    assert (nothing.sustained.grade, nothing.sustained.highest, nothing.sustained.p90) == (None, None, None)
    assert (nothing.source_file, nothing.since, nothing.highest_file) == ("", None, "")


def test_a_case_is_not_gradable_only_where_no_part_is() -> None:
    short, long = film([3] * 5), film([1] * 10, "b.mp4")
    found = judged([*short, *long]).whole
    assert (found.sustained.grade, found.sustained.reason, found.source_file) == (1, "", "b.mp4")
    assert (found.sustained.highest, found.highest_file) == (3, "a.mp4")
    alone = judged([*short, *film([2] * 6, "c.mp4")]).whole
    assert alone.sustained.grade is None
    assert alone.sustained.reason == "6 scored frames, 8 are needed"
    assert (alone.sustained.scored, alone.highest_file) == (11, "a.mp4")


def test_frames_count_in_the_order_of_their_times() -> None:
    results = film([0] * 10 + [2] * 6 + [0] * 10)
    assert judged(results[::-1]) == judged(results)


def test_another_rule_is_followed_and_told() -> None:
    results = film([0] * 10 + [2] * 2 + [0] * 10)
    lenient = Rule(frames=2, seconds=0, smoothing=0)
    found = judge(results, rule=lenient)
    assert found is not None
    assert (found.whole.sustained.grade, found.rule) == (2, lenient)
    assert judged(results).whole.sustained.grade == 0


FILMS = st.lists(
    st.tuples(
        st.sampled_from(["a.mp4", "b.mp4"]),
        st.integers(1, 12),  # frames
        GRADES,
        st.builds(FrameReading, segment=st.sampled_from([None, *Segment][:3]), rejected=st.booleans()),
    ),
    min_size=1,
    max_size=8,
)


@given(FILMS)
def test_the_whole_is_the_worst_and_the_sum_of_its_parts(
    scenes: list[tuple[str, int, int | None, FrameReading]],
) -> None:
    results: list[FrameResult] = []
    said = {}
    for source_file, frames, grade, reading in scenes:
        for _ in range(frames):
            results.append(shot(len(results), grade, source_file))
            said[results[-1].key] = reading
    found = judged(results, said)
    whole, parts = found.whole.sustained, [part.sustained for part in found.parts]
    assert whole.frames == len(results) == sum(part.frames for part in parts)
    assert whole.scored == sum(whole.counts) == sum(part.scored for part in parts)
    for name in ("grade", "highest"):
        values = [value for part in parts if (value := getattr(part, name)) is not None]
        assert getattr(whole, name) == max(values, default=None)
    assert (whole.grade is None) == bool(whole.reason)
    for part in (found.whole, *found.parts):
        assert (part.since is None) == (part.until is None) == (part.sustained.grade is None)
        if part.since is not None and part.until is not None:
            row = [
                frame
                for frame in results
                if frame.source_file == part.source_file
                and part.since <= (frame.pts_seconds or 0) <= part.until
                and frame.scores.scored
                and not said[frame.key].rejected
            ]
            assert len(row) >= found.rule.frames
            assert part.until - part.since >= found.rule.seconds
        if part.sustained.highest is not None:
            assert any(
                frame.pts_seconds == part.highest_at_seconds and frame.scores.grade == part.sustained.highest
                for frame in results
                if frame.source_file == part.highest_file
            )
