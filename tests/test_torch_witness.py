"""The witness stands outside: torch builds the same layers and is asked for names, shapes and multiplies.

Everything runs on torch's meta device, which computes shapes and no numbers. COSTCALC_FUZZ=20000 asks more.
"""

import os
import random
from collections import Counter

import pytest
from cases import CASES, label

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from costcalc import ops  # noqa: E402
from costcalc.errors import ShapeError  # noqa: E402

FUZZ = int(os.environ.get("COSTCALC_FUZZ", 2000))


def per_axis(value, x):
    """One value for each sliding axis, as torch's modules want it."""
    return tuple(value) if isinstance(value, tuple) else (value,) * (len(x) - 2)


def of_rank(kind, x):
    """nn.Conv1d, nn.Conv2d or nn.Conv3d, whichever takes an input of this shape."""
    return getattr(nn, f"{kind}{len(x) - 2}d")


class PaddedSame(nn.Module):
    """TensorFlow's padding 'same' before a layer without padding: the odd zero at the end."""

    def __init__(self, op, x, inner):
        super().__init__()
        self.inner, self.zeros = inner, []
        for n, k, s, d in zip(x[2:], *(per_axis(v, x) for v in (op.kernel, op.stride, op.dilation)), strict=True):
            positions = (n + s - 1) // s
            total = max((positions - 1) * s + d * (k - 1) + 1 - n, 0)
            self.zeros = [total // 2, total - total // 2, *self.zeros]  # F.pad counts axes from the last

    def forward(self, x):
        return self.inner(F.pad(x, self.zeros))


def windowed(op, x, kind, *channels, **extra):
    """A torch layer with windows, behind zeros of its own for padding 'same'."""
    fields = {name: per_axis(getattr(op, name), x) for name in ("stride", "dilation")}
    padding = 0 if op.padding == "same" else per_axis(op.padding, x)
    layer = of_rank(kind, x)(*channels, per_axis(op.kernel, x), padding=padding, **fields, **extra)
    return PaddedSame(op, x, layer) if op.padding == "same" else layer


def conv(op, x):
    return windowed(op, x, "Conv", x[1], op.channels, groups=op.groups, bias=op.bias)


def depthwise(op, x):
    return windowed(op, x, "Conv", x[1], x[1] * op.multiplier, groups=x[1], bias=op.bias)


def conv_transpose(op, x):
    extra = per_axis(op.output_padding, x)
    return windowed(op, x, "ConvTranspose", x[1], op.channels, groups=op.groups, bias=op.bias, output_padding=extra)


class Partial(nn.Module):
    """A small dense convolution for every output map, over the maps it sees."""

    def __init__(self, op, x):
        super().__init__()
        self.sees = op.sees
        self.maps = nn.ModuleList(windowed(op, x, "Conv", len(row), 1, bias=op.bias) for row in op.sees)

    def forward(self, x):
        return torch.cat([conv(x[:, list(row)]) for conv, row in zip(self.maps, self.sees, strict=True)], 1)


class Subsampled(nn.Module):
    """weight · (sum of the window) + bias, the sum by a convolution with a window of ones."""

    def __init__(self, op, x):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(x[1])), nn.Parameter(torch.zeros(x[1]))
        self.sums = [windowed(op, x, "Conv", x[1], x[1], groups=x[1], bias=False)]  # in a list: no parameter of ours

    def forward(self, x):
        by_channel = (-1, *(1 for _ in x.shape[2:]))
        return self.sums[0](x) * self.weight.view(by_channel) + self.bias.view(by_channel)


class Distances(nn.Module):
    def __init__(self, op, x):
        super().__init__()
        if op.learned:
            self.weight = nn.Parameter(torch.zeros(op.features, x[-1]))
        else:
            self.register_buffer("weight", torch.zeros(op.features, x[-1]))

    def forward(self, x):
        return ((x.unsqueeze(-2) - self.weight) ** 2).sum(-1)


