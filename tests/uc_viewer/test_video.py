"""Videos: exact frames at random, odd files, broken files."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import clips
import numpy as np
import pytest

from uc_viewer.sources import video
from uc_viewer.sources.base import Frame, SourceError, SourceGone, Unreadable
from uc_viewer.sources.listing import Files
from uc_viewer.sources.sampling import Sampling

ALL = Sampling(None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where clips are kept for the tests of this file."""
    return tmp_path_factory.mktemp("clips")


def only(path: Path, sampling: Sampling = ALL) -> tuple[Files, list[Frame], list[Unreadable]]:
    source = Files([path], sampling=sampling)
    items = list(source)
    lost = [item for item in items if isinstance(item, Unreadable)]
    return source, [item for item in items if isinstance(item, Frame)], lost


def refusal(path: Path) -> str:
    [item] = Files([path])
    assert isinstance(item, Unreadable)
    return item.reason


@pytest.mark.parametrize("kind", clips.KINDS)
class TestExactFrames:
    def test_every_frame_has_its_place_and_time(self, made: Path, kind: str) -> None:
        clip = clips.kept(made, kind, 150)
        source, frames, lost = only(clip.path)
        assert lost == []
        assert [clips.read_number(frame.image) for frame in frames] == list(range(150))
        if clips.KINDS[kind].stamped:
            assert np.allclose([frame.pts_seconds for frame in frames], clip.times, atol=1e-3)
        [facts] = source.recordings
        assert (facts.frames, facts.width, facts.height, facts.share) == (150, 320, 240, 1.0)
        assert facts.interlaced == ("interlaced" in kind)

    def test_random_seeks_find_the_very_frame(
        self, made: Path, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(video, "KEPT_BYTES", 0)  # each is decoded anew
        source = Files([clips.kept(made, kind, 150).path])
        [name] = source.names
        for number in random.Random(3).sample(range(150), 20):
            assert clips.read_number(source.reopen(name, number).image) == number
            source.thumbnail(name, (number * 7) % 150, 64)
        source.close()

    def test_a_sparse_sample_is_the_same_as_all(self, made: Path, kind: str) -> None:
        _, frames, lost = only(clips.kept(made, kind, 150).path, Sampling(0.7))
        assert lost == []
        assert frames
        assert [clips.read_number(frame.image) for frame in frames] == [frame.index for frame in frames]


class TestOddFiles:
    def test_a_turned_picture_is_upright(self, made: Path, tmp_path: Path) -> None:
        path = clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path)
        whole = Files([path]).reopen(path.name, 7).image
        for degrees, turns in ((90, 3), (180, 2), (270, 1)):
            source = Files([clips.rotated(path, degrees)])
            turned = source.reopen(path.name, 7).image
            assert np.array_equal(turned, np.rot90(whole, turns))  # rot90 counts counter-clockwise
            [facts] = source.recordings
            assert (facts.height, facts.width) == turned.shape[:2]

    def test_times_are_the_containers_own(self, tmp_path: Path) -> None:
        clip = clips.late_start(tmp_path / "late", frames=50)
        _, frames, _ = only(clip.path, Sampling(2))
        assert frames[0].pts_seconds == pytest.approx(10.0, abs=1e-3)

    def test_a_field_is_not_woven_into_another(self, made: Path) -> None:
        _, frames, _ = only(clips.kept(made, "mpeg2-interlaced", 150).path, Sampling(1))
        for frame in frames:
            rows = frame.image[: int(frame.image.shape[0] * 0.8)].astype(int)
            comb = np.abs(rows[1:-1:2] * 2 - rows[:-2:2] - rows[2::2]).mean()
            assert comb < 2.5

    def test_a_name_of_any_script(self, made: Path, tmp_path: Path) -> None:
        path = clips.copy_of(clips.kept(made, "h264-ts", 150), tmp_path)
        named = path.rename(tmp_path / "대장내시경 İltihaplı ığüşöç.ts")
        _, frames, _ = only(named, Sampling(1))
        assert {frame.source_file for frame in frames} == {named.name}


