"""Where a closed form holds, as equations and inequalities in its letters, for those who fill it in without our rules.

A need that letters left open is known here by its words; a knob in one that is not known cannot be a letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.closed_form.left_open import AT_LEAST, FITS, SHARES, WHOLE, Open, open_of
from costcalc.analysis.walk import Row
from costcalc.dims import is_letter

Claim = tuple[str, tuple[Any, ...]]  # least: x ≥ 0; whole: x is; same: a = b; stretch: a = b, or one of them is 1


@dataclass(frozen=True)
class Condition:
    """All of the claims must hold. If not, `words` says why, with `sizes` in its gaps."""

    claims: tuple[Claim, ...]
    words: str
    sizes: tuple[Any, ...]


def _shapes(kind: str) -> Callable[..., Iterator[Claim]]:
    return lambda a, b, *_: ((kind, pair) for pair in zip(a, b))


def _all_but(a: Any, b: Any, axis: int) -> Iterator[Claim]:
    return (("same", pair) for i, pair in enumerate(zip(a, b)) if i != axis)


CLAIMS: dict[str, Callable[..., Iterable[Claim]]] = {  # words of a need -> what it claims of the sizes it names
    FITS: lambda reach, *others: [("least", (others[-1] - reach,))],
    AT_LEAST: lambda _, size, low: [("least", (size - low,))],
    WHOLE: lambda _, size: [("whole", (size,))],
    " does not divide ": lambda b, a: [("whole", (a / b,))],
    " differ in size": _shapes("stretch"),
    " differ in more than axis ": _all_but,
    "inner sizes ": lambda a, b: [("same", (a, b))],
    SHARES: lambda _, theirs, ours: _shapes("same")(theirs, ours),
}


def claims_of(need: Any) -> tuple[Claim, ...] | None:
    """What a need claims; None if nobody knows."""
    found = next((claim for words, claim in CLAIMS.items() if words in need[1]), None)
    if found is None:
        return None
    return tuple((kind, sizes) for kind, sizes in found(*need[2:]) if any(map(is_letter, sizes)))


def conditions(rows: Iterable[Row], assumed: Mapping[str, Any]) -> tuple[list[Condition], set[str]]:
    """The conditions of a closed form, from its rows and the sizes that were assumed to be whole; and the letters in
    needs that are not known here."""
    found: dict[str, Condition] = {}
    unclear: set[str] = set()
    for size in assumed.values():
        found[str(size)] = Condition((("whole", (size,)),), f"{size} = {{}} is no whole number", (size,))
    for open_ in open_of(rows):
        claims = claims_of(open_.need)
        if claims is None:
            unclear |= {letter.name for letter in open_.letters}
        elif claims:
            found.setdefault(open_.key, _condition(open_, claims))
    return [*found.values()], unclear


def _condition(open_: Open, claims: tuple[Claim, ...]) -> Condition:
    sizes = tuple(size for given in open_.need[2:] for size in (given if isinstance(given, tuple) else (given,)))
    words = open_.need[1].format(*(_gap(given) for given in open_.need[2:]))
    return Condition(claims, f"{_literal(open_.layer)}: {words}", sizes)


def _gap(given: Any) -> str:
    return f"({', '.join(['{}'] * len(given))})" if isinstance(given, tuple) else "{}"


def _literal(text: str) -> str:
    """A name in which nothing is a gap."""
    return text.replace("{", "(").replace("}", ")")
