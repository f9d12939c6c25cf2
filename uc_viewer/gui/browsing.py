"""The frame that is looked at: its picture, scores and heatmap, and the ways from one frame to another."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from uc_viewer.case import Duplicate, FrameKey, FrameReading, FrameResult, Segment, Unreadable
from uc_viewer.gui.actions import Actions, Do
from uc_viewer.gui.jobs import Explained, Picture, Thumbnail
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.film_frames import Filter, Show, at_least, is_flagged
from uc_viewer.gui.widgets.image_view import Badges
from uc_viewer.gui.widgets.reader_panel import Shown, common
from uc_viewer.gui.widgets.timeline_scale import clock
from uc_viewer.gui.workbench import Workbench

PATIENCE = 80
"""Milliseconds to wait for a frame of a recording before the nearest one at hand is shown instead."""


class Browsing(QObject):
    """Wires film, picture and panels to the session.

    The film holds the frames that are scored. Of a recording any other frame can be looked at as well: then
    what is said beside it is of the scored frame before it, under that frame's own time.
    """

    shown_changed = Signal()
    """Another frame is on the screen, or none."""

    def __init__(self, session: Session, bench: Workbench, actions: Actions) -> None:
        super().__init__(bench)
        self._session, self._bench, self._film = session, bench, bench.film_model
        self._actions = actions
        self._opened: FrameKey | None = None
        self._shown: FrameKey | None = None
        self._current: FrameKey | None = None
        self._severe = 2
        self._wait = QTimer(self, singleShot=True, interval=PATIENCE)
        self._wait.timeout.connect(self._show_nearest)
        self._wire_session()
        self._wire_widgets()
        self._wire_actions()
        self.clear()

    @property
    def current(self) -> FrameKey | None:
        """The scored frame that is looked at, or the one before the frame that is."""
        return self._current

    @property
    def shown(self) -> FrameKey | None:
        """The frame that is looked at, scored or not."""
        return self._shown

    @property
    def opened(self) -> bool:
        """True when the frame that is looked at is on the screen, or cannot be opened."""
        return self._opened == self._shown

    @property
    def chosen(self) -> list[FrameKey]:
        """The frames that the reader's keys meet: the selected ones, else the current one."""
        selected = self._film.selected_keys()
        return selected if len(selected) > 1 or not self.current else [self.current]

    def set_severe(self, grade: int) -> None:
        """From which grade on "next severe" stops."""
        self._severe = grade

    def clear(self) -> None:
        """Another case begins."""
        self._film.clear()
        self._opened = self._shown = self._current = None
        self._wait.stop()
        self._show_current()

    def show_segment(self, segment: Segment | None) -> None:
        """Show the frames of one segment (None: those without a tag); once more, all frames again."""
        bar = self._bench.film_bar
        wanted = Filter(Show.SEGMENT, segment=segment) if segment else Filter(Show.UNTAGGED)
        chosen = Filter() if bar.filter == wanted else wanted
        bar.show_filter(chosen)
        self._film.set_filter(chosen)

    # Wiring

    def _wire_session(self) -> None:
        session, reader = self._session, self._session.reader
        session.listed.connect(self._on_listed)
        session.scored.connect(self._on_scored)
        session.duplicate_found.connect(self._on_scored)
        session.restarted.connect(self._on_restarted)
        session.picture_opened.connect(self._on_picture)
        session.thumbnail_made.connect(self._on_thumbnail)
        session.explained.connect(self._on_explained)
        reader.readings_changed.connect(self._on_read)
        self._film.thumbnail_wanted.connect(session.want_thumbnail)
        self._film.selection.currentChanged.connect(lambda *_: self._on_film())
        self._film.selection.selectionChanged.connect(lambda *_: self._show_reading())
        self._film.arranged.connect(self._on_film)

    def _wire_widgets(self) -> None:
        bench = self._bench
        bench.heat.shown_changed.connect(self._on_heat_shown)
        bench.heat.asked.connect(lambda *_: self._ask_heat())
        bench.heat.opacity_changed.connect(lambda percent: bench.image.set_heat_opacity(percent / 100))
        bench.film_bar.filter_changed.connect(self._film.set_filter)
        bench.film_bar.order_changed.connect(self._film.set_order)
        self._film.shown_changed.connect(bench.film_bar.show_count)

    def _wire_actions(self) -> None:
        on = self._on
        for do, by in ((Do.BACK_TEN, -10), (Do.ON_TEN, 10)):
            on(do, lambda by=by: self._go(self._film.step_from(self.current, by)))
        on(Do.FIRST, lambda: self._go(self._film.step_from(None, 1)))
        on(Do.LAST, lambda: self._go(self._film.step_from(None, -1)))
        for do, step in ((Do.PREVIOUS_FLAGGED, -1), (Do.NEXT_FLAGGED, 1)):
            on(do, lambda step=step: self._go(self._film.next_where(self.current, is_flagged, step)))
        for do, step in ((Do.PREVIOUS_SEVERE, -1), (Do.NEXT_SEVERE, 1)):
            on(do, lambda step=step: self._go_severe(step))
        on(Do.WORST, lambda: self._go(self._film.worst()))
        image = self._bench.image
        for do, zoom in (
            (Do.FIT, image.fit),
            (Do.ONE_TO_ONE, image.one_to_one),
            (Do.ZOOM_IN, image.zoom_in),
            (Do.ZOOM_OUT, image.zoom_out),
        ):
            on(do, zoom)
        self._actions[Do.HEATMAP].toggled.connect(self._bench.heat.set_shown)
        self._actions[Do.OVERLAY].setChecked(True)
        self._actions[Do.OVERLAY].toggled.connect(image.set_overlay_shown)

    def _on(self, do: Do, does: Any) -> None:
        self._actions[do].triggered.connect(lambda _checked=False: does())

    # Ways

    def look(self, key: FrameKey) -> None:
        """Look at any frame of a recording, or at a picture of the film."""
        recording = self._session.recording(key)
        sampled = recording.sampled if recording else (0,)
        self._current = (key[0], sampled[max(0, bisect_right(sampled, key[1]) - 1)])
        self._shown = key
        self._film.go_to(self._current)
        self._open()

    def step_film(self, by: int) -> bool:
        """Go so many pictures of the film on; False where there is none."""
        key = self._film.step_from(self.current, by)
        if key is None or (key == self.current and key == self._shown):
            return False
        self._go(key)
        return True

    def _go(self, key: FrameKey | None) -> None:
        if key is not None:
            self._bench.scores.reader.commit()
            self.look(key)

    def _go_severe(self, step: int) -> None:
        self._go(self._film.next_where(self.current, at_least(self._severe), step))

    def time_of(self, key: FrameKey | None) -> float | None:
        """The time of a frame of a recording, in seconds; None for a still."""
        recording = self._session.recording(key)
        if key is None or recording is None or recording.times is None:
            return None
        return float(recording.times[key[1]])

    # What comes in

    def _on_listed(self, keys: list[FrameKey]) -> None:
        first = self.current is None
        self._film.add(keys)
        if first:
            self._go(self._film.step_from(None, 1))
        self._show_name()

    def _on_scored(self, item: FrameResult | Unreadable | Duplicate) -> None:
        self._film.set_item(item)
        if item.key == self.current:
            self._show_answer()
            self._ask_heat()

    def _on_restarted(self) -> None:
        self._film.forget_items()
        self._show_answer()

    def _on_read(self, readings: dict[FrameKey, FrameReading]) -> None:
        self._film.set_readings(readings)
        self._show_reading(same=True)
        if self.current in readings:
            self._show_badges()

    def _on_thumbnail(self, thumbnail: Thumbnail) -> None:
        image = QImage()
        if thumbnail.image is not None:
            height, width, _ = thumbnail.image.shape
            image = QImage(
                thumbnail.image.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888
            ).copy()
        self._film.set_thumbnail(thumbnail.key, image)

    def _on_picture(self, picture: Picture) -> None:
        if picture.key != self._shown:
            return
        self._wait.stop()
        self._opened = picture.key
        if picture.image is None:
            self._bench.image.show_text(picture.reason)
        else:
            self._bench.image.show_image(picture.image, picture.key[0], picture.box)
        self._show_name()
        self._show_answer()
        self._ask_heat()
        self.shown_changed.emit()

    def _on_explained(self, explained: Explained) -> None:
        heat = self._bench.heat
        wanted = (self.current, heat.target, heat.method)
        if (explained.key, explained.target, explained.method) != wanted or not heat.shown:
            return
        heat.set_busy(False)
        heat.show_peak(explained.heatmap.peak)
        if self._opened == self.current == self._shown:
            self._bench.image.set_heat(explained.heatmap.values, explained.heatmap.strength)

    # What is shown

    def _on_film(self) -> None:
        """The user chose another picture of the film, or it chose one itself since the old one is hidden."""
        key = self._film.current_key
        if key != self._current:
            self._current = self._shown = key
            self._show_current()

    def _show_current(self) -> None:
        """Another picture: say at once what is known of it, and open it."""
        self._show_name()
        self._show_answer()
        self._show_reading()
        if self._shown is None:
            self._opened = None
            self._bench.image.show_text(self.tr("No picture is shown") if self._session.keys else "")
            self.shown_changed.emit()
        self._open()

    def _open(self) -> None:
        """Ask for the frame to look at; of a recording, the one before stays until it is there."""
        key = self._shown
        if key is None or key == self._opened:
            return
        self._bench.heat.show_peak(None)
        same = self._opened is not None and self._opened[0] == key[0]
        if not same:
            self._bench.image.show_waiting(key[0])
            self._show_name()
            self._show_answer()
        elif not self._wait.isActive():
            self._wait.start()
        self._opened = None if not same else self._opened
        self._session.look_at(key)

    def _show_nearest(self) -> None:
        """The exact frame is not there yet: show the small picture of the scored one, and say so."""
        key, recording = self.current, self._session.recording(self.current)
        row = self._film.row_of(key)
        if key is None or recording is None or row < 0 or self.opened:
            return
        if (small := self._film.thumbnail(row)) is not None:
            facts, seconds = recording.facts, self.time_of(key)
            near = self.tr("nearest frame {0}").format("" if seconds is None else clock(seconds))
            self._bench.image.show_near(small, facts.width, facts.height, near)

    def _show_name(self) -> None:
        key, seconds = self._shown, self.time_of(self._shown)
        name = "" if key is None else key[0] if seconds is None else f"{key[0]}, {clock(seconds)}"
        self._bench.scores.show_name(name, self._film.row_of(self.current) + 1, self._film.rowCount())

    def _show_answer(self) -> None:
        item, model = self._item(), self._session.model
        self._bench.scores.ai.show_item(item, model.active_threshold if model else 0.5)
        self._show_badges()
        self._show_reading(same=True)
        scored = isinstance(item, FrameResult) and item.scores.scored
        self._bench.heat.set_available(scored, "" if scored else self.tr("There is no score to explain."))

    def _show_reading(self, same: bool = False) -> None:
        keys, session = self.chosen, self._session
        items = [session.items.get(key) for key in keys]
        answers = {item.scores.grade if isinstance(item, FrameResult) else None for item in items}
        shown = common(session.reader.of(key) for key in keys) if keys else Shown()
        grade = answers.pop() if len(answers) == 1 else None
        scored = bool(items) and None not in answers and all(isinstance(item, FrameResult) for item in items)
        self._bench.scores.reader.show_reading(
            len(keys), shown, grade, scored and (grade is not None or len(keys) > 1), same=same
        )

    def _show_badges(self) -> None:
        key, item = self.current, self._item()
        reading = self._session.reader.of(key) if key else FrameReading()
        result = item if isinstance(item, FrameResult) else None
        if self._shown == key:
            self._bench.image.set_badges(self._badges(result, reading))
            return
        # Between two scored frames nothing was scored: what is known is told under its own time.
        seconds = self.time_of(key)
        when = self.tr("at {0}").format("" if seconds is None else clock(seconds))
        badges = self._badges(result, FrameReading(segment=reading.segment))
        note = ", ".join(filter(None, (when, badges.ai_note)))
        missing = f"{badges.not_scored} ({when})" if badges.not_scored else ""
        self._bench.image.set_badges(replace(badges, ai_note=note, not_scored=missing))

    def _badges(self, result: FrameResult | None, reading: FrameReading) -> Badges:
        """What stands beside the picture of a frame."""
        scores = result.scores if result else None
        grade = scores.grade if scores else None
        note, probability = "", None
        if scores and scores.probabilities and grade is not None:
            probability = scores.probabilities[grade]
            if scores.close_call is not None:
                low, high = scores.close_call
                pair = self.tr("close call {0}–{1}") if high - low == 1 else self.tr("close call {0} or {1}")
                note = pair.format(low, high)
        return Badges(
            ai_grade=grade,
            ai_probability=probability,
            ai_note=note,
            not_scored=scores.reject_reason if scores and not scores.scored else "",
            reader_grade=reading.grade,
            place=reading.segment.value if reading.segment else "",
            rejected=reading.rejected,
            key_image=reading.key_image,
        )

    def _item(self) -> FrameResult | Unreadable | Duplicate | None:
        key = self.current
        if key is None:
            return None
        return self._session.items.get(key) or self._session.duplicates.get(key)

    # Heatmaps

    def _on_heat_shown(self, shown: bool) -> None:
        self._actions[Do.HEATMAP].setChecked(shown)
        if not shown:
            self._bench.image.set_heat(None)
            self._bench.heat.set_busy(False)

    def _ask_heat(self) -> None:
        """Ask for the heatmap of the picture that is shown, if heatmaps are wanted."""
        heat, item, key = self._bench.heat, self._item(), self.current
        self._bench.image.set_heat(None)
        heat.show_peak(None)
        ready = heat.shown and key is not None and self._opened == key == self._shown
        if ready and isinstance(item, FrameResult) and item.scores.scored and key is not None:
            heat.set_busy(True)
            self._session.explain(key, heat.target, heat.method)
        else:
            heat.set_busy(False)
