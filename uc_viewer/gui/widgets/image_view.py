"""One picture on the dark canvas: zoom, pan, heatmap, and around it what the model and the reader say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QSizePolicy, QWidget

from uc_viewer.grades import MES
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.heat_layer import draw_key, heat_image
from uc_viewer.gui.widgets.image_marks import Mark, draw_corners, draw_marks
from uc_viewer.gui.widgets.image_place import Place

WAIT_MS = 150
"""A picture that comes sooner than this is not announced: words that flash by only disturb."""

_STEP = 1.25
_SHARP = 3.0
"""From this zoom on pixels are shown as they are, not smoothed."""

_MARGIN = 10
_FAINT = 0.05
"""Below this strength a heatmap shows next to nothing, and the view says so."""


@dataclass(frozen=True)
class Badges:
    """What is said of the picture beside it.

    ``ai_note`` follows the model's grade, for example "close call 1–2"; ``not_scored`` is the reason why
    there is none; ``place`` is the segment in words. None and empty texts are not shown.
    """

    ai_grade: int | None = None
    ai_probability: float | None = None
    ai_note: str = ""
    not_scored: str = ""
    reader_grade: int | None = None
    place: str = ""
    rejected: bool = False
    key_image: bool = False


class ImageView(QWidget):
    """Shows a picture as large as fits, or zoomed by wheel, pinch and double click, moved by dragging.

    Marks stand in strips above and below the picture, never on it; only a heatmap tints it. The next
    picture of the same size appears at the same zoom and place.
    """

    zoom_changed = Signal(float)
    """Pixels of the screen per pixel of the picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place = Place()
        self._image, self._heat = QImage(), QImage()
        self._halves: list[QImage] = []
        self._box, self._name, self._text = QRect(), "", ""
        self._badges, self._overlay = Badges(), True
        self._strength, self._opacity = 0.0, 0.6
        self._told_zoom = 0.0
        self._dragged: QPointF | None = None
        self._wait = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._wait.timeout.connect(self._announce)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 180)
        # A click takes the keys out of a text field and gives them back to the window.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.grabGesture(Qt.GestureType.PinchGesture)

    # Values in

    def show_image(self, rgb: np.ndarray, name: str, box: tuple[int, int, int, int]) -> None:
        """Show a picture, without a heatmap as yet.

        ``rgb``: uint8 H x W x 3. ``name``: what a screen reader says. ``box``: left, top, width, height of
        the field of view in pixels of the picture; width 0 where there is none.
        """
        height, width, _ = rgb.shape
        data = np.ascontiguousarray(rgb)
        image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        # The conversion is a copy of Qt's own, so the array may go; this format is the fastest to draw.
        self._put(image.convertToFormat(QImage.Format.Format_RGB32), "", name)
        self._box = QRect(*box)
        self._place.set_size(width, height)
        self._changed()

    def show_text(self, text: str) -> None:
        """Show a line in place of a picture."""
        self._put(QImage(), text, text)
        self._changed()

    def show_waiting(self, name: str) -> None:
        """Take the picture away at once and wait for that of this name; only a longer wait is put into words.

        The zoom stays for the picture to come.
        """
        self._put(QImage(), "", self.tr("Opening {0}").format(name))
        self._wait.start()
        self._changed()

    def show_near(self, image: QImage, width: int, height: int, words: str) -> None:
        """Show a small copy of a frame nearby, as large as the frame to come; ``words`` say which it is."""
        size = QSize(width, height)
        whole = image.scaled(
            size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        self._put(whole.convertToFormat(QImage.Format.Format_RGB32), "", words)
        self._place.set_size(width, height)
        self._changed()

    def set_badges(self, badges: Badges) -> None:
        """Say this of the picture that is shown or awaited."""
        self._badges = badges
        self.setAccessibleDescription("; ".join(self._said()))
        self.update()

    def set_overlay_shown(self, shown: bool) -> None:
        """Show or hide the marks around the picture; the picture stays where it is."""
        self._overlay = shown
        self.update()

    def set_heat(self, values: np.ndarray | None, strength: float = 0.0) -> None:
        """Lay a heatmap over the picture, or take it away with None.

        ``values``: float32 H x W of the picture, 0..1. ``strength``: 0..1, how much evidence there is at all;
        at 0 nothing is tinted. Raises ValueError for a heatmap that is not of the picture's size.
        """
        if values is None:
            self._heat = QImage()
        elif self._image.isNull() or values.shape != (self._image.height(), self._image.width()):
            raise ValueError(f"a heatmap of {values.shape} does not fit the picture that is shown")
        else:
            self._strength = min(max(float(strength), 0.0), 1.0)
            self._heat = heat_image(values, self._strength)
        self.update()

    def set_heat_opacity(self, opacity: float) -> None:
        """How much a heatmap may cover of the picture at most, 0..1."""
        self._opacity = min(max(opacity, 0.0), 1.0)
        self.update()

    # Zoom

    @property
    def zoom(self) -> float:
        """Pixels of the screen per pixel of the picture."""
        return self._place.zoom

    @property
    def fitted(self) -> bool:
        """True while the whole picture is shown as large as it goes."""
        return self._place.fitted

    def fit(self) -> None:
        """Show the whole picture as large as it goes."""
        self._place.fit()
        self._changed()

    def one_to_one(self) -> None:
        """Show one pixel of the picture on one of the screen."""
        self._place.zoom_to(1.0)
        self._changed()

    def zoom_in(self) -> None:
        """One step closer."""
        self._place.zoom_by(_STEP)
        self._changed()

    def zoom_out(self) -> None:
        """One step back."""
        self._place.zoom_by(1 / _STEP)
        self._changed()

    # What Qt calls

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._changed()

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QGestureEvent):
            return self._pinch(event)
        handled = super().event(event)
        if kind in (QEvent.Type.FontChange, QEvent.Type.DevicePixelRatioChange):
            self._changed()
        return handled

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        if self._image.isNull() or not turned:
            event.ignore()
            return
        self._place.zoom_by(_STEP ** (turned / 120), event.position())
        self._changed()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._can_move():
            self._dragged = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None:
            self._place.move(event.position() - self._dragged)
            self._dragged = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None
        self._changed()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._image.isNull():
            return
        if self._place.fitted:
            self._place.zoom_to(1.0, event.position())
        else:
            self._place.fit()
        self._changed()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        if self._image.isNull():
            painter.setPen(theme.CANVAS_TEXT)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWrapAnywhere | Qt.TextFlag.TextWordWrap
            painter.drawText(self._room().adjusted(24, 0, -24, 0), int(flags), self._text)
        else:
            painter.setClipRect(self._room())
            self._paint_picture(painter)
            if self._overlay and self._box.width() > 0:
                draw_corners(painter, self._place.to_view(QRectF(self._box)))
            painter.setClipping(False)
            self._paint_foot(painter)
        if self._overlay:
            strip = QRectF(_MARGIN, 0, self.width() - 2 * _MARGIN, self._room().top())
            draw_marks(painter, strip, self._marks())

    # How it is drawn

    def _room(self) -> QRect:
        """Where the picture may be, between the strips."""
        line = self.fontMetrics().height()
        return self.rect().adjusted(0, line + 16, 0, -(line + 8))

    def _paint_picture(self, painter: QPainter) -> None:
        whole = QRectF(self._image.rect())
        first = self._place.to_picture(QPointF(self._room().topLeft()) - QPointF(1, 1))
        last = self._place.to_picture(QPointF(self._room().bottomRight()) + QPointF(2, 2))
        # Only what is seen: far zoomed in, the whole would be larger than Qt can draw.
        part = QRectF(QRectF(first, last).toAlignedRect()).intersected(whole)
        at = self._place.to_view(part)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._place.zoom < _SHARP)
        image = self._sized()
        across, down = image.width() / whole.width(), image.height() / whole.height()
        painter.drawImage(at, image, QTransform.fromScale(across, down).mapRect(part))
        if not self._heat.isNull():
            painter.setOpacity(self._opacity)
            painter.drawImage(at, self._heat, part)
            painter.setOpacity(1.0)

    def _sized(self) -> QImage:
        """The picture, halved as often as the zoom allows: Qt skips pixels where it shrinks by more."""
        image, zoom, level = self._image, self._place.zoom, 0
        while zoom <= 0.5 and min(image.width(), image.height()) > 1:
            if level == len(self._halves):
                smooth = Qt.TransformationMode.SmoothTransformation
                half = (image.width() // 2, image.height() // 2)
                self._halves.append(image.scaled(*half, mode=smooth))
            image, zoom, level = self._halves[level], zoom * 2, level + 1
        return image

    def _paint_foot(self, painter: QPainter) -> None:
        foot = QRectF(_MARGIN, self._room().bottom() + 1, self.width() - 2 * _MARGIN, 0)
        foot.setBottom(self.height())
        painter.setPen(theme.CANVAS_TEXT)
        zoom = self._readout()
        painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, zoom)
        if self._heat.isNull():
            return
        foot.setRight(foot.right() - painter.fontMetrics().horizontalAdvance(zoom) - 2 * _MARGIN)
        painter.setClipRect(foot)
        if self._strength < _FAINT:
            painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter, self.tr("hardly any evidence"))
        else:
            draw_key(painter, foot, self.tr("low"), (self.tr("high evidence"), self.tr("high")))
        painter.setClipping(False)

    def _readout(self) -> str:
        percent = f"{self._place.zoom * 100:.0f}"
        if self._place.fitted:
            return self.tr("fit, {0} %").format(percent)
        return self.tr("{0} %").format(percent)

    def _marks(self) -> list[Mark]:
        said, marks = self._badges, []
        if said.ai_grade is not None:
            grade = MES[said.ai_grade]
            number = "" if said.ai_probability is None else f"{said.ai_probability:.2f}"
            words = " ".join(part for part in (grade.name, number) if part)
            note = f", {said.ai_note}" if said.ai_note else ""
            marks.append(Mark(self.tr("AI"), grade, words + note, number))
        if said.not_scored:
            reason = self.tr("not scored: {0}").format(said.not_scored)
            marks.append(Mark(self.tr("AI"), None, reason, reason))
        if said.reader_grade is not None:
            grade = MES[said.reader_grade]
            marks.append(Mark(self.tr("Reader"), grade, grade.name))
        if said.rejected:
            marks.append(Mark("✕", None, self.tr("rejected by reader"), self.tr("rejected")))
        if said.key_image:
            marks.append(Mark("★", None, self.tr("key image")))
        if said.place:
            marks.append(Mark("", None, said.place, said.place))
        return marks

    def _said(self) -> list[str]:
        """The marks in words, for a screen reader."""
        return [
            " ".join(filter(None, (mark.who, f"MES {mark.grade.value}" if mark.grade else "", mark.words)))
            for mark in self._marks()
        ]

    # State

    def _put(self, image: QImage, text: str, said: str) -> None:
        self._wait.stop()
        self._image, self._heat, self._text = image, QImage(), text
        self._halves.clear()
        self._dragged = None
        self.setAccessibleName(said)

    def _announce(self) -> None:
        self._text = self.tr("Opening…")
        self.update()

    def _pinch(self, event: QGestureEvent) -> bool:
        pinch = event.gesture(Qt.GestureType.PinchGesture)
        if not isinstance(pinch, QPinchGesture) or self._image.isNull():
            return False
        middle = self.mapFromGlobal(pinch.centerPoint().toPoint())
        self._place.zoom_by(pinch.scaleFactor(), QPointF(middle))
        self._changed()
        return True

    def _can_move(self) -> bool:
        return not self._image.isNull() and self._place.movable

    def _changed(self) -> None:
        """Bring place, cursor and readout in line with what was changed."""
        room = QRectF(self._room()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        self._place.set_area(room, self.devicePixelRatioF())
        if self._dragged is None:
            shape = Qt.CursorShape.OpenHandCursor if self._can_move() else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
        if not self._image.isNull() and self._place.zoom != self._told_zoom:
            self._told_zoom = self._place.zoom
            self.zoom_changed.emit(self._place.zoom)
        self.update()
