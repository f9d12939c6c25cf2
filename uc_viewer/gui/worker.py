"""One thread that drives generators in turns and brings their values to the window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal


@dataclass(eq=False)
class _Job:
    number: int
    values: Iterator[Any]
    stop: Event = field(default_factory=Event)
    paused: bool = False
    held: bool = False
    """True while a paused job waits outside the lane."""
    ended: Event = field(default_factory=Event)


@dataclass(frozen=True)
class _Value:
    job: _Job
    value: Any


@dataclass(frozen=True)
class _End:
    job: _Job
    error: BaseException | None


_TURN = 0.01
"""Seconds of deliveries at once."""


class Worker(QObject):
    """Runs jobs, each a generator, on one engine thread: one ``next()`` of one job at a time.

    Jobs take turns after every value, so a short job started during a long one is answered after the
    current value. All signals are emitted in the thread the worker lives in, in the order the values
    were made. A job ends with exactly one of `finished` or `failed`; a cancelled one with `finished`.
    """

    yielded = Signal(int, object)
    """Job number and the value its generator gave."""
    failed = Signal(int, object)
    """Job number and the exception its generator raised."""
    finished = Signal(int)
    """Number of a job that came to its end or was cancelled."""

    _woke = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._jobs: dict[int, _Job] = {}
        self._pausing = Lock()
        self._last = 0
        self._events: deque[_Value | _End] = deque()
        self._waking = False
        self._timer = QTimer(self, singleShot=True, interval=1)
        self._timer.timeout.connect(self._deliver)
        # Queued always: whatever thread emits, the delivery runs in this object's own thread.
        self._woke.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)

    def start(self, values: Iterator[Any]) -> int:
        """Job number under which the values of this generator will arrive.

        A generator should yield at least twice a second: that is how soon `cancel` and `shutdown` take hold.
        """
        self._last += 1
        job = _Job(self._last, values)
        self._jobs[job.number] = job
        self._lane.submit(self._step, job)
        return job.number

    def cancel(self, number: int) -> None:
        """Stop a job at its next step: no value of it arrives any more, `finished` does."""
        if job := self._jobs.get(number):
            job.stop.set()
            self.resume(number)

    def cancel_all(self) -> None:
        """Cancel every job."""
        for number in list(self._jobs):
            self.cancel(number)

    def pause(self, number: int) -> None:
        """Hold a job before its next step; the value of the step going on still arrives. Others go on."""
        if job := self._jobs.get(number):
            job.paused = True

    def resume(self, number: int) -> None:
        """Let a held job go on."""
        if (job := self._jobs.get(number)) is None:
            return
        with self._pausing:
            job.paused = False
            held, job.held = job.held, False
        if held:
            self._lane.submit(self._step, job)

    @property
    def busy(self) -> bool:
        """True while a job has not been reported as ended."""
        return bool(self._jobs)

    def shutdown(self) -> None:
        """Cancel every job, wait until their generators are closed, end the thread."""
        jobs = list(self._jobs.values())
        self.cancel_all()
        # Not ThreadPoolExecutor's own cancelling: it would drop a step and leave its generator open.
        for job in jobs:
            job.ended.wait()
        self._lane.shutdown()

    def _step(self, job: _Job) -> None:
        """Runs on the engine thread."""
        with self._pausing:
            if job.paused:
                job.held = True
                return
        try:
            if job.stop.is_set():
                close = getattr(job.values, "close", None)
                if close is not None:
                    close()
                self._end(job)
                return
            value = next(job.values)
        except StopIteration:
            self._end(job)
        except BaseException as error:
            # Whatever a job throws is its own end, never that of the lane; the window shows it.
            self._end(job, error)
        else:
            self._tell(_Value(job, value))
            self._lane.submit(self._step, job)

    def _end(self, job: _Job, error: BaseException | None = None) -> None:
        self._tell(_End(job, error))
        job.ended.set()

    def _tell(self, event: _Value | _End) -> None:
        """Runs on the engine thread."""
        self._events.append(event)
        if not self._waking:
            self._waking = True
            self._woke.emit()

    def _deliver(self) -> None:
        """Deliver what came, for a few milliseconds; then the user's keys have their turn before the rest.

        Qt hands over all that was sent, and all that is sent meanwhile, before it looks at keys and timers: a
        quick job would hold the window up. So what comes is gathered, and a timer delivers it.
        """
        self._waking = False
        until = time.monotonic() + _TURN
        while self._events:
            self._deliver_one(self._events.popleft())
            if time.monotonic() > until:
                self._waking = True
                self._timer.start()
                return

    def _deliver_one(self, event: _Value | _End) -> None:
        job = event.job
        if isinstance(event, _Value):
            if not job.stop.is_set():
                self.yielded.emit(job.number, event.value)
            return
        del self._jobs[job.number]
        if event.error is None:
            self.finished.emit(job.number)
        else:
            self.failed.emit(job.number, event.error)
