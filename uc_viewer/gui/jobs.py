"""What the window has done in the background: a generator per wish, and the values they give. No Qt."""

from __future__ import annotations

import tempfile
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mtl_core.files import write_whole
from mtl_core.scores import Heatmap
from uc_viewer import analysis
from uc_viewer.analysis import Scorer
from uc_viewer.case import Duplicate, FrameKey, FrameResult, Reading, Run, Unreadable
from uc_viewer.gui.loading import smoothly, uncollected
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.gathered import Gathered
from uc_viewer.sources.listing import Files
from uc_viewer.sources.sampling import STANDARD, Sampling

if TYPE_CHECKING:
    pass

BATCH = 4
"""Frames scored in one go: small, so that a heatmap asked for meanwhile comes soon."""

NAMES = 1000
"""Names of listed frames handed to the window at once."""

THUMBNAIL = 192
"""Longest side of a thumbnail in pixels: 96 points on a screen of double density."""


class ModelError(Exception):
    """The model cannot be used; one line for the user, with what to do."""


class Model(Scorer, Protocol):
    """What the window needs of a model; `mtl_core.predict.Predictor` is one."""

    @property
    def card(self) -> Mapping[str, Any]:
        """Everything the bundle says of itself."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def device(self) -> str:
        """Where it runs."""

    @property
    def device_reason(self) -> str:
        """Why there."""

    @property
    def active_threshold(self) -> float:
        """The conservative threshold on P(MES >= 2)."""


Item = FrameResult | Unreadable
"""What became of a frame that was looked at."""

EXPECTED_FAULTS = (OSError, SourceError, ModelError)
"""What may go wrong without the program being at fault: told in one line."""


@dataclass(frozen=True)
class Listing:
    """So many pictures were found so far."""

    found: int


@dataclass(frozen=True, eq=False)
class Listed:
    """The pictures of a drop were listed; none is decoded yet."""

    source: Files


@dataclass(frozen=True, eq=False)
class Names:
    """Some of the listed frames, in order; few enough for the window to take at once."""

    keys: Sequence[FrameKey]


@dataclass(frozen=True, eq=False)
class Ready:
    """All names were told: the source can be scored."""

    source: Files


@dataclass(frozen=True, eq=False)
class Loaded:
    """The model stands ready."""

    model: Model
    seconds: float


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame opened again to be looked at.

    ``image``: uint8 H x W x 3 RGB, or None with the ``reason``. ``box``: left, top, width, height of the
    field of view in pixels.
    """

    key: FrameKey
    image: np.ndarray | None
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A small picture, uint8 H x W x 3 RGB; None where the frame cannot be opened."""

    key: FrameKey
    image: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Explained:
    """Where the evidence lies for one answer about one frame."""

    key: FrameKey
    target: str
    method: str
    heatmap: Heatmap


class Heatmaps:
    """The heatmaps shown last, so that going back and forth shows them at once."""

    KEPT = 16

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[FrameKey, str, str], Explained] = OrderedDict()

    def get(self, key: FrameKey, target: str, method: str) -> Explained | None:
        """The heatmap of an answer about a frame, if it is remembered."""
        return self._kept.get((key, target, method))

    def put(self, explained: Explained) -> None:
        """Remember one, and forget the oldest of too many."""
        self._kept[explained.key, explained.target, explained.method] = explained
        if len(self._kept) > self.KEPT:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


@dataclass(frozen=True, eq=False)
class Report:
    """A report: the bytes of its PDF and the sizes of its pages in points."""

    data: bytes
    sizes: tuple[tuple[float, float], ...]
    page: str


@dataclass(frozen=True, eq=False)
class Page:
    """One page of a report, drawn: uint8 H x W x 3 RGB."""

    number: int
    dpi: int
    image: np.ndarray


@dataclass(frozen=True)
class Saved:
    """A file or folder was written, with so many pictures; others were ``lost``, since they cannot be opened,
    and in ``hidden`` ones no field of view is seen."""

    path: Path
    pictures: int = 0
    lost: int = 0
    hidden: int = 0


def find(
    drop: Sequence[Path] | Files, taken: Gathered, sampling: Sampling = STANDARD
) -> Iterator[Listing | Listed | Names | Ready]:
    """List what lies under paths, unless it is listed; a path in the case already gives nothing new."""
    with uncollected():
        source = drop if isinstance(drop, Files) else (yield from _list(drop, taken, sampling))
        yield Listed(source)
        keys = source.keys
        for start in range(0, len(keys), NAMES):
            yield Names(keys[start : start + NAMES])
        yield Ready(source)


def _list(paths: Sequence[Path], taken: Gathered, sampling: Sampling) -> Generator[Listing, None, Files]:
    listing = Files.listing(paths, taken.sources, sampling)
    while True:
        try:
            yield Listing(next(listing))
        except StopIteration as end:
            source: Files = end.value
            return source


def load(make: Callable[[], Model]) -> Iterator[Loaded]:
    """Load a model without holding the window up."""
    began = time.monotonic()
    with smoothly():
        model = make()
    yield Loaded(model, time.monotonic() - began)


def score(
    source: Files, model: Model, seen: dict[tuple[str, int], str]
) -> Iterator[FrameResult | Unreadable | Duplicate]:
    """Score the pictures of a source; files whose bytes were ``seen`` are told, not scored."""
    yield from analysis.analyse(analysis.unseen(source, seen), model, BATCH)


def look_at(sources: Gathered, key: FrameKey) -> Iterator[Picture]:
    """Open one frame to be looked at."""
    from mtl_core.preprocess import field_of_view  # brings OpenCV, which the first screen does not need

    try:
        image = sources.reopen(*key).image
    except SourceError as error:
        yield Picture(key, None, reason=str(error))
        return
    box = field_of_view(image)
    yield Picture(key, image, (box.left, box.top, box.width, box.height))


def thumbnails(sources: Gathered, wanted: deque[FrameKey]) -> Iterator[Thumbnail]:
    """Small pictures of what is wanted, the last wish first, until nothing is."""
    while True:
        try:
            key = wanted.pop()
        except IndexError:
            return
        try:
            yield Thumbnail(key, sources.thumbnail(*key, THUMBNAIL))
        except (SourceError, KeyError):
            yield Thumbnail(key, None)


def explain(
    sources: Gathered, key: FrameKey, grade: int | None, model: Model, target: str, method: str
) -> Iterator[Explained]:
    """The heatmap of one answer about one frame. Raises SourceError if it cannot be opened any more."""
    from mtl_core.explain import heatmap

    image = sources.reopen(*key).image
    found = heatmap(model, image, target, grade, method)  # type: ignore[arg-type]
    yield Explained(key, target, method, found)


def make_report(sources: Gathered, run: Run, reading: Reading, page: str) -> Iterator[Report | None]:
    """The report of a run with what the reader says; None while pictures are opened."""
    # reportlab and matplotlib: too slow to load before the window shows
    from uc_viewer.report import content, pages, pdf

    pictures: dict[FrameKey, np.ndarray] = {}
    for result in content.printed_frames(run, reading):
        # A picture that went away meanwhile is not printed large; its scores stand in the table all the same.
        with suppress(SourceError):
            frame = sources.reopen(*result.key)
            if frame.source_sha256 == result.source_sha256:
                pictures[result.key] = frame.image
        yield None
    with tempfile.TemporaryDirectory(prefix="uc-viewer-") as folder:
        path = Path(folder) / "report.pdf"
        pdf.write(content.build(run, pictures, reading=reading), path, page)
        data = path.read_bytes()
    yield Report(data, tuple(pages.page_sizes(data)), page)


def draw_page(report: Report, number: int, dpi: int) -> Iterator[Page]:
    """One page of a report as a picture."""
    from uc_viewer.report import pages

    yield Page(number, dpi, pages.draw(report.data, number, dpi))


def save(report: Report, path: Path) -> Iterator[Saved]:
    """Write a report to its place, whole or not at all. Raises OSError."""
    write_whole(path, report.data)
    yield Saved(path)


def export_overlays(
    sources: Gathered, results: Sequence[FrameResult], model: Model, folder: Path
) -> Iterator[Saved | None]:
    """Write the heatmap overlays of some frames as PNG with a table; None after every picture."""
    from mtl_core.explain import heatmap, overlay
    from uc_viewer.report import heatmaps

    overlays = heatmaps.Overlays(folder)
    for result in results:
        with suppress(SourceError):
            image = sources.reopen(*result.key).image
            found = heatmap(model, image, "grade", result.scores.grade)  # type: ignore[arg-type]
            overlays.add(heatmaps.Drawn(result, overlay(image, found), found))
        yield None
    yield Saved(folder, overlays.count)


def results(items: Mapping[FrameKey, Item]) -> dict[FrameKey, FrameResult]:
    """What the model said of each frame it looked at."""
    return {key: item for key, item in items.items() if isinstance(item, FrameResult)}
