"""Shapes are shown without the batch, wherever it stands: the same for one example as for eight."""

import pytest
from support import needed

import costcalc
from costcalc import ops
from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.spec.library import entries
from costcalc.table import shape_text

SHOWN = {
    "x": "5×8", "turned": "5×8", "qkv": "5×24", "split": "5×3×8", "kinds": "3×5×8", "q": "1×5×8", "heads": "5×2×4",
    "rows": "2×5×4", "four": "2×5×4", "attention": "2×5×4", "back": "5×2×4", "flat": "5×8", "out": "5×8", "deep": "5×8",
    "again": "5×8", "add": "5×8",
}  # fmt: skip


def tokens_first(n):
    """An attention that takes (tokens, batch, channels), as torch's does within."""
    return (
        ("turned", lambda b: ops.Transpose([1, 0, 2]), "x"),
        ("qkv", lambda b: ops.Linear(24), "turned"),
        ("split", lambda b: ops.View((n, b, 3, 8)), "qkv"),
        ("kinds", lambda b: ops.Transpose([2, 0, 1, 3]), "split"),
        ("q", lambda b: ops.Slice(axis=0, size=1), "kinds"),
        ("heads", lambda b: ops.View((n, 2 * b, 4)), "q"),
        ("rows", lambda b: ops.Transpose([1, 0, 2]), "heads"),
        ("four", lambda b: ops.View((b, 2, n, 4)), "rows"),
        ("attention", lambda b: ops.ScaledDotProductAttention(), "four", "four", "four"),
        ("back", lambda b: ops.Transpose([2, 0, 1, 3]), "attention"),
        ("flat", lambda b: ops.Move((n * b, 8), order="same"), "back"),
        ("out", lambda b: ops.Linear(8), "flat"),
        ("deep", lambda b: ops.View((n, b, 8)), "out"),
        ("again", lambda b: ops.Transpose([1, 0, 2]), "deep"),
        ("add", lambda b: ops.Add(), "again", "x"),
    )


def graph_of(layers, x, batch):
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input((batch, *x)))
    for name, op, *inputs in layers:
        costcalc.add(graph, name, op(batch), *inputs)
    return graph


def shown(target, **knobs):
    rows = costcalc.load(target, **knobs).cost().layers
    layouts = OutputLayouts.of(rows)
    return {str(row.name): shape_text(layouts.shown(row.output_shape, row.name)) for row in rows}


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_an_attention_with_the_tokens_first(batch):
    assert shown(graph_of(tokens_first(5), (5, 8), batch)) == SHOWN


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_windows_of_an_image_are_counted(batch):
    """(batch, h, w, c) in windows of 2×2: four of them for each image."""
    layers = (
        ("cut", lambda b: ops.Reshape([2, 2, 2, 2, 6]), "x"),
        ("near", lambda b: ops.Transpose([0, 1, 3, 2, 4, 5]), "cut"),
        ("windows", lambda b: ops.Move((4 * b, 4, 6), order="same"), "near"),
        ("linear", lambda b: ops.Linear(12), "windows"),
        ("apart", lambda b: ops.View((b, 2, 2, 2, 2, 12)), "linear"),
    )
    found = shown(graph_of(layers, (4, 4, 6), batch))
    assert found == {
        "x": "4×4×6", "cut": "2×2×2×2×6", "near": "2×2×2×2×6", "windows": "4×4×6", "linear": "4×4×12",
        "apart": "2×2×2×2×12",
    }  # fmt: skip


def test_what_is_made_of_learned_tensors_has_no_batch():
    layers = (
        ("table", lambda b: ops.Parameter((9, 2))),
        ("turned", lambda b: ops.Transpose([1, 0]), "table"),
        ("moved", lambda b: ops.Transpose([2, 0, 1]), "x"),
    )
    assert shown(graph_of(layers, (5, 8), 3)) == {"x": "5×8", "table": "9×2", "turned": "2×9", "moved": "8×5"}


def test_a_layer_that_does_not_say_what_it_reads_has_the_batch_first():
    layers = (("moved", lambda b: ops.Move((b, 7)), "x"), ("turned", lambda b: ops.Transpose([1, 0]), "moved"))
    assert shown(graph_of(layers, (5, 8), 3)) == {"x": "5×8", "moved": "7", "turned": "7"}


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_a_number_of_tokens_that_is_a_symbol(batch):
    n = costcalc.size_symbol("n")
    formulas = {name: text.replace("5", "n") for name, text in SHOWN.items()}
    assert shown(graph_of(tokens_first(n), (n, 8), batch)) == formulas


def test_a_view_of_a_part_of_an_axis_that_is_a_symbol():
    layers = (("cut", lambda b: ops.View((b, 3, 8)), "x"),)
    assert shown(graph_of(layers, (costcalc.size_symbol("n"), 8), 4)) == {"x": "n×8", "cut": "3×8"}


def test_a_batch_that_is_a_symbol_is_found_by_it():
    assert shown(graph_of(tokens_first(5), (5, 8), costcalc.size_symbol("b"))) == SHOWN


@pytest.mark.parametrize("name", [entry.name for entry in entries() if entry.kind == "spec"])
def test_shapes_are_those_of_one_example(name):
    assert shown(name) == shown(name, batch=3)


def test_a_module_with_an_attention_shows_the_same_for_each_batch():
    torch = needed.module("torch", "torch")
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    net = costcalc.load(layer, (1, 5, 8))
    one, four = shown(net), shown(net, batch=4)
    assert {name: four.get(name, text) for name, text in one.items()} == one
    assert {text for name, text in one.items() if "norm" in name or "linear2" in name} == {"5×8"}
