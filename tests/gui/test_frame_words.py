"""What is said of a frame beside its picture."""

from __future__ import annotations

import pytest

from mtl_core.scores import FrameScores
from uc_viewer.case import FrameReading, FrameResult, Segment
from uc_viewer.gui.widgets.frame_words import badges_between, badges_of, name_of
from uc_viewer.gui.widgets.image_view import Badges

READ = FrameReading(grade=1, segment=Segment.RECTUM, key_image=True, rejected=True)


def result(scores: FrameScores) -> FrameResult:
    return FrameResult("a.mp4", "0" * 64, 25, 1.0, scores)


SURE = result(FrameScores((0.1, 0.1, 0.7, 0.1), 0.8, True))
CLOSE = result(FrameScores((0.05, 0.44, 0.46, 0.05), 0.5, True))
DARK = result(FrameScores.rejected("too dark"))


@pytest.mark.parametrize(
    ("key", "seconds", "name"),
    [
        (("a.mp4", 25), 1.0, "a.mp4, 0:00:01.000"),
        (("a.mp4", 0), 0.0, "a.mp4, 0:00:00.000"),
        (("a.dcm", 3), None, "a.dcm #3"),
        (("a.png", 0), None, "a.png"),
    ],
)
def test_the_name_tells_frames_of_a_file_apart(
    key: tuple[str, int], seconds: float | None, name: str
) -> None:
    assert name_of(key, seconds) == name


def test_a_frame_has_its_own_badges() -> None:
    assert badges_of(SURE, READ) == Badges(
        ai_grade=2, ai_probability=0.7, reader_grade=1, place="rectum", rejected=True, key_image=True
    )
    assert badges_of(DARK, FrameReading()) == Badges(not_scored="too dark")
    assert badges_of(None, FrameReading()) == Badges()
    assert badges_of(CLOSE, FrameReading()).ai_note == "close call 1–2"


def test_between_two_frames_only_the_segment_holds_on_and_the_rest_has_its_time() -> None:
    assert badges_between(SURE, READ, 1.0) == Badges(
        ai_grade=2, ai_probability=0.7, ai_note="at 0:00:01.000", place="rectum"
    )
    assert badges_between(CLOSE, READ, 1.0).ai_note == "at 0:00:01.000, close call 1–2"
    assert badges_between(DARK, READ, 1.0).not_scored == "too dark (at 0:00:01.000)"
