"""One registry of metrics: every metric in a row, a block, a network, a formula and a column is the same number."""

from fractions import Fraction

import pytest
from support.sizes import size

import costcalc
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.columns import read_columns
from costcalc.analysis.inplace import inplace_inputs
from costcalc.analysis.memory import live_elements
from costcalc.analysis.metric import LARGEST, Metric
from costcalc.analysis.metric_names import why_no_formula
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import COUNTED, METRICS
from costcalc.analysis.unrolled import repeat_assumptions, unrolled_layers
from costcalc.analysis.walk import walk
from costcalc.dims import size_symbol
from costcalc.dtype import Dtype, read_dtype
from costcalc.errors import CostcalcError, UnknownName, UsageError
from costcalc.graph import unroll
from costcalc.ops import Conv, Input, ReLU
from costcalc.spec.library import entries

SPECS = sorted({entry.name for entry in entries() if costcalc.load(entry.name).name == entry.name})
SOME = size(["lenet5_1998", "googlenet", "mobilenet_v2", "resnet", "efficientnet", "vgg"], SPECS)


def test_cs231n_counts_a_tensor_that_is_written_over_once():
    """Its table of VGG-16: 15.2M activations, with the image; notes of lecture 9, ConvNet architectures."""
    cost = costcalc.load("vgg16").cost()
    assert cost.total("activations_in_place") == 15_087_080
    assert cost.total("activations_in_place") + 224 * 224 * 3 == 15_237_608


@pytest.mark.parametrize("name", SPECS)
def test_layers_and_blocks_come_to_the_network(name):
    cost = costcalc.load(name).cost()
    for metric, about in METRICS.items():
        if about.is_sum:
            assert sum(cost.value(metric, i) for i in range(len(cost.layers))) == cost.total(metric), metric
        for depth in (1, 2):
            blocks = [block.costs[metric] for block in cost.fold(depth, [metric])] if metric in COUNTED else []
            if about.is_sum:
                assert sum(blocks) == cost.total(metric), (metric, depth)


@pytest.mark.parametrize("name", SPECS)
def test_repeats_folded_and_written_out_have_the_same_metrics(name):
    net = costcalc.load(name)
    folded, written = net.cost(), net.cost(unrolled=True)
    assert {m: folded.total(m) for m in COUNTED} == {m: written.total(m) for m in COUNTED}


@pytest.mark.parametrize("name", SOME)
def test_the_peak_of_a_row_is_what_is_held_while_it_runs(name):
    cost = costcalc.load(name).cost()
    ((_, layers),) = unrolled_layers(cost.graph)
    now: dict[str, int] = {}
    for layer, elements in zip(layers, live_elements(layers)):
        now[layer.row] = max(now.get(layer.row, 0), elements)
    assert {row.name: 4 * now[row.name] for row in cost.layers} == {
        row.name: cost.value("peak_bytes", i) for i, row in enumerate(cost.layers)
    }
    assert max(now.values()) * 4 == cost.total("peak_bytes")


@pytest.mark.parametrize("name", SOME)
def test_number_formula_and_column_are_the_same(name):
    net = costcalc.load(name)
    for metric, about in METRICS.items():
        if why_no_formula(about):
            with pytest.raises(UsageError, match=f"{metric} has no closed form: "):
                derive(net, metric)
            continue
        for batch in (1, 3):
            at = net.with_knobs(batch=batch)
            number = at.cost().total(metric)
            assert derive(net, metric)(batch=batch) == number, metric
            assert costcalc.sweep(net, metrics=[metric], batch=[batch]).to_records()[0][metric] == number, metric


def test_in_place_is_counted_copy_by_copy_where_the_first_differs():
    """The first ReLU may not write over the input, those of later copies may write over the convolution before."""
    body = costcalc.new_graph()
    costcalc.add(body, "conv", Conv(4, 1), costcalc.add(body, "relu", ReLU(), costcalc.add(body, "in", Input())))
    graph = costcalc.new_graph()
    costcalc.add(graph, "stage", costcalc.Repeat(body, 5), costcalc.add(graph, "x", Input((1, 4, 2, 2))))
    rows = [*walk(unroll(graph))]
    assert len(inplace_inputs(rows)) == 4
    cost = costcalc.cost(graph)
    assert [cost.value("activations_in_place", i) for i in range(3)] == [0, 16, 5 * 16]
    assert cost.total("activations_in_place") == costcalc.cost(unroll(graph)).total("activations_in_place") == 96


def test_a_formula_of_what_is_written_over_holds_where_bodies_stand():
    formula = derive(costcalc.load("resnet@n2=3,n3=4,n4=6", batch=1), "activations_in_place")
    assert formula(n5=3) == costcalc.load("resnet50").cost().total("activations_in_place")


def test_columns_in_any_order_by_key_or_title():
    table = costcalc.load("lenet5").cost().table(columns="peak_bytes, out, name")
    assert [column.key for column in table.columns] == ["peak_bytes", "output_shape", "name"]
    assert table.totals["peak_bytes"] == costcalc.load("lenet5").cost().total("peak_bytes")
    with pytest.raises(UnknownName, match="unknown column 'maks'; did you mean 'macs'"):
        costcalc.load("lenet5").cost().table(columns="name,maks")
    with pytest.raises(UsageError, match="column macs is there twice"):
        read_columns("macs,macs", (), metrics=METRICS)


@pytest.mark.parametrize("by", COUNTED)
def test_any_metric_can_be_compared(by):
    found = costcalc.compare("alexnet", "vgg16", by=by)
    first, second = (costcalc.load(name).cost().total(by) for name in ("alexnet", "vgg16"))
    wanted = Fraction(second) / first if first else None
    assert found.to_records()[1]["ratio"] == wanted
    assert by in [column.key for column in found.tables()[0].columns]
    assert (METRICS[by].together == LARGEST) <= (not found.pairs)


