"""Faults for real: killed programs, full disks, logs cut off, pages that went bad."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from recorded_runs import still
from store_kills import BATCH, kill_making, kill_often

from uc_viewer.case import Case, FrameReading
from uc_viewer.store import backup, cases, database, readings, review, runs
from uc_viewer.store.connection import NAME
from uc_viewer.store.database import Store
from uc_viewer.store.faults import Damaged, StoreError

ROOT = Path(__file__).resolve().parents[3]

KILLS = 10
"""How often a program is killed here; ``python tests/store_kills.py 50`` does it more often."""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_program_loses_nothing_it_was_told_is_saved(tmp_path: Path) -> None:
    outcomes = kill_often(tmp_path, KILLS, seed=random.randrange(2**32))
    assert [outcome for outcome in outcomes if outcome.why] == []
    assert max(outcome.items_lost for outcome in outcomes) <= BATCH
    assert sum(outcome.batches_done for outcome in outcomes) > KILLS
    assert sum(outcome.actions_done for outcome in outcomes) > KILLS


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_program_killed_while_it_makes_the_library(tmp_path: Path) -> None:
    chance = random.Random()
    made = [kill_making(tmp_path / str(k), chance) for k in range(KILLS)]
    assert [why for why in made if why] == []


FILL = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from recorded_runs import still
from uc_viewer.case import Case, FrameReading
from uc_viewer.store import cases, readings, runs
from uc_viewer.store.database import Store
from uc_viewer.store.faults import StoreError, Unwritable

def fill(store, case, run):
    '''Write until the disk is full; what was saved.'''
    batches = actions = 0
    while True:
        try:
            runs.add(store, run, [still(f"{batches}/{k}.jpg", 1) for k in range(100)])
            batches += 1
            readings.read_frames(store, case, {(f"{actions}", 0): FrameReading(comment="x" * 500)}, "reader")
            actions += 1
        except StoreError as error:
            return batches, actions, error

store = Store.open(Path(sys.argv[2]))
case = cases.create(store, Case(), "reader")
run = runs.begin(store, case, started="", expected=1, model={}, provenance={})
"""

LIMITED = (
    FILL
    + """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
batches, actions, error = fill(store, case, run)
assert isinstance(error, Unwritable), repr(error)
assert "nothing of this was saved" in str(error) and "try again" in str(error), error
assert len(runs.items(store, run)) == batches * 100
assert len(readings.load(store, case).frames) == actions
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
readings.comment(store, case, "space again", "reader")
print(batches, actions + 1)
store.close()
"""
)

FULL = (
    FILL
    + """
batches, actions, error = fill(store, case, run)
assert isinstance(error, Unwritable), repr(error)
assert "nothing of this was saved" in str(error), error
assert len(runs.items(store, run)) == batches * 100
(Path(sys.argv[2]) / "filler").unlink()
readings.comment(store, case, "space again", "reader")
print(batches, actions + 1)
store.close()
"""
)


def child(code: str, folder: Path) -> tuple[int, int]:
    """Run a program that fills the disk; how many batches and actions it was told are saved."""
    told = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), str(folder)], capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 0, told.stderr
    batches, actions = told.stdout.split()
    return int(batches), int(actions)


def check_filled(folder: Path, batches: int, actions: int) -> None:
    assert batches > 1
    assert review.verify(folder).ok
    with Store.open(folder) as store:
        (line,) = runs.unfinished(store)
        assert (line.done, len(runs.items(store, line.number))) == (batches * 100, batches * 100)
        assert len(readings.load(store, line.case_number).frames) == actions - 1
        assert readings.load(store, line.case_number).comment == "space again"
        said = [deed for deed in review.deeds(store) if deed.action in ("read frames", "comment")]
        assert len(said) == actions


class TestFullDisk:
    @pytest.mark.skipif(os.name != "posix", reason="needs the limits of POSIX")
    def test_a_file_that_may_not_grow(self, tmp_path: Path) -> None:
        check_filled(tmp_path, *child(LIMITED, tmp_path))

    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        """A disk of 2 MB, half full."""
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            pytest.skip("mounting a small disk needs root on Linux")
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True
        )
        if mounted.returncode:
            pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode()}")
        try:
            (disk / "filler").write_bytes(bytes(2**20))
            yield disk
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_disk_without_space(self, small_disk: Path) -> None:
        check_filled(small_disk, *child(FULL, small_disk))

    def test_a_copy_for_which_there_is_no_space(self, small_disk: Path) -> None:
        with Store.open(small_disk) as store:
            case = cases.create(store, Case(), "reader")
            readings.comment(store, case, "x" * 300_000, "reader")
            (small_disk / "more").write_bytes(bytes(200_000))
            with pytest.raises(StoreError, match=r"free space"):
                store.back_up()
            assert list((small_disk / backup.FOLDER).iterdir()) == []
            assert readings.load(store, case).comment == "x" * 300_000


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A library that is open, with thirty actions in its log; its folder and the size of the log."""
    folder = tmp_path / "busy"
    with Store.open(folder) as store:
        cases.create(store, Case(patient_id="old"), "reader")
        store.back_up()
    with Store.open(folder) as store:
        for k in range(30):
            readings.read_frames(store, 1, {("a.jpg", k): FrameReading(grade=k % 4)}, "reader")
        yield folder, (folder / f"{NAME}-wal").stat().st_size


def taken(folder: Path, to: Path) -> Path:
    """The library as a power cut might leave it."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    for name in (NAME, f"{NAME}-wal"):
        shutil.copy(folder / name, to)
    return to


