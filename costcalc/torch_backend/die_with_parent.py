"""Importing this makes Linux kill the process when its parent ends. On other systems it does nothing."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ends this process with its parent; its forks have to call this themselves.

    If the parent ended before the call, the closed pipe ends the process.
    """
    if sys.platform == "linux":
        parent = os.getppid()  # 1 where costcalc is what a container runs
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent ended during the call
            os._exit(1)


die_with_parent()
