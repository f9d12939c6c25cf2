"""All that the user can do, in one table: it feeds menus, tooltips, cheat sheet and the choice of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from uc_viewer.case import Segment
from uc_viewer.grades import MES
from uc_viewer.gui import theme

if TYPE_CHECKING:

    def QT_TRANSLATE_NOOP(context: str, text: str) -> str:
        """Mark a text for translation and give it back; PySide's own says only that it gives an object."""
else:
    from PySide6.QtCore import QT_TRANSLATE_NOOP

_CONTEXT = "Actions"


class Menu(Enum):
    """The menus, in order; the value is the title."""

    FILE = QT_TRANSLATE_NOOP("Actions", "&File")
    READ = QT_TRANSLATE_NOOP("Actions", "&Read")
    GO = QT_TRANSLATE_NOOP("Actions", "&Go")
    VIEW = QT_TRANSLATE_NOOP("Actions", "&View")
    RUN = QT_TRANSLATE_NOOP("Actions", "R&un")
    HELP = QT_TRANSLATE_NOOP("Actions", "&Help")

    @property
    def title(self) -> str:
        """In the user's language."""
        return QCoreApplication.translate(_CONTEXT, self.value)


class Do(Enum):
    """One thing to do; the value is its name in the settings file."""

    NEW = "new-case"
    OPEN_FILES = "open-files"
    OPEN_FOLDER = "open-folder"
    SAMPLE = "sample-case"
    PREVIEW = "preview-report"
    PRINT = "print-report"
    SAVE = "save-report"
    OVERLAYS = "export-overlays"
    CLIP = "export-clip"
    KEY_FRAMES = "export-key-images"
    PREFERENCES = "preferences"
    QUIT = "quit"
    UNDO = "undo"
    REDO = "redo"
    GRADE_0 = "grade-0"
    GRADE_1 = "grade-1"
    GRADE_2 = "grade-2"
    GRADE_3 = "grade-3"
    CLEAR = "clear-grade"
    REJECT = "reject-frame"
    KEY_IMAGE = "key-image"
    CAECUM = "segment-caecum"
    ASCENDING = "segment-ascending"
    TRANSVERSE = "segment-transverse"
    DESCENDING = "segment-descending"
    SIGMOID = "segment-sigmoid"
    RECTUM = "segment-rectum"
    NO_SEGMENT = "segment-none"
    COMMENT = "comment-frame"
    MARK_IN = "mark-in"
    MARK_OUT = "mark-out"
    SELECT_ALL = "select-all"
    PREVIOUS = "previous-frame"
    NEXT = "next-frame"
    BACK_TEN = "ten-back"
    ON_TEN = "ten-on"
    FIRST = "first-frame"
    LAST = "last-frame"
    PREVIOUS_FLAGGED = "previous-flagged"
    NEXT_FLAGGED = "next-flagged"
    PREVIOUS_SEVERE = "previous-severe"
    NEXT_SEVERE = "next-severe"
    WORST = "worst-frame"
    PLAY = "play"
    PLAY_BACK = "play-back"
    HOLD = "hold"
    BACK_SECOND = "second-back"
    ON_SECOND = "second-on"
    PLAY_ON = "play-on"
    HEATMAP = "heatmap"
    OVERLAY = "overlay"
    GRID = "grid"
    FIT = "fit"
    ONE_TO_ONE = "one-to-one"
    ZOOM_IN = "zoom-in"
    ZOOM_OUT = "zoom-out"
    FULL_SCREEN = "full-screen"
    PAUSE = "pause-run"
    CANCEL = "cancel-run"
    SCORE_REST = "score-rest"
    MODEL = "choose-model"
    MODEL_CARD = "model-card"
    KEYS = "keys"
    ABOUT = "about"


GRADES: Mapping[Do, int] = {Do.GRADE_0: 0, Do.GRADE_1: 1, Do.GRADE_2: 2, Do.GRADE_3: 3}
"""The actions that give a reader grade."""

