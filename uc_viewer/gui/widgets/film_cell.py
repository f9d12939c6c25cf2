"""How one frame of the film is drawn: its thumbnail, what is known of it in the corners, its name below."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPalette, QPen, QPixmap, QPolygonF

from uc_viewer.case import Duplicate, Segment, Unreadable
from uc_viewer.grades import DARK_INK, MES, Grade
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.film_frames import FilmFrame
from uc_viewer.gui.widgets.grade_fill import chip

_DARK_PLATE, _DARK_PLATE_INK = QColor(0, 0, 0, 200), QColor("#f2f2f4")
_LIGHT_PLATE, _LIGHT_PLATE_INK = QColor("#ffffff"), QColor(DARK_INK)
_STAR = QColor("#ffd257")
_STAR_POINTS = (
    *((0.0, -1.0), (0.25, -0.35), (0.95, -0.31), (0.4, 0.13), (0.59, 0.81)),
    *((0.0, 0.43), (-0.59, 0.81), (-0.4, 0.13), (-0.95, -0.31), (-0.25, -0.35)),
)
_TICK = ((0.0, 0.55), (0.35, 0.9), (1.0, 0.1))
_EDGE = 4.0
"""Between a cell and what is in it, and between a thumbnail and the plates in its corners."""

_PICTURE_LINES = 7.6
"""Most lines of text that a thumbnail is high."""

_FACES = 200
"""Drawn pictures kept: more than a screen holds."""


@dataclass(frozen=True)
class CellState:
    """How a cell is shown: chosen or not, looked at or not, in which colours."""

    palette: QPalette
    selected: bool = False
    current: bool = False


def cell_height(font: QFont, width: float) -> int:
    """The height of a cell of some width: a picture of 4:3 at most, and a line for its name."""
    line = _line(font)
    picture = min((width - 3 * _EDGE) * 3 / 4, line * _PICTURE_LINES)
    return round(picture + line + 4 * _EDGE)


def _line(font: QFont) -> int:
    return round(QFontMetricsF(font).height())


class CellPainter:
    """Draws cells; keeps pictures with their marks for the next time, while they stay as they are."""

    def __init__(self) -> None:
        self._faces: OrderedDict[int, tuple[tuple[object, ...], QPixmap]] = OrderedDict()

    def clear(self) -> None:
        """Draw all anew, in another font perhaps."""
        self._faces.clear()

    def draw(
        self, painter: QPainter, cell: QRectF, frame: FilmFrame, image: QImage | None, state: CellState
    ) -> None:
        """Draw a frame; ``image`` is None while it is awaited, and null where it cannot be opened."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = cell.adjusted(_EDGE / 2, _EDGE / 2, -_EDGE / 2, -_EDGE / 2)
        _draw_ground(painter, body, state)
        line = _line(painter.font())
        inner = body.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        _draw_name(painter, QRectF(inner.left(), inner.bottom() - line, inner.width(), line), frame, state)
        picture = inner.adjusted(0, 0, 0, -line - _EDGE)
        painter.drawPixmap(picture.topLeft(), self._face(painter, picture.size(), frame, image))
        if not state.selected:
            # Without it the dark ground of a picture that is still awaited is not seen in the dark theme.
            painter.setPen(QPen(state.palette.color(QPalette.ColorRole.Mid), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(picture.adjusted(0.5, 0.5, -0.5, -0.5), 2.5, 2.5)
        painter.restore()

    def _face(self, painter: QPainter, size: QSizeF, frame: FilmFrame, image: QImage | None) -> QPixmap:
        ratio = painter.device().devicePixelRatio()
        key = -1 if image is None else image.cacheKey()
        look = (frame, key, size.width(), size.height(), ratio)
        kept = self._faces.get(frame.number)
        if kept is not None and kept[0] == look:
            self._faces.move_to_end(frame.number)
            return kept[1]
        face = QPixmap(round(size.width() * ratio), round(size.height() * ratio))
        face.setDevicePixelRatio(ratio)
        face.fill(Qt.GlobalColor.transparent)
        on_face = QPainter(face)
        on_face.setFont(painter.font())
        _draw_face(on_face, QRectF(0, 0, size.width(), size.height()), frame, image)
        on_face.end()
        self._faces[frame.number] = look, face
        self._faces.move_to_end(frame.number)
        if len(self._faces) > _FACES:
            self._faces.popitem(last=False)
        return face


def _draw_face(painter: QPainter, area: QRectF, frame: FilmFrame, image: QImage | None) -> None:
    """The thumbnail on the canvas, and what is known of it in its corners."""
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.CANVAS)
    painter.drawRoundedRect(area, 3, 3)
    if isinstance(frame.item, Unreadable) or (image is not None and image.isNull()):
        _draw_broken(painter, area)
    elif image is not None:
        dim = frame.reading.rejected or isinstance(frame.item, Duplicate)
        _draw_image(painter, area, image, 0.35 if dim else 1.0)
    if frame.reading.rejected:
        _draw_struck(painter, area)
    _draw_corners(painter, area.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE), frame)


