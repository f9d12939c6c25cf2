"""What a report says is right, whatever the run looks like."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_core.scores import FrameScores
from uc_viewer.case import Case, FrameReading, FrameResult, Reading, Run, Segment, Unreadable
from uc_viewer.report import content, origin, wording
from uc_viewer.report.content import build, key_frames, printed_frames

PROVENANCE: dict[str, Any] = {
    "app": {"name": "UC Viewer", "version": "9.8.7"},
    "model": {
        "name": "some-model",
        "backbone": "some_trunk",
        "weights_sha256": "0123456789abcdef" * 4,
        "training": {"data": "a data set"},
        "limits": ["First limit.", "Second limit."],
    },
    "device": {"name": "cpu", "reason": "no GPU found"},
    "thresholds": {"active": 0.31, "sensitivity": 0.95},
    "manifest_sha256": "fedcba9876543210" * 4,
    "timings": {"load_seconds": 0.5, "frames_per_second": None},
}


def frame(name: str, *p: float, active: bool | None = None, **more: Any) -> FrameResult:
    """A scored frame with these four probabilities."""
    p_active = p[2] + p[3]
    scores = FrameScores((p[0], p[1], p[2], p[3]), p_active, p_active >= 0.31 if active is None else active)
    values = {"source_sha256": hashlib.sha256(name.encode()).hexdigest(), "index": 0, "pts_seconds": None}
    return FrameResult(source_file=name, scores=scores, **{**values, **more})


def rejected(name: str, reason: str = "too dark") -> FrameResult:
    return FrameResult(name, "00" * 32, 0, None, FrameScores.rejected(reason))


def run_of(*results: FrameResult, **more: Any) -> Run:
    """A complete run over these frames."""
    unreadable: Sequence[Unreadable] = more.get("unreadable", ())
    values = {
        "case": Case(),
        "unreadable": (),
        "started": "2025-06-01T10:22:03+02:00",
        "finished": "2025-06-01T10:22:09+02:00",
        "complete": True,
        "expected": len(results) + len(unreadable),
        "provenance": PROVENANCE,
    }
    return Run(results=results, **{**values, **more})


def value(facts: Sequence[content.Fact], label: str) -> str:
    return next(fact.value for fact in facts if fact.label == label)


MILD = (0.1, 0.8, 0.07, 0.03)
MODERATE = (0.05, 0.1, 0.71, 0.14)
SEVERE = (0.0, 0.02, 0.1, 0.88)
NORMAL = (0.9, 0.08, 0.02, 0.0)


def test_the_module_needs_neither_torch_nor_a_pdf_library() -> None:
    code = (
        "import sys, uc_viewer.report.content; "
        "print(sorted({'torch', 'reportlab', 'matplotlib', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class TestResultLine:
    def test_names_highest_grade_and_its_probability(self) -> None:
        got = build(run_of(frame("a", *MILD), frame("b", *MODERATE)), {})
        assert got.headline == "AI: highest MES among the scored stills: 2 (moderate), probability 0.71"
        assert got.headline_grade == 2

    def test_takes_the_surest_of_equal_grades(self) -> None:
        got = build(run_of(frame("a", 0.0, 0.3, 0.5, 0.2), frame("b", *MODERATE)), {})
        assert got.headline.endswith("2 (moderate), probability 0.71")

    @pytest.mark.parametrize(
        ("p", "expected"),
        [
            ((0.05, 0.41, 0.46, 0.08), "1–2, close call"),
            ((0.02, 0.08, 0.46, 0.44), "2–3, close call"),
            ((0.42, 0.14, 0.40, 0.04), "0 or 2, close call"),
            ((0.05, 0.35, 0.55, 0.05), "2 (moderate), probability 0.55"),
        ],
    )
    def test_close_call(self, p: tuple[float, float, float, float], expected: str) -> None:
        got = build(run_of(frame("a", *p)), {})
        assert got.headline == f"AI: highest MES among the scored stills: {expected}"

    def test_close_call_gives_both_probabilities(self) -> None:
        got = build(run_of(frame("a", 0.05, 0.41, 0.46, 0.08)), {})
        assert value(got.findings, "Probabilities") == "MES 2 (moderate) 0.46, MES 1 (mild) 0.41"

    def test_nothing_scored(self) -> None:
        for run in (run_of(), run_of(rejected("a"))):
            got = build(run, {})
            assert got.headline == "AI: no still could be scored"
            assert got.headline_grade is None
            assert [fact.label for fact in got.findings] == ["Reader MES (worst segment)"]

    def test_a_recording_gets_no_raw_maximum(self) -> None:
        got = build(run_of(frame("v.mp4", *SEVERE, pts_seconds=417.28, index=5)), {})
        assert got.headline_grade is None
        assert "0.88" not in got.headline
        assert got.rows[0].name == "v.mp4, 00:06:57.280"


class TestFindings:
    def test_reader_is_first_and_has_not_read(self) -> None:
        got = build(run_of(frame("a", *SEVERE)), {})
        assert got.findings[0] == content.Fact("Reader MES (worst segment)", "not yet read")
        assert "never the conclusion" in got.statement
        assert "not signed" in got.status

    def test_coarse_answer_follows_the_threshold_not_the_grade(self) -> None:
        low = build(run_of(frame("a", *MILD, active=False)), {})
        assert value(low.findings, "Coarse answer").startswith("not active (MES 0–1); highest P(active) 0.10")
        high = build(run_of(frame("a", *MILD, active=True), frame("b", *NORMAL)), {})
        assert value(high.findings, "Coarse answer").startswith("active (MES 2–3)")
        assert "threshold 0.310" in value(high.findings, "Coarse answer")
        assert value(high.findings, "Look again") == (
            "a: P(active) 0.10 passes the conservative threshold although the most probable grade is below 2."
        )
        missed = build(run_of(frame("a", *MODERATE, active=False)), {})
        assert value(missed.findings, "Look again") == (
            "the most probable grade is 2, yet P(active) stays below the conservative threshold."
        )

    def test_answers_that_agree_need_no_second_look(self) -> None:
        got = build(run_of(frame("a", *MODERATE)), {})
        assert "Look again" not in [fact.label for fact in got.findings]

    def test_close_call_to_a_higher_grade_elsewhere_is_named(self) -> None:
        others = frame("c.jpg", 0.2, 0.2, 0.35, 0.25), frame("b.jpg", 0.0, 0.1, 0.46, 0.44)
        got = build(run_of(frame("a", *MODERATE), *others), {})
        assert value(got.findings, "Look again") == "b.jpg comes close to MES 3 (0.44)."

    def test_continuous_range(self) -> None:
        got = build(run_of(frame("a", *NORMAL), frame("b", *SEVERE), rejected("c")), {})
        assert value(got.findings, "Continuous score") == "0.12 to 2.86 of 3, over 2 scored stills"
        assert value(build(run_of(frame("a", *NORMAL)), {}).findings, "Continuous score") == "0.12 of 3"


class TestPage:
    def test_patient_is_not_required(self) -> None:
        assert value(build(run_of(), {}).identity, "Patient") == "not given"
        named = run_of(case=Case("환자 7"))
        assert value(build(named, {}).identity, "Patient") == "환자 7"

    def test_synthetic_is_said_everywhere(self) -> None:
        run = run_of(frame("a", *MILD), case=Case("demo", synthetic=True))
        got = build(run, {("a", 0): np.zeros((4, 5, 3), np.uint8)})
        assert value(got.identity, "Patient") == "SYNTHETIC SAMPLE, not a patient (demo)"
        assert "SYNTHETIC SAMPLE, not a patient" in got.notices
        assert "drawn by a program" in got.pictures_note

    @pytest.mark.parametrize(
        ("read", "expected", "mark"),
        [
            (5, 12, "INCOMPLETE 41 %"),
            (0, 12, "INCOMPLETE 0 %"),
            (199, 200, "INCOMPLETE 99 %"),
            (12, 12, "INCOMPLETE"),
            (0, 0, "INCOMPLETE"),
        ],
    )
    def test_partial_run(self, read: int, expected: int, mark: str) -> None:
        frames = [frame(f"{k}", *MILD) for k in range(read)]
        got = build(run_of(*frames, complete=False, expected=expected), {})
        assert got.incomplete == mark
        assert got.notices == (mark,)
        assert ("before all heatmaps were drawn" in got.incomplete_detail) == (0 < read == expected)
        assert ("was stopped" in got.incomplete_detail) == (not 0 < read == expected)

    def test_every_picture_of_a_file_counts(self) -> None:
        frames = [frame("a.gif", *MILD, index=k) for k in range(3)]
        got = build(run_of(*frames, complete=False, expected=4), {})
        assert got.incomplete == "INCOMPLETE 75 %"
        assert [row.name for row in got.rows] == ["a.gif", "a.gif, frame 1", "a.gif, frame 2"]

    def test_the_legend_says_what_the_probabilities_are_calibrated_on(self) -> None:
        note = build(run_of(frame("a", *MILD)), {}).rows_note
        assert "calibrated out of fold on MES 1 to 3, every grade weighing the same" in note
        assert "MES 0 is a surrogate: its probability is not calibrated on patients" in note

    def test_complete_run_has_no_mark(self) -> None:
        got = build(run_of(frame("a", *MILD)), {})
        assert (got.incomplete, got.incomplete_detail, got.notices) == ("", "", ())

    def test_counts_are_absolute_and_no_share_is_printed(self) -> None:
        frames = [frame("a", *MILD), frame("b", *MILD), frame("c", *SEVERE), rejected("d")]
        got = build(run_of(*frames), {})
        assert [(c.grade, c.count) for c in got.counts] == [(0, 0), (1, 2), (2, 0), (3, 1)]
        assert got.not_scored == 1
        assert "%" not in repr([got.headline, got.findings, got.identity, got.counts, got.rows])

    def test_rows(self) -> None:
        got = build(run_of(frame("a", *MODERATE), rejected("b", "blurred\x07")), {})
        first, second = got.rows
        assert first.probabilities == ("0.05", "0.10", "0.71", "0.14")
        assert (first.grade, first.p_active, first.active, first.continuous) == (2, "0.85", "yes", "1.94")
        assert second == content.Row(name="b", reason="blurred\ufffd")

    def test_rows_beyond_the_limit_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(content, "MAX_ROWS", 3)
        lost = tuple(Unreadable(f"u{k}", "empty file") for k in range(4))
        got = build(run_of(*(frame(f"{k}", *MILD) for k in range(5)), unreadable=lost), {})
        assert (len(got.rows), len(got.unreadable)) == (3, 3)
        assert got.rows_note.endswith("2 further frames are listed in frames.csv.")
        assert got.unreadable_note == "1 further files are listed in summary.json."

    def test_report_id_depends_on_inputs_and_not_on_the_patient(self) -> None:
        run = run_of(frame("a", *MILD))
        name = build(run, {}).report_id
        assert build(dataclasses.replace(run, case=Case("Jane Doe")), {}).report_id == name
        assert build(run_of(frame("b", *MILD)), {}).report_id != name


class TestPictures:
    PICTURE = np.full((6, 8, 3), 7, np.uint8)

    def test_caption(self) -> None:
        run = run_of(frame("c/01.jpg", *MODERATE), frame("d", 0.05, 0.41, 0.46, 0.08))
        got = build(run, {("c/01.jpg", 0): self.PICTURE, ("d", 0): self.PICTURE})
        assert [p.caption for p in got.pictures] == [
            "c/01.jpg, AI 2 (0.71), active 0.85",
            "d, AI 1–2, close call, active 0.54",
        ]

    def test_frame_of_the_result_line_leads(self) -> None:
        # "high" has the higher grade, "sum" the higher continuous score.
        run = run_of(frame("sum", 0.0, 0.0, 0.51, 0.49), frame("high", 0.3, 0.1, 0.1, 0.5))
        got = build(run, {(r.source_file, 0): self.PICTURE for r in run.results})
        assert [p.name for p in got.pictures] == ["high", "sum"]

    def test_frames_without_a_picture_and_pictures_without_a_score_are_left_out(self) -> None:
        run = run_of(frame("a", *MILD), frame("b", *MILD), rejected("c"))
        got = build(run, {("b", 0): self.PICTURE, ("c", 0): self.PICTURE, ("ghost", 0): self.PICTURE})
        assert [p.name for p in got.pictures] == ["b"]

    def test_heatmap_is_an_optional_twin_with_a_caveat(self) -> None:
        run = run_of(frame("a", *MILD))
        plain = build(run, {("a", 0): self.PICTURE}, {})
        assert plain.pictures[0].heatmap is None
        assert plain.pictures_note == ""
        twin = build(run, {("a", 0): self.PICTURE}, {("a", 0): self.PICTURE})
        assert twin.pictures[0].heatmap is self.PICTURE
        assert "no outline of disease" in twin.pictures_note

    @pytest.mark.parametrize(
        "picture",
        [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)],
        ids=["grey", "float", "empty"],
    )
    def test_a_picture_of_another_form_is_named(self, picture: np.ndarray) -> None:
        with pytest.raises(ValueError, match=r"a\.jpg: RGB uint8"):
            build(run_of(frame("a.jpg", *MILD)), {("a.jpg", 0): picture})


def reading_of(**frames: FrameReading) -> Reading:
    return Reading({(name, 0): said for name, said in frames.items()})


class TestReader:
    RUN = run_of(frame("a", *MILD), frame("b", *MODERATE), frame("c", *SEVERE), rejected("d"))
    PICTURES: ClassVar = {(name, 0): np.full((6, 8, 3), 7, np.uint8) for name in "abcd"}

    def test_the_readers_worst_segment_leads_and_the_ai_stands_second(self) -> None:
        said = reading_of(
            a=FrameReading(grade=2, segment=Segment.SIGMOID), b=FrameReading(grade=1, segment=Segment.RECTUM)
        )
        got = build(self.RUN, {}, reading=said)
        assert got.headline == "Reader: highest MES 2 (moderate), sigmoid colon"
        assert (got.headline_grade, got.mark) == (2, "Draft, not signed")
        assert got.ai_line == "AI: highest MES among the scored stills: 3 (severe), probability 0.88"
        assert got.ai_grade == 3
        assert value(got.findings, "Agreement") == "2 pictures graded by AI and reader: 0 agree, 2 differ"
        assert value(got.findings, "Reader MES (worst segment)").endswith("; 2 of 4 pictures read")

    @pytest.mark.parametrize(
        ("count", "where"), [(0, "no segment given"), (3, "transverse"), (4, "4 segments")]
    )
    def test_many_segments_are_counted_in_the_result_line(self, count: int, where: str) -> None:
        frames = [frame(f"{k}", *MILD) for k in range(max(count, 1))]
        tags = [*list(Segment)[:count], None]
        said = {r.key: FrameReading(grade=3, segment=tag) for r, tag in zip(frames, tags, strict=False)}
        assert where in build(run_of(*frames), {}, reading=Reading(said)).headline

    def test_unread_reports_are_as_before(self) -> None:
        got = build(self.RUN, {})
        assert got.headline.startswith("AI: ")
        assert (got.mark, got.ai_line, got.segments, got.remarks, got.comment) == ("", "", (), (), ())
        assert "MES definition" not in [fact.label for fact in got.provenance]

    def test_what_the_reader_rejected_counts_nowhere(self) -> None:
        got = build(self.RUN, {}, reading=reading_of(c=FrameReading(grade=3, rejected=True)))
        assert got.headline == "AI: highest MES among the scored stills: 2 (moderate), probability 0.71"
        assert [c.count for c in got.counts] == [0, 1, 1, 0]
        assert (got.rejected, got.not_scored) == (1, 1)
        assert got.rows[2].rejected == "rejected by reader; AI 3 (0.88)"
        assert got.rows[2].grade is None
        whole = {(name, 0): FrameReading(rejected=True) for name in "abcd"}
        assert build(self.RUN, {}, reading=Reading(whole)).headline_grade is None

    def test_segments_without_frames_are_left_out_and_no_grade_is_not_zero(self) -> None:
        said = reading_of(
            b=FrameReading(grade=1, segment=Segment.RECTUM), d=FrameReading(segment=Segment.SIGMOID)
        )
        got = build(self.RUN, {}, reading=said)
        rows = [(r.name, r.frames, r.scored, r.rejected, r.ai, r.reader) for r in got.segments]
        assert rows == [
            ("sigmoid colon", 1, 0, 1, None, None),
            ("rectum", 1, 1, 0, 2, 1),
            ("no segment given", 2, 2, 0, 3, None),
        ]

    def test_a_recording_gets_no_raw_maximum_per_segment(self) -> None:
        run = run_of(frame("v", *SEVERE, pts_seconds=1.0))
        said = reading_of(v=FrameReading(segment=Segment.RECTUM))
        assert [row.ai for row in build(run, {}, reading=said).segments] == [None]

    def test_remarks_hold_overrides_reasons_and_comments_only(self) -> None:
        said = reading_of(
            a=FrameReading(grade=1),
            b=FrameReading(grade=3, reason="severity underestimated"),
            c=FrameReading(comment="one\n\ntwo\x00"),
            d=FrameReading(grade=2, comment=" "),
        )
        got = build(self.RUN, {}, reading=said).remarks
        assert [(r.name, r.ai, r.reader, r.reason, r.comment) for r in got] == [
            ("b", "2", "3", "severity underestimated", ()),
            ("c", "3", "", "", ("one", "two\ufffd")),
        ]

    def test_captions_name_segment_and_reader(self) -> None:
        said = reading_of(
            b=FrameReading(grade=2, segment=Segment.SIGMOID, key_image=True),
            d=FrameReading(key_image=True),
            a=FrameReading(grade=1, rejected=True, key_image=True),
        )
        got = build(self.RUN, self.PICTURES, reading=said)
        assert [(p.caption, p.grade) for p in got.pictures] == [
            ("a, AI 1 (0.80), rejected by reader", None),
            ("sigmoid colon, b, AI 2 (0.71), reader 2", 2),
            ("d, not scored", None),
        ]

    def test_printed_frames(self) -> None:
        def names(said: Reading) -> list[str]:
            return [r.source_file for r in printed_frames(self.RUN, said)]

        assert names(Reading()) == [r.source_file for r in key_frames(self.RUN)]
        assert names(reading_of(c=FrameReading(rejected=True))) == ["b", "a"]
        assert names(reading_of(d=FrameReading(key_image=True), a=FrameReading(key_image=True))) == ["a", "d"]

    def test_case_details_are_printed_where_given(self) -> None:
        case = Case("7", False, "Çağrı", "1980", "2025-06-01", "김서연", "flare\n")
        got = build(run_of(case=case), {})
        assert value(got.identity, "Patient") == "Çağrı"
        assert [f.value for f in got.details] == ["7", "1980", "2025-06-01", "김서연"]
        assert got.indication == (content.Fact("Indication", "flare"),)
        assert build(run_of(case=Case("7")), {}).details == ()

    @pytest.mark.parametrize(("key", "words"), [("trial", "Trial variant"), ("own rule", "own rule")])
    def test_the_definition_is_named(self, key: str, words: str) -> None:
        facts = build(self.RUN, {}, reading=Reading(definition=key)).provenance
        assert value(facts, "MES definition").startswith(words)

    def test_report_id_depends_on_the_reading(self) -> None:
        names = {
            build(self.RUN, {}, reading=said).report_id
            for said in (Reading(), Reading(comment="x"), reading_of(a=FrameReading(grade=1)))
        }
        assert len(names) == 3


class TestKeyFrames:
    def test_empty_and_unscored(self) -> None:
        assert key_frames(run_of()) == ()
        assert key_frames(run_of(rejected("a"))) == ()
        assert key_frames(run_of(frame("a", *MILD)), limit=0) == ()

    def test_few_frames_are_all_shown(self) -> None:
        run = run_of(frame("a", *MILD), frame("b", *SEVERE), frame("c", *NORMAL))
        assert [r.source_file for r in key_frames(run)] == ["b", "a", "c"]

    def test_severe_frames_lead_and_other_grades_are_represented(self) -> None:
        frames = [frame(f"s{k:02d}", 0.0, 0.01 * k, 0.2, 0.8 - 0.01 * k) for k in range(0, 30, 3)]
        frames += [frame("mild", *MILD), frame("normal", *NORMAL)]
        got = [r.source_file for r in key_frames(run_of(*frames))]
        assert len(got) == 6
        assert got[0] == "s00"
        assert {"mild", "normal"} < set(got)

    def test_a_burst_of_one_spot_does_not_fill_the_page(self) -> None:
        burst = [frame(f"burst{k}", 0.0, 0.0, 0.1 + k / 1000, 0.9 - k / 1000) for k in range(8)]
        others = [frame(f"other{k}", 0.0, 0.1, 0.7 - k / 10, 0.2 + k / 10) for k in range(3)]
        got = [r.source_file for r in key_frames(run_of(*burst, *others))]
        assert sum(name.startswith("burst") for name in got) == 3
        assert {"other0", "other1", "other2"} < set(got)

    def test_near_frames_fill_up_to_four(self) -> None:
        run = run_of(*(frame(f"{k}", *SEVERE) for k in range(3)))
        assert len(key_frames(run)) == 3

    def test_copies_of_one_file_are_shown_once(self) -> None:
        run = run_of(*(frame(f"copy{k}", *SEVERE, source_sha256="ab" * 32) for k in range(5)))
        assert [r.source_file for r in key_frames(run)] == ["copy0"]

    @given(
        st.lists(st.lists(st.integers(1, 20), min_size=4, max_size=4), max_size=30),
        st.integers(0, 8),
    )
    def test_choice_is_bounded_unique_repeatable_and_leads_with_the_worst(
        self, weights: list[list[int]], limit: int
    ) -> None:
        run = run_of(*(frame(f"{k}", *(w / sum(ws) for w in ws)) for k, ws in enumerate(weights)))
        got = key_frames(run, limit)
        assert got == key_frames(run, limit)
        assert len(got) <= limit
        assert len({r.source_file for r in got}) == len(got)
        if got:
            assert got[0].scores.grade == max(r.scores.grade or 0 for r in run.results)
        if len(weights) >= 4 and limit >= 4:
            assert len(got) >= 4


class TestProvenance:
    def test_what_the_run_says_is_printed(self) -> None:
        facts = build(run_of(frame("a", *MILD)), {}).provenance
        assert value(facts, "Application") == "UC Viewer 9.8.7"
        assert value(facts, "Weights SHA-256") == "0123456789ab"
        assert value(facts, "Training data") == "a data set"
        assert value(facts, "Inputs") == "1 file found, manifest SHA-256 fedcba987654"
        assert value(facts, "Device") == "cpu (no GPU found)"
        assert value(facts, "Thresholds") == "active 0.31, sensitivity 0.95"
        assert value(facts, "Timing") == "6.0 s (load seconds 0.5)"

    def test_what_the_run_does_not_say_is_said_to_be_missing(self) -> None:
        got = build(run_of(provenance={}, started="", finished="yesterday"), {})
        assert value(got.provenance, "Weights SHA-256") == origin.NOT_RECORDED
        assert value(got.provenance, "Timing") == origin.NOT_RECORDED
        assert got.limits == ()
        assert got.app == "UC Viewer"

    @pytest.mark.parametrize("form", [{"model": "m"}, {"model": {"training": "text"}}, {"thresholds": []}])
    def test_other_forms_do_not_break_the_report(self, form: dict[str, Any]) -> None:
        assert build(run_of(frame("a", *MILD), provenance=form), {}).provenance

    def test_limits_come_from_the_model(self) -> None:
        assert build(run_of(), {}).limits == ("First limit.", "Second limit.")


class TestWording:
    def test_controls_and_direction_marks_become_visible(self) -> None:
        assert wording.printable("a\x00b\u202egpj.exe\udcff") == "a\ufffdb\ufffdgpj.exe\ufffd"
        assert wording.printable(" a\tb\n\u2028c ") == "a b  c"

    def test_a_free_text_keeps_its_breaks_and_loses_nothing(self) -> None:
        assert wording.paragraphs("a\r\n\n  b\u2028c") == ("a", "b", "c")
        assert wording.paragraphs(" \n ") == ()
        long = wording.paragraphs("word " * 2000)
        assert " ".join(long).split() == ["word"] * 2000
        assert max(map(len, long)) <= wording.PIECE
        assert "".join(wording.paragraphs("x" * 5000)) == "x" * 5000

    def test_breaks_alone_do_not_fill_pages(self) -> None:
        got = wording.paragraphs("a\n" * 1000)
        assert len(got) <= wording.LINES + 2
        assert "".join(got).count("a") == 1000

    def test_decomposed_names_are_composed(self) -> None:
        assert wording.printable("\u1112\u1161\u11ab") == "한"
        assert wording.printable("S\u0327") == "Ş"

    def test_a_megabyte_of_name_is_cut_in_the_middle(self) -> None:
        got = wording.printable("a" * 1_000_000 + ".jpg")
        assert len(got) == 300
        assert got.endswith("a.jpg")
        assert "…" in got

    @given(st.text(), st.integers(1, 40))
    def test_printable_is_short_and_one_visible_line(self, text: str, limit: int) -> None:
        got = wording.printable(text, limit)
        assert len(got) <= limit
        assert got == "" or got.isprintable()

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.04, "0.0 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7380, "2 h 03 min")],
    )
    def test_duration(self, seconds: float, text: str) -> None:
        assert wording.duration(seconds) == text

    def test_moment(self) -> None:
        assert wording.moment("2025-06-01T10:22:03+02:00") == "2025-06-01 10:22 +02:00"
        assert wording.moment("2025-06-01T10:22:03") == "2025-06-01 10:22"
        assert wording.moment("no time\n") == "no time"
