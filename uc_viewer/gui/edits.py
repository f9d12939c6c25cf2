"""One step of the reader that can be undone and done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtGui import QUndoCommand

Value = TypeVar("Value")


class Edit(QUndoCommand, Generic[Value]):
    """A value before and after, and the function that puts either in its place; pushing it does it."""

    def __init__(self, text: str, put: Callable[[Value], None], before: Value, after: Value) -> None:
        super().__init__(text)
        self._put, self._before, self._after = put, before, after

    def redo(self) -> None:
        """Put the new value."""
        self._put(self._after)

    def undo(self) -> None:
        """Put the old value back."""
        self._put(self._before)
