"""Whether a frame can be graded at all, and if not, why: simple picture rules, before any network.

A false rejection costs a graded picture, a missed one costs a line the reader can discard: thresholds
stand outside everything seen on graded frames. Measured with the thresholds below:

- rejected by mistake: 0 of 674 graded HyperKvasir pictures, 0 of 40 full-resolution MES 0, 0 of 33
  full-resolution grade 1, 3 of 1180 normals (one very dark, two with a burnt-out quarter or more), 0 of
  954 HyperKvasir polyps and haemorrhoids, 8 of 617 GastroVision polyps (nearly all in narrow-band
  light, which the colour rule takes for something else than mucosa);
- rejected as meant: white noise, one colour, black, white, printed page, dark screen, test bars, blue,
  green, grey and many-coloured blurs, greyscale or channel-swapped graded pictures: all; graded
  pictures blurred by 3 px or more (at 256 px width): all; dimmed to 20 %: all, to 35 %: 27 %; exposed
  threefold: 93 %, twofold: 41 %; other organs and findings: 4 of 47 (3 of the 4 dyed ones); 10 normals
  that show a wall at close range and nothing else;
- let through: 6 of 10 frames that a frame-quality set calls "unqualified" (none of its 10 "qualified" ones
  is rejected). They are lit, red and hold detail, but show stool, bubbles, an instrument, a polyp or
  colour fringes of movement, or narrow-band light: rules of colour and sharpness do not see that. Other
  organs and warm-toned photographs pass as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mtl_core.preprocess import Box, field_of_view

FROZEN = "frozen: the same picture as before"
"""Why a frame of a recording is not scored that shows a still the processor holds; see `Standstill`."""

SIZE = 256
"""Side in pixels of the squashed field of view on which everything is measured: constant cost."""
BLOCK = 16
"""Side in pixels of the blocks in which detail is looked for."""

# Thresholds. "Accepted" are the 747 pictures graded 0-3 and the 1180 normals; beside each, the extreme of
# graded / normal pictures and that of what the rule is for.
BLANK = 2.0
"""Least contrast. Accepted: at least 14.8 / 13.2; one colour: 0."""
DARK = 80.0
"""Least brightness. Accepted: at least 143 / 77 (next 97); graded pictures dimmed to 20 %: at most 51."""
EXPOSED = 0.25
"""Largest burnt-out share. Accepted: at most 0.21 / 0.44 (second 0.26); threefold exposure: median 0.59."""
RED_SHARE = 0.6
"""Least red share. Accepted: at least 0.956 / 0.955; haemorrhoids 0.77; noise, bars, blobs: at most 0.43."""
RED = 0.37
"""Least median share of red. Accepted: at least 0.450 / 0.411; grey 0.333, pale gullet 0.37-0.40."""
SHARP = 0.27
"""Least sharpness. Accepted: at least 0.36 / 0.29; blurred by 3 px at 256 px width: at most 0.25."""
NOISY = 4.0
"""Largest sharpness of a picture of anything. Accepted: at most 2.4 / 2.5; pixel noise: at least 5.7."""
DETAIL = 2.2
"""Least detail. Accepted: at least 2.64 / 0.56 (the 10 below show a wall at close range, next 2.38);
frames called qualified: at least 2.38; walls at close range among the unqualified: at most 2.11."""


@dataclass(frozen=True)
class Quality:
    """Whether a frame is ``gradable``; if not, ``reason`` is one fixed short phrase for the reader.

    ``measures``: what was measured, by name, for logs and thresholds.
    """

    gradable: bool
    reason: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)


def assess(rgb: NDArray[np.uint8], box: Box | None = None) -> Quality:
    """Say whether a frame can be graded.

    ``rgb``: uint8 H x W x 3; ``box``: its field of view, if that is known. Reasons, the first that applies:
    "blank", "too dark", "over-exposed", "not mucosa", "blurred", "no detail". Only the octagon of the field
    of view counts, and not its lower left corner, where processors put their picture-in-picture box.
    """
    measures = measure(rgb, box)
    rules = (
        ("blank", measures["contrast"] < BLANK),
        ("too dark", measures["brightness"] < DARK),
        ("over-exposed", measures["burnt_out"] > EXPOSED),
        ("not mucosa", _is_not_mucosa(measures)),
        ("blurred", measures["sharpness"] < SHARP),
        ("no detail", measures["detail"] < DETAIL),
    )
    reason = next((name for name, applies in rules if applies), "")
    return Quality(gradable=not reason, reason=reason, measures=measures)


def _is_not_mucosa(measures: Mapping[str, float]) -> bool:
    colour = measures["red_share"] < RED_SHARE or measures["red"] < RED
    return colour or measures["sharpness"] > NOISY


def measure(rgb: NDArray[np.uint8], box: Box | None = None) -> dict[str, float]:
    """The figures `assess` goes by, of a uint8 H x W x 3 frame (and its field of view, if that is known).

    ``contrast``: standard deviation of grey levels (0..128). ``brightness``: 90th percentile of each
    pixel's brightest channel (0..255; grey would call deep red blood dark). ``burnt_out``: share of
    pixels without any detail left. ``red_share``: share of the coloured (neither black nor
    burnt-out) pixels in which red leads; ``red``: their median R / (R + G + B); both 0 without such
    pixels. ``sharpness``: detail finer than 2 px against detail of 2 to 8 px at 256 px width, each as
    standard deviation (a difference-of-Gaussians band ratio, so it does not depend on contrast).
    ``detail``: detail finer than 2 px in the best tenth of the picture, in grey levels: the 90th percentile
    over blocks of 16 px of its root mean square. A wall at close range or a smear has highlights and an
    edge somewhere, hence sharpness, but nothing to see in nine tenths of it.
    """
    box = box or field_of_view(rgb)
    crop = rgb[box.top : box.bottom, box.left : box.right]
    small = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    red, green, blue = small.reshape(-1, 3).take(_SAMPLED, axis=0).T.astype(np.float32)
    brightest = np.maximum(np.maximum(red, green), blue)
    burnt = np.minimum(np.maximum(green, blue), red) > 235
    coloured = (brightest > 40) & (np.minimum(green, blue) < 235)
    r, g, b = red[coloured], green[coloured], blue[coloured]
    enough = len(r) >= 0.01 * len(red)
    level = np.asarray(grey, np.float32)
    little = np.asarray(cv2.GaussianBlur(level, (0, 0), 2), np.float32)
    return {
        "contrast": float(grey.ravel().take(_SAMPLED).std()),
        "brightness": float(np.percentile(brightest, 90)),
        "burnt_out": float(burnt.mean()),
        "red_share": float(((r > g) & (r > b)).mean()) if enough else 0.0,
        "red": float(np.median(r / (r + g + b))) if enough else 0.0,
        "sharpness": _sharpness(level, little),
        "detail": _detail(level - little),
    }


def _detail(fine: NDArray[np.float32]) -> float:
    side = SIZE // BLOCK
    power = cv2.resize(fine * fine, (side, side), interpolation=cv2.INTER_AREA).ravel()
    return float(np.sqrt(np.percentile(power[_JUDGED_BLOCKS], 90)))


def _sharpness(grey: NDArray[np.float32], little: NDArray[np.float32]) -> float:
    # The wide band has nothing fine in it: a quarter of the pixels is enough, at a quarter of the cost.
    quarter = cv2.resize(little, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)
    much = cv2.resize(cv2.GaussianBlur(quarter, (0, 0), 4), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    fine, coarse = (band.ravel().take(_INSIDE).std() for band in (grey - little, little - much))
    # 0.5 grey levels of rounding noise keep an almost flat frame from looking sharp.
    return float(fine / (coarse + 0.5))


def _judged_pixels() -> NDArray[np.intp]:
    """Flat indices into SIZE x SIZE without rim (2 %), corners (28 %) and picture-in-picture corner."""
    y, x = np.mgrid[:SIZE, :SIZE] / (SIZE - 1)
    to_left_or_right, to_top_or_bottom = np.minimum(x, 1 - x), np.minimum(y, 1 - y)
    inside = (to_left_or_right + to_top_or_bottom >= 0.28) & (
        np.minimum(to_left_or_right, to_top_or_bottom) >= 0.02
    )
    return np.flatnonzero(inside & ~((x < 0.375) & (y > 0.585)))


_INSIDE = _judged_pixels()
_SAMPLED = _INSIDE[::3]
"""Every third judged pixel: colour and contrast need no more."""


def _judged_blocks() -> NDArray[np.intp]:
    """Flat indices of the blocks of which more than 70 % of the pixels are judged."""
    judged = np.zeros(SIZE * SIZE, np.float32)
    judged[_INSIDE] = 1
    side = SIZE // BLOCK
    return np.flatnonzero(judged.reshape(side, BLOCK, side, BLOCK).mean(axis=(1, 3)) > 0.7)


_JUDGED_BLOCKS = _judged_blocks()


# Whether a recording stands still. Processors hold the picture while a still is stored, for a second or more,
# and every frame of it would count as one more witness of one picture. Measured on nine clips, three of which
# hold real stills, on stills put into them and compressed anew (H.264 at CRF 28 and MPEG-2 at 2 Mbit/s, with
# and without noise of 3 grey levels), and on moving pictures half a second apart. Disagreement of the
# details: real stills: at most 0.0057; those put in: at most 0.0067, and 0.0096 with a live picture in the
# corner and a clock; moving: at least 0.019 (slow and dark), 1 in 100 below 0.042, median 0.41. With the
# figures below every real still is found, looked at twice a second or frame by frame, and no moving frame.
SAME = 0.012
"""Largest disagreement of two frames that show the same picture."""
HELD = 0.4
"""Seconds a picture must stand before it counts as frozen. In clips looked at frame by frame, at 25 per
second, 20 % of the moving frames show the same as the last that differed, but at most 7 in a row, 0.28 s."""
SMALL = 64
"""Side in pixels of a fingerprint."""
LIT = 24.0
"""Grey level above which a block of a fingerprint shows something."""


def fingerprint(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A small copy of a uint8 H x W x 3 frame, float32 64 x 64, grey levels 0..255, for `same_picture`."""
    # In two steps: the first, on bytes, is the quick one; what it rounds, the second averages away.
    less = cv2.resize(frame, (4 * SMALL, 4 * SMALL), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(less, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA), np.float32)


