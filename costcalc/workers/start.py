"""Starting processes that never receive Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any


def context_of(preload: list[str]) -> Any:
    """How processes are started: as forks of one that has imported `preload` and done nothing with it, or on their own
    where there is no such thing. A fork of this process would share its threads."""
    from multiprocessing import get_context

    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(preload)
    return context


def start(process: Any, with_main: bool = False) -> None:
    """Starts a process that Ctrl-C never reaches: this one ends it. Without `with_main` the process does not run the
    script that started this one."""
    if sys.platform == "linux":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # now, because it lets Ctrl-C through again when it has started its process
    with nullcontext() if with_main else _main_left_out(), _interrupts_held():
        process.start()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keeps Ctrl-C back until the block is left. Processes started in it never hear of it: a process that ignored it by
    itself would do so after its imports, and print a traceback if it comes before."""
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
    """Lets processes start without running the script that started this one, which they do not need: without an
    `if __name__ == "__main__"` it would start itself again in each of them."""
    main = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        del main["__spec__"]
        main.update(kept)
