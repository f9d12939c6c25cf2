"""What a report derives from the reader's grades of segments: the reader's alone, and no made-up 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from recorded_runs import recorded, run_of, still, withdrawal

from uc_viewer.case import FrameReading, FrameResult, Reading, Segment
from uc_viewer.clips import key_frames
from uc_viewer.derived import montreal, pan_mayo
from uc_viewer.report import heatmaps, pdf, pdf_fonts, pdf_tables, tables
from uc_viewer.report.content import ReportContent, build
from uc_viewer.report.reader_part import NOT_LISTED
from uc_viewer.spreadsheet import guard

EXTENT, TARGET = "Extent, this examination", "STRIDE-II endoscopic target"
PAN_MAYO, SEGMENTS = "panMayo", "Segments graded"
DERIVED = (EXTENT, TARGET, PAN_MAYO, SEGMENTS)

Said = tuple[Segment | None, int | None]

THREE = ((Segment.DESCENDING, 1), (Segment.SIGMOID, 2), (Segment.RECTUM, 2))
FIVE = ((Segment.ASCENDING, 0), (Segment.TRANSVERSE, 0), *THREE)


def read(said: Iterable[Said], ai: int = 3) -> ReportContent:
    """The report of a still for each segment and reader's grade; the AI says ``ai`` of every one."""
    tags = list(said)
    frames: list[FrameResult] = [still(f"{k}.jpg", ai) for k in range(len(tags))]
    readings = {
        frame.key: FrameReading(grade=grade, segment=segment)
        for frame, (segment, grade) in zip(frames, tags, strict=True)
    }
    return build(run_of(frames), {}, reading=Reading(readings))


def derived(got: ReportContent) -> dict[str, str]:
    return {fact.label: fact.value for fact in got.findings if fact.label in DERIVED}


def whole(text: str) -> list[Said]:
    """``"-01223"``: caecum to rectum, ``-`` where there is no picture, ``?`` where one was not graded."""
    signs = zip(Segment, text, strict=True)
    return [(segment, None if sign == "?" else int(sign)) for segment, sign in signs if sign != "-"]


class TestLines:
    def test_three_segments(self) -> None:
        assert derived(read(THREE)) == {
            EXTENT: "Montreal at least E2, left-sided colitis (suggestion, for the reader to accept)",
            TARGET: "not reached (MES 2)",
            PAN_MAYO: "not computed: no grade in 2 of its 5 segments",
            SEGMENTS: "3 of 6; not examined, which is not MES 0: caecum, ascending, transverse",
        }

    def test_five_segments(self) -> None:
        assert derived(read(FIVE)) == {
            EXTENT: "Montreal E2, left-sided colitis (suggestion, for the reader to accept)",
            TARGET: "not reached (MES 2)",
            PAN_MAYO: "13 of 45",
            SEGMENTS: "5 of 6; not examined, which is not MES 0: caecum",
        }

    def test_all_six_need_no_word_on_what_is_missing(self) -> None:
        assert SEGMENTS not in derived(read(whole("000112")))

    def test_order_on_the_page(self) -> None:
        labels = [fact.label for fact in read(THREE).findings]
        assert labels[:6] == ["Reader MES (worst segment)", "Agreement", *DERIVED]
        assert labels[6] == "Coarse answer"

    def test_the_worst_grade_of_a_segment_counts(self) -> None:
        got = derived(read([*FIVE, (Segment.TRANSVERSE, 3), (Segment.TRANSVERSE, 1)]))
        assert got[PAN_MAYO] == "22 of 45"
        assert got[EXTENT].startswith("Montreal E3")

    @pytest.mark.parametrize(
        ("grades", "told"),
        [
            ("000000", "reached (MES 0)"),
            ("-00000", "reached (MES 0), in what was graded"),
            ("000001", "minimum reached (MES ≤ 1), MES 0 not reached"),
            ("--00?1", "minimum reached (MES ≤ 1), MES 0 not reached, in what was graded"),
            ("-----3", "not reached (MES 3)"),
        ],
    )
    def test_target(self, grades: str, told: str) -> None:
        assert derived(read(whole(grades)))[TARGET] == told

    def test_no_inflamed_segment_suggests_no_extent(self) -> None:
        got = derived(read(whole("----?0")))
        assert got[EXTENT] == "none suggested: no inflamed segment among those graded"

    def test_a_recording_has_them_too(self) -> None:
        run, said = withdrawal()
        got = derived(build(run, {}, reading=said))
        assert got[EXTENT].startswith("Montreal at least E2")
        assert got[SEGMENTS] == "4 of 6; tagged, but not graded: ascending, descending"

    def test_frames_of_a_recording_are_not_called_pictures(self) -> None:
        frames = recorded("v.mp4", [(20, 1)])
        said = {frames[0].key: FrameReading(grade=0), frames[9].key: FrameReading(1, segment=Segment.RECTUM)}
        told = derived(build(run_of(frames), {}, reading=Reading(said)))[SEGMENTS]
        assert told.endswith("; 1 frame graded without a segment (highest MES 0), for the target only")


