"""The nouns as plain JSON data, and back. What comes from outside is checked: wrong data raises Malformed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from mtl_core.scores import FrameScores
from mtl_core.spec import GRADES
from uc_viewer.case import (
    UNREAD,
    Case,
    Duplicate,
    FrameKey,
    FrameReading,
    FrameResult,
    Reading,
    RecordingFacts,
    Run,
    Segment,
    Unreadable,
)
from uc_viewer.entered import Bbps, Uceis
from uc_viewer.store.faults import Malformed
from uc_viewer.store.nouns import Assessment, Signature, Snapshot, SourceRecord

_SLACK = 1e-3
"""How far a probability may leave 0..1 by rounding."""

Item = FrameResult | Unreadable | Duplicate
"""What a run says of one picture."""

Noun = TypeVar("Noun")
Data = dict[str, Any]


def parse(text: str) -> Any:
    """JSON, without the numbers it does not have. Raises Malformed."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON: {error}") from error


def written(value: Any) -> str:
    """JSON with its keys in their order. Raises ValueError for NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _no_number(name: str) -> Any:
    raise Malformed(f"{name} is no number")


# Checks of single values


def text(value: Any) -> str:
    """A text."""
    return _typed(value, str, "a text")


def whole(value: Any) -> int:
    """A whole number that SQLite can hold."""
    number = _typed(value, int, "a whole number")
    if not -(2**63) <= number < 2**63:
        raise Malformed(f"{number} is out of all range")
    return number


def flag(value: Any) -> bool:
    """True or false."""
    return _typed(value, bool, "true or false")


def number(value: Any) -> float:
    """A finite number."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise Malformed(f"{_short(value)} is no finite number")
    return float(value)


def mapping(value: Any) -> Data:
    """A JSON object."""
    return _typed(value, dict, "an object")


def listing(value: Any) -> list[Any]:
    """A JSON array."""
    return _typed(value, list, "a list")


def optional(check: Callable[[Any], Noun]) -> Callable[[Any], Noun | None]:
    """The same check, or null."""
    return lambda value: None if value is None else check(value)


def _typed(value: Any, kind: type[Noun], what: str) -> Noun:
    if type(value) is not kind:
        raise Malformed(f"{_short(value)} is not {what}")
    return value


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]} ..."


def segment(value: Any) -> Segment:
    """A segment by the name it has in `Segment`."""
    try:
        return Segment[text(value)]
    except KeyError as error:
        raise Malformed(f"{_short(value)} is no segment") from error


def _made(kind: Callable[..., Noun], checks: Mapping[str, Callable[[Any], Any]], value: Any) -> Noun:
    """A dataclass from an object: known fields are checked, missing ones take their default."""
    data = mapping(value)
    try:
        return kind(**{name: check(data[name]) for name, check in checks.items() if name in data})
    except Malformed:
        raise
    except (TypeError, ValueError) as error:  # a field without default is missing, or a value out of range
        raise Malformed(str(error)) from error


# Case, readings, assessment

_CASE: dict[str, Callable[[Any], Any]] = {
    part.name: flag if part.default is False else text for part in fields(Case) if part.default is not MISSING
}

_FRAME_READING: dict[str, Callable[[Any], Any]] = {
    "grade": optional(whole),
    "reason": text,
    "segment": optional(segment),
    "rejected": flag,
    "key_image": flag,
    "comment": text,
}

_UCEIS: dict[str, Callable[[Any], Any]] = {part.name: optional(whole) for part in fields(Uceis)}
_BBPS: dict[str, Callable[[Any], Any]] = {part.name: optional(whole) for part in fields(Bbps)}

_ASSESSMENT: dict[str, Callable[[Any], Any]] = {
    "uceis": lambda value: _made(Uceis, _UCEIS, value),
    "bbps": lambda value: _made(Bbps, _BBPS, value),
    "furthest": optional(segment),
    "extent_dm": optional(number),
}


def case_data(case: Case) -> Data:
    """The details of a case, JSON-ready."""
    return asdict(case)


def case_from(value: Any) -> Case:
    """The inverse of `case_data`."""
    return _made(Case, _CASE, value)


