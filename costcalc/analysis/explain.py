"""Each number as lectures write it: the rules are run on sizes that remember their factors (`dims.Shown`)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from costcalc.analysis.cost import cost_of
from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Shown
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Column, Table

COLUMNS = (
    Column("name", "layer", "text"),
    Column("metric", "what", "text"),
    Column("how", "how", "text", 1),
    Column("value", "=", "int"),
)
LABELS = {"params": "params", "macs": "MACs", "elementwise": "elementwise"}


def explain_net(net: Network, metrics: tuple[str, ...] = ("params", "macs", "elementwise")) -> Table:
    """A table with one row for each number of each layer that is not zero, and the sums."""
    cost = cost_of(net)
    rows = [row for layer in cost.layers for row in _explained(layer, metrics)]
    for metric in metrics:
        parts = [getattr(layer, metric) for layer in cost.layers if getattr(layer, metric)]
        how = " + ".join(f"{part:,}" for part in parts) if len(parts) <= 6 else f"sum of {len(parts)} layers"
        if parts:
            rows.append({"name": "total", "metric": LABELS[metric], "how": how, "value": sum(parts)})
    return Table(cost.title, COLUMNS, rows, notes=[CONVENTION, *cost.notes()])


def _explained(layer: Row, metrics: tuple[str, ...]) -> list[dict[str, Any]]:
    texts = {"params": params_text, "macs": _rule_text("macs"), "elementwise": _rule_text("elementwise")}
    found = []
    for metric in metrics:
        value = getattr(layer, metric)
        if value:
            how = texts[metric](layer)
            copies = f"{layer.times} × ({how})" if layer.times != 1 else how
            found.append({"name": str(layer.name), "metric": LABELS[metric], "how": copies, "value": value})
    return found


def params_text(layer: Row) -> str:
    """`5·5·192·32 + 32`: kernel, input channels, output channels; then the biases."""
    learned = [tensor for tensor in layer.op.weights(*layer.input_shapes) if tensor.role != "buffer"]
    return " + ".join("·".join(map(str, _as_lectures(tensor.shape))) for tensor in learned)


def _as_lectures(shape: Shape) -> Shape:
    # torch stores (out, in, kernel …)
    return (*shape[2:], *shape[1::-1])


def _rule_text(rule: str) -> Any:
    def text(layer: Row) -> str:
        op = replace(layer.op, **{f.name: _shown(getattr(layer.op, f.name)) for f in fields(layer.op)})
        ins = [_shown(shape) for shape in layer.input_shapes]
        count = getattr(op, rule)(*ins, out=_shown(layer.output_shape))
        if not isinstance(count, Shown):
            return f"{count}"
        whole = count.text
        return whole[1:-1] if len(count.groups) == 1 and len(count.groups[0]) == 1 and whole[0] == "(" else whole

    return text


def _shown(value: Any) -> Any:
    """Ints inside as `Shown`; words and flags stay."""
    if isinstance(value, tuple):
        return tuple(_shown(one) for one in value)
    return Shown(value) if isinstance(value, int) and not isinstance(value, bool) else value
