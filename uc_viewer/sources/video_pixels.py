"""From FFmpeg's frame to a picture: upright, without the comb of interlacing, in the right colours."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

_UNSTATED = (0, 2, 3)
"""Values of a frame's colour matrix that say nothing (ITU-T H.273; 0 is RGB, which needs none)."""

HD_LINES = 720
"""From this height on, players take an unstated colour matrix for BT.709, below for BT.601."""


class _Converters(threading.local):
    """Those of one thread, for pictures and for small ones. A frame's own would start threads for each frame,
    which live as long as the frame is kept."""

    def __init__(self) -> None:
        self.whole, self.small = VideoReformatter(), VideoReformatter()


_CONVERTERS = _Converters()


def picture(frame: VideoFrame, rotation: int = 0) -> NDArray[np.uint8]:
    """uint8 H x W x 3 RGB of a decoded frame; ``rotation`` in degrees counter-clockwise, a multiple of 90.

    A frame flagged interlaced keeps its upper field, be it the first or the second in time; the lines of the
    other, half a frame away, are put in between from their neighbours. Two moments in one picture would look
    like texture. Raises av.FFmpegError or ValueError for pixels that cannot be converted.
    """
    converted = _CONVERTERS.whole.reformat(
        frame, format="rgb24", src_colorspace=_matrix(frame), interpolation=Interpolation.BILINEAR
    )
    rgb: NDArray[Any] = converted.to_ndarray()
    if frame.interlaced_frame:
        rgb = _one_field(rgb)
    if rotation:
        rgb = np.rot90(rgb, rotation // 90)
    return np.ascontiguousarray(rgb)


def small(frame: VideoFrame, rotation: int, side: int) -> NDArray[np.uint8]:
    """As `picture`, shrunk while its colours are converted until no side is longer than ``side``."""
    scale = min(1.0, side / max(frame.width, frame.height))
    shrunk = _CONVERTERS.small.reformat(
        frame,
        width=max(1, round(frame.width * scale)),
        height=max(1, round(frame.height * scale)),
        format="rgb24",
        src_colorspace=_matrix(frame),
        interpolation=Interpolation.AREA,
    ).to_ndarray()
    return np.ascontiguousarray(np.rot90(shrunk, rotation // 90))


def _matrix(frame: VideoFrame) -> Colorspace | None:
    """The colour matrix to take for one that a frame does not state; None where it states one."""
    unstated = frame.colorspace in _UNSTATED and frame.height >= HD_LINES
    return Colorspace.ITU709 if unstated else None


def _one_field(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The upper field, with each line between two of its lines as their mean."""
    out = rgb.copy()
    upper = rgb[0::2].astype(np.uint16)
    between = out[1::2]
    between[: len(upper) - 1] = ((upper[:-1] + upper[1:] + 1) // 2)[: len(between)]
    if len(between) == len(upper):
        between[-1] = rgb[0::2][-1]
    return out
