"""The one loop: every layer once, in order, in whatever kind of size the graph holds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple

from costcalc.analysis.op_checks import ROLES, check_count, check_shape, check_tensors
from costcalc.analysis.validity_mask import ValidityMask
from costcalc.dims import (
    Shape,
    Size,
    SizedShape,
    at_first_point,
    elements,
    is_array,
    is_rational,
    is_symbolic,
    is_zero,
    one_number,
    one_truth,
    prod,
    same_shape,
)
from costcalc.errors import Place, PointsDiffer, Problem, ShapeError, unknown
from costcalc.graph import MAX_UNROLLED, Graph, Repeat, input_of, output_of, shared_by, topological_order
from costcalc.ops.axis_roles import FEATURES, POSITION, input_roles
from costcalc.ops.base import assumptions, needs_of, size_needs
from costcalc.ops.needs import Need, SameShape
from costcalc.text import plural


class Row(NamedTuple):
    """One layer and what each copy of it costs; a repeated one stands for `times` copies."""

    name: str
    op: Any
    inputs: tuple[Any, ...]  # names of rows; a repeat is read under that of the last layer of its body
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    times: Size
    costs: Mapping[str, Size]  # of one copy, by the names in COSTS
    assumed: tuple[Need, ...]  # what symbols could not decide
    place: Place | None = None  # in a spec
    meant: bool = False  # it gives no warning

    def total(self, cost: str) -> Size:
        """One of COSTS, of all copies together."""
        if cost not in self.costs:
            raise unknown("cost of a row", cost, self.costs)
        return self.times * self.costs[cost]

    @property
    def params(self) -> Size:
        """Learned scalars of all copies: weights, biases and normalisation."""
        return self.times * (self.costs["weight"] + self.costs["bias"] + self.costs["norm"])

    @property
    def macs(self) -> Size:
        """Multiply-accumulates of all copies."""
        return self.total("macs")


COSTS = (
    *ROLES.values(),
    "macs",
    "elementwise",
    "activations",
)  # scalars by role; multiplies; other work; elements written
Report = Callable[[Problem], None]
Answer = tuple[Shape, Mapping[str, Size], tuple[Need, ...]]
Scopes = tuple[tuple[Graph, dict[Any, Any]], ...]  # a graph and its shapes so far; then those of the graph around it
MAX_AXES = 64  # as many as numpy has
MAX_AXIS = 2**62  # far beyond any memory; a repeated doubling would fill pages with digits
MAX_KEPT = 2**14  # numbers of a column that each layer keeps for those that read it


def walk(graph: Graph, report: Report | None = None) -> Iterator[Row]:
    """The rows of a layer graph. The first layer that cannot be raises; with `report` all are reported, and those
    that depend on them passed over."""
    if "valid" in getattr(graph, "graph", ()):
        raise ShapeError(graph.graph["invalid_because"])
    return _Walk(report).rows(((graph, {}),), {}, "", 1)


def symbols_of(rows: Iterable[Row]) -> list[str]:
    """The symbols in shapes and costs, by name."""
    found: set[str] = set()
    for row in rows:
        sizes = (*row.output_shape, row.times, *row.costs.values())
        found.update(str(symbol) for size in sizes if is_symbolic(size) for symbol in size.free_symbols)
    return sorted(found)


def walk_masked(graph: Graph, mask: ValidityMask) -> Iterator[Row]:
    """The rows of a layer graph on columns. Points that cannot be are masked; what stands at them means nothing."""
    return _Walk(None, mask).rows(((graph, {}),), {}, "", 1)


class TimesUndecided(ShapeError):
    """A symbol says how often a body stands that changes its shape."""


class _Walk:
    """What the loop remembers: answers given before to the same op and shapes."""

    def __init__(self, report: Report | None, mask: ValidityMask | None = None):
        self.report, self.mask = report, mask
        self.check = mask.check if mask else assumptions
        self.answers: dict[Any, Answer] = {}
        self.placed: list[ShapeError] = []  # errors with the layer's name and place in them
        self.changes: set[Any] = set()  # bodies of repeats that turn these shapes into others

    def rows(self, scopes: Scopes, written: dict[Any, Any], prefix: str, times: Size) -> Iterator[Row]:
        """Rows of the first graph; its shapes start with those of its inputs, if given, and learn the rest. The other
        graphs are those around it. A name gets the prefix, but for the input of a body and for repeats: `written` says
        which row writes what these put out."""
        graph, shapes = scopes[0]
        for name, data in topological_order(graph):
            op, inputs = data["op"], data["inputs"]
            if not inputs and name in shapes:  # the input of a repeated body
                continue
            ins = tuple([shapes[source] for source in inputs])
            shapes[name] = None
            if None in ins:
                continue
            try:
                if op.__class__ is Repeat:
                    (source,) = _full_names(inputs, written, prefix)
                    found = yield from self.repeat(op, ins, source, f"{prefix}{name}", times, scopes)
                    shapes[name], written[name] = found
                    continue
                out, costs, assumed = self.ask(op, ins)
                if "shares" in data:
                    (around, known), owner = shared_by(f"{prefix}{name}", data["shares"], scopes)
                    if known[owner] is None:  # reported already
                        continue
                    of = around.nodes[owner]
                    owner_ins = [known[source] for source in of["inputs"]]
                    roles, same = _not_shared(op, ins, of["op"], owner_ins, self.check)
                    assumed += tuple(same)
                    costs = {**costs, **roles}
            except ShapeError as error:
                if error in self.placed or isinstance(error, PointsDiffer):  # it is said where, or no fault
                    raise
                hint = _channels_come_first(graph, op, inputs, ins)
                self.refuse(error, op, data, f"{prefix}{data.get('label', name)}", hint)
                continue
            shapes[name] = out
            if prefix or not written.keys().isdisjoint(inputs):
                name, inputs = f"{prefix}{name}" if prefix else name, _full_names(inputs, written, prefix)
            about = data.get("place"), data.get("meant", False)
            yield Row._make((name, op, inputs, ins, out, times, costs, assumed, *about))

    def ask(self, op: Any, ins: tuple[Shape, ...]) -> Answer:
        """The output shape of an op on these inputs, the costs of a Row, and what it had to assume."""
        key = (op.__class__, *op.__dict__.values(), ins)  # as the op itself would be, in a third of the time
        try:
            return self.answers[key]
        except KeyError:
            known = self.answers[key] = _answer(op, ins, self.check)
            return known
        except TypeError:  # columns have no hash
            return _answer(op, ins, self.check)

    def repeat(
        self, op: Repeat, ins: tuple[Shape, ...], source: Any, name: str, times: Size, scopes: Scopes
    ) -> Generator[Row, None, Any]:
        """Rows of the body for all its copies at once if it keeps its shape, else copy by copy. Returns the shape, and
        the name of the row that writes it: that of no copies is the repeat's input."""
        (x,) = ins
        if is_zero(op.times) is True:
            return x, source
        entry, end = input_of(op.body), output_of(op.body)
        if self.is_known_to_change(op, x):
            copies = _number_of_copies(op.times, False, x, x)
        else:
            shapes, written = {entry: x}, {entry: source}
            inside = ((op.body, shapes), *scopes)
            try:
                with self.mask.inside_repeat(op.times) if self.mask else nullcontext():
                    rows = list(self.rows(inside, written, f"{name}.", times * op.times))
            except ShapeError:
                if _stands_nowhere(op.times):
                    return x, source
                raise
            out = shapes[end]
            kept = out is None or same_shape(out, x)
            if kept is True or (is_array(kept) and kept.all()):
                yield from _with_times(rows, op.times, name)
                return out, *_full_names((end,), written, f"{name}.")
            copies = _number_of_copies(op.times, kept, x, out)
            with suppress(TypeError):  # columns have no hash
                self.changes.add((id(op), x))
        for i in range(copies):
            shapes, written = {entry: x}, {entry: source}
            yield from self.rows(((op.body, shapes), *scopes), written, f"{name}.{i}.", times)
            x, (source,) = shapes[end], _full_names((end,), written, f"{name}.{i}.")
            if x is None:
                break
        return x, source

    def is_known_to_change(self, op: Repeat, x: Shape) -> bool:
        """Was the body tried on this shape before, and changed it? Repeats in repeats would try again and again."""
        try:
            return (id(op), x) in self.changes
        except TypeError:  # columns have no hash
            return False

    def refuse(self, error: ShapeError, op: Any, data: dict[str, Any], label: str, hint: str) -> None:
        """Raises the error with the layer's name and place, or reports it."""
        how = f", as in {data['set']}" if "set" in data and isinstance(error, TimesUndecided) else ""
        problem = Problem(data.get("place"), f"layer {label!r} ({op.name}): {error}{how}", hint)
        if self.report is None:
            self.placed.append(ShapeError(str(problem)))
            raise self.placed[-1] from None
        self.report(problem)


