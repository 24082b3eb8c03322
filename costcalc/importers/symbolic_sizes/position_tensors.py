"""What freezes the size of an input: tensors that a network adds at each position, as position embeddings."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.importers.symbolic_sizes.layer_pattern import Sample
from costcalc.ops.imported import Parameter


def position_tensors(sample: Sample) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Tensors of a network, with their shapes, that are added to one of the same positions: of two axes or more, those
    of 1 in front apart, which are the last of the other input."""
    graph, shapes = sample.graph, sample.shapes
    for _, data in graph.nodes(data=True):
        if data["op"].name != "add":
            continue
        for one, other in (data["inputs"], data["inputs"][::-1]):
            if isinstance(graph.nodes[one]["op"], Parameter):
                own = shapes[one]
                while own and own[0] == 1:
                    own = own[1:]
                if len(own) > 1 and own == shapes[other][-len(own) :]:
                    yield one, own


def because_of(sample: Sample) -> str:
    """`; it adds 'encoder.pos_embedding', of 197×768`: the first such tensor; empty without one."""
    for name, shape in position_tensors(sample):
        return f"; it adds {name!r}, of {'×'.join(map(str, shape))}, at each position"
    return ""
