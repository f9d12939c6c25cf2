"""Draws a recording of a phantom procedure whose severity is known second by second.

Run as ``python packaging/flythrough.py --out f.mp4 --severities 0,1,x,3 [--seconds 6] [--size 1920x1080]``,
where x is a stretch out of focus, which cannot be graded; ``--loop 1800`` repeats all to that many seconds.
Nothing comes from a patient, and every frame says so.

Drawing a phantom takes seconds, so a few stills are drawn along the bowel. Between them the scope moves in
the picture: in a straight tube what is seen at an angle from the axis lies where a larger angle will see it
once the scope has come nearer, so one still gives the views from a stretch of the way behind it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from phantom import scope, tube, wall
from phantom.scope import BOTTOM, CUT, HEIGHT, LEFT, RIGHT, TOP, WIDTH, View
from phantom.tube import Shape, Tube

SEED = 7
SHAPE = Shape(folds=6, height=0.36, triangle=0.06, ripple=0.006, bend=(0.30, 0.22))
SPEED = 0.4
"""Radii of the bowel by which the scope is drawn back in a second."""
SPACING = 0.9
"""Radii between two stills."""
NEAREST = 0.25
"""Radii by which the scope is always in front of the still's place, so that the still fills the view."""
FADE = 0.4
"""Share of the way between two stills along which one turns into the other."""
STRENGTH = math.radians(70) / 345
"""Angle from the axis per pixel of a still: the lens of `phantom.scope`."""
CENTRE = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)
NOTE = "synthetic: drawn by a program, not a patient"

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Motion:
    """Where the scope is at a moment: way along the bowel in radii, shake in pixels and degrees, light."""

    place: float
    shift: tuple[float, float]
    roll: float
    light: float


def motion(seconds: float, start: float) -> Motion:
    """The scope ``seconds`` after it stood at ``start`` radii: drawn back unevenly, by an unsteady hand."""
    sway = math.sin(1.9 * seconds) + 0.6 * math.sin(3.1 * seconds + 1)
    lift = math.sin(1.3 * seconds + 2) + 0.5 * math.sin(4.3 * seconds)
    place = start - SPEED * seconds - 0.05 * math.sin(1.7 * seconds)
    light = 1 + 0.02 * math.sin(11 * seconds) + 0.04 * math.sin(0.9 * seconds)
    return Motion(place, (7 * sway, 6 * lift), 5 * math.sin(0.8 * seconds), light)


@cache
def _bowel() -> Tube:
    return tube.build(np.random.default_rng(SEED), SHAPE)


@cache
def _mucosa(severity: int) -> wall.Wall:
    return wall.paint(np.random.default_rng([SEED, severity]), wall.DISEASES[severity])


@cache
def still(severity: int | None, number: int) -> Picture:
    """The phantom seen along its axis from ``number`` spacings down the bowel, uint8 576 x 768 x 3 RGB.

    Out of focus where ``severity`` is None.
    """
    depth = number * SPACING
    dx, dy = _bowel().drift(np.array([depth], np.float32))
    yaw, pitch = math.degrees(math.atan(dx[0])), -math.degrees(math.atan(dy[0]))
    view = View(depth, yaw=yaw, pitch=pitch, defocus=9 if severity is None else 0)
    # the same seed each time: the film of mucus stays where it is on the wall
    return scope.photograph(np.random.default_rng(SEED), _bowel(), _mucosa(severity or 0), view)


class Camera:
    """Gives frames of ``size``, width and height, both even: the octagon of the samples at that height."""

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size
        self._scale = height / HEIGHT
        self._left = (width - WIDTH * self._scale) / 2
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        self._x = (x + 0.5 - self._left) / self._scale - 0.5 - CENTRE[0]
        self._y = (y + 0.5) / self._scale - 0.5 - CENTRE[1]
        corners = np.array(
            [
                (LEFT + CUT, TOP), (RIGHT - CUT, TOP), (RIGHT, TOP + CUT), (RIGHT, BOTTOM - CUT),
                (RIGHT - CUT, BOTTOM), (LEFT + CUT, BOTTOM), (LEFT, BOTTOM - CUT), (LEFT, TOP + CUT),
            ]
        )  # fmt: skip
        mask = np.zeros((height, width), np.uint8)
        points = np.round((corners * self._scale + (self._left, 0)) * 16).astype(np.int32)
        cv2.fillPoly(mask, [points], (255,), cv2.LINE_AA, 4)
        self._mask = cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)
        self._rng = np.random.default_rng(SEED)
        # noise of the sensor: drawn once, larger than a frame, and read from another corner each time
        grain = self._rng.standard_normal((height + 64, width + 64, 3)).astype(np.float32)
        self._grain = 6 * cv2.GaussianBlur(grain, (0, 0), 0.8 * max(1, self._scale))

    def frame(self, severity: int | None, now: Motion) -> Picture:
        """What is seen of a bowel of that severity (None: out of focus), uint8 H x W x 3 RGB."""
        way = (now.place - NEAREST) / SPACING
        number = math.floor(way)
        beyond = way - number
        seen = self._seen(still(severity, number), now, beyond * SPACING + NEAREST)
        if beyond < FADE:
            before = self._seen(still(severity, number - 1), now, (beyond + 1) * SPACING + NEAREST)
            share = 0.5 - 0.5 * math.cos(math.pi * beyond / FADE)
            seen = np.asarray(cv2.addWeighted(seen, share, before, 1 - share, 0), np.uint8)
        top, left = (int(value) for value in self._rng.integers(0, 64, 2))
        height, width = seen.shape[:2]
        noisy = seen * np.float32(now.light) + self._grain[top : top + height, left : left + width]
        lit = np.clip(noisy, 0, 255).astype(np.uint8)
        return self._label(np.asarray(cv2.multiply(lit, self._mask, scale=1 / 255), np.uint8))

    def _seen(self, picture: Picture, now: Motion, nearer: float) -> Picture:
        """``picture`` as it looks from a place that is ``nearer`` by so many radii."""
        cos, sin = math.cos(math.radians(now.roll)), math.sin(math.radians(now.roll))
        x = cos * self._x - sin * self._y + np.float32(now.shift[0])
        y = sin * self._x + cos * self._y + np.float32(now.shift[1])
        radius = np.hypot(x, y) + np.float32(1e-3)
        # a point of the wall lies 1 / tan(angle) radii ahead; seen from the still's place it is further off
        angle = np.minimum(radius * np.float32(STRENGTH), np.float32(1.5))
        ahead = 1 / np.tan(angle) + np.float32(nearer)
        scale = np.arctan(1 / ahead) / (np.float32(STRENGTH) * radius)
        columns, rows = x * scale + np.float32(CENTRE[0]), y * scale + np.float32(CENTRE[1])
        seen = cv2.remap(picture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.uint8)

    def _label(self, frame: Picture) -> Picture:
        place = (round(self._left + 10 * self._scale), round(40 * self._scale))
        grey, thick = (205, 205, 205), max(1, round(self._scale))
        cv2.putText(frame, "SYNTHETIC", place, cv2.FONT_HERSHEY_PLAIN, self._scale, grey, thick, cv2.LINE_AA)
        return frame


