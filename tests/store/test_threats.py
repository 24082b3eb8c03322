"""A store that is killed, crowded, damaged or has no room: T23, T24, T25."""

import contextlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from support.paths import TESTS
from support.records import RECORD, record, without_place
from support.rights import as_nobody
from support.sizes import size
from support.terminals import PLAIN, ROOT

from costcalc.cli.app import run
from costcalc.store import Store, StoreError, sqlite_errors

KILLS = size(20, 200)
DAMAGES = size(120, 500)
ROWS = size(60, 500)  # of each of the eight writers; the threat model's 500

ENV = {**PLAIN, "PYTHONPATH": os.pathsep.join([ROOT, str(TESTS)])}
WRITER = """
import sys
from support.records import record
from costcalc.store import Store, database
database.WRITER_WAIT_SECONDS = 300  # a slow disk is not what is looked at
store, name, rows = Store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(rows):
    kept = store.add(record(target=f"{name}.{number}", settings={"batch": number % 3}))
    print(kept.id, kept.target, flush=True)
"""


def said(error):
    """What we say of an error, without SQLite's own words, which another release may change."""
    return re.sub(r" \([^()]+\)(?=;)", "", str(error))


def writer(path, name, rows):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(rows)],
        env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def is_sound(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.sized
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_writer_loses_no_row_it_had_acknowledged(tmp_path):
    dice, path, acknowledged = random.Random(23), tmp_path / "runs.db", {}
    for number in range(KILLS):
        if number % 10 == 0:  # also while the file is made
            path, acknowledged = tmp_path / f"runs{number}.db", {}
        process = writer(path, f"w{number}", 10**6)
        if number % 3:
            process.stdout.readline()  # it is at work; else it may be killed while it starts
        time.sleep(dice.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        printed, error = process.communicate()
        assert error == ""
        lines = [line.split() for line in printed.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged |= {int(id): target for id, target in lines}
        kept = {each.id: each.target for each in Store(path).rows()}
        assert acknowledged.items() <= kept.items()
        assert not path.exists() or is_sound(path)


@pytest.mark.sized
def test_eight_writers_at_once(tmp_path):
    """They make the file at once too; every row is there, once, and runs count from 1 without a gap."""
    path = tmp_path / "runs.db"
    writers = [writer(path, f"w{number}", ROWS) for number in range(8)]
    ends = [(*process.communicate(), process.returncode) for process in writers]
    assert [(error, code) for _, error, code in ends] == [("", 0)] * 8
    rows = Store(path).rows()
    assert sorted(each.target for each in rows) == sorted(f"w{w}.{n}" for w in range(8) for n in range(ROWS))
    assert [each.id for each in rows] == [*range(1, 8 * ROWS + 1)]
    runs = Counter((each.settings["batch"], each.run) for each in rows)
    keys = Counter(each.settings["batch"] for each in rows)
    assert sorted(runs) == [(batch, run) for batch in sorted(keys) for run in range(1, keys[batch] + 1)]
    assert is_sound(path)


def test_eight_threads_make_the_same_file(tmp_path, monkeypatch):
    """Twenty files, all eight there at once: none may take a file that is half made for a stranger's."""
    monkeypatch.setattr("costcalc.store.database.WRITER_WAIT_SECONDS", 300)
    for number in range(20):
        path, gate, ends = tmp_path / f"runs{number}.db", threading.Barrier(8), []

        def write(path=path, gate=gate, ends=ends):
            gate.wait()
            try:
                ends.append(Store(path).add(RECORD).run)
            except StoreError as error:
                ends.append(str(error))

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ends, key=str) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_file_that_another_is_making_is_waited_for(tmp_path):
    """SQLite waits for locks, but not to change the journal mode."""
    store = Store(tmp_path / "runs.db")
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, other.rollback)
    timer.start()
    assert store.add(RECORD).run == 1
    timer.join()
    other.close()


def test_a_writer_waits_for_another_and_says_when_it_is_in_vain(tmp_path, monkeypatch):
    store = Store(tmp_path / "runs.db")
    store.add(RECORD)
    monkeypatch.setattr("costcalc.store.database.WRITER_WAIT_SECONDS", 0.2)
    waits, connect = set(), sqlite3.connect
    with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite3, "connect", lambda *of, **how: waits.add(how["timeout"]) or connect(*of, **how))
        assert len(store.rows()) == 1  # readers need not wait
        start = time.monotonic()
        with pytest.raises(StoreError) as caught:
            store.add(RECORD)
        assert time.monotonic() - start > 0.15
    assert waits == {0.2}
    assert said(caught.value) == (
        f"{store.path}: other processes have been writing all the time; run again when they are done"
    )
    assert store.add(RECORD).run == 2


