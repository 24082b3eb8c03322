"""A formula as a Python module that needs nothing but the standard library."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sympy import Expr, ceiling, floor

from costcalc.analysis.closed_form.printers import NAMES, SpecPrinter
from costcalc.dims import whole
from costcalc.dims.symbolic import Gcd, RoundTo
from costcalc.errors import CostcalcError
from costcalc.table import visible
from costcalc.text import value_text

HELPERS = {
    floor: "def floor(x, m=1):\n    return x // m\n",
    ceiling: "def ceil(x, m=1):\n    return -(-x // m)\n",
    RoundTo: (
        "def round_to(x, m):\n"
        "    rounded = max(m, (2*x + m) // (2*m) * m)\n"
        "    return rounded + m if 10*rounded < 9*x else rounded\n"
    ),
    Gcd: "def gcd(a, b):\n    return gcd(b, a % b) if b else a\n",
}
TAKEN = {"floor", "ceil", "round_to", "gcd", "max", "min", "int", "str", "Fraction", "ValueError", "total"}


class PythonPrinter(SpecPrinter):
    """Python that is exact on ints and Fractions: a division is a Fraction or inside floor and ceil."""

    def quotient(self, over: str, under: str, simple: bool) -> str:
        return f"Fraction({over}, {under})"

    def call(self, x: Expr) -> str:
        if isinstance(x, (ceiling, floor)):
            terms, shared = self.over_one_denominator(x.args[0])
            return f"{NAMES[x.func]}({self.sum(terms)}{f', {shared}' if shared > 1 else ''})"
        return f"{NAMES[x.func]}({', '.join(map(self.write, x.args))})"


def module(
    function: str,
    about: str,
    knobs: Mapping[str, Any],
    where: Mapping[str, Expr],
    terms: Sequence[tuple[str, Expr]],
    *,
    multiples: Mapping[str, Any] | None = None,
    leading: Iterable[str] = (),
) -> str:
    """The code of a function that adds named terms exactly, in ints and Fractions.

    `knobs` are its arguments and their defaults, `where` the names that it defines, `multiples` what must divide a
    knob, `leading` the symbols that come first in a sum. Raises CostcalcError for a name that two sizes share.
    """
    symbols = {symbol for _, expression in terms for symbol in expression.free_symbols}
    _refuse_twins([*(symbol.name for symbol in symbols), *where])
    used = {symbol.name: symbol for symbol in symbols}
    mine = sorted((name for name in knobs if name in used), key=lambda name: knobs[name] is not None)
    names = _names([*mine, *where], function)
    body = "".join(
        f"    {names[name]} = Fraction(str({names[name]}))\n" for name in mine if not used[name].is_integer
    ) + "".join(_check(names[knob], modulus) for knob, modulus in (multiples or {}).items() if knob in names)
    body += _sum(terms, where, names, leading)
    arguments = ", ".join(names[name] + ("" if knobs[name] is None else f"={_literal(knobs[name])}") for name in mine)
    about = visible(about).replace("\\", "/").replace('"', "'")
    head = _head([*(e for _, e in terms), *where.values()], body)
    return f'{head}def {function}({arguments}):\n    """{about}"""\n{body}'


def _refuse_twins(names: Sequence[str]) -> None:
    """Raises CostcalcError for a name that two symbols or sizes share."""
    for name, several in Counter(names).items():
        if several > 1:
            raise CostcalcError(
                f"two sizes of the formula are called {name}; rename one, code could not tell them apart"
            )


def _names(wanted: Iterable[str], function: str) -> dict[str, str]:
    """A valid Python name for every knob and size, none of them twice."""
    taken = {*TAKEN, function, *keyword.kwlist}
    names: dict[str, str] = {}
    for name in wanted:
        mine = name
        while mine in taken:
            mine += "_"
        taken.add(mine)
        names[name] = mine
    return names


def _head(expressions: Sequence[Expr], body: str) -> str:
    kinds = {atom.func for e in expressions for atom in e.atoms(floor, ceiling, RoundTo, Gcd)}
    imports = ["from fractions import Fraction"] if "Fraction(" in body else []
    return "\n\n\n".join([*imports, *(text.strip() for kind, text in HELPERS.items() if kind in kinds), ""])


def _check(name: str, modulus: Any) -> str:
    wanted = f"{name} must be {'whole' if modulus == 1 else f'a multiple of {value_text(modulus)}'}"
    return f'    if {name} % {_literal(modulus)}:\n        raise ValueError("{wanted}")\n'


def _sum(
    terms: Sequence[tuple[str, Expr]], where: Mapping[str, Expr], names: Mapping[str, str], leading: Iterable[str]
) -> str:
    plain, python = PythonPrinter(names), PythonPrinter(names, {e: name for name, e in where.items()}, leading=leading)
    text = "".join(f"    {names[name]} = {plain.write(e)}\n" for name, e in where.items())
    text += "    total = (\n" + ("" if terms else "        0\n")
    for i, (name, expression) in enumerate(terms):
        comment = f"  # {visible(name)}" if name else ""
        text += f"        {'+ ' if i else ''}{python.write(expression)}{comment}\n"
    return f"{text}    )\n    return int(total) if total == int(total) else total\n"


def _literal(value: Any) -> str:
    return str(value) if whole(value) else f"Fraction({value.numerator}, {value.denominator})"
