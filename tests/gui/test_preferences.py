"""What the user prefers."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from uc_viewer.gui.dialogs.preferences import Preferences
from uc_viewer.settings import PAGES, SCALES, THEMES, Settings

PRESENT = Settings(theme="dark", scale=125, page="Letter", keys={"worst-frame": "Q"}, heat_opacity=30)


@pytest.fixture
def dialog(qtbot: QtBot) -> Preferences:
    made = Preferences(PRESENT)
    qtbot.addWidget(made)
    made.show()
    return made


def boxes(dialog: Preferences) -> dict[str, QComboBox]:
    return dict(zip(("theme", "scale", "page"), dialog.findChildren(QComboBox), strict=True))


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
