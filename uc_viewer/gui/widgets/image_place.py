"""Where a picture lies in its view: fitted, zoomed or moved. Geometry alone, nothing is painted."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSizeF

MOST = 16.0
"""Largest zoom: so many pixels of the screen for one of the picture."""


class Place:
    """The zoom of a picture and the point of it that lies in the middle of an area.

    ``zoom`` counts pixels of the screen per pixel of the picture, so that 1 is one to one on every screen.
    Points and areas are in Qt's own units, of which ``ratio`` screen pixels make one.
    """

    def __init__(self) -> None:
        self._size, self._area, self._ratio = QSizeF(1, 1), QRectF(0, 0, 1, 1), 1.0
        self._centre = QPointF(0.5, 0.5)
        self.zoom, self.fitted = 1.0, True

    @property
    def fit_zoom(self) -> float:
        """The zoom at which the whole picture just fits."""
        across = self._area.width() / self._size.width()
        down = self._area.height() / self._size.height()
        return max(1e-6, self._ratio * min(across, down))

    @property
    def movable(self) -> bool:
        """True while some of the picture lies outside the area."""
        seen = self._seen()
        return seen.width() < self._size.width() - 0.5 or seen.height() < self._size.height() - 0.5

    def set_size(self, width: int, height: int) -> None:
        """Take a picture; one of the same size as before keeps zoom and place, any other is fitted."""
        size = QSizeF(width, height)
        if size != self._size:
            self._size = size
            self.fit()

    def set_area(self, area: QRectF, ratio: float) -> None:
        """The room there is; a fitted picture fits again, any other keeps its middle."""
        self._area, self._ratio = area, ratio
        if self.fitted:
            self.fit()
        else:
            self.zoom_to(self.zoom)

    def fit(self) -> None:
        """Show the whole picture as large as it goes."""
        self.zoom_to(self.fit_zoom)

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Change the zoom, within bounds, while the point of the picture under ``at`` stays where it is."""
        at = self._area.center() if at is None else at
        before = self.to_picture(at)
        fit = self.fit_zoom
        self.zoom = min(max(zoom, min(fit, 1.0)), max(fit, MOST))
        self.fitted = math.isclose(self.zoom, fit, rel_tol=1e-9)
        self._centre = before - (at - self._area.center()) / self._scale
        self._stay_inside()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Multiply the zoom; fit and one to one are stops that a step does not jump over."""
        wanted = self.zoom * factor
        low, high = sorted((self.zoom, wanted))
        stops = [stop for stop in (1.0, self.fit_zoom) if low * 1.0001 < stop < high * 0.9999]
        self.zoom_to(min(stops, key=lambda stop: abs(stop - self.zoom), default=wanted), at)

    def move(self, by: QPointF) -> None:
        """Move the picture, as far as its borders allow."""
        self._centre -= by / self._scale
        self._stay_inside()

    def to_picture(self, point: QPointF) -> QPointF:
        """The point of the picture under a point of the view."""
        return self._centre + (point - self._area.center()) / self._scale

    def to_view(self, part: QRectF) -> QRectF:
        """Where a part of the picture lies in the view."""
        # On the screen's own grid, or a picture shown one to one would be blurred by half a pixel.
        left, top = (
            round((middle - centre * self._scale) * self._ratio) / self._ratio
            for middle, centre in (
                (self._area.center().x(), self._centre.x()),
                (self._area.center().y(), self._centre.y()),
            )
        )
        return QRectF(
            left + part.left() * self._scale,
            top + part.top() * self._scale,
            part.width() * self._scale,
            part.height() * self._scale,
        )

    @property
    def _scale(self) -> float:
        return self.zoom / self._ratio

    def _seen(self) -> QSizeF:
        """How much of the picture has room, in its pixels."""
        return QSizeF(self._area.width() / self._scale, self._area.height() / self._scale)

    def _stay_inside(self) -> None:
        seen = self._seen()
        self._centre = QPointF(
            _within(self._centre.x(), seen.width(), self._size.width()),
            _within(self._centre.y(), seen.height(), self._size.height()),
        )


def _within(centre: float, seen: float, length: float) -> float:
    """The nearest middle at which no border of the picture comes inside, or that of the whole picture."""
    return length / 2 if seen >= length else min(max(centre, seen / 2), length - seen / 2)
