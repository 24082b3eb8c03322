"""ATen's pools and reductions."""

from __future__ import annotations

from typing import Any

from costcalc import ops
from costcalc.importers.aten_ops.translation import Held, Node, Translation, as_tuple, each_axis, per_axis
from costcalc.importers.torch_runs.run_record import Call


def pool(op: Any, *fields: str) -> Translation:
    """The largest or the mean of each window; `fields` are those that one op has and the other has not."""

    def translated(call: Call, held: Held) -> Node | None:
        given = call.arguments
        x, axes = given["self"], len(as_tuple(given["kernel_size"]))
        if len(x.shape) != axes + 2 or given.get("divisor_override") is not None:
            return None
        more = {name: given[name] for name in fields if name in given}
        if "dilation" in more:
            more["dilation"] = per_axis(more["dilation"], axes)
        kernel, stride = (per_axis(given.get(name) or given["kernel_size"], axes) for name in ("kernel_size", "stride"))
        padding, ceil_mode = per_axis(given.get("padding", 0), axes), bool(given.get("ceil_mode", False))
        made = op(kernel, stride, padding=padding, ceil_mode=ceil_mode, **more)
        return Node(made, (x,), {})

    return translated


def adaptive_average_pool(call: Call, held: Held) -> Node | None:
    """The mean of regions: of all positions, of as many as are asked for, or of windows that do not overlap."""
    x = call.arguments["self"]
    size, axes = each_axis(call.arguments["output_size"], len(call.outputs[0].shape) - 2), x.shape[2:]
    if {*size} == {1}:
        return Node(ops.GlobalAveragePool(keep=True), (x,), {})
    if len({*size}) == 1:
        return Node(ops.AdaptiveAveragePool(size[0]), (x,), {})
    if any(n is None or length % n for n, length in zip(size, axes)):
        return None
    kernel = [length // n for n, length in zip(size, axes)]
    return Node(ops.AveragePool(kernel, kernel), (x,), {})


def mean(call: Call, held: Held) -> Node | None:
    """The mean of all axes after the channels of images is a global average pool; that of others is a reduction."""
    x, keep = call.arguments["self"], bool(call.arguments.get("keepdim", False))
    axes = reduced_axes(call)
    if len(x.shape) > 3 and axes == [*range(2, len(x.shape))]:
        return Node(ops.GlobalAveragePool(keep=keep), (x,), {})
    return Node(ops.Reduce(axes, "mean", keep), (x,), {}) if axes and len(x.shape) > 1 else None


def reduction(operation: str) -> Translation:
    """The sum, variance, largest or smallest of some axes, or of all."""

    def translated(call: Call, held: Held) -> Node | None:
        x, keep = call.arguments["self"], bool(call.arguments.get("keepdim", False))
        axes = reduced_axes(call)
        return Node(ops.Reduce(axes, operation, keep), (x,), {}) if axes and "other" not in call.arguments else None

    return translated


def vector_norm(call: Call, held: Held) -> Node | None:
    """The root of the sum of squares; other norms are other reductions."""
    return reduction("norm")(call, held) if call.arguments.get("ord", 2) == 2 else None  # type: ignore[return-value]


def reduced_axes(call: Call) -> list[int]:
    """The axes that a call reduces, in order: those of its argument `dim`, or all."""
    rank, axes = len(call.arguments["self"].shape), call.arguments.get("dim")
    if axes is None or axes == []:
        return [*range(rank)]
    return sorted(axis % rank for axis in as_tuple(axes)) if rank else []
