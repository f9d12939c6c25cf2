"""The report on paper: `write` lays a `ReportContent` out as PDF, A4 or Letter."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Spacer, Table

from mtl_core.files import replacing
from uc_viewer.paths import intended_use
from uc_viewer.report.content import DRAFT, ReportContent
from uc_viewer.report.pdf_drawing import (
    ACCENT,
    INK,
    RULE,
    Badge,
    CountStrip,
    Furniture,
    Still,
    StillRow,
    badge_width,
)
from uc_viewer.report.pdf_fonts import BOLD, SANS, register, width
from uc_viewer.report.pdf_tables import (
    ALERT_STYLE,
    BODY,
    CELL,
    FLAT,
    NOTE,
    RESULT,
    SECOND,
    SECTION,
    STRONG,
    TITLE,
    facts,
    frames,
    paragraph,
    recordings,
    remarks,
    segments,
    tight,
    unreadable,
)
from uc_viewer.report.pdf_timeline import timelines
from uc_viewer.report.wording import plural

PAGE_SIZES = {"A4": A4, "Letter": LETTER}

MARGIN = 48.0
"""Left and right, in points."""

COLUMNS = 3
"""Key pictures side by side."""

GLUED = 400.0
"""Points up to which a part of the result line is kept on one line."""


def write(content: ReportContent, path: Path, page: str = "A4") -> None:
    """Write the report to ``path``, whole or not at all; ``page`` is ``"A4"`` or ``"Letter"``.

    The same content gives the same bytes on the same machine. The research-use banner comes from the
    resources and stands on every page whatever the content is.

    Raises ValueError for another page size, OSError where the file cannot be written.
    """
    if page not in PAGE_SIZES:
        raise ValueError(f"page size {page!r} is not known; use one of {', '.join(PAGE_SIZES)}")
    register()
    stills = [Still.prepare(key) for key in content.pictures]
    # The first pass counts the pages, since every page says how many there are.
    _, pages = _render(content, stills, PAGE_SIZES[page], pages=0)
    data, _ = _render(content, stills, PAGE_SIZES[page], pages)
    with replacing(path) as file:
        file.write(data)


def _render(
    content: ReportContent, stills: Sequence[Still], size: tuple[float, float], pages: int
) -> tuple[bytes, int]:
    """One pass over the document: its bytes and its number of pages."""
    stream = io.BytesIO()
    banner = " ".join(intended_use().split())
    document = BaseDocTemplate(
        stream,
        pagesize=size,
        invariant=1,
        lang="en",
        title=f"{content.title}, {content.report_id}",
        author=content.app,
        creator=content.app,
        subject=banner,
        displayDocTitle=True,
        initialFontName=SANS,
    )
    top = Furniture.BAND + 22
    frame = Frame(MARGIN, 46, size[0] - 2 * MARGIN, size[1] - top - 46, 0, 0, 0, 0, id="text")
    furniture = Furniture(
        banner=banner,
        watermark=DRAFT,
        notices=content.notices,
        footer=f"{content.app}   Report {content.report_id}   {content.status}",
        margin=MARGIN,
        pages=pages,
    )

    def start_page(canvas: Any, template: Any) -> None:
        canvas.setDateFormatter(lambda *_: _pdf_date(content.created))
        furniture.draw(canvas, template)

    document.addPageTemplates([PageTemplate("page", [frame], onPage=start_page)])
    document.build(_story(content, stills, size))
    return stream.getvalue(), document.page


def _pdf_date(iso: str) -> str:
    """``D:20250601102200+02'00'`` from ISO-8601; the epoch where the time cannot be read."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return "D:19700101000000Z"
    offset = when.strftime("%z")
    return when.strftime("D:%Y%m%d%H%M%S") + (f"{offset[:3]}'{offset[3:5]}'" if offset else "")


