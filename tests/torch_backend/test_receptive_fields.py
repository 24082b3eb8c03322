"""Receptive fields beside torch: where the gradient of one output element is not zero, if all weights are positive."""

import random

import pytest
from support import little_nets, needed

torch = needed.module("torch", "torch")

from support.function_module import Function  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.errors import ShapeError  # noqa: E402
from costcalc.torch_backend import build  # noqa: E402

SPREADS = ("conv_transpose", "upsample", "adaptive_average_pool")


def random_layer(rng):
    kernel, stride = rng.randint(1, 4), rng.randint(1, 3)
    padding, dilation = rng.randint(0, (kernel - 1) // 2), rng.randint(1, 3)
    return rng.choice([
        ops.Conv(2, (kernel, rng.randint(1, 5)), stride, padding, dilation), ops.Depthwise(kernel, (1, stride)),
        ops.AveragePool(kernel, stride, padding), ops.ConvTranspose(2, kernel, stride, 0, 0, dilation),
        ops.Upsample(stride), ops.AdaptiveAveragePool((7, rng.randint(4, 9))), ops.Identity(),
    ])  # fmt: skip


def random_network(rng):
    graph = costcalc.new_graph()
    last = costcalc.add(graph, "x", ops.Input((1, 2, 120, 130)))
    for i in range(rng.randint(1, 5)):
        if rng.random() < 0.3:  # branches that need not be centred alike
            kernel, stride = rng.randint(1, 4), rng.randint(1, 2)
            before = rng.randrange(kernel)
            zeros = costcalc.add(graph, f"zeros{i}", ops.Pad([2, 3], [before], [kernel - 1 - before]), last)
            branches = (ops.Conv(2, kernel, stride), zeros), (ops.Conv(2, 1, stride), last)
            ends = [costcalc.add(graph, f"branch{i}_{n}", op, source) for n, (op, source) in enumerate(branches)]
            last = costcalc.add(graph, f"sum{i}", ops.Add(), *ends)
        else:
            last = costcalc.add(graph, f"layer{i}", random_layer(rng), last)
    return graph


def widest_footprint(module, x):
    """The largest extent along both axes of the input elements that one output element depends on."""
    out, wide = module(x), [0, 0]
    rows, columns = out.shape[2:]
    for row in {*range(min(rows, 8)), rows // 2}:
        for column in {*range(min(columns, 8)), columns // 2}:
            (gradient,) = torch.autograd.grad(out[0, :, row, column].sum(), x, retain_graph=True)
            for axis, places in enumerate(torch.nonzero(gradient[0].sum(0), as_tuple=True)):
                if places.numel():  # not between the stamps of a transposed convolution
                    wide[axis] = max(wide[axis], int(places.max() - places.min()) + 1)
    return wide


@pytest.mark.parametrize("seed", range(30))
def test_it_is_where_gradients_are(seed):
    rng = random.Random(seed)
    while True:
        graph = random_network(rng)
        try:
            wide = [*costcalc.cost(graph).total("receptive_field")]
            break
        except ShapeError:
            pass
    wide = wide * 2 if len(wide) == 1 else wide
    module = build(graph).double()
    for parameter in module.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    x = torch.ones(1, 2, 120, 130, dtype=torch.float64, requires_grad=True)
    found = widest_footprint(module, x)
    at_most = any(data["op"].name in SPREADS for _, data in graph.nodes(data=True))  # behind it places lie unevenly
    for seen, said, size in zip(found, wide, (120, 130)):
        if said == "whole":
            assert seen > 0.8 * size
        elif at_most or said > size // 2:  # windows may reach into padding
            assert seen <= said
        else:
            assert seen == said


def windows(self, x):
    """Attention within windows of 3×3 patches, which are copied to lie together, and back."""
    n, c, h, w = (x := self.a(x)).shape
    y = x.view(n, c, h // 3, 3, w // 3, 3).permute(0, 2, 4, 3, 5, 1).reshape(-1, 9, c)
    y = F.scaled_dot_product_attention(y, y, y)
    y = y.view(n, h // 3, w // 3, 3, 3, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)
    return x + y


def merged(self, x):
    """Every other row and column, beside those between."""
    x = self.a(x)
    return self.b(torch.cat([x[:, :, ::2, ::2], x[:, :, 1::2, ::2], x[:, :, ::2, 1::2], x[:, :, 1::2, 1::2]], 1))


SLICED = {
    "windows": (windows, [12, 12]), "every other": (merged, [4 + 4 * 5] * 2),
    "every third": (lambda self, x: self.c(self.a(x)[:, :, 2::3, 1:]), [4 + 2 * 12, 4 + 2 * 4]),
}  # fmt: skip


@pytest.mark.parametrize("name", SLICED)
def test_what_slices_and_windows_see_is_where_gradients_are(name):
    forward, wide = SLICED[name]
    module = Function(
        forward, a=torch.nn.Conv2d(2, 2, 4, 4), b=torch.nn.Conv2d(8, 2, 3), c=torch.nn.Conv2d(2, 2, 3)
    ).double()
    for parameter in module.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    x = torch.rand(1, 2, 96, 96, dtype=torch.float64, requires_grad=True)
    assert widest_footprint(module, x) == wide
    found = costcalc.load(module.float(), (1, 2, 96, 96)).cost().total("receptive_field")
    assert list(found) in (wide, wide[:1])


@pytest.mark.parametrize("seed", range(16))
def test_joins_behind_sampling_up_and_down_are_exact(seed):
    """More seeds at night: tests/nightly/receptive_fields.py."""
    said, seen = little_nets.fields(seed)
    assert said == seen and 0 < said < little_nets.LENGTH // 2  # within the input, so that gradients can tell


class Patches(torch.nn.Module):
    """A vision transformer's first layers; copies stand between them, as torch makes them."""

    def __init__(self):
        super().__init__()
        self.patch = torch.nn.Conv2d(3, 8, 4, 4)
        self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        tokens = torch.nn.functional.pad(self.patch(x), (0, 0, 0, 0)).flatten(2).permute(0, 2, 1).clone()
        return self.attention(tokens, tokens, tokens, need_weights=False)[0]


def test_copies_in_order_hide_nothing_and_after_attention_it_is_the_whole_input():
    cost = costcalc.load(Patches(), torch.ones(1, 3, 16, 24)).cost()
    seen = {row.name: cost.value("receptive_field", i) for i, row in enumerate(cost.layers)}
    assert [*cost.total("receptive_field")] == ["whole", "whole"]
    assert {tuple(value) for value in seen.values() if value} <= {(1, 1), (4, 4), ("whole", "whole")}
