"""Where the numbers of a report come from: a run's provenance as lines to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from uc_viewer.case import Run
from uc_viewer.report.inputs import damaged, inputs
from uc_viewer.report.wording import duration, plural, printable

NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Fact:
    """A label and what stands beside it."""

    label: str
    value: str


def application(provenance: Mapping[str, Any]) -> str:
    """Name and version of the application, ``"UC Viewer"`` alone where the run does not say."""
    name = find(provenance, "app.name", "application") or "UC Viewer"
    version = find(provenance, "app.version", "app_version", "versions.uc_viewer", "versions.app", "version")
    return printable(f"{name} {version}" if version else str(name), 80)


def weights_sha256(provenance: Mapping[str, Any]) -> str:
    """SHA-256 of the model's weights in hexadecimal, empty where the run does not say."""
    value = find(provenance, "model.weights_sha256", "weights_sha256", "model_sha256", "model.sha256")
    return printable(str(value or ""), 64)


def active_threshold(provenance: Mapping[str, Any]) -> str:
    """The conservative threshold on P(active) as printed, empty where the run does not say."""
    value = find(provenance, "thresholds.active", "model.thresholds.active")
    return f"{value:.3f}" if isinstance(value, float) else printable(str(value or ""), 20)


def limits(provenance: Mapping[str, Any]) -> tuple[str, ...]:
    """The model's limits, one sentence each."""
    value = find(provenance, "limits", "model.limits", "card.limits")
    if isinstance(value, str):
        value = [value]
    return tuple(printable(str(line), 600) for line in value or ())


def facts(run: Run) -> tuple[Fact, ...]:
    """The lines of the provenance block; what must be there and the run does not say is "not recorded"."""
    p = run.provenance
    weights = weights_sha256(p)
    lines = [
        ("Application", application(p)),
        ("Model", find(p, "model.name", "model_name", "model")),
        ("Backbone", find(p, "model.backbone", "model.spec.backbone", "spec.backbone", "backbone")),
        ("Weights SHA-256", weights[:12]),
        (
            "Training data",
            find(p, "model.training.data", "model.training_data", "training.data", "training_data"),
        ),
        ("Inputs", _inputs(run)),
        ("Device", _device(p)),
        ("Sampling", find(p, "sampling") or _unsaid_sampling(run)),
        ("Thresholds", find(p, "thresholds", "model.thresholds")),
        ("Quality rules", find(p, "quality_rules", "quality.rules", "quality")),
        ("Timing", _timing(run)),
    ]
    told = [Fact(label, line(value) or NOT_RECORDED) for label, value in lines]
    extras = [
        ("Libraries", find(p, "versions")),
        ("Attribution", find(p, "model.attribution", "attribution")),
    ]
    return (*told, *(Fact(label, line(value)) for label, value in extras if line(value)))


def _unsaid_sampling(run: Run) -> str:
    return "" if inputs(run).recordings else "every picture given, as chosen by the endoscopist"


def find(provenance: Mapping[str, Any], *paths: str) -> Any:
    """The first value found under one of the dotted ``paths``; None where none is there."""
    for path in paths:
        value: Any = provenance
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None and value != "":
            return value
    return None


def line(value: Any) -> str:
    """A JSON-ready value as one printable line."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return printable(", ".join(f"{_label(k)} {line(v)}" for k, v in value.items() if line(v)), 600)
    if isinstance(value, list | tuple):
        return printable("; ".join(line(v) for v in value), 600)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value), 600)


def _label(key: object) -> str:
    return str(key).replace("_", " ")


def _inputs(run: Run) -> str:
    manifest = str(find(run.provenance, "manifest_sha256", "inputs.manifest_sha256") or NOT_RECORDED)
    return f"{_found(run)} found, manifest SHA-256 {printable(manifest, 64)[:12]}"


def _found(run: Run) -> str:
    """How many files there were; of recordings also how many frames were to be looked at."""
    kinds = inputs(run)
    if not kinds.recordings:
        return plural(run.expected, "file")
    sampled = {facts.source_file: facts.sampled for facts in run.recordings}
    lost = damaged(run)
    for name in kinds.recordings:  # where the run does not say, those that came
        if name not in sampled:
            sampled[name] = sum(r.source_file == name for r in run.results) + len(lost.get(name, ()))
    frames = sum(sampled[name] for name in kinds.recordings)
    told = f"{plural(len(kinds.recordings), 'recording')} with {plural(frames, 'sampled frame')}"
    others = run.expected - frames
    return f"{told}, {plural(others, 'other file')}" if others > 0 else told


def _device(provenance: Mapping[str, Any]) -> str:
    device = find(provenance, "device.name", "device.device", "device")
    reason = find(provenance, "device.reason", "device_reason")
    return f"{line(device)} ({line(reason)})" if device and reason else line(device)


def _timing(run: Run) -> str:
    """How long the run took, and the parts of it where the run says."""
    parts = find(run.provenance, "timings", "timing")
    try:
        whole = datetime.fromisoformat(run.finished) - datetime.fromisoformat(run.started)
    except (ValueError, TypeError):  # another time format, or only one of the two with an offset
        return line(parts)
    spent = duration(max(0.0, whole.total_seconds()))
    return f"{spent} ({line(parts)})" if parts else spent
