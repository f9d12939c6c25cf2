"""Take the pictures of the documentation: the window on the sample case and on a recording, and the report.

Run as ``python packaging/screenshots.py [--out docs/images] [--all] [--recordings]``; needs no screen.
``--all`` takes the window in every state and size that must be looked at (small, 4K, thousands of pictures,
long names, an error, a recording that breaks off) instead of the few that are kept; ``--recordings`` takes
only those of recordings, ``--scale 2`` all as on a fine screen. Pages of the report are drawn by poppler's
``pdftoppm``.

The recording is a fly-through of a phantom; drawing it takes a minute, so it is kept in the folder for
temporary files.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import flythrough
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtWidgets import QApplication

from uc_viewer import cli
from uc_viewer.case import Case, FrameResult
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

LONG_FILE = "김서연_대장내시경_2025-06-01_Şükrüoğlu_İğdelioğulları_geri_çekilme.mp4"

SEVERITIES = (0, 1, None, 2, 3)
STRETCH = 8.0
"""What is drawn in the recording, one stretch after another, and how many seconds each lasts."""

TAGS = (Do.ASCENDING, Do.TRANSVERSE, Do.DESCENDING, Do.SIGMOID, Do.RECTUM)
"""What the reader calls the stretches."""

LIGHT, DARK = Qt.ColorScheme.Light, Qt.ColorScheme.Dark
SCHEMES = ((LIGHT, "light"), (DARK, "dark"))


def recording() -> Path:
    """The drawn recording, drawn anew where the program that draws it has changed since."""
    path = Path(tempfile.gettempdir()) / "uc-viewer-pictures" / "withdrawal.mp4"
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.stat().st_mtime < Path(flythrough.__file__).stat().st_mtime:
        part = path.with_stem("part")
        flythrough.fly_through(part, SEVERITIES, STRETCH)
        part.replace(path)
    return path


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

    def look(self, seconds: float) -> None:
        """Look at the frame of a recording that is shown at a time."""
        self.window.bench.timeline.sought.emit(seconds, True)
        self.wait(10, lambda: self.window.browsing.opened)

    def read_recording(self) -> None:
        """Read a recording as an endoscopist would: tag stretches, correct two scores, choose key images."""
        do, timeline, items = self.window.actions_, self.window.bench.timeline, self.window.session.items
        start, end = timeline.view
        length = (end - start) / len(TAGS)
        for place, tag in enumerate(TAGS):
            timeline.range_chosen.emit(start + place * length, start + (place + 1) * length)
            do[tag].trigger()
        self.window.marking.forget_range()
        scored = [
            item.pts_seconds or 0.0
            for item in items.values()
            if isinstance(item, FrameResult) and item.scores.scored
        ]
        for share, deeds in (
            (0.12, (Do.GRADE_0, Do.KEY_IMAGE)),
            (0.33, (Do.GRADE_1,)),
            (0.60, (Do.GRADE_2, Do.KEY_IMAGE)),
            (0.94, (Do.GRADE_3, Do.KEY_IMAGE)),
        ):
            self.look(scored[int(share * len(scored))])
            for deed in deeds:
                do[deed].trigger()
        self.wait(1.5)

    def drag(self, path: Path) -> None:
        """Drag a file over the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path.resolve()))])
        none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        event = QDragEnterEvent(QPoint(400, 300), Qt.DropAction.CopyAction, data, *none)
        QApplication.sendEvent(self.window, event)
        self.wait(0.2)

    def shoot(self, path: Path) -> None:
        """Save what the window shows."""
        self.window.grab().save(str(path))

    def shoot_small(self, path: Path) -> None:
        """The same in 256 colours, for pictures that are kept: a third of the bytes."""
        self.shoot(path)
        with Image.open(path) as taken:
            few = taken.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, kmeans=3)
        few.save(path, optimize=True)

    def close(self) -> None:
        """End it without a question."""
        self.window.session.reader.edits.setClean()
        self.window.close()
        self.wait(0.1)


def picture_window(app: QApplication, out: Path) -> None:
    """The pictures that are kept: the window read, light and dark, with heatmap and grid."""
    for scheme, name in SCHEMES:
        studio = Studio(app, scheme, (1360, 850))
        studio.score()
        studio.read()
        if scheme == DARK:
            studio.window.actions_[Do.HEATMAP].trigger()
            studio.wait(3)
        studio.shoot(out / f"window-{name}.png")
        if scheme == LIGHT:
            studio.window.actions_[Do.GRID].trigger()
            studio.wait(1)
            studio.shoot(out / "grid-light.png")
        studio.close()


def picture_all(app: QApplication, out: Path) -> None:
    """Every state and size that must be looked at before the window changes for good."""
    for scheme, name in SCHEMES:
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
    studio = Studio(app, DARK, (1360, 850))
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
    studio = Studio(app, LIGHT, (1360, 850))
    studio.score(folder / "text.jpg", folder / "empty.png", sample[0], case=LONG_NAMES)
    studio.window.session.use_model("no-such-model", "auto")
    studio.wait(5, lambda: not studio.window.session.running)
    studio.wait(1)
    studio.shoot(out / "light-errors.png")
    studio.close()


