"""Whether a frame can be graded at all, and if not, why: simple picture rules, before any network.

A false rejection costs a graded picture, a missed one costs a line the reader can discard: thresholds
stand outside everything seen on graded frames. Measured with the thresholds below:

- rejected by mistake: 0 of 674 graded HyperKvasir pictures, 0 of 40 full-resolution MES 0, 0 of 33
  full-resolution grade 1, 3 of 1180 normals (one very dark, two with a burnt-out quarter or more), 0 of
  954 HyperKvasir polyps and haemorrhoids, 8 of 617 GastroVision polyps (nearly all in narrow-band
  light, which the colour rule takes for something else than mucosa);
- rejected as meant: white noise, one colour, black, white, printed page, dark screen, test bars, blue,
  green, grey and many-coloured blurs, greyscale or channel-swapped graded pictures: all; graded
  pictures blurred by 3 px or more (at 256 px width): all; dimmed to 20 %: all, to 35 %: 20 %; exposed
  threefold: 92 %, twofold: 38 %; other organs and findings: 4 of 47 (3 of the 4 dyed ones);
- let through: 8 of 10 frames that a frame-quality set calls "unqualified". They are lit, red and have sharp
  edges somewhere, but show a wall at close range, stool, an instrument or colour fringes of movement:
  rules of colour and sharpness do not see that. Other organs and warm-toned photographs pass as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mtl_core.preprocess import field_of_view

SIZE = 256
"""Side in pixels of the squashed field of view on which everything is measured: constant cost."""

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


@dataclass(frozen=True)
class Quality:
    """Whether a frame is ``gradable``; if not, ``reason`` is one fixed short phrase for the reader.

    ``measures``: what was measured, by name, for logs and thresholds.
    """

    gradable: bool
    reason: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)


def assess(rgb: NDArray[np.uint8]) -> Quality:
    """Say whether a frame can be graded.

    ``rgb``: uint8 H x W x 3. Reasons, the first that applies: "blank", "too dark", "over-exposed",
    "not mucosa", "blurred". Only the octagon of the field of view counts, and not its lower left corner,
    where processors put their picture-in-picture box.
    """
    measures = measure(rgb)
    rules = (
        ("blank", measures["contrast"] < BLANK),
        ("too dark", measures["brightness"] < DARK),
        ("over-exposed", measures["burnt_out"] > EXPOSED),
        ("not mucosa", _is_not_mucosa(measures)),
        ("blurred", measures["sharpness"] < SHARP),
    )
    reason = next((name for name, applies in rules if applies), "")
    return Quality(gradable=not reason, reason=reason, measures=measures)


def _is_not_mucosa(measures: Mapping[str, float]) -> bool:
    colour = measures["red_share"] < RED_SHARE or measures["red"] < RED
    return colour or measures["sharpness"] > NOISY


def measure(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """The figures `assess` goes by, of a uint8 H x W x 3 frame.

    ``contrast``: standard deviation of grey levels (0..128). ``brightness``: 90th percentile of each
    pixel's brightest channel (0..255; grey would call deep red blood dark). ``burnt_out``: share of
    pixels without any detail left. ``red_share``: share of the coloured (neither black nor
    burnt-out) pixels in which red leads; ``red``: their median R / (R + G + B); both 0 without such
    pixels. ``sharpness``: detail finer than 2 px against detail of 2 to 8 px at 256 px width, each as
    standard deviation (a difference-of-Gaussians band ratio, so it does not depend on contrast).
    """
    box = field_of_view(rgb)
    crop = rgb[box.top : box.bottom, box.left : box.right]
    small = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    red, green, blue = small.reshape(-1, 3).take(_SAMPLED, axis=0).T.astype(np.float32)
    brightest = np.maximum(np.maximum(red, green), blue)
    burnt = np.minimum(np.maximum(green, blue), red) > 235
    coloured = (brightest > 40) & (np.minimum(green, blue) < 235)
    r, g, b = red[coloured], green[coloured], blue[coloured]
    enough = len(r) >= 0.01 * len(red)
    return {
        "contrast": float(grey.ravel().take(_SAMPLED).std()),
        "brightness": float(np.percentile(brightest, 90)),
        "burnt_out": float(burnt.mean()),
        "red_share": float(((r > g) & (r > b)).mean()) if enough else 0.0,
        "red": float(np.median(r / (r + g + b))) if enough else 0.0,
        "sharpness": _sharpness(grey.astype(np.float32)),
    }


def _sharpness(grey: NDArray[np.float32]) -> float:
    little = cv2.GaussianBlur(grey, (0, 0), 2)
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
