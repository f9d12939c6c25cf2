"""Preferences survive a round trip; whatever a file holds, the program starts."""

from __future__ import annotations

import json
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uc_viewer.settings import DEVICES, PAGES, SCALES, THEMES, Settings, load, save

# Any text Python can hold: a folder's name may carry bytes that are no UTF-8.
TEXT = st.text(st.characters(categories=None))
ALL = st.builds(
    Settings,
    theme=st.sampled_from(THEMES),
    scale=st.sampled_from(SCALES),
    page=st.sampled_from(PAGES),
    device=st.sampled_from(DEVICES),
    model=TEXT,
    heat_opacity=st.integers(0, 100),
    keys=st.dictionaries(TEXT, TEXT),
    geometry=st.text("ABCabc012+/="),
    layout=st.text("ABCabc012+/="),
)

CHANGED = Settings(
    "dark",
    150,
    "Letter",
    "cpu",
    "모델 ş",
    35,
    {"grade_0": "Ctrl+0", "quit": ""},
    "AAA=",
    "BBB=",
    4.5,
    6,
    2.5,
)


@given(ALL)
def test_they_come_back_as_they_were_saved(settings: Settings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.json"
        save(settings, path)
        assert load(path) == settings


def test_the_folder_is_made_and_the_old_file_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "settings.json"
    save(CHANGED, path)
    save(replace(CHANGED, scale=80), path)
    assert load(path) == replace(CHANGED, scale=80)
    assert list(path.parent.iterdir()) == [path]


def test_every_preference_is_written(tmp_path: Path) -> None:
    assert all(getattr(CHANGED, part.name) != getattr(Settings(), part.name) for part in fields(Settings))
    path = tmp_path / "settings.json"
    save(CHANGED, path)
    assert set(json.loads(path.read_text(encoding="utf-8"))) == {part.name for part in fields(Settings)}


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "absent.json") == Settings()
    assert load(tmp_path) == Settings()  # a folder of that name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"dark"',
        b"\xff\xfe\x00",
        b'{"scale": 150',
        b"\x00" * 50,
        b"[" * 100_000,
        b'{"heat_opacity": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "cut", "null", "list", "text", "no UTF-8", "cut later", "zeros", "deep", "huge"],
)
def test_a_damaged_file_means_the_defaults(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(data)
    assert load(path) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", None),
        ("theme", ["dark"]),
        ("scale", 101),
        ("scale", "150"),
        ("scale", 150.0),
        ("scale", True),
        ("page", "A5"),
        ("device", "tpu"),
        ("model", 3),
        ("heat_opacity", -1),
        ("heat_opacity", 101),
        ("heat_opacity", 50.0),
        ("heat_opacity", True),
        ("keys", []),
        ("keys", {"quit": 1}),
        ("keys", {"quit": None}),
        ("geometry", {}),
        ("layout", None),
    ],
)
def test_a_foreign_value_falls_back_alone(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "settings.json"
    save(CHANGED, path)
    found = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**found, name: value}), encoding="utf-8")
    assert load(path) == replace(CHANGED, **{name: getattr(Settings(), name)})


def test_what_is_missing_or_unknown_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"scale": 125, "of a later version": {"a": 1}}), encoding="utf-8")
    assert load(path) == Settings(scale=125)