def _draw_ground(painter: QPainter, body: QRectF, state: CellState) -> None:
    """The frame that is looked at has a full ground, the other chosen ones a paler one with an outline."""
    if not (state.selected or state.current):
        return
    highlight = state.palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight)
    painter.setPen(QPen(highlight, 1.5))
    pale = QColor(highlight)
    pale.setAlpha(60)
    # A frame that is looked at without being selected has the outline alone.
    full = highlight if state.current and state.selected else pale
    painter.setBrush(full if state.selected else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(body.adjusted(0.75, 0.75, -0.75, -0.75), 5, 5)


def _draw_name(painter: QPainter, area: QRectF, frame: FilmFrame, state: CellState) -> None:
    """The number of the frame, its moment in a recording, and the file shortened in the middle.

    Names of files mostly differ at their ends.
    """
    roles, metrics = QPalette.ColorRole, QFontMetricsF(painter.font())
    full = state.selected and state.current
    quiet = state.palette.color(roles.HighlightedText if full else roles.PlaceholderText)
    plain = state.palette.color(roles.HighlightedText if full else roles.Text)
    # On one base line, not in a box: letters of a fallback font, Korean for instance, are taller than a line
    # of the font itself, and a box would push them down and cut them off.
    base = area.center().y() + (metrics.ascent() - metrics.descent()) / 2
    # Of a recording all frames have the same file: there the moment is what is looked for.
    name = (frame.file_name, quiet if frame.moment else plain)
    for text, colour in ((str(frame.number + 1), quiet), (frame.moment, plain), name):
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, max(0.0, area.width()))
        painter.setPen(colour)
        painter.drawText(QPointF(area.left(), base), shown)
        if text:
            area = area.adjusted(metrics.horizontalAdvance(shown) + metrics.averageCharWidth(), 0, 0, 0)


def _draw_image(painter: QPainter, area: QRectF, image: QImage, opacity: float) -> None:
    scale = min(area.width() / image.width(), area.height() / image.height())
    place = QRectF(0, 0, image.width() * scale, image.height() * scale)
    place.moveCenter(area.center())
    painter.setOpacity(opacity)
    painter.drawImage(place, image)
    painter.setOpacity(1.0)


def _draw_broken(painter: QPainter, area: QRectF) -> None:
    painter.setPen(theme.CANVAS_TEXT)
    words = QCoreApplication.translate("FilmCell", "cannot be opened")
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(area.adjusted(_EDGE, 0, -_EDGE, 0), flags, words)


def _draw_struck(painter: QPainter, area: QRectF) -> None:
    for pen in (QPen(QColor(0, 0, 0, 190), 4), QPen(theme.CANVAS_TEXT, 1.5)):
        painter.setPen(pen)
        painter.drawLine(area.bottomLeft() + QPointF(6, -6), area.topRight() + QPointF(-6, 6))


def _draw_corners(painter: QPainter, area: QRectF, frame: FilmFrame) -> None:
    """Above: segment, key image. Below: the model on a dark plate at the left, the reader on a white one."""
    reading = frame.reading
    font = QFont(painter.font())
    font.setPointSizeF(max(1.0, font.pointSizeF() * 0.88))
    painter.setFont(font)
    height = round(QFontMetricsF(font).height() + 2)
    top = QRectF(area.left(), area.top(), area.width(), height)
    below = QRectF(area.left(), area.bottom() - height, area.width(), height)
    if reading.segment is not None:
        _draw_words(painter, top, segment_name(reading.segment))
    if reading.key_image:
        _draw_star(painter, QRectF(top.right() - height, top.top(), height, height))
    if reading.grade is not None:
        below.setRight(_draw_reader(painter, below, MES[reading.grade]) - _EDGE)
    if frame.ai is not None:
        _draw_ai(painter, below, MES[frame.ai], frame.close_call)
    elif isinstance(frame.item, Duplicate):
        _draw_words(painter, below, QCoreApplication.translate("FilmCell", "duplicate"))
    elif frame.reject_reason:
        _draw_words(painter, below, frame.reject_reason)


