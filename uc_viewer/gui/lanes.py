"""The three lanes on which jobs run side by side, and who hears of which job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal

from uc_viewer.gui.worker import Worker


class Lanes(QObject):
    """No wish waits for one of another kind; of a job that was dropped nothing is heard any more.

    ``engine``: scores and heatmaps. ``pictures``: listing, opening, thumbnails. ``paper``: reports, clips.
    """

    ended = Signal(object, int, object)
    """The lane and number of a job that came to its end, and the exception if it failed, else None."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine, self.pictures, self.paper = Worker(self), Worker(self), Worker(self)
        self.all = (self.engine, self.pictures, self.paper)
        self._receivers: dict[tuple[Worker, int], Callable[[Any], object]] = {}
        for lane in self.all:
            lane.yielded.connect(lambda job, value, lane=lane: self._receive(lane, job, value))
            lane.finished.connect(lambda job, lane=lane: self._finish(lane, job, None))
            lane.failed.connect(lambda job, error, lane=lane: self._finish(lane, job, error))

    def start(self, lane: Worker, values: Iterator[Any], receiver: Callable[[Any], object]) -> int:
        """Run a job on a lane; gives its number. ``receiver`` is called with each of its values."""
        job = lane.start(values)
        self._receivers[lane, job] = receiver
        return job

    def drop(self, lane: Worker, job: int) -> None:
        """Cancel a job, and hear nothing of it any more."""
        lane.cancel(job)
        self._receivers.pop((lane, job), None)

    def drop_all(self) -> None:
        """Cancel all jobs, and hear nothing of them any more."""
        for lane in self.all:
            lane.cancel_all()
        self._receivers.clear()

    def close(self) -> None:
        """Stop all jobs and wait for them."""
        self.drop_all()
        for lane in self.all:
            lane.shutdown()

    def _receive(self, lane: Worker, job: int, value: object) -> None:
        if receiver := self._receivers.get((lane, job)):
            receiver(value)

    def _finish(self, lane: Worker, job: int, error: BaseException | None) -> None:
        if self._receivers.pop((lane, job), None) is not None:
            self.ended.emit(lane, job, error)
