"""From how many copies of a repeated body on a closed form of a training step holds.

A closed form takes the first two copies and the last to differ from those between, so it is linear in the number of
copies from three on. Whether it holds for fewer is tried out with numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.analysis.metric import Metric
from costcalc.analysis.metric_values import LayerValues
from costcalc.dims import Size, is_rational, is_symbolic
from costcalc.dtype import Dtype
from costcalc.graph import Graph, LayerList, Repeat, nodes_of
from costcalc.ops.check_needs import assumptions
from costcalc.ops.needs import AtLeast, Need

FIRST_ON_THE_LINE = 3  # copies; 4 of a body with fixed inputs, whose gradients are added up from copy to copy


def step_assumptions(metric: Metric, symbolic: Graph, numeric: Graph, dtype: Dtype) -> list[Need]:
    """What the closed form of a metric assumes about the repeats of a graph of symbols; `numeric` is the same network
    at some values."""
    needs = []
    for path, op in _repeats(symbolic):
        if is_symbolic(op.times) and (
            low := _least_copies(metric, numeric, path, dtype, FIRST_ON_THE_LINE + bool(op.fixed))
        ):
            needs.append(AtLeast(op.times, low, message=f"{'.'.join(path)} stands {{}} times, fewer than {low}"))
    return assumptions(needs)


def _least_copies(metric: Metric, graph: Graph, path: tuple[Any, ...], dtype: Dtype, first: int) -> int:
    """The smallest number of copies from which on the metric grows by the same for each; from `first` on it does."""
    two = [_total(metric, _with_times(graph, path, first + i), dtype) for i in range(2)]
    last, slope = two[0], two[1] - two[0]
    for copies in range(first - 1, -1, -1):
        last = last - slope
        if _total(metric, _with_times(graph, path, copies), dtype) != last:
            return copies + 1
    return 0


def _total(metric: Metric, graph: Graph, dtype: Dtype) -> Size:
    ((_, pairs),) = LayerValues(graph, dtype).of(metric)
    return sum(layer.copies * size for layer, size in pairs)


def _repeats(graph: Graph, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Repeat]]:
    """All repeats, nested ones too, by the names on the way to them."""
    for name, data in nodes_of(graph):
        if data["op"].__class__ is Repeat:
            yield (*path, name), data["op"]
            yield from _repeats(data["op"].body, (*path, name))


def _with_times(graph: Graph, path: tuple[Any, ...], times: int) -> Graph:
    """A copy of a graph with so many copies of a repeat; at least one of those around it."""
    name, *inner = path
    copy = LayerList(**graph.graph) if graph.__class__ is LayerList else graph.copy()
    for node, data in nodes_of(graph):
        op = data["op"]
        if node == name:
            around = max(1, op.times) if is_rational(op.times) else 1
            body = _with_times(op.body, tuple(inner), times) if inner else op.body
            op = op.with_body(body, around if inner else times)
        copy.nodes[node] = {**data, "op": op}
    return copy
