"""Networks that are frozen up to each of their rows, and layers that share tensors: what autograd keeps of them."""

import random
from dataclasses import replace

import pytest
from support import needed, sharing
from support.sizes import size

torch = needed.module("torch", "torch")

from support.autograd import step_peak_of_torch  # noqa: E402
from support.checkpointed import Checkpointed, held_by_autograd, write_over_nothing  # noqa: E402

import costcalc  # noqa: E402
from costcalc import ops  # noqa: E402
from costcalc.analysis.training.kept import kept_bytes  # noqa: E402
from costcalc.analysis.training.step_layers import step_layers  # noqa: E402
from costcalc.analysis.training.step_metrics import step_of  # noqa: E402
from costcalc.analysis.training.step_peak import step_peak  # noqa: E402
from costcalc.analysis.unrolled import unrolled_layers  # noqa: E402
from costcalc.dtype import FLOAT32  # noqa: E402
from costcalc.errors import ShapeError  # noqa: E402
from costcalc.graph import first_row  # noqa: E402
from costcalc.graph.freezing import train_step_of  # noqa: E402
from costcalc.spec.library import entries  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402

FEW = ["lenet5", "vgg11_bn", "resnet18", "googlenet", "mobilenet_v2", "network_in_network"]


def both(model, device="meta"):
    """Our step of a network, and torch's module with its inputs, the same rows frozen and checkpointed."""
    graph = model.layers(unrolled=True)
    ((_, layers),) = unrolled_layers(graph)
    step = step_of(graph, layers, FLOAT32)
    step.needs_training()
    module = build(model, device=device).train()
    evaluated = {each.name for each in step.layers if each.wanted.evaluates}
    for node in module.graph.find_nodes(op="call_module"):
        if node.meta["row"].name in evaluated:
            module.get_submodule(node.target).eval()
    write_over_nothing(module, step.layers)
    return step, Checkpointed(module, train_step_of(graph).checkpoint), example_inputs(module)


def keeps_the_same(step, module, inputs):
    """Does torch keep as many bytes as we say?"""
    _out, held = held_by_autograd(lambda: module(*inputs), [*module.parameters(), *module.buffers()])
    return sum(kept_bytes(step.layers, FLOAT32).values()) == held


@pytest.mark.sized
@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("name", size(FEW, [entry.name for entry in entries()]))
def test_torch_keeps_the_same_bytes(name, statistics):
    model = costcalc.load(name).with_knobs(batch=2).with_step(costcalc.TrainStep(freeze_statistics=statistics))
    rows = model.blocks()
    for row in size(rows[1::4], rows):
        try:
            found = both(model.with_knobs(freeze=row))
        except ShapeError:  # nothing is left to train
            assert not any("weight" in t.role for t in tensors_above(model, row))
        else:
            assert keeps_the_same(*found)


def tensors_above(model, row):
    """The tensors of the layers above a row."""
    rows = model.blocks()
    above = {*rows[rows.index(row) + 1 :]}
    ((_, layers),) = unrolled_layers(model.layers(unrolled=True))
    return [t for each in step_layers(layers) for t in each.own if first_row(each.layer.row) in above]


def twice():
    """A convolution that is used twice, once more with its tensors in another layer, and a linear on a table's rows."""
    graph = costcalc.new_graph(name="twice")
    costcalc.add(graph, "x", ops.Input([2, 6, 9, 9]))
    costcalc.add(graph, "a.conv", ops.Conv(6, 3, padding=1), "x")
    costcalc.add(graph, "a.relu", ops.ReLU(), "a.conv")
    costcalc.add(graph, "b.conv", ops.Conv(6, 3, padding=1), "a.relu", shares="a.conv")
    costcalc.add(graph, "b.relu", ops.ReLU(), "b.conv")
    costcalc.add(graph, "c.conv", ops.Conv(6, 3, padding=1), "b.relu", shares="a.conv")
    costcalc.add(graph, "c.add", ops.Add(), "c.conv", "a.relu")
    costcalc.add(graph, "flat", ops.Flatten(), "c.add")
    costcalc.add(graph, "fc", ops.Linear(7), "flat")
    return costcalc.model(graph)


def tied():
    """Words that are read and written with one table."""
    graph = costcalc.new_graph(name="tied")
    costcalc.add(graph, "words", ops.Input([2, 5]))
    costcalc.add(graph, "embed", ops.Embedding(11, 8), "words")
    costcalc.add(graph, "hidden", ops.Linear(8), "embed")
    costcalc.add(graph, "logits", ops.Linear(11, bias=False), "hidden", shares="embed")
    costcalc.add(graph, "flat", ops.Flatten(), "logits")
    return costcalc.model(graph)


STEPS = {
    "twice": [{}, {"freeze": "a"}, {"checkpoint": "b"}, {"checkpoint": "a,b,c"}, {"freeze": "c", "checkpoint": "b,c"}],
    "tied": [{}, {"freeze": "embed"}, {"checkpoint": "hidden"}],
}


@pytest.mark.parametrize(("name", "step"), [(name, step) for name, steps in STEPS.items() for step in steps])
def test_shared_tensors_are_kept_and_held_once(name, step):
    model = {"twice": twice, "tied": tied}[name]().with_step(costcalc.TrainStep(**step))
    step, module, inputs = both(model, device="cpu")
    assert keeps_the_same(step, module, inputs)
    ours, _ = step_peak(step.layers, FLOAT32, step.optimizer, adds_in_place=False)
    assert ours == step_peak_of_torch(module, inputs, "sgd")


@pytest.mark.sized
@pytest.mark.parametrize("seed", range(size(30, 300)))
def test_of_repeats_that_share_too(seed, tmp_path):
    dice = random.Random(seed)
    (tmp_path / "net.yaml").write_text(sharing.random_spec(dice))
    model = costcalc.load(tmp_path / "net.yaml")
    rows = [row for row in model.blocks() if dice.random() < 0.5]
    step = replace(model.step, checkpoint=tuple(rows))
    assert keeps_the_same(*both(model.with_step(step)))
