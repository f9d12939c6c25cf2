"""How fast a run goes, and how long it has worked."""

from __future__ import annotations

import time


class Pace:
    """Counts from the last `start` on; ``seconds`` is the time worked since it was made."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.start(0)

    def start(self, done: int) -> None:
        """Reckon from now on, with so many done before: after a pause, or when another source begins."""
        self._from = self._last = time.monotonic()
        self._done = done

    def step(self) -> None:
        """One more is done."""
        now = time.monotonic()
        self.seconds += now - self._last
        self._last = now

    def remaining(self, done: int, of: int) -> float | None:
        """Seconds that the rest will take; None before there is a pace."""
        since = done - self._done
        return (time.monotonic() - self._from) / since * (of - done) if since > 0 else None
