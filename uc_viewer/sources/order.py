"""The order of file names, and names that are not taken."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection
from itertools import count
from pathlib import PurePosixPath

_SORTED_AT_ONCE = 2000
"""Names sorted between two pauses."""


def in_order(names: Collection[str]) -> list[str]:
    """Names in natural order, sorted run by run: one sort of them all would hold other threads up."""
    keyed = [natural(name) for name in names]
    runs = [sorted(keyed[start : start + _SORTED_AT_ONCE]) for start in range(0, len(keyed), _SORTED_AT_ONCE)]
    return [name for _, name in heapq.merge(*runs)]


def natural(name: str) -> tuple[list[tuple[str, int, str]], str]:
    """Sort key under which "frame2" comes before "frame10", with the name itself to break ties."""
    parts = re.split(r"([0-9]+)", name.casefold())
    digits = [number.lstrip("0") for number in parts[1::2]] + [""]
    return [(text, len(n), n) for text, n in zip(parts[::2], digits, strict=True)], name


def free(name: str, *taken: Collection[str]) -> str:
    """The name itself, or with the first number that makes it new: ``a.jpg``, ``a (2).jpg``."""
    if not any(name in names for names in taken):
        return name
    path = PurePosixPath(name)
    numbered = (str(path.with_name(f"{path.stem} ({number}){path.suffix}")) for number in count(2))
    return next(new for new in numbered if not any(new in names for names in taken))
