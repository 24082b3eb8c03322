"""A sweep that is asked for again is what it was, and the rules are not asked twice."""

import numpy as np
import pytest

import costcalc
from costcalc import dims, ops
from costcalc.analysis.sweep import sums_cache
from costcalc.analysis.sweep.grid import Grid, read_axes
from costcalc.analysis.sweep.partition import partitioned_sums
from costcalc.analysis.sweep.sums_cache import MAX_BYTES_OF_A_GRID, MAX_GRIDS, cached_sums
from costcalc.errors import CostcalcError

SPEC = """
name: mine
title: One layer, left out where r is small
source: made for a test
knobs: {r: 8, c: {default: 4, min: 1}}
input: [3, r, r]
layers:
  - conv: {channels: c, kernel: 5, when: r > 4}
  - conv: {channels: 3, kernel: 3}
"""


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """The grids of which the rules were asked, with nothing known before."""
    found = []
    monkeypatch.setattr(sums_cache, "_known", {})
    monkeypatch.setattr(
        sums_cache, "partitioned_sums", lambda *given: found.append(given[1]) or partitioned_sums(*given)
    )
    return found


def grid_of(net, *texts):
    return Grid(read_axes(texts, net.knobs, net.name))


def check(net, grid, metrics=("params", "macs")):
    """The cached sums are those of the rules, at each point and in the words for what is no network."""
    found, wanted = cached_sums(net, grid, metrics), partitioned_sums(net, grid, metrics)
    assert found.reason == wanted.reason
    (whole,) = grid.blocks(grid.size)
    found, wanted = found.at(whole), wanted.at(whole)
    assert np.array_equal(found.flat_valid(), wanted.flat_valid())
    for name in metrics:
        assert found.flat(name).dtype == wanted.flat(name).dtype, name
        assert np.array_equal(found.flat(name)[wanted.flat_valid()], wanted.flat(name)[wanted.flat_valid()]), name


def test_the_rules_are_asked_once_for_the_same_grid(asked):
    for target, texts in (("efficientnet", ["r=64:96:8", "w=1:2:0.1"]), ("mobilenet_v1", ["r=1:64:1"])):
        net = costcalc.load(target)
        for _ in range(3):
            check(net, grid_of(net, *texts))
    assert len(asked) == 2


def test_whatever_differs_is_asked_for_anew(tmp_path, asked):
    """Another setting, metric, value, order or bound, and another spec of the same name."""
    (tmp_path / "mine.yaml").write_text(SPEC)
    net = costcalc.load(str(tmp_path / "mine.yaml"))
    grids = [
        grid_of(net, *texts) for texts in (["r=2:9:1"], ["r=2,9"], ["c=2,9"], ["r=2,9", "c=1,2"], ["c=1,2", "r=2,9"])
    ]
    grids += [*grid_of(net, "r=2:9:1").blocks(4), grid_of(net, "r=9"), *grid_of(net, "r=9,2147483647").blocks(1)]
    for _ in range(2):
        for one in (net, net.with_knobs(c=5), net.with_dtype("float16")):
            for grid in grids:
                for metrics in (("macs",), ("weight_bytes", "macs")):
                    check(one, grid, metrics)
    (tmp_path / "mine.yaml").write_text(SPEC.replace("kernel: 3", "kernel: 1"))
    check(costcalc.load(str(tmp_path / "mine.yaml")), grids[0])
    assert len(asked) == 3 * len(grids) * 2 + 1


def test_ops_of_a_reader_are_asked_again(tmp_path, asked):
    (tmp_path / "mine.yaml").write_text(SPEC.replace("  - conv: {channels: 3, kernel: 3}", "  - mine"))
    factor = [1]
    try:

        @ops.op
        class Mine:
            """An op of a reader's.   s -> s"""

            needs, shape, weights = ops.no_needs, ops.same_shape_as_input, ops.no_weights
            elementwise, backward_macs, output = ops.free(""), ops.free(""), ops.VIEW
            train_elementwise, keeps = ops.gradients_move, ops.keeps_nothing

            def macs(self, x, *, out):
                return factor[0] * dims.elements(out)

        net = costcalc.load(str(tmp_path / "mine.yaml"))
        for factor[0] in (1, 2):
            check(net, grid_of(net, "r=8,9"))
    finally:
        ops.OPS.pop("mine", None)
    assert len(asked) == 2


def test_a_knob_that_is_an_array_is_no_reason_to_fail(asked):
    net = costcalc.load("mobilenet_v1").with_knobs(batch=np.array([4]))
    for _ in range(2):
        check(net, grid_of(net, "r=128,224"))
    assert len(asked) == 2


def test_few_and_small_sums_are_kept(asked, monkeypatch):
    net = costcalc.load("conv_normal")
    for channels in range(1, MAX_GRIDS + 9):
        cached_sums(net, Grid({"n_c_out": (channels,)}), ("macs",))
    assert len(sums_cache._known) == MAX_GRIDS
    monkeypatch.setattr(sums_cache, "MAX_BYTES_OF_A_GRID", 0)
    for _ in range(2):
        cached_sums(net, Grid({"n_c_out": (1, 2)}), ("macs",))
    assert len(asked) == MAX_GRIDS + 8 + 2
    assert MAX_BYTES_OF_A_GRID * MAX_GRIDS <= 2**28


def test_where_there_is_no_network_it_is_said_again(tmp_path, asked):
    (tmp_path / "mine.yaml").write_text(SPEC)
    net = costcalc.load(str(tmp_path / "mine.yaml"))
    for _ in range(2):
        with pytest.raises(CostcalcError, match="all points are invalid"):
            costcalc.sweep(net, r="1,2")
    assert len(asked) == 1
