"""What README.md and docs/ promise is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mtl_core.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MODULES = [
    path
    for folder in (
        "mtl_core",
        "uc_viewer",
        "uc_viewer/clips",
        "uc_viewer/gui",
        "uc_viewer/reading",
        "uc_viewer/report",
        "uc_viewer/sources",
        "uc_viewer/store",
        "packaging",
    )
    for path in sorted((ROOT / folder).glob("*.py"))
    if path.stem != "__init__"
]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_floor_plan_names_every_module(module: Path) -> None:
    rooms = ARCHITECTURE.partition("## Rooms that are planned")[0]
    assert re.search(rf"(?<!\w){re.escape(module.stem)}(?!\w)", rooms)


def test_planned_rooms_are_still_empty() -> None:
    planned = re.findall(r"`([\w/]+\.py)`", ARCHITECTURE.partition("## Rooms that are planned")[2])
    assert planned
    for name in planned:
        assert not [path for path in ROOT.glob(f"*/{Path(name).name}") if path.parent.name != "tests"], name


def test_the_readme_says_how_the_table_is_encoded_and_what_lies_beside_it() -> None:
    for told in ('encoding="utf-8-sig"', "byte-order mark", "`INCOMPLETE.txt`", "`UCV_DEBUG=1`"):
        assert told in README
    assert "with overlay" not in README


def test_the_training_recipe_names_only_options_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = README.partition("## Train a model")[2].partition("\n## ")[0]
    assert "`--check SOURCE`" in recipe
    for name, arguments in re.findall(r"^mtl-core (\w+)(.*?)(?:#|$)", recipe, re.MULTILINE):
        with pytest.raises(SystemExit):
            main([name, "--help"])
        told = capsys.readouterr().out
        options = re.findall(r"--[a-z-]+", arguments) + ["--check"] * (name in ("crossval", "train"))
        assert [option for option in options if option not in told] == []
