"""A stretch of a recording as mp4, with an overlay or clean.

The picture of a burned clip stays free; grades, time and segment stand in a band below it. Nothing of the
source's metadata is copied. Key frames of the same looks: `write_key_frames`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.packet import Packet
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from mtl_core.files import replacing
from mtl_core.preprocess import Box
from uc_viewer.case import FrameKey, FrameResult, Reading
from uc_viewer.clips.burning import Burn as Burn
from uc_viewer.clips.burning import Burner, Layout, visible_field
from uc_viewer.clips.burning import ClipError as ClipError
from uc_viewer.clips.burning import Written as Written
from uc_viewer.clips.burning import common_field as common_field
from uc_viewer.clips.key_frames import write_key_frames as write_key_frames
from uc_viewer.clips.mark_drawing import SYNTHETIC
from uc_viewer.paths import intended_use
from uc_viewer.report.wording import clock
from uc_viewer.sources.base import Frame, Unreadable

TICKS = 90_000
"""Ticks of the clip's clock per second: the times of every usual container are whole numbers of them."""

UNTIMED = 1 / 25
"""Seconds for which a frame without a time is shown."""

_CODEC: Literal["libx264"] = "libx264"

_BT709 = 1
"""Number of this standard among matrices, primaries and transfer functions alike."""

_OPTIONS = {
    # Hardly to be told from the source.
    "crf": "18",
    "preset": "veryfast",
    # Frames in order of presentation: every player steps through them exactly and begins at 0.
    "bf": "0",
    # A full picture every so many frames: quick to seek.
    "g": "50",
}

_PLAIN = Burn()


def write_clip(
    path: Path,
    frames: Iterable[Frame | Unreadable],
    results: Mapping[FrameKey, FrameResult],
    reading: Reading,
    *,
    overlay: bool,
    crop: bool,
    burn: Burn = _PLAIN,
    synthetic: bool = False,
    field: Box | None = None,
) -> Generator[int, None, Written]:
    """Write every frame of a stretch, in order and at its own time, as H.264 in mp4.

    Yields after every item how many frames were written so far and returns what became of all. The first
    frame stands at 0; its time in the recording is said in the file's comment, with the research-use
    sentence. With ``overlay`` a band below the picture shows what ``burn`` says; results and readings of
    frames outside the stretch count as well, see `uc_viewer.clips.frame_marks`. ``synthetic``: the case was
    drawn by a program, which is said.

    With ``crop`` only the field of view is shown: ``field`` in all frames (see `common_field`), else that of
    the first frame in which it is seen. A frame in which none is seen is black. The reader's remarks are left
    out. Text burned over the mucosa itself stays: cover it in ``frames``, or look the clip through.

    The file appears whole or not at all. Closing the generator closes ``frames`` and leaves nothing. Raises
    ClipError when there is no frame, or no field of view to crop to, or no H.264; OSError.
    """
    shown = burn if overlay else None
    stretch = _Stretch(Burner(results, reading, shown, remarks=not crop), shown, crop, field, synthetic)
    items = iter(frames)
    count = 0
    try:
        with _encoding(path, synthetic) as encoder:
            for laid_out in stretch.pictures(items):
                if laid_out is not None:
                    frame, picture = laid_out
                    encoder.add(picture, frame.pts_seconds)
                    count += 1
                yield count
            if not count:
                raise ClipError(stretch.why_empty())
    finally:
        if close := getattr(items, "close", None):
            close()
    return stretch.written(count)


