"""A reader's own layer graph as an architecture: the symbols in its sizes are knobs.

graph = new_graph(name="mine")
r = size_symbol("r")
add(graph, "image", Input([1, 3, r, r]))
GraphArchitecture(graph, knobs_for(graph, {"r": 224})).layers({"r": 160})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cached_property
from typing import Any

from costcalc.dims import MAX_SIZE, clip, is_rational, is_symbolic, to_exact
from costcalc.errors import PointsDiffer, ShapeError, UsageError, did_you_mean
from costcalc.graph import Graph, Repeat, nodes_of
from costcalc.models.architecture import Architecture, image_knobs_of
from costcalc.models.content_hash import content_hash
from costcalc.models.knob import EMPTY, SMALLEST_REAL, Knob
from costcalc.ops.base import own_ops

KNOB_FIELDS = ("default", "kind", "low", "high", "about", "letter")


class GraphArchitecture(Architecture):
    """The networks of a layer graph with symbols. Symbols without a knob stay; most analyses refuse them."""

    kind = "layer graph"
    without_knobs = "got a layer graph. Wrap it: costcalc.model(graph, knobs=…)"

    def __init__(self, graph: Graph, knobs: Mapping[str, Knob] = EMPTY, **about: str):
        nodes_of(graph)  # raises GraphError for another object
        self.base, self.knobs = graph, knobs
        self.name = about.get("name") or str(graph.graph.get("name") or "graph")
        self.title, self.source, self.about = (about.get(key) or "" for key in ("title", "source", "about"))

    def layers(self, values: Mapping[str, Any]) -> Graph:
        """The layer graph with these values in place of its symbols, exactly.

        Raises ShapeError, which names the layer, for an invalid size; PointsDiffer if some points make it invalid.
        """
        return _substituted(self.base, values, {}, assumed=()) if self.knobs else self.base

    @cached_property
    def identity(self) -> str:
        """Equal for graphs with equal layers, names and order."""
        return content_hash([*described(self.base), self.knobs])

    @cached_property
    def unset(self) -> tuple[str, ...]:
        """Symbols in its sizes that no knob sets."""
        return tuple(sorted({symbol.name for _, symbol in symbols_of(self.base)}.difference(self.knobs)))

    @property
    def own_ops(self) -> tuple[type[Any], ...]:
        """The reader's own ops among its layers, also in bodies of repeats."""
        return own_ops(op.name for op in _ops_of(self.base))

    @property
    def image_knobs(self) -> dict[str, int]:
        """Knobs that are every axis of an input after batch and channels."""
        inputs = (data["op"] for _, data in nodes_of(self.base) if getattr(data["op"], "is_input", False))
        return image_knobs_of(([*map(str, op.size[2:])] for op in inputs), self.knobs)


def knobs_for(graph: Graph, given: Mapping[str, Any]) -> dict[str, Knob]:
    """A knob for each symbol in the sizes of a graph: given as a value, a dict of its fields, or a Knob.

    Raises UsageError for a symbol without a knob, a knob without a symbol, and a value that is not a size.
    """
    where: dict[str, tuple[Any, bool]] = {}  # the first layer with each symbol, and is the symbol an integer?
    for layer, symbol in symbols_of(graph):
        first, whole = where.get(symbol.name, (layer, False))
        where[symbol.name] = first, whole or bool(symbol.is_integer)
    label = str(graph.graph.get("name") or "graph")
    for name, (layer, _) in where.items():
        if name not in given:
            hint = f"give it a value: knobs={{{name!r}: …}}"
            raise UsageError(f"layer {layer!r} of {label!r} has the symbol {name!r}, and there is no such knob; {hint}")
    for name in given:
        if name not in where:
            known = f"its symbols: {', '.join(where)}" if where else "it has no symbols"
            near = did_you_mean(str(name), where, listed=False)
            hint = near or f"{known}; write costcalc.size_symbol({name!r}) for a size"
            raise UsageError(f"the knob {name!r} is in no size of {label!r}", hint)
    return {name: _knob(name, value, where[name][1]) for name, value in given.items()}


