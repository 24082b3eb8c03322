"""A reader's own graph with symbols: filled in it is the graph built with numbers, and every analysis agrees."""

import pickle
import random
from fractions import Fraction

import pytest
import sympy
from support.array_graphs import SIZES, points_of, seeded_graph

import costcalc
from costcalc import dims, ops
from costcalc.dims import size_symbol
from costcalc.models.knob import Knob
from costcalc.models.model import Model
from costcalc.spec.spec_architecture import SpecArchitecture

SPEC = """\
name: tiny
title: Residual blocks of any width and number
source: the tests
knobs:
  r: 32
  d: 2
  w: {default: 1, kind: real}
sizes: {c: "round_to(12*w, 4)"}
input: [3, r, r]
layers:
  - conv: {name: stem, channels: c, kernel: 5, stride: 2}
  - repeat:
      name: stage
      times: 2*d - 1
      layers:
        - add:
          - []
          - - conv: {name: conv, channels: c, kernel: 3, padding: 1, bias: false}
            - batch_norm: {name: norm}
  - max_pool: {name: pool, kernel: 3, stride: 2}
  - flatten: {name: flat}
  - linear: {name: fc, features: 10}
"""
KNOBS = {"r": 32, "d": 2, "w": {"default": 1, "kind": "real"}, "batch": 1}


def tiny():
    """The same as a layer graph."""
    r, d, w = size_symbol("r"), size_symbol("d"), size_symbol("w", real=True)
    c = dims.round_to(12 * w, 4)
    body = costcalc.new_graph()
    costcalc.add(body, "input", ops.Input())
    costcalc.add(body, "conv", ops.Conv(c, 3, padding=1, bias=False), "input")
    costcalc.add(body, "norm", ops.BatchNorm(), "conv")
    costcalc.add(body, "add", ops.Add(), "input", "norm")
    graph = costcalc.new_graph(name="tiny")
    costcalc.add(graph, "input", ops.Input([size_symbol("batch"), 3, r, r]))
    costcalc.add(graph, "stem", ops.Conv(c, 5, stride=2), "input")
    costcalc.add(graph, "stage", costcalc.Repeat(body, 2 * d - 1), "stem")
    costcalc.add(graph, "pool", ops.MaxPool(3, 2), "stage")
    costcalc.add(graph, "flat", ops.Flatten(), "pool")
    costcalc.add(graph, "fc", ops.Linear(10), "flat")
    return graph


MINE, THEIRS = costcalc.model(tiny(), KNOBS), costcalc.load(SPEC)
BOTH = (MINE, THEIRS)
METRICS = ("params", "weight", "bias", "norm", "buffers", "macs", "elementwise", "activations")


@pytest.mark.parametrize("seed", range(40))
def test_filled_in_it_is_the_graph_built_with_numbers(seed):
    rng = random.Random(seed)
    symbols = seeded_graph(seed, {name: size_symbol(name) for name in SIZES})
    there = {name: {"default": 1, "low": 0} for name in SIZES if name in _symbols(symbols)}
    net = costcalc.model(symbols, there)
    for point in points_of(rng, 3):
        values = {name: point[name] for name in there}
        expected = costcalc.cost(seeded_graph(seed, point))
        assert net.with_knobs(**values).cost().to_records() == expected.to_records()
        swept = costcalc.sweep(
            net.with_knobs(**values), n=[point["n"], 2 if point["n"] == 1 else 1], metrics="params,macs,peak_bytes"
        )
        assert swept.to_records()[0]["macs"] == expected.macs


def _symbols(graph):
    from costcalc.models.graph_architecture import symbols_of

    return {symbol.name for _, symbol in symbols_of(graph)}


@pytest.mark.parametrize("metric", METRICS)
def test_formulas_domains_and_values_are_those_of_the_same_spec(metric):
    mine, theirs = (costcalc.formula(net, metric) for net in BOTH)
    assert mine.text.replace("round_to(12*w, 4)", "c") == theirs.text  # a spec names its sizes
    for ours, other in zip(*([f, f.without_floors] if f.without_floors else [f] for f in (mine, theirs)), strict=True):
        assert ours.domain == other.domain
        assert sympy.simplify(ours.expression - other.expression) == 0
    point = {"r": 40, "d": 3, "w": Fraction(3, 2), "batch": 2}
    assert mine(**point) == MINE.with_knobs(**point).cost().total(metric)


