"""Draws what is said of a frame as a dark band under its picture: the picture itself stays free.

All sizes follow the height of the picture. Chips carry digit, colour and pattern; one of an answer about an
earlier frame is hollow. Text is set in DejaVu Sans and, where that lacks a letter, in a font of the system.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from uc_viewer.clips.frame_marks import FrameMarks, Mark
from uc_viewer.grades import MES, Pattern
from uc_viewer.paths import intended_use
from uc_viewer.report.pdf_fonts import FALLBACK_FILES, _files, _font_folders
from uc_viewer.report.wording import UNPRINTABLE

GROUND = (16, 18, 20)
"""RGB of the band."""

WORDS, QUIET = (242, 242, 244), (160, 167, 174)
"""RGB of text; the second for what is not of this frame and for names of things."""

SYNTHETIC = "SYNTHETIC SAMPLE, not a patient"
"""Said of every picture that was drawn by a program."""

_PICTURE_FONTS = (
    *FALLBACK_FILES,
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJK-Medium.ttc",
    "AppleSDGothicNeo.ttc",
)
"""Fonts for what DejaVu lacks, by preference; unlike a PDF, a picture can use PostScript outlines."""

_FINER = 4
"""Chips are drawn so many times larger and reduced: smooth edges."""


def research_use() -> str:
    """The research-use sentence in its shortest form, its first sentence."""
    return intended_use().partition(".")[0]


@dataclass(frozen=True)
class Band:
    """The band of a clip or a key frame: ``width`` pixels wide, as high as `height` says.

    ``picture_height``: of the picture above it. ``marks``: whether there are lines for answers, time and
    segment above the foot, which is always there.
    """

    width: int
    picture_height: int
    synthetic: bool = False
    marks: bool = True

    @property
    def size(self) -> int:
        """Size of the text in pixels."""
        return max(11, round(min(self.picture_height / 27, self.width / 34)))

    @property
    def height(self) -> int:
        """Height in pixels, even."""
        lines = 2 * self._line + round(0.35 * self.size) if self.marks else 0
        return (lines + self._foot + 1) // 2 * 2

    def draw(self, marks: FrameMarks | None, note: str = "") -> np.ndarray:
        """The band of one frame, uint8 `height` x ``width`` x 3 RGB.

        ``note`` stands in the foot, after the research-use line.
        """
        image = Image.new("RGB", (self.width, self.height), GROUND)
        canvas = ImageDraw.Draw(image)
        if self.marks and marks:
            top = round(0.3 * self.size)
            self._draw_line(image, canvas, top, marks.ai, marks.time, bold=True)
            self._draw_line(image, canvas, top + self._line, marks.reader, marks.segment)
        self._draw_foot(canvas, note)
        return np.asarray(image)

    @property
    def _line(self) -> int:
        return round(1.55 * self.size)

    @property
    def _foot(self) -> int:
        return round(1.45 * self.size)

    @property
    def _margin(self) -> int:
        return round(0.6 * self.size)

    def _draw_line(
        self,
        image: Image.Image,
        canvas: ImageDraw.ImageDraw,
        top: int,
        mark: Mark | None,
        right: str,
        bold: bool = False,
    ) -> None:
        """One line: a mark at the left, a text at the right, which may take half of the room."""
        baseline = top + round(0.5 * self._line + 0.36 * self.size)
        right = fit(right, 0.5 * self.width, self.size, bold)
        end = self.width - self._margin - round(width(right, self.size, bold))
        text(canvas, end, baseline, right, self.size, WORDS, bold)
        if mark:
            self._draw_mark(image, canvas, top, baseline, mark, end - self._margin)

    def _draw_mark(
        self,
        image: Image.Image,
        canvas: ImageDraw.ImageDraw,
        top: int,
        baseline: int,
        mark: Mark,
        end: int,
    ) -> None:
        size, space = self.size, round(0.35 * self.size)
        left = self._margin
        text(canvas, left, baseline, mark.who, size, QUIET)
        # Both names take the same room, so that chips stand below each other.
        left += round(width("Reader", size)) + 2 * space
        for grade in mark.grades:
            drawn = chip(grade, round(1.25 * size), mark.held)
            image.paste(drawn, (left, top + (self._line - drawn.height) // 2), drawn)
            left += drawn.width + space
        colour = QUIET if mark.held else WORDS
        when = f" {mark.when}" if mark.words and mark.when else mark.when
        words = fit(mark.words, end - left - width(when, size), size)
        left = text(canvas, left, baseline, words + when, size, colour)
        if mark.more:
            more = f" · {mark.more}" if mark.words or mark.when else mark.more
            text(canvas, left, baseline, fit(more, end - left, size), size, colour)

    def _draw_foot(self, canvas: ImageDraw.ImageDraw, note: str) -> None:
        size = max(10, round(0.72 * self.size))
        baseline = self.height - round(0.5 * self._foot) + round(0.3 * size)
        end: float = self.width - self._margin
        if self.synthetic:
            words = fit(SYNTHETIC, 0.6 * self.width, size, True)
            end -= width(words, size, True)
            text(canvas, round(end), baseline, words, size, WORDS, True)
            end -= self._margin
        left = text(canvas, self._margin, baseline, research_use(), size, WORDS, True)
        if note:
            text(canvas, left, baseline, fit(f"  ·  {note}", end - left, size), size, QUIET)


@lru_cache(maxsize=64)
def chip(grade: int, height: int, hollow: bool = False) -> Image.Image:
    """A grade as a small RGBA picture: digit on its colour, then its pattern; ``hollow``: an outline only."""
    look = MES[grade]
    wide = round(1.6 * height)
    full_wide, full_high, edge = wide * _FINER, height * _FINER, max(1, height // 12) * _FINER
    ground, ink = (GROUND, look.screen) if hollow else (look.screen, look.screen_ink)
    shape = Image.new("L", (full_wide, full_high), 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, full_wide - 1, full_high - 1), full_high // 7, fill=255)
    face = Image.new("RGB", shape.size, ground)
    canvas = ImageDraw.Draw(face)
    digit_wide = round(0.6 * full_wide)
    _draw_pattern(canvas, look.pattern, (digit_wide, 0, full_wide, full_high), ink)
    canvas.rectangle((0, 0, digit_wide, full_high), fill=ground)
    canvas.text(
        (0.54 * digit_wide, 0.5 * full_high),
        str(grade),
        fill=WORDS if hollow else ink,
        font=_font(str(_dejavu(bold=True)), round(0.8 * full_high)),
        anchor="mm",
    )
    if hollow:
        canvas.rounded_rectangle(
            (0, 0, full_wide - 1, full_high - 1), full_high // 7, outline=look.screen, width=edge
        )
    face.putalpha(shape)
    return face.resize((wide, height), Image.Resampling.BOX)


def _draw_pattern(
    canvas: ImageDraw.ImageDraw,
    pattern: Pattern,
    area: tuple[int, int, int, int],
    ink: str | tuple[int, int, int],
) -> None:
    """Texture of an area: left, top, right, bottom."""
    left, top, right, bottom = area
    high = bottom - top
    step, line = high / 3.2, max(1, round(high / 13))
    if pattern is Pattern.DOTS:
        radius = high / 13
        for row in range(4):
            for column in range(4):
                x = left + (column + (0.5 if row % 2 else 0.0)) * step
                y = top + (row + 0.35) * step * 0.9
                canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    if pattern in (Pattern.HATCH, Pattern.CROSS_HATCH):
        for k in range(round((right - left + high) / step) + 1):
            canvas.line((left + k * step - high, bottom, left + k * step, top), fill=ink, width=line)
    if pattern is Pattern.CROSS_HATCH:
        for k in range(round((right - left + high) / step) + 1):
            canvas.line((left + k * step - high, top, left + k * step, bottom), fill=ink, width=line)


def text(
    canvas: ImageDraw.ImageDraw,
    left: float,
    baseline: int,
    words: str,
    size: int,
    colour: tuple[int, int, int],
    bold: bool = False,
) -> int:
    """Draw one line of text; gives where it ends."""
    for path, piece in _runs(words, bold):
        font = _font(path, size)
        canvas.text((round(left), baseline), piece, fill=colour, font=font, anchor="ls")
        left += font.getlength(piece)
    return round(left)


def width(words: str, size: int, bold: bool = False) -> float:
    """Width of one line of text in pixels."""
    return sum(_font(path, size).getlength(piece) for path, piece in _runs(words, bold))


def fit(words: str, room: float, size: int, bold: bool = False) -> str:
    """``words`` with their end cut until they are at most ``room`` pixels wide."""
    if width(words, size, bold) <= room:
        return words
    least, most = 0, len(words)
    while least < most:
        middle = (least + most + 1) // 2
        if width(words[:middle].rstrip() + "…", size, bold) <= room:
            least = middle
        else:
            most = middle - 1
    return words[:least].rstrip() + "…" if least else ""


def _runs(words: str, bold: bool) -> Iterator[tuple[str, str]]:
    """``words`` in order as pairs of a font's path and the characters it shows."""
    own = str(_dejavu(bold))
    pieces: list[tuple[str, str]] = []
    for character in words:
        path = _font_for(character, own)
        if path is None:
            path, character = own, UNPRINTABLE
        if pieces and (pieces[-1][0] == path or character == " "):
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + character)
        else:
            pieces.append((path, character))
    yield from pieces


@cache
def _font_for(character: str, own: str) -> str | None:
    """Path of a font that shows a character, by preference; None when there is none."""
    if ord(character) in _letters(own):
        return own
    return next((path for path in _fallbacks() if ord(character) in _letters(path)), None)


@cache
def _fallbacks() -> tuple[str, ...]:
    """Paths of the fonts found, by preference. Looked for once, when first needed."""
    wanted = {name.lower(): name for name in _PICTURE_FONTS}
    found: dict[str, str] = {}
    for folder in _font_folders():
        for path in _files(folder):
            if name := wanted.get(path.name.lower()):
                found.setdefault(name, str(path))
    return tuple(found[name] for name in _PICTURE_FONTS if name in found)


@cache
def _letters(path: str) -> frozenset[int]:
    """Code points a font shows; none for a damaged file."""
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@lru_cache(maxsize=64)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def _dejavu(bold: bool) -> Path:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
