"""What the reader says of a case, with undo, and the summary that follows from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from uc_viewer.case import UNREAD, Case, FrameKey, FrameReading, FrameResult, Reading, Unreadable
from uc_viewer.gui.edits import Edit
from uc_viewer.indices import Summary, Tally


class Reader(QObject):
    """The reader's part of the `Session`: every change is one step that can be undone and done again."""

    case_changed = Signal(object)
    """The `Case` has other details."""
    readings_changed = Signal(object)
    """The reader says something else of these frames: `FrameReading` by `FrameKey`."""
    comment_changed = Signal(str)
    """The overall comment is another, or the definition of the grades."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.edits = QUndoStack(self)
        self.begin(Case())

    def begin(self, case: Case) -> None:
        """Begin another case, about which nothing is said yet."""
        self.case, self.comment, self.definition = case, "", "standard"
        self._readings: dict[FrameKey, FrameReading] = {}
        self.uncount()
        self.edits.clear()

    @property
    def reading(self) -> Reading:
        """All the reader says so far."""
        return Reading(dict(self._readings), self.comment, self.definition)

    @property
    def unsaved(self) -> bool:
        """True while the reader said something that is in no report yet."""
        return not self.edits.isClean()

    def of(self, key: FrameKey) -> FrameReading:
        """What the reader says of one frame."""
        return self._readings.get(key, UNREAD)

    def read(self, keys: Collection[FrameKey], text: str, **changes: object) -> None:
        """Change fields of the readings of some frames.

        ``text`` names the step; ``changes`` are fields of `FrameReading`.
        """
        self.read_each({key: replace(self.of(key), **changes) for key in keys}, text)  # type: ignore[arg-type]

    def read_each(self, after: Mapping[FrameKey, FrameReading], text: str) -> None:
        """Give some frames new readings."""
        new = {key: reading for key, reading in after.items() if reading != self.of(key)}
        if new:
            self.edits.push(Edit(text, self._put_readings, {key: self.of(key) for key in new}, new))

    def comment_on_all(self, comment: str, text: str) -> None:
        """Change the overall comment."""
        if comment != self.comment:
            self.edits.push(Edit(text, self._put_comment, self.comment, comment))

    def describe(self, case: Case, text: str) -> None:
        """Change who and what was examined."""
        if case != self.case:
            self.edits.push(Edit(text, self._put_case, self.case, case))

    def choose_definition(self, name: str) -> None:
        """Change the definition of the grades the reader goes by, a key of `uc_viewer.grades.DEFINITIONS`."""
        if name != self.definition:
            self.edits.push(Edit(self.tr("definition"), self._put_definition, self.definition, name))

    def count(self, key: FrameKey, item: FrameResult | Unreadable) -> None:
        """Take the model's answer about a frame into the summary."""
        self._items[key] = item
        self._tally.add(item, self.of(key))

    def uncount(self) -> None:
        """Take all the model's answers out of the summary; what the reader said stays."""
        self._items: dict[FrameKey, FrameResult | Unreadable] = {}
        self._tally = Tally()

    def summary(self) -> Summary:
        """Counts, worst grades and agreement as they stand; cheap."""
        return self._tally.summary()

    def _put_readings(self, readings: Mapping[FrameKey, FrameReading]) -> None:
        for key, reading in readings.items():
            if item := self._items.get(key):
                self._tally.remove(item, self.of(key))
                self._tally.add(item, reading)
            self._readings[key] = reading
            if reading == UNREAD:
                del self._readings[key]
        self.readings_changed.emit(dict(readings))

    def _put_comment(self, comment: str) -> None:
        self.comment = comment
        self.comment_changed.emit(comment)

    def _put_definition(self, name: str) -> None:
        self.definition = name
        self.comment_changed.emit(self.comment)

    def _put_case(self, case: Case) -> None:
        self.case = case
        self.case_changed.emit(case)
