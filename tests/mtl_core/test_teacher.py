from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mtl_core.bundle import BundleError, read_network, write_network
from mtl_core.crossvalidate import cross_validate, network_file
from mtl_core.data import Sample
from mtl_core.model import Logits, MultiTaskNet
from mtl_core.spec import GROUPINGS, InputSpec, ModelSpec
from mtl_core.teacher import Teacher, answer_distance, feature_distance
from mtl_core.train import Pictures, TrainConfig, fit, predict_logits

TINY = TrainConfig(size=64, epochs=2, batch=6, extra=4, dropout=0.0)


def spec(backbone: str = "mobilenet_v2", grouping: str = "cumulative") -> ModelSpec:
    return ModelSpec(backbone, GROUPINGS[grouping], InputSpec(size=64))


def pictures(count: int) -> Pictures:
    rng = np.random.default_rng(0)
    samples = [
        Sample(Path(f"{i}.png"), i % 4, i % 4, f"g{i}", fold=str(i % 2), name=str(i)) for i in range(count)
    ]
    return Pictures(samples, rng.integers(0, 255, (count, 64, 64, 3), np.uint8))


def trained(config: TrainConfig, **how: object) -> MultiTaskNet:
    steps = fit(config, pictures(12), **how)  # type: ignore[arg-type]
    while True:
        try:
            next(steps)
        except StopIteration as end:
            network: MultiTaskNet = end.value.network
            return network


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    torch.manual_seed(5)
    path = tmp_path / "teacher.safetensors"
    network = MultiTaskNet(spec())
    with torch.no_grad():
        network.heads.fine.bias.copy_(torch.tensor([0.0, 0.0, 4.0, 0.0]))
    write_network(path, network)
    return path


def test_distance_is_zero_for_equals_and_grows_with_disagreement() -> None:
    torch.manual_seed(0)
    a = Logits(torch.randn(6, 4), torch.randn(6, 3))
    assert answer_distance(a, a, 2.0).item() == pytest.approx(0, abs=1e-6)
    near, far = (Logits(a.fine + by * torch.randn(6, 4), a.coarse + by) for by in (0.1, 2.0))
    assert 0 < answer_distance(near, a, 2.0) < answer_distance(far, a, 2.0)
    z = torch.randn(6, 5)
    assert feature_distance(z, z).item() == 0
    assert feature_distance(torch.zeros_like(z), z - z.mean(0)).item() == pytest.approx(1, abs=0.2)


def test_a_kept_network_answers_the_same(tmp_path: Path) -> None:
    network = MultiTaskNet(spec()).eval()
    write_network(tmp_path / "n.safetensors", network)
    x = torch.rand(2, 3, 64, 64)
    assert torch.equal(read_network(tmp_path / "n.safetensors")(x).fine, network(x).fine)
    (tmp_path / "n.safetensors").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"n\.safetensors: not a network kept by crossval"):
        read_network(tmp_path / "n.safetensors")


def test_a_student_comes_closer_to_its_teacher_than_one_without(teacher: Path) -> None:
    config = TrainConfig(size=64, epochs=8, batch=6, extra=0, dropout=0.0, teach=20.0)
    wanted = predict_logits(read_network(teacher), pictures(12))
    alone, taught = (
        answer_distance(predict_logits(trained(config, teacher=how), pictures(12)), wanted, 2.0)
        for how in (None, teacher)
    )
    assert taught < alone


def test_the_teacher_itself_never_changes(teacher: Path) -> None:
    guide = Teacher(read_network(teacher), spec("mobilenet_v3_large"), 960, 2.0)
    before = {k: v.clone() for k, v in guide.network.state_dict().items()}
    student = MultiTaskNet(spec("mobilenet_v3_large")).train()
    guide.train()
    x = torch.rand(4, 3, 96, 96)  # another size than the teacher's
    h = student.trunk(x)
    guide(x, h, student.heads(h)).backward()
    assert all(torch.equal(v, before[k]) for k, v in guide.network.state_dict().items())
    assert all(p.grad is None for p in guide.network.parameters())
    assert guide.project.weight.grad is not None


def test_other_coarse_tasks_are_refused(teacher: Path) -> None:
    with pytest.raises(ValueError, match="different coarse tasks"):
        Teacher(read_network(teacher), spec(grouping="01|23"), 1280, 2.0)


def test_a_taught_training_resumes_and_knows_its_teacher(teacher: Path, tmp_path: Path) -> None:
    whole = trained(TINY, teacher=teacher)
    steps = fit(TINY, pictures(12), teacher=teacher, checkpoint=tmp_path / "c.safetensors")
    for _ in range(4):
        next(steps)
    steps.close()
    resumed = trained(TINY, teacher=teacher, checkpoint=tmp_path / "c.safetensors")
    for key, value in whole.state_dict().items():
        assert torch.allclose(value.float(), resumed.state_dict()[key].float(), atol=1e-5), key
    with pytest.raises(ValueError, match="of other settings"):
        trained(TINY, checkpoint=tmp_path / "c.safetensors")


def test_each_fold_learns_from_the_network_that_did_not_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    import mtl_core.crossvalidate as module

    samples = []
    for sample, square in zip(pictures(12).samples, pictures(12).pixels, strict=True):
        path = tmp_path / f"{sample.name}.png"
        path.write_bytes(cv2.imencode(".png", square)[1].tobytes())
        samples.append(
            Sample(path, sample.low, sample.high, sample.group, fold=sample.fold, name=sample.name)
        )
    kept = tmp_path / "kept"
    for _ in cross_validate(TINY, samples, kept, keep=True):
        pass
    assert {p.name for p in kept.glob("*-network.safetensors")} == {network_file("0"), network_file("1")}
    asked = []

    def watched(config: TrainConfig, train: Pictures, **how: object) -> object:
        asked.append((how["teacher"], {s.fold for s in train.samples}))
        return fit(config, train, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "fit", watched)
    for _ in cross_validate(TINY, samples, tmp_path / "taught", teachers=kept):
        pass
    assert asked == [(kept / network_file("0"), {"1"}), (kept / network_file("1"), {"0"})]
