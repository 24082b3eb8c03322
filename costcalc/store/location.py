"""The path of the store, and the kind of its file system."""

from __future__ import annotations

import os
import re
from pathlib import Path

from costcalc.errors import MissingExtra, StoreError

# On these, locks and shared memory do not work between machines; SQLite's write-ahead log needs both.
NETWORK = re.compile(
    r"nfs\d*|cifs|smb\w*|9p|afpfs|afs|ncpfs|ceph|glusterfs|lustre|gpfs|beegfs|fuse\.(sshfs|glusterfs|ceph|s3fs|rclone)"
)


def default_path() -> Path:
    """$COSTCALC_STORE, else a file in the user's data directory. Creates nothing."""
    given = os.environ.get("COSTCALC_STORE")
    if given:
        return home_path(given)
    try:
        from platformdirs import user_data_path
    except ImportError:
        raise MissingExtra("without --store or COSTCALC_STORE this needs platformdirs", "torch") from None
    return user_data_path("costcalc", appauthor=False) / "runs.db"


def home_path(text: str | Path) -> Path:
    """A path in which ~ is the user's home."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise StoreError(f"{text}: the home folder that ~ stands for is not known; write the path out") from None


def network_kind(path: Path) -> str | None:
    """The kind of network file system a path is on, such as nfs4; None if its disk is this machine's."""
    if str(path).startswith(("\\\\", "//")):
        return "unc"
    real, best, kind = os.path.realpath(path), "", ""
    for folder, name in _mounts():
        inside = real == folder or real.startswith(folder.rstrip("/\\") + os.sep)
        if inside and len(folder) >= len(best):  # the deepest mount hides the others; of equal ones the last
            best, kind = folder, name
    return kind if NETWORK.fullmatch(kind.lower()) else None


def _mounts() -> list[tuple[str, str]]:
    """The mounts in order: folders and kinds of file system."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return _mounts_by_psutil()
    parts = [line.split(" ") for line in lines if line.count(" ") >= 2]
    return [(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), folder), kind) for _, folder, kind, *_ in parts]


def _mounts_by_psutil() -> list[tuple[str, str]]:
    try:
        import psutil
    except ImportError:
        return []
    return [(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]