class _Stretch:
    """Lays out the frames of a stretch, and knows what became of them."""

    def __init__(
        self, burner: Burner, burn: Burn | None, crop: bool, field: Box | None, synthetic: bool
    ) -> None:
        self._burner, self._burn = burner, burn
        self._crop, self._field, self._synthetic = crop, field, synthetic
        self._unreadable: list[Unreadable] = []
        self._waiting: deque[Frame] = deque()
        self._layout: Layout | None = None

    def pictures(self, items: Iterable[Frame | Unreadable]) -> Iterator[tuple[Frame, np.ndarray] | None]:
        """Every frame with its picture, in order; None for an item that gives none, or none yet."""
        for item in items:
            if isinstance(item, Unreadable):
                self._unreadable.append(item)
                yield None
                continue
            layout = self._layout = self._layout or self._begin(item)
            if layout is None:
                # Nothing of it will be shown, so that only its size is kept, however many there are.
                self._waiting.append(replace(item, image=_black(item.image)))
                yield None
                continue
            while self._waiting:
                early = self._waiting.popleft()
                yield early, layout.lay_out(early, None, self._burner.marks(early))
            yield item, layout.lay_out(item, self._burner.heated(item), self._burner.marks(item))

    def written(self, count: int) -> Written:
        """What became of the frames."""
        fitted, hidden = (self._layout.fitted, self._layout.hidden) if self._layout else (0, 0)
        return Written(count, tuple(self._unreadable), fitted, hidden)

    def why_empty(self) -> str:
        """Why there was no picture, and what to do."""
        if self._waiting:
            return (
                "no field of view is seen in this stretch, so it cannot be cropped: choose one that shows "
                "the bowel, or write it without cropping"
            )
        if self._unreadable:
            return f"none of the frames could be decoded: {self._unreadable[0].reason}"
        return "there is no frame in this stretch: choose a longer one"

    def _begin(self, frame: Frame) -> Layout | None:
        box = (self._field or visible_field(frame.image)) if self._crop else None
        if self._crop and box is None:
            return None
        return Layout(frame.image, box, self._burn, self._synthetic)


def _black(image: np.ndarray) -> np.ndarray:
    """A black picture of the same size that takes up no memory."""
    return np.broadcast_to(np.zeros(1, np.uint8), image.shape)


class _Encoder:
    """Writes pictures of one size as H.264 into an mp4 whose index stands at its beginning."""

    def __init__(self, draft: str, synthetic: bool) -> None:
        # The whole path: FFmpeg takes what stands before a colon for a protocol. The format: the name of a
        # draft does not tell it.
        self._container = av.open(
            os.path.abspath(draft), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._synthetic = synthetic
        self._stream: VideoStream | None = None
        self._start = 0.0
        self._last = -1
        self._gap = round(UNTIMED * TICKS)

    def add(self, picture: np.ndarray, seconds: float | None) -> None:
        """Append a picture shown from this time on. Raises ClipError, OSError."""
        with _as_clip_error():
            if self._stream is None:
                self._stream = self._begin(picture, seconds)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            frame.pts, frame.time_base = self._tick(seconds), Fraction(1, TICKS)
            self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what is left. Raises ClipError, OSError."""
        with _as_clip_error():
            if self._stream is not None:
                self._mux(self._stream.encode())
            self._container.close()

    def abandon(self) -> None:
        """Let go of the file, whatever became of it."""
        with suppress(av.FFmpegError):
            self._container.close()

    def _begin(self, picture: np.ndarray, seconds: float | None) -> VideoStream:
        self._container.metadata["comment"] = _comment(seconds, self._synthetic)
        self._start = seconds or 0.0
        stream = self._container.add_stream(_CODEC, rate=round(1 / UNTIMED), options=dict(_OPTIONS))
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        # Said, or players guess by the size, and reds shift.
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        return stream

    def _tick(self, seconds: float | None) -> int:
        """When the next picture is due; always later than the one before."""
        gap = self._gap if self._last >= 0 else 0
        due = self._last + gap if seconds is None else round((seconds - self._start) * TICKS)
        due = max(due, self._last + 1)
        if self._last >= 0:
            self._gap = due - self._last
        self._last = due
        return due

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            # Counts for the last one: it stays for as long as the one before.
            packet.duration = self._gap
            self._container.mux(packet)


@contextmanager
def _encoding(path: Path, synthetic: bool) -> Iterator[_Encoder]:
    """An encoder whose file becomes ``path`` when the block ends well."""
    with replacing(path) as draft:
        encoder = _Encoder(draft.name, synthetic)
        try:
            yield encoder
            encoder.finish()
        except BaseException:
            encoder.abandon()
            raise


@contextmanager
def _as_clip_error() -> Iterator[None]:
    """Say what FFmpeg cannot do as a `ClipError`; what the system refuses stays an OSError."""
    try:
        yield
    except UnknownCodecError as error:
        raise ClipError(
            "the installed PyAV cannot write H.264: install the av package from PyPI, which can"
        ) from error
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise ClipError(f"the clip could not be encoded: {error}") from error


def _comment(seconds: float | None, synthetic: bool) -> str:
    parts = [intended_use()]
    if synthetic:
        parts.append(f"{SYNTHETIC}.")
    if seconds is not None:
        parts.append(f"Starts at {clock(seconds)} of the recording.")
    return " ".join(parts)
