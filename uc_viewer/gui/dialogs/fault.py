"""A fault of the program: one calm window with details that can be copied and name no patient."""

from __future__ import annotations

import platform
import traceback
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from uc_viewer import __version__

_LIBRARIES = ("PySide6-Essentials", "torch", "numpy", "opencv-python-headless", "Pillow", "reportlab")
_MOST_LINES = 2000
"""A chain of faults is followed no further: it may be a ring."""


def details(error: BaseException) -> str:
    """What a maintainer needs: versions, the kind of the fault, the lines of code it went through.

    Neither a message nor any path of the computer enters: either may carry a name. Below the fault stand
    those it came from.
    """
    lines = [
        f"UC Viewer {__version__}",
        f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()}",
    ]
    for name in _LIBRARIES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} missing")
    told: BaseException | None = error
    while told is not None and len(lines) < _MOST_LINES:
        lines += ["", f"{type(told).__module__}.{type(told).__qualname__}"]
        # Modules, not files: where the program lies on a computer may name its owner.
        for frame, line in traceback.walk_tb(told.__traceback__):
            lines.append(f"  {frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_qualname}")
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    return "\n".join(lines)


class FaultDialog(QDialog):
    """Says that something went wrong inside the program, and that the case is still there."""

    def __init__(self, error: BaseException, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.resize(560, 400)
        said = QLabel(
            self.tr(
                "The program made a mistake. Your case is still open: save the report, then start again. "
                "The details below name no patient and no file; please send them to the maintainers."
            )
        )
        said.setWordWrap(True)
        self._text = QPlainTextEdit(details(error))
        self._text.setReadOnly(True)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        copy, close = QPushButton(self.tr("Copy details")), QPushButton(self.tr("Close"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text.toPlainText()))
        close.clicked.connect(self.accept)
        close.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(copy)
        buttons.addWidget(close)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(18, 18, 18, 14)
        rows.setSpacing(12)
        rows.addWidget(said)
        rows.addWidget(self._text, 1)
        rows.addLayout(buttons)
