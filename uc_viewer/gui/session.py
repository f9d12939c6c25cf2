"""What the window is about: one case, its pictures and their scores, and the jobs that make them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QObject, Signal

from uc_viewer import analysis
from uc_viewer.analysis import Scorer
from uc_viewer.case import Case, FrameResult, Run, Unreadable
from uc_viewer.gui.worker import Worker
from uc_viewer.report import content
from uc_viewer.report.selection import key_frames
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.stills import Stills

BATCH = 4
"""Frames scored in one go: small, so that a picture asked for meanwhile comes soon."""


class Model(Scorer, Protocol):
    """What the window needs of a model; `mtl_core.predict.Predictor` is one."""

    @property
    def card(self) -> Mapping[str, Any]:
        """Everything the bundle says of itself."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def device(self) -> str:
        """Where it runs."""

    @property
    def device_reason(self) -> str:
        """Why there."""

    @property
    def active_threshold(self) -> float:
        """The conservative threshold on P(MES >= 2)."""


@dataclass(frozen=True, eq=False)
class Opened:
    """The pictures were listed; none is decoded yet."""

    source: Stills


@dataclass(frozen=True, eq=False)
class Loaded:
    """The model stands ready."""

    model: Model
    seconds: float


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture opened again to be looked at. ``image``: uint8 H x W x 3 RGB, or None with the ``reason``."""

    source_file: str
    image: np.ndarray | None
    reason: str = ""


@dataclass(frozen=True)
class Saved:
    """A report lies at ``path``."""

    path: Path


def _score(paths: Sequence[Path], load: Callable[[], Model]) -> Iterator[object]:
    source = Stills(paths)
    yield Opened(source)
    if source.expected == 0:
        return
    begun = time.monotonic()
    model = load()
    yield Loaded(model, time.monotonic() - begun)
    yield from analysis.analyse(source, model, BATCH)


def _reopen(source: Stills, result: FrameResult) -> Iterator[Picture]:
    try:
        yield Picture(result.source_file, source.reopen(result.source_file, result.index).image)
    except SourceError as error:
        yield Picture(result.source_file, None, str(error))


def _report(source: Stills, run: Run, path: Path) -> Iterator[Saved | None]:
    from uc_viewer.report import (
        pdf,
    )  # draws in reportlab and matplotlib: too slow to load before the window shows

    pictures: dict[tuple[str, int], np.ndarray] = {}
    for result in key_frames(run):
        # A picture that went away meanwhile is not printed large; its scores stand in the table all the same.
        with suppress(SourceError):
            pictures[result.source_file, result.index] = source.reopen(result.source_file, result.index).image
        yield None
    pdf.write(content.build(run, pictures), path)
    yield Saved(path)


class Session(QObject):
    """The state of the window. Everything in it changes on the window's thread and is then told by a signal.

    ``load`` gives the model; it runs on the engine thread, at the start of every run.
    """

    began = Signal()
    """A new case was begun; the old one is gone."""
    opened = Signal(int)
    """So many pictures were found."""
    loaded = Signal(object)
    """The model stands ready: its `Model`."""
    scored = Signal(object)
    """One more `FrameResult` or `Unreadable`."""
    ended = Signal(bool)
    """The run is over; True when every picture was looked at."""
    picture_opened = Signal(object)
    """The `Picture` asked for last."""
    saved = Signal(object)
    """The report lies at this `Path`."""
    failed = Signal(str)
    """A job came to nothing: one line that says why."""

    def __init__(self, load: Callable[[], Model], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = Worker(self)
        self._worker.yielded.connect(self._receive)
        self._worker.finished.connect(self._finish)
        self._worker.failed.connect(self._fail)
        self._load = load
        self._run_job = self._picture_job = self._report_job = 0
        self._forget(Case())

    def _forget(self, case: Case) -> None:
        self.case = case
        self.items: list[FrameResult | Unreadable] = []
        self.expected = 0
        self._source: Stills | None = None
        self._loaded: Loaded | None = None
        self._started = self._finished = datetime.now().astimezone()
        self._first_score = time.monotonic()

    @property
    def running(self) -> bool:
        """True from `open` until `ended` or `failed`."""
        return self._run_job != 0

    def open(self, paths: Sequence[Path], case: Case | None = None) -> None:
        """Begin a new case with all still pictures under some paths, and score them."""
        self.cancel()
        self._forget(case or Case())
        self._run_job = self._worker.start(_score(paths, self._load))
        self.began.emit()

    def cancel(self) -> None:
        """Stop the run at its next step; what is scored stays."""
        self._worker.cancel(self._run_job)

    def look_at(self, result: FrameResult) -> None:
        """Ask for a picture; `picture_opened` brings it. Only the last one asked for arrives."""
        if self._source is not None:
            self._worker.cancel(self._picture_job)
            self._picture_job = self._worker.start(_reopen(self._source, result))

    def remaining_seconds(self) -> float | None:
        """How long the run will still take at the pace so far; None before there is a pace."""
        done = len(self.items)
        if not self.running or done == 0:
            return None
        return (time.monotonic() - self._first_score) / done * (self.expected - done)

    def run(self) -> Run:
        """The scores so far and how they were made. Raises ValueError while there is no model."""
        if self._loaded is None or self._source is None:
            raise ValueError("nothing was scored yet")
        model = self._loaded.model
        provenance = analysis.provenance(
            model.card,
            self.items,
            device=model.device,
            device_reason=model.device_reason,
            active_threshold=model.active_threshold,
            load_seconds=self._loaded.seconds,
            scoring_seconds=(self._finished - self._started).total_seconds(),
            skipped=self._source.skipped,
        )
        return Run(
            case=self.case,
            results=tuple(item for item in self.items if isinstance(item, FrameResult)),
            unreadable=tuple(item for item in self.items if isinstance(item, Unreadable)),
            started=self._started.isoformat(timespec="seconds"),
            finished=self._finished.isoformat(timespec="seconds"),
            complete=len(self.items) == self.expected,
            expected=self.expected,
            provenance=provenance,
        )

    def save_report(self, path: Path) -> None:
        """Write the report of what is scored so far; `saved` tells when it lies there."""
        if self._source is not None:
            self._report_job = self._worker.start(_report(self._source, self.run(), path))

    def close(self) -> None:
        """Stop all jobs and wait for them."""
        self._worker.shutdown()

    def _receive(self, job: int, value: object) -> None:
        if job == self._picture_job and isinstance(value, Picture):
            self.picture_opened.emit(value)
        elif job == self._report_job and isinstance(value, Saved):
            self.saved.emit(value.path)
        elif job == self._run_job:
            self._take(value)

    def _take(self, value: object) -> None:
        if isinstance(value, Opened):
            self._source, self.expected = value.source, value.source.expected
            self.opened.emit(self.expected)
        elif isinstance(value, Loaded):
            self._loaded = value
            self._started = datetime.now().astimezone()
            self._first_score = time.monotonic()
            self.loaded.emit(value.model)
        elif isinstance(value, FrameResult | Unreadable):
            self.items.append(value)
            self._finished = datetime.now().astimezone()
            self.scored.emit(value)

    def _finish(self, job: int) -> None:
        if job == self._run_job:
            self._run_job = 0
            self.ended.emit(len(self.items) == self.expected)

    def _fail(self, job: int, error: BaseException) -> None:
        if job == self._run_job:
            self._run_job = 0
        if job == self._picture_job and isinstance(error, KeyError):
            return
        self.failed.emit(str(error) or type(error).__name__)
