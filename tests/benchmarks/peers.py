"""The counts of other tools on the conformance suite, and their speed (`--speed`).

    python tests/benchmarks/peers.py [--speed [--torchvision]] [--markdown]

Needs fvcore, thop, ptflops, torchinfo, calflops and deepspeed; one that is not installed is shown so. How each is
called is in counters.py; half of its FLOPs are shown if it counts FLOPs.
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
from support.conformance import NETWORKS, example

import costcalc
from costcalc import report
from costcalc.table import Column, Table


def ask(name: str, number: int) -> float:
    """A peer's count of a network, given by its number: functions cannot be pickled."""
    network = NETWORKS[number]
    return PEERS[name](network.module().eval(), example(network))


def shown(said: Any, truth: int) -> str:
    """A count, with a tick if it is exact."""
    if isinstance(said, str):
        return said.split(":")[0]
    return f"{said:,.0f}" + " ✓" * (said == truth)


def conformance() -> Table:
    """The counts of every network by every tool."""
    rows, notes = [], []
    right = dict.fromkeys(["costcalc", *PEERS], 0)
    for number, network in enumerate(NETWORKS):
        counts = {"costcalc": costcalc.cost(network.graph()).macs, **{peer: alone(ask, peer, number) for peer in PEERS}}
        row: dict[str, Any] = {"network": network.name, "truth": network.truth}
        for name, count in counts.items():
            right[name] += count == network.truth
            row[name] = shown(count, network.truth)
            notes += [f"{name} on {network.name}: {count}"] * str(count).startswith("error")
        rows.append(row)
    columns = (Column("network", "layer", "text"), Column("truth", "truth"), *(Column(n, n, "figure") for n in right))
    totals = {"network": f"exact, of {len(NETWORKS)}", "truth": None, **{name: str(n) for name, n in right.items()}}
    return Table("multiplies", columns, rows, totals, notes)


def main() -> None:
    tables = [counting(), cold()] if "--speed" in sys.argv else [conformance()]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    tables[-1].notes.append(f"{versions()}; {machine}")
    report.emit(tables, {}, format="markdown" if "--markdown" in sys.argv else None)


if __name__ == "__main__":
    main()
