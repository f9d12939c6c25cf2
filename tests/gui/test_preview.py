"""The report's pages in the window."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from uc_viewer.gui import theme
from uc_viewer.gui.dialogs.preview import Pages, Preview

A4 = (595.0, 842.0)
RED = (200, 10, 20)


def drawn(colour: tuple[int, int, int] = RED, height: int = 84, width: int = 60) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


class Asked(list[tuple[int, int]]):
    """What pages were asked for; `settle` lets the widget ask."""

    def __init__(self, pages: Pages) -> None:
        super().__init__()
        self.pages = pages
        pages.page_wanted.connect(lambda number, dpi: self.append((number, dpi)))

    def settle(self) -> None:
        """Paint, then let the time pass after which pages are asked for."""
        self.pages.grab()
        for timer in self.pages.findChildren(QTimer):
            if timer.isActive() and timer.isSingleShot():
                timer.stop()
                timer.timeout.emit()

    def numbers(self) -> list[int]:
        return [number for number, _ in self]


@pytest.fixture
def pages(qtbot: QtBot) -> Pages:
    made = Pages()
    qtbot.addWidget(made)
    made.resize(420, 500)
    made.show()
    return made


@pytest.fixture
def asked(pages: Pages) -> Asked:
    return Asked(pages)


def middle(pages: Pages) -> QColor:
    shot = pages.grab().toImage()
    return shot.pixelColor(shot.width() // 2 - 10, shot.height() // 2)


def test_only_pages_in_view_are_asked_for_and_once(pages: Pages, asked: Asked) -> None:
    pages.show_sizes([A4] * 20)
    for _ in range(3):
        asked.settle()
    assert asked == [(0, pages.dpi())]
    pages.show_page(0, pages.dpi(), drawn())
    asked.settle()
    assert len(asked) == 1


def test_scrolling_asks_for_what_comes_into_view(pages: Pages, asked: Asked) -> None:
    pages.show_sizes([A4] * 20)
    asked.settle()
    bar = pages.verticalScrollBar()
    bar.setValue(bar.maximum())
    asked.settle()
    assert asked.numbers()[0] == 0
    assert 19 in asked.numbers()
    assert set(asked.numbers()) <= {0, 18, 19}


def test_pages_far_away_are_forgotten_and_asked_for_again(pages: Pages, asked: Asked) -> None:
    pages.show_sizes([A4] * 20)
    asked.settle()
    pages.show_page(0, pages.dpi(), drawn())
    pages.verticalScrollBar().setValue(pages.verticalScrollBar().maximum())
    asked.settle()
    pages.verticalScrollBar().setValue(0)
    assert middle(pages) == QColor("white")
    asked.settle()
    assert asked.numbers().count(0) == 2


def test_another_width_asks_for_another_resolution(pages: Pages, asked: Asked) -> None:
    pages.show_sizes([A4])
    asked.settle()
    before = pages.dpi()
    pages.resize(840, 500)
    asked.settle()
    assert pages.dpi() > before
    assert asked == [(0, before), (0, pages.dpi())]


def test_a_very_wide_window_makes_no_wider_page(pages: Pages) -> None:
    pages.show_sizes([A4])
    pages.resize(1000, 500)
    wide = pages.dpi()
    pages.resize(3000, 500)
    assert pages.dpi() == wide


def test_a_drawn_page_is_shown_in_its_place(pages: Pages, asked: Asked) -> None:
    pages.show_sizes([A4])
    assert middle(pages) == QColor("white")
    pages.show_page(0, pages.dpi(), drawn())
    assert middle(pages) == QColor(*RED)


def test_a_late_blurred_page_does_not_replace_a_sharp_one(pages: Pages) -> None:
    pages.show_sizes([A4])
    pages.show_page(0, 10, drawn((0, 0, 0)))
    assert middle(pages) == QColor(0, 0, 0)
    pages.show_page(0, pages.dpi(), drawn())
    pages.show_page(0, 10, drawn((0, 0, 0)))
    assert middle(pages) == QColor(*RED)


def test_pages_of_an_earlier_report_are_gone(pages: Pages, asked: Asked) -> None:
    pages.show_sizes([A4])
    asked.settle()
    pages.show_page(0, pages.dpi(), drawn())
    pages.show_text("Making the report…")
    pages.show_page(0, 72, drawn())
    shot = pages.grab().toImage()
    assert shot.pixelColor(3, 3) == theme.CANVAS
    pages.show_sizes([A4])
    assert middle(pages) == QColor("white")
    asked.settle()
    assert asked.numbers() == [0, 0]


def test_nothing_is_asked_for_while_hidden(pages: Pages, asked: Asked) -> None:
    pages.show_sizes([A4])
    pages.grab()
    pages.hide()
    asked.settle()
    assert asked == []


@pytest.fixture
def preview(qtbot: QtBot) -> Preview:
    made = Preview(("A4", "Letter"))
    qtbot.addWidget(made)
    made.show()
    return made


def buttons(preview: Preview) -> dict[str, QPushButton]:
    return {button.text(): button for button in preview.findChildren(QPushButton)}


def test_waiting_for_the_report(preview: Preview) -> None:
    preview.show_waiting("Letter")
    assert preview.findChildren(QComboBox)[0].currentText() == "Letter"
    enabled = {text for text, button in buttons(preview).items() if button.isEnabled()}
    assert enabled == {"Close"}


@pytest.mark.parametrize(("count", "text"), [(1, "1 page"), (7, "7 pages")])
def test_the_report_is_there(preview: Preview, count: int, text: str) -> None:
    preview.show_waiting("A4")
    preview.show_sizes([A4] * count)
    assert text in [label.text() for label in preview.findChildren(QLabel)]
    assert all(button.isEnabled() for button in buttons(preview).values())


def test_a_report_that_could_not_be_made(preview: Preview, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(preview.pages, "show_text", said.append)
    preview.show_waiting("A4")
    preview.show_failed()
    assert said[-1] == "The report could not be made."
    preview.show_sizes([A4])
    preview.show_failed()
    assert len(said) == 2


def test_choosing_another_paper(qtbot: QtBot, preview: Preview) -> None:
    preview.show_waiting("A4")
    box = preview.findChildren(QComboBox)[0]
    with qtbot.waitSignal(preview.size_chosen) as told:
        box.textActivated.emit("Letter")
    assert told.args == ["Letter"]


def test_showing_a_paper_is_no_choice(qtbot: QtBot, preview: Preview) -> None:
    with qtbot.assertNotEmitted(preview.size_chosen):
        preview.show_waiting("Letter")


def test_print_and_save(qtbot: QtBot, preview: Preview) -> None:
    preview.show_sizes([A4])
    with qtbot.waitSignal(preview.print_wanted):
        buttons(preview)["Print…"].click()
    with qtbot.waitSignal(preview.save_wanted):
        buttons(preview)["Save PDF…"].click()
    buttons(preview)["Close"].click()
    assert not preview.isVisible()