def _story(content: ReportContent, stills: Sequence[Still], size: tuple[float, float]) -> list[Flowable]:
    """The document top to bottom."""
    space = size[0] - 2 * MARGIN
    return [
        *_opening(content, space),
        *_result(content, space),
        *segments(content, space),
        *recordings(content, space),
        *_pictures(content, stills, size),
        *timelines(content),
        *_comment(content),
        *_signature(content, space),
        *remarks(content, space),
        *frames(content, space),
        *unreadable(content, space),
        *_provenance(content, space),
        *_limits(content),
    ]


def _opening(content: ReportContent, space: float) -> list[Flowable]:
    """Title, mark of a partial run, identity."""
    parts: list[Flowable] = [paragraph(content.title, TITLE), Spacer(0, 6)]
    if content.incomplete:
        parts += [
            paragraph(content.incomplete, ALERT_STYLE),
            paragraph(content.incomplete_detail, BODY),
            Spacer(0, 6),
        ]
    cells = [
        [paragraph(fact.label, NOTE) for fact in content.identity],
        [paragraph(fact.value, BODY) for fact in content.identity],
    ]
    # Patient and pictures have the longest texts.
    shares = (0.29, 0.28, 0.25, 0.18)
    table = Table(cells, colWidths=[share * space for share in shares])
    table.setStyle([*FLAT, *tight(1), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    return [*parts, table, *_details(content, space), Spacer(0, 10)]


def _details(content: ReportContent, space: float) -> list[Flowable]:
    """What was given of patient and examination, under the identity."""
    blocks: list[Flowable] = []
    for told in filter(None, (content.details, content.indication)):
        # Up to four short ones side by side; the indication may be long.
        wide = space / 4 if told is content.details else space
        cells = [[paragraph(f.label, NOTE) for f in told], [paragraph(f.value, BODY) for f in told]]
        table = Table(cells, colWidths=[wide] * len(told), hAlign="LEFT")
        table.setStyle([*FLAT, *tight(1), ("VALIGN", (0, 0), (-1, -1), "TOP")])
        blocks += [Spacer(0, 4), table]
    return blocks


def _result(content: ReportContent, space: float) -> list[Flowable]:
    """The result line between two rules, what supports it, who has the last word."""
    line: list[Flowable] = [paragraph(_glued(content), RESULT)]
    if content.mark:
        line.append(paragraph(content.mark, NOTE))
    high = 36.0
    if content.headline_grade is None:
        table = Table([[line]], colWidths=[space])
    else:
        left = badge_width(high) + 14
        table = Table([[Badge(content.headline_grade, high), line]], colWidths=[left, space - left])
    table.setStyle(
        [
            *FLAT,
            *tight(9),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LINEABOVE", (0, 0), (-1, 0), 1.2, ACCENT),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, RULE),
        ]
    )
    return [
        table,
        *_ai_line(content, space),
        Spacer(0, 5),
        facts(content.findings, space, BODY),
        Spacer(0, 4),
        paragraph(content.statement, STRONG),
        Spacer(0, 10),
        *_counts(content),
    ]


def _counts(content: ReportContent) -> list[Flowable]:
    """How often each grade was given: numbers for stills, which were chosen; shares too for recordings."""
    blocks: list[Flowable] = []
    if content.inputs.recordings:
        recorded = content.recordings
        shares = [(s.grade, f"{s.share} ({s.count})" if s.count else "0") for s in recorded.shares]
        ends = [(plural(recorded.not_scored, "frame"), "not scored")]
        ends += [(plural(recorded.rejected, "frame"), "rejected by reader")] * bool(recorded.rejected)
        words = "AI grades of single frames of recordings: share of the scored ones (number); no result"
        blocks += [paragraph(words, NOTE), CountStrip(shares, ends)]
    if content.inputs.stills:
        counts = [(c.grade, plural(c.count, "still")) for c in content.counts]
        ends = [(plural(content.not_scored, "still"), "not scored")]
        ends += [(plural(content.rejected, "still"), "rejected by reader")] * bool(content.rejected)
        # Beside another's grades it must be said whose these are.
        if blocks:
            blocks.append(Spacer(0, 6))
        if content.ai_line or blocks:
            blocks.append(paragraph("AI grades of the stills that count", NOTE))
        blocks.append(CountStrip(counts, ends))
    return blocks


def _glued(content: ReportContent) -> str:
    """The result line; if it must break, then before the grade or between segments: names stay together."""
    name, colon, value = content.headline.rpartition(": ")
    between = ", " if content.ai_line or content.inputs.recordings else None
    parts = value.split(between) if between else [value]
    glued = [part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts]
    # What would not fit on a line breaks where it can.
    fitting = [g if width(g, RESULT.fontSize, BOLD) < GLUED else p for g, p in zip(glued, parts, strict=True)]
    return name + colon + ", ".join(fitting)


def _ai_line(content: ReportContent, space: float) -> list[Flowable]:
    """The model's result line below the reader's."""
    if not content.ai_line:
        return []
    line, high = paragraph(content.ai_line, SECOND), 13.0
    if content.ai_grade is None:
        return [Spacer(0, 5), line]
    left = badge_width(high) + 8
    table = Table([[Badge(content.ai_grade, high), line]], colWidths=[left, space - left])
    table.setStyle([*FLAT, *tight(1), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    return [Spacer(0, 5), table]


def _comment(content: ReportContent) -> list[Flowable]:
    if not content.comment:
        return []
    first, *others = [paragraph(piece, BODY) for piece in content.comment]
    return [KeepTogether([paragraph("Reader's comment", SECTION), first]), *others]


def _pictures(content: ReportContent, stills: Sequence[Still], size: tuple[float, float]) -> list[Flowable]:
    if not stills:
        return []
    # Four rows of a third of the width at 4:3 fit an A4 page; the shorter Letter page gets flatter ones.
    height = (size[0] - 2 * MARGIN) / COLUMNS * 0.7 * min(1.0, size[1] / A4[1])
    rows = [StillRow(list(stills[k : k + COLUMNS]), COLUMNS, height) for k in range(0, len(stills), COLUMNS)]
    groups: list[list[Flowable]] = [[row, Spacer(0, 6)] for row in rows]
    heading = {"still": "Key stills", "frame": "Key frames", "picture": "Key pictures"}
    groups[0].insert(0, paragraph(heading[content.inputs.noun], SECTION))
    if content.pictures_note:
        groups[-1].append(paragraph(content.pictures_note, NOTE))
    return [KeepTogether(group) for group in groups]


def _signature(content: ReportContent, space: float) -> list[Flowable]:
    """Empty lines for the reader: whoever signs turns evidence into a result."""
    count, gap = len(content.signature), 10.0
    labels = [paragraph(label, NOTE) for label in content.signature]
    # Lines with gaps between them: every second column is empty and has no rule.
    first, other = 138.0, (space - 138 - gap * (count - 1)) / (count - 1)
    widths = [first, gap] + [other, gap] * (count - 1)
    cells = [[""] * (2 * count - 1), [part for label in labels for part in (label, "")][:-1]]
    table = Table(cells, colWidths=widths[:-1], rowHeights=[24, None])
    rules = [("LINEBELOW", (2 * k, 0), (2 * k, 0), 0.6, INK) for k in range(count)]
    table.setStyle([*FLAT, *tight(2), ("VALIGN", (0, 1), (-1, 1), "TOP"), *rules])
    return [KeepTogether([paragraph(f"Reader's signature: {content.status}", SECTION), table])]


def _provenance(content: ReportContent, space: float) -> list[Flowable]:
    return [KeepTogether([paragraph("Provenance", SECTION), facts(content.provenance, space, CELL)])]


def _limits(content: ReportContent) -> list[Flowable]:
    if not content.limits:
        return []
    first, *others = [paragraph(limit, CELL, bullet="–") for limit in content.limits]
    return [KeepTogether([paragraph("Limits", SECTION), first]), *others]
