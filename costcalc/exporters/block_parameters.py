"""The values in which the copies of a block differ, as parameters and as expressions of other parameters.

An expression is true of the numbers, and mostly meant: `4*channels`, `channels/24`, `kernel//2`, `size**2*batch`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

FACTOR = re.compile(r"(?:(\d+)\*)?([A-Za-z_]\w*(?:\*[A-Za-z_]\w*)*)")  # 64*batch
Columns = dict[str, tuple[Any, ...]]  # the value of each parameter in each structure


def in_terms_of(values: Sequence[Any], parameters: Columns) -> str | None:
    """These values as an expression of one of the parameters; None if they are none."""
    split = [_factor(value) for value in values]
    rests = {rest for _, rest in split}
    if alike := [name for name, others in parameters.items() if values == others]:
        return alike[0]
    if len(rests) != 1 or None in rests:
        return None
    numbers, (rest,) = [number for number, _ in split], rests
    for relation in (_equal, _multiple, _part, _half, _square):
        for name, others in parameters.items():
            if all(type(other) is int and other > 0 for other in others):
                text = relation(name, [*zip(numbers, others, strict=True)])
                if text:
                    return f"{text}*{rest}" if rest else text
    return None


def _factor(value: Any) -> tuple[int, str | None]:
    """A value as a number times a product of names; None in place of the names if it is something else."""
    if type(value) is int:
        return value, ""
    found = FACTOR.fullmatch(value) if isinstance(value, str) else None
    return (int(found[1] or 1), found[2]) if found else (0, None)


Pairs = list[tuple[int, int]]
Relation = Callable[[str, Pairs], str]


def _equal(name: str, pairs: Pairs) -> str:
    return name if all(value == other for value, other in pairs) else ""


def _multiple(name: str, pairs: Pairs) -> str:
    factor = pairs[0][0] // pairs[0][1]
    return f"{factor}*{name}" if factor > 1 and all(value == factor * other for value, other in pairs) else ""


def _part(name: str, pairs: Pairs) -> str:
    divisor = pairs[0][1] // pairs[0][0] if pairs[0][0] else 0
    return f"{name}/{divisor}" if divisor > 1 and all(value * divisor == other for value, other in pairs) else ""


def _half(name: str, pairs: Pairs) -> str:
    return f"{name}//2" if all(value == other // 2 for value, other in pairs) else ""


def _square(name: str, pairs: Pairs) -> str:
    return f"{name}**2" if all(value == other * other for value, other in pairs) else ""


def names_in(value: Any) -> Iterator[str]:
    """The names in an expression."""
    yield from re.findall(r"[A-Za-z_]\w*", value) if isinstance(value, str) else ()