def frame_reading_data(reading: FrameReading) -> Data | None:
    """What differs from `UNREAD`; None where nothing does."""
    said = {
        part.name: value(getattr(reading, part.name))
        for part in fields(FrameReading)
        if getattr(reading, part.name) != part.default
    }
    return said or None


def frame_reading_from(value: Any) -> FrameReading:
    """The inverse of `frame_reading_data`."""
    reading = UNREAD if value is None else _made(FrameReading, _FRAME_READING, value)
    if reading.grade is not None and not 0 <= reading.grade < GRADES:
        raise Malformed(f"{reading.grade} is no grade")
    return reading


def frames_data(readings: Mapping[FrameKey, FrameReading]) -> list[Any]:
    """Readings of frames as ``[source_file, index, what differs or null]``, sorted."""
    return [[*key, frame_reading_data(reading)] for key, reading in sorted(readings.items(), key=_key)]


def _key(pair: tuple[FrameKey, FrameReading]) -> FrameKey:
    return pair[0]


def frames_from(value: Any) -> dict[FrameKey, FrameReading]:
    """The inverse of `frames_data`; frames of which nothing is said are left out."""
    found = {}
    for row in listing(value):
        match row:
            case [source_file, index, said]:
                if (reading := frame_reading_from(said)) != UNREAD:
                    found[text(source_file), whole(index)] = reading
            case _:
                raise Malformed(f"{_short(row)} is no reading of a frame")
    return found


def reading_data(reading: Reading) -> Data:
    """All the reader says, JSON-ready."""
    return {
        "comment": reading.comment,
        "definition": reading.definition,
        "frames": frames_data(reading.frames),
    }


def reading_from(value: Any) -> Reading:
    """The inverse of `reading_data`."""
    data = mapping(value)
    return Reading(frames_from(data.get("frames")), text(data.get("comment")), text(data.get("definition")))


def assessment_data(assessment: Assessment) -> Data:
    """What is given, JSON-ready."""
    data: Data = {"uceis": _given(asdict(assessment.uceis)), "bbps": _given(asdict(assessment.bbps))}
    return {**data, **_given({"furthest": assessment.furthest, "extent_dm": assessment.extent_dm})}


def _given(values: Data) -> Data:
    return {name: value(each) for name, each in values.items() if each is not None}


def assessment_from(value: Any) -> Assessment:
    """The inverse of `assessment_data`."""
    return _made(Assessment, _ASSESSMENT, value)


def value(value: Any) -> Any:
    """A value as it is written: a segment by its name."""
    return value.name if isinstance(value, Segment) else value


# Runs

_FACTS: dict[str, Callable[[Any], Any]] = {
    "source_file": text,
    "frames": whole,
    "sampled": whole,
    "seconds": number,
    "width": whole,
    "height": whole,
    "codec": text,
    "container": text,
    "share": optional(number),
    "interlaced": flag,
}


def recordings_data(recordings: tuple[RecordingFacts, ...]) -> list[Data]:
    """What the recordings hold, JSON-ready."""
    return [asdict(facts) for facts in recordings]


def recordings_from(value: Any) -> tuple[RecordingFacts, ...]:
    """The inverse of `recordings_data`."""
    return tuple(_made(RecordingFacts, _FACTS, one) for one in listing(value))


def item_data(item: Item) -> Data:
    """What a run says of one picture, JSON-ready."""
    data: Data = {"source_file": item.source_file, "source_sha256": item.source_sha256, "index": item.index}
    if isinstance(item, Duplicate):
        return {**data, "duplicate_of": item.of}
    data["pts_seconds"] = item.pts_seconds
    if isinstance(item, Unreadable):
        return {**data, "unreadable": item.reason}
    scores = item.scores
    if scores.probabilities is None:
        return {**data, "rejected": scores.reject_reason}
    return {**data, "p": list(scores.probabilities), "p_active": scores.p_active, "active": scores.active}


