"""Values as text in the cells of a table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from costcalc.text import COUNTS, as_float, rounded, times_text, value_text

NOT_QUOTED = "–"  # where a column quotes figures and a network has none


def cell(value: Any, kind: str, formula_text: Callable[[Any], str] = str) -> str:
    """A value as text: 12,443,648, 9.68×, 35.2 %, 28×28×32; whole numbers are never shortened. `formula_text` writes
    values and sizes that are no numbers."""
    if value.__class__ is int and kind == "int":  # the common case: faster than the checks below
        return f"{value:,}"
    if value is None:
        return NOT_QUOTED if kind == "quoted" else ""
    if kind == "shape":
        return visible(shape_text(value, formula_text))
    if value.__class__ is str and kind == "text":
        return visible(value)
    if isinstance(value, Printed):
        return value.text
    number = value if isinstance(value, Fraction) else plain_number(value)
    if kind not in NUMBERS or number is None:
        return visible(value_text(value) if kind == "knob" else formula_text(value))
    return NUMBERS[kind](number)


def _whole(number: Any) -> str:
    if isinstance(number, InUnit):
        return f"{measured(Fraction(int(number), number.size))} {number.unit}".rstrip()
    return value_text(number) if isinstance(number, Fraction) else f"{number:,}"


class InUnit(int):
    """A whole number that a table shows in a unit: 4.089 G. CSV and JSON have it in full."""

    unit: str
    size: int

    def __new__(cls, number: int, unit: str, size: int) -> InUnit:
        self = super().__new__(cls, number)
        self.unit, self.size = unit, size
        return self


class Printed(float):
    """A number as others printed it: its digits stay, `0.50` and `91.42`."""

    text: str

    def __new__(cls, text: str) -> Printed:
        self = super().__new__(cls, text.replace(",", ""))
        self.text = text
        return self


class Worded(str):
    """A value in the words of a table: `MACs`, `61,706`, `5.3M`. A CSV has it plain: `macs`, 61706, 5300000."""

    plain: Any

    def __new__(cls, words: str, plain: Any) -> Worded:
        self = super().__new__(cls, words)
        self.plain = plain
        return self


class RelativeDifference(float):
    """A relative difference with the exact one, which is shown if the percentage would round to 0."""

    exact: Any

    def __new__(cls, share: float, exact: Any) -> RelativeDifference:
        self = super().__new__(cls, share)
        self.exact = exact
        return self


def _ratio(number: Any) -> str:
    return f"{times_text(number)}×" if abs(number) >= 0.1 or not number else f"{float(number):.3g}×"


def _share(number: Any) -> str:
    small = abs(number) < 0.0005 and number != 0
    return f"{rounded(100 * number, 1)} %" if not small else "< 0.1 %" if number > 0 else "> -0.1 %"


def _signed(number: Any) -> str:
    """`+2.1 %`; `−1`, the exact difference, where the percentage would round to 0."""
    text = rounded(100 * abs(number), 1)
    sign = "−" if number < 0 else "+"
    if float(text.replace(",", "")) or not number:
        return f"{sign if number else ''}{text} %"
    return f"{sign}{_whole(abs(number.exact))}" if isinstance(number, RelativeDifference) else _share(number)


def _factor(number: Any) -> str:
    """`÷9.68`, `×1.0005`, `=`: what the number of a baseline is divided or multiplied by."""
    if number in (0, 1):
        return "=" if number else "0"
    sign, times = ("÷", 1 / Fraction(number)) if number < 1 else ("×", Fraction(number))
    return f"{sign}{times_text(times)}"


def measured(number: float | Fraction) -> str:
    """A measured number to four digits, whole ones in full: 0.01235, 12.35, 12,346."""
    if not number or not math.isfinite(number):
        return f"{float(number):g}"
    return rounded(number, max(0, 3 - math.floor(math.log10(abs(float(number))))))


def brief(number: float) -> str:
    """A measured number to three digits, from 1,000 on to the whole: 0.0124, 12.4, 12,346."""
    return f"{number:.3g}" if abs(number) < 999.5 else f"{number:,.0f}"  # .3g would write 999.7 as 1e+03


def bytes_text(count: float) -> str:
    """A number of bytes in the largest unit that it fills: 62.2 KiB."""
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = next((i for i in range(len(units)) if abs(count) < 1024 ** (i + 1)), len(units) - 1)
    return f"{brief(count / 1024**power)} {units[power]}"


def short_text(count: int) -> str:
    """A count in the largest unit that it fills, to four digits: 4.089 G. Small ones are in full."""
    if count < 10_000:
        return f"{count:,}"
    unit = max((unit for unit in "KMGT" if COUNTS[unit] <= count), key=COUNTS.__getitem__)
    return f"{measured(Fraction(count, COUNTS[unit]))} {unit}"


NUMBERS: dict[str, Callable[[Any], str]] = {
    "int": _whole, "real": lambda number: rounded(number, 3), "ratio": _ratio, "share": _share, "signed": _signed,
    "factor": _factor, "measured": measured, "brief": brief, "bytes": bytes_text, "short": short_text,
}  # fmt: skip


def plain_number(value: Any) -> int | float | None:
    """The value as an int or float: whole numbers of sympy and numpy as ints, other Fractions as floats.

    None for anything else, and for a Fraction that no float can hold.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if getattr(value, "denominator", None) == 1:
        return int(value)
    return as_float(value) if isinstance(value, Fraction) else None


class Image(tuple[Any, ...]):
    """The shape of an image or a feature map, (n, c, h, w), which papers write with the channels last."""


class Batchless(tuple[Any, ...]):
    """The shape of a tensor that has no batch, such as a learned one."""


def shape_text(shape: Any, formula_text: Callable[[Any], str] = str) -> str:
    """A shape without its batch: 12×256×64 for (n, 12, 256, 64), 28×28×32 for an Image (n, 32, 28, 28)."""
    rest = [*shape] if isinstance(shape, Batchless) else [*shape[1:]]
    if isinstance(shape, Image) and len(rest) >= 3:
        rest = [*rest[1:], rest[0]]
    if len(rest) > 1 and isinstance(rest[0], str) and {*rest} == {rest[0]}:  # `whole` along each axis
        return rest[0]
    sides = [str(size) if size.__class__ is int else _side(size, formula_text) for size in rest]
    return "×".join(sides) if rest else "1"


def _side(size: Any, formula_text: Callable[[Any], str]) -> str:
    """A size that is no int as a factor: a sum of symbols is in brackets."""
    text = formula_text(size)
    return f"({text})" if " " in text else text


def plain_shape(shape: Any) -> str:
    """A shape without its batch in torch's order, for programs: 32x28x28 for the Image (n, 32, 28, 28)."""
    return shape_text(Batchless(shape if isinstance(shape, Batchless) else shape[1:])).replace("×", "x")


# Signs that str.isprintable accepts although they are invisible: joiners, fillers, variation selectors.
HIDDEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def visible(text: str) -> str:
    r"""Text without characters a terminal obeys or hides: controls, bidi and zero-width characters become \xNN."""
    if is_plain(text):
        return text
    return "".join([sign if is_visible(sign) else _escaped(sign) for sign in text])


def is_plain(text: str) -> bool:
    """Is each of its characters visible? A fast check for whole texts."""
    return text.isprintable() and (text.isascii() or not HIDDEN.search(text))


def is_visible(sign: str) -> bool:
    """Is this character shown as itself? Spaces that do not break count as visible."""
    return sign in "\u00a0\u202f" or (sign.isprintable() and not HIDDEN.match(sign))


def _escaped(sign: str) -> str:
    number = ord(sign)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
