"""Journeys through recordings: stepping and playing. Every frame carries its number in its pixels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clips import Clip, make_clip
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from watched_window import (
    SAMPLED,
    Reads,
    Watch,
    clip_of,
    do,
    drop,
    look,
    opened,
    opened_window,
    scored,
)  # fmt: skip

from uc_viewer.gui.actions import Do
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.sources.base import Frame
from uc_viewer.sources.video import Video

NAME = "h264-mp4-100.mp4"


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


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    folder = tmp_path / "stills"
    folder.mkdir()
    for number, level in enumerate((40, 120, 80)):
        pixels = np.zeros((48, 64, 3), np.uint8)
        pixels[..., 0], pixels[..., 1], pixels[..., 2] = level, number, 10
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def slowly(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let every frame that is opened take so long."""
    reopen = Video.reopen

    def slow(self: Video, index: int) -> Frame:
        time.sleep(seconds)
        return reopen(self, index)

    monkeypatch.setattr(Video, "reopen", slow)


def plays_to_the_end(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.playing.playing and window.browsing.opened, timeout=20_000)


# Film, timeline, stills


def test_a_recording_beside_stills(
    window: MainWindow, watch: Watch, clip: Clip, stills: Path, qtbot: QtBot
) -> None:
    scored(window, qtbot, stills, clip.path)
    film = window.bench.film_model
    assert film.shown_keys() == [
        *((f"stills/{n}.png", 0) for n in range(3)),
        *((NAME, index) for index in SAMPLED),
    ]
    assert [film.frame(row).name for row in (2, 3, 4)] == [
        "stills/2.png", f"{NAME}, 0:00:00.000", f"{NAME}, 0:00:00.520",
    ]  # fmt: skip
    bench = window.bench
    assert not bench.timeline.isVisible()
    assert not bench.transport.isVisible()
    look(window, qtbot, (NAME, 0))
    assert bench.timeline.isVisible()
    assert bench.transport.isVisible()
    look(window, qtbot, ("stills/1.png", 0))
    assert not bench.timeline.isVisible()
    assert not bench.transport.isVisible()


def test_the_timeline_goes_at_once_where_a_still_is_chosen(
    window: MainWindow, watch: Watch, clip: Clip, stills: Path, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path, stills)
    look(window, qtbot, (NAME, 50))
    window.browsing.look(("stills/1.png", 0))
    assert not window.bench.timeline.isVisible()
    assert window.browsing.current == ("stills/1.png", 0)


# Steps


