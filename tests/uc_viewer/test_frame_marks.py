"""What is said of a frame: its own answer, or an older one with the time of that; never one for the other."""

from __future__ import annotations

import numpy as np
import pytest

from mtl_core.scores import FrameScores
from uc_viewer.case import FrameKey, FrameReading, FrameResult, Reading, Segment
from uc_viewer.clips import mark_drawing
from uc_viewer.clips.frame_marks import AI, READER, FrameMarks, Mark, Marker
from uc_viewer.clips.mark_drawing import Band, chip, fit, width
from uc_viewer.grades import MES
from uc_viewer.sources.base import Frame

NAME = "colon.mp4"
FPS = 25
MODERATE = FrameScores((0.05, 0.10, 0.71, 0.14), 0.85, True)
CLOSE = FrameScores((0.02, 0.08, 0.42, 0.48), 0.9, True)
DARK = FrameScores.rejected("too dark")


def frame(index: int, *, name: str = NAME, timed: bool = True) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), name, "ab" * 32, index, index / FPS if timed else None)


def results(*pairs: tuple[int, FrameScores], timed: bool = True) -> dict[FrameKey, FrameResult]:
    return {
        (NAME, index): FrameResult(NAME, "ab" * 32, index, index / FPS if timed else None, scores)
        for index, scores in pairs
    }


def said(
    found: dict[FrameKey, FrameResult],
    readings: dict[int, FrameReading] | None = None,
    *,
    remarks: bool = True,
) -> Marker:
    reading = Reading({(NAME, index): one for index, one in (readings or {}).items()})
    return Marker(found, reading, lambda segment: segment.value, remarks=remarks)


class TestModel:
    def test_its_own_answer(self) -> None:
        marks = said(results((87, MODERATE))).of(frame(87))
        assert marks.ai == Mark(AI, (2,), "moderate (0.71)")
        assert not marks.ai.held
        assert marks.time == "00:00:03.480"

    def test_a_close_call_names_both(self) -> None:
        assert said(results((0, CLOSE))).of(frame(0)).ai == Mark(AI, (2, 3), "counts as 3, close call")

    def test_a_rejected_frame_says_why(self) -> None:
        assert said(results((0, DARK))).of(frame(0)).ai == Mark(AI, (), "not scored", more="too dark")

    def test_between_two_answers_the_last_one_is_said_with_its_own_time(self) -> None:
        marker = said(results((87, MODERATE), (100, CLOSE)))
        for index in (88, 99):
            assert marker.of(frame(index)).ai == Mark(AI, (2,), "moderate (0.71)", "at 00:03.480")
        assert marker.of(frame(100)).ai.grades == (2, 3)

    def test_a_rejection_is_the_last_answer_too(self) -> None:
        marker = said(results((0, MODERATE), (12, DARK), (24, MODERATE)))
        assert marker.of(frame(13)).ai == Mark(AI, (), "not scored", "at 00:00.480", "too dark")

    @pytest.mark.parametrize("index", [0, 49, 101, 500])
    def test_before_the_first_and_after_the_last_answer_nothing_is_held(self, index: int) -> None:
        marker = said(results((50, MODERATE), (100, MODERATE)))
        assert marker.of(frame(index)).ai == Mark(AI, (), "not scored")

    def test_an_old_answer_is_held_no_longer(self) -> None:
        marker = said(results((0, MODERATE), (1000, MODERATE)))
        assert marker.of(frame(125)).ai.held
        assert marker.of(frame(126)).ai == Mark(AI, (), "not scored")

    def test_another_file_says_nothing(self) -> None:
        marker = said(results((0, MODERATE), (10, MODERATE)))
        assert marker.of(frame(5, name="other.mp4")).ai == Mark(AI, (), "not scored")

    def test_frames_without_times_are_named_by_number(self) -> None:
        marks = said(results((3, MODERATE), (9, DARK), timed=False)).of(frame(4, timed=False))
        assert (marks.time, marks.ai.when) == ("frame 4", "at frame 3")

    def test_hours_are_said_where_there_are_some(self) -> None:
        later = results((FPS * 3601, MODERATE), (FPS * 3602, MODERATE))
        assert said(later).of(frame(FPS * 3601 + 1)).ai.when == "at 01:00:01.000"


