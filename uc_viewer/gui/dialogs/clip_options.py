"""How a clip or key images are written: with marks or clean, whole or the field of view alone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget


class ClipOptions(QDialog):
    """Asks before something leaves the program; ``what`` names it, for instance its stretch of time."""

    def __init__(self, title: str, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._overlay = QCheckBox(self.tr("Grades, time and segment in a band below the picture"))
        self._overlay.setChecked(True)
        self._crop = QCheckBox(self.tr("De-identify: the field of view alone, no names, no remarks"))
        warning = QLabel(
            self.tr(
                "Text that was burned over the mucosa itself stays. Look through what was written before you "
                "pass it on."
            )
        )
        warning.setWordWrap(True)
        warning.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.button(QDialogButtonBox.StandardButton.Save).setText(self.tr("Save…"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(self.tr("Cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(18, 18, 18, 14)
        rows.setSpacing(12)
        named = QLabel(what)
        named.setTextFormat(Qt.TextFormat.PlainText)  # the name of a file may look like markup
        named.setWordWrap(True)
        for part in (named, self._overlay, self._crop, warning, buttons):
            rows.addWidget(part)
        self.setMinimumWidth(420)

    @property
    def overlay(self) -> bool:
        """True when marks are wanted."""
        return self._overlay.isChecked()

    @property
    def crop(self) -> bool:
        """True when only the field of view may be shown."""
        return self._crop.isChecked()
