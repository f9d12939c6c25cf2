"""Drawn parts of the report: grade badges, key pictures, page furniture. Units are points, 1/72 inch."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable

from uc_viewer.grades import MES, Pattern
from uc_viewer.report.content import KeyPicture
from uc_viewer.report.pdf_fonts import BOLD, SANS, fit, runs, width

INK = HexColor("#16191D")
MUTED = HexColor("#565E66")
RULE = HexColor("#C9CFD4")
ACCENT = HexColor("#1D4F63")
ALERT = HexColor("#A3122A")
PAPER_TINT = HexColor("#F3F6F7")
WATERMARK = HexColor("#F2F4F5")

LARGEST_SIDE = 4096
"""Pixels; larger pictures are reduced, since no printer shows more on a third of a page."""

COARSEST = 0.75
"""Points per source pixel at most, 96 dpi: a small picture is not blown up to fill its place."""


def text(
    canvas: Any, x: float, y: float, words: str, size: float, font: str = SANS, colour: Any = INK
) -> None:
    """Draw one line with its baseline's left end at ``x, y``."""
    canvas.setFillColor(colour)
    for name, piece in runs(words, font):
        canvas.setFont(name, size)
        canvas.drawString(x, y, piece)
        x += canvas.stringWidth(piece, name, size)


def badge(canvas: Any, x: float, y: float, height: float, grade: int) -> float:
    """Draw a grade with its lower left corner at ``x, y``: digit on colour, then pattern. Gives its width."""
    look = MES[grade]
    wide, digit_part = badge_width(height), 0.95 * height
    canvas.saveState()
    canvas.setFillColor(HexColor(look.paper))
    outline = canvas.beginPath()
    outline.rect(x, y, wide, height)
    canvas.drawPath(outline, stroke=0, fill=1)
    texture(canvas, grade, x + digit_part, y, wide - digit_part, height)
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(0.5)
    canvas.drawPath(outline, stroke=1, fill=0)
    size = 0.78 * height
    canvas.setFillColor(HexColor(look.paper_ink))
    canvas.setFont(BOLD, size)
    canvas.drawCentredString(x + digit_part / 2, y + 0.5 * height - 0.38 * size, str(grade))
    canvas.restoreState()
    return wide


def badge_width(height: float) -> float:
    """Width of a badge of ``height``."""
    return 1.75 * height


def texture(canvas: Any, grade: int, x: float, y: float, w: float, h: float, coarsest: float = 99.0) -> None:
    """Draw the pattern of a grade within a rectangle.

    Its step grows with the height, so that small badges stay legible, up to ``coarsest``, in points.
    """
    look = MES[grade]
    canvas.saveState()
    clip = canvas.beginPath()
    clip.rect(x, y, w, h)
    canvas.clipPath(clip, stroke=0, fill=0)
    _pattern(canvas, look.pattern, x, y, w, h, HexColor(look.paper_ink), min(coarsest, max(2.4, h / 5)))
    canvas.restoreState()


def _pattern(
    canvas: Any, pattern: Pattern, x: float, y: float, w: float, h: float, ink: Any, step: float
) -> None:
    canvas.setFillColor(ink)
    canvas.setStrokeColor(ink)
    canvas.setLineWidth(max(0.45, h / 32))
    if pattern is Pattern.DOTS:
        for row in range(int(h / step) + 1):
            for column in range(int(w / step) + 1):
                shift = step / 2 if row % 2 else 0.0
                canvas.circle(x + column * step + shift, y + (row + 0.5) * step, step / 5.5, stroke=0, fill=1)
    if pattern in (Pattern.HATCH, Pattern.CROSS_HATCH):
        for k in range(int((w + h) / step) + 1):
            canvas.line(x + k * step - h, y, x + k * step, y + h)
    if pattern is Pattern.CROSS_HATCH:
        for k in range(int((w + h) / step) + 1):
            canvas.line(x + k * step - h, y + h, x + k * step, y)


