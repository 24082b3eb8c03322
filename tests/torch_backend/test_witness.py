"""The witness stands outside: torch builds the same layers and is asked for names, shapes and multiplies.

Everything runs on torch's meta device, which computes shapes and no numbers.
"""

import random
from collections import Counter

import pytest
from support import needed
from support.cases import CASES, label
from support.sizes import size

torch = needed.module("torch", "torch")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from costcalc import ops  # noqa: E402
from costcalc.errors import ShapeError  # noqa: E402
from costcalc.torch_backend.count import counter  # noqa: E402
from costcalc.torch_backend.modules import MODULES  # noqa: E402

FUZZ = size(2000, 200_000)


def test_no_op_lacks_a_witness():
    assert set(MODULES) == set(ops.OPS) - {"input"}  # an input is a placeholder


def torch_says(op, ins, device="meta"):
    """Output shape, tensors by name, and multiplies of a layer in torch; its flop counter counts two for each."""
    with torch.device(device), torch.no_grad():
        layer = MODULES[op.name](op, *ins).eval()
        tensors = [torch.zeros(x, dtype=torch.long if op.name == "embedding" else torch.float) for x in ins]
        with counter() if op.name == "bilinear" else FlopCounterMode(display=False) as counted:
            out = layer(*tensors)
    named = [*layer.named_parameters(), *layer.named_buffers()]
    shapes = {name: tuple(tensor.shape) for name, tensor in named if name != "num_batches_tracked"}
    return tuple(out.shape), shapes, counted.get_total_flops() / 2


def torch_refuses(op, ins):
    """Does torch say no, or make a tensor without elements? On the CPU: the meta device checks less."""
    try:
        return 0 in torch_says(op, ins, "cpu")[0]
    except (RuntimeError, ValueError, IndexError):
        return True
    except TypeError as error:  # AvgPool1d has no divisor
        return "divisor_override" in str(error)


def costcalc_says(op, ins):
    ops.check(op.needs(*ins))
    out = op.shape(*ins)
    tensors = {tensor.name: tensor.shape for tensor in op.weights(*ins)}
    return out, tensors, op.macs(*ins, out=out)


def agree(op, ins):
    shape, tensors, macs = costcalc_says(op, ins)
    torch_shape, torch_tensors, torch_macs = torch_says(op, ins)
    assert shape == torch_shape
    assert tensors == torch_tensors
    assert macs == torch_macs


LAYERS = [case for case in CASES if case[0].name != "input"]


@pytest.mark.parametrize("case", LAYERS, ids=label)
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


# ---- random settings (T31)


def some(rng, low, high, rank=None):
    """A number, or now and then one for each axis."""
    if rank and rng.random() < 0.3:
        return tuple(rng.randint(low, high) for _ in range(rank))
    return rng.randint(low, high)