# --- T25: damaged stores --------------------------------------------------------------------------------------------


def sample(path, rows=40):
    store = Store(path)
    for number in range(rows):
        store.add(record(target=f"net{number}", settings={"batch": number % 7}, environment={"note": "x" * 300}))
    return store.rows()


def damaged(whole, dice):
    """The bytes of a store, cut off or with a few bits turned, half of them where it says what it is."""
    if dice.random() < 0.3:
        return whole[: dice.randrange(len(whole))]
    found = bytearray(whole)
    for _ in range(dice.choice([1, 1, 1, 2, 8, 64])):
        at = dice.randrange(100 if dice.random() < 0.2 else len(found))
        found[at] ^= 1 << dice.randrange(8)
    return bytes(found)


@pytest.mark.sized
def test_a_damaged_store_is_refused_or_read_as_it_was(tmp_path, capsys):
    """Never fewer rows, never other ones, never a traceback; and its bytes stay, for a later repair."""
    dice, path = random.Random(25), tmp_path / "runs.db"
    good = sample(tmp_path / "good.db")
    whole = (tmp_path / "good.db").read_bytes()
    ends = Counter()
    for _ in range(DAMAGES):
        bad = damaged(whole, dice)
        path.write_bytes(bad)
        code = run(["runs", "list", "--store", str(path)])
        error = capsys.readouterr().err
        ends[code] += 1
        if code == 0:
            assert Store(path).rows() == (good if bad else [])
        else:
            assert (code, error.count("\n")) == (3, 1)
            assert error.startswith(f"error: {path}")
        assert path.read_bytes() == bad
        if code:
            with pytest.raises(StoreError):
                Store(path).add(RECORD)
            assert path.read_bytes() == bad
        for beside in tmp_path.glob(
            "runs.db-*"
        ):  # SQLite may leave a log of what it could not read, with nothing in it
            assert beside.name == "runs.db-shm" or beside.stat().st_size == 0
            beside.unlink()
    assert ends[3] > DAMAGES * 0.6


def test_a_row_that_is_gone_from_its_page_is_missed(tmp_path):
    """One count made smaller, and SQLite reads on without a word; but its index still has the row."""
    store = Store(tmp_path / "runs.db")
    sample(store.path, rows=3)
    whole = bytearray(store.path.read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    (page,) = (
        at for at in range(size, len(whole), size)
        if whole[at] == 13 and whole[at + 3 : at + 5] == b"\0\3"  # a leaf of a table, with three rows
    )  # fmt: skip
    whole[page + 4] = 2
    store.path.write_bytes(whole)
    with pytest.raises(StoreError, match="the store is damaged"):
        Store(store.path).rows()


def test_a_row_changed_behind_our_back_is_seen(tmp_path):
    """No bit need be wrong for SQLite: another program may have written it."""
    store = Store(tmp_path / "runs.db")
    store.add(RECORD)
    with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("UPDATE measurements SET result = replace(result, '0.5,', '0.1,')")
    with pytest.raises(StoreError) as caught:
        store.rows()
    assert str(caught.value) == (
        f"{store.path}: row 1 is damaged: it does not fit its digest; keep a copy of the file, then delete the row "
        "from `measurements` with sqlite3, or name another file with --store or COSTCALC_STORE"
    )


@pytest.mark.parametrize("content", [b"name,seconds\n" * 100, bytes(4096), b"SQLite format 3\0"])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    for act in (Store(path).rows, lambda: Store(path).add(RECORD)):
        with pytest.raises(StoreError) as caught:
            act()
        assert said(caught.value) == f"{path}: it is not a store of measurements; {sqlite_errors.ANOTHER}"
        assert path.read_bytes() == content


def test_the_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "browser.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE measurements (id)")
    before = path.read_bytes()
    for act in (Store(path).rows, lambda: Store(path).add(RECORD)):
        with pytest.raises(StoreError, match="a SQLite file, but not a store of measurements, or a damaged one; name"):
            act()
    assert path.read_bytes() == before


def test_an_empty_file_is_an_empty_store(tmp_path):
    """mktemp makes one, and so does a writer that is killed before its first row."""
    store = Store(tmp_path / "runs.db")
    store.path.touch()
    assert store.rows() == []
    assert store.note == f"no measurements yet: {store.path} is empty"
    assert without_place(store.add(RECORD)) == RECORD


