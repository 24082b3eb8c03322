"""The seconds of transfer learning, from measured or given rates, and the epoch from which on kept features pay.

Training the head on images takes e₁ seconds an epoch. On kept features it takes s seconds once, to compute and write
them, then e₂ an epoch, with reading them. It is faster from the first n with s + n·e₂ < n·e₁.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from costcalc.analysis.sweep.totals import totals_of
from costcalc.analysis.transfer.plan import Plan
from costcalc.analysis.transfer.strategies import FEATURES, Strategy
from costcalc.dims import to_exact
from costcalc.errors import UsageError
from costcalc.models.knob_texts import parse_number
from costcalc.text import read_amount


@dataclass(frozen=True)
class Rates:
    """How fast a device and a disk are: seconds of a step of each timed strategy, by its key; seconds of computing the
    features of an image; bytes a second of the disk. `intervals` hold the median of a measured step."""

    step_seconds: Mapping[str, float]
    features_seconds: float | None
    write_rate: float
    read_rate: float
    source: str
    intervals: Mapping[str, tuple[float, float]] | None = None
    noisy: tuple[str, ...] = ()  # titles of the strategies whose times scatter
    lost: tuple[str, ...] = ()  # what was not timed, and why


def given_rates(plan: Plan, found: Sequence[Strategy], rate: Any, disk_rate: Any) -> Rates:
    """The rates of a device whose forward pass takes `rate` images a second, with every multiply as fast, and of a disk
    of `disk_rate` bytes a second, such as "500MB". Raises UsageError for other amounts."""
    images, disk = read_rate("rate", rate), read_disk_rate(disk_rate)
    forward = totals_of(plan.model, ["macs"])["macs"]
    seconds = Fraction(plan.batch) / (images * forward)  # of a multiply
    steps = {one.key: float(one.step_macs * seconds) for one in found}
    once = float(totals_of(plan.before, ["macs"])["macs"] * seconds / plan.batch)
    source = f"given: {_number(images)} images a second forward, every multiply as fast, and {disk:,} bytes a second"
    return Rates(steps, once, float(disk), float(disk), source)


def read_rate(name: str, given: Any) -> Fraction:
    """A rate above 0, from a number or a text. Raises UsageError."""
    number = given
    if isinstance(given, str):
        try:
            number = parse_number(name, given)
        except UsageError:
            number = read_amount(given)  # 2K
        if number is None:
            raise UsageError(f"{name} is a number above 0, got {given[:60]!r}")
    return _positive(name, to_exact(number))


def read_disk_rate(given: Any) -> int:
    """Bytes a second, from a number or a text such as 500MB. Raises UsageError."""
    amount = read_amount(given, of_bytes=True) if isinstance(given, str) else given
    if amount is None:
        raise UsageError(f"disk rate {given[:60]!r} is not an amount of bytes; write 500MB, which are of a second")
    return int(_positive("disk rate", to_exact(amount)) + Fraction(1, 2)) or 1


def _positive(name: str, number: Any) -> Fraction:
    if isinstance(number, bool) or not isinstance(number, (int, Fraction)) or number <= 0:
        raise UsageError(f"{name} is a number above 0, got {str(number)[:60]}")
    return Fraction(number)


def _number(value: Fraction) -> str:
    return f"{int(value):,}" if value == int(value) else f"{float(value):g}"


@dataclass(frozen=True)
class Seconds:
    """The seconds of a strategy: once, before the first epoch, and of each epoch."""

    once: float
    epoch: float

    def of(self, epochs: int) -> float:
        """Seconds of so many epochs."""
        return self.once + epochs * self.epoch


def seconds_of(plan: Plan, one: Strategy, rates: Rates) -> Seconds | None:
    """The seconds of a strategy; None if it was not timed. A step of fewer images takes as long as a whole one, and
    reading does not overlap with computing."""
    if one.key not in rates.step_seconds:
        return None
    epoch = rates.step_seconds[one.key] * plan.steps
    if one.key != FEATURES:
        return Seconds(0.0, epoch)
    if rates.features_seconds is None:
        return None
    views = plan.images * plan.views
    once = -(-views // plan.batch) * plan.batch * rates.features_seconds + plan.disk_bytes / rates.write_rate
    return Seconds(once, epoch + plan.images * plan.image_bytes / rates.read_rate)


def first_cheaper(once: Any, each: Any, other: Any) -> tuple[int | None, int | None]:
    """Of the epochs n: the whole n above 0 with once + n·each = n·other, and the first with once + n·each < n·other;
    None if there is none."""
    saved = to_exact(other) - to_exact(each)
    if saved <= 0:
        return None, None
    even = Fraction(to_exact(once)) / saved
    first = int(even) + 1
    return (int(even) if even == int(even) and even else None), first
