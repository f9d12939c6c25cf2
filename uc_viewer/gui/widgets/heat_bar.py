"""The row under the picture that asks for a heatmap: on or off, of what, how, how opaque."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

METHODS = ("Grad-CAM", "Grad-CAM++", "LayerCAM")
"""How a heatmap can be made, by the names the engine gives them."""


class _Switch(QToolButton):
    """A button that stays down; in a dark palette its shade alone would not tell."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked() and self.isEnabled():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.palette().accent().color(), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)


class _Picker(QComboBox):
    """A combo box that gives way: its text is cut with "…" where there is little room."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.currentTextChanged.connect(self.setToolTip)

    def minimumSizeHint(self) -> QSize:
        room = super().minimumSizeHint()
        return QSize(min(room.width(), self.fontMetrics().averageCharWidth() * 7 + 30), room.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        style = self.style()
        field = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, field.width() - 4
        )
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class _Shortened(QLabel):
    """A line that gives way: cut with "…" where there is little room, whole as a tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        metrics = self.fontMetrics()
        if self.width() < metrics.averageCharWidth() * 6:
            return
        painter = QPainter(self)
        painter.setPen(self.palette().placeholderText().color())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, shown)


class HeatBar(QWidget):
    """Off from the start. Says which heatmap is wanted; shows how strong the one that came is.

    It keeps what was chosen from picture to picture; for a picture that has none it is not available.
    """

    shown_changed = Signal(bool)
    """A heatmap is wanted, or no longer."""
    asked = Signal(str, str)
    """A heatmap of this target ("grade" or "active") by this method is wanted now."""
    opacity_changed = Signal(int)
    """How opaque, in per cent."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caveat = self.tr("Shows where the model found evidence; no outline of disease, no proof.")
        self._busy = False
        self._peak: float | None = None
        self._button = _Switch()
        self._button.setText(self.tr("Heatmap"))
        self._button.setCheckable(True)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setMinimumWidth(40)
        self._opacity.setMaximumWidth(160)
        self._opacity.setAccessibleName(self.tr("Opacity of the heatmap"))
        # The names of the methods differ at their ends, so that picker never gives way.
        self._target, self._method = _Picker(), QComboBox()
        self._target.addItem(self.tr("Predicted grade"), "grade")
        self._target.addItem(self.tr("Active (MES 2–3)"), "active")
        self._target.setAccessibleName(self.tr("Answer to be explained"))
        self._method.addItems(METHODS)
        self._method.setAccessibleName(self.tr("Method"))
        self._result, self._note = QLabel(), _Shortened()
        self._result.setToolTip(
            self.tr("Largest value of the map before it was scaled; near zero means there is no evidence.")
        )
        self._lay_out()
        self._listen()
        self.set_opacity(60)
        self.set_available(True, "")

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        self._method.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        for part in (self._button, self._opacity, self._target, self._method):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(part)
        row.addWidget(self._result)
        row.addWidget(self._note, 1)

    def _listen(self) -> None:
        self._button.toggled.connect(self._toggle)
        self._opacity.valueChanged.connect(self._take_opacity)
        for picker in (self._target, self._method):
            picker.currentIndexChanged.connect(self._ask)

    # What is chosen

    @property
    def shown(self) -> bool:
        """True while a heatmap is wanted."""
        return self._button.isChecked()

    @property
    def target(self) -> str:
        """The answer to be explained, "grade" or "active"."""
        return str(self._target.currentData())

    @property
    def method(self) -> str:
        """One of `METHODS`."""
        return self._method.currentText()

    @property
    def opacity(self) -> int:
        """How opaque, in per cent."""
        return self._opacity.value()

    def set_shown(self, shown: bool) -> None:
        """Want a heatmap or not, as if the button were clicked; the signals follow.

        The wish is kept for a picture that has no heatmap, and none is asked for.
        """
        self._button.setChecked(shown)

    def set_opacity(self, percent: int) -> None:
        """Put the slider there without a signal."""
        with QSignalBlocker(self):
            self._opacity.setValue(percent)
        self._opacity.setToolTip(self.tr("Opacity {0} %").format(self.opacity))

    # What came

    def show_peak(self, peak: float | None) -> None:
        """The largest raw value of the heatmap that is shown, or None while there is none."""
        self._peak = peak
        self._refresh()

    def set_busy(self, busy: bool) -> None:
        """Say that a heatmap is being computed."""
        self._busy = busy
        self._refresh()

    def set_available(self, available: bool, why: str) -> None:
        """Whether the present picture can have a heatmap, and if not, why."""
        self._button.setEnabled(available)
        note = self._caveat if available else why
        self._note.setText(note)
        self._note.setToolTip(note)
        self._button.setToolTip(note)
        self._refresh()

    # State

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._refresh()

    def _toggle(self, shown: bool) -> None:
        self._refresh()
        self.shown_changed.emit(shown)
        self._ask()

    def _ask(self) -> None:
        if self.shown and self._button.isEnabled():
            self.asked.emit(self.target, self.method)

    def _take_opacity(self, percent: int) -> None:
        self._opacity.setToolTip(self.tr("Opacity {0} %").format(percent))
        self.opacity_changed.emit(percent)

    def _refresh(self) -> None:
        used = self.shown and self._button.isEnabled()
        for part in (self._opacity, self._target, self._method, self._result):
            part.setVisible(used)
        row = self.layout()
        assert row is not None
        # Where there is little room the least needed goes first.
        self._show_result(self.tr("raw peak {0}"))
        if used and row.sizeHint().width() > self.width():
            self._show_result(self.tr("peak {0}"))
        for part in (self._opacity, self._result):
            part.setVisible(used and row.minimumSize().width() <= self.width())

    def _show_result(self, pattern: str) -> None:
        text = ""
        if self._busy:
            text = self.tr("computing…")
        elif self._peak is not None:
            number = f"{self._peak:.2f}" if self._peak >= 0.005 or self._peak == 0 else "< 0.01"
            text = pattern.format(number)
        self._result.setText(text)
        # The caveat must not jump whenever a number comes or goes.
        advance = self.fontMetrics().horizontalAdvance
        self._result.setMinimumWidth(max(advance(text), advance(pattern.format("00.00"))))
