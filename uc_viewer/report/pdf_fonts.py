"""Fonts of the PDF, and foreign text as runs of fonts that can show it.

DejaVu Sans (shipped with matplotlib) covers Latin, Turkish, Greek, Cyrillic, Hebrew and Arabic letters. For
the rest a TrueType font of the project or of the system is embedded, and where there is none, one of the East
Asian fonts which PDF readers bring themselves is named. What no font can show becomes U+FFFD, never an empty
box. Letters stand in the order in which the text holds them; right-to-left text is not reordered.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from uc_viewer.paths import resource
from uc_viewer.report.wording import UNPRINTABLE, shorten

SANS = "Report-Sans"
BOLD = "Report-Sans-Bold"

FALLBACK_FILES = (
    "NanumGothic.ttf",
    "malgun.ttf",
    "NotoSansKR-Regular.ttf",
    "NotoSansCJKkr-Regular.ttf",
    "UnDotum.ttf",
    "Arial Unicode.ttf",
    "ARIALUNI.TTF",
    "DroidSansFallbackFull.ttf",
    "NotoSansJP-Regular.ttf",
    "NotoSansSC-Regular.ttf",
    "msgothic.ttc",
    "msyh.ttc",
    "simsun.ttc",
    "wqy-microhei.ttc",
)
"""TrueType fonts worth embedding, by preference. Fonts with PostScript outlines cannot be embedded."""

READER_FONTS = (
    ("HYSMyeongJo-Medium", "cp949"),
    ("HeiseiMin-W3", "cp932"),
    ("STSong-Light", "gbk"),
    ("MSung-Light", "cp950"),
)
"""Fonts a PDF reader brings, each with the character set that says what it can show."""


def register() -> None:
    """Make the report's own fonts known to reportlab. Raises FileNotFoundError when matplotlib lacks them."""
    if SANS in pdfmetrics.getRegisteredFontNames():
        return
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in ((SANS, "DejaVuSans.ttf"), (BOLD, "DejaVuSans-Bold.ttf")):
        if not (folder / file).is_file():
            raise FileNotFoundError(f"{folder / file}: missing; reinstall matplotlib, which brings this font")
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def runs(text: str, font: str = SANS) -> list[tuple[str, str]]:
    """``text`` as ``(font name, characters)`` pairs in order, each character in a font that can show it."""
    register()
    pieces: list[tuple[str, str]] = []
    for character in text:
        name = _font_for(character, font)
        if name is None:
            name, character = font, UNPRINTABLE
        # A space does not break a run: two fonts would set it in two widths.
        if pieces and (pieces[-1][0] == name or (character == " " and pieces[-1][0] != font)):
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + character)
        else:
            pieces.append((name, character))
    return pieces


def markup(text: str, font: str = SANS) -> str:
    """``text`` for a reportlab paragraph in ``font``: escaped, with the fonts it needs."""
    return "".join(
        escape(piece) if name == font else f'<font name="{name}">{escape(piece)}</font>'
        for name, piece in runs(text, font)
    )


def width(text: str, size: float, font: str = SANS) -> float:
    """Width of one line of ``text`` in points."""
    return sum(float(pdfmetrics.stringWidth(piece, name, size)) for name, piece in runs(text, font))


def fit(text: str, space: float, size: float, font: str = SANS, keep: int = 0) -> str:
    """``text`` cut in its middle until it is at most ``space`` points wide, but not its last ``keep``."""
    if keep:
        end = text[-keep:]
        return fit(text[:-keep], space - width(end, size, font), size, font) + end
    if len(text) <= 400 and width(text, size, font) <= space:
        return text
    least, most = 1, min(len(text), 400)
    while least < most:
        middle = (least + most + 1) // 2
        if width(shorten(text, middle), size, font) <= space:
            least = middle
        else:
            most = middle - 1
    return shorten(text, least)


@cache
def _font_for(character: str, font: str) -> str | None:
    """Name of the font for one character; None when there is none."""
    if _covers(font, character):
        return font
    for name in _embedded_fallbacks():
        if _covers(name, character):
            return name
    for name, charset in READER_FONTS:
        if _encodable(character, charset):
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(UnicodeCIDFont(name))
            return name
    return None


def _covers(font: str, character: str) -> bool:
    return ord(character) in _face(font).charToGlyph


def _face(font: str) -> Any:
    return pdfmetrics.getFont(font).face


def _encodable(character: str, charset: str) -> bool:
    try:
        # Only beyond ASCII: the plain letters of these fonts look nothing like the report's own.
        return len(character.encode(charset)) > 1
    except UnicodeEncodeError:
        return False


@cache
def _embedded_fallbacks() -> tuple[str, ...]:
    """Names of the embeddable fonts found, registered, by preference. Looked for once, when first needed."""
    found: dict[str, Path] = {}
    wanted = {file.lower(): file for file in FALLBACK_FILES}
    for folder in _font_folders():
        for path in _files(folder):
            if file := wanted.get(path.name.lower()):
                found.setdefault(file, path)
    return tuple(name for file in FALLBACK_FILES if file in found for name in _try_register(found[file]))


def _try_register(path: Path) -> Iterator[str]:
    name = f"Report-{path.stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, str(path)))
    except (TTFError, OSError):
        return  # PostScript outlines, a font that forbids embedding, a damaged file: the next one serves.
    yield name


def _font_folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        places = [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"]
        if local := os.environ.get("LOCALAPPDATA"):
            places.append(Path(local) / "Microsoft" / "Windows" / "Fonts")
    elif sys.platform == "darwin":
        places = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
        places = [data / "fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]
    return [resource("fonts"), *places]


def _files(folder: Path) -> Iterator[Path]:
    # Sorted, so that two copies of a font in one tree always give the same report.
    for root, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(root) / file for file in sorted(files))
