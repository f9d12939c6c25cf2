"""Files that are called recordings: which are opened, which are whole, and that they are let go of."""

from __future__ import annotations

import gc
import os
import random
import struct
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import av
import clips
import dicom_files
import numpy as np
import pytest
from still_files import encode

from uc_viewer.sources import video, video_seeking
from uc_viewer.sources.base import Frame, SourceError, Unreadable
from uc_viewer.sources.listing import Files
from uc_viewer.sources.sampling import Sampling
from uc_viewer.sources.video_structure import goes_to_its_end, is_text

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux tells in /proc")
ALL = Sampling(None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


def share(path: Path) -> float | None:
    [facts] = Files([path]).recordings
    return facts.share


def reason(path: Path) -> str:
    [item] = Files([path])
    assert isinstance(item, Unreadable)
    return item.reason


def cut(path: Path, target: Path, part: float) -> Path:
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * part)])
    return target


def fragmented(path: Path) -> Path:
    """An mp4 in pieces that each can be read by themselves, as recorders write it that may lose power."""
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "25"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(150):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(clips.draw(number), format="rgb24")))
        container.mux(stream.encode())
    return path


def trimmed(path: Path, since: int, seconds: int) -> Path:
    """Let an mp4 show only some seconds of itself, by its edit list (ISO/IEC 14496-12, 8.6.6)."""
    data = bytearray(path.read_bytes())
    edits, film, media = data.index(b"elst"), data.index(b"mvhd"), data.index(b"mdhd")
    (ticks,) = struct.unpack(">I", data[film + 16 : film + 20])
    (units,) = struct.unpack(">I", data[media + 16 : media + 20])
    _, start, rate = struct.unpack(">IiI", data[edits + 12 : edits + 24])
    data[edits + 12 : edits + 24] = struct.pack(">IiI", seconds * ticks, start + since * units, rate)
    path.write_bytes(data)
    return path


class TestWholeOrNot:
    @pytest.mark.parametrize("kind", clips.KINDS)
    def test_whole_ones_are_whole(self, made: Path, kind: str) -> None:
        path = clips.kept(made, kind, 150).path
        with av.open(str(path)) as container:
            name = container.format.name
        with path.open("rb") as file:
            told = goes_to_its_end(file, name)
        assert told is (None if path.suffix == ".mpg" else True)
        assert share(path) == 1.0

    def test_what_is_cut_off_says_how_much_is_there_or_that_nobody_knows(
        self, made: Path, tmp_path: Path
    ) -> None:
        assert share(cut(clips.kept(made, "mpeg4-avi", 150).path, tmp_path / "a.avi", 0.6)) == pytest.approx(
            0.6, abs=0.05
        )
        assert share(cut(clips.kept(made, "wmv", 150).path, tmp_path / "a.wmv", 0.6)) is None
        whole = fragmented(tmp_path / "f.mp4")
        assert share(whole) == 1.0
        assert share(cut(whole, tmp_path / "g.mp4", 0.6)) is None

    @pytest.mark.parametrize(("since", "seconds", "first"), [(2, 2, 50), (0, 1, 0)])
    def test_a_trimmed_recording_is_whole(
        self, made: Path, tmp_path: Path, since: int, seconds: int, first: int
    ) -> None:
        path = trimmed(clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path), since, seconds)
        source = Files([path], sampling=ALL)
        [facts] = source.recordings
        assert (facts.share, facts.frames) == (1.0, 25 * seconds)
        numbers = [clips.read_number(item.image) for item in source if isinstance(item, Frame)]
        assert numbers == list(range(first, first + 25 * seconds))

    def test_packets_of_a_camcorder_are_192_bytes_long(self, made: Path, tmp_path: Path) -> None:
        data = clips.kept(made, "h264-ts", 150).path.read_bytes()
        path = tmp_path / "a.m2ts"
        packets = [data[at : at + 188] for at in range(0, len(data), 188)]
        path.write_bytes(b"".join(bytes(4) + packet for packet in packets))
        assert len(data) // 188 * 192 % 188 != 0
        assert share(path) == 1.0
        path.write_bytes(path.read_bytes()[:-100])
        assert share(path) is None

    def test_a_name_of_a_format_nobody_asked_about(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"\0" * 5000)
        for name in ("mov", "avi", "matroska,webm", "asf", "mpegts", "mpeg"):
            with (tmp_path / "a").open("rb") as file:
                assert goes_to_its_end(file, name) in (None, True)

    def test_text(self) -> None:
        assert is_text("const größe: number = 1;\n".encode())
        assert is_text(("x" * 511 + "대").encode()[:512])
        assert not is_text(b"")
        assert not is_text(b"G\x40\x00\x10" * 100)
        assert not is_text(b"\xff\xfe" * 100)


