"""What the timeline knows of a recording, as arrays, and what each column of it stands for. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uc_viewer.case import Segment
from uc_viewer.grades import MES

SEGMENTS = tuple(Segment)

FLAGGED, REJECTED, KEY_IMAGE, NOT_SCORED = _BITS = 1, 2, 4, 8
"""What may hold of a frame, each a bit of its own."""

_GRADES = frozenset({None, *(grade.value for grade in MES)})

_FIELDS = np.dtype(
    [
        ("index", "i8"),
        ("seconds", "f8"),
        ("continuous", "f8"),
        ("reason", "i4"),
        ("ai", "i1"),
        ("reader", "i1"),
        ("segment", "i1"),
        ("bits", "u1"),
    ]
)
"""One frame. Grades and segments are -1 where there are none; ``reason`` counts in a list of texts."""

_SLACK = 1.5
"""A frame stands for the time up to the next, but for no longer than so many usual distances."""

_LONE = 0.5
"""Seconds that a frame stands for where there is no other to measure a distance to."""

_NOTHING, _STRUCK = -100, -10
"""Ranks: no grade; below the grade of any other frame, that of a frame the reader rejected."""


@dataclass(frozen=True)
class Mark:
    """What is known of one sampled frame.

    ``index``: its place in the recording, from 0. ``seconds``: the container's time. ``ai`` and ``reader``:
    MES 0..3. ``continuous``: the model's expected grade, 0..3. ``reason``: why the model gave no grade, empty
    for a frame that was scored or not looked at yet.
    """

    index: int
    seconds: float
    ai: int | None = None
    continuous: float | None = None
    reader: int | None = None
    segment: Segment | None = None
    flagged: bool = False
    rejected: bool = False
    reason: str = ""
    key_image: bool = False


@dataclass(frozen=True, eq=False)
class Columns:
    """What columns of pixels stand for; all arrays are as long as there are columns.

    ``first``, ``last``: places of the frames of a column, ``first`` to before ``last``; the same for none.
    ``ai``, ``reader``: int8, the worst MES, -1 for none. ``ai_struck``, ``reader_struck``: bool, every frame
    with a grade was rejected by the reader. ``segment``: int8, place in `SEGMENTS`, the most distal of
    several, -1 for none. ``counts``: of how many frames each of `FLAGGED` and its kin holds, by that bit.
    """

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    ai: NDArray[np.int8]
    ai_struck: NDArray[np.bool_]
    reader: NDArray[np.int8]
    reader_struck: NDArray[np.bool_]
    segment: NDArray[np.int8]
    counts: dict[int, NDArray[np.intp]]

    def __len__(self) -> int:
        return len(self.first)

    def share(self, bit: int) -> NDArray[np.float64]:
        """Of which part of its frames a bit holds, 0..1, also 0 for no frames."""
        return np.asarray(self.counts[bit] / np.maximum(self.last - self.first, 1))


class Rows:
    """The frames of one recording in their order, as many as came in so far.

    Kept as one array per field: there may be 200 000, and one of them changes several times a second.
    """

    def __init__(self) -> None:
        self._kept = {name: np.empty(0, _FIELDS[name]) for name in _names()}
        self._used = 0
        self._reasons, self._codes = [""], {"": 0}
        self._usual: float | None = None

    def __len__(self) -> int:
        return self._used

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Time of every frame, never decreasing."""
        return self._of("seconds")

    def put(self, marks: Sequence[Mark]) -> None:
        """Take marks in, in place of those of the same index; of several with one index the last counts.

        Raises ValueError, and takes none, for a grade that is no MES and for a time that is earlier than that
        of a frame before it.
        """
        if not marks:
            return
        new = self._read(marks)
        places = np.searchsorted(self._of("index"), new["index"])
        known = np.zeros(len(new), np.bool_)
        inside = places < self._used
        known[inside] = self._of("index")[places[inside]] == new["index"][inside]
        same_times = np.array_equal(self.seconds[places[known]], new["seconds"][known])
        if known.all() and same_times:
            self._write(places, new)
        elif not known.any() and bool((places == self._used).all()):
            self._append(new)
        else:
            self._merge(places, known, new)

    def find(self, index: int) -> int | None:
        """The place of the frame of this index, None if it is none of these."""
        place = int(np.searchsorted(self._of("index"), index))
        return place if place < self._used and self._of("index")[place] == index else None

    def mark(self, place: int) -> Mark:
        """The frame at a place, as it was put in. Raises IndexError."""
        if not 0 <= place < self._used:
            raise IndexError(f"no frame {place} among {self._used}")
        one = {name: self._of(name)[place].item() for name in _names()}
        return Mark(
            one["index"],
            one["seconds"],
            _or_none(one["ai"]),
            None if np.isnan(one["continuous"]) else one["continuous"],
            _or_none(one["reader"]),
            None if one["segment"] < 0 else SEGMENTS[one["segment"]],
            bool(one["bits"] & FLAGGED),
            bool(one["bits"] & REJECTED),
            self._reasons[one["reason"]],
            bool(one["bits"] & KEY_IMAGE),
        )

    def columns(self, edges: NDArray[np.float64]) -> Columns:
        """What lies between times. ``edges``: float64, seconds, increasing, one more than there are columns.

        A frame counts in the column in which it begins. A column in which none begins shows the frame before
        it, for as long as that one lasts.
        """
        bounds = np.searchsorted(self.seconds, edges)
        first, last = bounds[:-1], bounds[1:]
        before = np.maximum(first - 1, 0)
        if self._used:
            held = (first == last) & (first > 0) & (self.seconds[before] + self._reach() > edges[:-1])
            first = np.where(held, before, first)
        ai, ai_struck = self._worst("ai", first, last)
        reader, reader_struck = self._worst("reader", first, last)
        segment = _reduced(np.maximum, self._of("segment"), first, last, -1)
        counts = {bit: self._counts(bit, first, last) for bit in _BITS}
        return Columns(first, last, ai, ai_struck, reader, reader_struck, segment, counts)

    def worst(self, first: int, last: int) -> int:
        """The place of the frame a column shows: the worst grade, of several the largest expected grade."""
        part = slice(first, last)
        rank = _rank(self._of("ai")[part], self._of("bits")[part])
        expected = np.nan_to_num(self._of("continuous")[part], nan=-1.0)
        # Of all that are alike the first.
        return first + int(np.lexsort((-np.arange(last - first), expected, rank))[-1])

    @property
    def usual(self) -> float:
        """The usual distance between two frames in seconds, 0 where there are none or only one."""
        if self._usual is None:
            self._usual = float(np.median(np.diff(self.seconds))) if self._used > 1 else 0.0
        return self._usual

    def _worst(
        self, name: str, first: NDArray[np.intp], last: NDArray[np.intp]
    ) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        rank = _reduced(np.maximum, _rank(self._of(name), self._of("bits")), first, last, _NOTHING)
        struck = (rank < 0) & (rank > _NOTHING)
        return np.where(struck, rank - _STRUCK, np.maximum(rank, -1)).astype(np.int8), struck

    def _counts(self, bit: int, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
        so_far = np.cumsum(np.append(0, (self._of("bits") & bit) != 0))
        return np.asarray(so_far[last] - so_far[first])

    def _reach(self) -> float:
        """How many seconds a frame stands for at most."""
        return self.usual * _SLACK or _LONE

    def _of(self, name: str) -> NDArray[Any]:
        made: NDArray[Any] = self._kept[name][: self._used]
        return made

    def _read(self, marks: Sequence[Mark]) -> NDArray[Any]:
        """Marks as an array by `_FIELDS`, in the order of their indices, each index once."""
        new: NDArray[Any] = np.array([self._row(mark) for mark in marks], _FIELDS)
        # The stable order keeps the last of each index last, and the comparison drops the others.
        new = new[np.argsort(new["index"], kind="stable")]
        new = new[np.append(new["index"][1:] != new["index"][:-1], True)]
        if not np.isfinite(new["seconds"]).all():
            raise ValueError("every frame on the timeline needs a time")
        _check_order(new["seconds"])
        return new

    def _row(self, mark: Mark) -> tuple[object, ...]:
        if mark.ai not in _GRADES or mark.reader not in _GRADES:
            raise ValueError(f"frame {mark.index}: {mark.ai} or {mark.reader} is no MES")
        if (code := self._codes.get(mark.reason)) is None:
            code = self._codes[mark.reason] = len(self._reasons)
            self._reasons.append(mark.reason)
        bits = FLAGGED * mark.flagged | REJECTED * mark.rejected | KEY_IMAGE * mark.key_image
        return (
            mark.index,
            mark.seconds,
            np.nan if mark.continuous is None else mark.continuous,
            code,
            -1 if mark.ai is None else mark.ai,
            -1 if mark.reader is None else mark.reader,
            -1 if mark.segment is None else SEGMENTS.index(mark.segment),
            bits | (NOT_SCORED if mark.reason else 0),
        )

    def _write(self, places: NDArray[np.intp], new: NDArray[Any]) -> None:
        for name in _names():
            self._kept[name][places] = new[name]

    def _append(self, new: NDArray[Any]) -> None:
        if self._used:
            _check_order(np.append(self.seconds[-1], new["seconds"][0]))
        wanted = self._used + len(new)
        if wanted > len(self._kept["index"]):
            for name, kept in self._kept.items():
                # Twice the room, so that a thousand single frames are not copied a thousand times.
                more = np.empty(2 * wanted, kept.dtype)
                more[: self._used] = kept[: self._used]
                self._kept[name] = more
        places = np.arange(self._used, wanted)
        self._used, self._usual = wanted, None
        self._write(places, new)

    def _merge(self, places: NDArray[np.intp], known: NDArray[np.bool_], new: NDArray[Any]) -> None:
        """Put some frames between others, or give them other times."""
        merged = {}
        for name in _names():
            kept = self._of(name).copy()
            kept[places[known]] = new[name][known]
            merged[name] = np.insert(kept, places[~known], new[name][~known])
        _check_order(merged["seconds"])
        self._kept, self._used, self._usual = merged, len(merged["index"]), None


def _names() -> tuple[str, ...]:
    assert _FIELDS.names is not None
    return _FIELDS.names


def _or_none(grade: int) -> int | None:
    return None if grade < 0 else grade


def _check_order(seconds: NDArray[np.float64]) -> None:
    if (earlier := np.diff(seconds) < 0).any():
        at = int(np.argmax(earlier))
        raise ValueError(f"a frame at {seconds[at + 1]} s comes after one at {seconds[at]} s")


def _rank(grades: NDArray[Any], bits: NDArray[Any]) -> NDArray[np.int8]:
    """Grades such that the larger is the one to show: a rejected frame never hides another."""
    struck = np.where((bits & REJECTED) != 0, grades + np.int8(_STRUCK), grades)
    return np.where(grades < 0, np.int8(_NOTHING), struck).astype(np.int8)


def _reduced(
    how: np.ufunc, values: NDArray[Any], first: NDArray[np.intp], last: NDArray[np.intp], none: int
) -> NDArray[Any]:
    """For every column ``how`` over its values, or ``none``."""
    filled = first < last
    made = np.full(len(first), none, values.dtype)
    if filled.any():
        pairs = np.stack([first[filled], last[filled]], axis=1).ravel()
        # One more value, since a pair may end behind the last; every second result is the stretch between.
        made[filled] = how.reduceat(np.append(values, values[-1:]), pairs)[::2]
    return made
