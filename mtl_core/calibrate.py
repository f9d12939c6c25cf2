"""Calibration of raw logits: temperature and ordinal draw, a logistic P(active), a conservative threshold.

Fit on validation rows. Grades weigh the same whatever their number, P(active) is fit at the prior of the rows
with uses limited by a weight. A grade that no row has (MES 0, where normal mucosa of another source
stands in) is not calibrated against any truth. The rows a calibration
was fit on must not judge it: `cross_fit` calibrates each fold on the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from mtl_core.metrics import (
    Floats,
    Mask,
    Predictions,
    negative_log_likelihood,
    sigmoid,
    softmax,
    threshold_at_sensitivity,
)
from mtl_core.spec import GRADES

SENSITIVITY = 0.95
"""Sensitivity for active disease that the conservative threshold keeps on the validation rows."""

USE_WEIGHTS: Mapping[str, float] = {"train": 1.0, "normal": 0.1, "negative": 0.1}
"""Weight of a row by its use. Normals and negatives are four times as many as graded pictures and easy to
tell by their source; at full weight P(active) came out too low on ulcerative colitis (out-of-fold ECE .14
there, .04 to .05 at a tenth). What is not named weighs nothing: ``check`` rows are kept out of every fit,
``app`` rows are twins of ``train`` rows."""

_PENALTY = 1.0
"""L2 penalty on the two slopes, in rows: negligible for hundreds of rows, keeps separable ones finite."""
_TEMPERATURES = (-3.0, 3.0)
"""Bounds of log T: T between 0.05 and 20."""


@dataclass(frozen=True)
class Calibration:
    """How raw logits become probabilities and a decision; plain numbers that travel in a model's card.

    ``temperature`` divides the fine logits; ``ordinal`` (0 or above) then draws them towards the expected
    grade, see `draw_together`. P(active) = sigmoid(``active_scale`` * coarse active logit
    + ``margin_scale`` * fine margin + ``active_bias``), the fine margin being
    logsumexp(f2, f3) - logsumexp(f0, f1) of the raw fine logits: both heads speak, neither slope is
    negative. A frame is called active when P(active) >= ``threshold``, which was chosen to keep
    ``sensitivity`` on the validation rows.
    """

    temperature: float
    active_scale: float
    margin_scale: float
    active_bias: float
    threshold: float
    sensitivity: float = SENSITIVITY
    ordinal: float = 0.0

    def __post_init__(self) -> None:
        numbers = np.array([float(value) for value in asdict(self).values()])
        possible = self.temperature > 0 and self.ordinal >= 0 and 0 <= self.threshold <= 1
        if not np.isfinite(numbers).all() or not possible:
            raise ValueError(f"calibration: impossible numbers {self.to_dict()}")

    def fine_probabilities(self, logits: Floats) -> Floats:
        """What the fine head says alone: probabilities of MES 0..3, (N, 4), of raw fine logits (N, 4)."""
        return softmax(draw_together(logits, self.temperature, self.ordinal))

    def answers(self, fine: Floats, active_logit: Floats) -> tuple[Floats, Floats, Mask]:
        """(probabilities (N, 4), P(active) (N,), active (N,)) that do not contradict each other.

        Coarse to fine: of a frame that is not active, the halves MES 0-1 and MES 2-3 are set to
        1 - P(active) and P(active), so that its most probable grade is below 2. Pictures of other findings
        (polyps) supervise the coarse head alone; there the fine head may be sure of a severe grade.
        """
        probabilities, p_active = self.fine_probabilities(fine), self.p_active(fine, active_logit)
        active = p_active >= self.threshold
        floored = np.maximum(probabilities, 1e-12)  # a half that vanished altogether can still be scaled
        lower, upper = floored[:, :2].sum(axis=1), floored[:, 2:].sum(axis=1)
        halves = np.stack([(1 - p_active) / lower, p_active / upper], axis=1)
        coherent = floored * halves.repeat(2, axis=1)
        return np.where(active[:, None], probabilities, coherent), p_active, active

    def p_active(self, fine: Floats, active_logit: Floats) -> Floats:
        """Calibrated P(MES >= 2), (N,), of raw fine logits (N, 4) and raw active logits (N,)."""
        coarse = np.asarray(active_logit, dtype=np.float64)
        return sigmoid(self.active_scale * coarse + self.margin_scale * fine_margin(fine) + self.active_bias)

    def to_dict(self) -> dict[str, float]:
        """Plain JSON-ready dictionary; the inverse of `from_dict`, exact to the last bit."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """Read back what `to_dict` gave. Raises KeyError or ValueError on a malformed dictionary."""
        return cls(**{name: float(data[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Calibrated answers for the N rows of some predictions.

    ``probabilities``: float64 (N, 4) of MES 0..3. ``p_active``: float64 (N,). ``active``: bool (N,), the
    conservative decision. ``calibrations``: the calibration used, by held-out fold ("" where one
    calibration, fit elsewhere or on all folds, served).
    """

    probabilities: Floats
    p_active: Floats
    active: Mask
    calibrations: Mapping[str, Calibration]


