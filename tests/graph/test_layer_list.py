"""The layers of a spec in order: the same network as the networkx.DiGraph made of them, to the unit."""

import copy

import networkx as nx
import pytest

import costcalc
from costcalc.errors import GraphError
from costcalc.graph import LayerList, Repeat, add, digraph, find_problems, topological_order, unroll
from costcalc.ops import Input, ReLU
from costcalc.spec.library import entries
from costcalc.store.canonical import graph_hash

SPECS = [entry.name for entry in entries() if entry.kind == "spec"]
REPEATED = [
    name for name in SPECS if any(data["op"].name == "repeat" for data in costcalc.load(name).bound.nodes.values())
]


def edges_of(layers):
    return {(source, name) for name, data in layers.nodes(data=True) for source in data["inputs"]}


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_and_its_digraph_are_one_network(name):
    net = costcalc.load(name)
    layers, graph = net.layers(), net.graph()
    assert isinstance(layers, LayerList) and isinstance(graph, nx.DiGraph)
    assert [*graph] == [*layers] and {*graph.edges} == edges_of(layers) and graph.graph.keys() == layers.graph.keys()
    assert find_problems(graph) == [] and [*topological_order(layers)] == [*layers.nodes.items()]
    assert graph_hash(layers) == graph_hash(graph)
    assert costcalc.cost(graph).layers == net.cost().layers


@pytest.mark.parametrize("name", REPEATED)
def test_repeats_are_written_out_alike(name):
    net = costcalc.load(name)
    layers, graph = net.layers(unrolled=True), unroll(net.graph())
    assert isinstance(layers, LayerList) and isinstance(graph, nx.DiGraph)
    assert [*graph] == [*layers] and {*graph.edges} == edges_of(layers)
    assert costcalc.cost(graph).layers == net.cost(unrolled=True).layers


def test_a_digraph_stays_what_it_is():
    graph = costcalc.load("lenet5").graph()
    assert digraph(graph) is graph


def test_the_body_of_a_repeat_is_a_digraph_too():
    bodies = [op.body for _, op in costcalc.load(REPEATED[0]).graph().nodes(data="op") if op.__class__ is Repeat]
    assert bodies and all(isinstance(body, nx.DiGraph) for body in bodies)


def test_changing_a_digraph_changes_no_other():
    net = costcalc.load("lenet5")
    graph = net.graph()
    graph.nodes["input"]["op"] = None
    graph.graph["name"] = "mine"
    assert net.layers().nodes["input"]["op"] == net.bound.nodes["input"]["op"] is not None
    assert net.bound.graph["name"] == net.graph().graph["name"] == "lenet5"


def test_a_layer_is_added_as_to_a_digraph():
    layers = LayerList(name="x")
    add(layers, "input", Input((1, 3)))
    assert add(layers, "relu", ReLU(), "input") == "relu"
    assert len(layers) == 2 and "relu" in layers and layers.nodes["relu"]["inputs"] == ("input",)
    assert [*layers.nodes()] == [*layers] == ["input", "relu"]
    assert repr(layers) == "LayerList named 'x' with 2 layers"
    with pytest.raises(GraphError, match="the graph has a layer 'relu' already; names must differ"):
        add(layers, "relu", ReLU(), "input")
    with pytest.raises(GraphError, match=r"layer 'b' reads 'relo', which does not exist; did you mean 'relu'\?"):
        add(layers, "b", ReLU(), "relo")


def test_layers_may_be_copied():
    layers = costcalc.load("lenet5").layers()
    copied = copy.deepcopy(layers)
    assert graph_hash(copied) == graph_hash(layers)
    assert {*digraph(copied).edges} == edges_of(layers)
