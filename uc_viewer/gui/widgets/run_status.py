"""The line at the foot of the window: device, model, how far the run is, when the report was saved."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from uc_viewer.gui import theme
from uc_viewer.gui.widgets.section import Elided, font_of

_LONGEST = 32
"""Characters of a model's name that are shown."""


class RunStatus(QWidget):
    """Values in; tells when the user wants the run held, stopped or gone on with."""

    pause_wanted = Signal(bool)
    cancel_wanted = Signal()
    rest_wanted = Signal()
    model_wanted = Signal()
    """The chip with device and model was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paused = False
        self._chip, self._pause, self._cancel, self._rest = (self._button() for _ in range(4))
        self._chip.setAutoRaise(True)
        self._chip.clicked.connect(self.model_wanted)
        self._pause.clicked.connect(lambda: self.pause_wanted.emit(not self._paused))
        self._cancel.clicked.connect(self.cancel_wanted)
        self._rest.clicked.connect(self.rest_wanted)
        self._cancel.setText(self.tr("Cancel"))
        self._rest.setText(self.tr("Score the rest"))
        self._saved, self._counts, self._pace = QLabel(), Elided(), QLabel()
        self._bar = QProgressBar()
        self._bar.setFixedWidth(140)
        self._bar.setFixedHeight(self.fontMetrics().height())
        self._bar.setTextVisible(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.setSpacing(8)
        row.addWidget(self._chip)
        row.addWidget(self._counts, 1)
        for part in (self._saved, self._pace, self._bar, self._rest, self._pause, self._cancel):
            row.addWidget(part)
        # Buttons come and go; the line stays as tall as it is.
        self.setMinimumHeight(self._cancel.sizeHint().height() + 6)
        self.show_model("", "", "")
        self.show_progress(0, 0, "", running=False, paused=False)
        self.show_saved("")

    def show_model(self, name: str, device: str, reason: str) -> None:
        """The model and where it runs, with the reason as a tooltip; empty texts before one is loaded."""
        where = {"cpu": "CPU", "cuda": "GPU", "mps": "GPU"}.get(device.split(":")[0], device)
        shown = self.fontMetrics().elidedText(
            name, Qt.TextElideMode.ElideMiddle, self.fontMetrics().averageCharWidth() * _LONGEST
        )
        self._chip.setText(f"{where} · {shown}" if name else self.tr("No model loaded"))
        self._chip.setToolTip(
            self.tr("{0} on {1}: {2}. Click to choose another.").format(name, device, reason)
            if name
            else self.tr("Click to choose a model.")
        )
        self.refresh_icons()

    def show_loading(self) -> None:
        """Say that the model is on its way."""
        self._chip.setText(self.tr("Loading the model…"))
        self._chip.setToolTip("")

    def show_progress(self, done: int, total: int, left: str, *, running: bool, paused: bool) -> None:
        """How far the run is; ``left`` is the time left in words, empty where unknown.

        A ``total`` of 0 while running means that pictures are still being looked for.
        """
        self._paused, rest = running and paused, not running and done < total
        self._bar.setVisible(running)
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._bar.setAccessibleName(self.tr("{0} of {1} pictures looked at").format(done, total))
        self._pause.setVisible(running)
        self._cancel.setVisible(running)
        self._pause.setText(self.tr("Go on") if self._paused else self.tr("Pause"))
        self._pause.setIcon(theme.icon("play" if self._paused else "pause"))
        self._rest.setVisible(rest)
        self._pace.setFont(font_of(self, weight=QFont.Weight.DemiBold) if rest else self.font())
        self._pace.setText(self._pace_of(done, total, left) if running else "")
        if rest:
            self._pace.setText(self.tr("INCOMPLETE: {0} of {1}").format(f"{done:,}", f"{total:,}"))
        self._pace.setVisible(bool(self._pace.text()))

    def show_counts(self, text: str) -> None:
        """How many pictures were scored, not scored, unreadable."""
        self._counts.show_text(text)

    def show_saved(self, text: str) -> None:
        """When the report was saved, or that it was not."""
        self._saved.setText(text)
        self._saved.setVisible(bool(text))

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the present palette."""
        self._chip.setIcon(theme.icon("chip"))
        self._cancel.setIcon(theme.icon("close"))
        self._rest.setIcon(theme.icon("play"))
        self._pause.setIcon(theme.icon("play" if self._paused else "pause"))

    def _button(self) -> QToolButton:
        button = QToolButton()
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _pace_of(self, done: int, total: int, left: str) -> str:
        """How far a run is that goes on or is held."""
        if not total:
            return self.tr("Paused") if self._paused else self.tr("Looking for pictures…")
        pace = self.tr("{0} of {1}").format(f"{done:,}", f"{total:,}")
        if self._paused:
            return self.tr("{0}, paused").format(pace)
        return self.tr("{0}, {1} left").format(pace, left) if left else pace
