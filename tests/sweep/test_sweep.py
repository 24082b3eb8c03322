"""Sweeps: every point is the count of the network with these knobs, whatever the block it was worked out in."""

import csv
import itertools
import json
import random
from fractions import Fraction

import numpy as np
import pytest
from support import needed

import costcalc
from costcalc.analysis.metrics import USUAL
from costcalc.analysis.sweep.grid import Grid, read_axes
from costcalc.analysis.sweep.point_query import PointQuery, read_where
from costcalc.analysis.sweep.points import Points, concatenate, pareto_front, top_points
from costcalc.analysis.sweep.state import Limit
from costcalc.analysis.sweep.sweep import sweep
from costcalc.cli.app import run
from costcalc.errors import CostcalcError, ShapeError, SpecError, UnknownName, UsageError

WHOLE = {"r": "33:600:21", "d": "0.3:3.2:0.29", "w": "0.05:2:0.13", "batch": "1,7", "classes": "10,1000"}
TARGETS = {
    "efficientnet": ("r", "d", "w"), "mobilenet_v2": ("r", "w", "batch"), "googlenet": ("r", "classes"),
    "resnet": ("r", "batch"), "vgg": ("r", "classes"), "lenet5": ("batch",), "network_in_network": ("r", "classes"),
}  # fmt: skip


def counted(target, point):
    """The metrics of a sweep by the count of one network."""
    cost = costcalc.load(target, **point).cost()
    totals = {metric: cost.total(metric) for metric in USUAL[:-1]}
    return {**totals, "weight_bytes": 4 * (cost.params + cost.total("buffers"))}


@pytest.mark.parametrize("target", TARGETS)
def test_every_point_is_its_count(target):
    found = costcalc.sweep(target, **{knob: WHOLE[knob] for knob in TARGETS[target]})
    records, rng = found.to_records(), random.Random(target)
    assert len(records) == found.grid.size
    for record in rng.sample(records, min(len(records), 25)):
        point = {knob: record.pop(knob) for knob in TARGETS[target]}
        assert record == counted(target, point)
        assert {type(value) for value in record.values()} == {int}


def test_blocks_do_not_show():
    net = costcalc.load("efficientnet")
    axes = read_axes(["r=64:256:32", "d=1,1.1,2.5", "w=0.5:1.5:0.25"], net.knobs, net.name)
    whole = sweep(net, Grid(axes), PointQuery()).to_records()
    for points in (1, 2, 7, 15, 16, 40, 10**6):
        blocks = list(Grid(axes).blocks(points))
        assert max(block.size for block in blocks) <= points
        assert [block.start for block in blocks] == [0, *itertools.accumulate(block.size for block in blocks)][:-1]
        assert sweep(net, Grid(axes), PointQuery(), points=(3 * points, points)).to_records() == whole
    order = [tuple(record[knob] for knob in axes) for record in whole]
    assert order == list(itertools.product(*axes.values()))


def test_past_machine_words():
    found = costcalc.sweep("resnet50", r=[224, 2**24, 2**30], batch=[1, 2**31])
    for record in found.to_records():
        point = {"r": record.pop("r"), "batch": record.pop("batch")}
        assert record == counted("resnet50", point)
    assert max(found.columns["macs"].tolist()) > 2**100
    assert costcalc.sweep("resnet50", r=[224]).columns["macs"].dtype == np.int64


def test_ranges_include_both_ends_and_are_exact():
    net = costcalc.load("efficientnet")
    axes = read_axes(["w=1:2:0.05", "r=128:600:8", "d=0.1:0.35:0.1"], net.knobs, net.name)
    assert (axes["w"][0], axes["w"][-1], len(axes["w"])) == (1, 2, 21)
    assert axes["w"][1] == Fraction(105, 100)
    assert (axes["r"][-1], len(axes["r"])) == (600, 60)
    assert axes["d"] == (Fraction(1, 10), Fraction(1, 5), Fraction(3, 10))


