"""The strip under the picture: one recording from beginning to end, and what is known of its frames."""

from __future__ import annotations

import html
from collections.abc import Sequence
from enum import Enum, auto

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolButton, QToolTip, QWidget

from uc_viewer.gui import theme
from uc_viewer.gui.widgets import timeline_paint as paint
from uc_viewer.gui.widgets.section import font_of
from uc_viewer.gui.widgets.timeline_rows import Mark
from uc_viewer.gui.widgets.timeline_scale import LEAST, clock
from uc_viewer.gui.widgets.timeline_strip import Lasting, Strip
from uc_viewer.gui.widgets.timeline_words import mark_said

__all__ = ["Mark", "Timeline"]

_STEP = 1.4
"""Zoom for one notch of the wheel; a button does two."""

_NOTCH = 120
"""What Qt counts for one notch."""

_SMALL = 0.88
"""Size of the font, of the window's."""

_BUTTON = 24
"""Width of the buttons at the right."""

_LEAST_RANGE = 4
"""Pixels that must be dragged for a range; less is a click."""

_JUMP = 2.0
"""Seconds beyond which a cursor is looked for, even if the user had moved the view away from it."""

_BY_TAB = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class _Drag(Enum):
    """What the mouse is moving."""

    CURSOR = auto()
    RANGE = auto()
    VIEW = auto()


