"""Draws amounts of several kinds over an order of steps, one on the other, and marks the highest step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from costcalc.chart.axes import FONT_SIZE, INK, POINTS_PER_INCH, figure, renderer_of, text_width, write_notes
from costcalc.chart.chart_data import Axis, BandsData, Stretch, short_number
from costcalc.errors import shorten
from costcalc.table import visible

FILLS = {  # by the place in the order of kinds: neighbours differ in lightness, and no two in neither shade nor hatch
    "weights": ("#4d4d4d", ""), "buffers": ("#d9d9d9", ""), "gradients": ("#6a4c93", ""),
    "optimizer": ("#e4d5f2", "////"), "inputs and targets": ("#5f6b3a", ""), "activations kept": ("#9cc3ea", ""),
    "activations": ("#9cc3ea", ""), "temporary": ("#b5431c", ""),
}  # fmt: skip
OTHERS = (("#7fa8d8", ""), ("#ffffff", "...."), ("#444444", "xxxx"))
MAX_STEPS = 3_000  # drawn; of more of them the highest of each few
HEADROOM = 1.2  # of the highest step, for its name
HEIGHT = 4.8  # inches, without notes
PLACE_FONT_SIZE = 7  # of the names of places, in points of type
MARGIN = 3  # pixels beside a name
LABEL_PAD = 16  # points of type between the axes and what stands below them, for the names of places
MIN_UPRIGHT_WIDTH = 11  # pixels of a place whose name stands upright
MIN_SHARE_NAMED = 0.67  # of the order, where names lie: else they stand upright
MAX_PLACE_LETTERS = 18  # of the name of a place
MAX_LETTERS = 60  # of the name of the highest step


def draw_bands(chart: BandsData) -> Any:
    drawing, ((axes,),) = figure(chart, height=HEIGHT)
    bands = [bar for bar in chart.bands if any(bar.values)]
    steps = drawn_steps([sum(values) for values in zip(*(bar.values for bar in bands))])
    edges = [*steps, len(chart.bands[0].values)]
    below = [0.0] * len(edges)
    for i, bar in enumerate(bands):
        tops = [b + float(bar.values[step]) for b, step in zip(below, steps)]
        tops.append(tops[-1])
        _draw_band(axes, bar.label, edges, [*zip(below, tops)], FILLS.get(bar.label, OTHERS[i % len(OTHERS)]))
        below = tops
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(0, HEADROOM * float(chart.highest.y) or 1)
    _label(axes, chart.x, chart.y)
    axes.set_title(" ", fontsize=FONT_SIZE)  # makes room for the names of parts
    _legend(axes)
    axes.figure.draw_without_rendering()  # names are placed by what is measured here
    is_upright = _are_upright(axes, chart.places)
    if is_upright:
        _make_room_below(axes, chart.places)
    write_notes(drawing, chart.notes)
    _freeze(axes)
    _name_stretches(axes, chart, is_upright)
    _mark_highest(axes, chart)
    return drawing


def _draw_band(
    axes: Any, label: str, edges: Sequence[int], ends: Sequence[tuple[float, float]], look: tuple[str, str]
) -> None:
    """Fills a band between its ends, from each step at which one of them moves."""
    turns = [i for i in range(len(edges)) if i in (0, len(edges) - 1) or ends[i] != ends[i - 1]]
    below, tops = zip(*(ends[i] for i in turns))
    axes.fill_between(
        [edges[i] for i in turns], below, tops, step="post", facecolor=look[0], hatch=look[1], edgecolor="white",
        linewidth=0.3, label=visible(label),
    )  # fmt: skip


def drawn_steps(totals: Sequence[Any]) -> list[int]:
    """The steps that are drawn: all, or of each few the highest."""
    few = -(-len(totals) // MAX_STEPS)
    starts = range(0, len(totals), few)
    return [max(range(i, min(i + few, len(totals))), key=totals.__getitem__) for i in starts]


def _label(axes: Any, x: Axis, y: Axis) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.set_xlabel(visible(x.label), labelpad=LABEL_PAD)
    axes.set_xticks([])
    axes.set_ylabel(visible(y.label))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: short_number(number)))


def _legend(axes: Any) -> None:
    """The kinds at the right, in the order in which they lie on each other."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=FONT_SIZE,
        handlelength=1.2,
    )  # fmt: skip


