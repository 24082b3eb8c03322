"""ATen's views and moves of elements."""

from __future__ import annotations

from costcalc import ops
from costcalc.importers.aten_ops.translation import Held, Node, NoRule, Translation, as_tuple, per_axis
from costcalc.importers.torch_runs.run_record import Call


def flatten(call: Call, held: Held) -> Node | None:
    """All axes after the batch as one."""
    x, out = call.arguments["self"], call.outputs[0]
    return (
        Node(ops.Flatten(), (x,), {})
        if len(x.shape) > 2 and len(out.shape) == 2 and x.shape[0] == out.shape[0]
        else None
    )


def reshape(call: Call, held: Held) -> Node | None:
    """Another shape of the same elements; the batch stays."""
    x, out = call.arguments["self"], call.outputs[0]
    if not call.views or len(x.shape) < 2 or len(out.shape) < 2 or x.shape[0] != out.shape[0]:
        return None
    return Node(ops.Reshape(list(out.shape[1:])), (x,), {})


def transpose(call: Call, held: Held) -> Node | None:
    """Axes in another order."""
    x, given = call.arguments["self"], call.arguments
    axes = [*range(len(x.shape))]
    if "dims" in given:
        axes = [axis % len(axes) for axis in given["dims"]]
    else:
        i, j = given.get("dim0", -1) % len(axes), given.get("dim1", -2) % len(axes)
        axes[i], axes[j] = axes[j], axes[i]
    return Node(ops.Transpose(axes), (x,), {})


def concat(call: Call, held: Held) -> Node | None:
    """Tensors side by side. torch leaves out those of no elements on one axis: caches begin with such."""
    tensors = tuple(one for one in call.arguments["tensors"] if one.shape != (0,))
    if len(tensors) > 1:
        return Node(ops.Concat(call.arguments.get("dim", 0) % len(tensors[0].shape)), tensors, {})
    return Node(ops.Move(list(tensors[0].shape)), tensors, {}) if tensors else None


def roll(call: Call, held: Held) -> Node | None:
    """Elements moved along some axes."""
    axes, shifts = as_tuple(call.arguments.get("dims", ())), as_tuple(call.arguments["shifts"])
    return Node(ops.Roll(list(axes), list(shifts)), (call.arguments["self"],), {}) if axes else None


def upsample(mode: str) -> Translation:
    """Images of another size, by a whole factor if torch was told one."""

    def translated(call: Call, held: Held) -> Node | None:
        x, out = call.arguments.get("input", call.arguments.get("self")), call.outputs[0]
        scale, axes = call.arguments.get("scale_factors"), len(out.shape) - 2
        if scale and all(factor == int(factor) for factor in scale):
            return Node(ops.Upsample(per_axis([*map(int, scale)], axes), mode), (x,), {})
        return Node(ops.Upsample(mode=mode, size=per_axis(out.shape[2:], axes)), (x,), {})

    return translated


def grid_sample(call: Call, held: Held) -> Node | NoRule:
    """An image at positions that are given; the bicubic one has no op."""
    mode = {0: "linear", 1: "nearest"}.get(call.arguments["interpolation_mode"])
    if mode is None:
        return NoRule("of mode bicubic")
    return Node(ops.GridSample(mode), (call.arguments["input"], call.arguments["grid"]), {})
