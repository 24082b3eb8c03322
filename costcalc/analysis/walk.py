"""The one loop: every layer once, in order, in whatever kind of size the graph holds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple

from costcalc.analysis.op_answers import Answer, answer, own_tensors
from costcalc.analysis.validity_mask import ValidityMask
from costcalc.dims import (
    Shape,
    Size,
    at_first_point,
    is_array,
    is_rational,
    is_symbolic,
    is_zero,
    one_number,
    one_truth,
    same_shape,
)
from costcalc.errors import Place, PointsDiffer, Problem, ShapeError, UsageError, unknown
from costcalc.graph import MAX_UNROLLED, Graph, Repeat, output_of, shared_by, topological_order
from costcalc.ops.axis_roles import FEATURES, POSITION, input_roles
from costcalc.ops.check_needs import assumptions, size_needs
from costcalc.ops.needs import AtLeast, Need


class Row(NamedTuple):
    """One layer and what each copy of it costs; a repeated one stands for `times` copies."""

    name: str
    op: Any
    inputs: tuple[Any, ...]  # names of rows; the last layer of a repeat's body stands for the repeat
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    times: Size
    costs: Mapping[str, Size]  # of one copy: macs, elementwise, activations, and scalars by role
    assumed: tuple[Need, ...]  # what symbols leave undecided
    place: Place | None = None  # in a spec
    meant: bool = False  # it gives no warning
    shared: tuple[str, ...] = ()  # names of its tensors that belong to another layer and count there
    is_output: bool = False  # does the network say that it returns it?

    def total(self, cost: str) -> Size:
        """One of the costs, of all copies together. Raises UnknownName."""
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


Report = Callable[[Problem], None]
Fixed = tuple[Sequence[Shape], Sequence[Any]]  # shapes of inputs that all copies have alike, and rows that write them
Scopes = tuple[tuple[Graph, dict[Any, Any]], ...]  # a graph and its shapes so far; then those of the graph around it


def walk(graph: Graph, report: Report | None = None) -> Iterator[Row]:
    """The rows of a layer graph. Raises ShapeError for the first invalid layer; with `report`, reports every invalid
    layer instead and skips the layers that depend on one."""
    if "valid" in getattr(graph, "graph", ()):
        raise ShapeError(graph.graph["invalid_because"])
    return _Walk(report).rows(((graph, {}),), {}, "", 1)


def walk_masked(graph: Graph, mask: ValidityMask) -> Iterator[Row]:
    """The rows of a layer graph whose sizes are arrays. Masks invalid points; costs at them are meaningless."""
    return _Walk(None, mask).rows(((graph, {}),), {}, "", 1)


def symbolic_sizes_error(what: str, rows: Iterable[Row]) -> UsageError:
    """The error for something that only numbers have, of rows with symbols or arrays."""
    sizes = (size for row in rows for size in (*row.output_shape, row.times, *row.costs.values()))
    names = sorted({str(symbol) for size in sizes if is_symbolic(size) for symbol in size.free_symbols})
    hint = f"set {', '.join(names)}" if names else "make a graph of each point"
    return UsageError(f"{what} needs numeric sizes; {hint}")


class TimesUndecided(ShapeError):
    """A symbol says how often a body is repeated that changes its shape."""


class _Walk:
    """Remembers the answers of each op on the same shapes."""

    def __init__(self, report: Report | None, mask: ValidityMask | None = None):
        self.report, self.mask = report, mask
        self.check = mask.check if mask else assumptions
        self.answers: dict[Any, Answer] = {}
        self.placed: list[ShapeError] = []  # errors with the layer's name and place in them
        self.changes: set[Any] = set()  # (body, shapes) for bodies of repeats that change this shape

    def rows(self, scopes: Scopes, written: dict[Any, Any], prefix: str, times: Size) -> Iterator[Row]:
        """Rows of the first graph, whose shapes may start with that of its input; the other graphs are those around it.

        `written` maps the input of a body, and repeats, to the rows that write them; other names get the prefix.
        """
        graph, shapes = scopes[0]
        for name, data in topological_order(graph):
            op, inputs = data["op"], data["inputs"]
            if not inputs and name in shapes:  # the input of a repeated body
                continue
            ins = tuple([shapes[source] for source in inputs])
            shapes[name] = None
            if None in ins:
                continue
            shared: tuple[str, ...] = ()
            try:
                if op.__class__ is Repeat:
                    sources = _full_names(inputs, written, prefix)
                    found = yield from self.repeat(op, ins, sources, f"{prefix}{name}", times, scopes)
                    shapes[name], written[name] = found
                    continue
                out, costs, assumed = self.ask(op, ins)
                if "shares" in data:
                    (around, known), owner = shared_by(f"{prefix}{name}", data["shares"], scopes)
                    if known[owner] is None:  # reported already
                        continue
                    of = around.nodes[owner]
                    owner_ins = [known[source] for source in of["inputs"]]
                    roles, shared, undecided = own_tensors(op, ins, of["op"], owner_ins, self.check)
                    costs, assumed = {**costs, **roles}, (*assumed, *undecided)
            except ShapeError as error:
                if error in self.placed or isinstance(error, PointsDiffer):  # already has its place, or is not an error
                    raise
                hint = _channels_come_first(graph, op, inputs, ins)
                self.refuse(error, op, data, f"{prefix}{data.get('label', name)}", hint)
                continue
            shapes[name] = out
            if prefix or not written.keys().isdisjoint(inputs):
                name, inputs = f"{prefix}{name}" if prefix else name, _full_names(inputs, written, prefix)
            about = data.get("place"), data.get("meant", False), shared, data.get("is_output", False)
            yield Row._make((name, op, inputs, ins, out, times, costs, assumed, *about))

    def ask(self, op: Any, ins: tuple[Shape, ...]) -> Answer:
        """The answer of an op on these inputs."""
        key = (op.__class__, *op.__dict__.values(), ins)  # as the op itself would be, in a third of the time
        try:
            return self.answers[key]
        except KeyError:
            known = self.answers[key] = answer(op, ins, self.check)
            return known
        except TypeError:  # arrays have no hash
            return answer(op, ins, self.check)

    def repeat(
        self, op: Repeat, ins: tuple[Shape, ...], sources: tuple[Any, ...], name: str, times: Size, scopes: Scopes
    ) -> Generator[Row, None, Any]:
        """Rows of the body, for all copies at once if it keeps its shape, else copy by copy. Returns the output shape
        and the row that writes it; without copies those of the first input. `sources`: the rows that write the
        inputs."""
        (x, *fixed), (source, *others) = ins, sources
        more = fixed, others
        if op.fixed and len(scopes) > 1:  # the layers of the body around it must all lead to its output
            message = "stands {} times; in another repeat, one that reads more than one layer stands at least once"
            self.check([AtLeast(op.times, 1, message=message)])
        if is_zero(op.times) is True:
            return x, source
        kept: Any = False
        out = x
        if not self.is_known_to_change(op, ins):
            try:
                with self.mask.inside_repeat(op.times) if self.mask else nullcontext():
                    body, output = self.copy(op, x, source, more, f"{name}.", times * op.times, scopes)
                    rows = [*body]
            except ShapeError:
                if _is_left_out(op.times):
                    return x, source
                raise
            out, writer = output()
            kept = out is None or same_shape(out, x)
            if kept is True or (is_array(kept) and kept.all()):
                yield from _with_times(rows, op, name)
                return out, writer
            with suppress(TypeError):  # arrays have no hash
                self.changes.add((id(op), ins))
        for i in range(_number_of_copies(op.times, kept, x, out)):
            body, output = self.copy(op, x, source, more, f"{name}.{i}.", times, scopes)
            yield from body
            x, source = output()
            if x is None:
                break
        return x, source

    def copy(
        self, op: Repeat, x: Shape, source: Any, fixed: Fixed, prefix: str, times: Size, scopes: Scopes
    ) -> tuple[Iterator[Row], Callable[[], tuple[Shape, Any]]]:
        """The rows of a body, and a function that returns its output shape and writer once these are walked."""
        entry, end = op.entry, output_of(op.body)
        shapes, written = ({entry: one, **dict(zip(op.fixed, more))} for one, more in zip((x, source), fixed))
        rows = self.rows(((op.body, shapes), *scopes), written, prefix, times)
        return rows, lambda: (shapes[end], *_full_names((end,), written, prefix))

    def is_known_to_change(self, op: Repeat, ins: tuple[Shape, ...]) -> bool:
        """Did the body change this shape before? Without this, repeats in repeats are tried again and again."""
        try:
            return (id(op), ins) in self.changes
        except TypeError:  # arrays have no hash
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
    """A hint for a layer that takes axis 1 for channels, where the input of the network has them last."""
    if (
        len(ins) != 1
        or not getattr(graph.nodes[inputs[0]]["op"], "is_input", False)
        or getattr(op, "features_axis", None) != 1
    ):
        return ""
    (x,) = at_first_point(ins)
    if input_roles(x)[1:] != (POSITION, POSITION, FEATURES):
        return ""
    return channels_first_hint(f"{x[3]}, {x[1]}, {x[2]}")


def channels_first_hint(sizes: str) -> str:
    """The hint to write the sizes of an input in this order."""
    return f"channels come first: write `input: [{sizes}]`"


def _full_names(names: Iterable[Any], written: dict[Any, Any], prefix: str) -> tuple[Any, ...]:
    """The names of the rows that write these layers of a graph."""
    return tuple([written.get(n, f"{prefix}{n}" if prefix else n) for n in names])


def _is_left_out(times: Size) -> bool:
    """Is an invalid body repeated 0 times? Raises PointsDiffer if that differs between points."""
    none = times == 0 if is_array(times) else False
    truth = one_truth(none)
    if truth is None:
        raise PointsDiffer(none, "repeats a body that is invalid at some points")
    return truth


def _number_of_copies(times: Size, kept: Any, x: Shape, out: Shape) -> int:
    """How many copies to walk one by one. Raises PointsDiffer if points differ, ShapeError for a symbol or too many."""
    copies = one_number(times)
    if copies is None:
        key = kept if one_truth(kept) is None else times.num
        raise PointsDiffer(key, "times of a body that changes its shape differ between points")
    if not is_rational(copies):
        raise TimesUndecided(f"repeats {times} times a body that turns {x} into {out}; give times as a number")
    if copies > MAX_UNROLLED:
        x, out = at_first_point((x, out))
        raise ShapeError(f"repeats a body that turns {x} into {out}: at most {MAX_UNROLLED:,} times")
    return int(copies)


def _with_times(rows: list[Row], op: Repeat, name: str) -> list[Row]:
    """The rows of a repeat; the first carries what a symbol leaves undecided about its times."""
    if not rows or not is_symbolic(op.times):
        return rows
    open_ = assumptions(size_needs(f"the times of {name!r}", op.times, int(bool(op.fixed))))
    return [rows[0]._replace(assumed=(*rows[0].assumed, *open_)), *rows[1:]]
