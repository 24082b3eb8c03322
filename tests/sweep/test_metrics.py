"""Metrics of a sweep: each column is what one network has, at every point, shown or only looked at."""

import csv
import json
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from support import needed
from support.array_graphs import SIZES, points_of, seeded_graph
from support.paths import ROOT
from support.sizes import size

import costcalc
from costcalc import add, cost, new_graph, ops
from costcalc.analysis.inplace import inplace_inputs
from costcalc.analysis.memory import peak_activations
from costcalc.analysis.metric import LARGEST
from costcalc.analysis.metrics import COUNTED, METRICS, USUAL
from costcalc.analysis.sweep.grid import Grid, read_axes
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.sweep import sweep
from costcalc.analysis.sweep.totals import sums_of, totals_of
from costcalc.analysis.training.step_metrics import step_of
from costcalc.analysis.unrolled import unrolled_layers
from costcalc.analysis.walk import walk
from costcalc.cli.app import run
from costcalc.dtype import FLOAT32
from costcalc.errors import CostcalcError, PointsDiffer, ShapeError, UnknownName, UsageError
from costcalc.graph import unroll
from costcalc.spec.library import entries

POINTS = size(8, 80)  # of each spec
GRAPHS = size(300, 10_000)
SPECS = sorted({entry.name for entry in entries() if costcalc.load(entry.name).name == entry.name})


BIASED = (
    "conv", "conv1d", "conv2d", "conv3d", "depthwise", "partial_conv", "locally_connected", "conv_transpose", "linear"
)  # fmt: skip


def on_input(row):
    """The multiplies of a layer, without those with zeros of its padding."""
    rule = getattr(row.op, "macs_on_input", row.op.macs)
    return rule(*row.input_shapes, out=row.output_shape)


def counted(graph):
    """Every metric by copies written out, each layer on its own."""
    rows = list(walk(unroll(graph)))
    traffic = 0
    for row in rows:
        tensors = [tensor.shape for tensor in row.op.weights(*row.input_shapes)]
        moved = [] if row.op.output.view else [*row.input_shapes, *tensors, row.output_shape]
        traffic += 4 * sum(map(math.prod, moved))
    macs = sum(row.macs for row in rows)
    read = {source for row in rows for source in row.inputs}
    sizes = {row.name: math.prod(row.output_shape) for row in rows}
    over, total = inplace_inputs(rows), cost(unroll(graph)).totals
    return {
        **of_a_step(unroll(graph)),
        **total, "flops": 2 * macs, "output": sum(n for name, n in sizes.items() if name not in read),
        "activations_in_place": sum(sizes[row.name] for row in rows if not row.op.output.view and row.name not in over),
        "widest": max(sizes.values()),
        "connections": macs + sum(row.total("elementwise") for row in rows if row.total("bias")),
        "weight_bytes": 4 * sum(row.params + row.total("buffers") for row in rows),
        "peak_bytes": 4 * peak_activations(graph).elements, "traffic_bytes": traffic,
        "intensity": Fraction(macs, traffic) if traffic else None,
        "bn_elements": sum(row.times * sizes[row.name] for row in rows if row.op.name == "batch_norm"),
        "bias_additions": sum(sizes[row.name] for row in rows if row.op.name in BIASED and row.total("bias")),
        "input_elements": sum(sizes[row.name] for row in rows if row.op.name == "input" and row.name in read),
        "macs_on_input": sum(map(on_input, rows)),
    }  # fmt: skip


def of_a_step(graph):
    """Every metric of a training step."""
    ((_, layers),) = unrolled_layers(graph)
    step = step_of(graph, layers, FLOAT32)
    found = {name: [*metric.step(step)] for name, metric in METRICS.items() if metric.step}
    return {name: (max if METRICS[name].together == LARGEST else sum)(sizes) for name, sizes in found.items()}


def some(rng, knob):
    """A value of a knob: near its default, or of any order; numbers of layers and the like stay small."""
    if knob.kind == "real":
        return Fraction(rng.randint(max(1, int(knob.low * 16)), 50), 16)
    low, high = int(knob.low), int(knob.high)
    if knob.default < 10 and knob.name != "batch":
        return rng.randint(low, 9)
    most = rng.choice([low + 600, 2 ** rng.randint(10, 20)])
    return rng.choice([int(knob.default), rng.randint(low, min(most, high))])


