"""What a drawing shows: every layer once, sums that are the total, and no more boxes than fit on a sheet."""

import math

import pytest
from support.drawings import problems
from support.network_sketches import check, graph_of, sketch_of

import costcalc
from costcalc import ops
from costcalc.analysis.picture.folding import MAX_BOXES_ON_SHEET
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.drawing.text_widths import cut_between_words
from costcalc.errors import UnknownName, UsageError
from costcalc.spec.library import entries

TARGETS = [*(entry.name for entry in entries() if entry.kind == "spec"), "googlenet", "resnet152", "efficientnet_b7"]


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
    """Written as the other formulas beside it: a drawing has ·, a table what Python reads."""
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


def test_a_text_is_cut_between_words():
    assert cut_between_words("of 12: layer1, layer2, layer3, layer4, layer12", 40) == (
        "of 12: layer1, … layer3, layer4, layer12"
    )
    assert cut_between_words("of 12: layer1, layer2, layer3, layer4, layer12", 41, ", ") == (
        "of 12: layer1, layer2, …, layer4, layer12"
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
    cost = costcalc.load(target).cost()
    sketch = network_sketch(cost, shade=shade)
    assert math.isclose(sum(box.share or 0 for box in sketch.boxes), 1)
    first = [cost.layers[box.layers[0]].op for box in sketch.boxes]
    pills = [box for box, op in zip(sketch.boxes, first) if not box.is_folded and (op.is_join or op.is_input)]
    assert len(pills) > 1 and {*pills} >= {box for box in sketch.boxes if box.is_pill}
    assert all(box.is_pill == (not box.cost) for box in pills)


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


@pytest.mark.parametrize(
    ("target", "shapes"),
    [("inception_module", ["28×28×256"]), ("googlenet@heads=true", ["1000"] * 3), ("quiz_pool_4", ["32×32×12"])],
)
def test_what_the_network_returns_has_its_shape(target, shapes):
    sketch = network_sketch(costcalc.load(target).cost())
    assert [*sketch.outputs.values()] == shapes
    drawing = costcalc.load(target).drawing().data
    ends = [placed.wire for placed in drawing.wires if placed.wire.target not in {box.key for box in sketch.boxes}]
    assert [wire.label for wire in ends] == shapes


def test_a_block_that_puts_out_several_maps_says_all_their_shapes():
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input((1, 3, 8, 8)))
    costcalc.add(graph, "a.fine", ops.Conv(4, 3, padding="same"), "x")
    costcalc.add(graph, "a.coarse", ops.Conv(6, 2, stride=2), "a.fine")
    costcalc.add(graph, "b.one", ops.Conv(2, 1), "a.fine")
    costcalc.add(graph, "b.two", ops.Conv(2, 1), "a.coarse")
    sketch = network_sketch(costcalc.load(graph).cost(), depth=1)
    assert [wire.label for wire in sketch.wires] == ["8×8×3", "8×8×4, 4×4×6"]
    assert [*sketch.outputs.values()] == ["8×8×2, 4×4×2"]