def picture_recording(app: QApplication, out: Path) -> None:
    """The picture of a recording that is kept."""
    studio = Studio(app, DARK, (1360, 850))
    studio.score(recording())
    studio.read_recording()
    studio.shoot_small(out / "recording-dark.png")
    studio.close()


def picture_recordings(app: QApplication, clip: Path, out: Path) -> None:
    """A recording in every state and size that must be looked at."""
    for scheme, name in SCHEMES:
        for size in ((1360, 860), (1024, 700)):
            studio, prefix = Studio(app, scheme, size), f"recording-{name}-{size[0]}"
            studio.score(clip)
            studio.shoot(out / f"{prefix}-scored.png")
            studio.read_recording()
            studio.shoot(out / f"{prefix}-read.png")
            picture_ways(studio, out, prefix)
            studio.drag(clip)
            studio.shoot(out / f"{prefix}-drop.png")
            studio.close()
    with tempfile.TemporaryDirectory() as folder:
        picture_trouble(app, clip, Path(folder), out)


def picture_ways(studio: Studio, out: Path, name: str) -> None:
    """What is done with a recording that was read: played, looked at closely, explained, seen as a grid."""
    window, do = studio.window, studio.window.actions_
    first, last = window.bench.timeline.view
    at = first + 0.65 * (last - first)
    do[Do.HEATMAP].trigger()
    studio.wait(4)
    studio.shoot(out / f"{name}-heatmap.png")
    do[Do.HEATMAP].trigger()
    studio.look(at)
    do[Do.PLAY].trigger()
    studio.wait(1.5)
    studio.shoot(out / f"{name}-playing.png")
    do[Do.HOLD].trigger()
    window.bench.timeline.zoom_by(6)
    window.bench.timeline.range_chosen.emit(at, at + 2.5)
    studio.wait(0.5)
    studio.shoot(out / f"{name}-close.png")
    do[Do.GRID].trigger()
    studio.wait(1)
    studio.shoot(out / f"{name}-grid.png")
    do[Do.GRID].trigger()


def picture_trouble(app: QApplication, clip: Path, folder: Path, out: Path) -> None:
    """Long names, a run half-way, a file that breaks off, one that was never finished, all in one case."""
    shutil.copy(clip, folder / LONG_FILE)
    flythrough.loop(clip, folder / "whole.mkv", 1)
    data = (folder / "whole.mkv").read_bytes()
    (folder / "cut off.mkv").write_bytes(data[: len(data) * 6 // 10])
    (folder / "not finished.mp4").write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    for scheme, name in SCHEMES:
        studio = Studio(app, scheme, (1024, 700))
        session = studio.window.session
        session.new_case(LONG_NAMES)
        studio.window.open_paths([folder / LONG_FILE])
        studio.wait(LONGEST, lambda session=session: session.done > len(session.keys) / 2 > 0)
        studio.shoot(out / f"recording-{name}-running.png")
        session.cancel()
        studio.wait(1)
        studio.shoot(out / f"recording-{name}-cancelled.png")
        studio.close()
        studio = Studio(app, scheme, (1360, 860))
        studio.score(folder / "cut off.mkv", folder / "not finished.mp4", case=LONG_NAMES)
        studio.shoot(out / f"recording-{name}-cut-off.png")
        studio.close()


def picture_report(path: Path) -> None:
    """Score the sample case on the command line and draw the first page of its report."""
    draw_report(path, 1, "--sample", "--heatmaps")


def draw_report(path: Path, pages: int, *arguments: str) -> None:
    """Score on the command line and draw so many pages of the report, each under its number if several."""
    with tempfile.TemporaryDirectory() as folder:
        code = cli.main(["score", *arguments, "--out", folder])
        if code not in (cli.ALL, cli.PARTIAL):
            raise RuntimeError(f"scoring {arguments} ended with code {code}")
        page = [str(Path(folder) / "report.pdf"), str(path.with_suffix(""))]
        single = ["-singlefile"] if pages == 1 else []
        subprocess.run(["pdftoppm", "-r", "80", "-png", "-l", str(pages), *single, *page], check=True)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "images")
    parser.add_argument(
        "--all", action="store_true", help="every state and size, not those of the documentation"
    )
    parser.add_argument("--recordings", action="store_true", help="only the pictures of recordings")
    parser.add_argument("--clip", type=Path, help="with --all: another recording than the drawn one")
    parser.add_argument("--scale", default="1", help="pixels of the screen to one of the window's own")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ["QT_SCALE_FACTOR"] = args.scale  # read once, when the application is made
    app = QApplication(sys.argv[:1])
    app.setStyle("Fusion")
    if args.all:
        if not args.recordings:
            picture_all(app, args.out)
        clip = args.clip or recording()
        draw_report(args.out / "recording-report.png", 9, str(clip))
        picture_recordings(app, clip, args.out)
        return
    if not args.recordings:
        picture_window(app, args.out)
        picture_report(args.out / "report.png")
    picture_recording(app, args.out)


if __name__ == "__main__":
    main()
