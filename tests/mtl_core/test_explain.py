from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM

from mtl_core.explain import METHODS, cam, heatmap, overlay
from mtl_core.model import MultiTaskNet
from mtl_core.predict import Predictor
from mtl_core.scores import Heatmap
from mtl_core.spec import InputSpec, ModelSpec


class _OneHead(torch.nn.Module):
    """The network as the grad-cam package wants it: one tensor out."""

    def __init__(self, network: MultiTaskNet, head: str) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.network(x)
        return out.fine if self.head == "grade" else out.coarse


@pytest.fixture(scope="module", params=["mobilenet_v3_large", "densenet121", "mobilenet_v2"])
def network(request: pytest.FixtureRequest) -> MultiTaskNet:
    torch.manual_seed(3)
    network = MultiTaskNet(ModelSpec(request.param, input=InputSpec(size=128)))
    with torch.no_grad():
        for _ in range(12):  # settle the batch norms, or a random network answers next to nothing
            network.train()(torch.randn(4, 3, 128, 128))
    return network.eval()


@pytest.mark.parametrize("head", ["grade", "active"])
@pytest.mark.parametrize(
    ("method", "reference"),
    list(zip(METHODS, (GradCAM, GradCAMPlusPlus, LayerCAM), strict=True)),
    ids=METHODS,
)
def test_equals_the_grad_cam_package_on_the_whole_network(
    network: MultiTaskNet, method: str, reference: type, head: str
) -> None:
    x = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        h = network.trunk(x)
    # Against some answers of random weights all evidence speaks; an empty map would compare nothing.
    answers = range(4) if head == "grade" else range(network.heads.coarse.out_features)
    maps = [cam(network.heads, h, head, k, method).numpy() for k in answers]
    index = max(answers, key=lambda k: maps[k].max())
    ours = maps[index]
    theirs = reference(_OneHead(network, head), [network.trunk.last])
    wanted = theirs(x, [_target(index), _target(index)], aug_smooth=False)
    assert wanted.max() > 0.9
    for our, their in zip(ours, wanted, strict=True):
        small = torch.nn.functional.interpolate(
            torch.from_numpy(our)[None, None], size=(128, 128), mode="bilinear", align_corners=False
        )[0, 0].numpy()
        # The package resizes with cv2's bilinear rule after stretching each map to 0..1.
        stretched = (small - small.min()) / (1e-7 + small.max() - small.min())
        assert np.abs(stretched - their).max() < 0.02


def _target(index: int) -> object:
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    return ClassifierOutputTarget(index)


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    return Predictor.load(tiny_bundle, "cpu")


def bordered() -> np.ndarray:
    frame = np.zeros((200, 300, 3), np.uint8)
    noise = np.random.default_rng(1).normal(0, 25, (180, 200, 1))
    frame[10:190, 80:280] = np.clip(np.array([190, 100, 80]) + noise, 1, 255)
    return frame


@pytest.mark.parametrize("target", ["grade", "active"])
def test_map_lies_in_the_field_of_view_and_keeps_its_peak(predictor: Predictor, target: str) -> None:
    heat = heatmap(predictor, bordered(), target)
    assert heat.values.shape == (200, 300)
    assert heat.values.dtype == np.float32
    assert heat.values.min() >= 0
    assert heat.values.max() <= 1
    assert (heat.values[:, :70] == 0).all()
    assert heat.target == ("active" if target == "active" else heat.target)
    assert heat.peak >= 0


@pytest.mark.parametrize("target", ["grade", "active"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_shows_evidence_within_the_field_of_view_only(
    predictor: Predictor, network: MultiTaskNet, method: str, target: str
) -> None:
    one = Predictor(predictor.card, network, predictor.calibration, "cpu", "test")
    maps = [heatmap(one, bordered(), target, grade, method) for grade in range(4)]
    heat = max(maps, key=lambda heat: heat.peak)
    assert heat.method == method
    assert heat.peak > 0
    assert heat.values.min() == 0
    assert 0.5 < heat.values.max() <= 1
    outside = np.ones((200, 300), bool)
    outside[10:190, 80:280] = False
    assert (heat.values[outside] == 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_peak_is_raw(network: MultiTaskNet, method: str) -> None:
    """A logit ten times as steep has ten times the evidence, which a stretched map would not show."""
    h = torch.rand(1, network.trunk.channels, 4, 4, generator=torch.Generator().manual_seed(5))
    steep = copy.deepcopy(network.heads)
    with torch.no_grad():
        steep.coarse.weight *= 10
    plain, ten = (float(cam(heads, h, "active", 0, method).max()) for heads in (network.heads, steep))
    assert plain > 0
    assert ten > 5 * plain


def test_a_named_grade_is_explained_and_named(predictor: Predictor) -> None:
    maps = [heatmap(predictor, bordered(), "grade", grade) for grade in range(4)]
    assert [m.target for m in maps] == ["MES 0", "MES 1", "MES 2", "MES 3"]
    assert any(not np.array_equal(maps[0].values, m.values) for m in maps[1:])


def test_other_weights_give_another_map(predictor: Predictor) -> None:
    torch.manual_seed(9)
    other = MultiTaskNet(predictor.spec).eval()
    changed = Predictor(predictor.card, other, predictor.calibration, "cpu", "test")
    first, second = (heatmap(p, bordered(), "grade", 2).values for p in (predictor, changed))
    assert np.abs(first - second).mean() > 0.01


def test_unknown_target_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="use one of grade, active"):
        heatmap(predictor, bordered(), "everything")


def test_unknown_method_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match=r"use one of Grad-CAM, Grad-CAM\+\+, LayerCAM"):
        heatmap(predictor, bordered(), method="Divination")


def test_overlay_tints_only_where_there_is_evidence() -> None:
    frame = np.full((4, 4, 3), 100, np.uint8)
    values = np.zeros((4, 4), np.float32)
    values[0, 0] = 1
    out = overlay(frame, Heatmap(values, 2.0, "active", evidence=3.0), 0.5)
    assert (out[1:] == 100).all()
    assert (out[0, 0] != 100).any()
    assert (overlay(frame, Heatmap(values * 0, 0.0, "active")) == frame).all()


def test_a_map_with_hardly_any_evidence_is_hardly_drawn() -> None:
    frame, values = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.float32)
    faint, strong = (
        overlay(frame, Heatmap(values, 0.04, "active", evidence=logits)).mean() for logits in (0.05, 3.0)
    )
    assert faint < strong / 8


@pytest.mark.parametrize("target", ["grade", "active"])
def test_evidence_is_the_same_whatever_the_method(predictor: Predictor, target: str) -> None:
    frame = np.random.default_rng(3).integers(0, 255, (96, 120, 3), np.uint8)
    found = {heatmap(predictor, frame, target, 2, method).evidence for method in METHODS}
    assert len(found) == 1
    assert found.pop() >= 0
