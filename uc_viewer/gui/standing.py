"""How the case stands: progress, counts and summary, and what can be done now."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer

from uc_viewer.gui.actions import GRADES, SEGMENTS, Actions, Do
from uc_viewer.gui.session import Session
from uc_viewer.gui.workbench import Workbench
from uc_viewer.indices import Judgement, Summary, with_judgement
from uc_viewer.report.wording import duration

REFRESH = 200
"""Milliseconds at least between two updates of progress and summary while a run goes on."""


class Standing(QObject):
    """Keeps the foot of the window, the summary and the actions in line with the session."""

    def __init__(self, session: Session, bench: Workbench, actions: Actions) -> None:
        super().__init__(bench)
        self._session, self._bench, self._actions = session, bench, actions
        self._timer = QTimer(self, singleShot=True, interval=REFRESH)
        self._timer.timeout.connect(self.refresh)
        self._judgement: Judgement | None = None
        self._judge_again = 0.0
        session.began.connect(self._judge_anew)
        session.rule_changed.connect(self._judge_anew)
        session.rule_changed.connect(self.refresh)
        session.closing.connect(self._timer.stop)

    def refresh_soon(self) -> None:
        """Refresh once for all that happens within `REFRESH`."""
        if not self._timer.isActive():
            self._timer.start()

    def refresh(self) -> None:
        """Bring progress, summary and what can be done in line with the session."""
        session, bench = self._session, self._bench
        there = bool(session.keys) or session.running
        bench.show_case(there)
        left = session.remaining_seconds()
        bench.status.show_progress(
            session.done,
            len(session.keys),
            duration(left) if left is not None else "",
            running=session.running,
            paused=session.paused,
        )
        bench.status.show_counts(self._counts() if there else "")
        bench.summary.show_summary(self._summary(), session.done, len(session.keys))
        self._enable(there)

    def _summary(self) -> Summary:
        """Counts, and what lasts in recordings; the latter takes time, so it takes at most a tenth of it."""
        now = time.monotonic()
        if now < self._judge_again:
            self.refresh_soon()
        else:
            self._judgement = self._session.judgement()
            took = time.monotonic() - now
            self._judge_again = now + took * 10
        return with_judgement(self._session.reader.summary(), self._judgement)

    def _judge_anew(self) -> None:
        """What was judged is of another case, or by another rule."""
        self._judgement, self._judge_again = None, 0.0

    def stop(self) -> None:
        """Refresh no more."""
        self._timer.stop()

    def _enable(self, there: bool) -> None:
        session, actions = self._session, self._actions
        running, items = session.running, bool(session.items)
        able = {
            Do.PREVIEW: items, Do.PRINT: items, Do.SAVE: items, Do.OVERLAYS: items,
            Do.CLIP: items, Do.KEY_FRAMES: items,
            Do.PAUSE: running, Do.NEW: there,
            Do.SCORE_REST: not running and session.done < len(session.keys),
        }  # fmt: skip
        for do, can in able.items():
            actions[do].setEnabled(can)
        for do in (*GRADES, *SEGMENTS, Do.CLEAR, Do.NO_SEGMENT, Do.REJECT, Do.KEY_IMAGE, Do.GRID, Do.HEATMAP):
            actions[do].setEnabled(there)
        actions[Do.PAUSE].setChecked(session.paused)

    def _counts(self) -> str:
        summary = self._session.reader.summary()
        scored, unreadable = summary.whole.scored, summary.unreadable
        rejected, twice = summary.whole.rejected, len(self._session.duplicates)
        broken_off = sum(facts.share != 1 for facts in self._session.sources.recordings)
        parts = [self.tr("{0} scored").format(scored)]
        for count, text in (
            (rejected, self.tr("{0} not scored")),
            (unreadable, self.tr("{0} could not be opened")),
            (twice, self.tr("{0} twice")),
            (broken_off, self.tr("{0} broken off")),
        ):
            if count:
                parts.append(text.format(count))
        return ", ".join(parts)
