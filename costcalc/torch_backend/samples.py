"""What a set of measured times says, and whether it may be believed. Times in seconds; no torch in here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import NormalDist, fmean, median, quantiles, stdev

from costcalc.text import plural

MIN_RUNS = 10
SPREAD = 0.10  # stdev over mean (pyperf check), and IQR over median (torch.utils.benchmark)
FAR = 0.50  # the slowest above, or the quickest below, the mean (pyperf check)
DRIFT = 0.05  # the second half against the first
GAP = 0.05  # an empty stretch of times, of the median, with a fifth of the runs on either side
BUSY = 0.10  # cores that other processes used


@dataclass(frozen=True)
class Summary:
    """Median, interquartile range and 95 % interval of the median, in seconds; and every reason for doubt."""

    median: float
    iqr: float
    low: float
    high: float
    runs: int
    noisy: tuple[str, ...] = ()


def summary(times: Sequence[float], others: float = 0.0) -> Summary:
    """The summary of a set of times, taken while other processes used so many cores (`others`)."""
    ordered = sorted(times)
    low, high = interval(ordered)
    return Summary(median(ordered), _iqr(ordered), low, high, len(times), tuple(doubts(times, others)))


def interval(ordered: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """An interval that holds the true median so often at least, for any n from 6: from the k-th smallest to the k-th
    largest value, k as large as may be (sign test: Conover 1999, Practical Nonparametric Statistics, section 3.2).

    Fewer than k of n values are below the true median as often as fewer than k of n coins show heads, whatever they are
    values of. It is the percentile bootstrap interval of the median (Efron 1979, Annals of Statistics 7, section 3),
    or one value wider at each end: that alone holds the median between 98 and, at n = 23, 90.7 % of the time.
    """
    n, tail = len(ordered), (1 - confidence) / 2
    k = bisect_right(range(1, n + 1), tail, key=lambda k: _fewer_heads(n, k)) or 1
    return ordered[k - 1], ordered[n - k]


def _fewer_heads(n: int, k: int) -> float:
    """The probability that fewer than k of n coins show heads."""
    if n > 200:  # as good as normal
        return NormalDist(n / 2, n**0.5 / 2).cdf(k - 0.5)
    return float(sum(comb(n, i) for i in range(k)) / 2**n)


def _iqr(ordered: Sequence[float]) -> float:
    if len(ordered) < 2:
        return 0.0
    first, _, third = quantiles(ordered, method="inclusive")
    return third - first


def doubts(times: Sequence[float], others: float = 0.0) -> list[str]:
    """Every reason not to believe a set of times, in words; none if it is steady."""
    ordered, mean, mid = sorted(times), fmean(times), median(times)
    found = []
    if len(times) < MIN_RUNS:
        found.append(f"{plural(len(times), 'run')}, fewer than {MIN_RUNS}")
    if len(times) > 1 and (spread := stdev(times, mean)) > SPREAD * mean:
        found.append(f"standard deviation {spread / mean:.0%} of the mean")
    if _iqr(ordered) > SPREAD * mid:
        found.append(f"interquartile range {_iqr(ordered) / mid:.0%} of the median")
    if ordered[-1] > (1 + FAR) * mean or ordered[0] < (1 - FAR) * mean:
        found.append(f"runs from {ordered[0] / mean:.2f} to {ordered[-1] / mean:.2f} times the mean")
    if (drift := _drift(times)) > DRIFT:
        found.append(f"the second half is off the first by {drift:.0%}")
    if (gap := _gap(ordered)) > GAP * mid:
        found.append(f"two groups of times, {gap / mid:.0%} apart")
    if others > BUSY:
        found.append(f"other processes used {others:.1f} cores")
    return found


def _drift(times: Sequence[float]) -> float:
    """How far the medians of the two halves lie apart, of the first."""
    half = len(times) // 2
    if half < 3:
        return 0.0
    first, second = median(times[:half]), median(times[-half:])
    return abs(second / first - 1)


def _gap(ordered: Sequence[float]) -> float:
    """The widest empty stretch that leaves a fifth of the runs, and two at least, on either side."""
    edge = max(2, len(ordered) // 5)
    inner = range(edge, len(ordered) - edge + 1)
    return max((ordered[i] - ordered[i - 1] for i in inner), default=0.0)


@dataclass(frozen=True)
class Ratio:
    """How many times as long A takes as B, from pairs measured one after the other, with its 95 % interval."""

    median: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Is one of them faster? Only if the interval excludes 1."""
        return not self.low <= 1 <= self.high

    @property
    def inverse(self) -> Ratio:
        """How many times as long B takes as A."""
        return Ratio(1 / self.median, 1 / self.high, 1 / self.low)


def ratio(a: Sequence[float], b: Sequence[float]) -> Ratio:
    """a over b, pair by pair, so that a drifting machine cancels out."""
    ordered = sorted(x / y for x, y in zip(a, b, strict=True))
    return Ratio(median(ordered), *interval(ordered))
