"""Drawings have nothing over anything else, keep the order of the network, and are straight where one wire goes on."""

import itertools
from dataclasses import replace

import pytest
from support.drawings import crossings, label_place, problems

import costcalc
from costcalc.drawing import Drawing
from costcalc.drawing.drawing import Rectangle
from costcalc.drawing.sheet_layout import laid_out
from costcalc.drawing.sketch import Box, Sketch, Wire
from costcalc.drawing.wire_overlaps import without_overlaps
from costcalc.spec.library import entries

SPECS = [entry.name for entry in entries() if entry.kind == "spec"]
PRESETS = ["googlenet@heads=true", "resnet50", "efficientnet_b3", "mobilenet_v2"]


def drawn(name, **how):
    return costcalc.load(name).drawing(**how).data


def sketch(wires, paths=None, **labels):
    """Boxes of one letter and wires between them: `ab bc` from a to b and from b to c."""
    keys = sorted({key for wire in wires.split() for key in wire})
    boxes = [Box(key, key, ("words",), (paths or {}).get(key, ())) for key in keys]
    ends = [Wire(source, target, labels.get(source, "8×8×8")) for source, target in wires.split()]
    return Sketch("sketch", boxes, ends, {frame: frame for path in (paths or {}).values() for frame in path})


def middles(data):
    return {placed.box.key: placed.place.x + placed.place.width / 2 for placed in data.boxes}


def tops(data):
    return {placed.box.key: placed.place.y for placed in data.boxes}


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
    assert data.boxes[-1].box.title == "concat"
    assert abs(middles(data)["b8"] - data.width / 2) < 40  # below the middle


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


def test_a_tall_drawing_goes_on_in_columns_as_far_as_a_width_allows():
    chain = sketch(" ".join(f"{one}{other}" for one, other in itertools.pairwise("abcdefghijklmnopqrst")))
    strip = laid_out(chain, columns=False)
    sheet = laid_out(chain)
    assert strip.height > 1200 > sheet.height and sheet.height < 1.3 * sheet.width
    narrow = laid_out(chain, width=500)
    assert strip.width < narrow.width <= 500
    for data in (strip, sheet, narrow):
        assert problems(data) == []
    phone = Drawing.of(laid_out(chain, width=90))
    assert 'width="90"' in phone.svg() and phone.width > 90  # shown smaller
    columns = [sorted(y for x, y in zip(middles(sheet).values(), tops(sheet).values()) if x == at) for at in
               {*middles(sheet).values()}]  # fmt: skip
    assert max(map(len, columns)) - min(map(len, columns)) <= 2


def test_more_channels_are_wider_in_one_frame():
    data = drawn("mobilenet_v2")
    for frame in data.frames:
        wide = {p.box.title: p.place.width for p in data.boxes if p.box.path[-1:] == (frame.name,)}
        if {"expansion", "depthwise", "projection"} <= {*wide}:
            assert wide["expansion"] == wide["depthwise"] > wide["projection"] + 20


def chain(keys):
    return " ".join(f"{one}{other}" for one, other in itertools.pairwise(keys))


LONG = "abcdefghijklmnopqrst"


def columns(data):
    """The keys of the boxes of each column, from left to right."""
    found = {}
    for key, x in middles(data).items():
        found.setdefault(x, []).append(key)
    return ["".join(sorted(found[x])) for x in sorted(found)]


def repeated(whole, copies):
    """A sketch whose boxes stand for so many, and whose frames so stay whole."""
    return replace(whole, boxes=[replace(box, copies=copies) for box in whole.boxes])


@pytest.mark.parametrize("more", ["at", "at bs", "at bt"])
def test_long_wires_go_from_column_to_column_side_by_side(more):
    data = laid_out(sketch(f"{chain(LONG)} {more}"))
    assert len(columns(data)) > 1 and data.height < 1.4 * data.width
    assert problems(data) == [] and crossings(data) == set()


def test_no_column_holds_a_lone_box_beside_a_high_one():
    frames = dict.fromkeys(LONG[1:12], ("features",)) | dict.fromkeys(LONG[12:], ("classifier",))
    data = laid_out(repeated(sketch(chain(LONG), frames), 2))
    assert columns(data) == [LONG[:12], LONG[12:]]
    high = dict.fromkeys(LONG[2:], ("high",))
    assert len(columns(laid_out(repeated(sketch(chain(LONG), high), 2)))) == 1  # no lower in two


@pytest.mark.parametrize(("copies", "headings"), [(1, ["tall", "tall (cont.)"]), (3, ["tall"])])
def test_a_frame_that_is_too_tall_goes_on_in_the_next_column(copies, headings):
    whole = sketch(chain(LONG), dict.fromkeys(LONG[1:-1], ("tall",)))
    data = laid_out(repeated(whole, copies))
    assert sorted({frame.heading for frame in data.frames}) == headings
    assert "".join(columns(data)) == LONG or copies > 1
    assert len(columns(data)) == len(data.frames) if copies == 1 else len(columns(data)) == 1
    assert problems(data) == [] and crossings(data) == set()
    assert {key for key, box in zip(LONG, data.boxes) if box.box.path} == {*LONG[1:-1]}


def test_boxes_without_wires_stand_below_in_short_rows():
    loose = dict.fromkeys("uvwxyz", ("constants",))
    plain = laid_out(sketch("ab bc"))
    data = laid_out(replace(plain.sketch, boxes=[*plain.sketch.boxes, *(Box(k, k, path=p) for k, p in loose.items())],
                            headings={"constants": "constants"}))  # fmt: skip
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


@pytest.mark.parametrize("sheet", [(300, 200), (200, 300), (1000, 50)])
def test_on_a_sheet_a_drawing_has_the_columns_in_which_it_is_largest(sheet):
    def scale(data):
        return min(sheet[0] / data.width, sheet[1] / data.height)

    chain = sketch(" ".join(f"{one}{other}" for one, other in itertools.pairwise("abcdefghijkl")))
    strip, data = laid_out(chain, columns=False), laid_out(chain, sheet=sheet)
    assert problems(data) == [] and scale(data) > 1.2 * scale(strip)
    short = sketch("ab")
    assert laid_out(short, sheet=(300, 200)) == laid_out(short)  # it would be hardly larger
