"""Draws the sample case: a procedure of stills from a procedural colonoscopy phantom, and its manifest.

Run ``python packaging/make_sample.py [--out resources/sample] [--seed N] [--only sample-03.jpg]``. The
same seed draws the same pictures. Nothing here comes from a patient, and every picture says so three
times: burned in beside the field of view, in the JPEG comment and in the manifest.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from phantom import scope, tube, wall
from phantom.scope import View
from phantom.tube import Shape

ROOT = Path(__file__).resolve().parents[1]
SEED = 20
QUALITY = 88
NOTE = "synthetic: drawn by a program, not a patient"


@dataclass(frozen=True)
class Scene:
    """One picture: where in the bowel, which score is drawn (None where it cannot be graded), how seen."""

    segment: str
    severity: int | None
    shape: Shape
    view: View
    fault: str = ""
    seed: int = 0


ROUND = Shape(folds=5, height=0.36, triangle=0.02, ripple=0.006)
THREE = Shape(folds=6, height=0.46, triangle=0.09, ripple=0.005, thickness=0.10)
SMOOTH = Shape(folds=3, height=0.24, thickness=0.20, triangle=0.02, ripple=0.007)
RECTUM = Shape(folds=3, height=0.46, thickness=0.14, triangle=0.0, ripple=0.004)

PROCEDURE: tuple[Scene, ...] = (
    Scene("ascending colon", 0, replace(THREE, bend=(0.5, 0.5)), View(1.0, (-0.25, -0.1), 24, -16, 25)),
    Scene("ascending colon", 0, replace(THREE, pool=0.86), View(1.0, (-0.5, 0.25), 58, -18, 8, warmth=0.3)),
    Scene("hepatic flexure", None, ROUND, View(1.0, (-0.3, 0.0), 40, 10, defocus=9), fault="out of focus"),
    Scene("transverse colon", 0, replace(THREE, bend=(0.35, 0.6)), View(1.0, (0.05, -0.1), -4, 6, 60)),
    Scene("transverse colon", 1, replace(THREE, bend=(-0.6, 0.1)), View(1.0, (0.1, 0.1), -6, -4, 200)),
    Scene("descending colon", 1, replace(ROUND, bend=(0.2, -0.7)), View(1.0, (0.1, 0.3), 8, 30, 140)),
    Scene("splenic flexure", 1, replace(ROUND, bend=(-0.7, 0.3)), View(1.0, (0.5, 0.2), -62, 6, -30)),
    Scene("descending colon", 2, replace(SMOOTH, bend=(0.6, 0.3)), View(1.0, (0.0, 0.1), 6, 8, 80)),
    Scene("sigmoid colon", 2, replace(ROUND, bend=(0.8, -0.2)), View(1.0, (-0.5, -0.15), 60, 12, 190)),
    Scene("sigmoid colon", 3, replace(SMOOTH, bend=(-0.6, -0.4)), View(1.0, (0.2, -0.1), -28, 14, 10)),
    Scene("sigmoid colon", None, ROUND, View(1.0, (0.62, 0.1), 88, 0, gain=9.0), fault="white-out"),
    Scene("rectosigmoid", 2, replace(SMOOTH, bend=(0.3, 0.7)), View(1.0, (0.1, -0.3), 14, -30, -20)),
    Scene("rectum", 3, replace(RECTUM, pool=0.78), View(1.0, (0.05, 0.1), 4, -2, 0)),
    Scene("rectum", 3, replace(RECTUM, bend=(0.5, -0.5)), View(1.0, (-0.55, 0.1), 64, -8, 215)),
)
"""In the order of a withdrawal: a left-sided colitis, worst in the rectum."""


def name_of(number: int) -> str:
    """File name of scene ``number`` of the procedure (counted from 0)."""
    return f"sample-{number + 1:02d}.jpg"


def draw(number: int, seed: int = SEED) -> NDArray[np.uint8]:
    """The picture of scene ``number``: uint8 576 x 768 x 3 RGB. The same seed gives the same pixels."""
    scene = PROCEDURE[number]
    rng = np.random.default_rng([seed, number, scene.seed])
    disease = wall.DISEASES[1 if scene.severity is None else scene.severity]
    bowel = tube.build(rng, scene.shape)
    return scope.photograph(rng, bowel, wall.paint(rng, disease), scene.view)


def encode(picture: NDArray[np.uint8]) -> bytes:
    """``picture`` as a JPEG file that carries ``NOTE`` in its comment segment."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not encode the picture as JPEG")
    body = data.tobytes()
    comment = NOTE.encode("ascii")
    return body[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + body[2:]


def manifest(seed: int = SEED) -> dict[str, object]:
    """What ``sample.json`` says: per picture the file, the segment, the score drawn, the fault if any."""
    pictures = [
        {
            "file": name_of(number),
            "severity": scene.severity,
            "segment": scene.segment,
            "fault": scene.fault,
            "text": NOTE,
        }
        for number, scene in enumerate(PROCEDURE)
    ]
    return {"text": NOTE, "seed": seed, "made_by": "packaging/make_sample.py", "pictures": pictures}


def write(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the sample case into a folder; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw the synthetic sample case.")
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "sample", help="folder to write to")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed draws another procedure")
    parser.add_argument("--only", action="append", metavar="FILE", help="draw only this picture (repeatable)")
    chosen = parser.parse_args(arguments)
    known = [name_of(number) for number in range(len(PROCEDURE))]
    for name in chosen.only or ():
        if name not in known:
            parser.error(f"--only {name}: no such picture; known are {known[0]} to {known[-1]}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(known):
        if not chosen.only or name in chosen.only:
            write(chosen.out / name, encode(draw(number, chosen.seed)))
            scene = PROCEDURE[number]
            print(f"{name}: {scene.segment}, {scene.fault or f'drawn as MES {scene.severity}'}")
    text = json.dumps(manifest(chosen.seed), indent=2) + "\n"
    write(chosen.out / "sample.json", text.encode("utf-8"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
