"""The chain of the audit trail: what is hashed, and whether it is whole. Pure: no SQL, no files.

Each entry carries the hash of the one before it, so an entry that is changed, taken out or slipped in
breaks every hash after it. What a person may ask to have erased (the values before and after, which can
name a patient) enters by a salted digest, its *seal*: a purge erases value and salt, the chain stays whole,
and without the salt nobody can guess the value from the seal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

START = "0" * 64
"""What the first entry has in place of the hash before it."""

PURGE = "purge case"
"""The action after which the values of a case may be gone."""


@dataclass(frozen=True)
class Entry:
    """One thing that was done.

    ``seq`` counts from 1; ``at`` is UTC, ISO 8601 with microseconds; ``object`` names what it was done to;
    ``before`` and ``after`` are the seals of the values; ``previous`` is the hash of the entry before.
    """

    seq: int
    at: str
    actor: str
    action: str
    object: str
    before: str
    after: str
    previous: str

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of all fields, in hex."""
        return digest(canonical(asdict(self)))


@dataclass(frozen=True)
class Values:
    """What an entry changed, as canonical JSON, and the salt of its seals."""

    salt: str
    before: str
    after: str


@dataclass(frozen=True)
class Link:
    """An entry as it was kept: with the hash written beside it, and its values unless they were erased."""

    entry: Entry
    hash: str
    values: Values | None


@dataclass(frozen=True)
class Verdict:
    """What a look through a trail gave.

    ``broken`` is the number of the first bad entry and ``why`` what is wrong there; None where the chain is
    whole. ``differing`` names the cases that do not hold what the trail says was put there. ``backwards``
    lists the entries that are older than the one before them: the clock was put back, which is no fault.
    ``erased`` counts entries whose values a purge took. ``head`` is the hash of the last entry: noted
    elsewhere, on a print for example, it shows later that nothing was cut off.
    """

    entries: int = 0
    broken: int | None = None
    why: str = ""
    differing: tuple[str, ...] = ()
    backwards: tuple[int, ...] = ()
    erased: int = 0
    head: str = START

    @property
    def ok(self) -> bool:
        """True where nothing speaks against the trail."""
        return self.broken is None and not self.differing

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.broken is not None:
            return f"The audit trail is broken at entry {self.broken}: {self.why}."
        if self.differing:
            return (
                f"The audit trail is whole, but {len(self.differing)} case(s) do not hold what it says: "
                f"{', '.join(self.differing)}. They were changed by another program."
            )
        back = f" The clock went back before {len(self.backwards)} of them." if self.backwards else ""
        return f"The audit trail is whole: {self.entries} entries.{back}"


def canonical(value: Any) -> str:
    """The one way a value is written: JSON in ASCII, keys sorted, no spaces. Raises ValueError for NaN."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 of a text in ASCII or UTF-8, in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def seal(salt: str, text: str) -> str:
    """What stands for a value in the chain."""
    return digest(f"{salt}:{text}")


def entry_after(
    head: tuple[int, str], at: str, actor: str, action: str, object: str, values: Values
) -> Entry:
    """The entry that follows ``head``, the number and hash of the last one (``(0, START)`` for none)."""
    before, after = seal(values.salt, values.before), seal(values.salt, values.after)
    return Entry(head[0] + 1, at, actor, action, object, before, after, head[1])


@dataclass
class _Walk:
    """How far a look along the chain is."""

    seq: int = 0
    head: str = START
    at: str = ""
    backwards: list[int] = field(default_factory=list)
    erased: list[tuple[int, str]] = field(default_factory=list)
    purged: dict[str, int] = field(default_factory=dict)


def check(links: Iterable[Link], head: tuple[int, str] | None = None, anchor: str = "") -> Verdict:
    """Look through a whole trail, in order.

    ``head``: number and hash of the last entry as noted beside the trail, None where nobody noted it.
    ``anchor``: a hash the trail must hold somewhere, noted earlier outside.
    """
    walk, anchored = _Walk(), not anchor or anchor == START
    for link in links:
        if why := _fault(walk, link):
            return Verdict(walk.seq, walk.seq + 1, why, head=walk.head)
        entry = link.entry
        walk.seq, walk.head = entry.seq, link.hash
        if entry.at < walk.at:
            walk.backwards.append(entry.seq)
        walk.at = entry.at
        if link.values is None:
            walk.erased.append((entry.seq, entry.object))
        if entry.action == PURGE:
            walk.purged[entry.object] = entry.seq
        anchored = anchored or link.hash == anchor
    return _conclude(walk, head, anchored)


def _fault(walk: _Walk, link: Link) -> str:
    """What is wrong with the next link, empty if nothing is."""
    entry, values = link.entry, link.values
    if entry.seq != walk.seq + 1:
        return f"entry {entry.seq} follows entry {walk.seq}, so some are missing"
    if entry.previous != walk.head:
        return "it does not follow from the entry before it"
    if entry.hash != link.hash:
        return "it was changed"
    sealed = values and (seal(values.salt, values.before), seal(values.salt, values.after))
    if sealed and sealed != (entry.before, entry.after):
        return "the values kept with it were changed"
    return ""


def _conclude(walk: _Walk, head: tuple[int, str] | None, anchored: bool) -> Verdict:
    whole = Verdict(walk.seq, backwards=tuple(walk.backwards), erased=len(walk.erased), head=walk.head)
    for seq, object in walk.erased:
        if walk.purged.get(object, 0) < seq:
            return replace(whole, broken=seq, why="the values kept with it are gone, and no purge says why")
    if head is not None and head != (walk.seq, walk.head):
        return replace(whole, broken=walk.seq + 1, why=f"entries up to {head[0]} were cut off")
    if not anchored:
        return replace(whole, broken=walk.seq + 1, why="the entry noted elsewhere is not in it")
    return whole
