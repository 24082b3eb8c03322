"""One layer graph for many sizes: what several recorded graphs have in common, and a form for each size that differs.

The graphs must have the same layers that read the same ones. A size that differs between them is a form of the sizes
of the layer's inputs, or of the input of the network, or of sizes of layers before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.dims import Shape, Size
from costcalc.errors import ImportRefused, PointsDiffer, ShapeError
from costcalc.graph import LayerList
from costcalc.importers.symbolic_sizes.input_sizes import HEIGHT, WIDTH, Letters
from costcalc.importers.symbolic_sizes.size_forms import Form, Known, Ref, Values, find_form
from costcalc.ops.imported import View
from costcalc.ops.output import VIEW

NAMING = ("op", "inputs", "shares")  # of a node: an op, and names of layers


class LayersDiffer(ImportRefused):
    """Runs at several sizes that have other layers, or a size that follows no form."""


@dataclass(frozen=True)
class Sample:
    """The graph of a run, and the output shape of each of its layers."""

    letters: Letters
    graph: LayerList
    shapes: Mapping[str, Shape]

    def __str__(self) -> str:
        return sizes_text(self.letters)


class Layer(NamedTuple):
    """A layer of a pattern: its op, or the fields of its op among which are forms."""

    name: str
    inputs: tuple[str, ...]
    more: Mapping[str, Any]  # that it shares weights, that it is frozen
    kind: type[Any]
    op: Any  # None, if fields differ
    fields: Mapping[str, Any]


class LayerPattern:
    """The layers that all samples have. Raises LayersDiffer for the first layer that differs or has no form."""

    def __init__(self, name: str, samples: Sequence[Sample]):
        self.name, self.samples = name, samples
        self.forms: dict[str, int] = {}  # the number of sizes of each layer that are forms
        self.letters: list[tuple[Ref, Values]] = [
            (("", letter), tuple([one.letters[letter] for one in samples])) for letter in samples[0].letters
        ]
        self.seen: dict[Values, Ref] = {}  # sizes of all layers so far
        self.names: dict[str, tuple[str, ...]] = {}  # of each layer, in every sample
        self.layers_in_order = [self.layer(*rows) for rows in self.aligned()]

    def aligned(self) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Each layer's name, and its data in every sample."""
        for other in self.samples[1:]:
            check_alike(self.samples[0], other)
        for nodes in zip(*(one.graph.nodes(data=True) for one in self.samples)):
            name = nodes[0][0]
            self.names[name] = tuple([other for other, _ in nodes])
            yield name, [data for _, data in nodes]

    def layer(self, name: str, rows: list[Mapping[str, Any]]) -> Layer:
        """A layer of the pattern, from its data in every sample."""
        first = rows[0]
        ops = [row["op"] for row in rows]
        if len({type(op) for op in ops}) > 1:  # views, by check_alike
            ops = [View(one.shapes[other]) for one, other in zip(self.samples, self.names[name])]
        more = {key: value for key, value in first.items() if key not in ("op", "inputs")}
        own = [pair for source in first["inputs"] for pair in self.axes(source)]
        fields: dict[str, Any] = {}
        for field in ops[0].__dict__:
            values = [op.__dict__[field] for op in ops]
            if any(value != values[0] for value in values):
                fields[field] = self.field(name, field, values, own)
        for ref, sizes in self.axes(name):
            self.seen.setdefault(sizes, ref)
        if not fields:
            return Layer(name, first["inputs"], more, type(ops[0]), ops[0], {})
        if not ops[0].is_input:
            self.forms[name] = len(fields)
        return Layer(name, first["inputs"], more, type(ops[0]), None, {**ops[0].__dict__, **fields})

    def field(self, name: str, field: str, values: list[Any], own: Known) -> Any:
        """A field of a layer with forms in it."""
        rows = alike(values)
        if rows is None or not all(type(size) is int for row in rows for size in row):
            raise LayersDiffer(f"its layer {name!r} has {field} = {values[0]} at {self.samples[0]}, {values[-1]} at "
                               f"{self.samples[-1]}")  # fmt: skip
        forms = [self.form(name, field, sizes, own) for sizes in zip(*rows)]
        return forms[0] if isinstance(values[0], int) and len(forms) == 1 else tuple(forms)

    def form(self, name: str, field: str, sizes: Values, own: Known) -> int | Form:
        """The form of a size."""
        if len({*sizes}) == 1:
            return sizes[0]
        known = (own, self.letters, [(ref, values) for values, ref in self.seen.items()])
        for refs in known:
            form = find_form(sizes, refs)
            if form is not None:
                return form
        at = ", ".join(map(str, self.samples))
        said = f"has {field} of {', '.join(map(str, sizes))} at {at}, which follow no form that is known"
        raise LayersDiffer(f"its layer {name!r} {said}")

    def axes(self, name: str) -> list[tuple[Ref, Values]]:
        """The sizes of a layer's output, each in every sample."""
        shapes = [one.shapes[other] for one, other in zip(self.samples, self.names[name])]
        return [((name, axis), sizes) for axis, sizes in enumerate(zip(*shapes))]

    def layers(self, letters: Letters) -> LayerList:
        """The layers at these sizes: ints, symbols or arrays.

        Raises ShapeError for a layer that cannot have them, PointsDiffer where only some points of arrays can.
        """
        return self.with_shapes(letters)[0]

    def with_shapes(self, letters: Letters) -> tuple[LayerList, dict[str, Shape]]:
        """The layers, and the shapes of their outputs."""
        graph, shapes = LayerList(name=self.name), {"": letters}

        def size_of(ref: Ref) -> Size:
            return shapes[ref[0]][ref[1]]  # type: ignore[index]

        for layer in self.layers_in_order:
            try:
                op = layer.op or layer.kind(**{key: _filled(value, size_of) for key, value in layer.fields.items()})
                shapes[layer.name] = (*op.shape(*[shapes[source] for source in layer.inputs]),)  # type: ignore[assignment]
            except PointsDiffer:
                raise
            except ShapeError as error:
                raise ShapeError(f"layer {layer.name!r}: {error}") from None
            graph.nodes[layer.name] = {"op": op, "inputs": layer.inputs, **layer.more}
        return graph, shapes  # type: ignore[return-value]

    def check(self, sample: Sample) -> None:
        """Raises LayersDiffer, with the first layer that differs, unless a run at other sizes has just these layers."""
        ours = self.at(sample)
        check_alike(ours, sample, self.samples[0])
        for (name, data), (other, of) in zip(ours.graph.nodes(data=True), sample.graph.nodes(data=True)):
            if ours.shapes[name] != sample.shapes[other]:
                raise LayersDiffer(f"at {sample} its layer {name!r} has the output {sample.shapes[other]}, and by its "
                                   f"form {ours.shapes[name]}")  # fmt: skip
            if not same_op(data["op"], of["op"]):
                raise LayersDiffer(f"at {sample} its layer {name!r} is {of['op']}, and by its form {data['op']}")

    def at(self, sample: Sample) -> Sample:
        """The layers at the sizes of a run. Raises LayersDiffer if they cannot have them."""
        try:
            return Sample(sample.letters, *self.with_shapes(sample.letters))
        except ShapeError as error:
            raise LayersDiffer(f"at {sample} its {error}") from None


