"""What a metric is: its title and unit, its parts, and its value for several layers together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.analysis.memory import Layer
from costcalc.analysis.training.step_metrics import StepMetric
from costcalc.analysis.walk import Row
from costcalc.dims import Size
from costcalc.dtype import Dtype

SUM, LARGEST, LEAVING = "sum", "largest", "leaving"  # of several layers; LEAVING: the sum of those read outside


class Part(NamedTuple):
    """A summand of a metric for one copy of a layer: costs of its row by name, or a function that gives sizes of it.

    `scale` is what one of them counts for: a number, or the bytes of an element of the `weights` or `activations`.
    """

    costs: tuple[str, ...] | Callable[[Row], Iterable[Size]]
    scale: int | str = 1

    def sizes(self, row: Row) -> Iterable[Size]:
        """The sizes of a row that are added up."""
        return self.costs(row) if callable(self.costs) else [row.costs[name] for name in self.costs]


class PathMetric(NamedTuple):
    """A number of the paths from the input of a network to a layer: a function of all layers with repeats written out.
    The value of a network is made `together` of those of its outputs. The value of a block may be made of another
    metric, of the layers that leave the block and of those that enter it: its name, and the function `between` these.
    """

    layers: Callable[[Sequence[Layer]], Iterator[Any]]
    together: Callable[[Iterable[Any]], Any]
    kind: str = "int"
    between: tuple[str, Callable[[Iterable[Any], Iterable[Any]], Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number of a layer, a block and a network: a sum of `parts`, or a function of all `layers` with repeats written
    out, or of those of a training `step`, or a quotient of two metrics (`of`), or measured."""

    title: str
    counts: str  # a note below tables
    brief: str = ""  # the same in a few words, where that is long
    unit: str = ""
    parts: tuple[Part, ...] = ()
    layers: Callable[[Sequence[Layer]], Iterator[Size]] | None = None
    step: StepMetric | None = None
    path: PathMetric | None = None
    scale: int | str = 1  # of `layers`, as in a Part
    together: str = SUM
    of: tuple[str, str] | None = None
    measured: bool = False
    usual: bool = False  # shown unless others are asked for
    no_formula: str = ""  # the reason, if it has no closed form

    @property
    def kind(self) -> str:
        """The kind of its table column."""
        if self.path:
            return self.path.kind
        return "measured" if self.of or self.measured else "int"

    @property
    def is_sum(self) -> bool:
        """Do the values of layers add up to that of the network?"""
        return self.is_counted and self.together == SUM and not self.of

    @property
    def is_counted(self) -> bool:
        """Is it a number of the layers, of which sums, formulas and columns are made?"""
        return not self.measured and self.path is None

    def of_row(self, dtype: Dtype) -> Callable[[Row], Size]:
        """For a metric of parts: a function that returns the value of a row, of all its copies if it is a sum."""
        parts = [(dtype.scale(part.scale), part.sizes) for part in self.parts]
        if not self.is_sum:
            return lambda row: sum(scale * size for scale, sizes in parts for size in sizes(row))
        match self.parts:
            case [Part(costs=[name], scale=1)]:  # most of those that are shown, of any number of layers
                return lambda row: row.times * row.costs[name]
        return lambda row: row.times * sum([scale * size for scale, sizes in parts for size in sizes(row)])
