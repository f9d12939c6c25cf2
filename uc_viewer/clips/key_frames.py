"""Single frames as PNG files with the looks of a clip, and the table that says what each shows."""

from __future__ import annotations

import csv
import io
import os
import re
import secrets
import shutil
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mtl_core.files import replacing, write_whole
from mtl_core.scores import FrameScores
from uc_viewer.case import FrameKey, FrameResult, Reading
from uc_viewer.clips.burning import Burn, Burner, ClipError, Layout, Written, visible_field
from uc_viewer.clips.mark_drawing import SYNTHETIC
from uc_viewer.paths import intended_use
from uc_viewer.report.findings import close_call
from uc_viewer.report.wording import clock
from uc_viewer.sources.base import Frame, Unreadable
from uc_viewer.spreadsheet import guard

TABLE = "key_frames.csv"
"""Lies beside the pictures; only the files it lists belong to the last export."""

COLUMNS = (
    "picture",
    "source_file",
    "frame_index",
    "pts_seconds",
    "segment",
    "mes_ai",
    "close_call_ai",
    "p_active",
    "reject_reason",
    "mes_reader",
    "rejected_by_reader",
    "comment",
)
"""Columns of the table, in order."""

_LONGEST = 120
"""Most bytes of a recording's name kept in a file name (systems allow 255)."""

_DRAFT = re.compile(r"\.key_frames\.[0-9a-f]{8}\.part")

_PLAIN = Burn()


def write_key_frames(
    folder: Path,
    frames: Iterable[Frame | Unreadable],
    results: Mapping[FrameKey, FrameResult],
    reading: Reading,
    *,
    overlay: bool,
    crop: bool,
    burn: Burn = _PLAIN,
    synthetic: bool = False,
) -> Generator[int, None, Written]:
    """Write frames as ``<recording>_<hh-mm-ss.mmm>_<index>.png`` with their table `TABLE`.

    Yields after every item how many pictures were made so far and returns what became of all. ``overlay``,
    ``burn`` and ``synthetic`` as for a clip. With ``crop`` every picture shows its own field of view alone,
    and one in which none is seen is left out; the names of files, which may name the patient, give way to the
    beginning of their digest, and the reader's remarks are left out. Text burned over the mucosa itself
    stays.

    Pictures and table come into the folder together in the end; then those an earlier table lists are
    gone, other files stay. Closing the generator closes ``frames`` and leaves the folder as it was. Raises
    ClipError when no picture can be made; OSError.
    """
    shown = burn if overlay else None
    burner = Burner(results, reading, shown, remarks=not crop)
    items = iter(frames)
    unreadable: list[Unreadable] = []
    hidden = 0
    try:
        with _exporting(folder, synthetic) as export:
            for item in items:
                box = visible_field(item.image) if crop and isinstance(item, Frame) else None
                if isinstance(item, Unreadable):
                    unreadable.append(item)
                elif crop and box is None:
                    hidden += 1
                else:
                    layout = Layout(item.image, box, shown, synthetic)
                    picture = layout.lay_out(item, burner.heated(item), burner.marks(item))
                    export.add(picture, item, _row(item, results, reading, crop))
                yield export.count
            if not export.count:
                raise ClipError(_why_none(unreadable, hidden))
    finally:
        if close := getattr(items, "close", None):
            close()
    return Written(export.count, tuple(unreadable), hidden=hidden)


