"""Heatmaps: exact Grad-CAM of one named answer, computed through the heads alone.

The heads read only the pooled last map ``h``, so the gradient of a logit with respect to ``h`` needs no
backward pass through the trunk (Selvaraju et al. 2017, arXiv 1610.02391, for Grad-CAM itself).
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from mtl_core.metrics import most_probable
from mtl_core.model import Heads
from mtl_core.predict import Predictor, check_frame
from mtl_core.preprocess import field_of_view, hidden, normalise, prepare
from mtl_core.scores import Heatmap

TARGETS = ("grade", "active")


def cam(heads: Heads, h: torch.Tensor, target: str, index: int) -> torch.Tensor:
    """Give the un-normalised Grad-CAM map, N x H x W: relu(sum_c mean(d logit / d h_c) * h_c).

    ``h``: N x C x H x W, the trunk's last map after its activation. ``target`` "grade" explains the fine
    logit ``index``, "active" the coarse logit ``index``.
    """
    with torch.enable_grad():
        leaf = h.detach().float().requires_grad_(True)
        logits = heads.eval()(leaf)
        chosen = logits.fine[:, index] if target == "grade" else logits.coarse[:, index]
        (gradient,) = torch.autograd.grad(chosen.sum(), leaf)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return torch.relu((weights * leaf).sum(dim=1)).detach()


def grad_cam(
    predictor: Predictor, frame: np.ndarray, target: str = "grade", grade: int | None = None
) -> Heatmap:
    """Explain one answer for one frame.

    ``frame``: uint8 H x W x 3 RGB. ``target``: "grade" (the predicted grade, or ``grade`` when given) or
    "active". The map has the frame's size, is 0 outside the field of view and where overlays are covered,
    and keeps its raw peak.
    Raises ValueError for an unknown target.
    """
    if target not in TARGETS:
        raise ValueError(f"heatmap target {target!r} is unknown: use one of {', '.join(TARGETS)}")
    check_frame(frame)
    square = prepare(frame, predictor.spec.input)[None]
    x = torch.from_numpy(normalise(square, predictor.spec.input))
    with torch.inference_mode():
        h = predictor.network.trunk(x.to(predictor.device, memory_format=torch.channels_last))
        raw = predictor.network.heads(h)
    # Ordinary tensors again: autograd refuses those born in inference mode.
    h = h.clone()
    fine, coarse = (part.float().cpu().numpy() for part in (raw.fine, raw.coarse))
    answers = predictor.calibration.answers(fine, coarse[:, predictor.spec.active_index])
    predicted = int(most_probable(answers[0])[0])
    chosen = predicted if grade is None else grade
    index = chosen if target == "grade" else predictor.spec.active_index
    small = cam(predictor.network.heads, h, target, index)[0].cpu().numpy()
    peak = float(small.max())
    box = field_of_view(frame)
    values = np.zeros(frame.shape[:2], np.float32)
    if peak > 0:
        # Cubic resampling can overshoot; the map stays within 0..1.
        grown = cv2.resize(small / peak, (box.width, box.height), interpolation=cv2.INTER_CUBIC)
        small_seen = (~hidden(frame, predictor.spec.input)).astype(np.uint8)
        seen = cv2.resize(small_seen, (box.width, box.height), interpolation=cv2.INTER_NEAREST)
        values[box.top : box.bottom, box.left : box.right] = np.clip(grown, 0, 1) * seen
    return Heatmap(values, peak, f"MES {chosen}" if target == "grade" else "active")


def overlay(frame: np.ndarray, heatmap: Heatmap, opacity: float = 0.5) -> np.ndarray:
    """Lay a heatmap over its frame, uint8 H x W x 3; opacity follows the map: no evidence, no tint."""
    levels = np.round(heatmap.values * 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.float32)
    share = (opacity * heatmap.values)[..., None]
    return np.round(frame * (1 - share) + colours * share).astype(np.uint8)
