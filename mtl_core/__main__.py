"""Command line of the engine: train, crossval, distil, calibrate, evaluate, card."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Generator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mtl_core import __version__
from mtl_core.bundle import BundleError, read_card
from mtl_core.data import DataError, apply_limuc_fold, read_samples, settle_folds, split_share
from mtl_core.metrics import PredictionsError, read_predictions, write_predictions

if TYPE_CHECKING:
    from mtl_core.data import Sample
    from mtl_core.train import Progress

Returned = TypeVar("Returned")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 2 wrong usage or input, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except (BundleError, DataError, PredictionsError, ValueError, OSError) as fault:
        print(f"mtl-core: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "mtl-core: interrupted; train and crossval go on from their last epoch",
            file=sys.stderr,
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mtl-core", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train on all pictures and write a model folder")
    _add_training(train)
    train.add_argument(
        "--oof", type=Path, help="out-of-fold predictions (crossval) to calibrate and report from"
    )
    train.add_argument("--limuc-fold", type=Path, help="official LIMUC fold: its train and val lists")
    train.add_argument(
        "--validation", type=float, default=0.15, help="share of groups for early stopping; 0: none"
    )
    train.add_argument("--teacher", type=Path, metavar="MODEL", help="a model folder to learn from as well")
    train.set_defaults(run=_train)

    crossval = commands.add_parser("crossval", help="train once per fold, predict what was held out")
    _add_training(crossval)
    crossval.add_argument("--folds", default="", help="only these folds, such as 1,2")
    crossval.add_argument("--keep", action="store_true", help="keep each fold's network, to teach others")
    crossval.add_argument(
        "--teachers", type=Path, metavar="FOLDER", help="a crossval --keep folder: each fold learns from it"
    )
    crossval.set_defaults(run=_crossval)

    distil = commands.add_parser("distil", help="teach a trunk the features of others; no labels needed")
    distil.add_argument("pictures", type=Path, nargs="+", help="folders of pictures, searched recursively")
    distil.add_argument(
        "--teacher", action="append", required=True, metavar="TRUNK=WEIGHTS", help="repeatable"
    )
    distil.add_argument("--init", type=Path, help="start of the student; random without it")
    distil.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    _add_fields(distil, "mtl_core.distil", "DistilConfig")
    distil.set_defaults(run=_distil)

    evaluate = commands.add_parser("evaluate", help="figures with intervals from predictions")
    evaluate.add_argument("predictions", type=Path, nargs="+", help="CSV files written by crossval")
    evaluate.add_argument(
        "--compare", type=Path, help="other predictions of the same pictures, for a paired test"
    )
    evaluate.add_argument("--model", type=Path, help="use this model's calibration; without it, cross-fit")
    evaluate.add_argument("--out", type=Path, help="folder for report.json and pictures")
    evaluate.add_argument("--summary", type=Path, help="Markdown file with all predictions side by side")
    evaluate.set_defaults(run=_evaluate)

    predict = commands.add_parser("predict", help="a model's raw answers for labelled pictures, to evaluate")
    predict.add_argument("model", type=Path)
    predict.add_argument("data", type=Path, nargs="+", help="label CSV or folder tree named after grades")
    predict.add_argument("--out", type=Path, required=True, help="CSV to write")
    predict.add_argument("--check", action="append", default=[], metavar="SOURCE", help="a third source")
    predict.set_defaults(run=_predict)

    calibrate = commands.add_parser("calibrate", help="fit a model's temperature and threshold anew")
    calibrate.add_argument("model", type=Path)
    calibrate.add_argument("predictions", type=Path)
    calibrate.add_argument("--sensitivity", type=float, default=0.95)
    calibrate.set_defaults(run=_calibrate)

    shortcuts = commands.add_parser("shortcuts", help="do scores move with text, box or border?")
    shortcuts.add_argument("model", type=Path)
    shortcuts.add_argument("data", type=Path, nargs="+", help="label CSV or folder tree named after grades")
    shortcuts.add_argument("--every", type=int, default=4, help="only every n-th picture; default 4")
    shortcuts.add_argument("--check", action="append", default=[], metavar="SOURCE", help="unseen source")
    shortcuts.set_defaults(run=_shortcuts)

    card = commands.add_parser("card", help="write a readable model card from model folders")
    card.add_argument("models", type=Path, nargs="+")
    card.add_argument("--out", type=Path, required=True)
    card.set_defaults(run=_card)
    return parser


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, nargs="+", help="label CSV or folder tree named after grades")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--init", help="safetensors with ImageNet weights, or 'imagenet' to download them")
    parser.add_argument(
        "--check", action="append", default=[], metavar="SOURCE", help="a source never trained on"
    )
    _add_fields(parser, "mtl_core.train", "TrainConfig")


def _add_fields(parser: argparse.ArgumentParser, module: str, name: str) -> None:
    """One option per plain field of a configuration; its default is the configuration's own."""
    from importlib import import_module

    for field in fields(getattr(import_module(module), name)):
        if isinstance(field.default, bool):
            parser.add_argument(
                f"--{field.name}".replace("_", "-"),
                action=argparse.BooleanOptionalAction,
                default=field.default,
            )
        elif isinstance(field.default, int | float | str):
            kind = type(field.default)
            parser.add_argument(
                f"--{field.name}".replace("_", "-"),
                type=kind,
                default=field.default,
                help=f"default {field.default}",
            )


