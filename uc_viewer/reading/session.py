"""Blinded reading: pictures or cases in random order, some of them twice, graded one after the other.

A `Session` is plain data and never changes: every step gives a new one. The order, with its seed, is made
once by `uc_viewer.reading.plan` and kept. While reading, a reader meets positions alone: what is read twice
looks like everything else, and the model's grade comes into the session only when the protocol lets the
reader see it. Times and readers are told by the caller; nothing here asks a clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from mtl_core.spec import GRADES
from uc_viewer.case import FrameKey

Item = str | FrameKey
"""What is read: a case by its id, or one frame."""


class ReadingError(Exception):
    """A step the protocol does not allow, or a session that cannot be; one line for the reader."""


class AI(Enum):
    """What the reader sees of the model."""

    HIDDEN = "hidden"
    AFTER_GRADE = "shown after the own grade"


class Changes(Enum):
    """Which of the own grades a reader may still change."""

    NONE = "none"
    LAST = "the last one, until the next is given"
    ANY = "any, until the session is locked"


@dataclass(frozen=True)
class Protocol:
    """The rules of a session, fixed before it begins.

    ``duplicates`` are read twice: an int is how many, a float the share of items, 0..1, to the nearest whole
    one. The two readings of an item have at least ``distance`` - 1 others between them. ``change_after_ai``
    lets a grade be changed when the model's was seen; the first one is kept in any case. Raises ReadingError
    for rules that contradict each other.
    """

    ai: AI = AI.HIDDEN
    names_hidden: bool = True
    changes: Changes = Changes.LAST
    change_after_ai: bool = False
    duplicates: int | float = 0
    distance: int = 1

    def __post_init__(self) -> None:
        share = isinstance(self.duplicates, float)
        if isinstance(self.duplicates, bool) or not (
            0 <= self.duplicates <= 1 if share else self.duplicates >= 0
        ):
            raise ReadingError(f"duplicates are a number of items or a share 0..1, not {self.duplicates!r}")
        if type(self.distance) is not int or self.distance < 1:
            raise ReadingError(f"the distance of duplicates is a whole number from 1, not {self.distance!r}")
        if self.duplicates and not self.names_hidden:
            raise ReadingError("duplicates are recognised by their names: hide the names, or have none")
        if self.change_after_ai and (self.ai is AI.HIDDEN or self.changes is Changes.NONE):
            raise ReadingError("a change after the AI was shown needs an AI that is shown, and changes")

    def twice(self, items: int) -> int:
        """How many of ``items`` are read twice."""
        if isinstance(self.duplicates, float):
            return math.floor(self.duplicates * items + 0.5)
        return self.duplicates

    def describe(self) -> str:
        """The rules in words, for reports and tables."""
        later = ", even after the AI was shown" if self.change_after_ai else ""
        return (
            f"AI {self.ai.value}; names {'hidden' if self.names_hidden else 'shown'}; "
            f"changes: {self.changes.value}{later}; read twice: {self.duplicates:g}"
            f"{' of the items' if isinstance(self.duplicates, float) else ''}, distance {self.distance}"
        )


STANDARD = Protocol()
"""The rules in force unless others are asked for."""


@dataclass(frozen=True)
class Answer:
    """One grade as given: MES 0..3, or None for "cannot be graded".

    ``at`` is ISO-8601 with an offset, ``seconds`` how long the reader looked before giving it.
    """

    grade: int | None
    at: str
    seconds: float


@dataclass(frozen=True)
class Shown:
    """The model's answer as the reader saw it, and when; None where the model had none."""

    grade: int | None
    at: str
    answers: int
    """How many answers the reader had given by then: later ones are not independent."""


@dataclass(frozen=True)
class Entry:
    """One position of a session. ``again`` is the earlier one with the same item, None for a first one."""

    item: Item
    pseudonym: str
    again: int | None = None
    answers: tuple[Answer, ...] = ()
    shown: Shown | None = None

    @property
    def read(self) -> bool:
        """True once the reader has said something, be it that it cannot be graded."""
        return bool(self.answers)

    @property
    def grade(self) -> int | None:
        """The grade that counts, the last one given; None where unread or not to be graded."""
        return self.answers[-1].grade if self.answers else None

    @property
    def unaided(self) -> int | None:
        """The last grade given before the model's was seen."""
        alone = self.answers[: self.shown.answers] if self.shown else self.answers
        return alone[-1].grade if alone else None


