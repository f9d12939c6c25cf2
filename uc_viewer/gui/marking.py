"""What the reader says of the chosen frames, and how frames are chosen by stretch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QObject, Signal

from uc_viewer.case import FrameKey, Segment
from uc_viewer.gui.actions import GRADES, SEGMENTS, Actions, Do
from uc_viewer.gui.browsing import Browsing
from uc_viewer.gui.session import Session
from uc_viewer.gui.workbench import Workbench


class Marking(QObject):
    """Wires the reader's keys and panel to the session, for the frames chosen in `Browsing`."""

    range_changed = Signal(object, object)
    """The reader marked a stretch of the recording: its ends in seconds, None where there is none (yet)."""
    about_to_read = Signal()
    """The reader says something of the frame on the screen, or begins to write: nothing may move on."""

    def __init__(self, session: Session, bench: Workbench, actions: Actions, browsing: Browsing) -> None:
        super().__init__(bench)
        self._session, self._bench, self._browsing = session, bench, browsing
        self._film, self._actions = bench.film_model, actions
        self._mark: FrameKey | None = None
        self._stretch: tuple[str, float, float] | None = None
        self._wire_actions()
        self._wire_panel()
        session.began.connect(self.forget_range)

    def forget_range(self) -> None:
        """Nothing is marked any more."""
        self._mark = self._stretch = None
        self.range_changed.emit(None, None)

    def range_of(self, source_file: str) -> tuple[float | None, float | None]:
        """Where the stretch marked in this recording begins and ends, in seconds; None where it is open."""
        if self._stretch and self._stretch[0] == source_file:
            return self._stretch[1:]
        begun = self._mark is not None and self._mark[0] == source_file
        return self._browsing.time_of(self._mark) if begun else None, None

    def _wire_actions(self) -> None:
        on = self._on
        for do, value in GRADES.items():
            on(do, lambda value=value: self.grade(value))
        for do, segment in SEGMENTS.items():
            on(do, lambda segment=segment: self.tag(segment))
        on(Do.CLEAR, lambda: self.grade(None))
        on(Do.NO_SEGMENT, lambda: self.tag(None))
        on(Do.REJECT, lambda: self._toggle(self.tr("reject frame"), "rejected"))
        on(Do.KEY_IMAGE, lambda: self._toggle(self.tr("key image"), "key_image"))
        on(Do.COMMENT, self._comment)
        on(Do.MARK_IN, self._mark_here)
        on(Do.MARK_OUT, self._select_range)
        on(Do.SELECT_ALL, self._film.select_all)

    def _wire_panel(self) -> None:
        panel = self._bench.scores.reader
        panel.grade_given.connect(self.grade)
        panel.segment_given.connect(self.tag)
        panel.reason_given.connect(lambda reason: self._read(self.tr("reason"), reason=reason))
        panel.rejected_given.connect(lambda on: self._read(self.tr("reject frame"), rejected=on))
        panel.key_image_given.connect(lambda on: self._read(self.tr("key image"), key_image=on))
        panel.comment_given.connect(self._take_comment)

    def _on(self, do: Do, does: Any) -> None:
        self._actions[do].triggered.connect(lambda _checked=False: does())

    def grade(self, grade: int | None) -> None:
        """Give the chosen frames a reader grade, or take it away."""
        name = self.tr("clear grade") if grade is None else f"MES {grade}"
        # A reason belongs to the grade it was given for.
        self._read(name, grade=grade, reason="")

    def tag(self, segment: Segment | None) -> None:
        """Say in which segment the chosen frames were taken."""
        self._read(segment.value if segment else self.tr("no segment"), segment=segment)

    def _read(self, text: str, **changes: object) -> None:
        browsing = self._browsing
        if keys := browsing.chosen:
            self.about_to_read.emit()
            if len(keys) == 1 and keys[0] != browsing.wanted:
                browsing.look(keys[0])  # what is read is what is seen
            self._session.reader.read(keys, text, **changes)

    def _comment(self) -> None:
        self.about_to_read.emit()
        self._bench.scores.reader.edit_comment()

    def _take_comment(self, text: str) -> None:
        """A comment is told when the reader turns to something else, which is not to be hindered."""
        if keys := self._browsing.chosen:
            self._session.reader.read(keys, self.tr("comment"), comment=text)

    def _toggle(self, text: str, field: str) -> None:
        """Switch a mark on for all chosen frames, or off where all have it."""
        reader = self._session.reader
        self._read(text, **{field: not all(getattr(reader.of(key), field) for key in self._browsing.chosen)})

    def select_times(self, first: float, last: float) -> None:
        """Mark a stretch of the recording between two times, in seconds; its scored frames are chosen."""
        key, recording = self._browsing.shown, self._session.recording(self._browsing.shown)
        if key is None or recording is None or recording.times is None:
            return
        times = recording.times
        keys = [(key[0], index) for index in recording.sampled if first <= times[index] <= last]
        rows = [row for each in keys if (row := self._film.row_of(each)) >= 0]
        self._stretch = key[0], first, last
        self.range_changed.emit(first, last)
        if len(rows) > 1:
            self._select(rows)
        elif rows:
            self._browsing.look(self._film.frame(rows[0]).key)
        else:
            self._bench.toasts.tell(
                self.tr("No scored frame is shown in this stretch: choose a longer one, or show all frames.")
            )

    def _mark_here(self) -> None:
        """A range begins at the frame that is looked at."""
        self._mark, self._stretch = self._browsing.shown, None
        self.range_changed.emit(self._browsing.time_of(self._mark), None)

    def _select_range(self) -> None:
        """Select from the marked frame to the one that is looked at."""
        ends = (self._browsing.time_of(self._mark), self._browsing.time_of(self._browsing.shown))
        if (
            self._mark
            and self._browsing.shown
            and self._mark[0] == self._browsing.shown[0]
            and None not in ends
        ):
            first, last = sorted(ends)  # type: ignore[type-var]
            self.select_times(first, last)  # type: ignore[arg-type]
            return
        first_row, last_row = sorted(
            (self._film.row_of(self._browsing.scored(self._mark)), self._film.row_of(self._browsing.current))
        )
        if first_row >= 0:
            self._select(range(first_row, last_row + 1))

    def _select(self, rows: Iterable[int]) -> None:
        chosen = QItemSelection()
        for row in rows:
            chosen.select(self._film.index(row, 0), self._film.index(row, 0))
        self._film.selection.select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
