"""Videos: exact frames at random, odd files, broken files."""

from __future__ import annotations

import random
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import clips
import dicom_files
import numpy as np
import pytest
from av.codec.context import Flags
from av.video.frame import VideoFrame

from uc_viewer.sources import video, video_decoding
from uc_viewer.sources.base import Frame, SourceError, SourceGone, Unreadable
from uc_viewer.sources.listing import Files
from uc_viewer.sources.sampling import Sampling
from uc_viewer.sources.video_file import Packet

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


LONG = ("h264-open-gop", "h264-ts", "h264-mp4", "mpeg2-ps", "hevc-mkv", "mpeg4-avi")


@pytest.mark.parametrize("kind", LONG)
class TestLongRecordings:
    """Longer than what is decoded at once: groups are left out, and decoding begins in the middle."""

    @pytest.mark.parametrize("rate", [0.3, 0.13])
    def test_groups_nobody_wants_are_left_out_and_nothing_is_lost(
        self, made: Path, kind: str, rate: float
    ) -> None:
        _, frames, lost = only(clips.kept(made, kind, 400).path, Sampling(rate))
        assert lost == []
        assert [clips.read_number(frame.image) for frame in frames] == [frame.index for frame in frames]

    def test_what_is_left_of_a_run_begins_in_the_middle(self, made: Path, kind: str) -> None:
        source = Files([clips.kept(made, kind, 400).path], sampling=Sampling(1))
        rest = source.without({key for key in source.keys if key[1] < 230})
        items = list(rest)
        assert [item.key for item in items] == list(rest.keys)
        for item in items:
            assert isinstance(item, Frame)
            assert clips.read_number(item.image) == item.index


