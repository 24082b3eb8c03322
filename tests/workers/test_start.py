"""Processes that costcalc starts never hear of Ctrl-C, from their first instruction on; this one hears of it later."""

import os
import subprocess
import sys

import pytest
from support.terminals import PLAIN, ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

STARTED = """
import os, signal, threading
from costcalc.workers.start import context_of, start

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
ours, theirs = context_of([]).Pipe()
process = context_of([]).Process(target={target}, args={args}, daemon=True)
"""


def said(code, target="signal.pthread_sigmask", args="(signal.SIG_BLOCK, [])"):
    done = subprocess.run(
        [sys.executable, "-c", STARTED.format(target=target, args=args) + code],
        env={**PLAIN, "PYTHONPATH": ROOT}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


BLOCKED = """
def blocked(pid):
    fields = dict(line.split(":") for line in open(f"/proc/{pid}/status"))
    return bool(int(fields["SigBlk"], 16) >> signal.SIGINT - 1 & 1)

start(process)
parent = int(open(f"/proc/{process.pid}/stat").read().rpartition(")")[2].split()[1])
print(blocked(process.pid), blocked(parent), parent != os.getpid(), blocked(os.getpid()))
process.kill()
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="/proc")
def test_they_and_what_they_are_forks_of_are_deaf_to_it():
    assert said(BLOCKED, "signal.pause", "()") == "True True True False\n"


HELD = """
class Interrupted:
    def start(self):
        os.kill(os.getpid(), signal.SIGINT)
        print("started")

try:
    start(Interrupted())
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_an_interrupt_waits_until_a_process_is_started():
    assert said(HELD) == "started\ninterrupted True\nset()\n"


def test_a_thread_starts_them_too():
    code = "thread = threading.Thread(target=start, args=[process]); thread.start(); thread.join(); process.join()"
    assert said(f"{code}; print(process.exitcode)") == "0\n"


INTERRUPTED = """
import signal
from costcalc.__main__ import main
import costcalc.cli

def run(_):
    raise KeyboardInterrupt

costcalc.cli.run = run
main()
"""


def test_an_interrupt_before_the_command_is_read_says_so_too():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "list"], env={**PLAIN, "PYTHONPATH": ROOT}, capture_output=True
    )
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")
