"""Importing this lets a process end when its parent does, however that ended. On Linux; elsewhere it does nothing."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """For this process; one that it forks has to say so itself.

    A parent that ended before this was called is not noticed here: then a pipe that it held is closed.
    """
    if sys.platform == "linux":
        parent = os.getppid()  # 1 where costcalc is what a container runs
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before this was said
            os._exit(1)


die_with_parent()