# --- T25: places where nothing can be written -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        (".", "a folder, not a file"), ("/dev/full", "not a regular file"), ("a\0b", "not a path"),
        ("/dev/null/x.db", "a file stands where the path has a folder"),
        ("file/x.db", "a file stands where the path has a folder"), ("x" * 300, "the name is too long"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("act", ["rows", "add"])
def test_a_place_that_can_be_no_store(tmp_path, monkeypatch, path, cause, act):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(StoreError) as caught:
        Store(path).rows() if act == "rows" else Store(path).add(RECORD)
    assert str(caught.value) == f"{path}: {cause}; name another file with --store or COSTCALC_STORE"


@pytest.fixture
def read_only(tmp_path):
    """A store of one row in a folder that all users may read and none may write."""
    folder = tmp_path / "locked"
    Store(folder / "runs.db").add(RECORD)
    parents = [each for each in folder.parents if each.stat().st_uid == os.getuid() and "pytest" in str(each)]
    for parent in parents:
        parent.chmod(0o755)
    (folder / "runs.db").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="rights")
def test_a_read_only_folder_is_read_and_not_written(read_only):
    path = read_only / "runs.db"
    before = path.read_bytes()
    assert as_nobody(lambda: [each.target for each in Store(path).rows()], read_only) == "['resnet50']"
    for name, cause in (
        ("runs.db", "it cannot be written here"), ("new.db", "it cannot be opened or made here"),
        ("a/new.db", "permission denied"),
    ):  # fmt: skip
        refused = as_nobody(lambda name=name: Store(read_only / name).add(RECORD), read_only)
        assert said(refused) == f"StoreError: {read_only}/{name}: {cause}; {sqlite_errors.ANOTHER}"
    assert (path.read_bytes(), [each.name for each in read_only.iterdir()]) == (before, ["runs.db"])


@pytest.mark.skipif(sys.platform == "win32", reason="rights")
def test_a_reader_without_rights_sees_what_a_writer_at_work_has_kept(read_only):
    """Its rows are in the log beside the file, which is not yet part of it."""
    path = read_only / "runs.db"
    path.chmod(0o644)
    read_only.chmod(0o755)
    with contextlib.closing(sqlite3.connect(path)) as other:  # keeps the log open
        other.execute("SELECT count(*) FROM measurements").fetchone()
        Store(path).add(RECORD)
        for beside in read_only.iterdir():
            beside.chmod(0o444)
        read_only.chmod(0o555)
        assert as_nobody(lambda: len(Store(path).rows()), read_only) == "2"
        read_only.chmod(0o755)


def filled(store):
    """Adds rows until one does not fit; how many did, and the message."""
    for number in range(10**6):
        try:
            store.add(record(target=f"net{number}", environment={"note": "x" * 5000}))
        except StoreError as error:
            return number, str(error)
    return None


def test_a_full_disk_keeps_all_that_was_kept(tmp_path, monkeypatch):
    """A database that may not grow stands for the disk: SQLite's error is the same."""
    store = Store(tmp_path / "runs.db")
    connect = store._connect

    def small(writing):
        connection = connect(writing)
        connection.execute("PRAGMA max_page_count = 20")
        return connection

    monkeypatch.setattr(store, "_connect", small)
    count, error = filled(store)
    assert said(error) == (
        f"{store.path}: no room is left on the disk; nothing was written; free disk space and run again"
    )
    assert [each.target for each in Store(store.path).rows()] == [f"net{number}" for number in range(count)]
    assert count > 3
    monkeypatch.undo()
    assert store.add(RECORD).id == count + 1


@pytest.mark.skipif(not shutil.which("mount") or os.name != "posix" or os.geteuid() != 0, reason="needs root")
def test_a_disk_that_is_really_full(tmp_path, capsys):  # a stdout of its own: the one of the run would be muted
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("may not mount")
    try:
        count, error = filled(Store(disk / "runs.db"))
        assert error.startswith(f"{disk}/runs.db: ")
        assert "no room is left on the disk" in error or "the disk cannot be read or written" in error
        assert [each.target for each in Store(disk / "runs.db").rows()] == [f"net{number}" for number in range(count)]
        assert count > 3
        assert is_sound(disk / "runs.db")
        assert run(["runs", "export", str(disk / "big.csv"), "--store", str(disk / "runs.db")]) == 3
        assert sorted(each.name for each in disk.iterdir() if "big" in each.name) == []
    finally:
        subprocess.run(["umount", disk], check=True)


LIMITED = """
import resource, signal, sys
from support.records import RECORD
from costcalc.store import Store, StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    for _ in range(1000):
        Store(sys.argv[1]).add(RECORD)
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits")
@pytest.mark.parametrize("limit", [0, 100, 5000, 30_000, 60_000])
def test_writes_that_fail_at_any_size(tmp_path, limit):
    path = tmp_path / "runs.db"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(limit)], env=ENV, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: ")
    assert all(without_place(each) == RECORD for each in Store(path).rows())
    assert Store(path).add(RECORD).id >= 1
