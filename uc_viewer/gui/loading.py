"""Loads torch without holding the window up."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBRARIES = {
    "linux": ("libtorch_global_deps.so", "libtorch_cpu.so", "libtorch_cuda.so", "libtorch_python.so"),
    "darwin": ("libtorch_global_deps.dylib", "libtorch_cpu.dylib", "libtorch_python.dylib"),
}


@contextmanager
def uncollected() -> Iterator[None]:
    """A block that makes many objects which stay: Python does not stop to look through them all.

    A collection amid a hundred thousand new frames would stop the window for half a second and find nothing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # What was made stays for long: no need to look through it again and again.
        if was_on:
            gc.enable()


@contextmanager
def smoothly() -> Iterator[None]:
    """A block that imports torch on another thread while the window goes on answering.

    Two things would stop the window for up to half a second: Python holds its lock while the system maps a
    shared library of half a gigabyte, and during every collection of the many objects an import makes. So
    the libraries are mapped first by a foreign call, which lets go of the lock, and nothing is collected
    within the block.
    """
    with uncollected():
        if "torch" not in sys.modules:
            _map_libraries()
        yield


def _map_libraries() -> None:
    """Map torch's shared libraries. Whatever fails here is left to the import, which says what is wrong."""
    names = _LIBRARIES.get(sys.platform, ())
    package = importlib.util.find_spec("torch")
    if not names or package is None or package.origin is None:
        return
    opener = ctypes.CDLL(None).dlopen
    opener.restype = ctypes.c_void_p
    opener.argtypes = (ctypes.c_char_p, ctypes.c_int)
    for name in names:
        library = Path(package.origin).parent / "lib" / name
        if library.is_file():
            opener(os.fsencode(library), os.RTLD_NOW | os.RTLD_GLOBAL)
