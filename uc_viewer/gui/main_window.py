"""The window: wires the session to the workbench, and the user's wishes to the session."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox

from uc_viewer import __version__
from uc_viewer.case import Case
from uc_viewer.gui.actions import GRADES, SEGMENTS, Actions, Do
from uc_viewer.gui.browsing import Browsing
from uc_viewer.gui.choosing import Choosing
from uc_viewer.gui.dialogs.fault import FaultDialog
from uc_viewer.gui.exporting import Exporting
from uc_viewer.gui.jobs import Model, Saved
from uc_viewer.gui.marking import Marking
from uc_viewer.gui.menus import ToolBar, fill_menus
from uc_viewer.gui.playing import Playing
from uc_viewer.gui.reporting import Reporting
from uc_viewer.gui.session import Session
from uc_viewer.gui.standing import Standing
from uc_viewer.gui.widgets.reader_panel import Keys
from uc_viewer.gui.workbench import Workbench
from uc_viewer.paths import intended_use, resource
from uc_viewer.settings import Settings
from uc_viewer.sources.recordings import RECORDINGS
from uc_viewer.sources.stills import EXTENSIONS


class MainWindow(QMainWindow):
    """Drop pictures, look, correct, save the report. ``keep`` is told settings that must be kept."""

    def __init__(
        self,
        session: Session,
        settings: Settings = Settings(),  # noqa: B008 - frozen
        keep: Callable[[Settings], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.session = session
        self.setAcceptDrops(True)
        self.setMinimumSize(940, 620)
        self.resize(1360, 860)
        self.bench = Workbench()
        self.setCentralWidget(self.bench)
        self.actions_ = Actions(self, settings.keys)
        self.browsing = Browsing(session, self.bench, self.actions_)
        self.marking = Marking(session, self.bench, self.actions_, self.browsing)
        self.exporting = Exporting(session, self, self.bench.toasts, self.marking)
        self.playing = Playing(session, self.bench, self.actions_, self.browsing, self.marking)
        self.reporting = Reporting(session, self, self.bench.toasts, settings.page)
        self.choosing = Choosing(session, self, self.bench.toasts, self.actions_, settings, self._keep)
        self._keep_settings = keep
        self.standing = Standing(session, self.bench, self.actions_)
        fill_menus(self.menuBar(), self.actions_).chosen.connect(self.browsing.set_severe)
        self._bar = ToolBar(self.actions_)
        self.addToolBar(self._bar)
        self._wire_actions()
        self._wire_session()
        self._wire_bench()
        self._restore(settings)
        self._on_began()

    # What others may ask for

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Add what lies under these paths to the case; the sample case gives way to a new one."""
        if not paths or (self.session.reader.case.synthetic and not self._new_case(Case())):
            return
        self.session.add(paths)
        self.standing.refresh()

    def open_sample(self) -> None:
        """Begin a case with the bundled synthetic pictures."""
        if self._new_case(Case(synthetic=True)):
            self.session.add([resource("sample")])
            self.standing.refresh()

    def show_fault(self, error: BaseException) -> None:
        """Tell that the program is at fault."""
        dialog = FaultDialog(error, self)
        dialog.exec()
        dialog.deleteLater()

    # Wiring

    def _wire_actions(self) -> None:
        on = {
            Do.NEW: lambda: self._new_case(Case()),
            Do.OPEN_FILES: self._ask_files,
            Do.OPEN_FOLDER: self._ask_folder,
            Do.SAMPLE: self.open_sample,
            Do.PREVIEW: self.reporting.preview,
            Do.PRINT: self.reporting.print,
            Do.SAVE: self.reporting.ask_save,
            Do.OVERLAYS: lambda: self.reporting.ask_overlays(self.browsing.chosen),
            Do.CLIP: lambda: self.exporting.clip(self.browsing.shown),
            Do.KEY_FRAMES: self.exporting.key_images,
            Do.PREFERENCES: self.choosing.preferences,
            Do.QUIT: self.close,
            Do.UNDO: self.session.reader.edits.undo,
            Do.REDO: self.session.reader.edits.redo,
            Do.CANCEL: self._escape,
            Do.SCORE_REST: self.session.score_rest,
            Do.MODEL: self.choosing.model,
            Do.MODEL_CARD: self.choosing.card,
            Do.KEYS: self.choosing.keys,
            Do.ABOUT: self._about,
        }
        for do, does in on.items():
            self.actions_[do].triggered.connect(lambda _=False, does=does: does())
        self.actions_[Do.PAUSE].triggered.connect(self.session.pause)
        self.actions_[Do.GRID].toggled.connect(self.bench.show_grid)
        self.actions_[Do.FULL_SCREEN].toggled.connect(self._show_full)

    def _wire_session(self) -> None:
        session, reader, toasts = self.session, self.session.reader, self.bench.toasts
        session.began.connect(self._on_began)
        session.listed.connect(lambda _: self.standing.refresh_soon())
        session.already_there.connect(self._on_already_there)
        session.loading.connect(self.bench.status.show_loading)
        session.loaded.connect(self._on_loaded)
        session.restarted.connect(self.standing.refresh)
        session.scored.connect(lambda _: self.standing.refresh_soon())
        session.duplicate_found.connect(lambda _: self.standing.refresh_soon())
        session.paused_changed.connect(lambda _: self.standing.refresh())
        session.ended.connect(self._on_ended)
        session.saved.connect(self._on_saved)
        session.exported.connect(self._on_exported)
        session.failed.connect(self._on_failed)
        session.broke.connect(self.show_fault)
        reader.readings_changed.connect(lambda _: self.standing.refresh_soon())
        reader.case_changed.connect(lambda _: self._show_case())
        reader.comment_changed.connect(lambda _: self._show_case())
        reader.edits.indexChanged.connect(self._refresh_edits)
        reader.edits.cleanChanged.connect(self._refresh_edits)
        toasts.raise_()

    def _wire_bench(self) -> None:
        bench, reader, session = self.bench, self.session.reader, self.session
        bench.welcome.files_wanted.connect(self._ask_files)
        bench.welcome.folder_wanted.connect(self._ask_folder)
        bench.welcome.sample_wanted.connect(self.open_sample)
        bench.status.pause_wanted.connect(session.pause)
        bench.status.cancel_wanted.connect(session.cancel)
        bench.status.rest_wanted.connect(session.score_rest)
        bench.status.model_wanted.connect(self.choosing.model)
        bench.case_form.case_edited.connect(lambda case: reader.describe(case, self.tr("case details")))
        bench.case_form.comment_edited.connect(
            lambda text: reader.comment_on_all(text, self.tr("overall comment"))
        )
        bench.case_form.definition_chosen.connect(reader.choose_definition)
        bench.grid.opened.connect(lambda _: self.actions_[Do.GRID].setChecked(False))
        bench.strip.opened.connect(lambda _: self.actions_[Do.GRID].setChecked(False))
        bench.heat.opacity_changed.connect(lambda percent: self.choosing.change(heat_opacity=percent))
        bench.summary.segment_chosen.connect(self.browsing.show_segment)

    # What was asked for

    def _ask_files(self) -> None:
        endings = sorted(EXTENSIONS | RECORDINGS | {".zip"})
        kinds = self.tr("Pictures, recordings, DICOM and zip archives ({0})").format(
            " ".join(f"*{ending}" for ending in endings)
        )
        every = self.tr("All files (*)")  # DICOM files often have no ending
        names, _ = QFileDialog.getOpenFileNames(
            self, self.tr("Open pictures or recordings"), "", f"{kinds};;{every}"
        )
        self.open_paths([Path(name) for name in names])

    def _ask_folder(self) -> None:
        if name := QFileDialog.getExistingDirectory(self, self.tr("Open a folder")):
            self.open_paths([Path(name)])

    def _new_case(self, case: Case) -> bool:
        """Begin another case unless the reader wants to keep this one; True if it was begun."""
        if not self._may_go():
            return False
        self.session.new_case(case)
        return True

    def _may_go(self) -> bool:
        """Ask before what the reader said is lost; True if it may go."""
        self.bench.scores.reader.commit()
        self.bench.case_form.commit()
        if not self.session.reader.unsaved:
            return True
        kinds = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self,
            self.tr("Your reading is in no report yet"),
            self.tr("What you graded, tagged and wrote is in no saved report. Go on without it?"),
            kinds.Discard | kinds.Cancel,
            kinds.Cancel,
        )
        return answer == kinds.Discard

    def _escape(self) -> None:
        """Leave full screen, else the grid, else cancel the run."""
        if self.actions_[Do.FULL_SCREEN].isChecked():
            self.actions_[Do.FULL_SCREEN].setChecked(False)
        elif self.actions_[Do.GRID].isChecked():
            self.actions_[Do.GRID].setChecked(False)
        elif self.session.running:
            self.session.cancel()

    def _show_full(self, full: bool) -> None:
        self._bar.setVisible(not full)
        self.showFullScreen() if full else self.showNormal()

    def _about(self) -> None:
        QMessageBox.about(
            self, self.tr("About UC Viewer"), f"<p><b>UC Viewer {__version__}</b></p><p>{intended_use()}</p>"
        )

    # What the session tells

    def _on_began(self) -> None:
        self.browsing.clear()
        self.bench.show_synthetic(self.session.reader.case.synthetic)
        self.bench.status.show_saved("")
        self._show_case()
        self._refresh_edits()
        self.standing.refresh()

    def _on_already_there(self, count: int) -> None:
        self.bench.toasts.tell(
            self.tr("1 picture is in this case already.")
            if count == 1
            else self.tr("{0} pictures are in this case already.").format(count)
        )

    def _on_loaded(self, model: Model) -> None:
        self.bench.status.show_model(model.name, str(model.device), model.device_reason)
        self.standing.refresh()

    def _on_ended(self, complete: bool) -> None:
        self.standing.refresh()
        if not self.session.keys:
            self.bench.toasts.warn(
                self.tr(
                    "No pictures were found there. Drop pictures (jpg, png, bmp, tif, webp), recordings "
                    "(mp4, mov, avi, mkv, mpg, ts), DICOM files, folders or zip."
                )
            )
        elif not complete:
            done, of = self.session.done, len(self.session.keys)
            self.bench.toasts.warn(
                self.tr("INCOMPLETE: stopped after {0} of {1} pictures.").format(done, of),
                self.tr("Score the rest"),
                self.session.score_rest,
            )

    def _on_saved(self, path: Path) -> None:
        now = datetime.now().astimezone().strftime("%H:%M")
        self.bench.status.show_saved(self.tr("Report saved {0}").format(now))
        self.bench.toasts.tell(self.tr("Report saved: {0}").format(path.name))
        self._refresh_edits()

    def _on_exported(self, saved: Saved) -> None:
        text = self.tr("{0}: {1} pictures written")
        self.bench.toasts.tell(text.format(saved.path.name, saved.pictures))

    def _on_failed(self, line: str) -> None:
        if self.session.model is None:
            self.bench.status.show_model("", "", "")
        self.bench.toasts.warn(line)
        self.standing.refresh()

    # What is shown

    def _show_case(self) -> None:
        reader = self.session.reader
        self.bench.case_form.show_case(reader.case, reader.comment, reader.definition)

    def _refresh_edits(self, _: object = None) -> None:
        edits = self.session.reader.edits
        for do, can, name, text in (
            (Do.UNDO, edits.canUndo(), edits.undoText(), self.tr("Undo {0}")),
            (Do.REDO, edits.canRedo(), edits.redoText(), self.tr("Redo {0}")),
        ):
            action = self.actions_[do]
            action.setEnabled(can)
            action.setText(text.format(name).strip())
        mark = "*" if self.session.reader.unsaved else ""
        self.setWindowTitle(self.tr("UC Viewer{0}, research use only").format(mark))

    def _keep(self, settings: Settings) -> None:
        self.reporting.page = settings.page
        self._name_keys()
        self._keep_settings(settings)

    def _name_keys(self) -> None:
        """Name the keys as they are now in the panel's tooltips."""
        key = self.actions_.key_of
        zero, one, two, three = (key(do) for do in GRADES)
        c, a, t, d, s, r = (key(do) for do in SEGMENTS)
        self.bench.scores.reader.set_keys(
            Keys(
                (zero, one, two, three), key(Do.CLEAR), (c, a, t, d, s, r), key(Do.REJECT), key(Do.KEY_IMAGE)
            )
        )

    def _restore(self, settings: Settings) -> None:
        self._name_keys()
        self.bench.heat.set_opacity(settings.heat_opacity)
        self.bench.image.set_heat_opacity(settings.heat_opacity / 100)
        if settings.geometry:
            self.restoreGeometry(_bytes(settings.geometry))
        if settings.layout:
            self.bench.columns.restoreState(_bytes(settings.layout))

    # Qt's own calls

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "actions_"):
            self.actions_.refresh_icons()
            self.bench.status.refresh_icons()
            self.bench.timeline.refresh_icons()
            self.bench.transport.refresh_icons()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not any(url.isLocalFile() for url in event.mimeData().urls()):
            return
        event.acceptProposedAction()
        there = bool(self.session.keys) and not self.session.reader.case.synthetic
        text = self.tr("Drop to add to this case") if there else self.tr("Drop to score as a new case")
        hint = self.tr("Scored after the pictures before them") if self.session.running else ""
        self.bench.outline.show_text(text, hint)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.bench.outline.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.bench.outline.hide()
        event.acceptProposedAction()
        self.open_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_go():
            event.ignore()
            return
        self.choosing.change(
            geometry=base64.b64encode(self.saveGeometry().data()).decode(),
            layout=base64.b64encode(self.bench.columns.saveState().data()).decode(),
        )
        self.hide()
        self.standing.stop()
        self.session.close()
        # An undo stack that goes tells its end to a window that is going as well.
        self.session.reader.edits.blockSignals(True)
        super().closeEvent(event)


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(QByteArray(text.encode()))
