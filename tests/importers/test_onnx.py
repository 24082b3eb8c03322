"""ONNX files without torch: counts by hand, shapes as onnx infers them, one rule for numbers, symbols and columns."""

import json
import subprocess
import sys

import pytest
from support import needed

onnx = needed.module("onnx", "onnx")

from onnx import numpy_helper, shape_inference  # noqa: E402
from support.hostile_files import varint  # noqa: E402
from support.onnx_files import model, node, onnx_file, stored  # noqa: E402

import costcalc  # noqa: E402
from costcalc.cli.app import run  # noqa: E402
from costcalc.errors import CostcalcError, ImportRefused, ShapeError, UnknownName, UsageError  # noqa: E402
from costcalc.importers.onnx_files.onnx_architecture import of_onnx  # noqa: E402
from costcalc.importers.onnx_files.onnx_graph import OnnxGraph  # noqa: E402

CONV = [
    node("Conv", "x w b", "c"),
    node("Relu", "c", "r"),
    node("Flatten", "r", "f"),
    node("Gemm", "f v u", "y", transB=1),
]
WEIGHTS = {"w": (4, 3, 3, 3), "b": (4,), "v": (10, 4 * 6 * 6), "u": (10,)}


def cost_of(folder, nodes, inputs, *args, **kwargs):
    return costcalc.load(onnx_file(folder, nodes, inputs, *args, **kwargs)).cost()


def totals(cost, *metrics):
    return tuple(cost.total(metric) for metric in metrics or ("params", "macs"))


def test_a_network_is_counted_by_hand(tmp_path):
    cost = cost_of(tmp_path, CONV, {"x": ["batch", 3, 8, 8]}, WEIGHTS)
    conv, linear = 4 * 27 * 36, 1440
    assert totals(cost) == (4 * 27 + 4 + 1440 + 10, conv + linear)
    assert totals(cost, "elementwise", "activations") == (2 * 144 + 10, 2 * 144 + 10)
    assert [row.op.name for row in cost.layers] == ["input", "conv", "relu", "flatten", "linear"]


