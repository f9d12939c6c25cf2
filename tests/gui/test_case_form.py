"""What the case form shows, tells and points out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from uc_viewer.case import Case
from uc_viewer.grades import DEFINITIONS
from uc_viewer.gui.widgets.case_form import CaseForm

CASE = Case("P-7", True, "Çağrı Şükrüoğlu", "1980-02-03", "2025-06-01", "Dr 김", "surveillance")


@pytest.fixture
def form(qtbot: QtBot) -> CaseForm:
    form = CaseForm()
    qtbot.addWidget(form)
    form.unfold(True)
    form.show()
    qtbot.waitExposed(form)
    return form


@pytest.fixture
def told(form: CaseForm) -> list[object]:
    said: list[object] = []
    for signal in (form.case_edited, form.comment_edited, form.definition_chosen):
        signal.connect(said.append)
    return said


def typed(qtbot: QtBot, form: CaseForm, name: str, text: str) -> None:
    field = form._fields[name]
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)


def test_a_case_is_shown_and_told_nobody(form: CaseForm, told: list[object]) -> None:
    form.show_case(CASE, "left-sided", "trial")
    assert {name: field.text() for name, field in form._fields.items()} == {
        "patient_name": "Çağrı Şükrüoğlu",
        "patient_id": "P-7",
        "birth_date": "1980-02-03",
        "exam_date": "2025-06-01",
        "endoscopist": "Dr 김",
        "indication": "surveillance",
    }
    assert form._comment.toPlainText() == "left-sided"
    assert form._definition.currentData() == "trial"
    assert "any friability" in form._definition.toolTip()
    form.commit()
    assert told == []


@pytest.mark.parametrize(
    ("case", "name", "facts"),
    [
        (Case(), "Unnamed case", "no details, none needed"),
        (Case(synthetic=True), "Sample case", "no details, none needed"),
        (Case("P-7"), "P-7", "no details, none needed"),
        (CASE, "Çağrı Şükrüoğlu", "P-7 · 2025-06-01"),
    ],
)
def test_the_line_that_names_the_patient(form: CaseForm, case: Case, name: str, facts: str) -> None:
    form.show_case(case, "", "standard")
    assert (form._name.text(), form._facts.text()) == (name, facts)


def test_fields_are_told_one_by_one_and_the_rest_is_kept(
    qtbot: QtBot, form: CaseForm, told: list[object]
) -> None:
    form.show_case(Case("P-7", True), "", "standard")
    typed(qtbot, form, "patient_name", "Kim")
    assert told == []
    qtbot.keyClick(form._fields["patient_name"], Qt.Key.Key_Return)
    typed(qtbot, form, "exam_date", "2025-06-01")
    form.commit()
    assert told == [Case("P-7", True, "Kim"), Case("P-7", True, "Kim", "", "2025-06-01")]
    assert form._name.text() == "Kim"


def test_another_case_takes_nothing_of_what_was_being_typed(
    qtbot: QtBot, form: CaseForm, told: list[object]
) -> None:
    typed(qtbot, form, "patient_name", "Kim")
    form.show_case(Case(), "", "standard")
    form.commit()
    assert told == []
    assert form._fields["patient_name"].text() == ""


@pytest.mark.parametrize(
    ("born", "examined", "hint"),
    [
        ("", "", ""),
        ("1980-02-03", "2025-06-01", ""),
        ("1980-02-31", "", "Birth date: not a date like 2025-06-01"),
        ("", "1.6.2025", "Examined on: not a date like 2025-06-01"),
        ("19800203", "20250601", "Birth date, Examined on: not a date like 2025-06-01"),
        ("2025-06-02", "2025-06-01", "Examined before birth?"),
    ],
)
def test_odd_dates_are_pointed_out_and_kept(form: CaseForm, born: str, examined: str, hint: str) -> None:
    form.show_case(Case(birth_date=born, exam_date=examined), "", "standard")
    assert form._hint.text() == hint
    assert form._hint.isVisible() is bool(hint)
    assert form._fields["birth_date"].text() == born


def test_an_odd_date_blocks_nothing(qtbot: QtBot, form: CaseForm, told: list[object]) -> None:
    typed(qtbot, form, "birth_date", "about 1980")
    assert "Birth date" in form._hint.text()
    form.commit()
    assert told == [Case(birth_date="about 1980")]


def test_the_comment_is_told_when_it_is_left(qtbot: QtBot, form: CaseForm, told: list[object]) -> None:
    form._comment.setFocus()
    qtbot.keyClicks(form._comment, "healing")
    qtbot.keyClick(form._comment, Qt.Key.Key_Return)
    assert told == []
    form._fields["patient_id"].setFocus()
    assert told == ["healing"]


def test_every_definition_can_be_chosen(form: CaseForm, told: list[object]) -> None:
    assert [form._definition.itemData(i) for i in range(form._definition.count())] == list(DEFINITIONS)
    form._definition.activated.emit(1)
    form._definition.activated.emit(1)
    assert told == ["trial"]
    assert form._definition.currentData() == "trial"


def test_details_fold_away(qtbot: QtBot, form: CaseForm) -> None:
    tall = form.sizeHint().height()
    qtbot.mouseClick(form._fold, Qt.MouseButton.LeftButton)
    assert not form._details.isVisible()
    assert form.sizeHint().height() < tall / 3
    qtbot.mouseClick(form._fold, Qt.MouseButton.LeftButton)
    assert form._details.isVisible()