def _knob(name: str, given: Any, whole: bool) -> Knob:
    """A knob; `whole` if its symbol is an integer."""
    if isinstance(given, Knob):
        knob = replace(given, name=name)
    else:
        said = dict(given) if isinstance(given, Mapping) else {"default": given}
        for key in said:
            if key not in KNOB_FIELDS:
                raise UsageError(f"knob {name!r} has no field {key!r}; {did_you_mean(str(key), KNOB_FIELDS)}")
        if "default" not in said:
            raise UsageError(f"knob {name!r} needs a default: {{'default': 224, 'about': 'image size in pixels'}}")
        knob = _from_fields(name, said)
    if not knob.is_size:
        raise UsageError(f"knob {name!r} is a {knob.kind}, and the symbol of a layer graph stands for a number")
    if whole and knob.kind == "real":
        hint = f"write costcalc.size_symbol({name!r}, real=True) in the graph"
        raise UsageError(f"knob {name!r} is {clip(knob.default)}, and its symbol is a whole number; {hint}")
    knob.check(knob.default)
    return knob


def _from_fields(name: str, said: dict[str, Any]) -> Knob:
    """Without a kind, an int as default makes an integer knob, a float or Fraction a real one."""
    default = to_exact(said["default"])
    if isinstance(default, bool) or not is_rational(default):
        raise UsageError(f"knob {name!r} is {clip(default)}; give it a number, as in knobs={{{name!r}: 224}}")
    kind = said.get("kind", "integer" if isinstance(said["default"], int) else "real")
    if kind not in ("integer", "real"):
        raise UsageError(f"knob {name!r} has the kind {kind!r}; one of a layer graph is integer or real")
    low, high = (
        to_exact(said.get("low", 1 if kind == "integer" else SMALLEST_REAL)),
        to_exact(said.get("high", MAX_SIZE)),
    )
    return Knob(name, default, kind, low, high, (), str(said.get("about", "")), str(said.get("letter", "")))


def _ops_of(graph: Graph) -> Iterator[Any]:
    """The ops of all layers, in bodies of repeats too."""
    for _, data in nodes_of(graph):
        yield from _ops_of(data["op"].body) if isinstance(data["op"], Repeat) else [data["op"]]


def symbols_of(graph: Graph) -> Iterator[tuple[Any, Any]]:
    """Pairs of a layer and a symbol in the fields of its op; of a repeat also in its times and body."""
    for name, data in nodes_of(graph):
        op = data.get("op")
        if isinstance(op, Repeat):
            yield from ((name, symbol) for symbol in getattr(op.times, "free_symbols", ()))
            yield from ((f"{name}.{inner}", symbol) for inner, symbol in symbols_of(op.body))
        else:
            sizes = (size for value in getattr(op, "__dict__", {}).values() for size in _leaves(value))
            yield from ((name, symbol) for size in sizes if is_symbolic(size) for symbol in size.free_symbols)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _substituted(graph: Graph, values: Mapping[str, Any], known: dict[Any, Any], **about: Any) -> Graph:
    filled = graph.copy()
    filled.graph.update(about)
    for name, data in nodes_of(filled):
        try:
            data["op"] = _op(data.get("op"), values, known)
        except PointsDiffer:
            raise
        except ShapeError as error:
            raise ShapeError(f"layer {name!r}: {error}") from None
    return filled


def _op(op: Any, values: Mapping[str, Any], known: dict[Any, Any]) -> Any:
    if isinstance(op, Repeat):
        return op.with_body(_substituted(op.body, values, known), _size(op.times, values, known))
    given = getattr(op, "__dict__", {})
    if not any(is_symbolic(size) for value in given.values() for size in _leaves(value)):
        return op
    return type(op)(**{field.name: _size(given[field.name], values, known) for field in fields(op)})


def _size(value: Any, values: Mapping[str, Any], known: dict[Any, Any]) -> Any:
    if isinstance(value, tuple):
        return tuple(_size(part, values, known) for part in value)
    if not is_symbolic(value):
        return value
    from costcalc.dims.substitute import substitute

    return substitute(value, values, known)


def described(graph: Graph) -> Iterator[Any]:
    """Every layer for the hash: its name, its op with all fields, its inputs, and the owner of shared weights."""
    for name, data in nodes_of(graph):
        op = data.get("op")
        fields = [str(op.times), str(op.fixed), [*described(op.body)]] if isinstance(op, Repeat) else repr(op)
        yield [str(name), type(op).__name__, fields, str(data.get("inputs")), str(data.get("shares", ""))]
