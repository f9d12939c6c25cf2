"""The picture: where it lies, what tints it, what stands around it."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QGestureEvent, QPinchGesture
from pytestqt.qtbot import QtBot

from uc_viewer.gui import theme
from uc_viewer.gui.widgets.heat_layer import RAMP, heat_image
from uc_viewer.gui.widgets.image_place import MOST, Place
from uc_viewer.gui.widgets.image_view import Badges, ImageView

GREY = (120, 120, 120)


def picture(width: int = 400, height: int = 300, colour: tuple[int, int, int] = GREY) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def pixels(view: ImageView) -> np.ndarray:
    """What is seen, uint8 H x W x 3 RGB."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(bytes(image.constBits()), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def shown(view: ImageView, colour: tuple[int, int, int] = GREY) -> int:
    """How many pixels have the colour of the picture."""
    return int((pixels(view) == colour).all(axis=2).sum())


def bare(view: ImageView) -> bool:
    """True while nothing but the canvas is seen."""
    canvas = theme.CANVAS
    return bool((pixels(view) == (canvas.red(), canvas.green(), canvas.blue())).all())


@pytest.fixture
def view(qtbot: QtBot) -> ImageView:
    made = ImageView()
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    return made


def wheel(view: ImageView, at: QPointF, turned: int) -> None:
    none = QPoint()
    event = QWheelEvent(
        at, view.mapToGlobal(at), none, QPoint(0, turned), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def mouse(view: ImageView, kind: QEvent.Type, at: QPointF) -> None:
    left = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, at, view.mapToGlobal(at), left, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, event)


# Geometry


def place(ratio: float = 1.0) -> Place:
    made = Place()
    made.set_area(QRectF(0, 0, 400, 300), ratio)
    made.set_size(1000, 500)
    return made


@pytest.mark.parametrize(
    ("size", "ratio", "zoom"),
    [((1000, 500), 1.0, 0.4), ((1000, 500), 2.0, 0.8), ((100, 100), 1.0, 3.0), ((4, 3), 1.0, 100.0)],
)
def test_a_picture_fits_undistorted(size: tuple[int, int], ratio: float, zoom: float) -> None:
    made = Place()
    made.set_area(QRectF(0, 0, 400, 300), ratio)
    made.set_size(*size)
    assert made.fitted
    assert made.zoom == pytest.approx(zoom)
    whole = made.to_view(QRectF(0, 0, *size))
    assert whole.center().x() == pytest.approx(200, abs=1)
    assert whole.center().y() == pytest.approx(150, abs=1)


@pytest.mark.parametrize("at", [QPointF(200, 150), QPointF(150, 120), QPointF(260, 170)])
def test_the_point_under_the_cursor_stays(at: QPointF) -> None:
    made = place()
    before = made.to_picture(at)
    made.zoom_to(3.0, at)
    after = made.to_picture(at)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))


@pytest.mark.parametrize(("asked", "got"), [(0.01, 0.4), (0.4, 0.4), (1.0, 1.0), (16.0, 16.0), (99.0, MOST)])
def test_zoom_has_bounds(asked: float, got: float) -> None:
    made = place()
    made.zoom_to(asked)
    assert made.zoom == pytest.approx(got)
    assert made.fitted == (got == 0.4)


def test_one_to_one_is_in_reach_for_a_picture_that_is_smaller_than_its_room() -> None:
    made = place()
    made.set_size(40, 30)
    made.zoom_to(1.0)
    assert made.zoom == 1.0
    assert not made.fitted


def test_steps_stop_at_fit_and_at_one_to_one() -> None:
    made = place()
    zooms = []
    for _ in range(6):
        made.zoom_by(1.25)
        zooms.append(made.zoom)
    assert 1.0 in zooms
    for _ in range(9):
        made.zoom_by(0.8)
    assert made.fitted


@pytest.mark.parametrize("by", [QPointF(9999, 9999), QPointF(-9999, -9999), QPointF(9999, -9999)])
def test_no_border_comes_inside(by: QPointF) -> None:
    made = place()
    made.zoom_to(2.0)
    made.move(by)
    assert made.to_view(QRectF(0, 0, 1000, 500)).contains(QRectF(0, 0, 400, 300))


def test_a_zoomed_picture_keeps_its_middle_when_the_room_changes() -> None:
    made = place()
    made.zoom_to(2.0)
    made.move(QPointF(-100, -50))
    before = made.to_picture(QPointF(200, 150))
    made.set_area(QRectF(0, 0, 300, 200), 1.0)
    after = made.to_picture(QPointF(150, 100))
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))
    assert made.zoom == 2.0


# The view


def test_a_picture_is_shown_whole_and_named(view: ImageView) -> None:
    view.show_image(picture(), "a.png", (0, 0, 0, 0))
    assert view.fitted
    assert shown(view) == pytest.approx(400 * 300 * view.zoom**2, rel=0.02)
    assert view.accessibleName() == "a.png"


