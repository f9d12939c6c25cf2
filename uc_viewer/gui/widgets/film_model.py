"""All frames of a case, those that are shown in their order, and which of them are chosen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QImage

from uc_viewer.case import Duplicate, FrameKey, FrameReading, Unreadable
from uc_viewer.grades import MES
from uc_viewer.gui.widgets.film_frames import FilmFrame, Filter, Item, Order, Show, Wanted, severity

Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
_Flag = QItemSelectionModel.SelectionFlag

THUMBNAILS = 3000
"""Thumbnails kept; about 250 MB of the largest ones."""

PATIENCE = 1000
"""Milliseconds that answers are gathered before the frames are sorted once for all of them."""


class FilmModel(QAbstractListModel):
    """Rows are the frames that are shown. It keeps their selection too, which all its views share.

    Answers that come in while a run goes on move frames to their places once a second at most. What the
    reader says moves and hides nothing until filter or order are chosen again: a frame that vanished, or
    went to its new place with the reader, would make the next key meet another one.
    """

    thumbnail_wanted = Signal(object)
    """A frame is on the screen without its thumbnail: its `FrameKey`. Told once."""
    shown_changed = Signal(int, int)
    """So many frames are shown, of so many."""
    about_to_arrange = Signal(bool)
    """Rows are going to be other frames: True by the user's wish, False because answers came in."""
    arranged = Signal()
    """Rows are other frames now; the current and the selected ones are as before if they are still shown."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frames: list[FilmFrame] = []
        self._number: dict[FrameKey, int] = {}
        self._shown: list[int] = []
        self._row: dict[int, int] | None = None
        self._filter, self._wanted, self._order = Filter(), Filter().wanted, Order.LISTED
        self._ai_shown = True
        self._just_read: set[int] = set()
        self._kept_ranks: dict[int, float] = {}
        self._thumbnails: OrderedDict[FrameKey, QImage] = OrderedDict()
        self._asked: set[FrameKey] = set()
        self._last_current: FrameKey | None = None
        self.selection = QItemSelectionModel(self, self)
        self._timer = QTimer(self, singleShot=True, interval=PATIENCE)
        self._timer.timeout.connect(self._arrange)

    # Frames in

    def add(self, keys: Sequence[FrameKey]) -> None:
        """Add frames at the end; those that are there already are passed over."""
        first = len(self._frames)
        for key in keys:
            if key not in self._number:
                self._number[key] = len(self._frames)
                self._frames.append(FilmFrame(len(self._frames), key))
        # A frame of which nothing is known comes last in every order: none needs to be moved.
        shown = [frame.number for frame in self._frames[first:] if self._wanted(frame)]
        if shown:
            row = len(self._shown)
            self.beginInsertRows(QModelIndex(), row, row + len(shown) - 1)
            self._shown.extend(shown)
            if self._row is not None:
                self._row.update(zip(shown, range(row, row + len(shown)), strict=True))
            self.endInsertRows()
        self._tell_shown()

    def clear(self) -> None:
        """Forget all frames; filter and order stay."""
        self._timer.stop()
        self.about_to_arrange.emit(True)
        self.beginResetModel()
        for held in (self._frames, self._number, self._shown, self._asked, self._thumbnails):
            held.clear()
        self._let_go()
        self._row, self._last_current = None, None
        self.endResetModel()
        self.arranged.emit()
        self._tell_shown()

    def set_item(self, item: Item) -> None:
        """Take what became of a frame: its scores, or why there are none."""
        if (number := self._number.get(item.key)) is not None:
            before = self._frames[number]
            self._frames[number] = before.with_item(item)
            self._tell_changed([number])
            if self._differs(before, self._frames[number]) and not self._timer.isActive():
                self._timer.start()

    def forget_items(self) -> None:
        """Drop all scores; the frames and what the reader said of them stay."""
        self._frames = [frame.with_item(None) for frame in self._frames]
        self._arrange()

    def set_reading(self, key: FrameKey, reading: FrameReading) -> None:
        """Take what the reader says of a frame."""
        self.set_readings({key: reading})

    def set_readings(self, readings: Mapping[FrameKey, FrameReading]) -> None:
        """Take what the reader says of some frames; for many far quicker than one by one."""
        numbers = [number for key in readings if (number := self._number.get(key)) is not None]
        for number in numbers:
            before = self._frames[number]
            after = before.with_reading(readings[before.key])
            self._frames[number] = after
            self._just_read.add(number)
            rank = self._order.rank(self._told(before))
            if rank != self._order.rank(self._told(after)):
                self._kept_ranks.setdefault(number, rank)
        self._tell_changed(numbers)

    def set_thumbnail(self, key: FrameKey, image: QImage) -> None:
        """Take the thumbnail of a frame; a null image says that it cannot be opened."""
        if (number := self._number.get(key)) is None:
            return
        self._thumbnails[key] = image
        self._thumbnails.move_to_end(key)
        self._asked.add(key)
        if len(self._thumbnails) > THUMBNAILS:
            dropped, _ = self._thumbnails.popitem(last=False)
            self._asked.discard(dropped)
        self._tell_changed([number])

    def set_ai_shown(self, shown: bool) -> None:
        """Tell what the model says, or keep it back entirely: marks, filter and order go without it."""
        if shown != self._ai_shown:
            self._ai_shown = shown
            # A place that was kept would tell what the model said.
            self._let_go()
            self._arrange(by_wish=True)

    def set_filter(self, chosen: Filter) -> None:
        """Show only some frames."""
        self._filter, self._wanted = chosen, chosen.wanted
        self._let_go()
        self._arrange(by_wish=True)

    def set_order(self, order: Order) -> None:
        """Show the frames in another order."""
        self._order = order
        self._let_go()
        self._arrange(by_wish=True)

    # Frames out

    @property
    def of_all(self) -> int:
        """How many frames there are, shown or not."""
        return len(self._frames)

    @property
    def ai_shown(self) -> bool:
        """True while what the model says is told."""
        return self._ai_shown

    def frame(self, row: int) -> FilmFrame:
        """The frame of a row. Raises IndexError."""
        return self._told(self._frames[self._shown[row]])

    def shown_keys(self) -> list[FrameKey]:
        """The frames that are shown, in order."""
        return [self._frames[number].key for number in self._shown]

    def row_of(self, key: FrameKey | None) -> int:
        """The row of a frame, or -1 where it is not shown."""
        if key is None or (number := self._number.get(key)) is None:
            return -1
        return self._rows().get(number, -1)

    def thumbnail(self, row: int) -> QImage | None:
        """The thumbnail of a row; where there is none yet, None, and it is asked for."""
        key = self._frames[self._shown[row]].key
        image = self._thumbnails.get(key)
        if image is not None:
            self._thumbnails.move_to_end(key)
        elif key not in self._asked:
            self._asked.add(key)
            self.thumbnail_wanted.emit(key)
        return image

    # Ways through the frames

    def step_from(self, key: FrameKey | None, by: int) -> FrameKey | None:
        """The frame so many rows further on (or back, below 0), at most the last or first; None of none."""
        if not self._shown:
            return None
        row = self.row_of(key)
        # From nowhere, one step on is the first frame and one step back is the last.
        start = row if row >= 0 else (-1 if by > 0 else len(self._shown))
        return self.frame(max(0, min(start + by, len(self._shown) - 1))).key

    def next_where(self, key: FrameKey | None, wanted: Wanted, step: int = 1) -> FrameKey | None:
        """The nearest wanted frame after this one (before it, with ``step`` -1); None where none is."""
        row = self.row_of(key)
        start = row if row >= 0 else (-1 if step > 0 else len(self._shown))
        end = len(self._shown) if step > 0 else -1
        found = (frame.key for row in range(start + step, end, step) if wanted(frame := self.frame(row)))
        return next(found, None)

    def worst(self) -> FrameKey | None:
        """The frame the model finds worst, the surest of several; None while there is none with a grade."""
        frames = (self.frame(row) for row in range(len(self._shown)))
        worst = max(frames, key=severity, default=None)
        return worst.key if worst is not None and severity(worst)[0] >= 0 else None

    # The chosen frames

    @property
    def current_key(self) -> FrameKey | None:
        """The frame that is looked at, None while there is none."""
        index = self.selection.currentIndex()
        return self.frame(index.row()).key if index.isValid() else None

    def go_to(self, key: FrameKey) -> None:
        """Look at a frame, and select it alone. Nothing happens where it is not shown."""
        if (row := self.row_of(key)) >= 0:
            self.selection.setCurrentIndex(self.index(row, 0), _Flag.ClearAndSelect)

    def select_all(self) -> None:
        """Select all frames that are shown; the one that is looked at stays."""
        if self._shown:
            last = self.index(len(self._shown) - 1, 0)
            self.selection.select(QItemSelection(self.index(0, 0), last), _Flag.ClearAndSelect)

    def selected_keys(self) -> list[FrameKey]:
        """The selected frames, in the order in which they are shown."""
        return [self._frames[number].key for number in self._selected_numbers()]

    # Qt's questions

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == _Role.DisplayRole:
            return self.frame(index.row()).key[0]
        if role in (_Role.AccessibleTextRole, _Role.ToolTipRole):
            parts = self._words(self.frame(index.row()))
            return ", ".join(parts) if role == _Role.AccessibleTextRole else "\n".join(parts)
        return None

    # Within

    def _rows(self) -> dict[int, int]:
        """The row of every frame that is shown, by its number."""
        if self._row is None:
            self._row = {number: row for row, number in enumerate(self._shown)}
        return self._row

    def _told(self, frame: FilmFrame) -> FilmFrame:
        return frame if self._ai_shown else frame.blinded()

    def _selected_numbers(self) -> list[int]:
        parts = sorted((part.top(), part.bottom() + 1) for part in self.selection.selection().toList())
        return [number for first, end in parts for number in self._shown[first:end]]

    def _let_go(self) -> None:
        """Let frames the reader dealt with go where filter and order want them."""
        self._just_read.clear()
        self._kept_ranks.clear()

    def _tell_changed(self, numbers: Sequence[int]) -> None:
        places = self._rows()
        rows = [places[number] for number in numbers if number in places]
        if rows:
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), 0))

    def _tell_shown(self) -> None:
        self.shown_changed.emit(len(self._shown), len(self._frames))

    def _differs(self, before: FilmFrame, after: FilmFrame) -> bool:
        """True when a frame has to be shown, hidden or moved for what is known of it now."""
        before, after = self._told(before), self._told(after)
        return self._wanted(before) != self._wanted(after) or self._order.rank(before) != self._order.rank(
            after
        )

    def _arrange(self, by_wish: bool = False) -> None:
        """Filter and sort, keeping current and selected frames."""
        self._timer.stop()
        current, selected = self.current_key or self._last_current, self._selected_numbers()
        row = self.selection.currentIndex().row()
        self.about_to_arrange.emit(by_wish)
        self.beginResetModel()
        self._shown, self._row = self._sorted(), None
        self.endResetModel()
        self._choose_again(current, row, selected)
        self.arranged.emit()
        self._tell_shown()

    def _sorted(self) -> list[int]:
        told = self._frames if self._ai_shown else [frame.blinded() for frame in self._frames]
        numbers = list(range(len(told)))
        if self._filter.show is not Show.EVERYTHING:
            # What the reader has just dealt with stays where it was shown.
            kept = self._just_read.intersection(self._shown)
            wanted = self._wanted
            numbers = [frame.number for frame in told if wanted(frame) or frame.number in kept]
        if self._order is not Order.LISTED:
            rank = self._order.rank
            ranks = {number: rank(told[number]) for number in numbers} | self._kept_ranks
            numbers.sort(key=ranks.__getitem__)
        return numbers

    def _choose_again(self, current: FrameKey | None, row: int, selected: Sequence[int]) -> None:
        """Make frames current and selected as before; where the current one is gone, what is in its place."""
        self._last_current = current
        if not self._shown or current is None:
            return
        places = self._rows()
        rows = sorted(places[number] for number in selected if number in places)
        found = self.row_of(current)
        if found < 0:
            found = max(0, min(row, len(self._shown) - 1))
            rows = rows or [found]
        chosen = QItemSelection()
        for first, last in _stretches(rows):
            chosen.select(self.index(first, 0), self.index(last, 0))
        self.selection.select(chosen, _Flag.ClearAndSelect)
        self.selection.setCurrentIndex(self.index(found, 0), _Flag.NoUpdate)

    def _words(self, frame: FilmFrame) -> list[str]:
        """All that is known of a frame, in words."""
        reading = frame.reading
        words = [self.tr("{0} of {1}").format(frame.number + 1, len(self._frames)), frame.name]
        if isinstance(frame.item, Unreadable):
            words.append(self.tr("cannot be opened: {0}").format(frame.item.reason))
        elif isinstance(frame.item, Duplicate):
            words.append(self.tr("the same picture as {0}").format(frame.item.of))
        elif frame.reject_reason:
            words.append(self.tr("not scored: {0}").format(frame.reject_reason))
        if frame.ai is not None:
            words.append(self.tr("AI {0}").format(MES[frame.ai].accessible_name))
        if close := frame.close_call:
            words.append(self.tr("close call {0}–{1}").format(*close))
        if reading.grade is not None:
            words.append(self.tr("reader {0}").format(MES[reading.grade].accessible_name))
        if reading.segment is not None:
            words.append(reading.segment.value)
        if reading.rejected:
            words.append(self.tr("rejected by the reader"))
        if reading.key_image:
            words.append(self.tr("key image"))
        return words


def _stretches(rows: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of every stretch of rows that follow one another; ``rows`` rise."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and found[-1][1] == row - 1:
            found[-1] = (found[-1][0], row)
        else:
            found.append((row, row))
    return found
