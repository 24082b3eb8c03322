"""Equal layer graphs have equal hashes, unlike ones never."""

import os
import random
import re
import subprocess
import sys
from fractions import Fraction

import networkx
import pytest
from support.cases import CASES
from support.terminals import PLAIN, ROOT

import costcalc
from costcalc import Repeat, add, new_graph
from costcalc.errors import GraphError
from costcalc.ops import Add, Concat, Conv, Dropout, Input, Linear, ReLU
from costcalc.spec.library import entries
from costcalc.store import graph_hash
from costcalc.store.canonical import canonical_text


def body(*ops):
    graph = new_graph()
    last = add(graph, "x", Input())
    for number, op in enumerate(ops):
        last = add(graph, f"layer{number}", op, last)
    return graph


def block(names=("x", "a", "b", "sum"), **about):
    """x -> a, b -> a + b"""
    x, a, b, total = names
    graph = new_graph(**about)
    add(graph, x, Input([2, 3, 8, 8]))
    add(graph, a, Conv(4, 1), x)
    add(graph, b, Conv(4, 3, padding=1), x)
    add(graph, total, Add(), a, b)
    return graph


def test_the_text_says_what_the_graph_is():
    assert canonical_text(block()) == "\n".join(
        [
            "costcalc layer graph 2",
            "input(size=(2 3 8 8)) <- ",
            "conv(channels=4, kernel=1, stride=1, padding=0, dilation=1, groups=1, bias=True) <- 0",
            "conv(channels=4, kernel=3, stride=1, padding=1, dilation=1, groups=1, bias=True) <- 0",
            "add() <- 1,2",
        ]
    )  # fmt: skip


def test_the_text_keeps_the_order_of_inputs():
    def joined(*inputs):
        graph = body(ReLU(), ReLU())
        add(graph, "all", Concat(), *inputs)
        return canonical_text(graph).splitlines()[-1]

    assert joined("x", "layer1", "layer0") == "concat(axis=1) <- 0,2,1"
    assert joined("layer0", "x", "x") != joined("x", "layer0", "x")


def test_names_places_and_order_do_not_count():
    wanted = graph_hash(block())
    assert re.fullmatch(r"2:[0-9a-f]{64}", wanted)
    assert graph_hash(block(name="another", source="elsewhere")) == wanted
    assert graph_hash(block(("in", "z", "y", "out"))) == wanted
    shuffled = networkx.DiGraph()
    nodes = list(block().nodes(data=True))
    shuffled.add_nodes_from(reversed(nodes))
    shuffled.add_edges_from(block().edges)
    for name in shuffled:
        shuffled.nodes[name]["place"] = costcalc.errors.Place("a.yaml", 1, 1)
    assert graph_hash(shuffled) == wanted


def changed(**how):
    graph = block()
    for name, data in how.items():
        graph.nodes[name].update(data)
    return graph


UNLIKE = {
    "the block": block(),
    "another batch": changed(x={"op": Input([1, 3, 8, 8])}),
    "another field": changed(b={"op": Conv(4, 3, padding=1, bias=False)}),
    "inputs turned": changed(sum={"inputs": ("b", "a")}),
    "an input twice": changed(sum={"inputs": ("a", "b", "b")}),
    "twins": changed(b={"op": Conv(4, 1)}),
    "twins that share": changed(b={"op": Conv(4, 1), "shares": "a"}),
    "one of twins read twice": changed(b={"op": Conv(4, 1)}, sum={"inputs": ("a", "a")}),
    "nothing": new_graph(),
    "a chain": body(ReLU(), ReLU()),
    "a repeat": body(Repeat(body(ReLU()), 2)),
    "three of them": body(Repeat(body(ReLU()), 3)),
    "of something else": body(Repeat(body(Dropout()), 2)),
    "a repeat in a repeat": body(Repeat(body(Repeat(body(ReLU()), 2)), 1)),
}
UNLIKE["one of twins read twice"].remove_edge("b", "sum")


def test_unlike_graphs_have_unlike_hashes():
    assert len({graph_hash(graph) for graph in UNLIKE.values()}) == len(UNLIKE)


def test_what_is_frozen_counts_for_a_network_that_is_trained_and_for_no_other():
    plain, wanted = block(), graph_hash(block())
    ways = [changed(b={"frozen": True}), changed(a={"frozen": True}), changed(b={"frozen": ("bias",)}),
            changed(b={"frozen": {"weight", "bias"}})]  # fmt: skip
    assert {graph_hash(graph) for graph in ways} == {wanted}
    assert graph_hash(plain, trained=True) == wanted
    assert len({graph_hash(graph, trained=True) for graph in [plain, *ways]}) == 5
    same = changed(b={"frozen": ("bias", "weight")})
    assert graph_hash(same, trained=True) == graph_hash(ways[3], trained=True)
    inside = body(Repeat(body(Conv(3, 1)), 2))
    frozen = costcalc.graph.freezing.freeze(inside, [".."])
    assert graph_hash(frozen) == graph_hash(inside) != graph_hash(frozen, trained=True)


