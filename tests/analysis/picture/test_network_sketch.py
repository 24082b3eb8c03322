"""What a drawing shows: every layer once, sums that are the total, and no more boxes than fit on a sheet."""

import math
import re

import pytest
from support.drawings import problems
from support.sizes import size

import costcalc
from costcalc import ops
from costcalc.analysis.picture.folding import BOXES_ON_SHEET, MAX_BOXES_ON_SHEET
from costcalc.analysis.picture.network_sketch import MAX_WIRES_IN, network_sketch
from costcalc.analysis.picture.network_tree import NetworkTree
from costcalc.drawing.diagram import diagram
from costcalc.drawing.text_widths import cut_between_words
from costcalc.errors import UnknownName, UsageError
from costcalc.spec.library import entries

TARGETS = [*(entry.name for entry in entries() if entry.kind == "spec"), "googlenet", "resnet152", "efficientnet_b7"]


def graph_of(*layers):
    """A graph of (name, op, *inputs); the first is an image of 8 channels, x."""
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input((1, 8, 16, 16)))
    for name, op, *inputs in layers:
        costcalc.add(graph, name, op, *inputs)
    return graph


def chain(count, channels=lambda number: 8, names="conv{}"):
    names = ["x", *(names.format(number) for number in range(count))]
    return graph_of(*((name, ops.Conv(channels(at), 1), names[at]) for at, name in enumerate(names[1:])))


def flat_residuals(count):
    layers = []
    for at in range(count):
        before = f"Add_{at - 1}" if at else "x"
        layers += [
            (f"Conv_{at}", ops.Conv(8, 3, padding=1), before), (f"Relu_{at}", ops.ReLU(), f"Conv_{at}"),
            (f"Conv2_{at}", ops.Conv(8, 3, padding=1), f"Relu_{at}"), (f"Add_{at}", ops.Add(), f"Conv2_{at}", before),
        ]  # fmt: skip
    return graph_of(*layers)


def dense(count):
    """Each layer reads all before it."""
    layers, before = [], ["x"]
    for at in range(count):
        layers += [(f"cat{at}", ops.Concat(), *before)] if at else []
        layers.append((f"conv{at}", ops.Conv(4, 3, padding=1), f"cat{at}" if at else "x"))
        before.append(f"conv{at}")
    return graph_of(*layers)


def sketch_of(target, **how):
    return network_sketch(costcalc.load(target).cost(), **how)


def check(sketch, cost):
    """Every layer is in one box, in the order of the network; the boxes' MACs are the network's; all are wired."""
    layers = [at for box in sketch.boxes for at in box.layers]
    assert sorted(layers) == [*range(len(cost.layers))]
    shares = [box.share for box in sketch.boxes if box.share]
    exact = [int(re.search(r"([\d,]+) MACs", box.hover)[1].replace(",", "")) for box in sketch.boxes]
    assert sum(exact) == cost.macs
    assert not cost.macs or math.isclose(sum(shares), 1)
    read = {str(source) for row in cost.layers for source in row.inputs}
    sources, targets = {wire.source for wire in sketch.wires}, {wire.target for wire in sketch.wires}
    for box in sketch.boxes:
        rows = [cost.layers[at] for at in box.layers]
        assert box.key in targets or any(not row.inputs for row in rows)
        assert box.key in sources or any(str(row.name) not in read for row in rows)


@pytest.mark.parametrize("target", dict.fromkeys(TARGETS))
def test_every_layer_is_in_one_box_and_the_sum_is_the_total_at_every_depth(target):
    cost = costcalc.load(target).cost()
    for how in ({}, {"depth": 1}, {"depth": 2}, {"depth": 9}, {"every_layer": True, "depth": 9}, {"copies": True}):
        check(network_sketch(cost, **how), cost)


