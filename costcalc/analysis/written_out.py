"""The layers of a network with repeats written out as often as its memory needs, also where its depth is a column.

How often a body is repeated changes which layer reads which, so points are taken together at which the same numbers of
copies stand for all repeats. Two copies stand for any larger number:

    A copy sees nothing but its input, and what is held besides does not change while the copies are computed. From the
    second on all copies are alike: their input was written by the same layer of the body before, has the same shape and
    the same readers. So each holds what the second held, layer by layer. What comes after a repeat reads the last
    copy's output, of which the same is true. The first differs: what wrote its input may not be overwritten, may be
    wanted elsewhere and be held on.

Nothing in this asks what the body consists of, so repeats inside may be taken first: each of their copies stands alone.
Zero and one copy are counted as they are: without a copy the layers around it read its input.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.memory import Layer
from costcalc.dims import Size, is_array, is_rational, one_number, same_shape
from costcalc.errors import TooDeep
from costcalc.graph import Graph, Repeat, input_of, nodes_of, output_of, topological_order
from costcalc.ops.base import assumptions
from costcalc.ops.needs import AtLeast, Need

ENOUGH = 2  # copies that stand for any larger number
MAX_LAYERS = 100_000  # with so many copies of each repeat

Copies = Mapping[int, int]  # by the id of a Repeat whose times differ between points


def written_out(graph: Graph) -> Iterator[tuple[Size, list[Layer]]]:
    """Truths, of which one is 1 at each point, each with the layers of the points where it is.

    The graph has been walked: its ops take what they are given. A letter that says how often a body is repeated is
    taken to be 1 or more. Raises TooDeep for repeats in repeats without end.
    """
    for where, copies in _plans(_repeats(graph)):
        yield where, _listed(_layers(graph, {}, _Place("", "", 1), copies))


def stand_at_least_once(graph: Graph) -> list[Need]:
    """What layers written out leave undecided: that each body which is repeated by a symbol is there at all.

    Nothing, where no repeat has a sole reader that may write over what it reads, outside or as the first of its body:
    then no layer writes over more or less because a body between it and another is left out.
    """
    repeats = [*_all_repeats(graph)]
    if not any(_has_a_sole_writer(around, name) for around, name, _ in repeats):
        return []
    words = "{name} stands {{}} times, not once"
    return assumptions(AtLeast(op.times, 1, message=words.format(name=name)) for _, name, op in repeats)


def _all_repeats(graph: Graph) -> Iterator[tuple[Graph, Any, Repeat]]:
    """Repeats with the graph that each stands in, those in bodies too."""
    for name, data in nodes_of(graph):
        if data["op"].__class__ is Repeat:
            yield graph, name, data["op"]
            yield from _all_repeats(data["op"].body)


def _has_a_sole_writer(graph: Graph, name: Any) -> bool:
    """Is there one reader of a repeat's output, or of the input of its body, and may it write over that? None at all
    counts as one: what the repeat reads would be what the network puts out."""
    body = graph.nodes[name]["op"].body
    for around, source in ((graph, name), (body, input_of(body))):
        readers = [data["op"] for _, data in nodes_of(around) for read in data["inputs"] if read == source]
        if len(readers) < 2 and not any(op.__class__ is Repeat or not op.output.inplace for op in readers):
            return True
    return False


def _listed(layers: Iterator[Layer]) -> list[Layer]:
    found: list[Layer] = []
    for layer in layers:
        found.append(layer)
        if len(found) > MAX_LAYERS:
            raise TooDeep(
                f"two copies of each repeat make more than {MAX_LAYERS:,} layers; leave out peak_bytes and "
                "activations_in_place"
            )
    return found


class _Place(NamedTuple):
    """Where a graph stands: what precedes the names of its layers, and of their rows, and how many there are."""

    name: str
    row: str
    copies: Size


def _layers(graph: Graph, given: dict[Any, Layer], at: _Place, copies: Copies) -> Iterator[Layer]:
    """Every layer, the repeated ones as often as is enough; `given` starts with the inputs of the graph, if it is a
    body, and learns the rest."""
    for name, data in topological_order(graph):
        op, sources = data["op"], [given[source] for source in data["inputs"]]
        if op.__class__ is Repeat:
            there = _Place(f"{at.name}{name}", f"{at.row}{name}", at.copies)
            given[name] = yield from _repeated(op, sources[0], there, copies)
        elif name not in given:
            shape = op.shape(*(source.output_shape for source in sources))
            inputs = tuple(source.name for source in sources)
            given[name] = Layer(f"{at.name}{name}", op, inputs, shape, f"{at.row}{name}", at.copies)
            yield given[name]


def _repeated(op: Repeat, x: Layer, at: _Place, copies: Copies) -> Generator[Layer, None, Layer]:
    """The layers of a repeat; returns what wrote its output. A body that keeps its shape has one row for all copies,
    of which the second stands for all but the first; any other has rows for each."""
    entry, end = input_of(op.body), output_of(op.body)
    times, done, folded = copies.get(id(op), one_number(op.times)), 0, True
    times = times if is_rational(times) else ENOUGH
    while done < times:
        inner, row = {entry: x}, f"{at.row}." if folded else f"{at.row}.{done}."
        for_all = at.copies * (op.times - 1) if folded and done else at.copies
        body = [*_layers(op.body, inner, _Place(f"{at.name}.{done}.", row, for_all), copies)]
        if not done:
            kept = same_shape(x.output_shape, inner[end].output_shape)
            folded = kept is True or bool(is_array(kept) and kept.all())
            times = min(times, ENOUGH) if folded else times
            body = body if folded else [each._replace(row=f"{row}0.{each.row.removeprefix(row)}") for each in body]
        yield from body
        x, done = inner[end], done + 1
    return x


def _repeats(graph: Graph) -> Iterator[Repeat]:
    """Repeats whose times differ between points, those in bodies too. Others may change the shape of their input."""
    for _, data in nodes_of(graph):
        if data["op"].__class__ is Repeat:
            yield from [data["op"]] if one_number(data["op"].times) is None else []
            yield from _repeats(data["op"].body)


def _plans(repeats: Iterator[Repeat]) -> Iterator[tuple[Size, Copies]]:
    """Each choice of copies for all of them that occurs, and where."""
    several = [*repeats]
    if not several:
        yield 1, {}
        return
    import numpy as np

    from costcalc.dims.exact_array import ExactArray

    found = {id(repeat): np.minimum(repeat.times.num, ENOUGH).astype(np.int64) for repeat in several}
    plan = _numbered([*found.values()])
    for number in range(int(plan.max()) + 1):
        where = np.asarray(plan == number)
        point = tuple(np.argwhere(where)[0])
        yield (
            ExactArray(where.astype(np.int64)),
            {key: int(np.broadcast_to(copies, plan.shape)[point]) for key, copies in found.items()},
        )


def _numbered(columns: Sequence[Any]) -> Any:
    """A number from 0 at each point, the same where all columns are."""
    import numpy as np

    number = np.zeros((), dtype=np.int64)
    for column in columns:
        pairs = number * (ENOUGH + 1) + column
        number = np.unique(pairs, return_inverse=True)[1].reshape(pairs.shape)
    return number