def fine_margin(fine: Floats) -> Floats:
    """Log odds of MES >= 2 that raw fine logits (N, 4) imply: logsumexp(f2, f3) - logsumexp(f0, f1)."""
    fine = np.asarray(fine, dtype=np.float64)
    return np.asarray(logsumexp(fine[:, 2:], axis=1) - logsumexp(fine[:, :2], axis=1))


def draw_together(logits: Floats, temperature: float, ordinal: float) -> Floats:
    """Logits f / T - ``ordinal`` * (k - s)^2 with s the expected grade under softmax(f / T), (N, 4).

    Cross-entropy knows no order of the grades: it leaves probability on both sides of an unlikely grade.
    The squared distance takes it from far grades; ``ordinal`` 0 is plain temperature scaling.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    grades = np.arange(scaled.shape[1])
    expected = softmax(scaled) @ grades
    return np.asarray(scaled - ordinal * (grades - expected[:, None]) ** 2)


def fit_fine(
    logits: Floats, truth: NDArray[np.integer], weights: Floats | None = None
) -> tuple[float, float]:
    """(temperature, ordinal) that minimise the weighted NLL of softmax(`draw_together`) together.

    ``logits``: raw (N, 4); ``truth``: grades (N,); ``weights``: (N,) or None for equal ones. The
    temperature alone is the start, so the result is never worse than it. Raises ValueError without rows of
    positive weight.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    alone = fit_temperature(logits, truth, weights)

    def loss(parameters: Floats) -> float:
        drawn = draw_together(logits, float(np.exp(parameters[0])), float(parameters[1]))
        return negative_log_likelihood(drawn, truth, weights)

    bounds = [_TEMPERATURES, (0.0, 10.0)]
    start = np.array([np.log(alone), 0.1])
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
    if found.fun >= loss(np.array([np.log(alone), 0.0])):
        return alone, 0.0
    return float(np.exp(found.x[0])), float(found.x[1])


def fit_temperature(logits: Floats, truth: NDArray[np.integer], weights: Floats | None = None) -> float:
    """Temperature T > 0 that minimises the weighted NLL of softmax(logits / T) (Guo et al. 2017).

    ``logits``: raw (N, 4); ``truth``: grades (N,); ``weights``: (N,) or None for equal ones. T stays
    within 0.05..20. Raises ValueError without rows of positive weight.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    if not weights.sum() > 0:
        raise ValueError("fitting a temperature needs rows with one single grade; there are none")

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logits / np.exp(log_temperature), truth, weights)

    found = minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def fit_active(
    coarse: Floats, margin: Floats, truth: Mask, weights: Floats | None = None
) -> tuple[float, float, float]:
    """(active_scale, margin_scale, bias) of the logistic P(active), by L2-penalised maximum likelihood.

    ``coarse``, ``margin``: raw active logits and fine margins (N,); ``truth``: bool (N,). Slopes are held
    at 0 or above: more evidence of active disease from either head never lowers P(active), even where
    the two are collinear. Raises ValueError unless both answers occur with positive weight.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    if not (weights[truth].sum() > 0 and weights[~truth].sum() > 0):
        raise ValueError("calibrating P(active) needs both active and inactive rows")
    inputs = np.stack([coarse, margin, np.ones_like(coarse)], axis=1)
    sign = np.where(truth, 1.0, -1.0)
    ridge = _PENALTY * np.array([1.0, 1.0, 0.0])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        agreement = sign * (inputs @ parameters)
        value = (weights * np.logaddexp(0.0, -agreement)).sum() + 0.5 * (ridge * parameters**2).sum()
        slope = -(weights * sign * sigmoid(-agreement)) @ inputs + ridge * parameters
        return float(value), slope

    bounds = [(0.0, None), (0.0, None), (None, None)]
    # Tight tolerances: two heads that say the same leave a valley with hardly any slope but the penalty.
    options = {"ftol": 1e-14, "gtol": 1e-7, "maxiter": 1000}
    start = np.array([0.5, 0.5, 0.0])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    scale, margin_scale, bias = (float(value) for value in found.x)
    return scale, margin_scale, bias


