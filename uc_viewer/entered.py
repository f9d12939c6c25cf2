"""Scores a reader enters by their items: UCEIS and BBPS. What is not given stays None and is never 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from uc_viewer.derived import Score, check_level, not_computed

VASCULAR = ("normal", "patchy obliteration", "obliterated")
BLEEDING = ("none", "mucosal", "luminal, mild", "luminal, moderate or severe")
EROSIONS = ("none", "erosions", "superficial ulcer", "deep ulcer")
"""What the levels of the UCEIS are called: the position is the level."""


@dataclass(frozen=True)
class Uceis:
    """Ulcerative colitis endoscopic index of severity, read in the worst affected area; None: not given.

    Travis, 2012, Gut 61:535, with levels from 0 as in Travis, 2013, Gastroenterology 145:987. No bands of
    severity: they are no part of the index, and those in use differ. Raises ValueError for a level out of
    range.
    """

    vascular: int | None = None
    """Vascular pattern, 0..2."""
    bleeding: int | None = None
    """0..3."""
    erosions: int | None = None
    """Erosions and ulcers, 0..3."""

    def __post_init__(self) -> None:
        for (name, level), names in zip(self._levels(), (VASCULAR, BLEEDING, EROSIONS), strict=True):
            check_level(f"UCEIS, {name}", level, len(names) - 1)

    def _levels(self) -> tuple[tuple[str, int | None], ...]:
        return (
            ("vascular pattern", self.vascular),
            ("bleeding", self.bleeding),
            ("erosions and ulcers", self.erosions),
        )

    def score(self) -> Score[int]:
        """The sum, 0..8; None unless all three are given."""
        levels = self._levels()
        missing = tuple(f"{name} not given" for name, level in levels if level is None)
        basis = _pairs(levels, "not given")
        if missing:
            return Score(None, not_computed("UCEIS", missing), basis, missing)
        total = sum(level for _, level in levels if level is not None)
        return Score(total, f"UCEIS {total} of 8 ({basis})", basis)


@dataclass(frozen=True)
class Preparation(Score[int]):
    """A BBPS total; ``adequate`` is None where segments that were not seen leave that open."""

    adequate: bool | None = None


CLEAN = 2
"""Least BBPS of a segment that is cleansed adequately."""


@dataclass(frozen=True)
class Bbps:
    """Boston bowel preparation scale, 0..3 per part after cleansing; None: not seen.

    Lai, 2009, Gastrointest Endosc 69:620. Where the examination was given up because of stool, its authors
    give 0 to the parts beyond; None is for parts not seen for another reason. Raises ValueError for a score
    out of range.
    """

    right: int | None = None
    transverse: int | None = None
    left: int | None = None

    def __post_init__(self) -> None:
        for name, value in self._parts():
            check_level(f"BBPS, {name}", value, 3)

    def _parts(self) -> tuple[tuple[str, int | None], ...]:
        return (
            ("right colon", self.right),
            ("transverse colon", self.transverse),
            ("left colon", self.left),
        )

    def score(self) -> Preparation:
        """The total, 0..9, None unless all was seen; adequate where every part has at least 2.

        Calderwood, 2014, Gastrointest Endosc 80:269. One part below that decides, whatever was not seen.
        """
        parts = self._parts()
        missing = tuple(f"{name} not seen" for name, value in parts if value is None)
        poor = [(name, value) for name, value in parts if value is not None and value < CLEAN]
        basis = _pairs(parts, "not seen")
        total = None if missing else sum(value for _, value in parts if value is not None)
        words = not_computed("BBPS", missing) if missing else f"BBPS {total} of 9 ({basis})"
        adequate = False if poor else None if missing else True
        if adequate:
            words += f", adequate: at least {CLEAN} in every part"
        elif poor:
            words += f", not adequate: {_pairs(poor, '')}"
        return Preparation(total, words, basis, missing, adequate=adequate)


def _pairs(values: Iterable[tuple[str, int | None]], absent: str) -> str:
    return ", ".join(f"{name} {absent if value is None else value}" for name, value in values)
