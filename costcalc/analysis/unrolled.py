"""The layers of a network with repeats unrolled as far as metrics that depend on other layers need.

The number of copies of a body changes which layer reads which, so points with the same numbers of copies are computed
together. Two copies stand for any larger number:

    A copy reads its input only, and other live tensors do not change while the copies are computed. From the second on
    all copies are equal: the same layer of the copy before wrote their input, with the same shape and the same readers.
    So each holds what the second holds, layer by layer. The same is true of the last copy's output, which the layers
    after the repeat read. The first copy differs: the layer that wrote its input may not be overwritable, and other
    layers may read that input later.

The proof does not depend on the layers of the body, so it holds for repeats in repeats. Zero copies and one copy are
computed as they are: without copies, the layers after the repeat read its input.

A training step takes four copies, and one in the middle stands for all others. Where a repeat has three copies, it
stands for none of them. So three copies and more are one plan where times is an array. With three copies the layers
that read the output of that one then read the output of the copy before it, which is equal in all that a step depends
on; otherwise one copy could not stand for many.

Inputs that are the same for all copies are read until the last: it alone may free them, so one copy between the first
and the last stands for the others. Their gradient begins in the last copy, and the last but one makes the first sum of
two; from there on it is added to. So a training step takes five copies of such a body, and three do as above four did.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from costcalc.analysis.memory import Block, Layer
from costcalc.analysis.op_answers import MAX_KEPT
from costcalc.dims import Shape, Size, SizedShape, elements, is_array, is_rational, one_number, same_shape
from costcalc.errors import TooDeep
from costcalc.graph import Graph, Repeat, all_repeats, nodes_of, output_of, shared_by, topological_order
from costcalc.ops.check_needs import assumptions
from costcalc.ops.needs import AtLeast, Need

COPIES_TO_COUNT = 2  # of each body; they stand for any larger number
COPIES_TO_TRAIN = 4  # the same for a training step: the first two, one for all between, and the last
MAX_UNROLLED_LAYERS = 100_000

Scope = dict[Any, Layer]  # the layers of a graph by their names in it
Shapes = dict[tuple[Any, ...], tuple[Shape, list[Shape]]]  # of an output and of the inputs, whose ids are in keys
Copies = Mapping[int, int]  # by the id of a Repeat whose times differ between points


def unrolled_layers(graph: Graph, most: int = COPIES_TO_COUNT) -> Iterator[tuple[Size, list[Layer]]]:
    """Pairs of a 0/1 mask and the layers at its points; the masks add up to 1 at every point.

    The graph must be valid: its ops are not checked again. A symbol for the times of a repeat is taken to be 1 or more.
    Raises TooDeep for more than MAX_UNROLLED_LAYERS.
    """
    shapes: Shapes = {}
    for where, copies in _plans(graph, most):
        unrolled = _Unrolling(copies, most, shapes).layers(graph, ({},), _Place("", "", 1))
        layers = [*islice(unrolled, MAX_UNROLLED_LAYERS + 1)]
        if len(layers) > MAX_UNROLLED_LAYERS:
            raise TooDeep(
                f"{most} copies of each repeat make more than {MAX_UNROLLED_LAYERS:,} layers; leave out metrics of "
                "memory and training"
            )
        yield where, layers


def repeat_assumptions(graph: Graph) -> list[Need]:
    """The assumptions of unrolled layers: each body that is repeated by a symbol is repeated at least so often.

    There are none if no repeat has a sole reader that may write over its input, neither after the repeat nor as the
    first layer of its body: then leaving out a body does not change which layers write over their inputs. A fixed input
    that one layer of a copy alone reads has one reader for one copy, and several for two.
    """
    repeats = [(around.nodes[name]["op"], around, name, full) for around, name, full in all_repeats(graph)]
    lows = [_least_copies(around, name) for _, around, name, _ in repeats]
    words = "repeat {name} has {{}} copies; it needs at least {low}"
    needs = [
        AtLeast(op.times, max(1, low), message=words.format(name=full_name, low=max(1, low)))
        for (op, _, _, full_name), low in zip(repeats, lows)
        if any(lows) and not is_rational(op.times)
    ]
    return assumptions(needs)


def _least_copies(graph: Graph, name: Any) -> int:
    """From how many copies of a repeat on do the same layers write over their inputs? A repeat that reads a fixed input
    is taken for a layer that may write over it."""
    op, (_, *others) = graph.nodes[name]["op"], graph.nodes[name]["inputs"]
    inside = [_readers(op.body, source) for source in op.fixed]
    if any(readers and _may_be_written_over(readers, by_repeats=True) for readers in inside):
        return 2
    # an output without readers counts too: without copies, the repeat's input would be an output of the network
    found = [_readers(graph, name), _readers(op.body, op.entry)]
    found += [readers for source in others if (readers := _readers(graph, source, but=name))]
    return int(any(map(_may_be_written_over, found)))


def _readers(graph: Graph, source: Any, but: Any = None) -> list[Any]:
    """The ops that read a layer, one for each time; without those of one layer."""
    return [data["op"] for node, data in nodes_of(graph) for read in data["inputs"] if read == source and node != but]


def _may_be_written_over(readers: Sequence[Any], by_repeats: bool = False) -> bool:
    """Is there at most one reader, and may it write over what it reads?"""
    return len(readers) < 2 and all(by_repeats if op.__class__ is Repeat else op.output.inplace for op in readers)


def copies_to_write(op: Repeat, most: int) -> int:
    """The copies of a repeat to write out where `most` copies stand for more: one more of a body with fixed inputs."""
    return most + bool(op.fixed)


class _Place(NamedTuple):
    """Where a graph stands in the network."""

    name: str  # prefix of its layers' names
    row: str  # prefix of their rows' names
    copies: Size
    blocks: tuple[Block, ...] = ()


class _Unrolling:
    """Writes repeats out: `copies` says how often where that differs between points; `most` copies stand for more."""

    def __init__(self, copies: Copies, most: int, shapes: Shapes):
        self.copies, self.most, self.shapes = copies, most, shapes

    def output_shape(self, op: Any, ins: list[Shape]) -> Shape:
        """The output shape of an op. Equal shapes are the same object, so that their arrays are multiplied once."""
        asked = id(op), *map(id, ins)
        if asked not in self.shapes:
            out = op.shape(*ins)
            self.shapes[asked] = self.shapes.setdefault(("output", *map(_values, out)), (_sized(out), ins))
        return self.shapes[asked][0]

    def layers(self, graph: Graph, scopes: tuple[Scope, ...], at: _Place) -> Iterator[Layer]:
        """Every layer. The first scope holds the layers that are known by name: at first the inputs of a body, then
        every layer that was yielded. Then come those of the graphs around it."""
        given = scopes[0]
        for name, data in topological_order(graph):
            op, sources = data["op"], [given[source] for source in data["inputs"]]
            if op.__class__ is Repeat:
                there = _Place(f"{at.name}{name}", f"{at.row}{name}", at.copies, at.blocks)
                given[name] = yield from self.repeat(op, sources, there, scopes)
            elif name not in given:
                shape = self.output_shape(op, [source.output_shape for source in sources])
                inputs = tuple(source.name for source in sources)
                owner = None
                if "shares" in data:
                    scope, owner = shared_by(f"{at.name}{name}", data["shares"], scopes)
                    owner = scope[owner].name
                given[name] = Layer(
                    f"{at.name}{name}", op, inputs, shape, f"{at.row}{name}", at.copies, at.blocks,
                    data.get("frozen", False), owner, data.get("is_output", False),
                    data.get("element_bytes", 0), data.get("parameter_order", {}),
                )  # fmt: skip
                yield given[name]

    def repeat(
        self, op: Repeat, sources: Sequence[Layer], at: _Place, around: tuple[Scope, ...]
    ) -> Generator[Layer, None, Layer]:
        """Yields the layers of a repeat and returns the layer that wrote its output. A body that keeps its shape has
        one row for all copies, and one of its copies stands for many; any other body has rows for each copy."""
        entry, end, most = op.entry, output_of(op.body), copies_to_write(op, self.most)
        times, done, folded = self.copies.get(id(op), one_number(op.times)), 0, True
        times = times if is_rational(times) else most
        x, fixed = sources[0], dict(zip(op.fixed, sources[1:]))
        alike_for_all = frozenset(source.name for source in sources[1:])
        while done < times:
            inner, row = {entry: x, **fixed}, f"{at.row}." if folded else f"{at.row}.{done}."
            stands_for_more = folded and times == most and done == max(1, self.most - 2)
            alike = op.times - (most - 1) if stands_for_more else 1
            own = [Block(f"{at.name}.{done}.", alike, alike_for_all)] if stands_for_more else []
            there = _Place(f"{at.name}.{done}.", row, at.copies * alike, (*at.blocks, *own))
            body = [*self.layers(op.body, (inner, *around), there)]
            if not done:
                kept = same_shape(x.output_shape, inner[end].output_shape)
                folded = kept is True or bool(is_array(kept) and kept.all())
                times = min(times, most) if folded else times
                body = body if folded else [each._replace(row=f"{row}0.{each.row.removeprefix(row)}") for each in body]
            yield from body
            x, done = inner[end], done + 1
        return x


def _values(size: Size) -> Any:
    """A key that is equal for equal sizes only."""
    return (size.shape, size.dtype, size.den, size.num.tobytes()) if is_array(size) else size


def _sized(shape: Shape) -> Shape:
    """The shape with its number of elements, if they are small arrays."""
    if type(shape) is SizedShape or not any(map(is_array, shape)):
        return shape
    size = elements(shape)
    return SizedShape.of(shape, size) if size.size <= MAX_KEPT else shape


def _plans(graph: Graph, most: int) -> Iterator[tuple[Size, Copies]]:
    """Each combination of copies that occurs, with a mask of the points where it does."""
    repeats = (around.nodes[name]["op"] for around, name, _ in all_repeats(graph))
    differing = [repeat for repeat in repeats if one_number(repeat.times) is None]
    if not differing:
        yield 1, {}
        return
    import numpy as np

    from costcalc.dims.exact_array import ExactArray

    found = {}
    for repeat in differing:
        own = copies_to_write(repeat, most)
        found[id(repeat)] = times = np.minimum(repeat.times.num, own).astype(np.int64)
        if most == COPIES_TO_TRAIN:
            times[times == own - 1] = own  # the copy in the middle stands for none
    plan = _number_combinations([*found.values()], most + 1)
    for number in range(int(plan.max()) + 1):
        where = np.asarray(plan == number)
        point = tuple(np.argwhere(where)[0])
        yield (
            ExactArray(where.astype(np.int64)),
            {key: int(np.broadcast_to(copies, plan.shape)[point]) for key, copies in found.items()},
        )


def _number_combinations(columns: Sequence[Any], most: int) -> Any:
    """Numbers the distinct combinations of values from 0, point by point."""
    import numpy as np

    number = np.zeros((), dtype=np.int64)
    for column in columns:
        pairs = number * (most + 1) + column
        number = np.unique(pairs, return_inverse=True)[1].reshape(pairs.shape)
    return number
