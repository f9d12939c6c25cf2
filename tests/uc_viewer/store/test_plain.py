"""Nouns as plain data: whoever adds a field to one is told where else it belongs."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from recorded_runs import facts, withdrawal

from uc_viewer.case import Case, Duplicate, FrameReading, FrameResult, RecordingFacts, Run, Unreadable
from uc_viewer.store import plain
from uc_viewer.store.faults import Malformed
from uc_viewer.store.nouns import Assessment, Signature, Snapshot


def names(noun: type[Any]) -> set[str]:
    return {part.name for part in fields(noun)}


def test_every_detail_of_a_case_is_a_text_or_a_tick() -> None:
    """Another type needs a check of its own in `plain`."""
    assert set(get_type_hints(Case).values()) <= {str, bool}
    case = Case(**{name: "x" if kind is str else True for name, kind in get_type_hints(Case).items()})
    assert plain.case_from(json.loads(plain.written(plain.case_data(case)))) == case


def test_every_field_has_its_check() -> None:
    assert set(plain._FRAME_READING) == names(FrameReading)
    assert set(plain._FACTS) == names(RecordingFacts)
    assert set(plain._SIGNATURE) == names(Signature)
    assert set(plain._ASSESSMENT) == names(Assessment)
    assert set(plain.run_data(withdrawal()[0])) == names(Run) - {"case", "results", "unreadable"} | {"items"}
    assert names(FrameResult) == {"source_file", "source_sha256", "index", "pts_seconds", "scores"}
    assert names(Unreadable) == {"source_file", "source_sha256", "index", "pts_seconds", "reason"}
    assert names(Duplicate) == {"source_file", "source_sha256", "index", "of"}


def test_a_snapshot_comes_back_through_json() -> None:
    run, reading = withdrawal()
    snapshot = Snapshot(run.case, run, reading, Assessment(extent_dm=2.5), "ab")
    assert plain.snapshot_from(json.loads(json.dumps(plain.snapshot_data(snapshot)))) == snapshot


def test_details_a_newer_program_has_are_passed_over_and_missing_ones_are_empty() -> None:
    assert plain.case_from({"patient_id": "x", "weather": "fine"}) == Case(patient_id="x")


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (plain.text, 5),
        (plain.text, None),
        (plain.whole, True),
        (plain.whole, 1.0),
        (plain.whole, 2**63),
        (plain.flag, 1),
        (plain.number, "1"),
        (plain.number, True),
        (plain.number, float("inf")),
        (plain.mapping, []),
        (plain.listing, {}),
        (plain.segment, "Rectum"),
        (plain.recordings_from, [{"source_file": "x"}]),
        (plain.frames_from, [["a", 0]]),
        (plain.snapshot_from, {"format": 2}),
    ],
)
def test_what_is_wrong_is_told(check: Any, value: Any) -> None:
    with pytest.raises(Malformed):
        check(value)


def test_a_message_about_something_long_is_short() -> None:
    with pytest.raises(Malformed) as caught:
        plain.whole("x" * 10_000)
    assert len(str(caught.value)) < 80


def test_recordings() -> None:
    found = (facts("a", 3, share=None, interlaced=True), facts("b", 0))
    assert plain.recordings_from(json.loads(json.dumps(plain.recordings_data(found)))) == found
