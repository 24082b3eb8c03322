"""Equal blocks are drawn once, with and without a repeat that says so, and their costs stay the network's."""

import pytest
from support.drawings import problems
from support.network_sketches import check, graph_of, sketch_of

import costcalc
from costcalc import ops
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.analysis.picture.network_tree import NetworkTree
from costcalc.drawing.diagram import diagram


def blocks(kinds, *more):
    """Residual blocks in a stage, with kernels of these sizes."""
    layers = []
    for at, kernel in enumerate(kinds):
        before = f"s.{at - 1}.add" if at else "x"
        conv = ops.Conv(8, int(kernel), padding=int(kernel) // 2)
        layers += [(f"s.{at}.conv", conv, before), (f"s.{at}.add", ops.Add(), f"s.{at}.conv", before)]
    return graph_of(*layers, *more)


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
