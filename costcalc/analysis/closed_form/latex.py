"""A formula in LaTeX: an `align*` of amsmath."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Expr, ceiling, floor

from costcalc.analysis.closed_form.printers import GREEK, NAMES, Printer, symbol_parts
from costcalc.dims.symbolic import RoundTo
from costcalc.table import visible

SPECIAL = {"\\": r"\backslash{}", **{sign: f"\\{sign}" for sign in "{}$&#%_"}, "^": r"\hat{}", "~": r"\sim{}"}


def escaped(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(SPECIAL.get(sign, sign) for sign in text)


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


def equation(metric: str, parts: Sequence[tuple[str, Expr]], latex: LatexPrinter) -> str:
    """The sum of the named parts of a metric, each on a line."""
    left, lines = rf"\mathrm{{{escaped(metric)}}}", []
    for i, (name, expression) in enumerate(parts):
        label = rf" && \text{{{escaped(visible(name))}}}" if len(parts) > 1 else ""
        lines.append((r"&\quad + " if i else f"{left} &= ") + latex.write(expression) + label)
    return align(lines or [f"{left} &= 0"], [e for _, e in parts], latex)


def align(lines: Sequence[str], expressions: Iterable[Expr], latex: LatexPrinter) -> str:
    """Lines of math as an `align*` of amsmath, and below them the names that stand in the expressions."""
    plain = LatexPrinter(latex.display_names)
    where = [f"{plain.symbol(name)} &= {plain.write(e)}" for name, e in latex.used_names(expressions).items()]
    return "\\begin{align*}\n  " + " \\\\\n  ".join([*lines, *where]) + "\n\\end{align*}"
