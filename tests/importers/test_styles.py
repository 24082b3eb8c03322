"""Modules in many styles of code: params as `numel` has them, multiplies as torch's counter, nothing lost."""

import pytest
from support import needed

torch = needed.module("torch", "torch")

from support.function_module import Function  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.utils.parametrizations import weight_norm  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import costcalc  # noqa: E402
from costcalc.torch_backend import verify_net  # noqa: E402


def written(self, x):
    """A tensor of zeros that is filled through views."""
    out = torch.zeros(x.shape[0], 2, 4)
    out[:, 0] = self.a(x)
    out[:, 1] = x
    return self.b(torch.relu(out))


def experts(self, x):
    """A weighted sum of linear layers."""
    weights = torch.softmax(self.gate(x), -1)
    return sum(weights[..., i : i + 1] * expert(x) for i, expert in enumerate(self.experts))


def attention(self, x):
    """Queries, keys and values of one linear layer, as matrix products."""
    q, k, v = self.a(x).chunk(3, -1)
    return self.b(torch.softmax(q @ k.transpose(-1, -2), -1) @ v)


def stopped(self, x):
    """Gradients stop at `detach`, at a comparison and at indices."""
    y = self.a(x)
    best = y.max(-1).indices.unsqueeze(-1)
    return self.b(y.detach()) * (y > 0).float() + y @ y.detach().mT @ y + best


def returned(self, x):
    """The largest few are returned, and choose others by their numbers."""
    best = self.a(x).topk(3, -1)
    return best.values, self.b(x).gather(-1, best.indices)


def tied_linear():
    """A linear layer that has the weight of another, and a bias of its own."""
    a, b = nn.Linear(8, 8), nn.Linear(8, 8)
    b.weight = a.weight
    return Function(lambda self, x: self.b(torch.relu(self.a(x))), a=a, b=b)


def blur():
    """A convolution with a filter that is not learned."""
    module = Function(lambda self, x: nn.functional.conv2d(x, self.filter, groups=3))
    module.register_buffer("filter", torch.ones(3, 1, 3, 3))
    return module


def linear(features=8, inputs=8):
    return nn.Linear(inputs, features)