def _freeze(axes: Any) -> None:
    axes.figure.draw_without_rendering()
    axes.figure.set_layout_engine("none")  # names are placed by what is measured here


def _are_upright(axes: Any, places: Sequence[Stretch]) -> bool:
    """Do the names of places stand upright, as those that have room lying are of too little of the order?"""
    renderer = renderer_of(axes.figure)
    rooms = [(_name_width(renderer, place) + MARGIN, _room(axes, place)) for place in places]
    named = sum([room for needed, room in rooms if needed <= room])
    return named < MIN_SHARE_NAMED * sum([room for _, room in rooms])


def _make_room_below(axes: Any, places: Sequence[Stretch]) -> None:
    """Makes the picture higher by what upright names of places need."""
    renderer = renderer_of(axes.figure)
    widths = [_name_width(renderer, place) for place in places if _room(axes, place) >= MIN_UPRIGHT_WIDTH]
    more = max(max(widths, default=0.0) * POINTS_PER_INCH / axes.figure.dpi - PLACE_FONT_SIZE, 0)
    axes.xaxis.labelpad = LABEL_PAD + more
    axes.figure.set_figheight(axes.figure.get_figheight() + more / POINTS_PER_INCH)


def _room(axes: Any, stretch: Stretch) -> float:
    """The width of a stretch in pixels."""
    start, end = (axes.transData.transform((x, 0))[0] for x in (stretch.start, stretch.end))
    return float(end - start)


def _short(place: Stretch) -> str:
    return shorten(visible(place.name), MAX_PLACE_LETTERS)


def _name_width(renderer: Any, place: Stretch) -> float:
    """The width of the name of a place in pixels."""
    return text_width(renderer, _short(place), PLACE_FONT_SIZE)


def _name_stretches(axes: Any, chart: BandsData, is_upright: bool) -> None:
    """Lines where a part of the order ends, with its name above; the names of places below, where there is room."""
    renderer, along = renderer_of(axes.figure), axes.get_xaxis_transform()
    tick = {"transform": along, "color": "0.35", "linewidth": 0.6, "clip_on": False}
    for part in chart.parts:
        if part.start:
            axes.axvline(part.start, color="0.35", linewidth=0.7, linestyle=(0, (4, 3)), zorder=4)
        if text_width(renderer, visible(part.name), FONT_SIZE) + MARGIN <= _room(axes, part):
            _name(axes, part, visible(part.name), 1, {"va": "bottom", "fontsize": FONT_SIZE})
    for place in chart.places:
        if place.start:
            axes.plot([place.start] * 2, [0, -0.015], **tick)
        needed = MIN_UPRIGHT_WIDTH if is_upright else _name_width(renderer, place) + MARGIN
        if needed <= _room(axes, place):
            look = {"va": "top", "fontsize": PLACE_FONT_SIZE, "rotation": 90 if is_upright else 0}
            _name(axes, place, _short(place), 0, look)


def _name(axes: Any, stretch: Stretch, name: str, y: float, look: Mapping[str, Any]) -> None:
    """Writes a name in the middle of a stretch, above the axes or below."""
    axes.annotate(
        name, ((stretch.start + stretch.end) / 2, y), (0, 4 if y else -5), xycoords=axes.get_xaxis_transform(),
        textcoords="offset points", ha="center", color="0.25", annotation_clip=False, **look,
    )  # fmt: skip


def _mark_highest(axes: Any, chart: BandsData) -> None:
    """A mark on the highest step, and its name above it, inside the axes."""
    x, y = float(chart.highest.x) + 0.5, float(chart.highest.y)
    axes.plot([x], [y], marker="v", markersize=6, color=INK, markeredgecolor="white", zorder=6, clip_on=False)
    lines = [shorten(visible(line), MAX_LETTERS) for line in chart.highest.name.split("\n")]
    renderer = renderer_of(axes.figure)
    left, right = (axes.transAxes.transform((end, 0))[0] for end in (0, 1))
    at, half = axes.transData.transform((x, 0))[0], max(text_width(renderer, line) for line in lines) / 2 + MARGIN
    shift = (min(max(at, left + half), right - half) - at) * POINTS_PER_INCH / axes.figure.dpi
    axes.annotate(
        "\n".join(lines), (x, y), (shift, 7), textcoords="offset points", ha="center", va="bottom", fontsize=FONT_SIZE,
        zorder=6, annotation_clip=False, bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
    )  # fmt: skip