@pytest.mark.sized
@pytest.mark.no_cover
@pytest.mark.parametrize("name", SPECS)
def test_every_metric_of_every_spec_is_that_of_its_networks(name):
    rng, net = random.Random(name), costcalc.load(name)
    knobs = {knob: given for knob, given in net.knobs.items() if given.is_size}
    each = 3 + POINTS // 40 if len(knobs) < 5 else 3
    axes = {knob: sorted({some(rng, given) for _ in range(each)}) for knob, given in knobs.items()}
    found = costcalc.sweep(net, metrics=[*COUNTED], **axes)
    assert len(found)
    for record in rng.sample(found.to_records(), min(POINTS, len(found))):
        point = {knob: record.pop(knob) for knob in axes}
        assert record == counted(net.with_knobs(**point).graph()), point


@pytest.mark.sized
@pytest.mark.no_cover
def test_metrics_are_exact_beyond_machine_words():
    """T29: totals past 2^63 and 2^100 on columns that mix them with small ones."""
    rng, largest, alike = random.Random(29), 0, 0
    whole = [name for name in COUNTED if name != "intensity"]  # which some of these graphs have none of
    for number in range(GRAPHS):
        points = points_of(rng, 4)
        columns = {name: np.array([point[name] for point in points], dtype=object) for name in SIZES}
        graph, grid = seeded_graph(number, columns), Grid({"i": tuple(range(4))})
        try:
            found, names = sums_of(graph, whole).at(grid), whole
        except PointsDiffer:  # in what is kept: a sweep cuts such a grid
            names = [name for name in whole if not METRICS[name].step]
            found = sums_of(graph, names).at(grid)
        alike += names is whole
        wanted = [counted(seeded_graph(number, point)) for point in points]
        for name in names:
            values = found.flat(name).tolist()
            assert values == [point[name] for point in wanted], f"graph {number}: {name}"
            assert {type(value) for value in values} == {int}
            largest = max(largest, *values)
    assert largest > 2**100
    assert alike > GRAPHS // 2


def test_traffic_by_hand():
    """x 2·3·5·5 = 150 -> conv 4·3·3·3 + 4 = 112 -> 2·4·3·3 = 72, which the ReLU reads and writes; a view moves none."""
    graph = new_graph()
    add(graph, "x", ops.Input([2, 3, 5, 5]))
    add(graph, "relu", ops.ReLU(), add(graph, "conv", ops.Conv(4, 3), "x"))
    add(graph, "fc", ops.Linear(7), add(graph, "flat", ops.Flatten(), "relu"))
    found = sums_of(graph, ["traffic_bytes", "intensity"]).at(Grid({})).values
    fc = 72 + (36 * 7 + 7) + 14
    assert found["traffic_bytes"].item() == 4 * ((150 + 112 + 72) + (72 + 72) + fc)
    assert found["intensity"].item() == Fraction(72 * 27 + 14 * 36, 4 * (334 + 144 + fc))


@pytest.mark.no_cover
def test_blocks_do_not_show():
    net = costcalc.load("efficientnet")
    axes = read_axes(["r=64:256:64", "d=0.2,1,1.1,2.5", "w=0.5:1.5:0.25"], net.knobs, net.name)
    whole = sweep(net, Grid(axes), PointQuery(), metrics=COUNTED).to_records()
    for points in (1, 7, 15, 40):
        assert sweep(net, Grid(axes), PointQuery(), metrics=COUNTED, points=(3 * points, points)).to_records() == whole


# ---- which are shown


def test_only_what_is_asked_for_is_shown():
    found = costcalc.sweep("mobilenet_v2", metrics="peak_bytes, macs", r=[96, 128])
    assert [*found.to_records()[0]] == ["r", "peak_bytes", "macs"]
    assert [column.title for column in found.table().columns] == ["r", "peak bytes", "MACs"]
    assert [*costcalc.sweep("mobilenet_v2", r=[96]).to_records()[0]] == ["r", *USUAL]
    assert (
        found.to_records() == costcalc.sweep("mobilenet_v2", metrics=["peak_bytes", "macs"], r=[96, 128]).to_records()
    )


@pytest.mark.parametrize(
    ("choice", "test"),
    [
        ({"where": "peak_bytes <= 6e6 and macs > 6e7"}, lambda p: p["peak_bytes"] <= 6e6 and p["macs"] > 6e7),
        ({"where": "macs > 2 * traffic_bytes"}, lambda p: p["intensity"] > 2),
        ({"where": "intensity * 3 < 5 or r == 64"}, lambda p: p["intensity"] < Fraction(5, 3) or p["r"] == 64),
    ],
)  # fmt: skip
def test_what_is_not_shown_may_be_looked_at(choice, test):
    axes = {"r": "64:256:16", "w": "0.5:1.5:0.25"}
    every = costcalc.sweep("mobilenet_v2", metrics=[*COUNTED], **axes).to_records()
    found = costcalc.sweep("mobilenet_v2", metrics="params", **axes, **choice).to_records()
    assert found == [{name: p[name] for name in ("r", "w", "params")} for p in every if test(p)]
    assert 0 < len(found) < len(every)


