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
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from costcalc.analysis.memory import Block, Layer
from costcalc.analysis.op_answers import MAX_KEPT
from costcalc.dims import Shape, Size, SizedShape, elements, is_array, is_rational, one_number, same_shape
from costcalc.errors import TooDeep
from costcalc.graph import Graph, Repeat, all_repeats, input_of, nodes_of, output_of, shared_by, topological_order
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
    """The assumptions of unrolled layers: each body that is repeated by a symbol is repeated at least once.

    There are none if no repeat has a sole reader that may write over its input, neither after the repeat nor as the
    first layer of its body: then leaving out a body does not change which layers write over their inputs.
    """
    repeats = [*all_repeats(graph)]
    if not any(_changes_writes_if_left_out(around, name) for around, name, _ in repeats):
        return []
    words = "repeat {name} has {{}} copies; it needs at least 1"
    times = ((full_name, around.nodes[name]["op"].times) for around, name, full_name in repeats)
    return assumptions(AtLeast(n, 1, message=words.format(name=name)) for name, n in times)


def _changes_writes_if_left_out(graph: Graph, name: Any) -> bool:
    """Does a single layer read the repeat's output, or the input of its body, and may it write over that? An output
    without readers counts too: without copies, the repeat's input would be an output of the network."""
    body = graph.nodes[name]["op"].body
    for around, source in ((graph, name), (body, input_of(body))):
        readers = [data["op"] for _, data in nodes_of(around) for read in data["inputs"] if read == source]
        if len(readers) < 2 and not any(op.__class__ is Repeat or not op.output.inplace for op in readers):
            return True
    return False


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
                given[name] = yield from self.repeat(op, sources[0], there, scopes)
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
                )  # fmt: skip
                yield given[name]

    def repeat(self, op: Repeat, x: Layer, at: _Place, around: tuple[Scope, ...]) -> Generator[Layer, None, Layer]:
        """Yields the layers of a repeat and returns the layer that wrote its output. A body that keeps its shape has
        one row for all copies, and one of its copies stands for many; any other body has rows for each copy."""
        entry, end = input_of(op.body), output_of(op.body)
        times, done, folded = self.copies.get(id(op), one_number(op.times)), 0, True
        times = times if is_rational(times) else self.most
        while done < times:
            inner, row = {entry: x}, f"{at.row}." if folded else f"{at.row}.{done}."
            stands_for_more = folded and times == self.most and done == max(1, self.most - 2)
            alike = op.times - (self.most - 1) if stands_for_more else 1
            blocks = (*at.blocks, Block(f"{at.name}.{done}.", alike)) if stands_for_more else at.blocks
            there = _Place(f"{at.name}.{done}.", row, at.copies * alike, blocks)
            body = [*self.layers(op.body, (inner, *around), there)]
            if not done:
                kept = same_shape(x.output_shape, inner[end].output_shape)
                folded = kept is True or bool(is_array(kept) and kept.all())
                times = min(times, self.most) if folded else times
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

    found = {id(repeat): np.minimum(repeat.times.num, most).astype(np.int64) for repeat in differing}
    for times in found.values() if most == COPIES_TO_TRAIN else ():
        times[times == most - 1] = most  # the copy in the middle stands for none
    plan = _number_combinations([*found.values()], most)
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
