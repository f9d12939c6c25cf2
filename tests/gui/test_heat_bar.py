"""The row that asks for a heatmap."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QSlider, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets.heat_bar import METHODS, HeatBar


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    """Something around the bar that forces any width on it."""
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(1300, 100)
    made.show()
    return made


@pytest.fixture
def bar(window: QWidget) -> HeatBar:
    made = HeatBar(window)
    made.resize(900, made.sizeHint().height())
    made.show()
    return made


@pytest.fixture
def heard(bar: HeatBar) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []
    bar.shown_changed.connect(lambda on: told.append(("shown", on)))
    bar.asked.connect(lambda target, method: told.append(("asked", target, method)))
    bar.opacity_changed.connect(lambda percent: told.append(("opacity", percent)))
    return told


def pickers(bar: HeatBar) -> tuple[QComboBox, QComboBox]:
    target, method = bar.findChildren(QComboBox)
    return target, method


def button(bar: HeatBar) -> QToolButton:
    (found,) = bar.findChildren(QToolButton)
    return found


def slider(bar: HeatBar) -> QSlider:
    (found,) = bar.findChildren(QSlider)
    return found


def texts(bar: HeatBar) -> list[str]:
    """The lines of text that are seen."""
    return [label.text() for label in bar.findChildren(QLabel) if label.isVisible() and label.text()]


def test_it_is_off_from_the_start(bar: HeatBar) -> None:
    assert not bar.shown
    assert not any(picker.isVisible() for picker in pickers(bar))
    assert (bar.target, bar.method) == ("grade", METHODS[0])


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda bar: None, []),
        (lambda bar: pickers(bar)[0].setCurrentIndex(1), [("asked", "active", "Grad-CAM")]),
        (lambda bar: pickers(bar)[1].setCurrentIndex(2), [("asked", "grade", "LayerCAM")]),
        (lambda bar: slider(bar).setValue(25), [("opacity", 25)]),
        (lambda bar: button(bar).click(), [("shown", False)]),
        (lambda bar: bar.set_shown(True), []),
        (lambda bar: bar.set_opacity(10), []),
        (lambda bar: bar.show_peak(1.0), []),
        (lambda bar: bar.set_busy(True), []),
        (lambda bar: bar.set_available(False, "too dark"), []),
    ],
)
def test_what_is_told_while_it_is_on(
    bar: HeatBar,
    heard: list[tuple[object, ...]],
    act: Callable[[HeatBar], object],
    told: list[tuple[object, ...]],
) -> None:
    button(bar).click()
    assert heard == [("shown", True), ("asked", "grade", "Grad-CAM")]
    heard.clear()
    act(bar)
    assert heard == told


def test_a_choice_made_while_it_is_off_asks_for_nothing(
    bar: HeatBar, heard: list[tuple[object, ...]]
) -> None:
    pickers(bar)[0].setCurrentIndex(1)
    assert heard == []
    bar.set_shown(True)
    assert heard == [("shown", True), ("asked", "active", "Grad-CAM")]


@pytest.mark.parametrize(
    ("peak", "width", "text"),
    [
        (3.42, 900, "raw peak 3.42"),
        (3.42, 430, "peak 3.42"),
        (0.0, 900, "raw peak 0.00"),
        (0.001, 900, "raw peak < 0.01"),
    ],
)
def test_the_raw_peak_is_shown(bar: HeatBar, peak: float, width: int, text: str) -> None:
    bar.resize(width, bar.height())
    bar.set_shown(True)
    bar.show_peak(peak)
    assert text in texts(bar)
    bar.set_busy(True)
    assert text not in texts(bar)
    assert "computing…" in texts(bar)
    bar.set_busy(False)
    bar.show_peak(None)
    assert not any("peak" in shown for shown in texts(bar))


def test_a_picture_without_heatmap_says_why_and_the_wish_stays(bar: HeatBar) -> None:
    bar.set_shown(True)
    bar.set_available(False, "This picture was not scored")
    assert texts(bar) == ["This picture was not scored"]
    assert not button(bar).isEnabled()
    assert not slider(bar).isVisible()
    assert bar.shown
    bar.set_available(True, "")
    assert slider(bar).isVisible()
    assert any("no proof" in text for text in texts(bar))


def test_where_there_is_no_heatmap_the_wish_is_kept_and_none_asked_for(
    bar: HeatBar, heard: list[tuple[object, ...]]
) -> None:
    bar.set_available(False, "This picture was not scored")
    bar.set_shown(True)
    assert heard == [("shown", True)]
    assert bar.shown
    assert not slider(bar).isVisible()


@pytest.mark.parametrize(("width", "sliding"), [(320, False), (520, True), (700, True), (1200, True)])
@pytest.mark.parametrize("busy", [False, True])
def test_nothing_overlaps(bar: HeatBar, width: int, sliding: bool, busy: bool) -> None:
    bar.set_shown(True)
    bar.show_peak(12.34)
    bar.set_busy(busy)
    bar.resize(width, 40)
    row = bar.layout()
    assert row is not None
    row.activate()
    parts = [item.geometry() for i in range(row.count()) if (item := row.itemAt(i)) and not item.isEmpty()]
    assert all(left.right() < right.left() for left, right in pairwise(parts))
    assert parts[-1].right() < width
    assert all(picker.isVisible() for picker in pickers(bar))
    assert slider(bar).isVisible() == sliding


def test_a_click_leaves_the_keys_where_they_are(bar: HeatBar) -> None:
    parts = [*bar.findChildren(QAbstractButton), *bar.findChildren(QComboBox), slider(bar)]
    assert {part.focusPolicy() for part in parts} == {Qt.FocusPolicy.TabFocus}
