"""Formulas for web pages: MathML, in the order in which the text of `costcalc formula` has them."""

from __future__ import annotations

import re
from html import escape

from sympy import Add, Expr, Mul, ceiling, floor

from costcalc.analysis.closed_form.mathtext import GREEK, NAMES, Writer
from costcalc.table import visible

GREEK_LETTERS = {
    name: chr(code) for name, code in zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho".split(),
        range(0x3B1, 0x3C2),
    )
} | dict(zip("sigma tau upsilon phi chi psi omega".split(), map(chr, range(0x3C3, 0x3CA))))  # fmt: skip


class MathML(Writer):
    """The inside of a <math> element. Names are escaped; nothing else comes from outside."""

    minus, plus, times = "<mo>−</mo>", "<mo>+</mo>", "<mo>·</mo>"

    def letter(self, name: str) -> str:
        """c_in and c7 have what comes after their first part below, phi is φ."""
        shown = visible(self.letters.get(name, name))
        bare = shown.rstrip("'")
        head, _, below = re.sub(r"^([^\W\d_])(\d+)$", r"\1_\2", bare).partition("_")
        text = f"<mi>{escape(GREEK_LETTERS[head] if GREEK.fullmatch(head) else head)}{'′' * (len(shown) - len(bare))}</mi>"
        return f"<msub>{text}<mi>{escape(below)}</mi></msub>" if below else text

    def number(self, n: int) -> str:
        return f"<mn>{n:,}</mn>"

    def power(self, base: str, n: int) -> str:
        return f"<msup><mrow>{base}</mrow><mn>{n}</mn></msup>"

    def quotient(self, over: str, under: str, simple: bool) -> str:
        return f"<mfrac><mrow>{over}</mrow><mrow>{under}</mrow></mfrac>"

    def bracketed(self, text: str) -> str:
        return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"

    def grouped(self, text: str) -> str:
        return text  # a fraction groups

    def call(self, x: Expr) -> str:
        inside = "<mo>,</mo>".join(map(self.inside, x.args))
        if isinstance(x, (ceiling, floor)):
            left, right = "⌈⌉" if isinstance(x, ceiling) else "⌊⌋"
            return f"<mrow><mo>{left}</mo>{inside}<mo>{right}</mo></mrow>"
        return f"<mrow><mi>{NAMES[x.func]}</mi><mo>&#8289;</mo>{self.bracketed(inside)}</mrow>"

    def pieces(self, x: Expr) -> list[str]:
        """A long formula in pieces between which a line may end: the terms of a sum, also of one in brackets."""
        if isinstance(x, Add):
            first, *others = self.ordered(x.args)
            signed = [(term, self.minus if term.could_extract_minus_sign() else self.plus) for term in others]
            return [self.write(first), *(sign + self.write(-t if sign == self.minus else t) for t, sign in signed)]
        factors = Mul.make_args(x)
        sums = [factor for factor in factors if isinstance(factor, Add)]
        if len(sums) != 1 or len(factors) == 1:
            return [self.write(x)]
        front = Mul(*(factor for factor in factors if factor is not sums[0]))
        if front.as_numer_denom()[1] != 1:
            return [self.write(x)]
        first, *others = self.pieces(sums[0])
        return [f"{self.write(front)}{self.times}<mo stretchy='false'>(</mo>", first, *others, "<mo stretchy='false'>)</mo>"]
