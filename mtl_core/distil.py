"""Teach a trunk what others know: feature distillation over pictures that need no label.

For a trunk without ImageNet weights of its own (DenseNet121). Each teacher's pooled and spatial
features are predicted from the student's last map by a 1 x 1 projection that is thrown away afterwards
(Romero et al. 2015, FitNets, arXiv 1412.6550).
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn
from torch.nn import functional

from mtl_core.backbones import Trunk, build_trunk, load_trunk_weights
from mtl_core.data import make_batch
from mtl_core.files import write_whole
from mtl_core.preprocess import Augmentation
from mtl_core.spec import InputSpec
from mtl_core.train import Progress, choose_device, half_precision, place


@dataclass(frozen=True)
class DistilConfig:
    """What shapes a distillation besides the pictures."""

    student: str = "densenet121"
    size: int = 160
    epochs: int = 8
    batch: int = 32
    rate: float = 1.5e-3
    decay: float = 0.02
    mix: float = 0.5
    """Share of batches blended with another picture, so that the teachers are asked about new inputs."""
    seed: int = 1


def distil(
    config: DistilConfig,
    pixels: np.ndarray,
    teachers: Sequence[tuple[str, Path]],
    out: Path,
    *,
    init: Path | None = None,
) -> Generator[Progress, None, float]:
    """Train the student and write ``out`` (safetensors, torchvision names, float16) after every epoch.

    ``pixels``: prepared pictures uint8 N x S x S x 3 at ``config.size``. ``teachers``: (trunk name,
    weights). Yields `Progress` with the feature loss, in standard deviations of the teachers' features;
    returns the last epoch's mean of it.
    """
    device = choose_device()
    torch.manual_seed(config.seed)
    guides = [_load(name, weights).to(device).eval().requires_grad_(False) for name, weights in teachers]
    student = _load(config.student, init) if init else build_trunk(config.student)
    student = place(student, device).train()
    heads = nn.ModuleList(nn.Conv2d(student.channels, guide.channels, 1) for guide in guides).to(device)
    steps = -(-len(pixels) // config.batch)
    optimizer = torch.optim.AdamW([*student.parameters(), *heads.parameters()], weight_decay=config.decay)
    total = steps * config.epochs + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.rate, total_steps=total, pct_start=max(0.15, 2 / total)
    )
    spec, how = InputSpec(size=config.size), Augmentation(scale=0.5, colour=0.35, blur=0.2)
    began, recent, losses = time.monotonic(), [0.0], [0.0]
    for epoch in range(config.epochs):
        rng = np.random.default_rng((config.seed, epoch))
        order, losses = rng.permutation(len(pixels)), []
        for step in range(steps):
            chosen = order[step * config.batch : (step + 1) * config.batch]
            x = torch.from_numpy(make_batch(pixels[chosen], spec, how, (config.seed, epoch, step)))
            if rng.random() < config.mix:
                x = torch.lerp(x, x.flip(0), float(rng.uniform(0, 0.5)))
            x = x.to(device, memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device)):
                with torch.inference_mode():
                    wanted = [guide(x) for guide in guides]
                h = student(x)
                told = [head(h) for head in heads]
            loss = torch.stack(
                [_feature_loss(a.float(), b.clone().float()) for a, b in zip(told, wanted, strict=True)]
            ).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            recent = losses[-20:]
            done = epoch + (step + 1) / steps
            eta = (time.monotonic() - began) / done * (config.epochs - done)
            yield Progress(epoch, config.epochs, step + 1, steps, float(np.mean(recent)), eta)
        _write(
            student,
            out,
            {"student": config.student, "epoch": epoch + 1, "loss": float(np.mean(losses))},
        )
    return float(np.mean(losses))


def _feature_loss(told: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Smooth L1 over the map plus squared error of its mean, both in standard deviations of each channel."""
    variance = wanted.var(dim=(0, 2, 3), keepdim=True) + 1e-2 * wanted.var()
    spatial = functional.smooth_l1_loss(told / variance.sqrt(), wanted / variance.sqrt(), beta=2.0)
    pooled = functional.mse_loss(
        (told / variance.sqrt()).mean((2, 3)), (wanted / variance.sqrt()).mean((2, 3))
    )
    return spatial + pooled


def _load(name: str, weights: Path) -> Trunk:
    trunk = build_trunk(name)
    load_trunk_weights(trunk, load_file(weights))
    return trunk


def _write(student: Trunk, out: Path, facts: dict[str, object]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    state = {
        f"features.{k}": v.detach().cpu().half().contiguous()
        for k, v in student.features.state_dict().items()
    }
    write_whole(out, save(state, {"facts": json.dumps(facts)}))
