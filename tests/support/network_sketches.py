"""Sketches of networks, and what holds for every one of them."""

import math
import re

import costcalc
from costcalc import ops
from costcalc.analysis.picture.network_sketch import network_sketch


def graph_of(*layers):
    """A graph of (name, op, *inputs); the first is an image of 8 channels, x."""
    graph = costcalc.new_graph()
    costcalc.add(graph, "x", ops.Input((1, 8, 16, 16)))
    for name, op, *inputs in layers:
        costcalc.add(graph, name, op, *inputs)
    return graph


def sketch_of(target, **how):
    return network_sketch(costcalc.load(target).cost(), **how)


def check(sketch, cost):
    """Every layer is in one box, in the order of the network; the boxes' MACs are the network's; all are wired."""
    layers = [at for box in sketch.boxes for at in box.layers]
    assert sorted(layers) == [*range(len(cost.layers))]
    shares = [box.share for box in sketch.boxes if box.share]
    exact = [int(re.search(r"([\d,]+) MACs", box.hover)[1].replace(",", "")) for box in sketch.boxes]
    assert sum(exact) == cost.macs
    assert not cost.macs or math.isclose(sum(shares), 1)
    read = {str(source) for row in cost.layers for source in row.inputs}
    sources, targets = {wire.source for wire in sketch.wires}, {wire.target for wire in sketch.wires}
    for box in sketch.boxes:
        rows = [cost.layers[at] for at in box.layers]
        assert box.key in targets or any(not row.inputs for row in rows)
        assert box.key in sources or any(str(row.name) not in read for row in rows)
