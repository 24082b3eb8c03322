"""Weights of a layer outside of a repeat, used in its copies: they count once, there, in every kind of count."""

import random

import pytest
from support.sharing import random_spec

import costcalc
from costcalc import Outer, Repeat, add, new_graph
from costcalc.analysis.closed_form.derive import derive
from costcalc.errors import GraphError, ShapeError, SpecError
from costcalc.graph import find_problems, topological_order, unroll
from costcalc.ops import Conv, Input, ReLU
from costcalc.spec.bind import bind, resolve
from costcalc.spec.parse import parse_text
from costcalc.store.canonical import graph_hash

HEAD = "name: x\ntitle: t\nsource: s\nknobs: {n: 4, m: 5}\ninput: [3, 8, 8]\nlayers:\n"
KEEP = Conv(3, 3, padding=1)
TIED = """\
  - conv: {name: a, channels: 3, kernel: 3, padding: same}
  - repeat: {name: r, times: n, layers: [conv: {channels: 3, kernel: 3, padding: same, shares: a}, relu]}
"""
NESTED = """\
  - group: {name: g, layers: [conv: {name: a, channels: 3, kernel: 3, padding: same}]}
  - repeat:
      name: r
      times: n
      layers:
        - conv: {name: a, channels: 3, kernel: 1}
        - repeat:
            name: s
            times: m
            layers:
              - conv: {name: far, channels: 3, kernel: 3, padding: same, shares: g.a}
              - conv: {name: near, channels: 3, kernel: 1, shares: a}
              - conv: {name: own, channels: 3, kernel: 1, bias: false}
"""


def load(text, tmp_path, head=HEAD):
    (tmp_path / "x.yaml").write_text(f"{head}{text}")
    return costcalc.load(str(tmp_path / "x.yaml"))


def test_the_owner_has_the_weights_and_the_copies_have_none(tmp_path):
    net = load(TIED, tmp_path)
    assert {row.name: row.params for row in net.cost().layers} == {"input": 0, "a": 84, "r.conv": 0, "r.relu": 0}
    assert net.cost().macs == 5 * 81 * 64
    assert net.with_knobs(n=9).cost().params == 84
    assert str(net.formula("params").expression) == "84"
    assert costcalc.sweep(net, metrics="weight_bytes", n=[2, 9]).columns["weight_bytes"].tolist() == [4 * 84] * 2


def test_each_copy_of_the_outer_repeat_has_its_own_and_lends_it_to_the_inner(tmp_path):
    net = load(NESTED, tmp_path)
    assert net.cost().params == 84 + 4 * (12 + 5 * 9)
    assert str(net.formula("params").expression) in ("9*m*n + 12*n + 84", "n*(9*m + 12) + 84")
    flat = net.graph(unrolled=True)
    assert flat.nodes["r.2.s.3.far"]["shares"] == "g.a"
    assert flat.nodes["r.2.s.3.near"]["shares"] == "r.2.a"


def test_random_networks_have_one_count(tmp_path):
    """Repeats as they are and written out; numbers, formulas and columns."""
    dice = random.Random(4)
    for _ in range(25):
        net = load(random_spec(dice), tmp_path, "")
        totals = net.cost().totals
        assert costcalc.cost(net.graph(unrolled=True)).totals == totals
        swept = costcalc.sweep(net, n=[1, 3, 4], m=[1, 2], c=[2, 4]).to_records()
        assert len(swept) == 12
        formulas = {metric: derive(net, metric) for metric in ("params", "macs")}
        for point in dice.sample(swept, 3):
            knobs = {name: point[name] for name in ("n", "m", "c")}
            there = net.with_knobs(**knobs)
            assert there.cost().totals.items() >= {name: point[name] for name in formulas}.items()
            assert {metric: formula(**knobs) for metric, formula in formulas.items()} == {
                metric: point[metric] for metric in formulas
            }


def test_explained_numbers_say_nothing_of_weights_that_are_anothers(tmp_path):
    rows = costcalc.explain(load(NESTED, tmp_path)).to_records()
    assert [row["name"] for row in rows if row["metric"] == "params"] == ["g.a", "r.a", "r.s.own", "total"]


def tied(shares="b", key="shares"):
    return f"repeat: {{times: 2, layers: [conv: {{channels: 3, kernel: 1, {key}: {shares}}}]}}"


