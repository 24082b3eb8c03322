"""costcalc run as a reader runs it: in a pipe, or in a terminal of some width."""

import os
import subprocess
import sys

from support import paths

ROOT = str(paths.ROOT)
PLAIN = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")}


def piped(*words, python=sys.executable, stdin=None, **env):
    """The finished process of one command whose output goes to pipes, as bytes."""
    path = os.pathsep.join([ROOT, env.pop("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.run(
        [python, "-m", "costcalc", *words], capture_output=True, env={**PLAIN, "PYTHONPATH": path, **env}
    )


def in_terminal(width, *words, command=None, **env):
    """What a terminal so wide receives, and the exit code. Without TERM it is one that knows no colours."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    process = subprocess.Popen(
        command or [sys.executable, "-m", "costcalc", *words],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**PLAIN, "PYTHONPATH": ROOT, "TERM": "dumb", **env},
    )  # fmt: skip
    os.close(theirs)
    received = b""
    while True:
        try:
            more = os.read(ours, 1 << 16)
        except OSError:  # how Linux says that the other end is closed
            break
        if not more:
            break
        received += more
    os.close(ours)
    return received.decode().replace("\r\n", "\n"), process.wait()