def check_alike(a: Sample, b: Sample, named: Sample | None = None) -> None:
    """Raises LayersDiffer, with the first layer that differs, unless two samples have the same layers that read the
    same ones. `named` stands for the first in the message."""
    at, there = named or a, b
    theirs: dict[str, str] = {}  # the name in the second of each layer of the first
    for (name, data), (other, others) in zip(a.graph.nodes(data=True), b.graph.nodes(data=True)):
        theirs[name] = other
        op, of = data["op"], others["op"]
        if op.__class__ is not of.__class__ and not (is_view(op) and is_view(of)):
            one, two = f"{name!r} ({op.name})", f"{other!r} ({of.name})"
            raise LayersDiffer(f"its layers change with the size: at {there} it has {two} where at {at} it has {one}")
        if others["inputs"] != tuple([theirs[source] for source in data["inputs"]]):
            raise LayersDiffer(f"its layer {name!r} reads other layers at {there} than at {at}")
        more = [{key: value for key, value in one.items() if key not in NAMING} for one in (data, others)]
        if more[0] != more[1] or others.get("shares") != theirs.get(data.get("shares", "")):
            raise LayersDiffer(f"its layer {name!r} has other tensors at {there} than at {at}")
    if len(a.graph) != len(b.graph):
        raise LayersDiffer(f"it has {len(b.graph)} layers at {there}, and {len(a.graph)} at {at}")


def is_view(op: Any) -> bool:
    """Is the output of an op its input under another shape? Which op says so depends on sizes that happen to be equal,
    as a batch of 1 and another axis, and changes no cost."""
    return op.output == VIEW and not op.is_input and not op.lies_in_weights


def same_op(a: Any, b: Any) -> bool:
    """Are two ops the same? Views of one shape are, whatever they say of it."""
    if a.__class__ is not b.__class__ or a == b:
        return True  # check_alike lets only views be of two classes
    rows = [alike([value, b.__dict__[field]]) for field, value in a.__dict__.items()]
    return all(row is not None and row[0] == row[1] for row in rows)


def alike(values: Sequence[Any]) -> list[tuple[Any, ...]] | None:
    """Values of a field as tuples of one length: one number stands for each axis. None if the lengths differ."""
    lengths = {len(value) for value in values if isinstance(value, tuple)}
    if len(lengths) > 1:
        return None
    length = lengths.pop() if lengths else 1
    return [value if isinstance(value, tuple) else (value,) * length for value in values]


def _filled(value: Any, size_of: Callable[[Ref], Size]) -> Any:
    """A field with the values of its forms."""
    if isinstance(value, Form):
        return value.value(size_of)
    return tuple([_filled(one, size_of) for one in value]) if isinstance(value, tuple) else value


def sizes_text(letters: Letters) -> str:
    """`batch = 2, 224×256`, and `batch = 2, tokens = 128`."""
    image = f"{letters[HEIGHT]}×{letters[WIDTH]}" if HEIGHT in letters else ""
    others = [f"{name} = {size}" for name, size in letters.items() if name not in (HEIGHT, WIDTH)]
    return ", ".join(filter(None, [*others, image]))
