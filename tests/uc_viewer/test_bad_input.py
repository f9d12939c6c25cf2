"""Bad input to `ucv score`: each gets one clear line and the run goes on."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ucv_runs import FILES, encoded, load, mucosa, rows, score, stills

from mtl_core import bundle
from uc_viewer.cli import main


def huge_png(width: int, height: int) -> bytes:
    """A real PNG of one grey level: many pixels, few bytes."""
    Image.MAX_IMAGE_PIXELS, before = None, Image.MAX_IMAGE_PIXELS
    try:
        return encoded("PNG", Image.new("1", (width, height)))
    finally:
        Image.MAX_IMAGE_PIXELS = before


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
