"""The printed report: every page says what it must, and no input breaks it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from mtl_core.scores import FrameScores
from uc_viewer.case import Case, FrameReading, FrameResult, Reading, Run, Segment, Unreadable
from uc_viewer.grades import MES, READABLE, contrast
from uc_viewer.paths import intended_use
from uc_viewer.report import pdf, pdf_drawing, pdf_fonts
from uc_viewer.report.content import ReportContent, build

HOSTILE = (
    "<b>bold</b> & <img src='file:///etc/passwd'/> &amp; &#0;",
    '=HYPERLINK("http://x")',
    "a" * 10_000 + ".jpg",
    "\x00\x1b[31m\r\n\t\u202e\udcff",
    "עברית ריר تقرير",
    "한글 이름과 <para> 漢字 かな 简体",
    "Çağrı İnan ŞĞIİöçü",
    "\U0001f9a0 ภาษาไทย 𝔘𝔫𝔦 e\u0301\u0323\u0301",
    "</para></font>",
    "",
)


def scored(name: str, grade: int = 2, index: int = 0) -> FrameResult:
    p = [0.05, 0.05, 0.05, 0.05]
    p[grade] = 0.85
    return FrameResult(
        name, "ab" * 32, index, None, FrameScores((p[0], p[1], p[2], p[3]), p[2] + p[3], grade > 1)
    )


def run_of(*results: FrameResult, **more: Any) -> Run:
    values: dict[str, Any] = {
        "case": Case(),
        "unreadable": (),
        "started": "2025-06-01T10:22:03+02:00",
        "finished": "2025-06-01T10:22:09+02:00",
        "complete": True,
        "expected": len(results),
        "provenance": {"limits": ["A limit."], "model": {"name": "m", "weights_sha256": "0123456789abcdef"}},
    }
    return Run(results=results, **{**values, **more})


def still(seed: int = 0, height: int = 60, width: int = 80) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def content_of(count: int, pictures: int = 2, **more: Any) -> ReportContent:
    run = run_of(*(scored(f"folder/{k:03d}.jpg", k % 4) for k in range(count)), **more)
    shown = {(r.source_file, r.index): still(k) for k, r in enumerate(run.results[:pictures])}
    return build(run, shown)


def written(content: ReportContent, folder: Path, page: str = "A4") -> PdfReader:
    pdf.write(content, folder / "report.pdf", page)
    return PdfReader(folder / "report.pdf")


def words(reader: PdfReader) -> str:
    """All text, lines and no-break spaces joined to single spaces."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def fonts(reader: PdfReader) -> Iterator[Any]:
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            yield font.get_object()


class TestEveryPage:
    @pytest.mark.parametrize("count", [0, 1, 12, 130])
    def test_carries_banner_number_id_and_draft(self, count: int, tmp_path: Path) -> None:
        content = content_of(count)
        reader = written(content, tmp_path)
        for number, page in enumerate(reader.pages, start=1):
            text = " ".join(page.extract_text().split())
            assert " ".join(intended_use().split()) in text
            assert f"Page {number} of {len(reader.pages)}" in text
            assert content.report_id in text
            assert text.count("DRAFT") >= 2  # watermark and footer

    def test_says_incomplete_and_synthetic(self, tmp_path: Path) -> None:
        content = content_of(90, complete=False, expected=200, case=Case("x", synthetic=True))
        reader = written(content, tmp_path)
        assert len(reader.pages) >= 3
        for page in reader.pages:
            assert "INCOMPLETE 45 %" in page.extract_text()
            assert "SYNTHETIC SAMPLE, not a patient" in page.extract_text()

    def test_complete_run_is_not_called_incomplete(self, tmp_path: Path) -> None:
        assert "INCOMPLETE" not in words(written(content_of(3), tmp_path))

    @pytest.mark.parametrize(("page", "size"), [("A4", (595.28, 841.89)), ("Letter", (612, 792))])
    def test_has_the_size_asked_for(self, page: str, size: tuple[float, float], tmp_path: Path) -> None:
        for sheet in written(content_of(70), tmp_path, page).pages:
            assert (sheet.mediabox.width, sheet.mediabox.height) == pytest.approx(size, abs=0.01)


