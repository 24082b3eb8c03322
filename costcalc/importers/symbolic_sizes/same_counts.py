"""Do two layer graphs count the same, where an axis of size 1 gives them other views?

torch moves and drops such an axis as it likes: at a batch of 1 einsum and `squeeze` take other ways to the same
elements. Views cost nothing, so the layers between them are compared: ops, the layers that they read, and every count.
Where tensors lie in memory may differ still, so that this says nothing of what a training step holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from costcalc.dims import Shape, prod
from costcalc.importers.symbolic_sizes.layer_pattern import NAMING, LayersDiffer, Sample, is_view
from costcalc.ops.gradients import Wanted

Source = tuple[int, Shape]  # the number of a layer, and the shape in which another reads its output


class Counted(NamedTuple):
    """A layer that is no view, as far as it is counted: sizes of 1 in shapes apart."""

    kind: type[Any]
    fields: Mapping[str, Any]
    inputs: tuple[Source, ...]
    out: Shape
    more: Mapping[str, Any]  # what it shares, what is frozen
    counts: tuple[Any, ...]


def check_same_counts(a: Sample, b: Sample, named: Sample) -> None:
    """Raises LayersDiffer, with the first layer that differs, unless two samples count the same at each layer and leave
    the same elements. `named` stands for the first in the message."""
    first, second = CountedLayers(a), CountedLayers(b)
    for (name, one), (other, two) in zip_longest(first.layers, second.layers, fillvalue=("", None)):
        if one != two:
            here, there = (f"{text!r}" if text else "no such layer" for text in (name, other))
            raise LayersDiffer(f"its layers change with the size: at {b} it has {there} where at {named} it has {here}")
    if first.leaving != second.leaving:
        raise LayersDiffer(f"its outputs at {b} are of other layers than at {named}")


class CountedLayers:
    """The layers of a sample that are no views, by name, and how many elements of each leave the network."""

    def __init__(self, sample: Sample):
        self.shapes = sample.shapes
        self.numbers: dict[str, int] = {}  # of the layer that makes the elements of each
        self.layers = [*self.counted(sample)]
        read = {source for _, data in sample.graph.nodes(data=True) for source in data["inputs"]}
        leaving = [name for name in self.numbers if name not in read]
        self.leaving = sorted((self.numbers[name], prod(self.shapes[name])) for name in leaving)

    def counted(self, sample: Sample) -> Iterator[tuple[str, Counted]]:
        """Each layer that is no view."""
        count = 0
        for name, data in sample.graph.nodes(data=True):
            op, inputs = data["op"], data["inputs"]
            if is_view(op):
                self.numbers[name] = self.numbers[inputs[0]]
                continue
            self.numbers[name], count = count, count + 1
            more = {key: value for key, value in data.items() if key not in NAMING}
            if "shares" in data:
                more["shares"] = self.numbers[data["shares"]]
            ins, out = tuple([self.shapes[source] for source in inputs]), self.shapes[name]
            read = tuple([(self.numbers[source], without_ones(x)) for source, x in zip(inputs, ins)])
            yield name, Counted(type(op), fields_of(op, ins), read, without_ones(out), more, counts_of(op, ins, out))


def fields_of(op: Any, ins: tuple[Shape, ...]) -> dict[str, Any]:
    """The fields of an op: of a shape its sizes but 1, of an order of axes that of the others."""
    found = {**op.__dict__}
    if "size" in found and isinstance(op.size, tuple):
        found["size"] = without_ones(op.size)
    if isinstance(found.get("order"), tuple):
        found["order"] = tuple([axis - ins[0][:axis].count(1) for axis in op.order if ins[0][axis] != 1])
    return found


def without_ones(shape: Shape) -> Shape:
    """A shape without its axes of size 1."""
    return tuple([size for size in shape if size != 1])


def counts_of(op: Any, ins: tuple[Shape, ...], out: Shape) -> tuple[Any, ...]:
    """All that an op counts, in a training step too."""
    tensors = [*op.weights(*ins)]
    wanted = Wanted((True,) * len(ins), frozenset([one.name for one in tensors if one.role != "buffer"]))
    of_step = {"out": out, "wanted": wanted}
    return (
        op.macs(*ins, out=out), op.elementwise(*ins, out=out), [(one.name, prod(one.shape)) for one in tensors],
        op.backward_macs(*ins, **of_step), op.train_elementwise(*ins, **of_step),
    )  # fmt: skip
