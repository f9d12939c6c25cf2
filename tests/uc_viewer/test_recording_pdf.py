"""The printed report of recordings: short, whole, readable without colour, and no input breaks it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader
from recorded_runs import facts, pictures_of, recorded, run_of, still, tagged, withdrawal

from uc_viewer.case import Case, FrameReading, Reading, Run, Segment, Unreadable
from uc_viewer.grades import MES
from uc_viewer.paths import intended_use
from uc_viewer.report import pages, pdf, pdf_fonts, pdf_timeline
from uc_viewer.report.content import build, printed_frames
from uc_viewer.report.timeline import Column, Timeline

HOSTILE = (
    "<b>bold</b> & <img src='file:///etc/passwd'/> &amp; &#0;.mp4",
    "a" * 10_000 + ".mp4",
    "\x00\x1b[31m\r\n\t\u202e\udcff",
    "대장내시경_추적관찰_2025년06월01일_좌측결장과직장_세번째녹화.mp4",
    "Ülseratif_kolit_İzlem_Çekimi_Şubat_ığüşöç_sol_kolon_ve_rektum_üçüncü_kayıt.avi",
    "",
)


def written(run: Run, folder: Path, reading: Reading | None = None, page: str = "A4") -> PdfReader:
    said = reading or Reading()
    pdf.write(build(run, pictures_of(printed_frames(run, said)), reading=said), folder / "report.pdf", page)
    return PdfReader(folder / "report.pdf")


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


class TestPages:
    @pytest.mark.parametrize("page", ["A4", "Letter"])
    def test_two_thousand_frames_stay_under_five_pages(self, page: str, tmp_path: Path) -> None:
        plan = [(1, k * 7 % 5 if k * 7 % 5 < 4 else None) for k in range(2000)]
        reader = written(run_of(recorded("v.mp4", plan), [facts("v.mp4", 2000)]), tmp_path, page=page)
        assert len(reader.pages) < 5

    def test_so_does_one_of_which_every_frame_was_overruled(self, tmp_path: Path) -> None:
        frames = recorded("v.mp4", [(2000, 1)])
        said = {f.key: FrameReading(grade=2, segment=Segment.RECTUM) for f in frames}
        assert len(written(run_of(frames), tmp_path, Reading(said)).pages) < 5

    def test_the_first_page_says_what_lasts_where_and_when(self, tmp_path: Path) -> None:
        run, said = withdrawal()
        first = " ".join(written(run, tmp_path, said).pages[0].extract_text().split())
        for told in (
            "Reader: highest MES 2 (moderate), sigmoid colon",
            "AI: worst sustained MES 2 (moderate), sigmoid colon, 00:01:52 to 00:02:00",
            "Highest single frame MES 3 at 00:00:40.000; a single frame is mostly error and no result",
            "AI sustained",
            "AI p90",
            "withdrawal.mp4 00:03:00 4500 360 321 (89 %)",
        ):
            assert told in first

    def test_a_recording_that_breaks_off_is_incomplete_on_every_page(self, tmp_path: Path) -> None:
        frames = recorded("v.mkv", [(62, 1)])
        reader = written(run_of(frames, [facts("v.mkv", 62, share=0.31)]), tmp_path)
        assert all("INCOMPLETE 31 %" in page.extract_text() for page in reader.pages)
        assert "not in the file" in words(reader)

    def test_stills_get_no_timeline_and_no_table_of_recordings(self, tmp_path: Path) -> None:
        text = words(written(run_of([still("a.jpg", 1)]), tmp_path))
        assert "Timeline" not in text
        assert "Recording" not in text
        assert "All frames" in text

    def test_the_name_of_a_recording_stands_once_above_its_frames(self, tmp_path: Path) -> None:
        frames = [*recorded("a.mp4", [(20, 1)]), *recorded("b.mp4", [(20, 2)])]
        table = words(written(run_of([still("s.jpg", 0), *frames]), tmp_path)).partition(
            "Continuous 1 s.jpg"
        )[2]
        assert re.match(r".*? a\.mp4 2 00:00:\d\d.\d{3} ", table)
        assert len(re.findall(r"[ab]\.mp4", table.partition("Of the recordings")[0])) == 2

    def test_timelines_beyond_the_sixth_are_told(self, tmp_path: Path) -> None:
        frames = [frame for k in range(9) for frame in recorded(f"{k}.mp4", [(20, 1)])]
        assert "3 further recordings not" in words(written(run_of(frames), tmp_path))


class TestForeignText:
    @pytest.mark.parametrize("page", ["A4", "Letter"])
    @pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
    def test_no_name_breaks_the_report(self, name: str, page: str, tmp_path: Path) -> None:
        frames = [*recorded(name, [(30, 2), (10, None)]), *recorded("b.mp4", [(20, 1)])]
        said = {f.key: FrameReading(grade=1, segment=Segment.SIGMOID, comment=name) for f in frames[3:6]}
        told = [facts(name, 41, share=0.4, codec=name), facts("b.mp4", 20)]
        lost = [Unreadable(name, name, "", 5000, 20.0)]
        run = run_of([still(name + "s", 1), *frames], told, lost, case=Case(name))
        reader = written(run, tmp_path, Reading(said), page)
        assert intended_use()[:20] in reader.pages[-1].extract_text()

    def test_a_cut_name_keeps_the_time_behind_it(self) -> None:
        name = "a" * 300 + ".mp4, 00:06:57.280"
        got = pdf_fonts.fit(name, 120, 7, keep=len(", 00:06:57.280"))
        assert got.endswith(", 00:06:57.280")
        assert "…" in got
        assert pdf_fonts.width(got, 7) <= 120

    def test_no_line_breaks_between_a_number_and_its_unit(self, tmp_path: Path) -> None:
        text = "".join(p.extract_text() for p in written(withdrawal()[0], tmp_path).pages)
        assert "0.75\xa0s" in text or "0.75 s" in text
        assert not re.search(r"\d\n(s|%)\b", text)

    def test_same_content_same_bytes(self, tmp_path: Path) -> None:
        run, said = withdrawal()
        for name in "ab":
            pdf.write(build(run, {}, reading=said), tmp_path / name)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def strip_of(*grades: int | None, damaged: bool = False) -> Timeline:
    columns = [Column(k, k + 1, g, g, float(g is not None), damaged) for k, g in enumerate(grades)]
    return Timeline("v", 0.0, float(len(grades)), tuple(columns), (), (), None, 1)


class _Recorder:
    """Stands in for a canvas and notes the bars: left end, width, height."""

    _pagesize = (600.0, 800.0)

    def __init__(self) -> None:
        self.bars: list[tuple[float, float, float]] = []
        self.words: list[str] = []
        self.crosses = 0

    def rect(self, x: float, y: float, w: float, h: float, stroke: int = 0, fill: int = 0) -> None:
        if fill:
            self.bars.append((x, w, h))

    def drawString(self, x: float, y: float, words: str) -> None:
        self.words.append(words)

    def stringWidth(self, words: str, font: str, size: float) -> float:
        return pdf_fonts.width(words, size)

    def lines(self, lines: list[Any]) -> None:
        self.crosses += len(lines) == 2

    def beginPath(self) -> Any:
        return _Recorder()

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: None


def drawn(strip: Timeline, wide: float = 550.0) -> _Recorder:
    pdf_fonts.register()
    flowable = pdf_timeline.TimelineStrip(strip)
    flowable.wrap(wide, 1000)
    flowable.canv = canvas = _Recorder()
    flowable.draw()
    return canvas


class TestStrip:
    def test_grades_differ_in_height_as_well(self) -> None:
        heights = [{round(h, 3) for _, w, h in drawn(strip_of(g)).bars} for g in range(len(MES))]
        for low, high in pairwise(heights):
            assert max(high - low) > max(low - high)
        # Model and reader each have a bar of their own height, and "scored" is the same in all.
        assert all(len(h) == 3 for h in heights)

    def test_neighbours_of_one_grade_are_one_bar(self) -> None:
        assert len(drawn(strip_of(*[1] * 300, *[2] * 300)).bars) == 2 + 2 + 1

    def test_one_read_frame_of_an_hour_can_be_seen(self) -> None:
        grades = [None] * 599 + [3]
        widths = [w for _, w, _ in drawn(strip_of(*grades)).bars]
        assert min(widths) < 1  # the model's bar: a column, no wider
        assert max(widths) == pytest.approx(pdf_timeline.NARROWEST)

    def test_nothing_leaves_the_plot(self) -> None:
        for x, w, _ in drawn(strip_of(3, *[None] * 598, 3)).bars:
            assert x >= pdf_timeline.LABELS - 0.01
            assert x + w <= 550.01

    def test_what_is_missing_is_said(self) -> None:
        assert {"not read", "nothing scored", "none given"} <= set(drawn(strip_of(None)).words)
        assert "not gradable by the rule" in drawn(strip_of(1)).words

    def test_damage_is_a_cross(self) -> None:
        assert drawn(strip_of(1)).crosses == 0
        assert drawn(strip_of(1, damaged=True)).crosses == 1

    @pytest.mark.parametrize("span", [0.04, 1.0, 59.0, 180.0, 3600.0, 40_000.0, 1e9])
    def test_the_axis_has_some_round_times_and_never_too_many(self, span: float) -> None:
        ticks = pdf_timeline._ticks(0.54, 0.54 + span, 8.6)
        assert len(ticks) <= 9
        assert len(ticks) >= (span >= 5)
        assert all(tick == int(tick) and 0.54 <= tick <= 0.54 + span for tick in ticks)

    @pytest.mark.parametrize(("room", "name"), [(80, "sigmoid colon"), (30, "sigmoid"), (8, "S"), (2, "")])
    def test_names_of_segments_give_way(self, room: float, name: str) -> None:
        pdf_fonts.register()
        assert pdf_timeline._fitting("sigmoid colon", room) == name

    def test_it_is_drawn_not_a_picture(self, tmp_path: Path) -> None:
        frames = recorded("v.mp4", [(100, 1)])
        pdf.write(build(run_of(frames), {}), tmp_path / "report.pdf")
        assert [len(page.images) for page in PdfReader(tmp_path / "report.pdf").pages] == [0] * 2

    def test_on_paper_the_sustained_stretch_has_its_colour(self, tmp_path: Path) -> None:
        frames = recorded("v.mp4", [(50, 0), (50, 3)])
        said = tagged(frames, [(100, Segment.RECTUM)])
        pdf.write(build(run_of(frames), {}, reading=Reading(said)), tmp_path / "report.pdf")
        data = (tmp_path / "report.pdf").read_bytes()
        picture = np.concatenate([pages.draw(data, k, 72) for k in range(len(pages.page_sizes(data)))])
        wanted = np.array([int(MES[3].paper[k : k + 2], 16) for k in (1, 3, 5)])
        dark = (np.abs(picture.astype(int) - wanted).max(axis=2) < 12).any(axis=0)
        # Half of the plot, from its middle to its right end.
        assert dark[300:540].mean() > 0.6
        assert dark[150:290].mean() < 0.4
