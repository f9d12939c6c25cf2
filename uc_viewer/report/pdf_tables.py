"""The tables of the printed report, and the styles all its texts share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import white as WHITE
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, LongTable, Paragraph, Spacer, Table

from uc_viewer.report.content import Fact, ReportContent, Row
from uc_viewer.report.pdf_drawing import ACCENT, ALERT, INK, MUTED, PAPER_TINT, RULE, Badge, Line
from uc_viewer.report.pdf_fonts import BOLD, SANS, markup, width

SMALL = 7.5

DASH = "–"
"""Stands where nobody graded: never a 0."""

BODY = ParagraphStyle("body", fontName=SANS, fontSize=8.5, leading=12, textColor=INK)
NOTE = ParagraphStyle("note", parent=BODY, fontSize=SMALL, leading=10, textColor=MUTED)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=SMALL, leading=9.5)
STRONG = ParagraphStyle("strong", parent=BODY, fontName=BOLD)
TITLE = ParagraphStyle("title", parent=BODY, fontName=BOLD, fontSize=11, leading=14, textColor=ACCENT)
SECTION = ParagraphStyle("section", parent=TITLE, fontSize=9.5, leading=12, spaceBefore=12, spaceAfter=4)
SECOND = ParagraphStyle("second", parent=BODY, fontName=BOLD, fontSize=10, leading=13)
RESULT = ParagraphStyle("result", parent=BODY, fontName=BOLD, fontSize=17, leading=21.5)
ALERT_STYLE = ParagraphStyle("alert", parent=BODY, fontName=BOLD, fontSize=16, leading=20, textColor=ALERT)

FLAT = [
    # Named even where cells hold paragraphs: empty cells would otherwise ask for a font that is not embedded.
    ("FONT", (0, 0), (-1, -1), SANS, SMALL),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 6),
]


def frames(content: ReportContent, space: float) -> list[Flowable]:
    """The table of frames; its head comes again on every page, and a recording's name above its frames."""
    if not content.rows:
        return []
    read = any(row.reader is not None for row in content.rows)
    tagged = any(row.segment for row in content.rows)
    # The reader's columns take their room from the others.
    narrow, wide = [26.0, 26.0, 26.0, 26.0, 46.0, 38.0, 52.0], [30.0, 30.0, 30.0, 30.0, 48.0, 44.0, 56.0]
    numbers, first, mark = (narrow, 22.0, 48.0) if read or tagged else (wide, 24.0, 56.0)
    extra = [36.0] * read + [54.0] * tagged
    widths = [first, space - first - mark - sum(numbers) - sum(extra), mark, *numbers, *extra]
    head = ["", "Frame" if content.inputs.recordings else "File", "AI MES", "p0", "p1", "p2", "p3"]
    head += ["P(active)", "Active?", "Continuous", *["Reader"] * read, *["Segment"] * tagged]
    cells, joined = [head], list[tuple[Any, ...]]()
    last, above = _CONTINUOUS if extra else -1, ""
    for place, row in enumerate(content.rows, start=1):
        if not content.inputs.alone and row.at and row.file != above:
            joined += [
                ("SPAN", (0, len(cells)), (-1, len(cells))),
                ("NOSPLIT", (0, len(cells)), (-1, len(cells) + 1)),
            ]
            joined.append(("BACKGROUND", (0, len(cells)), (-1, len(cells)), PAPER_TINT))
            cells.append([Line(row.file, space - 8, SMALL), *[""] * (len(widths) - 1)])
        if row.grade is None:
            joined.append(("SPAN", (2, len(cells)), (last, len(cells))))
        above = row.file
        cells.append(_frame_cells(place, row, widths, read, tagged))
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    table.setStyle(
        [
            *grid(),
            ("TEXTCOLOR", (0, 1), (0, -1), MUTED),
            ("ALIGN", (0, 0), (0, -1), "RIGHT"),
            ("ALIGN", (3, 0), (last, -1), "RIGHT"),
            *joined,
        ]
    )
    note = paragraph(content.rows_note, NOTE)
    title = "Frames" if content.inputs.recordings else "All frames"
    return [CondPageBreak(160), paragraph(title, SECTION), table, Spacer(0, 3), note]


_CONTINUOUS = 9
"""The last column of the model in the table of frames."""


