"""UCEIS and BBPS: every sum, what is missing, what is refused."""

from __future__ import annotations

import pytest

from uc_viewer.entered import BLEEDING, EROSIONS, VASCULAR, Bbps, Uceis


def test_uceis_is_the_sum_of_its_three_items() -> None:
    for vascular in range(3):
        for bleeding in range(4):
            for erosions in range(4):
                assert Uceis(vascular, bleeding, erosions).score().value == vascular + bleeding + erosions
    assert Uceis(2, 3, 3).score().words == (
        "UCEIS 8 of 8 (vascular pattern 2, bleeding 3, erosions and ulcers 3)"
    )
    assert (len(VASCULAR), len(BLEEDING), len(EROSIONS)) == (3, 4, 4)


def test_uceis_lacks_what_was_not_given() -> None:
    score = Uceis(vascular=0, erosions=0).score()
    assert score.value is None
    assert score.words == "UCEIS not computed: bleeding not given"
    assert Uceis().score().missing == (
        "vascular pattern not given", "bleeding not given", "erosions and ulcers not given",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "total", "adequate", "words"),
    [
        ((3, 3, 3), 9, True, "BBPS 9 of 9 (right colon 3, transverse colon 3, left colon 3), adequate: "
         "at least 2 in every part"),
        ((2, 2, 2), 6, True, "BBPS 6 of 9 (right colon 2, transverse colon 2, left colon 2), adequate: "
         "at least 2 in every part"),
        ((1, 3, 3), 7, False, "BBPS 7 of 9 (right colon 1, transverse colon 3, left colon 3), not adequate: "
         "right colon 1"),
        ((0, 0, 0), 0, False, "BBPS 0 of 9 (right colon 0, transverse colon 0, left colon 0), not adequate: "
         "right colon 0, transverse colon 0, left colon 0"),
        ((None, 3, 3), None, None, "BBPS not computed: right colon not seen"),
        ((None, 1, 3), None, False, "BBPS not computed: right colon not seen, not adequate: "
         "transverse colon 1"),
        ((None, None, None), None, None, "BBPS not computed: right colon not seen; "
         "transverse colon not seen; left colon not seen"),
    ],
)  # fmt: skip
def test_bbps(
    parts: tuple[int | None, int | None, int | None], total: int | None, adequate: bool | None, words: str
) -> None:
    score = Bbps(*parts).score()
    assert (score.value, score.adequate, score.words) == (total, adequate, words)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"vascular": 3}, "UCEIS, vascular pattern must be a whole number from 0 to 2"),
        ({"bleeding": 4}, "UCEIS, bleeding must be a whole number from 0 to 3"),
        ({"erosions": -1}, "UCEIS, erosions and ulcers must be"),
    ],
)
def test_a_level_out_of_range_is_refused(fields: dict[str, int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Uceis(**fields)


@pytest.mark.parametrize("part", ["right", "transverse", "left"])
def test_a_bbps_out_of_range_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match=f"BBPS, {part} colon must be a whole number from 0 to 3"):
        Bbps(**{part: 4})
