"""`ucv score` on recordings from end to end: what it says, its exit codes, what its files hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import clips
import dicom_files
import pytest
from still_files import scene
from ucv_runs import FILES, LIGHT, ROOT, load, note, rows, score, second_batch, stills

from mtl_core.predict import Predictor, Ready
from mtl_core.quality import FROZEN
from mtl_core.scores import FrameScores
from uc_viewer import cli, scoring
from uc_viewer.sources import listing


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
def clip(made: Path, tmp_path: Path) -> Path:
    """Six seconds of a recording that may be broken."""
    return clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path)


@pytest.fixture
def graded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that answers MES 1, and once MES 3."""
    asked = iter(range(10**6))

    def answer(predictor: Predictor, ready: list[Ready]) -> list[FrameScores]:
        severe = FrameScores((0.0, 0.1, 0.1, 0.8), 0.95, True)
        mild = FrameScores((0.1, 0.8, 0.1, 0.0), 0.05, False)
        return [severe if next(asked) == 5 else mild for _ in ready]

    monkeypatch.setattr(Predictor, "answer", answer)


class TestWhatItSays:
    @pytest.mark.usefixtures("graded")
    def test_the_grade_that_lasts_and_no_single_frames(
        self, model: Path, tmp_path: Path, clip: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert score(model, clip, "--out", tmp_path / "out") == cli.ALL
        said = capfd.readouterr()
        assert "12 sampled frames of 1 recording: 12 scored, 0 not scored, 0 unreadable" in said.out
        assert "\nAI worst sustained: MES 1 (mild), 00:00:00 to 00:00:05 of h264-mp4-150.mp4\n" in said.out
        assert "AI grades of single frames, no result by themselves: MES 0: 0, MES 1: 11," in said.out
        assert "highest P(active)" not in said.out  # that of one frame
        assert said.err == ""

    @pytest.mark.usefixtures("graded")
    def test_the_rule_in_force_is_that_of_the_command(
        self, model: Path, tmp_path: Path, clip: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        assert score(model, clip, "--out", out, "--sustained-frames", 13, "--sustained-seconds", 0.25) == 0
        assert "AI worst sustained: not gradable: no 13 scored frames in a row" in capfd.readouterr().out
        rule = load(out / "run.json")["provenance"]["sustained_rule"]
        assert (rule["frames"], rule["seconds"]) == (13, 0.25)
        assert load(out / "summary.json")["recordings"][0]["sustained"]["rule"]["frames"] == 13

    @pytest.mark.usefixtures("graded")
    def test_each_of_several_and_stills_apart(
        self, model: Path, tmp_path: Path, clip: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        clips.make_clip(tmp_path / "short", "mpeg2-ps", 50)
        folder = stills(tmp_path / "in", 2)
        assert score(model, clip, tmp_path / "short.mpg", folder, "--out", tmp_path / "out") == cli.ALL
        said = capfd.readouterr().out
        assert "18 pictures: 18 scored" in said
        assert "\n  h264-mp4-150.mp4: MES 1 (mild), 00:00:00 to 00:00:05\n" in said
        assert "\n  short.mpg: not gradable: 4 scored frames, 8 are needed\n" in said
        assert "AI grades, evidence and not a reading: MES 0: 0, MES 1: 2, MES 2: 0, MES 3: 0\n" in said
        assert "highest P(active) 0.05 (in/0.png)" in said

    def test_frames_too_far_apart_to_last_are_told_of_first(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        clips.make_clip(tmp_path / "slow", "mjpeg-avi", 12, fps=1)
        assert score(model, tmp_path / "slow.avi", "--fps", 0.1, "--out", tmp_path / "out") == cli.ALL
        said = capfd.readouterr()
        assert "ucv: 1 recording: sampled more than 3 s apart, too sparse for a grade that lasts" in said.err
        assert "AI worst sustained: not gradable: 2 scored frames, 8 are needed" in said.out

    def test_a_long_look_through_is_told_once(
        self,
        model: Path,
        tmp_path: Path,
        clip: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        stills(tmp_path / "in", 3)
        monkeypatch.setattr(listing, "_LISTED_AT_ONCE", 1)
        monkeypatch.setattr(cli, "PATIENCE", -1.0)
        assert score(model, clip, tmp_path / "in", "--out", tmp_path / "out") == cli.ALL
        assert capfd.readouterr().err.count("looking through the files") == 1

    def test_damaged_frames_are_one_line(
        self, model: Path, tmp_path: Path, clip: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        assert score(model, clips.damage(clip, 0.5, 60), "--every", 1, "--out", out) == cli.PARTIAL
        lost = [row for row in rows(out) if row["reject_reason"].startswith("unreadable: this frame is dam")]
        assert len(rows(out)) == 150
        assert 1 < len(lost) < 60
        first, *rest = capfd.readouterr().err.splitlines()
        assert first.startswith(f"ucv: h264-mp4-150.mp4: {len(lost)} frames from ")
        assert f"(frame {lost[0]['frame_index']}) to " in first
        assert rest == [
            f"ucv: INCOMPLETE: not all of the recordings could be read; see INCOMPLETE.txt in {out}"
        ]
        assert f"{len(lost)} of 150 sampled frames could not be decoded" in note(out)

    def test_a_recording_that_breaks_off(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        path = clips.make_clip(tmp_path / "a", "h264-vfr-mkv", 150).path
        out = tmp_path / "out"
        assert score(model, clips.truncate(path, 0.5), "--out", out) == cli.PARTIAL
        assert "a.mkv: the recording breaks off, 4" in capfd.readouterr().err
        assert "a.mkv breaks off" in note(out)


class TestWhatIsWritten:
    def test_how_a_recording_was_looked_at(self, model: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        path = clips.frozen_clip(tmp_path / "held").path
        assert score(model, path, "--fps", 4, "--out", out) == cli.ALL
        assert {p.name for p in out.iterdir()} == FILES
        table = rows(out)
        assert [row["frame_index"] for row in table][:4] == ["0", "7", "13", "19"]
        assert [float(row["pts_seconds"]) for row in table] == pytest.approx(
            [int(row["frame_index"]) / 25 for row in table]
        )
        frozen = [float(row["pts_seconds"]) for row in table if row["reject_reason"] == FROZEN]
        assert frozen[0] == pytest.approx(2.5, abs=0.1)
        assert frozen[-1] == pytest.approx(3.75, abs=0.1)
        record = load(out / "run.json")
        assert record["provenance"]["sampling"] == "4 frames per second, each under its own time"
        assert record["provenance"]["sustained_rule"]["frames"] == 4
        assert record["provenance"]["quality_rules"]["frozen_after_seconds"] == 0.4
        [facts] = record["recordings"]
        assert (facts["frames"], facts["sampled"], facts["share"]) == (150, 24, 1.0)
        assert (facts["width"], facts["height"], facts["codec"]) == (320, 240, "h264")
        summary = load(out / "summary.json")
        assert summary["rejected_by_reason"][FROZEN] == len(frozen)
        assert summary["recordings"][0]["frames_looked_at"] == 24

    def test_every_third_frame(self, model: Path, tmp_path: Path, clip: Path) -> None:
        out = tmp_path / "out"
        assert score(model, clip, "--every", 3, "--out", out) == cli.ALL
        assert [int(row["frame_index"]) for row in rows(out)] == list(range(0, 150, 3))
        assert load(out / "run.json")["provenance"]["sampling"] == "every 3rd frame"

    def test_heatmaps_of_a_recording(self, model: Path, tmp_path: Path, clip: Path) -> None:
        out = tmp_path / "out"
        assert score(model, clip, "--fps", 1, "--heatmaps", "--out", out) == cli.ALL
        drawn = sorted(path.name for path in (out / "heatmaps").glob("*.png"))
        assert drawn == ["h264-mp4-150.mp4.png"] + [
            f"h264-mp4-150.mp4__{index:06d}.png" for index in range(25, 150, 25)
        ]

    def test_progress_for_programs(
        self, model: Path, tmp_path: Path, clip: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert score(model, clip, "--every", 2, "--json-progress", "--out", tmp_path / "out") == cli.ALL
        events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        assert events[0]["total"] == 75
        progress = [event for event in events if event["event"] == "progress"]
        assert [event["done"] for event in progress] == sorted(event["done"] for event in progress)
        assert (progress[-1]["done"], progress[-1]["total"], progress[-1]["eta_seconds"]) == (75, 75, 0)
        assert (events[-1]["exit_code"], events[-1]["interrupted"]) == (0, "")
        assert events[-1]["recordings"][0]["scored"] == 75


class TestDicom:
    def test_two_patients_are_named_by_their_files(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        for name, patient in (("a", "1"), ("b", "2")):
            data = dicom_files.jpeg_still(scene(64, 48), PatientID=patient, PatientName="Hong^Gildong")
            (tmp_path / f"{name}.dcm").write_bytes(data)
        assert score(model, tmp_path, "--out", tmp_path / "out") == cli.USAGE
        [line] = capfd.readouterr().err.splitlines()
        assert "name 2 different patients, such as a.dcm and b.dcm: put each" in line
        assert "Hong" not in line
        assert not (tmp_path / "out").exists()

    def test_frames_with_and_without_times(
        self, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.dcm").write_bytes(dicom_files.frames(range(0, 150, 5), FrameTime="200"))
        (tmp_path / "b.dcm").write_bytes(dicom_files.jpeg_frames(range(5)))
        out = tmp_path / "out"
        assert score(model, tmp_path / "a.dcm", tmp_path / "b.dcm", "--out", out) == cli.ALL
        table = rows(out)
        assert [row["frame_index"] for row in table if row["source_file"] == "b.dcm"] == list("01234")
        assert {row["pts_seconds"] for row in table if row["source_file"] == "b.dcm"} == {""}
        assert sum(row["source_file"] == "a.dcm" for row in table) == 12
        assert "AI worst sustained: MES " in capfd.readouterr().out


class TestWhatGoesAway:
    def test_a_recording_removed_while_it_is_scored(
        self,
        model: Path,
        tmp_path: Path,
        clip: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        second_batch(monkeypatch, clip.unlink)
        out = tmp_path / "out"
        assert score(model, clip, "--every", 1, "--batch", 4, "--out", out) == cli.PARTIAL
        table = rows(out)
        assert 8 <= len(table) < 40
        assert all(row["scored"] == "1" for row in table)
        assert [int(row["frame_index"]) for row in table] == list(range(len(table)))
        said = capfd.readouterr().err
        assert "ucv: h264-mp4-150.mp4: not there any more" in said
        assert "ucv: INCOMPLETE: the run ended early; see INCOMPLETE.txt" in said
        assert said.count("it was scored, but is not shown") == 1
        assert f"stopped after {len(table)} of 150 pictures (h264-mp4-150.mp4: not there" in note(out)
        assert load(out / "run.json")["complete"] is False
        assert load(out / "summary.json")["status"] == "INCOMPLETE"

    def test_programs_are_told_why(
        self,
        model: Path,
        tmp_path: Path,
        clip: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        second_batch(monkeypatch, clip.unlink)
        arguments = ("--every", 1, "--batch", 4, "--json-progress", "--out", tmp_path / "out")
        assert score(model, clip, *arguments) == cli.PARTIAL
        last = json.loads(capfd.readouterr().out.splitlines()[-1])
        assert last["exit_code"] == cli.PARTIAL
        assert last["status"] == "INCOMPLETE"
        assert "not there any more" in last["interrupted"]

    def test_heatmaps_of_one_that_went_away_are_one_line(
        self,
        model: Path,
        tmp_path: Path,
        clip: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        real = scoring._write_heatmaps

        def unplugged(*arguments: object) -> None:
            clip.unlink()
            real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(scoring, "_write_heatmaps", unplugged)
        score(model, clip, "--heatmaps", "--out", tmp_path / "out")
        assert capfd.readouterr().err.count("it was scored, but is not shown") == 1

    @pytest.mark.skipif(os.name != "posix", reason="signals to another process are a POSIX matter")
    def test_ctrl_c_in_the_middle(self, model: Path, tmp_path: Path, made: Path) -> None:
        path = clips.make_clip(tmp_path / "long", "mjpeg-avi", 600, numbered=lambda n: n % 7).path
        command = [sys.executable, "-W", "error", "-m", "uc_viewer.cli", "score", str(path), "--every", "1"]
        command += ["--model", str(model), "--device", "cpu", "--json-progress", "--out", str(tmp_path / "o")]
        environment = os.environ | LIGHT | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        lines: Iterator[str] = iter(process.stdout)
        next(line for line in lines if json.loads(line)["event"] == "progress")
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
        assert process.returncode == cli.STOPPED
        assert "stopping, results so far will be saved" in error
        assert "Traceback" not in error
        assert json.loads(output.splitlines()[-1])["status"] == "INCOMPLETE"
        assert 0 < len(rows(tmp_path / "o")) < 600
        assert "of 600 pictures" in note(tmp_path / "o")
