"""The counts of other tools on the conformance suite, and their speed (`--speed`).

    python tests/benchmarks/peers.py [--speed [--torchvision]] [--markdown]

Needs fvcore, thop, ptflops, torchinfo, calflops, deepspeed and torchlens; one that is not installed is shown so.
ultralytics-thop has the same files as thop: `pip install --no-deps --target DIR ultralytics-thop`, and the variable
ULTRALYTICS_THOP=DIR.
How each is called is in counters.py; half of its FLOPs are shown if it counts FLOPs. `imported` is ours of the module.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from counters import IN_MAIN, PEERS, alone, tried, versions
from peers_speed import cold, counting
from support.conformance import NETWORKS, example

import costcalc
from costcalc import report
from costcalc.table import Column, Table


def ask(name: str, number: int) -> float:
    """A peer's count of a network, given by its number: functions cannot be pickled."""
    network = NETWORKS[number]
    return PEERS[name](network.module().eval(), example(network))


def ask_all(name: str) -> list[Any]:
    """A peer's counts of all networks, in one process that is not a fork."""
    words = [sys.executable, __file__, "--all-by", name]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def shown(said: Any, truth: int) -> str:
    """A count, with a tick if it is exact."""
    if isinstance(said, str):
        return said.split(":")[0]
    return f"{said:,.0f}" + " ✓" * (said == truth)


def conformance() -> Table:
    """The counts of every network by every tool."""
    rows, notes = [], []
    by_one = {peer: ask_all(peer) for peer in IN_MAIN}
    right = dict.fromkeys(["costcalc", "imported", *PEERS], 0)
    for number, network in enumerate(NETWORKS):
        counts: dict[str, Any] = {"costcalc": costcalc.cost(network.graph()).macs}
        counts["imported"] = costcalc.load(network.module().eval(), *example(network)).macs
        counts |= {peer: by_one[peer][number] if peer in by_one else alone(ask, peer, number) for peer in PEERS}
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
    if "--all-by" in sys.argv:
        print(json.dumps([tried(ask, (sys.argv[-1], number)) for number in range(len(NETWORKS))]))
        return
    tables = [counting(), cold()] if "--speed" in sys.argv else [conformance()]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    tables[-1].notes.append(f"{versions()}; {machine}")
    report.emit(tables, {}, format="markdown" if "--markdown" in sys.argv else None)


if __name__ == "__main__":
    main()
