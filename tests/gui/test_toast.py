"""Messages at the foot of a widget."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QTimer
from PySide6.QtGui import QAccessible, QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QPushButton,
    QStackedWidget,
    QTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets import toast
from uc_viewer.gui.widgets.toast import MOST, SECONDS, Toasts

LONG = "김서연_대장내시경_2025-06-01_원위부_아주긴파일이름.png Çağrı Şükrüoğlu Ilgın İğdeli " + "x" * 400


@pytest.fixture
def under(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    return made


@pytest.fixture
def toasts(under: QWidget) -> Toasts:
    return Toasts(under)


def timers(toasts: Toasts) -> list[QTimer]:
    return [timer for timer in toasts.findChildren(QTimer) if timer.isActive() and timer.isSingleShot()]


def words(toasts: Toasts) -> list[QTextEdit]:
    return toasts.findChildren(QTextEdit)


def test_a_message_goes_by_itself_and_a_warning_stays(toasts: Toasts) -> None:
    toasts.warn("disk full")
    assert timers(toasts) == []
    toasts.tell("saved")
    (timer,) = timers(toasts)
    assert timer.interval() == SECONDS * 1000
    timer.timeout.emit()
    assert toasts.texts == ["disk full"]
    toasts.findChildren(QToolButton)[0].click()
    assert toasts.texts == []
    assert not toasts.isVisible()


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (["a", "b", "c", "d"], ["b", "c", "d"]),
        (["!a", "b", "c", "d"], ["!a", "c", "d"]),
        (["!a", "!b", "!c", "!d"], ["!b", "!c", "!d"]),
        (["a", "b", "a"], ["b", "a"]),
    ],
)
def test_the_newest_are_kept_and_warnings_before_news(
    toasts: Toasts, told: list[str], kept: list[str]
) -> None:
    for text in told:
        (toasts.warn if text.startswith("!") else toasts.tell)(text)
    assert toasts.texts == kept
    assert len(kept) <= MOST


def test_something_can_be_done_about_a_warning_once(toasts: Toasts) -> None:
    done: list[int] = []
    toasts.warn("3 files could not be opened", "Show", lambda: done.append(1))
    (button,) = toasts.findChildren(QPushButton)
    assert button.text() == "Show"
    button.click()
    assert done == [1]
    assert toasts.texts == []


def test_text_is_never_markup(toasts: Toasts) -> None:
    toasts.tell("<b>a</b>")
    assert words(toasts)[0].toPlainText() == "<b>a</b>"


@pytest.mark.parametrize("width", [320, 800, 2000])
def test_long_text_is_seen_whole(under: QWidget, toasts: Toasts, width: int) -> None:
    under.resize(width, 900)
    toasts.warn(LONG, "Show in list", lambda: None)
    (text,) = words(toasts)
    assert text.document().size().height() <= text.height()
    assert text.document().idealWidth() <= text.width() + 1
    assert under.rect().contains(toasts.geometry())
    for part in [text, *toasts.findChildren(QAbstractButton)]:
        assert toasts.rect().contains(part.rect().translated(part.mapTo(toasts, QPoint())))


def test_messages_follow_the_size_of_what_they_lie_over(under: QWidget, toasts: Toasts) -> None:
    toasts.tell("saved")
    before = toasts.geometry()
    under.resize(1000, 400)
    assert toasts.geometry().center().x() == pytest.approx(500, abs=1)
    assert toasts.geometry().bottom() == before.bottom() - 200


def test_messages_leave_the_floor_free_while_it_is_seen(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 600)
    floor = QWidget(over)
    floor.setGeometry(200, 480, 400, 120)
    over.show()
    toasts = Toasts(over, floor)
    toasts.warn(LONG)
    foot = 600 - toasts.geometry().bottom()
    assert toasts.geometry().bottom() < 480
    assert 200 <= toasts.geometry().left() < toasts.geometry().right() < 600
    floor.move(100, 300)
    assert toasts.geometry().bottom() == 300 - (foot - 120)
    assert 100 <= toasts.geometry().left() < toasts.geometry().right() < 500
    floor.hide()
    assert toasts.geometry().bottom() == 600 - (foot - 120)
    assert toasts.geometry().center().x() == pytest.approx(400, abs=1)


def test_messages_stay_on_top_when_a_page_is_turned(qtbot: QtBot) -> None:
    stack = QStackedWidget()
    qtbot.addWidget(stack)
    for _ in range(2):
        stack.addWidget(QWidget())
    stack.show()
    toasts = Toasts(stack)
    toasts.tell("saved")
    stack.setCurrentIndex(1)
    QApplication.processEvents()
    at = words(toasts)[0].mapTo(stack, words(toasts)[0].rect().center())
    on_top = stack.childAt(at)
    assert on_top is not None
    assert toasts.isAncestorOf(on_top)


def test_the_mouse_reaches_what_lies_beside_a_message(under: QWidget, toasts: Toasts) -> None:
    toasts.tell("short")
    toasts.tell("a longer message that is much wider than the one above it")
    short, long = (text.mapTo(under, text.rect().center()) for text in words(toasts))
    assert under.childAt(short) is not None
    assert under.childAt(QPoint(long.x() - 150, short.y())) is None
    assert under.childAt(QPoint(10, 10)) is None


@pytest.fixture
def held(toasts: Toasts) -> QObject:
    toasts.tell("saved")
    frame = words(toasts)[0].parentWidget()
    assert frame is not None
    at = QPointF(1, 1)
    QApplication.sendEvent(frame, QEnterEvent(at, at, at))
    return frame


def test_who_reads_is_not_hurried(toasts: Toasts, held: QObject) -> None:
    assert timers(toasts) == []
    QApplication.sendEvent(held, QEvent(QEvent.Type.Leave))
    assert len(timers(toasts)) == 1


def test_a_screen_reader_is_told(toasts: Toasts, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, QAccessible.Event]] = []

    class Reader(QAccessible):
        @staticmethod
        def updateAccessibility(event: object) -> None:
            told.append((event.object().accessibleName(), event.type()))  # type: ignore[attr-defined]

    monkeypatch.setattr(toast, "QAccessible", Reader)
    toasts.tell("saved")
    toasts.warn("disk full")
    alert = QAccessible.Event.Alert
    assert told == [("saved", alert), ("Warning: disk full", alert)]


def test_keys_are_not_swallowed(under: QWidget, toasts: Toasts) -> None:
    class Window(QWidget):
        keys: list[str]

        def keyPressEvent(self, event: object) -> None:
            self.keys.append(event.text())  # type: ignore[attr-defined]

    window = Window(under)
    window.keys = []
    inner = Toasts(window)
    inner.tell("saved")
    QTest.keyClicks(words(inner)[0], "3x")
    assert window.keys == ["3", "x"]


def test_all_can_be_taken_away(toasts: Toasts) -> None:
    toasts.tell("a")
    toasts.warn("b")
    toasts.clear()
    assert toasts.texts == []
    assert not toasts.isVisible()
