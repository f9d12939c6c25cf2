"""How the window behaves under load: figures are printed, only what must be right is asserted.

``UCV_LOAD`` sets how many stills are scored with the default model, ``UCV_MANY`` how many files are dropped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot
from stand_in import StandIn
from ucv_runs import mucosa

from uc_viewer.gui.actions import Do
from uc_viewer.gui.app import load_model
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Session

LOAD = int(os.environ.get("UCV_LOAD", "60"))
MANY = int(os.environ.get("UCV_MANY", "10000"))


class Heartbeat:
    """A timer in the window's thread; ``worst`` is the longest time it had to wait, in milliseconds."""

    def __init__(self) -> None:
        self.worst, self._last = 0.0, time.monotonic()
        self._timer = QTimer(interval=5, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.monotonic()
        self.worst, self._last = max(self.worst, (now - self._last) * 1000), now

    def stop(self) -> float:
        self._timer.stop()
        return self.worst


@pytest.fixture
def windows() -> Iterator[list[MainWindow]]:
    opened: list[MainWindow] = []
    yield opened
    for window in opened:
        window.session.reader.edits.setClean()
        window.close()


def test_the_heart_beats_while_stills_are_scored_and_the_user_scrubs(
    windows: list[MainWindow], tmp_path: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = [mucosa(number, (768, 576)) for number in range(10)]
    for number in range(LOAD):
        # One pixel differs, so that no two files are the same.
        kinds[number % 10].putpixel((number % 768, number // 768), (0, 0, 0))
        kinds[number % 10].save(tmp_path / f"{number:05d}.jpg", quality=90)
    window = MainWindow(Session(load_model))
    windows.append(window)
    window.show()
    heart = Heartbeat()
    window.open_paths([tmp_path])
    scrub = QTimer(interval=120)
    scrub.timeout.connect(window.actions_[Do.NEXT].trigger)
    scrub.start()
    qtbot.waitUntil(lambda: bool(window.session.keys) and not window.session.running, timeout=600_000)
    scrub.stop()
    worst = heart.stop()
    with capsys.disabled():
        print(f"\n{LOAD} stills scored while scrubbing: worst gap of the heartbeat {worst:.0f} ms")
    assert len(window.session.items) == LOAD


def test_many_files_at_once(
    windows: list[MainWindow], tmp_path: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(MANY):
        first = tmp_path / f"{number // 50_000}.jpg"  # a file may have so many names, not more
        if not first.exists():
            mucosa(number, (768, 576)).save(first)
        os.link(first, folder / f"{number:06d}.jpg")
    model = StandIn()
    model.gate.clear()  # only the drop is looked at here
    window = MainWindow(Session(lambda name, device: model))
    windows.append(window)
    window.show()
    heart, began, shown = Heartbeat(), time.monotonic(), []
    window.session.thumbnail_made.connect(lambda _: shown.append(time.monotonic() - began))
    window.open_paths([folder])
    qtbot.waitUntil(lambda: len(window.session.keys) == MANY and bool(shown), timeout=300_000)
    listed, worst = time.monotonic() - began, heart.stop()
    with capsys.disabled():
        print(
            f"\n{MANY} files dropped: first thumbnail after {shown[0]:.1f} s, all listed after "
            f"{listed:.1f} s, "
            f"memory {_memory_mb():.0f} MB, worst gap of the heartbeat {worst:.0f} ms"
        )
    assert window.bench.film_model.rowCount() == MANY
    began = time.monotonic()
    window.session.cancel()
    model.gate.set()
    qtbot.waitUntil(lambda: not window.session.running, timeout=60_000)
    with capsys.disabled():
        print(f"cancelled after {time.monotonic() - began:.2f} s")


def _memory_mb() -> float:
    """Resident memory of this process; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
