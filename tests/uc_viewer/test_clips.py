"""The recordings that tests rely on: every kind shows the numbers and has the times that it claims."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import clips
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

FRAMES = 75
REFORMATTER = VideoReformatter()


def decode(path: Path) -> list[av.VideoFrame]:
    """All frames from the first to the last; those of packets that no longer decode are missing."""
    frames: list[av.VideoFrame] = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            try:
                frames += packet.decode()
            except av.FFmpegError:
                continue
    return frames


def rgb(frame: av.VideoFrame) -> np.ndarray:
    return REFORMATTER.reformat(frame, format="rgb24").to_ndarray()


def number(frame: av.VideoFrame) -> int | None:
    try:
        return clips.read_number(rgb(frame))
    except ValueError:
        return None


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.mark.parametrize("kind", clips.KINDS)
def test_every_frame_shows_its_number_at_its_time(folder: Path, kind: str) -> None:
    clip = clips.kept(folder, kind, FRAMES)
    frames = decode(clip.path)
    assert [number(frame) for frame in frames] == list(range(FRAMES))
    if clips.KINDS[kind].stamped:
        assert [frame.time for frame in frames] == pytest.approx(clip.times)
    assert {frame.interlaced_frame for frame in frames} == {clips.KINDS[kind].interlaced}
    between = {frame.pict_type for frame in frames}
    assert (av.video.frame.PictureType.B in between) == (clips.KINDS[kind].b_frames > 0)


def test_the_fields_of_an_interlaced_frame_show_two_moments(folder: Path) -> None:
    for kind, comb in (("mpeg2-interlaced", True), ("h264-interlaced", True), ("mpeg2-ps", False)):
        picture = rgb(decode(clips.kept(folder, kind, FRAMES).path)[30])[:200].astype(int)
        neighbours = np.abs(np.diff(picture, axis=0)).mean()
        within_a_field = np.abs(picture[2:] - picture[:-2]).mean()
        assert (neighbours > within_a_field) == comb, kind


def test_a_picture_that_is_a_blend_or_damaged_gives_no_number() -> None:
    first, second = clips.draw(5), clips.draw(6)
    assert clips.read_number(first) == 5
    assert clips.read_number(cv2.resize(first, (64, 48), interpolation=cv2.INTER_AREA)) == 5
    with pytest.raises(ValueError, match="unclear"):
        clips.read_number(((first.astype(int) + second) // 2).astype(np.uint8))
    flipped = first.copy()
    flipped[210:, : 320 // 18] = 255 - flipped[210:, : 320 // 18]
    with pytest.raises(ValueError, match="parity"):
        clips.read_number(flipped)
    with pytest.raises(ValueError, match="does not fit"):
        clips.draw(1 << 16)


def test_a_cut_mp4_has_lost_its_index_and_a_cut_mkv_its_end(folder: Path, tmp_path: Path) -> None:
    cut = clips.truncate(clips.copy_of(clips.kept(folder, "h264-mp4", FRAMES), tmp_path), 0.6)
    with pytest.raises(av.InvalidDataError):
        av.open(str(cut))
    cut = clips.truncate(clips.copy_of(clips.kept(folder, "h264-vfr-mkv", FRAMES), tmp_path), 0.6)
    assert 25 < len(decode(cut)) < 60


@pytest.mark.parametrize("kind", clips.KINDS)
def test_damage_spoils_some_frames_and_leaves_the_rest(folder: Path, tmp_path: Path, kind: str) -> None:
    path = clips.damage(clips.copy_of(clips.kept(folder, kind, FRAMES), tmp_path))
    told = [number(frame) for frame in decode(path)]
    assert told != list(range(FRAMES))
    assert told[:25] == list(range(25))
    assert len(told) >= 70


def test_files_without_pictures(tmp_path: Path) -> None:
    with av.open(str(clips.audio_only(tmp_path / "hum.mp4"))) as container:
        assert not container.streams.video
        assert container.duration >= 2 * av.time_base
    with av.open(str(clips.no_frames(tmp_path / "none.avi"))) as container:
        assert len(container.streams.video) == 1
        assert [packet for packet in container.demux(video=0) if packet.size] == []


@pytest.mark.parametrize("kind", ["h264-mp4", "mjpeg-mov"])
def test_a_rotation_is_told_and_the_pixels_stay(folder: Path, tmp_path: Path, kind: str) -> None:
    path = clips.copy_of(clips.kept(folder, kind, FRAMES), tmp_path)
    for clockwise, told in ((90, -90), (180, -180), (270, 90), (0, 0)):
        frame = decode(clips.rotated(path, clockwise))[7]
        assert frame.rotation == told
        assert number(frame) == 7


def test_a_late_start(tmp_path: Path) -> None:
    clip = clips.late_start(tmp_path / "late")
    frames = decode(clip.path)
    assert clip.times[0] == 10
    assert [frame.time for frame in frames] == pytest.approx(clip.times)


def test_absurd_headers_hide_sound_pictures(folder: Path, tmp_path: Path) -> None:
    path = clips.absurd_header(clips.copy_of(clips.kept(folder, "h264-mp4", FRAMES), tmp_path))
    assert path.read_bytes().count(struct.pack(">HH", 30000, 30000)) == 1
    assert [number(frame) for frame in decode(path)] == list(range(FRAMES))
    path = clips.absurd_header(clips.copy_of(clips.kept(folder, "h264-vfr-mkv", FRAMES), tmp_path))
    with av.open(str(path)) as container:
        assert container.duration == 1000 * 3600 * av.time_base
    assert [number(frame) for frame in decode(path)] == list(range(FRAMES))


def test_huge_pictures_are_huge(tmp_path: Path) -> None:
    path = clips.huge_pictures(tmp_path / "huge.avi")
    assert path.stat().st_size < 2**20
    with av.open(str(path)) as container:
        assert container.streams.video[0].width * container.streams.video[0].height == 48_000_000


def test_a_frozen_stretch_is_one_picture(tmp_path: Path) -> None:
    told = [number(frame) for frame in decode(clips.frozen_clip(tmp_path / "frozen").path)]
    assert told == [*range(50), *[50] * 50, *range(100, 150)]
