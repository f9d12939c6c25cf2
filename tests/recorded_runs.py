"""Runs over recordings that nobody recorded: scores by plan, for tests of what a report says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from mtl_core.aggregate import STANDARD
from mtl_core.scores import FrameScores
from uc_viewer.case import (
    Case,
    FrameKey,
    FrameReading,
    FrameResult,
    Reading,
    RecordingFacts,
    Run,
    Segment,
    Unreadable,
)

PROVENANCE: dict[str, Any] = {
    "app": {"name": "UC Viewer", "version": "9.8.7"},
    "model": {
        "name": "some-model",
        "backbone": "some_trunk",
        "weights_sha256": "0123456789abcdef" * 4,
        "training": {"data": "a data set"},
        "limits": ["First limit.", "Second limit."],
    },
    "device": {"name": "cpu", "reason": "no GPU found"},
    "thresholds": {"active": 0.31},
    "sampling": "2 frames per second, each under its own time",
    "sustained_rule": asdict(STANDARD),
}

STEP = 0.5
"""Seconds between two sampled frames."""

Plan = Sequence[tuple[int, int | None]]
"""How many frames in a row get which grade; None for frames that are not scored."""


def scores(grade: int | None, sure: float = 0.85, reason: str = "blurred") -> FrameScores:
    """An answer with this most probable grade, or none."""
    if grade is None:
        return FrameScores.rejected(reason)
    p = [(1 - sure) / 3] * 4
    p[grade] = sure
    return FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], p[2] + p[3] >= 0.31)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def still(name: str, grade: int | None, sure: float = 0.85) -> FrameResult:
    return FrameResult(name, _digest(name), 0, None, scores(grade, sure))


def recorded(name: str, plan: Plan, *, starts: float = 0.0, step: float = STEP) -> list[FrameResult]:
    """The sampled frames of a recording of 25 frames per second; how sure each answer is varies a little."""
    digest = _digest(name)
    planned = [grade for count, grade in plan for _ in range(count)]
    return [
        FrameResult(
            name,
            digest,
            round(k * step * 25),
            starts + k * step,
            scores(grade, 0.7 + 0.02 * (k * 7 % 11), ("blurred", "too dark")[k % 2]),
        )
        for k, grade in enumerate(planned)
    ]


def facts(name: str, sampled: int, *, step: float = STEP, **more: Any) -> RecordingFacts:
    """What the packets of such a recording tell."""
    values: dict[str, Any] = {
        "frames": round(sampled * step * 25),
        "seconds": sampled * step,
        "width": 1920,
        "height": 1080,
        "codec": "h264",
        "container": "mp4",
    }
    return RecordingFacts(source_file=name, sampled=sampled, **{**values, **more})


def run_of(
    results: Sequence[FrameResult],
    recordings: Sequence[RecordingFacts] = (),
    unreadable: Sequence[Unreadable] = (),
    **more: Any,
) -> Run:
    """A complete run over these frames."""
    values: dict[str, Any] = {
        "case": Case(),
        "started": "2025-06-01T10:22:03+02:00",
        "finished": "2025-06-01T10:24:09+02:00",
        "complete": True,
        "expected": len(results) + len(unreadable),
        "provenance": PROVENANCE,
    }
    return Run(
        results=tuple(results),
        unreadable=tuple(unreadable),
        recordings=tuple(recordings),
        **{**values, **more},
    )


def tagged(
    results: Sequence[FrameResult], plan: Sequence[tuple[int, Segment | None]]
) -> dict[FrameKey, FrameReading]:
    """Segments of the frames in their order, so many of each."""
    tags = [segment for count, segment in plan for _ in range(count)]
    return {r.key: FrameReading(segment=s) for r, s in zip(results, tags, strict=False) if s is not None}


def withdrawal(name: str = "withdrawal.mp4") -> tuple[Run, Reading]:
    """Three minutes from caecum to rectum, read: a moderate sigmoid, and one frame of error above it."""
    first: Plan = [(20, None), (60, 0), (1, 3), (39, 0), (10, None), (50, 0), (4, 1), (2, None), (30, 1)]
    plan: Plan = [*first, (8, 1), (17, 2), (6, None), (20, 1), (3, 2), (62, 1), (28, 0)]
    frames = recorded(name, plan)
    C, A, T, D, S, R = Segment
    said = tagged(frames, [(40, C), (50, A), (70, T), (60, D), (80, S), (60, R)])
    for k, grade in ((30, 0), (150, 0), (235, 2), (236, 2), (240, 2), (245, 1), (320, 1)):
        key = frames[k].key
        said[key] = FrameReading(grade=grade, segment=said[key].segment)
    key = frames[81].key
    said[key] = FrameReading(segment=said[key].segment, rejected=True, reason="wet highlight or bubbles")
    return run_of(frames, [facts(name, len(frames))]), Reading(said)


def pictures_of(results: Sequence[FrameResult], side: int = 48) -> Mapping[FrameKey, np.ndarray]:
    """A picture for each of these frames, drawn by chance."""
    rng = np.random.default_rng(0)
    return {r.key: rng.integers(0, 256, (side * 3 // 4, side, 3), dtype=np.uint8) for r in results}