def fit(
    predictions: Predictions,
    sensitivity: float = SENSITIVITY,
    use_weights: Mapping[str, float] = USE_WEIGHTS,
) -> Calibration:
    """Fit the whole calibration on validation rows.

    The temperature and the ordinal draw use rows with one single grade, each grade with the same total
    weight; P(active) and the threshold those whose active answer is known. ``use_weights`` limits a use
    (0 leaves it out). Raises ValueError where rows of one kind are missing.
    """
    weights = np.array([use_weights.get(use, 0.0) for use in predictions.uses.tolist()], dtype=np.float64)
    graded = predictions.select(predictions.graded & (weights > 0))
    graded_weights = weights[predictions.graded & (weights > 0)]
    # Every grade counts the same: by number alone the fit would talk the rare severe grade down.
    share = np.bincount(graded.low, graded_weights, minlength=GRADES)[graded.low]
    temperature, ordinal = fit_fine(graded.fine, graded.low, graded_weights / share)

    known = (predictions.active >= 0) & (weights > 0)
    rows = predictions.select(known)
    truth = rows.active == 1
    slopes = fit_active(rows.active_logit, fine_margin(rows.fine), truth, weights[known])
    provisional = Calibration(temperature, *slopes, threshold=0.5, sensitivity=sensitivity, ordinal=ordinal)
    p_active = provisional.p_active(rows.fine, rows.active_logit)
    threshold = threshold_at_sensitivity(p_active, truth, sensitivity)
    return replace(provisional, threshold=threshold)


def apply(calibration: Calibration, predictions: Predictions) -> Calibrated:
    """Calibrate rows that the calibration was not fit on, for example an external test set."""
    return Calibrated(*calibration.answers(predictions.fine, predictions.active_logit), {"": calibration})


def cross_fit(
    predictions: Predictions,
    sensitivity: float = SENSITIVITY,
    use_weights: Mapping[str, float] = USE_WEIGHTS,
) -> Calibrated:
    """Calibrate every fold on the other folds, so that no row judges what it helped to fit.

    Rows whose group also lies in the held-out fold are left out of that fit. Rows without a fold take
    part in no fit and get a calibration fit on all folds. Raises ValueError for fewer than two folds.
    """
    folds = sorted(set(predictions.folds.tolist()) - {""})
    if len(folds) < 2:
        raise ValueError(f"cross-fitting needs rows of at least two folds, not {folds}")
    in_a_fold = predictions.folds != ""
    probabilities = np.empty_like(predictions.fine)
    p_active = np.empty(len(predictions))
    active = np.empty(len(predictions), dtype=np.bool_)
    calibrations: dict[str, Calibration] = {}
    for fold in [*folds, *([""] if not in_a_fold.all() else [])]:
        held_out = predictions.folds == fold
        other = in_a_fold & ~np.isin(predictions.groups, predictions.groups[held_out])
        calibrations[fold] = fit(predictions.select(other), sensitivity, use_weights)
        answers = apply(calibrations[fold], predictions.select(held_out))
        probabilities[held_out] = answers.probabilities
        p_active[held_out], active[held_out] = answers.p_active, answers.active
    return Calibrated(probabilities, p_active, active, calibrations)
