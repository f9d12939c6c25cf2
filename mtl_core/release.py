"""From a trained network to a model folder: calibrate, measure, write the card, print it for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtl_core import __version__, bundle
from mtl_core.calibrate import SENSITIVITY, apply, cross_fit
from mtl_core.calibrate import fit as fit_calibration
from mtl_core.crossvalidate import as_predictions
from mtl_core.curves import draw_curves
from mtl_core.data import DataError, Sample, grade_counts, split_hash
from mtl_core.evaluate import evaluate
from mtl_core.evaluation_report import draw
from mtl_core.files import write_whole
from mtl_core.metrics import Predictions
from mtl_core.teacher import teacher_hash
from mtl_core.train import Pictures, Progress, TrainConfig, fit, predict_logits

SOURCES: Mapping[str, str] = {
    "0zpc": "HyperKvasir: Borgli et al., Scientific Data 2020, doi 10.1038/s41597-020-00622-y, CC BY 4.0, "
    "research and education",
    "gastrovision": "GastroVision: Jha et al., 2023, arXiv 2307.08140, reported as CC BY 4.0, research use",
}
"""Attribution of the sources known by name; others stand in the card as they are called."""
START = (
    "Start weights: ImageNet pictures are licensed for non-commercial research; MobileNetV2 from the ONNX "
    "model zoo (Apache-2.0), MobileNetV3-Large grown from Google's minimalistic weights (Apache-2.0)"
)
WEAK = "WEAK MODEL"
"""How the limit of a model begins that is not good enough to read cases with."""

GOOD_AUC = 0.80
"""Least AUC for active disease among pictures of ulcerative colitis; below it a card warns."""

DISTILLED = (
    "Start by feature distillation without labels, over the frames of HyperKvasir and GastroVision and those "
    "of Gastrointestinal Lesions in Regular Colonoscopy (Mesejo et al., IEEE TMI 2016)"
)
METHOD = (
    "Method: our reading of Lee & Kim, Digital Health 2025, doi 10.1177/20552076251356396 (abstract only)"
)
INTENDED_USE = "RESEARCH USE ONLY. Not a medical device. Not for diagnosis or treatment decisions."
"""The engine's copy of the sentence; a test holds it to the viewer's."""


def limits(samples: Sequence[Sample], config: TrainConfig, oof: Predictions) -> list[str]:
    """What a reader must know of a model, read off its training pictures."""
    lines = [INTENDED_USE]
    zeros = any(s.use == "train" and s.grade == 0 for s in samples)
    if not zeros and config.normal_as_zero and any(s.use == "normal" for s in samples):
        lines.append(
            "MES 0 is a surrogate: normal mucosa of another source, not readings of patients with ulcerative "
            "colitis. That source can be told from the graded one by itself: figures across sources are "
            "confounded, and the probability of MES 0 is calibrated on no patient."
        )
    elif not zeros:
        lines.append("No picture of MES 0 was trained on: the model cannot recognise it.")
    if not any(s.group.startswith("patient-") for s in samples):
        lines.append(
            "The groups of the training pictures are not known to be patients (near-duplicates at best): "
            "figures may be optimistic for new patients."
        )
    graded = oof.select((oof.uses == "train") & oof.graded)
    lines.append(
        f"Calibrated on {len(graded)} graded pictures, every grade weighing the same; white light only. "
        "Other processors, dyes, magnification, organs and diseases are outside the training range."
    )
    return lines


def attribution(samples: Sequence[Sample], init: Path | None) -> list[str]:
    """Where the training pictures and the start come from."""
    sources = sorted({s.source for s in samples if s.source})
    lines = [SOURCES.get(s, f"Pictures: {s}") for s in sources]
    if init is not None:
        lines += [START, DISTILLED] if "distilled" in init.name else [START]
    return [*lines, METHOD]


def weakness(metrics: Mapping[str, Any]) -> list[str]:
    """A line that warns of a model that hardly tells active from inactive colitis, or nothing."""
    found = {
        name: metrics.get(block, {}).get("figures", {}).get(name, {}).get("value")
        for block, name in (("active_uc", "auc"), ("grades_1_3", "qwk"))
    }
    if found["auc"] is None or found["auc"] >= GOOD_AUC:
        return []
    qwk = "unknown" if found["qwk"] is None else f"{found['qwk']:.2f}"
    return [
        f"{WEAK}, for comparison only: AUC for active disease within ulcerative colitis {found['auc']:.2f} "
        f"(below {GOOD_AUC:.2f}), quadratic weighted kappa {qwk}. Read cases with another model."
    ]


def train_bundle(
    config: TrainConfig,
    rest: Sequence[Sample],
    held: Sequence[Sample],
    folder: Path,
    *,
    init: Path | None,
    oof: Predictions | None,
    command: str,
    teacher: Path | None = None,
) -> Generator[Progress, None, dict[str, Any]]:
    """Train on ``rest``, calibrate and write the bundle; returns its card.

    ``held``: pictures for early stopping, or none. Calibration and figures come from ``oof``
    (out-of-fold predictions of the same configuration) or else from ``held``. Raises DataError when
    there is neither.
    """
    if oof is None and not held:
        raise DataError("give --oof predictions of a cross-validation, or pictures for validation")
    spec = config.spec.input
    train_part = Pictures.load(rest, spec)
    held_part = Pictures.load(held, spec) if held else None
    checkpoint = folder / "checkpoint.safetensors"
    trained = yield from fit(config, train_part, held_part, init=init, teacher=teacher, checkpoint=checkpoint)
    folds = ", ".join(sorted(set(oof.folds[oof.uses != "check"].tolist()))) if oof is not None else ""
    judged = f"out-of-fold predictions of a cross-validation (folds {folds})"
    if oof is None:
        assert held_part is not None
        oof = as_predictions(held, predict_logits(trained.network, held_part), config.spec)
        judged = "the held-out validation share, which also chose the epoch"
    judgement = _judge(oof, judged)
    card = {
        "code_version": __version__,
        "labels": ["MES 0", "MES 1", "MES 2", "MES 3"],
        **judgement,
        "training": {
            "command": command,
            "config": config.to_dict(),
            "start": init.name if init else "random",
            "teacher": f"{teacher.name}, weights {teacher_hash(teacher)[:12]}" if teacher else None,
            "pictures": len(rest),
            "by_use": dict(sorted(Counter(s.use for s in rest).items())),
            "by_grade": grade_counts(rest),
            "sources": dict(sorted(Counter(s.source for s in rest).items())),
            "data": _data_line(rest),
            "split_sha256": split_hash([*rest, *held]),
        },
        "limits": [*weakness(judgement["metrics"]), *limits(rest, config, oof)],
        "attribution": attribution(rest, init),
    }
    full = bundle.write(folder, trained.network, card)
    write_whole(folder / "curves.json", json.dumps(trained.curves, indent=1).encode())
    draw_curves(trained.curves, folder / "curves.png")
    draw(card["metrics"], folder / "evaluation.png")
    checkpoint.unlink(missing_ok=True)
    return full


def recalibrate(folder: Path, predictions: Predictions, sensitivity: float = SENSITIVITY) -> dict[str, Any]:
    """Fit a bundle's calibration, threshold and figures anew; the weights stay as they are.

    Raises BundleError when the bundle is damaged.
    """
    card, network = bundle.load(folder)
    before = card["metrics"]
    folds = ", ".join(sorted(set(predictions.folds[predictions.uses != "check"].tolist()) - {""}))
    where = f" (folds {folds})" if folds else ""
    card |= _judge(predictions, f"predictions given to calibrate{where}", sensitivity)
    card["limits"] = [*weakness(card["metrics"]), *(x for x in card["limits"] if not x.startswith(WEAK))]
    card["metrics"] |= {name: figures for name, figures in before.items() if name in ("shortcuts",)}
    return bundle.write(folder, network, card)


def record(folder: Path, name: str, figures: Mapping[str, Any]) -> None:
    """Add measured figures to a bundle's card under ``metrics``; the weights stay as they are."""
    card = bundle.read_card(folder)
    card["metrics"][name] = figures
    write_whole(folder / bundle.CARD, bundle.card_bytes(card))


