"""Backwards from a budget: the value found fits, the next does not, and what lies between costs the same."""

from fractions import Fraction

import pytest

import costcalc
from costcalc.analysis.metric_limits import read_budget
from costcalc.errors import NothingFits, ShapeError, UnknownName, UsageError


@pytest.mark.parametrize(
    ("target", "free", "budget"),
    [
        ("mobilenet_v2@r=192", "w", {"macs": 300_000_000}), ("efficientnet", "r", {"macs": 10**9, "params": 6_000_000}),
        ("efficientnet", "d", {"macs": 10**9}), ("efficientnet@r=300", "w", {"weight_bytes": 40_000_000}),
        ("alexnet", "r", {"activations": 10**6}), ("lenet5", "batch", {"macs": 10**9}),
        ("googlenet", "classes", {"params": 7_500_000}),
    ],
)  # fmt: skip
def test_the_largest_fits_and_the_next_does_not(target, free, budget):
    found = costcalc.scale(target, free, **budget)

    def costs(value):
        cost = costcalc.load(target, **{free: value}).cost()
        return {"weight_bytes": 4 * (cost.params + cost.total("buffers")), **cost.totals}

    assert all(costs(found.value)[name] <= most for name, most in budget.items())
    assert any(costs(found.after)[name] > most for name, most in budget.items())
    assert costs(found.least) == costs(found.value)
    step = Fraction(1, 1000) if free in "wd" else 1
    assert found.after == found.value + step
    below = costcalc.load(target).knobs[free].low
    assert found.least == below or costs(found.least - step) != costs(found.value)
    assert found.to_records()[0]["macs"] == costs(found.value)["macs"]


def test_a_tenth_is_lost_from_ten_ninths_on():
    """MobileNet v2 rounds 32·w to 40 and 16·w to 24 as soon as 32 and 16 are less than nine tenths of them."""
    found = costcalc.scale("mobilenet_v2@r=192", "w", macs=300_000_000)
    assert (found.value, found.after) == (Fraction(1111, 1000), Fraction(1112, 1000))
    macs = [row["macs"] for row in found.to_records()]
    assert macs == [costcalc.load("mobilenet_v2@r=192", w=w).cost().macs for w in (1.111, 1.112)]
    assert macs[1] > 1.25 * macs[0]


def test_budgets_are_read_as_they_are_written():
    assert read_budget(["macs=400M", "params=6,000,000"]) == {"macs": 400_000_000, "params": 6_000_000}
    assert read_budget(["macs=1.5G"]) == read_budget(["macs=1.5B"]) == {"macs": 1_500_000_000}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--free w --max mac=1", "unknown metric 'mac'; did you mean 'macs'?"),
        ("--free w --max macs=-1", "'macs=-1' is not a budget; write macs=400M"),
        ("--free w --max macs", "is not a budget"),
        ("--free w --max macs=1 --max macs=2", "macs has two budgets"), ("--free s --max macs=1G", "unknown knob 's'"),
        ("--free w --max macs=1", "no w up to 100 of efficientnet keeps this budget: at w = 0.001, the smallest, "
         "it has macs = "),
        ("--free r --max params=6M", "every r up to 2147483648 stays within this budget; take a smaller one, or"),
        ("--free w --max macs=1G --fix s=1", "efficientnet: unknown knob 's'"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"scale efficientnet {words}", message)


def test_what_python_refuses():
    for error, call in (
        (UsageError, lambda: costcalc.scale("lenet5", "batch")),
        (UnknownName, lambda: costcalc.scale("lenet5", "batch", ops=1)),
        (NothingFits, lambda: costcalc.scale("lenet5", "batch", macs=1)),
    ):
        with pytest.raises(error):
            call()


TWO_CONVS = "name: two\ntitle: t\nsource: s\nknobs: {r: 32, c1: 6}\ninput: [1, r, r]\nlayers:\n" + (
    "  - conv: {channels: c1, kernel: 5}\n" * 2
)


