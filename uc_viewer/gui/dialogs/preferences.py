"""What the user prefers: colours, size, paper."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

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

    def _change(self, name: str, value: object) -> None:
        self._settings = replace(self._settings, **{name: value})  # type: ignore[arg-type]
        self.changed.emit(self._settings)
