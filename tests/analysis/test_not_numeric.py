"""Graphs of symbols and of arrays: each analysis gives a result or says what it needs, and never a TypeError."""

import numpy as np
import pytest
from support import needed

import costcalc
from costcalc import ops, report
from costcalc.analysis.memory import peak_activations
from costcalc.dims import size_symbol
from costcalc.errors import UsageError


def graph_of(batch, r, times=2):
    """A convolution, a repeat with buffers, and a linear layer."""
    body = costcalc.new_graph()
    costcalc.add(body, "input", ops.Input())
    costcalc.add(body, "conv", ops.Conv(4, 3, padding=1), "input")
    costcalc.add(body, "norm", ops.BatchNorm(), "conv")
    graph = costcalc.new_graph(name="mine")
    costcalc.add(graph, "image", ops.Input([batch, 4, r, r]))
    costcalc.add(graph, "stage", costcalc.Repeat(body, times), "image")
    costcalc.add(graph, "flat", ops.Flatten(), "stage")
    costcalc.add(graph, "fc", ops.Linear(3), "flat")
    return graph


SYMBOLS = graph_of(size_symbol("batch"), size_symbol("r"))
COPIES = graph_of(1, 8, size_symbol("d"))
ARRAYS = graph_of(1, np.array([8, 9]))
ARRAY_OF_COPIES = graph_of(1, 8, np.array([1, 2]))
GRAPHS = [SYMBOLS, COPIES, ARRAYS, ARRAY_OF_COPIES]


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("depth", [None, 1])
def test_costs_are_shown_whatever_they_are_made_of(graph, depth):
    cost = costcalc.cost(graph)
    for format in ("table", "json", "csv", "markdown", "latex"):
        assert report.text([cost.table(depth)], cost.at_depth(depth).to_dict(), format)
    assert "fc" in cost.table(depth)._repr_html_()
    needed.module("pandas", "pandas")
    assert len(cost.to_pandas()) == len(cost.layers)
    assert len(cost.table(depth).to_pandas()) >= 3


def test_formulas_stand_in_the_notes_as_papers_write_them():
    assert costcalc.cost(SYMBOLS).notes(["params"]) == [
        "params: 12·r² + 288 weights, 11 biases, 16 normalisation; 16 buffers, not learned, apart"
    ]


@pytest.mark.parametrize(
    ("graph", "lacking"),
    [(SYMBOLS, "symbols batch, r"), (COPIES, "symbol d"), (ARRAYS, "sizes of several points"),
     (ARRAY_OF_COPIES, "sizes of several points")],
)  # fmt: skip
def test_what_needs_numbers_says_which_sizes_are_none(graph, lacking):
    for what, analysis in (("compare", lambda graph: costcalc.compare(graph, graph)), ("explain", costcalc.explain)):
        with pytest.raises(UsageError) as caught:
            analysis(graph)
        assert str(caught.value) == f"{what} needs numeric sizes; layer graph 'mine' has the {lacking}"


@pytest.mark.parametrize(("graph", "todo"), [(SYMBOLS, "set batch, r"), (ARRAYS, "make a graph of each point")])
def test_peak_memory_says_which_sizes_to_set(graph, todo):
    with pytest.raises(UsageError) as caught:
        peak_activations(graph)
    assert str(caught.value) == f"peak memory needs numeric sizes; {todo}"
