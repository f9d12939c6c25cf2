"""Pages on paper, tried with a printer that writes a PDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtGui import QPageRanges, QPageSize
from PySide6.QtPrintSupport import QPrinter
from pytestqt.qtbot import QtBot

from uc_viewer.gui import printing
from uc_viewer.report import pages

SIZES = {"A4": (595.276, 841.89), "Letter": (612.0, 792.0)}
COLOURS = ((200, 10, 20), (10, 200, 20), (10, 20, 200))


def printer_to(file: Path, size: tuple[float, float] = SIZES["A4"]) -> QPrinter:
    printer = QPrinter()
    printer.setResolution(72)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(file))
    printing.set_paper(printer, size)
    return printer


@pytest.mark.parametrize(
    ("name", "known"), [("A4", QPageSize.PageSizeId.A4), ("Letter", QPageSize.PageSizeId.Letter)]
)
def test_pages_fill_the_paper_one_by_one(
    qtbot: QtBot, tmp_path: Path, name: str, known: QPageSize.PageSizeId
) -> None:
    printer = printer_to(tmp_path / "out.pdf", SIZES[name])
    assert printer.pageLayout().pageSize().id() == known
    paper = printing.Paper(printer)
    for colour in COLOURS:
        paper.put(np.full((842, 595, 3), colour, np.uint8))
    paper.end()
    data = (tmp_path / "out.pdf").read_bytes()
    assert len(PdfReader(tmp_path / "out.pdf").pages) == len(COLOURS)
    for number, (width, height) in enumerate(pages.page_sizes(data)):
        assert (width, height) == pytest.approx(SIZES[name], abs=1)
        drawn = pages.draw(data, number, 72)
        for place in (drawn[2, 2], drawn[-3, -3], drawn[400, 300]):
            assert place.tolist() == pytest.approx(COLOURS[number], abs=12)


def test_a_page_keeps_its_way_up_and_its_colours(qtbot: QtBot, tmp_path: Path) -> None:
    paper = printing.Paper(printer_to(tmp_path / "out.pdf"))
    page = np.full((842, 595, 3), 255, np.uint8)
    page[:400, :300] = COLOURS[0]
    # A view with strides of its own, as a cut-out has.
    paper.put(np.asfortranarray(page))
    paper.end()
    drawn = pages.draw((tmp_path / "out.pdf").read_bytes(), 0, 72)
    assert drawn[100, 100].tolist() == pytest.approx(COLOURS[0], abs=12)
    assert drawn[700, 500].min() > 240


@pytest.mark.qt_log_ignore("QPainter::begin")
def test_a_printer_that_does_not_begin(qtbot: QtBot, tmp_path: Path) -> None:
    printer = printer_to(tmp_path / "missing" / "out.pdf")
    with pytest.raises(OSError, match="did not answer"):
        printing.Paper(printer)


def test_a_printer_that_stops(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printer = printer_to(tmp_path / "out.pdf")
    monkeypatch.setattr(printer, "newPage", lambda: False)
    paper = printing.Paper(printer)
    page = np.zeros((10, 10, 3), np.uint8)
    paper.put(page)
    with pytest.raises(OSError, match="stopped taking pages"):
        paper.put(page)
    paper.end()


@pytest.mark.parametrize(
    ("choose", "wanted"),
    [
        (lambda printer: None, [0, 1, 2, 3, 4]),
        (lambda printer: printer.setFromTo(0, 0), [0, 1, 2, 3, 4]),
        (lambda printer: printer.setFromTo(2, 3), [1, 2]),
        (lambda printer: printer.setFromTo(5, 5), [4]),
        (lambda printer: printer.setFromTo(4, 99), [3, 4]),
        (lambda printer: printer.setFromTo(7, 9), []),
        (lambda printer: printer.setPageRanges(QPageRanges.fromString("1,3-4")), [0, 2, 3]),
    ],
)
def test_the_pages_wanted(qtbot: QtBot, choose: Callable[[QPrinter], None], wanted: list[int]) -> None:
    printer = QPrinter()
    choose(printer)
    assert list(printing.wanted_pages(printer, 5)) == wanted
