"""How far a run is, told to a person on a terminal, to a program, or to nobody."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from tqdm import tqdm

INTERVAL = 0.2
"""Least seconds between two progress lines for a program."""


def print_event(event: str, **facts: Any) -> None:
    """One line of JSON on standard output: ``{"event": ..., ...}``."""
    print(json.dumps({"event": event, **facts}, ensure_ascii=False), flush=True)


class Progress:
    """Counts finished pictures of one stage.

    On a terminal it draws a bar with the time left on standard error; in a pipe nothing. With ``as_json`` it
    prints lines ``{"event": "progress", "stage", "done", "total", "frames_per_second", "eta_seconds"}`` on
    standard output instead, at most five a second and always the last. Use as a context manager.
    """

    def __init__(
        self, stage: str, total: int, *, as_json: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stage, self._total, self._as_json, self._clock = stage, total, as_json, clock
        self._done = 0
        self._started = self._said = clock()
        # disable=None: a bar only where standard error is a terminal.
        self._bar = tqdm(
            total=total, desc=stage, unit="picture", file=sys.stderr, disable=True if as_json else None
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def advance(self) -> None:
        """One more picture is finished."""
        self._done += 1
        self._bar.update(1)
        now = self._clock()
        if self._as_json and (now - self._said >= INTERVAL or self._done == self._total):
            self._said = now
            print_event("progress", **self._state(now))

    def _state(self, now: float) -> dict[str, Any]:
        elapsed = now - self._started
        rate = self._done / elapsed if elapsed > 0 else None
        return {
            "stage": self._stage,
            "done": self._done,
            "total": self._total,
            "frames_per_second": None if rate is None else round(rate, 2),
            "eta_seconds": None if not rate else round((self._total - self._done) / rate, 1),
        }
