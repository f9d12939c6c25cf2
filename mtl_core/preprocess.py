"""From a frame to the network's input: field of view, masking of overlays, resize, normalise, augment.

The only place that resizes. Training and inference share `prepare`; only `augment` is for training.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mtl_core.spec import InputSpec

FILL = 0
"""Grey level of everything masked: black, like the border an endoscope leaves itself."""

_WORK = 256
"""Side of the small copy on which the field of view is looked for."""
_DARK = 24
"""A border pixel's brightest channel is at most this (JPEG noise around black is below 20)."""
_MIN_SHARE = 0.35
"""A field of view narrower or lower than this share of the frame is not believed."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: ``left <= x < right``, ``top <= y < bottom``."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top


def field_of_view(rgb: np.ndarray) -> Box:
    """Give the bounding box of the endoscope's picture inside its black border.

    ``rgb``: uint8 H x W x 3. Burned-in text, thin lines and the green picture-in-picture box do not
    stretch the box: a row or column counts only when a good part of it is lit. A frame without a
    believable field of view gives the whole frame.
    """
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (_WORK, _WORK), interpolation=cv2.INTER_AREA)
    brightest = cv2.max(cv2.max(small[..., 0], small[..., 1]), small[..., 2])
    lit = (brightest > _DARK) & ~_box_coloured(small)
    lit = cv2.morphologyEx(lit.astype(np.uint8), cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    left, right = _extent(lit.mean(axis=0))
    top, bottom = _extent(lit.mean(axis=1))
    if right - left < _MIN_SHARE * _WORK or bottom - top < _MIN_SHARE * _WORK:
        return Box(0, 0, width, height)
    return Box(
        round(left * width / _WORK),
        round(top * height / _WORK),
        round(right * width / _WORK),
        round(bottom * height / _WORK),
    )


def prepare(rgb: np.ndarray, spec: InputSpec, box: Box | None = None) -> np.ndarray:
    """Give the square picture the network sees, before normalisation.

    ``rgb``: uint8 H x W x 3 RGB of any size; ``box``: its field of view, if that is known. Result: uint8
    S x S x 3 with S = ``spec.size``: field of view cropped, squashed to a square (as the 256 px training
    images are), overlays covered.
    """
    square = _squash(rgb, spec.size, box)
    return cover_overlays(square) if spec.mask else square


def hidden(rgb: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Mask, bool S x S, of what `prepare` covers in a frame: nothing there can be evidence."""
    if not spec.mask:
        return np.zeros((spec.size, spec.size), bool)
    covered: np.ndarray = _picture_in_picture(_squash(rgb, spec.size)) | ~_octagon(spec.size)
    return covered


def _squash(rgb: np.ndarray, size: int, box: Box | None = None) -> np.ndarray:
    """The field of view as a square, uint8 size x size x 3."""
    box = box or field_of_view(rgb)
    crop = rgb[box.top : box.bottom, box.left : box.right]
    shrink = crop.shape[0] > size or crop.shape[1] > size
    method = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    square: np.ndarray = cv2.resize(crop, (size, size), interpolation=method)
    return square


