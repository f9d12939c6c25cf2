"""The state of the window: what it tells and in which order, with a stand-in model over real pictures."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot
from stand_in import StandIn

from mtl_core.scores import FrameScores, Heatmap
from uc_viewer.case import Case, Duplicate, FrameKey, FrameResult, Segment, Unreadable
from uc_viewer.gui import jobs
from uc_viewer.gui.jobs import ModelError
from uc_viewer.gui.session import Session
from uc_viewer.indices import Summary
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.gathered import Gathered

LEVELS = (40, 80, 120, 160)
SIGNALS = (
    "began", "listed", "already_there", "loading", "loaded", "restarted", "scored", "duplicate_found",
    "paused_changed", "ended", "picture_opened", "thumbnail_made", "explained", "report_made", "page_drawn",
    "saved", "exported", "failed", "broke",
)  # fmt: skip


class Halting(StandIn):
    """Closes its own gate after so many answers, once."""

    def __init__(self, halt_after: int) -> None:
        super().__init__()
        self._left = halt_after

    def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        for scores in super().predict(frames, batch):
            self._left -= 1
            if self._left == 0:
                self.gate.clear()
            yield scores


class Severe(StandIn):
    """Gives every picture MES 3."""

    name = "severe"

    def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        for _ in frames:
            yield FrameScores((0.0, 0.0, 0.1, 0.9), 1.0, True)


class Told:
    """Everything a session told, in order."""

    def __init__(self, session: Session) -> None:
        self.all: list[tuple[str, Any]] = []
        for name in SIGNALS:
            getattr(session, name).connect(partial(self._hear, name))

    def _hear(self, name: str, *values: object) -> None:
        self.all.append((name, values[0] if values else None))

    def of(self, *names: str) -> list[Any]:
        """What was told by these signals."""
        return [value for name, value in self.all if name in names]

    @property
    def names(self) -> list[str]:
        """Which signals came, in order."""
        return [name for name, _ in self.all]


class Bench:
    """A session, what it told, and the models it may ask for by name."""

    def __init__(self, models: dict[str, Callable[[], StandIn]]) -> None:
        self.asked: list[tuple[str, str]] = []
        self.made: list[StandIn] = []
        self._models = models
        self.session = Session(self._make)
        self.told = Told(self.session)

    def _make(self, name: str, device: str) -> StandIn:
        self.asked.append((name, device))
        model = self._models[name]()
        self.made.append(model)
        return model

    @property
    def grades(self) -> dict[str, int | None]:
        """The model's grades by file."""
        items = self.session.items.values()
        return {item.source_file: item.scores.grade for item in items if isinstance(item, FrameResult)}


Make = Callable[..., Bench]


