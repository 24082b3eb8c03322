"""A worker process that holds one network and runs it on request. If it dies, the others go on.

The parent sends a request with its arguments. The worker sends heartbeats while it works, then one answer. A worker
ends when its parent does, and the parent kills a worker that sends nothing.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from costcalc.errors import CostcalcError, TooLarge, why
from costcalc.graph import Graph, unroll
from costcalc.torch_backend.die_with_parent import die_with_parent
from costcalc.torch_backend.modules import MODULES
from costcalc.torch_backend.settings import Settings
from costcalc.workers.start import start_with_pipe

SETTLED_GAIN = 0.02  # times have settled when the median of a window falls by no more than this share
WARM_UP_WINDOW_RUNS = 5
MAX_WARM_UP_WINDOWS = 40
TIMEOUT_S = 1800.0  # without a heartbeat; building, compiling and a single run send none
ALIVE = "alive"
PRELOADED = ["costcalc.torch_backend.die_with_parent", "costcalc.torch_backend.runner"]
PRELOADED_TO_TRAIN = [*PRELOADED, "torch._dynamo"]  # torch imports it to make an optimizer, a second in each worker
REQUESTS_IN_WORDS = {
    "warm_up": "it was warmed up", "run": "it ran", "layers": "its layers were timed",
    "memory": "its memory was measured", "ceilings": "the best of the device was measured",
    "threads": "its threads were counted", "features": "its features were written",
}  # fmt: skip


class WorkerDied(Exception):
    """A worker that ended, or could not answer. `status` is oom, killed(9), timed out or failed."""

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status


class WorkerProcess:
    """The parent's side of one worker. Raises WorkerDied when the worker cannot answer."""

    def __init__(
        self, graph: Graph, settings: Settings, memory: int | None = None, timeout: float = TIMEOUT_S,
        examples: Any = None, own: Any = None, others_train: bool = False,
    ):  # fmt: skip
        """Starts the worker. `memory`: the bytes of address space that it may take beyond its imports; `timeout`:
        seconds without a heartbeat; `examples`: the Examples that it runs on; `own`: the OwnModule that runs in place
        of the built graph; `others_train`: do workers that start later train?"""
        self.timeout = timeout
        with_main = bool(modules_of_own_ops(graph)) if own is None else own.source.needs_main
        preloaded = PRELOADED_TO_TRAIN if settings.train or others_train else PRELOADED
        self.process, self.pipe = start_with_pipe(
            preloaded, _serve, graph, settings, memory, examples, own, with_main=with_main
        )

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self.process.pid is not None
        return int(self.process.pid)

    def ask(self, request: str, *arguments: Any) -> Any:
        """Sends a request and waits for its answer."""
        try:
            self.pipe.send((request, arguments))
            return self.answer()
        except (EOFError, OSError):
            raise self.cause_of_death() from None

    def answer(self) -> Any:
        """Waits for the next answer of the worker."""
        status = ALIVE
        while status == ALIVE:
            try:
                if not self.pipe.poll(self.timeout):
                    self.process.kill()
                    raise WorkerDied("timed out", f"sent no heartbeat for {self.timeout:g} s")
                status, answer = self.pipe.recv()
            except (EOFError, OSError):
                raise self.cause_of_death() from None
        if status != "ok":
            raise WorkerDied(status, answer)
        return answer

    def cause_of_death(self) -> WorkerDied:
        """The error that says how the worker ended."""
        self.process.join(5)
        code = self.process.exitcode
        if code is None:
            return WorkerDied("failed", "closed its pipe, and has not ended")
        if code < 0:
            reason = ", as the system does when it is out of memory" if code == -signal.SIGKILL else ""
            return WorkerDied(f"killed({-code})", f"killed by signal {-code}{reason}")
        return WorkerDied("failed", f"ended with exit code {code}")

    def close(self) -> None:
        """Kills the worker if it runs."""
        self.pipe.close()
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


def modules_of_own_ops(graph: Graph) -> set[str]:
    """The modules outside costcalc that define ops of this graph or their builders; workers import them."""
    used = [op for _, op in unroll(graph).nodes(data="op")]
    makers = [*map(type, used), *(MODULES.get(op.name) for op in used)]
    return {maker.__module__ for maker in makers if maker and not maker.__module__.startswith("costcalc.")}


def is_defined_in_notebook(graph: Graph) -> bool:
    """Is an op or a builder defined in a notebook? No worker can import that."""
    main = getattr(sys.modules["__main__"], "__file__", None)
    return "__main__" in modules_of_own_ops(graph) and not (main and Path(main).is_file())


