"""Derived scores: worked examples, what is missing, and what holds for any grades."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_core import spec
from uc_viewer import derived
from uc_viewer.case import Segment
from uc_viewer.derived import (
    FIVE,
    Caecum,
    Extent,
    SegmentGrades,
    Target,
    mmes,
    montreal,
    pan_mayo,
    stride_target,
    worst_segment,
)


def bowel(text: str) -> dict[Segment, int | None]:
    """``"-01223"``: caecum to rectum, ``-`` where not examined."""
    assert len(text) == len(Segment)
    return {segment: None if sign == "-" else int(sign) for segment, sign in zip(Segment, text, strict=True)}


GRADES = st.integers(0, 3)
WHOLE = st.fixed_dictionaries({segment: GRADES for segment in Segment})
ANY = st.fixed_dictionaries({segment: st.none() | GRADES for segment in Segment})
EXTENTS = st.floats(0.1, 20)
RULES = st.sampled_from(Caecum)


def test_the_active_cut_is_the_engines() -> None:
    assert spec.ACTIVE.cut == derived.ACTIVE


# Worst segment


@pytest.mark.parametrize(
    ("grades", "value", "words"),
    [
        ("000123", 3, "MES 3, worst in rectum"),
        ("000322", 3, "MES 3, worst in descending colon"),
        ("011011", 1, "MES 1, worst in ascending colon, transverse colon, sigmoid colon and rectum"),
        ("3000-2", 3, "MES 3, worst in caecum; not examined: sigmoid colon"),
        ("--0021", 2, "MES 2, worst in sigmoid colon; not examined: caecum and ascending colon"),
        ("------", None, "MES not given: no segment was examined"),
    ],
)  # fmt: skip
def test_the_patients_mes_is_that_of_the_worst_segment(grades: str, value: int | None, words: str) -> None:
    worst = worst_segment(bowel(grades))
    assert (worst.value, worst.words) == (value, words)


@given(ANY)
def test_the_worst_segments_have_the_worst_grade_and_no_other_has_it(grades: SegmentGrades) -> None:
    worst = worst_segment(grades)
    assert {s for s in Segment if worst.value is not None and grades[s] == worst.value} == set(worst.segments)
    assert {s for s in Segment if grades[s] is None} == set(worst.not_examined)
    assert len(worst.missing) == len(worst.not_examined)
    assert all(
        grade is None or (worst.value is not None and grade <= worst.value) for grade in grades.values()
    )


@given(ANY)
def test_what_is_not_in_the_mapping_was_not_examined(grades: dict[Segment, int | None]) -> None:
    fewer = {segment: grade for segment, grade in grades.items() if grade is not None}
    assert worst_segment(fewer) == worst_segment(grades)
    assert montreal(fewer) == montreal(grades)
    assert mmes(fewer, 4.0) == mmes(grades, 4.0)
    assert pan_mayo(fewer) == pan_mayo(grades)


# MMES


@pytest.mark.parametrize(
    ("grades", "extent", "value"),
    [
        ("000000", None, 0.0),  # nothing inflamed: the extent is not needed
        ("-00000", 0.0, 0.0),
        ("000003", 1.5, 4.5),  # 3 x 1.5 / 1
        ("000122", 4.8, 8.0),  # 5 x 4.8 / 3
        ("033333", 10.0, 30.0),  # 15 x 10 / 5
        ("011111", 20.0, 20.0),
        ("2000--", 4.0, None),
        ("01223-", 4.0, None),
        ("000122", None, None),
        ("000122", 0.0, None),
    ],
)
def test_mmes_by_hand(grades: str, extent: float | None, value: float | None) -> None:
    assert mmes(bowel(grades), extent).value == (value if value is None else pytest.approx(value))


def test_mmes_says_what_it_rests_on_and_what_it_lacks() -> None:
    good = mmes(bowel("-00122"), 4.8)
    assert good.words == "MMES 8.0 (sum of MES 5 × 4.8 dm ÷ 3 inflamed segments)"
    assert good.basis == (
        "caecum not examined, ascending colon MES 0, transverse colon MES 0, descending colon MES 1, "
        "sigmoid colon MES 2, rectum MES 2; maximal extent 4.8 dm"
    )
    assert good.missing == good.notes == ()
    lacking = mmes(bowel("0-0-22"), None)
    assert lacking.missing == (
        "ascending colon not examined", "descending colon not examined", "maximal extent not given",
    )  # fmt: skip
    assert lacking.words == f"MMES not computed: {'; '.join(lacking.missing)}"
    assert lacking.basis.endswith("maximal extent not given")
    assert mmes(bowel("000001"), 0.0).missing == (
        "maximal extent given as 0 dm although segments are inflamed",
    )
    assert mmes(bowel("000000"), 3.0).notes == (
        "A maximal extent of 3 dm was given, but no segment is inflamed.",
    )
    assert mmes(bowel("000003"), 1.5).words == "MMES 4.5 (sum of MES 3 × 1.5 dm ÷ 1 inflamed segment)"


@given(WHOLE, EXTENTS, RULES)
def test_mmes_lies_between_one_and_three_times_the_extent(
    grades: SegmentGrades, extent: float, rule: Caecum
) -> None:
    score = mmes(grades, extent, rule)
    assert score.value is not None
    assert score.value == 0 or extent - 1e-9 <= score.value <= 3 * extent + 1e-9


@given(ANY, st.none() | EXTENTS, RULES)
def test_a_segment_that_was_not_examined_is_never_taken_for_mes_0(
    grades: SegmentGrades, extent: float | None, rule: Caecum
) -> None:
    lacks = any(grades[segment] is None for segment in FIVE)
    scores = mmes(grades, extent, rule), pan_mayo(grades, rule)
    for score in scores:
        assert (score.value is None) == bool(score.missing)
        assert score.value is None or not lacks
    assert (scores[1].value is None) == lacks


@pytest.mark.parametrize("extent", [-0.1, 20.1, 35.0, float("nan"), float("inf"), True])
def test_an_impossible_extent_is_refused(extent: float) -> None:
    with pytest.raises(ValueError, match="0 to 20 dm"):
        mmes(bowel("000001"), extent)


# panMayo


@pytest.mark.parametrize(
    ("grades", "value"),
    [
        ("000000", 0),
        ("011111", 5),
        ("000002", 6),
        ("000112", 8),  # a tripled sum would be 12
        ("001230", 16),
        ("033333", 45),
        ("0000-0", None),
    ],
)
def test_pan_mayo_by_hand(grades: str, value: int | None) -> None:
    score = pan_mayo(bowel(grades))
    assert score.value == value
    assert score.words == (
        "panMayo not computed: sigmoid colon not examined" if value is None else f"panMayo {value} of 45"
    )


@given(WHOLE, RULES, st.sampled_from(FIVE))
def test_pan_mayo_stays_in_range_and_grows_with_every_grade(
    grades: dict[Segment, int], rule: Caecum, segment: Segment
) -> None:
    value = pan_mayo(grades, rule).value
    worse = pan_mayo({**grades, segment: min(grades[segment] + 1, 3)}, rule).value
    assert value is not None
    assert worse is not None
    assert 0 <= value <= worse <= 45
    assert (value == 0) == (mmes(grades, 1.0, rule).value == 0)


# The caecum


def test_the_caecum_counts_with_the_ascending_colon_unless_it_is_left_out() -> None:
    grades = bowel("200001")
    assert pan_mayo(grades).value == 7
    assert pan_mayo(grades, Caecum.LEFT_OUT).value == 1
    assert mmes(grades, 2.0).value == pytest.approx(3.0)
    assert mmes(grades, 2.0, Caecum.LEFT_OUT).value == pytest.approx(2.0)
    assert montreal(grades).value is Extent.E3
    assert montreal(grades, Caecum.LEFT_OUT).value is Extent.E1
    patch = "An inflamed caecum beside an ascending colon with MES 0 may be a caecal patch."
    assert pan_mayo(grades).notes == (
        "The caecum, MES 2, counts for the right colon; the ascending colon has MES 0.", patch,
    )  # fmt: skip
    assert mmes(grades, 2.0, Caecum.LEFT_OUT).notes == (
        "The caecum, MES 2, does not count; the ascending colon has MES 0.", patch,
    )  # fmt: skip
    assert pan_mayo(grades).basis.endswith("caecum taken with the ascending colon, the worse of both")
    assert pan_mayo(bowel("-00001")).basis.endswith("rectum MES 1")


@given(WHOLE, EXTENTS)
def test_the_rule_for_the_caecum_is_told_exactly_where_it_matters(
    grades: dict[Segment, int], extent: float
) -> None:
    matters = grades[Segment.CAECUM] > grades[Segment.ASCENDING]
    for rule in Caecum:
        assert bool(pan_mayo(grades, rule).notes) == matters
        assert any("caecum" in note for note in montreal(grades, rule).notes) == matters
    if not matters:
        assert pan_mayo(grades).value == pan_mayo(grades, Caecum.LEFT_OUT).value
        assert mmes(grades, extent).value == mmes(grades, extent, Caecum.LEFT_OUT).value


def test_a_graded_caecum_does_not_stand_for_an_ascending_colon_that_was_not_examined() -> None:
    assert pan_mayo(bowel("0-0000")).missing == ("ascending colon not examined",)
    assert mmes(bowel("3-0000"), 1.0).value is None


# Extent


@pytest.mark.parametrize(
    ("grades", "extent", "at_least", "words"),
    [
        ("000001", Extent.E1, False, "E1, ulcerative proctitis"),
        ("000011", Extent.E2, False, "E2, left-sided colitis"),
        ("000123", Extent.E2, False, "E2, left-sided colitis"),
        ("-01111", Extent.E3, False, "E3, extensive colitis"),
        ("000-12", Extent.E2, False, "E2, left-sided colitis"),  # the descending colon changes nothing
        ("111111", Extent.E3, False, "E3, extensive colitis"),
        ("--1111", Extent.E3, False, "E3, extensive colitis"),
        ("-00001", Extent.E1, False, "E1, ulcerative proctitis"),  # nor does the caecum beyond MES 0
        ("----11", Extent.E2, True, "at least E2, left-sided colitis"),
        ("-----1", Extent.E1, True, "at least E1, ulcerative proctitis"),
        ("00-001", Extent.E1, True, "at least E1, ulcerative proctitis"),
        ("2-0000", Extent.E3, False, "E3, extensive colitis"),
    ],
)
def test_the_extent_by_the_farthest_inflamed_segment(
    grades: str, extent: Extent, at_least: bool, words: str
) -> None:
    found = montreal(bowel(grades))
    assert (found.value, found.at_least) == (extent, at_least)
    assert found.words == f"extent at this examination, suggested: {words}"
    assert bool(found.missing) == at_least


def test_what_could_extend_it_is_named_from_the_caecum_on() -> None:
    assert montreal(bowel("----01")).missing == (
        "ascending colon not examined", "transverse colon not examined", "descending colon not examined",
    )  # fmt: skip


def test_skip_lesions_are_told() -> None:
    assert montreal(bowel("002001")).spared == (Segment.SIGMOID, Segment.DESCENDING)
    assert montreal(bowel("002001")).notes == (
        "Not continuous: MES 0 in sigmoid colon and descending colon, before the farthest inflamed segment.",
    )
    assert montreal(bowel("000010")).spared == (Segment.RECTUM,)
    assert montreal(bowel("00001-")).spared == ()
    assert montreal(bowel("000011")).notes == ()


@pytest.mark.parametrize(
    ("grades", "why", "missing"),
    [
        ("000000", "no inflamed segment among those examined", 0),
        ("00000-", "no inflamed segment among those examined", 1),
        ("------", "no segment was examined", 5),
    ],
)
def test_no_extent_is_suggested_where_nothing_is_inflamed(grades: str, why: str, missing: int) -> None:
    found = montreal(bowel(grades))
    assert found.value is None
    assert found.words == f"no extent suggested: {why}"
    assert len(found.missing) == missing


@given(ANY, RULES)
def test_grading_what_was_not_examined_never_shrinks_the_extent(
    grades: dict[Segment, int | None], rule: Caecum
) -> None:
    """Nor does it extend it, unless that was said. An ascending colon with MES 0 speaks for the caecum."""
    before = montreal(grades, rule)
    order = [None, *Extent]
    for grade in range(4):
        after = montreal({s: grade if g is None and s in FIVE else g for s, g in grades.items()}, rule)
        assert order.index(after.value) >= order.index(before.value)
        if before.value is not None and not before.at_least:
            assert after.value is before.value


# STRIDE-II


@pytest.mark.parametrize(
    ("grades", "target", "words"),
    [
        ("000000", Target.REACHED, "reached (MES 0)"),
        ("----00", Target.REACHED, "reached (MES 0), in the segments examined"),
        ("000001", Target.MINIMUM, "minimum reached (MES ≤ 1), MES 0 not reached"),
        ("----10", Target.MINIMUM, "minimum reached (MES ≤ 1), MES 0 not reached, in the segments examined"),
        ("000002", Target.NOT_REACHED, "not reached (MES 2)"),
        ("-----3", Target.NOT_REACHED, "not reached (MES 3)"),
        ("------", None, "not judged, no segment was examined"),
    ],
)
def test_the_target_is_told_without_advice(grades: str, target: Target | None, words: str) -> None:
    told = stride_target(worst_segment(bowel(grades)))
    assert told.value is target
    assert told.words == f"STRIDE-II endoscopic target: {words}"
    # What was not examined cannot undo that the target is missed.
    assert bool(told.missing) == ("-" in grades and target is not Target.NOT_REACHED)


# Ranges


@pytest.mark.parametrize("grade", [-1, 4, 2.0, True, "1"])
def test_a_grade_out_of_range_is_refused(grade: object) -> None:
    grades = {Segment.RECTUM: grade}
    for function in (worst_segment, pan_mayo, montreal):
        with pytest.raises(ValueError, match="MES of the rectum must be a whole number from 0 to 3"):
            function(grades)  # type: ignore[operator]
    with pytest.raises(ValueError, match="MES of the rectum"):
        mmes(grades, 1.0)  # type: ignore[arg-type]


def test_a_foreign_segment_is_refused() -> None:
    with pytest.raises(ValueError, match="'rectum' is no segment"):
        worst_segment({"rectum": 1})  # type: ignore[dict-item]