class Timeline(QWidget):
    """Grades of the model and of the reader, segments and quality over the time of one recording.

    A column of pixels shows the worst grade of its frames, whatever their number. Dragging scrubs, with
    Shift or on the ruler it chooses a range; the wheel zooms about the pointer, with Shift it moves along;
    a double click shows the whole. Keys are the window's.
    """

    sought = Signal(float, bool)
    """The reader wants to be at this second; False while still dragging, True once there."""
    range_chosen = Signal(float, float)
    """From this second to that one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip = Strip(self.font())
        self._recording = False
        self._cursor: float | None = None
        self._index: int | None = None
        self._range: tuple[float | None, float | None] = (None, None)
        self._drag: _Drag | None = None
        self._pressed, self._from, self._to = 0.0, 0.0, 0.0
        self._tabbed = False
        self._buttons = self._make_buttons()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(240)
        # A click takes the keys out of a text field and gives them back to the window.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.refresh_icons()
        self._lay_out()
        self.clear()

    # Values in

    def clear(self) -> None:
        """Show that there is no recording."""
        self._take("", 0.0, 0.0, ())
        self._recording = False
        self._redraw()

    def show_recording(self, name: str, duration: float, marks: Sequence[Mark], start: float = 0.0) -> None:
        """Show another recording, all of it, without cursor, range and lasting rows as yet.

        ``duration`` in seconds; ``start``: time of its first frame by the container's clock, by which all
        times given to this widget and by it count. Raises ValueError as `Strip.take`.
        """
        self._take(name, start, duration, marks)
        self._recording = True
        self._redraw()

    def update_marks(self, marks: Sequence[Mark]) -> None:
        """Take marks in, new ones or others in place of those of the same index.

        Cheap: nothing is drawn before the event loop is reached. Late ones, after `clear`, are dropped.
        Raises ValueError as `Rows.put`.
        """
        if not self._recording:
            return
        self._strip.put(marks)
        self._redraw()
        if any(mark.index == self._index for mark in marks):
            self._describe()

    def set_cursor(self, seconds: float, index: int | None = None) -> None:
        """The reader looks at this moment, at the frame of this index; expected after every `sought`.

        A cursor that was in view is kept in view, and one that jumps is looked for; one that moves along
        while the user looks elsewhere is not. While the user drags it, the cursor stays under the pointer.
        """
        if self._drag is _Drag.CURSOR:
            return
        scale, before = self._strip.scale, self._cursor
        self._cursor, self._index = seconds, index
        looked_for = before is None or scale.shows(before) or abs(seconds - before) > _JUMP
        if seconds != before and looked_for and self._drag is None and not scale.shows(seconds):
            scale.reveal(seconds, lead=0.1)
            self._redraw()
        self._describe()
        self.update()

    def set_range(self, first: float | None, last: float | None) -> None:
        """The range that begins and ends at these seconds; None for an end that is not marked."""
        self._range = (first, last)
        self.update()

    def set_sustained(self, rows: Sequence[Lasting]) -> None:
        """Rows of frames that decided the grade: from this second to that one, which MES."""
        self._strip.sustained = tuple(rows)
        self._redraw()

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the present palette."""
        for button, name in zip(self._buttons, ("plus", "minus", "arrow-expand-horizontal"), strict=True):
            button.setIcon(theme.icon(name))

    # What is seen

    @property
    def view(self) -> tuple[float, float]:
        """The seconds between which the recording is shown."""
        return self._strip.scale.first, self._strip.scale.last

    def zoom_by(self, factor: float, x: float | None = None) -> None:
        """Come closer about a place, else about the cursor if it is in view; below 1 step back."""
        scale = self._strip.scale
        if x is None:
            seen = self._cursor is not None and scale.shows(self._cursor)
            x = scale.to_x(self._cursor) if seen and self._cursor is not None else scale.middle
        scale.zoom_by(factor, x)
        self._redraw()

    def show_whole(self) -> None:
        """Show the recording from its beginning to its end."""
        self._strip.scale.show_whole()
        self._redraw()

    def said_at(self, at: QPointF) -> str:
        """The tooltip of a place: what is known of the column there, or what the place is for."""
        return "\n".join(self._strip.said_at(at)) if self._recording else ""

    # What Qt calls

    def sizeHint(self) -> QSize:
        return QSize(640, round(self._strip.lanes.track.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def hideEvent(self, event: QHideEvent) -> None:
        # The release of a button is not told to a widget that is no longer there.
        self._drag = None

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._tell(event)
            return True
        handled = bool(super().event(event))
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.DevicePixelRatioChange):
            self._lay_out()
        return handled

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        sideways = abs(turned.x()) > abs(turned.y())
        by = turned.x() if sideways else turned.y()
        if not self._recording or not by:
            event.ignore()
            return
        if sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._strip.scale.pan_by(-by / _NOTCH * self._strip.scale.width / 8)
            self._redraw()
        else:
            self.zoom_by(_STEP ** (by / _NOTCH), event.position().x())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, lanes = event.position(), self._strip.lanes
        if event.button() != Qt.MouseButton.LeftButton or not self._recording or not lanes.track.contains(at):
            return
        if lanes.bar.contains(at) and not self._strip.scale.whole:
            self._hold_bar(at)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier or lanes.ruler.contains(at):
            self._drag, self._pressed = _Drag.RANGE, at.x()
            self._from = self._to = self._strip.scale.to_seconds(at.x())
        else:
            self._drag = _Drag.CURSOR
            self._seek(at.x(), final=False)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._drag is _Drag.CURSOR:
            self._seek(at.x(), final=False)
        elif self._drag is _Drag.RANGE:
            self._to = self._strip.scale.to_seconds(at.x())
            self.update()
        elif self._drag is _Drag.VIEW:
            self._drag_bar(at)
        else:
            self._show_shape(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        drag, self._drag = self._drag, None
        x = event.position().x()
        if drag is _Drag.RANGE and abs(x - self._pressed) >= _LEAST_RANGE:
            first, last = sorted((self._from, self._strip.scale.to_seconds(x)))
            self.set_range(first, last)
            self.range_chosen.emit(first, last)
        elif drag is _Drag.CURSOR and x == self._pressed and self._cursor is not None:
            # Beyond the edge, looking there again would take the view further still.
            self.sought.emit(self._cursor, True)
        elif drag in (_Drag.RANGE, _Drag.CURSOR):
            self._seek(x, final=True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._recording:
            self.show_whole()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._tabbed = event.reason() in _BY_TAB
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._tabbed = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(font_of(self, _SMALL))
        lanes = self._strip.lanes
        paint.draw_names(painter, lanes, self.palette().windowText().color())
        if self._recording:
            painter.drawPixmap(lanes.track.topLeft(), self._strip.layer())
            painter.setClipRect(lanes.track)
            self._paint_over(painter)
            painter.setClipping(False)
        else:
            paint.draw_words(painter, lanes, self.tr("No recording"))
        if self._tabbed:
            painter.setPen(QPen(self.palette().accent().color(), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    # How it is drawn

    def _paint_over(self, painter: QPainter) -> None:
        """What moves: range, bar and cursor; and the ruler, which makes room for it."""
        lanes, scale = self._strip.lanes, self._strip.scale
        first, last = self._range
        if self._drag is _Drag.RANGE and self._from != self._to:
            first, last = sorted((self._from, self._to))
        plate = QRectF()
        if self._cursor is not None:
            plate, _ = paint.cursor_plate(painter.font(), lanes, self._cursor, scale)
        paint.draw_ruler(painter, lanes, scale, plate)
        paint.draw_range(painter, lanes, first, last, scale)
        paint.draw_bar(painter, lanes, scale, self._cursor)
        if self._cursor is not None:
            paint.draw_cursor(painter, lanes, self._cursor, scale)

    def _make_buttons(self) -> tuple[QToolButton, ...]:
        made = []
        for text, act in (
            (self.tr("Zoom in (wheel)"), lambda: self.zoom_by(_STEP**2)),
            (self.tr("Zoom out (wheel)"), lambda: self.zoom_by(_STEP**-2)),
            (self.tr("Whole recording (double click)"), self.show_whole),
        ):
            button = QToolButton(self)
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolTip(text)
            button.setAccessibleName(text)
            button.clicked.connect(act)
            made.append(button)
        return tuple(made)

    def _lay_out(self) -> None:
        self._strip.lay_out(self.width(), _BUTTON + 2, font_of(self, _SMALL), self.devicePixelRatioF())
        track = self._strip.lanes.track
        height = round(track.height())
        if (self.minimumHeight(), self.maximumHeight()) != (height, height):
            self.setFixedHeight(height)
        third = height / len(self._buttons)
        for place, button in enumerate(self._buttons):
            top, bottom = round(place * third), round((place + 1) * third)
            button.setGeometry(round(track.right()) + 1, top, _BUTTON, bottom - top)
        self._redraw()

    # What is said

    def _tell(self, event: QHelpEvent) -> None:
        lines = self.said_at(QPointF(event.pos())).splitlines()
        # Escaped, since a name or a reason may hold what looks like markup.
        text = "<br>".join(html.escape(line) for line in lines)
        area = QRect(event.pos().x() - 1, event.pos().y() - 2, 3, 5)
        QToolTip.showText(event.globalPos(), text and f"<p style='white-space:pre'>{text}</p>", self, area)

    def _describe(self) -> None:
        """Say to a screen reader where the cursor is and what is known of its frame."""
        said = []
        if self._cursor is not None:
            words = self.tr("cursor at {0} of {1}")
            said.append(words.format(clock(self._cursor), clock(self._strip.scale.end, exact=False)))
        place = None if self._index is None else self._strip.rows.find(self._index)
        if place is not None:
            said += mark_said(self._strip.rows.mark(place))[1:]
        self.setAccessibleDescription("; ".join(said))

    # State

    def _take(self, name: str, start: float, duration: float, marks: Sequence[Mark]) -> None:
        self._strip.take(name, start, duration, marks)
        self._cursor, self._index, self._range, self._drag = None, None, (None, None), None
        self.setAccessibleName(self.tr("Timeline of {0}").format(name) if name else self.tr("Timeline"))
        self._describe()

    def _redraw(self) -> None:
        """Draw anew what changed, and offer what makes sense."""
        self._strip.redraw()
        closer, back, whole = self._buttons
        closer.setEnabled(self._recording and self._strip.scale.span > LEAST)
        for button in (back, whole):
            button.setEnabled(self._recording and not self._strip.scale.whole)
        self.update()

    def _seek(self, x: float, final: bool) -> None:
        scale = self._strip.scale
        seconds = scale.to_seconds(x)
        if not scale.shows(seconds):
            # Beyond the edge of a zoomed view: the view comes along.
            scale.reveal(seconds)
            self._redraw()
        self._pressed, self._cursor, self._index = x, seconds, None
        self._describe()
        self.update()
        self.sought.emit(seconds, final)

    def _hold_bar(self, at: QPointF) -> None:
        thumb = paint.thumb_of(self._strip.lanes, self._strip.scale)
        # Beside the thumb: it comes under the pointer by its middle.
        self._pressed = at.x() - thumb.left() if thumb.contains(at) else thumb.width() / 2
        self._drag = _Drag.VIEW
        self._drag_bar(at)

    def _drag_bar(self, at: QPointF) -> None:
        bar, thumb = self._strip.lanes.bar, paint.thumb_of(self._strip.lanes, self._strip.scale)
        share = (at.x() - self._pressed - bar.left()) / max(1.0, bar.width() - thumb.width())
        self._strip.scale.pan_to(share)
        self._redraw()

    def _show_shape(self, at: QPointF) -> None:
        """The pointer tells what a press would do."""
        lanes, shape = self._strip.lanes, Qt.CursorShape.ArrowCursor
        if self._recording and lanes.bar.contains(at) and not self._strip.scale.whole:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._recording and lanes.ruler.contains(at):
            shape = Qt.CursorShape.IBeamCursor
        self.setCursor(shape)
