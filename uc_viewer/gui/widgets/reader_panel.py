"""What the reader says of the chosen frames: grade, reason, segment, rejected, key image, comment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeVar

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from uc_viewer.case import OVERRIDE_REASONS, UNREAD, FrameReading, Segment
from uc_viewer.grades import MES, Grade
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.grade_fill import fill
from uc_viewer.gui.widgets.section import GAP, Choice, Field, Section, faint, font_of


class Mixed(Enum):
    """Stands where several frames say different things."""

    MIXED = "mixed"


MIXED: Final = Mixed.MIXED
Various = Literal[Mixed.MIXED]


@dataclass(frozen=True)
class Shown:
    """The fields of `FrameReading` as several frames have them: the value they share, or `MIXED`."""

    grade: int | Various | None = None
    reason: str | Various = ""
    segment: Segment | Various | None = None
    rejected: bool | Various = False
    key_image: bool | Various = False
    comment: str | Various = ""


@dataclass(frozen=True)
class Keys:
    """The keys that do what the buttons do, for their tooltips. ``segments``: from caecum to rectum."""

    grades: tuple[str, str, str, str] = ("0", "1", "2", "3")
    clear: str = "Backspace"
    segments: tuple[str, str, str, str, str, str] = ("C", "A", "T", "D", "S", "R")
    rejected: str = "X"
    key_image: str = "M"


_T = TypeVar("_T")


def common(readings: Iterable[FrameReading]) -> Shown:
    """What some frames have in common; that of an unread frame for none."""
    all_of = tuple(readings) or (UNREAD,)
    return Shown(
        _shared(reading.grade for reading in all_of),
        _shared(reading.reason for reading in all_of),
        _shared(reading.segment for reading in all_of),
        _shared(reading.rejected for reading in all_of),
        _shared(reading.key_image for reading in all_of),
        _shared(reading.comment for reading in all_of),
    )


def short_name(segment: Segment) -> str:
    """The name of a segment without "colon", to stand on a button."""
    return segment.value.removesuffix(" colon").capitalize()


class Button(QPushButton):
    """A button that is down while its value is shown as given; a click only asks for that."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)

    def nextCheckState(self) -> None:
        pass

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked():
            # Some styles hardly tell a button that is down, least of all a dark one.
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            colour = self.palette().highlight().color()
            painter.setPen(QPen(colour, 2))
            colour.setAlpha(50)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)


