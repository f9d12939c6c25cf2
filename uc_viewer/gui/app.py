"""`uc-viewer`: starts the window."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QApplication

from uc_viewer import __version__, paths
from uc_viewer.gui import theme
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Model, Session


def loader(model: str, device: str) -> Callable[[], Model]:
    """A function that loads a model when called. Torch waits until then, so the window shows at once."""

    def load() -> Model:
        from mtl_core.predict import Predictor

        return Predictor.load(paths.model_folder(model), device)

    return load


def main(argv: Sequence[str] | None = None) -> int:
    """Show the window until it is closed; gives the exit code. Raises SystemExit(2) on unknown arguments."""
    args = _parser().parse_args(argv)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("UC Viewer")
    app.setApplicationVersion(__version__)
    theme.follow_system(app)
    window = MainWindow(Session(loader(args.model, args.device)))
    window.show()
    if args.sample:
        window.open_sample()
    elif args.paths:
        window.open_paths(args.paths)
    return app.exec()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uc-viewer", description=paths.intended_use(), allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"uc-viewer {__version__}")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "paths", nargs="*", default=[], type=Path, metavar="PATH", help="pictures, folders, zip archives"
    )
    what.add_argument("--sample", action="store_true", help="open the bundled synthetic sample case")
    parser.add_argument("--model", default="", metavar="NAME|FOLDER", help="a model by name or its folder")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
