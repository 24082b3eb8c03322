"""Peak memory: what a simulation of every buffer holds, and on columns what the numbers say at every point."""

import math
import random

import numpy as np
import pytest
from support.array_graphs import SIZES, points_of, seeded_graph
from support.sizes import size

import costcalc
from costcalc import Repeat, add, new_graph, ops
from costcalc.analysis import unrolled
from costcalc.analysis.inplace import inplace_inputs
from costcalc.analysis.memory import peak_activations
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.totals import sums_of
from costcalc.analysis.walk import walk
from costcalc.errors import UsageError
from costcalc.graph import unroll

GRAPHS = size(150, 2000)


def simulated(graph):
    """Every buffer made, shared, overwritten and freed, layer by layer; copies written out."""
    rows = list(walk(unroll(graph)))
    over = inplace_inputs(rows)
    reads = {name: 0 for row in rows for name in (row.name, *row.inputs)}
    for row in rows:
        for source in row.inputs:
            reads[source] += 1
    buffer, held, wanted, most = {}, {}, {}, 0
    for row in rows:
        source = over.get(row.name, 0 if row.op.output.view and row.inputs else None)
        if source is None:
            buffer[row.name] = row.name
            held[row.name] = math.prod(row.output_shape)
        else:
            buffer[row.name] = buffer[row.inputs[source]]
        at = buffer[row.name]
        forever = not row.inputs or not reads[row.name]  # an input, or an output of the network
        wanted[at] = wanted.get(at, 0) + (math.inf if forever else reads[row.name])
        most = max(most, sum(held.values()))
        for source in row.inputs:
            wanted[buffer[source]] -= 1
        for source in {buffer[source] for source in row.inputs}:
            if not wanted[source]:
                del held[source]
    return most


def columns_of(points):
    """The points side by side, each size a column."""
    return {name: np.array([point[name] for point in points], dtype=object) for name in SIZES}


def peak_column(graph, count):
    found = sums_of(graph, ("peak_bytes",)).at(Grid({"i": tuple(range(count))}))
    return found.flat("peak_bytes").tolist()


@pytest.mark.sized
def test_the_peak_is_what_a_simulation_holds():
    rng = random.Random(71)
    for number in range(GRAPHS):
        (point,) = points_of(rng, 1)
        graph = seeded_graph(number, point)
        assert peak_activations(graph).elements == simulated(graph), f"graph {number}"


@pytest.mark.sized
def test_a_column_is_the_numbers():
    """T29: sizes of every order, times from 0 to 5, repeats in repeats, joins that stretch at some points only."""
    rng = random.Random(72)
    largest = 0
    for number in range(GRAPHS):
        points = points_of(rng, 6)
        found = peak_column(seeded_graph(number, columns_of(points)), 6)
        wanted = [4 * peak_activations(seeded_graph(number, point)).elements for point in points]
        assert found == wanted, f"graph {number}"
        assert {type(value) for value in found} == {int}
        largest = max(largest, *found)
    assert largest > 2**100


def body(*layers):
    graph = new_graph()
    last = add(graph, "in", ops.Input())
    for i, op in enumerate(layers):
        last = add(graph, f"{op.name}{i}", op, last)
    return graph


def repeated(inner, times, before=None):
    """x -> before -> repeat -> conv"""
    graph = new_graph()
    last = add(graph, "x", ops.Input([2, 3, 5, 5]))
    last = add(graph, "before", before, last) if before else last
    add(graph, "after", ops.Conv(3, 1), add(graph, "more", Repeat(inner, times), last))
    return graph


@pytest.mark.parametrize("before", [None, ops.Conv(3, 1), ops.MaxPool(1, 1), ops.Dropout()], ids=str)
@pytest.mark.parametrize(
    "layers",
    [[ops.ReLU()], [ops.Conv(3, 1), ops.ReLU()], [ops.Dropout()], [ops.ReLU(), ops.Conv(3, 1)], [ops.Sigmoid()]],
    ids=str,
)
def test_two_copies_stand_for_all(before, layers):
    """A ReLU overwrites what a convolution wrote, not what the ReLU before it did: a first copy is no second."""
    times = [0, 1, 2, 3, 9]
    wanted = [4 * simulated(repeated(body(*layers), n, before)) for n in times]
    assert peak_column(repeated(body(*layers), np.array(times), before), 5) == wanted
    assert wanted[2:] == [wanted[2]] * 3


def test_repeats_in_repeats_take_two_of_each():
    inner = body(ops.ReLU(), ops.Conv(3, 1))
    add(inner, "join", ops.Add(), "in", "conv1")
    for times in ([0, 1, 2, 7], [3, 0, 9, 1]):
        outer = new_graph()
        add(outer, "in", ops.Input())
        add(outer, "end", ops.BatchNorm(), add(outer, "deep", Repeat(inner, np.array(times)), "in"))
        numbers = []
        for n, m in zip(times, (2, 5, 0, 4), strict=True):
            plain = new_graph()
            add(plain, "in", ops.Input())
            add(plain, "end", ops.BatchNorm(), add(plain, "deep", Repeat(inner, n), "in"))
            numbers.append(4 * simulated(repeated(plain, m)))
        assert peak_column(repeated(outer, np.array([2, 5, 0, 4])), 4) == numbers


def test_a_million_copies_are_two():
    graph = repeated(body(ops.Conv(3, 3, padding=1), ops.ReLU()), 2**31)
    assert peak_column(graph, 1) == [4 * simulated(repeated(body(ops.Conv(3, 3, padding=1), ops.ReLU()), 2))]


def test_repeats_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(unrolled, "MAX_UNROLLED_LAYERS", 100)
    inner = body(ops.ReLU())
    for _ in range(6):
        outer = new_graph()
        add(outer, "deep", Repeat(inner, np.array([2, 3])), add(outer, "in", ops.Input()))
        inner = outer
    with pytest.raises(UsageError, match="2 copies of each repeat make more than 100 layers; leave out metrics"):
        peak_column(repeated(inner, np.array([2, 3])), 2)


def test_what_may_be_overwritten_differs_from_point_to_point():
    """x + gate: over the gate where it is as large as x."""

    def gated(channels):
        graph = new_graph()
        add(graph, "x", ops.Input([1, 4, 6, 6]))
        add(graph, "gate", ops.Conv(channels, 1), "x")
        add(graph, "sum", ops.Add(), "x", "gate")
        return graph

    # elements: x 144; gate 36 and sum 144, or gate 144 under the sum
    assert peak_column(gated(np.array([1, 4])), 2) == [4 * (144 + 36 + 144), 4 * (144 + 144)]
    assert [peak_activations(gated(n)).elements for n in (1, 4)] == [324, 288]


def test_layers_are_named_as_before():
    graph = costcalc.load("efficientnet").graph()
    found = peak_activations(graph)
    assert found == (2_558_976, "stage3.first.expand.batch_norm")
