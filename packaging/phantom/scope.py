"""The endoscope: where it looks, its light, its lens, its processor; gives the finished picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from phantom import tube as bowel
from phantom.noise import Map, fractal, smoothstep
from phantom.tube import PERIOD, Tube, place, sample
from phantom.wall import SIDE, TISSUE, Wall

WIDTH, HEIGHT = 768, 576
LEFT, TOP, RIGHT, BOTTOM, CUT = 118, 8, 752, 568, 132
"""The octagonal field of view in pixels; ``CUT`` is how much each corner loses."""
OVERSAMPLE = 1.5
BOUNCED = np.array([1.15, 0.92, 0.78], np.float32)
"""Colour of light that has met the wall more than once."""
LIGHTS = ((0.055, 0.03), (-0.055, 0.03))
"""Light guides beside the lens (x, y) in radii."""


@dataclass(frozen=True)
class View:
    """Where the scope is and how it sees: place in radii, angles in degrees, strengths around 1."""

    depth: float
    offset: tuple[float, float] = (0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gain: float = 1.0
    warmth: float = 0.0
    defocus: float = 0.0
    glints: float = 1.0


def photograph(rng: np.random.Generator, tube: Tube, wall: Wall, view: View) -> NDArray[np.uint8]:
    """The finished picture, uint8 576 x 768 x 3 RGB, black outside the octagon but for the label."""
    rays, inside = _rays(view)
    origin = _origin(tube, view)
    light = np.zeros((*inside.shape, 3), np.float32)
    seen = rays[inside]
    light[inside] = _shade(_meet(rng, tube, wall, origin, seen), view, origin, seen)
    light = _fill_border(light, inside)
    picture = _develop(rng, light, view)
    mask = cv2.resize(inside.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    picture = picture * mask[..., None]
    out = np.clip(np.round(255 * picture), 0, 255).astype(np.uint8)
    cv2.putText(out, "SYNTHETIC", (10, 40), cv2.FONT_HERSHEY_PLAIN, 1.0, (205, 205, 205), 1, cv2.LINE_AA)
    return np.ascontiguousarray(out)


def _octagon(scale: float) -> NDArray[np.bool_]:
    mask = np.zeros((round(HEIGHT * scale), round(WIDTH * scale)), np.uint8)
    corners = [
        (LEFT + CUT, TOP), (RIGHT - CUT, TOP), (RIGHT, TOP + CUT), (RIGHT, BOTTOM - CUT),
        (RIGHT - CUT, BOTTOM), (LEFT + CUT, BOTTOM), (LEFT, BOTTOM - CUT), (LEFT, TOP + CUT),
    ]  # fmt: skip
    points = np.round(np.array(corners, np.float64) * scale).astype(np.int32)
    cv2.fillConvexPoly(mask, points, (1,))
    return mask.astype(bool)


def _rays(view: View) -> tuple[Map, NDArray[np.bool_]]:
    """Unit directions of sight (H x W x 3, supersampled) through a fisheye lens, and the octagon."""
    inside = _octagon(OVERSAMPLE)
    y, x = np.mgrid[0 : inside.shape[0], 0 : inside.shape[1]].astype(np.float32) / OVERSAMPLE
    x, y = x - (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2 - y
    rho = np.hypot(x, y) + 1e-6
    # equidistant projection: 140 degrees across the corners of the octagon
    alpha = rho * (math.radians(70) / 345)
    local = np.stack([np.sin(alpha) * x / rho, np.sin(alpha) * y / rho, np.cos(alpha)], axis=-1)
    rays = local @ _turn(view).T
    return np.asarray(rays, np.float32), inside


def _turn(view: View) -> Map:
    yaw, pitch, roll = (math.radians(angle) for angle in (view.yaw, view.pitch, view.roll))
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


def _origin(tube: Tube, view: View) -> Map:
    x, y = tube.centre(np.array([view.depth], np.float32))
    return np.array([x[0] + view.offset[0], y[0] + view.offset[1], view.depth], np.float32)


@dataclass(frozen=True)
class Hit:
    """What the rays meet, one row per ray: place, distance, look of the wall, normals (matt and wet)."""

    points: Map
    distance: Map
    colour: Map
    gloss: Map
    liquid: Map
    beads: Map
    normals: Map
    wet: Map
    shadow: Map


def _meet(rng: np.random.Generator, tube: Tube, wall: Wall, origin: Map, rays: Map) -> Hit:
    """Follow ``rays`` from ``origin`` to the wall, or to the liquid that lies on it."""
    distance = bowel.trace(tube, origin, rays)
    points = origin + distance[:, None] * rays
    around, along, radius = place(tube, points)
    smooth = _normals(tube, points, around, along, np.zeros((len(rays), 2), np.float32), radius)
    facing = np.clip(-(smooth * rays).sum(1), 0.08, 1)
    texels = distance * (SIDE / PERIOD) / (282 * OVERSAMPLE) / np.sqrt(facing)
    detail = np.log2(np.maximum(texels, 1))
    colour, surface = _read_wall(wall, around, along, detail)
    liquid = sample(tube.liquid, around, along)
    waves = _wet_waves(rng, around, along, detail)
    cover = (wall.murk * liquid)[:, None]
    bump = surface[:, :2] * (1 - liquid)[:, None]
    ripple = 0.5 * bump + waves[:, :2] * (0.25 - 0.10 * liquid)[:, None]
    return Hit(
        points=points,
        distance=distance,
        colour=colour * (1 - cover) + wall.liquid * cover,
        gloss=surface[:, 2],
        liquid=liquid,
        beads=smoothstep(-0.5, 0.6, waves[:, 2]) * (1 - liquid) + liquid,
        normals=_normals(tube, points, around, along, bump, radius),
        wet=_normals(tube, points, around, along, ripple, radius),
        shadow=np.exp(-4.0 * sample(tube.crevice, around, along)),
    )


def _shade(hit: Hit, view: View, origin: Map, rays: Map) -> Map:
    """Linear RGB light that comes back along each ray (N x 3)."""
    diffuse = np.zeros_like(hit.points)
    glint = np.zeros(len(rays), np.float32)
    right, up = _turn(view)[:, 0], _turn(view)[:, 1]
    for x, y in LIGHTS:
        ray = origin + x * right + y * up - hit.points
        far = np.linalg.norm(ray, axis=1)
        ray /= far[:, None]
        strength = (far**2 + 0.12) ** -1.2
        lambert = (hit.normals * ray).sum(1)
        # light seeps through wet tissue, red the furthest: soft red terminator
        for channel, seep in enumerate((0.24, 0.13, 0.10)):
            diffuse[:, channel] += strength * np.clip((lambert + seep) / (1 + seep), 0, None)
        half = ray - rays
        half /= np.linalg.norm(half, axis=1)[:, None]
        shine = np.clip((hit.wet * half).sum(1), 0, 1)
        drops = 3.0 * smoothstep(0.9965, 0.9988, shine) * hit.beads
        glint += strength * (drops + 0.07 * shine**60 * hit.gloss)
    # light that has bounced once before is red: it makes the depth brown instead of grey
    deep = smoothstep(0.8, 4.0, hit.distance)[:, None]
    bounced = hit.colour * np.minimum(hit.colour / TISSUE, 1) ** 0.5 * BOUNCED
    colour = hit.colour * (1 - deep) + bounced * deep
    fill = 0.06 / (0.4 + hit.distance**2)
    body = colour * (diffuse * hit.shadow[:, None] + fill[:, None] * np.array([1.0, 0.5, 0.4], np.float32))
    # a liquid's surface mirrors the lit wall opposite where it is seen at a grazing angle (Schlick 1994)
    grazing = (1 - np.clip(-(hit.normals * rays).sum(1), 0, 1)) ** 5
    body += (0.22 * hit.liquid * grazing * strength)[:, None] * TISSUE**1.5
    glint *= (0.25 + 0.75 * hit.gloss) * view.glints * (1 + 0.5 * hit.liquid)
    return np.asarray(body + glint[:, None] * np.array([1.0, 0.98, 0.92], np.float32), np.float32)


def _normals(tube: Tube, points: Map, around: Map, along: Map, bump: Map, radius: Map) -> Map:
    """Unit normals into the lumen; ``bump`` is the extra inward slope (around, along) of the relief."""
    slope_around = sample(tube.slope_around, around, along) - bump[:, 0]
    slope_along = sample(tube.slope_along, around, along) - bump[:, 1]
    drift_x, drift_y = tube.drift(points[:, 2])
    cos, sin = np.cos(around), np.sin(around)
    along_part = slope_along + drift_x * cos + drift_y * sin
    around_part = slope_around / np.maximum(radius, 0.2)
    normal = np.stack([-cos - around_part * sin, -sin + around_part * cos, along_part], axis=1)
    return np.asarray(normal / np.linalg.norm(normal, axis=1)[:, None], np.float32)


def _read_wall(wall: Wall, around: Map, along: Map, detail: Map) -> tuple[Map, Map]:
    """Colour (N x 3) and surface (N x 3: slope around, slope along, gloss), blurred with distance."""
    scale = SIDE / PERIOD
    wrapped = cv2.copyMakeBorder(wall.relief, 1, 1, 1, 1, cv2.BORDER_WRAP)
    slope_x = (wrapped[1:-1, 2:] - wrapped[1:-1, :-2]) * (scale / 2)
    slope_y = (wrapped[2:, 1:-1] - wrapped[:-2, 1:-1]) * (scale / 2)
    skin: Map = np.dstack([slope_x, slope_y, wall.gloss]).astype(np.float32)
    albedo = wall.albedo
    colour, surface = np.zeros((len(around), 3), np.float32), np.zeros((len(around), 3), np.float32)
    for level in range(4):
        weight = np.clip(1 - np.abs(np.minimum(detail, 3) - level), 0, 1)
        near = weight > 0
        if near.any():
            colour[near] += weight[near, None] * sample(albedo, around[near], along[near])
            surface[near] += weight[near, None] * sample(skin, around[near], along[near])
        albedo = np.asarray(cv2.resize(albedo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        skin = np.asarray(cv2.resize(skin, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return colour, surface


def _wet_waves(rng: np.random.Generator, around: Map, along: Map, detail: Map) -> Map:
    """The mucus film (N x 3): slopes around and along, and beading; it breaks reflections into glints."""
    slopes = [fractal(rng, SIDE, 64, 2, 0.5) for _ in range(2)]
    film = np.dstack([*slopes, fractal(rng, SIDE, 128, 1)])
    return sample(film.astype(np.float32), around, along) / (1 + 0.3 * detail)[:, None]


def _fill_border(light: Map, inside: NDArray[np.bool_]) -> Map:
    """``light`` continued past the octagon's edge, so that lens softness does not pull black in."""
    weight = inside.astype(np.float32)
    spread = cv2.GaussianBlur(light, (0, 0), 6)
    amount = cv2.GaussianBlur(weight, (0, 0), 6)
    return np.asarray(np.where(inside[..., None], light, spread / (amount[..., None] + 1e-3)), np.float32)


