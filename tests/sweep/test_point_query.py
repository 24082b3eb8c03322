"""Choices that meet: the best of a front, the next step where there is no network, numbers at the ends of what is
allowed."""

import cProfile
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from support import needed
from support.confined import calls

import costcalc
from costcalc.analysis.metric_limits import read_budget
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.power_laws import knob_exponents
from costcalc.analysis.scaling.default_grid import axes_of
from costcalc.analysis.scaling.phi import CompoundLaw
from costcalc.analysis.sweep.grid import Grid, given_axes
from costcalc.analysis.sweep.point_query import read_query
from costcalc.analysis.sweep.sweep import sweep
from costcalc.cli import run
from costcalc.dims.exact_array import ExactArray
from costcalc.errors import ShapeError, UnknownName, UsageError
from costcalc.report.page.page import sweep_page
from costcalc.spec.spec_tree import Knob
from costcalc.text import time_text

NET, NET_V1 = costcalc.load("mobilenet_v2"), costcalc.load("mobilenet_v1")


def beaten(a, b):
    """Is b as good as a in r, more being better, and in macs, and better in one?"""
    return b["r"] >= a["r"] and b["macs"] <= a["macs"] and (b["r"], b["macs"]) != (a["r"], a["macs"])


@pytest.mark.parametrize("block", [1, 2, 3, 4, 100])
def test_the_best_of_a_front_is_that_of_the_whole_front_whatever_the_blocks(block):
    """The two best of the first four points are both beaten by the last: the best of fronts would be one point."""
    grid = Grid(given_axes({"w": [1, 0.35], "r": [32, 64, 96, 160]}, NET.knobs, NET.name))
    choice = read_query(NET.knobs, ["w", "r"], where="w == 1 or r == 160", pareto="r,macs", top=2, by="-macs")
    found = sweep(NET, grid, choice, points=(block, block)).to_records()
    points = [{"r": r, "macs": NET.with_knobs(w=w, r=r).cost().macs} for w, r in product(*grid.axes.values())]
    points = points[:4] + points[-1:]
    front = [a for a in points if not any(beaten(a, b) for b in points)]
    wanted = sorted(front, key=lambda point: -point["macs"])[:2]
    assert [point["macs"] for point in found] == [point["macs"] for point in wanted]
    assert [point["r"] for point in found] == [160, 64]


@pytest.mark.parametrize("top", [0, -3])
def test_the_best_none_is_refused(top):
    with pytest.raises(UsageError, match=f"the best {top}: keep 1 or more"):
        costcalc.sweep("lenet5", r=[32, 64], top=top)
    with pytest.raises(UsageError, match=f"--top must be at least 1, got {top}"):
        costcalc.scale("efficientnet", macs=400_000_000, top=top)


def test_a_largest_phi_beyond_which_there_is_no_network_has_no_next_step(tmp_path):
    path = tmp_path / "narrow.yaml"
    path.write_text(
        "name: narrow\ntitle: t\nsource: s\nknobs: {r: {default: 90, max: 100}, d: {default: 1, kind: real}, "
        "w: {default: 1, kind: real}}\ninput: [3, r, r]\nlayers:\n"
        "  - conv: {channels: ceil(8*w), kernel: 3, padding: 1}\n"
        "  - repeat: {times: ceil(2*d), layers: [conv: {channels: ceil(8*w), kernel: 3, padding: 1}]}\n"
    )
    found = costcalc.compound(str(path), macs=10**12)
    assert found.after is None
    assert costcalc.load(str(path), **{k: v for k, v in found.model.values.items() if k in "rdw"}).cost().macs < 10**12
    assert [row["what"] for row in found.to_records()] == ["base", "fits"]


def test_times_that_are_not_all_known_have_no_exponent():
    lookup = {32: 0.1, 64: None, 96: 0.3, 128: 0.4}
    found = costcalc.sweep("lenet5", r=[*lookup], metrics="macs,seconds", seconds=lambda net: lookup[net.values["r"]])
    assert [row["metric"] for row in found.fit().rows] == ["macs"]
    assert "not timed at some points" in " ".join(found.fit().table().notes)


def test_seconds_without_anyone_who_looks_are_refused_before_anything_is_counted():
    with pytest.raises(UsageError, match="seconds are measured, not counted"):
        costcalc.sweep("lenet5", r=range(32, 500_000), metrics="seconds")


def test_a_budget_with_a_fraction_is_that_of_whole_numbers():
    assert "macs ≤ 333,333,333" in costcalc.scale("mobilenet_v2", "w", macs=1e9 / 3).table().notes[0]


def test_a_power_beyond_floats_is_still_a_number():
    law = CompoundLaw(3, 1, 1)
    assert law.at(costcalc.load("efficientnet"), 500)["d"] == pytest.approx(3**500)
    assert law.at(costcalc.load("efficientnet"), 1000)["d"] > 3**999


