"""Names beside marks: none lies on another, on a mark, a line or a box, and all stay inside; as data, and as drawn."""

from itertools import combinations, product

import pytest
from support import needed

from costcalc.chart import Axis, Ball, Balls, Bands, Bar, Group, Mark, Roofline, Scatter, Stretch, TimedLayer
from costcalc.chart.label_places import Disc, Leader, NameBox, NameSize, crosses, meet, place_names, touches

FRAME = NameBox(0, 0, 500, 350)
EDGE = 7  # pixels that stay free beside the edge of a picture


def scattered(count, near=1.0):
    """Discs and names of many sizes: their places follow from their numbers, by remainders."""
    discs = [Disc(30 + near * (i * 97 % 440), 30 + near * (i * 61 % 290), 3 + i * 7 % 20) for i in range(count)]
    return discs, [NameSize(i, 20 + i * 13 % 70, 11) for i in range(count)]


@pytest.mark.parametrize(("count", "near"), [(1, 1.0), (8, 1.0), (25, 1.0), (25, 0.5), (8, 0.1), (40, 1.0)])
def test_no_name_lies_on_anything(count, near):
    discs, labels = scattered(count, near)
    lines = [Leader(0, 175, 500, 200)]
    boxes = [NameBox(0, 300, 90, 350)]
    found = [place for place in place_names(FRAME, discs, labels, lines, boxes) if place]
    assert len(found) >= count - 4  # of 40 balls on a small page some names find no room, and are listed below it
    for place in found:
        assert place.box.left >= FRAME.left
        assert place.box.bottom >= FRAME.bottom
        assert place.box.right <= FRAME.right
        assert place.box.top <= FRAME.top
        assert not any(touches(place.box, disc) for disc in discs)
        assert not any(crosses(line, place.box) for line in lines)
        assert not any(meet(box, place.box) for box in boxes)
    for one, other in combinations(found, 2):
        assert not meet(one.box, other.box)
        assert not (one.line and crosses(one.line, other.box))
        assert not (other.line and crosses(other.line, one.box))
    assert place_names(FRAME, discs, labels, lines, boxes) == place_names(FRAME, discs, labels, lines, boxes)


def test_a_name_alone_stands_right_of_its_mark_without_a_line():
    (place,) = place_names(FRAME, [Disc(100, 100, 5)], [NameSize(0, 40, 10)])
    assert place.line is None
    assert (place.box.left, place.box.bottom, place.box.top) == (108, 95, 105)


def test_a_name_without_room_has_no_place():
    assert place_names(NameBox(0, 0, 20, 20), [Disc(10, 10, 5)], [NameSize(0, 40, 10)]) == [None]


def test_a_line_leads_from_the_edge_of_its_mark():
    """Of marks side by side some have their names farther off, by a line that does not begin inside the mark."""
    discs = [Disc(200 + 12 * i, 175, 5) for i in range(12)]
    found = place_names(FRAME, discs, [NameSize(i, 60, 12) for i in range(12)])
    lines = [(disc, place.line) for disc, place in zip(discs, found, strict=True) if place and place.line]
    assert lines
    for disc, line in lines:
        assert (line.x - disc.x) ** 2 + (line.y - disc.y) ** 2 == pytest.approx(25)


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ((0, 5, 20, 5), True), ((0, 15, 20, 15), False), ((5, -5, 5, 20), True), ((-5, -5, 20, 20), True),
        ((11, 0, 20, 9), False), ((2, 2, 3, 3), True), ((-5, 8, 8, 21), False),
    ],
)  # fmt: skip
def test_what_a_line_crosses(line, inside):
    assert crosses(Leader(*line), NameBox(0, 0, 10, 10)) is inside


# --- as matplotlib draws them -----------------------------------------------------------------------------------------


def drawn_texts(chart):
    """The boxes of the names beside marks, of all texts but those of ticks, and of the figure, in pixels."""
    needed.module("matplotlib", "report")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Annotation, Text

    from costcalc.chart.draw import drawn

    with drawn(chart) as figure:
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        (axes,) = figure.axes
        names = [Text.get_window_extent(text, renderer) for text in axes.texts if isinstance(text, Annotation)]
        others = [*figure.texts, *[text for text in axes.texts if not isinstance(text, Annotation)]]
        others += [axes.xaxis.label, axes.yaxis.label]
        others += axes.get_legend().get_texts() if axes.get_legend() else []
        boxes = [text.get_window_extent(renderer) for text in others if text.get_text().strip()]
        return names, boxes, axes.get_window_extent(renderer), figure.bbox, axes.transData.transform


def overlap(one, other):
    return one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1


def balls(count):
    found = [
        Ball(f"network_{i:02}", 10**8 * (1 + i * 37 % 101), 60 + i * 53 % 23, 10**6 * (1 + i * 17 % 90))
        for i in range(count)
    ]
    notes = ("quoted from a source with a long name, " * 6, "not drawn: " + "a_network_without_one, " * 20)
    return Balls("many", Axis("MACs", log=True), Axis("top-1", "%"), Axis("params"), tuple(found), notes)