def item_from(value: Any) -> Item:
    """The inverse of `item_data`."""
    data = mapping(value)
    name, sha256, index = (
        text(data.get("source_file")), text(data.get("source_sha256")), whole(data.get("index")),
    )  # fmt: skip
    if "duplicate_of" in data:
        return Duplicate(name, text(data["duplicate_of"]), sha256, index)
    pts = optional(number)(data.get("pts_seconds"))
    if "unreadable" in data:
        return Unreadable(name, text(data["unreadable"]), sha256, index, pts)
    if "rejected" in data:
        return FrameResult(name, sha256, index, pts, scores_from(None, None, None, text(data["rejected"])))
    p = [number(each) for each in listing(data.get("p"))]
    scores = scores_from(p, number(data.get("p_active")), flag(data.get("active")), "")
    return FrameResult(name, sha256, index, pts, scores)


def scores_from(
    p: list[float] | None, p_active: float | None, active: bool | None, reason: str
) -> FrameScores:
    """The model's answer from its parts. Raises Malformed where they make none."""
    if p is not None and (len(p) != GRADES or not all(-_SLACK <= each <= 1 + _SLACK for each in p)):
        raise Malformed("the probabilities of a frame are none")
    try:
        return FrameScores(None if p is None else (p[0], p[1], p[2], p[3]), p_active, active, reason)
    except ValueError as error:
        raise Malformed(str(error)) from error


def run_data(run: Run) -> Data:
    """A run without its case, JSON-ready."""
    return {
        "started": run.started,
        "finished": run.finished,
        "complete": run.complete,
        "expected": run.expected,
        "interrupted": run.interrupted,
        "provenance": dict(run.provenance),
        "recordings": recordings_data(run.recordings),
        "items": [*map(item_data, run.results), *map(item_data, run.unreadable)],
    }


def run_from(value: Any, case: Case) -> Run:
    """The inverse of `run_data`."""
    data = mapping(value)
    items = [item_from(one) for one in listing(data.get("items"))]
    if (expected := whole(data.get("expected"))) < 0:
        raise Malformed(f"{expected} pictures cannot be expected")
    return Run(
        case=case,
        results=tuple(item for item in items if isinstance(item, FrameResult)),
        unreadable=tuple(item for item in items if isinstance(item, Unreadable)),
        started=text(data.get("started")),
        finished=text(data.get("finished")),
        complete=flag(data.get("complete")),
        expected=expected,
        provenance=mapping(data.get("provenance")),
        recordings=recordings_from(data.get("recordings")),
        interrupted=text(data.get("interrupted")),
    )


# Signatures and sources

_SIGNATURE: dict[str, Callable[[Any], Any]] = {
    part.name: whole if part.name == "version" else text for part in fields(Signature)
}


def snapshot_data(snapshot: Snapshot) -> Data:
    """A case as it was signed, JSON-ready."""
    return {
        "format": 1,
        "case": case_data(snapshot.case),
        "run": None if snapshot.run is None else run_data(snapshot.run),
        "reading": reading_data(snapshot.reading),
        "assessment": assessment_data(snapshot.assessment),
        "report_sha256": snapshot.report_sha256,
    }


def snapshot_from(value: Any) -> Snapshot:
    """The inverse of `snapshot_data`."""
    data = mapping(value)
    if data.get("format") != 1:
        raise Malformed(f"a snapshot of format {_short(data.get('format'))}")
    case = case_from(data.get("case"))
    return Snapshot(
        case,
        None if data.get("run") is None else run_from(data["run"], case),
        reading_from(data.get("reading")),
        assessment_from(data.get("assessment")),
        text(data.get("report_sha256")),
    )


def signature_from(value: Any) -> Signature:
    """A signature from ``asdict`` of one."""
    return _made(Signature, _SIGNATURE, value)


def source_data(source: SourceRecord) -> Data:
    """How to know a file again, JSON-ready: its name without the folders, which tell of one computer."""
    return {**asdict(source), "path": source.path.name}


def source_from(value: Any) -> SourceRecord:
    """The inverse of `source_data`; the path is a bare name."""
    checks: dict[str, Callable[[Any], Any]] = {
        part.name: text if part.type == "str" else whole for part in fields(SourceRecord)
    }
    checks |= {"path": lambda name: Path(Path(text(name)).name), "member": optional(whole)}
    return _made(SourceRecord, checks, value)