def _draw_plate(painter: QPainter, area: QRectF, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(area, 3, 3)


def _draw_words(painter: QPainter, room: QRectF, words: str) -> None:
    """Words on a dark plate at the left of a room, shortened where they do not fit."""
    metrics = QFontMetricsF(painter.font())
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width() - 2 * _EDGE)
    plate = QRectF(room.topLeft(), room.size())
    plate.setWidth(metrics.horizontalAdvance(shown) + 2 * _EDGE)
    _draw_plate(painter, plate, _DARK_PLATE)
    painter.setPen(_DARK_PLATE_INK)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, shown)


def _chip_width(height: float) -> float:
    return round(height * 1.45)


def _draw_ai(painter: QPainter, room: QRectF, grade: Grade, close: tuple[int, int] | None) -> None:
    """The model's grade at the left of a room: a dark plate with its name, the chip, and a close call."""
    metrics, wide = QFontMetricsF(painter.font()), _chip_width(room.height())
    who = QCoreApplication.translate("FilmCell", "AI")
    hint = f"{close[0]}–{close[1]}" if close else ""
    words, more = metrics.horizontalAdvance(who) + 2 * _EDGE, metrics.horizontalAdvance(hint) + 2 * _EDGE
    plate = QRectF(room.left(), room.top(), words + wide + (more if hint else 1), room.height())
    _draw_plate(painter, plate, _DARK_PLATE)
    painter.setPen(_DARK_PLATE_INK)
    painter.drawText(
        QRectF(plate.left(), plate.top(), words, plate.height()), Qt.AlignmentFlag.AlignCenter, who
    )
    if hint:
        place = QRectF(plate.right() - more, plate.top(), more, plate.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, hint)
    chip(painter, QRectF(plate.left() + words, plate.top() + 1, wide, plate.height() - 2), grade)


def _draw_reader(painter: QPainter, room: QRectF, grade: Grade) -> float:
    """The reader's grade at the right of a room: a white plate, a tick, the chip; gives its left end."""
    wide, mark = _chip_width(room.height()), room.height() * 0.5
    plate = QRectF(room.left(), room.top(), wide + mark + 2 * _EDGE + 2, room.height())
    plate.moveRight(room.right())
    _draw_plate(painter, plate, _LIGHT_PLATE)
    tick = QRectF(plate.left() + _EDGE, plate.center().y() - mark / 2, mark, mark)
    painter.setPen(QPen(_LIGHT_PLATE_INK, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(
        QPolygonF([QPointF(tick.left() + x * mark, tick.top() + y * mark) for x, y in _TICK])
    )
    chip(painter, QRectF(tick.right() + _EDGE, plate.top() + 2, wide, plate.height() - 4), grade)
    return plate.left()


def _draw_star(painter: QPainter, area: QRectF) -> None:
    _draw_plate(painter, area, _DARK_PLATE)
    reach = area.width() * 0.38
    painter.setBrush(_STAR)
    centre = area.center() + QPointF(0, reach * 0.06)
    painter.drawPolygon(QPolygonF([centre + QPointF(x * reach, y * reach) for x, y in _STAR_POINTS]))


def segment_name(segment: Segment) -> str:
    """A short name of a segment, which no key letter or mark is mistaken for."""
    translate = QCoreApplication.translate
    return {
        Segment.CAECUM: translate("FilmCell", "Caec"),
        Segment.ASCENDING: translate("FilmCell", "Asc"),
        Segment.TRANSVERSE: translate("FilmCell", "Trans"),
        Segment.DESCENDING: translate("FilmCell", "Desc"),
        Segment.SIGMOID: translate("FilmCell", "Sigm"),
        Segment.RECTUM: translate("FilmCell", "Rect"),
    }[segment]
