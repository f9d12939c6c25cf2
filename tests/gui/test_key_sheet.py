"""The cheat sheet of keys."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QKeySequenceEdit, QLabel, QLineEdit, QPushButton, QTreeWidget, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from uc_viewer.gui.dialogs.key_sheet import KeySheet


@dataclass(frozen=True)
class Line:
    name: str
    menu: str
    text: str
    keys: str
    default: str


LINES = (
    Line("open", "File", "Open pictures", "Ctrl+O", "Ctrl+O"),
    Line("save", "File", "Save report", "Ctrl+E Ctrl+S", "Ctrl+E Ctrl+S"),
    Line("severe", "Read", "MES 3, severe", "3", "3"),
    Line("worst", "Go", "Worst frame", "Q", "W"),
)


class Sheet:
    """A sheet with its parts within reach, and what it told."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot, self.dialog = qtbot, KeySheet(LINES)
        qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.told: list[dict[str, str]] = []
        self.dialog.keys_changed.connect(lambda keys: self.told.append(dict(keys)))
        self.edit = self.dialog.findChildren(QKeySequenceEdit)[0]
        self.search = next(
            x for x in self.dialog.findChildren(QLineEdit) if x.placeholderText()[:4] == "Find"
        )

    def items(self) -> dict[str, QTreeWidgetItem]:
        tree = self.dialog.findChildren(QTreeWidget)[0]
        heads = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
        both = [head.child(i) for head in heads for i in range(head.childCount())]
        return {item.text(0): item for item in both + heads}

    def choose(self, text: str) -> None:
        self.dialog.findChildren(QTreeWidget)[0].setCurrentItem(self.items()[text])

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key in the field and let it be taken."""
        self.edit.setFocus()
        self.qtbot.keyClick(self.edit, key, held)
        self.edit.editingFinished.emit()

    def click(self, text: str) -> None:
        next(b for b in self.dialog.findChildren(QPushButton) if b.text() == text).click()

    def says(self, text: str) -> bool:
        return any(text in label.text() for label in self.dialog.findChildren(QLabel))


@pytest.fixture
def sheet(qtbot: QtBot) -> Sheet:
    return Sheet(qtbot)


def test_actions_stand_under_their_menus_with_their_keys(sheet: Sheet) -> None:
    items = sheet.items()
    assert items["Open pictures"].parent().text(0) == "File"
    native = QKeySequence("Ctrl+E").toString(QKeySequence.SequenceFormat.NativeText)
    assert items["Save report"].text(1).startswith(native)
    assert items["MES 3, severe"].text(1) == "3"


def test_what_differs_from_the_start(sheet: Sheet) -> None:
    assert sheet.dialog.keys() == {"worst": "Q"}


def test_nothing_can_be_changed_before_an_action_is_chosen(sheet: Sheet) -> None:
    assert not sheet.edit.isEnabled()
    sheet.choose("Worst frame")
    assert sheet.edit.isEnabled()
    assert sheet.edit.keySequence() == QKeySequence("Q")
    sheet.choose("File")
    assert not sheet.edit.isEnabled()
    assert sheet.told == []


def test_a_new_key(sheet: Sheet) -> None:
    sheet.choose("MES 3, severe")
    sheet.press(Qt.Key.Key_B)
    assert sheet.told == [{"severe": "B", "worst": "Q"}]
    assert sheet.items()["MES 3, severe"].text(1) == "B"
    assert sheet.says("MES 3, severe has a new key")


def test_the_same_key_again_changes_nothing(sheet: Sheet) -> None:
    sheet.choose("Save report")
    sheet.press(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert sheet.told == []
    assert sheet.items()["Save report"].text(1).count("+") == 2


@pytest.mark.parametrize(
    ("key", "held", "told", "loser"),
    [
        (
            Qt.Key.Key_3,
            Qt.KeyboardModifier.NoModifier,
            {"open": "3", "severe": "", "worst": "Q"},
            "MES 3, severe",
        ),
        (
            Qt.Key.Key_S,
            Qt.KeyboardModifier.ControlModifier,
            {"open": "Ctrl+S", "save": "Ctrl+E", "worst": "Q"},
            "Save report",
        ),
    ],
)
def test_a_key_is_taken_from_whoever_has_it(
    sheet: Sheet, key: Qt.Key, held: Qt.KeyboardModifier, told: dict[str, str], loser: str
) -> None:
    sheet.choose("Open pictures")
    sheet.press(key, held)
    assert sheet.told == [told]
    assert sheet.says(f"taken from: {loser}")


def test_no_key(sheet: Sheet) -> None:
    sheet.choose("MES 3, severe")
    sheet.click("No key")
    assert sheet.told == [{"severe": "", "worst": "Q"}]
    assert sheet.items()["MES 3, severe"].text(1) == ""
    assert sheet.says("MES 3, severe has no key now")


def test_the_original_key_of_one_action(sheet: Sheet) -> None:
    sheet.choose("Worst frame")
    sheet.click("Original key")
    assert sheet.told == [{}]
    assert sheet.items()["Worst frame"].text(1) == "W"


def test_an_original_key_is_taken_back_from_whoever_got_it(sheet: Sheet) -> None:
    sheet.choose("Open pictures")
    sheet.press(Qt.Key.Key_W)
    sheet.choose("Worst frame")
    sheet.click("Original key")
    assert sheet.told[-1] == {"open": ""}


def test_all_original_keys(sheet: Sheet) -> None:
    sheet.choose("MES 3, severe")
    sheet.click("No key")
    sheet.click("All original keys")
    assert sheet.told[-1] == {}
    assert sheet.says("as they were")


def test_a_key_whose_name_has_a_space_is_refused(sheet: Sheet) -> None:
    sheet.choose("MES 3, severe")
    sheet.press(Qt.Key.Key_MediaPlay)
    assert sheet.told == []
    assert sheet.says("cannot be used")
    assert sheet.edit.keySequence() == QKeySequence("3")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", {"Open pictures", "Save report", "MES 3, severe", "Worst frame", "File", "Read", "Go"}),
        ("SEVERE", {"MES 3, severe", "Read"}),
        ("ctrl", {"Open pictures", "Save report", "File"}),
        ("zzz", set()),
    ],
)
def test_the_search_hides_what_it_does_not_name(sheet: Sheet, text: str, shown: set[str]) -> None:
    sheet.search.setText("first something else")
    sheet.search.setText(text)
    assert {name for name, item in sheet.items().items() if not item.isHidden()} == shown
    assert sheet.says("called that") == (not shown)
