"""How far readers, and the model, agree: kappa with intervals, single grades, and what to adjudicate.

Figures are computed from locked sessions alone: whoever sees them is not blinded any more. Readers count
with the grades they gave before they saw the model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtl_core.spec import ACTIVE, GRADES
from uc_viewer.reading.session import Item, ReadingError, Session

if TYPE_CHECKING:
    from mtl_core.metrics import Interval

Grades = Mapping[Item, int | None]
"""MES 0..3 of items; None, or not in the mapping, where there is none."""

Counts = NDArray[np.float64]

MODEL = "AI"
"""What the model is called among the readers."""

REPLICATES = 1000
"""Bootstrap replicates behind an interval."""


@dataclass(frozen=True)
class GradeAgreement:
    """One grade: how often ``both`` gave it, and only one of them.

    ``specific`` is the share agreed on among all times the grade was given, 2 both / (first + second)
    (Cicchetti & Feinstein, 1990, J Clin Epidemiol 43:551); ``kappa`` is Cohen's, this grade against the rest.
    """

    grade: int
    both: int
    first_only: int
    second_only: int
    specific: Interval
    kappa: Interval


@dataclass(frozen=True)
class Agreement:
    """Two series of grades compared, each figure with a 95 % bootstrap interval; NaN where undefined.

    ``confusion[i][j]`` counts items with grade i by the first and j by the second; ``compared`` is their
    number, ``left_out`` that of items only one of them graded, or none. ``quadratic`` and ``linear`` are
    weighted kappa (Cohen, 1968, Psychol Bull 70:213), ``exact`` the share of equal grades, ``active`` kappa
    of MES 0-1 against 2-3. ``notes`` are sentences that belong beside the figures.
    """

    names: tuple[str, str]
    compared: int
    left_out: int
    confusion: tuple[tuple[int, ...], ...]
    quadratic: Interval
    linear: Interval
    exact: Interval
    active: Interval
    grades: tuple[GradeAgreement, ...]
    notes: tuple[str, ...] = ()

    def describe(self) -> str:
        """In words: ``"A and B: quadratic kappa 0.82 (95 % interval 0.71 to 0.90), 40 compared"``."""
        figure, who = self.quadratic, " and ".join(self.names)
        left = f", {self.left_out} left out" if self.left_out else ""
        if isnan(figure.value):
            return f"{who}: quadratic kappa not defined, {self.compared} compared{left}"
        kappa = f"{who}: quadratic kappa {figure.value:.2f}"
        if not isnan(figure.low):
            kappa += f" (95 % interval {figure.low:.2f} to {figure.high:.2f})"
        return f"{kappa}, {self.compared} compared{left}"


def first_readings(session: Session) -> dict[Item, int | None]:
    """What the reader gave each item when it came first, unaided, in the order of reading.

    Raises ReadingError for a session that is not locked.
    """
    _need_locked(session)
    return {entry.item: entry.unaided for entry in session.entries if entry.again is None}


def second_readings(session: Session) -> dict[Item, int | None]:
    """What the reader gave the duplicates when they came again. Raises ReadingError if not locked."""
    _need_locked(session)
    return {entry.item: entry.unaided for entry in session.entries if entry.again is not None}


def between_readers(
    one: Session, other: Session, groups: Mapping[Item, str] | None = None, seed: int = 0
) -> Agreement:
    """Inter-reader agreement over the first readings; ``groups`` as in `compare`. Raises ReadingError."""
    return compare(first_readings(one), first_readings(other), (one.reader, other.reader), groups, seed)


def with_model(
    session: Session, model: Grades, groups: Mapping[Item, str] | None = None, seed: int = 0
) -> Agreement:
    """Agreement of a reader's first readings with the model; otherwise as `between_readers`."""
    read = first_readings(session)
    asked = {item: model.get(item) for item in read}
    return compare(read, asked, (session.reader, MODEL), groups, seed)


def within_reader(session: Session, groups: Mapping[Item, str] | None = None, seed: int = 0) -> Agreement:
    """Intra-reader agreement, from the duplicates; ``groups`` as in `compare`. Raises ReadingError."""
    again = second_readings(session)
    first = {item: grade for item, grade in first_readings(session).items() if item in again}
    seen = sum(
        session.entries[entry.again].shown is not None for entry in session.entries if entry.again is not None
    )
    notes = (
        (f"The AI's grade of {seen} of {len(again)} items was seen before they were read again.",)
        if seen
        else ()
    )
    names = (f"{session.reader}, first reading", "second reading")
    return compare(first, again, names, groups, seed, notes)


