"""Small layer graphs, of one layer or of several in a row."""

import costcalc
from costcalc import ops


def graph_of(op, *ins):
    """A graph of one layer, called `layer`."""
    graph = costcalc.new_graph(name="one_layer")
    names = [costcalc.add(graph, f"x{i}", ops.Input(x)) for i, x in enumerate(ins)]
    costcalc.add(graph, "layer", op, *names)
    return graph


def in_a_row(size, *layers):
    """A graph of layers in a row after an input: ops, or tuples of a name, an op and attributes of the node."""
    graph = costcalc.new_graph(name="chain")
    last = costcalc.add(graph, "x", ops.Input(size))
    for i, layer in enumerate(layers):
        name, op, more = (*layer, {})[:3] if isinstance(layer, tuple) else (f"layer{i}", layer, {})
        last = costcalc.add(graph, name, op, last, **more)
    return graph


def chain(*layers, size=(2, 6, 13, 10)):
    """A graph of layers in a row after an image."""
    return in_a_row(size, *layers)


def joined(*layers):
    """A graph of layers that name what they read: (name, op, inputs)."""
    graph = costcalc.new_graph(name="mine")
    for name, op, *inputs in layers:
        costcalc.add(graph, name, op, *inputs)
    return graph
