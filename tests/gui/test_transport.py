"""The row that plays a recording."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets.transport import SPEEDS, Transport


@pytest.fixture
def row(qtbot: QtBot) -> Transport:
    made = Transport()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def told(row: Transport) -> list[tuple[object, ...]]:
    heard: list[tuple[object, ...]] = []
    row.played.connect(lambda on: heard.append(("played", on)))
    row.stepped.connect(lambda by: heard.append(("stepped", by)))
    row.speed_chosen.connect(lambda speed: heard.append(("speed", speed)))
    return heard


def buttons(row: Transport) -> list[QToolButton]:
    return row.findChildren(QToolButton)


def speeds(row: Transport) -> QComboBox:
    (found,) = row.findChildren(QComboBox)
    return found


@pytest.mark.parametrize("playing", [False, True])
def test_play_and_pause_ask_and_change_nothing(
    row: Transport, told: list[tuple[object, ...]], playing: bool
) -> None:
    row.show_state(playing, 1.0, 0.0, 10.0)
    play = buttons(row)[1]
    name = "Pause" if playing else "Play"
    for _ in range(2):
        assert (play.toolTip(), play.accessibleName()) == (name, name)
        play.click()
    assert told == [("played", not playing)] * 2


@pytest.mark.parametrize(("place", "by", "name"), [(0, -1, "One frame back"), (2, 1, "One frame on")])
def test_steps(row: Transport, told: list[tuple[object, ...]], place: int, by: int, name: str) -> None:
    button = buttons(row)[place]
    button.click()
    assert told == [("stepped", by)]
    assert button.accessibleName() == name
    assert button.autoRepeat()
    assert not button.icon().isNull()


@pytest.mark.parametrize("place", range(len(SPEEDS)))
def test_speeds_are_chosen_by_the_user_alone(
    row: Transport, told: list[tuple[object, ...]], place: int
) -> None:
    row.show_state(False, SPEEDS[place], 0.0, 10.0)
    assert told == []
    assert speeds(row).currentIndex() == place
    speeds(row).activated.emit(place)
    assert told == [("speed", SPEEDS[place])]


def test_a_speed_that_is_not_offered_is_shown_while_it_holds(row: Transport) -> None:
    for speed, text in ((-2.0, "−2×"), (-4.0, "−4×"), (16.0, "16×"), (1.0, "1×")):
        row.show_state(True, speed, 0.0, 10.0)
        assert speeds(row).currentText() == text
        assert speeds(row).count() == len(SPEEDS) + (speed not in SPEEDS)


@pytest.mark.parametrize(
    ("seconds", "duration", "texts"),
    [
        (417.28, 720.0, ["00:06:57.280", "/ 00:12:00"]),
        (0.0, 0.0, ["00:00:00.000", "/ 00:00:00"]),
        (36_000.5, 40_000.0, ["10:00:00.500", "/ 11:06:40"]),
    ],
)
def test_the_time(row: Transport, seconds: float, duration: float, texts: list[str]) -> None:
    row.show_state(False, 1.0, seconds, duration)
    assert [label.text() for label in row.findChildren(QLabel)] == texts


def test_it_fits_under_the_narrowest_picture(row: Transport) -> None:
    assert row.minimumSizeHint().width() <= 320


def test_a_click_leaves_the_keys_where_they_are(row: Transport) -> None:
    parts: list[QWidget] = [*buttons(row), speeds(row)]
    assert {part.focusPolicy() for part in parts} == {Qt.FocusPolicy.TabFocus}
