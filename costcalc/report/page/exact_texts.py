"""Exact values as text: for readers, and for the page's script."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.formula_text import formula_text
from costcalc.dims import is_rational
from costcalc.table import cell


def exact_text(value: Any) -> str:
    """A number in full; a formula of symbols in its signs."""
    return "–" if value is None else cell(value, "int", formula_text)


def plain_text(value: Any) -> str | None:
    """A number without separators; None for anything else."""
    return cell(value, "int").replace(",", "") if is_rational(value) else None
