"""A window under watch: which frame its picture shows, and whether all that is said of it is of that one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from clips import Clip, kept, read_number
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent, QImage
from pytestqt.qtbot import QtBot
from stand_in import StandIn

from mtl_core.scores import FrameScores
from uc_viewer.gui import jobs
from uc_viewer.gui.actions import Do
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.timeline_scale import clock

SAMPLED = (0, 13, 25, 38, 50, 63, 75, 88)
"""Frames that are scored of a clip of 100 frames at 25 per second, two per second of them."""


def graded(number: int) -> int:
    """MES 2 for two seconds, then one false MES 3; else 0."""
    return 3 if number == 88 else 2 if 25 <= number <= 75 else 0


class Reads(StandIn):
    """Grades frames by the number they carry; what carries none is a still, graded as ever."""

    def __init__(self, grade: Callable[[int], int] = graded) -> None:
        super().__init__()
        self.grade = grade
        self.seen: list[int] = []
        """The numbers of the frames that were scored."""

    def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        for frame in frames:
            try:
                number = read_number(frame)
            except ValueError:
                yield from super().predict([frame])
                continue
            assert self.gate.wait(10)
            self.seen.append(number)
            p = [0.1] * 4
            p[self.grade(number)] = 0.7
            yield FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], p[2] + p[3] >= 0.5)


class Watch:
    """Reads the number off every picture the window shows, and all that is said of it, again and again.

    ``faults`` tells where they differed. ``numbers`` are those of the pictures in the order shown, ``near``
    those of small copies.
    """

    def __init__(
        self,
        window: MainWindow,
        times: Sequence[float],
        sampled: Sequence[int] = SAMPLED,
        grade: Callable[[int], int] = graded,
    ) -> None:
        self.window, self.times, self.sampled, self._grade = window, times, sampled, grade
        self.numbers: list[int] = []
        self.near: list[int] = []
        self.faults: list[str] = []
        self.names: set[str] = set()
        self._number: int | None = None
        self._spy("show_image", self._on_image)
        self._spy("show_near", self._on_near)
        for blank in ("show_text", "show_waiting"):
            self._spy(blank, self._on_blank)
        self._timer = QTimer(interval=2)
        self._timer.timeout.connect(self.check)
        self._timer.start()

    @property
    def number(self) -> int:
        """The number in the picture on the screen. Fails where there is none."""
        assert self._number is not None
        return self._number

    def stop(self) -> None:
        """Watch no more; fails with what was wrong."""
        self._timer.stop()
        assert self.faults == []

    def check(self) -> None:
        """Note what is said of another frame than that in the picture."""
        bench, browsing, key = self.window.bench, self.window.browsing, self.window.browsing.shown
        if self._number is None or key is None:
            return
        number, name = self._number, bench.scores._name.text()
        self.names.add(name)
        badges = bench.image._badges
        scored = self.sampled[bisect_right(self.sampled, number) - 1]
        wanted = {
            "key": number,
            "name": f"{key[0]}, {clock(self.times[number])}",
            "scored frame": (key[0], scored),
            "time of the badges": "" if number == scored else f"at {clock(self.times[scored])}",
            "cursor": number,
        }
        found = {
            "key": key[1],
            "name": name.removesuffix(" (nearest)"),
            "scored frame": browsing.current,
            "time of the badges": badges.ai_note,
            "cursor": bench.timeline._index,
        }
        if browsing.current in self.window.session.items:
            wanted["grade"], found["grade"] = self._grade(scored), badges.ai_grade
        else:
            del wanted["time of the badges"], found["time of the badges"]
        if wanted != found:
            self.faults.append(f"{wanted} is shown, {found} is said")

    def _spy(self, name: str, heard: Callable[..., None]) -> None:
        image = self.window.bench.image
        does = getattr(image, name)

        def both(*values: Any) -> None:
            heard(*values)
            does(*values)

        setattr(image, name, both)

    def _on_image(self, rgb: np.ndarray, *_: object) -> None:
        self._number = _number_of(rgb)
        if self._number is not None:
            self.numbers.append(self._number)

    def _on_near(self, small: QImage, *_: object) -> None:
        rgb = small.convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
        self._number = _number_of(rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3))
        assert self._number is not None
        self.near.append(self._number)

    def _on_blank(self, *_: object) -> None:
        self._number = None


def _number_of(rgb: np.ndarray) -> int | None:
    try:
        return read_number(rgb)
    except ValueError:
        return None  # a still


def clip_of(factory: pytest.TempPathFactory, frames: int = 100) -> Clip:
    """A clip at 25 frames per second, written once for all tests; never to be changed."""
    folder = factory.getbasetemp() / "watched-clips"
    folder.mkdir(exist_ok=True)
    return kept(folder, "h264-mp4", frames)


@contextmanager
def opened_window(model: Reads, **arguments: Any) -> Iterator[MainWindow]:
    """A window that works with a model, until the end of the block."""
    with mock.patch.object(jobs, "smoothly", nullcontext):  # no torch to load
        window = MainWindow(Session(lambda name, device: model), **arguments)
        window.show()
        try:
            yield window
        finally:
            model.gate.set()
            window.session.reader.edits.setClean()  # otherwise the window asks before it goes
            window.close()


def drop(window: MainWindow, *paths: Path) -> None:
    """Let paths fall on the window as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    window.dropEvent(QDropEvent(QPointF(9, 9), actions, data, buttons, Qt.KeyboardModifier.NoModifier))


def scored(window: MainWindow, qtbot: QtBot, *paths: Path) -> None:
    """Drop paths and wait until all is scored and the first picture is shown."""
    drop(window, *paths)
    ended(window, qtbot)
    opened(window, qtbot)


def ended(window: MainWindow, qtbot: QtBot) -> None:
    """Wait for the end of the run."""
    qtbot.waitUntil(lambda: bool(window.session.keys) and not window.session.running, timeout=30_000)


def opened(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until the frame that is wanted is on the screen."""
    qtbot.waitUntil(lambda: window.browsing.opened, timeout=20_000)


def do(window: MainWindow, *deeds: Do) -> None:
    """Do these things one after the other."""
    for deed in deeds:
        window.actions_[deed].trigger()


def look(window: MainWindow, qtbot: QtBot, key: tuple[str, int]) -> None:
    """Look at a frame and wait for its picture."""
    window.browsing.look(key)
    opened(window, qtbot)
