"""How a new file gets to its place whole: either the old content is there or all of the new."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of ``path`` in one step when the block ends well.

    It is written beside ``path`` under a hidden name, forced to disk, then renamed. If the block raises,
    it is removed and what stood at ``path`` before stays as it was. Raises OSError.
    """
    draft = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` in one step. Raises OSError with the old content untouched."""
    with replacing(path) as file:
        file.write(data)
