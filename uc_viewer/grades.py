"""The one home of the Mayo endoscopic score (MES): names, definitions, colours, patterns.

Colour never stands alone: wherever a grade is shown it carries its digit and its pattern as well, and an
accessible name where a screen reader may pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mtl_core.spec import GRADES

DARK_INK = "#16191D"
"""Text colour on light fills."""

WHITE_INK = "#FFFFFF"
"""Text colour on dark fills."""

READABLE = 4.5
"""Least contrast of text on its fill, WCAG 2.2 level AA for text of any size."""


class Pattern(Enum):
    """How the fill of a grade is textured, so that a print without colour still tells grades apart."""

    PLAIN = "plain"
    DOTS = "dots"
    HATCH = "hatch"
    CROSS_HATCH = "cross-hatch"


@dataclass(frozen=True)
class Grade:
    """One grade of the MES and how it is shown.

    ``screen`` and ``paper`` are fills as ``#RRGGBB``: the first for a dark canvas, the second for white
    paper, where it gets a 0.5 pt outline. Both rows were chosen for the largest worst-case colour
    difference over normal, protan, deutan and tritan sight and greyscale (CIEDE2000 at least 11.1 on screen,
    17.9 on paper).
    """

    value: int
    name: str
    definition: str
    screen: str
    paper: str
    pattern: Pattern

    @property
    def accessible_name(self) -> str:
        """What a screen reader says, for example ``"MES 2, moderate"``."""
        return f"MES {self.value}, {self.name}"

    @property
    def screen_ink(self) -> str:
        """Text colour on the screen fill."""
        return ink_on(self.screen)

    @property
    def paper_ink(self) -> str:
        """Text colour on the paper fill."""
        return ink_on(self.paper)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#RRGGBB`` colours, 1..21, by WCAG 2.2 (relative luminance of sRGB)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(fill: str) -> str:
    """The text colour, dark or white, that reads better on a ``#RRGGBB`` fill."""
    return max((DARK_INK, WHITE_INK), key=lambda ink: contrast(ink, fill))


def _luminance(colour: str) -> float:
    """Relative luminance, 0..1. Raises ValueError for anything but ``#RRGGBB``."""
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"a colour is written #RRGGBB, not {colour!r}")
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


MES: tuple[Grade, ...] = (
    Grade(0, "normal or inactive", "normal mucosa or inactive disease", "#6ACEE7", "#FCFFA4", Pattern.PLAIN),
    Grade(
        1,
        "mild",
        "erythema, decreased vascular pattern, mild friability",
        "#FAFB46",
        "#F98E09",
        Pattern.DOTS,
    ),
    Grade(
        2,
        "moderate",
        "marked erythema, absent vascular pattern, friability, erosions",
        "#CE8B49",
        "#BC3754",
        Pattern.HATCH,
    ),
    Grade(3, "severe", "spontaneous bleeding, ulceration", "#AF438F", "#57106E", Pattern.CROSS_HATCH),
)
"""The grades in order: ``MES[k].value == k``."""

if len(MES) != GRADES:
    raise AssertionError("the engine and the viewer disagree on the number of grades")

NOT_ACTIVE = "not active (MES 0–1)"
"""The coarse answer below the cut, in words; not "remission", which commonly means MES 0 alone."""

ACTIVE = "active (MES 2–3)"
"""The coarse answer at or above the cut, in words."""

DEFINITIONS: dict[str, str] = {
    "standard": "Mayo endoscopic subscore: "
    + "; ".join(f"{grade.value} {grade.definition}" for grade in MES)
    + ".",
    "trial": "Trial variant: as the Mayo endoscopic subscore, but any friability is at least 2.",
}
"""Wordings of the score a reader may use; a report names the one that was used."""
