from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from mtl_core import bundle
from mtl_core.__main__ import main
from mtl_core.data import Sample
from mtl_core.metrics import Predictions, write_predictions
from mtl_core.predict import Predictor
from mtl_core.release import format_cards, recalibrate
from mtl_core.shortcuts import CHANGES, shortcut_tests

TINY = ["--size", "64", "--epochs", "1", "--batch", "8", "--extra", "4"]


def mucosa(grade: int, seed: int, side: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.normal(0, 18, (side // 8, side // 8)), np.ones((8, 8)))
    base = np.array([150 + 25 * grade, 100 - 10 * grade, 75])
    return np.clip(base + (coarse + rng.normal(0, 10, (side, side)))[..., None], 1, 254).astype(np.uint8)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A graded folder tree of 40 drawn pictures."""
    for grade in range(4):
        folder = tmp_path / "set" / f"grade-{grade}"
        folder.mkdir(parents=True)
        for i in range(10):
            data = cv2.imencode(".png", mucosa(grade, 10 * grade + i)[..., ::-1])[1]
            (folder / f"{i}.png").write_bytes(data.tobytes())
    return tmp_path / "set"


def drawn_predictions(rows: int = 80) -> Predictions:
    rng = np.random.default_rng(2)
    low = (np.arange(rows) % 4).astype(np.int8)
    names = np.array([f"{i}.png" for i in range(rows)])
    fine = 3.0 * np.eye(4)[low] + rng.normal(0, 1.5, (rows, 4))
    coarse = np.stack([2.0 * (low >= c) - 1 + rng.normal(0, 1, rows) for c in (1, 2, 3)], axis=1)
    text = {name: np.array(["x"] * rows) for name in ("sources", "labels")}
    return Predictions(
        files=names, groups=names, folds=np.array([str(i % 3 + 1) for i in range(rows)]),
        uses=np.array(["train"] * rows), low=low, high=low, fine=fine, coarse=coarse, cuts=(1, 2, 3), **text,
    )  # fmt: skip


def test_train_calibrate_shortcuts_card_end_to_end(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    assert main(["train", str(tree), "--out", str(model), "--validation", "0.4", *TINY]) == 0
    assert {p.name for p in model.iterdir()} == {
        "card.json", "model.safetensors", "curves.json", "curves.png", "evaluation.png",
    }  # fmt: skip
    card = bundle.read_card(model)
    assert card["training"]["pictures"] == 24
    assert card["training"]["config"]["epochs"] == 1
    assert card["metrics"]["judged_on"].startswith("the held-out validation share")
    scores = next(Predictor.load(model).predict([mucosa(3, 1)]))
    assert scores.scored

    assert main(["shortcuts", str(model), str(tree), "--every", "8"]) == 0
    assert set(bundle.read_card(model)["metrics"]["shortcuts"]) == set(CHANGES)

    oof = tmp_path / "oof.csv"
    write_predictions(drawn_predictions(), oof)
    before = card["weights_sha256"]
    assert main(["calibrate", str(model), str(oof), "--sensitivity", "0.9"]) == 0
    after = bundle.read_card(model)
    assert after["weights_sha256"] == before
    assert after["thresholds"]["sensitivity"] == 0.9
    assert after["calibration"] != card["calibration"]

    text = tmp_path / "cards.md"
    assert main(["card", str(model), "--out", str(text)]) == 0
    assert before[:12] in text.read_text()
    assert "qwk" in text.read_text()
    capsys.readouterr()


def test_predict_then_evaluate_with_the_models_own_calibration(
    tree: Path, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "test.csv"
    assert main(["predict", str(tiny_bundle), str(tree), "--out", str(out)]) == 0
    assert main(["evaluate", str(out), "--model", str(tiny_bundle)]) == 0
    printed = capsys.readouterr().out
    assert "Grades 0-3, read as such: 40 pictures" in printed
    assert main(["evaluate", str(out)]) == 2
    assert "at least two folds" in capsys.readouterr().err


def test_crossval_then_train_on_everything(tree: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(["crossval", str(tree), "--out", str(run), "--folds", "1,2", *TINY]) == 0
    assert (run / "oof.csv").is_file()
    assert main(["train", str(tree), "--out", str(tmp_path / "m"), "--oof", str(run / "oof.csv"), *TINY]) == 0
    assert bundle.read_card(tmp_path / "m")["training"]["pictures"] == 40


def test_evaluate_writes_its_report_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    oof, other = tmp_path / "a.csv", tmp_path / "b.csv"
    write_predictions(drawn_predictions(), oof)
    write_predictions(drawn_predictions(), other)
    assert main(["evaluate", str(oof), "--compare", str(other), "--out", str(tmp_path / "out")]) == 0
    summary = tmp_path / "both.md"
    assert main(["evaluate", str(oof), str(other), "--summary", str(summary)]) == 0
    assert "| | a | b |" in summary.read_text()
    assert "| recall MES 3 | " in summary.read_text()
    printed = capsys.readouterr().out
    assert "qwk" in printed
    assert "a minus b" in printed
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["rows"] == 80
    assert (tmp_path / "out" / "report.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "absent.csv"], "absent.csv"),
        (["train", "absent-folder", "--out", "x"], "absent-folder: no such label file or folder"),
        (["calibrate", "absent-model", "absent.csv"], "absent"),
        (["card", "absent-model", "--out", "x.md"], "model 'absent-model'"),
        (["distil", ".", "--teacher", "mobilenet_v2=x", "--out", "y"], "no pictures"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert words in lines[0]


def test_recalibrating_a_damaged_bundle_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_bundle, tmp_path / "bad"))
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x00\x01"[1:] if file.read(1) == b"\x00" else b"\x00\x00")
    with pytest.raises(bundle.BundleError, match="damaged"):
        recalibrate(folder, drawn_predictions())


def test_shortcut_changes_alter_the_picture_but_not_its_kind() -> None:
    frame = mucosa(2, 5, 256)
    for change in CHANGES.values():
        out = change(frame)
        assert out.dtype == np.uint8
        assert out.shape[2] == 3
        assert out.shape != frame.shape or (out != frame).any()


def test_shortcut_tests_need_scored_pictures(tiny_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "black.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes())
    with pytest.raises(ValueError, match="none of those given"):
        shortcut_tests(Predictor.load(tiny_bundle, "cpu"), [Sample(path, 0, 3, "g")])


def test_cards_of_a_bundle_without_figures_still_print(tiny_bundle: Path) -> None:
    card = bundle.read_card(tiny_bundle)
    card["training"] |= {"start": "random", "split_sha256": "0" * 64}
    card["metrics"] = {"judged_on": "nothing", "rows": 0, "groups": 0}
    assert "Trunk `mobilenet_v3_large`, 64 px" in format_cards([card])


def test_training_on_an_official_limuc_fold(tmp_path: Path) -> None:
    lists: dict[str, dict[str, list[str]]] = {"train.json": {}, "val.json": {}}
    for patient in range(1, 7):
        for grade in range(4):
            name = f"UC_patient_{patient}_{grade}.bmp"
            path = tmp_path / "LIMUC" / "train_and_validation_sets" / f"Mayo {grade}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".bmp", mucosa(grade, patient)[..., ::-1])[1].tobytes())
            part = "val.json" if patient > 4 else "train.json"
            lists[part].setdefault(f"Mayo {grade}", []).append(name)
    fold = tmp_path / "fold_0"
    fold.mkdir()
    for name, listed in lists.items():
        (fold / name).write_text(json.dumps(listed))
    out = tmp_path / "model"
    command = ["train", str(tmp_path / "LIMUC"), "--limuc-fold", str(fold), "--out", str(out), *TINY]
    assert main(command) == 0
    card = bundle.read_card(out)
    assert card["training"]["pictures"] == 16
    assert card["metrics"]["rows"] == 8
