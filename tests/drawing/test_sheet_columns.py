"""A tall drawing goes on in columns where few wires have to follow; a frame that is too tall for one, in the next."""

import itertools
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase

import pytest
from support.drawings import crossings, problems
from support.sketches import chain, middles, sketch

from costcalc.drawing import Drawing
from costcalc.drawing.even_parts import even_parts
from costcalc.drawing.sheet_layout import laid_out

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


def test_a_tall_drawing_goes_on_in_columns_as_far_as_a_width_allows():
    tall = sketch(chain(LONG))
    strip = laid_out(tall, columns=False)
    sheet = laid_out(tall)
    assert strip.height > 1200 > sheet.height and sheet.height < 1.3 * sheet.width
    narrow = laid_out(tall, width=500)
    assert strip.width < narrow.width <= 500
    for data in (strip, sheet, narrow):
        assert problems(data) == []
    phone = Drawing.of(laid_out(tall, width=90))
    assert 'width="90"' in phone.svg() and phone.width > 90  # shown smaller
    sizes = [*map(len, columns(sheet))]
    assert max(sizes) - min(sizes) <= 2


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


def test_each_part_of_a_frame_stands_right_of_the_one_before():
    keys = ascii_uppercase + ascii_lowercase
    data = laid_out(sketch(chain(keys), dict.fromkeys(keys[1:-1], ("tall",))))
    lefts = [frame.place.x for frame in data.frames]
    assert len(lefts) > 2 and lefts == sorted({*lefts})
    assert [frame.heading for frame in data.frames] == ["tall", *["tall (cont.)"] * (len(lefts) - 1)]
    assert "".join(columns(data)) == keys


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_even_parts_have_the_lowest_limit(most):
    lengths = [3, 1, 4, 1, 5, 9, 2, 6]

    def fill(limit):
        rows = [[]]
        for length in lengths:
            if sum(rows[-1]) + length > limit and rows[-1]:
                rows.append([])
            rows[-1].append(length)
        return rows

    parts = even_parts(fill, sum(lengths) / most, most)
    lowest = next(limit for limit in itertools.count(max(lengths)) if len(fill(limit)) <= most)
    assert [*itertools.chain(*parts)] == lengths and len(parts) <= most
    assert max(map(sum, parts)) <= 1.02 * lowest


@pytest.mark.parametrize("sheet", [(300, 200), (200, 300), (1000, 50)])
def test_on_a_sheet_a_drawing_has_the_columns_in_which_it_is_largest(sheet):
    def scale(data):
        return min(sheet[0] / data.width, sheet[1] / data.height)

    tall = sketch(chain("abcdefghijkl"))
    strip, data = laid_out(tall, columns=False), laid_out(tall, sheet=sheet)
    assert problems(data) == [] and scale(data) > 1.2 * scale(strip)
    short = sketch("ab")
    assert laid_out(short, sheet=(300, 200)) == laid_out(short)  # it would be hardly larger