def max_pool(op, x):
    return windowed(op, x, "MaxPool", ceil_mode=op.ceil_mode and op.padding != "same")


def average_pool(op, x):
    dilated = set(per_axis(op.dilation, x)) != {1}
    if dilated or (len(x) == 5 and any(n < k for n, k in zip(x[2:], per_axis(op.kernel, x), strict=True))):
        # torch has no dilated average, and AvgPool3d alone leaves padding out when it asks whether the window fits;
        # the windows are those of the maximum
        return max_pool(op, x)
    if op.padding == "same":
        return PaddedSame(op, x, of_rank("AvgPool", x)(per_axis(op.kernel, x), per_axis(op.stride, x)))
    fields = (per_axis(v, x) for v in (op.kernel, op.stride, op.padding))
    return of_rank("AvgPool", x)(*fields, ceil_mode=op.ceil_mode)


def global_average_pool(op, x):
    pool = of_rank("AdaptiveAvgPool", x)(1)
    return pool if op.keep else nn.Sequential(pool, nn.Flatten())


def batch_norm(op, x):
    return getattr(nn, f"BatchNorm{max(1, len(x) - 2)}d")(x[1], affine=op.affine).eval()


def group_norm(op, x):
    layer = nn.GroupNorm(op.groups, x[1], affine=op.affine)
    # not layer(x), which as in training refuses a group of a single value
    return lambda_of(lambda x: torch.group_norm(x, op.groups, layer.weight, layer.bias), layer)


def upsample(op, x):
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}
    mode = op.mode if op.mode == "nearest" else linear[len(x) - 2]
    return nn.Upsample(scale_factor=tuple(float(s) for s in per_axis(op.scale, x)), mode=mode)


def recurrent(kind):
    def build(op, x):
        layer = kind(x[2], op.hidden, op.layers, bias=op.bias, batch_first=True, bidirectional=op.bidirectional)
        return lambda_of(lambda x: layer(x)[0], layer)

    return build


