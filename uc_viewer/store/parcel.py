"""One case as one file, to carry it to another library: a zip of JSON with the digest of every part.

    manifest.json            format, version, and of every other part size and SHA-256
    case.json                details, reading, assessment, status, sources (names without folders)
    runs/0001.json ...       runs with all their items
    signatures/0001.json ... signatures, and beside each its snapshot as it was signed
    trail.json               the entries of the trail about this case, with their values

No pictures, no program, nothing that is unpacked to disk. Reading is bounded, and checks everything before
a single row is written; what is wrong with a file comes as one sentence.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mtl_core.files import replacing
from uc_viewer.case import Run
from uc_viewer.sources.archive import Archive
from uc_viewer.sources.base import SourceError
from uc_viewer.store import audit, cases, plain, readings, runs, signing, sources, trail
from uc_viewer.store.audit import Entry, Values
from uc_viewer.store.connection import Sql
from uc_viewer.store.database import Store, uid_of
from uc_viewer.store.faults import Malformed, StoreError
from uc_viewer.store.nouns import Status
from uc_viewer.store.plain import Data

FORMAT = "uc-viewer case"
VERSION = 1
"""Raised when a reader of these files would have to change."""

MAX_PARTS = 1000
"""Most parts of a file."""

MAX_BYTES = 256 * 2**20
"""Most bytes all parts of a file may have together, unpacked."""

_MANIFEST = "manifest.json"
_PART = re.compile(r"case\.json|trail\.json|runs/\d{4}\.json|signatures/\d{4}(-snapshot)?\.json")
_THEN = (1980, 1, 1, 0, 0, 0)  # the same case makes the same file


class ParcelError(StoreError):
    """A file cannot be taken in; the message says why."""


# Export


def export_case(store: Store, case_number: int, path: Path, by: str) -> None:
    """Write a case into one file, whole or not at all. It holds whatever names the patient in the case.

    Raises NoSuchCase; StoreError where the file cannot be written, and then the trail tells of no export.
    """
    with store.writing() as sql:
        uid = uid_of(sql, case_number)
        parts = _parts(store, sql, case_number)
        manifest = _written(
            {
                "format": FORMAT,
                "version": VERSION,
                "uid": uid,
                "exported": store.now(),
                "parts": {
                    name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                    for name, data in parts.items()
                },
            }
        )
        after = {"manifest_sha256": hashlib.sha256(manifest).hexdigest()}
        store.record(sql, by, "export case", trail.object_of(uid), None, after)
        try:
            with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
                for name, data in {_MANIFEST: manifest, **parts}.items():
                    info = zipfile.ZipInfo(name, _THEN)
                    info.compress_type = zipfile.ZIP_DEFLATED
                    pack.writestr(info, data)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written ({error.strerror or error}): free space or choose another folder"
            ) from error


def _parts(store: Store, sql: Sql, case_number: int) -> dict[str, bytes]:
    reason = sql.one("SELECT reason FROM cases WHERE number = ?", case_number)
    parts = {
        "case.json": {
            **readings.said(sql, case_number),
            "reason": reason,
            "sources": [plain.source_data(one) for one in sources.of_case(store, case_number)],
        }
    }
    for number, run in enumerate(runs.of_case(store, case_number), 1):
        parts[f"runs/{number:04}.json"] = {
            **plain.run_data(runs.head(sql, run.number)),
            "model": runs.model_facts(store, run.number),
            "items": [plain.item_data(item) for item in runs.items(store, run.number)],
        }
    packed = {name: _written(part) for name, part in parts.items()}
    for signature, snapshot in signing.signed(sql, case_number):
        packed[f"signatures/{signature.version:04}.json"] = _written(asdict(signature))
        packed[f"signatures/{signature.version:04}-snapshot.json"] = signing.opened(
            snapshot, signature
        ).encode("ascii")
    packed["trail.json"] = _written(_trail(sql, case_number))
    return packed


def _trail(sql: Sql, case_number: int) -> Data:
    """The entries about a case, and in turn the trail it came with where it was imported."""
    object = trail.object_of(uid_of(sql, case_number))
    before = sql.one("SELECT trail FROM origins WHERE case_number = ?", case_number)
    return {
        "entries": [
            {"entry": asdict(link.entry), "hash": link.hash, "values": link.values and asdict(link.values)}
            for link in trail.links(sql, object)
        ],
        "origin": None if before is None else plain.parse(zlib.decompress(before).decode("utf-8")),
    }


def _written(value: Any) -> bytes:
    # ASCII: a name may hold what UTF-8 cannot.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


# Import


def import_case(store: Store, path: Path, by: str) -> int:
    """Take a case out of a file, as a new case beside any there is; its number.

    All of it or nothing. Signatures stand as they were; the trail it brings is kept with it. Raises
    ParcelError, StoreError.
    """
    try:
        parts, manifest_sha256, uid = _read(path)
        parcel = _Parcel(parts)
    except Malformed as error:
        raise ParcelError(
            f"{path.name} is damaged, or was not written by this program ({error}): export the case again"
        ) from error
    with store.writing() as sql:
        return parcel.put(store, sql, by, uid, manifest_sha256)


class _Parcel:
    """The parts of a file, checked and made into nouns. Raises Malformed."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        main = plain.mapping(_json(parts, "case.json"))
        self.case = plain.case_from(main.get("case"))
        self.reading = plain.reading_from(main)
        self.assessment = plain.assessment_from(main.get("assessment"))
        self.reason = plain.text(main.get("reason"))
        self.version = plain.whole(main.get("version"))
        self.sources = [plain.source_from(one) for one in plain.listing(main.get("sources"))]
        try:
            self.status = Status(main.get("status"))
        except ValueError as error:
            raise Malformed("its status is none") from error
        self.runs = []
        for name in sorted(name for name in parts if name.startswith("runs/")):
            data = plain.mapping(_json(parts, name))
            items = [plain.item_from(one) for one in plain.listing(data.get("items"))]
            run = plain.run_from({**data, "items": []}, self.case)
            self.runs.append((run, plain.mapping(data.get("model")), items))
        self.signatures = []
        for name in sorted(name for name in parts if name.startswith("signatures/") and "-" not in name):
            signature = plain.signature_from(_json(parts, name))
            text = parts.get(name.replace(".json", "-snapshot.json"), b"")
            if hashlib.sha256(text).hexdigest() != signature.snapshot_sha256:
                raise Malformed(f"{name} does not belong to its snapshot")
            if not text.isascii():
                raise Malformed("a snapshot is not as this program writes it")
            plain.snapshot_from(plain.parse(_text(text)))
            self.signatures.append((signature, text))
        self._check_versions()
        self.trail = parts.get("trail.json", b"")
        _check_trail(plain.mapping(_json(parts, "trail.json")))

    def _check_versions(self) -> None:
        found = [signature.version for signature, _ in self.signatures]
        signed = self.version - (self.status is Status.AMENDING)
        fits = {
            Status.DRAFT: signed == 0,
            Status.FINAL: signed == 1,
            Status.AMENDING: signed >= 1,
            Status.AMENDED: signed >= 2,
        }
        if not fits[self.status] or len(found) != signed or found != list(range(1, signed + 1)):
            raise Malformed("its signatures do not fit its status")

    def put(self, store: Store, sql: Sql, by: str, uid: str, manifest_sha256: str) -> int:
        """Write it all as a new case; its number."""
        number, new_uid = cases.insert(store, sql, self.case)
        cases.put_reading(sql, number, self.reading)
        readings.put_assessment(sql, number, self.assessment)
        sources.remember(store, number, self.sources)
        for run, model, items in self.runs:
            _put_run(store, sql, number, run, model, items)
        for signature, text in self.signatures:
            signing.put_signature(sql, number, signature, text)
        sql.execute(
            "UPDATE cases SET status = ?, version = ?, reason = ? WHERE number = ?",
            (self.status.value, self.version, self.reason, number),
        )
        sql.execute(
            "INSERT INTO origins (case_number, uid, sha256, trail) VALUES (?, ?, ?, ?)",
            (number, uid, manifest_sha256, zlib.compress(self.trail)),
        )
        after = {
            "imported_from": uid,
            "manifest_sha256": manifest_sha256,
            **readings.said(sql, number),
            "signatures": [asdict(signature) for signature, _ in self.signatures],
        }
        store.record(sql, by, "import case", trail.object_of(new_uid), None, after)
        return number


