"""A finished report as pictures of its pages, for the preview and the printer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pypdfium2

POINTS_PER_INCH = 72


def page_sizes(data: bytes) -> list[tuple[float, float]]:
    """Width and height of every page of a PDF in points, 1/72 inch."""
    with _opened(data) as document:
        return [document.get_page_size(number) for number in range(len(document))]


def draw(data: bytes, number: int, dpi: float) -> np.ndarray:
    """One page of a PDF on white, uint8 H x W x 3 RGB; ``number`` counts from 0.

    PDFium serves one thread at a time, so all callers must be on one. Raises ValueError for a page that is
    not there.
    """
    with _opened(data) as document:
        if not 0 <= number < len(document):
            raise ValueError(f"page {number} is not there: pages 0 to {len(document) - 1} are")
        page = document[number]
        bitmap = page.render(scale=dpi / POINTS_PER_INCH, rev_byteorder=True)
        # The pixels belong to PDFium and go when the document is closed.
        picture: np.ndarray = np.array(bitmap.to_numpy()[..., :3])
        bitmap.close()
        page.close()
    return picture


@contextmanager
def _opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(data)
    try:
        yield document
    finally:
        document.close()