def jpeg(picture: np.ndarray) -> bytes:
    """``picture`` (RGB uint8) as JPEG at source resolution, quality 90, colour not subsampled."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    if max(image.size) > LARGEST_SIDE:
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90, subsampling=0)
    return stream.getvalue()


@dataclass(frozen=True)
class Still:
    """A key picture ready to draw: its texts, and its pictures as JPEG with their sizes in pixels."""

    key: KeyPicture
    picture: bytes
    heatmap: bytes | None

    @classmethod
    def prepare(cls, key: KeyPicture) -> Still:
        """Encode the pictures of ``key`` once, for all passes over the document."""
        return cls(key, jpeg(key.picture), None if key.heatmap is None else jpeg(key.heatmap))


class StillRow(Flowable):  # type: ignore[misc]
    """Up to ``columns`` key pictures side by side, each with badge, name, verdict, and maybe a small twin."""

    GAP = 12.0
    CAPTION = 28.0
    TWIN = 46.0
    NAME = 11.0

    def __init__(self, stills: list[Still], columns: int, picture_height: float) -> None:
        super().__init__()
        self.stills, self.columns, self.picture_height = stills, columns, picture_height
        self.foot = self.NAME + self.TWIN if any(s.heatmap for s in stills) else self.CAPTION
        if any(s.key.file for s in stills):  # recordings are named on a line of their own
            self.foot += self.NAME

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Asked by reportlab: the size in points."""
        self.width = available_width
        # Wide pictures leave no empty band above them.
        tallest = max(self._cell * s.key.picture.shape[0] / s.key.picture.shape[1] for s in self.stills)
        self.high = min(self.picture_height, tallest)
        self.height = self.high + 4 + self.foot
        return self.width, self.height

    @property
    def _cell(self) -> float:
        return float(self.width - self.GAP * (self.columns - 1)) / self.columns

    def draw(self) -> None:
        """Asked by reportlab: draw with the lower left corner at the origin."""
        for place, still in enumerate(self.stills):
            self._draw_still(still, place * (self._cell + self.GAP), self._cell)

    def _draw_still(self, still: Still, x: float, cell: float) -> None:
        canvas, key, verdict = self.canv, still.key, still.key.verdict
        place_picture(canvas, still.picture, x, self.foot + 4, cell, self.high)
        if still.heatmap:
            # The name gets the whole width, the verdict stands beside the twin.
            text(canvas, x, self.foot - 6, _label(key, cell), 7, SANS, MUTED)
            twin = self.TWIN + (self.NAME if any(s.key.file for s in self.stills) else 0)
            left = x + place_picture(canvas, still.heatmap, x, 0, 0.42 * cell, self.TWIN, grow=True) + 7
            if still.key.grade is not None:
                badge(canvas, left, self.TWIN - 15, 15, still.key.grade)
            if key.file:
                text(canvas, x, twin - 6, fit(key.file, cell, 7), 7, SANS, MUTED)
            first = self.TWIN - 25
        else:
            left = x
            if still.key.grade is not None:
                left += badge(canvas, x, self.foot - 16, 15, still.key.grade) + 5
            text(canvas, left, self.foot - 7, _label(key, x + cell - left), 7, SANS, MUTED)
            first = self.foot - 16
        lines = _verdict_lines(verdict, x + cell - left)
        for k, part in enumerate(lines):
            text(canvas, left, first - 9 * k, part, 7.5, BOLD)
        if key.file and not still.heatmap:
            text(canvas, left, first - 9 * len(lines), fit(key.file, x + cell - left, 7), 7, SANS, MUTED)


def _label(key: KeyPicture, room: float) -> str:
    """Segment, and time or name, on one line; only the name gives way."""
    segment = f"{key.segment}, " if key.segment else ""
    return segment + (key.at or fit(key.name, room - width(segment, 7), 7))


def kept(name: str, at: str) -> int:
    """How many letters at the end of a name must stay: the time of a frame and the comma before it."""
    return 0 if not at else len(at) if name == at else len(at) + 2


def _verdict_lines(verdict: str, room: float) -> list[str]:
    """The verdict on one line, or on two, broken before its coarse part, where it is too long."""
    if width(verdict, 7.5, BOLD) <= room:
        return [verdict]
    first, comma, second = verdict.rpartition(", ")
    return [first + ",", second] if comma else [verdict]


def place_picture(
    canvas: Any, data: bytes, x: float, y: float, w: float, h: float, grow: bool = False
) -> float:
    """Draw a JPEG into the box, whole, left and at the bottom, no coarser than 96 dpi. Returns its width."""
    reader = ImageReader(io.BytesIO(data))
    pixels_wide, pixels_high = reader.getSize()
    scale = min(w / pixels_wide, h / pixels_high)
    if not grow:
        scale = min(scale, COARSEST)
    wide, high = pixels_wide * scale, pixels_high * scale
    canvas.drawImage(reader, x, y, wide, high)
    return float(wide)


