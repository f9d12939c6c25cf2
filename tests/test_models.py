"""The models that come with the program: whole, small, and as good as their cards say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtl_core import bundle
from mtl_core.calibrate import Calibration, cross_fit
from mtl_core.evaluate import Resampling, evaluate
from mtl_core.metrics import read_predictions
from mtl_core.predict import Predictor
from mtl_core.release import WEAK, format_cards
from uc_viewer import paths
from uc_viewer.sources.listing import Files

ROOT = Path(__file__).resolve().parents[1]
MODELS = paths.bundled_models()


def test_there_is_a_default_model_among_them() -> None:
    assert paths.default_model() in MODELS


def test_all_together_are_small_enough_to_travel() -> None:
    files = [path for path in paths.resource("models").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 40_000_000
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".png", ".txt"}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_loads_and_its_card_says_what_a_reader_must_know(name: str) -> None:
    card, network = bundle.load(paths.model_folder(name))
    assert card["name"] == network.spec.backbone == name
    assert card["thresholds"]["active"] == Calibration.from_dict(card["calibration"]).threshold
    assert card["training"]["command"].startswith("mtl-core train ")
    assert any("MES 0 is a surrogate" in line for line in card["limits"])
    assert any("patients" in line for line in card["limits"])
    assert any("HyperKvasir" in line for line in card["attribution"])


@pytest.mark.parametrize("name", MODELS)
def test_a_cards_figures_follow_from_the_predictions_kept_with_the_code(name: str) -> None:
    kept = read_predictions(ROOT / "docs" / "evidence" / f"{name}-multi.csv")
    report = evaluate(kept, cross_fit(kept), resampling=Resampling(replicates=20))
    card = bundle.read_card(paths.model_folder(name))
    for block in ("grades_1_3", "active_uc", "active_all"):
        measured = {figure: found["value"] for figure, found in report[block]["figures"].items()}
        stated = {figure: found["value"] for figure, found in card["metrics"][block]["figures"].items()}
        assert stated == pytest.approx(measured, abs=0.005)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_tells_an_unseen_source_of_mes_0_from_severe_pictures(name: str, shared_data: Path) -> None:
    """MES 0 of a source never trained on; the severe pictures were trained on. A weak model must say so."""
    predictor = Predictor.load(paths.model_folder(name), "cpu")

    def chances(folder: Path, every: int) -> np.ndarray:
        files = sorted(folder.iterdir())[::every]
        scores = predictor.predict(frame.image for frame in Files(files) if hasattr(frame, "image"))
        return np.array([s.p_active for s in scores if s.p_active is not None])

    quiet = chances(shared_data / "mes0-fullres", 4)
    severe = chances(shared_data / "hyperkvasir-256" / "grade-3", 10)
    assert len(quiet) == 10
    assert len(severe) >= 10
    assert (severe >= predictor.active_threshold).mean() >= 0.9
    tells = (quiet >= predictor.active_threshold).mean() <= 0.3 and np.median(severe) - np.median(quiet) > 0.6
    warns = predictor.card["limits"][0].startswith(WEAK)
    assert tells != warns


def test_the_default_model_is_not_a_weak_one() -> None:
    limits = bundle.read_card(paths.model_folder())["limits"]
    assert not any(line.startswith(WEAK) for line in limits)


def test_the_readable_cards_say_what_the_cards_say() -> None:
    names = ("mobilenet_v2", "mobilenet_v3_large", "densenet121")
    assert set(names) == set(MODELS)
    text = format_cards([bundle.read_card(paths.model_folder(name)) for name in names])
    assert (ROOT / "docs" / "model_card.md").read_text(encoding="utf-8") == text
