"""A network that is exported and read back is the same network; and its spec is as short as it looks."""

from fractions import Fraction
from math import prod

import pytest
from support import needed

import costcalc
from costcalc import ops
from costcalc.cli.app import run
from costcalc.dims import floor_div, maximum, minimum, round_to, size_symbol
from costcalc.errors import CostcalcError, Place, UsageError
from costcalc.exporters import export_model
from costcalc.exporters.export_model import SUFFIXES, export
from costcalc.exporters.size_text import expression_text
from costcalc.expressions import parse
from costcalc.store import graph_hash

METRICS = ("params", "macs", "elementwise", "activations", "buffers")
SOME_SPECS = ["lenet5", "resnet50", "googlenet", "mobilenet_v2", "efficientnet_b0", "inception_bottleneck", "alexnet"]


def is_the_same(net, text):
    """Is the network of a spec the same as this one: its hash, and every total?"""
    read = costcalc.load(text)
    ours, theirs = net.cost(unrolled=True), read.cost(unrolled=True)
    assert [ours.total(metric) for metric in METRICS] == [theirs.total(metric) for metric in METRICS]
    batch = {"batch": 2} if "batch" in net.knobs and read.knobs["batch"].high > 1 else {}  # at 1 a view has two names
    assert graph_hash(net.layers(batch, unrolled=True)) == graph_hash(read.layers(batch, unrolled=True))
    return read


@pytest.mark.parametrize("target", SOME_SPECS)
def test_a_spec_comes_back_with_its_knobs(target):
    net = costcalc.load(target)
    read = is_the_same(net, export(target).text)
    assert {"r", "classes"} & {*net.knobs} <= {*read.knobs}
    if "r" in read.knobs:
        assert read.with_knobs(r=2 * net.values["r"]).macs == net.with_knobs(r=2 * net.values["r"]).macs


@pytest.mark.parametrize("name", ["resnet50", "vit_b_16"])  # all at night: tests/nightly/export_zoo.py
def test_a_network_of_torchvision_comes_back(name):
    needed.module("torchvision", "vision")
    net = costcalc.load(f"torchvision:{name}")
    exported = export(net)
    is_the_same(net, exported.text)
    assert exported.lines <= 1.5 * exported.distinct_layers
    assert max(map(len, exported.text.split("\n"))) <= 120
    if name == "resnet50":  # repeated blocks are written once, and alike ones as one with parameters
        assert "repeat: {name: block1_to_5, times: 5, layers: [block_2: {channels: 256}]}" in exported.text
        assert exported.text.count("conv: {name: conv3, channels: 4*channels, kernel: 1, bias: false}") == 2
        assert "  block(channels, stride=1):\n" in exported.text
        assert (exported.layers, exported.distinct_layers) == (175, 95)


def chain(*layers):
    """A layer graph of (name, op, inputs)."""
    graph = costcalc.new_graph(name="mine")
    for name, op, *inputs in layers:
        costcalc.add(graph, name, op, *inputs)
    return graph


X = ("x", ops.Input([1, 8, 16, 16]))


def test_branches_are_found_at_a_join():
    graph = chain(
        X,
        ("a", ops.Conv(8, 3, padding=1), "x"),
        ("b", ops.ReLU(), "a"),
        ("sum", ops.Add(), "b", "x"),
        ("twice", ops.Add(), "sum", "sum"),
    )
    text = export(graph).text
    is_the_same(costcalc.load(graph), text)
    assert "[conv: {name: a, channels: 8, kernel: 3, padding: 1}, relu: {name: b}]" in text
    assert "from: [sum, sum]" in text


def test_a_layer_that_a_copy_and_others_read_is_no_copy():
    blocks = [X]
    last = "x"
    for i in range(4):
        blocks += [(f"b.{i}.conv", ops.Conv(8, 1), last), (f"b.{i}.relu", ops.ReLU(), f"b.{i}.conv")]
        last = f"b.{i}.relu"
    blocks += [("all", ops.Concat(), "b.1.relu", last)]
    graph = chain(*blocks)
    exported = export(graph)
    is_the_same(costcalc.load(graph), exported.text)
    assert exported.text.count("times: 2") == 2


def test_a_copy_reads_what_it_is_given_by_name():
    """mul reads it too, in an order in which it has no branches."""
    blocks, last = [X], "x"
    for i in range(3):
        blocks += [
            (f"b.{i}.a", ops.Sigmoid(), last),
            (f"b.{i}.b", ops.ReLU(), last),
            (f"b.{i}.c", ops.MatMul(), f"b.{i}.b", f"b.{i}.a"),
            (f"b.{i}.d", ops.Mul(), f"b.{i}.a", f"b.{i}.c", last),
        ]
        last = f"b.{i}.d"
    graph = chain(*blocks)
    text = export(graph).text
    is_the_same(costcalc.load(graph), text)
    assert "times: 3" in text
    assert "from: given" in text


