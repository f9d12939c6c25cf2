"""Scores that follow from what a reader graded: worst segment, MMES, panMayo, extent, target.

Arithmetic alone, and never on the model's grades: the signed reader's are the result. "Not examined" is
None and never 0: a score whose formula needs such a segment has no value, and says which one is missing.
Where a number stands for an opinion (the extent, the target) it is a suggestion, without any advice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from uc_viewer.case import Segment

SegmentGrades = Mapping[Segment, int | None]
"""MES 0..3 of the segments; None, or not in the mapping, where a segment was not examined."""

FIVE = (Segment.ASCENDING, Segment.TRANSVERSE, Segment.DESCENDING, Segment.SIGMOID, Segment.RECTUM)
"""The segments of MMES and panMayo."""

INFLAMED = 1
"""Least MES of an inflamed segment."""

ACTIVE = 2
"""Least MES that panMayo counts threefold."""

LONGEST_DM = 20.0
"""Greatest maximal extent in decimetres that is believed: no large bowel is longer, and no colonoscope."""

T = TypeVar("T")


class Caecum(Enum):
    """How the caecum counts where a formula knows five segments and it is none of them."""

    WITH_ASCENDING = "taken with the ascending colon, the worse of both"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Score(Generic[T]):
    """A derived value and how it came about.

    ``value`` is None where something it needs is ``missing``, which is told in words. ``words`` are one
    phrase for a report, ``basis`` says what entered, ``notes`` are sentences a reader should see beside it.
    """

    value: T | None
    words: str
    basis: str
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Worst(Score[int]):
    """The patient's MES, the ``segments`` that have it, those ``not_examined``; both from the caecum on."""

    segments: tuple[Segment, ...] = ()
    not_examined: tuple[Segment, ...] = ()


def worst_segment(grades: SegmentGrades) -> Worst:
    """The patient's MES: that of the worst segment examined; None where none was.

    The score is read in the worst affected part (Schroeder, 1987, N Engl J Med 317:1625). Here the caecum
    always counts. Raises ValueError for a grade that is not 0, 1, 2 or 3.
    """
    known = _checked(grades)
    unseen = tuple(segment for segment, grade in known.items() if grade is None)
    worst = max((grade for grade in known.values() if grade is not None), default=None)
    where = tuple(segment for segment, grade in known.items() if grade is not None and grade == worst)
    words = "MES not given: no segment was examined"
    if worst is not None:
        words = f"MES {worst}, worst in {_listed(where)}"
        words += f"; not examined: {_listed(unseen)}" if unseen else ""
    return Worst(worst, words, _told(known), _not_examined(unseen), segments=where, not_examined=unseen)


def mmes(
    grades: SegmentGrades, extent_dm: float | None, caecum: Caecum = Caecum.WITH_ASCENDING
) -> Score[float]:
    """Modified Mayo endoscopic score: sum of MES over `FIVE` x maximal extent in dm / inflamed segments.

    Lobatón, 2015, J Crohns Colitis 9:846. 0 if no segment is inflamed. The paper does not count a caecal
    patch, see `Caecum`. ``extent_dm`` is the greatest length of inflamed bowel, in decimetres. Raises
    ValueError for a grade that is not 0..3 or an extent outside 0..`LONGEST_DM`.
    """
    _check_extent(extent_dm)
    five = _five(grades, caecum)
    total, inflamed = sum(five.graded), sum(grade >= INFLAMED for grade in five.graded)
    missing, notes = five.missing, five.notes
    if inflamed and extent_dm is None:
        missing += ("maximal extent not given",)
    elif inflamed and extent_dm == 0:
        missing += ("maximal extent given as 0 dm although segments are inflamed",)
    elif not inflamed and not missing and extent_dm:
        notes += (f"A maximal extent of {extent_dm:g} dm was given, but no segment is inflamed.",)
    basis = f"{five.basis}; maximal extent " + ("not given" if extent_dm is None else f"{extent_dm:g} dm")
    if missing:
        return Score(None, not_computed("MMES", missing), basis, missing, notes)
    if not inflamed or extent_dm is None:
        return Score(0.0, "MMES 0 (no inflamed segment)", basis, (), notes)
    value = total * extent_dm / inflamed
    segments = "segment" if inflamed == 1 else "segments"
    words = f"MMES {value:.1f} (sum of MES {total} × {extent_dm:g} dm ÷ {inflamed} inflamed {segments})"
    return Score(value, words, basis, (), notes)


