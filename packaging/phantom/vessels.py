"""The vascular pattern: vessels that grow over the unrolled wall, branch, thin out and join."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phantom.noise import Canvas, Map, blur

CELL = 8
"""Side of an occupancy cell, pixels: two vessels that come closer than this join."""


@dataclass
class Tip:
    """A growing end: where it is (pixels), where it heads (radians), its width (pixels)."""

    x: float
    y: float
    heading: float
    width: float
    branch: int
    aim: float
    age: int = 0


Cells = NDArray[np.int32]
Segment = tuple[float, float, float, float, float]
"""x, y, end x, end y, width: all in pixels."""


def grow(rng: np.random.Generator, side: int, trunks: int, limit: int = 60000) -> list[Segment]:
    """Vessel segments on a tiling wall of ``side`` pixels, grown from ``trunks`` starting points.

    All tips grow in turn. A tip that meets another vessel joins it, which closes the meshes seen
    in a normal vascular pattern.
    """
    cells = side // CELL
    taken = np.full((cells, cells), -1, np.int32)
    parents = list(range(trunks))
    tips: deque[Tip] = deque()
    for number in range(trunks):
        x, y, heading = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0, 2 * math.pi)
        width = float(rng.choice((2.0, 2.8, 3.6, 5.0)) * rng.uniform(0.85, 1.15))
        for turn in (0.0, math.pi):
            tips.append(Tip(x, y, heading + turn, width, number, heading + turn))
    segments: list[Segment] = []
    while tips and len(segments) < limit:
        tip = tips.popleft()
        joined = _advance(rng, tip, taken, parents, segments)
        if joined or tip.width < 0.55:
            continue
        if rng.random() < (0.20 if tip.width > 1.4 else 0.15) and tip.age > 1:
            side_sign = 1 if rng.random() < 0.5 else -1
            angle = tip.heading + side_sign * rng.uniform(0.45, 1.25)
            width = max(tip.width * rng.uniform(0.4, 0.82), 0.7)
            tips.append(Tip(tip.x, tip.y, angle, width, len(parents), angle))
            parents.append(tip.branch)
            tip.width *= 0.96
            tip.aim -= side_sign * 0.12
        tips.append(tip)
    return segments


def _advance(
    rng: np.random.Generator, tip: Tip, taken: Cells, parents: list[int], segments: list[Segment]
) -> bool:
    """Move ``tip`` one step on and record the segment; True where it ran into another vessel."""
    # the heading wavers about an aim that itself turns slowly: tortuous, but not curled up
    tip.aim += float(rng.normal(0, 0.05))
    tip.heading += 0.35 * (tip.aim - tip.heading) + float(rng.normal(0, 0.22 if tip.width > 2 else 0.32))
    side = len(taken) * CELL
    step = 7.0
    x = tip.x + step * math.cos(tip.heading)
    y = tip.y + step * math.sin(tip.heading)
    segments.append((tip.x, tip.y, x, y, tip.width))
    tip.x, tip.y = x % side, y % side
    tip.width *= 0.988 if tip.width > 1.5 else 0.987
    tip.age += 1
    cell = (int(tip.y) // CELL, int(tip.x) // CELL)
    owner = int(taken[cell])
    if owner == -1:
        taken[cell] = tip.branch
        return False
    own = owner == tip.branch or parents[owner] == tip.branch
    leaving = tip.age < 5 and (owner == parents[tip.branch] or parents[owner] == parents[tip.branch])
    return not own and not leaving


def draw(segments: list[Segment], side: int) -> tuple[Map, Map]:
    """The vessels as two maps in 0..1: the large ones lying deep (soft), the fine ones (crisp)."""
    deep, fine = Canvas(side), Canvas(side)
    for x, y, end_x, end_y, width in sorted(segments, key=lambda segment: segment[4]):
        if width > 2.2:
            deep.line((x, y), (end_x, end_y), width, 0.55 + 0.07 * width)
        else:
            fine.line((x, y), (end_x, end_y), width, 0.16 + 0.32 * width)
    return blur(deep.result(), 1.6), blur(fine.result(), 0.9)
