"""A heatmap as a picture to be laid over a frame, and the key to its colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter

_ANCHORS = (
    "000004", "0c0826", "240c4f", "420a68", "5d126e", "781c6d", "932667", "ae305c",
    "c73e4c", "dd513a", "ed6925", "f8850f", "fca50a", "fac62d", "f2e661", "fcffa4",
)  # fmt: skip
"""Every 17th of the 256 colours "inferno", which rise evenly in lightness (Smith, van der Walt; CC0)."""


def _ramp() -> np.ndarray:
    anchors = np.array([list(bytes.fromhex(anchor)) for anchor in _ANCHORS], np.float64)
    at = np.linspace(0, 255, len(anchors))
    return np.stack([np.interp(np.arange(256), at, channel) for channel in anchors.T], axis=1)


RAMP = _ramp()
"""float64 256 x 3 RGB, 0..255, from no evidence to most."""


def heat_image(values: np.ndarray, strength: float) -> QImage:
    """Give the layer of a heatmap: colour by value, the more opaque the more evidence.

    ``values``: H x W, 0..1. ``strength``: 0..1, the opacity at value 1.
    """
    levels = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    alpha = np.arange(256) * min(max(strength, 0.0), 1.0)
    red, green, blue = np.round(RAMP * (alpha / 255)[:, None]).astype(np.uint32).T
    table = np.round(alpha).astype(np.uint32) << 24 | red << 16 | green << 8 | blue
    pixels = np.ascontiguousarray(table[levels])
    height, width = pixels.shape
    layer = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    return layer.copy()  # Qt's own: the array may go


def draw_key(painter: QPainter, at: QRectF, low: str, high: Sequence[str]) -> None:
    """Draw the colours from ``low`` to ``high`` at the left of an area; the first of ``high`` that fits."""
    metrics = painter.fontMetrics()
    gap, thick = metrics.averageCharWidth(), metrics.height() * 0.5
    left = at.left() + metrics.horizontalAdvance(low) + gap
    bar = QRectF(left, at.center().y() - thick / 2, metrics.height() * 6.0, thick)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for place, anchor in enumerate(_ANCHORS):
        gradient.setColorAt(place / (len(_ANCHORS) - 1), QColor(f"#{anchor}"))
    painter.fillRect(bar, gradient)
    # The low end is as dark as the canvas: without an outline the bar would seem to begin in its middle.
    painter.drawRect(bar)
    rest = QRectF(bar.right() + gap, at.top(), at.right() - bar.right() - gap, at.height())
    fits = (text for text in high if metrics.horizontalAdvance(text) <= rest.width())
    painter.drawText(at, Qt.AlignmentFlag.AlignVCenter, low)
    painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, next(fits, ""))
