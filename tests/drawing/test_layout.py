"""Drawings have nothing over anything else, keep the order of the network, and are straight where one wire goes on."""

import itertools
from dataclasses import replace

import pytest
from support.drawings import crossings, label_place, problems
from support.sketches import middles, sketch, tops

import costcalc
from costcalc.drawing.drawing import Rectangle
from costcalc.drawing.sheet_layout import laid_out
from costcalc.drawing.sketch import Box, Sketch, Wire
from costcalc.drawing.wire_overlaps import without_overlaps
from costcalc.spec.library import entries

SPECS = [entry.name for entry in entries() if entry.kind == "spec"]
PRESETS = ["googlenet@heads=true", "resnet50", "efficientnet_b3", "mobilenet_v2"]


def drawn(name, **how):
    return costcalc.load(name).drawing(**how).data


@pytest.mark.parametrize("name", dict.fromkeys([*SPECS, *PRESETS]))
def test_nothing_lies_on_anything_and_no_wire_crosses(name):
    net, seen = costcalc.load(name), set()
    for depth in (None, 1, 2, 99):
        data = net.drawing(depth=depth).data
        if len(data.boxes) in seen or len(data.boxes) > 130:
            continue
        seen.add(len(data.boxes))
        assert problems(data) == []
        assert crossings(data) == set()
        ends = {(wire.wire.source, wire.wire.target) for wire in data.wires}
        assert {box.key for box in data.sketch.boxes} == {placed.box.key for placed in data.boxes}
        assert len(ends) == len(data.wires) == len(data.sketch.wires)


@pytest.mark.parametrize(
    ("wires", "paths", "many"),
    [
        ("ab bc cd de ef ag", {}, 0),
        ("ab bc cd de ad ae bd", {}, 0),
        ("ab ac ad be ce de ae", {}, 0),
        ("ab bc cd ad bd", {}, 0),  # two shortcuts into one box
        ("ab bc cd de ef fg gh cf bg ah", {}, 0),  # a U-Net: nested arcs
        ("ac bd", {}, 0),  # two networks
        ("ac bc cd ce", {}, 0),  # two inputs and two outputs
        ("ac ad bc bd", {}, 1),  # which no drawing on paper can do without
        ("ab bc cd bd de", {"b": ("s",), "c": ("s", "t"), "d": ("s", "t")}, 0),
        ("ab ac bd cd ae ed", {"b": ("s",), "c": ("s",)}, 0),
        ("ab bc ac", {"a": ("s",), "c": ("s",)}, 0),  # a frame that a wire leaves and comes back to stays open
    ],
)
def test_graphs_that_no_spec_has(wires, paths, many):
    data = laid_out(sketch(wires, paths))
    drawn_paths = {frame.name for frame in data.frames}
    assert [fault for fault in problems(data) if "is in the frames" not in fault] == []
    assert len(crossings(data)) == many
    assert "s" in drawn_paths or {"a", "c"} <= {*paths} or not paths


def test_branches_keep_the_order_of_the_spec():
    data = drawn("inception_module")
    row = [placed for placed in data.boxes if placed.place.y == data.boxes[1].place.y]
    assert [p.box.title for p in sorted(row, key=lambda p: p.place.x)] == [
        "conv1x1", "reduce3x3", "reduce5x5", "max_pool",
    ]  # fmt: skip
    assert [placed.box.title for placed in data.boxes[-2:]] == ["concat", "output"]
    assert abs(middles(data)["b8"] - middles(data)["b0"]) < 1  # what many branches end in is below what they begin at


def test_an_identity_shortcut_is_an_arc_to_the_right_of_all_boxes():
    data = drawn("residual_block")
    (arc,) = [wire.points for wire in data.wires if len(wire.points) > 2]
    right = max(placed.place.right for placed in data.boxes)
    (down,) = [(one, other) for one, other in itertools.pairwise(arc) if one[0] == other[0] > right]
    assert down[1][1] - down[0][1] > 100
    assert len({*middles(data).values()}) == 1  # and the trunk is straight


def test_equal_blocks_are_drawn_equally():
    data = drawn("googlenet", depth=2)
    places = {}
    for frame in data.frames:
        inside = [p for p in data.boxes if p.box.path == (frame.name,)]
        if frame.heading.startswith("inception"):
            offsets = [(p.box.title, p.place.x - frame.place.x, p.place.y - frame.place.y) for p in inside]
            places.setdefault(tuple((title, round(x), round(y)) for title, x, y in offsets), []).append(frame.heading)
    assert max(map(len, places.values())) >= 7  # of nine; the others have longer numbers


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "mobilenet_v2", "efficientnet_b0", "vgg16"])
def test_the_trunk_is_straight(name):
    """A wire to the only reader of a box, which reads nothing else, goes straight down; but from column to column."""
    data = drawn(name)
    outs = [wire.wire.source for wire in data.wires]
    ins = [wire.wire.target for wire in data.wires]
    alone = [w for w in data.wires if outs.count(w.wire.source) == ins.count(w.wire.target) == 1]
    bent = [wire for wire in alone if len(wire.points) > 2 and len(wire.points) != 6]
    assert len(alone) > 10 and bent == []


