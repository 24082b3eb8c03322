"""Writing files so that the old one is whole until the new one is."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Puts text or bytes at the path, all of it or none. Raises OSError with a sentence if it cannot."""
    try:
        data = content.encode() if isinstance(content, str) else content
        if path.exists() and not path.is_file() and not path.is_dir():  # a pipe or a device
            path.write_bytes(data)
        else:
            _replace(path.resolve(), data)
    except OSError as error:
        raise OSError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    except ValueError:
        raise OSError(f"cannot write {str(path)!r}: not a path") from None


def _replace(path: Path, data: bytes) -> None:
    if path.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(None, f"there is no folder {str(path.parent)!r}")
    number, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    try:
        with open(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, name)
        else:
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
