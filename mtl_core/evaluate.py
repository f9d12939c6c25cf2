"""Judge predictions on labelled pictures: a JSON-ready report (tables and pictures: `evaluation_report`).

Every figure carries a group-clustered bootstrap 95 % interval. Two ways of reading the grades stand side
by side: as the model answers (predicted grade 0 of a picture graded 1..3 is wrong), and ``restricted`` to
grades 1..3, which is what a three-class model can be compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtl_core.calibrate import SENSITIVITY, Calibrated, cross_fit
from mtl_core.evaluation_report import draw, format_comparison, format_report
from mtl_core.metrics import (
    Floats,
    Interval,
    Mask,
    Predictions,
    Texts,
    active_calibration,
    area_under_curve,
    bootstrap,
    confusion_matrix,
    decision_metrics,
    fine_calibration,
    grade_metrics,
    most_probable,
    specificity_at_sensitivity,
)
from mtl_core.spec import GRADES

__all__ = ["Resampling", "compare", "draw", "evaluate", "format_comparison", "format_report"]

Rows = NDArray[np.intp]
Figures = Callable[[Rows], Mapping[str, float]]

CAVEATS = (
    "Grade 0 is a surrogate: normal mucosa of another source, not readings of patients with ulcerative "
    "colitis. Pictures of the two sources can be told apart by source alone, so figures with normals and "
    "negatives are partly a figure of the source.",
    "No patient ids: the bootstrap and the folds know near-duplicate groups, not patients.",
)
_BINS = 10


@dataclass(frozen=True)
class Resampling:
    """How intervals are drawn: ``replicates`` bootstrap samples from ``seed``."""

    replicates: int = 1000
    seed: int = 0


def evaluate(
    predictions: Predictions,
    calibrated: Calibrated | None = None,
    *,
    sensitivity: float = SENSITIVITY,
    resampling: Resampling = Resampling(),
) -> dict[str, Any]:
    """Give the whole report as plain dictionaries, lists, numbers and None (undefined).

    ``calibrated``: answers for the same rows; None cross-fits over the folds. Rows of use ``check`` (a
    third source) stay out of the main blocks and appear under ``sources``. Blocks without rows are absent.
    Raises ValueError if rows do not match or a cross-fit is asked of fewer than two folds.
    """
    answers = cross_fit(predictions, sensitivity) if calibrated is None else calibrated
    if len(answers.p_active) != len(predictions):
        raise ValueError("the calibrated answers belong to other rows than the predictions")
    train = predictions.uses == "train"
    graded = train & predictions.graded & (predictions.low >= 1)
    zero = train & predictions.graded & (predictions.low == 0)
    normal = predictions.uses == "normal"
    known = predictions.active >= 0
    everything = known & np.isin(predictions.uses, ("train", "normal", "negative"))

    report: dict[str, Any] = {
        "rows": len(predictions),
        "groups": len(np.unique(predictions.groups)),
        "sensitivity_asked": sensitivity,
        "calibration": {fold: c.to_dict() for fold, c in answers.calibrations.items()},
        "resampling": {"replicates": resampling.replicates, "seed": resampling.seed, "level": 0.95},
        "caveats": list(CAVEATS),
    }
    truth = np.where(normal, 0, predictions.low)
    blocks = {
        "grades_1_3": (graded, (1, 2, 3), range(GRADES)),
        "grades_1_3_restricted": (graded, (1, 2, 3), (1, 2, 3)),
        "grades_0_3": (graded | zero, (0, 1, 2, 3), range(GRADES)),
        "grades_0_3_surrogate_zero": (graded | normal, (0, 1, 2, 3), range(GRADES)),
    }
    for name, (rows, grades, answerable) in blocks.items():
        if rows.any() and (0 not in grades or (truth[rows] == 0).any()):
            allowed = answers.probabilities[rows] * np.isin(np.arange(GRADES), answerable)
            allowed = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1e-300)
            called = most_probable(allowed, answerable)
            block = _Grades(predictions.groups[rows], truth[rows], called, allowed)
            report[name] = block.report(grades, resampling)
    for name, rows in {"active_uc": train & known, "active_all": everything}.items():
        if rows.any():
            report[name] = _active_block(predictions, answers, rows, sensitivity, resampling)
    report["sources"] = _sources(predictions, answers, resampling)
    report["by_fold"] = _by_fold(predictions, answers, graded, train & known)
    return report


@dataclass(frozen=True, eq=False)
class _Grades:
    """Grades of some rows: their groups, true and predicted grade (N,), probabilities (N, 4)."""

    groups: Texts
    truth: NDArray[np.integer]
    called: NDArray[np.integer]
    probabilities: Floats

    def figures(self, grades: Sequence[int]) -> Figures:
        def measure(rows: Rows) -> Mapping[str, float]:
            confusion = confusion_matrix(self.truth[rows], self.called[rows])
            calibration = fine_calibration(self.probabilities[rows], self.truth[rows])
            return grade_metrics(confusion, grades) | calibration

        return measure

    def report(self, grades: Sequence[int], resampling: Resampling) -> dict[str, Any]:
        return {
            "rows": len(self.truth),
            "groups": len(np.unique(self.groups)),
            "grades": list(grades),
            "confusion": confusion_matrix(self.truth, self.called).astype(int).tolist(),
            "figures": _intervals(self.groups, self.figures(grades), resampling),
        }


def active_figures(truth: Mask, p_active: Floats, decided: Mask, sensitivity: float) -> Figures:
    """Figures of active vs inactive as a function of row indices: for one block, one bootstrap sample."""
    label = f"specificity_at_sensitivity_{round(100 * sensitivity)}"

    def measure(rows: Rows) -> Mapping[str, float]:
        true, p = truth[rows], p_active[rows]
        return {
            "auc": area_under_curve(p, true),
            **decision_metrics(true, decided[rows]),
            label: specificity_at_sensitivity(p, true, sensitivity),
            **active_calibration(p, true),
        }

    return measure


def _active_block(
    predictions: Predictions, answers: Calibrated, rows: Mask, sensitivity: float, resampling: Resampling
) -> dict[str, Any]:
    truth, p_active = predictions.active[rows] == 1, answers.p_active[rows]
    figures = active_figures(truth, p_active, answers.active[rows], sensitivity)
    chosen = np.minimum((p_active * _BINS).astype(np.intp), _BINS - 1)
    counts = np.bincount(chosen, minlength=_BINS)
    filled = np.flatnonzero(counts)
    return {
        "rows": len(truth),
        "groups": len(np.unique(predictions.groups[rows])),
        "active": int(truth.sum()),
        "decisions": {
            "true_active": int((truth & answers.active[rows]).sum()),
            "missed": int((truth & ~answers.active[rows]).sum()),
            "false_active": int((~truth & answers.active[rows]).sum()),
            "true_inactive": int((~truth & ~answers.active[rows]).sum()),
        },
        "reliability": [
            {
                "rows": int(counts[k]),
                "p_active": float(p_active[chosen == k].mean()),
                "share_active": float(truth[chosen == k].mean()),
            }
            for k in filled
        ],
        "figures": _intervals(predictions.groups[rows], figures, resampling),
    }


def _sources(predictions: Predictions, answers: Calibrated, resampling: Resampling) -> list[dict[str, Any]]:
    """Per source, use and known answer: how often called active, which predicted grades."""
    called = most_probable(answers.probabilities)
    entries = []
    columns = (predictions.sources.tolist(), predictions.uses.tolist(), predictions.active.tolist())
    for source, use, state in sorted(set(zip(*columns, strict=True))):
        rows = (predictions.sources == source) & (predictions.uses == use) & (predictions.active == state)
        decided = answers.active[rows].astype(np.float64)

        def share(chosen: Rows, decided: Floats = decided) -> Mapping[str, float]:
            return {"called_active": float(decided[chosen].mean())}

        entries.append(
            {
                "source": source,
                "use": use,
                "truth": {1: "active", 0: "inactive", -1: "unknown"}[state],
                "rows": int(rows.sum()),
                "predicted_grades": np.bincount(called[rows], minlength=GRADES).tolist(),
                "figures": _intervals(predictions.groups[rows], share, resampling),
            }
        )
    return entries


def _by_fold(
    predictions: Predictions, answers: Calibrated, graded: Mask, known: Mask
) -> list[dict[str, Any]]:
    """QWK and AUC inside each fold: free of differences between the models of the folds."""
    entries = []
    for fold in sorted(set(predictions.folds[known].tolist()) - {""}):
        rows, block = graded & (predictions.folds == fold), known & (predictions.folds == fold)
        confusion = confusion_matrix(predictions.low[rows], most_probable(answers.probabilities[rows]))
        auc = area_under_curve(answers.p_active[block], predictions.active[block] == 1)
        qwk = grade_metrics(confusion, (1, 2, 3))["qwk"]
        entries.append({"fold": fold, "rows": int(block.sum()), "qwk": _plain(qwk), "auc": _plain(auc)})
    return entries


def _intervals(groups: Texts, figures: Figures, resampling: Resampling) -> dict[str, Any]:
    found = bootstrap(groups, figures, resampling.replicates, resampling.seed)
    return {name: _interval(interval) for name, interval in found.items()}


def _interval(interval: Interval) -> dict[str, float | int | None]:
    bounds = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {name: _plain(number) for name, number in bounds.items()} | {"skipped": interval.skipped}


def _plain(number: float) -> float | None:
    return None if math.isnan(number) else number


def compare(
    first: tuple[Predictions, Calibrated],
    second: tuple[Predictions, Calibrated],
    *,
    sensitivity: float = SENSITIVITY,
    resampling: Resampling = Resampling(),
) -> dict[str, Any]:
    """Paired differences first - second on the same rows (say multi-task minus single-task).

    Per block and figure: value, 95 % interval of the group-clustered bootstrap, in which both models see
    the same drawn groups, and ``p``: twice the smaller share of replicates on either side of zero, a
    p-value-like share that is at least 1 / replicates. Raises ValueError if files or labels differ.
    """
    (one, one_answers), (two, two_answers) = first, second
    position = {file: row for row, file in enumerate(two.files.tolist())}
    if len(one) != len(two) or set(position) != set(one.files.tolist()):
        raise ValueError("a paired comparison needs the same files in both predictions")
    order = np.array([position[file] for file in one.files.tolist()], dtype=np.intp)
    two = two.select(order)
    if not (np.array_equal(one.low, two.low) and np.array_equal(one.high, two.high)):
        raise ValueError("a paired comparison needs the same labels in both predictions")
    train = one.uses == "train"
    graded, known = train & one.graded & (one.low >= 1), train & (one.active >= 0)

    def grades(answers: Calibrated, at: Rows) -> Figures:
        p = answers.probabilities[at][graded]
        return _Grades(one.groups[graded], one.low[graded], most_probable(p), p).figures((1, 2, 3))

    def actives(answers: Calibrated, at: Rows) -> Figures:
        p, decided = answers.p_active[at][known], answers.active[at][known]
        return active_figures(one.active[known] == 1, p, decided, sensitivity)

    same = np.arange(len(one))
    blocks = {
        "grades_1_3": (graded, grades(one_answers, same), grades(two_answers, order)),
        "active_uc": (known, actives(one_answers, same), actives(two_answers, order)),
    }
    return {
        name: {"rows": int(rows.sum()), "figures": _differences(one.groups[rows], left, right, resampling)}
        for name, (rows, left, right) in blocks.items()
        if rows.any()
    }


def _differences(groups: Texts, left: Figures, right: Figures, resampling: Resampling) -> dict[str, Any]:
    def difference(rows: Rows) -> Mapping[str, float]:
        other = right(rows)
        # Rounded, so that the last bits of two equal sums do not count as a win of either model.
        return {name: round(value - other[name], 12) for name, value in left(rows).items()}

    result: dict[str, Any] = {}
    for name, found in bootstrap(groups, difference, resampling.replicates, resampling.seed).items():
        usable = max(found.replicates - found.skipped, 1)
        share = max(min(1.0, 2 * min(found.below, found.above)), 1 / usable)
        result[name] = _interval(found) | {"p": None if math.isnan(found.below) else share}
    return result
