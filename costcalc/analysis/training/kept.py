"""What a training step keeps from the forward to the backward pass: autograd's saved tensors, each memory once.

A tensor is kept if its writer or one of its readers needs it for a gradient. Views, and layers that write over their
input, share its memory. Weights and buffers are held anyway and not counted here; the casts that mixed
precision makes of weights are counted. A checkpointed segment keeps its inputs from the forward pass on, and what its
layers need from their recomputation on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from costcalc.analysis.training.memory_layout import copies_first, outputs_in_memory
from costcalc.analysis.training.step_layers import StepLayer
from costcalc.analysis.training.widths import widths_of
from costcalc.dims import Size, elements
from costcalc.dtype import Dtype
from costcalc.errors import UsageError
from costcalc.ops.gradients import NOTHING, Kept
from costcalc.ops.precision import HALF_BYTES
from costcalc.ops.rules import free

Keepers = dict[Any, set[Any]]  # outputs, by the layer that owns their memory, and what keeps each


class Segment(NamedTuple):
    """A checkpointed row, which keeps its inputs."""

    name: str


class KeptTensors:
    """The tensors that a step keeps: `keepers`, outputs and what keeps each, and `extra`, bytes that a layer makes and
    keeps besides its output. `again` and `extra_again`: the same from the recomputation of a segment on."""

    def __init__(self, layers: Sequence[StepLayer], dtype: Dtype):
        self.layers, self.widths, self.where = layers, widths_of(layers, dtype), outputs_in_memory(layers)
        self.bytes_of_weights = dtype.scale("weights")
        self.by_name = {each.name: each for each in layers}
        self.asked = {each.name: keeps(each) for each in layers}
        self.casts: set[Any] = set()  # of weights that train: autocast remembers them for the next layer
        self.keepers: Keepers = {}
        self.again: Keepers = {}
        self.extra: dict[Any, Size] = {}
        self.extra_again: dict[Any, Size] = {}
        for each in layers:
            self._add(each)

    def _add(self, each: StepLayer) -> None:
        extra = self.extra_again if each.segment else self.extra
        own = self.extra_bytes(each, self.asked[each.name])
        if own.__class__ is not int or own:
            extra[each.name] = own
        for owner in self._kept_whole(each):
            if self.is_weight(owner):
                continue
            if each.segment is None:
                self.keepers.setdefault(owner, set()).add(each.name)
            elif self.by_name[owner].segment == each.segment:
                self.again.setdefault(owner, set()).add(each.name)
        if each.segment in self.saving_segments:
            for source in each.layer.inputs:
                if self.by_name[source].segment != each.segment and not self.is_weight(self.where[source].owner):
                    self.keepers.setdefault(self.where[source].owner, set()).add(Segment(each.segment))

    def is_weight(self, owner: Any) -> bool:
        """Is this memory a tensor of the network?"""
        return bool(self.by_name[owner].layer.op.lies_in_weights)

    @cached_property
    def saving_segments(self) -> set[str]:
        """The segments that keep anything. torch frees the inputs of others, such as a frozen one."""
        return {each.segment for each in self.layers if each.segment and self.saves(each)}

    @cached_property
    def computed_again(self) -> dict[str, list[StepLayer]]:
        """The layers of each checkpointed segment up to the last that keeps anything: torch stops there."""
        found: dict[str, list[StepLayer]] = {}
        last = {each.segment: i for i, each in enumerate(self.layers) if each.segment and self.saves(each)}
        for i, each in enumerate(self.layers):
            if each.segment and i <= last.get(each.segment, -1):
                found.setdefault(each.segment, []).append(each)
        return found

    def runs_again(self, each: StepLayer) -> bool:
        """Does a layer that is computed again run its kernel? The last stops before it if it keeps nothing that the
        kernel makes: products keep their factors, and a padded copy of one."""
        if each is not self.computed_again[each.segment or ""][-1]:
            return True
        found = self.asked[each.name]
        return found.output or (bool(found.extra) and isinstance(each.layer.op.macs, free))

    def run_again(self) -> Iterator[StepLayer]:
        """The layers of checkpointed segments whose kernels run once more for the gradients."""
        return filter(self.runs_again, chain.from_iterable(self.computed_again.values()))

    def saves(self, each: StepLayer) -> bool:
        """Does a layer keep anything, a weight too?"""
        return self.asked[each.name] != NOTHING

    def _kept_whole(self, each: StepLayer) -> Iterator[Any]:
        """The owners of the inputs and the output that a layer keeps as they lie in memory, without a copy."""
        found = self.asked[each.name]
        for i in found.inputs:
            if not self._keeps_copy(each, i):
                yield self.where[each.layer.inputs[i]].owner
        if found.output:
            yield self.where[each.name].owner

    def _keeps_copy(self, each: StepLayer, i: int) -> bool:
        """Does a layer keep a copy of this input, because it writes over it, casts it, or joins axes that lie apart?"""
        if i == each.over or self.is_cast(each, i):
            return True
        return copies_first(
            each.layer.op, self.where[each.layer.inputs[i]], each.input_shapes[i], each.layer.output_shape
        )

    def is_cast(self, each: StepLayer, i: int) -> bool:
        """Is an input cast before it is read?"""
        cast = self.widths[each.name].cast
        return cast is not None and cast != self.widths[each.layer.inputs[i]].output

    def extra_bytes(self, each: StepLayer, found: Kept) -> Size:
        """The bytes that a layer makes and keeps besides its output."""
        width = self.widths[each.name]
        bytes_of = {"activations": width.own, "weights": self.bytes_of_weights}
        total: Size = sum(size * (bytes_of[unit] if isinstance(unit, str) else unit) for size, unit in found.extra)
        for i in found.inputs:
            if self._keeps_copy(each, i):
                element = self.widths[each.layer.inputs[i]].output if width.cast is None else width.cast
                total = total + elements(each.input_shapes[i]) * element
        for key, size in self.cast_weights(each):
            if key[1] in found.weights and key not in self.casts:
                total = total + size
                self.casts.update({key} if key[1] in each.wanted.tensors else ())
        return total

    def cast_weights(self, each: StepLayer) -> Iterator[tuple[tuple[Any, str], Size]]:
        """The tensors that mixed precision casts to bfloat16, by their owner and name, with the bytes of the cast."""
        if self.widths[each.name].cast == HALF_BYTES:
            for tensor in each.tensors:
                yield (each.owner_of(tensor), tensor.name), elements(tensor.shape) * HALF_BYTES

    def size_of(self, name: Any) -> Size:
        """The bytes of an output."""
        return elements(self.by_name[name].layer.output_shape) * self.widths[name].output


def keeps(each: StepLayer) -> Kept:
    """What the op of a layer keeps. Raises UsageError with the layer's name if that is not known."""
    try:
        found: Kept = each.layer.op.keeps(*each.input_shapes, out=each.layer.output_shape, wanted=each.wanted)
    except UsageError as error:
        raise UsageError(f"layer {str(each.layer.row)!r}: {error}") from None
    return found


def kept_bytes(layers: Sequence[StepLayer], dtype: Dtype) -> dict[Any, Size]:
    """The bytes that are kept from the forward pass on, under the layer that writes them; an input of the network under
    the first layer that keeps it."""
    kept = KeptTensors(layers, dtype)
    total = dict(kept.extra)
    for owner, keepers in kept.keepers.items():
        name = owner
        if kept.by_name[owner].layer.op.is_input:
            name = next(each.name for each in layers if keepers & {each.name, Segment(each.segment or "")})
        total[name] = total.get(name, 0) + kept.size_of(owner)
    return total
