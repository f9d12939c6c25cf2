"""The film: where its cells are, how frames are chosen, which keys it leaves alone, that marks are drawn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from mtl_core.scores import FrameScores
from uc_viewer.case import Duplicate, FrameKey, FrameReading, FrameResult, Segment, Unreadable
from uc_viewer.gui.widgets.film import Film
from uc_viewer.gui.widgets.film_frames import Filter, Order, Show
from uc_viewer.gui.widgets.film_model import FilmModel

KEYS: list[FrameKey] = [(f"{number:03d}.png", 0) for number in range(40)]
Key, Modifier, Button = Qt.Key, Qt.KeyboardModifier, Qt.MouseButton


def result(key: FrameKey, *p: float) -> FrameResult:
    return FrameResult(key[0], "", key[1], None, FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], False))


@pytest.fixture
def model(qapp: object) -> FilmModel:
    model = FilmModel()
    model.add(KEYS)
    return model


@pytest.fixture
def grid(model: FilmModel, qtbot: QtBot) -> Film:
    return shown(Film(model, grid=True), qtbot, 700)


@pytest.fixture
def strip(model: FilmModel, qtbot: QtBot) -> Film:
    return shown(Film(model, grid=False), qtbot, 180)


def shown(film: Film, qtbot: QtBot, width: int) -> Film:
    qtbot.addWidget(film)
    film.resize(width, 500)
    film.show()
    qtbot.waitExposed(film)
    return film


def middle(film: Film, row: int) -> QPoint:
    return film.visualRect(film.model().index(row, 0)).center()


def click(film: Film, row: int, modifier: Qt.KeyboardModifier = Modifier.NoModifier) -> None:
    QTest.mouseClick(film.viewport(), Button.LeftButton, modifier, middle(film, row))


def test_the_grid_fills_its_width_and_the_strip_has_one_column(grid: Film, strip: Film) -> None:
    assert strip.columns == 1
    assert grid.columns > 2
    cells = [grid.visualRect(grid.model().index(row, 0)) for row in range(grid.columns + 1)]
    assert cells[0].left() == 0
    assert cells[grid.columns - 1].right() + 1 == grid.viewport().width()
    for left, right in pairwise(cells[: grid.columns]):
        assert left.right() + 1 == right.left()
    assert cells[-1].topLeft() == QPoint(0, cells[0].height())


def test_every_cell_is_found_at_its_place(grid: Film) -> None:
    for row in range(len(KEYS)):
        grid.scrollTo(grid.model().index(row, 0))
        assert grid.viewport().rect().contains(grid.visualRect(grid.model().index(row, 0)))
        assert grid.indexAt(middle(grid, row)).row() == row
    beside = QPoint(
        middle(grid, len(KEYS) - 1).x() + grid.viewport().width(), middle(grid, len(KEYS) - 1).y()
    )
    assert not grid.indexAt(beside).isValid()


def test_the_scroll_bar_reaches_the_end(strip: Film) -> None:
    strip.verticalScrollBar().setValue(strip.verticalScrollBar().maximum())
    last = strip.visualRect(strip.model().index(len(KEYS) - 1, 0))
    assert last.bottom() + 1 == strip.viewport().height()


def test_a_stroke_selects_a_stretch_and_is_told_once(grid: Film, model: FilmModel) -> None:
    told: list[list[FrameKey]] = []
    grid.selection_changed.connect(told.append)
    click(grid, 1)
    click(grid, grid.columns, Modifier.ShiftModifier)
    assert told == [[KEYS[1]], KEYS[1 : grid.columns + 1]]
    click(grid, 2, Modifier.ControlModifier)
    assert KEYS[2] not in told[-1]
    assert len(told) == 3


def test_a_click_beside_the_frames_unselects_nothing(qtbot: QtBot, qapp: object) -> None:
    model = FilmModel()
    model.add(KEYS[:2])
    film = shown(Film(model, grid=True), qtbot, 700)
    click(film, 1)
    QTest.mouseClick(film.viewport(), Button.LeftButton, pos=QPoint(600, 400))
    assert model.selected_keys() == [KEYS[1]]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ([Key.Key_Right], lambda columns: 1),
        ([Key.Key_Right, Key.Key_Left], lambda columns: 0),
        ([Key.Key_Left], lambda columns: 0),
        ([Key.Key_Down], lambda columns: columns),
        ([Key.Key_Down, Key.Key_Up], lambda columns: 0),
        ([Key.Key_Up], lambda columns: 0),
        ([Key.Key_End], lambda columns: 39),
        ([Key.Key_End, Key.Key_Right], lambda columns: 39),
        ([Key.Key_End, Key.Key_Home], lambda columns: 0),
        ([Key.Key_PageDown, Key.Key_PageUp], lambda columns: 0),
        ([Key.Key_PageDown] * 40, lambda columns: 39),
    ],
)
def test_keys_that_move(
    grid: Film, model: FilmModel, keys: list[Qt.Key], found: Callable[[int], int]
) -> None:
    model.go_to(KEYS[0])
    for key in keys:
        QTest.keyClick(grid, key)
    assert model.current_key == KEYS[found(grid.columns)]


def test_shift_and_a_key_extend_the_selection(strip: Film, model: FilmModel) -> None:
    model.go_to(KEYS[3])
    for _ in range(2):
        QTest.keyClick(strip, Key.Key_Down, Modifier.ShiftModifier)
    assert model.selected_keys() == KEYS[3:6]


@pytest.mark.parametrize(
    "key",
    [
        "0",
        "3",
        "X",
        "M",
        "C",
        "Space",
        "Backspace",
        "Ctrl+A",
        "Ctrl+C",
        "Esc",
        "F2",
        "Ctrl+Left",
        "Ctrl+Down",
    ],
)
def test_other_keys_reach_the_window(qtbot: QtBot, model: FilmModel, key: str) -> None:
    class Window(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.heard: list[int] = []

        def keyPressEvent(self, event: QKeyEvent) -> None:
            self.heard.append(event.key())

    window = Window()
    qtbot.addWidget(window)
    film = Film(model, grid=False)
    QVBoxLayout(window).addWidget(film)
    window.show()
    qtbot.waitExposed(window)
    model.go_to(KEYS[3])
    combination = QKeySequence(key)[0]  # type: ignore[index]  # missing in the stubs
    QTest.keyClick(film, combination.key(), combination.keyboardModifiers())
    assert [code for code in window.heard if code != Key.Key_Control] == [combination.key()]
    assert (model.current_key, model.selected_keys()) == (KEYS[3], [KEYS[3]])


def test_letters_are_shortcuts_of_the_window_while_the_film_has_the_keys(
    qtbot: QtBot, model: FilmModel
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    film = Film(model, grid=False)
    QVBoxLayout(window).addWidget(film)
    window.show()
    window.activateWindow()
    film.setFocus()
    qtbot.waitUntil(film.hasFocus)
    heard: list[str] = []
    for key in ("2", "S", "Right"):
        QShortcut(QKeySequence(key), window).activated.connect(lambda key=key: heard.append(key))
    for code in (Key.Key_2, Key.Key_S, Key.Key_Right):
        QTest.keyClick(film, code)
    assert heard == ["2", "S", "Right"]


@pytest.mark.parametrize("how", ["double click", "enter"])
def test_frames_are_opened(strip: Film, model: FilmModel, qtbot: QtBot, how: str) -> None:
    model.go_to(KEYS[1])
    with qtbot.waitSignal(strip.opened) as told:
        if how == "enter":
            QTest.keyClick(strip, Key.Key_Enter)
        else:
            click(strip, 1)
            QTest.mouseDClick(strip.viewport(), Button.LeftButton, pos=middle(strip, 1))
    assert told.args == [KEYS[1]]


def test_films_share_what_is_chosen(strip: Film, grid: Film) -> None:
    told: list[tuple[str, object]] = []
    strip.current_changed.connect(lambda key: told.append(("strip", key)))
    grid.current_changed.connect(lambda key: told.append(("grid", key)))
    click(grid, 2)
    assert sorted(told) == [("grid", KEYS[2]), ("strip", KEYS[2])]


def test_another_order_tells_no_other_frame_and_leaves_it_where_it_is(strip: Film, model: FilmModel) -> None:
    model.go_to(KEYS[20])
    strip.scrollTo(model.index(20, 0), Film.ScrollHint.PositionAtCenter)
    top = strip.visualRect(strip.currentIndex()).top()
    told: list[object] = []
    strip.current_changed.connect(told.append)
    strip.selection_changed.connect(told.append)
    for key in KEYS[21:30]:
        model.set_item(result(key, 0, 0, 0, 1))
    model.set_order(Order.HIGHEST_FIRST)
    assert strip.currentIndex().row() == 29
    assert strip.visualRect(strip.currentIndex()).top() == top
    assert told == []


def test_answers_do_not_bring_back_a_film_that_was_scrolled_away(strip: Film, model: FilmModel) -> None:
    model.set_order(Order.HIGHEST_FIRST)
    model.go_to(KEYS[0])
    bar = strip.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    away = bar.value()
    model.set_item(result(KEYS[30], 0, 0, 0, 1))
    model._arrange()  # as while scores stream in
    assert (model.row_of(KEYS[30]), bar.value()) == (0, away)
    model.set_order(Order.LISTED)
    assert strip.viewport().rect().contains(strip.visualRect(strip.currentIndex()))


@pytest.mark.parametrize("width", [1200, 300])
def test_the_current_frame_stays_on_the_screen_of_a_grid_of_another_width(
    grid: Film, model: FilmModel, width: int
) -> None:
    model.go_to(KEYS[20])
    before = grid.columns
    grid.resize(width, 500)
    assert grid.columns != before
    assert grid.viewport().rect().contains(grid.visualRect(grid.currentIndex()))


def test_what_stands_at_the_top_stays_there_in_a_narrower_grid(grid: Film) -> None:
    grid.scrollTo(grid.model().index(4 * grid.columns, 0), Film.ScrollHint.PositionAtTop)
    first = grid.indexAt(QPoint(5, 5)).row()
    grid.resize(300, 500)
    cell = grid.visualRect(grid.model().index(first, 0))
    assert first > 0
    assert cell.top() == 0


def test_a_filter_that_leaves_nothing_says_so(strip: Film, model: FilmModel) -> None:
    model.clear()
    blank = strip.viewport().grab().toImage()
    model.add(KEYS)
    model.set_filter(Filter(Show.KEY_IMAGES))
    assert strip.viewport().grab().toImage() != blank


def test_an_emptied_film_tells_that_nothing_is_looked_at(strip: Film, model: FilmModel) -> None:
    model.go_to(KEYS[1])
    told: list[object] = []
    strip.current_changed.connect(told.append)
    model.clear()
    assert told == [None]


def test_only_frames_on_the_screen_ask_for_thumbnails_the_first_one_last(
    qtbot: QtBot, model: FilmModel
) -> None:
    wanted: list[FrameKey] = []
    model.thumbnail_wanted.connect(wanted.append)
    film = shown(Film(model, grid=False), qtbot, 180)
    film.grab()
    assert wanted[-1] == KEYS[0]
    assert 0 < len(wanted) < 10


CHANGES: dict[str, Callable[[FilmModel], object]] = {
    "thumbnail": lambda m: m.set_thumbnail(KEYS[0], _picture()),
    "broken": lambda m: m.set_thumbnail(KEYS[0], QImage()),
    "unreadable": lambda m: m.set_item(Unreadable(KEYS[0][0], "empty")),
    "duplicate": lambda m: m.set_item(Duplicate(KEYS[0][0], "b.png", "")),
    "scored": lambda m: m.set_item(result(KEYS[0], 0.7, 0.1, 0.1, 0.1)),
    "not scored": lambda m: m.set_item(
        FrameResult(KEYS[0][0], "", 0, None, FrameScores.rejected("over-exposed"))
    ),
    "read": lambda m: m.set_reading(KEYS[0], FrameReading(grade=2)),
    "rejected": lambda m: m.set_reading(KEYS[0], FrameReading(rejected=True)),
    "tagged": lambda m: m.set_reading(KEYS[0], FrameReading(segment=Segment.RECTUM)),
    "key image": lambda m: m.set_reading(KEYS[0], FrameReading(key_image=True)),
    "current": lambda m: m.go_to(KEYS[0]),
}


def test_a_name_in_letters_of_another_font_stays_on_the_line(qtbot: QtBot, qapp: object) -> None:
    assert rows_of_last_letter("\uae40\uc11c\uc5f0.png", qtbot) == rows_of_last_letter("abc.png", qtbot)


def rows_of_last_letter(name: str, qtbot: QtBot) -> list[int]:
    """The rows of the line with the name that the right end of its last letter touches."""
    model = FilmModel()
    model.add([(name, 0)])
    film = shown(Film(model, grid=False), qtbot, 180)
    cell = film.viewport().grab(film.visualRect(model.index(0, 0))).toImage()
    line = cell.copy(0, cell.height() - film.fontMetrics().height() - 6, cell.width(), cell.height())
    ground = cell.pixelColor(0, 0)
    inked = [
        (x, y)
        for x in range(line.width())
        for y in range(film.fontMetrics().height() + 6)
        if abs(line.pixelColor(x, y).lightness() - ground.lightness()) > 60
    ]
    right = max(x for x, _ in inked)
    return sorted({y for x, y in inked if x > right - 4})


def _picture() -> QImage:
    image = QImage(192, 108, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.red)
    return image


@pytest.mark.parametrize("change", CHANGES)
def test_every_mark_is_seen_in_its_cell_and_nowhere_else(strip: Film, model: FilmModel, change: str) -> None:
    first = strip.visualRect(model.index(0, 0))
    rest = QRect(0, first.height(), first.width(), 300)
    before = strip.viewport().grab().toImage()
    CHANGES[change](model)
    after = strip.viewport().grab().toImage()
    assert after.copy(first) != before.copy(first)
    assert after.copy(rest) == before.copy(rest)


def test_a_grade_of_the_model_does_not_look_like_one_of_the_reader(strip: Film, model: FilmModel) -> None:
    model.set_item(result(KEYS[0], 0, 0, 1, 0))
    model.set_reading(KEYS[1], FrameReading(grade=2))
    cells = [strip.viewport().grab(strip.visualRect(model.index(row, 0))).toImage() for row in range(2)]
    whites = [_count_white(cell) for cell in cells]
    assert whites[1] > whites[0] + 50


def _count_white(image: QImage) -> int:
    marks = image.copy(0, image.height() // 2, image.width(), image.height() // 4)
    return sum(
        marks.pixelColor(x, y) == Qt.GlobalColor.white
        for x in range(marks.width())
        for y in range(marks.height())
    )


def test_no_mark_of_the_model_is_seen_while_it_is_kept_back(strip: Film, model: FilmModel) -> None:
    model.set_ai_shown(False)
    before = strip.viewport().grab().toImage()
    model.set_item(result(KEYS[0], 0.1, 0.44, 0.4, 0.06))
    assert strip.viewport().grab().toImage() == before
    model.set_ai_shown(True)
    assert strip.viewport().grab().toImage() != before
