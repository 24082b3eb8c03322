"""The closed form of a cost: the rules walked with symbols for knobs, collected by block.

derive(costcalc.load("efficientnet"), "macs").lines()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

from sympy import Add, Symbol, sympify

from costcalc.analysis.closed_form.deadline import SECONDS, time_limit
from costcalc.analysis.closed_form.domain import find_domain
from costcalc.analysis.closed_form.formula import Formula, Term
from costcalc.analysis.closed_form.printers import Printer
from costcalc.analysis.closed_form.undecided import check_rows
from costcalc.analysis.metric import LEAVING
from costcalc.analysis.metric_names import metric_of, why_no_formula
from costcalc.analysis.metric_values import MetricValues
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.training.repeat_needs import step_assumptions
from costcalc.analysis.unrolled import repeat_assumptions
from costcalc.analysis.walk import Row, walk
from costcalc.dims import is_symbolic
from costcalc.dims.substitute import substitute
from costcalc.dtype import Dtype
from costcalc.graph import first_row
from costcalc.models.architecture import values_of
from costcalc.models.model import Model
from costcalc.ops.needs import Need
from costcalc.text import value_text


def derive(
    model: Model, metric: str = "macs", *, free: Iterable[str] | None = None, seconds: float = SECONDS
) -> Formula:
    """The closed form of a metric of a network.

    Its symbols are the numeric knobs that are not set, or those in `free`, set or not. Raises UnknownName for an
    unknown metric, UsageError for one without a closed form, CostcalcError for a formula that is too large or not done
    within the seconds.
    """
    metric_of(metric, unless=why_no_formula)
    return formula_of(model, metric, *walked(model, free, seconds))


def find_layers(
    model: Model, free: Iterable[str] | None = None, progress: Callable[[float, str], None] | None = None
) -> None:
    """Runs an imported network at as many sizes as its closed form needs, before a deadline for sympy starts."""
    settings = model.settings if free is None else model.values_but({*free})
    values = values_of(model.name, model.knobs, settings, model.knobs if free is None else free)
    with model.architecture.watched(progress) if progress is not None else nullcontext():
        model.kept_numbers(values)


def walked(model: Model, free: Iterable[str] | None = None, seconds: float = SECONDS) -> tuple[Any, list[Row]]:
    """The layer graph with symbols for knobs, and its rows: every closed form of a model is made from them.

    Raises UsageError for a knob whose value is a symbol already, unless it is in `free`.
    """
    model.require_numeric("what is set in a closed form", but={*free} if free else ())
    find_layers(model, free)
    with time_limit(seconds, too_large(model, seconds)) as deadline:
        if free is None:
            graph = model.layers(free=model.knobs)
        else:
            graph = model.with_only(model.values_but({*free}), model.label).layers(free=free)
        rows = []
        for row in walk(graph):
            rows.append(row)
            deadline.check()
    plain = partial(_plain, graph)
    return graph, [_with_sizes(row, plain) for row in rows] if graph.graph.get("multiples") else rows


def _plain(graph: Any, size: Any) -> Any:
    """A size with the symbols of knobs in place of those that are known to be multiples."""
    return size.xreplace(graph.graph["multiples"]) if is_symbolic(size) and graph.graph.get("multiples") else size


def _with_sizes(row: Row, change: Callable[[Any], Any]) -> Row:
    """A row with its sizes changed, and what is assumed about them."""
    return row._replace(
        input_shapes=tuple([tuple(map(change, shape)) for shape in row.input_shapes]),
        output_shape=tuple(map(change, row.output_shape)), times=change(row.times),
        costs={name: change(cost) for name, cost in row.costs.items()},
        assumed=tuple([need.with_sizes(change) for need in row.assumed]),
    )  # fmt: skip


def formula_of(model: Model, metric: str, graph: Any, rows: list[Row]) -> Formula:
    """The closed form of a metric from the graph and rows of `walked`."""
    limits = limits_of(metric, graph)
    rows = _with_needs(rows, [*limits, *_repeat_needs(model, metric, graph)])
    terms = tuple(_by_block(rows, row_values(metric, graph, rows, model.dtype)))
    values = graph.graph["knobs"]
    display_names = {name: knob.letter or name for name, knob in model.knobs.items()}
    knobs = {name: model.values[name] for name, value in values.items() if is_symbolic(value)}
    knobs |= dict.fromkeys(beyond_limits(knobs, limits))
    below = [n for n in model.size_knobs if n not in model.settings and not model.knobs[n].may_be_symbol]
    kept = {**dict.fromkeys(below, ", for a symbol is 1 or more"),
            **{name: f": {why}" for name, why in graph.graph.get("kept_numbers", {}).items()}}  # fmt: skip
    numbers = [f"{display_names[name]} = {value_text(values[name])}{why}" for name, why in kept.items()]
    return Formula(
        model, metric, terms, knobs, _spatial(rows), display_names, _names(model, values),
        domain_finder=lambda: find_domain(model, rows, knobs, graph.graph["assumed"], numbers, Printer(display_names)),
        checker=lambda values: check_rows(rows, values), found=graph.graph.get("found", ""),
    )  # fmt: skip


def beyond_limits(knobs: Mapping[str, Any], limits: Iterable[Need]) -> Iterator[str]:
    """The knobs whose values are beyond the limits in which the layers are known."""
    for need in limits:
        names = {symbol.name for _, sizes in need.claims for size in sizes for symbol in size.free_symbols}
        if need.with_sizes(lambda x: substitute(x, knobs) if is_symbolic(x) else x).truth is False:
            yield from names


def limits_of(metric: str, graph: Any) -> Sequence[Need]:
    """Where the layers are known, as far as a metric asks: a count of each layer asks less than one of all together."""
    of_all = METRICS[metric].layers or METRICS[metric].step
    limits: Sequence[Need] = graph.graph.get("limits", ())
    return limits if of_all else graph.graph.get("limits_of_counts", limits)


def _repeat_needs(model: Model, metric: str, graph: Any) -> Iterable[Need]:
    """The assumptions about repeats that only this metric needs."""
    if METRICS[metric].step:
        return step_assumptions(METRICS[metric], graph, model.bound, model.dtype)
    return repeat_assumptions(graph) if METRICS[metric].layers else ()


def _with_needs(rows: list[Row], needs: Sequence[Need]) -> list[Row]:
    """The rows, with further assumptions on the first."""
    return [rows[0]._replace(assumed=(*rows[0].assumed, *needs)), *rows[1:]] if needs and rows else rows


def too_large(model: Model, seconds: float) -> str:
    """The message that a formula is not done in time, with the knobs to set."""
    free = ", ".join(name for name in model.size_knobs if name not in model.settings)
    settings = f"set some of its knobs ({free}): --set knob=value" if free else "count it with `costcalc show`"
    return f"the closed form of {model.label} is too large: not done after {seconds:g} s; {settings}"


def row_values(metric: str, graph: Any, rows: Sequence[Row], dtype: Dtype) -> list[Any]:
    """A value for each row of `walked`; their sum is the metric of the model."""
    read = {source for row in rows for source in row.inputs} if METRICS[metric].together == LEAVING else set()
    value = MetricValues(rows, graph, dtype).of_row(metric)
    return [0 if row.name in read else _plain(graph, value(row)) for row in rows]


def _by_block(rows: Iterable[Row], values: Iterable[Any]) -> Iterable[Term]:
    blocks: dict[str, list[Any]] = {}
    for row, value in zip(rows, values):
        blocks.setdefault(first_row(row.name), []).append(value)
    for name, costs in blocks.items():
        yield Term(name, Add(*map(sympify, costs)))


def _spatial(rows: Iterable[Row]) -> frozenset[Symbol]:
    """The symbols of the image sizes: axes of the inputs after batch and channels."""
    axes = [size for row in rows if row.op.is_input for size in row.output_shape[2:] if is_symbolic(size)]
    return frozenset(symbol for size in axes for symbol in size.free_symbols)


def _names(model: Model, values: dict[str, Any]) -> dict[Any, str]:
    """The model's names for roundings: `c7` for round_to(192*w, 8)."""
    names: dict[Any, str] = {}
    for name, size in model.architecture.named_sizes(values).items():
        if is_symbolic(size) and size.is_Function:
            names.setdefault(size, name)
    return names
