from __future__ import annotations

import pytest
import torch

from mtl_core.backbones import BACKBONES, build_trunk, load_trunk_weights
from mtl_core.model import MultiTaskNet
from mtl_core.spec import GROUPINGS, InputSpec, ModelSpec, Task


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_trunk_ends_in_its_channels_after_an_activation_that_is_not_in_place(name: str) -> None:
    trunk = build_trunk(name).eval()
    x = torch.randn(2, 3, 64, 64)
    kept: list[torch.Tensor] = []
    trunk.features.register_forward_hook(lambda _m, _i, out: kept.append(out))
    with torch.no_grad():
        h = trunk(x)
        before = kept[0].clone()
    assert h.shape == (2, BACKBONES[name].channels, 2, 2)
    assert torch.equal(kept[0], before)
    # Hardswish dips to -3/8; the ReLUs do not go below zero.
    assert float(h.min()) >= (-0.376 if name == "mobilenet_v3_large" else 0.0)


def test_unknown_trunk_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="densenet121"):
        build_trunk("resnet999")


def test_weights_of_another_trunk_are_refused() -> None:
    other = build_trunk("mobilenet_v2")
    state = {f"features.{k}": v for k, v in other.features.state_dict().items()}
    with pytest.raises(ValueError, match="not weights of densenet121"):
        load_trunk_weights(build_trunk("densenet121"), state)
    load_trunk_weights(build_trunk("mobilenet_v2"), state)


@pytest.mark.parametrize("grouping", sorted(GROUPINGS))
def test_network_answers_fine_and_coarse(grouping: str) -> None:
    spec = ModelSpec("mobilenet_v3_large", GROUPINGS[grouping], InputSpec(size=64))
    out = MultiTaskNet(spec).eval()(torch.randn(3, 3, 64, 64))
    assert out.fine.shape == (3, 4)
    assert out.coarse.shape == (3, len(spec.tasks))


def test_fine_answer_depends_on_the_coarse_one() -> None:
    network = MultiTaskNet(ModelSpec("mobilenet_v3_large", input=InputSpec(size=64))).eval()
    h = torch.rand(1, 960, 2, 2)
    before = network.heads(h).fine
    with torch.no_grad():
        network.heads.coarse.bias += 5
    assert not torch.allclose(before, network.heads(h).fine)


def test_spec_round_trip_and_refusals() -> None:
    spec = ModelSpec("densenet121", GROUPINGS["01|23"], InputSpec(size=160, mask=False))
    assert ModelSpec.from_dict(spec.to_dict()) == spec
    with pytest.raises(ValueError, match="active question"):
        ModelSpec("densenet121", (Task("any", 1),))
    with pytest.raises(ValueError, match="cut must be"):
        Task("odd", 4)