def normalise(batch: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Turn uint8 N x S x S x 3 into float32 N x 3 x S x S with the model's mean and standard deviation."""
    scale = np.asarray([1 / (255 * s) for s in spec.std], np.float32)
    shift = np.asarray([-m / s for m, s in zip(spec.mean, spec.std, strict=True)], np.float32)
    return np.ascontiguousarray((batch.astype(np.float32) * scale + shift).transpose(0, 3, 1, 2))


def cover_overlays(square: np.ndarray) -> np.ndarray:
    """Cover what a processor burns into the picture, so that it cannot stand in for the mucosa.

    ``square``: uint8 S x S x 3, the cropped field of view. Covered with black: everything outside one
    octagon that is the same for every frame (rim and corners), and the picture-in-picture box in a
    lower corner. Thin white text strokes in the left third are painted over from their surroundings.
    """
    out = _paint_over_text(square)
    out[_picture_in_picture(square)] = FILL
    out[~_octagon(square.shape[0])] = FILL
    return out


def _extent(share: np.ndarray, least: float = 0.2) -> tuple[int, int]:
    """First and one-past-last position where the lit share is at least ``least``; (0, 0) if nowhere."""
    places = np.flatnonzero(share >= least)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


def _box_coloured(rgb: np.ndarray) -> np.ndarray:
    """Mask of the saturated green of the scope-position box (hue 70-95 of 180, which mucosa never has)."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    return (hue > 65) & (hue < 97) & (saturation > 110) & (value > 90)


def _picture_in_picture(square: np.ndarray) -> np.ndarray:
    """Mask of the picture-in-picture box and its frame; empty when no such box is there."""
    size = square.shape[0]
    green = _box_coloured(square).astype(np.uint8)
    green[: size // 2] = 0
    mask = np.zeros(square.shape[:2], bool)
    if green.sum() < 0.01 * size * size:
        return mask
    count, _, stats, _ = cv2.connectedComponentsWithStats(green)
    largest = 1 + int(np.argmax(stats[1:count, cv2.CC_STAT_AREA]))
    x, y, w, h, area = (int(v) for v in stats[largest])
    if area < 0.01 * size * size or area < 0.5 * w * h:
        return mask
    rim = max(2, round(0.035 * size))
    right = x + w + rim if x < size // 2 else size
    left = 0 if x < size // 2 else x - rim
    mask[max(0, y - rim) :, max(0, left) : right] = True
    return mask


def _paint_over_text(square: np.ndarray) -> np.ndarray:
    """A copy with thin, bright, colourless strokes of the left third replaced by the local median."""
    size = square.shape[0]
    strip = square[:, : size // 3]
    brightness = cv2.min(cv2.min(strip[..., 0], strip[..., 1]), strip[..., 2])
    reach = max(5, round(0.03 * size)) | 1
    thin = cv2.morphologyEx(brightness, cv2.MORPH_TOPHAT, np.ones((reach, reach), np.uint8))
    strokes = ((thin > 45) & (brightness > 90)).astype(np.uint8)
    strokes = cv2.dilate(strokes, np.ones((3, 3), np.uint8)).astype(bool)
    out = square.copy()
    out[:, : size // 3][strokes] = cv2.medianBlur(strip, max(9, round(0.06 * size)) | 1)[strokes]
    return out


_OCTAGONS: dict[int, np.ndarray] = {}


def _octagon(size: int) -> np.ndarray:
    """Boolean S x S mask of the octagon that every prepared frame keeps: rim 2 %, corners cut at 24 %."""
    if size not in _OCTAGONS:
        rim, cut, far = 0.02 * size, 0.24 * size, 0.98 * size
        points = [
            (cut, rim), (size - cut, rim), (far, cut), (far, size - cut),
            (size - cut, far), (cut, far), (rim, size - cut), (rim, cut),
        ]  # fmt: skip
        mask = np.zeros((size, size), np.uint8)
        cv2.fillConvexPoly(mask, np.round(points).astype(np.int32), 1)
        _OCTAGONS[size] = mask.astype(bool)
    return _OCTAGONS[size]


@dataclass(frozen=True)
class Augmentation:
    """How strongly a training picture is varied; all zero leaves it as it is."""

    scale: float = 0.18
    """Random zoom-in range: a crop of 1 - scale .. 1 of the side."""
    colour: float = 0.18
    """Relative change of brightness, contrast, saturation and of each channel's gain."""
    blur: float = 0.15
    """Share of pictures that are blurred or sharpened a little."""
    cover: float = 0.35
    """Share of pictures where a lower-left box is covered, whether or not one was there."""


def augment(square: np.ndarray, rng: np.random.Generator, how: Augmentation = Augmentation()) -> np.ndarray:
    """Vary a prepared picture for training, uint8 S x S x 3: flip, rotate, zoom, colour, blur, cover.

    The octagon is laid on again afterwards, so geometry never tells augmented from plain pictures.
    """
    size = square.shape[0]
    out = _turn(square, rng, how.scale)
    out = _recolour(out, rng, how.colour)
    if rng.random() < how.blur:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.4)))
    if rng.random() < how.cover:
        width, height = rng.uniform(0.2, 0.36, 2)
        out[round(size * (1 - height)) :, : round(size * width)] = FILL
    out[~_octagon(size)] = FILL
    return out


def _turn(square: np.ndarray, rng: np.random.Generator, scale: float) -> np.ndarray:
    size = square.shape[0]
    zoom = 1 / rng.uniform(1 - scale, 1) if scale else 1.0
    turned = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.uniform(0, 360)), float(zoom))
    matrix = np.asarray(turned, np.float64)
    if rng.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, size], [0, 1, 0], [0, 0, 1]], float)
    slack = (zoom - 1) * size / 2
    matrix[:, 2] += rng.uniform(-slack, slack, 2)
    return cv2.warpAffine(square, matrix, (size, size), flags=cv2.INTER_LINEAR)


def _recolour(square: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    if not strength:
        return square.copy()
    picture = square.astype(np.float32)
    inside = _octagon(square.shape[0])
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation, contrast, brightness = 1 + rng.uniform(-strength, strength, 3)
    gains = (brightness * (1 + rng.uniform(-strength / 3, strength / 3, 3))).astype(np.float32)
    picture = grey[..., None] + (picture - grey[..., None]) * np.float32(saturation)
    middle = np.float32(grey[inside].mean())
    picture = (picture - middle) * np.float32(contrast) + middle
    picture = picture * gains
    picture[square.max(axis=2) == FILL] = FILL
    out: np.ndarray = np.clip(picture, 0, 255).astype(np.uint8)
    return out
