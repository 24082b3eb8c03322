"""Arithmetic as text, in specs, conditions and settings: Python parses it, a list allows it, nothing runs it."""

from costcalc.expressions.expression import MAX_DIGITS, NAME, RESERVED, Expression, constant, parse

__all__ = ["MAX_DIGITS", "NAME", "RESERVED", "Expression", "constant", "parse"]
