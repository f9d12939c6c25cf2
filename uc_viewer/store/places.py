"""Whether a folder lies on this computer or is reached over a network, where SQLite's WAL does not work.

Known for certain on Linux, from the kernel's table of mounts. On macOS the output of ``mount`` is read, on
Windows the kind of the drive is asked for: best effort. What cannot be found out counts as local, and so
does a local folder that another program sends over the network behind the system's back (a cloud drive).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

# fmt: off
NETWORK = frozenset({
    "9p", "acfs", "afp", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph",
    "fuse.cephfs", "fuse.davfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.gvfsd-fuse",
    "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs", "fuse.vmhgfs-fuse", "gfs", "gfs2",
    "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2",
    "smb3", "smbfs", "sshfs", "vboxsf", "vmhgfs", "webdav",
})
# fmt: on
"""Types of file systems that several computers may share, as Linux and macOS name them."""

_OCTAL = re.compile(r"\\([0-7]{3})")
_MAC_LINE = re.compile(r".* on (/.*) \(([^,)]+)[^)]*\)")
_REMOTE_DRIVE = 4


def network_type(folder: Path) -> str:
    """The type of the network file system a folder lies on ("nfs4"), empty where it is local or unknown.

    The folder need not exist yet.
    """
    real = os.path.realpath(folder)
    if sys.platform == "win32":
        return _of_drive(real)
    try:
        if sys.platform == "darwin":
            told = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=5, check=False)
            mounts = mounts_of_mac(told.stdout)
        else:
            mounts = mounts_of_linux(Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape"))
    except (OSError, subprocess.SubprocessError):
        return ""
    kind = type_at(real, mounts)
    return kind if kind in NETWORK else ""


def type_at(real: str, mounts: list[tuple[str, str]]) -> str:
    """The type of the file system at a path, by the longest mount point above it; the last one on top."""
    found, length = "", -1
    for point, kind in mounts:
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= length:
            found, length = kind, len(point)
    return found


def mounts_of_linux(table: str) -> list[tuple[str, str]]:
    """``(mount point, type)`` of every line of ``/proc/self/mountinfo``."""
    mounts = []
    for line in table.splitlines():
        before, _, after = line.partition(" - ")
        if len(before.split(" ")) >= 5 and after:
            point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), before.split(" ")[4])
            mounts.append((point, after.split(" ")[0]))
    return mounts


def mounts_of_mac(table: str) -> list[tuple[str, str]]:
    """``(mount point, type)`` of every line of what ``mount`` prints on macOS."""
    return [(found[1], found[2]) for line in table.splitlines() if (found := _MAC_LINE.fullmatch(line))]


def _of_drive(real: str) -> str:
    """ "network drive" for a share and for a drive letter that stands for one."""
    if sys.platform == "win32":
        import ctypes

        if real.startswith("\\\\") and not real.startswith(("\\\\?\\", "\\\\.\\")):
            return "network drive"
        drive = os.path.splitdrive(real)[0] + "\\"
        if ctypes.windll.kernel32.GetDriveTypeW(drive) == _REMOTE_DRIVE:
            return "network drive"
    return ""
