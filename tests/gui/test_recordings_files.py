"""Journeys with files: gone and back, broken ones, DICOM and its patients, scoring cut short."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from clips import Clip, audio_only, copy_of, damage, draw, truncate
from dicom_files import frames, jpeg_frames, still
from PySide6.QtWidgets import QInputDialog, QPushButton
from pytestqt.qtbot import QtBot
from watched_window import Reads, clip_of, do, drop, ended, look, opened, opened_window, scored

from uc_viewer.case import Case, FrameResult, Unreadable
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


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def toasts(window: MainWindow) -> str:
    return "\n".join(window.bench.toasts.texts)


# Gone, broken


def test_a_file_that_goes_away_and_comes_back(
    window: MainWindow, model: Reads, long: Path, qtbot: QtBot
) -> None:
    away = long.with_suffix(".away")

    def unplug(number: int) -> int:
        if len(model.seen) == 5:
            long.rename(away)
        return 0

    model.grade = unplug
    drop(window, long)
    ended(window, qtbot)
    done = set(model.seen)
    assert 5 <= len(done) < 32
    told = window.bench.toasts.texts
    assert sum("plug its drive in again" in text for text in told) == 1
    assert sum("INCOMPLETE" in text for text in told) == 1
    assert "INCOMPLETE" in window.bench.summary.text
    run = window.session.run()
    assert not run.complete
    assert "not there any more" in run.interrupted
    model.grade = lambda number: 0
    away.rename(long)
    do(window, Do.SCORE_REST)
    ended(window, qtbot)
    assert sorted(model.seen) == sorted(index for _, index in window.session.keys)  # each of them once
    assert window.session.run().complete
    assert window.session.run().interrupted == ""
    look(window, qtbot, window.session.keys[-1])
    assert not window.bench.image._image.isNull()


def test_a_file_that_is_gone_while_it_plays(window: MainWindow, long: Path, qtbot: QtBot) -> None:
    scored(window, qtbot, long)
    do(window, Do.PLAY)
    qtbot.waitUntil(lambda: (window.browsing.shown or ("", 0))[1] > 5)
    long.unlink()
    qtbot.waitUntil(lambda: "plug its drive in again" in window.bench.image._text)
    do(window, Do.HOLD, Do.GRADE_1, Do.PREVIOUS)  # nothing of it fails
    opened(window, qtbot)


def test_broken_files_are_listed_with_the_reason(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot
) -> None:
    broken = truncate(copy_of(clip, tmp_path), 0.6)
    sound = audio_only(tmp_path / "sound.mp4")
    scored(window, qtbot, broken, sound)
    reasons = {
        item.source_file: item.reason
        for item in window.session.items.values()
        if isinstance(item, Unreadable)
    }
    assert reasons.keys() == {broken.name, sound.name}
    assert "sound only" in reasons[sound.name]
    for name, reason in reasons.items():
        look(window, qtbot, (name, 0))
        assert reason in window.bench.image._text
        assert not window.bench.timeline.isVisible()
    assert "2 could not be opened" in window.bench.summary.text


def test_damaged_frames_leave_the_others_as_they_are(
    window: MainWindow, model: Reads, clip: Clip, tmp_path: Path, qtbot: QtBot
) -> None:
    scored(window, qtbot, damage(copy_of(clip, tmp_path), 0.6))
    items = window.session.items
    lost = [key for key, item in items.items() if isinstance(item, Unreadable)]
    assert 0 < len(lost) < 8
    film = window.bench.film_model
    for row in range(film.rowCount()):
        frame = film.frame(row)
        assert frame.item is items[frame.key]
    for key, item in items.items():
        if isinstance(item, FrameResult):
            assert item.scores.grade == model.grade(key[1])


def test_scoring_is_cancelled_within_a_second(
    window: MainWindow, model: Reads, long: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = Video.decode

    def slow(self: Video, indices: Sequence[int]) -> Iterator[Frame | Unreadable]:
        for item in decode(self, indices):
            time.sleep(0.05)
            yield item

    monkeypatch.setattr(Video, "decode", slow)
    model.grade = lambda number: time.sleep(0.05) or 0
    drop(window, long)
    qtbot.waitUntil(lambda: len(window.session.items) > 2, timeout=20_000)
    began = time.monotonic()
    do(window, Do.CANCEL)
    assert not window.session.running
    qtbot.waitUntil(lambda: not window.session._engine.busy)
    assert time.monotonic() - began < 1
    assert "ahead" not in [thread.name for thread in threading.enumerate()]
    assert "INCOMPLETE" in toasts(window)


# DICOM


def test_frames_without_times_are_browsed_as_stills(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    scored(window, qtbot, put(tmp_path / "many.dcm", jpeg_frames(range(6))))
    assert len(window.session.keys) == 6
    assert not window.bench.timeline.isVisible()
    assert not window.bench.transport.isVisible()
    do(window, Do.NEXT, Do.NEXT)
    opened(window, qtbot)
    assert window.browsing.shown == ("many.dcm", 2)
    assert window.bench.scores._name.text() == "many.dcm #2"
    do(window, Do.ON_SECOND, Do.BACK_SECOND)
    assert window.browsing.wanted == ("many.dcm", 2)
    do(window, Do.PLAY)
    qtbot.waitUntil(lambda: window.browsing.current == ("many.dcm", 5), timeout=10_000)
    qtbot.waitUntil(lambda: not window.playing.playing)
    assert "sustained" not in window.bench.summary.text


def test_frames_with_times_are_a_recording(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    scored(window, qtbot, put(tmp_path / "timed.dcm", frames(range(50))))
    assert window.bench.timeline.isVisible()
    do(window, Do.ON_SECOND)
    opened(window, qtbot)
    assert window.browsing.shown == ("timed.dcm", 25)


def patients(folder: Path, *names: str) -> list[Path]:
    """A DICOM still of each."""
    return [
        put(folder / f"{name}.dcm", still(draw(number), PatientID=name, PatientName=f"{name}^X"))
        for number, name in enumerate(names)
    ]


def answer(monkeypatch: pytest.MonkeyPatch, number: int | None) -> list[list[str]]:
    """Choose this patient of those asked for, or none; gives what was asked."""
    asked: list[list[str]] = []

    def get_item(parent: object, title: str, text: str, labels: list[str], *_: object) -> tuple[str, bool]:
        asked.append(labels)
        return ("", False) if number is None else (labels[number], True)

    monkeypatch.setattr(QInputDialog, "getItem", get_item)
    return asked


def test_two_patients_in_one_drop_are_asked_for_and_never_merged(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, 1)
    one, other = patients(tmp_path, "A1", "B2")
    more = put(tmp_path / "more.dcm", still(draw(9), PatientID="B2", PatientName="B2^X"))
    scored(window, qtbot, one, other, more)
    (labels,) = asked
    assert ["A1" in labels[0], "B2" in labels[1]] == [True, True]
    assert [key[0] for key in window.session.keys] == ["B2.dcm", "more.dcm"]
    assert window.session.reader.case == Case()  # nothing is taken over by itself


def test_whoever_chooses_no_patient_gets_none_and_the_next_drop_has_its_turn(
    window: MainWindow, clip: Clip, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, None)
    both = patients(tmp_path, "A1", "B2")
    drop(window, *both)
    qtbot.waitUntil(lambda: bool(asked))
    qtbot.waitUntil(lambda: not window.session.running)
    qtbot.waitUntil(lambda: window.bench._stack.currentIndex() == 0)  # the first screen again
    assert window.bench.toasts.texts == []  # nobody says that there were no pictures
    drop(window, *both)
    drop(window, clip.path)
    ended(window, qtbot)
    assert len(asked) == 2
    assert {key[0] for key in window.session.keys} == {NAME}


def test_another_patient_is_left_out_of_a_case_that_has_one(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, 0)
    one, other = patients(tmp_path, "A1", "B2")
    more = put(tmp_path / "more.dcm", still(draw(9), PatientID="A1", PatientName="A1^X"))
    scored(window, qtbot, one)
    drop(window, other, more)
    qtbot.waitUntil(lambda: len(window.session.keys) == 2)
    ended(window, qtbot)
    assert [key[0] for key in window.session.keys] == ["A1.dcm", "more.dcm"]
    assert asked == []
    assert "another patient than this case: B2, X, B2." in toasts(window)


def test_patient_and_examination_are_taken_over_by_a_click_alone(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    scored(window, qtbot, *patients(tmp_path, "A1"))
    assert window.session.reader.case == Case()
    (button,) = [b for b in window.bench.toasts.findChildren(QPushButton) if b.text() == "Take over"]
    button.click()
    assert window.session.reader.case.patient_id == "A1"
    do(window, Do.UNDO)
    assert window.session.reader.case == Case()


def test_an_offer_ends_with_its_case(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    scored(window, qtbot, *patients(tmp_path, "A1"))
    assert "name a patient" in toasts(window)
    window.session.new_case()
    assert window.bench.toasts.texts == []
