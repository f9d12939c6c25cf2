"""What the model says of one frame: the grade in words, probabilities, the coarse answer, or why none."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from mtl_core.scores import FrameScores
from mtl_core.spec import ACTIVE as ACTIVE_FROM
from uc_viewer.case import Duplicate, FrameResult, Unreadable
from uc_viewer.grades import ACTIVE, MES, NOT_ACTIVE
from uc_viewer.gui.widgets.grade_fill import GradeChip, fill
from uc_viewer.gui.widgets.section import GAP, Section, faint, font_of, wrapped

Item = FrameResult | Unreadable | Duplicate

_BAR = 10
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class Rows(QWidget):
    """Rows of one shape: a word at the left, a track in the middle, a number at the right."""

    def __init__(self, rows: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(240, self._rows * self.row_height)

    @property
    def row_height(self) -> int:
        """Pixels from one row to the next."""
        return self.fontMetrics().height() + 6

    def track(self, row: int = 0) -> QRectF:
        """Where the bar of a row may reach."""
        metrics = self.fontMetrics()
        left = max(metrics.horizontalAdvance(_label(value)) for value in range(len(MES))) + 10
        right = metrics.horizontalAdvance("0.00") + 10
        top = row * self.row_height + (self.row_height - _BAR) / 2
        return QRectF(left, top, max(8.0, self.width() - left - right), _BAR)

    def draw_texts(self, painter: QPainter, row: int, word: str, number: str) -> None:
        """Draw the word and the number of a row."""
        line = QRectF(0, row * self.row_height, self.width(), self.row_height)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(line, _MIDDLE, word)
        painter.drawText(line, _MIDDLE | Qt.AlignmentFlag.AlignRight, number)

    def draw_track(self, painter: QPainter, area: QRectF) -> None:
        """Draw an empty bar."""
        colour = self.palette().mid().color()
        colour.setAlpha(110)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(area, 2, 2)


class Bars(Rows):
    """Four probabilities as bars, each with its digit, pattern and number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(len(MES), parent)
        self._probabilities: tuple[float, ...] = ()

    def show_probabilities(self, probabilities: tuple[float, ...]) -> None:
        """Show P(MES 0) to P(MES 3), or nothing for an empty tuple."""
        self._probabilities = probabilities
        said = ", ".join(f"{g.accessible_name}: {p:.2f}" for g, p in zip(MES, probabilities, strict=False))
        self.setAccessibleName(said)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, (grade, p) in enumerate(zip(MES, self._probabilities, strict=False)):
            self.draw_texts(painter, row, _label(row), f"{p:.2f}")
            area = self.track(row)
            self.draw_track(painter, area)
            area.setWidth(max(2.0, area.width() * p))
            fill(painter, area, grade)


class ActiveBar(Rows):
    """P(active) as a bar, with the threshold drawn in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(2, parent)
        self._p, self._threshold = 0.0, 0.5

    def show_probability(self, p_active: float, active: bool, threshold: float) -> None:
        """Show the probability, and from where on it counts as active."""
        self._p, self._threshold = p_active, threshold
        said = self.tr("P(active) {0:.2f}, {1}, active from {2:.2f}")
        self.setAccessibleName(said.format(p_active, ACTIVE if active else NOT_ACTIVE, threshold))
        self.setToolTip(self.tr("Probability of MES 2 or 3, and the model's own conservative threshold."))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw_texts(painter, 0, self.tr("P(active)"), f"{self._p:.2f}")
        area = self.track()
        self.draw_track(painter, area)
        painter.setBrush(self.palette().placeholderText().color())
        filled = QSizeF(max(2.0, area.width() * self._p), area.height())
        painter.drawRoundedRect(QRectF(area.topLeft(), filled), 2, 2)
        at = area.left() + area.width() * self._threshold
        painter.setPen(QPen(self.palette().windowText().color(), 2))
        painter.drawLine(QPointF(at, area.top() - 3), QPointF(at, area.bottom() + 5))
        self._draw_captions(painter, at)

    def _draw_captions(self, painter: QPainter, at: float) -> None:
        """Which side of the tick is which, kept within the widget."""
        font = font_of(self, 0.9)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(self.palette().placeholderText().color())
        beyond, before = self.tr("active from {0:.2f}").format(self._threshold), self.tr("not active")
        width = metrics.horizontalAdvance(beyond) + 1
        left = min(at - 1, self.width() - width)
        top, height = self.row_height - 2, self.row_height
        painter.drawText(QRectF(left, top, width, height), _MIDDLE, beyond)
        room = QRectF(0, top, left - 12, height)
        if metrics.horizontalAdvance(before) <= room.width():
            painter.drawText(room, _MIDDLE | Qt.AlignmentFlag.AlignRight, before)


class GradeScale(Rows):
    """The expected grade as a mark on a line from 0 to 3."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(2, parent)
        self._value = 0.0

    def show_value(self, value: float) -> None:
        """Show the continuous score, 0 to 3."""
        self._value = value
        self.setAccessibleName(self.tr("Expected grade {0:.1f} of 3").format(value))
        self.setToolTip(self.tr("The mean of the grades, weighted by their probabilities."))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw_texts(painter, 0, self.tr("Expected grade"), f"{self._value:.1f}")
        area = self.track()
        # Room for half a mark at both ends.
        line = area.adjusted(_BAR / 2, 0, -_BAR / 2, 0)
        middle, top = line.center().y(), len(MES) - 1
        painter.setPen(QPen(self.palette().placeholderText().color(), 1))
        painter.drawLine(QPointF(line.left(), middle), QPointF(line.right(), middle))
        painter.setFont(font_of(self, 0.9))
        for value in range(len(MES)):
            x = line.left() + line.width() * value / top
            painter.drawLine(QPointF(x, middle - 3), QPointF(x, middle + 3))
            text = QRectF(x - 10, self.row_height - 4, 20, self.row_height)
            painter.drawText(text, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, str(value))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().windowText())
        painter.drawEllipse(QPointF(line.left() + line.width() * self._value / top, middle), 4.5, 4.5)


