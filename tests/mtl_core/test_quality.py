"""The gate rejects what cannot be graded, says why, and lets graded pictures through."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mtl_core.quality import Quality, Standstill, assess, disagreement, fingerprint, same_picture

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


def wall() -> np.ndarray:
    """A wall at close range: nothing but red, light falling off, and two sharp wet highlights."""
    red = cv2.GaussianBlur(mucosa(), (0, 0), 25)
    for x in (300, 480):
        cv2.ellipse(red, (x, 300), (18, 6), 20, 0, 360, (255, 240, 230), -1)
    return red


def test_mucosa_is_gradable_and_measures_are_given():
    quality = assess(mucosa())
    assert quality.gradable
    assert quality.reason == ""
    assert quality.measures["red_share"] > 0.99
    assert quality.measures["sharpness"] > 0.3
    assert quality.measures["detail"] > 2.2


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
        (wall(), "no detail"),
    ],
    ids=[
        *("black", "white", "one red", "dim", "dark screen", "burnt", "page", "noise", "grey noise"),
        *("red noise", "sky", "grass", "colours", "BGR", "greyscale", "blurred", "wall"),
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


SHOWS_NOTHING = {"normal-fullres": {"8548873c-ca93-4522-8c44-a86c9cabdefd.jpg": "no detail"}}
"""Called normal by the data set, yet a wall at close range, evenly red, with nothing on it to grade."""


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
    assert rejected == SHOWS_NOTHING.get(start, {})


def test_real_graded_pictures_are_rejected_once_spoilt(shared_data):
    for path in labelled(shared_data, "hyperkvasir-256/grade", "train", 40):
        frame = read(path)
        assert assess((frame * 0.2).astype(np.uint8)).reason == "too dark"
        assert assess(cv2.GaussianBlur(frame, (0, 0), 4)).reason == "blurred"
        assert assess(frame[..., ::-1].copy()).reason == "not mucosa"


def test_real_walls_at_close_range_hold_no_detail_and_qualified_frames_pass(shared_data):
    frames = {
        f"{kind} {number}": assess(read(shared_data / "frame-quality" / kind / f"{number}.jpg")).reason
        for kind in ("qualified", "unqualified")
        for number in range(1, 11)
    }
    assert {name for name, reason in frames.items() if reason == "no detail"} == {
        "unqualified 3",
        "unqualified 7",
    }
    assert not any(reason for name, reason in frames.items() if name.startswith("qualified"))


def noisy(frame: np.ndarray, seed: int, level: float = 3.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, level, frame.shape)
    return (frame + noise).clip(0, 255).astype(np.uint8)


def moved(frame: np.ndarray, x: float, y: float) -> np.ndarray:
    shift = np.float32([[1, 0, x], [0, 1, y]])
    return cv2.warpAffine(frame, shift, (frame.shape[1], frame.shape[0]), borderMode=cv2.BORDER_REPLICATE)


def test_a_fingerprint_is_a_small_grey_picture():
    print_ = fingerprint(mucosa())
    assert (print_.shape, print_.dtype) == ((64, 64), np.float32)
    assert 0 <= print_.min() < print_.max() <= 255
    assert disagreement(print_, print_) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_noise_leaves_a_picture_the_same_and_movement_does_not(seed: int):
    frame = mucosa(seed)
    first = fingerprint(noisy(frame, 0))
    assert same_picture(first, fingerprint(noisy(frame, 1)))
    assert not same_picture(first, fingerprint(moved(frame, 8, 4)))
    assert not same_picture(first, fingerprint(mucosa(seed + 100)))


def test_what_goes_on_beside_a_still_does_not_hide_it_and_a_still_text_feigns_none():
    still, other = mucosa(0), mucosa(1)

    def with_live_corner(number: int) -> np.ndarray:
        frame = still.copy()
        frame[380:560, 30:270] = cv2.resize(mucosa(number), (240, 180))
        cv2.putText(frame, f"10:24:{number}", (20, 40), 0, 1, (255, 255, 255), 2)
        return frame

    assert same_picture(fingerprint(with_live_corner(7)), fingerprint(with_live_corner(58)))

    def with_text(frame: np.ndarray) -> np.ndarray:
        frame = frame.copy()
        for y in range(60, 300, 40):
            cv2.putText(frame, "ID: 123456", (20, y), 0, 1, (255, 255, 255), 2)
        return frame

    assert not same_picture(fingerprint(with_text(still)), fingerprint(with_text(other)))


def test_dark_frames_are_never_the_same():
    black = fingerprint(FLAT * 0)
    assert not same_picture(black, black)


def test_a_picture_is_frozen_once_it_has_stood_and_the_next_one_is_not():
    watch = Standstill()
    still = mucosa(0)
    seen = [watch.frozen(noisy(still, number), number / 10) for number in range(8)]
    assert seen == [False] * 4 + [True] * 4
    assert not watch.frozen(mucosa(1), 0.8)
    assert not watch.frozen(mucosa(2), 1.3)
    assert watch.frozen(noisy(mucosa(2), 1), 1.8)


def test_a_slow_scope_is_not_frozen_however_alike_neighbours_are():
    frame = mucosa(0)
    path = [moved(frame, step / 2, 0) for step in range(60)]
    prints = [fingerprint(picture) for picture in path]
    assert all(same_picture(one, other) for one, other in pairwise(prints))
    watch = Standstill()
    assert not any(watch.frozen(picture, number / 25) for number, picture in enumerate(path))


def decoded(source: Path | io.BytesIO) -> list[np.ndarray]:
    with av.open(source) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def encoded(frames: list[np.ndarray], codec: str, options: dict[str, str], bits: int = 0) -> io.BytesIO:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if bits:
            stream.bit_rate = bits
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    buffer.seek(0)
    return buffer


def frozen_at(frames: list[np.ndarray], step: float = 12.5) -> list[int]:
    """Which of the frames that are sampled (every ``step``-th of 25 per second) are frozen."""
    watch = Standstill()
    chosen = sorted({int(np.ceil(tick * step)) for tick in range(int((len(frames) - 1) / step) + 1)})
    return [index for index in chosen if watch.frozen(frames[index], index / 25)]


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        # Held from frame 4 to 111, and from 2 to 34 and 253 to 295, before which it comes to rest (250);
        # the others are always in motion.
        ("adenoma_03_WL", [25, 38, 50, 63, 75, 88, 100]),
        ("serrated_06_WL", [13, 25, 263, 275, 288]),
        ("hyperplasic_11_WL", []),
        ("hyperplasic_03_WL", []),
    ],
)
def test_real_stills_are_found_and_real_movement_is_none(shared_data, clip, expected):
    frames = decoded(shared_data / "video" / f"{clip}.mp4")
    assert frozen_at(frames) == expected
    if not expected:
        assert frozen_at(frames, step=1) == []


@pytest.mark.parametrize(
    ("codec", "options", "bits"),
    [
        ("libx264", {"crf": "28", "preset": "veryfast"}, 0),
        ("mpeg2video", {"g": "12", "bf": "2"}, 2_000_000),
    ],
)
@pytest.mark.parametrize("level", [0.0, 3.0])
def test_a_still_is_found_through_noise_and_compression(shared_data, codec, options, bits, level):
    live = decoded(shared_data / "video" / "hyperplasic_11_WL.mp4")[200:225]
    film = [noisy(frame, number, level) for number, frame in enumerate([*live, *[live[-1]] * 50])]
    frames = decoded(encoded(film, codec, options, bits))
    assert frozen_at(frames) == [38, 50, 63]
