"""Seconds beside counts: of the very network of a point, on this device, newest, taken without noise; else nothing."""

import csv
import json

import pytest
from support import needed

import costcalc
from costcalc.cli.app import run
from costcalc.errors import UsageError
from costcalc.store import Record, Store, graph_hash, seconds_lookup
from costcalc.store.seconds_lookup import USUAL_SETTINGS

HERE, THREADS = "0123456789ab", 2


def measured(target, seconds, *, device=HERE, at="2026-01-01T00:00:00+00:00", noisy=(), **settings):
    """A record of a network that was timed."""
    graph = costcalc.load(target).graph()
    how = {**USUAL_SETTINGS, "threads": THREADS, **settings}
    result = {"seconds": seconds, "noisy": list(noisy)}
    return Record(target, graph_hash(graph), device, how, {}, result, at)


def known(*records):
    """The seconds of LeNet-5 by these records."""
    return seconds_lookup(records, HERE, THREADS)(costcalc.load("lenet5"))


def test_the_newest_run_counts():
    old, new = measured("lenet5", 0.5), measured("lenet5", 0.25, at="2026-02-01T00:00:00+00:00")
    assert known(old, new) == known(new, old) == 0.25
    assert known() is None


@pytest.mark.parametrize(
    "how",
    [
        {"device": "another"}, {"threads": 1}, {"mode": "train"}, {"dtype": "float16"}, {"engine": "compile"},
        {"channels_last": True}, {"tf32": True}, {"noisy": ["other processes used 2.0 cores"]},
    ],
    ids=str,
)  # fmt: skip
def test_what_was_taken_otherwise_does_not_count(how):
    assert known(measured("lenet5", 0.5, **how)) is None
    newer = measured("lenet5", 0.25, at="2026-02-01T00:00:00+00:00", **how)
    assert known(measured("lenet5", 0.5), newer) == 0.5


def test_only_the_very_network_counts():
    needed.module("pandas", "pandas")
    lookup = seconds_lookup([measured("lenet5@batch=2,r=36", 0.5)], HERE, THREADS)
    found = costcalc.sweep("lenet5", r=[32, 36], batch=[1, 2], metrics="seconds,macs", seconds=lookup)
    assert [*found.to_records()[0]] == ["r", "batch", "seconds", "macs"]
    assert [point["seconds"] for point in found.to_records()] == [None, None, None, 0.5]
    assert "1 of 4 has been timed without noise; `costcalc time` takes more" in found.notes()
    assert [found.table().texts(row)[2] for row in found.table().rows] == ["", "", "", "0.5000"]
    assert found.to_pandas()["seconds"].tolist()[-1] == 0.5
    assert found.to_pandas()["seconds"].isna().tolist() == [True, True, True, False]


def test_seconds_stand_beside_what_was_chosen():
    lookup = seconds_lookup([measured("lenet5@batch=3", 0.5)], HERE, THREADS)
    found = costcalc.sweep(
        "lenet5",
        batch="1:9:1",
        metrics="seconds",
        where="macs > 10 and params > 0 and batch > 1",
        top=2,
        seconds=lookup,
    )
    assert found.to_records() == [{"batch": 2, "seconds": None}, {"batch": 3, "seconds": 0.5}]


def test_presets_and_their_seconds():
    lookup = seconds_lookup([measured("efficientnet_b1", 0.125)], HERE, THREADS)
    found = costcalc.sweep_presets("efficientnet", "b0..b2", metrics="macs,seconds", seconds=lookup)
    assert [row["seconds"] for row in found.rows] == [None, 0.125, None]
    assert "1 of 3 has been timed without noise; `costcalc time` takes more" in found.table().notes


def test_what_is_refused(monkeypatch):
    with pytest.raises(UsageError, match="pass a lookup function as seconds="):
        costcalc.sweep("lenet5", batch=[1], metrics="seconds")
    with pytest.raises(UsageError, match="seconds are looked up once the points are chosen; choose them by what is"):
        costcalc.sweep("lenet5", batch=[1], where="seconds < 1")
    with pytest.raises(UsageError, match="seconds are looked up once"):
        costcalc.sweep("lenet5", batch=[1], pareto="seconds")
    monkeypatch.setattr("costcalc.analysis.sweep.measured.MAX_LOOKUPS", 2)
    with pytest.raises(UsageError, match="looked up for 2 points at most, not 3; keep the best with --top"):
        costcalc.sweep("lenet5", batch=[1, 2, 3], metrics="seconds", seconds=lambda net: 1.0)


def test_the_command_looks_into_the_store(capsys, tmp_path):
    torch = needed.module("torch", "torch")
    from costcalc.torch_backend.machine import find_device

    here = {"device": find_device("auto").fingerprint, "threads": torch.get_num_threads()}
    store = Store(tmp_path / "mine.db")
    for record in (measured("lenet5@batch=2", 0.5, **here), measured("lenet5@batch=3", 0.75, device="another")):
        store.add(record)
    words = ["sweep", "lenet5", "batch=1,2,3", "--metrics", "macs,seconds", "--store", str(store.path)]
    assert run([*words, "-f", "csv"]) == 0
    assert [row["seconds"] for row in csv.DictReader(capsys.readouterr().out.splitlines())] == ["", "0.5", ""]
    assert run([*words, "-f", "json"]) == 0
    assert [row["seconds"] for row in json.loads(capsys.readouterr().out)["rows"]] == [None, 0.5, None]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("sweep lenet5 batch=1,2", "--store is where seconds are looked up; add them, as in --metrics macs,seconds"),
        ("sweep vgg --presets all", "--store is where seconds are looked up; add them, as in --metrics macs,seconds"),
        ("sweep lenet5 batch=1,2 --restart -o x.csv", "--store is where seconds are looked up; add them"),
        ("compare lenet5 conv1x1", "--store is where measured times are kept; add --time"),
    ],
)  # fmt: skip
def test_a_store_that_nothing_is_asked_of(capsys, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    assert run([*words.split(), "--store", "x.db"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert [*tmp_path.iterdir()] == []
