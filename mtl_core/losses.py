"""The joint loss: fine task + weighted coarse tasks, each over the pictures whose label decides it.

A label is an interval of grades ``low..high``. It decides the fine task only when it is one grade, and
the coarse task ``cut`` only when the whole interval lies on one side of the cut; otherwise that task is
masked for that picture. In-between grades thus teach what they know and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from mtl_core.model import Logits
from mtl_core.spec import GRADES, Task


def cut_targets(low: torch.Tensor, high: torch.Tensor, cut: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Give (target, known) for the question MES >= ``cut``: float 0/1 and bool, each of length N."""
    yes, no = low >= cut, high < cut
    return yes.float(), yes | no


def cdw_ce(logits: torch.Tensor, target: torch.Tensor, power: float) -> torch.Tensor:
    """Class-distance weighted cross-entropy per picture (Polat et al. 2022, arXiv 2202.05167), vectorised.

    ``-sum_i log(1 - p_i) * |i - target|**power``; ``logits`` N x 4, ``target`` N, result N.
    """
    p = functional.softmax(logits, dim=1)
    grades = torch.arange(logits.shape[1], device=logits.device)
    distance = (grades[None] - target[:, None]).abs().to(logits.dtype) ** power
    return -(torch.log1p(-p.clamp(max=1 - 1e-6)) * distance).sum(dim=1)


class JointLoss(nn.Module):
    """L = L_fine + sum_k lambda_k L_coarse,k, or with learned weights (homoscedastic uncertainty).

    ``counts``: how many training pictures there are of each single grade, for logit adjustment
    (Menon et al. 2021, arXiv 2007.07314): ``tau * log prior`` is added to the fine logits in the loss.
    ``weights``: one lambda per coarse task; 0 everywhere is the single-task baseline. ``learned``
    replaces them by exp(-s) L + s (Kendall et al. 2018, arXiv 1705.07115). ``ordinal``: weight of
    CDW-CE beside cross-entropy. ``positive``: weight of active pictures in the coarse tasks.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        weights: Sequence[float],
        counts: Sequence[int],
        *,
        tau: float = 1.0,
        ordinal: float = 0.0,
        power: float = 2.0,
        smoothing: float = 0.0,
        positive: float = 1.0,
        learned: bool = False,
    ) -> None:
        super().__init__()
        if len(weights) != len(tasks):
            raise ValueError(f"{len(tasks)} coarse tasks need as many weights, not {len(weights)}")
        # A grade without pictures gets no bonus for rarity and no share of the smoothing, or it would win.
        prior = torch.tensor([n or max(1, *counts) for n in counts], dtype=torch.float32)
        present = torch.tensor([float(n > 0) for n in counts])
        self.present: torch.Tensor
        self.register_buffer("present", present / present.sum().clamp(min=1))
        self.prior: torch.Tensor
        self.register_buffer("prior", tau * torch.log(prior / prior.sum()))
        self.cuts = tuple(task.cut for task in tasks)
        self.weights = tuple(weights)
        self.ordinal, self.power, self.smoothing, self.positive = ordinal, power, smoothing, positive
        self.log_variances = nn.Parameter(torch.zeros(1 + len(tasks))) if learned else None

    def forward(
        self, logits: Logits, low: torch.Tensor, high: torch.Tensor, importance: torch.Tensor
    ) -> torch.Tensor:
        """Give the scalar loss; ``low``, ``high`` int64 N, ``importance`` float N, a weight per picture."""
        parts = [self._fine(logits.fine, low, high, importance)]
        decided = [(low == high).any()]
        for column, cut in enumerate(self.cuts):
            target, known = cut_targets(low, high, cut)
            each = functional.binary_cross_entropy_with_logits(
                logits.coarse[:, column], target, reduction="none"
            )
            each = each * torch.where(target > 0, self.positive, 1.0)
            parts.append(_mean(each, known.float() * importance))
            decided.append(known.any())
        if self.log_variances is not None:
            # A task that no picture of the batch decides must not drift: it takes no part.
            terms = zip(self.log_variances, parts, decided, strict=True)
            return torch.stack([(torch.exp(-s) * part + s) * known for s, part, known in terms]).sum()
        return parts[0] + sum(w * part for w, part in zip(self.weights, parts[1:], strict=True))

    def _fine(
        self, logits: torch.Tensor, low: torch.Tensor, high: torch.Tensor, importance: torch.Tensor
    ) -> torch.Tensor:
        known = (low == high).float() * importance
        target = low.clamp(0, GRADES - 1)
        adjusted = logits + self.prior
        log_p = functional.log_softmax(adjusted, dim=1)
        plain = -log_p.gather(1, target[:, None])[:, 0]
        each = (1 - self.smoothing) * plain - self.smoothing * (log_p * self.present).sum(dim=1)
        if self.ordinal:
            each = each + self.ordinal * cdw_ce(adjusted, target, self.power)
        return _mean(each, known)


def _mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean that is 0 (with a gradient path) when no picture of the batch decides the task."""
    return (values * weights).sum() / weights.sum().clamp(min=1.0)
