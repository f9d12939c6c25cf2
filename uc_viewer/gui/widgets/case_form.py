"""Who and what was examined, the overall comment, the definition the reader goes by. No field is required."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from uc_viewer.case import Case
from uc_viewer.grades import DEFINITIONS
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.section import (
    EDGE,
    GAP,
    Choice,
    Elided,
    Field,
    Page,
    divider,
    faint,
    font_of,
    wrapped,
)


class CaseForm(QWidget):
    """A line that names the patient, and under it, when unfolded, all that can be said of the case."""

    case_edited = Signal(object)
    """The `Case` as the user wants it."""
    comment_edited = Signal(str)
    definition_chosen = Signal(str)
    """A key of `DEFINITIONS`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case, self._shown_definition = Case(), "standard"
        self._name, self._facts, self._hint = Elided(), Elided(), wrapped(QLabel())
        self._name.setFont(font_of(self, weight=QFont.Weight.DemiBold))
        self._facts.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._fold = QToolButton()
        self._fold.setAutoRaise(True)
        self._fold.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._fold.setIconSize(QSize(20, 20))
        self._fields = {
            "patient_name": Field(self.tr("Patient name"), self.tr("not required")),
            "patient_id": Field(self.tr("Patient ID")),
            "birth_date": Field(self.tr("Birth date"), self.tr("YYYY-MM-DD")),
            "exam_date": Field(self.tr("Examined on"), self.tr("YYYY-MM-DD")),
            "endoscopist": Field(self.tr("Endoscopist")),
            "indication": Field(self.tr("Indication")),
        }
        self._comment = Page(self.tr("Comment on the case"))
        self._definition = Choice(self.tr("Definition of the score"))
        self._details = self._build_details()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addLayout(self._build_header())
        rows.addWidget(self._details)
        rows.addWidget(divider())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._connect()
        self.unfold(False)
        self.show_case(Case(), "", "standard")

    def show_case(self, case: Case, comment: str, definition: str) -> None:
        """Show a case in place of the present one."""
        self._case, self._shown_definition = case, definition
        for name, field in self._fields.items():
            field.show_text(getattr(case, name))
        self._comment.show_text(comment)
        self._show_definition()
        self._show_header()

    def unfold(self, unfolded: bool) -> None:
        """Show all fields, or the patient's line only."""
        self._details.setVisible(unfolded)
        self._fold.setToolTip(self.tr("Hide details") if unfolded else self.tr("Show and edit details"))
        self._fold.setAccessibleName(self._fold.toolTip())
        self._draw_icon()

    def commit(self) -> None:
        """Tell what is just being typed."""
        for field in self._fields.values():
            field.commit()
        self._comment.commit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_fold"):
            self._draw_icon()

    # Parts

    def _build_header(self) -> QHBoxLayout:
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self._name)
        texts.addWidget(self._facts)
        header = QHBoxLayout()
        header.setContentsMargins(EDGE, 8, GAP, 8)
        header.setSpacing(GAP)
        header.addLayout(texts, 1)
        header.addWidget(self._fold, alignment=Qt.AlignmentFlag.AlignTop)
        return header

    def _build_details(self) -> QWidget:
        """Labels above their fields; short fields share a line."""
        for index, (key, name) in enumerate(self._definition_names().items()):
            self._definition.addItem(name, key)
            self._definition.setItemData(index, _folded(key), Qt.ItemDataRole.ToolTipRole)
        fields = self._fields
        places: tuple[tuple[Field | Page | Choice, int, int, int], ...] = (
            (fields["patient_name"], 0, 0, 2),
            (fields["patient_id"], 2, 0, 1),
            (fields["birth_date"], 2, 1, 1),
            (fields["endoscopist"], 4, 0, 1),
            (fields["exam_date"], 4, 1, 1),
            (fields["indication"], 7, 0, 2),
            (self._comment, 9, 0, 2),
            (self._definition, 11, 0, 2),
        )
        details = QWidget()
        grid = QGridLayout(details)
        grid.setContentsMargins(EDGE, 0, EDGE, EDGE)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for part, row, column, span in places:
            label = faint(part.accessibleName())
            label.setFont(font_of(self, 0.9))
            label.setContentsMargins(0, 4, 0, 0)
            label.setBuddy(part)
            grid.addWidget(label, row, column, 1, span)
            grid.addWidget(part, row + 1, column, 1, span)
        grid.addWidget(self._hint, 6, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return details

    def _connect(self) -> None:
        for name, field in self._fields.items():
            field.committed.connect(lambda text, name=name: self._edit(name, text))
            field.textEdited.connect(self._show_hint)
        self._comment.committed.connect(self.comment_edited)
        self._fold.clicked.connect(lambda: self.unfold(self._details.isHidden()))
        self._definition.activated.connect(self._choose_definition)

    def _definition_names(self) -> dict[str, str]:
        """What the definitions are called; a further one by its key."""
        names = {"standard": self.tr("Standard Mayo"), "trial": self.tr("Trial: friability is at least 2")}
        return {key: names.get(key, key) for key in DEFINITIONS}

    # Values

    def _edit(self, name: str, text: str) -> None:
        self._case = replace(self._case, **{name: text.strip()})  # type: ignore[arg-type]
        self._show_header()
        self.case_edited.emit(self._case)

    def _choose_definition(self, index: int) -> None:
        key = self._definition.itemData(index)
        if key != self._shown_definition:
            self._shown_definition = key
            self._show_definition()
            self.definition_chosen.emit(key)

    def _show_definition(self) -> None:
        self._definition.setCurrentIndex(self._definition.findData(self._shown_definition))
        self._definition.setToolTip(_folded(self._shown_definition))

    def _show_header(self) -> None:
        case = self._case
        name = case.patient_name or case.patient_id
        self._name.show_text(name or (self.tr("Sample case") if case.synthetic else self.tr("Unnamed case")))
        number = case.patient_id if case.patient_name else ""
        facts = [text for text in (number, case.exam_date) if text]
        self._facts.show_text(" · ".join(facts) or self.tr("no details, none needed"))
        self._show_hint()

    def _show_hint(self) -> None:
        """Point out dates that will not be understood; they are kept as they are."""
        born, examined = (self._fields[name].text().strip() for name in ("birth_date", "exam_date"))
        odd = [
            self._fields[name].accessibleName()
            for name, text in (("birth_date", born), ("exam_date", examined))
            if text and _date(text) is None
        ]
        hint = self.tr("{0}: not a date like 2025-06-01").format(", ".join(odd)) if odd else ""
        first, second = _date(born), _date(examined)
        if first and second and first > second:
            hint = self.tr("Examined before birth?")
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))

    def _draw_icon(self) -> None:
        self._fold.setIcon(theme.icon("chevron-down" if self._details.isHidden() else "chevron-up"))


def _date(text: str) -> date | None:
    """The day a text names as YYYY-MM-DD, None for anything else."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _folded(definition: str) -> str:
    """The wording of a definition, a line for each grade."""
    return DEFINITIONS.get(definition, "").replace("; ", "\n").replace(": ", ":\n", 1)
