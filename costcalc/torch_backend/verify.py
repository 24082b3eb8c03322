"""Our counts beside torch's: tensors, shapes, multiplies forward and backward, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from costcalc.analysis.cost import cost
from costcalc.analysis.inplace import inplace_inputs
from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.analysis.training.backward import backward_macs_by_layer
from costcalc.analysis.walk import Row
from costcalc.analysis.warnings import warnings_of
from costcalc.dims import Shape
from costcalc.errors import Problem, TooLarge
from costcalc.net import Net, Target, load
from costcalc.result import Result
from costcalc.table import Batchless, Column, Table
from costcalc.text import plural
from costcalc.torch_backend.count import ObservedLayer, observe_layers
from costcalc.torch_backend.graph_module import build, example_inputs
from costcalc.torch_backend.own_module import own_module_of
from costcalc.torch_backend.verify_own import OwnVerification, verify_own

QUESTIONS = ("tensors", "output_shape", "macs", "backward_macs", "inplace")
METHOD_NOTE = (
    "torch: its own shapes and tensors on the meta device, and the multiplies that torch.utils.flop_counter sees, "
    "half its FLOPs (the backward pass of convolutions counted by groups, attention in its two products)"
)

INPLACE_NOTE = (
    "inplace: does the layer write over its input? costcalc reads that from its op, computed(inplace=…); in torch its "
    "module needs an attribute `inplace` that it obeys, see `costcalc help add-an-op`"
)


@dataclass(frozen=True)
class VerifiedLayer:
    """One layer, as our rules count it and as torch does. `shown` is our output shape as other tables show it."""

    name: str
    op: str
    ours: dict[str, Any]
    torchs: dict[str, Any]
    shown: Shape

    @property
    def differs_in(self) -> list[str]:
        """The questions on which the two do not agree."""
        return [question for question in QUESTIONS if self.ours[question] != self.torchs[question]]


@dataclass(frozen=True, eq=False, repr=False)
class Verification(Result):
    """All layers of one network; `params` are ours and the parameters of the module, each counted once."""

    target: str
    layers: tuple[VerifiedLayer, ...]
    params: tuple[int, int]
    warned: tuple[Problem, ...] = ()

    @property
    def differing(self) -> list[VerifiedLayer]:
        """Layers on which we and torch do not agree."""
        return [layer for layer in self.layers if layer.differs_in]

    @property
    def ok(self) -> bool:
        """Is there no difference?"""
        return not self.differing and self.params[0] == self.params[1]

    @property
    def verdict(self) -> str:
        """`same`, or where the first difference is."""
        if self.differing:
            first = self.differing[0]
            count = plural(len(self.differing), "layer differs", "layers differ")
            return f"{count}, first {first.name} in {', '.join(first.differs_in)}"
        return "same" if self.ok else "params differ"

    def totals(self) -> dict[str, Any]:
        """One line for the network: ours beside torch's."""
        line: dict[str, Any] = {"name": self.target, "layers": len(self.layers)}
        line |= {"tensors": sum(len(layer.ours["tensors"]) for layer in self.layers)}
        line |= {"params": self.params[0], "torch_params": self.params[1]}
        for metric in ("macs", "backward_macs"):
            line[metric] = sum(layer.ours[metric] for layer in self.layers)
            line[f"torch_{metric}"] = sum(layer.torchs[metric] for layer in self.layers)
        return {**line, "verdict": self.verdict}

    def table(self, all_rows: bool = False) -> Table:
        """The layers on which we and torch do not agree, or all of them: ours beside torch's."""
        title = f"{self.target}: costcalc beside torch {torch.__version__}"
        rows = [_record(layer) for layer in (self.layers if all_rows else self.differing)]
        totals = {**self.totals(), "name": "total", "tensors": None} if len(rows) == len(self.layers) else None
        return Table(title, LAYER_COLUMNS, rows, totals, [*self._in_words(all_rows), METHOD_NOTE])

    def _in_words(self, all_rows: bool) -> list[str]:
        """What was compared, if all is the same; else the differences that the table does not show."""
        if self.ok:
            return [_same("", [self.totals()])]
        ours, torchs = self.params
        params = [f"params differ: {ours:,}, and torch has {torchs:,}"] if ours != torchs else []
        inplace = [INPLACE_NOTE] if any("inplace" in layer.differs_in for layer in self.differing) else []
        same = len(self.layers) - len(self.differing)
        rest = [f"{plural(same, 'more layer')} with no difference: --all-rows shows all"] if same else []
        return params + inplace + ([] if all_rows else rest)

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each layer: ours beside torch's."""
        return [*map(_record, self.layers)]

    def to_csv(self) -> str:
        """Every layer as CSV."""
        return self.table(all_rows=True).to_csv()

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.target, self.warned)]

    def _fields(self) -> dict[str, Any]:
        layers = [
            {"name": layer.name, "op": layer.op, "ours": layer.ours, "torch": layer.torchs} for layer in self.layers
        ]
        return {**self.totals(), "ok": self.ok, "torch_version": torch.__version__, "layers": layers}

    def _summary(self) -> str:
        return f"{self.target}: {self.verdict}"


