"""ATen's pools and reductions."""

from __future__ import annotations

from typing import Any

from costcalc import ops
from costcalc.importers.aten_ops.translation import Held, Node, Translation, as_tuple, each_axis, of_images, per_axis
from costcalc.importers.torch_runs.run_record import Call, short_name


def pool(op: Any, *fields: str) -> Translation:
    """The largest or the mean of each window; `fields` are those that one op has and the other has not."""

    def translated(call: Call, held: Held) -> Node | None:
        given = call.arguments
        x, axes = given["self"], len(as_tuple(given["kernel_size"]))
        if given.get("divisor_override") is not None:
            return None
        more = {name: given[name] for name in fields if name in given}
        if "dilation" in more:
            more["dilation"] = per_axis(more["dilation"], axes)
        kernel, stride = (per_axis(given.get(name) or given["kernel_size"], axes) for name in ("kernel_size", "stride"))
        padding, ceil_mode = per_axis(given.get("padding", 0), axes), bool(given.get("ceil_mode", False))
        made = op(kernel, stride, padding=padding, ceil_mode=ceil_mode, **more)
        return of_images(made, call, x, {}, axes)

    return translated


def adaptive_average_pool(call: Call, held: Held) -> Node | None:
    """The mean of regions: of all positions, or of as many as are asked for."""
    x, axes = call.arguments["self"], int(short_name(call.op)[-2])
    size = each_axis(call.arguments["output_size"], axes)
    if {*size} == {1}:
        return of_images(ops.GlobalAveragePool(keep=True), call, x, {}, axes)
    size = tuple([length if n is None else n for n, length in zip(size, x.shape[-axes:])])
    return of_images(ops.AdaptiveAveragePool(per_axis(size, axes)), call, x, {}, axes)


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
        by_place = len(call.outputs) > 1 and operation in ("max", "min")
        made = ops.Reduce(axes, operation, keep, by_place) if axes and "other" not in call.arguments else None
        return Node(made, (x,), {}) if made else None

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
