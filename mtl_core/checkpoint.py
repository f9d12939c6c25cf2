"""A training as one safetensors file, from which it goes on after a kill: tensors by part and plain facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from mtl_core.files import write_whole

Parts = dict[str, dict[str, torch.Tensor]]
"""Tensors by the part they belong to and their name in it."""


def write_checkpoint(
    path: Path, parts: Mapping[str, Mapping[str, torch.Tensor]], facts: Mapping[str, Any]
) -> None:
    """Write tensors and JSON-ready facts, whole or not at all. A part's name holds no slash."""
    plain = {
        f"{part}/{name}": tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, save(plain, {"facts": json.dumps(facts)}))


def read_checkpoint(path: Path) -> tuple[Parts, dict[str, Any]]:
    """Read what `write_checkpoint` wrote."""
    parts: Parts = {}
    with safe_open(path, "pt") as handle:
        facts: dict[str, Any] = json.loads(handle.metadata()["facts"])
        for key in handle.keys():  # noqa: SIM118 - not a mapping
            part, _, name = key.partition("/")
            parts.setdefault(part, {})[name] = handle.get_tensor(key)
    return parts, facts