class TestTheReaderAlone:
    @given(st.text("-?0123", min_size=6, max_size=6), st.integers(0, 3))
    def test_the_models_grades_never_enter(self, grades: str, ai: int) -> None:
        first, second = read(whole(grades), ai), read(whole(grades), 3)
        assert derived(first) == derived(second)
        assert first.segments_note == second.segments_note

    def test_rejected_frames_count_nowhere(self) -> None:
        frames = [still("a.jpg", 1), still("b.jpg", 1)]
        said = {
            frames[0].key: FrameReading(grade=1, segment=Segment.RECTUM),
            frames[1].key: FrameReading(grade=3, segment=Segment.TRANSVERSE, rejected=True),
        }
        got = derived(build(run_of(frames), {}, reading=Reading(said)))
        assert got[EXTENT].startswith("Montreal at least E1")
        assert got[TARGET].startswith("minimum reached")
        assert got[SEGMENTS].endswith("sigmoid; tagged, but not graded: transverse")

    @pytest.mark.parametrize(
        "said",
        [
            [],
            [(None, 2), (None, 0)],
            [(Segment.RECTUM, None)],
            [(Segment.RECTUM, None), (None, 3)],
        ],
        ids=["nothing", "no tag", "no grade", "a grade beside a tag"],
    )
    def test_nothing_is_derived_without_a_graded_segment(self, said: list[Said]) -> None:
        assert derived(read(said)) == {}

    def test_the_mmes_is_left_out_while_no_extent_can_be_given(self) -> None:
        assert "MMES" not in repr(read(whole("012321")))


class TestGaps:
    def test_tagged_and_not_graded_is_not_called_unexamined(self) -> None:
        got = derived(read(whole("---?21")))
        assert got[SEGMENTS] == (
            "2 of 6; not examined, which is not MES 0: caecum, ascending, transverse; "
            "tagged, but not graded: descending"
        )
        assert got[PAN_MAYO] == "not computed: no grade in 3 of its 5 segments"

    def test_grades_without_a_segment_are_told(self) -> None:
        got = derived(read([*FIVE, (None, 2), (None, 0), (None, None)]))
        assert got[SEGMENTS] == (
            "5 of 6; not examined or not tagged, which is not MES 0: caecum; "
            "2 pictures graded without a segment (highest MES 2), for the target only"
        )
        assert got[EXTENT].startswith("Montreal at least E2")
        assert got[PAN_MAYO] == "13 of 45"

    @pytest.mark.parametrize(("loose", "least"), [(None, ""), (0, ""), (1, "at least ")])
    def test_inflammation_that_nobody_placed_may_lie_farther_up(self, loose: int | None, least: str) -> None:
        got = derived(read([*FIVE, (None, loose)]))
        assert got[EXTENT].startswith(f"Montreal {least}E2")
        assert "not examined or not tagged, which is not MES 0: caecum" in got[SEGMENTS]

    def test_the_target_follows_the_result_line(self) -> None:
        got = read([(Segment.RECTUM, 0), (None, 3)])
        assert got.headline_grade == 3
        assert derived(got)[TARGET] == "not reached (MES 3)"

    def test_a_sum_that_leaves_out_the_highest_grade_is_not_given(self) -> None:
        got = derived(read([*FIVE, (None, 3)]))
        assert got[PAN_MAYO] == "not computed: the highest grade, MES 3, has no segment"

    def test_nothing_lies_beyond_an_extensive_colitis(self) -> None:
        assert derived(read([*whole("002222"), (None, 3)]))[EXTENT].startswith("Montreal E3")

    @given(st.text("-?0123", min_size=6, max_size=6), st.none() | st.integers(0, 3))
    def test_every_segment_without_a_grade_is_named(self, grades: str, loose: int | None) -> None:
        said = whole(grades)
        got = derived(read([*said, (None, loose)]))
        known = {segment for segment, grade in said if grade is not None}
        assert len(got) == (4 if len(known) < 6 or loose is not None else 3) * bool(known)
        if known:
            told = got.get(SEGMENTS, "")
            assert {s for s in Segment if s.value.removesuffix(" colon") in told} == set(Segment) - known
            assert "examined" not in got[TARGET] + got[PAN_MAYO]


