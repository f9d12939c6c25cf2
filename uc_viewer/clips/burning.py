"""Turns frames into the pictures of a clip or of key frames: whole or cropped, clean or marked.

A cropped picture shows nothing but what lies inside one octagon in the field of view *and* belongs to the
large lit area of its own frame: where a processor changes its layout half-way, text that now stands within
the octagon stays hidden all the same. Text burned over the mucosa itself stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mtl_core.preprocess import FILL, Box, field_of_view, hidden
from mtl_core.spec import InputSpec
from uc_viewer.case import FrameKey, FrameResult, Reading, Segment
from uc_viewer.clips.frame_marks import FrameMarks, Marker
from uc_viewer.clips.mark_drawing import Band
from uc_viewer.sources.base import Frame, Unreadable

_WORK = 256
"""Side of the small copy on which the lit area is looked for."""
_DARK = 24
"""The brightest channel of the border is at most this, as in `mtl_core.preprocess`."""
_LIT = 0.5
"""A frame lit at less than this share whose field of view was not found shows no field that fills it."""
_LEAST = 0.02
"""Least share of a frame that its lit area takes up; a frame with less shows nothing."""
_RIM = 5
"""The lit area is widened by so many of `_WORK` pixels: its edge fades into the dark."""

_HEAT_NOTE, _HIDDEN_NOTE = "with heatmap", "picture left out: no field of view seen"


class ClipError(Exception):
    """No clip or key frame can be made of what was given; the message says why and what to do."""


def _plain_name(segment: Segment) -> str:
    return segment.value


@dataclass(frozen=True)
class Burn:
    """What an overlay shows beside the research-use line.

    ``marks``: grades of AI and reader, time, segment. ``heat`` gives the picture of a scored frame with its
    heatmap, uint8 of the frame's own size, for frames that were scored themselves. ``segment_name`` gives the
    name of a segment.
    """

    marks: bool = True
    heat: Callable[[Frame, FrameResult], np.ndarray] | None = None
    segment_name: Callable[[Segment], str] = _plain_name


@dataclass(frozen=True)
class Written:
    """What became of the frames: so many were written.

    ``unreadable`` could not be decoded and are left out. ``fitted`` had another size than the first and were
    fitted into it. ``hidden`` had to be cropped and show no field of view: they are black in a clip and left
    out of key frames.
    """

    frames: int = 0
    unreadable: tuple[Unreadable, ...] = ()
    fitted: int = 0
    hidden: int = 0


def visible_field(image: np.ndarray) -> Box | None:
    """Box of the field of view of a uint8 H x W x 3 picture; None where it is too dark to tell."""
    box = field_of_view(image)
    if (box.height, box.width) != image.shape[:2]:
        return box
    small = cv2.resize(image, (_WORK, _WORK), interpolation=cv2.INTER_AREA)
    return box if (small.max(axis=2) > _DARK).mean() >= _LIT else None


def common_field(images: Iterable[np.ndarray]) -> Box | None:
    """Box that holds the fields of view of all pictures, which are of one size; None where none shows any.

    Dark surroundings make the field of a single frame look smaller than it is: give frames of the whole
    recording, for example every sampled one.
    """
    boxes = [box for image in images if (box := visible_field(image))]
    if not boxes:
        return None
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


class Burner:
    """Gives what is burned into any frame: see `Burn`; without one, nothing."""

    def __init__(
        self,
        results: Mapping[FrameKey, FrameResult],
        reading: Reading,
        burn: Burn | None,
        *,
        remarks: bool,
    ) -> None:
        self._results = results
        self._heat = burn.heat if burn else None
        self._marker = None
        if burn and burn.marks:
            self._marker = Marker(results, reading, burn.segment_name, remarks=remarks)

    def marks(self, frame: Frame) -> FrameMarks | None:
        """What is said of the frame."""
        return self._marker.of(frame) if self._marker else None

    def heated(self, frame: Frame) -> np.ndarray | None:
        """The picture with its heatmap, where there is one. Raises ValueError for one of another size."""
        result = self._results.get((frame.source_file, frame.index))
        if self._heat is None or result is None or not result.scores.scored:
            return None
        picture = self._heat(frame, result)
        if picture.shape != frame.image.shape or picture.dtype != np.uint8:
            raise ValueError(f"heatmap of {frame.source_file}: {picture.dtype} {picture.shape}")
        return picture


class Layout:
    """How every picture of a clip is laid out: one size, one box, one band.

    ``first``: the picture that sets the size, uint8 H x W x 3. ``box``: the field of view in it to crop to,
    or None for the whole picture. ``burn``: what the band below shows, None for no band. All sizes become
    even, as H.264 wants them: a last row or column is cut, nothing is scaled. Raises ClipError for a picture
    that is too small.

    ``fitted`` and ``hidden`` count the pictures laid out so far that `Written` tells apart.
    """

    def __init__(
        self, first: np.ndarray, box: Box | None, burn: Burn | None = None, synthetic: bool = False
    ) -> None:
        self._size = first.shape[:2]
        whole = _whole(first)
        self._crops, self._box = box is not None, _even(_inside(box, whole) if box else whole)
        if self._box.width < 2 or self._box.height < 2:
            raise ClipError(f"a picture of {self._size[1]} x {self._size[0]} pixels is too small for a clip")
        self.fitted = self.hidden = 0
        self._band = Band(self._box.width, self._box.height, synthetic, burn.marks) if burn else None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every picture."""
        return self._box.height + (self._band.height if self._band else 0), self._box.width

    def lay_out(self, frame: Frame, shown: np.ndarray | None, marks: FrameMarks | None) -> np.ndarray:
        """The picture of a frame, uint8 of `size`.

        ``shown``: what to show in place of the frame's own picture: the one with its heatmap.
        """
        image = frame.image if shown is None else shown
        fits = image.shape[:2] == self._size
        box = self._box if fits else _whole(image)
        hidden_before = self.hidden
        if self._crops:
            picture = self._cropped(frame, image, box if fits else visible_field(frame.image))
        else:
            picture = _cut(image, box)
        if not fits:
            picture = letterbox(picture, self._box.height, self._box.width)
            self.fitted += 1
        if self._band is None:
            return np.ascontiguousarray(picture)
        note = "" if shown is None else _HEAT_NOTE
        if self.hidden > hidden_before:
            note = _HIDDEN_NOTE
        return np.vstack([picture, self._band.draw(marks, note)])

    def _cropped(self, frame: Frame, image: np.ndarray, box: Box | None) -> np.ndarray:
        """The part of a frame's picture that is in the box and may be seen, the rest of the box black."""
        if box is None:
            self.hidden += 1
            return np.zeros_like(image)
        visible = _cut(lit_area(frame.image), box)
        self.hidden += not visible.any()
        picture: np.ndarray = cv2.copyTo(_cut(image, box), visible & _octagon(*visible.shape))
        return picture


