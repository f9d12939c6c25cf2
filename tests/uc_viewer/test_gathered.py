"""Several drops under one roof: every frame is found in the drop it came with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from still_files import encode, put, scene

from uc_viewer.sources.base import SourceError
from uc_viewer.sources.gathered import Gathered
from uc_viewer.sources.listing import Files


def plain(path: Path, level: int, size: tuple[int, int] = (48, 64)) -> Path:
    return put(path, encode(np.full((*size, 3), level, np.uint8)))


@pytest.fixture
def gathered(tmp_path: Path) -> Gathered:
    """Two folders with a picture of the same name."""
    plain(tmp_path / "a" / "1.png", 50)
    put(tmp_path / "a" / "notes.txt", b"text")
    put(tmp_path / "a" / "film.doc", b"film")
    plain(tmp_path / "b" / "1.png", 150)
    put(tmp_path / "b" / "readme.txt", b"text")
    put(tmp_path / "b" / "broken.png", b"no picture")
    gathered = Gathered()
    gathered.add(Files([tmp_path / "a"]))
    gathered.add(Files([tmp_path / "b"], beside=gathered.sources))
    return gathered


def test_each_name_leads_to_its_own_file(gathered: Gathered) -> None:
    keys = [source.keys for source in gathered.sources]
    assert keys == [(("1.png", 0),), (("1 (2).png", 0), ("broken.png", 0))]
    assert gathered.reopen("1.png", 0).image.max() == 50
    again = gathered.reopen("1 (2).png", 0)
    assert (again.source_file, again.image.max()) == ("1 (2).png", 150)


def test_what_was_passed_over_is_summed(gathered: Gathered) -> None:
    assert gathered.skipped == {".doc": 1, ".txt": 2}


def test_a_thumbnail_is_no_larger_than_asked(tmp_path: Path, gathered: Gathered) -> None:
    big = put(tmp_path / "big.png", encode(scene(600, 300)))
    gathered.add(Files([big], beside=gathered.sources))
    small = gathered.thumbnail("big.png", 0, 100)
    assert small.shape == (50, 100, 3)
    assert small.dtype == np.uint8


def test_two_sources_never_share_a_name(tmp_path: Path, gathered: Gathered) -> None:
    plain(tmp_path / "c" / "0.png", 9)
    plain(tmp_path / "c" / "1.png", 9)
    with pytest.raises(ValueError, match=r"^1\.png: "):
        gathered.add(Files([tmp_path / "c"]))
    assert len(gathered.sources) == 2  # refused as a whole
    with pytest.raises(KeyError):
        gathered.reopen("0.png", 0)


@pytest.mark.parametrize(
    ("name", "index", "error"),
    [("absent.png", 0, KeyError), ("1.png", 1, KeyError), ("broken.png", 0, SourceError)],
)
def test_what_cannot_be_opened_is_an_error(
    gathered: Gathered, name: str, index: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name):
        gathered.reopen(name, index)
    with pytest.raises(error, match=name):
        gathered.thumbnail(name, index, 100)


def test_a_file_that_went_away_is_told_by_its_name_in_the_case(tmp_path: Path, gathered: Gathered) -> None:
    (tmp_path / "b" / "1.png").unlink()
    with pytest.raises(SourceError, match=r"1 \(2\)\.png"):
        gathered.reopen("1 (2).png", 0)
    assert gathered.reopen("1.png", 0).image.max() == 50


def test_an_empty_case_holds_nothing() -> None:
    gathered = Gathered()
    assert (gathered.sources, gathered.skipped) == ((), {})
    with pytest.raises(KeyError):
        gathered.reopen("1.png", 0)


def test_it_knows_its_own_files(tmp_path: Path, gathered: Gathered) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "a" / "1.png")
    assert gathered.holds(tmp_path / "a" / "1.png")
    assert gathered.holds(tmp_path / "a" / ".." / "b" / "1.png")
    assert gathered.holds(tmp_path / "link.png")
    assert not gathered.holds(tmp_path / "2.png")
