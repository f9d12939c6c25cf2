"""Clips: every frame at its own time, nothing outside the field of view where asked, whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mtl_core.preprocess import Box
from mtl_core.scores import FrameScores
from uc_viewer.case import FrameKey, FrameReading, FrameResult, Reading, Segment, Unreadable
from uc_viewer.clips.clip import Burn, ClipError, Written, common_field, write_clip
from uc_viewer.paths import intended_use
from uc_viewer.sources.base import Frame

NAME = "Hong^Gildong 1950.mp4"
FIELD = Box(80, 20, 300, 230)
UNEVEN = [5.0, 5.04, 5.1, 5.1234, 5.5, 5.5417, 6.0, 7.5, 7.517, 7.6]
BITS, SIDE = 6, 16
MODERATE = FrameScores((0.05, 0.10, 0.71, 0.14), 0.85, True)
NOTHING: dict[FrameKey, FrameResult] = {}


def picture(
    number: int, *, height: int = 240, width: int = 320, field: Box = FIELD, text: bool = True
) -> np.ndarray:
    """Mucosa in a black border with text on it; the number stands in the field as black and green squares."""
    image = np.zeros((height, width, 3), np.uint8)
    image[field.top : field.bottom, field.left : field.right] = (190, 90, 70)
    for bit in range(BITS):
        left, top = field.left + 50 + bit * SIDE, field.top + 60
        image[top : top + SIDE, left : left + SIDE] = (40, 160, 60) if number >> bit & 1 else (0, 0, 0)
    if text:
        for left, top in ((2, 30), (2, 120), (2, height - 6), (width - 90, 12)):
            cv2.putText(image, "ID 4711", (left, top), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return image


def number(image: np.ndarray, left: int = FIELD.left, top: int = FIELD.top) -> int:
    """The number drawn into a picture whose field begins at ``left, top``."""
    middles = [image[top + 60 + SIDE // 2, left + 50 + bit * SIDE + SIDE // 2] for bit in range(BITS)]
    return sum(1 << bit for bit, colour in enumerate(middles) if colour[1] > 80)


def frames(times: list[float] | list[None], **how: object) -> list[Frame]:
    return [
        Frame(picture(index, **how), NAME, "ab" * 32, index, seconds)  # type: ignore[arg-type]
        for index, seconds in enumerate(times)
    ]


def every(count: int) -> list[float]:
    return [index / 25 for index in range(count)]


def scored(*indices: int) -> dict[FrameKey, FrameResult]:
    return {(NAME, i): FrameResult(NAME, "ab" * 32, i, i / 25, MODERATE) for i in indices}


def write(path: Path, items: object, found: dict[FrameKey, FrameResult] = NOTHING, **how: object) -> Written:
    """Write to the end; gives what is returned there."""
    options = {"overlay": False, "crop": False, "reading": Reading(), **how}
    steps = write_clip(path, items, found, **options)  # type: ignore[arg-type]
    counts = []
    while True:
        try:
            counts.append(next(steps))
        except StopIteration as end:
            written: Written = end.value
            assert counts == sorted(counts)
            assert counts[-1] <= written.frames
            return written


def read(path: Path) -> tuple[list[float], list[np.ndarray]]:
    """Times in seconds and pictures of a clip."""
    with av.open(str(path)) as container:
        decoded = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    return [time for time, _ in decoded], [image for _, image in decoded]


def white(image: np.ndarray) -> int:
    """How many pixels are as bright and colourless as text; nothing else in `picture` is."""
    return int((image.min(axis=2) > 110).sum())


class TestTimes:
    def test_every_frame_stands_at_its_own_time(self, tmp_path: Path) -> None:
        assert write(tmp_path / "c.mp4", frames(UNEVEN)) == Written(len(UNEVEN))
        times, pictures = read(tmp_path / "c.mp4")
        assert times == pytest.approx([t - UNEVEN[0] for t in UNEVEN], abs=1e-3)
        assert [number(image) for image in pictures] == list(range(len(UNEVEN)))
        assert list(tmp_path.iterdir()) == [tmp_path / "c.mp4"]

    def test_the_last_frame_stays_as_long_as_the_one_before(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames([0.0, 0.5, 1.0]))
        with av.open(str(tmp_path / "c.mp4")) as container:
            assert container.streams.video[0].duration == 1.5 * 90_000

    def test_frames_without_times_follow_each_other(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames([None] * 5), overlay=True)
        times, pictures = read(tmp_path / "c.mp4")
        assert times == pytest.approx([k / 25 for k in range(5)], abs=1e-3)
        assert [number(image) for image in pictures] == list(range(5))

    def test_times_that_stand_still_or_go_back_lose_no_frame(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames([1.0, 1.0, 1.2, 0.9, 1.4]))
        times, pictures = read(tmp_path / "c.mp4")
        assert [number(image) for image in pictures] == list(range(5))
        assert all(first < second for first, second in pairwise(times))
        assert (times[2], times[4]) == pytest.approx((0.2, 0.4), abs=1e-3)

    def test_a_real_recording(self, shared_data: Path, tmp_path: Path) -> None:
        with av.open(str(shared_data / "video" / "hyperplasic_03_WL.mp4")) as container:
            source = [
                Frame(frame.to_ndarray(format="rgb24"), NAME, "ab" * 32, index, frame.time)
                for index, frame in zip(range(30), container.decode(video=0), strict=False)
            ]
        write(tmp_path / "c.mp4", source)
        times, pictures = read(tmp_path / "c.mp4")
        assert times == pytest.approx([frame.pts_seconds for frame in source], abs=1e-3)
        apart = [
            np.abs(p.astype(int) - frame.image).mean() for p, frame in zip(pictures, source, strict=True)
        ]
        assert max(apart) < 3


class TestFile:
    def test_form(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames(every(4), height=241, width=321))
        with av.open(str(tmp_path / "c.mp4")) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
            assert (stream.width, stream.height) == (320, 240)
            assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (1, 1)
            assert len(container.streams) == 1
        data = (tmp_path / "c.mp4").read_bytes()
        assert 0 < data.find(b"moov") < data.find(b"mdat")

    def test_colours_stay(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames(every(3)))
        _, pictures = read(tmp_path / "c.mp4")
        assert np.abs(pictures[2][200, 200].astype(int) - (190, 90, 70)).max() <= 4

    def test_metadata_say_what_it_is_for_and_nothing_of_the_source(self, tmp_path: Path) -> None:
        reading = Reading({(NAME, 12): FrameReading(1, comment="Kim Yuna")}, comment="Kim Yuna")
        write(tmp_path / "c.mp4", frames(UNEVEN), scored(0), reading=reading, synthetic=True)
        with av.open(str(tmp_path / "c.mp4")) as container:
            comment = container.metadata["comment"]
            keys = {*container.metadata, *container.streams.video[0].metadata}
        assert comment.startswith(intended_use())
        assert "SYNTHETIC" in comment
        assert "00:00:05.000" in comment
        technical = {"major_brand", "minor_version", "compatible_brands", "encoder"}
        assert keys <= {"comment", "language", "handler_name", "vendor_id", *technical}
        data = (tmp_path / "c.mp4").read_bytes()
        for secret in (b"Hong", b"Kim", b"ab" * 8, str(tmp_path).encode()):
            assert secret not in data

    def test_any_name_of_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        windows = sys.platform == "win32"
        for name in ("대장 İğne 100%d.mp4", "clip", "pipe1.mp4" if windows else "pipe:1 ?.mp4"):
            write(Path(name), frames(every(2)))
            assert len(read(tmp_path / name)[0]) == 2


class TestOverlay:
    def test_a_clean_clip_has_none(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames(every(2)), scored(0, 1))
        assert read(tmp_path / "c.mp4")[1][0].shape == (240, 320, 3)

    def test_the_band_stands_below_and_the_picture_stays_free(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames(every(5)), scored(0, 4), overlay=True)
        write(tmp_path / "clean.mp4", frames(every(5)))
        clean, pictures = read(tmp_path / "clean.mp4")[1], read(tmp_path / "c.mp4")[1]
        assert pictures[0].shape[0] > 240
        for burned, bare in zip(pictures, clean, strict=True):
            assert np.abs(burned[:236].astype(int) - bare[:236]).mean() < 1.5
            assert white(burned[240:]) > 50

    def test_a_score_shines_on_its_own_frame_only(self, tmp_path: Path) -> None:
        write(tmp_path / "c.mp4", frames(every(6), height=480, width=640), scored(1, 4), overlay=True)
        brown = [
            int((np.abs(image[480:].astype(int) - (206, 139, 73)).max(axis=2) < 25).sum())
            for image in read(tmp_path / "c.mp4")[1]
        ]
        assert min(brown[1], brown[4]) > 2 * max(brown[2], brown[3]) > 0
        assert brown[0] == brown[5] == 0

    def test_heatmaps_are_of_scored_frames_only(self, tmp_path: Path) -> None:
        asked = []

        def heat(frame: Frame, result: FrameResult) -> np.ndarray:
            asked.append((frame.index, result.index))
            return np.full_like(frame.image, 200)

        found = {**scored(1), (NAME, 2): FrameResult(NAME, "", 2, 0.08, FrameScores.rejected("blank"))}
        write(tmp_path / "c.mp4", frames(every(4)), found, overlay=True, burn=Burn(marks=False, heat=heat))
        assert asked == [(1, 1)]
        covered = [white(image[:240]) > 50_000 for image in read(tmp_path / "c.mp4")[1]]
        assert covered == [False, True, False, False]

    def test_a_heatmap_of_another_size_is_a_fault(self, tmp_path: Path) -> None:
        burn = Burn(heat=lambda frame, result: frame.image[:-1])
        with pytest.raises(ValueError, match="heatmap of"):
            write(tmp_path / "c.mp4", frames(every(2)), scored(1), overlay=True, burn=burn)
        assert list(tmp_path.iterdir()) == []

    def test_segments_are_named_as_wished(self, tmp_path: Path) -> None:
        reading = Reading({(NAME, 0): FrameReading(segment=Segment.RECTUM)})
        asked = []
        burn = Burn(segment_name=lambda segment: asked.append(segment) or "직장")  # type: ignore[func-returns-value]
        write(tmp_path / "c.mp4", frames(every(1)), reading=reading, overlay=True, burn=burn)
        assert asked == [Segment.RECTUM]


class TestCrop:
    def test_text_outside_the_field_is_in_no_frame(self, tmp_path: Path) -> None:
        write(tmp_path / "whole.mp4", frames(every(4)))
        assert min(white(image) for image in read(tmp_path / "whole.mp4")[1]) > 200
        assert write(tmp_path / "c.mp4", frames(every(4)), crop=True) == Written(4)
        _, pictures = read(tmp_path / "c.mp4")
        assert max(white(image) for image in pictures) == 0
        height, width = pictures[0].shape[:2]
        assert abs(height - FIELD.height) <= 4
        assert abs(width - FIELD.width) <= 4
        assert [number(image, 0, 0) for image in pictures] == list(range(4))
        assert all(image[:8, :8].max() < 24 for image in pictures)  # outside the octagon

    def test_text_stays_hidden_when_the_processor_changes_its_layout(self, tmp_path: Path) -> None:
        small = Box(150, 60, 290, 190)
        items = frames(every(6))
        for index in (3, 4, 5):
            image = picture(index, field=small)
            cv2.putText(image, "KIM YUNA", (84, 90), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
            items[index] = Frame(image, NAME, "ab" * 32, index, index / 25)
        assert min(white(item.image[:, 80:150]) for item in items[3:]) > 50
        write(tmp_path / "c.mp4", items, crop=True)
        pictures = read(tmp_path / "c.mp4")[1]
        assert max(white(image) for image in pictures) == 0
        left, top = small.left - FIELD.left, small.top - FIELD.top
        assert number(pictures[4], left, top) == 4

    def test_frames_before_the_field_is_seen_are_black(self, tmp_path: Path) -> None:
        items = frames(every(5))
        for index in (0, 1, 3):
            dark = picture(0)
            dark[FIELD.top : FIELD.bottom, FIELD.left : FIELD.right] //= 16
            items[index] = Frame(dark, NAME, "ab" * 32, index, index / 25)
        assert write(tmp_path / "c.mp4", items, crop=True) == Written(5, hidden=3)
        times, pictures = read(tmp_path / "c.mp4")
        assert times == pytest.approx(every(5), abs=1e-3)
        assert [bool(image.max() > 60) for image in pictures] == [False, False, True, False, True]

    def test_a_hidden_frame_says_that_it_is(self, tmp_path: Path) -> None:
        items = frames(every(2))
        items.append(Frame(np.zeros_like(items[0].image), NAME, "ab" * 32, 2, 0.08))
        write(tmp_path / "c.mp4", items, overlay=True, crop=True, burn=Burn(marks=False))
        _, shown, hidden = read(tmp_path / "c.mp4")[1]
        foot = np.s_[-14:, 130:]
        assert shown[foot].max() < 40
        assert hidden[foot].max() > 100

    def test_no_field_at_all(self, tmp_path: Path) -> None:
        items = [Frame(np.zeros((240, 320, 3), np.uint8), NAME, "", i, i / 25) for i in range(3)]
        with pytest.raises(ClipError, match="no field of view"):
            write(tmp_path / "c.mp4", items, crop=True)
        assert list(tmp_path.iterdir()) == []

    def test_the_field_can_be_given(self, tmp_path: Path) -> None:
        tight = Box(100, 40, 301, 5000)
        write(tmp_path / "c.mp4", frames(every(2)), crop=True, field=tight)
        assert read(tmp_path / "c.mp4")[1][0].shape == (200, 200, 3)

    def test_the_common_field_holds_all(self) -> None:
        dark = np.zeros((240, 320, 3), np.uint8)
        left, right = picture(0, field=Box(60, 20, 240, 200)), picture(0, field=Box(100, 40, 300, 230))
        box = common_field([dark, left, right])
        assert box is not None
        found = (box.left, box.top, box.right, box.bottom)
        assert found == pytest.approx((60, 20, 300, 230), abs=5)
        assert common_field([dark]) is None

    def test_remarks_stay_out(self, tmp_path: Path) -> None:
        def last(name: str, reading: Reading) -> np.ndarray:
            write(tmp_path / name, frames(every(1)), scored(0), reading=reading, overlay=True, crop=True)
            return read(tmp_path / name)[1][0]

        remark, none = (Reading({(NAME, 0): FrameReading(2, comment=c)}) for c in ("Kim Yuna", ""))
        assert (last("a.mp4", remark) == last("b.mp4", none)).all()


class TestBadInput:
    def test_no_frames(self, tmp_path: Path) -> None:
        with pytest.raises(ClipError, match="no frame in this stretch"):
            write(tmp_path / "c.mp4", [])
        assert list(tmp_path.iterdir()) == []

    def test_none_that_can_be_decoded(self, tmp_path: Path) -> None:
        with pytest.raises(ClipError, match="cut short"):
            write(tmp_path / "c.mp4", [Unreadable(NAME, "cut short")])
        assert list(tmp_path.iterdir()) == []

    def test_unreadable_frames_are_left_out_and_told(self, tmp_path: Path) -> None:
        items: list[Frame | Unreadable] = [*frames(every(4))]
        bad = Unreadable(NAME, "damaged", index=2, pts_seconds=0.08)
        items[2] = bad
        assert write(tmp_path / "c.mp4", items) == Written(3, (bad,))
        times, pictures = read(tmp_path / "c.mp4")
        assert times == pytest.approx([0, 0.04, 0.12], abs=1e-3)
        assert [number(image) for image in pictures] == [0, 1, 3]

    @pytest.mark.parametrize("crop", [False, True])
    def test_frames_of_another_size_are_fitted_in(self, tmp_path: Path, crop: bool) -> None:
        items = frames(every(4))
        other = np.ascontiguousarray(np.pad(picture(9), ((100, 0), (0, 0), (0, 0))))
        items[1] = Frame(other, NAME, "ab" * 32, 1, 0.04)
        items[2] = Frame(np.zeros((40, 30, 3), np.uint8), NAME, "ab" * 32, 2, 0.08)
        written = write(tmp_path / "c.mp4", items, crop=crop)
        assert written == Written(4, fitted=2, hidden=int(crop))
        pictures = read(tmp_path / "c.mp4")[1]
        assert {image.shape for image in pictures} == {pictures[0].shape}
        assert pictures[1].max() > 150
        if crop:
            assert white(pictures[1]) == 0

    def test_a_tiny_picture(self, tmp_path: Path) -> None:
        dot = [Frame(np.zeros((1, 9, 3), np.uint8), NAME, "", 0, 0.0)]
        with pytest.raises(ClipError, match="9 x 1 pixels"):
            write(tmp_path / "c.mp4", dot)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="missing"):
            write(tmp_path / "missing" / "c.mp4", frames(every(2)))

    @pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes to set")
    def test_a_full_disk_leaves_the_earlier_clip(self, tmp_path: Path) -> None:
        import resource

        (tmp_path / "c.mp4").write_bytes(b"earlier")
        rng = np.random.default_rng(0)
        noise = [Frame(rng.integers(0, 255, (240, 320, 3), np.uint8), NAME, "", i, i / 25) for i in range(40)]
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(OSError, match="large"):
                write(tmp_path / "c.mp4", noise)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"earlier"]


class TestClosing:
    @pytest.mark.parametrize("after", [0, 1, 30])
    def test_midway_leaves_nothing_and_closes_the_source(self, tmp_path: Path, after: int) -> None:
        closed = []

        def source() -> Iterator[Frame]:
            try:
                yield from frames(every(60))
            finally:
                closed.append(True)

        (tmp_path / "c.mp4").write_bytes(b"earlier")
        items = source()
        steps = write_clip(tmp_path / "c.mp4", items, {}, Reading(), overlay=True, crop=True)
        for count in range(1, after + 1):
            assert next(steps) == count
        assert len(list(tmp_path.iterdir())) == (2 if after else 1)
        steps.close()
        assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"earlier"]
        assert closed == ([True] if after else [])

    def test_a_fault_of_the_source_comes_through(self, tmp_path: Path) -> None:
        def source() -> Iterator[Frame]:
            yield from frames(every(3))
            raise av.InvalidDataError(1, "not ours")

        with pytest.raises(av.InvalidDataError, match="not ours"):
            write(tmp_path / "c.mp4", source())
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(sys.platform != "linux", reason="open files are listed by Linux alone")
    def test_a_fault_lets_go_of_the_file(self, tmp_path: Path) -> None:
        """Windows could not remove it else. What was caught keeps everything alive that took part."""
        items = [*frames(every(60)), None]
        with pytest.raises(AttributeError) as caught:
            write(tmp_path / "c.mp4", items)
        opened = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        assert [path for path in opened if str(tmp_path) in path] == []
        assert caught.tb is not None
