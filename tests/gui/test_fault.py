"""The window for a fault of the program: enough to mend it, nothing that names anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from uc_viewer import __version__, settings
from uc_viewer.gui.dialogs import fault
from uc_viewer.gui.dialogs.fault import FaultDialog, details


def raised_by(code: str, file: str = "<code>", **names: object) -> BaseException:
    """The fault that a piece of code of that file raises."""
    try:
        exec(compile(code, file, "exec"), {"__name__": "someone.else", **names})
    except Exception as error:
        return error
    pytest.fail("raised nothing")


@pytest.mark.parametrize(
    "file",
    [
        "/home/Müller/secret.py",
        "/home/Müller.py",
        "/home/uc_viewer/Müller/torch/nn.py",
        "C:\\Users\\Müller\\uc_viewer\\gui\\app.py",
    ],
)
@pytest.mark.parametrize("message", ["Müller, Hans", "/data/Müller/1.png is gone"])
def test_neither_message_nor_path_is_told(file: str, message: str) -> None:
    error = raised_by(f"raise ValueError({message!r})", file)
    told = details(error)
    assert "Müller" not in told
    assert "ValueError" in told
    assert "someone.else:1" in told


def test_the_details_name_versions_and_the_way_through_our_code(tmp_path: Path) -> None:
    (tmp_path / "Müller").write_text("a file where a folder should be")
    error = raised_by(
        "save(Settings(), place)",
        save=settings.save,
        Settings=settings.Settings,
        place=tmp_path / "Müller" / "deeper" / "settings.json",
    )
    told = details(error)
    for text in (f"UC Viewer {__version__}", f"Qt {qVersion()}", "Python 3.", "numpy ", "builtins."):
        assert text in told
    assert "  uc_viewer.settings:" in told
    assert "Müller" not in told
    assert str(tmp_path) not in told


@pytest.mark.parametrize(
    ("code", "also"),
    [
        ("try:\n 1 / 0\nexcept ArithmeticError as e:\n raise KeyError('Müller') from e", True),
        ("try:\n 1 / 0\nexcept ArithmeticError:\n raise KeyError('Müller')", True),
        ("try:\n 1 / 0\nexcept ArithmeticError:\n raise KeyError('Müller') from None", False),
    ],
)
def test_the_fault_it_came_from_is_told(code: str, also: bool) -> None:
    told = details(raised_by(code))
    assert ("builtins.ZeroDivisionError" in told) == also
    assert "Müller" not in told


def test_a_fault_that_is_its_own_cause_ends() -> None:
    error = ValueError()
    error.__cause__ = error
    assert details(error).count("builtins.ValueError") > 1


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault, "_LIBRARIES", ("no-such-library",))
    assert "no-such-library missing" in details(ValueError())


def test_the_details_can_be_copied(qtbot: QtBot) -> None:
    error = raised_by("raise ValueError('Müller')")
    dialog = FaultDialog(error)
    qtbot.addWidget(dialog)
    dialog.show()
    copy, close = dialog.findChildren(QPushButton)
    copy.click()
    assert QGuiApplication.clipboard().text() == details(error)
    assert dialog.findChildren(QPlainTextEdit)[0].toPlainText() == details(error)
    close.click()
    assert not dialog.isVisible()
