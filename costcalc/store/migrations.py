"""The SQL of the store, and the migrations from every older version."""

from __future__ import annotations

import sqlite3

from costcalc.store.record import ROW_COLUMNS

APPLICATION_ID = 0x436F7374  # "Cost": tells a store from files of other programs

# The statements from each version to the next. Never change a released one: add another.
MIGRATIONS: list[tuple[str, ...]] = [
    (
        """CREATE TABLE measurements (
            id INTEGER PRIMARY KEY,
            target TEXT NOT NULL,
            graph_hash TEXT NOT NULL,
            device TEXT NOT NULL,
            settings TEXT NOT NULL,
            run INTEGER NOT NULL,
            environment TEXT NOT NULL,
            result TEXT NOT NULL,
            started_at TEXT NOT NULL,
            digest TEXT NOT NULL,
            UNIQUE (graph_hash, device, settings, run)
        )""",
    ),
]

SELECT = f"SELECT id, {', '.join(ROW_COLUMNS)} FROM measurements"
INSERT = f"INSERT INTO measurements ({', '.join(ROW_COLUMNS)}) VALUES ({', '.join('?' * len(ROW_COLUMNS))})"
SAME_KEY = "graph_hash = ? AND device = ? AND settings = ?"


def newest() -> int:
    """The version that this costcalc writes."""
    return len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int | None:
    """The version of an open store, 0 if the file is still empty, None if it is not a store at all."""
    connection.execute("BEGIN")  # so that the three queries see one state: another process may be creating the file
    (ours,), (version,), (tables,) = (
        connection.execute(question).fetchone()
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    connection.execute("COMMIT")
    if ours == APPLICATION_ID and version > 0:
        return int(version)
    return 0 if (ours, version, tables) == (0, 0, 0) else None


def upgrade(connection: sqlite3.Connection) -> None:
    """Brings an older or empty store up to date, in one transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")  # another process may have done it while we waited
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("COMMIT")