def layers(count):
    found = [
        TimedLayer(f"stage{i}.conv", kind, 10**6 * (1 + i * 37 % 101), 10**5 * (1 + i % 7), 1e-4 * (1 + i * 11 % 13))
        for i, kind in zip(range(count), ("conv", "depthwise", "linear") * count)
    ]
    return Roofline("net on a device", 5e11, 2e10, tuple(found), TimedLayer("net", "", 10**9, 10**8, 0.05), ("a note",))


def bands(many=6):
    order = range(60)
    found = (Bar("weights", tuple([5] * 60)), Bar("activations kept", tuple(min(i, 60 - i) for i in order)))
    parts = (Stretch("forward", 0, 30), Stretch("loss", 30, 31), Stretch("backward", 31, 60))
    each = 60 // many
    blocks = tuple(Stretch(f"block{i}", each * i, each * i + each) for i in range(many))
    axes = Axis("layers in order"), Axis("held at once", "bytes")
    return Bands(
        "memory", *axes, found, parts, blocks, Mark(30, 35, "35 B\nforward of a.layer.with.a.name"), ("a note",)
    )


def published():
    points = tuple(Mark(10.0 * 2**i, 5 + i, f"b{i}") for i in range(8))
    quoted = tuple(Mark(10.1 * 2**i, 5 + i) for i in range(8))
    return Scatter("presets", Axis("MACs", log=True), Axis("r"), (Group("a", points), Group("b", quoted, "rings")))


def front():
    points = tuple(Mark(10.0 * 2**i, 5 + i) for i in range(8))
    presets = tuple(Mark(11.0 * 2**i, 5 + i, f"preset{i}") for i in range(8))
    groups = Group("the grid", points, "dots"), Group("front", points, "steps"), Group("presets", presets)
    return Scatter("front", Axis("MACs", log=True), Axis("r"), groups)


@pytest.mark.parametrize(
    "chart", [balls(4), balls(27), layers(60), bands(), bands(30), front(), published()],
    ids=["4 balls", "27", "roofline", "memory", "upright", "front", "presets"],
)  # fmt: skip
def test_what_is_drawn_does_not_overlap_and_stays_inside(chart):
    names, others, frame, page, _ = drawn_texts(chart)
    assert names
    for one, other in combinations([*names, *others], 2):
        assert not overlap(one, other)
    for box in [*names, *others]:
        assert page.x0 + EDGE <= box.x0
        assert box.x1 <= page.x1 - EDGE
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1 - EDGE
    if not isinstance(chart, Bands):  # whose names of places stand around the axes
        assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in names)
        assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in names)


@pytest.mark.parametrize(("many", "upright"), [(6, False), (30, True), (60, False)])
def test_names_of_narrow_places_stand_upright(many, upright):
    names, *_ = drawn_texts(bands(many))
    turned = [box for box in names if box.height > 2 * box.width]
    assert len(turned) == (many if upright else 0)  # of 60 no name has room, even so


def test_no_name_lies_on_the_ring_of_a_published_figure():
    from costcalc.chart.draw import LOOKS

    names, _, _, _, to_pixels = drawn_texts(published())
    to_corner = LOOKS["rings"]["markersize"] / 2 * 2**0.5 * 100 / 72  # pixels of a diamond
    rings = [Disc(*to_pixels((mark.x, mark.y)), to_corner) for mark in published().groups[1].points]
    assert len(names) == len(rings)
    for box, ring in product(names, rings):
        assert not touches(NameBox(box.x0, box.y0, box.x1, box.y1), ring)


@pytest.mark.parametrize("count", [1, 4, 27])
def test_no_name_lies_on_a_ball(count):
    from costcalc.chart.draw_balls import LARGEST_OF_MANY, LARGEST_RADIUS, MANY_BALLS, radius_of

    chart = balls(count)
    names, _, _, _, to_pixels = drawn_texts(chart)
    most = max(ball.size for ball in chart.balls)
    largest = LARGEST_RADIUS if count <= MANY_BALLS else LARGEST_OF_MANY
    assert len(names) == count
    for ball in chart.balls:
        disc = Disc(*to_pixels((ball.x, ball.y)), radius_of(ball, most, largest) * 100 / 72)
        assert not any(touches(NameBox(box.x0, box.y0, box.x1, box.y1), disc) for box in names)


def test_areas_are_as_sizes():
    from costcalc.chart.draw_balls import radius_of, round_size

    assert radius_of(Ball("a", 1, 1, 50), 200, 24) ** 2 * 4 == pytest.approx(24**2)
    assert [round_size(most) for most in (40, 138e6, 25.6e6, 4.0e6)] == [10, 20e6, 5e6, 1e6]
