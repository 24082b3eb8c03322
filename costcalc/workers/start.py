"""Starting processes that never receive Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any


def context_of(preload: list[str]) -> Any:
    """How processes start: on Linux as forks of a server process that has imported `preload`, because a fork of this
    process would share its threads; elsewhere each on its own."""
    from multiprocessing import get_context

    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(preload)
    return context


def start_with_pipe(preload: list[str], serve: Any, *args: Any, with_main: bool = False) -> tuple[Any, Any]:
    """Starts a daemon process that runs `serve(pipe, *args)`. Returns the process and the other end of the pipe."""
    context = context_of(preload)
    pipe, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *args), daemon=True)
    start(process, with_main)
    theirs.close()
    return process, pipe


def start(process: Any, with_main: bool = False) -> None:
    """Starts a process that Ctrl-C never reaches; its parent ends it. Only with `with_main` the process imports the
    script that started its parent."""
    if sys.platform == "linux":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # now, because it lets Ctrl-C through again when it has started its process
    with nullcontext() if with_main else _main_left_out(), _interrupts_held():
        process.start()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds Ctrl-C back until the block ends. Processes that start in it never receive it. If they ignored it
    themselves, one that comes during their imports would print a traceback."""
    heard: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number)) if in_main else None
    has_mask = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if has_mask else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is not None:
            signal.signal(signal.SIGINT, before)
        if heard:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def _main_left_out() -> Iterator[None]:
    """Starts processes that do not import the script that started this one. They do not need it, and without an
    `if __name__ == "__main__"` it would run again in each of them."""
    main = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        del main["__spec__"]
        main.update(kept)