def test_number_formula_and_column_agree(tmp_path):
    """A size is an int, a symbol or an array: shape arithmetic and rules give the same at all of them."""
    nodes = [
        node("Conv", "x w", "c", strides=[2, 2], auto_pad="SAME_UPPER"),
        node("MaxPool", "c", "m", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        node("Shape", "m", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n zeros", "n1"),
        node("Concat", "n1 four_rest", "shape", axis=0), node("Reshape", "m shape", "flat"),
        node("Slice", "flat one end last", "rest"), node("ReduceMean", "rest", "y", axes=[2]),
    ]  # fmt: skip
    tensors = {
        "w": (4, 3, 3, 3), "zero": 0, "zeros": [0], "four_rest": [4, -1], "one": [1], "end": [2**63 - 1], "last": [2],
    }  # fmt: skip
    net = costcalc.load(onnx_file(tmp_path, nodes, {"x": ["batch", 3, "height", "width"]}, tensors))
    metrics = ("macs", "elementwise", "activations")
    formulas = {metric: net.formula(metric) for metric in metrics}
    grid = {"batch": [1, 3], "height": [17, 30], "width": [19, 224]}
    swept = costcalc.sweep(net, metrics=metrics, **grid).to_records()
    assert len(swept) == 8
    for row in swept:
        knobs = {name: row[name] for name in grid}
        numbers = net.with_knobs(**knobs).cost()
        for metric in metrics:
            assert numbers.total(metric) == row[metric] == formulas[metric](**knobs)
    pooled = [(((n + 1) // 2 - 3 + 1) // 2 + 1) for n in (17, 19)]  # of 9 and 10, the last window may overhang
    flat = pooled[0] * pooled[1] - 1
    at = net.with_knobs(height=17, width=19).cost()
    assert at.layers[-1].input_shapes == ((1, 4, flat),)


def test_points_of_a_sweep_may_be_invalid(tmp_path):
    """A map that is halved and doubled again fits itself at even sizes only."""
    nodes = [
        node("MaxPool", "x", "a", kernel_shape=[2, 2], strides=[2, 2]), node("Shape", "x", "s"),
        node("ConvTranspose", "a w", "b", strides=[2, 2]), node("Slice", "s two four", "hw"),
        node("Cast", "hw", "f", to=1), node("Cast", "f", "i", to=7), node("Slice", "s zero two", "nc"),
        node("Concat", "nc i", "size", axis=0), node("Resize", "a _ _ size", "c"), node("Concat", "x b c", "y", axis=1),
    ]  # fmt: skip
    tensors = {"w": (3, 3, 2, 2), "zero": [0], "two": [2], "four": [4]}
    net = costcalc.load(onnx_file(tmp_path, nodes, {"x": ["n", 3, "h", "w"]}, tensors))
    swept = costcalc.sweep(net, h="4:9:1", w=8).to_records()
    assert [(row["h"], row["macs"]) for row in swept] == [(h, h // 2 * 4 * 3 * 12) for h in (4, 6, 8)]
    formula = net.formula()
    assert formula(h=6, w=8) == swept[1]["macs"]
    with pytest.raises(CostcalcError):
        formula(h=7, w=8)


def test_padding_that_is_computed(tmp_path):
    """timm's padding as TensorFlow's: as much as ⌈h/2⌉ windows of 3 need, below 0 nothing, half of it before."""
    nodes = [
        node("Shape", "x", "s"), node("Slice", "s two four", "hw"), node("Cast", "hw", "f", to=1),
        node("Div", "f half", "d"), node("Ceil", "d", "c"), node("Sub", "c one", "m"), node("Mul", "m half", "e"),
        node("Add", "e three", "reach"), node("Sub", "reach f", "more"), node("Clip", "more least", "pad"),
        node("Cast", "pad", "p", to=7), node("Div", "p pair", "low"), node("Sub", "p low", "high"),
        node("Concat", "none low none high", "pads", axis=0), node("Pad", "x pads", "q"),
        node("Conv", "q w", "y", strides=[2, 2]),
    ]  # fmt: skip
    tensors = {
        "two": [2], "four": [4], "half": 2.0, "one": 1.0, "three": 3.0, "least": 0.0, "pair": [2], "none": [0, 0],
        "w": (4, 3, 3, 3),
    }  # fmt: skip
    net = costcalc.load(onnx_file(tmp_path, nodes, {"x": ["n", 3, "h", "w_"]}, tensors))
    for h, w in ((224, 224), (7, 10)):
        assert net.with_knobs(h=h, w_=w).cost().layers[-1].output_shape == (1, 4, -(-h // 2), -(-w // 2))
    assert [row["macs"] for row in costcalc.sweep(net, h=[7, 8], w_=9).to_records()] == [108 * 20, 108 * 20]
    assert net.formula()(h=7, w_=9) == 108 * 20


def test_same_padding_at_odd_sizes_and_last_windows_that_overhang(tmp_path):
    """⌈7/2⌉ = 4 positions; a window that would start in the padding does not count."""
    same = [node("Conv", "x w", "c", strides=[2, 2], auto_pad="SAME_LOWER")]
    ceil = [node("MaxPool", "x", "y", kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1)]
    shape = [row.output_shape for row in cost_of(tmp_path, same, {"x": [1, 3, 7, 7]}, {"w": (4, 3, 2, 2)}, "c").layers]
    assert shape[-1] == (1, 4, 4, 4)
    assert cost_of(tmp_path, ceil, {"x": [1, 3, 6, 6]}).layers[-1].output_shape == (1, 3, 3, 3)
    # n·s positions, of which windows of 1 reach 2n − 1; onnx infers these, against its own words
    small = [node("ConvTranspose", "x w", "y", strides=[2, 2], auto_pad="SAME_UPPER")]
    cost = cost_of(tmp_path, small, {"x": [1, 4, 5, 6]}, {"w": (4, 3, 1, 1)})
    assert cost.layers[-1].output_shape == (1, 3, 10, 12)


def test_pools_advance_by_one_unless_they_say_otherwise(tmp_path):
    cost = cost_of(tmp_path, [node("AveragePool", "x", "y", kernel_shape=[3, 3])], {"x": [1, 3, 8, 8]})
    assert cost.layers[-1].output_shape == (1, 3, 6, 6)


def test_uneven_pads_are_a_layer(tmp_path):
    cost = cost_of(tmp_path, [node("Conv", "x w", "y", pads=[0, 1, 1, 1])], {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3)})
    assert [(row.op.name, row.output_shape) for row in cost.layers[1:]] == [
        ("pad", (1, 3, 9, 10)), ("conv", (1, 4, 7, 8)),
    ]  # fmt: skip


ATTRIBUTES_AND_INPUTS = {  # the same, as attributes of an early version and as inputs of a later one
    "Reshape": (1, {"shape": [1, 24]}, 13, {}),
    "Squeeze": (11, {"axes": [0]}, 13, {}),
    "Unsqueeze": (11, {"axes": [0, 4]}, 13, {}),
    "Slice": (9, {"starts": [0, 1], "ends": [2, 9], "axes": [1, 2]}, 13, {}),
    "Pad": (10, {"pads": [0, 0, 1, 0, 0, 2]}, 13, {}),
    "ReduceSum": (11, {"axes": [1]}, 13, {}),
    "ReduceMax": (13, {"axes": [1]}, 18, {}),
    "Split": (11, {"split": [1, 2]}, 13, {"axis": 1}),
    "TopK": (9, {"k": 2}, 11, {}),
    "Upsample": (8, {"scales": [1.0, 1.0, 2.0]}, 9, {}),
    "Clip": (6, {"min": 0.0, "max": 6.0}, 13, {}),
}


@pytest.mark.parametrize("op", ATTRIBUTES_AND_INPUTS)
def test_attributes_became_inputs(op, tmp_path):
    early, attributes, late, both = ATTRIBUTES_AND_INPUTS[op]
    outputs = "y z" if op in ("Split", "TopK") else "y"
    inputs = {"x": [1, 3, 8]}
    names = " ".join(f"i{i}" for i in range(len(attributes)))
    values = {f"i{i}": [value] if op == "TopK" else value for i, value in enumerate(attributes.values())}
    first = onnx_file(tmp_path, [node(op, "x", outputs, **attributes, **both)], inputs, {}, opset=early, name="a.onnx")
    second = onnx_file(tmp_path, [node(op, f"x {names}", outputs, **both)], inputs, values, opset=late, name="b.onnx")
    one, other = ([(row.op, row.output_shape) for row in costcalc.load(path).cost().layers] for path in (first, second))
    assert one == other


WITNESSED = {  # nodes whose shapes onnx infers rightly: opset, nodes, inputs, tensors
    "conv, dilated and grouped": ([node("Conv", "x w", "y", dilations=[2, 1], group=2, pads=[1, 2, 1, 2])],
                                  {"x": [2, 4, 9, 11]}, {"w": (6, 2, 3, 3)}),
    "conv of three axes": ([node("Conv", "x w", "y", strides=[1, 2, 2])], {"x": [1, 2, 5, 8, 8]},
                           {"w": (4, 2, 3, 3, 3)}),
    "transposed": ([node("ConvTranspose", "x w b", "y", strides=[2, 3], output_padding=[1, 1], pads=[1, 1, 1, 1])],
                   {"x": [2, 4, 5, 6]}, {"w": (4, 3, 3, 3), "b": (3,)}),
    "transposed to a size": ([node("ConvTranspose", "x w", "y", strides=[2, 2], output_shape=[10, 12])],
                             {"x": [1, 4, 5, 6]}, {"w": (4, 3, 3, 3)}),
    "transposed with uneven pads": ([node("ConvTranspose", "x w", "y", strides=[2, 2], pads=[0, 0, 1, 1])],
                                    {"x": [1, 4, 5, 6]}, {"w": (4, 3, 3, 3)}),
    "transposed to the same": ([node("ConvTranspose", "x w", "y", strides=[2, 3], auto_pad="SAME_UPPER")],
                               {"x": [1, 4, 5, 6]}, {"w": (4, 3, 3, 3)}),
    "pool with uneven pads": ([node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])],
                              {"x": [1, 4, 9, 12]}, {}),
    "gemm, both transposed": ([node("Gemm", "x w", "y", transA=1, transB=1)], {"x": [6, 2]}, {"w": (5, 6)}),
    "matmul of stacks": ([node("MatMul", "x z", "y")], {"x": [2, 3, 4, 5], "z": [3, 5, 7]}, {}),
    "matmul of a vector": ([node("MatMul", "x z", "y")], {"x": [2, 3, 5], "z": [5]}, {}),
    "einsum": ([node("Einsum", "x z", "y", equation="bij,bkj->bik")], {"x": [2, 3, 4], "z": [2, 5, 4]}, {}),
    "gather": ([node("Gather", "x i", "y", axis=1)], {"x": [2, 6, 4]}, {"i": [[0, 1], [2, 3]]}),
    "lstm": ([node("LSTM", "x w r b", "y", hidden_size=5, direction="bidirectional")], {"x": [7, 2, 3]},
             {"w": (2, 20, 3), "r": (2, 20, 5), "b": (2, 40)}),
    "gru": ([node("GRU", "x w r", "y", hidden_size=5)], {"x": [7, 2, 3]}, {"w": (1, 15, 3), "r": (1, 15, 5)}),
    "rnn": ([node("RNN", "x w r b", "y", hidden_size=5)], {"x": [7, 2, 3]},
            {"w": (1, 5, 3), "r": (1, 5, 5), "b": (1, 10)}),
    "layer norm": ([node("LayerNormalization", "x w b", "y", axis=-1)], {"x": [2, 5, 8]}, {"w": (8,), "b": (8,)}),
    "reduce all": ([node("ReduceMean", "x", "y", keepdims=0)], {"x": [2, 3, 4]}, {}),
    "depth to space": ([node("DepthToSpace", "x", "y", blocksize=2)], {"x": [1, 8, 3, 4]}, {}),
    "space to depth": ([node("SpaceToDepth", "x", "y", blocksize=2)], {"x": [1, 2, 6, 4]}, {}),
    "resize": ([node("Resize", "x _ s", "y", mode="linear")], {"x": [1, 2, 5, 7]}, {"s": [1.0, 1.0, 2.0, 1.5]}),
    "tile": ([node("Tile", "x t", "y")], {"x": [2, 3]}, {"t": [2, 3]}),
    "expand": ([node("Expand", "x s", "y")], {"x": [3, 1]}, {"s": [2, 3, 4]}),
    "slice backwards": ([node("Slice", "x s e a t", "y")], {"x": [9, 5]}, {"s": [-2], "e": [0], "a": [0], "t": [-2]}),
    "arg max": ([node("ArgMax", "x", "i", axis=1, keepdims=0), node("Cast", "i", "y", to=1)], {"x": [2, 3, 4]}, {}),
    "concat": ([node("Concat", "x z", "y", axis=-1)], {"x": [2, 3], "z": [2, 4]}, {}),
    "transpose": ([node("Transpose", "x", "y")], {"x": [2, 3, 4]}, {}),
    "where": ([node("Greater", "x z", "c"), node("Where", "c x z", "y")], {"x": [2, 1, 4], "z": [3, 1]}, {}),
    "global pools": ([node("GlobalMaxPool", "x", "a"), node("GlobalAveragePool", "a", "y")], {"x": [2, 3, 4, 5]}, {}),
    "unused outputs": ([node("MaxPool", "x", "y indices", kernel_shape=[2, 2])], {"x": [1, 3, 4, 4]}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", WITNESSED)
def test_shapes_are_as_onnx_infers_them(case, tmp_path):
    nodes, inputs, tensors = WITNESSED[case]
    made = model(nodes, inputs, tensors)
    inferred = shape_inference.infer_shapes(made, data_prop=True).graph.output[0]
    theirs = tuple(dim.dim_value for dim in inferred.type.tensor_type.shape.dim)
    graph = built(onnx_file(tmp_path, nodes, inputs, tensors))
    assert graph.values["y"].shape == theirs
    assert graph.differ == []
    graph.named()


def built(path):
    """The builder of a file, at the defaults of its knobs."""
    found = of_onnx(str(path))
    graph = OnnxGraph(found.record, found.at({name: knob.default for name, knob in found.knobs.items()}), 1000)
    graph.build()
    return graph


def test_recurrent_layers_by_hand(tmp_path):
    """An LSTM of 5 in both directions over 7 positions: four gates, two biases for each, or none."""
    nodes, inputs, tensors = WITNESSED["lstm"]
    with_bias = 2 * (20 * 3 + 20 * 5 + 40)
    assert totals(cost_of(tmp_path, nodes, inputs, tensors)) == (with_bias, 2 * 7 * 2 * 20 * (3 + 5))
    nodes = [node("LSTM", "x w r", "_ h", hidden_size=5, direction="bidirectional", layout=1)]
    cost = cost_of(tmp_path, nodes, {"x": [2, 7, 3]}, {"w": (2, 20, 3), "r": (2, 20, 5)}, "h")
    assert totals(cost) == (with_bias - 80, 2 * 7 * 2 * 20 * (3 + 5))
    assert cost.layers[-1].output_shape == (2, 2, 5)
    nodes = [node("LSTM", "x w r _ _ s", "h", hidden_size=5)]  # from a state that is an input, and cells of zeros
    cost = cost_of(tmp_path, nodes, {"x": [7, 2, 3], "s": [1, 2, 5]}, {"w": (1, 20, 3), "r": (1, 20, 5)}, "h")
    assert [len(row.inputs) for row in cost.layers if row.op.name == "lstm"] == [3]
    assert totals(cost) == (160, 2 * 7 * 20 * (3 + 5))
    nodes = [node("LSTM", "x w r _ _ s c", "h", hidden_size=5, direction="bidirectional", layout=1)]
    given = {"x": [2, 7, 3], "s": [2, 2, 5], "c": [2, 2, 5]}
    cost = cost_of(tmp_path, nodes, given, {"w": (2, 20, 3), "r": (2, 20, 5)}, "h")
    shapes = [[*row.input_shapes] for row in cost.layers if row.op.name == "lstm"]
    assert shapes == [[(2, 7, 3), (2, 2, 5), (2, 2, 5)]]
    nodes, inputs, tensors = WITNESSED["rnn"]
    assert totals(cost_of(tmp_path, nodes, inputs, tensors)) == (15 + 25 + 10, 7 * 2 * 5 * (3 + 5))


def test_attention_reads_earlier_positions(tmp_path):
    """Of 4 queries and 4 + 6 keys, 8 heads of 16: q·kᵀ and scores·v. Two heads of keys serve them."""
    nodes = [node("Attention", "q k v _ pk pv", "y nk nv", q_num_heads=8, kv_num_heads=2)]
    inputs = {"q": [1, 4, 128], "k": [1, 4, 32], "v": [1, 4, 32], "pk": [1, 2, 6, 16], "pv": [1, 2, 6, 16]}
    cost = cost_of(tmp_path, nodes, inputs, {}, "y nk", opset=23)
    assert cost.total("macs") == 2 * 8 * 4 * 10 * 16
    assert cost.layers[-1].output_shape == (1, 2, 10, 16)


def test_a_tensor_that_two_layers_read_counts_once(tmp_path):
    """An embedding's table is the weight of the last layer too."""
    nodes = [
        node("Gather", "table x", "e"), node("Transpose", "table", "t", perm=[1, 0]), node("MatMul", "e t", "y"),
    ]  # fmt: skip
    cost = cost_of(tmp_path, nodes, {"x": [1, 5]}, {"table": (11, 8)})
    assert totals(cost) == (88, 5 * 8 * 11)


def test_merged_tensors_are_shared(tmp_path):
    """One tensor is the bias of two convolutions with weights of their own."""
    nodes = [node("Conv", "x w b", "c"), node("Conv", "c v b", "y")]
    cost = cost_of(tmp_path, nodes, {"x": [1, 4, 9, 9]}, {"w": (4, 4, 3, 3), "v": (4, 4, 3, 3), "b": (4,)})
    assert totals(cost, "params", "macs", "elementwise") == (2 * 144 + 4, 144 * (49 + 25), 4 * (49 + 25))


def test_a_tensor_under_a_second_name_is_another(tmp_path):
    """torch's exporter stores equal tensors once, and hands them on through Identity."""
    nodes = [node("Identity", "b", "b2"), node("Conv", "x w b", "c"), node("Conv", "c v b2", "y")]
    path = onnx_file(tmp_path, nodes, {"x": [1, 4, 9, 9]}, {"w": (4, 4, 3, 3), "v": (4, 4, 3, 3), "b": (4,)})
    cost = costcalc.load(path).cost()
    assert cost.total("params") == 2 * (144 + 4)
    assert "stored once with equal ones, and counted: 1 tensor of 4 numbers" in cost.notes()


def test_weights_that_are_computed_are_operands(tmp_path):
    nodes = [node("Mul", "w g", "w2"), node("Conv", "x w2 b", "y")]
    cost = cost_of(tmp_path, nodes, {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3), "g": (4, 1, 1, 1), "b": (4,)})
    assert totals(cost, "params", "macs", "elementwise") == (108 + 4 + 4, 108 * 36, 108 + 4 * 36)


def test_initializers_may_be_inputs_too(tmp_path):
    inputs = {"x": [1, 3, 8, 8], "w": [4, 3, 3, 3]}
    cost = cost_of(tmp_path, [node("Conv", "x w", "y")], inputs, {"w": (4, 3, 3, 3)}, ir=3)
    assert totals(cost) == (108, 108 * 36)


def test_a_tensor_that_no_node_reads_is_not_reached(tmp_path):
    cost = cost_of(tmp_path, CONV, {"x": [1, 3, 8, 8]}, {**WEIGHTS, "aux.weight": (7, 5)})
    assert [str(row.name) for row in cost.layers if row.params == 35] == ["not_reached.aux.weight"]


def test_what_is_written_into_a_constant_is_a_mask(tmp_path):
    """And what is written over a learned tensor changes that."""
    nodes = [
        node("ConstantOfShape", "size", "zeros"), node("ScatterND", "zeros at fill", "mask"),
        node("Add", "x mask", "a"), node("ScatterND", "bias at fill", "b"), node("Add", "a b", "y"),
    ]  # fmt: skip
    tensors = {"size": [2, 3], "at": [[0]], "fill": (1, 3), "bias": (2, 3)}
    assert cost_of(tmp_path, nodes, {"x": [2, 3]}, tensors).total("params") == 6 + 3


def test_what_numbers_are_part_of_reads_one_tensor(tmp_path):
    nodes = [node("Mul", "x half", "h"), node("Sub", "one h", "y")]
    cost = cost_of(tmp_path, nodes, {"x": [1, 6]}, {"half": 0.5, "one": [1.0]})
    assert totals(cost, "params", "elementwise") == (0, 12)


def test_external_data_is_never_opened(tmp_path):
    path, secret = tmp_path / "net.onnx", tmp_path / "secret"
    secret.write_bytes(b"x" * 4 * 108)
    made = model([node("Conv", "x w", "y")], {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3)})
    onnx.external_data_helper.set_external_data(made.graph.initializer[0], "../../secret", offset=0)
    made.graph.initializer[0].ClearField("raw_data")
    path.write_bytes(made.SerializeToString())
    code = f"""
import sys, costcalc
sys.addaudithook(lambda event, args: event == "open" and "secret" in str(args[0]) and sys.exit(9))
print(costcalc.load({str(path)!r}).params)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "108\n"), done.stderr


def test_torch_is_not_imported(tmp_path):
    path = onnx_file(tmp_path, CONV, {"x": ["batch", 3, 8, 8]}, WEIGHTS)
    code = f"""
import sys, costcalc
costcalc.load({str(path)!r} + "@batch=3").cost()
assert not {{"sympy", "networkx"}} & {{*sys.modules}}
costcalc.load({str(path)!r}).formula()
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_paths_of_modules_are_names(tmp_path):
    nodes = [
        node("Conv", "x w", "a", "/layer1/layer1.0/conv/Conv"), node("Relu", "a", "r", "/layer1/layer1.0/Relu"),
        node("Add", "r a", "s", "/layer1/layer1.0/Add"), node("Relu", "s", "y", "Relu/12"),
    ]  # fmt: skip
    for one, scopes in ((nodes[0], "['', 'stem', 'stem.conv', 'conv2d']"),):
        one.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=scopes)
    cost = cost_of(tmp_path, nodes, {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3)})
    assert [str(row.name) for row in cost.layers] == ["x", "stem.conv", "layer1.0.relu", "layer1.0.add", "Relu.12"]


def test_tensors_of_half_precision_are_said(tmp_path):
    made = model([node("Conv", "x w", "y")], {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3)})
    half = numpy_helper.to_array(made.graph.initializer[0]).astype("float16")
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(half, "w"))
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    cost = costcalc.load(path).cost()
    assert cost.total("params") == 108
    assert cost.notes()[-1] == "the file stores float16: bytes are those of --dtype, float32 unless set"


def test_names_may_stand_twice(tmp_path):
    nodes = [node("Relu", "x", "a", "r"), node("Relu", "a", "b", "r"), node("Relu", "b", "y", "r_2")]
    names = [str(row.name) for row in cost_of(tmp_path, nodes, {"x": [1, 3]}).layers]
    assert len({*names}) == 4
    assert names[:3] == ["x", "r", "r_2"]


def function(name, nodes, inputs="a", attributes=(), **defaults):
    """A local function of one output, y."""
    made = onnx.helper.make_function(
        "mine", name, inputs.split(), ["y"], nodes, [onnx.helper.make_opsetid("", 17)], list(attributes)
    )
    made.attribute_proto.extend(onnx.helper.make_attribute(key, value) for key, value in defaults.items())
    return made


def reference(one, name):
    """A node one of whose attributes is that of the call."""
    one.attribute.append(onnx.AttributeProto(name=name, ref_attr_name=name, type=onnx.AttributeProto.INT))
    return one


def test_functions_stand_in_place_of_their_calls(tmp_path):
    """Called twice, in a function that is called twice; with an axis of the call, or the function's own."""
    functions = [
        function("Norm", [reference(node("Softmax", "a", "s"), "axis"), node("Mul", "s a", "y")], axis=1),
        function("Twice", [node("Norm", "a", "b", domain="mine"), node("Norm", "b", "y", axis=2, domain="mine")]),
        function("Same", [], "y"),
    ]
    nodes = [
        node("Twice", "x", "t", "/block/Twice", domain="mine"), node("Twice", "t", "u", domain="mine"),
        node("Same", "u", "y", domain="mine"),
    ]  # fmt: skip
    cost = cost_of(tmp_path, nodes, {"x": [2, 3, 4]}, functions=functions, domains=["mine"])
    assert [repr(row.op) for row in cost.layers[1:]] == ["Softmax(axis=1)", "Mul()", "Softmax(axis=-1)", "Mul()"] * 2
    assert str(cost.layers[1].name) == "block.softmax"


def test_calls_of_calls_without_names_make_tensors_of_their_own(tmp_path):
    functions = [
        function("Inner", [node("Relu", "a", "t"), node("Tanh", "t", "y")]),
        function("Outer", [node("Inner", "a", "y", domain="mine")]),
    ]
    nodes = [node("Outer", "x", "m", domain="mine"), node("Outer", "m", "y", domain="mine")]
    cost = cost_of(tmp_path, nodes, {"x": [2, 3]}, functions=functions, domains=["mine"])
    assert [row.op.name for row in cost.layers[1:]] == ["relu", "tanh"] * 2


def test_functions_may_differ_in_their_overload_alone(tmp_path):
    """An op is called by its name and overload, which newer files have."""
    functions = [function("Same", [node(op, "a", "y")]) for op in ("Relu", "Softmax")]
    nodes = [node("Same", "x", "t", domain="mine"), node("Same", "t", "y", domain="mine")]
    if not hasattr(nodes[0], "overload"):
        pytest.skip("this release of onnx knows no overloads")
    for one, called, overload in zip(functions, nodes, ("first", "second")):
        one.overload = called.overload = overload
    cost = cost_of(tmp_path, nodes, {"x": [2, 3]}, functions=functions, domains=["mine"])
    assert [row.op.name for row in cost.layers[1:]] == ["relu", "softmax"]


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        ([function("F", [node("F", "a", "y", domain="mine")])], "'mine::F' is called more than 32 functions deep"),
        ([function("F", [node("G", "a", "b", domain="mine"), node("G", "b", "y", domain="mine")]),
          *(function("GHIJKLMNOPQRSTUVWXYZ"[i],
                     [node("GHIJKLMNOPQRSTUVWXYZ"[i + 1], "a", "b", domain="mine"),
                      node("GHIJKLMNOPQRSTUVWXYZ"[i + 1], "b", "y", domain="mine")]) for i in range(19)),
          function("Z", [node("Relu", "a", "y")])], "its functions make more than 200,000 nodes"),
        ([function("F", [node("Loop", "a", "y")])], "no rule for Loop (control flow) ×1"),
        ([function("F", [node("F30", "a", "b", domain="mine"), node("F0", "b", "y", domain="mine")]),
          *(function(f"F{i}", [node(f"F{i + 1}", "a", "y", domain="mine")]) for i in range(60)),
          function("F60", [node("Relu", "a", "y")])], "is called more than 32 functions deep"),
    ],
)  # fmt: skip
def test_functions_without_end_are_refused(functions, said, tmp_path):
    nodes = [node("F", "x", "y", domain="mine")]
    with pytest.raises(ImportRefused) as caught:
        cost_of(tmp_path, nodes, {"x": [2]}, functions=functions, domains=["mine"])
    assert said in str(caught.value)


