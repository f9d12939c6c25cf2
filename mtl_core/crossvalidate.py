"""Out-of-fold predictions: every picture scored by a network that saw nothing of its group."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mtl_core.bundle import write_network
from mtl_core.data import DataError, Sample, hold_out, settle_folds
from mtl_core.files import write_whole
from mtl_core.metrics import Predictions, merge, read_predictions, write_predictions
from mtl_core.model import Logits
from mtl_core.spec import ModelSpec
from mtl_core.train import (
    Pictures,
    Progress,
    TrainConfig,
    Trained,
    choose_device,
    fit,
    identity,
    place,
    predict_logits,
)


def cross_validate(
    config: TrainConfig,
    samples: Sequence[Sample],
    folder: Path,
    *,
    init: Path | None = None,
    folds: Sequence[str] = (),
    keep: bool = False,
    teachers: Path | None = None,
) -> Generator[tuple[str, Progress], None, Predictions]:
    """Train once per fold and predict the held-out fold; returns the predictions of all folds run.

    Samples with use ``check`` are never trained on; each fold's network predicts them and the mean of
    the logits is kept. Finished folds lie in ``folder`` as ``fold-<k>.csv`` and are not run again, an
    unfinished one goes on from its checkpoint. ``keep`` leaves each fold's network there too, as a teacher
    that never saw the fold. ``teachers`` is such a folder: each fold then learns from the network that did
    not see its held-out pictures either. Yields (fold, progress) after every training step. Raises
    DataError when ``folder`` holds a run of another configuration, data set or start.
    """
    foldable = settle_folds([s for s in samples if s.use != "check"])
    check = [s for s in samples if s.use == "check"]
    if len({s.name for s in samples}) != len(samples):
        raise DataError("two samples have the same file name; give each data set a folder of its own")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(folds or sorted({s.fold for s in foldable}))
    what = identity(config, foldable, init)
    if teachers is not None:
        what = hashlib.sha256(
            (what + (teachers / "config.json").read_text(encoding="utf-8")).encode()
        ).hexdigest()
    record = folder / "config.json"
    if record.exists() and json.loads(record.read_text(encoding="utf-8")).get("identity") != what:
        raise DataError(f"{folder.name}: holds a run of other settings, data or start; choose another folder")
    write_whole(record, json.dumps({"identity": what, **config.to_dict()}, indent=1).encode())
    everything = Pictures.load([*foldable, *check], config.spec.input)
    parts, extra = [], []
    for fold in wanted:
        done = folder / f"fold-{fold}.csv"
        if not done.exists():
            teacher = teachers / network_file(fold) if teachers is not None else None
            trained = yield from _one_fold(config, everything, fold, folder, init, teacher)
            network = place(trained.network, choose_device())
            seen = [i for i, s in enumerate(everything.samples) if s.use == "check" or s.fold == fold]
            held = everything.take(seen)
            if keep:
                write_network(folder / network_file(fold), trained.network)
            write_predictions(as_predictions(held.samples, predict_logits(network, held), config.spec), done)
            write_whole(folder / f"fold-{fold}.json", json.dumps(trained.curves, indent=1).encode())
            (folder / f"fold-{fold}.safetensors").unlink(missing_ok=True)
        whole = read_predictions(done)
        parts.append(whole.select(whole.uses != "check"))
        extra.append(whole.select(whole.uses == "check"))
    result = merge([*parts, _mean(extra)]) if check else merge(parts)
    write_predictions(result, folder / "oof.csv")
    return result


def network_file(fold: str) -> str:
    """Name of the network of one fold in the folder of a cross-validation that kept it."""
    return f"fold-{fold}-network.safetensors"


def as_predictions(samples: Sequence[Sample], logits: Logits, spec: ModelSpec) -> Predictions:
    """Put samples and their raw logits side by side."""
    text = {
        name: np.array([getattr(s, name) for s in samples], dtype=str)
        for name in ("group", "fold", "source", "use", "label")
    }
    return Predictions(
        files=np.array([s.name or str(s.path) for s in samples], dtype=str),
        groups=text["group"],
        folds=text["fold"],
        sources=text["source"],
        uses=text["use"],
        labels=text["label"],
        low=np.array([s.low for s in samples], np.int8),
        high=np.array([s.high for s in samples], np.int8),
        fine=logits.fine.numpy().astype(np.float64),
        coarse=logits.coarse.numpy().astype(np.float64),
        cuts=tuple(task.cut for task in spec.tasks),
    )


def _one_fold(
    config: TrainConfig,
    everything: Pictures,
    fold: str,
    folder: Path,
    init: Path | None,
    teacher: Path | None,
) -> Generator[tuple[str, Progress], None, Trained]:
    foldable = [s for s in everything.samples if s.use != "check"]
    train, _ = hold_out(foldable, fold)
    chosen = {id(s) for s in train}
    part = everything.take([i for i, s in enumerate(everything.samples) if id(s) in chosen])
    steps = fit(config, part, init=init, teacher=teacher, checkpoint=folder / f"fold-{fold}.safetensors")
    while True:
        try:
            yield fold, next(steps)
        except StopIteration as stop:
            trained: Trained = stop.value
            return trained


def _mean(parts: Sequence[Predictions]) -> Predictions:
    return replace(
        parts[0],
        fine=np.mean([p.fine for p in parts], axis=0),
        coarse=np.mean([p.coarse for p in parts], axis=0),
    )
