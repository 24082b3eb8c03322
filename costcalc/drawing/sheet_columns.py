"""A tall drawing in columns: cut between rows where one wire goes down, or few that do not cross, and go on
at the top of the next column."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from costcalc.drawing.drawing import Point
from costcalc.drawing.even_parts import even_parts
from costcalc.drawing.frame_layout import FrameLayout
from costcalc.drawing.frame_wires import Hop, Link
from costcalc.drawing.wiring import TRACK

GUTTER = 44.0  # px between columns, in which a wire goes up
LEAD = 14.0  # px that it goes down and up beyond the columns
MAX_HEIGHT_TO_WIDTH = 1.3  # times its width, of a drawing
MAX_COLUMNS = 12  # columns
MIN_GAIN_PER_COLUMN = 1.25  # times as large on a sheet: a drawing that is cut is harder to follow
MAX_HEIGHT_OF_ONE = 800.0  # px: a drawing that is no taller has one column
MAX_WIRES = 3  # that go around together
LEAST_HEIGHT = 0.2  # of the highest column, of one that another one follows
MAX_HEIGHT_AFTER_CUT = 0.85  # times its height before, of a drawing that gets more columns


@dataclass(frozen=True)
class Columns:
    """The first row of each column, how each is moved, and the x of the gutter behind it."""

    begins: Sequence[int] = (0,)
    shifts: Sequence[Point] = ((0.0, 0.0),)
    gutters: Sequence[float] = ()
    orders: Mapping[int, Sequence[str]] = field(default_factory=dict)  # from left to right, above a row
    bounds: Point | None = None  # width and height of all

    def of_row(self, row: int) -> int:
        """The number of the column that a row is in."""
        return max(at for at, first in enumerate(self.begins) if first <= row)

    def shift(self, row: int) -> Point:
        """How a row is moved."""
        return self.shifts[self.of_row(row)]

    def size(self, whole: FrameLayout) -> Point:
        """Width and height of the drawing."""
        return self.bounds or (whole.width, whole.height)

    def points(self, whole: FrameLayout, link: Link) -> list[Point]:
        """The way of a wire of the outermost frame, through its columns."""
        found: list[Point] = []
        for hop in whole.hops[link]:
            column = self.of_row(hop.row)
            dx, dy = self.shifts[column]
            points = whole.hop_points(link, hop)
            if hop.row + 1 in self.begins:
                found += self._around(whole, link, hop, column)
            else:
                found += [(x + dx, y + dy) for x, y in points]
        return found

    def _around(self, whole: FrameLayout, link: Link, hop: Hop, column: int) -> list[Point]:
        """Below the column, up in the gutter, and over the next one."""
        (dx, dy), (ex, ey) = self.shifts[column], self.shifts[column + 1]
        begin, end = hop.begin - whole.left + dx, hop.end - whole.left + ex
        order = self.orders[hop.row + 1]
        inner, outer = order.index(link.source), len(order) - 1 - order.index(link.source)
        low = whole.bottoms[hop.row] + dy + whole.stems[hop.row] + TRACK * outer
        top = whole.tops[hop.row + 1] + ey
        up, over = self.gutters[column] + TRACK * (outer - inner) / 2, top - LEAD - TRACK * inner
        return [
            (begin, whole.leaving_y(link, hop) + dy), (begin, low), (up, low), (up, over), (end, over), (end, top),
        ]  # fmt: skip


ONE_COLUMN = Columns()


class _Column(NamedTuple):
    """Its first and its last row."""

    first: int
    last: int


def is_too_tall(width: float, height: float) -> bool:
    """Is a drawing of this size better in more columns?"""
    return height > max(MAX_HEIGHT_OF_ONE, MAX_HEIGHT_TO_WIDTH * width)


def in_columns(
    whole: FrameLayout, most_width: float | None = None, required_cuts: Set[int] = frozenset(),
    sheet: Point | None = None,
) -> Columns:  # fmt: skip
    """The columns of a drawing: as few as make it no taller than 1.3 times its width, if it can be cut there and is not
    wider than `most_width` then. It is cut above each row of `required_cuts`, or not at all. For a `sheet`, a width and
    a height, they are those in which it is shown largest there."""
    best, orders = ONE_COLUMN, _where_wires_go_down(whole)
    if sheet is not None:
        return _largest_on(whole, _with_few(orders, 1), sheet)
    if not is_too_tall(whole.width, whole.height):
        return best
    for most_wires in (1, MAX_WIRES):
        if _ratio(best, whole) > MAX_HEIGHT_TO_WIDTH:
            best = _best(whole, _with_few(orders, most_wires), best, most_width, required_cuts)
    return best


def _with_few(orders: Mapping[int, Sequence[str]], most: int) -> dict[int, Sequence[str]]:
    """The rows with so many wires above them at most."""
    return {row: order for row, order in orders.items() if len(order) <= most}


def _best(
    whole: FrameLayout, orders: Mapping[int, Sequence[str]], best: Columns, most_width: float | None,
    required_cuts: Set[int],
) -> Columns:  # fmt: skip
    """The fewest columns that are no taller than wanted, or the lowest."""
    for many in range(2, MAX_COLUMNS + 1) if orders else ():
        columns = _even(whole, [*orders], many)
        made = _arranged(whole, columns, orders)
        width, height = made.size(whole)
        if most_width is not None and width > most_width:
            break
        is_worth_it = height <= MAX_HEIGHT_AFTER_CUT * best.size(whole)[1] and not _has_low_one(whole, columns)
        is_worth_it = is_worth_it and required_cuts <= {*made.begins}
        if len(columns) > 1 and is_worth_it and _ratio(made, whole) < _ratio(best, whole):
            best = made
        if _ratio(best, whole) <= MAX_HEIGHT_TO_WIDTH:
            break
    return best


def _ratio(columns: Columns, whole: FrameLayout) -> float:
    width, height = columns.size(whole)
    return height / max(width, 1.0)


def _has_low_one(whole: FrameLayout, columns: Sequence[_Column]) -> bool:
    """Has a column that another one follows next to nothing in it?"""
    heights = [whole.bottoms[column.last] - whole.tops[column.first] for column in columns]
    return min(heights[:-1], default=0.0) < LEAST_HEIGHT * max(heights)


def _largest_on(whole: FrameLayout, orders: Mapping[int, Sequence[str]], sheet: Point) -> Columns:
    """The columns in which a drawing is shown largest on a sheet; more of them only if it is clearly larger then."""
    best = ONE_COLUMN
    for many in range(2, MAX_COLUMNS + 1) if orders else ():
        made = _arranged(whole, _even(whole, [*orders], many), orders)
        if _scale(made.size(whole), sheet) > MIN_GAIN_PER_COLUMN * _scale(best.size(whole), sheet):
            best = made
    return best


def _scale(size: Point, sheet: Point) -> float:
    """How large a drawing of this size is shown on a sheet."""
    return min(sheet[0] / max(size[0], 1.0), sheet[1] / max(size[1], 1.0))


def _even(whole: FrameLayout, places: Sequence[int], many: int) -> Sequence[_Column]:
    """At most so many columns, of which the highest is as low as can be, to 2 %."""
    return even_parts(partial(_cut, whole, places), whole.height / many, many)


def _where_wires_go_down(whole: FrameLayout) -> dict[int, list[str]]:
    """The rows above which the drawing may be cut: the sources of the wires there, from left to right."""
    crossing: dict[int, dict[str, list[Hop]]] = {}
    for link, hops in whole.hops.items():
        for hop in hops:
            crossing.setdefault(hop.row + 1, {}).setdefault(link.source, []).append(hop)
    orders = {row: sorted(those, key=lambda source: those[source][0].begin) for row, those in crossing.items()}
    return {
        row: orders[row] for row in sorted(orders)
        if len(orders[row]) <= MAX_WIRES and _go_side_by_side([crossing[row][source] for source in orders[row]])
    }  # fmt: skip


def where_one_wire_goes_down(frame: FrameLayout) -> list[int]:
    """The rows above which there is one wire."""
    return [*_with_few(_where_wires_go_down(frame), 1)]


def _go_side_by_side(sources: Sequence[Sequence[Hop]]) -> bool:
    """Does each source, from left to right, begin at one place, and end left of all ends of the next one?"""
    begin_at_one = all(len({hop.begin for hop in hops}) == 1 for hops in sources)
    return begin_at_one and all(
        one[0].begin < two[0].begin and max(hop.end for hop in one) < min(hop.end for hop in two)
        for one, two in itertools.pairwise(sources)
    )


def _cut(whole: FrameLayout, places: Sequence[int], height: float) -> list[_Column]:
    """Columns of about this height: each is cut at the last place above it, or else at the first below."""
    columns, first = [], 0
    rows = len(whole.rows.rows)
    while first < rows:
        low = whole.tops[first] + height
        fitting = [row for row in places if row > first and whole.bottoms[row - 1] <= low]
        later = [row for row in places if row > first]
        ends = fitting[-1] if fitting else later[0] if later else rows
        if whole.bottoms[-1] <= low:
            ends = rows
        columns.append(_Column(first, ends - 1))
        first = ends
    return columns


def _arranged(
    whole: FrameLayout, columns: Sequence[_Column], orders: Mapping[int, Sequence[str]]
) -> Columns:  # fmt: skip
    """The columns side by side, their upper edges in line."""
    begins = [column.first for column in columns]
    more = TRACK * max([len(orders[row]) - 1 for row in begins[1:]], default=0)
    shifts: list[Point] = []
    gutters: list[float] = []
    at, lowest = 0.0, 0.0
    for number, column in enumerate(columns):
        nodes = [node for row in whole.rows.rows[column.first : column.last + 1] for node in row]
        left = min(whole.x[node] - whole.extents[node].left for node in nodes) - whole.left
        right = max(whole.x[node] + whole.extents[node].right for node in nodes) - whole.left
        lead = LEAD + more if len(columns) > 1 else 0.0
        shifts.append((at - left, lead - whole.tops[column.first]))
        at += right - left
        is_last = number == len(columns) - 1
        below = 0.0 if is_last else whole.stems[column.last] + more
        lowest = max(lowest, whole.bottoms[column.last] - whole.tops[column.first] + lead + below)
        if not is_last:
            gutters.append(at + GUTTER / 2)
            at += GUTTER
    bounds = round(at, 1), round(lowest, 1)
    return Columns(begins, shifts, gutters, orders, bounds)
