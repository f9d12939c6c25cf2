"""Playing a recording, scrubbing through it and its timeline; leafing through stills."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer

from uc_viewer.case import UNREAD, FrameKey, FrameReading, FrameResult, Unreadable
from uc_viewer.gui.actions import Actions, Do
from uc_viewer.gui.browsing import Browsing
from uc_viewer.gui.jobs import Item
from uc_viewer.gui.marking import Marking
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.timeline import Mark
from uc_viewer.gui.widgets.transport import SPEEDS
from uc_viewer.gui.workbench import Workbench
from uc_viewer.sources.base import Recording

PACES = (500, 250, 125)
"""Milliseconds per still when leafing through; each further press is faster."""

TICK = 15
"""Milliseconds between two looks at the clock while a recording plays."""

GATHERED = 250
"""Milliseconds for which new scores are gathered before the timeline shows them."""


class Playing(QObject):
    """Moves `Browsing` along: by the clock through recordings, at a pace through stills.

    A recording plays by its own times: at every tick the frame that is due is asked for, unless the one
    before is still being opened; so frames are left out where the computer is too slow, and none is shown
    late under the name of another. Whoever goes elsewhere meanwhile is followed: it plays on from there.
    """

    def __init__(
        self, session: Session, bench: Workbench, actions: Actions, browsing: Browsing, marking: Marking
    ) -> None:
        super().__init__(bench)
        self._session, self._bench, self._browsing, self._marking = session, bench, browsing, marking
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._refresh = QTimer(self, singleShot=True, interval=GATHERED)
        self._refresh.timeout.connect(self._show_news)
        self._step, self._pace = 1, 0
        self._speed = self._chosen_speed = 1.0
        self._since, self._from = 0.0, 0.0
        self._asked: FrameKey | None = None
        self._name = ""
        self._news: dict[int, Mark] = {}
        self._judge_again = False
        self._wire(actions)

    @property
    def playing(self) -> bool:
        """True while pictures follow each other by themselves."""
        return self._timer.isActive()

    def hold(self) -> None:
        """Stand still."""
        self._timer.stop()
        self._speed = self._chosen_speed
        self._show_place()

    def _wire(self, actions: Actions) -> None:
        bench, session = self._bench, self._session
        for do, does in (
            (Do.PLAY, lambda: self.hold() if self.playing else self._play(1)),
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
        self._marking.about_to_read.connect(self.hold)
        session.began.connect(self._timer.stop)
        session.began.connect(self._on_shown)
        session.closing.connect(self._timer.stop)
        session.scored.connect(self._on_scored)
        session.restarted.connect(self._on_restarted)
        session.rule_changed.connect(self._show_lasting)
        session.ended.connect(lambda _: self._show_lasting())
        session.reader.readings_changed.connect(self._on_read)

    # Ways

    def _play(self, step: int) -> None:
        """Play or leaf on (back, with -1); once more, faster."""
        again = self.playing and step == self._step
        self._step = step
        if self._times() is not None:
            speed = abs(self._speed)
            faster = next((each for each in SPEEDS if each > speed), speed)
            self._start(step * (faster if again else self._chosen_speed))
        else:
            self._speed = step * self._chosen_speed  # for a recording that follows
            self._pace = min(self._pace + 1, len(PACES) - 1) if again else 0
            self._timer.start(PACES[self._pace])

    def _start(self, speed: float) -> None:
        """Play from where we are."""
        self._asked = self._browsing.wanted
        self._speed, self._since = speed, time.monotonic()
        self._from = self._browsing.time_of(self._asked) or 0.0
        self._timer.start(TICK)
        self._show_place()

    def _choose_speed(self, speed: float) -> None:
        self._chosen_speed = speed
        if self.playing and self._times() is not None:
            self._step = 1
            self._start(speed)
        else:
            self._speed = speed

    def _tick(self) -> None:
        if not self._browsing.opened:
            return  # never faster than pictures can be opened
        key, times = self._browsing.wanted, self._times()
        if key is None or times is None:
            if not self._browsing.step_film(self._step):
                self.hold()
            return
        if key != self._asked:
            self._start(self._speed)
        due = self._from + (time.monotonic() - self._since) * self._speed
        if not times[0] <= due <= times[-1]:
            self.hold()
        self._asked = key[0], _frame_at(times, due)
        if self._asked != key:
            self._browsing.look(self._asked)

    def _step_by(self, by: int) -> None:
        """One frame on or back: in a recording any frame, else the next picture of the film."""
        self.hold()
        key, times = self._browsing.wanted, self._times()
        if key is not None and times is not None and 0 <= key[1] + by < len(times):
            self._browsing.look((key[0], key[1] + by))
        else:
            self._browsing.step_film(by)

    def _skip(self, seconds: float) -> None:
        if (now := self._browsing.time_of(self._browsing.wanted)) is not None:
            self._seek(now + seconds)

    def _seek(self, seconds: float) -> None:
        """Look at the frame that is shown at a time of the recording."""
        key, times = self._browsing.wanted, self._times()
        if key is not None and times is not None:
            self._browsing.look((key[0], _frame_at(times, seconds)))
            if self._browsing.opened:
                self._show_place()  # whoever dragged the cursor lets go of it between two frames

    def _times(self) -> NDArray[np.float64] | None:
        """The times of the recording that is looked at; None for stills and frames without times."""
        recording = self._session.recording(self._browsing.wanted)
        return recording.times if recording is not None else None

    # What is shown

    def _on_shown(self) -> None:
        """Another frame is shown: of a recording on the timeline, else there is none."""
        key = self._browsing.shown
        name = key[0] if key is not None and self._browsing.time_of(key) is not None else ""
        if name != self._name:
            if self._name and not name:
                self._timer.stop()
            self._name = name
            self._show_recording()
        self._show_place()

    def _on_restarted(self) -> None:
        self._show_recording()
        self._show_place()

    def _recording(self) -> Recording | None:
        """The recording on the timeline."""
        return self._session.recording((self._name, 0)) if self._name else None

    def _show_place(self) -> None:
        key, recording = self._browsing.shown, self._recording()
        now = self._browsing.time_of(key)
        if key is None or now is None or recording is None or recording.times is None:
            return
        start = float(recording.times[0])
        self._bench.timeline.set_cursor(now, key[1])
        self._bench.transport.show_state(self.playing, self._speed, now, start + recording.facts.seconds)

    def _show_recording(self) -> None:
        """Another recording, or none."""
        self._news.clear()
        recording = self._recording()
        self._bench.show_timeline(recording is not None)
        if recording is None or recording.times is None:
            self._bench.timeline.clear()
            return
        marks = [self._mark(index, recording) for index in recording.sampled]
        self._bench.timeline.show_recording(
            self._name, recording.facts.seconds, marks, float(recording.times[0])
        )
        self._bench.timeline.set_range(*self._marking.range_of(self._name))
        self._show_lasting()

    def _show_lasting(self) -> None:
        """The rows of frames that decided the sustained grades."""
        self._judge_again = False
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
        self._judge_again = True
        self._tell(key for key in readings if key[0] == self._name)

    def _tell(self, keys: Iterable[FrameKey]) -> None:
        if (recording := self._recording()) is None:
            return
        self._news.update((index, self._mark(index, recording)) for _, index in keys)
        if not self._refresh.isActive():
            self._refresh.start()

    def _show_news(self) -> None:
        if self._news:
            self._bench.timeline.update_marks(list(self._news.values()))
            self._news.clear()
        if self._judge_again:
            self._show_lasting()

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


def _frame_at(times: NDArray[np.float64], seconds: float) -> int:
    """The frame that is on the screen at a time: the last one that has begun."""
    # Half a millisecond of grace: a time that was rounded for display still finds its frame.
    return int(np.clip(np.searchsorted(times, seconds + 5e-4, side="right") - 1, 0, len(times) - 1))
