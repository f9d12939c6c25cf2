"""The frame that is looked at: its picture, scores and heatmap, and the ways from one frame to another."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QItemSelectionModel, QObject, QTimer
from PySide6.QtGui import QImage

from uc_viewer.case import Duplicate, FrameKey, FrameReading, FrameResult, Segment, Unreadable
from uc_viewer.gui.actions import GRADES, SEGMENTS, Actions, Do
from uc_viewer.gui.jobs import Explained, Picture, Thumbnail
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.film_frames import Filter, Show, at_least, is_flagged
from uc_viewer.gui.widgets.image_view import Badges
from uc_viewer.gui.widgets.reader_panel import Shown, common
from uc_viewer.gui.workbench import Workbench

PACES = (500, 250, 125)
"""Milliseconds per frame when leafing through; each further press is faster."""


class Browsing(QObject):
    """Wires film, picture and panels to the session."""

    def __init__(self, session: Session, bench: Workbench, actions: Actions) -> None:
        super().__init__(bench)
        self._session, self._bench, self._film = session, bench, bench.film_model
        self._actions = actions
        self._opened: FrameKey | None = None
        self._mark: FrameKey | None = None
        self._severe = 2
        self._step, self._pace = 1, 0
        self._leaf = QTimer(self)
        self._leaf.timeout.connect(self._leaf_on)
        self._wire_session()
        self._wire_widgets()
        self._wire_actions()
        self.clear()

    @property
    def current(self) -> FrameKey | None:
        """The frame that is looked at."""
        return self._film.current_key

    @property
    def chosen(self) -> list[FrameKey]:
        """The frames that the reader's keys meet: the selected ones, else the current one."""
        return self._film.selected_keys() or ([self.current] if self.current else [])

    def set_severe(self, grade: int) -> None:
        """From which grade on "next severe" stops."""
        self._severe = grade

    def clear(self) -> None:
        """Another case begins."""
        self._film.clear()
        self._opened = self._mark = None
        self._leaf.stop()
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
        self._film.selection.currentChanged.connect(lambda *_: self._show_current())
        self._film.selection.selectionChanged.connect(lambda *_: self._show_reading())
        self._film.arranged.connect(self._show_current)

    def _wire_widgets(self) -> None:
        bench, panel = self._bench, self._bench.scores.reader
        bench.heat.shown_changed.connect(self._on_heat_shown)
        bench.heat.asked.connect(lambda *_: self._ask_heat())
        bench.heat.opacity_changed.connect(lambda percent: bench.image.set_heat_opacity(percent / 100))
        bench.film_bar.filter_changed.connect(self._film.set_filter)
        bench.film_bar.order_changed.connect(self._film.set_order)
        self._film.shown_changed.connect(bench.film_bar.show_count)
        panel.grade_given.connect(self.grade)
        panel.segment_given.connect(self.tag)
        panel.reason_given.connect(lambda reason: self._read(self.tr("reason"), reason=reason))
        panel.rejected_given.connect(lambda on: self._read(self.tr("reject frame"), rejected=on))
        panel.key_image_given.connect(lambda on: self._read(self.tr("key image"), key_image=on))
        panel.comment_given.connect(lambda text: self._read(self.tr("comment"), comment=text))

    def _wire_actions(self) -> None:
        on = self._on
        for do, value in GRADES.items():
            on(do, lambda value=value: self.grade(value))
        for do, segment in SEGMENTS.items():
            on(do, lambda segment=segment: self.tag(segment))
        on(Do.CLEAR, lambda: self.grade(None))
        on(Do.NO_SEGMENT, lambda: self.tag(None))
        on(Do.REJECT, lambda: self._toggle(self.tr("reject frame"), "rejected"))
        on(Do.KEY_IMAGE, lambda: self._toggle(self.tr("key image"), "key_image"))
        on(Do.COMMENT, lambda: self._bench.scores.reader.edit_comment())
        on(Do.MARK_IN, self._mark_here)
        on(Do.MARK_OUT, self._select_range)
        on(Do.SELECT_ALL, self._film.select_all)
        for do, by in ((Do.PREVIOUS, -1), (Do.NEXT, 1), (Do.BACK_TEN, -10), (Do.ON_TEN, 10)):
            on(do, lambda by=by: self._go(self._film.step_from(self.current, by)))
        on(Do.FIRST, lambda: self._go(self._film.step_from(None, 1)))
        on(Do.LAST, lambda: self._go(self._film.step_from(None, -1)))
        for do, step in ((Do.PREVIOUS_FLAGGED, -1), (Do.NEXT_FLAGGED, 1)):
            on(do, lambda step=step: self._go(self._film.next_where(self.current, is_flagged, step)))
        for do, step in ((Do.PREVIOUS_SEVERE, -1), (Do.NEXT_SEVERE, 1)):
            on(do, lambda step=step: self._go_severe(step))
        on(Do.WORST, lambda: self._go(self._film.worst()))
        on(Do.PLAY, self._play_or_hold)
        on(Do.HOLD, self._leaf.stop)
        on(Do.PLAY_BACK, lambda: self._play(-1))
        on(Do.PLAY_ON, lambda: self._play(1))
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

    # What the reader says

    def grade(self, grade: int | None) -> None:
        """Give the chosen frames a reader grade, or take it away."""
        name = self.tr("clear grade") if grade is None else f"MES {grade}"
        # A reason belongs to the grade it was given for.
        self._read(name, grade=grade, reason="")

    def tag(self, segment: Segment | None) -> None:
        """Say in which segment the chosen frames were taken."""
        self._read(segment.value if segment else self.tr("no segment"), segment=segment)

    def _read(self, text: str, **changes: object) -> None:
        if keys := self.chosen:
            self._session.reader.read(keys, text, **changes)

    def _toggle(self, text: str, field: str) -> None:
        """Switch a mark on for all chosen frames, or off where all have it."""
        reader = self._session.reader
        self._read(text, **{field: not all(getattr(reader.of(key), field) for key in self.chosen)})

    # Ways

    def _go(self, key: FrameKey | None) -> None:
        if key is not None:
            self._bench.scores.reader.commit()
            self._film.go_to(key)

    def _go_severe(self, step: int) -> None:
        self._go(self._film.next_where(self.current, at_least(self._severe), step))

    def _mark_here(self) -> None:
        """A range begins at the current frame."""
        self._mark = self.current

    def _select_range(self) -> None:
        """Select from the marked frame to the current one."""
        first, last = sorted((self._film.row_of(self._mark), self._film.row_of(self.current)))
        flags = QItemSelectionModel.SelectionFlag
        if first >= 0:
            self._film.selection.clearSelection()
            for row in range(first, last + 1):
                self._film.selection.select(self._film.index(row, 0), flags.Select)

    def _play_or_hold(self) -> None:
        if self._leaf.isActive():
            self._leaf.stop()
        else:
            self._play(self._step)

    def _play(self, step: int) -> None:
        faster = self._leaf.isActive() and step == self._step
        self._pace = min(self._pace + 1, len(PACES) - 1) if faster else 0
        self._step = step
        self._leaf.start(PACES[self._pace])

    def _leaf_on(self) -> None:
        following = self._film.step_from(self.current, self._step)
        if following is None or following == self.current:
            self._leaf.stop()
        elif self._opened == self.current:  # never faster than pictures can be opened
            self._go(following)

    # What comes in

    def _on_listed(self, keys: list[FrameKey]) -> None:
        first = self.current is None
        self._film.add(keys)
        if first:
            self._go(self._film.step_from(None, 1))
        self._show_name()

    def _on_scored(self, item: FrameResult | Unreadable | Duplicate) -> None:
        self._film.set_item(item)
        key = item.key if isinstance(item, FrameResult) else (item.source_file, 0)
        if key == self.current:
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
        if picture.key != self.current:
            return
        if picture.image is None:
            self._bench.image.show_text(picture.reason)
            return
        self._opened = picture.key
        self._bench.image.show_image(picture.image, picture.key[0], picture.box)
        self._show_badges()
        self._ask_heat()

    def _on_explained(self, explained: Explained) -> None:
        heat = self._bench.heat
        wanted = (self.current, heat.target, heat.method)
        if (explained.key, explained.target, explained.method) != wanted or not heat.shown:
            return
        heat.set_busy(False)
        heat.show_peak(explained.heatmap.peak)
        if self._opened == self.current:
            self._bench.image.set_heat(explained.heatmap.values, explained.heatmap.strength)

    # What is shown

    def _show_current(self) -> None:
        key, bench = self.current, self._bench
        self._show_name()
        self._show_answer()
        self._show_reading()
        if key == self._opened and key is not None:
            return
        self._opened = None
        bench.heat.show_peak(None)
        if key is None:
            bench.image.show_text(self.tr("No picture is shown") if self._session.keys else "")
        else:
            bench.image.show_waiting(key[0])
            self._session.look_at(key)

    def _show_name(self) -> None:
        key = self.current
        self._bench.scores.show_name(key[0] if key else "", self._film.row_of(key) + 1, self._film.rowCount())

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
        self._bench.image.set_badges(self._badges(result, reading))

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
        ready = heat.shown and key is not None and self._opened == key
        if ready and isinstance(item, FrameResult) and item.scores.scored and key is not None:
            heat.set_busy(True)
            self._session.explain(key, heat.target, heat.method)
        else:
            heat.set_busy(False)