class TestText:
    def test_first_page_answers_who_what_how_bad_who_says_so(self, tmp_path: Path) -> None:
        content = content_of(12, case=Case("P-0417"))
        text = " ".join(written(content, tmp_path).pages[0].extract_text().split())
        assert "P-0417" in text
        assert "AI: highest MES among the scored stills: 3 (severe), probability 0.85" in text
        assert "Reader MES (worst segment) not yet read" in text
        assert content.statement in text
        assert "12 stills scored" in text
        assert "Signature" in text

    @pytest.mark.parametrize("page", ["A4", "Letter"])
    @pytest.mark.parametrize("heatmaps", [False, True])
    def test_twelve_stills_fit_two_pages(self, page: str, heatmaps: bool, tmp_path: Path) -> None:
        lost = (Unreadable("x.jpg", "empty file (0 bytes); copy it again"),)
        run = run_of(*(scored(f"{k}", k % 4) for k in range(12)), unreadable=lost, case=Case("P", True))
        shown = {(f"{k}", 0): still(k, 144, 192) for k in range(6)}
        assert len(written(build(run, shown, shown if heatmaps else None), tmp_path, page).pages) == 2

    def test_table_holds_every_frame_and_its_head_on_every_page(self, tmp_path: Path) -> None:
        reader = written(content_of(130), tmp_path)
        text = words(reader)
        assert all(f"folder/{k:03d}.jpg" in text for k in range(130))
        heads = ["Continuous" in page.extract_text() for page in reader.pages]
        rows = ["folder/1" in page.extract_text() for page in reader.pages]
        assert sum(heads) >= 3
        assert all(head for head, row in zip(heads, rows, strict=True) if row)

    def test_rejected_and_unreadable_files_are_listed_with_reasons(self, tmp_path: Path) -> None:
        dark = FrameResult("dark.jpg", "cd" * 32, 0, None, FrameScores.rejected("too dark: 3 of 255"))
        run = run_of(scored("a.jpg"), dark, unreadable=(Unreadable("b.jpg", "truncated; copy it again"),))
        text = words(written(build(run, {}), tmp_path))
        assert "dark.jpg not scored: too dark: 3 of 255" in text
        assert "b.jpg truncated; copy it again" in text
        assert "1 still scored, 1 not scored, 1 file unreadable" in text

    def test_provenance_and_limits(self, tmp_path: Path) -> None:
        text = words(written(content_of(1), tmp_path))
        assert "Weights SHA-256 0123456789ab" in text
        assert "0123456789abc" not in text
        assert "A limit." in text

    def test_metadata_has_no_patient(self, tmp_path: Path) -> None:
        content = content_of(1, case=Case("Jane Doe"))
        reader = written(content, tmp_path)
        assert reader.metadata is not None
        assert content.report_id in str(reader.metadata.title)
        assert str(reader.metadata.author).startswith("UC Viewer")
        assert "Jane" not in " ".join(str(v) for v in reader.metadata.values())
        assert reader.metadata["/CreationDate"] == "D:20250601102209+02'00'"
        assert reader.trailer["/Root"]["/Lang"] == "en"


