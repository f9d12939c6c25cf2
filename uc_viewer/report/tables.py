"""Results as files for other programs: frames.csv, summary.json, run.json. All appear whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from mtl_core.aggregate import Rule
from mtl_core.files import remove_drafts, replacing
from mtl_core.spec import GRADES
from uc_viewer.case import FrameResult, RecordingFacts, Run, Unreadable
from uc_viewer.indices import NOTHING_READ
from uc_viewer.paths import intended_use
from uc_viewer.report.inputs import damaged, shortfalls
from uc_viewer.report.recordings import Recording, each, rule_of
from uc_viewer.report.wording import printable
from uc_viewer.spreadsheet import ENCODING, guard

SCHEMA_VERSION = 1
"""Version of the three files' layout; raised when a reader would have to change."""

COLUMNS = (
    "source_file",
    "source_sha256",
    "frame_index",
    "pts_seconds",
    "scored",
    "reject_reason",
    "p0",
    "p1",
    "p2",
    "p3",
    "mes_ai",
    "p_active",
    "active_ai",
    "score_continuous",
)
"""Columns of frames.csv, in order."""

FILES = ("report.pdf", "frames.csv", "summary.json", "run.json")
"""What a run writes, in the order a reader wants them."""

INCOMPLETE_NOTE = "INCOMPLETE.txt"
"""Lies beside the results from the start of a run, and stays unless the run comes to its end."""


