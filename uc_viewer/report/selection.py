"""Which stills a report shows: the most severe, yet varied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mtl_core.spec import GRADES
from uc_viewer.case import FrameResult, Run

NEIGHBOURS = 2
"""Two frames at most this many places apart in the run may show the same spot."""

SAME_ANSWER = 0.1
"""Neighbours whose probabilities differ by less than this in sum (0..2) count as near-identical."""

AT_LEAST = 4
"""A report that has this many scored stills shows this many, near-identical or not."""


def severity(result: FrameResult) -> tuple[int, float, float]:
    """Sort key of a scored frame, larger is worse: grade, probability of that grade, continuous score.

    Raises ValueError for a frame that was not scored.
    """
    scores = result.scores
    if scores.probabilities is None or scores.grade is None or scores.continuous is None:
        raise ValueError(f"{result.source_file}: not scored, so it has no severity")
    return scores.grade, scores.probabilities[scores.grade], scores.continuous


def key_frames(run: Run, limit: int = 6) -> tuple[FrameResult, ...]:
    """At most ``limit`` scored frames worth printing, most severe first.

    The first is the frame behind the report's result line. The others follow by continuous score, without
    copies of one picture and without near-identical neighbours, but a third of the places is kept for grades
    not seen among them, the surest frame of each, so that the reader can compare. If fewer than four are
    found that way, near-identical neighbours fill up to four. The same run always gives the same choice.
    """
    scored = [(place, result) for place, result in enumerate(run.results) if result.scores.scored]
    if not scored or limit < 1:
        return ()
    ranked = sorted(scored, key=lambda item: (-_continuous(item[1]), item[0]))
    worst = max(scored, key=lambda item: (severity(item[1]), -item[0]))
    chosen = [worst]
    _take(chosen, ranked, limit - limit // 3)
    for grade in reversed(range(GRADES)):
        if grade not in {result.scores.grade for _, result in chosen}:
            same_grade = [item for item in scored if item[1].scores.grade == grade]
            same_grade.sort(key=lambda item: (-severity(item[1])[1], item[0]))
            _take(chosen, same_grade, min(limit, len(chosen) + 1))
    _take(chosen, ranked, limit)
    _take(chosen, ranked, min(limit, AT_LEAST), near_too=True)
    rest = sorted(chosen[1:], key=lambda item: (-_continuous(item[1]), item[0]))
    return tuple(result for _, result in [worst, *rest])


def _take(
    chosen: list[tuple[int, FrameResult]],
    candidates: Iterable[tuple[int, FrameResult]],
    size: int,
    near_too: bool = False,
) -> None:
    """Add candidates in order until ``chosen`` has ``size`` entries, leaving out what it already shows."""
    for item in candidates:
        if len(chosen) >= size:
            return
        if not any(_same_picture(item, other) for other in chosen) and (near_too or not _near(item, chosen)):
            chosen.append(item)


def _same_picture(first: tuple[int, FrameResult], second: tuple[int, FrameResult]) -> bool:
    a, b = first[1], second[1]
    return first[0] == second[0] or (a.source_sha256 == b.source_sha256 and a.index == b.index)


def _near(item: tuple[int, FrameResult], chosen: Sequence[tuple[int, FrameResult]]) -> bool:
    """True when ``item`` stands beside a chosen frame and got nearly the same answer."""
    ours = item[1].scores.probabilities or ()
    return any(
        abs(item[0] - place) <= NEIGHBOURS
        and sum(abs(p - q) for p, q in zip(ours, other.scores.probabilities or (), strict=True)) < SAME_ANSWER
        for place, other in chosen
    )


def _continuous(result: FrameResult) -> float:
    value = result.scores.continuous
    return -1.0 if value is None else value