@pytest.mark.parametrize(
    ("kind", "twice"),
    [
        *((kind, False) for kind in LONG),
        # Streams can be put one behind the other.
        *((kind, True) for kind in LONG if clips.KINDS[kind].suffix in (".ts", ".mpg")),
    ],
)
def test_a_seek_decodes_little_and_keeps_only_true_frames(
    made: Path, tmp_path: Path, kind: str, twice: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clips.kept(made, kind, 400).path
    if twice:
        data = path.read_bytes()
        path = tmp_path / path.name
        path.write_bytes(data + data)
    source = Files([path])
    frames = source.recordings[0].frames
    real, decoded = video_decoding.decode_packet, 0

    def counted(packet: Packet) -> list[VideoFrame] | None:
        nonlocal decoded
        decoded += 1
        return real(packet)

    monkeypatch.setattr(video_decoding, "decode_packet", counted)
    rng = random.Random(4)
    for index in rng.sample(range(frames), 25):
        decoded = 0
        assert clips.read_number(source.reopen(path.name, index).image) == index % 400
        assert decoded <= 260  # of 400 or 800
    recording = source.recording(path.name)
    assert isinstance(recording, video.Video)
    kept = recording._looking._kept
    assert len(kept) > 25
    for index, frame in kept.items():
        assert clips.read_number(video.video_pixels.picture(frame)) == index % 400
    source.close()


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

    def test_a_field_is_a_field_whichever_came_first(self, tmp_path: Path) -> None:
        source, frames, _ = only(lower_field_first(tmp_path / "b.mpg"), Sampling(5))
        assert source.recordings[0].interlaced
        assert [clips.read_number(frame.image) for frame in frames] == [frame.index for frame in frames]
        for frame in frames:
            rows = frame.image[: int(frame.image.shape[0] * 0.8)].astype(int)
            assert np.abs(rows[1:-1:2] * 2 - rows[:-2:2] - rows[2::2]).max() <= 1  # between its neighbours

    @pytest.mark.parametrize(
        ("codec", "pixels", "suffix"),
        [
            ("libx264", "gray", ".mp4"),
            ("libx264", "yuv444p", ".mp4"),
            ("libx265", "yuv420p10le", ".mp4"),
            ("libvpx-vp9", "yuv420p", ".webm"),
            ("ffv1", "bgr0", ".avi"),
            ("mpeg2video", "yuv420p", ".vob"),
            ("libx264", "yuv420p", ".mts"),
        ],
    )
    def test_pixels_and_endings_of_other_makers(
        self, tmp_path: Path, codec: str, pixels: str, suffix: str
    ) -> None:
        how = clips.Kind(suffix, codec, {"x265-params": "log-level=none"} if "265" in codec else {}, pixels)
        base, at = clips.instants(how, 30, 25)
        path = tmp_path / f"a{suffix}"
        clips.write_clip(path, how, (clips.draw(n) for n in range(30)), (320, 240), 25, at, base)
        source, frames, lost = only(path)
        assert (len(frames), lost, source.recordings[0].share) == (30, [], 1.0)
        assert [clips.read_number(source.reopen(*frame.key).image) for frame in frames] == list(range(30))
        source.close()

    def test_one_frame_is_a_recording(self, tmp_path: Path) -> None:
        source, frames, _ = only(clips.make_clip(tmp_path / "one", "h264-mp4", 1).path, Sampling(2))
        assert [clips.read_number(frame.image) for frame in frames] == [0]
        assert source.recordings[0].seconds == pytest.approx(0.04)

    def test_a_size_that_changes_midway(self, made: Path, tmp_path: Path) -> None:
        first, second = clips.kept(made, "h264-ts", 150), tmp_path / "second.ts"
        how = clips.KINDS["h264-ts"]
        base, at = clips.instants(how, 50, 25)
        pictures = (clips.draw(150 + n, (640, 480)) for n in range(50))
        clips.write_clip(second, how, pictures, (640, 480), 25, [150 + time for time in at], base)
        path = tmp_path / "both.ts"
        path.write_bytes(first.path.read_bytes() + second.read_bytes())
        _, frames, lost = only(path)
        assert lost == []
        assert [clips.read_number(frame.image) for frame in frames] == list(range(200))
        assert [frame.image.shape[0] for frame in frames] == [240] * 150 + [480] * 50

    def test_a_name_of_any_script(self, made: Path, tmp_path: Path) -> None:
        path = clips.copy_of(clips.kept(made, "h264-ts", 150), tmp_path)
        named = path.rename(tmp_path / "대장내시경 İltihaplı ığüşöç.ts")
        _, frames, _ = only(named, Sampling(1))
        assert {frame.source_file for frame in frames} == {named.name}


def lower_field_first(path: Path) -> Path:
    """An MPEG-2 recording whose lower lines are seen before the upper ones."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"b": "2500000"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        graph = av.filter.Graph()
        source = graph.add_buffer(width=320, height=240, format="yuv420p", time_base=Fraction(1, 25))
        graph.link_nodes(source, graph.add("setfield", "bff"), graph.add("buffersink")).configure()
        for number in range(50):
            picture = clips.draw(number, interlaced=True)
            graph.push(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p"))
            frame = graph.pull()
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class TestAClockThatBeginsAnew:
    """Video discs and copies put together: the stamps of one part come again in the next."""

    @pytest.fixture(params=["h264-ts", "mpeg2-ps"])
    def path(self, request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> Path:
        first = clips.kept(made, request.param, 150)
        second = clips.make_clip(tmp_path / "second", request.param, 60, numbered=lambda n: 1000 + n)
        path = tmp_path / f"both{first.path.suffix}"
        path.write_bytes(first.path.read_bytes() + second.path.read_bytes())
        return path

    def test_every_frame_is_given_once_under_a_time_of_its_own(self, path: Path) -> None:
        source, frames, lost = only(path)
        assert lost == []
        assert [number(frame) for frame in frames] == [*range(150), *range(1000, 1060)]
        times = np.array([frame.pts_seconds for frame in frames])
        assert np.allclose(np.diff(times), 0.04, atol=2e-3)
        assert source.recordings[0].seconds == pytest.approx(210 / 25, abs=0.1)

    def test_no_frame_is_shown_under_the_name_of_another(self, path: Path) -> None:
        source = Files([path], sampling=ALL)
        for index, shown in ((50, 50), (200, 1050), (50, 50), (20, 20), (149, 149), (150, 1000)):
            assert number(source.reopen(path.name, index)) == shown
        source.close()

    def test_a_sparse_sample_is_the_same(self, path: Path) -> None:
        _, frames, lost = only(path, Sampling(0.7))
        assert lost == []
        shown = [*range(150), *range(1000, 1060)]
        assert [number(frame) for frame in frames] == [shown[frame.index] for frame in frames]

    def test_parts_in_another_order_than_their_clocks(self, made: Path, tmp_path: Path) -> None:
        later = clips.make_clip(tmp_path / "later", "h264-ts", 60, late=20)
        path = tmp_path / "both.ts"
        path.write_bytes(later.path.read_bytes() + clips.kept(made, "h264-ts", 150).path.read_bytes())
        source, frames, lost = only(path)
        assert lost == []
        assert [number(frame) for frame in frames] == [*range(60), *range(150)]
        assert np.allclose(np.diff([frame.pts_seconds or 0.0 for frame in frames]), 0.04, atol=2e-3)
        assert [number(source.reopen(path.name, index)) for index in (100, 3, 209)] == [40, 3, 149]
        source.close()


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
        assert "not a recording but text" in refusal(tmp_path / "t.mkv")
        (tmp_path / "r.mkv").write_bytes(np.random.default_rng(1).bytes(5000))
        assert "cannot be opened" in refusal(tmp_path / "r.mkv")

    def test_absurd_claims(self, made: Path, tmp_path: Path) -> None:
        path = clips.absurd_header(clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path))
        source, frames, _ = only(path, Sampling(1))
        assert source.recordings[0].seconds == pytest.approx(6.0, abs=0.1)  # 1000 hours were claimed
        assert frames
        assert "megapixels" in refusal(clips.huge_pictures(tmp_path / "huge.avi"))

    def test_a_transport_stream_with_a_hole(self, made: Path, tmp_path: Path) -> None:
        data = clips.kept(made, "h264-ts", 150).path.read_bytes()
        later = clips.make_clip(tmp_path / "later", "h264-ts", 50, numbered=lambda n: n + 200, late=8.0)
        path = tmp_path / "hole.ts"
        path.write_bytes(data + bytes(188 * 6000) + later.path.read_bytes())
        source, frames, _ = only(path)
        assert source.recordings[0].frames == 200
        assert [number(frame) for frame in frames][-50:] == list(range(200, 250))

    def test_damage_of_a_stream_without_times_ends_at_a_key_frame(self, tmp_path: Path) -> None:
        syntax = dicom_files.STREAMS["h264-raw"][1]
        data = bytearray(dicom_files.stream("h264-raw", tmp_path, count=150))
        data[len(data) // 6 : len(data) // 6 + 60] = np.random.default_rng(3).bytes(60)
        path = tmp_path / "a.dcm"
        path.write_bytes(dicom_files.video(bytes(data), syntax, NumberOfFrames=150, FrameTime="100"))
        source, frames, lost = only(path)
        assert 0 < len(lost) <= 50
        assert len(frames) + len(lost) == 150
        assert [number(frame) for frame in frames] == [frame.index for frame in frames]
        assert frames[-1].pts_seconds == pytest.approx(14.9)  # 10 a second, as the header says
        source.close()

    def test_damage_in_wmv_is_noticed(self, made: Path, tmp_path: Path) -> None:
        clip = clips.kept(made, "wmv", 150)
        _, frames, lost = only(clips.damage(clips.copy_of(clip, tmp_path), 0.4, 60))
        assert lost
        assert [number(frame) for frame in frames] == [frame.index for frame in frames]

    def test_a_file_that_is_another_when_its_turn_comes(self, made: Path, tmp_path: Path) -> None:
        path = clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path)
        source = Files([path])
        path.write_text("something else")
        with pytest.raises(SourceGone, match=r"h264-mp4-150\.mp4: changed"):
            list(source)
        path.unlink()
        with pytest.raises(SourceGone, match="not there"):
            list(source)

    def test_a_file_that_vanishes_while_it_is_looked_through(self, made: Path, tmp_path: Path) -> None:
        path = clips.copy_of(clips.kept(made, "h264-mp4", 150), tmp_path)
        looking = video.Video.opening(path, "a.mp4", ALL)
        next(looking)
        path.unlink()
        with pytest.raises(SourceError, match="not there"):
            list(looking)

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

    @pytest.mark.parametrize(
        ("every", "words"), [(1, "every frame"), (2, "every 2nd frame"), (3, "every 3rd"), (11, "every 11th"),
                             (21, "every 21st"), (112, "every 112th"), (25, "every 25th frame")]
    )  # fmt: skip
    def test_in_words(self, every: int, words: str) -> None:
        assert Sampling(None, every).describe().startswith(words)

    @pytest.mark.parametrize("arguments", [(0.0, 1), (-1.0, 1), (float("nan"), 1), (None, 0)])
    def test_impossible_rates(self, arguments: tuple[float | None, int]) -> None:
        with pytest.raises(ValueError, match="not possible"):
            Sampling(*arguments)
