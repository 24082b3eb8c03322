"""Every worker pool gives the same answer; a worker that dies loses one chunk; no process is left running (T28)."""

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from support import needed
from support.sizes import size
from support.streams import AXES, SMALL, wanted
from support.terminals import PLAIN, ROOT

import costcalc
from costcalc.analysis.sweep.sweep import sweep
from costcalc.cli.app import run
from costcalc.errors import ShapeError, SpecError, UsageError, WorkersLost
from costcalc.sweep_files.write import write
from costcalc.workers.executor import ExternalExecutor
from costcalc.workers.local_processes import LocalProcesses
from costcalc.workers.pools import pool_for
from costcalc.workers.worker_pool import MAX_RESUBMISSIONS, ordered_map

INTERRUPTS = size(2, 50)
ENV = {**PLAIN, "PYTHONPATH": ROOT}
SWEPT = dict(text.split("=", 1) for text in AXES)


class Reversed:
    """An executor that does what it is given last first, and only when it is asked for a result."""

    def __init__(self):
        self.left = []

    def submit(self, work, *given):
        future = Future()
        self.left.append((future, work, given))
        future.result = partial(self.all_then, future.result)
        return future

    def all_then(self, result):
        while self.left:
            future, work, given = self.left.pop()
            future.set_result(work(*given))
        return result()


def late(n):
    time.sleep(random.Random(n).uniform(0, 0.005))
    return n


def test_results_come_in_the_order_of_the_chunks():
    with ThreadPoolExecutor(4) as pool:
        for most in (1, 3, None):
            assert [*ordered_map(ExternalExecutor(pool), late, range(100), most)] == [*range(100)]


def test_no_more_chunks_are_under_way_than_the_window():
    executor, begun = Reversed(), []

    def chunks():
        for n in range(50):
            begun.append(n)
            yield n

    for n in ordered_map(ExternalExecutor(executor, window=5), late, chunks()):
        assert len(begun) <= n + 5


@pytest.mark.parametrize("choice", [{}, {"top": 9, "by": "-macs"}, {"pareto": "r,d,w"}, {"where": "macs < 1e5"}])
def test_any_executor_gives_the_same(choice):
    given = wanted("", **choice)
    alone = sweep(given.model, given.grid, given.query, points=(40, 15))
    with ThreadPoolExecutor(3) as threads, LocalProcesses(2) as processes:
        for pool in (ExternalExecutor(threads), ExternalExecutor(Reversed(), window=4), processes):
            found = sweep(given.model, given.grid, given.query, points=(40, 15), pool=pool)
            assert found.to_records() == alone.to_records()
            assert found.notes() == alone.notes()


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_any_executor_writes_the_same_file(tmp_path, name):
    if name.endswith(".parquet"):
        needed.module("pyarrow", "parquet")
    write(wanted(tmp_path / name))
    alone = (tmp_path / name).read_bytes()
    with LocalProcesses(2) as processes:
        for pool in (processes, ExternalExecutor(Reversed(), window=7)):
            write(wanted(tmp_path / name), pool)
            assert (tmp_path / name).read_bytes() == alone


def test_python_takes_executors_and_workers():
    alone = costcalc.sweep(SMALL, **SWEPT, top=3)
    with ThreadPoolExecutor(2) as pool:
        assert costcalc.sweep(SMALL, **SWEPT, top=3, executor=pool).to_records() == alone.to_records()
        assert costcalc.histogram(SMALL, executor=pool, **SWEPT).rows == costcalc.histogram(SMALL, **SWEPT).rows
    assert costcalc.sweep(SMALL, **SWEPT, top=3, workers=2).to_records() == alone.to_records()
    with pytest.raises(UsageError, match="--workers must be at least 1, got 0"):
        costcalc.sweep(SMALL, **SWEPT, workers=0)


def test_processes_are_started_where_they_pay(monkeypatch):
    monkeypatch.setattr("costcalc.workers.process_count.cores", lambda: 3)
    for workers, points, started in ((None, 10**6, None), (None, 10**9, 3), (1, 10**9, None)):
        with pool_for(workers, None, points, 10**6) as pool:
            assert getattr(pool, "count", None) == started


def test_errors_come_back_whole():
    with LocalProcesses(1) as pool:
        given = wanted("", where="macs")
        with pytest.raises(SpecError, match=r"--where:1:1: macs is a number, neither true nor false"):
            sweep(given.model, given.grid, given.query, pool=pool)
        given = wanted("", axes=["r=1,2"])
        with pytest.raises(ShapeError, match="all points are invalid"):
            sweep(given.model, given.grid, given.query, pool=pool)