def test_python_takes_numbers_of_every_kind():
    needed.module("pandas", "pandas")
    found = costcalc.sweep("efficientnet", r=range(224, 257, 16), w=np.array([0.5, 1.1]), d=1.5, batch=[np.int64(2)])
    assert [*found.grid.axes.values()] == [(224, 240, 256), (Fraction(1, 2), Fraction(11, 10)), (Fraction(3, 2),), (2,)]
    frame = found.to_pandas()
    assert frame["macs"].tolist() == [record["macs"] for record in found.to_records()]
    assert frame["w"].tolist()[:2] == [0.5, 1.1]
    eighths = costcalc.sweep("mobilenet_v1", w=["3/8", "1", Fraction(3, 4)]).grid.axes["w"]
    assert eighths == (Fraction(3, 8), 1, Fraction(3, 4))
    with pytest.raises(UsageError, match="w=1:2:1: '1:2:1' is not an expression"):
        costcalc.sweep("mobilenet_v1", w=["1:2:1"])


# ---- choosing


def test_where_is_a_filter():
    every = costcalc.sweep("efficientnet", r="128:256:16", w="0.5:1.5:0.1").to_records()
    text = "macs <= 300e6 and (r % 32 == 0 or not params < 5e6) and batch == 1"
    found = costcalc.sweep("efficientnet", r="128:256:16", w="0.5:1.5:0.1", where=text)
    wanted = [p for p in every if p["macs"] <= 300e6 and (p["r"] % 32 == 0 or p["params"] >= 5e6)]
    assert found.to_records() == wanted
    assert 0 < len(wanted) < len(every)
    assert found.refused == len(every) - len(wanted)
    assert costcalc.sweep("efficientnet", r="128:256:16", where="1 == 1").refused == 0
    assert len(costcalc.sweep("efficientnet", r="128:256:16", where="macs < 0")) == 0


@pytest.mark.parametrize("points", [1, 3, 50, 10**6])
def test_the_best_are_the_best_whatever_the_blocks(points):
    net = costcalc.load("mobilenet_v1")
    axes = read_axes(["r=64:256:8", "w=0.25,0.5,0.75,1"], net.knobs, net.name)
    every = sweep(net, Grid(axes), PointQuery()).to_records()
    for name, more in (("macs", False), ("macs", True), ("r", True), ("params", False)):
        found = sweep(net, Grid(axes), PointQuery(top=7, by=(name, more)), points=(2 * points, points)).to_records()
        ranked = sorted(range(len(every)), key=lambda i: (-every[i][name] if more else every[i][name], i))[:7]
        assert found == [every[i] for i in ranked]