class TestReader:
    def test_beside_the_model(self) -> None:
        marker = said(results((0, MODERATE), (12, DARK)), {0: FrameReading(1, comment="hafif\nkızarıklık")})
        assert marker.of(frame(0)).reader == Mark(READER, (1,), "mild", more="hafif kızarıklık")
        assert marker.of(frame(5)).reader == Mark(READER, (1,), "mild", "at 00:00.000", "hafif kızarıklık")
        assert marker.of(frame(12)).reader is None
        assert marker.of(frame(13)).reader is None

    def test_rejecting(self) -> None:
        marker = said(results((0, MODERATE), (12, DARK)), {0: FrameReading(2, rejected=True)})
        assert marker.of(frame(0)).reader == Mark(READER, (), "rejected this frame")
        assert marker.of(frame(1)).reader == Mark(READER, (), "rejected a frame", "at 00:00.000")

    def test_a_frame_the_model_was_not_asked_about(self) -> None:
        marker = said(results((0, MODERATE), (12, MODERATE)), {5: FrameReading(3)})
        marks = marker.of(frame(5))
        assert marks.reader == Mark(READER, (3,), "severe")
        assert marks.ai.when == "at 00:00.000"
        assert marker.of(frame(6)).reader is None

    def test_remarks_can_be_left_out(self) -> None:
        readings = {0: FrameReading(comment="Bay Yılmaz"), 5: FrameReading(1, comment="Bay Yılmaz")}
        marker = said(results((0, DARK), (5, DARK)), readings, remarks=False)
        assert marker.of(frame(0)).reader is None
        assert marker.of(frame(5)).reader == Mark(READER, (1,), "mild")

    def test_a_segment_reaches_to_the_next_frame_with_the_same(self) -> None:
        tags = {0: Segment.SIGMOID, 12: Segment.SIGMOID, 24: Segment.RECTUM}
        readings = {index: FrameReading(segment=segment) for index, segment in tags.items()}
        marker = said(results(*((i, MODERATE) for i in (0, 12, 24, 36))), readings)
        found = [marker.of(frame(i)).segment for i in (0, 6, 12, 18, 24, 30, 36, 40)]
        assert found == ["sigmoid colon", "sigmoid colon", "sigmoid colon", "", "rectum", "", "", ""]

    def test_a_segment_reaches_no_further_than_what_is_known(self) -> None:
        marker = said({}, {index: FrameReading(segment=Segment.RECTUM) for index in (10, 20)})
        assert [marker.of(frame(i)).segment for i in (9, 10, 15, 20, 21)] == ["", *["rectum"] * 3, ""]


def near(picture: np.ndarray, colour: str) -> int:
    """How many pixels have a colour."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(picture.astype(int) - rgb).max(axis=-1) < 12).sum())


def marks(ai: Mark, *, reader: Mark | None = None, segment: str = "") -> FrameMarks:
    return FrameMarks(ai, reader, "00:00:03.480", segment)


class TestBand:
    @pytest.mark.parametrize(("width_", "height"), [(640, 480), (768, 576), (1920, 1080), (500, 480)])
    def test_its_size_follows_the_picture(self, width_: int, height: int) -> None:
        band = Band(width_, height)
        drawn = band.draw(marks(Mark(AI, (2,), "moderate")))
        assert drawn.shape == (band.height, width_, 3)
        assert drawn.dtype == np.uint8
        assert band.height % 2 == 0
        assert 0.1 < band.height / height < 0.2
        assert band.size >= 14

    @pytest.mark.parametrize("value", range(4))
    def test_an_older_answer_is_hollow(self, value: int) -> None:
        own, held = (np.asarray(chip(value, 40, hollow).convert("RGB")) for hollow in (False, True))
        digit = np.s_[5:35, 5:36]
        assert near(own[digit], MES[value].screen) > 0.3 * 30 * 31
        assert near(held[digit], MES[value].screen) == 0
        assert near(held, MES[value].screen) > 100

    def test_grades_are_told_apart_without_colour(self) -> None:
        grey = [np.asarray(chip(value, 40).convert("L")).astype(int)[:, 42:] for value in range(4)]
        edges = [int((np.abs(np.diff(g, axis=1)) > 20).sum()) for g in grey]
        assert edges[0] < min(edges[1:])
        assert len(set(edges)) == 4

    def test_marks_can_be_left_out_but_not_the_foot(self) -> None:
        without, full = Band(768, 576, marks=False), Band(768, 576)
        assert without.height < 0.4 * full.height
        assert (without.draw(None).min(axis=2) > 230).sum() > 100

    def test_what_is_synthetic_is_marked_so(self) -> None:
        plain, marked = (Band(768, 576, synthetic=s).draw(marks(Mark(AI))) for s in (False, True))
        assert (plain[:, 400:] != marked[:, 400:]).any()
        assert (plain[:, :300] == marked[:, :300]).all()

    def test_a_time_is_never_cut(self) -> None:
        long = "normal or inactive, at length, and more of it " * 4
        band = Band(500, 480)
        cut = band.draw(marks(Mark(AI, (0,), long, "at 00:03.480"), segment=long))
        other = band.draw(marks(Mark(AI, (0,), long, "at 00:03.481"), segment=long))
        changed = np.flatnonzero((cut != other).any(axis=(0, 2)))
        assert 0 < changed[-1] - changed[0] < band.size

    @pytest.mark.parametrize("words", ["", "x", "İğne ğüşıöç", "점막 발적", "\U0010ffff\ud800", "a" * 5000])
    def test_any_text_fits(self, words: str) -> None:
        assert width(fit(words, 200, 18), 18) <= 200
        assert fit(words, 0.5, 18) == ""
        assert Band(320, 240).draw(marks(Mark(AI, (1,), words), segment=words)).shape[1] == 320

    def test_hangul_is_drawn_where_the_system_has_a_font_for_it(self) -> None:
        if mark_drawing._font_for("가", str(mark_drawing._dejavu(False))) is None:
            pytest.skip("no font here shows Hangul")
        first, second = (Band(320, 240).draw(marks(Mark(AI), segment=s)) for s in ("가", "힣"))
        assert (first != second).any()
