"""`ucv` from end to end: files, exit codes, one clear line for every bad input, stopping."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mtl_core import bundle
from mtl_core.scores import FrameScores
from uc_viewer import __version__, cli, paths, scoring
from uc_viewer.cli import main
from uc_viewer.report import heatmaps

ROOT = Path(__file__).resolve().parents[2]
FILES = {"report.pdf", "frames.csv", "summary.json", "run.json"}
LIGHT = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle with random weights: the real engine, too small to be slow."""
    import torch

    from mtl_core.calibrate import Calibration
    from mtl_core.model import MultiTaskNet
    from mtl_core.spec import InputSpec, ModelSpec

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "random"
    network = MultiTaskNet(ModelSpec("mobilenet_v3_large", input=InputSpec(size=64)))
    card = {
        "calibration": Calibration(1, 1, 0, 0, 0.4).to_dict(),
        "thresholds": {"active": 0.4, "sensitivity": 0.95},
        "training": {"data": "none, random weights"},
        "metrics": {},
        "limits": ["Random weights, for tests only."],
    }
    bundle.write(folder, network, card)
    return folder


def mucosa(seed: int = 0, size: tuple[int, int] = (160, 128)) -> Image.Image:
    """A reddish cloud that passes the quality gate."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (16, 20), dtype=np.uint8))
    cloud = coarse.resize(size, Image.Resampling.BICUBIC)
    light = np.asarray(cloud, dtype=np.float32)[..., None] / 255
    fine = rng.normal(0, 6, (size[1], size[0], 1))
    image = np.array([150, 60, 50]) + light * np.array([80, 70, 60]) + fine
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def stills(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        mucosa(number).save(folder / f"{number}.png")
    return folder


def score(model: Path, *arguments: object) -> int:
    return main(["score", "--model", str(model), "--device", "cpu", *map(str, arguments)])


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "frames.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def note(out: Path) -> str:
    return (out / "INCOMPLETE.txt").read_text(encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


class TestScore:
    def test_a_folder(self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "deep" / "out"
        assert score(model, stills(tmp_path / "in"), "--out", out, "--patient-id", "대장 7") == 0
        assert {p.name for p in out.iterdir()} == FILES
        assert (out / "report.pdf").read_bytes().startswith(b"%PDF-")
        table = rows(out)
        assert [row["source_file"] for row in table] == ["0.png", "1.png", "2.png"]
        assert {row["scored"] for row in table} == {"1"}
        for row in table:
            p = [float(row[f"p{k}"]) for k in range(4)]
            assert sum(p) == pytest.approx(1, abs=1e-5)
            assert int(row["mes_ai"]) == int(np.argmax(p))
            assert row["active_ai"] == str(int(float(row["p_active"]) >= 0.4))
        summary, record = load(out / "summary.json"), load(out / "run.json")
        assert summary["counts"]["scored"] == 3
        assert record["status"] == "COMPLETE"
        assert record["case"] == {"patient_id": "대장 7", "synthetic": False}
        assert record["provenance"]["model"]["weights_sha256"] == bundle.read_card(model)["weights_sha256"]
        assert record["provenance"]["device"] == {"name": "cpu", "reason": "chosen by the user"}
        assert record["provenance"]["timings"]["scoring_seconds"] > 0
        assert str(tmp_path) not in json.dumps(record)
        said = capfd.readouterr()
        assert "3 pictures: 3 scored, 0 not scored, 0 unreadable" in said.out
        active = summary["counts"]["active"]
        assert f"active (MES 2-3): {active}, not active (MES 0-1): {3 - active}; highest P" in said.out
        assert paths.intended_use() in said.out
        assert said.err == ""  # no bar in a pipe, no warnings

    def test_results_within_the_input_are_no_input(self, model: Path, tmp_path: Path) -> None:
        folder = stills(tmp_path / "in", 2)
        for out in (folder / "out", folder):
            for _ in range(2):
                assert score(model, folder, "--out", out, "--heatmaps") == 0
                assert [row["source_file"] for row in rows(out)] == ["0.png", "1.png"]
        shutil.rmtree(folder / "out")
        assert score(model, folder, "--out", folder) == 0
        assert {p.name for p in folder.iterdir()} - FILES == {"0.png", "1.png", "heatmaps"}
        assert list((folder / "heatmaps").iterdir()) == []

    def test_heatmaps(self, model: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert score(model, stills(tmp_path / "in", 2), "--out", out, "--heatmaps", "--page", "Letter") == 0
        assert {p.name for p in (out / "heatmaps").iterdir()} == {"0.png.png", "1.png.png", heatmaps.INDEX}
        with Image.open(out / "heatmaps" / "0.png.png") as overlay:
            assert overlay.size == (160, 128)
        listed = (out / "heatmaps" / heatmaps.INDEX).read_text(encoding="utf-8-sig")
        assert f"MES {rows(out)[0]['mes_ai']}" in listed

    def test_zip_file_and_folder_together(self, model: Path, tmp_path: Path) -> None:
        folder = stills(tmp_path / "in", 1)
        with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
            archive.write(folder / "0.png", "inner/a.png")
        single = shutil.copy(folder / "0.png", tmp_path / "s.png")
        out = tmp_path / "out"
        assert score(model, folder, tmp_path / "c.zip", single, "--out", out) == 0
        assert [row["source_file"] for row in rows(out)] == ["in/0.png", "c.zip/inner/a.png", "s.png"]
        assert load(out / "run.json")["duplicates"] == [["in/0.png", "c.zip/inner/a.png", "s.png"]]

    def test_sample_is_marked_synthetic(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert score(model, "--sample", "--out", tmp_path / "a") == 0
        assert load(tmp_path / "a" / "run.json")["case"]["synthetic"] is True
        assert "SYNTHETIC" in capfd.readouterr().out
        (one, *_) = sorted(paths.resource("sample").glob("*.jpg"))
        assert score(model, one, "--out", tmp_path / "b") == 0
        assert load(tmp_path / "b" / "run.json")["case"]["synthetic"] is True

    def test_json_progress(self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "bad.jpg").write_bytes(b"text")
        assert score(model, stills(tmp_path / "in"), "--out", tmp_path / "out", "--json-progress") == 3
        events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        assert events[0] == {"event": "start", "total": 4, "model": "random"}
        last = [event for event in events if event["event"] == "progress"][-1]
        assert (last["stage"], last["done"], last["total"], last["eta_seconds"]) == ("scoring", 4, 4, 0)
        assert events[-1]["event"] == "finished"
        assert events[-1]["exit_code"] == 3
        assert events[-1]["counts"]["unreadable"] == 1


def encoded(kind: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    (picture or mucosa()).save(stream, kind, **options)
    return stream.getvalue()


class TestBadInput:
    def test_every_bad_file_gets_its_line_and_the_run_goes_on(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        more = [mucosa(1), mucosa(2)]
        sixteen = Image.fromarray(np.asarray(mucosa().convert("L")).astype(np.uint16) * 257)
        turned = Image.Exif()
        turned[0x0112] = 6
        bad = {
            "text.jpg": b"this is no picture",
            "cut.jpg": encoded("JPEG")[:2000],
            "nothing.png": b"",
            "point.png": encoded("PNG", Image.new("RGB", (1, 1))),
            "moving.gif": encoded("GIF", save_all=True, append_images=more),
            "moving.webp": encoded("WEBP", save_all=True, append_images=more),
            "huge.png": huge_png(20_000, 10_000),
        }
        good = {
            "대장 내시경.png": encoded("PNG"),
            "Ağır iltihap ışığı.jpg": encoded("JPEG"),
            "sixteen.png": encoded("PNG", sixteen),
            "cmyk.jpg": encoded("JPEG", mucosa().convert("CMYK")),
            "palette.png": encoded("PNG", mucosa().quantize(256)),
            "turned.jpg": encoded("JPEG", exif=turned),
        }
        folder, out = tmp_path / "in", tmp_path / "out"
        folder.mkdir()
        for name, data in (bad | good).items():
            (folder / name).write_bytes(data)
        with zipfile.ZipFile(folder / "evil.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../escape.png", encoded("PNG"))
            archive.writestr("bomb.png", bytes(64 * 2**20))
            archive.writestr("good.png", encoded("PNG"))
        assert score(model, folder, "--out", out) == 3
        table = {row["source_file"]: row for row in rows(out)}
        said = capfd.readouterr().err.splitlines()
        for name in [*bad, "evil.zip/../escape.png", "evil.zip/bomb.png"]:
            row = table.pop(name)
            assert row["scored"] == "0"
            assert row["reject_reason"].startswith("unreadable: ")
            assert len([line for line in said if f" {name}: " in line]) == 1
        # A grey picture is opened and looked at; the quality gate then says what it is.
        assert table.pop("sixteen.png")["reject_reason"] == "not mucosa"
        assert set(table) == set(good) - {"sixteen.png"} | {"evil.zip/good.png"}
        assert {row["scored"] for row in table.values()} == {"1"}
        assert not (tmp_path / "escape.png").exists()
        assert len(load(out / "summary.json")["unreadable"]) == 9

    def test_all_rejected_or_unreadable_is_nothing(self, model: Path, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        (folder / "bad.jpg").write_bytes(b"text")
        assert score(model, folder, "--out", tmp_path / "a") == 1
        assert {p.name for p in (tmp_path / "a").iterdir()} == FILES
        (folder / "bad.jpg").unlink()
        Image.new("RGB", (200, 200)).save(folder / "black.png")
        assert score(model, folder, "--out", tmp_path / "b") == 1
        assert rows(tmp_path / "b")[0]["reject_reason"] == "blank"

    def test_empty_folder(self, tmp_path: Path, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "notes.txt").write_text("x")
        assert score(model, tmp_path / "in", "--out", tmp_path / "out") == 1
        assert not (tmp_path / "out").exists()
        said = capfd.readouterr().err
        assert f"no pictures in {tmp_path / 'in'}" in said
        assert "1 x .txt" in said

    def test_wrong_usage(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder, out = stills(tmp_path / "in", 1), tmp_path / "out"
        taken = tmp_path / "taken"
        taken.write_bytes(b"x")

        def refused(*arguments: object) -> str:
            assert main(["score", *map(str, arguments)]) == 2
            (line,) = capfd.readouterr().err.splitlines()
            return line

        assert "no such file" in refused(tmp_path / "gone", "--out", out)
        assert "no PATH given" in refused("--out", out)
        assert "not both" in refused(folder, "--sample", "--out", out)
        assert "no such model" in refused(folder, "--out", out, "--model", "nonsense")
        assert "card.json" in refused(folder, "--out", out, "--model", folder)
        assert "--out needs a folder" in refused(folder, "--out", taken, "--model", model)
        assert "cannot be written" in refused(folder, "--out", taken / "out", "--model", model)
        import torch

        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert "cuda" in refused(folder, "--out", out, "--model", model, "--device", "cuda")
        assert not out.exists()
        assert [p.name for p in folder.iterdir()] == ["0.png"]

    @pytest.mark.parametrize(
        "arguments", [[], ["score"], ["score", "x", "--out", "y", "--device", "tpu"], ["x"]]
    )
    def test_unknown_arguments(self, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2

    def test_damaged_models(self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        folder, out = stills(tmp_path / "in", 1), tmp_path / "out"
        flipped, newer = tmp_path / "flipped", tmp_path / "newer"
        shutil.copytree(model, flipped)
        shutil.copytree(model, newer)
        weights = bytearray((flipped / "model.safetensors").read_bytes())
        weights[len(weights) // 2] ^= 1
        (flipped / "model.safetensors").write_bytes(weights)
        shutil.copytree(model, tmp_path / "listed")
        card = load(newer / "card.json")
        (newer / "card.json").write_bytes(bundle.card_bytes(card | {"format": 99}))
        listed = card | {"thresholds": [0.4, 0.95]}
        (tmp_path / "listed" / "card.json").write_bytes(bundle.card_bytes(listed))
        for name, word in (
            ("flipped", "damaged"),
            ("newer", "format version 99"),
            ("listed", "thresholds"),
        ):
            assert score(tmp_path / name, folder, "--out", out) == 2
            (line,) = capfd.readouterr().err.splitlines()
            assert name in line
            assert word in line
        assert not out.exists()

    def test_full_disk_leaves_the_earlier_results(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        folder, out = stills(tmp_path / "in", 1), tmp_path / "out"
        assert score(model, folder, "--out", out) == 0
        before = {path.name: path.read_bytes() for path in out.iterdir()}

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        assert score(model, folder, "--out", out) == 2
        assert "No space left" in capfd.readouterr().err
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def huge_png(width: int, height: int) -> bytes:
    """A real PNG of one grey level: many pixels, few bytes."""
    Image.MAX_IMAGE_PIXELS, before = None, Image.MAX_IMAGE_PIXELS
    try:
        return encoded("PNG", Image.new("1", (width, height)))
    finally:
        Image.MAX_IMAGE_PIXELS = before


class TestStopping:
    @pytest.fixture
    def slow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine that is sent a signal while it scores its second batch."""
        from mtl_core.predict import Predictor

        real, calls = Predictor.predict, []

        def predict(
            predictor: Predictor, frames: Iterable[np.ndarray], batch: int = 8
        ) -> Iterator[FrameScores]:
            calls.append(batch)
            if len(calls) == 2:
                signal.raise_signal(signal.SIGTERM if os.environ.get("UCV_TEST_TERM") else signal.SIGINT)
            return real(predictor, frames, batch)

        monkeypatch.setattr(Predictor, "predict", predict)

    @pytest.mark.usefixtures("slow")
    @pytest.mark.parametrize("kind", ["", "1"])
    def test_a_stopped_run_is_valid_and_marked(
        self,
        model: Path,
        tmp_path: Path,
        kind: str,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("UCV_TEST_TERM", kind)
        before = signal.getsignal(signal.SIGINT)
        folder, out = stills(tmp_path / "in", 7), tmp_path / "out"
        assert score(model, folder, "--out", out, "--batch", 2) == 130
        assert signal.getsignal(signal.SIGINT) is before
        assert [row["source_file"] for row in rows(out)] == ["0.png", "1.png", "2.png"]
        assert {p.name for p in out.iterdir()} == FILES | {"INCOMPLETE.txt"}
        assert "after 3 of 7 pictures" in note(out)
        assert load(out / "summary.json")["status"] == "INCOMPLETE"
        record = load(out / "run.json")
        assert (record["complete"], record["expected"]) == (False, 7)
        assert "INCOMPLETE" in capfd.readouterr().err
        assert score(model, folder, "--out", out, "--batch", 2) == 0
        assert {p.name for p in out.iterdir()} == FILES
        assert len(rows(out)) == 7

    def test_stopped_while_drawing_heatmaps(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        folder, out = stills(tmp_path / "in", 3), tmp_path / "out"
        real, calls = scoring._overlay, []

        def overlay(*arguments: Any) -> Any:
            if not calls:
                signal.raise_signal(signal.SIGINT)
            calls.append(arguments)
            return real(*arguments)

        monkeypatch.setattr(scoring, "_overlay", overlay)
        assert score(model, folder, "--out", out, "--heatmaps") == 130
        assert len(rows(out)) == 3
        assert "scoring is complete, the heatmaps are not" in note(out)
        assert "of 3 pictures" not in note(out)
        assert "scoring is complete, the heatmaps are not" in capfd.readouterr().err
        assert {p.name for p in (out / "heatmaps").iterdir()} == {"0.png.png", heatmaps.INDEX}

    @pytest.mark.usefixtures("slow")
    def test_a_stopped_run_takes_earlier_heatmaps_away(self, model: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert score(model, stills(tmp_path / "one", 1), "--out", out, "--heatmaps") == 0
        folder = stills(tmp_path / "in", 5)
        assert score(model, folder, "--out", out, "--batch", 2, "--heatmaps") == 130
        assert list((out / "heatmaps").iterdir()) == []

    def test_stopped_before_the_first_picture(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop = scoring.Stop()
        stop.requested = True
        monkeypatch.setattr(scoring, "Stop", lambda: stop)
        out = tmp_path / "out"
        assert score(model, stills(tmp_path / "in"), "--out", out) == 130
        assert rows(out) == []
        assert load(out / "summary.json")["status"] == "INCOMPLETE"

    def test_second_signal_quits_and_leaves_nothing_half_written(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from mtl_core.predict import Predictor

        def predict(*_: object) -> Iterator[FrameScores]:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            return iter(())

        monkeypatch.setattr(Predictor, "predict", predict)
        out = tmp_path / "out"
        assert score(model, stills(tmp_path / "in"), "--out", out) == 130
        assert [p.name for p in out.iterdir()] == ["INCOMPLETE.txt"]
        assert "going on or was cut off" in note(out)

    def test_picture_changed_since_it_was_scored_is_not_shown(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        folder, out = stills(tmp_path / "in", 2), tmp_path / "out"
        real = scoring._collect

        def collect_then_change(*arguments: Any) -> None:
            real(*arguments)
            mucosa(9).save(folder / "0.png")
            (folder / "1.png").unlink()

        monkeypatch.setattr(scoring, "_collect", collect_then_change)
        assert score(model, folder, "--out", out, "--heatmaps") == 0
        said = capfd.readouterr().err
        assert "0.png: changed since it was scored" in said
        assert "1.png: not there" in said
        assert not (out / "heatmaps").exists()


class TestFaults:
    """The program itself fails: one line, exit code 4, what there is stays and is marked."""

    @pytest.fixture
    def failing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine that fails in its second batch."""
        from mtl_core.predict import Predictor

        real, calls = Predictor.predict, []

        def predict(
            predictor: Predictor, frames: Iterable[np.ndarray], batch: int = 8
        ) -> Iterator[FrameScores]:
            calls.append(batch)
            if len(calls) == 2:
                raise RuntimeError("the card went away at /home/someone/torch.py\nand more")
            return real(predictor, frames, batch)

        monkeypatch.setattr(Predictor, "predict", predict)

    @pytest.mark.usefixtures("failing")
    @pytest.mark.parametrize("debug", ["", "1"])
    def test_a_fault_of_the_engine_keeps_the_results_so_far(
        self,
        model: Path,
        tmp_path: Path,
        debug: str,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("UCV_DEBUG", debug)
        out = tmp_path / "out"
        assert score(model, stills(tmp_path / "in", 5), "--out", out, "--batch", 2, "--heatmaps") == 4
        assert len(rows(out)) == 2
        assert load(out / "run.json")["status"] == "INCOMPLETE"
        assert {p.name for p in out.iterdir()} == FILES | {"INCOMPLETE.txt"}
        assert "after 2 of 5 pictures" in note(out)
        line, *trace = capfd.readouterr().err.splitlines()
        assert "RuntimeError: the card went away at <path>); results so far are saved and marked INC" in line
        assert "please report this" in line
        assert any(part.startswith("Traceback") for part in trace) == bool(debug)

    def test_an_engine_that_fails_for_heatmaps_still_gives_tables_and_report(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder, out = stills(tmp_path / "in", 2), tmp_path / "out"
        assert score(model, folder, "--out", out, "--heatmaps") == 0
        report, began = (out / "report.pdf").read_bytes(), load(out / "run.json")["started"]
        real, calls = scoring._overlay, []

        def overlay(*arguments: Any) -> Any:
            calls.append(arguments)
            if len(calls) > 1:
                raise ValueError("no gradient")
            return real(*arguments)

        monkeypatch.setattr(scoring, "_overlay", overlay)
        monkeypatch.setattr(scoring, "_now", lambda: "2031-01-01T00:00:00+00:00")
        assert score(model, folder, "--out", out, "--heatmaps") == 4
        assert len(rows(out)) == 2
        assert load(out / "run.json")["started"] != began
        assert load(out / "summary.json")["status"] == "INCOMPLETE"
        assert (out / "report.pdf").read_bytes() != report
        assert {p.name for p in (out / "heatmaps").iterdir()} == {"0.png.png", heatmaps.INDEX}
        assert "scoring is complete, the heatmaps are not" in note(out)

    @pytest.mark.parametrize(("fault", "code"), [(ValueError("no font"), 4), (OSError(28, "No space"), 2)])
    def test_results_without_their_report_are_marked(
        self, model: Path, tmp_path: Path, fault: Exception, code: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from uc_viewer.report import pdf

        out = tmp_path / "out"
        assert score(model, stills(tmp_path / "in", 1), "--out", out) == 0
        report = (out / "report.pdf").read_bytes()

        def fail(*_: object) -> None:
            raise fault

        with monkeypatch.context() as patch:
            patch.setattr(pdf, "write", fail)
            assert score(model, stills(tmp_path / "in", 2), "--out", out) == code
        assert len(rows(out)) == load(out / "summary.json")["counts"]["scored"] == 2
        assert (out / "report.pdf").read_bytes() == report
        assert "may be of different runs" in note(out)
        if code == cli.FAILED:
            assert load(out / "run.json")["status"] == load(out / "summary.json")["status"] == "INCOMPLETE"
        assert score(model, tmp_path / "in", "--out", out) == 0
        assert {p.name for p in out.iterdir()} == FILES

    def test_the_mark_stands_while_every_file_is_replaced(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out, real, seen = tmp_path / "out", os.replace, []

        def replace(draft: Path, path: Path) -> None:
            seen.append((Path(path).name, (out / "INCOMPLETE.txt").exists()))
            real(draft, path)

        monkeypatch.setattr(os, "replace", replace)
        assert score(model, stills(tmp_path / "in", 1), "--out", out, "--heatmaps") == 0
        assert seen[0] == ("INCOMPLETE.txt", False)
        assert all(marked for _, marked in seen[1:])
        assert [name for name, _ in seen if name in FILES] == [
            "frames.csv",
            "summary.json",
            "run.json",
            "report.pdf",
        ]
        assert not (out / "INCOMPLETE.txt").exists()

    def test_a_fault_before_the_run_is_one_line_too(
        self, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        from mtl_core.predict import Predictor

        def load_nothing(*_: object) -> None:
            raise TypeError("'/srv/대장 7/a.png' is odd")

        monkeypatch.delenv("UCV_DEBUG", raising=False)
        monkeypatch.setattr(Predictor, "load", load_nothing)
        assert score(model, stills(tmp_path / "in", 1), "--out", tmp_path / "out") == 4
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith("ucv: the program failed (TypeError: <path> is odd); please report this")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("message", "shown"),
        [
            (r"C:\Users\Kim\a.png gone", "<path> gone"),
            ('read "/srv/a b/c.png": no', "read <path>: no"),
            ("mat1 (1x2) and mat2 (3x4) / 2", "mat1 (1x2) and mat2 (3x4) / 2"),
            ("", ""),
        ],
    )
    def test_a_fault_is_told_without_paths(self, message: str, shown: str) -> None:
        assert scoring.describe(RuntimeError(message)) == f"RuntimeError: {shown}".strip()


def ucv(*arguments: object, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "uc_viewer.cli", *map(str, arguments)]
    environment = os.environ | LIGHT | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


class TestProcess:
    def test_importing_the_command_line_is_light(self) -> None:
        heavy = "('torch', 'cv2', 'reportlab')"
        code = f"import sys, uc_viewer.cli; print([m for m in sys.modules if m in {heavy}])"
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"

    def test_version_and_help_are_quick(self, capsys: pytest.CaptureFixture[str]) -> None:
        for arguments, word in ((["--version"], __version__), (["score", "--help"], "130  stopped")):
            with pytest.raises(SystemExit) as caught:
                main(arguments)
            assert caught.value.code == 0
            assert word in capsys.readouterr().out

    @pytest.mark.skipif(os.name != "posix", reason="signals to another process are a POSIX matter")
    def test_ctrl_c_in_a_real_process(self, model: Path, tmp_path: Path) -> None:
        folder, out = stills(tmp_path / "in", 1), tmp_path / "out"
        for number in range(1, 3000):
            os.link(folder / "0.png", folder / f"{number}.png")
        process = ucv("score", folder, "--out", out, "--model", model, "--device", "cpu", "--json-progress")
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                break
        process.send_signal(signal.SIGINT)
        events = [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]
        assert process.returncode == 130
        assert events[-1]["status"] == "INCOMPLETE"
        table = rows(out)
        assert 0 < len(table) < 3000
        assert all(row["score_continuous"] for row in table)
        assert len(table) == events[-1]["counts"]["scored"]

    @pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a POSIX matter")
    def test_a_killed_run_leaves_the_earlier_results(self, model: Path, tmp_path: Path) -> None:
        folder, out = stills(tmp_path / "in", 1), tmp_path / "out"
        for number in range(1, 3000):
            os.link(folder / "0.png", folder / f"{number}.png")
        out.mkdir()
        for name in FILES:
            (out / name).write_bytes(b"earlier")
        (out / ".frames.csv.mine.part").write_bytes(b"no draft of ours")
        process = ucv("score", folder, "--out", out, "--model", model, "--device", "cpu", "--json-progress")
        assert process.stdout is not None
        next(line for line in process.stdout if json.loads(line)["event"] == "progress")
        process.kill()
        process.communicate(timeout=60)
        assert {name: (out / name).read_bytes() for name in FILES} == dict.fromkeys(FILES, b"earlier")
        assert "going on or was cut off" in note(out)
        kept = {*FILES, "INCOMPLETE.txt", ".frames.csv.mine.part"}
        (draft,) = {p.name for p in out.iterdir()} - kept
        assert draft.startswith(".frames.csv.")
        assert score(model, folder / "0.png", "--out", out) == 0
        assert {p.name for p in out.iterdir()} == {*FILES, ".frames.csv.mine.part"}
        assert len(rows(out)) == 1

    def test_bad_model_costs_no_engine(self, tmp_path: Path) -> None:
        process = ucv("score", stills(tmp_path / "in", 1), "--out", tmp_path / "o", "--model", "none")
        output, error = process.communicate(timeout=60)
        assert (process.returncode, output) == (2, "")
        assert error.startswith("ucv: none: no such model")


class TestModels:
    def test_list(
        self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        home = tmp_path / "models"
        shutil.copytree(model, home / "random")
        (home / "default.txt").write_text("random\n")
        real = paths.resource
        monkeypatch.setattr(
            paths, "resource", lambda *p: home.joinpath(*p[1:]) if p[0] == "models" else real(*p)
        )
        assert main(["models"]) == 0
        assert capfd.readouterr().out.startswith("random (default): mobilenet_v3_large, 64 px, weights ")
        out = tmp_path / "out"
        assert main(["score", str(stills(tmp_path / "in", 1)), "--out", str(out)]) == 0
        assert load(out / "run.json")["provenance"]["model"]["name"] == "random"
        (home / "random" / "card.json").write_text("{}")
        assert main(["models"]) == 2
        (home / "default.txt").unlink()
        assert main(["models"]) == 2

    def test_exit_codes_are_told(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        for code in (cli.ALL, cli.NOTHING, cli.USAGE, cli.PARTIAL, cli.FAILED, cli.STOPPED):
            assert f"\n  {code} " in cli.EXIT_CODES
            assert f"\n| {code} | " in readme