@pytest.mark.parametrize(
    ("target", "boxes"),
    [
        ("inception_module", 9), ("residual_block", 4), ("vgg16", 22), ("resnet50", 41), ("mobilenet_v2", 45),
        ("googlenet", 82), ("efficientnet_b0", 42), ("lenet5", 8), ("alexnet", 12),
        ("googlenet@heads=true", 84),
    ],
)  # fmt: skip
def test_what_the_rule_takes(target, boxes):
    sketch = sketch_of(target)
    assert len(sketch.boxes) == boxes <= MAX_BOXES_ON_SHEET
    assert f" layers in {boxes} boxes" in sketch.notes[0]


def test_what_is_folded_says_so_and_what_a_depth_more_shows():
    assert sketch_of("efficientnet_b0").notes[0] == "MACs: 385,814,752; 239 layers in 42 boxes, --depth 4 shows 78"
    assert sketch_of("googlenet", depth=1).notes[0].endswith("--depth 2 shows 82")
    (box,) = [box for box in sketch_of("googlenet", depth=1).boxes if box.title == "inception3a"]
    assert box.lines == ("14 layers", "128.0 M MACs · 8.1 %") and "128,049,152 MACs" in box.hover


@pytest.mark.parametrize("target", ["resnet50", "efficientnet", "googlenet", "mobilenet_v2", "lenet5"])
def test_tables_trees_and_drawings_count_the_layers_that_run(target):
    """Copies of repeats count, inputs do not: as many layers as the network has once its repeats are written out."""
    net = costcalc.load(target)
    cost = net.cost()
    table = {tuple(row.name for row in block.layers): block.op for block in cost.fold(1)}
    sketch = network_sketch(cost, depth=1)
    boxes = {tuple(cost.layers[at].name for at in sorted(box.layers)): box for box in sketch.boxes}
    both = [(table[rows], boxes[rows].lines[0]) for rows in table if rows in boxes and boxes[rows].is_folded]
    assert all(ours == drawn for ours, drawn in both) and (both or target == "lenet5")
    lines = {row["name"]: row["op"] for row in net.tree(depth=1).table().rows}
    assert all(lines[box.title] == box.lines[0] for box in boxes.values() if box.is_folded)
    run = sum(not row.op.is_input for row in net.cost(unrolled=True).layers)
    assert f"{run:,} layers in {len(boxes)} boxes" in sketch.notes[0]
    assert not both or any(note.startswith(f"{run:,} layers; ") for note in net.tree(depth=1).table().notes)
    assert f"{run:,} layers" in repr(cost)


def test_layers_of_a_symbol_of_copies_are_a_formula():
    net = costcalc.load("resnet", n2=costcalc.size_symbol("n2"))
    (box,) = [box for box in network_sketch(net.cost(), depth=1).boxes if box.name == "conv2_x"]
    assert box.lines[0] == "10·n2 + 2 layers"
    assert {block.name: block.op for block in net.cost().fold(1)}["conv2_x"] == "10·n2 + 2 layers"


def test_words_of_boxes():
    boxes = {box.title: box for box in sketch_of("mobilenet_v2").boxes}
    assert boxes["stem"].lines[0] == "3×3 conv /2 + BN + ReLU6"
    assert boxes["depthwise"].lines[0].startswith("3×3 depthwise")
    assert "first.projection" in boxes  # of stage7, whose one block is no frame of its own
    assert boxes["global_average_pool"].share is None and len(boxes["global_average_pool"].lines) == 1
    assert [box.is_pill for box in sketch_of("residual_block").boxes] == [True, False, False, True]
    every = [box.lines[0] for box in sketch_of("residual_block", every_layer=True).boxes if not box.is_pill]
    assert every == ["3×3 conv", "BN", "ReLU", "3×3 conv", "BN", "ReLU"]


