"""Which frames of a recording are printed large: what lasts first, then its course; and their captions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from recorded_runs import pictures_of, recorded, run_of, still, withdrawal

from uc_viewer.case import FrameReading, Reading, Segment
from uc_viewer.report.content import build, key_frames, printed_frames


class TestKeyFrames:
    def test_what_lasts_leads_and_the_rest_is_spread_over_time(self) -> None:
        frames = recorded("v.mp4", [(200, 1), (1, 3), (100, 1), (12, 2), (300, 0)])
        got = key_frames(run_of(frames))
        times = [frame.pts_seconds or 0.0 for frame in got]
        assert len(got) == 6
        assert got[0].scores.grade == 2
        assert sum(150.5 <= t <= 156 for t in times) == 2
        assert times[1:] == sorted(times[1:])
        assert min(times) < 75
        assert max(times) > 230
        assert 3 not in [frame.scores.grade for frame in got]

    def test_a_frame_of_another_segment_within_the_stretch_does_not_lead(self) -> None:
        frames = recorded("v.mp4", [(30, 2)])
        tags = dict.fromkeys((frame.key for frame in frames), FrameReading(segment=Segment.SIGMOID))
        highest = max(frame.scores.margin or 0.0 for frame in frames)
        surest = [frame for frame in frames if frame.scores.margin == highest]
        said = Reading({**tags, **{f.key: FrameReading(segment=Segment.RECTUM) for f in surest}})
        assert key_frames(run_of(frames))[0] in surest
        assert key_frames(run_of(frames), reading=said)[0] not in surest

    def test_the_same_run_gives_the_same_choice_each_frame_once(self) -> None:
        run, said = withdrawal()
        got = key_frames(run, reading=said)
        assert got == key_frames(run, reading=said)
        assert len({frame.key for frame in got}) == len(got) == 6
        assert not any(said.of(frame.key).rejected for frame in got)

    @pytest.mark.parametrize(("count", "limit", "expected"), [(3, 6, 3), (40, 0, 0), (40, 1, 1), (1, 6, 1)])
    def test_bounds(self, count: int, limit: int, expected: int) -> None:
        assert len(key_frames(run_of(recorded("v.mp4", [(count, 1)])), limit)) == expected

    def test_nothing_scored_nothing_shown(self) -> None:
        assert key_frames(run_of(recorded("v.mp4", [(30, None)]))) == ()

    def test_stills_and_recordings_share_the_places_the_worse_first(self) -> None:
        frames = [*recorded("a.mp4", [(40, 1)]), *recorded("b.mp4", [(40, 2)])]
        got = key_frames(run_of([still("s.jpg", 3), still("t.jpg", 0), *frames]))
        assert [frame.source_file for frame in got] == ["s.jpg", "t.jpg", "b.mp4", "b.mp4", "a.mp4", "a.mp4"]
        alone = key_frames(run_of([still("s.jpg", 0), *frames]))
        assert [frame.source_file for frame in alone].count("s.jpg") == 1
        assert len(alone) == 6

    def test_captions(self) -> None:
        run, said = withdrawal()
        at = run.results[235]
        read = Reading({**said.frames, at.key: replace(said.of(at.key), key_image=True)})
        (shown,) = build(run, pictures_of([at]), reading=read).pictures
        assert shown.caption == "sigmoid colon, 00:01:57.500, AI 2 (0.82), reader 2"
        others = replace(run, results=(*run.results, *recorded("w.mp4", [(9, 0)])))
        (shown,) = build(others, pictures_of([at]), reading=read).pictures
        assert shown.caption.startswith("sigmoid colon, withdrawal.mp4, 00:01:57.500, AI 2")

    def test_the_frame_of_the_result_line_leads_the_pictures(self) -> None:
        run, said = withdrawal()
        got = build(run, pictures_of(printed_frames(run, said)), reading=said)
        assert (len(got.pictures), got.pictures[0].grade) == (6, 2)
        assert got.pictures[0].segment == "sigmoid colon"
