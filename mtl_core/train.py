"""Training as functions: one frozen configuration in, a generator of progress, a trained network out.

A training that was stopped, however hard, goes on from its last epoch: everything needed lies in one
safetensors checkpoint, and every random draw follows from (seed, epoch, step).
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors.torch import load_file

from mtl_core.backbones import load_trunk_weights
from mtl_core.checkpoint import Parts, read_checkpoint, write_checkpoint
from mtl_core.data import Sample, assert_disjoint, grade_counts, make_batch, prepare_all, split_hash
from mtl_core.losses import JointLoss
from mtl_core.metrics import confusion_matrix, quadratic_kappa
from mtl_core.model import Logits, MultiTaskNet
from mtl_core.preprocess import Augmentation, normalise
from mtl_core.spec import GROUPINGS, InputSpec, ModelSpec
from mtl_core.teacher import Teacher, read_teacher, teacher_hash

Module = TypeVar("Module", bound=torch.nn.Module)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that shapes a training besides the pictures; saved into the model's card."""

    backbone: str = "mobilenet_v3_large"
    grouping: str = "cumulative"
    """Coarse tasks, a name in `mtl_core.spec.GROUPINGS`."""
    lam: float = 0.5
    """Weight of each coarse task in the joint loss; 0 is the single-task baseline."""
    learned: bool = False
    """Learn the task weights (homoscedastic uncertainty) instead of using ``lam``."""
    tau: float = 1.0
    """Strength of the logit adjustment against class imbalance."""
    ordinal: float = 0.0
    """Weight of CDW-CE beside cross-entropy."""
    smoothing: float = 0.05
    positive: float = 1.0
    """Weight of active pictures in the coarse tasks."""
    normal_as_zero: bool = True
    """Teach normal mucosa as MES 0 (a surrogate), not only as inactive."""
    extra: int = 500
    """Normal and negative pictures drawn anew for each epoch, beside all graded ones."""
    size: int = 224
    epochs: int = 16
    batch: int = 32
    rate: float = 5e-4
    """Peak learning rate of the trunk (one-cycle); the heads learn at ``head_rate``."""
    head_rate: float = 2e-3
    decay: float = 0.03
    ema: float = 0.98
    """Per-step decay of the averaged weights that are kept."""
    dropout: float = 0.3
    teach: float = 1.0
    """Weight of a teacher's answers and features beside the labels; only with a teacher."""
    warmth: float = 2.0
    """Temperature at which the answers of teacher and student are compared."""
    patience: int = 5
    """Epochs without a better validation QWK before stopping; only with validation pictures."""
    seed: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def spec(self) -> ModelSpec:
        """The model this configuration trains."""
        return ModelSpec(self.backbone, GROUPINGS[self.grouping], InputSpec(size=self.size))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, for the card."""
        return asdict(self)


@dataclass(frozen=True)
class Progress:
    """Where a training stands: epochs and steps done, recent loss, seconds left (estimate)."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    eta_seconds: float
    validation: float | None = None
    """QWK on the validation pictures, at the end of an epoch."""


@dataclass(frozen=True)
class Trained:
    """What a training gives: the network (CPU, evaluation mode) and one record per epoch."""

    network: MultiTaskNet
    curves: list[dict[str, Any]]


@dataclass(frozen=True)
class Pictures:
    """Samples with their prepared pictures, uint8 N x S x S x 3, in the same order."""

    samples: Sequence[Sample]
    pixels: np.ndarray

    @classmethod
    def load(cls, samples: Sequence[Sample], spec: InputSpec) -> Pictures:
        """Read and prepare every picture once."""
        return cls(samples, prepare_all(samples, spec))

    def take(self, indices: Sequence[int]) -> Pictures:
        """The pictures at these positions."""
        return Pictures([self.samples[i] for i in indices], self.pixels[list(indices)])


