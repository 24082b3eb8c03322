"""Receptive fields, strides and jumps by hand and from the literature; paths beside networkx."""

import random
from fractions import Fraction

import networkx as nx
import pytest
from support.layers import in_a_row

import costcalc
from costcalc import ops
from costcalc.analysis.metrics import METRICS
from costcalc.errors import UsageError
from costcalc.ops import Add, Conv, Input, Linear, Move
from costcalc.ops.base import OPS
from costcalc.ops.reads import reads_unknown

PATH_METRICS = [name for name, metric in METRICS.items() if metric.path]


def chain(*layers, size=(1, 3, 64, 64)):
    return costcalc.cost(in_a_row(size, *layers))


def fields(cost, metric="receptive_field"):
    return [value and tuple(value) for value in (cost.value(metric, i) for i in range(1, len(cost.layers)))]


def test_stacks_of_3x3_see_5_and_7_as_the_lectures_have_it():
    assert fields(chain(*[Conv(3, 3)] * 3)) == [(3, 3), (5, 5), (7, 7)]


def test_strides_multiply_and_windows_grow_by_the_jump():
    cost = chain(Conv(3, 7, 2, 3), ops.MaxPool(3, 2, 1), Conv(3, 3, 1, 1), Conv(3, 1, 2), Conv(3, (1, 7), 1, (0, 3)))
    assert fields(cost) == [(7, 7), (11, 11), (19, 19), (19, 19), (19, 19 + 6 * 8)]
    assert fields(cost, "stride") == [(2, 2), (2, 2), (1, 1), (2, 2), (1, 1)]
    assert fields(cost, "jump") == [(2, 2), (4, 4), (4, 4), (8, 8), (8, 8)]


def test_the_stride_of_a_block_is_the_product_of_its_layers():
    cost = costcalc.load("resnet18").cost()
    blocks = {block.name: block.costs for block in cost.fold(1, ["stride", "jump"])}
    found = {name: [*costs["stride"]] for name, costs in blocks.items() if costs["stride"]}
    assert found == {
        "conv1": [2, 2], "relu": [1, 1], "max_pool": [2, 2], "conv2_x": [1, 1], "conv3_x": [2, 2], "conv4_x": [2, 2],
        "conv5_x": [2, 2],
    }  # fmt: skip
    for name in ("resnet50", "mobilenet_v2", "googlenet", "vgg16"):
        cost, product = costcalc.load(name).cost(), 1
        for block in cost.fold(1, ["stride", "jump"]):
            if block.costs["stride"]:
                product *= block.costs["stride"][0]
                assert block.costs["jump"][0] == product, (name, block.name)


def test_the_stride_of_a_block_is_blank_where_it_is_not_one_number():
    """A pyramid hands on what lies 2 and 4 apart."""
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, 3, 64, 64)))
    fine = costcalc.add(graph, "pyramid.fine", Conv(3, 3, 2, 1), x)
    coarse = costcalc.add(graph, "pyramid.coarse", Conv(3, 3, 2, 1), fine)
    for name, source in (("a", fine), ("b", coarse)):
        costcalc.add(graph, f"heads.{name}", Conv(3, 1), source)
    costs = [block.costs["stride"] for block in costcalc.cost(graph).fold(1, ["stride"])]
    assert costs == [None, None]


def test_the_stride_of_a_network_is_its_jump_and_why_there_is_none_is_said():
    cost = chain(Conv(3, 3, 2, 1), Conv(3, 3, 2, 1))
    assert [*cost.total("stride")] == [*cost.total("jump")] == [4, 4]
    said = "jump and stride: empty where an output has no positions, as behind a global pool"
    table = costcalc.compare("resnet18", "resnet34", columns="target,jump,stride").tables()[-1]
    assert said in table.notes
    assert said in costcalc.load("resnet18").cost().table(columns="name,jump,stride").notes
    assert said not in cost.table(columns="name,jump,stride").notes


def test_published_fields():
    """VGG-16's last pool sees 212 pixels, ResNet-50's last layer 427 of its 224, AlexNet's last pool 195 of its 227
    (Araujo et al. 2019, table 1: 195 for alexnet_v2, 212 for vgg_16; their resnet_v1_50 of 483 has its strides in
    the last layer of each block)."""
    found = {"vgg16": ("max_pool5", 212), "resnet50": ("conv5_x.more.unit.relu", 427), "alexnet": ("max_pool3", 195)}
    for name, (layer, wide) in found.items():
        cost = costcalc.load(name).cost()
        (i,) = [i for i, row in enumerate(cost.layers) if row.name == layer]
        assert tuple(cost.value("receptive_field", i)) == (wide, wide), name


