"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images beside the checkout; absent for most users, required in CI."""
    folder = ROOT.parent / "shared" / "data"
    if not (folder / "labels.csv").is_file():
        if os.environ.get("CI"):
            pytest.fail("../shared/data is missing, and CI must have it")
        pytest.skip("needs the real images of ../shared/data, which are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real model folder with random weights at 64 px: everything but the training."""
    import torch

    from mtl_core import bundle
    from mtl_core.model import MultiTaskNet
    from mtl_core.spec import InputSpec, ModelSpec

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    card = {
        "calibration": {
            "temperature": 1.5, "active_scale": 0.8, "margin_scale": 0.1, "active_bias": 0.0,
            "threshold": 0.4, "sensitivity": 0.95, "ordinal": 0.2,
        },
        "thresholds": {"active": 0.4, "sensitivity": 0.95},
        "training": {"command": "none, random weights", "data": "none"},
        "metrics": {},
        "limits": ["random weights: for tests only"],
        "attribution": [],
        "code_version": "test",
        "labels": ["MES 0", "MES 1", "MES 2", "MES 3"],
    }  # fmt: skip
    network = MultiTaskNet(ModelSpec("mobilenet_v3_large", input=InputSpec(size=64)))
    bundle.write(folder, network, card)
    return folder