# ---- those who die


def dies(folder, times, n):
    """A worker that is killed at its third chunk, so many times."""
    for i in range(times if n == 2 else 0):
        if not (Path(folder) / str(i)).exists():
            (Path(folder) / str(i)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return n


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("times", [1, MAX_RESUBMISSIONS])
def test_a_worker_that_dies_costs_its_chunk_only(tmp_path, times):
    with LocalProcesses(2) as pool:
        assert [*ordered_map(pool, partial(dies, str(tmp_path), times), range(8))] == [*range(8)]
    assert len([*tmp_path.iterdir()]) == times


def dies_while_it_answers(folder, n):
    """A worker that is killed with half of its answer written, once."""
    marker = Path(folder) / "died"
    if n == 2 and not marker.exists():
        marker.touch()
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return bytes(10**8)
    return n


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_that_dies_while_it_answers(tmp_path):
    with LocalProcesses(2) as pool:
        assert [*ordered_map(pool, partial(dies_while_it_answers, str(tmp_path)), range(8))] == [*range(8)]
    assert (tmp_path / "died").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_workers_that_die_again_and_again_are_one_error(tmp_path):
    with (
        LocalProcesses(2) as pool,
        pytest.raises(WorkersLost, match=r"workers ended 4 times before a chunk was done.*try"),
    ):
        [*ordered_map(pool, partial(dies, str(tmp_path), 99), range(8))]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_broken_executor_of_someone_else(tmp_path):
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        with pytest.raises(WorkersLost, match="the executor's workers ended; run again with a new one"):
            [*ordered_map(ExternalExecutor(pool), partial(dies, str(tmp_path), 99), range(8))]
        with pytest.raises(WorkersLost):
            [*ordered_map(ExternalExecutor(pool), late, range(8))]


class Lossy(ThreadPoolExecutor):
    """An executor that raises what it likes in place of its first answers, as those of clusters do."""

    left = 0

    def submit(self, work, *given):
        self.left -= 1
        if self.left >= 0:
            return super().submit(dict.popitem, {})
        return super().submit(work, *given)


def test_an_executor_that_raises_anything_is_asked_again():
    with Lossy(2) as pool:
        pool.left = MAX_RESUBMISSIONS
        assert [*ordered_map(ExternalExecutor(pool), late, range(8))] == [*range(8)]
        pool.left = 99
        told = r"the executor lost a chunk 4 times \(KeyError: .*\); run again with a new one"
        with pytest.raises(WorkersLost, match=told):
            [*ordered_map(ExternalExecutor(pool), late, range(8))]


UNGUARDED = """
import sys, costcalc
print(repr(costcalc.sweep(sys.argv[1], r="4:24:2", w="0.25:1.25:0.05", top=3, workers=2)), __file__)
"""


def test_a_script_is_run_once(tmp_path):
    """Whether or not it asks for its own name; and it is told from then on where it is."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, str(script), SMALL], env=ENV, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (
        f"<costcalc.Sweep {SMALL}: 3 of 231 points> {script}\n", ""
    )  # fmt: skip


def test_a_worker_that_is_not_started_is_one_error(monkeypatch):
    def refused():
        raise BlockingIOError(errno.EAGAIN, "as the system says it")

    monkeypatch.setattr("costcalc.workers.local_processes._WorkerProcess", refused)
    with LocalProcesses(2) as pool, pytest.raises(WorkersLost) as caught:
        [*ordered_map(pool, late, range(8))]
    assert str(caught.value) == "cannot start a worker: the system has no more to give; try fewer with --workers"


def full(n):
    """A worker without memory."""
    raise MemoryError


@pytest.mark.parametrize("workers", ["1", "2"])
def test_memory_that_is_out_is_no_bug(monkeypatch, capsys, tmp_path, workers):
    monkeypatch.setattr("costcalc.analysis.sweep.compute.compute_chunk", full_of_points)
    path = tmp_path / "a.csv"
    assert run(["sweep", SMALL, *AXES, "-o", str(path), "--resume", "--workers", workers]) == 3
    assert capsys.readouterr().err == (
        f"{path}: what is done is kept; go on with --resume\n"
        "error: out of memory; use a coarser grid or fewer --workers\n"
    )


def full_of_points(job, chunk):
    """The same of a sweep."""
    full(chunk)


def test_workers_that_are_lost_leave_what_is_done(monkeypatch, capsys, tmp_path):
    path = tmp_path / "a.csv"

    def lost(*_):
        raise WorkersLost("they ended")

    monkeypatch.setattr("costcalc.analysis.sweep.compute.compute_chunk", lost)
    assert run(["sweep", SMALL, *AXES, "-o", str(path), "--resume"]) == 3
    assert capsys.readouterr().err == f"{path}: what is done is kept; go on with --resume\nerror: they ended\n"


# ---- T28


def of_session(session):
    """The processes of a session that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its) == session and state != "Z":
            found.append(path.parent.name)
    return found


