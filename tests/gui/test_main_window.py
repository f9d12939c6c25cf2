"""Journeys through the window, as an endoscopist makes them; a stand-in model, real picture files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox
from pytestqt.qtbot import QtBot
from stand_in import StandIn

from mtl_core.scores import Heatmap
from uc_viewer.case import Case, Segment
from uc_viewer.gui import printing
from uc_viewer.gui.actions import Do
from uc_viewer.gui.jobs import ModelError
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Session
from uc_viewer.paths import intended_use
from uc_viewer.settings import Settings

LEVELS = (40, 80, 120, 160)


def make_picture(path: Path, grade: int, number: int) -> None:
    """A picture the stand-in gives this grade; no two have the same bytes."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = LEVELS[grade], number, 10
    Image.fromarray(pixels).save(path)


@pytest.fixture
def model() -> StandIn:
    return StandIn()


@pytest.fixture
def window(qtbot: QtBot, model: StandIn) -> Iterator[MainWindow]:
    window = MainWindow(Session(lambda name, device: model))
    window.show()
    yield window
    model.gate.set()
    window.session.reader.edits.setClean()  # otherwise the window asks before it goes
    window.close()


@pytest.fixture
def visit(tmp_path: Path) -> Path:
    """Eighteen pictures, grades 0 to 3 in turn, in a folder with a Korean and Turkish name."""
    folder = tmp_path / "방문 şğı"
    folder.mkdir()
    for number in range(18):
        make_picture(folder / f"{number:02d}.png", number % 4, number)
    return folder


