"""Writes files atomically: the old file stays until the new one is complete."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from costcalc.errors import why


def write(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Writes text, bytes or pieces of text to the path, completely or not at all. Raises OSError with a sentence."""
    with atomic_file(path) as file:
        for piece in [content] if isinstance(content, (str, bytes)) else content:
            file.write(piece.encode() if isinstance(piece, str) else piece)


def check(path: Path) -> None:
    """Raises OSError with a sentence if the path cannot be written. Tries a file without a name in the same folder."""
    with explaining_write_errors(path):
        if str(path) != "-" and not is_stream(path):
            place = resolved(path)
            check_folder(place)
            with contextlib.suppress(FileNotFoundError):
                os.lstat(place)  # raises for a name that is too long, which from Python 3.14 on exists() does not
            with tempfile.TemporaryFile(dir=place.parent):
                pass


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """An open file that replaces the path when the block ends without an error; of a pipe or device, the path itself.

    Raises OSError with a sentence.
    """
    with explaining_write_errors(path):
        if is_stream(path):
            with open(path, "wb") as file:
                yield file
        else:
            with _replacement(resolved(path)) as file:
                yield file


@contextlib.contextmanager
def explaining_write_errors(path: Path, then: str = "") -> Iterator[None]:
    """Raises an OSError of the block again in our words: this path cannot be written, why, and what to do `then`."""
    try:
        yield
    except BrokenPipeError:  # the reader has stopped; the command line handles it
        raise
    except OSError as error:
        raise OSError(f"cannot write {str(path)!r}: {why(error)}{then}") from None


def resolved(path: Path) -> Path:
    """The file that a path leads to, so that a link stays a link. Raises OSError for an invalid path."""
    try:
        return path.resolve()
    except ValueError:
        raise OSError(None, "not a path") from None


def is_stream(path: Path) -> bool:
    """Is the path a pipe or a device?"""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_folder(path: Path) -> None:
    """Raises OSError if the path is a folder or its folder does not exist."""
    if path.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(None, f"there is no folder {str(path.parent)!r}")


@contextlib.contextmanager
def _replacement(path: Path) -> Iterator[BinaryIO]:
    check_folder(path)
    number, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    try:
        with open(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        replace_file(Path(name), path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def replace_file(part: Path, path: Path) -> None:
    """Gives a file that is on the disk the name and the permissions of the file that it replaces."""
    if path.exists():
        shutil.copymode(path, part)
    else:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask)
    os.replace(part, path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a loss of power, where the system can."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
