"""Makes the layers of a network from a Spec and a value for each knob: an int or Fraction, a symbol or an array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from costcalc import dims
from costcalc.errors import REPORTED, Problems
from costcalc.expressions import Expression
from costcalc.expressions.arithmetic import settings_hint
from costcalc.graph import LayerList, Outer, Repeat, add, count_layers, output_of
from costcalc.models.architecture import values_of
from costcalc.models.gc_pause import gc_paused
from costcalc.ops import OPS
from costcalc.spec.expansion import check_expansion
from costcalc.spec.limits import MAX_LAYERS
from costcalc.spec.op_factory import OpFactory
from costcalc.spec.references import References
from costcalc.spec.scope import BlockNamespace, LenientNamespace, Namespace, Scope, Source
from costcalc.spec.spec_tree import UNKNOWN, Block, Item, Spec, all_items, as_written, unique


def resolve(spec: Spec, settings: Mapping[str, Any], free: Iterable[str] = ()) -> dict[str, Any]:
    """A value for every knob: as set, a symbol if `free`, else its default; REPORTED for an invalid knob.

    Raises UnknownName, and UsageError for a value that a knob does not take.
    """
    known = {name: knob for name, knob in spec.knobs.items() if knob}
    reported = {name: REPORTED for name, knob in spec.knobs.items() if not knob}
    return {**values_of(spec.name, known, settings, free), **reported}


def bind(spec: Spec, values: Mapping[str, Any], *, max_layers: int = MAX_LAYERS) -> LayerList:
    """The layers of a spec for these values of its knobs. Raises SpecError with every problem found."""
    problems = Problems()
    graph = bind_valid_parts(spec, values, problems, max_layers=max_layers)
    problems.raise_any()
    return graph


def bind_valid_parts(
    spec: Spec, values: Mapping[str, Any], problems: Problems, *, max_layers: int = MAX_LAYERS, lenient: bool = False
) -> LayerList:
    """The layers without the invalid ones and without those that read these; adds to `problems`.

    An unknown name in an expression was reported before if there are problems already, or if `lenient`.
    """
    with gc_paused():
        defaults = {name: knob.default for name, knob in spec.knobs.items() if knob}
        namespace = LenientNamespace if lenient or len(problems) else Namespace
        return _Binder(spec, max_layers, problems).build(namespace(values, defaults))


def check_constants(spec: Spec, problems: Problems) -> None:
    """Adds the problems that hold for all knobs, also in layers that are switched off and in unused blocks."""
    factory, values = OpFactory(), LenientNamespace({}, {})
    for size in spec.sizes.values():
        problems.attempt(size.value, values)
    for item in all_items([*spec.items, *(item for block in spec.blocks.values() for item in block.items)]):
        if item.when is not None:
            problems.attempt(item.when.truth, values)
        if item.kind == "repeat" and "times" in item.fields:
            problems.attempt(factory.times, item.fields["times"], values)
        elif item.kind in OPS:
            problems.attempt(factory.op, item, values)


GIVEN = "given"  # in a repeat: the layer that a copy reads


class _Binder:
    """Puts the items of a spec into a LayerList. The output of an invalid item is REPORTED."""

    def __init__(self, spec: Spec, max_layers: int, problems: Problems):
        self.spec, self.max_layers = spec, max_layers
        self.problems, self.attempt = problems, problems.attempt
        self.factory, self.references = OpFactory(), References(spec, problems)
        self.frozen = False  # is what is put inside an item that is frozen?

    def build(self, values: Namespace) -> LayerList:
        spec, self.defaults = self.spec, values.defaults
        graph = LayerList(name=spec.name)
        check_expansion(spec, self.max_layers, self.problems)
        for name, size in spec.sizes.items():
            value = self.attempt(size.value, values)
            values[name] = REPORTED if value is None else value
        scope = Scope(graph, "", values, {})
        for name, axes in spec.inputs.items():
            scope.outputs[name] = scope.current = self.put_input(scope, name, axes)
        if len(spec.inputs) != 1:
            scope.current = None if spec.inputs else REPORTED
        end = self.put_all(scope, spec.items)
        graph.graph["outputs"] = [end, *scope.sides]
        graph.graph["assumed"] = (*self.factory.assumed.values(),)
        self.limit_layers(graph)
        if self.factory.valid is not True:
            graph.graph["valid"], graph.graph["invalid_because"] = self.factory.valid, self.factory.reason
        return graph

    def limit_layers(self, graph: LayerList) -> None:
        """Reports a network of too many layers; masks such points of an array."""
        total = sum(count_layers(graph))
        if dims.is_array(total):
            self.factory.require(dims.at_least(self.max_layers, total), total, lambda n: ": ".join(self.too_many(n)))
        elif not dims.is_symbolic(total) and total > self.max_layers:
            self.problems.add(self.spec.items[0].place, *self.too_many(total))

    def too_many(self, layers: int) -> tuple[str, str]:
        """The message for repeats of too many layers, and its hint."""
        size = f"{layers:,}" if layers < 10**15 else f"more than 10^{len(str(layers)) - 1}"
        return f"repeats make {size} layers; at most {self.max_layers:,}", "raise the limit with --max-layers"

    def put_input(self, scope: Scope, name: str, axes: Sequence[Expression]) -> Source:
        sizes = [self.attempt(self.factory.whole, axis, scope.values, name) for axis in axes]
        batch = scope.values["batch"]
        if batch is REPORTED or any(size is None for size in sizes):  # `in` would compare arrays
            return REPORTED
        op = self.attempt(OPS["input"], (batch, *sizes), place=axes[0].place if axes else None)
        return REPORTED if op is None else add(scope.graph, name, op)

    # --- lists of items ------------------------------------------------------------------------------------------

    def put_all(self, scope: Scope, items: Iterable[Item]) -> Source:
        """Puts items one after another; returns the last node."""
        scope.name_all(items)
        for item in items:
            self.put(scope, item)
        return scope.current or REPORTED

    def put(self, scope: Scope, item: Item) -> None:
        name, before = scope.name_of(item), scope.current
        is_on = item.when is None or self.attempt(item.when.truth, scope.values)
        if not is_on:
            if is_on is None:
                scope.current = scope.outputs[f"{scope.prefix}{name}"] = REPORTED
            return
        sources, around = self.references.sources(scope, item), self.frozen
        self.frozen = around or item.frozen
        if not name:  # the layers of a group without a name join the list around it
            scope.current = sources[0]
            for inner in _only_branch(item):
                self.put(scope, inner)
            self.frozen = around
            return
        full = f"{scope.prefix}{name}"
        if full in scope.outputs:
            self.problems.add(item.place, f"a second layer named {full!r}", "names in a list must differ")
            scope.current = self.put_one(scope, item, unique(full, item.place), sources)
            scope.outputs[full] = REPORTED  # ambiguous
        else:
            scope.outputs[full] = scope.current = self.put_one(scope, item, full, sources)
        self.frozen = around
        if item.kind == "side":
            scope.sides.append(scope.current)
            scope.current = before

    def put_one(self, scope: Scope, item: Item, full: str, sources: list[Source]) -> Source:
        """Puts an item that has a name; returns its last node."""
        if item.kind == UNKNOWN:
            return REPORTED
        if item.kind in self.spec.blocks:
            return self.put_block(scope, item, full, sources[0])
        if item.kind in ("group", "side"):
            return self.put_all(scope.inside(full, sources[0]), _only_branch(item))
        if item.kind == "repeat":
            return self.put_repeat(scope, item, full, sources[0])
        if item.branches is not None:
            sources = [self.put_branch(scope, branch, sources[0]) for branch in item.branches]
        return self.put_op(scope, item, full, sources)

    def put_branch(self, scope: Scope, branch: Iterable[Item], source: Source) -> Source:
        scope.current = source
        for item in branch:
            self.put(scope, item)
        return scope.current

    # --- ops, blocks, repeats ------------------------------------------------------------------------------------

    def put_op(self, scope: Scope, item: Item, full: str, sources: list[Source]) -> Source:
        op = self.attempt(self.factory.op, item, scope.values)
        extra: dict[str, Any] = {}
        if full != as_written(full):
            extra["label"] = as_written(full)
        if item.meant:
            extra["meant"] = True
        if self.frozen:
            extra["frozen"] = True
        if item.shares:
            extra["shares"] = self.references.owner(scope, item, full)
        if op is None or REPORTED in sources or extra.get("shares") == REPORTED:
            return REPORTED
        return self.put_node(scope, item, full, op, *sources, **extra)

    def put_node(self, scope: Scope, item: Item, full: str, op: Any, *sources: Source, **extra: Any) -> Source:
        """Adds a layer; reports one that is called like the input of a repeat."""
        put = partial(add, scope.graph, full, op, *sources, place=item.place, **extra)
        return self.attempt(put, place=item.place) or REPORTED

    def put_block(self, scope: Scope, item: Item, full: str, source: Source) -> Source:
        block = self.spec.blocks[item.kind]
        arguments = {name: self.argument(block, item, name, scope.values) for name in block.parameters}
        inner = scope.inside(full, source)
        inner.values = BlockNamespace(scope.values, arguments)
        return self.put_all(inner, block.items)

    def argument(self, block: Block, item: Item, name: str, values: Namespace) -> Any:
        given: Any = item.fields.get(name, block.parameters[name])
        value = self.attempt(given.value, values) if given else REPORTED  # only an invalid call lacks an argument
        return REPORTED if value is None else value

    def put_repeat(self, scope: Scope, item: Item, full: str, source: Source) -> Source:
        given = item.fields.get("times")
        times = self.attempt(self.factory.times, given, scope.values) if given else None  # reported
        body = LayerList()
        start = add(body, "input", OPS["input"]())
        inner = Scope(body, "", scope.values, {GIVEN: start}, enclosing=scope, current=start)
        end = self.put_all(inner, _only_branch(item))
        invalid = REPORTED in inner.outputs.values()
        if len(body) == 1 and not invalid:  # the input alone
            return REPORTED if times is None else source
        if times is None or invalid:
            return self.put_copy(inner, full, source)
        if not self.is_sound(inner, end, item):
            return self.put_copy(inner, full, source)
        if source == REPORTED:
            return REPORTED
        how = settings_hint([times], self.defaults)
        extra = {"set": how} if how else {}
        op = Repeat(body, times, (*inner.fixed.values(),))
        return self.put_node(scope, item, full, op, source, *inner.fixed, **extra)

    def is_sound(self, inner: Scope, end: Source, item: Item) -> bool:
        """Reports a body of a repeat that does not read what a copy is given, or whose output is not its last layer."""
        start = inner.outputs[GIVEN]
        if inner.fixed and not any(start in data["inputs"] for _, data in inner.graph.nodes(data=True)):
            hint = "each copy reads the one before it: from: given"
            self.problems.add(item.place, "no layer of the repeat reads what a copy is given", hint)
            return False
        last = self.attempt(output_of, inner.graph, place=item.place)
        if last not in (end, None):
            message = f"the repeat outputs {end!r}, but nothing reads {last!r}"
            self.problems.add(item.place, message, "a repeat has one output")
        return bool(last == end)

    def put_copy(self, body: Scope, full: str, source: Source) -> Source:
        """Puts the valid layers of an invalid repeat once, so that their shapes are checked; returns REPORTED."""
        renamed: dict[Any, Source] = {"input": source, **{name: node for node, name in body.fixed.items()}}
        graph = body.enclosing.graph if body.enclosing else body.graph
        for name, data in body.graph.nodes(data=True):
            inputs = [renamed[name] for name in data["inputs"]]
            if name in renamed or REPORTED in inputs:
                renamed.setdefault(name, REPORTED)
                continue
            more = {key: value for key, value in data.items() if key not in ("op", "inputs")}
            if "shares" in more:
                owner = more["shares"]
                more["shares"] = owner.from_outside() if owner.__class__ is Outer else renamed[owner]
            lost = data["op"].__class__ is Repeat and data["op"].outer  # its owners have other names here
            renamed[name] = REPORTED if lost or more.get("shares") == REPORTED else f"{full}.{name}"
            if renamed[name]:
                add(graph, renamed[name], data["op"], *inputs, **more)
        return REPORTED


def _only_branch(item: Item) -> tuple[Item, ...]:
    return item.branches[0] if item.branches else ()
