"""Runs a built module with rows of depth 1 under torch's checkpoint, and counts what autograd holds of it."""

import weakref
from collections import Counter
from itertools import groupby

import torch
from torch.utils.checkpoint import checkpoint


def row_of(node, rows):
    """The checkpointed row that a node of a built module belongs to, or None."""
    if node.op != "call_module":
        return None
    first = str(node.meta["row"].name).partition(".")[0]
    return first if first in rows else None


def write_over_nothing(module, steps):
    """Lets only those layers write over an input that our step says do."""
    over = {each.name for each in steps if each.over is not None}
    for node in module.graph.find_nodes(op="call_module"):
        layer = module.get_submodule(node.target)
        if hasattr(layer, "inplace") and node.meta["row"].name not in over:
            layer.inplace = None if type(layer).__name__ == "Add" else False


class Checkpointed:
    """A built module whose `rows` are computed again in the backward pass; tensors go after their last use."""

    def __init__(self, module, rows):
        self.module, self.rows = module, rows
        self.parameters, self.buffers = module.parameters, module.buffers
        self.nodes = [*module.graph.nodes]

    def __call__(self, *inputs):
        values = dict(zip(self.module.graph.find_nodes(op="placeholder"), inputs))
        del inputs
        left = Counter(source for node in self.nodes for source in {*node.all_input_nodes})
        layers = [node for node in self.nodes if node.op == "call_module"]
        for row, group in groupby(layers, lambda node: row_of(node, self.rows)):
            group = [*group]
            if row is None:
                self.run(group, values, left)
            else:
                self.run_again_later(group, values, left)
        (output,) = self.module.graph.find_nodes(op="output")
        (out,) = output.args
        return tuple(values[one] for one in out) if isinstance(out, tuple) else values[out]

    def run(self, nodes, values, left):
        for node in nodes:
            values[node] = self.module.get_submodule(node.target)(*(values[source] for source in node.args))
            for source in {*node.all_input_nodes}:
                left[source] -= 1
                if not left[source]:
                    values.pop(source)

    def run_again_later(self, nodes, values, left):
        inside = {*nodes}
        read = [*dict.fromkeys(source for node in nodes for source in node.all_input_nodes if source not in inside)]
        ends = [node for node in nodes if any(user not in inside for user in node.users)]

        def segment(*given):
            own, uses = dict(zip(read, given)), Counter(s for node in nodes for s in {*node.all_input_nodes})
            uses.update(ends)
            del given
            self.run(nodes, own, uses)
            return tuple(own[end] for end in ends)

        given = [values[source] for source in read]
        for source in read:
            left[source] -= sum(source in node.all_input_nodes for node in nodes)
            if not left[source]:
                values.pop(source)
        values.update(zip(ends, checkpoint(segment, *given, use_reentrant=False)))


class Saved:
    """A tensor that autograd saves; it goes when autograd forgets it."""

    def __init__(self, tensor):
        self.tensor = tensor


def held_by_autograd(run, apart):
    """What a call returns, and the bytes of the storages that autograd still holds after it; those of `apart` are not
    among them."""
    saved = weakref.WeakSet()

    def pack(tensor):
        one = Saved(tensor)
        saved.add(one)
        return one

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one.tensor):
        out = run()
    storages = {one.tensor.untyped_storage()._cdata: one.tensor.untyped_storage().nbytes() for one in saved}
    theirs = {tensor.untyped_storage()._cdata for tensor in apart}
    return out, sum(size for key, size in storages.items() if key not in theirs)
