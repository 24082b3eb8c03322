"""Arithmetic as text: Python parses it, an allow-list checks the tree, and `arithmetic.evaluate` computes it."""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from costcalc import dims
from costcalc.errors import Place, PointsDiffer, Problem, SpecError, did_you_mean, shorten
from costcalc.expressions.arithmetic import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    UNARY,
    Differs,
    Fault,
    Names,
    evaluate,
    mask,
    truth,
    undecided,
)
from costcalc.text import plural

MAX_CHARACTERS = 1000
MAX_DIGITS = 300  # of a number, its exponent written out
MAX_EXPRESSION_DEPTH = 50
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
RESERVED = frozenset([*keyword.kwlist, "true", "false", *FUNCTIONS])  # no names of knobs or sizes
ALLOWED = "allowed: + - * / // % **, comparisons, if-else, " + ", ".join(FUNCTIONS)
SHORT, THOUSANDS = re.compile(r"(?<![\w.])(\d+\.?\d*)([KMGB])\b"), {"K": 3, "M": 6, "G": 9, "B": 9}  # as budgets have
TOKENS = re.compile(
    r"""(?P<text>'[^'\\]*'|"[^"\\]*")"""
    r"|(?P<number>(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)(?![\w.]))"
    r"|(?P<word>[\w.]+)|(?P<sign>\S)"
)
PREFIXES = ("r", "R", "u", "U")  # of a text, where Python allows more than bytes
LOOK_ALIKES = {"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "≤": "<=", "≥": ">=", "≠": "!=", "²": "**2",
               "‘": "'", "’": "'", "“": "'", "”": "'"}  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """An expression, parsed and allowed, not yet evaluated. `names` are those it reads."""

    text: str
    tree: ast.expr
    place: Place
    names: frozenset[str] = frozenset()

    def value(self, names: Names) -> Any:
        """A number, a symbolic size or an array, as the values of `names` are. Raises SpecError at its place."""
        return self._ask(_value, names)

    def truth(self, names: Names) -> bool:
        """Does it hold? Raises SpecError if it is not a condition or symbols leave it undecided, or PointsDiffer."""
        return bool(self._ask(truth, names))

    def mask(self, names: Names) -> Any:
        """At which points does it hold: True, False or an array of bools? Raises SpecError if it is not a condition."""
        return self._ask(mask, names)

    def _ask(self, question: Callable[[ast.expr, Names], Any], names: Names) -> Any:
        try:
            return question(self.tree, names)
        except Fault as fault:
            raise self.error(fault) from None

    def error(self, fault: Fault) -> SpecError:
        """The fault as a SpecError at this place; without a problem if it was reported."""
        message = str(fault)
        shown = "" if fault.part is self.tree else f"{shorten(self.text)}: "
        if isinstance(fault, Differs):
            return PointsDiffer(fault.key, f"{shown}{message}", self.place, fault.hint)
        return SpecError(Problem(self.place, f"{shown}{message}", fault.hint) if message else [])

    def check_names(self, known: Collection[str]) -> Expression:
        """This expression. Raises SpecError if it reads other names than these."""
        strange = sorted(self.names.difference(known))
        if not strange:
            return self
        shown = "" if strange[0] == self.text else f"{shorten(self.text)}: "
        hints = [did_you_mean(name, known) for name in strange]
        problems = [Problem(self.place, f"{shown}unknown name {n!r}", hint) for n, hint in zip(strange, hints)]
        raise SpecError(problems)

    def compared_words(self) -> Iterator[tuple[str, str]]:
        """Each name that is compared with a word, and the word."""
        for node in ast.walk(self.tree) if "'" in self.text or '"' in self.text else ():
            match node:
                case ast.Compare(ast.Name(id=name), _, [ast.Constant(value=str(word))]):
                    yield name, word
                case ast.Compare(ast.Constant(value=str(word)), _, [ast.Name(id=name)]):
                    yield name, word


def _value(tree: ast.expr, names: Names) -> Any:
    value = dims.canonical(evaluate(tree, names))
    if value is None:  # an undecided condition; None means to callers that a problem was reported
        raise undecided(tree, names)
    return value


def constant(value: Any, place: Place, text: str = "") -> Expression:
    """A number or word that stands for itself."""
    return Expression(text or str(value), _leaf(value), place)


_leaf = lru_cache(maxsize=4096, typed=True)(ast.Constant)  # specs repeat themselves; typed: 1 is not True


def parse(text: str, place: Place) -> Expression:
    """The expression in `text`. Raises SpecError if it is not Python's grammar or not on the allow-list."""
    try:
        tree, names = _parsed(text.strip(" \t\n"))
    except Fault as fault:
        raise SpecError(Problem(place, f"{shorten(text)!r} {fault}", fault.hint)) from None
    return Expression(text, tree, place, names)


