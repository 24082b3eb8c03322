"""Layers that are probably not meant: each kind is found once, with its numbers, and no network that is meant."""

import numpy as np
import pytest
from support import needed
from support.layers import in_a_row

import costcalc
from costcalc import ops
from costcalc.dims import size_symbol
from costcalc.dims.exact_array import ExactArray
from costcalc.spec.library import entries

SAY_SO = "; or say that it is meant, with meant: true"
CONV = "conv: {channels: 8, kernel: 3, padding: same}"
NOFLAT = (
    "layer 'linear' (linear) runs along the last axis of (8, 16, 16), the 16 positions, not along the 8 channels: "
    "170 params, and 20,490 with `flatten` before it; put `flatten` or `global_average_pool` before it"
)
WORDS = "embedding: {count: 1000, features: 300}"
GAP = "global_average_pool"
SWAP = "`transpose: [0, 2, 1]` before it makes the features axis 1"


def warned(path, **knobs):
    return [str(problem).partition(" warning: ")[2] for problem in costcalc.load(path).with_knobs(**knobs).warnings]


SUSPECTS = {
    "an image that was not flattened": (
        ("[3, 32, 32]", CONV, "relu", "max_pool: {kernel: 2, stride: 2}", "linear: 10"), NOFLAT,
    ),
    "the image itself": (
        ("[1, 28, 28]", "linear: 128", "relu", "linear: {name: last, features: 10}"),
        "layer 'linear' (linear) runs along the last axis of (1, 28, 28), the 28 positions, not along the only "
        "channel: 3,712 params, and 100,480 with `flatten` before it; put `flatten` or `global_average_pool` before it",
    ),
    "one position is left": (
        ("[3, 32, 32]", CONV, "adaptive_average_pool: 1", "linear: 10"),
        "layer 'linear' (linear) runs along the last axis of (8, 1, 1), the only position, not along the 8 channels: "
        "20 params, and 90 with `flatten` before it; put `flatten` or `global_average_pool` before it",
    ),
    "radial basis functions": (
        ("[3, 32, 32]", CONV, "rbf: 10"),
        "layer 'rbf' (rbf) runs along the last axis of (8, 32, 32), the 32 positions, not along the 8 channels; "
        "put `flatten` or `global_average_pool` before it",
    ),
    "layer_norm along the width": (
        ("[3, 32, 32]", CONV, "layer_norm"),
        "layer 'layer_norm' (layer_norm) runs along the last axis of (8, 32, 32), the 32 positions, not along the 8 "
        "channels; `transpose: [0, 2, 3, 1]` before it makes the channels the last axis",
    ),
    "lstm along the positions": (
        ("[3, 32, 32]", CONV, "reshape: [8, 1024]", "lstm: 16"),
        "layer 'lstm' (lstm) runs along the last axis of (8, 1024), the 1,024 positions, not along the 8 features; "
        "`transpose: [0, 2, 1]` before it makes the features the last axis",
    ),
    "tokens pooled along their width": (
        ("[197, 768]", "layer_norm", "linear: 768", "global_average_pool", "linear: {name: head, features: 1000}"),
        "layer 'global_average_pool' (global_average_pool) takes the 197 positions of (197, 768) for channels, and the "
        f"768 features for positions; {SWAP}",
    ),
    "words convolved along their width": (
        ("[128]", WORDS, "conv1d: {channels: 100, kernel: 3}"),
        "layer 'conv1d' (conv1d) takes the 128 positions of (128, 300) for channels, and the 300 features for "
        f"positions; {SWAP}",
    ),
    "words normalised each for itself": (
        ("[128]", WORDS, "batch_norm", "linear: 10"),
        "layer 'batch_norm' (batch_norm) takes the 128 positions of (128, 300) for channels, and the 300 features for "
        f"positions; {SWAP}",
    ),
    "transposed before the last linear of a vision transformer": (
        ("[3, 224, 224]", "conv: {channels: 64, kernel: 16, stride: 16}", "reshape: [64, 196]", "transpose: [0, 2, 1]",
         "layer_norm", "linear: {name: mlp, features: 64}", "transpose: {name: back, order: [0, 2, 1]}", "linear: 10"),
        "layer 'linear' (linear) runs along the last axis of (64, 196), the 196 positions, not along the 64 features; "
        "`transpose: [0, 2, 1]` before it makes the features the last axis",
    ),
    "channels last": (
        ("[224, 224, 3]", CONV, "relu"),
        "layer 'conv' (conv) takes the 224 positions of (224, 224, 3) for channels, and the 3 features for positions; "
        "channels come first: write `input: [3, 224, 224]`",
    ),
    "channels last of an image that is not square": (
        ("[480, 640, 3]", "batch_norm"),
        "layer 'batch_norm' (batch_norm) takes the 480 positions of (480, 640, 3) for channels, and the 3 features for "
        "positions; channels come first: write `input: [3, 480, 640]`",
    ),
    "channels last of an image of twelve channels": (
        ("[224, 224, 12]", "batch_norm", CONV),
        "layer 'batch_norm' (batch_norm) takes the 224 positions of (224, 224, 12) for channels, and the 12 features "
        "for positions; channels come first: write `input: [12, 224, 224]`",
    ),
    "channels last of a board": (
        ("[19, 19, 17]", CONV),
        "layer 'conv' (conv) takes the 19 positions of (19, 19, 17) for channels, and the 17 features for positions; "
        "channels come first: write `input: [17, 19, 19]`",
    ),
    "a batch in the input": (
        ("[64, 3, 224, 224]", CONV, "relu"),
        "layer 'conv' (conv) takes axis 1 of (64, 3, 224, 224) for channels, and slides along the 3 axes behind it; "
        "the batch is put in front of an input: write `input: [3, 224, 224]`",
    ),
    "a batch in the input, which becomes features": (
        ("[64, 1, 28, 28]", "flatten", "linear: 10"),
        "layer 'flatten' (flatten) makes features of axis 1 of (64, 1, 28, 28), which is a batch; "
        "the batch is put in front of an input: write `input: [1, 28, 28]`",
    ),
    "a grey image without its channel": (
        ("[28, 28]", CONV, "relu"),
        "layer 'conv' (conv) takes the 28 rows of (28, 28) for channels, and slides along one axis; "
        "a grey image is `input: [1, 28, 28]`",
    ),
    "heads that stay behind the tokens": (
        ("[197, 768]", "linear: {name: q, features: 768}", "reshape: {name: heads, size: [197, 12, 64]}",
         "scaled_dot_product_attention: {name: sdpa, from: [heads, heads, heads]}"),
        "layer 'sdpa' (scaled_dot_product_attention) attends among the 12 heads of (197, 12, 64), at each of the 197 "
        "positions; `transpose: [0, 2, 1, 3]` of q, k and v before it makes the heads an axis of their own",
    ),
    "behind a repeat": (
        ("[3, 32, 32]", CONV, f"repeat: {{times: 2, layers: [{CONV}, relu]}}", "linear: 10"),
        "layer 'linear' (linear) runs along the last axis of (8, 32, 32), the 32 positions, not along the 8 channels: "
        "330 params, and 81,930 with `flatten` before it; put `flatten` or `global_average_pool` before it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SUSPECTS)
def test_each_is_found_once_and_the_count_stays(what, spec_file):
    (size, *layers), message = SUSPECTS[what]
    assert warned(spec_file(size, *layers)) == [message + SAY_SO]


@pytest.mark.parametrize("what", SUSPECTS)
def test_one_that_is_meant_gives_no_warning_and_counts_the_same(what, spec_file, tmp_path):
    (size, *layers), _ = SUSPECTS[what]
    path = spec_file(size, *layers)
    cost = costcalc.load(path).cost()
    graph = costcalc.load(path).graph()
    graph.nodes[cost.warnings[0].layer]["meant"] = True
    meant = costcalc.cost(graph)
    assert meant.warnings == ()
    assert meant.totals == cost.totals


def test_of_the_numbers_that_are_said_flatten_makes_the_second(spec_file):
    counts = [
        costcalc.load(spec_file("[3, 32, 32]", CONV, "max_pool: {kernel: 2, stride: 2}", *flat, "linear: 10")).cost()
        for flat in ([], ["flatten"])
    ]
    assert [cost.layers[-1].params for cost in counts] == [170, 20_490]
    assert [cost.params for cost in counts] == [394, 20_714]


def test_the_first_layer_that_reads_a_tensor_speaks_for_all(spec_file):
    branches = "concat: {axis: 2, branches: [[linear: 4], [linear: 4], [linear: 4]]}"
    assert len(warned(spec_file("[3, 32, 32]", CONV, branches))) == 1


def test_layers_of_one_line_give_one_warning(spec_file):
    blocks = f"blocks:\n  unit:\n    - {CONV}\n    - linear: 32\n"
    (said,) = warned(spec_file("[3, 32, 32]", *["unit"] * 3, head=blocks))
    assert said.startswith("layer 'unit1.linear' (linear) runs along")
    assert "with `flatten` before it (and so do 2 other layers of this line); put" in said


# --- networks that are meant ---------------------------------------------------------------------------------------

HEADS = "blocks:\n  heads:\n    - linear: 64\n    - reshape: [16, 4, 16]\n    - transpose: [0, 2, 1, 3]\n"
ATTENTION = (
    "layer_norm: {name: norm}", "heads: {name: q, from: norm}", "heads: {name: k, from: norm}",
    "heads: {name: v, from: norm}", "scaled_dot_product_attention: {from: [q, k, v]}", "transpose: [0, 2, 1, 3]",
    "reshape: [16, 64]", "linear: 64",
)  # fmt: skip
ENCODER = f"add: [[], [{', '.join(f'{{{layer}}}' if ':' in layer else layer for layer in ATTENTION)}]]"
DOWN, UP = "max_pool: {kernel: 2, stride: 2}", "conv_transpose: {channels: 8, kernel: 2, stride: 2}"
MEANT = {
    "u-net": ("[3, 32, 32]", "conv: {name: a, channels: 8, kernel: 3, padding: same}", DOWN, CONV,
              UP, "concat: {from: [a, conv_transpose]}", "conv: {name: last, channels: 2, kernel: 1}"),
    "autoencoder": ("[1, 32, 32]", CONV, DOWN, "flatten", "linear: 32", "linear: {name: up, features: 2048}",
                    "reshape: [8, 16, 16]", UP, "conv: {name: last, channels: 1, kernel: 1}"),
    "vision transformer": ("[3, 64, 64]", "conv: {channels: 64, kernel: 16, stride: 16}", "reshape: [64, 16]",
                           "transpose: [0, 2, 1]", ENCODER, "layer_norm: {name: last}",
                           "transpose: {name: swap, order: [0, 2, 1]}", GAP, "linear: 10"),
    "transformer of words": ("[16]", "embedding: {count: 99, features: 64}", ENCODER, "linear: {name: o, features: 9}"),
    "transformer of vectors": ("[16, 64]", ENCODER, "layer_norm: {name: last}", "linear: 99"),
    "attention of products": (
        "[16, 64]", "linear: {name: q, features: 64}", "linear: {name: k, features: 64, from: input}",
        "transpose: [0, 2, 1]", "mat_mul: {name: scores, from: [q, transpose]}", "softmax",
        "mat_mul: {from: [softmax, q]}", "linear: 8"),
    "lstm of words": ("[16]", "embedding: {count: 99, features: 32}", "lstm: 64", "dropout", "linear: 99"),
    "gru, then flat": ("[28, 28]", "gru: 64", "flatten", "linear: 10"),
    "image rows into an lstm": ("[1, 28, 28]", "reshape: [28, 28]", "lstm: 64", "linear: 10"),
    "text cnn": ("[128]", WORDS, "transpose: [0, 2, 1]", "conv1d: {channels: 9, kernel: 3}", GAP, "linear: 2"),
    "crnn": ("[1, 32, 128]", CONV, "transpose: [0, 3, 1, 2]", "reshape: [128, 256]", "lstm: 64", "linear: 37"),
    "convnext block": ("[96, 56, 56]", "add: [[], [depthwise: {kernel: 7, padding: same}, {transpose: [0, 2, 3, 1]}, "
                       "layer_norm, {linear: 384}, gelu, {linear: 96}, {transpose: [0, 3, 1, 2]}]]", GAP),
    "squeeze and excite": ("[3, 32, 32]", CONV, "mul: [[], [global_average_pool, linear: 2, relu, linear: 8, sigmoid, "
                           "reshape: [8, 1, 1]]]", GAP, "linear: 10"),
    "eca": ("[3, 32, 32]", "conv: {channels: 16, kernel: 3}", "global_average_pool: {keep: true}", "reshape: [16, 1]",
            "transpose: [0, 2, 1]", "conv1d: {channels: 1, kernel: 3, padding: same}"),
    "attention among channels": (
        "[3, 14, 14]", "conv: {channels: 64, kernel: 1}", "reshape: {name: q, size: [64, 196]}",
        "scaled_dot_product_attention: {from: [q, q, q]}", "reshape: {name: back, size: [64, 14, 14]}", CONV),
    "a board with its channels first": ("[17, 19, 19]", CONV, GAP, "linear: 10"),
    "as many channels as rows and columns": ("[32, 32, 32]", CONV, GAP, "linear: 10"),
    "a small map": ("[8, 8, 20]", CONV, GAP, "linear: 10"),
    "heads of vectors": ("[16, 16, 64]", "scaled_dot_product_attention: {from: [input, input, input]}",
                         "transpose: [0, 2, 1, 3]", "reshape: [16, 1024]", "linear: 64"),
    "squeezed, kept": ("[3, 32, 32]", CONV, "mul: [[], [global_average_pool: true, conv: {channels: 8, kernel: 1}]]"),
    "channel shuffle": ("[3, 32, 32]", CONV, "reshape: [2, 4, 32, 32]", "transpose: [0, 2, 1, 3, 4]",
                        "reshape: {name: back, size: [8, 32, 32]}", GAP, "linear: 10"),
    "pixel shuffle": ("[3, 32, 32]", CONV, "reshape: [2, 2, 2, 32, 32]", "transpose: [0, 1, 4, 2, 5, 3]",
                      "reshape: {name: back, size: [2, 64, 64]}", "conv: {name: last, channels: 3, kernel: 1}"),
    "space to depth": ("[3, 32, 32]", CONV, "reshape: [8, 16, 2, 16, 2]", "transpose: [0, 1, 3, 5, 2, 4]",
                       "reshape: {name: back, size: [32, 16, 16]}", "conv: {name: last, channels: 3, kernel: 1}"),
    "temporal convolutions": ("[80, 3000]", "conv1d: {channels: 64, kernel: 3}", "batch_norm", "relu", GAP),
    "a recording": ("[1, 16000]", "conv: {channels: 64, kernel: 80, stride: 4}", "relu", GAP, "linear: 35"),
    "points": ("[100, 3]", "linear: 64", "relu", "transpose: [0, 2, 1]", GAP, "linear: 10"),
    "clips": ("[3, 16, 112, 112]", "conv3d: {channels: 8, kernel: 3, padding: same}", GAP, "linear: 10"),
    "clips of three frames": ("[3, 3, 64, 64]", "conv: {channels: 8, kernel: 3, padding: same}", GAP),
    "a batch that is said to be an axis": ("[64, 3, 32, 32]", "conv3d: {channels: 8, kernel: 3, padding: same}"),
    "four frames": ("[4, 84, 84]", "conv: {channels: 32, kernel: 8, stride: 4}", "relu", "flatten", "linear: 6"),
    "heads of attention": ("[4, 64, 64]", "scaled_dot_product_attention: {from: [input, input, input]}", "linear: 64"),
    "channels last all along": ("[32, 32, 3]", "linear: 8", "layer_norm", "gelu", "linear: {name: last, features: 2}"),
    "a batch of one, which costs the same": ("[1, 1, 28, 28]", "flatten", "linear: 10"),
    "a perceptron": ("[784]", "linear: 100", "batch_norm", "relu", "linear: {name: last, features: 10}"),
    "a graph's adjacency": ("[34, 34]", "linear: 16", "mat_mul: {from: [input, linear]}", "relu", "linear: 2"),
    "of all axes at once": ("[3, 32, 32]", CONV, "layer_norm: {axes: 3}", GAP, "linear: 10"),
    "a repeat of no copies": ("[3, 32, 32]", CONV, "repeat: {times: 0, layers: [relu]}", GAP, "linear: 2"),
}  # fmt: skip


@pytest.mark.parametrize("what", MEANT)
def test_a_network_that_is_meant_gives_none(what, spec_file):
    size, *layers = MEANT[what]
    assert warned(spec_file(size, *layers, head=HEADS)) == []


def test_a_mixer_says_what_it_means(spec_file):
    """It mixes positions on purpose, and says so where it does; its other layers need not."""
    swap = "transpose: [0, 2, 1]"
    across = f"add: [[], [layer_norm, {{{swap}}}, linear: {{features: 32, MEANT}}, gelu, linear: 16, {{{swap}}}]]"
    along = "add: [[], [layer_norm, linear: 256, gelu, linear: 64]]"
    rest = (along, "layer_norm: {name: last}", "transpose: {name: swap, order: [0, 2, 1]}", "global_average_pool")
    assert warned(spec_file("[16, 64]", across.replace("MEANT", "meant: true"), *rest)) == []
    assert len(warned(spec_file("[16, 64]", across.replace(", MEANT", ""), *rest))) == 1


@pytest.mark.no_cover
def test_nothing_in_the_library_is_a_suspect():
    assert {entry.name: costcalc.load(entry.name).warnings for entry in entries()} == {e.name: () for e in entries()}


def test_nothing_in_the_conformance_table_is_one():
    needed.module("torch", "torch")
    from support.conformance import NETWORKS

    assert {m.name: costcalc.cost(m.graph()).warnings for m in NETWORKS} == {m.name: () for m in NETWORKS}


@pytest.mark.parametrize(
    ("size", "layer", "hint"),
    [
        ("[32, 32, 1]", "conv: {channels: 8, kernel: 3}", "; channels come first: write `input: [1, 32, 32]`"),
        ("[224, 224, 3]", "max_pool: {kernel: 5, stride: 2}", "; channels come first: write `input: [3, 224, 224]`"),
        ("[3, 32, 2]", "conv: {channels: 8, kernel: 3}", ""),
    ],
)
def test_an_error_of_an_image_with_its_channels_last_says_how_it_is_written(size, layer, hint, spec_file):
    path = spec_file(size, layer)
    (problem,) = (problem for problem in costcalc.validate(path) if not problem.warning)
    assert str(problem).partition(" does not fit into ")[2][1:] == hint
    with pytest.raises(costcalc.CostcalcError) as refused:
        costcalc.load(path).cost()
    assert str(refused.value) == str(problem)


# --- sizes that are not numbers --------------------------------------------------------------------------------------


def test_letters_are_decided_by_what_is_known():
    n, r = size_symbol("n"), size_symbol("r")
    (problem,) = costcalc.cost(in_a_row((n, 3, r, r), ops.Conv(8, 3, padding="same"), ops.Linear(10))).warnings
    assert str(problem) == (
        "warning: layer 'layer1' (linear) runs along the last axis of (8, r, r), the r positions, not along the 8 "
        "channels: 10*r + 10 params, and 80*r**2 + 10 with `flatten` before it; put `flatten` or `global_average_pool` "
        "before it; or say that it is meant, with meant=True"
    )
    assert (problem.layer, problem.place, problem.warning) == ("layer1", None, True)
    (problem,) = costcalc.cost(in_a_row((n, r, r, 3), ops.Conv(8, 3, padding="same"))).warnings
    assert "takes the r positions of (r, r, 3) for channels" in str(problem)
    c, h, w = (size_symbol(name) for name in "chw")
    assert costcalc.cost(in_a_row((n, c, h, w), ops.Linear(8))).warnings == ()


def test_columns_are_looked_at_point_by_point():
    r = ExactArray(np.array([32, 64]))
    (problem,) = costcalc.cost(in_a_row((1, 3, r, r), ops.Conv(8, 3, padding="same"), ops.Linear(10))).warnings
    assert str(problem).startswith(
        "warning: layer 'layer1' (linear) runs along the last axis of (8, …, …), the positions, not along the 8 "
        "channels;"
    )
    mixed = costcalc.cost(
        in_a_row((1, 3, ExactArray(np.array([32, 64])), ExactArray(np.array([32, 65]))), ops.Linear(10))
    )
    assert mixed.warnings == ()


def test_names_that_are_no_text():
    graph = costcalc.new_graph()
    costcalc.add(graph, 0, ops.Input((1, 3, 32, 32)))
    costcalc.add(graph, 1, ops.Linear(10), 0, meant=False)
    assert [problem.layer for problem in costcalc.cost(graph).warnings] == ["1"]


def test_an_op_of_the_readers_own_hands_on_what_it_keeps(monkeypatch):
    monkeypatch.setattr("costcalc.ops.base.OPS", dict(ops.OPS))

    @ops.op
    class Cubed(ops.Pointwise):
        """x³"""

        output = ops.computed(inplace=False, overwritable=False)
        elementwise = ops.per_element(2)
        train_elementwise = ops.gradient_per_element(3)
        keeps = ops.keeps_input

    assert len(costcalc.cost(in_a_row((1, 3, 32, 32), ops.Conv(8, 3), Cubed(), ops.Linear(10))).warnings) == 1
