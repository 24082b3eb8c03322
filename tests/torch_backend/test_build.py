"""A layer graph as a module: its names, its shapes, what it computes, and what torch's own tools make of it."""

import io
import random
import re

import pytest
from support import needed
from support.cases import CASES, label
from support.layers import chain, graph_of
from support.sharing import random_spec

torch = needed.module("torch", "torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.errors import GraphError, TooLarge, UsageError  # noqa: E402
from costcalc.torch_backend import MODULES, build, example_inputs  # noqa: E402
from costcalc.torch_backend.block_lookup import blocks_once  # noqa: E402
from costcalc.torch_backend.verify import verify_net  # noqa: E402

LAYERS = [case for case in CASES if case[0].name != "input"]


@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_every_op_is_built_and_its_output_is_finite(case):
    op, *ins = case
    graph = graph_of(op, *ins)
    torch.manual_seed(0)
    module = build(graph)
    with torch.no_grad():
        out = module(*example_inputs(module))
    (row,) = [row for row in costcalc.cost(graph).layers if row.name == "layer"]
    assert tuple(out.shape) == row.output_shape
    assert out.isfinite().all()
    named = {name: tuple(p.shape) for name, p in [*module.named_parameters(), *module.named_buffers()]}
    assert {f"layer.{t.name}": t.shape for t in op.weights(*ins)} == {
        name: shape for name, shape in named.items() if "num_batches" not in name
    }


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_every_op_runs_in_every_dtype(case, dtype):
    op, *ins = case
    module = build(graph_of(op, *ins), dtype=dtype)
    with torch.no_grad():
        out = module(*example_inputs(module, dtype=dtype))
    assert out.dtype == dtype
    assert {p.dtype for p in module.parameters()} <= {dtype}


def test_halves_are_never_there_as_singles(monkeypatch):
    """7·10⁹ of them fit where 14·10⁹ bytes are free."""
    seen = []

    def convert(module, *of, to=torch.nn.Module.to, **how):
        seen.append(sum(p.numel() for p in module.parameters()))
        return to(module, *of, **how)

    monkeypatch.setattr(torch.nn.Module, "to", convert)
    graph = chain(*((f"fc{i}", ops.Linear(10)) for i in range(8)), size=(1, 10))
    assert {p.dtype for p in build(graph, dtype=torch.float16).parameters()} == {torch.float16}
    assert seen == [110] * 8


# ---- values of the layers torch does not have


def only_layer(op, x):
    module = build(graph_of(op, tuple(x.shape)))
    return module, module.get_submodule("layer")


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 2, 1), (2, 2, 0), (5, 3, 2), (4, 3, 1), ((3, 2), 2, (0, 1))]
)
def test_the_mean_of_slices_is_torchs_average_pool(kernel, stride, padding, ceil_mode):
    """Our own pooling is used where torch has none; here both can."""
    from costcalc.torch_backend.modules import window_means

    x = torch.randn(2, 3, 12, 11)
    op = ops.AveragePool(kernel, stride, padding, ceil_mode=ceil_mode)
    ours = window_means(op, tuple(x.shape), ceil_mode)(x)
    torch.testing.assert_close(ours, F.avg_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode))
    for divided_by in ((False, None), (True, 7)):
        ours = window_means(op, tuple(x.shape), ceil_mode, *divided_by)(x)
        torch.testing.assert_close(ours, F.avg_pool2d(x, kernel, stride, padding, ceil_mode, *divided_by))


def test_padded_as_same_a_sum_is_divided_by_what_is_given():
    x = torch.randn(2, 3, 9, 10)
    _, pool = only_layer(ops.AveragePool(2, 1, padding="same", divisor=7), x)
    torch.testing.assert_close(pool(x), F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2, 1) * 4 / 7)


def test_partial_conv_is_a_dense_one_with_zeros():
    x, sees = torch.randn(2, 6, 9, 8), [[0, 1, 2], [5], [1, 4]]
    module, layer = only_layer(ops.PartialConv(sees, 3, stride=2, padding=1), x)
    dense = torch.zeros(3, 6, 3, 3)
    pairs = iter(layer.weight)
    for i, row in enumerate(sees):
        for j in row:
            dense[i, j] = next(pairs)
    torch.testing.assert_close(module(x), F.conv2d(x, dense, layer.bias, stride=2, padding=1))


