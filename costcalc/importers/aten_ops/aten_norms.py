"""ATen's normalisations, and tables of rows."""

from __future__ import annotations

from costcalc import ops
from costcalc.importers.aten_ops.translation import Held, Node, own_tensors
from costcalc.importers.torch_runs.run_record import Call


def batch_norm(call: Call, held: Held) -> Node | None:
    """Batch normalisation with running statistics."""
    own = own_tensors(call, held, "weight", "bias", "running_mean", "running_var")
    if own is None or "running_mean" not in own or ("weight" in own) != ("bias" in own):
        return None
    return Node(ops.BatchNorm(affine="weight" in own), (call.arguments["input"],), own)


def layer_norm(call: Call, held: Held) -> Node | None:
    """Normalisation over the last axes."""
    own, axes = own_tensors(call, held, "weight", "bias"), len(call.arguments["normalized_shape"])
    if own is None or ("bias" in own and "weight" not in own):
        return None
    made = ops.LayerNorm(axes=axes, affine="weight" in own, bias="bias" in own or not own)
    return Node(made, (call.arguments["input"],), own)


def group_norm(call: Call, held: Held) -> Node | None:
    """Normalisation of groups of channels."""
    own = own_tensors(call, held, "weight", "bias")
    if own is None or ("weight" in own) != ("bias" in own):
        return None
    return Node(ops.GroupNorm(call.arguments["num_groups"], affine="weight" in own), (call.arguments["input"],), own)


def rms_norm(call: Call, held: Held) -> Node | None:
    """Root mean square normalisation over the last axes."""
    own, axes = own_tensors(call, held, "weight"), len(call.arguments["normalized_shape"])
    return None if own is None else Node(ops.RMSNorm(axes=axes, affine=bool(own)), (call.arguments["input"],), own)


def embedding(call: Call, held: Held) -> Node | None:
    """Rows of a table."""
    own = own_tensors(call, held, "weight")
    if own is None:
        return None
    return Node(ops.Embedding(*own["weight"].shape), (call.arguments["indices"],), own)
