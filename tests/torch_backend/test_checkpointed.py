"""Checkpointed rows beside torch.utils.checkpoint: what autograd holds after the forward pass, and at most."""

import random

import pytest
from support import needed
from support.freezing import WAYS, trained_tensors
from support.sizes import size

torch = needed.module("torch", "torch")

from support.autograd import step_peak_of_torch, train_only  # noqa: E402
from support.checkpointed import Checkpointed, held_by_autograd, write_over_nothing  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.analysis.training.kept import KeptTensors, kept_bytes  # noqa: E402
from costcalc.analysis.training.step_layers import step_layers  # noqa: E402
from costcalc.analysis.training.step_peak import step_peak  # noqa: E402
from costcalc.analysis.unrolled import unrolled_layers  # noqa: E402
from costcalc.dtype import FLOAT32  # noqa: E402
from costcalc.graph import unroll  # noqa: E402
from costcalc.spec.library import entries  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402
from costcalc.train_step import OPTIMIZERS  # noqa: E402

ROWS = ("every", "every other", "random")
FEWER_WAYS = ("all", "second half", "random tensors")
WITH_PEAKS = [
    "lenet5", "alexnet", "vgg11_bn", "resnet18", "resnet50", "network_in_network", "googlenet", "mobilenet_v1",
    "mobilenet_v2", "efficientnet_b0",
]  # fmt: skip
WITHIN = 0.01  # of the peak


def chosen(rows, which, rng):
    """Some of the rows of depth 1."""
    if which == "random":
        return [row for row in rows if rng.random() < 0.5]
    return rows[:: 1 + (which == "every other")]


def both(name, way, which):
    """Our layers of a step, and torch's module with the same rows checkpointed and the same tensors frozen."""
    model = costcalc.load(name).with_knobs(batch=2)
    rows = chosen(model.blocks(), which, random.Random(f"{name} {way} {which}"))
    ((_, layers),) = unrolled_layers(unroll(model.layers()))
    tensors = [(each.name, t.name) for each in step_layers(layers) for t in each.own if t.role != "buffer"]
    trained = trained_tensors(tensors, way, random.Random(f"{name} {way}")) or {*tensors}
    steps = [*step_layers(layers, lambda layer, tensor: (layer.name, tensor.name) in trained, checkpoint=rows)]
    module = build(model, device="meta").train()
    train_only(module, trained)
    write_over_nothing(module, steps)
    return steps, Checkpointed(module, rows), example_inputs(module)


@pytest.mark.sized
@pytest.mark.parametrize("which", ROWS)
@pytest.mark.parametrize("way", size(("all", "second half"), WAYS))
@pytest.mark.parametrize("name", size(WITH_PEAKS, [entry.name for entry in entries()]))
def test_torch_keeps_the_same_bytes(name, way, which):
    steps, module, inputs = both(name, way, which)
    _out, held = held_by_autograd(lambda: module(*inputs), [*module.parameters(), *module.buffers()])
    assert sum(kept_bytes(steps, FLOAT32).values()) == held


@pytest.mark.sized
@pytest.mark.parametrize("which", size(("every",), ROWS))
@pytest.mark.parametrize("way", FEWER_WAYS)
@pytest.mark.parametrize("name", WITH_PEAKS)
def test_torch_holds_as_much_at_most(name, way, which):
    steps, module, inputs = both(name, way, which)
    ours, _ = step_peak(steps, FLOAT32, OPTIMIZERS["sgd"], adds_in_place=False)
    theirs = step_peak_of_torch(module, inputs, "sgd")
    assert abs(ours - theirs) <= WITHIN * theirs


def in_one_row(*layers):
    """A network whose layers all stand in the row `row`, after a convolution."""
    graph = costcalc.new_graph(name="net")
    costcalc.add(graph, "x", ops.Input([2, 4, 12, 12]))
    costcalc.add(graph, "first", ops.Conv(4, 1), "x")
    before = "first"
    for i, op in enumerate(layers):
        costcalc.add(graph, f"row.{i}", op, before)
        before = f"row.{i}"
    return graph


def conv():
    return ops.Conv(4, 3)


STOPS = {  # how many of its products run again: torch stops at the last tensor that it saves
    "conv, relu, conv": ([conv(), ops.ReLU(), conv()], 1),
    "conv, relu, conv, batch norm": ([conv(), ops.ReLU(), conv(), ops.BatchNorm()], 2),
    "conv, relu, conv, relu": ([conv(), ops.ReLU(), conv(), ops.ReLU()], 2),
    "conv, relu, conv, pool": ([conv(), ops.ReLU(), conv(), ops.MaxPool(2, 2)], 2),
    "linear, gelu, linear": ([ops.Flatten(), ops.Linear(8), ops.GELU(), ops.Linear(8)], 1),
    "conv, flatten": ([conv(), ops.Flatten()], 0),
}


@pytest.mark.parametrize("case", STOPS)
def test_torch_runs_the_same_products_again(case):
    from torch.utils.flop_counter import FlopCounterMode

    layers, again = STOPS[case]
    graph = in_one_row(*layers)
    ((_, found),) = unrolled_layers(graph)
    steps = [*step_layers(found, checkpoint=["row"])]
    kept = KeptTensors(steps, FLOAT32)
    runs = [*kept.run_again()]
    assert sum(each.layer.op.name in ("conv", "linear") for each in runs) == again
    module = build(graph).train()
    write_over_nothing(module, steps)
    inputs = example_inputs(module)
    with FlopCounterMode(display=False) as plain:
        module(*inputs).sum().backward()
    with FlopCounterMode(display=False) as checkpointed:
        Checkpointed(module, ["row"])(*inputs).sum().backward()
    macs = sum(each.layer.op.macs(*each.input_shapes, out=each.layer.output_shape) for each in runs)
    assert checkpointed.get_total_flops() - plain.get_total_flops() == 2 * macs
