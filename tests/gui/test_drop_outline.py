"""The outline while something is dragged over the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets.drop_outline import DropOutline


@pytest.fixture
def under(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(700, 400)
    made.show()
    return made


def shot(outline: DropOutline) -> QImage:
    return outline.grab().toImage()


def test_it_hides_until_it_has_something_to_say(under: QWidget) -> None:
    outline = DropOutline(under)
    assert not outline.isVisible()
    outline.show_text("Add 3 pictures", "They wait for the running ones.")
    assert outline.isVisible()
    assert outline.geometry() == under.rect()
    assert outline.accessibleName() == "Add 3 pictures"
    assert outline.accessibleDescription() == "They wait for the running ones."


def test_it_covers_the_whole_window_after_the_window_grew(under: QWidget) -> None:
    outline = DropOutline(under)
    outline.show_text("Add 1 picture")
    outline.hide()
    under.resize(900, 600)
    outline.show_text("Add 1 picture")
    assert outline.geometry() == under.rect()


def test_it_lies_on_top_and_lets_clicks_through(qtbot: QtBot, under: QWidget) -> None:
    outline = DropOutline(under)
    button = QPushButton("below", under)
    button.show()
    outline.show_text("Add 1 picture")
    assert under.children()[-1] is outline
    assert under.childAt(button.geometry().center()) is button
    assert outline.focusPolicy() == Qt.FocusPolicy.NoFocus


@pytest.mark.parametrize(
    ("first", "second"),
    [(("one", ""), ("two", "")), (("one", ""), ("one", "hint")), (("one", "a"), ("one", "b"))],
)
def test_both_lines_are_drawn(under: QWidget, first: tuple[str, str], second: tuple[str, str]) -> None:
    outline = DropOutline(under)
    outline.show_text(*first)
    before = shot(outline)
    outline.show_text(*second)
    assert shot(outline) != before


@pytest.mark.parametrize("size", [(1, 1), (60, 40), (3000, 200)])
def test_any_size_can_be_drawn(under: QWidget, size: tuple[int, int]) -> None:
    outline = DropOutline(under)
    under.resize(*size)
    outline.show_text("Çağrı Şükrüoğlu " * 20, "김서연_대장내시경 " * 20)
    assert not shot(outline).isNull()
