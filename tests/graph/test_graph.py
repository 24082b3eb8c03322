"""The layer graph: any networkx.DiGraph of ops and inputs counts, in any order; what is none is refused by name."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costcalc
from costcalc.analysis.cost import cost
from costcalc.analysis.walk import walk
from costcalc.dims import size_symbol
from costcalc.errors import GraphError, Place, ShapeError
from costcalc.graph import (
    Repeat,
    add,
    count_layers,
    find_problems,
    input_of,
    new_graph,
    output_of,
    topological_order,
    unroll,
)
from costcalc.ops import (
    OPS,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Embedding,
    Flatten,
    GlobalAveragePool,
    Identity,
    Input,
    Linear,
    ReLU,
    Upsample,
)


def chain(*ops, size=(1, 3, 8, 8)):
    """Layers in a row after an input."""
    graph = new_graph()
    last = add(graph, "input", Input(size) if size else Input())
    for i, op in enumerate(ops):
        last = add(graph, f"{op.name}{i}", op, last)
    return graph


def body(*ops):
    return chain(*ops, size=None)


CONV = Conv(channels=4, kernel=3, padding=1, bias=False)
KEEP = Conv(channels=3, kernel=3, padding="same")


# --- any DiGraph ------------------------------------------------------------------------------------------------------


def test_a_graph_built_with_networkx_alone_is_counted():
    graph = nx.DiGraph()
    graph.add_node("x", op=Input((1, 3, 8, 8)), inputs=())
    graph.add_node("c", op=Conv(channels=4, kernel=3), inputs=("x",))
    graph.add_edge("x", "c")
    total = costcalc.cost(graph)
    assert (total.params, total.macs) == (4 * 3 * 9 + 4, 6 * 6 * 4 * 27)


def test_edges_may_be_left_out():
    graph = nx.DiGraph()
    graph.add_node("c", op=CONV, inputs=("x",))
    graph.add_node("x", op=Input((1, 3, 8, 8)), inputs=())
    assert costcalc.cost(graph).macs == 8 * 8 * 4 * 27


def test_names_may_be_anything_hashable():
    graph = nx.DiGraph()
    graph.add_node(0, op=Input((1, 3, 8, 8)), inputs=())
    graph.add_node((1, "a"), op=CONV, inputs=(0,))
    assert [row.name for row in walk(graph)] == [0, (1, "a")]
    assert costcalc.cost(graph).to_records()[1]["name"] == "(1, 'a')"


def test_an_empty_graph_costs_nothing():
    assert costcalc.cost(new_graph()).macs == 0


def test_x_plus_x_keeps_both_inputs():
    graph = chain()
    add(graph, "double", Add(), "input", "input")
    add(graph, "wide", Concat(), "double", "double", "double")
    assert graph.number_of_edges() == 2
    _, double, wide = walk(graph)
    assert double.total("elementwise") == 3 * 64
    assert wide.output_shape == (1, 9, 8, 8)


def test_networkx_algorithms_work_on_it():
    graph = chain(CONV, ReLU(), Flatten(), Linear(features=2))
    assert nx.dag_longest_path_length(graph) == 4
    assert [*nx.topological_sort(graph)] == [name for name, _ in topological_order(graph)]


def test_what_is_about_the_graph_is_kept():
    graph = new_graph(name="mine", knobs={"r": 8})
    assert costcalc.cost(graph).target == "mine"
    assert unroll(graph).graph == {"name": "mine", "knobs": {"r": 8}}


def test_views_and_other_directed_graphs_are_graphs():
    graph = chain(CONV, ReLU())
    want = costcalc.cost(graph).totals
    assert costcalc.cost(nx.MultiDiGraph(graph)).totals == want
    assert costcalc.cost(graph.subgraph(graph.nodes)).totals == want
    assert costcalc.cost(nx.freeze(graph)).totals == want


@pytest.mark.parametrize("other", [nx.Graph(), nx.MultiGraph()])
def test_an_undirected_graph_is_refused(other):
    with pytest.raises(GraphError, match=f"a layer graph is a networkx.DiGraph, got a {type(other).__name__}"):
        costcalc.cost(other)


def test_a_name_twice_is_refused():
    graph = chain()
    with pytest.raises(GraphError, match="the graph has a layer 'input' already; names must differ"):
        add(graph, "input", ReLU(), "input")


# --- order ------------------------------------------------------------------------------------------------------------

CHOICES = [KEEP, ReLU(), BatchNorm(), Identity(), Conv(channels=3, kernel=1), Conv(channels=3, kernel=1, bias=False)]


@st.composite
def networks(draw):
    """A random network of layers that keep their shape, some joined, some sharing weights, some repeated."""
    graph = chain()
    names = ["input"]
    for i in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["one", "one", "join", "share", "repeat"]))
        source = draw(st.sampled_from(names))
        if kind == "join":
            add(graph, f"n{i}", Add(), source, draw(st.sampled_from(names)))
        elif kind == "share" and any(graph.nodes[name]["op"] == KEEP for name in names):
            owner = draw(st.sampled_from([name for name in names if graph.nodes[name]["op"] == KEEP]))
            add(graph, f"n{i}", KEEP, source, shares=owner)
        elif kind == "repeat":
            inner = [draw(st.sampled_from(CHOICES)) for _ in range(draw(st.integers(1, 3)))]
            add(graph, f"n{i}", Repeat(body(*inner), draw(st.integers(0, 4))), source)
        else:
            add(graph, f"n{i}", draw(st.sampled_from(CHOICES)), source)
        names.append(f"n{i}")
    return graph


def shuffled(graph, order, rename):
    """The same layers in another order and under other names."""
    other = new_graph()
    for name in order:
        data = dict(graph.nodes[name])
        data["inputs"] = tuple(rename[source] for source in data["inputs"])
        if "shares" in data:
            data["shares"] = rename[data["shares"]]
        other.add_node(rename[name], **data)
    other.add_edges_from((source, name) for name, data in other.nodes(data=True) for source in data["inputs"])
    return other


@settings(max_examples=200, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_law_2_names_and_order_change_nothing(graph, dice):
    order = [*graph.nodes]
    dice.shuffle(order)
    rename = dict(zip(order, dice.sample(range(1000), len(order))))
    other = shuffled(graph, order, rename)
    before, after = costcalc.cost(graph), costcalc.cost(other)
    assert before.totals == after.totals
    key = {rename[name]: name for name in order}
    rows = {str(row.name): row[4:] for row in before.layers if row.name in graph}
    assert {str(key[row.name]): row[4:] for row in after.layers if row.name in key} == rows


@settings(max_examples=200, deadline=None)
@given(networks())
def test_law_7_a_repeat_is_so_many_copies(graph):
    flat = unroll(graph)
    assert not any(isinstance(data["op"], Repeat) for _, data in flat.nodes(data=True))
    assert costcalc.cost(graph).totals == costcalc.cost(flat).totals
    assert sum(count_layers(graph)) == len(flat) - 1


@settings(max_examples=100, deadline=None)
@given(networks(), networks())
def test_law_11_graphs_side_by_side_add(a, b):
    both = nx.union(a, b, rename=("a.", "b."))
    for prefix, graph in (("a.", a), ("b.", b)):
        for name in graph:
            data = both.nodes[f"{prefix}{name}"]
            data["inputs"] = tuple(f"{prefix}{source}" for source in data["inputs"])
            if "shares" in data:
                data["shares"] = f"{prefix}{data['shares']}"
    totals, first, second = (costcalc.cost(graph).totals for graph in (both, a, b))
    assert totals == {metric: first[metric] + second[metric] for metric in totals}


# --- what is none -----------------------------------------------------------------------------------------------------


def message(graph):
    with pytest.raises(GraphError) as caught:
        costcalc.cost(graph)
    return str(caught.value)


def broken(**nodes):
    """A graph of nodes given as (op, inputs…)."""
    graph = nx.DiGraph()
    for name, (op, *inputs) in nodes.items():
        graph.add_node(name, op=op, inputs=tuple(inputs))
    return graph


X = Input((1, 3, 8, 8))


class Mystery:
    """An op nobody gave a rule."""

    name = "mystery"


T10 = {
    "a cycle": (
        broken(x=[X], a=[Add(), "x", "c"], b=[ReLU(), "a"], c=[ReLU(), "b"]),
        "the layers form a cycle: a -> b -> c -> a",
    ),
    "a loop": (broken(a=[ReLU(), "a"]), "the layers form a cycle: a -> a"),
    "a missing input": (
        broken(inputs=[X], a=[ReLU(), "input"]),
        "layer 'a' reads 'input', which does not exist; did you mean 'inputs'?",
    ),
    "an input that is no name": (
        broken(x=[X], a=[ReLU(), ["x"]]),
        "layer 'a' reads ['x'], which does not exist; known: a, x",
    ),
    "an unknown op": (
        broken(x=[X], a=[Mystery(), "x"]),
        "layer 'a' has the op 'Mystery', which has no rule; see `costcalc help add-an-op`",
    ),
    "an op as a word": (
        broken(x=[X], a=["Liner", "x"]),
        "layer 'a' has the op 'Liner', which has no rule; did you mean 'Linear'?",
    ),
    "a class in place of an op": (
        broken(x=[X], a=[ReLU, "x"]),
        "layer 'a' has the class ReLU as its op; write ReLU(…)",
    ),
    "a repeat of two": (
        broken(x=[X], a=[Repeat(body(ReLU()), 2), "x", "x"]),
        "layer 'a' is a repeat and reads one layer, got 2",
    ),
    "a repeat without a body": (
        broken(x=[X], a=[Repeat(new_graph(), 2), "x"]),
        "a repeated body has one input, this one has 0",
    ),
    "a body with two inputs": (
        broken(x=[X], a=[Repeat(broken(i=[Input()], j=[Input()], k=[Add(), "i", "j"]), 2), "x"]),
        "a repeated body has one input, this one has 2: i, j",
    ),
    "a body with two outputs": (
        broken(x=[X], a=[Repeat(broken(i=[Input()], j=[ReLU(), "i"], k=[ReLU(), "i"]), 2), "x"]),
        "a repeated body has one output, this one has 2: j, k",
    ),
    "a body that starts with a layer": (
        broken(x=[X], a=[Repeat(broken(i=[KEEP], j=[ReLU(), "i"]), 2), "x"]),
        "a repeated body starts with an Input(), this one with 'i'",
    ),
    "a body with a cycle": (
        broken(x=[X], a=[Repeat(broken(i=[Input()], j=[Add(), "i", "k"], k=[ReLU(), "j"], l=[ReLU(), "k"]), 2), "x"]),
        "the layers form a cycle: j -> k -> j",
    ),
}


@pytest.mark.parametrize("what", T10)
def test_t10_broken_graphs_are_refused_by_name(what):
    graph, expected = T10[what]
    assert message(graph) == expected


def test_t10_all_that_is_wrong_is_said_at_once():
    graph = broken(x=[X], a=[ReLU(), "y"], b=[Mystery(), "x"])
    graph.add_node("c", op=ReLU())
    graph.add_node("d", inputs=("x",))
    graph.add_node("e", op=ReLU(), inputs=["x"], place=Place("n.yaml", 3, 5), label="E")
    graph.add_node("f", op=ReLU(), inputs=("x",), shares="g")
    graph.add_edge("a", "f")
    assert message(graph).split("\n") == [
        "layer 'a' reads 'y', which does not exist; known: a, b, c, d, e, f, x",
        "layer 'b' has the op 'Mystery', which has no rule; see `costcalc help add-an-op`",
        "layer 'c' has no inputs; give it inputs=(…), a tuple of layer names",
        "layer 'd' has no op",
        "n.yaml:3:5: layer 'E' has no tuple of inputs but a list; give it inputs=(…), a tuple of layer names",
        "an edge leads from 'a' to 'f', but its inputs do not name it",
        "layer 'f' shares the weights of 'g', which does not exist; known: a, b, c, d, e, f, x",
    ]


def test_t10_an_edge_too_many_is_refused_in_any_order():
    for graph in (
        chain(ReLU(), ReLU()),
        shuffled(chain(ReLU(), ReLU()), ["relu1", "relu0", "input"], {n: n for n in ("relu0", "relu1", "input")}),
    ):
        graph.add_edge("input", "relu1")
        assert message(graph) == "an edge leads from 'input' to 'relu1', but its inputs do not name it"


def test_t10_a_node_that_an_edge_made_has_no_op():
    graph = chain(ReLU())
    graph.add_edge("relu0", "lost")
    assert message(graph).split("\n")[0] == "layer 'lost' has no op"


def test_t10_a_wrong_number_of_inputs_names_the_layer():
    for graph, expected in (
        (broken(x=[X], a=[ReLU(), "x", "x"]), "layer 'a' (relu): takes 1 input, got 2"),
        (broken(a=[ReLU()]), "layer 'a' (relu): takes 1 input, got 0"),
        (broken(a=[Add()]), "layer 'a' (add): takes at least one input, got 0"),
        (broken(x=[X], a=[OPS["mat_mul"](), "x"]), "layer 'a' (mat_mul): takes 2 inputs, got 1"),
    ):
        with pytest.raises(ShapeError) as caught:
            costcalc.cost(graph)
        assert str(caught.value) == expected


def test_t34_an_op_without_a_rule_never_counts_as_zero():
    for op in (Mystery(), Mystery, "rectifier", None, 3, nx.DiGraph()):
        assert "which has no rule" in message(broken(x=[X], a=[op, "x"]))


def test_t34_an_op_that_takes_the_name_of_another_has_no_rule():
    class Impostor:
        name = "relu"

    assert "'Impostor', which has no rule" in message(broken(x=[X], a=[Impostor(), "x"]))


def test_a_long_cycle_and_a_long_chain_need_no_recursion():
    graph = chain(*[ReLU()] * 20_000)
    assert len(costcalc.cost(graph).layers) == 20_001
    reverse = shuffled(graph, [*graph.nodes][::-1], {name: name for name in graph})
    assert len(costcalc.cost(reverse).layers) == 20_001
    reverse.nodes["relu0"]["inputs"] = ("relu19999",)
    reverse.remove_edge("input", "relu0")
    assert find_problems(reverse)[0].message.startswith("the layers form a cycle: relu0 -> relu1 -> ")


# --- shared weights ---------------------------------------------------------------------------------------------------


def test_shared_weights_are_counted_once():
    graph = chain(KEEP)
    add(graph, "again", KEEP, "conv0", shares="conv0")
    add(graph, "thrice", KEEP, "again", shares="again")
    total = costcalc.cost(graph)
    assert total.params == 3 * 3 * 9 + 3
    assert total.macs == 3 * 64 * 3 * 27


def test_a_tied_embedding_pays_for_its_bias_only():
    graph = new_graph()
    add(graph, "tokens", Input((1, 5)))
    add(graph, "embedding", Embedding(count=1000, features=16), "tokens")
    add(graph, "logits", Linear(features=1000), "embedding", shares="embedding")
    rows = {row.name: row for row in walk(graph)}
    assert rows["embedding"].params == 16_000
    assert (rows["logits"].total("weight"), rows["logits"].total("bias")) == (0, 1000)
    assert rows["logits"].macs == 5 * 16 * 1000


def test_an_owner_may_stand_anywhere_in_the_graph():
    graph = broken(x=[X], b=[KEEP, "x"], a=[KEEP, "x"], c=[Add(), "a", "b"])
    graph.nodes["b"]["shares"] = "a"
    assert [row.name for row in walk(graph)] == ["x", "a", "b", "c"]
    assert costcalc.cost(graph).params == 84


def test_sharing_that_cannot_be_is_refused():
    graph = broken(x=[X], a=[KEEP, "x"], b=[KEEP, "a"])
    graph.nodes["a"]["shares"] = "b"
    hint = "let the later one share the weights of the first"
    assert message(graph) == f"a layer shares the weights of one after it: a -> b -> a; {hint}"
    graph = broken(x=[X], r=[Repeat(body(KEEP), 2), "x"], b=[KEEP, "r"])
    graph.nodes["b"]["shares"] = "r"
    assert message(graph) == "layer 'b' shares the weights of 'r', a repeat: each copy has its own"
    for op, expected in (
        (ReLU(), "layer 'b' (relu): shares no weights with a conv"),
        (Conv(channels=4, kernel=3), "layer 'b' (conv): shares weight of shape (3, 3, 3, 3), but needs (4, 3, 3, 3)"),
    ):
        graph = broken(x=[X], a=[KEEP, "x"], b=[op, "a"])
        graph.nodes["b"]["shares"] = "a"
        with pytest.raises(ShapeError) as caught:
            costcalc.cost(graph)
        assert str(caught.value) == expected


# --- repeats ----------------------------------------------------------------------------------------------------------


def repeated(inner, times, **extra):
    graph = chain()
    add(graph, "stage", Repeat(inner, times), "input", **extra)
    return graph


@pytest.mark.parametrize("times", [0, 1, 2, 7])
def test_repeat_n_is_n_copies(times):
    graph = repeated(body(KEEP, ReLU()), times)
    flat = chain(*[KEEP, ReLU()] * times)
    assert costcalc.cost(graph).totals == costcalc.cost(flat).totals == costcalc.cost(unroll(graph)).totals
    assert [row.times for row in walk(graph)][1:] == [times] * (2 if times else 0)


def test_a_symbolic_repeat_filled_in_is_the_numeric_one():
    d = size_symbol("d")
    formula = costcalc.cost(repeated(body(KEEP, BatchNorm()), 3 * d - 2)).totals
    for value in (1, 2, 5):
        numbers = costcalc.cost(repeated(body(KEEP, BatchNorm()), 3 * value - 2)).totals
        assert {metric: expression.subs({d: value}) for metric, expression in formula.items()} == numbers


@pytest.mark.parametrize(
    ("layer", "times", "read"),
    [
        (KEEP, 0, "input"), (KEEP, 1, "stage.again.relu0"), (KEEP, 3, "stage.again.relu0"),
        (Conv(channels=4, kernel=3, stride=2, padding=1), 3, "stage.2.again.relu0"),
    ],
)  # fmt: skip
def test_what_a_repeat_puts_out_is_read_under_the_name_of_a_row(layer, times, read):
    inner = body(layer)
    add(inner, "again", Repeat(body(ReLU()), times), "conv0")
    graph = repeated(inner, times)
    add(graph, "more", Repeat(body(ReLU()), 1), "stage")
    add(graph, "sum", Add(), "stage", "more")
    rows, shapes = [*walk(graph)], {}
    for row in rows:
        assert [shapes[source] for source in row.inputs] == [*row.input_shapes]
        shapes[row.name] = row.output_shape
    assert [row.inputs for row in rows[-2:]] == [(read,), (read, "more.relu0")]


def test_a_column_of_times_is_a_column_of_costs():
    times = np.array([0, 1, 4])
    total = costcalc.cost(repeated(body(KEEP), times))
    assert [*total.macs] == [costcalc.cost(repeated(body(KEEP), int(n))).macs for n in times]


def test_a_body_that_changes_its_shape_is_walked_copy_by_copy():
    graph = repeated(body(Conv(channels=8, kernel=3, stride=2, padding=1)), 3)
    assert [row.name for row in walk(graph)] == ["input", "stage.0.conv0", "stage.1.conv0", "stage.2.conv0"]
    assert [row.inputs for row in walk(graph)][1:] == [("input",), ("stage.0.conv0",), ("stage.1.conv0",)]
    assert [row.output_shape[1:] for row in walk(graph)][1:] == [(8, 4, 4), (8, 2, 2), (8, 1, 1)]
    assert costcalc.cost(graph).totals == costcalc.cost(unroll(graph)).totals
    inside = repeated(body(Repeat(body(Upsample(scale=2)), 2), ReLU()), 2)
    assert costcalc.cost(inside).totals == costcalc.cost(unroll(inside)).totals
    assert [*walk(inside)][-1].output_shape == (1, 3, 128, 128)


def test_a_body_that_changes_its_shape_needs_a_number():
    with pytest.raises(
        ShapeError, match=r"layer 'stage' \(repeat\): repeats d times a body that turns .* give times as a"
    ):
        costcalc.cost(repeated(body(Upsample(scale=2)), size_symbol("d")))
    with pytest.raises(ShapeError, match="at most 1,000,000 times"):
        costcalc.cost(repeated(body(Upsample(scale=2)), 10**7))
    with pytest.raises(ShapeError, match=r"makes an axis of more than 2\^62 elements"):
        costcalc.cost(repeated(body(Upsample(scale=2)), 1000))


def test_repeats_in_repeats_multiply():
    inner = repeated(body(KEEP, ReLU()), 3)
    inner.nodes["input"]["op"] = Input()
    graph = repeated(inner, 5)
    assert {row.times for row in walk(graph)} == {1, 15}
    assert [row.name for row in walk(graph)] == ["input", "stage.stage.conv0", "stage.stage.relu1"]
    assert costcalc.cost(graph).totals == costcalc.cost(unroll(graph)).totals
    assert [*unroll(graph)][1:3] == ["stage.0.stage.0.conv0", "stage.0.stage.0.relu1"]


def test_weights_are_shared_inside_a_copy_not_between_copies():
    inner = body(KEEP)
    add(inner, "again", KEEP, "conv0", shares="conv0")
    graph = repeated(inner, 3)
    assert costcalc.cost(graph).params == 3 * 84
    assert costcalc.cost(graph).totals == costcalc.cost(unroll(graph)).totals


def test_a_graph_may_have_several_outputs():
    graph = chain(KEEP)
    add(graph, "head", GlobalAveragePool(), "conv0")
    add(graph, "aux", ReLU(), "conv0")
    assert [row.name for row in walk(graph)] == ["input", "conv0", "head", "aux"]
    with pytest.raises(GraphError, match="a repeated body has one output, this one has 2: head, aux"):
        output_of(graph)


def test_input_and_output_of_a_body():
    inner = body(KEEP, ReLU())
    assert (input_of(inner), output_of(inner)) == ("input", "relu1")


@pytest.mark.parametrize("times", [-1, 2.5, "3", True, None, 2**31 + 1])
def test_times_is_a_whole_number(times):
    with pytest.raises(ShapeError, match="repeat: times must be a whole number"):
        Repeat(body(ReLU()), times)


def test_repeats_nest_fifty_deep_and_no_deeper():
    inner = body(ReLU())
    for _ in range(50):
        outer = body()
        add(outer, "r", Repeat(inner, 1), "input")
        inner = outer
    graph = repeated(body(), 1)
    graph.nodes["stage"]["op"] = inner.nodes["r"]["op"]
    assert costcalc.cost(graph).total("elementwise") == 3 * 64
    with pytest.raises(GraphError, match="repeats are nested more than 50 deep"):
        Repeat(inner, 1)


def test_unroll_refuses_what_it_cannot_write_out():
    with pytest.raises(GraphError, match="cannot unroll 'stage': its times is d, not a number"):
        unroll(repeated(body(ReLU()), size_symbol("d")))
    inside = body()
    add(inside, "r", Repeat(body(ReLU()), size_symbol("d")), "input")
    with pytest.raises(GraphError, match=r"cannot unroll 'stage\.r'"):
        unroll(repeated(inside, 2))
    with pytest.raises(GraphError, match="unrolled it has more than 1,000,000 layers"):
        unroll(repeated(body(ReLU()), 10**9))
    with pytest.raises(GraphError, match="unrolled it has more than 5 layers"):
        unroll(repeated(body(ReLU()), 6), max_layers=5)


def test_unroll_keeps_what_else_a_layer_carries():
    inner = body()
    add(inner, "a", ReLU(), "input", place=Place("n.yaml", 1, 2))
    flat = unroll(repeated(inner, 2))
    assert flat.nodes["stage.1.a"] == {"op": ReLU(), "inputs": ("stage.0.a",), "place": Place("n.yaml", 1, 2)}


def test_layers_are_counted_without_writing_them_out():
    inner = body(ReLU(), ReLU())
    deep = body()
    add(deep, "r", Repeat(inner, 10**9), "input")
    assert sum(count_layers(repeated(deep, 10**9))) == 2 * 10**18


# --- errors inside ----------------------------------------------------------------------------------------------------


def test_report_lists_all_problems_and_passes_over_what_depends_on_them():
    graph = chain(Conv(channels=4, kernel=9), ReLU())
    add(graph, "b", Conv(channels=4, kernel=3, groups=2), "input")
    add(graph, "c", KEEP, "b", shares="b")
    add(graph, "d", Add(), "b", "input")
    add(graph, "r", Repeat(body(Conv(channels=4, kernel=9), ReLU()), 2), "input")
    add(graph, "e", KEEP, "input", shares="b")
    add(graph, "f", ReLU(), "input")
    found = []
    rows = [row.name for row in walk(graph, found.append)]
    assert rows == ["input", "f"]
    assert [problem.message.partition(":")[0] for problem in found] == [
        "layer 'conv0' (conv)", "layer 'b' (conv)", "layer 'r.conv0' (conv)",
    ]  # fmt: skip


def test_an_error_in_a_repeat_says_once_where():
    graph = repeated(body(Conv(channels=4, kernel=9)), 2)
    with pytest.raises(ShapeError) as caught:
        costcalc.cost(graph)
    assert str(caught.value).startswith("layer 'stage.conv0' (conv): a window of 9 does not fit into 8")


def test_a_tensor_has_at_most_64_axes():
    graph = chain(*[Embedding(count=2, features=1)] * 60)
    assert len([*walk(graph)][-1].output_shape) == 64
    graph = chain(*[Embedding(count=2, features=1)] * 61)
    with pytest.raises(ShapeError, match="makes a tensor of 65 axes; at most 64"):
        costcalc.cost(graph)


def test_an_input_that_does_not_exist_is_refused_where_it_is_added():
    graph = new_graph()
    add(graph, "image", Input((1, 3, 8, 8)))
    with pytest.raises(GraphError) as caught:
        add(graph, "a", ReLU(), "imag")
    assert str(caught.value) == "layer 'a' reads 'imag', which does not exist; did you mean 'image'?"
    assert list(graph) == ["image"]


@pytest.mark.parametrize("call", [unroll, cost, lambda x: Repeat(x, 3)])
def test_what_is_no_graph_is_refused(call):
    with pytest.raises(GraphError) as caught:
        call("x")
    assert str(caught.value) == "a layer graph is a networkx.DiGraph, got a str"


def test_a_list_of_inputs_and_the_name_of_an_op_are_told_what_they_are():
    graph = nx.DiGraph()
    graph.add_node("x", op="Conv2d", inputs=())
    graph.add_node("y", op=Conv(4, 3), inputs=["x"])
    with pytest.raises(GraphError) as caught:
        costcalc.cost(graph)
    assert "layer 'x' has the word 'Conv2d' as its op; write costcalc.ops.Conv2d(…)" in str(caught.value)
    assert "layer 'y' has no tuple of inputs but a list; give it inputs=(…), a tuple of layer names" in str(
        caught.value
    )


def test_a_network_in_place_of_its_graph_is_told_how():
    with pytest.raises(GraphError, match=r"got a Net; take what its graph\(\) gives$"):
        costcalc.graph.unroll(costcalc.load("lenet5"))


def scaled_body():
    """A body with a learned factor for each channel."""
    inner = costcalc.new_graph()
    costcalc.add(inner, "x", OPS["input"]())
    costcalc.add(inner, "fc", OPS["linear"](8), "x")
    costcalc.add(inner, "gamma", OPS["parameter"]([8]))
    costcalc.add(inner, "scale", OPS["mul"](), "fc", "gamma")
    return inner


def test_the_body_of_a_repeat_may_hold_a_learned_tensor():
    assert (input_of(scaled_body()), output_of(scaled_body())) == ("x", "scale")
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", OPS["input"]([2, 5, 8]))
    costcalc.add(graph, "body", Repeat(scaled_body(), 3), "x")
    costcalc.add(graph, "out", OPS["linear"](4), "body")
    found = costcalc.cost(graph)
    assert found.totals == costcalc.cost(unroll(graph)).totals
    assert found.total("params") == 3 * (8 * 8 + 8 + 8) + 8 * 4 + 4
    assert found.total("activations") == 2 * 5 * (3 * (8 + 8) + 4)  # a learned tensor is not written


def test_a_body_needs_an_input_besides_its_tensors():
    inner = costcalc.new_graph()
    costcalc.add(inner, "gamma", OPS["parameter"]([8]))
    with pytest.raises(GraphError, match=r"starts with an Input\(\), this one with 'gamma'"):
        input_of(inner)