def _frame_cells(place: int, row: Row, widths: Sequence[float], read: bool, tagged: bool) -> list[Any]:
    name = Line(row.at or row.name, widths[1] - 8, SMALL)
    reader = ["" if row.reader is None else Badge(row.reader, 9.5)] * read + [row.segment] * tagged
    if row.grade is None:
        why = paragraph(row.rejected or f"not scored: {row.reason}", CELL)
        return [str(place), name, why, *[""] * 7, *reader]
    mark = Badge(row.grade, 9.5, row.close_call)
    return [str(place), name, mark, *row.probabilities, row.p_active, row.active, row.continuous, *reader]


IN_COLUMN = 200
"""Most characters of a comment that stands in its column."""


def segments(content: ReportContent, space: float) -> list[Flowable]:
    """The table of segments; nothing where the reader named none."""
    if not content.segments:
        return []
    recorded, stills = bool(content.inputs.recordings), content.inputs.stills
    ai = ["AI sustained", "AI p90"] * recorded + ["AI worst still" if recorded else "AI worst"] * stills
    head = [
        "Segment",
        "Frames" if recorded else "Pictures",
        "Scored",
        "Rejected",
        "Read",
        *ai,
        "Reader worst",
    ]
    cells: list[list[Any]] = [head]
    for row in content.segments:
        told: list[Any] = [_grade(row.sustained), row.p90 or DASH] * recorded + [_grade(row.ai)] * stills
        numbers = map(str, (row.frames, row.scored, row.rejected, row.read))
        cells.append([row.name, *numbers, *told, _grade(row.reader)])
    widths = [0.24 * space, *[0.11 * space] * 4, 0.16 * space, 0.16 * space]
    if recorded:
        widths = [*([40.0] * 4 if stills else [48.0] * 4), 70.0, 50.0, *[72.0] * stills, 68.0]
        widths.insert(0, space - sum(widths))
    table = Table(cells, colWidths=widths)
    # Room between the counts, which end at the right, and the badges, which begin at the left.
    table.setStyle([*grid(), ("ALIGN", (1, 0), (4, -1), "RIGHT"), ("LEFTPADDING", (5, 0), (-1, -1), 14)])
    parts = [paragraph("Segments", SECTION), table, Spacer(0, 3), paragraph(content.segments_note, NOTE)]
    return [KeepTogether(parts)]


def _grade(grade: int | None) -> Any:
    return DASH if grade is None else Badge(grade, 9.5)


def recordings(content: ReportContent, space: float) -> list[Flowable]:
    """The table of recordings; of several each with its own grade, the only one's is the result line."""
    rows, several = content.recordings.rows, len(content.recordings.rows) > 1
    if not rows:
        return []
    broken = any(row.damaged for row in rows)
    head = ["Recording", "Duration", "Frames", "Sampled", "Scored", *["Damaged"] * broken, "Size", "Codec"]
    widths = [48.0, 40.0, 46.0, 62.0, *[48.0] * broken, 62.0, 80.0, *[68.0] * several]
    widths = [space - sum(widths), *widths]
    cells: list[list[Any]] = [[*head, *["AI sustained"] * several]]
    for row in rows:
        told: list[Any] = [Line(row.name, widths[0] - 8, SMALL), row.duration or DASH, row.frames or DASH]
        told += [str(row.sampled), row.scored, *[str(row.damaged)] * broken]
        codec = row.codec or DASH
        brief = width(codec, SMALL) < 64
        told += [row.size or DASH, Line(codec, 64, SMALL) if brief else paragraph(codec, CELL)]
        told += [_grade(row.grade)] * several
        cells.append(told)
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    last = 5 if broken else 4
    table.setStyle(
        [*grid(), ("ALIGN", (1, 0), (last, -1), "RIGHT"), ("LEFTPADDING", (last + 1, 0), (-1, -1), 12)]
    )
    parts: list[Flowable] = [paragraph("Recordings" if several else "Recording", SECTION), table]
    if content.recordings.rows_note:
        parts += [Spacer(0, 3), paragraph(content.recordings.rows_note, NOTE)]
    return [KeepTogether(parts)] if len(rows) <= 12 else [CondPageBreak(80), *parts]


