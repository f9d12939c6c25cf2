"""Folders and label files -> labelled samples; splits that never cut a group; pictures for training."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from mtl_core.preprocess import Augmentation, augment, normalise, prepare
from mtl_core.spec import GRADES, InputSpec

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


class DataError(Exception):
    """A label file, folder or picture that cannot be used; the message says which and what to do."""


@dataclass(frozen=True)
class Sample:
    """One labelled picture.

    The label is the interval of grades ``low..high`` that it allows (MES 2 is 2..2, "0-1" is 0..1,
    nothing known is 0..3). ``group`` is the patient, or the cluster of near-duplicates where patients
    are unknown. ``use`` tells graded pictures (``train``) from ``normal``, ``negative`` and others.
    """

    path: Path
    low: int
    high: int
    group: str
    label: str = ""
    fold: str = ""
    source: str = ""
    use: str = "train"

    @property
    def grade(self) -> int | None:
        """The single grade, or None for a partial label."""
        return self.low if self.low == self.high else None


_NO_UC_INFLAMMATION = {"normal", "polyp", "hemorrhoid"}
_GRADE = re.compile(r"(?:^|[ _-])(?:mayo|grade|mes|score)?[ _-]*([0-3])(?:[ _-]([0-3]))?$", re.IGNORECASE)


def label_interval(label: str) -> tuple[int, int] | None:
    """Read a label such as ``2``, ``Mayo 2``, ``grade-1-2`` or ``normal``; None when it carries no grade.

    Normal mucosa and other findings without UC inflammation are inactive: 0..1.
    """
    if label in _NO_UC_INFLAMMATION:
        return (0, 1)
    match = _GRADE.search(label.strip())
    if match is None:
        return None
    low = int(match[1])
    high = int(match[2]) if match[2] else low
    return (low, high) if low <= high else None


def read_label_csv(path: Path, uses: Sequence[str] = ("train", "normal", "negative")) -> list[Sample]:
    """Read a label CSV with columns ``file, label`` and optionally ``group, fold, use, source``.

    Files are relative to the CSV's folder. Rows whose label carries no grade or whose use is not in
    ``uses`` are left out. Raises DataError when columns are missing or nothing usable remains.
    """
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if not rows or not {"file", "label"} <= rows[0].keys():
        raise DataError(f"{path.name}: needs a header with at least the columns file and label")
    samples = []
    for row in rows:
        interval = label_interval(row["label"])
        use = row.get("use") or "train"
        if interval is None or use not in uses:
            continue
        samples.append(
            Sample(
                path=path.parent / row["file"],
                low=interval[0],
                high=interval[1],
                group=row.get("group") or row["file"],
                label=row["label"],
                fold=row.get("fold") or "",
                source=row.get("source") or "",
                use=use,
            )
        )
    if not samples:
        raise DataError(f"{path.name}: no row with a grade and a use among {', '.join(uses)}")
    return samples


def read_folder(folder: Path) -> list[Sample]:
    """Read any tree whose folder names carry the grade: HyperKvasir, the three LIMUC layouts, ``grade/…``.

    The nearest parent folder that reads as a grade gives the label. A file name
    ``UC_patient_<pid>_<n>`` (LIMUC) gives the patient as group; other files are their own group, so a
    tree without patients is split by picture: cluster near-duplicates first where that matters.
    Raises DataError when no graded picture is found.
    """
    samples = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES):
        # The folder given counts itself, what lies above it does not: "scans-1/…" is no grade.
        inside = path.relative_to(folder).parent.parts[::-1]
        named = ((name, label_interval(name)) for name in (*inside, folder.name))
        label, interval = next((item for item in named if item[1] is not None), ("", None))
        if interval is None:
            continue
        samples.append(Sample(path, *interval, group=_patient(path), label=label, source=folder.name))
    if not samples:
        raise DataError(
            f"{folder.name}: no picture in a folder named after a grade, such as 'Mayo 2' or 'grade-1'"
        )
    return samples


def read_samples(path: Path) -> list[Sample]:
    """Read a label CSV or a graded folder tree, whichever ``path`` is."""
    if path.is_dir():
        return read_folder(path)
    if path.is_file():
        return read_label_csv(path)
    raise DataError(f"{path.name}: no such label file or folder")


def apply_limuc_fold(samples: Sequence[Sample], fold: Path) -> tuple[list[Sample], list[Sample]]:
    """Split by an official LIMUC fold folder (``train.json``, ``val.json``): (train, validation).

    Each JSON holds "Mayo 0".."Mayo 3" -> file names. A name is looked up together with its grade: eight
    names of the official lists stand under two grades. Raises DataError when a listed file is missing
    from ``samples`` or a patient stands on both sides.
    """
    by_name = {(sample.path.name, sample.low, sample.high): sample for sample in samples}
    parts = []
    for name in ("train.json", "val.json"):
        listed = json.loads((fold / name).read_text(encoding="utf-8"))
        keys = [
            (file, *(label_interval(label) or (0, 3))) for label, files in listed.items() for file in files
        ]
        absent = [key[0] for key in keys if key not in by_name]
        if absent:
            raise DataError(f"{fold.name}/{name}: {len(absent)} listed pictures not found, first {absent[0]}")
        parts.append([by_name[key] for key in keys])
    train, validation = parts
    assert_disjoint(train, validation)
    return train, validation


def assert_disjoint(left: Iterable[Sample], right: Iterable[Sample]) -> None:
    """Raise DataError when a group (patient) stands on both sides of a split."""
    both = {s.group for s in left} & {s.group for s in right}
    if both:
        raise DataError(f"{len(both)} groups stand on both sides of the split, first {sorted(both)[0]!r}")


def settle_folds(samples: Sequence[Sample], folds: int = 4) -> list[Sample]:
    """Give every sample a fold so that no group is cut.

    A group's given folds are kept (the most frequent one where near-duplicates disagree); a group
    without a fold gets one by the hash of its name.
    """
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        if sample.fold:
            votes[sample.group][sample.fold] += 1
    settled = []
    for sample in samples:
        given = votes.get(sample.group)
        number = int(hashlib.sha256(sample.group.encode()).hexdigest(), 16) % folds + 1
        fold = min(given, key=lambda f: (-given[f], f)) if given else str(number)
        settled.append(replace(sample, fold=fold))
    return settled


def hold_out(samples: Sequence[Sample], fold: str) -> tuple[list[Sample], list[Sample]]:
    """Split into (all other folds, this fold), with the assertion that no group crosses."""
    train = [s for s in samples if s.fold != fold]
    held = [s for s in samples if s.fold == fold]
    assert_disjoint(train, held)
    return train, held


def split_share(samples: Sequence[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Split groups at random into (rest, about ``share`` of the groups) for validation."""
    groups = sorted({s.group for s in samples})
    chosen = np.random.default_rng(seed).permutation(len(groups))[: round(share * len(groups))]
    held = {groups[i] for i in chosen}
    rest, part = [s for s in samples if s.group not in held], [s for s in samples if s.group in held]
    assert_disjoint(rest, part)
    return rest, part


