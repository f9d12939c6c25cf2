"""How fast and how exactly this computer reads and scores recordings: figures, no opinions.

`seeks` counts wrong frames among random seeks, beside OpenCV's; `video` measures the stages of a run alone
and together. Both are what ``ucv bench`` prints.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mtl_core.quality import Standstill
from uc_viewer.analysis import BATCH, analyse
from uc_viewer.sources import video_pixels
from uc_viewer.sources.base import Frame, Recording, SourceError, Unreadable
from uc_viewer.sources.listing import Files
from uc_viewer.sources.sampling import STANDARD, Sampling
from uc_viewer.sources.video_index import decode_packet, open_video

if TYPE_CHECKING:
    from mtl_core.predict import Predictor

SEEKS = 60
"""Random seeks in each recording."""
THREADS = 2
"""Threads that prepare pictures when that is measured alone."""
CHUNK = 4 * BATCH
"""Frames held at a time while stages are measured alone."""

Picture = NDArray[np.uint8]
Coded = TypeVar("Coded")


@dataclass(frozen=True)
class Seeks:
    """Random seeks in one recording: how many gave another frame than asked for, and how long they took.

    ``frames`` is the reader's own count. The truth is the frame at that place when the recording is decoded
    from its start. ``milliseconds``: of every seek, with its conversion to RGB; the file stays open, and what
    was decoded on the way stays at hand, as in use.
    """

    frames: int
    wrong: int
    milliseconds: tuple[float, ...]

    def percentile(self, share: float) -> float:
        """Milliseconds within which ``share`` percent of the seeks were done; nan if there was none."""
        return float(np.percentile(self.milliseconds, share)) if self.milliseconds else float("nan")


@dataclass(frozen=True)
class Seeking:
    """One recording's seeks, by this program and by OpenCV (None where OpenCV gives no pictures of it)."""

    source_file: str
    ours: Seeks
    opencv: Seeks | None


def seeks(paths: Iterable[Path], count: int = SEEKS, seed: int = 0) -> list[Seeking]:
    """Ask every recording for ``count`` of its frames at random; the same seed asks for the same ones.

    The recordings must be sound: a damaged frame shifts the places of those after it. Raises SourceError for
    a file that is no recording.
    """
    return [_seeking(path, count, seed) for path in paths]


def _seeking(path: Path, count: int, seed: int) -> Seeking:
    recording = _recording(Files([path]), path)
    frames = recording.facts.frames
    chosen = np.random.default_rng(seed).permutation(frames)[:count].tolist()

    def seek(index: int) -> Picture | None:
        try:
            return recording.reopen(index).image
        except SourceError:
            return None

    try:
        ours = _timed(seek, chosen, _truth(path, chosen), frames)
    finally:
        recording.close()
    return Seeking(path.name, ours, _by_opencv(path, chosen))


