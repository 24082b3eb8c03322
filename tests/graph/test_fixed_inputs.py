"""Repeats whose copies all read one more layer beside the copy before them: in every kind of count n copies are n."""

import numpy as np
import pytest

import costcalc
from costcalc import Repeat, add, new_graph
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.metrics import COUNTED, METRICS
from costcalc.analysis.unrolled import repeat_assumptions
from costcalc.dims import size_symbol
from costcalc.errors import GraphError, ShapeError, SpecError
from costcalc.graph import digraph, unroll
from costcalc.ops import Add, Conv, Input, Mul, ReLU
from costcalc.store import graph_hash

CROSS = """\
name: cross
title: Copies that all read one memory
source: made up
knobs: {d: 3, m: 2, n: 5}
inputs: {x: [n, 8], y: [n, 8]}
layers:
  - linear: {name: memory, features: 8, from: y}
  - relu: {name: active}
  - repeat:
      name: blocks
      from: x
      times: d
      layers:
        - add: {name: sum, branches: [[], [linear: 8, mul: {from: [linear, active]}]]}
        - repeat:
            name: inner
            times: m
            layers: [linear: {name: all, features: 8}, add: {from: [all, memory, sum]}]
  - linear: 3
"""
UNROLLED = [name for name in COUNTED if METRICS[name].together != "leaving" and not METRICS[name].of]


ADDED = """\
name: added
title: The gradient of the memory is also that of what each copy reads
source: made up
knobs: {d: 3}
input: [64]
layers:
  - linear: {name: memory, features: 64}
  - linear: {name: start, features: 64, from: input}
  - repeat: {name: blocks, times: d, layers: [add: {from: [given, memory]}]}
  - linear: 3
"""


@pytest.mark.parametrize("text", [CROSS, ADDED], ids=["cross", "added"])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 7])
def test_n_copies_are_n_copies_in_every_metric(text, d):
    net = costcalc.load(text, d=d, batch=100)
    folded, written_out = net.cost(), net.cost(unrolled=True)
    assert {name: folded.total(name) for name in UNROLLED} == {name: written_out.total(name) for name in UNROLLED}


def test_a_copy_costs_what_it_costs_by_hand():
    assert costcalc.load(CROSS, d=7).macs == 5 * (64 + 7 * (64 + 2 * 64) + 24)


def test_layers_outside_are_read_by_all_copies():
    rows = {row.name: row for row in costcalc.load(CROSS).cost(unrolled=True).layers}
    assert [rows[f"blocks.{i}.mul"].inputs[1] for i in range(3)] == ["active"] * 3
    assert rows["blocks.1.inner.1.add"].inputs == ("blocks.1.inner.1.all", "memory", "blocks.1.sum")
    folded = {row.name: row for row in costcalc.load(CROSS).cost().layers}
    assert folded["blocks.inner.add"].inputs == ("blocks.inner.all", "memory", "blocks.sum")


@pytest.mark.parametrize("metric", ["macs", "activations_in_place", "train_elementwise", "saved_bytes"])
def test_a_formula_and_an_array_are_the_numbers(metric):
    model, points = costcalc.load(CROSS), [1, 2, 3, 4, 5, 6, 9]
    wanted = [costcalc.load(CROSS, d=d).cost().total(metric) for d in points]
    formula = derive(model, metric)
    low = 1 if metric == "activations_in_place" else 0  # of one copy it says that it does not hold
    assert [formula(d=d) for d in points[low:]] == wanted[low:]
    assert costcalc.sweep(model, metrics=[metric], d=points).columns[metric].tolist() == wanted


def test_a_shape_that_changes_is_walked_copy_by_copy():
    body, graph = new_graph(), new_graph()
    add(body, "in", Input())
    add(body, "gate", Input())
    add(body, "product", Mul(), add(body, "conv", Conv(4, 3), "in"), "gate")
    add(graph, "x", Input([1, 4, 9, 9]))
    add(graph, "one", Input([1, 4, 1, 1]))
    add(graph, "stage", Repeat(body, 3, ("gate",)), "x", "one")
    assert [row.output_shape[2] for row in costcalc.cost(graph).layers if row.op.name == "conv"] == [7, 5, 3]
    assert costcalc.cost(graph).totals == costcalc.cost(unroll(graph)).totals


