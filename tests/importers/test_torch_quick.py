"""What frequent ops return without torch's kernels is what these return: shape, dtype and strides."""

import itertools

import pytest
from support import needed

torch = needed.module("torch", "torch")

from torch.utils._pytree import tree_map_only  # noqa: E402

from costcalc.importers.torch_runs.torch_quick import QUICK, RECURRENT  # noqa: E402

X = torch.randn(2, 6, 4, 5)
INPUTS = {
    "plain": X,
    "channels last": X.contiguous(memory_format=torch.channels_last),
    "transposed": X.transpose(1, 3),
    "a slice": X[:, ::2, 1:],
    "stretched": X[:1].expand(3, -1, -1, -1),
    "half": X.bfloat16(),
}


def arguments(name, x):
    """Arguments of an op for this input."""
    channels, last, of = x.shape[1], x.shape[-1], {"dtype": x.dtype}
    match name.rstrip("_"):
        case "add" | "mul" | "sub":
            return (x, x.clone()), (x, 2), (x, 0.5), (x, x + 1)
        case "linear":
            return (x, torch.randn(3, last, **of)), (x, torch.randn(3, last, **of), torch.randn(3, **of))
        case "batch_norm":
            own = [torch.rand(channels, **of) for _ in range(4)]
            its_own = (x, *own[:2], None, None, True, 0.1, 1e-5, True)
            return (x, *own, False, 0.1, 1e-5, True), (x, None, None, *own[2:], False, 0.1, 1e-5, True), its_own
        case "layer_norm":
            size = x.shape[-2:]
            return (x, [last]), (x, size, torch.rand(size, **of), torch.rand(size, **of), 1e-5)
    return ((x,),)


@pytest.mark.parametrize(("name", "lies"), [*itertools.product(QUICK, INPUTS)])
def test_as_torch_returns_it(name, lies):
    op = getattr(torch.ops.aten, name)
    for given in arguments(name, INPUTS[lies]):
        if name.endswith("_") and lies == "stretched":  # torch writes over no such tensor
            continue
        real = op(given[0].clone(), *given[1:]) if name.endswith("_") else op(*given)
        on_meta = [one.to("meta") if isinstance(one, torch.Tensor) else one for one in given]
        on_meta = [
            torch.empty_strided(a.shape, a.stride(), dtype=a.dtype, device="meta") if isinstance(a, torch.Tensor) else b
            for a, b in zip(given, on_meta)
        ]
        quick = QUICK[name](*on_meta)
        if quick is not None:
            strides = given[0].stride() if name.endswith("_") else real.stride()
            assert (quick.shape, quick.dtype, quick.stride()) == (real.shape, real.dtype, strides), given[1:]
            assert (quick is on_meta[0]) == name.endswith("_")
            assert quick.is_meta


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("relu", [torch.zeros(2, dtype=torch.long)]), ("add", [X, X[0]]), ("add", [torch.zeros(2).long(), 0.5]),
        ("mul", [X, X.double()]), ("linear", [X, torch.zeros(3, 4)]), ("linear", [X[0, 0, 0], torch.zeros(3, 5)]),
        ("batch_norm", [X, None, None, torch.zeros(5), torch.zeros(5), False]),
        ("batch_norm", [X, None, None, None, None, False]), ("layer_norm", [X, [4]]),
        ("layer_norm", [X, [5], torch.zeros(4)]),
    ],
)  # fmt: skip
def test_torch_is_asked_where_something_is_special(name, given):
    assert QUICK[name](*given) is None


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU])
@pytest.mark.parametrize(
    "how", [{}, {"batch_first": True, "bidirectional": True}, {"batch_first": True, "num_layers": 2, "bias": False}]
)
def test_recurrent_layers_as_torch_returns_them(kind, how):
    cells, x = kind(5, 6, **how), torch.randn(3, 4, 5)
    n = x.shape[0 if how.get("batch_first") else 1]
    states = [torch.zeros(cells.num_layers * (1 + cells.bidirectional), n, 6)] * (1 + (kind is torch.nn.LSTM))
    given = cells._flat_weights, cells.bias, cells.num_layers, 0.0, False, cells.bidirectional, cells.batch_first
    real, ends = cells(x)
    quick, *others = RECURRENT[kind.__name__.lower()](x, states if kind is torch.nn.LSTM else states[0], *given)
    made = torch.ops.aten.lstm.input if kind is torch.nn.LSTM else torch.ops.aten.gru.input
    before = states if kind is torch.nn.LSTM else states[0]
    on_meta = made(*tree_map_only(torch.Tensor, lambda one: one.detach().to("meta"), (x, before, *given)))
    for ours, theirs, meta in zip((quick, *others), (real, *(ends if isinstance(ends, tuple) else (ends,))), on_meta):
        assert (ours.shape, ours.dtype, ours.is_meta) == (theirs.shape, theirs.dtype, True)
        assert ours.stride() == meta.stride()


def test_recurrent_layers_that_are_special_are_torchs():
    cells, x = torch.nn.LSTM(5, 6, proj_size=3), torch.randn(2, 4, 5)
    states = [torch.zeros(1, 4, 3), torch.zeros(1, 4, 6)]
    assert RECURRENT["lstm"](x, states, cells._flat_weights, True, 1, 0.0, False, False, False) is None
    assert RECURRENT["gru"](x, states[1], cells._flat_weights, True, 1, 0.0, False, False, False) is None