def random_upsample(rng, rank):
    """By a factor or to a size."""
    how = {rng.choice(["scale", "size"]): some(rng, 1, 4, rank)}
    return ops.Upsample(**how, mode=rng.choice(["nearest", "linear", "cubic"]))


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
    axis = rng.randint(-rank - 2, rank + 1) if rng.random() < 0.95 else rng.choice([-rank - 3, rank + 2])
    axes = [a - (rank + 2) * (rng.random() < 0.3) for a in rng.sample(range(rank + 2), rng.randint(1, rank + 1))]
    kinds = {
        "conv": lambda: ops.Conv(channels, **window, groups=groups, bias=bias),
        "depthwise": lambda: ops.Depthwise(**window, multiplier=rng.randint(1, 3), bias=bias),
        "partial_conv": lambda: ops.PartialConv(sees, **window, bias=bias),
        "conv_transpose": lambda: ops.ConvTranspose(
            channels, **explicit, output_padding=some(rng, 0, 3, rank), groups=groups, bias=bias
        ),
        "subsample": lambda: ops.Subsample(**explicit),
        "max_pool": lambda: ops.MaxPool(**pool),
        "average_pool": lambda: ops.AveragePool(
            **pool | {"dilation": 1}, count_include_pad=bias, divisor=rng.choice([0, 0, 7])
        ),
        "adaptive_average_pool": lambda: ops.AdaptiveAveragePool(some(rng, 1, 9, rank)),
        "upsample": lambda: random_upsample(rng, rank),
        "group_norm": lambda: ops.GroupNorm(groups, affine=bias),
        "layer_norm": lambda: ops.LayerNorm(rng.randint(1, rank + 1), affine=bias),
        "linear": lambda: ops.Linear(channels, bias=bias),
        "channel_pad": lambda: ops.ChannelPad(c + rng.randint(0, 9)),
        "rms_norm": lambda: ops.RMSNorm(rng.randint(1, rank + 1), affine=bias),
        "prelu": lambda: ops.PReLU(per_channel=bias),
        "softmax": lambda: ops.Softmax(axis),
        "slice": lambda: ops.Slice(axis, rng.randint(1, 9), rng.randint(0, 4), rng.randint(1, 3)),
        "pad": lambda: ops.Pad(axes, some(rng, 0, 3, len(axes)), rng.randint(0, 3)),
        "roll": lambda: ops.Roll(axes, some(rng, -3, 3, len(axes))),
        "reduce": lambda: ops.Reduce(axes, rng.choice(["mean", "sum", "max", "min", "norm", "var"]), bias),
        "reshape": lambda: ops.Reshape([-1, rng.randint(1, 4), *([2] * bias)], whole=rng.random() < 0.5),
    }
    weights = [8, 4, 3, 6, 2, 6, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    (kind,) = rng.choices(list(kinds), weights)
    return kinds[kind](), [x]


def test_random_locally_connected_layers_agree_with_torch_or_both_refuse():
    rng, refused = random.Random(55), 0
    for _ in range(FUZZ // 20):
        rank = rng.choice([1, 2, 2, 3])
        x = (rng.randint(1, 3), rng.randint(1, 4), *(rng.randint(1, 12) for _ in range(rank)))
        window = some(rng, 1, 5, rank), some(rng, 1, 4, rank), some(rng, 0, 3, rank)
        op = ops.LocallyConnected(rng.randint(1, 4), *window, bias=rng.random() < 0.5)
        try:
            costcalc_says(op, [x])
        except ShapeError:
            refused += 1
            assert torch_refuses(op, [x]), f"{op} on {x}"
            continue
        agree(op, [x])
    assert 0 < refused < FUZZ // 40


@pytest.mark.sized
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
    assert len(tally) == 22, f"every kind of layer was tried: {tally}"


# ---- what an output is to memory


def layer_and_inputs(op, ins):
    """The layer in torch, and inputs that another layer has just computed."""
    torch.manual_seed(0)
    if op.index_limit is not None:
        return MODULES[op.name](op, *ins).eval(), [torch.randint(op.index_limit, x) for x in ins]
    return MODULES[op.name](op, *ins).eval(), [torch.randn(x, requires_grad=True) + 0.0 for x in ins]


def storage(tensor):
    return tensor.untyped_storage().data_ptr()


LAYERS = [case for case in CASES if not case[0].is_input]


@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_what_an_op_says_of_its_output_is_so_in_torch(case):
    op, *ins = case
    layer, inputs = layer_and_inputs(op, ins)
    before = [x.clone() for x in inputs]
    out = layer(*inputs)
    if op.output.view:
        assert storage(out) == storage(inputs[0] if inputs else layer.weight)
    if op.output.keeps_values and inputs:
        assert {*out.flatten().tolist()} <= {value for x in before for value in x.flatten().tolist()}
    if op.output.overwritable:
        assert storage(out) not in map(storage, inputs)
        out = out.add_(1).sum()
        if inputs:
            out.backward()  # torch raises if a gradient needs what was there


IN_PLACE = [(op, *ins) for op, *ins in LAYERS if op.output.inplace and op.shape(*ins) in ins]


@pytest.mark.parametrize("case", IN_PLACE, ids=label)
def test_an_op_that_says_so_writes_over_its_input_in_torch(case):
    op, *ins = case
    layer, inputs = layer_and_inputs(op, ins)
    expected = layer(*inputs).detach().clone()
    over = ins.index(op.shape(*ins))
    layer.inplace = over if len(ins) > 1 else True
    out = layer(*inputs)
    assert storage(out) == storage(inputs[over])
    torch.testing.assert_close(out, expected)
    out.sum().backward()