def test_other_shapes_in_the_file_are_said(tmp_path):
    shapes = {"c": [1, 4, 7, 7], "r": ["n", 4, 6, 6], "y": [1, 10]}
    cost = cost_of(tmp_path, CONV, {"x": [1, 3, 8, 8]}, WEIGHTS, shapes=shapes)
    assert cost.notes()[-1] == "the file's own shapes differ: c 1×4×7×7, here 1×4×6×6"
    assert json.loads(json.dumps(cost.to_dict()))["notes"] == [cost.notes()[-1]]


def test_a_table_by_block_of_a_file_without_modules_fits_a_screen(tmp_path):
    nodes = [node("Conv", "x w0", "c0", pads=[1, 1, 1, 1]), node("Relu", "c0", "r0")]
    for i in range(1, 25):
        nodes += [node("Conv", f"r{i - 1} w{i}", f"c{i}", pads=[1, 1, 1, 1]), node("Relu", f"c{i}", f"r{i}")]
    path = onnx_file(tmp_path, nodes, {"x": (1, 3, 8, 8)}, {f"w{i}": (3, 3, 3, 3) for i in range(25)}, "r24")
    cost = costcalc.load(path).cost()
    rows = cost.table(depth=1).rows
    assert [row["name"] for row in rows][:2] == ["Conv_c0 … Relu_r0", "Conv_c1 … Relu_r1"]
    assert (len(rows), sum(row["macs"] for row in rows)) == (25, cost.macs)


