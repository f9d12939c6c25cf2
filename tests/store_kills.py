"""A program that writes to the library is killed at random moments; what is left is looked through.

Two threads of the child write at once, as in the window: batches of results, and reader actions with undo.
After each step that came back, a line is written to a file, which a kill cannot take back. As a program it
prints a table: ``python tests/store_kills.py 50``.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from recorded_runs import still  # noqa: E402

from uc_viewer.case import UNREAD, Case, FrameReading  # noqa: E402
from uc_viewer.store import cases, readings, review, runs  # noqa: E402
from uc_viewer.store.connection import NAME  # noqa: E402
from uc_viewer.store.database import Store  # noqa: E402
from uc_viewer.store.nouns import Step  # noqa: E402

BATCH = 8

FRAMES = 50
"""The reader goes round these frames."""

LONGEST_SECONDS = 0.4
"""A child lives for a random part of this once it writes."""


@dataclass(frozen=True)
class Outcome:
    """What was left after one kill. ``why`` is empty where nothing was wrong."""

    lived_ms: int
    batches_done: int
    batches_found: int
    actions_done: int
    actions_found: int
    items_lost: int
    why: str = ""


def write(folder: Path, told: Path, number: int) -> None:
    """The child: write results and reader actions until it is killed."""
    out = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(line: str) -> None:
        os.write(out, f"{line}\n".encode())

    with Store.open(folder) as store:
        case = cases.find(store)[0].number
        run = runs.begin(store, case, started=str(number), expected=10**6, model={}, provenance={})
        tell(f"run {run}")

        def score() -> None:
            for k in range(10**6):
                tell(f"batch? {k}")
                runs.add(store, run, batch(k))
                tell(f"batch {k}")

        threading.Thread(target=score, daemon=True).start()
        for k in range(10**6):
            frame, step = (f"{k % FRAMES}.jpg", 0), (Step.DO, Step.DO, Step.UNDO)[k % 3]
            said = UNREAD if step is Step.UNDO else FrameReading(grade=k % 4, comment=f"{number}/{k}")
            if readings.read_frames(store, case, {frame: said}, f"{number}/{k}", step):
                tell(f"action {number}/{k}")


def batch(k: int) -> list[runs.Item]:
    return [still(f"{k * BATCH + n}.jpg", n % 4) for n in range(BATCH)]


def kill_once(folder: Path, number: int, chance: random.Random) -> Outcome:
    """One child, killed; and a look at what it left."""
    told = folder / f"told-{number}.txt"
    child = subprocess.Popen([sys.executable, __file__, "--write", str(folder), str(told), str(number)])
    try:
        waited = time.monotonic()
        while not told.exists() or not told.read_text().startswith("run "):
            if child.poll() is not None or time.monotonic() - waited > 60:
                raise RuntimeError("the child does not write")
            time.sleep(0.005)
        lives = chance.uniform(0, LONGEST_SECONDS)
        time.sleep(lives)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    return look(folder, told.read_text().splitlines(), number, round(lives * 1000))


def look(folder: Path, told: list[str], number: int, lived_ms: int) -> Outcome:
    """Open what a killed child left, and compare it with what the child had been told was saved."""
    run = int(told[0].split()[1])
    with Store.open(folder) as store:
        found = runs.items(store, run)
        lines = {line.number: line for line in runs.unfinished(store)}
        deeds = [deed for deed in review.deeds(store) if deed.action.endswith("read frames")]
        held = readings.load(store, cases.find(store)[0].number)
    begun, done = (sum(line.startswith(f"{word} ") for line in told) for word in ("batch?", "batch"))
    saved = [line.split()[1] for line in told if line.startswith("action ")]
    actors = [deed.actor for deed in deeds if deed.actor.startswith(f"{number}/")]
    checks = {
        "SQLite finds it bad": is_sound(folder),
        "the trail is bad": review.verify(folder).ok,
        "the run is not offered to be taken up": run in lines,
        "the pictures are counted wrongly": run in lines and lines[run].done == len(found),
        "a batch is there in part, twice or changed": found
        == [item for k in range(len(found) // BATCH) for item in batch(k)],
        "a batch that was saved is lost": done * BATCH <= len(found) <= begun * BATCH,
        "more than one batch is lost": begun * BATCH - len(found) <= BATCH,
        "an action that was saved is lost": actors[: len(saved)] == saved,
        "an action is there that nobody did": len(actors) <= len(saved) + 1,
        "an action is there twice": len(set(actors)) == len(actors),
        "the readings are not what the trail says": dict(held.frames) == replayed(deeds),
    }
    return Outcome(
        lived_ms,
        done,
        len(found) // BATCH,
        len(saved),
        len(actors),
        begun * BATCH - len(found),
        "; ".join(why for why, right in checks.items() if not right),
    )


def is_sound(folder: Path) -> bool:
    """True where SQLite itself finds nothing wrong with the file."""
    with closing(sqlite3.connect(folder / NAME)) as sql:
        whole = sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return whole and sql.execute("PRAGMA foreign_key_check").fetchall() == []


def replayed(deeds: list[review.Deed]) -> dict[tuple[str, int], FrameReading]:
    """The readings that follow from the trail."""
    frames: dict[tuple[str, int], FrameReading] = {}
    for deed in deeds:
        for name, index, said in deed.after["frames"]:
            frames.pop((name, index), None)
            if said is not None:
                frames[name, index] = FrameReading(grade=said.get("grade"), comment=said["comment"])
    return frames


def kill_making(folder: Path, chance: random.Random) -> str:
    """A child is killed while it makes a library. What is wrong with what it left, empty if nothing is."""
    folder.mkdir()
    told = folder / "told.txt"
    child = subprocess.Popen([sys.executable, __file__, "--make", str(folder), str(told)])
    try:
        while not told.exists():
            if child.poll() is not None:
                raise RuntimeError("the child does not begin")
            time.sleep(0.0005)
        time.sleep(chance.uniform(0, 0.03))
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    with Store.open(folder) as store:
        count = len(cases.find(store))
        cases.create(store, Case(), "reader")
    if not (is_sound(folder) and review.verify(folder).ok):
        return f"bad after {count} cases"
    return ""


def kill_often(
    folder: Path, times: int, seed: int, each: Callable[[int, Outcome], None] = lambda *_: None
) -> list[Outcome]:
    """Kill one child after the other, all at the same library."""
    chance = random.Random(seed)
    with Store.open(folder) as store:
        cases.create(store, Case(patient_id="kills"), "reader")
    outcomes = []
    for number in range(times):
        outcomes.append(kill_once(folder, number, chance))
        each(number, outcomes[-1])
    return outcomes


def main() -> int:
    """Kill as often as asked for, and print a table."""
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
        return 0
    if sys.argv[1:2] == ["--make"]:
        Path(sys.argv[3]).touch()
        with Store.open(Path(sys.argv[2])) as store:
            while True:
                cases.create(store, Case(), "reader")
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    print("kill  after ms  batches saved/found  actions saved/found  pictures lost  verdict")

    def show(number: int, one: Outcome) -> None:
        print(
            f"{number + 1:4}  {one.lived_ms:8}  {one.batches_done:9} / {one.batches_found:<7}  "
            f"{one.actions_done:9} / {one.actions_found:<7}  {one.items_lost:13}  {one.why or 'whole'}",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        outcomes = kill_often(Path(folder), times, seed=0, each=show)
    wrong = sum(bool(one.why) for one in outcomes)
    most = max(outcome.items_lost for outcome in outcomes)
    print(f"{times} kills, {wrong} with something wrong, at most {most} pictures lost")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
