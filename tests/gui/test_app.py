from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette

from uc_viewer.gui import app, theme
from uc_viewer.gui.jobs import ModelError


def test_the_command_line_names_paths_or_the_sample_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app.main(["--sample", "somewhere"])
    assert end.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_a_model_loads_by_its_folder(tiny_bundle: Path) -> None:
    model = app.load_model(str(tiny_bundle), "cpu")
    assert (model.name, str(model.device)) == ("tiny", "cpu")


def test_a_model_that_is_not_there_is_one_line_for_the_user(tmp_path: Path) -> None:
    for name in ("no-such-model", str(tmp_path)):
        with pytest.raises(ModelError) as fault:
            app.load_model(name, "cpu")
        assert "\n" not in str(fault.value)


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_text_can_be_read_in_both_themes(scheme: Qt.ColorScheme) -> None:
    from uc_viewer.grades import READABLE, contrast

    palette, role = theme.palette(scheme), QPalette.ColorRole
    for ink, ground in (
        (role.WindowText, role.Window),
        (role.Text, role.Base),
        (role.ButtonText, role.Button),
        (role.PlaceholderText, role.Window),
        (role.HighlightedText, role.Highlight),
        (role.ToolTipText, role.ToolTipBase),
    ):
        assert contrast(palette.color(ink).name(), palette.color(ground).name()) >= READABLE, (ink, ground)
