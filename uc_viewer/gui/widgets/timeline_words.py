"""What the timeline says in words: names of its rows, and what is known of a column of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QCoreApplication

from uc_viewer.case import Segment
from uc_viewer.grades import MES
from uc_viewer.gui.widgets.timeline_rows import (
    FLAGGED,
    KEY_IMAGE,
    NOT_SCORED,
    REJECTED,
    SEGMENTS,
    Columns,
    Mark,
    Rows,
)
from uc_viewer.gui.widgets.timeline_scale import clock


def row_names() -> tuple[str, str, str, str]:
    """What the rows are called, from the top."""
    translate = QCoreApplication.translate
    return (
        translate("Timeline", "AI"),
        translate("Timeline", "Reader"),
        translate("Timeline", "Segment"),
        translate("Timeline", "Quality"),
    )


def segment_words(segment: Segment) -> str:
    """A segment in full."""
    translate = QCoreApplication.translate
    return {
        Segment.CAECUM: translate("Timeline", "Caecum"),
        Segment.ASCENDING: translate("Timeline", "Ascending colon"),
        Segment.TRANSVERSE: translate("Timeline", "Transverse colon"),
        Segment.DESCENDING: translate("Timeline", "Descending colon"),
        Segment.SIGMOID: translate("Timeline", "Sigmoid colon"),
        Segment.RECTUM: translate("Timeline", "Rectum"),
    }[segment]


def mark_said(mark: Mark) -> list[str]:
    """All that is known of one frame, one line each, its time first."""
    translate = QCoreApplication.translate
    lines = [clock(mark.seconds), _ai_said(mark)]
    if mark.reader is not None:
        lines.append(translate("Timeline", "Reader: {0}").format(MES[mark.reader].accessible_name))
    if mark.segment is not None:
        lines.append(translate("Timeline", "Segment: {0}").format(segment_words(mark.segment)))
    for holds, words in (
        (mark.rejected, translate("Timeline", "Rejected by the reader")),
        (mark.flagged, translate("Timeline", "Worth a second look")),
        (mark.key_image, translate("Timeline", "Key image")),
    ):
        if holds:
            lines.append(words)
    return lines


def column_said(rows: Rows, columns: Columns, column: int) -> list[str]:
    """All that is known of the frames of a column, one line each; nothing for a column without any."""
    first, last = int(columns.first[column]), int(columns.last[column])
    if last - first < 2:
        return mark_said(rows.mark(first)) if first < last else []
    translate = QCoreApplication.translate
    begin, end = rows.mark(first), rows.mark(last - 1)
    words = translate("Timeline", "{0} – {1}, {2} frames")
    lines = [words.format(clock(begin.seconds), clock(end.seconds), f"{last - first:,}")]
    if columns.ai[column] >= 0:
        worst = rows.mark(rows.worst(first, last))
        said = translate("Timeline", "{0}, the worst, at {1}").format(_ai_said(worst), clock(worst.seconds))
        lines.append(said)
    if (reader := int(columns.reader[column])) >= 0:
        words = translate("Timeline", "Reader: {0}, the worst")
        lines.append(words.format(MES[reader].accessible_name))
    if (segment := int(columns.segment[column])) >= 0:
        lines.append(translate("Timeline", "Segment: {0}").format(segment_words(SEGMENTS[segment])))
    if counted := ", ".join(_counted(columns, column)):
        lines.append(counted)
    return lines


def lasting_said(sustained: Sequence[tuple[float, float, int]], seconds: float) -> list[str]:
    """The rows of frames that decided the grade and hold this moment, one line each."""
    words = QCoreApplication.translate("Timeline", "Lasts from {0} to {1}: {2}")
    return [
        words.format(clock(begin), clock(end), MES[grade].accessible_name)
        for begin, end, grade in sustained
        if begin <= seconds <= end
    ]


def _ai_said(mark: Mark) -> str:
    translate = QCoreApplication.translate
    if mark.reason:
        return translate("Timeline", "AI: not scored, {0}").format(mark.reason)
    if mark.ai is None:
        return translate("Timeline", "AI: not scored yet")
    said = translate("Timeline", "AI: {0}").format(MES[mark.ai].accessible_name)
    if mark.continuous is not None:
        said += translate("Timeline", ", expected grade {0}").format(f"{mark.continuous:.2f}")
    return said


def _counted(columns: Columns, column: int) -> Iterator[str]:
    translate = QCoreApplication.translate
    for bit, words in (
        (NOT_SCORED, translate("Timeline", "{0} not scored")),
        (REJECTED, translate("Timeline", "{0} rejected")),
        (FLAGGED, translate("Timeline", "{0} worth a second look")),
        (KEY_IMAGE, translate("Timeline", "key images: {0}")),
    ):
        if count := int(columns.counts[bit][column]):
            yield words.format(f"{count:,}")
