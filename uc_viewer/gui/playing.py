"""Playing a recording, scrubbing through it and its timeline; leafing through stills."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QObject, QTimer

from uc_viewer.case import UNREAD, FrameKey, FrameReading, FrameResult, Unreadable
from uc_viewer.gui.actions import Actions, Do
from uc_viewer.gui.browsing import Browsing
from uc_viewer.gui.jobs import Item
from uc_viewer.gui.marking import Marking
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.timeline import Mark
from uc_viewer.gui.workbench import Workbench
from uc_viewer.sources.base import Recording

PACES = (500, 250, 125)
"""Milliseconds per still when leafing through; each further press is faster."""

SPEEDS = (1.0, 2.0, 4.0, 8.0)
"""Times the real speed; each further press of the same key is faster."""

TICK = 15
"""Milliseconds between two looks at the clock while a recording plays."""

GATHERED = 250
"""Milliseconds for which new scores are gathered before the timeline shows them."""


class Playing(QObject):
    """Moves `Browsing` along: by the clock through recordings, at a pace through stills.

    A recording plays by its own times: at every tick the frame that is due is asked for, unless the one
    before is still being opened; so frames are left out where the computer is too slow, and none is shown
    late under the name of another.
    """

    def __init__(
        self, session: Session, bench: Workbench, actions: Actions, browsing: Browsing, marking: Marking
    ) -> None:
        super().__init__(bench)
        self._session, self._bench, self._browsing, self._marking = session, bench, browsing, marking
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._refresh = QTimer(self, singleShot=True, interval=GATHERED)
        self._refresh.timeout.connect(self._show_news)
        self._step, self._pace = 1, 0
        self._speed = 1.0
        self._since, self._from = 0.0, 0.0
        self._name = ""
        self._news: dict[int, Mark] = {}
        self._wire(actions)

    @property
    def playing(self) -> bool:
        """True while pictures follow each other by themselves."""
        return self._timer.isActive()

    def hold(self) -> None:
        """Stand still."""
        self._timer.stop()
        self._show_place()

    def _wire(self, actions: Actions) -> None:
        bench, session = self._bench, self._session
        for do, does in (
            (Do.PLAY, self._play_or_hold),
            (Do.HOLD, self.hold),
            (Do.PLAY_BACK, lambda: self._play(-1)),
            (Do.PLAY_ON, lambda: self._play(1)),
            (Do.PREVIOUS, lambda: self._step_by(-1)),
            (Do.NEXT, lambda: self._step_by(1)),
            (Do.BACK_SECOND, lambda: self._skip(-1.0)),
            (Do.ON_SECOND, lambda: self._skip(1.0)),
        ):
            actions[do].triggered.connect(lambda _=False, does=does: does())
        bench.transport.played.connect(lambda on: self._play(1) if on else self.hold())
        bench.transport.stepped.connect(self._step_by)
        bench.transport.speed_chosen.connect(self._choose_speed)
        bench.timeline.sought.connect(lambda seconds, final: self._seek(seconds))
        bench.timeline.range_chosen.connect(self._marking.select_times)
        self._browsing.shown_changed.connect(self._on_shown)
        self._marking.range_changed.connect(bench.timeline.set_range)
        session.began.connect(self._on_shown)
        session.scored.connect(self._on_scored)
        session.restarted.connect(self._show_recording)
        session.ended.connect(lambda _: self._show_lasting())
        session.reader.readings_changed.connect(self._on_read)

    # Ways

    def _play_or_hold(self) -> None:
        if self.playing:
            self.hold()
        else:
            self._play(self._step)

    def _play(self, step: int) -> None:
        again = self.playing and step == self._step
        self._step = step
        if (recording := self._recording()) is not None and recording.times is not None:
            faster = SPEEDS[min(SPEEDS.index(abs(self._speed)) + 1, len(SPEEDS) - 1)] if again else 1.0
            self._start(step * faster)
        else:
            self._pace = min(self._pace + 1, len(PACES) - 1) if again else 0
            self._timer.start(PACES[self._pace])

    def _start(self, speed: float) -> None:
        """Play from where we are."""
        self._speed, self._since, self._from = speed, time.monotonic(), self._seconds()
        self._timer.start(TICK)
        self._show_place()

    def _choose_speed(self, speed: float) -> None:
        if self.playing:
            self._start(speed)
        else:
            self._speed = speed

    def _tick(self) -> None:
        if not self._browsing.opened:
            return  # never faster than pictures can be opened
        recording = self._recording()
        if recording is None or recording.times is None:
            if not self._browsing.step_film(self._step):
                self._timer.stop()
            return
        due = self._from + (time.monotonic() - self._since) * self._speed
        index = _frame_at(recording, due)
        if due < recording.times[0] or due > recording.times[-1]:
            self.hold()
        self._browsing.look((self._name, index))

    def _step_by(self, by: int) -> None:
        """One frame on or back: in a recording any frame, else the next picture of the film."""
        self.hold()
        key, recording = self._browsing.shown, self._recording()
        if key is not None and recording is not None and 0 <= key[1] + by < recording.facts.frames:
            self._browsing.look((key[0], key[1] + by))
        else:
            self._browsing.step_film(by)

    def _skip(self, seconds: float) -> None:
        if self._recording() is not None:
            self._seek(self._seconds() + seconds)

    def _seek(self, seconds: float) -> None:
        """Look at the frame that is shown at a time of the recording."""
        if (recording := self._recording()) is None:
            return
        self._browsing.look((self._name, _frame_at(recording, seconds)))
        if self.playing:
            self._start(self._speed)

    # What is shown

    def _recording(self) -> Recording | None:
        return self._session.recording(self._browsing.shown)

    def _seconds(self) -> float:
        key, recording = self._browsing.shown, self._recording()
        if key is None or recording is None or recording.times is None:
            return 0.0
        return float(recording.times[key[1]])

    def _on_shown(self) -> None:
        key, recording = self._browsing.shown, self._recording()
        name = key[0] if key and recording is not None and recording.times is not None else ""
        if name != self._name:
            if self.playing and not name:
                self._timer.stop()
            self._name = name
            self._show_recording()
        if key is not None and name:
            self._bench.timeline.set_cursor(self._seconds(), key[1])
            self._show_place()

    def _show_place(self) -> None:
        recording = self._recording()
        if recording is not None and recording.times is not None:
            start = float(recording.times[0])
            self._bench.transport.show_state(
                self.playing, self._speed, self._seconds(), start + recording.facts.seconds
            )

    def _show_recording(self) -> None:
        """Another recording, or none."""
        self._news.clear()
        recording = self._recording() if self._name else None
        self._bench.show_timeline(recording is not None)
        if recording is None or recording.times is None:
            self._bench.timeline.clear()
            return
        marks = [self._mark(index, recording) for index in recording.sampled]
        self._bench.timeline.show_recording(
            self._name, recording.facts.seconds, marks, float(recording.times[0])
        )
        self._show_lasting()

    def _show_lasting(self) -> None:
        """The rows of frames that decided the sustained grades."""
        if not self._name or self._session.running:
            return
        found = self._session.judgement()
        parts = found.parts if found else ()
        self._bench.timeline.set_sustained(
            [
                (part.since, part.until, part.sustained.grade)
                for part in parts
                if part.source_file == self._name
                and part.since is not None
                and part.until is not None
                and part.sustained.grade is not None
            ]
        )

    def _on_scored(self, item: Item) -> None:
        if item.key[0] == self._name:
            self._tell([item.key])

    def _on_read(self, readings: dict[FrameKey, FrameReading]) -> None:
        self._tell(key for key in readings if key[0] == self._name)
        self._show_lasting()

    def _tell(self, keys: Iterable[FrameKey]) -> None:
        if (recording := self._recording()) is None:
            return
        self._news.update((index, self._mark(index, recording)) for _, index in keys)
        if self._news and not self._refresh.isActive():
            self._refresh.start()

    def _show_news(self) -> None:
        if self._news:
            self._bench.timeline.update_marks(list(self._news.values()))
            self._news.clear()

    def _mark(self, index: int, recording: Recording) -> Mark:
        """What is known of one frame."""
        key, times = (self._name, index), recording.times
        item = self._session.items.get(key)
        scores = item.scores if isinstance(item, FrameResult) else None
        reading = self._session.reader.of(key) if self._session.keys else UNREAD
        reason = item.reason if isinstance(item, Unreadable) else scores.reject_reason if scores else ""
        return Mark(
            index=index,
            seconds=float(times[index]) if times is not None else 0.0,
            ai=scores.grade if scores else None,
            continuous=scores.continuous if scores else None,
            reader=reading.grade,
            segment=reading.segment,
            flagged=bool(scores and scores.close_call),
            rejected=reading.rejected,
            reason=reason,
            key_image=reading.key_image,
        )


def _frame_at(recording: Recording, seconds: float) -> int:
    """The frame that is on the screen at a time: the last one that has begun."""
    times = recording.times
    if times is None:
        return 0
    # Half a millisecond of grace: a time that was rounded for display still finds its frame.
    return int(np.clip(np.searchsorted(times, seconds + 5e-4, side="right") - 1, 0, len(times) - 1))
