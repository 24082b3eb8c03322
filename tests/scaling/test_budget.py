"""Several knobs that keep a budget: what is shown is all of the grid that fits and that nothing beats."""

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
from support import needed

import costcalc
from costcalc.analysis.scaling.default_grid import axes_of, axis_text, free_knobs, step_of
from costcalc.cli.app import run
from costcalc.errors import CostcalcError, NothingFits, UnknownName, UsageError
from costcalc.spec.spec_tree import Knob


def front_by_hand(target, axes, budget):
    """How many points fit, and those of them of which no other has as much of every knob and more of one."""
    fitting = []
    for point in itertools.product(*axes.values()):
        try:
            cost = costcalc.load(target, **dict(zip(axes, point, strict=True))).cost()
        except CostcalcError:
            continue
        costs = {"weight_bytes": 4 * (cost.params + cost.total("buffers")), **cost.totals}
        if all(costs[name] <= most for name, most in budget.items()):
            fitting.append(point)
    beaten = [
        a for a in fitting if any(a != b and all(x <= y for x, y in zip(a, b, strict=True)) for b in fitting)
    ]  # fmt: skip
    return len(fitting), {*fitting} - {*beaten}


@pytest.mark.parametrize(
    ("target", "grid", "budget"),
    [
        ("mobilenet_v2", {"r": range(96, 257, 32), "w": "0.35:1.4:0.15"}, {"macs": 250_000_000}),
        (
            "efficientnet", {"r": [128, 192, 224], "d": [1, 1.1, 1.5], "w": "0.8:1.2:0.1"},
            {"macs": 400_000_000, "params": 6_000_000},
        ),
        ("lenet5", {"c1": range(2, 9), "c2": [8, 16, 24]}, {"weight_bytes": 300_000, "macs": 500_000}),
    ],
)  # fmt: skip
def test_what_fits_and_what_nothing_beats(target, grid, budget):
    found = costcalc.scale(target, [*grid], grid=grid, **budget)
    fits, front = front_by_hand(target, found.found.grid.axes, budget)
    assert 0 < len(front) < fits < found.found.grid.size
    records = found.to_records()
    assert found.points_within == fits
    assert {tuple(row[name] for name in grid) for row in records} == front
    assert len(records) == len(front)
    for row in records:
        assert row["macs"] == costcalc.load(target, **{name: row[name] for name in grid}).cost().macs


def test_the_most_even_growth_comes_first():
    rows = costcalc.scale("efficientnet", macs=10**9, grid={"r": "224:320:16", "d": "1:2:0.1", "w": "1:1.5:0.1"})
    logs = {"r": np.log(1.15), "d": np.log(1.2), "w": np.log(1.1)}
    now = {"r": 224, "d": 1, "w": 1}
    least = [sorted(np.log(float(row[k] / Fraction(now[k]))) / logs[k] for k in logs) for row in rows.to_records()]
    assert least == sorted(least, reverse=True)
    first = rows.to_records()[0]
    assert [first[k] for k in "rdw"] == [256, Fraction(3, 2), Fraction(11, 10)]
    assert "by the smallest φ that r, d and w imply, the largest first" in rows.notes()[0]
    three = costcalc.scale("efficientnet", macs=10**9, grid=dict(rows.found.grid.axes), top=3)
    assert three.to_records() == rows.to_records()[:3]


def test_widths_that_must_be_thirty_seconds():
    """MobileNet v1 rounds nothing: 32·w is a whole number."""
    found = costcalc.scale("mobilenet_v1", "w", macs=300_000_000)
    assert (found.value, found.after) == (Fraction(23, 32), Fraction(24, 32))
    macs = [costcalc.load("mobilenet_v1", w=w).cost().macs for w in (found.value, found.after)]
    assert macs[0] <= 300_000_000 < macs[1]
    assert "largest w among multiples of 1/32 up to 3125 with macs ≤ 300,000,000" in found.table().notes
    axis = axes_of(costcalc.load("mobilenet_v1"), ["w"])["w"]
    assert axis == tuple(Fraction(i, 32) for i in range(4, 65))


FALLING = """
name: falling
title: t
source: s
knobs: {k: 9}
input: [3, 12, 12]
layers:
  - conv: {channels: 4, kernel: k}
"""


def test_points_without_a_network_are_counted_apart(tmp_path):
    path = tmp_path / "falling.yaml"
    path.write_text(FALLING.replace("[3, 12, 12]", "[3, n, n]").replace("{k: 9}", "{k: 9, n: 12}"))
    found = costcalc.scale(str(path), "n,k", grid={"n": range(4, 10), "k": range(1, 10)}, macs=1000)
    assert (found.found.grid.size, found.found.invalid) == (54, sum(max(0, 9 - n) for n in range(4, 10)))
    assert found.points_within == front_by_hand(str(path), found.found.grid.axes, {"macs": 1000})[0]
    assert "15 points are invalid: " in "\n".join(found.notes())


