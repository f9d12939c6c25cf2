"""The generators behind the window's wishes, driven by hand."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stand_in import StandIn
from still_files import encode, put, scene
from ucv_runs import mucosa

from mtl_core.predict import Predictor
from mtl_core.scores import Heatmap
from uc_viewer.analysis import provenance
from uc_viewer.case import Case, Duplicate, FrameReading, FrameResult, Reading, Run, Unreadable
from uc_viewer.gui import jobs
from uc_viewer.report import heatmaps as overlays
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.gathered import Gathered
from uc_viewer.sources.listing import Files


def still(path: Path, level: int, number: int = 0) -> Path:
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = level, number, 10
    return put(path, encode(pixels))


@pytest.fixture
def visit(tmp_path: Path) -> Path:
    """MES 0 to 3, one too dark, one that is text."""
    folder = tmp_path / "방문 ş"
    for number, level in enumerate((40, 80, 120, 160, 4)):
        still(folder / f"{number}.png", level, number)
    put(folder / "5.jpg", b"not a picture")
    return folder


@pytest.fixture
def sources(visit: Path) -> Gathered:
    gathered = Gathered()
    gathered.add(Files([visit]))
    return gathered


def scored(sources: Gathered) -> list[FrameResult | Unreadable | Duplicate]:
    return [item for source in sources.sources for item in jobs.score(source, StandIn(), {})]


def results(sources: Gathered) -> list[FrameResult]:
    return [item for item in scored(sources) if isinstance(item, FrameResult)]


@pytest.fixture
def run(sources: Gathered) -> Run:
    items = scored(sources)
    broken = tuple(item for item in items if isinstance(item, Unreadable))
    day = "2025-06-01T10:00:00+02:00"
    return Run(Case("P1"), tuple(results(sources)), broken, day, day, True, len(items))


class TestFind:
    def test_pictures_are_counted_then_named_a_few_at_a_time(
        self, visit: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "NAMES", 4)
        monkeypatch.setattr("uc_viewer.sources.listing._LISTED_AT_ONCE", 2)
        told = list(jobs.find([visit], Gathered()))
        found = [value.found for value in told if isinstance(value, jobs.Listing)]
        assert found == sorted(found)
        assert len(found) == 3
        listed, *named, ready = told[3:]
        assert isinstance(listed, jobs.Listed)
        assert isinstance(ready, jobs.Ready)
        assert ready.source is listed.source
        keys = [value.keys for value in named if isinstance(value, jobs.Names)]
        assert [len(part) for part in keys] == [4, 2]
        assert tuple(key for part in keys for key in part) == listed.source.keys

    def test_what_the_case_has_is_not_found_again(self, visit: Path, sources: Gathered) -> None:
        ready = list(jobs.find([visit], sources))[-1]
        assert isinstance(ready, jobs.Ready)
        assert (ready.source.expected, ready.source.known) == (0, 6)

    def test_a_path_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="gone"):
            list(jobs.find([tmp_path / "gone"], Gathered()))


def test_a_model_is_loaded_within_the_block_that_keeps_the_window_going(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []

    @contextmanager
    def smoothly() -> Iterator[None]:
        order.append("in")
        yield
        order.append("out")

    def make() -> StandIn:
        order.append("made")
        return StandIn()

    monkeypatch.setattr(jobs, "smoothly", smoothly)
    (loaded,) = jobs.load(make)
    assert order == ["in", "made", "out"]
    assert loaded.model.name == "stand-in"
    assert loaded.seconds >= 0


def test_scores_skip_bytes_that_were_seen_in_another_source(visit: Path, sources: Gathered) -> None:
    seen: dict[tuple[str, int], str] = {}
    first = list(jobs.score(sources.sources[0], StandIn(), seen))
    assert [item.source_file for item in first] == ["0.png", "1.png", "2.png", "3.png", "4.png", "5.jpg"]
    assert [item.scores.grade for item in first if isinstance(item, FrameResult)] == [0, 1, 2, 3, None]
    copied = put(visit.parent / "copy.png", (visit / "2.png").read_bytes())
    (again,) = jobs.score(Files([copied]), StandIn(), seen)
    assert isinstance(again, Duplicate)
    assert (again.source_file, again.of) == ("copy.png", "2.png")


class TestPictures:
    def test_one_is_opened_with_its_field_of_view(self, sources: Gathered) -> None:
        (picture,) = jobs.look_at(sources, ("3.png", 0))
        assert picture.image is not None
        assert picture.image.shape == (48, 64, 3)
        left, top, width, height = picture.box
        assert 0 <= left < left + width <= 64
        assert 0 <= top < top + height <= 48
        assert picture.reason == ""

    def test_one_that_cannot_be_opened_comes_with_the_reason(self, sources: Gathered) -> None:
        (picture,) = jobs.look_at(sources, ("5.jpg", 0))
        assert picture.image is None
        assert "5.jpg" in picture.reason

    def test_thumbnails_come_last_wish_first_until_none_is_left(
        self, tmp_path: Path, sources: Gathered
    ) -> None:
        big = put(tmp_path / "big.png", encode(scene(800, 400)))
        sources.add(Files([big], beside=sources.sources))
        wanted = deque([("0.png", 0), ("5.jpg", 0), ("absent.png", 0), ("big.png", 0)])
        made = jobs.thumbnails(sources, wanted)
        first = next(made)
        assert first.key == ("big.png", 0)
        assert first.image is not None
        assert max(first.image.shape) <= jobs.THUMBNAIL
        wanted.append(("1.png", 0))  # a wish while they are made comes next
        rest = list(made)
        assert [name for name, _ in (one.key for one in rest)] == ["1.png", "absent.png", "5.jpg", "0.png"]
        assert [one.image is None for one in rest] == [False, True, True, False]
        assert not wanted


class TestHeatmaps:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None, str]]:
        asked: list[tuple[str, int | None, str]] = []

        def heatmap(_: object, image: np.ndarray, target: str, grade: int, method: str = "") -> Heatmap:
            asked.append((target, grade, method))
            return Heatmap(np.ones(image.shape[:2], np.float32), 0.5, f"MES {grade}", method, 2.0)

        monkeypatch.setattr("mtl_core.explain.heatmap", heatmap)
        return asked

    def test_one_explains_the_answer_that_stands(self, sources: Gathered, asked: list[object]) -> None:
        (found,) = jobs.explain(sources, ("3.png", 0), 3, StandIn(), "grade", "LayerCAM")
        assert (found.key, found.target, found.method) == (("3.png", 0), "grade", "LayerCAM")
        assert found.heatmap.values.shape == (48, 64)
        assert asked == [("grade", 3, "LayerCAM")]

    def test_a_picture_that_went_away_has_none(
        self, visit: Path, sources: Gathered, asked: list[object]
    ) -> None:
        (visit / "3.png").unlink()
        with pytest.raises(SourceError, match=r"3\.png"):
            next(jobs.explain(sources, ("3.png", 0), 3, StandIn(), "grade", "Grad-CAM"))
        assert not asked

    def test_overlays_are_written_one_by_one(
        self, visit: Path, tmp_path: Path, sources: Gathered, asked: list[tuple[str, int | None, str]]
    ) -> None:
        graded = [result for result in results(sources) if result.scores.scored]
        (visit / "1.png").unlink()
        out = tmp_path / "overlays"
        job = jobs.export_overlays(sources, graded, StandIn(), out)
        there = []
        for value in job:
            there.append(len(list(out.glob("*.png"))) if out.is_dir() else 0)
            last = value
        assert there == [1, 1, 2, 3, 3]
        assert last == jobs.Saved(out, 3)
        assert [(target, grade) for target, grade, _ in asked] == [("grade", 0), ("grade", 2), ("grade", 3)]
        with (out / overlays.INDEX).open(encoding="utf-8-sig", newline="") as file:
            assert [row["source_file"] for row in csv.DictReader(file)] == ["0.png", "2.png", "3.png"]
        with Image.open(out / "3.png.png") as picture:
            assert picture.size == (64, 48)

    def test_an_export_that_is_stopped_leaves_a_table_of_what_is_there(
        self, tmp_path: Path, sources: Gathered, asked: list[object]
    ) -> None:
        out = tmp_path / "overlays"
        graded = results(sources)[:4]
        job = jobs.export_overlays(sources, graded, StandIn(), out)
        assert next(job) is None
        job.close()  # type: ignore[attr-defined]
        assert {path.name for path in out.iterdir()} == {"0.png.png", overlays.INDEX}
        list(jobs.export_overlays(sources, graded[1:2], StandIn(), out))  # the next one shows itself alone
        assert {path.name for path in out.iterdir()} == {"1.png.png", overlays.INDEX}

    def test_nothing_that_can_be_opened_makes_no_folder(
        self, visit: Path, tmp_path: Path, sources: Gathered, asked: list[object]
    ) -> None:
        graded = results(sources)[:1]
        (visit / "0.png").unlink()
        out = tmp_path / "overlays"
        assert list(jobs.export_overlays(sources, graded, StandIn(), out)) == [None, jobs.Saved(out, 0)]
        assert not out.exists()


class TestReport:
    def test_it_is_made_with_a_pause_after_every_picture(
        self, visit: Path, sources: Gathered, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        printed: dict[tuple[str, int], np.ndarray] = {}

        def build(run: Run, pictures: dict[tuple[str, int], np.ndarray], *, reading: Reading) -> str:
            printed.update(pictures)
            return f"comment: {reading.comment}"

        def write(content: str, path: Path, page: str) -> None:
            path.write_text(f"{content}, page: {page}")

        monkeypatch.setattr("uc_viewer.report.content.printed_frames", lambda run, reading: run.results[:3])
        monkeypatch.setattr("uc_viewer.report.content.build", build)
        monkeypatch.setattr("uc_viewer.report.pdf.write", write)
        monkeypatch.setattr("uc_viewer.report.pages.page_sizes", lambda data: [(595.0, 842.0)])
        (visit / "0.png").unlink()  # went away
        still(visit / "1.png", 80, 77)  # is another one by now
        told = list(jobs.make_report(sources, run, Reading(comment="Mild."), "Letter"))
        assert told[:3] == [None] * 3
        report = told[3]
        assert report is not None
        assert report.data == b"comment: Mild., page: Letter"
        assert (report.sizes, report.page) == (((595.0, 842.0),), "Letter")
        assert set(printed) == {("2.png", 0)}

    def test_a_real_one_is_drawn_page_by_page_and_saved(self, tmp_path: Path, sources: Gathered) -> None:
        items = results(sources)
        facts = provenance(
            StandIn().card, items, device="cpu", device_reason="none", load_seconds=1, scoring_seconds=1
        )
        day = "2025-06-01T10:00:00+02:00"
        run = Run(Case("P1"), tuple(items), (), day, day, True, len(items), facts)
        reading = Reading({("2.png", 0): FrameReading(grade=2, key_image=True)}, "Mild.")
        report = list(jobs.make_report(sources, run, reading, "A4"))[-1]
        assert report is not None
        assert report.data.startswith(b"%PDF")
        width, height = report.sizes[0]
        assert (round(width), round(height)) == (595, 842)
        (page,) = jobs.draw_page(report, 0, 36)
        assert (page.number, page.dpi) == (0, 36)
        assert page.image.shape == (421, 298, 3)
        assert page.image.min() < 128  # something is printed
        path = tmp_path / "보고서.pdf"
        assert list(jobs.save(report, path)) == [jobs.Saved(path)]
        assert path.read_bytes() == report.data

    def test_one_that_cannot_be_saved_leaves_the_old_file(self, tmp_path: Path) -> None:
        report = jobs.Report(b"new", (), "A4")
        with pytest.raises(OSError, match="absent"):
            list(jobs.save(report, tmp_path / "absent" / "report.pdf"))
        assert not list(tmp_path.iterdir())


def test_the_engines_own_model_answers_the_same_wishes(tiny_bundle: Path, tmp_path: Path) -> None:
    mucosa().save(tmp_path / "a.png")
    (loaded,) = jobs.load(lambda: Predictor.load(tiny_bundle, "cpu"))
    model, sources = loaded.model, Gathered()
    assert (model.name, str(model.device)) == ("tiny", "cpu")
    assert model.device_reason
    assert 0 < model.active_threshold < 1
    sources.add(Files([tmp_path / "a.png"]))
    (item,) = jobs.score(sources.sources[0], model, {})
    assert isinstance(item, FrameResult)
    assert item.scores.scored
    (found,) = jobs.explain(sources, item.key, item.scores.grade, model, "grade", "Grad-CAM")
    assert found.heatmap.target == f"MES {item.scores.grade}"
    assert found.heatmap.values.shape == (128, 160)