def test_sweeps_have_the_rows_of_the_same_spec():
    how = {"metrics": "params,macs,activations,weight_bytes,peak_bytes,intensity", "d": "1:4:1", "w": "0.1:2:0.1"}
    mine, theirs = (costcalc.sweep(net, r="4:40:3", where="macs > 1000", **how) for net in BOTH)
    assert mine.to_records() == theirs.to_records()
    assert (mine.invalid, mine.refused, len(mine)) == (theirs.invalid, theirs.refused, len(theirs))
    assert mine.invalid > 0  # windows that do not fit
    assert mine.fit().to_records() == theirs.fit().to_records()


def test_workers_get_the_graph():
    mine, alone = (costcalc.sweep(MINE, r="8:40:1", w="0.5:2:0.1", workers=n).to_records() for n in (2, 1))
    assert mine == alone


def test_searches_find_what_they_find_in_the_same_spec():
    for free in ("r", "d", "w"):
        mine, theirs = (costcalc.scale(net, free, macs=2_000_000).to_records() for net in BOTH)
        assert mine == theirs
    mine, theirs = (costcalc.scale(net, "r,w", macs=2_000_000).to_records() for net in BOTH)
    assert mine == theirs
    mine, theirs = (costcalc.break_even(net, "lenet5", "r").to_records() for net in BOTH)
    assert [{**row, "more": None} for row in mine] == [{**row, "more": None} for row in theirs]
    mine, theirs = (costcalc.next_steps(net, "r", "d", "w").to_records() for net in BOTH)
    assert mine == theirs
    assert MINE.architecture.image_knobs == THEIRS.architecture.image_knobs == {"r": 2}
    assert costcalc.ratio(MINE, THEIRS).text == "1"


def test_a_model_can_be_told_from_another_and_sent_to_another_process():
    twin = costcalc.model(tiny(), KNOBS)
    assert MINE.identity == twin.identity
    assert pickle.loads(pickle.dumps(MINE)).identity == MINE.identity  # noqa: S301  our own bytes
    assert pickle.loads(pickle.dumps(MINE)).cost().totals == MINE.cost().totals  # noqa: S301
    other = tiny()
    other.nodes["fc"]["op"] = ops.Linear(11)
    assert costcalc.model(other, KNOBS).identity != MINE.identity
    assert costcalc.model(tiny(), {**KNOBS, "d": {"default": 2, "high": 9}}).identity != MINE.identity
    assert costcalc.load(SPEC + "\n").identity == THEIRS.identity != costcalc.load(SPEC.replace("10}", "11}")).identity


def test_the_model_is_a_copy_of_the_graph():
    graph = tiny()
    net = costcalc.model(graph, KNOBS)
    graph.nodes["fc"]["op"] = ops.Linear(1000)
    assert net.cost().totals == MINE.cost().totals
    assert MINE.graph() is not MINE.graph()


def test_what_is_said_of_a_model_is_shown():
    net = costcalc.model(
        tiny(), {**KNOBS, "r": {"default": 32, "about": "pixels", "letter": "R"}}, title="Tiny", source="me"
    )
    assert (net.label, net.title, net.source, net.heading) == ("tiny", "Tiny", "me", "tiny: Tiny")
    assert net.cost().table().title == "tiny: Tiny"
    assert MINE.cost().table().title == "tiny"
    assert "R" in costcalc.formula(net).text
    assert costcalc.model(tiny(), KNOBS, name="other").label == "other"
    assert costcalc.reconcile(net).table().notes == ["no published figures: a layer graph lists none"]
    assert repr(net.with_knobs(r=64)) == "<costcalc.Net tiny@r=64>"


def test_a_whole_default_makes_a_whole_knob_and_a_float_a_real_one():
    w = sympy.Symbol("w")  # of which nothing is said
    kinds = {}
    for given in (2, 2.0, Fraction(1, 2), {"default": 2, "kind": "real"}, Knob("", 3), {"default": 2.5}):
        graph = costcalc.new_graph()
        costcalc.add(graph, "x", ops.Input([1, 8 * w]))
        kinds[str(given)] = costcalc.model(graph, {"w": given}).knobs["w"].kind
    assert [*kinds.values()] == ["integer", "real", "real", "real", "integer", "real"]


def image(size, **knobs):
    """The model of an image of such a size."""
    graph = costcalc.new_graph(name="mine")
    costcalc.add(graph, "image", ops.Input([1, 3, size, size]))
    return costcalc.model(graph, knobs)