def test_fronts_and_the_best_of_any_metric():
    axes = {"r": "64:256:16", "w": "0.5:1.5:0.25"}
    every = costcalc.sweep("mobilenet_v2", metrics=[*COUNTED], **axes).to_records()
    best = sorted(every, key=lambda p: -p["intensity"])[:3]
    found = costcalc.sweep("mobilenet_v2", metrics="macs", top=3, by="-intensity", **axes).to_records()
    assert found == [{name: p[name] for name in ("r", "w", "macs")} for p in best]
    front = costcalc.sweep("mobilenet_v2", metrics="macs", pareto="peak_bytes,-intensity", **axes).to_records()
    kept = [
        p for p in every
        if not any(
            q["peak_bytes"] <= p["peak_bytes"] and q["intensity"] >= p["intensity"]
            and (q["peak_bytes"], q["intensity"]) != (p["peak_bytes"], p["intensity"]) for q in every
        )
    ]  # fmt: skip
    assert front == [{name: p[name] for name in ("r", "w", "macs")} for p in kept]


def test_a_knob_called_as_a_metric_is_refused_where_it_is_named(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: net\ntitle: t\nsource: s\nknobs: {intensity: 3, r: 8}\ninput: [3, r, r]\n"
        "layers:\n- conv: {channels: intensity, kernel: 1}\n"
    )
    found = costcalc.sweep(str(path), metrics="macs", r=[1, 2, 3], where="r < 3")
    assert [point["macs"] for point in found.to_records()] == [9, 36]
    with pytest.raises(UsageError, match="intensity is a knob here, and a metric too: give the knob another name"):
        costcalc.sweep(str(path), metrics="macs", r=[1, 2, 3], where="r < intensity")


def test_intensity_is_a_fraction_and_four_digits_of_it_are_shown(capsys):
    needed.module("pandas", "pandas")
    found = costcalc.sweep("mobilenet_v2", metrics="macs,traffic_bytes,intensity", r=[96, 128])
    for point in found.to_records():
        assert point["intensity"] == Fraction(point["macs"], point["traffic_bytes"])
    assert [found.table().texts(row)[-1] for row in found.table().rows] == ["1.298", "1.500"]
    assert found.to_pandas()["intensity"].dtype == float
    words = ["sweep", "mobilenet_v2", "r=96,128", "--metrics", "intensity"]
    assert run([*words, "-f", "csv"]) == 0
    (_, *rows) = csv.reader(capsys.readouterr().out.splitlines())
    assert run([*words, "-f", "json"]) == 0
    wanted = [float(point["intensity"]) for point in found.to_records()]
    assert [float(row[1]) for row in rows] == wanted
    assert [row["intensity"] for row in json.loads(capsys.readouterr().out)["rows"]] == wanted


