"""Graphs that transfer learning makes: the head alone, what lies before it, adapters beside linear layers."""

import pytest

import costcalc
from costcalc.errors import GraphError, UsageError
from costcalc.graph import Repeat, digraph, topological_order, unroll
from costcalc.graph.adapters import adapted, linear_rows
from costcalc.graph.head import before_head, first_layer_of, head_alone, inputs_of_head, last_linear, rows_before
from costcalc.graph.head import with_classes as replaced
from costcalc.ops import OPS

INPUT, LINEAR, ADD, RELU = (OPS[name] for name in ("input", "linear", "add", "relu"))


def fork():
    """x -> a -> b -> (a + b) -> fc, and a side output of a."""
    graph = costcalc.new_graph(name="fork")
    costcalc.add(graph, "x", INPUT((2, 8)))
    costcalc.add(graph, "a", LINEAR(6), "x")
    costcalc.add(graph, "side", LINEAR(3), "a")
    costcalc.add(graph, "b", LINEAR(6), "a")
    costcalc.add(graph, "sum", ADD(), "a", "b")
    costcalc.add(graph, "fc", LINEAR(4), "sum")
    return graph


def test_before_a_head_are_the_layers_that_it_is_computed_from():
    assert last_linear(fork()) == "fc"
    assert rows_before(fork(), "sum") == ["a", "side", "b"]
    assert inputs_of_head(fork(), "sum") == ("a", "b")
    before = before_head(fork(), "sum")
    assert [*before] == ["x", "a", "b", "features0", "features1"]
    assert costcalc.cost(digraph(before)).macs == 2 * (8 * 6 + 6 * 6)


def test_before_and_after_a_head_are_the_whole():
    """Of a network in which everything is before the head or in it."""
    for name in ("vgg16", "resnet18", "mobilenet_v2", "efficientnet_b0"):
        graph = costcalc.load(name).layers()
        rows = {row.name: row for row in costcalc.load(name).cost().layers}
        for head in ([name for name, data in topological_order(graph) if data["inputs"]][i] for i in (-1, -3, 4)):
            shapes = {one: rows[one].output_shape for one in inputs_of_head(graph, head) if one in rows}
            if len(shapes) != len(inputs_of_head(graph, head)):
                continue  # one of them is a repeat
            parts = before_head(graph, head), head_alone(graph, head, shapes)
            macs, params = (
                [getattr(costcalc.cost(digraph(part)), metric) for part in parts] for metric in ("macs", "params")
            )
            assert (sum(macs), sum(params)) == (costcalc.load(name).macs, costcalc.load(name).params)


def test_a_head_that_shares_weights_has_its_own():
    tied = costcalc.new_graph()
    costcalc.add(tied, "x", INPUT((2, 6)))
    costcalc.add(tied, "a", LINEAR(6), "x")
    costcalc.add(tied, "fc", LINEAR(6), "a", shares="a")
    assert costcalc.cost(tied).params == 42
    assert costcalc.cost(digraph(head_alone(tied, "fc", {"a": (2, 6)}))).params == 42
    assert costcalc.cost(digraph(replaced(tied, "fc", 3))).params == 42 + 21


def test_the_graph_that_is_changed_stays_as_it_was():
    graph = fork()
    before = [(name, dict(data)) for name, data in graph.nodes(data=True)]
    replaced(graph, "fc", 9)
    adapted(graph, {"a", "b"}, 2)
    head_alone(graph, "fc", {"sum": (2, 6)})
    assert [(name, dict(data)) for name, data in graph.nodes(data=True)] == before


def body(*ops):
    graph = costcalc.new_graph()
    last = costcalc.add(graph, "in", INPUT())
    for i, op in enumerate(ops):
        last = costcalc.add(graph, f"l{i}", op, last)
    return graph


def repeated():
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", INPUT((2, 8)))
    costcalc.add(graph, "stage", Repeat(body(RELU(), LINEAR(8)), 3), "x")
    costcalc.add(graph, "fc", LINEAR(4), "stage")
    return graph


def test_adapters_stand_in_every_copy_of_a_repeat_and_may_end_its_body():
    assert linear_rows(repeated()) == ["stage.l1", "fc"]
    found = adapted(repeated(), {"stage.l1"}, 2)
    assert costcalc.cost(digraph(found)).params == costcalc.cost(repeated()).params + 3 * 2 * (8 + 8)
    names = [name for name, _ in unroll(digraph(found)).nodes(data=True)]
    assert names[:6] == [
        "x",
        "stage.0.l0",
        "stage.0.l1",
        "stage.0.l1_lora_A",
        "stage.0.l1_lora_B",
        "stage.0.l1_adapted",
    ]
    assert unroll(digraph(found)).nodes["fc"]["inputs"] == ("stage.2.l1_adapted",)


def test_what_a_repeat_uses_from_before_the_head_is_an_error():
    inner = body(LINEAR(8))
    inner.nodes["l0"]["shares"] = costcalc.Outer("a")
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", INPUT((2, 8)))
    costcalc.add(graph, "a", LINEAR(8), "x")
    costcalc.add(graph, "stage", Repeat(inner, 2), "a")
    costcalc.add(graph, "fc", LINEAR(4), "stage")
    with pytest.raises(UsageError, match="'stage' in the head shares weights of 'a' before it"):
        costcalc.transfer(graph, classes=3, images=2, head="stage")
    assert costcalc.transfer(graph, classes=3, images=2).strategy("features").step_macs == 2 * 2 * 8 * 3


def test_layers_that_share_weights_share_their_adapter():
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", INPUT((2, 6)))
    costcalc.add(graph, "a", LINEAR(6), "x")
    costcalc.add(graph, "b", LINEAR(6), "a", shares="a")
    found = digraph(adapted(graph, {"a", "b"}, 2))
    assert found.nodes["b_lora_A"]["shares"] == "a_lora_A"
    assert costcalc.cost(found).params == 42 + 2 * (6 + 6)


def test_a_layer_has_one_adapter():
    once = adapted(fork(), {"a"}, 2)
    with pytest.raises(GraphError, match="layer 'a' has an adapter already: there is a a_lora_A"):
        adapted(once, {"a"}, 2)


def test_a_name_means_a_layer_or_a_block():
    graph = costcalc.load("vgg16").layers()
    assert first_layer_of(graph, "conv5") == "conv5.first.conv"
    assert first_layer_of(graph, "fc8") == "fc8"