def pair(fixed=("a", "b"), order=("in", "a", "b"), times=2, reads=("x", "p", "q")):
    """Copies of product and sum, which read two layers more."""
    body, graph = new_graph(), new_graph()
    for name in order:
        add(body, name, Input())
    add(body, "sum", Add(), add(body, "product", Mul(), "in", "a"), "b")
    add(graph, "x", Input([1, 4, 9, 9]))
    add(graph, "p", Conv(4, 1), "x")
    add(graph, "q", Conv(4, 1, bias=False), "x")
    add(graph, "stage", Repeat(body, times, fixed), *reads)
    return graph


def test_the_hash_sees_which_input_is_which():
    assert graph_hash(pair()) == graph_hash(pair(order=("b", "in", "a"))) == graph_hash(digraph(pair()))
    swapped = pair(("b", "a"), reads=("x", "q", "p"))  # the same network: inputs by name
    assert graph_hash(unroll(swapped)) == graph_hash(unroll(pair()))
    others = [pair(("b", "a")), pair(times=3), pair(reads=("p", "x", "q"))]
    assert len({graph_hash(graph) for graph in (pair(), *others)}) == 4
    assert len({graph_hash(unroll(graph)) for graph in (pair(), *others)}) == 4


def test_no_copies_leave_the_first_input():
    none = pair(times=0)
    assert [row.name for row in costcalc.cost(none).layers] == ["x", "p", "q"]
    columns = costcalc.cost(pair(times=np.array([0, 1, 4])))
    assert [*columns.macs] == [costcalc.cost(pair(times=n)).macs for n in (0, 1, 4)]


def test_what_does_not_fit_is_refused():
    with pytest.raises(GraphError, match="the fixed input 'c', which is no Input"):
        pair(("a", "c"))
    with pytest.raises(GraphError, match="'stage' is a repeat and reads 3 layers, got 2"):
        costcalc.cost(pair(reads=("x", "p")))
    with pytest.raises(GraphError, match="a repeated body has one input, this one has 2: in, b"):
        costcalc.cost(pair(("a",), reads=("x", "p")))
    inner, graph = pair(), new_graph()
    inner.nodes["x"]["op"], inner.nodes["stage"]["op"] = Input(), pair(times=0).nodes["stage"]["op"]
    add(graph, "x", Input([1, 4, 9, 9]))
    add(graph, "outer", Repeat(inner, 2), "x")
    with pytest.raises(
        ShapeError, match="stands 0 times; in another repeat, one that reads more than one layer stands at least once"
    ):
        costcalc.cost(graph)


def test_a_name_of_the_body_comes_before_one_outside():
    text = CROSS.replace("- linear: 8,", "").replace(
        "[linear: 8, mul: {from: [linear, active]}]", "[relu: {name: active}]"
    )
    rows = {row.name: row for row in costcalc.load(text).cost().layers}
    assert rows["blocks.sum"].inputs == ("x", "blocks.active")
    with pytest.raises(SpecError, match="unknown layer 'memry'; did you mean 'memory'"):
        costcalc.load(CROSS.replace("[all, memory", "[all, memry")).cost()


def one_reader(times):
    """Copies of which a ReLU alone reads a fixed input, which no other layer reads."""
    body, graph = new_graph(), new_graph()
    add(body, "in", Input())
    add(body, "fixed", Input())
    add(body, "sum", Add(), add(body, "conv", Conv(4, 1), "in"), add(body, "relu", ReLU(), "fixed"))
    add(graph, "x", Input([1, 4, 9, 9]))
    add(graph, "p", Conv(4, 1), "x")
    add(graph, "stage", Repeat(body, times, ("fixed",)), "x", "p")
    return graph


def test_a_layer_writes_over_what_one_copy_alone_reads():
    """Two copies read it both: a formula holds from two on, and says so."""
    depth = size_symbol("d")
    total = costcalc.cost(one_reader(depth)).total("activations_in_place")
    (need,) = repeat_assumptions(one_reader(depth))
    assert str(need.sentence()) == "repeat stage has d copies; it needs at least 2"
    wanted = [costcalc.cost(one_reader(n)).total("activations_in_place") for n in (1, 2, 5)]
    assert wanted == [costcalc.cost(unroll(one_reader(n))).total("activations_in_place") for n in (1, 2, 5)]
    assert [total.subs(depth, n) for n in (2, 5)] == wanted[1:]
    assert total.subs(depth, 1) != wanted[0]
