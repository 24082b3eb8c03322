"""Pictures of one network or several: a metric by the size of the maps that layers make.

bar_chart([costcalc.cost("resnet50")]).save("sizes.svg")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from costcalc.analysis.align import FLAT, by_size
from costcalc.analysis.breakdown import largest_first
from costcalc.analysis.metric_names import metric_of
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.sweep.sweep_chart import metric_axis
from costcalc.chart import Axis, Bar, Bars
from costcalc.errors import UsageError

if TYPE_CHECKING:
    from costcalc.analysis.cost import Cost

MAX_NETWORKS_IN_BARS = 8  # as many shades and hatches can be told apart
MAX_BARS = 120  # in one picture
SIZE_AXIS = Axis("maps that layers make", "height × width")


def check_bar_chart(networks: int, metric: str) -> None:
    """Raises the errors of `bar_chart` that are known before anything is counted."""
    if not metric_of(metric).is_sum:
        raise UsageError(f"{metric} is not the sum of its layers, so sizes of maps have no shares in it; try macs")
    if networks > MAX_NETWORKS_IN_BARS:
        most = f"{MAX_NETWORKS_IN_BARS} networks at most, not {networks}"
        raise UsageError(f"bars by the size of maps show {most}; --y top1 draws a ball for each network")


def bar_chart(costs: Sequence[Cost], metric: str = "macs") -> Bars:
    """A metric by the size of the maps that layers make, the largest first: what each network does on images of each
    size. Raises UsageError for a metric that is no sum, and for too many networks or sizes."""
    check_bar_chart(len(costs), metric)
    found = [{part.name: part.cost for part in by_size(cost, metric)} for cost in costs]
    sizes = sorted(set().union(*found) - {FLAT}, key=largest_first)
    sizes += [FLAT] * any(FLAT in each for each in found)
    if not sizes:
        raise UsageError(
            f"nothing to draw: {METRICS[metric].title} of {', '.join(cost.target for cost in costs)} are 0"
        )
    if len(sizes) * len(costs) > MAX_BARS:
        raise UsageError(f"a picture shows {MAX_BARS} bars at most, not {len(sizes) * len(costs)}: name fewer networks")
    bars = [Bar(cost.target, tuple(each.get(size) for size in sizes)) for cost, each in zip(costs, found)]
    names = tuple(map(_squared, sizes))
    title = f"{METRICS[metric].title} by the size of maps: {', '.join(cost.target for cost in costs)}"
    totals = f"in all: {', '.join(f'{cost.target} {cost.total(metric):,}' for cost in costs)}"
    return Bars(title, SIZE_AXIS, metric_axis(metric), names, tuple(bars), (totals,))


def _squared(size: str) -> str:
    """`56²` for `56×56`."""
    first, _, second = size.partition("×")
    return f"{first}²" if first == second else size