def pan_mayo(grades: SegmentGrades, caecum: Caecum = Caecum.WITH_ASCENDING) -> Score[int]:
    """Pancolonic modified Mayo score, 0..45: sum of MES over `FIVE`, each threefold where it is at least 2.

    Bálint, 2018, BMC Gastroenterol 18:7. The abstract may be read as tripling the whole sum; both readings
    end at 45, and only this one keeps a single active segment from tripling the inactive ones. Raises
    ValueError for a grade that is not 0..3.
    """
    five = _five(grades, caecum)
    if five.missing:
        return Score(None, not_computed("panMayo", five.missing), five.basis, five.missing, five.notes)
    value = sum(3 * grade if grade >= ACTIVE else grade for grade in five.graded)
    return Score(value, f"panMayo {value} of 45", five.basis, (), five.notes)


class Extent(Enum):
    """Extent by the Montreal classification (Silverberg, 2005, Can J Gastroenterol 19 Suppl A:5A)."""

    E1 = "E1, ulcerative proctitis"
    E2 = "E2, left-sided colitis"
    E3 = "E3, extensive colitis"


_REACH = {
    Segment.RECTUM: Extent.E1,
    Segment.SIGMOID: Extent.E2,
    Segment.DESCENDING: Extent.E2,
    Segment.TRANSVERSE: Extent.E3,
    Segment.ASCENDING: Extent.E3,
    Segment.CAECUM: Extent.E3,
}
"""The extent that inflammation of a segment means, from the rectum upwards."""


@dataclass(frozen=True)
class Montreal(Score[Extent]):
    """A suggested extent; ``at_least`` where it may be greater, since segments beyond were not examined.

    ``spared`` holds the segments with MES 0 before the farthest inflamed one, from the rectum upwards.
    """

    at_least: bool = False
    spared: tuple[Segment, ...] = ()


def montreal(grades: SegmentGrades, caecum: Caecum = Caecum.WITH_ASCENDING) -> Montreal:
    """The extent this examination suggests, from the farthest inflamed segment; None where none is inflamed.

    Satsangi, 2006, Gut 55:749: the rectum alone E1, up to the splenic flexure E2, beyond it E3. The class of
    a patient is the greatest extent ever seen, so the reader decides, not this. Raises ValueError for a
    grade that is not 0..3.
    """
    known = _checked(grades)
    notes, basis = _caecum_notes(known, caecum), _basis(known, caecum)
    if caecum is Caecum.LEFT_OUT:
        known[Segment.CAECUM] = None
    inflamed = [segment for segment in _REACH if (known[segment] or 0) >= INFLAMED]
    if not inflamed:
        unseen = tuple(segment for segment in FIVE if known[segment] is None)
        examined = any(grade is not None for grade in known.values())
        why = "no inflamed segment among those examined" if examined else "no segment was examined"
        return Montreal(None, f"no extent suggested: {why}", basis, _not_examined(unseen), notes)
    extent, upwards = _REACH[inflamed[-1]], list(_REACH)
    farthest = upwards.index(inflamed[-1])
    # The caecum adds nothing to the ascending colon: both are beyond the splenic flexure.
    unseen = tuple(
        segment
        for segment in reversed(upwards[farthest + 1 :])
        if known[segment] is None and _REACH[segment] is not extent and segment is not Segment.CAECUM
    )
    spared = tuple(segment for segment in upwards[:farthest] if known[segment] == 0)
    if spared:
        notes += (f"Not continuous: MES 0 in {_listed(spared)}, before the farthest inflamed segment.",)
    words = f"extent at this examination, suggested: {'at least ' if unseen else ''}{extent.value}"
    return Montreal(extent, words, basis, _not_examined(unseen), notes, bool(unseen), spared)


class Target(Enum):
    """How the patient's MES stands to the endoscopic target of STRIDE-II."""

    REACHED = "reached"
    MINIMUM = "minimum reached"
    NOT_REACHED = "not reached"


def stride_target(worst: Worst) -> Score[Target]:
    """The endoscopic target MES 0, minimum MES <= 1, as neutral text; None where nothing was examined.

    Turner, 2021, Gastroenterology 160:1570 (STRIDE-II: MES 0); Peyrin-Biroulet, 2015, Am J Gastroenterol
    110:1324 (STRIDE: MES 0 or 1).
    """
    name, grade = "STRIDE-II endoscopic target", worst.value
    if grade is None:
        return Score(None, f"{name}: not judged, no segment was examined", worst.basis, worst.missing)
    so_far = ", in the segments examined" if worst.not_examined else ""
    if grade >= ACTIVE:
        return Score(Target.NOT_REACHED, f"{name}: not reached (MES {grade})", worst.basis)
    if grade:
        words = f"{name}: minimum reached (MES ≤ 1), MES 0 not reached{so_far}"
        return Score(Target.MINIMUM, words, worst.basis, worst.missing)
    return Score(Target.REACHED, f"{name}: reached (MES 0){so_far}", worst.basis, worst.missing)


