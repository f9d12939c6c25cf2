"""The schema of the library, as numbered migrations. One file, ``cases.sqlite``; all tables are STRICT.

    cases           a visit: uid, details (JSON of `Case`), what is searched, day, overall comment,
                    definition, status, version and why amended, times, since when it is in the bin
    frame_readings  what the reader says of a frame: one row for each frame that is not UNREAD
    assessments     UCEIS, BBPS, furthest point, extent: one row for each case that has any
    runs            a model's run over a case: model facts, provenance, recordings (JSON), times, complete
    files           the files a run has looked at, each with its digest
    items           one row for each picture a run has looked at: scores, or why there are none, or whose
                    twin it is (kind 0, 1, 2); (file, index) is the key, so a batch added twice is there once
    drops           the paths the user gave, drop by drop: opening them again lists the same names
    sources         how to find each file again: path, size, time, digest. Never its pixels
    signatures      who signed which version when, why it was amended, and the snapshot (zlib of JSON)
    origins         where an imported case came from, with its trail there (zlib of JSON)
    audit           the chain, see `uc_viewer.store.audit`: one row for each thing done
    audit_values    what it changed, before and after (canonical JSON), with the salt of its seals
    head            number and hash of the last row of ``audit``
    purging         the one case that is being erased right now; empty outside that transaction

Everything of a case goes with its row in ``cases``. Triggers keep ``audit``, ``audit_values`` and
``signatures`` append-only for every program; only a purge may erase values and signatures, of its own case.
Times are UTC, ISO 8601 with microseconds, unless a table holds what a run or a signature said itself.
A change of the schema is one more `Migration` at the end; those that are there never change.
"""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION_ID = 0x55435631
"""Marks the file as a library of this program ("UCV1" in the file's header)."""


@dataclass(frozen=True)
class Migration:
    """One step of the schema, carried out in one transaction: what it is for, and its statements."""

    what: str
    statements: tuple[str, ...]


def _frozen(table: str, what: str, key: str, erasable: str = "") -> tuple[str, ...]:
    """Triggers that make a table append-only; ``erasable`` is the condition under which a row may go.

    The one on INSERT is for ``INSERT OR REPLACE``, which deletes without asking the one on DELETE.
    """
    keep = f"WHEN NOT ({erasable})" if erasable else ""
    say = f"SELECT RAISE(ABORT, '{what} can only be added to')"
    return (
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {say}; END",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {keep} BEGIN {say}; END",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) BEGIN {say}; END",
    )


