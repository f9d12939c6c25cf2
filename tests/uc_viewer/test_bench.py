"""The benchmark counts what it says it counts; how fast this computer is, no test can know."""

from __future__ import annotations

from pathlib import Path

import clips
import numpy as np
import pytest

from mtl_core.predict import Predictor
from uc_viewer import bench
from uc_viewer.paths import resource
from uc_viewer.sources.base import Frame, SourceError
from uc_viewer.sources.listing import Files
from uc_viewer.sources.sampling import Sampling
from uc_viewer.sources.video import Video

FRAMES = 75


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


class Drawing:
    """Stands in for OpenCV's reader: pictures of the numbers 0, 1, 2 …; a seek to an odd one goes astray."""

    step = 1

    def __init__(self, path: str) -> None:
        self.open(path)

    def open(self, path: str) -> None:
        self.at = 0

    def release(self) -> None:
        self.at = FRAMES

    def get(self, what: int) -> float:
        return FRAMES + 1.0

    def set(self, what: int, value: float) -> None:
        self.at = int(value) ^ 1 if value % 2 else int(value)

    def read(self) -> tuple[bool, np.ndarray | None]:
        if self.at >= FRAMES:
            return False, None
        self.at += 1
        return True, clips.draw((self.at - 1) * self.step, (64, 48))


class Stuck(Drawing):
    """A reader that gives one picture for every frame, as OpenCV does of interlaced ones."""

    step = 0


def test_no_seek_of_ours_is_wrong(folder: Path) -> None:
    paths = [clips.kept(folder, kind, FRAMES).path for kind in ("h264-open-gop", "mjpeg-avi")]
    found = bench.seeks(paths, count=20)
    for entry, path in zip(found, paths, strict=True):
        assert entry.source_file == path.name
        assert (entry.ours.frames, entry.ours.wrong) == (FRAMES, 0)
        assert len(entry.ours.milliseconds) == 20
        assert 0 < entry.ours.percentile(50) <= entry.ours.percentile(95)
    assert found[1].opencv is not None
    assert (found[1].opencv.frames, found[1].opencv.wrong) == (FRAMES, 0)
    table = bench.seeks_table(found).splitlines()
    assert len(table) == 3
    assert "0/20" in table[1]


def test_wrong_frames_of_opencv_are_counted_beside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv2.VideoCapture", Drawing)
    (entry,) = bench.seeks([clips.kept(folder, "mjpeg-avi", FRAMES).path], count=FRAMES)
    assert entry.ours.wrong == 0
    assert entry.opencv is not None
    assert (entry.opencv.frames, entry.opencv.wrong) == (FRAMES + 1, FRAMES // 2)


def test_a_wrong_frame_and_a_lost_one_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clips.kept(folder, "mjpeg-avi", FRAMES).path
    reopen = Video.reopen

    def beside(self: Video, index: int) -> Frame:
        if index % 3 == 0:
            raise SourceError("damaged")
        return reopen(self, max(0, index - 1) if index % 3 == 1 else index)

    monkeypatch.setattr(Video, "reopen", beside)
    (entry,) = bench.seeks([path], count=FRAMES)
    assert entry.ours.wrong == FRAMES * 2 // 3


def test_what_opencv_gives_no_pictures_of_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv2.VideoCapture", Stuck)
    (entry,) = bench.seeks([clips.kept(folder, "mpeg2-interlaced", FRAMES).path], count=10)
    assert entry.opencv is None
    assert entry.ours.wrong == 0
    assert "no pictures" in bench.seeks_table([entry])


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"hum\.mp4: .*picture"):
        bench.seeks([clips.audio_only(tmp_path / "hum.mp4")])


def test_stages_and_run_are_measured_on_the_same_frames(tmp_path: Path, model: Path) -> None:
    path, kind = tmp_path / "sample.mp4", clips.KINDS["h264-mp4"]
    stills = [frame.image for frame in Files([resource("sample")]) if isinstance(frame, Frame)]
    base, at = clips.instants(kind, len(stills), 5)
    clips.write_clip(path, kind, iter(stills), (768, 576), 5, at, base)
    predictor = Predictor.load(model, "cpu")
    speed = bench.video(path, predictor, Sampling(per_second=5), batch=4)
    assert (speed.source_file, speed.frames, speed.scored) == ("sample.mp4", 14, 14)
    assert speed.gradable == 12  # one is out of focus, one is white
    assert min(speed.decode, speed.preprocess, speed.inference, speed.together) > 0
    assert speed.ratio == pytest.approx((speed.decode + speed.preprocess + speed.inference) / speed.together)
    assert bench.video(path, predictor, limit=2).scored == 2


def test_figures_follow_from_the_seconds() -> None:
    speed = bench.Speed("a.mp4", 3000, 100, 90, 2.0, 1.0, 2.0, 10.0, 300 * 2**20, None)
    assert speed.bound == 20
    assert speed.ratio == 0.5
    table = bench.speed_table(speed)
    for text in ("3000 frames, 100 scored, 90 gradable", "50.0 scored", "0.50", "300 MiB", "not known"):
        assert text in table
