"""The store: what goes in comes out, is numbered, and a file of any version or none is treated as what it is."""

import sqlite3
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support import needed
from support.records import RECORD, record, without_place

from costcalc.errors import MissingExtra, UnknownName
from costcalc.store import Store, StoreError, location, migrations
from costcalc.store.record import now


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "a" / "b" / "runs.db")


def test_what_goes_in_comes_out(store):
    kept = store.add(RECORD)
    assert (kept.id, kept.run) == (1, 1)
    assert without_place(kept) == RECORD
    assert store.rows() == [kept] == [store.get(1)] == Store(store.path).rows()


@pytest.mark.parametrize(
    "odd",
    [
        {"target": "naïve — 畳 \x1b[31m \udcff'; DROP TABLE measurements; --"},
        {"result": {"macs": 10**100, "seconds": 5e-324, "parts": {"a": [1, {"b": None}]}}},
        {"environment": {"\udc80": "\ud800", "": ""}},
        {"settings": {"batch": 2**70, "scale": 0.1, "nothing": None}},
    ],
)
def test_odd_values_come_out_too(store, odd):
    kept = store.add(record(**odd))
    assert store.get(1) == kept
    assert (kept.result, kept.environment, kept.settings) == tuple(
        getattr(record(**odd), name) for name in ("result", "environment", "settings")
    )
    assert kept.target == record(**odd).target.replace("\udcff", "\\udcff")  # no UTF-8 says half a character


def test_runs_are_numbered_by_graph_device_and_settings(store):
    runs = [RECORD, RECORD, record(target="another name"), record(device="gpu"), record(settings={"batch": 1}), RECORD]
    runs += [record(graph_hash="2:" + "b2" * 32), record(settings={"tf32": 0})]
    assert [store.add(one).run for one in runs] == [1, 2, 3, 1, 1, 4, 1, 1]
    assert [kept.id for kept in store.rows()] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [kept.id for kept in store.like(RECORD)] == [1, 2, 3, 6]


def test_the_order_of_settings_is_no_setting(store):
    store.add(RECORD)
    turned = replace(RECORD, settings=dict(reversed(RECORD.settings.items())))
    assert store.add(turned).run == 2


def test_reading_makes_nothing(store, tmp_path):
    assert store.rows() == store.like(RECORD) == []
    assert store.note == f"no measurements yet: {store.path} does not exist"
    assert list(tmp_path.iterdir()) == []


def test_reading_leaves_nothing_beside_the_file(store):
    store.add(RECORD)
    assert len(store.rows()) == 1
    assert [path.name for path in store.path.parent.iterdir()] == ["runs.db"]


@pytest.mark.parametrize("id", [2, 0, -1, 2**63, 10**30])
def test_a_run_that_does_not_exist(store, id):
    with pytest.raises(UnknownName) as caught:
        store.get(id)
    assert str(caught.value) == f"no run {id} in {store.path}; it has none yet"
    store.add(RECORD)
    with pytest.raises(UnknownName, match=r"it has 1 to 1$"):
        store.get(id)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": {"sizes": [1, 2]}}, "the setting 'sizes' is no text, number, true or false"),
        ({"settings": {"x": float("nan")}}, "its settings cannot be JSON ("),
        ({"result": {"seconds": float("inf")}}, "its result cannot be JSON ("),
        ({"environment": {"x": {1, 2}}}, "its environment cannot be JSON ("),
        ({"started_at": "yesterday"}, "started_at is 'yesterday', no ISO 8601 time in UTC"),
        ({"started_at": "2026-11-21T07:00:00"}, "started_at is '2026-11-21T07:00:00', no ISO 8601 time in UTC"),
        ({"started_at": "2026-11-21T07:00:00+09:00"}, "no ISO 8601 time in UTC"),
        ({"started_at": None}, "started_at is None, no ISO 8601 time in UTC"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_before_a_file_is_made(store, tmp_path, change, said):
    with pytest.raises(StoreError) as caught:
        store.add(record(**change))
    assert said in str(caught.value)
    assert str(caught.value).startswith("cannot keep 'resnet50': ")
    assert list(tmp_path.iterdir()) == []


def test_now_is_a_time_in_utc():
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    text = now()
    assert before < datetime.fromisoformat(text) <= datetime.now(UTC)
    assert text.endswith("+00:00")


# --- how the file is kept -------------------------------------------------------------------------------------------


def pragma(path, name):
    with sqlite3.connect(path) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_store_is_in_wal_mode_and_says_whose_it_is(store):
    store.add(RECORD)
    assert pragma(store.path, "journal_mode") == "wal"
    assert (pragma(store.path, "application_id"), pragma(store.path, "user_version")) == (migrations.APPLICATION_ID, 1)


def statements(store, monkeypatch, act):
    """What SQLite was told to do while `act` ran."""
    told = []
    connect = store._connect

    def listening(writing):
        connection = connect(writing)
        connection.set_trace_callback(told.append)
        return connection

    monkeypatch.setattr(store, "_connect", listening)
    act()
    return told


def test_a_row_is_one_immediate_transaction_fully_synchronous(store, monkeypatch):
    store.add(RECORD)
    told = statements(store, monkeypatch, lambda: store.add(RECORD))
    assert "PRAGMA synchronous = FULL" in told
    inside = told[told.index("BEGIN IMMEDIATE") :]
    assert [line.split()[0] for line in inside] == ["BEGIN", "SELECT", "INSERT", "COMMIT"]


def test_a_network_file_system_gets_no_wal(store, monkeypatch):
    store.add(RECORD)
    monkeypatch.setattr("costcalc.store.database.network_kind", lambda path: "nfs4")
    told = statements(store, monkeypatch, lambda: store.add(RECORD))
    assert "PRAGMA synchronous = EXTRA" in told
    assert pragma(store.path, "journal_mode") == "delete"
    assert len(store.rows()) == 2


MOUNTS = [
    ("/", "ext4"), ("/home", "nfs4"), ("/home/me/disk", "ext4"), ("/mnt/a b", "cifs"), ("/media/stick", "vfat"),
    ("/ssh", "fuse.sshfs"), ("/over", "nfs"), ("/over", "tmpfs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/x.db", "nfs4"), ("/home/me/disk/x.db", None), ("/home2/x.db", None), ("/mnt/a b/x.db", "cifs"),
        ("/mnt/a/x.db", None), ("/x.db", None), ("/media/stick/x.db", None), ("/ssh/deep/x.db", "fuse.sshfs"),
        ("/over/x.db", None), (r"\\server\share\x.db", "unc"),
    ],
)  # fmt: skip
def test_which_file_systems_are_on_the_network(monkeypatch, path, kind):
    monkeypatch.setattr(location, "_mounts", lambda: MOUNTS)
    assert location.network_kind(path) == kind


