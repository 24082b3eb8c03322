"""A user's own op, as in their module or notebook, and a spec that uses it.

A test imports this inside a function and unregisters the op again, since other tests look at all registered ops.
"""

from costcalc import dims, ops
from costcalc.ops.fields import PositiveInt
from costcalc.ops.needs import AtLeast


@ops.op
class LowRank:
    """y = U·(V·x) along the last axis, of rank `rank`.   (…, in) -> (…, features)"""

    features: PositiveInt
    rank: PositiveInt = 4

    layout = "plain"
    synonyms = ("lora",)
    derived_fields = ("in_features",)
    features_axis = -1

    def needs(self, x):
        words = "rank = {} is more than the {} features of the input"
        yield AtLeast(x[-1], self.rank, message=words, message_sizes=(self.rank, x[-1]))

    def shape(self, x):
        return (*x[:-1], self.features)

    output = ops.computed(inplace=False, overwritable=True)

    def weights(self, x):
        return ops.Tensor("v", (self.rank, x[-1])), ops.Tensor("u", (self.features, self.rank))

    def macs(self, x, *, out):
        return dims.elements(x[:-1]) * self.rank * (x[-1] + self.features)

    elementwise = ops.free("both products are multiplies")
    train_elementwise = ops.gradients_move

    def backward_macs(self, x, *, out, wanted):
        first, second = (dims.elements(x[:-1]) * self.rank * n for n in (x[-1], self.features))
        of_first = wanted.x or "v" in wanted.tensors
        return first * (wanted.x + ("v" in wanted.tensors)) + second * (of_first + ("u" in wanted.tensors))

    def keeps(self, x, *, out, wanted):
        inner = dims.elements(x[:-1]) * self.rank
        return ops.Kept(
            (0,) if "v" in wanted.tensors else (), extra=((inner, "activations"),) if "u" in wanted.tensors else ()
        )


SPEC = """
name: own
title: A linear layer of low rank behind a convolution
source: a test
knobs: {r: {default: 8, max: 64}, k: {default: 4, max: 64, about: rank}}
input: [3, r, r]
layers:
  - conv: {channels: 16, kernel: 3, padding: same}
  - relu
  - flatten
  - low_rank: {features: 10, rank: k}
  - relu
"""


def builder():
    """How torch makes the op: two linear layers without a bias."""
    import torch
    from torch import nn

    class Module(nn.Module):
        def __init__(self, op, inputs):
            super().__init__()
            self.v = nn.Parameter(torch.randn(op.rank, inputs))
            self.u = nn.Parameter(torch.randn(op.features, op.rank))

        def forward(self, x):
            return x @ self.v.T @ self.u.T

    return lambda op, x: Module(op, x[-1])