@dataclass(frozen=True)
class Session:
    """One reader's blinded reading: who, by which rules, in which order, and the answers so far.

    ``locked_at`` is empty until `lock`. Positions start at 0. Raises ReadingError for a session that cannot
    have come about, so that a damaged file is found when it is opened.
    """

    reader: str
    seed: int
    protocol: Protocol
    entries: tuple[Entry, ...]
    locked_at: str = ""

    def __post_init__(self) -> None:
        if not self.reader.strip() or not self.reader.isprintable():
            raise ReadingError("a session needs a reader: a name or id in printable characters")
        if type(self.seed) is not int:
            raise ReadingError(f"the seed of an order is a whole number, not {self.seed!r}")
        if not self.entries:
            raise ReadingError("a session needs at least one item to read")
        if self.locked_at:
            _check_time(self.locked_at, "locked")
        firsts = _check_order(self.entries, self.protocol.distance)
        if len(self.entries) - len(firsts) != self.protocol.twice(len(firsts)):
            raise ReadingError("the session has not as many duplicates as its protocol says")
        unread = [position for position, entry in enumerate(self.entries) if not entry.read]
        if unread and any(entry.read for entry in self.entries[unread[0] :]):
            raise ReadingError(f"number {unread[0] + 1} was passed over: a session is read in order")
        for position, entry in enumerate(self.entries):
            _check_entry(position, entry, self.protocol)

    @property
    def locked(self) -> bool:
        """True once nothing may be changed any more."""
        return bool(self.locked_at)

    @property
    def done(self) -> int:
        """How many positions were read."""
        return sum(entry.read for entry in self.entries)

    @property
    def next_unread(self) -> int | None:
        """The position to read next, None when all were read or the session is locked."""
        return self.done if not self.locked and self.done < len(self.entries) else None

    def label(self, position: int) -> str:
        """What the reader may see in place of a name, the same for firsts and duplicates: ``"7 of 44"``."""
        entry, number = self._entry(position), f"{position + 1} of {len(self.entries)}"
        if self.protocol.names_hidden:
            return number
        name = entry.item if isinstance(entry.item, str) else f"{entry.item[0]}, frame {entry.item[1]}"
        return f"{number}: {name}"

    def may_grade(self, position: int) -> bool:
        """True where the reader may give a first grade (the next unread) or another one."""
        return position == self.next_unread or self.may_change(position)

    def may_change(self, position: int) -> bool:
        """True where a grade was given and the protocol lets it be changed now."""
        entry = self._entry(position)
        if self.locked or not entry.read or (entry.shown and not self.protocol.change_after_ai):
            return False
        rule = self.protocol.changes
        return rule is Changes.ANY or (rule is Changes.LAST and position == self.done - 1)

    def may_show_ai(self, position: int) -> bool:
        """True where the reader may see the model's answer now."""
        entry = self._entry(position)
        return self.protocol.ai is AI.AFTER_GRADE and entry.read and bool(entry.shown or not self.locked)

    def give(self, position: int, grade: int | None, at: str, seconds: float, reader: str) -> Session:
        """The session with a grade given, or changed, at a position; None for "cannot be graded".

        Raises ReadingError where that is not the reader's turn, or the protocol forbids it.
        """
        if reader != self.reader:
            raise ReadingError(
                f"this session is read by {self.reader}; {reader} needs a session of their own"
            )
        if not self.may_grade(position):
            raise ReadingError(self._refusal(position))
        entry = self.entries[position]
        return self._with(position, replace(entry, answers=(*entry.answers, Answer(grade, at, seconds))))

    def show_ai(self, position: int, grade: int | None, at: str) -> Session:
        """The session in which the reader has seen the model's grade; seen again, it stays as it was.

        Raises ReadingError where the protocol hides it, the own grade is not given, or the session is locked.
        """
        if not self.may_show_ai(position):
            hidden, locked = self.protocol.ai is AI.HIDDEN, f"the session was locked on {self.locked_at}"
            why = (
                "the protocol hides it" if hidden else locked if self.locked else "give your own grade first"
            )
            raise ReadingError(f"number {position + 1}: the AI's grade is not shown: {why}")
        entry = self.entries[position]
        if entry.shown:
            return self
        return self._with(position, replace(entry, shown=Shown(grade, at, len(entry.answers))))

    def lock(self, at: str, unread_too: bool = False) -> Session:
        """The session closed for good. Raises ReadingError if it is already, or if positions are unread.

        ``unread_too`` locks a session that ends early; its table says which positions were not read.
        """
        if self.locked:
            raise ReadingError(f"the session was already locked on {self.locked_at}")
        if self.next_unread is not None and not unread_too:
            left = len(self.entries) - self.done
            raise ReadingError(f"{left} of {len(self.entries)} are not read yet: read them before locking")
        return replace(self, locked_at=_check_time(at, "locked"))

    def _with(self, position: int, entry: Entry) -> Session:
        return replace(self, entries=(*self.entries[:position], entry, *self.entries[position + 1 :]))

    def _entry(self, position: int) -> Entry:
        if not 0 <= position < len(self.entries):
            raise ReadingError(f"the session has {len(self.entries)} positions, and none at {position}")
        return self.entries[position]

    def _refusal(self, position: int) -> str:
        entry, number = self._entry(position), position + 1
        if self.locked:
            return f"the session was locked on {self.locked_at}: no grade is given or changed any more"
        if not entry.read:
            return f"number {number} is not next: read number {self.done + 1} first"
        if entry.shown and not self.protocol.change_after_ai:
            return f"number {number}: the grade stands, since the AI's was shown"
        allowed = self.protocol.changes.value
        return f"number {number}: the grade stands; changes allowed by the protocol: {allowed}"