def test_points_at_which_a_size_is_no_whole_number_are_left_out_and_counted():
    """32·w channels of MobileNet v1 are whole at every 32nd."""
    found = costcalc.sweep("mobilenet_v1", w="0.25:1:0.05", r=[128])
    assert [float(row["w"]) for row in found.to_records()] == [0.25, 0.5, 0.75, 1]
    for row in found.to_records():
        assert row["macs"] == costcalc.load("mobilenet_v1", w=row["w"], r=128).cost().macs
    assert (found.invalid, found.reason) == (12, "conv: channels must come out whole, and 32*w = 9.6")
    with pytest.raises(ShapeError, match=r"all points are invalid: conv: channels must come out whole"):
        costcalc.sweep("mobilenet_v1", w=[0.3, 0.4])


def test_columns_that_are_not_all_whole_are_never_counted_as_if_they_were():
    with pytest.raises(ShapeError, match=r"must come out whole, and 32\*w = 9.6"):
        NET_V1.with_knobs(w=ExactArray.of([Fraction(1), Fraction(3, 10)])).cost()


def test_a_break_even_is_looked_for_at_every_value_that_both_take():
    """MobileNet v1 is a network at every 32nd of w, and EfficientNet anywhere."""
    (crossing,) = costcalc.break_even("efficientnet", "mobilenet_v1", "w").crossings
    assert crossing == Fraction(10, 32)
    for n, more in ((9, True), (10, False)):
        first, second = (costcalc.load(name, w=Fraction(n, 32)).cost() for name in ("efficientnet", "mobilenet_v1"))
        assert (first.macs > second.macs) == more


def test_a_budget_may_be_written_with_a_power_of_ten():
    assert read_budget(["macs=4e8"]) == read_budget(["macs=400M"])


def test_a_knob_that_is_no_number_is_not_unknown():
    with pytest.raises(UnknownName, match="knob 'block' of resnet50 is not numeric; numeric ones: r, "):
        costcalc.scale("resnet50", "block", macs=4_000_000_000)


def test_presets_of_which_nothing_was_published_have_no_column_for_it(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\ntitle: t\nsource: s\nknobs: {r: 8}\npresets: {mine_9: {r: 9}, mine_10: {r: 10}}\n"
        "input: [3, r, r]\nlayers:\n  - conv: {channels: 4, kernel: 3}\n"
    )
    table = costcalc.sweep_presets(str(path)).table()
    assert [column.key for column in table.columns] == ["preset", "r", "params", "macs"]
    assert not any("published" in note for note in table.notes)


def test_going_on_and_starting_anew_are_two_things(capsys, tmp_path):
    assert run(["sweep", "lenet5", "r=32:64:1", "-o", str(tmp_path / "a.csv"), "--resume", "--restart"]) == 2
    assert "--resume goes on and --restart starts anew: give one of them" in capsys.readouterr().err


def test_a_largest_phi_after_which_a_layer_does_not_fit_has_no_next_step(tmp_path):
    """The next network can be bound, and is none all the same: its kernel grows past its input."""
    path = tmp_path / "wide.yaml"
    path.write_text(
        "name: wide\ntitle: t\nsource: s\nknobs: {r: 8, d: {default: 1, kind: real}, w: {default: 1, kind: real}}\n"
        "input: [3, 16, 16]\nlayers:\n  - conv: {channels: 'ceil(4*w)', kernel: 'ceil(r*d)'}\n"
    )
    found = costcalc.compound(str(path), macs=10**9)
    assert found.after is None
    assert {row["what"] for row in found.to_records()} == {"base", "fits"}


FROM_NOTHING = """
name: nothing
title: t
source: s
knobs: {d: {default: 1, min: 0, kind: real}, w: {default: 1, min: 0, kind: real}, r: 16}
presets: {a: {d: 1, w: 1}, b: {d: 0, w: 2}}
input: [3, r, r]
layers:
"""
LAYERS = {
    "no MACs": "  - relu\n",
    "some": "  - repeat: {times: ceil(2*d), layers: [conv: {channels: 3, kernel: 1}]}\n"
    "  - conv: {channels: 'ceil(8*w) + 1', kernel: 1}\n",
}


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("set_to", ["", "@d=0", "@d=0,w=0"])
def test_what_is_set_to_nothing_has_no_law(tmp_path, layers, set_to):
    """A knob of 0 has no multiples, and no share of no MACs is an error: neither is divided by."""
    needed.module("matplotlib", "report")
    path = tmp_path / "nothing.yaml"
    path.write_text(FROM_NOTHING + LAYERS[layers])
    net = costcalc.load(f"{path}{set_to}")
    presets = costcalc.sweep_presets(net)
    assert all(table._repr_html_() for table in presets.tables())
    assert {row.get("phi_d") for row in presets.to_records()} == ({None} if set_to else {0.0, None})
    assert {row.get("law", 0) for row in presets.to_records() if not row["macs"]} <= {0}
    curve = costcalc.sweep(net, d=[0, 1, 2]).chart()
    lines = [len(lines) for axis, lines in curve.panels if axis.title == "MACs"]
    assert lines == [1 if set_to else 2]
    assert {*knob_exponents(net)} == {"d", "w", "r"} - {*(name for name in "dw" if f"{name}=0" in set_to)}
    if set_to:
        assert sweep_page(net, {"d": (0, 1), "w": (0, 1), "r": (8, 16)}).swept.front()


