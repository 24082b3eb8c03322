"""Backwards from a budget: the value found fits, the next does not, and what lies between costs the same."""

from fractions import Fraction

import pytest

import costcalc
from costcalc.analysis.scaling.scale import read_budget
from costcalc.errors import ShapeError, UnknownName, UsageError


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
        return {"weight_bytes": 4 * (cost.params + cost.buffers), **cost.totals}

    assert all(costs(found.value)[name] <= most for name, most in budget.items())
    assert any(costs(found.after)[name] > most for name, most in budget.items())
    assert costs(found.least) == costs(found.value)
    step = Fraction(1, 1000) if free in "wd" else 1
    assert found.after == found.value + step
    below = costcalc.load(target).spec.knobs[free].low
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
        ("--free w --max macs=-1", "'macs=-1' is no budget; write macs=400M"), ("--free w --max macs", "is no budget"),
        ("--free w --max macs=1 --max macs=2", "macs has two budgets"), ("--free s --max macs=1G", "unknown knob 's'"),
        ("--free w --max macs=1", "no w of efficientnet keeps this budget: at w = 0.001, the smallest, it has macs = "),
        ("--free r --max params=6M", "r may be as large as it can and keeps this budget"),
        ("--free w --max macs=1G --fix s=1", "efficientnet has no knob 's'"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"scale efficientnet {words}", message)


def test_what_python_refuses():
    for error, call in (
        (UsageError, lambda: costcalc.scale("lenet5", "batch")),
        (UnknownName, lambda: costcalc.scale("lenet5", "batch", flops=1)),
        (ShapeError, lambda: costcalc.scale("lenet5", "batch", macs=1)),
    ):
        with pytest.raises(error):
            call()


TWO_CONVS = "name: two\ntitle: t\nsource: s\nknobs: {r: 32, c1: 6}\ninput: [1, r, r]\nlayers:\n" + (
    "  - conv: {channels: c1, kernel: 5}\n" * 2
)


def test_a_network_that_is_none_whatever_the_free_knob_is_says_why(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(TWO_CONVS)
    with pytest.raises(ShapeError, match=r"no c1 of .* at c1 = 6 there is no such network: .* does not fit into 4"):
        costcalc.scale(f"{path}@r=4", "c1", macs=10**6)
    assert costcalc.scale(f"{path}@r=4", "r", macs=10**6).value == 38
    with pytest.raises(ShapeError, match="at r = 9, the smallest, it has macs = 4,650"):
        costcalc.scale(f"{path}@r=4", "r", macs=1)
