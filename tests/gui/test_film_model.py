"""The frames of the film: adding, scoring, filtering, sorting, finding, choosing, thumbnails."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from mtl_core.scores import FrameScores
from uc_viewer.case import Duplicate, FrameKey, FrameReading, FrameResult, Segment, Unreadable
from uc_viewer.gui.widgets import film_model
from uc_viewer.gui.widgets.film_frames import Filter, Order, Show, at_least
from uc_viewer.gui.widgets.film_model import FilmModel

KEYS: list[FrameKey] = [(f"{letter}.png", 0) for letter in "abcdef"]
SURE = 0.7


def result(key: FrameKey, grade: int, best: float = SURE) -> FrameResult:
    p = [(1 - best) / 3] * 4
    p[grade] = best
    return FrameResult(
        key[0], "", key[1], None, FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], grade >= 2)
    )


def names(model: FilmModel) -> str:
    return "".join(key[0][0] for key in model.shown_keys())


def name(key: FrameKey | None) -> str:
    return key[0][0] if key else ""


@pytest.fixture
def model(qapp: object) -> FilmModel:
    model = FilmModel()
    model.add(KEYS)
    return model


@pytest.fixture
def scored(model: FilmModel) -> FilmModel:
    """a 0, b 3 unsure, c 2, d waits, e cannot be opened, f 3."""
    for key, grade, best in ((0, 0, SURE), (1, 3, 0.3), (2, 2, SURE), (5, 3, SURE)):
        model.set_item(result(KEYS[key], grade, best))
    model.set_item(Unreadable("e.png", "no picture"))
    return model


def test_qt_finds_no_fault_with_the_model(scored: FilmModel, qtmodeltester: object) -> None:
    qtmodeltester.check(scored)  # type: ignore[attr-defined]


def test_frames_are_added_once_and_counted(model: FilmModel, qtbot: QtBot) -> None:
    more: list[FrameKey] = [("b.png", 0), ("g.png", 0)]
    with qtbot.waitSignal(model.shown_changed) as told:
        model.add(more)
    assert told.args == [7, 7]
    assert names(model) == "abcdefg"
    assert [model.row_of(key) for key in more] == [1, 6]
    model.clear()
    assert (names(model), model.of_all, model.row_of(KEYS[0])) == ("", 0, -1)


def test_rows_stay_right_when_frames_come_after_some_were_asked_for(model: FilmModel) -> None:
    assert model.row_of(KEYS[5]) == 5
    model.add([("g.png", 0)])
    assert model.row_of(("g.png", 0)) == 6


@pytest.mark.parametrize(
    ("order", "shown"),
    [(Order.LISTED, "abcdef"), (Order.HIGHEST_FIRST, "bfcade"), (Order.LEAST_CERTAIN_FIRST, "bacfde")],
)
def test_orders(scored: FilmModel, order: Order, shown: str) -> None:
    scored.set_order(order)
    assert names(scored) == shown


def test_filters_are_told_with_a_count(scored: FilmModel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(scored.shown_changed) as told:
        scored.set_filter(Filter(Show.GRADE, grade=3))
    assert told.args == [2, 6]
    assert names(scored) == "bf"
    assert scored.row_of(KEYS[0]) == -1


def test_added_frames_pass_the_filter_too(model: FilmModel) -> None:
    model.set_filter(Filter(Show.KEY_IMAGES))
    model.add([("g.png", 0)])
    assert (names(model), model.of_all) == ("", 7)
    model.set_filter(Filter(Show.UNREAD))
    model.add([("h.png", 0)])
    assert names(model) == "abcdefgh"


def test_answers_move_frames_later_and_all_at_once(model: FilmModel, qtbot: QtBot) -> None:
    model.set_order(Order.HIGHEST_FIRST)
    arranged: list[str] = []
    model.arranged.connect(lambda: arranged.append(names(model)))
    model._timer.setInterval(0)
    with qtbot.waitSignal(model.arranged):
        model.set_item(result(KEYS[1], 1))
        model.set_item(result(KEYS[3], 3))
        assert names(model) == "abcdef"
    assert arranged == ["dbacef"]


def test_answers_that_change_no_place_arrange_nothing(scored: FilmModel) -> None:
    scored.set_order(Order.HIGHEST_FIRST)
    scored.set_item(result(KEYS[0], 0, 0.9))
    assert not scored._timer.isActive()
    scored.set_item(result(KEYS[0], 1))
    assert scored._timer.isActive()


def test_what_the_reader_deals_with_stays_until_the_filter_is_chosen_again(scored: FilmModel) -> None:
    scored.set_filter(Filter(Show.UNREAD))
    scored.set_reading(KEYS[0], FrameReading(grade=1))
    assert names(scored) == "abcdf"
    scored._arrange()  # as while scores stream in
    assert names(scored) == "abcdf"
    scored.set_filter(Filter(Show.UNREAD))
    assert names(scored) == "bcdf"


def test_what_the_reader_deals_with_moves_when_the_order_is_chosen_again(scored: FilmModel) -> None:
    scored.set_order(Order.HIGHEST_FIRST)
    scored.set_reading(KEYS[1], FrameReading(grade=0))
    scored._arrange()  # as while scores stream in
    assert names(scored) == "bfcade"
    scored.set_order(Order.HIGHEST_FIRST)
    assert names(scored) == "fcabde"


def test_a_kept_place_does_not_tell_what_the_model_says(scored: FilmModel) -> None:
    scored.set_order(Order.HIGHEST_FIRST)
    scored.set_reading(KEYS[5], FrameReading(grade=0))
    scored.set_ai_shown(False)
    assert names(scored) == "fabcde"
    scored.set_reading(KEYS[5], FrameReading())
    scored.set_order(Order.HIGHEST_FIRST)
    assert names(scored) == "abcdef"


def test_many_readings_are_told_at_once(model: FilmModel) -> None:
    told: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    model.set_readings({key: FrameReading(grade=1) for key in (*KEYS[1:4], ("gone.png", 0))})
    assert told == [(1, 3)]
    assert [model.frame(row).grade for row in range(6)] == [None, 1, 1, 1, None, None]


def test_forgotten_scores_leave_the_readings(scored: FilmModel) -> None:
    scored.set_reading(KEYS[2], FrameReading(grade=1))
    scored.forget_items()
    assert [scored.frame(row).item for row in range(6)] == [None] * 6
    assert scored.frame(2).grade == 1


def test_current_and_selected_frames_outlive_another_order(scored: FilmModel) -> None:
    scored.go_to(KEYS[2])
    select = QItemSelectionModel.SelectionFlag.Select
    scored.selection.select(QItemSelection(scored.index(4, 0), scored.index(5, 0)), select)
    scored.set_order(Order.HIGHEST_FIRST)
    assert scored.current_key == KEYS[2]
    assert [name(key) for key in scored.selected_keys()] == ["f", "c", "e"]


def test_where_the_current_frame_is_hidden_its_neighbour_is_looked_at(scored: FilmModel) -> None:
    scored.go_to(KEYS[0])
    scored.set_filter(Filter(Show.GRADE, grade=3))
    assert scored.current_key == KEYS[1]
    assert scored.selected_keys() == [KEYS[1]]


def test_an_empty_film_remembers_where_it_was(scored: FilmModel) -> None:
    scored.go_to(KEYS[2])
    scored.set_filter(Filter(Show.KEY_IMAGES))
    assert scored.current_key is None
    scored.set_filter(Filter())
    assert scored.current_key == KEYS[2]


@pytest.mark.parametrize(
    ("start", "by", "found"),
    [("c", 1, "d"), ("c", -1, "b"), ("c", 10, "f"), ("c", -10, "a"), ("", 1, "a"), ("", -1, "f")],
)
def test_steps_end_at_the_ends(model: FilmModel, start: str, by: int, found: str) -> None:
    assert name(model.step_from((f"{start}.png", 0) if start else None, by)) == found


@pytest.mark.parametrize(
    ("start", "step", "found"),
    [("a", 1, "b"), ("b", 1, "c"), ("c", 1, "f"), ("f", 1, ""), ("f", -1, "c"), ("b", -1, ""), ("", -1, "f")],
)
def test_the_next_frame_of_a_grade(scored: FilmModel, start: str, step: int, found: str) -> None:
    key = (f"{start}.png", 0) if start else None
    assert name(scored.next_where(key, at_least(2), step)) == found


def test_ways_through_nothing_lead_nowhere(qapp: object) -> None:
    model = FilmModel()
    assert (model.step_from(None, 1), model.next_where(None, at_least(0)), model.worst()) == (
        None,
        None,
        None,
    )


def test_the_worst_frame_is_the_surest_of_the_highest_grade(scored: FilmModel) -> None:
    assert scored.worst() == KEYS[5]
    scored.set_reading(KEYS[5], FrameReading(rejected=True))
    assert scored.worst() == KEYS[1]


def test_all_can_be_selected_without_leaving_the_current_one(model: FilmModel) -> None:
    model.go_to(KEYS[3])
    model.select_all()
    assert (model.selected_keys(), model.current_key) == (KEYS, KEYS[3])
    assert FilmModel().selected_keys() == []


def test_a_thumbnail_is_asked_for_once_and_again_after_it_was_dropped(
    model: FilmModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_model, "THUMBNAILS", 2)
    wanted: list[str] = []
    model.thumbnail_wanted.connect(lambda key: wanted.append(name(key)))
    picture = QImage(4, 3, QImage.Format.Format_RGB888)
    assert model.thumbnail(0) is None
    assert model.thumbnail(0) is None
    assert wanted == ["a"]
    model.set_thumbnail(KEYS[0], picture)
    model.set_thumbnail(KEYS[1], QImage())
    assert model.thumbnail(0) is not None  # used last, so that b is the one to go
    model.set_thumbnail(KEYS[2], picture)
    assert [model.thumbnail(row) is None for row in range(3)] == [False, True, False]
    assert wanted == ["a", "b"]


def test_a_damaged_frame_of_a_recording_is_that_frame(qapp: object) -> None:
    model = FilmModel()
    model.add([("v.mp4", 0), ("v.mp4", 12)])
    model.set_item(Unreadable("v.mp4", "damaged", "", 12, 0.48))
    assert [model.frame(row).not_scored for row in range(2)] == [False, True]
    assert model.index(1, 0).data(Qt.ItemDataRole.ToolTipRole).splitlines()[1] == "v.mp4, 0:00:00.480"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: None, "1 of 6, a.png"),
        (
            lambda m: (
                m.set_item(result(KEYS[0], 2)),
                m.set_reading(KEYS[0], FrameReading(grade=1, segment=Segment.SIGMOID, key_image=True)),
            ),
            "1 of 6, a.png, AI MES 2, moderate, reader MES 1, mild, sigmoid colon, key image",
        ),
        (lambda m: m.set_item(Unreadable("a.png", "empty")), "1 of 6, a.png, cannot be opened: empty"),
        (lambda m: m.set_item(Duplicate("a.png", "b.png", "")), "1 of 6, a.png, the same picture as b.png"),
        (
            lambda m: m.set_item(FrameResult("a.png", "", 0, None, FrameScores.rejected("blurred"))),
            "1 of 6, a.png, not scored: blurred",
        ),
        (lambda m: m.set_item(result(KEYS[0], 3, 0.3)), "AI MES 3, severe, close call 2–3"),
        (lambda m: m.set_reading(KEYS[0], FrameReading(rejected=True)), "rejected by the reader"),
    ],
)
def test_frames_are_told_in_words(model: FilmModel, change: object, text: str) -> None:
    change(model)  # type: ignore[operator]
    spoken = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert text in spoken
    assert model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole).splitlines()[1] == "a.png"


def test_what_the_model_says_is_kept_back_from_words_order_and_filter(scored: FilmModel) -> None:
    scored.set_order(Order.HIGHEST_FIRST)
    scored.set_ai_shown(False)
    assert names(scored) == "abcdef"
    assert "AI" not in scored.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert scored.worst() is None
    scored.set_filter(Filter(Show.GRADE, grade=3))
    assert names(scored) == ""
    scored.set_ai_shown(True)
    assert names(scored) == "bf"
