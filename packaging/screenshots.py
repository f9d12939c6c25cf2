"""Take the pictures of the documentation: the window on the sample case, light and dark, and the report.

Run as ``python packaging/screenshots.py [--out docs/images] [--all]``; needs no screen. ``--all`` takes the
window in every state and size that must be looked at (small, 4K, thousands of pictures, long
names, an error) besides the few that are kept. Pages of the report are drawn by poppler's ``pdftoppm``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from uc_viewer import cli
from uc_viewer.case import Case
from uc_viewer.gui import theme
from uc_viewer.gui.actions import Do
from uc_viewer.gui.app import load_model
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Session
from uc_viewer.paths import resource

LONGEST = 300
"""Seconds after which a run that does not end is given up."""

LONG_NAMES = Case(
    patient_name="Çağrı Şükrüoğlu-Ilgın İğdelioğulları 김서연박하늘",
    patient_id="한국대학교병원-2025-0001234567",
)


class Studio:
    """One window and the means to bring it into a state."""

    def __init__(self, app: QApplication, scheme: Qt.ColorScheme, size: tuple[int, int]) -> None:
        app.setPalette(theme.palette(scheme))
        self._app = app
        self.window = MainWindow(Session(load_model))
        self.window.resize(*size)
        self.window.show()

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the window live for so long, or until something holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self._app.processEvents()
            time.sleep(0.002)

    def score(self, *paths: Path, case: Case | None = None) -> None:
        """Score pictures to the end; the sample case where none are given."""
        session = self.window.session
        if paths:
            session.new_case(case)
            self.window.open_paths(paths)
        else:
            self.window.open_sample()
        self.wait(LONGEST, lambda: bool(session.keys) and not session.running)
        if session.running:
            raise TimeoutError("the pictures were not scored in time")
        self.wait(1)

    def read(self) -> None:
        """Read the sample case as an endoscopist would."""
        do, film = self.window.actions_, self.window.bench.film_model
        for name, deeds in (
            ("sample-05.jpg", (Do.GRADE_1, Do.DESCENDING)),
            ("sample-08.jpg", (Do.GRADE_1, Do.SIGMOID, Do.KEY_IMAGE)),
            ("sample-09.jpg", (Do.GRADE_2, Do.SIGMOID, Do.KEY_IMAGE)),
            ("sample-13.jpg", (Do.GRADE_3, Do.RECTUM, Do.KEY_IMAGE)),
            ("sample-10.jpg", (Do.GRADE_3, Do.RECTUM, Do.KEY_IMAGE)),
        ):
            film.go_to((name, 0))
            for deed in deeds:
                do[deed].trigger()
        self.wait(1.5)

    def shoot(self, path: Path) -> None:
        """Save what the window shows."""
        self.window.grab().save(str(path))

    def close(self) -> None:
        """End it without a question."""
        self.window.session.reader.edits.setClean()
        self.window.close()
        self.wait(0.1)


def picture_window(app: QApplication, out: Path) -> None:
    """The pictures that are kept: the window read, light and dark, with heatmap and grid."""
    for scheme, name in ((Qt.ColorScheme.Light, "light"), (Qt.ColorScheme.Dark, "dark")):
        studio = Studio(app, scheme, (1360, 850))
        studio.score()
        studio.read()
        if scheme == Qt.ColorScheme.Dark:
            studio.window.actions_[Do.HEATMAP].trigger()
            studio.wait(3)
        studio.shoot(out / f"window-{name}.png")
        if scheme == Qt.ColorScheme.Light:
            studio.window.actions_[Do.GRID].trigger()
            studio.wait(1)
            studio.shoot(out / "grid-light.png")
        studio.close()


def picture_all(app: QApplication, out: Path) -> None:
    """Every state and size that must be looked at before the window changes for good."""
    for scheme, name in ((Qt.ColorScheme.Light, "light"), (Qt.ColorScheme.Dark, "dark")):
        for size in ((1024, 700), (3840, 2160)):
            studio = Studio(app, scheme, size)
            studio.wait(0.5)
            studio.shoot(out / f"{name}-{size[0]}-empty.png")
            studio.score()
            studio.read()
            studio.shoot(out / f"{name}-{size[0]}-read.png")
            studio.close()
    with tempfile.TemporaryDirectory() as folder:
        picture_crowd(app, Path(folder), out)


def picture_crowd(app: QApplication, folder: Path, out: Path) -> None:
    """Thousands of pictures, while they are scored, with long names; then files that are no pictures."""
    sample = sorted(resource("sample").glob("*.jpg"))
    for number in range(5000):
        name = f"김서연_대장내시경_2025-06-01_원위부_Şükrüoğlu-{number:05d}.jpg"
        data = sample[number % len(sample)].read_bytes()
        (folder / name).write_bytes(data + number.to_bytes(4, "big"))
    studio = Studio(app, Qt.ColorScheme.Dark, (1360, 850))
    studio.window.session.new_case(LONG_NAMES)
    studio.window.open_paths([folder])
    studio.wait(30, lambda: len(studio.window.session.items) >= 40)
    studio.wait(1)
    studio.shoot(out / "dark-5000-running.png")
    studio.window.actions_[Do.GRID].trigger()
    studio.wait(1)
    studio.shoot(out / "dark-5000-grid.png")
    studio.close()
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    studio = Studio(app, Qt.ColorScheme.Light, (1360, 850))
    studio.score(folder / "text.jpg", folder / "empty.png", sample[0], case=LONG_NAMES)
    studio.window.session.use_model("no-such-model", "auto")
    studio.wait(5, lambda: not studio.window.session.running)
    studio.wait(1)
    studio.shoot(out / "light-errors.png")
    studio.close()


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
    parser.add_argument(
        "--all", action="store_true", help="every state and size, not those of the documentation"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    app.setStyle("Fusion")
    if args.all:
        picture_all(app, args.out)
        return
    picture_window(app, args.out)
    picture_report(args.out / "report.png")


if __name__ == "__main__":
    main()
