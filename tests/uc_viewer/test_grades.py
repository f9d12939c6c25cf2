"""The grades read well, can be told apart without colour, and agree with the engine."""

from __future__ import annotations

import itertools

import pytest

from mtl_core.spec import ACTIVE, GRADES
from uc_viewer import grades
from uc_viewer.grades import MES, READABLE, Grade, Pattern, contrast, ink_on


def test_there_is_one_entry_per_grade_in_order() -> None:
    assert [grade.value for grade in MES] == list(range(GRADES))


def test_accessible_names_carry_digit_and_word() -> None:
    assert MES[2].accessible_name == "MES 2, moderate"
    assert len({grade.accessible_name for grade in MES}) == GRADES


def test_patterns_differ_between_all_grades() -> None:
    assert [grade.pattern for grade in MES] == [
        Pattern.PLAIN,
        Pattern.DOTS,
        Pattern.HATCH,
        Pattern.CROSS_HATCH,
    ]


@pytest.mark.parametrize("grade", MES, ids=lambda grade: grade.name)
def test_text_on_every_fill_is_readable(grade: Grade) -> None:
    assert contrast(grade.screen, grade.screen_ink) >= READABLE
    assert contrast(grade.paper, grade.paper_ink) >= READABLE


def test_paper_colours_darken_with_the_grade() -> None:
    from_white = [contrast(grade.paper, "#FFFFFF") for grade in MES]
    assert from_white == sorted(from_white)
    assert min(b / a for a, b in itertools.pairwise(from_white)) > 1.5


def test_contrast_agrees_with_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)
    assert contrast("#FFFFFF", "#FFFFFF") == 1.0


def test_ink_is_dark_on_light_and_white_on_dark() -> None:
    assert ink_on("#FCFFA4") == grades.DARK_INK
    assert ink_on("#57106E") == grades.WHITE_INK


@pytest.mark.parametrize("colour", ["red", "#FFF", "FFFFFFF", ""])
def test_a_colour_in_another_notation_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="#RRGGBB"):
        contrast(colour, "#FFFFFF")


def test_coarse_words_name_the_cut_of_the_engine() -> None:
    assert f"MES {ACTIVE.cut}–3" in grades.ACTIVE
    assert f"not active (MES 0–{ACTIVE.cut - 1})" == grades.NOT_ACTIVE


def test_definitions_are_built_from_the_grades() -> None:
    for grade in MES:
        assert grade.definition in grades.DEFINITIONS["standard"]
    assert "friability is at least 2" in grades.DEFINITIONS["trial"]