@pytest.fixture
def make(qapp: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a session over models by name, "" the first; ends them all."""
    monkeypatch.setattr(jobs, "smoothly", nullcontext)  # no torch to load
    benches: list[Bench] = []

    def one(model: StandIn | None = None, **others: Callable[[], StandIn]) -> Bench:
        benches.append(Bench({"": lambda: model or StandIn(), **others}))
        return benches[-1]

    yield one
    for bench in benches:
        for model in bench.made:
            model.gate.set()
        bench.session.close()


@pytest.fixture
def heatmaps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None, str]]:
    """Stands in for the engine's heatmaps; gives target, grade and method of each one asked for."""
    asked: list[tuple[str, int | None, str]] = []

    def heatmap(_: object, image: np.ndarray, target: str, grade: int | None, method: str = "") -> Heatmap:
        asked.append((target, grade, method))
        return Heatmap(np.ones(image.shape[:2], np.float32), 0.5, f"MES {grade}", method, 2.0)

    monkeypatch.setattr("mtl_core.explain.heatmap", heatmap)
    return asked


def still(path: Path, level: int, number: int = 0) -> Path:
    """A picture of this red level; another number, other bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = level, number, 10
    Image.fromarray(pixels).save(path)
    return path


def stills(folder: Path, count: int, first: int = 0) -> Path:
    """So many pictures, MES 0 to 3 in turn, all different."""
    for number in range(count):
        still(folder / f"{number}.png", LEVELS[number % 4], first + number)
    return folder


def key(number: int) -> FrameKey:
    return f"{number}.png", 0


def names(keys: Iterable[FrameKey]) -> list[str]:
    return [name for name, _ in keys]


def wait_for_the_end(bench: Bench, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not bench.session.running, timeout=20_000)


def halted(make: Make, folder: Path, qtbot: QtBot, count: int = 12) -> Bench:
    """A session that stands still within its second batch, the first one told."""
    bench = make(Halting(jobs.BATCH))
    bench.session.add([stills(folder, count)])
    qtbot.waitUntil(lambda: len(bench.session.items) == jobs.BATCH, timeout=10_000)
    return bench


class TestRun:
    def test_every_file_is_listed_and_answered_in_order(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        folder = stills(tmp_path / "방문 ş", 4)
        still(folder / "4.png", 4)
        (folder / "5.jpg").write_text("not a picture")
        (folder / "notes.txt").write_text("passed over")
        bench = make()
        session = bench.session
        assert (session.model, session.running, session.done) == (None, False, 0)
        with pytest.raises(ValueError, match="nothing was scored"):
            session.run()
        session.add([folder])
        assert session.running
        wait_for_the_end(bench, qtbot)
        expected = [f"{n}.png" for n in range(5)] + ["5.jpg"]
        assert [names(keys) for keys in bench.told.of("listed")] == [expected]
        assert [item.source_file for item in bench.told.of("scored")] == expected
        assert bench.grades == {"0.png": 0, "1.png": 1, "2.png": 2, "3.png": 3, "4.png": None}
        assert isinstance(session.items["5.jpg", 0], Unreadable)
        assert bench.told.names == ["listed", "loading", "loaded", *["scored"] * 6, "ended"]
        assert bench.told.of("ended") == [True]
        run = session.run()
        assert (run.complete, run.expected) == (True, 6)
        assert [result.source_file for result in run.results] == expected[:5]
        assert [item.source_file for item in run.unreadable] == ["5.jpg"]
        assert run.provenance["device"] == {"name": "cpu", "reason": "no supported GPU found"}
        assert run.provenance["inputs"]["skipped"] == {".txt": 1}
        assert run.started <= run.finished

    def test_a_drop_while_running_waits_its_turn(self, make: Make, tmp_path: Path, qtbot: QtBot) -> None:
        bench = halted(make, tmp_path / "a", qtbot, 6)
        bench.session.add([still(tmp_path / "b" / "late.png", 160, 99)])
        qtbot.waitUntil(lambda: len(bench.session.keys) == 7)
        assert len(bench.session.items) == jobs.BATCH
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        scored = [item.source_file for item in bench.told.of("scored")]
        assert scored == [*(f"{n}.png" for n in range(6)), "late.png"]
        assert bench.told.of("ended") == [True]
        assert len(bench.asked) == 1

    def test_two_drops_at_once_may_hold_the_same_names(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make()
        bench.session.add([stills(tmp_path / "a", 2)])
        bench.session.add([stills(tmp_path / "b", 2, first=50)])
        wait_for_the_end(bench, qtbot)
        assert names(bench.session.keys) == ["0.png", "1.png", "0 (2).png", "1 (2).png"]
        assert bench.grades == {"0.png": 0, "1.png": 1, "0 (2).png": 0, "1 (2).png": 1}
        assert bench.told.of("ended", "broke") == [True]

    def test_the_same_path_dropped_again_is_already_there(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make()
        folder = stills(tmp_path / "a", 3)
        bench.session.add([folder])
        bench.session.add([folder, still(tmp_path / "b.png", 40, 9)])
        wait_for_the_end(bench, qtbot)
        bench.session.add([folder / "1.png"])
        wait_for_the_end(bench, qtbot)
        assert bench.told.of("already_there") == [3, 1]
        assert Counter(item.key for item in bench.told.of("scored")) == Counter(bench.session.keys)
        assert len(bench.session.keys) == 4

    def test_the_same_bytes_under_another_name_are_told_not_scored(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make()
        first = stills(tmp_path / "a", 2)
        (first / "copy.png").write_bytes((first / "1.png").read_bytes())
        second = tmp_path / "b"
        second.mkdir()
        (second / "again.png").write_bytes((first / "0.png").read_bytes())
        bench.session.add([first])
        bench.session.add([second])
        wait_for_the_end(bench, qtbot)
        found = bench.told.of("duplicate_found")
        assert all(isinstance(duplicate, Duplicate) for duplicate in found)
        assert [(d.source_file, d.of) for d in found] == [("copy.png", "1.png"), ("again.png", "0.png")]
        assert set(bench.grades) == {"0.png", "1.png"}
        assert set(bench.session.duplicates) == {("copy.png", 0), ("again.png", 0)}
        run = bench.session.run()
        assert (bench.session.done, run.complete, run.expected) == (4, True, 2)

    def test_an_empty_folder_ends_without_a_model(self, make: Make, tmp_path: Path, qtbot: QtBot) -> None:
        bench = make()
        bench.session.add([tmp_path])
        wait_for_the_end(bench, qtbot)
        assert bench.told.all == [("ended", True)]
        assert not bench.asked

    def test_a_path_that_is_not_there_is_one_line_and_the_next_drop_goes_on(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make()
        bench.session.add([tmp_path / "gone"])
        bench.session.add([stills(tmp_path / "a", 2)])
        wait_for_the_end(bench, qtbot)
        (line,) = bench.told.of("failed")
        assert "gone: no such file or folder" in line
        assert len(bench.grades) == 2


class TestPauseAndCancel:
    def test_a_paused_run_holds_while_a_heatmap_is_made(
        self, make: Make, tmp_path: Path, qtbot: QtBot, heatmaps: list[object]
    ) -> None:
        bench = halted(make, tmp_path, qtbot)
        session = bench.session
        session.pause(True)
        assert session.paused
        assert session.remaining_seconds() is None
        bench.made[0].gate.set()
        with qtbot.waitSignal(session.explained, timeout=10_000):
            session.explain(key(0), "grade", "Grad-CAM")
        assert len(session.items) == jobs.BATCH + 1  # the step that went on when it was paused
        assert session.running
        session.pause(False)
        wait_for_the_end(bench, qtbot)
        assert len(session.items) == 12
        assert bench.told.of("paused_changed") == [True, False]

    def test_pause_means_nothing_when_nothing_is_scored(self, make: Make) -> None:
        bench = make()
        bench.session.pause(True)
        bench.session.cancel()
        assert not bench.session.paused
        assert not bench.told.all

    def test_cancel_keeps_what_is_scored_and_the_rest_can_follow(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = halted(make, tmp_path, qtbot)
        session = bench.session
        session.cancel()
        session.pause(True)  # too late: nothing must wait for it
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        run = session.run()
        assert (run.complete, run.expected, len(run.results)) == (False, 12, jobs.BATCH)
        assert bench.told.of("ended") == [False]
        session.score_rest()
        wait_for_the_end(bench, qtbot)
        assert Counter(item.key for item in bench.told.of("scored")) == Counter(session.keys)
        assert session.run().complete
        assert bench.told.of("ended") == [False, True]
        assert not session.paused
        assert session.reader.summary().whole.frames == 12

    def test_the_rest_of_a_paused_run_follows_a_cancel(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = halted(make, tmp_path, qtbot)
        bench.session.pause(True)
        bench.session.cancel()
        bench.made[0].gate.set()
        bench.session.score_rest()
        wait_for_the_end(bench, qtbot)
        assert bench.told.of("paused_changed") == [True, False]
        assert len(bench.session.items) == 12

    def test_cancel_right_after_a_drop_takes_nothing_of_it(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make()
        folder = stills(tmp_path / "a", 2)
        bench.session.add([folder])
        bench.session.add([folder])
        bench.session.cancel()
        assert not bench.session.running
        bench.session.add([still(tmp_path / "b.png", 120)])
        wait_for_the_end(bench, qtbot)
        assert bench.grades == {"b.png": 2}
        bench.session.add([folder])
        wait_for_the_end(bench, qtbot)
        assert names(bench.session.keys) == ["b.png", "0.png", "1.png"]

    def test_cancel_while_names_are_told_leaves_no_picture_out_of_the_case(
        self, make: Make, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "NAMES", 2)
        bench = make()
        session = bench.session
        session.listed.connect(session.cancel)
        session.add([stills(tmp_path, 7)])
        wait_for_the_end(bench, qtbot)
        session.listed.disconnect(session.cancel)
        assert len(session.keys) == 7
        assert (session.items, bench.told.of("ended")) == ({}, [False])
        session.score_rest()
        wait_for_the_end(bench, qtbot)
        assert [item.key for item in bench.told.of("scored")] == session.keys

    def test_there_is_a_pace_after_the_first_answers(self, make: Make, tmp_path: Path, qtbot: QtBot) -> None:
        bench = make()
        assert bench.session.remaining_seconds() is None
        bench = halted(make, tmp_path, qtbot)
        left = bench.session.remaining_seconds()
        assert left is not None
        assert left > 0
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        assert bench.session.remaining_seconds() is None


class TestModel:
    def test_another_model_mid_case_scores_all_anew_and_keeps_readings(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make(Halting(jobs.BATCH), severe=Severe)
        session = bench.session
        session.add([stills(tmp_path, 6)])
        qtbot.waitUntil(lambda: len(session.items) == jobs.BATCH, timeout=10_000)
        session.reader.read([key(0)], "grade", grade=3, segment=Segment.RECTUM)
        assert session.reader.summary().differing == 1
        session.use_model("severe", "cpu")
        assert not session.items
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        assert bench.asked == [("", "auto"), ("severe", "cpu")]
        assert set(bench.grades.values()) == {3}
        after = bench.told.all[bench.told.names.index("restarted") :]
        assert [item.key for name, item in after if name == "scored"] == session.keys
        assert session.reader.of(key(0)).grade == 3
        summary = session.reader.summary()
        assert (summary.whole.frames, summary.agreed, summary.differing) == (6, 1, 0)
        assert session.model is bench.made[1]
        assert bench.told.of("ended") == [True]

    def test_the_same_model_again_changes_nothing(self, make: Make, tmp_path: Path, qtbot: QtBot) -> None:
        bench = make()
        bench.session.add([stills(tmp_path, 2)])
        wait_for_the_end(bench, qtbot)
        bench.session.use_model("", "auto")
        assert not bench.session.running
        assert "restarted" not in bench.told.names

    def test_before_the_first_picture_it_is_only_noted(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make(severe=Severe)
        bench.session.use_model("severe", "cpu")
        assert not bench.session.running
        bench.session.add([stills(tmp_path, 1)])
        wait_for_the_end(bench, qtbot)
        assert bench.asked == [("severe", "cpu")]

    def test_duplicates_are_found_anew(self, make: Make, tmp_path: Path, qtbot: QtBot) -> None:
        bench = make(severe=Severe)
        folder = stills(tmp_path, 1)
        (folder / "1.png").write_bytes((folder / "0.png").read_bytes())
        bench.session.add([folder])
        wait_for_the_end(bench, qtbot)
        bench.session.use_model("severe", "cpu")
        wait_for_the_end(bench, qtbot)
        assert bench.grades == {"0.png": 3}
        assert [d.source_file for d in bench.told.of("duplicate_found")] == ["1.png", "1.png"]

    def test_what_a_file_held_before_makes_no_duplicate_now(
        self, make: Make, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bench = make(severe=Severe)
        bench.session.add([stills(tmp_path, 2)])
        wait_for_the_end(bench, qtbot)
        (tmp_path / "1.png").write_bytes((tmp_path / "0.png").read_bytes())
        still(tmp_path / "0.png", 120, 77)
        bench.session.use_model("severe", "cpu")
        wait_for_the_end(bench, qtbot)
        assert bench.grades == {"0.png": 3, "1.png": 3}
        assert not bench.session.duplicates

    def test_a_drop_that_is_being_listed_is_neither_lost_nor_scored_twice(
        self, make: Make, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "NAMES", 2)
        bench = make(severe=Severe)
        session = bench.session
        session.listed.connect(lambda _: session.use_model("severe", "cpu"))
        session.add([stills(tmp_path, 7)])
        wait_for_the_end(bench, qtbot)
        assert [item.key for item in bench.told.of("scored")] == session.keys
        assert len(session.keys) == 7
        assert session.reader.summary().whole.frames == 7

    @pytest.mark.parametrize(
        ("error", "signal"),
        [
            (ModelError("weights changed: restore the model folder"), "failed"),
            (OSError("disk gone"), "failed"),
            (SourceError("a.png: gone"), "failed"),
            (RuntimeError("a fault"), "broke"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
    )
    @pytest.mark.parametrize("when", ["load", "predict"])
    def test_a_failure_is_told_once_and_the_session_goes_on(
        self, make: Make, tmp_path: Path, qtbot: QtBot, error: Exception, signal: str, when: str
    ) -> None:
        faults = [error]

        class Failing(StandIn):
            def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
                if when == "predict" and faults:
                    raise faults.pop()
                return super().predict(frames, batch)

        def load() -> StandIn:
            if when == "load" and faults:
                raise faults.pop()
            return Failing()

        bench = make(failing=load)
        bench.session.use_model("failing", "cpu")
        bench.session.add([stills(tmp_path, 3)])
        wait_for_the_end(bench, qtbot)
        told = bench.told.of("failed", "broke")
        assert told == [str(error) if signal == "failed" else error]
        assert bench.told.of(signal) == told
        assert bench.told.of("ended") == [False]
        bench.session.score_rest()
        wait_for_the_end(bench, qtbot)
        assert len(bench.grades) == 3
        assert bench.told.of("ended") == [False, True]


class TestHeatmaps:
    def test_one_asked_for_in_the_middle_of_a_run_comes_before_its_end(
        self, make: Make, tmp_path: Path, qtbot: QtBot, heatmaps: list[object]
    ) -> None:
        bench = halted(make, tmp_path, qtbot)
        bench.session.explain(key(2), "grade", "LayerCAM")
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        order = bench.told.names
        assert order.index("explained") <= order.index("scored") + jobs.BATCH + 1
        (explained,) = bench.told.of("explained")
        assert (explained.key, explained.target, explained.method) == (key(2), "grade", "LayerCAM")
        assert explained.heatmap.values.shape == (48, 64)
        assert heatmaps == [("grade", 2, "LayerCAM")]

    def test_only_the_last_one_asked_for_arrives(
        self, make: Make, tmp_path: Path, qtbot: QtBot, heatmaps: list[object]
    ) -> None:
        bench = halted(make, tmp_path, qtbot)
        for number in range(4):
            bench.session.explain(key(number), "grade", "Grad-CAM")
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        assert [explained.key for explained in bench.told.of("explained")] == [key(3)]
        assert heatmaps == [("grade", 3, "Grad-CAM")]

    def test_none_of_a_model_that_was_given_up(
        self, make: Make, tmp_path: Path, qtbot: QtBot, heatmaps: list[object]
    ) -> None:
        bench = make(Halting(jobs.BATCH), severe=Severe)
        session = bench.session
        session.add([stills(tmp_path, 8)])
        qtbot.waitUntil(lambda: len(session.items) == jobs.BATCH, timeout=10_000)
        session.explain(key(0), "grade", "Grad-CAM")
        session.use_model("severe", "cpu")
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        assert not bench.told.of("explained")
        with qtbot.waitSignal(session.explained, timeout=10_000):
            session.explain(key(0), "grade", "Grad-CAM")
        assert heatmaps == [("grade", 3, "Grad-CAM")]

    def test_none_of_what_was_not_scored(
        self, make: Make, tmp_path: Path, qtbot: QtBot, heatmaps: list[object]
    ) -> None:
        still(tmp_path / "0.png", 4)
        (tmp_path / "1.png").write_text("not a picture")
        still(tmp_path / "2.png", 80)
        bench = make()
        session = bench.session
        session.explain(key(2), "grade", "Grad-CAM")
        session.add([tmp_path])
        wait_for_the_end(bench, qtbot)
        for wish in (("0.png", 0), ("1.png", 0), ("absent.png", 0)):
            session.explain(wish, "grade", "Grad-CAM")
            qtbot.waitUntil(lambda: not session._engine.busy)
        assert not heatmaps
        with qtbot.waitSignal(session.explained, timeout=10_000):
            session.explain(key(2), "active", "Grad-CAM")
        assert heatmaps == [("active", 1, "Grad-CAM")]

    def test_going_back_shows_a_kept_one_at_once(
        self,
        make: Make,
        tmp_path: Path,
        qtbot: QtBot,
        heatmaps: list[object],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("uc_viewer.gui.jobs.Heatmaps.KEPT", 2)
        bench = make()
        session = bench.session
        session.add([stills(tmp_path, 3)])
        wait_for_the_end(bench, qtbot)
        for number in range(3):
            with qtbot.waitSignal(session.explained, timeout=10_000):
                session.explain(key(number), "grade", "Grad-CAM")
        session.explain(key(1), "grade", "Grad-CAM")
        assert [explained.key for explained in bench.told.of("explained")][-1] == key(1)
        assert len(heatmaps) == 3
        with qtbot.waitSignal(session.explained, timeout=10_000):
            session.explain(key(0), "grade", "Grad-CAM")  # two newer ones pushed it out
        assert len(heatmaps) == 4

    def test_overlays_of_scored_frames_are_written(
        self, make: Make, tmp_path: Path, qtbot: QtBot, heatmaps: list[object]
    ) -> None:
        folder = stills(tmp_path / "in", 2)
        still(folder / "2.png", 4)
        bench = make()
        bench.session.add([folder])
        wait_for_the_end(bench, qtbot)
        out = tmp_path / "out"
        bench.session.export_overlays([key(2)], out)  # was not scored
        with qtbot.waitSignal(bench.session.exported, timeout=10_000):
            bench.session.export_overlays([key(0), key(1), key(2), ("absent.png", 0)], out)
        assert bench.told.of("exported") == [jobs.Saved(out, 2)]
        assert {path.name for path in out.iterdir()} == {"0.png.png", "1.png.png", "heatmaps.csv"}


class TestPictures:
    def test_only_the_picture_asked_for_last_is_opened(
        self, make: Make, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = make()
        bench.session.add([stills(tmp_path, 3)])
        wait_for_the_end(bench, qtbot)
        with qtbot.waitSignal(bench.session.picture_opened, timeout=10_000):
            for number in range(3):
                bench.session.look_at(key(number))
        (picture,) = bench.told.of("picture_opened")
        assert picture.key == key(2)
        assert picture.image is not None
        assert picture.image[0, 0].tolist() == [120, 2, 10]

    def test_the_last_thumbnail_wished_for_is_made_first(
        self, make: Make, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        began, gate = threading.Event(), threading.Event()
        real = Gathered.thumbnail

        def slow(sources: Gathered, source_file: str, index: int, side: int) -> np.ndarray:
            began.set()
            assert gate.wait(10)
            return real(sources, source_file, index, side)

        monkeypatch.setattr(Gathered, "thumbnail", slow)
        bench = make()
        bench.session.add([stills(tmp_path, 4)])
        wait_for_the_end(bench, qtbot)
        bench.session.want_thumbnail(key(0))
        assert began.wait(10)
        for number in range(1, 4):
            bench.session.want_thumbnail(key(number))
        gate.set()
        qtbot.waitUntil(lambda: len(bench.told.of("thumbnail_made")) == 4, timeout=10_000)
        assert [t.key for t in bench.told.of("thumbnail_made")] == [key(0), key(3), key(2), key(1)]
        bench.session.want_thumbnail(("absent.png", 0))  # also after the lane had nothing to do
        qtbot.waitUntil(lambda: len(bench.told.of("thumbnail_made")) == 5, timeout=10_000)
        assert bench.told.of("thumbnail_made")[-1].image is None


class TestReport:
    @pytest.fixture
    def bench(self, make: Make, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Bench:
        """A scored case whose reports are made at once: what is said of it as text."""

        def make_report(_: object, run: object, reading: object, page: str) -> Iterator[jobs.Report | None]:
            yield None
            yield jobs.Report(repr(reading).encode(), ((595.0, 842.0),), page)

        def draw_page(report: jobs.Report, number: int, dpi: int) -> Iterator[jobs.Page]:
            yield jobs.Page(number, dpi, np.full((2, 2, 3), len(report.data) % 256, np.uint8))

        monkeypatch.setattr(jobs, "make_report", make_report)
        monkeypatch.setattr(jobs, "draw_page", draw_page)
        bench = make()
        bench.session.add([stills(tmp_path / "in", 2)])
        wait_for_the_end(bench, qtbot)
        return bench

    def report(self, bench: Bench, qtbot: QtBot) -> None:
        with qtbot.waitSignal(bench.session.report_made, timeout=10_000):
            bench.session.make_report("A4")

    def save(self, bench: Bench, path: Path, qtbot: QtBot) -> None:
        with qtbot.waitSignal(bench.session.saved, timeout=10_000):
            bench.session.save_report(path)

    def test_it_is_made_drawn_and_saved(self, bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
        session = bench.session
        session.save_report(tmp_path / "none.pdf")  # there is none yet
        session.draw_page(0, 72)
        session.reader.read([key(0)], "grade", grade=1)
        self.report(bench, qtbot)
        with qtbot.waitSignal(session.page_drawn, timeout=10_000):
            session.draw_page(0, 96)
        path = tmp_path / "보고서.pdf"
        self.save(bench, path, qtbot)
        (report,) = bench.told.of("report_made")
        assert path.read_bytes() == report.data
        assert b"grade=1" in report.data
        assert [(page.number, page.dpi) for page in bench.told.of("page_drawn")] == [(0, 96)]
        assert bench.told.of("saved") == [path]
        assert not (tmp_path / "none.pdf").exists()

    def test_saving_it_leaves_nothing_unsaved_until_the_next_edit(
        self, bench: Bench, tmp_path: Path, qtbot: QtBot
    ) -> None:
        reader = bench.session.reader
        reader.read([key(0)], "grade", grade=1)
        assert reader.unsaved
        self.report(bench, qtbot)
        assert reader.unsaved
        self.save(bench, tmp_path / "a.pdf", qtbot)
        assert not reader.unsaved
        reader.comment_on_all("Mild.", "comment")
        assert reader.unsaved
        reader.edits.undo()
        assert not reader.unsaved

    def test_what_was_said_after_it_was_made_stays_unsaved(
        self, bench: Bench, tmp_path: Path, qtbot: QtBot
    ) -> None:
        reader = bench.session.reader
        reader.read([key(0)], "grade", grade=1)
        self.report(bench, qtbot)
        reader.edits.undo()
        reader.read([key(0)], "grade", grade=2)  # as many steps, another opinion
        self.save(bench, tmp_path / "a.pdf", qtbot)
        assert reader.unsaved

    def test_a_page_of_an_older_report_never_arrives(
        self, bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate = threading.Event()

        def pages(_: object, number: int, dpi: int) -> Iterator[jobs.Page]:
            assert gate.wait(10)
            for _turn in range(4):
                yield jobs.Page(number, dpi, np.zeros((2, 2, 3), np.uint8))

        monkeypatch.setattr(jobs, "draw_page", pages)
        self.report(bench, qtbot)
        bench.session.draw_page(0, 72)
        bench.session.make_report("Letter")
        gate.set()
        qtbot.waitUntil(lambda: len(bench.told.of("report_made")) == 2, timeout=10_000)
        qtbot.waitUntil(lambda: not bench.session._paper.busy)
        order = bench.told.names
        assert "page_drawn" in order
        assert "page_drawn" not in order[len(order) - order[::-1].index("report_made") :]

    def test_only_the_one_asked_for_last_is_told(self, bench: Bench, qtbot: QtBot) -> None:
        bench.session.make_report("A4")
        self_made = bench.told.of("report_made")
        assert not self_made
        with qtbot.waitSignal(bench.session.report_made, timeout=10_000):
            bench.session.make_report("Letter")
        qtbot.waitUntil(lambda: not bench.session._paper.busy)
        assert [report.page for report in bench.told.of("report_made")] == ["Letter"]

    def test_one_that_cannot_be_written_is_one_line(self, bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
        bench.session.reader.read([key(0)], "grade", grade=1)
        self.report(bench, qtbot)
        with qtbot.waitSignal(bench.session.failed, timeout=10_000):
            bench.session.save_report(tmp_path / "absent" / "a.pdf")
        assert "absent" in bench.told.of("failed")[0]
        assert bench.session.reader.unsaved
        assert not bench.told.of("saved", "broke")


class TestNewCase:
    def test_nothing_of_the_old_one_stays(self, make: Make, tmp_path: Path, qtbot: QtBot) -> None:
        bench = make()
        session = bench.session
        folder = stills(tmp_path / "a", 3)
        (folder / "copy.png").write_bytes((folder / "0.png").read_bytes())
        session.add([folder])
        wait_for_the_end(bench, qtbot)
        session.reader.read([key(0)], "grade", grade=1, key_image=True)
        session.reader.comment_on_all("Mild.", "comment")
        session.new_case(Case(patient_id="P2"))
        assert bench.told.names[-1] == "began"
        assert (session.keys, session.items, session.duplicates, session.done) == ([], {}, {}, 0)
        reader = session.reader
        assert (reader.case, reader.comment, reader.reading.frames) == (Case(patient_id="P2"), "", {})
        assert reader.summary() == Summary()
        assert not reader.unsaved
        assert not reader.edits.canUndo()
        session.add([folder])  # not "already there", and no duplicate of the old case
        wait_for_the_end(bench, qtbot)
        assert not bench.told.of("already_there")
        assert set(bench.grades) == {"0.png", "1.png", "2.png"}
        assert len(bench.asked) == 1  # the model stays loaded
        session.new_case()
        assert session.reader.case == Case()

    def test_late_answers_about_the_old_one_never_arrive(
        self, make: Make, tmp_path: Path, qtbot: QtBot, heatmaps: list[object]
    ) -> None:
        bench = halted(make, tmp_path / "a", qtbot)
        session = bench.session
        session.explain(key(0), "grade", "Grad-CAM")
        session.look_at(key(0))
        session.want_thumbnail(key(0))
        session.make_report("A4")
        session.pause(True)
        session.new_case()
        assert not session.paused
        bench.told.all.clear()
        session.add([still(tmp_path / "b.png", 160)])
        bench.made[0].gate.set()
        wait_for_the_end(bench, qtbot)
        qtbot.waitUntil(lambda: not session._paper.busy and not session._pictures.busy, timeout=20_000)
        assert bench.told.names == ["listed", "scored", "ended"]
        assert bench.grades == {"b.png": 3}
        assert not heatmaps


@pytest.mark.parametrize("paused", [False, True])
def test_closing_while_busy_ends_every_thread_and_nothing_is_told_after(
    make: Make, tmp_path: Path, qtbot: QtBot, paused: bool
) -> None:
    bench = make()
    session = bench.session
    session.add([stills(tmp_path, 200)])
    qtbot.waitUntil(lambda: bool(session.items), timeout=10_000)
    session.pause(paused)
    for number in range(100):
        session.want_thumbnail(key(number))
    session.look_at(key(0))
    session.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("engine")]
    told = list(bench.told.all)
    QCoreApplication.processEvents()
    assert bench.told.all == told
    assert len(session.items) < 200
