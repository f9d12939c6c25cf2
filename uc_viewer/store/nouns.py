"""The nouns of the library beside those of `uc_viewer.case`. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from uc_viewer.case import Case, Reading, Run, Segment
from uc_viewer.derived import LONGEST_DM
from uc_viewer.entered import Bbps, Uceis


class Status(Enum):
    """How far a case is. ``AMENDING``: signed once, taken up again, not signed again yet."""

    DRAFT = "draft"
    FINAL = "final"
    AMENDING = "amending"
    AMENDED = "amended"

    @property
    def signed(self) -> bool:
        """True while what the reader says stands under a signature and may not change."""
        return self in (Status.FINAL, Status.AMENDED)


class Step(Enum):
    """Whether the reader does something, takes it back, or does it again."""

    DO = ""
    UNDO = "undo "
    REDO = "redo "


@dataclass(frozen=True)
class Assessment:
    """What the reader enters for the whole examination; None: not given, which is not 0.

    ``furthest``: the furthest point seen. ``extent_dm``: maximal extent of the inflammation in decimetres,
    0..`LONGEST_DM`. Raises ValueError for an extent out of range.
    """

    uceis: Uceis = field(default_factory=Uceis)
    bbps: Bbps = field(default_factory=Bbps)
    furthest: Segment | None = None
    extent_dm: float | None = None

    def __post_init__(self) -> None:
        if self.extent_dm is not None and not 0 <= self.extent_dm <= LONGEST_DM:
            raise ValueError(f"maximal extent: {self.extent_dm!r} dm is not within 0 to {LONGEST_DM:g}")


@dataclass(frozen=True)
class CaseLine:
    """One line of the list of cases.

    ``number`` names the case in this library, ``uid`` anywhere. ``version``: 0 for a draft, else that of the
    last or coming signature. ``reader_grade``: the highest MES the reader gave, None while nothing is read.
    ``done`` of ``expected`` pictures of the newest run were looked at; ``complete`` is None without a run.
    Times are UTC, ISO 8601; ``binned`` is empty unless the case is in the bin.
    """

    number: int
    uid: str
    case: Case
    status: Status
    version: int
    reader_grade: int | None
    done: int
    expected: int
    complete: bool | None
    created: str
    changed: str
    opened: str
    binned: str


@dataclass(frozen=True)
class RunLine:
    """One run of a case, without its results.

    ``finished`` is empty while it goes on, and where the program was killed.
    """

    number: int
    uid: str
    case_number: int
    model_name: str
    weights_sha256: str
    started: str
    finished: str
    complete: bool
    expected: int
    done: int
    interrupted: str


@dataclass(frozen=True)
class SourceRecord:
    """How to open a file of a case again, and how to know it; never its pixels.

    ``source_file`` is its name in the results, ``path`` where it lay, ``member`` its position where ``path``
    is an archive. ``size`` in bytes, ``mtime_ns`` and ``sha256`` are those of the file at ``path``;
    ``sha256`` is empty while unknown. ``kind`` is for the reader: "still", "video", "DICOM" ...
    """

    source_file: str
    path: Path
    size: int
    mtime_ns: int
    sha256: str = ""
    kind: str = ""
    member: int | None = None


@dataclass(frozen=True)
class Signature:
    """Who signed a version of a case, and when (local time with offset).

    ``reason`` says why a signed case was changed, empty for version 1. ``snapshot_sha256`` is the digest of
    what was signed (see `Snapshot`), ``report_sha256`` that of the report's bytes, empty without one.
    """

    version: int
    name: str
    role: str
    signed: str
    reason: str
    snapshot_sha256: str
    report_sha256: str = ""

    @property
    def status(self) -> Status:
        """Final, or amended."""
        return Status.FINAL if self.version == 1 else Status.AMENDED


@dataclass(frozen=True)
class Snapshot:
    """A case as it was signed, frozen: nothing done later changes it."""

    case: Case
    run: Run | None
    reading: Reading
    assessment: Assessment
    report_sha256: str = ""