def test_of_whole_axes():
    pool = [ops.GlobalAveragePool(True), Conv(3, 1)]
    assert fields(chain(Conv(3, 3, 1, 1), *pool)) == [(3, 3), ("whole", "whole"), ("whole", "whole")]
    assert fields(chain(Conv(3, 9, 9), ops.Flatten(), Linear(2), size=(1, 3, 18, 64))) == [
        (9, 9), (9, 9), ("whole", 9 + 6 * 9),  # the last pixel is in no window
    ]  # fmt: skip
    assert fields(chain(Linear(4), ops.LSTM(2), size=(1, 5, 8))) == [(1,), ("whole",)]
    assert fields(chain(Linear(4), size=(1, 8))) == [None]


def test_windows_of_a_swin_block_see_their_window():
    """7×7 windows of patches of 4: 28 pixels along both axes."""
    patches = Conv(8, 4, 4), ops.Transpose([0, 2, 3, 1])
    windows = ops.Reshape([2, 7, 2, 7, 8]), ops.Transpose([0, 1, 3, 2, 4, 5]), ops.Reshape([4, 49, 8], whole=True)
    cost = chain(*patches, *windows, ops.LSTM(8), ops.Reshape([1, 2, 2, 7, 7, 8], whole=True), size=(1, 3, 56, 56))
    assert fields(cost)[4:] == [(4, 4), (28, 28), (28, 28)]


def test_branches_count_with_the_largest():
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, 3, 32, 32)))
    wide = costcalc.add(graph, "wide", Conv(3, 5, 1, 2), x)
    costcalc.add(graph, "sum", Add(), wide, costcalc.add(graph, "high", Conv(3, (7, 1), 1, (3, 0)), x))
    assert fields(costcalc.cost(graph)) == [(5, 5), (7, 1), (7, 5)]


def test_branches_that_read_different_positions_see_more_than_the_largest():
    """YOLOv5's focus: even and odd rows side by side, then a convolution of 3: rows −2 to 3."""
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, 3, 32, 32)))
    halves = [costcalc.add(graph, f"rows{i}", ops.Slice(2, 16, i, 2), x) for i in (0, 1)]
    both = costcalc.add(graph, "both", ops.Concat(), *halves)
    costcalc.add(graph, "conv", Conv(4, 3, 1, 1), both)
    assert fields(costcalc.cost(graph)) == [(1, 1), (1, 1), (2, 1), (6, 3)]


@pytest.mark.parametrize("ops_up", [ops.ConvTranspose(3, 2, 2), ops.Upsample(2)])
def test_even_and_odd_elements_of_a_small_u_net_see_other_parts(ops_up):
    """Rows 2i and 2i + 1 of the join see 2i − 3 to 2i + 4, 8 of them; a window that has rows of two i sees 10."""
    graph = costcalc.new_graph()
    x = costcalc.add(graph, "x", Input((1, 3, 64, 64)))
    wide = costcalc.add(graph, "c1", Conv(3, 3, 1, 1), x)
    deep = costcalc.add(graph, "deep", Conv(3, 3, 1, 1), costcalc.add(graph, "pool", ops.AveragePool(2, 2), wide))
    costcalc.add(graph, "join", Add(), wide, costcalc.add(graph, "up", ops_up, deep))
    costcalc.add(graph, "c2", Conv(3, 3, 1, 1), "join")
    assert fields(costcalc.cost(graph)) == [(n, n) for n in (3, 4, 8, 8, 8, 10)]


def test_a_period_that_is_too_long_is_taken_together():
    """1,031 and 1,033 are primes: an element sees no more than is said, and the nets stay fast."""
    cost = chain(
        *[layer for n in (1033, 1031, 1033) for layer in (ops.Upsample(size=n), Conv(3, 3, 1, 1))], size=(1, 3, 1031)
    )
    said = [wide for (wide,) in fields(cost)]
    assert said == sorted(said)
    assert all(wide <= 3 * (i + 2) for i, wide in enumerate(said))


def test_upsampled_neighbours_lie_half_a_pixel_apart():
    cost = chain(ops.Upsample(2), Conv(3, 3, 1, 1), ops.Upsample(2, "linear"))
    assert fields(cost) == [(1, 1), (2, 2), (3, 3)]
    assert fields(cost, "jump") == [(Fraction(1, 2),) * 2, (Fraction(1, 2),) * 2, (Fraction(1, 4),) * 2]


