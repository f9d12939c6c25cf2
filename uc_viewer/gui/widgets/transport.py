"""The row that plays a recording: one frame back, play or pause, one frame on, the time, the speed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from uc_viewer.gui import theme
from uc_viewer.gui.widgets.section import Choice, Elided
from uc_viewer.gui.widgets.timeline_scale import clock

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Offered speeds, as multiples of the recording's own."""


class Transport(QWidget):
    """Shows how a recording plays, and asks for another way; by itself it changes nothing."""

    played = Signal(bool)
    """The recording is to be played, or held."""
    stepped = Signal(int)
    """So many frames on, back below 0."""
    speed_chosen = Signal(float)
    """One of `SPEEDS`, perhaps the same again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playing = False
        self._back, self._play, self._on = (QToolButton() for _ in range(3))
        self._time, self._whole = QLabel(), Elided()
        self._whole.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._speeds = Choice(self.tr("Speed"))
        self._lay_out()
        for button, text in ((self._back, self.tr("One frame back")), (self._on, self.tr("One frame on"))):
            button.setToolTip(text)
            button.setAccessibleName(text)
            button.setAutoRepeat(True)
        self._back.clicked.connect(lambda: self.stepped.emit(-1))
        self._on.clicked.connect(lambda: self.stepped.emit(1))
        self._play.clicked.connect(lambda: self.played.emit(not self._playing))
        self._speeds.activated.connect(lambda: self.speed_chosen.emit(self._speeds.currentData()))
        self._speeds.setToolTip(self.tr("Speed"))
        self.show_state(False, 1.0, 0.0, 0.0)

    def show_state(self, playing: bool, speed: float, seconds: float, duration: float) -> None:
        """Show whether it plays and how fast (backwards below 0), where it is, and where it ends."""
        self._playing = playing
        self._show_speed(speed)
        self._time.setText(clock(seconds).zfill(12))
        self._whole.show_text(f"/ {clock(duration, exact=False).zfill(8)}")
        said = self.tr("{0} of {1}").format(clock(seconds), clock(duration, exact=False))
        self._time.setAccessibleName(said)
        text = self.tr("Pause") if playing else self.tr("Play")
        if self._play.accessibleName() != text:
            self._play.setToolTip(text)
            self._play.setAccessibleName(text)
            self.refresh_icons()

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the present palette."""
        self._back.setIcon(theme.icon("step-backward"))
        self._play.setIcon(theme.icon("pause" if self._playing else "play"))
        self._on.setIcon(theme.icon("step-forward"))

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        for button in (self._back, self._play, self._on):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        # Digits are as wide as each other, so the time never moves what stands beside it.
        self._time.setMinimumWidth(self.fontMetrics().horizontalAdvance("00:00:00.000"))
        self._speeds.setMinimumContentsLength(4)
        self._speeds.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        row.addWidget(self._time)
        row.addWidget(self._whole, 1)
        row.addWidget(self._speeds)
        for speed in SPEEDS:
            self._speeds.addItem(_named(speed), speed)

    def _show_speed(self, speed: float) -> None:
        place = self._speeds.findData(speed)
        if place < len(SPEEDS) and self._speeds.count() > len(SPEEDS):
            self._speeds.removeItem(len(SPEEDS))
        if place < 0:
            # One that is not offered, backwards for instance, stands below the others while it holds.
            self._speeds.addItem(_named(speed), speed)
            place = self._speeds.count() - 1
        self._speeds.setCurrentIndex(place)


def _named(speed: float) -> str:
    return f"{speed:g}×".replace("-", "−")
