"""From FFmpeg's frame to a picture: upright, without the comb of interlacing, in the right colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation
from numpy.typing import NDArray

_UNSTATED = (0, 2, 3)
"""Values of a frame's colour matrix that say nothing (ITU-T H.273; 0 is RGB, which needs none)."""

HD_LINES = 720
"""From this height on, players take an unstated colour matrix for BT.709, below for BT.601."""


def picture(frame: VideoFrame, rotation: int = 0) -> NDArray[np.uint8]:
    """uint8 H x W x 3 RGB of a decoded frame; ``rotation`` in degrees counter-clockwise, a multiple of 90.

    A frame flagged interlaced keeps its first field; the lines of the other, a fiftieth of a second later,
    are put in between from their neighbours. Two moments in one picture would look like texture.
    """
    matrix = None
    if frame.colorspace in _UNSTATED and frame.height >= HD_LINES:
        matrix = Colorspace.ITU709
    rgb: NDArray[Any] = frame.to_ndarray(
        format="rgb24", src_colorspace=matrix, interpolation=Interpolation.BILINEAR
    )
    if frame.interlaced_frame:
        rgb = _one_field(rgb)
    if rotation:
        rgb = np.rot90(rgb, rotation // 90)
    return np.ascontiguousarray(rgb)


def small(frame: VideoFrame, rotation: int, side: int) -> NDArray[np.uint8]:
    """As `picture`, shrunk while its colours are converted until no side is longer than ``side``."""
    scale = min(1.0, side / max(frame.width, frame.height))
    shrunk = frame.reformat(
        width=max(1, round(frame.width * scale)),
        height=max(1, round(frame.height * scale)),
        format="rgb24",
        interpolation=Interpolation.AREA,
    ).to_ndarray()
    return np.ascontiguousarray(np.rot90(shrunk, rotation // 90))


def _one_field(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The upper field, with each line between two of its lines as their mean."""
    out = rgb.copy()
    upper = rgb[0::2].astype(np.uint16)
    between = out[1::2]
    between[: len(upper) - 1] = ((upper[:-1] + upper[1:] + 1) // 2)[: len(between)]
    if len(between) == len(upper):
        between[-1] = rgb[0::2][-1]
    return out
