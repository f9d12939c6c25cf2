"""Jobs that write clips: never over a file of the case."""

from __future__ import annotations

from pathlib import Path

import clips
import pytest

from uc_viewer.case import Case, Reading
from uc_viewer.gui.exports import Export, export
from uc_viewer.sources.base import SourceError
from uc_viewer.sources.gathered import Gathered
from uc_viewer.sources.listing import Files


def test_a_clip_never_replaces_its_own_recording(tmp_path: Path) -> None:
    path = clips.make_clip(tmp_path / "film", "h264-mp4", 30).path
    before, sources = path.read_bytes(), Gathered()
    sources.add(Files([path]))
    keys = [(path.name, index) for index in range(10)]
    with pytest.raises(SourceError, match="a file of this case"):
        list(export(sources, Export(keys, path), {}, Reading(), Case()))
    assert path.read_bytes() == before
    *_, saved = export(sources, Export(keys, tmp_path / "clip.mp4"), {}, Reading(), Case())
    assert saved is not None
    assert saved.pictures == 10
    sources.close()
