"""A run that is stopped or fails: valid partial files, marked, and nothing mixed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from ucv_runs import FILES, load, mucosa, note, rows, score, second_batch, stills

from mtl_core.predict import Predictor
from mtl_core.scores import FrameScores
from uc_viewer import cli, scoring
from uc_viewer.report import heatmaps


class TestStopping:
    @pytest.fixture
    def slow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine that is sent a signal while it scores its second batch."""

        def ask() -> None:
            signal.raise_signal(signal.SIGTERM if os.environ.get("UCV_TEST_TERM") else signal.SIGINT)

        second_batch(monkeypatch, ask)

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

        def answer(*_: object) -> list[FrameScores]:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            return []

        monkeypatch.setattr(Predictor, "answer", answer)
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

        def fail() -> None:
            raise RuntimeError("the card went away at /home/someone/torch.py\nand more")

        second_batch(monkeypatch, fail)

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
