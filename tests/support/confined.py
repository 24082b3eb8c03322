"""Runs hostile cases in a process of their own, with limits on its time and memory: a hang or a crash fails one test.

Many cases share a process. Each comes back with its text, whether it was refused, and its work: the number of calls of
Python and C functions. Seconds depend on the machine and its load; `tests/benchmarks/speed.py` has those.
"""

from __future__ import annotations

import base64
import cProfile
import json
import os
import resource
import subprocess
import sys
import tempfile
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from support.paths import ROOT, TESTS

import costcalc
from costcalc.analysis.cost import cost
from costcalc.errors import CostcalcError, Place
from costcalc.expressions import parse
from costcalc.spec.bind import bind, resolve
from costcalc.spec.parse import parse_text

NAMES = {"r": 224, "w": 2, "c": 64, "n": 0, "head": "linear", "flag": True}


class Outcome(NamedTuple):
    """The outcome of a case: `kind` is ok, refused or stray (an exception that is not ours)."""

    kind: str
    text: str
    calls: int


def count(data: bytes) -> str:
    """Parses, binds and counts a spec."""
    spec = parse_text(data, "hostile.yaml")
    total = cost(bind(spec, resolve(spec, {})))
    return f"{total.params:,} params, {total.macs:,} MACs"[:200]


def value(data: bytes) -> str:
    """Parses and evaluates an expression."""
    return str(type(parse(data.decode("utf-8", "surrogatepass"), Place("", 1, 1)).value(NAMES)).__name__)


OPENED: list[str] = []  # by a case, beside modules of Python


def watch_files(event: str, args: tuple) -> None:
    """Notes the files that are opened."""
    if event == "open" and not str(args[0]).endswith((".py", ".pyc", ".so")):
        OPENED.append(str(args[0]))


def onnx(data: bytes) -> str:
    """Counts an ONNX file. Fails if it opens another."""
    return of_file(data, ".onnx", lambda path: f"{costcalc.load(path).cost().params:,} params"[:200])


def safetensors(data: bytes) -> str:
    """Lists a file of tensors. Fails if it opens another."""
    return of_file(data, ".safetensors", lambda path: f"{costcalc.tensors(path).params:,} params"[:200])


def of_file(data: bytes, suffix: str, function) -> str:
    """A function of the path of a file with these bytes, which may open nothing else."""
    path = Path(tempfile.gettempdir()) / f"case{os.getpid()}{suffix}"
    path.write_bytes(data)
    OPENED.clear()
    try:
        return function(path)
    finally:
        others = {*OPENED} - {str(path)}
        path.unlink()
        assert not others, f"it opens {others}"


def outcome(function, case: bytes, profiled: bool = True) -> Outcome:
    """The outcome of a function on one case. Without a profile it counts no calls and takes a fifth of the time."""
    with cProfile.Profile() if profiled else nullcontext() as profile:
        try:
            kind, text = "ok", function(case)
        except CostcalcError as error:
            kind, text = "refused", str(error)
        except Exception:
            kind, text = "stray", traceback.format_exc()
    return Outcome(kind, text, calls(profile) if profile else 0)


def calls(profile: cProfile.Profile) -> int:
    """How many calls of functions were made while a profile was taken."""
    return sum(entry.callcount for entry in profile.getstats())


def confined(
    what: str, cases: list[bytes | str], *, seconds: float = 300, megabytes: int = 200, cwd: Path | None = None,
    profiled: bool = True,
):  # fmt: skip
    """The outcomes of a function of this module, in order. Fails on a signal, a time-out, a stray exception or much
    memory."""
    raw = [case if isinstance(case, bytes) else case.encode("utf-8", "surrogatepass") for case in cases]
    given = "\n".join(base64.b64encode(case).decode() for case in raw)
    ran = subprocess.run(
        [sys.executable, "-m", "support.confined", what, str(profiled)],
        input=given, capture_output=True, text=True, timeout=seconds, cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, TESTS)))}, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    *lines, last = ran.stdout.splitlines()
    outcomes = [Outcome(*json.loads(line)) for line in lines]
    strays = [(case[:300], found.text) for case, found in zip(raw, outcomes) if found.kind == "stray"]
    assert strays == []
    assert len(outcomes) == len(raw)
    assert int(last) <= megabytes, f"{last} MB"
    return outcomes


def peak_megabytes() -> int:
    """The most memory this process has had. Linux counts that of the parent it was forked from in `ru_maxrss`."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """The child: base64 cases on stdin, one JSON line for each on stdout, then its peak memory in MB."""
    function = {"count": count, "value": value, "onnx": onnx, "safetensors": safetensors}[sys.argv[1]]
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    count(b"name: warm\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers: [relu]")  # imports are not part of a case
    if sys.argv[1] == "onnx":
        from support.hostile_files import seeds

        onnx(seeds()[0])
    sys.addaudithook(watch_files)
    for line in sys.stdin:
        print(json.dumps(outcome(function, base64.b64decode(line), sys.argv[2] == "True")), flush=True)
    print(peak_megabytes())


if __name__ == "__main__":
    main()
