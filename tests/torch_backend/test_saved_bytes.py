"""What a network keeps for its backward pass: torch's hooks are asked, storage by storage, of every spec."""

import random

import pytest
from support import needed

torch = needed.module("torch", "torch")

import costcalc  # noqa: E402
from costcalc.analysis.training.kept import kept_bytes  # noqa: E402
from costcalc.analysis.training.step_layers import step_layers  # noqa: E402
from costcalc.analysis.memory import Layer  # noqa: E402
from costcalc.analysis.walk import walk  # noqa: E402
from costcalc.graph import unroll  # noqa: E402
from costcalc.spec.library import entries  # noqa: E402
from costcalc.torch_backend import build, example_inputs  # noqa: E402

NAMES = [entry.name for entry in entries()]
HOW = ["all", "last", "second half", "first half", "random layers", "biases", "random tensors"]


def torch_keeps(module, inputs):
    held, alive = {}, []

    def pack(tensor):
        alive.append(tensor)
        held[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = module(*inputs)
    for tensor in (*module.parameters(), *module.buffers()):
        held.pop(tensor.untyped_storage()._cdata, None)
    del out
    return sum(held.values())


def chosen(tensors, how, rng):
    layers = list(dict.fromkeys(layer for layer, _ in tensors))
    half = len(layers) // 2
    some = {
        "all": layers, "last": layers[-1:], "second half": layers[half:], "first half": layers[:half],
        "random layers": [layer for layer in layers if rng.random() < 0.5], "biases": layers, "random tensors": layers,
    }[how]  # fmt: skip
    return {
        (layer, name)
        for layer, name in tensors
        if layer in some and (how != "biases" or name == "bias") and (how != "random tensors" or rng.random() < 0.5)
    }


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_torch_keeps(name, how):
    model = costcalc.load(name, batch=2)
    module = build(model, device="meta").train()
    rows = [*walk(unroll(model.layers()))]
    layers = [Layer(row.name, row.op, row.inputs, row.output_shape, row.name) for row in rows]
    tensors = [(row.name, t.name) for row in rows for t in row.op.weights(*row.input_shapes) if t.role != "buffer"]
    trained = chosen(tensors, how, random.Random(f"{name} {how}"))
    for node in module.graph.find_nodes(op="call_module"):
        for parameter, tensor in module.get_submodule(node.target).named_parameters():
            tensor.requires_grad_((node.meta["row"].name, parameter) in trained)
    ours = kept_bytes([*step_layers(layers, lambda layer, t: (layer.name, t.name) in trained)], {"activations": 4})
    assert sum(ours.values()) == torch_keeps(module, example_inputs(module))
