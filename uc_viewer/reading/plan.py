"""The order of a blinded reading: random, from a kept seed, with duplicates far enough apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from uc_viewer.reading.session import STANDARD, Entry, Item, Protocol, ReadingError, Session

TURNS = 60
"""Swaps per position when an order is mixed; half the logarithm of their number would do."""


def plan(
    items: Sequence[Item],
    reader: str,
    seed: int,
    protocol: Protocol = STANDARD,
    pseudonyms: Mapping[Item, str] | None = None,
) -> Session:
    """A new session over ``items`` in an order that follows from ``seed`` alone.

    ``pseudonyms`` name the items in tables; without any they are numbered as they come, so give every
    reader of a study the same items in the same order. Raises ReadingError for items that occur twice, more
    duplicates than items, or a distance that cannot be kept.
    """
    items = list(items)
    if len(set(items)) < len(items):
        raise ReadingError("an item occurs twice among those to read; duplicates are made by the protocol")
    twice = protocol.twice(len(items))
    if twice > len(items) or (twice and protocol.distance > len(items)):
        raise ReadingError(
            f"{twice} duplicates at a distance of {protocol.distance} cannot be made of {len(items)} items"
        )
    width = len(str(len(items)))
    names = pseudonyms
    if names is None:
        names = {item: f"item {number:0{width}}" for number, item in enumerate(items, 1)}
    if nameless := [item for item in items if item not in names]:
        raise ReadingError(f"{len(nameless)} of {len(items)} items have no pseudonym; give every one its own")
    first: dict[int, int] = {}
    entries: list[Entry] = []
    for position, chosen in enumerate(_order(len(items), twice, protocol.distance, seed)):
        again = first.get(chosen)
        first.setdefault(chosen, position)
        entries.append(Entry(items[chosen], names[items[chosen]], again))
    return Session(reader, seed, protocol, tuple(entries))


def _order(count: int, twice: int, distance: int, seed: int) -> list[int]:
    """Numbers 0..count - 1, ``twice`` of them two times and at least ``distance`` apart, at random.

    Begins with an order that keeps the distance, duplicates last, and swaps at random wherever it stays
    kept: so any distance that is possible is met, and near all orders that meet it are as likely.
    """
    # Only random() itself is promised to give the same numbers with every release of Python.
    random = Random(seed)
    order = list(range(count))
    for last in range(count - 1, 0, -1):
        other = int(random.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    order += order[:twice]
    places = {number: [place, count + place] for place, number in enumerate(order[:twice])}

    def kept(number: int) -> bool:
        pair = places.get(number)
        return pair is None or abs(pair[0] - pair[1]) >= distance

    def swap(one: int, other: int) -> None:
        for number, old, new in ((order[one], one, other), (order[other], other, one)):
            if pair := places.get(number):
                pair[pair.index(old)] = new
        order[one], order[other] = order[other], order[one]

    for _ in range(TURNS * len(order) if twice else 0):
        one, other = (int(random.random() * len(order)) for _ in range(2))
        if order[one] != order[other]:
            swap(one, other)
            if not (kept(order[one]) and kept(order[other])):
                swap(one, other)
    return order
