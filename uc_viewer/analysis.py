"""The one seam between the viewer and the engine: pictures of a source in, scores out."""

from __future__ import annotations

import hashlib
import platform
import queue
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, TypeVar

import numpy as np

from mtl_core.aggregate import Rule
from mtl_core.scores import FrameScores
from mtl_core.spec import ModelSpec
from uc_viewer import __version__
from uc_viewer.case import Duplicate, FrameResult, Unreadable
from uc_viewer.sources.base import Frame, SourceGone
from uc_viewer.sources.sampling import Sampling

BATCH = 8
"""Frames scored together unless told otherwise."""

AHEAD = 16
"""Most frames made ready before the engine asks for them."""

MAKERS = 1
"""Threads that make frames ready, beside the one that decodes them: a second gained nothing on two cores."""

WAITING = 4
"""Most items held back for a batch, in batches: a still of an hour must not keep the frames before it."""

LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "opencv-python-headless",
    "Pillow",
    "safetensors",
    "reportlab",
    "av",
    "pydicom",
)
"""Distributions whose versions may change a result or a report."""


Other = TypeVar("Other", bound=Unreadable | Duplicate)
"""What a source gives beside frames; it comes through as it is."""

Value = TypeVar("Value")


class Scorer(Protocol):
    """What the analysis needs of a model; `mtl_core.predict.Predictor` is one."""

    def ready(self, frame: np.ndarray) -> Any:
        """A uint8 H x W x 3 RGB picture made ready for `answer`; asked for on several other threads."""

    def answer(self, ready: Sequence[Any]) -> list[FrameScores]:
        """Scores of pictures made ready, in order."""


@dataclass(frozen=True, eq=False)
class _Looked:
    """A frame less its picture: what it becomes once it is ready, or None where ``reason`` rejects it."""

    frame: Frame
    ready: Future[Any] | None
    reason: str = ""


def analyse(
    source: Iterable[Frame | Other], scorer: Scorer, batch: int = BATCH
) -> Generator[FrameResult | Other, None, None]:
    """Score every picture of a source, in its order; what is no picture comes through.

    Pictures are decoded on a thread of their own and made ready on another while the engine works, at most
    `AHEAD` of them. A picture of a recording that has stood still for a while is not scored again. Closing
    the generator stops these threads and closes the source's files. Raises ValueError if ``batch`` is below
    1, and what the source raises; frames that came before a recording went away are scored first.
    """
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    makers = ThreadPoolExecutor(MAKERS, "ready")
    items = ahead(_look(source, scorer, makers), AHEAD)
    held: list[_Looked | Other] = []
    try:
        for item in items:
            if not held and not _asks(item):
                yield from _score([item], scorer)
                continue
            held.append(item)
            if sum(map(_asks, held)) >= batch or len(held) >= WAITING * batch:
                yield from _score(held, scorer)
                held = []
    except SourceGone:
        yield from _score(held, scorer)
        raise
    else:
        yield from _score(held, scorer)
    finally:
        items.close()
        makers.shutdown(cancel_futures=True)


def _asks(item: object) -> bool:
    """True for a frame that the engine is to answer."""
    return isinstance(item, _Looked) and not item.reason


def _look(
    source: Iterable[Frame | Other], scorer: Scorer, makers: ThreadPoolExecutor
) -> Generator[_Looked | Other, None, None]:
    """Have the frames of a source made ready, and find those of a recording that stand still."""
    from mtl_core.quality import FROZEN, Standstill  # brings OpenCV, which listing files does not need

    items = iter(source)
    watched, standstill = "", Standstill()
    try:
        for item in items:
            if not isinstance(item, Frame):
                yield item
                continue
            reason = ""
            if item.pts_seconds is not None:
                if item.source_file != watched:
                    watched, standstill = item.source_file, Standstill()
                reason = FROZEN if standstill.frozen(item.image, item.pts_seconds) else ""
            ready = None if reason else makers.submit(scorer.ready, item.image)
            yield _Looked(replace(item, image=_NO_PICTURE), ready, reason)
    finally:
        if close := getattr(items, "close", None):
            close()


_NO_PICTURE = np.empty((0, 0, 3), np.uint8)


