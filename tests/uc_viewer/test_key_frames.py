"""Key frames as PNG with their table: names, harmless text, all together or not at all."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mtl_core.scores import FrameScores
from uc_viewer.case import FrameKey, FrameReading, FrameResult, Reading, Segment, Unreadable
from uc_viewer.clips.clip import ClipError, Written, write_key_frames
from uc_viewer.paths import intended_use
from uc_viewer.sources.base import Frame

NAME = "visit 1/Hong^Gildong: 1950.mp4"
CLOSE = FrameScores((0.02, 0.08, 0.42, 0.48), 0.9, True)
RESULTS: dict[FrameKey, FrameResult] = {
    (NAME, 87): FrameResult(NAME, "ab" * 32, 87, 3.48, CLOSE),
    (NAME, 99): FrameResult(NAME, "ab" * 32, 99, 3.96, FrameScores.rejected("too dark")),
}
READING = Reading(
    {
        (NAME, 87): FrameReading(2, segment=Segment.SIGMOID, key_image=True, comment="=Kim Yuna"),
        (NAME, 99): FrameReading(rejected=True),
    }
)


def frame(index: int, seconds: float | None, name: str = NAME) -> Frame:
    image = np.zeros((240, 320, 3), np.uint8)
    image[20:230, 80:300] = (190, 90, index)
    cv2.putText(image, "ID 4711", (2, 120), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return Frame(image, name, "ab" * 32, index, seconds)


def write(folder: Path, items: Iterable[Frame | Unreadable], **how: bool) -> Written:
    options = {"overlay": False, "crop": False, **how}
    steps = write_key_frames(folder, items, RESULTS, READING, **options)  # type: ignore[arg-type]
    while True:
        try:
            next(steps)
        except StopIteration as end:
            written: Written = end.value
            return written


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "key_frames.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def shown(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


FIRST = "visit 1__Hong^Gildong_ 1950_00-00-03.480_000087.png"
SECOND = "visit 1__Hong^Gildong_ 1950_00-00-03.960_000099.png"


def test_pictures_and_their_table(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "key"
    assert write(folder, [frame(87, 3.48), frame(99, 3.96)]) == Written(2)
    assert names(folder) == {FIRST, SECOND, "key_frames.csv"}
    assert (shown(folder / FIRST) == frame(87, 3.48).image).all()
    first, second = table(folder)
    assert first == {
        "picture": FIRST, "source_file": NAME, "frame_index": "87", "pts_seconds": "3.480000",
        "segment": "sigmoid colon", "mes_ai": "3", "close_call_ai": "2–3", "p_active": "0.900000",
        "reject_reason": "", "mes_reader": "2", "rejected_by_reader": "0", "comment": "'=Kim Yuna",
    }  # fmt: skip
    assert (second["mes_ai"], second["reject_reason"], second["rejected_by_reader"]) == ("", "too dark", "1")
    assert (folder / "key_frames.csv").read_bytes().startswith(b"\xef\xbb\xbfpicture,")


def test_with_the_overlay_a_band_is_added(tmp_path: Path) -> None:
    write(tmp_path, [frame(87, 3.48)], overlay=True)
    picture = shown(tmp_path / FIRST)
    assert picture.shape[0] > 240
    assert (picture[:240] == frame(87, 3.48).image).all()


def test_cropped_ones_show_and_name_no_patient(tmp_path: Path) -> None:
    dark = Frame(np.zeros((240, 320, 3), np.uint8), NAME, "ab" * 32, 99, 3.96)
    assert write(tmp_path, [frame(87, 3.48), dark], overlay=True, crop=True) == Written(1, hidden=1)
    name = "recording-abababab_00-00-03.480_000087.png"
    assert names(tmp_path) == {name, "key_frames.csv"}
    picture = shown(tmp_path / name)
    assert abs(picture.shape[1] - 220) <= 4
    assert (picture[:200].min(axis=2) > 100).sum() == 0
    text = (tmp_path / "key_frames.csv").read_text("utf-8-sig")
    assert not any(secret in text for secret in ("Hong", "Kim", "visit"))
    (row,) = table(tmp_path)
    assert (row["source_file"], row["comment"]) == ("recording-abababab", "")


def test_a_picture_says_what_it_is_for(tmp_path: Path) -> None:
    write(tmp_path, [frame(87, 3.48)], synthetic=True)
    with Image.open(tmp_path / FIRST) as image:
        info = image.info
    assert set(info) == {"Disclaimer", "Source"}
    assert info["Disclaimer"] == intended_use()
    assert "SYNTHETIC" in info["Source"]


@pytest.mark.parametrize(
    ("name", "seconds", "expected"),
    [
        ("a.png", None, "a_000087.png"),
        ("대장/İğne.mkv", 3723.5, "대장__İğne_01-02-03.500_000087.png"),
        ("../=x\n\\y.mp4", 0.0, "__=x__y_00-00-00.000_000087.png"),
        ("...", None, "recording_000087.png"),
        ("é" * 300 + ".mp4", None, "é" * 60 + "_000087.png"),
    ],
)
def test_names_are_valid_everywhere(tmp_path: Path, name: str, seconds: float | None, expected: str) -> None:
    write(tmp_path, [frame(87, seconds, name)])
    assert names(tmp_path) == {expected, "key_frames.csv"}
    (row,) = table(tmp_path)
    assert row["picture"].removeprefix("'") == expected


def test_two_of_one_name_are_both_kept(tmp_path: Path) -> None:
    write(tmp_path, [frame(1, 0.04, "A.mp4"), frame(1, 0.04, "a.avi")])
    assert [row["picture"] for row in table(tmp_path)] == [
        "A_00-00-00.040_000001.png",
        "a_00-00-00.040_000001 (2).png",
    ]
    assert len(names(tmp_path)) == 3


def test_the_folder_shows_the_last_export_and_keeps_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(b"mine")
    (tmp_path / ".key_frames.0123abcd.part").mkdir()
    (tmp_path / ".key_frames.0123abcd.part" / "left.png").write_bytes(b"of a killed program")
    write(tmp_path, [frame(87, 3.48), frame(99, 3.96)])
    write(tmp_path, [frame(99, 3.96)])
    assert names(tmp_path) == {"mine.png", SECOND, "key_frames.csv"}


def test_a_table_someone_wrote_into_removes_nothing_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(b"")
    folder = tmp_path / "key"
    folder.mkdir()
    (folder / "key_frames.csv").write_text("picture\n../outside.png\n..\\outside.png\n.\n", "utf-8")
    write(folder, [frame(87, 3.48)])
    assert (tmp_path / "outside.png").exists()


@pytest.mark.parametrize("there", [True, False])
def test_closing_midway_leaves_the_folder_as_it_was(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "key"
    if there:
        write(folder, [frame(99, 3.96)])
    before = names(folder) if there else set()
    closed = []

    def source() -> Iterator[Frame]:
        try:
            yield frame(87, 3.48)
            yield frame(88, 3.52)
        finally:
            closed.append(True)

    steps = write_key_frames(folder, source(), RESULTS, READING, overlay=True, crop=False)
    assert next(steps) == 1
    steps.close()
    assert closed == [True]
    assert folder.exists() == there
    assert (names(folder) if there else set()) == before


def test_frames_that_could_not_be_decoded_are_told(tmp_path: Path) -> None:
    bad = Unreadable(NAME, "damaged", index=88)
    assert write(tmp_path, [bad, frame(87, 3.48)]) == Written(1, (bad,))


@pytest.mark.parametrize(
    ("items", "crop", "reason"),
    [
        ([], False, "mark some first"),
        ([Unreadable(NAME, "damaged")], False, "damaged"),
        ([Frame(np.zeros((240, 320, 3), np.uint8), NAME, "")], True, "no field of view"),
    ],
)
def test_nothing_to_write(tmp_path: Path, items: list[Frame | Unreadable], crop: bool, reason: str) -> None:
    with pytest.raises(ClipError, match=reason):
        write(tmp_path / "key", items, crop=crop)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"mine")
    with pytest.raises(OSError, match="key"):
        write(tmp_path / "key", [frame(87, 3.48)])
    assert (tmp_path / "key").read_bytes() == b"mine"
