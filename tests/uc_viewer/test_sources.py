"""The contract of a source, run over stills, zip archives, DICOM and recordings in every container."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import clips
import dicom_files
import numpy as np
import pytest
from still_files import encode, scene

from uc_viewer.sources.base import Frame, SourceError
from uc_viewer.sources.listing import Files
from uc_viewer.sources.sampling import Sampling

FRAMES = 60


def stills(folder: Path) -> Path:
    for number in range(3):
        (folder / f"{number}.png").write_bytes(encode(scene(64 + number, 48)))
    return folder


def archive(folder: Path) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number in range(3):
            file.writestr(f"{number}.png", encode(scene(64 + number, 48)))
    path = folder / "a.zip"
    path.write_bytes(buffer.getvalue())
    return path


def dicom_still(folder: Path) -> Path:
    path = folder / "one.dcm"
    path.write_bytes(dicom_files.still(scene(64, 48)))
    return path


def recording(kind: str) -> Callable[[Path], Path]:
    return lambda folder: clips.copy_of(clips.kept(folder.parent.parent / "clips", kind, FRAMES), folder)


KINDS: dict[str, Callable[[Path], Path]] = {
    "stills": stills,
    "zip": archive,
    "dicom": dicom_still,
    **{kind: recording(kind) for kind in clips.KINDS},
}


@pytest.fixture(params=KINDS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path.parent.parent / "clips").mkdir(exist_ok=True)
    return KINDS[request.param](tmp_path)


class TestContract:
    def test_what_is_listed_is_given_once_in_order(self, path: Path) -> None:
        source = Files([path], sampling=Sampling(3))
        items = list(source)
        assert [item.key for item in items] == list(source.keys)
        assert len(items) == source.expected == len(set(source.keys))
        assert all(isinstance(item, Frame) for item in items)

    def test_frames_are_rgb_with_their_times(self, path: Path) -> None:
        items = [item for item in Files([path], sampling=Sampling(None)) if isinstance(item, Frame)]
        for item in items:
            assert item.image.dtype == np.uint8
            assert item.image.ndim == 3
            assert item.image.shape[2] == 3
            assert item.image.flags.c_contiguous
            assert len(item.source_sha256) == 64
        times = [item.pts_seconds for item in items]
        assert times == sorted(times, key=lambda time: time or 0.0)

    def test_any_frame_is_opened_again_the_same(self, path: Path) -> None:
        source = Files([path], sampling=Sampling(4))
        items = [item for item in source if isinstance(item, Frame)]
        for item in [*items[::-2], *items[::3]]:
            again = source.reopen(*item.key)
            assert np.array_equal(again.image, item.image)
            assert (again.key, again.pts_seconds) == (item.key, item.pts_seconds)
            assert again.source_sha256 == item.source_sha256
        source.close()

    def test_thumbnails_are_small_copies(self, path: Path) -> None:
        source = Files([path], sampling=Sampling(1))
        for key in source.keys:
            small, whole = source.thumbnail(*key, 40), source.reopen(*key).image
            assert max(small.shape[:2]) <= 40
            assert abs(small.mean() - whole.mean()) < 6
        source.close()

    def test_a_frame_that_is_not_there(self, path: Path) -> None:
        source = Files([path])
        name = source.keys[0][0]
        for key in ((name, 10**6), (name, -1), ("nobody.png", 0)):
            with pytest.raises(KeyError):
                source.reopen(*key)

    def test_a_part_may_be_left_out(self, path: Path) -> None:
        source = Files([path], sampling=Sampling(5))
        first, *rest = source.keys
        left = source.without({first})
        assert list(left.keys) == rest
        assert left.expected == len(rest)
        assert [item.key for item in left] == rest

    def test_closing_early_frees_the_file(self, path: Path) -> None:
        items = iter(Files([path], sampling=Sampling(None)))
        next(items)
        items.close()  # type: ignore[attr-defined]

    def test_what_went_away_is_told(self, path: Path) -> None:
        source = Files([path])
        key = source.keys[0]
        for file in [path] if path.is_file() else list(path.iterdir()):
            file.unlink()
        with pytest.raises(SourceError, match=r"not there|cannot be opened"):
            source.reopen(*key)
