"""Closed forms as JavaScript: exact, on fractions of two BigInts, by the functions of exact.js.

The code has no names of a spec: knobs are k[0], k[1], …, shared parts x0, x1, ….
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sympy import Expr, cse, numbered_symbols, sympify
from sympy.printing.printer import Printer

from costcalc.analysis.closed_form.slider_conditions import Condition
from costcalc.dims import is_symbolic
from costcalc.errors import CostcalcError


class JavaScript(Printer):  # type: ignore[misc]
    """Prints expressions of the symbols of the knobs, with their places in k, and of `shared` ones."""

    def __init__(self, symbols: Mapping[Any, int], shared: Iterable[Any]):
        super().__init__()
        self.known = {symbol: f"k[{i}]" for symbol, i in symbols.items()} | {x: str(x) for x in shared}

    def emptyPrinter(self, expr: Any) -> str:
        """Raises CostcalcError for an expression without a rule."""
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

    def _call(self, x: Any) -> str:
        return f"{FUNCTIONS[type(x).__name__]}({', '.join(map(self._print, x.args))})"

    _print_Add = _print_Mul = _print_Max = _print_Min = _call
    _print_floor = _print_ceiling = _print_round_to = _print_gcd = _call

    def _print_Piecewise(self, x: Any) -> str:
        text = "undefined"
        for value, holds in reversed(x.args):
            text = self._print(value) if holds == True else f"({self._print(holds)} ? {self._print(value)} : {text})"  # noqa: E712
        return text

    def _print_Relational(self, x: Any) -> str:
        return f"compare({self._print(x.lhs)}, {self._print(x.rhs)}) {SIGNS[x.rel_op]} 0n"


FUNCTIONS = {  # of exact.js, by class of sympy
    "Add": "add", "Mul": "mul", "Max": "max", "Min": "min", "floor": "floor", "ceiling": "ceil", "round_to": "roundTo",
    "gcd": "gcd",
}  # fmt: skip
SIGNS = {"==": "===", "!=": "!==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def function(expressions: Sequence[Expr], symbols: Mapping[Any, int]) -> str:
    """`(k) => […]`, the values of the expressions; the knobs of the symbols stand at these places of k."""
    shared, reduced = cse([*map(sympify, expressions)], symbols=numbered_symbols("x"), order="none")
    printer = JavaScript(symbols, (name for name, _ in shared))
    lines = [f"  const {name} = {printer.doprint(value)};" for name, value in shared]
    return "\n".join(["(k) => {", *lines, f"  return [{', '.join(map(printer.doprint, reduced))}];", "}"])


def predicates(claims: Iterable[Condition], symbols: Mapping[Any, int]) -> str:
    """`[(k) => [holds, [sizes]], …]`, one for each condition."""
    printer = JavaScript(symbols, ())
    return "\n".join(["[", *(f"  {_condition(claim, printer)}," for claim in claims), "]"])


def _condition(condition: Condition, printer: JavaScript) -> str:
    def printed(size: Any) -> str:
        return "null" if isinstance(size, str) else str(printer.doprint(size if is_symbolic(size) else sympify(size)))

    holds = " && ".join(f"{kind}({', '.join(map(printed, sizes))})" for kind, sizes in condition.claims)
    return f"(k) => [{holds}, [{', '.join(map(printed, condition.sizes))}]]"
