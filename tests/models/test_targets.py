"""Every function of the Python interface takes every kind of target, and says so where one has not what it needs."""

import json
from pathlib import Path

import numpy as np
import pytest
from support import needed

import costcalc
from costcalc import ops
from costcalc.models.model import Model
from costcalc.report.page.page import sweep_page
from costcalc.spec.library import find
from costcalc.spec.spec_architecture import SpecArchitecture

TEXT = """\
name: mine
title: A convolution and a classifier
source: me
knobs:
  r: 32
  d: 1
  w: {default: 1, kind: real}
input: [3, r, r]
layers:
  - conv: {channels: 8*w, kernel: 3, stride: 2}
  - repeat: {name: stage, times: d, layers: [relu]}
  - global_average_pool: {name: pool}
  - linear: {features: 10, name: fc}
"""
DATA = {
    "name": "mine", "title": "A convolution and a classifier", "source": "me",
    "knobs": {"r": 32, "d": 1, "w": {"default": np.int64(1), "kind": "real"}}, "input": (3, "r", "r"),
    "layers": [
        {"conv": {"channels": "8*w", "kernel": 3, "stride": 2}},
        {"repeat": {"name": "stage", "times": "d", "layers": ["relu"]}},
        {"global_average_pool": {"name": "pool"}}, {"linear": {"features": 10, "name": "fc"}},
    ],
}  # fmt: skip


def symbolic():
    """The same as a layer graph whose sizes hold symbols."""
    r, d, w = costcalc.size_symbol("r"), costcalc.size_symbol("d"), costcalc.size_symbol("w", real=True)
    body = costcalc.new_graph()
    costcalc.add(body, "relu", ops.ReLU(), costcalc.add(body, "input", ops.Input()))
    graph = costcalc.new_graph(name="mine")
    costcalc.add(graph, "input", ops.Input([costcalc.size_symbol("batch"), 3, r, r]))
    costcalc.add(graph, "conv", ops.Conv(8 * w, 3, stride=2), "input")
    costcalc.add(graph, "stage", costcalc.Repeat(body, d), "conv")
    costcalc.add(graph, "pool", ops.GlobalAveragePool(), "stage")
    costcalc.add(graph, "fc", ops.Linear(10), "pool")
    return graph


KNOBS = {"r": 32, "d": 1, "w": 1.0, "batch": 1}
GRAPH = costcalc.load(TEXT).graph()
MODELS = {  # kinds of target with knobs
    "path": lambda folder: _file(folder), "a Path": lambda folder: Path(_file(folder)), "text": lambda _: TEXT,
    "dict": lambda _: DATA, "Net": lambda _: costcalc.load(TEXT),
    "graph with knobs": lambda _: costcalc.model(symbolic(), KNOBS),
    "Model": lambda _: Model(SpecArchitecture(find(TEXT).spec)),
}  # fmt: skip
NUMERIC = {  # and what each must come to
    "cost": (costcalc.cost, lambda cost: cost.macs),
    "load": (costcalc.load, lambda net: net.cost().macs),
    "compare": (lambda x: costcalc.compare(x, "lenet5"), lambda found: [cost.macs for cost in found.costs]),
    "explain": (costcalc.explain, lambda table: table.to_records()),
    "reconcile": (costcalc.reconcile, lambda found: found.to_records()),
    "validate": (costcalc.validate, lambda problems: [p.message for p in problems]),
}
OVER_KNOBS = {
    "formula": (costcalc.formula, lambda found: (found.text, found.lines()[1:])),
    "ratio": (lambda x: costcalc.ratio(x, "lenet5"), lambda found: found.text),
    "elasticity": (costcalc.elasticity, lambda table: {row["knob"]: row["elasticity"] for row in table.to_records()}),
    "break_even": (lambda x: costcalc.break_even(x, "lenet5", "r"), lambda found: found.crossings),
    "sweep": (lambda x: costcalc.sweep(x, r="8:64:8", w="0.5,0.7,1"), lambda found: found.to_records()),
    "histogram": (lambda x: costcalc.histogram(x, r="8:64:8"), lambda found: found.rows),
    "scale": (lambda x: costcalc.scale(x, "r", macs=10**8), lambda found: (found.value, found.to_records())),
    "compound": (
        lambda x: costcalc.compound(x, 1, alpha=2, beta=2, gamma=2),
        lambda found: found.to_records()[-1]["macs"],
    ),
    "next_steps": (costcalc.next_steps, lambda found: {row["knob"]: row["next"] for row in found.to_records()}),
}


def _file(folder):
    (folder / "mine.yaml").write_text(TEXT)
    return str(folder / "mine.yaml")


def plain(value):
    """As JSON has it, so that a Fraction or numpy's number is as good as an int."""
    return json.loads(json.dumps(value, default=str))


@pytest.mark.parametrize("kind", [*MODELS])
@pytest.mark.parametrize("name", [*NUMERIC, *OVER_KNOBS])
def test_a_function_takes_every_kind_of_target(tmp_path, name, kind):
    function, of = {**NUMERIC, **OVER_KNOBS}[name]
    assert plain(of(function(MODELS[kind](tmp_path)))) == plain(of(function(TEXT)))


@pytest.mark.parametrize("name", [*NUMERIC])
def test_a_function_that_is_not_about_knobs_takes_a_graph_and_a_name(name):
    function, of = NUMERIC[name]
    if name != "explain":  # of a spec the table has notes of its own
        assert plain(of(function(GRAPH))) == plain(of(function(TEXT)))
    assert of(function("lenet5")) is not None


