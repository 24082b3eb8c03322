"""Budgets: the most that a metric of a network may be, read from text or numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from costcalc.analysis.metric_names import metric_of, why_not_whole
from costcalc.dims import clip, is_rational, to_exact
from costcalc.errors import UsageError, nearest, shorten
from costcalc.text import BYTES, COUNTS, read_amount, split_unit


def read_budget(texts: Iterable[str]) -> dict[str, int]:
    """Reads `["macs=400M", "params=6,000,000", "weight_bytes=16MB"]`. Raises UnknownName and UsageError."""
    budget: dict[str, int] = {}
    for text in texts:
        name, _, most = (part.strip() for part in text.partition("="))
        if name in budget:
            raise UsageError(f"{name} has two budgets; give one")
        budget[name] = read_limit(name, most)
    return budget


def read_limit(metric: str, most: Any) -> int:
    """The limit of a metric, from a number or a text as on the command line. Raises UnknownName and UsageError."""
    metric_of(metric, unless=why_not_whole)
    if isinstance(most, str):
        amount = read_amount(most, of_bytes=metric.endswith("_bytes"))
        if amount is None or _is_fraction(most):
            raise _no_budget(metric, most)
        return amount
    number = to_exact(most)
    if not is_rational(number) or isinstance(most, bool):
        raise UsageError(f"a budget of {metric} is a number, got {clip(most)}")
    return int(number // 1)  # as counts are


def _is_fraction(text: str) -> bool:
    """Is it a fraction without a unit, as 4.5?"""
    with suppress(ValueError):
        return float(text) % 1 != 0
    return False


def _no_budget(metric: str, most: str) -> UsageError:
    """The error of a text that is no limit of this metric, with the reason if it is the unit."""
    of_bytes = metric.endswith("_bytes")
    number, unit = split_unit(most)
    why = ""
    if _is_fraction(most):
        why = f": {metric} is a whole number; did you mean {most.strip()}{'GB' if of_bytes else 'G'}?"
    elif number and not of_bytes and unit in BYTES:
        why = f": {unit} is a unit of bytes, and {metric} is no metric of bytes"
    elif number and (near := nearest(unit, [*filter(None, BYTES if of_bytes else COUNTS)])) != unit:
        why = f": there is no unit {shorten(unit)!r}" + (f", did you mean {near!r}?" if near else "")
    example = f"{metric}=24GB" if of_bytes else "macs=400M or params=6,000,000"
    return UsageError(f"{shorten(f'{metric}={most}')!r} is not a budget{why}", f"write {example}")


def read_bytes(within: Any) -> int:
    """So many bytes as memory may hold, from a number or a text such as 24GB. Raises UsageError."""
    if isinstance(within, str) and read_amount(within, of_bytes=True) is None:
        raise UsageError(f"--within {shorten(within)!r} is not a budget; write --within 24GB or 16GiB")
    return read_limit("memory_bytes", within)


def budget_text(budget: Mapping[str, int]) -> str:
    """`macs ≤ 400,000,000, params ≤ 6,000,000`"""
    return ", ".join(f"{name} ≤ {most:,}" for name, most in budget.items())


def check_budget(budget: Mapping[str, Any]) -> dict[str, int]:
    """The budget in whole numbers. Raises UnknownName for an unknown metric, UsageError for an empty budget or a limit
    that is not a number."""
    if not budget:
        raise UsageError("no budget to keep; give one, as in --max macs=300M")
    return {metric: read_limit(metric, most) for metric, most in budget.items()}