def _config(kind: type[Any], arguments: argparse.Namespace) -> Any:
    return kind(**{f.name: getattr(arguments, f.name) for f in fields(kind) if hasattr(arguments, f.name)})


def _samples(arguments: argparse.Namespace) -> list[Sample]:
    found = [sample for path in arguments.data for sample in read_samples(path)]
    return [replace(s, use="check") if s.source in arguments.check else s for s in found]


def _init(arguments: argparse.Namespace) -> Path | None:
    if arguments.init != "imagenet":
        return Path(arguments.init) if arguments.init else None
    from mtl_core.backbones import fetch_imagenet

    return fetch_imagenet(arguments.backbone, arguments.out.parent)


def _follow(steps: Generator[Any, None, Returned]) -> Returned:
    """Drive a training to its end, with a line a second on a terminal and one an epoch elsewhere."""
    while True:
        try:
            item = next(steps)
        except StopIteration as stop:
            result: Returned = stop.value
            return result
        label, progress = item if isinstance(item, tuple) else ("", item)
        _show(label, progress)


def _show(fold: str, p: Progress) -> None:
    last = p.step == p.steps
    if not (last or sys.stderr.isatty()):
        return
    where = f"fold {fold} " if fold else ""
    score = "" if p.validation is None else f"  validation QWK {p.validation:.3f}"
    line = f"{where}epoch {p.epoch + 1}/{p.epochs} step {p.step}/{p.steps}"
    line += f"  loss {p.loss:.3f}  {p.eta_seconds:.0f} s left{score}"
    print(
        f"\r{line:<100}" if sys.stderr.isatty() else line,
        end="\n" if last else "",
        file=sys.stderr,
        flush=True,
    )


def _train(arguments: argparse.Namespace) -> None:
    from mtl_core.release import train_bundle
    from mtl_core.train import TrainConfig

    config = _config(TrainConfig, arguments)
    oof = read_predictions(arguments.oof) if arguments.oof else None
    usable = settle_folds([s for s in _samples(arguments) if s.use != "check"])
    if arguments.limuc_fold:
        rest, held = apply_limuc_fold(usable, arguments.limuc_fold)
    else:
        rest, held = split_share(usable, 0.0 if oof else arguments.validation, config.seed)
    steps = train_bundle(
        config, rest, held, arguments.out,
        init=_init(arguments), oof=oof, teacher=arguments.teacher,
        command=shlex.join(["mtl-core", *sys.argv[1:]]),
    )  # fmt: skip
    card = _follow(steps)
    print(f"wrote {arguments.out.name}: weights {card['weights_sha256'][:12]}")


