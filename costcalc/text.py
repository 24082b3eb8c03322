"""A value as text, exactly: what messages, labels and tables all write in the same way."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

PLACES = 20  # decimals that are still read; a fraction of more is written as one


def value_text(value: Any) -> str:
    """A knob's value as it is written behind an @: 160, 0.5, 1/3, true; words and letters as they are."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, Fraction):
        return str(value)
    places = next((n for n in range(PLACES + 1) if 10**n % value.denominator == 0), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    whole, decimals = divmod(abs(value.numerator) * 10**places // value.denominator, 10**places)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{decimals:0{places}d}" if places else "")