def test_a_label_stands_once_for_each_box_and_beside_its_stem():
    data = drawn("googlenet")
    labelled = [wire for wire in data.wires if label_place(wire)]
    assert sorted(wire.wire.source for wire in labelled) == sorted({wire.wire.source for wire in data.wires})
    assert all(0 < wire.label_at[0] - wire.points[0][0] < 6 for wire in labelled)


def test_more_channels_are_wider_in_one_frame():
    data = drawn("mobilenet_v2")
    for frame in data.frames:
        wide = {p.box.title: p.place.width for p in data.boxes if p.box.path[-1:] == (frame.name,)}
        if {"expansion", "depthwise", "projection"} <= {*wide}:
            assert wide["expansion"] == wide["depthwise"] > wide["projection"] + 20


def test_boxes_without_wires_stand_below_in_short_rows():
    plain = laid_out(sketch("ab bc"))
    boxes = [*plain.sketch.boxes, *(Box(key, key, path=("constants",)) for key in "uvwxyz")]
    data = laid_out(replace(plain.sketch, boxes=boxes, headings={"constants": "constants"}))
    rows = [tops(data)[key] for key in "uvwxyz"]
    assert min(rows) > max(tops(data)[key] for key in "abc") and len({*rows}) > 1
    assert data.width < 2 * plain.width + 300 and middles(data)["a"] == middles(data)["c"]
    assert problems(data) == []


def test_a_frame_ends_where_its_boxes_end():
    frame = dict.fromkeys("bcde", ("s",))
    data = laid_out(sketch("ab bc ce bd de ef", {**frame, "b": ("s",)}))
    (placed,) = data.frames
    inside = [placed_box.place for placed_box in data.boxes if placed_box.box.path]
    assert min(place.x for place in inside) - placed.place.x < 40
    shortcut = laid_out(sketch("ab bc ce ae ef", frame | {"d": ()}))
    places = shortcut.places
    (placed,) = shortcut.frames
    assert places["b"].x - placed.place.x < 40 < placed.place.right - places["b"].right  # room for the arc alone
    assert middles(shortcut)["a"] == middles(shortcut)["b"] == middles(shortcut)["f"]


def test_the_trunk_goes_straight_past_parameters():
    data = laid_out(sketch("ab bd cd df ef fg", {"d": ("s",), "e": ("s",), "f": ("s",), "c": ()}))
    assert len({middles(data)[key] for key in "abdfg"}) == 1
    assert data.width < 4 * data.boxes[0].place.width  # and they stand beside it


def test_an_arc_is_near_what_it_goes_around():
    wide = dict.fromkeys("ghijkl", ("wide",))
    fan = " ".join(f"f{key} {key}m" for key in "ghijkl")
    data = laid_out(sketch(f"ab bc cd bd df {fan} mn", wide))
    (arc,) = [wire.points for wire in data.wires if (wire.wire.source, wire.wire.target) == ("b", "d")]
    assert max(x for x, _ in arc) < data.places["c"].right + 60


def test_no_part_of_a_wire_is_drawn_twice():
    data = drawn("inception_module")
    ends = [wire.points[-1] for wire in data.wires]
    lines = [*without_overlaps(data.wires)]
    assert [line[-1] for line in lines] == ends
    pieces = [{*line} for line in map(tuple, lines)]
    whole = [wire for wire, line in zip(data.wires, lines) if tuple(line) == wire.points]
    assert {wire.wire.source for wire in whole} == {wire.wire.source for wire in data.wires}  # one of each is whole
    seen = []
    for line, places in zip(lines, pieces):
        for (x, y), (a, b) in itertools.pairwise(line):
            seen.append(Rectangle(min(x, a), min(y, b), abs(x - a), abs(y - b)))
        assert len(places) == len(line)
    for one, other in itertools.combinations(seen, 2):
        along = min(one.right, other.right) - max(one.x, other.x), min(one.bottom, other.bottom) - max(one.y, other.y)
        assert min(along) < 0 or max(along) < 1 or bool(one.width) != bool(other.width)


def test_an_input_of_one_letter_is_no_circle():
    data = laid_out(Sketch("x", [Box("x", "x", is_pill=True), Box("y", "y")], [Wire("x", "y")]))
    assert data.places["x"].width > 1.5 * data.places["x"].height