class TestNotes:
    def test_they_stand_below_the_segments_and_the_extent_points_there(self) -> None:
        got = read(whole("200011"))
        assert derived(got)[EXTENT] == (
            "Montreal E3, extensive colitis (suggestion, for the reader to accept; see Segments)"
        )
        assert derived(got)[PAN_MAYO] == "8 of 45"
        assert "may be a caecal patch" in got.segments_note
        assert "Not continuous: MES 0 in descending colon" in got.segments_note
        assert got.segments_note.endswith(NOT_LISTED)

    def test_no_note_is_pointed_to_where_there_is_none(self) -> None:
        got = read(THREE)
        assert "see Segments" not in derived(got)[EXTENT]
        assert got.segments_note == NOT_LISTED

    @given(st.text("-?0123", min_size=6, max_size=6))
    def test_no_note_of_a_score_is_lost(self, grades: str) -> None:
        said = whole(grades)
        got = read(said)
        notes = {*pan_mayo(dict(pairs(said))).notes, *montreal(dict(pairs(said))).notes}
        assert all(note in got.segments_note for note in notes)


def pairs(said: Sequence[Said]) -> Iterable[tuple[Segment, int | None]]:
    return ((segment, grade) for segment, grade in said if segment is not None)


class TestPaper:
    @pytest.mark.parametrize("said", [THREE, FIVE], ids=["three", "five"])
    @pytest.mark.parametrize("page", ["A4", "Letter"])
    def test_each_takes_one_line(self, said: tuple[Said, ...], page: str) -> None:
        pdf_fonts.register()
        space = pdf.PAGE_SIZES[page][0] - 2 * pdf.MARGIN
        facts = [fact for fact in read(said).findings if fact.label in DERIVED]
        assert len(facts) == 4
        _, high = pdf_tables.facts(facts, space, pdf_tables.BODY).wrap(space, 1000)
        assert high == pytest.approx(4 * (pdf_tables.BODY.leading + 2))

    @pytest.mark.parametrize("page", ["A4", "Letter"])
    def test_the_first_page_has_them(self, page: str, tmp_path: Path) -> None:
        pdf.write(read(whole("-00?12")), tmp_path / "report.pdf", page)
        text = " ".join(PdfReader(tmp_path / "report.pdf").pages[0].extract_text().split())
        assert "Montreal E2, left-sided colitis (suggestion, for the reader to accept)" in text
        assert "STRIDE-II endoscopic target not reached (MES 2)" in text
        assert "panMayo not computed: no grade in 1 of its 5 segments" in text
        assert "tagged, but not graded: descending" in text


def test_free_text_is_guarded_in_one_place() -> None:
    for module in (tables, heatmaps, key_frames):
        assert vars(module)["guard"] is guard
