"""Our networks as torchvision builds them."""

import dataclasses
import re


def as_torchvision(graph, eps):
    """The graph with what torchvision does otherwise than the papers, and no count shows: it pads alike on both sides
    where TensorFlow's 'same' puts the odd zero at the end, and has an ε of its own in batch normalisation."""

    def theirs(op):
        if getattr(op, "padding", None) == "same":
            return dataclasses.replace(op, padding=op.kernel // 2)
        return dataclasses.replace(op, eps=eps) if op.name == "batch_norm" else op

    for node in graph:
        graph.nodes[node]["op"] = theirs(graph.nodes[node]["op"])
    return graph


def layers(module):
    """Layers with tensors of their own, in the order in which torchvision registers its: the convolutions of a block
    before its shortcut, and side heads just before the last layer."""
    names = [name for name, m in module.named_modules() if m._parameters or m._buffers]
    block = {name: re.split(r"\.(?:shortcut|residual)\.", name)[0] for name in names}
    first = {block[name]: i for i, name in reversed([*enumerate(names)])}

    def place(name):
        return name == "fc", name.startswith("aux"), first[block[name]], ".shortcut." in name

    return [module.get_submodule(name) for name in sorted(names, key=place)]


def with_weights_of(theirs, ours):
    """Our module with the tensors of torchvision's."""
    for mine, other in zip(layers(ours), layers(theirs), strict=True):
        mine.load_state_dict(other.state_dict())
    return ours
