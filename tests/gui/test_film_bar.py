"""The bar above the film: what can be chosen, what is told, how narrow it may be."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot

from uc_viewer.case import Segment
from uc_viewer.gui.widgets.film_bar import FilmBar
from uc_viewer.gui.widgets.film_frames import Filter, Order, Show

FILTERS = [
    Filter(),
    *(Filter(show) for show in Show if show not in (Show.EVERYTHING, Show.GRADE, Show.SEGMENT)),
    *(Filter(Show.GRADE, grade=grade) for grade in range(4)),
    *(Filter(Show.SEGMENT, segment=segment) for segment in Segment),
]


@pytest.fixture
def bar(qtbot: QtBot) -> FilmBar:
    bar = FilmBar()
    qtbot.addWidget(bar)
    return bar


def boxes(bar: FilmBar) -> tuple[QComboBox, QComboBox]:
    filters, orders = bar.findChildren(QComboBox)
    return filters, orders


def choose(box: QComboBox, row: int) -> None:
    box.setCurrentIndex(row)
    box.activated.emit(row)


@pytest.mark.parametrize("wanted", FILTERS)
def test_every_filter_can_be_chosen(bar: FilmBar, qtbot: QtBot, wanted: Filter) -> None:
    bar.show_filter(wanted)
    box = boxes(bar)[0]
    with qtbot.waitSignal(bar.filter_changed) as told:
        choose(box, box.currentIndex())
    assert told.args == [wanted]
    assert bar.filter == wanted


@pytest.mark.parametrize("wanted", Order)
def test_every_order_can_be_chosen(bar: FilmBar, qtbot: QtBot, wanted: Order) -> None:
    bar.show_order(wanted)
    box = boxes(bar)[1]
    with qtbot.waitSignal(bar.order_changed) as told:
        choose(box, box.currentIndex())
    assert told.args == [wanted]
    assert bar.order is wanted


def test_showing_tells_nothing(bar: FilmBar) -> None:
    told: list[object] = []
    bar.filter_changed.connect(told.append)
    bar.order_changed.connect(told.append)
    bar.show_filter(Filter(Show.UNREAD))
    bar.show_order(Order.HIGHEST_FIRST)
    assert told == []


def test_a_filter_that_is_not_offered_is_refused(bar: FilmBar) -> None:
    with pytest.raises(ValueError, match="not in the list"):
        bar.show_filter(Filter(Show.GRADE, grade=7))


@pytest.mark.parametrize(
    ("shown", "of_all", "text"), [(12, 18, "12 of 18 shown"), (0, 100_000, "0 of 100,000 shown")]
)
def test_the_count(bar: FilmBar, shown: int, of_all: int, text: str) -> None:
    bar.show_count(shown, of_all)
    assert [label.text() for label in bar.findChildren(QLabel)] == [text]


def test_it_is_as_narrow_as_the_strip(bar: FilmBar) -> None:
    assert bar.minimumSizeHint().width() <= 220


def test_what_needs_the_model_is_not_offered_while_it_is_kept_back(bar: FilmBar) -> None:
    bar.set_ai_shown(False)
    offered = {
        box.itemText(row): bool(box.model().flags(box.model().index(row, 0)).value & 0x20)
        for box in boxes(bar)
        for row in range(box.count())
        if box.itemText(row)
    }
    assert [text for text, enabled in offered.items() if not enabled] == [
        "Overridden",
        "Not scored",
        "Least certain first",
    ]
