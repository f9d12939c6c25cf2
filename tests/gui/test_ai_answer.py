"""What is said of the model's answer, and what is kept hidden."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from mtl_core.scores import FrameScores
from uc_viewer.case import Duplicate, FrameResult, Unreadable
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.ai_answer import ActiveBar, AiAnswer, GradeScale

Four = tuple[float, float, float, float]


@pytest.fixture
def answer(qtbot: QtBot) -> AiAnswer:
    answer = AiAnswer()
    qtbot.addWidget(answer)
    answer.show()
    return answer


def result(p: Four, active: bool) -> FrameResult:
    return FrameResult("a.png", "", 0, None, FrameScores(p, p[2] + p[3], active))


@pytest.mark.parametrize(
    ("p", "headline", "chips"),
    [
        ((0.05, 0.15, 0.70, 0.10), "AI: MES 2, moderate", ["MES 2, moderate"]),
        ((0.05, 0.40, 0.45, 0.10), "AI: MES 1–2, close call", ["MES 1, mild", "MES 2, moderate"]),
        (
            (0.45, 0.05, 0.40, 0.10),
            "AI: MES 0 or 2, close call",
            ["MES 0, normal or inactive", "MES 2, moderate"],
        ),
        ((0.25, 0.25, 0.25, 0.25), "AI: MES 2–3, close call", ["MES 2, moderate", "MES 3, severe"]),
        ((0.0, 0.0, 0.40, 0.60), "AI: MES 3, severe", ["MES 3, severe"]),
    ],
)
def test_the_grade_in_words(answer: AiAnswer, p: Four, headline: str, chips: list[str]) -> None:
    answer.show_item(result(p, True), 0.35)
    assert answer._headline.text() == headline
    assert [chip.accessibleName() for chip in answer._chips if chip.isVisible()] == chips
    assert ("Counted as" in answer.text) is (len(chips) == 2)


@pytest.mark.parametrize(
    ("p", "active", "differ"),
    [
        ((0.7, 0.1, 0.1, 0.1), True, True),
        ((0.7, 0.1, 0.1, 0.1), False, False),
        ((0.1, 0.1, 0.7, 0.1), True, False),
        ((0.1, 0.1, 0.7, 0.1), False, True),
    ],
)
def test_answers_that_differ_are_pointed_out(answer: AiAnswer, p: Four, active: bool, differ: bool) -> None:
    answer.show_item(result(p, active), 0.5)
    assert ("differ" in answer.text) is differ
    assert ("not active (MES 0–1)" in answer.text) is not active


def test_the_numbers_are_told_to_a_screen_reader(answer: AiAnswer) -> None:
    answer.show_item(result((0.05, 0.10, 0.70, 0.15), True), 0.35)
    assert answer._bars.accessibleName() == (
        "MES 0, normal or inactive: 0.05, MES 1, mild: 0.10, MES 2, moderate: 0.70, MES 3, severe: 0.15"
    )
    assert answer._active.accessibleName() == "P(active) 0.85, active (MES 2–3), active from 0.35"
    assert answer._scale.accessibleName() == "Expected grade 1.9 of 3"


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (None, "No answer yet"),
        (FrameResult("a", "", 0, None, FrameScores.rejected("too dark")), "Not scored\ntoo dark"),
        (Unreadable("a", "cut off"), "Could not be opened\ncut off"),
        (Duplicate("b", "şekil.png", ""), "Duplicate\nSame file as şekil.png; not scored again"),
    ],
)
def test_no_answer_is_explained_and_leaves_no_numbers(
    answer: AiAnswer, item: FrameResult | Unreadable | Duplicate | None, text: str
) -> None:
    answer.show_item(result((0.45, 0.40, 0.05, 0.10), True), 0.5)
    answer.show_item(item, 0.5)
    assert answer.text == text
    assert not any(part.isVisible() for part in (answer._bars, answer._active, answer._scale, *answer._chips))


def test_hidden_leaves_nothing_of_the_answer(answer: AiAnswer) -> None:
    answer.show_item(result((0.1, 0.1, 0.7, 0.1), False), 0.5)
    answer.show_hidden()
    assert answer.text == "Hidden\nAI hidden until you have graded this frame"
    parts = (answer._bars, answer._active, answer._scale, *answer._chips)
    assert not any(part.isVisible() for part in parts)
    assert not any(part.accessibleName() for part in parts)


@pytest.mark.parametrize(("p", "threshold"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.02), (0.01, 0.99)])
def test_the_bar_fills_up_to_the_probability(qtbot: QtBot, p: float, threshold: float) -> None:
    bar = ActiveBar()
    qtbot.addWidget(bar)
    bar.setPalette(theme.palette(Qt.ColorScheme.Light))
    bar.resize(300, bar.sizeHint().height())
    bar.show_probability(p, p >= threshold, threshold)
    area, picture = bar.track(), bar.grab().toImage()
    ink = bar.palette().placeholderText().color().rgb()
    # Beside the middle, so that no tick is met.
    at = round(area.left() + area.width() * 0.3)
    assert (picture.pixel(at, round(area.center().y())) == ink) is (p > 0.3)


@pytest.mark.parametrize("value", [0.0, 1.5, 3.0])
def test_the_mark_stands_at_the_expected_grade(qtbot: QtBot, value: float) -> None:
    scale = GradeScale()
    qtbot.addWidget(scale)
    scale.setPalette(theme.palette(Qt.ColorScheme.Light))
    scale.resize(300, scale.sizeHint().height())
    scale.show_value(value)
    area, picture = scale.track(), scale.grab().toImage()
    ink = scale.palette().windowText().color().rgb()
    line = area.adjusted(5, 0, -5, 0)
    row = round(area.center().y()) - 2
    found = [
        x for x in range(picture.width()) if area.left() <= x <= area.right() if picture.pixel(x, row) == ink
    ]
    assert sum(found) / len(found) == pytest.approx(line.left() + line.width() * value / 3, abs=1.5)
