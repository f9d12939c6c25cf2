"""The window, driven by a stand-in model over real picture files."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QPalette
from pytestqt.qtbot import QtBot

from mtl_core.scores import FrameScores
from mtl_core.spec import ModelSpec
from uc_viewer.case import Case, FrameResult
from uc_viewer.gui import app, theme
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.frame_table import FrameTableModel
from uc_viewer.gui.widgets.score_panel import ScorePanel
from uc_viewer.paths import intended_use


class StandIn:
    """Grades a picture by its red level: 40 is 0, 80 is 1, 120 is 2, 160 is 3; black is rejected."""

    name = "stand-in"
    device = "cpu"
    device_reason = "no supported GPU found"
    active_threshold = 0.5

    def __init__(self) -> None:
        self.card: dict[str, Any] = {
            "format": 1,
            "name": self.name,
            "spec": ModelSpec("mobilenet_v2").to_dict(),
            "thresholds": {"active": 0.5, "sensitivity": 0.95},
            "weights_sha256": "0" * 64,
            "training": {"data": "none"},
            "limits": ["a stand-in"],
            "attribution": [],
            "code_version": "0",
        }
        self.gate = threading.Event()
        self.gate.set()

    def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        for frame in frames:
            assert self.gate.wait(10)
            level = int(frame[..., 0].mean())
            if level < 20:
                yield FrameScores.rejected("too dark")
                continue
            p = [0.1] * 4
            p[round(level / 40) - 1] = 0.7
            yield FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], p[2] + p[3] >= 0.5)


@pytest.fixture
def model() -> StandIn:
    return StandIn()


@pytest.fixture
def window(qtbot: QtBot, model: StandIn) -> Iterator[MainWindow]:
    session = Session(lambda: model)
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    yield window
    model.gate.set()
    session.close()


@pytest.fixture
def visit(tmp_path: Path) -> Path:
    """Six pictures: MES 0 to 3, one too dark, one that is text."""
    folder = tmp_path / "방문 ş"
    folder.mkdir()
    for number, level in enumerate((40, 80, 120, 160, 4)):
        Image.new("RGB", (64, 48), (level, 10, 10)).save(folder / f"{number}.png")
    (folder / "5.jpg").write_text("not a picture")
    return folder


def rows(window: MainWindow) -> list[list[str]]:
    table = window._table.model()
    assert isinstance(table, FrameTableModel)
    return [
        [str(table.index(row, column).data() or "") for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def wait_for_the_end(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window._session.running, timeout=10_000)


def test_the_banner_stands_on_the_first_screen_and_in_the_title(window: MainWindow) -> None:
    assert window._banner.text() == intended_use()
    assert window._banner.isVisible()
    assert "research use only" in window.windowTitle()
    assert window._stack.currentIndex() == 0
    assert not window._save.isEnabled()
    assert not window._cancel.isVisible()


def test_pictures_become_rows_with_grades_and_reasons(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    table = rows(window)
    assert [row[0] for row in table] == ["0.png", "1.png", "2.png", "3.png", "4.png", "5.jpg"]
    assert [row[1] for row in table] == ["0", "1", "2", "3", "", ""]
    assert table[2][2:7] == ["0.10", "0.10", "0.70", "0.10", "0.80"]
    assert table[4][7] == "too dark"
    assert table[5][7]
    assert window._pace.text() == "4 scored, 1 not scored, 1 could not be opened"
    assert "stand-in on cpu (no supported GPU found)" in window._model.text()
    assert window._banner.isVisible()
    assert window._save.isEnabled()
    assert not window._cancel.isVisible()


def test_the_chosen_picture_is_shown_with_its_scores(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    window._table.selectRow(3)
    qtbot.waitUntil(lambda: window._picture.accessibleName() == "3.png")
    assert window._scores._grade.text() == "AI: MES 3, severe"
    shown = window._picture.grab().toImage()
    middle = shown.pixelColor(shown.width() // 2, shown.height() // 2)
    assert middle.getRgb()[:3] == (160, 10, 10)
    window._table.selectRow(4)
    assert window._scores._grade.text() == "Not scored"
    assert window._scores._coarse.text() == "too dark"
    window._table.selectRow(5)
    assert window._scores._grade.text() == "Could not be opened"
    assert window._picture.accessibleName() == "No picture"


@pytest.mark.parametrize(
    ("probabilities", "active", "differ"),
    [
        ((0.7, 0.1, 0.1, 0.1), True, True),
        ((0.1, 0.1, 0.7, 0.1), True, False),
        ((0.1, 0.1, 0.7, 0.1), False, True),
    ],
)
def test_a_grade_and_a_coarse_answer_that_differ_are_pointed_out(
    qtbot: QtBot, probabilities: tuple[float, float, float, float], active: bool, differ: bool
) -> None:
    panel = ScorePanel()
    qtbot.addWidget(panel)
    panel.show_scores("a.png", FrameScores(probabilities, 0.5, active))
    assert ("differ" in panel._coarse.text()) is differ


def test_rows_arrive_while_the_run_goes_on_and_cancel_keeps_them(
    window: MainWindow, model: StandIn, tmp_path: Path, qtbot: QtBot
) -> None:
    for number in range(40):
        Image.new("RGB", (64, 48), (80, 10, 10)).save(tmp_path / f"{number}.png")
    given = 0

    def slowly(frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        nonlocal given
        for scores in StandIn.predict(model, frames, batch):
            given += 1
            if given == 9:
                model.gate.clear()
            yield scores

    model.predict = slowly  # type: ignore[method-assign]
    window.open_paths([tmp_path])
    qtbot.waitUntil(lambda: len(rows(window)) >= 8)
    assert window._session.running
    assert window._cancel.isVisible()
    assert window._progress.value() == len(rows(window))
    assert "of 40" in window._pace.text()
    assert not window._save.isEnabled()
    window._cancel.click()
    model.gate.set()
    wait_for_the_end(window, qtbot)
    kept = len(rows(window))
    assert 8 <= kept < 40
    assert window._notice.text() == f"INCOMPLETE: stopped after {kept} of 40 pictures."
    run = window._session.run()
    assert not run.complete
    assert (run.expected, len(run.results)) == (40, kept)


def test_a_drop_starts_a_run_and_a_drop_while_running_is_refused(
    window: MainWindow, model: StandIn, visit: Path, qtbot: QtBot
) -> None:
    def drop(path: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        window.dropEvent(
            QDropEvent(
                QPointF(9, 9),
                Qt.DropAction.CopyAction,
                data,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
        )

    model.gate.clear()
    drop(visit)
    assert window._session.running
    drop(visit / "0.png")
    assert "A run is going on" in window._notice.text()
    model.gate.set()
    wait_for_the_end(window, qtbot)
    assert len(rows(window)) == 6


def test_a_second_case_replaces_the_first(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    window.open_paths([visit / "3.png"])
    wait_for_the_end(window, qtbot)
    assert [row[0] for row in rows(window)] == ["3.png"]


def test_an_empty_folder_says_so_and_loads_no_model(qtbot: QtBot, tmp_path: Path) -> None:
    def refuse() -> StandIn:
        raise AssertionError("nothing to score, and the model was loaded")

    session = Session(refuse)
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    window.open_paths([tmp_path])
    wait_for_the_end(window, qtbot)
    assert "No pictures were found" in window._notice.text()
    assert window._stack.currentIndex() == 0
    session.close()


def test_a_model_that_cannot_be_loaded_is_one_line(qtbot: QtBot, visit: Path) -> None:
    def broken() -> StandIn:
        raise OSError("model 'default': weights changed; restore the model folder")

    session = Session(broken)
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    assert window._notice.text() == "model 'default': weights changed; restore the model folder"
    assert not window._save.isEnabled()
    assert window._stack.currentIndex() == 0
    session.close()


def test_the_report_is_saved(window: MainWindow, visit: Path, tmp_path: Path, qtbot: QtBot) -> None:
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    with qtbot.waitSignal(window._session.saved, timeout=20_000):
        window._session.save_report(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert window._notice.text() == "Report saved: report.pdf"


def test_a_report_that_cannot_be_saved_is_one_line(
    window: MainWindow, visit: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    with qtbot.waitSignal(window._session.failed, timeout=20_000):
        window._session.save_report(tmp_path / "absent" / "report.pdf")
    assert "absent" in window._notice.text()
    assert len(rows(window)) == 6


def test_a_synthetic_case_is_labelled(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    assert not window._synthetic.isVisible()
    window._session.open([visit], Case(synthetic=True))
    wait_for_the_end(window, qtbot)
    assert window._synthetic.isVisible()
    assert "SYNTHETIC" in window._synthetic.text()
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    assert not window._synthetic.isVisible()


def test_closing_in_the_middle_of_a_run_ends_the_engine_thread(
    qtbot: QtBot, model: StandIn, visit: Path
) -> None:
    window = MainWindow(Session(lambda: model))
    qtbot.addWidget(window)
    window.show()
    window.open_paths([visit])
    qtbot.waitUntil(lambda: bool(window._session.items))
    window.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("engine")]


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_text_can_be_read_in_both_themes(scheme: Qt.ColorScheme) -> None:
    from uc_viewer.grades import contrast

    colours, role = theme.palette(scheme), QPalette.ColorRole
    pairs = [
        (role.WindowText, role.Window),
        (role.Text, role.Base),
        (role.Text, role.AlternateBase),
        (role.ButtonText, role.Button),
        (role.HighlightedText, role.Highlight),
        (role.PlaceholderText, role.Base),
    ]
    for ink, ground in pairs:
        ratio = contrast(colours.color(ink).name(), colours.color(ground).name())
        assert ratio >= 4.5, f"{ink} on {ground}: {ratio:.1f}"
    assert contrast(*theme.BANNER) >= 7


def test_the_command_line_names_paths_or_the_sample_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as told:
        app.main(["--sample", "a.png"])
    assert told.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_results_hold_the_digest_of_their_file(window: MainWindow, visit: Path, qtbot: QtBot) -> None:
    window.open_paths([visit])
    wait_for_the_end(window, qtbot)
    results = [item for item in window._session.items if isinstance(item, FrameResult)]
    assert all(len(result.source_sha256) == 64 for result in results)
    assert window._session.run().provenance["device"] == {"name": "cpu", "reason": "no supported GPU found"}