def _put_run(
    store: Store, sql: Sql, case_number: int, run: Run, model: Data, items: list[plain.Item]
) -> None:
    number, _ = runs.insert(
        sql,
        case_number,
        run.started,
        run.expected,
        model=model,
        provenance=run.provenance,
        recordings=run.recordings,
    )
    runs.add(store, number, items)
    runs.end(sql, number, run.finished, run.interrupted, complete=run.complete)


def _read(path: Path) -> tuple[dict[str, bytes], str, str]:
    """The parts of a file, as its manifest has them; the digest of the manifest, and the uid of the case."""
    try:
        with Archive(path) as pack:
            positions = _positions(pack)
            manifest = pack.read(positions.pop(_MANIFEST))
            listed, uid = _listed(manifest, positions.keys())
            parts = {name: pack.read(positions[name]) for name in listed}
    except SourceError as error:
        raise Malformed(str(error)) from error
    for name, (size, sha256) in listed.items():
        if (len(parts[name]), hashlib.sha256(parts[name]).hexdigest()) != (size, sha256):
            raise Malformed(f"{name} is not as it was written")
    return parts, hashlib.sha256(manifest).hexdigest(), uid


def _positions(pack: Archive) -> dict[str, int]:
    """Where each part is; only names a case has, each once."""
    positions: dict[str, int] = {}
    for member in pack.members():
        if member.refusal or not (member.name == _MANIFEST or _PART.fullmatch(member.name)):
            raise Malformed("it holds what does not belong to a case")
        if member.name in positions or len(positions) > MAX_PARTS:
            raise Malformed("it holds too many parts")
        positions[member.name] = member.position
    if _MANIFEST not in positions:
        raise Malformed("it has no manifest")
    return positions


