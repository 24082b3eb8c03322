"""Evaluates the trees of expressions, exactly: on numbers, symbols or arrays."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from costcalc import dims
from costcalc.dims import clip
from costcalc.errors import Reported, ShapeError, did_you_mean
from costcalc.text import value_text

MAX_BITS = 4096
MAX_EXPONENT = 16
Names = Mapping[str, Any]
NOT_FINITE = ("nan", "inf", "infinity")


class Fault(Exception):
    """Why an expression has no value; without a message it was reported. The message shows `part` of the tree."""

    def __init__(self, message: str = "", hint: str = "", part: ast.expr | None = None):
        super().__init__(message)
        self.hint, self.part = hint, part


class Differs(Fault):
    """Why an expression has several values: points of an array differ in `key`."""

    def __init__(self, key: Any, message: str, part: ast.expr | None = None):
        super().__init__(message, "count them apart", part)
        self.key = key


def divide(a: Any, b: Any) -> Any:
    """a / b, exactly."""
    if dims.is_rational(a) and dims.is_rational(b):
        return Fraction(a, b)
    return a * Fraction(1) / b if dims.is_array(a) or dims.is_array(b) else a / b


def power(a: Any, b: Any) -> Any:
    """a ** b for a whole number b of at most 16."""
    if dims.is_array(b):
        b, array = dims.one_number(b), b
        if b is None:
            raise Differs(array.num, "an exponent differs between points of an array")
    if not dims.is_rational(b) or not dims.whole(b) or abs(b) > MAX_EXPONENT:
        raise ValueError(f"an exponent is a whole number up to {MAX_EXPONENT}, got {clip(b)}")
    return divide(1, a**-b) if b < 0 and (dims.is_rational(a) or dims.is_array(a)) else a**b


def negation(truth: Any) -> Any:
    """not truth; None if symbols leave it undecided; point by point on arrays."""
    return truth if truth is None else not truth if isinstance(truth, bool) else ~truth


ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: divide,
    ast.FloorDiv: dims.floor_div,
    ast.Mod: lambda a, b: a - b * dims.floor_div(a, b),
    ast.Pow: power,
}
UNARY: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}
COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: dims.equal,
    ast.NotEq: lambda a, b: negation(dims.equal(a, b)),
    ast.GtE: dims.at_least,
    ast.LtE: lambda a, b: dims.at_least(b, a),
    ast.Lt: lambda a, b: negation(dims.at_least(a, b)),
    ast.Gt: lambda a, b: negation(dims.at_least(b, a)),
}
FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "ceil": (dims.ceil, 1),
    "floor": (dims.floor, 1),
    "round_to": (dims.round_to, 2),
    "min": (dims.minimum, 2),
    "max": (dims.maximum, 2),
}


def evaluate(node: Any, names: Names) -> Any:
    """The value of a tree that `expressions.parse` let through. Raises Fault."""
    return RULES[node.__class__](node, names)


def _constant(node: ast.Constant, names: Names) -> Any:
    return node.value


def _name(node: ast.Name, names: Names) -> Any:
    try:
        value = names[node.id]
    except KeyError:
        hint = "every number is finite" if node.id.lower() in NOT_FINITE else did_you_mean(node.id, names)
        raise Fault(f"unknown name {node.id!r}", hint, node) from None
    if value.__class__ is Reported:
        raise Fault
    return value


def _binary(node: ast.BinOp, names: Names) -> Any:
    return _apply(ARITHMETIC[node.op.__class__], _size(node.left, names), _size(node.right, names))


def _unary(node: ast.UnaryOp, names: Names) -> Any:
    if node.op.__class__ is ast.Not:
        return negation(mask(node.operand, names))
    return UNARY[node.op.__class__](_size(node.operand, names))


def _logic(node: ast.BoolOp, names: Names) -> Any:
    every = node.op.__class__ is ast.And
    answer: Any = every
    for part in node.values:
        if answer is not every and isinstance(answer, bool):  # the rest changes nothing
            break
        answer = answer & mask(part, names) if every else answer | mask(part, names)
        if dims.is_array(answer) and (one := dims.one_truth(answer)) is not None:
            answer = one
    return answer


def _compare(node: ast.Compare, names: Names) -> Any:
    a, b = evaluate(node.left, names), evaluate(node.comparators[0], names)
    comparison = node.ops[0].__class__
    if a is None or b is None:
        raise undecided(node, names)
    words, flags = (isinstance(a, str), isinstance(b, str)), (_is_truth(a), _is_truth(b))
    for (one, other), what in ((words, "word"), (flags, "flag")):
        if one != other:
            raise Fault(f"compares a {what} with something else")
    if any(words + flags):
        if comparison is not ast.Eq and comparison is not ast.NotEq:
            raise Fault("words and flags are only equal or not")
        return a == b if comparison is ast.Eq else a != b  # point by point of arrays of truths
    return COMPARISONS[comparison](a, b)


def _choice(node: ast.IfExp, names: Names) -> Any:
    return evaluate(node.body if truth(node.test, names) else node.orelse, names)


def _call(node: ast.Call, names: Names) -> Any:
    return _apply(FUNCTIONS[node.func.id][0], *[_size(arg, names) for arg in node.args])  # type: ignore[attr-defined]


RULES: dict[type, Callable[[Any, Names], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _logic,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.Call: _call,
}


def _size(node: ast.expr, names: Names) -> Any:
    value = evaluate(node, names)
    if isinstance(value, str) or value is None or _is_truth(value):
        raise Fault(f"{ast.unparse(node)} is {_shown(value)}, not a number", part=node)
    return value


def truth(node: ast.expr, names: Names) -> bool:
    """Does a condition hold? Raises Fault if symbols leave it undecided, Differs if points of an array differ."""
    value = mask(node, names)
    one = dims.one_truth(value)
    if one is None:
        raise Differs(value, f"{ast.unparse(node)} holds at some points of an array and not at others", node)
    return one


def mask(node: ast.expr, names: Names) -> Any:
    """Does a condition hold? True, False or an array of bools. Raises Fault if symbols leave it undecided."""
    value = evaluate(node, names)
    if _is_truth(value):
        return value
    if value is None:
        raise undecided(node, names)
    raise Fault(f"{ast.unparse(node)} is {_shown(value)}, neither true nor false", part=node)


def undecided(node: ast.expr, names: Names) -> Fault:
    """The Fault of a condition with free symbols."""
    text = ast.unparse(node)
    read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - {
        *FUNCTIONS
    }  # a function's name is a Name too
    how = settings_hint([names[name] for name in read], getattr(names, "defaults", {}))
    return Fault(f"cannot decide {text} while its symbols are free", f"set them{how and f', as in {how}'}", node)


def settings_hint(sizes: Iterable[Any], defaults: Names) -> str:
    """`--set n=4`: sets each knob that is a symbol in these sizes to its default."""
    symbols = {str(symbol) for size in sizes for symbol in getattr(size, "free_symbols", ())}
    return " ".join(f"--set {name}={value_text(defaults[name])}" for name in sorted(symbols & defaults.keys()))


def _is_truth(value: Any) -> bool:
    """Is it a bool or an array of bools?"""
    return isinstance(value, bool) or (dims.is_array(value) and value.dtype.kind == "b")


def _shown(value: Any) -> str:
    if _is_truth(value):
        return str(value).lower() if isinstance(value, bool) else "true or false"
    return "undecided" if value is None else "a number" if dims.is_array(value) else clip(value)


def _apply(function: Callable[..., Any], *values: Any) -> Any:
    try:
        result = dims.canonical(function(*values))
    except ZeroDivisionError:
        _refuse_zeros(values)
        raise Fault("a division by zero") from None
    except (ValueError, ShapeError) as error:  # from numbers, or from symbolic sizes that grow too large
        raise Fault(str(error)) from None
    if dims.is_rational(result) and max(result.numerator.bit_length(), result.denominator.bit_length()) > MAX_BITS:
        raise Fault(f"a number of more than {MAX_BITS} bits")
    return result


def _refuse_zeros(values: Iterable[Any]) -> None:
    """Raises Differs if one of the values is an array that is zero at some points only."""
    for value in values:
        zero = value == 0 if dims.is_array(value) else False
        if dims.one_truth(zero) is None:
            raise Differs(zero, "a division by zero at some points of an array")