def test_names_that_an_inner_list_hides_are_changed():
    graph = chain(
        X,
        ("move", ops.ReLU(), "x"),
        ("attn.move", ops.Sigmoid(), "x"),
        ("attn.a", ops.Tanh(), "move"),
        ("attn.sum", ops.Add(), "attn.a", "attn.move"),
    )
    text = export(graph).text
    is_the_same(costcalc.load(graph), text)
    assert "move_outside" in text


def test_shared_weights_stay_shared():
    graph = chain(X, ("a", ops.Conv(8, 3, padding=1), "x"), ("between", ops.ReLU(), "a"))
    costcalc.add(graph, "b", ops.Conv(8, 3, padding=1), "between", shares="a")
    text = export(graph).text
    assert is_the_same(costcalc.load(graph), text).params == 8 * 8 * 9 + 8
    assert "shares: a" in text


def test_recurrent_layers_are_written():
    """Their field is called as a structure's is."""
    graph = chain(("x", ops.Input([2, 9, 16])), ("lstm", ops.LSTM(20, layers=2, bidirectional=True), "x"))
    text = export(graph).text
    is_the_same(costcalc.load(graph), text)
    assert "lstm: {hidden: 20, layers: 2, bidirectional: true}" in text


def test_what_is_frozen_in_part_is_said_in_a_comment():
    graph = chain(X, ("a", ops.Conv(8, 3), "x"), ("b", ops.Conv(8, 3), "a"), ("c", ops.Conv(8, 3), "b"))
    graph.nodes["a"]["frozen"] = ("weight", "bias")
    graph.nodes["b"]["frozen"] = True
    text = export(graph).text
    assert text.count("frozen: true") == 2
    assert not text.startswith("#")
    read = costcalc.load(text)
    assert [data.get("frozen") for _, data in read.bound.nodes(data=True)] == [None, True, True, None]
    graph.nodes["c"]["frozen"] = ("bias",)
    assert export(graph).text.startswith("# a spec cannot say that 'c' has frozen bias and learns weight\n")


def test_several_inputs_and_a_fixed_batch():
    graph = costcalc.new_graph()
    costcalc.add(graph, "image", ops.Input([4, 3, 8, 8]))
    costcalc.add(graph, "mask", ops.Input([4, 1, 8, 8]))
    costcalc.add(graph, "product", ops.Mul(), "image", "mask")
    text = export(graph).text
    assert "inputs: {image: [3, 8, 8], mask: [1, 8, 8]}" in text
    read = is_the_same(costcalc.load(graph), text)
    with pytest.raises(UsageError):
        read.with_knobs(batch=5)  # its sizes hold for 4


def test_inputs_without_one_batch_are_refused():
    graph = chain(("a", ops.Input([4, 3])), ("b", ops.Input([5, 3])), ("c", ops.ReLU(), "a"), ("d", ops.ReLU(), "b"))
    with pytest.raises(UsageError, match="one batch in front"):
        export(graph)


def test_a_symbol_stays_one():
    r, n = size_symbol("r"), size_symbol("batch")
    graph = costcalc.new_graph(name="symbols")
    costcalc.add(graph, "x", ops.Input([n, 3, r, r]))
    costcalc.add(graph, "a", ops.Conv(4, 3, stride=2), "x")
    net = costcalc.model(graph, knobs={"batch": 1, "r": 33})
    read = is_the_same(net, export(net).text)
    assert read.with_knobs(r=64, batch=3).macs == net.with_knobs(r=64, batch=3).macs


def test_a_network_that_runs_at_multiples_has_these_as_a_knob():
    torch = needed.module("torch", "torch")

    class Halves(torch.nn.Module):
        """Adds an image to itself at half the size, back at the whole: it runs at even sizes."""

        def __init__(self):
            super().__init__()
            self.down, self.up = torch.nn.MaxPool2d(2), torch.nn.Upsample(scale_factor=2)

        def forward(self, x):
            return x + self.up(self.down(x))

    net = costcalc.load(Halves(), (1, 3, 64, 64))
    text = export(net).text
    assert "r: 2*k" in text
    read = is_the_same(net, text)
    assert read.with_knobs(k=50).cost().total("elementwise") == net.with_knobs(r=100).cost().total("elementwise")


