"""What letters leave open is said, never assumed in silence; and a formula answers only where it holds."""

import os
from fractions import Fraction

import numpy
import numpy as np
import pytest
import sympy

import costcalc
from costcalc import load, ops
from costcalc.analysis.closed_form.assumptions import floor_free, parse_assumption
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.closed_form.ratio import ratio
from costcalc.dims import size_symbol
from costcalc.errors import CostcalcError, GraphError, ShapeError, SpecError, UsageError
from costcalc.ops.base import op
from costcalc.ops.rules import per_element


def test_sharing_between_letters_is_a_condition(spec):
    net = spec(
        "{a: 8, b: 8}",
        "- linear: {name: one, features: a, bias: false}\n- linear: {name: two, features: b, bias: false}\n"
        "- linear: {name: three, features: a, bias: false, shares: one}\n",
    )
    assert derive(net, "params").domain.lines() == ["holds where a = b"]


def test_a_size_may_not_become_nothing(spec):
    formula = derive(spec("{c: 9}", "- linear: {features: c - 5, bias: false}\n", shape="[3]"))
    assert str(formula.domain) == "c ≥ 6"
    assert "below c = 6: layer 'linear' (linear): features = 0 must be at least 1" in formula.domain.lines()
    with pytest.raises(ShapeError) as caught:
        formula(c=3)
    assert str(caught.value).startswith("the formula holds for c ≥ 6, not for 3; layer 'linear'")


def test_what_must_divide_sets_no_least_value(spec):
    net = spec("{r: 36}", "- conv: {channels: 2, kernel: 5}\n- linear: r/4\n", shape="[1, r, r]")
    assert str(derive(net).domain) == "r ≥ 5, r/4 is a whole number"
    assert derive(net)(r=8) == net.with_knobs(r=8).cost().macs


@pytest.mark.parametrize(
    ("knobs", "message"),
    [({"r": -5}, "knob 'r' is at least 1, got -5"), ({"w": float("nan")}, "nan"), ({"classes": 1.5}, "whole number")],
)
def test_a_formula_takes_what_its_knobs_take(knobs, message):
    with pytest.raises(CostcalcError, match=message):
        derive(load("mobilenet_v1"))(**knobs)


def test_floats_are_their_digits():
    formula = derive(load("efficientnet"))
    assert formula(r=600, d=3.1, w=2.0) == 37_745_884_192
    assert derive(load("mobilenet_v1"))(w=0.25) == load("mobilenet_v1_025_224").cost().macs
    assert isinstance(formula(d=Fraction(31, 10)), int)


@pytest.mark.parametrize("text", ["r=32*c7", "r=32*d"])
def test_a_letter_of_an_assumption_is_new(text):
    with pytest.raises(UsageError, match="is a knob or a size already; take another symbol"):
        parse_assumption(text, derive(load("efficientnet")))


def test_an_assumed_formula_still_answers():
    formula = floor_free(derive(load("efficientnet")), [parse_assumption("r=32*k", derive(load("efficientnet")))])
    assert formula(k=7) == 385_814_752


def test_a_ratio_fills_in_what_the_two_set_apart(spec):
    first = spec("{k: 4}", "- linear: {features: 10*k, bias: false}\n", "[5]", name="ra")
    second = spec("{k: 8}", "- linear: {features: 40*k, bias: false}\n", "[5]", name="rb")
    assert ratio(second, first).expression == 8


@pytest.mark.parametrize("condition", ["(r > 7) == true", "(r > 7) == (r > 8)", "(r > 7) == (1 < 2)"])
def test_an_undecided_condition_decides_nothing(spec, condition):
    net = spec("{r: 9}", f"- relu: {{when: {condition}}}\n- linear: 2\n", shape="[1, r]")
    assert net.cost().macs
    with pytest.raises(SpecError, match=r"cannot decide .* while its symbols are free"):
        derive(net)


@pytest.mark.parametrize("times", [Fraction(3), numpy.int64(3), sympy.Integer(3)])
def test_whole_times_are_ints(times):
    body = costcalc.new_graph()
    costcalc.add(body, "x", ops.Input())
    costcalc.add(body, "fc", ops.Linear(4), "x")
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input([1, 4]))
    costcalc.add(graph, "more", costcalc.Repeat(body, times), "x")
    assert type(costcalc.cost(graph).macs) is int
    assert len(costcalc.unroll(graph)) == 4


