"""The report in the window: preview, print, save; and overlays of chosen frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QFileDialog, QWidget

from uc_viewer.case import FrameKey
from uc_viewer.gui import jobs, printing
from uc_viewer.gui.dialogs.preview import Preview
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.toast import Toasts
from uc_viewer.settings import PAGES


class Reporting(QObject):
    """Asks the session for reports, and does with them what the user wished."""

    def __init__(self, session: Session, window: QWidget, toasts: Toasts, page: str) -> None:
        super().__init__(window)
        self._session, self._window, self._toasts = session, window, toasts
        self.page = page
        """Paper of new reports, ``"A4"`` or ``"Letter"``."""
        documents = QStandardPaths.StandardLocation.DocumentsLocation
        self._folder = Path(QStandardPaths.writableLocation(documents))
        self._preview: Preview | None = None
        self._then: Callable[[jobs.Report], object] | None = None
        self._paper: printing.Paper | None = None
        self._left: list[int] = []
        session.report_made.connect(self._on_made)
        session.page_drawn.connect(self._on_page)
        session.failed.connect(lambda _: self._on_failed())

    def preview(self) -> None:
        """Show the report as it is now."""
        if not self._there():
            return
        dialog = self._preview = Preview(PAGES, self._window)
        dialog.pages.page_wanted.connect(self._session.draw_page)
        dialog.size_chosen.connect(self._remake)
        dialog.print_wanted.connect(self.print)
        dialog.save_wanted.connect(self.ask_save)
        self._remake(self.page)
        dialog.exec()
        self._preview = None
        dialog.deleteLater()

    def ask_save(self) -> None:
        """Ask where to, then save the report as it is now."""
        if not self._there():
            return
        parent = self._preview or self._window
        day = datetime.now().astimezone().date().isoformat()
        kinds = self.tr("PDF files (*.pdf)")
        proposal = str(self._folder / f"report-{day}.pdf")
        name, _ = QFileDialog.getSaveFileName(parent, self.tr("Save report"), proposal, kinds)
        if name:
            path = Path(name if name.lower().endswith(".pdf") else f"{name}.pdf")
            self._folder = path.parent
            self.save(path)

    def save(self, path: Path) -> None:
        """Make the report as it is now and write it to its place."""
        self._make(lambda _: self._session.save_report(path))

    def print(self) -> None:
        """Ask the system for a printer, then print the report as it is now at 300 dpi."""
        if self._there():
            self._make(self._ask_printer)

    def ask_overlays(self, keys: Sequence[FrameKey]) -> None:
        """Ask for a folder, then write heatmap overlays of these frames into it."""
        title = self.tr("Folder for heatmap overlays")
        if name := QFileDialog.getExistingDirectory(self._window, title):
            self._session.export_overlays(keys, Path(name))
            self._toasts.tell(self.tr("Writing heatmap overlays…"))

    def print_on(self, printer: QPrinter, report: jobs.Report) -> None:
        """Print a report on a printer that was set up for it. Raises OSError if it does not answer."""
        self._paper = printing.Paper(printer)
        self._left = list(printing.wanted_pages(printer, len(report.sizes)))
        self._next_page()

    def _there(self) -> bool:
        if self._session.model is None or not self._session.items:
            self._toasts.tell(self.tr("There is nothing to report yet: score some pictures first."))
            return False
        return True

    def _make(self, then: Callable[[jobs.Report], object] | None) -> None:
        self._then = then
        self._session.make_report(self.page)

    def _remake(self, page: str) -> None:
        self.page = page
        if self._preview is not None:
            self._preview.show_waiting(page)
        self._make(None)

    def _on_made(self, report: jobs.Report) -> None:
        if self._preview is not None:
            self._preview.show_sizes(report.sizes)
        then, self._then = self._then, None
        if then is not None:
            then(report)

    def _ask_printer(self, report: jobs.Report) -> None:
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printing.set_paper(printer, report.sizes[0])
        dialog = QPrintDialog(printer, self._preview or self._window)
        dialog.setMinMax(1, len(report.sizes))
        dialog.setOption(QPrintDialog.PrintDialogOption.PrintPageRange)
        if dialog.exec():
            try:
                self.print_on(printer, report)
            except OSError as error:
                self._toasts.warn(str(error))

    def _next_page(self) -> None:
        if self._left:
            self._session.draw_page(self._left[0], printing.DPI)
        elif self._paper is not None:
            self._stop_printing()
            self._toasts.tell(self.tr("The report was sent to the printer."))

    def _on_page(self, page: jobs.Page) -> None:
        if (
            self._paper is not None
            and self._left
            and (page.number, page.dpi) == (self._left[0], printing.DPI)
        ):
            try:
                self._paper.put(page.image)
            except OSError as error:
                self._toasts.warn(str(error))
                self._stop_printing()
                return
            del self._left[0]
            self._next_page()
        elif self._preview is not None:
            self._preview.pages.show_page(page.number, page.dpi, page.image)

    def _on_failed(self) -> None:
        self._stop_printing()
        if self._preview is not None:
            self._preview.show_failed()

    def _stop_printing(self) -> None:
        if self._paper is not None:
            self._paper.end()
        self._paper, self._left = None, []
