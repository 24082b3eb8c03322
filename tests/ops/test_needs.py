"""Relations between sizes: truth, sentence and claims are made from one thing, and no code reads the sentence."""

import re

import pytest
from support.formulas import SPECS, net_of

from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.sweep import sums_cache
from costcalc.cli.app import run
from costcalc.dims import size_symbol
from costcalc.ops.needs import AtLeast, Broadcasts, Divides, Equal, Fact, Fits, Need, SameShape, Whole
from costcalc.report.page.closed_forms import closed_forms
from costcalc.report.page.shared_sliders import named_settings, shared_sliders

a, b = size_symbol("a"), size_symbol("b")
RELATIONS = {  # sizes with which it holds, and with which it does not
    AtLeast: ((5, 4), (3, 4)), Fits: ((3, 3), (4, 3)), Divides: ((3, 12), (5, 12)), Equal: ((4, 4), (4, 5)),
    SameShape: (((2, 3), (2, 3)), ((2, 3), (2, 4))), Broadcasts: ((1, 7), (2, 7)), Whole: ((4,), (0.5,)),
}  # fmt: skip
KINDS = {  # what a page checks of each claim
    "least": lambda x: x >= 0, "whole": lambda x: x % 1 == 0, "same": lambda x, y: x == y,
    "stretch": lambda x, y: x == y or 1 in (x, y),
}  # fmt: skip


@pytest.mark.parametrize("relation", RELATIONS)
def test_the_claims_of_numbers_are_its_truth(relation):
    for sizes, truth in zip(RELATIONS[relation], (True, False)):
        need = relation(*sizes)
        assert need.truth is truth
        assert all(KINDS[kind](*claimed) for kind, claimed in need.all_claims()) is truth
        if need.slack is not None:
            assert (need.slack >= 0) is truth


@pytest.mark.parametrize(
    ("need", "sentence", "requirement"),
    [
        (AtLeast(a - 5, 1, named="features"), "features = a - 5 must be at least 1", "features = a - 5 is at least 1"),
        (Fits(a, b), "a window of a does not fit into b", "a window of a fits into b"),
        (Divides(a, b), "a does not divide b", "a divides b"),
        (Divides(a, b, message="groups = {} does not divide {}"), "groups = a does not divide b", "a divides b"),
        (SameShape((a, 4), (b, 4)), "shapes (a, 4) and (b, 4) differ", "a = b"),
        (Broadcasts(a, b), "a and b differ, and neither is 1", "a = b, or one of them is 1"),
        (Whole(a / 2), "a/2 must be a whole number", "a/2 is a whole number"),
    ],
)
def test_it_says_what_is_wrong_and_what_must_hold(need, sentence, requirement):
    assert need.truth is None
    assert str(need) == sentence
    assert need.requirement(str) == requirement


def test_with_other_sizes_it_is_the_same_relation():
    need = Fits(a, b, padded=True).with_sizes(lambda x: x.subs({a: 7, b: 5}) if hasattr(x, "subs") else x)
    assert need.truth is False
    assert str(need) == "a window of 7 does not fit into 5, padding included"


def test_what_symbols_leave_open_is_no_fact():
    with pytest.raises(TypeError, match=r"say it as a relation of costcalc\.ops\.needs"):
        Fact(None, "{} has no rows", a)


# ---- no code reads a sentence


def holds_of(name):
    """All that is known of where closed forms of a network hold, but for sentences."""
    net = net_of(name)
    domain = derive(net, "macs").domain
    closed = closed_forms(net)
    claims = sorted(str(condition.claims) for condition in closed.conditions)
    bounds = [(bound.symbol, bound.low, bound.high) for bound in domain.bounds]
    sliders = shared_sliders([closed], {})
    limits = [[slider.data() for slider in sliders], [*named_settings([closed], sliders, name)]]
    return bounds, domain.conditions, domain.assumed, closed.knobs, claims, limits


def exit_codes(path):
    """Of commands that take the network, and of some that it cannot be."""
    return [run([command, str(path), *more.split()]) for command, more in LINES]


NET = """name: net
title: t
source: s
knobs: {r: 9, c: 8, g: 2}
input: [c, r, r]
layers:
  - conv: {channels: 2*c, kernel: 5, groups: g}
  - add: [[conv: {channels: 16, kernel: 1}], []]
  - max_pool: {kernel: 2, stride: 2, padding: 1}
  - linear: c - 4
"""


LINES = (
    ("show", ""), ("show", "--set r=4"), ("show", "--set g=3"), ("formula", ""), ("sweep", "r=2:9:1"), ("validate", ""),
    ("scale", "--free r --max macs=1e6"),
)  # fmt: skip


@pytest.fixture
def unnamed(monkeypatch):
    """Every sentence of every need is `x`."""

    def rename():
        monkeypatch.setattr(Need, "sentence", lambda self, message_sizes=None: "x")

    return rename


@pytest.mark.parametrize("name", SPECS)
def test_where_a_formula_holds_does_not_hang_on_the_sentences(name, unnamed):
    known = holds_of(name)
    unnamed()
    net_of.cache_clear()
    assert holds_of(name) == known


def test_exit_codes_do_not_hang_on_the_sentences(tmp_path, unnamed, capsys):
    path = tmp_path / "net.yaml"
    path.write_text(NET)
    before = exit_codes(path)
    assert {*before} == {0, 2}
    said = capsys.readouterr()
    assert "does not fit into" in said.out + said.err
    unnamed()
    sums_cache._known.clear()
    assert exit_codes(path) == before
    said = capsys.readouterr()
    assert not re.search("does not fit|does not divide|must be at least", said.out + said.err)