def remarks(content: ReportContent, space: float) -> list[Flowable]:
    """Where the reader differs from the model or says more; a long comment gets the whole width."""
    if not content.remarks:
        return []
    named = 0.36 if content.inputs.recordings else 0.24  # a stretch of time is longer than a name
    widths = [share * space for share in (named, 0.1, 0.09, 0.2, 0.61 - named)]
    head = "Frame" if content.inputs.recordings else "File"
    cells: list[list[Any]] = [[head, "AI", "Reader", "Reason", "Comment"]]
    joined: list[tuple[Any, ...]] = []
    for remark in content.remarks:
        brief = " ".join(remark.comment) if len(" ".join(remark.comment)) <= IN_COLUMN else ""
        words = (remark.ai, remark.reader, remark.reason, brief)
        cells.append(
            [Line(remark.name, widths[0] - 8, SMALL, remark.at), *(paragraph(w, CELL) for w in words)]
        )
        for place, piece in enumerate(() if brief else remark.comment):
            above = len(cells) - 1
            if place == 0:  # a name at the foot of a page needs its comment beside it
                joined.append(("NOSPLIT", (0, above), (-1, above + 1)))
            else:  # one text, however many rows it takes
                joined.append(("BOTTOMPADDING", (0, above), (-1, above), 0))
                joined.append(("TOPPADDING", (0, above + 1), (-1, above + 1), 0))
            joined.append(("LINEBELOW", (0, above), (-1, above), 0.4, WHITE))
            joined.append(("SPAN", (0, above + 1), (-1, above + 1)))
            cells.append([paragraph(piece, CELL), "", "", "", ""])
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    table.setStyle([*grid(), ("VALIGN", (0, 1), (-1, -1), "TOP"), *joined])
    parts = [CondPageBreak(80), paragraph("Overrides and remarks", SECTION), table]
    return [*parts, paragraph(content.remarks_note, NOTE)] if content.remarks_note else parts


def unreadable(content: ReportContent, space: float) -> list[Flowable]:
    """The table of files, and frames of recordings, that could not be opened; nothing where all could."""
    if not content.unreadable:
        return []
    widths = [0.4 * space, 0.6 * space]
    cells: list[list[Any]] = [["File", "Why it could not be read"]]
    cells += [[Line(f.label, widths[0] - 8, SMALL), paragraph(f.value, CELL)] for f in content.unreadable]
    table = LongTable(cells, colWidths=widths, repeatRows=1)
    table.setStyle(grid())
    title = "Unreadable files and frames" if content.inputs.recordings else "Unreadable files"
    parts = [CondPageBreak(80), paragraph(title, SECTION), table]
    return [*parts, paragraph(content.unreadable_note, NOTE)] if content.unreadable_note else parts


def facts(told: Sequence[Fact], space: float, style: ParagraphStyle) -> Table:
    """Labels in a narrow column, values beside them."""
    label = ParagraphStyle("label", parent=style, textColor=MUTED)
    wide = 140.0 if style is BODY else 92.0
    cells = [[paragraph(fact.label, label), paragraph(fact.value, style)] for fact in told]
    table = Table(cells, colWidths=[wide, space - wide])
    table.setStyle([*FLAT, *tight(1), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    return table


def paragraph(words: str, style: ParagraphStyle, bullet: str | None = None) -> Paragraph:
    """A paragraph of foreign text: nothing in ``words`` is taken as markup."""
    if bullet:
        style = ParagraphStyle(
            "bullet", parent=style, leftIndent=9, bulletFontName=SANS, bulletFontSize=SMALL
        )
    words = _UNIT.sub("\N{NO-BREAK SPACE}", words)
    return Paragraph(markup(words, style.fontName), style, bulletText=bullet)


_UNIT = re.compile(r"(?<=\d) (?=(?:%|s)(?!\w))")
"""The space between a number and its unit, where no line may break."""


def tight(padding: float) -> list[tuple[Any, ...]]:
    """The style of a table with this room above and below its texts, in points."""
    return [("TOPPADDING", (0, 0), (-1, -1), padding), ("BOTTOMPADDING", (0, 0), (-1, -1), padding)]


def grid() -> list[tuple[Any, ...]]:
    """Light rules between lines, a tinted head, numbers in small type."""
    return [
        ("FONT", (0, 0), (-1, -1), SANS, SMALL),
        ("FONT", (0, 0), (-1, 0), BOLD, 7),
        ("TEXTCOLOR", (0, 0), (-1, 0), MUTED),
        ("TEXTCOLOR", (0, 1), (-1, -1), INK),
        ("BACKGROUND", (0, 0), (-1, 0), PAPER_TINT),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        *tight(2.2),
    ]
