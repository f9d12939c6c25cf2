"""What a model says of itself: population, measured figures with their uncertainty, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

Card = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """One part of the card: paragraphs (``fixed``: in fixed width), then a table with its heading."""

    title: str
    lines: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()
    fixed: bool = False


class ModelCard(QDialog):
    """Shows the card of a model, as it lies beside the weights; what a card does not say is left out."""

    def __init__(self, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card = card
        self._name = _text(card, "name") or self.tr("unnamed model")
        self.setWindowTitle(self.tr("Model card: {0}").format(self._name))
        self.resize(680, 720)
        self._page = QTextBrowser()
        self._page.setOpenLinks(False)
        self._page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page.setAccessibleName(self.windowTitle())
        self._page.document().setDocumentMargin(18)
        copy, close = QPushButton(self.tr("Copy as text")), QPushButton(self.tr("Close"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text()))
        copy.setAutoDefault(False)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(copy)
        buttons.addWidget(close)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 14, 14, 12)
        rows.setSpacing(10)
        rows.addWidget(self._page, 1)
        rows.addLayout(buttons)
        self._fill()

    def text(self) -> str:
        """The card as plain text; the cells of a table are separated by tabs."""
        blocks = [f"{self._name}\n{self._lead()}"]
        for part in self.parts():
            rows = ["\t".join(row) for row in part.table]
            blocks.append("\n".join([part.title, *part.lines, *rows]))
        return "\n\n".join(blocks) + "\n"

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._fill()

    def parts(self) -> list[Part]:
        """All parts the card has something to say in."""
        parts = (
            Part(self.tr("Limits"), _texts(self._card, "limits")),
            self._origin(),
            self._figures(),
            self._shortcuts(),
            Part(self.tr("Attribution"), _texts(self._card, "attribution")),
            self._identity(),
        )
        return [part for part in parts if part.lines or len(part.table) > 1]

    # Parts

    def _lead(self) -> str:
        """What kind of network it is, in one line."""
        said = (
            self._said(self.tr("trunk {0}"), _text(self._card, "spec", "backbone")),
            self._said(self.tr("input {0} × {0} pixels"), _text(self._card, "spec", "input", "size")),
            self._said(self.tr("made by version {0}"), _text(self._card, "code_version")),
        )
        return " · ".join(filter(None, said)) or self.tr("Its card says nothing of it.")

    def _figures(self) -> Part:
        uc, normals = self.tr("ulcerative colitis"), self.tr("with normals")
        rows = (
            ("grades_1_3", "qwk", self.tr("Agreement on grades 1–3 (QWK)")),
            ("grades_1_3", "balanced_accuracy", self.tr("Balanced accuracy, grades 1–3")),
            ("grades_1_3", "recall_1", self.tr("Recall of MES {0}").format(1)),
            ("grades_1_3", "recall_2", self.tr("Recall of MES {0}").format(2)),
            ("grades_1_3", "recall_3", self.tr("Recall of MES {0}").format(3)),
            ("grades_0_3", "qwk", self.tr("Agreement on grades 0–3 (QWK)")),
            ("active_uc", "auc", self.tr("Active or not, AUC ({0})").format(uc)),
            ("active_uc", "sensitivity", self.tr("Sensitivity ({0})").format(uc)),
            ("active_uc", "specificity", self.tr("Specificity ({0})").format(uc)),
            ("active_all", "auc", self.tr("Active or not, AUC ({0})").format(normals)),
            ("active_all", "sensitivity", self.tr("Sensitivity ({0})").format(normals)),
            ("active_all", "specificity", self.tr("Specificity ({0})").format(normals)),
        )
        head = (self.tr("Figure"), self.tr("Value"), self._level(), self.tr("Pictures"))
        table = [head]
        for block, figure, title in rows:
            found = _at(self._card, "metrics", block, "figures", figure)
            value = _decimal(found, "value")
            if value:
                low, high = _decimal(found, "low"), _decimal(found, "high")
                between = f"{low} – {high}" if low and high else "–"
                table.append((title, value, between, _text(self._card, "metrics", block, "rows") or "–"))
        judged = _text(self._card, "metrics", "judged_on")
        lines = [self.tr("Judged on {0}.").format(judged)] if judged and len(table) > 1 else []
        threshold = _decimal(_at(self._card, "thresholds"), "active")
        if threshold:
            lines.append(self.tr("Threshold on P(active): {0}.").format(threshold))
        return Part(self.tr("Measured figures"), [*lines, *_texts(self._card, "metrics", "caveats")], table)

    def _level(self) -> str:
        level = _at(self._card, "metrics", "resampling", "level")
        return self.tr("{0} % interval").format(f"{level:.0%}".rstrip("%") if _is_number(level) else "95")

    def _shortcuts(self) -> Part:
        head = (
            self.tr("What was changed in the picture"),
            self.tr("Grade changed"),
            self.tr("Active changed"),
            self.tr("Pictures"),
        )
        table = [head]
        tests = _at(self._card, "metrics", "shortcuts")
        for name, found in tests.items() if isinstance(tests, Mapping) else ():
            grade, active = _percent(found, "grade_changed"), _percent(found, "active_changed")
            table.append((str(name), grade or "–", active or "–", _text(found, "pictures") or "–"))
        lines = [self.tr("Does an answer hang on something that is not mucosa?")] if len(table) > 1 else []
        return Part(self.tr("Shortcut tests"), lines, table)

    def _origin(self) -> Part:
        training = _at(self._card, "training")
        lines = [
            self._said(self.tr("Data: {0}"), _text(training, "data")),
            self._said(self.tr("Pictures: {0}"), _text(training, "pictures")),
            self._said(self.tr("Sources: {0}"), _counts(training, "sources")),
            self._said(self.tr("Start weights: {0}"), _text(training, "start")),
        ]
        return Part(self.tr("Training data"), [line for line in lines if line])

    def _identity(self) -> Part:
        lines = [
            self._said(self.tr("Weights SHA-256: {0}"), _text(self._card, "weights_sha256")),
            self._said(self.tr("Split SHA-256: {0}"), _text(self._card, "training", "split_sha256")),
            self._said(self.tr("Command: {0}"), _text(self._card, "training", "command")),
        ]
        return Part(self.tr("Provenance"), [line for line in lines if line], fixed=True)

    @staticmethod
    def _said(pattern: str, value: str) -> str:
        return pattern.format(value) if value else ""

    # Page

    def _fill(self) -> None:
        bar = self._page.verticalScrollBar()
        place = bar.value()
        self._page.setHtml(self._html())
        bar.setValue(place)

    def _html(self) -> str:
        faint = self.palette().placeholderText().color().name()
        line = self.palette().mid().color().name()
        body = [
            f'<h2 style="margin-bottom:2px">{escape(self._name)}</h2>',
            f'<p style="margin-top:0;color:{faint}">{escape(self._lead())}</p>',
        ]
        for part in self.parts():
            body.append(f"<h3>{escape(part.title)}</h3>")
            style = "font-family:monospace" if part.fixed else ""
            body += [f'<p style="margin:0 0 5px 0;{style}">{escape(text)}</p>' for text in part.lines]
            if len(part.table) > 1:
                body.append(_html_table(part.table, faint, line))
        return "".join(body)


def _html_table(table: Sequence[Sequence[str]], faint: str, line: str) -> str:
    """The table: first column at the left, all others at the right, a thin line below every row."""
    rows = []
    for number, row in enumerate(table):
        cells = []
        for column, text in enumerate(row):
            align = "right" if column else "left"
            colour = f"color:{faint};" if number == 0 else ""
            style = f"{colour}padding:3px 0 3px {10 if column else 0}px;border-bottom:1px solid {line}"
            cells.append(f'<td align="{align}" style="{style}">{escape(text)}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table width="100%" cellspacing="0" style="margin-top:4px">{"".join(rows)}</table>'


def _at(found: Any, *path: str) -> Any:
    """What lies at a path of keys, None where the card has nothing of the kind."""
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def _text(found: Any, *path: str) -> str:
    """A text or number at a path, as text; empty where there is none."""
    value = _at(found, *path)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _texts(found: Any, *path: str) -> list[str]:
    """The texts of a list at a path."""
    value = _at(found, *path)
    return [str(text) for text in value] if isinstance(value, list | tuple) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _decimal(found: Any, *path: str) -> str:
    value = _at(found, *path)
    return f"{value:.3f}" if _is_number(value) else ""


def _percent(found: Any, *path: str) -> str:
    value = _at(found, *path)
    return f"{100 * value:.1f} %" if _is_number(value) else ""


def _counts(found: Any, *path: str) -> str:
    value = _at(found, *path)
    return ", ".join(f"{name} {count}" for name, count in value.items()) if isinstance(value, Mapping) else ""
