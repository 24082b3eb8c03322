"""How fast costcalc is, beside a baseline measured in the same run: `python tests/benchmarks/speed.py`.

The baselines are a plain Python loop of 100,000 multiplications (work inside a process) and `python -c pass` (whole
processes), so that a slow or busy machine shows in the ratio's denominator too. Times are medians; nothing is asserted.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.confined import count, value
from support.hostile import BLOW_UPS, HOSTILE_NUMBERS, LAYERS, PAYLOADS, billion_laughs, large, nested
from sympy.core.cache import clear_cache

import costcalc
from costcalc import report
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.walk import walk
from costcalc.errors import CostcalcError
from costcalc.models.model import Model
from costcalc.ops import BatchNorm, Conv, Input, ReLU
from costcalc.spec.bind import bind, resolve
from costcalc.spec.library import entries, find, library_folder
from costcalc.spec.parse import parse_file, parse_text
from costcalc.spec.spec_architecture import SpecArchitecture
from costcalc.table import Column, Table

COLUMNS = (
    Column("what", "what", "text"),
    Column("took", "took", "text"),
    Column("budget", "budget", "text"),
    Column("ratio", "times the baseline", "text"),
)

REFERENCE = {"typer": 0.050, "networkx": 0.120, "sympy": 0.250}  # seconds to import, where the budgets were set


def median(function: Callable[[], object], runs: int) -> float:
    """Seconds of the middle run, after one that is not counted."""
    times = []
    function()
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def loop() -> int:
    """The baseline inside a process: 100,000 multiplications and additions."""
    total = 0
    for n in range(100_000):
        total += n * n
    return total


def command(*words: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *words], capture_output=True, check=True)


def by_hand(layers: int) -> object:
    """A networkx graph of conv, batch norm and ReLU in a row; one layer in ten is like no other, whatever its length,
    since what is alike is worked out once."""
    kinds = max(1, layers // 30)
    graph = costcalc.new_graph()
    last = costcalc.add(graph, "x", Input((1, 64, 28, 28)))
    for i in range(layers // 3):
        last = costcalc.add(graph, f"conv{i}", Conv(64 + i % kinds, 3, padding=1), last)
        last = costcalc.add(graph, f"norm{i}", BatchNorm(), last)
        last = costcalc.add(graph, f"relu{i}", ReLU(), last)
    return graph


def counting(base: float) -> list[dict[str, str]]:
    """Counting graphs that are loaded already."""
    rows, seconds = [], {}
    for name in ("resnet50", "efficientnet_b0", "efficientnet_b7"):
        graph = costcalc.load(name).graph()
        seconds[name] = median(lambda graph=graph: costcalc.cost(graph).macs, 200)
        budget = "1 ms" if name == "resnet50" else ""
        rows.append(row(f"count {name}, loaded, layer by layer", seconds[name], budget, base))
    more = seconds["efficientnet_b7"] - seconds["efficientnet_b0"]
    rows.append(row("EfficientNet-B7 more than B0", more, "1 ms", base))
    return rows


def from_yaml(base: float) -> list[dict[str, str]]:
    """Reading, binding and counting each spec; the slowest is shown."""

    def once(path: Path) -> int:
        spec = parse_file(path)
        return costcalc.cost(bind(spec, resolve(spec, {}))).macs

    times = {path.stem: median(lambda path=path: once(path), 10) for path in library_folder().glob("*.yaml")}
    slowest = max(times, key=lambda name: times[name])
    return [row(f"read, bind and count a spec: the slowest, {slowest}", times[slowest], "25 ms", base)]


def closed_forms(base: float) -> list[dict[str, str]]:
    """MACs in all knobs, first time in a process that has imported sympy."""
    code = (
        "import sympy, time, costcalc; net = costcalc.load({!r}); net.graph(); start = time.perf_counter(); "
        "net.formula('macs').expression; print(time.perf_counter() - start)"
    )
    times = {}
    for name in sorted({entry.spec for entry in entries()} | {"resnet152"}):
        runs = [
            subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, check=True) for _ in range(3)
        ]
        times[name] = statistics.median(float(run.stdout) for run in runs)
    slowest = max(times, key=lambda name: times[name])
    return [
        row(f"closed form in all knobs: the slowest, {slowest}", times[slowest], "500 ms", base),
        row("closed form in all knobs: resnet152", times["resnet152"], "500 ms", base),
    ]


def large_graphs(base: float) -> list[dict[str, str]]:
    """Graphs built by hand; time per layer is to stay flat."""
    rows, per_layer = [], {}
    for layers in (1_000, 10_000, 100_000, 1_000_000):
        graph = by_hand(layers)
        gc.collect()
        seconds = median(lambda graph=graph: sum(r.macs for r in walk(graph)), 20 if layers < 10_000 else 3)
        per_layer[layers] = seconds / layers
        rows.append(row(f"count {layers:,} layers built by hand", seconds, "2 s" if layers == 100_000 else "", base))
    spread = max(per_layer.values()) / min(per_layer.values())
    rows.append(
        {"what": "time per layer, slowest over fastest size", "took": f"{spread:.2f}×", "budget": "1.5×", "ratio": ""}
    )
    return rows


def hostile(base: float) -> list[dict[str, str]]:
    """What is refused, and how soon; of many cases the slowest is shown."""

    def refused(function: Callable[[bytes], str], case: str) -> None:
        try:
            function(case.encode())
        except CostcalcError:
            return
        raise AssertionError(f"{case[:60]} was not refused")

    def closed_form(data: bytes) -> str:
        clear_cache()
        return derive(Model(SpecArchitecture(parse_text(data, "hostile.yaml")))).text

    numbers = [f"{LAYERS}  - linear: {{features: '{number}'}}" for number in HOSTILE_NUMBERS]
    cases = [
        (f"refuse the slowest of {len(PAYLOADS)} payloads of code", value, PAYLOADS, "1 s"),
        (f"refuse the closed form of the slowest of {len(BLOW_UPS)} specs", closed_form, BLOW_UPS.values(), "15 s"),
        (f"refuse the slowest of {len(numbers)} hostile numbers", count, numbers, "50 ms"),
        ("refuse a YAML bomb of nine levels", count, [billion_laughs(9)], "50 ms"),
        ("refuse 10^9 layers, 1000 × 1000 × 1000", count, [nested(1000, 1000, 1000)], "50 ms"),
        ("refuse 900,000 brackets, each in the one before", count, [LAYERS + "[" * 900_000], "1 s"),
    ]
    return [
        row(what, max(median(partial(refused, function, case), 5) for case in texts), budget, base)
        for what, function, texts, budget in cases
    ]


def large_specs(base: float) -> list[dict[str, str]]:
    """Reading, binding and counting long YAML files, each layer written out."""

    def once(text: str) -> int:
        spec = parse_text(text, "large.yaml", max_bytes=10_000_000)
        return costcalc.cost(bind(spec, resolve(spec, {}), max_layers=200_000)).macs

    times = {layers: median(partial(once, large(layers)), 3) for layers in (10_002, 100_002)}
    rows = [row(f"read, bind and count {layers:,} layers", seconds, "", base) for layers, seconds in times.items()]
    rows[-1]["budget"] = "20 s"
    more = f"{times[100_002] / times[10_002]:.2f}×"
    return [*rows, {"what": "ten times the layers, times as long", "took": more, "budget": "12×", "ratio": ""}]


def start_up() -> list[dict[str, str]]:
    """Whole processes."""
    base = median(command("-c", "pass"), 20)
    rows = [row("python -c pass", base, "", base)]
    imports = 0.0
    for module in REFERENCE:  # what costcalc stands on, and cannot be quicker than
        seconds = median(command("-c", f"import {module}"), 7)
        imports += seconds - base
        rows.append(row(f"python -c 'import {module}'", seconds, "", base))
    slower = imports / sum(REFERENCE.values())
    what = "these imports, beside those on the machine that the budgets are from"
    rows.append({"what": what, "took": f"{slower:.2f}×", "budget": "", "ratio": ""})
    commands = {
        "--version": "120 ms", "--help": "120 ms", "list": "150 ms", "compare resnet18 resnet50": "300 ms",
        "compare inception_naive inception_bottleneck": "700 ms", "formula efficientnet": "700 ms",
    }  # fmt: skip
    for words, budget in commands.items():
        rows.append(row(f"costcalc {words}", median(command("-m", "costcalc", *words.split()), 7), budget, base))
    return rows


def row(what: str, seconds: float, budget: str, base: float) -> dict[str, str]:
    took = f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
    return {"what": what, "took": took, "budget": budget, "ratio": f"{seconds / base:,.2f}"}


def main() -> None:
    import sympy  # noqa: F401  its import is not what is measured

    find("resnet50")
    base = median(loop, 20)
    inside = [row("100,000 multiplications in a Python loop", base, "", base)]
    for part in (counting, from_yaml, closed_forms, large_graphs):
        inside += part(base)
    guarded = hostile(base) + large_specs(base)
    tables = [
        Table("inside a process", COLUMNS, inside),
        Table("hostile and very large specs", COLUMNS, guarded),
        Table("whole processes", COLUMNS, start_up()),
    ]
    report.emit(tables, {"inside": inside, "guarded": guarded}, format="markdown" if "--markdown" in sys.argv else None)


if __name__ == "__main__":
    main()