class Badge(Flowable):  # type: ignore[misc]
    """A grade, with ``"1–2"`` beside it where it was a close call."""

    def __init__(self, grade: int, height: float, close_call: str = "") -> None:
        super().__init__()
        self.grade, self.high, self.close_call = grade, height, close_call

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Asked by reportlab: the size in points."""
        self.width, self.height = badge_width(self.high) + (22 if self.close_call else 0), self.high
        return self.width, self.height

    def draw(self) -> None:
        """Asked by reportlab: draw with the lower left corner at the origin."""
        end = badge(self.canv, 0, 0, self.high, self.grade)
        text(self.canv, end + 4, 0.5 * self.high - 2.4, self.close_call, 6.5, SANS, MUTED)


class Line(Flowable):  # type: ignore[misc]
    """One line of foreign text, cut in its middle where it is too long; a time ``at`` its end stays whole."""

    def __init__(self, words: str, room: float, size: float, at: str = "") -> None:
        super().__init__()
        self.size, self.words = size, fit(words, room, size, keep=kept(words, at))
        self.width, self.height = room, 1.25 * size

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Asked by reportlab: the size in points."""
        return self.width, self.height

    def draw(self) -> None:
        """Asked by reportlab: draw with the lower left corner at the origin."""
        text(self.canv, 0, 0.2 * self.size, self.words, self.size)


class CountStrip(Flowable):  # type: ignore[misc]
    """How many pictures got which grade, side by side.

    ``counts``: a grade and how many got it, in words. ``ends``: how many got none, and why.
    """

    def __init__(self, counts: list[tuple[int, str]], ends: list[tuple[str, str]]) -> None:
        super().__init__()
        self.counts, self.ends = counts, ends

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Asked by reportlab: the size in points."""
        self.width, self.height = available_width, 24.0
        return self.width, self.height

    def draw(self) -> None:
        """Asked by reportlab: draw with the lower left corner at the origin."""
        beside = badge_width(16) + 6
        items = [(words, MES[grade].name, grade) for grade, words in self.counts]
        widths = [beside + max(width(words, 8, BOLD), width(name, 7)) for words, name, _ in items]
        last = [max(width(words, 8, BOLD), width(name, 7)) for words, name in self.ends]
        gap = (self.width - sum(widths) - sum(last)) / (len(items) + len(last) - 1)
        x = 0.0
        for (words, name, grade), wide in zip(items, widths, strict=True):
            badge(self.canv, x, 4, 16, grade)
            text(self.canv, x + beside, 12.5, words, 8, BOLD)
            text(self.canv, x + beside, 3, name, 7, SANS, MUTED)
            x += wide + gap
        for (words, name), wide in zip(self.ends, last, strict=True):
            text(self.canv, x, 12.5, words, 8, BOLD)
            text(self.canv, x, 3, name, 7, SANS, MUTED)
            x += wide + gap


@dataclass(frozen=True)
class Furniture:
    """What stands on every page around the text."""

    banner: str
    watermark: str
    notices: tuple[str, ...]
    footer: str
    margin: float
    pages: int

    BAND = 20.0

    def draw(self, canvas: Any, document: Any) -> None:
        """Draw watermark, banner, notices and footer of the current page, below the text to come."""
        page_width, page_height = canvas._pagesize
        canvas.saveState()
        self._draw_watermark(canvas, page_width, page_height)
        canvas.setFillColor(ACCENT)
        canvas.rect(0, page_height - self.BAND, page_width, self.BAND, stroke=0, fill=1)
        room = page_width - 2 * self.margin
        text(
            canvas,
            self.margin,
            page_height - 13.2,
            fit(self.banner, room, 8, BOLD),
            8,
            BOLD,
            HexColor("#FFFFFF"),
        )
        if self.notices:
            words = "   ".join(self.notices)
            start = page_width - self.margin - width(words, 8, BOLD)
            text(canvas, start, page_height - self.BAND - 14, words, 8, BOLD, ALERT)
        self._draw_footer(canvas, document, page_width)
        canvas.restoreState()

    def _draw_footer(self, canvas: Any, document: Any, page_width: float) -> None:
        base = 26.0
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.5)
        canvas.line(self.margin, base + 12, page_width - self.margin, base + 12)
        count = f"Page {document.page} of {self.pages}"
        start = page_width - self.margin - width(count, 7.5)
        text(canvas, self.margin, base, fit(self.footer, start - self.margin - 12, 7.5), 7.5, SANS, MUTED)
        text(canvas, start, base, count, 7.5, SANS, MUTED)

    def _draw_watermark(self, canvas: Any, page_width: float, page_height: float) -> None:
        canvas.saveState()
        canvas.translate(page_width / 2, page_height / 2)
        canvas.rotate(52)
        canvas.setFillColor(WATERMARK)
        canvas.setFont(BOLD, 150)
        canvas.drawCentredString(0, -55, self.watermark)
        canvas.restoreState()