def _develop(rng: np.random.Generator, light: Map, view: View) -> Map:
    """Processor: automatic gain, tone curve, bloom, lens softness, edge enhancement, noise (0..1 RGB)."""
    inside = _octagon(OVERSAMPLE)
    luma = light @ np.array([0.30, 0.59, 0.11], np.float32)
    level = float(np.quantile(luma[inside], 0.62))
    exposed = light * (0.50 * view.gain / max(level, 1e-4))
    exposed *= np.exp(view.warmth * np.array([0.05, 0.02, -0.25], np.float32))
    glow = cv2.GaussianBlur(np.clip(exposed - 0.9, 0, 6), (0, 0), 9)
    exposed = exposed + 0.10 * glow
    toned = 1 - np.exp(-1.15 * exposed)
    picture = np.power(np.clip(toned, 0, 1), 1 / 2.2)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8 + view.defocus)
    picture = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    picture = _fringe(picture)
    picture = picture + 0.40 * (picture - cv2.GaussianBlur(picture, (0, 0), 1.7))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    rho = np.hypot(x - (LEFT + RIGHT) / 2, y - (TOP + BOTTOM) / 2) / 345
    picture = picture * (1 - 0.16 * rho**3)[..., None]
    grain = rng.standard_normal(picture.shape).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.7)
    return np.asarray(picture + 0.018 * grain * (1.15 - 0.7 * picture), np.float32)


def _fringe(picture: Map) -> Map:
    """A little lateral chromatic aberration: red slightly larger than blue."""
    centre = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)
    channels = []
    for channel, zoom in enumerate((1.0016, 1.0, 0.9984)):
        matrix = cv2.getRotationMatrix2D(centre, 0, zoom)
        plane = np.ascontiguousarray(picture[..., channel])
        channels.append(cv2.warpAffine(plane, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE))
    return np.asarray(np.dstack(channels), np.float32)
