"""The lines of the table of frames: every still, and of recordings the few frames the report speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtl_core.scores import CLOSE_CALL
from uc_viewer.case import FrameReading, FrameResult, Reading, Run
from uc_viewer.report.findings import close_call, frame_name, frame_time
from uc_viewer.report.key_pictures import ai_verdict
from uc_viewer.report.reader_part import segment_name
from uc_viewer.report.recordings import Recording
from uc_viewer.report.selection import reached
from uc_viewer.report.wording import number, plural, printable

REACHED = 8
"""Most frames listed of the stretch in which the grade of a recording lasts."""

MOST_OF_RECORDINGS = 48
"""Most frames of recordings listed: a page."""

LEGEND = (
    "p0 to p3: probabilities of MES 0 to 3. P(active): that of MES 2 or 3. Active?: P(active) held against "
    "the conservative threshold. Continuous: expected grade, 0 to 3. Two grades beside a badge: close call, "
    f"their probabilities differ by less than {CLOSE_CALL}. Grades are calibrated out of fold on MES 1 to 3, "
    "every grade weighing the same; MES 0 is a surrogate: its probability is not calibrated on patients with "
    "ulcerative colitis."
)
"""Under the table of frames."""


@dataclass(frozen=True)
class Row:
    """One line of the table of frames, as printed.

    ``close_call`` is ``"1–2"`` where the two best grades lie close together, else empty. A frame that was not
    scored has ``grade`` None, empty number texts and a ``reason``; one the reader rejected has no
    numbers and no ``reason`` but says so in ``rejected``. ``reader`` and ``segment`` are the reader's.
    ``at`` is the time at the end of ``name``, empty for stills.
    """

    name: str
    grade: int | None = None
    close_call: str = ""
    probabilities: tuple[str, ...] = ()
    p_active: str = ""
    active: str = ""
    continuous: str = ""
    reason: str = ""
    rejected: str = ""
    reader: int | None = None
    segment: str = ""
    at: str = ""

    @property
    def file(self) -> str:
        """The name of the file alone."""
        return self.name.removesuffix(f", {self.at}") if self.at else self.name


def listed_frames(
    run: Run, reading: Reading, printed: Sequence[FrameResult], recordings: Sequence[Recording]
) -> Sequence[FrameResult]:
    """The frames to list, in the order of the run: all stills; of recordings those the report speaks of.

    Those are the frames ``printed`` large, and some of each stretch in which the worst grade lasts.
    """
    if not recordings:
        return run.results
    wanted = [frame.key for frame in printed if frame.pts_seconds is not None]
    stretches = [reached(one, reading)[:REACHED] for one in recordings]
    for rank in range(REACHED):  # the surest of every recording, then the next of every one
        wanted += [frames[rank].key for frames in stretches if rank < len(frames)]
    keys = set(list(dict.fromkeys(wanted))[:MOST_OF_RECORDINGS])
    return [result for result in run.results if result.pts_seconds is None or result.key in keys]


def row(result: FrameResult, said: FrameReading) -> Row:
    """One frame as a line of the table."""
    scores, name, at = result.scores, frame_name(result), frame_time(result)
    segment = segment_name(said, short=True)
    if said.rejected:
        told = f"rejected by reader; {ai_verdict(result)}"
        return Row(name=name, rejected=told, segment=segment, at=at)
    if scores.probabilities is None:
        reason = printable(scores.reject_reason)
        return Row(name=name, reason=reason, reader=said.grade, segment=segment, at=at)
    return Row(
        name=name,
        grade=scores.grade,
        close_call=close_call(scores),
        probabilities=tuple(number(p) for p in scores.probabilities),
        p_active=number(scores.p_active),
        active="yes" if scores.active else "no",
        continuous=number(scores.continuous),
        reader=said.grade,
        segment=segment,
        at=at,
    )


def unlisted_note(run: Run, listed: Sequence[FrameResult]) -> str:
    """Where the frames of recordings are that are not listed; empty where all are."""
    timed = sum(r.pts_seconds is not None for r in run.results)
    shown = sum(r.pts_seconds is not None for r in listed)
    if shown == timed:
        return ""
    return (
        f"Of the recordings {shown} of {plural(timed, 'sampled frame')} are listed here: those printed large "
        "and some of the stretches in which the worst grade lasts. All are in frames.csv."
    )
