"""How a new file gets to its place whole: either the old content is there or all of the new."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of ``path`` in one step when the block ends well.

    It is written beside ``path`` under a hidden name, forced to disk, then renamed. If the block raises,
    it is removed and what stood at ``path`` before stays as it was. Raises OSError.
    """
    draft = path.with_name(f"{_stem(path.name)}.{secrets.token_hex(4)}.part")
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


def remove_drafts(folder: Path, names: Collection[str]) -> None:
    """Remove what a killed program left in ``folder`` of files of these names, see `replacing`."""
    stems = {_stem(name) for name in names}
    for path in list(folder.iterdir()):
        if (found := _DRAFT.fullmatch(path.name)) and found[1] in stems:
            with suppress(OSError):  # an old draft does no harm; it may be another program's for a moment
                path.unlink()


_DRAFT = re.compile(r"(\..+)\.[0-9a-f]{8}\.part", re.DOTALL)


def _stem(name: str) -> str:
    """How the hidden draft of a file begins; cut short, since a long name leaves no room."""
    return f".{name[:40]}"
