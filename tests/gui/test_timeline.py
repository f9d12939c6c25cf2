"""The strip under the picture: what it shows, what it tells, and that keys are the window's."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeySequence,
    QMouseEvent,
    QShortcut,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolButton, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from uc_viewer.case import Segment
from uc_viewer.grades import MES
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.timeline import Mark, Timeline
from uc_viewer.gui.widgets.timeline_paint import Lanes, segment_words

SECONDS = 720.0
_Mod = Qt.KeyboardModifier
_Kind = QEvent.Type


@pytest.fixture
def line(qtbot: QtBot) -> Timeline:
    """Twelve minutes, two frames a second, all of them of MES 1."""
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(1000, made.height())
    made.show()
    made.show_recording("visit.mp4", SECONDS, [Mark(12 * n, n / 2, 1, 1.2) for n in range(1440)])
    return made


@pytest.fixture
def told(line: Timeline) -> list[tuple[object, ...]]:
    heard: list[tuple[object, ...]] = []
    line.sought.connect(lambda seconds, final: heard.append((round(seconds, 3), final)))
    line.range_chosen.connect(lambda first, last: heard.append(("range", round(first), round(last))))
    return heard


def lanes(line: Timeline) -> Lanes:
    return line._strip.lanes


def at(line: Timeline, seconds: float, lane: str = "ai") -> QPointF:
    """The place of a moment in a row."""
    return QPointF(line._strip.scale.to_x(seconds), getattr(lanes(line), lane).center().y())


def mouse(
    line: Timeline, kind: QEvent.Type, place: QPointF, modifiers: _Mod = _Mod.NoModifier, button: int = 0
) -> None:
    held = Qt.MouseButton.RightButton if button else Qt.MouseButton.LeftButton
    QApplication.sendEvent(line, QMouseEvent(kind, place, line.mapToGlobal(place), held, held, modifiers))


def drag(line: Timeline, *places: QPointF, modifiers: _Mod = _Mod.NoModifier) -> None:
    mouse(line, _Kind.MouseButtonPress, places[0], modifiers)
    for place in places[1:]:
        mouse(line, _Kind.MouseMove, place, modifiers)
    mouse(line, _Kind.MouseButtonRelease, places[-1], modifiers)


def wheel(line: Timeline, place: QPointF, turned: QPoint, modifiers: _Mod = _Mod.NoModifier) -> QWheelEvent:
    event = QWheelEvent(
        place, line.mapToGlobal(place), QPoint(), turned, Qt.MouseButton.NoButton,
        modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(line, event)
    return event


def pixels(line: Timeline) -> np.ndarray:
    """What is seen, uint8 H x W x 3 RGB."""
    image = line.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(bytes(image.constBits()), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def coloured(line: Timeline, lane: str, x: float, colour: str | QColor) -> int:
    """How many pixels of a row have a colour, in the column at x."""
    area, wanted = getattr(lanes(line), lane), QColor(colour)
    column = pixels(line)[int(area.top()) : int(area.bottom()), int(x)]
    return int((column == (wanted.red(), wanted.green(), wanted.blue())).all(axis=1).sum())


def inked(line: Timeline, lane: str) -> float:
    """The share of a row that is not bare canvas."""
    area, canvas = getattr(lanes(line), lane).toRect(), theme.CANVAS
    row = pixels(line)[area.top() : area.bottom(), area.left() : area.right()]
    return float((row != (canvas.red(), canvas.green(), canvas.blue())).any(axis=2).mean())


# What is seen


@pytest.mark.parametrize("grade", range(4))
def test_one_worse_frame_shows_among_many(line: Timeline, grade: int) -> None:
    line.update_marks([Mark(12 * n, n / 2, 0) for n in range(1440)])
    place = at(line, 300.0)
    line.update_marks([Mark(12 * 600, 300.0, grade)])
    height = lanes(line).ai.height()
    fills = [coloured(line, "ai", place.x(), known.screen) for known in MES]
    assert fills[grade] == max(fills)
    # Its pattern takes some pixels of its colour.
    assert 0.5 < fills[grade] / (height * (grade + 1) / 4) < 1.2


@pytest.mark.parametrize("lane", ["ai", "reader"])
def test_bars_tell_grades_without_colour(line: Timeline, lane: str) -> None:
    tops = []
    for grade in range(4):
        line.update_marks([Mark(12 * n, n / 2, grade, reader=grade) for n in range(1440)])
        tops.append(inked(line, lane))
    assert tops == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.1)


def test_what_is_not_scored_yet_is_bare_canvas(line: Timeline) -> None:
    line.show_recording("visit.mp4", SECONDS, [Mark(12 * n, n / 2) for n in range(1440)])
    assert [inked(line, lane) for lane in ("ai", "reader", "segment", "quality")] == [0, 0, 0, 0]
    line.update_marks([Mark(12 * n, n / 2, 2) for n in range(720)])
    assert coloured(line, "ai", at(line, 200).x(), MES[2].screen) > 0
    assert coloured(line, "ai", at(line, 500).x(), theme.CANVAS) == round(lanes(line).ai.height())


def test_marks_that_come_in_one_by_one_appear(line: Timeline) -> None:
    line.show_recording("visit.mp4", SECONDS, [])
    for n in range(1440):
        line.update_marks([Mark(12 * n, n / 2, 3)])
        if n % 240 == 0:
            line.grab()
    assert inked(line, "ai") == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("mark", "lane"),
    [
        (Mark(7200, 300.0, reader=2), "reader"),
        (Mark(7200, 300.0, segment=Segment.SIGMOID), "segment"),
        (Mark(7200, 300.0, flagged=True), "quality"),
        (Mark(7200, 300.0, rejected=True), "quality"),
        (Mark(7200, 300.0, reason="too dark"), "quality"),
        (Mark(7200, 300.0, key_image=True), "brackets"),
    ],
)
def test_a_single_frame_is_seen_in_two_hours(line: Timeline, mark: Mark, lane: str) -> None:
    line.show_recording("visit.mp4", 7200, [Mark(12 * n, n / 2) for n in range(14_400)])
    assert inked(line, lane) == 0
    line.update_marks([mark])
    assert inked(line, lane) > 0


def test_a_rejected_frame_is_dimmed(line: Timeline) -> None:
    line.update_marks([Mark(12 * n, n / 2, 2, rejected=True) for n in range(1440)])
    assert coloured(line, "ai", at(line, 200).x(), MES[2].screen) == 0
    assert inked(line, "ai") == pytest.approx(0.75, abs=0.1)


@pytest.mark.parametrize("rows", [[(100, 200, 2)], [(100, 200, 2), (650, 700, 3)], [(300, 300, 1)]])
def test_lasting_rows_have_brackets(line: Timeline, rows: list[tuple[float, float, int]]) -> None:
    line.set_sustained(rows)
    for first, last, grade in rows:
        x = (at(line, first).x() + max(at(line, last).x(), at(line, first).x() + 2)) / 2
        assert coloured(line, "brackets", x, "#f2f2f4") >= 2
        assert MES[grade].accessible_name in line.said_at(at(line, (first + last) / 2))
    line.show_recording("another.mp4", SECONDS, [])
    assert inked(line, "brackets") == 0


def test_a_key_image_is_seen_over_a_bracket(line: Timeline) -> None:
    line.update_marks([Mark(7200, 300.0, 1, key_image=True)])
    line.set_sustained([(200.0, 400.0, 1)])
    place = at(line, 300).x()
    assert coloured(line, "brackets", place, "#ffd257") >= 3
    assert coloured(line, "brackets", place, "#f2f2f4") == 0


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
@pytest.mark.parametrize("width", [240, 400, 1800])
@pytest.mark.parametrize("seconds", [0.0, 0.04, 10.0, 180.0, 7200.0, 400_000.0])
def test_it_is_drawn_at_any_size(line: Timeline, scheme: Qt.ColorScheme, width: int, seconds: float) -> None:
    line.setPalette(theme.palette(scheme))
    line.resize(width, line.height())
    marks = [Mark(n, seconds * n / 50, n % 4, reader=n % 3, segment=Segment.RECTUM) for n in range(50)]
    line.show_recording("visit.mp4", seconds, marks)
    line.set_cursor(seconds, 49)
    line.set_range(seconds / 4, None)
    line.zoom_by(1e9)
    assert inked(line, "ai") > 0
    assert line.height() == pytest.approx(92, abs=12)


def test_a_last_frame_at_the_very_end_is_seen(line: Timeline) -> None:
    line.show_recording("visit.mp4", 0, [Mark(0, 0.0, 0), Mark(1, 1.0, 0), Mark(2, 2.0, 3)])
    assert coloured(line, "ai", lanes(line).ai.right() - 3, MES[3].screen) > 0


@pytest.mark.parametrize("duration", [-1.0, float("inf"), float("nan")])
def test_no_duration_no_recording(line: Timeline, duration: float) -> None:
    with pytest.raises(ValueError, match="cannot last"):
        line.show_recording("broken.mp4", duration, [])
    assert line.view == (0, SECONDS)
    assert "visit.mp4" in line.accessibleName()


# The mouse


def test_dragging_scrubs(line: Timeline, told: list[tuple[object, ...]]) -> None:
    drag(line, at(line, 100), at(line, 200), at(line, 150))
    assert told == [(100, False), (200, False), (150, False), (150, True)]


@pytest.mark.parametrize("lane", ["ai", "reader", "segment", "quality", "ruler", "bar"])
def test_a_click_seeks_in_every_row(line: Timeline, told: list[tuple[object, ...]], lane: str) -> None:
    drag(line, at(line, 60, lane))
    assert told[-1] == (60, True)


@pytest.mark.parametrize("seconds", [-500, 5000])
def test_beyond_the_ends_is_the_end(line: Timeline, told: list[tuple[object, ...]], seconds: float) -> None:
    drag(line, at(line, 100), at(line, seconds))
    assert told[-1] == (min(max(seconds, 0), SECONDS), True)


def test_while_it_is_dragged_the_cursor_stays_under_the_pointer(line: Timeline) -> None:
    mouse(line, _Kind.MouseButtonPress, at(line, 100))
    line.set_cursor(3.0, 6)
    assert "0:01:40.000" in line.accessibleDescription()
    mouse(line, _Kind.MouseButtonRelease, at(line, 100))
    line.set_cursor(99.96, 2399)
    assert "0:01:39.960" in line.accessibleDescription()


@pytest.mark.parametrize(("lane", "modifiers"), [("ruler", _Mod.NoModifier), ("ai", _Mod.ShiftModifier)])
@pytest.mark.parametrize(("first", "last"), [(100, 200), (200, 100)])
def test_a_range_is_chosen(
    line: Timeline, told: list[tuple[object, ...]], lane: str, modifiers: _Mod, first: float, last: float
) -> None:
    drag(line, at(line, first, lane), at(line, last, lane), modifiers=modifiers)
    assert told == [("range", 100, 200)]
    bare = pixels(line)
    line.set_range(None, None)
    assert (pixels(line) != bare).any()


@pytest.mark.parametrize(("first", "last"), [(100, None), (None, 200), (100, 200)])
def test_the_range_is_seen(line: Timeline, first: float | None, last: float | None) -> None:
    bare = pixels(line)
    line.set_range(first, last)
    changed = np.flatnonzero((pixels(line) != bare).any(axis=(0, 2)))
    expected = [at(line, seconds).x() for seconds in (first, last) if seconds is not None]
    assert changed[0] == pytest.approx(expected[0], abs=9)
    assert changed[-1] == pytest.approx(expected[-1], abs=9)


def test_other_buttons_do_nothing(line: Timeline, told: list[tuple[object, ...]]) -> None:
    for kind in (_Kind.MouseButtonPress, _Kind.MouseMove, _Kind.MouseButtonRelease):
        mouse(line, kind, at(line, 100), button=1)
    assert told == []


def test_a_release_that_is_never_told_ends_nothing_later(
    line: Timeline, told: list[tuple[object, ...]]
) -> None:
    mouse(line, _Kind.MouseButtonPress, at(line, 100))
    line.hide()
    line.show()
    told.clear()
    mouse(line, _Kind.MouseMove, at(line, 200))
    mouse(line, _Kind.MouseButtonRelease, at(line, 200))
    assert told == []


# Zoom and pan


@pytest.mark.parametrize("modifiers", [_Mod.NoModifier, _Mod.ControlModifier])
@pytest.mark.parametrize("seconds", [10, 300, 700])
def test_the_wheel_zooms_about_the_pointer(line: Timeline, modifiers: _Mod, seconds: float) -> None:
    place = at(line, seconds)
    assert wheel(line, place, QPoint(0, 240), modifiers).isAccepted()
    first, last = line.view
    assert last - first == pytest.approx(SECONDS / 1.4**2)
    assert at(line, seconds).x() == pytest.approx(place.x())
    wheel(line, place, QPoint(0, -240), modifiers)
    assert line.view == pytest.approx((0, SECONDS))


@pytest.mark.parametrize(
    ("turned", "modifiers"),
    [
        (QPoint(0, -120), _Mod.ShiftModifier),
        (QPoint(-120, 0), _Mod.NoModifier),
        (QPoint(-120, 0), _Mod.ShiftModifier),
    ],
)
def test_the_wheel_moves_along(line: Timeline, turned: QPoint, modifiers: _Mod) -> None:
    line.zoom_by(6, at(line, 360).x())
    before = line.view
    wheel(line, at(line, 360), turned, modifiers)
    assert line.view == pytest.approx((before[0] + 15, before[1] + 15))


def test_the_wheel_is_left_to_others_where_there_is_nothing(line: Timeline) -> None:
    line.clear()
    assert not wheel(line, QPointF(300, 40), QPoint(0, 120)).isAccepted()


@pytest.mark.parametrize("back", ["button", "double click"])
def test_back_to_the_whole(line: Timeline, back: str) -> None:
    closer, away, whole = line.findChildren(QToolButton)
    assert [button.isEnabled() for button in (closer, away, whole)] == [True, False, False]
    closer.click()
    assert line.view[1] - line.view[0] == pytest.approx(SECONDS / 1.4**2)
    away.click()
    assert line.view == pytest.approx((0, SECONDS))
    for _ in range(30):
        closer.click()
    assert [button.isEnabled() for button in (closer, away, whole)] == [False, True, True]
    if back == "button":
        whole.click()
    else:
        mouse(line, _Kind.MouseButtonDblClick, at(line, line.view[0]))
    assert line.view == (0, SECONDS)


@pytest.mark.parametrize(("share", "first"), [(0.0, 0), (0.5, 300), (1.0, 600)])
def test_the_bar_moves_the_view(
    line: Timeline, told: list[tuple[object, ...]], share: float, first: float
) -> None:
    line.zoom_by(6, at(line, 0).x())
    bar = lanes(line).bar
    thumb = bar.width() / 6
    middle = bar.left() + thumb / 2
    drag(
        line,
        QPointF(middle, bar.center().y()),
        QPointF(middle + share * (bar.width() - thumb), bar.center().y() + 30),
    )
    assert line.view[0] == pytest.approx(first, abs=0.5)
    assert told == []


def test_a_press_beside_the_thumb_brings_it_there(line: Timeline) -> None:
    line.zoom_by(6, at(line, 0).x())
    bar = lanes(line).bar
    drag(line, QPointF(bar.center()))
    assert line.view == pytest.approx((300, 420), abs=1)


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        (360, 365, 300),  # in view, stays in view
        (419, 421, 409),  # leaves it: the view comes along
        (301, 299, 191),
        (100, 100.5, 300),  # the user looks elsewhere
        (100, 700, 600),  # a jump is looked for
    ],
)
def test_the_view_follows_the_cursor(line: Timeline, before: float, after: float, first: float) -> None:
    line.set_cursor(before, 0)
    line.zoom_by(6, at(line, 360).x())
    assert line.view[0] == pytest.approx(300)
    line.set_cursor(after, 1)
    assert line.view[0] == pytest.approx(first, abs=0.1)


def test_dragging_beyond_the_edge_takes_the_view_along(
    line: Timeline, told: list[tuple[object, ...]]
) -> None:
    line.zoom_by(6, at(line, 360).x())
    drag(line, at(line, 400), at(line, 430))
    assert line.view == pytest.approx((310, 430), abs=0.5)
    assert told[1] == (pytest.approx(430, abs=0.5), False)


@pytest.mark.parametrize(
    ("lane", "zoomed", "shape"),
    [
        ("ruler", False, Qt.CursorShape.IBeamCursor),
        ("ai", False, Qt.CursorShape.ArrowCursor),
        ("bar", False, Qt.CursorShape.ArrowCursor),
        ("bar", True, Qt.CursorShape.OpenHandCursor),
    ],
)
def test_the_pointer_tells_what_a_press_does(
    line: Timeline, lane: str, zoomed: bool, shape: Qt.CursorShape
) -> None:
    line.zoom_by(6 if zoomed else 1)
    mouse(line, _Kind.MouseMove, QPointF(500, getattr(lanes(line), lane).center().y()))
    assert line.cursor().shape() == shape


# What is said


@pytest.mark.parametrize(
    ("mark", "lines"),
    [
        (Mark(0, 0.0, 2, 1.84), ["0:00:00.000", "AI: MES 2, moderate, expected grade 1.84"]),
        (Mark(0, 0.0), ["0:00:00.000", "AI: not scored yet"]),
        (
            Mark(0, 0.0, 1, None, 3, Segment.SIGMOID, True, True, "", True),
            [
                "0:00:00.000",
                "AI: MES 1, mild",
                "Reader: MES 3, severe",
                "Segment: Sigmoid colon",
                "Rejected by the reader",
                "Worth a second look",
                "Key image",
            ],
        ),
        (Mark(0, 0.0, reason="too dark"), ["0:00:00.000", "AI: not scored, too dark"]),
    ],
)
def test_the_tooltip_of_one_frame(line: Timeline, mark: Mark, lines: list[str]) -> None:
    line.show_recording("visit.mp4", 10, [mark])
    assert line.said_at(at(line, 0.2)).splitlines() == lines
    assert line.said_at(at(line, 5)).splitlines()[0].startswith("0:00:05.0")
    assert "No frame sampled" in line.said_at(at(line, 5))


def test_the_tooltip_of_many_frames_names_the_worst(line: Timeline) -> None:
    marks = [Mark(n, n / 100, 1, 1.0) for n in range(72_000)]
    line.show_recording("visit.mp4", SECONDS, marks)
    line.update_marks(
        [
            Mark(30_010, 300.1, 3, 2.7, 2, Segment.RECTUM, flagged=True),
            Mark(30_011, 300.11, reason="too dark", rejected=True, key_image=True),
        ]
    )
    span, worst, *rest = line.said_at(at(line, 300.1)).splitlines()
    assert span.startswith("0:04:59.") or span.startswith("0:05:00.")
    count = int(span.split(", ")[1].removesuffix(" frames"))
    assert count == pytest.approx(72_000 / lanes(line).ai.width(), abs=2)
    assert worst == "AI: MES 3, severe, expected grade 2.70, the worst, at 0:05:00.100"
    assert rest == [
        "Reader: MES 2, moderate, the worst",
        "Segment: Rectum",
        "1 not scored, 1 rejected, 1 worth a second look, key images: 1",
    ]


@pytest.mark.parametrize(
    ("lane", "x", "words"),
    [
        ("ruler", 300, "Drag to choose a range"),
        ("names", 10, "visit.mp4"),
        ("names", 10, "MES 3, severe"),
    ],
)
def test_other_places_say_what_they_are(line: Timeline, lane: str, x: float, words: str) -> None:
    assert words in line.said_at(QPointF(x, getattr(lanes(line), lane).center().y()))
    assert line.said_at(at(line, 300, "bar")) == ""


def test_a_key_image_is_told_on_its_mark(line: Timeline) -> None:
    line.update_marks([Mark(7200, 300.0, 1, key_image=True)])
    assert "Key image" in line.said_at(at(line, 300, "ruler"))
    assert "Key image" not in line.said_at(at(line, 400, "ruler"))


def test_markup_in_a_reason_is_text(line: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, *rest: shown.append(text))
    line.show_recording("visit.mp4", 10, [Mark(0, 0.0, reason="<img src=x>")])
    for place in (at(line, 0.1), at(line, 5, "bar")):
        event = QHelpEvent(_Kind.ToolTip, place.toPoint(), line.mapToGlobal(place).toPoint())
        QApplication.sendEvent(line, event)
    assert "&lt;img src=x&gt;" in shown[0]
    assert shown[1] == ""


def test_a_screen_reader_hears_where_the_cursor_is(line: Timeline) -> None:
    assert line.accessibleName() == "Timeline of visit.mp4"
    assert line.accessibleDescription() == ""
    line.set_cursor(417.28)
    assert line.accessibleDescription() == "cursor at 0:06:57.280 of 0:12:00"
    line.update_marks([Mark(12 * 834, 417.0, 2, 1.84, 1)])
    line.set_cursor(417.0, 12 * 834)
    words = "cursor at 0:06:57.000 of 0:12:00; AI: MES 2, moderate, expected grade 1.84; Reader: MES 1, mild"
    assert line.accessibleDescription() == words
    line.update_marks([Mark(12 * 834, 417.0, 3)])
    assert line.accessibleDescription().endswith("AI: MES 3, severe")
    assert all(button.accessibleName() == button.toolTip() != "" for button in line.findChildren(QToolButton))


def test_without_a_recording_it_says_so_and_does_nothing(
    line: Timeline, told: list[tuple[object, ...]]
) -> None:
    line.set_cursor(5, 1)
    line.clear()
    line.update_marks([Mark(9000, 5.0, 3)])
    assert line.accessibleName() == "Timeline"
    assert line.accessibleDescription() == ""
    assert inked(line, "ai") < 0.2
    drag(line, QPointF(300, 40), QPointF(400, 40))
    mouse(line, _Kind.MouseButtonDblClick, QPointF(300, 40))
    assert line.said_at(QPointF(300, 40)) == ""
    assert told == []
    assert not any(button.isEnabled() for button in line.findChildren(QToolButton))


def test_every_segment_has_words(line: Timeline) -> None:
    assert len({segment_words(segment) for segment in Segment}) == len(Segment)
    for segment in Segment:
        line.update_marks([Mark(0, 0.0, 1, segment=segment)])
        assert segment_words(segment) in line.said_at(at(line, 0.1))


# Keys


KEYS = [
    "1",
    "C",
    "A",
    "T",
    "D",
    "S",
    "R",
    "J",
    "K",
    "L",
    "I",
    "O",
    "Space",
    "Left",
    "Right",
    "+",
    "-",
    "Home",
]


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_the_windows(qtbot: QtBot, key: str) -> None:
    window, pressed = QWidget(), []
    qtbot.addWidget(window)
    line = Timeline(window)
    line.show_recording("visit.mp4", SECONDS, [])
    sequence = QKeySequence(key)
    QShortcut(sequence, window, lambda: pressed.append(key))
    window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    for part in (line, line.findChildren(QToolButton)[0]):
        part.setFocus()
        assert part.hasFocus()
        pressed.clear()
        qtbot.keyClick(part, sequence[0].key())
        assert pressed == [key]


@pytest.mark.parametrize(
    ("reason", "framed"),
    [(Qt.FocusReason.TabFocusReason, True), (Qt.FocusReason.MouseFocusReason, False)],
)
def test_focus_is_seen_where_it_came_by_the_keys(
    line: Timeline, reason: Qt.FocusReason, framed: bool
) -> None:
    bare = pixels(line)
    QApplication.sendEvent(line, QFocusEvent(_Kind.FocusIn, reason))
    assert (pixels(line) != bare).any() == framed
    QApplication.sendEvent(line, QFocusEvent(_Kind.FocusOut, reason))
    assert (pixels(line) == bare).all()


def test_a_larger_font_makes_it_taller(line: Timeline) -> None:
    before, font = line.height(), line.font()
    font.setPointSizeF(font.pointSizeF() * 2)
    line.setFont(font)
    assert line.height() > before * 1.5
    assert line.sizeHint().height() == line.height()
