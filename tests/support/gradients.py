"""Every choice of gradients that a training step may want of a layer."""

from itertools import chain, combinations, product

from costcalc.ops.gradients import Wanted

MAX_TENSORS = 4  # of a layer, to try every choice of them; else none, each alone, and all


def every_wanted(op, ins, *, evaluates=False):
    """Every choice of inputs and of learned tensors. The indices of an embedding have no gradient."""
    names = [tensor.name for tensor in op.weights(*ins) if tensor.role != "buffer"]
    counts = range(len(names) + 1) if len(names) <= MAX_TENSORS else (0, 1, len(names))
    inputs = [(False,) * len(ins)] if op.index_limit else product((False, True), repeat=len(ins))
    chosen = [*chain.from_iterable(combinations(names, n) for n in counts)]
    return [Wanted(x, frozenset(tensors), evaluates=evaluates) for x in inputs for tensors in chosen]
