"""The table of actions and the actions made from it."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from uc_viewer.case import Segment
from uc_viewer.gui import theme
from uc_viewer.gui.actions import GRADES, SEGMENTS, TABLE, Actions, Do, Entry, Menu

PROMISED = {
    Do.GRADE_0: "0", Do.GRADE_1: "1", Do.GRADE_2: "2", Do.GRADE_3: "3", Do.CLEAR: "Backspace",
    Do.REJECT: "X", Do.CAECUM: "C", Do.ASCENDING: "A", Do.TRANSVERSE: "T", Do.DESCENDING: "D",
    Do.SIGMOID: "S", Do.RECTUM: "R", Do.MARK_IN: "I", Do.MARK_OUT: "O", Do.PREVIOUS: "Left",
    Do.NEXT: "Right", Do.BACK_TEN: "Shift+Left", Do.ON_TEN: "Shift+Right", Do.FIRST: "Home", Do.LAST: "End",
    Do.PREVIOUS_FLAGGED: "PgUp [", Do.NEXT_FLAGGED: "PgDown ]", Do.NEXT_SEVERE: "N", Do.PREVIOUS_SEVERE: "P",
    Do.WORST: "W", Do.PLAY: "Space", Do.PLAY_BACK: "J", Do.HOLD: "K", Do.PLAY_ON: "L", Do.HEATMAP: "H",
    Do.OVERLAY: "Shift+O", Do.GRID: "G", Do.FULL_SCREEN: "F", Do.KEY_IMAGE: "M", Do.UNDO: "Ctrl+Z",
    Do.REDO: "Ctrl+Y", Do.PRINT: "Ctrl+P", Do.SAVE: "Ctrl+E", Do.KEYS: "?", Do.CANCEL: "Esc",
}  # fmt: skip


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def keys_of(actions: Actions, do: Do) -> list[str]:
    return [sequence.toString() for sequence in actions[do].shortcuts()]


def test_everything_to_do_has_exactly_one_entry() -> None:
    assert Counter(entry.do for entry in TABLE) == Counter(Do)


def test_no_key_stands_twice() -> None:
    keys = Counter(QKeySequence(key).toString() for entry in TABLE for key in entry.keys.split())
    assert [key for key, count in keys.items() if count > 1 or not key] == []


@pytest.mark.parametrize(("do", "keys"), PROMISED.items())
def test_the_promised_keys_are_there(do: Do, keys: str) -> None:
    (entry,) = (entry for entry in TABLE if entry.do is do)
    assert set(keys.split()) <= set(entry.keys.split())


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.do.value)
def test_every_entry_becomes_an_action_of_the_window(qtbot: QtBot, window: QWidget, entry: Entry) -> None:
    action = Actions(window, {})[entry.do]
    assert action in window.actions()
    assert action.text() == entry.text
    assert action.isCheckable() == entry.checkable
    assert action.icon().isNull() == (not entry.icon)
    assert len(action.shortcuts()) == len(entry.keys.split())
    for sequence in action.shortcuts():
        assert sequence.toString(QKeySequence.SequenceFormat.NativeText) in action.toolTip()
    assert "…" not in action.toolTip()


def test_grades_and_segments_are_all_there() -> None:
    assert sorted(GRADES.values()) == [0, 1, 2, 3]
    assert set(SEGMENTS.values()) == set(Segment)


@pytest.mark.parametrize("menu", Menu)
def test_a_menu_has_its_actions_in_order(window: QWidget, menu: Menu) -> None:
    actions = Actions(window, {})
    entries = [entry for entry in TABLE if entry.menu is menu]
    found = list(actions.of_menu(menu))
    assert [action for action in found if action] == [actions[entry.do] for entry in entries]
    assert found.count(None) == sum(entry.ends for entry in entries)


def test_other_keys_come_from_the_settings(window: QWidget) -> None:
    actions = Actions(window, {"grade-2": "Ctrl+2 F2", "worst-frame": "", "unknown": "Q"})
    assert keys_of(actions, Do.GRADE_2) == ["Ctrl+2", "F2"]
    assert actions[Do.GRADE_2].toolTip() == "MES 2, moderate (Ctrl+2, F2)"
    assert keys_of(actions, Do.WORST) == []
    assert actions[Do.WORST].toolTip() == "Worst frame"
    assert (actions.key_of(Do.GRADE_2), actions.key_of(Do.WORST)) == ("Ctrl+2", "")
    assert keys_of(actions, Do.GRADE_1) == ["1"]


def test_the_keys_of_the_table_come_back(window: QWidget) -> None:
    actions = Actions(window, {"grade-2": "Ctrl+2"})
    actions.set_keys({})
    assert keys_of(actions, Do.GRADE_2) == ["2"]
    assert actions[Do.GRADE_2].toolTip() == "MES 2, moderate (2)"


def test_the_rows_of_the_cheat_sheet(window: QWidget) -> None:
    rows = Actions(window, {"grade-2": "Ctrl+2", "worst-frame": ""}).rows()
    by_name = {row.name: row for row in rows}
    assert [row.name for row in rows] == [entry.do.value for entry in TABLE]
    grade, worst, sheet = by_name["grade-2"], by_name["worst-frame"], by_name["keys"]
    assert (grade.menu, grade.keys, grade.default) == ("Read", "Ctrl+2", "2")
    assert (worst.keys, worst.default) == ("", "W")
    assert (sheet.text, sheet.keys) == ("Keys", "? F1")


def test_a_key_does_what_it_says(qtbot: QtBot, window: QWidget) -> None:
    actions = Actions(window, {})
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    with qtbot.waitSignal(actions[Do.GRADE_3].triggered):
        qtbot.keyClick(window, Qt.Key.Key_3)


def test_icons_follow_the_palette(window: QWidget) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.palette()
    try:
        app.setPalette(theme.palette(Qt.ColorScheme.Light))
        actions = Actions(window, {})
        light = actions[Do.PRINT].icon().pixmap(32).toImage()
        app.setPalette(theme.palette(Qt.ColorScheme.Dark))
        actions.refresh_icons()
        assert actions[Do.PRINT].icon().pixmap(32).toImage() != light
    finally:
        app.setPalette(before)
