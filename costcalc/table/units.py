"""Units of numbers in tables: `M`, `MiB`, or for each number the largest that it fills."""

from __future__ import annotations

from typing import NamedTuple

from costcalc.errors import UsageError, unknown
from costcalc.table.cells import InUnit
from costcalc.text import BYTES, COUNTS, split_names

AUTO, EXACT = "auto", "none"
SHOWN = {"counts": ("K", "M", "G", "T"), "bytes": ("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")}
KNOWN = (AUTO, EXACT, *SHOWN["counts"], *SHOWN["bytes"])


class Units(NamedTuple):
    """The unit of counts and that of bytes: a name, `auto`, or `none` for whole numbers in full."""

    counts: str = EXACT
    bytes: str = EXACT

    def shown(self, number: int | None, *, of_bytes: bool) -> int | None:
        """The number as a table is to show it."""
        unit, sizes = (self.bytes, BYTES) if of_bytes else (self.counts, COUNTS)
        if number is None or unit == EXACT:
            return number
        if unit == AUTO:
            names = ("B", "KB", "MB", "GB", "TB") if of_bytes else ("", *SHOWN["counts"])
            unit = next((name for name in reversed(names) if abs(number) >= sizes[name]), names[0])
        return number if sizes[unit] == 1 else InUnit(number, unit, sizes[unit])


EXACTLY = Units()


def read_units(text: str) -> Units:
    """`auto`, `none`, `M`, `MiB`, or one for each: `M,MiB`. Raises UnknownName and UsageError."""
    names = split_names(text)
    for name in names:
        if name not in KNOWN:
            raise unknown("unit", name, KNOWN)
    if len(names) == 1 and names[0] in (AUTO, EXACT):
        return Units(names[0], names[0])
    of = {kind: [name for name in names if name in known] for kind, known in SHOWN.items()}
    if any(len(found) > 1 for found in of.values()) or len(names) != sum(map(len, of.values())):
        raise UsageError(f"units {text[:60]!r} are not understood; one of counts and one of bytes, as in M,MiB")
    return Units(*((found or [EXACT])[0] for found in of.values()))
