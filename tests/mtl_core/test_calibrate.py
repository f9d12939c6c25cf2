"""Calibration recovers what made synthetic logits, and never judges the rows it was fit on."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_core import calibrate, metrics
from mtl_core.calibrate import Calibration
from mtl_core.metrics import Predictions, sigmoid, softmax


def synthetic(rows: int = 1200, seed: int = 0, temperature: float = 1.0, folds: int = 4) -> Predictions:
    """Rows whose fine logits are ``temperature`` times true log-probabilities; coarse ones are noisier."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(size=(rows, 4)) * 1.5
    chance = softmax(honest)
    low = np.array([rng.choice(4, p=p) for p in chance]).astype(np.int8)
    margin = calibrate.fine_margin(honest)
    coarse = np.stack([margin + 2, margin, margin - 2], axis=1) + rng.normal(size=(rows, 3))
    return Predictions(
        files=np.array([f"{k}.jpg" for k in range(rows)]),
        groups=np.array([str(k // 2) for k in range(rows)]),
        folds=np.array([str(1 + (k // 2) % folds) for k in range(rows)]),
        sources=np.full(rows, "0zpc"),
        uses=np.full(rows, "train"),
        labels=low.astype(np.str_),
        low=low,
        high=low.copy(),
        fine=honest * temperature,
        coarse=coarse,
        cuts=(1, 2, 3),
    )


def change(p: Predictions, **columns: object) -> Predictions:
    return Predictions(**{**vars(p), **columns})  # type: ignore[arg-type]


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_temperature_is_recovered(temperature):
    p = synthetic(4000, temperature=temperature)
    assert calibrate.fit_temperature(p.fine, p.low) == pytest.approx(temperature, rel=0.06)


def test_ordinal_draw_lowers_the_nll_where_logits_know_no_order_and_stays_out_otherwise():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 4, 3000)
    # Evidence that errs to neighbours only, while cross-entropy logits leak to far grades as well.
    seen = np.clip(truth + rng.choice([-1, 0, 0, 1], truth.size), 0, 3)
    leaking = 2.0 * np.eye(4)[seen] + rng.normal(0, 0.3, (truth.size, 4))
    temperature, ordinal = calibrate.fit_fine(leaking, truth)
    assert ordinal > 0.2
    weights = np.ones(truth.size)
    plain = leaking / calibrate.fit_temperature(leaking, truth)
    drawn = calibrate.draw_together(leaking, temperature, ordinal)
    gain = metrics.negative_log_likelihood(plain, truth, weights)
    assert metrics.negative_log_likelihood(drawn, truth, weights) < gain - 0.02

    honest = synthetic(4000, temperature=2.0)
    temperature, ordinal = calibrate.fit_fine(honest.fine, honest.low)
    assert temperature == pytest.approx(2.0, rel=0.1)
    assert ordinal < 0.05
    assert np.allclose(calibrate.draw_together(honest.fine, 2.0, 0.0), honest.fine / 2.0)


def test_temperature_weights_act_like_repeated_rows():
    p = synthetic(300, temperature=2.0)
    weights = np.where(np.arange(300) < 100, 3.0, 1.0)
    repeated = np.concatenate([np.arange(100), np.arange(100), np.arange(300)])
    weighted = calibrate.fit_temperature(p.fine, p.low, weights)
    assert weighted == pytest.approx(calibrate.fit_temperature(p.fine[repeated], p.low[repeated]), rel=1e-4)


def test_logistic_is_recovered():
    rng = np.random.default_rng(1)
    coarse, margin = rng.normal(size=(2, 20000)) * 2
    truth = rng.random(20000) < sigmoid(0.8 * coarse + 0.3 * margin - 0.5)
    assert calibrate.fit_active(coarse, margin, truth) == pytest.approx((0.8, 0.3, -0.5), abs=0.06)


def test_a_head_that_says_nothing_or_the_contrary_gets_no_say():
    rng = np.random.default_rng(2)
    margin = rng.normal(size=4000) * 2
    truth = rng.random(4000) < sigmoid(margin)
    scale, margin_scale, _ = calibrate.fit_active(-margin, margin, truth)
    assert scale == 0
    assert margin_scale == pytest.approx(1, abs=0.1)
    scale, margin_scale, _ = calibrate.fit_active(rng.normal(size=4000), margin, truth)
    assert scale < 0.1
    assert margin_scale == pytest.approx(1, abs=0.1)


def test_separable_rows_stay_finite():
    coarse = np.array([-1.0, -2, 1, 2])
    numbers = calibrate.fit_active(coarse, coarse, coarse > 0)
    assert np.all(np.isfinite(numbers))
    assert numbers[0] < 10


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.8, 0.9, 0.95, 1.0]))
def test_threshold_reaches_the_sensitivity_on_the_rows_of_the_fit(seed, sensitivity):
    p = synthetic(120, seed)
    calibration = calibrate.fit(p, sensitivity)
    found = calibrate.apply(calibration, p).active[p.active == 1]
    assert found.mean() >= sensitivity - 1e-9
    assert calibration.sensitivity == sensitivity


def test_answers_do_not_contradict_each_other():
    rng = np.random.default_rng(8)
    fine, coarse = rng.normal(0, 4, (500, 4)), rng.normal(0, 4, 500)
    fine[0] = (0, 0, 0, 900)  # sure of the severe grade beyond what a float can tell
    coarse[0] = -6.0
    calibration = Calibration(1.0, 1.0, 0.0, 0.0, threshold=0.3, ordinal=0.5)
    probabilities, p_active, active = calibration.answers(fine, coarse)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (active == (p_active >= 0.3)).all()
    assert np.allclose(probabilities[~active, 2:].sum(axis=1), p_active[~active])
    assert (probabilities[~active].argmax(axis=1) <= 1).all()
    assert np.array_equal(probabilities[active], calibration.fine_probabilities(fine)[active])


def test_fit_ignores_open_labels_and_unnamed_uses():
    p = synthetic(400)
    expected = calibrate.fit(p.select(np.arange(200)))
    high, low = p.high.copy(), p.low.copy()
    low[200:260], high[200:260] = 0, 3
    uses = p.uses.astype("<U8")
    uses[260:330], uses[330:] = "app", "check"
    rows = change(p, low=low, high=high, uses=uses)
    assert calibrate.fit(rows) == expected
    assert calibrate.fit(rows, use_weights={"train": 1.0, "check": 1.0}) != expected
    assert calibrate.fit(rows, use_weights={"train": 1.0, "app": 1.0}) != expected


def test_partial_labels_teach_the_active_question_alone():
    p = synthetic(400)
    low, high = p.low.copy(), p.high.copy()
    part = np.arange(400) >= 200
    low[part], high[part] = np.where(p.low[part] >= 2, 2, 0), np.where(p.low[part] >= 2, 3, 1)
    partial, whole = calibrate.fit(change(p, low=low, high=high)), calibrate.fit(p)
    assert partial.temperature == calibrate.fit(p.select(~part)).temperature != whole.temperature
    assert partial.active_scale == whole.active_scale


def test_a_smaller_weight_limits_a_use():
    p = synthetic(600)
    uses = np.where(np.arange(600) < 300, "train", "normal")
    low = np.where(uses == "normal", 0, p.low).astype(np.int8)
    rows = change(p, uses=uses, low=low, high=np.where(uses == "normal", 1, p.high).astype(np.int8))
    biases = [
        calibrate.fit(rows, use_weights={"train": 1.0, "normal": weight}).active_bias
        for weight in (0, 0.2, 1)
    ]
    assert biases[0] > biases[1] > biases[2]


def test_missing_kinds_of_rows_are_named():
    p = synthetic(50)
    with pytest.raises(ValueError, match="one single grade"):
        calibrate.fit(change(p, low=np.zeros(50, np.int8), high=np.ones(50, np.int8)))
    with pytest.raises(ValueError, match="both active and inactive"):
        calibrate.fit(p.select(p.low >= 2))


def test_calibration_travels_through_json_to_the_last_bit():
    calibration = calibrate.fit(synthetic(200))
    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration
    with pytest.raises(KeyError):
        Calibration.from_dict({"temperature": 1.0})
    with pytest.raises(ValueError, match="impossible numbers"):
        Calibration.from_dict({**calibration.to_dict(), "temperature": -1})


def test_more_evidence_from_either_head_never_lowers_p_active():
    calibration = calibrate.fit(synthetic(400))
    fine = np.array([[1.0, 0, 0, 0], [1, 0, 2, 0], [1, 0, 2, 5]])
    assert np.all(np.diff(calibration.p_active(fine, np.zeros(3))) >= 0)
    assert np.all(np.diff(calibration.p_active(fine[:1].repeat(3, 0), np.array([-1.0, 0, 4]))) >= 0)
    assert calibration.fine_probabilities(fine).sum(axis=1) == pytest.approx(1)


def test_cross_fit_judges_each_fold_by_the_others_and_leaves_shared_groups_out():
    p = synthetic(400)
    groups = p.groups.copy()
    groups[2:4] = groups[0]  # fold 2 shares this group with fold 1
    p = change(p, groups=groups)
    answers = calibrate.cross_fit(p)
    held_out = p.folds == "1"
    fitted = ~held_out
    fitted[2:4] = False
    expected = calibrate.fit(p.select(fitted))
    assert answers.calibrations["1"] == expected
    own = expected.answers(p.fine[held_out], p.active_logit[held_out])
    assert np.array_equal(answers.probabilities[held_out], own[0])
    assert np.array_equal(answers.active, answers.p_active >= _threshold_by_row(p, answers))


def _threshold_by_row(p, answers):
    return np.array([answers.calibrations[fold].threshold for fold in p.folds.tolist()])


def test_labels_of_the_held_out_fold_do_not_reach_its_own_answers():
    p = synthetic(400)
    flipped = np.where(p.folds == "1", 3 - p.low, p.low).astype(np.int8)
    one, other = calibrate.cross_fit(p), calibrate.cross_fit(change(p, low=flipped, high=flipped))
    held_out = p.folds == "1"
    assert np.array_equal(one.p_active[held_out], other.p_active[held_out])
    assert not np.array_equal(one.p_active[~held_out], other.p_active[~held_out])


def test_rows_without_a_fold_are_judged_and_teach_nothing():
    p = synthetic(400)
    folds = np.where(np.arange(400) >= 300, "", p.folds)
    answers = calibrate.cross_fit(change(p, folds=folds))
    assert answers.calibrations[""] == calibrate.fit(p.select(np.arange(400) < 300))
    assert np.isfinite(answers.p_active).all()
    with pytest.raises(ValueError, match="at least two folds"):
        calibrate.cross_fit(change(p, folds=np.full(400, "1")))
