"""Where a folder lies: mounts read, network file systems told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from uc_viewer.store import places

LINUX = """\
22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
30 22 0:5 / /proc rw - proc proc rw
60 22 0:50 / /mnt/ward\\040share rw,relatime shared:9 - cifs //server/ward rw,vers=3.0
61 22 0:51 / /home rw,relatime - nfs4 server:/home rw
62 61 8:1 / /home/local rw,relatime - xfs /dev/sda1 rw
63 22 0:60 / /data rw - ext4 /dev/sdb1 rw
64 63 0:61 / /data rw - fuse.sshfs user@host:/ rw
a line that is none
"""

MAC = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//anna@server/ward on /Volumes/ward (smbfs, nodev, nosuid, mounted by anna)
server:/home on /Volumes/home (old) (nfs, nodev)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/etc", "ext4"),
        ("/mnt/ward share", "cifs"),
        ("/mnt/ward share/cases", "cifs"),
        ("/mnt/ward shares", "ext4"),
        ("/home/anna", "nfs4"),
        ("/home/local/x", "xfs"),
        ("/homework", "ext4"),
        ("/data/x", "fuse.sshfs"),
    ],
)
def test_the_mount_above_a_path_on_linux(path: str, kind: str) -> None:
    assert places.type_at(path, places.mounts_of_linux(LINUX)) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/Users/anna", "apfs"),
        ("/Volumes/ward/cases", "smbfs"),
        ("/Volumes/home (old)/cases", "nfs"),
        ("/Volumes/other", "apfs"),
    ],
)
def test_the_mount_above_a_path_on_a_mac(path: str, kind: str) -> None:
    assert places.type_at(path, places.mounts_of_mac(MAC)) == kind


def test_shared_file_systems_count_as_network() -> None:
    assert {"nfs", "nfs4", "cifs", "smbfs", "smb3", "9p", "fuse.sshfs", "afpfs"} <= places.NETWORK
    assert not places.NETWORK & {
        "ext4",
        "xfs",
        "btrfs",
        "apfs",
        "hfs",
        "ntfs",
        "tmpfs",
        "overlay",
        "zfs",
        "fuseblk",
    }


def test_a_local_folder_is_local_also_before_it_is_made(tmp_path: Path) -> None:
    assert places.network_type(tmp_path / "not" / "yet") == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the mounts of Linux")
def test_a_folder_on_a_network_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = f"1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {tmp_path.resolve()} rw - nfs4 server:/x rw\n"
    monkeypatch.setattr(Path, "read_text", lambda *_: table)
    assert places.network_type(tmp_path / "library") == "nfs4"
