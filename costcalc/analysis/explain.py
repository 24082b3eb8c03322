"""Each number as lectures write it, `5·5·192·32`: the rules run on sizes that remember their factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from costcalc.analysis.columns import metric_cell
from costcalc.analysis.cost import numeric_cost
from costcalc.analysis.images import image_names
from costcalc.analysis.op_answers import learned_tensors
from costcalc.analysis.walk import Row
from costcalc.dims import FactoredInt
from costcalc.graph import Graph
from costcalc.models.model import Model
from costcalc.result import TableResult
from costcalc.table import Column, Table

COLUMNS = (
    Column("name", "layer", "text"),
    Column("metric", "what", "text"),
    Column("how", "how", "text"),
    Column("value", "=", "int"),
)


def explain_model(model: Model | Graph, metrics: tuple[str, ...] = ("params", "macs", "elementwise")) -> TableResult:
    """One row for each number of each layer that is not zero, and the sums.

    Raises UsageError for sizes that are symbols or arrays.
    """
    cost = numeric_cost(model, "explain")
    images = image_names(cost.layers)
    rows = []
    for i, layer in enumerate(cost.layers):
        values = {metric: cost.value(metric, i) for metric in metrics}
        rows += _explained(layer, values, images)
    for metric in metrics:
        parts = [*filter(None, (cost.value(metric, i) for i in range(len(cost.layers))))]
        how = " + ".join(f"{part:,}" for part in parts) if len(parts) <= 6 else f"sum of {len(parts)} layers"
        if parts:
            rows.append({"name": "total", "metric": metric_cell(metric), "how": how, "value": sum(parts)})
    table = Table(cost.title or cost.target, COLUMNS, rows, notes=cost.notes())
    document = {"target": cost.target, "knobs": dict(cost.knobs), "rows": table.to_records()}
    return TableResult(table, document, ((cost.target, cost.warnings),))


def _explained(layer: Row, values: Mapping[str, int], images: set[str]) -> list[dict[str, Any]]:
    found = []
    for metric, value in values.items():
        if value:
            how = params_text(layer) if metric == "params" else _rule_text(metric, layer, images)
            copies = f"{layer.times} × ({how})" if layer.times != 1 else how
            found.append({"name": str(layer.name), "metric": metric_cell(metric), "how": copies, "value": value})
    return found


def params_text(layer: Row) -> str:
    """`5·5·192·32 + 32`: kernel, input channels, output channels; then the biases. Without shared tensors."""
    own = [tensor for tensor in learned_tensors(layer.op, layer.input_shapes) if tensor.name not in layer.shared]
    shapes = [(*shape[2:], *shape[1::-1]) for _, shape, _ in own]  # torch stores (out, in, kernel …)
    return " + ".join("·".join(map(str, shape)) for shape in shapes)


def _rule_text(rule: str, layer: Row, images: set[str]) -> str:
    op = replace(layer.op, **{f.name: _shown(getattr(layer.op, f.name)) for f in fields(layer.op)})
    ins = [_shown(shape, str(name) in images) for shape, name in zip(layer.input_shapes, layer.inputs, strict=True)]
    count = getattr(op, rule)(*ins, out=_shown(layer.output_shape, str(layer.name) in images))
    if not isinstance(count, FactoredInt):
        return f"{count}"
    whole = count.text
    return whole[1:-1] if len(count.groups) == 1 and len(count.groups[0]) == 1 and whole[0] == "(" else whole


def _shown(value: Any, image: bool = False) -> Any:
    """The value with each int in it as a `FactoredInt`."""
    if isinstance(value, tuple):
        return tuple(_shown(one, image) for one in value)
    return FactoredInt(value, image=image) if isinstance(value, int) and not isinstance(value, bool) else value
