"""Training steps of graphs that no spec has, beside torch's: bytes kept, and the most that is held."""

import pytest
from support import needed
from support.layers import in_a_row

torch = needed.module("torch", "torch")

from support.autograd import kept_by_torch, step_peak_of_torch, train_only  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.analysis.training.kept import kept_bytes  # noqa: E402
from costcalc.analysis.training.step_layers import step_layers  # noqa: E402
from costcalc.analysis.training.step_peak import step_peak  # noqa: E402
from costcalc.analysis.unrolled import unrolled_layers  # noqa: E402
from costcalc.dtype import FLOAT32  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402
from costcalc.train_step import OPTIMIZERS  # noqa: E402


def graph_of(*layers):
    """A graph from (name, op, *inputs)."""
    graph = costcalc.new_graph(name="net")
    for name, op, *inputs in layers:
        costcalc.add(graph, name, op, *inputs)
    return graph


def attention(*shape, out=None):
    """Attention whose q, k and v are linears of one input."""
    e = out or shape[-1]
    qkv = [(name, ops.Linear(e if name == "v" else shape[-1]), "x") for name in ("q", "k", "v")]
    return graph_of(
        ("x", ops.Input(shape)), *qkv, ("a", ops.ScaledDotProductAttention(), "q", "k", "v"), ("o", ops.Linear(3), "a"),
        ("f", ops.Flatten(), "o"),
    )  # fmt: skip


def trunk(outputs):
    """A convolution with several outputs."""
    heads = [(f"head{i}", ops.Conv(8, 1), "relu") for i in range(outputs)]
    return graph_of(
        ("x", ops.Input([2, 3, 16, 16])), ("conv", ops.Conv(8, 3), "x"), ("relu", ops.ReLU(), "conv"), *heads
    )


def twice(times):
    """The sum of a tensor with itself."""
    return graph_of(
        ("x", ops.Input([2, 3, 6, 6])), ("conv", ops.Conv(4, 3), "x"), ("relu", ops.ReLU(), "conv"),
        ("add", ops.Add(), *["relu"] * times), ("flat", ops.Flatten(), "add"), ("fc", ops.Linear(5), "flat"),
    )  # fmt: skip


def transposed(batch, linears):
    """Linear layers that read one transposed tensor."""
    heads = [(f"l{i}", ops.Linear(5), "t") for i in range(linears)]
    return graph_of(
        ("x", ops.Input([batch, 4, 8])), ("c", ops.Conv1d(6, 1), "x"), ("t", ops.Transpose([0, 2, 1]), "c"), *heads,
        ("sum", ops.Add(), *(name for name, *_ in heads)), ("f", ops.Flatten(), "sum"),
    )  # fmt: skip


def residual():
    """A residual connection around linear layers along the last of three axes."""
    return graph_of(
        ("x", ops.Input([2, 6, 8])), ("a", ops.Linear(8), "x"), ("b", ops.Linear(16), "a"), ("g", ops.GELU(), "b"),
        ("c", ops.Linear(8), "g"), ("add", ops.Add(), "c", "a"), ("f", ops.Flatten(), "add"),
    )  # fmt: skip


def embedded(size):
    """A learned tensor added after a linear layer, twice."""
    return graph_of(
        ("x", ops.Input([2, 6, 8])), ("a", ops.Linear(8), "x"), ("p", ops.Parameter(size)), ("s", ops.Add(), "a", "p"),
        ("b", ops.Linear(8), "s"), ("t", ops.Add(), "p", "b"), ("f", ops.Flatten(), "t"),
    )  # fmt: skip


def scaled():
    """A layer scale: one learned factor for each channel."""
    return graph_of(
        ("x", ops.Input([2, 6, 8])), ("a", ops.Linear(8), "x"), ("g", ops.Parameter([8])), ("m", ops.Mul(), "a", "g"),
        ("s", ops.Add(), "a", "m"), ("f", ops.Flatten(), "s"),
    )  # fmt: skip


def projected():
    """A product with a learned matrix."""
    return graph_of(
        ("x", ops.Input([2, 6, 8])), ("a", ops.Linear(8), "x"), ("g", ops.Parameter([8, 3])),
        ("m", ops.MatMul(), "a", "g"), ("f", ops.Flatten(), "m"),
    )  # fmt: skip


def masked():
    """A constant added to what linear layers make."""
    return graph_of(
        ("x", ops.Input([2, 6, 8])), ("a", ops.Linear(8), "x"), ("c", ops.Constant([6, 8])), ("m", ops.Mul(), "a", "c"),
        ("b", ops.Linear(8), "m"), ("f", ops.Flatten(), "b"),
    )  # fmt: skip


