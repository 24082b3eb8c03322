"""The knobs of an architecture, its presets, and its published figures."""

from __future__ import annotations

import copyreg
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from costcalc.dims import MAX_SIZE, clip, is_array, is_symbolic, to_exact_array
from costcalc.errors import Place, UsageError, did_you_mean
from costcalc.text import value_text

SMALLEST_REAL = Fraction(1, 1000)  # the default minimum of a real knob, which usually is a multiplier


def read_only(entries: Mapping[str, Any]) -> MappingProxyType[str, Any]:
    """A read-only copy."""
    return MappingProxyType(dict(entries)) if entries else EMPTY


EMPTY: MappingProxyType[str, Any] = MappingProxyType({})

copyreg.dispatch_table[MappingProxyType] = lambda proxy: (read_only, (dict(proxy),))  # so that specs can be copied


class ReadOnly:
    """A base of shared dataclasses: their dicts become read-only."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value.__class__ is dict:
                object.__setattr__(self, name, read_only(value))


@dataclass(frozen=True)
class Knob:
    """A named size that the reader may set. Kinds: integer, real, flag, choice, and layer, the name of one. Formulas
    print its `letter`."""

    name: str
    default: Any
    kind: str = "integer"
    low: Any = 1
    high: Any = MAX_SIZE
    choices: tuple[str, ...] = ()
    about: str = ""
    letter: str = ""
    place: Place | None = None

    @property
    def is_size(self) -> bool:
        """Is it a number, and not a flag or a choice?"""
        return self.kind in ("integer", "real")

    @property
    def may_be_symbol(self) -> bool:
        """Can a symbol stand for its values? A symbol is 1 or more, a real one more than 0."""
        return self.is_size and bool(self.kind == "real" or self.default >= 1)

    def check(self, value: Any) -> Any:
        """The value, if this knob takes it. Symbols pass; an array is made exact and checked at every point.

        Raises UsageError, which says what the knob takes.
        """
        if self.is_size and is_symbolic(value):
            return value
        if self.is_size and is_array(value):
            return self.check_array(value)
        if self.kind == "choice":
            if value in self.choices:
                return value
            hint = did_you_mean(str(value), self.choices, listed=False)
            raise UsageError(f"knob {self.name!r} is one of {', '.join(self.choices)}, got {clip(value)}", hint)
        if self.kind == "layer":
            if isinstance(value, str) and value:
                return value
            raise UsageError(f"knob {self.name!r} is the name of a layer or block, got {clip(value)}")
        if self.kind == "flag":
            if isinstance(value, bool):
                return value
            raise UsageError(f"knob {self.name!r} is true or false, got {clip(value)}")
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "integer" else int | Fraction):
            article = "a whole" if self.kind == "integer" else "a"
            raise UsageError(f"knob {self.name!r} is {article} number, got {clip(value)}")
        if not self.low <= value <= self.high:
            low, high = value_text(self.low), value_text(self.high)
            span = f"at least {low}" if value < self.low else f"at most {high}"
            raise UsageError(f"knob {self.name!r} is {span}, got {clip(value)}")
        return value

    def check_array(self, values: Any) -> Any:
        """The array made exact. Raises UsageError for the first number that this knob does not take."""
        try:
            array = to_exact_array(values)
        except TypeError as error:
            raise UsageError(f"knob {self.name!r} is a number: {error}") from None
        if array.are_within(self.low, self.high) and (array.is_whole or self.kind == "real"):
            return array
        fraction = (array % 1 != 0) & (self.kind == "integer")
        invalid = array.first(fraction | (array < self.low) | (array > self.high))
        return array if invalid is None else self.check(invalid)


NOTHING_FROZEN = "nothing"
FREEZE = Knob(
    "freeze", NOTHING_FROZEN, "layer", about="what is frozen in training: all layers up to and including this one"
)
RESERVED_KNOBS = {FREEZE.name: FREEZE}  # of every model, beside those of its architecture


@dataclass(frozen=True, eq=False)
class Preset(ReadOnly):
    """Named settings of knobs that are a known network."""

    name: str
    settings: Mapping[str, Any]
    about: str = ""
    place: Place | None = None


FIGURE = re.compile(r"[0-9]{1,3}(,[0-9]{3}){1,6}|[0-9]{1,20}(\.[0-9]{1,20})?[KMGB]?")  # 61,706 or 5.3M
QUOTED = {  # what costcalc quotes and never computes, and what it is in words
    "top1": "% of ImageNet's validation images whose class is the first guess",
    "top5": "% of ImageNet's validation images whose class is among the first five guesses",
}


@dataclass(frozen=True, eq=False)
class Published(ReadOnly):
    """A printed figure: `value` as text, for the network of `preset` and `at`, or for one `block` of it.

    `metric` is one of costcalc's, or a sum of them, `flops+2*bn_elements`; or one of QUOTED, which is not computed.
    """

    metric: str
    value: str
    source: str
    preset: str = ""
    at: Mapping[str, Any] = field(default_factory=dict)
    block: str = ""
    thousand: int = 1000  # the author's K: 1000 or 1024
    because: str = ""
    place: Place | None = None
    metric_place: Place | None = None

    @property
    def is_quoted(self) -> bool:
        """Is it quoted, and not compared with a count?"""
        return self.metric in QUOTED