def _by_opencv(path: Path, chosen: Sequence[int]) -> Seeks | None:
    """The same seeks by OpenCV, held against what OpenCV itself reads from the start on."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its complaints are no part of the figures
    capture = cv2.VideoCapture(str(path))  # nothing else reads with it: its wrong frames are counted

    def in_order() -> Iterator[Picture]:
        while (read := capture.read())[0]:
            yield np.asarray(read[1], np.uint8)

    def seek(index: int) -> Picture | None:
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        done, image = capture.read()
        return np.asarray(image, np.uint8) if done else None

    truth = _digests(in_order(), chosen, lambda image: image)
    capture.release()
    if len(set(truth.values())) <= 1 < len(chosen):
        return None  # not opened, or the same picture for every frame: it cannot convert interlaced ones
    capture.open(str(path))
    try:
        return _timed(seek, chosen, truth, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        capture.release()


def _timed(
    seek: Callable[[int], Picture | None], chosen: Sequence[int], truth: dict[int, bytes], frames: int
) -> Seeks:
    wrong, milliseconds = 0, []
    for index in chosen:
        start = time.perf_counter()
        image = seek(index)
        milliseconds.append(1000 * (time.perf_counter() - start))
        wrong += image is None or index not in truth or _digest(image) != truth[index]
    return Seeks(frames, wrong, tuple(milliseconds))


def _truth(path: Path, chosen: Sequence[int]) -> dict[int, bytes]:
    """Digests of some frames, by their place among all that leave the decoder; no time stamp is looked at."""
    container, stream = open_video(lambda: str(path))
    with container:
        frames = (frame for packet in container.demux(stream) for frame in decode_packet(packet) or [])
        return _digests(frames, chosen, lambda frame: video_pixels.picture(frame, frame.rotation))


def _digests(
    frames: Iterable[Coded], chosen: Sequence[int], look: Callable[[Coded], Picture]
) -> dict[int, bytes]:
    """Digests of some of the frames, by their place; the others are not looked at."""
    wanted = set(chosen)
    reached = islice(frames, max(wanted, default=-1) + 1)
    return {at: _digest(look(frame)) for at, frame in enumerate(reached) if at in wanted}


def _digest(picture: Picture) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(picture).tobytes()).digest()


def _recording(source: Files, path: Path) -> Recording:
    """The recording a source of one file holds. Raises SourceError if it is none, with the reason."""
    (name,) = source.names or (path.name,)
    recording = source.recording(name) if source.recordings else None
    if recording is None:
        reasons = [item.reason for item in source if isinstance(item, Unreadable)]
        raise SourceError(f"{name}: {reasons[0] if reasons else 'not a recording'}")
    return recording


@dataclass(frozen=True)
class Speed:
    """One recording scored to its end, and the seconds that each stage takes alone for the same frames.

    ``frames`` are in the recording, ``scored`` were chosen from it, ``gradable`` of those reached the
    network. ``decode`` covers every frame that has to be decoded for the chosen ones. ``peak_bytes`` is the
    most memory the process ever held, ``growth_bytes`` how much that rose after a quarter of the frames;
    None where the system does not tell.
    """

    source_file: str
    frames: int
    scored: int
    gradable: int
    decode: float
    preprocess: float
    inference: float
    together: float
    peak_bytes: int | None
    growth_bytes: int | None

    def per_second(self, seconds: float) -> float:
        """Scored frames per second for a stage that takes ``seconds``; nan where it took no time."""
        return self.scored / seconds if seconds > 0 else float("nan")

    @property
    def bound(self) -> float:
        """Scored frames per second if no time were lost: 1 / (1/decode + 1/preprocess + 1/inference)."""
        return self.per_second(self.decode + self.preprocess + self.inference)

    @property
    def ratio(self) -> float:
        """What the run reaches of the bound."""
        return self.per_second(self.together) / self.bound


def video(
    path: Path,
    predictor: Predictor,
    sampling: Sampling = STANDARD,
    limit: int | None = None,
    batch: int = BATCH,
) -> Speed:
    """Score a recording as a run does, then measure each stage alone, free to use all cores.

    ``limit``: only the first so many of the chosen frames. Raises SourceError if it is no recording.
    """
    source = Files([path], sampling=sampling)
    recording = _recording(source, path)
    chosen = recording.sampled[:limit]
    size = predictor.spec.input.size
    predictor.logits(np.zeros((batch, size, size, 3), np.uint8))  # the first batch is slower than all others
    try:
        together, quarter, peak = _run(source.without(set(source.keys[len(chosen) :])), predictor, batch)
        stages = _stages(recording, chosen, predictor, batch)
    finally:
        source.close()
    growth = None if peak is None or quarter is None else peak - quarter
    return Speed(path.name, recording.facts.frames, len(chosen), *stages, together, peak, growth)


def _run(source: Files, predictor: Predictor, batch: int) -> tuple[float, int | None, int | None]:
    """Seconds of a whole run, and the peak of memory after a quarter of it and at its end."""
    quarter = None
    start = time.perf_counter()
    for done, _ in enumerate(analyse(source, predictor, batch), 1):
        if quarter is None and 4 * done >= source.expected:
            quarter = _peak_bytes()
    return time.perf_counter() - start, quarter, _peak_bytes()


def _stages(
    recording: Recording, chosen: Sequence[int], predictor: Predictor, batch: int
) -> tuple[int, float, float, float]:
    """How many frames are gradable, and the seconds of decoding, preprocessing and inference.

    The stages take turns, so that whatever else the computer does falls on all of them alike.
    """
    gradable, decode, preprocess, inference = 0, 0.0, 0.0, 0.0

    def prepared(image: Picture) -> Picture | None:
        return predictor.ready(image).picture

    items, standstill = recording.decode(chosen), Standstill()
    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            start = time.perf_counter()
            held = list(islice(items, CHUNK))
            decoded = time.perf_counter()
            images = [item.image for item in held if isinstance(item, Frame)]
            squares = pool.map(prepared, images)
            for item in held:  # on this thread, as it must be in order
                if isinstance(item, Frame) and item.pts_seconds is not None:
                    standstill.frozen(item.image, item.pts_seconds)
            ready = [square for square in squares if square is not None]
            done = time.perf_counter()
            with _all_cores():
                for first in range(0, len(ready), batch):
                    predictor.logits(np.stack(ready[first : first + batch]))
            end = time.perf_counter()
            gradable += len(ready)
            decode += decoded - start
            preprocess += done - decoded
            inference += end - done
            if not held:
                return gradable, decode, preprocess, inference


@contextmanager
def _all_cores() -> Iterator[None]:
    """Within the block the engine takes every core, as it does not while pictures are decoded beside it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _peak_bytes() -> int | None:
    """The most memory this process has held so far; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # bytes there, kilobytes elsewhere


def seeks_table(found: Sequence[Seeking]) -> str:
    """Seeks as a table of text, one recording a line."""
    head = f"{'recording':<32}{'frames':>8}{'wrong':>9}{'p50 ms':>8}{'p95 ms':>8}"
    lines = [f"{head}   OpenCV:{'frames':>8}{'wrong':>9}{'p50 ms':>8}{'p95 ms':>8}"]
    for entry in found:
        theirs = "no pictures" if entry.opencv is None else _columns(entry.opencv)
        lines.append(f"{entry.source_file[:31]:<32}{_columns(entry.ours)}          {theirs}")
    return "\n".join(lines)


def _columns(found: Seeks) -> str:
    wrong = f"{found.wrong}/{len(found.milliseconds)}"
    return f"{found.frames:>8}{wrong:>9}{found.percentile(50):>8.1f}{found.percentile(95):>8.1f}"


def speed_table(found: Speed) -> str:
    """Stages, run, bound and memory as lines of text."""
    rows = [
        ("decode alone", f"{found.per_second(found.decode):.1f} scored frames/s"),
        ("preprocess alone", f"{found.per_second(found.preprocess):.1f} scored frames/s"),
        ("inference alone", f"{found.per_second(found.inference):.1f} scored frames/s"),
        ("bound", f"{found.bound:.1f} scored frames/s"),
        ("end to end", f"{found.per_second(found.together):.1f} scored frames/s"),
        ("end to end / bound", f"{found.ratio:.2f}"),
        ("peak memory", _megabytes(found.peak_bytes)),
        ("growth after a quarter", _megabytes(found.growth_bytes)),
    ]
    head = f"{found.source_file}: {found.frames} frames, {found.scored} scored, {found.gradable} gradable"
    return "\n".join([head, *(f"  {name:<24}{value}" for name, value in rows)])


def _megabytes(count: int | None) -> str:
    return "not known on this system" if count is None else f"{count / 2**20:.0f} MiB"
