"""The kinds of fields of ops. The dataclass is the schema: specs, the JSON Schema and checks read it.

    PositiveInt, NonNegativeInt     a size: an int, a symbol or an array
    StaticInt                       how many axes or layers there are: an int, and no symbol
    PositiveInts, AxisOrder         any number of sizes; numbers of axes or inputs
    Axis, Axes                      numbers of axes, from the end if negative
    PerAxis, Padding, …             one size, or one for each axis along which a window slides
    IntRows                         rows of ints
    Real, UnitInterval              a real number; one from 0 to 1
    Flag, InterpolationMode, …      true or false; a word

Another kind is `Annotated[Any, Kind(…)]`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from costcalc.dims import (
    MAX_SIZE,
    all_of,
    at_least,
    check_size,
    clip,
    is_array,
    is_symbolic,
    one_number,
    one_truth,
    size_symbol,
)
from costcalc.errors import PointsDiffer, ShapeError

IN_WORDS = {
    "size": "a whole number",
    "per_axis": "a whole number, or one for each axis",
    "sizes": "a list of whole numbers",
    "rows": "rows of whole numbers",
    "flag": "true or false",
    "real": "a number",
    "unit_interval": "a number from 0 to 1",
    "word": "",
}


@dataclass(frozen=True)
class Kind:
    """The values that a field takes. `name`: `size`, `sizes` (any number of them), `per_axis` (one, or one for each
    sliding axis), `flag`, `word`, `real`, `unit_interval` (a real from 0 to 1), `rows` (of whole numbers). Sizes are at
    least `low`. A `static` one says how many tensors or axes there are: no symbol, and an array only if it is the same
    at all points."""

    name: str
    low: int = 1
    words: tuple[str, ...] = ()
    static: bool = False

    def check(self, value: Any, what: str) -> Any:
        """The value in its canonical form (lists as tuples, 'valid' as 0), or a ShapeError naming `what`."""
        listed = isinstance(value, (tuple, list))
        if is_array(value):
            value = self.check_array(value, what)
        match self.name:
            case _ if isinstance(value, str):
                if value in self.words:
                    return 0 if value == "valid" else value
            case "sizes" | "per_axis" if listed:
                return tuple(self.one(size, what) for size in value)
            case "sizes":
                return (self.one(value, what),)
            case "size" | "per_axis":
                return self.one(value, what)
            case "rows" if listed and all(isinstance(row, (tuple, list)) for row in value):
                return tuple(tuple(self.one(size, what) for size in row) for row in value)
            case "flag" if isinstance(value, bool):
                return value
            case "real" if is_real(value):
                return value
            case "unit_interval" if is_real(value) and is_within(value, 0, 1):
                return value
        raise ShapeError(f"{what} must be {self.plain_name}, got {clip(value)}")

    def check_array(self, value: Any, what: str) -> Any:
        """Checks an array: an array of flags becomes one flag. Raises PointsDiffer if only some points are valid."""
        if self.name == "flag" and value.dtype.kind == "b":
            truth = one_truth(value)
            if truth is None:
                raise PointsDiffer(value, f"{what} is true at some points of an array and false at others")
            return truth
        if self.name == "unit_interval":
            inside = all_of((at_least(value, 0), at_least(1, value)))
            if is_array(inside) and one_truth(inside) is None:
                raise PointsDiffer(inside, f"{what} must be {self.plain_name} at every point of an array")
        return value

    def example(self, name: str) -> Any:
        """A value of this kind for a field called `name`: a symbol of that name if it may be one."""
        if self.takes_symbols:
            return size_symbol(name)
        examples = {"flag": False, "real": 1, "unit_interval": 0, "word": self.words[0] if self.words else ""}
        least = max(self.low, 0)
        examples |= {"rows": ((least,),), "sizes": (least,)}
        return examples.get(self.name, least)

    @property
    def takes_symbols(self) -> bool:
        """Can a value be a symbol?"""
        return self.is_size and not self.static

    @property
    def is_size(self) -> bool:
        """Are its values integers?"""
        return self.name in ("size", "sizes", "per_axis", "rows")

    def one(self, value: Any, what: str) -> Any:
        """One size."""
        size = check_size(value, what, self.low)
        if self.static and is_symbolic(size):
            raise ShapeError(f"{what} must be a plain number, got the symbol {clip(size)}")
        number = one_number(size) if self.static else size
        if number is None:
            raise PointsDiffer(size.num, f"{what} must be a plain number, and differs between points of an array")
        return number

    @property
    def plain_name(self) -> str:
        """The kind in words, for messages."""
        return " or ".join(filter(None, [IN_WORDS[self.name], *map(repr, self.words)]))


def is_real(x: Any) -> bool:
    """Is this a real number, or a symbol or array of them?"""
    if isinstance(x, (int, float)):
        return not isinstance(x, bool) and math.isfinite(x)
    return hasattr(x, "numerator") or is_symbolic(x) or is_array(x)


def is_within(x: Any, low: int, high: float) -> bool:
    """Does no point lie outside? True also if symbols leave it undecided."""
    truth = all_of((at_least(x, low), at_least(high, x)))
    return bool(truth.all()) if is_array(truth) else truth is not False


def kind_names() -> list[str]:
    """What a field can be annotated with."""
    return sorted(name for name, kind in globals().items() if hasattr(kind, "__metadata__"))


PositiveInt: TypeAlias = Annotated[Any, Kind("size")]
NonNegativeInt: TypeAlias = Annotated[Any, Kind("size", low=0)]
StaticInt: TypeAlias = Annotated[Any, Kind("size", static=True)]
PositiveInts: TypeAlias = Annotated[Any, Kind("sizes")]
PerAxis: TypeAlias = Annotated[Any, Kind("per_axis")]
Padding: TypeAlias = Annotated[Any, Kind("per_axis", low=0, words=("same", "valid"))]
ExplicitPadding: TypeAlias = Annotated[Any, Kind("per_axis", low=0)]
IntRows: TypeAlias = Annotated[Any, Kind("rows", low=0, static=True)]
Flag: TypeAlias = Annotated[bool, Kind("flag")]
Real: TypeAlias = Annotated[Any, Kind("real")]
UnitInterval: TypeAlias = Annotated[Any, Kind("unit_interval")]
Axis: TypeAlias = Annotated[Any, Kind("size", low=-16, static=True)]
Axes: TypeAlias = Annotated[Any, Kind("sizes", low=-16, static=True)]
NonNegativeInts: TypeAlias = Annotated[Any, Kind("sizes", low=0)]
Integers: TypeAlias = Annotated[Any, Kind("sizes", low=-MAX_SIZE)]
AxisOrder: TypeAlias = Annotated[Any, Kind("sizes", low=0, static=True)]
TensorRole: TypeAlias = Annotated[str, Kind("word", words=("weight", "bias", "norm", "buffer"))]
InterpolationMode: TypeAlias = Annotated[str, Kind("word", words=("nearest", "linear", "cubic"))]
SamplingMode: TypeAlias = Annotated[str, Kind("word", words=("nearest", "linear"))]
SizesOrRest: TypeAlias = Annotated[Any, Kind("sizes", low=-1)]
ElementOrder: TypeAlias = Annotated[str, Kind("word", words=("unknown", "same", "place"))]
ReduceOperation: TypeAlias = Annotated[str, Kind("word", words=("mean", "sum", "max", "min", "norm", "var"))]
PerAxisOrNone: TypeAlias = Annotated[Any, Kind("per_axis", words=("none",))]
