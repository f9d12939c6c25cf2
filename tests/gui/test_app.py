from __future__ import annotations

from pathlib import Path

import pytest

from uc_viewer.gui import app
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
