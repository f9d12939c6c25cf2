"""One case as one file: it arrives whole, and what is not right does not arrive at all."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from recorded_runs import facts, run_of, still, withdrawal

from uc_viewer.case import Case, Duplicate, FrameReading, Segment, Unreadable
from uc_viewer.entered import Uceis
from uc_viewer.store import cases, parcel, readings, review, runs, signing, sources
from uc_viewer.store.database import Store
from uc_viewer.store.faults import NoSuchCase, StoreError
from uc_viewer.store.nouns import Assessment, SourceRecord, Status
from uc_viewer.store.parcel import ParcelError


@pytest.fixture
def full(store: Store, case: int) -> int:
    """A case with something of everything."""
    run, reading = withdrawal()
    first = runs.keep(store, case, replace(run, unreadable=(Unreadable("bad.jpg", "damaged"),)))
    second = runs.begin(
        store, case, started="x", expected=9, model={"name": "m"}, provenance={"a": [1, None]},
        recordings=[facts("v.mp4", 3, share=None)],
    )  # fmt: skip
    runs.add(store, second, [still("\udcff.jpg", 1), Duplicate("b.jpg", "a.jpg", "ab"), still("c.jpg", None)])
    readings.read_frames(store, case, reading.frames, "reader")
    readings.comment(store, case, "mild\udcff", "reader")
    readings.assess(
        store, case, Assessment(Uceis(vascular=1), extent_dm=2.5, furthest=Segment.CAECUM), "reader"
    )
    sources.give(store, case, [Path("/home/anna/secret/withdrawal.mp4")])
    record = SourceRecord("withdrawal.mp4", Path("/home/anna/secret/withdrawal.mp4"), 9, 8, "ab", "video")
    sources.remember(store, case, [record, replace(record, source_file="x.zip/1", member=3)])
    signing.sign(store, case, first, "Dr A", "reader", b"report")
    signing.amend(store, case, "second look", "Dr A")
    readings.read_frames(store, case, {("withdrawal.mp4", 0): FrameReading(grade=1)}, "Dr A")
    signing.sign(store, case, second, "Dr B")
    signing.amend(store, case, "third look", "Dr A")
    return case


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "other") as opened:
        cases.create(opened, Case(patient_id="there before"), "reader")
        yield opened


@pytest.fixture
def packed(store: Store, full: int, tmp_path: Path) -> Path:
    path = tmp_path / "case.zip"
    parcel.export_case(store, full, path, "reader")
    return path


class TestThere:
    def test_all_of_it_arrives(self, store: Store, full: int, packed: Path, other: Store) -> None:
        number = parcel.import_case(other, packed, "colleague")
        assert number == 2
        assert readings.load(other, number) == readings.load(store, full)
        assert readings.load_case(other, number) == readings.load_case(store, full)
        assert readings.load_assessment(other, number) == readings.load_assessment(store, full)
        assert signing.signatures(other, number) == signing.signatures(store, full)
        for version in (1, 2):
            assert signing.snapshot(other, number, version) == signing.snapshot(store, full, version)
        line, origin = cases.line(other, number), cases.line(store, full)
        assert (line.status, line.version, line.reader_grade) == (Status.AMENDING, 2 + 1, 2)
        assert line.uid != origin.uid
        for here, there in zip(runs.of_case(other, number), runs.of_case(store, full), strict=True):
            assert runs.load(other, here.number) == runs.load(store, there.number)
            assert runs.items(other, here.number) == runs.items(store, there.number)
            assert runs.model_facts(other, here.number) == runs.model_facts(store, there.number)
            assert (here.finished, here.done) == (there.finished, there.done)
        assert review.verify(other.path).ok
        assert review.verify(store.path).ok

    def test_the_reason_goes_with_it(self, packed: Path, other: Store) -> None:
        number = parcel.import_case(other, packed, "colleague")
        assert signing.sign(other, number, None, "Dr C").reason == "third look"

    def test_files_are_known_by_name_and_digest_only(self, packed: Path, other: Store) -> None:
        number = parcel.import_case(other, packed, "colleague")
        first, second = sources.of_case(other, number)
        assert (first.path, first.sha256, first.size) == (Path("withdrawal.mp4"), "ab", 9)
        assert second.member == 3
        with zipfile.ZipFile(packed) as pack:
            assert not any(b"anna" in pack.read(name) for name in pack.namelist())

    def test_the_trails_tell_of_it(self, store: Store, full: int, packed: Path, other: Store) -> None:
        number = parcel.import_case(other, packed, "colleague")
        sent = review.deeds(store)[-1]
        got = review.deeds(other)[-1]
        assert (sent.actor, sent.action) == ("reader", "export case")
        assert (got.actor, got.action) == ("colleague", "import case")
        assert got.after["manifest_sha256"] == sent.after["manifest_sha256"]
        assert got.after["imported_from"] == cases.line(store, full).uid
        assert cases.line(other, number).case == Case(patient_id="UC-007", patient_name="Ada Işık")

    def test_its_trail_goes_on_from_library_to_library(
        self, packed: Path, other: Store, tmp_path: Path
    ) -> None:
        number = parcel.import_case(other, packed, "colleague")
        parcel.export_case(other, number, tmp_path / "again.zip", "colleague")
        trail = part(tmp_path / "again.zip", "trail.json")
        assert [row["entry"]["action"] for row in trail["entries"]] == ["import case"]
        assert trail["origin"]["entries"][0]["entry"]["action"] == "create case"
        assert trail["origin"]["origin"] is None
        third = parcel.import_case(other, tmp_path / "again.zip", "colleague")
        assert readings.load(other, third) == readings.load(other, number)

    def test_twice_gives_two_cases(self, packed: Path, store: Store, full: int) -> None:
        assert parcel.import_case(store, packed, "reader") == full + 1
        assert parcel.import_case(store, packed, "reader") == full + 2
        assert review.verify(store.path).ok

    @pytest.mark.parametrize("signed", [0, 1, 2])
    def test_every_status(self, store: Store, case: int, other: Store, tmp_path: Path, signed: int) -> None:
        for k in range(signed):
            if k:
                signing.amend(store, case, "reason", "Dr A")
            signing.sign(store, case, None, "Dr A")
        parcel.export_case(store, case, tmp_path / "x.zip", "reader")
        number = parcel.import_case(other, tmp_path / "x.zip", "reader")
        here, there = cases.line(store, case), cases.line(other, number)
        assert (there.status, there.version) == (here.status, here.version)


class TestExport:
    def test_it_is_whole_or_not_there(self, store: Store, full: int, tmp_path: Path) -> None:
        count = len(review.deeds(store))
        with pytest.raises(StoreError, match="cannot be written"):
            parcel.export_case(store, full, tmp_path / "missing" / "x.zip", "reader")
        assert len(review.deeds(store)) == count, "the trail tells of no export that failed"
        with pytest.raises(NoSuchCase):
            parcel.export_case(store, 99, tmp_path / "x.zip", "reader")
        assert not (tmp_path / "x.zip").exists()

    def test_it_holds_json_and_nothing_else(self, packed: Path) -> None:
        with zipfile.ZipFile(packed) as pack:
            names = pack.namelist()
            for name in names:
                json.loads(pack.read(name))
        assert names[:2] == ["manifest.json", "case.json"]
        assert len(names) == 9


def part(path: Path, name: str) -> Any:
    with zipfile.ZipFile(path) as pack:
        return json.loads(pack.read(name))


def rewrite(path: Path, change: Callable[[dict[str, bytes]], object], *, listed: bool = True) -> Path:
    """The file with other parts; ``listed``: with a manifest that fits them."""
    with zipfile.ZipFile(path) as pack:
        parts = {name: pack.read(name) for name in pack.namelist()}
    change(parts)
    if listed and "manifest.json" in parts:
        manifest = json.loads(parts["manifest.json"])
        manifest["parts"] = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in parts.items()
            if name != "manifest.json"
        }
        parts["manifest.json"] = json.dumps(manifest).encode()
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in parts.items():
            pack.writestr(name, data)
    return changed


def edit(name: str, change: Callable[[Any], object]) -> Callable[[dict[str, bytes]], None]:
    """Change the JSON of one part."""

    def changed(parts: dict[str, bytes]) -> None:
        data = json.loads(parts[name])
        change(data)
        parts[name] = json.dumps(data).encode()

    return changed


def put(**values: Any) -> Callable[[Any], object]:
    return lambda data: data.update(values)


ITEM = {"source_file": "a", "source_sha256": "", "index": 0}

WRONG: dict[str, Callable[[dict[str, bytes]], object]] = {
    "a part that is missing": lambda parts: parts.pop("case.json"),
    "no manifest": lambda parts: parts.pop("manifest.json"),
    "no trail": lambda parts: parts.pop("trail.json"),
    "a foreign file": lambda parts: parts.update({"run.exe": b"x"}),
    "a path out of it": lambda parts: parts.update({"../case.json": b"{}"}),
    "an absolute path": lambda parts: parts.update({"/etc/case.json": b"{}"}),
    "a zip within": lambda parts: parts.update({"runs/0001.zip": b"x"}),
    "too many parts": lambda parts: parts.update({f"runs/{k:04}.json": b"{}" for k in range(3, 1100)}),
    "no text": lambda parts: parts.update({"case.json": b"\xff\xfe"}),
    "no json": lambda parts: parts.update({"case.json": b"{"}),
    "a list": lambda parts: parts.update({"case.json": b"[]"}),
    "nested beyond all bounds": lambda parts: parts.update({"case.json": b"[" * 200_000}),
    "not a number": lambda parts: parts.update({"runs/0001.json": b'{"expected": NaN}'}),
    "a huge number": lambda parts: parts.update({"runs/0001.json": b'{"expected": ' + b"9" * 5000 + b"}"}),
    "a name that is a number": edit("case.json", put(case={"patient_name": 5})),
    "no comment": edit("case.json", put(comment=None)),
    "a grade that is none": edit("case.json", put(frames=[["a.jpg", 0, {"grade": 7}]])),
    "a grade that is a text": edit("case.json", put(frames=[["a.jpg", 0, {"grade": "2"}]])),
    "a segment that is none": edit("case.json", put(frames=[["a.jpg", 0, {"segment": "nose"}]])),
    "a frame without a name": edit("case.json", put(frames=[[0, {"grade": 1}]])),
    "an assessment out of range": edit("case.json", put(assessment={"uceis": {"vascular": 3}})),
    "an endless extent": edit("case.json", put(assessment={"extent_dm": 1e308})),
    "a status that is none": edit("case.json", put(status="approved")),
    "a status without its signature": edit("case.json", put(status="amended", version=4)),
    "a draft with signatures": edit("case.json", put(status="draft", version=0)),
    "final twice": edit("case.json", put(status="final", version=2)),
    "a version beyond all bounds": edit("case.json", put(status="amended", version=2**62)),
    "a negative version": edit("case.json", put(status="amending", version=-1)),
    "sources that are none": edit("case.json", put(sources=[{"path": "x"}])),
    "a run that expects less than nothing": edit("runs/0001.json", put(expected=-1)),
    "an item without index": edit("runs/0001.json", put(items=[{"source_file": "a", "source_sha256": ""}])),
    "probabilities that are none": edit(
        "runs/0001.json",
        put(items=[{**ITEM, "p": [2, 0, 0, 0], "p_active": 0, "active": True}]),
    ),
    "three probabilities": edit(
        "runs/0001.json",
        put(items=[{**ITEM, "p": [1, 0, 0], "p_active": 0, "active": True}]),
    ),
    "an index beyond SQLite": edit(
        "runs/0001.json", put(items=[{**ITEM, "index": 2**63, "rejected": "x"}])
    ),
    "a picture without answer or reason": edit("runs/0001.json", put(items=[{**ITEM, "rejected": ""}])),
    "a time that is a text": edit("runs/0001.json", put(items=[{**ITEM, "pts_seconds": "1"}])),
    "a snapshot that is no ASCII": lambda parts: (
        parts.update({"signatures/0001-snapshot.json": "{\"ü\": 1}".encode()}),
        edit(
            "signatures/0001.json",
            put(snapshot_sha256=hashlib.sha256(parts["signatures/0001-snapshot.json"]).hexdigest()),
        )(parts),
    ),
    "a snapshot of another format": lambda parts: (
        parts.update({"signatures/0001-snapshot.json": b"{}"}),
        edit("signatures/0001.json", put(snapshot_sha256=hashlib.sha256(b"{}").hexdigest()))(parts),
    ),
    "a changed signature": edit("signatures/0001.json", put(snapshot_sha256="0" * 64)),
    "a changed snapshot": edit("signatures/0001-snapshot.json", put(reading={})),
    "a signature less": lambda parts: parts.pop("signatures/0002.json"),
    "a changed trail": edit("trail.json", lambda data: data["entries"][0]["entry"].update(actor="other")),
    "changed values": edit("trail.json", lambda data: data["entries"][0]["values"].update(after="")),
    "a trail that is none": edit("trail.json", put(entries=[{"entry": {"seq": 1}}])),
    "another format": edit("manifest.json", put(format="something else")),
}  # fmt: skip


class TestDamaged:
    @pytest.mark.parametrize("what", WRONG)
    def test_it_is_one_sentence_and_nothing_is_written(self, packed: Path, other: Store, what: str) -> None:
        before = review.verify(other.path)
        with pytest.raises(ParcelError, match="export the case again") as caught:
            parcel.import_case(other, rewrite(packed, WRONG[what]), "colleague")
        assert "\n" not in str(caught.value)
        assert len(cases.find(other)) == 1
        assert review.verify(other.path) == before

    def test_a_newer_format(self, packed: Path, other: Store) -> None:
        changed = rewrite(packed, edit("manifest.json", put(version=2)))
        with pytest.raises(ParcelError, match="newer version"):
            parcel.import_case(other, changed, "colleague")

    @pytest.mark.parametrize(
        "name", ["case.json", "runs/0001.json", "signatures/0001-snapshot.json", "trail.json"]
    )
    def test_a_part_that_is_not_as_the_manifest_says(self, packed: Path, other: Store, name: str) -> None:
        changed = rewrite(packed, lambda parts: parts.update({name: parts[name] + b" "}), listed=False)
        with pytest.raises(ParcelError, match=f"{name} is not as it was written"):
            parcel.import_case(other, changed, "colleague")

    @pytest.mark.parametrize(
        "change",
        [lambda parts: parts.pop("case.json"), lambda parts: parts.update({"runs/0009.json": b"{}"})],
    )
    def test_parts_that_are_not_those_of_the_manifest(
        self, packed: Path, other: Store, change: Callable[[dict[str, bytes]], object]
    ) -> None:
        with pytest.raises(ParcelError, match="parts are missing, or there are more"):
            parcel.import_case(other, rewrite(packed, change, listed=False), "colleague")

    def test_a_manifest_that_promises_too_much(self, packed: Path, other: Store) -> None:
        def promise(data: Any) -> None:
            data["parts"]["case.json"]["bytes"] = parcel.MAX_BYTES + 1

        with pytest.raises(ParcelError, match="too large"):
            parcel.import_case(
                other, rewrite(packed, edit("manifest.json", promise), listed=False), "colleague"
            )

    def test_bytes_cut_off_or_turned_anywhere(self, packed: Path, other: Store) -> None:
        """Whatever single byte is wrong, the case arrives as it was or not at all."""
        data = packed.read_bytes()
        changed = packed.with_name("changed.zip")
        for place in range(0, len(data), max(1, len(data) // 40)):
            for bad in (data[:place], data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]):
                changed.write_bytes(bad)
                try:
                    number = parcel.import_case(other, changed, "colleague")
                except ParcelError:
                    continue
                assert readings.load(other, number).comment == "mild\udcff"
                assert len(runs.of_case(other, number)) == 2
        assert review.verify(other.path).ok

    def test_no_zip_and_no_file(self, tmp_path: Path, other: Store) -> None:
        (tmp_path / "x.zip").write_bytes(b"no zip")
        for name in ("x.zip", "missing.zip"):
            with pytest.raises(ParcelError, match=name):
                parcel.import_case(other, tmp_path / name, "colleague")

    def test_a_bomb(self, packed: Path, other: Store) -> None:
        changed = rewrite(packed, lambda parts: parts.update({"runs/0003.json": b" " * (80 * 2**20)}))
        with pytest.raises(ParcelError, match="bomb"):
            parcel.import_case(other, changed, "colleague")

    def test_fields_of_a_newer_program_are_passed_over(self, packed: Path, other: Store) -> None:
        changed = rewrite(packed, edit("case.json", lambda data: data["case"].update(weather="fine")))
        number = parcel.import_case(other, changed, "colleague")
        assert readings.load_case(other, number).patient_id == "UC-007"


def test_a_run_of_stills_only(store: Store, case: int, other: Store, tmp_path: Path) -> None:
    run = run_of([still("a.jpg", 1), still("b.jpg", None)])
    runs.keep(store, case, run)
    parcel.export_case(store, case, tmp_path / "x.zip", "reader")
    number = parcel.import_case(other, tmp_path / "x.zip", "reader")
    assert runs.load(other, runs.of_case(other, number)[0].number).results == run.results
