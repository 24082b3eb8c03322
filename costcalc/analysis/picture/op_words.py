"""An op in the words of a drawing: `3×3 conv /2`, `BN`, `max pool 2×2 /2`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from costcalc.analysis.picture.layer_groups import named
from costcalc.analysis.walk import Row
from costcalc.dims import Shape
from costcalc.table import visible

SHORT = {
    "batch_norm": "BN", "layer_norm": "LN", "group_norm": "GN", "instance_norm": "IN", "rms_norm": "RMSNorm",
    "local_response_norm": "LRN", "relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU",
    "sigmoid": "sigmoid", "hard_swish": "hard-swish", "hard_sigmoid": "hard-sigmoid", "leaky_relu": "LeakyReLU",
    "global_average_pool": "global avg pool", "average_pool": "avg pool", "adaptive_average_pool": "adaptive avg pool",
    "conv_transpose": "transposed conv", "multi_head_attention": "attention", "linear": "linear", "lstm": "LSTM",
    "gru": "GRU", "rnn": "RNN", "mul": "multiply",
}  # fmt: skip
PLAIN_WORDS = {"conv1d": "conv", "conv2d": "conv", "conv3d": "conv"}
SHORTER = {  # on a narrow terminal
    "depthwise": "dw", "transposed conv": "convT", "global avg pool": "global pool",
    "adaptive avg pool": "adaptive pool", "avg pool": "avgpool", "max pool": "maxpool",
    "scaled dot product attention": "attention",
}  # fmt: skip


def op_words(op: Any, outputs: Shape, *, short: bool = False) -> str:
    """The op with its kernel, stride and groups, as papers write them: `7×7 conv /2`; in `short`, `7×7 conv/2`."""
    name = PLAIN_WORDS.get(op.name, op.name)
    word: str = SHORT.get(name, name.replace("_", " "))
    kernel = getattr(op, "kernel", None)
    groups = getattr(op, "groups", 1)
    grouped = ""
    if kernel is not None and groups != 1 and word == "conv":
        word, grouped = _grouped(groups, outputs, short)
    if short:
        word = SHORTER.get(word, word)
    if kernel is None:
        return word
    size = _sides(kernel, len(outputs) - 2)
    stride = getattr(op, "stride", 1)
    slash = "/" if short else " /"
    step = "" if _is_one(stride) else f"{slash}{stride if not isinstance(stride, Sequence) else _sides(stride, 0)}"
    return f"{word} {size}{step}" if "pool" in word else f"{size} {word}{grouped}{step}"


def _grouped(groups: Any, outputs: Shape, short: bool) -> tuple[str, str]:
    """The word of a convolution in groups, and what stands behind it."""
    if groups == outputs[1]:
        return "depthwise", ""
    return "conv", f" g{groups}" if short else f", {groups} groups"


def words_of_ops(rows: Sequence[Row], *, short: bool = False) -> list[str]:
    """Each op of a box that its words name."""
    return [visible(op_words(row.op, row.output_shape, short=short)) for row in named(rows)]


def arrow_words(op: Any, outputs: Shape) -> str:
    """The op in as few characters as stand above an arrow: `5×5 /2`, `pool /2`."""
    words = op_words(op, outputs)
    if "pool" in words:
        head, slash, step = words.partition(" /")
        return "global pool" if head.startswith("global") else f"pool{slash}{step}"
    return words.replace(" conv", "")


def _sides(kernel: Any, axes: int) -> str:
    sides = [*kernel] if isinstance(kernel, Sequence) else [kernel] * max(axes, 1)
    return "×".join(map(str, sides))


def _is_one(stride: Any) -> bool:
    return all(each == 1 for each in (stride if isinstance(stride, Sequence) else [stride]))
