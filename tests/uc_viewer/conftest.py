"""Fixtures of the viewer's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def model(tiny_bundle: Path) -> Path:
    """A model folder for runs of the viewer: the real engine, too small to be slow."""
    return tiny_bundle
