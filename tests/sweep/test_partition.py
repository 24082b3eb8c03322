"""Grids whose points are not one network but for its sizes: every point is still the count of its own network."""

import itertools
import json
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support import needed
from support.sizes import size

import costcalc
from costcalc.analysis.metrics import COUNTED
from costcalc.analysis.sweep import partition
from costcalc.analysis.sweep.grid import Grid, given_axes
from costcalc.analysis.sweep.point_query import read_query
from costcalc.analysis.sweep.state import SweepState
from costcalc.analysis.sweep.sweep import sweep
from costcalc.analysis.sweep.totals import sums, totals_of
from costcalc.errors import CostcalcError, PointsDiffer, ShapeError, SpecError, UsageError
from costcalc.report.page.page import sweep_page
from costcalc.report.text_pictures import text_picture

SPECS = size(60, 1500)
SUMMED = tuple(name for name in COUNTED if name != "intensity")

HEAD = """
name: apart
title: Points that are other networks
source: made for a test
knobs:
  r: 16
  n: {default: 2, min: 0}
  c: 8
  w: {default: 1, kind: real}
  deep: {kind: flag, default: false}
  head: {kind: choice, choices: [linear, conv, none], default: linear}
sizes: {wide: "round_to(c*w, 4)", big: r > 20}
input: [3, r, r]
blocks:
  unit(channels, slim=false):
    - conv: {channels: channels, kernel: 1, bias: not slim}
    - relu: {when: not slim}
layers:
  - conv: {channels: 8, kernel: 3, padding: same, bias: false}
"""

LAYERS = [
    "conv: {channels: wide, kernel: 3, padding: same, when: r > 20}",
    "conv: {channels: wide, kernel: 1, when: r*w > 24 or n == 0}",
    "conv: {channels: 16 if w > 1 else c, kernel: 1}",
    "conv: {channels: 4, kernel: 5}",
    "conv: {channels: 2**n, kernel: 1}",
    "conv: {channels: n + c//n, kernel: 1}",
    "conv: {channels: 8*w, kernel: 1, bias: w > 1 and n > 0 and 4/n > 1}",
    "conv: {channels: n - 1, kernel: 1, when: \"head != 'none'\"}",
    "conv: {channels: 3, kernel: 3, padding: \"'same' if deep else 0\"}",
    "unit: {channels: c, slim: big}",
    "unit: {channels: 2*n + 1, slim: big == deep}",
    "repeat: {times: n, layers: [conv: {channels: 6, kernel: 1}, relu]}",
    "repeat: {times: n, layers: [max_pool: {kernel: 2, stride: 2, when: deep}, relu]}",
    "repeat: {times: n, layers: [max_pool: {kernel: 2, stride: 2}, repeat: {times: c//4, layers: [relu]}]}",
    "repeat: {times: floor(w*n), layers: [conv: {channels: wide, kernel: 3, padding: same}]}",
    "repeat: {times: n, layers: [conv: {channels: 2, kernel: 3, when: big}, tanh: {when: not big}]}",
    "add: [[conv: {channels: 8, kernel: 1}], [conv: {channels: 8 if n < 2 else c, kernel: 1}]]",
    "concat: {branches: [[], [conv: {channels: c, kernel: 1, when: deep}]], axis: 2 if n > 1 else 1}",
    "group: {when: \"head == 'conv'\", layers: [conv: {channels: 7, kernel: 1}, batch_norm]}",
]
VALUES = {
    "r": [3, 8, 16, 21, 24, 32, 33], "n": [0, 1, 2, 3, 5], "c": [4, 6, 8, 9, 16], "w": ["0.5", "0.75", "1", "1.25"],
    "deep": [True, False], "head": ["linear", "conv", "none"],
}  # fmt: skip


def written(tmp_path, layers, name="apart.yaml"):
    """The network of a spec with these layers."""
    path = tmp_path / name
    path.write_text(HEAD + "".join(f"  - {layer}\n" for layer in layers))
    return costcalc.load(str(path))


