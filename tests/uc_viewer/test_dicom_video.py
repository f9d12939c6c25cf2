"""Videos inside DICOM objects: the stream comes out byte for byte, however it lies in the file."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Generator
from pathlib import Path

import dicom_files as made
import pytest
from clips import read_number
from pydicom import uid

from uc_viewer.sources import dicom
from uc_viewer.sources.base import Frame, SourceError
from uc_viewer.sources.dicom import DicomVideo
from uc_viewer.sources.sampling import Sampling
from uc_viewer.sources.video import Video

DATA = bytes(random.Random(3).randrange(256) for _ in range(5001))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams")


def read(data: bytes) -> DicomVideo:
    video = dicom.read(lambda: io.BytesIO(data), "v.dcm", Sampling())
    assert isinstance(video, DicomVideo)
    return video


def whole(video: DicomVideo) -> bytes:
    with video.open_stream() as stream:
        return stream.read()


def finished(opening: Generator[None, None, Video]) -> Video:
    while True:
        try:
            next(opening)
        except StopIteration as done:
            return done.value


def head(**elements: object) -> made.Dataset:
    return made.header(made.VIDEO, uid.MPEG4HP41, (240, 320, 3), **elements)


@pytest.mark.parametrize("parts", [1, 7])
@pytest.mark.parametrize("kind", made.STREAMS)
def test_frames_of_every_coding(kind: str, parts: int, folder: Path) -> None:
    data = made.stream(kind, folder)
    path = folder / "v.dcm"
    path.write_bytes(made.video(data, made.STREAMS[kind][1], parts, PatientID="7"))
    found = dicom.read(lambda: path.open("rb"), "v.dcm", Sampling(None))
    assert isinstance(found, DicomVideo)
    assert (found.identity.patient_id, found.frames, found.frame_seconds) == ("7", 40, 0.04)
    assert found.digest() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert whole(found)[: len(data)] == data
    video = finished(Video.opening(path, "v.dcm", Sampling(None), found.open_stream))
    try:
        assert video.facts.frames == 40
        frames = [item for item in video.decode(range(40)) if isinstance(item, Frame)]
        assert [read_number(frame.image) for frame in frames] == [*range(40)]
        assert read_number(video.reopen(23).image) == 23
    finally:
        video.close()


@pytest.mark.parametrize("syntax", uid.MPEGTransferSyntaxes)
def test_every_video_syntax_is_known(syntax: uid.UID) -> None:
    codec = read(made.video(DATA, syntax)).codec
    assert (
        codec
        == {"MPEG2": "MPEG-2", "MPEG-": "H.264", "HEVC/": "HEVC"}[
            syntax.name.removeprefix("Fragmentable ")[:5]
        ]
    )


def test_any_place_can_be_sought() -> None:
    video = read(made.encapsulated(head(), made.split(DATA[:5000], 6)))
    stream = video.open_stream()
    choose = random.Random(5)
    for _ in range(300):
        place, count = choose.randrange(5200), choose.randrange(2000)
        assert stream.seek(place) == place
        assert stream.read(count) == DATA[:5000][place : place + count]
    assert stream.seek(-10, io.SEEK_END) == 4990
    assert stream.seek(4, io.SEEK_CUR) == 4994
    assert stream.read() == DATA[4994:5000]
    with pytest.raises((ValueError, OSError)):
        stream.seek(-1)
    stream.close()
    assert stream.closed


def test_two_streams_do_not_disturb_each_other() -> None:
    video = read(made.encapsulated(head(), made.split(DATA[:5000], 3)))
    with video.open_stream() as one, video.open_stream() as other:
        one.seek(3000)
        assert other.read(100) == DATA[:100]
        assert one.read(100) == DATA[3000:3100]


LAYOUTS = {
    "one": ([DATA[:5000]], {}, ""),
    "padded": ([DATA], {}, ""),
    "table filled": (made.split(DATA[:5000], 4), {"table": bytes(4)}, ""),
    "no table": ([DATA[:5000]], {"table": None}, "no table of offsets"),
    "empty parts": ([b"", DATA[:2000], b"", DATA[2000:5000], b""], {}, ""),
    "odd": (
        [DATA[:1001], DATA[1001:2000], DATA[2000:5000]],
        {"pad": False},
        "2 of its fragments have an odd",
    ),
    "odd last": ([DATA], {"pad": False}, "1 of its fragments have an odd"),
    "odd but padded": (
        [DATA],
        {"pad": False, "end": b"\0" + made.DELIMITER + bytes(4)},
        "1 of its fragments",
    ),
    "no end": ([DATA[:5000]], {"end": b""}, "no end mark"),
    "length defined": ([DATA[:5000]], {"length": 5016}, ""),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_sound_and_odd(layout: str) -> None:
    fragments, how, note = LAYOUTS[layout]
    video = read(made.encapsulated(head(), fragments, **how))
    expected = b"".join(fragments)
    assert whole(video)[: len(expected)] == expected
    assert len(whole(video)) <= len(expected) + 1
    assert video.share == 1.0
    assert len(video.notes) == bool(note)
    assert all(note in said for said in video.notes)


def test_a_stream_without_items() -> None:
    data = made.encapsulated(head(), [], None, end=DATA[:5000], length=5000)
    video = read(data)
    assert whole(video) == DATA[:5000]
    assert "not divided into items" in video.notes[0]


def test_a_file_that_breaks_off() -> None:
    data = made.encapsulated(head(), made.split(DATA[:5000], 2))
    video = read(data[: -8 - 1250])
    assert video.share == 0.75
    assert whole(video) == DATA[:3750]


def test_only_heads_are_read_at_first_and_only_what_is_asked_for_later() -> None:
    class Counted(io.BytesIO):
        total = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            Counted.total += len(data)
            return data

    data = made.encapsulated(head(), [bytes(2_000_000)] * 4)
    video = dicom.read(lambda: Counted(data), "v.dcm", Sampling())
    assert isinstance(video, DicomVideo)
    with video.open_stream() as stream:
        stream.seek(5_000_000)
        assert stream.read(10) == bytes(10)
    assert Counted.total < 100_000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (made.encapsulated(head(), []), "pixel data is empty"),
        (made.encapsulated(head(), [b"", b""]), "pixel data is empty"),
        (made.encapsulated(head(), [], None, end=bytes(100)), "not stored the way"),
        (made.encapsulated(head(), [], None, end=b""), "pixel data is empty"),
        (made.written(head()), "pixel data is missing"),
    ],
)
def test_no_stream(data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(data)
