"""The layers of a training step: which gradients each makes, and in whose memory its output lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

from costcalc.analysis.inplace import inplace_inputs
from costcalc.analysis.memory import Layer
from costcalc.dims import Shape, Size
from costcalc.graph import first_row
from costcalc.graph.freezing import check_names_of_tensors, frozen_tensors, is_frozen
from costcalc.ops.gradients import Wanted
from costcalc.ops.rules import Tensor

Trains = Callable[[Layer, Tensor], bool]  # is this tensor of a layer trained?


def not_frozen(layer: Layer, tensor: Tensor) -> bool:
    """Trains every tensor that its graph does not mark as frozen."""
    return not is_frozen(tensor.name, frozen_tensors(layer.name, layer.frozen))


class StepLayer(NamedTuple):
    """A layer in a training step."""

    name: Any
    layer: Layer
    input_shapes: tuple[Shape, ...]
    wanted: Wanted
    tensors: tuple[Tensor, ...] = ()
    own: tuple[Tensor, ...] = ()  # of these, those that no other layer owns
    over: int | None = None  # the index of the input that it writes over
    segment: str | None = None  # the checkpointed row that it belongs to

    def owner_of(self, tensor: Tensor) -> Any:
        """The layer that owns one of its tensors: itself, or the one with which it shares."""
        shares = self.layer.shares
        return self.name if shares is None or any(tensor.name == own.name for own in self.own) else shares

    @property
    def macs(self) -> Size:
        """Multiplies of the forward pass, of one copy."""
        found: Size = self.layer.op.macs(*self.input_shapes, out=self.layer.output_shape)
        return found

    @property
    def elementwise(self) -> Size:
        """Other arithmetic of the forward pass, of one copy."""
        found: Size = self.layer.op.elementwise(*self.input_shapes, out=self.layer.output_shape)
        return found


def segments_of(layers: Sequence[Layer], rows: Set[str]) -> dict[Any, str]:
    """The checkpointed row of depth 1 that each layer of one belongs to."""
    found = ((layer.name, first_row(layer.row)) for layer in layers if rows and not layer.op.is_input)
    return {name: row for name, row in found if row in rows}


def overwritten_inputs(layers: Sequence[Layer], segments: Mapping[Any, str]) -> dict[Any, int]:
    """The index of the input that each layer writes over, unless that is the input of a checkpointed row."""
    by_name = {layer.name: layer for layer in layers}
    return {
        name: i
        for name, i in inplace_inputs(layers).items()
        if segments.get(name) is None or segments.get(by_name[name].inputs[i]) == segments[name]
    }


def never_reached(layers: Sequence[Layer]) -> set[Any]:
    """The layers that no gradient reaches: those that are detached, and those that such alone read, unless the network
    returns them."""
    if not any(map(_is_detached, layers)):
        return set()
    readers: dict[Any, list[Any]] = {}
    for layer in layers:
        for source in layer.inputs:
            readers.setdefault(source, []).append(layer.name)
    found: set[Any] = set()
    for layer in reversed(layers):
        reading = readers.get(layer.name, ())
        unread = bool(reading) and not layer.is_output and found.issuperset(reading)
        if unread or _is_detached(layer):
            found.add(layer.name)
    return found


def _is_detached(layer: Layer) -> bool:
    return getattr(layer.op, "detached", False)


def step_layers(
    layers: Sequence[Layer], trains: Trains = not_frozen, *, freeze_statistics: bool = False,
    checkpoint: Iterable[str] = (),
) -> Iterator[StepLayer]:  # fmt: skip
    """Each layer with the gradients that are wanted of it: of its tensors that train, and of each input with something
    trained below it, where a gradient reaches the layer. The input of a network wants none. Tensors that a layer shares
    belong to their owner, and are frozen with either.

    With `freeze_statistics` layers that are wholly frozen run as at inference. `checkpoint` are rows of depth 1 that
    are computed again in the backward pass: they need their input then, so none of their layers writes over it. Raises
    UnknownName for a frozen tensor that no layer has.
    """
    segments = segments_of(layers, {*checkpoint})
    over = overwritten_inputs(layers, segments)
    shapes: dict[Any, Shape] = {}
    trained_below: dict[Any, bool] = {}
    owners: dict[Any, Layer] = {}
    by_user = [layer for layer in layers if layer.shares is not None and frozen_tensors(layer.name, layer.frozen)]
    tensors_of: dict[Any, tuple[Tensor, ...]] = {}
    without_gradient = never_reached(layers)
    for layer in layers:
        ins = tuple([shapes[source] for source in layer.inputs])
        owners[layer.name], tensors_of[layer.name] = layer, tuple(layer.op.weights(*ins))
        owner = owners[layer.shares] if layer.shares is not None else layer
        shared = {tensor.name for tensor in tensors_of[owner.name]} if owner is not layer else frozenset()
        gets_none = layer.name in without_gradient
        wanted = Wanted(
            tuple([trained_below[source] and not gets_none for source in layer.inputs]),
            frozenset(
                tensor.name
                for tensor in tensors_of[layer.name]
                if tensor.role != "buffer"
                and not gets_none
                and trains(owner if tensor.name in shared else layer, tensor)
                and all(trains(user, tensor) for user in by_user if user.shares == owner.name)
            ),
            inplace=layer.name in over,
            evaluates=freeze_statistics and layer.frozen is True,
        )
        shapes[layer.name], trained_below[layer.name] = layer.output_shape, wanted.any
        tensors = tensors_of[layer.name]
        own = tuple([tensor for tensor in tensors if tensor.name not in shared]) if shared else tensors
        yield StepLayer(layer.name, layer, ins, wanted, tensors, own, over.get(layer.name), segments.get(layer.name))
    check_names_of_tensors(
        (frozen_tensors(one.name, one.frozen), [t.name for t in tensors_of[one.name]]) for one in layers
    )