def drop(window: MainWindow, *paths: Path) -> None:
    """Let paths fall on the window as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    window.dropEvent(QDropEvent(QPointF(9, 9), actions, data, buttons, Qt.KeyboardModifier.NoModifier))


def wait_for_the_end(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(window.session.keys) and not window.session.running, timeout=20_000)


def do(window: MainWindow, *deeds: Do) -> None:
    for deed in deeds:
        window.actions_[deed].trigger()


def go_to(window: MainWindow, name: str) -> None:
    window.bench.film_model.go_to((name, 0))


def text_of(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def test_from_drop_to_report(window: MainWindow, visit: Path, tmp_path: Path, qtbot: QtBot) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    assert len(window.session.items) == 18
    go_to(window, "01.png")
    do(window, Do.GRADE_2, Do.SIGMOID, Do.KEY_IMAGE)
    go_to(window, "06.png")
    do(window, Do.GRADE_1, Do.RECTUM, Do.KEY_IMAGE)
    go_to(window, "08.png")
    do(window, Do.MARK_IN)
    go_to(window, "11.png")
    do(window, Do.MARK_OUT, Do.DESCENDING)
    for name in ("03.png", "07.png"):
        go_to(window, name)
        do(window, Do.KEY_IMAGE)
    window.bench.case_form.comment_edited.emit("Mild to moderate, left-sided.")
    reading = window.session.reader.reading
    assert [key[0] for key, r in reading.frames.items() if r.segment is Segment.DESCENDING] == [
        "08.png", "09.png", "10.png", "11.png",
    ]  # fmt: skip
    assert sum(r.key_image for r in reading.frames.values()) == 4
    report = tmp_path / "report.pdf"
    with qtbot.waitSignal(window.session.saved, timeout=60_000):
        window.reporting.save(report)
    text = text_of(report)
    assert "Reader: highest MES 2" in text
    assert "reader 2" in text  # the caption of the key image the reader overrode
    assert "Mild to moderate, left-sided." in text
    for segment in ("sigmoid", "rectum", "descending"):
        assert segment in text.lower()
    assert not window.session.reader.unsaved
    assert "Report saved" in " ".join(window.bench.toasts.texts)


def test_the_banner_stands_on_every_screen_and_in_the_title(
    window: MainWindow, visit: Path, qtbot: QtBot
) -> None:
    banner = window.findChild(QLabel, "banner")
    for _ in range(2):
        assert banner is not None
        assert banner.text() == intended_use()
        assert banner.isVisible()
        assert "research use only" in window.windowTitle()
        drop(window, visit)
        wait_for_the_end(window, qtbot)
    do(window, Do.FULL_SCREEN)
    assert banner.isVisible()


def test_keys_reach_the_reader_from_the_film_and_not_while_typing(
    window: MainWindow, visit: Path, qtbot: QtBot
) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    window.activateWindow()
    strip, reader = window.bench.strip, window.session.reader
    strip.setFocus()
    for key in (Qt.Key.Key_3, Qt.Key.Key_S, Qt.Key.Key_M):
        qtbot.keyClick(strip, key)
    said = reader.of(("00.png", 0))
    assert (said.grade, said.segment, said.key_image) == (3, Segment.SIGMOID, True)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert window.browsing.current == ("01.png", 0)
    do(window, Do.COMMENT)
    field = window.focusWidget()
    assert field is not None
    for letter in "2x":
        qtbot.keyClick(field, letter)
    assert reader.of(("01.png", 0)).grade is None
    window.bench.scores.reader.commit()
    assert reader.of(("01.png", 0)).comment == "2x"


def test_everything_the_reader_does_can_be_undone(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    do(window, Do.SELECT_ALL, Do.GRADE_1, Do.RECTUM, Do.REJECT)
    assert len(window.session.reader.reading.frames) == 18
    assert window.actions_[Do.UNDO].text() == "Undo reject frame"
    do(window, Do.UNDO, Do.UNDO, Do.UNDO)
    assert not window.session.reader.reading.frames
    do(window, Do.REDO)
    assert {r.grade for r in window.session.reader.reading.frames.values()} == {1}


def test_ways_through_the_frames(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    places = []
    for deed in (Do.LAST, Do.FIRST, Do.NEXT_SEVERE, Do.NEXT_SEVERE, Do.PREVIOUS_SEVERE, Do.ON_TEN, Do.WORST):
        do(window, deed)
        places.append(str(window.browsing.current[0]) if window.browsing.current else "")
    assert places == ["17.png", "00.png", "02.png", "03.png", "02.png", "12.png", "03.png"]
    window.browsing.set_severe(3)
    do(window, Do.FIRST, Do.NEXT_SEVERE)
    assert window.browsing.current == ("03.png", 0)
    do(window, Do.GRADE_0, Do.FIRST, Do.NEXT_FLAGGED)  # reader and model differ
    assert window.browsing.current == ("03.png", 0)


def test_leafing_through_ends_at_the_last_frame(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    go_to(window, "15.png")
    do(window, Do.PLAY_ON, Do.PLAY_ON, Do.PLAY_ON)
    qtbot.waitUntil(lambda: window.browsing.current == ("17.png", 0), timeout=10_000)
    do(window, Do.PLAY_BACK)
    qtbot.waitUntil(lambda: window.browsing.current == ("16.png", 0), timeout=10_000)
    do(window, Do.HOLD)


def test_a_drop_while_a_run_goes_on_waits_for_its_turn(
    window: MainWindow, model: StandIn, visit: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    model.gate.clear()
    drop(window, visit)
    qtbot.waitUntil(lambda: window.session.model is not None)
    make_picture(tmp_path / "late.png", 3, 99)
    drop(window, tmp_path / "late.png", visit / "00.png")
    model.gate.set()
    wait_for_the_end(window, qtbot)
    assert [key[0] for key in window.session.keys][-1] == "late.png"
    assert len(window.session.items) == 19
    assert "1 picture is in this case already." in window.bench.toasts.texts


def test_pause_cancel_and_the_rest(window: MainWindow, model: StandIn, visit: Path, qtbot: QtBot) -> None:
    model.gate.clear()
    drop(window, visit)
    qtbot.waitUntil(lambda: window.session.model is not None and bool(window.session.keys))
    do(window, Do.PAUSE)
    assert window.session.paused
    do(window, Do.PAUSE)
    do(window, Do.CANCEL)
    model.gate.set()
    qtbot.waitUntil(lambda: not window.session.running)
    assert len(window.session.items) < 18
    assert any("INCOMPLETE" in text for text in window.bench.toasts.texts)
    assert window.actions_[Do.SCORE_REST].isEnabled()
    do(window, Do.SCORE_REST)
    wait_for_the_end(window, qtbot)
    assert len(window.session.items) == 18


def test_a_heatmap_shows_only_over_its_own_picture(
    window: MainWindow, visit: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def heatmap(model: object, image: np.ndarray, target: str, grade: int, method: str) -> Heatmap:
        asked.append((target, method))
        return Heatmap(np.ones(image.shape[:2], np.float32), 0.5, target, method, 2.0)

    monkeypatch.setattr("mtl_core.explain.heatmap", heatmap)
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    assert not asked  # off by default
    with qtbot.waitSignal(window.session.explained):
        do(window, Do.HEATMAP)
    assert window.bench.heat.shown
    with qtbot.waitSignal(window.session.explained):
        do(window, Do.NEXT)
    do(window, Do.HEATMAP)
    assert not window.bench.heat.shown
    assert asked == [("grade", "Grad-CAM")] * 2


def test_an_empty_folder_says_what_to_do(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "empty").mkdir()
    drop(window, tmp_path / "empty")
    qtbot.waitUntil(lambda: bool(window.bench.toasts.texts))
    assert window.bench.toasts.texts[0].startswith("No pictures were found there. Drop pictures")
    assert window.session.model is None


def test_the_sample_gives_way_to_a_real_case(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    window.open_sample()
    assert window.session.reader.case == Case(synthetic=True)
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    assert window.session.reader.case == Case()
    assert len(window.session.keys) == 18


def test_a_reading_is_not_lost_without_asking(
    window: MainWindow, visit: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    do(window, Do.GRADE_2)
    answers = [QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Discard]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    do(window, Do.NEW)
    assert window.session.reader.of(("00.png", 0)).grade == 2
    do(window, Do.NEW)
    assert not window.session.keys
    assert not answers


def test_closing_in_the_middle_of_a_run_ends_all_threads(
    window: MainWindow, model: StandIn, visit: Path, qtbot: QtBot
) -> None:
    drop(window, visit)
    qtbot.waitUntil(lambda: window.session.model is not None)
    window.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("engine")]


def test_a_report_that_cannot_be_saved_is_one_line(
    window: MainWindow, visit: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    with qtbot.waitSignal(window.session.failed, timeout=60_000):
        window.reporting.save(tmp_path / "nowhere" / "report.pdf")
    assert len(window.bench.toasts.texts) == 1


def test_the_report_is_printed_page_by_page(
    window: MainWindow, visit: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    with qtbot.waitSignal(window.session.report_made, timeout=60_000) as made:
        window.session.make_report("A4")
    report = made.args[0]
    printer = QPrinter(QPrinter.PrinterMode.ScreenResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "paper.pdf"))
    printing.set_paper(printer, report.sizes[0])
    window.reporting.print_on(printer, report)
    qtbot.waitUntil(
        lambda: "The report was sent to the printer." in window.bench.toasts.texts, timeout=60_000
    )
    assert len(PdfReader(tmp_path / "paper.pdf").pages) == len(report.sizes)


def test_a_name_without_an_ending_gets_pdf(
    window: MainWindow, visit: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(window, visit)
    wait_for_the_end(window, qtbot)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "ward"), ""))
    with qtbot.waitSignal(window.session.saved, timeout=60_000):
        do(window, Do.SAVE)
    assert (tmp_path / "ward.pdf").stat().st_size > 1000


def test_settings_are_kept_and_come_back(qtbot: QtBot, model: StandIn) -> None:
    kept: list[Settings] = []
    window = MainWindow(Session(lambda *_: model), Settings(keys={"grade-3": "V"}), kept.append)
    qtbot.addWidget(window)
    window.show()
    assert window.actions_.key_of(Do.GRADE_3) == "V"
    window.choosing.change(page="Letter", theme="dark")
    assert window.reporting.page == "Letter"
    window.close()
    assert (kept[-1].page, kept[-1].theme, bool(kept[-1].geometry)) == ("Letter", "dark", True)


def test_a_model_that_cannot_be_loaded_is_one_line_and_another_can_be_chosen(
    visit: Path, model: StandIn, qtbot: QtBot
) -> None:
    def make(name: str, device: str) -> StandIn:
        if name == "broken":
            raise ModelError("broken: no such model")
        return model

    session = Session(make)
    session.use_model("broken", "auto")
    window = MainWindow(session)
    window.show()
    drop(window, visit)
    qtbot.waitUntil(lambda: "broken: no such model" in window.bench.toasts.texts)
    session.use_model("", "auto")
    qtbot.waitUntil(lambda: len(session.items) == 18, timeout=20_000)
    window.close()