@dataclass(frozen=True, eq=False, repr=False)
class Verifications(Result):
    """Several networks beside torch, one line for each."""

    networks: tuple[Verification | OwnVerification, ...]

    @property
    def ok(self) -> bool:
        """Is there no difference?"""
        return all(verification.ok for verification in self.networks)

    def table(self, all_rows: bool = False) -> Table:
        """The networks in which there is a difference, or all of them."""
        same = [verification.totals() for verification in self.networks if verification.ok]
        rows = [one.totals() for one in self.networks if all_rows or not one.ok]
        words = [_same(f"{plural(len(same), 'network')}, ", same)] if same else []
        return Table(f"costcalc beside torch {torch.__version__}", TOTAL_COLUMNS, rows, notes=[*words, METHOD_NOTE])

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each network."""
        return [verification.totals() for verification in self.networks]

    def to_csv(self) -> str:
        """Every network as CSV."""
        return self.table(all_rows=True).to_csv()

    def _warned(self) -> list[tuple[str, Iterable[Problem]]]:
        return [pair for verification in self.networks for pair in verification._warned()]

    def _fields(self) -> dict[str, Any]:
        return {"networks": [verification._fields() for verification in self.networks]}

    def _summary(self) -> str:
        return f"{plural(len(self.networks), 'network')}, {sum(one.ok for one in self.networks)} the same as torch"


MAX_LAYERS = 20_000
LAYER_COLUMNS = (
    Column("name", "layer", "text"),
    Column("op", "op", "text", 3),
    Column("tensors", "tensors", "text", 6),
    Column("output_shape", "out", "shape", 4),
    Column("torch_output_shape", "torch's out", "shape", 5),
    Column("macs", "MACs"),
    Column("torch_macs", "torch's MACs"),
    Column("backward_macs", "backward", "int", 1),
    Column("torch_backward_macs", "torch's backward", "int", 1),
    Column("verdict", "verdict", "text"),
)
TOTAL_COLUMNS = (
    Column("name", "network", "text"),
    Column("layers", "layers", "int", 4),
    Column("tensors", "tensors", "int", 5),
    Column("params", "params"),
    Column("torch_params", "torch's params", "int", 2),
    Column("macs", "MACs"),
    Column("torch_macs", "torch's MACs", "int", 1),
    Column("backward_macs", "backward", "int", 1),
    Column("torch_backward_macs", "torch's backward", "int", 1),
    Column("verdict", "verdict", "text"),
)


def verify_nets(
    models: Sequence[Net], progress: Progress = no_progress
) -> Verification | OwnVerification | Verifications:
    """One network beside torch, or several. Raises as `verify_net`."""
    found: list[Verification | OwnVerification] = []
    for model in models:
        progress(len(found) / len(models), f"verifying {model.label}")
        found.append(verify_net(model))
    return found[0] if len(found) == 1 else Verifications(tuple(found))


def verify_net(target: Target) -> Verification | OwnVerification:
    """Builds a target of `load` on the meta device, runs it forward and backward there, and compares every layer. Of an
    imported network the module itself runs there, and every module is compared.

    Raises TooLarge for more than 20,000 layers, GraphError for sizes that are not numbers and ops without a module, and
    the errors of `cost`, such as ShapeError for shapes that do not fit.
    """
    net = load(target)
    net.require_numeric("verify")
    if (own := own_module_of(net)) is not None:
        return verify_own(net, own)
    graph = net.graph(unrolled=True)
    rows = cost(graph).layers
    if len(rows) > MAX_LAYERS:
        more = f"{len(rows):,} layers are more than the {MAX_LAYERS:,} that can be verified"
        raise TooLarge(f"{more}: torch lets go of a longer chain of gradients by recursion and runs out of stack")
    module = build(graph, device="meta")
    seen = observe_layers(module, *example_inputs(module, device="meta"))
    backward, overwritten, layouts = backward_macs_by_layer(graph), inplace_inputs(rows), OutputLayouts.of(rows)
    layers = [
        _layer(row, seen[row.name], layouts, backward_macs=backward[str(row.name)], inplace=row.name in overwritten)
        for row in rows
        if not row.op.is_input
    ]
    params = sum(row.params for row in rows), sum(parameter.numel() for parameter in module.parameters())
    return Verification(net.label, tuple(layers), params, warnings_of(net))


def _same(where: str, lines: Sequence[dict[str, Any]]) -> str:
    """A sentence that says what was compared, for networks that agree with torch."""
    total = {key: sum(line[key] for line in lines) for key in ("layers", "tensors", "params", "macs", "backward_macs")}
    return (
        f"no difference in {where}{plural(total['layers'], 'layer')}: the output shape of each, "
        f"{plural(total['tensors'], 'tensor')}, {plural(total['params'], 'param')}, "
        f"{plural(total['macs'], 'MAC')} forward and {total['backward_macs']:,} backward"
    )


def _layer(row: Row, seen: ObservedLayer, layouts: OutputLayouts, **counted: Any) -> VerifiedLayer:
    tensors = {tensor.name: tensor.shape for tensor in row.op.weights(*row.input_shapes)}
    ours = {"tensors": tensors, "output_shape": row.output_shape, "macs": row.macs, **counted}
    shown = layouts.shown(row.output_shape, row.name)
    return VerifiedLayer(str(row.name), row.op.name, ours, seen._asdict(), shown)


def _record(layer: VerifiedLayer) -> dict[str, Any]:
    """A row of the table. Output shapes that differ are shown whole, since they may differ in the batch."""
    shapes = layer.ours["output_shape"], layer.torchs["output_shape"]
    ours, seen = map(Batchless, shapes) if shapes[0] != shapes[1] else (layer.shown, layer.shown)
    torchs = {f"torch_{question}": layer.torchs[question] for question in QUESTIONS}
    shown = {"output_shape": ours, "torch_output_shape": seen}
    tensors = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in layer.ours["tensors"].items())
    verdict = f"differs in {', '.join(layer.differs_in)}" if layer.differs_in else "same"
    return {"name": layer.name, "op": layer.op, **layer.ours, **torchs, **shown, "tensors": tensors, "verdict": verdict}
