"""Summarizes measured times, and decides when a timing is noisy. Times are in seconds. Imports no torch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import NormalDist, fmean, median, quantiles, stdev

from costcalc.text import plural

MIN_RUNS = 10
MAX_SPREAD = 0.10  # stdev over mean (pyperf check), and IQR over median (torch.utils.benchmark)
MAX_DEVIATION = 0.50  # the slowest above, or the quickest below, the mean (pyperf check)
MAX_DRIFT = 0.05  # the second half against the first
MAX_GAP = 0.05  # between two groups of times, over the median; each group has a fifth of the runs
MAX_OTHER_CORES = 0.10  # cores that other processes used


@dataclass(frozen=True)
class Summary:
    """Median, interquartile range and 95 % interval of the median, in seconds; `noisy` has the reasons for doubt."""

    median: float
    iqr: float
    low: float
    high: float
    runs: int
    noisy: tuple[str, ...] = ()


def summarize(times: Sequence[float], other_cores: float = 0.0) -> Summary:
    """Summarizes times that were measured while other processes used `other_cores` cores."""
    ordered = sorted(times)
    low, high = median_interval(ordered)
    return Summary(median(ordered), _iqr(ordered), low, high, len(times), tuple(noise_reasons(times, other_cores)))


def median_interval(ordered: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """An interval that holds the true median with at least this confidence, for n ≥ 6: from the k-th smallest to the
    k-th largest value, with the largest such k (sign test: Conover 1999, Practical Nonparametric Statistics, 3.2).

    For any distribution, fewer than k of n values are below the true median as often as fewer than k of n coins show
    heads. It is the percentile bootstrap interval of the median (Efron 1979, Annals of Statistics 7, section 3),
    or one value wider at each end: that alone holds the median between 98 and, at n = 23, 90.7 % of the time.
    """
    n, tail = len(ordered), (1 - confidence) / 2
    k = bisect_right(range(1, n + 1), tail, key=lambda k: _fewer_heads(n, k)) or 1
    return ordered[k - 1], ordered[n - k]


def _fewer_heads(n: int, k: int) -> float:
    """The probability that fewer than k of n coins show heads."""
    if n > 200:  # the normal approximation
        return NormalDist(n / 2, n**0.5 / 2).cdf(k - 0.5)
    return float(sum(comb(n, i) for i in range(k)) / 2**n)


def _iqr(ordered: Sequence[float]) -> float:
    if len(ordered) < 2:
        return 0.0
    first, _, third = quantiles(ordered, method="inclusive")
    return third - first


def noise_reasons(times: Sequence[float], other_cores: float = 0.0) -> list[str]:
    """Every reason not to trust these times, in words; empty for steady times."""
    ordered, mean, mid = sorted(times), fmean(times), median(times)
    found = []
    if len(times) < MIN_RUNS:
        found.append(f"{plural(len(times), 'run')}, fewer than {MIN_RUNS}")
    if len(times) > 1 and (spread := stdev(times, mean)) > MAX_SPREAD * mean:
        found.append(f"standard deviation {spread / mean:.0%} of the mean")
    if _iqr(ordered) > MAX_SPREAD * mid:
        found.append(f"interquartile range {_iqr(ordered) / mid:.0%} of the median")
    if ordered[-1] > (1 + MAX_DEVIATION) * mean or ordered[0] < (1 - MAX_DEVIATION) * mean:
        found.append(f"runs from {ordered[0] / mean:.2f} to {ordered[-1] / mean:.2f} times the mean")
    if (drift := _drift(times)) > MAX_DRIFT:
        found.append(f"the second half is off the first by {drift:.0%}")
    if (gap := _gap(ordered)) > MAX_GAP * mid:
        found.append(f"two groups of times, {gap / mid:.0%} apart")
    if other_cores > MAX_OTHER_CORES:
        found.append(f"other processes used {other_cores:.1f} cores")
    return found


def _drift(times: Sequence[float]) -> float:
    """How far the median of the second half is from that of the first, as a share of the first."""
    half = len(times) // 2
    if half < 3:
        return 0.0
    first, second = median(times[:half]), median(times[-half:])
    return abs(second / first - 1)


def _gap(ordered: Sequence[float]) -> float:
    """The widest gap between two neighbours that leaves a fifth of the runs, and at least two, on either side."""
    edge = max(2, len(ordered) // 5)
    inner = range(edge, len(ordered) - edge + 1)
    return max((ordered[i] - ordered[i - 1] for i in inner), default=0.0)


@dataclass(frozen=True)
class TimeRatio:
    """How many times as long A takes as B, with its 95 % interval, from pairs measured one after the other."""

    median: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Is one of them faster? Only if the interval excludes 1."""
        return not self.low <= 1 <= self.high

    @property
    def inverse(self) -> TimeRatio:
        """How many times as long B takes as A."""
        return TimeRatio(1 / self.median, 1 / self.high, 1 / self.low)


def paired_ratio(a: Sequence[float], b: Sequence[float]) -> TimeRatio:
    """a / b, pair by pair: the drift of the machine cancels out."""
    ordered = sorted(x / y for x, y in zip(a, b, strict=True))
    return TimeRatio(median(ordered), *median_interval(ordered))
