"""How much of the input one element of each layer's output depends on, and how far apart neighbours lie there.

Each axis of a tensor is a list of stretches: runs of elements that lie evenly along an axis of the network's input, or
that span a part of it. A layer hands them on as its `reads` say (ops/reads.py); what it reads whole widens the
receptive field by the span. Dumoulin and Visin 2016, arXiv:1603.07285; Araujo et al. 2019, doi:10.23915/distill.00021.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from costcalc.analysis.images import LayerLayout, image_layers
from costcalc.analysis.memory import Layer
from costcalc.analysis.phases import Number, Places, composed, joined
from costcalc.dims import Shape, prod
from costcalc.ops.reads import REGROUPED, Along, Reads

Numbers = dict[int, Number]  # by the axis of positions of the input, from 0
Ends = dict[int, Places]


class Stretch(NamedTuple):
    """`length` elements of a tensor's axis: how much further than one of them all see along axes of the input, and how
    far apart neighbours lie there, if that is the same for all."""

    length: int
    spans: Mapping[int, Number] = {}
    jumps: Mapping[int, Number] = {}


Axis = tuple[Stretch, ...]


@dataclass(frozen=True)
class Sight:
    """What the elements of a layer's output see, along each axis of positions of the input: the receptive field, and of
    the layer itself the stride. `sizes` are those of the input.

    `ends` are the first and last position that each element sees, by phase: behind an upsampling even elements see
    other positions than odd ones, and one stretch has both.
    """

    axes: tuple[Axis, ...] = ()
    fields: Numbers = field(default_factory=dict)
    ends: Ends = field(default_factory=dict)
    sizes: Numbers = field(default_factory=dict)
    strides: Numbers = field(default_factory=dict)

    @property
    def jumps(self) -> Numbers:
        """How far neighbours lie apart in the input, where they lie evenly."""
        return _largest(stretch.jumps for axis in self.axes for stretch in axis)

    def widened(self, stretches: Iterable[Stretch]) -> Sight:
        """With these stretches read whole."""
        whole, fields, ends = [*stretches], dict(self.fields), dict(self.ends)
        for a, span in _total_spans(whole).items():
            places = ends[a]
            along = [one for one in whole if a in one.jumps]
            if places.period > 1 and len(along) == 1:
                ends[a] = places.together(along[0].length, along[0].jumps[a])
                wide = _known(fields[a], ends[a].widest(1))
            else:
                ends[a], wide = places.hull(self.jumps.get(a)).widened(span), fields[a] + span
            fields[a] = math.inf if wide >= self.sizes[a] else wide
        return replace(self, fields=fields, ends=ends)

    def alike(self, spans: Iterable[int]) -> Sight:
        """With one place for all elements along these axes of the input: that within which each of them sees."""
        ends = {a: places.hull(self.jumps.get(a)) if a in spans else places for a, places in self.ends.items()}
        return replace(self, ends=ends)

    def unknown(self, axes: tuple[Axis, ...]) -> Sight:
        """With elements that may have come from anywhere along the axes on which they lay."""
        lost = {a for axis in self.axes for stretch in axis for a in stretch.spans}
        fields = {a: math.nan if a in lost and wide != math.inf else wide for a, wide in self.fields.items()}
        return replace(self.alike(lost), axes=axes, fields=fields)


def sights(layers: Sequence[Layer]) -> Iterator[Sight]:
    """The sight of each layer, in order, with repeats written out. Sizes must be numbers."""
    shapes = {layer.name: layer.output_shape for layer in layers}
    positions, found = _positions(layers, shapes), {}
    for layer in layers:
        if layer.op.is_input:
            found[layer.name] = _of_input(layer.output_shape, positions[layer.name])
        else:
            found[layer.name] = _of_layer(layer, reads_of(layer, shapes), [found[source] for source in layer.inputs])
        yield found[layer.name]


def reads_of(layer: Layer, shapes: Mapping[Any, Shape]) -> list[Reads]:
    """What a layer reads of each of its inputs."""
    ins = tuple([shapes[source] for source in layer.inputs])
    return [layer.op.reads(i, ins, layer.output_shape) for i in range(len(ins))]


def _positions(layers: Sequence[Layer], shapes: Mapping[Any, Shape]) -> dict[Any, range]:
    """The axes of each input that are positions: those of an image after its channels, those of (n, l, d) but the last,
    all of indices, and all where it is not known which are channels."""
    images = image_layers(
        [
            LayerLayout.of(one.name, one.op, one.inputs, [shapes[source] for source in one.inputs], one.output_shape)
            for one in layers
        ]
    )
    of_indices = {source for each in layers if each.op.index_limit is not None for source in each.inputs}
    found = {}
    for layer in layers:
        if layer.op.is_input:
            rank, is_image = len(layer.output_shape), str(layer.name) in images
            has_features = rank < 4 and not is_image and layer.name not in of_indices
            found[layer.name] = range(2 if is_image else 1, rank - has_features)
    return found


def _of_input(shape: Shape, positions: range) -> Sight:
    axes = [Stretch(size) for size in shape]
    for a, axis in enumerate(positions):
        axes[axis] = _evenly(shape[axis], {a: 1})
    ones: Numbers = dict.fromkeys(range(len(positions)), 1)
    sizes: Numbers = {a: shape[axis] for a, axis in enumerate(positions)}
    return Sight(tuple([(axis,) for axis in axes]), ones, dict.fromkeys(ones, Places((0,), (0,))), sizes, ones)


def _plain(shape: Shape) -> tuple[Axis, ...]:
    """Axes on which the place says nothing about the input."""
    return tuple([(Stretch(size),) for size in shape])


def _of_layer(layer: Layer, reads: list[Reads], sources: list[Sight]) -> Sight:
    out = layer.output_shape
    seen = [_through(read, source, out) for read, source in zip(reads, sources) if source.fields]
    if not seen:  # a tensor of the network
        return Sight(_plain(out))
    axes = tuple([_joined(versions) for versions in zip(*(one.axes for one in seen))])
    carried = _largest(stretch.jumps for axis in axes for stretch in axis)
    made = Sight(axes, *_united(seen, carried), _largest(one.sizes for one in seen))
    before = _largest(source.jumps for source in sources)
    return replace(made, strides={a: Fraction(jump) / before[a] for a, jump in made.jumps.items() if a in before})


def _through(reads: Reads, source: Sight, out: Shape) -> Sight:
    """What an input with this sight becomes in an output that reads it so."""
    if isinstance(reads, str):
        before = [stretch for axis in source.axes for stretch in axis]
        axes = _regrouped(before, out) if reads == REGROUPED else None
        if axes is None:
            return source.unknown(_plain(out))
        after = [stretch for axis in axes for stretch in axis]
        split = [a for stretch in before if stretch not in after for a in stretch.jumps]
        return replace(source.alike(split), axes=axes)
    read_along = {entry.axis for entry in reads if entry is not None}
    unread = [stretch for axis, part in enumerate(source.axes) if axis not in read_along for stretch in part]
    carried = [stretch for axis in read_along for stretch in source.axes[axis]]
    shared = _total_spans(unread).keys() & _total_spans(carried).keys()
    made = replace(source.alike(shared).widened(unread), axes=_plain(out))
    for axis, entry in enumerate(reads):
        if entry is not None:
            made = _along(entry, source.axes[entry.axis], axis, out[axis], made)
    return made


def _along(entry: Along, stretches: Axis, axis: int, size: int, made: Sight) -> Sight:
    """The sight with an axis of the output whose elements lie along these stretches of the input."""
    fields, ends = dict(made.fields), dict(made.ends)
    long = [stretch for stretch in stretches if stretch.length > 1]
    if entry == Along(entry.axis) and size == prod(stretch.length for stretch in long):
        found = stretches
    elif entry.window is not None and entry.even and len(long) == 1 and long[0].jumps:
        ((a, jump),) = long[0].jumps.items()
        found = (_evenly(size, {a: jump * entry.stride}),)
        ends[a] = composed(entry, ends[a], jump)
        regular = made.ends[a].period == ends[a].period == 1 and fields[a] == made.ends[a].widest(1)
        wide = fields[a] + (entry.window - 1) * jump if regular else ends[a].widest(size)
        fields[a] = _known(fields[a], wide)
    else:
        found = (Stretch(size, _total_spans(long)),)
        ends |= {a: ends[a].hull(_largest(one.jumps for one in long).get(a)) for a in found[0].spans}
        if entry.window != 1:  # elements that are no neighbours in the input
            fields |= dict.fromkeys(found[0].spans, math.nan)
    return replace(made, fields=fields, ends=ends, axes=(*made.axes[:axis], found, *made.axes[axis + 1 :]))


def _united(seen: Sequence[Sight], carried: Numbers) -> tuple[Numbers, Ends]:
    """The fields and ends of elements that see what several others see. Where they move alike, fields that begin at
    different positions are more than the largest of them."""
    fields, ends = _largest(one.fields for one in seen), {}
    for a in fields:
        several = [one for one in seen if a in one.ends]
        jumps = [one.jumps.get(a) for one in several]
        ends[a] = joined([one.ends[a] for one in several], jumps, evenly=a in carried)
        if len({one.ends[a] for one in several}) > 1 and len({*jumps}) == 1:
            length = min((s.length for one in several for axis in one.axes for s in axis if a in s.jumps), default=1)
            fields[a] = max(fields[a], ends[a].widest(length), key=_rank)
    return fields, ends


def _known(field: Number, wide: Number) -> Number:
    """The new width of a field. A field that is infinite or not known stays."""
    return wide if math.isfinite(field) else field


def _joined(versions: Sequence[Axis]) -> Axis:
    """An axis of the output, of as many inputs as have one."""
    carrying = [axis for axis in versions if any(stretch.spans for stretch in axis)]
    if all(axis == carrying[0] for axis in carrying[1:]):
        return (carrying or versions)[0]
    return (Stretch(prod(stretch.length for stretch in carrying[0]), _largest(map(_total_spans, carrying))),)


def _regrouped(stretches: list[Stretch], out: Shape) -> tuple[Axis, ...] | None:
    """The stretches as axes of these sizes; None if a size takes a part of one that does not lie evenly."""
    left, axes = [stretch for stretch in stretches if stretch.length > 1], []
    for size in out:
        axis, need = [], size
        while need > 1:
            stretch = left.pop(0)
            if stretch.length > need:
                if stretch.length % need or (stretch.spans and not stretch.jumps):
                    return None
                inner = stretch.length // need
                jumps = {a: jump * inner for a, jump in stretch.jumps.items()}
                left.insert(0, _evenly(inner, stretch.jumps))
                stretch = _evenly(need, jumps)
            elif need % stretch.length:
                return None
            axis.append(stretch)
            need //= stretch.length
        axes.append(tuple(axis) or (Stretch(1),))
    return tuple(axes)


def _evenly(length: int, jumps: Mapping[int, Number]) -> Stretch:
    return Stretch(length, {a: (length - 1) * jump for a, jump in jumps.items()}, jumps)


def _total_spans(stretches: Iterable[Stretch]) -> Numbers:
    found: Numbers = {}
    for stretch in stretches:
        for a, span in stretch.spans.items():
            found[a] = found.get(a, 0) + span
    return found


def _largest(several: Iterable[Mapping[int, Number]]) -> Numbers:
    """Axis by axis; all of an axis is more than what is not known, and that more than a number."""
    found: Numbers = {}
    for numbers in several:
        for a, number in numbers.items():
            found[a] = max(found.get(a, number), number, key=_rank)
    return found


def _rank(number: Number) -> tuple[bool, bool, Number]:
    return number == math.inf, math.isnan(number), number
