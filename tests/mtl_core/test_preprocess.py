from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_core.preprocess import Augmentation, Box, augment, cover_overlays, field_of_view, normalise, prepare
from mtl_core.spec import InputSpec


def tissue(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 12, (height, width, 1))
    return np.clip(np.array([190, 90, 70]) + noise, 0, 255).astype(np.uint8)


def bordered(left: int, top: int, right: int, bottom: int, height: int = 576, width: int = 768) -> np.ndarray:
    frame = np.zeros((height, width, 3), np.uint8)
    frame[top:bottom, left:right] = tissue(bottom - top, right - left)
    return frame


@given(
    left=st.integers(0, 200),
    top=st.integers(0, 100),
    right=st.integers(500, 768),
    bottom=st.integers(400, 576),
)
@settings(max_examples=30, deadline=None)
def test_field_of_view_is_found_within_two_cells(left: int, top: int, right: int, bottom: int) -> None:
    box = field_of_view(bordered(left, top, right, bottom))
    wanted = (left, top, right, bottom)
    for found, true, side in zip(
        (box.left, box.top, box.right, box.bottom), wanted, (768, 576, 768, 576), strict=True
    ):
        assert abs(found - true) <= 2 * side / 256 + 1


def test_text_and_green_box_do_not_stretch_the_field_of_view() -> None:
    frame = bordered(200, 40, 740, 540)
    cv2.putText(frame, "12/03/2015 CVP:1", (5, 90), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
    frame[400:560, 10:190] = (25, 160, 130)
    assert abs(field_of_view(frame).left - 200) <= 7


@pytest.mark.parametrize("frame", [np.zeros((300, 400, 3), np.uint8), bordered(300, 200, 360, 260)])
def test_unbelievable_field_of_view_gives_the_whole_frame(frame: np.ndarray) -> None:
    height, width = frame.shape[:2]
    assert field_of_view(frame) == Box(0, 0, width, height)


def test_prepare_crops_squashes_and_masks() -> None:
    out = prepare(bordered(100, 50, 700, 500), InputSpec(size=224))
    assert out.shape == (224, 224, 3)
    assert out.dtype == np.uint8
    assert (out[0] == 0).all()
    assert (out[:20, :20] == 0).all()
    assert out[112, 112, 0] > 150


def test_a_black_border_changes_little() -> None:
    inner = tissue(500, 600)
    outer = np.zeros((576, 768, 3), np.uint8)
    outer[40:540, 90:690] = inner
    spec = InputSpec(size=160)
    difference = prepare(inner, spec).astype(int) - prepare(outer, spec).astype(int)
    assert np.abs(difference).mean() < 6


def test_green_box_is_covered_and_mucosa_is_not() -> None:
    square = tissue(224, 224)
    boxed = square.copy()
    boxed[160:, :70] = (25, 160, 130)
    covered = cover_overlays(boxed)
    assert (covered[165:, :70] == 0).all()
    assert (cover_overlays(square)[100:124, 60:160] > 0).all()


def test_burned_in_text_is_painted_over() -> None:
    square = cv2.GaussianBlur(tissue(224, 224), (0, 0), 3)
    written = square.copy()
    cv2.putText(written, "CVP1", (20, 110), cv2.FONT_HERSHEY_PLAIN, 0.9, (255, 255, 255), 1)
    before = np.abs(written.astype(int) - square).max()
    after = np.abs(cover_overlays(written)[60:160, 10:70].astype(int) - square[60:160, 10:70]).max()
    assert before > 120
    assert after < 40


def test_normalise_gives_zero_for_the_mean() -> None:
    spec = InputSpec(size=8)
    batch = np.tile(np.round(np.array(spec.mean) * 255).astype(np.uint8), (2, 8, 8, 1))
    out = normalise(batch, spec)
    assert out.shape == (2, 3, 8, 8)
    assert out.dtype == np.float32
    assert np.abs(out).max() < 0.02


def test_augment_keeps_shape_and_octagon_and_follows_its_seed() -> None:
    square = prepare(tissue(300, 300), InputSpec(size=128))
    first, again = (augment(square, np.random.default_rng(5)) for _ in range(2))
    other = augment(square, np.random.default_rng(6))
    assert first.shape == square.shape
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert (first != other).any()
    assert (first[:10, :10] == 0).all()


def test_augment_without_strength_only_turns() -> None:
    square = np.zeros((64, 64, 3), np.uint8)
    square[20:44, 20:44] = 200
    out = augment(square, np.random.default_rng(0), Augmentation(0, 0, 0, 0))
    assert abs(int(out.sum()) - int(square.sum())) < 0.03 * square.sum()
