"""Journeys that end in files, and the end itself: clips, key images, another case, a closed window."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from clips import Clip, copy_of, damage, draw, read_number
from PIL import Image
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from watched_window import Reads, clip_of, do, drop, ended, look, opened_window, scored

from uc_viewer.gui.actions import Do
from uc_viewer.gui.dialogs.clip_options import ClipOptions
from uc_viewer.gui.main_window import MainWindow

NAME = "h264-mp4-100.mp4"


@pytest.fixture
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Four seconds, 25 frames a second."""
    return clip_of(tmp_path_factory)


@pytest.fixture
def long(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """Sixteen seconds, of which 32 frames are scored; a copy."""
    return copy_of(clip_of(tmp_path_factory, 400), tmp_path)


@pytest.fixture
def model() -> Reads:
    return Reads()


@pytest.fixture
def window(qtbot: QtBot, model: Reads) -> Iterator[MainWindow]:
    with opened_window(model) as window:
        yield window


def toasts(window: MainWindow) -> str:
    return "\n".join(window.bench.toasts.texts)


def held_open(*paths: Path) -> list[str]:
    """Those of some files that this process holds open, as far as the system tells."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return []
    links = []
    for entry in list(folder.iterdir()):
        try:
            links.append(os.readlink(entry))
        except OSError:
            continue  # the one that listed the folder
    return [str(path) for path in paths if str(path) in links]


def working_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("engine", "ahead"))]


# Clips and key images


def choose(monkeypatch: pytest.MonkeyPatch, target: Path, *, overlay: bool, crop: bool = False) -> None:
    """Answer all that is asked before something is written."""

    def execute(dialog: ClipOptions) -> int:
        dialog._overlay.setChecked(overlay)
        dialog._crop.setChecked(crop)
        return 1

    monkeypatch.setattr(ClipOptions, "exec", execute)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(target))


def read_clip(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_the_chosen_stretch_becomes_a_clip(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 20))
    do(window, Do.MARK_IN)
    look(window, qtbot, (NAME, 45))
    do(window, Do.MARK_OUT)
    choose(monkeypatch, tmp_path / "clean", overlay=False)
    with qtbot.waitSignal(window.session.exported, timeout=60_000):
        do(window, Do.CLIP)
    pictures = read_clip(tmp_path / "clean.mp4")  # it was given its ending
    assert [read_number(picture) for picture in pictures] == list(range(20, 46))
    assert "clean.mp4: 26 pictures written" in toasts(window)
    choose(monkeypatch, tmp_path / "marked.mp4", overlay=True)
    with qtbot.waitSignal(window.session.exported, timeout=60_000):
        do(window, Do.CLIP)
    marked = read_clip(tmp_path / "marked.mp4")
    assert len(marked) == 26
    assert marked[0].shape[0] > pictures[0].shape[0]  # the band stands below the picture
    assert not held_open(clip.path, tmp_path / "clean.mp4", tmp_path / "marked.mp4")[1:]


def test_no_file_is_written_over_without_asking(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, clip.path)
    (tmp_path / "ward.mp4").write_bytes(b"of yesterday")
    choose(monkeypatch, tmp_path / "ward", overlay=False)  # the system asks for this name, not for ward.mp4
    do(window, Do.CLIP)
    assert "ward.mp4 is there already" in toasts(window)
    qtbot.wait(100)
    assert (tmp_path / "ward.mp4").read_bytes() == b"of yesterday"


def test_a_cropped_clip_without_a_stretch_is_what_lies_around(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, clip.path)
    choose(monkeypatch, tmp_path / "clip.mp4", overlay=False, crop=True)
    with qtbot.waitSignal(window.session.exported, timeout=60_000):
        do(window, Do.CLIP)
    assert len(read_clip(tmp_path / "clip.mp4")) == 100


def test_frames_that_are_damaged_are_not_counted_as_written(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, damage(copy_of(clip, tmp_path), 0.6))
    choose(monkeypatch, tmp_path / "clip.mp4", overlay=False)
    with qtbot.waitSignal(window.session.exported, timeout=60_000) as told:
        do(window, Do.CLIP)
    saved = told.args[0]
    assert saved.lost > 0
    assert saved.pictures == len(read_clip(tmp_path / "clip.mp4")) == 100 - saved.lost
    assert f"clip.mp4: {saved.lost} frames are damaged" in toasts(window)


def test_key_images_of_recordings_and_stills(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "still.png"
    Image.fromarray(draw(77)).save(picture)
    scored(window, qtbot, clip.path, picture)
    for key in ((NAME, 38), (NAME, 63), ("still.png", 0)):
        look(window, qtbot, key)
        do(window, Do.KEY_IMAGE)
    folder = tmp_path / "key images"
    choose(monkeypatch, folder, overlay=False)
    with qtbot.waitSignal(window.session.exported, timeout=60_000):
        do(window, Do.KEY_FRAMES)
    written = {read_number(np.asarray(Image.open(path))): path.name for path in folder.glob("*.png")}
    assert sorted(written) == [38, 63, 77]
    assert "00-00-01.520" in written[38]


def test_a_clip_that_cannot_be_written_is_one_line(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, clip.path)
    choose(monkeypatch, tmp_path / "nowhere" / "clip.mp4", overlay=False)
    with qtbot.waitSignal(window.session.failed, timeout=60_000):
        do(window, Do.CLIP)
    assert [text for text in window.bench.toasts.texts if "clip.mp4 was not written: " in text]
    window.session.new_case()
    qtbot.wait(20)
    assert window.bench.toasts.texts == []  # nothing was being written any more


# The end


def test_a_new_case_while_a_clip_is_written_says_that_it_was_not(
    window: MainWindow, long: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(window, qtbot, long)
    target = tmp_path / "out" / "clip.mp4"
    target.parent.mkdir()
    choose(monkeypatch, target, overlay=True)
    look(window, qtbot, (long.name, 200))
    do(window, Do.CLIP, Do.PLAY)
    qtbot.waitUntil(lambda: any(target.parent.iterdir()))
    do(window, Do.NEW)
    qtbot.waitUntil(lambda: "clip.mp4 was not written: its case was closed" in toasts(window))
    assert not window.playing.playing
    qtbot.waitUntil(lambda: not any(lane.busy for lane in window.session._lanes.all))
    assert list(target.parent.iterdir()) == []
    assert not held_open(long)
    long.unlink()
    qtbot.wait(100)
    assert "ahead" not in working_threads()


@pytest.mark.parametrize("moment", ["scoring", "playing", "exporting"])
def test_the_window_is_closed_amid_work(
    qtbot: QtBot, long: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    model = Reads(lambda number: time.sleep(0.02) or 0)
    before = working_threads()
    with opened_window(model) as window:
        drop(window, long)
        qtbot.waitUntil(lambda: len(window.session.items) > 2)
        if moment != "scoring":
            ended(window, qtbot)
        if moment == "exporting":
            choose(monkeypatch, tmp_path / "clip.mp4", overlay=True)
            do(window, Do.CLIP)
        do(window, Do.PLAY)
        qtbot.waitUntil(lambda: (window.browsing.shown or ("", 0))[1] > 3)
        began = time.monotonic()
        window.close()
        assert time.monotonic() - began < 1
        assert working_threads() == before
        assert not held_open(long, tmp_path / "clip.mp4")
        qtbot.wait(150)  # no timer is left that asks for more
    assert sorted(path.name for path in tmp_path.iterdir()) == [long.name]
