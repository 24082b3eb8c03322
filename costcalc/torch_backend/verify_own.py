"""Our counts of an imported network beside torch's on the reader's own module, module by module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any

import torch

from costcalc.analysis.cost import cost
from costcalc.analysis.training.backward import backward_macs_by_layer
from costcalc.analysis.walk import Row
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import Problem
from costcalc.importers.torch_runs.run_record import Origin
from costcalc.net import Net
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import plural
from costcalc.torch_backend.module_spans import NETWORK, modules_of, plain
from costcalc.torch_backend.own_counts import own_macs
from costcalc.torch_backend.own_module import OwnModule

METRICS = ("params", "macs", "backward_macs")
METHOD_NOTE = (
    "torch: numel of the parameters of each module, and the multiplies that torch.utils.flop_counter sees in it, half "
    "its FLOPs (the backward pass of convolutions counted by groups, attention in its two products, and products with "
    "vectors, which it leaves out), while the module itself runs forward and backward on the meta device; a module is "
    "counted without those in it"
)
COLUMNS = (
    Column("name", "module", "text"),
    Column("op", "class", "text", 2),
    Column("layers", "layers", "int", 6),
    Column("params", "params", "int", 3),
    Column("torch_params", "torch's params", "int", 4),
    Column("macs", "MACs"),
    Column("torch_macs", "torch's MACs"),
    Column("backward_macs", "backward", "int", 1),
    Column("torch_backward_macs", "torch's backward", "int", 1),
    Column("verdict", "verdict", "text"),
)


@dataclass(frozen=True)
class VerifiedModule:
    """One module without those in it: params, multiplies forward and backward, as our rules count and as torch does."""

    name: str
    op: str  # its class
    layers: int
    ours: dict[str, int]
    torchs: dict[str, int]

    @property
    def differs_in(self) -> list[str]:
        """The metrics on which the two do not agree."""
        return [metric for metric in METRICS if self.ours[metric] != self.torchs[metric]]

    def to_record(self) -> dict[str, Any]:
        """One line of the table."""
        both = {name: count for m in METRICS for name, count in ((m, self.ours[m]), (f"torch_{m}", self.torchs[m]))}
        verdict = f"differs in {', '.join(self.differs_in)}" if self.differs_in else "same"
        return {"name": self.name, "op": self.op, "layers": self.layers, **both, "verdict": verdict}


@dataclass(frozen=True, eq=False, repr=False)
class OwnVerification(Result):
    """The modules of one network that hold tensors or run layers; `tensors` of them are parameters and buffers."""

    target: str
    modules: tuple[VerifiedModule, ...]
    tensors: int
    warned: tuple[Problem, ...] = ()

    @property
    def differing(self) -> list[VerifiedModule]:
        """Modules on which we and torch do not agree."""
        return [module for module in self.modules if module.differs_in]

    @property
    def ok(self) -> bool:
        """Is there no difference?"""
        return not self.differing

    @property
    def verdict(self) -> str:
        """`same`, or where the first difference is."""
        if self.ok:
            return "same"
        first = self.differing[0]
        count = plural(len(self.differing), "module differs", "modules differ")
        return f"{count}, first {first.name} in {', '.join(first.differs_in)}"

    def totals(self) -> dict[str, Any]:
        """One line for the network: ours beside torch's."""
        records = [module.to_record() for module in self.modules]
        summed = {key: sum(record[key] for record in records) for key in records[0] if key not in TEXTS}
        return {"name": self.target, "tensors": self.tensors, **summed, "verdict": self.verdict}

    def table(self, all_rows: bool = False) -> Table:
        """The modules on which we and torch do not agree, or all of them: ours beside torch's."""
        title = f"{self.target}: costcalc beside torch {torch.__version__}"
        shown = self.modules if all_rows else self.differing
        totals = {**self.totals(), "name": "total"} if len(shown) == len(self.modules) else None
        return Table(
            title, COLUMNS, [one.to_record() for one in shown], totals, [*self._in_words(all_rows), METHOD_NOTE]
        )

    def _in_words(self, all_rows: bool) -> list[str]:
        """What was compared, if all is the same; else how many rows the table does not show."""
        if self.ok:
            total = self.totals()
            return [
                f"no difference in {plural(len(self.modules), 'module')}, {plural(total['layers'], 'layer')}: the "
                f"output shape of each, {plural(self.tensors, 'tensor')}, {plural(total['params'], 'param')}, "
                f"{plural(total['macs'], 'MAC')} forward and {total['backward_macs']:,} backward"
            ]
        same = len(self.modules) - len(self.differing)
        return [f"{plural(same, 'more module')} with no difference: --all-rows shows all"] * (not all_rows and same > 0)

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each module: ours beside torch's."""
        return [module.to_record() for module in self.modules]

    def to_csv(self) -> str:
        """Every module as CSV."""
        return self.table(all_rows=True).to_csv()

    def _warned(self) -> list[tuple[str, Iterable[Problem]]]:
        return [(self.target, self.warned)]

    def _fields(self) -> dict[str, Any]:
        modules = [
            {"name": one.name, "op": one.op, "layers": one.layers, "ours": one.ours, "torch": one.torchs}
            for one in self.modules
        ]
        return {**self.totals(), "ok": self.ok, "torch_version": torch.__version__, "modules": modules}

    def _summary(self) -> str:
        return f"{self.target}: {self.verdict}"


TEXTS = ("name", "op", "verdict")


def verify_own(net: Net, own: OwnModule) -> OwnVerification:
    """Compares our counts of an imported network with torch's of the module itself, which runs on the meta device.

    Raises ImportRefused if it does not run under torch's counter.
    """
    graph = net.graph()
    rows, origin = cost(graph).layers, graph.graph["origin"]
    ours, layers = _ours(rows, backward_macs_by_layer(graph), origin)
    module = own.source.module
    forward, backward = own_macs(own)
    params: Counter[str] = Counter()
    for path, tensor in module.named_parameters():
        params[plain(path).rpartition(".")[0]] += tensor.numel()
    torchs = dict(zip(METRICS, (params, forward, backward)))
    named = {*chain(*(+counts for counts in (layers, *torchs.values(), *ours.values())))}
    verified = [
        VerifiedModule(
            path or NETWORK,
            type(one).__name__,
            layers[path],
            *({m: counts[m][path] for m in METRICS} for counts in (ours, torchs)),
        )
        for path, one in modules_of(module).items()
        if path in named
    ]
    return OwnVerification(net.label, tuple(verified), len(origin.tensors), warnings_of(net))


def _ours(
    rows: Iterable[Row], backward: dict[str, int], origin: Origin
) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Our counts by the path of a module, and how many layers each runs; a param counts where it is held."""
    layers: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {metric: Counter() for metric in METRICS}
    held = {(layer, name): plain(path).rpartition(".")[0] for path, (layer, name) in origin.tensors.items()}
    for row in rows:
        path = origin.modules[row.name]
        layers[path] += not row.op.is_input
        found["macs"][path] += row.macs
        found["backward_macs"][path] += backward[str(row.name)] if not row.op.is_input else 0
        for tensor in row.op.weights(*row.input_shapes):
            if tensor.role != "buffer" and tensor.name not in row.shared:
                found["params"][held.get((row.name, tensor.name), path)] += prod(tensor.shape)
    return found, layers
