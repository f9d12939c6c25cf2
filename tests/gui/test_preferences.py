"""What the user prefers."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from uc_viewer import settings
from uc_viewer.gui.dialogs.preferences import Preferences
from uc_viewer.settings import PAGES, SCALES, THEMES, Settings

PRESENT = Settings(
    theme="dark", scale=125, page="Letter", keys={"worst-frame": "Q"}, heat_opacity=30,
    frames_per_second=0.25, sustained_frames=6, sustained_seconds=1.25,
)  # fmt: skip
NUMBERS = {"frames_per_second": 5.0, "sustained_frames": 9, "sustained_seconds": 0.0}


@pytest.fixture
def dialog(qtbot: QtBot) -> Preferences:
    made = Preferences(PRESENT)
    qtbot.addWidget(made)
    made.show()
    return made


def boxes(dialog: Preferences) -> dict[str, QComboBox]:
    return dict(zip(("theme", "scale", "page"), dialog.findChildren(QComboBox), strict=True))


def numbers(dialog: Preferences) -> dict[str, QSpinBox | QDoubleSpinBox]:
    rate, seconds = dialog.findChildren(QDoubleSpinBox)
    (frames,) = dialog.findChildren(QSpinBox)
    return dict(zip(NUMBERS, (rate, frames, seconds), strict=True))


def choose(box: QComboBox, value: object) -> None:
    """As a click on a line of the box does."""
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_the_present_choices_are_shown(dialog: Preferences) -> None:
    shown = {name: box.currentData() for name, box in boxes(dialog).items()}
    assert shown == {"theme": "dark", "scale": 125, "page": "Letter"}


@pytest.mark.parametrize(("name", "values"), [("theme", THEMES), ("scale", SCALES), ("page", PAGES)])
def test_every_choice_is_offered(dialog: Preferences, name: str, values: tuple[object, ...]) -> None:
    box = boxes(dialog)[name]
    assert tuple(box.itemData(i) for i in range(box.count())) == values
    assert all(box.itemText(i) for i in range(box.count()))


@pytest.mark.parametrize(("name", "value"), [("theme", "light"), ("scale", 200), ("page", "A4")])
def test_a_choice_is_told_at_once_and_keeps_the_rest(
    qtbot: QtBot, dialog: Preferences, name: str, value: object
) -> None:
    with qtbot.waitSignal(dialog.changed) as told:
        choose(boxes(dialog)[name], value)
    expected = {**vars(PRESENT), name: value}
    assert told.args == [Settings(**expected)]


def test_choices_add_up(dialog: Preferences) -> None:
    told: list[Settings] = []
    dialog.changed.connect(told.append)
    choose(boxes(dialog)["theme"], "system")
    choose(boxes(dialog)["page"], "A4")
    assert (told[-1].theme, told[-1].scale, told[-1].page) == ("system", 125, "A4")


def test_closing_tells_nothing(qtbot: QtBot, dialog: Preferences) -> None:
    with qtbot.assertNotEmitted(dialog.changed):
        dialog.findChildren(QPushButton)[0].click()
    assert not dialog.isVisible()


def test_the_present_numbers_are_shown_exactly(dialog: Preferences) -> None:
    shown = {name: box.value() for name, box in numbers(dialog).items()}
    assert shown == {"frames_per_second": 0.25, "sustained_frames": 6, "sustained_seconds": 1.25}


@pytest.mark.parametrize(("name", "value"), NUMBERS.items())
def test_a_number_is_told_at_once_and_keeps_the_rest(
    qtbot: QtBot, dialog: Preferences, name: str, value: float
) -> None:
    with qtbot.waitSignal(dialog.changed) as told:
        numbers(dialog)[name].setValue(value)  # type: ignore[arg-type]
    assert told.args == [Settings(**{**vars(PRESENT), name: value})]


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_that_is_offered_can_be_kept(dialog: Preferences, name: str, tmp_path: Path) -> None:
    box = numbers(dialog)[name]
    for value in (box.minimum(), box.maximum()):
        settings.save(Settings(**{name: value}), tmp_path / "settings.json")  # type: ignore[arg-type]
        assert getattr(settings.load(tmp_path / "settings.json"), name) == value
