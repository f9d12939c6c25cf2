"""`ucv` from end to end: files, exit codes, the process, the models."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from ucv_runs import FILES, LIGHT, ROOT, load, note, rows, score, stills

from mtl_core import bundle
from uc_viewer import __version__, cli, paths
from uc_viewer.cli import main
from uc_viewer.report import heatmaps


def ucv(*arguments: object, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "uc_viewer.cli", *map(str, arguments)]
    environment = os.environ | LIGHT | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


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
        assert events[0] == {"event": "start", "total": 4, "model": "tiny"}
        last = [event for event in events if event["event"] == "progress"][-1]
        assert (last["stage"], last["done"], last["total"], last["eta_seconds"]) == ("scoring", 4, 4, 0)
        assert events[-1]["event"] == "finished"
        assert events[-1]["exit_code"] == 3
        assert events[-1]["counts"]["unreadable"] == 1


class TestProcess:
    def test_importing_the_command_line_is_light(self) -> None:
        heavy = "('torch', 'torchvision', 'cv2', 'reportlab', 'av', 'pydicom', 'PySide6', 'scipy')"
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

    @pytest.mark.parametrize(
        ("option", "text", "told"),
        [
            ("--fps", "0", "above 0"),
            ("--fps", "nan", "above 0"),
            ("--fps", "inf", "at most 1000"),
            ("--fps", "two", "must be a number above 0, at most 1000, not 'two'"),
            ("--every", "0", "at least 1"),
            ("--every", "1.5", "must be a whole number, at least 1, not '1.5'"),
            ("--batch", "257", "1 to 256"),
            ("--sustained-frames", "0", "at least 1"),
            ("--sustained-seconds", "-1", "0 to 86400"),
            ("--sustained-seconds", "", "must be a number"),
        ],
    )
    def test_a_number_that_cannot_be(
        self, option: str, text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            main(["score", str(tmp_path), "--out", str(tmp_path / "o"), f"{option}={text}"])
        assert caught.value.code == cli.USAGE
        said = capsys.readouterr().err
        assert f"argument {option}: " in said
        assert told in said

    def test_a_rate_and_a_step_exclude_each_other(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            main(["score", str(tmp_path), "--out", str(tmp_path / "o"), "--fps", "2", "--every", "3"])
        assert "not allowed with" in capsys.readouterr().err

    def test_bench_of_what_cannot_be_measured(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        still = stills(tmp_path / "in", 1) / "0.png"
        broken = shutil.copytree(model, tmp_path / "broken")
        (broken / "model.safetensors").write_bytes(b"nothing")
        for arguments, told in (
            (["seeks", tmp_path / "in"], "is a folder"),
            (["seeks", tmp_path / "gone.mp4"], "gone.mp4: no such file"),
            (["seeks", still], "0.png: not a recording"),
            (["video", still, "--model", "none"], "none: no such model"),
            (["video", still, "--model", broken], "broken"),
        ):
            assert main(["bench", *map(str, arguments)]) == cli.USAGE
            [line] = capfd.readouterr().err.splitlines()
            assert told in line
            assert "report this" not in line

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
        shutil.copytree(model, home / "tiny")
        (home / "default.txt").write_text("tiny\n")
        real = paths.resource
        monkeypatch.setattr(
            paths, "resource", lambda *p: home.joinpath(*p[1:]) if p[0] == "models" else real(*p)
        )
        assert main(["models"]) == 0
        assert capfd.readouterr().out.startswith("tiny (default): mobilenet_v3_large, 64 px, weights ")
        out = tmp_path / "out"
        assert main(["score", str(stills(tmp_path / "in", 1)), "--out", str(out)]) == 0
        assert load(out / "run.json")["provenance"]["model"]["name"] == "tiny"
        (home / "tiny" / "card.json").write_text("{}")
        assert main(["models"]) == 2
        (home / "default.txt").unlink()
        assert main(["models"]) == 2

    def test_exit_codes_are_told(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        for code in (cli.ALL, cli.NOTHING, cli.USAGE, cli.PARTIAL, cli.FAILED, cli.STOPPED):
            assert f"\n  {code} " in cli.EXIT_CODES
            assert f"\n| {code} | " in readme