SEGMENTS: Mapping[Do, Segment] = {
    Do.CAECUM: Segment.CAECUM,
    Do.ASCENDING: Segment.ASCENDING,
    Do.TRANSVERSE: Segment.TRANSVERSE,
    Do.DESCENDING: Segment.DESCENDING,
    Do.SIGMOID: Segment.SIGMOID,
    Do.RECTUM: Segment.RECTUM,
}
"""The actions that tag a segment."""


@dataclass(frozen=True)
class Entry:
    """One line of the table: what it is called, where it stands, which keys it has from the start.

    ``keys``: portable key sequences, separated by a space. ``ends`` draws a line under it in its menu.
    """

    do: Do
    menu: Menu
    text: str
    keys: str = ""
    icon: str = ""
    checkable: bool = False
    ends: bool = False


def _grade(do: Do) -> Entry:
    grade = MES[GRADES[do]]
    return Entry(do, Menu.READ, f"MES {grade.value}, {grade.name}", str(grade.value))


TABLE: tuple[Entry, ...] = (
    Entry(Do.NEW, Menu.FILE, QT_TRANSLATE_NOOP("Actions", "New case"), "Ctrl+N", "plus-box-outline"),
    Entry(
        Do.OPEN_FILES,
        Menu.FILE,
        QT_TRANSLATE_NOOP("Actions", "Open pictures or recordings…"),
        "Ctrl+O",
        "image-plus-outline",
    ),
    Entry(
        Do.OPEN_FOLDER,
        Menu.FILE,
        QT_TRANSLATE_NOOP("Actions", "Open a folder…"),
        "Ctrl+Shift+O",
        "folder-open-outline",
    ),
    Entry(Do.SAMPLE, Menu.FILE, QT_TRANSLATE_NOOP("Actions", "Sample case"), "", "test-tube", ends=True),
    Entry(
        Do.PREVIEW,
        Menu.FILE,
        QT_TRANSLATE_NOOP("Actions", "Report preview…"),
        "Ctrl+Shift+P",
        "file-document-outline",
    ),
    Entry(Do.PRINT, Menu.FILE, QT_TRANSLATE_NOOP("Actions", "Print report…"), "Ctrl+P", "printer-outline"),
    Entry(
        Do.SAVE,
        Menu.FILE,
        QT_TRANSLATE_NOOP("Actions", "Save report…"),
        "Ctrl+E Ctrl+S",
        "content-save-outline",
    ),
    Entry(
        Do.OVERLAYS,
        Menu.FILE,
        QT_TRANSLATE_NOOP("Actions", "Export heatmap overlays…"),
        "Ctrl+Shift+E",
    ),
    Entry(Do.CLIP, Menu.FILE, QT_TRANSLATE_NOOP("Actions", "Export clip…"), "", "movie-outline"),
    Entry(Do.KEY_FRAMES, Menu.FILE, QT_TRANSLATE_NOOP("Actions", "Export key images…"), ends=True),
    Entry(
        Do.PREFERENCES,
        Menu.FILE,
        QT_TRANSLATE_NOOP("Actions", "Preferences…"),
        "Ctrl+,",
        "cog-outline",
        ends=True,
    ),
    Entry(Do.QUIT, Menu.FILE, QT_TRANSLATE_NOOP("Actions", "Quit"), "Ctrl+Q"),
    Entry(Do.UNDO, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Undo"), "Ctrl+Z", "undo"),
    Entry(Do.REDO, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Redo"), "Ctrl+Y Ctrl+Shift+Z", "redo", ends=True),
    *(_grade(do) for do in GRADES),
    Entry(Do.CLEAR, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Clear grade"), "Backspace", ends=True),
    Entry(Do.CAECUM, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Caecum"), "C"),
    Entry(Do.ASCENDING, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Ascending colon"), "A"),
    Entry(Do.TRANSVERSE, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Transverse colon"), "T"),
    Entry(Do.DESCENDING, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Descending colon"), "D"),
    Entry(Do.SIGMOID, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Sigmoid colon"), "S"),
    Entry(Do.RECTUM, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Rectum"), "R"),
    Entry(Do.NO_SEGMENT, Menu.READ, QT_TRANSLATE_NOOP("Actions", "No segment"), "Shift+Backspace", ends=True),
    Entry(Do.REJECT, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Reject frame"), "X"),
    Entry(Do.KEY_IMAGE, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Key image"), "M"),
    Entry(Do.COMMENT, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Comment on frame"), "Ctrl+Return", ends=True),
    Entry(Do.MARK_IN, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Range begins here"), "I"),
    Entry(Do.MARK_OUT, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Range ends here"), "O"),
    Entry(Do.SELECT_ALL, Menu.READ, QT_TRANSLATE_NOOP("Actions", "Select all shown"), "Ctrl+A"),
    Entry(Do.PREVIOUS, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Previous frame"), "Left"),
    Entry(Do.NEXT, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Next frame"), "Right"),
    Entry(Do.BACK_TEN, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Ten scored frames back"), "Shift+Left"),
    Entry(Do.ON_TEN, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Ten scored frames on"), "Shift+Right"),
    Entry(Do.BACK_SECOND, Menu.GO, QT_TRANSLATE_NOOP("Actions", "One second back"), "Ctrl+Left"),
    Entry(Do.ON_SECOND, Menu.GO, QT_TRANSLATE_NOOP("Actions", "One second on"), "Ctrl+Right"),
    Entry(Do.FIRST, Menu.GO, QT_TRANSLATE_NOOP("Actions", "First frame"), "Home"),
    Entry(Do.LAST, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Last frame"), "End", ends=True),
    Entry(Do.PREVIOUS_FLAGGED, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Previous frame to look at"), "PgUp ["),
    Entry(Do.NEXT_FLAGGED, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Next frame to look at"), "PgDown ]"),
    Entry(
        Do.PREVIOUS_SEVERE,
        Menu.GO,
        QT_TRANSLATE_NOOP("Actions", "Previous frame of the chosen grade or worse"),
        "P",
    ),
    Entry(
        Do.NEXT_SEVERE, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Next frame of the chosen grade or worse"), "N"
    ),
    Entry(Do.WORST, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Worst frame"), "W", ends=True),
    Entry(Do.PLAY, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Play, leaf through, or hold"), "Space"),
    Entry(Do.PLAY_BACK, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Play or leaf backwards, again: faster"), "J"),
    Entry(Do.HOLD, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Hold"), "K"),
    Entry(Do.PLAY_ON, Menu.GO, QT_TRANSLATE_NOOP("Actions", "Play or leaf on, again: faster"), "L"),
    Entry(Do.HEATMAP, Menu.VIEW, QT_TRANSLATE_NOOP("Actions", "Heatmap"), "H", "fire", checkable=True),
    Entry(
        Do.OVERLAY,
        Menu.VIEW,
        QT_TRANSLATE_NOOP("Actions", "Marks on the picture"),
        "Shift+O",
        "tag-outline",
        True,
    ),
    Entry(
        Do.GRID, Menu.VIEW, QT_TRANSLATE_NOOP("Actions", "Grid"), "G", "view-grid-outline", True, ends=True
    ),
    Entry(Do.FIT, Menu.VIEW, QT_TRANSLATE_NOOP("Actions", "Fit to window"), "Z", "fit-to-screen-outline"),
    Entry(
        Do.ONE_TO_ONE,
        Menu.VIEW,
        QT_TRANSLATE_NOOP("Actions", "Pixel by pixel"),
        "Shift+Z",
        "numeric-1-box-outline",
    ),
    Entry(Do.ZOOM_IN, Menu.VIEW, QT_TRANSLATE_NOOP("Actions", "Zoom in"), "+ ="),
    Entry(Do.ZOOM_OUT, Menu.VIEW, QT_TRANSLATE_NOOP("Actions", "Zoom out"), "-", ends=True),
    Entry(
        Do.FULL_SCREEN, Menu.VIEW, QT_TRANSLATE_NOOP("Actions", "Full screen"), "F F11", "fullscreen", True
    ),
    Entry(Do.PAUSE, Menu.RUN, QT_TRANSLATE_NOOP("Actions", "Pause"), "Ctrl+Space", "pause", checkable=True),
    Entry(Do.CANCEL, Menu.RUN, QT_TRANSLATE_NOOP("Actions", "Cancel"), "Esc", "close"),
    Entry(Do.SCORE_REST, Menu.RUN, QT_TRANSLATE_NOOP("Actions", "Score the rest"), "", "play", ends=True),
    Entry(Do.MODEL, Menu.RUN, QT_TRANSLATE_NOOP("Actions", "Model and device…"), "Ctrl+M", "brain"),
    Entry(Do.MODEL_CARD, Menu.RUN, QT_TRANSLATE_NOOP("Actions", "Model card…"), "", "card-text-outline"),
    Entry(Do.KEYS, Menu.HELP, QT_TRANSLATE_NOOP("Actions", "Keys…"), "? F1", "keyboard-outline"),
    Entry(Do.ABOUT, Menu.HELP, QT_TRANSLATE_NOOP("Actions", "About UC Viewer…")),
)


@dataclass(frozen=True)
class KeyRow:
    """One action for the cheat sheet: its name in the settings, menu, text, keys now and from the start."""

    name: str
    menu: str
    text: str
    keys: str
    default: str


class Actions(QObject):
    """The `QAction` of every `Do`, added to a window so that their keys work there.

    ``keys``: other keys than the table's, by the name of the action; an empty text takes them away.
    """

    def __init__(self, window: QWidget, keys: Mapping[str, str]) -> None:
        super().__init__(window)
        self._all: dict[Do, QAction] = {}
        for entry in TABLE:
            action = QAction(QCoreApplication.translate(_CONTEXT, entry.text), self)
            action.setIconText(
                action.text()
            )  # otherwise a tool button drops the "…" that promises a question
            action.setCheckable(entry.checkable)
            window.addAction(action)
            self._all[entry.do] = action
        self.set_keys(keys)
        self.refresh_icons()

    def __getitem__(self, do: Do) -> QAction:
        return self._all[do]

    def of_menu(self, menu: Menu) -> Iterator[QAction | None]:
        """The actions of a menu in order; None is a line between."""
        for entry in TABLE:
            if entry.menu is menu:
                yield self._all[entry.do]
                if entry.ends:
                    yield None

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Use these keys, and the table's where none are given."""
        self._keys = dict(keys)
        for entry in TABLE:
            texts = self._keys.get(entry.do.value, entry.keys).split()
            action = self._all[entry.do]
            action.setShortcuts([QKeySequence(text) for text in texts])
            shown = ", ".join(
                QKeySequence(text).toString(QKeySequence.SequenceFormat.NativeText) for text in texts
            )
            name = action.text().rstrip("…")
            action.setToolTip(f"{name} ({shown})" if shown else name)

    def key_of(self, do: Do) -> str:
        """The first key of an action as the user sees it, or an empty text."""
        return self._all[do].shortcut().toString(QKeySequence.SequenceFormat.NativeText)

    def rows(self) -> list[KeyRow]:
        """The table for the cheat sheet, with the keys as they are now."""
        return [
            KeyRow(
                entry.do.value,
                entry.menu.title.replace("&", ""),
                self._all[entry.do].text().rstrip("…"),
                self._keys.get(entry.do.value, entry.keys),
                entry.keys,
            )
            for entry in TABLE
        ]

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the present palette."""
        for entry in TABLE:
            if entry.icon:
                self._all[entry.do].setIcon(theme.icon(entry.icon))