class AiAnswer(QWidget):
    """The model's answer about one frame, or why there is none; hidden while the reader reads blinded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        section = Section(self.tr("AI"))
        self._chips = (GradeChip(), GradeChip())
        self._headline, self._note, self._remark = QLabel(), wrapped(faint("")), wrapped(QLabel())
        self._headline.setFont(font_of(self, 1.2, QFont.Weight.DemiBold))
        wrapped(self._headline)
        self._remark.setFont(font_of(self, weight=QFont.Weight.DemiBold))
        self._bars, self._active, self._scale = Bars(), ActiveBar(), GradeScale()
        self._coarse = wrapped(QLabel())
        top = QHBoxLayout()
        top.setSpacing(GAP)
        for part in self._chips:
            top.addWidget(part)
        top.addWidget(self._headline, 1)
        section.rows.addLayout(top)
        for row in (self._note, self._remark, self._bars, self._coarse, self._active, self._scale):
            section.rows.addWidget(row)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(section)
        self.show_item(None, 0.5)

    def show_item(self, item: Item | None, threshold: float) -> None:
        """Show the answer; None while there is none yet. ``threshold``: from where P(active) is active."""
        if isinstance(item, FrameResult) and item.scores.probabilities is not None:
            self._show_scores(item.scores, item.scores.probabilities, threshold)
        elif isinstance(item, FrameResult):
            self._say(self.tr("Not scored"), item.scores.reject_reason)
        elif isinstance(item, Unreadable):
            self._say(self.tr("Could not be opened"), item.reason)
        elif isinstance(item, Duplicate):
            self._say(self.tr("Duplicate"), self.tr("Same file as {0}; not scored again").format(item.of))
        else:
            self._say(self.tr("No answer yet"), "")

    def show_hidden(self) -> None:
        """Show that there may be an answer, and nothing of it."""
        self._say(self.tr("Hidden"), self.tr("AI hidden until you have graded this frame"))

    @property
    def text(self) -> str:
        """All that is said in words, one line each."""
        labels = (self._headline, self._note, self._remark, self._coarse)
        return "\n".join(label.text() for label in labels if label.text())

    def _show_scores(self, scores: FrameScores, probabilities: tuple[float, ...], threshold: float) -> None:
        grade, p_active, active = scores.grade, scores.p_active, scores.active
        assert grade is not None
        assert p_active is not None
        assert scores.continuous is not None
        headline, note = self.tr("AI: {0}").format(MES[grade].accessible_name), ""
        grades: tuple[int, ...] = (grade,)
        if scores.close_call is not None:
            low, high = grades = scores.close_call
            between = "–" if high - low == 1 else self.tr(" or ")
            headline = self.tr("AI: MES {0}, close call").format(f"{low}{between}{high}")
            note = self.tr("Counted as {0}").format(MES[grade].accessible_name)
        differ = active != (grade >= ACTIVE_FROM.cut)
        self._say(headline, note, grades, self.tr("The two answers differ: look closely") if differ else "")
        verdict = ACTIVE if active else NOT_ACTIVE
        self._coarse.setText(self.tr("By threshold: {0}").format(verdict))
        self._bars.show_probabilities(probabilities)
        self._active.show_probability(p_active, bool(active), threshold)
        self._scale.show_value(scores.continuous)
        for part in (self._coarse, self._bars, self._active, self._scale):
            part.show()

    def _say(self, headline: str, note: str, grades: tuple[int, ...] = (), remark: str = "") -> None:
        """Show words, and chips for some grades; the numbers are put away."""
        self._headline.setText(headline)
        for label, text in ((self._note, note), (self._remark, remark), (self._coarse, "")):
            label.setText(text)
            label.setVisible(bool(text))
        for index, part in enumerate(self._chips):
            part.setVisible(index < len(grades))
            part.show_grade(grades[index] if index < len(grades) else None)
        for row in (self._bars, self._active, self._scale):
            row.hide()
            # What is not shown must not be read out either.
            row.setAccessibleName("")


def _label(value: int) -> str:
    return f"{value}  {MES[value].name}"