def choose_device() -> torch.device:
    """CUDA, then Apple MPS, then CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def identity(
    config: TrainConfig, samples: Sequence[Sample], init: Path | None, teacher: Path | None = None
) -> str:
    """SHA-256 of what makes a training this one: its settings, labelled pictures, start and teacher."""
    start = hashlib.sha256(init.read_bytes()).hexdigest() if init is not None else "random"
    parts: list[object] = [config.to_dict(), split_hash(samples), start]
    if teacher is not None:
        parts.append(teacher_hash(teacher))
    text = json.dumps(parts)
    return hashlib.sha256(text.encode()).hexdigest()


def place(network: Module, device: torch.device | str) -> Module:
    """Put a network on a device in the channels-last layout, which convolutions there prefer."""
    return network.to(device).to(memory_format=torch.channels_last)


def half_precision(device: torch.device) -> bool:
    """Whether bfloat16 autocast pays: on CUDA, and on CPUs with native bfloat16 instructions."""
    if device.type == "cpu":
        return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return device.type == "cuda"


def fit(
    config: TrainConfig,
    train: Pictures,
    validation: Pictures | None = None,
    *,
    init: Path | None = None,
    teacher: Path | None = None,
    checkpoint: Path | None = None,
) -> Generator[Progress, None, Trained]:
    """Train and return the averaged (EMA) network on the CPU; yields `Progress` after every step.

    ``validation`` turns early stopping on (best QWK over its single grades); its groups must not occur
    in ``train``. ``init``: safetensors with torchvision-named trunk weights. ``teacher``: a trained
    network to learn from beside the labels (`mtl_core.teacher`). ``checkpoint``: file to go on from and
    to write after every epoch. Raises DataError when a group crosses the split, ValueError when ``init``
    or ``teacher`` does not fit or the checkpoint is of another configuration, data set, start or teacher.
    """
    if validation is not None:
        assert_disjoint(train.samples, validation.samples)
    state = _State.start(config, train, init, teacher)
    what = identity(config, train.samples, init, teacher) if checkpoint is not None else ""
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint, what)
    began, first = time.monotonic(), state.epoch
    for epoch in range(state.epoch, config.epochs):
        if validation is not None and epoch and epoch - 1 - state.best_epoch >= config.patience:
            break
        torch.manual_seed(config.seed * 1000 + epoch)
        order = _draw(train.samples, config, epoch)
        batches = [order[i : i + config.batch] for i in range(0, len(order), config.batch)]
        batches = [b for b in batches if len(b) > 1]
        for step, indices in enumerate(batches):
            loss = state.step(config, train.take(indices), (config.seed, epoch, step))
            done = epoch - first + (step + 1) / len(batches)
            eta = (time.monotonic() - began) / done * (config.epochs - first - done)
            yield Progress(epoch, config.epochs, step + 1, len(batches), loss, eta)
        score = None
        if validation is not None:
            score = _qwk(state.ema, validation)
            state.keep_best(score, epoch)
        state.epoch = epoch + 1
        state.curves.append({"epoch": epoch, "loss": state.mean_loss(), "validation_qwk": score})
        if checkpoint is not None:
            state.save(checkpoint, what)
        yield Progress(epoch, config.epochs, len(batches), len(batches), loss, eta, score)
    network = state.best if state.best is not None else state.ema
    return Trained(network.cpu().eval(), state.curves)


@torch.inference_mode()
def predict_logits(network: MultiTaskNet, pictures: Pictures, *, batch: int = 32) -> Logits:
    """Give raw logits of prepared pictures on the network's device: fine N x 4, coarse N x K, on the CPU.

    In full precision, as `mtl_core.predict.Predictor` computes: calibration is fit on these.
    """
    device = next(network.parameters()).device
    network.eval()
    fine, coarse = [], []
    for start in range(0, len(pictures.samples), batch):
        block = normalise(pictures.pixels[start : start + batch], network.spec.input)
        x = torch.from_numpy(block).to(device, memory_format=torch.channels_last)
        out = network(x)
        fine.append(out.fine.float().cpu())
        coarse.append(out.coarse.float().cpu())
    return Logits(torch.cat(fine), torch.cat(coarse))


class _State:
    """What changes during a training and must survive a kill."""

    def __init__(
        self,
        network: MultiTaskNet,
        loss: JointLoss,
        config: TrainConfig,
        steps: int,
        teacher: Teacher | None = None,
    ) -> None:
        self.device = choose_device()
        self.network = place(network, self.device)
        self.ema = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.best: MultiTaskNet | None = None
        self.best_score, self.best_epoch = -2.0, 0
        self.loss = loss.to(self.device)
        self.teacher = place(teacher, self.device) if teacher is not None else None
        self.epoch, self.updates = 0, 0
        self.curves: list[dict[str, Any]] = []
        self.losses: list[float] = []
        groups: list[dict[str, Any]] = [
            {"params": list(network.trunk.parameters()), "lr": config.rate},
            {"params": list(network.heads.parameters()), "lr": config.head_rate},
        ]
        rates = [config.rate, config.head_rate]
        if learned := list(loss.parameters()):
            groups.append({"params": learned, "lr": config.head_rate, "weight_decay": 0.0})
            rates.append(config.head_rate)
        if self.teacher is not None:
            groups.append({"params": list(self.teacher.project.parameters()), "lr": config.head_rate})
            rates.append(config.head_rate)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=config.decay)
        # A rise of no whole step would divide by zero: a handful of pictures must train as well.
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            rates,
            total_steps=steps + 1,
            pct_start=max(0.25, 2 / (steps + 1)),
        )

    @classmethod
    def start(cls, config: TrainConfig, train: Pictures, init: Path | None, teacher: Path | None) -> _State:
        torch.manual_seed(config.seed)
        network = MultiTaskNet(config.spec, config.dropout)
        if init is not None:
            load_trunk_weights(network.trunk, load_file(init))
        drawn = _draw(train.samples, config, 0)
        counts = grade_counts(_relabel(train.samples[i], config) for i in drawn)
        lams = [config.lam] * len(config.spec.tasks)
        loss = JointLoss(
            config.spec.tasks, lams, counts, tau=config.tau, ordinal=config.ordinal,
            smoothing=config.smoothing, positive=config.positive, learned=config.learned,
        )  # fmt: skip
        # Single-task epochs differ in length: pictures without a grade are dropped after the draw.
        epochs = (_draw(train.samples, config, epoch) for epoch in range(config.epochs))
        steps = sum(-(-len(order) // config.batch) for order in epochs)
        guide = None
        if teacher is not None:
            guide = Teacher(read_teacher(teacher), config.spec, network.trunk.channels, config.warmth)
        return cls(network, loss, config, steps, guide)

    def step(self, config: TrainConfig, batch: Pictures, seed: tuple[int, ...]) -> float:
        labels = [_relabel(s, config) for s in batch.samples]
        block = make_batch(batch.pixels, config.spec.input, config.augmentation, seed)
        x = torch.from_numpy(block).to(self.device, memory_format=torch.channels_last)
        low = torch.tensor([s.low for s in labels], device=self.device)
        high = torch.tensor([s.high for s in labels], device=self.device)
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half_precision(self.device)):
            h = self.network.trunk(x)
            logits: Logits = self.network.heads(h)
            taught = self.teacher(x, h, logits) if self.teacher is not None else None
        loss = self.loss(
            Logits(logits.fine.float(), logits.coarse.float()), low, high, torch.ones_like(low).float()
        )
        if taught is not None:
            loss = loss + config.teach * taught
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.schedule.step()
        self._average(config.ema)
        self.losses.append(float(loss.detach()))
        return float(np.mean(self.losses[-20:]))

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        self.updates += 1
        keep = min(decay, self.updates / (self.updates + 10))
        for mean, new in zip(self.ema.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(new, 1 - keep)
            else:
                mean.copy_(new)

    def mean_loss(self) -> float:
        """Mean training loss since the last call."""
        value, self.losses = float(np.mean(self.losses)), []
        return value

    def keep_best(self, score: float, epoch: int) -> None:
        if score > self.best_score:
            self.best, self.best_score, self.best_epoch = copy.deepcopy(self.ema), score, epoch

    def save(self, path: Path, what: str) -> None:
        parts: Parts = {"network": self.network.state_dict(), "ema": self.ema.state_dict()}
        if self.best is not None:
            parts["best"] = self.best.state_dict()
        parts["loss"] = self.loss.state_dict()
        if self.teacher is not None:
            parts["teacher"] = self.teacher.project.state_dict()
        optimizer = self.optimizer.state_dict()["state"]
        parts["optimizer"] = {f"{i}/{k}": v for i, s in optimizer.items() for k, v in s.items()}
        facts = {
            "identity": what, "epoch": self.epoch, "updates": self.updates, "curves": self.curves,
            "best_score": self.best_score, "best_epoch": self.best_epoch,
            "schedule": self.schedule.state_dict(),
            "rates": [{k: v for k, v in g.items() if k != "params"} for g in self.optimizer.param_groups],
        }  # fmt: skip
        write_checkpoint(path, parts, facts)

    def load(self, path: Path, what: str) -> None:
        parts, facts = read_checkpoint(path)
        if facts["identity"] != what:
            raise ValueError(
                f"{path.name}: of other settings, data or start; remove it or choose another folder"
            )
        self.network.load_state_dict(parts["network"])
        self.ema.load_state_dict(parts["ema"])
        if "best" in parts:
            self.best = copy.deepcopy(self.ema)
            self.best.load_state_dict(parts["best"])
        self.loss.load_state_dict(parts["loss"])
        if self.teacher is not None:
            self.teacher.project.load_state_dict(parts["teacher"])
        frozen = self.optimizer.state_dict()
        for key, value in parts["optimizer"].items():
            index, name = key.split("/")
            frozen["state"].setdefault(int(index), {})[name] = value
        self.optimizer.load_state_dict(frozen)
        self.schedule.load_state_dict(facts["schedule"])
        for group, rates in zip(self.optimizer.param_groups, facts["rates"], strict=True):
            group.update(rates)
        self.epoch, self.updates, self.curves = facts["epoch"], facts["updates"], facts["curves"]
        self.best_score, self.best_epoch = facts["best_score"], facts["best_epoch"]


def _relabel(sample: Sample, config: TrainConfig) -> Sample:
    """Normal mucosa as MES 0 where the configuration asks for that surrogate."""
    if config.normal_as_zero and sample.use == "normal":
        return replace(sample, high=0)
    return sample


def _draw(samples: Sequence[Sample], config: TrainConfig, epoch: int) -> list[int]:
    """Order of one epoch: all graded pictures and ``extra`` others that some task asks about, shuffled."""
    rng = np.random.default_rng((config.seed, epoch))
    labels = [_relabel(s, config) for s in samples]
    graded = [i for i, s in enumerate(samples) if s.use == "train"]
    others = [i for i, s in enumerate(samples) if s.use != "train"]
    chosen = rng.permutation(len(others))[: config.extra]
    order = graded + [others[i] for i in chosen]
    # Dropped after the draw, so that single-task and multi-task see the same graded mix.
    single = config.lam == 0 and not config.learned
    order = [i for i in order if labels[i].grade is not None or not single]
    return [order[i] for i in rng.permutation(len(order))]


def _qwk(network: MultiTaskNet, pictures: Pictures) -> float:
    known = [i for i, s in enumerate(pictures.samples) if s.grade is not None]
    part = pictures.take(known)
    predicted = predict_logits(network, part).fine.argmax(1).numpy()
    return quadratic_kappa(confusion_matrix(np.array([s.low for s in part.samples]), predicted))
