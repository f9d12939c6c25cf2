"""One run from pictures to files: score, draw, report. What `ucv score` does, without its words."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from mtl_core import aggregate
from mtl_core.aggregate import Rule
from uc_viewer.analysis import BATCH, analyse, provenance
from uc_viewer.case import Case, FrameResult, Run, Unreadable
from uc_viewer.progress import Progress
from uc_viewer.report import tables
from uc_viewer.report.wording import printable, shorten
from uc_viewer.sources import sampling
from uc_viewer.sources.base import FrameSource, SourceError, SourceGone
from uc_viewer.sources.sampling import Sampling

if TYPE_CHECKING:
    from mtl_core.predict import Predictor
    from mtl_core.scores import Heatmap
    from uc_viewer.report.heatmaps import Drawn

HEATMAPS = "heatmaps"
"""Folder of the overlays within the folder of the results."""

LARGEST_PRINT = 2400
"""Longest side, in pixels, of a picture kept for the report: 20 cm at 300 dpi."""


class OutputError(Exception):
    """The results cannot be written; one line for the user."""


class ProgramFault(Exception):
    """The program failed in the middle of a run and saved what it had; one line, the fault is its cause."""


class Stop:
    """Whether the user asked to stop. The first signal asks, a second one interrupts at once."""

    def __init__(self) -> None:
        self.requested = False

    def ask(self, number: int, frame: object) -> None:
        """Signal handler for Ctrl-C and termination. Raises KeyboardInterrupt the second time."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        with suppress(OSError):  # os.write, since a handler may interrupt a print to the same stream
            os.write(2, b"\nucv: stopping, results so far will be saved (once more: quit at once)\n")


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Ctrl-C and termination set a flag within the block, so that a batch and a row are never cut in two."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, eq=False)
class Job:
    """What to score, with which model (its folder and its card, read already), how, and where to."""

    source: FrameSource
    case: Case
    model: Path
    card: Mapping[str, Any]
    out: Path
    device: str = "auto"
    batch: int = BATCH
    heatmaps: bool = False
    page: str = "A4"
    json_progress: bool = False
    sampling: Sampling = sampling.STANDARD
    rule: Rule = aggregate.STANDARD


@dataclass
class _Outcome:
    """What a run has given so far."""

    started: str
    load_seconds: float = 0.0
    scoring_seconds: float = 0.0
    items: list[FrameResult | Unreadable] = field(default_factory=list)
    complete: bool = False
    interrupted: str = ""
    reported: bool = False
    fault: Exception | None = None


def score(job: Job, stop: Stop, warn: Callable[[str], None]) -> Run:
    """Carry out a job: frames.csv, summary.json, run.json, report.pdf and, if asked for, heatmaps.

    The folder is marked INCOMPLETE from before the first file changes until after the last one has; only a
    run that came to its end takes the mark away. A run stopped by ``stop`` or by a fault of the program
    leaves valid partial files. ``warn`` takes one line about a picture that cannot be shown. Every file
    appears whole or not at all. Raises BundleError or DeviceError of the engine with nothing written, then
    OutputError and ProgramFault.
    """
    outcome, began = _Outcome(_now()), time.monotonic()
    # torch takes seconds to import; only from here on is it needed.
    from mtl_core.predict import Predictor

    warn = _once(warn)
    predictor = Predictor.load(job.model, job.device)
    outcome.load_seconds = time.monotonic() - began
    with _writing(job.out):
        tables.begin(job.out)
        with tables.frame_table(job.out / "frames.csv") as table, _saving(outcome):
            _collect(job, predictor, stop, table, outcome)
        with _saving(outcome):
            _write_heatmaps(job, predictor, stop, warn, outcome)
        run = _run(job, predictor, outcome)
        _write_json(run, job.out)
        with _saving(outcome):
            # The engine that has just failed is not asked again.
            _write_report(run, job, predictor, warn, heatmaps=job.heatmaps and outcome.fault is None)
            outcome.reported = True
        if outcome.reported:
            tables.mark(run, job.out)
        else:  # a report of an earlier run may stand there: the note of the beginning stays
            _write_json(replace(run, complete=False), job.out)
    if outcome.fault is not None:
        raise ProgramFault(describe(outcome.fault)) from outcome.fault
    return run


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    """The same, but every line once: a recording that went away is not told of for every frame."""
    said: set[str] = set()

    def say(line: str) -> None:
        if line not in said:
            said.add(line)
            warn(line)

    return say


def describe(fault: BaseException) -> str:
    """Type and message of an unexpected fault as one line, without the names of folders."""
    message = _PATH.sub("<path>", next(iter(str(fault).splitlines()), ""))
    return printable(f"{type(fault).__name__}: {shorten(message, 300)}")


_PATH = re.compile(
    r"""'[^']*[\\/][^']*' | "[^"]*[\\/][^"]*" | (?:\b[A-Za-z]:|\\|/) [^\s'":,;()]* [\\/] [^\s'":,;()]*""",
    re.VERBOSE,
)
"""What looks like a path: a quoted text with a slash in it, or a word from its root on."""


