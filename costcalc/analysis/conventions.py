"""What a figure counts: a metric, or a sum of metrics with whole factors, `flops+2*bn_elements`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from costcalc.analysis.cost import Cost
from costcalc.analysis.metric_names import metric_of, why_not_whole
from costcalc.analysis.metrics import METRICS
from costcalc.errors import UsageError, shorten

TERM = re.compile(r"(?:([1-9][0-9]{0,2})\*)?(\w+)")
MAX_TERMS = 8


@dataclass(frozen=True)
class Convention:
    """Terms that are added up, each a whole factor and the name of a metric."""

    terms: tuple[tuple[int, str], ...]

    @property
    def text(self) -> str:
        """As a spec has it: `flops+2*bn_elements`."""
        return "+".join(f"{factor}*{name}" if factor > 1 else name for factor, name in self.terms)

    @property
    def words(self) -> str:
        """`2·MACs + 2·batch-norm elements`."""
        return " + ".join(_words(factor, name) for factor, name in self.terms)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it adds up."""
        return tuple(name for _, name in self.terms)

    def of(self, values: Callable[[str], int]) -> int:
        """The sum, from a function that returns the value of a metric."""
        return sum(factor * int(values(name)) for factor, name in self.terms)

    def total(self, cost: Cost) -> int:
        """The sum of a network."""
        return self.of(cost.total)


def _words(factor: int, name: str) -> str:
    if name == "flops":
        factor, name = 2 * factor, "macs"
    return f"{factor}·{METRICS[name].title}" if factor > 1 else METRICS[name].title


def read_convention(text: str) -> Convention:
    """Reads `macs`, `macs+bias_additions` or `flops+2*bn_elements`.

    Raises UnknownName for a metric that does not exist, UsageError for one that is not a whole number, that is there
    twice, or a text that is no sum.
    """
    terms: list[tuple[int, str]] = []
    for part in text.split("+"):
        found = TERM.fullmatch(part.strip())
        if found is None:
            hint = "add metrics, with a whole factor if need be: flops+2*bn_elements"
            raise UsageError(f"{shorten(text)!r} is not a sum of metrics", hint)
        name = found[2]
        metric_of(name, unless=why_not_whole)
        if name in [other for _, other in terms]:
            raise UsageError(f"metric {name} is there twice; give it one factor")
        terms.append((int(found[1] or 1), name))
    if len(terms) > MAX_TERMS:
        raise UsageError(f"a figure is a sum of at most {MAX_TERMS} metrics, got {len(terms)}")
    return Convention(tuple(terms))