def test_what_does_not_say_what_it_reads_is_not_known_and_named():
    cost = chain(Conv(3, 3), Move([1, 3, 30, 30]), Conv(3, 3))
    assert fields(cost) == [(3, 3), ("?", "?"), ("?", "?")]
    notes = cost.table(columns="name,receptive_field").notes
    assert [note for note in notes if "layer1" in note] == [
        "receptive field: not known (?) from layer1 on: move does not say what it reads"
    ]


def test_a_view_of_a_part_hides_where_it_begins_but_not_that_it_is_of_an_image():
    cost = chain(ops.View([1, 3, 16, 32]), Conv(3, 3, 1, 1), size=(1, 3, 32, 32))
    assert fields(cost) == [("?", 1), ("?", 3)]


def test_an_input_that_no_op_reads_as_an_image_has_channels_among_its_axes():
    """Patches of 4×4 pixels, all channels: ViT as einops writes it."""
    patches = ops.Reshape([3, 2, 4, 2, 4]), ops.Transpose([0, 2, 4, 3, 5, 1]), ops.Reshape([4, 48], whole=True)
    assert fields(chain(*patches, Linear(8), size=(1, 3, 8, 8)))[-1] == ("whole", 4, 4)


def test_beyond_the_image_is_said():
    notes = chain(*[Conv(3, 3, 2, 1)] * 3, size=(1, 3, 12, 12)).table(columns="name,receptive_field").notes
    assert "receptive field: from layer2 on larger than the input of 12×12: it reaches into padding" in notes


def test_only_these_ops_of_the_library_do_not_say_what_they_read():
    silent = {name for name, op in OPS.items() if op.reads is reads_unknown and op.__module__.startswith("costcalc.")}
    assert silent == {"reduction", "contraction", "constant", "parameter", "input"}


@pytest.mark.parametrize(
    ("name", "shortest", "paths"),
    [
        ("plain34", 34, 1), ("resnet34", 5, 2**16), ("resnet50", 6, 2**16), ("resnet152", 6, 2**50),
        ("googlenet", 13, 4**9), ("alexnet", 8, 1),
    ],
)  # fmt: skip
def test_paths_of_the_lectures(name, shortest, paths):
    cost = costcalc.load(name).cost()
    assert cost.total("shortest_path") == shortest
    assert cost.total("paths") == paths


def test_paths_beside_networkx():
    for seed in range(20):
        rng = random.Random(seed)
        graph = costcalc.new_graph()
        names = [costcalc.add(graph, "x", Input((1, 4, 8, 8)))]
        for i in range(8):
            sources = rng.sample(names, rng.randint(1, min(3, len(names))))
            op = Add() if len(sources) > 1 else rng.choice([Conv(4, 1), ops.ReLU()])
            names.append(costcalc.add(graph, f"layer{i}", op, *sources))
        cost = costcalc.cost(graph)
        plain = nx.DiGraph((source, name) for name in names for source in graph.nodes[name]["inputs"])
        for i, row in enumerate(cost.layers[1:], 1):
            every = [*nx.all_simple_paths(plain, "x", row.name)]
            fewest = min(sum(graph.nodes[name]["op"].name == "conv" for name in path) for path in every)
            assert (cost.value("paths", i), cost.value("shortest_path", i)) == (len(every), fewest)


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "efficientnet_b0"])
def test_repeats_folded_and_written_out_are_the_same(name):
    net = costcalc.load(name)
    folded, written = net.cost(), net.cost(unrolled=True)
    last = {}
    for i, row in enumerate(written.layers):
        parts = row.name.split(".")
        last[".".join(part for part in parts if not part.isdigit())] = i
    for metric in PATH_METRICS:
        assert folded.total(metric) == written.total(metric)
        for i, row in enumerate(folded.layers):
            assert folded.value(metric, i) == written.value(metric, last[row.name]), (metric, row.name)


@pytest.mark.parametrize("metric", PATH_METRICS)
def test_they_are_columns_and_nothing_else(metric):
    with pytest.raises(UsageError, match=f"{metric} describes paths through the layers"):
        costcalc.sweep("lenet5", metrics=metric, c1=[4, 6])
    with pytest.raises(UsageError, match=f"{metric} describes paths through the layers"):
        costcalc.compare("lenet5", "alexnet", by=metric)
    with pytest.raises(UsageError, match=f"{metric} describes paths through the layers"):
        costcalc.sweep("lenet5", where=f"{metric} > 3", c1=[4, 6])
    with pytest.raises(UsageError, match=f"{metric} has no closed form"):
        costcalc.load("lenet5").formula(metric)
    assert costcalc.compare("lenet5", "alexnet", columns=f"target,{metric}").to_records()
