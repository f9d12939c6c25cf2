"""The timeline of a recording as data: bounded, without holes or overlaps, and true to the frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_runs import facts, recorded, run_of, tagged, withdrawal

from uc_viewer.case import FrameResult, Reading, Run, Segment, Unreadable
from uc_viewer.report import timeline
from uc_viewer.report.content import build
from uc_viewer.report.timeline import Lasting, Timeline


def timelines(run: Run, reading: Reading | None = None) -> tuple[Timeline, ...]:
    return build(run, {}, reading=reading or Reading()).recordings.timelines


def only(run: Run, reading: Reading | None = None) -> Timeline:
    (strip,) = timelines(run, reading)
    return strip


class TestColumns:
    def test_each_is_one_frame_while_there_is_room(self) -> None:
        run, said = withdrawal()
        strip = only(run, said)
        assert len(strip.columns) == 360
        assert strip.frames_per_column == 1
        assert (strip.since, strip.until) == (0.0, 180.0)
        assert [c.ai for c in strip.columns[18:22]] == [None, None, 0, 0]
        assert strip.columns[80].ai == 3
        assert (strip.columns[81].ai, strip.columns[81].scored) == (None, 0.0)  # rejected by the reader
        assert strip.columns[235].reader == 2

    @pytest.mark.parametrize("count", [1, 599, 600, 601, 2000, 20_000])
    def test_never_too_many_and_none_lost(self, count: int) -> None:
        plan = [(count // 2, 0), (1, 3), (count - count // 2 - 1, 0)] if count > 1 else [(1, 3)]
        strip = only(run_of(recorded("v.mp4", plan)))
        assert len(strip.columns) <= timeline.MOST_COLUMNS
        assert [c.ai for c in strip.columns].count(3) == 1
        assert strip.frames_per_column == -(-count // timeline.MOST_COLUMNS)

    @given(st.lists(st.floats(0.01, 20), min_size=1, max_size=80), st.floats(-5, 5))
    def test_they_follow_each_other_without_overlap(self, steps: list[float], starts: float) -> None:
        frames, at = [], starts
        for k, (frame, step) in enumerate(zip(recorded("v", [(len(steps), 1)]), steps, strict=True)):
            frames.append(FrameResult("v", frame.source_sha256, k, at, frame.scores))
            at += step
        strip = only(run_of(frames))
        ends = [strip.since, *(column.until for column in strip.columns)]
        for end, column in zip(ends, strip.columns, strict=False):
            assert end <= column.since + 1e-9
            assert column.since < column.until
        assert strip.columns[-1].until <= strip.until + 1e-9

    def test_a_pause_is_no_column(self) -> None:
        late = recorded("v.mp4", [(20, 1)], starts=100.0)
        late = [FrameResult("v.mp4", f.source_sha256, f.index + 9999, f.pts_seconds, f.scores) for f in late]
        strip = only(run_of([*recorded("v.mp4", [(20, 1)]), *late]))
        assert strip.columns[19].until == pytest.approx(9.5 + 3 * 0.5)
        assert strip.columns[20].since == 100.0

    def test_damaged_frames_keep_their_place(self) -> None:
        frames = recorded("v.mp4", [(40, 1)])
        lost = [Unreadable("v.mp4", "damaged", "", f.index, f.pts_seconds) for f in frames[10:12]]
        strip = only(run_of([*frames[:10], *frames[12:]], [facts("v.mp4", 40)], lost))
        assert [k for k, c in enumerate(strip.columns) if c.damaged] == [10, 11]
        assert strip.columns[10].scored == 0.0

    def test_scored_is_a_share_where_a_column_has_several_frames(self) -> None:
        strip = only(run_of(recorded("v.mp4", [(1, 1), (1, None)] * 600)))
        assert {c.scored for c in strip.columns} == {0.5}


class TestStretches:
    def test_segments_in_a_row_are_one(self) -> None:
        run, said = withdrawal()
        spans = only(run, said).segments
        assert [span.name for span in spans] == [segment.value for segment in Segment]
        assert (spans[4].since, spans[4].until) == (110.0, 150.0)

    def test_frames_without_a_tag_part_them(self) -> None:
        frames = recorded("v.mp4", [(30, 1)])
        said = tagged(frames, [(10, Segment.RECTUM), (10, None), (10, Segment.RECTUM)])
        assert [(s.since, s.until) for s in only(run_of(frames), Reading(said)).segments] == [
            (0, 5),
            (10, 15),
        ]

    def test_what_lasts_goes_on_to_the_end_of_its_last_frame(self) -> None:
        run, said = withdrawal()
        assert only(run, said).lasting == Lasting(112.0, 120.0, 120.5, 2)
        assert only(run_of(recorded("v.mp4", [(4, 2)]))).lasting is None

    def test_the_part_of_a_file_that_is_gone(self) -> None:
        strip = only(run_of(recorded("v.mkv", [(62, 1)]), [facts("v.mkv", 62, share=0.31)]))
        (gap,) = strip.gaps
        assert (gap.since, gap.until, gap.name) == (31.0, 100.0, "not in the file")
        assert strip.until == 100.0

    def test_a_file_that_breaks_off_nobody_knows_how_early(self) -> None:
        strip = only(run_of(recorded("v.ts", [(60, 1)]), [facts("v.ts", 60, share=None)]))
        (gap,) = strip.gaps
        assert (gap.since, gap.until) == (30.0, pytest.approx(35.0))

    def test_what_a_stopped_run_did_not_look_at(self) -> None:
        run = run_of(
            recorded("v.mkv", [(50, 1)]), [facts("v.mkv", 62, share=0.31)], complete=False, expected=62
        )
        assert [(g.since, g.until, g.name) for g in only(run).gaps] == [
            (25.0, 31.0, "not looked at"),
            (31.0, 100.0, "not in the file"),
        ]
        assert only(run_of(recorded("v.mkv", [(62, 1)]), [facts("v.mkv", 62)])).gaps == ()


class TestChoice:
    def test_the_worst_six_in_their_order(self) -> None:
        grades = [0, 3, 0, 2, 1, 0, 1, 2, 3]
        frames = [f for k, g in enumerate(grades) for f in recorded(f"{k}.mp4", [(20, g)])]
        got = build(run_of(frames), {}).recordings
        assert [strip.name for strip in got.timelines] == [f"{k}.mp4" for k in (1, 3, 4, 6, 7, 8)]
        assert "Shown are the 6 worst; 3 further recordings not." in got.timelines_note

    def test_none_for_stills_and_for_frames_without_times(self) -> None:
        assert timelines(run_of([])) == ()
        lost = [Unreadable("v.mp4", "damaged")]
        assert timelines(run_of([], [facts("v.mp4", 1)], lost)) == ()

    def test_the_note_tells_what_a_column_is(self) -> None:
        assert "Every column is one frame" in _note(run_of(recorded("v.mp4", [(20, 1)])))
        assert "up to 4 neighbouring frames" in _note(run_of(recorded("v.mp4", [(2000, 1)])))


def _note(run: Run) -> str:
    return build(run, {}).recordings.timelines_note
