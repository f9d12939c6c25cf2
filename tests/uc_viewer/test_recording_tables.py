"""summary.json, run.json, frames.csv and the note INCOMPLETE, where there are recordings."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from recorded_runs import facts, recorded, run_of, still

from mtl_core.aggregate import STANDARD
from uc_viewer.case import Unreadable
from uc_viewer.report import tables

FRAMES = recorded("v.mp4", [(40, 1), (10, 2), (1, 3), (29, 1), (20, None)])
LOST = Unreadable("v.mp4", "the frame is damaged", "ab" * 32, 1250, 50.0)


class TestSummary:
    def test_what_lasts_stands_apart_from_the_highest_frame(self) -> None:
        told = tables.summarise(run_of([still("a.jpg", 0), *FRAMES], [facts("v.mp4", 100)]))
        assert told["highest_mes_ai"] == 0  # of the stills
        (one,) = told["recordings"]
        sustained = one["sustained"]
        assert sustained["mes_ai"] == 2
        assert (sustained["since_seconds"], sustained["until_seconds"]) == (20.0, 25.0)
        assert sustained["rule"] == {**asdict(STANDARD), "in_words": STANDARD.describe()}
        assert one["highest_single_frame"]["mes_ai"] == 3
        assert one["highest_single_frame"]["pts_seconds"] == 25.0
        assert one["grades"] == {"0": 0, "1": 69, "2": 10, "3": 1}
        assert one["shares"] == {"0": 0.0, "1": 0.8625, "2": 0.125, "3": 0.0125}
        assert (one["frames_looked_at"], one["scored"], one["damaged"]) == (100, 80, 0)
        assert (one["codec"], one["width"], one["share"], one["interlaced"]) == ("h264", 1920, 1.0, False)

    def test_not_gradable(self) -> None:
        (one,) = tables.summarise(run_of(recorded("v.mp4", [(3, 3)])))["recordings"]
        assert one["sustained"]["mes_ai"] is None
        assert one["sustained"]["not_gradable"] == "3 scored frames, 8 are needed"
        (none,) = tables.summarise(run_of([], [facts("v.mp4", 1)], [LOST]))["recordings"]
        assert none["sustained"]["not_gradable"] == "no frame could be decoded"
        assert none["shares"] == {}

    def test_stills_alone_have_no_such_part(self) -> None:
        run = run_of([still("a.jpg", 2)])
        assert "recordings" not in tables.summarise(run)
        assert "recordings" not in tables.record(run)
        assert tables.summarise(run)["highest_mes_ai"] == 2

    def test_all_of_it_is_strict_json(self, tmp_path: Path) -> None:
        run = run_of(FRAMES, [facts("v.mp4", 101)], [LOST])
        for name, told in (("summary", tables.summarise(run)), ("run", tables.record(run))):
            tables.write_json(told, tmp_path / name)
            assert json.loads((tmp_path / name).read_bytes()) == told


class TestRecord:
    def test_facts(self) -> None:
        told = tables.record(run_of(FRAMES, [facts("v.mp4", 100)]))
        assert told["recordings"] == [asdict(facts("v.mp4", 100))]

    def test_a_damaged_frame_is_named_with_its_place(self) -> None:
        shut = Unreadable("w.mp4", "not finalised")
        told = tables.record(run_of(FRAMES, [facts("v.mp4", 101)], [LOST, shut]))
        assert told["unreadable"] == [
            {"source_file": "v.mp4", "reason": LOST.reason, "frame_index": 1250, "pts_seconds": 50.0},
            {"source_file": "w.mp4", "reason": "not finalised"},
        ]

    @pytest.mark.parametrize(
        ("share", "lost", "status"),
        [(1.0, (), "COMPLETE"), (0.31, (), "INCOMPLETE"), (1.0, (LOST,), "INCOMPLETE")],
    )
    def test_status(self, share: float, lost: tuple[Unreadable, ...], status: str) -> None:
        run = run_of(FRAMES, [facts("v.mp4", 100, share=share)], lost)
        assert tables.record(run)["status"] == tables.summarise(run)["status"] == status
        assert tables.record(run)["complete"] is True  # the run itself came to its end


class TestFrames:
    def test_a_damaged_frame_has_its_own_row(self, tmp_path: Path) -> None:
        with tables.frame_table(tmp_path / "frames.csv") as table:
            table.add(FRAMES[2])
            table.add(LOST)
        with (tmp_path / "frames.csv").open(encoding="utf-8-sig", newline="") as file:
            scored, lost = csv.DictReader(file)
        assert (scored["frame_index"], scored["pts_seconds"]) == ("25", "1.000000")
        assert (lost["frame_index"], lost["pts_seconds"]) == ("1250", "50.000000")
        assert (lost["scored"], lost["reject_reason"]) == ("0", "unreadable: the frame is damaged")


class TestNote:
    def test_a_recording_that_breaks_off_keeps_the_note(self, tmp_path: Path) -> None:
        run = run_of(FRAMES, [facts("v.mp4", 100, share=0.31)])
        tables.begin(tmp_path)
        tables.mark(run, tmp_path)
        said = (tmp_path / tables.INCOMPLETE_NOTE).read_text(encoding="utf-8")
        assert said.startswith("INCOMPLETE: v.mp4 breaks off: 31 % of its stated duration is there")
        assert "Copy the recordings again" in said

    def test_why_a_run_ended_early_is_told(self, tmp_path: Path) -> None:
        tables.mark(run_of(FRAMES, complete=False, expected=300, interrupted="v.mp4 is gone"), tmp_path)
        said = (tmp_path / tables.INCOMPLETE_NOTE).read_text(encoding="utf-8")
        assert "stopped after 100 of 300 pictures (v.mp4 is gone)." in said

    def test_a_whole_one_does_not(self, tmp_path: Path) -> None:
        tables.begin(tmp_path)
        tables.mark(run_of(FRAMES, [facts("v.mp4", 100)]), tmp_path)
        assert list(tmp_path.iterdir()) == []
