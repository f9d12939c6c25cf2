"""DICOM stills and objects of several frames: the right pixels, in the right order, at the right time."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from pathlib import Path

import dicom_files as made
import numpy as np
import pytest
from clips import draw, read_number
from pydicom import uid

from uc_viewer.sources import dicom
from uc_viewer.sources.base import Frame, SourceError, SourceGone, Unreadable
from uc_viewer.sources.dicom import DicomFrames, DicomStill, DicomVideo
from uc_viewer.sources.sampling import Sampling

PICTURE = draw(7, (160, 120))
GREY = np.ascontiguousarray(PICTURE[..., 0])
ALL = Sampling(None)
POINTS_NOWHERE: dict[str, object] = {"FrameIncrementPointer": None}


def read(data: bytes, sampling: Sampling = ALL) -> DicomStill | DicomFrames | DicomVideo:
    return dicom.read(lambda: io.BytesIO(data), "a.dcm", sampling)


def image(data: bytes) -> np.ndarray:
    still = read(data)
    assert isinstance(still, DicomStill)
    rgb = still.decode()
    assert (rgb.dtype, rgb.ndim) == (np.uint8, 3)
    return rgb


def frames_of(data: bytes, sampling: Sampling = ALL) -> DicomFrames:
    frames = read(data, sampling)
    assert isinstance(frames, DicomFrames)
    return frames


def apart(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean())


def native(syntax: str, pixels: bytes, shape: tuple[int, ...] = PICTURE.shape, **elements: object) -> bytes:
    return made.native(made.header(made.ENDOSCOPIC, syntax, shape, **elements), pixels)


def coded(syntax: str, data: bytes, shape: tuple[int, ...] = PICTURE.shape, **elements: object) -> bytes:
    return made.encapsulated(made.header(made.ENDOSCOPIC, syntax, shape, **elements), [data])


def ybr(picture: np.ndarray) -> np.ndarray:
    """Full-range YCbCr by the formulas of ITU-T T.871."""
    r, g, b = (picture[..., n].astype(float) for n in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    parts = [y, (b - y) / 1.772 + 128, (r - y) / 1.402 + 128]
    return np.clip(np.round(np.dstack(parts)), 0, 255).astype(np.uint8)


def halved(picture: np.ndarray) -> bytes:
    """YBR_FULL_422: two grey values, then the colour they share."""
    full = ybr(picture)
    pairs = [full[:, 0::2, 0], full[:, 1::2, 0], full[:, 0::2, 1], full[:, 0::2, 2]]
    return np.dstack(pairs).tobytes()


def window(centre: str, width: str, **more: str) -> dict[str, object]:
    return {"WindowCenter": centre, "WindowWidth": width} | more


PLANES = np.ascontiguousarray(PICTURE.transpose(2, 0, 1)).tobytes()

LOSSLESS = {
    "explicit": native(uid.ExplicitVRLittleEndian, PICTURE.tobytes()),
    "implicit": native(uid.ImplicitVRLittleEndian, PICTURE.tobytes()),
    "big endian": native(uid.ExplicitVRBigEndian, PICTURE.tobytes()),
    "deflated": native(uid.DeflatedExplicitVRLittleEndian, PICTURE.tobytes()),
    "planes": native(uid.ExplicitVRLittleEndian, PLANES, PlanarConfiguration=1),
    "photograph": made.still(PICTURE, made.PHOTOGRAPHIC),
    "capture": made.still(PICTURE, made.CAPTURE),
    "rle": coded(uid.RLELossless, made.rle(PICTURE)),
    "jpeg 2000": coded(uid.JPEG2000Lossless, made.jpeg_2000(PICTURE), PhotometricInterpretation="YBR_RCT"),
    "jpeg 2000 called RGB": coded(uid.JPEG2000Lossless, made.jpeg_2000(PICTURE)),
    "jpeg 2000 called YBR_FULL": coded(
        uid.JPEG2000Lossless, made.jpeg_2000(PICTURE), PhotometricInterpretation="YBR_FULL"
    ),
    "jpeg 2000 as RGB": coded(uid.JPEG2000Lossless, made.jpeg_2000(PICTURE, transform=False)),
}

LOSSY = {
    "jpeg": made.jpeg_still(PICTURE),
    "jpeg called RGB": made.jpeg_still(PICTURE, PhotometricInterpretation="RGB"),
    "jpeg without marks": coded(
        uid.JPEGBaseline8Bit, made.without_marks(made.jpeg(PICTURE)), PhotometricInterpretation="YBR_FULL_422"
    ),
    "jpeg halved, called RGB": coded(uid.JPEGBaseline8Bit, made.without_marks(made.jpeg(PICTURE))),
    "jpeg of RGB": coded(uid.JPEGBaseline8Bit, made.rgb_jpeg(PICTURE)),
    "jpeg 2000": coded(
        uid.JPEG2000, made.jpeg_2000(PICTURE, lossless=False), PhotometricInterpretation="YBR_ICT"
    ),
    "ybr full": native(
        uid.ExplicitVRLittleEndian, ybr(PICTURE).tobytes(), PhotometricInterpretation="YBR_FULL"
    ),
    "ybr 422": native(uid.ExplicitVRLittleEndian, halved(PICTURE), PhotometricInterpretation="YBR_FULL_422"),
    "jpeg 2000 of ybr": coded(
        uid.JPEG2000Lossless,
        made.jpeg_2000(ybr(PICTURE), transform=False),
        PhotometricInterpretation="YBR_FULL",
    ),
    "rle of ybr": coded(uid.RLELossless, made.rle(ybr(PICTURE)), PhotometricInterpretation="YBR_FULL"),
}


class TestPixels:
    @pytest.mark.parametrize("kind", LOSSLESS)
    def test_what_loses_nothing_gives_the_very_pixels(self, kind: str) -> None:
        assert np.array_equal(image(LOSSLESS[kind]), PICTURE)

    @pytest.mark.parametrize("kind", LOSSY)
    def test_colours_are_right(self, kind: str) -> None:
        # A wrong colour model is off by more than 50.
        assert apart(image(LOSSY[kind]), PICTURE) < 6

    def test_a_jpeg_gives_the_pixels_it_gives_outside_dicom(self) -> None:
        from uc_viewer.sources.pictures import decode

        assert np.array_equal(image(made.jpeg_still(PICTURE)), decode(made.jpeg(PICTURE)))

    def test_big_endian_words(self) -> None:
        wide = GREY.astype(np.uint16) << 8
        how = {"BitsAllocated": 16, "BitsStored": 16}
        for syntax, order in ((uid.ExplicitVRBigEndian, ">u2"), (uid.ImplicitVRLittleEndian, "<u2")):
            rgb = image(native(syntax, wide.astype(order).tobytes(), GREY.shape, **how))
            assert np.abs(rgb[..., 1].astype(int) - GREY).max() <= 1

    @pytest.mark.parametrize(
        ("elements", "expected"),
        [
            ({}, [0, 85, 170, 255]),
            ({"PhotometricInterpretation": "MONOCHROME1"}, [255, 170, 85, 0]),
            (window("2048", "2"), [0, 0, 255, 255]),
            (window("2047.5", "1365", VOILUTFunction="LINEAR_EXACT"), [0, 0, 255, 255]),
            (window("1365", "2730", VOILUTFunction="LINEAR_EXACT"), [0, 128, 255, 255]),
            (window("1365", "1365", VOILUTFunction="SIGMOID"), [5, 128, 250, 255]),
            ({"RescaleSlope": "2", "RescaleIntercept": "-100"}, [0, 85, 170, 255]),
            (window("5", "0"), [0, 85, 170, 255]),
        ],
    )  # fmt: skip
    def test_twelve_bits_of_grey(self, elements: dict[str, object], expected: list[int]) -> None:
        values = np.repeat(np.array([0, 1365, 2730, 4095], np.uint16), 64 * 16).reshape(64, 64)
        how = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11} | elements
        rgb = image(native(uid.ExplicitVRLittleEndian, values.tobytes(), values.shape, **how))
        assert rgb[::16, 0].tolist() == [[grey] * 3 for grey in expected]

    def test_signed_grey(self) -> None:
        values = np.repeat(np.array([-32768, 0, 32767], np.int16), 32 * 32).reshape(96, 32)
        how = {"BitsAllocated": 16, "BitsStored": 16, "PixelRepresentation": 1}
        rgb = image(native(uid.ExplicitVRLittleEndian, values.tobytes(), values.shape, **how))
        assert rgb[::32, 0, 0].tolist() == [0, 128, 255]

    def test_grey_jpeg_2000_of_twelve_bits(self) -> None:
        values = (GREY.astype(np.uint16) << 4) + 7
        how = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
        rgb = image(coded(uid.JPEG2000Lossless, made.jpeg_2000(values, bits=12), GREY.shape, **how))
        assert np.abs(rgb[..., 0].astype(int) - GREY).max() <= 1

    def test_grey_jpeg(self) -> None:
        rgb = image(coded(uid.JPEGBaseline8Bit, made.jpeg(GREY), GREY.shape))
        assert apart(rgb[..., 2], GREY) < 3

    @pytest.mark.parametrize(
        "syntax", [uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ImplicitVRLittleEndian]
    )
    @pytest.mark.parametrize("bits", [8, 16])
    def test_palette(self, syntax: uid.UID, bits: int) -> None:
        indices = (np.arange(64 * 64).reshape(64, 64) % 100 + 5).astype(np.uint8)
        colours = np.stack([np.arange(100) * 2, 255 - np.arange(100), np.full(100, 77)]).astype(np.uint8)
        ds = made.header(made.ENDOSCOPIC, syntax, indices.shape, PhotometricInterpretation="PALETTE COLOR")
        order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
        for name, column in zip(("Red", "Green", "Blue"), colours, strict=True):
            # The first colour is that of value 10: lower values take it too.
            setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [100, 10, bits])
            ds[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
            wide = column.astype(np.uint16) * 257 if bits == 16 else np.frombuffer(column.tobytes(), "<u2")
            ds.add_new(f"{name}PaletteColorLookupTableData", "OW", wide.astype(f"{order}u2").tobytes())
        expected = colours.T[np.clip(indices.astype(int) - 10, 0, 99)]
        assert np.array_equal(image(made.native(ds, indices.tobytes())), expected)

    def test_real_photographs_of_three_codings_agree(self, shared_data: Path) -> None:
        for name in ("VL1", "VL3"):
            files = [shared_data / "dicom" / f"{name}_{kind}.dcm" for kind in ("RLE", "J2KR", "J2KI")]
            whole, same, lossy = (image(file.read_bytes()) for file in files)
            assert whole.shape == (486, 756, 3)
            assert np.array_equal(whole, same)
            assert apart(whole, lossy) < 2
            mucosa = whole[250:450, 300:500].reshape(-1, 3).mean(axis=0)
            assert mucosa[0] > mucosa[1] > mucosa[2]

    def test_thumbnails(self) -> None:
        for data in (made.still(PICTURE), made.jpeg_still(PICTURE), made.frames([3, 4])):
            source = read(data)
            small = source.thumbnail(40) if isinstance(source, DicomStill) else source.thumbnail(1, 40)
            assert small.shape == (30, 40, 3)


class TestFrames:
    @pytest.mark.parametrize("parts", [1, 3])
    def test_every_frame_is_the_one_asked_for(self, parts: int) -> None:
        numbers = [9, 4, 300, 1, 65, 2]
        for data in (made.frames(numbers), made.jpeg_frames(numbers, parts)):
            frames = frames_of(data)
            assert (frames.facts.frames, frames.facts.share, frames.notes) == (6, 1.0, ())
            found = list(frames.decode(frames.sampled))
            assert all(isinstance(frame, Frame) for frame in found)
            assert [read_number(frame.image) for frame in found] == numbers
            assert [frame.index for frame in found] == [*range(6)]
            for index in (5, 0, 3):
                frame = frames.reopen(index)
                assert read_number(frame.image) == numbers[index]
                assert frame.source_sha256 == hashlib.sha256(data).hexdigest()
            with pytest.raises(KeyError):
                frames.reopen(6)

    def test_times_and_sampling(self) -> None:
        frames = frames_of(made.frames(range(60)), Sampling(2))
        assert list(frames.sampled) == [0, 13, 25, 38, 50]
        assert [frame.pts_seconds for frame in frames.decode([13, 25])] == pytest.approx([0.52, 1.0])
        assert frames.facts.seconds == pytest.approx(2.4)
        assert (frames.facts.container, frames.facts.codec) == ("DICOM", "uncompressed")

    @pytest.mark.parametrize(
        ("elements", "times"),
        [
            ({"FrameTime": "500"}, [0, 0.5, 1]),
            ({"FrameTime": None, "CineRate": "10"} | POINTS_NOWHERE, [0, 0.1, 0.2]),
            ({"FrameTime": None, "RecommendedDisplayFrameRate": "4"} | POINTS_NOWHERE, [0, 0.25, 0.5]),
            ({"FrameTimeVector": ["0", "100", "300"], "FrameIncrementPointer": 0x00181065}, [0, 0.1, 0.4]),
            ({"FrameTimeVector": ["100", "300"], "FrameIncrementPointer": 0x00181065}, [0, 0.1, 0.4]),
            ({"FrameTimeVector": ["0", "9", "9"]}, [0, 0.04, 0.08]),
            ({"FrameTimeVector": ["0", "100", "0"], "FrameIncrementPointer": 0x00181065}, None),
            ({"FrameTimeVector": ["0", "100"] * 3, "FrameIncrementPointer": 0x00181065}, None),
            ({"FrameTime": "0"}, None),
            ({"FrameTime": None} | POINTS_NOWHERE, None),
            ({"FrameTime": "40", "FrameIncrementPointer": 0x00182001}, None),
        ],
    )  # fmt: skip
    def test_where_times_come_from(self, elements: dict[str, object], times: list[float] | None) -> None:
        frames = frames_of(made.frames([1, 2, 3], **elements), Sampling(1))
        if times is None:
            assert frames.times is None
            assert len(frames.sampled) == 3
            assert frames.reopen(2).pts_seconds is None
        else:
            assert frames.times is not None
            assert frames.times.tolist() == pytest.approx(times)

    def test_cut_off_frames_are_told(self) -> None:
        data = made.frames(range(10))
        frames = frames_of(data[: len(data) - 5 * 160 * 120 * 3 // 2])
        assert (frames.facts.frames, frames.facts.share) == (7, 0.7)
        data = made.jpeg_frames(range(10))
        frames = frames_of(data[: len(data) - 3000])
        assert (frames.facts.frames, frames.facts.share) == (9, 0.9)
        assert read_number(frames.reopen(8).image) == 8

    def test_as_many_fragments_as_frames_by_a_cut(self) -> None:
        data = made.jpeg_frames(range(6), 2)
        cut = [at for at in range(len(data)) if data[at : at + 4] == made.ITEM][1 + 6]
        frames = frames_of(data[:cut])
        assert (frames.facts.frames, frames.facts.share) == (3, 0.5)
        assert read_number(frames.reopen(2).image) == 2

    def test_a_frame_without_its_beginning(self) -> None:
        data = bytearray(made.jpeg_frames(range(5)))
        start = [at for at in range(len(data)) if data[at : at + 3] == b"\xff\xd8\xff"][1]
        data[start : start + 2] = bytes(2)
        items = list(frames_of(bytes(data)).decode(range(5)))
        assert [type(item) for item in items] == [Frame, Unreadable, Frame, Frame, Frame]

    def test_more_frames_than_stated_are_all_taken(self) -> None:
        assert frames_of(made.jpeg_frames(range(5), NumberOfFrames=1)).facts.frames == 5

    def test_a_damaged_frame_does_not_stop_the_others(self) -> None:
        data = bytearray(made.jpeg_frames(range(5)))
        start = [at for at in range(len(data)) if data[at : at + 3] == b"\xff\xd8\xff"][2]
        data[start + 20 : start + 400] = bytes(380)
        frames = frames_of(bytes(data))
        items = list(frames.decode(range(5)))
        assert [type(item) for item in items] == [Frame, Frame, Unreadable, Frame, Frame]
        assert isinstance(items[2], Unreadable)
        assert "damaged" in items[2].reason
        assert (items[2].index, items[2].source_sha256) == (2, items[0].source_sha256)
        with pytest.raises(SourceError, match=r"^a\.dcm: "):
            frames.reopen(2)

    def test_a_file_that_went_away(self, tmp_path: Path) -> None:
        path = tmp_path / "a.dcm"
        path.write_bytes(made.frames(range(4)))
        frames = dicom.read(lambda: path.open("rb"), "a.dcm", ALL)
        assert isinstance(frames, DicomFrames)
        path.unlink()
        with pytest.raises(SourceGone, match=r"^a\.dcm: not there"):
            list(frames.decode([0]))
        with pytest.raises(SourceError, match=r"^a\.dcm: not there"):
            frames.reopen(0)
        with pytest.raises(SourceError, match=r"^not there"):
            dicom.read(lambda: path.open("rb"), "a.dcm", ALL)

    def test_memory_holds_one_frame(self) -> None:
        data = made.frames([5], (640, 480))
        size = 640 * 480 * 3
        pixels = data[-size:]
        ds = made.header(made.CAPTURES, uid.ExplicitVRLittleEndian, (480, 640, 3), NumberOfFrames=60)
        whole = made.native(ds, pixels * 60)
        frames = frames_of(whole)
        frames.digest()
        tracemalloc.start()
        try:
            assert sum(1 for _ in frames.decode(range(60))) == 60
            assert tracemalloc.get_traced_memory()[1] < 8 * size
        finally:
            tracemalloc.stop()

    def test_only_the_header_is_read_at_first(self) -> None:
        class Counted(io.BytesIO):
            total = 0

            def read(self, size: int | None = -1) -> bytes:
                data = super().read(size)
                Counted.total += len(data)
                return data

        data = made.frames(range(100))
        dicom.read(lambda: Counted(data), "a.dcm", ALL)
        assert Counted.total < 10_000 < len(data)

    def test_the_digest_is_asked_for_once(self) -> None:
        asked = []

        def digest() -> str:
            asked.append(1)
            return "abc"

        data = made.frames(range(3))
        frames = dicom.read(lambda: io.BytesIO(data), "a.dcm", ALL, digest)
        assert isinstance(frames, DicomFrames)
        assert not asked
        assert {frame.source_sha256 for frame in frames.decode(range(3))} == {"abc"}
        assert frames.reopen(1).source_sha256 == "abc"
        assert len(asked) == 1
