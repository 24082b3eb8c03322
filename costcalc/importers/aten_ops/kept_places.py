"""The places that an op chooses or is given, whole numbers of 8 bytes, and what of a call is kept for its gradients.

torch keeps the places that topk, sort or a largest element chose, in the tensor that it also returns: they are a layer
of their own, which that of the values reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from costcalc.importers.torch_runs.run_record import Call, Tensor, short_name, tensors_of
from costcalc.ops.imported import Move, Reduction

KEPT = {  # the arguments that torch keeps, where a gradient is wanted
    **dict.fromkeys(("gather", "take"), ("self", "index")), "index_select": ("index",), "index_fill": ("index",),
    **dict.fromkeys(("index", "_unsafe_index", "index_put", "embedding"), ("indices",)), "masked_scatter": ("mask",),
    **dict.fromkeys(("scatter", "scatter_add"), ("index",)),
    **dict.fromkeys(("index_add", "index_copy"), ("index", "source")),
    **dict.fromkeys(("reflection_pad1d", "reflection_pad2d", "replication_pad2d", "pad"), ("self",)),
    "scatter_reduce": ("self", "index", "src"),
}  # fmt: skip
CHOOSES = {  # comparisons for each element, and is the input kept too?
    **dict.fromkeys(("topk", "sort", "kthvalue", "median", "nanmedian", "mode"), (0, False)),
    **dict.fromkeys(("max", "min"), (1, False)),
    **dict.fromkeys(("cummax", "cummin", "adaptive_max_pool2d", "adaptive_max_pool3d"), (1, True)),
}  # fmt: skip
BYTES = {"bool": 1, "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8}  # of what is no float


class Chosen(NamedTuple):
    """The op that finds places, and the one that takes the values there; what it reads comes before them."""

    places: Any
    values: Any


def chosen_by(call: Call) -> Chosen | None:
    """Of a call that returns values and their places, an op for each; None for another call."""
    name = short_name(call.op)
    if name not in CHOOSES or len(call.outputs) != 2:
        return None
    values, places = call.outputs
    operations, keeps_input = CHOOSES[name]
    finds = Reduction(places.shape, operations, detached=True) if operations else Move(places.shape, detached=True)
    return Chosen(finds, Move(values.shape, operations, (0, 1) if keeps_input else (1,)))


def kept_of(call: Call, inputs: Sequence[Tensor]) -> tuple[int, ...]:
    """Which of the tensors that the layer of a call reads are kept, by their numbers from 0."""
    names = KEPT.get(short_name(call.op), ())
    if short_name(call.op) == "pad" and call.arguments.get("mode", "constant") in ("constant", "circular"):
        return ()
    kept = {tensor.number for name in names for tensor in tensors_of(call.arguments.get(name))}
    return tuple([i for i, tensor in enumerate(inputs) if tensor.number in kept])