class TestWhatIsNoRecording:
    @pytest.mark.parametrize("name", ["p.mp4", "p.ts", "p.dcm", "p"])
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path, name: str) -> None:
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes in this system's folders")
        os.mkfifo(tmp_path / name)
        source = Files([tmp_path])
        if name == "p":
            assert source.skipped == {"no ending": 1}
        else:
            assert "not a plain file" in reason(tmp_path)
        assert "not a plain file" in reason(tmp_path / name)

    def test_scripts_called_ts_are_passed_over(self, made: Path, tmp_path: Path) -> None:
        (tmp_path / "app.ts").write_text("export const größe: number = 1;\n", "utf-8")
        (tmp_path / "mod.mts").write_text("export {}\n")
        clips.copy_of(clips.kept(made, "h264-ts", 150), tmp_path)
        source = Files([tmp_path])
        assert source.skipped == {".mts": 1, ".ts": 1}
        assert list(source.names) == ["h264-ts-150.ts"]
        assert "not a recording but text" in reason(tmp_path / "app.ts")

    def test_play_lists_and_scripts_open_no_other_file(self, made: Path, tmp_path: Path) -> None:
        clips.copy_of(clips.kept(made, "h264-ts", 150), tmp_path)
        for name, text in {
            "a.mp4": "ffconcat version 1.0\nfile 'h264-ts-150.ts'\n",
            "b.mkv": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.0,\nh264-ts-150.ts\n#EXT-X-ENDLIST\n",
            "c.mp4": "ffconcat version 1.0\n#\0\nfile 'h264-ts-150.ts'\n",
        }.items():
            (tmp_path / name).write_text(text)
            assert reason(tmp_path / name)

    def test_a_picture_called_mp4(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_bytes(encode(clips.draw(1), "JPEG"))
        assert "cannot be opened as a video" in reason(tmp_path / "a.mp4")

    def test_a_link_to_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").symlink_to(tmp_path / "nowhere.mp4")
        assert "link to nothing" in reason(tmp_path)

    def test_a_large_file_of_nothing(self, tmp_path: Path) -> None:
        for ending in ("mp4", "avi", "mkv", "mpg", "ts", "wmv"):
            with (tmp_path / f"a.{ending}").open("wb") as file:
                file.truncate(3 * 2**30)
            assert "cannot be opened as a video" in reason(tmp_path / f"a.{ending}")


class TestNames:
    def test_a_colon_is_no_protocol(
        self, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if os.name != "posix":
            pytest.skip("no colon in names on this system")
        clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path).rename(tmp_path / "10:15 case.mp4")
        monkeypatch.chdir(tmp_path)
        source = Files([Path("10:15 case.mp4")])
        assert clips.read_number(source.reopen("10:15 case.mp4", 7).image) == 7
        source.close()

    @LINUX
    def test_a_name_that_is_no_text(self, made: Path, tmp_path: Path) -> None:
        odd = tmp_path / os.fsdecode(b"\xb4\xeb\xc0\xe5.mp4")
        clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path).rename(odd)
        source = Files([odd])
        assert len([item for item in source if isinstance(item, Frame)]) == 12
        source.close()