def test_a_normalisation_behind_an_add_belongs_to_what_follows():
    graph = graph_of(
        ("conv", ops.Conv(8, 1), "x"), ("bn", ops.BatchNorm(), "conv"), ("add", ops.Add(), "bn", "x"),
        ("norm", ops.BatchNorm(), "add"), ("relu", ops.ReLU(), "norm"), ("last", ops.Conv(8, 1), "relu"),
    )  # fmt: skip
    assert [(box.title, box.lines[:1]) for box in sketch_of(graph).boxes] == [
        ("x", ()), ("conv", ("1×1 conv + BN",)), ("add", ()), ("norm", ("BN + ReLU",)), ("last", ("1×1 conv",)),
    ]  # fmt: skip


def test_what_only_rearranges_belongs_to_what_it_rearranges():
    """Transposes and views of an attention, whose words name the layers that compute."""
    graph = graph_of(
        ("conv", ops.Conv(8, 1), "x"), ("flat", ops.Reshape([8, 256]), "conv"),
        ("turn", ops.Transpose([0, 2, 1]), "flat"), ("a", ops.Linear(4), "turn"),
        ("b", ops.Transpose([0, 2, 1]), "turn"),
        ("c", ops.Reshape([2048]), "b"),
    )  # fmt: skip
    boxes = sketch_of(graph).boxes
    assert [(box.title, box.lines[0]) for box in boxes if not box.is_pill] == [
        ("conv", "1×1 conv"), ("a", "linear"), ("b", "transpose + reshape"),
    ]  # fmt: skip


def test_a_repeat_is_drawn_once():
    sketch = sketch_of("resnet50")
    assert [heading for heading in sketch.headings.values() if "×" in heading] == [
        "more ×2", "more ×3", "more ×5", "more ×2",
    ]  # fmt: skip
    assert {box.title for box in sketch_of("resnet50", depth=2).boxes} >= {"first", "more ×5"}


def test_equal_blocks_are_drawn_once_where_no_repeat_says_so():
    layers = []
    for at in range(5):
        before = f"s.{at - 1}.add" if at else "x"
        layers += [
            (f"s.{at}.conv", ops.Conv(8, 3, padding=1), before),
            (f"s.{at}.add", ops.Add(), f"s.{at}.conv", before),
        ]
    graph = graph_of(*layers, ("head", ops.Conv(4, 1), "s.4.add"))
    cost = costcalc.load(graph).cost()
    sketch = network_sketch(cost)
    check(sketch, cost)
    assert [box.title for box in sketch.boxes] == ["x", "conv", "add", "head"]
    assert [*sketch.headings.values()] == ["s.0–4 ×5"]
    assert {(wire.source, wire.target) for wire in sketch.wires} == {
        ("b0", "b1"), ("b0", "b2"), ("b1", "b2"), ("b2", "b3"),
    }  # fmt: skip
    assert len(network_sketch(cost, copies=True).boxes) == 12
    folded = network_sketch(cost, depth=2)
    assert "×5" in " ".join([*folded.headings.values(), *(box.title for box in folded.boxes)])


