"""A training step beside torch's: what it keeps, storage by storage, and the most that it holds, to the byte."""

import random

import pytest
from support import needed
from support.freezing import WAYS, trained_tensors
from support.sizes import size

torch = needed.module("torch", "torch")

from support.autograd import kept_by_torch, step_peak_of_torch, train_only  # noqa: E402

import costcalc  # noqa: E402
from costcalc.analysis.training.kept import kept_bytes  # noqa: E402
from costcalc.analysis.training.step_layers import step_layers  # noqa: E402
from costcalc.analysis.training.step_peak import step_peak  # noqa: E402
from costcalc.analysis.unrolled import unrolled_layers  # noqa: E402
from costcalc.dtype import FLOAT32  # noqa: E402
from costcalc.graph import unroll  # noqa: E402
from costcalc.spec.library import entries  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402
from costcalc.train_step import OPTIMIZERS  # noqa: E402

PRESETS_TOO = ("resnet18", "plain18", "vgg11_bn", "vgg16_1x1", "resnet56", "mobilenet_v2_035_224", "quiz_pool_4")
OTHERS = ("mobilenet_v2_sliced",)  # the layers of mobilenet_v2 in another order
FEW = [e.name for e in entries() if (e.kind == "spec" and e.name not in OTHERS) or e.name in PRESETS_TOO]
NAMES = size(FEW, [entry.name for entry in entries()])

WITH_PEAKS = [
    "lenet5", "alexnet", "alexnet_torchvision", "vgg11_bn", "vgg16", "resnet18", "resnet50", "network_in_network",
    "googlenet", "mobilenet_v1", "mobilenet_v2", "efficientnet_b0", "conv_depthwise_separable", "lenet5_1998",
]  # fmt: skip
FEWER_WAYS = ("all", "second half", "random tensors")
UNSEEN = {"lenet5_1998": 480}  # the indices of its partial convolution, which a dispatch mode does not see


def both(name, way):
    """Our layers of a step and torch's module, the same tensors frozen in both."""
    model = costcalc.load(name, batch=2)
    ((_, layers),) = unrolled_layers(unroll(model.layers()))
    tensors = [(each.name, t.name) for each in step_layers(layers) for t in each.own if t.role != "buffer"]
    trained = trained_tensors(tensors, way, random.Random(f"{name} {way}")) or {*tensors}
    module = build(model, device="meta").train()
    train_only(module, trained)
    return [*step_layers(layers, lambda layer, tensor: (layer.name, tensor.name) in trained)], module


@pytest.mark.sized
@pytest.mark.parametrize("way", size(FEWER_WAYS, WAYS))
@pytest.mark.parametrize("name", NAMES)
def test_torch_keeps_the_same_bytes(name, way):
    layers, module = both(name, way)
    inputs = example_inputs(module)
    _out, held, _alive = kept_by_torch(lambda: module(*inputs), [*module.parameters(), *module.buffers()])
    assert sum(kept_bytes(layers, FLOAT32).values()) == sum(held.values())


@pytest.mark.sized
@pytest.mark.parametrize("optimizer", size(("sgd", "adam"), tuple(OPTIMIZERS)))
@pytest.mark.parametrize("way", FEWER_WAYS)
@pytest.mark.parametrize("name", WITH_PEAKS)
def test_torch_holds_the_same_bytes_at_most(name, way, optimizer):
    layers, module = both(name, way)
    ours, moment = step_peak(layers, FLOAT32, OPTIMIZERS[optimizer], adds_in_place=False)
    theirs = step_peak_of_torch(module, example_inputs(module), optimizer)
    at_its_layer = moment.layer == "c3" or not name.startswith("lenet5_1998")
    assert ours - theirs == (UNSEEN.get(name, 0) if at_its_layer else 0)