def _crossval(arguments: argparse.Namespace) -> None:
    from mtl_core.crossvalidate import cross_validate
    from mtl_core.train import TrainConfig

    folds = [f for f in arguments.folds.split(",") if f]
    samples = _samples(arguments)
    steps = cross_validate(
        _config(TrainConfig, arguments), samples, arguments.out,
        init=_init(arguments), folds=folds, keep=arguments.keep, teachers=arguments.teachers,
    )  # fmt: skip
    predictions = _follow(steps)
    print(f"wrote {arguments.out.name}/oof.csv: {len(predictions)} pictures")


def _distil(arguments: argparse.Namespace) -> None:
    from mtl_core.data import PICTURES, Sample, prepare_all
    from mtl_core.distil import DistilConfig, distil
    from mtl_core.spec import InputSpec

    config = _config(DistilConfig, arguments)
    files = sorted(
        p for folder in arguments.pictures for p in folder.rglob("*") if p.suffix.lower() in PICTURES
    )
    if not files:
        raise DataError("no pictures in the folders given")
    pixels = prepare_all([Sample(path, 0, 3, path.name) for path in files], InputSpec(size=config.size))
    teachers = [(name, Path(weights)) for name, _, weights in (t.partition("=") for t in arguments.teacher)]
    loss = _follow(distil(config, pixels, teachers, arguments.out, init=arguments.init))
    print(f"wrote {arguments.out.name}: {len(files)} pictures, last epoch's loss {loss:.3f}")


def _evaluate(arguments: argparse.Namespace) -> None:
    from mtl_core import evaluate, evaluation_report
    from mtl_core.calibrate import Calibration, apply, cross_fit
    from mtl_core.files import write_whole

    given = Calibration.from_dict(read_card(arguments.model)["calibration"]) if arguments.model else None
    reports = {}
    for path in arguments.predictions:
        predictions = read_predictions(path)
        report = reports[path.stem] = evaluate.evaluate(
            predictions, apply(given, predictions) if given else None
        )
        print(f"== {path}\n{evaluation_report.format_report(report)}\n")
        if arguments.out:
            folder = arguments.out / path.stem if len(arguments.predictions) > 1 else arguments.out
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / "report.json", json.dumps(report, indent=1).encode())
            evaluation_report.draw(report, folder / "report.png")
        if arguments.compare:
            other = read_predictions(arguments.compare)
            pair = evaluate.compare((predictions, cross_fit(predictions)), (other, cross_fit(other)))
            print(evaluation_report.format_comparison(pair, path.stem, arguments.compare.stem) + "\n")
    if arguments.summary:
        write_whole(arguments.summary, evaluation_report.format_summary(reports).encode())


def _calibrate(arguments: argparse.Namespace) -> None:
    from mtl_core.release import recalibrate

    card = recalibrate(arguments.model, read_predictions(arguments.predictions), arguments.sensitivity)
    print(
        f"{card['name']}: temperature {card['calibration']['temperature']:.3f}, "
        f"active from {card['thresholds']['active']:.3f}"
    )


def _predict(arguments: argparse.Namespace) -> None:
    from mtl_core.crossvalidate import as_predictions
    from mtl_core.predict import Predictor
    from mtl_core.train import Pictures, predict_logits

    samples = _samples(arguments)
    predictor = Predictor.load(arguments.model)
    logits = predict_logits(predictor.network, Pictures.load(samples, predictor.spec.input))
    write_predictions(as_predictions(samples, logits, predictor.spec), arguments.out)
    print(f"wrote {arguments.out.name}: {len(samples)} pictures")


def _shortcuts(arguments: argparse.Namespace) -> None:
    from mtl_core.predict import Predictor
    from mtl_core.release import record
    from mtl_core.shortcuts import shortcut_tests

    samples = _samples(arguments)[:: arguments.every]
    found = shortcut_tests(Predictor.load(arguments.model), samples)
    record(arguments.model, "shortcuts", found)
    for name, figures in found.items():
        print(f"{name:<22}" + "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))


def _card(arguments: argparse.Namespace) -> None:
    from mtl_core.files import write_whole
    from mtl_core.release import format_cards

    text = format_cards([read_card(folder) for folder in arguments.models])
    write_whole(arguments.out, text.encode())
    print(f"wrote {arguments.out.name}")


if __name__ == "__main__":
    sys.exit(main())