def _serve(
    pipe: Connection, graph: Graph, settings: Settings, memory: int | None, examples: Any = None, own: Any = None
) -> None:
    """The worker's side: makes the runner, reports that, and answers until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    die_with_parent()
    if memory is not None:
        _limit_memory(memory)
    status, requests = _outcome("it was being built", _requests, graph, settings, _heartbeat(pipe), examples, own)
    with suppress(EOFError, OSError):  # the parent closed the pipe
        pipe.send((status, None if status == "ok" else requests))
        while status == "ok":
            request, arguments = pipe.recv()
            status, answer = _outcome(REQUESTS_IN_WORDS[request], requests[request], *arguments)
            pipe.send((status, answer))


def _heartbeat(pipe: Connection) -> Callable[[], None]:
    """A function that sends a heartbeat, at most once a second."""
    sent = monotonic()

    def alive() -> None:
        nonlocal sent
        if monotonic() > sent + 1:
            sent = monotonic()
            pipe.send((ALIVE, None))

    return alive


def _outcome(doing: str, work: Callable[..., Any], *given: Any) -> tuple[str, Any]:
    """`ok` and the result of the work, or a status and the message of its error; `doing` if that has none."""
    try:
        return "ok", work(*given)
    except Exception as error:
        return _status(error), _in_one_line(error, doing)


def _limit_memory(memory: int) -> None:
    """Lets this process take so many bytes more of address space than torch and what it runs take once imported: a
    build of torch with CUDA takes more than 3 GB of it, and an import that fails says nothing of memory."""
    import resource

    import psutil

    from costcalc.torch_backend import ceilings, kept_features, layerwise, module_times, peak, runner  # noqa: F401

    limit = psutil.Process().memory_info().vms + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _requests(
    graph: Graph, settings: Settings, alive: Callable[[], None], examples: Any, own: Any
) -> dict[str, Callable[..., Any]]:
    from costcalc.torch_backend.ceilings import ceilings
    from costcalc.torch_backend.kept_features import write_features
    from costcalc.torch_backend.layerwise import layer_times
    from costcalc.torch_backend.machine import threads
    from costcalc.torch_backend.module_times import module_times
    from costcalc.torch_backend.peak import measured_peak
    from costcalc.torch_backend.runner import ONE_BATCH, Runner

    runner = Runner(graph, settings, alive, examples or ONE_BATCH, own)
    layers = layer_times if own is None else module_times
    return {
        "warm_up": lambda: warm_up(runner.run),
        "run": lambda seconds: run_for(runner.run, seconds),
        "layers": lambda seconds: layers(runner, seconds),
        "memory": lambda: measured_peak(runner),
        "ceilings": lambda: ceilings(settings),
        "threads": threads,
        "features": lambda paths: write_features(runner.module, [inputs for inputs, _ in runner.batches], paths),
    }


def run_for(run: Callable[[], list[float]], seconds: float) -> list[list[float]]:
    """Runs at least once, until the runs have taken so many seconds."""
    times = [run()]
    spent = sum(times[0])
    while spent < seconds:
        times.append(run())
        spent += sum(times[-1])
    return times


def warm_up(run: Callable[[], list[float]]) -> tuple[bool, int]:
    """Runs until the median of five runs is at most 2 % below that of the five before.

    Returns whether the times settled, and after how many runs.
    """
    last = float("inf")
    for window in range(1, MAX_WARM_UP_WINDOWS + 1):
        now = median(sum(run()) for _ in range(WARM_UP_WINDOW_RUNS))
        if now > (1 - SETTLED_GAIN) * last:
            return True, window * WARM_UP_WINDOW_RUNS
        last = now
    return False, MAX_WARM_UP_WINDOWS * WARM_UP_WINDOW_RUNS


def _status(error: Exception) -> str:
    """`oom` for errors of Python, torch and ours that say that memory is out; `failed` for the rest."""
    out = isinstance(error, (MemoryError, TooLarge)) or type(error).__name__ == "OutOfMemoryError"
    return "oom" if out or "can't allocate memory" in str(error) else "failed"


def _in_one_line(error: Exception, doing: str) -> str:
    said = why(error, doing)
    text = f"{type(error).__name__}: {said}" if str(error) and not isinstance(error, CostcalcError) else said
    return " ".join(text.split())[:300]
