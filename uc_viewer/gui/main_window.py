"""The window: wires the session to the widgets, and the user's wishes to the session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from uc_viewer.case import Case, FrameResult, Unreadable
from uc_viewer.gui import theme
from uc_viewer.gui.session import Model, Picture, Session
from uc_viewer.gui.widgets.drop_outline import DropOutline
from uc_viewer.gui.widgets.frame_table import FrameTable
from uc_viewer.gui.widgets.picture import Picture as PictureView
from uc_viewer.gui.widgets.score_panel import ScorePanel
from uc_viewer.gui.widgets.welcome import Welcome
from uc_viewer.paths import intended_use, resource
from uc_viewer.report.wording import duration


class MainWindow(QMainWindow):
    """Drop pictures, watch the table grow, look at each, save the report."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._chosen: FrameResult | Unreadable | None = None
        self.setWindowTitle(self.tr("UC Viewer, research use only"))
        self.setAcceptDrops(True)
        self.resize(1240, 780)
        self._build()
        self._outline = DropOutline(self._stack)
        session.began.connect(self._on_began)
        session.opened.connect(self._on_opened)
        session.loaded.connect(self._on_loaded)
        session.scored.connect(self._on_scored)
        session.ended.connect(self._on_ended)
        session.picture_opened.connect(self._on_picture)
        session.saved.connect(lambda path: self._tell(self.tr("Report saved: {0}").format(path.name)))
        session.failed.connect(self._on_failed)
        self._table.chosen.connect(self._on_chosen)
        self._refresh()

    def _build(self) -> None:
        self._banner = QLabel(intended_use())
        self._banner.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._banner.setWordWrap(True)
        fill, ink = theme.BANNER
        self._banner.setStyleSheet(f"background: {fill}; color: {ink}; padding: 5px; font-weight: 600;")
        self._synthetic = QLabel(self.tr("SYNTHETIC SAMPLE: pictures drawn by a program, not a patient"))
        self._synthetic.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._synthetic.setStyleSheet("padding: 3px; font-weight: 600;")
        self._notice = QLabel()
        self._notice.setWordWrap(True)
        self._notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._notice.setContentsMargins(12, 6, 12, 6)
        welcome = Welcome()
        welcome.files_wanted.connect(self._ask_files)
        welcome.folder_wanted.connect(self._ask_folder)
        welcome.sample_wanted.connect(self.open_sample)
        self._stack = QStackedWidget()
        self._stack.addWidget(welcome)
        self._stack.addWidget(self._build_case())
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for part in (self._banner, self._synthetic, self._notice):
            rows.addWidget(part)
        rows.addWidget(self._stack, 1)
        self.setCentralWidget(whole)
        self._build_actions()
        self._build_status()

    def _build_case(self) -> QWidget:
        self._table, self._picture, self._scores = FrameTable(), PictureView(), ScorePanel()
        right = QWidget()
        rows = QVBoxLayout(right)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._picture, 1)
        rows.addWidget(self._scores)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(self._table)
        split.addWidget(right)
        split.setSizes([690, 550])
        return split

    def _build_actions(self) -> None:
        bar = QToolBar(self.tr("Actions"))
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addToolBar(bar)
        keys = QKeySequence.StandardKey
        self._open_files = self._action(bar, self.tr("Open pictures…"), keys.Open, self._ask_files)
        self._open_folder = self._action(bar, self.tr("Open a folder…"), "Ctrl+Shift+O", self._ask_folder)
        self._sample = self._action(bar, self.tr("Sample case"), "", self.open_sample)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        self._save = self._action(bar, self.tr("Save report…"), "Ctrl+E", self._ask_report)

    def _action(self, bar: QToolBar, text: str, key: QKeySequence.StandardKey | str, does: object) -> QAction:
        action = QAction(text, self)
        action.setIconText(text)  # otherwise a tool button drops the "…" that promises a question
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(does)
        bar.addAction(action)
        return action

    def _build_status(self) -> None:
        self._model = QLabel()
        self._progress = QProgressBar()
        self._progress.setFixedWidth(200)
        self._progress.setTextVisible(False)
        self._pace = QLabel()
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.setShortcut(QKeySequence(Qt.Key.Key_Escape))
        self._cancel.clicked.connect(self._session.cancel)
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.setContentsMargins(8, 3, 8, 3)
        bar.addWidget(self._model, 1)
        for part in (self._pace, self._progress, self._cancel):
            bar.addPermanentWidget(part)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Score what lies under these paths, unless a run is going on."""
        if self._session.running:
            self._tell(self.tr("A run is going on. Wait for it, or cancel it, then drop again."))
        elif paths:
            self._session.open(paths)

    def open_sample(self) -> None:
        """Score the bundled synthetic sample case."""
        if not self._session.running:
            self._session.open([resource("sample")], Case(synthetic=True))

    def _ask_files(self) -> None:
        pattern = "*.jpg *.jpeg *.png *.bmp *.tif *.tiff *.webp *.zip"
        kinds = self.tr("Pictures and zip archives ({0})").format(pattern)
        names, _ = QFileDialog.getOpenFileNames(self, self.tr("Open pictures"), "", kinds)
        self.open_paths([Path(name) for name in names])

    def _ask_folder(self) -> None:
        if name := QFileDialog.getExistingDirectory(self, self.tr("Open a folder")):
            self.open_paths([Path(name)])

    def _ask_report(self) -> None:
        kinds = self.tr("PDF files (*.pdf)")
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save report"), "report.pdf", kinds)
        if name:
            self._session.save_report(Path(name))

    def _on_began(self) -> None:
        self._table.clear()
        self._scores.clear()
        self._chosen = None
        self._picture.show_text(self.tr("Looking for pictures…"))
        self._model.setText("")
        self._tell("")
        self._progress.setRange(0, 0)
        self._refresh()

    def _on_opened(self, expected: int) -> None:
        if expected == 0:
            self._tell(
                self.tr(
                    "No pictures were found there. Drop pictures (jpg, png, bmp, tif, webp), folders or zip."
                )
            )
            self._picture.show_text("")
            return
        self._picture.show_text(self.tr("Loading the model…"))
        self._refresh()

    def _on_loaded(self, model: Model) -> None:
        where = self.tr("{0} on {1} ({2})").format(model.name, model.device, model.device_reason)
        self._model.setText(self.tr("Model {0}").format(where))
        self._picture.show_text(self.tr("Scoring…"))
        self._progress.setRange(0, self._session.expected)

    def _on_scored(self, item: FrameResult | Unreadable) -> None:
        self._table.append(item)
        self._refresh()

    def _on_ended(self, complete: bool) -> None:
        if not complete:
            done, of = len(self._session.items), self._session.expected
            self._tell(self.tr("INCOMPLETE: stopped after {0} of {1} pictures.").format(done, of))
        self._refresh()

    def _on_failed(self, line: str) -> None:
        self._tell(line)
        if self._chosen is None:
            self._picture.show_text("")
        self._refresh()

    def _on_chosen(self, item: FrameResult | Unreadable) -> None:
        self._chosen = item
        if isinstance(item, FrameResult):
            self._scores.show_scores(item.source_file, item.scores)
            # Never the last picture beside the scores of this one, however short the wait.
            self._picture.show_text(self.tr("Opening…"))
            self._session.look_at(item)
        else:
            self._scores.show_unreadable(item.source_file, item.reason)
            self._picture.show_text(self.tr("No picture"))

    def _on_picture(self, picture: Picture) -> None:
        if self._chosen is None or picture.source_file != self._chosen.source_file:
            return
        if picture.image is None:
            self._picture.show_text(picture.reason)
        else:
            self._picture.show_image(picture.image, picture.source_file)

    def _tell(self, line: str) -> None:
        """Show one line under the banner; an empty one hides it."""
        self._notice.setText(line)
        self._notice.setVisible(bool(line))

    def _refresh(self) -> None:
        """Bring buttons, progress and first screen in line with the session."""
        session, running = self._session, self._session.running
        done = len(session.items)
        self._stack.setCurrentIndex(1 if running or done else 0)
        self._synthetic.setVisible(session.case.synthetic)
        for action in (self._open_files, self._open_folder, self._sample):
            action.setEnabled(not running)
        self._save.setEnabled(done > 0 and not running)
        self._cancel.setVisible(running)
        self._progress.setVisible(running)
        self._progress.setValue(done)
        left = session.remaining_seconds()
        if running:
            pace = self.tr("{0} of {1}").format(done, session.expected) if session.expected else ""
            self._pace.setText(
                pace if left is None else self.tr("{0}, {1} left").format(pace, duration(left))
            )
        else:
            self._pace.setText(self._counts() if done else "")

    def _counts(self) -> str:
        items = self._session.items
        scored = sum(isinstance(item, FrameResult) and item.scores.scored for item in items)
        unreadable = sum(isinstance(item, Unreadable) for item in items)
        rejected = len(items) - scored - unreadable
        return self.tr("{0} scored, {1} not scored, {2} could not be opened").format(
            scored, rejected, unreadable
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not any(url.isLocalFile() for url in event.mimeData().urls()):
            return
        event.acceptProposedAction()
        if self._session.running:
            self._outline.show_text(self.tr("A run is going on: cancel it first"))
        else:
            self._outline.show_text(self.tr("Drop to score as a new case"))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._outline.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._outline.hide()
        event.acceptProposedAction()
        self.open_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def closeEvent(self, event: QCloseEvent) -> None:
        self.hide()
        self._session.close()
        super().closeEvent(event)
