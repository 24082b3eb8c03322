"""The layers of a training step: which gradients each makes, and in whose memory its output lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.memory import Layer, inplace_inputs
from costcalc.dims import Shape
from costcalc.ops.gradients import Wanted
from costcalc.ops.rules import Tensor

Trains = Callable[[Layer, Tensor], bool]  # is this tensor of a layer trained?


class StepLayer(NamedTuple):
    """A layer in a training step."""

    layer: Layer
    input_shapes: tuple[Shape, ...]
    wanted: Wanted
    over: int | None = None  # the index of the input that it writes over

    @property
    def name(self) -> Any:
        """That of the layer."""
        return self.layer.name


def step_layers(layers: Sequence[Layer], trains: Trains) -> Iterator[StepLayer]:
    """Each layer with the gradients that are wanted of it: of its tensors that train, and of each input with something
    trained below it. The input of a network wants none."""
    over = inplace_inputs(layers)
    shapes: dict[Any, Shape] = {}
    trained_below: dict[Any, bool] = {}
    for layer in layers:
        ins = tuple([shapes[source] for source in layer.inputs])
        tensors = [tensor for tensor in layer.op.weights(*ins) if tensor.role != "buffer"]
        wanted = Wanted(
            tuple([trained_below[source] for source in layer.inputs]),
            frozenset(tensor.name for tensor in tensors if trains(layer, tensor)),
            inplace=layer.name in over,
        )
        shapes[layer.name], trained_below[layer.name] = layer.output_shape, wanted.any
        yield StepLayer(layer, ins, wanted, over.get(layer.name))
