"""The course of a training as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from mtl_core.files import write_whole


def draw_curves(curves: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a PNG: training loss per epoch and, where there was validation, its QWK."""
    figure = Figure(figsize=(6, 3.6), dpi=150, layout="constrained")
    left = figure.subplots()
    epochs = [record["epoch"] + 1 for record in curves]
    left.plot(epochs, [record["loss"] for record in curves], "o-", color="#57106E", label="training loss")
    left.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
    scored = [record for record in curves if record["validation_qwk"] is not None]
    if scored:
        right = left.twinx()
        right.plot(
            [record["epoch"] + 1 for record in scored],
            [record["validation_qwk"] for record in scored],
            "s--",
            color="#CE8B49",
        )
        right.set(ylabel="validation QWK (dashed)", ylim=(min(0, *(r["validation_qwk"] for r in scored)), 1))
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_whole(path, picture.getvalue())
