"""Runs of `ucv` for tests: pictures to score, the command, what it wrote."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mtl_core.predict import Predictor, Ready
from mtl_core.scores import FrameScores
from uc_viewer.cli import main

ROOT = Path(__file__).resolve().parents[1]
FILES = {"report.pdf", "frames.csv", "summary.json", "run.json"}
LIGHT = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}


def mucosa(seed: int = 0, size: tuple[int, int] = (160, 128)) -> Image.Image:
    """A reddish cloud that passes the quality gate."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (16, 20), dtype=np.uint8))
    cloud = coarse.resize(size, Image.Resampling.BICUBIC)
    light = np.asarray(cloud, dtype=np.float32)[..., None] / 255
    fine = rng.normal(0, 6, (size[1], size[0], 1))
    image = np.array([150, 60, 50]) + light * np.array([80, 70, 60]) + fine
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def stills(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        mucosa(number).save(folder / f"{number}.png")
    return folder


def encoded(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    (picture or mucosa()).save(stream, kind, **options)
    return stream.getvalue()


def score(model: Path, *arguments: object) -> int:
    return main(["score", "--model", str(model), "--device", "cpu", *map(str, arguments)])


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "frames.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def note(out: Path) -> str:
    return (out / "INCOMPLETE.txt").read_text(encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def second_batch(monkeypatch: pytest.MonkeyPatch, does: Callable[[], None]) -> None:
    """Have something happen while the engine scores its second batch."""
    real, calls = Predictor.answer, []

    def answer(predictor: Predictor, ready: Sequence[Ready]) -> list[FrameScores]:
        calls.append(len(ready))
        if len(calls) == 2:
            does()
        return real(predictor, ready)

    monkeypatch.setattr(Predictor, "answer", answer)