def test_a_class_of_the_same_name_elsewhere_is_refused():
    with pytest.raises(TypeError, match=r"op ReLU: costcalc\.ops\.pointwise\.ReLU has its name, relu, already"):

        @op
        class ReLU(ops.Identity):
            pass


def test_macs_of_ones_own_want_gradients_of_ones_own():
    with pytest.raises(TypeError, match="op Doubling has macs of its own, but the backward_macs of ReLU"):

        @op
        class Doubling(ops.ReLU):
            def macs(self, x, *, out):
                return 2


def test_arithmetic_of_ones_own_wants_an_output_of_ones_own():
    """Else a function of an element would be a view because the op that it is made from is."""
    with pytest.raises(TypeError, match="op Tripled has elementwise of its own, but the output of Identity; give it"):

        @op
        class Tripled(ops.Identity):
            elementwise = per_element(3)


def test_a_cell_that_runs_twice_keeps_its_graphs():
    """As in a notebook: the class is made again, and layers of its earlier self still count."""

    def cell():
        @op
        class Tripled(ops.Pointwise):
            output = ops.computed(inplace=False, overwritable=False)
            elementwise = per_element(3)
            train_elementwise, keeps = ops.gradient_per_element(1), ops.keeps_nothing

        return Tripled

    try:
        graph = costcalc.new_graph()
        costcalc.add(graph, "x", ops.Input([1, 4]))
        costcalc.add(graph, "y", cell()(), "x")
        cell()
        assert costcalc.cost(graph).total("elementwise") == 12
    except GraphError as error:
        pytest.fail(str(error))
    finally:
        ops.OPS.pop("tripled")


VALUES = {"r": [224, 256], "w": [1, 2]}
ABOUT_NUMBERS = {
    "break_even": lambda net, knob: costcalc.break_even("mobilenet_v2", net, knob),
    "compare": lambda net, knob: costcalc.compare(net, "mobilenet_v2"),
    "compound": lambda net, knob: costcalc.compound(net),
    "elasticity": lambda net, knob: costcalc.elasticity(net),
    "explain": lambda net, knob: costcalc.explain(net),
    "formula": lambda net, knob: costcalc.formula(net),
    "histogram": lambda net, knob: costcalc.histogram(net, **{knob: VALUES[knob]}),
    "next_steps": lambda net, knob: costcalc.next_steps(net),
    "ratio": lambda net, knob: costcalc.ratio("mobilenet_v2", net),
    "reconcile": lambda net, knob: costcalc.reconcile(net),
    "scale": lambda net, knob: costcalc.scale(net, knob, macs=10**9),
    "scale, grid": lambda net, knob: costcalc.scale(net, grid={knob: VALUES[knob]}, macs=10**9),
    "sweep": lambda net, knob: costcalc.sweep(net, **{knob: VALUES[knob]}),
    "sweep_presets": lambda net, knob: costcalc.sweep_presets(net),
    "write_sweep": lambda net, knob: costcalc.write_sweep(net, os.devnull, **{knob: VALUES[knob]}),
}


@pytest.mark.parametrize(
    ("settings", "other"),
    [({"r": size_symbol("r")}, "w"), ({"w": size_symbol("w", real=True)}, "r"), ({"r": np.array([224, 256])}, "w")],
    ids=["letter", "real letter", "column"],
)
@pytest.mark.parametrize("what", ABOUT_NUMBERS)
def test_what_is_about_numbers_says_which_knob_is_none(what, settings, other):
    (knob,) = settings
    net = load("efficientnet").with_knobs(**settings)
    with pytest.raises(
        UsageError, match=f"needs numeric sizes; knob '{knob}' of efficientnet@{knob}=.* is not numeric; "
    ):
        ABOUT_NUMBERS[what](net, other)


def test_a_knob_that_is_swept_over_may_have_been_a_letter():
    swept = costcalc.sweep(load("efficientnet").with_knobs(r=size_symbol("r")), **VALUES)
    assert swept.to_records() == costcalc.sweep("efficientnet", **VALUES).to_records()


@pytest.mark.parametrize("value", [size_symbol("q"), np.array([224, 256])], ids=["letter", "column"])
def test_a_value_of_a_sweep_is_a_number(value):
    with pytest.raises(UsageError, match=r"r is swept over numbers; '.*' is not one"):
        costcalc.sweep("efficientnet", r=[value])
