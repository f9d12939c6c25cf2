"""The command line `ucv`: pictures and recordings in, tables and a report out, without a window."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtl_core.aggregate import STANDARD, Rule
from uc_viewer import __version__, paths
from uc_viewer.analysis import BATCH
from uc_viewer.case import Case, Run
from uc_viewer.progress import print_event
from uc_viewer.report.console import complaints, summary
from uc_viewer.report.inputs import shortfalls
from uc_viewer.report.tables import FILES, INCOMPLETE_NOTE, summarise
from uc_viewer.report.wording import plural, printable
from uc_viewer.scoring import HEATMAPS, Job, OutputError, ProgramFault, describe, score, stoppable
from uc_viewer.sources.listing import Files
from uc_viewer.sources.patients import patients
from uc_viewer.sources.sampling import PER_SECOND, Sampling

ALL, NOTHING, USAGE, PARTIAL, FAILED, STOPPED = 0, 1, 2, 3, 4, 130
"""Exit codes; `EXIT_CODES` says what they mean."""

EXIT_CODES = """\
exit codes:
  0    every picture was scored, or not scored for a stated reason
  1    nothing could be scored
  2    wrong usage: a path, a model, a device or the output folder is not as it must be
  3    partial: some files could not be opened or broke off (each is named)
  4    the program failed; results so far are saved and marked INCOMPLETE
  130  stopped by Ctrl-C or a termination signal; the results so far are marked INCOMPLETE
"""

PATIENCE = 3.0
"""Seconds of silence, while files are looked through, before the user is told what is going on."""

DEBUG = "UCV_DEBUG"
"""Environment variable: 1 prints the traceback of a fault of the program."""


class UsageError(Exception):
    """The command cannot be carried out as given; one line for the user."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code. Raises SystemExit(2) on arguments it does not know."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")  # a console that cannot show Hangul must not stop a run
    args = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except UsageError as error:
        _say(str(error))
        return USAGE
    except KeyboardInterrupt:
        _say("quit")
        return STOPPED
    except ProgramFault as fault:
        _say(f"the program failed ({fault}); results so far are saved and marked INCOMPLETE; {_REPORT}")
        _trace(fault)
        return FAILED
    except Exception as fault:  # the last stop before the user, who must get a line and not a traceback
        _say(f"the program failed ({describe(fault)}); {_REPORT}")
        _trace(fault)
        return FAILED


_REPORT = f"please report this (with the output of {DEBUG}=1)"


def _trace(fault: BaseException) -> None:
    if os.environ.get(DEBUG) == "1":
        traceback.print_exception(fault)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ucv", description=paths.intended_use(), allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ucv {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    score = commands.add_parser(
        "score",
        help="score pictures and recordings; write report.pdf, frames.csv, summary.json and run.json",
        description=f"Score still pictures, recordings and DICOM files. {paths.intended_use()}",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = score.add_argument
    add("paths", nargs="*", type=Path, metavar="PATH", help="pictures, recordings, folders (recursive), zips")
    add("--out", required=True, type=Path, metavar="DIR", help="folder for the results")
    add("--sample", action="store_true", help="score the bundled synthetic sample case instead of a PATH")
    add("--model", default="", metavar="NAME|FOLDER", help="a model's name (see `ucv models`) or its folder")
    add("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to compute")
    add("--dicom-patient", action="store_true", help="print the patient the DICOM files name on the report")
    add("--patient-id", default="", metavar="ID", help="printed on the report; not required")
    chosen = score.add_mutually_exclusive_group()
    chosen.add_argument(
        "--fps",
        default=PER_SECOND,
        type=_rate,
        metavar="N",
        help=f"frames scored per second of a recording (default {PER_SECOND:g})",
    )
    chosen.add_argument("--every", type=_count, metavar="N", help="score every N-th frame instead (1: all)")
    add(
        "--sustained-frames",
        default=STANDARD.frames,
        type=_count,
        metavar="N",
        help=f"scored frames in a row for which a grade must last in a recording (default {STANDARD.frames})",
    )
    add(
        "--sustained-seconds",
        default=STANDARD.seconds,
        type=_seconds,
        metavar="S",
        help=f"and seconds for which it must last (default {STANDARD.seconds:g})",
    )
    add("--heatmaps", action="store_true", help="also draw heatmaps, for every scored picture")
    add("--page", default="A4", choices=("A4", "Letter"), help="page size of the report")
    add("--batch", default=BATCH, type=_batch, metavar="N", help=f"pictures scored at once (default {BATCH})")
    add(
        "--json-progress",
        action="store_true",
        help="print one JSON object per line on standard output instead of a progress bar and a summary",
    )
    score.set_defaults(command=score_command)
    models = commands.add_parser("models", help="list the bundled models", allow_abbrev=False)
    models.set_defaults(command=models_command)
    bench = commands.add_parser("bench", help="measure speed and exactness on recordings", allow_abbrev=False)
    bench.add_argument(
        "what", choices=("video", "seeks"), help="stages of scoring against the whole; seeks against OpenCV"
    )
    bench.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="recordings")
    bench.add_argument("--model", default="", metavar="NAME|FOLDER", help="a model's name or its folder")
    bench.add_argument("--fps", default=PER_SECOND, type=_rate, metavar="N", help="frames scored per second")
    bench.add_argument("--frames", type=_count, metavar="N", help="score only the first N of them")
    bench.set_defaults(command=bench_command)
    return parser


