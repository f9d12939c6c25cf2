"""The seam to the engine: order, laziness, bounded batches, clean-up; and what a run says of itself."""

from __future__ import annotations

import gc
import getpass
import hashlib
import json
import platform
import threading
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtl_core.quality import FROZEN
from mtl_core.scores import FrameScores
from mtl_core.spec import ModelSpec
from uc_viewer import analysis
from uc_viewer.analysis import analyse, manifest_sha256, provenance, unseen
from uc_viewer.case import Duplicate, FrameResult, Unreadable
from uc_viewer.sources.base import Frame, SourceGone

CARD: dict[str, Any] = {
    "format": 1,
    "name": "model-x",
    "spec": ModelSpec("mobilenet_v2").to_dict(),
    "weights_sha256": "ab" * 32,
    "thresholds": {"active": 0.3, "sensitivity": 0.95},
    "training": {"data": "forty pictures"},
    "limits": ["Not for anything."],
}


class Redness:
    """A scorer that grades by mean redness and notes the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def ready(self, frame: np.ndarray) -> np.ndarray:
        return frame

    def answer(self, ready: Sequence[np.ndarray]) -> list[FrameScores]:
        return list(self.predict(ready, len(ready)))

    def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
        frames = list(frames)
        self.batches.append(len(frames))
        for frame in frames:
            red = float(frame[..., 0].mean()) / 255
            if red < 0.05:
                yield FrameScores.rejected("too dark")
            else:
                yield FrameScores((1 - red, 0.0, 0.0, red), red, red >= 0.5)


class Pictures:
    """A source of plain red pictures; None stands for a file that cannot be opened."""

    skipped: Mapping[str, int] = {}

    def __init__(self, levels: Iterable[int | None], side: int = 40) -> None:
        self._levels, self._side = list(levels), side
        self.decoded = 0
        self.closed = False

    @property
    def expected(self) -> int:
        return len(self._levels)

    def __iter__(self) -> Iterator[Frame | Unreadable]:
        try:
            for number, level in enumerate(self._levels):
                if level is None:
                    yield Unreadable(f"{number}.png", "damaged: export it again")
                else:
                    self.decoded += 1
                    yield self.reopen(f"{number}.png", level)
        finally:
            self.closed = True

    def reopen(self, source_file: str, index: int) -> Frame:
        image = np.zeros((self._side, self._side, 3), np.uint8)
        image[..., 0] = index
        return Frame(image, source_file, hashlib.sha256(bytes([index])).hexdigest())


def test_everything_comes_once_in_order() -> None:
    source = Pictures([None, 10, None, 200, 0, 250, None, 90, 130, None])
    items = list(analyse(source, Redness(), batch=2))
    assert [item.source_file for item in items] == [f"{n}.png" for n in range(10)]
    assert [isinstance(item, Unreadable) for item in items] == [n in (0, 2, 6, 9) for n in range(10)]
    scores = {item.source_file: item.scores for item in items if isinstance(item, FrameResult)}
    assert scores["3.png"].grade == 3
    assert scores["4.png"].reject_reason == "too dark"
    assert scores["8.png"].p_active == pytest.approx(130 / 255)


def test_batches_are_full_whatever_lies_between() -> None:
    scorer = Redness()
    list(analyse(Pictures([100, None, 100, None, None, 100, 100, 100]), scorer, batch=3))
    assert scorer.batches == [3, 2]


def test_unreadable_files_are_told_at_once() -> None:
    scorer = Redness()
    results = analyse(Pictures([None, 100, 100]), scorer)
    assert isinstance(next(results), Unreadable)
    assert scorer.batches == []
    results.close()


def test_little_is_decoded_ahead_and_closing_frees_the_source() -> None:
    source = Pictures([100] * 50)
    results = analyse(source, Redness(), batch=4)
    next(results)
    results.close()
    assert source.decoded <= 4 + analysis.AHEAD + 2
    assert source.closed


def test_pictures_are_decoded_while_the_engine_works() -> None:
    source, decoded = Pictures([100] * 8), threading.Event()

    class Waiting(Redness):
        def answer(self, ready: Sequence[np.ndarray]) -> list[FrameScores]:
            while source.decoded < 6:  # more than this batch: the source goes on by itself
                assert decoded.wait(0.01) or len(self.batches) < 1
            return super().answer(ready)

    assert len(list(analyse(source, Waiting(), batch=4))) == 8


def film(levels: Iterable[int], name: str = "film.mp4", step: float = 0.5) -> Iterator[Frame]:
    """Frames of a recording with a texture each, black for level 0."""
    for number, level in enumerate(levels):
        grain = np.random.default_rng(level).integers(0, 80, (16, 16, 3)).repeat(8, 0).repeat(8, 1)
        image = ((60 + grain) * (level > 0)).astype(np.uint8)
        yield Frame(image, name, "ab", number, number * step)


def test_a_held_picture_of_a_recording_is_not_scored_again() -> None:
    items = list(analyse([*film([1, 1, 1, 2, 1]), *film([1], "other.mp4")], Redness()))
    frozen = [item.scores.reject_reason for item in items if isinstance(item, FrameResult)]
    assert frozen == ["", FROZEN, FROZEN, "", "", ""]


def test_a_dark_frame_is_dark_even_if_it_stands_still() -> None:
    items = list(analyse(film([0, 0, 0]), Redness()))
    assert {item.scores.reject_reason for item in items if isinstance(item, FrameResult)} == {"too dark"}


def test_a_held_picture_is_not_even_made_ready() -> None:
    class Counting(Redness):
        made = 0

        def ready(self, frame: np.ndarray) -> np.ndarray:
            self.made += 1
            return super().ready(frame)

    scorer = Counting()
    list(analyse(film([1, 1, 1, 1, 2]), scorer))
    assert scorer.made == 2


def test_a_still_of_an_hour_holds_nothing_back() -> None:
    decoded = 0

    def still() -> Iterator[Frame]:
        nonlocal decoded
        for frame in film([1] * 3600):
            decoded += 1
            yield frame

    results = analyse(still(), Redness(), batch=8)
    assert isinstance(next(results), FrameResult)
    assert decoded <= analysis.WAITING * 8 + analysis.AHEAD + 3
    assert sum(1 for _ in results) == 3599


def test_what_came_before_a_recording_went_away_is_scored() -> None:
    def unplugged() -> Iterator[Frame]:
        yield from film([1, 2, 3])
        raise SourceGone("film.mp4: not there any more")

    items, results = [], analyse(unplugged(), Redness(), batch=8)
    with pytest.raises(SourceGone, match="not there any more"):
        items.extend(results)
    assert [item.index for item in items if item.scores.scored] == [0, 1, 2]


class TestAhead:
    """Values taken on a thread of their own."""

    @staticmethod
    def threads() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "ahead"]

    def test_closing_while_the_thread_waits_to_hand_over(self) -> None:
        closed = threading.Event()

        def values() -> Iterator[int]:
            try:
                yield from range(1000)
            finally:
                closed.set()

        taken = analysis.ahead(values(), 2)  # type: ignore[arg-type]
        assert next(taken) == 0
        began = time.monotonic()
        taken.close()
        assert time.monotonic() - began < 2
        assert closed.is_set()
        assert self.threads() == []

    def test_a_fault_comes_in_its_turn_with_its_place(self) -> None:
        def values() -> Iterator[int]:
            yield 1
            yield 2
            raise KeyError("the third")

        taken, seen = analysis.ahead(values(), 8), []  # type: ignore[arg-type]
        with pytest.raises(KeyError, match="the third") as caught:
            seen.extend(taken)
        assert seen == [1, 2]
        assert caught.traceback[-1].name == "values"
        assert self.threads() == []

    def test_even_a_quit_on_the_thread_comes_through(self) -> None:
        def values() -> Iterator[int]:
            yield 1
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(analysis.ahead(values(), 8))  # type: ignore[arg-type]
        assert self.threads() == []

    def test_a_quit_of_the_one_who_asks_ends_the_thread(self) -> None:
        source = Pictures([100] * 500)

        class Interrupted(Redness):
            def answer(self, ready: Sequence[np.ndarray]) -> list[FrameScores]:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(analyse(source, Interrupted(), batch=2))
        assert source.closed
        assert source.decoded < 20
        assert self.threads() == []

    def test_one_never_started_begins_nothing(self) -> None:
        source = Pictures([100] * 5)
        results = analyse(source, Redness())
        results.close()
        assert source.decoded == 0
        assert self.threads() == []

    def test_one_forgotten_ends_its_thread(self) -> None:
        source = Pictures([100] * 500)
        results = analyse(source, Redness(), batch=2)
        next(results)
        del results
        gc.collect()
        assert source.closed
        assert self.threads() == []

    def test_a_slow_engine_lets_no_pictures_pile_up(self) -> None:
        source = Pictures([100] * 60, side=400)

        class Slow(Redness):
            def answer(self, ready: Sequence[np.ndarray]) -> list[FrameScores]:
                time.sleep(0.02)
                ahead.append(source.decoded - 4 * len(self.batches))
                return super().answer(ready)

        ahead: list[int] = []
        assert len(list(analyse(source, Slow(), batch=4))) == 60
        assert max(ahead) <= 4 + analysis.AHEAD + 2


def test_a_fault_of_the_engine_frees_the_source() -> None:
    class Broken(Redness):
        def answer(self, ready: Sequence[np.ndarray]) -> list[FrameScores]:
            raise RuntimeError("out of memory")

    source = Pictures([100])
    with pytest.raises(RuntimeError, match="out of memory"):
        list(analyse(source, Broken()))
    assert source.closed


def test_an_engine_that_loses_pictures_is_found_out() -> None:
    class Lossy(Redness):
        def predict(self, frames: Iterable[np.ndarray], batch: int = 8) -> Iterator[FrameScores]:
            return iter(list(super().predict(frames, batch))[1:])

    with pytest.raises(RuntimeError, match="1 answers for 2 pictures"):
        list(analyse(Pictures([100, 100]), Lossy()))


def test_batch_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(analyse(Pictures([100]), Redness(), batch=0))


def test_a_thousand_stills_stream_with_flat_memory() -> None:
    side, batch = 400, 4
    picture = side * side * 3
    tracemalloc.start()
    try:
        count = sum(1 for _ in analyse(Pictures([100] * 1000, side), Redness(), batch))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 1000
    assert peak < (2 * batch + analysis.AHEAD + 3) * picture + 2**20  # all together they are 480 MB


def test_a_file_of_the_same_bytes_is_told_and_not_scored() -> None:
    scorer = Redness()
    items = list(analyse(unseen(Pictures([100, None, 100, 200, 100, None]), {}), scorer, batch=8))
    assert [item.source_file for item in items] == [f"{n}.png" for n in range(6)]
    assert [type(item) for item in items] == [
        FrameResult, Unreadable, Duplicate, FrameResult, Duplicate, Unreadable,
    ]  # fmt: skip
    duplicates = [item for item in items if isinstance(item, Duplicate)]
    digest = hashlib.sha256(bytes([100])).hexdigest()
    assert duplicates == [Duplicate("2.png", "0.png", digest), Duplicate("4.png", "0.png", digest)]
    assert scorer.batches == [2]


def test_bytes_are_remembered_from_source_to_source() -> None:
    seen: dict[tuple[str, int], str] = {}
    first = Pictures([100, 200])
    assert not any(isinstance(item, Duplicate) for item in unseen(first, seen))
    assert sorted(seen.values()) == ["0.png", "1.png"]
    # The same file once more, as when the rest of a run is scored, is no duplicate of itself.
    assert not any(isinstance(item, Duplicate) for item in unseen(first, seen))
    assert [type(item) for item in unseen(Pictures([50, 100]), seen)] == [Frame, Duplicate]


def test_frames_of_one_file_are_no_duplicates_of_each_other() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    first = [Frame(image, "film.tif", "ab", index) for index in range(3)]
    again = [Frame(image, "copy.tif", "ab", index) for index in range(3)]
    passed = list(unseen([*first, *again], {}))
    assert passed[:3] == first
    assert passed[3:] == [Duplicate("copy.tif", "film.tif", "ab", index) for index in range(3)]


def test_looking_for_duplicates_decodes_nothing_ahead_and_frees_the_source() -> None:
    source = Pictures([100, 150, 200])
    items = unseen(source, {})
    next(items)
    assert source.decoded == 1
    items.close()
    assert source.closed


def results() -> list[FrameResult | Unreadable]:
    return [*analyse(Pictures([100, None, 200]), Redness())]


def provenance_of(items: list[FrameResult | Unreadable], **more: Any) -> dict[str, Any]:
    return provenance(
        CARD, items, device="cpu", device_reason="no GPU", load_seconds=1.5, scoring_seconds=0.5, **more
    )


def test_provenance_says_how_the_scores_came_about() -> None:
    facts = provenance_of(results(), skipped={".txt": 2}, options={"batch": 8})
    assert facts["app"]["name"] == "UC Viewer"
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["versions"]["python"] == platform.python_version()
    assert facts["model"]["name"] == "model-x"
    assert facts["model"]["backbone"] == "mobilenet_v2"
    assert facts["model"]["weights_sha256"] == "ab" * 32
    assert facts["model"]["training"]["data"] == "forty pictures"
    assert facts["device"] == {"name": "cpu", "reason": "no GPU"}
    assert facts["thresholds"] == {"active": 0.3, "sensitivity": 0.95}
    assert facts["inputs"] == {"read": 2, "unreadable": 1, "skipped": {".txt": 2}}
    assert facts["timings"] == {"load_seconds": 1.5, "scoring_seconds": 0.5, "frames_per_second": 4.0}
    assert facts["options"] == {"batch": 8}
    assert all(isinstance(value, float) for value in facts["quality_rules"].values())
    assert provenance_of(results(), active_threshold=0.25)["thresholds"]["active"] == 0.25


def test_provenance_names_neither_computer_nor_user_nor_folder() -> None:
    text = json.dumps(provenance_of(results()))
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text
    assert f'"{platform.node()}"' not in text
    assert f'"{getpass.getuser()}"' not in text


def test_manifest_is_that_of_sha256sum_and_knows_no_order() -> None:
    items = results()
    lines = sorted(f"{item.source_sha256}  {item.source_file}\n" for item in items)
    assert manifest_sha256(items) == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert manifest_sha256(items[::-1]) == manifest_sha256(items)
    assert manifest_sha256(items[:2]) != manifest_sha256(items)
