"""Arithmetic as text, in specs, conditions and settings: parsed by Python, limited by an allow-list, never run."""

from costcalc.expressions.expression import MAX_DIGITS, NAME, RESERVED, Expression, constant, parse

__all__ = ["MAX_DIGITS", "NAME", "RESERVED", "Expression", "constant", "parse"]
