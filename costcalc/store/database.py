"""The store itself: a SQLite file that survives kill -9, a full disk and eight writers at once."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from costcalc.errors import StoreError, UnknownName, why
from costcalc.store.location import default_path, home_path, network_kind
from costcalc.store.migrations import INSERT, SAME_KEY, SELECT, newest, upgrade, version_of
from costcalc.store.record import Record, Row, key_of, record_of, row_of
from costcalc.store.sqlite_errors import ANOTHER, DAMAGED, DAMAGED_ROW, fault, in_words, is_busy

WRITER_WAIT_SECONDS = 30.0  # for other writers


class Store:
    """Measurements in one file, by default the user's. The first `add` creates it.

    Every method opens and closes the file, so a Store can be kept, shared by threads and used after a fork. All
    raise StoreError, with the path, the cause and what to do, for a file that cannot be used.
    """

    def __init__(self, path: str | Path | None = None):
        self.path = default_path() if path is None else home_path(path)
        self.note = ""  # for the user: the file does not exist yet, or is newer
        self._is_verified = False

    def ready(self) -> None:
        """Raises StoreError if the file cannot be written."""
        self._make_folder()
        with self._open(writing=True):
            pass

    def add(self, record: Record) -> Record:
        """Stores a measurement; returns it with its id and run once it is on the disk. Records are never changed."""
        key = key_of(record)
        row_of(record, 0)  # raises before a file is created
        self._make_folder()
        with self._open(writing=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            (last,) = connection.execute(f"SELECT max(run) FROM measurements WHERE {SAME_KEY}", key).fetchone()
            row = row_of(record, (last or 0) + 1)
            id = connection.execute(INSERT, row).lastrowid
            connection.execute("COMMIT")
        return record_of(id or 0, *row)

    def _make_folder(self) -> None:
        self._size()  # raises for a path that cannot be a file
        with in_words(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)

    def rows(self) -> list[Record]:
        """Every measurement, oldest first."""
        return self._read(f"{SELECT} ORDER BY id")

    def like(self, record: Record) -> list[Record]:
        """Every measurement with the same graph, device and settings."""
        return self._read(f"{SELECT} WHERE {SAME_KEY} ORDER BY run", key_of(record))

    def get(self, id: int) -> Record:
        """The measurement with this id. Raises UnknownName if there is none."""
        found = self._read(f"{SELECT} WHERE id = ?", (id,)) if 0 < id < 2**63 else []
        if not found:
            ids = [record.id for record in self.rows()]
            has = f"it has {ids[0]} to {ids[-1]}" if ids else "it has none yet"
            raise UnknownName(f"no run {id} in {self.path}; {has}")
        return found[0]

    def _read(self, query: str, values: Row = ()) -> list[Record]:
        if not self._size():
            self.note = f"no measurements yet: {self.path} {'does not exist' if self._size() is None else 'is empty'}"
            return []
        with self._open(writing=False) as connection:
            if version_of(connection) == 0:
                return []
            return self._records(connection, query, values)

    def _records(self, connection: sqlite3.Connection, query: str, values: Row = ()) -> list[Record]:
        try:
            return [record_of(*row) for row in connection.execute(query, values)]
        except (StoreError, sqlite3.Error) as error:
            if self.note:
                raise StoreError(
                    f"{self.note}, and not understood ({why(error, 'reading it')}); upgrade costcalc"
                ) from None
            if isinstance(error, StoreError):
                raise fault(self.path, str(error), DAMAGED_ROW) from None
            raise

    def _size(self) -> int | None:
        """Bytes in the file; None if there is none."""
        with in_words(self.path):
            try:
                found = os.stat(self.path)
            except FileNotFoundError:
                return None
            if not stat.S_ISREG(found.st_mode):
                raise fault(self.path, "a folder, not a file" if stat.S_ISDIR(found.st_mode) else "not a regular file")
            return found.st_size

    @contextmanager
    def _open(self, *, writing: bool) -> Iterator[sqlite3.Connection]:
        with in_words(self.path), closing(self._connect(writing)) as connection:
            is_old = not writing and 0 < self._checked_version(connection) < newest()
            if writing or is_old:  # an old store is upgraded to be read
                _retry_while_busy(self._prepare, connection)
            if not writing:
                connection.execute("PRAGMA query_only = ON")
            yield connection

    def _connect(self, writing: bool) -> sqlite3.Connection:
        real = Path(os.path.realpath(self.path))
        may_write = os.access(real, os.W_OK) and os.access(real.parent, os.W_OK)
        if writing or may_write:
            how = "mode=rwc" if writing else "mode=rw"
        else:  # a log beside it has rows that are not in the file yet; without a log no lock or write is needed
            how = "mode=ro" if os.path.exists(f"{real}-wal") else "mode=ro&immutable=1"
        connection = sqlite3.connect(
            f"{real.as_uri()}?{how}", uri=True, timeout=WRITER_WAIT_SECONDS, isolation_level=None
        )
        # a row that is not UTF-8 fails its digest
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def _checked_version(self, connection: sqlite3.Connection) -> int:
        """The version of the store. Writes nothing; raises StoreError for a damaged file or one that is not a store."""
        version = version_of(connection)
        if version is None:
            raise fault(self.path, "a SQLite file, but not a store of measurements, or a damaged one")
        if not self._is_verified:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise fault(self.path, f"the store is damaged ({' '.join(str(verdict).split())[:200]})", DAMAGED)
        self.note = ""
        if version > newest():
            self.note = f"{self.path} is of a newer costcalc (version {version}, this one knows {newest()}): read-only"
        elif version == newest() and not self._is_verified:
            self._records(connection, SELECT)  # every row fits its digest
            self._is_verified = True
        return version

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Makes an open file ready for a row: a store of the newest version, with durable writes."""
        version = self._checked_version(connection)
        if version > newest():
            raise StoreError(f"{self.note}; upgrade costcalc, or {ANOTHER}")
        wanted = "delete" if network_kind(self.path) else "wal"
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != wanted:
            (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        connection.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
        if version < newest():
            upgrade(connection)


def _retry_while_busy(prepare: Callable[[sqlite3.Connection], None], connection: sqlite3.Connection) -> None:
    """Tries again while other processes write. SQLite waits for them itself, except to change the journal mode."""
    deadline = time.monotonic() + WRITER_WAIT_SECONDS
    while True:
        try:
            prepare(connection)
            return
        except sqlite3.OperationalError as error:
            if connection.in_transaction:
                connection.rollback()
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
