"""Importing this ends the process when its parent ends, for any reason. On Linux; elsewhere it does nothing."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ends this process with its parent; its forks have to call this themselves.

    A parent that ended before the call goes unnoticed; its end of the pipe is closed then.
    """
    if sys.platform == "linux":
        parent = os.getppid()  # 1 where costcalc is what a container runs
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before this was said
            os._exit(1)


die_with_parent()
