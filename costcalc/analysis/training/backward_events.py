"""The backward pass of a training step: the gradients that its layers make, from the last to the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costcalc.analysis.training.loss_events import LossEvents
from costcalc.analysis.training.step_layers import StepLayer
from costcalc.analysis.training.timeline import GRADIENTS
from costcalc.dims import Size, decided, elements, same_shape
from costcalc.ops.precision import HALF_BYTES, SINGLE_BYTES

Gradients = list[tuple[Any, Any]]  # the layer that wrote an input, and the key of the memory of its gradient


class BackwardEvents(LossEvents):
    """The events of the backward pass."""

    def backward(self, each: StepLayer) -> None:
        """A layer takes memory for its gradients, then gives back what it kept and the gradient of its output."""
        if not each.wanted.any:
            return
        if each.layer.op.lies_in_weights:
            self.hand_to_tensor(each)
            return
        above = self.cast_above(each, self.gradient.pop(each.name))
        made, in_other_shapes = self.input_gradients(each, above)
        again = self.tensor_gradients(each)
        width = self.widths[each.name]
        workspace = each.layer.op.backward_workspace(*each.input_shapes, wanted=each.wanted, each=width.own)
        self.take("temporary", again + workspace)
        self.moment(each.name, "backward")
        self.free("temporary")
        one_kernel = len(made) > 1 and width.cast is None  # which holds what it reads until all is done
        if one_kernel:
            self.reduce(each, in_other_shapes)
        self.give_back_kept(each)
        self.release(above)
        if not one_kernel:
            self.reduce(each, in_other_shapes)
        self.cast_tensor_gradients(each)
        for source, key in made:
            self.accumulate(source, key)

    def hand_to_tensor(self, each: StepLayer) -> None:
        """The gradient of a tensor that is an operand becomes the tensor's; a copy of it, if another layer holds it."""
        if each.name not in self.gradient:  # no layer reads it, so torch makes none
            return
        above = self.gradient.pop(each.name)
        is_shared = self.holders[above] > 1
        if not is_shared:
            self.release(above)
        self.tensor_gradients(each)
        if is_shared:
            self.moment(each.name, "backward")
            self.release(above)

    def cast_above(self, each: StepLayer, above: Any) -> Any:
        """Returns the key of the gradient of a layer's output as its kernel reads it: a float32 copy, if it computes in
        float32 and the output is not."""
        if self.widths[each.name].cast != SINGLE_BYTES or self.widths[each.name].output == SINGLE_BYTES:
            return above
        key = ("float32", above, each.name)
        self.take(key, elements(each.layer.output_shape) * SINGLE_BYTES)
        self.moment(each.name, "backward")
        self.holders[key] = 1
        self.release(above)
        return key

    def input_gradients(self, each: StepLayer, above: Any) -> tuple[Gradients, dict[Any, Size]]:
        """Takes memory for the gradients of inputs, unless that of the output serves. Returns their keys, each with the
        layer that wrote the input, and the sizes of those that are first made in another shape or width."""
        made: Gradients = []
        in_other_shapes: dict[Any, Size] = {}
        for i, (source, wants) in enumerate(zip(each.layer.inputs, each.wanted.inputs)):
            if not wants:
                continue
            element, own = self.widths[source].output, self.widths[each.name]
            if hands_on(each, i) and element == own.output:
                self.holders[above] += 1
                made.append((source, above))
                continue
            key = ("gradient", source, each.name, i)
            size = elements(each.input_shapes[i]) * element
            shape = each.layer.op.gradient_shape(i, each.input_shapes, each.layer.output_shape)
            if shape is None and own.cast in (None, element):
                self.take(key, size)
            else:
                in_other_shapes[key] = size
                first = elements(each.input_shapes[i] if shape is None else shape)
                self.take(("first", key), first * (own.cast or element))
            self.holders[key] = 1
            made.append((source, key))
        return made, in_other_shapes

    def tensor_gradients(self, each: StepLayer) -> Size:
        """Takes memory for the gradients of a layer's tensors. Returns the size of those that are added to one that a
        layer with the same tensors has made."""
        again: Size = 0
        for tensor in each.tensors:
            if tensor.name not in each.wanted.tensors:
                continue
            owner = each.owner_of(tensor)
            size = elements(tensor.shape) * self.bytes_of_weights
            if self.widths[each.name].cast == HALF_BYTES:
                self.take(("half", each.name, tensor.name), elements(tensor.shape) * HALF_BYTES)
            elif ("of", owner, tensor.name) in self.held:
                again = again + size
            else:
                self.take(("of", owner, tensor.name), size, GRADIENTS)
        return again

    def cast_tensor_gradients(self, each: StepLayer) -> None:
        """Gradients of tensors that mixed precision made in half precision become float32, one after another."""
        if self.widths[each.name].cast == HALF_BYTES:
            for tensor in each.tensors:
                if tensor.name not in each.wanted.tensors:
                    continue
                key = ("of", each.owner_of(tensor), tensor.name)
                size = elements(tensor.shape) * self.bytes_of_weights
                self.take(("second", *key) if key in self.held else key, size, GRADIENTS)
                self.moment(each.name, "backward")
                self.free(("half", each.name, tensor.name))
                self.free(("second", *key))

    def reduce(self, each: StepLayer, first: Mapping[Any, Size]) -> None:
        """Gradients that were made in another shape become those of the inputs."""
        for key, size in first.items():
            self.take(key, size)
            self.moment(each.name, "backward")
            self.free(("first", key))

    def release(self, key: Any) -> None:
        """A layer no longer waits for this gradient; the last one frees it."""
        self.holders[key] -= 1
        if not self.holders[key]:
            self.free(key)

    def accumulate(self, source: Any, key: Any) -> None:
        """A gradient arrives at an output; a second one is added to the first: in place, if nothing else needs that."""
        if source not in self.gradient:
            self.gradient[source] = key
            return
        first = self.gradient[source]
        if self.adds_in_place and self.holders[first] == 1:
            self.release(key)
            return
        both = ("sum", source, first, key)
        self.take(both, self.size_of(source))
        self.holders[both] = 1
        self.moment(source, "backward")
        self.release(first)
        self.release(key)
        self.gradient[source] = both


def hands_on(each: StepLayer, i: int) -> bool:
    """Does the gradient of an input lie in the memory of the output's? The gradient of a stretched input is a sum."""
    op, out = each.layer.op, each.layer.output_shape
    if not op.hands_on_gradient or op.output.keeps_values:
        return bool(op.hands_on_gradient)
    return decided(same_shape(each.input_shapes[i], out), f"whether {each.name} stretches an input")