def beaten(a, b, orders):
    """Is a no better than b in anything, and worse in something?"""
    better = [(-x[name] if more else x[name]) for x in (a, b) for name, more in orders]
    ours, theirs = better[: len(orders)], better[len(orders) :]
    return all(t <= o for o, t in zip(ours, theirs, strict=True)) and ours != theirs


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_front_has_all_that_are_not_beaten(count):
    rng = random.Random(count)
    for _ in range(60):
        orders = [(name, rng.random() < 0.5) for name in "abcd"[:count]]
        size, high = rng.randint(1, 40), rng.choice([3, 10, 2**70])
        points = Points({n: np.array([rng.randint(0, high) for _ in range(size)], dtype=object) for n in "abcd"})
        every = [dict(zip("abcd", p, strict=True)) for p in zip(*points.columns.values(), strict=True)]
        found = [
            dict(zip("abcd", p, strict=True)) for p in zip(*pareto_front(points, orders).columns.values(), strict=True)
        ]
        assert found == [p for p in every if not any(beaten(p, q, orders) for q in every)]
        halves = [
            pareto_front(points.take(slice(0, size // 2)), orders),
            pareto_front(points.take(slice(size // 2, None)), orders),
        ]
        if size > 1:
            again = pareto_front(concatenate(halves), orders)
            assert [*again.columns["a"]] == [p["a"] for p in found]


def test_moocore_sees_the_same_front():
    moocore = needed.module("moocore", "test")
    found = costcalc.sweep("efficientnet", r="128:256:16", w="0.5:1.5:0.1", d="1:2:0.5")
    costs = np.array([[p["macs"], -p["r"], -float(p["w"]), -float(p["d"])] for p in found.to_records()], dtype=float)
    kept = moocore.is_nondominated(costs, keep_weakly=True)
    chosen = costcalc.sweep("efficientnet", r="128:256:16", w="0.5:1.5:0.1", d="1:2:0.5", pareto="macs,r,w,d")
    assert [p for p, keep in zip(found.to_records(), kept, strict=True) if keep] == chosen.to_records()


@pytest.mark.no_cover
def test_a_front_that_is_nearly_everything_is_refused():
    with pytest.raises(UsageError, match="more than 5,000 points of a front in 3 directions; name two"):
        costcalc.sweep("efficientnet", r="64:563:1", w="1:3:0.05", pareto="macs,r,w")
    narrow = costcalc.sweep("efficientnet", r="64:563:1", w="1:3:0.05", pareto="macs,r").to_records()
    assert {point["w"] for point in narrow} == {1}
    macs = [costcalc.load("efficientnet", r=r).cost().macs for r in range(64, 564)]  # 63 and 64 pixels cost the same
    assert [point["r"] for point in narrow] == [64 + i for i in range(500) if i == 499 or macs[i] < macs[i + 1]]


def test_fewer_points_than_asked_for_are_all_of_them():
    points = Points({"macs": np.array([3, 1])})
    assert top_points(points, ("macs", False), 5) is points


# ---- points at which there is no network

NARROW = """
name: narrow
title: t
source: s
knobs: {r: 9, k: 3}
input: [3, r, r]
layers:
  - conv: {channels: 4, kernel: k}
  - max_pool: {kernel: 4, stride: 1}
  - repeat: {times: 2, layers: [conv: {channels: 4, kernel: 3, padding: 1}]}
"""


def test_points_that_cannot_be_are_left_out_and_counted(tmp_path):
    path = tmp_path / "narrow.yaml"
    path.write_text(NARROW)
    found = costcalc.sweep(str(path), r="1:12:1", k="1,3,5")
    possible = []
    for r, k in itertools.product(range(1, 13), (1, 3, 5)):
        try:
            possible.append({"r": r, "k": k, **counted(str(path), {"r": r, "k": k})})
        except CostcalcError:
            continue
    assert found.to_records() == possible
    assert found.invalid == 36 - len(possible) > 0
    assert found.reason == "a window of 3 does not fit into 1"
    assert f"{found.invalid} points are invalid: {found.reason}" in found.notes()
    with pytest.raises(ShapeError, match="all points are invalid: a window of 3 does not fit into 1"):
        costcalc.sweep(str(path), r=[1, 2])


def test_a_body_that_is_repeated_no_times_may_be_impossible(tmp_path):
    path = tmp_path / "grouped.yaml"
    path.write_text(
        "name: grouped\ntitle: t\nsource: s\nknobs: {c: 4, t: {default: 1, min: 0}, u: {default: 1, min: 0}}\n"
        "input: [4, 8, 8]\nlayers:\n- conv: {channels: c, kernel: 1}\n- repeat: {times: t, layers: [repeat: {times: u, "
        "layers: [conv: {channels: c, kernel: 1, groups: 2}]}]}\n"
    )
    found = costcalc.sweep(str(path), c=[3, 4], t=[0, 1], u=[0, 1, 2])
    points = [p for p in itertools.product((3, 4), (0, 1), (0, 1, 2)) if p[0] == 4 or 0 in p[1:]]
    wanted = [{"c": c, "t": t, "u": u, **counted(str(path), {"c": c, "t": t, "u": u})} for c, t, u in points]
    assert found.to_records() == wanted
    assert (found.invalid, found.reason) == (2, "groups = 2 does not divide the 3 input channels")


# ---- presets

B0_TO_B7 = {  # published-numbers.md, section 1
    "efficientnet_b0": (5_288_548, 0.386, 0), "efficientnet_b1": (7_794_184, 0.687, -29),
    "efficientnet_b2": (9_109_994, 0.994, -24), "efficientnet_b3": (12_233_232, 1.827, -24),
    "efficientnet_b4": (19_341_616, 4.394, -11), "efficientnet_b5": (30_389_784, 10.266, -12),
    "efficientnet_b6": (43_040_704, 19.068, -5), "efficientnet_b7": (66_347_960, 37.746, -9),
}  # fmt: skip


PHIS = {  # published-numbers.md, section 1: by depth, width, resolution
    "b0": [0, 0, 0], "b1": [0.52, 0, 0.49], "b2": [1.0, 1.0, 1.07], "b3": [1.85, 1.91, 2.09], "b4": [3.22, 3.53, 3.78],
    "b5": [4.32, 4.93, 5.09], "b6": [5.24, 6.17, 6.14], "b7": [6.21, 7.27, 7.05],
}  # fmt: skip


def test_the_presets_of_efficientnet(capsys):
    assert run(["sweep", "efficientnet", "--presets", "b0..b7", "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    phis = {r["preset"][-2:]: [round(r[f"phi_{k}"], 2) for k in "dwr"] for r in rows}
    assert phis == PHIS
    found = {r["preset"]: (r["params"], round(r["macs"] / 1e9, 3), round(100 * r["error"])) for r in rows}
    assert found == B0_TO_B7
    b3 = rows[3]
    assert (b3["r"], b3["d"], b3["w"]) == (300, 1.4, 1.2)
    assert (b3["params_published"], b3["macs_published"]) == ("12M", "1.8B")
    assert b3["law"] == round(385_814_752 * 1.4 * 1.2**2 * (300 / 224) ** 2)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("all", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "plain18", "plain34"]),
        ("resnet50,18", ["resnet50", "resnet18"]), ("34..101", ["resnet34", "resnet50", "resnet101"]),
    ],
)  # fmt: skip
def test_presets_by_their_short_names(capsys, wanted, names):
    assert run(["sweep", "resnet", "--presets", wanted, "-f", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert {row["preset"] for row in rows} == set(names)
    assert all(int(row["macs"]) == costcalc.load(row["preset"]).cost().macs for row in rows)


# ---- what is refused


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("rr=1:2:1", "efficientnet: unknown knob 'rr'"),
        ("R=128:600:8", "efficientnet: unknown knob 'R'; did you mean 'r'?"),
        ("r", "'r=' sets no knob"), ("r=", "'r=' sets no knob"),
        ("r=224:128:8", "'r=224:128:8' goes down; write the smaller end first"),
        ("r=128:224:0", "the step is 0; it must be larger than 0"), ("r=128:224:-8", "the step is -8"),
        ("r=128:224", "write FROM:TO:STEP, as in r=128:600:8"), ("r=1:2:3:4", "write FROM:TO:STEP"),
        ("r=::", "write FROM:TO:STEP"),
        ("r=128,128", "r = 128 is there twice"), ("r=128 r=256", "'r' is swept twice"),
        ("w=inf", "unknown name 'inf'"),
        ("w=1:2:0.0000001", "has 10,000,001 values"),
        ("r=8:224:8", "knob 'r' is at least 32, got 8"), ("r=128.5", "knob 'r' is a whole number, got 128.5"),
        ("", "nothing to sweep over"), ("r=128 --where macs", "neither true nor false"),
        ("r=128 --where mac<=1", "unknown name 'mac'; did you mean 'macs'?"),
        ("r=128 --where 'macs <= 1.5M'", "is not an expression; write 1.5e6 for 1.5M"),
        ("r=128 --where macs<=", "is not an expression; see `costcalc help specs`"),
        ("r=128 --by macs", "give --top too"),
        ("r=128 --pareto mac", "unknown knob or metric 'mac'; did you mean 'macs'?"),
        ("r=128 --presets b0", "--presets cannot be combined with points"),
        ("r=128 --pareto macs,-d", "d is the same at every point: give it values, or leave it out of --pareto"),
        ("w=nan", "unknown name 'nan'; every number is finite"),
        ("r=128 -o points.xyz", "has the suffix '.xyz'; use one of .txt .json .csv"),
        ("r=128 -o points.xyz", ".gv .parquet, or give --format"), ("--presets b9", "unknown preset 'b9'"),
        ("--presets b7..b0", "goes backwards: efficientnet_b0 comes before efficientnet_b7"),
        (
            "r=32:2031:1 w=0.001:3:0.001 d=0.01:3:0.01 batch=1:1000:1",
            "1,800,000,000,000 points are too many to be kept, and about 5 days of work; keep the best with --top N",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"sweep efficientnet {words}", message)


def test_what_python_refuses():
    for error, given in (
        (UsageError, {"r": []}), (UsageError, {"r": [224, 224]}), (UsageError, {"w": [float("nan")]}),
        (UnknownName, {"s": [1]}), (SpecError, {"r": [224], "where": "macs <"}),
        (UnknownName, {"r": [224], "pareto": ["x"]}),
    ):  # fmt: skip
        with pytest.raises(error):
            costcalc.sweep("efficientnet", **given)
    with pytest.raises(UsageError, match="knob 'stride_on' is not numeric"):
        costcalc.scale("resnet", macs=10**9, grid={"stride_on": ["conv1"]})


def test_what_is_kept_is_limited_by_its_bytes():
    """A point is two words of 8 bytes here."""
    given = {"batch": range(1, 21), "metrics": "macs"}
    assert len(costcalc.sweep("lenet5", **given, max_memory_bytes=320)) == 20
    with pytest.raises(
        UsageError, match=r"20 points are too many to be kept: 320 *B, where 319 *B are kept; keep the best"
    ):
        costcalc.sweep("lenet5", **given, max_memory_bytes=319)
    few = {**given, "where": "batch <= 5", "max_memory_bytes": 80}
    assert len(costcalc.sweep("lenet5", **few)) == 5
    with pytest.raises(
        UsageError, match=r"the points that meet the condition take more than 80 *B; .* max_memory_bytes="
    ):
        costcalc.sweep("lenet5", **few | {"where": "batch <= 6"})
    assert len(costcalc.sweep("lenet5", **few | {"where": "batch <= 6", "top": 3})) == 3


def test_many_points_are_kept_as_arrays_of_words():
    """563,200 of them: 27 MB, and no objects until rows are asked for."""
    found = costcalc.sweep("mobilenet_v2", r=range(97, 609), w="0.2:2.39:0.002", metrics="params,macs")
    assert len(found) == 512 * 1096 > 500_000
    assert {column.dtype for column in found.points.columns.values()} == {np.dtype(np.int64)}
    assert found.points.nbytes == len(found) * 4 * 8
    assert len(found.table(3).rows) == 3
    last = {"r": 608, "w": Fraction("2.39")}
    record = {name: values[-1] for name, values in found.columns.items()}
    assert record == {**last, **{m: counted("mobilenet_v2", last)[m] for m in ("params", "macs")}}


def test_a_condition_may_keep_too_many_rows():
    net = costcalc.load("lenet5")
    axes = read_axes(["batch=1:20:1"], net.knobs, net.name)
    where, few = (read_where(text, net.knobs) for text in ("macs > 0", "batch <= 5"))
    with pytest.raises(UsageError, match="more than 5 points meet the condition; keep the best"):
        sweep(net, Grid(axes), PointQuery(where=where), limit=Limit(points=5))
    assert len(sweep(net, Grid(axes), PointQuery(where=few), limit=Limit(points=5))) == 5


def test_points_of_too_many_layers_are_left_out():
    """As `show` refuses them."""
    net = costcalc.load("resnet50")
    found = costcalc.sweep(net, n3=[10, 9437184], metrics="params")
    assert [record["n3"] for record in found.to_records()] == [10]
    (why,) = [note for note in found.how_many() if "layers" in note]
    with pytest.raises(SpecError) as raised:
        net.with_knobs(n3=9437184).cost()
    assert "repeats make 94,371,974 layers; at most 100,000" in str(raised.value)
    assert "repeats make 94,371,974 layers; at most 100,000: raise the limit with --max-layers" in why
    with pytest.raises(ShapeError, match="repeats make 94,371,974 layers; at most 100,000"):
        costcalc.sweep(net, n3=[9437184])