HEARD = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what a shell runs in the background is deaf to it


def long_sweep(path):
    """A sweep that takes minutes, when its first chunk is on the disk."""
    axes = ["r=4:503:1", "w=0.25:2:0.002", "d=1:2:0.001"]
    few = ["--where", "1000 * d % 50 == 0"]  # so that a chunk is soon done; how much room all take is not known before
    words = ["sweep", SMALL, *axes, *few, "--workers", "2", "-o", str(path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "costcalc", *words], env=ENV, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=HEARD,
    )  # fmt: skip
    while process.poll() is None and not (path.with_name(f"{path.name}.part").exists() and size_of_part(path)):
        time.sleep(0.01)
    return process


def size_of_part(path):
    return path.with_name(f"{path.name}.part").stat().st_size


def nobody_left(session):
    while of_session(session):  # pytest's own limit ends what never does
        time.sleep(0.02)
    return True


@pytest.mark.sized
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="/proc")
@pytest.mark.parametrize("to_all", [True, False])
def test_an_interrupt_leaves_nobody_and_keeps_what_is_done(tmp_path, to_all):
    dice, path = random.Random(28), tmp_path / "a.csv"
    for _ in range(INTERRUPTS):
        process = long_sweep(path)
        time.sleep(dice.uniform(0, 0.3))
        (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)  # a terminal tells the whole group
        _, error = process.communicate(timeout=300)
        assert (process.returncode, error) == (130, f"{path}: what is done is kept; go on with --resume\ninterrupted\n")
        assert nobody_left(process.pid)
        assert size_of_part(path) > 0
        path.with_name("a.csv.part").unlink()
        path.with_name("a.csv.journal").unlink()


FROM_ITS_FIRST_LINE = """
import gc, os
from costcalc.__main__ import main
gc.set_threshold = lambda _: os.write(1, b".")  # the first thing that it does, and what comes before is Python's
main()
"""
ENDED = (130, -signal.SIGINT)  # the latter within an exec("…"), as dataclasses have: a shell says 130 of both


@pytest.mark.sized
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="/proc")
@pytest.mark.parametrize("when", ["from its first line on", "while workers start"])
def test_an_interrupt_while_a_sweep_starts_says_nothing_else(when):
    words = ["sweep", SMALL, "r=4:503:1", "w=0.25:2:0.002", "d=1:2:0.01", "--workers", "2", "--top", "3"]
    for n in range(INTERRUPTS):
        process = subprocess.Popen(
            [sys.executable, "-c", FROM_ITS_FIRST_LINE, *words], env=ENV, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=HEARD,
        )  # fmt: skip
        assert process.stdout.read(1) == b"."
        while when == "while workers start" and process.poll() is None and len(of_session(process.pid)) < 3:
            time.sleep(0.002)
        time.sleep(0.4 * n / INTERRUPTS)
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=300)
        assert (process.returncode in ENDED, error) == (True, b"interrupted\n")
        assert nobody_left(process.pid)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="/proc")
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    process = long_sweep(tmp_path / "a.csv")
    assert len(of_session(process.pid)) >= 3
    process.kill()
    process.wait()
    assert nobody_left(process.pid)


# ---- the command


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--executor threads", "unknown executor 'threads'"), ("--executor dask", "--executor dask needs --scheduler tcp://HOST:8786\n"),
        ("--scheduler tcp://x:1 --executor processes", "--scheduler is that of a dask cluster"),
        ("--scheduler tcp://x:1 --workers 2", "a cluster has as many workers as are there; leave out --workers\n"),
        ("--scheduler tcp://x:1 --workers 0 --executor dask", "leave out --workers\n"),
        ("--workers 0", "--workers must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_who_cannot_work(capsys, words, message):
    assert run(["sweep", "lenet5", "batch=1,2", *words.split()]) == 2
    assert message in capsys.readouterr().err


def test_workers_change_nothing_of_what_is_printed(capsys):
    outputs = set()
    for workers in ("1", "2"):
        assert run(["sweep", SMALL, *AXES, "--top", "5", "--workers", workers]) == 0
        outputs.add(capsys.readouterr().out)
    assert len(outputs) == 1