def test_what_is_measured_is_not_counted():
    with pytest.raises(UsageError, match="seconds is measured, not counted"):
        costcalc.load("lenet5").cost().total("seconds")
    with pytest.raises(UsageError, match="seconds is measured, not counted"):
        costcalc.compare("lenet5", "alexnet", by="seconds")


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        (None, Dtype()), ("float16", Dtype("float16", "float16")), ("weights=int8", Dtype("int8", "float32")),
        ("activations=bfloat16, weights=float16", Dtype("float16", "bfloat16")),
    ],
)  # fmt: skip
def test_a_dtype_as_it_is_written(text, dtype):
    assert read_dtype(text) == dtype


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("float17", "unknown dtype 'float17'; known: "), ("weight=int8", "did you mean 'weights'"),
        ("weights=int8,weights=int8", "dtype of weights stands twice"),
    ],
)  # fmt: skip
def test_a_dtype_that_does_not_exist(text, message):
    with pytest.raises(CostcalcError, match=message):
        read_dtype(text)


@pytest.mark.parametrize("dtype", ["float32", "float16", "weights=int8,activations=float16"])
def test_bytes_are_elements_times_those_of_the_dtype(dtype):
    net, sizes = costcalc.load("mobilenet_v2").with_dtype(dtype), read_dtype(dtype)
    cost, plain = net.cost(), costcalc.load("mobilenet_v2").cost()
    weights, activations = sizes.scale("weights"), sizes.scale("activations")
    assert cost.total("weight_bytes") == weights * (plain.params + plain.total("buffers"))
    assert cost.total("peak_bytes") * 4 == activations * plain.total("peak_bytes")
    row = costcalc.sweep(net, metrics="weight_bytes,peak_bytes,traffic_bytes,intensity", r=[224]).to_records()[0]
    assert row == {"r": 224, **{name: cost.total(name) for name in [*row][1:]}}
    assert derive(net, "traffic_bytes")() == cost.total("traffic_bytes")
    peak = costcalc.scale(net, "r", peak_bytes=10**7).to_records()[0]["peak_bytes"]
    assert 9 * 10**6 < peak <= 10**7


def symbolic(first, last, times):
    """x → conv → times × (first → conv) → last."""
    body, graph = costcalc.new_graph(), costcalc.new_graph()
    costcalc.add(body, "conv", Conv(4, 1), costcalc.add(body, "first", first, costcalc.add(body, "in", Input())))
    stem = costcalc.add(graph, "stem", Conv(4, 1), costcalc.add(graph, "x", Input((1, 4, 2, 2))))
    costcalc.add(graph, "last", last, costcalc.add(graph, "stage", costcalc.Repeat(body, times), stem))
    return graph


@pytest.mark.parametrize(("first", "last"), [(ReLU(), Conv(2, 1)), (Conv(4, 1), ReLU()), (Conv(4, 1), Conv(2, 1))])
def test_a_formula_of_what_is_written_over_holds_where_it_says(first, last):
    """Where no body stands, a layer after it may meet another writer: then the formula is for one copy or more."""
    depth = size_symbol("d")
    graph = symbolic(first, last, depth - 1)
    cost, needs = costcalc.cost(graph), repeat_assumptions(graph)
    assert bool(needs) == (ReLU in (type(first), type(last)))
    for number in range(2 if needs else 1, 6):
        wanted = costcalc.cost(symbolic(first, last, number - 1)).total("activations_in_place")
        assert cost.total("activations_in_place").subs(depth, number) == wanted


def test_a_quotient_has_no_formula_of_its_own(monkeypatch):
    monkeypatch.setitem(METRICS, "per_param", Metric(title="MACs/param", counts="x", of=("macs", "params")))
    assert costcalc.load("lenet5").cost().total("per_param") == Fraction(416_520, 61_706)
    with pytest.raises(
        UsageError, match="per_param has no closed form: it is a quotient; ask for its parts: --metric macs"
    ):
        derive(costcalc.load("lenet5"), "per_param")


def test_what_a_row_or_symbols_cannot_say_is_an_error():
    with pytest.raises(UnknownName, match="unknown cost of a row 'peak_bytes'"):
        costcalc.cost("lenet5").layers[3].total("peak_bytes")
    with pytest.raises(UsageError, match="widest needs numeric sizes; set d"):
        costcalc.cost(symbolic(Conv(4, 1), Conv(size_symbol("d"), 1), 2)).total("widest")


def test_networks_in_unlike_numbers_are_told_apart():
    half = costcalc.load("lenet5", dtype="float16")
    notes = costcalc.compare(half, "lenet5", by="peak_bytes").tables()[-1].notes
    assert notes[-1] == "bytes: lenet5 in float16; lenet5 in float32"
    assert "float" not in notes[0]


@pytest.mark.parametrize("name", METRICS)
def test_a_note_is_one_line_of_a_terminal(name):
    """What needs more words has them in the docs; `params` are explained by their parts."""
    notes = [note for note in metric_notes([name], read_dtype("bfloat16")) if not note.startswith("MACs: ")]
    assert all(len(note) <= 92 for note in notes), notes
    assert notes or name in ("params", "macs")


def test_short_notes_share_a_line():
    assert metric_notes(["macs", "elementwise", "activations", "output", "widest"], None)[1:] == [
        "elementwise: all other arithmetic; activations: elements that layers write",
        "output: elements that leave it; widest: the largest output inside",
    ]