R = size_symbol("r")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: image(R),
            "layer 'image' of 'mine' has the symbol 'r', and there is no such knob; "
            "give it a value: knobs={'r': …}",
        ),
        (
            lambda: image(R, r=1, s=2),
            "the knob 's' is in no size of 'mine'; its symbols: r; "
            "write costcalc.size_symbol('s') for a size",
        ),
        (lambda: image(R, r=1, rr=2), "the knob 'rr' is in no size of 'mine'; did you mean 'r'?"),
        (
            lambda: image(8, r=1),
            "the knob 'r' is in no size of 'mine'; it has no symbols; "
            "write costcalc.size_symbol('r') for a size",
        ),
        (lambda: image(R, r="big"), "knob 'r' is 'big'; give it a number, as in knobs={'r': 224}"),
        (lambda: image(R, r=True), "knob 'r' is True; give it a number, as in knobs={'r': 224}"),
        (
            lambda: image(R, r=1.5),
            "knob 'r' is 1.5, and its symbol is a whole number; "
            "write costcalc.size_symbol('r', real=True) in the graph",
        ),
        (lambda: image(R, r=0), "knob 'r' is at least 1, got 0"),
        (lambda: image(R, r={"default": 8, "low": 16}), "knob 'r' is at least 16, got 8"),
        (
            lambda: image(R, r={"low": 16}),
            "knob 'r' needs a default: {'default': 224, 'about': 'image size in "
            "pixels'}",
        ),
        (
            lambda: image(R, r={"default": 8, "min": 1}),
            "knob 'r' has no field 'min'; "
            "known: about, default, high, kind, letter, low",
        ),
        (
            lambda: image(R, r={"default": 8, "kind": "flag"}),
            "knob 'r' has the kind 'flag'; "
            "one of a layer graph is integer or real",
        ),
        (
            lambda: image(R, r=Knob("r", True, "flag")),
            "knob 'r' is a flag, and the symbol of a layer graph stands for a "
            "number",
        ),
        (lambda: image(R, r=8).with_knobs(q=1), "mine: unknown knob 'q'; known: r"),
        (lambda: image(R, r=8).with_knobs(r=0.5), "knob 'r' is a whole number, got 1/2"),
    ],
)  # fmt: skip
def test_what_a_model_of_a_graph_refuses(make, message):
    with pytest.raises(costcalc.CostcalcError) as caught:
        make()
    assert str(caught.value).replace("got 0.5", "got 1/2") == message


def test_a_size_that_cannot_be_names_its_layer():
    graph = costcalc.new_graph(name="mine")
    costcalc.add(graph, "image", ops.Input([1, 3, 8, 8]))
    costcalc.add(graph, "conv", ops.Conv(32 * size_symbol("w", real=True), 3), "image")
    net = costcalc.model(graph, {"w": 1.0})
    with pytest.raises(costcalc.ShapeError) as caught:
        net.with_knobs(w=0.7).cost()
    assert str(caught.value) == "layer 'conv': conv: channels must be a whole number from 1 to 2^31, got 22.4"
    swept = costcalc.sweep(net, w=[0.5, 0.7, 1])
    assert [row["w"] for row in swept.to_records()] == [0.5, 1]
    assert swept.invalid == 1


def test_a_function_of_sympy_that_is_none_of_sizes_is_refused():
    for size, named in ((sympy.sqrt(R), "the power 1/2"), (sympy.log(R), "log"), (sympy.Mod(R, 2), "Mod")):
        with pytest.raises(costcalc.UsageError) as caught:
            image(size, r=16).cost()
        assert str(caught.value).startswith("a size is made with + - * / //, powers, and costcalc.dims: ")
        assert str(caught.value).endswith(f"; {named} is not one of them")


def test_what_is_no_graph_has_no_model():
    with pytest.raises(costcalc.GraphError, match=r"a layer graph is a networkx\.DiGraph, got a str"):
        costcalc.model("lenet5", {"r": 1})


def test_an_architecture_of_a_readers_own_needs_layers_and_an_identity():
    class Mine(costcalc.Architecture):
        name = "mine"
        knobs = {"r": Knob("r", 32)}

        @property
        def identity(self):
            return "mine"

        def layers(self, values):
            return THEIRS.graph({"r": values["r"]})

    net = costcalc.load(Model(Mine()))
    assert net.with_knobs(r=64).cost().macs == THEIRS.with_knobs(r=64).cost().macs
    assert costcalc.sweep(net, r="32:64:8").to_records() == costcalc.sweep(THEIRS, r="32:64:8").to_records()
    assert isinstance(THEIRS.architecture, SpecArchitecture)


def test_the_layers_of_a_model_with_free_knobs_make_a_model():
    layers = costcalc.load("resnet50").layers(free=["r"])
    assert costcalc.load(costcalc.model(layers, knobs={"r": 224}), r=160).macs == costcalc.load("resnet50", r=160).macs
