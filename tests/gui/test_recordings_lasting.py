"""Journeys through recordings: what lasts in them, by which rule, and the report of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clips import Clip
from pypdf import PdfReader
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox
from pytestqt.qtbot import QtBot
from watched_window import (
    Reads,
    Watch,
    clip_of,
    do,
    drop,
    ended,
    look,
    opened_window,
    scored,
)  # fmt: skip

from mtl_core.aggregate import Rule
from uc_viewer.gui.actions import Do
from uc_viewer.gui.dialogs.preferences import Preferences
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.settings import Settings
from uc_viewer.sources.sampling import Sampling

NAME = "h264-mp4-100.mp4"


@pytest.fixture
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Four seconds, 25 frames a second."""
    return clip_of(tmp_path_factory)


@pytest.fixture
def kept() -> list[Settings]:
    """The settings that were kept, one after the other."""
    return []


@pytest.fixture
def window(qtbot: QtBot, kept: list[Settings]) -> Iterator[MainWindow]:
    with opened_window(Reads(), keep=kept.append) as window:
        yield window


@pytest.fixture
def watch(window: MainWindow, clip: Clip) -> Iterator[Watch]:
    watching = Watch(window, clip.times)
    yield watching
    watching.stop()


def test_the_summary_tells_what_lasts_and_the_single_frame_apart(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    text = window.bench.summary.text
    assert "worst sustained MES 2, moderate" in text
    assert "highest single frame MES 3 at 0:00:03.520, no result by itself" in text
    assert [grade for _, _, grade in window.bench.timeline._strip.sustained] == [2]


def test_two_seconds_are_not_gradable(
    window: MainWindow, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scored(window, qtbot, clip_of(tmp_path_factory, 50).path)
    assert "not gradable: 4 scored frames, 8 are needed" in window.bench.summary.text


def test_another_rule_holds_at_once_and_is_kept(
    window: MainWindow, watch: Watch, clip: Clip, kept: list[Settings], qtbot: QtBot
) -> None:
    scored(window, qtbot, clip.path)
    window.choosing.change(sustained_frames=1, sustained_seconds=0.0)
    assert "worst sustained MES 2" in window.bench.summary.text
    window.choosing.change(sustained_seconds=60.0)
    assert "not gradable: no 1 scored frames in a row that last 60 s" in window.bench.summary.text
    assert not window.bench.timeline._strip.sustained
    window.choosing.change(sustained_frames=4, sustained_seconds=1.5)
    assert "worst sustained MES 2" in window.bench.summary.text
    assert len(window.bench.timeline._strip.sustained) == 1
    assert (kept[-1].sustained_frames, kept[-1].sustained_seconds) == (4, 1.5)


def test_another_rate_holds_for_recordings_opened_from_then_on(
    window: MainWindow,
    clip: Clip,
    kept: list[Settings],
    qtbot: QtBot,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    scored(window, qtbot, clip.path)
    window.choosing.change(frames_per_second=5.0)
    assert len(window.session.keys) == 8
    said = window.session.run().provenance["sampling"]
    assert said == "2 frames per second, each under its own time"  # as this one was opened
    drop(window, clip_of(tmp_path_factory, 50).path)
    qtbot.waitUntil(lambda: len(window.session.keys) > 8)
    ended(window, qtbot)
    assert len(window.session.keys) == 8 + 10
    both = window.session.run().provenance["sampling"]
    assert both == f"{said}; 5 frames per second, each under its own time"
    assert kept[-1].frames_per_second == 5.0


def test_the_settings_hold_from_the_start(qtbot: QtBot) -> None:
    settings = Settings(frames_per_second=4.0, sustained_frames=6, sustained_seconds=2.0)
    with opened_window(Reads(), settings=settings) as window:
        assert window.session.sampling == Sampling(4.0)
        assert window.session.rule == Rule(frames=6, seconds=2.0)


def test_the_preferences_reach_the_session(
    window: MainWindow, kept: list[Settings], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turn(dialog: Preferences) -> int:
        rate, seconds = dialog.findChildren(QDoubleSpinBox)
        (frames,) = dialog.findChildren(QSpinBox)
        rate.setValue(0.25)
        frames.setValue(7)
        seconds.setValue(2.5)
        return 0

    monkeypatch.setattr(Preferences, "exec", turn)
    do(window, Do.PREFERENCES)
    assert window.session.sampling == Sampling(0.25)
    assert window.session.rule == Rule(frames=7, seconds=2.5)
    last = kept[-1]
    assert (last.frames_per_second, last.sustained_frames, last.sustained_seconds) == (0.25, 7, 2.5)


def test_a_new_case_knows_nothing_of_the_old_one(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scored(window, qtbot, clip.path)
    window.session.new_case()
    assert "MES" not in window.bench.summary.text
    assert window.browsing.shown is None
    assert not window.bench.timeline.isVisible()


def test_the_report_tells_what_lasts(
    window: MainWindow, watch: Watch, clip: Clip, qtbot: QtBot, tmp_path: Path
) -> None:
    scored(window, qtbot, clip.path)
    look(window, qtbot, (NAME, 30))
    do(window, Do.GRADE_2, Do.SIGMOID, Do.KEY_IMAGE)
    path = tmp_path / "report.pdf"
    with qtbot.waitSignal(window.session.saved, timeout=90_000):
        window.reporting.save(path)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())
    assert "sustained" in text.lower()
    assert "MES 2" in text
    assert "0:00:03.520" in text or "00:00:03.520" in text  # where the single frame is
    assert "2 frames per second, each under its own time" in text
