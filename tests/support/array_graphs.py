"""Random layer graphs with given sizes, numbers or arrays. The layers depend on a seed only."""

import random

from costcalc import Repeat, add, new_graph, ops

SIZES = ("n", "c", "gate", "h", "t0", "t1", "t2")
POINTWISE = (ops.ReLU, ops.SiLU, ops.Sigmoid, ops.Dropout, ops.BatchNorm, ops.GELU)


def points_of(rng, count):
    """Random sizes for `count` points: batches, channels, image sides, gates as wide as the channels or 1, depths."""
    found = []
    for _ in range(count):
        most = rng.choice([4, 2**10, 2**31])
        c = rng.randint(1, rng.choice([4, 600]))
        point = {"n": rng.randint(1, most), "c": c, "gate": rng.choice([1, c]), "h": rng.randint(1, most)}
        found.append({**point, **{name: rng.choice([0, 1, 2, 3, 5]) for name in ("t0", "t1", "t2")}})
    return found


def seeded_graph(seed, size):
    """The graph of a seed: convolutions, activations, joins of equal and of stretched tensors, squeezes, repeats."""
    rng, graph = random.Random(seed), new_graph()
    add(graph, "x", ops.Input([size["n"], size["c"], size["h"], size["h"]]))
    alike = _grow(rng, graph, size, ["x"], rng.randint(1, 8), 0)
    if rng.random() < 0.5:
        pooled = add(graph, "pool", ops.GlobalAveragePool(), alike[-1])
        add(graph, "fc", ops.Linear(7), add(graph, "flat", ops.Flatten(), pooled))
    return graph


def _grow(rng, graph, size, alike, count, nested):
    """Adds layers on tensors of equal shape, `alike`; returns the last tensors of equal shape."""
    for _ in range(count):
        source, name = rng.choice(alike[-3:]), f"layer{len(graph)}"
        kind = rng.choice(["conv", "point", "point", "add", "gate", "squeeze", "repeat", "shrink"])
        if kind == "conv":
            add(graph, name, ops.Conv(size["c"], rng.randint(1, 3), padding="same"), source)
        elif kind == "add":
            add(graph, name, ops.Add(), source, rng.choice(alike))
        elif kind == "gate":
            gate = add(graph, f"{name}gate", ops.Conv(size["gate"], 1), source)
            add(graph, name, rng.choice([ops.Add, ops.Mul])(), *rng.sample([source, gate], 2))
        elif kind == "squeeze":
            add(graph, name, ops.Mul(), source, add(graph, f"{name}all", ops.GlobalAveragePool(keep=True), source))
        elif kind == "repeat" and nested < 3:
            times = rng.choice([size["t0"], size["t1"], size["t2"], 4])
            fixed = [f"fixed{i}" for i in range(rng.choice([0, 0, 1, 2]))]
            times = times + 1 if fixed and nested else times  # in a body it stands at least once
            inner = _body(rng, size, nested + 1, fixed)
            add(graph, name, Repeat(inner, times, fixed), source, *(rng.choice(alike) for _ in fixed))
        elif kind == "shrink" and not nested:
            inner = new_graph()
            add(inner, "pool", ops.MaxPool(3, 2, padding="same"), add(inner, "in", ops.Input()))
            alike = [add(graph, name, Repeat(inner, 3), source)]
            continue
        else:
            add(graph, name, rng.choice(POINTWISE)(), source)
        alike.append(name)
    return alike


def _body(rng, size, nested, fixed):
    """A body that keeps its shape; its outputs are added up."""
    graph = new_graph()
    for name in ("in", *fixed):
        add(graph, name, ops.Input())
    _grow(rng, graph, size, ["in", *fixed], rng.randint(1, 3), nested)
    read = {source for _, data in graph.nodes(data=True) for source in data["inputs"]}
    ends = [name for name in graph if name not in read]
    if len(ends) > 1:
        add(graph, "ends", ops.Add(), *ends)
    return graph
