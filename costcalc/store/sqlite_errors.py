"""Errors of SQLite and the system as messages: the path, the cause, the next step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from costcalc.errors import StoreError, shorten, why

ANOTHER = "name another file with --store or COSTCALC_STORE"
DAMAGED = "keep the file, `sqlite3 FILE .recover` reads what is left of it, and " + ANOTHER
DAMAGED_ROW = "keep a copy of the file, then delete the row from `measurements` with sqlite3, or " + ANOTHER
CAUSES = {  # by the prefix of SQLite's name for the error
    "SQLITE_FULL": ("no room is left on the disk; nothing was written", "free disk space and run again"),
    "SQLITE_NOTADB": ("it is not a store of measurements", ANOTHER),
    "SQLITE_CORRUPT": ("the store is damaged", DAMAGED),
    "SQLITE_READONLY": ("it cannot be written here", ANOTHER),
    "SQLITE_CANTOPEN": ("it cannot be opened or made here", ANOTHER),
    "SQLITE_PERM": ("this user may not open it", ANOTHER),
    "SQLITE_BUSY": ("other processes have been writing all the time", "run again when they are done"),
    "SQLITE_LOCKED": ("other processes have been writing all the time", "run again when they are done"),
    "SQLITE_IOERR": ("the disk cannot be read or written; nothing was added", f"look at the disk, or {ANOTHER}"),
    "SQLITE_TOOBIG": ("the store is damaged", DAMAGED),
    "SQLITE_ERROR": ("the store is damaged", DAMAGED),  # tables or columns that are not there
}


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turns errors of SQLite and the system into a StoreError about the path."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", None) or "SQLITE_ERROR"
        known = (CAUSES[start] for start in CAUSES if name.startswith(start))
        cause, then = next(known, ("SQLite refuses it", ANOTHER))
        raise fault(path, f"{cause} ({shorten(str(error) or name, 200)})", then) from None
    except OSError as error:
        raise fault(path, why(error)) from None
    except ValueError:
        raise fault(path, "not a path") from None


def fault(path: Path, cause: str, then: str = ANOTHER) -> StoreError:
    """The error of a store: its path, the cause, and what to do then."""
    return StoreError(f"{shorten(str(path), 500)}: {cause}; {then}")


def is_busy(error: sqlite3.Error) -> bool:
    """Is another process writing, so that a retry may succeed?"""
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