_CASES = (
    """CREATE TABLE cases (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        uid TEXT NOT NULL UNIQUE,
        details TEXT NOT NULL,
        search TEXT NOT NULL,
        day TEXT NOT NULL,
        comment TEXT NOT NULL DEFAULT '',
        definition TEXT NOT NULL DEFAULT 'standard',
        status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'final', 'amending', 'amended')),
        version INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0),
        reason TEXT NOT NULL DEFAULT '',
        created TEXT NOT NULL,
        changed TEXT NOT NULL,
        opened TEXT NOT NULL,
        binned TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    "CREATE INDEX cases_changed ON cases (changed)",
    "CREATE INDEX cases_opened ON cases (opened)",
    "CREATE INDEX cases_day ON cases (day)",
    """CREATE TABLE frame_readings (
        case_number INTEGER NOT NULL REFERENCES cases ON DELETE CASCADE,
        source_file TEXT NOT NULL,
        frame INTEGER NOT NULL,
        grade INTEGER CHECK (grade BETWEEN 0 AND 3),
        reason TEXT NOT NULL,
        segment TEXT,
        rejected INTEGER NOT NULL CHECK (rejected IN (0, 1)),
        key_image INTEGER NOT NULL CHECK (key_image IN (0, 1)),
        comment TEXT NOT NULL,
        PRIMARY KEY (case_number, source_file, frame)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX frame_readings_worst ON frame_readings (case_number, grade)
        WHERE grade IS NOT NULL AND rejected = 0""",
    """CREATE TABLE assessments (
        case_number INTEGER PRIMARY KEY REFERENCES cases ON DELETE CASCADE,
        vascular INTEGER CHECK (vascular BETWEEN 0 AND 2),
        bleeding INTEGER CHECK (bleeding BETWEEN 0 AND 3),
        erosions INTEGER CHECK (erosions BETWEEN 0 AND 3),
        "right" INTEGER CHECK ("right" BETWEEN 0 AND 3),
        transverse INTEGER CHECK (transverse BETWEEN 0 AND 3),
        "left" INTEGER CHECK ("left" BETWEEN 0 AND 3),
        furthest TEXT,
        extent_dm REAL CHECK (extent_dm BETWEEN 0 AND 20)
    ) STRICT""",
)

_RUNS = (
    """CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        uid TEXT NOT NULL UNIQUE,
        case_number INTEGER NOT NULL REFERENCES cases ON DELETE CASCADE,
        model_name TEXT NOT NULL,
        weights_sha256 TEXT NOT NULL,
        model TEXT NOT NULL,
        provenance TEXT NOT NULL,
        recordings TEXT NOT NULL,
        started TEXT NOT NULL,
        finished TEXT NOT NULL DEFAULT '',
        complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
        expected INTEGER NOT NULL CHECK (expected >= 0),
        interrupted TEXT NOT NULL DEFAULT '',
        done INTEGER NOT NULL DEFAULT 0,
        next_place INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX runs_of_case ON runs (case_number)",
    """CREATE TABLE files (
        number INTEGER PRIMARY KEY,
        run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        source_file TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        UNIQUE (run_number, source_file)
    ) STRICT""",
    """CREATE TABLE items (
        file_number INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
        frame INTEGER NOT NULL,
        place INTEGER NOT NULL,
        kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
        pts_seconds REAL,
        p0 REAL, p1 REAL, p2 REAL, p3 REAL,
        p_active REAL,
        active INTEGER CHECK (active IN (0, 1)),
        said TEXT NOT NULL,
        other_sha256 TEXT,
        PRIMARY KEY (file_number, frame)
    ) STRICT, WITHOUT ROWID""",
)

_SOURCES = (
    """CREATE TABLE drops (
        case_number INTEGER NOT NULL REFERENCES cases ON DELETE CASCADE,
        number INTEGER NOT NULL,
        place INTEGER NOT NULL,
        path TEXT NOT NULL,
        PRIMARY KEY (case_number, number, place)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE sources (
        case_number INTEGER NOT NULL REFERENCES cases ON DELETE CASCADE,
        source_file TEXT NOT NULL,
        place INTEGER NOT NULL,
        path TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        kind TEXT NOT NULL,
        member INTEGER,
        PRIMARY KEY (case_number, source_file)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE origins (
        case_number INTEGER PRIMARY KEY REFERENCES cases ON DELETE CASCADE,
        uid TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        trail BLOB NOT NULL
    ) STRICT""",
)

_ERASABLE = "EXISTS (SELECT 1 FROM purging WHERE case_number = OLD.case_number)"
_VALUES_ERASABLE = (
    "EXISTS (SELECT 1 FROM purging JOIN audit ON audit.object = purging.object WHERE audit.seq = OLD.seq)"
)

_TRAIL = (
    "CREATE TABLE purging (case_number INTEGER PRIMARY KEY, object TEXT NOT NULL) STRICT",
    """CREATE TABLE signatures (
        case_number INTEGER NOT NULL REFERENCES cases ON DELETE CASCADE,
        version INTEGER NOT NULL CHECK (version >= 1),
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        signed TEXT NOT NULL,
        reason TEXT NOT NULL,
        snapshot_sha256 TEXT NOT NULL,
        report_sha256 TEXT NOT NULL,
        snapshot BLOB NOT NULL,
        PRIMARY KEY (case_number, version)
    ) STRICT""",
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        object TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX audit_of_object ON audit (object)",
    """CREATE TABLE audit_values (
        seq INTEGER PRIMARY KEY REFERENCES audit,
        salt TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seq INTEGER NOT NULL,
        hash TEXT NOT NULL
    ) STRICT""",
    *_frozen("audit", "the audit trail", "seq = NEW.seq"),
    *_frozen("audit_values", "the audit trail", "seq = NEW.seq", _VALUES_ERASABLE),
    *_frozen(
        "signatures",
        "the signatures",
        "case_number = NEW.case_number AND version = NEW.version",
        _ERASABLE,
    ),
)

MIGRATIONS: tuple[Migration, ...] = (Migration("the first schema", _CASES + _RUNS + _SOURCES + _TRAIL),)
"""All steps in order; a library's version is how many of them were carried out in it."""