def _listed(manifest: bytes, names: Any) -> tuple[dict[str, tuple[int, str]], str]:
    """Size and digest of each part by the manifest, which must be the parts there are; and the uid."""
    data = plain.mapping(plain.parse(_text(manifest)))
    if data.get("format") != FORMAT:
        raise Malformed("it is no case")
    if data.get("version") != VERSION:
        raise ParcelError(
            f"the case was written by a newer version of this program ({data.get('version')!r}): install that"
        )
    listed = {}
    for name, facts in plain.mapping(data.get("parts")).items():
        facts = plain.mapping(facts)
        listed[name] = plain.whole(facts.get("bytes")), plain.text(facts.get("sha256"))
    if listed.keys() != names:
        raise Malformed("parts are missing, or there are more than it says")
    if sum(size for size, _ in listed.values()) > MAX_BYTES or any(size < 0 for size, _ in listed.values()):
        raise Malformed("it is too large")
    return listed, plain.text(data.get("uid"))


def _check_trail(data: Data | None) -> None:
    """Every entry of a trail, and of the one before it, must fit its hash and the seals of its values."""
    while data is not None:
        for row in plain.listing(data.get("entries")):
            if not _fits(plain.mapping(row)):
                raise Malformed("its trail was changed")
        data = plain.optional(plain.mapping)(data.get("origin"))


def _fits(row: Data) -> bool:
    try:
        entry, kept = Entry(**plain.mapping(row.get("entry"))), row.get("values")
        values = None if kept is None else Values(**plain.mapping(kept))
        seals = values and (audit.seal(values.salt, values.before), audit.seal(values.salt, values.after))
        return entry.hash == row.get("hash") and seals in (None, (entry.before, entry.after))
    except (TypeError, ValueError) as error:
        raise Malformed("its trail cannot be read") from error


def _json(parts: Mapping[str, bytes], name: str) -> Any:
    if name not in parts:
        raise Malformed(f"{name} is missing")
    return plain.parse(_text(parts[name]))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("it holds what is no text") from error
