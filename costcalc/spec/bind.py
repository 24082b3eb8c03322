"""A Spec and a value for each knob become a layer graph. Values may be numbers, letters or columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from costcalc import dims
from costcalc.errors import CostcalcError, Place, Problem, ShapeError, SpecError, unknown
from costcalc.graph import Graph, Repeat, add, count_layers, new_graph
from costcalc.ops import OPS, field_kinds
from costcalc.spec.expressions import Expression, shorten
from costcalc.spec.model import Block, Item, Spec

MAX_LAYERS = 100_000


def resolve(spec: Spec, settings: Mapping[str, Any], free: Iterable[str] = ()) -> dict[str, Any]:
    """A value for every knob: as set, a letter if `free`, else its default. Raises UnknownName."""
    from costcalc.errors import UnknownName

    for name in [*settings, *free]:
        if name not in spec.knobs:
            raise UnknownName(f"{spec.name}: {unknown('knob', name, spec.knobs)}")
    values = {name: knob.default for name, knob in spec.knobs.items()}
    for name, value in settings.items():
        is_number = not dims.is_letter(value) and not dims.is_column(value)
        values[name] = spec.knobs[name].check(value) if is_number else value
    for name in free:
        if name not in settings and spec.knobs[name].is_size:
            values[name] = dims.size_symbol(name, real=spec.knobs[name].kind == "real")
    return values


def bind(spec: Spec, values: Mapping[str, Any], *, max_layers: int = MAX_LAYERS) -> Graph:
    """The layer graph of a spec with these knobs. Raises SpecError with every problem found."""
    binder = _Binder(spec, max_layers)
    graph = binder.build(values)
    if binder.problems:
        raise SpecError(binder.problems)
    return graph


@dataclass
class _Scope:
    """Where layers are being put: the graph, the prefix of their names, and what is known there."""

    graph: Graph
    prefix: str
    names: Mapping[str, Any]
    ends: dict[str, str]  # layer, group or block by full name -> the node its output is
    outer: _Scope | None = None
    here: str | None = None  # the node the next layer reads
    taken: Counter[str] = field(default_factory=Counter)

    def find(self, path: str) -> str | None:
        """The node a `from` means: nearest scope first."""
        scope: _Scope | None = self
        while scope is not None:
            if f"{scope.prefix}{path}" in scope.ends:
                return scope.ends[f"{scope.prefix}{path}"]
            scope = scope.outer
        return None

    def known(self) -> list[str]:
        """Names a `from` could mean here, for hints."""
        return [name.removeprefix(self.prefix) for name in self.ends]


class _Binder:
    def __init__(self, spec: Spec, max_layers: int):
        self.spec, self.max_layers = spec, max_layers
        self.problems: list[Problem] = []
        self.assumed: dict[str, None] = {}
        self.interned: dict[Any, Any] = {}
        self.expanded = _expansions(spec)

    def build(self, values: Mapping[str, Any]) -> Graph:
        spec = self.spec
        graph = new_graph(name=spec.name, knobs=dict(values), assumed=self.assumed)
        names = self.sizes(values)
        scope = _Scope(graph, "", names, {})
        if self.expanded[""] > self.max_layers:
            place = spec.items[0].place if spec.items else None
            self.problems.append(Problem(place, f"its blocks expand to more than {self.max_layers:,} layers", "raise the limit with --max-layers"))  # fmt: skip
        if self.problems:
            return graph
        for name, axes in spec.inputs.items():
            size = self.attempt(lambda axes=axes: tuple(self.whole(axis, names, "input") for axis in axes))
            if size is not None:
                node = self.attempt(add, graph, name, OPS["input"]((values["batch"], *size)))
                if node is not None:
                    scope.ends[name] = scope.here = node
        if len(spec.inputs) > 1:
            scope.here = None
        if not self.problems:
            self.put_all(scope, spec.items)
        if not self.problems:
            self.check_size(graph, spec.items[0].place if spec.items else None)
        return graph

    def sizes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        names = dict(values)
        for name, expression in self.spec.sizes.items():
            value = self.attempt(expression.value, names)
            if value is not None:
                names[name] = value
            else:
                names[name] = 1
        return names

    def attempt(self, function: Any, *args: Any, place: Place | None = None) -> Any:
        """The function's value; None with its problems noted if it fails."""
        try:
            return function(*args)
        except SpecError as error:
            self.problems += error.problems
        except CostcalcError as error:
            self.problems.append(Problem(place, str(error)))
        return None

    def check_size(self, graph: Graph, place: Place | None) -> None:
        total = sum(count_layers(graph))
        if not dims.is_letter(total) and not dims.is_column(total) and total > self.max_layers:
            size = f"{total:,}" if total < 10**15 else f"more than 10^{len(str(total)) - 1}" if total < 10**400 else "endlessly many"  # fmt: skip
            self.problems.append(Problem(place, f"repeats make {size} layers; at most {self.max_layers:,}", "raise the limit with --max-layers"))  # fmt: skip

    # --- lists of items ------------------------------------------------------------------------------------------

    def put_all(self, scope: _Scope, items: Iterable[Item]) -> None:
        """Puts items one after another. Kinds that stand more than once among their names are numbered."""
        kinds = Counter(item.kind for item in _flat(items) if not item.name)
        for item in items:
            self.put(scope, item, kinds)

    def put(self, scope: _Scope, item: Item, kinds: Counter[str]) -> None:
        name = self.name_of(scope, item, kinds)
        if item.when is not None and not self.is_on(item.when, scope.names):
            _pass_over(scope, item, kinds)
            return
        before = scope.here
        sources = self.sources(scope, item)
        if sources is None:
            return
        if item.kind == "group" and not item.name:
            scope.here = sources[0]
            for inner in (item.branches or ((),))[0]:
                self.put(scope, inner, kinds)
            return
        full = f"{scope.prefix}{name}"
        if full in scope.ends:
            self.problems.append(Problem(item.place, f"a second layer named {full!r}", "names in a list must differ"))
            return
        end = self.put_one(scope, item, full, sources, kinds)
        if end is not None:
            scope.ends[full] = end
        scope.here = before if item.kind == "side" else end

    def name_of(self, scope: _Scope, item: Item, kinds: Counter[str]) -> str:
        if item.name or (item.kind == "group"):
            return item.name
        scope.taken[item.kind] += 1
        return f"{item.kind}{scope.taken[item.kind]}" if kinds[item.kind] > 1 else item.kind

    def is_on(self, when: Expression, names: Mapping[str, Any]) -> bool:
        value = self.attempt(when.value, names)
        if value is not None and not isinstance(value, bool):
            self.problems.append(Problem(when.place, f"when: {shorten(when.text)} is {value}, neither true nor false"))
        return value is True

    def sources(self, scope: _Scope, item: Item) -> list[str] | None:
        """The nodes an item reads, or None with the problem noted."""
        if item.sources is None:
            if scope.here is None and not self.problems:
                self.problems.append(Problem(item.place, "nothing stands before this layer", "say what it reads: from: …"))
            return None if scope.here is None else [scope.here]
        found = [scope.find(path) for path in item.sources]
        for path, node in zip(item.sources, found):
            if node is None and not self.problems:
                self.problems.append(Problem(item.places.get("from", item.place), unknown("layer", path, scope.known())))
        return None if None in found else found  # type: ignore[return-value]

    def put_one(self, scope: _Scope, item: Item, full: str, sources: list[str], kinds: Counter[str]) -> str | None:
        if item.kind in self.spec.blocks:
            return self.put_block(scope, item, full, sources[0])
        if item.kind in ("group", "side"):
            inner = _Scope(scope.graph, f"{full}.", scope.names, scope.ends, scope, sources[0])
            self.put_all(inner, (item.branches or ((),))[0])
            return inner.here
        if item.kind == "repeat":
            return self.put_repeat(scope, item, full, sources[0])
        if item.branches is not None:
            branches = []
            for branch in item.branches:
                scope.here = sources[0]
                for inner_item in branch:
                    self.put(scope, inner_item, kinds)
                branches.append(scope.here)
            if None in branches:
                return None
            sources = branches  # type: ignore[assignment]
        return self.put_op(scope, item, full, sources)

    # --- ops, blocks, repeats ------------------------------------------------------------------------------------

    def put_op(self, scope: _Scope, item: Item, full: str, sources: list[str]) -> str | None:
        op = self.attempt(self.make, item, scope.names, place=item.place)
        extra: dict[str, Any] = {"place": item.place}
        if item.shares:
            owner = scope.find(item.shares)
            if owner is None:
                self.problems.append(Problem(item.places.get("shares", item.place), unknown("layer", item.shares, scope.known())))
                return None
            extra["shares"] = owner
        if op is None:
            return None
        return self.attempt(lambda: add(scope.graph, full, op, *sources, **extra), place=item.place)

    def make(self, item: Item, names: Mapping[str, Any]) -> Any:
        """The op of an item, its fields evaluated; equal ops are one object."""
        kinds = field_kinds(OPS[item.kind])
        given = dict(item.fields)
        if item.positional is not None:
            given[next(iter(kinds))] = item.positional
        lacking = [name for name in _required(item.kind) if name not in given]
        if lacking:
            raise SpecError(Problem(item.place, f"{item.kind} needs {' and '.join(map(repr, lacking))}"))
        fields = {name: self.evaluate(value, names, f"{item.kind}: {name}", kinds[name].name) for name, value in given.items()}
        try:
            op = OPS[item.kind](**fields)
            return self.interned.setdefault(op, op)
        except ShapeError as error:
            raise SpecError(Problem(item.place, str(error))) from None
        except TypeError:  # columns have no hash
            return OPS[item.kind](**fields)

    def evaluate(self, value: Any, names: Mapping[str, Any], what: str, kind: str) -> Any:
        if isinstance(value, tuple):
            return tuple(self.evaluate(one, names, what, kind) for one in value)
        if kind in ("ratio", "flag", "word"):
            return value.value(names)
        return self.whole(value, names, what)

    def whole(self, expression: Expression, names: Mapping[str, Any], what: str) -> Any:
        """The value of a size: whole, or a word. A letter that cannot tell becomes an assumption."""
        value = expression.value(names)
        if value.__class__ is int or isinstance(value, str | bool):
            return value
        is_whole = dims.whole(value)
        if is_whole is None:
            self.assumed[f"{value} is a whole number"] = None
        elif is_whole is False:
            shown = shorten(expression.text)
            hint = f"{what} must come out whole: choose other knobs or round it"
            raise SpecError(Problem(expression.place, f"{shown} = {dims.size_text(value)} is not a whole number", hint))
        return value

    def put_block(self, scope: _Scope, item: Item, full: str, source: str) -> str | None:
        block = self.spec.blocks[item.kind]
        arguments = self.attempt(self.arguments, block, item, scope.names)
        if arguments is None:
            return None
        names = {**scope.names, **arguments}
        inner = _Scope(scope.graph, f"{full}.", names, scope.ends, scope, source)
        self.put_all(inner, block.items)
        return inner.here

    def arguments(self, block: Block, item: Item, names: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(item.fields)
        if item.positional is not None:
            given[next(iter(block.parameters))] = item.positional
        found = {}
        for name, default in block.parameters.items():
            value = given.get(name, default)
            if value is None:
                raise SpecError(Problem(item.place, f"{block.name} needs {name!r}"))
            if isinstance(value, tuple):
                raise SpecError(Problem(item.place, f"{block.name}: {name} takes one value, not a list"))
            found[name] = value.value(names)
        return found

    def put_repeat(self, scope: _Scope, item: Item, full: str, source: str) -> str | None:
        times = self.attempt(self.whole, item.fields["times"], scope.names, "times")
        body = new_graph()
        inner = _Scope(body, "", scope.names, {}, here=add(body, "input", OPS["input"]()))
        before = len(self.problems)
        self.put_all(inner, (item.branches or ((),))[0])
        if len(self.problems) > before or times is None:
            return None
        if len(body) == 1:
            return source
        op = self.attempt(Repeat, body, times, place=item.fields["times"].place)
        if op is None:
            return None
        return self.attempt(lambda: add(scope.graph, full, op, source, place=item.place), place=item.place)


def _required(kind: str) -> list[str]:
    from dataclasses import MISSING, fields

    return [f.name for f in fields(OPS[kind]) if f.default is MISSING]


def _flat(items: Iterable[Item]) -> Iterable[Item]:
    """Items that take their names from one list: nameless groups and branches stand where they are."""
    for item in items:
        if item.kind == "group" and not item.name:
            yield from _flat((item.branches or ((),))[0])
        else:
            yield item
            if item.branches is not None and item.kind in ("add", "mul", "concat"):
                for branch in item.branches:
                    yield from _flat(branch)


def _pass_over(scope: _Scope, item: Item, kinds: Counter[str]) -> None:
    """Numbers names as if the items had been put, so that a switch does not rename the layers after it."""
    if item.branches is not None and item.kind not in ("side", "repeat"):
        for inner in (one for branch in item.branches for one in branch):
            if not inner.name and inner.kind != "group":
                scope.taken[inner.kind] += 1
            if inner.kind in ("add", "mul", "concat") or (inner.kind == "group" and not inner.name):
                _pass_over(scope, inner, kinds)


def _expansions(spec: Spec) -> dict[str, int]:
    """How many items each block expands to, and "" the whole spec: counted, not built."""
    counts: dict[str, int] = {}

    def total(items: Iterable[Item]) -> int:
        inner = (sum(map(total, item.branches)) if item.branches else 0 for item in items)
        return sum(counts.get(item.kind, 1) + more for item, more in zip(items, inner))

    for block in spec.blocks.values():
        counts[block.name] = min(total(block.items), 10**18)
    counts[""] = total(spec.items)
    return counts
