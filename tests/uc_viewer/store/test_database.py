"""The library's file: made, opened, checked, locked, brought up to date, copied."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from uc_viewer.case import Case
from uc_viewer.store import backup, cases, database, opening, places, readings, review, schema
from uc_viewer.store.connection import NAME
from uc_viewer.store.database import Store
from uc_viewer.store.faults import Damaged, InUse, Newer, NoSuchCase, StoreError, Unwritable
from uc_viewer.store.schema import Migration

ROOT = Path(__file__).resolve().parents[3]


def library(folder: Path, names: tuple[str, ...] = ("first",)) -> Path:
    """A closed library with some cases."""
    with Store.open(folder) as store:
        for name in names:
            cases.create(store, Case(patient_id=name), "reader")
    return folder / NAME


def ids(folder: Path, *, readonly: bool = True) -> list[str]:
    with Store.open(folder, readonly=readonly) as store:
        return sorted(line.case.patient_id for line in cases.find(store))


def raw(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(sql).fetchall()
        connection.commit()
        return found


class TestOpening:
    def test_it_is_one_file_once_closed(self, tmp_path: Path) -> None:
        library(tmp_path / "a" / "b")
        assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [opening.LOCK, NAME]
        assert ids(tmp_path / "a" / "b", readonly=False) == ["first"]

    def test_a_name_of_any_script(self, tmp_path: Path) -> None:
        folder = tmp_path / "Krankenhaus Süd 50 % #1 병원"
        library(folder)
        assert ids(folder) == ["first"]

    def test_pragmas(self, store: Store) -> None:
        with store.writing() as sql:
            assert sql.one("PRAGMA foreign_keys") == 1
            assert sql.one("PRAGMA journal_mode") == "wal"
            assert sql.one("PRAGMA synchronous") == 2
            assert sql.one("PRAGMA secure_delete") == 1
        with store.writing(durable=False) as sql:
            assert sql.one("PRAGMA synchronous") == 1
        with store.writing() as sql:
            assert sql.one("PRAGMA synchronous") == 2

    def test_every_table_is_strict(self, store: Store) -> None:
        with store.reading() as sql:
            tables = sql.execute(
                "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
            ).fetchall()
        own = {name: strict for name, strict in tables if not name.startswith("sqlite_")}
        assert len(own) == 14
        assert set(own.values()) == {1}

    def test_every_table_is_told_of(self, store: Store) -> None:
        assert schema.__doc__ is not None
        with store.reading() as sql:
            for name, *_ in sql.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
                assert name.startswith("sqlite_") or f"\n    {name} " in schema.__doc__
        assert len(schema.__doc__.splitlines()) <= 30

    def test_a_folder_on_a_network_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(places, "network_type", lambda folder: "nfs4")
        with pytest.raises(StoreError, match=r"lies on a network \(nfs4\).*disk of this computer"):
            Store.open(tmp_path / "library")
        assert list((tmp_path / "library").iterdir()) == []

    def test_there_is_nothing_to_read(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="there is no library"):
            Store.open(tmp_path, readonly=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_file_in_the_place_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "library").write_text("no folder")
        with pytest.raises(Unwritable, match="cannot be made"):
            Store.open(tmp_path / "library")

    def test_killed_right_after_it_was_made(self, tmp_path: Path) -> None:
        raw(tmp_path / NAME, "PRAGMA journal_mode = WAL")
        assert ids_after_create(tmp_path) == ["first"]

    def test_an_old_sqlite(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
        with pytest.raises(StoreError, match="too old"):
            Store.open(tmp_path)


def ids_after_create(folder: Path) -> list[str]:
    library(folder)
    return ids(folder)


class TestForeignFiles:
    def test_a_newer_library_is_left_alone(self, tmp_path: Path) -> None:
        path = library(tmp_path)
        raw(path, "PRAGMA user_version = 99")
        before = path.read_bytes()
        for readonly in (False, True):
            with pytest.raises(Newer, match=r"schema 99; this one knows \d+.*Nothing was changed"):
                Store.open(tmp_path, readonly=readonly)
        assert path.read_bytes() == before
        raw(path, f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
        assert ids(tmp_path, readonly=False) == ["first"]

    def test_a_database_of_another_program(self, tmp_path: Path) -> None:
        raw(tmp_path / NAME, "CREATE TABLE theirs (x)")
        with pytest.raises(StoreError, match="database of another program"):
            Store.open(tmp_path)
        assert raw(tmp_path / NAME, "SELECT name FROM sqlite_schema") == [("theirs",)]

    @pytest.mark.parametrize("content", [b"no database at all, but text\n" * 50, os.urandom(8192)])
    def test_no_database(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / NAME).write_bytes(content)
        with pytest.raises(Damaged, match="restore it from a copy of your own"):
            Store.open(tmp_path)
        assert (tmp_path / NAME).read_bytes() == content

    def test_after_a_refusal_the_lock_is_free(self, tmp_path: Path) -> None:
        path = library(tmp_path)
        raw(path, "PRAGMA user_version = 99")
        with pytest.raises(Newer):
            Store.open(tmp_path)
        raw(path, f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
        Store.open(tmp_path).close()

    @pytest.mark.parametrize("empty", [True, False])
    def test_an_empty_or_missing_library_beside_copies_is_no_new_one(
        self, tmp_path: Path, empty: bool
    ) -> None:
        path = library(tmp_path)
        with Store.open(tmp_path) as store:
            copy = store.back_up()
        path.unlink()
        if empty:
            path.write_bytes(b"")
        with pytest.raises(Damaged, match=f"missing or empty.*{copy.name}") as caught:
            Store.open(tmp_path)
        assert caught.value.copy == copy
        database.restore(tmp_path, copy)
        assert ids(tmp_path) == ["first"]


HOLD = """
import sys
from pathlib import Path
from uc_viewer.case import Case
from uc_viewer.store import cases
from uc_viewer.store.database import Store
store = Store.open(Path(sys.argv[1]))
cases.create(store, Case(patient_id="from the other"), "other")
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_program(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that has the library open for writing."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


class TestTwoPrograms:
    def test_the_second_writer_is_told_and_readers_may_look(self, tmp_path: Path) -> None:
        library(tmp_path)
        with another_program(tmp_path) as process:
            with pytest.raises(InUse, match="in use by another window or program"):
                Store.open(tmp_path)
            with pytest.raises(InUse):
                database.restore(tmp_path, tmp_path / "any")
            assert ids(tmp_path) == ["first", "from the other"]
            assert review.verify(tmp_path).ok
            process.kill()
            process.wait()
            assert ids(tmp_path, readonly=False) == ["first", "from the other"]

    def test_a_second_window_of_the_same_program(self, store: Store) -> None:
        with pytest.raises(InUse):
            Store.open(store.path.parent)

    def test_a_reader_cannot_write(self, tmp_path: Path) -> None:
        library(tmp_path)
        with Store.open(tmp_path, readonly=True) as store:
            assert store.readonly
            with pytest.raises(Unwritable, match="for reading only"):
                cases.create(store, Case(), "reader")

    def test_a_foreign_program_that_holds_the_file(self, tmp_path: Path) -> None:
        path = library(tmp_path)
        with Store.open(tmp_path, wait=0.05) as store, closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(InUse, match="is busy"):
                cases.create(store, Case(), "reader")
            other.rollback()
            cases.create(store, Case(patient_id="second"), "reader")
        assert ids(tmp_path) == ["first", "second"]

    def test_a_foreign_program_that_lets_go_in_time(self, tmp_path: Path) -> None:
        path = library(tmp_path)
        with (
            Store.open(tmp_path, wait=10) as store,
            closing(sqlite3.connect(path, check_same_thread=False)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(0.2, other.rollback).start()
            cases.create(store, Case(patient_id="second"), "reader")
        assert ids(tmp_path) == ["first", "second"]


class TestTransactions:
    def test_all_or_nothing(self, store: Store, case: int) -> None:
        def half() -> None:
            with store.writing():
                readings.comment(store, case, "half", "reader")
                cases.create(store, Case(), "reader")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half()
        assert readings.load(store, case).comment == ""
        assert len(cases.find(store)) == 1
        assert [deed.action for deed in review.deeds(store)] == ["bring up to date", "create case"]
        assert review.verify(store.path).ok

    def test_a_view_stays_the_same_while_others_write(self, store: Store, case: int) -> None:
        with store.reading() as sql:
            assert sql.one("SELECT count(*) FROM cases") == 1
            thread = threading.Thread(target=cases.create, args=(store, Case(), "other"))
            thread.start()
            thread.join()
            assert sql.one("SELECT count(*) FROM cases") == 1
        assert len(cases.find(store)) == 2

    def test_a_writer_sees_what_it_wrote(self, store: Store, case: int) -> None:
        with store.writing():
            readings.comment(store, case, "new", "reader")
            assert readings.load(store, case).comment == "new"
            other: list[str] = []
            thread = threading.Thread(target=lambda: other.append(readings.load(store, case).comment))
            thread.start()
            thread.join()
            assert other == [""]

    def test_many_threads(self, store: Store, case: int) -> None:
        def write(name: str) -> None:
            for k in range(20):
                readings.comment(store, case, f"{name} {k}", name)
                readings.load(store, case)

        threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(review.deeds(store)) == 2 + 80
        assert review.verify(store.path).ok

    def test_closing_twice(self, tmp_path: Path) -> None:
        store = Store.open(tmp_path)
        store.close()
        store.close()

    def test_what_is_not_there(self, store: Store) -> None:
        with pytest.raises(NoSuchCase, match="case 7 is not in the library"):
            readings.load(store, 7)


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Ünïcødé 한국어 İıŞ",
            "a\0b",
            "\udcff name of bytes",
            "\x1b[31m",
            "\x1b",
            '"\\',
            "'; DROP TABLE cases; --",
        ],
    )
    def test_any_text_comes_back(self, store: Store, text: str) -> None:
        number = cases.create(store, Case(patient_id=text, patient_name=text), text)
        readings.comment(store, number, text, text)
        assert readings.load_case(store, number) == Case(patient_id=text, patient_name=text)
        assert readings.load(store, number).comment == text
        assert [deed.actor for deed in review.deeds(store)][1:] == [text] * (2 if text else 1)
        assert review.verify(store.path).ok


SECOND = Migration(
    "more", ("ALTER TABLE cases ADD COLUMN more TEXT NOT NULL DEFAULT 'x'", "CREATE TABLE extra (a)")
)


class TestMigration:
    def test_a_copy_is_made_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = library(tmp_path)
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND))
        assert ids(tmp_path, readonly=False) == ["first"]
        assert raw(path, "SELECT more FROM cases") == [("x",)]
        (copy,) = backup.copies(path)
        assert copy.name.startswith("before-v2-")
        assert raw(copy, "PRAGMA user_version") == [(1,)]
        assert raw(copy, "PRAGMA quick_check") == [("ok",)]
        assert review.verify(copy).ok
        with Store.open(tmp_path) as store:
            done = review.deeds(store)[-1]
            assert (done.action, done.after) == ("bring up to date", {"schema": 2, "what": "more"})
        assert len(backup.copies(path)) == 1

    def test_a_reader_is_told_to_open_it_for_writing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library(tmp_path)
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND))
        with pytest.raises(StoreError, match="older version"):
            Store.open(tmp_path, readonly=True)

    def test_a_step_that_fails_changes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = library(tmp_path)
        real = schema.MIGRATIONS
        bad = Migration("bad", (*SECOND.statements, "NONSENSE"))
        monkeypatch.setattr(schema, "MIGRATIONS", (*real, bad))
        with pytest.raises(sqlite3.OperationalError):
            Store.open(tmp_path)
        monkeypatch.setattr(schema, "MIGRATIONS", real)
        assert raw(path, "PRAGMA user_version") == [(1,)]
        assert raw(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == [(0,)]
        assert ids(tmp_path, readonly=False) == ["first"]

    def test_without_a_copy_there_is_no_step(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = library(tmp_path)
        (tmp_path / backup.FOLDER).write_text("in the way")
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND))
        with pytest.raises(StoreError, match="no copy could be made"):
            Store.open(tmp_path)
        assert raw(path, "PRAGMA user_version") == [(1,)]

    def test_the_first_schema_never_changes(self) -> None:
        """Libraries out there have it: what is to be changed is one more migration."""
        from uc_viewer.store.audit import canonical, digest

        told = digest(canonical(list(schema.MIGRATIONS[0].statements)))
        assert told == "f98cc1531668d9f46b7f8347308992672a2c800e88134699c6cfd15ed3b2bffc"


