"""The scores of one picture: grade in words, four probabilities, the coarse answer."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from mtl_core.scores import FrameScores
from mtl_core.spec import ACTIVE as ACTIVE_FROM
from uc_viewer.grades import ACTIVE, MES, NOT_ACTIVE
from uc_viewer.gui.widgets.grade_fill import fill

_ROW = 24


class Bars(QWidget):
    """Four probabilities as bars, each with its digit, pattern and number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._probabilities: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_probabilities(self, probabilities: tuple[float, ...]) -> None:
        """Show P(MES 0) to P(MES 3), or nothing for an empty tuple."""
        self._probabilities = probabilities
        said = ", ".join(f"{g.accessible_name}: {p:.2f}" for g, p in zip(MES, probabilities, strict=False))
        self.setAccessibleName(said)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, _ROW * len(MES))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        label, number = 132, 44
        room = self.width() - label - number - 12
        track = self.palette().mid().color()
        track.setAlpha(90)
        for row, (grade, p) in enumerate(zip(MES, self._probabilities, strict=False)):
            top = row * _ROW
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.setPen(self.palette().windowText().color())
            painter.drawText(QRectF(0, top, label, _ROW), middle, f"{grade.value}  {grade.name}")
            painter.fillRect(QRectF(label, top + 6, room, _ROW - 12), track)
            fill(painter, QRectF(label, top + 6, max(2.0, room * p), _ROW - 12), grade)
            at = QRectF(self.width() - number, top, number, _ROW)
            painter.drawText(at, middle | Qt.AlignmentFlag.AlignRight, f"{p:.2f}")


class ScorePanel(QWidget):
    """What the model says of one picture, or why it says nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._grade, self._coarse, self._bars = QLabel(), QLabel(), QLabel(), Bars()
        self._name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._grade.setWordWrap(True)
        self._coarse.setWordWrap(True)
        font = self._grade.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        font.setBold(True)
        self._grade.setFont(font)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(16, 12, 16, 12)
        rows.setSpacing(6)
        for part in (self._name, self._grade, self._bars, self._coarse):
            rows.addWidget(part)

    def show_scores(self, name: str, scores: FrameScores) -> None:
        """Show the scores of the picture of that name."""
        self._name.setText(name)
        if scores.probabilities is None or scores.grade is None or scores.p_active is None:
            self._put(self.tr("Not scored"), scores.reject_reason, ())
            return
        verdict = ACTIVE if scores.active else NOT_ACTIVE
        coarse = self.tr("By the conservative threshold: {0}; P(active) {1:.2f}").format(
            verdict, scores.p_active
        )
        if scores.active != (scores.grade >= ACTIVE_FROM.cut):
            coarse += self.tr(". The two answers differ: look closely.")
        self._put(f"AI: {MES[scores.grade].accessible_name}", coarse, scores.probabilities)

    def show_unreadable(self, name: str, reason: str) -> None:
        """Say why a file could not be opened."""
        self._name.setText(name)
        self._put(self.tr("Could not be opened"), reason, ())

    def clear(self) -> None:
        """Show nothing."""
        self._name.clear()
        self._put("", "", ())

    def _put(self, grade: str, coarse: str, probabilities: tuple[float, ...]) -> None:
        self._grade.setText(grade)
        self._coarse.setText(coarse)
        self._bars.setVisible(bool(probabilities))
        self._bars.show_probabilities(probabilities)