def same_picture(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two fingerprints are of one and the same picture but for noise and compression."""
    return disagreement(one, other) < SAME


def disagreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How much the details of two fingerprints differ: 0 for the same picture, 1 for unrelated ones.

    The power of the difference over the power of both, block by block; the median over the lit blocks
    counts. So neither a clock nor a small live picture that goes on beside a still hides it, nor do texts
    that stand over a moving picture feign one. Frames less than a quarter lit give 1: too little to tell.
    """
    lit = np.minimum(_eighths(one), _eighths(other)) > LIT
    if np.count_nonzero(lit) < lit.size // 4:
        return 1.0
    first, second = (picture - cv2.GaussianBlur(picture, (0, 0), 3) for picture in (one, other))
    # One grey level of noise keeps blocks without detail from looking different.
    both = _eighths(np.square(first)) + _eighths(np.square(second)) + 1.0
    return float(np.median((_eighths(np.square(first - second)) / both)[lit]))


class Standstill:
    """Watches the frames of one recording, in order, for a picture that is held.

    Frames are held against the first one of their picture, not against their neighbours: a scope that moves
    slowly differs from it before long, however alike neighbours are.
    """

    def __init__(self) -> None:
        self._first: NDArray[np.float32] | None = None
        self._since = 0.0

    def frozen(self, frame: NDArray[np.uint8], seconds: float) -> bool:
        """Whether the picture of this frame has stood for `HELD` seconds already.

        ``frame``: uint8 H x W x 3, ``seconds`` its time. The first frame of a still is not frozen.
        """
        now = fingerprint(frame)
        if self._first is None or not same_picture(self._first, now):
            self._first, self._since = now, seconds
            return False
        return seconds - self._since >= HELD


def _eighths(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each of the 8 x 8 blocks of a fingerprint."""
    return np.asarray(cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA), np.float32)
