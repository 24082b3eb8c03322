"""The knobs of a written spec: those of the model that its layers can take as symbols, within the sizes that hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from costcalc.dims import MAX_SIZE, is_symbolic, size_symbol
from costcalc.errors import CostcalcError
from costcalc.exporters.size_text import plain
from costcalc.graph import Graph
from costcalc.models.knob import SMALLEST_REAL, Knob
from costcalc.models.model import Model
from costcalc.ops.needs import AtLeast, Divides

MULTIPLES = ("k", "m", "n")  # names of knobs that count steps


@dataclass(frozen=True)
class WrittenKnob:
    """A knob of a spec, and the size of the model that it sets: so many times its value."""

    knob: Knob
    size: str
    step: int = 1

    @property
    def entry(self) -> Any:
        """The knob as a spec has it."""
        knob = self.knob
        kept = {"default": plain(knob.default)}
        if knob.kind == "real":
            kept["kind"] = "real"
        usual = {"min": 1 if knob.kind == "integer" else SMALLEST_REAL, "max": MAX_SIZE}
        kept |= {key: plain(value) for key, value in (("min", knob.low), ("max", knob.high)) if value != usual[key]}
        kept |= {key: getattr(knob, key) for key in ("about", "letter") if getattr(knob, key)}
        return kept if len(kept) > 1 else kept["default"]


def with_knobs(model: Model) -> tuple[Graph, list[WrittenKnob]]:
    """The layers without repeats, with a symbol for each knob of sizes that can be one, and the knobs of the spec, at
    the model's values by default. A number of copies, and what an architecture takes no symbol for, are numbers."""
    known = {name: replace(knob, default=model.values[name]) for name, knob in model.knobs.items()}
    free = {name: size_symbol(name, real=knob.kind == "real") for name, knob in known.items() if knob.may_be_symbol}
    graph = _with_symbols(model, free)
    if graph is None:
        graph, all_free, free = model.layers(unrolled=True), free, {}
        for name, symbol in all_free.items():
            if (more := _with_symbols(model, {**free, name: symbol})) is not None:
                graph, free = more, {**free, name: symbol}
    limits = graph.graph.get("limits", ())
    taken, written = {*model.knobs}, list[WrittenKnob]()
    for name in free:
        written.append(_within(known[name], limits, taken))
        taken.add(written[-1].knob.name)
    return graph, written


def _with_symbols(model: Model, symbols: Mapping[str, Any]) -> Graph | None:
    """The layers, repeats written out, with symbols for these knobs; None if there are none, as for a symbol that is
    a number of copies, or if they do not hold for the model's own sizes."""
    try:
        graph = model.layers(symbols, unrolled=True)
    except CostcalcError:
        return None
    own = {name: model.values[name] for name in symbols}
    return graph if all(_holds_at(need, own) for need in graph.graph.get("limits", ())) else None


def _holds_at(need: Any, values: Mapping[str, Any]) -> bool:
    return need.holds(*(values[str(size)] if is_symbolic(size) else size for size in need.args)) is True


def _within(knob: Knob, limits: Any, taken: set[str]) -> WrittenKnob:
    """The knob within the limits of its layers. If they hold at multiples alone, the multiple is the knob."""
    low, high, step = knob.low, knob.high, 1
    for need in limits:
        first, second = need.args
        if isinstance(need, AtLeast) and str(first) == knob.name:
            low = max(low, second)
        elif isinstance(need, AtLeast) and str(second) == knob.name:
            high = min(high, first)
        elif isinstance(need, Divides) and str(second) == knob.name:
            step = first
    if step == 1:
        return WrittenKnob(replace(knob, low=low, high=high), knob.name)
    name = next((letter for letter in MULTIPLES if letter not in taken), f"{knob.name}_k")
    about = f"{knob.about or knob.name}, in steps of {step}"
    multiple = replace(
        knob, name=name, default=knob.default // step, low=-(-low // step), high=high // step, about=about
    )
    return WrittenKnob(multiple, knob.name, step)