def drawn(rng, tmp_path):
    """A network of some of the layers, and values of some of its knobs."""
    layers = rng.sample(LAYERS, rng.randint(1, 4))
    ends = ["flatten", "linear: {features: 10, when: \"head == 'linear'\"}"] if rng.random() < 0.5 else []
    knobs = rng.sample([*VALUES], rng.randint(1, 4))
    return written(tmp_path, layers + ends), {
        k: rng.sample(VALUES[k], rng.randint(1, min(4, len(VALUES[k])))) for k in knobs
    }


def one_by_one(net, axes, metrics=SUMMED):
    """Every point of a grid that is a network, with what that network costs."""
    found = []
    for point in itertools.product(*axes.values()):
        at = dict(zip(axes, point, strict=True))
        try:
            found.append({**at, **totals_of(net.at(at), metrics)})
        except CostcalcError:
            continue
    return found


def swept(net, axes, points=None, metrics=SUMMED, **choice):
    """The points of a grid, worked out in chunks and blocks of so many."""
    return sweep(net, Grid(axes), read_query(net.knobs, [*axes], **choice), metrics=metrics, points=points)


@pytest.mark.sized
def test_every_point_is_its_own_network(tmp_path):
    rng, kept, left_out = random.Random(1), 0, 0
    for _ in range(SPECS):
        net, given = drawn(rng, tmp_path)
        axes = given_axes(given, net.knobs, net.name)
        wanted, grid = one_by_one(net, axes), Grid(axes)
        for points in ((4096, 4096), (rng.randint(1, 9), rng.randint(1, 9))):
            if not wanted:
                with pytest.raises(ShapeError, match="all points are invalid"):
                    swept(net, axes, points)
                continue
            found = swept(net, axes, points)
            assert found.to_records() == wanted, given
            assert found.invalid == grid.size - len(wanted)
        kept, left_out = kept + len(wanted), left_out + grid.size - len(wanted)
    assert kept > left_out > SPECS // 2


SMALL = [
    "conv: {channels: 16 if w > 1 else c, kernel: 1, when: r > 20}",
    "repeat: {times: n, layers: [max_pool: {kernel: 2, stride: 2}, relu]}",
    "flatten", "linear: {features: 10, when: \"head == 'linear'\"}", "conv: {channels: 3, kernel: 1, when: deep}",
]  # fmt: skip
GIVEN = {"head": "linear,none", "deep": [False], "r": "16:33:1", "n": [0, 2, 1], "w": "0.5,1.5"}


@pytest.fixture
def small(tmp_path):
    net = written(tmp_path, SMALL)
    axes = given_axes(GIVEN, net.knobs, net.name)
    return net, axes, one_by_one(net, axes)


def test_what_a_sweep_keeps_is_chosen_from_every_point(small):
    net, axes, every = small
    for points in (None, (50, 7)):
        where = "params > 3000 and (head == 'none' or r % 2 == 0) and not deep"
        wanted = [p for p in every if p["params"] > 3000 and (p["head"] == "none" or p["r"] % 2 == 0)]
        assert swept(net, axes, points, where=where).to_records() == wanted != []
        best = sorted(every, key=lambda p: -p["macs"])[:5]  # of equal ones the first
        assert swept(net, axes, points, top=5, by="-macs").to_records() == best
        front = swept(net, axes, points, pareto="macs,r,n").to_records()
        assert front == [p for p in every if not any(beats(other, p) for other in every)]


def beats(a, b):
    """Is a as good in fewer MACs, more r and more n, and better in one?"""
    a, b = ((-p["macs"], p["r"], p["n"]) for p in (a, b))
    return a != b and all(x >= y for x, y in zip(a, b, strict=True))