def blocks(kinds, *more):
    """Residual blocks in a stage, with kernels of these sizes."""
    layers = []
    for at, kernel in enumerate(kinds):
        before = f"s.{at - 1}.add" if at else "x"
        conv = ops.Conv(8, int(kernel), padding=int(kernel) // 2)
        layers += [(f"s.{at}.conv", conv, before), (f"s.{at}.add", ops.Add(), f"s.{at}.conv", before)]
    return graph_of(*layers, *more)


@pytest.mark.parametrize(
    ("kinds", "headings"),
    [
        ("131313", {"s.0–5: 2 blocks ×3", "0", "1"}),
        ("5131313", {"s", "1–6: 2 blocks ×3", "0", "1", "2"}),
        ("135135", {"s.0–5: 3 blocks ×2", "0", "1", "2"}),
        ("13571357", {"s.0–7: 4 blocks ×2", "0", "1", "2", "3"}),
        ("113113", {"s.0–5: 3 blocks ×2", "0–1 ×2", "2"}),
        ("1131", {"s", "0–1 ×2", "2", "3"}),
        ("13513", {"s", "0", "1", "2", "3", "4"}),
    ],
)
def test_blocks_that_repeat_together_are_drawn_once(kinds, headings):
    cost = costcalc.load(blocks(kinds, ("head", ops.Conv(4, 1), f"s.{len(kinds) - 1}.add"))).cost()
    for depth in (None, 1, 2, 3):
        check(network_sketch(cost, depth=depth), cost)
    sketch = network_sketch(cost)
    assert {*sketch.headings.values()} == headings
    assert problems(costcalc.load(blocks(kinds)).drawing().data) == []
    assert "\0" not in str(NetworkTree(cost, sketch)) + "".join(diagram(sketch, "dot"))
    assert [box.title for box in network_sketch(cost, depth=1).boxes] == ["x", "s", "head"]


def test_folded_blocks_that_repeat_together():
    cost = costcalc.load(blocks("131313")).cost()
    sketch = network_sketch(cost, depth=2)
    assert [box.title for box in sketch.boxes] == ["x", "0", "1"]
    assert [*sketch.headings.values()] == ["s.0–5: 2 blocks ×3"]
    assert len(network_sketch(cost, copies=True).boxes) == 13


def test_what_begins_a_block_does_not_belong_to_the_block_before():
    graph = blocks("33", ("t.move", ops.Reshape([8, 256]), "s.1.add"), ("t.flat", ops.Flatten(), "t.move"))
    sketch = sketch_of(graph)
    assert [*sketch.headings.values()] == ["s.0–1 ×2"] and sketch.boxes[-1].title == "t.move"


def test_equal_blocks_may_read_one_mask():
    layers = [("mask", ops.Conv(8, 1), "x")]
    for at in range(4):
        before = f"s.{at - 1}.add" if at else "x"
        layers += [(f"s.{at}.conv", ops.Conv(8, 1), before), (f"s.{at}.add", ops.Add(), f"s.{at}.conv", "mask")]
    cost = costcalc.load(graph_of(*layers)).cost()
    sketch = network_sketch(cost)
    check(sketch, cost)
    assert [box.title for box in sketch.boxes] == ["x", "mask", "conv", "add"]
    assert [*sketch.headings.values()] == ["s.0–3 ×4"] and len(sketch.wires) == 4


def test_unequal_blocks_and_those_that_others_read_are_not_one():
    graph = graph_of(
        ("s.0.conv", ops.Conv(8, 1), "x"), ("s.0.relu", ops.ReLU(), "s.0.conv"),
        ("s.1.conv", ops.Conv(8, 1), "s.0.relu"), ("s.1.relu", ops.ReLU(), "s.1.conv"),
        ("s.2.conv", ops.Conv(9, 1), "s.1.relu"), ("s.2.relu", ops.ReLU(), "s.2.conv"),
        ("side", ops.Conv(2, 1), "s.0.relu"),
    )  # fmt: skip
    assert len(sketch_of(graph).boxes) == 5


def test_a_long_flat_chain_shows_its_ends():
    cost = costcalc.load(chain(1_653, lambda number: 8 + number % 7)).cost()
    sketch = network_sketch(cost)
    check(sketch, cost)
    assert len(sketch.boxes) == BOXES_ON_SHEET
    titles = [box.title for box in sketch.boxes]
    assert titles[:2] == ["x", "conv0"] and titles[-1] == "conv1652"
    assert [title for title in titles if "…" in title] == ["… 1,595 blocks"]
    assert sketch.notes[0].endswith("1,653 layers in 60 boxes, --depth 1 shows 1,654")


def test_equal_neighbours_of_a_flat_network_are_one_box():
    sketch = sketch_of(chain(500))
    assert [box.title for box in sketch.boxes] == ["x", "conv0 ×500"]


def test_a_flat_network_of_branches_is_taken_in_parts():
    cost = costcalc.load(flat_residuals(500)).cost()
    sketch = network_sketch(cost)
    check(sketch, cost)
    assert len(sketch.boxes) <= BOXES_ON_SHEET and all(box.title.startswith("…") for box in sketch.boxes)
    assert "Conv" in sketch.boxes[1].lines[1]  # where it begins


def test_a_drawing_that_is_not_folded_has_an_end():
    with pytest.raises(UsageError, match=r"would have 6,001 boxes, more than 5,000; without a depth and every layer"):
        costcalc.load(chain(6_000)).drawing(depth=1, unrolled=True)
    with pytest.raises(UsageError, match="would have 6,001 boxes"):
        costcalc.load(chain(6_000)).drawing(every_layer=True)
    assert len(sketch_of("resnet50", every_layer=True).boxes) == 95


@pytest.mark.sized
def test_one_hundred_thousand_layers():
    """Folded first, and only then laid out."""
    blocks = size(1_000, 25_000)
    drawing = costcalc.load(flat_residuals(blocks)).drawing()
    assert len(drawing.data.boxes) <= BOXES_ON_SHEET and problems(drawing.data) == []
    assert f"{4 * blocks:,} layers" in drawing.data.sketch.notes[0]


def test_a_large_dense_block_has_its_sources_as_text():
    small, large = sketch_of(dense(6)), sketch_of(dense(12))
    assert len(small.wires) == 6 + 6 * 7 // 2 - 1 and not any(box.lines for box in small.boxes if box.is_pill)
    lists = [box.lines[0] for box in large.boxes if box.title == "concat" and box.lines]
    assert lists[0] == "of 3: x, conv0, conv1" and lists[-1].startswith("of 12: x, conv0") and len(lists[-1]) <= 40
    assert MAX_WIRES_IN == 8
    check(large, costcalc.load(dense(12)).cost())
    lists = [line for box in large.boxes for line in box.lines if line.startswith("of ")]
    layers = {str(row.name).rpartition(".")[2] for row in costcalc.load(dense(12)).cost().layers}
    shown = [name for line in lists for name in line.partition(": ")[2].split(", ")]
    assert {*shown} <= layers | {"…"} and "…" in shown  # no name is cut


def test_a_text_is_cut_between_words():
    assert cut_between_words("of 12: layer1, layer2, layer3, layer4, layer12", 40) == (
        "of 12: layer1, … layer3, layer4, layer12"
    )
    assert cut_between_words("of 2: a, b", 40) == "of 2: a, b"
    for text in ("a" * 50, f"{'a' * 50} b", "3·c + " * 20 + "1"):
        assert len(cut_between_words(text, 40)) <= 40 and "…" in cut_between_words(text, 40)


def test_tensors_that_the_forward_pass_does_not_use_say_so():
    """As those of a head that only training runs."""
    tensors = [(f"not_reached.head.w{at}", ops.Parameter((3, 4))) for at in range(3)]
    used = [("place", ops.Parameter((8, 16, 16))), ("sum", ops.Add(), "conv", "place")]
    graph = graph_of(("conv", ops.Conv(8, 1), "x"), *used, *tensors)
    lines = {box.name: box.lines for box in sketch_of(graph, depth=1).boxes}
    assert lines["not_reached"] == ("3 tensors, not used by the forward pass",)
    assert lines["place"] == ("parameter",)
    assert "3 tensors, not used by the forward pass" in str(costcalc.load(graph).tree(depth=1))


def test_many_branches_stay_wires():
    branches = [(f"c{at}", ops.Conv(4, 1), "x") for at in range(12)]
    sketch = sketch_of(graph_of(*branches, ("cat", ops.Concat(), *(name for name, *_ in branches))))
    assert len(sketch.wires) == 24


def test_symbols_are_drawn_as_formulas_without_shade():
    net = costcalc.load("resnet50", r=costcalc.size_symbol("r"))
    sketch = network_sketch(net.cost())
    assert all(box.share is None and not box.shade for box in sketch.boxes)
    assert next(box.lines[1] for box in sketch.boxes if box.title == "conv1") == "9,408·ceil(r/2)²"
    assert sketch.wires[0].label == "r×r×3" and sketch.notes[0].startswith("MACs as formulas; ")
    assert problems(net.drawing().data) == []


@pytest.mark.parametrize("shade", ["params", "peak_bytes", "saved_bytes", "train_macs", "intensity", "output"])
def test_other_metrics(shade):
    cost = costcalc.load("alexnet").cost()
    sketch = network_sketch(cost, shade=shade)
    assert max(box.shade for box in sketch.boxes) == 1
    shares = [box.share for box in sketch.boxes if box.share is not None]
    if shade in ("params", "saved_bytes", "train_macs"):
        assert math.isclose(sum(shares), 1)
    assert (not shares) == (shade in ("intensity", "output")) and max(shares, default=0) <= 1 + 1e-12


@pytest.mark.parametrize("shade", ["saved_bytes", "elementwise", "activations"])
@pytest.mark.parametrize("target", ["resnet50", "googlenet", "mobilenet_v2", "residual_block"])
def test_joins_have_their_costs(target, shade):
    """An addition has arithmetic, and a concat that copies what it joins writes it: then it is a box with its bar."""
    sketch = sketch_of(target, shade=shade)
    assert math.isclose(sum(box.share or 0 for box in sketch.boxes), 1)
    assert all(box.is_pill == (not box.cost) for box in sketch.boxes if box.title in ("add", "concat", "x"))


def test_the_legend_says_what_the_shade_is():
    assert sketch_of("lenet5", shade="saved_bytes").notes[:2] == (
        "saved bytes: 35.6 KiB; 12 layers in 8 boxes",
        "shade: saved bytes, what layers keep for the backward pass; weights apart",
    )
    assert not any("shade" in note for note in sketch_of("lenet5").notes)


def test_measured_seconds():
    cost = costcalc.load("lenet5").cost()
    seconds = {str(row.name): 0.001 for row in cost.layers if not row.op.is_input}
    sketch = network_sketch(cost, shade="seconds", seconds=seconds)
    assert sketch.notes[0].startswith("sum of the layers' seconds, each timed alone: 12.00 ms")
    assert sketch.boxes[1].lines[-1] == "2.000 ms · 16.7 %"
    for given, why in ((None, "seconds are measured"), ({"nosuch": 1.0}, "of another network")):
        with pytest.raises(UsageError, match=why):
            network_sketch(cost, shade="seconds", seconds=given)


def test_what_is_no_number_of_a_layer_is_refused():
    net = costcalc.load("lenet5")
    with pytest.raises(UnknownName, match="unknown metric 'macz'; did you mean 'macs'"):
        net.drawing(shade="macz")
    with pytest.raises(UsageError, match="receptive_field describes paths"):
        net.drawing(shade="receptive_field")
    with pytest.raises(UnknownName, match="unknown style 'cubes'"):
        net.drawing(style="cubes")
    for depth in (0, -1, 1.5, "2"):
        with pytest.raises(UsageError, match="a depth is a whole number from 1"):
            net.drawing(depth=depth)


def test_two_inputs_and_two_outputs():
    graph = graph_of(("a", ops.Conv(8, 1), "x"))
    costcalc.add(graph, "y", ops.Input((1, 8, 16, 16)))
    costcalc.add(graph, "both", ops.Add(), "a", "y")
    for name in ("left", "right"):
        costcalc.add(graph, name, ops.Conv(4, 1), "both")
    cost = costcalc.load(graph).cost()
    check(network_sketch(cost), cost)
    assert problems(costcalc.load(graph).drawing().data) == []


def test_a_drawing_too_narrow_to_be_read_is_refused():
    with pytest.raises(UsageError, match="a drawing of 10 px cannot be read; give it 100 or more"):
        costcalc.load("lenet5").drawing(width=10)
