"""What a report says of recordings: what lasts by the rule, never a raw maximum, and what was not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest
from recorded_runs import (
    PROVENANCE,
    facts,
    pictures_of,
    recorded,
    run_of,
    still,
    tagged,
    withdrawal,
)

from mtl_core.aggregate import STANDARD, Rule
from uc_viewer.case import Case, FrameReading, Reading, Segment, Unreadable
from uc_viewer.report import content, recordings
from uc_viewer.report.content import ReportContent, build, printed_frames
from uc_viewer.report.wording import clock, some_percent, stretch

MILD_WITH_A_BURST = [(40, 1), (10, 2), (1, 3), (40, 1)]


def value(told: Sequence[content.Fact], label: str) -> str:
    return next(fact.value for fact in told if fact.label == label)


def labels(got: ReportContent) -> list[str]:
    return [fact.label for fact in got.findings]


def of_one(plan: Sequence[tuple[int, int | None]], name: str = "v.mp4") -> ReportContent:
    frames = recorded(name, plan)
    return build(run_of(frames, [facts(name, len(frames))]), {})


class TestResultLine:
    def test_names_the_worst_that_lasts_and_when(self) -> None:
        got = of_one(MILD_WITH_A_BURST)
        assert got.headline == "AI: worst sustained MES 2 (moderate), 00:00:20 to 00:00:25"
        assert got.headline_grade == 2

    def test_names_the_segment_the_reader_gave(self) -> None:
        run, said = withdrawal()
        got = build(run, {}, reading=said)
        assert got.ai_line == "AI: worst sustained MES 2 (moderate), sigmoid colon, 00:01:52 to 00:02:00"
        assert got.ai_grade == 2
        assert got.headline.startswith("Reader: highest MES 2")

    def test_names_the_recording_where_there_are_several(self) -> None:
        frames = [*recorded("a.mp4", [(40, 0)]), *recorded("b.mp4", [(40, 1)])]
        run = run_of(frames, [facts("a.mp4", 40), facts("b.mp4", 40)])
        assert build(run, {}).headline == "AI: worst sustained MES 1 (mild), b.mp4, 00:00:00 to 00:00:19"
        long = recorded("x" * 500 + ".mp4", [(40, 1)])
        assert len(build(run_of([*frames, *long]), {}).headline) < 110

    @pytest.mark.parametrize(
        ("plan", "reason"),
        [
            ([(5, 2), (40, None)], "5 scored frames, 8 are needed"),
            ([(40, None)], "0 scored frames, 8 are needed"),
            ([(1, 2), (7, None)] * 8, "no 4 scored frames in a row"),
        ],
    )
    def test_not_gradable_is_said_with_the_reason(
        self, plan: list[tuple[int, int | None]], reason: str
    ) -> None:
        got = of_one(plan)
        assert (got.headline, got.headline_grade) == ("AI: recording not gradable", None)
        assert reason in value(got.findings, "Not gradable")

    def test_a_recording_of_which_nothing_could_be_decoded(self) -> None:
        lost = [Unreadable("v.mp4", "damaged", "ab", k, k / 2) for k in range(20)]
        got = build(run_of([], [facts("v.mp4", 20)], lost), {})
        assert got.headline == "AI: recording not gradable"
        assert value(got.findings, "Not gradable") == "no frame could be decoded"
        assert value(got.findings, "Informative") == "0 of 20 sampled frames (0 %); damaged 20"
        assert got.incomplete == "INCOMPLETE 0 %"

    def test_the_rule_of_the_run_is_in_force_and_told(self) -> None:
        frames = recorded("v.mp4", MILD_WITH_A_BURST)
        strict = Rule(frames=20, seconds=10.0)
        run = run_of(frames, provenance={**PROVENANCE, "sustained_rule": asdict(strict)})
        got = build(run, {})
        assert got.headline_grade == 1
        assert value(got.findings, "Sustained") == strict.describe()
        unsaid = build(run_of(frames, provenance={}), {})
        assert value(unsaid.findings, "Sustained") == STANDARD.describe()
        assert unsaid.headline_grade == 2
        assert got.report_id != unsaid.report_id

    @pytest.mark.parametrize(("names", "title"), [(1, "a recording"), (2, "recordings")])
    def test_the_title_says_what_was_scored(self, names: int, title: str) -> None:
        frames = [frame for k in range(names) for frame in recorded(f"{k}.mp4", [(10, 1)])]
        assert build(run_of(frames), {}).title == f"Ulcerative colitis, endoscopic score of {title}"
        both = build(run_of([*frames, still("a.jpg", 1)]), {})
        assert both.title == f"Ulcerative colitis, endoscopic score of stills and {title}"


class TestFindings:
    def test_the_highest_single_frame_stands_apart(self) -> None:
        told = of_one(MILD_WITH_A_BURST).findings
        assert value(told, "Highest single frame") == (
            "MES 3 at 00:00:25.000; a single frame is mostly error and no result"
        )

    def test_shares_of_the_scored_frames(self) -> None:
        got = of_one([(60, 0), (30, 1), (10, 2), (25, None)])
        shares = [(s.grade, s.count, s.share) for s in got.recordings.shares]
        assert shares == [(0, 60, "60 %"), (1, 30, "30 %"), (2, 10, "10 %"), (3, 0, "0 %")]
        assert (got.recordings.not_scored, got.recordings.rejected) == (25, 0)
        told = value(got.findings, "Informative")
        assert told.startswith("100 of 125 sampled frames (80 %); ")
        assert "blurred 13" in told
        assert "too dark 12" in told

    def test_no_share_is_ever_told_of_stills(self) -> None:
        got = build(run_of([still("a.jpg", 2), still("b.jpg", 1)]), {})
        assert got.recordings == recordings.RecordingsPart()
        assert "%" not in repr([got.findings, got.counts, got.identity])

    def test_the_coarse_answer_follows_what_lasts(self) -> None:
        mild = of_one([(60, 1), (1, 3), (39, 1)])
        assert value(mild.findings, "Coarse answer") == (
            "not active (MES 0–1), by the sustained grade; P(active) passes the conservative threshold 0.310 "
            "in 1 of 100 scored frames (1 %)"
        )
        assert value(of_one([(60, 2)]).findings, "Coarse answer").startswith("active (MES 2–3), by the")
        assert value(of_one([(5, 2)]).findings, "Coarse answer").startswith("none; P(active) passes")

    def test_what_the_reader_rejected_counts_nowhere(self) -> None:
        frames = recorded("v.mp4", MILD_WITH_A_BURST)
        said = {frame.key: FrameReading(rejected=True) for frame in frames[40:51]}
        got = build(run_of(frames), {}, reading=Reading(said))
        assert got.headline_grade == 1
        assert got.recordings.rejected == 11
        assert value(got.findings, "Highest single frame").startswith("MES 1")
        assert "rejected by reader 11" in value(got.findings, "Informative")

    def test_frames_are_not_called_stills_or_pictures(self) -> None:
        run, said = withdrawal()
        got = build(run, pictures_of(printed_frames(run, said)), reading=said)
        told = repr([got.title, got.headline, got.ai_line, got.findings, got.identity, got.rows_note])
        assert "still" not in told
        assert "picture" not in told
        assert value(got.identity, "Pictures").replace("\xa0", " ") == "321 of 360 frames scored"


class TestMixedRun:
    STILLS = (still("a.jpg", 1), still("b.jpg", 0))
    VIDEO = recorded("v.mp4", [(40, 2)])

    def test_the_worse_one_leads_and_both_are_told(self) -> None:
        got = build(run_of([*self.STILLS, *self.VIDEO]), {})
        assert got.headline == "AI: worst sustained MES 2 (moderate), v.mp4, 00:00:00 to 00:00:19"
        assert (
            value(got.findings, "Stills") == "highest MES among the scored stills: 1 (mild), probability 0.85"
        )
        assert value(got.findings, "Recordings").startswith("worst sustained MES 2 (moderate)")

    def test_a_worse_still_leads_and_says_what_it_is(self) -> None:
        got = build(run_of([*self.STILLS, still("c.jpg", 3), *self.VIDEO]), {})
        assert got.headline == "AI: highest MES among the scored stills: 3 (severe), probability 0.85"
        assert (got.headline_grade, [c.count for c in got.counts]) == (3, [1, 1, 0, 1])
        assert value(got.findings, "Continuous score, stills").endswith("over 3 scored stills")

    def test_of_equals_what_lasts_leads(self) -> None:
        assert "sustained" in build(run_of([still("a.jpg", 2), *self.VIDEO]), {}).headline

    def test_a_recording_that_is_not_gradable_leaves_the_lead_to_stills(self) -> None:
        got = build(run_of([*self.STILLS, *recorded("v.mp4", [(3, 3)])]), {})
        assert got.headline.startswith("AI: highest MES among the scored stills: 1")
        assert value(got.findings, "Recordings") == "recording not gradable"

    def test_stills_are_listed_as_ever_and_inputs_are_told_apart(self) -> None:
        got = build(run_of([*self.STILLS, *self.VIDEO], [facts("v.mp4", 40)]), {})
        assert [row.name for row in got.rows][:2] == ["a.jpg", "b.jpg"]
        assert "1 recording with 40 sampled frames, 2 other files" in value(got.provenance, "Inputs")
        told = value(got.identity, "Pictures").replace("\xa0", " ")
        assert told == "2 stills scored, 40 of 40 frames scored"


class TestSegments:
    def test_what_lasts_and_the_ninetieth_percentile(self) -> None:
        run, said = withdrawal()
        rows = {row.name: row for row in build(run, {}, reading=said).segments}
        assert [(name, row.sustained, row.ai) for name, row in rows.items()] == [
            ("caecum", 0, None),
            ("ascending colon", 0, None),  # in which one frame is a MES 3
            ("transverse colon", 0, None),
            ("descending colon", 1, None),
            ("sigmoid colon", 2, None),
            ("rectum", 1, None),
        ]
        assert rows["sigmoid colon"].p90 == "1.88"

    def test_a_segment_that_is_not_gradable_is_no_zero(self) -> None:
        frames = recorded("v.mp4", [(40, 1), (3, 3)])
        said = Reading(tagged(frames, [(40, Segment.SIGMOID), (3, Segment.RECTUM)]))
        got = build(run_of(frames), {}, reading=said)
        assert [(row.name, row.sustained) for row in got.segments] == [("sigmoid colon", 1), ("rectum", None)]
        assert "Not gradable: rectum (3 scored frames, 8 are needed)." in got.segments_note

    def test_stills_of_a_segment_keep_a_column_of_their_own(self) -> None:
        frames, one = recorded("v.mp4", [(40, 1)]), still("a.jpg", 3)
        said = tagged([*frames, one], [(41, Segment.RECTUM)])
        (row,) = build(run_of([one, *frames]), {}, reading=Reading(said)).segments
        assert (row.sustained, row.ai, row.frames) == (1, 3, 41)


class TestIncomplete:
    def test_a_recording_that_breaks_off(self) -> None:
        frames = recorded("v.mkv", [(62, 1)])
        got = build(run_of(frames, [facts("v.mkv", 62, share=0.31)]), {})
        assert got.incomplete == "INCOMPLETE 31 %"
        assert got.notices == ("INCOMPLETE 31 %",)
        assert "v.mkv breaks off: 31 % of its stated duration is there" in got.incomplete_detail
        assert "may be worse" in got.incomplete_detail
        assert "00:01:40 is its stated duration" in got.recordings.rows_note

    def test_a_recording_that_breaks_off_and_states_no_duration(self) -> None:
        got = build(run_of(recorded("v.ts", [(62, 1)]), [facts("v.ts", 62, share=None)]), {})
        assert got.incomplete == "INCOMPLETE"
        assert "v.ts breaks off; how much is missing is not known" in got.incomplete_detail
        assert "breaks off and states no duration" in got.recordings.rows_note

    def test_why_a_run_ended_early_is_told(self) -> None:
        run = run_of(recorded("v.ts", [(5, 1)]), complete=False, expected=10, interrupted="v.ts is gone")
        assert build(run, {}).incomplete_detail.endswith("not looked at. Why: v.ts is gone")

    def test_damaged_frames(self) -> None:
        frames = recorded("v.mkv", [(200, 1)])
        lost = [
            Unreadable("v.mkv", "damaged", f.source_sha256, f.index, f.pts_seconds) for f in frames[50:60]
        ]
        run = run_of([*frames[:50], *frames[60:]], [facts("v.mkv", 200)], lost)
        got = build(run, {})
        assert got.incomplete == "INCOMPLETE 95 %"
        assert "v.mkv: 10 of 200 sampled frames could not be decoded." in got.incomplete_detail
        assert got.unreadable == (content.Fact("v.mkv", "10 frames, 00:00:25.000 to 00:00:29.500: damaged"),)
        assert "unreadable" not in value(got.identity, "Pictures")
        assert got.recordings.rows[0].damaged == 10

    def test_one_damaged_frame_of_many_is_never_all(self) -> None:
        frames = recorded("v.mkv", [(3000, 1)])
        lost = [Unreadable("v.mkv", "damaged", "", 9, frames[9].pts_seconds)]
        run = run_of([*frames[:9], *frames[10:]], [facts("v.mkv", 3000)], lost)
        assert build(run, {}).incomplete == "INCOMPLETE 99 %"

    def test_a_stopped_run_counts_frames(self) -> None:
        frames = recorded("v.mkv", [(300, 1)])
        got = build(run_of(frames, [facts("v.mkv", 1000)], complete=False, expected=1000), {})
        assert got.incomplete == "INCOMPLETE 30 %"
        assert "stopped after 300 of 1000 frames" in got.incomplete_detail

    def test_shares_of_several_recordings_and_stills_are_weighed(self) -> None:
        frames = [*recorded("a.mkv", [(100, 1)]), *recorded("b.mkv", [(100, 1)])]
        run = run_of([still("s.jpg", 1), *frames], [facts("a.mkv", 100), facts("b.mkv", 100, share=0.5)])
        assert build(run, {}).incomplete == "INCOMPLETE 66 %"  # 201 of 301

    def test_many_gaps_do_not_fill_the_page(self) -> None:
        names = [f"{k}.mkv" for k in range(40)]
        frames = [frame for name in names for frame in recorded(name, [(10, 1)])]
        got = build(run_of(frames, [facts(name, 10, share=0.5) for name in names]), {})
        assert got.incomplete == "INCOMPLETE 50 %"
        assert got.incomplete_detail.count("breaks off") == 3
        assert "37 further gaps" in got.incomplete_detail

    def test_a_whole_recording_and_an_unreadable_file_are_no_gap(self) -> None:
        frames = recorded("v.mkv", [(20, 1)])
        broken = Unreadable("w.mp4", "the recording was not finalised")
        got = build(run_of(frames, [facts("v.mkv", 20)], [broken]), {})
        assert got.incomplete == ""
        assert got.unreadable[0].label == "w.mp4"
        assert "1 file unreadable" in value(got.identity, "Pictures").replace("\xa0", " ")


class TestTables:
    def test_recordings(self) -> None:
        frames = [*recorded("a.mp4", [(40, 1), (10, None)]), *recorded("b.avi", [(3, 2)])]
        told = [facts("a.mp4", 50), facts("b.avi", 3, codec="mpeg4", interlaced=True, width=720, height=576)]
        got = build(run_of(frames, told), {}).recordings
        first, second = got.rows
        assert (first.duration, first.frames, first.sampled, first.scored) == (
            "00:00:25",
            "625",
            50,
            "40 (80 %)",
        )
        assert (first.size, first.codec, first.grade) == ("1920 × 1080", "h264", 1)
        assert (second.size, second.codec, second.grade) == ("720 × 576", "mpeg4, interlaced", None)
        assert "Not gradable: b.avi (3 scored frames, 8 are needed)." in got.rows_note

    def test_what_a_run_does_not_say_is_not_made_up(self) -> None:
        (row,) = build(run_of(recorded("a.mp4", [(40, 1)])), {}).recordings.rows
        assert (row.duration, row.frames, row.size, row.codec) == ("", "", "", "")
        assert row.sampled == 40

    def test_few_frames_of_a_recording_are_listed_and_the_rest_is_said(self) -> None:
        run, said = withdrawal()
        got = build(run, {}, reading=said)
        listed = {row.at for row in got.rows}
        assert len(got.rows) <= 14
        assert {frame_at(f) for f in printed_frames(run, said)} <= listed
        assert "00:01:57.000" in listed
        assert f"{len(got.rows)} of 360 sampled frames are listed here" in got.rows_note
        assert "frames.csv" in got.rows_note

    def test_many_recordings_do_not_fill_pages(self) -> None:
        frames = [frame for k in range(60) for frame in recorded(f"{k}.mp4", [(40, 1)])]
        got = build(run_of(frames), {})
        assert len(got.rows) == 48
        assert len(got.recordings.rows) == 60

    def test_neighbours_of_whom_the_reader_says_the_same_share_a_line(self) -> None:
        frames = recorded("v.mp4", [(30, 1), (30, 0)])
        said = {f.key: FrameReading(grade=2, reason="poor view") for f in frames[10:40]}
        said[frames[20].key] = replace(said[frames[20].key], comment="a remark")
        said[frames[50].key] = FrameReading(grade=3)
        got = build(run_of(frames), {}, reading=Reading(said)).remarks
        assert [(r.name, r.ai, r.reader, r.reason, r.comment) for r in got] == [
            ("00:00:05 to 00:00:09, 10 frames", "1", "2", "poor view", ()),
            ("00:00:10.000", "1", "2", "poor view", ("a remark",)),
            ("00:00:10 to 00:00:19, 19 frames", "0 to 1", "2", "poor view", ()),
            ("00:00:25.000", "0", "3", "no reason given", ()),
        ]

    def test_remarks_on_stills_stay_apart(self) -> None:
        stills = [still(f"{k}.jpg", 1) for k in range(3)]
        said = Reading({f.key: FrameReading(grade=2, reason="poor view") for f in stills})
        assert [r.name for r in build(run_of(stills), {}, reading=said).remarks] == [
            "0.jpg",
            "1.jpg",
            "2.jpg",
        ]


def frame_at(frame: object) -> str:
    return clock(frame.pts_seconds)  # type: ignore[attr-defined]


class TestWording:
    @pytest.mark.parametrize(
        ("share", "text"), [(0, "0 %"), (0.001, "<1 %"), (0.314, "31 %"), (0.999, ">99 %"), (1, "100 %")]
    )
    def test_percent(self, share: float, text: str) -> None:
        assert some_percent(share) == text

    def test_times(self) -> None:
        assert clock(-0.04) == "-00:00:00.040"
        assert stretch(417.28, 425.78) == "00:06:57 to 00:07:05"
        assert stretch(417.2, 417.8) == "00:06:57.200 to 00:06:57.800"


def test_frames_without_times_are_stills_whatever_file_they_are_of() -> None:
    frames = [replace(frame, pts_seconds=None) for frame in recorded("multi.dcm", [(4, 1), (1, 3)])]
    got = build(run_of(frames, [facts("multi.dcm", 5, seconds=0.0)]), {})
    assert got.headline.startswith("AI: highest MES among the scored stills: 3")
    assert got.title.endswith("of stills")
    assert got.recordings == recordings.RecordingsPart()


def test_a_synthetic_case_is_said_to_be_one() -> None:
    run = run_of(recorded("v.mp4", [(20, 1)]), case=Case(synthetic=True))
    assert "SYNTHETIC SAMPLE, not a patient" in build(run, {}).notices