def test_files_histograms_and_workers_have_every_point(small, tmp_path, monkeypatch):
    net, _, every = small
    monkeypatch.setattr("costcalc.sweep_files.request.CHUNK_POINTS_OF_ALL_ROWS", 100)
    monkeypatch.setattr("costcalc.sweep_files.request.BLOCK_POINTS", 30)
    monkeypatch.setattr("costcalc.analysis.sweep.chunks.CHUNK_POINTS", 100)
    monkeypatch.setattr("costcalc.analysis.sweep.chunks.BLOCK_POINTS", 30)
    counts = costcalc.histogram(net, "macs", **GIVEN).rows
    assert [n for low, high, n in counts] == [sum(low <= p["macs"] < high for p in every) for low, high, _ in counts]
    with ThreadPoolExecutor(2) as threads:
        assert costcalc.sweep(net, **GIVEN, metrics=SUMMED, executor=threads).to_records() == every
    texts = set()
    for resume in (False, True):
        path = tmp_path / f"{resume}.csv"
        costcalc.write_sweep(net, path, metrics=SUMMED, resume=resume, **GIVEN)
        texts.add(path.read_text())
    (text,) = texts
    rows = [line.split(",") for line in text.splitlines()]
    assert rows[0] == [*every[0]]
    assert rows[1:] == [[csv_text(value) for value in point.values()] for point in every]


def csv_text(value):
    return (
        str(value).lower() if isinstance(value, bool) else str(value if isinstance(value, str | int) else float(value))
    )


def test_parquet_and_journals_keep_flags_and_words(small, tmp_path):
    parquet = needed.module("pyarrow.parquet", "parquet")
    net, _, every = small
    path = tmp_path / "a.parquet"
    costcalc.write_sweep(net, path, metrics="macs", resume=True, **GIVEN)
    rows = parquet.read_table(path).to_pylist()
    assert rows == [{**{k: p[k] for k in GIVEN}, "w": float(p["w"]), "macs": p["macs"]} for p in every]
    state = SweepState([costcalc.sweep(net, **GIVEN).points])
    again = SweepState.from_json(json.loads(json.dumps(state.to_json())))
    assert {k: v.tolist() for k, v in again.points.columns.items()} == {
        k: v.tolist() for k, v in state.points.columns.items()
    }


