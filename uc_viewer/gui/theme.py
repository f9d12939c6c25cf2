"""Colours of the window, light and dark, following the system."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

CANVAS = QColor("#1b1b1d")
"""Behind every picture, in both themes: neutral and dark, so that erythema is judged on the same ground."""

CANVAS_TEXT = QColor("#b9b9be")

BANNER = ("#ffd257", "#1b1b1d")
"""Fill and text of the research-use line, the same in both themes."""

_ROLES = QPalette.ColorRole
_LIGHT = {
    _ROLES.Window: "#f3f3f5",
    _ROLES.WindowText: "#1d1d20",
    _ROLES.Base: "#ffffff",
    _ROLES.AlternateBase: "#f7f7f9",
    _ROLES.Text: "#1d1d20",
    _ROLES.PlaceholderText: "#65656d",
    _ROLES.Button: "#ebebee",
    _ROLES.ButtonText: "#1d1d20",
    _ROLES.ToolTipBase: "#ffffff",
    _ROLES.ToolTipText: "#1d1d20",
    _ROLES.Mid: "#cfcfd5",
    _ROLES.Highlight: "#1f6feb",
    _ROLES.HighlightedText: "#ffffff",
    _ROLES.Link: "#1f6feb",
    _ROLES.Accent: "#1f6feb",
}
_DARK = {
    _ROLES.Window: "#242427",
    _ROLES.WindowText: "#e8e8ea",
    _ROLES.Base: "#1b1b1d",
    _ROLES.AlternateBase: "#202023",
    _ROLES.Text: "#e8e8ea",
    _ROLES.PlaceholderText: "#9d9da6",
    _ROLES.Button: "#333338",
    _ROLES.ButtonText: "#e8e8ea",
    _ROLES.ToolTipBase: "#333338",
    _ROLES.ToolTipText: "#e8e8ea",
    _ROLES.Mid: "#46464d",
    _ROLES.Highlight: "#2f6fd6",
    _ROLES.HighlightedText: "#ffffff",
    _ROLES.Link: "#78a9ff",
    _ROLES.Accent: "#4c8dff",
}
_WHEN_DISABLED = (_ROLES.WindowText, _ROLES.Text, _ROLES.ButtonText)


def palette(scheme: Qt.ColorScheme) -> QPalette:
    """The palette of a colour scheme; light where the system names none."""
    colours = _DARK if scheme == Qt.ColorScheme.Dark else _LIGHT
    # Starting from the two grounds lets Qt derive the bevel shades, which have no place in the tables.
    made = QPalette(QColor(colours[_ROLES.Button]), QColor(colours[_ROLES.Window]))
    for role, colour in colours.items():
        made.setColor(role, QColor(colour))
    for role in _WHEN_DISABLED:
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours[_ROLES.PlaceholderText]).darker(115))
    return made


def follow_system(app: QApplication) -> None:
    """Give the application the system's scheme, now and whenever it changes."""
    app.setStyle("Fusion")
    hints = app.styleHints()
    app.setPalette(palette(hints.colorScheme()))
    hints.colorSchemeChanged.connect(lambda scheme: app.setPalette(palette(scheme)))
