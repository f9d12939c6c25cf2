"""The report holds the right rows and figures; its tables and picture show them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mtl_core import calibrate, evaluate, metrics
from mtl_core.calibrate import Calibrated
from mtl_core.evaluate import Resampling
from mtl_core.metrics import Predictions

FEW = Resampling(replicates=40)


@pytest.fixture(scope="module")
def mixed() -> Predictions:
    """Graded, partial, third-source, normal, negative and unrelated rows of four folds."""
    rng = np.random.default_rng(5)
    kinds = [  # use, source, low, high, rows
        *(("train", "0zpc", k, k, 40) for k in (1, 2, 3)),
        ("train", "0zpc", 0, 1, 12),
        ("train", "0zpc", 2, 3, 12),
        ("train", "0zpc", 1, 2, 8),
        ("check", "yoonho", 0, 0, 10),
        ("normal", "gastrovision", 0, 1, 60),
        ("negative", "0zpc", 0, 1, 40),
        ("ood", "gastroaid", 0, 3, 6),
    ]
    use, source, low, high = (np.repeat([k[c] for k in kinds], [k[4] for k in kinds]) for c in range(4))
    rows = len(use)
    centre = (low + high) / 2 + rng.normal(0, 0.5, rows)
    fold = np.where(use == "ood", "", (1 + np.arange(rows) % 4).astype(str))
    return Predictions(
        files=np.array([f"{k}.jpg" for k in range(rows)]),
        groups=np.arange(rows).astype(str),
        folds=fold,
        sources=source,
        uses=use,
        labels=low.astype(str),
        low=low.astype(np.int8),
        high=high.astype(np.int8),
        fine=-2 * (centre[:, None] - np.arange(4)) ** 2,
        coarse=4 * (centre[:, None] - np.array([0.5, 1.5, 2.5])),
        cuts=(1, 2, 3),
    )


@pytest.fixture(scope="module")
def report(mixed):
    return evaluate.evaluate(mixed, resampling=FEW)


def test_blocks_hold_the_rows_they_name(report):
    assert report["grades_1_3"]["rows"] == report["grades_1_3_restricted"]["rows"] == 120
    assert report["grades_0_3_surrogate_zero"]["rows"] == 180
    assert report["active_uc"]["rows"] == 120 + 24
    assert report["active_uc"]["active"] == 80 + 12
    assert report["active_all"]["rows"] == 144 + 100
    assert report["rows"] == 268
    assert sum(entry["rows"] for entry in report["sources"]) == 268
    assert [fold["fold"] for fold in report["by_fold"]] == ["1", "2", "3", "4"]


def test_figures_are_those_of_the_metrics(mixed, report):
    answers = calibrate.cross_fit(mixed)
    rows = (mixed.uses == "train") & mixed.graded & (mixed.sources == "0zpc")
    called = metrics.most_probable(answers.probabilities[rows])
    expected = metrics.confusion_matrix(mixed.low[rows], called)
    block = report["grades_1_3"]
    assert block["confusion"] == expected.astype(int).tolist()
    assert block["figures"]["qwk"]["value"] == pytest.approx(metrics.quadratic_kappa(expected))
    assert block["figures"]["qwk"]["low"] < block["figures"]["qwk"]["value"] < block["figures"]["qwk"]["high"]
    uc = (mixed.uses == "train") & (mixed.sources == "0zpc") & (mixed.active >= 0)
    auc = metrics.area_under_curve(answers.p_active[uc], mixed.active[uc] == 1)
    assert report["active_uc"]["figures"]["auc"]["value"] == pytest.approx(auc)


def test_restricted_answers_never_hold_grade_zero_and_probabilities_follow():
    p = _tiny(truth=[1, 2, 3], fine=[[5, 4, 0, 0], [0, 0, 5, 0], [0, 0, 0, 5]])
    calibrated = Calibrated(metrics.softmax(p.fine), np.array([0.1, 0.9, 0.9]), np.array([0, 1, 1]) > 0, {})
    report = evaluate.evaluate(p, calibrated, resampling=FEW)
    assert report["grades_1_3"]["confusion"][1] == [1, 0, 0, 0]
    assert report["grades_1_3_restricted"]["confusion"][1] == [0, 1, 0, 0]
    assert report["grades_1_3"]["figures"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert report["grades_1_3_restricted"]["figures"]["accuracy"]["value"] == 1
    assert "grades_0_3_surrogate_zero" not in report
    expected = -np.log([np.exp(4) / (np.exp(4) + 2), *[np.exp(5) / (np.exp(5) + 2)] * 2]).mean()
    assert report["grades_1_3_restricted"]["figures"]["nll"]["value"] == pytest.approx(expected)


def _tiny(truth, fine) -> Predictions:
    rows = len(truth)
    text = np.arange(rows).astype(str)
    return Predictions(
        *(text, text, np.full(rows, "1"), np.full(rows, "0zpc"), np.full(rows, "train"), text),
        low=np.array(truth, np.int8),
        high=np.array(truth, np.int8),
        fine=np.array(fine, float),
        coarse=np.zeros((rows, 1)),
        cuts=(2,),
    )


def test_the_check_source_and_every_other_source_are_shown_apart(mixed, report):
    entry = next(e for e in report["sources"] if e["source"] == "yoonho")
    answers = calibrate.cross_fit(mixed)
    rows = mixed.sources == "yoonho"
    assert entry["truth"] == "inactive"
    assert entry["figures"]["called_active"]["value"] == pytest.approx(answers.active[rows].mean())
    assert sum(entry["predicted_grades"]) == 10
    unknown = next(e for e in report["sources"] if e["source"] == "gastroaid")
    assert unknown["truth"] == "unknown"


def test_report_is_plain_json_without_nan(report):
    again = json.loads(json.dumps(report, allow_nan=False))
    assert again == report


def test_an_undefined_figure_is_none_and_prints_as_a_dash():
    p = _tiny(truth=[2, 2, 3], fine=np.eye(4)[[2, 2, 3]])
    calibrated = Calibrated(metrics.softmax(p.fine), np.full(3, 0.9), np.full(3, True), {})
    report = evaluate.evaluate(p, calibrated, resampling=FEW)
    assert report["active_uc"]["figures"]["auc"]["value"] is None
    assert report["grades_1_3"]["figures"]["recall_1"]["value"] is None
    assert "auc                              - [-, -]" in evaluate.format_report(report)


def test_tables_show_figures_intervals_sources_and_caveats(report):
    text = evaluate.format_report(report)
    qwk = report["grades_1_3"]["figures"]["qwk"]
    assert f"{qwk['value']:.3f} [{qwk['low']:.3f}, {qwk['high']:.3f}]" in text
    assert "specificity_at_sensitivity_95" in text
    assert "yoonho check, inactive" in text
    assert all(caveat in text for caveat in evaluate.CAVEATS)


def test_picture_is_a_png_written_whole(report, tmp_path):
    evaluate.draw(report, tmp_path / "rapor görüntüsü.png")
    data = (tmp_path / "rapor görüntüsü.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert data.rstrip(b"\x00").endswith(b"IEND\xaeB`\x82")
    assert len(list(tmp_path.iterdir())) == 1


def test_wrong_rows_are_refused(mixed):
    answers = calibrate.cross_fit(mixed)
    with pytest.raises(ValueError, match="other rows"):
        evaluate.evaluate(mixed.select(np.arange(5)), answers)


def test_a_model_compared_with_itself_in_another_order_differs_by_nothing(mixed):
    backwards = mixed.select(np.arange(len(mixed))[::-1])
    found = evaluate.compare(
        (mixed, calibrate.cross_fit(mixed)), (backwards, calibrate.cross_fit(backwards)), resampling=FEW
    )
    for name in ("qwk", "balanced_accuracy", "recall_3"):
        assert found["grades_1_3"]["figures"][name]["value"] == 0
        assert found["grades_1_3"]["figures"][name]["p"] == 1
    assert found["active_uc"]["figures"]["auc"]["value"] == pytest.approx(0, abs=1e-3)


def test_a_better_model_is_found_better(mixed):
    rng = np.random.default_rng(0)
    worse = Predictions(**{**vars(mixed), "fine": rng.normal(size=mixed.fine.shape)})
    good, bad = calibrate.cross_fit(mixed), calibrate.cross_fit(worse)
    found = evaluate.compare((mixed, good), (worse, bad), resampling=FEW)["grades_1_3"]["figures"]["qwk"]
    assert found["low"] > 0.3
    assert found["p"] == pytest.approx(1 / 40)
    opposite = evaluate.compare((worse, bad), (mixed, good), resampling=FEW)["grades_1_3"]["figures"]["qwk"]
    assert opposite["value"] == pytest.approx(-found["value"])
    text = evaluate.format_comparison({"grades_1_3": {"rows": 120, "figures": {"qwk": found}}}, "a", "b")
    assert f"{found['value']:+.3f}" in text


def test_comparison_needs_the_same_files_and_labels(mixed):
    answers = calibrate.cross_fit(mixed)
    fewer = mixed.select(np.arange(len(mixed)) > 0)
    with pytest.raises(ValueError, match="same files"):
        evaluate.compare((mixed, answers), (fewer, calibrate.cross_fit(fewer)))
    relabelled = Predictions(**{**vars(mixed), "low": np.zeros(len(mixed), np.int8)})
    with pytest.raises(ValueError, match="same labels"):
        evaluate.compare((mixed, answers), (relabelled, answers))