def test_subsample_is_weight_times_sum_plus_bias():
    x = torch.randn(2, 3, 8, 6)
    module, layer = only_layer(ops.Subsample(), x)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        layer.bias.copy_(torch.tensor([0.0, 3.0, 1.0]))
    sums = x.reshape(2, 3, 4, 2, 3, 2).sum((3, 5))
    expected = sums * layer.weight.view(3, 1, 1) + layer.bias.view(3, 1, 1)
    torch.testing.assert_close(module(x), expected)


def test_rbf_is_the_squared_distance():
    x = torch.randn(4, 84)
    module, layer = only_layer(ops.RBF(10), x)
    torch.testing.assert_close(module(x), torch.cdist(x, layer.weight) ** 2, rtol=1e-4, atol=1e-3)
    assert set(layer.weight.unique().tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize(("size", "kernel", "stride"), [(7, 3, 2), (8, 3, 2), (8, 2, 3), (9, 5, 4), (6, 2, 1)])
def test_padding_same_is_tensorflows(size, kernel, stride):
    """The odd zero stands at the end (tf.nn.convolution, padding='SAME')."""
    x = torch.randn(1, 2, size)
    module, layer = only_layer(ops.Conv(3, kernel, stride=stride, padding="same"), x)
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    by_hand = F.conv1d(F.pad(x, [total // 2, total - total // 2]), layer.weight, layer.bias, stride)
    torch.testing.assert_close(module(x), by_hand)


def test_padding_same_of_pools_adds_nothing():
    x = -torch.rand(1, 1, 5, 5) - 1  # all below zero: a zero would be the maximum
    module, _ = only_layer(ops.MaxPool(3, 2, padding="same"), x)
    assert module(x).max() <= -1
    module, _ = only_layer(ops.AveragePool(3, 2, padding="same"), torch.ones(1, 1, 5, 5))
    torch.testing.assert_close(module(torch.ones(1, 1, 5, 5)), torch.ones(1, 1, 3, 3))


def test_local_response_norm_is_the_papers():
    """Krizhevsky et al. 2012, section 3.3: x / (k + α Σ x²)^β, α not divided by the number of neighbours."""
    x = torch.randn(1, 7, 2, 2)
    module, _ = only_layer(ops.LocalResponseNorm(5, alpha=0.5, beta=0.75, k=2), x)
    out = torch.stack([x[:, i] / (2 + 0.5 * (x[:, max(0, i - 2) : i + 3] ** 2).sum(1)) ** 0.75 for i in range(7)], 1)
    torch.testing.assert_close(module(x), out)


# ---- graphs


def test_parameters_are_named_by_layer_and_repeats_unrolled():
    module = build(costcalc.load("resnet50").graph(), device="meta")
    names = dict(module.named_parameters())
    assert names["conv1.conv.weight"].shape == (64, 3, 7, 7)
    assert sum("conv2_x.more.1." in name for name in names) == 9
    assert type(module).__name__ == "Resnet"


def test_several_outputs_are_a_tuple_in_order():
    graph = chain(("a", ops.Conv(4, 3)), ("b", ops.ReLU()))
    costcalc.add(graph, "c", ops.GlobalAveragePool(), "a")
    b, c = build(graph)(torch.randn(2, 6, 13, 10))
    assert b.shape == (2, 4, 11, 8)
    assert c.shape == (2, 4)


def test_a_layer_that_shares_writes_over_its_input_only_where_it_may(monkeypatch):
    """The first may write over what it reads; what the second reads is read again."""
    monkeypatch.setattr("costcalc.ops.base.OPS", {})

    @ops.op
    class Scale(ops.Pointwise):
        """x·w, one w for all elements.   s -> s"""

        output = ops.computed(inplace=True, overwritable=True)
        elementwise = ops.per_element(1)
        train_elementwise = ops.gradient_per_element(1)
        keeps = ops.keeps_input

        def weights(self, x):
            return (ops.Tensor("weight", (1,)),)

    class Module(nn.Module):
        inplace = False

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([3.0]))

        def forward(self, x):
            return x.mul_(self.weight) if self.inplace else x * self.weight

    monkeypatch.setitem(MODULES, "scale", lambda op, x: Module())
    graph = chain(("conv", ops.Conv(6, 1)), ("a", Scale()), ("last", ops.Conv(6, 1)))
    costcalc.add(graph, "b", Scale(), "last", shares="a")
    costcalc.add(graph, "sum", ops.Add(), "b", "last")
    module = build(graph)
    (x,) = example_inputs(module)
    with torch.no_grad():
        last = module.last(3 * module.conv(x))
        torch.testing.assert_close(module(x), 3 * last + last)
    assert sum(parameter.numel() for parameter in module.parameters()) == 2 * (36 + 6) + 1


def test_a_layer_that_shares_is_the_same_module_called_twice():
    graph = chain(("a", ops.Conv(6, 3, padding=1)))
    costcalc.add(graph, "b", ops.Conv(6, 3, padding=1), "a", shares="a")
    module = build(graph)
    x = torch.randn(2, 6, 13, 10)
    torch.testing.assert_close(module(x), module.a(module.a(x)))
    assert sum(p.numel() for p in module.parameters()) == costcalc.cost(graph).params


def test_copies_that_share_a_layer_outside_are_its_module_called_again(tmp_path):
    dice = random.Random(5)
    for _ in range(8):
        (tmp_path / "x.yaml").write_text(random_spec(dice))
        found = verify_net(costcalc.load(str(tmp_path / "x.yaml")))
        assert found.ok, found.verdict
    body = costcalc.new_graph()
    costcalc.add(body, "input", ops.Input())
    costcalc.add(body, "conv", ops.Conv(6, 3, padding=1), "input", shares=costcalc.Outer("a"))
    graph = chain(("a", ops.Conv(6, 3, padding=1)))
    costcalc.add(graph, "r", costcalc.Repeat(body, 3), "a")
    module = build(graph)
    x = torch.randn(2, 6, 13, 10)
    torch.testing.assert_close(module(x), module.a(module.a(module.a(module.a(x)))))
    assert sum(p.numel() for p in module.parameters()) == costcalc.cost(graph).params == 6 * (54 + 1)


def test_an_embedding_and_a_linear_may_be_tied():
    graph = costcalc.new_graph()
    costcalc.add(graph, "tokens", ops.Input([2, 5]))
    costcalc.add(graph, "embed", ops.Embedding(11, 8), "tokens")
    costcalc.add(graph, "logits", ops.Linear(11, bias=False), "embed", shares="embed")
    module = build(graph)
    assert module.logits.weight is module.embed.weight
    (tokens,) = example_inputs(module)
    assert tokens.dtype == torch.long
    assert tokens.max() < 11
    torch.testing.assert_close(module(tokens), module.embed(tokens) @ module.embed.weight.T)


NAMES = [
    "forward",
    "training",
    "graph",
    "conv[relu]",
    "1",
    "a-b",
    "x.y",
    "a..b",
    "weight",
    "class",
    "a.None",
    "self",
    "Self",
]
NAMES += ['"', 'a"), exit("', "a\\", "a\nb", "a\0", "\ud800", "ﬁ", "__debug__", "*x", "x: 1", "torch", "", 7]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_a_layers(name):
    graph = chain((name, ops.Conv(4, 3)), ("after", ops.ReLU()))
    module = build(graph)
    assert module(torch.randn(2, 6, 13, 10)).shape == (2, 4, 11, 8)
    assert sum(p.numel() for p in module.parameters()) == costcalc.cost(graph).params


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_an_inputs(name):
    graph = costcalc.new_graph()
    x = costcalc.add(graph, name, ops.Input([1, 3]))
    costcalc.add(graph, "flat", ops.Flatten(), x)
    assert build(graph)(torch.ones(1, 3)).tolist() == [[1, 1, 1]]


@pytest.mark.parametrize(
    "names", [("input", "input_1"), ("a-b", "a_b"), ("torch_1", "torch"), ("self_", "self"), ("Self", "x")]
)
def test_inputs_of_almost_the_same_name_are_two(names):
    graph = costcalc.new_graph()
    first, second = (costcalc.add(graph, name, ops.Input([1, 1])) for name in names)
    costcalc.add(graph, "both", ops.Concat(), first, second)
    assert build(graph)(torch.tensor([[1.0]]), torch.tensor([[2.0]])).tolist() == [[1, 2]]


def test_an_input_behind_a_layer_of_almost_the_same_name():
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input([1, 1]))
    costcalc.add(graph, "a-b", ops.ReLU(), "x")
    costcalc.add(graph, "a_b", ops.Input([1, 1]))
    costcalc.add(graph, "both", ops.Concat(), "a-b", "a_b")
    assert build(graph)(torch.tensor([[1.0]]), torch.tensor([[2.0]])).tolist() == [[1, 2]]


@pytest.mark.parametrize("names", [("a.b", "a"), ("a.b.c", "a.b", "a"), ('a"b', "a_b"), ("ﬁ", "fi")])
def test_layers_of_almost_the_same_name_are_two(names):
    graph = chain(*((name, ops.Conv(4, 3)) for name in names))
    module = build(graph)
    assert module(torch.randn(2, 6, 13, 10)).isfinite().all()
    assert sum(p.numel() for p in module.parameters()) == costcalc.cost(graph).params


def test_indices_are_found_through_a_thousand_movers():
    """And each is looked at once, where there are 2^16 ways."""
    graph = costcalc.new_graph()
    last = costcalc.add(graph, "x", ops.Input([1, 1]))
    for i in range(500):
        ways = [costcalc.add(graph, f"{way}{i}", ops.Identity(), last) for way in "ab"]
        last = costcalc.add(graph, f"join{i}", ops.Concat(), *ways) if i < 16 else ways[0]
    costcalc.add(graph, "embed", ops.Embedding(7, 4), last)
    (tokens,) = example_inputs(build(graph, device="meta"), device="cpu")
    assert tokens.dtype == torch.long


def test_a_layer_may_have_the_name_of_anothers_weight():
    graph = chain(("fc", ops.Conv(4, 3)), ("fc.weight", ops.Conv(5, 3)), ("fc.weight_", ops.Conv(6, 3)))
    module = build(graph)
    assert module(torch.randn(2, 6, 13, 10)).shape == (2, 6, 7, 4)
    assert sum(p.numel() for p in module.parameters()) == costcalc.cost(graph).params


def test_sizes_that_are_symbols_are_refused():
    from costcalc.dims import size_symbol

    with pytest.raises(UsageError, match=r"a torch module needs numeric sizes; layer graph .* has the symbol c"):
        build(chain(("a", ops.Conv(size_symbol("c"), 3))))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_torch_cannot_number_is_refused(device):
    with pytest.raises(TooLarge, match=r"layer '\w+' has 1,[\d,]+ elements, more than torch can number"):
        build(chain(("relu", ops.ReLU()), size=(2**30, 2**30)), device=device)


def test_what_no_memory_holds_is_refused_and_the_meta_device_holds_it():
    graph = chain(("huge", ops.Linear(10**6)), ("huger", ops.Linear(10**6)), size=(1, 10**6))
    with pytest.raises(TooLarge, match=r"its weights take 7\.28 TiB, and cpu has .* free"):
        build(graph)
    module = build(graph, device="meta")
    assert sum(p.numel() for p in module.parameters()) == 2 * (10**12 + 10**6) == costcalc.cost(graph).params


# ---- what torch makes of it


NET = "mobilenet_v2@r=32,classes=10"


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return build(costcalc.load(NET).graph())


@pytest.fixture(scope="module")
def x():
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_any_dtype(dtype):
    module = build(costcalc.load(NET).graph(), dtype=dtype)
    assert module(*example_inputs(module)).dtype == dtype


def test_the_state_goes_round(module, x):
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other = build(costcalc.load(NET).graph())
    other.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(other(x), module(x), rtol=0, atol=0)


def test_the_code_is_plain_python(module):
    assert "stem_batch_norm = stem.batch_norm(stem_conv)" in module.code


def test_it_survives_torch_compile(module, x):
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), module(x))


