"""ONNX's ops that make one number of many."""

from __future__ import annotations

from collections.abc import Sequence

from costcalc import ops
from costcalc.dims import Shape
from costcalc.importers.aten_ops.call_kinds import Work
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Step, Translation, Value, one
from costcalc.ops.imported import Move, Reduction

OPERATIONS = {"ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "max", "ReduceMin": "min", "ReduceL2": "norm"}
OTHER_REDUCTIONS = {
    "ReduceL1": Work(2, 2, (0,)), "ReduceProd": Work(1, 2, (0,)), "ReduceSumSquare": Work(2, 2, (0,)),
    "ReduceLogSum": Work(1, 2, (0,)), "ReduceLogSumExp": Work(4, 2, (0,), True),
}  # fmt: skip


def reduction(asked: Asked) -> Made | Value:
    """One number from all elements of some axes, or of all."""
    axes, keep, x = asked.axes("axes", 1, asked.rank), bool(asked.attribute("keepdims", 1)), asked.x
    if axes is None:
        if asked.attribute("noop_with_empty_axes", 0) or not asked.rank:
            return x
        axes = tuple(range(asked.rank))
    if asked.node.op == "ReduceMean" and asked.rank > 2 and sorted(axes) == [*range(2, asked.rank)]:
        return one(ops.GlobalAveragePool(keep=keep), x)
    if operation := OPERATIONS.get(asked.node.op):
        return one(ops.Reduce(axes, operation, keep=keep), x)
    return one(Reduction(without(x.shape, axes, keep), *OTHER_REDUCTIONS[asked.node.op]), x)


def without(shape: Shape, axes: Sequence[int], keep: bool) -> Shape:
    """A shape without some axes, or with 1 in their place."""
    return tuple(1 if i in axes else size for i, size in enumerate(shape) if keep or i not in axes)


def arg(asked: Asked) -> Made:
    """Where the largest or smallest of an axis is."""
    out = without(asked.x.shape, (asked.axis(0),), bool(asked.attribute("keepdims", 1)))
    return one(Reduction(out, 1, 0), asked.x)


def global_reduction(operation: str) -> Translation:
    """One number for each channel."""

    def translated(asked: Asked) -> Made:
        asked.need(asked.rank > 2, f"it needs batch, channels and a sliding axis, got {asked.rank} axes")
        if operation == "mean":
            return one(ops.GlobalAveragePool(keep=True), asked.x)
        return one(ops.Reduce(tuple(range(2, asked.rank)), operation, keep=True), asked.x)

    return translated


def cumulative(asked: Asked) -> Made:
    """The sum up to each element."""
    return one(Reduction(asked.x.shape), asked.x)


def top_k(asked: Asked) -> Made:
    """The largest few of an axis, and where they are."""
    count, axis = asked.numbers("k", 1) or (), asked.axis(-1)
    asked.need(len(count) == 1, "it does not say how many")
    out = (*asked.x.shape[:axis], count[0], *asked.x.shape[axis + 1 :])
    places = Step(Reduction(out, 1, 0, detached=True), (asked.x,))
    return Made((places, Step(Move(out, kept=(1,)), (asked.x, None))), (out,))