def _check_order(entries: Sequence[Entry], distance: int) -> dict[Item, int]:
    """Where each item is read first. Raises ReadingError where ``again`` or the distance do not fit."""
    firsts: dict[Item, int] = {}
    repeated: set[Item] = set()
    names: set[str] = set()
    for position, entry in enumerate(entries):
        if entry.again != firsts.get(entry.item) or entry.item in repeated:
            raise ReadingError(f"number {position + 1} is not the duplicate it should be, or one too many")
        if entry.again is None:
            firsts[entry.item] = position
            names.add(entry.pseudonym)
            continue
        repeated.add(entry.item)
        if position - entry.again < distance or entry.pseudonym != entries[entry.again].pseudonym:
            raise ReadingError(f"number {position + 1} is too near to its first reading, or named otherwise")
    if len(names) < len(firsts) or not all(name.strip() and name.isprintable() for name in names):
        raise ReadingError("every item needs a pseudonym in printable characters, and no two the same")
    return firsts


def _check_entry(position: int, entry: Entry, protocol: Protocol) -> None:
    where = f"number {position + 1}"
    for answer in entry.answers:
        _check_grade(answer.grade, where)
        _check_time(answer.at, where)
        if isinstance(answer.seconds, bool) or not 0 <= answer.seconds < math.inf:
            raise ReadingError(f"{where}: {answer.seconds!r} is no time in seconds")
    if shown := entry.shown:
        _check_grade(shown.grade, f"{where}, AI")
        _check_time(shown.at, where)
        if protocol.ai is AI.HIDDEN or not 1 <= shown.answers <= len(entry.answers):
            raise ReadingError(f"{where}: the AI's grade was shown against the protocol")
        if len(entry.answers) > shown.answers and not protocol.change_after_ai:
            raise ReadingError(
                f"{where}: the grade was changed after the AI's was shown, against the protocol"
            )
    if len(entry.answers) > 1 and protocol.changes is Changes.NONE:
        raise ReadingError(f"{where}: the grade was changed, against the protocol")


def _check_grade(grade: int | None, where: str) -> None:
    if grade is not None and (type(grade) is not int or not 0 <= grade < GRADES):
        raise ReadingError(f"{where}: a grade is 0, 1, 2 or 3, or None for not to be graded, not {grade!r}")


def _check_time(text: str, where: str) -> str:
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        offset = None
    if offset is None:
        raise ReadingError(f"{where}: {text!r} is no time; write ISO-8601 with an offset")
    return text
