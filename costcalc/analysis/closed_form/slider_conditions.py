"""The conditions of a page's sliders: where a closed form holds, as relations that a page checks without the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.closed_form.undecided import undecided_of
from costcalc.analysis.walk import Row
from costcalc.ops.needs import Claim, Need


@dataclass(frozen=True)
class Condition:
    """All of the claims must hold. If not, `message` says why, with `sizes` in its gaps."""

    claims: tuple[Claim, ...]
    message: str
    sizes: tuple[Any, ...]
    is_of_import: bool = False  # the layers are known only where it holds; else there is no network where it fails


def conditions(rows: Iterable[Row], assumed: Iterable[Need]) -> list[Condition]:
    """The conditions of a closed form: the undecided needs of its rows and of building its graph."""
    found = {need.key: _condition(need) for need in assumed}
    for need, layer in ((one.need, _literal(one.said(""))) for one in undecided_of(rows)):
        if need.claims:
            found.setdefault(need.key, _condition(need, layer))
    return [*found.values()]


def known_where(limits: Iterable[Need]) -> list[Condition]:
    """The conditions under which the layers of an imported network are known."""
    return [
        Condition(
            need.claims, f"the closed forms hold where {_literal(need.requirement(str))}", (), is_of_import=True
        )
        for need in limits if need.claims
    ]  # fmt: skip


def _condition(need: Need, layer: str = "") -> Condition:
    sizes = tuple(size for given in need.message_sizes for size in (given if isinstance(given, tuple) else (given,)))
    return Condition(need.claims, f"{layer}{need.sentence(map(_gap, need.message_sizes))}", sizes)


def _gap(given: Any) -> str:
    return f"({', '.join(['{}'] * len(given))})" if isinstance(given, tuple) else "{}"


def _literal(text: str) -> str:
    """A name without the braces of a format string."""
    return text.replace("{", "(").replace("}", ")")
