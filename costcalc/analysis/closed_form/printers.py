"""Prints formulas as text. `Printer` splits and orders sums and products; a subclass for another language defines only
how that language writes a number, a power, a quotient and a rounding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import lcm
from typing import Any, NamedTuple

from sympy import Add, Expr, Max, Min, Mul, Pow, Symbol, ceiling, floor

from costcalc.dims.substitute import substitute
from costcalc.dims.symbolic import Gcd, RoundTo
from costcalc.text import power_text, value_text

Factors = list[tuple[Expr, int]]
NAMES = {ceiling: "ceil", floor: "floor", RoundTo: "round_to", Max: "max", Min: "min", Gcd: "gcd"}
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
FAR_OUT, NEAR = 10**6, 10  # values at which terms are compared to sort them: image sizes and all other symbols


def symbol_parts(shown: str) -> tuple[str, str, int]:
    """The head, subscript and number of primes of a symbol: c_in -> c, in, 0; n4 -> n, 4, 0; n_c' -> n, c, 1."""
    bare = shown.rstrip("'")
    head, _, below = re.sub(r"^([^\W\d_])(\d+)$", r"\1_\2", bare).partition("_")
    return head, below, len(shown) - len(bare)


class Product(NamedTuple):
    """p/q · over / under, exponents positive."""

    p: int
    q: int
    over: Factors
    under: Factors

    @property
    def is_number(self) -> bool:
        """Has it no factors?"""
        return not self.over and not self.under


def split_product(x: Expr) -> Product:
    """A term as p/q times factors over and under the fraction bar."""
    p = q = 1
    over: Factors = []
    under: Factors = []
    for factor in Mul.make_args(x):
        if factor.is_Rational:
            p, q = p * int(factor.p), q * int(factor.q)
        elif isinstance(factor, Pow) and factor.args[1].is_Integer:
            base, n = factor.args[0], int(factor.args[1])
            (over if n > 0 else under).append((base, abs(n)))
        else:
            over.append((factor, 1))
    return Product(p, q, over, under)


