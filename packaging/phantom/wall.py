"""The mucosa on the unrolled wall: colour, relief and gloss for a Mayo endoscopic score of 0 to 3.

Colour is made the way tissue makes it: pale tissue seen through an amount of blood per place, so that
vessels, erythema and haemorrhage all darken green and blue and leave red.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from phantom import vessels
from phantom.noise import Canvas, Map, blur, fractal, quantile_mask, smoothstep, warp

SIDE = 2048
"""Pixels of the wall textures along each axis; one radius is about 326 pixels."""

TISSUE = np.array([0.90, 0.335, 0.150], np.float32)
BLOOD = np.array([0.20, 1.0, 1.15], np.float32)
"""Absorption of blood in red, green, blue, relative to green."""
FIBRIN = np.array([0.74, 0.50, 0.24], np.float32)
CLOT = np.array([0.19, 0.005, 0.004], np.float32)
BILE = np.array([0.56, 0.225, 0.03], np.float32)
FRESH = np.array([0.44, 0.014, 0.009], np.float32)


@dataclass(frozen=True)
class Disease:
    """How sick the wall is. Shares and strengths are 0..1; ``redness`` is blood per unit wall."""

    vessels: float
    vessels_kept: float
    redness: float
    patches: float
    granules: float
    spots: int
    erosions: int
    ulcers: float
    bleeding: int
    swelling: float


DISEASES: dict[int, Disease] = {
    0: Disease(1.15, 1.0, 0.60, 0.09, 0.05, 0, 0, 0.0, 0, 0.0),
    1: Disease(0.62, 0.42, 0.80, 0.26, 0.30, 0, 0, 0.0, 0, 0.15),
    2: Disease(0.0, 0.0, 1.16, 0.40, 0.95, 700, 170, 0.0, 0, 0.45),
    3: Disease(0.0, 0.0, 1.32, 0.42, 0.85, 700, 90, 0.15, 60, 1.0),
}
"""What each Mayo endoscopic score draws: see the definitions of the score, D'Haens 2007."""


@dataclass(frozen=True)
class Wall:
    """Textures of the unrolled wall: ``albedo`` S x S x 3 linear RGB, ``relief`` in radii,
    ``gloss`` 0..1, ``liquid`` the linear RGB of what may lie in the lumen, ``murk`` how
    opaque that is (0..1)."""

    albedo: Map
    relief: Map
    gloss: Map
    liquid: Map
    murk: float


def paint(rng: np.random.Generator, disease: Disease) -> Wall:
    """A wall with the given disease on it, random but decided by ``rng``."""
    patchy = fractal(rng, SIDE, 4, 5)
    mottle = fractal(rng, SIDE, 32, 5)
    hue = fractal(rng, SIDE, 2, 3)
    blood = disease.redness * (1 + 0.13 * hue + 0.09 * mottle)
    blood = blood + disease.patches * np.clip(patchy + 0.25 * mottle, -0.35, 2.2)
    relief = 0.0020 * mottle + 0.004 * fractal(rng, SIDE, 16, 3)
    if disease.vessels > 0:
        tree = _vascular(rng, disease, patchy)
        blood = blood + tree
        relief += 0.001 * np.minimum(tree, 1)
    grain = _granules(rng)
    coarse = np.clip(0.6 + 0.4 * patchy, 0.2, 1.3)
    relief += 0.0026 * disease.granules * grain * coarse
    blood = blood - 0.13 * disease.granules * grain * coarse
    albedo = TISSUE * np.exp(-BLOOD * np.maximum(blood, 0.12)[..., None])
    tint = np.stack([0.02 * hue, 0.045 * hue, -0.05 * hue], axis=-1)
    albedo = np.asarray(albedo * np.exp(tint), np.float32)
    gloss = np.clip(0.55 + 0.4 * fractal(rng, SIDE, 8, 3), 0.1, 1)
    if disease.swelling > 0:
        # domes with creases between them: oedema, and at its worst inflammatory islands
        relief -= 0.030 * disease.swelling * np.abs(fractal(rng, SIDE, 16, 2))
    wall = Wall(albedo, relief.astype(np.float32), gloss.astype(np.float32), *_liquid(disease))
    if disease.ulcers > 0:
        wall = _ulcerate(rng, wall, disease.ulcers, patchy)
    if disease.erosions:
        wall = _erode(rng, wall, disease.erosions, patchy)
    if disease.spots:
        wall = _bleed_points(rng, wall, disease.spots, patchy)
    if disease.bleeding:
        wall = _bleed_freely(rng, wall, disease.bleeding)
    return wall


