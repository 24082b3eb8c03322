"""What other counters say of the conformance suite, and how long they take (`--speed`).

    python tests/benchmarks/peers.py [--speed [--torchvision]] [--markdown]

Needs fvcore, thop, ptflops, torchinfo, calflops and deepspeed; one that is not installed is shown so. How each is
called is in counters.py; where its documentation says FLOPs, half of them are shown.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from counters import PEERS, alone, versions
from peers_speed import cold, counting
from support.conformance import MICRO, example

import costcalc
from costcalc import report
from costcalc.table import Column, Table


def ask(name: str, line: int) -> float:
    """What a peer says of a line; a number, since functions do not travel to another process."""
    micro = MICRO[line]
    return PEERS[name](micro.module().eval(), example(micro))


def shown(said: Any, truth: int) -> str:
    """A count, with a tick if it is exact."""
    if isinstance(said, str):
        return said.split(":")[0]
    return f"{said:,.0f}" + " ✓" * (said == truth)


def conformance() -> Table:
    """Every line, asked of everybody."""
    rows, notes = [], []
    right = dict.fromkeys(["costcalc", *PEERS], 0)
    for line, micro in enumerate(MICRO):
        said = {"costcalc": costcalc.cost(micro.graph()).macs, **{name: alone(ask, name, line) for name in PEERS}}
        notes += [f"{name} on {micro.name}: {count}" for name, count in said.items() if str(count).startswith("error")]
        for name, count in said.items():
            right[name] += count == micro.truth
        rows.append({"micro": micro.name, "truth": micro.truth, **{k: shown(v, micro.truth) for k, v in said.items()}})
    columns = (Column("micro", "layer", "text"), Column("truth", "truth"), *(Column(n, n, "figure") for n in right))
    totals = {"micro": f"exact, of {len(MICRO)}", "truth": None, **{name: str(count) for name, count in right.items()}}
    return Table("multiplies", columns, rows, totals, notes)


def main() -> None:
    tables = [counting(), cold()] if "--speed" in sys.argv else [conformance()]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    tables[-1].notes.append(f"{versions()}; {machine}")
    report.emit(tables, {}, format="markdown" if "--markdown" in sys.argv else None)


if __name__ == "__main__":
    main()
