"""Texts fit to print: foreign text made harmless, numbers and times in one manner."""

from __future__ import annotations

import textwrap
import unicodedata
from datetime import datetime

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
"""Stands for every character that has no form of its own: controls, direction marks, lone surrogates."""


def printable(text: str, limit: int = 300) -> str:
    """``text`` as one visible line of at most ``limit`` characters, cut in the middle with an ellipsis.

    Composed to Unicode NFC (macOS hands out decomposed Hangul and Turkish file names); white space of any
    kind becomes one space each; characters without a form become U+FFFD, so that a name cannot hide or
    reorder what stands beside it.
    """
    # Cut before composing: composition is not free, and a name may be megabytes long.
    text = unicodedata.normalize("NFC", shorten(text, 4 * limit))
    return shorten("".join(_visible(c) for c in text).strip(), limit)


def shorten(text: str, limit: int) -> str:
    """``text`` of at most ``limit`` characters; the middle gives way, since names differ at their end."""
    if len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head - 1
    return text[:head] + "…" + (text[-tail:] if tail > 0 else "")


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    # Other: control, format, surrogate, private use, not assigned.
    return UNPRINTABLE if unicodedata.category(character)[0] == "C" else character


def number(value: float | None) -> str:
    """A probability or score with two decimals; empty for None."""
    return "" if value is None else f"{value:.2f}"


def plural(count: int, noun: str) -> str:
    """``"1 still"``, ``"2 stills"``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def moment(iso: str) -> str:
    """``"2025-06-01 10:22 +02:00"`` from ISO-8601; a text in another form comes back as it is, printable."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return printable(iso, 60)
    offset = when.strftime("%z")
    return when.strftime("%Y-%m-%d %H:%M") + (f" {offset[:3]}:{offset[3:5]}" if offset else "")


def duration(seconds: float) -> str:
    """``"0.8 s"``, ``"12 s"``, ``"3 min 05 s"``, ``"2 h 03 min"``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def clock(seconds: float) -> str:
    """Time within a recording as ``hh:mm:ss.mmm``."""
    thousandths = round(abs(seconds) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    sign = "-" if seconds < 0 and thousandths else ""  # a few containers begin before zero
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def clock_short(seconds: float) -> str:
    """Time within a recording as ``hh:mm:ss``, without what is beyond the full second."""
    return clock(seconds).partition(".")[0]


def stretch(since: float, until: float) -> str:
    """``"00:06:57 to 00:07:05"``; with thousandths where both are of the same second."""
    first, last = clock_short(since), clock_short(until)
    return f"{clock(since)} to {clock(until)}" if first == last else f"{first} to {last}"


def some_percent(share: float) -> str:
    """A share 0..1 as ``"31 %"``; only none is ``"0 %"`` and only all ``"100 %"``."""
    rounded = round(100 * share)
    if share > 0 and rounded == 0:
        return "<1 %"
    return ">99 %" if share < 1 and rounded == 100 else f"{rounded} %"


LONGEST = 20_000
"""Most characters printed of one free text."""

LINES = 200
"""Line breaks kept of one free text; what follows runs on, so that breaks alone cannot fill pages."""

PIECE = 1000
"""Most characters of one piece of a free text: a piece always fits on a page."""


def paragraphs(text: str) -> tuple[str, ...]:
    """A free text as printable lines of at most `PIECE` characters, broken where it breaks, else at spaces.

    Blank lines go. Of more than `LONGEST` characters the middle gives way to an ellipsis.
    """
    # Composition can lengthen a text, up to threefold.
    lines = [printable(line, 4 * len(line) + 1) for line in shorten(text, LONGEST).splitlines()]
    lines = [line for line in lines if line]
    lines[LINES:] = [" ".join(lines[LINES:])]
    return tuple(piece for line in lines for piece in textwrap.wrap(line, PIECE, break_on_hyphens=False))
