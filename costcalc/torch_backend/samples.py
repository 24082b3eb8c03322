"""What a set of measured times says, and whether it may be believed. Times in seconds; no torch in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import NormalDist, fmean, median, quantiles, stdev

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
    """The percentile bootstrap interval of the median, exact: as if from infinitely many resamples.

    A resample of n has its lower middle value among the k smallest of the sample if ⌈n/2⌉ of its n draws are, and its
    upper one if ⌊n/2⌋ + 1 are: binomial probabilities (Efron 1979, Annals of Statistics 7, section 3), so that nothing
    has to be drawn. The interval reaches from the lower one to the upper one.
    """
    n, tail = len(ordered), (1 - confidence) / 2
    low = next(x for k, x in enumerate(ordered, 1) if _draws(n, k / n, (n + 1) // 2) > tail)
    high = next(x for k, x in enumerate(ordered, 1) if _draws(n, k / n, n // 2 + 1) >= 1 - tail)
    return low, high


def _draws(n: int, share: float, least: int) -> float:
    """The probability that at least so many of n draws fall into a share of the sample."""
    if n > 200:  # as good as normal
        spread = (n * share * (1 - share)) ** 0.5
        return 1 - NormalDist(n * share, spread).cdf(least - 0.5) if spread else 1.0
    return sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(least, n + 1))


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
        found.append(f"{len(times)} runs, fewer than {MIN_RUNS}")
    if len(times) > 1 and stdev(times) > SPREAD * mean:
        found.append(f"standard deviation {stdev(times) / mean:.0%} of the mean")
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
