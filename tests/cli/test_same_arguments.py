"""Functions take what the command takes: text for budgets, grids, sizes of memory and assumptions, beside numbers."""

from fractions import Fraction

import pytest

import costcalc
from costcalc.errors import UsageError
from costcalc.text import read_amount

NUMBERS = {"300M": 300_000_000, "6,000,000": 6_000_000, "3e8": 300_000_000, "1.5K": 1500, "2B": 2 * 10**9, "7": 7}


@pytest.mark.parametrize(("text", "number"), NUMBERS.items())
def test_budgets_are_text_or_numbers(text, number):
    assert read_amount(text) == number


def test_a_budget_is_text_or_a_number():
    of_text = costcalc.scale("mobilenet_v1", "w", macs="300M", params="5,000,000")
    assert of_text.to_dict() == costcalc.scale("mobilenet_v1", "w", macs=3 * 10**8, params=5e6).to_dict()


@pytest.mark.parametrize(("text", "number"), [("16MB", 16 * 10**6), ("16 MiB", 2**24), ("16B", 16), ("1.5KiB", 1536)])
def test_bytes_have_their_own_units(text, number):
    assert read_amount(text, of_bytes=True) == number
    assert text == "16B" or read_amount(text) is None


@pytest.mark.parametrize("text", ["", "M", "-3M", "3MM", "1e", "1,00", "٣M", "3 x", "16XB", "1" * 30])
def test_other_text_is_no_amount(text):
    assert read_amount(text, of_bytes=True) is None


def test_a_budget_of_bytes():
    assert costcalc.scale("mobilenet_v1", "w", weight_bytes="10MB").value == costcalc.scale(
        "mobilenet_v1", "w", weight_bytes=10_000_000).value  # fmt: skip
    with pytest.raises(UsageError, match="'macs=16MB' is not a budget"):
        costcalc.scale("mobilenet_v1", "w", macs="16MB")


@pytest.mark.parametrize("grid", ["r=128:224:32", ["r=128:224:32"], {"r": "128:224:32"}, {"r": range(128, 225, 32)}])
def test_a_grid(grid):
    found = costcalc.scale("mobilenet_v1", ["r", "w"], macs="300M", grid=grid)
    assert found.found.grid.axes["r"] == (128, 160, 192, 224)


def test_the_values_of_a_break_even():
    named = costcalc.break_even("resnet18", "resnet34", "r=64:224:32")
    assert named.to_dict() == costcalc.break_even("resnet18", "resnet34", "r", range(64, 225, 32)).to_dict()


def test_memory_and_assumptions():
    assert len(costcalc.sweep("lenet5", r="28:60:4", max_memory_bytes="1MB")) == 9
    with pytest.raises(UsageError, match="'1 lot' is not an amount of memory; write 16GB or 16GiB"):
        costcalc.sweep("lenet5", r="28:60:4", max_memory_bytes="1 lot")
    assert costcalc.formula("lenet5", assume="r%4==0").given == ("r a multiple of 4",)
    assert costcalc.compound("efficientnet", "1/2").phi == Fraction(1, 2)


def test_knobs():
    of_text = costcalc.load("mobilenet_v1", w="1/2", r="160")
    assert of_text.values == costcalc.load("mobilenet_v1@w=1/2,r=160").values
    assert costcalc.load("resnet", block="bottleneck").values["block"] == "bottleneck"
    with pytest.raises(UsageError, match=r"'r' is a whole number, got 0\.5"):
        costcalc.load("mobilenet_v1", r="0.5")
