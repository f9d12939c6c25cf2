"""Where the program's own files lie."""

from __future__ import annotations

from pathlib import Path

import platformdirs

HEATMAP_TABLE = "heatmaps.csv"
"""Table beside the overlays a run has drawn: a folder that holds one holds results, no pictures to score."""

_HERE = Path(__file__).resolve().parent


APP = "UC Viewer"
"""The program's name, for people and for the folders of the system."""


class ModelNotFound(Exception):
    """No model of that name; the message lists those there are."""


def resource(*parts: str) -> Path:
    """Path of a bundled file or folder: inside the package when installed, beside it in a checkout."""
    inside = _HERE / "resources"
    return (inside if inside.is_dir() else _HERE.parent / "resources").joinpath(*parts)


def settings_file() -> Path:
    """Where the user's preferences lie; the folder may not exist yet."""
    return platformdirs.user_config_path(APP, appauthor=False) / "settings.json"


def intended_use() -> str:
    """The sentence that says what this program is for, shown wherever results are shown."""
    return resource("intended_use.txt").read_text(encoding="utf-8").strip()


def bundled_models() -> tuple[str, ...]:
    """Names of the models that come with the program, sorted."""
    return tuple(sorted(card.parent.name for card in resource("models").glob("*/card.json")))


def default_model() -> str:
    """Name of the model used when none is named. Raises ModelNotFound if the program came without."""
    try:
        return resource("models", "default.txt").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ModelNotFound(
            "no default model in resources/models: install the program again, or give --model FOLDER"
        ) from error


def model_folder(name: str = "") -> Path:
    """Folder of a model: a bundled one by its name, any other by its folder, the default for ``""``.

    A bundled name wins over a folder of that name in the current directory (write ``./name`` for that).
    Raises ModelNotFound.
    """
    name = name or default_model()
    if name in bundled_models():
        return resource("models", name)
    folder = Path(name)
    if folder.is_dir():
        return folder
    known = ", ".join(bundled_models()) or "none"
    raise ModelNotFound(f"{name}: no such model or model folder (bundled models: {known})")
