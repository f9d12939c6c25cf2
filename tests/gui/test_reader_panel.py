"""What the reader panel shows of one frame and of several, and what it tells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from uc_viewer.case import UNREAD, FrameReading, Segment
from uc_viewer.grades import MES
from uc_viewer.gui.widgets.reader_panel import MIXED, Keys, ReaderPanel, Shown, common

FULL = FrameReading(2, "other", Segment.RECTUM, True, True, "friable")
FULL_SHOWN = Shown(2, "other", Segment.RECTUM, True, True, "friable")


@pytest.fixture
def panel(qtbot: QtBot) -> ReaderPanel:
    panel = ReaderPanel()
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@pytest.fixture
def told(panel: ReaderPanel) -> list[tuple[str, object]]:
    """All that the panel tells, in order."""
    said: list[tuple[str, object]] = []
    for name in (
        "grade_given",
        "reason_given",
        "segment_given",
        "rejected_given",
        "key_image_given",
        "comment_given",
    ):
        getattr(panel, name).connect(lambda value, name=name: said.append((name, value)))
    return said


@pytest.mark.parametrize(
    ("readings", "shown"),
    [
        ([], Shown()),
        ([UNREAD], Shown()),
        ([FULL], FULL_SHOWN),
        ([FULL, FULL], FULL_SHOWN),
        ([FULL, UNREAD], Shown(MIXED, MIXED, MIXED, MIXED, MIXED, MIXED)),
        ([FULL, replace(FULL, grade=0)], replace(FULL_SHOWN, grade=MIXED)),
        ([FULL, FULL, replace(FULL, segment=None)], replace(FULL_SHOWN, segment=MIXED)),
        ([replace(UNREAD, grade=0), UNREAD], Shown(MIXED)),
    ],
)
def test_common_is_the_shared_value_or_mixed(readings: list[FrameReading], shown: Shown) -> None:
    assert common(readings) == shown


def test_nothing_chosen_offers_nothing(panel: ReaderPanel) -> None:
    panel.show_reading(0, Shown(), None, False)
    assert not any(button.isEnabled() for button in panel._grades)
    assert panel._section.note == "choose a frame to grade it"


def test_one_reading_is_shown_whole_and_told_nobody(
    panel: ReaderPanel, told: list[tuple[str, object]]
) -> None:
    panel.show_reading(1, FULL_SHOWN, 1, True)
    assert [button.isChecked() for button in panel._grades] == [False, False, True, False]
    assert [s for s, button in panel._segments.items() if button.isChecked()] == [Segment.RECTUM]
    assert panel._reason.currentText() == "other"
    assert panel._rejected.isChecked()
    assert panel._key_image.isChecked()
    assert panel._comment.text() == "friable"
    assert told == []


def test_what_differs_is_called_mixed(panel: ReaderPanel) -> None:
    panel.show_reading(1200, common([FULL, UNREAD]), None, True)
    assert panel._section.note == "1,200 frames, grades mixed"
    assert not any(button.isChecked() for button in (*panel._grades, *panel._segments.values()))
    assert panel._between.text() == "mixed"
    assert panel._rejected.text() == "Reject: mixed"
    assert panel._key_image.text() == "Key: mixed"
    assert panel._reason.currentIndex() == -1
    assert panel._comment.text() == ""
    assert "replaces all" in panel._comment.placeholderText()


@pytest.mark.parametrize(
    ("grade", "reason", "ai_grade", "scored", "enabled"),
    [
        (None, "", 2, True, False),
        (None, "", None, False, False),
        (2, "", 2, True, False),
        (2, "", 1, True, True),
        (2, "", None, False, True),
        (2, "", None, True, True),
        (2, "other", 2, True, True),
    ],
)
def test_a_reason_is_asked_for_where_the_grades_differ(
    panel: ReaderPanel, grade: int | None, reason: str, ai_grade: int | None, scored: bool, enabled: bool
) -> None:
    panel.show_reading(1, Shown(grade, reason), ai_grade, scored)
    assert panel._reason.isEnabled() is enabled


@pytest.mark.parametrize(
    ("shown", "click", "expected"),
    [
        (Shown(), lambda p: p._grades[0], ("grade_given", 0)),
        (Shown(2), lambda p: p._grades[3], ("grade_given", 3)),
        (Shown(2), lambda p: p._grades[2], ("grade_given", 2)),
        (Shown(2), lambda p: p._clear, ("grade_given", None)),
        (Shown(MIXED), lambda p: p._clear, ("grade_given", None)),
        (Shown(), lambda p: p._segments[Segment.CAECUM], ("segment_given", Segment.CAECUM)),
        (
            Shown(segment=Segment.RECTUM),
            lambda p: p._segments[Segment.SIGMOID],
            ("segment_given", Segment.SIGMOID),
        ),
        (Shown(segment=Segment.RECTUM), lambda p: p._segments[Segment.RECTUM], ("segment_given", None)),
        (Shown(), lambda p: p._rejected, ("rejected_given", True)),
        (Shown(rejected=True), lambda p: p._rejected, ("rejected_given", False)),
        (Shown(rejected=MIXED), lambda p: p._rejected, ("rejected_given", True)),
        (Shown(), lambda p: p._key_image, ("key_image_given", True)),
        (Shown(key_image=True), lambda p: p._key_image, ("key_image_given", False)),
        (Shown(key_image=MIXED), lambda p: p._key_image, ("key_image_given", True)),
    ],
)
def test_a_click_tells_a_wish_and_changes_nothing_by_itself(  # type: ignore[no-untyped-def]
    qtbot: QtBot, panel: ReaderPanel, told: list[tuple[str, object]], shown: Shown, click, expected
) -> None:
    panel.show_reading(1, shown, 2, True)
    button = click(panel)
    was = button.isChecked()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert told == [expected]
    assert button.isChecked() is was
    assert not button.hasFocus()


@pytest.mark.parametrize(
    ("index", "expected"), [(0, []), (1, [("reason_given", "wet highlight or bubbles")])]
)
def test_another_reason_is_told(
    panel: ReaderPanel, told: list[tuple[str, object]], index: int, expected: list[tuple[str, object]]
) -> None:
    panel.show_reading(1, Shown(3), 2, True)
    panel._reason.activated.emit(index)
    assert told == expected


def test_a_comment_is_told_once_when_it_is_finished(
    qtbot: QtBot, panel: ReaderPanel, told: list[tuple[str, object]]
) -> None:
    panel.show_reading(1, Shown(), None, True)
    panel.edit_comment()
    qtbot.keyClicks(panel._comment, "ulcer")
    assert told == []
    qtbot.keyClick(panel._comment, Qt.Key.Key_Return)
    panel.commit()
    assert told == [("comment_given", "ulcer")]
    assert not panel._comment.hasFocus()


def test_escape_takes_back_what_was_typed(
    qtbot: QtBot, panel: ReaderPanel, told: list[tuple[str, object]]
) -> None:
    panel.show_reading(1, Shown(comment="old"), None, True)
    panel.edit_comment()
    qtbot.keyClicks(panel._comment, "new")
    qtbot.keyClick(panel._comment, Qt.Key.Key_Escape)
    assert panel._comment.text() == "old"
    assert told == []


@pytest.mark.parametrize(("same", "kept"), [(True, "half"), (False, "")])
def test_typing_outlives_news_of_the_same_frame_only(
    qtbot: QtBot, panel: ReaderPanel, told: list[tuple[str, object]], same: bool, kept: str
) -> None:
    panel.show_reading(1, Shown(), None, True)
    panel.edit_comment()
    qtbot.waitUntil(panel._comment.hasFocus)
    qtbot.keyClicks(panel._comment, "half")
    panel.show_reading(1, Shown(), 2, True, same=same)
    assert panel._comment.text() == kept
    assert told == []


def test_names_and_keys_are_told_to_those_who_ask(panel: ReaderPanel) -> None:
    assert panel._grades[2].accessibleName() == "Reader grade, MES 2, moderate"
    assert MES[2].definition in panel._grades[2].toolTip()
    assert panel._grades[2].toolTip().endswith("(2)")
    assert panel._segments[Segment.ASCENDING].toolTip() == "Ascending colon (A)"
    panel.set_keys(Keys(rejected="", key_image="F5", segments=("1", "2", "3", "4", "5", "6")))
    assert panel._segments[Segment.ASCENDING].toolTip() == "Ascending colon (2)"
    assert panel._key_image.toolTip().endswith("(F5)")
    assert "(" not in panel._rejected.toolTip()