def _liquid(disease: Disease) -> tuple[Map, float]:
    """Colour and opacity of what collects in the lumen: blood where it bleeds, else thin bile."""
    return (0.9 * CLOT, 0.98) if disease.bleeding else (BILE, 0.72)


def _vascular(rng: np.random.Generator, disease: Disease, patchy: Map) -> Map:
    """Extra blood in the vessels; where less than all is kept, erythema and oedema veil the rest."""
    deep, fine = vessels.draw(vessels.grow(rng, SIDE, 130), SIDE)
    strength = np.full_like(deep, disease.vessels)
    strength *= np.clip(0.85 + 0.25 * fractal(rng, SIDE, 4, 3), 0.3, 1.3)
    if disease.vessels_kept < 1:
        strength *= 0.1 + 0.9 * quantile_mask(-patchy + 0.3 * strength, disease.vessels_kept, 0.7)
    halo = blur(deep, 7)
    return np.asarray(strength * (1.05 * deep + 1.15 * fine + 0.35 * halo), np.float32)


def _granules(rng: np.random.Generator) -> Map:
    """Fine granularity: rounded grains a third of a millimetre to a millimetre wide."""
    base = fractal(rng, SIDE, 256, 1) + 0.8 * fractal(rng, SIDE, 128, 1)
    # saturating the crests gives domed grains with narrow grooves between
    return np.asarray(np.tanh(1.3 * base + 0.5), np.float32)


def _ulcerate(rng: np.random.Generator, wall: Wall, share: float, patchy: Map) -> Wall:
    """Irregular ulcers over ``share`` of the wall: sunken fibrin base, raised angry rim."""
    # crests of noise rather than its peaks: serpiginous, not round
    crests = fractal(rng, SIDE, 8, 5, 0.5) + 0.5 * patchy - 0.7 * np.abs(fractal(rng, SIDE, 8, 3))
    dx, dy = fractal(rng, SIDE, 16, 4), fractal(rng, SIDE, 16, 4)
    field = warp(crests.astype(np.float32), dx, dy, 16)
    core = quantile_mask(field, share, 0.32)
    wide = quantile_mask(field, share * 1.9, 0.35)
    rim = np.clip(wide - core, 0, 1)
    slough = fractal(rng, SIDE, 32, 5, 0.65)
    strands = fractal(rng, SIDE, 128, 3)
    patch = smoothstep(0.0, 1.6, 0.8 * slough + 0.5 * strands + 3.4 * (core - 0.45)) * core
    veil = 0.30 * wide * smoothstep(0.2, 1.8, slough + 0.5 * strands)
    cover = np.maximum(patch * np.clip(0.74 + 0.13 * slough + 0.12 * strands, 0.35, 0.95), veil)
    base = FIBRIN * np.exp(-np.array([0.18, 0.30, 0.42], np.float32) * (0.9 - 0.55 * slough)[..., None])
    stain = np.clip(0.55 * fractal(rng, SIDE, 16, 5) + 0.1, 0, 1.1)[..., None]
    base = base * np.exp(-np.array([0.15, 0.60, 0.75], np.float32) * stain)
    raw = wall.albedo * np.exp(-BLOOD * (0.75 * rim + 0.6 * core)[..., None])
    albedo = raw * (1 - cover[..., None]) + base * cover[..., None]
    relief = wall.relief * (1 - 0.6 * core) - 0.022 * blur(core, 9) + 0.022 * blur(rim, 9)
    relief = relief + core * (0.003 * slough + 0.0012 * strands)
    gloss = wall.gloss * (1 - 0.55 * cover)
    return Wall(
        albedo.astype(np.float32), relief.astype(np.float32), gloss.astype(np.float32), wall.liquid, wall.murk
    )


def _erode(rng: np.random.Generator, wall: Wall, count: int, patchy: Map) -> Wall:
    """Small erosions: pale yellow flecks with a red rim, in groups."""
    board = Canvas(SIDE)
    for x, y in _groups(rng, count, patchy):
        for _ in range(int(rng.integers(1, 5))):
            long, thin = rng.uniform(3.5, 11), rng.uniform(2.5, 5)
            place = (x + rng.normal(0, 7), y + rng.normal(0, 7))
            board.spot(*place, (0.8 * long, thin), rng.uniform(0, 180), 1.0)
    dx, dy = fractal(rng, SIDE, 128, 3), fractal(rng, SIDE, 128, 3)
    spots = warp(board.result(), dx, dy, 3.5)
    fleck = smoothstep(0.15, 0.95, blur(spots, 2.2))
    rim = np.clip(1.6 * blur(spots, 9) - 0.25 * fleck, 0, 1)
    albedo = wall.albedo * np.exp(-BLOOD * (1.1 * rim)[..., None])
    cover = (0.80 * fleck * np.clip(0.8 + 0.3 * dx, 0.2, 1))[..., None]
    albedo = albedo * (1 - cover) + 0.92 * FIBRIN * cover
    relief = wall.relief - 0.003 * fleck + 0.006 * rim
    return Wall(albedo.astype(np.float32), relief.astype(np.float32), wall.gloss, wall.liquid, wall.murk)


