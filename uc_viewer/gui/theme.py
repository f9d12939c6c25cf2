"""Colours and icons of the window, light and dark, following the system unless the user chose."""

from __future__ import annotations

import qtawesome
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPalette
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


def follow(app: QApplication, wanted: str = "system") -> None:
    """Give the application a scheme, "light" or "dark"; with "system" the system's, whenever it changes."""
    app.setStyle("Fusion")
    hints = app.styleHints()
    hints.colorSchemeChanged.connect(lambda scheme: app.setPalette(palette(scheme)))
    choose(app, wanted)


def choose(app: QApplication, wanted: str) -> None:
    """Change the scheme of an application that `follow` was called for."""
    schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    hints = app.styleHints()
    hints.setColorScheme(schemes.get(wanted, Qt.ColorScheme.Unknown))
    # Not every platform takes the wish over: a bare X server tells its own scheme all the same.
    app.setPalette(palette(schemes.get(wanted, hints.colorScheme())))


def is_dark() -> bool:
    """True while the application shows its dark palette."""
    return QGuiApplication.palette().window().color().lightness() < 128


def icon(name: str) -> QIcon:
    """An icon of Material Design Icons (``"eye-outline"``) in the colour of text on buttons.

    The colour is that of the moment: ask again after the palette changed. Raises KeyError.
    """
    colours = QGuiApplication.palette()
    disabled = colours.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    try:
        made = qtawesome.icon(f"mdi6.{name}", color=colours.buttonText().color(), color_disabled=disabled)
    except Exception as error:  # qtawesome raises Exception itself
        raise KeyError(f"no icon {name!r} in mdi6") from error
    assert isinstance(made, QIcon)
    return made
