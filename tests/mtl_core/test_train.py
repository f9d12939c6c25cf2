from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from mtl_core.backbones import build_trunk
from mtl_core.crossvalidate import cross_validate
from mtl_core.data import DataError, Sample
from mtl_core.distil import DistilConfig, distil
from mtl_core.metrics import read_predictions
from mtl_core.train import Pictures, Progress, TrainConfig, Trained, fit

Returned = TypeVar("Returned")
TINY = TrainConfig(size=64, epochs=2, batch=6, extra=4, dropout=0.0)


def drive(
    steps: Generator[Any, None, Returned], stop_after: int | None = None
) -> tuple[list[Any], Returned | None]:
    """Everything yielded and the result; None when stopped early, as a kill would."""
    seen: list[Any] = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value
        if stop_after is not None and len(seen) >= stop_after:
            steps.close()
            return seen, None


def coloured(count: int, uses: tuple[str, ...] = ("train",)) -> Pictures:
    """Pictures whose redness is their grade, so that a network can learn them."""
    rng = np.random.default_rng(0)
    samples, pixels = [], []
    for i in range(count):
        grade = i % 4
        use = uses[i % len(uses)]
        low, high = (grade, grade) if use == "train" else (0, 1)
        samples.append(Sample(Path(f"{i}.png"), low, high, f"g{i // 2}", use=use, source="a", name=str(i)))
        square = rng.normal((90 + 40 * grade, 120, 90), 8, (64, 64, 3))
        pixels.append(np.clip(square, 1, 255).astype(np.uint8))
    return Pictures(samples, np.stack(pixels))


def test_training_yields_progress_and_lowers_the_loss() -> None:
    config = TrainConfig(size=64, epochs=6, batch=8, dropout=0.0, rate=1e-3, head_rate=5e-3)
    seen, trained = drive(fit(config, coloured(16)))
    assert trained is not None
    assert (seen[0].epoch, seen[-1].epoch) == (0, 5)
    assert all(p.eta_seconds >= -1e-6 for p in seen)
    assert trained.curves[-1]["loss"] < 0.7 * trained.curves[0]["loss"]
    assert not trained.network.training


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    pictures = coloured(12)
    whole = drive(fit(TINY, pictures, checkpoint=tmp_path / "a.safetensors"))[1]
    _, nothing = drive(fit(TINY, pictures, checkpoint=tmp_path / "b.safetensors"), stop_after=4)
    assert nothing is None
    seen, resumed = drive(fit(TINY, pictures, checkpoint=tmp_path / "b.safetensors"))
    assert whole is not None
    assert resumed is not None
    assert seen[0].epoch == 1
    assert len(resumed.curves) == 2
    for key, value in whole.network.state_dict().items():
        assert torch.allclose(value.float(), resumed.network.state_dict()[key].float(), atol=1e-5), key


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    drive(fit(TINY, coloured(12), checkpoint=path))
    other = TrainConfig(size=64, epochs=3, batch=6)
    for config, count in ((other, 12), (TINY, 16)):
        with pytest.raises(ValueError, match="of other settings, data or start"):
            drive(fit(config, coloured(count), checkpoint=path))


def test_early_stopping_keeps_the_best_and_never_shares_a_group() -> None:
    config = TrainConfig(size=64, epochs=6, batch=6, patience=1, rate=1e-9, head_rate=1e-9)
    everything = coloured(24)
    train, held = everything.take(range(16)), everything.take(range(16, 24))
    seen, trained = drive(fit(config, train, held))
    assert trained is not None
    assert seen[-1].epoch < 5
    assert all(record["validation_qwk"] is not None for record in trained.curves)
    with pytest.raises(DataError, match="both sides"):
        drive(fit(config, everything, held))


def test_single_task_leaves_out_pictures_without_a_grade() -> None:
    pictures = coloured(12, ("train", "negative"))
    joint, _ = drive(fit(TINY, pictures), stop_after=1)
    single, _ = drive(fit(TrainConfig(size=64, epochs=1, batch=6, lam=0.0), pictures), stop_after=1)
    assert joint[0].steps == 2
    assert single[0].steps == 1


def test_single_task_epochs_of_different_length_are_trained_to_the_end() -> None:
    pictures = coloured(48, ("train", "negative", "normal"))
    config = TrainConfig(size=64, epochs=6, batch=2, extra=8, lam=0.0, dropout=0.0, seed=36)
    seen, trained = drive(fit(config, pictures))
    assert len({p.steps for p in seen}) > 1
    assert trained is not None
    assert len(trained.curves) == 6


def test_cross_validation_predicts_every_picture_once_and_check_pictures_too(tmp_path: Path) -> None:
    pictures = coloured(16)
    samples = []
    for i, sample in enumerate(pictures.samples):
        path = tmp_path / f"{i}.png"
        path.write_bytes(_png(pictures.pixels[i]))
        samples.append(
            Sample(
                path, sample.low, sample.high, sample.group, use="check" if i > 13 else "train", name=str(i)
            )
        )
    out = tmp_path / "run"
    _, predictions = drive(cross_validate(TINY, samples, out))
    assert predictions is not None
    assert len(predictions) == 16
    assert (predictions.uses == "check").sum() == 2
    assert (read_predictions(out / "oof.csv").fine == predictions.fine).all()
    again, _ = drive(cross_validate(TINY, samples, out))
    assert again == []
    with pytest.raises(DataError, match="a run of other settings"):
        drive(cross_validate(TINY, samples[1:], out))


def test_distillation_lowers_what_is_unexplained_and_resumes_nothing_by_accident(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    torch.manual_seed(0)
    teacher = build_trunk("mobilenet_v2")
    weights = tmp_path / "teacher.safetensors"
    save_file({f"features.{k}": v for k, v in teacher.features.state_dict().items()}, weights)
    config = DistilConfig(student="mobilenet_v3_large", size=64, epochs=6, batch=8)
    out = tmp_path / "student.safetensors"
    seen, last = drive(distil(config, coloured(16).pixels, [("mobilenet_v2", weights)], out))
    assert last is not None
    assert isinstance(seen[0], Progress)
    assert last < seen[0].loss
    assert out.exists()


def test_trained_keeps_its_curves() -> None:
    _, trained = drive(fit(TINY, coloured(12)))
    assert isinstance(trained, Trained)
    assert [record["epoch"] for record in trained.curves] == [0, 1]


def _png(square: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode(".png", square[..., ::-1])[1].tobytes()
