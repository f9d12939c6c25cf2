"""The card of a model as a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QPushButton, QTextBrowser
from pytestqt.qtbot import QtBot

from uc_viewer import paths
from uc_viewer.gui import theme
from uc_viewer.gui.dialogs.model_card import ModelCard


def bundled(name: str) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((paths.resource("models") / name / "card.json").read_text("utf-8"))
    return card


def browser(card: ModelCard) -> QTextBrowser:
    (found,) = card.findChildren(QTextBrowser)
    return found


def page(card: ModelCard) -> str:
    return browser(card).toPlainText()


def show(qtbot: QtBot, card: Any) -> ModelCard:
    made = ModelCard(card)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_large"])
def test_a_bundled_card_is_told_in_full(qtbot: QtBot, name: str) -> None:
    card = bundled(name)
    made = show(qtbot, card)
    uc = card["metrics"]["active_uc"]["figures"]
    wanted = [
        name,
        card["spec"]["backbone"],
        card["weights_sha256"],
        card["training"]["data"],
        card["training"]["command"],
        *card["limits"],
        *card["attribution"],
        *card["metrics"]["caveats"],
        *card["metrics"]["shortcuts"],
        *(f"{card['metrics']['grades_1_3']['figures'][f'recall_{k}']['value']:.3f}" for k in (1, 2, 3)),
        *(f"{uc[figure]['value']:.3f}" for figure in ("auc", "sensitivity", "specificity")),
        f"{uc['auc']['low']:.3f} – {uc['auc']['high']:.3f}",
        f"{card['metrics']['active_all']['figures']['specificity']['value']:.3f}",
        "95 % interval",
    ]
    for text in wanted:
        assert text in page(made)
        assert text in made.text()


def test_the_copy_is_a_table_a_spreadsheet_understands(qtbot: QtBot) -> None:
    made = show(qtbot, bundled("mobilenet_v2"))
    copy = next(button for button in made.findChildren(QPushButton) if "Copy" in button.text())
    copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied == made.text()
    (row,) = [line for line in copied.splitlines() if line.startswith("Recall of MES 3")]
    assert row.split("\t") == ["Recall of MES 3", "0.720", "0.636 – 0.804", "614"]


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({}, "unnamed model"),
        ({"name": "m", "metrics": None, "training": [], "limits": "text", "spec": 3}, "m"),
        ({"name": "m", "metrics": {"grades_1_3": {"figures": {"qwk": {"value": 0.5}}}}}, "0.500"),
        ({"name": "m", "metrics": {"shortcuts": {"text": {"grade_changed": 0.5}, "odd": 1}}}, "50.0 %"),
        ({"name": "m", "metrics": {"active_uc": {"figures": {"auc": {"value": None}}}}}, "m"),
        ({"name": "m", "limits": ["only this"]}, "only this"),
    ],
)
def test_a_card_may_lack_anything(qtbot: QtBot, card: dict[str, Any], said: str) -> None:
    made = show(qtbot, card)
    assert said in page(made)
    assert "None" not in page(made)


def test_a_card_is_text_not_markup(qtbot: QtBot) -> None:
    hostile = '<a href="http://x.test">click</a><img src="file:///etc/passwd">'
    made = show(qtbot, {"name": hostile, "limits": [hostile], "metrics": {"shortcuts": {hostile: {}}}})
    assert page(made).count(hostile) == 3
    assert not browser(made).openLinks()
    assert "<img" not in browser(made).toHtml()
    assert "<a " not in browser(made).toHtml()


def test_the_page_follows_the_palette(qtbot: QtBot) -> None:
    made = show(qtbot, bundled("mobilenet_v2"))
    colours = []
    for scheme in (Qt.ColorScheme.Dark, Qt.ColorScheme.Light):
        made.setPalette(theme.palette(scheme))
        faint = made.palette().color(QPalette.ColorRole.PlaceholderText).name()
        assert faint in browser(made).toHtml()
        colours.append(faint)
    assert len(set(colours)) == 2


def test_a_figure_without_interval_shows_a_dash(qtbot: QtBot) -> None:
    made = show(qtbot, {"metrics": {"grades_1_3": {"figures": {"qwk": {"value": 0.5}}}}})
    (row,) = [line for line in made.text().splitlines() if "QWK" in line]
    assert row.split("\t")[1:] == ["0.500", "–", "–"]
