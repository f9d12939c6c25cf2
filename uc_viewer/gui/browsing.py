"""The frame that is looked at: its picture, scores and heatmap, and the ways from one frame to another."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from uc_viewer.case import Duplicate, FrameKey, FrameReading, FrameResult, Segment, Unreadable
from uc_viewer.gui.actions import Actions, Do
from uc_viewer.gui.jobs import Explained, Picture, Thumbnail
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.film_frames import Filter, Show, Wanted, at_least, is_flagged
from uc_viewer.gui.widgets.frame_words import badges_between, badges_of, name_of
from uc_viewer.gui.widgets.reader_panel import Shown, common
from uc_viewer.gui.workbench import Workbench

PATIENCE = 80
"""Milliseconds to wait for a frame of a recording before the nearest one at hand is shown instead."""


class Browsing(QObject):
    """Wires film, picture and panels to the session.

    The film holds the frames that are scored. Of a recording any other frame can be looked at as well: then
    what is said beside it is of the scored frame before it, under that frame's own time.

    The frame that is ``wanted`` and the one that is ``shown`` differ while a recording is being decoded: what
    is on the screen stays, under its own name, until another picture takes its place.
    """

    shown_changed = Signal()
    """Another frame is named and shown, or none."""

    def __init__(self, session: Session, bench: Workbench, actions: Actions) -> None:
        super().__init__(bench)
        self._session, self._bench, self._film = session, bench, bench.film_model
        self._actions = actions
        self._wanted: FrameKey | None = None
        self._asked: FrameKey | None = None
        self._shown: FrameKey | None = None
        self._current: FrameKey | None = None
        self._picture: FrameKey | None = None
        self._near = self._readable = False
        self._in_film: FrameKey | None = None
        self._severe = 2
        self._wait = QTimer(self, singleShot=True, interval=PATIENCE)
        self._wait.timeout.connect(self._show_nearest)
        self._wire_session()
        self._wire_widgets()
        self._wire_actions()
        self.clear()

    @property
    def wanted(self) -> FrameKey | None:
        """The frame that was asked for last; the next step goes from here."""
        return self._wanted

    @property
    def shown(self) -> FrameKey | None:
        """The frame that is named, scored or not: its picture is on the screen, or none is."""
        return self._shown

    @property
    def current(self) -> FrameKey | None:
        """The frame that is shown if it is scored, else the scored one before it."""
        return self._current

    @property
    def opened(self) -> bool:
        """True when the frame that is wanted is on the screen, or cannot be opened."""
        return self._picture == self._wanted and not self._near

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
        self._in_film = None
        self._show_nothing()

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
        session.closing.connect(self._wait.stop)
        session.failed.connect(self._forget_asked)
        session.broke.connect(self._forget_asked)
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
        for film in (bench.strip, bench.grid):
            film.clicked.connect(lambda _: self._on_clicked())

    def _wire_actions(self) -> None:
        on = self._on
        for do, by in ((Do.BACK_TEN, -10), (Do.ON_TEN, 10)):
            on(do, lambda by=by: self._go(self._film.step_from(self.scored(self._wanted), by)))
        on(Do.FIRST, lambda: self._go(self._film.step_from(None, 1)))
        on(Do.LAST, lambda: self._go(self._film.step_from(None, -1)))
        for do, step in ((Do.PREVIOUS_FLAGGED, -1), (Do.NEXT_FLAGGED, 1)):
            on(do, lambda step=step: self._go_where(is_flagged, step))
        for do, step in ((Do.PREVIOUS_SEVERE, -1), (Do.NEXT_SEVERE, 1)):
            on(do, lambda step=step: self._go_where(at_least(self._severe), step))
        on(Do.WORST, lambda: self._go(self._film.worst()))
        image = self._bench.image
        on(Do.FIT, image.fit)
        on(Do.ONE_TO_ONE, image.one_to_one)
        on(Do.ZOOM_IN, image.zoom_in)
        on(Do.ZOOM_OUT, image.zoom_out)
        self._actions[Do.HEATMAP].toggled.connect(self._bench.heat.set_shown)
        self._actions[Do.OVERLAY].setChecked(True)
        self._actions[Do.OVERLAY].toggled.connect(image.set_overlay_shown)

    def _on(self, do: Do, does: Any) -> None:
        self._actions[do].triggered.connect(lambda _checked=False: does())

    # Ways

    def look(self, key: FrameKey) -> None:
        """Look at any frame of a recording, or at a picture of the film; it alone is chosen from now on."""
        self._bench.scores.reader.commit()  # what is being typed is of the frame before
        self._in_film = scored = self.scored(key)  # so that the film is not thought to be moved by the user
        if scored is not None:
            self._film.go_to(scored)
        self._in_film = self._film.current_key
        self._want(key)

    def step_film(self, by: int) -> bool:
        """Go so many pictures of the film on; False where there is none."""
        scored = self.scored(self._wanted)
        key = self._film.step_from(scored, by)
        self._go(key if key != scored else None)
        return key not in (None, scored)

    def _go(self, key: FrameKey | None) -> None:
        if key is not None:
            self.look(key)

    def _go_where(self, wanted: Wanted, step: int) -> None:
        """Go to the next wanted picture of the film; back from behind one that is wanted, to that one."""
        at, film = self.scored(self._wanted), self._film
        row = film.row_of(at)
        behind = step < 0 and at != self._wanted and row >= 0 and wanted(film.frame(row))
        self._go(at if behind else film.next_where(at, wanted, step))

    def scored(self, key: FrameKey | None) -> FrameKey | None:
        """The frame itself if it is scored, else the scored one before it."""
        recording = self._session.recording(key)
        if key is None or recording is None:
            return key
        sampled = recording.sampled
        return key[0], sampled[max(0, bisect_right(sampled, key[1]) - 1)]

    def time_of(self, key: FrameKey | None) -> float | None:
        """The time of a frame of a recording, in seconds; None for a still."""
        recording = self._session.recording(key)
        times = recording.times if recording is not None else None
        return None if key is None or times is None else float(times[key[1]])

    # What comes in

    def _on_listed(self, keys: list[FrameKey]) -> None:
        first = self.current is None
        self._film.add(keys)
        if first:
            self._go(self._film.step_from(None, 1))
        self._show_name()  # it is one of more by now

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
        image, rgb = QImage(), thumbnail.image
        if rgb is not None:
            height, width, _ = rgb.shape
            image = QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self._film.set_thumbnail(thumbnail.key, image)
        if not self.opened and not self._wait.isActive() and thumbnail.key == self.scored(self._wanted):
            self._show_nearest()

    def _on_picture(self, picture: Picture) -> None:
        """A picture is there: shown under its own name, even where one after it is wanted by now."""
        if picture.key not in (self._asked, self._wanted):
            return
        self._asked = None
        if picture.key == self._wanted or (not self.opened and self._nearer(picture.key)):
            self._picture, self._near, self._readable = picture.key, False, picture.image is not None
            if picture.image is None:
                self._bench.image.show_text(picture.reason)
            else:
                self._bench.image.show_image(picture.image, picture.key[0], picture.box)
            self._name(picture.key)
        self._open()

    def _on_explained(self, explained: Explained) -> None:
        heat = self._bench.heat
        wanted = (self.current, heat.target, heat.method)
        if (explained.key, explained.target, explained.method) != wanted or not heat.shown:
            return
        heat.set_busy(False)
        heat.show_peak(explained.heatmap.peak)
        if self._can_tint:
            self._bench.image.set_heat(explained.heatmap.values, explained.heatmap.strength)

    # Another frame

    def _on_film(self) -> None:
        """The user chose another picture of the film, or it chose one itself since the old one is hidden."""
        key = self._film.current_key
        if key == self._in_film:
            return  # a frame that the film does not show is looked at meanwhile, perhaps
        self._in_film = key
        self._want(key) if key is not None else self._show_nothing()

    def _on_clicked(self) -> None:
        """A click on the picture that the film is at leads back to it from the frames after it."""
        if self._in_film is not None and self._in_film != self._wanted:
            self._want(self._in_film)

    def _want(self, key: FrameKey) -> None:
        """Look at a frame as soon as it is there; of a recording, what is on the screen stays until then."""
        self._wanted = key
        if self._picture is None or self._picture[0] != key[0]:
            self._picture, self._near = None, False
            self._bench.image.show_waiting(key[0])
            self._name(key)
        self._open()

    def _open(self) -> None:
        """Ask for the frame that is wanted, after the one of the same recording that was asked for before.

        Were each overtaken by the next, nothing would be seen while a key is held down.
        """
        key = self._wanted
        if key is None or self.opened:
            self._wait.stop()
            return
        if self._picture is not None and not self._wait.isActive():
            self._wait.start()
        if self._asked is None or self._asked[0] != key[0]:
            self._asked = key
            self._session.look_at(key)

    def _forget_asked(self, _: object) -> None:
        """Something came to nothing, the picture that was asked for perhaps: the next wish asks anew."""
        self._asked = None

    def _show_nearest(self) -> None:
        """The exact frame is not there yet: show the small picture of the scored one, under its own name."""
        near, recording = self.scored(self._wanted), self._session.recording(self._wanted)
        row = self._film.row_of(near)
        if near is None or recording is None or row < 0 or self.opened or not self._nearer(near):
            return
        small = self._film.thumbnail(row)
        if small is None or small.isNull():
            return
        self._picture, self._near = near, True
        facts, name = recording.facts, name_of(near, self.time_of(near))
        words = self.tr("nearest frame: {0}").format(name)
        self._bench.image.show_near(small, facts.width, facts.height, words)
        self._name(near)

    def _nearer(self, key: FrameKey) -> bool:
        """True for a frame nearer to the one that is wanted than what is on the screen."""
        at, there = self._wanted, self._picture
        return at is not None and (there is None or abs(key[1] - at[1]) < abs(there[1] - at[1]))

    # What is shown

    def _show_nothing(self) -> None:
        self._wanted = self._asked = self._picture = None
        self._near = False
        self._wait.stop()
        self._bench.image.show_text(self.tr("No picture is shown") if self._session.keys else "")
        self._name(None)

    def _name(self, key: FrameKey | None) -> None:
        """Say which frame this is and what is known of it."""
        before, current = self._current, self.scored(key)
        self._shown, self._current = key, current
        self._show_name()
        if current != before or current is None:
            self._show_answer()
            self._show_reading()
        else:
            self._show_badges()
        self._ask_heat()
        self.shown_changed.emit()

    def _show_name(self) -> None:
        key = self._shown
        name = "" if key is None else name_of(key, self.time_of(key))
        if self._near and key != self._wanted:
            name = self.tr("{0} (nearest)").format(name)
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
        scored = bool(items) and None not in answers
        grade = next(iter(answers)) if len(answers) == 1 else None
        self._bench.scores.reader.show_reading(len(keys), shown, grade, scored, same=same)

    def _show_badges(self) -> None:
        key, item = self.current, self._item()
        reading = self._session.reader.of(key) if key else FrameReading()
        result = item if isinstance(item, FrameResult) else None
        between = self._shown != key
        said = badges_between(result, reading, self.time_of(key)) if between else badges_of(result, reading)
        self._bench.image.set_badges(said)

    def _item(self) -> FrameResult | Unreadable | Duplicate | None:
        key, session = self.current, self._session
        return (session.items.get(key) or session.duplicates.get(key)) if key else None

    # Heatmaps

    @property
    def _can_tint(self) -> bool:
        """True while the picture of a scored frame is on the screen, itself and not a small copy."""
        return self.opened and self._readable and self._current == self._wanted

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
        if heat.shown and self._can_tint and isinstance(item, FrameResult) and item.scores.scored and key:
            heat.set_busy(True)
            self._session.explain(key, heat.target, heat.method)
        else:
            heat.set_busy(False)