class GradeButton(Button):
    """A grade to give: colour, digit, pattern and name."""

    def __init__(self, grade: Grade, parent: QWidget | None = None) -> None:
        super().__init__(str(grade.value), parent)
        self._grade = grade
        self.setAccessibleName(self.tr("Reader grade, {0}").format(grade.accessible_name))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().lineSpacing()
        return QSize(4 * line, round(4.2 * line))

    def minimumSizeHint(self) -> QSize:
        return QSize(48, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.4)
        colours = self.palette()
        area = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        hovered = self.underMouse() and self.isEnabled()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.midlight() if hovered or self.isChecked() else colours.button())
        painter.drawRoundedRect(area, 5, 5)
        band = area.adjusted(4, 4, -4, -area.height() * 0.5)
        self._draw_band(painter, band)
        self._draw_name(painter, QRectF(area.left(), band.bottom(), area.width(), area.height() * 0.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        marked = self.isChecked() or self.hasFocus()
        edge = (colours.highlight() if marked else colours.mid()).color()
        # The focus is dashed, so that it does not pass for a grade that was given.
        line = Qt.PenStyle.DashLine if marked and not self.isChecked() else Qt.PenStyle.SolidLine
        painter.setPen(QPen(edge, 3 if self.isChecked() else 1, line))
        painter.drawRoundedRect(area, 5, 5)

    def _draw_band(self, painter: QPainter, band: QRectF) -> None:
        """The pattern at both sides of the digit, which stands on plain colour."""
        fill(painter, band, self._grade, 3)
        plain = QRectF(0, 0, band.height() * 1.3, band.height())
        plain.moveCenter(band.center())
        painter.fillRect(plain, QColor(self._grade.screen))
        painter.setFont(font_of(self, 1.35, QFont.Weight.Bold))
        painter.setPen(QColor(self._grade.screen_ink))
        painter.drawText(band, Qt.AlignmentFlag.AlignCenter, str(self._grade.value))

    def _draw_name(self, painter: QPainter, area: QRectF) -> None:
        weight = QFont.Weight.DemiBold if self.isChecked() else QFont.Weight.Normal
        painter.setFont(font_of(self, 0.85, weight))
        painter.setPen(self.palette().buttonText().color())
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(2, 0, -2, 0), int(flags), self._grade.name)


class ReaderPanel(QWidget):
    """Shows what the reader says of the chosen frames, and tells what the reader wants to say.

    Nothing changes here by a click alone: what was given is shown once `show_reading` says so.
    """

    grade_given = Signal(object)
    """A MES grade, 0 to 3; None takes it back."""
    reason_given = Signal(str)
    """One of `OVERRIDE_REASONS`, or an empty text."""
    segment_given = Signal(object)
    """A `Segment`; None takes it back."""
    rejected_given = Signal(bool)
    key_image_given = Signal(bool)
    comment_given = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Shown()
        self._section = Section(self.tr("Reader"))
        self._grades = tuple(GradeButton(grade) for grade in MES)
        self._clear = Button(self.tr("Clear"))
        self._reason = Choice(self.tr("Reason for another grade than the AI's"))
        self._segments = {segment: Button(short_name(segment)) for segment in Segment}
        self._between = faint("")
        self._rejected, self._key_image = Button(""), Button("")
        self._comment = Field(self.tr("Comment on the frame"), self.tr("Comment on the frame"))
        for row in (self._grade_row(), self._reason_row(), self._colon(), self._toggles()):
            self._section.rows.addLayout(row)
        self._section.rows.addWidget(self._comment)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._section)
        self.set_keys(Keys())
        self._connect()
        self._draw_icons()
        self.show_reading(0, Shown(), None, False)

    def show_reading(
        self, frames: int, shown: Shown, ai_grade: int | None, scored: bool, *, same: bool = False
    ) -> None:
        """Show what ``frames`` chosen frames have in common (see `common`).

        ``ai_grade``: the model's, None where there is none or they differ; ``scored``: all have one.
        ``same``: these frames were shown before, and a comment that is just being typed stays.
        """
        self._shown = shown
        self._section.setEnabled(frames > 0)
        self._section.set_note(self._note(frames))
        for value, grade in enumerate(self._grades):
            grade.setChecked(shown.grade == value)
        self._clear.setEnabled(frames > 0 and shown.grade is not None)
        self._show_reason(frames, ai_grade, scored)
        for segment, button in self._segments.items():
            button.setChecked(shown.segment is segment)
        self._between.setText(self.tr("mixed") if shown.segment is MIXED else "")
        self._show_toggles()
        if not (same and self._comment.hasFocus()):
            self._show_comment()

    def set_keys(self, keys: Keys) -> None:
        """Name these keys in the tooltips."""
        for grade, given, key in zip(MES, self._grades, keys.grades, strict=True):
            given.setToolTip(_with_key(f"{grade.accessible_name}: {grade.definition}", key))
        for (segment, button), key in zip(self._segments.items(), keys.segments, strict=True):
            name = segment.value.capitalize()
            button.setToolTip(_with_key(name, key))
            button.setAccessibleName(self.tr("Segment: {0}").format(name))
        self._clear.setToolTip(_with_key(self.tr("Take the reader grade back"), keys.clear))
        self._rejected.setToolTip(_with_key(self.tr("A rejected frame counts nowhere"), keys.rejected))
        self._key_image.setToolTip(_with_key(self.tr("Key images are printed first"), keys.key_image))

    def commit(self) -> None:
        """Tell a comment that is just being typed; ask for it before other frames are chosen."""
        self._comment.commit()

    def edit_comment(self) -> None:
        """Let the user type a comment."""
        self._comment.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._comment.selectAll()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_key_image"):
            self._draw_icons()

    # Parts

    def _grade_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        for button in self._grades:
            row.addWidget(button, 1)
        return row

    def _reason_row(self) -> QHBoxLayout:
        self._clear.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._clear.setAccessibleName(self.tr("Clear reader grade"))
        self._reason.addItem(self.tr("no reason given"), "")
        for reason in OVERRIDE_REASONS:
            self._reason.addItem(reason, reason)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self._reason, 1)
        row.addWidget(self._clear)
        return row

    def _colon(self) -> QGridLayout:
        """The segments as the colon lies in a patient who faces the reader."""
        places = {
            Segment.CAECUM: (2, 0, 1),
            Segment.ASCENDING: (1, 0, 1),
            Segment.TRANSVERSE: (0, 0, 3),
            Segment.DESCENDING: (1, 2, 1),
            Segment.SIGMOID: (2, 2, 1),
            Segment.RECTUM: (2, 1, 1),
        }
        grid = QGridLayout()
        grid.setSpacing(4)
        grid.setContentsMargins(0, 4, 0, 4)
        for segment, (row, column, span) in places.items():
            button = self._segments[segment]
            button.setMinimumWidth(0)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(button, row, column, 1, span)
        self._between.setAlignment(Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(self._between, 1, 1)
        for column in range(3):
            grid.setColumnStretch(column, 1)
        return grid

    def _toggles(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        for button in (self._rejected, self._key_image):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            row.addWidget(button, 1)
        return row

    def _connect(self) -> None:
        for value, given in enumerate(self._grades):
            given.clicked.connect(lambda _=False, value=value: self.grade_given.emit(value))
        self._clear.clicked.connect(lambda: self.grade_given.emit(None))
        self._reason.activated.connect(self._give_reason)
        for segment, button in self._segments.items():
            button.clicked.connect(lambda _=False, segment=segment: self._give_segment(segment))
        self._rejected.clicked.connect(lambda: self.rejected_given.emit(self._shown.rejected is not True))
        self._key_image.clicked.connect(lambda: self.key_image_given.emit(self._shown.key_image is not True))
        self._comment.committed.connect(self.comment_given)

    # Values

    def _note(self, frames: int) -> str:
        if not frames:
            return self.tr("choose a frame to grade it")
        mixed = self.tr("grades mixed") if self._shown.grade is MIXED else ""
        several = self.tr("{0} frames").format(f"{frames:,}") if frames > 1 else ""
        return ", ".join(text for text in (several, mixed) if text)

    def _show_reason(self, frames: int, ai_grade: int | None, scored: bool) -> None:
        """A reason is asked for where the grades differ; one that was given can always be taken back."""
        grade, reason = self._shown.grade, self._shown.reason
        differs = grade is not None and (not scored or grade != ai_grade)
        self._reason.setEnabled(frames > 0 and (differs or reason != ""))
        self._reason.setPlaceholderText(self.tr("reasons mixed"))
        self._reason.setCurrentIndex(-1 if reason is MIXED else max(0, self._reason.findData(reason)))

    def _show_toggles(self) -> None:
        for button, text, mixed, value in (
            (self._rejected, self.tr("Reject frame"), self.tr("Reject: mixed"), self._shown.rejected),
            (self._key_image, self.tr("Key image"), self.tr("Key: mixed"), self._shown.key_image),
        ):
            button.setChecked(value is True)
            button.setText(mixed if value is MIXED else text)

    def _show_comment(self) -> None:
        comment = self._shown.comment
        mixed = comment is MIXED
        self._comment.show_text("" if comment is MIXED else comment)
        hint = self.tr("Comments mixed; typing replaces all") if mixed else self.tr("Comment on the frame")
        self._comment.setPlaceholderText(hint)

    def _give_reason(self, index: int) -> None:
        reason = self._reason.itemData(index)
        # As with the buttons, the present value stays until it is shown otherwise.
        if reason != self._shown.reason:
            self.reason_given.emit(reason)

    def _give_segment(self, segment: Segment) -> None:
        self.segment_given.emit(None if self._shown.segment is segment else segment)

    def _draw_icons(self) -> None:
        self._rejected.setIcon(theme.icon("cancel"))
        self._key_image.setIcon(theme.icon("star-outline"))


def _shared(values: Iterable[_T]) -> _T | Various:
    """The value all have, or `MIXED`."""
    several = iter(values)
    first = next(several)
    return first if all(value == first for value in several) else MIXED


def _with_key(text: str, key: str) -> str:
    return f"{text} ({key})" if key else text
