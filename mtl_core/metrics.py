"""Predictions of a labelled set, the figures that judge them, and their bootstrap intervals: pure numbers.

Grades are ints 0..3, "active" means MES >= 2. Figures of grades come from a confusion matrix, so that a
bootstrap replicate costs microseconds; scikit-learn is the reference they are tested against. A figure
that is undefined (no row of a class, say) is NaN, never 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax
from scipy.special import softmax as scipy_softmax
from scipy.stats import rankdata

from mtl_core.files import write_whole
from mtl_core.spec import ACTIVE, GRADES

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]
Mask = NDArray[np.bool_]

_TEXT = ("file", "group", "fold", "source", "use", "label")
_ARRAYS = (*(f"{name}s" for name in _TEXT), "low", "high", "fine", "coarse")
_FIXED = (*_TEXT, "low", "high", *(f"f{k}" for k in range(GRADES)))


class PredictionsError(Exception):
    """A file of predictions cannot be read; the message is one line with file, row and fault."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Raw answers of a model for N labelled pictures, beside what is known of each.

    ``files``, ``groups`` (near-duplicate cluster or patient), ``folds``, ``sources``, ``uses``, ``labels``:
    str (N,). ``low``, ``high``: int8 (N,), the label as an interval of grades: MES 2 is [2, 2], "0-1" and
    a normal or polyp known to be inactive [0, 1], unknown [0, 3]. ``fine``: float64 (N, 4), raw fine
    logits. ``coarse``: float64 (N, K), raw coarse logits; column k answers "is MES >= cuts[k]?".

    Raises ValueError for shapes that do not fit, an interval outside 0..3 or a logit that is not finite.
    """

    files: Texts
    groups: Texts
    folds: Texts
    sources: Texts
    uses: Texts
    labels: Texts
    low: NDArray[np.int8]
    high: NDArray[np.int8]
    fine: Floats
    coarse: Floats
    cuts: tuple[int, ...]

    def __post_init__(self) -> None:
        rows = len(self.files)
        for name in _ARRAYS[:8]:
            if getattr(self, name).shape != (rows,):
                raise ValueError(f"predictions: {name} must have shape ({rows},)")
        if self.fine.shape != (rows, GRADES) or self.coarse.shape != (rows, len(self.cuts)):
            raise ValueError(f"predictions: fine must be ({rows}, 4), coarse ({rows}, {len(self.cuts)})")
        if ACTIVE.cut not in self.cuts:
            raise ValueError(f"predictions: the coarse cuts {self.cuts} lack the active one, {ACTIVE.cut}")
        if rows and not (self.low.min() >= 0 and self.high.max() < GRADES and np.all(self.low <= self.high)):
            raise ValueError("predictions: every label needs grades 0 <= low <= high <= 3")
        if not (np.isfinite(self.fine).all() and np.isfinite(self.coarse).all()):
            raise ValueError("predictions: a logit is not a finite number")

    def __len__(self) -> int:
        return len(self.files)

    @property
    def graded(self) -> Mask:
        """True where the label is one single grade, (N,)."""
        return np.asarray(self.low == self.high)

    @property
    def active(self) -> NDArray[np.int8]:
        """1 where the label says MES >= 2, 0 where it says MES < 2, -1 where it leaves that open, (N,)."""
        known = np.where(self.low >= ACTIVE.cut, 1, np.where(self.high < ACTIVE.cut, 0, -1))
        return known.astype(np.int8)

    @property
    def active_logit(self) -> Floats:
        """Raw coarse logit of the active question, (N,)."""
        return self.coarse[:, self.cuts.index(ACTIVE.cut)]

    def select(self, rows: Mask | NDArray[np.intp]) -> Predictions:
        """Only the rows of a boolean mask (N,) or of an index array, in that order."""
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return Predictions(**columns, cuts=self.cuts)


def merge(parts: Iterable[Predictions]) -> Predictions:
    """All rows of several predictions (the folds of a cross-validation), in the order given.

    Raises ValueError if there is none, if their coarse cuts differ, or if a file occurs twice.
    """
    every = list(parts)
    if not every or any(part.cuts != every[0].cuts for part in every):
        raise ValueError("merging predictions needs one or more parts with the same coarse cuts")
    columns: dict[str, Any] = {n: np.concatenate([getattr(part, n) for part in every]) for n in _ARRAYS}
    merged = Predictions(**columns, cuts=every[0].cuts)
    files, counts = np.unique(merged.files, return_counts=True)
    if np.any(counts > 1):
        raise ValueError(f"merging predictions: {files[counts > 1][0]} occurs more than once")
    return merged


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write a plain UTF-8 CSV, whole or not at all.

    Columns: file, group, fold, source, use, label, low, high, f0..f3 and one c<cut> per coarse task.
    """
    texts = (getattr(predictions, f"{name}s") for name in _TEXT)
    numbers = (column.tolist() for column in (*predictions.fine.T, *predictions.coarse.T))
    columns = [*texts, predictions.low.tolist(), predictions.high.tolist(), *numbers]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_FIXED, *(f"c{cut}" for cut in predictions.cuts)])
    writer.writerows(zip(*columns, strict=True))
    write_whole(path, text.getvalue().encode("utf-8"))


