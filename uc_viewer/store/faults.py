"""What can go wrong with the library, as sentences for the reader."""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """The library cannot do it; the message says what, where, and what to do."""


class InUse(StoreError):
    """Another program writes, or holds the library for too long."""


class Newer(StoreError):
    """A newer program wrote the library; this one leaves it alone."""


class Unwritable(StoreError):
    """Nothing can be written: the disk is full, or the folder may only be read. What was there stays."""


class NoSuchCase(StoreError):
    """There is no such case or run, or no longer."""


class Damaged(StoreError):
    """The file is damaged. ``copy`` is the last good copy, None where there is none."""

    def __init__(self, what: str, copy: Path | None = None) -> None:
        self.copy = copy
        advice = (
            f"its last good copy is {copy.name} in the folder {copy.parent.name}; restore that"
            if copy
            else "restore it from a copy of your own"
        )
        super().__init__(f"{what}: {advice}")


class Malformed(ValueError):
    """Data that does not hold what it should; the message says which part."""
