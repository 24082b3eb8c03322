"""A body that is repeated stands once for many copies, and a step costs what it costs with all of them written out."""

import random

import numpy as np
import pytest
from support.array_graphs import SIZES, points_of, seeded_graph
from support.sizes import size

import costcalc
from costcalc.analysis.metric import LARGEST
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.totals import sums_of
from costcalc.analysis.training.kept import kept_bytes
from costcalc.analysis.training.step_layers import step_layers
from costcalc.analysis.training.step_metrics import step_of
from costcalc.analysis.training.step_peak import step_peak
from costcalc.analysis.unrolled import COPIES_TO_TRAIN, unrolled_layers
from costcalc.dtype import FLOAT32, Dtype
from costcalc.errors import PointsDiffer, ShapeError
from costcalc.graph import Repeat, nodes_of, unroll
from costcalc.spec.library import entries
from costcalc.train_step import OPTIMIZERS

GRAPHS = size(150, 3000)
TIMES = (3, 3, 3), (4, 3, 2), (2, 4, 3), (3, 2, 5)  # three copies of a body beside two and more
OF_A_STEP = [name for name, metric in METRICS.items() if metric.step]
MODELS = [*(entry.name for entry in entries()), *(f"efficientnet@d={d},r=64" for d in range(1, 9))]


def trains_all(layer, tensor):
    return True


def second_half(graph):
    """Trains the layers of the second half of what stands in a graph, copies or not."""
    names = [*graph.nodes]
    last = {str(name) for name in names[len(names) // 2 :]}
    return lambda layer, tensor: any(f"{layer.name}.".startswith(f"{name}.") for name in last)


def costs(layers, trains, optimizer):
    step = [*step_layers(layers, trains)]
    kept = kept_bytes(step, FLOAT32)
    macs = (
        each.layer.copies
        * each.layer.op.backward_macs(*each.input_shapes, out=each.layer.output_shape, wanted=each.wanted)
        for each in step
    )
    stays = sum(each.layer.copies * kept.get(each.name, 0) for each in step)
    return sum(macs), stays, step_peak(step, FLOAT32, OPTIMIZERS[optimizer])[0]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("target", MODELS)
def test_folded_is_unrolled(target, optimizer):
    graph = costcalc.load(target, batch=2).layers()
    ((_, flat),), ((_, folded),) = unrolled_layers(unroll(graph)), unrolled_layers(graph, COPIES_TO_TRAIN)
    for trains in (trains_all, second_half(graph)):
        assert costs(folded, trains, optimizer) == costs(flat, trains, optimizer)


def count(graph):
    """How many layers are there, copies written out?"""
    ops = [data["op"] for _, data in nodes_of(graph)]
    return sum(op.times * count(op.body) if isinstance(op, Repeat) else 1 for op in ops)


def freeze_some(graph, rng, share):
    """Freezes about a share of all layers."""
    for name, data in nodes_of(graph):
        if isinstance(data["op"], Repeat):
            freeze_some(data["op"].body, rng, share)
        elif rng.random() < share:
            graph.nodes[name]["frozen"] = True


def written_out(graph):
    """Every metric of a step, with all copies written out."""
    ((_, layers),) = unrolled_layers(unroll(graph))
    step = step_of(graph, layers, Dtype())
    found = {name: [*METRICS[name].step(step)] for name in OF_A_STEP}
    return {name: (max if METRICS[name].together == LARGEST else sum)(sizes) for name, sizes in found.items()}


@pytest.mark.sized
def test_an_array_takes_three_copies_with_more():
    rng, alike = random.Random(3), 0
    for number in range(GRAPHS):
        share, points = rng.choice([0.2, 0.5, 0.8]), points_of(rng, len(TIMES))
        for point, times in zip(points, TIMES, strict=True):
            point.update(zip(("t0", "t1", "t2"), times, strict=True))

        def made(sizes, seed=number, share=share):
            graph = seeded_graph(seed, sizes)
            freeze_some(graph, random.Random(seed), share)
            return graph

        graphs = [*map(made, points)]
        if max(map(count, graphs)) > 100:  # which take long
            continue
        columns = {name: np.array([point[name] for point in points], dtype=object) for name in SIZES}
        try:
            found = sums_of(made(columns), OF_A_STEP).at(Grid({"i": tuple(range(len(TIMES)))}))
        except (PointsDiffer, ShapeError):  # a sweep cuts such a grid; nothing is left to train
            continue
        for i, graph in enumerate(graphs):
            assert {name: found.flat(name)[i] for name in OF_A_STEP} == written_out(graph), f"graph {number}"
        alike += 1
    assert alike > GRAPHS // 4
