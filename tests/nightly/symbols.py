"""Holds the formulas and columns of imported networks against fresh runs, at sizes drawn at random: a line each.

    python tests/nightly/symbols.py
    python tests/nightly/symbols.py torchvision:resnet18 --points 4

A point is right if every layer has the same params, MACs, elementwise work and activations in the run, in the column of
a sweep and by the formula, and if a point where the formula does not hold is counted by a run of its own.
"""

import argparse
import random
import sys
import time

import numpy as np

import costcalc
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.walk import walk
from costcalc.dims import to_exact_array
from costcalc.errors import CostcalcError
from costcalc.importers.symbolic_sizes.pattern_range import Pattern

SEED = 17
POINTS = 10
NETWORKS = [  # each family of import.md, and a few more
    "torchvision:resnet18", "torchvision:mobilenet_v2", "torchvision:mobilenet_v3_large", "torchvision:googlenet",
    "torchvision:densenet121", "torchvision:inception_v3", "torchvision:shufflenet_v2_x1_0",
    "torchvision:efficientnet_b0", "torchvision:squeezenet1_1", "torchvision:regnet_y_400mf",
    "torchvision:fcn_resnet50", "torchvision:lraspp_mobilenet_v3_large", "torchvision:r3d_18",
    "torchvision:convnext_tiny", "torchvision:vit_b_16", "torchvision:swin_t", "torchvision:maxvit_t",
    "timm:tf_efficientnet_b0", "timm:skresnet18", "timm:dm_nfnet_f0", "timm:hrnet_w18", "timm:mobilevit_s",
    "timm:deit_tiny_patch16_224", "timm:levit_256", "timm:coat_lite_tiny", "timm:volo_d1_224",
    "timm:resnetv2_50x1_bit", "timm:mixer_b16_224", "timm:dla34", "timm:vgg11", "timm:ghostnet_100",
]  # fmt: skip


def points_of(net, count, draw):
    """Values of the knobs at random: in the range of the pattern if there is one, else anywhere near the default."""
    found = [one for one in net.architecture.patterns.values() if isinstance(one, Pattern)]
    rows = []
    for _ in range(count):
        row = {}
        for name, knob in net.knobs.items():
            span = found[0].ranges.get(name) if found else None
            if name == "batch":
                row[name] = draw.randint(1, 64)
            elif span is None:
                row[name] = knob.default
            else:
                last = min(span.high, max(4 * knob.default, span.low + 8 * span.step)) // span.step
                row[name] = span.step * draw.randint(-(-span.low // span.step), last)
        rows.append(row)
    return rows


def costs(graph, at=0):
    """The costs of each layer, by name; of arrays those of one point."""

    def number(size):
        return int(size) if not hasattr(size, "dtype") else int(np.broadcast_to(size.values(), (POINTS,))[at])

    return {row.name: {name: number(cost) for name, cost in row.costs.items()} for row in walk(graph)}


def compared(name, points, draw):
    """A line about one network; raises AssertionError for a point at which they differ."""
    start = time.monotonic()
    net = costcalc.load(name)
    formulas = {metric: derive(net, metric) for metric in ("macs", "params", "elementwise", "activations")}
    seconds = time.monotonic() - start
    rows = points_of(net, points, draw)
    holding = 0
    for row in rows:
        run = net.with_knobs(**row).cost()
        try:
            filled = {metric: formula(**{k: v for k, v in row.items() if k in formula.knobs})
                      for metric, formula in formulas.items()}  # fmt: skip
        except CostcalcError:
            continue
        holding += 1
        assert filled == {metric: run.total(metric) for metric in filled}, (row, filled)
    knob = [*net.knobs][-1]
    others = {name: size for name, size in rows[0].items() if name != knob}
    for record in costcalc.sweep(net.with_knobs(**others), **{knob: sorted({row[knob] for row in rows})}).to_records():
        run = net.with_knobs(**others, **{knob: record[knob]}).cost()
        for metric in ("params", "macs", "elementwise", "activations"):
            assert record[metric] == run.total(metric), (record, metric)
    layer_by_layer(net, rows)
    formula = formulas["macs"]
    return (
        f"{name}: {holding} of {points} by formula, all by columns; {formula.domain}; {formula.found}; {seconds:.0f} s"
    )


def layer_by_layer(net, rows):
    """Every layer of the pattern, at each point where it holds, as in a run."""
    for pattern in net.architecture.patterns.values():
        for row in rows:
            if isinstance(pattern, Pattern) and pattern.holds(row) is True:
                arrays = {name: to_exact_array(np.array([size])) for name, size in row.items()}
                ours = costs(pattern.layers.layers(net.architecture.sizes.letters(arrays)))
                assert [*ours.values()] == [*costs(net.architecture.layers(row)).values()], row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="*", default=NETWORKS)
    parser.add_argument("--points", type=int, default=POINTS)
    given = parser.parse_args()
    failed = 0
    for name in given.network:
        try:
            print(compared(name, given.points, random.Random(f"{SEED} {name}")), flush=True)
        except (AssertionError, CostcalcError) as error:
            failed += 1
            print(f"{name}: DIFFERS: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