def test_what_moves_no_bytes_has_no_intensity(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text("name: net\ntitle: t\nsource: s\nknobs: {r: 8}\ninput: [3, r, r]\nlayers:\n- flatten\n")
    with pytest.raises(ShapeError, match="at some point the network moves no bytes"):
        costcalc.sweep(str(path), metrics="intensity", r=[1, 2])
    assert costcalc.sweep(str(path), metrics="traffic_bytes", r=[1]).to_records() == [{"r": 1, "traffic_bytes": 0}]


def test_what_is_not_counted_is_said():
    notes = costcalc.sweep("lenet5", metrics="peak_bytes,traffic_bytes", batch=[1]).notes()
    assert [note.split(":")[0] for note in notes[2:]] == ["peak bytes", "traffic bytes"]
    assert "caches, workspaces and fused kernels not considered" in METRICS["traffic_bytes"].counts
    usual = costcalc.sweep("lenet5", batch=[1]).notes()
    assert [note.split(":")[0] for note in usual[2:]] == ["MACs", "elementwise"]


# ---- presets, budgets, names


def test_presets_have_any_metric(capsys):
    assert run(["sweep", "efficientnet", "--presets", "b0,b7", "--metrics", "peak_bytes,intensity", "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    for row in rows:
        found = counted(costcalc.load(row["preset"]).graph())
        assert (row["peak_bytes"], row["intensity"]) == (found["peak_bytes"], float(found["intensity"]))
        assert "macs" not in row
    assert run(["sweep", "efficientnet", "--presets", "b0,b7", "--metrics", "macs,peak_bytes"]) == 0
    assert "φ by d" in capsys.readouterr().out


@pytest.mark.parametrize(("metric", "most"), [("peak_bytes", 64_000_000), ("traffic_bytes", 10**9)])
def test_a_budget_of_bytes(metric, most):
    found = costcalc.scale("efficientnet", "r", **{metric: most})
    fits, after = (counted(costcalc.load("efficientnet", r=r).graph())[metric] for r in (found.value, found.after))
    assert fits <= most < after
    assert [row[metric] for row in found.to_records()] == [fits, after]
    assert metric.replace("_", " ") in [column.title for column in found.table().columns]


def test_a_budget_on_the_command_line(capsys):
    assert run(["scale", "mobilenet_v2", "--free", "w", "--max", "peak_bytes=16M", "-f", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["budget"] == {"peak_bytes": 16_000_000}
    assert found["rows"][0]["peak_bytes"] <= 16_000_000 < found["rows"][1]["peak_bytes"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--metrics peak", "unknown metric 'peak'"), ("--metrics macs,peak_byte", "did you mean 'peak_bytes'?"),
        ("--metrics macs,macs", "metric macs is there twice"), ("--metrics macs,", "unknown metric ''"),
        ("--by peek_bytes --top 1", "unknown knob or metric 'peek_bytes'; did you mean 'peak_bytes'?"),
        ("--where intensty>1", "unknown name 'intensty'; did you mean 'intensity'?"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"sweep efficientnet r=128 {words}", message)


def test_what_python_refuses():
    for error, call in (
        (UnknownName, lambda: costcalc.sweep("lenet5", metrics=["mac"], batch=[1])),
        (UsageError, lambda: costcalc.sweep("lenet5", metrics=[], batch=[1])),
        (UsageError, lambda: costcalc.scale("lenet5", "batch", intensity=1)),
        (CostcalcError, lambda: costcalc.sweep_presets("efficientnet", "b0", metrics="x")),
    ):
        with pytest.raises(error):
            call()


def test_help_and_page_name_every_metric(capsys):
    assert run(["sweep", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for name, metric in METRICS.items():
        assert name in said or metric.path
        assert f"| `{name}` | {metric.title} |" in page


@pytest.mark.parametrize("metric", COUNTED)
def test_a_metric_that_is_the_same_at_all_points_is_a_column(tmp_path, metric):
    """No layer reads the knob x, so that all metrics are; whatever is asked of them has an answer."""
    needed.module("pyarrow", "parquet")
    path = tmp_path / "same.yaml"
    last = "group: {name: last, layers: [linear: 2, sigmoid]}"  # computed again, if it is checkpointed
    layers = f"[conv: {{channels: 4, kernel: 3, frozen: true}}, batch_norm, relu, {last}]"
    path.write_text(f"name: same\ntitle: t\nsource: s\nknobs: {{x: 1}}\ninput: [3, 8, 8]\nlayers: {layers}\n")
    net = costcalc.load(str(path)).with_step(costcalc.TrainStep(checkpoint="last"))
    given = {"x": [1, 2, 3], "metrics": [metric]}
    at = totals_of(net, [metric])
    every = [{"x": x, **at} for x in (1, 2, 3)]
    assert costcalc.sweep(net, **given).to_records() == every
    for where, kept in (
        (f"{metric}/1e6 <= 30", every), (f"{metric}/3 < 0", []), (f"{metric}/params > 0", every),
        (f"params/{metric}*x >= 2*params/{metric}", every[1:]), (f"{metric}/x == {metric} or x > 2", every[::2]),
        (f"max({metric}, 0) ** 2 == {metric} ** 2", every),
    ):  # fmt: skip
        found = costcalc.sweep(net, **given, where=where)
        assert (found.to_records(), found.refused) == (kept, 3 - len(kept)), where
        if not METRICS[metric].of:
            assert sum(n for *_, n in costcalc.histogram(net, metric, x=[1, 2, 3], where=where).rows) == len(kept)
        for suffix in ("csv", "json", "parquet"):
            assert costcalc.write_sweep(net, tmp_path / f"a.{suffix}", **given, where=where, resume=False).rows == len(
                kept
            )
    assert costcalc.sweep(net, **given, top=2, by=f"-{metric}").to_records() == every[:2]
    assert costcalc.sweep(net, **given, pareto=f"{metric},x").to_records() == every[2:]
    assert costcalc.sweep(net, **given).fit().to_records()[0]["x"] == 0


def test_a_knob_may_have_the_name_of_what_points_do_not_have():
    """Strides are of layers alone; every spec has a table of its presets."""
    assert len(costcalc.sweep_presets("quiz_layer").rows) == 8