def read_predictions(path: Path) -> Predictions:
    """Read back what `write_predictions` wrote, bit for bit.

    Raises PredictionsError, naming file and row, for anything else; OSError if it cannot be opened.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = list(csv.reader(stream))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PredictionsError(f"{path}: not a CSV of predictions ({error}); write it again") from error
    header = table[0] if table else []
    cuts = _cuts(header)
    if tuple(header[: len(_FIXED)]) != _FIXED or cuts is None:
        expected = ",".join(_FIXED)
        raise PredictionsError(f"{path}: the first line must be {expected} and then c1, c2, c3 or c2 alone")
    rows = table[1:]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise PredictionsError(f"{path}: line {number} has {len(row)} fields instead of {len(header)}")
    parsed = [_numbers(path, line, row) for line, row in enumerate(rows, start=2)]
    numbers = np.array(parsed, dtype=np.float64).reshape(len(rows), len(header) - len(_TEXT))
    columns: dict[str, Any] = {
        f"{name}s": np.array([row[k] for row in rows], dtype=np.str_) for k, name in enumerate(_TEXT)
    }
    columns["low"], columns["high"] = numbers[:, 0].astype(np.int8), numbers[:, 1].astype(np.int8)
    columns["fine"], columns["coarse"] = numbers[:, 2 : 2 + GRADES], numbers[:, 2 + GRADES :]
    try:
        return Predictions(**columns, cuts=cuts)
    except ValueError as error:
        raise PredictionsError(f"{path}: {error}") from error


def _cuts(header: Sequence[str]) -> tuple[int, ...] | None:
    names = header[len(_FIXED) :]
    valid = {f"c{cut}": cut for cut in range(1, GRADES)}
    if len(set(names)) != len(names) or not set(names) <= set(valid) or f"c{ACTIVE.cut}" not in names:
        return None
    return tuple(valid[name] for name in names)


def _numbers(path: Path, line: int, row: Sequence[str]) -> list[float]:
    low, high, *logits = row[len(_TEXT) :]
    if not (low in "0123" and high in "0123" and len(low) == len(high) == 1):
        raise PredictionsError(f"{path}: line {line}: low and high must be 0..3, not {low!r} and {high!r}")
    try:
        return [float(low), float(high), *(float(text) for text in logits)]
    except ValueError as error:
        raise PredictionsError(f"{path}: line {line}: a logit is not a number ({error})") from error


def softmax(logits: Floats) -> Floats:
    """Probabilities (N, 4) of raw logits (N, 4)."""
    return np.asarray(scipy_softmax(logits, axis=1), dtype=np.float64)


def sigmoid(logits: Floats) -> Floats:
    """Probability of yes for raw logits of any shape."""
    return np.asarray(expit(logits), dtype=np.float64)


def most_probable(probabilities: Floats, grades: Sequence[int] = range(GRADES)) -> NDArray[np.intp]:
    """Most probable grade of each row (N, 4) among ``grades``; a tie goes to the more severe one."""
    downwards = np.array(sorted(grades, reverse=True), dtype=np.intp)
    return np.asarray(downwards[np.argmax(probabilities[:, downwards], axis=1)])


def confusion_matrix(truth: NDArray[np.integer], predicted: NDArray[np.integer]) -> Floats:
    """Counts (4, 4): rows true grade, columns predicted grade."""
    pairs = GRADES * truth.astype(np.intp) + predicted.astype(np.intp)
    return np.bincount(pairs, minlength=GRADES**2).reshape(GRADES, GRADES).astype(np.float64)


def quadratic_kappa(confusion: Floats) -> float:
    """Quadratically weighted kappa (Cohen 1968), labels fixed to 0..3; NaN if no disagreement is expected."""
    distance = np.subtract.outer(np.arange(GRADES), np.arange(GRADES)) ** 2.0
    expected = np.outer(confusion.sum(1), confusion.sum(0)) / max(confusion.sum(), 1.0)
    chance = float((distance * expected).sum())
    return 1.0 - float((distance * confusion).sum()) / chance if chance > 0 else float("nan")


def grade_metrics(confusion: Floats, grades: Sequence[int]) -> dict[str, float]:
    """All figures of a four-grade confusion matrix whose true grades are ``grades``.

    Balanced accuracy (mean recall) and macro F1 average over ``grades``; a prediction outside them is
    simply wrong. ``precision_k`` is NaN where grade k was never predicted, and everything that needs the
    recall of a grade is NaN where that grade does not occur.
    """
    total = confusion.sum()
    steps = np.abs(np.subtract.outer(np.arange(GRADES), np.arange(GRADES)))
    share = confusion / total if total else np.full_like(confusion, np.nan)
    figures = {
        "qwk": quadratic_kappa(confusion),
        "accuracy": float(np.trace(share)),
        "mae": float((steps * share).sum()),
        "off_by_2": float(share[steps >= 2].sum()),
    }
    for k in grades:
        hits, true, called = confusion[k, k], confusion[k].sum(), confusion[:, k].sum()
        figures[f"recall_{k}"] = _ratio(hits, true)
        figures[f"precision_{k}"] = _ratio(hits, called)
        figures[f"f1_{k}"] = _ratio(2 * hits, true + called) if true else float("nan")
    figures["balanced_accuracy"] = float(np.mean([figures[f"recall_{k}"] for k in grades]))
    figures["macro_f1"] = float(np.mean([figures[f"f1_{k}"] for k in grades]))
    return figures


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def area_under_curve(scores: Floats, truth: Mask) -> float:
    """ROC AUC, ties counted half (Mann-Whitney); NaN if one side is empty."""
    positives = int(truth.sum())
    pairs = positives * (len(truth) - positives)
    if not pairs:
        return float("nan")
    return float((rankdata(scores)[truth].sum() - positives * (positives + 1) / 2) / pairs)


def threshold_at_sensitivity(scores: Floats, truth: Mask, sensitivity: float) -> float:
    """Largest threshold t for which "score >= t" finds at least ``sensitivity`` of the true rows.

    Raises ValueError if no row is true or the sensitivity is not in (0, 1].
    """
    positives = np.sort(scores[truth])[::-1]
    if not len(positives) or not 0 < sensitivity <= 1:
        raise ValueError("a threshold needs at least one active row and a sensitivity in (0, 1]")
    # The small allowance keeps 0.07 * 100 = 7.000000000000001 from asking for an eighth row.
    return float(positives[int(np.ceil(sensitivity * len(positives) - 1e-9)) - 1])


def decision_metrics(truth: Mask, decided: Mask) -> dict[str, float]:
    """Sensitivity, specificity, accuracy and Cohen's kappa of yes/no decisions (N,)."""
    hit, miss = float((truth & decided).sum()), float((truth & ~decided).sum())
    false, right = float((~truth & decided).sum()), float((~truth & ~decided).sum())
    total = hit + miss + false + right
    chance = _ratio((hit + miss) * (hit + false) + (false + right) * (miss + right), total**2)
    accuracy = _ratio(hit + right, total)
    return {
        "sensitivity": _ratio(hit, hit + miss),
        "specificity": _ratio(right, false + right),
        "accuracy": accuracy,
        "kappa": _ratio(accuracy - chance, 1 - chance),
    }


