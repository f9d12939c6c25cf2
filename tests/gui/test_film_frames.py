"""One frame of the film: what it says of itself, which filters let it through, where it is sorted."""

from __future__ import annotations

import pytest

from mtl_core.scores import FrameScores
from uc_viewer.case import Duplicate, FrameReading, FrameResult, Segment, Unreadable
from uc_viewer.gui.widgets.film_frames import FilmFrame, Filter, Order, Show, at_least, is_flagged, severity

SURE_2 = (0.05, 0.1, 0.7, 0.15)
CLOSE_1_2 = (0.1, 0.44, 0.4, 0.06)
REJECTED = FrameReading(rejected=True)


def frame(
    p: tuple[float, float, float, float] | None = None, reading: FrameReading | None = None, reject: str = ""
) -> FilmFrame:
    made = FilmFrame(0, ("a.png", 0)).with_reading(reading or FrameReading())
    if p is not None:
        scores = FrameScores(p, p[2] + p[3], p[2] + p[3] > 0.5)
    elif reject:
        scores = FrameScores.rejected(reject)
    else:
        return made
    return made.with_item(FrameResult("a.png", "", 0, None, scores))


UNREADABLE = frame().with_item(Unreadable("a.png", "no picture"))
DUPLICATE = frame().with_item(Duplicate("a.png", "b.png", ""))


def graded(grade: int) -> FrameReading:
    return FrameReading(grade=grade)


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        (frame(), None),
        (frame(SURE_2), 2),
        (frame(SURE_2, graded(0)), 0),
        (frame(reject="blurred", reading=graded(3)), 3),
        (frame(SURE_2, REJECTED), None),
        (UNREADABLE, None),
    ],
)
def test_the_reader_has_the_say_about_the_grade(given: FilmFrame, grade: int | None) -> None:
    assert given.grade == grade


@pytest.mark.parametrize(
    ("index", "seconds", "name", "moment"),
    [
        (0, None, "visit/a.mp4", ""),
        (7, None, "visit/a.mp4 #7", "#7"),
        (0, 0.0, "visit/a.mp4, 0:00:00.000", "0:00.000"),
        (88, 3.48, "visit/a.mp4, 0:00:03.480", "0:03.480"),
        (15_001, 600.04, "visit/a.mp4, 0:10:00.040", "10:00.040"),
        (180_000, 7200.0, "visit/a.mp4, 2:00:00.000", "2:00:00.000"),
        (0, -0.04, "visit/a.mp4, -0:00:00.040", "-0:00:00.040"),
    ],
)
def test_names_tell_the_frames_of_one_file_apart(
    index: int, seconds: float | None, name: str, moment: str
) -> None:
    key = ("visit/a.mp4", index)
    waiting = FilmFrame(0, key)
    scores = FrameScores(SURE_2, 0.85, True)
    for item in (
        FrameResult(*(key[0], "", index, seconds), scores),
        Unreadable(key[0], "damaged", "", index, seconds),
    ):
        known = waiting.with_item(item)
        assert (known.name, known.moment, known.file_name) == (name, moment, "a.mp4")
        # The time is the file's, not the model's: it stays when the answer goes or is kept back.
        assert known.blinded().moment == known.with_item(None).moment == moment
    assert waiting.name == (f"visit/a.mp4 #{index}" if index else "visit/a.mp4")


@pytest.mark.parametrize(
    ("p", "close"),
    [
        (SURE_2, None),
        (CLOSE_1_2, (1, 2)),
        ((0.0, 0.0, 0.5, 0.5), (2, 3)),
        ((0.45, 0.05, 0.05, 0.45), (0, 3)),
        ((0.625, 0.375, 0.0, 0.0), None),
    ],
)
def test_a_close_call_names_both_grades(
    p: tuple[float, float, float, float], close: tuple[int, int] | None
) -> None:
    assert frame(p).close_call == close


@pytest.mark.parametrize(
    ("given", "flagged"),
    [
        (frame(), False),
        (frame(SURE_2), False),
        (frame(SURE_2, graded(2)), False),
        (frame(SURE_2, graded(1)), True),
        (frame(CLOSE_1_2), True),
        (frame(reject="blurred"), True),
        (UNREADABLE, True),
        (DUPLICATE, False),
        (frame(CLOSE_1_2, REJECTED), False),
    ],
)
def test_flags(given: FilmFrame, flagged: bool) -> None:
    assert is_flagged(given) is flagged


SOME = {
    "waiting": frame(),
    "sure 2": frame(SURE_2),
    "close": frame(CLOSE_1_2, FrameReading(segment=Segment.RECTUM, key_image=True)),
    "overridden": frame(SURE_2, graded(0)),
    "rejected": frame(SURE_2, REJECTED),
    "blurred": frame(reject="blurred"),
    "unreadable": UNREADABLE,
    "duplicate": DUPLICATE,
}


@pytest.mark.parametrize(
    ("chosen", "through"),
    [
        (Filter(), set(SOME)),
        (Filter(Show.GRADE, grade=2), {"sure 2"}),
        (Filter(Show.GRADE, grade=0), {"overridden"}),
        (Filter(Show.GRADE, grade=3), set()),
        (Filter(Show.NOT_SCORED), {"blurred", "unreadable"}),
        (Filter(Show.REJECTED), {"rejected"}),
        (Filter(Show.OVERRIDDEN), {"overridden"}),
        (Filter(Show.UNREAD), {"waiting", "sure 2", "close", "blurred"}),
        (Filter(Show.KEY_IMAGES), {"close"}),
        (Filter(Show.SEGMENT, segment=Segment.RECTUM), {"close"}),
        (Filter(Show.SEGMENT, segment=Segment.CAECUM), set()),
        (Filter(Show.UNTAGGED), {"waiting", "sure 2", "overridden", "blurred"}),
    ],
)
def test_filters(chosen: Filter, through: set[str]) -> None:
    assert {name for name, given in SOME.items() if chosen.wanted(given)} == through


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (Order.LISTED, list(SOME)),
        (Order.HIGHEST_FIRST, ["sure 2", "close", "overridden", "waiting"]),
        (Order.LEAST_CERTAIN_FIRST, ["close", "sure 2", "overridden", "rejected", "waiting"]),
    ],
)
def test_orders(order: Order, names: list[str]) -> None:
    assert sorted(SOME, key=lambda name: order.rank(SOME[name]))[: len(names)] == names


@pytest.mark.parametrize(("grade", "found"), [(0, 3), (1, 2), (2, 1), (3, 0)])
def test_at_least(grade: int, found: int) -> None:
    assert sum(map(at_least(grade), SOME.values())) == found


def test_severity_goes_by_grade_and_then_by_certainty() -> None:
    order = [frame(), frame(CLOSE_1_2), frame((0.0, 0.1, 0.5, 0.4)), frame(SURE_2), frame((0, 0, 0.45, 0.55))]
    assert sorted(reversed(order), key=severity) == order
    assert severity(frame(SURE_2, REJECTED)) == severity(frame())


def test_blinded_frames_say_nothing_of_the_model_and_keep_the_rest() -> None:
    blind = frame(CLOSE_1_2, graded(2)).blinded()
    assert (blind.ai, blind.margin, blind.close_call, blind.overridden) == (None, None, None, False)
    assert blind.grade == 2
    assert not frame(reject="blurred").blinded().not_scored
    assert UNREADABLE.blinded().not_scored
