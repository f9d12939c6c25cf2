"""One picture on the dark canvas."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from uc_viewer.gui import theme


class Picture(QWidget):
    """Shows a uint8 H x W x 3 RGB array as large as fits, undistorted, or a line of text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 180)

    def show_image(self, rgb: np.ndarray, name: str) -> None:
        """Show a picture; `name` is what a screen reader says."""
        height, width, _ = rgb.shape
        data = np.ascontiguousarray(rgb)
        # The copy is Qt's own: the array may go.
        self._image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self._text = ""
        self.setAccessibleName(name)
        self.update()

    def show_text(self, text: str) -> None:
        """Show a line in place of a picture."""
        self._image, self._text = QImage(), text
        self.setAccessibleName(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        inner = self.rect().adjusted(12, 12, -12, -12)
        if self._image.isNull():
            painter.setPen(theme.CANVAS_TEXT)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(inner, int(flags), self._text)
            return
        size = self._image.size().scaled(inner.size(), Qt.AspectRatioMode.KeepAspectRatio)
        area = QRect(0, 0, size.width(), size.height())
        area.moveCenter(inner.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, self._image)
