"""Networks as volumes: sizes grow with the tensors, texts have room, and others are refused with a reason."""

import itertools
import re

import pytest

import costcalc
from costcalc import ops
from costcalc.analysis.picture.network_volumes import network_volumes
from costcalc.drawing.shapes import Group, Polygon, Polyline, Text
from costcalc.drawing.text_widths import text_width
from costcalc.errors import UsageError


def volumes_of(name, **how):
    return network_volumes(costcalc.load(name).cost(), **how)


def chain(length):
    graph = costcalc.new_graph()
    at = costcalc.add(graph, "x", ops.Input((1, 3, 8, 8)))
    for number in range(length):
        at = costcalc.add(graph, f"c{number}", ops.Conv(4 + number, 1), at)
    return graph


def groups(picture):
    return [shape for shape in picture.shapes if isinstance(shape, Group)]


def lines_of(group):
    return [shape.text for shape in group.shapes if isinstance(shape, Text)]


def front(group):
    (area,) = [shape for shape in group.shapes if isinstance(shape, Polygon) and shape.kind == "front"]
    (x, y), _, (right, bottom), _ = area.points
    return right - x, bottom - y


@pytest.mark.parametrize(("name", "many"), [("lenet5", 9), ("alexnet", 13), ("vgg16", 23)])
def test_every_tensor_has_a_volume_with_its_shape_and_cost(name, many):
    picture = volumes_of(name)
    assert len(groups(picture)) == many
    layers = [at for group in groups(picture) for at in group.layers]
    assert sorted(layers) == [*range(len(costcalc.load(name).cost().layers))]
    shares = [float(line[:-2]) for group in groups(picture) for line in lines_of(group) if line.endswith(" %")
              and line[0] != "<"]  # fmt: skip
    assert abs(sum(shares) - 100) < 0.5
    above = [shape.text for shape in picture.shapes if isinstance(shape, Text) and shape.size == 9]
    assert len(above) == many - 1 and above.count("flatten") == 1


def test_sizes_are_by_doublings():
    sizes = {
        lines_of(group)[-1 if len(lines_of(group)) < 3 else 1]: front(group) for group in groups(volumes_of("alexnet"))
    }
    assert sizes["227×227×3"][1] > 1.3 * sizes["55×55×96"][1] > 1.3 * sizes["13×13×384"][1]
    assert sizes["227×227×3"][0] * 3 < sizes["13×13×384"][0]
    assert sizes["9216"][1] > sizes["4096"][1] > sizes["1000"][1]


def test_a_flattened_pool_shows_both():
    texts = [lines_of(group) for group in groups(volumes_of("alexnet"))]
    at = texts.index(["max_pool3", "6×6×256"])
    assert texts[at + 1] == ["9216"]


@pytest.mark.parametrize("width", [None, 1, 390, 800])
@pytest.mark.parametrize("name", ["lenet5", "vgg16"])
def test_texts_have_room(name, width):
    picture = volumes_of(name, width=width)
    texts = [
        (t.y, t.x - half, t.x + half)
        for group in groups(picture) for t in group.shapes if isinstance(t, Text)
        for half in [text_width(t.text, t.size, bold=t.is_bold) / 2]
    ]  # fmt: skip
    for (y, _, right), (other, left, _) in itertools.pairwise(sorted(texts)):
        assert y != other or right <= left + 0.2
    assert all(left >= 0 and right <= picture.width for _, left, right in texts)
    assert picture.shown_width is None or picture.shown_width <= width
    ends = [line.points[-1] for line in picture.shapes if isinstance(line, Polyline)]
    assert len(ends) == len(groups(picture)) - 1
    turns = [x for line in picture.shapes if isinstance(line, Polyline) for x, _ in line.points]
    assert min(turns) > 8 and max(turns) < picture.width - 8


@pytest.mark.parametrize("width", [700, 900])
def test_rows_are_of_about_one_width(width):
    rows = {}
    for group in groups(volumes_of("vgg16", width=width)):
        first, *others = [shape.y for shape in group.shapes if isinstance(shape, Text)]
        if others:  # a vector without a name has its size alone
            rows.setdefault(first, []).append(group)
    many = [len(rows[base]) for base in sorted(rows)]
    assert len(many) > 2 and min(many) >= max(many) / 2


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("googlenet", "branches at 'max_pool2'"), ("inception_module", "branches at 'input'"),
        (chain(30), "has 31 boxes, more than the 24 that fit"),
    ],
)  # fmt: skip
def test_others_are_refused_with_the_reason(target, why):
    with pytest.raises(UsageError, match=re.escape(why)) as caught:
        costcalc.load(target).drawing(style="volumes")
    assert str(caught.value).endswith("use --style blocks")


def test_symbols_and_depths_are_refused():
    with pytest.raises(UsageError, match="has symbols for sizes"):
        costcalc.load("lenet5", classes=costcalc.size_symbol("classes")).drawing(style="volumes")
    with pytest.raises(UsageError, match="leave out depth and every_layer"):
        costcalc.load("lenet5").drawing(style="volumes", depth=1)
