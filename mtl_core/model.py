"""MultiTaskNet: one shared trunk, a coarse head, and a fine head conditioned on the coarse answer."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from mtl_core.backbones import build_trunk
from mtl_core.spec import GRADES, ModelSpec


class Logits(NamedTuple):
    """Raw answers: ``fine`` N x 4 (one per grade), ``coarse`` N x K (one per coarse task)."""

    fine: torch.Tensor
    coarse: torch.Tensor


class Heads(nn.Module):
    """Pooled feature -> coarse answers -> fine answer.

    Coarse to fine: the fine head reads the pooled feature and the coarse probabilities, so what the
    coarse task learned from partially graded pictures reaches the grade.
    """

    def __init__(self, channels: int, coarse: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.coarse = nn.Linear(channels, coarse)
        self.fine = nn.Linear(channels + coarse, GRADES)

    def forward(self, h: torch.Tensor) -> Logits:
        """Answer from the trunk's last map, N x C x H x W."""
        z = self.dropout(h.float().mean(dim=(2, 3)))
        coarse = self.coarse(z)
        fine = self.fine(torch.cat([z, 2 * torch.sigmoid(coarse) - 1], dim=1))
        return Logits(fine, coarse)


class MultiTaskNet(nn.Module):
    """The network of a `ModelSpec`: ``heads(trunk(x))`` with x float32 N x 3 x S x S."""

    def __init__(self, spec: ModelSpec, dropout: float = 0.2) -> None:
        super().__init__()
        self.spec = spec
        self.trunk = build_trunk(spec.backbone)
        self.heads = Heads(self.trunk.channels, len(spec.tasks), dropout)

    def forward(self, x: torch.Tensor) -> Logits:
        """Give raw fine and coarse logits, float32."""
        logits: Logits = self.heads(self.trunk(x))
        return logits
