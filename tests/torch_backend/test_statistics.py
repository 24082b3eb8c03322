"""What is said of measured times: synthetic clocks whose truth is known (T35)."""

import random
from math import comb

import pytest
from support import needed

needed.module("torch", "torch")

from costcalc.torch_backend.statistics import TimeRatio, median_interval, noise_reasons, paired_ratio, summarize  # noqa: E402

SETS = 1000


def steady(rng, runs=None, noise=0.01):
    """Times of a quiet machine: 20 ms, a percent of noise that is never below zero."""
    return [0.020 * rng.lognormvariate(0, noise) for _ in range(runs or rng.randint(20, 80))]


def with_outlier(rng):
    times = steady(rng)
    times[rng.randrange(len(times))] *= rng.uniform(2, 20)
    return times


def with_drift(rng):
    """Slower and slower, as a machine that grows warm: 15 to 60 % from first to last."""
    times, more = steady(rng), rng.uniform(0.15, 0.6)
    return [t * (1 + more * i / len(times)) for i, t in enumerate(times)]


def with_two_modes(rng):
    """Two clocks, 12 to 60 % apart, each for a quarter of the runs at least."""
    times, apart = steady(rng), 1 + rng.uniform(0.12, 0.6)
    share = rng.uniform(0.25, 0.75)
    slow = set(rng.sample(range(len(times)), max(2, round(share * len(times)))))
    return [t * apart if i in slow else t for i, t in enumerate(times)]


@pytest.mark.parametrize("plant", [with_outlier, with_drift, with_two_modes])
def test_bad_sets_are_flagged(plant):
    rng = random.Random(35)
    flagged = sum(bool(noise_reasons(plant(rng))) for _ in range(SETS))
    assert flagged >= 0.95 * SETS


def test_steady_sets_are_not():
    rng = random.Random(36)
    alarms = [noise_reasons(steady(rng)) for _ in range(SETS)]
    assert sum(map(bool, alarms)) <= 0.05 * SETS, [a for a in alarms if a][:5]


def test_the_interval_covers_the_truth():
    """95 % of them at least; 95 to 97 % of 2,000 simulations do (T35)."""
    rng = random.Random(37)
    covered = 0
    for _ in range(2000):
        low, high = median_interval(sorted(steady(rng, noise=0.05)))
        covered += low <= 0.020 <= high  # the median of a lognormal with μ = 0
    assert 0.945 <= covered / 2000 <= 0.97


@pytest.mark.parametrize("n", range(10, 401))
def test_the_interval_covers_it_for_any_number_of_runs(n):
    """Exactly: the true median lies between the values of two ranks as often as coins say."""
    low, high = median_interval(range(n))
    missed = sum(comb(n, heads) for heads in (*range(low + 1), *range(high + 1, n + 1)))
    assert missed / 2**n <= 0.0501


@pytest.mark.parametrize("n", range(10, 101))
def test_the_interval_is_that_of_all_resamples_or_one_run_wider(n):
    """A resample has its middle value among the k smallest if half of its draws are."""

    def among(k, least):
        return sum(comb(n, i) * k**i * (n - k) ** (n - i) for i in range(least, n + 1)) / n**n

    first = next(k for k in range(1, n + 1) if among(k, (n + 1) // 2) > 0.025)
    last = next(k for k in range(1, n + 1) if among(k, n // 2 + 1) >= 0.975)
    low, high = median_interval(range(1, n + 1))
    assert low in (first, first - 1)
    assert high in (last, last + 1)


@pytest.mark.parametrize("turns", [10, 13, 23, 33, 40])
def test_the_same_against_itself_is_rarely_different(turns):
    """A/A: at most 5 % of comparisons say that one is faster, while the machine drifts under both."""
    rng = random.Random(39)
    different = 0
    for _ in range(SETS):
        machine = [1 + 0.3 * i / turns for i in range(turns)]
        a, b = ([m * t for m, t in zip(machine, steady(rng, turns), strict=True)] for _ in range(2))
        different += paired_ratio(a, b).significant
    assert different <= 0.05 * SETS


def test_a_real_difference_is_found():
    rng = random.Random(40)
    a, b = steady(rng, 40), [2 * t for t in steady(rng, 40)]
    found = paired_ratio(b, a)
    assert found.significant
    assert found.median == pytest.approx(2, rel=0.02)
    assert not TimeRatio(1.01, 0.99, 1.03).significant


@pytest.mark.parametrize(
    ("times", "others", "words"),
    [
        ([1.0] * 9, 0, "9 runs, fewer than 10"),
        ([1.0] * 19 + [3.0], 0, "runs from 0.91 to 2.73 times the mean"),
        ([1.0] * 10 + [1.06] * 10, 0, "the second half is off the first by 6%"),
        ([1.0, 1.1] * 10, 0, "two groups of times, 10% apart"),
        ([1.0, 1.3, 0.8, 1.1] * 5, 0, "interquartile range 19% of the median"),
        ([1.0] * 10, 0.7, "other processes used 0.7 cores"),
    ],
)
def test_the_reasons_are_named(times, others, words):
    assert words in summarize(times, others).noisy


def test_a_summary_of_equal_times():
    found = summarize([0.5] * 12)
    assert (found.median, found.iqr, found.low, found.high, found.runs, found.noisy) == (0.5, 0, 0.5, 0.5, 12, ())