def test_what_is_mounted_is_read_with_and_without_proc(monkeypatch):
    found = location._mounts()
    assert any(folder == "/" for folder, _ in found) or sys.platform != "linux"
    gone = type("Gone", (), {"read_text": lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError())})
    monkeypatch.setattr(location, "Path", lambda _: gone())
    assert all(len(pair) == 2 for pair in location._mounts())
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert location._mounts() == []


# --- where it is ----------------------------------------------------------------------------------------------------


def test_the_default_is_the_environments_else_the_users(monkeypatch, tmp_path):
    needed.module("platformdirs", "torch")
    monkeypatch.setenv("COSTCALC_STORE", "~/lab.db")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store().path == tmp_path / "lab.db"
    monkeypatch.setenv("COSTCALC_STORE", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert (Store().path.name, Store().path.parent.name) == ("runs.db", "costcalc")
    assert tmp_path in Store().path.parents


def test_without_platformdirs_the_extra_is_named(monkeypatch):
    monkeypatch.delenv("COSTCALC_STORE", raising=False)
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(MissingExtra) as caught:
        Store()
    assert str(caught.value) == (
        "without --store or COSTCALC_STORE this needs platformdirs: pip install 'costcalc[torch]'"
    )


def test_a_home_that_is_not_known():
    with pytest.raises(StoreError, match=r"^~nobody_at_all/x: the home folder .* is not known; write the path out$"):
        Store("~nobody_at_all/x")


# --- versions -------------------------------------------------------------------------------------------------------

NEXT = ("ALTER TABLE measurements ADD COLUMN remark TEXT", "CREATE INDEX by_target ON measurements (target)")


def columns(path):
    with sqlite3.connect(path) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(measurements)")]


@pytest.mark.parametrize("act", ["rows", "add"])
def test_an_older_store_is_brought_up_to_date(store, monkeypatch, act):
    kept = store.add(RECORD)
    monkeypatch.setattr(migrations, "MIGRATIONS", [*migrations.MIGRATIONS, NEXT, ("SELECT 1",)])
    newer = Store(store.path)
    assert newer.add(RECORD).run == 2 if act == "add" else newer.rows() == [kept]
    assert newer.rows()[0] == kept
    assert "remark" in columns(store.path)
    assert pragma(store.path, "user_version") == 3


def test_a_migration_that_fails_changes_nothing(store, monkeypatch):
    kept = store.add(RECORD)
    before = store.path.read_bytes()
    monkeypatch.setattr(
        migrations, "MIGRATIONS", [*migrations.MIGRATIONS, (*NEXT, "ALTER TABLE nowhere ADD COLUMN x TEXT")]
    )
    for act in (Store(store.path).rows, lambda: Store(store.path).add(RECORD)):
        with pytest.raises(StoreError, match="the store is damaged"):
            act()
    monkeypatch.undo()
    assert store.path.read_bytes() == before
    assert store.rows() == [kept]


def test_a_newer_store_is_read_and_not_written(store, monkeypatch):
    with monkeypatch.context() as future:
        future.setattr(migrations, "MIGRATIONS", [*migrations.MIGRATIONS, NEXT])
        kept = store.add(RECORD)
    before = store.path.read_bytes()
    today = Store(store.path)
    assert today.rows() == [kept]
    assert today.note == f"{store.path} is of a newer costcalc (version 2, this one knows 1): read-only"
    with pytest.raises(StoreError) as caught:
        today.add(RECORD)
    assert str(caught.value) == f"{today.note}; upgrade costcalc, or name another file with --store or COSTCALC_STORE"
    assert store.path.read_bytes() == before


def test_a_newer_store_that_cannot_be_understood_says_that_it_is_newer(store, monkeypatch):
    with monkeypatch.context() as future:
        future.setattr(migrations, "MIGRATIONS", [*migrations.MIGRATIONS, ("ALTER TABLE measurements RENAME TO runs",)])
        with pytest.raises(StoreError):
            store.add(RECORD)  # which cannot use it either, but has made it
    with pytest.raises(StoreError) as caught:
        Store(store.path).rows()
    assert str(caught.value) == (
        f"{store.path} is of a newer costcalc (version 2, this one knows 1): read-only, and not understood "
        "(no such table: measurements); upgrade costcalc"
    )
