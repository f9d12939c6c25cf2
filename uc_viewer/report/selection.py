"""Which pictures a report shows: of stills the most severe, yet varied; of recordings what lasts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mtl_core.spec import GRADES
from uc_viewer.case import FrameResult, Reading, Run
from uc_viewer.indices import NOTHING_READ
from uc_viewer.report.recordings import Recording, each, segment_of

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


def key_frames(run: Run, limit: int = 6, reading: Reading = NOTHING_READ) -> tuple[FrameResult, ...]:
    """At most ``limit`` scored frames worth printing, the same choice for the same run.

    Stills and every recording share the places, the worse first; a recording shows its worst sustained grade
    first, then its course in time. What ``reading`` says of segments and rejected frames counts for
    recordings; of stills, leave rejected ones out of the run.
    """
    stills = [result for result in run.results if result.pts_seconds is None]
    chosen_stills = _key_stills(stills, limit)
    recordings = [one for one in each(run, reading) if _counted(one, reading)]
    if not recordings:
        return chosen_stills
    groups: list[tuple[int, int, Recording | None]] = [
        (-_worst(one), len(_counted(one, reading)), one) for one in recordings
    ]
    if chosen_stills:
        groups.append((-(chosen_stills[0].scores.grade or 0), len(chosen_stills), None))
    groups.sort(key=lambda group: group[0])
    shown: list[FrameResult] = []
    for places, (_, _, one) in zip(_allot([size for _, size, _ in groups], limit), groups, strict=True):
        if one is None:
            shown += _key_stills(stills, places)
        else:
            shown += _of_recording(one, places, reading)
    return tuple(shown)


def _key_stills(results: Sequence[FrameResult], limit: int) -> tuple[FrameResult, ...]:
    """At most ``limit`` scored stills, most severe first.

    The first is the frame behind the report's result line. The others follow by continuous score, without
    copies of one picture and without near-identical neighbours, but a third of the places is kept for grades
    not seen among them, the surest frame of each, so that the reader can compare. If fewer than four are
    found that way, near-identical neighbours fill up to four.
    """
    scored = [(place, result) for place, result in enumerate(results) if result.scores.scored]
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


def _worst(one: Recording) -> int:
    """The grade that lasts; below all grades where the recording is not gradable."""
    return -1 if one.grade is None else one.grade


def _counted(one: Recording, reading: Reading) -> list[FrameResult]:
    """Its scored frames that the reader did not reject, in time."""
    counted = [frame for frame in one.frames if frame.scores.scored and not reading.of(frame.key).rejected]
    return sorted(counted, key=_time)


def _allot(sizes: Sequence[int], limit: int) -> list[int]:
    """Places for each group: one by one in turn, none more than it can fill."""
    places = [0] * len(sizes)
    while sum(places) < min(limit, sum(sizes)):
        for k, size in enumerate(sizes):
            if places[k] < size and sum(places) < limit:
                places[k] += 1
    return places


def _of_recording(one: Recording, limit: int, reading: Reading) -> list[FrameResult]:
    """Frames of the sustained stretch, the surest first, then frames spread over the rest, in time."""
    if limit < 1:
        return []
    counted = _counted(one, reading)
    chosen = reached(one, reading)[: max(1, limit // 3)]
    wanted = limit - len(chosen)
    first, last = _time(counted[0]), _time(counted[-1])
    apart = (last - first) / (3 * limit)
    for k in range(wanted):
        since, until = (first + (last - first) * (k + end) / wanted for end in (0, 1))
        window = [
            frame
            for frame in counted
            if since <= _time(frame) <= until
            and all(abs(_time(frame) - _time(other)) > apart for other in chosen)
        ]
        # The surest answer is most often the clearest picture.
        chosen += [max(window, key=lambda frame: frame.scores.margin or 0.0)] if window else []
    _fill(chosen, counted, limit)
    return [chosen[0], *sorted(chosen[1:], key=_time)]


def reached(one: Recording, reading: Reading) -> list[FrameResult]:
    """Frames of the sustained stretch, first those that got its grade by themselves, the surest leading.

    The second is as far from the first as the stretch allows. Empty where the recording is not gradable.
    """
    whole = one.judgement.whole if one.judgement else None
    if whole is None or whole.since is None or whole.until is None or (g := whole.sustained.grade) is None:
        return []
    segment = segment_of(one.judgement) if one.judgement else None
    within = [
        frame
        for frame in _counted(one, reading)
        if whole.since <= _time(frame) <= whole.until and reading.of(frame.key).segment is segment
    ]
    within.sort(key=lambda f: (f.scores.grade != g, -(f.scores.probabilities or ())[g]))
    same = [f for f in within[1:] if f.scores.grade == g]
    if same:
        far = max(same, key=lambda f: abs(_time(f) - _time(within[0])))
        within.remove(far)
        within.insert(1, far)
    return within


def _fill(chosen: list[FrameResult], counted: Sequence[FrameResult], limit: int) -> None:
    """Fill the places left with the frames furthest in time from those chosen."""
    left = [frame for frame in counted if frame not in chosen]
    while left and len(chosen) < limit:
        if chosen:
            best = max(left, key=lambda frame: min(abs(_time(frame) - _time(other)) for other in chosen))
        else:
            best = max(left, key=lambda frame: frame.scores.margin or 0.0)
        left.remove(best)
        chosen.append(best)


def _time(frame: FrameResult) -> float:
    return frame.pts_seconds or 0.0
