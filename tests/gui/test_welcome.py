"""The first screen offers three ways to begin and fits into a small window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets.welcome import Welcome


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("Open files…", "files_wanted"),
        ("Open a folder…", "folder_wanted"),
        ("Sample case", "sample_wanted"),
    ],
)
def test_each_button_tells_its_wish(qtbot: QtBot, text: str, signal: str) -> None:
    welcome = Welcome()
    qtbot.addWidget(welcome)
    welcome.show()
    told: list[str] = []
    for name in ("files_wanted", "folder_wanted", "sample_wanted"):
        getattr(welcome, name).connect(lambda name=name: told.append(name))
    button = next(b for b in welcome.findChildren(QPushButton) if b.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert told == [signal]


def test_it_says_how_to_begin_and_that_nothing_leaves(qtbot: QtBot) -> None:
    welcome = Welcome()
    qtbot.addWidget(welcome)
    said = " | ".join(label.text() for label in welcome.findChildren(QLabel))
    for part in (
        "Drop endoscopy pictures or recordings here",
        "videos, DICOM files",
        "1  Drop files",
        "2  Correct",
        "3  Print",
        "Nothing leaves this computer",
    ):
        assert part in said


def test_it_fits_into_a_small_window(qtbot: QtBot) -> None:
    welcome = Welcome()
    qtbot.addWidget(welcome)
    least = welcome.minimumSizeHint()
    assert least.width() <= 800
    assert least.height() <= 600