@pytest.mark.parametrize("size", [(4000, 3000), (4001, 2999), (60, 5000), (1, 1)])
def test_any_size_is_drawn(view: ImageView, size: tuple[int, int]) -> None:
    view.show_image(picture(*size), "a.png", (0, 0, *size))
    assert shown(view) > 0
    for _ in range(40):
        view.zoom_in()
    assert view.zoom >= MOST
    assert shown(view) > 0


def test_a_shrunken_pattern_turns_grey_instead_of_flickering(view: ImageView) -> None:
    stripes = np.zeros((2400, 3200, 3), np.uint8)
    stripes[:, ::2] = 255
    view.show_image(stripes, "stripes", (0, 0, 0, 0))
    middle = pixels(view)[200:280, 280:360].astype(int)
    assert abs(middle - 127).max() < 20


@pytest.mark.parametrize(
    ("act", "zooms_in"),
    [
        (lambda view: wheel(view, QPointF(320, 240), 120), True),
        (lambda view: wheel(view, QPointF(320, 240), -120), False),
        (ImageView.zoom_in, True),
        (ImageView.zoom_out, False),
        (lambda view: mouse(view, QEvent.Type.MouseButtonDblClick, QPointF(320, 240)), True),
    ],
)
def test_zooming(view: ImageView, act: Callable[[ImageView], object], zooms_in: bool) -> None:
    view.show_image(picture(4000, 3000), "a.png", (0, 0, 0, 0))
    view.one_to_one()
    if zooms_in:
        view.fit()
    before = view.zoom
    told: list[float] = []
    view.zoom_changed.connect(told.append)
    act(view)
    assert (view.zoom > before) == zooms_in
    assert told == [view.zoom]


def test_a_double_click_goes_to_one_to_one_and_back(view: ImageView) -> None:
    view.show_image(picture(4000, 3000), "a.png", (0, 0, 0, 0))
    for zoom in (1.0, view.zoom):
        mouse(view, QEvent.Type.MouseButtonDblClick, QPointF(100, 100))
        assert view.zoom == pytest.approx(zoom)


def test_a_pinch_zooms(view: ImageView) -> None:
    view.show_image(picture(4000, 3000), "a.png", (0, 0, 0, 0))
    before = view.zoom
    pinch = QPinchGesture()
    pinch.setScaleFactor(1.5)
    pinch.setCenterPoint(QPointF(view.mapToGlobal(QPoint(320, 240))))
    QApplication.sendEvent(view, QGestureEvent([pinch]))
    assert view.zoom == pytest.approx(1.5 * before)


def test_dragging_moves_the_picture(view: ImageView) -> None:
    halves = picture(2000, 1000)
    halves[:, :1000] = (200, 40, 40)
    view.show_image(halves, "a.png", (0, 0, 0, 0))
    view.one_to_one()
    before = shown(view)
    assert view.cursor().shape() == Qt.CursorShape.OpenHandCursor
    mouse(view, QEvent.Type.MouseButtonPress, QPointF(320, 240))
    mouse(view, QEvent.Type.MouseMove, QPointF(120, 240))
    assert view.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    mouse(view, QEvent.Type.MouseButtonRelease, QPointF(120, 240))
    assert shown(view) > before * 1.3
    assert view.cursor().shape() == Qt.CursorShape.OpenHandCursor


def test_without_a_picture_nothing_can_be_zoomed_or_moved(view: ImageView) -> None:
    told: list[float] = []
    view.zoom_changed.connect(told.append)
    view.show_text("No picture")
    wheel(view, QPointF(10, 10), 120)
    mouse(view, QEvent.Type.MouseButtonDblClick, QPointF(10, 10))
    mouse(view, QEvent.Type.MouseButtonPress, QPointF(10, 10))
    assert told == []
    assert view.cursor().shape() == Qt.CursorShape.ArrowCursor


@pytest.mark.parametrize(("size", "kept"), [((4000, 3000), True), ((4000, 3001), False)])
def test_the_next_picture_keeps_zoom_and_place_if_it_has_the_same_size(
    view: ImageView, size: tuple[int, int], kept: bool
) -> None:
    view.show_image(picture(4000, 3000), "a.png", (0, 0, 0, 0))
    wheel(view, QPointF(100, 100), 720)
    zoom = view.zoom
    view.show_waiting("b.png")
    view.show_image(picture(*size), "b.png", (0, 0, 0, 0))
    assert (view.zoom == zoom) == kept
    assert view.fitted != kept


def test_the_former_picture_is_never_seen_under_the_new_name(view: ImageView, qtbot: QtBot) -> None:
    view.show_image(picture(), "a.png", (0, 0, 400, 300))
    view.show_waiting("b.png")
    assert view.accessibleName() == "Opening b.png"
    assert bare(view)
    qtbot.waitUntil(lambda: not bare(view))
    assert shown(view) == 0