GRAPHS = {
    "attention of 3 axes": attention(2, 6, 8), "of 3, v wider": attention(2, 6, 8, out=5),
    "attention of 4 axes": attention(2, 3, 6, 8), "of 4, v wider": attention(2, 3, 6, 8, out=5),
    "one output": trunk(1), "two outputs": trunk(2), "five outputs": trunk(5), "x + x": twice(2), "x + x + x": twice(3),
    "transposed, batch 1": transposed(1, 3), "batch 2": transposed(2, 2), "residual of linears": residual(),
    "a parameter added": embedded((1, 6, 8)), "one that stretches": embedded((6, 1)), "a constant": masked(),
    "a parameter of the same size": embedded((2, 6, 8)), "layer scale": scaled(), "a parameter times x": projected(),
    "tokens without the first": in_a_row((2, 6, 8), ops.Linear(8), ops.Slice(1, 5, 1), ops.Linear(3), ops.Flatten()),
    "the first token": in_a_row((2, 6, 8), ops.Linear(8), ops.Slice(1, 1), ops.Reshape([8]), ops.Linear(3)),
    "a third of the width": in_a_row((2, 6, 9), ops.Linear(9), ops.Slice(2, 3, 3), ops.Linear(3), ops.Flatten()),
    "split, not moved": in_a_row((2, 6, 8), ops.Conv(4, 1), ops.Transpose([0, 2, 1]), ops.Reshape([8, 2, 2]),
                                 ops.Linear(2), ops.Flatten()),
    "windows": in_a_row((2, 4, 6, 5), ops.Linear(5), ops.Reshape([2, 2, 2, 3, 2, 5], True),
                        ops.Transpose([0, 1, 3, 2, 4, 5]), ops.Reshape([-1, 4, 5], True), ops.Linear(5),
                        ops.Reshape([2, 2, 3, 2, 2, 5], True), ops.Transpose([0, 1, 3, 2, 4, 5]),
                        ops.Reshape([2, 4, 6, 5], True), ops.Linear(3), ops.Flatten()),
    "rolled": in_a_row((2, 4, 6, 5), ops.Linear(5), ops.Roll([1, 2], -1), ops.Linear(3), ops.Flatten()),
    "padded": in_a_row((2, 4, 6, 5), ops.Linear(5), ops.Pad([1, 2], 0, [1, 2]), ops.Linear(3), ops.Flatten()),
    **{f"reduced by {how}": in_a_row((2, 6, 8), ops.Linear(8), ops.Reduce([1], how), ops.Linear(3))
       for how in ("mean", "sum", "max", "norm", "var")},
    "rms norms": in_a_row((2, 6, 8), ops.Linear(8), ops.RMSNorm(), ops.Linear(8), ops.RMSNorm(), ops.Flatten()),
    "prelus": in_a_row((2, 3, 20), ops.Conv(4, 3), ops.PReLU(), ops.Conv(4, 3), ops.PReLU(True), ops.Flatten()),
    "no bias": in_a_row((2, 6, 8), ops.Linear(8), ops.LayerNorm(bias=False), ops.Linear(8), ops.Flatten()),
    "1-d": in_a_row((2, 3, 20), ops.Conv(4, 3), ops.BatchNorm(), ops.ReLU(), ops.MaxPool(2, 2), ops.Flatten()),
    "3-d": in_a_row((2, 3, 6, 6, 6), ops.Conv(4, 3), ops.ReLU(), ops.GlobalAveragePool(), ops.Linear(5)),
}  # fmt: skip


SEVERAL_KERNELS = [name for name in GRAPHS if "attention" in name or "wider" in name]  # with temporaries of their own


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", GRAPHS)
def test_torch_keeps_and_holds_the_same(name, optimizer):
    graph = GRAPHS[name]
    ((_, layers),) = unrolled_layers(graph)
    tensors = [(each.name, t.name) for each in step_layers(layers) for t in each.own if t.role != "buffer"]
    for trained in (tensors, tensors[2:], tensors[-1:]):
        step = [*step_layers(layers, lambda layer, t, trained=trained: (layer.name, t.name) in trained)]
        module = build(graph).train()
        train_only(module, trained)
        inputs = example_inputs(module)
        _out, held, _alive = kept_by_torch(lambda m=module, x=inputs: m(*x), [*module.parameters(), *module.buffers()])
        assert sum(kept_bytes(step, FLOAT32).values()) == sum(held.values())
        ours, _ = step_peak(step, FLOAT32, OPTIMIZERS[optimizer], adds_in_place=False)
        if name not in SEVERAL_KERNELS:
            assert ours == step_peak_of_torch(module, inputs, optimizer)
