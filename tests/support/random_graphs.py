"""Random layer graphs of 2 to 40 layers that torch can build."""

import torch
from support.sizes import size

import costcalc
from costcalc import ops
from costcalc.errors import ShapeError
from costcalc.ops.check_needs import check

GRAPHS = size(30, 1000)


def some_op(rng, c):
    """An op for a tensor of c channels, most of them valid."""
    k, s = rng.randint(1, 4), rng.randint(1, 2)
    groups = rng.choice([1, 1, c])
    return rng.choice([
        lambda: ops.Conv(groups * rng.randint(1, 5), k, stride=s, padding=rng.choice(["same", k // 2]), groups=groups),
        lambda: ops.Depthwise(k, stride=s, padding="same", bias=rng.random() < 0.5),
        lambda: ops.ConvTranspose(rng.randint(1, 8), k, stride=s),
        lambda: ops.BatchNorm(), lambda: ops.GroupNorm(groups), lambda: ops.LocalResponseNorm(3),
        lambda: ops.ReLU(), lambda: ops.ReLU6(), lambda: ops.SiLU(), lambda: ops.HardSwish(), lambda: ops.Sigmoid(),
        lambda: ops.MaxPool(k, s, padding="same"), lambda: ops.AveragePool(k, s, ceil_mode=rng.random() < 0.5),
        lambda: ops.ChannelPad(c + rng.randint(0, 3)), lambda: ops.Upsample(rng.randint(1, 2)),
        lambda: ops.Transpose([0, 1, 3, 2]), lambda: ops.Dropout(), lambda: ops.Subsample(k + 1, s),
        lambda: ops.PReLU(rng.random() < 0.5), lambda: ops.RMSNorm(), lambda: ops.Softmax(rng.randint(1, 3)),
        lambda: ops.Roll([2, 3], s), lambda: ops.Pad([rng.randint(1, 3)], 0, s), lambda: ops.Slice(-1, k, 0, s),
        lambda: ops.Reduce([rng.randint(1, 3)], rng.choice(["mean", "max", "norm"]), keep=True),
        lambda: ops.Elementwise(2, kept=[0]), lambda: ops.LayerNorm(bias=False),
    ])()  # fmt: skip


def fits(op, shape):
    """Can the op take this shape, and is what comes out small?"""
    try:
        check(op.needs(shape))
    except ShapeError:
        return False
    return torch.Size(op.shape(shape)).numel() < 20_000


def random_graph(rng):
    """Layers on random earlier tensors, now and then joined, at the end one linear layer."""
    graph = costcalc.new_graph(name="random")
    shapes = {costcalc.add(graph, "x", ops.Input([2, rng.randint(1, 6), 9, 7])): None}
    shapes["x"] = tuple(graph.nodes["x"]["op"].size)
    wanted = rng.randint(2, 40)
    while len(shapes) < wanted:
        source = rng.choice([name for name in shapes if len(shapes[name]) == 4 and not name.startswith("learned")][-3:])
        alike = [name for name, shape in shapes.items() if shape == shapes[source] and not name.startswith("learned")]
        op, ins = some_op(rng, shapes[source][1]), [source]
        if len(alike) > 1 and rng.random() < 0.5:
            op, ins = rng.choice([ops.Add(), ops.Mul(), ops.Concat()]), rng.sample(alike, 2)
        elif rng.random() < 0.1:
            size = rng.choice([shapes[source][-1:], (1, *shapes[source][1:])])
            learned = costcalc.add(graph, f"learned{len(shapes)}", rng.choice([ops.Parameter, ops.Constant])(size))
            op, ins = rng.choice([ops.Add(), ops.Mul()]), rng.sample([source, learned], 2)
            shapes[learned] = size
        if len(ins) == 2 or fits(op, shapes[source]):
            name = costcalc.add(graph, f"{op.name}{len(shapes)}", op, *ins)
            shapes[name] = op.shape(*(shapes[i] for i in ins))
    costcalc.add(graph, "fc", ops.Linear(3), source)
    return graph
