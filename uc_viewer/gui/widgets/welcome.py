"""The first screen: what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class Welcome(QWidget):
    """Says how to begin, and offers the three ways that are no drop."""

    files_wanted = Signal()
    folder_wanted = Signal()
    sample_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel(self.tr("Drop endoscopy pictures here"))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 2)
        title.setFont(font)
        hints = (
            QLabel(self.tr("Single pictures, folders or zip archives")),
            QLabel(self.tr("Each gets a Mayo endoscopic score from 0 to 3, or the reason why not")),
            QLabel(self.tr("Nothing leaves this computer; no patient name is needed")),
        )
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        for text, signal in (
            (self.tr("Open pictures…"), self.files_wanted),
            (self.tr("Open a folder…"), self.folder_wanted),
            (self.tr("Sample case"), self.sample_wanted),
        ):
            button = QPushButton(text)
            button.setMinimumHeight(34)
            button.setMinimumWidth(140)
            button.clicked.connect(signal)
            buttons.addWidget(button)
        buttons.addStretch()
        rows = QVBoxLayout(self)
        rows.setSpacing(8)
        rows.addStretch(2)
        for label in (title, *hints):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            rows.addWidget(label, alignment=Qt.AlignmentFlag.AlignHCenter)
        rows.addSpacing(14)
        rows.addLayout(buttons)
        rows.addStretch(3)