class _Export:
    """Pictures in a hidden folder, waiting to be moved to their place together."""

    def __init__(self, folder: Path, synthetic: bool) -> None:
        self._folder, self._synthetic = folder, synthetic
        self._draft: Path | None = None
        self._made_folder = False
        self._rows: dict[str, list[str]] = {}

    @property
    def count(self) -> int:
        """How many pictures wait."""
        return len(self._rows)

    def add(self, picture: np.ndarray, frame: Frame, row: list[str]) -> None:
        """Write one picture; ``row`` is its line in the table, from the recording on. Raises OSError."""
        draft = self._draft or self._begin()
        name = _file_name(row[0], frame, {name.casefold() for name in self._rows})
        with replacing(draft / name) as file:
            Image.fromarray(picture).save(file, "PNG", pnginfo=self._label())
        self._rows[name] = [guard(name), *row]

    def commit(self) -> None:
        """Move all into the folder, when all is on disk. Raises OSError."""
        if self._draft is None:
            return
        text = io.StringIO(newline="")
        csv.writer(text).writerows([list(COLUMNS), *self._rows.values()])
        write_whole(self._draft / TABLE, text.getvalue().encode("utf-8-sig"))
        for name in _listed(self._folder / TABLE):
            (self._folder / name).unlink(missing_ok=True)
        # The table comes first: what it lists, the next export removes, even if this one is killed here.
        for name in (TABLE, *self._rows):
            os.replace(self._draft / name, self._folder / name)

    def clear(self) -> None:
        """Remove what was not moved, and the folder if it was made in vain."""
        if self._draft is not None:
            shutil.rmtree(self._draft, ignore_errors=True)
        if self._made_folder:
            with suppress(OSError):  # it holds the pictures
                self._folder.rmdir()

    def _begin(self) -> Path:
        self._made_folder = not self._folder.exists()
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in [path for path in self._folder.iterdir() if _DRAFT.fullmatch(path.name)]:
            shutil.rmtree(left, ignore_errors=True)
        draft = self._folder / f".key_frames.{secrets.token_hex(4)}.part"
        draft.mkdir()
        self._draft = draft
        return draft

    def _label(self) -> PngInfo:
        info = PngInfo()
        info.add_text("Disclaimer", intended_use())
        if self._synthetic:
            info.add_text("Source", SYNTHETIC)
        return info


@contextmanager
def _exporting(folder: Path, synthetic: bool) -> Iterator[_Export]:
    """An export whose pictures come into the folder when the block ends well."""
    export = _Export(folder, synthetic)
    try:
        yield export
        export.commit()
    finally:
        export.clear()


def _row(frame: Frame, results: Mapping[FrameKey, FrameResult], reading: Reading, crop: bool) -> list[str]:
    """What the table says of a frame after the name of its picture."""
    key = frame.source_file, frame.index
    said = reading.of(key)
    scores = results[key].scores if key in results else FrameScores.rejected("not looked at")
    return [
        guard(_recording(frame) if crop else frame.source_file),
        str(frame.index),
        "" if frame.pts_seconds is None else f"{frame.pts_seconds:.6f}",
        said.segment.value if said.segment else "",
        "" if scores.grade is None else str(scores.grade),
        close_call(scores),
        "" if scores.p_active is None else f"{scores.p_active:.6f}",
        guard(scores.reject_reason),
        "" if said.grade is None else str(said.grade),
        str(int(said.rejected)),
        "" if crop else guard(said.comment),
    ]


def _recording(frame: Frame) -> str:
    """A name for a file which cannot name the patient."""
    return f"recording-{frame.source_sha256[:8]}" if frame.source_sha256 else "recording"


def _file_name(source: str, frame: Frame, taken: Collection[str]) -> str:
    """A flat file name valid on every system, unlike all ``taken`` ones (given in folded case)."""
    flat = re.sub(r'[\x00-\x1f\x7f<>:"|?*\\]', "_", source.removeprefix("'").replace("/", "__"))
    stem = Path(flat).stem
    name = stem.encode()[-_LONGEST:].decode(errors="ignore").lstrip(". ") or "recording"
    if frame.pts_seconds is not None:
        name += "_" + clock(frame.pts_seconds).replace(":", "-")
    name += f"_{frame.index:06d}"
    candidate, number = f"{name}.png", 2
    while candidate.casefold() in taken:
        candidate, number = f"{name} ({number}).png", number + 1
    return candidate


def _listed(table: Path) -> list[str]:
    """Names of the pictures a table lists; only plain names, whatever someone wrote into it."""
    try:
        text = table.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        return []
    names = [row.get("picture") or "" for row in csv.DictReader(io.StringIO(text, newline=""))]
    plain = [name.removeprefix("'") for name in names]
    return [name for name in plain if name.endswith(".png") and "/" not in name and "\\" not in name]


def _why_none(unreadable: list[Unreadable], hidden: int) -> str:
    if hidden:
        return (
            "no field of view is seen in these frames, so they cannot be cropped: choose frames that show "
            "the bowel, or write them without cropping"
        )
    if unreadable:
        return f"none of the frames could be decoded: {unreadable[0].reason}"
    return "there are no key frames: mark some first"
