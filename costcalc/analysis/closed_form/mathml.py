"""Formulas as MathML for web pages, in the order of the text of `costcalc formula`."""

from __future__ import annotations

from html import escape

from sympy import Add, Expr, Mul, ceiling, floor

from costcalc.analysis.closed_form.printers import GREEK, NAMES, Printer, symbol_parts
from costcalc.table import visible

MAX_TERMS_UNBROKEN = 6  # of a sum over a number, or within another sum


class MathMLPrinter(Printer):
    """The inside of a <math> element. Names are escaped; all other text is ours."""

    minus, plus, times = "<mo>−</mo>", "<mo>+</mo>", "<mo>·</mo>"

    def symbol(self, name: str) -> str:
        """c_in and c7 with a subscript, phi as φ."""
        head, below, primes = symbol_parts(visible(self.display_names.get(name, name)))
        text = f"<mi>{escape(GREEK.get(head, head))}{'′' * primes}</mi>"
        return f"<msub>{text}<mi>{escape(below)}</mi></msub>" if below else text

    def number(self, n: int) -> str:
        return f"<mn>{n:,}</mn>"

    def power(self, base: str, n: int) -> str:
        return f"<msup><mrow>{base}</mrow><mn>{n}</mn></msup>"

    def quotient(self, over: str, under: str, simple: bool) -> str:
        return f"<mfrac><mrow>{over}</mrow><mrow>{under}</mrow></mfrac>"

    def bracketed(self, text: str) -> str:
        return f"<mrow><mo stretchy='false'>(</mo>{text}<mo stretchy='false'>)</mo></mrow>"

    def grouped(self, text: str) -> str:
        return text  # a fraction groups

    def call(self, x: Expr) -> str:
        inside = "<mo>,</mo>".join(map(self.inside, x.args))
        if isinstance(x, (ceiling, floor)):
            left, right = "⌈⌉" if isinstance(x, ceiling) else "⌊⌋"
            return f"<mrow><mo>{left}</mo>{inside}<mo>{right}</mo></mrow>"
        return f"<mrow><mi>{NAMES[x.func]}</mi><mo>&#8289;</mo>{self.bracketed(inside)}</mrow>"

    def pieces(self, x: Expr) -> list[str]:
        """A formula in pieces between which a line may break: the terms of its sum, also of a sum in brackets."""
        if isinstance(x, Add):
            first, *others = self.ordered(x.args)
            return [*self._term(first), *(piece for other in others for piece in self._signed(other))]
        factors = Mul.make_args(x)
        sums = [factor for factor in factors if isinstance(factor, Add)]
        if len(sums) != 1 or len(factors) == 1:
            return [self.write(x)]
        over, under = Mul(*(factor for factor in factors if factor is not sums[0])).as_numer_denom()
        if under != 1 and not (_is_long(sums[0]) and under.is_Integer):
            return [self.write(x)]
        front = "" if over == 1 else f"{self.write(over)}{self.times}"
        behind = "" if under == 1 else f"<mo>/</mo>{self.write(under)}"  # a fraction this wide could not break
        return [f"{front}<mo stretchy='false'>(</mo>", *self.pieces(sums[0]), f"<mo stretchy='false'>)</mo>{behind}"]

    def _term(self, term: Expr) -> list[str]:
        """A term of a sum, in pieces if it holds a sum of many terms."""
        return self.pieces(term) if any(map(_is_long, Mul.make_args(term))) else [self.write(term)]

    def _signed(self, term: Expr) -> list[str]:
        """A later term of a sum, behind its sign."""
        negative = term.could_extract_minus_sign()
        first, *others = self._term(-term if negative else term)
        return [f'<mo form="infix">{"−" if negative else "+"}</mo>{first}', *others]


def _is_long(x: Expr) -> bool:
    return isinstance(x, Add) and len(x.args) > MAX_TERMS_UNBROKEN
