"""The numbers in the boxes of a picture: a metric of each, its share of the network, and its shade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from costcalc.analysis.cost import Cost
from costcalc.analysis.formula_text import formula_text
from costcalc.analysis.metric import LARGEST, LEAVING
from costcalc.analysis.metric_names import metric_of, why_of_layers
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.picture.box_units import Unit
from costcalc.dims import is_array, is_rational
from costcalc.drawing.text_widths import cut_between_words
from costcalc.errors import UsageError
from costcalc.table import bytes_text, cell, short_text, visible
from costcalc.table.cells import measured

LONGEST_FORMULA = 40  # characters
SECONDS = "seconds"


class BoxNumbers:
    """One metric of a network, box by box. With symbols the numbers are formulas, without shares and shades."""

    def __init__(self, cost: Cost, metric: str, seconds: Mapping[str, float] | None):
        self.about = metric_of(metric, unless=why_of_layers)
        self.cost, self.metric, self.seconds = cost, metric, seconds
        if metric == SECONDS and seconds is None:
            raise UsageError("seconds are measured: give those of each layer, as drawing(shade='seconds', seconds={…})")
        if metric == SECONDS and not (seconds or {}).keys() & {str(row.name) for row in cost.layers}:
            raise UsageError("the seconds are those of another network: no layer has one of their names")
        self.title = self.about.title
        if any(is_array(size) for row in cost.layers for size in row.output_shape):
            raise UsageError(f"{cost.target} has the sizes of several points; a drawing is of one network")
        self.total = self._value_of_all()
        self.values: dict[Unit, Any] = {}
        self.largest: Any = 0

    def _value_of_all(self) -> Any:
        if self.metric == SECONDS:
            return sum((self.seconds or {}).values())
        return self.cost.together(self.metric, self.cost.layers, self._outputs)

    @property
    def _outputs(self) -> Sequence[Any]:
        read = {str(source) for row in self.cost.layers for source in row.inputs}
        return [row for row in self.cost.layers if str(row.name) not in read]

    def measure(self, units: Sequence[Unit]) -> None:
        """Takes the value of each box."""
        self.values = {unit: self._value(unit) for unit in units}
        numbers = [value for value in self.values.values() if _is_number(value)]
        self.largest = max(numbers, default=0)

    def _value(self, unit: Unit) -> Any:
        rows = [self.cost.layers[at] for at in unit.rows]
        if self.metric == SECONDS:
            return sum(float((self.seconds or {}).get(str(row.name), 0.0)) for row in rows)
        return self.cost.together(self.metric, rows, rows[-1:])

    def share(self, unit: Unit) -> float | None:
        """The part of the network's value; None for a box that has nothing of it, and with symbols. For a metric of
        which the largest counts, as peak_bytes, that part."""
        value = self.values[unit]
        is_part = self.about.together != LEAVING and not self.about.of
        if not (is_part and _is_number(value) and _is_number(self.total) and value and self.total):
            return None
        return float(Fraction(value) / Fraction(self.total))

    def shade(self, unit: Unit) -> float:
        """The value in parts of the largest box."""
        value = self.values[unit]
        if not (_is_number(self.total) and _is_number(value) and self.largest):
            return 0.0
        return float(Fraction(value) / Fraction(self.largest))

    def line(self, unit: Unit) -> str:
        """`115.6 M MACs · 50.0 %`; empty for nothing."""
        value = self.values[unit]
        if value is None or (_is_number(value) and not value):
            return ""
        share = self.share(unit)
        return self._amount(value) + ("" if share is None else f" · {cell(share, 'share')}")

    def _amount(self, value: Any) -> str:
        if not _is_number(value):
            return cut_between_words(visible(formula_text(value)), LONGEST_FORMULA)
        if self.metric == SECONDS:
            return _milliseconds(value)
        if self.about.of:
            return f"{measured(value)} {self.title}"
        if self.about.unit == "bytes":
            return bytes_text(value)
        return f"{short_text(value)} {self.title}"

    @property
    def total_text(self) -> str:
        """`MACs: 231,211,008`, the value of the network in full."""
        if self.total is None:
            return ""
        if self.metric == SECONDS:
            return f"sum of the layers' seconds, each timed alone: {_milliseconds(self.total)}"
        kind = "measured" if self.about.of else "int"
        what = f"{self.title}: {cell(self.total, kind)}" if _is_number(self.total) else f"{self.title} as formulas"
        if self.about.unit == "bytes" and _is_number(self.total):
            what = f"{self.title}: {bytes_text(self.total)}"
        return what + (
            ", the largest of all layers" if self.about.together == LARGEST and _is_number(self.total) else ""
        )

    @property
    def about_shade(self) -> str:
        """`shade: saved bytes, what layers keep for the backward pass; weights apart`; empty for a metric that tables
        do not explain either, as MACs."""
        return f"shade: {self.title}, {self.about.brief}" if self.about.brief and self.largest else ""

    def exactly(self, unit: Unit) -> str:
        """The exact numbers, for a reader who points at a box."""
        rows = [self.cost.layers[at] for at in unit.rows]
        names = dict.fromkeys(("params", "macs", self.metric))
        names.pop(SECONDS, None)
        found = [(name, self.cost.together(name, rows, rows[-1:])) for name in names]
        kind = {True: "measured", False: "int"}
        numbers = [
            f"{cell(value, kind[bool(METRICS[name].of)]) if _is_number(value) else formula_text(value)} "
            f"{METRICS[name].title}"
            for name, value in found
        ]
        if self.metric == SECONDS:
            numbers.append(_milliseconds(self._value(unit)))
        return visible(f"{unit.name}: {', '.join(numbers)}")


def _is_number(value: Any) -> bool:
    return value is not None and (isinstance(value, float) or is_rational(value))


def _milliseconds(seconds: float) -> str:
    return f"{measured(seconds * 1000)} ms"