def test_beyond_what_bisection_finds(tmp_path):
    """(13 − k)²·k² grows up to k = 6 and falls from 7 on, and 13 does not fit."""
    path = tmp_path / "falling.yaml"
    path.write_text(FALLING)
    found = costcalc.scale(str(path), "k", macs=12 * 10**3)
    macs = {k: costcalc.load(str(path), k=k).cost().macs for k in range(1, 13)}
    assert macs == {k: 12 * (13 - k) ** 2 * k**2 for k in range(1, 13)}
    assert found.value == max(k for k, cost in macs.items() if cost <= 12 * 10**3) == 12
    assert found.after is None
    falls = costcalc.scale(str(path), "k", macs=12 * 150)
    assert (falls.value, macs[1]) == (12, 1728)
    path.write_text(FALLING.replace("{k: 9}", "{k: {default: 9, min: 5}}"))
    assert costcalc.scale(str(path), "k", macs=12 * 150).value == 12  # from 5 to 11 none fits
    assert [row["k"] for row in found.to_records()] == [12]
    assert found.table().rows[0]["what"] == "fits"


DEEP = """
name: deep
title: t
source: s
knobs: {d: {default: 0, min: 0}, w: 3, r: 4}
input: [w, r, r]
layers:
  - conv: {channels: w, kernel: 1}
  - repeat: {times: d, layers: [conv: {channels: w, kernel: 1}]}
"""


def test_from_no_layer_on(tmp_path):
    """A knob may be 0, which does not double and has no logarithm."""
    path = tmp_path / "deep.yaml"
    path.write_text(DEEP)
    found = costcalc.scale(str(path), "d", macs=16 * 9 * 8)
    assert (found.value, found.least, found.after) == (7, 7, 8)
    assert [step_of(Knob("d", 0)), step_of(Knob("d", 0, "real"))] == [1, Fraction(1, 20)]
    front = costcalc.scale(str(path), macs=1000, grid={"d": [0, 1, 2], "w": [1, 2, 3], "r": [4, 8]})
    assert front.order == ", by the smallest φ that w and r imply, the largest first"
    with pytest.raises(UsageError, match="d is 0 at some points, which has no logarithm"):
        costcalc.sweep(str(path), d="0:3:1", w="1:4:1").fit()


# ---- which knobs, and which values of them


@pytest.mark.parametrize(
    ("target", "knobs"),
    [
        ("efficientnet", "r d w"), ("efficientnet_b3", "r d w"), ("efficientnet@r=192", "d w"),
        ("efficientnet_b3@r=192", "d w"), ("mobilenet_v2", "r w"), ("alexnet", "r"), ("lenet5", "r c_in c1 c2"),
        ("resnet50@n3=8", "r n2 n4 n5"),
    ],
)  # fmt: skip
def test_what_is_free_if_nobody_says(target, knobs):
    assert free_knobs(costcalc.load(target)) == knobs.split()


@pytest.mark.parametrize(
    ("kind", "default", "step"),
    [
        ("integer", 224, 8), ("integer", 32, 1), ("integer", 1, 1), ("integer", 40, 2), ("integer", 1000, 32),
        ("real", 1, Fraction(1, 20)), ("real", Fraction(1, 2), Fraction(1, 50)), ("real", 25, 1),
        ("real", Fraction(1, 1000), Fraction(1, 1000)), ("real", 200, 10),
    ],
)  # fmt: skip
def test_steps_are_round_and_a_twentieth_at_most(kind, default, step):
    assert step_of(Knob("k", default, kind)) == step


def test_the_grid_of_efficientnet():
    axes = axes_of(costcalc.load("efficientnet"), ["r", "d", "w"])
    presets = {"r": {224, 240, 260, 300, 380, 456, 528, 600}, "d": {1, Fraction(31, 10)}, "w": {1, 2}}
    for name, (low, high, step) in {"r": (112, 1200, 8), "d": (0.5, 6.2, 0.05), "w": (0.5, 4, 0.05)}.items():
        values, step = axes[name], Fraction(str(step))
        assert (values[0], values[-1]) == (Fraction(str(low)), Fraction(str(high)))
        assert [*values] == sorted({*values})
        assert presets[name] <= {*values}
        steps = {value for value in values if value % step == 0}
        assert len(steps) == (Fraction(str(high)) - Fraction(str(low))) / step + 1
        assert {*values} - steps <= presets[name]
    assert axis_text("r", axes["r"]) == "r = 112, 120, … 1200 (140 values)"
    assert axis_text("w", (1, Fraction(11, 10))) == "w = 1, 1.1"
    low = axes_of(costcalc.load("efficientnet@r=40"), ["r"])["r"]
    assert low[0] == 32  # what the knob has at least


