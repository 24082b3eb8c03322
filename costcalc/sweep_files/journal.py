"""The journal of a file that is made chunk by chunk: what of it is on the disk, so that a kill costs no finished chunk.

Beside FILE stand FILE.part, to which each chunk's bytes are added, and FILE.journal, which says how many of these bytes
count and what else came of the chunks so far. A chunk's bytes are on the disk before the journal says so, and the
journal is replaced as a whole: one that was interrupted finds an older one, and bytes beyond it, which are cut off.
Only one process may do this at a time, where the system can lock a file.
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
KEPT = ("identity", "size", "done", "length", "state", "placed")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass
class Journal:
    """How far the file at `path` is. `state` is what is known besides its bytes."""

    path: Path
    identity: Mapping[str, str]
    size: int  # points in all
    done: int = 0  # points whose chunks are on the disk
    length: int = 0  # bytes of the part that count
    state: dict[str, Any] = field(default_factory=dict)
    placed: bool = False  # does the whole stand at `path`?

    @property
    def part(self) -> Path:
        """Where the bytes are."""
        return beside(self.path, "part")

    def in_place(self) -> bool:
        """Does the whole stand at its path? What was killed between that and saying so is seen by its size."""
        moved = self.done == self.size and self.length and not self.part.exists()
        return self.placed or bool(moved and self.path.is_file() and self.path.stat().st_size == self.length)

    def put(self) -> None:
        """Says that it does. Raises OSError."""
        self.placed = True
        self._write()

    def start(self) -> None:
        """Makes the part, of which there may be an empty one, then the journal. Raises UsageError if another process
        has them, or for a part with anything in it; OSError."""
        with files.in_words(self.path):
            file = open(self.part, "a+b")  # noqa: SIM115  what is done with it has errors of its own
        with file:
            _lock(file, self.path)  # first: who has it says what the part is
            if os.fstat(file.fileno()).st_size:
                raise UsageError(f"{str(self.part)!r} exists, and no journal says what it is; move it away")
            if beside(self.path, "journal").exists():
                raise UsageError(_taken(self.path))
            try:
                self._write()
            except OSError:
                self.part.unlink()
                raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writer]:
        """The part, cut to the bytes that count, for this process alone. Raises UsageError if another has it, or if
        bytes are gone; OSError."""
        if self.length and not self.part.exists():
            raise UsageError(f"{str(self.part)!r} is gone; start anew with --restart")
        with _kept(self.path):
            file = open(self.part, "r+b" if self.length else "a+b")  # noqa: SIM115  closed below
        try:
            with _kept(self.path):
                self._cut(file)
            yield Writer(self, file)  # what is worked out meanwhile has errors of its own
        finally:
            with _kept(self.path):
                file.close()

    def _cut(self, file: Any) -> None:
        _lock(file, self.path)
        if os.fstat(file.fileno()).st_size < self.length:
            raise UsageError(f"{str(self.part)!r} is shorter than its journal says; start anew with --restart")
        file.truncate(self.length)
        file.seek(self.length)

    def _write(self) -> None:
        new = beside(self.path, "journal.new")
        entries = {"kind": KIND, **{name: vars(self)[name] for name in KEPT}}
        with (_kept if self.done else files.in_words)(beside(self.path, "journal")):
            with open(new, "w", encoding="utf-8") as file:
                json.dump(entries, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, beside(self.path, "journal"))
            files.sync_folder(self.path.parent)

    def abandon(self) -> None:
        """Takes away what was made so far. Raises UsageError if another process is making it."""
        if self.part.exists():
            with open(self.part, "ab") as file:
                _lock(file, self.path)
        self.remove()

    def remove(self) -> None:
        """Takes away what stands beside the file."""
        with files.in_words(beside(self.path, "journal")):
            self.part.unlink(missing_ok=True)
            beside(self.path, "journal.new").unlink(missing_ok=True)
            beside(self.path, "journal").unlink()


@dataclass
class Writer:
    """The open part of a journal."""

    journal: Journal
    file: Any

    def add(self, piece: bytes, done: int, state: dict[str, Any]) -> None:
        """Acknowledges a chunk: when this returns, no kill and no loss of power takes it away. Raises OSError."""
        journal = self.journal
        if piece:
            with _kept(journal.path):
                self.file.write(piece)
                self.file.flush()
                os.fsync(self.file.fileno())
        journal.done, journal.length, journal.state = done, journal.length + len(piece), state
        journal._write()


def found(path: Path) -> Journal | None:
    """The journal beside a file, if there is one. Raises UsageError for something else of that name."""
    try:
        text = beside(path, "journal").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    try:
        entries = json.loads(text)
        if entries.pop("kind") == KIND:
            return Journal(path, **entries)
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise UsageError(f"{str(beside(path, 'journal'))!r} is no journal of a sweep; move it away, or write another file")


def beside(path: Path, suffix: str) -> Path:
    """`big.csv.part`, `big.csv.journal`."""
    return path.with_name(f"{path.name}.{suffix}")


def go_on(error: OSError) -> str:
    """What to do about an error, of the system or a sentence made of one, where the chunks so far are kept."""
    number = getattr(error if error.errno else error.__context__, "errno", None)
    return f"; {'make room' if number in (None, *NO_ROOM) else 'mend that'}, then go on with --resume"


@contextlib.contextmanager
def _kept(path: Path) -> Iterator[None]:
    """As `files.in_words`, and says what to do then."""
    try:
        with files.in_words(path):
            yield
    except OSError as error:
        raise OSError(f"{error}{go_on(error)}") from None


def _lock(file: Any, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(_taken(path)) from None
    except OSError:  # a file system without locks
        return


def _taken(path: Path) -> str:
    return f"another process is writing {str(path)!r}; wait for it, or write another file"
