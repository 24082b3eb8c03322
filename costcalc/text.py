"""Values as text, exactly, for messages, labels and tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
HOUR, DAY = 3600, 86400  # seconds
COUNTS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
BYTES = {"B": 1, **{f"{s}B": COUNTS[s] for s in "KMGT"}, **{f"{s}iB": 1024**i for i, s in enumerate("KMGT", 1)}}
AMOUNT = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?|[0-9]{1,3}(?:,[0-9]{3}){1,6}) ?(?:e([0-9]{1,2})|([A-Za-z]{0,3}))")
PLACES = 20  # decimals at most; other fractions are written as 1/3


class FreeNames:
    """Hands out names that differ: `relu`, `relu_2`, `relu_3`. `taken` are those that stand already."""

    def __init__(self, taken: Iterable[str] = ()):
        self.taken = {*taken}
        self.times: Counter[str] = Counter()  # how often each was asked for: many layers are called alike

    def take(self, name: str) -> str:
        """The name, with a number behind it if it is taken."""
        number = self.times[name] + 1
        free = name if number == 1 else f"{name}_{number}"
        while free in self.taken:
            number += 1
            free = f"{name}_{number}"
        self.times[name] = number
        self.taken.add(free)
        return free


def as_float(value: Any) -> float | None:
    """The nearest float; None for a number that is too large for one, or too small."""
    with suppress(OverflowError, TypeError):  # too large, or None
        number = float(value)
        return number if number or not value else None
    return None


def rounded(value: Any, decimals: int) -> str:
    """A number with so many decimals, never -0.0; a Fraction of 10¹⁵ or more as 1.20e+400, which no float can hold."""
    if isinstance(value, Fraction) and abs(value) >= 10**15:
        return f"{Decimal(value.numerator) / value.denominator:.2e}".replace("E", "e")
    text = f"{float(value):,.{decimals}f}"
    return text if text.strip("-0.") else text.removeprefix("-")


def times_text(number: Any) -> str:
    """`9.68`, `1.0005`: a factor with two decimals, or with up to six if it would print as 1; then `1.000000…`."""
    texts = [rounded(number, decimals) for decimals in range(2, 7)]
    return texts[0] if number == 1 else next((text for text in texts if text.rstrip("0") != "1."), f"{texts[-1]}…")


def power_text(base: str, power: int) -> str:
    """`d`, `w²`"""
    return base + (str(power).translate(SUPERSCRIPTS) if power != 1 else "")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`"""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def settings_text(settings: Mapping[str, Any]) -> str:
    """`r=224, w=0.5`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in settings.items())


def equations_text(settings: Mapping[str, Any]) -> str:
    """`r = 224, w = 0.5`, for a sentence."""
    return ", ".join(f"{name} = {value_text(value)}" for name, value in settings.items())


def knobs_note(knobs: Mapping[str, Any], called: str = "knobs") -> list[str]:
    """`knobs: r=224, w=0.5`, the note of a table; none if there are no knobs."""
    return [f"{called}: {settings_text(knobs)}"] if knobs else []


def packed(notes: Iterable[str], width: int = 80) -> list[str]:
    """Short notes, as many on a line as it has room for: `a: …; b: …`."""
    lines: list[str] = []
    for note in notes:
        if lines and len(lines[-1]) + len(note) + 2 <= width:
            lines[-1] += f"; {note}"
        else:
            lines.append(note)
    return lines


def value_text(value: Any) -> str:
    """A knob's value as written behind an @: 160, 0.5, 1/3, true; words and symbols unchanged."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, Fraction):
        return str(value)
    places = next((n for n in range(PLACES + 1) if 10**n % value.denominator == 0), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    whole, decimals = divmod(abs(value.numerator) * 10**places // value.denominator, 10**places)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{decimals:0{places}d}" if places else "")


def read_amount(text: str, *, of_bytes: bool = False) -> int | None:
    """The whole number of `300M`, `6,000,000` or `3e8`; of bytes also of `16MB` (10⁶ each) and `16MiB` (2²⁰).

    None for another text.
    """
    found = AMOUNT.fullmatch(text.strip())
    units = {**COUNTS, **BYTES} if of_bytes else COUNTS
    if found is None or (found[3] or "") not in units:
        return None
    times = 10 ** int(found[2]) if found[2] else units[found[3] or ""]
    return int(Fraction(found[1].replace(",", "")) * times)


def split_unit(text: str) -> tuple[str, str]:
    """The number and the letters behind it: `300`, `M`; two empty texts if it is anything else."""
    found = re.fullmatch(r"([0-9][0-9.,]*) ?([A-Za-zµ]+)", text.strip())
    return (found[1], found[2]) if found else ("", "")


def split_names(given: str | Iterable[str]) -> list[str]:
    """The names of a list, or of a text such as `name,out, macs`."""
    return [name.strip() for name in (given.split(",") if isinstance(given, str) else given)]


def plural(count: Any, noun: str, many: str = "") -> str:
    """`1 thread`, `1,000 threads`, `n threads`; `many` is a plural without an s."""
    shown = f"{count:,}" if isinstance(count, int | float) else str(count)
    return f"{shown} {noun if shown == '1' else many or f'{noun}s'}"


def time_text(seconds: float) -> str:
    """`1 minute`, `20 minutes`, `3 hours`, `19 days`."""
    if seconds < 2 * HOUR:
        return plural(round(max(1, seconds / 60)), "minute")
    return f"{seconds / HOUR:,.0f} hours" if seconds < 2 * DAY else f"{seconds / DAY:,.0f} days"


def short_names(names: Sequence[str]) -> list[str]:
    """Names without their common first words: b0, b1."""
    words = [name.split("_") for name in names]
    shared = 0
    while len(names) > 1 and all(len(parts) > shared + 1 and parts[shared] == words[0][shared] for parts in words):
        shared += 1
    return ["_".join(parts[shared:]) for parts in words]