def ahead(values: Generator[Value, None, None], most: int) -> Generator[Value, None, None]:
    """The same values, taken on a thread of its own, at most ``most`` before they are asked for.

    What the values raise is raised here in its turn. Closing waits for the value being made.
    """
    taken: queue.Queue[tuple[bool, Any]] = queue.Queue(most)
    closed = threading.Event()

    def put(found: bool, value: object) -> None:
        while not closed.is_set():
            with suppress(queue.Full):
                taken.put((found, value), timeout=0.1)
                return

    def take() -> None:
        try:
            for value in values:
                put(True, value)
                del value
                if closed.is_set():
                    break
            values.close()
        except BaseException as error:  # whatever it is, it belongs to the one who asked for the values
            put(False, error)
        else:
            put(False, None)

    thread = threading.Thread(target=take, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            found, value = taken.get()
            if found:
                yield value
            elif value is None:
                return
            else:
                raise value
            del value
    finally:
        closed.set()
        # The garbage collector may close what was forgotten, on any thread.
        if thread is not threading.current_thread():
            thread.join()


def unseen(
    source: Iterable[Frame | Unreadable], seen: dict[tuple[str, int], str]
) -> Generator[Frame | Unreadable | Duplicate, None, None]:
    """The items of a source, with a `Duplicate` in place of every frame whose file was seen before.

    ``seen`` holds the name of the first file by ``(source_sha256, index)``; it grows as frames pass.
    """
    items = iter(source)
    try:
        for item in items:
            if isinstance(item, Frame):
                first = seen.setdefault((item.source_sha256, item.index), item.source_file)
                if first != item.source_file:
                    yield Duplicate(item.source_file, first, item.source_sha256, item.index)
                    continue
            yield item
    finally:
        if close := getattr(items, "close", None):
            close()


def _score(held: list[_Looked | Other], scorer: Scorer) -> Iterator[FrameResult | Other]:
    asked = [item.ready.result() for item in held if isinstance(item, _Looked) and item.ready]
    scores = scorer.answer(asked) if asked else []
    if len(scores) != len(asked):
        raise RuntimeError(f"the model gave {len(scores)} answers for {len(asked)} pictures")
    answers = iter(scores)
    for item in held:
        if isinstance(item, _Looked):
            frame = item.frame
            score = FrameScores.rejected(item.reason) if item.reason else next(answers)
            yield FrameResult(frame.source_file, frame.source_sha256, frame.index, frame.pts_seconds, score)
        else:
            yield item


def provenance(
    card: Mapping[str, Any],
    items: Iterable[FrameResult | Unreadable],
    *,
    device: str,
    device_reason: str,
    active_threshold: float | None = None,
    load_seconds: float,
    scoring_seconds: float,
    skipped: Mapping[str, int] | None = None,
    options: Mapping[str, Any] | None = None,
    sampling: Sampling | None = None,
    rule: Rule | None = None,
) -> dict[str, Any]:
    """How the scores came about, JSON-ready: programs, model, device, thresholds, inputs, timings.

    ``card`` is the model's card, ``items`` the results so far, ``active_threshold`` the one in force (by
    default the card's), ``options`` what the user chose. ``sampling`` and ``rule`` say which frames of
    recordings were scored and when a grade counts as sustained; None where there are only stills. Nothing
    here names the computer, the user or a folder.
    """
    items = list(items)
    frames = sum(isinstance(item, FrameResult) for item in items)
    spec = ModelSpec.from_dict(card["spec"])
    thresholds = dict(card["thresholds"])
    if active_threshold is not None:
        thresholds["active"] = active_threshold
    facts = {
        "app": {"name": "UC Viewer", "version": __version__},
        "versions": versions(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}".strip(),
        "model": {
            "name": card["name"],
            "backbone": spec.backbone,
            "input_size": spec.input.size,
            "weights_sha256": card["weights_sha256"],
            "card_format": card["format"],
            "code_version": card.get("code_version", ""),
            "training": {"data": _training_data(card)},
            "limits": list(card.get("limits", ())),
            "attribution": list(card.get("attribution", ())),
        },
        "device": {"name": device, "reason": device_reason},
        "thresholds": thresholds,
        "sampling": sampling.describe() if sampling else "every picture given",
        "quality_rules": quality_rules(),
        "inputs": {"read": frames, "unreadable": len(items) - frames, "skipped": dict(skipped or {})},
        "manifest_sha256": manifest_sha256(items),
        "timings": {
            "load_seconds": round(load_seconds, 3),
            "scoring_seconds": round(scoring_seconds, 3),
            "frames_per_second": round(frames / scoring_seconds, 2) if scoring_seconds > 0 else None,
        },
        "options": dict(options or {}),
    }
    if rule:
        facts["sustained_rule"] = asdict(rule)
    return facts


def versions() -> dict[str, str]:
    """Versions of the program, Python and the libraries; "not installed" where one is missing."""
    found = {"uc_viewer": __version__, "mtl_core": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    return found


def quality_rules() -> dict[str, float]:
    """The thresholds of the quality gate in force; see `mtl_core.quality`."""
    from mtl_core import quality  # brings OpenCV, which listing files does not need

    return {
        "contrast_at_least": quality.BLANK,
        "brightness_at_least": quality.DARK,
        "burnt_out_at_most": quality.EXPOSED,
        "red_share_at_least": quality.RED_SHARE,
        "red_at_least": quality.RED,
        "sharpness_at_least": quality.SHARP,
        "sharpness_at_most": quality.NOISY,
        "detail_at_least": quality.DETAIL,
        "frozen_difference_below": quality.SAME,
        "frozen_after_seconds": quality.HELD,
    }


def manifest_sha256(items: Iterable[FrameResult | Unreadable]) -> str:
    """One digest for all inputs: SHA-256 over the sorted lines ``<file sha256>  <source_file>``.

    The lines are those of the ``sha256sum`` program, UTF-8, each ended by a line feed, each file once;
    a file whose bytes could not be read has an empty digest.
    """
    lines = sorted({f"{item.source_sha256}  {item.source_file}\n" for item in items})
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def _training_data(card: Mapping[str, Any]) -> Any:
    training = card.get("training", {})
    return training.get("data", "") if isinstance(training, Mapping) else str(training)
