"""Random little networks of one sliding axis, with sampling down and up and joins, and what torch's gradients say of
them."""

import random

import costcalc
from costcalc import ops
from costcalc.errors import ShapeError
from costcalc.torch_backend import build

LENGTH, MIDDLE = 360, 72  # of the input; so many elements in the middle of each output are asked


def layer(rng, length):
    """A layer that takes a tensor of this length."""
    kernel, stride, dilation = rng.randint(1, 4), rng.randint(1, 3), rng.choice([1, 1, 2, 3])
    half = rng.randint(0, kernel - 1) * dilation // 2
    spread = ops.ConvTranspose(1, kernel, stride, 0, 0, dilation)
    up = [ops.Upsample(stride), ops.Upsample(2, "linear"), spread]
    up += [ops.Upsample(size=length * 3 // 2)] * (length % 2 == 0)
    down = [ops.AveragePool(2, 2), ops.Conv(1, kernel, 2, half, dilation)]
    down += [ops.AdaptiveAveragePool(length * 2 // 3)] * (length % 3 == 0)
    same = [ops.Conv(1, 2 * kernel - 1, 1, (kernel - 1) * dilation, dilation)] * 2
    return rng.choice([*up, *down, *same] if length < LENGTH else [*down, *same])


def little_network(seed):
    """A layer graph, in which tensors of one length are often joined."""
    rng, graph = random.Random(seed), costcalc.new_graph()
    lengths = {costcalc.add(graph, "x", ops.Input((1, 1, LENGTH))): LENGTH}
    last = "x"
    for i in range(rng.randint(3, 9)):
        twins = [name for name, length in lengths.items() if length == lengths[last] and name != last]
        if twins and rng.random() < 0.7:
            last, op, sources = f"join{i}", ops.Add(), [rng.choice(twins), last]
        else:
            last, op, sources = f"layer{i}", layer(rng, lengths[last]), [last]
        costcalc.add(graph, last, op, *sources)
        lengths[last] = op.shape(*((1, 1, lengths[source]) for source in sources))[-1]
    return graph


def widest_in_the_middle(graph):
    """How many input elements the elements in the middle of the output see at most: from the first with a gradient to
    the last, if all weights are positive."""
    import torch

    module = build(graph).double()
    for parameter in module.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    x = torch.ones(MIDDLE, 1, LENGTH, dtype=torch.float64, requires_grad=True)
    out = module(x)[:, 0]
    begin, asked = max(0, out.shape[1] // 2 - MIDDLE // 2), min(MIDDLE, out.shape[1])
    out.diagonal(begin)[:asked].sum().backward()  # of each sample another element
    seen = [places.nonzero() for places in x.grad[:asked, 0]]
    return max((int(places.max() - places.min()) + 1 for places in seen if len(places)), default=0)


def fields(seed):
    """The receptive field as said, and as seen; twice the same where a field reaches from end to end, or the network
    does not fit its input."""
    try:
        graph = little_network(seed)
        (said,) = costcalc.cost(graph).total("receptive_field")
    except ShapeError:
        return 0, 0
    fits = isinstance(said, int) and said < LENGTH // 2
    return said, widest_in_the_middle(graph) if fits else said
