"""A trained network that teaches another: its answers and its features, beside the labels.

For a trunk whose own start is weak (DenseNet121 without ImageNet weights). Answers after Hinton et al. 2015
(arXiv 1503.02531), pooled features after Romero et al. 2015 (arXiv 1412.6550); teacher and student look
at the very same augmented picture (Beyer et al. 2022, arXiv 2106.05237).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from mtl_core import bundle
from mtl_core.model import Logits, MultiTaskNet
from mtl_core.spec import ModelSpec


def read_teacher(path: Path) -> MultiTaskNet:
    """Read a teacher: a model folder, or a network that a cross-validation kept. Raises BundleError."""
    return bundle.load(path)[1] if path.is_dir() else bundle.read_network(path)


def teacher_hash(path: Path) -> str:
    """SHA-256 of a teacher's weights."""
    return hashlib.sha256((path / bundle.WEIGHTS if path.is_dir() else path).read_bytes()).hexdigest()


class Teacher(nn.Module):
    """A frozen network and the projection from the student's pooled features to its own.

    The projection is learned with the student and thrown away with the teacher. Raises ValueError if the
    two networks answer different coarse tasks.
    """

    def __init__(self, network: MultiTaskNet, student: ModelSpec, channels: int, warmth: float) -> None:
        super().__init__()
        if network.spec.tasks != student.tasks:
            raise ValueError(
                "teacher and student answer different coarse tasks: give both the same --grouping"
            )
        self.network = network.eval().requires_grad_(False)
        self.project = nn.Linear(channels, network.trunk.channels)
        self.warmth = warmth

    def train(self, mode: bool = True) -> Teacher:
        """The teacher itself always stays in evaluation mode."""
        self.project.train(mode)
        return self

    def forward(self, x: torch.Tensor, h: torch.Tensor, told: Logits) -> torch.Tensor:
        """How far the student is from the teacher: a scalar, 0 where they agree.

        ``x``: the normalised pictures, float32 N x 3 x S x S; they are resized to what the teacher was
        trained on. ``h``, ``told``: the student's last map and logits of them.
        """
        with torch.no_grad():
            size = self.network.spec.input.size
            if x.shape[-1] != size:
                x = functional.interpolate(x, (size, size), mode="bilinear", antialias=True)
            map_ = self.network.trunk(x)
            wanted = self.network.heads(map_)
            goal = map_.float().mean(dim=(2, 3))
        features = self.project(h.float().mean(dim=(2, 3)))
        return answer_distance(told, wanted, self.warmth) + feature_distance(features, goal)


def answer_distance(told: Logits, wanted: Logits, warmth: float) -> torch.Tensor:
    """Kullback-Leibler distance of softened answers, fine + mean of the coarse, times ``warmth`` squared."""
    log_p = functional.log_softmax(told.fine.float() / warmth, dim=1)
    log_q = functional.log_softmax(wanted.fine.float() / warmth, dim=1)
    fine = functional.kl_div(log_p, log_q, reduction="batchmean", log_target=True)
    a, b = told.coarse.float() / warmth, wanted.coarse.float() / warmth
    target = torch.sigmoid(b)
    coarse = (
        functional.binary_cross_entropy_with_logits(a, target)
        - functional.binary_cross_entropy_with_logits(b, target)
        if a.shape[1]
        else a.new_zeros(())
    )
    return (fine + coarse) * warmth**2


def feature_distance(told: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean squared error of N x C features, in variances of each of the teacher's channels in the batch."""
    variance = wanted.var(dim=0, correction=0, keepdim=True)
    return ((told - wanted).square() / (variance + 0.1 * variance.mean() + 1e-6)).mean()