@pytest.mark.parametrize("name", [*OVER_KNOBS])
def test_a_function_about_knobs_says_that_a_graph_has_none(name):
    function, of = OVER_KNOBS[name]
    both = {"ratio": lambda x: costcalc.ratio(x, x), "break_even": lambda x: costcalc.break_even(x, x, "r")}
    with pytest.raises(costcalc.UsageError) as caught:
        both.get(name, function)(GRAPH)
    wrap = "got a layer graph. Wrap it: costcalc.model(graph, knobs=…)"
    assert str(caught.value) == f"{name} needs a model with knobs; {wrap}"
    assert of(function("mobilenet_v2" if name != "compound" else "efficientnet")) is not None


@pytest.mark.parametrize("name", [*NUMERIC])
def test_a_function_that_needs_numbers_says_which_sizes_of_a_graph_are_none(name):
    if name in ("cost", "load", "validate"):  # they show symbols
        assert NUMERIC[name][0](symbolic()) is not None
        return
    with pytest.raises(costcalc.UsageError) as caught:
        NUMERIC[name][0](symbolic())
    assert str(caught.value) == f"{name} needs numeric sizes; layer graph 'mine' has the symbols batch, d, r, w"


def test_presets_pages_and_files_take_every_kind_of_target_too(tmp_path):
    for make in MODELS.values():
        target = make(tmp_path)
        assert costcalc.write_sweep(target, tmp_path / "out.csv", r="8:64:8").rows == 8
    with pytest.raises(costcalc.UsageError, match="write_sweep needs a model with knobs; got a layer graph"):
        costcalc.write_sweep(GRAPH, tmp_path / "out.csv")
    with pytest.raises(costcalc.UsageError, match="sweep_presets needs a model with knobs; got a layer graph"):
        costcalc.sweep_presets(GRAPH)
    with pytest.raises(costcalc.UsageError, match="mine has no presets; sweep over its knobs: r, d, w, batch"):
        costcalc.sweep_presets(costcalc.model(symbolic(), KNOBS))
    with pytest.raises(costcalc.UsageError, match="a report needs a model with knobs; got a layer graph"):
        sweep_page(costcalc.load(GRAPH))


def test_a_page_of_a_graph_with_knobs_is_that_of_its_spec():
    needed.module("jinja2", "report")
    needed.module("matplotlib", "report")
    pages = [sweep_page(net) for net in (costcalc.model(symbolic(), KNOBS), costcalc.load(TEXT))]
    assert len({str(sorted(page.views[0].closed.metrics.items())) for page in pages}) == 1
    assert len({str(sorted(page.swept.found.grid.axes.items())) for page in pages}) == 1
    assert all("mine" in page.html() for page in pages)


@pytest.mark.parametrize("make", [*[make for kind, make in MODELS.items() if kind != "a Path"], lambda _: GRAPH])
def test_the_torch_backend_takes_every_kind_of_target(tmp_path, make):
    needed.module("torch", "torch")
    from costcalc.torch_backend import build, verify_net

    target = make(tmp_path)
    assert sum(p.numel() for p in build(target, device="meta").parameters()) == costcalc.cost(target).params
    assert verify_net(target).verdict == "same"
    with pytest.raises(costcalc.UsageError, match="has the symbols batch, d, r, w"):
        build(symbolic(), device="meta")


@pytest.mark.parametrize("target", [3, None, ["lenet5"]])
def test_what_is_no_target_is_refused(target):
    with pytest.raises(costcalc.UsageError) as caught:
        costcalc.cost(target)
    wanted = "give a name, a path, a spec as text or dict, a model or a layer graph"
    assert str(caught.value) == f"a {type(target).__name__} is not a network; {wanted}"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (TEXT.replace("conv:", "convv:"), "<text>:10:5: unknown op or block 'convv'; did you mean 'conv'?"),
        ({**DATA, "layers": [{"linear": {"feature": 3}}]}, "<dict, as JSON>:"),
        ({**DATA, "input": float("nan")}, "a spec as a dict has words, numbers, lists and dicts in it: "),
    ],
)
def test_a_spec_that_stands_in_no_file_says_where_it_is_wrong(target, message):
    with pytest.raises(costcalc.CostcalcError) as caught:
        costcalc.load(target)
    assert str(caught.value).startswith(message)


def test_validate_says_what_is_wrong_with_a_layer_graph():
    graph = costcalc.new_graph()
    costcalc.add(graph, "image", ops.Input([1, 3, 4, 4]))
    costcalc.add(graph, "conv", ops.Conv(4, 9), "image")
    (problem,) = costcalc.validate(graph)
    assert problem.message.startswith("layer 'conv' (conv): a window of 9")
    graph.nodes["conv"]["op"] = "Conv"
    (problem,) = costcalc.validate(graph)
    assert problem.message == "layer 'conv' has the word 'Conv' as its op; write costcalc.ops.Conv(…)"


def test_the_note_of_a_preset_is_said_while_its_knobs_have_its_values():
    assert costcalc.load("resnet50@r=160").title.endswith("(50 layers)")
    assert costcalc.load("resnet50@n4=6").title.endswith("(50 layers)")
    assert "layers)" not in costcalc.load("resnet50@n4=7").title
    assert "layers)" not in costcalc.load("resnet50").at({"n4": np.array([6, 7])}).title