def test_every_field_of_every_op_counts():
    """Of all cases no two are equal, and what differs is in the hash."""
    ops = {case[0] for case in CASES}
    assert len({graph_hash(body(op)) for op in ops}) == len(ops)


def test_twins_with_unlike_users_are_told_apart_whatever_their_names():
    def wired(first, second):
        """Two equal convolutions, of which only the first is read twice, in this order."""
        graph = new_graph()
        add(graph, "x", Input([1, 3, 8, 8]))
        for name in sorted((first, second)):
            add(graph, name, Conv(4, 1), "x")
        add(graph, "relu", ReLU(), first)
        add(graph, "all", Concat(), second, first, "relu")
        return graph

    assert graph_hash(wired("a", "b")) == graph_hash(wired("b", "a"))
    assert graph_hash(wired("a", "b")) != graph_hash(block())


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (Dropout(0.5), Dropout(Fraction(1, 2))),
        (Dropout(0.2), Dropout(Fraction(1, 5))),
        (Conv(8, 3, padding="valid"), Conv(8, 3)),
        (Linear(Fraction(8, 1)), Linear(8)),
    ],
)
def test_equal_values_are_written_alike(one, same):
    assert graph_hash(body(one)) == graph_hash(body(same))


def random_graph(dice, size):
    graph = new_graph()
    names = [add(graph, "x", Input([1, 4, 8, 8]))]
    for number in range(size):
        op = dice.choice([ReLU(), Conv(4, 1), Conv(4, 3, padding=1), Add()])
        inputs = dice.choices(names, k=2) if isinstance(op, Add) else [dice.choice(names)]
        names.append(add(graph, f"n{number}", op, *inputs))
    return graph


def renamed(graph, dice):
    """The same graph under other names, its layers added in another order that can be walked."""
    names = dict(zip(graph, dice.sample(range(1000), len(graph))))
    order, left = [], list(graph)
    while left:
        ready = [name for name in left if all(source in order for source in graph.nodes[name]["inputs"])]
        order.append(dice.choice(ready))
        left.remove(order[-1])
    copy = new_graph()
    for name in order:
        data = graph.nodes[name]
        add(copy, f"m{names[name]}", data["op"], *(f"m{names[source]}" for source in data["inputs"]))
    return copy


def test_random_graphs_keep_their_hash_under_other_names():
    """And are isomorphic, as networkx sees it, to every other graph of the same hash."""
    dice, seen = random.Random(3), {}
    for _ in range(150):
        graph = random_graph(dice, dice.randint(1, 7))
        mark = graph_hash(graph)
        assert graph_hash(renamed(graph, dice)) == mark
        if mark in seen:
            assert networkx.is_isomorphic(graph, seen[mark], lambda a, b: a["op"] == b["op"])
        seen[mark] = graph
    assert 50 < len(seen) < 150


def test_every_network_of_the_library_has_a_hash_of_its_own():
    """But for specs that are one network under two names."""
    marks = {}
    for entry in entries():
        marks.setdefault(graph_hash(costcalc.load(entry.name).graph()), []).append(entry.name)
    assert [names for names in marks.values() if len(names) > 1] == SAME


SAME = [
    ["efficientnet", "efficientnet_b0"],
    ["mobilenet_v1", "mobilenet_v1_100_224"],
    ["mobilenet_v2", "mobilenet_v2_100_224"],
    ["quiz_layer", "quiz_conv_5x5"],
    ["resnet", "resnet50"],
    ["resnet_cifar", "resnet20"],
    ["vgg", "vgg16"],
]  # a spec and the preset that is its default


def test_symbols_have_a_hash_and_arrays_have_none():
    net = costcalc.load("resnet18")
    assert graph_hash(net.graph(free=["r"])) not in ("", graph_hash(net.graph()))
    import numpy

    for graph in (body(Linear(numpy.array([1, 2]))), body(Conv(4, (numpy.array([1, 2]), 3)))):
        with pytest.raises(GraphError, match="a layer graph with arrays stands for many networks and has no hash"):
            graph_hash(graph)


def test_what_is_no_layer_graph_is_refused():
    with pytest.raises(GraphError, match=r"a layer graph is a networkx\.DiGraph, got a str"):
        graph_hash("resnet50")


def test_the_seed_of_python_changes_nothing():
    code = (
        "import costcalc; from costcalc.store import graph_hash; print(graph_hash(costcalc.load('googlenet').graph()))"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True,
                       env={**PLAIN, "PYTHONPATH": os.pathsep.join([ROOT]), "PYTHONHASHSEED": str(seed)}).stdout
        for seed in range(4)
    }  # fmt: skip
    assert len(outputs) == 1
