"""What the summary says of an empty, a partial and a whole case, and that its rows can be clicked."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from mtl_core.aggregate import STANDARD
from mtl_core.scores import FrameScores
from uc_viewer.case import FrameReading, FrameResult, Reading, Segment
from uc_viewer.gui.widgets.summary_panel import SegmentRow, SummaryPanel
from uc_viewer.indices import SegmentSummary, Summary, judge, with_judgement

SIGMOID = SegmentSummary(Segment.SIGMOID, 5, 4, 1, 4, 3, 2)
RECTUM = SegmentSummary(Segment.RECTUM, 4, 4, 0, 4, 3, 1)
UNTAGGED = SegmentSummary(None, 1, 0, 1)
WHOLE = Summary(SegmentSummary(None, 10, 8, 2, 8, 3, 2), (SIGMOID, RECTUM, UNTAGGED), 6, 2, 4, 1)
UNREAD = Summary(SegmentSummary(None, 2, 2, 0, 0, 1, None), (SegmentSummary(None, 2, 2, 0, 0, 1, None),))


@pytest.fixture
def panel(qtbot: QtBot) -> SummaryPanel:
    panel = SummaryPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 500)
    panel.show()
    return panel


def rows(panel: SummaryPanel) -> list[SegmentRow]:
    return [row for row in panel.findChildren(SegmentRow) if not row.isHidden()]


@pytest.mark.parametrize(
    ("summary", "done", "total", "hide_ai", "lines"),
    [
        (Summary(), 0, 0, False, ["Nothing to sum up yet"]),
        (
            Summary(),
            0,
            18,
            False,
            ["INCOMPLETE: 0 of 18 looked at", "Nothing to sum up yet"],
        ),
        (Summary(unreadable=3), 3, 3, False, ["3 could not be opened"]),
        (
            WHOLE,
            11,
            11,
            False,
            [
                "worst MES 2, moderate: sigmoid",
                "worst MES 3, severe: sigmoid, rectum",
                "8 read, 6 agree, 2 differ",
                "4 chosen as key images",
                "1 could not be opened",
            ],
        ),
        (
            UNREAD,
            2,
            100_000,
            False,
            [
                "INCOMPLETE: 2 of 100,000 looked at",
                "not read yet",
                "worst MES 1, mild",
                "0 read, 0 agree, 0 differ",
            ],
        ),
        (
            WHOLE,
            11,
            11,
            True,
            [
                "worst MES 2, moderate: sigmoid",
                "hidden while reading blinded",
                "8 read",
                "4 chosen as key images",
                "1 could not be opened",
            ],
        ),
    ],
)
def test_what_is_said(
    panel: SummaryPanel, summary: Summary, done: int, total: int, hide_ai: bool, lines: list[str]
) -> None:
    panel.show_summary(summary, done, total, hide_ai=hide_ai)
    assert panel.text.split("\n") == lines
    assert panel._never.isVisible()
    assert "unsigned AI grade is never the conclusion" in panel._never.text()


def test_what_lasts_in_a_recording_is_said_with_its_rule(panel: SummaryPanel) -> None:
    grades = [0] * 10 + [2] * 10 + [0] * 10 + [3] + [0] * 9
    results = [frame(index / 2, grade) for index, grade in enumerate(grades)]
    found = judge(results)
    assert found is not None
    panel.show_summary(with_judgement(UNREAD, found), 40, 40)
    assert "worst sustained MES 2, moderate" in panel.text
    assert "highest single frame MES 3 at 0:00:15.000, no result by itself" in panel.text
    assert panel._worst[1].toolTip() == STANDARD.describe()
    panel.show_summary(UNREAD, 2, 2)
    assert panel._worst[1].toolTip() == ""


def test_a_still_beside_a_recording_is_not_said_to_last(panel: SummaryPanel) -> None:
    still = Summary(SegmentSummary(None, 17, 17, 0, 0, 3, None))
    panel.show_summary(with_judgement(still, judge([frame(n / 2, 2) for n in range(16)])), 17, 17)
    assert "worst MES 3, severe" in panel.text
    assert "sustained" not in panel.text


def test_too_few_frames_of_a_recording_are_no_grade(panel: SummaryPanel) -> None:
    found = judge([frame(0.0, 3), frame(0.5, 3)])
    assert found is not None
    panel.show_summary(with_judgement(Summary(SegmentSummary(None, 2, 2, 0)), found), 2, 2)
    assert "not gradable: 2 scored frames, 8 are needed" in panel.text
    assert "worst sustained" not in panel.text


def test_enough_frames_of_a_recording_may_be_too_few_for_its_segments(panel: SummaryPanel) -> None:
    results = [frame(n / 2, 2) for n in range(12)]
    tags = {result.key: FrameReading(segment=Segment.RECTUM) for result in results[7:]}
    found = judge(results, Reading(tags))
    panel.show_summary(with_judgement(Summary(SegmentSummary(None, 12, 12, 0)), found), 12, 12)
    assert "no segment is gradable, at best: 7 scored frames, 8 are needed" in panel.text


def frame(seconds: float, grade: int) -> FrameResult:
    """A frame of a recording of which the model is sure."""
    p = [0.02] * 4
    p[grade] = 0.94
    scores = FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], grade > 1)
    return FrameResult("v.mp4", "", round(25 * seconds), seconds, scores)


def test_rows_name_their_segment_and_numbers(panel: SummaryPanel) -> None:
    panel.show_summary(WHOLE, 11, 11)
    assert [row.accessibleName() for row in rows(panel)] == [
        "Sigmoid: 5 frames, 4 scored, 1 rejected, AI MES 3, severe, reader MES 2, moderate",
        "Rectum: 4 frames, 4 scored, 0 rejected, AI MES 3, severe, reader MES 1, mild",
        "No segment: 1 frames, 0 scored, 1 rejected, AI none, reader none",
    ]
    panel.show_summary(WHOLE, 11, 11, hide_ai=True)
    assert all("AI none" in row.accessibleName() for row in rows(panel))
    panel.show_summary(Summary(), 0, 0)
    assert rows(panel) == []


def test_a_click_on_a_row_chooses_its_segment(qtbot: QtBot, panel: SummaryPanel) -> None:
    chosen: list[object] = []
    panel.segment_chosen.connect(chosen.append)
    panel.show_summary(WHOLE, 11, 11)
    for row in rows(panel):
        qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert chosen == [Segment.SIGMOID, Segment.RECTUM, None]


def test_every_name_fits_beside_its_numbers(panel: SummaryPanel) -> None:
    found = tuple(SegmentSummary(segment, 9999, 9999, 9999, 9999, 3, 3) for segment in (*Segment, None))
    panel.show_summary(Summary(SegmentSummary(None, 69993, 1, 1, 1, 3, 3), found), 9, 9)
    for row in rows(panel):
        name = row._columns.areas(row.width(), row.height())[0]
        assert row.fontMetrics().horizontalAdvance(row.text()) <= name.width()
