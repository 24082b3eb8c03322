"""The kinds of field an op may have. The dataclass is the schema: specs, JSON Schema and checks read it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from costcalc.dims import checked
from costcalc.errors import ShapeError


@dataclass(frozen=True)
class Kind:
    """What values a field takes: `size`, `sizes` (any number of them), `per_axis` (one, or one for each sliding
    axis), `flag`, `word`, `ratio` (a real number), `table` (rows of whole numbers). Sizes are at least `low`."""

    name: str
    low: int = 1
    words: tuple[str, ...] = ()

    def check(self, value: Any, what: str) -> Any:
        """The value in its canonical form (lists as tuples), or a ShapeError naming `what`."""
        if isinstance(value, str):
            if value in self.words:
                return value
            wanted = " or ".join(filter(None, [self.plain_name, *map(repr, self.words)]))
            raise ShapeError(f"{what} must be {wanted}, got {value!r}")
        match self.name:
            case "size":
                return checked(value, what, self.low)
            case "per_axis":
                if isinstance(value, (tuple, list)):
                    return tuple(checked(one, what, self.low) for one in value)
                return checked(value, what, self.low)
            case "sizes":
                values = value if isinstance(value, (tuple, list)) else (value,)
                return tuple(checked(one, what, self.low) for one in values)
            case "table":
                return tuple(tuple(checked(one, what, 0) for one in row) for row in value)
            case "flag" if isinstance(value, bool):
                return value
            case "ratio" if isinstance(value, (int, float)) or hasattr(value, "numerator"):
                return value
        raise ShapeError(f"{what} must be {self.plain_name}, got {value!r}")

    @property
    def plain_name(self) -> str:
        """The kind in words, for messages."""
        names = {
            "size": "a whole number",
            "per_axis": "a whole number, or one for each axis",
            "sizes": "a list of whole numbers",
            "table": "rows of whole numbers",
            "flag": "true or false",
            "ratio": "a number",
            "word": "",
        }
        return names[self.name]


Whole: TypeAlias = Annotated[Any, Kind("size")]
Count: TypeAlias = Annotated[Any, Kind("size", low=0)]
Wholes: TypeAlias = Annotated[Any, Kind("sizes")]
PerAxis: TypeAlias = Annotated[Any, Kind("per_axis")]
Padding: TypeAlias = Annotated[Any, Kind("per_axis", low=0, words=("same", "valid"))]
ExplicitPadding: TypeAlias = Annotated[Any, Kind("per_axis", low=0)]
Table: TypeAlias = Annotated[Any, Kind("table", low=0)]
Flag: TypeAlias = Annotated[bool, Kind("flag")]
Ratio: TypeAlias = Annotated[Any, Kind("ratio")]
Order: TypeAlias = Annotated[Any, Kind("sizes", low=0)]
Mode: TypeAlias = Annotated[str, Kind("word", words=("nearest", "linear"))]
