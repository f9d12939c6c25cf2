"""The pictures a report prints large, with their captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from uc_viewer.case import FrameKey, FrameReading, FrameResult, Reading, Run
from uc_viewer.report.findings import close_call, frame_name, frame_time, worst_frame
from uc_viewer.report.inputs import inputs
from uc_viewer.report.reader_part import segment_name, without_rejected
from uc_viewer.report.wording import number, printable


@dataclass(frozen=True, eq=False)
class KeyPicture:
    """One printed picture. ``picture`` and ``heatmap`` (an overlay, or None) are RGB uint8 H x W x 3.

    ``grade`` is the one its badge shows: the reader's where there is one, else the model's; None where there
    is neither and where the reader rejected the frame. ``segment`` is the reader's, maybe empty. ``at`` is
    the time at the end of ``name`` and ``file`` the recording before it; empty for stills, and ``file`` also
    where it is the only one.
    """

    name: str
    verdict: str
    grade: int | None
    picture: np.ndarray
    heatmap: np.ndarray | None = None
    segment: str = ""
    at: str = ""
    file: str = ""
    read: bool = False
    """True where the reader graded the frame."""

    @property
    def caption(self) -> str:
        """For example ``"c/01.jpg, AI 2 (0.71), active 0.93"``."""
        return ", ".join(filter(None, (self.segment, self.name, self.verdict)))


def key_pictures(
    run: Run,
    reading: Reading,
    chosen: Sequence[FrameResult],
    pictures: Mapping[FrameKey, np.ndarray],
    heatmaps: Mapping[FrameKey, np.ndarray],
) -> tuple[KeyPicture, ...]:
    """The frames that have a picture, as printed: the reader's choice as chosen, else the worst first.

    ``chosen`` are those of `printed_frames`.

    Raises ValueError for a picture of another type or shape, naming it.
    """
    alone = inputs(run).alone
    return tuple(
        _key_picture(result, pictures, heatmaps, reading.of(result.key), alone=alone)
        for result in _with_pictures(run, chosen, pictures, reading)
    )


def pictures_note(run: Run, printed: tuple[KeyPicture, ...]) -> str:
    """What must be said under the pictures."""
    notes = []
    if run.case.synthetic:
        notes.append("These pictures were drawn by a program; they show no patient.")
    if any(p.read for p in printed):
        notes.append("Badge: the reader's grade where there is one, else that of the AI.")
    if any(p.heatmap is not None for p in printed):
        notes.append(
            "Small twin: heatmap of where the model found evidence for its answer; no outline of disease."
        )
    return " ".join(notes)


def ai_verdict(result: FrameResult) -> str:
    """What the model says of a frame: ``"AI 2 (0.71)"``, ``"AI 1–2, close call"``, ``"not scored"``."""
    scores = result.scores
    if scores.grade is None or scores.probabilities is None:
        return "not scored"
    if close := close_call(scores):
        return f"AI {close}, close call"
    return f"AI {scores.grade} ({number(scores.probabilities[scores.grade])})"


def _with_pictures(
    run: Run, chosen: Sequence[FrameResult], pictures: Mapping[FrameKey, np.ndarray], reading: Reading
) -> tuple[FrameResult, ...]:
    if any(reading.of(result.key).key_image for result in run.results):
        return tuple(result for result in chosen if result.key in pictures)
    counted = without_rejected(run, reading)
    shown = [r for r in counted.results if r.scores.scored and r.key in pictures]
    if inputs(run).recordings:
        place = {r.key: k for k, r in enumerate(chosen)}
        return tuple(sorted(shown, key=lambda r: place.get(r.key, len(place))))
    worst = worst_frame(counted)
    # The frame of the result line leads.
    return tuple(sorted(shown, key=lambda r: (r is not worst, -(r.scores.continuous or 0.0))))


def _key_picture(
    result: FrameResult,
    pictures: Mapping[FrameKey, np.ndarray],
    heatmaps: Mapping[FrameKey, np.ndarray],
    said: FrameReading,
    *,
    alone: bool,
) -> KeyPicture:
    key = result.key
    grade = result.scores.grade if said.grade is None else said.grade
    return KeyPicture(
        name=frame_name(result, alone=alone),
        verdict=_verdict(result, said),
        grade=None if said.rejected else grade,
        picture=_checked(pictures[key], f"picture of {result.source_file}"),
        heatmap=_checked(heatmaps[key], f"heatmap of {result.source_file}") if key in heatmaps else None,
        segment=segment_name(said),
        at=(at := frame_time(result)),
        file=printable(result.source_file) if at and not alone else "",
        read=said.grade is not None,
    )


def _verdict(result: FrameResult, said: FrameReading) -> str:
    """``"AI 2 (0.71), reader 2"``; without a word of the reader ``"AI 2 (0.71), active 0.93"``."""
    scores = ai_verdict(result)
    if said.rejected:
        return f"{scores}, rejected by reader"
    if said.grade is not None:
        return f"{scores}, reader {said.grade}"
    return f"{scores}, active {number(result.scores.p_active)}" if result.scores.scored else scores


def _checked(picture: np.ndarray, name: str) -> np.ndarray:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ValueError(f"{name}: RGB uint8 H x W x 3 expected, not {picture.dtype} {picture.shape}")
    return picture