class TestForeignText:
    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_hostile_text_in_every_place(self, text: str, tmp_path: Path) -> None:
        run = run_of(
            scored(text),
            FrameResult("r", "ef" * 32, 1, None, FrameScores.rejected(text or "dark")),
            case=Case(text),
            unreadable=(Unreadable(text, text),),
            provenance={
                "app": text,
                "model": text,
                "limits": [text],
                "device": text,
                "thresholds": {text: 1},
            },
        )
        reader = written(build(run, {(text, 0): still()}), tmp_path)
        assert intended_use()[:20] in reader.pages[-1].extract_text()

    def test_markup_is_printed_not_obeyed(self, tmp_path: Path) -> None:
        text = words(written(build(run_of(scored("<b>x</b>.jpg"), case=Case("A&amp;B <i>")), {}), tmp_path))
        assert "<b>x</b>.jpg" in text
        assert "A&amp;B <i>" in text

    def test_turkish_is_whole(self, tmp_path: Path) -> None:
        assert "Çağrı ŞĞIİöçü" in words(written(build(run_of(case=Case("Çağrı ŞĞIİöçü")), {}), tmp_path))

    def test_long_names_keep_their_end(self, tmp_path: Path) -> None:
        text = words(written(build(run_of(scored("a" * 9000 + "-0001.jpg")), {}), tmp_path))
        assert "…" in text
        assert "-0001.jpg" in text

    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=60))
    def test_markup_is_well_formed_and_loses_no_letter(self, text: str) -> None:
        visible = pdf_fonts.UNPRINTABLE
        got = "".join(piece for _, piece in pdf_fonts.runs(text))
        assert len(got) == len(text)
        assert all(a == b or b == visible for a, b in zip(text, got, strict=True))
        printable = "".join(c if c.isprintable() else " " for c in text)
        ElementTree.fromstring(f"<para>{pdf_fonts.markup(printable)}</para>")

    def test_every_letter_has_a_glyph(self) -> None:
        for name, piece in pdf_fonts.runs("aŞ한글漢字かなЖ\U0001f9a0\U0010fffe"):
            if name not in dict(pdf_fonts.READER_FONTS):
                assert all(pdf_fonts._covers(name, c) for c in piece), (name, piece)

    def test_hangul_without_any_system_font_uses_a_font_of_the_reader(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(pdf_fonts, "_embedded_fallbacks", lambda: ())
        pdf_fonts._font_for.cache_clear()
        try:
            assert pdf_fonts.runs("a 한글 b") == [
                (pdf_fonts.SANS, "a "),
                ("HYSMyeongJo-Medium", "한글 "),
                (pdf_fonts.SANS, "b"),
            ]
            reader = written(build(run_of(scored("한글 사진.jpg"), case=Case("홍길동")), {}), tmp_path)
            assert any("HYSMyeongJo" in str(font["/BaseFont"]) for font in fonts(reader))
        finally:
            pdf_fonts._font_for.cache_clear()

    def test_fonts_with_postscript_outlines_or_damage_are_passed_over(self, tmp_path: Path) -> None:
        broken = tmp_path / "NanumGothic.ttf"
        broken.write_bytes(b"OTTO" + bytes(200))
        assert list(pdf_fonts._try_register(broken)) == []
        assert list(pdf_fonts._try_register(tmp_path / "absent.ttf")) == []

    @given(st.text(st.characters(max_codepoint=0x24F), max_size=500), st.floats(20, 300))
    @settings(max_examples=40, deadline=None)
    def test_fitted_text_fits(self, text: str, space: float) -> None:
        got = pdf_fonts.fit(text, space, 8)
        assert len(got) <= max(1, len(text))
        assert pdf_fonts.width(got, 8) <= space


class TestReader:
    def test_everything_the_reader_said_is_printed(self, tmp_path: Path) -> None:
        run = run_of(*(scored(f"{k}.jpg", k % 4) for k in range(4)), case=Case("7", False, "Çağrı", "1980"))
        said = {
            ("0.jpg", 0): FrameReading(
                grade=1, segment=Segment.SIGMOID, reason="poor view", comment="a remark"
            ),
            ("1.jpg", 0): FrameReading(rejected=True),
        }
        got = build(run, {}, reading=Reading(said, "First.\nSecond.", "trial"))
        text = words(written(got, tmp_path))
        for wanted in (
            "Reader: highest MES 1 (mild), sigmoid colon",
            "AI: highest MES among the scored stills: 3 (severe), probability 0.85",
            "AI grades of the stills that count",
            "rejected by reader; AI 1 (0.85)",
            "poor view a remark",
            "Reader's comment First. Second.",
            "Trial variant",
            "Birth date",
        ):
            assert wanted in text

    @pytest.mark.parametrize("page", ["A4", "Letter"])
    @pytest.mark.parametrize(
        "text",
        ["word " * 2000, "x" * 10_000, "직장 " * 3333, "a\n" * 5000, *HOSTILE],
        ids=range(4 + len(HOSTILE)),
    )
    def test_no_comment_breaks_the_report(self, text: str, page: str, tmp_path: Path) -> None:
        case = Case(text, False, text, text, text, text, text)
        said = FrameReading(grade=0, reason=text, segment=Segment.ASCENDING, key_image=True, comment=text)
        run = run_of(scored(text), case=case)
        got = build(run, {(text, 0): still()}, reading=Reading({(text, 0): said}, text, text))
        assert intended_use()[:20] in written(got, tmp_path, page).pages[-1].extract_text()

    def test_same_reading_same_bytes(self, tmp_path: Path) -> None:
        run = run_of(scored("a"), scored("b"))
        said = {(name, 0): FrameReading(grade=1, comment="x") for name in "ab"}
        backwards = dict(reversed(said.items()))
        for name, frames in (("one", said), ("two", backwards)):
            pdf.write(build(run, {}, reading=Reading(frames)), tmp_path / name)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


class TestFile:
    def test_fonts_are_embedded(self, tmp_path: Path) -> None:
        found = list(fonts(written(content_of(3), tmp_path)))
        assert found
        for font in found:
            assert "DejaVuSans" in font["/BaseFont"]
            assert "/FontFile2" in font["/FontDescriptor"].get_object()

    def test_same_content_same_bytes(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            pdf.write(content_of(30), tmp_path / name)
            time.sleep(0.01)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_same_bytes_in_another_process(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path\n"
            "from uc_viewer.case import *; from uc_viewer.report import content, pdf\n"
            "run = Run(Case('한글 Ş'), (), (Unreadable('é', 'x'),), '2025-06-01', '2025-06-01', False, 4)\n"
            "pdf.write(content.build(run, {}), Path(sys.argv[1]))"
        )
        for seed in "12":
            subprocess.run(
                [sys.executable, "-c", code, str(tmp_path / seed)], check=True, env=_env(PYTHONHASHSEED=seed)
            )
        assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()

    def test_pictures_keep_every_pixel(self, tmp_path: Path) -> None:
        run = run_of(scored("a"))
        smooth = np.dstack([np.tile(np.arange(200, dtype=np.uint8), (150, 1))] * 3)
        reader = written(build(run, {("a", 0): smooth}), tmp_path)
        (image,) = reader.pages[0].images
        opened = Image.open(io.BytesIO(image.data))
        assert opened.size == (200, 150)
        assert np.abs(np.asarray(opened.convert("RGB")).astype(int) - smooth).mean() < 2

    @pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (5000, 40)], ids=str)
    def test_odd_pictures(self, shape: tuple[int, int], tmp_path: Path) -> None:
        reader = written(build(run_of(scored("a")), {("a", 0): still(1, *shape)}), tmp_path)
        (image,) = reader.pages[0].images
        assert max(Image.open(io.BytesIO(image.data)).size) == min(max(shape), pdf_drawing.LARGEST_SIDE)

    def test_unknown_page_size(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="A4, Letter"):
            pdf.write(content_of(0), tmp_path / "report.pdf", "B5")
        assert list(tmp_path.iterdir()) == []

    def test_failure_keeps_the_old_file_and_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "report.pdf"
        path.write_bytes(b"old")

        def full_disk(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full_disk)
        with pytest.raises(OSError, match="No space left"):
            pdf.write(content_of(1), path)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_five_hundred_stills_are_quick(self, tmp_path: Path) -> None:
        start = time.process_time()
        reader = written(content_of(500), tmp_path)
        assert time.process_time() - start < 15
        assert len(reader.pages) > 8


