"""ATen's functions of each element."""

from __future__ import annotations

from typing import Any

from costcalc import ops
from costcalc.importers.aten_ops.translation import Held, Node, Translation, own_tensors
from costcalc.importers.torch_runs.run_record import Call, Tensor


def join(op: Any) -> Translation:
    """A sum or product of two tensors; one of them may stretch."""

    def translated(call: Call, held: Held) -> Node | None:
        a, b = call.arguments["self"], call.arguments["other"]
        if not isinstance(b, Tensor) or not isinstance(a, Tensor) or call.arguments.get("alpha", 1) != 1:
            return None
        return Node(op(), (a, b), {}) if a.shape and b.shape else None

    return translated


def softmax(call: Call, held: Held) -> Node | None:
    """Along one axis."""
    x = call.arguments["self"]
    axis = call.arguments["dim"] % len(x.shape)
    return Node(ops.Softmax(-1 if axis == len(x.shape) - 1 else axis), (x,), {})


def hard_tanh(call: Call, held: Held) -> Node | None:
    """Between 0 and 6 it is ReLU6."""
    given = call.arguments
    six = (given.get("min_val", -1), given.get("max_val", 1)) == (0, 6)
    return Node(ops.ReLU6(), (given["self"],), {}) if six else None


def leaky_relu(call: Call, held: Held) -> Node | None:
    """max(x, slope·x)."""
    return Node(ops.LeakyReLU(call.arguments.get("negative_slope", 0.01)), (call.arguments["self"],), {})


def prelu(call: Call, held: Held) -> Node | None:
    """max(0, x) + w·min(0, x)."""
    own = own_tensors(call, held, "weight")
    if not own:
        return None
    return Node(ops.PReLU(per_channel=own["weight"].shape != (1,)), (call.arguments["self"],), own)


def dropout(call: Call, held: Held) -> Node | None:
    """Nothing in evaluation, and a mask in a training step."""
    return Node(ops.Dropout(call.arguments["p"]), (call.arguments["input"],), {})


def pointwise(op: Any) -> Translation:
    """A function of one tensor, without fields."""
    return lambda call, held: Node(op(), (call.tensors[0],), {})
