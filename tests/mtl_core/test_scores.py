"""What follows from probabilities and from a heatmap's evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_core.scores import CLOSE_CALL, FrameScores, Heatmap

Four = tuple[float, float, float, float]


def scores(*p: float) -> FrameScores:
    return FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], p[2] + p[3] >= 0.5)


def shares(weights: tuple[int, int, int, int]) -> FrameScores:
    return scores(*(weight / sum(weights) for weight in weights))


@pytest.mark.parametrize(
    ("probabilities", "grade", "margin", "continuous", "close"),
    [
        ((1.0, 0.0, 0.0, 0.0), 0, 1.0, 0.0, None),
        ((0.1, 0.2, 0.6, 0.1), 2, 0.4, 1.7, None),
        ((0.45, 0.5, 0.05, 0.0), 1, 0.05, 0.6, (0, 1)),
        ((0.4, 0.1, 0.1, 0.4), 3, 0.0, 1.5, (0, 3)),
        ((0.25, 0.25, 0.25, 0.25), 3, 0.0, 1.5, (2, 3)),
        ((0.0, 0.0, 0.4, 0.6), 3, 0.2, 2.6, None),
    ],
)
def test_worked_cases(
    probabilities: Four, grade: int, margin: float, continuous: float, close: tuple[int, int] | None
) -> None:
    found = scores(*probabilities)
    assert found.scored
    assert found.grade == grade
    assert found.margin == pytest.approx(margin)
    assert found.continuous == pytest.approx(continuous)
    assert found.close_call == close


def test_a_rejected_frame_has_no_numbers() -> None:
    rejected = FrameScores.rejected("too dark")
    assert not rejected.scored
    assert rejected.reject_reason == "too dark"
    for name in ("probabilities", "p_active", "active", "grade", "continuous", "margin", "close_call"):
        assert getattr(rejected, name) is None, name


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"probabilities": (0.7, 0.1, 0.1, 0.1), "p_active": 0.2, "active": False, "reject_reason": "dark"},
        {"probabilities": (0.7, 0.1, 0.1, 0.1), "active": False},
        {"probabilities": (0.7, 0.1, 0.1, 0.1), "p_active": 0.2},
    ],
)
def test_scores_are_whole_or_absent(parts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="frame"):
        FrameScores(**parts)  # type: ignore[arg-type]


@given(st.tuples(*[st.integers(0, 100)] * 4).filter(any))
def test_the_margin_is_a_share_and_decides_the_close_call(weights: tuple[int, int, int, int]) -> None:
    found = shares(weights)
    assert found.margin is not None
    assert 0 <= found.margin <= 1
    assert (found.close_call is not None) == (found.margin < CLOSE_CALL)
    if found.close_call is not None:
        assert found.grade in found.close_call
        assert found.close_call[0] < found.close_call[1]


@given(st.tuples(*[st.integers(0, 100)] * 4).filter(any), st.permutations(range(4)))
def test_the_margin_knows_no_order_of_grades(weights: tuple[int, int, int, int], order: list[int]) -> None:
    other = tuple(weights[k] for k in order)
    assert shares(weights).margin == shares(other).margin  # type: ignore[arg-type]


def heatmap(evidence: float) -> Heatmap:
    return Heatmap(np.zeros((2, 2), np.float32), 0.5, "MES 2", evidence=evidence)


@pytest.mark.parametrize(
    ("evidence", "strength"),
    [(0.0, 0.0), (-3.0, 0.0), (1.0, 0.6321), (2.0, 0.8647), (1e6, 1.0), (float("inf"), 1.0)],
)
def test_the_strength_of_a_map_follows_its_evidence(evidence: float, strength: float) -> None:
    assert heatmap(evidence).strength == pytest.approx(strength, abs=1e-4)


def test_a_map_of_unknown_evidence_is_not_drawn() -> None:
    assert Heatmap(np.ones((2, 2), np.float32), 0.5, "MES 2").strength == 0.0


@given(st.floats(0, 50), st.floats(0, 50))
def test_more_evidence_is_never_drawn_weaker(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0 <= heatmap(low).strength <= heatmap(high).strength <= 1
