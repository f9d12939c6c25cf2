"""How files of a case are found again: as they were, moved, changed, gone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from uc_viewer.store import cases, sources
from uc_viewer.store.database import Store
from uc_viewer.store.faults import NoSuchCase
from uc_viewer.store.nouns import SourceRecord
from uc_viewer.store.sources import State


def put(path: Path, data: bytes = b"a picture") -> SourceRecord:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return sources.describe(path.name, path, sha256=hashlib.sha256(data).hexdigest(), kind="still")


class TestRecords:
    def test_they_come_back_in_order(self, store: Store, case: int, tmp_path: Path) -> None:
        records = [put(tmp_path / name, name.encode()) for name in ("b.jpg", "a.jpg", "Ünï 병원.mp4")]
        records.append(replace(records[0], source_file="x.zip/1.png", member=4, kind="", sha256=""))
        records.append(replace(records[0], source_file="odd", path=Path("/\udcff/x")))
        sources.remember(store, case, records[:2])
        sources.remember(store, case, records[2:])
        assert sources.of_case(store, case) == records

    def test_a_known_name_takes_the_new_facts_in_its_place(
        self, store: Store, case: int, tmp_path: Path
    ) -> None:
        first, second = put(tmp_path / "a.jpg"), put(tmp_path / "b.jpg")
        sources.remember(store, case, [replace(first, sha256=""), second])
        sources.remember(store, case, [first])
        assert sources.of_case(store, case) == [first, second]

    def test_drops_in_order(self, store: Store, case: int) -> None:
        drops = [[Path("/b"), Path("/a")], [Path("c d.zip")]]
        for paths in drops:
            sources.give(store, case, paths)
        assert sources.given(store, case) == drops

    def test_moved(self, store: Store, case: int, tmp_path: Path) -> None:
        sources.remember(store, case, [put(tmp_path / "a.jpg")])
        sources.moved(store, case, "a.jpg", tmp_path / "new" / "b.jpg")
        assert sources.of_case(store, case)[0].path == tmp_path / "new" / "b.jpg"
        with pytest.raises(NoSuchCase, match=r"c\.jpg is no file of case"):
            sources.moved(store, case, "c.jpg", tmp_path)

    def test_of_a_case_that_is_not_there(self, store: Store) -> None:
        for does in (
            lambda: sources.give(store, 9, []),
            lambda: sources.given(store, 9),
            lambda: sources.remember(store, 9, []),
            lambda: sources.of_case(store, 9),
        ):
            with pytest.raises(NoSuchCase):
                does()

    def test_no_pixels_in_the_library(self, store: Store, case: int, tmp_path: Path) -> None:
        data = os.urandom(50_000)
        sources.remember(store, case, [put(tmp_path / "a.jpg", data)])
        kept = store.path.read_bytes() + store.path.with_name(store.path.name + "-wal").read_bytes()
        assert data[:64] not in kept
        assert len(cases.find(store)) == 1


class TestState:
    def test_as_it_was(self, tmp_path: Path) -> None:
        record = put(tmp_path / "a.jpg")
        assert sources.state(record) is State.SAME
        assert sources.state(record, thorough=True) is State.SAME

    def test_gone(self, tmp_path: Path) -> None:
        record = put(tmp_path / "sub" / "a.jpg")
        record.path.unlink()
        assert sources.state(record) is State.GONE
        record.path.parent.rmdir()
        record.path.parent.write_text("a file now")
        assert sources.state(record) is State.GONE

    def test_another_size(self, tmp_path: Path) -> None:
        record = put(tmp_path / "a.jpg")
        put(record.path, b"longer than before")
        assert sources.state(record) is State.CHANGED

    def test_other_bytes_of_the_same_size(self, tmp_path: Path) -> None:
        record = put(tmp_path / "a.jpg", b"one")
        put(record.path, b"two")
        os.utime(record.path, ns=(0, record.mtime_ns + 10**9))
        assert sources.state(record) is State.CHANGED

    def test_other_bytes_with_size_and_time_kept(self, tmp_path: Path) -> None:
        record = put(tmp_path / "a.jpg", b"one")
        put(record.path, b"two")
        os.utime(record.path, ns=(0, record.mtime_ns))
        assert sources.state(record) is State.SAME
        assert sources.state(record, thorough=True) is State.CHANGED

    def test_another_time_alone_is_no_change(self, tmp_path: Path) -> None:
        record = put(tmp_path / "a.jpg")
        os.utime(record.path, ns=(0, 0))
        assert sources.state(record) is State.SAME
        assert sources.state(replace(record, sha256="")) is State.CHANGED, "nobody knows that it is the same"


class TestSearch:
    def test_by_digest_whatever_it_is_called(self, tmp_path: Path) -> None:
        one, two = put(tmp_path / "old" / "a.jpg", b"one"), put(tmp_path / "old" / "b.jpg", b"two")
        put(tmp_path / "new" / "deep" / "renamed.jpg", b"one")
        put(tmp_path / "new" / "a.jpg", b"not")
        put(tmp_path / "new" / "b.jpg", b"longer")
        (tmp_path / "old" / "a.jpg").unlink()
        found = list(sources.search([one, two], [tmp_path / "new", tmp_path / "missing"]))
        assert found == [(tmp_path / "new" / "deep" / "renamed.jpg", [one])]

    def test_one_file_may_serve_several(self, tmp_path: Path) -> None:
        archive = put(tmp_path / "x.zip", b"archive")
        members = [replace(archive, source_file=f"x.zip/{k}.png", member=k) for k in range(3)]
        other = replace(members[0], source_file="unknown", sha256="")
        assert list(sources.search([*members, other], [tmp_path])) == [(tmp_path / "x.zip", members)]

    def test_it_reads_only_as_much_as_is_asked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        records = [put(tmp_path / f"{k}.jpg", f"file {k}".encode()) for k in range(5)]
        put(tmp_path / "0 large.jpg", b"of another size")
        read: list[str] = []
        real = sources.digest
        monkeypatch.setattr(sources, "digest", lambda path: read.append(path.name) or real(path))
        search: Iterator[object] = sources.search(records[1:3], [tmp_path])
        assert read == []
        next(search)
        assert read == ["0.jpg", "1.jpg"]
        assert len(list(search)) == 1
        assert read == ["0.jpg", "1.jpg", "2.jpg"], "all are found, so no more is read"

    @pytest.mark.skipif(os.name != "posix", reason="needs links")
    def test_a_folder_in_itself(self, tmp_path: Path) -> None:
        record = put(tmp_path / "a" / "x.jpg")
        (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
        (tmp_path / "a" / "dead").symlink_to(tmp_path / "nowhere")
        other = replace(record, sha256="0" * 64)
        assert list(sources.search([other], [tmp_path])) == []
        assert list(sources.search([record], [tmp_path, tmp_path / "a"])) == [(record.path, [record])]
