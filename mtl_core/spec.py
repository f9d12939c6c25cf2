"""What a network answers and how its input must look: plain data, written into every bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

GRADES = 4
"""Number of Mayo endoscopic score (MES) grades: 0, 1, 2, 3."""


@dataclass(frozen=True)
class Task:
    """A coarse yes/no question about the grade: is MES >= ``cut``?

    ``cut`` is 1, 2 or 3. The remission / active question of the paper is ``cut=2``.
    """

    name: str
    cut: int

    def __post_init__(self) -> None:
        if not 1 <= self.cut < GRADES:
            raise ValueError(f"coarse task {self.name!r}: cut must be 1, 2 or 3, not {self.cut}")


ANY = Task("any", 1)
ACTIVE = Task("active", 2)
SEVERE = Task("severe", 3)

GROUPINGS: Mapping[str, tuple[Task, ...]] = {
    "01|23": (ACTIVE,),
    "cumulative": (ANY, ACTIVE, SEVERE),
}
"""Named coarse task groupings. Every grouping asks the ``active`` question."""


@dataclass(frozen=True)
class InputSpec:
    """How a frame is prepared: field of view cropped, squashed to a square, masked, normalised.

    ``size`` is the side in pixels; ``mean`` and ``std`` apply to RGB in 0..1; ``mask`` says whether
    overlays (corners, text, picture-in-picture box) are covered before the network sees the frame.
    """

    size: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    mask: bool = True


@dataclass(frozen=True)
class ModelSpec:
    """The whole shape of a model: trunk name, coarse tasks, input manner."""

    backbone: str
    tasks: tuple[Task, ...] = GROUPINGS["cumulative"]
    input: InputSpec = InputSpec()

    def __post_init__(self) -> None:
        if ACTIVE.cut not in [task.cut for task in self.tasks]:
            raise ValueError("a model must answer the active question (cut 2)")

    @property
    def active_index(self) -> int:
        """Position of the active task (cut 2) among the coarse tasks."""
        return [task.cut for task in self.tasks].index(ACTIVE.cut)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary; the inverse of `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelSpec:
        """Read back what `to_dict` gave. Raises KeyError or ValueError on a malformed dictionary."""
        image = data["input"]
        return cls(
            backbone=str(data["backbone"]),
            tasks=tuple(Task(str(t["name"]), int(t["cut"])) for t in data["tasks"]),
            input=InputSpec(
                size=int(image["size"]),
                mean=_triple(image["mean"]),
                std=_triple(image["std"]),
                mask=bool(image["mask"]),
            ),
        )


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in values)
    return (red, green, blue)
