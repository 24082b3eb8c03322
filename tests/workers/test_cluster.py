"""A cluster of dask on loopback gives the same as this process, and loses a worker without losing a chunk."""

import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import pytest
from support import needed
from support.paths import TESTS
from support.streams import AXES, SMALL, wanted
from support.terminals import PLAIN, ROOT

from costcalc.analysis.sweep.sweep import sweep
from costcalc.cli.app import run
from costcalc.errors import WorkersLost
from costcalc.sweep_files.write import write
from costcalc.workers.cluster import DaskCluster
from costcalc.workers.worker_pool import MAX_RESUBMISSIONS, ordered_map

ENV = {**PLAIN, "PYTHONPATH": os.pathsep.join([ROOT, str(TESTS)])}
LOCAL = ["--host", "127.0.0.1", "--no-dashboard"]


def part(*words):
    """A process of the cluster."""
    command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:], *LOCAL]
    return subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def cluster(monkeypatch):
    """The address of a scheduler, its process, and that of one of its two workers."""
    needed.module("distributed", "cluster")
    scheduler = part("dask_scheduler", "--port", "0")
    started = [scheduler]
    try:
        address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127[\d.]+:\d+", line)))
        for _ in range(2):
            started.append(part("dask_worker", address, "--nthreads", "1", "--no-nanny"))
        for process in started:  # who writes must be read
            threading.Thread(target=process.stderr.read, daemon=True).start()
        monkeypatch.setattr("costcalc.workers.cluster.TIMEOUT_S", 60.0)
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

    with DaskCluster(address) as pool:
        deadline = time.monotonic() + 300
        while len(pool.client.nthreads()) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(pool.client.nthreads()) == 2
        write(wanted(tmp_path / "a.csv"), pool, progress)
        assert len(seen) > 20
        assert len(pool.client.nthreads()) == 1
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
        found = sweep(alone.model, alone.grid, alone.query, points=(40, 15), pool=pool)
        assert found.to_records() == sweep(alone.model, alone.grid, alone.query).to_records()
    words = ["sweep", SMALL, *AXES, "--top", "3"]
    assert run([*words, "--scheduler", address]) == 0
    there = capsys.readouterr().out
    assert run(words) == 0
    assert there == capsys.readouterr().out


def test_a_scheduler_that_ends_is_one_error(cluster, monkeypatch):
    address, scheduler, _ = cluster
    given, seen = wanted(""), []

    def progress(share, what):
        seen.append(share)
        if len(seen) == 5:
            scheduler.kill()
            scheduler.wait()

    told = f"the scheduler at {address} does not answer any more; look at its log, and run again when it is up"
    with DaskCluster(address) as pool:
        monkeypatch.setattr("costcalc.workers.cluster.TIMEOUT_S", 0.5)  # now that it is found
        with pytest.raises(WorkersLost, match=told):
            sweep(given.model, given.grid, given.query, points=(40, 15), pool=pool, progress=progress)


# ---- what dask raises when a worker ends in the wrong moment, without a cluster


class Flaky:
    """A client of dask. Its first futures raise these errors, one each; the others have an answer."""

    status = "running"

    def __init__(self, errors):
        self.errors = [*errors]

    def nthreads(self):
        return {"tcp://there:1": 1}

    def submit(self, work, *given, pure):
        future = Future()
        if self.errors:
            future.set_exception(self.errors.pop(0))
        else:
            future.set_result(work(*given))
        return future

    def close(self, timeout):
        pass


@pytest.fixture
def flaky(monkeypatch):
    """Makes a client that raises these errors the one that is connected."""
    needed.module("distributed", "cluster")
    monkeypatch.setattr("costcalc.workers.cluster._check_answers", lambda address: None)
    monkeypatch.setattr("costcalc.workers.cluster.PAUSE_AFTER_LOSS_S", 0)

    def connected(*errors):
        client = Flaky(errors)
        monkeypatch.setattr("distributed.Client", lambda *_, **__: client)
        return client

    return connected


UNPACKED = TypeError("cannot unpack non-iterable Part object")  # of a worker that died as its answer arrived


@pytest.mark.parametrize("error", [UNPACKED, KeyError("r"), OSError("closed"), TimeoutError(), AssertionError()])
def test_whatever_dask_raises_the_chunk_is_asked_for_again(flaky, capsys, error):
    words = ["sweep", SMALL, *AXES, "--top", "3"]
    assert run(words) == 0
    alone = capsys.readouterr()
    flaky(*[error] * MAX_RESUBMISSIONS)
    assert run([*words, "--scheduler", "tcp://there:1"]) == 0
    assert capsys.readouterr() == alone


def test_a_client_that_cannot_send_a_chunk(flaky, monkeypatch):
    client = flaky()
    refused, submit = [RuntimeError("not now")] * 3, client.submit

    def refusing(*given, **named):
        if refused:
            raise refused.pop()
        return submit(*given, **named)

    monkeypatch.setattr(client, "submit", refusing)
    with DaskCluster("tcp://there:1") as pool:
        assert [*ordered_map(pool, str, range(20))] == [*map(str, range(20))]


def test_a_chunk_that_is_lost_again_and_again_is_one_error(flaky, capsys):
    flaky(*[UNPACKED] * 99)
    assert run(["sweep", SMALL, *AXES, "--top", "3", "--scheduler", "tcp://there:1"]) == 3
    assert capsys.readouterr() == (
        "",
        "error: the cluster at tcp://there:1 lost a chunk 4 times (TypeError: cannot unpack non-iterable Part object), "
        "perhaps out of memory; look at the logs of its workers, and run again when they are up\n",
    )


def test_a_chunk_that_the_scheduler_gave_up_is_not_asked_for_again(flaky):
    killed = type("KilledWorker", (Exception,), {})()
    client = flaky(killed, *[UNPACKED] * 99)
    with (
        DaskCluster("tcp://there:1") as pool,
        pytest.raises(WorkersLost, match=r"at each worker that had it \(KilledWor"),
    ):
        next(ordered_map(pool, str, [1]))
    assert len(client.errors) == 99


def test_dask_says_nothing_beside_our_message(flaky):
    flaky()
    log = logging.getLogger("distributed.client")
    before = log.level
    with DaskCluster("tcp://there:1"):
        assert not log.isEnabledFor(logging.ERROR)
    assert log.level == before


def test_what_the_work_raises_is_no_loss(flaky):
    flaky()
    with DaskCluster("tcp://there:1") as pool, pytest.raises(TypeError, match="NoneType"):
        [*ordered_map(pool, len, [None])]


# ---- no scheduler


@pytest.mark.parametrize("silent", [True, False])
def test_a_scheduler_that_does_not_answer(capsys, monkeypatch, silent):
    needed.module("distributed", "cluster")
    monkeypatch.setattr("costcalc.workers.cluster.TIMEOUT_S", 0.5)
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
    needed.module("distributed", "cluster")
    assert run(["sweep", SMALL, *AXES, "--top", "3", "--scheduler", address]) == 2
    assert f"error: {address!r} is no address of a scheduler, as tcp://HOST:8786 is" in capsys.readouterr().err


def test_a_cluster_needs_its_extra(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(["sweep", SMALL, *AXES, "--top", "3", "--scheduler", "tcp://127.0.0.1:1"]) == 3
    assert capsys.readouterr().err == "error: a cluster needs dask.distributed: pip install 'costcalc[cluster]'\n"
