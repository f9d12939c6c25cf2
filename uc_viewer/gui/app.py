"""`uc-viewer`: starts the window."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from PySide6.QtWidgets import QApplication

from mtl_core.bundle import BundleError
from uc_viewer import __version__, paths, settings
from uc_viewer.gui import theme
from uc_viewer.gui.jobs import Model, ModelError
from uc_viewer.gui.main_window import MainWindow
from uc_viewer.gui.session import Session


def load_model(name: str, device: str) -> Model:
    """Load a model by its name or folder, "" for the default. Raises ModelError.

    Torch waits until then, so that the window shows at once.
    """
    from mtl_core.predict import DeviceError, Predictor

    try:
        return Predictor.load(paths.model_folder(name), device)
    except (BundleError, DeviceError, paths.ModelNotFound) as fault:
        raise ModelError(str(fault)) from fault


def main(argv: Sequence[str] | None = None) -> int:
    """Show the window until it is closed; gives the exit code. Raises SystemExit(2) on unknown arguments."""
    args = _parser().parse_args(argv)
    file = paths.settings_file()
    chosen = settings.load(file)
    if chosen.scale != 100:
        # Qt reads it once, when the application is made.
        os.environ.setdefault("QT_SCALE_FACTOR", str(chosen.scale / 100))
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName(paths.APP)
    app.setApplicationVersion(__version__)
    theme.follow(app, chosen.theme)
    session = Session(load_model)
    session.use_model(args.model or chosen.model, args.device or chosen.device)

    def keep(changed: settings.Settings) -> None:
        with suppress(OSError):  # a preference that cannot be kept must not stop a reading
            settings.save(changed, file)

    window = MainWindow(session, chosen, keep)
    sys.excepthook = _hook(window)
    window.show()
    if args.sample:
        window.open_sample()
    elif args.paths:
        window.open_paths(args.paths)
    return app.exec()


def _hook(window: MainWindow) -> Callable[..., None]:
    """What happens to an exception nobody expected: one dialog, and the case stays open."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
        else:
            window.show_fault(error)

    return hook


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uc-viewer", description=paths.intended_use(), allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"uc-viewer {__version__}")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "paths", nargs="*", default=[], type=Path, metavar="PATH", help="pictures, folders, zip archives"
    )
    what.add_argument("--sample", action="store_true", help="open the bundled synthetic sample case")
    parser.add_argument("--model", default="", metavar="NAME|FOLDER", help="a model by name or its folder")
    parser.add_argument("--device", default="", choices=("auto", "cpu", "cuda", "mps"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
