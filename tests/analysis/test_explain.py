"""Explanations: what is printed, worked out by Python, is the number beside it."""

import re

import pytest

import costcalc
from costcalc import ops
from costcalc.dims import size_symbol
from costcalc.spec.library import entries
from costcalc.spec.parse import parse_text
from costcalc.spec.spec_architecture import SpecArchitecture
from costcalc.table.aligned import lines

SPECS = [entry.name for entry in entries()]


def worked_out(how: str) -> int:
    """The value of `3 × (28·28·32 · 5·5·(96/2) + 7)`, by Python's own arithmetic."""
    text = re.sub(r"[·×]", "*", how).replace("/", "//").replace(",", "")
    assert re.fullmatch(r"[0-9*+\-/() ]+", text), how
    return eval(text)  # noqa: S307  digits and signs alone, see above; Python is the witness here


@pytest.mark.parametrize("name", SPECS)
def test_every_line_works_out_to_its_number(name):
    for row in costcalc.explain(name).to_records():
        if not row["how"].startswith("sum of"):
            assert worked_out(row["how"]) == row["value"], row


@pytest.mark.parametrize("name", SPECS)
def test_the_lines_add_up_to_the_totals(name):
    rows = costcalc.explain(name).to_records()
    for what in ("params", "MACs", "elementwise"):
        lines = [row["value"] for row in rows if row["metric"] == what]
        assert sum(lines[:-1]) == sum(lines[-1:])


@pytest.mark.parametrize(
    ("name", "layer", "what", "how"),
    [
        ("inception_naive", "conv", "MACs", "28·28·32 · 5·5·192"),
        ("inception_bottleneck", "reduce", "MACs", "28·28·16 · 1·1·192"),
        ("inception_bottleneck", "conv", "MACs", "28·28·32 · 5·5·16"),
        ("conv_depthwise_separable", "depthwise", "MACs", "4·4·3 · 3·3"),
        ("conv_depthwise_separable", "pointwise", "MACs", "4·4·5 · 1·1·3"),
        ("alexnet", "conv2", "MACs", "27·27·256 · 5·5·(96/2)"),
        ("alexnet", "conv2", "params", "5·5·48·256 + 256"),
        ("lenet5", "fc3", "MACs", "120 · 400"),
        ("lenet5", "fc3", "params", "400·120 + 120"),
        ("lenet5_1998", "s2", "elementwise", "14·14·6 · (2·2 + 1)"),
        ("lenet5_1998", "c3", "MACs", "10·10·60 · 5·5"),
    ],
)
def test_as_the_lecture_writes_it(name, layer, what, how):
    found = {(row["name"], row["metric"]): row["how"] for row in costcalc.explain(name).to_records()}
    assert found[layer, what] == how


def test_the_sum_names_its_parts():
    last = [row for row in costcalc.explain("inception_bottleneck").to_records() if row["metric"] == "MACs"][-1]
    assert last["how"] == "2,408,448 + 10,035,200" and last["value"] == 12_443_648


HEAD = "name: x\ntitle: t\nsource: s\nknobs: {n: 3}\ninput: [8]\nlayers:\n"
OWNER = "{name: a, features: 8, bias: false}"
USER = "{name: b, features: 8, shares: a}"


def params_of(layers):
    net = costcalc.Net(SpecArchitecture(parse_text(HEAD + layers, "x.yaml")), {}, "x")
    return {
        row["name"]: (row["how"], row["value"])
        for row in costcalc.explain(net).to_records()
        if row["metric"] == "params"
    }


def test_only_the_tensors_that_count_here_are_written():
    """The weight is a's; b adds its own bias."""
    assert params_of(f"  - linear: {OWNER}\n  - linear: {USER}\n") == {
        "a": ("8·8", 64), "b": ("8", 8), "total": ("64 + 8", 72),
    }  # fmt: skip


@pytest.mark.parametrize("names", ["abc", "012", range(3)])
def test_names_that_are_numbers_are_names_like_others(names):
    graph = costcalc.new_graph()
    first, second, third = names
    costcalc.add(graph, first, ops.Input([2, 4]))
    costcalc.add(graph, second, ops.Linear(4, bias=False), first)
    costcalc.add(graph, third, ops.Linear(4), second, shares=second)
    found = [row["how"] for row in costcalc.explain(graph).to_records() if row["metric"] == "params"]
    assert found == ["4·4", "4", "16 + 4"]


def test_a_layer_in_a_repeat_shares_within_its_copy():
    layers = f"  - repeat: {{name: r, times: n, layers: [linear: {OWNER}, linear: {USER}]}}\n"
    assert params_of(layers) == {"r.a": ("3 × (8·8)", 192), "r.b": ("3 × (8)", 24), "total": ("192 + 24", 216)}


@pytest.mark.parametrize(
    "call", [costcalc.explain, costcalc.reconcile, lambda net: costcalc.compare(net, "lenet5")],
)  # fmt: skip
def test_letters_are_refused_where_numbers_are_shown(call):
    net = costcalc.load("lenet5", batch=size_symbol("b"))
    with pytest.raises(costcalc.UsageError, match=r"knob 'batch' of lenet5@batch=b is not numeric; set it"):
        call(net)


def test_on_a_narrow_terminal_names_are_broken_at_dots_and_how_stays():
    """`explain` without its products explains nothing."""
    shown = ["".join(text for text, _ in line) for line in lines(costcalc.explain("resnet18").tables(), 80)]
    assert all(len(line) <= 80 for line in shown)
    assert "how" in shown[2]
    at = next(i for i, line in enumerate(shown) if "56·56·64 · 3·3·64" in line)
    assert shown[at].startswith("conv2_x.first.residual. ")
    assert shown[at + 1].strip() == "conv1.conv"
