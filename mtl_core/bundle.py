"""A model on disk, as data: a folder with ``model.safetensors`` and ``card.json``, nothing executable.

The card says what the network answers, how its input must look, how its logits are calibrated, what it
was trained on and how well it did. The weights' SHA-256 stands in the card and is checked at load.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtl_core.files import write_whole
from mtl_core.spec import ModelSpec

if TYPE_CHECKING:
    from mtl_core.model import MultiTaskNet

FORMAT = 1
"""Version of the card; a newer one is refused."""
CARD = "card.json"
WEIGHTS = "model.safetensors"

_REQUIRED = ("name", "spec", "calibration", "thresholds", "training", "metrics", "limits", "weights_sha256")
_KINDS: Mapping[str, type] = {
    "name": str, "spec": dict, "calibration": dict, "thresholds": dict, "training": dict, "metrics": dict,
    "limits": list, "weights_sha256": str,
}  # fmt: skip
_FEW_BYTES = 4_000_000
"""No card is larger than this; a larger file is not read."""


class BundleError(Exception):
    """A model folder that cannot be used; the message names it and says what to do."""


def read_card(folder: Path) -> dict[str, Any]:
    """Read and check a bundle's card, without its weights and without torch.

    Raises BundleError when the folder or card is missing, unreadable, of an unknown format version or
    incomplete.
    """
    path = folder / CARD
    name = folder.name
    if not path.is_file():
        raise BundleError(f"model {name!r}: no {CARD} in that folder; give a model folder or a bundled name")
    try:
        if path.stat().st_size > _FEW_BYTES:
            raise BundleError(f"model {name!r}: {CARD} is too large to be a card; restore the model folder")
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise BundleError(
            f"model {name!r}: {CARD} cannot be read ({fault.strerror or fault}); check its permissions"
        ) from fault
    except (ValueError, RecursionError) as fault:
        raise BundleError(
            f"model {name!r}: {CARD} cannot be read ({fault}); restore the model folder"
        ) from fault
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        version = card.get("format") if isinstance(card, dict) else None
        raise BundleError(
            f"model {name!r}: format version {version!r} is unknown (this program reads {FORMAT}); "
            "update the program or choose another model"
        )
    absent = [key for key in _REQUIRED if key not in card]
    if absent:
        raise BundleError(f"model {name!r}: {CARD} lacks {', '.join(absent)}; restore the model folder")
    if card.get("card_sha256") != _digest(card):
        raise BundleError(
            f"model {name!r}: {CARD} is damaged or edited (its SHA-256 differs); restore the model folder"
        )
    odd = [key for key, kind in _KINDS.items() if not isinstance(card[key], kind)]
    if odd:
        raise BundleError(f"model {name!r}: {', '.join(odd)} in {CARD} malformed; restore the model folder")
    return card


def read_spec(card: Mapping[str, Any]) -> ModelSpec:
    """Give the model's shape from its card. Raises BundleError when it makes no sense."""
    try:
        return ModelSpec.from_dict(card["spec"])
    except (KeyError, TypeError, ValueError) as fault:
        raise BundleError(
            f"model {card.get('name')!r}: its spec is malformed ({fault}); restore the model folder"
        ) from fault


def load(folder: Path) -> tuple[dict[str, Any], MultiTaskNet]:
    """Give (card, network in evaluation mode on the CPU, float32), the weights' SHA-256 checked.

    Raises BundleError when the weights are missing, differ from the card by a single byte, or do not fit.
    """
    card = read_card(folder)
    spec = read_spec(card)
    path = folder / WEIGHTS
    if not path.is_file():
        raise BundleError(f"model {folder.name!r}: {WEIGHTS} is missing; restore the model folder")
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise BundleError(
            f"model {folder.name!r}: {WEIGHTS} cannot be read ({fault.strerror or fault}); "
            "check its permissions"
        ) from fault
    if hashlib.sha256(data).hexdigest() != card["weights_sha256"]:
        raise BundleError(
            f"model {folder.name!r}: {WEIGHTS} is damaged (its SHA-256 differs from the card); "
            "restore the model folder, nothing was scored"
        )
    from safetensors import SafetensorError
    from safetensors.torch import load as read_tensors

    from mtl_core.model import MultiTaskNet

    try:
        network = MultiTaskNet(spec)
        state = {key: value.float() for key, value in read_tensors(data).items()}
        for key, value in network.state_dict().items():
            if key.endswith("num_batches_tracked"):
                state.setdefault(key, value)
        network.load_state_dict(state)
    except (SafetensorError, RuntimeError, ValueError) as fault:
        first = str(fault).splitlines()[0]
        raise BundleError(
            f"model {folder.name!r}: {WEIGHTS} does not fit the card ({first}); restore the model folder"
        ) from fault
    return card, network.eval()


def write(
    folder: Path, network: MultiTaskNet, card: Mapping[str, Any], *, half: bool = True
) -> dict[str, Any]:
    """Write a bundle, weights first, each file whole or not at all; returns the card as written.

    ``half`` stores float16, half the size; weights are read back as float32. ``format``, ``name``,
    ``spec`` and ``weights_sha256`` are filled in here.
    """
    import torch
    from safetensors.torch import save

    kind = torch.float16 if half else torch.float32
    state = {
        key: value.detach().cpu().to(kind).contiguous()
        for key, value in network.state_dict().items()
        if value.is_floating_point()
    }
    data = save(state)
    full = {
        "format": FORMAT,
        "name": folder.name,
        **card,
        "spec": network.spec.to_dict(),
        "weights_sha256": hashlib.sha256(data).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / WEIGHTS, data)
    write_whole(folder / CARD, card_bytes(full))
    return full


def write_network(path: Path, network: MultiTaskNet) -> None:
    """Write a network alone, in full precision, its shape inside: an intermediate, not a model to ship."""
    from safetensors.torch import save

    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    write_whole(path, save(state, {"spec": json.dumps(network.spec.to_dict())}))


def read_network(path: Path) -> MultiTaskNet:
    """Read what `write_network` wrote, in evaluation mode on the CPU. Raises BundleError."""
    from safetensors import SafetensorError, safe_open

    from mtl_core.model import MultiTaskNet

    try:
        with safe_open(path, "pt") as handle:
            spec = ModelSpec.from_dict(json.loads((handle.metadata() or {})["spec"]))
            state = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118
        network = MultiTaskNet(spec)
        network.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as fault:
        first = str(fault).splitlines()[0]
        raise BundleError(
            f"{path.name}: not a network kept by crossval ({first}); run crossval --keep"
        ) from fault
    return network.eval()


def card_bytes(card: Mapping[str, Any]) -> bytes:
    """A card as it is written to disk, with the SHA-256 of its other entries under ``card_sha256``.

    Raises ValueError for a number that JSON has no word for.
    """
    signed = {**card, "card_sha256": _digest(card)}
    return (json.dumps(signed, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _digest(card: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in card.items() if key != "card_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
