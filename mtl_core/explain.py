"""Heatmaps: where the evidence for one named answer lies, computed through the heads alone.

The heads read only the pooled last map ``h``, so the gradient of a logit with respect to ``h`` needs no
backward pass through the trunk. What a method makes of map and gradient is its own rule: Grad-CAM
(Selvaraju et al. 2017, arXiv 1610.02391) is written out here, the others are those of the grad-cam package.
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

GRAD_CAM, GRAD_CAM_PLUS_PLUS, LAYER_CAM = METHODS = ("Grad-CAM", "Grad-CAM++", "LayerCAM")
"""Names of the methods; the first is the usual one."""


def heatmap(
    predictor: Predictor,
    frame: np.ndarray,
    target: str = "grade",
    grade: int | None = None,
    method: str = GRAD_CAM,
) -> Heatmap:
    """Explain one answer for one frame.

    ``frame``: uint8 H x W x 3 RGB. ``target``: "grade" (the predicted grade, or ``grade`` when given) or
    "active". ``method``: one of `METHODS`. The map has the frame's size, is 0 outside the field of view and
    where overlays are covered, and keeps its raw peak; peaks of two methods do not compare.
    Raises ValueError for an unknown target or method.
    """
    _check_name("target", target, TARGETS)
    _check_name("method", method, METHODS)
    check_frame(frame)
    h = _last_map(predictor, frame)
    if target == "active":
        index, answer = predictor.spec.active_index, "active"
    else:
        index = _predicted(predictor, h) if grade is None else grade
        answer = f"MES {index}"
    exact = small = cam(predictor.network.heads, h, target, index)[0].numpy()
    if method != GRAD_CAM:
        small = cam(predictor.network.heads, h, target, index, method)[0].numpy()
    values, peak = _laid_out(small, frame, predictor)
    return Heatmap(values, peak, answer, method, float(exact.sum()))


def cam(heads: Heads, h: torch.Tensor, target: str, index: int, method: str = GRAD_CAM) -> torch.Tensor:
    """Give the un-normalised map of a method, N x H x W, on the CPU, never negative.

    ``h``: N x C x H x W, the trunk's last map after its activation. ``target`` "grade" explains the fine
    logit ``index``, "active" the coarse logit ``index``. Grad-CAM: relu(sum_c mean(d logit / d h_c) * h_c).
    """
    with torch.enable_grad():
        leaf = h.detach().float().requires_grad_(True)
        logits = heads.eval()(leaf)
        chosen = logits.fine[:, index] if target == "grade" else logits.coarse[:, index]
        (gradient,) = torch.autograd.grad(chosen.sum(), leaf)
    activations, gradient = leaf.detach().cpu(), gradient.cpu()
    if method == GRAD_CAM:
        raw = (gradient.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1)
    else:
        raw = _by_package(heads, activations, gradient, method)
    return torch.relu(raw)


def overlay(frame: np.ndarray, heatmap: Heatmap, opacity: float = 0.5) -> np.ndarray:
    """Lay a heatmap over its frame, uint8 H x W x 3.

    Opacity follows the map and its strength: no evidence, no tint.
    """
    levels = np.round(heatmap.values * 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.float32)
    share = (opacity * heatmap.strength * heatmap.values)[..., None]
    return np.round(frame * (1 - share) + colours * share).astype(np.uint8)


def _check_name(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueError(f"heatmap {what} {name!r} is unknown: use one of {', '.join(known)}")


def _last_map(predictor: Predictor, frame: np.ndarray) -> torch.Tensor:
    """The trunk's last activated map for one frame, 1 x C x H x W."""
    square = prepare(frame, predictor.spec.input)[None]
    x = torch.from_numpy(normalise(square, predictor.spec.input))
    with torch.inference_mode():
        h: torch.Tensor = predictor.network.trunk(x.to(predictor.device, memory_format=torch.channels_last))
    # An ordinary tensor again: autograd refuses those born in inference mode.
    return h.clone()


def _predicted(predictor: Predictor, h: torch.Tensor) -> int:
    """The grade the predictor reports for a last map."""
    with torch.inference_mode():
        raw = predictor.network.heads(h)
    fine, coarse = (part.float().cpu().numpy() for part in (raw.fine, raw.coarse))
    answers = predictor.calibration.answers(fine, coarse[:, predictor.spec.active_index])
    return int(most_probable(answers[0])[0])


def _by_package(heads: Heads, activations: torch.Tensor, gradient: torch.Tensor, method: str) -> torch.Tensor:
    """What a method of the grad-cam package makes of a map and its gradient, before it stretches the result.

    The package finds gradients by hooks on a layer; ours are exact already, so it gets no layer to hook and
    only its rule is asked for. Calling it as a whole would lose the raw peak.
    """
    from pytorch_grad_cam import GradCAMPlusPlus, LayerCAM  # slow to load, and not needed for Grad-CAM

    rule = {GRAD_CAM_PLUS_PLUS: GradCAMPlusPlus, LAYER_CAM: LayerCAM}[method](heads, [])
    raw = rule.get_cam_image(None, None, None, activations.numpy(), gradient.numpy(), eigen_smooth=False)
    return torch.from_numpy(raw)


def _laid_out(small: np.ndarray, frame: np.ndarray, predictor: Predictor) -> tuple[np.ndarray, float]:
    """A small map over its field of view, float32 H x W of the frame, 0..1, and its raw peak."""
    peak = float(small.max())
    box = field_of_view(frame)
    values = np.zeros(frame.shape[:2], np.float32)
    if peak > 0:
        # Cubic resampling can overshoot; the map stays within 0..1.
        grown = cv2.resize(small / peak, (box.width, box.height), interpolation=cv2.INTER_CUBIC)
        small_seen = (~hidden(frame, predictor.spec.input)).astype(np.uint8)
        seen = cv2.resize(small_seen, (box.width, box.height), interpolation=cv2.INTER_NEAREST)
        values[box.top : box.bottom, box.left : box.right] = np.clip(grown, 0, 1) * seen
    return values, peak