class TestBrokenFiles:
    def test_a_recording_without_its_table_of_contents(self, made: Path, tmp_path: Path) -> None:
        path = clips.truncate(clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path), 0.5)
        assert "not finalised" in refusal(path)
        assert "Finalise it on the recorder" in refusal(path)

    def test_what_is_there_of_a_recording_that_breaks_off(self, made: Path, tmp_path: Path) -> None:
        path = clips.truncate(clips.copy_of(clips.kept(made, "h264-vfr-mkv", 150), tmp_path), 0.4)
        source, frames, _ = only(path)
        [facts] = source.recordings
        assert facts.share == pytest.approx(0.4, abs=0.1)
        assert [clips.read_number(frame.image) for frame in frames] == list(range(len(frames)))
        assert len(frames) > 40

    def test_a_stream_that_breaks_off_within_a_packet_states_no_share(
        self, made: Path, tmp_path: Path
    ) -> None:
        path = clips.copy_of(clips.kept(made, "h264-ts", 150), tmp_path)
        with path.open("r+b") as file:
            file.truncate(188 * (path.stat().st_size // 376) + 90)
        source, frames, _ = only(path)
        assert source.recordings[0].share is None
        assert len(frames) > 40

    @pytest.mark.parametrize(
        "kind", ["h264-mp4", "h264-vfr-mkv", "h264-ts", "mpeg2-ps", "mpeg4-avi", "mjpeg-avi"]
    )
    @pytest.mark.parametrize("where", [0.3, 0.52, 0.71])
    def test_damaged_frames_are_counted_and_never_given(
        self, made: Path, tmp_path: Path, kind: str, where: float
    ) -> None:
        clip = clips.kept(made, kind, 150)
        source, frames, lost = only(clips.damage(clips.copy_of(clip, tmp_path), where, 60))
        assert len(frames) + len(lost) == 150
        assert 0 < len(lost) <= 60
        assert all("damaged" in item.reason and item.pts_seconds is not None for item in lost)
        wrong = [frame.index for frame in frames if number(frame) != frame.index]
        assert wrong == []
        for (
            item
        ) in lost:  # a frame that only waited for a damaged one may be had by itself, but never a wrong one
            with suppress(SourceError):
                assert number(source.reopen(*item.key)) == item.index

    def test_nothing_to_see(self, tmp_path: Path) -> None:
        assert "sound only" in refusal(clips.audio_only(tmp_path / "a.mp4"))
        for name in ("n.avi", "n.mp4", "n.mkv"):
            assert refusal(clips.no_frames(tmp_path / name))
        (tmp_path / "e.mp4").write_bytes(b"")
        assert "empty" in refusal(tmp_path / "e.mp4")
        (tmp_path / "t.mkv").write_text("no recording at all " * 50)
        assert "cannot be opened" in refusal(tmp_path / "t.mkv")

    def test_absurd_claims(self, made: Path, tmp_path: Path) -> None:
        path = clips.absurd_header(clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path))
        source, frames, _ = only(path, Sampling(1))
        assert source.recordings[0].seconds == pytest.approx(6.0, abs=0.1)  # 1000 hours were claimed
        assert frames
        assert "megapixels" in refusal(clips.huge_pictures(tmp_path / "huge.avi"))

    def test_a_file_that_goes_away_meanwhile(self, made: Path, tmp_path: Path) -> None:
        path = clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path)
        items = iter(Files([path], sampling=ALL))
        assert isinstance(next(items), Frame)
        path.rename(tmp_path / "elsewhere")
        with pytest.raises(SourceGone, match="not there any more"):
            list(items)

    def test_a_file_that_changes_meanwhile(self, made: Path, tmp_path: Path) -> None:
        path = clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path)
        source = Files([path])
        with path.open("ab") as file:
            file.write(b"more")
        with pytest.raises(SourceError, match="changed"):
            source.reopen(path.name, 3)
        with pytest.raises(SourceGone, match="changed"):
            list(source)


def number(frame: Frame) -> int:
    """The number in a picture, -1 where none can be read."""
    try:
        return clips.read_number(frame.image)
    except ValueError:
        return -1


class TestSampling:
    def test_of_each_tick_the_first_frame(self) -> None:
        times = np.array([0.0, 0.1, 0.49, 0.52, 0.9, 1.6, 1.7, 3.0])
        assert list(Sampling(2).choose(8, times)) == [0, 3, 5, 7]

    def test_every_nth(self) -> None:
        assert list(Sampling(None, 3).choose(8, np.arange(8.0))) == [0, 3, 6]
        assert list(Sampling(None).choose(3, None)) == [0, 1, 2]

    def test_frames_without_times_are_all_taken(self) -> None:
        assert list(Sampling(2).choose(4, None)) == [0, 1, 2, 3]

    def test_a_higher_rate_than_the_recording_takes_each_once(self) -> None:
        assert list(Sampling(100).choose(3, np.array([0.0, 0.5, 1.0]))) == [0, 1, 2]

    @pytest.mark.parametrize("arguments", [(0.0, 1), (-1.0, 1), (float("nan"), 1), (None, 0)])
    def test_impossible_rates(self, arguments: tuple[float | None, int]) -> None:
        with pytest.raises(ValueError, match="not possible"):
            Sampling(*arguments)
