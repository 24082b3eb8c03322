"""Prints formulas as text, LaTeX and Python. `Printer` splits sums and products; each language defines only how it
prints a number, a power, a quotient and a rounding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import lcm
from typing import Any, NamedTuple

from sympy import Add, Expr, Max, Min, Mul, Pow, Symbol, ceiling, floor

from costcalc.dims.substitute import substitute
from costcalc.dims.symbolic import Gcd, RoundTo
from costcalc.text import power_text

Factors = list[tuple[Expr, int]]
NAMES = {ceiling: "ceil", floor: "floor", RoundTo: "round_to", Max: "max", Min: "min", Gcd: "gcd"}
FAR_OUT, NEAR = 10**6, 10  # values at which terms are compared to sort them: image sizes and all other symbols


class Product(NamedTuple):
    """p/q · over / under, exponents positive."""

    p: int
    q: int
    over: Factors
    under: Factors

    @property
    def is_number(self) -> bool:
        """Without factors."""
        return not self.over and not self.under


def split_product(x: Expr) -> Product:
    """The factors of a term."""
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

    `display_names` replace the names of symbols, `names` whole expressions. The terms that grow fastest come first,
    above all in the symbols of `leading`; with `simple_first` the terms with the fewest factors.
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
        """A sum over a denominator."""
        return self.bracketed(text)

    def call(self, x: Expr) -> str:
        """A rounding as specs write it: `ceil(4*d)`."""
        return SpecPrinter(self.display_names, self.names, leading=self.leading).call(x)

    # --- what all languages share ----------------------------------------------------------------------------------

    def write(self, x: Any) -> str:
        """The formula as text."""
        if x in self.names or isinstance(x, Symbol):
            return self.atom(x)
        if x not in self.written:
            terms = self.ordered(x.args) if isinstance(x, Add) else [x]
            self.written[x] = self.sum([split_product(term) for term in terms])
        return self.written[x]

    def inside(self, x: Expr) -> str:
        """What is rounded: a sum over one denominator, `(r + 1)/4`."""
        terms = [split_product(term) for term in self.ordered(Add.make_args(x))]
        shared = lcm(*(term.q for term in terms))
        if len(terms) == 1 or shared == 1 or x in self.names:
            return self.write(x)
        whole = self.sum([term._replace(p=term.p * (shared // term.q), q=1) for term in terms])
        return self.quotient(self.grouped(whole), self.number(shared), True)

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
        """Factors as one writes them: batch, symbols (squares first), roundings, sums."""
        base, n = factor
        kind = 1 if isinstance(base, Symbol) or base in self.names else 3 if isinstance(base, Add) else 2
        return (0 if base == BATCH else kind), -n, self.atom(base)

    def ordered(self, terms: Any) -> list[Expr]:
        """Terms as one writes them: the largest or the simplest first, constants last."""
        return sorted(terms, key=self.place)

    def place(self, term: Expr) -> Any:
        """Where a term stands: by weight, positive ones first, then by its symbols."""
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


GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
SPECIAL = {"\\": r"\backslash{}", **{sign: f"\\{sign}" for sign in "{}$&#%_"}, "^": r"\hat{}", "~": r"\sim{}"}


def escaped(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(SPECIAL.get(sign, sign) for sign in text)


def symbol_parts(shown: str) -> tuple[str, str, int]:
    """The head, subscript and number of primes of a symbol: c_in -> c, in, 0; n4 -> n, 4, 0; n_c' -> n, c, 1."""
    bare = shown.rstrip("'")
    head, _, below = re.sub(r"^([^\W\d_])(\d+)$", r"\1_\2", bare).partition("_")
    return head, below, len(shown) - len(bare)


class LatexPrinter(Printer):
    """LaTeX for math mode, with amsmath."""

    minus, plus, times = " - ", " + ", r" \cdot "

    def symbol(self, name: str) -> str:
        r"""c_in -> c_{\mathrm{in}}, n4 -> n_{4}, n_c' -> n_{c}', classes -> \mathrm{classes}"""
        head, below, primes = symbol_parts(self.display_names.get(name, name))
        head = f"\\{head}" if head in GREEK else head if len(head) == 1 else rf"\mathrm{{{escaped(head)}}}"
        inside = below if len(below) == 1 or below.isdigit() else rf"\mathrm{{{escaped(below)}}}"
        return head + (f"_{{{inside}}}" if below else "") + "'" * primes

    def number(self, n: int) -> str:
        return f"{n:,}".replace(",", "{,}")

    def power(self, base: str, n: int) -> str:
        return f"{base}^{{{n}}}"

    def quotient(self, over: str, under: str, simple: bool) -> str:
        return rf"\frac{{{over}}}{{{under}}}"

    def bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def grouped(self, text: str) -> str:
        return text  # \frac groups

    def call(self, x: Expr) -> str:
        inside = ",\\, ".join(map(self.inside, x.args))
        if isinstance(x, (ceiling, floor)):
            side = "ceil" if isinstance(x, ceiling) else "floor"
            return rf"\left\l{side} {inside} \right\r{side}"
        name = r"\operatorname{round\_to}" if isinstance(x, RoundTo) else f"\\{NAMES[x.func]}"
        return name + self.bracketed(inside)


class PythonPrinter(SpecPrinter):
    """Python that stays exact on ints and Fractions: a division is a Fraction, or floor's and ceil's own."""

    def quotient(self, over: str, under: str, simple: bool) -> str:
        return f"Fraction({over}, {under})"

    def call(self, x: Expr) -> str:
        if isinstance(x, (ceiling, floor)):
            term = x.args[0]
            parts = [split_product(part) for part in Add.make_args(term)]
            shared = lcm(*(part.q for part in parts))
            inside = self.write(Add(*(part * shared for part in Add.make_args(term))))
            return f"{NAMES[x.func]}({inside}{f', {shared}' if shared > 1 else ''})"
        return f"{NAMES[x.func]}({', '.join(map(self.write, x.args))})"
