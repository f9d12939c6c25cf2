"""Which model scores, and where it runs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QListWidget, QPushButton
from pytestqt.qtbot import QtBot

from uc_viewer.gui.dialogs.model_picker import Choice, ModelPicker
from uc_viewer.settings import DEVICES

LONG = "김서연_대장내시경_2025-06-01_원위부_아주긴파일이름 Çağrı Şükrüoğlu Ilgın İğdeli " * 4
CHOICES = (
    Choice("densenet121", "DenseNet-121 (default)", "QWK 0.86"),
    Choice("/models/mine", "mine", "QWK 0.80"),
    Choice("/models/long", LONG, LONG),
)


def picker(
    qtbot: QtBot, model: str = "/models/mine", rescores: bool = False, choices: tuple[Choice, ...] = CHOICES
) -> ModelPicker:
    made = ModelPicker(choices, model, "cpu", rescores)
    qtbot.addWidget(made)
    made.show()
    return made


def models(dialog: ModelPicker) -> QListWidget:
    return dialog.findChildren(QListWidget)[0]


def button(dialog: ModelPicker, text: str) -> QPushButton:
    return next(found for found in dialog.findChildren(QPushButton) if found.text() == text)


@pytest.mark.parametrize(
    ("model", "row"), [("densenet121", 0), ("/models/mine", 1), ("/models/long", 2), ("not there", 0)]
)
def test_the_model_in_use_is_chosen(qtbot: QtBot, model: str, row: int) -> None:
    assert models(picker(qtbot, model)).currentRow() == row


def test_title_and_line_are_there_for_all_senses(qtbot: QtBot) -> None:
    item = models(picker(qtbot)).item(0)
    for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
        assert "DenseNet-121 (default)" in item.data(role)
        assert "QWK 0.86" in item.data(role)


def test_rows_are_drawn_and_never_wider_than_the_list(qtbot: QtBot) -> None:
    dialog = picker(qtbot)
    rows = models(dialog)
    heights = {rows.visualItemRect(rows.item(row)).height() for row in range(3)}
    assert len(heights) == 1
    assert heights.pop() >= 2 * dialog.fontMetrics().height()
    assert rows.horizontalScrollBar().maximum() == 0
    shot = rows.viewport().grab(rows.visualItemRect(rows.item(0))).toImage()
    colours = {shot.pixel(x, y) for x in range(0, 100) for y in range(shot.height())}
    assert len(colours) > 2


@pytest.mark.parametrize("rescores", [True, False])
def test_a_case_that_would_be_scored_anew_is_announced(qtbot: QtBot, rescores: bool) -> None:
    labels = picker(qtbot, rescores=rescores).findChildren(QLabel)
    assert any("scored anew" in label.text() and label.isVisible() for label in labels) == rescores


def test_every_device_is_offered(qtbot: QtBot) -> None:
    box = picker(qtbot).findChildren(QComboBox)[0]
    assert tuple(box.itemData(i) for i in range(box.count())) == DEVICES
    assert box.currentData() == "cpu"


def test_a_choice_is_told_only_when_used(qtbot: QtBot) -> None:
    dialog = picker(qtbot)
    told: list[tuple[str, str]] = []
    dialog.chosen.connect(lambda *said: told.append(said))
    models(dialog).setCurrentRow(0)
    box = dialog.findChildren(QComboBox)[0]
    box.setCurrentIndex(box.findData("cuda"))
    assert told == []
    button(dialog, "Use").click()
    assert told == [("densenet121", "cuda")]
    assert not dialog.isVisible()


def test_cancel_tells_nothing(qtbot: QtBot) -> None:
    dialog = picker(qtbot)
    with qtbot.assertNotEmitted(dialog.chosen):
        button(dialog, "Cancel").click()
    assert not dialog.isVisible()


def test_a_double_click_uses_a_model(qtbot: QtBot) -> None:
    dialog = picker(qtbot)
    with qtbot.waitSignal(dialog.chosen) as told:
        models(dialog).itemDoubleClicked.emit(models(dialog).item(1))
    assert told.args == ["/models/mine", "cpu"]


def test_the_card_and_another_folder(qtbot: QtBot) -> None:
    dialog = picker(qtbot)
    with qtbot.waitSignal(dialog.card_wanted) as told:
        button(dialog, "Model card…").click()
    assert told.args == ["/models/mine"]
    with qtbot.waitSignal(dialog.folder_wanted):
        button(dialog, "Model folder…").click()


def test_an_added_model_is_chosen(qtbot: QtBot) -> None:
    dialog = picker(qtbot)
    dialog.add(Choice("/models/new", "new", ""))
    button_told: list[str] = []
    dialog.card_wanted.connect(button_told.append)
    button(dialog, "Model card…").click()
    assert button_told == ["/models/new"]


def test_without_any_model_there_is_nothing_to_use(qtbot: QtBot) -> None:
    dialog = picker(qtbot, choices=())
    assert not button(dialog, "Use").isEnabled()
    assert not button(dialog, "Model card…").isEnabled()
    dialog.add(CHOICES[0])
    assert button(dialog, "Use").isEnabled()
    assert button(dialog, "Model card…").isEnabled()
