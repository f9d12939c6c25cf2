"""What the user prefers: colours, size, paper, how recordings are scored."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from uc_viewer.settings import PAGES, SCALES, THEMES, Settings


class Preferences(QDialog):
    """Every choice takes effect at once, but for the size of the interface, which says so."""

    changed = Signal(object)
    """The new `Settings`."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Preferences"))
        self._settings = settings
        names = {
            "system": self.tr("Like the system"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
        }
        self._theme, self._scale, self._page = QComboBox(), QComboBox(), QComboBox()
        for theme in THEMES:
            self._theme.addItem(names[theme], theme)
        for scale in SCALES:
            self._scale.addItem(f"{scale} %", scale)
        for page in PAGES:
            self._page.addItem(page, page)
        note = QLabel(self.tr("The size takes effect when UC Viewer is started again."))
        note.setWordWrap(True)
        note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow(self.tr("Colours"), self._theme)
        form.addRow(self.tr("Size of the interface"), self._scale)
        form.addRow("", note)
        form.addRow(self.tr("Paper of reports"), self._page)
        for row in self._recordings(settings):
            form.addRow(*row)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(self.tr("Close"))
        buttons.rejected.connect(self.reject)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(18, 18, 18, 14)
        rows.setSpacing(16)
        rows.addLayout(form)
        rows.addWidget(buttons)
        for name, box in (("theme", self._theme), ("scale", self._scale), ("page", self._page)):
            box.setCurrentIndex(box.findData(getattr(settings, name)))
            box.setMinimumWidth(190)
            box.activated.connect(lambda _, name=name, box=box: self._change(name, box.currentData()))

    def _recordings(self, settings: Settings) -> list[tuple[str, QWidget]]:
        """How recordings are scored, and when a grade counts as sustained in them."""
        rate, frames, seconds = QDoubleSpinBox(), QSpinBox(), QDoubleSpinBox()
        rate.setRange(0.01, 120)
        rate.setSuffix(self.tr(" per second"))
        frames.setRange(1, 1000)
        seconds.setRange(0, 600)
        seconds.setSingleStep(0.5)
        seconds.setSuffix(self.tr(" s"))
        rate.setToolTip(self.tr("Holds for recordings that are opened from now on."))
        for name, number in (
            ("frames_per_second", rate),
            ("sustained_frames", frames),
            ("sustained_seconds", seconds),
        ):
            number.setValue(getattr(settings, name))
            number.setMinimumWidth(190)
            number.valueChanged.connect(lambda value, name=name: self._change(name, value))
        return [
            (self.tr("Frames of recordings scored"), rate),
            (self.tr("A grade is sustained over scored frames"), frames),
            (self.tr("and over"), seconds),
        ]

    def _change(self, name: str, value: object) -> None:
        self._settings = replace(self._settings, **{name: value})  # type: ignore[arg-type]
        self.changed.emit(self._settings)