def specificity_at_sensitivity(scores: Floats, truth: Mask, sensitivity: float) -> float:
    """Specificity at the largest threshold that keeps ``sensitivity`` on these rows; NaN if undefined."""
    if not truth.any() or truth.all():
        return float("nan")
    return float(np.mean(scores[~truth] < threshold_at_sensitivity(scores, truth, sensitivity)))


def expected_calibration_error(confidence: Floats, correct: Mask, bins: int = 10) -> float:
    """Mean gap of confidence (0..1) and share correct over equal-width bins, by rows (Naeini 2015)."""
    if not len(confidence):
        return float("nan")
    chosen = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    gaps = np.bincount(chosen, weights=confidence - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def fine_calibration(probabilities: Floats, truth: NDArray[np.integer]) -> dict[str, float]:
    """ECE of the most probable grade, Brier score (sum over grades, 0..2) and NLL (nats) of (N, 4)."""
    if not len(truth):
        return {"ece": float("nan"), "brier": float("nan"), "nll": float("nan")}
    one_hot = np.eye(GRADES)[truth]
    called = most_probable(probabilities)
    own = probabilities[np.arange(len(truth)), truth]
    return {
        "ece": expected_calibration_error(probabilities.max(axis=1), called == truth),
        "brier": float(((probabilities - one_hot) ** 2).sum(axis=1).mean()),
        "nll": float(-np.log(np.maximum(own, 1e-12)).mean()),
    }


def active_calibration(p_active: Floats, truth: Mask) -> dict[str, float]:
    """ECE of P(active) against the share truly active, Brier score (0..1) and NLL (nats) of (N,)."""
    if not len(truth):
        return {"ece": float("nan"), "brier": float("nan"), "nll": float("nan")}
    own = np.where(truth, p_active, 1.0 - p_active)
    return {
        "ece": expected_calibration_error(p_active, truth),
        "brier": float(((p_active - truth) ** 2).mean()),
        "nll": float(-np.log(np.maximum(own, 1e-12)).mean()),
    }


def negative_log_likelihood(logits: Floats, truth: NDArray[np.integer], weights: Floats) -> float:
    """Weighted mean -log p(truth) in nats of raw logits (N, 4)."""
    log_p = log_softmax(logits, axis=1)[np.arange(len(truth)), truth]
    return float(-(weights * log_p).sum() / weights.sum())


@dataclass(frozen=True)
class Interval:
    """A figure with its bootstrap interval.

    ``low``, ``high``: percentile bounds (95 % unless asked otherwise); ``skipped``: how many of the
    ``replicates`` left the figure undefined and were left out; ``below``, ``above``: share of the others
    at or below, at or above zero (for differences). All NaN where nothing was defined.
    """

    value: float
    low: float
    high: float
    replicates: int
    skipped: int
    below: float
    above: float


def bootstrap(
    groups: Texts,
    figures: Callable[[NDArray[np.intp]], Mapping[str, float]],
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Group-clustered percentile bootstrap intervals of every figure that ``figures(rows)`` gives.

    Whole groups are drawn with replacement, as many as there are, so that near-duplicates and pictures of
    one patient are never taken for independent evidence (Field & Welsh 2007, cluster bootstrap).
    ``figures`` gets row indices (with repeats) and returns NaN for what is undefined there.
    """
    point = figures(np.arange(len(groups)))
    _, owner = np.unique(groups, return_inverse=True)
    order, sizes = np.argsort(owner, kind="stable"), np.bincount(owner)
    starts = np.cumsum(sizes) - sizes
    generator = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in point}
    for _ in range(replicates if len(groups) else 0):
        chosen = generator.integers(0, len(sizes), len(sizes))
        lengths = sizes[chosen]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        sample = figures(order[np.repeat(starts[chosen], lengths) + within])
        for name in point:
            drawn[name].append(sample[name])
    return {name: _interval(value, np.array(drawn[name]), level) for name, value in point.items()}


def _interval(value: float, drawn: Floats, level: float) -> Interval:
    defined = drawn[np.isfinite(drawn)]
    skipped = len(drawn) - len(defined)
    if not len(defined):
        nan = float("nan")
        return Interval(value, nan, nan, len(drawn), skipped, nan, nan)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    below, above = float(np.mean(defined <= 0)), float(np.mean(defined >= 0))
    return Interval(value, float(low), float(high), len(drawn), skipped, below, above)
