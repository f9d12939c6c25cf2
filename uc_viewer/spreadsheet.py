"""CSV that spreadsheets open without harm: RFC 4180, and no free text that is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

ENCODING = "utf-8-sig"
"""UTF-8 with a byte order mark, without which spreadsheets take the file for another encoding."""


def guard(text: str) -> str:
    """Free text that no spreadsheet takes for a formula: a leading ``= + - @`` or control gets a ``'``."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as RFC 4180 text, lines ended by CR LF, without a byte order mark. Free text comes in guarded."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
