"""The nouns of the viewer: a case, a model's run over its frames, what the reader says. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mtl_core.scores import FrameScores
from uc_viewer.sources.base import RecordingFacts as RecordingFacts
from uc_viewer.sources.base import Unreadable as Unreadable

FrameKey = tuple[str, int]
"""Which frame: ``(source_file, index)``, unique within a case."""


class Segment(Enum):
    """Where in the large bowel, from its beginning to its end."""

    CAECUM = "caecum"
    ASCENDING = "ascending colon"
    TRANSVERSE = "transverse colon"
    DESCENDING = "descending colon"
    SIGMOID = "sigmoid colon"
    RECTUM = "rectum"


OVERRIDE_REASONS = (
    "wet highlight or bubbles",
    "blood from the instrument or biopsy",
    "poor view",
    "severity underestimated",
    "severity overestimated",
    "post-inflammatory change",
    "not ulcerative colitis",
    "other",
)
"""Why a reader gave another grade than the model; a short list, so that it takes one click."""


@dataclass(frozen=True)
class Case:
    """Who and what was examined. No field is required; an empty string means not given."""

    patient_id: str = ""
    synthetic: bool = False
    """True for the bundled sample case, whose pictures are drawn by a program."""
    patient_name: str = ""
    birth_date: str = ""
    exam_date: str = ""
    endoscopist: str = ""
    indication: str = ""


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

    @property
    def key(self) -> FrameKey:
        """Which frame this is."""
        return self.source_file, self.index


@dataclass(frozen=True)
class Duplicate:
    """A picture whose file has the very bytes of another one of the case, ``of``; it is not scored again."""

    source_file: str
    of: str
    source_sha256: str
    index: int = 0

    @property
    def key(self) -> FrameKey:
        """Which frame this is."""
        return self.source_file, self.index


@dataclass(frozen=True)
class FrameReading:
    """What the reader says of one frame. Nothing here ever changes the model's own answer.

    ``grade`` is the reader's MES, 0..3, or None while not read. ``reason`` says why it differs from the
    model's, one of `OVERRIDE_REASONS` or empty. A ``rejected`` frame counts nowhere.
    """

    grade: int | None = None
    reason: str = ""
    segment: Segment | None = None
    rejected: bool = False
    key_image: bool = False
    comment: str = ""


UNREAD = FrameReading()
"""The reading of a frame the reader has said nothing about."""


@dataclass(frozen=True)
class Reading:
    """All the reader says of a case. A frame that is not in ``frames`` is `UNREAD`.

    ``definition`` is the key of `uc_viewer.grades.DEFINITIONS` the reader went by.
    """

    frames: Mapping[FrameKey, FrameReading] = field(default_factory=dict)
    comment: str = ""
    definition: str = "standard"

    def of(self, key: FrameKey) -> FrameReading:
        """The reading of one frame."""
        return self.frames.get(key, UNREAD)


@dataclass(frozen=True)
class Run:
    """All scores of one set of inputs and how they were made.

    ``provenance`` is JSON-ready: app and library versions, the model's name, SHA-256 and card facts,
    device and why, thresholds, sampling, timings (see `uc_viewer.analysis.provenance`).
    ``complete`` is False when the run was interrupted; ``expected`` is how many pictures were to be looked
    at: stills and sampled frames. ``recordings`` says what the recordings among the inputs hold;
    ``interrupted`` why the run ended early, where it was not the user who stopped it.
    """

    case: Case
    results: tuple[FrameResult, ...]
    unreadable: tuple[Unreadable, ...]
    started: str
    finished: str
    complete: bool
    expected: int
    provenance: Mapping[str, Any] = field(default_factory=dict)
    recordings: tuple[RecordingFacts, ...] = ()
    interrupted: str = ""