def _limited(kind: Callable[[str], Any], allowed: Callable[[Any], bool], told: str) -> Callable[[str], Any]:
    """What turns the text of an option into a number, or says what the number must be."""

    def parse(text: str) -> Any:
        with suppress(ValueError):
            number = kind(text)
            if allowed(number):
                return number
        raise argparse.ArgumentTypeError(f"must be {told}, not {text!r}")

    return parse


_count = _limited(int, lambda n: n >= 1, "a whole number, at least 1")
_batch = _limited(int, lambda n: 1 <= n <= 256, "a whole number, 1 to 256")
_rate = _limited(float, lambda n: 0 < n <= 1000, "a number above 0, at most 1000")
_seconds = _limited(float, lambda n: 0 <= n < 86400, "a number, 0 to 86400")


def score_command(args: argparse.Namespace) -> int:
    """`ucv score`: see `EXIT_CODES` for what it gives."""
    from mtl_core.bundle import BundleError

    given = _given(args)
    sampling = Sampling(None, args.every) if args.every else Sampling(args.fps)
    source = _list(given, args.out, sampling)
    case = _case(args, source, synthetic=_is_sample(given))
    model, card = _model(args.model)
    if source.expected == 0:
        _say(f"no pictures in {', '.join(str(path) for path in given)}; nothing was written")
        _say_skipped(source.skipped)
        return NOTHING
    rule = Rule(frames=args.sustained_frames, seconds=args.sustained_seconds)
    _say_sparse(source, rule)
    if args.json_progress:
        print_event("start", total=source.expected, model=card["name"])
    with stoppable() as stop:
        job = Job(
            source=source,
            case=case,
            model=model,
            card=card,
            out=args.out,
            device=args.device,
            batch=args.batch,
            heatmaps=args.heatmaps,
            page=args.page,
            json_progress=args.json_progress,
            sampling=sampling,
            rule=rule,
        )
        try:
            run = score(job, stop, _say)
        except (BundleError, OutputError, _device_error()) as error:
            raise UsageError(str(error)) from error
        finally:
            source.close()
    return _conclude(run, source.skipped, args)


def models_command(args: argparse.Namespace) -> int:
    """`ucv models`: one line for every bundled model; gives 0, or 2 if one of them is damaged."""
    from mtl_core.bundle import BundleError, read_card, read_spec

    try:
        default = paths.default_model()
    except paths.ModelNotFound as error:
        raise UsageError(str(error)) from error
    code = ALL
    for name in paths.bundled_models():
        try:
            card = read_card(paths.resource("models", name))
            spec = read_spec(card)
        except BundleError as error:
            _say(str(error))
            code = USAGE
            continue
        mark = " (default)" if name == default else ""
        print(f"{name}{mark}: {spec.backbone}, {spec.input.size} px, weights {card['weights_sha256'][:12]}")
    return code


def bench_command(args: argparse.Namespace) -> int:
    """`ucv bench`: print what was measured."""
    from mtl_core.bundle import BundleError
    from mtl_core.predict import Predictor
    from uc_viewer import bench
    from uc_viewer.sources.base import SourceError

    if folder := next((path for path in args.paths if path.is_dir()), None):
        raise UsageError(f"{folder}: is a folder; name recordings")
    try:
        if args.what == "seeks":
            print(bench.seeks_table(bench.seeks(args.paths)))
            return ALL
        predictor = Predictor.load(_model(args.model)[0])
        for path in args.paths:
            print(bench.speed_table(bench.video(path, predictor, Sampling(args.fps), args.frames)))
    except (SourceError, BundleError, OSError) as error:
        raise UsageError(str(error)) from error
    return ALL


def _given(args: argparse.Namespace) -> list[Path]:
    """The paths to score. Raises UsageError."""
    given: list[Path] = args.paths
    if args.sample and given:
        raise UsageError("give either --sample or a PATH, not both")
    if not args.sample and not given:
        raise UsageError("no PATH given: name picture files, folders or zip archives, or use --sample")
    return [paths.resource("sample")] if args.sample else given