def named_macs(folder):
    (folder / "macs.yaml").write_text(
        "name: mine\ntitle: t\nsource: s\nknobs: {macs: 3, r: 9}\npresets: {a: {macs: 2}}\ninput: [macs, r, r]\n"
        "layers:\n  - conv: {channels: 4, kernel: 3}\n"
    )
    return costcalc.load(str(folder / "macs.yaml"))


@pytest.mark.parametrize(
    "asked",
    [
        lambda net: costcalc.sweep(net, macs=[1, 2]), lambda net: costcalc.sweep(net, r=[8, 9], where="macs < 1000"),
        lambda net: costcalc.sweep(net, r="8:9:1", pareto="macs"), lambda net: costcalc.scale(net, "macs", macs=10**9),
        lambda net: costcalc.histogram(net, r=[8, 9], where="macs < 1000"), costcalc.sweep_presets, sweep_page,
    ],
)  # fmt: skip
def test_a_knob_that_is_called_like_a_metric_is_not_mistaken_for_it(tmp_path, asked):
    net = named_macs(tmp_path)
    with pytest.raises(UsageError, match="macs is a knob here, and a metric too: give the knob another name"):
        asked(net)
    assert len(costcalc.sweep(net, r=[8, 9], where="params > 0", top=2)) == 2


def test_a_value_that_is_there_twice_is_found_at_once():
    """By its hash, and not by looking at all the others: Fractions, since their `==` is a call that is counted."""
    per_value = []
    for many in (500, 5_000):
        values = [*(Fraction(n, 100_003) for n in range(1, many + 1)), Fraction(many, 100_003)]
        with cProfile.Profile() as profile, pytest.raises(UsageError, match=f"w = {many}/100003 is there twice"):
            given_axes({"w": values}, {"w": Knob("w", 1, "real", 0)}, "x")
        per_value.append(calls(profile) / many)
    assert per_value[1] < 1.1 * per_value[0]


def test_values_that_can_be_read_once_and_numbers_that_pass_for_arrays():
    given = (r for r in (64, 128))
    assert costcalc.break_even("resnet50", "vgg16", "r", given).values == [64, 128]
    assert given_axes({"r": np.array(224)}, NET.knobs, NET.name) == {"r": (224,)}


def test_a_front_of_one_metric_is_drawn_beside_another():
    for metric, other in (("macs", "params"), ("params", "MACs"), ("activations", "MACs")):
        chart = costcalc.sweep("mobilenet_v2", r=[96, 128], w=[0.5, 1], pareto=metric).chart()
        assert {chart.x.title.lower(), chart.y.title.lower()} == {metric, other.lower()}


def test_a_real_knob_that_is_whole_is_said_to_be(tmp_path):
    path = tmp_path / "whole.yaml"
    path.write_text(
        "name: whole\ntitle: t\nsource: s\nknobs: {r: 8, w: {default: 4, min: 1, kind: real}}\ninput: [3, r, r]\n"
        "layers:\n  - conv: {channels: w, kernel: 1}\n"
    )
    net = costcalc.load(str(path))
    assert all(value == int(value) for value in axes_of(net, ["w"])["w"])
    found = costcalc.scale(net, "w", macs=10_000)
    assert (found.value, found.steps) == (52, "whole numbers")


def test_a_histogram_says_what_it_counts():
    for metric in ("peak_bytes", "traffic_bytes"):
        said = f"{METRICS[metric].title}: {METRICS[metric].brief}"
        assert costcalc.histogram("lenet5", metric, r=[32, 64]).table().notes[-1].startswith(said)


def test_a_page_leaves_out_the_points_that_are_no_networks(tmp_path):
    """A kernel of 4 does not fit into 3 pixels, and one of 5 not into 4: curves have gaps there, maps empty cells."""
    needed.module("matplotlib", "report")
    path = tmp_path / "tight.yaml"
    path.write_text(
        "name: tight\ntitle: t\nsource: s\nknobs: {k: 5, r: 9, c: 2}\ninput: [3, r, r]\n"
        "layers:\n  - conv: {channels: c, kernel: k}\n"
    )
    page = sweep_page(costcalc.load(f"{path}@k=5"), {"k": (3, 4), "r": (3, 5), "c": (1, 2)})
    assert [[value is None for value in curve.values[0]] for _, _, curve in page.curves] == [
        [False, False], [True, False], [False, False],
    ]  # fmt: skip
    assert [value is None for *_, over in page.maps[:1] for row in over.values for value in row] == [
        False, True, False, False,
    ]  # fmt: skip
    with pytest.raises(ShapeError, match="a window of 5 does not fit into 4"):
        sweep_page(costcalc.load(f"{path}@r=4")).html()


def test_one_minute_is_one():
    assert [time_text(seconds) for seconds in (5, 80, 100, 8000)] == ["1 minute", "1 minute", "2 minutes", "2 hours"]
