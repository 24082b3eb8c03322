"""The journal of a file that is written chunk by chunk, which `--resume` reads: a kill loses no finished chunk.

Each chunk's bytes are appended to FILE.part. FILE.journal says how many of these bytes are valid and stores the other
results of the chunks. A chunk's bytes are on the disk before the journal counts them, and the journal is replaced as a
whole. `--resume` cuts off the bytes that the journal does not count. If the system can lock files, only one process at
a time writes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from costcalc import files
from costcalc.errors import UsageError

KIND = "journal of a sweep by costcalc"
VERSION = 2  # counts up when the names that a fingerprint hashes change
STORED = ("fingerprint", "size", "done", "length", "state", "placed")
DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass
class Journal:
    """The progress of the file at `path`. `state` has the results of the chunks besides their bytes."""

    path: Path
    fingerprint: Mapping[str, str]  # of the sweep
    size: int  # points of the grid
    done: int = 0  # points whose chunks are on the disk
    length: int = 0  # valid bytes of the part
    state: dict[str, Any] = field(default_factory=dict)
    placed: bool = False  # is the whole file at `path`?
    version: int = VERSION  # of the journal on the disk

    @property
    def part(self) -> Path:
        """The path of the bytes so far."""
        return beside(self.path, "part")

    def in_place(self) -> bool:
        """Is the whole file at its path? If a kill came before the journal stored it, the size of the file tells."""
        moved = self.done == self.size and self.length and not self.part.exists()
        return self.placed or bool(moved and self.path.is_file() and self.path.stat().st_size == self.length)

    def mark_placed(self) -> None:
        """Stores that the whole file is at its path. Raises OSError."""
        self.placed = True
        self._write()

    def start(self) -> None:
        """Makes the part, unless there is an empty one, then the journal. Raises UsageError if another process writes
        them or the part is not empty, OSError."""
        with files.explaining_write_errors(self.path):
            file = open(self.part, "a+b")  # noqa: SIM115  closed below, where errors are others
        with file:
            _lock(file, self.path)  # first: the process that holds the lock owns the part
            if os.fstat(file.fileno()).st_size:
                raise UsageError(f"{str(self.part)!r} exists, and no journal says what it is; move it away")
            if beside(self.path, "journal").exists():
                raise UsageError(_in_use(self.path))
            try:
                self._write()
            except OSError:
                self.part.unlink()
                raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[PartWriter]:
        """Opens the part for this process alone and cuts it to its valid bytes. Raises UsageError if another process
        writes it or bytes are missing, OSError."""
        if self.length and not self.part.exists():
            raise UsageError(f"{str(self.part)!r} is gone; start over with --restart")
        with _with_what_to_do(self.path):
            file = open(self.part, "r+b" if self.length else "a+b")  # noqa: SIM115  closed below
        try:
            with _with_what_to_do(self.path):
                self._cut(file)
            yield PartWriter(self, file)  # the chunks computed meanwhile have errors of their own
        finally:
            with _with_what_to_do(self.path):
                file.close()

    def _cut(self, file: Any) -> None:
        _lock(file, self.path)
        if os.fstat(file.fileno()).st_size < self.length:
            raise UsageError(f"{str(self.part)!r} is shorter than its journal says; start over with --restart")
        file.truncate(self.length)
        file.seek(self.length)

    def _write(self) -> None:
        new = beside(self.path, "journal.new")
        entries = {"kind": KIND, "version": VERSION, **{name: vars(self)[name] for name in STORED}}
        with (_with_what_to_do if self.done else files.explaining_write_errors)(beside(self.path, "journal")):
            with open(new, "w", encoding="utf-8") as file:
                json.dump(entries, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, beside(self.path, "journal"))
            files.sync_folder(self.path.parent)

    def abandon(self) -> None:
        """Removes part and journal. Raises UsageError if another process writes them."""
        if self.part.exists():
            with open(self.part, "ab") as file:
                _lock(file, self.path)
        self.remove()

    def remove(self) -> None:
        """Removes part and journal."""
        with files.explaining_write_errors(beside(self.path, "journal")):
            self.part.unlink(missing_ok=True)
            beside(self.path, "journal.new").unlink(missing_ok=True)
            beside(self.path, "journal").unlink()


@dataclass
class PartWriter:
    """Appends chunks to the part of a file, and counts them in the journal."""

    journal: Journal
    file: Any

    def add(self, piece: bytes, done: int, state: dict[str, Any]) -> None:
        """Stores a chunk so that neither a kill nor a power failure loses it. Raises OSError."""
        journal = self.journal
        if piece:
            with _with_what_to_do(journal.path):
                self.file.write(piece)
                self.file.flush()
                os.fsync(self.file.fileno())
        journal.done, journal.length, journal.state = done, journal.length + len(piece), state
        journal._write()


def read_journal(path: Path) -> Journal | None:
    """The journal beside a file, if there is one; of one of another version only that version.

    Raises UsageError for a file that is no journal.
    """
    try:
        text = beside(path, "journal").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    try:
        entries = json.loads(text)
        if entries.pop("kind") == KIND:
            version = entries.pop("version", 1)
            return Journal(path, **entries) if version == VERSION else Journal(path, {}, 0, version=version)
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise UsageError(f"{str(beside(path, 'journal'))!r} is no journal of a sweep; move it away, or write another file")


def beside(path: Path, suffix: str) -> Path:
    """`big.csv.part`, `big.csv.journal`."""
    return path.with_name(f"{path.name}.{suffix}")


def what_to_do(error: OSError) -> str:
    """The hint for an error of the system, or an error made of one, that keeps the chunks so far."""
    number = getattr(error if error.errno else error.__context__, "errno", None)
    return f"; {'free disk space' if number in (None, *DISK_FULL_ERRORS) else 'fix that'}, then continue with --resume"


@contextlib.contextmanager
def _with_what_to_do(path: Path) -> Iterator[None]:
    """Adds the hint of `what_to_do` to the message of `files.explaining_write_errors`."""
    try:
        with files.explaining_write_errors(path):
            yield
    except OSError as error:
        raise OSError(f"{error}{what_to_do(error)}") from None


def _lock(file: Any, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(_in_use(path)) from None
    except OSError:  # a file system without locks
        return


def _in_use(path: Path) -> str:
    return f"another process is writing {str(path)!r}; wait for it, or write another file"
