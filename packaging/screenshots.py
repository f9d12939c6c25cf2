"""Take the pictures that README.md shows: the window on the sample case, light and dark, and the report.

Run as ``python packaging/screenshots.py [--out docs/images]``; needs no screen. The pages of the report are
drawn by poppler's ``pdftoppm``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QTableView

from uc_viewer import cli
from uc_viewer.gui import theme
from uc_viewer.gui.app import loader
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Session

SIZE = (1280, 800)
LONGEST = 300
"""Seconds after which a run that does not end is given up."""


def picture_window(app: QApplication, scheme: Qt.ColorScheme, row: int, path: Path) -> None:
    """Score the sample case in a window, choose a row of its table, save what the window shows."""
    app.setPalette(theme.palette(scheme))
    session = Session(loader("", "auto"))
    window = MainWindow(session)
    window.resize(*SIZE)
    window.show()
    window.open_sample()
    began = time.monotonic()
    while session.running or time.monotonic() - began < 1:
        app.processEvents()
        if time.monotonic() - began > LONGEST:
            raise TimeoutError("the sample case was not scored in time")
    table = window.findChild(QTableView)
    assert isinstance(table, QTableView)
    table.selectRow(row)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        app.processEvents()
    window.grab().save(str(path))
    window.close()


def picture_report(path: Path) -> None:
    """Score the sample case on the command line and draw the first page of its report."""
    with tempfile.TemporaryDirectory() as folder:
        code = cli.main(["score", "--sample", "--out", folder, "--heatmaps"])
        if code != 0:
            raise RuntimeError(f"scoring the sample case ended with code {code}")
        page = [str(Path(folder) / "report.pdf"), str(path.with_suffix(""))]
        subprocess.run(["pdftoppm", "-r", "80", "-png", "-f", "1", "-singlefile", *page], check=True)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "images")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    app.setStyle("Fusion")
    picture_window(app, Qt.ColorScheme.Light, 9, out / "window-light.png")
    picture_window(app, Qt.ColorScheme.Dark, 9, out / "window-dark.png")
    picture_report(out / "report.png")


if __name__ == "__main__":
    main()
