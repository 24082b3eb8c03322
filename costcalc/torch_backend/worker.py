"""A child process that holds one network and runs it when told, so that it may die without the others.

The parent sends a word and its arguments, the child one answer, and before that a sign of life now and then. A child
whose parent is gone ends, and one that gives no sign is ended.
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
from costcalc.workers.start import context_of, start

STEADY = 0.02  # a window of runs whose median is no more than this below the one before has settled
WINDOW = 5
MOST_WINDOWS = 40
SILENCE = 1800.0  # seconds without a sign of life that a child is given: it builds, compiles or runs once without one
ALIVE = "alive"
DOING = {
    "warm_up": "it was warmed up", "run": "it ran", "layers": "its layers were timed",
    "memory": "its memory was measured", "ceilings": "the best of the device was measured",
    "threads": "its threads were counted",
}  # fmt: skip


class Lost(Exception):
    """A child that is no more, or could not do what it was asked. `status` is oom, killed(9), timed out, failed, …"""

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status


class Child:
    """The parent's side of one network. Raises Lost when the child cannot answer."""

    def __init__(self, graph: Graph, settings: Settings, memory: int | None = None, silence: float = SILENCE):
        """`memory` bytes of address space are all it may have; after so many seconds of `silence` it is given up."""
        self.silence = silence
        context = context_of(["costcalc.torch_backend.die_with_parent", "costcalc.torch_backend.step"])
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, graph, settings, memory), daemon=True)
        start(self.process, with_main=bool(own_modules(graph)))
        theirs.close()

    @property
    def pid(self) -> int:
        """Of the child process."""
        assert self.process.pid is not None
        return int(self.process.pid)

    def ask(self, word: str, *arguments: Any) -> Any:
        """One answer."""
        try:
            self.pipe.send((word, arguments))
            return self.answer()
        except (EOFError, OSError):
            raise self.lost() from None

    def answer(self) -> Any:
        """The next answer of the child."""
        status = ALIVE
        while status == ALIVE:
            try:
                if not self.pipe.poll(self.silence):
                    self.process.kill()
                    raise Lost("timed out", f"gave no sign of life for {self.silence:g} s")
                status, answer = self.pipe.recv()
            except (EOFError, OSError):
                raise self.lost() from None
        if status != "ok":
            raise Lost(status, answer)
        return answer

    def lost(self) -> Lost:
        """What ended the child."""
        self.process.join(5)
        code = self.process.exitcode
        if code is None:
            return Lost("failed", "closed its pipe, and has not ended")
        if code < 0:
            why = ", as the system does for want of memory" if code == -signal.SIGKILL else ""
            return Lost(f"killed({-code})", f"killed by signal {-code}{why}")
        return Lost("failed", f"ended with exit code {code}")

    def close(self) -> None:
        """Ends the child, whatever it is doing."""
        self.pipe.close()
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


def own_modules(graph: Graph) -> set[str]:
    """The modules of a reader's own in which ops or their builders are. A child imports them, or runs the script."""
    used = [op for _, op in unroll(graph).nodes(data="op")]
    makers = [*map(type, used), *(MODULES.get(op.name) for op in used)]
    return {maker.__module__ for maker in makers if maker and not maker.__module__.startswith("costcalc.")}


def is_only_here(graph: Graph) -> bool:
    """Is an op or a builder defined in a notebook, which no child process can read?"""
    main = getattr(sys.modules["__main__"], "__file__", None)
    return "__main__" in own_modules(graph) and not (main and Path(main).is_file())


def _serve(pipe: Connection, graph: Graph, settings: Settings, memory: int | None) -> None:
    """The child's side: makes the step, says so, and answers until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    die_with_parent()
    if memory is not None:
        _limit(memory)
    status, words = _done("it was being built", _words, graph, settings, _signs_of_life(pipe))
    with suppress(EOFError, OSError):  # nobody asks any more
        pipe.send((status, None if status == "ok" else words))
        while status == "ok":
            word, arguments = pipe.recv()
            status, answer = _done(DOING[word], words[word], *arguments)
            pipe.send((status, answer))


def _signs_of_life(pipe: Connection) -> Callable[[], None]:
    """Says once a second at most, whenever it is called, that work goes on."""
    said = monotonic()

    def alive() -> None:
        nonlocal said
        if monotonic() > said + 1:
            said = monotonic()
            pipe.send((ALIVE, None))

    return alive


def _done(doing: str, work: Callable[..., Any], *given: Any) -> tuple[str, Any]:
    """`ok` and what the work comes to, or how it failed and why: what was being done if the error does not say."""
    try:
        return "ok", work(*given)
    except Exception as error:
        return _status(error), _in_one_line(error, doing)


def _limit(memory: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _words(graph: Graph, settings: Settings, alive: Callable[[], None]) -> dict[str, Callable[..., Any]]:
    from costcalc.torch_backend.ceilings import ceilings
    from costcalc.torch_backend.layerwise import layer_times
    from costcalc.torch_backend.machine import threads
    from costcalc.torch_backend.peak import measured_peak
    from costcalc.torch_backend.step import Step

    step = Step(graph, settings, alive)
    return {
        "warm_up": lambda: warm_up(step.run),
        "run": lambda seconds: block(step.run, seconds),
        "layers": lambda seconds: layer_times(step, seconds),
        "memory": lambda: measured_peak(step),
        "ceilings": lambda: ceilings(settings),
        "threads": threads,
    }


def block(run: Callable[[], list[float]], seconds: float) -> list[list[float]]:
    """Runs, one at least, until so many seconds are spent."""
    times = [run()]
    spent = sum(times[0])
    while spent < seconds:
        times.append(run())
        spent += sum(times[-1])
    return times


def warm_up(run: Callable[[], list[float]]) -> tuple[bool, int]:
    """Runs until it gets no faster: until the median of five runs is no more than 2 % below that of the five before.

    Whether it came to that, and after how many runs.
    """
    last = float("inf")
    for window in range(1, MOST_WINDOWS + 1):
        now = median(sum(run()) for _ in range(WINDOW))
        if now > (1 - STEADY) * last:
            return True, window * WINDOW
        last = now
    return False, MOST_WINDOWS * WINDOW


def _status(error: Exception) -> str:
    """oom for what Python, torch and we say when memory is out, failed for the rest."""
    out = isinstance(error, (MemoryError, TooLarge)) or type(error).__name__ == "OutOfMemoryError"
    return "oom" if out or "can't allocate memory" in str(error) else "failed"


def _in_one_line(error: Exception, doing: str) -> str:
    said = why(error, doing)
    text = f"{type(error).__name__}: {said}" if str(error) and not isinstance(error, CostcalcError) else said
    return " ".join(text.split())[:300]
