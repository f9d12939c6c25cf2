"""The report as it will be printed, page below page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from uc_viewer.gui import theme

_GAP = 18
"""Between pages and around them."""
_PATIENCE = 150
"""Milliseconds of rest after the size changed, before pages already drawn are drawn anew."""
_LARGEST = 920
"""A page is drawn no wider than this, in points of the screen."""


class Pages(QAbstractScrollArea):
    """Pages one below the other; only those in view are asked for."""

    page_wanted = Signal(int, int)
    """Number of a page (from 0) and the dots per inch it should be drawn with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sizes: tuple[tuple[float, float], ...] = ()
        self._drawn: dict[int, tuple[int, QImage]] = {}
        self._asked: set[tuple[int, int]] = set()
        self._text = ""
        # Not while painting, for whoever answers may do so at once; nor at every step of a drag.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Report preview"))
        self.verticalScrollBar().setSingleStep(40)

    def show_sizes(self, sizes: Sequence[tuple[float, float]]) -> None:
        """Show empty pages of these sizes in points, and ask for those in view."""
        self._sizes, self._drawn, self._asked, self._text = tuple(sizes), {}, set(), ""
        self._lay_out()

    def show_text(self, text: str) -> None:
        """Show a line instead of pages."""
        self._sizes, self._text = (), text
        self._lay_out()

    def show_page(self, number: int, dpi: int, rgb: np.ndarray) -> None:
        """Put a drawn page, uint8 H x W x 3 RGB, in its place, unless it is shown sharper already."""
        if not self._sizes or (dpi != self.dpi() and self._drawn.get(number, (0,))[0] == self.dpi()):
            return
        height, width, _ = rgb.shape
        data = np.ascontiguousarray(rgb)
        image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self._drawn[number] = (dpi, image)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(720, 860)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.CANVAS)
        if not self._sizes:
            painter.setPen(theme.CANVAS_TEXT)
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.viewport().rect(), flags, self._text)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        seen = [(number, place) for number, place in self._places() if place.intersects(event.rect())]
        for number, place in seen:
            painter.fillRect(place, QColor(Qt.GlobalColor.white))
            if number in self._drawn:
                painter.drawImage(place, self._drawn[number][1])
        self._timer.start(_PATIENCE if all(number in self._drawn for number, _ in seen) else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def dpi(self) -> int:
        """Dots per inch at which a page is sharp at its present size."""
        return round(72 * self._scale() * self.devicePixelRatioF())

    def _scale(self) -> float:
        """Points of the screen per point of paper."""
        widest = max(width for width, _ in self._sizes)
        return max(0.2, min(_LARGEST, self.viewport().width() - 2 * _GAP) / widest)

    def _places(self) -> list[tuple[int, QRect]]:
        scale, top, places = self._scale(), _GAP - self.verticalScrollBar().value(), []
        for number, (width, height) in enumerate(self._sizes):
            wide, high = round(width * scale), round(height * scale)
            places.append((number, QRect((self.viewport().width() - wide) // 2, top, wide, high)))
            top += high + _GAP
        return places

    def _lay_out(self) -> None:
        high = 0
        if self._sizes:
            last = self._places()[-1][1]
            high = last.bottom() + self.verticalScrollBar().value() + _GAP
        self.verticalScrollBar().setPageStep(self.viewport().height())
        self.verticalScrollBar().setRange(0, max(0, high - self.viewport().height()))
        self.viewport().update()

    def _ask(self) -> None:
        """Ask for the pages in view; forget those far from it, for a long report would fill the memory."""
        if not self._sizes or not self.isVisible():
            return
        seen, dpi = self.viewport().rect(), self.dpi()
        near = seen.adjusted(0, -2 * seen.height(), 0, 2 * seen.height())
        kept = {number for number, place in self._places() if place.intersects(near)}
        self._drawn = {number: drawn for number, drawn in self._drawn.items() if number in kept}
        self._asked = {(number, at) for number, at in self._asked if number in kept and at == dpi}
        for number, place in self._places():
            if place.intersects(seen) and (number, dpi) not in self._asked:
                self._asked.add((number, dpi))
                self.page_wanted.emit(number, dpi)


class Preview(QDialog):
    """The pages, the paper's size, and what can be done with them."""

    size_chosen = Signal(str)
    """Another paper size."""
    print_wanted = Signal()
    save_wanted = Signal()

    def __init__(self, sizes: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Report preview, research use only"))
        self.resize(QSize(780, 940).boundedTo(self.screen().availableSize() * 0.9))
        self.pages = Pages()
        self._size = QComboBox()
        self._size.addItems(list(sizes))
        self._size.setAccessibleName(self.tr("Paper size"))
        self._size.textActivated.connect(self.size_chosen)
        self._count = QLabel()
        self._print = QPushButton(theme.icon("printer-outline"), self.tr("Print…"))
        self._save = QPushButton(theme.icon("content-save-outline"), self.tr("Save PDF…"))
        self._save.setDefault(True)
        close = QPushButton(self.tr("Close"))
        self._print.clicked.connect(self.print_wanted)
        self._save.clicked.connect(self.save_wanted)
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setContentsMargins(14, 10, 14, 12)
        row.setSpacing(8)
        row.addWidget(QLabel(self.tr("Paper")))
        row.addWidget(self._size)
        row.addSpacing(8)
        row.addWidget(self._count, 1)
        for button in (self._print, self._save, close):
            button.setMinimumWidth(96)
            row.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.pages, 1)
        rows.addLayout(row)

    def show_waiting(self, size: str) -> None:
        """Say that the report is being made."""
        self._size.setCurrentText(size)
        self.pages.show_text(self.tr("Making the report…"))
        self._count.clear()
        self._enable(False)

    def show_failed(self) -> None:
        """Say that the report could not be made, where it is still waited for."""
        if not self._print.isEnabled():
            self.pages.show_text(self.tr("The report could not be made."))

    def show_sizes(self, sizes: Sequence[tuple[float, float]]) -> None:
        """The report is there: its pages' sizes in points."""
        self.pages.show_sizes(sizes)
        self._count.setText(self.tr("1 page") if len(sizes) == 1 else self.tr("{0} pages").format(len(sizes)))
        self._enable(True)

    def _enable(self, there: bool) -> None:
        self._print.setEnabled(there)
        self._save.setEnabled(there)
