"""Fixtures of the library's tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from uc_viewer.case import Case
from uc_viewer.store import cases
from uc_viewer.store.database import Store


class Clock:
    """A clock that goes on by a second with every look, and can be put anywhere."""

    def __init__(self) -> None:
        self.time = datetime(2025, 6, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """An empty library in ``tmp_path / "library"``."""
    with Store.open(tmp_path / "library", clock=clock) as opened:
        yield opened


@pytest.fixture
def case(store: Store) -> int:
    """The number of one case in it."""
    return cases.create(store, Case(patient_id="UC-007", patient_name="Ada Işık"), "reader")
