"""The time to count resnet50: our rules and `costcalc show` beside each peer on its best device."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from counters import PEERS, alone

import costcalc
from costcalc.table import Column, Table

RUNS = 5
DEVICES = ("cpu", "meta")


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(name: str, device: str) -> tuple[float, float]:
    """Medians of our count and of a peer's, one after the other; only the peer's call itself is timed."""
    import torch
    from plain_resnet50 import resnet50

    graph = costcalc.load("resnet50").graph()
    with torch.device(device):
        module, x = resnet50().eval(), torch.randn(1, 3, 224, 224)
    PEERS[name](module, (x,)), costcalc.cost(graph)
    pairs = [
        (seconds(lambda: costcalc.cost(graph).macs), seconds(lambda: PEERS[name](module, (x,)))) for _ in range(RUNS)
    ]
    ours, theirs = zip(*pairs)
    return median(ours), median(theirs)


def best(measured: dict[str, Any]) -> tuple[str, Any] | None:
    """The device on which a peer is fastest."""
    found = {device: pair for device, pair in measured.items() if not isinstance(pair, str)}
    return min(found.items(), key=lambda item: item[1][1]) if found else None


def counting() -> Table:
    """A loaded resnet50: our rules on the graph against each peer's call on the module."""
    return table(
        "counting a loaded resnet50", "ms", 1000, lambda name: best({d: alone(in_turns, name, d) for d in DEVICES})
    )


NETWORK = """
import sys, torch
sys.path.insert(0, {here!r})
from plain_resnet50 import resnet50
"""
TORCHVISION = """
import torch
from torchvision.models import resnet50
"""
MODULE = """
with torch.device({device!r}):
    net, x = resnet50().eval(), torch.randn(1, 3, 224, 224)
"""
CALLS = {
    "torch": "from torch.utils.flop_counter import FlopCounterMode\n"
    "with FlopCounterMode(display=False) as found: net(x)\n"
    "print(found.get_total_flops() // 2)",
    "fvcore": "from fvcore.nn import FlopCountAnalysis\nprint(FlopCountAnalysis(net, x).total())",
    "thop": "from thop import profile\nprint(profile(net, inputs=(x,), verbose=False))",
    "ptflops aten": "from ptflops import get_model_complexity_info as info\n"
    "print(info(net, (3, 224, 224), input_constructor=lambda _: x, print_per_layer_stat=False, backend='aten'))",
    "ptflops pytorch": "from ptflops import get_model_complexity_info as info\n"
    "print(info(net, (3, 224, 224), input_constructor=lambda _: x, print_per_layer_stat=False, backend='pytorch'))",
    "torchinfo": "from torchinfo import summary\nprint(summary(net, input_data=x, verbose=0).total_mult_adds)",
    "calflops": "from calflops import calculate_flops\nprint(calculate_flops(net, args=[x], print_results=False))",
    "deepspeed": "from deepspeed.profiling.flops_profiler import get_model_profile as profile\n"
    "print(profile(net, args=[x], print_profile=False, warm_up=0))",
}


def process(*words: str) -> float | None:
    """Seconds of a whole process, if it ends well."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    well = done.returncode == 0 and "(None, None)" not in done.stdout
    return time.perf_counter() - start if well else None


def cold_turns(network: str, name: str) -> Any:
    """Medians of `costcalc show resnet50` and of the smallest script of a peer, in turns, on the device where a first
    run is fastest."""
    scripts = {device: network + MODULE.format(device=device) + CALLS[name] for device in DEVICES}
    tried = {device: process("-c", script) for device, script in scripts.items()}
    device = min(DEVICES, key=lambda device: tried[device] or float("inf"))
    if tried[device] is None:
        return None
    pairs = [(process("-m", "costcalc", "show", "resnet50"), process("-c", scripts[device])) for _ in range(RUNS)]
    ours, theirs = zip(*pairs)
    return device, (median(ours), median(theirs))


def cold() -> Table:
    """Whole processes. A network in a file of its own, or torchvision's where `--torchvision` asks for it."""
    asked = "--torchvision" in sys.argv
    network = TORCHVISION if asked else NETWORK.format(here=str(Path(__file__).parent))
    title = f"from a cold shell, {'torchvision' if asked else 'plain torch'}"
    return table(title, "s", 1, lambda name: cold_turns(network, name))


def table(title: str, unit: str, scale: int, measure: Callable[[str], Any]) -> Table:
    """A line for each peer, and how many times as long as ours it takes."""
    rows = []
    for name in PEERS:
        found = measure(name)
        row: dict[str, Any] = {"who": name, "device": "error"}
        if found:
            device, (ours, theirs) = found
            row |= {"device": device, "ours": f"{scale * ours:.2f}", "theirs": f"{scale * theirs:.2f}"}
            row["times"] = f"{theirs / ours:.1f}"
        rows.append(row)
    columns = (
        Column("who", title, "text"),
        Column("device", "best device", "text"),
        Column("theirs", f"theirs, {unit}", "figure"),
        Column("ours", f"costcalc, {unit}", "figure"),
        Column("times", "times ours", "figure"),
    )
    return Table("", columns, rows)