def _judge(predictions: Predictions, source: str, sensitivity: float = SENSITIVITY) -> dict[str, Any]:
    """The card's calibration, thresholds and metrics from labelled predictions."""
    calibration = fit_calibration(predictions, sensitivity)
    folds = set(predictions.folds.tolist()) - {""}
    answers = cross_fit(predictions, sensitivity) if len(folds) > 1 else apply(calibration, predictions)
    return {
        "calibration": calibration.to_dict(),
        "thresholds": {"active": calibration.threshold, "sensitivity": sensitivity},
        "metrics": evaluate(predictions, answers, sensitivity=sensitivity) | {"judged_on": source},
    }


def _data_line(samples: Sequence[Sample]) -> str:
    counts = grade_counts(samples)
    partial = sum(s.use == "train" and s.grade is None for s in samples)
    others = Counter(s.use for s in samples if s.use != "train")
    graded = f"{sum(counts)} graded (MES 0-3: {'/'.join(map(str, counts))}), {partial} in-between grades"
    return graded + "".join(f", {n} {use}" for use, n in sorted(others.items()))


def format_cards(cards: Sequence[Mapping[str, Any]]) -> str:
    """Model cards as one Markdown text, every number read from the cards."""
    lines = [
        "# Model cards",
        "",
        "Generated by `mtl-core card` from the `card.json` of each model; do not edit.",
        "",
    ]
    for card in cards:
        training, metrics = card["training"], card["metrics"]
        lines += [
            f"## {card['name']}", "",
            f"Trunk `{card['spec']['backbone']}`, {card['spec']['input']['size']} px, coarse tasks "
            + ", ".join(f"MES >= {t['cut']}" for t in card["spec"]["tasks"])
            + f". Weights SHA-256 `{card['weights_sha256'][:12]}`. Code {card['code_version']}.", "",
            f"Trained on {training['data']}; start: {training['start']}; "
            + (f"taught by {training['teacher']}; " if training.get("teacher") else "")
            + f"split `{training['split_sha256'][:12]}`.", "",
            "```", training["command"], "```", "",
            f"Figures from {metrics['judged_on']}: {metrics['rows']} pictures in {metrics['groups']} groups; "
            "95 % group-bootstrap intervals in brackets.", "",
            "| figure | " + " | ".join(_COLUMNS) + " |", "|---|" + "---|" * len(_COLUMNS),
        ]  # fmt: skip
        names = sorted({name for block in _COLUMNS for name in metrics.get(block, {}).get("figures", {})})
        for name in names:
            cells = [_cell(metrics.get(block, {}).get("figures", {}).get(name)) for block in _COLUMNS]
            lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
        lines.append("")
        for change, found in metrics.get("shortcuts", {}).items():
            moved = "no picture left to compare"
            if found["pictures"]:
                moved = (
                    f"P(active) moves by {found['mean_distance']:.3f} (signed {found['mean_shift']:+.3f}), "
                    f"grade changes in {found['grade_changed']:.1%}, "
                    f"active decision in {found['active_changed']:.1%}"
                )
            seen = found["pictures"] - found["unseen"]
            lines.append(
                f"- Shortcut test, {change}: {found['pictures']} pictures ({seen} seen in training), {moved}"
            )
        lines += ["", "Limits:", "", *(f"- {limit}" for limit in card["limits"]), ""]
        lines += ["Attribution:", "", *(f"- {source}" for source in card["attribution"]), ""]
    return "\n".join(lines)


_COLUMNS = ("grades_1_3", "grades_1_3_restricted", "grades_0_3_surrogate_zero", "active_uc", "active_all")


def _cell(found: Mapping[str, Any] | None) -> str:
    if found is None or found["value"] is None:
        return ""
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
