"""The chain by itself: what is hashed, and which break is found where."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uc_viewer.store import audit
from uc_viewer.store.audit import Entry, Link, Values, Verdict, canonical, check


def chain(count: int, *, times: list[str] | None = None, actions: dict[int, str] | None = None) -> list[Link]:
    links: list[Link] = []
    head = (0, audit.START)
    for k in range(count):
        values = Values(f"salt {k}", canonical(None), canonical({"grade": k}))
        at = times[k] if times else f"2025-06-01T08:00:{k:02}.000000+00:00"
        entry = audit.entry_after(head, at, "reader", (actions or {}).get(k, "read"), f"case {k % 2}", values)
        links.append(Link(entry, entry.hash, values))
        head = entry.seq, entry.hash
    return links


def end(links: list[Link]) -> tuple[int, str]:
    return links[-1].entry.seq, links[-1].hash


class TestHash:
    def test_it_is_sha256_over_canonical_json_of_all_fields(self) -> None:
        entry = Entry(1, "2025-06-01T08:00:00.000000+00:00", "Ö", "read", "case x", "b", "a", audit.START)
        text = (
            '{"action":"read","actor":"\\u00d6","after":"a","at":"2025-06-01T08:00:00.000000+00:00",'
            '"before":"b","object":"case x","previous":"' + "0" * 64 + '","seq":1}'
        )
        assert entry.hash == hashlib.sha256(text.encode("ascii")).hexdigest()

    @pytest.mark.parametrize(
        "field", ["seq", "at", "actor", "action", "object", "before", "after", "previous"]
    )
    def test_every_field_counts(self, field: str) -> None:
        entry = Entry(1, "t", "a", "b", "c", "d", "e", "f")
        assert replace(entry, **{field: 2 if field == "seq" else "other"}).hash != entry.hash  # type: ignore[arg-type]

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_canonical_json_is_ascii_and_says_the_same(self, value: object) -> None:
        text = canonical(value)
        assert text.isascii()
        assert json.loads(text) == value
        assert canonical(json.loads(text)) == text

    def test_the_order_of_keys_does_not_matter(self) -> None:
        assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1}) == '{"a":2,"b":1}'

    def test_no_number_is_no_number(self) -> None:
        with pytest.raises(ValueError, match="not JSON compliant"):
            canonical(float("nan"))

    def test_equal_values_have_different_seals(self) -> None:
        assert audit.seal("one", "value") != audit.seal("two", "value")


class TestCheck:
    def test_nothing_is_whole(self) -> None:
        assert check([]) == Verdict(0)
        assert check([]).ok

    def test_a_whole_chain(self) -> None:
        links = chain(20)
        found = check(links, end(links))
        assert found == Verdict(20, head=links[-1].hash)
        assert found.ok
        assert found.sentence == "The audit trail is whole: 20 entries."

    @given(st.data())
    def test_any_change_is_found_where_it_is(self, data: st.DataObject) -> None:
        links = chain(8)
        place = data.draw(st.integers(0, 7))
        field = data.draw(st.sampled_from(["at", "actor", "action", "object", "before", "after"]))
        old = links[place]
        links[place] = replace(old, entry=replace(old.entry, **{field: "forged"}))
        found = check(links, end(links))
        assert (found.broken, found.why) == (place + 1, "it was changed")
        assert not found.ok
        assert f"broken at entry {place + 1}" in found.sentence

    @given(st.integers(0, 6))
    def test_a_change_with_its_hash_breaks_the_next_one(self, place: int) -> None:
        links = chain(8)
        entry = replace(links[place].entry, actor="forged")
        links[place] = replace(links[place], entry=entry, hash=entry.hash)
        found = check(links, end(links))
        assert (found.broken, found.why) == (place + 2, "it does not follow from the entry before it")

    @given(st.integers(0, 6))
    def test_a_missing_entry(self, place: int) -> None:
        links = chain(8)
        del links[place]
        found = check(links)
        assert found.broken == place + 1
        assert "some are missing" in found.why

    def test_two_entries_changed_about(self) -> None:
        links = chain(5)
        links[1], links[2] = links[2], links[1]
        assert check(links).broken == 2

    @given(st.integers(1, 7))
    def test_a_cut_off_end(self, left: int) -> None:
        links = chain(8)
        found = check(links[:left], end(links))
        assert found.broken == left + 1
        assert "cut off" in found.why

    def test_values_that_were_changed(self) -> None:
        links = chain(5)
        values = links[3].values
        assert values is not None
        links[3] = replace(links[3], values=replace(values, after=canonical({"grade": 0})))
        found = check(links, end(links))
        assert (found.broken, found.why) == (4, "the values kept with it were changed")

    def test_a_trail_written_anew_lacks_what_was_noted_elsewhere(self) -> None:
        links = chain(8)
        noted = links[4].hash
        assert check(links, end(links), noted).ok
        other = chain(8, actions={0: "other"})
        assert check(other, end(other)).ok
        found = check(other, end(other), noted)
        assert not found.ok
        assert found.why == "the entry noted elsewhere is not in it"


class TestErased:
    def test_values_may_be_gone_after_a_purge_of_the_same_case(self) -> None:
        links = chain(6, actions={4: audit.PURGE})
        for k in (0, 2):
            links[k] = replace(links[k], values=None)
        found = check(links, end(links))
        assert found.ok
        assert found.erased == 2

    @pytest.mark.parametrize("gone", [1, 5])
    def test_not_those_of_another_case_or_later_ones(self, gone: int) -> None:
        links = chain(7, actions={4: audit.PURGE})
        links[gone] = replace(links[gone], values=None)
        found = check(links, end(links))
        assert found.broken == gone + 1
        assert "no purge" in found.why


def test_a_clock_that_goes_back_is_told_and_no_fault() -> None:
    times = [f"2025-06-01T08:00:{s:02}.000000+00:00" for s in (10, 11, 5, 6, 4)]
    links = chain(5, times=times)
    found = check(links, end(links))
    assert found.ok
    assert found.backwards == (3, 5)
    assert found.sentence.endswith("The clock went back before 2 of them.")
