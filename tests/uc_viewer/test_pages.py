"""Pages of a report as pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from reportlab.lib.colors import red
from reportlab.pdfgen.canvas import Canvas

from uc_viewer.report import pages


@pytest.fixture(scope="module")
def data() -> bytes:
    """Two pages of different size; the first has a red square in its upper left corner."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(144, 216))
    canvas.setFillColor(red)
    canvas.rect(0, 144, 72, 72, stroke=0, fill=1)
    canvas.showPage()
    canvas.setPageSize((288, 72))
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def test_sizes_are_points(data: bytes) -> None:
    assert pages.page_sizes(data) == [(144, 216), (288, 72)]


@pytest.mark.parametrize(("number", "dpi", "shape"), [(0, 72, (216, 144, 3)), (1, 144, (144, 576, 3))])
def test_a_page_has_the_pixels_asked_for(
    data: bytes, number: int, dpi: int, shape: tuple[int, int, int]
) -> None:
    picture = pages.draw(data, number, dpi)
    assert picture.dtype == np.uint8
    assert picture.shape == shape


def test_colours_are_red_green_blue_on_white(data: bytes) -> None:
    picture = pages.draw(data, 0, 72)
    assert picture[20, 20].tolist() == [255, 0, 0]
    assert picture[200, 130].tolist() == [255, 255, 255]


@pytest.mark.parametrize("number", [-1, 2])
def test_a_page_that_is_not_there(data: bytes, number: int) -> None:
    with pytest.raises(ValueError, match="pages 0 to 1 are"):
        pages.draw(data, number, 72)
