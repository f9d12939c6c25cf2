"""Journeys through recordings: scrubbing, marking, grading, jumping; film, grid and heatmaps."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from clips import Clip, read_number
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot
from watched_window import (
    SAMPLED,
    Reads,
    Watch,
    clip_of,
    do,
    look,
    opened,
    opened_window,
    scored,
)  # fmt: skip

from mtl_core.scores import Heatmap
from uc_viewer.case import FrameReading, Segment
from uc_viewer.gui.actions import Do
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.widgets.film_frames import Filter, Order, Show
from uc_viewer.sources.base import Frame
from uc_viewer.sources.video import Video

NAME = "h264-mp4-100.mp4"
SHORT = "h264-mp4-50.mp4"


@pytest.fixture
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Four seconds, 25 frames a second."""
    return clip_of(tmp_path_factory)


@pytest.fixture
def model() -> Reads:
    return Reads()


@pytest.fixture
def window(qtbot: QtBot, model: Reads) -> Iterator[MainWindow]:
    with opened_window(model) as window:
        yield window


@pytest.fixture
def watch(window: MainWindow, clip: Clip) -> Iterator[Watch]:
    watching = Watch(window, clip.times)
    yield watching
    watching.stop()


def slowly(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let every frame that is opened take so long."""
    reopen = Video.reopen

    def slow(self: Video, index: int) -> Frame:
        time.sleep(seconds)
        return reopen(self, index)

    monkeypatch.setattr(Video, "reopen", slow)


def with_thumbnails(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until all small pictures are at hand."""
    film = window.bench.film_model
    qtbot.waitUntil(lambda: all([film.thumbnail(row) is not None for row in range(film.rowCount())]))


def place(window: MainWindow, seconds: float) -> QPoint:
    """Where a moment lies on the timeline."""
    strip = window.bench.timeline._strip
    return QPoint(round(strip.scale.to_x(seconds)), round(strip.lanes.quality.center().y()))


def said(window: MainWindow) -> dict[int, FrameReading]:
    """What the reader said of the frames of the clip."""
    return {key[1]: reading for key, reading in window.session.reader.reading.frames.items()}


# Scrubbing


def test_the_nearest_frame_comes_at_once_and_then_the_exact_one(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, clip.path)
    with_thumbnails(window, qtbot)
    slowly(monkeypatch, 0.4)
    timeline = window.bench.timeline
    timeline.sought.emit(2.64, False)
    qtbot.waitUntil(lambda: watch.near == [63])
    assert not window.browsing.opened
    assert window.bench.scores._name.text() == f"{NAME}, 0:00:02.520 (nearest)"
    assert window.browsing.shown == (NAME, 63)
    opened(window, qtbot)
    assert watch.number == 66
    assert window.bench.scores._name.text() == f"{NAME}, 0:00:02.640"
    timeline.sought.emit(2.68, True)  # what is on the screen is nearer than any scored frame
    qtbot.wait(200)
    assert watch.near == [63]
    opened(window, qtbot)
    assert watch.number == 67


def test_a_small_copy_never_passes_for_the_frame_that_was_there(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away and back at once: the picture on the screen is another one by then."""
    scored(window, qtbot, clip.path)
    with_thumbnails(window, qtbot)
    look(window, qtbot, (NAME, 20))
    slowly(monkeypatch, 0.3)
    window.bench.timeline.sought.emit(3.0, False)
    qtbot.waitUntil(lambda: bool(watch.near))
    window.bench.timeline.sought.emit(0.8, True)
    opened(window, qtbot)
    assert watch.number == 20
    assert window.browsing.shown == (NAME, 20)


def test_dragging_along_the_timeline(window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot) -> None:
    scored(window, qtbot, clip.path)
    timeline = window.bench.timeline
    watch._timer.stop()  # while it is dragged the cursor is where the mouse is
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=place(window, 0.5))
    for seconds in (1.0, 1.5, 2.0, 2.5, 3.0):
        qtbot.mouseMove(timeline, place(window, seconds))
        qtbot.wait(20)
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=place(window, 3.0))
    opened(window, qtbot)
    assert abs(watch.number - 75) <= 1
    watch.check()


# Stretches


def test_a_range_is_tagged_and_the_tags_can_be_taken_back(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 20))
    do(window, Do.MARK_IN)
    assert window.bench.timeline._range == (clip.times[20], None)
    look(window, qtbot, (NAME, 70))
    do(window, Do.MARK_OUT)
    assert window.bench.timeline._range == pytest.approx((clip.times[20], clip.times[70]))
    do(window, Do.SIGMOID, Do.GRADE_1)
    assert {n: (r.segment, r.grade) for n, r in said(window).items()} == dict.fromkeys(
        (25, 38, 50, 63), (Segment.SIGMOID, 1)
    )
    do(window, Do.UNDO, Do.UNDO)
    assert not said(window)


def test_a_range_dragged_on_the_timeline(window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot) -> None:
    scored(window, qtbot, clip.path)
    timeline, shift = window.bench.timeline, Qt.KeyboardModifier.ShiftModifier
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, shift, place(window, 0.8))
    qtbot.mouseMove(timeline, place(window, 1.9))
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, shift, place(window, 1.9))
    do(window, Do.RECTUM)
    assert sorted(said(window)) == [25, 38]
    assert watch.number == 0  # choosing a stretch moves nothing


@pytest.mark.parametrize(("first", "last", "tagged"), [(1.9, 2.1, [50]), (2.1, 2.3, [])])
def test_a_short_range_tags_what_is_in_it_or_says_that_nothing_is(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, first: float, last: float, tagged: list[int]
) -> None:
    scored(window, qtbot, clip.path)
    window.bench.timeline.range_chosen.emit(first, last)
    if tagged:
        opened(window, qtbot)
        assert watch.number == tagged[0]
        do(window, Do.RECTUM)
        assert sorted(said(window)) == tagged
    else:
        assert any("No scored frame" in text for text in window.bench.toasts.texts)


def test_a_range_belongs_to_its_recording(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scored(window, qtbot, clip.path, clip_of(tmp_path_factory, 50).path)
    window.bench.timeline.range_chosen.emit(0.4, 1.2)
    look(window, qtbot, (SHORT, 0))
    assert window.bench.timeline._range == (None, None)
    assert window.marking.range_of(SHORT) == (None, None)
    look(window, qtbot, (NAME, 0))
    assert window.bench.timeline._range == (0.4, 1.2)


# Grades


def test_a_grade_between_scored_frames_is_of_the_one_before_and_that_one_is_shown(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 30))
    badges = window.bench.image._badges
    assert (badges.ai_grade, badges.ai_note) == (2, "at 0:00:01.000")
    do(window, Do.GRADE_1, Do.KEY_IMAGE)
    opened(window, qtbot)
    assert {n: (r.grade, r.key_image) for n, r in said(window).items()} == {25: (1, True)}
    assert watch.number == 25
    assert window.bench.image._badges.reader_grade == 1
    do(window, Do.NEXT)
    opened(window, qtbot)
    assert window.bench.image._badges.reader_grade is None  # nobody read this frame


def test_a_grade_while_it_plays_holds_at_the_frame_that_got_it(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    do(window, Do.PLAY)
    qtbot.waitUntil(lambda: watch.number > 28)
    do(window, Do.GRADE_3)
    assert not window.playing.playing
    opened(window, qtbot)
    assert [(n, r.grade) for n, r in said(window).items()] == [(watch.number, 3)]
    assert watch.number in SAMPLED


def test_a_grade_is_of_the_frame_on_the_screen_not_of_one_still_awaited(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 13))
    slowly(monkeypatch, 0.3)
    window.browsing.look((NAME, 88))
    do(window, Do.GRADE_1)
    opened(window, qtbot)
    assert {n: r.grade for n, r in said(window).items()} == {13: 1}
    assert watch.number == 13


def test_a_comment_stays_with_the_frame_it_was_written_on(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    window.activateWindow()
    look(window, qtbot, (NAME, 30))
    do(window, Do.COMMENT)
    field = window.focusWidget()
    assert field is not None
    qtbot.keyClicks(field, "ulcer 2")
    window.bench.timeline.sought.emit(3.1, True)
    opened(window, qtbot)
    assert {n: r.comment for n, r in said(window).items()} == {25: "ulcer 2"}
    assert watch.number == 77


# Jumps, film, heatmap


def test_jumps_lead_to_scored_frames(window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot) -> None:
    scored(window, qtbot, clip.path)
    places = []
    for deed in (Do.WORST, Do.PREVIOUS_SEVERE, Do.FIRST, Do.NEXT_SEVERE, Do.NEXT_SEVERE, Do.LAST):
        do(window, deed)
        opened(window, qtbot)
        places.append(watch.number)
    assert places == [88, 75, 0, 25, 38, 88]
    look(window, qtbot, (NAME, 55))
    do(window, Do.NEXT_SEVERE)
    opened(window, qtbot)
    assert watch.number == 63
    look(window, qtbot, (NAME, 55))
    do(window, Do.PREVIOUS_SEVERE)  # the one before is the scored one that it lies behind
    opened(window, qtbot)
    assert watch.number == 50
    look(window, qtbot, (NAME, 38))
    do(window, Do.GRADE_0, Do.FIRST, Do.NEXT_FLAGGED)  # reader and model differ
    opened(window, qtbot)
    assert watch.number == 38


def test_a_filter_never_moves_the_view_to_a_frame_nobody_asked_for(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    film = window.bench.film_model
    film.set_filter(Filter(Show.GRADE, grade=2))
    opened(window, qtbot)
    assert [key[1] for key in film.shown_keys()] == [25, 38, 50, 63, 75]
    window.bench.timeline.sought.emit(0.2, True)
    opened(window, qtbot)
    assert watch.number == 5
    film.set_order(Order.HIGHEST_FIRST)
    qtbot.wait(100)
    assert watch.number == 5
    film.set_order(Order.LISTED)
    film.set_filter(Filter())
    qtbot.wait(100)
    assert watch.number == 5


def test_the_grid_shows_and_opens_frames(window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot) -> None:
    scored(window, qtbot, clip.path)
    do(window, Do.GRID)
    grid = window.bench.grid
    assert window.bench.grid_shown
    middle = grid.visualRect(window.bench.film_model.index(4, 0)).center()
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    opened(window, qtbot)
    assert watch.number == 50
    grid.opened.emit((NAME, 50))
    assert not window.bench.grid_shown
    do(window, Do.NEXT, Do.NEXT)
    opened(window, qtbot)
    assert watch.number == 52
    strip = window.bench.strip  # the film is at frame 50 all the while; a click on it leads there
    place = strip.visualRect(strip.currentIndex()).center()
    qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=place)
    opened(window, qtbot)
    assert watch.number == 50


def test_heatmaps_are_of_scored_frames_alone(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def heatmap(model: object, image: np.ndarray, target: str, grade: int, method: str) -> Heatmap:
        asked.append(read_number(image))
        return Heatmap(np.ones(image.shape[:2], np.float32), 0.5, target, method, 2.0)

    monkeypatch.setattr("mtl_core.explain.heatmap", heatmap)
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 38))
    with qtbot.waitSignal(window.session.explained):
        do(window, Do.HEATMAP)
    assert not window.bench.image._heat.isNull()
    for number in (39, 40):
        do(window, Do.NEXT)
        opened(window, qtbot)
        assert watch.number == number
        assert window.bench.image._heat.isNull()
    qtbot.wait(100)
    assert asked == [38]