def test_it_survives_torch_export(module, x):
    exported = torch.export.export(module, (x,))
    torch.testing.assert_close(exported.module()(x), module(x))


def test_it_survives_onnx_export(module, x):
    onnx = needed.module("onnx", "test")
    needed.module("onnxscript", "test")
    if torch.__version__.startswith("2.4."):
        pytest.skip("torch 2.4 writes ONNX with functions that onnx's reference does not run")
    from onnx.reference import ReferenceEvaluator

    program = torch.onnx.export(module, (x,), dynamo=True, verbose=False)
    onnx.checker.check_model(program.model_proto)
    (out,) = ReferenceEvaluator(program.model_proto).run(None, {program.model_proto.graph.input[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(out), module(x), rtol=1e-3, atol=1e-4)


def test_it_trains(x):
    """A step of gradient descent makes the loss smaller."""
    torch.manual_seed(0)
    net = build(costcalc.load("lenet5").graph(), dtype=torch.float64).train()
    images, labels = torch.randn(8, 1, 32, 32, dtype=torch.float64), torch.arange(8)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]


def test_indices_are_found_behind_a_reshape():
    graph = costcalc.new_graph()
    costcalc.add(graph, "tokens", ops.Input([2, 3, 4]))
    costcalc.add(graph, "flat", ops.Reshape([12]), "tokens")
    costcalc.add(graph, "embed", ops.Embedding(11, 8), "flat")
    module = build(graph)
    (tokens,) = example_inputs(module)
    assert tokens.dtype == torch.long
    assert module(tokens).shape == (2, 12, 8)


def test_an_op_without_a_module_is_named(monkeypatch):
    from costcalc.torch_backend.modules import MODULES

    monkeypatch.delitem(MODULES, "conv")
    with pytest.raises(GraphError) as caught:
        build(chain(("stem", ops.Conv(4, 3))))
    assert str(caught.value) == (
        "layer 'stem': the op 'conv' has no module in torch; "
        "give costcalc.torch_backend.MODULES a builder, as `costcalc help add-an-op` shows"
    )


# ---- what the generated code looks like


def test_a_block_is_looked_up_once():
    code = build(costcalc.load("resnet18").graph()).code
    assert "conv2_x_first_residual = conv2_x_first.residual\n" in code
    assert re.findall(r"self\.\w+\.|\w\.\w+\.\w", code) == []
    looked_up = re.findall(r"^ *(\w+) = (?:\w+\.\w+|getattr\(\w+, \"\w+\"\))$", code, re.MULTILINE)
    assert len(looked_up) == len({*looked_up}) > 20


def test_what_has_the_name_of_a_block_keeps_it():
    body = [
        "stage = input;  input = None\n", "stage_0 = self.stem(stage)\n",
        'x = getattr(self.stage, "0").relu(stage_0)\n',
        "y = getattr(self.stage, \"0\").conv(x);  x = None\n", "z = torch.flatten(y)\n", "# self.a.b()\n",
    ]  # fmt: skip
    assert blocks_once(body) == [
        *body[:2], "stage_ = self.stage\n", 'stage_0_ = getattr(stage_, "0")\n', "x = stage_0_.relu(stage_0)\n",
        "y = stage_0_.conv(x);  x = None\n", *body[4:],
    ]  # fmt: skip


def test_a_layer_of_a_block_that_is_replaced_is_the_one_called():
    module = build(chain(("stem.conv", ops.Conv(4, 3)), ("stem.relu", ops.ReLU())))
    x = torch.ones(2, 6, 13, 10)
    module.stem.relu = nn.Identity()
    with torch.no_grad():
        assert module(x).equal(module.stem.conv(x))
