"""Colours and icons of the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from uc_viewer.grades import contrast
from uc_viewer.gui import theme

ROLES = QPalette.ColorRole
SCHEMES = (Qt.ColorScheme.Light, Qt.ColorScheme.Dark)


@pytest.fixture
def app(qapp: QApplication) -> Iterator[QApplication]:
    """The application, given its own palette back afterwards."""
    before = qapp.palette()
    yield qapp
    qapp.setPalette(before)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        (ROLES.WindowText, ROLES.Window),
        (ROLES.Text, ROLES.Base),
        (ROLES.Text, ROLES.AlternateBase),
        (ROLES.ButtonText, ROLES.Button),
        (ROLES.ToolTipText, ROLES.ToolTipBase),
        (ROLES.PlaceholderText, ROLES.Base),
        (ROLES.PlaceholderText, ROLES.Window),
        (ROLES.HighlightedText, ROLES.Highlight),
        (ROLES.Link, ROLES.Base),
    ],
)
def test_text_can_be_read(scheme: Qt.ColorScheme, ink: ROLES, ground: ROLES) -> None:
    palette = theme.palette(scheme)
    assert contrast(palette.color(ink).name(), palette.color(ground).name()) >= 4.5


def test_text_on_the_fixed_grounds_can_be_read() -> None:
    assert contrast(theme.CANVAS_TEXT.name(), theme.CANVAS.name()) >= 4.5
    assert contrast(*theme.BANNER) >= 4.5


def test_light_where_the_system_names_no_scheme() -> None:
    assert theme.palette(Qt.ColorScheme.Unknown) == theme.palette(Qt.ColorScheme.Light)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_disabled_looks_different(scheme: Qt.ColorScheme) -> None:
    palette = theme.palette(scheme)
    for role in (ROLES.Text, ROLES.WindowText, ROLES.ButtonText):
        assert palette.color(QPalette.ColorGroup.Disabled, role) != palette.color(role)


@pytest.mark.parametrize(("scheme", "dark"), [(Qt.ColorScheme.Light, False), (Qt.ColorScheme.Dark, True)])
def test_the_application_knows_whether_it_is_dark(
    app: QApplication, scheme: Qt.ColorScheme, dark: bool
) -> None:
    app.setPalette(theme.palette(scheme))
    assert theme.is_dark() is dark


def test_an_icon_has_the_colour_of_text_on_buttons(app: QApplication) -> None:
    app.setPalette(theme.palette(Qt.ColorScheme.Dark))
    drawn = theme.icon("square").pixmap(32).toImage()
    wanted = app.palette().buttonText().color()
    assert QColor(drawn.pixelColor(drawn.width() // 2, drawn.height() // 2)) == wanted


def test_an_icon_that_is_not_there(app: QApplication) -> None:
    with pytest.raises(KeyError, match="no-such-icon"):
        theme.icon("no-such-icon")


@pytest.mark.parametrize(("wanted", "dark"), [("dark", True), ("light", False)])
def test_the_users_choice_holds_whatever_the_platform_says(
    app: QApplication, wanted: str, dark: bool
) -> None:
    theme.choose(app, wanted)
    assert theme.is_dark() is dark
    theme.choose(app, "system")