WORDS = torch.zeros(2, 5, dtype=torch.long)
MODULES = {
    "returned beside its numbers": (Function(returned, a=linear(), b=linear()), torch.zeros(4, 8)),
    "gradients that stop": (Function(stopped, a=linear(), b=linear()), torch.zeros(4, 8)),
    "written through views": (Function(written, a=linear(4, 4), b=linear(4, 4)), torch.zeros(2, 4)),
    "addmm": (
        Function(
            lambda self, x: torch.addmm(self.b, x, self.w),
            w=nn.Parameter(torch.zeros(64, 8)),
            b=nn.Parameter(torch.zeros(8)),
        ),
        torch.zeros(2, 64),
    ),
    "baddbmm": (
        Function(lambda self, x: torch.baddbmm(torch.zeros(2, 3, 5), x[:, :3], x[:, :5].transpose(1, 2))),
        torch.zeros(2, 6, 7),
    ),
    "a table as operand": (Function(lambda self, t: self.e(t) @ self.e.weight.t(), e=nn.Embedding(11, 8)), WORDS),
    "tied linears": (tied_linear(), torch.zeros(2, 8)),
    "einsum": (Function(lambda self, x: torch.einsum("bij,bkj->bik", x, x)), torch.zeros(2, 3, 4)),
    "called twice": (Function(lambda self, x: self.a(self.a(x)), a=nn.Conv2d(3, 3, 3)), torch.zeros(1, 3, 8, 8)),
    "weight norm": (weight_norm(linear()), torch.zeros(2, 8)),
    "a dict of outputs": (Function(lambda self, x: {"y": self.a(x), "z": [x * 2]}, a=linear()), torch.zeros(2, 8)),
    "attention by hand": (Function(attention, a=linear(24), b=linear()), torch.zeros(2, 5, 8)),
    "without a batch": (Function(lambda self, x: self.a(x[0]), a=nn.Conv2d(3, 4, 3)), torch.zeros(1, 3, 8, 8)),
    "transposed and grouped": (
        nn.ConvTranspose2d(3, 6, 3, stride=2, groups=3, output_padding=1), torch.zeros(1, 3, 5, 5),
    ),
    "a cache that is empty at first": (
        Function(lambda self, x: self.a(torch.cat([torch.tensor([]), x], -2)), a=linear()), torch.zeros(2, 3, 8),
    ),
    "padding same": (nn.Conv2d(3, 4, 4, padding="same"), torch.zeros(1, 3, 9, 9)),
    "a filter that is a buffer": (blur(), torch.zeros(1, 3, 8, 8)),
    "windows that fit": (nn.AdaptiveAvgPool2d((2, 1)), torch.zeros(1, 3, 6, 6)),
    "mixture of experts": (
        Function(experts, gate=linear(4), experts=nn.ModuleList(linear() for _ in range(4))), torch.zeros(2, 8),
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("style", MODULES)
def test_torch_counts_the_same(style):
    module, x = MODULES[style]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module.eval()(x)
    cost = costcalc.load(module, x).cost()
    assert cost.total("macs") == counter.get_total_flops() // 2
    assert cost.total("params") == sum(tensor.numel() for tensor in module.parameters())
    assert not [name for name in cost.graph.nodes if "not_reached" in str(name)]
    assert verify_net(costcalc.load(module, x)).verdict == "same"  # module by module, and backward


def test_what_is_read_after_a_write_through_a_view_is_computed():
    module, x = MODULES["written through views"]
    biases, relu = 2 * 4 + 2 * 2 * 4, 2 * 2 * 4
    assert costcalc.load(module, x).cost().total("elementwise") == biases + relu


def test_attention_of_torch_is_counted():
    """Whose fast path torch's own counter does not see: projections, and two products for each of two heads."""
    module = nn.MultiheadAttention(8, 2, batch_first=True)
    cost = costcalc.load(Function(lambda self, x: self.m(x, x, x)[0], m=module), torch.zeros(2, 5, 8)).cost()
    assert cost.total("macs") == 2 * 5 * 8 * (24 + 8) + 2 * 2 * (5 * 5 * 4) * 2


def test_what_a_module_freezes_is_frozen():
    module = nn.Sequential(nn.Conv2d(3, 4, 3).requires_grad_(False), nn.ReLU(), nn.Conv2d(4, 4, 3))
    module[2].bias.requires_grad_(False)
    cost = costcalc.load(module, torch.zeros(1, 3, 9, 9)).cost()
    assert cost.total("trainable_params") == 4 * 4 * 9
    assert cost.total("saved_bytes") == 4 * 4 * 7 * 7  # the input of the second convolution


def test_nothing_is_kept_for_a_gradient_that_stops():
    module = Function(lambda self, x: self.b((self.a(x) > 0).float()), a=linear(), b=linear())
    cost = costcalc.load(module, torch.zeros(2, 8)).cost()
    assert cost.total("saved_bytes") == 4 * 2 * 8  # the input of the last layer: nothing is learned below it
    assert cost.total("train_macs") == 3 * 2 * 8 * 8  # forward twice, and the gradient of one weight
    assert [row.op.detached for row in cost.layers if row.op.name == "elementwise"] == [True]


def test_dropout_has_its_mask_in_a_training_step():
    module = nn.Sequential(linear(), nn.Dropout(0.5), linear())
    cost = costcalc.load(module, torch.zeros(2, 8)).cost()
    assert cost.total("saved_bytes") == 3 * 4 * 2 * 8  # both inputs of linear layers, and the mask


def test_a_missing_torch_names_the_extra(monkeypatch):
    monkeypatch.setattr("costcalc.importers.targets.find_spec", lambda name: None)
    with pytest.raises(costcalc.errors.MissingExtra, match=r"costcalc\[torch\]"):
        costcalc.load("torchvision:resnet18")
