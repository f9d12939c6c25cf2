"""Which frames the film shows, in what order, and how many they are."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from uc_viewer.case import Segment
from uc_viewer.grades import MES
from uc_viewer.gui.widgets.film_frames import Filter, Order, Show


class FilmBar(QWidget):
    """Two lists to choose from, and a line that counts."""

    filter_changed = Signal(object)
    """A `Filter` was chosen, perhaps the same again."""
    order_changed = Signal(object)
    """An `Order` was chosen, perhaps the same again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters, self._orders = QComboBox(), QComboBox()
        self._count = QLabel()
        self._count.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._fill_filters()
        for text, order in (
            (self.tr("As listed"), Order.LISTED),
            (self.tr("Highest MES first"), Order.HIGHEST_FIRST),
            (self.tr("Least certain first"), Order.LEAST_CERTAIN_FIRST),
        ):
            self._orders.addItem(text, order)
        self._prepare(self._filters, self.tr("Which frames are shown"))
        self._prepare(self._orders, self.tr("In what order"))
        self._filters.activated.connect(lambda: self.filter_changed.emit(self.filter))
        self._orders.activated.connect(lambda: self.order_changed.emit(self.order))
        lists = QHBoxLayout()
        lists.setSpacing(6)
        lists.addWidget(self._filters, 1)
        lists.addWidget(self._orders, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 6, 8, 6)
        rows.setSpacing(4)
        rows.addLayout(lists)
        rows.addWidget(self._count)
        self.show_count(0, 0)

    @property
    def filter(self) -> Filter:
        """The filter that is chosen."""
        chosen = self._filters.currentData()
        assert isinstance(chosen, Filter)
        return chosen

    @property
    def order(self) -> Order:
        """The order that is chosen."""
        chosen = self._orders.currentData()
        assert isinstance(chosen, Order)
        return chosen

    def show_filter(self, chosen: Filter) -> None:
        """Show a filter as chosen. Raises ValueError for one that is not in the list."""
        _choose(self._filters, chosen)

    def show_order(self, chosen: Order) -> None:
        """Show an order as chosen."""
        _choose(self._orders, chosen)

    def show_count(self, shown: int, of_all: int) -> None:
        """Say how many frames are shown, of how many."""
        self._count.setText(self.tr("{0} of {1} shown").format(f"{shown:,}", f"{of_all:,}"))

    def set_ai_shown(self, shown: bool) -> None:
        """Offer what depends on the model's answers, or keep it from being chosen."""
        for box in (self._filters, self._orders):
            choices = box.model()
            assert isinstance(choices, QStandardItemModel)
            for row in range(box.count()):
                if _needs_ai(box.itemData(row)):
                    choices.item(row).setEnabled(shown)

    def _fill_filters(self) -> None:
        add = self._filters.addItem
        add(self.tr("All frames"), Filter())
        add(self.tr("Not yet read"), Filter(Show.UNREAD))
        add(self.tr("Overridden"), Filter(Show.OVERRIDDEN))
        add(self.tr("Key images"), Filter(Show.KEY_IMAGES))
        add(self.tr("Not scored"), Filter(Show.NOT_SCORED))
        add(self.tr("Rejected by reader"), Filter(Show.REJECTED))
        self._filters.insertSeparator(self._filters.count())
        for grade in MES:
            add(
                self.tr("MES {0}, {1}").format(grade.value, grade.name), Filter(Show.GRADE, grade=grade.value)
            )
        self._filters.insertSeparator(self._filters.count())
        for segment in Segment:
            add(segment.value.capitalize(), Filter(Show.SEGMENT, segment=segment))
        add(self.tr("No segment"), Filter(Show.UNTAGGED))

    def _prepare(self, box: QComboBox, name: str) -> None:
        """Let a list be narrower than its longest text, and its drop-down as wide as that."""
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(6)
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        box.setMaxVisibleItems(box.count())
        box.view().setMinimumWidth(box.view().sizeHintForColumn(0) + 24)
        box.setAccessibleName(name)
        box.setToolTip(name)


def _needs_ai(choice: object) -> bool:
    if isinstance(choice, Filter):
        return choice.show in (Show.OVERRIDDEN, Show.NOT_SCORED)
    return choice is Order.LEAST_CERTAIN_FIRST


def _choose(box: QComboBox, wanted: object) -> None:
    # Not QComboBox.findData: it compares Python objects by identity.
    rows = (row for row in range(box.count()) if box.itemData(row) == wanted)
    row = next(rows, None)
    if row is None:
        raise ValueError(f"{wanted} is not in the list")
    box.setCurrentIndex(row)
