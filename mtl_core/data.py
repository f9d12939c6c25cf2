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
    name: str = ""
    """The file relative to what was read, with ``/``; unique within a data set."""

    @property
    def grade(self) -> int | None:
        """The single grade, or None for a partial label."""
        return self.low if self.low == self.high else None


_FEWEST_PATIENTS = 10
"""Fewer folders above the grades than this are parts of a data set, not patients."""
_OTHER = {"normal": "normal"} | dict.fromkeys(
    ("polyp", "polyps", "hemorrhoid", "hemorrhoids", "haemorrhoids"), "negative"
)
"""Labels without UC inflammation, and the use of pictures that carry them."""
_GRADE = re.compile(
    r"(?:(?:ulcerative[ _-]colitis[ _-])?(?:mayo|grade|mes)(?:[ _-]score)?[ _-]*)?([0-3])(?:-([0-3]))?",
    re.IGNORECASE,
)
"""The whole label: a grade or in-between grade, alone or named as one; "bbps-2-3", "visit-1" are none."""


def label_interval(label: str) -> tuple[int, int] | None:
    """Read a label such as ``2``, ``Mayo 2``, ``grade-1-2`` or ``normal``; None when it carries no grade.

    Normal mucosa and other findings without UC inflammation are inactive: 0..1.
    """
    if label.strip().lower() in _OTHER:
        return (0, 1)
    match = _GRADE.fullmatch(label.strip())
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
                name=row["file"],
            )
        )
    if not samples:
        raise DataError(f"{path.name}: no row with a grade and a use among {', '.join(uses)}")
    return samples


def read_folder(folder: Path) -> list[Sample]:
    """Read any tree whose folder names carry the grade: HyperKvasir, the three LIMUC layouts, ``grade/…``.

    The nearest parent folder that reads as a grade gives the label; folders named ``normal`` or
    ``polyps`` give normal and negative pictures. The group is the patient: from LIMUC's file names
    ``UC_patient_<pid>_<n>``, or else the folder above the grade's, where there are at least ten such
    folders. Other files are their own group, so a tree without patients is split by picture: cluster
    near-duplicates first where that matters. Raises DataError when no graded picture is found.
    """
    samples = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES):
        # The folder given counts itself, what lies above it does not: "grade-1/…" elsewhere is not meant.
        inside = path.relative_to(folder).parent.parts[::-1]
        labels = [(name, label_interval(name)) for name in (*inside, folder.name)]
        found = next((i for i, (_, interval) in enumerate(labels) if interval is not None), None)
        if found is None:
            continue
        label, interval = labels[found]
        assert interval is not None
        above = "/".join(inside[found + 1 :][::-1])
        use = _OTHER.get(label.strip().lower(), "train")
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        group = _patient(path) or above
        samples.append(Sample(path, *interval, group, label, source=folder.name, use=use, name=name))
    if len({sample.group for sample in samples}) < _FEWEST_PATIENTS:
        samples = [replace(s, group=_patient(s.path) or s.name) for s in samples]
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
    """SHA-256 over which picture was used with which label and group: the identity of a training set."""
    lines = sorted(f"{s.path.parent.name}/{s.path.name},{s.low},{s.high},{s.group}" for s in samples)
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
    """LIMUC's patient in a file name, or nothing."""
    match = re.match(r"UC_patient_(\d+)_", path.name)
    return f"patient-{match[1]}" if match else ""


def grade_counts(samples: Iterable[Sample]) -> list[int]:
    """How many samples have each single grade, MES 0..3."""
    counted = Counter(s.grade for s in samples)
    return [counted[grade] for grade in range(GRADES)]
