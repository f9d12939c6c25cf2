"""Predictor: pictures in, `FrameScores` out, in order, a few at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtl_core import bundle
from mtl_core.calibrate import Calibration
from mtl_core.model import Logits, MultiTaskNet
from mtl_core.preprocess import field_of_view, normalise, prepare
from mtl_core.quality import assess
from mtl_core.scores import FrameScores
from mtl_core.spec import ModelSpec

DEVICES = ("auto", "cpu", "cuda", "mps")


class DeviceError(Exception):
    """The device asked for is not there; the message says what to use instead."""


def choose_device(wanted: str = "auto") -> tuple[str, str]:
    """Give (device, reason) with device one of cpu, cuda, mps.

    Raises DeviceError when ``wanted`` is unknown or not available.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted not in DEVICES:
        raise DeviceError(f"device {wanted!r} is unknown: use one of {', '.join(DEVICES)}")
    if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps):
        raise DeviceError(f"device {wanted!r} is not available on this computer: use --device auto or cpu")
    if wanted != "auto":
        return wanted, "chosen by the user"
    if cuda:
        return "cuda", f"found {torch.cuda.get_device_name()}"
    if mps:
        return "mps", "found an Apple GPU"
    return "cpu", "no supported GPU found"


@dataclass(frozen=True, eq=False)
class Ready:
    """A frame made ready for the network: ``picture`` is uint8 S x S x 3, or None with the ``reason``."""

    picture: np.ndarray | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Predictor:
    """A loaded model, ready to score. Make one with `Predictor.load`.

    ``card`` is the bundle's card; ``device`` and ``device_reason`` say where it runs and why.
    """

    card: dict[str, Any]
    network: MultiTaskNet
    calibration: Calibration
    device: str
    device_reason: str

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Predictor:
        """Load a bundle folder onto a device. Raises BundleError or DeviceError with one clear line.

        On the CPU, torch is left all cores but one from then on.
        """
        chosen, reason = choose_device(device)
        card, network = bundle.load(folder)
        try:
            calibration = Calibration.from_dict(card["calibration"])
        except (KeyError, TypeError, ValueError) as fault:
            raise bundle.BundleError(
                f"model {folder.name!r}: its calibration is malformed ({fault}); restore the model folder"
            ) from fault
        if chosen == "cpu":
            _leave_a_core()
        placed = network.to(chosen).to(memory_format=torch.channels_last).requires_grad_(False)
        return cls(card, placed, calibration, chosen, reason)

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.card["name"])

    @property
    def spec(self) -> ModelSpec:
        """What the model answers and how its input must look."""
        return self.network.spec

    @property
    def active_threshold(self) -> float:
        """P(active) from which a frame is called active: conservative, see the card's sensitivity."""
        return self.calibration.threshold

    def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        """Score frames lazily and in order; memory is bounded by one batch.

        ``frames``: uint8 H x W x 3 RGB, any sizes. Frames that fail the quality gate come back as
        `FrameScores.rejected` with the reason. Raises ValueError for an array of another kind.
        """
        waiting: list[Ready] = []
        for frame in frames:
            waiting.append(self.ready(frame))
            if len(waiting) >= batch:
                yield from self.answer(waiting)
                waiting = []
        yield from self.answer(waiting)

    def ready(self, frame: np.ndarray) -> Ready:
        """Judge one frame and make it ready; may run on another thread than `answer`.

        ``frame``: uint8 H x W x 3 RGB. Raises ValueError for an array of another kind.
        """
        check_frame(frame)
        box = field_of_view(frame)
        quality = assess(frame, box)
        if not quality.gradable:
            return Ready(None, quality.reason)
        return Ready(prepare(frame, self.spec.input, box))

    def answer(self, ready: Sequence[Ready]) -> list[FrameScores]:
        """Scores of frames made `ready`, together and in order."""
        prepared = [each.picture for each in ready if each.picture is not None]
        scored = iter(self._score(np.stack(prepared)) if prepared else ())
        return [FrameScores.rejected(each.reason) if each.picture is None else next(scored) for each in ready]

    def logits(self, prepared: np.ndarray) -> Logits:
        """Raw logits of prepared pictures, uint8 N x S x S x 3, on the CPU."""
        x = torch.from_numpy(normalise(prepared, self.spec.input))
        with torch.inference_mode():
            out = self.network(x.to(self.device, memory_format=torch.channels_last))
        return Logits(out.fine.float().cpu(), out.coarse.float().cpu())

    def _score(self, prepared: np.ndarray) -> list[FrameScores]:
        logits = self.logits(prepared)
        fine = logits.fine.numpy().astype(np.float64)
        coarse = logits.coarse[:, self.spec.active_index].numpy().astype(np.float64)
        probabilities, p_active, active = self.calibration.answers(fine, coarse)
        return [
            FrameScores((float(p[0]), float(p[1]), float(p[2]), float(p[3])), float(chance), bool(called))
            for p, chance, called in zip(probabilities, p_active, active, strict=True)
        ]


def _leave_a_core() -> None:
    """Leave one core to whoever makes the next pictures ready.

    torch's threads wait for each other without sleeping, so that one of them that gets no core holds up all:
    a recording of 1080p took two to three times as long on two busy cores, and twice the processor's time.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1)))


def check_frame(frame: np.ndarray) -> None:
    """Raise ValueError unless ``frame`` is uint8 H x W x 3."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"a frame is uint8 H x W x 3, not {frame.dtype} {frame.shape}")