class TestCopies:
    def test_a_copy_is_whole_while_it_is_written_to(self, store: Store, case: int) -> None:
        readings.comment(store, case, "before", "reader")
        copy = store.back_up()
        readings.comment(store, case, "after", "reader")
        assert review.verify(copy).entries == 3
        assert raw(copy, "SELECT comment FROM cases") == [("before",)]
        assert [path.name for path in copy.parent.iterdir()] == [copy.name]

    def test_the_time_of_the_last_one(self, store: Store) -> None:
        assert backup.latest(store.path) is None
        store.back_up()
        before = store.clock()
        assert before < store.clock()
        store.back_up()
        made = backup.latest(store.path)
        assert made is not None
        assert made - before == timedelta(seconds=2)

    def test_old_ones_go(self, store: Store) -> None:
        made = [store.back_up(keep=3) for _ in range(5)]
        assert backup.copies(store.path) == made[2:]

    def test_the_one_just_made_stays_when_the_clock_goes_back(self, store: Store, clock: object) -> None:
        made = [store.back_up(keep=2) for _ in range(2)]
        store.clock = lambda: datetime(2001, 1, 1, tzinfo=UTC)
        late = store.back_up(keep=2)
        assert backup.copies(store.path) == [late, made[1]]
        again = store.back_up(keep=5)
        assert again != late
        assert late.exists()

    def test_a_reader_can_make_one(self, tmp_path: Path) -> None:
        library(tmp_path)
        with Store.open(tmp_path, readonly=True) as store:
            assert review.verify(store.back_up()).ok

    def test_at_least_one_is_kept(self, store: Store) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            store.back_up(keep=0)

    def test_restoring_keeps_what_lay_there(self, tmp_path: Path) -> None:
        path = library(tmp_path)
        with Store.open(tmp_path) as store:
            copy = store.back_up()
            cases.create(store, Case(patient_id="second"), "reader")
        aside = database.restore(tmp_path, copy)
        assert ids(tmp_path) == ["first"]
        assert raw(aside / path.name, "SELECT count(*) FROM cases") == [(2,)]

    def test_restoring_that_fails_leaves_what_lay_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library(tmp_path)
        with Store.open(tmp_path) as store:
            copy = store.back_up()
            cases.create(store, Case(patient_id="second"), "reader")
        real = os.replace

        def replace(source: Path | str, target: Path | str) -> None:
            if str(source).endswith(".part"):
                raise OSError(28, "No space left on device")
            real(source, target)

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(StoreError, match="could not be restored"):
            database.restore(tmp_path, copy)
        assert ids(tmp_path) == ["first", "second"]
        assert not list(tmp_path.glob("replaced-*"))

    def test_a_bad_copy_is_not_restored(self, tmp_path: Path) -> None:
        library(tmp_path)
        (tmp_path / "bad.sqlite").write_bytes(b"x" * 5000)
        with pytest.raises(Damaged, match="choose an older copy"):
            database.restore(tmp_path, tmp_path / "bad.sqlite")
        with pytest.raises(Damaged):
            database.restore(tmp_path, tmp_path / "missing.sqlite")
        assert ids(tmp_path) == ["first"]
        assert not list(tmp_path.glob("replaced-*"))
        assert not list(tmp_path.glob(".*.part"))

    def test_a_copy_that_came_out_bad_is_no_copy(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(backup, "_fault", lambda copy: "row 1 missing")
        with pytest.raises(Damaged, match="row 1 missing"):
            store.back_up()
        assert list((store.path.parent / backup.FOLDER).iterdir()) == []


@contextmanager
def powerless(folder: Path) -> Iterator[None]:
    """The folder and its files may only be read within the block, whoever runs the test."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, which pytest's own cannot be."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.name != "posix", reason="needs the permissions of POSIX")
class TestReadOnlyFolder:
    def test_a_library_there_can_be_read(self, open_folder: Path) -> None:
        library(open_folder)
        with powerless(open_folder):
            with pytest.raises(Unwritable, match=r"permissions"):
                Store.open(open_folder)
            assert ids(open_folder) == ["first"]
            assert review.verify(open_folder).ok

    def test_none_can_be_made(self, open_folder: Path) -> None:
        with powerless(open_folder), pytest.raises(Unwritable, match="permissions"):
            Store.open(open_folder)
        with powerless(open_folder), pytest.raises(Unwritable, match="cannot be made"):
            Store.open(open_folder / "below")

    def test_a_file_that_may_only_be_read(self, open_folder: Path) -> None:
        library(open_folder)
        (open_folder / opening.LOCK).unlink()
        with powerless(open_folder), pytest.raises(Unwritable):
            Store.open(open_folder)


def test_the_clock_of_the_trail_is_utc_with_microseconds(tmp_path: Path) -> None:
    from datetime import timezone

    seoul = timezone(timedelta(hours=9))
    with Store.open(tmp_path, clock=lambda: datetime(2025, 6, 1, 17, 0, 0, 5, tzinfo=seoul)) as store:
        assert [deed.at for deed in review.deeds(store)] == ["2025-06-01T08:00:00.000005+00:00"]
