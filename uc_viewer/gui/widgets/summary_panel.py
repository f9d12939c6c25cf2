"""The case so far: worst grades, a table by segment, agreement of reader and model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from uc_viewer.case import Segment
from uc_viewer.grades import MES
from uc_viewer.gui.widgets.grade_fill import GradeChip, chip, chip_size
from uc_viewer.gui.widgets.reader_panel import short_name
from uc_viewer.gui.widgets.section import GAP, Section, faint, font_of, scrolled, wrapped
from uc_viewer.gui.widgets.timeline_scale import clock
from uc_viewer.indices import SegmentSummary, Summary

_CENTRE = Qt.AlignmentFlag.AlignCenter
_SMALL = 0.85


@dataclass(frozen=True)
class Columns:
    """The words over the columns after the first, and where each column lies."""

    words: tuple[str, ...]
    widths: tuple[int, ...]

    def areas(self, width: int, height: int) -> list[QRectF]:
        """The first column, which takes what is left, and all others."""
        left = max(0, width - sum(self.widths))
        areas = [QRectF(GAP, 0, max(0, left - GAP), height)]
        for column in self.widths:
            areas.append(QRectF(left, 0, column, height))
            left += column
        return areas


class TableHead(QWidget):
    """The words over the columns."""

    def __init__(self, columns: Columns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns = columns
        self.setFont(font_of(self, _SMALL))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(240, self.fontMetrics().height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().placeholderText().color())
        areas = self._columns.areas(self.width(), self.height())
        for area, word in zip(areas[1:], self._columns.words, strict=True):
            painter.drawText(area, _CENTRE, word)


class SegmentRow(QAbstractButton):
    """One segment as a row that can be clicked."""

    def __init__(self, columns: Columns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found, self._columns = SegmentSummary(None), columns
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def segment(self) -> Segment | None:
        """The segment of the row."""
        return self._found.segment

    def show_segment(self, found: SegmentSummary) -> None:
        """Show the numbers of a segment."""
        self._found = found
        self.setText(short_name(found.segment) if found.segment else self.tr("No segment"))
        self.setAccessibleName(self._said())
        self.setToolTip(self.tr("{0}. Click to choose these frames.").format(self.accessibleName()))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, chip_size(self.fontMetrics()).height() + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = self.palette()
        if self.underMouse() or self.hasFocus():
            painter.fillRect(self.rect(), colours.midlight())
        painter.fillRect(0, 0, self.width(), 1, colours.mid())
        name, *areas = self._columns.areas(self.width(), self.height())
        painter.setPen(colours.windowText().color())
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(name.width()))
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, shown)
        counts = (self._found.frames, self._found.scored, self._found.rejected)
        for area, count in zip(areas[:3], counts, strict=True):
            painter.setPen((colours.windowText() if count else colours.placeholderText()).color())
            painter.drawText(area, _CENTRE, _short(count))
        for area, grade in zip(areas[3:], (self._found.ai_worst, self._found.reader_worst), strict=True):
            self._draw_grade(painter, area, grade)

    def _draw_grade(self, painter: QPainter, area: QRectF, grade: int | None) -> None:
        if grade is None:
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(area, _CENTRE, "–")
            return
        place = QRectF(self.rect())
        place.setSize(chip_size(self.fontMetrics()).toSizeF())
        place.moveCenter(area.center())
        chip(painter, place, MES[grade])

    def _said(self) -> str:
        ai, reader = _said(self._found.ai_worst), _said(self._found.reader_worst)
        return self.tr("{0}: {1} frames, {2} scored, {3} rejected, AI {4}, reader {5}").format(
            self.text(),
            self._found.frames,
            self._found.scored,
            self._found.rejected,
            ai or self.tr("none"),
            reader or self.tr("none"),
        )


class SummaryPanel(QWidget):
    """Sums up a case, or says that there is nothing yet; tells when a segment was clicked."""

    segment_chosen = Signal(object)
    """A `Segment`, or None for the frames without one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._section = Section(self.tr("Summary"))
        self._rows: list[SegmentRow] = []
        self._chips = (GradeChip(), GradeChip())
        self._worst = (wrapped(QLabel()), wrapped(QLabel()))
        self._table = QVBoxLayout()
        self._table.setSpacing(0)
        self._counts, self._empty = wrapped(QLabel()), wrapped(faint(self.tr("Nothing to sum up yet")))
        self._never = wrapped(faint(self.tr("An unsigned AI grade is never the conclusion")))
        self._never.setFont(font_of(self, 0.9))
        self._partial = wrapped(QLabel())
        self._partial.setFont(font_of(self, weight=QFont.Weight.DemiBold))
        self._results = self._build_results()
        self._columns = self._build_columns()
        self._head = TableHead(self._columns)
        self._table.addWidget(self._head)
        for row in (self._partial, self._empty, self._results):
            self._section.rows.addWidget(row)
        self._section.rows.addLayout(self._table)
        self._section.rows.addWidget(self._counts)
        self._section.rows.addWidget(self._never)
        self._section.rows.addStretch()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(self._section))
        self.show_summary(Summary(), 0, 0)

    def show_summary(self, summary: Summary, done: int, total: int, *, hide_ai: bool = False) -> None:
        """Show a summary of ``done`` pictures out of ``total``.

        ``hide_ai``: nothing of the model's answers and of the agreement, for a reader who reads blinded.
        """
        self._partial.setText(self._progress(done, total))
        self._partial.setVisible(done != total)
        there = summary.whole.frames > 0
        for part in (self._results, self._head):
            part.setVisible(there)
        self._empty.setVisible(not there and not summary.unreadable)
        if hide_ai:
            summary = _without_ai(summary)
        unanswered = self.tr("hidden while reading blinded") if hide_ai else self.tr("no answer yet")
        readers = [(found.segment, found.reader_worst) for found in summary.segments]
        models = [(found.segment, found.ai_worst) for found in summary.segments]
        lasting = summary.judgement
        if lasting is not None and summary.whole.ai_worst is None:
            words = self.tr("not gradable: {0}")
            if len(lasting.parts) > 1:
                words = self.tr("no segment is gradable, at best: {0}")
            unanswered = words.format(lasting.whole.sustained.reason)
        worst = self.tr("worst {0}")
        sustained = worst
        if lasting is not None and lasting.whole.sustained.grade == summary.whole.ai_worst:
            sustained = self.tr("worst sustained {0}")  # else a still beside the recordings is worse
        self._show_worst(0, summary.whole.reader_worst, readers, worst, self.tr("not read yet"))
        self._show_worst(1, summary.whole.ai_worst, models, sustained, unanswered)
        self._worst[1].setToolTip("" if lasting is None else lasting.rule.describe())
        self._show_rows(summary.segments)
        self._counts.setText(self._said(summary, hide_ai))
        self._counts.setVisible(bool(self._counts.text()))

    @property
    def text(self) -> str:
        """All that is said in words outside the table, one line each."""
        worst = () if self._results.isHidden() else self._worst
        labels = (self._partial, self._empty, *worst, self._counts)
        return "\n".join(label.text() for label in labels if not label.isHidden())

    # Parts

    def _build_results(self) -> QWidget:
        results = QWidget()
        grid = QGridLayout(results)
        grid.setContentsMargins(0, 0, 0, 2)
        grid.setHorizontalSpacing(2 * GAP)
        grid.setVerticalSpacing(GAP)
        grid.setColumnStretch(2, 1)
        # The reader's grade is the result, the model's is evidence.
        self._worst[0].setFont(font_of(self, weight=QFont.Weight.DemiBold))
        for row, name in enumerate((self.tr("Reader"), self.tr("AI"))):
            for column, part in enumerate((faint(name), self._chips[row], self._worst[row])):
                grid.addWidget(part, row, column)
        return results

    def _build_columns(self) -> Columns:
        words = (self.tr("frames"), self.tr("scored"), self.tr("rejected"), self.tr("AI"), self.tr("reader"))
        metrics = QFontMetrics(font_of(self, _SMALL))
        least = chip_size(self.fontMetrics()).width()
        widths = [max(metrics.horizontalAdvance(word), least) + 5 for word in words]
        return Columns(words, tuple(widths))

    # Values

    def _show_worst(
        self,
        row: int,
        grade: int | None,
        segments: list[tuple[Segment | None, int | None]],
        words: str,
        none: str,
    ) -> None:
        self._chips[row].show_grade(grade)
        self._chips[row].setVisible(grade is not None)
        if grade is None:
            self._worst[row].setText(none)
            return
        where = [short_name(segment).lower() for segment, worst in segments if segment and worst == grade]
        said = words.format(MES[grade].accessible_name)
        self._worst[row].setText(self.tr("{0}: {1}").format(said, ", ".join(where)) if where else said)

    def _show_rows(self, segments: tuple[SegmentSummary, ...]) -> None:
        """Rows are kept and filled anew: a run changes the summary many times a second."""
        while len(self._rows) < len(segments):
            row = SegmentRow(self._columns)
            row.clicked.connect(lambda _=False, row=row: self.segment_chosen.emit(row.segment))
            self._rows.append(row)
            self._table.addWidget(row)
        for number, row in enumerate(self._rows):
            if number < len(segments):
                row.show_segment(segments[number])
            row.setVisible(number < len(segments))

    def _progress(self, done: int, total: int) -> str:
        if done == total:
            return ""
        return self.tr("INCOMPLETE: {0} of {1} looked at").format(f"{done:,}", f"{total:,}")

    def _said(self, summary: Summary, hide_ai: bool) -> str:
        """Agreement and counts, one line each."""
        read = self.tr("{0} read").format(f"{summary.whole.read:,}")
        agreement = self.tr("{0} read, {1} agree, {2} differ").format(
            f"{summary.whole.read:,}", f"{summary.agreed:,}", f"{summary.differing:,}"
        )
        lines = [read if hide_ai else agreement] if summary.whole.frames else []
        if (lasting := summary.judgement) is not None and (
            raw := lasting.whole
        ).sustained.highest is not None:
            lines.append(
                self.tr("highest single frame MES {0} at {1}, no result by itself").format(
                    raw.sustained.highest, clock(raw.highest_at_seconds or 0.0)
                )
            )
        if summary.key_images:
            lines.append(self.tr("{0} chosen as key images").format(f"{summary.key_images:,}"))
        if summary.unreadable:
            lines.append(self.tr("{0} could not be opened").format(f"{summary.unreadable:,}"))
        return "\n".join(lines)


def _without_ai(summary: Summary) -> Summary:
    return replace(
        summary,
        judgement=None,
        whole=replace(summary.whole, ai_worst=None),
        segments=tuple(replace(found, ai_worst=None) for found in summary.segments),
    )


def _said(grade: int | None) -> str:
    return "" if grade is None else MES[grade].accessible_name


def _short(count: int) -> str:
    """A count in as few characters as a narrow column takes."""
    return f"{count:,}" if count < 10_000 else f"{count // 1000:,}k"
