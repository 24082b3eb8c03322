"""Small layer graphs, of one layer or of several in a row."""

import costcalc
from costcalc import ops


def graph_of(op, *ins):
    """A graph of one layer, called `layer`."""
    graph = costcalc.new_graph(name="one_layer")
    names = [costcalc.add(graph, f"x{i}", ops.Input(x)) for i, x in enumerate(ins)]
    costcalc.add(graph, "layer", op, *names)
    return graph


def chain(*layers, size=(2, 6, 13, 10)):
    """A graph of layers in a row."""
    graph = costcalc.new_graph(name="chain")
    last = costcalc.add(graph, "x", ops.Input(size))
    for name, op in layers:
        last = costcalc.add(graph, name, op, last)
    return graph
