"""Blocks of exported specs: what their copies read besides each other, their parameters, and their branches."""

import json

import pytest
from support import needed

import costcalc
from costcalc import ops
from costcalc.exporters.block_parameters import in_terms_of
from costcalc.exporters.export_model import export
from costcalc.store import graph_hash


def is_the_same(net, text):
    """Has a spec the same layers, repeats written out, and costs?"""
    ours, read = costcalc.load(net), costcalc.load(text)
    assert graph_hash(ours.layers(unrolled=True)) == graph_hash(read.layers(unrolled=True))
    assert ours.cost(unrolled=True).totals == read.cost().totals
    return read


def chain(*layers):
    """A layer graph of (name, op, inputs)."""
    graph = costcalc.new_graph(name="mine")
    for name, op, *inputs in layers:
        costcalc.add(graph, name, op, *inputs)
    return graph


def test_a_decoder_of_32_layers_is_short(tmp_path):
    """Its blocks read positions beside the hidden state: cos and sin are constants around the repeat."""
    needed.module("transformers", "hf")
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2}
    about = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 32, "vocab_size": 50}
    (tmp_path / "llama.json").write_text(json.dumps(about | sizes))
    net = costcalc.load(f"hf:{tmp_path / 'llama.json'}@tokens=8")
    exported = export(net.graph(), tmp_path / "llama.yaml")
    read = is_the_same(net.graph(), exported.text)
    assert exported.layers > 25 * exported.distinct_layers
    assert exported.lines <= 1.2 * exported.distinct_layers
    assert "        times: 32\n" in exported.text
    assert "          - add: [[], [norm: {name: input_layernorm}, self_attn]]\n" in exported.text
    assert "from: rotary_emb.constant}" in exported.text
    assert "\n    - norm: {name: norm}\n" in exported.text  # not what it is called where it is used most
    onnx = needed.module("onnx", "onnx")
    export(read, tmp_path / "llama.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "llama.onnx", load_external_data=False), full_check=True)
    again = costcalc.load(tmp_path / "llama.onnx")
    assert (again.macs, again.params) == (read.macs, read.params)
    for picture in ("dot", "mermaid"):
        assert "×32" in export(read, format=picture).text


def copies(count, read):
    """x → copies of sum and product, of which each also reads what `read` says."""
    layers = [("x", ops.Input([2, 8])), ("memory", ops.Linear(8), "x"), ("other", ops.Linear(8, bias=False), "x")]
    last = "x"
    for i in range(count):
        layers += [(f"b.{i}.fc", ops.Linear(8), last), (f"b.{i}.gate", ops.Mul(), f"b.{i}.fc", read(i))]
        layers += [(f"b.{i}.sum", ops.Add(), last, f"b.{i}.gate")]
        last = f"b.{i}.sum"
    return chain(*layers, ("end", ops.Add(), last, "memory", "other"))


@pytest.mark.parametrize(
    ("read", "times"),
    [
        (lambda i: "memory", 5),
        (lambda i: "memory" if i < 3 else "other", 3),
        (lambda i: "memory" if i else "other", 4),
        (lambda i: "x" if i else "memory", 4),
        (lambda i: "x", 4),  # the first copy reads one layer, the others two
    ],
)
def test_copies_read_the_same_layer(read, times):
    graph = copies(5, read)
    text = export(graph).text
    is_the_same(graph, text)
    assert f"times: {times}," in text or f"times: {times}\n" in text


def test_a_layer_of_the_body_hides_one_outside():
    """`memory` stands in the body too: the one outside gets another name."""
    layers, last = [("x", ops.Input([2, 8])), ("memory", ops.Linear(8), "x")], "x"
    for i in range(3):
        layers += [(f"b.{i}.memory", ops.ReLU(), last), (f"b.{i}.gate", ops.Mul(), f"b.{i}.memory", "memory")]
        last = f"b.{i}.gate"
    graph = chain(*layers)
    text = export(graph).text
    is_the_same(graph, text)
    assert "from: [memory, memory_outside]" in text


def test_repeats_in_repeats_read_what_stands_around_both():
    text = (
        "name: n\ntitle: t\nsource: s\ninputs: {x: [8], t: []}\nlayers:\n"
        "  - embedding: {name: time, count: 9, features: 8, from: t}\n"
        "  - repeat: {name: r, from: x, times: 3, layers: [relu, repeat: {name: q, times: 2, layers: ["
        "linear: 8, mul: {from: [linear, time]}]}, linear: {name: last, features: 8}, add: {from: [last, time]}]}\n"
    )
    exported = export(text)
    is_the_same(text, exported.text)
    assert exported.text.count("times: ") == 2
    assert "inputs: {x: [8], t: []}" in exported.text  # an input without an axis behind the batch


def test_an_input_may_be_a_number_for_each_example():
    torch = needed.module("torch", "torch")

    class Denoise(torch.nn.Module):
        """Adds a map of the time step to an image."""

        def __init__(self):
            super().__init__()
            self.conv, self.time = torch.nn.Conv2d(3, 8, 3), torch.nn.Linear(4, 8)

        def forward(self, x, t):
            return self.conv(x) + self.time(torch.stack([t, t, t, t], -1))[:, :, None, None]

    net = costcalc.load(Denoise(), (2, 3, 9, 9), (2,))
    text = export(net).text
    read = costcalc.load(text)
    assert "inputs: {x: [3, r, r], t: []}" in text
    assert read.with_knobs(batch=5, r=20).cost().totals == net.with_knobs(batch=5, r=20).cost().totals


def test_blocks_that_differ_in_a_stride_are_one():
    layers, last = [("x", ops.Input([2, 3, 32, 32]))], "x"
    for i, (channels, kernel, stride) in enumerate([(8, 3, 1), (16, 5, 2), (32, 3, 2), (64, 7, 1)]):
        layers.append((f"b{i}.conv", ops.Conv(channels, kernel, stride, kernel // 2), last))
        layers.append((f"b{i}.wide", ops.Conv(4 * channels, 1, groups=channels // 4), f"b{i}.conv"))
        layers.append((f"b{i}.act", ops.ReLU(), last := f"b{i}.wide"))
        last = f"b{i}.act"
    text = export(chain(*layers)).text
    is_the_same(chain(*layers), text)
    assert "conv_conv_relu(channels, kernel, stride=1):" in text
    assert "conv: {channels: channels, kernel: kernel, stride: stride, padding: kernel//2}" in text
    assert "conv: {name: wide, channels: 4*channels, kernel: 1, groups: channels/4}" in text
    assert "- conv_conv_relu: {name: b0, channels: 8, kernel: 3}" in text
    assert "- conv_conv_relu: {name: b1, channels: 16, kernel: 5, stride: 2}" in text


def test_dense_layers_are_one_block():
    """They differ in what they join, which stands before them; long lists of names take several lines."""
    layers, read = [("x", ops.Input([1, 8, 6, 6]))], ["x"]
    for i in range(12):
        at = f"dense.layer{i}_with_a_long_name"
        layers += [(f"{at}.concat", ops.Concat(), *read)] if i else []
        layers += [(f"{at}.norm", ops.BatchNorm(), f"{at}.concat" if i else "x")]
        layers += [(f"{at}.relu", ops.ReLU(), f"{at}.norm"), (f"{at}.conv", ops.Conv(4, 3, padding=1), f"{at}.relu")]
        read.append(f"{at}.conv")
    graph = chain(*layers, ("end", ops.Concat(), *read))
    text = export(graph).text
    is_the_same(graph, text)
    assert text.count("- conv: ") == 1
    assert max(map(len, text.split("\n"))) <= 120


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((8, 16), "a"), ((24, 48), "3*a"), ((2, 4), "a/4"), ((64, 256), "a**2"), ((3, 5), "b//2"), ((9, 15), None),
        (("64*batch", "256*batch"), "a**2*batch"), (("8*r", "16*r"), "a*r"), (("8*r", "16*batch"), None),
        (("batch", "2*batch"), "a/8*batch"), (((1, 2), 3), None), (("r - 1", "r"), None), ((True, False), None),
    ],
)  # fmt: skip
def test_values_are_written_in_terms_of_parameters(values, text):
    assert in_terms_of(values, {"a": (8, 16), "b": (7, 11), "c": ("r", 2)}) == text


def test_the_views_beside_a_layer_of_their_group_stand_with_it():
    """As GPT-2's projections: a view before the product and one behind."""
    layers = chain(
        ("x", ops.Input([2, 6, 8])),
        ("block.fc.view", ops.Reshape([12, 4]), "x"),
        ("block.fc", ops.Linear(8), "block.fc.view"),
        ("block.fc.view_2", ops.Reshape([6, 16]), "block.fc"),
        ("block.act", ops.ReLU(), "block.fc.view_2"),
    )
    text = export(layers).text
    is_the_same(layers, text)
    assert "linear: {name: fc, features: 8}" in text
    assert text.count("name: ") == 3  # the spec's, and of the layers with a module


@pytest.mark.parametrize("name", ["resnet18", "alexnet", "squeezenet1_1"])
def test_a_spec_has_the_formula_of_its_network(name):
    """Batch and resolution are free in both."""
    needed.module("torchvision", "vision")
    net = costcalc.load(f"torchvision:{name}")
    ours, read = costcalc.formula(net), costcalc.formula(export(net).text)
    assert str(ours.expression) == str(read.expression)
    assert {"batch", "r"} == {str(symbol) for symbol in read.expression.free_symbols}