class FrameTable:
    """frames.csv while it grows: one row per frame, and one per file or frame that could not be opened."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._writer = csv.writer(text)
        self._writer.writerow(COLUMNS)

    def add(self, item: FrameResult | Unreadable) -> None:
        """Append one row."""
        self._writer.writerow(row(item))

    def flush(self) -> None:
        """Hand all rows so far to the operating system."""
        self._text.flush()


@contextmanager
def frame_table(path: Path) -> Iterator[FrameTable]:
    """A `FrameTable` that becomes ``path`` when the block ends well.

    Until then its rows are in a hidden draft in the same folder; if the block raises, the draft is removed
    and an earlier file stays. UTF-8 with a byte order mark, RFC 4180. Raises OSError.
    """
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding=ENCODING, newline="")
        try:
            yield FrameTable(text)
        finally:
            text.detach()  # hands over what is left and leaves the file open for `replacing`


def row(item: FrameResult | Unreadable) -> list[str]:
    """One row of frames.csv, as text. Numbers have six decimals; empty where there is none."""
    start = [guard(item.source_file), item.source_sha256, str(item.index), _decimal(item.pts_seconds)]
    if isinstance(item, Unreadable):
        return [*start, "0", guard(f"unreadable: {item.reason}"), *[""] * 8]
    scores = item.scores
    if scores.probabilities is None:
        return [*start, "0", guard(scores.reject_reason), *[""] * 8]
    return [
        *start,
        "1",
        "",
        *[_decimal(p) for p in scores.probabilities],
        str(scores.grade),
        _decimal(scores.p_active),
        str(int(bool(scores.active))),
        _decimal(scores.continuous),
    ]


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def summarise(run: Run) -> dict[str, Any]:
    """What the run found, JSON-ready, in absolute numbers.

    No shares of stills: the endoscopist chose them, so a share means nothing. ``highest_mes_ai`` is that of
    the stills, since the highest grade among the frames of a recording is mostly error; ``recordings``,
    there only where there are any, says of each what lasts, without any word of a reader.
    """
    scored = [r for r in run.results if r.scores.scored]
    grades = Counter(r.scores.grade for r in scored)
    reasons = Counter(r.scores.reject_reason for r in run.results if not r.scores.scored)
    top = max(scored, key=lambda r: r.scores.p_active or 0.0, default=None)
    still_grades = [r.scores.grade for r in scored if r.pts_seconds is None and r.scores.grade is not None]
    recordings = [_judged(one, rule_of(run)) for one in each(run, NOTHING_READ)]
    return {
        "schema_version": SCHEMA_VERSION,
        "status": _status(run),
        "intended_use": intended_use(),
        "patient_id": run.case.patient_id,
        "synthetic": run.case.synthetic,
        "finished": run.finished,
        "counts": {
            "expected": run.expected,
            "scored": len(scored),
            "rejected": len(run.results) - len(scored),
            "unreadable": len(run.unreadable),
            "active": sum(bool(r.scores.active) for r in scored),
        },
        "grades": {str(grade): grades[grade] for grade in range(GRADES)},
        "highest_mes_ai": max(still_grades, default=None),
        "highest_p_active": None
        if top is None
        else {"source_file": top.source_file, "frame_index": top.index, "p_active": top.scores.p_active},
        "rejected_by_reason": dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        "unreadable": _unreadable(run),
        **({"recordings": recordings} if recordings else {}),
    }


def _judged(one: Recording, rule: Rule) -> dict[str, Any]:
    """What one recording holds and what lasts in it, JSON-ready."""
    whole = one.judgement.whole if one.judgement else None
    found = whole.sustained if whole else None
    counts = found.counts if found else (0,) * GRADES
    scored = sum(counts)
    return {
        "source_file": one.name,
        **_facts(one.facts),
        "frames_looked_at": one.sampled,
        "scored": scored,
        "damaged": len(one.lost),
        "sustained": {
            "rule": {**asdict(rule), "in_words": rule.describe()},
            "mes_ai": found.grade if found else None,
            "since_seconds": whole.since if whole else None,
            "until_seconds": whole.until if whole else None,
            "not_gradable": found.reason if found else "no frame could be decoded",
        },
        "highest_single_frame": {
            "mes_ai": found.highest if found else None,
            "pts_seconds": whole.highest_at_seconds if whole else None,
            "note": "a single frame is mostly error and no result",
        },
        "grades": {str(grade): count for grade, count in enumerate(counts)},
        "shares": {str(grade): round(count / scored, 4) for grade, count in enumerate(counts) if scored},
        "score_continuous_p90": found.p90 if found else None,
    }


def _facts(facts: RecordingFacts | None) -> dict[str, Any]:
    """What the packets of a recording tell, by the names of `RecordingFacts`; nothing where nobody asked."""
    return {name: value for name, value in asdict(facts).items() if name != "source_file"} if facts else {}


def record(run: Run) -> dict[str, Any]:
    """How the run was made, JSON-ready: case, times, provenance, the digest of every input."""
    files: dict[str, str] = {}
    files.update({result.source_file: result.source_sha256 for result in run.results})
    files.update({item.source_file: item.source_sha256 for item in run.unreadable})
    by_digest: defaultdict[str, list[str]] = defaultdict(list)
    for name, digest in files.items():
        if digest:
            by_digest[digest].append(name)
    return {
        "schema_version": SCHEMA_VERSION,
        "status": _status(run),
        "complete": run.complete,
        "intended_use": intended_use(),
        "case": {"patient_id": run.case.patient_id, "synthetic": run.case.synthetic},
        "started": run.started,
        "finished": run.finished,
        "expected": run.expected,
        "provenance": dict(run.provenance),
        "unreadable": _unreadable(run),
        "duplicates": [names for names in by_digest.values() if len(names) > 1],
        "inputs": [{"source_file": name, "sha256": digest} for name, digest in files.items()],
        **({"recordings": [asdict(facts) for facts in run.recordings]} if run.recordings else {}),
    }


def write_json(data: Mapping[str, Any], path: Path) -> None:
    """Write JSON, readable and in UTF-8, in one step. Raises OSError; ValueError for NaN."""
    with replacing(path) as file:
        file.write((json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8"))


def begin(folder: Path) -> None:
    """First step of a run into ``folder``: the note that it is not finished; drafts of a killed run go.

    The note comes before any file changes, so that even a killed run leaves it. Raises OSError.
    """
    remove_drafts(folder, [*FILES, INCOMPLETE_NOTE])
    _write_note(
        folder,
        "the run into this folder is going on or was cut off. "
        "Files here may be of different runs. If it is not going on, run it again.",
    )


def mark(run: Run, folder: Path) -> None:
    """Last step of a run: take the note away if it is complete, else say in it what is missing."""
    done = len(run.results) + len(run.unreadable)
    why = f" ({printable(run.interrupted)})" if run.interrupted else ""
    if run.complete and (gaps := shortfalls(run)):
        _write_note(
            folder,
            f"{' '.join(gaps)} The files here hold all that could be read. "
            "Copy the recordings again from the recorder if they are whole there, and run it again.",
        )
    elif run.complete:
        (folder / INCOMPLETE_NOTE).unlink(missing_ok=True)
    elif done < run.expected:
        _write_note(
            folder,
            f"this run was stopped after {done} of {run.expected} pictures{why}. "
            "The files here hold only those. Run it again for the rest.",
        )
    else:
        _write_note(folder, "scoring is complete, the heatmaps are not. Run it again for all of them.")


def _write_note(folder: Path, text: str) -> None:
    with replacing(folder / INCOMPLETE_NOTE) as file:
        file.write(f"INCOMPLETE: {text}\n".encode())


def _status(run: Run) -> str:
    return "COMPLETE" if run.complete and not shortfalls(run) else "INCOMPLETE"


def _unreadable(run: Run) -> list[dict[str, Any]]:
    """Files that could not be opened, and frames of recordings, these with their place."""
    lost = damaged(run)
    return [
        {"source_file": u.source_file, "reason": u.reason}
        | ({"frame_index": u.index, "pts_seconds": u.pts_seconds} if u.source_file in lost else {})
        for u in run.unreadable
    ]
