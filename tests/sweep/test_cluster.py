"""A cluster of dask on loopback gives the same as this process, and loses a worker without losing a chunk."""

import os
import re
import socket
import subprocess
import sys
import threading
import time

import pytest
from support.paths import TESTS
from support.streams import AXES, SMALL, wanted
from support.terminals import PLAIN, ROOT

from costcalc.analysis.sweep.cluster import Cluster
from costcalc.analysis.sweep.sweep import sweep
from costcalc.cli.app import run
from costcalc.errors import WorkersLost
from costcalc.report.written import write

ENV = {**PLAIN, "PYTHONPATH": os.pathsep.join([ROOT, str(TESTS)])}
LOCAL = ["--host", "127.0.0.1", "--no-dashboard"]


def part(*words):
    """A process of the cluster."""
    command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:], *LOCAL]
    return subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def cluster(monkeypatch):
    """The address of a scheduler, its process, and that of one of its two workers."""
    pytest.importorskip("distributed", reason="the extra cluster")
    scheduler = part("dask_scheduler", "--port", "0")
    started = [scheduler]
    try:
        address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127[\d.]+:\d+", line)))
        for _ in range(2):
            started.append(part("dask_worker", address, "--nthreads", "1", "--no-nanny"))
        for process in started:  # who writes must be read
            threading.Thread(target=process.stderr.read, daemon=True).start()
        monkeypatch.setattr("costcalc.analysis.sweep.cluster.PATIENCE", 60.0)
        yield address, *started[:2]
    finally:
        for process in started[::-1]:
            process.kill()
            process.wait()


def test_a_worker_is_killed_and_the_answer_is_the_same(tmp_path, cluster, capsys):
    address, _, worker = cluster
    alone = wanted(tmp_path / "alone.csv")
    write(alone)
    seen = []

    def progress(share, what):
        seen.append(share)
        if len(seen) == 8:
            worker.kill()
            worker.wait()

    with Cluster(address) as crew:
        deadline = time.monotonic() + 300
        while len(crew.client.nthreads()) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(crew.client.nthreads()) == 2
        write(wanted(tmp_path / "a.csv"), crew, progress)
        assert len(seen) > 20
        assert len(crew.client.nthreads()) == 1
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
        found = sweep(alone.net, alone.grid, alone.choice, points=(40, 15), crew=crew)
        assert found.to_records() == sweep(alone.net, alone.grid, alone.choice).to_records()
    words = ["sweep", SMALL, *AXES, "--top", "3"]
    assert run([*words, "--scheduler", address]) == 0
    there = capsys.readouterr().out
    assert run(words) == 0
    assert there == capsys.readouterr().out


def test_a_scheduler_that_ends_is_one_error(cluster):
    address, scheduler, _ = cluster
    given, seen = wanted(""), []

    def progress(share, what):
        seen.append(share)
        if len(seen) == 5:
            scheduler.kill()
            scheduler.wait()

    with (
        Cluster(address) as crew,
        pytest.raises(
            WorkersLost,
            match=f"the cluster at {address} lost a chunk again and again, or its scheduler; look at its log",
        ),
    ):
        sweep(given.net, given.grid, given.choice, points=(40, 15), crew=crew, progress=progress)


@pytest.mark.parametrize("silent", [True, False])
def test_a_scheduler_that_does_not_answer(capsys, monkeypatch, silent):
    pytest.importorskip("distributed", reason="the extra cluster")
    monkeypatch.setattr("costcalc.analysis.sweep.cluster.PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not silent:
            server.close()
        address = f"tcp://127.0.0.1:{port}"
        assert run(["sweep", SMALL, *AXES, "--top", "3", "--executor", "dask", "--scheduler", address]) == 3
    assert capsys.readouterr().err == (
        f"error: no scheduler answers at {address} within 0.5 s; start one with `dask scheduler`, or leave --executor "
        "out\n"
    )


@pytest.mark.parametrize("address", ["tcp://", "here", "foo://bar:1"])
def test_what_is_no_address(capsys, address):
    pytest.importorskip("distributed", reason="the extra cluster")
    assert run(["sweep", SMALL, *AXES, "--top", "3", "--scheduler", address]) == 2
    assert f"error: {address!r} is no address of a scheduler, as tcp://HOST:8786 is" in capsys.readouterr().err


def test_a_cluster_needs_its_extra(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(["sweep", SMALL, *AXES, "--top", "3", "--scheduler", "tcp://127.0.0.1:1"]) == 3
    assert capsys.readouterr().err == "error: a cluster needs dask.distributed: pip install 'costcalc[cluster]'\n"
