"""The loss of a training step: cross-entropy of each output, and the gradients of the outputs."""

from __future__ import annotations

from costcalc.analysis.training.forward_events import ForwardEvents
from costcalc.analysis.training.step_layers import StepLayer
from costcalc.analysis.training.timeline import TEMPORARY, Change
from costcalc.dims import Shape, Size, elements, exact_div
from costcalc.ops.precision import SINGLE_BYTES
from costcalc.train_step import SCALAR_BYTES


class LossEvents(ForwardEvents):
    """The events of the loss, and of the gradients that it hands to the layers."""

    def losses(self) -> None:
        """Cross-entropy of each output, added up. The outputs are held until all losses are made."""
        for each in self.outputs:
            self.take("cast of the output", self.loss_size(each) if self.casts_output(each) else 0)
            self.take(("log-softmax", each.name), self.loss_size(each))
            self.timeline.append(Change(TEMPORARY, SCALAR_BYTES))  # the loss, which a loop holds to the end of the step
            self.take(("weight of targets", each.name), SCALAR_BYTES)
            self.moment(each.name, "loss")
            self.free("cast of the output")
            if not each.wanted.any:
                self.free(("weight of targets", each.name))
                self.free(("log-softmax", each.name))
        self.timeline.append(Change(TEMPORARY, SCALAR_BYTES if len(self.outputs) > 1 else 0))  # their sum
        for owner in self.output_owners - self.kept.keepers.keys():
            self.free(owner)

    def loss_gradients(self) -> None:
        """The gradients of the outputs, the last first; the log-softmax of each is held until then."""
        self.take("gradient of the loss", SCALAR_BYTES)
        for each in reversed(self.outputs):
            if each.wanted.any:
                self.loss_gradient(each)
            self.free(("weight of targets", each.name))
            self.free(("log-softmax", each.name))

    def loss_gradient(self, each: StepLayer) -> None:
        """The gradient of an output, by way of that of its log-softmax, and of its cast in mixed precision."""
        key = ("gradient", each.name)
        self.take("of the log-softmax", self.loss_size(each))
        self.moment(each.name, "loss")
        self.free(("weight of targets", each.name))
        first = ("first", key) if self.casts_output(each) else key
        self.take(first, self.loss_size(each))
        self.moment(each.name, "loss")
        self.free("of the log-softmax")
        if first != key:
            self.free(("log-softmax", each.name))
            self.take(key, self.size_of(each.name))
            self.moment(each.name, "loss")
            self.free(first)
        self.gradient[each.name] = key
        self.holders[key] = 1

    def casts_output(self, each: StepLayer) -> bool:
        """Does mixed precision cast an output for its loss, which is float32?"""
        return self.dtype.is_mixed and self.widths[each.name].output != SINGLE_BYTES

    def loss_size(self, each: StepLayer) -> Size:
        """The bytes of the log-softmax of an output."""
        out = elements(each.layer.output_shape)
        return out * (SINGLE_BYTES if self.dtype.is_mixed else self.widths[each.name].output)


def targets(output: Shape) -> Size:
    """How many targets cross-entropy takes for an output (n, classes, …)."""
    return exact_div(elements(output), output[1]) if len(output) > 1 else elements(output)
