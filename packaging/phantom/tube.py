"""The bowel as a bent tube with haustral folds, and where rays of sight meet its wall.

Lengths are in tube radii. The wall is unrolled into a square: x is the angle round the tube, y the
way along it, both with period 2 pi, so that a texture keeps its proportions on the wall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from phantom.noise import Map, blur, fractal

PERIOD = 2 * math.pi
SWING = 0.75
"""How fast the centre line swings, radians per radius."""
SIDE = 1024
"""Pixels of the radius map along each axis."""


@dataclass(frozen=True)
class Shape:
    """What the tube looks like: number and height of folds, bends, how triangular it is.

    ``bend`` is how far (x, y) the centre line swings out beyond depth 1, in radii; ``pool`` is the
    level of a liquid below the centre line in radii, or None.
    """

    folds: int = 6
    height: float = 0.42
    thickness: float = 0.12
    triangle: float = 0.06
    ripple: float = 0.010
    bend: tuple[float, float] = (0.6, 0.25)
    pool: float | None = None


@dataclass(frozen=True)
class Tube:
    """A tube ready to be looked into: radius map, its slopes, a crevice map, liquid mask (0..1)."""

    shape: Shape
    radius: Map
    slope_around: Map
    slope_along: Map
    crevice: Map
    liquid: Map

    def centre(self, z: Map) -> tuple[Map, Map]:
        """Centre line (x, y) at the depths ``z``."""
        swing = 1 - np.cos(SWING * (z - 1))
        return self.shape.bend[0] * swing, self.shape.bend[1] * swing

    def drift(self, z: Map) -> tuple[Map, Map]:
        """Slope of the centre line (dx/dz, dy/dz) at the depths ``z``."""
        slope = SWING * np.sin(SWING * (z - 1))
        return self.shape.bend[0] * slope, self.shape.bend[1] * slope


def build(rng: np.random.Generator, shape: Shape) -> Tube:
    """A tube of the given shape with its own random folds."""
    axis = np.linspace(0, PERIOD, SIDE, endpoint=False, dtype=np.float32)
    around, along = np.meshgrid(axis, axis)
    radius = 1 + 0.045 * fractal(rng, SIDE, 2, 3)
    phase = rng.uniform(0, PERIOD)
    radius += shape.triangle * np.cos(3 * (around - phase) + 0.5 * np.sin(along))
    folds = np.zeros_like(radius)
    for number in range(shape.folds):
        place = 1 + (number + rng.uniform(-0.3, 0.3)) * PERIOD / shape.folds
        folds = np.maximum(folds, _fold(rng, shape, around, along, place, phase))
    radius -= folds
    # transverse pleats: noise drawn out round the tube
    pleats = fractal(rng, SIDE, 64, 3, stretch=16).T
    radius -= shape.ripple * pleats * np.clip(0.5 + fractal(rng, SIDE, 2, 2), 0, 1)
    radius = np.maximum(blur(radius.astype(np.float32), 1.5), 0.16)
    liquid = np.zeros_like(radius)
    if shape.pool is not None:
        down = np.maximum(-np.sin(around), 1e-3)
        level = shape.pool / down
        liquid = np.sqrt(np.clip((radius - level) / 0.09, 0, 1)).astype(np.float32)
        radius = np.minimum(radius, level).astype(np.float32)
    crevice = np.clip(radius - blur(radius, 44), 0, 1)
    scale = SIDE / PERIOD
    wrapped = cv2.copyMakeBorder(radius, 1, 1, 1, 1, cv2.BORDER_WRAP)
    slope_around = (wrapped[1:-1, 2:] - wrapped[1:-1, :-2]) * (scale / 2)
    slope_along = (wrapped[2:, 1:-1] - wrapped[:-2, 1:-1]) * (scale / 2)
    return Tube(shape, radius, slope_around, slope_along, crevice, liquid)


def _fold(rng: np.random.Generator, shape: Shape, around: Map, along: Map, place: float, phase: float) -> Map:
    """Inward height of one semilunar fold: a crest that spans part of the way round and tapers off."""
    tilt = rng.uniform(0.08, 0.32) * np.sin(around - rng.uniform(0, PERIOD))
    wave = 0.05 * np.sin(2 * around + rng.uniform(0, PERIOD)) + 0.02 * np.sin(5 * around + rng.uniform(0, 6))
    gap = np.mod(along - place - tilt - wave + math.pi, PERIOD) - math.pi
    width = shape.thickness * rng.uniform(0.75, 1.35)
    profile = 1 / (1 + (gap / width) ** 2) ** 1.4
    # three bands of muscle hold the wall out: the crest is low along them, high between
    bands = 0.66 - 0.34 * np.cos(3 * (around - phase + rng.normal(0, 0.2)))
    reach = 0.5 + 0.5 * np.cos(around - rng.uniform(0, PERIOD))
    height = shape.height * rng.uniform(0.65, 1.3) * (0.12 + 0.88 * reach) * bands
    return np.asarray(height * profile, np.float32)


def sample(texture: Map, around: Map, along: Map) -> Map:
    """``texture`` (H x W or H x W x C) read at wall places (radians, radii): N or N x C values."""
    rows = -(-around.size // 1024)
    maps = []
    for values, side in ((around, texture.shape[1]), (along, texture.shape[0])):
        flat = np.zeros(rows * 1024, np.float32)
        flat[: values.size] = np.mod(values, PERIOD) * (side / PERIOD)
        maps.append(flat.reshape(rows, 1024))
    read = cv2.remap(texture, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(read.reshape(-1, *texture.shape[2:])[: around.size], np.float32)


def trace(tube: Tube, origin: Map, rays: Map, reach: float = 14.0) -> Map:
    """Distance along each ray (N x 3, unit length) from ``origin`` to the wall, radii, at most ``reach``."""
    distance = np.full(len(rays), 0.02, np.float32)
    active = np.arange(len(rays))
    t = distance.copy()
    before = t.copy()
    for _ in range(160):
        gap = _gap(tube, origin, rays[active], t)
        done = (gap < 0) | (t > reach)
        if done.any():
            distance[active[done]] = _refine(tube, origin, rays[active[done]], before[done], t[done])
            keep = ~done
            active, t, gap = active[keep], t[keep], gap[keep]
        if not active.size:
            return distance
        before = t
        t = t + np.clip(0.38 * gap, 0.008, 0.3)
    distance[active] = t
    return distance


def _refine(tube: Tube, origin: Map, rays: Map, low: Map, high: Map) -> Map:
    for _ in range(6):
        middle = np.asarray((low + high) / 2, np.float32)
        inside = _gap(tube, origin, rays, middle) >= 0
        low = np.asarray(np.where(inside, middle, low), np.float32)
        high = np.asarray(np.where(inside, high, middle), np.float32)
    return high


def _gap(tube: Tube, origin: Map, rays: Map, t: Map) -> Map:
    """Free way to the wall at the points ``origin + t * rays``: negative outside the tube."""
    around, along, radius = place(tube, origin + t[:, None] * rays)
    return sample(tube.radius, around, along) - radius


def place(tube: Tube, points: Map) -> tuple[Map, Map, Map]:
    """Tube coordinates of ``points`` (N x 3): angle round, way along, distance from the centre line."""
    z = points[:, 2]
    x, y = tube.centre(z)
    dx, dy = points[:, 0] - x, points[:, 1] - y
    return np.arctan2(dy, dx), z, np.hypot(dx, dy)
