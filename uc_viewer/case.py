"""The nouns of the viewer: a patient's case, the run of a model over its frames. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mtl_core.scores import FrameScores
from uc_viewer.sources.base import Unreadable as Unreadable


@dataclass(frozen=True)
class Case:
    """Who and what was examined. No field is required; an empty string means not given."""

    patient_id: str = ""
    synthetic: bool = False
    """True for the bundled sample case, whose pictures are drawn by a program."""


@dataclass(frozen=True)
class FrameResult:
    """One picture and its scores.

    ``source_file`` is relative to the path the user gave, with ``/``; ``index`` starts at 0 within the
    file; ``pts_seconds`` is the container's time, None for stills.
    """

    source_file: str
    source_sha256: str
    index: int
    pts_seconds: float | None
    scores: FrameScores


@dataclass(frozen=True)
class Run:
    """All scores of one set of inputs and how they were made.

    ``provenance`` is JSON-ready: app and library versions, the model's name, SHA-256 and card facts,
    device and why, thresholds, sampling, timings (see `uc_viewer.analysis.provenance`).
    ``complete`` is False when the run was interrupted; ``expected`` is how many files were found.
    """

    case: Case
    results: tuple[FrameResult, ...]
    unreadable: tuple[Unreadable, ...]
    started: str
    finished: str
    complete: bool
    expected: int
    provenance: Mapping[str, Any] = field(default_factory=dict)
