"""Pages on paper: the report as drawn, page by page, through the system's printer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QMarginsF, QRectF, QSizeF
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter
from PySide6.QtPrintSupport import QPrinter

DPI = 300
"""Dots per inch a page is drawn with for the printer."""


def set_paper(printer: QPrinter, size: tuple[float, float]) -> None:
    """Give a printer the paper of a page of this size in points, without margins: the page has its own."""
    width, height = size
    page = QPageSize(QSizeF(width, height), QPageSize.Unit.Point)
    printer.setFullPage(True)
    printer.setPageLayout(
        QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Point)
    )


class Paper:
    """A print job that takes pages one by one. Raises OSError if the printer does not begin."""

    def __init__(self, printer: QPrinter) -> None:
        self._printer, self._painter, self._pages = printer, QPainter(), 0
        if not self._painter.begin(printer):
            raise OSError("the printer did not answer: check that it is connected, or save the report as PDF")

    def put(self, rgb: np.ndarray) -> None:
        """Print a page, uint8 H x W x 3 RGB, over the whole sheet."""
        if self._pages and not self._printer.newPage():
            raise OSError("the printer stopped taking pages: check it and print again")
        self._pages += 1
        height, width, _ = rgb.shape
        data = np.ascontiguousarray(rgb)
        image = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        sheet = self._printer.pageLayout().fullRectPixels(self._printer.resolution())
        self._painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._painter.drawImage(QRectF(sheet), image)

    def end(self) -> None:
        """No more pages."""
        self._painter.end()


def wanted_pages(printer: QPrinter, count: int) -> Sequence[int]:
    """The pages (from 0) the user chose in the print dialog, of a report with ``count`` pages."""
    chosen = printer.pageRanges()
    return [number for number in range(count) if chosen.isEmpty() or chosen.contains(number + 1)]