def held() -> tuple[int, int]:
    """How many files and threads this process has."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def dicom_video(folder: Path) -> Path:
    path = folder / "v.dcm"
    data = dicom_files.stream("h264-mp4", folder, count=150)
    path.write_bytes(dicom_files.video(data, dicom_files.STREAMS["h264-mp4"][1], 3, NumberOfFrames=150))
    return path


@LINUX
class TestLettingGo:
    @pytest.fixture(params=["file", "dicom"])
    def path(self, request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> Path:
        if request.param == "dicom":
            return dicom_video(tmp_path)
        return clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path)

    def test_two_hundred_frames_opened_again_cost_no_more_than_one(self, path: Path) -> None:
        gc.collect()
        gc.disable()  # what is closed must not wait for it
        try:
            files, threads = held()
            source = Files([path], sampling=ALL)
            assert len(list(source)) == 150
            assert held()[0] == files
            for number in range(200):
                source.reopen(path.name, number * 37 % 150)
                source.thumbnail(path.name, number * 11 % 150, 64)
            opened = held()
            assert opened[0] == files + 2
            assert opened[1] <= threads + 4 * video_seeking.MOST_OPEN + 4 * (os.cpu_count() or 1)
            source.close()
            assert held()[0] == files
        finally:
            gc.enable()

    def test_a_walk_broken_off_and_one_that_fails(self, path: Path, tmp_path: Path) -> None:
        gc.collect()
        files, _ = held()
        items = iter(Files([path], sampling=ALL))
        next(items)
        assert held()[0] == files + 1
        items.close()  # type: ignore[attr-defined]
        assert held()[0] == files
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(path.read_bytes()[:-20000])
        for _ in range(5):
            list(Files([broken]))
        assert held()[0] == files


class TestManyVideos:
    def test_only_those_used_last_stay_open(self, made: Path, tmp_path: Path) -> None:
        clip = clips.kept(made, "h264-mp4", 150)
        for number in range(7):
            clips.copy_of(clip, tmp_path).rename(tmp_path / f"{number}.mp4")
        source = Files([tmp_path])
        for name in source.names:
            assert clips.read_number(source.reopen(name, 60).image) == 60
            source.thumbnail(name, 60, 64)
        readers = [source.recording(name) for name in source.names]
        opened = [video._looking._open is not None for video in readers]  # type: ignore[union-attr]
        assert opened == [False] * (7 - video_seeking.MOST_OPEN) + [True] * video_seeking.MOST_OPEN
        kept = [len(video._looking._kept) for video in readers]  # type: ignore[union-attr]
        assert kept[: 7 - video_seeking.MOST_OPEN] == [0] * (7 - video_seeking.MOST_OPEN)
        assert clips.read_number(source.reopen("0.mp4", 61).image) == 61
        source.close()

    def test_the_shelf_keeps_nothing_alive(self, made: Path) -> None:
        source = Files([clips.kept(made, "h264-mp4", 150).path])
        source.reopen("h264-mp4-150.mp4", 3)
        gone = weakref.ref(source.recording("h264-mp4-150.mp4"))
        del source
        gc.collect()
        assert gone() is None

    def test_one_at_work_is_not_closed(self) -> None:
        class Book:
            def __init__(self, busy: bool) -> None:
                self.busy, self.closed = busy, 0

            def close_unless_busy(self) -> bool:
                self.closed += not self.busy
                return not self.busy

        shelf = video_seeking.Shelf(most=1)
        first, second, third = Book(True), Book(False), Book(False)
        shelf.use(first)
        shelf.use(second)
        assert first.closed == 0
        first.busy = False
        shelf.use(third)
        assert (first.closed, second.closed, third.closed) == (1, 1, 0)

    def test_several_threads_get_the_very_frames(
        self, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(video, "KEPT_BYTES", 2**20)
        for kind in ("h264-mp4", "mpeg2-ps", "h264-vfr-mkv", "mpeg4-avi", "hevc-mkv"):
            clips.copy_of(clips.kept(made, kind, 150), tmp_path)
        source = Files([tmp_path], sampling=Sampling(5))
        wrong: list[object] = []

        def work(task: Callable[[random.Random], None], seed: int) -> None:
            try:
                task(random.Random(seed))
            except BaseException as error:
                wrong.append(error)

        def look(rng: random.Random) -> None:
            for _ in range(60):
                name, index = rng.choice(list(source.names)), rng.randrange(150)
                if clips.read_number(source.reopen(name, index).image) != index:
                    wrong.append((name, index))
                source.thumbnail(name, rng.randrange(150), 64)

        def score(rng: random.Random) -> None:
            for item in source:
                if not isinstance(item, Frame) or clips.read_number(item.image) != item.index:
                    wrong.append(item)

        def shut(rng: random.Random) -> None:
            for _ in range(20):
                source.close()
                threading.Event().wait(0.02)

        tasks = [look, look, look, score, score, shut]
        threads = [threading.Thread(target=work, args=(task, n)) for n, task in enumerate(tasks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        source.close()
        assert not any(thread.is_alive() for thread in threads)
        assert wrong == []


def test_a_stream_is_closed_if_it_holds_no_video(made: Path) -> None:
    handed: list[BinaryIO] = []

    def opener() -> BinaryIO:
        handed.append((made / "text").open("rb"))
        return handed[-1]

    (made / "text").write_bytes(np.random.default_rng(2).bytes(4000))
    with pytest.raises(SourceError, match="cannot be opened"):
        list(video.Video.opening(made / "text", "t", ALL, opener))
    assert handed
    assert all(stream.closed for stream in handed)
