"""Closed forms as JavaScript: exact, on fractions of two BigInts, by the functions of sliders.js.

    totals = (k) => [ … ]       the metrics at the knobs k
    conditions = [(k) => [holds, [sizes]], …]

Names never get into the code: knobs are k[0], k[1], …, and whatever else is shared is x0, x1, ….
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sympy import Expr, cse, numbered_symbols, sympify
from sympy.printing.printer import Printer

from costcalc.analysis.closed_form.conditions import Condition
from costcalc.dims import is_symbolic
from costcalc.errors import CostcalcError


class JavaScript(Printer):  # type: ignore[misc]
    """Prints an expression of `letters`, the knobs in their order, and of what is `shared`."""

    def __init__(self, letters: Sequence[Any], shared: Iterable[Any] = ()):
        super().__init__()
        self.known = {letter: f"k[{i}]" for i, letter in enumerate(letters)} | {x: str(x) for x in shared}

    def emptyPrinter(self, expr: Any) -> str:
        """Refuses what has no rule here. Raises CostcalcError."""
        raise CostcalcError(f"no JavaScript for {type(expr).__name__} {expr}")

    def _print_Symbol(self, x: Any) -> str:
        return self.known[x] if x in self.known else self.emptyPrinter(x)

    def _print_Integer(self, x: Any) -> str:
        return f"q({int(x)}n)"

    def _print_Rational(self, x: Any) -> str:
        return f"q({int(x.p)}n, {int(x.q)}n)"

    def _print_Pow(self, x: Any) -> str:
        if not x.exp.is_Integer:
            return self.emptyPrinter(x)
        power = f"pow({self._print(x.base)}, {abs(int(x.exp))}n)" if abs(int(x.exp)) != 1 else self._print(x.base)
        return power if x.exp > 0 else f"div(q(1n), {power})"

    def called(self, name: str, parts: Sequence[Any]) -> str:
        """`name(…, …)`"""
        return f"{name}({', '.join(map(self._print, parts))})"

    def _print_Add(self, x: Any) -> str:
        return self.called("add", x.args)

    def _print_Mul(self, x: Any) -> str:
        return self.called("mul", x.args)

    def _print_floor(self, x: Any) -> str:
        return self.called("floor", x.args)

    def _print_ceiling(self, x: Any) -> str:
        return self.called("ceil", x.args)

    def _print_Max(self, x: Any) -> str:
        return self.called("max", x.args)

    def _print_Min(self, x: Any) -> str:
        return self.called("min", x.args)

    def _print_round_to(self, x: Any) -> str:
        return self.called("roundTo", x.args)

    def _print_gcd(self, x: Any) -> str:
        return self.called("gcd", x.args)

    def _print_Piecewise(self, x: Any) -> str:
        text = "undefined"
        for value, holds in reversed(x.args):
            text = self._print(value) if holds == True else f"({self._print(holds)} ? {self._print(value)} : {text})"  # noqa: E712
        return text

    def _print_Relational(self, x: Any) -> str:
        return f"compare({self._print(x.lhs)}, {self._print(x.rhs)}) {SIGNS[x.rel_op]} 0n"


SIGNS = {"==": "===", "!=": "!==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def code(metrics: Sequence[Expr], claims: Sequence[Condition], letters: Sequence[Any]) -> str:
    """The definitions of `totals` and `conditions`."""
    shared, reduced = cse([*map(sympify, metrics)], symbols=numbered_symbols("x"), order="none")
    printer = JavaScript(letters, (name for name, _ in shared))
    lines = ["const totals = (k) => {"]
    lines += [f"  const {name} = {printer.doprint(value)};" for name, value in shared]
    lines += ["  return [", *(f"    {printer.doprint(value)}," for value in reduced), "  ];", "};"]
    lines += ["const conditions = [", *(f"  {_condition(claim, printer)}," for claim in claims), "];"]
    return "\n".join(lines)


def _condition(condition: Condition, printer: JavaScript) -> str:
    holds = " && ".join(f"{kind}({', '.join(map(_printed(printer), sizes))})" for kind, sizes in condition.claims)
    sizes = ", ".join("null" if isinstance(size, str) else _printed(printer)(size) for size in condition.sizes)
    return f"(k) => [{holds}, [{sizes}]]"


def _printed(printer: JavaScript) -> Any:
    return lambda size: printer.doprint(size if is_symbolic(size) else sympify(size))
