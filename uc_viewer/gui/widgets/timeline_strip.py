"""One recording laid out on a strip: its frames, the stretch that is shown, and the picture of both, kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QPointF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPixmap

from uc_viewer.grades import MES
from uc_viewer.gui.widgets import timeline_paint as paint
from uc_viewer.gui.widgets.timeline_paint import Lanes
from uc_viewer.gui.widgets.timeline_rows import KEY_IMAGE, Columns, Mark, Rows
from uc_viewer.gui.widgets.timeline_scale import Scale, clock
from uc_viewer.gui.widgets.timeline_words import column_said, lasting_said, row_names

Lasting = tuple[float, float, int]
"""A row of frames that decided the grade: from this second to that one, which MES."""


class Strip:
    """What the timeline shows, without the user's doings.

    Whoever changes rows, scale or lanes calls `redraw`; until then columns and picture are those made once.
    """

    def __init__(self, font: QFont) -> None:
        self.name = ""
        self.rows, self.scale = Rows(), Scale()
        self.sustained: tuple[Lasting, ...] = ()
        self.lanes = Lanes.of(1, 1, 1, font)
        self._font, self._ratio = font, 1.0
        self._columns: Columns | None = None
        self._layer: QPixmap | None = None

    def take(self, name: str, start: float, duration: float, marks: Sequence[Mark]) -> None:
        """Take another recording and show all of it. Raises ValueError as `Rows.put`, and for no duration."""
        if not 0 <= duration < math.inf:
            raise ValueError(f"a recording cannot last {duration} s")
        rows = Rows()
        rows.put(marks)
        self.name, self.rows, self.sustained = name, rows, ()
        self.scale.set_whole(start, start + duration)
        self._cover()

    def put(self, marks: Sequence[Mark]) -> None:
        """Take marks in. Raises ValueError as `Rows.put`."""
        self.rows.put(marks)
        self._cover()

    def lay_out(self, width: float, right: float, font: QFont, ratio: float) -> None:
        """Fit into a width, of which the right is left free; ``ratio`` screen pixels make one of Qt's own."""
        names = max(QFontMetricsF(font).horizontalAdvance(name) for name in row_names()) + paint.AROUND
        names = math.ceil(min(max(names, paint.LEAST_NAMES), width / 4))
        self.lanes, self._font, self._ratio = Lanes.of(width, names, right, font), font, ratio
        self.scale.set_room(self.lanes.track.left(), self.lanes.track.width())
        self.redraw()

    def redraw(self) -> None:
        """Forget columns and picture."""
        self._columns = self._layer = None

    def layer(self) -> QPixmap:
        """The picture of the track: all but range and cursor."""
        if self._layer is None:
            track, ratio = self.lanes.track, self._ratio
            self._layer = QPixmap(math.ceil(track.width() * ratio), math.ceil(track.height() * ratio))
            self._layer.setDevicePixelRatio(ratio)
            painter = QPainter(self._layer)
            painter.setFont(self._font)
            painter.translate(-track.topLeft())
            paint.draw_rows(painter, self.lanes, self._reduced(), self._step, ratio)
            paint.draw_brackets(painter, self.lanes, self.sustained, self.scale)
            paint.draw_keys(painter, self.lanes, self._reduced(), self._step / ratio)
            painter.end()
        return self._layer

    def said_at(self, at: QPointF) -> list[str]:
        """What is known of the column at a place, or what the place is for, line by line."""
        translate = QCoreApplication.translate
        if self.lanes.names.contains(at):
            grades = "; ".join(grade.accessible_name for grade in MES)
            return [self.name, translate("Timeline", "The taller the bar, the worse: {0}").format(grades)]
        moment = self.scale.to_seconds(at.x())
        if not self.lanes.track.contains(at) or self.lanes.bar.contains(at):
            return []
        if self.lanes.ruler.contains(at):
            key = [translate("Timeline", "Key image")] if self._key_near(at.x()) else []
            return [clock(moment), *key, translate("Timeline", "Drag to choose a range")]
        lines = column_said(self.rows, self._reduced(), self._column_at(at.x()))
        if not lines:
            lines = [clock(moment), translate("Timeline", "No frame sampled here, or none yet")]
        return [*lines, *lasting_said(self.sustained, moment)]

    @property
    def _step(self) -> int:
        """Pixels of the screen to a column: on a fine screen a single one is too thin to be seen."""
        return max(1, round(self._ratio))

    def _reduced(self) -> Columns:
        if self._columns is None:
            width = self._step / self._ratio
            count = math.ceil(self.lanes.track.width() / width)
            self._columns = self.rows.columns(self.scale.edges(count, width))
        return self._columns

    def _column_at(self, x: float) -> int:
        column = int((x - self.lanes.track.left()) * self._ratio / self._step)
        return min(max(column, 0), len(self._reduced()) - 1)

    def _key_near(self, x: float) -> bool:
        """True where a key image hangs from the ruler."""
        column, reach = self._column_at(x), round(paint.KEY_REACH * self._ratio / self._step)
        return bool(self._reduced().counts[KEY_IMAGE][max(0, column - reach) : column + reach + 1].any())

    def _cover(self) -> None:
        """Let the recording reach from its first frame to the end of its last, whatever its duration says."""
        if len(self.rows):
            first, last = float(self.rows.seconds[0]), float(self.rows.seconds[-1])
            self.scale.extend(first, last if last < self.scale.end else last + self.rows.usual)
        self.redraw()