@lru_cache(maxsize=4096)  # specs repeat themselves
def _parsed(text: str) -> tuple[ast.expr, frozenset[str]]:
    """The tree of an expression, and the names in it."""
    if NAME.fullmatch(text) and text not in RESERVED:
        return ast.Name(text), frozenset([text])
    if len(text) > MAX_CHARACTERS:
        raise Fault(f"has {len(text):,} characters; an expression has at most {MAX_CHARACTERS:,}")
    text = text.replace("\n", " ")
    strange = next((char for char in text if not (char.isascii() and (char.isprintable() or char == "\t"))), None)
    if strange is not None:
        hint = f"write {LOOK_ALIKES[strange]}" if strange in LOOK_ALIKES else "see `costcalc help specs`"
        raise Fault(f"has the character {strange!r}, which no expression has", hint)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        short = SHORT.search(text)
        hint = f"write {short[1]}e{THOUSANDS[short[2]]} for {short[0]}" if short else "see `costcalc help specs`"
        raise Fault("is not an expression", hint) from None
    _refuse_the_unexpected(text)
    names: set[str] = set()
    return _Allowed(text, names).tree(tree, 0), frozenset(names)


def _refuse_the_unexpected(text: str) -> None:
    """Raises Fault for syntax of Python that the reader of a spec does not expect, or reads in another way."""
    before = None
    for token in TOKENS.finditer(text):
        word, sign = token["word"] or "", token["sign"] or ""
        if sign == "#":
            raise Fault("has a #, and an expression has no comments", "a comment of YAML stands behind a space")
        if sign == "\\" or sign in ("'", '"'):
            raise Fault("has a \\, which no expression has", "remove it")
        if word.lstrip(".")[:1].isdigit():
            hint = f"write {shorten(word.replace('_', ''), 60)}" if "_" in word else "put a space behind a number"
            raise Fault(f"has {shorten(word, 20)}, which is not a number", hint)
        if token["text"] and before and before.end() == token.start() and before["word"] in PREFIXES:
            raise Fault(f"has the prefix {before['word']!r} before a text", "remove it")
        if token["text"] and before and before["text"]:
            raise Fault("has a text behind a text", "write one")
        before = token


class _Allowed:
    """Copies a tree with exact numbers. Raises Fault for a node that is not on the allow-list."""

    def __init__(self, text: str, names: set[str]):
        self.text, self.names = text, names

    def tree(self, node: ast.expr, depth: int) -> ast.expr:
        if depth > MAX_EXPRESSION_DEPTH:
            raise Fault(f"is nested more than {MAX_EXPRESSION_DEPTH} deep", "name its parts in sizes:")
        match node:
            case ast.Constant() | ast.Name():
                return self.leaf(node)
            case ast.BinOp(left, op, right) if type(op) in ARITHMETIC:
                return ast.BinOp(self.tree(left, depth + 1), op, self.tree(right, depth + 1))
            case ast.UnaryOp(op, operand) if type(op) in UNARY:
                return ast.UnaryOp(op, self.tree(operand, depth + 1))
            case ast.BoolOp(op, values):
                return ast.BoolOp(op, [self.tree(value, depth + 1) for value in values])
            case ast.Compare(left, [op], [right]) if type(op) in COMPARISONS:
                return ast.Compare(self.tree(left, depth + 1), [op], [self.tree(right, depth + 1)])
            case ast.IfExp(test, body, orelse):
                return ast.IfExp(*(self.tree(part, depth + 1) for part in (test, body, orelse)))
            case ast.Call(ast.Name(id=name), args, keywords):
                allowed = self.arguments(name, args, keywords)
                return ast.Call(ast.Name(name), [self.tree(arg, depth + 1) for arg in allowed], [])
        raise Fault(*_refused(node))

    def leaf(self, node: ast.Constant | ast.Name) -> ast.expr:
        if isinstance(node, ast.Name):
            if node.id in ("true", "false"):  # YAML's spelling
                return ast.Constant(node.id == "true")
            if not NAME.fullmatch(node.id):
                raise Fault("has a name of more than 64 characters")
            self.names.add(node.id)
            return node
        if isinstance(node.value, bool | str):
            return node
        if isinstance(node.value, int | float):
            return ast.Constant(_exact(self.text[node.col_offset : node.end_col_offset]))
        raise Fault(*_refused(node))

    def arguments(self, name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> list[ast.expr]:
        if name not in FUNCTIONS:
            raise Fault(f"calls {shorten(name)!r}, which is not a function", did_you_mean(name, FUNCTIONS))
        wanted = FUNCTIONS[name][1]
        if keywords or len(args) != wanted:
            raise Fault(f"calls {name}, which takes {plural(wanted, 'value')}")
        return args


def _refused(node: ast.expr) -> tuple[str, str]:
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return "chains comparisons", "write a < b and b < c"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return "has a ^, which is not arithmetic", "write ** for a power"
    if isinstance(node, ast.Constant):
        return f"has {shorten(str(node.value), 20)}, which is not arithmetic", ALLOWED
    what = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
    return f"has {'an' if what[0] in 'aeiou' else 'a'} {what}, which is not arithmetic", ALLOWED


def _exact(literal: str) -> Any:
    digits = literal.lower()
    if re.fullmatch(r"0[xob][0-9a-f]+", digits):
        return int(digits, 0)
    mantissa, _, exponent = digits.partition("e")
    if len(mantissa) > MAX_DIGITS or len(exponent) > 4 or abs(int(exponent or 0)) > MAX_DIGITS:
        raise Fault(f"has a number of more than {MAX_DIGITS} digits")
    return dims.canonical(Fraction(digits))
