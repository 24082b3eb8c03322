"""A network answers for its totals, and shows itself."""

import pytest

import costcalc
from costcalc.dims import size_symbol
from costcalc.errors import UsageError


def test_totals_are_ints():
    net = costcalc.load("mobilenet_v1@w=0.5")
    assert (net.macs, net.params) == (net.cost().macs, net.cost().params) == (149_497_088, 1_331_592)
    assert type(net.macs) is type(net.params) is int


@pytest.mark.parametrize("total", ["macs", "params"])
def test_symbols_have_a_cost_and_a_formula_but_no_int(total):
    net = costcalc.load("mobilenet_v1", r=size_symbol("r"))
    with pytest.raises(UsageError, match=rf"Net.{total} needs numeric sizes; knob 'r' of mobilenet_v1@r=r is"):
        getattr(net, total)
    assert {"r"} <= {letter.name for letter in net.cost().macs.free_symbols}


def test_a_notebook_shows_its_blocks():
    shown = costcalc.load("lenet5")._repr_html_()
    assert shown.startswith("<table><caption>lenet5: LeNet-5")
    assert "61,706" in shown