def lit_area(image: np.ndarray) -> np.ndarray:
    """Mask, uint8 H x W of 0 and 1, of what an endoscope lights: the hull of the largest lit area.

    It is a little widened. Text on the dark border is too thin to belong to it. All 0 where hardly anything
    is lit.
    """
    height, width = image.shape[:2]
    small = cv2.resize(image, (_WORK, _WORK), interpolation=cv2.INTER_AREA)
    lit = (small.max(axis=2) > _DARK).astype(np.uint8)
    lit = cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    mask = np.zeros_like(lit)
    largest = max(outlines, key=cv2.contourArea, default=None)
    if largest is not None and cv2.contourArea(largest) >= _LEAST * _WORK * _WORK:
        cv2.fillConvexPoly(mask, cv2.convexHull(largest), 1)
        mask = cv2.dilate(mask, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8))
    full: np.ndarray = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    return full


def letterbox(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """A uint8 picture scaled into ``height`` x ``width``, whole, its shape kept, the rest black."""
    scale = min(height / image.shape[0], width / image.shape[1])
    high, wide = (max(1, round(side * scale)) for side in image.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    out = np.full((height, width, 3), FILL, np.uint8)
    top, left = (height - high) // 2, (width - wide) // 2
    out[top : top + high, left : left + wide] = cv2.resize(image, (wide, high), interpolation=method)
    return out


@lru_cache(maxsize=8)
def _octagon(height: int, width: int) -> np.ndarray:
    """Mask of the octagon which the engine keeps of a field of view: uint8 of 0 and 1."""
    spec = InputSpec(size=512)
    # Of an empty picture the engine hides just what lies outside the octagon.
    kept = ~hidden(np.zeros((spec.size, spec.size, 3), np.uint8), spec)
    mask: np.ndarray = cv2.resize(kept.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return mask


def _cut(image: np.ndarray, box: Box) -> np.ndarray:
    return image[box.top : box.bottom, box.left : box.right]


def _whole(image: np.ndarray) -> Box:
    return Box(0, 0, image.shape[1], image.shape[0])


def _even(box: Box) -> Box:
    return Box(box.left, box.top, box.right - box.width % 2, box.bottom - box.height % 2)


def _inside(box: Box, whole: Box) -> Box:
    """The part of a box that lies in the picture."""
    return Box(
        max(box.left, whole.left),
        max(box.top, whole.top),
        min(box.right, whole.right),
        min(box.bottom, whole.bottom),
    )
