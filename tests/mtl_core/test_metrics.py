"""Figures against hand-made numbers and scikit-learn, the bootstrap, and the CSV of predictions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from mtl_core import files, metrics
from mtl_core.metrics import Predictions, PredictionsError


def predictions(rows: int = 6, cuts: tuple[int, ...] = (1, 2, 3), seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 4, rows).astype(np.int8)
    return Predictions(
        files=np.array([f'ölçüm {k}, "연구".jpg' for k in range(rows)]),
        groups=np.array([str(k // 2) for k in range(rows)]),
        folds=np.array([str(1 + k % 2) for k in range(rows)]),
        sources=np.full(rows, "0zpc"),
        uses=np.full(rows, "train"),
        labels=low.astype(np.str_),
        low=low,
        high=low.copy(),
        fine=rng.normal(size=(rows, 4)) * 5,
        coarse=rng.normal(size=(rows, len(cuts))),
        cuts=cuts,
    )


grades = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def test_confusion_and_figures_of_a_hand_made_example():
    truth, called = np.array([1, 1, 2, 2, 2, 3]), np.array([1, 0, 2, 3, 2, 1])
    confusion = metrics.confusion_matrix(truth, called)
    assert confusion.tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 2, 1], [0, 1, 0, 0]]
    figures = metrics.grade_metrics(confusion, (1, 2, 3))
    assert figures["accuracy"] == pytest.approx(3 / 6)
    assert figures["mae"] == pytest.approx((1 + 1 + 2) / 6)
    assert figures["off_by_2"] == pytest.approx(1 / 6)
    assert [figures[f"recall_{k}"] for k in (1, 2, 3)] == pytest.approx([1 / 2, 2 / 3, 0])
    assert [figures[f"precision_{k}"] for k in (1, 2, 3)] == pytest.approx([1 / 2, 1, 0])
    assert [figures[f"f1_{k}"] for k in (1, 2, 3)] == pytest.approx([1 / 2, 4 / 5, 0])
    assert figures["balanced_accuracy"] == pytest.approx((1 / 2 + 2 / 3) / 3)
    assert figures["macro_f1"] == pytest.approx((1 / 2 + 4 / 5) / 3)
    # Observed squared distance 1 + 1 + 4 = 6; expected: sum of outer margins / 6 * distance = 63 / 6.
    margins = np.outer([0, 2, 3, 1], [1, 2, 2, 1])
    distance = np.subtract.outer(range(4), range(4)) ** 2
    assert figures["qwk"] == pytest.approx(1 - 6 / ((margins * distance).sum() / 6))


@given(grades)
def test_grade_figures_agree_with_scikit_learn(pairs):
    truth, called = (np.array(column) for column in zip(*pairs, strict=True))
    present = sorted(set(truth.tolist()))
    figures = metrics.grade_metrics(metrics.confusion_matrix(truth, called), present)
    precision, recall, f1, _ = reference.precision_recall_fscore_support(
        truth, called, labels=present, zero_division=np.nan
    )
    assert figures["accuracy"] == pytest.approx(reference.accuracy_score(truth, called))
    assert [figures[f"recall_{k}"] for k in present] == pytest.approx(recall)
    assert [figures[f"precision_{k}"] for k in present] == pytest.approx(precision, nan_ok=True)
    assert [figures[f"f1_{k}"] for k in present] == pytest.approx(f1)
    assert figures["balanced_accuracy"] == pytest.approx(recall.mean())
    if len(set(truth.tolist()) | set(called.tolist())) > 1:
        expected = reference.cohen_kappa_score(truth, called, labels=range(4), weights="quadratic")
        assert figures["qwk"] == pytest.approx(expected)
    else:
        assert math.isnan(figures["qwk"])


@given(grades.filter(lambda pairs: len({true for true, _ in pairs}) > 1))
def test_perfect_grades_have_kappa_one_and_mirroring_the_scale_changes_nothing(pairs):
    truth, called = (np.array(column) for column in zip(*pairs, strict=True))
    perfect = metrics.quadratic_kappa(metrics.confusion_matrix(truth, truth))
    assert perfect == pytest.approx(1)
    kappa = metrics.quadratic_kappa(metrics.confusion_matrix(truth, called))
    mirrored = metrics.quadratic_kappa(metrics.confusion_matrix(3 - truth, 3 - called))
    assert kappa == pytest.approx(mirrored)
    assert kappa <= perfect + 1e-12


def test_a_missing_grade_leaves_the_averages_undefined():
    figures = metrics.grade_metrics(metrics.confusion_matrix(np.array([1, 2]), np.array([1, 2])), (1, 2, 3))
    assert math.isnan(figures["recall_3"])
    assert math.isnan(figures["balanced_accuracy"])
    assert math.isnan(figures["macro_f1"])
    assert figures["qwk"] == 1


scored = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60).filter(
    lambda pairs: len({truth for _, truth in pairs}) == 2
)


@given(scored)
def test_active_figures_agree_with_scikit_learn(pairs):
    scores, truth = np.array([s / 8 for s, _ in pairs]), np.array([t for _, t in pairs])
    assert metrics.area_under_curve(scores, truth) == pytest.approx(reference.roc_auc_score(truth, scores))
    decided = scores >= 0.5
    figures = metrics.decision_metrics(truth, decided)
    assert figures["sensitivity"] == pytest.approx(reference.recall_score(truth, decided))
    assert figures["specificity"] == pytest.approx(reference.recall_score(~truth, ~decided))
    assert figures["kappa"] == pytest.approx(reference.cohen_kappa_score(truth, decided), nan_ok=True)
    brier = metrics.active_calibration(scores, truth)["brier"]
    assert brier == pytest.approx(reference.brier_score_loss(truth, scores))


@given(scored, st.sampled_from([0.07, 0.5, 0.9, 0.95, 1.0]))
def test_threshold_is_the_largest_that_reaches_the_sensitivity(pairs, sensitivity):
    scores, truth = np.array([s / 8 for s, _ in pairs]), np.array([t for _, t in pairs])
    threshold = metrics.threshold_at_sensitivity(scores, truth, sensitivity)
    assert np.mean(scores[truth] >= threshold) >= sensitivity - 1e-9
    higher = [level for level in np.unique(scores) if level > threshold]
    assert all(np.mean(scores[truth] >= level) < sensitivity for level in higher)
    expected = np.mean(scores[~truth] < threshold)
    assert metrics.specificity_at_sensitivity(scores, truth, sensitivity) == pytest.approx(expected)


def test_threshold_counts_exact_shares_without_rounding_up():
    scores = np.arange(100, 0, -1) / 100
    assert metrics.threshold_at_sensitivity(scores, np.ones(100, bool), 0.07) == scores[6]


@pytest.mark.parametrize(("truth", "sensitivity"), [([False, False], 0.9), ([True, False], 0.0)])
def test_threshold_refuses_what_it_cannot_answer(truth, sensitivity):
    with pytest.raises(ValueError, match="at least one active row"):
        metrics.threshold_at_sensitivity(np.array([0.2, 0.4]), np.array(truth), sensitivity)


def test_undefined_active_figures_are_nan():
    everyone = np.array([True, True])
    assert math.isnan(metrics.area_under_curve(np.array([0.1, 0.2]), everyone))
    assert math.isnan(metrics.specificity_at_sensitivity(np.array([0.1, 0.2]), everyone, 0.95))
    assert math.isnan(metrics.decision_metrics(everyone, everyone)["specificity"])


def test_calibration_figures_by_hand():
    truth = np.array([True, False, True, True])
    figures = metrics.active_calibration(np.array([0.9, 0.1, 0.55, 0.55]), truth)
    assert figures["ece"] == pytest.approx((0.1 + 0.1 + 2 * 0.45) / 4)
    assert figures["brier"] == pytest.approx((0.01 + 0.01 + 2 * 0.2025) / 4)
    assert figures["nll"] == pytest.approx(-(2 * math.log(0.9) + 2 * math.log(0.55)) / 4)
    fine = metrics.fine_calibration(np.array([[0.7, 0.1, 0.1, 0.1], [0.0, 0.0, 0.4, 0.6]]), np.array([0, 2]))
    assert fine["ece"] == pytest.approx((0.3 + 0.6) / 2)
    assert fine["brier"] == pytest.approx((0.09 + 0.03 + 0.36 + 0.36) / 2)
    assert fine["nll"] == pytest.approx(-(math.log(0.7) + math.log(0.4)) / 2)


def test_most_probable_grade_prefers_the_severe_one_and_can_be_restricted():
    probabilities = np.array([[0.4, 0.4, 0.1, 0.1], [0.7, 0.1, 0.15, 0.05], [0.25, 0.25, 0.25, 0.25]])
    assert metrics.most_probable(probabilities).tolist() == [1, 0, 3]
    assert metrics.most_probable(probabilities, (1, 2, 3)).tolist() == [1, 2, 3]


def test_softmax_and_sigmoid_stand_large_logits():
    assert metrics.softmax(np.array([[1000.0, 0, 0, 1000]])).tolist() == [[0.5, 0, 0, 0.5]]
    assert metrics.sigmoid(np.array([-1000.0, 0, 1000])).tolist() == [0, 0.5, 1]


def test_bootstrap_draws_whole_groups():
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    seen = []

    def figures(rows):
        seen.append(np.bincount(rows, minlength=6))
        return {"rows": float(len(rows))}

    metrics.bootstrap(groups, figures, replicates=50)
    for counts in seen[1:]:
        assert counts[0] == counts[2] == counts[5]
        assert counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3


def test_bootstrap_is_wider_when_the_rows_of_a_group_repeat_each_other():
    values = np.repeat(np.random.default_rng(3).normal(size=40), 10)

    def mean(rows):
        return {"mean": float(values[rows].mean())}

    alone = metrics.bootstrap(np.arange(400).astype(str), mean, 400)["mean"]
    grouped = metrics.bootstrap(np.repeat(np.arange(40), 10).astype(str), mean, 400)["mean"]
    assert grouped.value == alone.value == pytest.approx(values.mean())
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    # The standard error of a mean of 40 independent values, times 1.96 on either side.
    expected = 2 * 1.96 * values.std() / math.sqrt(40)
    assert grouped.high - grouped.low == pytest.approx(expected, rel=0.2)


def test_bootstrap_counts_replicates_that_leave_a_figure_undefined():
    truth = np.array([True, False])

    def auc(rows):
        return {"auc": metrics.area_under_curve(np.array([0.9, 0.1])[rows], truth[rows])}

    found = metrics.bootstrap(np.array(["a", "b"]), auc, 200, seed=1)["auc"]
    assert (found.value, found.low, found.high, found.replicates) == (1, 1, 1, 200)
    assert 60 < found.skipped < 140  # half of the draws hold one group only
    never = metrics.bootstrap(np.array(["a"]), lambda rows: {"x": math.nan}, 5)["x"]
    assert never.skipped == 5
    assert math.isnan(never.low)


def test_bootstrap_repeats_with_its_seed():
    values = np.random.default_rng(0).normal(size=30)
    groups = np.arange(30).astype(str)
    draws = [
        metrics.bootstrap(groups, lambda rows: {"m": float(values[rows].mean())}, 50, seed)
        for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_label_intervals_become_known_answers():
    base = predictions(5)
    low = np.array([2, 0, 1, 0, 2], np.int8)
    high = np.array([2, 1, 2, 3, 3], np.int8)
    p = Predictions(**{**vars(base), "low": low, "high": high})
    assert p.active.tolist() == [1, 0, -1, -1, 1]
    assert p.graded.tolist() == [True, False, False, False, False]
    assert np.array_equal(p.active_logit, p.coarse[:, 1])
    assert p.select(np.array([4, 0])).files.tolist() == [p.files[4], p.files[0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": np.zeros(5, np.int8)}, "low must have shape"),
        ({"high": np.full(6, 4, np.int8)}, "0 <= low <= high <= 3"),
        ({"cuts": (1, 3, 3)}, "lack the active one"),
        ({"fine": np.full((6, 4), np.nan)}, "not a finite number"),
        ({"coarse": np.zeros((6, 2))}, "coarse"),
    ],
)
def test_predictions_refuse_what_does_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        Predictions(**{**vars(predictions()), **change})


@settings(max_examples=20)
@given(st.integers(0, 9), st.sampled_from([(2,), (1, 2, 3), (3, 2)]), st.integers(0, 99))
def test_csv_round_trip_is_exact(tmp_path_factory, rows, cuts, seed):
    written = predictions(rows, cuts, seed)
    path = tmp_path_factory.mktemp("csv") / "p.csv"
    metrics.write_predictions(written, path)
    read = metrics.read_predictions(path)
    for name, value in vars(written).items():
        assert np.array_equal(value, vars(read)[name]), name
    assert [p.name for p in path.parent.iterdir()] == ["p.csv"]


HEADER = "file,group,fold,source,use,label,low,high,f0,f1,f2,f3,c2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must be file,group"),
        ("file,group\n", "the first line must be file,group"),
        (HEADER.replace("c2", "c1"), "the first line must be"),
        (f"{HEADER},c2", "the first line must be"),
        (f"{HEADER}\na,1,1,s,train,2,2,2,0,0,0", "line 2 has 11 fields instead of 13"),
        (f"{HEADER}\na,1,1,s,train,2,4,2,0,0,0,0,0", "line 2: low and high must be 0..3, not '4'"),
        (f"{HEADER}\na,1,1,s,train,2,,2,0,0,0,0,0", "line 2: low and high must be 0..3, not ''"),
        (f"{HEADER}\na,1,1,s,train,2,2,2,0,x,0,0,0", "line 2: a logit is not a number"),
        (f"{HEADER}\na,1,1,s,train,2,2,2,0,nan,0,0,0", "not a finite number"),
        (f"{HEADER}\na,1,1,s,train,2,3,2,0,0,0,0,0", "0 <= low <= high <= 3"),
    ],
)
def test_malformed_csv_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "broken.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PredictionsError, match=message) as caught:
        metrics.read_predictions(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_picture_renamed_csv_is_refused(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xff\xd8\xff\xe0\x00\x10")
    with pytest.raises(PredictionsError, match="not a CSV of predictions"):
        metrics.read_predictions(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "p.csv"
    path.write_text("old", encoding="utf-8")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        metrics.write_predictions(predictions(), path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_merge_keeps_order_and_refuses_twins_and_other_cuts():
    whole = predictions(6)
    parts = [whole.select(np.array([3, 4])), whole.select(np.array([0]))]
    assert metrics.merge(parts).files.tolist() == [whole.files[k] for k in (3, 4, 0)]
    with pytest.raises(ValueError, match="occurs more than once"):
        metrics.merge([whole, whole])
    with pytest.raises(ValueError, match="same coarse cuts"):
        metrics.merge([whole, predictions(2, (2,))])
    with pytest.raises(ValueError, match="one or more parts"):
        metrics.merge([])


def test_reading_what_is_not_there_is_an_os_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        metrics.read_predictions(tmp_path / "absent.csv")
