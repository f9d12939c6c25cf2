"""The one seam between the viewer and the engine: pictures of a source in, scores out."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Generator, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, TypeVar

import numpy as np

from mtl_core.scores import FrameScores
from mtl_core.spec import ModelSpec
from uc_viewer import __version__
from uc_viewer.case import Duplicate, FrameResult, Unreadable
from uc_viewer.sources.base import Frame

BATCH = 8
"""Frames scored together unless told otherwise."""

BATCH_BYTES = 96 * 2**20
"""A batch ends early at this many bytes of pictures, so that a few huge ones do not fill the memory."""

LIBRARIES = ("torch", "torchvision", "numpy", "opencv-python-headless", "Pillow", "safetensors", "reportlab")
"""Distributions whose versions may change a result or a report."""


Other = TypeVar("Other", bound=Unreadable | Duplicate)
"""What a source gives beside frames; it comes through as it is."""


class Scorer(Protocol):
    """What the analysis needs of a model; `mtl_core.predict.Predictor` is one."""

    def predict(self, frames: Iterable[np.ndarray], batch: int = ...) -> Iterator[FrameScores]:
        """Scores of uint8 H x W x 3 RGB pictures, in order."""


def analyse(
    source: Iterable[Frame | Other], scorer: Scorer, batch: int = BATCH
) -> Generator[FrameResult | Other, None, None]:
    """Score every picture of a source, lazily and in its order; what is no picture comes through.

    At most ``batch`` pictures (or `BATCH_BYTES` of them) are held at a time. Closing the generator
    closes the source's files. Raises ValueError if ``batch`` is below 1.
    """
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    items = iter(source)
    held: list[Frame | Other] = []
    try:
        for item in items:
            if not isinstance(item, Frame) and not held:
                yield item
                continue
            held.append(item)
            del item  # or it would keep a scored picture while the next one is decoded
            if _is_full(held, batch):
                yield from _score(held, scorer, batch)
                held = []
        yield from _score(held, scorer, batch)
    finally:
        if close := getattr(items, "close", None):
            close()


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
                    yield Duplicate(item.source_file, first, item.source_sha256)
                    continue
            yield item
    finally:
        if close := getattr(items, "close", None):
            close()


def _is_full(held: Iterable[Frame | Other], batch: int) -> bool:
    frames = [item for item in held if isinstance(item, Frame)]
    return len(frames) >= batch or sum(frame.image.nbytes for frame in frames) >= BATCH_BYTES


def _score(held: list[Frame | Other], scorer: Scorer, batch: int) -> Iterator[FrameResult | Other]:
    frames = [item for item in held if isinstance(item, Frame)]
    scores = list(scorer.predict([frame.image for frame in frames], batch)) if frames else []
    if len(scores) != len(frames):
        raise RuntimeError(f"the model gave {len(scores)} answers for {len(frames)} pictures")
    answers = iter(scores)
    for item in held:
        if isinstance(item, Frame):
            yield FrameResult(
                item.source_file, item.source_sha256, item.index, item.pts_seconds, next(answers)
            )
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
) -> dict[str, Any]:
    """How the scores came about, JSON-ready: programs, model, device, thresholds, inputs, timings.

    ``card`` is the model's card, ``items`` the results so far, ``active_threshold`` the one in force (by
    default the card's), ``options`` what the user chose. Nothing here names the computer, the user or a
    folder.
    """
    items = list(items)
    frames = sum(isinstance(item, FrameResult) for item in items)
    spec = ModelSpec.from_dict(card["spec"])
    thresholds = dict(card["thresholds"])
    if active_threshold is not None:
        thresholds["active"] = active_threshold
    return {
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
        "sampling": "every picture given",
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