def kept(folder: Path) -> int:
    """How many of the thirty actions are there: the first ones, without a gap."""
    with Store.open(folder) as store:
        frames = readings.load(store, 1).frames
        assert frames == {("a.jpg", k): FrameReading(grade=k % 4) for k in range(len(frames))}
        assert len(review.deeds(store)) == 2 + len(frames)
    assert review.verify(folder).ok
    return len(frames)


class TestLog:
    def test_it_is_read_after_a_power_cut(self, busy: tuple[Path, int], tmp_path: Path) -> None:
        assert kept(taken(busy[0], tmp_path / "cut")) == 30

    def test_cut_off_anywhere_the_first_actions_are_there(
        self, busy: tuple[Path, int], tmp_path: Path
    ) -> None:
        folder, size = busy
        found = []
        for length in range(0, size, size // 12):
            cut = taken(folder, tmp_path / "cut")
            os.truncate(cut / f"{NAME}-wal", length)
            found.append(kept(cut))
        assert found[0] == 0
        assert found == sorted(found)
        assert 20 < found[-1] < 30

    def test_bytes_turned_in_it(self, busy: tuple[Path, int], tmp_path: Path) -> None:
        folder, size = busy
        for place in range(100, size, size // 10):
            cut = taken(folder, tmp_path / "cut")
            with (cut / f"{NAME}-wal").open("r+b") as file:
                file.seek(place)
                byte = file.read(1)
                file.seek(place)
                file.write(bytes([byte[0] ^ 0xFF]))
            assert kept(cut) < 30


def refused(folder: Path) -> Damaged | None:
    """Why a library is not opened; None where it is."""
    try:
        Store.open(folder).close()
    except Damaged as error:
        return error
    return None


def found_bad(folder: Path) -> bool:
    """True where a look through the trail finds something wrong."""
    try:
        return not review.verify(folder).ok
    except Damaged:
        return True


def test_a_page_that_went_bad_is_found_and_the_copy_named(tmp_path: Path) -> None:
    """Every page in turn is wiped; either the opening tells, or the trail does."""
    whole = tmp_path / "whole"
    with Store.open(whole) as store:
        case = cases.create(store, Case(patient_id="one"), "reader")
        run = runs.begin(store, case, started="", expected=1, model={}, provenance={})
        runs.add(store, run, [still(f"{k}.jpg", 1) for k in range(200)])
        readings.read_frames(
            store, case, {(f"{k}.jpg", 0): FrameReading(grade=1) for k in range(200)}, "reader"
        )
        copy = store.back_up()
    with closing(sqlite3.connect(whole / NAME)) as sql:
        (size,), (count,) = (sql.execute(f"PRAGMA {what}").fetchone() for what in ("page_size", "page_count"))
    assert count > 20
    told = 0
    for page in range(1, count + 1):
        bad = tmp_path / "bad"
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(whole, bad)
        with (bad / NAME).open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(bytes(size))
        caught = refused(bad)
        told += caught is not None
        if caught:
            assert caught.copy == bad / backup.FOLDER / copy.name
            assert f"last good copy is {copy.name}" in str(caught)
        else:
            assert found_bad(bad), f"page {page} is bad and nobody says so"
    assert told > count * 0.8
    database.restore(bad, bad / backup.FOLDER / copy.name)
    with Store.open(bad) as store:
        assert len(runs.items(store, run)) == 200
    assert review.verify(bad).ok


def test_a_library_cut_in_half(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        case = cases.create(store, Case(), "reader")
        readings.comment(store, case, "x" * 100_000, "reader")
    os.truncate(tmp_path / NAME, (tmp_path / NAME).stat().st_size // 2)
    with pytest.raises(Damaged, match="restore it from a copy of your own"):
        Store.open(tmp_path)
    with pytest.raises(Damaged):
        Store.open(tmp_path, readonly=True)
