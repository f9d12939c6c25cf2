from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mtl_core.bundle import BundleError, card_bytes
from mtl_core.predict import DeviceError, Predictor, choose_device
from mtl_core.scores import FrameScores


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    return Predictor.load(tiny_bundle, "cpu")


def mucosa(seed: int, height: int = 240, width: int = 320) -> np.ndarray:
    """A frame that passes the quality gate: red, textured, well lit."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(0, 18, (height // 8, width // 8)), np.ones((8, 8)))
    fine = rng.normal(0, 10, (height, width))
    return np.clip(np.array([185, 95, 75]) + (coarse + fine)[..., None], 1, 254).astype(np.uint8)


def test_scores_are_calibrated_probabilities_in_order(predictor: Predictor) -> None:
    frames = [mucosa(0), np.zeros((200, 200, 3), np.uint8), mucosa(1), mucosa(2)]
    scores = list(predictor.predict(frames, batch=3))
    assert [s.scored for s in scores] == [True, False, True, True]
    assert scores[1].reject_reason
    for s in (scores[0], scores[2], scores[3]):
        assert s.probabilities is not None
        assert sum(s.probabilities) == pytest.approx(1)
        assert s.p_active is not None
        assert s.active == (s.p_active >= predictor.active_threshold)
    alone = next(predictor.predict([mucosa(2)]))
    assert alone.probabilities == pytest.approx(scores[3].probabilities, abs=1e-4)


def test_prediction_is_lazy_and_holds_one_batch(predictor: Predictor) -> None:
    taken = 0

    def frames() -> Iterator[np.ndarray]:
        nonlocal taken
        for seed in range(10):
            taken += 1
            yield mucosa(seed, 64, 64)

    scores = predictor.predict(frames(), batch=2)
    next(scores)
    assert taken == 2


@pytest.mark.parametrize(
    "frame", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3), np.float32)]
)
def test_other_arrays_are_refused(predictor: Predictor, frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 H x W x 3"):
        list(predictor.predict([frame]))


def test_device_choice_gives_a_reason_or_says_what_to_do() -> None:
    device, reason = choose_device("auto")
    assert device in ("cpu", "cuda", "mps")
    assert reason
    with pytest.raises(DeviceError, match="use one of auto, cpu"):
        choose_device("tpu")
    if device == "cpu":
        with pytest.raises(DeviceError, match="--device auto or cpu"):
            choose_device("cuda")


def test_malformed_calibration_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_bundle, tmp_path / "odd"))
    card = json.loads((folder / "card.json").read_text())
    card["calibration"]["temperature"] = -1
    (folder / "card.json").write_bytes(card_bytes(card))
    with pytest.raises(BundleError, match="calibration is malformed"):
        Predictor.load(folder)


def test_frame_scores_refuse_contradictions_and_break_ties_upwards() -> None:
    tie = FrameScores((0.1, 0.4, 0.4, 0.1), 0.5, True)
    assert tie.grade == 2
    assert tie.continuous == pytest.approx(1.5)
    rejected = FrameScores.rejected("too dark")
    assert (rejected.grade, rejected.continuous, rejected.scored) == (None, None, False)
    with pytest.raises(ValueError, match="either"):
        FrameScores()
    with pytest.raises(ValueError, match="p_active"):
        FrameScores((0.25, 0.25, 0.25, 0.25))
