"""Where things stand: what there is room for, and what covers nothing else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from uc_viewer.gui.widgets.timeline import Mark
from uc_viewer.gui.workbench import Workbench


@pytest.fixture
def bench(qtbot: QtBot) -> Workbench:
    """As large as the smallest window leaves it, with a recording."""
    bench = Workbench()
    qtbot.addWidget(bench)
    bench.resize(1024, 642)
    bench.show()
    bench.show_case(True)
    bench.timeline.show_recording("visit.mp4", 60.0, [Mark(12 * n, n / 2, 1) for n in range(120)])
    bench.show_timeline(True)
    qtbot.wait(1)
    return bench


def area(bench: Workbench, part: QWidget) -> QRect:
    """Where a part is, in the workbench."""
    return QRect(part.mapTo(bench, QPoint()), part.size())


def test_a_recording_has_its_time_and_timeline_whole_in_a_small_window(bench: Workbench) -> None:
    image, transport, timeline = (
        area(bench, part) for part in (bench.image, bench.transport, bench.timeline)
    )
    assert image.bottom() < transport.top()
    assert transport.bottom() < timeline.top()
    assert timeline.bottom() < area(bench, bench.status).top()
    assert image.height() > 300
    bench.show_timeline(False)
    assert not bench.transport.isVisible()
    assert not bench.timeline.isVisible()


def test_messages_cover_neither_what_plays_nor_what_the_model_says(bench: Workbench, qtbot: QtBot) -> None:
    bench.toasts.warn("INCOMPLETE: stopped after 44 of 80 pictures.", "Score the rest", lambda: None)
    for size in ((1024, 642), (1360, 800)):
        bench.resize(*size)
        qtbot.wait(1)
        told = area(bench, bench.toasts)
        for part in (bench.heat, bench.transport, bench.timeline, bench.scores, bench.strip):
            assert not told.intersects(area(bench, part))


def test_a_taller_window_gives_the_case_more_room_and_a_lower_one_leaves_it_some(
    bench: Workbench, qtbot: QtBot
) -> None:
    heights = []
    for height in (560, 800, 1100):
        bench.resize(1360, height)
        qtbot.wait(1)
        heights.append((bench.scores.height(), bench.summary.height()))
    (_, least), (frame, _), (same, most) = heights
    assert least >= 120
    assert frame == same
    assert most > 2 * least
