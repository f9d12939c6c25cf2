"""What the user prefers, kept as one small JSON file in the user's own configuration folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mtl_core.files import write_whole

THEMES = ("system", "light", "dark")
SCALES = (80, 90, 100, 110, 125, 150, 175, 200)
"""Sizes of the interface in per cent."""

PAGES = ("A4", "Letter")
DEVICES = ("auto", "cpu", "cuda", "mps")

_NUMBERS: Mapping[str, tuple[type, float, float]] = {
    "frames_per_second": (float, 0.01, 120),
    "sustained_frames": (int, 1, 1000),
    "sustained_seconds": (float, 0, 600),
}
"""Type and range of numbers the user may choose."""

_CHOICES: Mapping[str, tuple[object, ...]] = {
    "theme": THEMES,
    "scale": SCALES,
    "page": PAGES,
    "device": DEVICES,
}


@dataclass(frozen=True)
class Settings:
    """All preferences, each with a sensible default. Nothing here names a patient or a case.

    ``model``: a bundled model's name or a folder, empty for the default. ``keys``: key sequences by action
    name, only where the user changed them (empty text: no key). ``geometry``, ``layout``: Qt's own
    descriptions of window and splitters, base64.
    """

    theme: str = "system"
    scale: int = 100
    page: str = "A4"
    device: str = "auto"
    model: str = ""
    heat_opacity: int = 60
    keys: Mapping[str, str] = field(default_factory=dict)
    geometry: str = ""
    layout: str = ""
    frames_per_second: float = 2.0
    sustained_frames: int = 4
    sustained_seconds: float = 1.5


def load(path: Path) -> Settings:
    """The settings in a file. What is missing, unreadable or out of range is taken from the defaults:
    a damaged preference must never keep the program from starting."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Settings()
    if not isinstance(found, dict):
        return Settings()
    kept = {
        part.name: found[part.name] for part in fields(Settings) if _fits(part.name, found.get(part.name))
    }
    return replace(Settings(), **kept)


def save(settings: Settings, path: Path) -> None:
    """Write the settings, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Escaped to ASCII: the name of a model's folder may hold what UTF-8 cannot.
    text = json.dumps(asdict(settings), indent=1, sort_keys=True)
    write_whole(path, (text + "\n").encode("ascii"))


def _fits(name: str, value: Any) -> bool:
    if name in _CHOICES:
        return value in _CHOICES[name] and type(value) is type(_CHOICES[name][0])
    if name in _NUMBERS:
        kind, least, most = _NUMBERS[name]
        return type(value) in (int, kind) and least <= value <= most
    if name == "heat_opacity":
        return type(value) is int and 0 <= value <= 100
    if name == "keys":
        return isinstance(value, dict) and all(isinstance(x, str) for pair in value.items() for x in pair)
    return isinstance(value, str)