@pytest.mark.parametrize(
    "come",
    [lambda view: view.show_text("No picture"), lambda view: view.show_image(picture(), "b", (0, 0, 0, 0))],
)
def test_what_comes_soon_is_not_announced(view: ImageView, come: Callable[[ImageView], object]) -> None:
    view.show_waiting("b.png")
    assert view._wait.isActive()
    come(view)
    assert not view._wait.isActive()


# Heat


def test_the_colours_are_those_of_inferno() -> None:
    wanted = np.array(matplotlib.colormaps["inferno"](range(256)))[:, :3] * 255
    assert np.abs(RAMP - wanted).max() < 7


@pytest.mark.parametrize(
    ("value", "strength", "alpha"),
    [(0, 1, 0), (1, 1, 255), (1, 0.5, 128), (0.5, 0.5, 64), (1, 0, 0), (7, 7, 255)],
)
def test_the_opacity_of_heat_follows_value_and_strength(value: float, strength: float, alpha: int) -> None:
    layer = heat_image(np.full((2, 3), value, np.float32), strength)
    assert (layer.width(), layer.height()) == (3, 2)
    assert QColor.fromRgba(layer.pixel(0, 0)).alpha() == pytest.approx(alpha, abs=1)


@pytest.mark.parametrize(
    ("strength", "opacity", "tinted"), [(1.0, 1.0, True), (0.0, 1.0, False), (1.0, 0.0, False)]
)
def test_heat_tints_only_where_there_is_evidence(
    view: ImageView, strength: float, opacity: float, tinted: bool
) -> None:
    view.show_image(picture(), "a.png", (0, 0, 0, 0))
    before = shown(view)
    values = np.zeros((300, 400), np.float32)
    values[:, :200] = 1
    view.set_heat(values, strength)
    view.set_heat_opacity(opacity)
    assert shown(view) == pytest.approx(before / 2 if tinted else before, rel=0.02)
    view.set_heat(None)
    assert shown(view) == before


def test_heat_of_another_picture_is_refused(view: ImageView) -> None:
    heat = np.ones((300, 400), np.float32)
    with pytest.raises(ValueError, match="does not fit"):
        view.set_heat(heat, 1.0)
    view.show_image(picture(400, 299), "a.png", (0, 0, 0, 0))
    before = shown(view)
    with pytest.raises(ValueError, match="does not fit"):
        view.set_heat(heat, 1.0)
    assert shown(view) == before


def test_heat_does_not_outlive_its_picture(view: ImageView) -> None:
    view.show_image(picture(), "a.png", (0, 0, 0, 0))
    before = pixels(view)
    view.set_heat(np.ones((300, 400), np.float32), 1.0)
    view.show_image(picture(), "b.png", (0, 0, 0, 0))
    assert (pixels(view) == before).all()


# Marks


@pytest.mark.parametrize(
    ("badges", "said"),
    [
        (Badges(), ""),
        (Badges(ai_grade=2, ai_probability=0.71), "AI MES 2 moderate 0.71"),
        (
            Badges(ai_grade=1, ai_probability=0.4, ai_note="close call 1–2", reader_grade=3),
            "AI MES 1 mild 0.40, close call 1–2; Reader MES 3 severe",
        ),
        (Badges(reader_grade=0), "Reader MES 0 normal or inactive"),
        (Badges(not_scored="too dark", place="rectum"), "AI not scored: too dark; rectum"),
        (Badges(rejected=True, key_image=True), "✕ rejected by reader; ★ key image"),
    ],
)
def test_marks_are_said_in_words(view: ImageView, badges: Badges, said: str) -> None:
    view.set_badges(badges)
    assert view.accessibleDescription() == said
    assert bare(view) == (not said)


def test_marks_never_lie_on_the_picture(view: ImageView) -> None:
    view.show_image(picture(4000, 3000), "a.png", (0, 0, 0, 0))
    for _ in range(2):
        before = shown(view)
        view.set_badges(
            Badges(ai_grade=2, ai_probability=0.71, reader_grade=1, key_image=True, place="x" * 300)
        )
        assert shown(view) == before
        view.set_badges(Badges())
        view.one_to_one()


def test_corners_stand_outside_of_the_field_of_view(view: ImageView) -> None:
    field = picture(400, 300, (0, 0, 0))
    field[60:240, 100:300] = GREY
    view.show_image(field, "a.png", (0, 0, 0, 0))
    before, inside = pixels(view), shown(view)
    view.show_image(field, "a.png", (100, 60, 200, 180))
    assert (pixels(view) != before).any()
    assert shown(view) == inside


def test_the_overlay_can_be_switched_off_and_the_picture_stays(view: ImageView) -> None:
    field = picture()
    view.show_image(field, "a.png", (0, 0, 0, 0))
    before = pixels(view)
    view.show_image(field, "a.png", (50, 50, 300, 200))
    view.set_badges(Badges(ai_grade=3, reader_grade=0))
    assert (pixels(view) != before).any()
    view.set_overlay_shown(False)
    assert (pixels(view) == before).all()
