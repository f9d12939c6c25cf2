"""The engine's answers, numpy and plain numbers only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mtl_core.spec import GRADES

CLOSE_CALL = 0.15
"""Two best grades whose probabilities differ by less than this are both named, as "1–2"."""


@dataclass(frozen=True)
class FrameScores:
    """What the model says of one frame.

    Either the frame was scored (``reject_reason`` is empty, ``probabilities`` holds four calibrated
    probabilities of MES 0..3 that sum to 1, ``p_active`` is the calibrated probability of MES >= 2,
    ``active`` is that probability held against the model's conservative threshold), or it was not
    (``reject_reason`` says why, and the numbers are absent).
    """

    probabilities: tuple[float, float, float, float] | None = None
    p_active: float | None = None
    active: bool | None = None
    reject_reason: str = ""

    def __post_init__(self) -> None:
        if (self.probabilities is None) != bool(self.reject_reason):
            raise ValueError("a frame has either probabilities or a reject reason")
        if self.probabilities is not None and (self.p_active is None or self.active is None):
            raise ValueError("a scored frame needs p_active and active")

    @property
    def scored(self) -> bool:
        """True when the frame carries probabilities."""
        return self.probabilities is not None

    @property
    def grade(self) -> int | None:
        """Most probable MES grade, 0..3; None when not scored. Ties go to the more severe grade."""
        if self.probabilities is None:
            return None
        return max(range(GRADES), key=lambda k: (self.probabilities[k], k))  # type: ignore[index]

    @property
    def continuous(self) -> float | None:
        """Expected grade, sum of k * p_k, in 0..3; None when not scored."""
        if self.probabilities is None:
            return None
        return float(sum(k * p for k, p in enumerate(self.probabilities)))

    @property
    def margin(self) -> float | None:
        """Lead of the largest probability, 0 (undecided) to 1 (sure); None when not scored."""
        if self.probabilities is None:
            return None
        best, second = sorted(self.probabilities, reverse=True)[:2]
        return best - second

    @property
    def close_call(self) -> tuple[int, int] | None:
        """The two best grades, the lower first, where they lie close together; else None."""
        p = self.probabilities
        if p is None or (self.margin or 0.0) >= CLOSE_CALL:
            return None
        best, second = sorted(range(GRADES), key=lambda k: (p[k], k), reverse=True)[:2]
        return min(best, second), max(best, second)

    @classmethod
    def rejected(cls, reason: str) -> FrameScores:
        """A frame that was looked at and not scored, with the reason for the reader."""
        return cls(reject_reason=reason)


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Where the evidence for one named answer lies.

    ``values``: float32 H x W of the frame it explains, 0..1 (the map divided by its own peak; zero
    outside the field of view and where overlays are covered). ``peak``: the raw, unscaled maximum of the
    map; near zero means there is no evidence however red a stretched map would look. ``target``: the
    answer explained, for example ``"MES 2"`` or ``"active"``. ``method``: for example ``"Grad-CAM"``.
    ``evidence``: all that speaks for the answer anywhere in the picture, in logits (the sum of the exact
    Grad-CAM map, whatever the method); unlike the peak it compares across pictures, methods and models.
    """

    values: np.ndarray
    peak: float
    target: str
    method: str = "Grad-CAM"
    evidence: float = 0.0

    @property
    def strength(self) -> float:
        """How strongly the map may be drawn, 0..1: 1 - exp(-evidence), 0.63 at one logit of evidence."""
        return 1.0 - math.exp(-max(0.0, self.evidence))