@dataclass(frozen=True)
class _Five:
    """Grades of the five segments as a formula takes them; ``graded`` is without those not examined."""

    graded: tuple[int, ...]
    basis: str
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def _five(grades: SegmentGrades, caecum: Caecum) -> _Five:
    """The five segments with the caecum as ruled; the ascending colon itself must have been examined."""
    known = _checked(grades)
    basis = _basis(known, caecum)
    missing = _not_examined(segment for segment in FIVE if known[segment] is None)
    notes = _caecum_notes(known, caecum)
    ascending, caecal = known[Segment.ASCENDING], known[Segment.CAECUM]
    if caecum is Caecum.WITH_ASCENDING and ascending is not None and caecal is not None:
        known[Segment.ASCENDING] = max(ascending, caecal)
    graded = tuple(grade for segment in FIVE if (grade := known[segment]) is not None)
    return _Five(graded, basis, missing, notes)


def _caecum_notes(known: SegmentGrades, caecum: Caecum) -> tuple[str, ...]:
    """What the reader should know where the rule for the caecum makes a difference."""
    caecal, ascending = known[Segment.CAECUM], known[Segment.ASCENDING]
    if caecal is None or caecal <= (ascending or 0):
        return ()
    beside = "was not examined" if ascending is None else f"has MES {ascending}"
    if caecum is Caecum.LEFT_OUT:
        notes = [f"The caecum, MES {caecal}, does not count; the ascending colon {beside}."]
    else:
        notes = [f"The caecum, MES {caecal}, counts for the right colon; the ascending colon {beside}."]
    if ascending == 0:
        notes.append("An inflamed caecum beside an ascending colon with MES 0 may be a caecal patch.")
    return tuple(notes)


def _checked(grades: SegmentGrades) -> dict[Segment, int | None]:
    """All six segments from the caecum on. Raises ValueError for a foreign key or a grade out of range."""
    for segment in grades:
        if not isinstance(segment, Segment):
            raise ValueError(f"{segment!r} is no segment of the large bowel; give a Segment")
        check_level(f"MES of the {segment.value}", grades[segment], 3)
    return {segment: grades.get(segment) for segment in Segment}


def check_level(what: str, value: int | None, most: int) -> None:
    """Raises ValueError unless ``value`` is None or a whole number 0..``most``."""
    # True is an int to Python, and a tick box is no grade.
    if value is not None and (type(value) is not int or not 0 <= value <= most):
        raise ValueError(f"{what} must be a whole number from 0 to {most}, or None, not {value!r}")


def _check_extent(extent_dm: float | None) -> None:
    if extent_dm is None:
        return
    if isinstance(extent_dm, bool) or not math.isfinite(extent_dm) or not 0 <= extent_dm <= LONGEST_DM:
        raise ValueError(
            f"a maximal extent is 0 to {LONGEST_DM:g} dm, or None, not {extent_dm!r}; give 10 cm as 1 dm"
        )


def _not_examined(segments: Iterable[Segment]) -> tuple[str, ...]:
    return tuple(f"{segment.value} not examined" for segment in segments)


def not_computed(name: str, missing: Iterable[str]) -> str:
    """What a report says of a score that lacks something."""
    return f"{name} not computed: {'; '.join(missing)}"


def _told(known: SegmentGrades) -> str:
    """``"caecum not examined, ascending colon MES 0, ..."``."""
    return ", ".join(
        f"{segment.value} {'not examined' if grade is None else f'MES {grade}'}"
        for segment, grade in known.items()
    )


def _basis(known: SegmentGrades, caecum: Caecum) -> str:
    rule = "" if known[Segment.CAECUM] is None else f"; caecum {caecum.value}"
    return f"{_told(known)}{rule}"


def _listed(segments: tuple[Segment, ...]) -> str:
    """``"sigmoid colon and rectum"``."""
    *front, last = [segment.value for segment in segments]
    return f"{', '.join(front)} and {last}" if front else last
