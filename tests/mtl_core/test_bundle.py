from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mtl_core import bundle
from mtl_core.bundle import BundleError
from mtl_core.files import write_whole


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "copied"))


def change(folder: Path, **values: Any) -> None:
    path = folder / "card.json"
    path.write_bytes(bundle.card_bytes(json.loads(path.read_text()) | values))


def test_round_trip_gives_the_same_answers(tiny_bundle: Path) -> None:
    card, network = bundle.load(tiny_bundle)
    assert card["name"] == "tiny"
    assert network.spec == bundle.read_spec(card)
    _, again = bundle.load(tiny_bundle)
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(network(x).fine, again(x).fine)
    assert all(v.dtype in (torch.float32, torch.int64) for v in network.state_dict().values())


def test_one_flipped_byte_is_refused(copy: Path) -> None:
    path = copy / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"'copied': model\.safetensors is damaged .*nothing was scored"):
        bundle.load(copy)


def test_a_changed_card_is_refused_unless_signed(copy: Path) -> None:
    path = copy / "card.json"
    path.write_text(path.read_text().replace('"threshold": 0.4', '"threshold": 0.9'))
    with pytest.raises(BundleError, match=r"'copied': card\.json is damaged or edited"):
        bundle.load(copy)


def test_a_card_of_wrong_types_is_refused(copy: Path) -> None:
    change(copy, thresholds=[], limits="none")
    with pytest.raises(BundleError, match=r"thresholds, limits in card\.json malformed"):
        bundle.read_card(copy)


def test_no_permission_is_one_clear_line(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(BundleError, match=r"model\.safetensors cannot be read \(Permission denied\)"):
        bundle.load(copy)
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(BundleError, match=r"card\.json cannot be read \(Permission denied\)"):
        bundle.load(copy)


@pytest.mark.parametrize("version", [2, "1", None, 0])
def test_unknown_format_version_is_refused(copy: Path, version: object) -> None:
    change(copy, format=version)
    with pytest.raises(BundleError, match=r"format version .* is unknown .*; update the program"):
        bundle.load(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', "\ufffd", "[" * 100_000])
def test_malformed_card_is_one_clear_line(copy: Path, text: str) -> None:
    (copy / "card.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        bundle.load(copy)
    assert "'copied'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", [{}, {"backbone": "mobilenet_v3_large"}, {"backbone": "x", "tasks": 3}])
def test_malformed_spec_is_refused(copy: Path, spec: object) -> None:
    change(copy, spec=spec)
    with pytest.raises(BundleError, match="spec is malformed"):
        bundle.load(copy)


def test_unknown_trunk_and_missing_files_are_refused(copy: Path) -> None:
    card = json.loads((copy / "card.json").read_text())
    change(copy, spec=card["spec"] | {"backbone": "resnet999"})
    with pytest.raises(BundleError, match="unknown backbone 'resnet999'"):
        bundle.load(copy)
    change(copy, spec=card["spec"] | {"backbone": "mobilenet_v2"})
    with pytest.raises(BundleError, match="does not fit the card"):
        bundle.load(copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(BundleError, match="is missing"):
        bundle.load(copy)
    with pytest.raises(BundleError, match=r"no card\.json"):
        bundle.read_card(copy / "absent")


def test_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.json"
    write_whole(path, b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtl_core.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_reading_a_card_needs_no_torch(tiny_bundle: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mtl_core import bundle;"
        f"bundle.read_card(Path({str(tiny_bundle)!r})); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
