"""The report on paper: `write` lays a `ReportContent` out as PDF, A4 or Letter."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from mtl_core.files import replacing
from uc_viewer.paths import intended_use
from uc_viewer.report.content import DRAFT, Fact, ReportContent, Row
from uc_viewer.report.pdf_drawing import (
    ACCENT,
    ALERT,
    INK,
    MUTED,
    PAPER_TINT,
    RULE,
    Badge,
    CountStrip,
    Furniture,
    Line,
    Still,
    StillRow,
    badge_width,
)
from uc_viewer.report.pdf_fonts import BOLD, SANS, markup, register

PAGE_SIZES = {"A4": A4, "Letter": LETTER}

MARGIN = 48.0
"""Left and right, in points."""

COLUMNS = 3
"""Key pictures side by side."""

_SMALL = 7.5

_BODY = ParagraphStyle("body", fontName=SANS, fontSize=8.5, leading=12, textColor=INK)
_NOTE = ParagraphStyle("note", parent=_BODY, fontSize=_SMALL, leading=10, textColor=MUTED)
_CELL = ParagraphStyle("cell", parent=_BODY, fontSize=_SMALL, leading=9.5)
_STRONG = ParagraphStyle("strong", parent=_BODY, fontName=BOLD)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=BOLD, fontSize=11, leading=14, textColor=ACCENT)
_SECTION = ParagraphStyle("section", parent=_TITLE, fontSize=9.5, leading=12, spaceBefore=12, spaceAfter=4)
_RESULT = ParagraphStyle("result", parent=_BODY, fontName=BOLD, fontSize=17, leading=21.5)
_ALERT = ParagraphStyle("alert", parent=_BODY, fontName=BOLD, fontSize=16, leading=20, textColor=ALERT)

_FLAT = [
    # Named even where cells hold paragraphs: empty cells would otherwise ask for a font that is not embedded.
    ("FONT", (0, 0), (-1, -1), SANS, _SMALL),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 6),
]


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
        *_pictures(content, stills, size),
        *_signature(content, space),
        *_frames(content, space),
        *_unreadable(content, space),
        *_provenance(content, space),
        *_limits(content),
    ]


def _opening(content: ReportContent, space: float) -> list[Flowable]:
    """Title, mark of a partial run, identity."""
    parts: list[Flowable] = [_paragraph(content.title, _TITLE), Spacer(0, 6)]
    if content.incomplete:
        parts += [
            _paragraph(content.incomplete, _ALERT),
            _paragraph(content.incomplete_detail, _BODY),
            Spacer(0, 6),
        ]
    cells = [
        [_paragraph(fact.label, _NOTE) for fact in content.identity],
        [_paragraph(fact.value, _BODY) for fact in content.identity],
    ]
    # Patient and pictures have the longest texts.
    shares = (0.29, 0.28, 0.25, 0.18)
    table = Table(cells, colWidths=[share * space for share in shares])
    table.setStyle([*_FLAT, *_tight(1), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    return [*parts, table, Spacer(0, 10)]


def _result(content: ReportContent, space: float) -> list[Flowable]:
    """The result line between two rules, what supports it, who has the last word."""
    # If the line must break, then before the grade: what is named stays together.
    name, colon, value = content.headline.rpartition(": ")
    line = _paragraph(name + colon + value.replace(" ", "\N{NO-BREAK SPACE}"), _RESULT)
    high = 36.0
    if content.headline_grade is None:
        table = Table([[line]], colWidths=[space])
    else:
        left = badge_width(high) + 14
        table = Table([[Badge(content.headline_grade, high), line]], colWidths=[left, space - left])
    table.setStyle(
        [
            *_FLAT,
            *_tight(9),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LINEABOVE", (0, 0), (-1, 0), 1.2, ACCENT),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, RULE),
        ]
    )
    counts = CountStrip([(c.grade, c.count) for c in content.counts], content.not_scored)
    return [
        table,
        Spacer(0, 5),
        _facts(content.findings, space, _BODY),
        Spacer(0, 4),
        _paragraph(content.statement, _STRONG),
        Spacer(0, 10),
        counts,
    ]


def _pictures(content: ReportContent, stills: Sequence[Still], size: tuple[float, float]) -> list[Flowable]:
    if not stills:
        return []
    # Four rows of a third of the width at 4:3 fit an A4 page; the shorter Letter page gets flatter ones.
    height = (size[0] - 2 * MARGIN) / COLUMNS * 0.7 * min(1.0, size[1] / A4[1])
    rows = [StillRow(list(stills[k : k + COLUMNS]), COLUMNS, height) for k in range(0, len(stills), COLUMNS)]
    groups: list[list[Flowable]] = [[row, Spacer(0, 6)] for row in rows]
    groups[0].insert(0, _paragraph("Key stills", _SECTION))
    if content.pictures_note:
        groups[-1].append(_paragraph(content.pictures_note, _NOTE))
    return [KeepTogether(group) for group in groups]


def _frames(content: ReportContent, space: float) -> list[Flowable]:
    """The table of all frames; its head comes again on every page."""
    if not content.rows:
        return []
    numbers = [30.0, 30.0, 30.0, 30.0, 48.0, 44.0, 56.0]
    widths = [24.0, space - 24 - 56 - sum(numbers), 56.0, *numbers]
    head = ["", "File", "AI MES", "p0", "p1", "p2", "p3", "P(active)", "Active?", "Continuous"]
    cells = [head, *(_frame_cells(k, row, widths) for k, row in enumerate(content.rows, start=1))]
    unscored = [k for k, row in enumerate(content.rows, start=1) if row.grade is None]
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    table.setStyle(
        [
            *_grid(),
            ("TEXTCOLOR", (0, 1), (0, -1), MUTED),
            ("ALIGN", (0, 0), (0, -1), "RIGHT"),
            ("ALIGN", (3, 0), (-1, -1), "RIGHT"),
            *(("SPAN", (2, k), (-1, k)) for k in unscored),
        ]
    )
    note = _paragraph(content.rows_note, _NOTE)
    return [CondPageBreak(160), _paragraph("All frames", _SECTION), table, Spacer(0, 3), note]


def _frame_cells(place: int, row: Row, widths: Sequence[float]) -> list[Any]:
    name = Line(row.name, widths[1] - 8, _SMALL)
    if row.grade is None:
        return [str(place), name, _paragraph(f"not scored: {row.reason}", _CELL), *[""] * 7]
    mark = Badge(row.grade, 9.5, row.close_call)
    return [str(place), name, mark, *row.probabilities, row.p_active, row.active, row.continuous]


def _unreadable(content: ReportContent, space: float) -> list[Flowable]:
    if not content.unreadable:
        return []
    widths = [0.4 * space, 0.6 * space]
    cells: list[list[Any]] = [["File", "Why it could not be read"]]
    cells += [[Line(f.label, widths[0] - 8, _SMALL), _paragraph(f.value, _CELL)] for f in content.unreadable]
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    table.setStyle(_grid())
    parts = [CondPageBreak(80), _paragraph("Unreadable files", _SECTION), table]
    return [*parts, _paragraph(content.unreadable_note, _NOTE)] if content.unreadable_note else parts


def _signature(content: ReportContent, space: float) -> list[Flowable]:
    """Empty lines for the reader: whoever signs turns evidence into a result."""
    count, gap = len(content.signature), 10.0
    labels = [_paragraph(label, _NOTE) for label in content.signature]
    # Lines with gaps between them: every second column is empty and has no rule.
    first, other = 138.0, (space - 138 - gap * (count - 1)) / (count - 1)
    widths = [first, gap] + [other, gap] * (count - 1)
    cells = [[""] * (2 * count - 1), [part for label in labels for part in (label, "")][:-1]]
    table = Table(cells, colWidths=widths[:-1], rowHeights=[24, None])
    rules = [("LINEBELOW", (2 * k, 0), (2 * k, 0), 0.6, INK) for k in range(count)]
    table.setStyle([*_FLAT, *_tight(2), ("VALIGN", (0, 1), (-1, 1), "TOP"), *rules])
    return [KeepTogether([_paragraph(f"Reader's signature: {content.status}", _SECTION), table])]


def _provenance(content: ReportContent, space: float) -> list[Flowable]:
    return [KeepTogether([_paragraph("Provenance", _SECTION), _facts(content.provenance, space, _CELL)])]


def _limits(content: ReportContent) -> list[Flowable]:
    if not content.limits:
        return []
    first, *others = [_paragraph(limit, _CELL, bullet="–") for limit in content.limits]
    return [KeepTogether([_paragraph("Limits", _SECTION), first]), *others]


def _facts(facts: Sequence[Fact], space: float, style: ParagraphStyle) -> Table:
    """Labels in a narrow column, values beside them."""
    label = ParagraphStyle("label", parent=style, textColor=MUTED)
    wide = 140.0 if style is _BODY else 92.0
    cells = [[_paragraph(fact.label, label), _paragraph(fact.value, style)] for fact in facts]
    table = Table(cells, colWidths=[wide, space - wide])
    table.setStyle([*_FLAT, *_tight(1), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    return table


def _paragraph(words: str, style: ParagraphStyle, bullet: str | None = None) -> Paragraph:
    """A paragraph of foreign text: nothing in ``words`` is taken as markup."""
    if bullet:
        style = ParagraphStyle(
            "bullet", parent=style, leftIndent=9, bulletFontName=SANS, bulletFontSize=_SMALL
        )
    return Paragraph(markup(words, style.fontName), style, bulletText=bullet)


def _tight(padding: float) -> list[tuple[Any, ...]]:
    return [("TOPPADDING", (0, 0), (-1, -1), padding), ("BOTTOMPADDING", (0, 0), (-1, -1), padding)]


def _grid() -> list[tuple[Any, ...]]:
    """Light rules between lines, a tinted head, numbers in small type."""
    return [
        ("FONT", (0, 0), (-1, -1), SANS, _SMALL),
        ("FONT", (0, 0), (-1, 0), BOLD, 7),
        ("TEXTCOLOR", (0, 0), (-1, 0), MUTED),
        ("TEXTCOLOR", (0, 1), (-1, -1), INK),
        ("BACKGROUND", (0, 0), (-1, 0), PAPER_TINT),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        *_tight(2.2),
    ]
