"""What torch keeps for its backward pass, and the most memory that a training step of it holds: the outside witness."""

import weakref
from contextlib import nullcontext

import torch
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

OPTIMIZERS = {
    "sgd": lambda params: torch.optim.SGD(params, lr=0.1, foreach=False),
    "momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9, foreach=False),
    "adam": lambda params: torch.optim.Adam(params, foreach=False),
    "adamw": lambda params: torch.optim.AdamW(params, foreach=False),
}


def address(tensor):
    """What tells a tensor's memory from all other memory."""
    return tensor.untyped_storage()._cdata


def kept_by_torch(run, apart):
    """What a call returns, and the bytes of each storage that autograd keeps of it, by address; those of the tensors
    `apart` are not among them. The third, the tensors, must live on, so that no address stands for two."""
    held, alive = {}, []

    def pack(tensor):
        alive.append(tensor)
        held[address(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = run()
    for tensor in apart:
        held.pop(address(tensor), None)
    return out, held, alive


class Held(TorchDispatchMode):
    """Adds each new storage and subtracts it when it goes. torch's MemTracker raises on a frozen parameter."""

    def __init__(self, tensors):
        super().__init__()
        self.sizes, self.now, self.most = {}, 0, 0
        for tensor in tensors:
            self.add(tensor)

    def add(self, tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in self.sizes:
            self.sizes[storage._cdata] = storage.nbytes()
            self.now += storage.nbytes()
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self.gone, storage._cdata)

    def gone(self, key):
        self.now -= self.sizes.pop(key)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        _pytree.tree_map_only(torch.Tensor, self.add, out)
        return out


def outputs_of(module, inputs):
    """The outputs of a module, as a tuple also if there is one."""
    out = module(*inputs)
    return out if isinstance(out, tuple) else (out,)


def step_peak_of_torch(module, inputs, optimizer, context=nullcontext):
    """The most bytes that the second training step holds, weights, buffers, inputs and targets included; `context` is
    that of forward pass and loss.

    Under a dispatch mode torch adds gradients out of place, so that at forks it holds a tensor more than without.
    """
    made = OPTIMIZERS[optimizer]([p for p in module.parameters() if p.requires_grad])
    with torch.no_grad():
        shapes = [out.shape for out in outputs_of(module, inputs)]
    targets = [torch.zeros((n, *rest), dtype=torch.long, device=inputs[0].device) for n, _, *rest in shapes]

    def losses():
        return [*map(torch.nn.functional.cross_entropy, outputs_of(module, inputs), targets)]

    def step():
        with context():
            first, *more = losses()  # a loop holds each loss to the end of the step
            loss = first
            for one in more:
                loss = loss + one
        loss.backward()
        made.step()
        made.zero_grad()

    with Held([*module.parameters(), *module.buffers(), *inputs, *targets]) as held:
        step()
        held.most = 0
        step()
    return held.most


def train_only(module, trained):
    """Lets just these tensors of a built module learn: pairs of a layer's name and a tensor's."""
    for node in module.graph.find_nodes(op="call_module"):
        for name, tensor in module.get_submodule(node.target).named_parameters():
            tensor.requires_grad_((node.meta["row"].name, name) in trained)
