"""Two things never go by one name in a formula, in its text, its Python or a ratio."""

import re
from fractions import Fraction

import pytest
from support.formulas import run

import costcalc
from costcalc.analysis.closed_form.assumptions import default_assumptions, floor_free, parse_assumption
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.closed_form.python_module import module
from costcalc.analysis.closed_form.ratio import ratio
from costcalc.dims import size_symbol
from costcalc.errors import CostcalcError, UsageError


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["r=32*k", "d=2*k"], "k stands for two things; give each assumption a symbol of its own"),
        (["r=32*k", "r%7==0"], "two assumptions about r; say it in one"),
        (["r%32==0", "r=7*k"], "two assumptions about r; say it in one"),
    ],
)
def test_assumptions_do_not_get_in_each_others_way(texts, message):
    with pytest.raises(UsageError) as caught:
        costcalc.formula("efficientnet", assume=texts)
    assert str(caught.value) == message


def test_the_letter_a_knob_is_printed_as_is_taken_too(spec):
    net = spec("{kernel: {default: 3, letter: k}, r: 8}", "- conv: {channels: 4, kernel: 3, stride: 4}\n"
               "- linear: kernel\n", "[1, r, r]")  # fmt: skip
    formula = derive(net)
    assert [assumption.symbol for assumption in default_assumptions(formula)] == ["m"]
    with pytest.raises(UsageError, match="k is a knob or a size already; take another symbol"):
        parse_assumption("r=4*k", formula)


def test_a_module_refuses_two_symbols_of_one_name():
    whole, real = size_symbol("c"), size_symbol("c", real=True)
    with pytest.raises(CostcalcError) as caught:
        module("macs", "", {"c": None}, {}, [("", whole + 2 * real)])
    assert str(caught.value) == "two sizes of the formula are called c; rename one, code could not tell them apart"
    with pytest.raises(CostcalcError, match="two sizes of the formula are called c"):
        module("macs", "", {"c": None}, {"c": whole**2}, [("", whole + whole**2)])


def test_a_name_that_is_two_sizes_in_a_ratio_is_written_out(spec, tmp_path):
    net = spec("{w: {default: 1, kind: real}, g: 1}", "- linear: {features: c, bias: false}\n", "[8]",
               "sizes: {c: 'round_to(32*w*g, 8)'}\n")  # fmt: skip
    found = ratio(net.with_knobs(g=1), net.with_knobs(g=3))
    assert found.text == "round_to(32*w, 8)/round_to(96*w, 8)"
    function = run(found.python, "ratio", tmp_path)
    assert function(w=2) == Fraction(*(one.with_knobs(w=2).cost().macs for one in (found.model, found.other)))


def test_factor_and_algebra_of_a_comparison_agree_where_knobs_differ(spec):
    first = spec("{k: 4, b: 2}", "- linear: {features: 10*k*b, bias: false}\n", "[5]", name="ra")
    second = spec("{k: 8, b: 2}", "- linear: {features: 40*k, bias: false}\n", "[5]", name="rb")
    found = ratio(first, second)
    assert found.text == "b/8"
    assert found.value == first.cost().macs / second.cost().macs
    assert "at b = 2" in found.lines()[1]
    assert any(re.fullmatch(r"k = 4 in .*ra\.yaml, 8 in .*rb\.yaml", line) for line in found.lines())


def test_an_assumed_formula_is_the_count(spec):
    formula = derive(spec("{kernel: {default: 3, letter: k}, r: 8}", "- conv: {channels: 4, kernel: 3, stride: 4}\n"
                          "- linear: kernel\n", "[1, r, r]"))  # fmt: skip
    free = floor_free(formula)
    assert free(m=5, kernel=2) == formula.model.with_knobs(r=20, kernel=2).cost().macs