@contextmanager
def _saving(outcome: _Outcome) -> Iterator[None]:
    """A block that a fault ends early: a night's results must not be lost to it, so it is kept for later."""
    try:
        yield
    except OSError:
        raise
    except Exception as fault:
        outcome.fault = outcome.fault or fault
        outcome.complete = False


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """A block that writes results into ``out``; what goes wrong there becomes one line."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OutputError(
            f"{out}: the results cannot be written ({error.strerror or error}): "
            "free space, close programs that show them, or choose another --out"
        ) from error


def _collect(job: Job, predictor: Predictor, stop: Stop, table: tables.FrameTable, outcome: _Outcome) -> None:
    """Score the source into table and outcome until it ends or a stop is asked for."""
    began = time.monotonic()
    results = analyse(job.source, predictor, job.batch)
    try:
        with Progress("scoring", job.source.expected, as_json=job.json_progress) as progress:
            while not stop.requested and (item := next(results, None)) is not None:
                table.add(item)
                table.flush()
                outcome.items.append(item)
                progress.advance()
    except SourceGone as error:
        outcome.interrupted = str(error)
    finally:
        results.close()
        outcome.scoring_seconds = time.monotonic() - began
    outcome.complete = len(outcome.items) == job.source.expected


def _write_heatmaps(
    job: Job, predictor: Predictor, stop: Stop, warn: Callable[[str], None], outcome: _Outcome
) -> None:
    """Draw all scored frames of a whole run if asked to; remove an earlier run's overlays in any case."""
    from uc_viewer.report import heatmaps

    scored = [item for item in outcome.items if isinstance(item, FrameResult) and item.scores.scored]

    def draw(progress: Progress) -> Iterator[Drawn]:
        for result in scored:
            if stop.requested:
                outcome.complete = False
                return
            if (image := _reopen(job.source, result, warn)) is not None:
                yield heatmaps.Drawn(result, *_overlay(predictor, image, result))
            progress.advance()

    if not (job.heatmaps and outcome.complete):
        heatmaps.write(job.out / HEATMAPS, ())
        return
    with Progress("heatmaps", len(scored), as_json=job.json_progress) as progress:
        heatmaps.write(job.out / HEATMAPS, draw(progress))


def _run(job: Job, predictor: Predictor, outcome: _Outcome) -> Run:
    facts = provenance(
        job.card,
        outcome.items,
        device=predictor.device,
        device_reason=predictor.device_reason,
        active_threshold=predictor.active_threshold,
        load_seconds=outcome.load_seconds,
        scoring_seconds=outcome.scoring_seconds,
        skipped=job.source.skipped,
        sampling=job.sampling if job.source.recordings else None,
        rule=job.rule if job.source.recordings else None,
        options={"device": job.device, "batch": job.batch, "heatmaps": job.heatmaps, "page": job.page},
    )
    return Run(
        case=job.case,
        results=tuple(item for item in outcome.items if isinstance(item, FrameResult)),
        unreadable=tuple(item for item in outcome.items if isinstance(item, Unreadable)),
        started=outcome.started,
        finished=_now(),
        complete=outcome.complete,
        expected=job.source.expected,
        provenance=facts,
        recordings=tuple(job.source.recordings),
        interrupted=outcome.interrupted,
    )


def _write_json(run: Run, out: Path) -> None:
    tables.write_json(tables.summarise(run), out / "summary.json")
    tables.write_json(tables.record(run), out / "run.json")


def _write_report(
    run: Run, job: Job, predictor: Predictor, warn: Callable[[str], None], *, heatmaps: bool
) -> None:
    """report.pdf; only its few key pictures are opened again, so the memory stays flat."""
    from uc_viewer.report import content, pdf

    pictures: dict[tuple[str, int], np.ndarray] = {}
    overlays: dict[tuple[str, int], np.ndarray] = {}
    for result in content.key_frames(run):
        if (image := _reopen(job.source, result, warn)) is None:
            continue
        key = (result.source_file, result.index)
        pictures[key] = _fit_print(image)
        if heatmaps:
            overlays[key] = _fit_print(_overlay(predictor, image, result)[0])
    pdf.write(content.build(run, pictures, overlays), job.out / "report.pdf", job.page)


def _reopen(source: FrameSource, result: FrameResult, warn: Callable[[str], None]) -> np.ndarray | None:
    """The picture of a result; None, with a warning, if it is gone or no longer the one that was scored."""
    try:
        frame = source.reopen(result.source_file, result.index)
    except SourceError as error:
        warn(f"{printable(str(error))} (it was scored, but is not shown)")
        return None
    if frame.source_sha256 != result.source_sha256:
        warn(f"{printable(result.source_file)}: changed since it was scored, so it is not shown; run again")
        return None
    return frame.image


def _overlay(predictor: Predictor, image: np.ndarray, result: FrameResult) -> tuple[np.ndarray, Heatmap]:
    """The picture with its evidence for the grade it got, and that evidence."""
    from mtl_core.explain import heatmap, overlay

    found = heatmap(predictor, image, "grade", result.scores.grade)
    return overlay(image, found), found


def _fit_print(image: np.ndarray) -> np.ndarray:
    """The picture itself, or a smaller copy when it has more pixels than a page can show."""
    if max(image.shape[:2]) <= LARGEST_PRINT:
        return image
    small = Image.fromarray(image)
    small.thumbnail((LARGEST_PRINT, LARGEST_PRINT))
    return np.array(small)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