def test_the_answer_says_what_was_looked_through(capsys):
    budget, grid = ["--max", "macs=400M", "--max", "params=6M"], ["--grid", "r=192,224", "--grid", "d=1"]
    assert run(["scale", "efficientnet", *budget, *grid, "--grid", "w=1,1.1"]) == 0
    out = capsys.readouterr().out
    assert "2 of 4 points have macs ≤ 400,000,000, params ≤ 6,000,000; no other of them has more r, more d" in out
    assert "looked through: r = 192, 224; d = 1; w = 1, 1.1\n" in out
    assert "r = 224 is the last that was looked at: there may be more with --grid" in out
    assert "along the compound line" in out
    assert run(["scale", "mobilenet_v2", "--max", "macs=300M", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["points"] == len(document["axes"]["r"]) * len(document["axes"]["w"])
    assert document["front"] == len(document["rows"])
    assert document["compound"] is None


def test_a_budget_below_the_base_has_a_front_and_no_compound_line():
    found = costcalc.scale("efficientnet", macs=200_000_000, grid={"r": [160], "d": [1], "w": [1]})
    assert found.compound is None
    assert any("along the compound line: no φ keeps this budget: at φ = 0" in note for note in found.notes())
    assert len(found.tables()) == 1
    assert len(costcalc.scale("efficientnet", macs=10**9, grid={"r": [160], "d": [1], "w": [1]}).tables()) == 2


def test_one_free_knob_is_solved_for():
    assert costcalc.scale("mobilenet_v2@r=192", macs=300_000_000).value == Fraction(1111, 1000)
    assert costcalc.scale("mobilenet_v2", free="w", macs=np.int64(300_000_000)).budget == {"macs": 300_000_000}


def test_a_notebook_and_pandas_see_it():
    needed.module("pandas", "pandas")
    found = costcalc.scale("mobilenet_v1", macs=3e8)
    assert repr(found).startswith("<costcalc.Fitting mobilenet_v1: ")
    assert found._repr_html_().count("<table>") == 1
    frame = found.to_pandas()
    assert frame["macs"].tolist() == [row["macs"] for row in found.to_records()]
    assert frame["w"].dtype == float


# ---- what is refused


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("efficientnet", "no budget to keep; give one, as in --max macs=300M"),
        ("efficientnet --max macs=1M", "no point of the grid keeps this budget: at r = 112, d = 0.5, w = 0.5, the "
         "smallest, it has macs = 20,606,784; look lower with --grid"),
        ("resnet --max macs=4G", "which knobs of resnet are free? any of r, n2, n3, n4, n5 could be; "
         "say so as in --free r"),
        ("alexnet@r=200 --max macs=4G", "all of its knobs are set; say so as in --free r"),
        ("efficientnet --max macs=1G --free r,x", "unknown knob 'x'"),
        ("efficientnet --max macs=1G --free r,r", "r is free twice"),
        ("efficientnet --max macs=1G --free r,w --fix w=1", "w is both free and fixed; give one of --free and --fix"),
        ("efficientnet --max macs=1G --grid w=1,2 --fix w=1", "w is both free and fixed; give one of --free and --fix"),
        ("resnet --max macs=1G --free block", "knob 'block' of"),
        ("efficientnet --max macs=1G --free r,w --grid d=1", "--grid has values of d, which is not free"),
        ("efficientnet --max macs=1G --grid r=300:200:8", "goes down"),
        ("efficientnet --max macs=1G --free r --top 3", "only r is free"),
        ("efficientnet --max macs=1G --free r --alpha 1.1", "only r is free"),
        ("efficientnet --max macs=1G --grid r=32:9999:1 --grid w=0.001:4:0.001", "are more than the 20,000,000 that"),
        ("efficientnet --max macs=1G --alpha nan", "alpha=nan: unknown name 'nan'"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"scale {words}", message)


def test_what_python_refuses():
    for error, call in (
        (UsageError, lambda: costcalc.scale("efficientnet", macs=float("nan"))),
        (UsageError, lambda: costcalc.scale("efficientnet", macs="much")),
        (UnknownName, lambda: costcalc.scale("efficientnet", mac=1)),
        (NothingFits, lambda: costcalc.scale("mobilenet_v1", macs=-1)),
        (UnknownName, lambda: costcalc.scale("efficientnet", macs=1, grid={"x": [1]})),
    ):
        with pytest.raises(error):
            call()