def _channels_come_first(graph: Graph, op: Any, inputs: Sequence[Any], ins: tuple[Shape, ...]) -> str:
    """What to do about an input with its channels last, where a layer that takes axis 1 for them cannot be."""
    if len(ins) != 1 or graph.nodes[inputs[0]]["inputs"] or getattr(op, "features_axis", None) != 1:
        return ""
    (x,) = at_first_point(ins)
    if input_roles(x)[1:] != (POSITION, POSITION, FEATURES):
        return ""
    return f"channels come first: write `input: [{x[3]}, {x[1]}, {x[2]}]`"


def _full_names(names: Iterable[Any], written: dict[Any, Any], prefix: str) -> tuple[Any, ...]:
    """The rows that write what a graph knows under these names."""
    return tuple([written.get(n, f"{prefix}{n}" if prefix else n) for n in names])


def _stands_nowhere(times: Size) -> bool:
    """Does an invalid body stand in no copy? Raises PointsDiffer if that differs between points."""
    none = times == 0 if is_array(times) else False
    truth = one_truth(none)
    if truth is None:
        raise PointsDiffer(none, "repeats a body that cannot be at some points of a column")
    return truth


def _number_of_copies(times: Size, kept: Any, x: Shape, out: Shape) -> int:
    """How many copies to walk one by one. Raises PointsDiffer if that differs, ShapeError for a letter or too many."""
    copies = one_number(times)
    if copies is None:
        key = kept if one_truth(kept) is None else times.num
        raise PointsDiffer(key, "times of a body that changes its shape differ between points of a column")
    if not is_rational(copies):
        raise TimesUndecided(f"repeats {times} times a body that turns {x} into {out}; give times as a number")
    if copies > MAX_UNROLLED:
        x, out = at_first_point((x, out))
        raise ShapeError(f"repeats a body that turns {x} into {out}: at most {MAX_UNROLLED:,} times")
    return int(copies)


