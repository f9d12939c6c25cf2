"""The house itself: walls, what is loaded when, one home for each fact, what the pages promise."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import mtl_core
import uc_viewer

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SOURCES = sorted([*(ROOT / "mtl_core").rglob("*.py"), *(ROOT / "uc_viewer").rglob("*.py")])


def python(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter in `folder`, whose packages come first."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def walls(folder: Path) -> subprocess.CompletedProcess[str]:
    return python(
        "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache", folder=folder
    )


def test_the_walls_stand() -> None:
    told = walls(ROOT)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for package in ("mtl_core", "uc_viewer"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(
    ("module", "line", "wall"),
    [
        ("mtl_core/scores.py", "import PySide6.QtCore", "The engine knows no Qt"),
        ("mtl_core/preprocess.py", "from uc_viewer import case", "The engine knows no Qt"),
        ("mtl_core/spec.py", "import torch", "The engine's plain data needs no torch"),
        ("uc_viewer/case.py", "from PySide6.QtCore import QObject", "Qt stays in uc_viewer.gui"),
        ("uc_viewer/grades.py", "from uc_viewer.gui import worker", "Viewer floors"),
        ("mtl_core/preprocess.py", "from mtl_core import bundle", "Engine floors"),
        ("uc_viewer/gui/worker.py", "from uc_viewer.gui import main_window", "Window floors"),
        ("uc_viewer/gui/widgets/image_view.py", "from uc_viewer import analysis", "Widgets show values"),
        ("mtl_core/scores.py", "import pickle", "No pickle, no network"),
    ],
)
def test_a_forbidden_import_is_caught(copy: Path, module: str, line: str, wall: str) -> None:
    file = copy / module
    text = file.read_text("utf-8")
    file.write_text(f"{text}\n{line}\n", "utf-8")
    try:
        told = walls(copy)
    finally:
        file.write_text(text, "utf-8")
    assert told.returncode == 1, told.stdout + told.stderr
    assert re.search(rf"^{re.escape(wall)}.* BROKEN$", told.stdout, re.MULTILINE), told.stdout


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("uc_viewer.gui.app", ["torch", "torchvision", "cv2", "matplotlib", "sklearn"]),
        ("uc_viewer.cli", ["torch", "torchvision", "PySide6"]),
        ("mtl_core.spec", ["torch"]),
        ("mtl_core.scores", ["torch"]),
        ("mtl_core.bundle", ["torch"]),
        ("mtl_core.__main__", ["torch"]),
    ],
)
def test_importing_leaves_heavy_libraries_unloaded(module: str, absent: list[str]) -> None:
    told = python("-c", f"import {module}, sys; print([m for m in {absent} if m in sys.modules])")
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == "[]"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True is immortal from Python 3.12 on")
def test_signals_of_the_installed_qt_lose_no_references() -> None:
    """PySide6 6.12.0 does: it aborts Python 3.11 sooner or later, and looks like a fault of ours."""
    code = (
        "import sys; from PySide6.QtCore import QObject, Signal\n"
        "class Bell(QObject):\n    rung = Signal()\n"
        "bell = Bell(); before = sys.getrefcount(True)\n"
        "for _ in range(100): bell.rung.emit()\n"
        "print(before - sys.getrefcount(True) < 50); sys.stdout.flush()\n"
        "import os; os._exit(0)"
    )
    assert python("-c", code).stdout.strip() == "True"


def test_the_version_is_the_same_everywhere() -> None:
    assert uc_viewer.__version__ is mtl_core.__version__
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {mtl_core.__version__}\n" in citation
    assert PROJECT["project"]["dynamic"] == ["version"]


def test_the_intended_use_sentence_has_one_home() -> None:
    """A model's card stands alone and the engine knows no resources: its words are written there again."""
    sentence = (ROOT / "resources" / "intended_use.txt").read_text("utf-8").strip()
    assert sentence.startswith("RESEARCH USE ONLY")
    typed = [file for file in SOURCES if "not a medical device" in file.read_text("utf-8").lower()]
    assert {file.relative_to(ROOT).as_posix() for file in typed} <= {"mtl_core/release.py"}
    assert all(sentence.lower() in file.read_text("utf-8").lower() for file in typed)
    assert sentence.lower() in (ROOT / "README.md").read_text("utf-8").lower()


def test_every_dependency_has_its_licence_recorded() -> None:
    page = (ROOT / "docs" / "licences.md").read_text("utf-8")
    extras = PROJECT["project"]["optional-dependencies"]
    named = [*PROJECT["project"]["dependencies"], *extras["test"], *extras["dev"]]
    names = [re.match(r"[\w.-]+", requirement)[0] for requirement in named]  # type: ignore[index]
    missing = [
        name for name in names if name != "uc-viewer" and not re.search(rf"\b{re.escape(name)}\b", page)
    ]
    assert missing == []


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


DISTRIBUTION = {
    "cv2": "opencv-python-headless",
    "pytorch_grad_cam": "grad-cam",
    "PIL": "Pillow",
    "PySide6": "PySide6-Essentials",
    "openjpeg": "pylibjpeg-openjpeg",
}


def test_the_code_imports_what_it_declares_and_declares_what_it_imports() -> None:
    used = {name for file in SOURCES for name in imports(ast.parse(file.read_text("utf-8")))}
    used -= {"mtl_core", "uc_viewer", *sys.stdlib_module_names}
    declared = {re.match(r"[\w.-]+", d)[0] for d in PROJECT["project"]["dependencies"]}  # type: ignore[index]
    assert {DISTRIBUTION.get(name, name) for name in used} == declared


COMPARED = {("uc_viewer/bench.py", "cv2.VideoCapture")}
"""What the benchmark calls to count its faults."""

FORBIDDEN_CALLS = {
    "cv2.imread": "fails on names that are not ASCII; read the bytes, then cv2.imdecode",
    "cv2.imwrite": "fails on names that are not ASCII; cv2.imencode, then write the bytes",
    "cv2.VideoCapture": "fails on names that are not ASCII and gives wrong frames",
    "torch.load": "unpickles; weights are safetensors",
    "torch.save": "pickles; weights are safetensors",
    "eval": "runs text as code",
    "exec": "runs text as code",
}


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_file_keeps_the_house_rules(file: Path) -> None:
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 400, "too long: split it by what it holds"
    assert file.stem not in {"utils", "helpers", "manager", "common", "misc"}, "name it by what it holds"
    if text.strip():
        assert ast.get_docstring(tree), "the first line says what the module gives"
    for node in ast.walk(tree):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if (why := FORBIDDEN_CALLS.get(called)) and (
            file.relative_to(ROOT).as_posix(),
            called,
        ) not in COMPARED:
            pytest.fail(f"line {node.lineno}: {called}: {why}")
        if isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass) for line in node.body):
            broad = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
            assert not broad, f"line {node.lineno}: swallows every error"


def readme_commands(name: str) -> list[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    block = re.search(rf"<!-- command: {name} -->\n```sh\n(.*?)```", readme, re.DOTALL)
    assert block, f"README.md has no command marked {name!r}"
    return block[1].splitlines()


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "follow_readme main" in script
    assert "follow_readme tests" in script
    assert any("ucv score --sample" in line for line in readme_commands("main"))
    assert any(line.endswith("pytest") for line in readme_commands("tests"))
    if os.name == "posix":
        assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_readme_links_to_files_that_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