def _bleed_points(rng: np.random.Generator, wall: Wall, count: int, patchy: Map) -> Wall:
    """Friability: pinpoint and petechial blood, denser where the wall is angry."""
    board = Canvas(SIDE)
    for x, y in _groups(rng, count, patchy):
        size = rng.uniform(1.3, 3.4) * (1.7 if rng.random() < 0.08 else 1)
        board.spot(x, y, (size * rng.uniform(1, 1.9), size), rng.uniform(0, 180), rng.uniform(0.6, 1))
    dx = fractal(rng, SIDE, 256, 2)
    points = warp(board.result(), dx, np.roll(dx, 517, axis=1), 1.6)
    stain = 0.5 * blur(points, 5)
    albedo = wall.albedo * np.exp(-BLOOD * stain[..., None])
    cover = (0.88 * blur(points, 0.9))[..., None]
    albedo = albedo * (1 - cover) + 0.75 * FRESH * cover
    return Wall(albedo.astype(np.float32), wall.relief, wall.gloss, wall.liquid, wall.murk)


def _bleed_freely(rng: np.random.Generator, wall: Wall, count: int) -> Wall:
    """Spontaneous bleeding: streaks that run down the wall and smears of thicker, darker blood."""
    board = Canvas(SIDE)
    for _ in range(count):
        x, y = rng.uniform(0, SIDE), rng.uniform(0, SIDE)
        for _ in range(int(rng.integers(1, 4))):
            _streak(rng, board, (x + rng.normal(0, 22)) % SIDE, (y + rng.normal(0, 22)) % SIDE)
    dx, dy = fractal(rng, SIDE, 64, 4), fractal(rng, SIDE, 64, 4)
    run = warp(warp(board.result(), dx, dy, 7), np.roll(dx, 301, axis=0), np.roll(dy, 77, axis=1), 4)
    pooled = quantile_mask(blur(run, 16) * (1 + 0.8 * fractal(rng, SIDE, 32, 4)), 0.022, 0.06)
    film = np.clip(2.2 * blur(run, 14) + 0.9 * blur(pooled, 18), 0, 1.2)
    albedo = wall.albedo * np.exp(-BLOOD * (1.1 * film)[..., None])
    thick = np.clip(blur(run, 1.2) * (0.8 + 0.3 * dx) + pooled * (0.75 + 0.2 * dy), 0, 0.96)
    colour = FRESH + (CLOT - FRESH) * smoothstep(0.35, 0.9, thick)[..., None]
    albedo = albedo * (1 - thick[..., None]) + colour * thick[..., None]
    relief = wall.relief * (1 - 0.5 * thick) + 0.008 * blur(thick.astype(np.float32), 2.5)
    gloss = wall.gloss + (1 - wall.gloss) * thick
    return Wall(
        albedo.astype(np.float32), relief.astype(np.float32), gloss.astype(np.float32), wall.liquid, wall.murk
    )


def _streak(rng: np.random.Generator, board: Canvas, x: float, y: float) -> None:
    """One trickle from (x, y), pixels: down is where the angle round the tube is -pi/2."""
    width = rng.uniform(2.0, 7.0)
    sway = 0.0
    for _ in range(int(rng.integers(8, 60))):
        angle = x / SIDE * 2 * math.pi
        pull = -math.cos(angle)
        sway = 0.8 * sway + float(rng.normal(0, 1.2))
        end = (x + 5 * pull + float(rng.normal(0, 1)), y + sway)
        board.line((x, y), end, width, 1.0)
        x, y = end[0] % SIDE, end[1] % SIDE
        width = max(width * rng.uniform(0.93, 1.05), 1.5)


def _groups(rng: np.random.Generator, count: int, patchy: Map) -> list[tuple[float, float]]:
    """``count`` places (pixels) that prefer high ``patchy`` and come in loose clusters."""
    places: list[tuple[float, float]] = []
    while len(places) < count:
        x, y = rng.uniform(0, SIDE), rng.uniform(0, SIDE)
        if patchy[int(y), int(x)] < rng.normal(0.35, 0.7):
            continue
        for _ in range(int(rng.integers(1, 7))):
            places.append(((x + rng.normal(0, 26)) % SIDE, (y + rng.normal(0, 26)) % SIDE))
    return places[:count]
