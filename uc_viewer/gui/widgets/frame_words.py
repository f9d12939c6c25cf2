"""What is said of a frame beside its picture: which one it is, what the model and the reader say of it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from uc_viewer.case import FrameKey, FrameReading, FrameResult
from uc_viewer.gui.widgets.image_view import Badges
from uc_viewer.gui.widgets.timeline_scale import clock


def name_of(key: FrameKey, seconds: float | None) -> str:
    """The file, and which moment of it in ``seconds``; of frames without a time, which picture of it."""
    if seconds is not None:
        return f"{key[0]}, {clock(seconds)}"
    return f"{key[0]} #{key[1]}" if key[1] else key[0]


def badges_of(result: FrameResult | None, reading: FrameReading) -> Badges:
    """What stands beside the picture of a frame; ``result`` is None while it has no answer."""
    scores = result.scores if result else None
    grade = scores.grade if scores else None
    note, probability = "", None
    if scores and scores.probabilities and grade is not None:
        probability = scores.probabilities[grade]
        if scores.close_call is not None:
            low, high = scores.close_call
            pair = _tr("close call {0}–{1}") if high - low == 1 else _tr("close call {0} or {1}")
            note = pair.format(low, high)
    return Badges(
        ai_grade=grade,
        ai_probability=probability,
        ai_note=note,
        not_scored=scores.reject_reason if scores and not scores.scored else "",
        reader_grade=reading.grade,
        place=reading.segment.value if reading.segment else "",
        rejected=reading.rejected,
        key_image=reading.key_image,
    )


def badges_between(result: FrameResult | None, reading: FrameReading, seconds: float | None) -> Badges:
    """What stands beside a frame that was not scored: what is known of the scored one before it.

    It is told under that one's own time, ``seconds``; of what the reader says, only the segment holds on.
    """
    when = _tr("at {0}").format("" if seconds is None else clock(seconds))
    badges = badges_of(result, FrameReading(segment=reading.segment))
    note = ", ".join(filter(None, (when, badges.ai_note)))
    missing = f"{badges.not_scored} ({when})" if badges.not_scored else ""
    return replace(badges, ai_note=note, not_scored=missing)


def _tr(text: str) -> str:
    return QCoreApplication.translate("FrameWords", text)
