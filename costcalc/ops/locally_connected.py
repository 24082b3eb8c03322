"""A convolution that shares no weights: every position has filters of its own."""

from __future__ import annotations

from typing import Any

from costcalc.dims import Shape, Size, elements, prod
from costcalc.ops.base import op
from costcalc.ops.conv import CHANNELS_SYNONYMS, bias_adds
from costcalc.ops.fields import ExplicitPadding, Flag, PerAxis, PositiveInt
from costcalc.ops.gradients import NOTHING, Extra, Kept, Wanted, bias_sums
from costcalc.ops.output import computed
from costcalc.ops.precision import in_half
from costcalc.ops.reads import reads_window
from costcalc.ops.rules import Tensor, of_weight_and_input
from costcalc.ops.window import output_sizes, positions_on_input, window_elements, window_fits


@op
class LocallyConnected:
    """A convolution with other filters, and biases, at every position.   (n, c_in, h, w) -> (n, channels, h', w')

    Keras has it as LocallyConnected2D; CS231n counts AlexNet's first layer so, to show what sharing saves.
    """

    channels: PositiveInt
    kernel: PerAxis
    stride: PerAxis = 1
    padding: ExplicitPadding = 0
    bias: Flag = True

    synonyms = ("locally_connected1d", "locally_connected2d", "locallyconnected1d", "locallyconnected2d")
    field_synonyms = CHANNELS_SYNONYMS | {"kernel_size": "kernel", "strides": "stride"}
    derived_fields = ("in_channels",)
    features_axis = 1
    dilation = 1

    needs = window_fits

    def shape(self, x: Shape) -> Shape:
        return (x[0], self.channels, *output_sizes(self, x))

    reads = reads_window
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        positions = output_sizes(self, x)
        weight = Tensor("weight", (prod(positions), x[1] * window_elements(self, x), self.channels))
        bias = Tensor("bias", (self.channels, *positions), "bias")
        return (weight, bias) if self.bias else (weight,)

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # as a convolution: each output element is one dot product over a k×k window of all channels
        return elements(out) * window_elements(self, x) * x[1]

    def macs_on_input(self, x: Shape, *, out: Shape) -> Size:
        return elements(out[:2]) * positions_on_input(self, x) * x[1]

    backward_macs = of_weight_and_input
    elementwise = bias_adds
    train_elementwise = bias_sums

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        # a copy of every window for the weight's gradient, the weight for the input's
        if not (wanted.x or "weight" in wanted.tensors):
            return NOTHING
        windows = (Extra(_window_elements(self, x, out)),) if "weight" in wanted.tensors else ()
        return Kept(extra=windows, weights=("weight",) if wanted.x else ())

    autocast = in_half

    def gradient_shape(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Shape | None:
        """That of all windows, first."""
        return (_window_elements(self, ins[i], out),)


def _window_elements(self: Any, x: Shape, out: Shape) -> Size:
    """The elements of all windows."""
    return x[0] * prod(out[2:]) * x[1] * window_elements(self, x)
