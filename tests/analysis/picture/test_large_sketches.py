"""Networks of many layers without blocks, and boxes with many wires: no more is drawn than fits on a sheet."""

import pytest
from support.drawings import problems
from support.network_sketches import check, graph_of, sketch_of
from support.sizes import size

import costcalc
from costcalc import ops
from costcalc.analysis.picture.folding import BOXES_ON_SHEET
from costcalc.analysis.picture.network_sketch import MAX_WIRES_IN, network_sketch
from costcalc.errors import UsageError


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
