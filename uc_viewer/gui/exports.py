"""The jobs that write clips and key images. No Qt."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uc_viewer.case import Case, FrameKey, FrameResult, Reading, Unreadable
from uc_viewer.gui.jobs import Saved
from uc_viewer.sources.base import Frame, SourceError
from uc_viewer.sources.gathered import Gathered

if TYPE_CHECKING:
    from mtl_core.preprocess import Box
    from uc_viewer.clips.clip import Written

NOT_WRITTEN = "{0} was not written: {1}"
"""What a clip or key images that came to nothing are told by: the name, and why."""


@dataclass(frozen=True)
class Export:
    """What is to be written, and how.

    ``frames``: of one recording, in order, for a clip; of any file for key images, which go into a folder.
    ``overlay``: with grades and times, else clean. ``crop``: only the field of view, without names.
    """

    frames: Sequence[FrameKey]
    path: Path
    clip: bool = True
    overlay: bool = True
    crop: bool = False


def export(
    sources: Gathered, wanted: Export, results: Mapping[FrameKey, FrameResult], reading: Reading, case: Case
) -> Iterator[Saved | None]:
    """Write a clip or key images; None after every frame. Raises SourceError, which says why not."""
    from uc_viewer.clips import clip  # loads PyAV

    how: dict[str, Any] = {"overlay": wanted.overlay, "crop": wanted.crop, "synthetic": case.synthetic}
    try:
        if wanted.clip:
            if sources.holds(wanted.path):
                raise SourceError("it is a file of this case: choose another name")
            frames, how["field"] = yield from _stretch(sources, wanted)
            writing = clip.write_clip(wanted.path, frames, results, reading, **how)
        else:
            opened = (_opened(sources, key) for key in wanted.frames)
            writing = clip.write_key_frames(wanted.path, opened, results, reading, **how)
        with closing(writing):
            written = yield from _quietly(writing)
    except (clip.ClipError, SourceError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SourceError(NOT_WRITTEN.format(wanted.path.name, why)) from error
    yield Saved(wanted.path, written.frames, len(written.unreadable), written.hidden)


def _stretch(
    sources: Gathered, wanted: Export
) -> Generator[None, None, tuple[Iterator[Frame | Unreadable], Box | None]]:
    """The frames of a clip, and the field of view that all of them are cropped to."""
    from uc_viewer.clips.clip import common_field

    name, indices = wanted.frames[0][0], [index for _, index in wanted.frames]
    recording, some = sources.recording(name), list[np.ndarray]()
    if recording is None:
        raise SourceError(f"{name}: not a recording")
    # One box for all, read off a dozen frames: single ones may have dark rims, or be damaged.
    for index in indices[:: -(-len(indices) // 12)] if wanted.crop else ():
        with suppress(SourceError):
            some.append(recording.reopen(index).image)
        yield None
    return recording.decode(indices), common_field(some) if some else None


def _quietly(writing: Generator[int, None, Written]) -> Generator[None, None, Written]:
    """What becomes of it in the end; None for every count on the way."""
    while True:
        try:
            next(writing)
        except StopIteration as end:
            written: Written = end.value
            return written
        yield None


def _opened(sources: Gathered, key: FrameKey) -> Frame | Unreadable:
    try:
        return sources.reopen(*key)
    except SourceError as error:
        return Unreadable(key[0], str(error), index=key[1])
