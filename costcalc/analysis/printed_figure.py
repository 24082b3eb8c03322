"""A printed number: its digits, what its unit may mean, and random numbers that look like it."""

from __future__ import annotations

import random
import re
from typing import Any, NamedTuple

from costcalc.analysis.reconcile import read_figure
from costcalc.dims import clip
from costcalc.errors import CostcalcError, UsageError, shorten, unknown
from costcalc.models.knob import FIGURE
from costcalc.text import BYTES

SAMPLE = 1000  # random figures that are searched too
IN_BYTES = re.compile(r"(?P<number>[0-9.,]+)(?:(?P<one>\s+b|\s*bytes?|(?<=,[0-9]{3})b)|\s*(?P<unit>[kmgt]i?b))", re.I)
LETTERS = re.compile(r"(?P<number>[0-9.,]+)\s*(?P<unit>[A-Za-z]+)")
HINT = "digits, and K, M, G or B, or a unit of bytes: 61,706, 9.74G or 97.5 MiB"


class Unit(NamedTuple):
    """What the last digit's unit may be, and what a match says of it."""

    size: int
    words: str = ""


class Figure(NamedTuple):
    """A printed number: `steps` units of its last digit, of a count or of bytes. A K may be 1000 or 1024, and so may
    the factors of an MB."""

    text: str
    steps: int
    decimals: int
    units: tuple[Unit, ...]
    of_bytes: bool = False

    def steps_by(self, exact: int, unit: int, most: int | None = None) -> range:
        """The figures, in steps, that would be printed for an exact number in a unit: cut or rounded; for a number
        between `exact` and `most` all of them."""
        scaled = exact * 10**self.decimals
        last = scaled if most is None else most * 10**self.decimals
        return range(scaled // unit, (2 * last + unit) // (2 * unit) + 1)

    def random(self) -> list[int]:
        """SAMPLE figures with as many digits in the same decade in order, always the same ones."""
        digits = len(str(self.steps))
        draw = random.Random(20 * digits)
        return sorted(draw.randrange(10 ** (digits - 1), 10**digits) for _ in range(SAMPLE))


def read_printed(figure: Any) -> Figure:
    """Reads `9.74G`, `15,237,608`, `98 MB`, `97.49MiB`, `102,167,552 B` or 15237608. A B behind a space, or behind
    digits in groups, is a byte; else a billion. Raises UnknownName for another unit,
    UsageError for anything else and for zero."""
    text = str(figure) if isinstance(figure, int) and not isinstance(figure, bool) else figure
    if not isinstance(text, str):
        raise UsageError(f"a figure is a text or a whole number, got {clip(figure)}", "write 9.74G as it is printed")
    text = text.strip()
    of_bytes = IN_BYTES.fullmatch(text)
    number = of_bytes["number"] if of_bytes else re.sub(r"[kmgb]$", lambda found: found[0].upper(), text)
    if not FIGURE.fullmatch(number):
        raise _no_figure(text)
    printed, _, decimals = read_figure(number, 1000)
    if not printed:
        raise UsageError("a figure of 0 says nothing", "write it as it is printed: 61,706 or 9.74G")
    units = _units_of_bytes(of_bytes["unit"]) if of_bytes else _units(number)
    shown = text if of_bytes else number
    return Figure(shown, int(printed * 10**decimals), decimals, units, of_bytes is not None)


def _no_figure(text: str) -> CostcalcError:
    """The error for a text that is no figure: of an unknown unit, if that is all that is wrong with it."""
    found = LETTERS.fullmatch(text)
    if found and FIGURE.fullmatch(found["number"]) and found["unit"].upper() not in ("K", "M", "G", "B"):
        return unknown("unit", found["unit"], ("K", "M", "G", *BYTES), of=f"figure {shorten(text, 30)!r}")
    return UsageError(f"{shorten(text)!r} is not a figure", HINT)


def _units(number: str) -> tuple[Unit, ...]:
    if number[-1].isdigit():
        return (Unit(1),)
    one = f"1{number[-1]}"
    return Unit(read_figure(one, 1000)[1]), Unit(read_figure(one, 1024)[1], "K = 1024")


def _units_of_bytes(name: str | None) -> tuple[Unit, ...]:
    if name is None:
        return (Unit(1),)
    letter = name[0].upper()
    decimal, binary = Unit(BYTES[f"{letter}B"]), Unit(BYTES[f"{letter}iB"])
    if "i" in name.lower():
        return (binary,)
    power = "KMGT".index(letter) + 1
    said = [f"{letter}B = {base}" for base in (f"10^{3 * power}", f"2^{10 * power}")]
    return decimal._replace(words=said[0]), binary._replace(words=said[1])