def test_arrows_step_one_frame_and_the_picture_carries_its_number(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    window.activateWindow()
    window.bench.strip.setFocus()
    numbers = []
    right, left = Qt.Key.Key_Right, Qt.Key.Key_Left
    for key in (right, right, right, left):
        qtbot.keyClick(window.bench.strip, key)
        opened(window, qtbot)
        numbers.append(watch.number)
    assert numbers == [1, 2, 3, 2]
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    for key, modifier in ((right, control), (right, control), (left, control), (right, shift), (left, shift)):
        qtbot.keyClick(window.bench.strip, key, modifier)
        opened(window, qtbot)
        numbers.append(watch.number)
    # A second is 25 frames; ten scored frames on is the last of eight, ten back the first.
    assert numbers[4:] == [27, 52, 27, 88, 0]


def test_every_frame_can_be_reached_one_by_one(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    for number in range(1, 100):
        do(window, Do.NEXT)
        opened(window, qtbot)
        assert watch.number == number
    do(window, Do.NEXT)  # there is none after the last
    opened(window, qtbot)
    assert watch.number == 99
    for number in range(98, 59, -1):
        do(window, Do.PREVIOUS)
        opened(window, qtbot)
        assert watch.number == number


def test_steps_lead_from_stills_into_a_recording_and_out_of_it(
    window: MainWindow, watch: Watch, clip: Clip, stills: Path, qtbot: QtBot
) -> None:
    scored(window, qtbot, stills / "0.png", clip.path, stills / "1.png")
    do(window, Do.NEXT)
    opened(window, qtbot)
    assert window.browsing.shown == (NAME, 0)
    do(window, Do.NEXT)
    opened(window, qtbot)
    assert window.browsing.shown == (NAME, 1)
    look(window, qtbot, (NAME, 99))
    do(window, Do.NEXT)
    opened(window, qtbot)
    assert window.browsing.shown == ("1.png", 0)
    do(window, Do.BACK_SECOND, Do.ON_SECOND)  # a still has no seconds
    assert window.browsing.wanted == ("1.png", 0)


def test_a_key_held_down_shows_what_it_passes(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames come slower than the key repeats; were each overtaken by the next, none would be seen."""
    scored(window, qtbot, clip.path)
    slowly(monkeypatch, 0.1)
    shown = len(watch.numbers)
    for _ in range(30):
        do(window, Do.NEXT)
        qtbot.wait(30)
    assert len(watch.numbers) - shown >= 5
    opened(window, qtbot)
    assert watch.number == 30
    assert watch.numbers[shown:] == sorted(watch.numbers[shown:])


def test_one_on_and_one_back_at_once_stays(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 40))
    slowly(monkeypatch, 0.1)
    do(window, Do.NEXT, Do.PREVIOUS)
    qtbot.wait(300)
    assert watch.numbers[-1] == 40


# Playing


def test_it_plays_at_its_own_speed_to_the_last_frame(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    began = time.monotonic()
    do(window, Do.PLAY)
    assert window.playing.playing
    plays_to_the_end(window, qtbot)
    assert 3.8 < time.monotonic() - began < 8
    assert watch.number == 99
    assert watch.numbers == sorted(watch.numbers)
    assert not window.bench.transport._playing


def test_faster_with_every_press_and_frames_are_left_out(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    do(window, Do.PLAY_ON, Do.PLAY_ON, Do.PLAY_ON, Do.PLAY_ON, Do.PLAY_ON)
    began = time.monotonic()
    plays_to_the_end(window, qtbot)
    assert time.monotonic() - began < 3  # 4 s of recording at eight times the speed
    assert watch.number == 99
    assert len(watch.numbers) < 70


def test_it_plays_backwards_to_the_first_frame(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 60))
    before = len(watch.numbers)
    do(window, Do.PLAY_BACK, Do.PLAY_BACK)
    plays_to_the_end(window, qtbot)
    assert watch.number == 0
    assert watch.numbers[before:] == sorted(watch.numbers[before:], reverse=True)
    do(window, Do.PLAY)  # the bar of space plays on, whatever was done before
    qtbot.waitUntil(lambda: watch.number > 3)


def test_the_keys_of_a_player(window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot) -> None:
    scored(window, qtbot, clip.path)
    window.activateWindow()
    strip, transport = window.bench.strip, window.bench.transport
    strip.setFocus()
    speeds = []
    for key in (Qt.Key.Key_Space, Qt.Key.Key_L, Qt.Key.Key_L, Qt.Key.Key_J, Qt.Key.Key_J, Qt.Key.Key_K):
        qtbot.keyClick(strip, key)
        speeds.append((window.playing.playing, transport._speeds.currentData()))
    assert speeds == [(True, 1), (True, 2), (True, 4), (True, -1), (True, -2), (False, 1)]
    qtbot.keyClick(strip, Qt.Key.Key_Space)
    qtbot.keyClick(strip, Qt.Key.Key_Space)
    assert not window.playing.playing
    opened(window, qtbot)


@pytest.mark.parametrize("seconds", [0.03, 0.12, 0.25])
def test_never_mislabelled_however_slow_the_computer(
    window: MainWindow,
    watch: Watch,
    clip: Clip,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
) -> None:
    scored(window, qtbot, clip.path)
    slowly(monkeypatch, seconds)
    began = time.monotonic()
    do(window, Do.PLAY_ON, Do.PLAY_ON)
    plays_to_the_end(window, qtbot)
    assert time.monotonic() - began < 5  # it keeps to the clock
    assert watch.number == 99
    assert len(watch.numbers) > 2


def test_never_mislabelled_while_scores_come_in(
    window: MainWindow, watch: Watch, model: Reads, clip: Clip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, 0.1)
    model.gate.clear()
    drop(window, clip.path)
    qtbot.waitUntil(lambda: len(window.session.keys) == 8)
    opened(window, qtbot)
    do(window, Do.PLAY)
    qtbot.waitUntil(lambda: watch.number > 15)
    model.gate.set()
    plays_to_the_end(window, qtbot)
    assert len(window.session.items) == 8


def test_whoever_goes_elsewhere_while_it_plays_is_followed(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    do(window, Do.PLAY)
    qtbot.waitUntil(lambda: watch.number > 3)
    window.bench.film_model.go_to((NAME, 75))  # a click on the film
    qtbot.waitUntil(lambda: watch.number > 75, timeout=5000)
    assert 75 in watch.numbers
    do(window, Do.FIRST)
    qtbot.waitUntil(lambda: watch.number < 20)
    qtbot.wait(200)
    assert watch.number < 40
    window.bench.timeline.sought.emit(2.0, True)
    qtbot.waitUntil(lambda: watch.number >= 50)
    assert window.playing.playing
    do(window, Do.HOLD)


def test_leafing_through_stills_goes_on_into_a_recording(
    window: MainWindow, watch: Watch, clip: Clip, stills: Path, qtbot: QtBot
) -> None:
    scored(window, qtbot, stills, clip.path)
    look(window, qtbot, ("stills/2.png", 0))
    do(window, Do.PLAY)
    qtbot.waitUntil(lambda: bool(watch.numbers), timeout=5000)
    qtbot.wait(300)
    assert watch.number < 40  # it is played from its beginning
    do(window, Do.HOLD)
    opened(window, qtbot)


def test_a_still_that_is_chosen_ends_the_playing(
    window: MainWindow, watch: Watch, clip: Clip, stills: Path, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path, stills)
    do(window, Do.PLAY)
    qtbot.waitUntil(lambda: watch.number > 3)
    window.bench.film_model.go_to(("stills/1.png", 0))
    assert not window.playing.playing
    opened(window, qtbot)
    qtbot.wait(100)
    assert window.browsing.shown == ("stills/1.png", 0)


def test_the_chosen_speed_holds_for_the_next_play(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    transport = window.bench.transport
    transport.speed_chosen.emit(0.25)
    transport.played.emit(True)
    assert transport._speeds.currentData() == 0.25
    began = time.monotonic()
    qtbot.waitUntil(lambda: watch.number >= 3)
    assert time.monotonic() - began > 0.4  # 0.12 s of the recording
    do(window, Do.PLAY_ON)  # a slow one can be sped up too
    assert transport._speeds.currentData() == 0.5
    do(window, Do.HOLD)
    assert transport._speeds.currentData() == 0.25
    transport.speed_chosen.emit(1.0)
    do(window, Do.PLAY)
    assert transport._speeds.currentData() == 1.0


def test_keys_work_while_a_large_clip_plays(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = make_clip(tmp_path / "large", "h264-mp4", 150, size=(1920, 1080))
    watch = Watch(window, large.times, (0, *range(13, 150, 25), *range(25, 150, 25)))
    watch.sampled = sorted(watch.sampled)
    scored(window, qtbot, large.path)
    watch.faults.clear()  # before the scores are there, times and grades are not compared
    beats: list[float] = []
    last = time.monotonic()
    do(window, Do.PLAY)
    while window.playing.playing and len(watch.numbers) < 60:
        qtbot.wait(5)
        now = time.monotonic()
        beats.append(now - last)
        last = now
    began = time.monotonic()
    qtbot.keyClick(window, Qt.Key.Key_K)
    took = time.monotonic() - began
    assert not window.playing.playing
    with capsys.disabled():
        print(f"\n1080p: {len(watch.numbers)} frames shown, worst gap {max(beats) * 1000:.0f} ms")
    assert took < 0.5
    opened(window, qtbot)
    watch.stop()