def test_sizes_are_written_as_expressions_of_specs():
    a, b = size_symbol("a"), size_symbol("b")
    for size in (3 * a + 1, floor_div(a + 2, 4), -((-a) // 7), maximum(maximum(a, 3), b), minimum(a * b, 5),
                 round_to(a * Fraction(3, 4), 8), a**2 / 4, a * b - 1):  # fmt: skip
        expression = parse(expression_text(size), Place("", 1, 1))
        for values in ({"a": 5, "b": 9}, {"a": 16, "b": 2}):
            filled = size.subs({a: values["a"], b: values["b"]})
            assert expression.value(values) == Fraction(int(filled.p), int(filled.q))


def test_a_spec_that_is_another_network_is_never_handed_out(monkeypatch):
    monkeypatch.setattr("costcalc.exporters.write_spec.lines_of", lambda items, indent=2: iter(["  - relu"]))
    with pytest.raises(CostcalcError, match="another network"):
        export("lenet5")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_suffix_is_a_format(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    exported = export("lenet5", path)
    text = exported.text if isinstance(exported.text, bytes) else exported.text.encode()
    assert path.read_bytes() == text
    assert exported.format == export_model.SUFFIXES[suffix]
    if exported.format == "yaml":
        assert exported.text.startswith("name: net\n")


def test_a_module_that_trains_is_written_by_name(tmp_path):
    torch = needed.module("torch", "torch")
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    text = export(costcalc.load(module, (3, 4)), tmp_path / "mlp.yaml").text
    assert "  - linear: 8\n  - relu\n  - linear: 2\n" in text


# ---- for viewers of ONNX


def onnx_file(target):
    """The file that is written, read by the package onnx."""
    onnx = needed.module("onnx", "onnx")
    return onnx.load_model_from_string(export(target, format="onnx").text)


@pytest.mark.parametrize("target", [*SOME_SPECS, "fully_conv", "gru_net"])
def test_onnx_infers_the_shapes_that_we_have(target):
    onnx = needed.module("onnx", "onnx")
    given = {"fully_conv": fully_conv, "gru_net": gru_net}.get(target, lambda: target)()
    model, net = onnx_file(given), costcalc.load(given)
    del model.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=False, data_prop=True).graph
    ours = {row.name: row.output_shape for row in net.cost(unrolled=True).layers}
    found = {
        value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim) for value in inferred.value_info
    }
    compared = {name: shape for name, shape in found.items() if name in ours}
    assert compared == {name: ours[name] for name in compared}
    if target != "gru_net":  # whose GRU is a node of our own
        assert len(compared) == len(ours) - 2  # but inputs and outputs


def fully_conv():
    """Ops in their other forms."""
    return chain(
        X,
        ("up", ops.Upsample(2, mode="linear"), "x"),
        ("t", ops.ConvTranspose(6, 3, stride=2, padding=1, output_padding=1), "up"),
        ("act", ops.SiLU(), "t"),
        ("pad", ops.Pad([2, 3], [1, 2], [0, 3]), "act"),
        ("six", ops.ReLU6(), "pad"),
        ("slice", ops.Slice(2, 20, start=1, step=2), "six"),
        ("flat", ops.Reshape([-1, 5]), "slice"),
        ("fc", ops.Linear(7), "flat"),
        ("ln", ops.LayerNorm(), "fc"),
        ("soft", ops.Softmax(), "ln"),
        ("leaky", ops.LeakyReLU(), "soft"),
        ("end", ops.Tanh(), "leaky"),
    )


def test_attention_with_a_mask_comes_back_from_onnx(tmp_path):
    needed.module("onnx", "onnx")
    graph = costcalc.new_graph(name="attention")
    for name in "qkv":
        costcalc.add(graph, name, ops.Input([1, 2, 4, 8]))
    costcalc.add(graph, "mask", ops.Input([1, 1, 4, 4]))
    costcalc.add(graph, "attention", ops.ScaledDotProductAttention(), "q", "k", "v", "mask")
    export(graph, tmp_path / "net.onnx")
    read = costcalc.load(tmp_path / "net.onnx")
    assert read.cost().total("elementwise") == costcalc.cost(graph).total("elementwise")


def test_a_binary_file_has_a_name(capsys):
    assert run(["export", "lenet5", "-f", "onnx"]) == 2
    assert "name a file" in capsys.readouterr().err


def gru_net():
    """An op that ONNX has in another form."""
    return chain(("x", ops.Input([2, 5, 4])), ("gru", ops.GRU(8), "x"), ("act", ops.ReLU(), "gru"))


@pytest.mark.parametrize("target", ["resnet50", "googlenet", "efficientnet_b0"])
def test_every_tensor_stands_in_the_onnx_file_once_and_without_data(target):
    model, net = onnx_file(target), costcalc.load(target)
    tensors = [tensor for tensor in model.graph.initializer if tensor.external_data]
    assert not any(tensor.raw_data for tensor in tensors)
    total = net.cost().total("params") + net.cost().total("buffers")
    assert sum(prod(tensor.dims) for tensor in tensors) == total
    assert len(model.SerializeToString()) < 200_000


@pytest.mark.parametrize("target", [*SOME_SPECS, "swin_t", "vit_b_16", "gru_net"])
def test_an_onnx_file_that_is_written_counts_the_same(tmp_path, target):
    """Also of ops that ONNX lacks: those of attention by hand, windows and masks."""
    needed.module("onnx", "onnx")
    if target in ("swin_t", "vit_b_16"):
        needed.module("torchvision", "vision")
        target = f"torchvision:{target}"
    net = costcalc.load(gru_net() if target == "gru_net" else target)
    export(net, tmp_path / "net.onnx")
    read = costcalc.load(tmp_path / "net.onnx")
    assert read.macs == net.macs
    assert read.params == net.params
