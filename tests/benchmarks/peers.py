"""What other counters say of the conformance suite, and how long they take (`--speed`).

    python tests/benchmarks/peers.py [--speed] [--markdown]

Needs fvcore, thop, ptflops, torchinfo, calflops and deepspeed; one that is not installed is shown so. Each is called as
its own documentation says; where that says FLOPs, half of them are shown.
"""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from conformance import MICRO, example
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import costcalc
from costcalc import report
from costcalc.table import Column, Table

Inputs = tuple[torch.Tensor, ...]


def torchs(module: nn.Module, ins: Inputs) -> float:
    with FlopCounterMode(display=False) as counter:
        module(*ins)
    return counter.get_total_flops() / 2


def fvcore(module: nn.Module, ins: Inputs) -> float:
    from fvcore.nn import FlopCountAnalysis

    return FlopCountAnalysis(module, ins).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def thop(module: nn.Module, ins: Inputs) -> float:
    from thop import profile

    return profile(copy.deepcopy(module), inputs=ins, verbose=False)[0]


def ptflops(module: nn.Module, ins: Inputs) -> float:
    from ptflops import get_model_complexity_info

    return get_model_complexity_info(
        copy.deepcopy(module), (1,), input_constructor=lambda _: ins if len(ins) > 1 else ins[0],
        as_strings=False, print_per_layer_stat=False, verbose=False, backend="pytorch",
    )[0]  # fmt: skip


def torchinfo(module: nn.Module, ins: Inputs) -> float:
    from torchinfo import summary

    return summary(module, input_data=ins, verbose=0).total_mult_adds


def calflops(module: nn.Module, ins: Inputs) -> float:
    from calflops import calculate_flops

    found = calculate_flops(
        copy.deepcopy(module), args=list(ins), print_results=False, print_detailed=False, output_as_string=False
    )
    return found[1]


def deepspeed(module: nn.Module, ins: Inputs) -> float:
    from deepspeed.profiling.flops_profiler import get_model_profile

    return get_model_profile(
        copy.deepcopy(module), args=list(ins), print_profile=False, detailed=False, as_string=False, warm_up=0
    )[1]


PEERS: dict[str, Callable[[nn.Module, Inputs], float]] = {
    "torch": torchs, "fvcore": fvcore, "thop": thop, "ptflops": ptflops, "torchinfo": torchinfo, "calflops": calflops,
    "deepspeed": deepspeed,
}  # fmt: skip


def asked(peer: Callable[[nn.Module, Inputs], float], module: nn.Module, ins: Inputs) -> str | float:
    """What a peer says, or that it could not."""
    try:
        with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return peer(module, ins)
    except ModuleNotFoundError:
        return "not installed"
    except Exception:
        return "error"


def shown(said: Any, truth: int) -> str:
    """A count, with a tick if it is exact."""
    if said is None or isinstance(said, str):
        return said or "nothing"
    return f"{round(said):,} ✓" if said == truth else f"{round(said):,}"


def conformance() -> Table:
    rows: list[dict[str, Any]] = []
    right = dict.fromkeys(["costcalc", *PEERS], 0)
    for micro in MICRO:
        said: dict[str, Any] = {"costcalc": costcalc.cost(micro.graph()).macs}
        for name, peer in PEERS.items():
            said[name] = asked(peer, micro.module().eval(), example(micro))
        for name, count in said.items():
            right[name] += count == micro.truth
        rows.append({"micro": micro.name, "truth": micro.truth, **{k: shown(v, micro.truth) for k, v in said.items()}})
    columns = (Column("micro", "layer", "text"), Column("truth", "truth"), *(Column(n, n, "figure") for n in right))
    totals = {"micro": f"exact, of {len(MICRO)}", "truth": None, **{name: str(count) for name, count in right.items()}}
    return Table("multiplies", columns, rows, totals)


def seconds(work: Callable[[], Any], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def counting() -> Table:
    """A loaded resnet50: our rules on the graph against each peer's call on the module."""
    from costcalc.torch_backend import build

    graph = costcalc.load("resnet50").graph()
    ours = seconds(lambda: costcalc.cost(graph).macs, 50)
    rows = [{"who": "costcalc", "ms": f"{1000 * ours:.2f}", "times": "1"}]
    for name, peer in PEERS.items():
        best = float("inf")
        for device in ("cpu", "meta"):
            module, x = build(graph, device=device), torch.randn(1, 3, 224, 224, device=device)
            if not isinstance(asked(peer, module, (x,)), str):
                best = min(best, seconds(lambda peer=peer, module=module, x=x: asked(peer, module, (x,)), 5))
        rows.append({"who": name, "ms": f"{1000 * best:.1f}", "times": f"{best / ours:,.0f}"})
    columns = (
        Column("who", "counting a loaded resnet50", "text"),
        Column("ms", "ms", "figure"),
        Column("times", "times ours", "figure"),
    )
    return Table("", columns, rows)


SCRIPT = """
import sys; sys.path[:0] = [{tests!r}, {here!r}]
import torch
try:
    from torchvision.models import resnet50
except ImportError:
    import costcalc
    from costcalc.torch_backend import build
    resnet50 = lambda: build(costcalc.load("resnet50").graph())
import peers
print(peers.PEERS[{name!r}](resnet50(), (torch.randn(1, 3, 224, 224),)))
"""


def cold() -> Table:
    """Whole processes: `costcalc show resnet50`, and the smallest script that counts it with a peer: torchvision's
    module, or ours where torchvision is not installed."""
    here, words = str(Path(__file__).parent), [sys.executable, "-m", "costcalc", "show", "resnet50"]
    commands = {"costcalc show resnet50": words}
    for name in PEERS:
        script = SCRIPT.format(tests=str(Path(here).parent), here=here, name=name)
        commands[name] = [sys.executable, "-c", script]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(5):
        for name, command in commands.items():
            start = time.perf_counter()
            if subprocess.run(command, capture_output=True).returncode == 0:
                times[name].append(time.perf_counter() - start)
    ours = median(times["costcalc show resnet50"])
    rows = [
        {"who": name, "s": f"{median(t):.2f}" if t else "error", "times": f"{median(t) / ours:.1f}" if t else ""}
        for name, t in times.items()
    ]
    columns = (
        Column("who", "from a cold shell", "text"),
        Column("s", "s", "figure"),
        Column("times", "times ours", "figure"),
    )
    return Table("", columns, rows)


def versions() -> str:
    found = []
    for name in PEERS:
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def main() -> None:
    logging.disable(logging.CRITICAL)
    torch.manual_seed(0)
    tables = [counting(), cold()] if "--speed" in sys.argv else [conformance()]
    tables[-1].notes.append(versions())
    report.emit(tables, {}, format="markdown" if "--markdown" in sys.argv else None)


if __name__ == "__main__":
    main()
