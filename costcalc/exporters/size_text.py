"""Sizes and other values of fields as the texts that a spec reads."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from costcalc.dims import is_symbolic


def plain(value: Any) -> Any:
    """A value as YAML has it: numbers, words, true and false, lists, and expressions as text."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if is_symbolic(value):
        return expression_text(value)
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    return value


def expression_text(size: Any) -> str:
    """A size with symbols as an expression of specs."""
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):  # type: ignore[misc]
        """sympy's names of functions as specs have them; min and max take two."""

        def _print_ceiling(self, x: Any) -> str:
            return f"ceil({self._print(x.args[0])})"

        def _nested(self, name: str, args: tuple[Any, ...]) -> str:
            text = str(self._print(args[-1]))
            for arg in reversed(args[:-1]):
                text = f"{name}({self._print(arg)}, {text})"
            return text

        def _print_Max(self, x: Any) -> str:
            return self._nested("max", x.args)

        def _print_Min(self, x: Any) -> str:
            return self._nested("min", x.args)

    return str(Printer().doprint(size))
