"""Arithmetic in specs. Python parses; a short list of its syntax is allowed; nothing is ever evaluated by Python."""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from costcalc import dims
from costcalc.errors import Place, Problem, SpecError, did_you_mean

MAX_TEXT = 1000
MAX_DEPTH = 50
MAX_BITS = 4096
MAX_EXPONENT = 16
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
Names = Mapping[str, Any]


def divide(a: Any, b: Any) -> Any:
    """a / b, exactly."""
    if isinstance(a, int) and isinstance(b, int):
        return dims.normal(Fraction(a, b))
    return a / b


def power(a: Any, b: Any) -> Any:
    """a ** b for a whole number b of at most 16."""
    if not isinstance(b, int) or abs(b) > MAX_EXPONENT:
        raise ValueError(f"an exponent is a whole number up to {MAX_EXPONENT}, got {dims.size_text(b)[:20]}")
    return Fraction(a) ** b if b < 0 and isinstance(a, int) else a**b


ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: divide,
    ast.FloorDiv: dims.floor_div,
    ast.Mod: lambda a, b: a - b * dims.floor_div(a, b),
    ast.Pow: power,
}
SIGNS: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}
COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: dims.equal,
    ast.NotEq: lambda a, b: _negation(dims.equal(a, b)),
    ast.GtE: dims.at_least,
    ast.LtE: lambda a, b: dims.at_least(b, a),
    ast.Lt: lambda a, b: _negation(dims.at_least(a, b)),
    ast.Gt: lambda a, b: _negation(dims.at_least(b, a)),
}
FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "ceil": (dims.ceil, 1),
    "floor": (dims.floor, 1),
    "round_to": (dims.round_to, 2),
    "min": (dims.minimum, 2),
    "max": (dims.maximum, 2),
}


def _negation(truth: Any) -> Any:
    return None if truth is None else not truth


@dataclass(frozen=True)
class Expression:
    """An expression of a spec, parsed and allowed, not yet evaluated."""

    text: str
    tree: ast.expr
    place: Place

    def value(self, names: Names) -> Any:
        """A number, a formula or a column: the kind `names` holds. Raises SpecError at the place of the fault."""
        try:
            return dims.normal(_evaluate(self.tree, names))
        except _Fault as fault:
            raise SpecError(Problem(self.place, f"{shorten(self.text)}: {fault}", fault.hint)) from None


class _Fault(Exception):
    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


