"""Heatmap overlays as PNG files, and the table that says what each shows."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mtl_core.files import remove_drafts, replacing
from mtl_core.scores import Heatmap
from uc_viewer.case import FrameResult
from uc_viewer.paths import HEATMAP_TABLE, intended_use
from uc_viewer.spreadsheet import ENCODING, csv_text, guard

INDEX = HEATMAP_TABLE
"""The table in the folder of heatmaps; only the files it lists belong to the last run."""

COLUMNS = ("source_file", "frame_index", "picture", "target", "method", "peak")

_LONGEST = 150
"""Most bytes of a source's name kept in a file name (systems allow 255)."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A scored frame, its picture with the heatmap laid over (uint8 H x W x 3 RGB), and the heatmap."""

    result: FrameResult
    overlay: np.ndarray
    heatmap: Heatmap


class Overlays:
    """A folder that takes overlays as PNG, one by one, with their table `INDEX`.

    Overlays listed by an earlier table are removed first, so that the folder shows one run; files it does
    not list are left alone. The table grows ahead of the overlays, so that a killed run leaves none that the
    next one would not remove. Nothing given and nothing there: no folder is made. Raises OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[list[str]] = []
        self._names: set[str] = set()
        _clear(folder)

    @property
    def count(self) -> int:
        """How many were written."""
        return len(self._rows)

    def add(self, drawn: Drawn) -> None:
        """Write one overlay. Raises OSError."""
        result, heatmap = drawn.result, drawn.heatmap
        self._folder.mkdir(parents=True, exist_ok=True)
        name = _file_name(result, self._names)
        self._names.add(name.casefold())
        self._rows.append(
            [
                guard(result.source_file),
                str(result.index),
                guard(name),
                heatmap.target,
                heatmap.method,
                f"{heatmap.peak:.6g}",
            ]
        )
        _write_index(self._folder / INDEX, self._rows)
        with replacing(self._folder / name) as file:
            Image.fromarray(drawn.overlay).save(file, "PNG", pnginfo=_label(heatmap))


def write(folder: Path, drawn: Iterable[Drawn]) -> int:
    """Write overlays, taken one by one, into a folder of `Overlays`; gives how many. Raises OSError."""
    overlays = Overlays(folder)
    for one in drawn:
        overlays.add(one)
    return overlays.count


def _clear(folder: Path) -> None:
    """Remove the overlays an earlier table lists, what is left of unfinished ones, and the table, last."""
    if not folder.is_dir():
        return
    earlier = _listed(folder / INDEX)
    for name in earlier:
        (folder / name).unlink(missing_ok=True)
    remove_drafts(folder, [*earlier, INDEX])
    (folder / INDEX).unlink(missing_ok=True)


def _listed(index: Path) -> list[str]:
    """Names of the overlays a table lists; only plain names, whatever someone wrote into it."""
    try:
        text = index.read_text(encoding=ENCODING, errors="replace")
    except FileNotFoundError:
        return []
    names = [row.get("picture") or "" for row in csv.DictReader(io.StringIO(text, newline=""))]
    plain = [name.removeprefix("'") for name in names]
    return [name for name in plain if name.endswith(".png") and "/" not in name and "\\" not in name]


def _write_index(path: Path, rows: list[list[str]]) -> None:
    text = csv_text([list(COLUMNS), *rows])
    with replacing(path) as file:
        file.write(text.encode(ENCODING))


def _file_name(result: FrameResult, taken: Collection[str]) -> str:
    """A flat file name valid on every system, unlike all ``taken`` ones (given in folded case)."""
    name = re.sub(r'[\x00-\x1f<>:"|?*\\]', "_", result.source_file.replace("/", "__"))
    if result.index:
        name += f"__{result.index:06d}"
    if len(name.encode()) > _LONGEST:
        digest = hashlib.sha256(result.source_file.encode()).hexdigest()[:8]
        name = name.encode()[-_LONGEST:].decode(errors="ignore") + f"__{digest}"
    candidate, number = f"{name}.png", 2
    while candidate.casefold() in taken:
        candidate, number = f"{name} ({number}).png", number + 1
    return candidate


def _label(heatmap: Heatmap) -> PngInfo:
    info = PngInfo()
    info.add_text("Description", f"{heatmap.method} of {heatmap.target}, raw peak {heatmap.peak:.6g}")
    info.add_text("Disclaimer", intended_use())
    return info
