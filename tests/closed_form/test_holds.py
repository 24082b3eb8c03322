"""A formula answers where the count does, with its number, and nowhere else; its domain says where that is."""

import random

import numpy as np
import pytest
from sympy import sympify

import costcalc
from costcalc import load, ops
from costcalc.analysis.closed_form.assumptions import floor_free, parse_assumption
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.closed_form.undecided import monotonicity
from costcalc.analysis.walk import walk
from costcalc.dims import floor_div, maximum, round_to, size_symbol
from costcalc.errors import CostcalcError, ShapeError

NETS = {
    "fields": ("{c: 9, d: 8}", "- linear: {features: c - 5}\n- linear: {features: 20 - d}\n", "[3]"),
    "room": ("{r: 9, k: 3}", "- conv: {channels: 2, kernel: k}\n", "[1, r, 9]"),
    "padding": ("{r: 9, k: 3}", "- conv: {channels: 2, kernel: k, padding: k - 2}\n", "[1, r, r]"),
    "division": ("{r: 12}", "- conv: {channels: 2, kernel: 5}\n- linear: r/4\n", "[1, r, r]"),
    "groups": ("{c: 8, g: 2}", "- conv: {channels: 12, kernel: 1, groups: g}\n", "[c, 4, 4]"),
    "times": ("{d: 5, c: 4}", "- repeat: {times: d - 3, layers: [linear: {features: c}]}\n", "[c]"),
    "input": ("{r: 12}", "- linear: 4\n", "[r - 5]"),
    "bump": ("{c: 9}", "- linear: {features: (c - 5)*(c - 5) - 3}\n", "[4]"),
    "shared": ("{a: 8, b: 8}", "- linear: {name: one, features: a}\n- linear: {features: b}\n"
               "- linear: {features: a, shares: one}\n", "[a]"),
    "width": ("{w: {default: 1, kind: real}}", "- linear: 32*w - 7\n", "[4]"),
    "sum": ("{a: 4, b: 4}", "- add: [[linear: a], [linear: b]]\n", "[4]"),
}  # fmt: skip


@pytest.fixture
def net_of(spec):
    """Loads one of the nets above."""
    return lambda name: spec(*NETS[name], name=name)


def count(net, knobs):
    """What the count says, or that it refuses."""
    try:
        return net.with_knobs(**knobs).cost().params
    except CostcalcError:
        return "refused"


def answer(formula, knobs):
    """What the formula says, or that it refuses."""
    try:
        return formula(**knobs)
    except ShapeError:
        return "refused"


@pytest.mark.parametrize("name", NETS)
def test_a_formula_answers_where_the_count_does(net_of, name):
    net, dice = net_of(name), random.Random(name)
    formula = derive(net, "params")
    assert formula.domain.lines(), "it does not hold everywhere, and says nothing"
    seen = set()
    for _ in range(60):
        knobs = {k: dice.randint(1, 24) / (10 if k == "w" else 1) for k in net.knobs if k != "batch"}
        knobs |= {"b": knobs["a"]} if "a" in knobs and dice.random() < 0.4 else {}
        assert answer(formula, knobs) == count(net, knobs), knobs
        seen.add(answer(formula, knobs) == "refused")
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("fields", ["holds for c ≥ 6, 1 ≤ d ≤ 19",
                    "below c = 6: layer 'linear1' (linear): features = 0 must be at least 1",
                    "above d = 19: layer 'linear2' (linear): features = 0 must be at least 1"]),
        ("room", ["holds for 1 ≤ k ≤ 9", "above k = 9: layer 'conv' (conv): a window of 10 does not fit into 9",
                  "holds where a window of k fits into r"]),
        ("padding", ["holds for k ≥ 2", "below k = 2: layer 'conv' (conv): padding = -1 must be at least 0",
                     "holds where a window of k fits into 2·k + r − 4, padding included"]),
        ("division", ["holds for r ≥ 5", "below r = 5: layer 'conv' (conv): a window of 5 does not fit into 4",
                      "assumes r/4 is a whole number"]),
        ("times", ["holds for d ≥ 3", "below d = 3: layer 'repeat.linear' (linear): the times of 'repeat' = -1 must be "
                   "at least 0"]),
        ("input", ["holds for r ≥ 6", "below r = 6: layer 'input' (input): size = 0 must be at least 1"]),
        ("bump", ["holds where features = (c − 5)² − 3 is at least 1"]),
        ("shared", ["holds where a = b"]),
    ],
)  # fmt: skip
def test_the_domain_says_where(net_of, name, lines):
    assert derive(net_of(name), "params").domain.lines() == lines