def test_a_network_that_is_none_whatever_the_free_knob_is_says_why(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(TWO_CONVS)
    told = r"no c1 up to \d+ of .* at c1 = 6 the network is invalid: .* does not fit into 4"
    with pytest.raises(ShapeError, match=told):
        costcalc.scale(f"{path}@r=4", "c1", macs=10**6)
    assert costcalc.scale(f"{path}@r=4", "r", macs=10**6).value == 38
    with pytest.raises(NothingFits, match="at r = 9, the smallest, it has macs = 4,650"):
        costcalc.scale(f"{path}@r=4", "r", macs=1)


FEW_CHANNELS = """name: few
title: No network below c = 5000
source: made for a test
knobs: {c: 6000}
input: [3, 8, 8]
layers:
  - conv: {channels: c // 5000, kernel: 3, bias: false}
"""


def test_a_first_network_after_many_invalid_values_is_the_smallest(tmp_path):
    path = tmp_path / "few.yaml"
    path.write_text(FEW_CHANNELS)
    with pytest.raises(NothingFits, match=r"no c up to 100000 of .*: at c = 5000, the smallest, it has macs = 972"):
        costcalc.scale(str(path), "c", macs=10)
    assert costcalc.scale(str(path), "c", macs=972).value == 9999


# ---- largest: of all values, or of those up to a value that is named

KERNEL = "name: kernel\ntitle: t\nsource: s\nknobs: {{k: {k}, r: {r}}}\ninput: [1, r, r]\nlayers:\n" + (
    "  - conv: {{channels: {channels}, kernel: k}}\n"
)


@pytest.fixture
def kernel(tmp_path):
    """(r − k + 1)²·k² MACs, which rise and fall."""

    def made(k="9", r=20_000, channels="1"):
        (tmp_path / "kernel.yaml").write_text(KERNEL.format(k=k, r=r, channels=channels))
        return str(tmp_path / "kernel.yaml")

    return made


def test_a_large_value_may_cost_little(kernel):
    found = costcalc.scale(kernel(), "k", macs=10**12)
    assert (found.value, found.after, found.looked_to) == (20_000, None, 100_000)
    assert found.to_records()[0]["macs"] == 4 * 10**8
    assert found.table().notes[0] == "largest k up to 100000 with macs ≤ 1,000,000,000,000"
    assert found.to_dict()["looked_to"] == 100_000


def test_where_all_values_are_counted_it_is_the_largest(kernel):
    found = costcalc.scale(kernel("{default: 9, max: 400000}"), "k", macs=10**12)
    assert (found.value, found.looked_to) == (20_000, None)
    assert found.table().notes[0] == "largest k with macs ≤ 1,000,000,000,000"
    found = costcalc.scale(kernel("{default: 9, max: 1999}"), "k", macs=10**12)
    assert (found.value, found.after, found.looked_to) == (50, 51, None)


def test_it_is_the_largest_of_all_that_there_are(kernel):
    path = kernel(r=12)
    macs = {k: costcalc.load(path, k=k).cost().macs for k in range(1, 13)}
    for most in sorted({*macs.values()})[:-1]:
        fits = [k for k, cost in macs.items() if cost <= most]
        found = costcalc.scale(path, "k", macs=most)
        assert (found.value, found.after) == (max(fits), min((k for k in macs if k > max(fits)), default=None))
    with pytest.raises(NothingFits, match=r"no k up to 100000 of .* keeps this budget: at k = 1, the smallest, it has"):
        costcalc.scale(path, "k", macs=min(macs.values()) - 1)


def test_it_is_not_looked_for_long_where_there_are_no_networks(kernel):
    """From 46,341 on k² channels are too many, and nothing can be bound."""
    path = kernel(r=10**6, channels="k*k")
    found = costcalc.scale(path, "k", macs=10**15)
    assert 46_340 < found.looked_to < 47_000
    assert (found.value, found.after) == (5, 6)


TURNING = """name: turning
title: A condition that turns near the default
source: made for a test
knobs: {r: 32}
sizes: {f: "16 if max(r, 8) > 32 else 8"}
input: [3, r, r]
layers:
  - conv: {channels: f, kernel: 3, padding: same}
"""


@pytest.mark.parametrize(("macs", "largest"), [(1_000_000, 48), (3_000_000, 83), (221_264, 32)])
def test_a_condition_that_turns_near_the_default_makes_no_larger_steps(tmp_path, macs, largest):
    path = tmp_path / "turning.yaml"
    path.write_text(TURNING)
    counts = [costcalc.load(str(path), r=r).cost().macs for r in range(1, 100)]
    assert largest == max(r for r, count in enumerate(counts, 1) if count <= macs)
    assert costcalc.scale(str(path), "r", macs=macs).value == largest
