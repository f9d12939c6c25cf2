"""Zip archives as a source: what lies inside, what tries to get out."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from still_files import encode, names, only, pack, put, reason, scene

from uc_viewer.sources import archive, pictures
from uc_viewer.sources.base import Frame, Unreadable
from uc_viewer.sources.listing import Files


class TestZip:
    def test_pictures_in_a_zip(self, tmp_path: Path) -> None:
        picture = encode(scene())
        entries = {"b/10.png": picture, "b/2.png": picture, "n.txt": b"x", "__MACOSX/._b.png": b"x"}
        source = Files([pack(tmp_path / "case.zip", entries)])
        assert names(source) == ["case.zip/b/2.png", "case.zip/b/10.png"]
        assert source.skipped == {".txt": 1}
        frame = source.reopen("case.zip/b/2.png", 0)
        np.testing.assert_array_equal(frame.image, scene())
        assert frame.source_sha256 == hashlib.sha256(picture).hexdigest()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["case.zip"]

    def test_zip_inside_a_folder(self, tmp_path: Path) -> None:
        put(tmp_path / "z.png")
        (tmp_path / "sub").mkdir()
        pack(tmp_path / "sub" / "x.zip", {"1.png": encode(scene()), "2.png": encode(scene())})
        assert names(Files([tmp_path])) == ["sub/x.zip/1.png", "sub/x.zip/2.png", "z.png"]

    @pytest.mark.parametrize(
        "name",
        ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "..\\evil.png", "../evil.sh"],
    )
    def test_names_that_point_outside(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "in").mkdir()
        path = pack(tmp_path / "in" / "x.zip", {name: encode(scene()), "good.png": encode(scene())})
        bad, good = sorted(Files([path]), key=lambda item: isinstance(item, Frame))
        assert isinstance(bad, Unreadable)
        assert "points outside the archive" in bad.reason
        assert isinstance(good, Frame)
        assert sorted(p.name for p in tmp_path.rglob("*")) == ["in", "x.zip"]

    def test_bomb_of_one_entry(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"bomb.png": bytes(80 * 2**20), "good.png": encode(scene())})
        bomb, good = Files([path])
        assert isinstance(bomb, Unreadable)
        assert "bomb" in bomb.reason
        assert isinstance(good, Frame)

    def test_bomb_of_many_entries(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "SMALL_TOTAL_BYTES", 3 * 2**20)
        path = pack(tmp_path / "x.zip", {f"{n}.png": bytes(2**20) for n in range(9)})
        read = [item.source_sha256 != "" for item in Files([path])]
        assert read == [True] * 3 + [False] * 6
        assert "beyond all proportion" in [i.reason for i in Files([path]) if isinstance(i, Unreadable)][-1]

    def test_sizes_stated_in_the_archive_are_not_trusted(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"liar.png": bytes(40 * 2**20)})
        data = bytearray(path.read_bytes())
        central = data.find(b"PK\x01\x02")
        data[central + 24 : central + 28] = struct.pack("<I", 1000)
        path.write_bytes(data)
        assert isinstance(only(path), Unreadable)

    def test_nested_encrypted_and_odd_entries(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"inner.zip": b"PK", "secret.png": encode(scene())})
        data = bytearray(path.read_bytes())
        central = data.rfind(b"PK\x01\x02")
        data[central + 8] |= 1
        path.write_bytes(data)
        inner, secret = Files([path])
        assert isinstance(inner, Unreadable)
        assert "zip inside a zip" in inner.reason
        assert isinstance(secret, Unreadable)
        assert "password" in secret.reason
        odd = pack(tmp_path / "y.zip", {"a.png": encode(scene())}, zipfile.ZIP_BZIP2)
        assert "unusual method" in reason(odd)

    def test_damage_inside(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"a.png": encode(scene())}, zipfile.ZIP_STORED)
        data = bytearray(path.read_bytes())
        data[200] ^= 0xFF
        path.write_bytes(data)
        assert "damaged inside the archive" in reason(path)

    @pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\x03\x04half a zip"])
    def test_no_zip(self, tmp_path: Path, data: bytes) -> None:
        assert "not a zip archive" in reason(put(tmp_path / "x.zip", data))

    def test_same_name_twice(self, tmp_path: Path) -> None:
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.png", encode(scene()))
            with pytest.warns(UserWarning, match="Duplicate name"):
                file.writestr("a.png", encode(scene(80, 80)))
        source = Files([path])
        sizes = {item.source_file: item.image.shape for item in source if isinstance(item, Frame)}
        assert sizes == {"x.zip/a.png": (48, 64, 3), "x.zip/a (2).png": (80, 80, 3)}

    def test_names_in_utf8_without_its_flag(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {"대장.png": encode(scene())})
        data = path.read_bytes()
        for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = data.find(magic) + flags
            data = data[: at + 1] + bytes([data[at + 1] & ~0x08]) + data[at + 2 :]
        path.write_bytes(data)
        assert names(Files([path])) == ["x.zip/대장.png"]

    def test_closing_the_iterator_closes_the_archive(self, tmp_path: Path) -> None:
        path = pack(tmp_path / "x.zip", {f"{n}.png": encode(scene()) for n in range(3)})
        stream = iter(Files([path]))
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        path.rename(tmp_path / "y.zip")  # an unclosed file would warn, and warnings are errors


def test_limits_are_what_the_messages_say() -> None:
    assert pictures.MAX_PIXELS == 40_000_000
    assert archive.MAX_ENTRY_BYTES == 256 * 2**20