def shorten(text: str, limit: int = 60) -> str:
    """Text for a message, cut if long."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def constant(value: Any, place: Place) -> Expression:
    """A number or word that stands for itself."""
    return Expression(str(value), ast.Constant(value), place)


def parse(text: str, place: Place) -> Expression:
    """The expression in `text`. Raises SpecError if it is not Python's grammar or not on the list."""
    if len(text) > MAX_TEXT:
        raise SpecError(Problem(place, f"an expression of {len(text):,} characters; at most {MAX_TEXT}"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SpecError(Problem(place, f"{shorten(text)!r} is not an expression", "see docs/specs.md")) from None
    try:
        return Expression(text, _allowed(tree, text.strip(), 0), place)
    except _Fault as fault:
        raise SpecError(Problem(place, f"{shorten(text)!r}: {fault}", fault.hint)) from None


def _allowed(node: ast.expr, text: str, depth: int) -> ast.expr:
    """The same tree with exact numbers, if all of it is on the list."""
    if depth > MAX_DEPTH:
        raise _Fault(f"nested more than {MAX_DEPTH} deep")

    def inner(child: ast.expr) -> ast.expr:
        return _allowed(child, text, depth + 1)

    match node:
        case ast.Constant(value=bool() | str()):
            return node
        case ast.Constant(value=int() | float()):
            return ast.Constant(_exact(ast.get_source_segment(text, node) or ""))
        case ast.Name(id="true" | "false" as word):  # YAML's spelling
            return ast.Constant(word == "true")
        case ast.Name(id=name) if NAME.fullmatch(name):
            return node
        case ast.BinOp(left, sign, right) if type(sign) in ARITHMETIC:
            return ast.BinOp(inner(left), sign, inner(right))
        case ast.UnaryOp(sign, operand) if type(sign) in SIGNS:
            return ast.UnaryOp(sign, inner(operand))
        case ast.BoolOp(sign, values):
            return ast.BoolOp(sign, [inner(value) for value in values])
        case ast.Compare(left, [sign], [right]) if type(sign) in COMPARISONS:
            return ast.Compare(inner(left), [sign], [inner(right)])
        case ast.IfExp(test, body, orelse):
            return ast.IfExp(inner(test), inner(body), inner(orelse))
        case ast.Call(ast.Name(id=name), args, []) if name in FUNCTIONS:
            if len(args) != FUNCTIONS[name][1] or any(isinstance(arg, ast.Starred) for arg in args):
                raise _Fault(f"{name} takes {FUNCTIONS[name][1]} value{'s' * (FUNCTIONS[name][1] > 1)}")
            return ast.Call(ast.Name(name), [inner(arg) for arg in args], [])
        case ast.Call(ast.Name(id=name)):
            raise _Fault(f"there is no function {shorten(name)!r}", did_you_mean(name, FUNCTIONS))
    raise _Fault(f"{_what(node)} is not arithmetic", "allowed: + - * / // % **, comparisons, if-else, " + ", ".join(FUNCTIONS))  # fmt: skip


def _what(node: ast.expr) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()


def _exact(literal: str) -> Any:
    digits = literal.replace("_", "").lower()
    if re.fullmatch(r"0[xob][0-9a-f]+", digits):
        return int(digits, 0)
    mantissa, _, exponent = digits.partition("e")
    if len(mantissa) > 300 or not re.fullmatch(r"[-+]?[0-9]{0,3}", exponent) or abs(int(exponent or 0)) > 300:
        raise _Fault("a number of more than 300 digits")
    try:
        return dims.normal(Fraction(digits))
    except ValueError:
        raise _Fault(f"{shorten(literal, 20)} is not a number") from None


def _evaluate(node: ast.expr, names: Names) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            if name not in names:
                raise _Fault(f"unknown name {name!r}", did_you_mean(name, names))
            return names[name]
        case ast.BinOp(left, sign, right):
            return _apply(ARITHMETIC[type(sign)], _size(left, names), _size(right, names))
        case ast.UnaryOp(ast.Not(), operand):
            return not _truth(operand, names)
        case ast.UnaryOp(sign, operand):
            return SIGNS[type(sign)](_size(operand, names))
        case ast.BoolOp(ast.And(), values):
            return all(_truth(value, names) for value in values)
        case ast.BoolOp(_, values):
            return any(_truth(value, names) for value in values)
        case ast.Compare(left, [sign], [right]):
            return _compare(sign, _evaluate(left, names), _evaluate(right, names))
        case ast.IfExp(test, body, orelse):
            return _evaluate(body if _truth(test, names) else orelse, names)
        case ast.Call(ast.Name(id=name), args):
            return _apply(FUNCTIONS[name][0], *(_size(arg, names) for arg in args))
    raise _Fault(f"{_what(node)} is not arithmetic")  # pragma: no cover - `_allowed` let it through


def _compare(sign: ast.cmpop, a: Any, b: Any) -> Any:
    if isinstance(a, str) != isinstance(b, str) or isinstance(a, str) and not isinstance(sign, ast.Eq | ast.NotEq):
        raise _Fault("compares a word with a number" if isinstance(a, str) != isinstance(b, str) else "words are only equal or not")  # fmt: skip
    return COMPARISONS[type(sign)](a, b)


def _size(node: ast.expr, names: Names) -> Any:
    value = _evaluate(node, names)
    if isinstance(value, str | bool) or value is None:
        raise _Fault(f"{ast.unparse(node)} is {value!r}, not a number")
    return value


def _truth(node: ast.expr, names: Names) -> bool:
    value = _evaluate(node, names)
    if isinstance(value, bool):
        return value
    if value is None:
        raise _Fault(f"cannot decide {ast.unparse(node)} while its letters are free", "set them")
    raise _Fault(f"{ast.unparse(node)} is {value!r}, neither true nor false")


def _apply(function: Callable[..., Any], *values: Any) -> Any:
    try:
        result = function(*values)
    except ZeroDivisionError:
        raise _Fault("a division by zero") from None
    except ValueError as error:
        raise _Fault(str(error)) from None
    number = result if isinstance(result, int | Fraction) else 0
    if max(abs(number.numerator), number.denominator).bit_length() > MAX_BITS:
        raise _Fault(f"a number of more than {MAX_BITS} bits")
    return dims.normal(result)
