"""Grids whose points are not one network but for its sizes: every point is still the count of its own network."""

import itertools
import os
import random

import costcalc
from costcalc.analysis.sweep import replay
from costcalc.analysis.sweep.choice import read_choice
from costcalc.analysis.sweep.grid import Grid, given_axes
from costcalc.analysis.sweep.metrics import COUNTED
from costcalc.analysis.sweep.sweep import sweep
from costcalc.analysis.sweep.totals import totals_of
from costcalc.errors import CostcalcError

SPECS = int(os.environ.get("COSTCALC_SPECS", "60"))
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
            found.append({**at, **totals_of(net.at({**net.settings, **at}, net.label), metrics)})
        except CostcalcError:
            continue
    return found


def test_every_point_is_its_own_network(tmp_path):
    rng, kept, left_out = random.Random(1), 0, 0
    for _ in range(SPECS):
        net, given = drawn(rng, tmp_path)
        axes = given_axes(given, net.spec.knobs, net.name)
        wanted, grid = one_by_one(net, axes), Grid(axes)
        for points in ((4096, 4096), (rng.randint(1, 9), rng.randint(1, 9))):
            try:
                found = sweep(net, grid, read_choice([*net.spec.knobs], [*axes]), metrics=SUMMED, points=points)
            except CostcalcError as error:
                assert not wanted, (given, error)
                continue
            assert found.to_records() == wanted, given
            assert found.invalid == grid.size - len(wanted)
        kept, left_out = kept + len(wanted), left_out + grid.size - len(wanted)
    assert kept > left_out > SPECS // 2
