"""The state of the window: one case, its frames and scores, what the reader says, and the jobs going on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from mtl_core import aggregate
from uc_viewer import analysis
from uc_viewer.case import Case, Duplicate, FrameKey, FrameResult, Reading, Run, Unreadable
from uc_viewer.gui import exports, jobs
from uc_viewer.gui.jobs import Item, Model
from uc_viewer.gui.lanes import Lanes
from uc_viewer.gui.news import News
from uc_viewer.gui.pace import Pace
from uc_viewer.gui.reader import Reader
from uc_viewer.gui.worker import Worker
from uc_viewer.indices import Judgement, judge
from uc_viewer.sources.base import Recording
from uc_viewer.sources.gathered import Gathered
from uc_viewer.sources.listing import Files
from uc_viewer.sources.patients import Identity, patients
from uc_viewer.sources.sampling import STANDARD


class Session(News):
    """The state of the window. Everything in it changes on the window's thread and is then told as `News`.

    ``make_model`` gives a model by name (or folder, or "" for the default) and device; it runs on the engine
    thread. Jobs run on `Lanes`. ``sampling`` says which frames of recordings added from now on are scored,
    ``rule`` when a grade counts as sustained.
    """

    rule_changed = Signal()
    """Recordings are judged by another rule."""
    closing = Signal()
    """No wish is met any more."""

    def __init__(self, make_model: Callable[[str, str], Model], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reader = Reader(self)
        self.model_name, self.device = "", "auto"
        self._make_model = make_model
        self._model: jobs.Loaded | None = None
        self.sampling, self.rule = STANDARD, aggregate.STANDARD
        self._lanes = Lanes(self)
        self._lanes.ended.connect(self._finish)
        self._engine, self._pictures, self._paper = self._lanes.all
        self._forget(Case())

    def _forget(self, case: Case) -> None:
        self.reader.begin(case)
        self.keys: list[FrameKey] = []
        self.items: dict[FrameKey, Item] = {}
        self.duplicates: dict[FrameKey, Duplicate] = {}
        self.sources = Gathered()
        self._identities: list[Identity] = []
        self._drops: deque[Sequence[Path] | Files] = deque()
        self._naming: Files | None = None
        self._listed_by, self._samplings = STANDARD, list[str]()
        self._waiting: deque[Files] = deque()
        self._seen: dict[tuple[str, int], str] = {}
        self._wanted: deque[FrameKey] = deque()
        self._heatmaps = jobs.Heatmaps()
        self._report: jobs.Report | None = None
        self._said: tuple[Case, Reading] = case, Reading()
        self._listing_job = self._score_job = self._picture_job = 0
        self._thumbnail_job = self._heatmap_job = self._report_job = 0
        self._stopped = self.paused = False
        self._interrupted = ""
        self._started = self._finished = datetime.now().astimezone()
        self._pace = Pace()

    @property
    def running(self) -> bool:
        """True while pictures are looked for or wait to be scored."""
        return bool(self._listing_job or self._score_job or self._waiting)

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
        self._lanes.drop_all()
        self.sources.close()
        self._forget(case or Case())
        self.began.emit()

    def add(self, paths: Sequence[Path]) -> None:
        """Add all pictures and recordings under some paths; they are scored after those before them."""
        self._drops.append(paths)
        self._list_next()

    def add_of(self, source: Files, patient: Identity) -> None:
        """Add what was found and left aside (`several_patients`), but of one patient only."""
        others = {name for name, who in source.identities.items() if len(patients([patient, who])) > 1}
        self._drops.append(source.without({key for key in source.keys if key[0] in others}))
        self._list_next()

    def cancel(self) -> None:
        """Stop looking for pictures and scoring; what is scored stays."""
        if not self.running:
            return
        self._drops.clear()
        self._stopped = True
        # Names that began to be told are told to the end, or part of a drop would be left out of the case.
        if self._naming is None:
            self._lanes.drop(self._pictures, self._listing_job)
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
        self._lanes.drop(self._engine, self._heatmap_job)
        if self.keys:
            self.score_again()

    def score_rest(self) -> None:
        """Score what a cancelled run left out."""
        if not self.running:
            self._interrupted = ""
            done = {*self.items, *self.duplicates}
            rest = (source.without(done) for source in self.sources.sources)
            self._waiting.extend(source for source in rest if source.keys)
            self._go_on()

    def score_again(self) -> None:
        """Score all pictures of the case anew."""
        self._stop_scoring()
        self._stopped, self._interrupted = False, ""
        self.items.clear()
        self.duplicates.clear()
        self._seen = {}
        self.reader.uncount()
        self._pace = Pace()
        self._waiting.extend(source for source in self.sources.sources if source is not self._naming)
        self.restarted.emit()
        self._go_on()

    def remaining_seconds(self) -> float | None:
        """How long the run will still take at the pace so far; None before there is a pace."""
        going = self._score_job and not self.paused
        return self._pace.remaining(self.done, len(self.keys)) if going else None

    def run(self) -> Run:
        """The scores so far and how they were made. Raises ValueError while there is no model."""
        if self._model is None:
            raise ValueError("nothing was scored yet")
        model, recordings = self._model.model, self.sources.recordings
        items = [self.items[key] for key in self.keys if key in self.items]
        facts = analysis.provenance(
            model.card, items, device=model.device, device_reason=model.device_reason,
            active_threshold=model.active_threshold, load_seconds=self._model.seconds,
            scoring_seconds=self._pace.seconds, skipped=self.sources.skipped,
            rule=self.rule if recordings else None,
        )  # fmt: skip
        if recordings:
            facts["sampling"] = "; ".join(self._samplings)
        return Run(
            case=self.reader.case,
            results=tuple(item for item in items if isinstance(item, FrameResult)),
            unreadable=tuple(item for item in items if isinstance(item, Unreadable)),
            started=self._started.isoformat(timespec="seconds"),
            finished=self._finished.isoformat(timespec="seconds"),
            complete=self.done == len(self.keys), expected=len(self.keys) - len(self.duplicates),
            provenance=facts, recordings=recordings, interrupted=self._interrupted,
        )  # fmt: skip

    def recording(self, key: FrameKey | None) -> Recording | None:
        """The recording a frame belongs to; None for a still and for what is not in the case."""
        return self.sources.recording(key[0]) if key and key[0] in self.sources.names else None

    def use_rule(self, rule: aggregate.Rule) -> None:
        """Judge recordings by this rule from now on."""
        if rule != self.rule:
            self.rule = rule
            self.rule_changed.emit()

    def judgement(self) -> Judgement | None:
        """What lasts in the recordings of the case by the rule in force; None where there is none."""
        return judge(jobs.results(self.items).values(), self.reader.reading, self.rule)

    # Wishes

    def look_at(self, key: FrameKey) -> None:
        """Ask for a picture; `picture_opened` brings it. Only the last one asked for arrives."""
        self._lanes.drop(self._pictures, self._picture_job)
        opening = jobs.look_at(self.sources, key)
        self._picture_job = self._lanes.start(self._pictures, opening, self.picture_opened.emit)

    def want_thumbnail(self, key: FrameKey) -> None:
        """Ask for a thumbnail; the last wish is met first."""
        self._wanted.append(key)
        self._make_thumbnails()

    def explain(self, key: FrameKey, target: str, method: str) -> None:
        """Ask for a heatmap of a scored frame; `explained` brings it, of several wishes only the last."""
        self._lanes.drop(self._engine, self._heatmap_job)
        self._heatmap_job = 0
        item = self.items.get(key)
        if not isinstance(item, FrameResult) or not item.scores.scored or self._model is None:
            return
        if kept := self._heatmaps.get(key, target, method):
            self.explained.emit(kept)
            return
        job = jobs.explain(self.sources, key, item.scores.grade, self._model.model, target, method)
        self._heatmap_job = self._lanes.start(self._engine, job, self._take_heatmap)

    def make_report(self, page: str) -> None:
        """Ask for the report as it would be now; `report_made` brings it."""
        self._lanes.drop(self._paper, self._report_job)
        said = self.reader.case, self.reader.reading
        job = jobs.make_report(self.sources, self.run(), said[1], page)
        self._report_job = self._lanes.start(self._paper, job, lambda report: self._take_report(report, said))

    def draw_page(self, number: int, dpi: int) -> None:
        """Ask for a page of the report made last; `page_drawn` brings it."""
        if report := self._report:
            job = jobs.draw_page(report, number, dpi)
            self._lanes.start(
                self._paper, job, lambda page: self.page_drawn.emit(page) if report is self._report else None
            )

    def save_report(self, path: Path) -> None:
        """Write the report made last; `saved` tells when it lies there."""
        if self._report is not None:
            job, said = jobs.save(self._report, path), self._said
            self._lanes.start(self._paper, job, lambda saved: self._take_saved(saved, said))

    def export_overlays(self, keys: Collection[FrameKey], folder: Path) -> None:
        """Write heatmap overlays of some scored frames into a folder; `exported` tells when it is done."""
        known = jobs.results(self.items)
        results = [item for key in keys if (item := known.get(key)) and item.scores.scored]
        if results and self._model is not None:
            job = jobs.export_overlays(self.sources, results, self._model.model, folder)
            self._lanes.start(self._engine, job, lambda saved: self.exported.emit(saved) if saved else None)

    def export(self, wanted: exports.Export) -> None:
        """Write a clip or key images; `exported` tells when it is done."""
        results, said = jobs.results(self.items), self.reader
        job = exports.export(self.sources, wanted, results, said.reading, said.case)
        self._lanes.start(self._paper, job, lambda saved: self.exported.emit(saved) if saved else None)

    def close(self) -> None:
        """Stop all jobs and wait for them."""
        self.closing.emit()
        self._lanes.close()
        self.sources.close()

    # Jobs

    def _finish(self, lane: Worker, job: int, error: BaseException | None) -> None:
        listing = lane is self._pictures and job == self._listing_job
        scoring = lane is self._engine and job == self._score_job
        if listing:
            self._listing_job, self._naming = 0, None
            self._list_next()
        elif scoring:
            self._score_job = 0
            self._set_paused(False)
            if error is not None:
                self._interrupted = str(error) if isinstance(error, jobs.EXPECTED_FAULTS) else ""
                self._waiting.clear()
        elif lane is self._pictures and job == self._thumbnail_job:
            self._thumbnail_job = 0
            self._make_thumbnails()
        if isinstance(error, jobs.EXPECTED_FAULTS):
            self.failed.emit(str(error) or type(error).__name__)
        elif error is not None:
            self.broke.emit(error)
        if listing or scoring:
            self._go_on()

    def _list_next(self) -> None:
        """List the drop that waits longest, after the one before it: names must not clash."""
        if self._drops and not self._listing_job:
            self._stopped = False
            self._listed_by = by = self.sampling
            job = jobs.find(self._drops.popleft(), self.sources, by)
            self._listing_job = self._lanes.start(self._pictures, job, self._take_listing)

    def _stop_scoring(self) -> None:
        """Hear no more of the scoring that goes on, and forget what waits for it."""
        self._waiting.clear()
        self._lanes.drop(self._engine, self._score_job)
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
            self._score_job = self._lanes.start(self._engine, loading, self._take_model)
            return
        source = self._waiting.popleft()
        if not self.done:
            self._started = datetime.now().astimezone()
        self._pace.start(self.done)
        job = jobs.score(source, self._model.model, self._seen)
        self._score_job = self._lanes.start(self._engine, job, self._take_score)

    def _set_paused(self, paused: bool) -> None:
        if paused != self.paused:
            self.paused = paused
            self._pace.start(self.done)
            self.paused_changed.emit(paused)

    def _make_thumbnails(self) -> None:
        if self._wanted and not self._thumbnail_job:
            job = jobs.thumbnails(self.sources, self._wanted)
            self._thumbnail_job = self._lanes.start(self._pictures, job, self.thumbnail_made.emit)

    def _take_listing(self, value: object) -> None:
        if isinstance(value, jobs.Listed):
            named = patients([*self._identities, *value.source.identities.values()])
            (self._leave_aside if len(named) > 1 else self._take_source)(value.source, named)
        elif isinstance(value, jobs.Names):
            self.keys.extend(value.keys)
            self.listed.emit(value.keys)
        elif isinstance(value, jobs.Ready):
            self._naming = None
            if value.source.expected and not self._stopped:
                self._waiting.append(value.source)

    def _leave_aside(self, source: Files, named: list[Identity]) -> None:
        """Files of several patients never come into one case; whoever hears of it may choose (`add_of`)."""
        self._lanes.drop(self._pictures, self._listing_job)
        self._listing_job = 0
        self.several_patients.emit(source, named)
        self._list_next()
        self._go_on() if self.keys or self.running else self.listed.emit([])

    def _take_source(self, source: Files, named: list[Identity]) -> None:
        if named and not self._identities:
            self.patient_named.emit(named[0])
        self._identities, self._naming = named, source
        self.sources.add(source)
        if source.recordings and (by := self._listed_by.describe()) not in self._samplings:
            self._samplings.append(by)
        if source.known:
            self.already_there.emit(source.known)

    def _take_model(self, value: jobs.Loaded) -> None:
        self._model = value
        self.loaded.emit(value.model)

    def _take_score(self, item: Item | Duplicate) -> None:
        self._finished = datetime.now().astimezone()
        self._pace.step()
        if isinstance(item, Duplicate):
            self.duplicates[item.key] = item
            self.duplicate_found.emit(item)
            return
        self.items[item.key] = item
        self.reader.count(item.key, item)
        self.scored.emit(item)

    def _take_heatmap(self, explained: jobs.Explained) -> None:
        self._heatmaps.put(explained)
        self.explained.emit(explained)

    def _take_report(self, report: jobs.Report | None, said: tuple[Case, Reading]) -> None:
        if report is not None:
            self._report, self._said = report, said
            self.report_made.emit(report)

    def _take_saved(self, saved: jobs.Saved, said: tuple[Case, Reading]) -> None:
        if said == (self.reader.case, self.reader.reading):
            self.reader.edits.setClean()
        self.saved.emit(saved.path)