def _case(args: argparse.Namespace, source: Files, *, synthetic: bool) -> Case:
    """Who is scored. DICOM files are asked only if the user wants it. Raises UsageError for two patients."""
    case = Case(patient_id=args.patient_id, synthetic=synthetic)
    if not source.identities:
        return case
    named = patients(source.identities.values())
    if len(named) > 1:
        one, other = (next(f for f, who in source.identities.items() if who == p) for p in named[:2])
        raise UsageError(
            f"the DICOM files name {len(named)} different patients, such as {one} and {other}: put each "
            "one's files into a folder of its own, and score them one by one"
        )
    if not (args.dicom_patient and named):
        return case
    who = named[0]
    return replace(
        case,
        patient_id=args.patient_id or who.patient_id,
        patient_name=who.patient_name,
        birth_date=who.birth_date,
        exam_date=who.exam_date,
        endoscopist=who.endoscopist,
    )


def _list(given: Sequence[Path], out: Path, sampling: Sampling) -> Files:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file; --out needs a folder")
    # Results of an earlier run that lie within the pictures' folder are no input of this one.
    listing = Files.listing(given, sampling=sampling, exclude=[out, out / HEATMAPS])
    patience = time.monotonic() + PATIENCE
    try:
        while True:
            next(listing)
            if time.monotonic() > patience:
                _say("looking through the files; long recordings take a while")
                patience = math.inf
    except StopIteration as end:
        found: Files = end.value
        return found
    except FileNotFoundError as error:
        raise UsageError(str(error)) from error


def _is_sample(given: Sequence[Path]) -> bool:
    """True when nothing but the bundled sample case was given, however it was named."""
    home = paths.resource("sample").resolve()
    return all(path.resolve().is_relative_to(home) for path in given)


def _model(name: str) -> tuple[Path, Mapping[str, Any]]:
    """Folder and card of the model asked for, without its weights. Raises UsageError."""
    from mtl_core.bundle import BundleError, read_card, read_spec

    try:
        folder = paths.model_folder(name)
        card = read_card(folder)
        read_spec(card)
    except (paths.ModelNotFound, BundleError) as error:
        raise UsageError(str(error)) from error
    return folder, card


def _device_error() -> type[Exception]:
    """The engine's error for a missing device; asked for only once the engine is loaded."""
    from mtl_core.predict import DeviceError

    return DeviceError


def exit_code(run: Run) -> int:
    """What `ucv score` gives for a run; see `EXIT_CODES`."""
    if not run.complete:
        return PARTIAL if run.interrupted else STOPPED
    if not any(result.scores.scored for result in run.results):
        return NOTHING
    return PARTIAL if run.unreadable or any(r.share != 1 for r in run.recordings) else ALL


def _conclude(run: Run, skipped: Mapping[str, int], args: argparse.Namespace) -> int:
    """Say what came out and give the exit code."""
    code = exit_code(run)
    for line in complaints(run):
        _say(line)
    _say_skipped(skipped)
    if args.json_progress:
        print_event("finished", exit_code=code, interrupted=run.interrupted, **summarise(run))
        return code
    if missing := _missing(run):
        _say(f"INCOMPLETE: {missing}; see {INCOMPLETE_NOTE} in {args.out}")
    for line in summary(run):
        print(line)
    print(f"Written to {args.out}: {', '.join(FILES)}" + (f", {HEATMAPS}/" if args.heatmaps else ""))
    print(paths.intended_use())
    return code


def _missing(run: Run) -> str:
    """What the results lack, in a few words; empty where they hold all."""
    if run.complete:
        return "not all of the recordings could be read" if shortfalls(run) else ""
    if len(run.results) + len(run.unreadable) >= run.expected:
        return "scoring is complete, the heatmaps are not"
    return "the run ended early" if run.interrupted else "the run was stopped"


def _say(line: str) -> None:
    """One line to standard error; foreign text in it cannot break the line or the terminal."""
    print(f"ucv: {printable(line, 1000)}", file=sys.stderr)


def _say_sparse(source: Files, rule: Rule) -> None:
    """Warn of recordings in which nothing can last, since their scored frames lie too far apart."""
    sparse = [facts for facts in source.recordings if facts.seconds > rule.gap * facts.sampled]
    if sparse:
        _say(
            f"{plural(len(sparse), 'recording')}: sampled more than {rule.gap:g} s apart, too sparse for a "
            "grade that lasts: use a higher --fps or a lower --every"
        )


def _say_skipped(skipped: Mapping[str, int]) -> None:
    if skipped:
        kinds = ", ".join(f"{count} x {ending}" for ending, count in Counter(skipped).most_common(8))
        _say(f"passed over, no pictures: {kinds}")


if __name__ == "__main__":
    sys.exit(main())
