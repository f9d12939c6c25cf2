"""What is said of one frame of a recording: the model's answer, the reader's, the time, the segment. Pure.

Only some frames of a recording are scored. Between two of them the last answer is still said, as `held` and
with its own time, so that nobody takes it for an answer about the frame it stands beside.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mtl_core.scores import FrameScores
from uc_viewer.case import FrameKey, FrameReading, FrameResult, Reading, Segment
from uc_viewer.grades import MES
from uc_viewer.report.wording import clock, number, printable
from uc_viewer.sources.base import Frame

HELD_FOR = 5.0
"""Seconds after which an answer is no longer said: by then it tells nothing of what is in view."""

AI, READER = "AI", "Reader"


@dataclass(frozen=True)
class Mark:
    """What one of the two says: chips of ``grades`` (two for a close call), ``words`` and ``more``.

    ``when`` is said of an answer about an earlier frame (``"at 00:03.480"``) and is empty for one about the
    frame itself. It is never cut; ``words`` and ``more``, a reason or remark, may be.
    """

    who: str
    grades: tuple[int, ...] = ()
    words: str = ""
    when: str = ""
    more: str = ""

    @property
    def held(self) -> bool:
        """True for an answer about an earlier frame."""
        return bool(self.when)


@dataclass(frozen=True)
class FrameMarks:
    """All that is said of one frame. ``time`` is ``"00:00:03.480"``, or ``"frame 87"`` without a time."""

    ai: Mark
    reader: Mark | None
    time: str
    segment: str = ""


class Marker:
    """Says of any frame what there is to say, by all results and readings of the case.

    ``remarks``: whether the reader's free text may be said; it may name the patient.
    """

    def __init__(
        self,
        results: Mapping[FrameKey, FrameResult],
        reading: Reading,
        segment_name: Callable[[Segment], str],
        *,
        remarks: bool,
    ) -> None:
        self._results, self._reading = results, reading
        self._segment_name, self._remarks = segment_name, remarks
        self._answered = _by_file(results)
        self._said = _by_file(key for key, said in reading.frames.items() if self._says(said))
        self._known = _by_file({**results, **reading.frames})

    def of(self, frame: Frame) -> FrameMarks:
        """What there is to say of a frame, with the times of the source it came from."""
        return FrameMarks(
            ai=self._ai(frame),
            reader=self._reader(frame),
            time=f"frame {frame.index}" if frame.pts_seconds is None else clock(frame.pts_seconds),
            segment=self._segment(frame),
        )

    def _ai(self, frame: Frame) -> Mark:
        before, here, after = _around(self._answered, frame)
        if here is not None:
            return _ai_mark(self._results[_key(frame)].scores, "")
        if before is None or after is None:
            return Mark(AI, words="not scored")
        result = self._results[frame.source_file, before]
        if _too_old(result.pts_seconds, frame):
            return Mark(AI, words="not scored")
        return _ai_mark(result.scores, _when(result.pts_seconds, before))

    def _reader(self, frame: Frame) -> Mark | None:
        before, here, _ = _around(self._said, frame)
        if here is not None:
            return self._reader_mark(self._reading.of(_key(frame)), "")
        # A newer answer of the model takes the place of both. Of a frame the model was not asked about the
        # time is not known.
        newest, scored_here, _ = _around(self._answered, frame)
        if before is None or before != newest or scored_here is not None:
            return None
        seconds = self._results[frame.source_file, before].pts_seconds
        if _too_old(seconds, frame):
            return None
        return self._reader_mark(self._reading.of((frame.source_file, before)), _when(seconds, before))

    def _segment(self, frame: Frame) -> str:
        """The reader's tag; between two frames that carry the same one, that."""
        before, here, after = _around(self._known, frame)
        tags = {
            self._reading.of((frame.source_file, index)).segment
            for index in ((before, after) if here is None else (here,))
            if index is not None
        }
        complete = here is not None or (before is not None and after is not None)
        tag = tags.pop() if complete and len(tags) == 1 else None
        return printable(self._segment_name(tag), 60) if tag else ""

    def _reader_mark(self, said: FrameReading, when: str) -> Mark:
        no_grades: tuple[int, ...] = ()
        if said.rejected:
            grades, words = no_grades, "rejected a frame" if when else "rejected this frame"
        else:
            grades = no_grades if said.grade is None else (said.grade,)
            words = "" if said.grade is None else MES[said.grade].name
        return Mark(READER, grades, words, when, printable(said.comment) if self._remarks else "")

    def _says(self, said: FrameReading) -> bool:
        return said.grade is not None or said.rejected or bool(self._remarks and said.comment.strip())


def _ai_mark(scores: FrameScores, when: str) -> Mark:
    if scores.grade is None or scores.probabilities is None:
        return Mark(AI, words="not scored", when=when, more=printable(scores.reject_reason, 80))
    if scores.close_call:
        return Mark(AI, scores.close_call, f"counts as {scores.grade}, close call", when)
    words = f"{MES[scores.grade].name} ({number(scores.probabilities[scores.grade])})"
    return Mark(AI, (scores.grade,), words, when)


def _when(seconds: float | None, index: int) -> str:
    """``"at 00:03.480"``; hours only where there are some."""
    return f"at frame {index}" if seconds is None else f"at {clock(seconds).removeprefix('00:')}"


def _too_old(seconds: float | None, frame: Frame) -> bool:
    known = seconds is not None and frame.pts_seconds is not None
    return known and frame.pts_seconds - seconds > HELD_FOR  # type: ignore[operator]


def _key(frame: Frame) -> FrameKey:
    return frame.source_file, frame.index


def _by_file(keys: Iterable[FrameKey]) -> dict[str, list[int]]:
    """The indices of every file, increasing."""
    files: dict[str, list[int]] = {}
    for name, index in keys:
        files.setdefault(name, []).append(index)
    for indices in files.values():
        indices.sort()
    return files


def _around(files: Mapping[str, Sequence[int]], frame: Frame) -> tuple[int | None, int | None, int | None]:
    """Of the indices listed for a frame's file: the last one before it, its own, the first one after it."""
    indices = files.get(frame.source_file, ())
    place = bisect_left(indices, frame.index)
    here = place < len(indices) and indices[place] == frame.index
    after = place + here
    return (
        indices[place - 1] if place else None,
        frame.index if here else None,
        indices[after] if after < len(indices) else None,
    )
