"""Recordings made by code: every frame carries its number in its pixels, and its true time is known.

``make_clip`` writes one of ``KINDS``, ``kept`` does so once per folder. The number of a frame survives lossy
coding, scaling and deinterlacing, so a test can tell which frame it was really given. The functions at the
end make recordings that are broken, each in one way; those that change a file do so in place: hand them a
``copy_of`` a clip.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

BITS = 16
CELLS = BITS + 2
"""Cells along the bottom: sixteen bits, then the parity of the even and of the odd ones."""
STRIP = 1 / 8
"""Share of the height that the two rows of cells take: the bits above, their opposites below."""
PATTERN_MS = (40, 20, 40, 100, 33, 40, 7, 250, 40, 50)
"""Durations of frames in a recording of varying rate, over and over."""


@dataclass(frozen=True)
class Kind:
    """How a recording is coded and packed.

    ``starts``: what its container makes of time 0, in seconds. ``stamped``: the frames that a decoder gives
    carry their true times; those of H.264 in avi carry the order of decoding.
    """

    suffix: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    gop: int = 50
    b_frames: int = 0
    varied: bool = False
    interlaced: bool = False
    starts: float = 0.0
    stamped: bool = True


X264 = {"preset": "ultrafast", "crf": "24", "bf": "2", "b-adapt": "0", "sc_threshold": "0"}
MPEG = {"b": "2500000", "sc_threshold": "1000000000"}
X265 = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=50:bframes=2:b-adapt=0:scenecut=0"}

KINDS: dict[str, Kind] = {
    "h264-mp4": Kind(".mp4", "libx264", X264, b_frames=2),
    "h264-vfr-mp4": Kind(".mp4", "libx264", X264, b_frames=2, varied=True),
    "h264-vfr-mkv": Kind(".mkv", "libx264", X264, b_frames=2, varied=True),
    "h264-mov": Kind(".mov", "libx264", X264, b_frames=2),
    "h264-ts": Kind(".ts", "libx264", X264, b_frames=2, starts=0.08),
    "h264-open-gop": Kind(".ts", "libx264", X264 | {"x264-params": "open-gop=1"}, b_frames=2, starts=0.08),
    "h264-interlaced": Kind(".mp4", "libx264", X264, b_frames=2, interlaced=True),
    "hevc-mkv": Kind(".mkv", "libx265", X265, b_frames=2),
    "mpeg2-ps": Kind(".mpg", "mpeg2video", MPEG, gop=15, b_frames=2, starts=0.54),
    "mpeg2-interlaced": Kind(".mpg", "mpeg2video", MPEG, gop=15, b_frames=2, interlaced=True, starts=0.54),
    "mpeg4-avi": Kind(".avi", "mpeg4", MPEG, b_frames=2, starts=0.04),
    "h264-avi": Kind(".avi", "libx264", X264, b_frames=2, starts=0.04, stamped=False),
    "wmv": Kind(".wmv", "wmv2", MPEG),
    "mjpeg-avi": Kind(".avi", "mjpeg", {"q": "4"}, "yuvj420p", gop=1),
    "mjpeg-mov": Kind(".mov", "mjpeg", {"q": "4"}, "yuvj420p", gop=1),
}


@dataclass(frozen=True)
class Clip:
    """A recording and the truth about it: the time of frame ``n`` is ``times[n]``, in seconds."""

    path: Path
    kind: str
    times: list[float]
    fps: int


@cache
def _texture() -> NDArray[np.uint8]:
    """A tiling pattern of soft spots and sharp grain in the colours of a bowel, 1024 x 1024 x 3."""
    rng = np.random.default_rng(5)
    tile = np.zeros((1024, 1024, 3), np.float32)
    for cells, weight in ((16, 50), (64, 25), (256, 12)):
        noise = rng.standard_normal((cells, cells, 3)).astype(np.float32)
        noise += 1.5 * noise[..., :1]
        tile += weight * cv2.resize(noise, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    return np.clip(tile * 0.6 + (165, 95, 75), 0, 255).astype(np.uint8)


def _background(moment: float, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The moving texture at a moment, counted in frames, with a disc of it that moves another way."""
    width, height = size
    radius = height // 6
    x = round(width * 0.5 + width * 0.3 * np.sin(moment / 13)) - radius
    y = round(height * 0.4) - radius
    view = _piece(round(300 + 4 * moment), round(200 + 60 * np.sin(moment / 9)), width, height)
    disc = view[y : y + 2 * radius, x : x + 2 * radius]
    other = _piece(round(100 - 2 * moment), round(500 + 3 * moment), 2 * radius, 2 * radius)
    cv2.copyTo(other, _disc(radius), disc)
    return view


