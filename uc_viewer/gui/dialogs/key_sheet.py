"""The cheat sheet of keys, where any of them can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)


class Row(Protocol):
    """One action: its name, menu, text, keys now and from the start (several separated by a space)."""

    @property
    def name(self) -> str: ...
    @property
    def menu(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def keys(self) -> str: ...
    @property
    def default(self) -> str: ...


class KeySheet(QDialog):
    """All actions by menu with their keys; the chosen one can be given another key.

    A key that another action has is taken from that one, and the sheet says so.
    """

    keys_changed = Signal(object)
    """All keys that differ from the start, by the name of the action."""

    def __init__(self, rows: Sequence[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keys"))
        self.resize(600, 680)
        self._rows = {row.name: row for row in rows}
        self._keys = {row.name: row.keys for row in rows}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Find an action or a key"))
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._filter)
        self._tree = QTreeWidget()
        self._build_tree()
        self._edit = QKeySequenceEdit()
        self._edit.setMaximumSequenceLength(1)
        self._edit.setAccessibleName(self.tr("New key"))
        self._edit.editingFinished.connect(self._take)
        self._remove = QPushButton(self.tr("No key"))
        self._reset = QPushButton(self.tr("Original key"))
        self._reset_all = QPushButton(self.tr("All original keys"))
        self._hint = self.tr("Choose an action, click into the field, press the new key.")
        self._note = QLabel(self._hint)
        self._note.setWordWrap(True)
        self._remove.clicked.connect(lambda: self._put(""))
        self._reset.clicked.connect(self._put_original)
        self._reset_all.clicked.connect(self._put_all_original)
        self._lay_out()
        self._fill()
        self._choose()

    def keys(self) -> Mapping[str, str]:
        """The keys that differ from the start, by the name of the action."""
        return {name: keys for name, keys in self._keys.items() if keys != self._rows[name].default}

    def _build_tree(self) -> None:
        self._tree.setColumnCount(2)
        self._tree.setHeaderLabels([self.tr("Action"), self.tr("Keys")])
        self._tree.setRootIsDecorated(False)
        self._tree.setIndentation(14)
        self._tree.setItemsExpandable(False)
        self._tree.setUniformRowHeights(True)
        self._tree.setAccessibleName(self.tr("Actions and their keys"))
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        tall = QSize(0, self.fontMetrics().height() + 8)
        self._tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._tree.header().setStretchLastSection(False)
        self._tree.currentItemChanged.connect(lambda *_: self._choose())
        self._heads: dict[str, QTreeWidgetItem] = {}
        for row in self._rows.values():
            if row.menu not in self._heads:
                head = self._heads[row.menu] = QTreeWidgetItem(self._tree, [row.menu])
                head.setFlags(Qt.ItemFlag.ItemIsEnabled)
                head.setSizeHint(0, tall)
                head.setFont(0, bold)
            item = self._items[row.name] = QTreeWidgetItem(self._heads[row.menu], [row.text])
            item.setData(0, Qt.ItemDataRole.UserRole, row.name)
            item.setSizeHint(0, tall)
        self._tree.expandAll()

    def _lay_out(self) -> None:
        close = QPushButton(self.tr("Close"))
        close.clicked.connect(self.accept)
        close.setAutoDefault(False)
        close.setMinimumWidth(90)
        edit = QHBoxLayout()
        edit.addWidget(self._edit, 1)
        for button in (self._remove, self._reset, self._reset_all):
            button.setAutoDefault(False)
            edit.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(18, 18, 18, 14)
        rows.setSpacing(12)
        rows.addWidget(self._search)
        rows.addWidget(self._tree, 1)
        rows.addWidget(self._note)
        rows.addLayout(edit)
        rows.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)

    def _chosen(self) -> str:
        item = self._tree.currentItem()
        return str(item.data(0, Qt.ItemDataRole.UserRole) or "") if item else ""

    def _choose(self) -> None:
        name = self._chosen()
        for part in (self._edit, self._remove, self._reset):
            part.setEnabled(bool(name))
        self._edit.setKeySequence(QKeySequence(self._keys.get(name, "").split(" ")[0]))

    def _take(self) -> None:
        text = self._edit.keySequence().toString()
        if " " in text:
            # Such as "Media Play": a space stands between keys in the table and in the settings.
            self._note.setText(self.tr("This key cannot be used, please choose another."))
            self._choose()
        elif self._chosen() and text != self._keys[self._chosen()].split(" ")[0]:
            self._put(text)

    def _put(self, keys: str) -> None:
        name = self._chosen()
        set_ = self.tr("{0} has a new key.") if keys else self.tr("{0} has no key now.")
        self._note.setText(self._free(keys, name) or set_.format(self._rows[name].text))
        self._keys[name] = keys
        self._tell()

    def _put_original(self) -> None:
        self._put(self._rows[self._chosen()].default)

    def _put_all_original(self) -> None:
        self._keys = {name: row.default for name, row in self._rows.items()}
        self._note.setText(self.tr("All keys are as they were from the start."))
        self._tell()

    def _free(self, keys: str, name: str) -> str:
        """Take these keys from whoever else has them; the sentence that says so, or an empty text."""
        lost = []
        for other, has in self._keys.items():
            kept = [key for key in has.split() if QKeySequence(key) not in map(QKeySequence, keys.split())]
            if other != name and len(kept) != len(has.split()):
                self._keys[other] = " ".join(kept)
                lost.append(self._rows[other].text)
        return self.tr("The key was taken from: {0}.").format(", ".join(lost)) if lost else ""

    def _tell(self) -> None:
        self._fill()
        self._choose()
        self.keys_changed.emit(self.keys())

    def _fill(self) -> None:
        native = QKeySequence.SequenceFormat.NativeText
        for name, item in self._items.items():
            shown = [QKeySequence(key).toString(native) for key in self._keys[name].split()]
            item.setText(1, "   ".join(shown))

    def _filter(self, text: str) -> None:
        wanted = text.casefold()
        for item in self._items.values():
            item.setHidden(wanted not in f"{item.text(0)} {item.text(1)}".casefold())
        for head in self._heads.values():
            shown = [item for item in self._items.values() if item.parent() is head and not item.isHidden()]
            head.setHidden(not shown)
        found = not all(head.isHidden() for head in self._heads.values())
        self._note.setText(self._hint if found else self.tr("No action and no key is called that."))