def split_hash(samples: Iterable[Sample]) -> str:
    """SHA-256 over which picture was used with which label and fold: the identity of a training set."""
    lines = sorted(f"{s.path.parent.name}/{s.path.name},{s.low},{s.high},{s.group},{s.fold}" for s in samples)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_picture(path: Path) -> np.ndarray:
    """Give the picture as uint8 H x W x 3 RGB. Raises DataError when it cannot be decoded."""
    bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DataError(f"{path.name}: not a readable picture; take it out of the data set or repair it")
    return np.ascontiguousarray(bgr[..., ::-1])


def prepare_all(samples: Sequence[Sample], spec: InputSpec) -> np.ndarray:
    """Give all prepared pictures as one uint8 array N x S x S x 3 (150 kB a picture at 224 px)."""
    out = np.empty((len(samples), spec.size, spec.size, 3), np.uint8)
    for i, sample in enumerate(samples):
        out[i] = prepare(read_picture(sample.path), spec)
    return out


def make_batch(
    pictures: np.ndarray, spec: InputSpec, how: Augmentation | None, seed: tuple[int, ...]
) -> np.ndarray:
    """Augment (unless ``how`` is None) and normalise: uint8 N x S x S x 3 -> float32 N x 3 x S x S."""
    if how is not None:
        rng = np.random.default_rng(seed)
        pictures = np.stack([augment(picture, rng, how) for picture in pictures])
    return normalise(pictures, spec)


def _patient(path: Path) -> str:
    match = re.match(r"UC_patient_(\d+)_", path.name)
    return f"patient-{match[1]}" if match else f"{path.parent.name}/{path.name}"


def grade_counts(samples: Iterable[Sample]) -> list[int]:
    """How many samples have each single grade, MES 0..3."""
    counted = Counter(s.grade for s in samples)
    return [counted[grade] for grade in range(GRADES)]
