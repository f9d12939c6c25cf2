"""What lies under paths as a source: files, folders, several paths."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from still_files import encode, names, only, put, reason, scene

from uc_viewer.sources import archive
from uc_viewer.sources.base import Frame, SourceError, Unreadable
from uc_viewer.sources.listing import Files


class TestFolders:
    def test_natural_order_nested_and_hidden(self, tmp_path: Path) -> None:
        for name in ("b10.png", "b2.PNG", "a/1.jpg", "c/é.png"):
            put(tmp_path / name)
        for name in (".hidden.png", ".git/x.png", "__MACOSX/x.png"):
            put(tmp_path / name)
        for name in ("notes.txt", "Thumbs.db", "README"):
            put(tmp_path / name, b"x")
        source = Files([tmp_path])
        assert source.expected == 4
        assert names(source) == ["a/1.jpg", "b2.PNG", "b10.png", "c/é.png"]
        assert source.skipped == {".db": 1, ".txt": 1, "no ending": 1}

    def test_listing_decodes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "a.png")
        monkeypatch.setattr("uc_viewer.sources.stills.decode", lambda data: pytest.fail("decoded"))
        assert Files([tmp_path]).expected == 1

    @pytest.mark.parametrize("name", ["대장내시경 1.png", "İltihaplı bağırsak ığüşöç.png", "a'b;$(x) %s.png"])
    def test_names_of_any_script(self, tmp_path: Path, name: str) -> None:
        item = only(put(tmp_path / name).parent)
        assert isinstance(item, Frame)
        assert item.source_file == name

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux file names are any bytes")
    def test_names_that_are_no_text_can_be_written_as_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / os.fsdecode(b"\xb4\xeb\xc0\xe5.png")
        put(path)
        item = only(tmp_path)
        assert isinstance(item, Frame)
        assert item.source_file.encode("utf-8").endswith(b".png")
        assert Files([tmp_path]).reopen(item.source_file, 0).source_sha256 == item.source_sha256

    def test_frame_carries_the_hash_of_its_bytes(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.png")
        item = only(path)
        assert isinstance(item, Frame)
        assert item.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (item.index, item.pts_seconds) == (0, None)

    def test_no_folder_is_entered_twice(self, tmp_path: Path) -> None:
        put(tmp_path / "a" / "1.png")
        try:
            (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
        except OSError:
            pytest.skip("this system lets this user make no links")
        assert names(Files([tmp_path])) == ["a/1.png"]

    def test_very_deep_folders(self, tmp_path: Path) -> None:
        depth = 120
        put(tmp_path.joinpath(*["d"] * depth, "1.png"))
        assert names(Files([tmp_path])) == ["d/" * depth + "1.png"]

    def test_link_to_nothing_and_pipe(self, tmp_path: Path) -> None:
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes in this system's folders")
        (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
        os.mkfifo(tmp_path / "pipe.png")
        gone, pipe = Files([tmp_path])
        assert isinstance(gone, Unreadable)
        assert "link to nothing" in gone.reason
        assert isinstance(pipe, Unreadable)
        assert "not a plain file" in pipe.reason

    def test_gif_gets_a_line_in_a_folder(self, tmp_path: Path) -> None:
        put(tmp_path / "a.gif", encode(scene(), "GIF"))
        assert "GIF files are not accepted" in reason(tmp_path)

    def test_excluded_folder(self, tmp_path: Path) -> None:
        put(tmp_path / "a.png")
        put(tmp_path / "out" / "b.png")
        assert names(Files([tmp_path], exclude=[tmp_path / "out"])) == ["a.png"]
        assert names(Files([tmp_path / "out"], exclude=[tmp_path / "out"])) == ["b.png"]

    def test_no_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "a.png")
        put(tmp_path / "shut" / "b.png")
        put(tmp_path / "z.png")
        real_open, real_scan = Path.open, os.scandir

        def refuse_file(path: Path, *args: object) -> object:
            if path.name == "a.png":
                raise PermissionError(13, "Permission denied", str(path))
            return real_open(path, *args)  # type: ignore[arg-type]

        def refuse_folder(path: Path) -> object:
            if path.name == "shut":
                raise PermissionError(13, "Permission denied", str(path))
            return real_scan(path)

        monkeypatch.setattr(Path, "open", refuse_file)
        monkeypatch.setattr(os, "scandir", refuse_folder)
        first, folder, last = Files([tmp_path])
        for item, name in ((first, "a.png"), (folder, "shut")):
            assert isinstance(item, Unreadable)
            assert item.source_file == name
            assert "no permission" in item.reason
            assert item.source_sha256 == ""
        assert isinstance(last, Frame)

    def test_oversized_file_is_not_read(self, tmp_path: Path) -> None:
        with put(tmp_path / "a.png").open("r+b") as file:
            file.truncate(archive.MAX_ENTRY_BYTES + 1)
        assert "larger than 256 MB" in reason(tmp_path)


class TestPaths:
    def test_file_given_directly_is_always_tried(self, tmp_path: Path) -> None:
        assert "text" in reason(put(tmp_path / "notes.txt", b"hello"))
        assert isinstance(only(put(tmp_path / "picture")), Frame)

    def test_several_paths_carry_their_folders_names(self, tmp_path: Path) -> None:
        for name in ("x/case/a.png", "y/case/a.png", "a.png", "z/a.png"):
            put(tmp_path / name)
        source = Files([tmp_path / p for p in ("x/case", "y/case", "a.png", "z/a.png")])
        assert names(source) == ["case/a.png", "case (2)/a.png", "a.png", "a (2).png"]

    def test_nothing_is_scored_twice(self, tmp_path: Path) -> None:
        path = put(tmp_path / "f" / "a.png")
        assert names(Files([path.parent, path.parent])) == ["a.png"]
        assert names(Files([path.parent, path])) == ["f/a.png"]
        assert names(Files([path, path.parent])) == ["a.png"]

    def test_current_folder_has_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "case" / "a.png")
        put(tmp_path / "b.png")
        monkeypatch.chdir(tmp_path / "case")
        assert names(Files([Path(".")])) == ["a.png"]
        assert names(Files([Path("."), tmp_path / "b.png"])) == ["case/a.png", "b.png"]

    def test_missing_path(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"gone\.png: no such file"):
            Files([tmp_path / "gone.png"])

    def test_reopen(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.png")
        put(tmp_path / "b.png", b"")
        source = Files([tmp_path])
        np.testing.assert_array_equal(source.reopen("a.png", 0).image, scene())
        with pytest.raises(KeyError):
            source.reopen("c.png", 0)
        with pytest.raises(KeyError):
            source.reopen("a.png", 1)
        with pytest.raises(SourceError, match=r"b\.png: the file is empty"):
            source.reopen("b.png", 0)
        path.unlink()
        with pytest.raises(SourceError, match=r"a\.png: not there"):
            source.reopen("a.png", 0)


def test_real_frames_decode(shared_data: Path) -> None:
    folder = shared_data / "mes0-fullres"
    items = list(Files([folder]))
    assert len(items) == len(list(folder.glob("*.png")))
    assert all(isinstance(item, Frame) and item.image.shape == (576, 720, 3) for item in items)


class TestBesideOtherSources:
    def test_names_differ_and_files_are_listed_once(self, tmp_path: Path) -> None:
        for name in ("one/a.png", "two/a.png", "two/b.png"):
            put(tmp_path / name)
        first = Files([tmp_path / "one"])
        second = Files([tmp_path / "one", tmp_path / "two" / "a.png"], beside=[first])
        assert [name for name, _ in second.keys] == ["a (2).png"]
        assert second.known == 1
        third = Files([tmp_path / "two"], beside=[first, second])
        assert [name for name, _ in third.keys] == ["b.png"]

    def test_a_listing_in_steps_is_the_listing(self, tmp_path: Path) -> None:
        for number in range(1100):
            put(tmp_path / f"{number}.png", b"x")
        listing, found = Files.listing([tmp_path]), []
        while True:
            try:
                found.append(next(listing))
            except StopIteration as end:
                source = end.value
                break
        assert found == sorted(found)
        assert len(found) >= 3
        assert source.keys == Files([tmp_path]).keys


class TestThumbnails:
    def test_a_thumbnail_is_the_picture_made_small_and_upright(self, tmp_path: Path) -> None:
        big = np.asarray(scene(640, 480))
        put(tmp_path / "a.jpg", encode(scene(640, 480), "JPEG", quality=95))
        source = Files([tmp_path])
        small = source.thumbnail("a.jpg", 0, 160)
        assert small.shape == (120, 160, 3)
        mean = big.reshape(120, 4, 160, 4, 3).mean((1, 3))
        assert np.abs(small.astype(float) - mean).mean() < 4

    def test_no_thumbnail_of_what_is_no_picture(self, tmp_path: Path) -> None:
        put(tmp_path / "a.jpg", b"text")
        with pytest.raises(SourceError, match=r"a\.jpg: not a picture but text"):
            Files([tmp_path]).thumbnail("a.jpg", 0, 160)