B = "conv: {name: b, channels: 3, kernel: 1}"


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([tied(), B], "layer 'b' does not stand before this one; a layer reads what does"),
        ([B, tied("bb")], "unknown layer 'bb'; did you mean 'b'?"),
        (["repeat: {name: b, times: 2, layers: [relu]}", tied()], "'b' is a repeat: each copy has its own weights"),
        ([B, tied(key="from")], "no layer of the repeat reads what a copy is given; each copy reads the one before "
             "it: from: given"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_named(layers, said):
    spec = parse_text("\n  - ".join([HEAD.rstrip(), *layers]), "x.yaml")
    with pytest.raises(SpecError) as caught:
        bind(spec, resolve(spec, {}))
    assert str(caught.value).partition(": ")[2] == said


def test_shared_weights_must_fit_in_every_copy(tmp_path):
    other = TIED.replace("kernel: 3, padding: same, shares", "kernel: 1, shares")
    with pytest.raises(ShapeError, match=r"layer 'r.conv' \(conv\): shares weight of shape \(3, 3, 3, 3\), but needs"):
        load(other, tmp_path).cost()
    grown = TIED.replace("times: n", "times: 2").replace("relu]", "{concat: [[], []]}]")
    with pytest.raises(ShapeError, match=r"layer 'r.1.conv' \(conv\): shares weight of shape"):
        load(grown, tmp_path).cost()


def body(shares, op=KEEP):
    """A body of one layer that shares, or has its own weights."""
    graph = new_graph()
    add(graph, "input", Input())
    add(graph, "conv", op, "input", **({"shares": shares} if shares is not None else {}))
    return graph


def network(shares, names=("a", "b"), body=body):
    graph = new_graph()
    add(graph, "x", Input((1, 3, 8, 8)))
    a = add(graph, names[0], KEEP, "x")
    b = add(graph, names[1], KEEP, a)
    add(graph, "r", Repeat(body(shares), 3), b)
    return graph


def test_graphs_that_share_otherwise_have_other_hashes_and_names_do_not_count():
    def deeper(shares):
        return body(None, Repeat(body(shares), 2))

    unlike = [network(None), network(Outer("a")), network(Outer("b")), network(None, body=deeper),
              network(Outer("a", 2), body=deeper), network(Outer("b", 2), body=deeper)]  # fmt: skip
    assert len({graph_hash(graph) for graph in unlike}) == len(unlike)
    assert graph_hash(network(Outer("a"))) == graph_hash(network(Outer("b"), ("b", "a")))
    assert graph_hash(network(Outer("a", 2), body=deeper)) == graph_hash(network(Outer("b", 2), ("b", "a"), deeper))
    assert graph_hash(unroll(network(Outer("a")))) != graph_hash(network(Outer("a")))


def test_the_order_of_the_nodes_is_found():
    graph = network(Outer("b"))
    graph.nodes["r"]["inputs"] = ("x",)
    graph.remove_edge("b", "r")
    graph.add_edge("x", "r")
    turned = graph.__class__()
    turned.add_nodes_from([(name, graph.nodes[name]) for name in ("x", "r", "b", "a")])
    assert [name for name, _ in topological_order(turned)].index("b") < [
        name for name, _ in topological_order(turned)
    ].index("r")
    assert costcalc.cost(turned).params == costcalc.cost(graph).params == 2 * 84
    assert graph_hash(turned) == graph_hash(graph)


def test_what_is_wrong_with_a_graph_is_said():
    graph = network(Outer("c"))
    assert [str(problem) for problem in find_problems(graph)] == [
        "layer 'r' shares the weights of 'c', which does not exist; known: a, b, r, x"
    ]
    add(graph, "c", KEEP, "r")
    with pytest.raises(GraphError, match="a layer shares the weights of one after it: c -> r -> c"):
        costcalc.cost(graph)
    graph = network(Outer("q"))
    graph.nodes["a"]["op"] = Repeat(body(None, ReLU()), 2)
    graph.nodes["r"]["op"] = Repeat(body(Outer("a")), 2)
    with pytest.raises(GraphError, match="layer 'r' shares the weights of 'a', a repeat: each copy has its own"):
        costcalc.cost(graph)
    for use in (costcalc.cost, unroll, graph_hash):
        with pytest.raises(GraphError, match="shares the weights of 'a', outside the outermost graph"):
            use(network(Outer("a", 2)))
