"""Counts every product of a layer in plain loops, without our rules or torch's kernels.

A layer is written as its definition says. A scalar holds no value, but a bool: is its gradient wanted?
`Count.mac(a, b)` is one multiply-accumulate: one product forward, and backward, by the chain rule, one more for each of
a and b that wants a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np


@dataclass
class Count:
    """Products so far."""

    learns: frozenset[str] = frozenset()  # the layer's tensors that want a gradient, by name
    forward: int = 0
    backward: int = 0

    def mac(self, a: bool, b: bool) -> bool:
        """One product; it wants a gradient if one of its factors does."""
        self.forward += 1
        self.backward += int(a) + int(b)
        return a or b

    def dot(self, a, b) -> bool:
        """A sum of products."""
        wants = False
        for x, y in zip(a, b, strict=True):
            wants |= self.mac(x, y)
        return wants

    def matmul(self, a, b):
        """(m, k) @ (k, n) of any batch."""
        if a.ndim > 2:
            batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            a, b = (np.broadcast_to(t, (*batch, *t.shape[-2:])) for t in (a, b))
            return np.array([self.matmul(x, y) for x, y in zip(a, b, strict=True)])
        return np.array([[self.dot(row, column) for column in b.T] for row in a])


def per_axis(value, rank):
    return value if isinstance(value, tuple) else (value,) * rank


def windows(op, x, rank):
    """x with its zeros, the positions of a window, and the offsets inside it."""
    k, s, d = (per_axis(v, rank) for v in (op.kernel, op.stride, op.dilation))
    if op.padding == "same":
        total = [max((-(-n // t) - 1) * t + e * (f - 1) + 1 - n, 0) for n, f, t, e in zip(x.shape[2:], k, s, d)]
        zeros = [(t // 2, t - t // 2) for t in total]
    else:
        zeros = [(p, p) for p in per_axis(op.padding, rank)]
    # the padded tensor is one tensor: its zeros get a gradient too
    x = np.pad(x, [(0, 0), (0, 0), *zeros], constant_values=bool(x.flat[0]))
    starts = [range(0, n - e * (f - 1), t) for n, f, t, e in zip(x.shape[2:], k, s, d)]
    offsets = [[i * e for i in range(f)] for f, e in zip(k, d)]
    return x, [*product(*starts)], [*product(*offsets)]


def convolve(count, op, x, channels, groups=1, sees=None):
    """Every output map, position, input map it sees and offset."""
    x, positions, offsets = windows(op, x, x.ndim - 2)
    per_in, per_out = x.shape[1] // groups, channels // groups
    for image in x:
        for map_ in range(channels):
            seen = sees[map_] if sees else range(map_ // per_out * per_in, (map_ // per_out + 1) * per_in)
            for at in positions:
                for source, offset in product(seen, offsets):
                    count.mac(image[source][tuple(map(sum, zip(at, offset)))], "weight" in count.learns)


def conv(count, op, x):
    convolve(count, op, x, op.channels, op.groups)


def depthwise(count, op, x):
    convolve(count, op, x, x.shape[1] * op.multiplier, x.shape[1])


def partial_conv(count, op, x):
    convolve(count, op, x, len(op.sees), sees=op.sees)


def locally_connected(count, op, x):
    """As a convolution: each product has another weight, that is all."""
    convolve(count, op, x, op.channels)


def conv_transpose(count, op, x):
    """Every input element stamps a window on each map its group writes."""
    stamp = np.prod(per_axis(op.kernel, x.ndim - 2)) * (op.channels // op.groups)
    for element in x.flat:
        for _ in range(stamp):
            count.mac(element, "weight" in count.learns)


def linear(count, op, x):
    count.matmul(x.reshape(-1, x.shape[-1]), np.full((x.shape[-1], op.features), "weight" in count.learns))


def rbf(count, op, x):
    for row in x.reshape(-1, x.shape[-1]):
        for _ in range(op.features):
            d = row | ("weight" in count.learns)
            count.dot(d, d)


def mat_mul(count, op, a, b):
    count.matmul(a, b)


def contraction(count, op, a, b, *added):
    """Each element of the output is a dot product."""
    for _ in range(np.prod(op.size)):
        count.dot(np.full(op.products, a.any()), np.full(op.products, b.any()))


def attention(count, op, q, k, v, mask=None):
    groups = q.shape[-3] // k.shape[-3] if q.ndim > 3 else 1
    k, v = (np.repeat(x, groups, -3) if groups > 1 else x for x in (k, v))
    scores = count.matmul(q, k.swapaxes(-1, -2))
    count.matmul(scores if mask is None else scores | mask, v)


def recurrent(gates):
    """Layer by layer, direction by direction, step by step; a first hidden state that is not given is zero and wants
    nothing."""

    def run(count, op, x, *given):
        for layer in range(op.layers):
            directions = []
            for backwards in range(1 + op.bidirectional):
                of_cell = layer * (1 + op.bidirectional) + backwards
                first = [state[of_cell] for state in given] or [np.zeros((x.shape[0], op.hidden), bool)]
                from_first = any(state.any() for state in first)
                cell = f"_l{layer}{'_reverse' * backwards}"
                learned = {name.removesuffix(cell) for name in count.learns if name.endswith(cell)}
                h, states = first[0], []
                for step in range(x.shape[1])[:: -1 if backwards else 1]:
                    for _ in range(gates):
                        count.matmul(x[:, step], np.full((x.shape[2], op.hidden), "weight_ih" in learned))
                        count.matmul(h, np.full((op.hidden, op.hidden), "weight_hh" in learned))
                    h = np.full_like(h, bool(learned) or x.any() or from_first)  # it depends on all of these
                    states.append(h)
                directions.append(np.stack(states, 1))
            x = np.concatenate(directions, 2)
            x = np.full_like(x, x.any())  # a tensor has its gradient as a whole

    return run


def bilinear(count, op, x, y):
    """Forward x·W, and that times y. Backward torch's kernel makes the product of three factors anew for each gradient:
    first the two that are multiplied and summed, then what they make times the third."""
    n, left, right = int(np.prod(x.shape[:-1])), x.shape[-1], y.shape[-1]
    for _ in product(range(n), range(op.features), range(right)):
        count.forward += left + 1
    if x.flat[0]:  # of x: the gradient times W, summed over features, times y
        for _ in product(range(n), range(left), range(right)):
            count.backward += op.features + 1
    if "weight" in count.learns:  # x times the gradient, times y, at each element of W
        for _ in product(range(n), range(op.features), range(left)):
            count.backward += 1 + right
    if y.flat[0]:  # of y: x times W, summed over the inputs, times the gradient
        for _ in product(range(n), range(op.features), range(right)):
            count.backward += left + 1


LOOPS = {
    "conv": conv, "conv1d": conv, "conv2d": conv, "conv3d": conv, "depthwise": depthwise,
    "partial_conv": partial_conv, "locally_connected": locally_connected, "conv_transpose": conv_transpose,
    "linear": linear, "bilinear": bilinear, "rbf": rbf, "mat_mul": mat_mul,
    "contraction": contraction, "scaled_dot_product_attention": attention, "lstm": recurrent(4), "gru": recurrent(3),
}  # fmt: skip


def products(op, ins, wanted):
    """Products of one layer forward and backward, counted one by one, for the gradients that are `wanted`."""
    count = Count(wanted.tensors)
    LOOPS[op.name](count, op, *(np.full(x, want, bool) for x, want in zip(ins, wanted.inputs, strict=True)))
    return count.forward, count.backward
