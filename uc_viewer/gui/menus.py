"""The menus and the tool bar of the window, filled from the table of actions."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QMenuBar, QToolBar, QWidget

from uc_viewer.gui.actions import Actions, Do, Menu

_BAR = (
    (Do.OPEN_FILES, Do.OPEN_FOLDER, Do.SAMPLE),
    (Do.UNDO, Do.REDO),
    (Do.GRID, Do.HEATMAP, Do.FIT, Do.ONE_TO_ONE),
    (Do.PREVIEW, Do.PRINT, Do.SAVE),
)


def fill_menus(bar: QMenuBar, actions: Actions) -> SevereMenu:
    """Put every action into its menu, and give the menu of the chosen grade."""
    severe = SevereMenu(bar)
    for menu in Menu:
        shown = bar.addMenu(menu.title)
        for action in actions.of_menu(menu):
            if action is None:
                shown.addSeparator()
            else:
                shown.addAction(action)
        if menu is Menu.GO:
            shown.addSeparator()
            shown.addMenu(severe)
    return severe


class SevereMenu(QMenu):
    """From which grade on "next of the chosen grade or worse" stops."""

    chosen = Signal(int)
    """A grade from 1 to 3."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Chosen grade"))
        for grade in (1, 2, 3):
            action = self.addAction(
                f"MES {grade}" if grade == 3 else self.tr("MES {0} or worse").format(grade)
            )
            action.setCheckable(True)
            action.setChecked(grade == 2)
            action.triggered.connect(lambda _=False, grade=grade: self._choose(grade))

    def _choose(self, grade: int) -> None:
        for number, action in enumerate(self.actions(), start=1):
            action.setChecked(number == grade)
        self.chosen.emit(grade)


class ToolBar(QToolBar):
    """What is wanted most, as buttons."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("Actions"))
        self.setObjectName("actions")
        self.setMovable(False)
        self.toggleViewAction().setEnabled(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for group in _BAR:
            for do in group:
                self.addAction(actions[do])
            self.addSeparator()
        self.addAction(actions[Do.KEYS])
        self._shorten(actions)

    def _shorten(self, actions: Actions) -> None:
        short = {
            Do.OPEN_FILES: self.tr("Pictures…"),
            Do.OPEN_FOLDER: self.tr("Folder…"),
            Do.SAMPLE: self.tr("Sample"),
            Do.PREVIEW: self.tr("Preview…"),
            Do.PRINT: self.tr("Print…"),
            Do.SAVE: self.tr("Save…"),
            Do.KEYS: self.tr("Keys"),
        }
        for do, text in short.items():
            actions[do].setIconText(text)
        for do in (Do.UNDO, Do.REDO, Do.FIT, Do.ONE_TO_ONE):
            button = self.widgetForAction(actions[do])
            button.setProperty("toolButtonStyle", Qt.ToolButtonStyle.ToolButtonIconOnly)
