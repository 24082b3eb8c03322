"""The forward pass of a training step: the memory that its layers take and give back; and its recomputation."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.training.kept import keeps
from costcalc.analysis.training.memory_layout import wide_axes
from costcalc.analysis.training.step_layers import StepLayer
from costcalc.analysis.training.step_memory import StepMemory, memory_key
from costcalc.analysis.training.timeline import KEPT, TEMPORARY, Change
from costcalc.dims import Size, elements
from costcalc.errors import UsageError
from costcalc.ops.gradients import NOTHING


class ForwardEvents(StepMemory):
    """The events of the forward pass."""

    def forward(self, i: int, each: StepLayer) -> None:
        """Takes memory for the output of a layer and what it keeps, then frees what no later layer reads."""
        if each.name in self.inputs or each.layer.op.lies_in_weights:
            return
        owner = self.where[each.name].owner
        self.take(("extra", each.name), self.kept.extra.get(each.name, 0), KEPT)
        self.take_casts(each, keeps_casts=each.segment is None)
        self.take("temporary", self.temporaries(each) + self.between_kernels(each))
        if owner == each.name:
            self.take(owner, self.size_of(owner), KEPT if owner in self.kept.keepers else TEMPORARY)
        self.moment(each.name, "forward")
        self.free("temporary")
        for name in self.owners(each):
            if self.last_use[name] == i and name not in self.stays and name not in self.kept.keepers:
                self.free(name)

    def owners(self, each: StepLayer) -> set[Any]:
        """The owners of the memory that a layer reads and writes."""
        return {self.where[name].owner for name in (each.name, *each.layer.inputs)}

    def again(self, segment: str) -> None:
        """Computes a checkpointed segment a second time, up to the last tensor that it keeps; torch stops there."""
        layers = self.kept.computed_again[segment]
        inside = {each.name for each in layers}
        last_use, before = self.last_uses(layers), None
        for i, each in enumerate(layers):
            self.between(before, each)
            self.take(("extra", each.name), self.kept.extra_again.get(each.name, 0), KEPT)
            self.take_casts(each, keeps_casts=True)
            self.take("temporary", self.temporaries(each, again=True) + self.between_kernels(each))
            owner = self.where[each.name].owner
            if owner == each.name and not self.kept.is_weight(owner) and self.kept.runs_again(each):
                kind = KEPT if owner in self.kept.again else TEMPORARY
                self.take(memory_key(owner, True), self.size_of(owner), kind)
            self.moment(each.name, "recomputation")
            self.free("temporary")
            for name in (self.owners(each) & inside) - self.kept.again.keys():
                if last_use[name] == i:
                    self.free(memory_key(name, True))
            before = each
        self.between(before, None)
        self.forget_casts()

    def temporaries(self, each: StepLayer, again: bool = False) -> Size:
        """Bytes that a layer makes besides its output and does not keep, because no gradient of it is wanted or it is
        checkpointed."""
        if each.wanted.any and (again or each.segment is None):
            return self.cast_inputs(each)
        wanted = each.wanted
        if not wanted.any:
            wanted = wanted._replace(inputs=tuple([True for _ in wanted.inputs]))
        try:
            found = keeps(each._replace(wanted=wanted))._replace(weights=())
        except UsageError:  # a kernel's own, which are not known
            found = NOTHING
        return self.kept.extra_bytes(each, found) + self.cast_inputs(each, but=found.inputs)

    def cast_inputs(self, each: StepLayer, but: tuple[int, ...] | None = None) -> Size:
        """Bytes of the casts of inputs in mixed precision, without those that are kept."""
        if (cast := self.widths[each.name].cast) is None:
            return 0
        kept = self.kept.asked[each.name].inputs if but is None else but
        others = (x for i, x in enumerate(each.input_shapes) if i not in kept and self.kept.is_cast(each, i))
        return sum(elements(x) * cast for x in others)

    def take_casts(self, each: StepLayer, *, keeps_casts: bool) -> None:
        """Casts of tensors in mixed precision: those of trained tensors are held to the end of the forward pass."""
        for key, size in self.kept.cast_weights(each):
            if keeps_casts and key[1] in self.kept.asked[each.name].weights:
                continue
            if key[1] in each.wanted.tensors and ("cast", *key) not in self.held:
                self.timeline.append(Change(TEMPORARY, size))
                self.held["cast", *key] = Change(TEMPORARY, size * each.layer.copies)  # freed after all copies

    def forget_casts(self) -> None:
        """The end of autocast frees the casts of tensors."""
        for key in [key for key in self.held if key.__class__ is tuple and key[0] == "cast"]:
            self.free(key)

    def between_kernels(self, each: StepLayer) -> Size:
        """Bytes between the kernels of a layer: an output before it is cast, a sum of more than two inputs, and a
        product before its bias is added, which is a kernel of its own if the axes of the input are not in order."""
        op, width = each.layer.op, self.widths[each.name]
        if width.cast not in (None, width.output):
            return elements(each.layer.output_shape) * width.cast
        if op.is_join:
            adds = len(each.layer.inputs) > 2 and op.hands_on_gradient and not op.output.keeps_values
            return self.size_of(each.name) if adds else 0
        if op.joined_axes is None or op.output.view or len(each.own) < 2:
            return 0
        memory = self.where[each.layer.inputs[0]]
        if memory.is_plain or len(each.input_shapes[0]) == 2:
            return 0
        wide, broken = wide_axes(memory, each.input_shapes[0])
        return self.size_of(each.name) if broken or wide != sorted(wide) else 0
