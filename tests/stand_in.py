"""A model that answers at once, for tests of what stands above the engine."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mtl_core.scores import FrameScores
from mtl_core.spec import ModelSpec


class StandIn:
    """Grades a picture by its red level: 40 is 0, 80 is 1, 120 is 2, 160 is 3; black is rejected.

    While ``gate`` is closed, answers wait.
    """

    name = "stand-in"
    device = "cpu"
    device_reason = "no supported GPU found"
    active_threshold = 0.5

    def __init__(self) -> None:
        self.card: dict[str, Any] = {
            "format": 1,
            "name": self.name,
            "spec": ModelSpec("mobilenet_v2").to_dict(),
            "thresholds": {"active": 0.5, "sensitivity": 0.95},
            "weights_sha256": "0" * 64,
            "training": {"data": "none"},
            "metrics": {},
            "limits": ["a stand-in"],
            "attribution": [],
            "code_version": "0",
        }
        self.gate = threading.Event()
        self.gate.set()

    def ready(self, frame: np.ndarray) -> np.ndarray:
        """Nothing to be done."""
        return frame

    def answer(self, ready: Sequence[np.ndarray]) -> list[FrameScores]:
        """Answers to some pictures together."""
        return list(self.predict(ready, len(ready)))

    def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        """Answers in order."""
        for frame in frames:
            assert self.gate.wait(10)
            level = int(frame[..., 0].mean())
            if level < 20:
                yield FrameScores.rejected("too dark")
                continue
            p = [0.1] * 4
            p[round(level / 40) - 1] = 0.7
            yield FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], p[2] + p[3] >= 0.5)