def compare(
    first: Grades,
    second: Grades,
    names: tuple[str, str],
    groups: Mapping[Item, str] | None = None,
    seed: int = 0,
    notes: tuple[str, ...] = (),
    replicates: int = REPLICATES,
) -> Agreement:
    """Compare two series of grades, over the items that have both.

    ``groups`` says what belongs together, the patient of a frame say: the bootstrap draws whole groups, so
    that frames of one patient do not pass for independent evidence. Items without one stand alone. Of 0
    ``replicates`` there are no intervals. Raises ValueError for a grade that is not 0..3.
    """
    # scipy comes with it, which takes most of a second: not before somebody asks.
    from mtl_core.metrics import bootstrap, confusion_matrix

    every = [*first, *(item for item in second if item not in first)]
    pairs = [(item, first.get(item), second.get(item)) for item in every]
    for item, *given in pairs:
        if any(grade is not None and grade not in range(GRADES) for grade in given):
            raise ValueError(f"{item}: grades are 0, 1, 2, 3 or None, not {given}")
    graded = [(item, one, two) for item, one, two in pairs if one is not None and two is not None]
    ones = np.array([one for _, one, _ in graded], np.intp)
    twos = np.array([two for _, _, two in graded], np.intp)
    # A number for those without a group, so that no name of a group can be hit by chance.
    owners = [(groups or {}).get(item, number) for number, (item, _, _) in enumerate(graded)]
    codes = {owner: str(code) for code, owner in enumerate(dict.fromkeys(owners))}
    figures = bootstrap(
        np.array([codes[owner] for owner in owners], np.str_),
        lambda rows: _figures(confusion_matrix(ones[rows], twos[rows])),
        replicates,
        seed,
    )
    counts = confusion_matrix(ones, twos).astype(int)
    return Agreement(
        names=names,
        compared=len(graded),
        left_out=len(pairs) - len(graded),
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
        **{name: figures[name] for name in ("quadratic", "linear", "exact", "active")},
        grades=tuple(_of_grade(k, counts, figures) for k in range(GRADES)),
        notes=notes,
    )


def _of_grade(k: int, counts: NDArray[np.int_], figures: Mapping[str, Interval]) -> GradeAgreement:
    both = int(counts[k, k])
    return GradeAgreement(
        grade=k,
        both=both,
        first_only=int(counts[k].sum()) - both,
        second_only=int(counts[:, k].sum()) - both,
        specific=figures[f"specific_{k}"],
        kappa=figures[f"kappa_{k}"],
    )


def _figures(confusion: Counts) -> dict[str, float]:
    """Every figure of a confusion matrix (4, 4); NaN where undefined."""
    from mtl_core.metrics import quadratic_kappa

    total = confusion.sum()
    figures = {
        "quadratic": quadratic_kappa(confusion),
        "linear": linear_kappa(confusion),
        "exact": float(np.trace(confusion) / total) if total else float("nan"),
        "active": linear_kappa(_halved(confusion, np.arange(GRADES) >= ACTIVE.cut)),
    }
    for k in range(GRADES):
        given = confusion[k].sum() + confusion[:, k].sum()
        figures[f"specific_{k}"] = float(2 * confusion[k, k] / given) if given else float("nan")
        figures[f"kappa_{k}"] = linear_kappa(_halved(confusion, np.arange(GRADES) == k))
    return figures


def linear_kappa(confusion: Counts) -> float:
    """Linearly weighted kappa (Cohen 1968) of counts (K, K); of (2, 2) it is plain kappa.

    NaN if no disagreement is expected.
    """
    steps = np.abs(np.subtract.outer(np.arange(len(confusion)), np.arange(len(confusion))))
    expected = np.outer(confusion.sum(1), confusion.sum(0)) / max(confusion.sum(), 1.0)
    chance = float((steps * expected).sum())
    return 1.0 - float((steps * confusion).sum()) / chance if chance > 0 else float("nan")


def _halved(confusion: Counts, inside: NDArray[np.bool_]) -> Counts:
    """Counts (2, 2) of a yes/no question: is the grade one of those ``inside``, bool (4,)?"""
    sides = np.stack([~inside, inside]).astype(np.float64)
    return np.asarray(sides @ confusion @ sides.T)


@dataclass(frozen=True)
class Discordant:
    """An item to adjudicate: who gave what, in the order of the readers; None where one gave no grade.

    ``apart`` is how many grades the lowest and the highest are apart; ``across`` whether MES 0-1 and 2-3
    were both given.
    """

    item: Item
    grades: tuple[tuple[str, int | None], ...]
    apart: int
    across: bool


def discordant(readings: Mapping[str, Grades], apart: int = 2, across: bool = True) -> list[Discordant]:
    """Items for a second read: grades at least ``apart`` grades apart, or on both sides of the active cut.

    ``readings`` maps a reader, or `MODEL`, to the grades given. Worst first: more grades apart, then across
    the cut, then the order in which items come. An item that fewer than two graded is not in it. Raises
    ValueError unless ``apart`` is 1, 2 or 3.
    """
    if apart not in range(1, GRADES):
        raise ValueError(f"grades can be 1, 2 or 3 apart, not {apart!r}")
    queue: list[Discordant] = []
    for item in dict.fromkeys(item for grades in readings.values() for item in grades):
        given = tuple((who, grades.get(item)) for who, grades in readings.items())
        known = [grade for _, grade in given if grade is not None]
        if len(known) < 2:
            continue
        one = Discordant(item, given, max(known) - min(known), min(known) < ACTIVE.cut <= max(known))
        if one.apart >= apart or (across and one.across):
            queue.append(one)
    return sorted(queue, key=lambda one: (-one.apart, not one.across))


def _need_locked(session: Session) -> None:
    if not session.locked:
        raise ReadingError(f"the session of {session.reader} is not locked: lock it before it is compared")
