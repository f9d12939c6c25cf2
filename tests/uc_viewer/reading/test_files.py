"""A session as text: back and forth unchanged, damage found, and a table that keeps the blind."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from uc_viewer.reading.files import COLUMNS, from_json, intact, locked_table, to_json
from uc_viewer.reading.plan import plan
from uc_viewer.reading.session import AI, Changes, Item, Protocol, ReadingError, Session

NOON = "2025-06-01T12:00:00+02:00"
LATER = "2025-06-02T08:30:00+02:00"
ITEMS: list[Item] = [
    ("Mustermann_Max/01.png", 0), ("Mustermann_Max/rec.mp4", 250), "case Ülker", "case 이", "=1+1", "\udcff",
]  # fmt: skip
RULES = Protocol(AI.AFTER_GRADE, changes=Changes.ANY, change_after_ai=True, duplicates=2, distance=3)


def given() -> Session:
    session = plan(ITEMS, 'Reader; "one", Öz', 5, RULES)
    for position in range(6):
        grade = None if position == 3 else position % 4
        session = session.give(position, grade, NOON, 1.25 * position, session.reader)
    return session.show_ai(1, 3, NOON).give(1, 2, LATER, 0.5, session.reader).show_ai(2, None, NOON)


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))


def test_a_session_comes_back_as_it_was_saved() -> None:
    for session in (plan(ITEMS, "R1", 5, RULES), given(), given().lock(LATER, unread_too=True)):
        text = to_json(session)
        assert from_json(text) == session
        assert to_json(from_json(text)) == text
        text.encode("ascii")


def test_reading_goes_on_where_it_stopped() -> None:
    session = from_json(to_json(given()))
    assert session.next_unread == 6
    assert session.give(6, 1, LATER, 2.0, session.reader) == given().give(6, 1, LATER, 2.0, session.reader)


def test_a_saved_session_holds_no_grade_of_the_ai_that_was_not_shown() -> None:
    shown = [entry["shown"] for entry in json.loads(to_json(given()))["entries"]]
    assert [position for position, one in enumerate(shown) if one is not None] == [1, 2]


def altered(*path: str | int, value: Any) -> str:
    data = json.loads(to_json(given()))
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a reading session"),
        ("{", "not a reading session"),
        ("[]", "not a reading session"),
        ("[" * 100_000, "not a reading session"),
        ('{"format": "another"}', "not a reading session"),
        (altered("version", value=2), "has version 2, and this program reads 1: open it with"),
        (altered("version", value="1"), "version cannot be '1'"),
        (altered("reader", value=7), "reader cannot be 7"),
        (altered("seed", value=1.0), "seed cannot be"),
        (altered("more", value=1), "the session must have"),
        (altered("entries", value={}), "entries cannot be"),
        (altered("entries", 0, value=[]), "an entry must have"),
        (altered("entries", 0, "item", value=["a", "b"]), "neither a case nor a frame"),
        (altered("entries", 0, "item", value=None), "item cannot be None"),
        (altered("entries", 0, "pseudonym", value=None), "pseudonym cannot be None"),
        (altered("entries", 0, "again", value=True), "again cannot be True"),
        (altered("entries", 0, "answers", value=[]), "number 1 was passed over"),
        (altered("entries", 0, "answers", 0, value=[1]), "an answer must have"),
        (altered("entries", 0, "answers", 0, "grade", value=True), "grade cannot be True"),
        (altered("entries", 0, "answers", 0, "grade", value=4), "a grade is 0, 1, 2 or 3"),
        (altered("entries", 0, "answers", 0, "at", value=5), "at cannot be 5"),
        (altered("entries", 0, "answers", 0, "seconds", value=-1), "is no time in seconds"),
        (altered("entries", 1, "shown", "grade", value=9), "number 2, AI: a grade is"),
        (altered("entries", 1, "shown", value=[]), "shown cannot be"),
        (altered("entries", 1, "shown", value={"grade": 1}), "an AI's grade must have"),
        (altered("protocol", "ai", value="SEEN"), "unknown rule: 'SEEN'"),
        (altered("protocol", "ai", value="HIDDEN"), "needs an AI that is shown"),
        (altered("protocol", "names_hidden", value=1), "names_hidden cannot be 1"),
        (altered("protocol", "duplicates", value=3), "not as many duplicates"),
        (altered("protocol", "distance", value=6), "too near"),
        (altered("locked_at", value="yesterday"), "is no time"),
    ],
)  # fmt: skip
def test_a_damaged_session_is_refused_with_its_fault(text: str, told: str) -> None:
    with pytest.raises(ReadingError, match=told):
        from_json(text)


# The table


def test_the_table_has_a_row_for_every_position() -> None:
    session = given().lock(LATER, unread_too=True)
    told = rows(locked_table(session))
    assert [row["order"] for row in told] == [str(number) for number in range(1, 9)]
    for row, entry in zip(told, session.entries, strict=True):
        assert row["item"] == entry.pseudonym
        assert row["duplicate_of"] == ("" if entry.again is None else str(entry.again + 1))
        assert row["reader"] == session.reader
        assert row["protocol"] == session.protocol.describe()
        assert (row["seed"], row["locked_at"], row["schema_version"]) == ("5", LATER, "1")
    assert [row["status"] for row in told] == ["read"] * 3 + ["not gradable"] + ["read"] * 2 + ["unread"] * 2
    assert [row["grade"] for row in told] == ["0", "2", "2", "", "0", "1", "", ""]
    assert [row["unaided_grade"] for row in told] == ["0", "1", "2", "", "0", "1", "", ""]
    assert [row["answers"] for row in told] == ["1", "2", "1", "1", "1", "1", "0", "0"]
    assert [row["seconds"] for row in told][:3] == ["0.000", "1.750", "2.500"]
    assert [row["graded_at"] for row in told][:2] == [NOON, LATER]
    assert [row["ai_shown"] for row in told] == ["0", "1", "1", "0", "0", "0", "0", "0"]
    assert [row["ai_grade"] for row in told] == ["", "3", "", "", "", "", "", ""]
    assert sum(row["duplicate_of"] != "" for row in told) == 2


def test_the_protocol_is_told_in_words() -> None:
    assert RULES.describe() == (
        "AI shown after the own grade; names hidden; changes: any, until the session is locked, even after "
        "the AI was shown; read twice: 2, distance 3"
    )
    assert (
        Protocol(duplicates=0.1, distance=9).describe().endswith("read twice: 0.1 of the items, distance 9")
    )
    assert Protocol(names_hidden=False).describe().startswith("AI hidden; names shown; changes: the last one")


def test_the_table_names_no_item() -> None:
    text = locked_table(given().lock(LATER, unread_too=True)).decode("utf-8-sig")
    assert not any(name in text for name in ("Mustermann", "Ülker", "이", "1+1"))


def test_the_table_is_rfc_4180_with_a_byte_order_mark() -> None:
    table = locked_table(given().lock(LATER, unread_too=True))
    assert table.startswith(b"\xef\xbb\xbforder,item,")
    assert table.endswith(b"\r\n")
    assert table.count(b"\n") == table.count(b"\r\n") == 9
    assert b'"Reader; ""one"", \xc3\x96z"' in table
    assert tuple(rows(table)[0]) == COLUMNS


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_text_of_the_table_is_taken_for_a_formula(sign: str) -> None:
    session = plan(["a"], f"{sign}R1", 1, pseudonyms={"a": f"{sign}2+3"}).give(0, 1, NOON, 1, f"{sign}R1")
    (row,) = rows(locked_table(session.lock(LATER)))
    assert (row["reader"], row["item"]) == (f"'{sign}R1", f"'{sign}2+3")


def test_an_open_session_gives_no_table() -> None:
    with pytest.raises(ReadingError, match="lock it first"):
        locked_table(given())


def test_every_change_of_a_table_is_found() -> None:
    table = locked_table(given().lock(LATER, unread_too=True))
    assert intact(table)
    lines = table.split(b"\r\n")
    assert not intact(b"\r\n".join([lines[0], lines[2], lines[1], *lines[3:]]))
    assert not intact(b"\r\n".join([*lines[:3], *lines[4:]]))
    assert not intact(b"\r\n".join([*lines[:3], lines[3], *lines[3:]]))
    assert not intact(table.replace(b",read,0,", b",read,1,", 1))
    assert not intact(table.replace(b",unaided_grade,", b",aided_grade,"))
    assert not intact(lines[0] + b"\r\n")
    assert not intact(b"")
    assert not intact(b"\xff\xfe")
    assert not intact(table.replace(b'""one""', b'"one"'))
    digest = rows(table)[0]["rows_sha256"].encode()
    assert not intact(table.replace(digest, b"0" * 64, 1))
    assert not intact(table.replace(digest, b"0" * 64))


def test_a_table_that_a_spreadsheet_quoted_anew_is_still_whole() -> None:
    table = locked_table(given().lock(LATER, unread_too=True))
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""))
    )
    assert intact(text.getvalue().encode("utf-8"))
