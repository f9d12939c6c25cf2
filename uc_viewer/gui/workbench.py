"""Where everything stands in the window: the widgets put together, not yet wired to anything."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from uc_viewer.gui import theme
from uc_viewer.gui.widgets.case_form import CaseForm
from uc_viewer.gui.widgets.drop_outline import DropOutline
from uc_viewer.gui.widgets.film import Film
from uc_viewer.gui.widgets.film_bar import FilmBar
from uc_viewer.gui.widgets.film_model import FilmModel
from uc_viewer.gui.widgets.heat_bar import HeatBar
from uc_viewer.gui.widgets.image_view import ImageView
from uc_viewer.gui.widgets.run_status import RunStatus
from uc_viewer.gui.widgets.score_panel import ScorePanel
from uc_viewer.gui.widgets.summary_panel import SummaryPanel
from uc_viewer.gui.widgets.timeline import Timeline
from uc_viewer.gui.widgets.toast import Toasts
from uc_viewer.gui.widgets.transport import Transport
from uc_viewer.gui.widgets.welcome import Welcome
from uc_viewer.paths import intended_use

LEFT, CENTRE, RIGHT = 250, 690, 340
"""Widths of the three columns at first."""

FRAME, CASE, LEAST_CASE = 592, 158, 122
"""Heights of what is said of the frame and of the case at first: all that the model says of a frame is seen.

What a taller window gives goes to the case, whose table grows with every segment; a lower one leaves it room
for both results.
"""


class Workbench(QWidget):
    """Banner on top; below it the first screen, or film, picture and panels; the run at the foot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.welcome = Welcome()
        self.case_form, self.film_bar = CaseForm(), FilmBar()
        self.film_model = FilmModel(self)
        self.strip, self.grid = Film(self.film_model, grid=False), Film(self.film_model, grid=True)
        self.image, self.heat = ImageView(), HeatBar()
        self.timeline, self.transport = Timeline(), Transport()
        self.scores, self.summary = ScorePanel(), SummaryPanel()
        self.status = RunStatus()
        self._stack, self._middle = QStackedWidget(), QStackedWidget()
        self.columns = self._build_columns()
        self._stack.addWidget(self.welcome)
        self._stack.addWidget(self.columns)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        self._synthetic = _line(self.tr("SYNTHETIC SAMPLE: pictures drawn by a program, not a patient"))
        rows.addWidget(_banner())
        rows.addWidget(self._synthetic)
        rows.addWidget(self._stack, 1)
        rows.addWidget(self.status)
        self.toasts = Toasts(self._stack, self.heat)  # what plays a recording stands below the heat bar
        self.outline = DropOutline(self._stack)
        self.show_case(False)
        self.show_synthetic(False)
        self.show_timeline(False)

    def show_case(self, there: bool) -> None:
        """Show the case, or the first screen."""
        self._stack.setCurrentIndex(int(there))
        self.status.setVisible(there)

    def show_grid(self, shown: bool) -> None:
        """Show all pictures in the middle, or one."""
        self._middle.setCurrentIndex(int(shown))
        film = self.grid if shown else self.strip
        film.scrollTo(film.currentIndex())
        film.setFocus()

    @property
    def grid_shown(self) -> bool:
        """True while the middle shows all pictures."""
        return self._middle.currentIndex() == 1

    def show_timeline(self, shown: bool) -> None:
        """Show time and timeline under the picture, or not."""
        self.transport.setVisible(shown)
        self.timeline.setVisible(shown)

    def show_synthetic(self, synthetic: bool) -> None:
        """Say that the pictures show no patient, or not."""
        self._synthetic.setVisible(synthetic)

    def _build_columns(self) -> QSplitter:
        picture = _column(self.image, self.heat, self.transport, self.timeline)
        self._middle.addWidget(picture)
        self._middle.addWidget(self.grid)
        left = _column(self.case_form, self.film_bar, self.strip)
        right = QSplitter(Qt.Orientation.Vertical)
        right.setChildrenCollapsible(False)
        right.addWidget(self.scores)
        right.addWidget(self.summary)
        right.setSizes([FRAME, CASE])
        self.summary.setMinimumHeight(LEAST_CASE)
        right.setStretchFactor(1, 1)
        columns = QSplitter()
        columns.setChildrenCollapsible(False)
        for part, least in ((left, 200), (self._middle, 320), (right, 300)):
            part.setMinimumWidth(least)
            columns.addWidget(part)
        columns.setSizes([LEFT, CENTRE, RIGHT])
        columns.setStretchFactor(1, 1)
        for index in (0, 2):
            columns.setStretchFactor(index, 0)
        return columns


def _banner() -> QLabel:
    """The line that says what the program is for; nothing switches it off."""
    banner = _line(intended_use())
    fill, ink = theme.BANNER
    banner.setStyleSheet(f"background: {fill}; color: {ink}; padding: 4px; font-weight: 600;")
    banner.setObjectName("banner")
    return banner


def _line(text: str) -> QLabel:
    line = QLabel(text)
    line.setAlignment(Qt.AlignmentFlag.AlignCenter)
    line.setWordWrap(True)
    line.setStyleSheet("padding: 3px; font-weight: 600;")
    return line


def _column(*parts: QWidget) -> QWidget:
    """Parts one below the other, the tallest of them last or first as they wish."""
    column = QWidget()
    rows = QVBoxLayout(column)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(0)
    for part in parts:
        rows.addWidget(part)
    return column