def lambda_of(function, *layers):
    """A function as a module, with the parameters of `layers`."""

    class Function(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(layers)

        def forward(self, *ins):
            return function(*ins)

    return Function()


TORCH = {
    "input": lambda op: lambda_of(lambda: torch.zeros(op.size)),
    "conv": conv,
    "conv1d": conv,
    "conv2d": conv,
    "conv3d": conv,
    "depthwise": depthwise,
    "partial_conv": Partial,
    "conv_transpose": conv_transpose,
    "subsample": Subsampled,
    "linear": lambda op, x: nn.Linear(x[-1], op.features, bias=op.bias),
    "rbf": Distances,
    "max_pool": max_pool,
    "average_pool": average_pool,
    "adaptive_average_pool": lambda op, x: of_rank("AdaptiveAvgPool", x)(per_axis(op.size, x)),
    "global_average_pool": global_average_pool,
    "batch_norm": batch_norm,
    "layer_norm": lambda op, x: nn.LayerNorm(x[len(x) - op.axes :], elementwise_affine=op.affine),
    "group_norm": group_norm,
    "local_response_norm": lambda op, x: nn.LocalResponseNorm(op.size),
    "relu": lambda op, x: nn.ReLU(),
    "relu6": lambda op, x: nn.ReLU6(),
    "leaky_relu": lambda op, x: nn.LeakyReLU(op.slope),
    "sigmoid": lambda op, x: nn.Sigmoid(),
    "tanh": lambda op, x: nn.Tanh(),
    "silu": lambda op, x: nn.SiLU(),
    "hard_sigmoid": lambda op, x: nn.Hardsigmoid(),
    "hard_swish": lambda op, x: nn.Hardswish(),
    "gelu": lambda op, x: nn.GELU(),
    "softmax": lambda op, x: nn.Softmax(-1),
    "dropout": lambda op, x: nn.Dropout(op.p),
    "identity": lambda op, x: nn.Identity(),
    "add": lambda op, *ins: lambda_of(lambda *xs: sum(xs[1:], xs[0])),
    "mul": lambda op, *ins: lambda_of(lambda x, *xs: torch.stack(torch.broadcast_tensors(x, *xs)).prod(0)),
    "concat": lambda op, *ins: lambda_of(lambda *xs: torch.cat(xs, op.axis)),
    "mat_mul": lambda op, *ins: lambda_of(torch.matmul),
    "flatten": lambda op, x: nn.Flatten() if len(x) > 1 else lambda_of(lambda x: x.view(-1, 1)),
    "reshape": lambda op, x: lambda_of(lambda x: x.reshape(x.shape[0], *op.size)),
    "transpose": lambda op, x: lambda_of(lambda x: x.permute(op.order)),
    "channel_pad": lambda op, x: lambda_of(lambda x: F.pad(x, [0, 0] * (x.dim() - 2) + [0, op.channels - x.shape[1]])),
    "upsample": upsample,
    "embedding": lambda op, x: nn.Embedding(op.count, op.features),
    "scaled_dot_product_attention": lambda op, *ins: lambda_of(F.scaled_dot_product_attention),
    "lstm": recurrent(nn.LSTM),
    "gru": recurrent(nn.GRU),
}


def test_no_op_lacks_a_witness():
    assert set(TORCH) == set(ops.OPS)


def torch_says(op, ins, device="meta"):
    """Output shape, tensors by name, and multiplies of a layer in torch; its flop counter counts two for each."""
    with torch.device(device), torch.no_grad():
        layer = TORCH[op.name](op, *ins)
        tensors = [torch.zeros(x, dtype=torch.long if op.name == "embedding" else torch.float) for x in ins]
        with FlopCounterMode(display=False) as counter:
            out = layer(*tensors)
    named = [*layer.named_parameters(), *layer.named_buffers()]
    shapes = Counter((name.rsplit(".")[-1], tuple(t.shape)) for name, t in named if name != "num_batches_tracked")
    return tuple(out.shape), shapes, counter.get_total_flops() / 2


def torch_refuses(op, ins):
    """Does torch say no, or make a tensor without elements? On the CPU: the meta device checks less."""
    try:
        return 0 in torch_says(op, ins, "cpu")[0]
    except (RuntimeError, ValueError, IndexError):
        return True


def costcalc_says(op, ins):
    ops.settle(op.needs(*ins))
    out = op.shape(*ins)
    tensors = Counter((tensor.name, tensor.shape) for tensor in op.weights(*ins))
    return out, tensors, op.macs(*ins, out=out)


# torch's counter knows convolutions and matrix products; distances (RBF) it does not, and Subsample's sums it takes
# for a convolution
UNCOUNTED = {"rbf", "subsample"}


def agree(op, ins):
    shape, tensors, macs = costcalc_says(op, ins)
    torch_shape, torch_tensors, torch_macs = torch_says(op, ins)
    assert shape == torch_shape
    if op.name == "partial_conv":  # one tensor for each output map there, one for all here
        assert scalars(tensors) == scalars(torch_tensors)
    else:
        assert tensors == torch_tensors
    if op.name not in UNCOUNTED:
        assert macs == torch_macs


def scalars(tensors):
    """How many numbers the tensors hold, by the tensors' names."""
    total = Counter()
    for (name, shape), count in tensors.items():
        total[name] += count * torch.Size(shape).numel()
    return total


@pytest.mark.parametrize("case", CASES, ids=label)
def test_torch_agrees_on_every_case(case):
    op, *ins = case
    agree(op, ins)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_at_stride_1_padding_same_is_torchs_own(kernel, dilation):
    x, op = (1, 3, 13, 10), ops.Conv(4, kernel, padding="same", dilation=dilation)
    with torch.device("meta"):
        theirs = nn.Conv2d(3, 4, kernel, padding="same", dilation=dilation)(torch.zeros(x))
    assert op.shape(x) == tuple(theirs.shape)


def test_torchs_counter_sees_every_multiply_it_should():
    counted = {op.name for op, *ins in CASES if torch_says(op, ins)[2] > 0}
    silent = {op.name for op, *ins in CASES if costcalc_says(op, ins)[2] > 0} - counted
    assert silent == {"rbf"}


# ---- random settings (T31)


def some(rng, low, high, rank=None):
    """A number, or now and then one for each axis."""
    if rank and rng.random() < 0.3:
        return tuple(rng.randint(low, high) for _ in range(rank))
    return rng.randint(low, high)


def random_layer(rng):
    """An op and an input for it, most of them valid."""
    rank = rng.choice([1, 2, 2, 2, 3])
    c = rng.choice([1, 2, 3, 4, 6, 8, 12])
    x = (rng.randint(1, 3), c, *(rng.randint(1, 24) for _ in range(rank)))
    window = {
        "kernel": some(rng, 1, 5, rank),
        "stride": some(rng, 1, 4, rank),
        "padding": "same" if rng.random() < 0.25 else some(rng, 0, 3, rank),
        "dilation": some(rng, 1, 3, rank) if rng.random() < 0.4 else 1,
    }
    explicit = {**window, "padding": some(rng, 0, 3, rank)}
    bias, groups = rng.random() < 0.5, rng.choice([1, 1, 1, 2, 3, c])
    channels = groups * rng.randint(1, 4) if rng.random() < 0.9 else rng.randint(1, 12)
    sees = [rng.sample(range(c + (rng.random() < 0.02)), rng.randint(1, c)) for _ in range(rng.randint(1, 4))]
    pool = {**window, "ceil_mode": rng.random() < 0.5}
    kinds = {
        "conv": lambda: ops.Conv(channels, **window, groups=groups, bias=bias),
        "depthwise": lambda: ops.Depthwise(**window, multiplier=rng.randint(1, 3), bias=bias),
        "partial_conv": lambda: ops.PartialConv(sees, **window, bias=bias),
        "conv_transpose": lambda: ops.ConvTranspose(
            channels, **explicit, output_padding=some(rng, 0, 3, rank), groups=groups, bias=bias
        ),
        "subsample": lambda: ops.Subsample(**explicit),
        "max_pool": lambda: ops.MaxPool(**pool),
        "average_pool": lambda: ops.AveragePool(**pool | {"dilation": 1}),
        "adaptive_average_pool": lambda: ops.AdaptiveAveragePool(some(rng, 1, 9, rank)),
        "upsample": lambda: ops.Upsample(some(rng, 1, 4, rank), rng.choice(["nearest", "linear"])),
        "group_norm": lambda: ops.GroupNorm(groups, affine=bias),
        "layer_norm": lambda: ops.LayerNorm(rng.randint(1, rank + 1), affine=bias),
        "linear": lambda: ops.Linear(channels, bias=bias),
        "channel_pad": lambda: ops.ChannelPad(c + rng.randint(0, 9)),
    }
    weights = [8, 4, 3, 6, 2, 6, 4, 2, 1, 1, 1, 1, 1]
    (kind,) = rng.choices(list(kinds), weights)
    return kinds[kind](), [x]


def test_random_layers_agree_with_torch_or_both_refuse():
    """T31. Valid for one and not for the other is a difference, too."""
    rng = random.Random(1998)
    tally = Counter()
    for _ in range(FUZZ):
        op, ins = random_layer(rng)
        try:
            costcalc_says(op, ins)
        except ShapeError:
            tally["refused"] += 1
            assert torch_refuses(op, ins), f"{op} on {ins[0]}"
            continue
        tally[op.name] += 1
        try:
            agree(op, ins)
        except Exception as error:
            raise AssertionError(f"{op} on {ins[0]}: {error}") from error
    assert sum(tally.values()) == FUZZ
    assert tally["refused"] < 0.4 * FUZZ
    assert len(tally) == 14, f"every kind of layer was tried: {tally}"