Stretch = tuple[float, float, int | None]
"""Start and end in seconds and the severity between them, None where nothing can be graded."""


def frames(
    severities: Sequence[int | None], seconds: float, fps: int, size: tuple[int, int]
) -> Iterator[Picture]:
    """The pictures of one withdrawal, each uint8 H x W x 3 RGB, ``seconds`` for each severity."""
    camera = Camera(size)
    each = round(seconds * fps)
    for number in range(each * len(severities)):
        yield camera.frame(severities[number // each], motion(number / fps, 0.0))


def fly_through(
    path: Path,
    severities: Sequence[int | None],
    seconds: float = 6,
    fps: int = 25,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> list[Stretch]:
    """Write a recording (mp4, mov, mkv by its name) of ``seconds`` per severity; says what is where in it.

    ``severities`` are Mayo endoscopic scores 0 to 3; None is a stretch out of focus.
    """
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = NOTE
        stream = container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 2 * fps
        stream.codec_context.max_b_frames = 2
        for number, picture in enumerate(frames(severities, seconds, fps, size)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    each = round(seconds * fps) / fps
    return [(at * each, (at + 1) * each, severity) for at, severity in enumerate(severities)]


def loop(path: Path, out: Path, seconds: float) -> float:
    """Repeat a recording, whole, until it lasts ``seconds`` or longer; returns how long it lasts.

    The coded pictures are copied, so an hour takes seconds. The recording must begin with a key frame and
    time 0, as those of `fly_through` do.
    """
    period, base = _length(path)
    rounds = math.ceil(seconds / (period * base))
    with av.open(str(out), "w") as target:
        target.metadata["comment"] = NOTE
        copied = None
        for turn in range(rounds):
            with av.open(str(path)) as source:
                stream = source.streams.video[0]
                copied = copied or target.add_stream_from_template(stream)
                for packet in source.demux(stream):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts += turn * period
                    packet.dts += turn * period
                    packet.stream = copied
                    target.mux(packet)
    return float(rounds * period * base)


def _length(path: Path) -> tuple[int, Fraction]:
    """How long a recording is in units of its clock, and that unit in seconds."""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        ends = [
            packet.pts + (packet.duration or 0) for packet in source.demux(stream) if packet.pts is not None
        ]
        if not ends or stream.time_base is None:
            raise ValueError(f"{path.name} holds no frame that could be repeated")
        return max(ends), stream.time_base


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a recording and print what is where in it; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw a synthetic recording of known severity.")
    parser.add_argument("--out", type=Path, required=True, help="file to write: .mp4, .mov or .mkv")
    parser.add_argument("--severities", default="0,1,2,3", help="scores in order, x for out of focus")
    parser.add_argument("--seconds", type=float, default=6, help="length of each stretch")
    parser.add_argument("--fps", type=int, default=25, help="frames per second")
    parser.add_argument("--size", default=f"{WIDTH}x{HEIGHT}", help="width x height, both even")
    parser.add_argument("--loop", type=float, metavar="SECONDS", help="repeat until it lasts so long")
    chosen = parser.parse_args(arguments)
    known = {"0": 0, "1": 1, "2": 2, "3": 3, "x": None}
    try:
        severities = [known[name.strip()] for name in chosen.severities.split(",")]
        width, height = (int(side) for side in chosen.size.split("x"))
    except (KeyError, ValueError):
        parser.error("--severities are 0 to 3 or x with commas between, --size is such as 1920x1080")
    once = chosen.out.with_stem(chosen.out.stem + ".once") if chosen.loop else chosen.out
    for start, end, severity in fly_through(once, severities, chosen.seconds, chosen.fps, (width, height)):
        told = "out of focus" if severity is None else f"drawn as MES {severity}"
        print(f"{start:7.2f} s to {end:7.2f} s: {told}")
    if chosen.loop:
        print(f"repeated to {loop(once, chosen.out, chosen.loop):.2f} s")
        once.unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
