"""A tall drawing in columns: cut between rows where one wire goes down, which goes on at the top of the next column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from costcalc.drawing.drawing import Point
from costcalc.drawing.frame_layout import FrameLayout, Hop, Link

GUTTER = 44.0  # px between columns, in which a wire goes up
LEAD = 14.0  # px that it goes down and up beyond the columns
MAX_HEIGHT_TO_WIDTH = 1.3  # times its width, of a drawing
MAX_COLUMNS = 12  # columns
CLEARLY_LARGER = 1.25  # times: a drawing that is cut is harder to follow
MAX_HEIGHT_OF_ONE = 800.0  # px: a drawing that is no taller has one column


@dataclass(frozen=True)
class Columns:
    """The first row of each column, how each is moved, and the x of the gutter behind it."""

    begins: Sequence[int] = (0,)
    shifts: Sequence[Point] = ((0.0, 0.0),)
    gutters: Sequence[float] = ()
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
        low = whole.bottoms[hop.row] + dy + LEAD + (whole.stems[hop.row] - LEAD)
        top = whole.tops[hop.row + 1] + ey
        up = self.gutters[column]
        return [
            (begin, whole.leaving_y(link, hop) + dy), (begin, low), (up, low), (up, top - LEAD), (end, top - LEAD),
            (end, top),
        ]  # fmt: skip


ONE_COLUMN = Columns()


@dataclass
class _Column:
    first: int
    last: int
    left: float = field(default=0.0)
    right: float = field(default=0.0)
    top: float = field(default=0.0)
    bottom: float = field(default=0.0)


def in_columns(whole: FrameLayout, most_width: float | None = None, sheet: Point | None = None) -> Columns:
    """The columns of a drawing: as few as make it no taller than 1.3 times its width, if it can be cut there and is not
    wider than `most_width` then. For a `sheet`, a width and a height, those in which it is shown largest there."""
    places = _where_one_wire_goes_down(whole)
    if not places:
        return ONE_COLUMN
    if sheet is not None:
        return _largest_on(whole, places, sheet)
    best, best_ratio = ONE_COLUMN, whole.height / max(whole.width, 1.0)
    if best_ratio <= MAX_HEIGHT_TO_WIDTH or whole.height <= MAX_HEIGHT_OF_ONE:
        return best
    for many in range(2, MAX_COLUMNS + 1):
        columns = _even(whole, places, many)
        made = _arranged(whole, columns)
        width, height = made.size(whole)
        if most_width is not None and width > most_width:
            break
        ratio = height / width
        if len(columns) > 1 and ratio < best_ratio:
            best, best_ratio = made, ratio
        if best_ratio <= MAX_HEIGHT_TO_WIDTH:
            break
    return best


def _largest_on(whole: FrameLayout, places: Sequence[int], sheet: Point) -> Columns:
    """The columns in which a drawing is shown largest on a sheet; more of them only if it is clearly larger then."""
    best = ONE_COLUMN
    for many in range(2, MAX_COLUMNS + 1):
        made = _arranged(whole, _even(whole, places, many))
        if _scale(made.size(whole), sheet) > CLEARLY_LARGER * _scale(best.size(whole), sheet):
            best = made
    return best


def _scale(size: Point, sheet: Point) -> float:
    """How large a drawing of this size is shown on a sheet."""
    return min(sheet[0] / max(size[0], 1.0), sheet[1] / max(size[1], 1.0))


def _even(whole: FrameLayout, places: Sequence[int], many: int) -> list[_Column]:
    """At most so many columns, of which the highest is as low as can be, to 2 %."""
    height = whole.height / many
    while len(columns := _cut(whole, places, height)) > many:
        height *= 1.02
    return columns


def _where_one_wire_goes_down(whole: FrameLayout) -> list[int]:
    """The rows above which the drawing may be cut."""
    crossing: dict[int, set[tuple[str, float]]] = {}
    for link, hops in whole.hops.items():
        for hop in hops:
            crossing.setdefault(hop.row, set()).add((link.source, hop.begin))
    return [row + 1 for row in range(len(whole.rows.rows) - 1) if len(crossing.get(row, ())) == 1]


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


def _arranged(whole: FrameLayout, columns: list[_Column]) -> Columns:
    """The columns side by side, their upper edges in line."""
    shifts: list[Point] = []
    gutters: list[float] = []
    at, lowest = 0.0, 0.0
    for number, column in enumerate(columns):
        nodes = [node for row in whole.rows.rows[column.first : column.last + 1] for node in row]
        left = min(whole.x[node] - whole.extents[node].left for node in nodes) - whole.left
        right = max(whole.x[node] + whole.extents[node].right for node in nodes) - whole.left
        lead = LEAD if len(columns) > 1 else 0.0
        shifts.append((at - left, lead - whole.tops[column.first]))
        at += right - left
        is_last = number == len(columns) - 1
        below = 0.0 if is_last else whole.stems[column.last]
        lowest = max(lowest, whole.bottoms[column.last] - whole.tops[column.first] + lead + below)
        if not is_last:
            gutters.append(at + GUTTER / 2)
            at += GUTTER
    bounds = round(at, 1), round(lowest, 1)
    return Columns([column.first for column in columns], shifts, gutters, bounds)