class Printer:
    """Prints a formula in one language.

    `display_names` replace the names of symbols, `names` replace whole expressions. Terms that grow fastest come first,
    above all in the `leading` symbols; with `simple_first`, terms with the fewest factors do.
    """

    minus, plus, times = " − ", " + ", "·"

    def __init__(
        self,
        display_names: Mapping[str, str] | None = None,
        names: Mapping[Any, str] | None = None,
        *,
        leading: Iterable[str] = (),
        simple_first: bool = False,
    ):
        self.display_names, self.names = display_names or {}, names or {}
        self.leading, self.simple_first = frozenset(leading), simple_first
        self.written: dict[Any, str] = {}  # sorting prints each term several times

    # --- what each language defines ---------------------------------------------------------------------------------

    def symbol(self, name: str) -> str:
        return self.display_names.get(name, name)

    def number(self, n: int) -> str:
        return f"{n:,}"

    def power(self, base: str, n: int) -> str:
        return power_text(base, n)

    def quotient(self, over: str, under: str, simple: bool) -> str:
        return f"{over}/{under}" if simple else f"{over}/({under})"

    def bracketed(self, text: str) -> str:
        return f"({text})"

    def grouped(self, text: str) -> str:
        """A sum that stands over a denominator, in brackets where the notation needs them."""
        return self.bracketed(text)

    def call(self, x: Expr) -> str:
        """A rounding as specs write it: `ceil(4*d)`."""
        return SpecPrinter(self.display_names, self.names, leading=self.leading).call(x)

    # --- what all languages share ----------------------------------------------------------------------------------

    def settings(self, knobs: Mapping[str, Any]) -> str:
        """`r = 224, n = 1`: values by the symbols of their knobs."""
        return ", ".join(f"{self.symbol(name)} = {value_text(value)}" for name, value in knobs.items())

    def used_names(self, expressions: Iterable[Expr]) -> dict[str, Expr]:
        """The names that stand in these expressions, and the expression that each replaces."""
        kinds = {type(e) for e in self.names}
        used = {atom for expression in expressions for atom in expression.atoms(*kinds)} if kinds else set()
        return {name: e for e, name in self.names.items() if e in used}

    def where_line(self, names: Mapping[str, Expr]) -> list[str]:
        """`where c7 = round_to(192*w, 8)`, for these names; none without names."""
        plain = Printer(self.display_names)
        where = ", ".join(f"{name} = {plain.write(e)}" for name, e in names.items())
        return [f"where {where}"] if where else []

    def write(self, x: Any) -> str:
        """The formula as text."""
        if x in self.names or isinstance(x, Symbol):
            return self.atom(x)
        if x not in self.written:
            terms = self.ordered(x.args) if isinstance(x, Add) else [x]
            self.written[x] = self.sum([split_product(term) for term in terms])
        return self.written[x]

    def inside(self, x: Expr) -> str:
        """The argument of a rounding: a sum over one denominator, `(r + 1)/4`."""
        terms, shared = self.over_one_denominator(x)
        if len(terms) == 1 or shared == 1 or x in self.names:
            return self.write(x)
        return self.quotient(self.grouped(self.sum(terms)), self.number(shared), True)

    def over_one_denominator(self, x: Expr) -> tuple[list[Product], int]:
        """The numerator of a sum, as terms, and the denominator that they share."""
        terms = [split_product(term) for term in self.ordered(Add.make_args(x))]
        shared = lcm(*(term.q for term in terms))
        return [term._replace(p=term.p * (shared // term.q), q=1) for term in terms], shared

    def sum(self, terms: list[Product]) -> str:
        first, *others = terms
        text = (self.minus.strip() if first.p < 0 else "") + self.product(first)
        return text + "".join((self.minus if term.p < 0 else self.plus) + self.product(term) for term in others)

    def product(self, term: Product) -> str:
        """A term without its sign."""
        over = self.factors(abs(term.p), term.over)
        if term.q == 1 and not term.under:
            return over
        return self.quotient(over, self.factors(term.q, term.under), (term.q > 1) + len(term.under) == 1)

    def factors(self, number: int, factors: Factors) -> str:
        texts = [self.factor(base, n) for base, n in sorted(factors, key=self.rank)]
        return self.times.join(([self.number(number)] if number != 1 or not texts else []) + texts)

    def factor(self, base: Expr, n: int) -> str:
        return self.atom(base) if n == 1 else self.power(self.atom(base), n)

    def atom(self, x: Expr) -> str:
        if x in self.names:
            return self.symbol(self.names[x])
        if isinstance(x, Symbol):
            return self.symbol(x.name)
        return self.call(x) if x.func in NAMES else self.bracketed(self.write(x))

    def rank(self, factor: tuple[Expr, int]) -> Any:
        """The sort key of a factor: batch, symbols (squares first), roundings, sums."""
        base, n = factor
        kind = 1 if isinstance(base, Symbol) or base in self.names else 3 if isinstance(base, Add) else 2
        return (0 if base == BATCH else kind), -n, self.atom(base)

    def ordered(self, terms: Any) -> list[Expr]:
        """The terms sorted: the largest or the simplest first, constants last."""
        return sorted(terms, key=self.place)

    def place(self, term: Expr) -> Any:
        """The sort key of a term: its weight, positive ones first, then its symbols."""
        p, q, over, under = split_product(term)
        return *self.weight(term), p < 0, self.factors(1, over), self.factors(1, under), p, q

    def weight(self, term: Expr) -> Any:
        parts = split_product(term)
        if self.simple_first:
            return parts.is_number, sum(n for _, n in [*parts.over, *parts.under])
        rounded = {symbol for atom in term.atoms(floor, ceiling) for symbol in atom.free_symbols if symbol.is_integer}
        point = {x.name: FAR_OUT if x in rounded or x.name in self.leading else NEAR for x in term.free_symbols}
        return parts.is_number, -abs(substitute(term, point) / max(abs(parts.p), 1))


BATCH = Symbol("batch", positive=True, integer=True)


class SpecPrinter(Printer):
    """As specs and Python write arithmetic: `32*w`, `c**2`."""

    minus, plus, times = " - ", " + ", "*"

    def number(self, n: int) -> str:
        return str(n)

    def power(self, base: str, n: int) -> str:
        return f"{base}**{n}"

    def call(self, x: Expr) -> str:
        return f"{NAMES[x.func]}({', '.join(map(self.inside, x.args))})"
