"""The chosen frame at the right of the window: its name, what the model says, what the reader says."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from uc_viewer.gui.widgets.ai_answer import AiAnswer
from uc_viewer.gui.widgets.reader_panel import ReaderPanel
from uc_viewer.gui.widgets.section import EDGE, GAP, Elided, divider, faint, font_of, scrolled


class ScorePanel(QWidget):
    """The reader's grade first in reach, the model's answer below it as evidence.

    Values go to its parts ``reader`` and ``ai``, whose signals tell what the reader wants to say.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ai, self.reader = AiAnswer(), ReaderPanel()
        self._name, self._place = Elided(), faint("")
        self._name.setFont(font_of(self, weight=QFont.Weight.DemiBold))
        top = QHBoxLayout()
        top.setContentsMargins(EDGE, 8, EDGE, 8)
        top.setSpacing(2 * GAP)
        top.addWidget(self._name, 1)
        top.addWidget(self._place)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for part in (self.reader, divider(), self.ai):
            rows.addWidget(part)
        rows.addStretch()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(divider())
        whole.addWidget(scrolled(content), 1)
        self.show_name("", 0, 0)

    def show_name(self, name: str, number: int, of: int) -> None:
        """Show which frame this is: its name, and that it is the ``number``-th; an empty name for none."""
        self._name.show_text(name or self.tr("No frame chosen"))
        self._place.setText(self.tr("{0} of {1}").format(f"{number:,}", f"{of:,}") if name and of else "")