REFUSED = {  # what the message says
    "no rule for If (control flow) ×2, first 'If_a'; QLinearConv (quantised) ×1": (
        [node("If", "x", "a"), node("If", "a", "b"), node("QLinearConv", "b", "c"), node("Relu", "c", "y")], {"x": [1]},
    ),
    "no rule for NonZero (its size depends on data) ×1, first 'NonZero_y'": ([node("NonZero", "x", "y")], {"x": [1]}),
    "no rule for mine::Conv ×1": ([node("Conv", "x", "y", domain="mine")], {"x": [1]}),
    "reads 'z', which nothing before it makes": ([node("Add", "x z", "y"), node("Relu", "y", "z")], {"x": [1]}),
    "'x' is made twice": ([node("Relu", "x", "x")], {"x": [1]}, {}, "x"),
    "its shape is computed from data, or not in the file": ([node("Reshape", "x z", "y")], {"x": [6], "z": [1]}),
    "its tensors (10, 144), (10,) do not fit an input of (1, 400)": (CONV, {"x": [1, 3, 12, 12]}, WEIGHTS),
    "6 elements do not fill rows of 4": ([node("Reshape", "x s", "y")], {"x": [2, 3]}, {"s": [4, -1]}),
    "it names axis 5 of a tensor of 2 axes": ([node("Softmax", "x", "y", axis=5)], {"x": [2, 3]}),
    "its input 'x': input: size must be a whole number from 1 to 2^31": ([node("Relu", "x", "y")], {"x": [2**40]}),
    "it is in training mode": (
        [node("BatchNormalization", "x a b c d", "y", training_mode=1)], {"x": [1, 3]},
        dict.fromkeys("abcd", (3,)),
    ),
    "it has peepholes": (
        [node("LSTM", "x w r _ _ _ _ p", "y", hidden_size=5)], {"x": [7, 2, 3]},
        {"w": (1, 20, 3), "r": (1, 20, 5), "p": (1, 15)},
    ),
    "nothing makes its output 'z'": ([node("Relu", "x", "y")], {"x": [1]}, {}, "z"),
    "leaves axis 2 of its input 'x' open: 1,3,?,8; give its shape, as in --input x=1,1,1,1": (
        [node("Relu", "x", "y")], {"x": [1, 3, None, 8]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_counted_says_why(said, tmp_path, capsys):
    path = onnx_file(tmp_path, *REFUSED[said])
    assert run(["show", str(path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_matrix_is_resized_between_its_numbers(tmp_path):
    nodes = [node("Resize", "x _ _ s", "y", mode="linear")]
    cost = cost_of(tmp_path, nodes, {"x": [4, 8]}, {"s": [8, 16]})
    assert totals(cost, "elementwise") == (11 * 8 * 16,)


@pytest.mark.parametrize(
    ("nodes", "inputs", "said"),
    [
        ([node("Einsum", "a b", "y", equation="ij,jk->ik")], {"a": [2, 3], "b": [5, 4]}, "inner sizes 3 and 5"),
        ([node("SpaceToDepth", "a", "y", blocksize=2)], {"a": [1, 2, 5, 4]}, "do not fit"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(nodes, inputs, said, tmp_path):
    with pytest.raises(CostcalcError, match=said):
        cost_of(tmp_path, nodes, inputs)


def test_a_turned_matrix_is_moved_and_not_added(tmp_path):
    cost = cost_of(tmp_path, [node("Einsum", "a", "y", equation="ij->ji")], {"a": [2, 3]})
    assert totals(cost, "elementwise") == (0,)
    assert cost.layers[-1].output_shape == (3, 2)


def test_symbols_that_a_weight_freezes_are_named(tmp_path):
    net = costcalc.load(onnx_file(tmp_path, CONV, {"x": ["batch", 3, "height", 8]}, WEIGHTS))
    with pytest.raises(UsageError, match=r"Gemm 'Gemm_y': its tensors .* freeze .*; set height$"):
        net.formula()
    assert net.with_knobs(height=8).formula()(batch=5) == 5 * (4 * 27 * 36 + 1440)
    with pytest.raises(ShapeError, match="do not fit an input of"):
        net.cost()


def test_open_sizes_are_knobs(tmp_path):
    path = onnx_file(tmp_path, CONV[:2], {"x": ["N", 3, "in/h", "freeze"]}, WEIGHTS, "r")
    net = costcalc.load(path)
    assert {name: knob.default for name, knob in net.knobs.items()} == {"N": 1, "in_h": 224, "freeze_": 224}
    assert "sizes that the file leaves open: N=1, in_h=224, freeze_=224 unless set" in net.cost().notes()
    assert costcalc.load(path, (2, 3, 8, 10)).cost().total("macs") == 2 * 108 * 6 * 8
    unnamed = onnx_file(tmp_path, CONV[:2], {"x": [None, 3, None, 8]}, WEIGHTS, "r", name="b.onnx")
    assert costcalc.load(unnamed, (1, 3, 8, 8)).with_knobs(batch=4).cost().total("macs") == 4 * 108 * 36


def test_sizes_may_be_sums_of_others(tmp_path):
    """As those of a language model: what it attends to is as long as earlier and later positions together."""
    inputs = {"x": ["n", "length", 8], "past": ["n", 2, "past_length", 4], "mask": ["n", "past_length + length"]}
    nodes = [node("Mul", "x x", "a"), node("Mul", "past past", "b"), node("Mul", "mask mask", "c")]
    path = onnx_file(tmp_path, nodes, inputs, {}, "a b c")
    net = costcalc.load(path)
    assert {name: knob.default for name, knob in net.knobs.items()} == {"n": 1, "length": 128, "past_length": 128}
    assert net.with_knobs(length=1).cost().layers[2].output_shape == (1, 129)
    assert net.formula("elementwise")(n=3, length=5, past_length=7) == 3 * (5 * 8 + 2 * 7 * 4 + 12)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["a.onnx@h=3"], "unknown knob 'h'; known: batch"), (["a.onnx", "--input", "1,4,8,8"], "got 1,4,8,8"),
        (["a.onnx", "--input", "y=1,3,8,8"], "has no input 'y'"), (["b.onnx"], "there is no file 'b.onnx'"),
        (["a.onnx", "--input", "1,3,8,8", "--input", "1"], "has 1 inputs, x; got 2"), ([".onnx"], "there is no file"),
        (["a.onnx", "--max-layers", "2"], "makes more than 2 layers"), (["dir.onnx"], "is a folder, not an ONNX file"),
        (["empty.onnx"], "'empty.onnx' is no ONNX file, or damaged"), (["half.onnx"], "is no ONNX file, or damaged"),
        (["text.onnx"], "is no ONNX file, or damaged"), (["fifo.onnx"], "is no regular file"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(given, said, tmp_path, capsys, monkeypatch):
    import os

    monkeypatch.chdir(tmp_path)
    whole = onnx_file(tmp_path, CONV, {"x": ["batch", 3, 8, 8]}, WEIGHTS, name="a.onnx").read_bytes()
    for name, content in (("empty", b""), ("half", whole[: len(whole) // 2]), ("text", b"name: x\n")):
        (tmp_path / f"{name}.onnx").write_bytes(content)
    (tmp_path / "dir.onnx").mkdir()
    os.mkfifo("fifo.onnx")
    assert run(["show", *given]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_missing_package_names_the_extra(monkeypatch, tmp_path, capsys):
    path = onnx_file(tmp_path, CONV, {"x": [1, 3, 8, 8]}, WEIGHTS)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert run(["show", str(path)]) == 3
    assert "pip install 'costcalc[onnx]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["show {} --depth 1", "compare {} {}@batch=2", "formula {}", "sweep {} batch=1:4:1", "memory {} --train",
                "explain {}", "show {} --train", "scale {} --free batch --max macs=1M", "transfer {} --classes 3"],
)  # fmt: skip
def test_commands_take_onnx_files(command, tmp_path, capsys):
    path = onnx_file(tmp_path, CONV, {"x": ["batch", 3, 8, 8]}, WEIGHTS)
    assert run(command.format(*[path] * 2).split()) == 0, capsys.readouterr().err


def test_large_data_is_never_read(tmp_path):
    """A file of 400 MB, most of it a hole on the disk, in a process of little memory."""
    path = onnx_file(tmp_path, [node("Conv", "x w", "y")], {"x": [1, 3, 8, 8]}, {"w": (4, 3, 3, 3)})
    made = onnx.load(path)
    big = onnx.TensorProto(name="big", data_type=1, dims=[100_000_000])
    made.graph.initializer.append(big)
    head, size = made.SerializeToString(), 400_000_000
    assert head
    tensor = big.SerializeToString() + b"\x4a" + varint(size)
    graph = made.graph
    del graph.initializer[-1]
    inner = graph.SerializeToString()
    made.ClearField("graph")
    field = b"\x2a" + varint(len(tensor) + size) + tensor
    with path.open("wb") as file:
        file.write(made.SerializeToString() + b"\x3a" + varint(len(inner) + len(field) + size) + inner + field)
        file.truncate(file.tell() + size)
    code = f"""
import resource, sys, costcalc, onnx
resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))
print(costcalc.load({str(path)!r}).params)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "100000108\n"), done.stderr


def test_errors_are_costcalc_errors(tmp_path):
    with pytest.raises(UnknownName):
        costcalc.load(tmp_path / "none.onnx")
    with pytest.raises(ImportRefused):
        costcalc.load(onnx_file(tmp_path, [node("Loop", "x", "y")], {"x": [1]})).cost()
    assert numpy_helper.to_array(stored("i", [3])).tolist() == [3]
