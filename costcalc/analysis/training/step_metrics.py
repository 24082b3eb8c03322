"""What a training step costs, layer by layer: the functions behind its metrics. One copy of each layer counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any, NamedTuple

from costcalc.analysis.memory import Layer, leaves, live_elements
from costcalc.analysis.training.kept import KeptTensors, kept_bytes
from costcalc.analysis.training.step_layers import StepLayer, step_layers
from costcalc.analysis.training.step_peak import step_peaks
from costcalc.dims import Size, elements, maximum, prod
from costcalc.dtype import WITHOUT_GRADIENTS, Dtype
from costcalc.errors import ShapeError, UsageError
from costcalc.graph import Graph
from costcalc.graph.freezing import train_step_of
from costcalc.train_step import NOTHING_TO_TRAIN, OPTIMIZERS, Optimizer

LOSS_OPERATIONS = 8  # per element of an output: log-softmax (maximum, subtract, exp, add, subtract), and its gradient
# (exp, subtract the target's 1, divide by the batch)


class Step(NamedTuple):
    """The layers of a step, and how it is counted."""

    layers: Sequence[StepLayer]
    optimizer: Optimizer
    dtype: Dtype

    @property
    def computed_again(self) -> Set[Any]:
        """The layers of checkpointed segments whose kernels run once more for the gradients."""
        if not any(each.segment for each in self.layers):
            return frozenset()
        return {each.name for each in KeptTensors(self.layers, self.dtype).run_again()}

    def needs_training(self) -> None:
        """Raises UsageError for a dtype without gradients, ShapeError if everything that could be trained is frozen."""
        for dtype in self.dtype:
            if dtype in WITHOUT_GRADIENTS:
                hint = "give float32, float16, bfloat16 or mixed"
                raise UsageError(f"nothing trains in {dtype}, of which torch has no gradients", hint)
        learned = any(tensor.role != "buffer" for each in self.layers for tensor in each.own)
        if learned and not any(each.wanted.any for each in self.layers):
            raise ShapeError(NOTHING_TO_TRAIN)


StepMetric = Callable[[Step], Iterator[Size]]


def step_of(graph: Graph, layers: Sequence[Layer], dtype: Dtype) -> Step:
    """The training step of a graph, with its `train_step`."""
    train_step = train_step_of(graph)
    frozen, checkpoint = train_step.freeze_statistics, train_step.checkpoint
    found = [*step_layers(layers, freeze_statistics=frozen, checkpoint=checkpoint)]
    return Step(found, OPTIMIZERS[train_step.optimizer], dtype)


def input_gradient_macs(step: Step) -> Iterator[Size]:
    """Multiplies of the gradients of inputs."""
    return (backward_macs(each, tensors=frozenset()) for each in step.layers)


def weight_gradient_macs(step: Step) -> Iterator[Size]:
    """Multiplies of the gradients of a layer's own tensors: what these add to the gradients of inputs."""
    return (backward_macs(each) - backward_macs(each, tensors=frozenset()) for each in step.layers)


def train_macs(step: Step) -> Iterator[Size]:
    """Multiplies of the forward pass, of checkpointed segments once more, and of the backward pass."""
    for each, again in zip(step.layers, recomputed_macs(step)):
        yield each.macs + again + backward_macs(each)


def recomputed_macs(step: Step) -> Iterator[Size]:
    """Multiplies of checkpointed segments when they are computed again."""
    again = step.computed_again
    return (each.macs if each.name in again else 0 for each in step.layers)


def backward_macs(each: StepLayer, **changed: Any) -> Size:
    """Multiplies of the gradients that are wanted of a layer; `changed` are fields of Wanted."""
    wanted = each.wanted._replace(**changed)
    found: Size = each.layer.op.backward_macs(*each.input_shapes, out=each.layer.output_shape, wanted=wanted)
    return found


def train_elementwise(step: Step) -> Iterator[Size]:
    """All other arithmetic of a step: forward in training, gradients, their sums at forks, the loss, the update."""
    sums = gradient_sums(step.layers)
    is_read = {source for each in step.layers for source in each.layer.inputs}
    again = step.computed_again
    for each, update in zip(step.layers, update_operations(step)):
        layer = each.layer
        total = (2 if each.name in again else 1) * each.elementwise + update
        total = total + layer.op.train_elementwise(*each.input_shapes, out=layer.output_shape, wanted=each.wanted)
        if each.name in sums:
            total = total + sums[each.name] * elements(layer.output_shape)
        if not layer.op.is_input and leaves(layer, is_read):
            total = total + LOSS_OPERATIONS * elements(layer.output_shape)
        yield total


def gradient_sums(layers: Sequence[StepLayer]) -> dict[Any, Size]:
    """How many gradients are added to the first of each output; the outputs with one gradient are left out.

    A layer in a copy that stands for several adds one in each of them, if all of them read the same tensor.
    """
    arriving: dict[Any, list[Size]] = {}
    for each in layers:
        for source, own in zip(each.layer.inputs, each.wanted.inputs):
            if own:
                copies = prod(block.copies for block in each.layer.blocks if source in block.fixed)
                arriving.setdefault(source, []).append(copies)
    return {source: sum(times) - 1 for source, times in arriving.items() if len(times) > 1}


def update_operations(step: Step) -> Iterator[Size]:
    """Arithmetic of the optimizer."""
    return (step.optimizer.operations * size for size in trainable_params(step))


def trainable_params(step: Step) -> Iterator[Size]:
    """Learned scalars that are trained; shared tensors once."""
    for each in step.layers:
        yield sum(elements(tensor.shape) for tensor in each.own if tensor.name in each.wanted.tensors)


def frozen_params(step: Step) -> Iterator[Size]:
    """Learned scalars that are not trained."""
    for each in step.layers:
        learned = (tensor for tensor in each.own if tensor.role != "buffer")
        yield sum(elements(tensor.shape) for tensor in learned if tensor.name not in each.wanted.tensors)


def saved_bytes(step: Step) -> Iterator[Size]:
    """Bytes that are kept for the backward pass, each tensor under the layer that writes it; the loss's apart."""
    kept = kept_bytes(step.layers, step.dtype)
    return (kept.get(each.name, 0) for each in step.layers)


def memory_bytes(step: Step) -> Iterator[Size]:
    """Weights, buffers, and the most activations that are held at inference while a layer is computed."""
    sizes = (each.layer.copies * elements(tensor.shape) for each in step.layers for tensor in each.own)
    stays = sum(sizes) * step.dtype.scale("weights")
    element = step.dtype.scale("activations")
    held = live_elements([each.layer for each in step.layers])
    return (stays + elements_held * element for elements_held in held)


def train_peak_bytes(step: Step) -> Iterator[Size]:
    """The most bytes held while a layer is computed, forward, backward or in the update."""
    highest: dict[Any, Size] = {}
    for (name, _), peak in step_peaks(step.layers, step.dtype, step.optimizer).items():
        highest[name] = maximum(highest[name], peak) if name in highest else peak
    return (highest.get(each.name, 0) for each in step.layers)
