from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mtl_core.data import (
    DataError,
    Sample,
    apply_limuc_fold,
    assert_disjoint,
    grade_counts,
    hold_out,
    label_interval,
    read_folder,
    read_label_csv,
    read_picture,
    read_samples,
    settle_folds,
    split_hash,
    split_share,
)


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.full((8, 8, 3), 90, np.uint8))[1].tobytes())


@pytest.mark.parametrize(
    ("label", "interval"),
    [
        ("2", (2, 2)), ("Mayo 3", (3, 3)), ("grade-0-1", (0, 1)), ("ulcerative-colitis-grade-1-2", (1, 2)),
        ("ulcerative-colitis-grade-2", (2, 2)), ("MES_1", (1, 1)), ("normal", (0, 1)), ("polyp", (0, 1)),
        ("other:cecum", None), ("bbps-2-3", None), ("visit-1", None), ("2019-03-2", None),
        ("polyps", (0, 1)), ("MES 2", (2, 2)), ("2-3", (2, 3)),
        ("prep:bbps3", None), ("2019", None), ("3-1", None), ("4", None),
    ],
)  # fmt: skip
def test_label_interval(label: str, interval: tuple[int, int] | None) -> None:
    assert label_interval(label) == interval


def test_hyperkvasir_tree(tmp_path: Path) -> None:
    root = tmp_path / "archive-1" / "lower-gi"
    picture(root / "ulcerative-colitis-grade-2" / "a.png")
    picture(root / "ulcerative-colitis-grade-0-1" / "b.png")
    picture(root / "pylorus" / "c.png")
    samples = {s.path.name: s for s in read_folder(root)}
    assert samples.keys() == {"a.png", "b.png"}
    assert samples["a.png"].grade == 2
    assert samples["b.png"].grade is None


@pytest.mark.parametrize(
    "layout",
    ["patient_based_classified_images/7/Mayo 1", "train_and_validation_sets/Mayo 1", "test_set/Mayo 1"],
)
def test_limuc_layouts_group_by_patient(tmp_path: Path, layout: str) -> None:
    for number in (1, 2):
        picture(tmp_path / layout / f"UC_patient_7_{number}.bmp")
    samples = read_samples(tmp_path)
    assert {s.group for s in samples} == {"patient-7"}
    assert grade_counts(samples) == [0, 2, 0, 0]


def test_folders_above_the_grades_are_patients_when_there_are_many(tmp_path: Path) -> None:
    for patient in range(12):
        for grade in (1, 2):
            picture(tmp_path / "many" / f"p{patient}" / f"grade-{grade}" / "0.png")
    many = read_folder(tmp_path / "many")
    assert len({s.group for s in many}) == 12
    assert len({s.name for s in many}) == 24
    for part in ("train", "test"):
        picture(tmp_path / "few" / part / "grade-1" / "0.png")
        picture(tmp_path / "few" / part / "grade-1" / "1.png")
    assert len({s.group for s in read_folder(tmp_path / "few")}) == 4


def test_normals_and_polyps_in_a_tree_are_no_graded_pictures(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("normal", "polyps", "grade-2", "bbps-2-3"):
        picture(root / name / "0.png")
    assert sorted((s.use, s.low, s.high) for s in read_folder(root)) == [
        ("negative", 0, 1), ("normal", 0, 1), ("train", 2, 2),
    ]  # fmt: skip


def test_limuc_fold_lists(tmp_path: Path) -> None:
    samples = [Sample(tmp_path / f"UC_patient_{p}_1.bmp", 0, 0, f"patient-{p}") for p in (1, 2, 3)]
    (tmp_path / "train.json").write_text(json.dumps({"Mayo 0": ["UC_patient_1_1.bmp", "UC_patient_2_1.bmp"]}))
    (tmp_path / "val.json").write_text(json.dumps({"Mayo 0": ["UC_patient_3_1.bmp"]}))
    train, validation = apply_limuc_fold(samples, tmp_path)
    assert (len(train), len(validation)) == (2, 1)
    (tmp_path / "val.json").write_text(json.dumps({"Mayo 0": ["UC_patient_9_1.bmp"]}))
    with pytest.raises(DataError, match="not found"):
        apply_limuc_fold(samples, tmp_path)


def test_official_limuc_lists_are_patient_disjoint(shared_data: Path) -> None:
    listed: list[Sample] = []
    folder = shared_data / "limuc-folds" / "fold_0"
    for name in ("train.json", "val.json"):
        for label, files in json.loads((folder / name).read_text()).items():
            for file in files:
                interval = label_interval(label)
                assert interval is not None
                listed.append(Sample(Path(file), *interval, group=f"patient-{file.split('_')[2]}"))
    train, validation = apply_limuc_fold(listed, folder)
    assert len(train) + len(validation) == len(listed) == 9590
    assert grade_counts([*train, *validation]) == [5180, 2588, 1077, 745]


def test_label_csv_of_the_real_data(shared_data: Path) -> None:
    samples = read_label_csv(shared_data / "labels.csv")
    graded = [s for s in samples if s.use == "train"]
    assert grade_counts(graded) == [40, 156, 351, 107]
    settled = settle_folds(samples)
    assert {s.fold for s in settled} == {"1", "2", "3", "4"}
    for fold in "1234":
        train, held = hold_out(settled, fold)
        assert len(train) + len(held) == len(samples)
    assert read_picture(samples[0].path).shape[2] == 3


def test_label_csv_refusals(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("picture,grade\na.png,1\n")
    with pytest.raises(DataError, match=r"labels\.csv: needs a header"):
        read_label_csv(path)
    path.write_text("file,label\na.png,other:cecum\n")
    with pytest.raises(DataError, match="no row with a grade"):
        read_label_csv(path)
    with pytest.raises(DataError, match="no such"):
        read_samples(tmp_path / "absent")
    with pytest.raises(DataError, match="named after a grade"):
        read_samples(_plain(tmp_path))


def _plain(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    picture(folder / "a.png")
    return folder


def test_no_split_cuts_a_group(tmp_path: Path) -> None:
    samples = [Sample(tmp_path / f"{i}.png", i % 4, i % 4, group=f"g{i // 3}") for i in range(90)]
    rest, part = split_share(samples, 0.2, seed=0)
    assert len(part) == 18
    assert not {s.group for s in rest} & {s.group for s in part}
    with pytest.raises(DataError, match="both sides"):
        assert_disjoint(samples[:2], samples[2:])


def test_settled_folds_mend_groups_that_the_given_folds_cut(tmp_path: Path) -> None:
    samples = [
        Sample(tmp_path / f"{i}.png", 1, 1, group="same", fold=f) for i, f in enumerate(["3", "3", "1", ""])
    ]
    assert {s.fold for s in settle_folds(samples)} == {"3"}


def test_split_hash_knows_labels_and_not_order(tmp_path: Path) -> None:
    samples = [Sample(tmp_path / f"{i}.png", i, i, group=str(i)) for i in range(3)]
    assert split_hash(samples) == split_hash(samples[::-1])
    assert split_hash(samples) != split_hash(samples[:2])


def test_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"bad\.png"):
        read_picture(tmp_path / "bad.png")