def _with_times(rows: list[Row], times: Size, name: str) -> list[Row]:
    """The rows of a repeat; the first says what is open about its times."""
    if not rows or not is_symbolic(times):
        return rows
    open_ = assumptions(size_needs(f"the times of {name!r}", times, 0))
    return [rows[0]._replace(assumed=(*rows[0].assumed, *open_)), *rows[1:]]


def _answer(op: Any, ins: tuple[Shape, ...], check: Any) -> Answer:
    if (op.arity is not None and len(ins) != op.arity) or (op.arity is None and not ins):
        wanted = "at least one input" if op.arity is None else plural(op.arity, "input")
        raise ShapeError(f"takes {wanted}, got {len(ins)}")
    assumed = check(needs_of(op, ins))
    out = check_shape(op, op.shape(*ins))
    if len(out) > MAX_AXES:
        raise ShapeError(f"makes a tensor of {len(out)} axes; at most {MAX_AXES}")
    written = elements(out)
    if not (is_rational(written) and written <= MAX_AXIS):
        for size in out:
            if is_rational(size) and size > MAX_AXIS:
                raise ShapeError(f"makes an axis of more than 2^{MAX_AXIS.bit_length() - 1} elements")
    counted = out if is_rational(written) else SizedShape.of(out, written)
    macs = check_count(op, "macs", op.macs(*ins, out=counted))
    elementwise = check_count(op, "elementwise", op.elementwise(*ins, out=counted))
    costs = _roles(check_tensors(op, op.weights(*ins)))
    costs |= {"macs": macs, "elementwise": elementwise, "activations": 0 if op.output.view else written}
    return counted if getattr(written, "size", 0) <= MAX_KEPT else out, costs, tuple(assumed)


def _roles(found: Any) -> dict[str, Size]:
    counts: dict[str, Size] = dict.fromkeys(ROLES.values(), 0)
    for _, shape, role in found:
        counts[ROLES[role]] += prod(shape)
    return counts


def _not_shared(op: Any, ins: tuple[Shape, ...], owner: Any, owner_ins: list[Shape], check: Any) -> Any:
    """Params by role of a layer that uses another's tensors, and what letters left open: tensors of the same name are
    the owner's and count there."""
    owned = {tensor.name: tensor.shape for tensor in owner.weights(*owner_ins)}
    needed = [*op.weights(*ins)]
    own = [tensor for tensor in needed if tensor.name not in owned]
    if len(own) == len(needed):
        raise ShapeError(f"shares no weights with a {owner.name}")
    shared = [(tensor.name, owned[tensor.name], tensor.shape) for tensor in needed if tensor.name in owned]
    words = "shares {} of shape {}, but needs {}"
    assumed = check(
        SameShape(theirs, ours, message=words, message_sizes=(n, theirs, ours)) for n, theirs, ours in shared
    )
    return _roles(own), assumed
