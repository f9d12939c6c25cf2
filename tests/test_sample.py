"""The synthetic sample case: complete, labelled, reproducible, and worse where it says so."""

from __future__ import annotations

import importlib
import json
from collections import defaultdict
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "resources" / "sample"
NOTE = "synthetic: drawn by a program, not a patient"
PICTURES: list[dict[str, Any]] = json.loads((SAMPLE / "sample.json").read_text("utf-8"))["pictures"]
BY_FILE = [pytest.param(entry, id=entry["file"]) for entry in PICTURES]


def read(name: str | Path) -> NDArray[np.uint8]:
    with Image.open(SAMPLE / name) as image:
        return np.asarray(image.convert("RGB"))


def redness(rgb: NDArray[np.uint8]) -> float:
    """Mean share of red in the lit part of the picture: higher where blood takes green and blue."""
    values = rgb.astype(float).reshape(-1, 3)
    values = values[(values.max(axis=1) > 60) & (values[:, 0] - values[:, 2] > 25)]
    return float((values[:, 0] / values.sum(axis=1)).mean())


def bleeding(rgb: NDArray[np.uint8]) -> float:
    """Share of the picture that is red with hardly any green: fresh blood."""
    red, green = rgb[..., 0].astype(float), rgb[..., 1].astype(float)
    return float(((red > 70) & (green < 0.3 * red)).mean())


def fibrin(rgb: NDArray[np.uint8]) -> float:
    """Share of the picture that is pale yellow rather than orange: exudate and the base of ulcers."""
    red, green, blue = (rgb[..., channel].astype(float) for channel in range(3))
    return float(((red > 90) & (green > 0.72 * red) & (blue < 0.85 * green)).mean())


def mean_by_grade(measure: Any) -> dict[int, float]:
    values: dict[int, list[float]] = defaultdict(list)
    for entry in PICTURES:
        if entry["severity"] is not None:
            values[entry["severity"]].append(measure(read(entry["file"])))
    return {grade: float(np.mean(found)) for grade, found in values.items()}


@pytest.fixture
def make_sample(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return importlib.import_module("make_sample")


def test_manifest_names_every_picture_and_no_other() -> None:
    named = [entry["file"] for entry in PICTURES]
    assert sorted(named) == sorted(path.name for path in SAMPLE.glob("*.jpg"))
    assert len(set(named)) == len(named)
    grades = [entry["severity"] for entry in PICTURES]
    assert [grades.count(grade) for grade in range(4)] == [3, 3, 3, 3]
    assert all(bool(entry["fault"]) == (entry["severity"] is None) for entry in PICTURES)


def test_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) <= 2_000_000


@pytest.mark.parametrize("entry", BY_FILE)
def test_picture_says_that_it_is_synthetic(entry: dict[str, Any]) -> None:
    assert entry["text"] == NOTE
    with Image.open(SAMPLE / entry["file"]) as image:
        assert image.info["comment"] == NOTE.encode("ascii")
    label = read(entry["file"])[25:45, 8:100]
    assert label.max() > 150, "the burned-in word SYNTHETIC is missing"


@pytest.mark.parametrize("entry", BY_FILE)
def test_picture_has_an_octagonal_field_of_view(entry: dict[str, Any]) -> None:
    with Image.open(SAMPLE / entry["file"]) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (768, 576))
    picture = read(entry["file"])
    for corner in (picture[:20, :60], picture[:60, -60:], picture[-60:, :60], picture[-60:, -60:]):
        assert corner.max() < 12
    assert picture[268:308, 130:740].mean() > 40


def test_committed_seed_draws_the_committed_picture(make_sample: ModuleType) -> None:
    # the one that uses every part of the program: ulcers, erosions, blood, a pool
    number = 12
    committed = make_sample.name_of(number)
    with Image.open(BytesIO(make_sample.encode(make_sample.draw(number)))) as image:
        again = np.asarray(image.convert("RGB")).astype(float)
    # another processor or library version rounds a few edges differently
    difference = np.abs(again - read(committed).astype(float))
    assert difference.mean() < 1.5
    assert np.quantile(difference, 0.99) < 25


def test_manifest_is_the_one_the_program_writes(make_sample: ModuleType) -> None:
    assert json.loads((SAMPLE / "sample.json").read_text("utf-8")) == make_sample.manifest()


def test_program_writes_the_chosen_picture_alone_and_by_its_seed(
    make_sample: ModuleType, tmp_path: Path
) -> None:
    seed = make_sample.SEED + 1
    assert make_sample.main(["--out", str(tmp_path), "--only", "sample-04.jpg", "--seed", str(seed)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample-04.jpg", "sample.json"]
    assert json.loads((tmp_path / "sample.json").read_text("utf-8"))["seed"] == seed
    difference = np.abs(read(tmp_path / "sample-04.jpg").astype(float) - read("sample-04.jpg"))
    assert difference.mean() > 5, "another seed must draw another picture"


def test_unknown_picture_is_refused(make_sample: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        make_sample.main(["--only", "sample-99.jpg"])
    assert stop.value.code == 2
    assert "sample-99.jpg: no such picture" in capsys.readouterr().err


def test_redness_rises_with_the_grade() -> None:
    by_grade = mean_by_grade(redness)
    assert by_grade[0] < by_grade[1] < by_grade[2] < by_grade[3]


def test_blood_and_fibrin_belong_to_active_disease() -> None:
    blood, exudate = mean_by_grade(bleeding), mean_by_grade(fibrin)
    assert max(blood[0], blood[1]) < blood[2] < blood[3]
    assert max(exudate[0], exudate[1]) < exudate[3]
