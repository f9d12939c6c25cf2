"""frames.csv, summary.json, run.json, heatmaps: exact layout, harmless text, whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mtl_core.files import replacing
from mtl_core.scores import FrameScores, Heatmap
from uc_viewer import paths
from uc_viewer.case import Case, FrameResult, Run, Unreadable
from uc_viewer.report import heatmaps, tables

HEADER = (
    "source_file,source_sha256,frame_index,pts_seconds,scored,reject_reason,"
    "p0,p1,p2,p3,mes_ai,p_active,active_ai,score_continuous"
)


def scored(name: str, *p: float, active: bool = True, pts: float | None = None) -> FrameResult:
    return FrameResult(name, "ab" * 32, 0, pts, FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], active))


def rejected(name: str, reason: str) -> FrameResult:
    return FrameResult(name, "cd" * 32, 0, None, FrameScores.rejected(reason))


MIXED: tuple[FrameResult | Unreadable, ...] = (
    scored("a/1.png", 0.1, 0.2, 0.3, 0.4),
    rejected("a/2.png", "too dark"),
    Unreadable("3.png", "cut short: export it again", "ef" * 32),
    scored("4, 대장.png", 0.7, 0.2, 0.06, 0.04, active=False, pts=1.28),
    scored("5.png", 0.1, 0.2, 0.3, 0.4),
    Unreadable("6.png", "no permission"),
)


def run(items: tuple[FrameResult | Unreadable, ...] = MIXED, *, complete: bool = True) -> Run:
    return Run(
        case=Case("P-1"),
        results=tuple(i for i in items if isinstance(i, FrameResult)),
        unreadable=tuple(i for i in items if isinstance(i, Unreadable)),
        started="2026-01-02T03:04:05+00:00",
        finished="2026-01-02T03:04:06+00:00",
        complete=complete,
        expected=len(items) if complete else len(items) + 4,
        provenance={"app": {"name": "UC Viewer"}},
    )


def write(path: Path, *items: FrameResult | Unreadable) -> list[dict[str, str]]:
    with tables.frame_table(path) as table:
        for item in items:
            table.add(item)
    return read(path)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


class TestFrames:
    def test_header_and_encoding(self, tmp_path: Path) -> None:
        write(tmp_path / "frames.csv", *MIXED)
        data = (tmp_path / "frames.csv").read_bytes()
        assert data.startswith(b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n")
        assert data.count(b"\xef\xbb\xbf") == 1
        assert data.endswith(b"\r\n")

    def test_rows(self, tmp_path: Path) -> None:
        first, dark, cut, second, _, shut = write(tmp_path / "frames.csv", *MIXED)
        assert first["p0"] == "0.100000"
        assert first["mes_ai"] == "3"
        assert (first["p_active"], first["active_ai"]) == ("0.700000", "1")
        assert first["score_continuous"] == "2.000000"
        assert (first["scored"], first["reject_reason"], first["pts_seconds"]) == ("1", "", "")
        assert second["source_file"] == "4, 대장.png"
        assert (second["active_ai"], second["pts_seconds"]) == ("0", "1.280000")
        numbers = ("p0", "p1", "p2", "p3", "mes_ai", "p_active", "active_ai", "score_continuous")
        for row, reason in (
            (dark, "too dark"),
            (cut, "unreadable: cut short: export it again"),
            (shut, "unreadable: no permission"),
        ):
            assert (row["scored"], row["reject_reason"]) == ("0", reason)
            assert {row[column] for column in numbers} == {""}
        assert (cut["source_sha256"], shut["source_sha256"]) == ("ef" * 32, "")

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
    def test_text_is_no_formula(self, tmp_path: Path, start: str) -> None:
        name = f'{start}HYPERLINK("http://x","y").png'
        (row,) = write(tmp_path / "frames.csv", rejected(name, f"{start}1+1"))
        assert row["source_file"] == f"'{name}"
        assert row["reject_reason"] == f"'{start}1+1"

    def test_text_that_needs_quotes_comes_back(self, tmp_path: Path) -> None:
        names = ['a"b".png', "a,b;c.png", "line\nbreak.png", "İğne ğüşıöç.png"]
        rows = write(tmp_path / "frames.csv", *[rejected(name, "blurred") for name in names])
        assert [row["source_file"] for row in rows] == names

    def test_rows_are_on_disk_before_the_end(self, tmp_path: Path) -> None:
        with tables.frame_table(tmp_path / "frames.csv") as table:
            table.add(MIXED[0])
            table.flush()
            (draft,) = tmp_path.iterdir()
            assert draft.name.startswith(".frames.csv")
            assert len(read(draft)) == 1

    def test_a_fault_leaves_the_earlier_file(self, tmp_path: Path) -> None:
        path = tmp_path / "frames.csv"
        write(path, MIXED[0])
        before = path.read_bytes()
        with pytest.raises(ZeroDivisionError), tables.frame_table(path) as table:
            table.add(rejected("b.png", str(1 // 0)))
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["frames.csv"]


class TestJson:
    def test_summary(self) -> None:
        facts = tables.summarise(run())
        assert facts["schema_version"] == 1
        assert facts["status"] == "COMPLETE"
        assert facts["counts"] == {"expected": 6, "scored": 3, "rejected": 1, "unreadable": 2, "active": 2}
        assert facts["grades"] == {"0": 1, "1": 0, "2": 0, "3": 2}
        assert facts["highest_mes_ai"] == 3
        assert facts["highest_p_active"]["source_file"] == "a/1.png"
        assert facts["rejected_by_reason"] == {"too dark": 1}
        assert facts["unreadable"][1] == {"source_file": "6.png", "reason": "no permission"}
        assert facts["intended_use"] == paths.intended_use()

    def test_summary_of_nothing(self) -> None:
        facts = tables.summarise(run((MIXED[2],)))
        assert facts["highest_mes_ai"] is None
        assert facts["highest_p_active"] is None

    def test_stills_have_no_shares(self) -> None:
        def numbers(value: Any) -> list[float]:
            if isinstance(value, dict):
                return [n for v in value.values() for n in numbers(v)]
            return [value] if isinstance(value, float) else []

        assert numbers(tables.summarise(run())) == [pytest.approx(0.7)]  # the highest P(active) alone

    def test_record(self) -> None:
        facts = tables.record(run())
        assert facts["complete"] is True
        assert facts["case"] == {"patient_id": "P-1", "synthetic": False}
        assert facts["inputs"][0] == {"source_file": "a/1.png", "sha256": "ab" * 32}
        assert len(facts["inputs"]) == 6
        assert facts["duplicates"] == [["a/1.png", "4, 대장.png", "5.png"]]
        assert tables.record(run(complete=False))["status"] == "INCOMPLETE"

    def test_json_is_utf8_and_strict(self, tmp_path: Path) -> None:
        path = tmp_path / "run.json"
        tables.write_json(tables.record(run()), path)
        assert "대장" in path.read_text(encoding="utf-8")
        assert json.loads(path.read_bytes()) == tables.record(run())
        before = path.read_bytes()
        with pytest.raises(ValueError, match="JSON"):
            tables.write_json({"value": float("nan")}, path)
        assert path.read_bytes() == before

    def test_note_of_an_incomplete_run_comes_and_goes(self, tmp_path: Path) -> None:
        note = tmp_path / tables.INCOMPLETE_NOTE
        tables.mark(run(), tmp_path)
        assert not note.exists()
        tables.mark(run(complete=False), tmp_path)
        assert "INCOMPLETE: this run was stopped after 6 of 10 pictures" in note.read_text(encoding="utf-8")
        everything = Run(**{**vars(run()), "complete": False})
        tables.mark(everything, tmp_path)
        assert "scoring is complete, the heatmaps are not" in note.read_text(encoding="utf-8")
        tables.mark(run(), tmp_path)
        assert not note.exists()

    def test_a_run_begins_with_the_note_and_without_old_drafts(self, tmp_path: Path) -> None:
        with replacing(tmp_path / "frames.csv") as file:  # what a run that was killed here would leave
            (draft,) = tmp_path.iterdir()
            file.write(b"rows")
            file.flush()
            left = {draft.name: draft.read_bytes()}
        left[".frames.csv.0123456789.part"] = left[".mine.csv.01234567.part"] = b"not ours"
        for name, data in left.items():
            (tmp_path / name).write_bytes(data)
        tables.begin(tmp_path)
        assert {p.name for p in tmp_path.iterdir()} == {
            *list(left)[1:], "frames.csv", tables.INCOMPLETE_NOTE,
        }  # fmt: skip
        said = (tmp_path / tables.INCOMPLETE_NOTE).read_text(encoding="utf-8")
        assert said.startswith("INCOMPLETE: the run into this folder is going on or was cut off")
        assert "different runs" in said


class TestReplacing:
    def test_full_disk_leaves_the_earlier_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(b"before")

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"), replacing(path) as file:
            file.write(b"after")
        assert path.read_bytes() == b"before"
        assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]

    @pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
    def test_results_are_as_readable_as_any_new_file(self, tmp_path: Path) -> None:
        with replacing(tmp_path / "a") as file:
            file.write(b"x")
        (tmp_path / "b").write_bytes(b"x")
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)

    def test_long_and_foreign_names(self, tmp_path: Path) -> None:
        path = tmp_path / ("대" * 80 + ".csv")
        with replacing(path) as file:
            file.write(b"x")
        assert path.read_bytes() == b"x"


def drawn(name: str) -> heatmaps.Drawn:
    overlay = np.full((40, 40, 3), 90, np.uint8)
    return heatmaps.Drawn(
        scored(name, 0, 0, 0, 1), overlay, Heatmap(np.zeros((40, 40), np.float32), 0.25, "MES 3")
    )


class TestHeatmaps:
    def test_overlays_and_their_table(self, tmp_path: Path) -> None:
        folder = tmp_path / "heatmaps"
        given = [
            "a.zip/x/1.png",
            "a.zip__x__1.png",
            "B.png",
            "b.png",
            'c<>:"|?*.png',
            "대" * 90 + ".png",
            "=1.png",
        ]
        assert heatmaps.write(folder, map(drawn, given)) == len(given)
        rows = read(folder / heatmaps.INDEX)
        assert [row["source_file"] for row in rows] == [*given[:-1], "'=1.png"]
        pictures = [row["picture"].removeprefix("'") for row in rows]
        assert pictures[0] == "a.zip__x__1.png.png"
        assert len({name.casefold() for name in pictures}) == len(given)
        assert {p.name for p in folder.iterdir()} == {*pictures, heatmaps.INDEX}
        assert (rows[0]["target"], rows[0]["method"], rows[0]["peak"]) == ("MES 3", "Grad-CAM", "0.25")
        with Image.open(folder / pictures[0]) as picture:
            assert picture.size == (40, 40)
            assert picture.info["Disclaimer"] == paths.intended_use()

    def test_a_later_run_takes_its_own_overlays_away_and_nothing_else(self, tmp_path: Path) -> None:
        heatmaps.write(tmp_path, map(drawn, ["a.png", "b.png"]))
        (tmp_path / "mine.png").write_bytes(b"x")
        heatmaps.write(tmp_path, [drawn("b.png")])
        assert {p.name for p in tmp_path.iterdir()} == {"b.png.png", "mine.png", heatmaps.INDEX}
        heatmaps.write(tmp_path, ())
        assert {p.name for p in tmp_path.iterdir()} == {"mine.png"}

    def test_a_run_killed_while_drawing_leaves_nothing_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heatmaps.write(tmp_path, map(drawn, ["old.png"]))
        real = os.replace

        def dies(draft: Path, path: Path) -> None:
            if path.name == "b.png.png":
                (tmp_path / ".b.png.png.0123abcd.part").write_bytes(b"half")
                raise KeyboardInterrupt
            real(draft, path)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", dies)
            with pytest.raises(KeyboardInterrupt):
                heatmaps.write(tmp_path, map(drawn, ["a.png", "b.png"]))
        assert not (tmp_path / "old.png.png").exists()
        assert (tmp_path / "a.png.png").exists()
        heatmaps.write(tmp_path, ())
        assert list(tmp_path.iterdir()) == []

    def test_a_table_in_another_encoding_stops_no_run(self, tmp_path: Path) -> None:
        (tmp_path / heatmaps.INDEX).write_bytes("picture\r\nm\xfcll.png\r\n".encode("latin-1"))
        assert heatmaps.write(tmp_path, map(drawn, ["a.png"])) == 1

    def test_a_forged_table_removes_nothing_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "other.png").write_bytes(b"x")
        folder = tmp_path / "heatmaps"
        folder.mkdir()
        text = f"source_file,picture\r\na,../other.png\r\nb,{tmp_path}/other.png\r\nc,..\\other.png\r\n"
        (folder / heatmaps.INDEX).write_text(text, encoding="utf-8")
        heatmaps.write(folder, ())
        assert (tmp_path / "other.png").exists()

    def test_nothing_makes_no_folder(self, tmp_path: Path) -> None:
        assert heatmaps.write(tmp_path / "heatmaps", ()) == 0
        assert not (tmp_path / "heatmaps").exists()
