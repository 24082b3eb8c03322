"""Whole networks on columns: what the ints say at every point, beyond what a machine word holds too."""

import random

import numpy as np
import pytest

import costcalc
from costcalc import load, ops
from costcalc.analysis.cost import TOTALS
from costcalc.errors import CostcalcError, ShapeError, UsageError

KNOBS = {
    "efficientnet": ("r", "d", "w"), "mobilenet_v2": ("r", "w"), "googlenet": ("r", "classes"), "vgg": ("r", "classes"),
    "resnet": ("r", "batch"),
}  # fmt: skip


def some(rng, name):
    """A value of a knob: images up to 600, multipliers with two digits."""
    return {"r": rng.randint(64, 600), "classes": rng.randint(2, 10**6), "batch": rng.randint(1, 10**9)}.get(
        name, round(rng.uniform(0.3, 3), 2)
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("target", KNOBS)
def test_a_column_is_its_ints(target):
    rng = random.Random(target)
    points = [{name: some(rng, name) for name in KNOBS[target]} for _ in range(5)]
    column = load(target, **{name: np.array([p[name] for p in points]) for name in KNOBS[target]}).cost()
    for metric in TOTALS:
        total = np.broadcast_to(np.array(column.total(metric), dtype=object), (5,)).tolist()
        assert total == [load(target, **point).cost().total(metric) for point in points]
        assert {type(value) for value in total} == {int}


@pytest.mark.parametrize(("r", "batch"), [(2**24, 1), (2**30, 2**31)])
def test_nothing_wraps_around(r, batch):
    """Totals past 2^63 and 2^100, where machine words are silent."""
    column = load("resnet50", r=np.array([224, r]), batch=np.array([1, batch])).cost().macs
    assert column.tolist() == [4_089_184_256, load("resnet50", r=r, batch=batch).cost().macs]
    assert column[1] > 2**63
    assert batch == 1 or column[1] > 2**100


def test_narrow_scalars_are_numbers(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: net\ntitle: t\nsource: s\nknobs: {k: 2}\ninput: [8]\nlayers:\n- linear: 32*k\n- linear: k*k\n"
    )
    assert (
        load(str(path), k=np.uint8(20)).cost().params == load(str(path), k=20).cost().params == 262_160
    )  # 8·640 + 640 + 640·400 + 400


@pytest.mark.parametrize(
    ("target", "column", "message"),
    [
        ("vgg", [1, 224], "knob 'r' is at least 32, got 1"),
        ("vgg", [224, 2**40], "knob 'r' is at most 2147483648, got 1099511627776"),
        ("vgg", [224, float("nan")], "knob 'r' is a number: no exact number: nan"),
        ("mobilenet_v1", [1.5, 2.0], "knob 'r' is a whole number, got 1.5"),
    ],
)
def test_a_point_that_a_knob_does_not_take_is_refused(target, column, message):
    with pytest.raises(UsageError) as caught:
        load(target, r=np.array(column)).cost()
    assert str(caught.value) == message


def test_a_point_that_an_op_does_not_take_is_refused():
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input([1, 3, np.array([9, 4, 3]), 9]))
    costcalc.add(graph, "conv", ops.Conv(2, 5), "x")
    with pytest.raises(ShapeError) as caught:
        costcalc.cost(graph)
    assert str(caught.value) == "layer 'conv' (conv): a window of 5 does not fit into 4"


def test_a_column_of_fractions_is_no_size():
    with pytest.raises(CostcalcError, match=r"channels must come out whole, and 32\*w = 24\.96"):
        load("mobilenet_v1", w=np.array([0.78, 1.0])).cost()
