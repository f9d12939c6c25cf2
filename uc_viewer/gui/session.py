"""The state of the window: one case, its frames and scores, what the reader says, and the jobs going on."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from uc_viewer import analysis
from uc_viewer.case import Case, Duplicate, FrameKey, FrameResult, Reading, Run, Unreadable
from uc_viewer.gui import jobs
from uc_viewer.gui.jobs import Model, ModelError
from uc_viewer.gui.news import News
from uc_viewer.gui.reader import Reader
from uc_viewer.gui.worker import Worker
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.gathered import Gathered
from uc_viewer.sources.stills import Stills

Item = FrameResult | Unreadable

HEATMAPS_KEPT = 16
"""Heatmaps remembered, so that going back and forth shows them at once."""

EXPECTED_FAULTS = (OSError, SourceError, ModelError)
"""What may go wrong without the program being at fault: told in one line."""


class Session(News):
    """The state of the window. Everything in it changes on the window's thread and is then told as `News`.

    ``make_model`` gives a model by name (or folder, or "" for the default) and device; it runs on the engine
    thread. Three lanes work side by side: the engine (scores, heatmaps), pictures (listing, opening,
    thumbnails) and paper (reports), so that no wish waits for one of another kind.
    """

    def __init__(self, make_model: Callable[[str, str], Model], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reader = Reader(self)
        self.model_name, self.device = "", "auto"
        self._make_model = make_model
        self._model: jobs.Loaded | None = None
        self._engine, self._pictures, self._paper = Worker(self), Worker(self), Worker(self)
        self._receivers: dict[tuple[Worker, int], Callable[[Any], object]] = {}
        for lane in (self._engine, self._pictures, self._paper):
            lane.yielded.connect(lambda job, value, lane=lane: self._receive(lane, job, value))
            lane.finished.connect(lambda job, lane=lane: self._finish(lane, job, None))
            lane.failed.connect(lambda job, error, lane=lane: self._finish(lane, job, error))
        self._forget(Case())

    def _forget(self, case: Case) -> None:
        self.reader.begin(case)
        self.keys: list[FrameKey] = []
        self.items: dict[FrameKey, Item] = {}
        self.duplicates: dict[FrameKey, Duplicate] = {}
        self._sources = Gathered()
        self._drops: deque[Sequence[Path]] = deque()
        self._naming: Stills | None = None
        self._stopped = False
        self._waiting: deque[Stills] = deque()
        self._seen: dict[tuple[str, int], str] = {}
        self._wanted: deque[FrameKey] = deque()
        self._heatmaps: OrderedDict[tuple[FrameKey, str, str], jobs.Explained] = OrderedDict()
        self._report: jobs.Report | None = None
        self._said: tuple[Case, Reading] = case, Reading()
        self._listing_job = self._score_job = self._picture_job = 0
        self._thumbnail_job = self._heatmap_job = self._report_job = 0
        self._paused = False
        self._started = self._finished = datetime.now().astimezone()
        self._scoring_seconds, self._last_score = 0.0, 0.0
        self._pace_from, self._pace_done = 0.0, 0

    # The run

    @property
    def running(self) -> bool:
        """True while pictures are looked for or wait to be scored."""
        return bool(self._listing_job or self._score_job or self._waiting)

    @property
    def paused(self) -> bool:
        """True while the run is held."""
        return self._paused

    @property
    def model(self) -> Model | None:
        """The model in use, None before it is loaded."""
        return self._model.model if self._model else None

    @property
    def done(self) -> int:
        """How many pictures were looked at."""
        return len(self.items) + len(self.duplicates)

    def new_case(self, case: Case | None = None) -> None:
        """Begin an empty case. What the old one held is gone."""
        for lane in (self._engine, self._pictures, self._paper):
            lane.cancel_all()
        self._receivers.clear()
        self._forget(case or Case())
        self.began.emit()

    def add(self, paths: Sequence[Path]) -> None:
        """Add all still pictures under some paths to the case; they are scored after those before them."""
        self._drops.append(paths)
        self._list_next()

    def cancel(self) -> None:
        """Stop looking for pictures and scoring; what is scored stays."""
        if not self.running:
            return
        self._drops.clear()
        self._stopped = True
        # Names that began to be told are told to the end, or part of a drop would be left out of the case.
        if self._naming is None:
            self._drop(self._pictures, self._listing_job)
            self._listing_job = 0
        self._stop_scoring()
        self._go_on()

    def pause(self, paused: bool) -> None:
        """Hold the run after the current batch, or let it go on."""
        if self._score_job:
            (self._engine.pause if paused else self._engine.resume)(self._score_job)
            self._set_paused(paused)

    def use_model(self, name: str, device: str) -> None:
        """Work with another model from now on; a case that has scores is scored anew."""
        if (name, device) == (self.model_name, self.device) and self._model:
            return
        self.model_name, self.device, self._model = name, device, None
        self._heatmaps.clear()
        self._drop(self._engine, self._heatmap_job)
        if self.keys:
            self.score_again()

    def score_rest(self) -> None:
        """Score what a cancelled run left out."""
        if not self.running:
            done = {name for name, _ in (*self.items, *self.duplicates)}
            rest = (source.without(done) for source in self._sources.sources)
            self._waiting.extend(source for source in rest if source.keys)
            self._go_on()

    def score_again(self) -> None:
        """Score all pictures of the case anew."""
        self._stop_scoring()
        self._stopped = False
        self.items.clear()
        self.duplicates.clear()
        self._seen = {}
        self.reader.uncount()
        self._scoring_seconds = 0.0
        self._waiting.extend(source for source in self._sources.sources if source is not self._naming)
        self.restarted.emit()
        self._go_on()

    def remaining_seconds(self) -> float | None:
        """How long the run will still take at the pace so far; None before there is a pace."""
        done = self.done - self._pace_done
        if not self._score_job or self._paused or done <= 0:
            return None
        return (time.monotonic() - self._pace_from) / done * (len(self.keys) - self.done)

    def run(self) -> Run:
        """The scores so far and how they were made. Raises ValueError while there is no model."""
        if self._model is None:
            raise ValueError("nothing was scored yet")
        model = self._model.model
        items = [self.items[key] for key in self.keys if key in self.items]
        provenance = analysis.provenance(
            model.card,
            items,
            device=model.device,
            device_reason=model.device_reason,
            active_threshold=model.active_threshold,
            load_seconds=self._model.seconds,
            scoring_seconds=self._scoring_seconds,
            skipped=self._sources.skipped,
        )
        return Run(
            case=self.reader.case,
            results=tuple(item for item in items if isinstance(item, FrameResult)),
            unreadable=tuple(item for item in items if isinstance(item, Unreadable)),
            started=self._started.isoformat(timespec="seconds"),
            finished=self._finished.isoformat(timespec="seconds"),
            complete=self.done == len(self.keys),
            expected=len(self.keys) - len(self.duplicates),
            provenance=provenance,
        )

    # Wishes

    def look_at(self, key: FrameKey) -> None:
        """Ask for a picture; `picture_opened` brings it. Only the last one asked for arrives."""
        self._drop(self._pictures, self._picture_job)
        job = jobs.look_at(self._sources, key)
        self._picture_job = self._start(self._pictures, job, self.picture_opened.emit)

    def want_thumbnail(self, key: FrameKey) -> None:
        """Ask for a thumbnail; the last wish is met first."""
        self._wanted.append(key)
        self._make_thumbnails()

    def explain(self, key: FrameKey, target: str, method: str) -> None:
        """Ask for a heatmap of a scored frame; `explained` brings it. Only the last one asked for arrives.

        It waits for the model to be there, not for the run to end.
        """
        self._drop(self._engine, self._heatmap_job)
        self._heatmap_job = 0
        item = self.items.get(key)
        if not isinstance(item, FrameResult) or not item.scores.scored or self._model is None:
            return
        if kept := self._heatmaps.get((key, target, method)):
            self.explained.emit(kept)
            return
        job = jobs.explain(self._sources, key, item.scores.grade, self._model.model, target, method)
        self._heatmap_job = self._start(self._engine, job, self._take_heatmap)

    def make_report(self, page: str) -> None:
        """Ask for the report as it would be now; `report_made` brings it."""
        self._drop(self._paper, self._report_job)
        said = self.reader.case, self.reader.reading
        job = jobs.make_report(self._sources, self.run(), said[1], page)
        self._report_job = self._start(self._paper, job, lambda report: self._take_report(report, said))

    def draw_page(self, number: int, dpi: int) -> None:
        """Ask for a page of the report made last; `page_drawn` brings it."""
        if report := self._report:
            job = jobs.draw_page(report, number, dpi)
            self._start(self._paper, job, lambda page: self._take_page(page, report))

    def save_report(self, path: Path) -> None:
        """Write the report made last; `saved` tells when it lies there."""
        if self._report is not None:
            job, said = jobs.save(self._report, path), self._said
            self._start(self._paper, job, lambda saved: self._take_saved(saved, said))

    def export_overlays(self, keys: Collection[FrameKey], folder: Path) -> None:
        """Write heatmap overlays of some scored frames into a folder; `exported` tells when it is done."""
        found = (self.items.get(key) for key in keys)
        results = [item for item in found if isinstance(item, FrameResult) and item.scores.scored]
        if results and self._model is not None:
            job = jobs.export_overlays(self._sources, results, self._model.model, folder)
            self._start(self._engine, job, lambda saved: self.exported.emit(saved) if saved else None)

    def close(self) -> None:
        """Stop all jobs and wait for them."""
        self._receivers.clear()
        for lane in (self._engine, self._pictures, self._paper):
            lane.cancel_all()
        for lane in (self._engine, self._pictures, self._paper):
            lane.shutdown()

    # Jobs

    def _start(self, lane: Worker, values: Iterator[Any], receiver: Callable[[Any], object]) -> int:
        job = lane.start(values)
        self._receivers[lane, job] = receiver
        return job

    def _drop(self, lane: Worker, job: int) -> None:
        """Cancel a job, and hear nothing of it any more."""
        lane.cancel(job)
        self._receivers.pop((lane, job), None)

    def _receive(self, lane: Worker, job: int, value: object) -> None:
        if receiver := self._receivers.get((lane, job)):
            receiver(value)

    def _finish(self, lane: Worker, job: int, error: BaseException | None) -> None:
        if self._receivers.pop((lane, job), None) is None:
            return
        listing = lane is self._pictures and job == self._listing_job
        scoring = lane is self._engine and job == self._score_job
        if listing:
            self._listing_job, self._naming = 0, None
            self._list_next()
        elif scoring:
            self._score_job = 0
            self._set_paused(False)
            if error is not None:
                self._waiting.clear()
        elif lane is self._pictures and job == self._thumbnail_job:
            self._thumbnail_job = 0
            self._make_thumbnails()
        if isinstance(error, EXPECTED_FAULTS):
            self.failed.emit(str(error) or type(error).__name__)
        elif error is not None:
            self.broke.emit(error)
        if listing or scoring:
            self._go_on()

    def _list_next(self) -> None:
        """List the drop that waits longest, after the one before it: names must not clash."""
        if self._drops and not self._listing_job:
            self._stopped = False
            job = jobs.find(self._drops.popleft(), self._sources)
            self._listing_job = self._start(self._pictures, job, self._take_listing)

    def _stop_scoring(self) -> None:
        """Hear no more of the scoring that goes on, and forget what waits for it."""
        self._waiting.clear()
        self._drop(self._engine, self._score_job)
        self._score_job = 0
        self._set_paused(False)

    def _go_on(self) -> None:
        """Start what comes next: the model, then the source that waits longest; or tell the end."""
        if self._score_job:
            return
        if not self._waiting:
            if not self.running:
                self.ended.emit(self.done == len(self.keys))
            return
        if self._model is None:
            self.loading.emit()
            name, device = self.model_name, self.device
            loading = jobs.load(lambda: self._make_model(name, device))
            self._score_job = self._start(self._engine, loading, self._take_model)
            return
        source = self._waiting.popleft()
        if not self.done:
            self._started = datetime.now().astimezone()
        self._set_pace()
        job = jobs.score(source, self._model.model, self._seen)
        self._score_job = self._start(self._engine, job, self._take_score)

    def _set_paused(self, paused: bool) -> None:
        if paused != self._paused:
            self._paused = paused
            self._set_pace()
            self.paused_changed.emit(paused)

    def _set_pace(self) -> None:
        """Reckon the pace of the run from now on."""
        self._pace_from = self._last_score = time.monotonic()
        self._pace_done = self.done

    def _make_thumbnails(self) -> None:
        if self._wanted and not self._thumbnail_job:
            job = jobs.thumbnails(self._sources, self._wanted)
            self._thumbnail_job = self._start(self._pictures, job, self.thumbnail_made.emit)

    def _take_listing(self, value: object) -> None:
        if isinstance(value, jobs.Listed):
            self._naming = value.source
            self._sources.add(value.source)
            if value.source.known:
                self.already_there.emit(value.source.known)
        elif isinstance(value, jobs.Names):
            self.keys.extend(value.keys)
            self.listed.emit(value.keys)
        elif isinstance(value, jobs.Ready):
            self._naming = None
            if value.source.expected and not self._stopped:
                self._waiting.append(value.source)

    def _take_model(self, value: jobs.Loaded) -> None:
        self._model = value
        self.loaded.emit(value.model)

    def _take_score(self, item: Item | Duplicate) -> None:
        self._finished, now = datetime.now().astimezone(), time.monotonic()
        self._scoring_seconds += now - self._last_score
        self._last_score = now
        if isinstance(item, Duplicate):
            self.duplicates[item.source_file, 0] = item
            self.duplicate_found.emit(item)
            return
        key = item.key if isinstance(item, FrameResult) else (item.source_file, 0)
        self.items[key] = item
        self.reader.count(key, item)
        self.scored.emit(item)

    def _take_heatmap(self, explained: jobs.Explained) -> None:
        self._heatmaps[explained.key, explained.target, explained.method] = explained
        if len(self._heatmaps) > HEATMAPS_KEPT:
            self._heatmaps.popitem(last=False)
        self.explained.emit(explained)

    def _take_report(self, report: jobs.Report | None, said: tuple[Case, Reading]) -> None:
        if report is not None:
            self._report, self._said = report, said
            self.report_made.emit(report)

    def _take_page(self, page: jobs.Page, report: jobs.Report) -> None:
        if report is self._report:
            self.page_drawn.emit(page)

    def _take_saved(self, saved: jobs.Saved, said: tuple[Case, Reading]) -> None:
        if said == (self.reader.case, self.reader.reading):
            self.reader.edits.setClean()
        self.saved.emit(saved.path)
