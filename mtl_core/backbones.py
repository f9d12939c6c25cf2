"""Trunk name -> convolutional trunk, its channel count, and a forward that ends in an explicit activation.

The last activation is never in place and is part of the map ``h`` that the heads pool and that
Grad-CAM explains. Adding a trunk is one line in `BACKBONES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from safetensors.torch import save
from torch import nn

from mtl_core.files import write_whole


@dataclass(frozen=True)
class Backbone:
    """How to build a trunk: torchvision's constructor, channels of its last map, last activation to add."""

    build: Callable[..., nn.Module]
    channels: int
    last: Callable[[], nn.Module]
    """Densenet's ``features`` ends before its ReLU; the MobileNets end with their activation."""


BACKBONES = {
    "mobilenet_v3_large": Backbone(torchvision.models.mobilenet_v3_large, 960, nn.Identity),
    "mobilenet_v2": Backbone(torchvision.models.mobilenet_v2, 1280, nn.Identity),
    "densenet121": Backbone(torchvision.models.densenet121, 1024, nn.ReLU),
}

BATCH_NORM_MOMENTUM = 0.1
"""torchvision's MobileNetV3 sets 0.01, too slow for the few hundred steps of a small data set."""


class Trunk(nn.Module):
    """Convolutional trunk: float32 N x 3 x S x S -> the last activated map, N x C x S/32 x S/32."""

    def __init__(self, name: str, features: nn.Module, last: nn.Module, channels: int) -> None:
        super().__init__()
        self.name = name
        self.features = features
        self.last = last
        self.channels = channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the map ``h`` after its activation."""
        h: torch.Tensor = self.last(self.features(x))
        return h


def build_trunk(name: str) -> Trunk:
    """Give a randomly initialised trunk. Raises ValueError naming the known trunks."""
    if name not in BACKBONES:
        raise ValueError(f"unknown backbone {name!r}: use one of {', '.join(sorted(BACKBONES))}")
    kind = BACKBONES[name]
    network = kind.build(weights=None)
    features = network.features
    assert isinstance(features, nn.Module)
    for module in features.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = BATCH_NORM_MOMENTUM
    # An in-place last activation would overwrite the map before a heatmap can look at it.
    final = [m for m in features.modules() if isinstance(m, nn.ReLU6 | nn.ReLU | nn.Hardswish)][-1]
    final.inplace = False
    return Trunk(name, features, kind.last(), kind.channels)


def load_trunk_weights(trunk: Trunk, state: dict[str, torch.Tensor]) -> None:
    """Load torchvision-named weights (``features.…``; other keys such as the classifier are ignored).

    Raises ValueError when a trunk weight is missing or has another shape.
    """
    wanted = trunk.features.state_dict()
    found = {k.removeprefix("features."): v.float() for k, v in state.items() if k.startswith("features.")}
    found |= {k: v.float() for k, v in state.items() if k in wanted and k not in found}
    absent = [k for k in wanted if k not in found and not k.endswith("num_batches_tracked")]
    if absent:
        raise ValueError(f"not weights of {trunk.name}: {len(absent)} tensors missing, first {absent[0]!r}")
    wrong = [k for k in wanted if k in found and found[k].shape != wanted[k].shape]
    if wrong:
        raise ValueError(f"not weights of {trunk.name}: {wrong[0]!r} has another shape")
    trunk.features.load_state_dict({k: found[k] for k in wanted if k in found}, strict=False)


def fetch_imagenet(name: str, folder: Path) -> Path:
    """Download torchvision's own ImageNet weights into ``folder`` as safetensors, for training only.

    Needs internet access; the viewer never calls this. Returns the file, which is kept for later runs.
    """
    path = folder / f"{name}-imagenet.safetensors"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        state = BACKBONES[name].build(weights="DEFAULT").state_dict()
        write_whole(path, save({key: value.contiguous() for key, value in state.items()}))
    return path