class TestBadge:
    @pytest.mark.parametrize("grade", MES, ids=lambda grade: grade.name)
    def test_digit_and_pattern_are_readable_on_their_fill(self, grade: Any) -> None:
        calls = _Recorder()
        pdf_drawing.badge(calls, 0, 0, 20, grade.value)
        assert str(grade.value) in calls.drawn
        fill, ink = calls.fills[0], calls.fills[-1]
        assert fill == grade.paper
        assert contrast(fill, ink) >= READABLE
        assert 0.5 in calls.line_widths

    def test_patterns_are_drawn_differently(self) -> None:
        marks = []
        for grade in MES:
            calls = _Recorder()
            pdf_drawing.badge(calls, 0, 0, 20, grade.value)
            marks.append((calls.circles > 0, calls.lines))
        plain, dots, hatch, cross = marks
        assert plain == (False, 0)
        assert dots == (True, 0)
        assert hatch[1] > 0
        assert cross[1] == 2 * hatch[1]

    def test_text_colours_on_white_and_on_the_band(self) -> None:
        for colour in (pdf_drawing.INK, pdf_drawing.MUTED, pdf_drawing.ACCENT, pdf_drawing.ALERT):
            assert contrast(_hex(colour), "#FFFFFF") >= READABLE
            # The watermark lies below the text.
            assert contrast(_hex(colour), _hex(pdf_drawing.WATERMARK)) >= READABLE


class _Recorder:
    """Stands in for a canvas and notes what is drawn."""

    def __init__(self) -> None:
        self.fills: list[str] = []
        self.line_widths: list[float] = []
        self.drawn: list[str] = []
        self.circles = self.lines = 0

    def setFillColor(self, colour: Any) -> None:
        self.fills.append(_hex(colour))

    def setLineWidth(self, value: float) -> None:
        self.line_widths.append(value)

    def drawCentredString(self, x: float, y: float, text: str) -> None:
        self.drawn.append(text)

    def circle(self, *args: float, **options: int) -> None:
        self.circles += 1

    def line(self, *args: float) -> None:
        self.lines += 1

    def beginPath(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: None


def _hex(colour: Any) -> str:
    return "#" + colour.hexval()[2:].upper()


def _env(**more: str) -> dict[str, str]:
    return {**os.environ, **more}
