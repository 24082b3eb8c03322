"""The most elements a network holds at once, at every point of columns, also where its depth is one.

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
from functools import reduce
from typing import Any

import numpy as np

from costcalc.analysis.memory import Layer, held
from costcalc.dims import Size, is_column, maximum, one_number, same_shape
from costcalc.dims.column import Column
from costcalc.errors import TooDeep
from costcalc.graph import Graph, Repeat, in_order, input_of, nodes_of, output_of

ENOUGH = 2  # copies that stand for any larger number
MOST_LAYERS = 100_000  # with so many copies

Copies = Mapping[int, int]  # by the id of a Repeat whose times differ between points


def peaks(graph: Graph) -> list[tuple[Size, Size]]:
    """Truths, of which one is 1 at each point, each with the most elements held at once at the points where it is.

    The graph has been walked: its ops take what they are given. Raises TooDeep for repeats in repeats without end.
    """
    return [(where, _peak(graph, copies)) for where, copies in _plans(_repeats(graph))]


def _peak(graph: Graph, copies: Copies) -> Size:
    layers: list[Layer] = []
    for layer in _written_out(graph, {}, "", copies):
        layers.append(layer)
        if len(layers) > MOST_LAYERS:
            raise TooDeep(f"two copies for each repeat make more than {MOST_LAYERS:,} layers; leave out peak_bytes")
    return reduce(maximum, held(layers), 0)


def _written_out(graph: Graph, given: dict[Any, Layer], prefix: str, copies: Copies) -> Iterator[Layer]:
    """Every layer, the repeated ones as often as is enough; `given` starts with the inputs of the graph, if it is a
    body, and learns the rest."""
    for name, data in in_order(graph):
        op, sources = data["op"], [given[source] for source in data["inputs"]]
        if op.__class__ is Repeat:
            given[name] = yield from _copies(op, sources[0], f"{prefix}{name}", copies)
        elif name not in given:
            shape = op.shape(*(source.output_shape for source in sources))
            given[name] = Layer(f"{prefix}{name}", op, tuple(source.name for source in sources), shape)
            yield given[name]


def _copies(op: Repeat, last: Layer, name: str, copies: Copies) -> Generator[Layer, None, Layer]:
    """The layers of a repeat; returns what wrote its output. Copies after one that kept its shape are alike."""
    entry, end = input_of(op.body), output_of(op.body)
    times, done = copies.get(id(op), one_number(op.times)), 0
    while done < times:
        inner = {entry: last}
        yield from _written_out(op.body, inner, f"{name}.{done}.", copies)
        done += 1
        kept = same_shape(last.output_shape, inner[end].output_shape)
        if kept is True or (is_column(kept) and kept.all()):
            times = min(times, done - 1 + ENOUGH)
        last = inner[end]
    return last


def _repeats(graph: Graph) -> Iterator[Repeat]:
    """Repeats whose times differ between points, those in bodies too. Others may change the shape of their input."""
    for _, data in nodes_of(graph):
        if data["op"].__class__ is Repeat:
            yield from [data["op"]] if one_number(data["op"].times) is None else []
            yield from _repeats(data["op"].body)


def _plans(repeats: Iterator[Repeat]) -> Iterator[tuple[Size, Copies]]:
    """Each choice of copies for all of them that occurs, and where."""
    found = {id(repeat): np.minimum(repeat.times.num, ENOUGH).astype(np.int64) for repeat in repeats}
    plan = _numbered([*found.values()])
    for number in range(int(plan.max()) + 1):
        where = np.asarray(plan == number)
        point = tuple(np.argwhere(where)[0])
        yield (
            Column(where.astype(np.int64)),
            {key: int(np.broadcast_to(copies, plan.shape)[point]) for key, copies in found.items()},
        )


def _numbered(columns: Sequence[Any]) -> Any:
    """A number from 0 at each point, the same where all columns are."""
    number = np.zeros((), dtype=np.int64)
    for column in columns:
        pairs = number * (ENOUGH + 1) + column
        number = np.unique(pairs, return_inverse=True)[1].reshape(pairs.shape)
    return number
