from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM

from mtl_core.explain import cam, grad_cam, overlay
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


@pytest.mark.parametrize("head", ["grade", "active"])
@pytest.mark.parametrize("trunk", ["mobilenet_v3_large", "densenet121", "mobilenet_v2"])
def test_equals_the_grad_cam_package(trunk: str, head: str) -> None:
    torch.manual_seed(3)
    network = MultiTaskNet(ModelSpec(trunk, input=InputSpec(size=128)))
    x = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        for _ in range(12):  # settle the batch norms, or a random network answers next to nothing
            network.train()(torch.randn(4, 3, 128, 128))
    network.eval()
    theirs = GradCAM(_OneHead(network, head), [network.trunk.last])
    theirs.compute_input_gradient = False
    wanted = theirs(x, [_target(1), _target(1)], aug_smooth=False)
    with torch.no_grad():
        h = network.trunk(x)
    ours = cam(network.heads, h, head, 1).numpy()
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
    heat = grad_cam(predictor, bordered(), target)
    assert heat.values.shape == (200, 300)
    assert heat.values.dtype == np.float32
    assert heat.values.min() >= 0
    assert heat.values.max() <= 1
    assert (heat.values[:, :70] == 0).all()
    assert heat.target == ("active" if target == "active" else heat.target)
    assert heat.peak >= 0


def test_a_named_grade_is_explained_and_named(predictor: Predictor) -> None:
    maps = [grad_cam(predictor, bordered(), "grade", grade) for grade in range(4)]
    assert [m.target for m in maps] == ["MES 0", "MES 1", "MES 2", "MES 3"]
    assert any(not np.array_equal(maps[0].values, m.values) for m in maps[1:])


def test_other_weights_give_another_map(predictor: Predictor) -> None:
    torch.manual_seed(9)
    other = MultiTaskNet(predictor.spec).eval()
    changed = Predictor(predictor.card, other, predictor.calibration, "cpu", "test")
    first, second = (grad_cam(p, bordered(), "grade", 2).values for p in (predictor, changed))
    assert np.abs(first - second).mean() > 0.01


def test_unknown_target_is_refused(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="use one of grade, active"):
        grad_cam(predictor, bordered(), "everything")


def test_overlay_tints_only_where_there_is_evidence() -> None:
    frame = np.full((4, 4, 3), 100, np.uint8)
    values = np.zeros((4, 4), np.float32)
    values[0, 0] = 1
    out = overlay(frame, Heatmap(values, 2.0, "active"), 0.5)
    assert (out[1:] == 100).all()
    assert (out[0, 0] != 100).any()
    assert (overlay(frame, Heatmap(values * 0, 0.0, "active")) == frame).all()
