"""Grades and quality of columns as pixels: fast enough for every frame of a screen while a run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from uc_viewer.grades import MES
from uc_viewer.gui import theme
from uc_viewer.gui.widgets.timeline_rows import FLAGGED, NOT_SCORED, REJECTED, Columns

_STRUCK = 0.35
"""How much is left of the colour of a frame the reader rejected."""

_TILE = 6
"""Pixels after which the pattern of a grade repeats itself."""


def widened(values: NDArray[np.int8], least: int) -> NDArray[np.int8]:
    """Values from 0 on spread to the right, over columns without any, as far as ``least`` columns."""
    made = values.copy()
    for _ in range(least - 1):
        free = made[1:] < 0
        made[1:][free] = made[:-1][free]
    return made


def _argb(colour: QColor | str, over: QColor | None = None, share: float = 1.0) -> int:
    """A colour as a pixel, ``share`` of it over another one."""
    top = QColor(colour)
    below = top if over is None else over
    pixel = 0xFF
    for one, other in (
        (top.red(), below.red()),
        (top.green(), below.green()),
        (top.blue(), below.blue()),
    ):
        pixel = pixel << 8 | round(one * share + other * (1 - share))
    return pixel


def _palette() -> NDArray[np.uint32]:
    """Pixels by rejected or not, grade, and pattern or not; the last grade is none."""
    made = np.full((2, len(MES) + 1, 2), _argb(theme.CANVAS), np.uint32)
    for grade in MES:
        fill = QColor(grade.screen)
        inked = QColor.fromRgba(_argb(grade.screen_ink, fill, 0.43))
        for struck, share in ((0, 1.0), (1, _STRUCK)):
            made[struck, grade.value] = _argb(fill, theme.CANVAS, share), _argb(inked, theme.CANVAS, share)
    return made


def _patterns() -> NDArray[np.bool_]:
    """Grade x row x column of a tile: plain, dots, hatch, cross-hatch, as `grade_fill` has them."""
    down, across = np.mgrid[:_TILE, :_TILE]
    made = np.zeros((len(MES) + 1, _TILE, _TILE), np.bool_)
    made[1] = (down % 3 == 1) & ((across + down // 3) % 3 == 1)
    made[2] = (down + across) % _TILE == 0
    made[3] = made[2] | ((down - across) % _TILE == 0)
    return made


_PALETTE, _PATTERNS = _palette(), _patterns()

_TICKS = np.array([_argb("#ffb000", theme.CANVAS, share) for share in (0.0, 0.45, 0.6, 0.75, 1.0)], np.uint32)
"""Pixels of ticks by level."""

_LEVELS = len(_TICKS) - 1
"""Steps in which the share of frames is shown."""

_HATCH = 4
"""Pixels after which the hatching of rejected frames repeats itself."""


@lru_cache(maxsize=8)
def _bar_columns(height: int, thick: int) -> NDArray[np.uint32]:
    """Every column of pixels there may be: rejected or not x grade x column of a tile x row."""
    down, across = (np.arange(height) // thick) % _TILE, np.arange(_TILE)
    grades = np.arange(len(MES) + 1)
    inked = _PATTERNS[grades[:, None, None], down[None, None, :], across[None, :, None]].astype(int)
    tall = np.where(grades < len(MES), np.round(height * (grades + 1) / len(MES)), 0)
    inside = np.arange(height)[::-1][None, None, :] < tall[:, None, None]
    shown = np.where(inside, grades[:, None, None], len(MES))
    return np.stack([_PALETTE[struck, shown, inked] for struck in (0, 1)])


def bars(grades: NDArray[np.int8], struck: NDArray[np.bool_], height: int, thick: int) -> QImage:
    """One bar per pixel across: the worse, the taller, each in its colour with its pattern.

    ``grades``: -1 for none. ``thick``: pixels to one of the pattern.
    """
    phase = (np.arange(len(grades)) // thick) % _TILE
    return _image(_bar_columns(height, thick)[struck.astype(int), grades, phase].T)


def _image(pixels: NDArray[np.uint32]) -> QImage:
    height, width = pixels.shape
    pixels = np.ascontiguousarray(pixels)
    # A copy of Qt's own, so that the array may go.
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


@lru_cache(maxsize=8)
def _quality_columns(height: int, thick: int) -> NDArray[np.uint32]:
    """Every column there may be: level of not scored x of rejected x of flagged x column of hatch x row."""
    ticks = height // 3
    up = np.arange(height)[::-1]
    shape = (_LEVELS + 1, _LEVELS + 1, _LEVELS + 1, _HATCH, height)
    lacking, rejected, flagged, across, up = np.broadcast_arrays(*np.ix_(*map(np.arange, shape[:4]), up))
    made = np.full(shape, _argb(theme.CANVAS), np.uint32)
    made[up < np.ceil(lacking / _LEVELS * (height - ticks))] = _argb("#6a6a72")
    struck = up < np.ceil(rejected / _LEVELS * (height - ticks))
    made[struck] = _argb("#2c2c30")
    made[struck & ((up // thick + across) % _HATCH == 0)] = _argb("#b9b9be")
    above = (up >= height - ticks) & (flagged > 0)
    made[above] = _TICKS[flagged[above]]
    return made


def quality(columns: Columns, least: int, step: int, height: int, thick: int) -> QImage:
    """What cannot be used, as tall as its share of the frames, and above it what is worth a second look.

    Not scored: grey. Rejected by the reader: hatched. Flagged: a tick, the brighter, the more of the frames.
    ``least``: columns that even a single frame takes.
    """
    levels = []
    for bit in (NOT_SCORED, REJECTED, FLAGGED):
        level = np.ceil(columns.share(bit) * _LEVELS).astype(np.int8)
        levels.append(np.repeat(widened(level - np.int8(1), least) + 1, step))
    phase = (np.arange(len(columns) * step) // thick) % _HATCH
    return _image(_quality_columns(height, thick)[*levels, phase].T)


def blocks(places: NDArray[np.int8], fills: Sequence[str]) -> QImage:
    """One pixel per column, the fill of its place in turn; the last of a longer stretch is left free."""
    colours = np.array([*map(_argb, fills), _argb(theme.CANVAS)], np.uint32)
    shown = np.where(places < 0, len(fills), places % len(fills))
    ends = [last - 1 for _, _, last in runs(places, 5)]
    shown[ends] = len(fills)
    return _image(colours[shown][None, :])


def runs(values: NDArray[np.int8], least: int = 1) -> Iterator[tuple[int, int, int]]:
    """Stretches of one value from 0 on, ``least`` columns or longer: the value, its first column, its end."""
    bounds = np.flatnonzero(np.diff(values, prepend=np.int8(-2), append=np.int8(-2)))
    first, last = bounds[:-1], bounds[1:]
    long = (last - first >= least) & (values[first] >= 0)
    yield from zip(values[first][long].tolist(), first[long].tolist(), last[long].tolist(), strict=True)
