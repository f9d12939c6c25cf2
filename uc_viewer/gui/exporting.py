"""Clips of recordings and key images as files: what is asked before, and the wish to the session."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from uc_viewer.case import FrameKey
from uc_viewer.gui.dialogs.clip_options import ClipOptions
from uc_viewer.gui.exports import NOT_WRITTEN, Export
from uc_viewer.gui.jobs import Saved
from uc_viewer.gui.marking import Marking
from uc_viewer.gui.session import Session
from uc_viewer.gui.widgets.timeline_scale import clock
from uc_viewer.gui.widgets.toast import Toasts

AROUND = 5.0
"""Seconds before and after the frame on the screen that make a clip where no stretch was chosen."""


class Exporting(QObject):
    """Asks how and where, then has it written."""

    def __init__(self, session: Session, window: QWidget, toasts: Toasts, marking: Marking) -> None:
        super().__init__(window)
        self._session, self._window, self._toasts, self._marking = session, window, toasts, marking
        documents = QStandardPaths.StandardLocation.DocumentsLocation
        self._folder = Path(QStandardPaths.writableLocation(documents))
        self._going: list[Path] = []
        session.exported.connect(self._on_exported)
        session.failed.connect(self._on_failed)
        session.began.connect(self._on_began)

    def clip(self, shown: FrameKey | None) -> None:
        """Ask how, then write the chosen stretch of the recording, or what is around the frame shown."""
        recording = self._session.recording(shown)
        if shown is None or recording is None or recording.times is None:
            self._toasts.tell(self.tr("Choose a recording first: a clip is a stretch of one."))
            return
        times = recording.times
        at = float(times[shown[1]])
        first, last = self._marking.range_of(shown[0])
        if first is None or last is None:
            first, last = at - AROUND, at + AROUND
        indices = [index for index, time in enumerate(times) if first <= time <= last]
        if not indices:
            self._toasts.tell(self.tr("No frame lies in the chosen stretch."))
            return
        what = self.tr("{0}, {1} to {2}: {3} frames").format(
            Path(shown[0]).name,
            clock(float(times[indices[0]])),
            clock(float(times[indices[-1]])),
            len(indices),
        )
        options = self._ask(self.tr("Export clip"), what)
        if options is None:
            return
        overlay, crop = options
        if path := self._ask_file("clip.mp4" if crop else f"{Path(shown[0]).stem}-clip.mp4"):
            keys = [(shown[0], index) for index in indices]
            self._write(Export(keys, path, overlay=overlay, crop=crop))

    def key_images(self) -> None:
        """Ask how, then write the reader's key images into a folder."""
        said = self._session.reader.of
        keys = [key for key in self._session.keys if said(key).key_image]
        if not keys:
            self._toasts.tell(self.tr("No key image was chosen yet."))
            return
        options = self._ask(self.tr("Export key images"), self.tr("{0} key images").format(len(keys)))
        if options is None:
            return
        overlay, crop = options
        title, start = self.tr("Folder for key images"), str(self._folder)
        if name := QFileDialog.getExistingDirectory(self._window, title, start):
            self._folder = Path(name)
            self._write(Export(keys, self._folder, clip=False, overlay=overlay, crop=crop))

    def _ask(self, title: str, what: str) -> tuple[bool, bool] | None:
        """Whether with overlay, and whether cropped; None to leave it."""
        dialog = ClipOptions(title, what, self._window)
        chosen = dialog.exec()
        dialog.deleteLater()
        return (dialog.overlay, dialog.crop) if chosen else None

    def _ask_file(self, proposal: str) -> Path | None:
        """Where a clip goes to, with the ending of its kind; None to leave it."""
        title, kinds = self.tr("Export clip"), self.tr("Video (*.mp4)")
        name, _ = QFileDialog.getSaveFileName(self._window, title, str(self._folder / proposal), kinds)
        if not name:
            return None
        path = Path(name if name.lower().endswith(".mp4") else f"{name}.mp4")
        if path != Path(name) and path.exists():
            # The system asks before a file is written over, but it did not know this name.
            text = self.tr("{0} is there already: choose another name, or this file itself to write over it.")
            self._toasts.warn(text.format(path.name))
            return None
        self._folder = path.parent
        return path

    def _write(self, wanted: Export) -> None:
        self._going.append(wanted.path)
        self._toasts.tell(self.tr("Writing {0}…").format(wanted.path.name))
        self._session.export(wanted)

    def _on_exported(self, saved: Saved) -> None:
        if saved.path in self._going:
            self._going.remove(saved.path)
        if saved.lost:
            text = self.tr("{0}: {1} frames are damaged or cannot be opened, and are not in it.")
            self._toasts.warn(text.format(saved.path.name, saved.lost))
        if saved.hidden:
            text = self.tr("{0}: in {1} frames no field of view is seen; they are black or left out.")
            self._toasts.warn(text.format(saved.path.name, saved.hidden))

    def _on_failed(self, line: str) -> None:
        self._going = [path for path in self._going if not line.startswith(NOT_WRITTEN.format(path.name, ""))]

    def _on_began(self) -> None:
        """What was still being written when the case went is not there: say so, when the rest is told."""
        told = [NOT_WRITTEN.format(path.name, self.tr("its case was closed")) for path in self._going]
        self._going.clear()
        if told:
            QTimer.singleShot(0, self, lambda: self._toasts.warn("; ".join(told)))
