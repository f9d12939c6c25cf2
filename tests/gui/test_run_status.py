"""The line at the foot of the window."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from PySide6.QtWidgets import QLabel, QProgressBar, QToolButton
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets.run_status import RunStatus

LONG = "김서연_대장내시경_2025-06-01_원위부_아주긴파일이름 Çağrı Şükrüoğlu Ilgın İğdeli " * 4


@dataclass(frozen=True)
class State:
    """What the line is given, and what can be seen."""

    done: int
    total: int
    left: str
    running: bool
    paused: bool
    text: str
    buttons: tuple[str, ...]


STATES = {
    "idle": State(0, 0, "", False, False, "", ()),
    "looking": State(0, 0, "", True, False, "Looking for pictures…", ("Pause", "Cancel")),
    "looking, held": State(0, 0, "", True, True, "Paused", ("Go on", "Cancel")),
    "begun": State(3, 20, "", True, False, "3 of 20", ("Pause", "Cancel")),
    "running": State(120, 1500, "3 min", True, False, "120 of 1,500, 3 min left", ("Pause", "Cancel")),
    "paused": State(120, 1500, "3 min", True, True, "120 of 1,500, paused", ("Go on", "Cancel")),
    "incomplete": State(120, 1500, "", False, False, "INCOMPLETE: 120 of 1,500", ("Score the rest",)),
    "incomplete, held before": State(1, 2, "", False, True, "INCOMPLETE: 1 of 2", ("Score the rest",)),
    "done": State(1500, 1500, "", False, False, "", ()),
}


@pytest.fixture
def status(qtbot: QtBot) -> RunStatus:
    made = RunStatus()
    qtbot.addWidget(made)
    made.show()
    return made


def give(status: RunStatus, state: State) -> None:
    status.show_progress(state.done, state.total, state.left, running=state.running, paused=state.paused)


def buttons(status: RunStatus) -> dict[str, QToolButton]:
    """The visible buttons but for the chip, which stands first."""
    return {button.text(): button for button in status.findChildren(QToolButton)[1:] if button.isVisible()}


def chip(status: RunStatus) -> QToolButton:
    return status.findChildren(QToolButton)[0]


def texts(status: RunStatus) -> list[str]:
    return [label.text() for label in status.findChildren(QLabel) if label.isVisible() and label.text()]


@pytest.mark.parametrize("before", STATES.values(), ids=list(STATES))
@pytest.mark.parametrize("state", STATES.values(), ids=list(STATES))
def test_every_state_shows_itself_after_every_other(status: RunStatus, before: State, state: State) -> None:
    give(status, before)
    give(status, state)
    assert texts(status) == ([state.text] if state.text else [])
    assert set(buttons(status)) == set(state.buttons)
    assert all(not button.icon().isNull() for button in buttons(status).values())
    (bar,) = status.findChildren(QProgressBar)
    assert bar.isVisible() == state.running
    # Looking for pictures: a range of nothing lets the bar run without end.
    assert (bar.minimum(), bar.maximum()) == (0, state.total)
    if state.total:
        assert bar.value() == state.done


def test_the_line_is_as_tall_in_every_state(status: RunStatus) -> None:
    heights = set()
    for state in STATES.values():
        give(status, state)
        heights.add(max(status.sizeHint().height(), status.minimumHeight()))
    assert len(heights) == 1


@pytest.mark.parametrize(("state", "wanted"), [("running", True), ("paused", False)])
def test_pause_and_go_on(qtbot: QtBot, status: RunStatus, state: str, wanted: bool) -> None:
    give(status, STATES[state])
    with qtbot.waitSignal(status.pause_wanted) as told:
        buttons(status)[STATES[state].buttons[0]].click()
    assert told.args == [wanted]


def test_a_click_asks_and_shows_nothing_by_itself(status: RunStatus) -> None:
    give(status, STATES["running"])
    buttons(status)["Pause"].click()
    assert set(buttons(status)) == {"Pause", "Cancel"}


def test_cancel_and_the_rest(qtbot: QtBot, status: RunStatus) -> None:
    give(status, STATES["running"])
    with qtbot.waitSignal(status.cancel_wanted):
        buttons(status)["Cancel"].click()
    give(status, STATES["incomplete"])
    with qtbot.waitSignal(status.rest_wanted):
        buttons(status)["Score the rest"].click()


def test_the_chip_names_device_and_model(qtbot: QtBot, status: RunStatus) -> None:
    assert chip(status).text() == "No model loaded"
    status.show_loading()
    assert chip(status).text() == "Loading the model…"
    for device, where in (("cpu", "CPU"), ("cuda:0", "GPU"), ("mps", "GPU"), ("npu", "npu")):
        status.show_model("densenet121", device, "a reason")
        assert chip(status).text() == f"{where} · densenet121"
        assert "a reason" in chip(status).toolTip()
    with qtbot.waitSignal(status.model_wanted):
        chip(status).click()
    status.show_model("", "", "")
    assert chip(status).text() == "No model loaded"


def test_long_names_do_not_widen_the_window(status: RunStatus) -> None:
    give(status, STATES["running"])
    status.show_model(LONG, "cpu", "")
    status.show_counts(LONG)
    assert status.minimumSizeHint().width() < status.fontMetrics().averageCharWidth() * 130
    assert LONG in chip(status).toolTip()


def test_counts_and_the_saved_report(status: RunStatus) -> None:
    status.show_counts("118 scored, 2 unreadable")
    status.show_saved("Report saved 10:22")
    assert set(texts(status)) == {"118 scored, 2 unreadable", "Report saved 10:22"}
    status.show_counts("")
    status.show_saved("")
    assert texts(status) == []