def test_what_an_op_assumes_of_its_letters_is_said_by_hand_too():
    n = size_symbol("n")

    def assumed(op):
        graph = costcalc.new_graph()
        costcalc.add(graph, "x", ops.Input([1, 3, 9, 9]))
        costcalc.add(graph, "y", op, "x")
        return [*map(str, [*walk(graph)][-1].assumed)]

    assert assumed(ops.Conv(n - 50, 3)) == ["channels = n - 50 must be at least 1"]
    assert assumed(ops.Conv(n / 2, 3)) == ["channels = n/2 must be a whole number"]
    assert assumed(ops.Conv(2, 3, padding=n - 1)) == []
    assert assumed(ops.Conv(2, 3, padding=(n - 2, 0))) == ["padding = n - 2 must be at least 0"]
    assert assumed(ops.LeakyReLU(slope=size_symbol("w", real=True))) == []


def test_a_value_outside_is_refused_with_the_bound():
    formula = derive(load("mobilenet_v1"))
    with pytest.raises(ShapeError) as caught:
        formula(w=0.35)
    assert str(caught.value) == (
        "the formula does not hold there; layer 'conv' (conv): channels = 11.2 must be a whole number"
    )


def test_an_assumption_is_checked_too():
    formula = derive(load("alexnet"))
    in_k, in_r = (floor_free(formula, [parse_assumption(text, formula)]) for text in ("r=32*k", "r%32==0"))
    for free, knobs, message in (
        (in_k, {"k": 7.5}, "k must be a whole number from 1 to 2^31, got 7.5"),
        (in_k, {"k": "x"}, "k must be a whole number, got 'x'"),
        (in_r, {"r": 225}, "the formula holds for r a multiple of 32, not for 225"),
        (in_r, {"r": np.array([224, 230, 227])}, "the formula holds for r a multiple of 32, not for 230"),
    ):
        with pytest.raises(ShapeError) as caught:
            free(**knobs)
        assert str(caught.value) == message
    assert in_r(r=np.array([224, 256])).tolist() == [in_k(k=7), in_k(k=8)]


def test_the_first_value_of_a_column_outside_is_named(net_of):
    with pytest.raises(ShapeError, match="the formula holds for r ≥ 6, not for 5; layer"):
        derive(net_of("input"))(r=np.array([12, 5, 3]))


@pytest.mark.parametrize(
    ("way", "size"),
    [
        (1, lambda n: n), (0, lambda n: n - n + 7), (-1, lambda n: 50 - n), (1, lambda n: floor_div(n + 1, 4) - 1),
        (-1, lambda n: 9 - floor_div(n, 3)), (1, lambda n: n * n), (None, lambda n: n * (20 - n)),
        (1, lambda n: round_to(n, 8)), (1, lambda n: maximum(n, 9)), (None, lambda n: maximum(n, 20 - n)),
    ],
)  # fmt: skip
def test_which_way_a_formula_goes(way, size):
    values = [size(n) for n in range(1, 60)]
    rises, falls = values == sorted(values), values == sorted(values, reverse=True)
    assert monotonicity(sympify(size(size_symbol("n")))) == way
    assert rises or way in (-1, None)
    assert falls or way in (1, None)
