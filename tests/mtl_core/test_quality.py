"""The gate rejects what cannot be graded, says why, and lets graded pictures through."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from mtl_core.quality import Quality, assess

HEIGHT, WIDTH = 576, 768


def mucosa(seed: int = 0) -> np.ndarray:
    """A red-dominant textured disc on black: gradable by every rule."""
    rng = np.random.default_rng(seed)
    texture = sum(
        cv2.resize(rng.random((n, n), np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) - 0.5
        for n in (8, 24, 80, 200)
    )
    grey = 130 + 45 * texture
    picture = np.stack([grey * 1.35, grey * 0.7, grey * 0.5], axis=2).clip(0, 255).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, (WIDTH // 2, HEIGHT // 2), (WIDTH // 2 - 20, HEIGHT // 2 - 8), 0, 0, 360, 1, -1)
    return picture * mask[..., None]


def page() -> np.ndarray:
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for y in range(20, HEIGHT, 18):
        cv2.putText(white, "Colonoscopy report, page 1 of 2, findings:", (20, y), 0, 0.5, (0, 0, 0), 1)
    return white


def patches(red: float, green: float, blue: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = cv2.resize(rng.random((24, 32, 3), np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return (noise * np.array([red, green, blue])).clip(0, 255).astype(np.uint8)


def test_mucosa_is_gradable_and_measures_are_given():
    quality = assess(mucosa())
    assert quality.gradable
    assert quality.reason == ""
    assert quality.measures["red_share"] > 0.99
    assert quality.measures["sharpness"] > 0.3


NOISE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
FLAT = np.full((HEIGHT, WIDTH, 3), 1, np.uint8)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (FLAT * 0, "blank"),
        (FLAT * 255, "blank"),
        (FLAT * np.array([190, 80, 60], np.uint8), "blank"),
        ((mucosa() * 0.2).astype(np.uint8), "too dark"),
        (255 - page(), "too dark"),
        (np.clip(mucosa() * 4.0, 0, 255).astype(np.uint8), "over-exposed"),
        (page(), "over-exposed"),
        (NOISE, "not mucosa"),
        (NOISE[..., :1].repeat(3, 2), "not mucosa"),
        ((NOISE * np.array([1, 0.4, 0.3])).astype(np.uint8), "not mucosa"),
        (patches(80, 160, 255), "not mucosa"),
        (patches(120, 255, 80), "not mucosa"),
        (patches(255, 255, 255), "not mucosa"),
        (mucosa()[..., ::-1].copy(), "not mucosa"),
        (mucosa()[..., 1:2].repeat(3, 2), "not mucosa"),
        (cv2.GaussianBlur(mucosa(), (0, 0), 10), "blurred"),
    ],
    ids=[
        *("black", "white", "one red", "dim", "dark screen", "burnt", "page", "noise", "grey noise"),
        *("red noise", "sky", "grass", "colours", "BGR", "greyscale", "blurred"),
    ],
)
def test_what_cannot_be_graded_is_rejected_with_its_reason(frame, reason):
    quality = assess(frame)
    assert (quality.gradable, quality.reason) == (False, reason), quality.measures


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (50, 60), (1080, 1920)])
def test_any_size_gets_an_answer(shape):
    frame = cv2.resize(mucosa(), (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    quality = assess(frame)
    assert isinstance(quality, Quality)
    assert all(np.isfinite(value) for value in quality.measures.values())


def test_overlays_in_the_lower_left_corner_change_nothing():
    frame = mucosa()
    boxed = frame.copy()
    cv2.rectangle(boxed, (30, 400), (230, 560), (40, 200, 120), -1)
    plain, overlaid = assess(frame).measures, assess(boxed).measures
    for name, value in plain.items():
        assert overlaid[name] == pytest.approx(value, rel=0.05, abs=0.01), name


def test_the_frame_is_left_as_it_was():
    frame = mucosa()
    before = frame.copy()
    assess(frame)
    assert np.array_equal(frame, before)


def read(path: Path) -> np.ndarray:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def labelled(folder: Path, start: str, use: str, step: int) -> list[Path]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = [r["file"] for r in csv.DictReader(stream) if r["file"].startswith(start) and r["use"] == use]
    return [folder / name for name in sorted(rows)[::step]]


@pytest.mark.parametrize(
    ("start", "use", "step"),
    [
        ("hyperkvasir-256/grade", "train", 4),
        ("mes0-fullres", "train", 2),
        ("grade-1-fullres", "app", 2),
        ("normal-fullres", "app", 2),
    ],
)
def test_no_real_graded_picture_is_rejected(shared_data, start, use, step):
    paths = labelled(shared_data, start, use, step)
    assert len(paths) >= 10
    rejected = {path.name: assess(read(path)).reason for path in paths if not assess(read(path)).gradable}
    assert rejected == {}


def test_real_graded_pictures_are_rejected_once_spoilt(shared_data):
    for path in labelled(shared_data, "hyperkvasir-256/grade", "train", 40):
        frame = read(path)
        assert assess((frame * 0.2).astype(np.uint8)).reason == "too dark"
        assert assess(cv2.GaussianBlur(frame, (0, 0), 4)).reason == "blurred"
        assert assess(frame[..., ::-1].copy()).reason == "not mucosa"
