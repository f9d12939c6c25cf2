"""The worker: order, turns, cancelling, failure, closing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from uc_viewer.gui.worker import Worker


class Ear(QObject):
    """Writes down what a worker says, and on which thread it was told."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self.values: list[tuple[int, object]] = []
        self.ends: list[tuple[str, int, object]] = []
        self.threads: set[QThread] = set()
        worker.yielded.connect(self.hear)
        worker.finished.connect(lambda job: self.ends.append(("finished", job, None)))
        worker.failed.connect(lambda job, error: self.ends.append(("failed", job, error)))

    def hear(self, job: int, value: object) -> None:
        self.threads.add(QThread.currentThread())
        self.values.append((job, value))


@pytest.fixture
def worker(qapp: object) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.shutdown()


def ended(ear: Ear, count: int) -> Callable[[], bool]:
    return lambda: len(ear.ends) >= count


def test_values_arrive_in_order_on_the_window_thread(worker: Worker, qtbot: QtBot) -> None:
    made_on: set[int] = set()

    def job() -> Iterator[int]:
        for number in range(50):
            made_on.add(threading.get_ident())
            yield number

    ear = Ear(worker)
    number = worker.start(job())
    qtbot.waitUntil(ended(ear, 1))
    assert ear.values == [(number, k) for k in range(50)]
    assert ear.ends == [("finished", number, None)]
    assert ear.threads == {QThread.currentThread()}
    assert made_on.isdisjoint({threading.get_ident()})
    assert len(made_on) == 1
    assert not worker.busy


def test_a_short_job_is_answered_in_the_middle_of_a_long_one(worker: Worker, qtbot: QtBot) -> None:
    ready, go = threading.Event(), threading.Event()

    def long() -> Iterator[str]:
        yield "long 0"
        ready.set()
        go.wait(5)
        for number in range(1, 20):
            yield f"long {number}"

    ear = Ear(worker)
    worker.start(long())
    assert ready.wait(5)
    worker.start(iter(["heatmap"]))
    go.set()
    qtbot.waitUntil(ended(ear, 2))
    order = [value for _, value in ear.values]
    assert order.index("heatmap") <= 2


def test_cancel_closes_the_generator_and_no_value_arrives_after(worker: Worker, qtbot: QtBot) -> None:
    closed_on: list[int] = []

    def endless() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed_on.append(threading.get_ident())

    ear = Ear(worker)
    job = worker.start(endless())
    qtbot.waitUntil(lambda: len(ear.values) > 3)
    worker.cancel(job)
    heard = len(ear.values)
    qtbot.waitUntil(ended(ear, 1))
    assert ear.ends == [("finished", job, None)]
    assert len(ear.values) == heard
    assert len(closed_on) == 1
    assert closed_on[0] != threading.get_ident()


def test_cancel_before_the_first_step_runs_nothing(worker: Worker, qtbot: QtBot) -> None:
    gate, ran = threading.Event(), []

    def blocking() -> Iterator[None]:
        gate.wait(5)
        yield

    def second() -> Iterator[None]:
        ran.append(True)
        yield

    ear = Ear(worker)
    worker.start(blocking())
    job = worker.start(second())
    worker.cancel(job)
    gate.set()
    qtbot.waitUntil(ended(ear, 2))
    assert ran == []
    assert ("finished", job, None) in ear.ends


@pytest.mark.parametrize("error", [ValueError("a broken file"), SystemExit(3)])
def test_a_failing_job_is_reported_once_and_the_next_one_runs(
    worker: Worker, qtbot: QtBot, error: BaseException
) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise error

    ear = Ear(worker)
    first = worker.start(broken())
    second = worker.start(iter([7]))
    qtbot.waitUntil(ended(ear, 2))
    assert (first, 1) in ear.values
    assert (second, 7) in ear.values
    assert sorted(ear.ends, key=lambda end: end[1]) == [("failed", first, error), ("finished", second, None)]


def test_an_error_while_closing_is_reported(worker: Worker, qtbot: QtBot) -> None:
    def stubborn() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            raise OSError("the disk is gone")

    ear = Ear(worker)
    job = worker.start(stubborn())
    qtbot.waitUntil(lambda: bool(ear.values))
    worker.cancel(job)
    qtbot.waitUntil(ended(ear, 1))
    kind, number, error = ear.ends[0]
    assert (kind, number, str(error)) == ("failed", job, "the disk is gone")


def test_shutdown_closes_every_generator_and_ends_the_thread(qapp: object) -> None:
    worker, closed = Worker(), []

    def endless(name: str) -> Iterator[str]:
        try:
            while True:
                yield name
        finally:
            closed.append(name)

    started = threading.Event()

    def first() -> Iterator[None]:
        started.set()
        yield

    worker.start(endless("a"))
    worker.start(endless("b"))
    worker.start(first())
    assert started.wait(5)
    worker.shutdown()
    assert sorted(closed) == ["a", "b"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("engine")]


def test_a_paused_job_waits_while_others_go_on_and_loses_nothing(worker: Worker, qtbot: QtBot) -> None:
    ready, go = threading.Event(), threading.Event()

    def counting() -> Iterator[int]:
        yield 0
        ready.set()
        assert go.wait(5)
        yield from range(1, 5)

    ear = Ear(worker)
    job = worker.start(counting())
    assert ready.wait(5)
    worker.pause(job)
    go.set()
    other = worker.start(iter(["a", "b"]))
    qtbot.waitUntil(ended(ear, 1))
    assert [value for number, value in ear.values if number == other] == ["a", "b"]
    paused_at = [value for number, value in ear.values if number == job]
    assert paused_at in ([0], [0, 1])
    assert worker.busy
    worker.resume(job)
    worker.resume(job)  # twice does no harm
    qtbot.waitUntil(ended(ear, 2))
    assert [value for number, value in ear.values if number == job] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("ending", ["cancel", "shutdown"])
def test_a_paused_job_can_be_ended(qtbot: QtBot, ending: str) -> None:
    worker, closed = Worker(), threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    ear = Ear(worker)
    job = worker.start(endless())
    qtbot.waitUntil(lambda: bool(ear.values))
    worker.pause(job)
    if ending == "cancel":
        worker.cancel(job)
        qtbot.waitUntil(ended(ear, 1))
    worker.shutdown()
    assert closed.is_set()
