"""The chosen frame: its name and place, and that its parts fit where there is little room."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets.score_panel import ScorePanel

LONG = "김서연_대장내시경_2025-06-01_원위부_아주긴파일이름.png"


@pytest.mark.parametrize(
    ("name", "number", "of", "shown", "place"),
    [
        ("", 0, 0, "No frame chosen", ""),
        ("", 0, 18, "No frame chosen", ""),
        ("a.png", 14, 18, "a.png", "14 of 18"),
        (LONG, 99_999, 100_000, LONG, "99,999 of 100,000"),
    ],
)
def test_name_and_place(qtbot: QtBot, name: str, number: int, of: int, shown: str, place: str) -> None:
    panel = ScorePanel()
    qtbot.addWidget(panel)
    panel.show_name(name, number, of)
    assert panel._name.text() == panel._name.toolTip() == shown
    assert panel._place.text() == place


def test_a_long_name_asks_for_no_more_room(qtbot: QtBot) -> None:
    panel = ScorePanel()
    qtbot.addWidget(panel)
    before = panel.minimumSizeHint().width()
    panel.show_name(LONG * 4, 1, 1)
    assert panel.minimumSizeHint().width() <= before + panel._place.sizeHint().width()


def test_all_parts_fit_into_a_narrow_column(qtbot: QtBot) -> None:
    panel = ScorePanel()
    qtbot.addWidget(panel)
    panel.resize(300, 500)
    panel.show()
    for part in (panel.reader, panel.ai):
        assert part.width() <= 300
        assert part.minimumSizeHint().width() <= part.width()
