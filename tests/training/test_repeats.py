"""A body that is repeated stands once for many copies, and a step costs what it costs with all of them written out."""

import pytest

import costcalc
from costcalc.analysis.training.kept import kept_bytes
from costcalc.analysis.training.step_layers import step_layers
from costcalc.analysis.training.step_peak import step_peak
from costcalc.analysis.unrolled import COPIES_TO_TRAIN, unrolled_layers
from costcalc.dtype import FLOAT32
from costcalc.graph import unroll
from costcalc.spec.library import entries
from costcalc.train_step import OPTIMIZERS

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
