"""Random textures that tile in both directions: fractal noise, marks, thresholds."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


def fractal(
    rng: np.random.Generator, side: int, cells: int, octaves: int = 4, gain: float = 0.55, stretch: int = 1
) -> Map:
    """Tiling fractal noise, float32 ``side`` x ``side``, mean 0 and standard deviation 1.

    ``cells`` (a power of two) is the number of lattice cells along x in the first octave; ``stretch``
    divides the cells along y, which draws the noise out along that axis.
    """
    total = np.zeros((side, side), np.float32)
    weight = 1.0
    for _ in range(octaves):
        if cells > side // 2:
            break
        total += weight * _lattice(rng, side, cells, max(cells // stretch, 1))
        weight *= gain
        cells *= 2
    total -= total.mean()
    return total / np.float32(total.std() + 1e-9)


def _lattice(rng: np.random.Generator, side: int, cells_x: int, cells_y: int) -> Map:
    grid = rng.standard_normal((cells_y, cells_x)).astype(np.float32)
    padded = np.pad(grid, 2, mode="wrap")
    step_x, step_y = side // cells_x, side // cells_y
    size = (padded.shape[1] * step_x, padded.shape[0] * step_y)
    large = cv2.resize(padded, size, interpolation=cv2.INTER_CUBIC)
    crop = large[2 * step_y : 2 * step_y + side, 2 * step_x : 2 * step_x + side]
    # a random shift of every octave keeps the lattices from lining up into a visible grid
    shift = (int(rng.integers(side)), int(rng.integers(side)))
    return np.roll(crop, shift, axis=(0, 1)).astype(np.float32)


def blur(image: Map, sigma: float) -> Map:
    """``image`` smoothed by a Gaussian of ``sigma`` pixels, wrapping round at the edges."""
    pad = int(3 * sigma) + 1
    wrapped = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_WRAP)
    smooth = cv2.GaussianBlur(wrapped, (0, 0), sigma)
    return np.asarray(smooth[pad:-pad, pad:-pad], np.float32)


def smoothstep(low: float, high: float, values: Map) -> Map:
    """0 below ``low``, 1 above ``high``, smooth between (float32, shape of ``values``)."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def quantile_mask(values: Map, share: float, softness: float) -> Map:
    """A soft mask (0..1) over the highest ``share`` of ``values``; ``softness`` in units of ``values``."""
    level = float(np.quantile(values[::8, ::8], 1 - share))
    return smoothstep(level - softness, level + softness, values)


def warp(image: Map, dx: Map, dy: Map, amount: float) -> Map:
    """``image`` pulled about by up to ``amount`` pixels along the noises ``dx`` and ``dy`` (tiling)."""
    side = image.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    # wrapped by hand: remap alone would interpolate wrongly between the last and the first column
    return np.asarray(
        cv2.remap(
            image,
            np.mod(x + amount * dx, side),
            np.mod(y + amount * dy, side),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        ),
        np.float32,
    )


class Canvas:
    """A tiling drawing board (uint8 inside, float32 0..1 out) for anti-aliased marks."""

    PAD = 64

    def __init__(self, side: int) -> None:
        self.side = side
        self._board = np.zeros((side + 2 * self.PAD, side + 2 * self.PAD), np.uint8)

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float, tone: float) -> None:
        """Draw from ``start`` to ``end`` (pixels, may lie up to 64 px outside); ``tone`` in 0..1."""
        a, b = ((round((p[0] + self.PAD) * 16), round((p[1] + self.PAD) * 16)) for p in (start, end))
        value = int(255 * min(tone, 1.0))
        cv2.line(self._board, a, b, (value,), max(1, round(width)), cv2.LINE_AA, 4)

    def spot(self, x: float, y: float, radii: tuple[float, float], angle: float, tone: float) -> None:
        """Fill an ellipse at (x, y) with half axes ``radii`` (pixels), turned by ``angle`` degrees."""
        centre = (round((x + self.PAD) * 16), round((y + self.PAD) * 16))
        axes = (round(radii[0] * 16), round(radii[1] * 16))
        value = int(255 * min(tone, 1.0))
        cv2.ellipse(self._board, centre, axes, angle, 0, 360, (value,), -1, cv2.LINE_AA, 4)

    def result(self) -> Map:
        """The drawing with everything beyond an edge folded in at the opposite one."""
        pad, side = self.PAD, self.side
        board = self._board.copy()
        board[side : side + pad] = np.maximum(board[side : side + pad], board[:pad])
        board[pad : 2 * pad] = np.maximum(board[pad : 2 * pad], board[side + pad :])
        board[:, side : side + pad] = np.maximum(board[:, side : side + pad], board[:, :pad])
        board[:, pad : 2 * pad] = np.maximum(board[:, pad : 2 * pad], board[:, side + pad :])
        return (board[pad:-pad, pad:-pad] / 255).astype(np.float32)
