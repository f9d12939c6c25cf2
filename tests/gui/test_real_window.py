"""The window as a person meets it: a process of its own on a real display, worked with keys alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("Xvfb", "xdotool", "import")
SIZE = (1360, 860)
PICTURES = 6
MIDDLE = np.s_[SIZE[1] // 3 : SIZE[1] * 2 // 3, SIZE[0] // 3 : SIZE[0] * 2 // 3]
"""Nothing but the picture of the frame that is looked at."""
FOOT = np.s_[SIZE[1] - 120 : SIZE[1] - 65, 280:600]
"""Under that picture on the left: empty but for what there is to say of its heatmap."""
CORNER = np.s_[SIZE[1] - 20 : SIZE[1] - 5, SIZE[0] * 3 // 4 :]
"""Where the progress and its buttons are while pictures are scored, and nothing else."""

PATIENCE = 90.0
"""Seconds to wait for anything: far more than it takes, as the machine may be busy."""

PAUSE = 0.1
STILL = 5
"""So many equal pictures of a screen in a row say that it stands still."""

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen], wanted: str) -> Seen:
    """What `look` gives as soon as that is true; fails where it never is."""
    end = time.monotonic() + PATIENCE
    while not (seen := look()):
        if time.monotonic() > end:
            pytest.fail(f"waited {PATIENCE:.0f} s in vain for {wanted}")
        time.sleep(PAUSE)
    return seen


@dataclass(frozen=True)
class Screen:
    """A display with one person in front of it. ``album``: where pictures of it are kept."""

    environment: dict[str, str]
    album: Path

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)

    def find(self, title: str) -> str:
        """Number of the visible window whose title matches, empty where there is none."""
        return self._run("xdotool", "search", "--onlyvisible", "--name", title).stdout.partition("\n")[0]

    def title(self, window: str) -> str:
        return self._run("xdotool", "getwindowname", window).stdout.strip()

    def focus(self, window: str) -> None:
        """Give a window the keys, as a window manager would."""

        def has_focus() -> bool:
            self._run("xdotool", "windowfocus", window)
            return self._run("xdotool", "getwindowfocus").stdout.strip() == window

        until(has_focus, "the focus")

    def press(self, *keys: str) -> None:
        told = self._run("xdotool", "key", "--clearmodifiers", "--delay", "30", *keys)
        assert told.returncode == 0, told.stderr

    def write(self, text: str) -> None:
        told = self._run("xdotool", "type", "--clearmodifiers", "--delay", "10", text)
        assert told.returncode == 0, told.stderr

    def picture(self, name: str) -> np.ndarray:
        """What is to be seen now, uint8 H x W x 3; also kept in the album."""
        file = self.album / f"{name}.png"
        told = self._run("import", "-silent", "-window", "root", str(file))
        assert told.returncode == 0, told.stderr
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB"))

    def still_picture(self, name: str) -> np.ndarray:
        """What is to be seen as soon as nothing moves any more."""
        last = self.picture(name)
        same = 0

        def stands() -> bool:
            nonlocal last, same
            now = self.picture(name)
            same = same + 1 if np.array_equal(now, last) else 0
            last = now
            return same >= STILL

        until(stands, f"a screen that stands still ({name})")
        return last


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A virtual display, and a home without any settings; required in CI on Linux."""
    if sys.platform != "linux":
        pytest.skip("needs an X display of its own, which only Linux has")
    if missing := [tool for tool in NEEDED if shutil.which(tool) is None]:
        if os.environ.get("CI"):
            pytest.fail(f"{', '.join(missing)} missing, and CI must have it")
        pytest.skip(f"needs {', '.join(missing)}, which is not installed")
    album = Path(os.environ.get("UCV_SCREENSHOTS") or tmp_path / "album").absolute()
    album.mkdir(parents=True, exist_ok=True)
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp", "-noreset"], pass_fds=[theirs], stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    try:
        with os.fdopen(ours) as told:
            display = told.readline().strip()
        assert display, "the virtual display did not start"
        yield Screen(_environment(tmp_path / "home", f":{display}"), album)
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _environment(home: Path, display: str) -> dict[str, str]:
    """A person's own: nothing of the desktop, the settings or the Qt of who runs the tests."""
    home.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    plain = {"QT_QPA_PLATFORM": "xcb", "QT_NO_XDG_DESKTOP_PORTAL": "1", "OMP_NUM_THREADS": "1"}
    return {**kept, **folders, **plain, "HOME": str(home), "DISPLAY": display, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def window(screen: Screen, tiny_bundle: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program with a case of its own, in a process group of its own."""
    case = tmp_path / "case"
    case.mkdir()
    for picture in sorted((ROOT / "resources" / "sample").glob("*.jpg"))[:PICTURES]:
        shutil.copy(picture, case)
    command = [sys.executable, "-m", "uc_viewer.gui.app", str(case)]
    with (tmp_path / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [*command, "--model", str(tiny_bundle), "--device", "cpu"],
            cwd=ROOT,
            env=screen.environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if _lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        print((tmp_path / "said.txt").read_text("utf-8", "replace"))


def _lives(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _is_plain(part: np.ndarray) -> bool:
    """Whether a part of a picture is all of one colour."""
    return bool((part == part[0, 0]).all())


def _is_drawn(picture: np.ndarray) -> bool:
    """Whether there is more on it than an empty window or an empty screen shows."""
    colours = np.unique(picture.reshape(-1, 3), axis=0)
    return picture.shape == (SIZE[1], SIZE[0], 3) and len(colours) > 2000 and float(picture.std()) > 20


def _text(report: Path) -> str:
    pages = PdfReader(report).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def _is_scored(picture: np.ndarray) -> bool:
    """Whether there is a case, and no progress any more."""
    return _is_drawn(picture) and _is_plain(picture[CORNER])


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the same frame is looked at in the same manner."""
    return np.array_equal(one[MIDDLE], other[MIDDLE])


def _save_report(screen: Screen, report: Path) -> None:
    screen.press("ctrl+e")
    dialog = until(lambda: screen.find("^Save report$"), "the question where to save")
    screen.focus(dialog)
    screen.write(str(report))
    screen.picture("4-saving")
    screen.press("Return")
    until(report.is_file, "the report")


def test_a_case_is_read_and_reported_with_keys_alone(
    screen: Screen, window: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    main = until(lambda: screen.find("^UC Viewer") or window.poll() is not None, "the window")
    assert isinstance(main, str), f"the program ended with {window.returncode}"
    screen.focus(main)
    until(lambda: _is_scored(screen.picture("1-scored")), "the end of scoring")
    begun = screen.still_picture("1-scored")

    screen.press("2", "s", "m", "Right")
    until(lambda: screen.title(main).startswith("UC Viewer*"), "a reading that is in no report")
    until(lambda: not _same(screen.picture("2-read"), begun), "the next frame")
    screen.press("3", "ctrl+z", "Home")
    until(lambda: _same(screen.picture("2-read"), begun), "the first frame")
    read = screen.still_picture("2-read")
    assert not np.array_equal(read, begun), "the reading is to be seen"
    assert _is_plain(read[FOOT])

    screen.press("h")
    # Random weights find nothing: the picture keeps its colours, and the line under it says why.
    until(lambda: not _is_plain(screen.picture("3-heatmap")[FOOT]), "the answer to the wish for a heatmap")

    report = tmp_path / "report.pdf"
    _save_report(screen, report)
    until(lambda: screen.title(main).startswith("UC Viewer,"), "a reading that is saved")
    assert _is_drawn(screen.still_picture("5-saved"))
    text = _text(report)
    assert "Reader: highest MES 2 (moderate), sigmoid colon" in text
    assert f"1 of {PICTURES} pictures read" in text, "what was undone is in no report"
    assert "INCOMPLETE" not in text

    screen.focus(main)
    screen.press("ctrl+q")
    assert window.wait(PATIENCE) == 0
    until(lambda: not _lives(window.pid), "the end of all its processes")
    assert "Traceback" not in (tmp_path / "said.txt").read_text("utf-8", "replace")
