"""The synthetic recording: says what is where in it, shows it, says it is synthetic, and can be repeated."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from mtl_core import quality

ROOT = Path(__file__).resolve().parents[1]
SIZE = (384, 288)


@pytest.fixture(scope="module")
def flythrough() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "packaging"))
        return importlib.import_module("flythrough")


@pytest.fixture(scope="module")
def recording(flythrough: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flythrough") / "f.mp4"
    stretches = flythrough.fly_through(path, [None, 0], seconds=0.4, fps=10, size=SIZE)
    assert stretches == [(0, 0.4, None), (0.4, 0.8, 0)]
    return path


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_each_stretch_shows_what_it_says(recording: Path) -> None:
    frames = pictures(recording)
    assert [quality.assess(frame).gradable for frame in frames] == [False] * 4 + [True] * 4
    assert all(frame.shape == (288, 384, 3) for frame in frames)
    moved = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(frames[4:])]
    assert min(moved) > 1


def test_every_frame_says_that_it_is_synthetic(recording: Path) -> None:
    with av.open(str(recording)) as container:
        assert container.metadata["comment"] == "synthetic: drawn by a program, not a patient"
    for frame in pictures(recording):
        assert frame[10:24, 4:50].max() > 150
        assert frame[60:, :50].max() < 30


def test_repeating_copies_the_pictures(flythrough: ModuleType, recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "long.mkv"
    assert flythrough.loop(recording, out, 2.0) == pytest.approx(2.4)
    once, repeated = pictures(recording), pictures(out)
    assert len(repeated) == 24
    assert all(np.array_equal(frame, once[at % 8]) for at, frame in enumerate(repeated))
    with av.open(str(out)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([at / 10 for at in range(24)])


def test_the_command_refuses_what_cannot_be_drawn(
    flythrough: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        flythrough.main(["--out", str(tmp_path / "f.mp4"), "--severities", "0,4"])
    assert "0 to 3 or x" in capsys.readouterr().err