def _piece(x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
    """A piece of the texture, which goes on for ever."""
    tile = _texture()
    x, y = x % len(tile), y % len(tile)
    down, right = -(-(y + height) // len(tile)), -(-(x + width) // len(tile))
    if down > 1 or right > 1:
        tile = np.tile(tile, (down, right, 1))
    return tile[y : y + height, x : x + width].copy()


@cache
def _disc(radius: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[-radius:radius, -radius:radius]
    return (255 * (np.hypot(x, y) < radius)).astype(np.uint8)


def _cells(number: int) -> list[bool]:
    bits = [bool(number >> bit & 1) for bit in reversed(range(BITS))]
    return [*bits, sum(bits[0::2]) % 2 == 1, sum(bits[1::2]) % 2 == 1]


def draw(number: int, size: tuple[int, int] = (320, 240), interlaced: bool = False) -> NDArray[np.uint8]:
    """Frame ``number``, uint8 H x W x 3 RGB. Interlaced: its lower field was seen half a frame later."""
    if not 0 <= number < 1 << BITS:
        raise ValueError(f"frame number {number} does not fit into {BITS} bits")
    width, height = size
    picture = _background(number, size)
    if interlaced:
        picture[1::2] = _background(number + 0.5, size)[1::2]
    scale = height / 110
    place = (round(width * 0.04), round(height * 0.22))
    for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        thickness = max(1, round(thick * scale))
        cv2.putText(picture, f"{number:05d}", place, cv2.FONT_HERSHEY_SIMPLEX, scale / 2, colour, thickness)
    top, middle = round(height * (1 - STRIP)), round(height * (1 - STRIP / 2))
    for cell, white in enumerate(_cells(number)):
        left, right = round(cell * width / CELLS), round((cell + 1) * width / CELLS)
        picture[top:middle, left:right] = 255 if white else 0
        picture[middle:, left:right] = 0 if white else 255
    return picture


def read_number(rgb: NDArray[np.uint8]) -> int:
    """The number drawn into an upright picture, uint8 H x W x 3, of any size.

    Raises ValueError where a cell is neither black nor white, or the parity is wrong: a damaged picture,
    or a blend of several.
    """
    height, width = rgb.shape[:2]
    levels = np.empty((2, CELLS))
    for row in range(2):
        # the middle of a cell only: lossy coding blurs its border
        rows = _middle(height * (1 - STRIP + row * STRIP / 2), height * STRIP / 2)
        for cell in range(CELLS):
            levels[row, cell] = rgb[rows, _middle(cell * width / CELLS, width / CELLS)].mean()
    unclear = np.abs(levels[0] - levels[1]) < 128
    if unclear.any():
        raise ValueError(f"no number can be read: cells {np.flatnonzero(unclear).tolist()} are unclear")
    seen = (levels[0] > levels[1]).tolist()
    number = int("".join("1" if bit else "0" for bit in seen[:BITS]), 2)
    if seen != _cells(number):
        raise ValueError(f"no number can be read: the parity of {number} is wrong")
    return number


def _middle(start: float, length: float) -> slice:
    """The pixels of the middle half of a stretch, at least one."""
    first = round(start + 0.25 * length)
    return slice(first, max(first + 1, round(start + 0.75 * length)))


def instants(kind: Kind, frames: int, fps: int) -> tuple[Fraction, list[int]]:
    """The unit of time a recording is written in, in seconds, and the time of every frame in it."""
    if not kind.varied:
        return Fraction(1, fps), list(range(frames))
    at, all_of_them = 0, []
    for number in range(frames):
        all_of_them.append(at)
        at += PATTERN_MS[number % len(PATTERN_MS)]
    return Fraction(1, 1000), all_of_them


def _coded(pictures: Iterator[NDArray[np.uint8]], kind: Kind) -> Iterator[av.VideoFrame]:
    """Pictures as frames in the pixel format of ``kind``, marked top field first where interlaced."""
    graph, reformatter = None, VideoReformatter()
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = reformatter.reformat(frame, format=kind.pixels)
        if kind.interlaced:
            if graph is None:
                graph = av.filter.Graph()
                source = graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
                )
                graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink")).configure()
            graph.push(frame)
            frame = graph.pull()
        yield frame


def write_clip(
    path: Path,
    kind: Kind,
    pictures: Iterator[NDArray[np.uint8]],
    size: tuple[int, int],
    fps: int,
    at: Sequence[int],
    base: Fraction,
) -> None:
    """Code ``pictures`` (uint8 H x W x 3 RGB) at the times ``at``, in units of ``base`` seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(kind.codec, rate=fps, options=dict(kind.options))
        stream.width, stream.height = size
        stream.pix_fmt = kind.pixels
        stream.codec_context.time_base = base
        stream.codec_context.gop_size = kind.gop
        stream.codec_context.max_b_frames = kind.b_frames
        stream.codec_context.thread_count = 1
        if kind.interlaced:
            stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        for frame, time in zip(_coded(pictures, kind), at, strict=True):
            frame.pts, frame.time_base = time, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def make_clip(
    path: Path,
    kind: str,
    frames: int = 400,
    fps: int = 25,
    size: tuple[int, int] = (320, 240),
    numbered: Callable[[int], int] = lambda number: number,
    late: float = 0.0,
) -> Clip:
    """Write a recording of one of ``KINDS`` beside ``path``, with the suffix of its container.

    ``numbered`` says which number (and so which picture) frame ``n`` shows. ``late`` seconds are added to
    the times of all frames.
    """
    how = KINDS[kind]
    path = path.with_suffix(how.suffix)
    base, at = instants(how, frames, fps)
    at = [time + round(late / base) for time in at]
    pictures = (draw(numbered(number), size, how.interlaced) for number in range(frames))
    write_clip(path, how, pictures, size, fps, at, base)
    return Clip(path, kind, [float(time * base) + how.starts for time in at], fps)


@cache
def kept(folder: Path, kind: str, frames: int = 400) -> Clip:
    """A clip in ``folder``, written when it is first asked for; never to be changed, see `copy_of`."""
    return make_clip(folder / f"{kind}-{frames}", kind, frames)


def copy_of(clip: Clip, folder: Path) -> Path:
    """A copy that may be broken."""
    return Path(shutil.copy(clip.path, folder))


def truncate(path: Path, share: float) -> Path:
    """Keep the first ``share`` of the bytes, as a recorder does that lost power. An mp4 loses its index."""
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    return path


def damage(path: Path, where: float = 0.5, count: int = 400) -> Path:
    """Overwrite ``count`` bytes with noise inside the packet at the share ``where`` of the file.

    The first bytes of the packet stay; where it is too short the noise runs on into the next ones.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        places = sorted(p.pos for p in container.demux(stream) if p.size and p.pos is not None)
    aim = path.stat().st_size * where
    start = max(place for place in places if place <= max(aim, places[0])) + 64
    noise = np.random.default_rng(9).integers(0, 256, count, np.uint8).tobytes()
    with path.open("r+b") as file:
        file.seek(start)
        file.write(noise[: path.stat().st_size - start])
    return path


def audio_only(path: Path, seconds: int = 2) -> Path:
    """A recording of a hum and no picture, in a container chosen by the suffix (mp4, mkv)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        for start in range(0, seconds * 8000, 1024):
            hum = np.sin(np.arange(start, start + 1024) / 20, dtype=np.float32)[None]
            frame = av.AudioFrame.from_ndarray(hum, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def no_frames(path: Path) -> Path:
    """A container that promises a video and holds not one packet of it; best seen in an avi."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 320, 240
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    return path


def rotated(path: Path, degrees: int) -> Path:
    """Tell the player of an mp4 or mov to turn the picture clockwise by 90, 180 or 270 degrees."""
    turns = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    a, b, c, d = (value << 16 for value in turns[degrees])
    # 16.16 numbers; the third column holds 2.30 numbers (ISO/IEC 14496-12, 8.3.2)
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return _patch(path, b"tkhd", 40, matrix)


def _patch(path: Path, box: bytes, offset: int, value: bytes) -> Path:
    """Overwrite bytes in the first ``box`` of an mp4, ``offset`` bytes after its name."""
    data = bytearray(path.read_bytes())
    # the index follows the pictures, in which the name could occur by chance
    start = data.index(box, data.rindex(b"moov")) + 4 + offset
    data[start : start + len(value)] = value
    path.write_bytes(data)
    return path


def late_start(path: Path, kind: str = "h264-vfr-mkv", frames: int = 100) -> Clip:
    """A recording whose first frame is shown ten seconds after the clock's zero."""
    return make_clip(path, kind, frames, late=10.0)


def absurd_header(path: Path) -> Path:
    """Let an mp4 claim a picture of 30000 x 30000, an mkv a length of 1000 hours; the packets stay sound.

    An mp4 claims the length as well, as far as its 32 bits reach.
    """
    if path.suffix == ".mkv":
        data = path.read_bytes()
        start = data.index(b"\x44\x89\x88") + 3
        path.write_bytes(data[:start] + struct.pack(">d", 1000 * 3600 * 1000.0) + data[start + 8 :])
        return path
    _patch(path, b"tkhd", 76, struct.pack(">II", 30000 << 16, 30000 << 16))
    _patch(path, b"avc1", 24, struct.pack(">HH", 30000, 30000))
    for box in (b"mvhd", b"mdhd"):
        (scale,) = struct.unpack(">I", _read(path, box, 12, 4))
        _patch(path, box, 16, struct.pack(">I", min(1000 * 3600 * scale, 2**32 - 2)))
    return path


def huge_pictures(path: Path, width: int = 8000, height: int = 6000) -> Path:
    """An avi of two grey pictures of that many pixels, which are really there, in less than a megabyte."""
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25, options={"q": "31"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        stream.codec_context.thread_count = 1
        for number in range(2):
            frame = av.VideoFrame.from_ndarray(planes, format="yuvj420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _read(path: Path, box: bytes, offset: int, count: int) -> bytes:
    data = path.read_bytes()
    start = data.index(box, data.rindex(b"moov")) + 4 + offset
    return data[start : start + count]


def frozen_clip(path: Path, kind: str = "h264-mp4", fps: int = 25) -> Clip:
    """Two seconds that move, two of one picture, two that move; a picture shows the number it began as."""
    still = 2 * fps

    def shown(number: int) -> int:
        return still if still <= number < 2 * still else number

    return make_clip(path, kind, 3 * still, fps, numbered=shown)
