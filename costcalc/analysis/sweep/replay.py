"""Sums of block after block: the rules are traced at the first, and what they did is done to the numbers of the others.

A trace is of one network, one set of metrics, and knobs over the same denominators and between the same ends, those of
the whole grid. It takes blocks that are no larger than its own and pass its guards. Where one does not, the rules turn
elsewhere, and are asked; so they are where a trace cannot be made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Self

from costcalc.analysis.metrics import USUAL
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.totals import Sums, sums_at
from costcalc.dims import Size, is_number
from costcalc.dims.bounds import Bounds
from costcalc.dims.column import Column
from costcalc.dims.program import GuardFailed, Program
from costcalc.dims.tape import NotTraceable, Tape
from costcalc.models import Model
from costcalc.ops import OPS

NETWORKS = 16  # with metrics and ends of knobs, of which traces are kept
TRACES = 16  # of each: ways through its rules
RULES = ("needs", "shape", "weights", "macs", "elementwise", "output")

Knobs = Mapping[str, Column]
Rules = Callable[[Knobs], Sums]


class Over(NamedTuple):
    """A column without its numbers."""

    den: int
    bounds: Bounds


@dataclass(frozen=True)
class Trace:
    """What rules did to knobs of some shape, and the sums that came of it, with its results still to be put in."""

    shape: tuple[int, ...]
    program: Program
    sums: Sums

    @classmethod
    def of(cls, rules: Rules, knobs: Knobs, shape: tuple[int, ...]) -> tuple[Self, Sums]:
        """A trace of them, and what they come to. Raises NotTraceable, and what rules raise that take no tracers."""
        tape = Tape()
        found = rules({name: Column(tape.input(x.num), x.den, x.bounds) for name, x in knobs.items()})
        sizes = [*_sizes(found)]
        if found.valid is not True or not all(is_number(size) or isinstance(size, Column) for size in sizes):
            raise NotTraceable
        columns = [size for size in sizes if isinstance(size, Column)]
        trace = cls(shape, tape.program(x.num for x in columns), _with(found, (Over(x.den, x.bounds) for x in columns)))
        return trace, trace.filled(tape.values(x.num for x in columns))

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Is a block no larger along any axis? What is small when it is traced may be held for long."""
        return all(n <= most for n, most in zip(shape, self.shape))

    def replayed(self, knobs: Knobs) -> Sums:
        """What the rules would come to at these. Raises GuardFailed where they may turn elsewhere."""
        return self.filled(self.program.run(*[x.num for x in knobs.values()]))

    def filled(self, arrays: Sequence[Any]) -> Sums:
        """The sums with these results of the program."""
        overs = (size for size in _sizes(self.sums) if isinstance(size, Over))
        return _with(self.sums, (Column(array, *over) for array, over in zip(arrays, overs, strict=True)))


@dataclass
class Kept:
    """The traces of a network, metrics and ends of knobs, and how often the rules were asked."""

    traces: list[Trace] = field(default_factory=list)
    asked: int = 0

    def sums(self, rules: Rules, knobs: Knobs, shape: tuple[int, ...]) -> Sums:
        """Replayed by the first trace that takes these knobs, else from the rules."""
        for trace in self.traces:
            if trace.takes(shape):
                try:
                    return trace.replayed(knobs)
                except GuardFailed:
                    continue
        if self.asked & (self.asked + 1):  # the next is no power of 2: where tracing does not help, it is tried less
            return self.ask(rules, knobs)
        try:
            trace, found = Trace.of(rules, knobs, shape)
        except Exception:  # of a rule that takes no tracer, or no such knobs: asked again it says which
            return self.ask(rules, knobs)
        self.asked += 1
        self.traces = [trace, *self.traces][:TRACES]
        return found

    def ask(self, rules: Rules, knobs: Knobs) -> Sums:
        """The rules, without a trace. Blocks whose points differ do not count: their parts are asked."""
        found = rules(knobs)
        self.asked += 1
        return found


def sums_again(net: Model, block: Grid, metrics: Sequence[str] = USUAL) -> Sums:
    """What `sums` gives, in a tenth of the time where it was asked of such a block before. Raises as it does."""
    if kinds := block.kinds:
        net = net.at(kinds)
    knobs = {name: block.column(name) for name in block.numbers}

    def rules(knobs: Knobs) -> Sums:
        return sums_at(net, knobs, metrics)

    try:
        kept = _kept(_key(net, block, metrics))
    except TypeError:  # a knob that is not swept may be a column, which has no hash
        return rules(knobs)
    return kept.sums(rules, knobs, block.shape)


def _key(net: Model, block: Grid, metrics: Sequence[str]) -> Any:
    """All that sums depend on but the numbers of a block. Ops may be written anew while costcalc runs."""
    ops = tuple([(op, *[getattr(op, rule) for rule in RULES]) for op in OPS.values()])
    fixed = tuple([(name, value) for name, value in net.settings.items() if name not in block.numbers])
    return net.identity, net.dtype, fixed, tuple(block.spans.items()), tuple(metrics), ops


@lru_cache(maxsize=NETWORKS)
def _kept(key: Any) -> Kept:
    """The same object for the same key, until others were asked for more recently."""
    return Kept()


def _sizes(found: Sums) -> Iterator[Any]:
    return (size for pairs in found.groups.values() for pair in pairs for size in pair)


def _with(found: Sums, others: Iterator[Any]) -> Sums:
    """The same sums with others for all that is no number."""

    def other(size: Size) -> Size:
        return size if is_number(size) else next(others)

    return Sums(found.metrics, {name: [(other(a), other(b)) for a, b in pairs] for name, pairs in found.groups.items()})