def test_pictures_and_pages_of_flags_and_words(small, tmp_path):
    needed.module("matplotlib", "report")
    net, _, _ = small
    alone = costcalc.sweep(net, head="linear,conv,none")
    assert all(f">{word}</text>" in alone.chart().svg() for word in ("linear", "conv", "none"))
    assert "head          linear, conv, none" in [*text_picture(alone, None, 80)]
    both = costcalc.sweep(net, deep=[True, False], r=range(8, 40))
    assert ">false</text>" in both.chart().svg()
    assert any("true" in line and "false" in line for line in text_picture(both, None, 80))
    found = costcalc.sweep(net, head="linear,none", r="16:33:1", pareto="macs,r")
    assert "no other is better" in found.chart().svg()
    page = sweep_page(net, given_axes({"head": "linear,conv", "r": "16:33:1"}, net.knobs, net.name)).html()
    assert "head linear or conv" in page
    assert "Without a slider, as they are set: r = 16" in page and "head = linear" in page
    assert "<array" not in page


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"head": "linear,conv", "top": 2, "by": "head"}, "head is a choice, of which no value is more than another"),
        ({"deep": [True, False], "pareto": "macs,deep"}, "deep is a flag, of which no value is more than another"),
        ({"head": "linear:conv:1"}, "head is not numeric; give values with commas, as in head=linear,conv,none"),
        ({"deep": "true:false:1"}, "give values with commas, as in deep=true,false"),
        ({"head": ["lineal"]}, "knob 'head' is one of linear, conv, none, got 'lineal'; did you mean 'linear'?"),
        ({"head": "conv,conv"}, "head = conv is there twice"),
        ({"head": "linear,conv", "where": "head == 'cnv'"}, "knob 'head' is one of linear, conv, none, got 'cnv'"),
    ],
)
def test_what_is_no_order_of_flags_and_words(small, given, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        costcalc.sweep(small[0], **given)


def test_flags_and_words_have_no_exponent(small):
    with pytest.raises(UsageError, match="head is not numeric, and has no exponent"):
        costcalc.sweep(small[0], head="linear,none", r="16:33:1").fit()
    one = costcalc.sweep(small[0], head="linear,none", r="16:33:1", where="head == 'none'").fit()
    assert one.knobs == ("r",)


def test_points_that_are_no_network_are_left_out_with_the_reason_of_the_first(tmp_path):
    net = written(tmp_path, ["conv: {channels: n - 1, kernel: 1}", "conv: {channels: 8, kernel: 9, when: r < 20}"])
    found = costcalc.sweep(net, r=[24, 8], n=[3, 1])
    assert [(p["r"], p["n"]) for p in found.to_records()] == [(24, 3)]
    assert found.how_many()[1].startswith("3 points are invalid: ")
    assert found.reason.endswith("conv: channels must be a whole number from 1 to 2^31, got 0")


@pytest.mark.parametrize("layer", LAYERS)
def test_no_column_is_shown_to_a_reader_who_hands_one_in(tmp_path, layer):
    net = written(tmp_path, [layer])
    for knob, values in VALUES.items():
        if knob in net.size_knobs:
            column = np.array([float(v) for v in values]) if knob == "w" else np.array(values)
            assert "<array" not in refusal(net.with_knobs(**{knob: column}))


def refusal(net):
    """Why a network cannot be counted; nothing if it can."""
    try:
        net.cost()
    except (ShapeError, SpecError) as error:
        return str(error)
    return ""


def test_points_that_differ_are_said_to_where_nothing_counts_them_apart(tmp_path):
    net = written(tmp_path, ["repeat: {times: n, layers: [max_pool: {kernel: 2, stride: 2}]}"])
    with pytest.raises(PointsDiffer, match="times of a body that changes its shape differ between points"):
        net.with_knobs(n=np.array([1, 2])).cost()
    assert net.with_knobs(n=np.array([2, 2])).cost().macs == net.with_knobs(n=2).cost().macs


def test_a_condition_on_two_knobs_is_cut_as_little_as_can_be(tmp_path, monkeypatch):
    """r·w > 24 over 30 values of r and 3 of w holds at none, one or two of these: of three sorts of r two are cut."""
    asked = []
    monkeypatch.setattr(partition, "sums", lambda *given: asked.append(given[1].shape) or sums(*given))
    net = written(tmp_path, ["conv: {channels: 4, kernel: 1, when: r*w > 24}"])
    found = costcalc.sweep(net, r="16:45:1", w="0.5,1,1.25", metrics=SUMMED)
    assert len(found) == 90
    assert len(asked) == 1 + 3 + 2 * 2


NESTED = """name: nested
title: Repeats in repeats, each of which changes its shape
source: made for a test
knobs: {n: {default: 3, min: 0}, b: {default: 2, min: 0}}
input: [3, 8, 8]
layers:
  - repeat: {times: n, layers: [concat: [[], [relu]], repeat: {times: b, layers: [concat: [[], [relu]]]}]}
"""


@pytest.mark.parametrize(
    "axes", [{"b": [1, 2]}, {"b": [1]}, {"n": [1, 2], "b": [0, 1]}, {"n": range(4), "b": range(3)}]
)
def test_repeats_in_repeats_that_change_the_shape(tmp_path, axes):
    path = tmp_path / "nested.yaml"
    path.write_text(NESTED)
    for row in costcalc.sweep(str(path), **axes, metrics="elementwise,peak_bytes").to_records():
        cost = costcalc.load(str(path), **{name: row[name] for name in axes}).cost()
        assert row["elementwise"] == cost.total("elementwise")
