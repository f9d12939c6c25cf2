"""Shortcut tests: does a score move when something that is not mucosa is put into the picture?

A model that reads the processor's overlays or the shape of the border instead of the bowel moves with
them. Each change is made to the original frame, before the model's own preparation, so the covering of
overlays is tested along with the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from mtl_core.data import Sample, read_picture
from mtl_core.predict import Predictor

Change = Callable[[np.ndarray], np.ndarray]


def paste_green_box(rgb: np.ndarray) -> np.ndarray:
    """The green scope-position box in the lower-left corner, with its dark frame."""
    out = rgb.copy()
    height, width = rgb.shape[:2]
    out[round(0.68 * height) :, : round(0.31 * width)] = 10
    out[round(0.70 * height) : round(0.98 * height), round(0.01 * width) : round(0.29 * width)] = (
        24,
        158,
        130,
    )
    return out


def paste_text(rgb: np.ndarray) -> np.ndarray:
    """White date and settings lines on the left, as processors burn them in."""
    out = rgb.copy()
    height, width = rgb.shape[:2]
    size = height / 576
    for row, line in enumerate(("15/03/2012", "13:43:06", "CVP:1", "Q:N", "Comment:")):
        place = (round(0.01 * width), round((0.26 + 0.055 * row) * height))
        cv2.putText(
            out, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55 * size, (235, 235, 235), max(1, round(size))
        )
    return out


def add_border(rgb: np.ndarray) -> np.ndarray:
    """A black border of a tenth of the side, as another processor would leave it."""
    vertical, horizontal = rgb.shape[0] // 10, rgb.shape[1] // 10
    return cv2.copyMakeBorder(
        rgb, vertical, vertical, horizontal, horizontal, cv2.BORDER_CONSTANT, value=(0, 0, 0)
    )


def cover_corners(rgb: np.ndarray) -> np.ndarray:
    """The four corners blackened to a tight octagon."""
    out = rgb.copy()
    height, width = rgb.shape[:2]
    x, y = round(0.24 * width), round(0.24 * height)
    for corner in (
        [(0, 0), (x, 0), (0, y)],
        [(width, 0), (width - x, 0), (width, y)],
        [(0, height), (x, height), (0, height - y)],
        [(width, height), (width - x, height), (width, height - y)],
    ):
        cv2.fillConvexPoly(out, np.array(corner, np.int32), (0, 0, 0))
    return out


CHANGES: Mapping[str, Change] = {
    "green box pasted in": paste_green_box,
    "text pasted in": paste_text,
    "black border added": add_border,
    "corners blackened": cover_corners,
}


def shortcut_tests(predictor: Predictor, samples: Sequence[Sample]) -> dict[str, Any]:
    """How far scores move with each change, over the pictures that are scored before and after.

    Gives JSON-ready figures per change: ``pictures``, of them ``unseen`` in training (use ``check``; the
    others may move less for having been learned); ``mean_shift`` of P(active), signed, and
    ``mean_distance``, unsigned, in -1..1; ``grade_changed`` and ``active_changed``, shares in 0..1.
    Raises ValueError when no picture is scored.
    """
    plain = list(predictor.predict(read_picture(sample.path) for sample in samples))
    if not any(scores.scored for scores in plain):
        raise ValueError("shortcut tests need pictures that are scored; none of those given was")
    report: dict[str, Any] = {}
    for name, change in CHANGES.items():
        changed = list(predictor.predict(change(read_picture(sample.path)) for sample in samples))
        both = [(a, b, s) for a, b, s in zip(plain, changed, samples, strict=True) if a.scored and b.scored]
        pairs = [(a, b) for a, b, _ in both]
        unseen = sum(sample.use == "check" for _, _, sample in both)
        if not pairs:
            report[name] = {"pictures": 0, "unseen": 0, "rejected": len(plain)}
            continue
        shift = np.array([(b.p_active or 0.0) - (a.p_active or 0.0) for a, b in pairs])
        report[name] = {
            "pictures": len(pairs),
            "unseen": unseen,
            "rejected": sum(a.scored and not b.scored for a, b in zip(plain, changed, strict=True)),
            "mean_shift": float(shift.mean()),
            "mean_distance": float(np.abs(shift).mean()),
            "grade_changed": float(np.mean([a.grade != b.grade for a, b in pairs])),
            "active_changed": float(np.mean([a.active != b.active for a, b in pairs])),
        }
    return report
